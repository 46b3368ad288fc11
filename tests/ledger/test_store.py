from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from duecourse.errors import BatchUnknownError, LedgerNotFoundError, LedgerVersionUnknownError
from duecourse.ledger.entries import ENTRIES, INVOICE
from duecourse.ledger.memory import only_buyer
from duecourse.ledger.store import Ledger
from support.ledgers import ENGINE, add, invoice, totals


def test_it_refuses_a_folder_without_a_ledger_by_name(tmp_path):
    with pytest.raises(LedgerNotFoundError, match="duecourse --ledger"):
        Ledger.open(tmp_path / "nothing", engine=ENGINE)
    assert not (tmp_path / "nothing").exists()


def test_it_adds_a_batch_once(ledger):
    first = add(ledger, [invoice(n) for n in range(10)])
    again = add(ledger, [invoice(n) for n in range(10)])
    assert (first.added["invoice"], again.added["invoice"], again.unchanged["invoice"]) == (10, 0, 10)
    assert totals(ledger) == (10, 1000)


def test_it_records_a_changed_fact_as_a_correction_and_keeps_what_was_known(ledger):
    add(ledger, [invoice(1, 100), invoice(2, 100)])
    known = ledger.journal()[-1].recorded_at
    result = add(ledger, [invoice(1, 70), invoice(2, 100), invoice(3, 5)])
    assert (result.added["invoice"], result.corrected["invoice"], result.unchanged["invoice"]) == (1, 1, 1)
    assert totals(ledger) == (3, 175)
    assert totals(ledger, known_at=known) == (2, 200)


def test_it_follows_a_chain_of_corrections(ledger):
    for amount in (100, 90, 80, 70):
        add(ledger, [invoice(1, amount)])
    moments = [row.recorded_at for row in ledger.journal()[1:]]
    assert [totals(ledger, known_at=moment)[1] for moment in moments] == [100, 90, 80, 70]


def test_it_voids_a_fact_and_can_learn_it_again(ledger):
    add(ledger, [invoice(1), invoice(2)])
    add(ledger, [{**invoice(1), "voided": True}])
    assert totals(ledger) == (1, 100)
    again = add(ledger, [{**invoice(1), "voided": True}])
    assert again.unchanged["invoice"] == 1
    add(ledger, [invoice(1, 60)])
    assert totals(ledger) == (2, 160)


def test_it_withdraws_a_whole_batch_and_what_it_had_corrected_counts_again(ledger):
    add(ledger, [invoice(1, 100)])
    wrong = add(ledger, [invoice(1, 1), invoice(2, 1)], file_name="wrong.csv", file_sha256="abc")
    assert ledger.has_file("abc") == wrong.batch_id
    before = ledger.journal()[-1].recorded_at
    ledger.void(wrong.batch_id, "wrong company")
    assert totals(ledger) == (1, 100)
    assert totals(ledger, known_at=before) == (2, 2)
    assert ledger.has_file("abc") is None
    with pytest.raises(BatchUnknownError):
        ledger.void(wrong.batch_id, "twice")


def test_it_leaves_nothing_behind_when_a_draft_is_given_up(ledger, tmp_path):
    with pytest.raises(KeyboardInterrupt), ledger.draft() as batch:
        batch.put("invoice", pa.Table.from_pylist([invoice(1)]))
        raise KeyboardInterrupt
    assert totals(ledger) == (0, 0)
    assert not list((tmp_path / "ledger" / "invoice").glob("*.parquet"))


def test_it_refuses_rows_without_a_key_and_unknown_columns(ledger):
    with ledger.draft() as batch:
        with pytest.raises(ValueError, match="part of the key"):
            batch.put("invoice", pa.Table.from_pylist([invoice(1, invoice_id=None), invoice(2)]))
        with pytest.raises(ValueError, match="no column colour"):
            batch.put("invoice", pa.Table.from_pylist([{**invoice(1), "colour": "red"}]))


def test_it_adopts_files_written_by_a_set_based_writer(ledger):
    with ledger.draft() as batch:
        rows = ", ".join(f"('i{n}', 1, 'b{n}', {n})" for n in range(100))
        path = batch.folder("invoice") / f"part-{batch.batch_id}-x.parquet"
        columns = ", ".join(
            {"invoice_id": "id", "instalment": "line::INTEGER", "buyer_id": "buyer", "amount_minor": "amount::BIGINT", "currency": "'EUR'",
             "issue_date": "DATE '2025-01-01'"}.get(f.name, "NULL::" + {"string": "VARCHAR", "int32": "INTEGER", "date32[day]": "DATE", "bool": "BOOLEAN"}.get(str(f.type), "BIGINT"))
            + f" AS {f.name}"
            for f in ENTRIES["invoice"].facts
        )  # fmt: skip
        ENGINE.connection().execute(
            f"COPY (SELECT {columns}, {batch.provenance_sql()} FROM (SELECT *, 7 AS source_row FROM (VALUES {rows}) AS v(id, line, buyer, amount))) TO '{path}' (FORMAT parquet)"
        )
        assert batch.adopt("invoice", path) == 100
        batch.commit()
    assert totals(ledger) == (100, sum(range(100)))
    add(ledger, [invoice(1, 1, currency="EUR", kind=None, due_date=None, buyer_id="b1")])
    assert ledger.journal()[-1].counts["invoice"] == {"added": 0, "corrected": 0, "unchanged": 1}


def test_a_draft_overtaken_by_another_is_stamped_after_it(ledger):
    with ledger.draft() as slow:
        slow.put("invoice", pa.Table.from_pylist([invoice(1), invoice(2)]))
        quick = add(ledger, [invoice(2, 50), invoice(3)])
        between = ledger.journal()[-1].recorded_at
        result = slow.commit()
    assert quick.version < result.version
    assert result.corrected["invoice"] == 1  # the later commit is the later knowledge
    assert totals(ledger, known_at=between) == (2, 150)
    assert totals(ledger) == (3, 300)
    stamps = [row.recorded_at for row in ledger.journal()]
    assert stamps == sorted(set(stamps))


def test_it_compacts_to_one_sorted_file_and_the_facts_stay(ledger):
    for n in range(12):
        add(ledger, [invoice(n), invoice(0, 100 + n)])
    known = ledger.journal()[6].recorded_at
    before = totals(ledger), totals(ledger, known_at=known)
    ledger.compact()
    assert (totals(ledger), totals(ledger, known_at=known)) == before
    files = DeltaTable(ledger.storage.address("invoice")).file_uris()
    assert len(files) == 1
    buyers = pq.read_table(files[0]).column("buyer_id").to_pylist()
    assert buyers == sorted(buyers)
    version = ledger.version
    ledger.compact()
    assert ledger.version == version  # nothing to do twice
    add(ledger, [invoice(100)])
    assert totals(ledger)[0] == before[0][0] + 1


def test_an_open_ledger_stays_at_its_version_while_others_write_and_compact(ledger, tmp_path):
    add(ledger, [invoice(1)])
    reader = Ledger.open(tmp_path / "ledger", engine=ENGINE)
    add(ledger, [invoice(2)])
    ledger.compact()
    assert totals(reader) == (1, 100)
    reader.refresh()
    assert totals(reader) == (2, 200)
    assert reader.version == ledger.version


def test_it_restores_an_earlier_version(ledger):
    add(ledger, [invoice(1)])
    good = ledger.version
    wrong = add(ledger, [invoice(2)], file_sha256="abc")
    ledger.void(wrong.batch_id, "no")
    ledger.restore(good, "damage")
    assert totals(ledger) == (1, 100)
    assert ledger.version > good
    ledger.restore(good + 1)  # before the withdrawal: it counts again
    assert totals(ledger) == (2, 200)
    assert totals(ledger.at(good)) == (1, 100)
    add(ledger, [invoice(3)])
    assert totals(ledger) == (3, 300)
    with pytest.raises(LedgerVersionUnknownError):
        ledger.restore(999)


def test_it_takes_out_what_a_dead_writer_left_in_the_tables(ledger, tmp_path):
    add(ledger, [invoice(1)])
    # What a kill between the tables' commits and the journal's leaves: a table ahead of the journal.
    table = ledger.storage.table("invoice")
    stray = pa.Table.from_pylist(
        [{**invoice(9), "recorded_at": dt.datetime.now(dt.UTC), "source": "dead", "voided": False}], schema=ENTRIES["invoice"].schema
    )
    ledger.storage.append_arrow(table, stray)
    assert totals(Ledger.open(tmp_path / "ledger", engine=ENGINE)) == (1, 100)
    add(ledger, [invoice(2)])
    assert totals(ledger) == (2, 200)


def test_a_table_of_a_later_release_reads_as_empty_and_is_made_on_first_use(ledger, monkeypatch):
    add(ledger, [invoice(1)])
    later = replace(ENTRIES["dispute"], name="claim")
    monkeypatch.setitem(ENTRIES, "claim", later)
    book = ledger.as_of(dt.date(2025, 12, 31))
    assert book.run(book.table(later)).num_rows == 0
    add(ledger, [{"dispute_id": "d", "buyer_id": "b", "raised_on": dt.date(2025, 1, 1)}], entry="claim")
    book = ledger.as_of(dt.date(2025, 12, 31))
    assert book.run(book.table(later)).num_rows == 1


def test_a_ledger_written_with_an_earlier_schema_reads_and_grows(tmp_path, monkeypatch):
    """A column added later: old rows read as null, old files stay, the next batch fills it."""
    new = ENTRIES["invoice"]
    old = replace(new, facts=pa.schema([f for f in new.facts if f.name not in ("text", "sales_owner", "instalment_count")]))
    monkeypatch.setitem(ENTRIES, "invoice", old)
    ledger = Ledger.open(tmp_path / "old", engine=ENGINE, create=True)
    add(ledger, [invoice(1), invoice(2)])
    monkeypatch.setitem(ENTRIES, "invoice", new)
    monkeypatch.setattr("duecourse.ledger.book.INVOICE", new)

    ledger = Ledger.open(tmp_path / "old", engine=ENGINE)
    book = ledger.as_of(dt.date(2025, 12, 31))
    assert book.run(book.invoice).column("text").null_count == 2
    assert totals(ledger) == (2, 200)
    result = add(ledger, [invoice(2), invoice(3, text="new")])
    assert (result.added["invoice"], result.unchanged["invoice"]) == (1, 1)
    book = ledger.as_of(dt.date(2025, 12, 31))
    assert sorted(filter(None, book.run(book.invoice).column("text").to_pylist())) == ["new"]
    ledger.compact()
    assert totals(ledger) == (3, 300)
    assert totals(ledger.at(1)) == (2, 200)


def test_any_lakehouse_engine_can_read_the_tables(ledger):
    add(ledger, [invoice(n) for n in range(5)])
    ledger.compact()
    table = DeltaTable(ledger.storage.address("invoice")).to_pyarrow_table()
    assert table.num_rows == 5
    assert table.column("amount_minor").to_pylist() == [100] * 5


def test_rows_that_a_batch_brought_are_found_without_the_files_of_others(ledger):
    first = add(ledger, [invoice(1), invoice(2)])
    second = add(ledger, [invoice(2, 150), invoice(3)])
    third = add(ledger, [invoice(4)])
    files = ledger.rows_of(INVOICE)[0].paths

    def brought(*batches):
        book = ledger.as_of(dt.date(2025, 12, 31))
        asked = book.invoice.filter(book.invoice.source.isin(batches)).select("invoice_id", "amount_minor").order_by("invoice_id")
        found = book.run_brought(asked, batches)
        assert found.equals(book.run(asked))
        return len(ledger.rows_brought(INVOICE, batches).paths), [tuple(row.values()) for row in found.to_pylist()]

    assert len(files) == 3
    assert brought(third.batch_id) == (1, [("i4", 100)])
    assert brought(second.batch_id, third.batch_id) == (2, [("i2", 150), ("i3", 100), ("i4", 100)])
    assert brought(first.batch_id, second.batch_id, third.batch_id)[0] == 3
    ledger.void(third.batch_id, "sent by mistake")
    assert brought(third.batch_id) == (1, [])
    ledger.compact()
    assert brought(second.batch_id) == (1, [("i2", 150), ("i3", 100)])
    assert brought("20990101T000000-000000") == (0, [])


def test_settings_are_read_anew_only_when_they_have_changed(ledger):
    day = dt.date(2025, 12, 31)

    def say(value):
        add(ledger, [{"name": "base_currency", "value": f'"{value}"'}], "setting")
        return ledger.state.last.recorded_at

    early = say("CNY")
    add(ledger, [invoice(1)])
    assert ledger.as_of(day).base_currency == ledger.as_of(day, early).base_currency == "CNY"
    kept = ledger.kept_settings
    batch = add(ledger, [invoice(2)])
    ledger.compact()
    assert ledger.kept_settings is kept
    assert ledger.as_of(day, early).settings is ledger.as_of(day).settings
    between = ledger.state.last.recorded_at
    say("EUR")
    books = {moment: ledger.as_of(day, moment) for moment in (early, between, None)}
    assert [book.base_currency for book in books.values()] == ["CNY", "CNY", "EUR"]
    firm = [json.loads(book.of_the_firm["setting"]["value"][0].as_py()) for book in books.values()]
    assert firm == ["CNY", "CNY", "EUR"]
    assert [book.run(book.rates().select("currency")).column(0).to_pylist() for book in books.values()] == [["CNY"], ["CNY"], ["EUR"]]
    assert [only_buyer(book, "b1").base_currency for book in books.values()] == ["CNY", "CNY", "EUR"]
    ledger.void(batch.batch_id, "sent by mistake")
    assert ledger.as_of(day).base_currency == "EUR"


def test_rows_about_a_buyer_are_those_of_the_newest_version(ledger):
    add(ledger, [invoice(1)])
    for number in (4, 7):
        assert ledger.rows_about(INVOICE, "b1")[0] is ledger.rows_about(INVOICE, "b1")[0]
        add(ledger, [invoice(number)])
        assert ledger.as_of(dt.date(2025, 12, 31)).about("b1")["invoice"].num_rows == (number - 1) // 3 + 1
