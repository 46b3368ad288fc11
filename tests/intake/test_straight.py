"""The straight way takes a large plain file exactly as the general way does."""

from __future__ import annotations

import datetime as dt
import random

import pytest

from duecourse.intake import importer, straight
from duecourse.intake.importer import import_file
from support.importing import new_ledger, rows

HEADER = "Invoice number,Customer number,Invoice date,Due date,Amount,Currency,Payment date,Terms days,Remark number"
SPOILT = [
    (0, ""), (0, " A 1 "), (0, "77.0"), (0, '"Q,1"'), (0, '"plain"'), (1, ""), (1, "00012"), (1, "Süd-7"), (2, "2025-02-30"), (2, ""), (2, "2025/03/04"),
    (2, "1789-01-01"), (3, ""), (3, "nonsense"), (3, "2090-01-01"), (4, "0"), (4, "0.00"), (4, "-5.00"), (4, "1,234.50"), (4, "12.345"), (4, "12.340"),
    (4, "7"), (4, "7."), (4, "1234567890123.00"), (4, ""), (5, "JPY"), (5, "KWD"), (5, "eur"), (5, "QQQ"), (5, ""), (6, "2025-06-31"), (6, "-"), (6, ""),
]  # fmt: skip


def lines(count, *, with_credits=True, seed=7):
    chance = random.Random(seed)
    found = []
    for number in range(count):
        issued = dt.date(2025, 1, 1) + dt.timedelta(chance.randrange(200))
        cells = [
            f"I{number:05d}", f"C{chance.randrange(40):03d}", str(issued), str(issued + dt.timedelta(30)), f"{chance.randrange(1, 10**6) / 100:.2f}",
            chance.choice(["EUR", "USD", "CNY"]), str(issued + dt.timedelta(chance.randrange(60))) if chance.random() < 0.6 else "", "", "",
        ]  # fmt: skip
        if chance.random() < 0.2:
            place, text = chance.choice(SPOILT)
            if with_credits or text != "-5.00":
                cells[place] = text
        if chance.random() < 0.03 and number:
            cells[0] = f"I{chance.randrange(number):05d}"
        line = ",".join(cells[:7])
        if chance.random() < 0.01:
            line += ",extra"
        if chance.random() < 0.01 and found:
            line = found[-1]
        found.append("" if chance.random() < 0.005 else line)
    return found


def table(ledger, name):
    hidden = ("recorded_at", "source", "fixed_by")
    return sorted(str({key: value for key, value in row.items() if key not in hidden}) for row in rows(ledger, name))


@pytest.fixture
def small_steps(monkeypatch):
    """Blocks of a few hundred lines, and no file too small or too doubtful."""
    from duecourse.intake import files

    monkeypatch.setattr(straight, "MINIMUM_BYTES", 0)
    monkeypatch.setattr(straight, "BLOCK_BYTES", 20_000)
    monkeypatch.setattr(straight, "DOUBTFUL_SHARE", 1.0)
    monkeypatch.setattr(files, "IN_PLACE_BYTES", 0)
    real = importer.open_file
    monkeypatch.setattr(importer, "open_file", lambda path, **more: real(path, in_place_bytes=0, **more))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("with_credits", [True, False])
def test_both_ways_give_the_same_ledger(tmp_path, small_steps, monkeypatch, end, with_credits):
    path = tmp_path / "list.csv"
    path.write_bytes((end.join([HEADER.rsplit(",", 2)[0], *lines(3000, with_credits=with_credits)]) + end).encode())
    fast, slow = new_ledger(tmp_path / "fast"), new_ledger(tmp_path / "slow")
    used = []
    real = importer.take_straight
    monkeypatch.setattr(importer, "take_straight", lambda *args, **more: used.append(real(*args, **more)) or used[-1])
    one = import_file(fast, path)
    assert used
    assert used[0].rows > 2000
    monkeypatch.setattr(importer, "form_of", lambda *_args, **_more: None)
    other = import_file(slow, path)
    assert (one.read, one.quarantined, one.repeated, one.added, one.totals) == (
        other.read,
        other.quarantined,
        other.repeated,
        other.added,
        other.totals,
    )
    for name in ("invoice", "settlement", "quarantine"):
        assert table(fast, name) == table(slow, name), name


def test_a_file_written_otherwise_than_it_seemed_takes_the_general_way(tmp_path, small_steps, monkeypatch):
    monkeypatch.setattr(straight, "DOUBTFUL_SHARE", 0.0)
    monkeypatch.setattr(straight, "DOUBTFUL_LINES", 10)
    path = tmp_path / "list.csv"
    path.write_text("\n".join([HEADER.rsplit(",", 2)[0], *lines(2000)]) + "\n")
    ledger = new_ledger(tmp_path / "ledger")
    result = import_file(ledger, path)
    assert len(table(ledger, "invoice")) == result.added["invoice"]
    assert not list((tmp_path / "ledger").rglob("*straight*"))


def test_cancelling_on_the_straight_way_leaves_nothing_behind(tmp_path, small_steps):
    path = tmp_path / "list.csv"
    path.write_text("\n".join([HEADER.rsplit(",", 2)[0], *lines(2000)]) + "\n")
    ledger = new_ledger(tmp_path / "ledger")

    def stop(share, _phase):
        if share > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_file(ledger, path, progress=stop)
    assert not list((tmp_path / "ledger" / "invoice").glob("*.parquet"))
    assert import_file(ledger, path).added["invoice"] > 1000
