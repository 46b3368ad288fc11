"""One buyer's rows at hand: the same rows as the tables hold, whatever the files are like, and no harm where a copy is missing or damaged."""

from __future__ import annotations

import datetime as dt
import threading

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.errors import LedgerReadOnlyError
from duecourse.ledger import at_hand, store
from duecourse.ledger.entries import ENTRIES, INVOICE, SETTLEMENT
from duecourse.ledger.store import Ledger
from support.examples import examples
from support.ledgers import ENGINE, add, invoice

LAST = dt.date(2025, 12, 31)
BUYERS = ["", "b", "b0", "b1", "b10", "华", "éa", "\U00010000x", "zz"]


@pytest.fixture(autouse=True)
def _small_files_too(monkeypatch):
    monkeypatch.setattr(at_hand, "LEAST_ROWS", 1)
    monkeypatch.setattr(at_hand, "PIECE", 4)


def told(ledger, buyer_id, entry=INVOICE):
    rows, _corrected = ledger.rows_about(entry, buyer_id)
    mine = [row for row in rows.to_pylist() if row["buyer_id"] == buyer_id]  # "at least the rows of one buyer"
    assert rows.schema.names == entry.schema.names
    return sorted(mine, key=str)


def anew(ledger):
    return Ledger.open(ledger.storage.folder, engine=ENGINE)


def copies(ledger):
    return sorted(path.name for path in (ledger.storage.folder / at_hand.FOLDER / "invoice").glob("*.arrow"))


@given(st.lists(st.sampled_from([*BUYERS, None]), min_size=1, max_size=60), st.integers(1, 9))
@examples(25, 300)
def test_a_copy_gives_the_rows_of_the_file(tmp_path_factory, names, piece):
    folder = tmp_path_factory.mktemp("copy")
    rows = pa.table({"buyer_id": pa.array(names, pa.string()), "number": list(range(len(names)))})
    pq.write_table(rows, folder / "some.parquet", row_group_size=7)
    before, at_hand.PIECE = at_hand.PIECE, piece
    try:
        assert at_hand.make(folder / "some.parquet", folder / "copy.arrow", ["buyer_id", "number"])
    finally:
        at_hand.PIECE = before
    copy = at_hand.Copy.open(folder / "copy.arrow")
    for name in [*BUYERS, "nobody"]:
        assert copy.rows(name)["number"].to_pylist() == [number for number, buyer in enumerate(names) if buyer == name]


@pytest.mark.parametrize("groups", [[["c", "d"], ["a", "b"], ["b", "c"]], [["c", "d"], [None, None], ["a", "b"]]])
def test_a_large_file_is_copied_group_by_group_in_the_order_of_its_buyers(tmp_path, monkeypatch, groups):
    monkeypatch.setattr(at_hand, "SORTED_IN_MEMORY", 0)
    monkeypatch.setattr(at_hand, "GROUPS_AT_ONCE", 1)
    names = [name for group in groups for name in group]
    pq.write_table(pa.table({"buyer_id": pa.array(names, pa.string())}), tmp_path / "some.parquet", row_group_size=2)
    assert at_hand.make(tmp_path / "some.parquet", tmp_path / "copy.arrow", ["buyer_id"])
    copy = at_hand.Copy.open(tmp_path / "copy.arrow")
    assert {name: copy.rows(name).num_rows for name in "abcde"} == {name: names.count(name) for name in "abcde"}


def test_a_large_file_that_is_not_in_order_has_no_copy(tmp_path, monkeypatch):
    monkeypatch.setattr(at_hand, "SORTED_IN_MEMORY", 0)
    monkeypatch.setattr(at_hand, "GROUPS_AT_ONCE", 1)
    pq.write_table(pa.table({"buyer_id": ["a", "c", "b", "d"]}), tmp_path / "some.parquet", row_group_size=2)
    assert not at_hand.make(tmp_path / "some.parquet", tmp_path / "copy.arrow", ["buyer_id"])
    assert [path.name for path in tmp_path.iterdir()] == ["some.parquet"]


def test_a_ledger_answers_the_same_with_copies_and_without(ledger):
    for batch in range(3):
        add(ledger, [invoice(batch * 10 + number) for number in range(9)])
    add(ledger, [invoice(4, 77)])  # corrects one
    plain = {name: told(anew(ledger), name) for name in ("b0", "b1", "b2", "nobody")}
    ledger.lay_at_hand()
    assert len(copies(ledger)) == 4
    assert {name: told(anew(ledger), name) for name in plain} == plain == {name: told(ledger, name) for name in plain}
    ledger.compact()
    before = copies(ledger)
    ledger.lay_at_hand()
    assert len(copies(ledger)) == 1
    assert copies(ledger) != before
    compacted = {name: told(anew(ledger), name) for name in plain}
    assert compacted == {name: told(ledger, name) for name in plain}
    assert {name: [row["invoice_id"] for row in rows] for name, rows in compacted.items()} == {
        name: [row["invoice_id"] for row in rows] for name, rows in plain.items()
    }
    assert told(ledger, "b1", SETTLEMENT) == []


def test_new_facts_are_seen_before_they_have_a_copy(ledger):
    add(ledger, [invoice(number) for number in range(6)])
    ledger.lay_at_hand()
    assert len(told(ledger, "b1")) == 2
    add(ledger, [invoice(7)])
    assert len(told(ledger, "b1")) == 3


def test_a_damaged_copy_is_passed_over(ledger):
    add(ledger, [invoice(number) for number in range(40)])
    plain = told(ledger, "b1")
    ledger.lay_at_hand()
    place = next((ledger.storage.folder / at_hand.FOLDER / "invoice").glob("*.arrow"))
    good = place.read_bytes()
    for bad in (b"", b"ARROW1", good[: len(good) // 2], good[:100] + bytes(len(good) - 200) + good[-100:]):
        place.unlink()
        place.write_bytes(bad)
        assert told(anew(ledger), "b1") == plain
    place.write_bytes(good)
    place.with_suffix(".json").write_text('{"first": [], "last": []}', encoding="utf-8")
    assert told(anew(ledger), "b1") == plain


def test_many_threads_ask_one_copy(ledger):
    add(ledger, [invoice(number) for number in range(60)])
    ledger.lay_at_hand()
    other = anew(ledger)
    wanted = {name: told(anew(ledger), name) for name in ("b0", "b1", "b2")}
    wrong = []

    def ask():
        for turn in range(30):
            name = f"b{turn % 3}"
            if told(other, name) != wanted[name]:
                wrong.append(name)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_table_without_any_buyer_is_read(ledger):
    limit = {"limit_id": "l1", "group_id": "g", "granted_by": "own", "amount_minor": 5, "currency": "EUR", "kind": "own"}
    names = set(ENTRIES["limit"].schema.names)
    row = {name: value for name, value in limit.items() if name in names}
    row |= {
        field.name: "x"
        for field in ENTRIES["limit"].facts
        if not field.nullable and field.name not in row and pa.types.is_string(field.type)
    }
    row |= {
        field.name: ledger.state.last.recorded_at.date()
        for field in ENTRIES["limit"].facts
        if not field.nullable and pa.types.is_date(field.type)
    }
    add(ledger, [row], entry="limit")
    ledger.lay_at_hand()
    assert told(ledger, "b1", ENTRIES["limit"]) == []


def test_where_it_cannot_write_it_says_so(ledger, monkeypatch):
    add(ledger, [invoice(1)])

    def refuse(*_args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(at_hand, "make", refuse)
    with pytest.raises(LedgerReadOnlyError):
        ledger.lay_at_hand()
    assert len(told(ledger, "b1")) == 1


ACTS = st.lists(
    st.one_of(
        st.lists(
            st.tuples(st.integers(1, 4), st.sampled_from(["b0", "b1", "b2"]), st.integers(1, 3), st.booleans()),
            min_size=1,
            max_size=4,
            unique_by=lambda one: one[0],
        ),
        st.integers(0, 5),
    ),
    min_size=2,
    max_size=7,
)


@given(ACTS)
@examples(6, 150)
def test_one_buyers_rows_are_those_of_the_whole_table_whatever_corrected_or_withdrew_them(tmp_path_factory, acts):
    ledger = Ledger.open(tmp_path_factory.mktemp("acts") / "ledger", engine=ENGINE, create=True)
    batches = []
    for act in acts:
        if isinstance(act, int):
            if batches:
                ledger.void(batches.pop(act % len(batches)), "wrong")
            continue
        rows = [invoice(number, amount, buyer_id=buyer, voided=gone) for number, buyer, amount, gone in act]
        batches.append(add(ledger, rows).batch_id)
    for known_at in (None, *(row.recorded_at for row in ledger.journal())):
        book = ledger.as_of(LAST, known_at)
        for buyer in ("b0", "b1", "b2"):
            whole = book.run(book.invoice.filter(book.invoice.buyer_id == buyer))
            assert sorted(book.about(buyer)["invoice"].to_pylist(), key=str) == sorted(whole.to_pylist(), key=str)


def test_of_very_many_corrections_none_is_kept_and_the_table_is_asked(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "CORRECTIONS_KEPT", 1)
    ledger = Ledger.open(tmp_path / "ledger", engine=ENGINE, create=True)
    add(ledger, [invoice(1), invoice(2), invoice(3)])
    add(ledger, [invoice(1, 7, buyer_id="b2"), invoice(2, 8, buyer_id="b0")])
    assert ledger.corrections(INVOICE) is None
    book = ledger.as_of(LAST)
    held = {name: sorted(book.about(name)["invoice"]["amount_minor"].to_pylist()) for name in ("b0", "b1", "b2")}
    assert held == {"b0": [8, 100], "b1": [], "b2": [7]}
