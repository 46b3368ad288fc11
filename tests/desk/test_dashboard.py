"""The first page: its figures are the measures', what needs attention is there, and a large ledger is shown as it was until it is ready."""

from __future__ import annotations

import datetime as dt
import shutil

import pytest

from duecourse.desk import answers
from duecourse.desk import dashboard as module
from duecourse.desk.dashboard import attention, concentration, dashboard, served, warm
from duecourse.desk.dates import last_day
from duecourse.desk.opening import open_ledger
from duecourse.desk.remembered import recalled
from duecourse.desk.standing import is_made
from duecourse.ledger.scope import Scope
from duecourse.measures.concentration import concentration as measured
from duecourse.messages import catalogue, use_language
from support.ledgers import add, invoice

ON = dt.date(2026, 10, 31)


def test_it_holds_what_the_page_shows(book):
    shown = dashboard(book)
    assert {row["months_back"] for row in shown.months_in_base} == set(range(25))
    now = shown.changes["outstanding"]
    assert now["now"] == shown.position.base.figures["outstanding"]
    assert now["last_month"] == next(row["outstanding"] for row in shown.months_in_base if row["months_back"] == 1)
    latest = next(row for row in shown.months_in_base if row["months_back"] == 0)
    for name in ("dso_countback", "average_days_delinquent", "disputed"):  # also of a small ledger, in base currency
        assert latest[name] == pytest.approx(shown.position.base.figures[name]), name
    moved = [abs(row["change_base"]) for row in shown.movements["overdue"]]
    assert moved == sorted(moved, reverse=True)
    kinds = {one.message for one in shown.attention}
    assert {"attention.newly_overdue", "attention.oldest"} <= kinds
    for one in shown.attention:
        for wording in catalogue()[one.message].values():
            assert wording.format(**one.args)


def test_concentration_equals_the_measure(book):
    row = book.run(measured(book, base=True)).to_pylist()[0]
    found = concentration(book)
    assert found.names == row["names"]
    assert found.amount == pytest.approx(row["amount"], abs=len(found.largest) + 200)
    for name in ("top_1", "top_5", "top_10", "hhi", "effective_number"):
        assert getattr(found, name) == pytest.approx(row[name], rel=1e-6)
    assert found.largest[-1]["cumulative_share"] == pytest.approx(row["top_10"], rel=1e-6)


def test_buyers_are_named_in_the_script_of_the_reader(book):
    shown = dashboard(book)
    local = {row["buyer_id"]: row["name_local"] for row in book.run(book.buyer.select("buyer_id", "name_local")).to_pylist()}
    told = [one for one in shown.attention if local.get(one.buyer_id)]
    assert told
    try:
        for one in told:
            assert local[one.buyer_id] not in one.words
            use_language("zh")
            assert local[one.buyer_id] in one.words
            use_language("en")
    finally:
        use_language("en")
    alone = [row for row in shown.concentration.largest if local.get(row["name_id"])]
    assert all(row["name_local"] in {None, local[row["name_id"]]} for row in alone)  # a named group has one name


def test_nobody_reads_of_others_buyers(book):
    owner = book.run(book.buyer.select("sales_owner")).column("sales_owner")[0].as_py()
    limited = book.limited(Scope(sales_owners=frozenset({owner})))
    mine = set(limited.run(limited.buyer.select("buyer_id")).column("buyer_id").to_pylist())
    shown = dashboard(limited)
    assert {one.buyer_id for one in shown.attention if one.buyer_id} <= mine
    assert {row["buyer_id"] for rows in shown.movements.values() for row in rows} <= mine
    assert shown.position.base.figures["outstanding"] < dashboard(book).position.base.figures["outstanding"]


def test_an_empty_ledger_has_an_empty_dashboard(tmp_path):
    shown = dashboard(open_ledger(tmp_path / "ledger", create=True, threads=1).as_of(ON))
    assert (shown.attention, shown.concentration.names, shown.months) == ([], 0, [])


def test_rows_in_quarantine_are_told_to_those_who_see_everything(tmp_path):
    ledger = open_ledger(tmp_path / "ledger", create=True, threads=1)
    add(ledger, [{"file_sha256": "f", "file_row": 2, "code": "date_missing"}], "quarantine")
    book = ledger.as_of(ON)
    assert [one.args for one in attention(book) if one.kind == "quarantine"] == [{"count": 1}]
    assert not [one for one in attention(book.limited(Scope(groups=frozenset({"g"})))) if one.kind == "quarantine"]


def test_what_people_of_one_company_see_is_worked_out_beforehand_too(tmp_path):
    ledger = open_ledger(tmp_path / "ledger", create=True, threads=1)
    add(ledger, [invoice(number, legal_entity="CN" if number % 2 else "EU") for number in range(6)])
    company, group = Scope(legal_entities=frozenset({"CN"})), Scope(groups=frozenset({"b1"}))
    warm(ledger, scopes={company, group, Scope()})
    book = ledger.as_of(dt.date(2025, 1, 1))
    assert is_made(book.limited(company))
    for scope in (company, group):
        assert recalled(book.limited(scope), "concentration") is not None


def test_a_large_ledger_is_shown_as_it_was_until_the_new_version_is_ready(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LARGE", 2)
    ledger = open_ledger(tmp_path / "ledger", create=True, threads=1)
    add(ledger, [invoice(number) for number in range(5)])
    assert last_day(ledger) == dt.date(2025, 1, 1)
    assert served(ledger).is_newest  # nothing is ready: the newest, then
    shares = []
    warm(ledger, progress=shares.append)
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert is_made(ledger.as_of(dt.date(2025, 1, 1)))
    before = served(ledger)
    add(ledger, [invoice(number) for number in range(5, 9)])
    now = served(ledger)
    assert (now.ledger.version, now.behind, now.is_newest) == (before.ledger.version, 1, False)
    assert now.since == before.since
    assert now.ledger.as_of(ON).run(now.ledger.as_of(ON).invoice).num_rows == 5
    dashboard(ledger.as_of(ON))  # answers about the new version leave the served one's in place
    assert served(ledger).ledger.version == before.ledger.version
    warm(ledger)
    assert served(ledger).is_newest
    ledger.compact()
    assert served(ledger).ledger.version == ledger.version  # the same facts in other files
    assert answers.facts_version(ledger) == ledger.version - 1
    shutil.rmtree(answers.home(ledger))
    assert served(ledger).is_newest
