"""A file comes in whole or not at all, once, and is shown before it is used."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import threading

import pytest

from duecourse.errors import FileCutOffError, FileNotFoundHereError
from duecourse.intake.importer import Options, import_file, import_files, preview
from duecourse.ledger.store import Ledger
from support.importing import codes, invoices, new_ledger, rows, write_csv

from support.importing import ENGINE  # isort: skip


@pytest.fixture
def ledger(tmp_path):
    return new_ledger(tmp_path / "ledger")


def lines(count=3, **more):
    return [
        {
            "Invoice number": f"A{n}", "Customer number": f"C{n % 2}", "Invoice date": "2025-01-10", "Due date": "2025-02-09",
            "Amount": f"{100 + n}.00", "Currency": "EUR", **more,
        }
        for n in range(count)
    ]  # fmt: skip


def files_of(ledger):
    return sorted(
        path.relative_to(ledger.storage.folder) for path in ledger.storage.folder.rglob("*.parquet") if "journal" not in str(path)
    )


def test_the_preview_shows_how_a_file_will_be_read_and_writes_nothing(ledger, tmp_path):
    shown = preview(write_csv(tmp_path / "a.csv", lines()), ledger=ledger)
    assert shown.profile.shape == "transactions"
    assert shown.profile.column("due_date") == "Due date"
    assert shown.first_rows.num_rows == 3
    assert shown.totals.to_pylist()[0]["amount"] == 303
    assert ledger.version == 0


def test_the_result_counts_what_happened_and_adds_up_by_currency(ledger, tmp_path):
    bad = {**lines(1)[0], "Invoice number": "X", "Amount": "??"}
    result = import_file(ledger, write_csv(tmp_path / "a.csv", [*lines(), bad]))
    assert (result.read, result.added["invoice"], result.quarantined) == (4, 3, 1)
    (total,) = result.totals
    assert (total.currency, total.documents, total.documents_minor) == ("EUR", 3, 30300)


def test_the_same_file_twice_adds_nothing_and_says_so(ledger, tmp_path):
    path = write_csv(tmp_path / "a.csv", lines())
    first = import_file(ledger, path)
    again = import_file(ledger, path)
    assert (again.batch_id, again.known_as) == ("", first.batch_id)
    assert codes(again) == ["file_known"]
    assert ledger.version == 1


def test_the_same_file_comes_in_again_after_its_import_was_withdrawn(ledger, tmp_path):
    path = write_csv(tmp_path / "a.csv", lines())
    ledger.void(import_file(ledger, path).batch_id, "wrong firm")
    assert invoices(ledger) == {}
    assert import_file(ledger, path).added["invoice"] == 3


def test_a_later_file_adds_corrects_and_leaves_alone(ledger, tmp_path):
    before, after = lines(3), lines(4)
    after[1]["Amount"] = "55.00"
    import_file(ledger, write_csv(tmp_path / "a.csv", before))
    result = import_file(ledger, write_csv(tmp_path / "b.csv", after))
    assert (result.added["invoice"], result.corrected["invoice"], result.unchanged["invoice"]) == (1, 1, 2)
    assert invoices(ledger)["A1", 1]["amount_minor"] == 5500


def test_several_files_come_in_one_batch_each(ledger, tmp_path):
    results = import_files(ledger, [write_csv(tmp_path / "a.csv", lines(2)), write_csv(tmp_path / "b.csv", lines(5))])
    assert [result.added["invoice"] for result in results] == [2, 3]
    assert [row.file_name for row in ledger.journal() if row.kind == "import"] == ["a.csv", "b.csv"]


def test_a_mapping_once_given_is_used_for_the_next_file_of_the_form(ledger, tmp_path):
    odd = [{"Zahl": "7", "Wer": "C1", "Wann": "2025-01-10", "Bis": "2025-02-10", "Wieviel": "12.00"}]
    columns = {"document_id": "Zahl", "buyer_id": "Wer", "issue_date": "Wann", "due_date": "Bis", "amount": "Wieviel"}
    import_file(ledger, write_csv(tmp_path / "a.csv", odd), Options(columns=columns, currency="EUR"))
    odd[0]["Zahl"] = "8"
    import_file(ledger, write_csv(tmp_path / "b.csv", odd))
    assert sorted(key[0] for key in invoices(ledger)) == ["7", "8"]
    assert invoices(ledger)["8", 1]["currency"] == "EUR"


def test_a_missing_file_is_an_error_that_names_it(ledger, tmp_path):
    with pytest.raises(FileNotFoundHereError, match=r"nothing\.csv"):
        import_file(ledger, tmp_path / "nothing.csv")


def test_a_file_that_was_cut_off_adds_nothing(ledger, tmp_path):
    path = write_csv(tmp_path / "a.csv", lines(50))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(FileCutOffError):
        import_file(ledger, path)
    assert ledger.version == 0
    assert files_of(ledger) == []


@pytest.mark.parametrize("phase", ["reading", "checking", "writing", "recording"])
def test_cancelling_leaves_nothing_behind(ledger, tmp_path, phase):
    def stop(_share, name):
        if name == phase:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_file(ledger, write_csv(tmp_path / "a.csv", lines(50)), progress=stop)
    ledger.refresh()
    assert ledger.version == 0
    assert files_of(ledger) == []


def test_progress_rises_from_nothing_to_all(ledger, tmp_path):
    told = []
    import_file(ledger, write_csv(tmp_path / "a.csv", lines(50)), progress=lambda share, name: told.append((share, name)))
    shares = [share for share, _ in told]
    assert shares[0] == 0.0
    assert shares[-1] == 1.0
    assert shares == sorted(shares)
    assert {name for _, name in told} == {"reading", "checking", "writing", "recording"}


def test_two_imports_at_once_both_arrive(tmp_path):
    new_ledger(tmp_path / "ledger")
    failures = []

    def take(name, offset):
        try:
            mine = Ledger.open(tmp_path / "ledger", engine=ENGINE)
            rows_ = [{**line, "Invoice number": f"{name}{n}"} for n, line in enumerate(lines(20))]
            import_file(mine, write_csv(tmp_path / f"{name}.csv", rows_))
        except Exception as error:  # noqa: BLE001
            failures.append((offset, error))

    threads = [threading.Thread(target=take, args=(name, n)) for n, name in enumerate("PQ")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(invoices(Ledger.open(tmp_path / "ledger", engine=ENGINE))) == 40


def test_what_was_known_before_stays_as_it_was(ledger, tmp_path):
    import_file(ledger, write_csv(tmp_path / "a.csv", lines(3)))
    then = ledger.state.last.recorded_at
    before = ledger.as_of(dt.date(2025, 6, 30), then)
    truth = before.run(before.invoice.order_by("invoice_id")).to_pylist()
    changed = lines(4)
    changed[0]["Amount"] = "1.00"
    import_file(ledger, write_csv(tmp_path / "b.csv", changed))
    after = ledger.as_of(dt.date(2025, 6, 30), then)
    assert after.run(after.invoice.order_by("invoice_id")).to_pylist() == truth


def test_pieces_in_any_order_give_the_same_book(tmp_path):
    whole, parts = new_ledger(tmp_path / "whole"), new_ledger(tmp_path / "parts")
    data = [{**line, "Payment date": "2025-03-01" if n % 3 else ""} for n, line in enumerate(lines(12))]
    import_file(whole, write_csv(tmp_path / "all.csv", data))
    for number, piece in enumerate((data[8:], data[:5], data[3:9])):
        import_file(parts, write_csv(tmp_path / f"{number}.csv", piece))
    for table in ("invoice", "settlement"):
        strip = lambda row: {k: v for k, v in row.items() if k not in ("recorded_at", "source", "source_row")}  # noqa: E731
        key = lambda row: str(sorted(row.items(), key=lambda pair: pair[0]))  # noqa: E731
        assert sorted(map(strip, rows(whole, table)), key=key) == sorted(map(strip, rows(parts, table)), key=key)


def _import_in_process(folder, path, ready):
    mine = Ledger.open(folder, engine=ENGINE)
    ready.set()
    import_file(mine, path)


def _killed(tmp_path, times, seconds):
    """Start an import, kill it at these moments; then the ledger is whole and a re-run completes it."""
    context = multiprocessing.get_context("spawn")
    path = write_csv(tmp_path / "big.csv", lines(2000))
    for number, moment in enumerate(times):
        folder = tmp_path / f"ledger{number}"
        new_ledger(folder)
        ready = context.Event()
        process = context.Process(target=_import_in_process, args=(folder, path, ready))
        process.start()
        assert ready.wait(60)
        process.join(moment * seconds)
        process.kill()
        process.join()
        found = Ledger.open(folder, engine=ENGINE)
        assert len(invoices(found)) in (0, 2000)
        import_file(found, path)
        assert len(invoices(found)) == 2000


def test_a_killed_import_leaves_the_ledger_whole(tmp_path):
    _killed(tmp_path, [0.3, 0.7], 1.5)


@pytest.mark.long
def test_an_import_killed_at_fifty_moments_leaves_the_ledger_whole(tmp_path):
    _killed(tmp_path, [n / 50 for n in range(50)], 2.0)
