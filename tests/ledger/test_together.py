"""Batches committed together are each what it would have been alone."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.errors import LedgerVersionUnknownError
from duecourse.ledger.entries import ENTRIES
from duecourse.ledger.store import Ledger
from duecourse.ledger.together import Post, commit_together
from support.ledgers import ENGINE, add, invoice, totals

DAY = dt.date(2025, 12, 31)


def post(name: str, rows: list[dict]) -> Post:
    names = dict.fromkeys(key for row in rows for key in row)
    schema = pa.schema([field.with_nullable(True) for field in ENTRIES["invoice"].schema if field.name in names])
    return Post(name, {"invoice": pa.Table.from_pylist(rows, schema=schema)})


def test_each_batch_keeps_its_name_its_counts_and_can_be_withdrawn_alone(ledger):
    add(ledger, [invoice(1, 100)])
    results = commit_together(ledger, [post("a", [invoice(1, 100), invoice(2, 7)]), post("b", [invoice(3, 5)]), post("c", [invoice(4, 1)])])
    assert [(r.batch_id, dict(r.added), dict(r.unchanged)) for r in results] == [
        ("a", {"invoice": 1}, {"invoice": 1}), ("b", {"invoice": 1}, {"invoice": 0}), ("c", {"invoice": 1}, {"invoice": 0}),
    ]  # fmt: skip
    assert [row.batch_id for row in ledger.journal()[-3:]] == ["a", "b", "c"]
    assert totals(ledger) == (4, 113)
    ledger.void("b", "wrong")
    assert totals(ledger) == (3, 108)


def test_the_later_of_two_batches_about_one_fact_corrects_the_earlier(ledger):
    results = commit_together(ledger, [post("a", [invoice(1, 100)]), post("b", [invoice(1, 60)]), post("c", [invoice(2, 1)])])
    assert [(r.added["invoice"], r.corrected["invoice"]) for r in results] == [(1, 0), (0, 1), (1, 0)]
    assert totals(ledger) == (2, 61)
    moments = {row.batch_id: row.recorded_at for row in ledger.journal()}
    assert totals(ledger, known_at=moments["a"]) == (1, 100)


def test_a_batch_of_a_known_name_is_not_written_again(ledger):
    first = commit_together(ledger, [post("a", [invoice(1, 100)])])
    add(ledger, [invoice(1, 50)])
    again = commit_together(ledger, [post("a", [invoice(1, 100)])])
    assert again == first
    assert totals(ledger) == (1, 50)


def test_nobody_can_ask_for_the_ledger_between_two_of_them(ledger):
    results = commit_together(ledger, [post("a", [invoice(1, 100)]), post("b", [invoice(2, 60)])])
    with pytest.raises(LedgerVersionUnknownError):
        ledger.at(results[0].version)
    assert totals(ledger.at(results[1].version)) == (2, 160)


ROWS = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 3), st.booleans()), min_size=1, max_size=4, unique_by=lambda row: row[0])


@given(batches=st.lists(ROWS, min_size=1, max_size=6), cut=st.integers(0, 6))
@settings(max_examples=5)
def test_together_or_one_by_one_gives_the_same_book(batches, cut):
    rows = [[{**invoice(number, amount), "voided": voided} for number, amount, voided in batch] for batch in batches]
    with tempfile.TemporaryDirectory() as folder:
        together = Ledger.open(Path(folder) / "together", engine=ENGINE, create=True)
        apart = Ledger.open(Path(folder) / "apart", engine=ENGINE, create=True)
        posts = [post(f"p{number}", batch) for number, batch in enumerate(rows)]
        counted = commit_together(together, posts[:cut]) + commit_together(together, posts[cut:])
        expected = [add(apart, batch) for batch in rows]
        assert [(r.added, r.corrected, r.unchanged) for r in counted] == [(r.added, r.corrected, r.unchanged) for r in expected]
        assert _facts(together) == _facts(apart)


def _facts(ledger: Ledger) -> list[tuple]:
    book = ledger.as_of(DAY)
    return sorted((row["invoice_id"], row["amount_minor"]) for row in book.run(book.invoice).to_pylist())


WRITER = """
import sys
sys.path.insert(0, "tests")
from ledger_together import post
from duecourse.ledger.store import Ledger
from duecourse.ledger.together import commit_together
from support.ledgers import ENGINE, invoice
ledger = Ledger.open(sys.argv[1], engine=ENGINE)
print("ready", flush=True)
for number in range(int(sys.argv[2]), int(sys.argv[2]) + 400, 4):
    results = commit_together(ledger, [post(f"b{n}", [invoice(n, 1)]) for n in range(number, number + 4)])
    print("done", *(r.batch_id for r in results), flush=True)
""".replace(
    "from ledger_together import post",
    "import importlib.util as u; s = u.spec_from_file_location('t', 'tests/ledger/test_together.py'); m = u.module_from_spec(s); s.loader.exec_module(m); post = m.post",
)


def _kill_once(folder: Path, start: int, delay: float) -> list[str]:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), str(start)], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    time.sleep(delay)
    os.kill(writer.pid, signal.SIGKILL)
    told, _ = writer.communicate()
    return [name for line in told.splitlines() if line.startswith("done") for name in line.split()[1:]]


@pytest.mark.parametrize("kills", [2, pytest.param(40, marks=pytest.mark.long)])
def test_what_was_told_to_be_written_is_there_after_a_kill_and_nothing_is_there_twice(tmp_path, kills):
    ledger = Ledger.open(tmp_path / "ledger", engine=ENGINE, create=True)
    told: set[str] = set()
    for number in range(kills):
        told |= set(_kill_once(tmp_path / "ledger", number * 1000, 0.1 + 0.37 * (number % 7) / 2))
    ledger.refresh()
    names = [row.batch_id for row in ledger.journal() if row.kind == "post"]
    assert told <= set(names)
    assert len(names) == len(set(names))
    assert totals(ledger) == (len(names), len(names))
    again = commit_together(ledger, [post(name, [invoice(int(name[1:]), 1)]) for name in names[:8]])
    assert [r.added["invoice"] for r in again] == [1] * len(again)
    assert totals(ledger) == (len(names), len(names))
