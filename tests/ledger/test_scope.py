"""A limited book is a book of the allowed rows and of nothing else."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import Phase, given
from hypothesis import strategies as st

from duecourse import samples
from duecourse.desk.buyers import buyer_record, find
from duecourse.desk.remembered import remembered
from duecourse.engines.fused import FusedPassError, refresh
from duecourse.errors import BuyerUnknownError
from duecourse.ledger.memory import only_buyer
from duecourse.ledger.scope import EVERYTHING, NOTHING, Scope
from duecourse.ledger.store import Ledger
from duecourse.measures.buyer import buyer_measures
from duecourse.measures.concentration import shares
from duecourse.measures.disputes import disputes
from duecourse.measures.history import history
from duecourse.measures.portfolio import kpi
from duecourse.measures.receivables import ageing, outstanding
from support.examples import examples
from support.ledgers import ENGINE, add
from support.random_ledgers import DATES, ledgers

TABLES = ("buyer", "invoice", "settlement", "dispute", "open_item")
ENTITIES = st.sampled_from([None, "", "CN", "EU"])
CHOICES = {"legal_entities": ("CN", "EU", "US"), "sales_owners": ("Li", "Meier"), "groups": ("a", "b", "d", "g")}
SCOPES = st.builds(Scope, **{name: st.frozensets(st.sampled_from(values), max_size=2) for name, values in CHOICES.items()})
ON = dt.date(2025, 6, 30)
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # each example compiles many expressions: making it smaller takes minutes


@st.composite
def firms(draw):
    """Rows of every table that a scope looks at, entities and owners missing here and there."""
    invoices, settlements = draw(ledgers(most_invoices=12))
    for row in (*invoices, *settlements):
        row["legal_entity"] = draw(ENTITIES)
    profiles = [
        {
            "buyer_id": buyer, "name": buyer.upper(), "group_id": draw(st.sampled_from([None, "g"])), "legal_entity": draw(ENTITIES),
            "sales_owner": draw(st.sampled_from([None, "Li", "Meier"])),
        }
        for buyer in draw(st.sets(st.sampled_from("abcd")))
    ]  # fmt: skip
    contested = [
        {
            "dispute_id": f"d{number}", "buyer_id": draw(st.sampled_from("abcd")), "raised_on": row["issue_date"],
            **({"invoice_id": row["invoice_id"], "instalment": row["instalment"]} if draw(st.booleans()) else {"invoice_id": None}),
        }
        for number, row in enumerate(invoices[:4])
    ]  # fmt: skip
    listed = [
        {"invoice_id": f"o{buyer}", "buyer_id": buyer, "snapshot_date": dt.date(2023, 7, 1), "scope": draw(st.sampled_from(["", "CN"])), "open_minor": 5}
        for buyer in draw(st.sets(st.sampled_from("abcd")))
    ]  # fmt: skip
    return {"buyer": profiles, "invoice": invoices, "settlement": settlements, "dispute": contested, "open_item": listed}


def allowed(facts, scope, on):
    """The rows that may be seen, row by row."""
    profile = {row["buyer_id"]: row for row in facts["buyer"]}
    dates = {"invoice": "issue_date", "settlement": "settle_date", "dispute": "raised_on", "open_item": "snapshot_date"}
    now = {name: [row for row in rows if name == "buyer" or row[dates[name]] <= on] for name, rows in facts.items()}

    def person(buyer):
        own = profile.get(buyer, {})
        group_fits = not scope.groups or (own.get("group_id") or buyer) in scope.groups
        return group_fits and (not scope.sales_owners or own.get("sales_owner") in scope.sales_owners)

    def document(row, entity):
        entity = entity or profile.get(row["buyer_id"], {}).get("legal_entity")
        return person(row["buyer_id"]) and (not scope.legal_entities or entity in scope.legal_entities)

    def about_invoice(row, names, entity):
        found = [one for one in now["invoice"] if all(row.get(name, 1 if name == "instalment" else None) == one[name] for name in names)]
        return document(found[0], found[0]["legal_entity"]) if found else document(row, entity)

    def served(buyer):
        own = [row for name in ("invoice", "settlement") for row in now[name] if row["buyer_id"] == buyer]
        entities = {row["legal_entity"] for row in own} | {profile[buyer]["legal_entity"]}
        return not scope.legal_entities or bool(entities & scope.legal_entities)

    item = ("invoice_id", "instalment", "currency")
    return {
        "buyer": [row for row in now["buyer"] if person(row["buyer_id"]) and served(row["buyer_id"])],
        "invoice": [row for row in now["invoice"] if document(row, row["legal_entity"])],
        "settlement": [row for row in now["settlement"] if about_invoice(row, item, row["legal_entity"])],
        "dispute": [row for row in now["dispute"] if about_invoice(row, item[:2], None)],
        "open_item": [row for row in now["open_item"] if document(row, row["scope"])],
    }


def rows(book, expr):
    return sorted(map(repr, book.run(expr).to_pylist()))


KEYS = {"buyer": "buyer_id", "invoice": "invoice_id", "settlement": "settlement_id", "dispute": "dispute_id", "open_item": "invoice_id"}


@given(facts=firms(), scope=SCOPES, on=DATES)
@examples(4, 15, phases=PHASES)
def test_its_rows_are_the_allowed_ones(facts, scope, on):
    book = samples.book(on, **facts).limited(scope)
    should = allowed(facts, scope, on)
    for name in TABLES:
        found = sorted(book.run(getattr(book, name).select(KEYS[name]))[KEYS[name]].to_pylist())
        assert found == sorted(row[KEYS[name]] for row in should[name]), name
    for buyer in "abcd":
        about = book.about(buyer)
        for name in TABLES[:4]:
            mine = sorted(row[KEYS[name]] for row in should[name] if row["buyer_id"] == buyer)
            assert sorted(about[name][KEYS[name]].to_pylist()) == (mine if seen_at_all(facts, scope, buyer) else []), name


def seen_at_all(facts, scope, buyer):
    profile = next((row for row in facts["buyer"] if row["buyer_id"] == buyer), {})
    fits = not scope.groups or (profile.get("group_id") or buyer) in scope.groups
    return fits and (not scope.sales_owners or profile.get("sales_owner") in scope.sales_owners)


@given(facts=firms(), scope=SCOPES, on=DATES)
@examples(1, 4, phases=PHASES)
def test_its_measures_are_those_of_a_ledger_that_holds_only_the_allowed_rows(facts, scope, on):
    book = samples.book(on, **facts).limited(scope)
    other = samples.book(on, **allowed(facts, scope, on))
    for measure in (buyer_measures, outstanding, ageing, kpi, disputes, lambda b: history(b, months=6), lambda b: shares(b, by="group_id")):
        assert rows(book, measure(book)) == rows(other, measure(other))
    assert rows(book, outstanding(book, per=("sales_owner", "legal_entity"))) == rows(other, outstanding(other, per=("sales_owner", "legal_entity")))  # fmt: skip


def invoices():
    day = {"issue_date": dt.date(2025, 1, 1), "due_date": dt.date(2025, 2, 1), "currency": "CNY", "instalment": 1, "kind": "invoice"}
    return [
        {"invoice_id": "1", "buyer_id": "a", "legal_entity": "CN", "amount_minor": 100, **day},
        {"invoice_id": "2", "buyer_id": "a", "legal_entity": "EU", "amount_minor": 20, **day},
        {"invoice_id": "3", "buyer_id": "b", "legal_entity": "EU", "amount_minor": 3, **day},
    ]


PROFILES = [
    {"buyer_id": "a", "name": "Alpha", "sales_owner": "Li", "group_id": "g"},
    {"buyer_id": "b", "name": "Beta", "sales_owner": "Meier"},
]


def test_nothing_hidden_is_the_same_book():
    book = samples.book(ON)
    assert book.limited(EVERYTHING) is book
    assert book.whole is book
    assert str(EVERYTHING) == ""


def test_limiting_again_never_shows_more():
    book = samples.book(ON, invoice=invoices(), buyer=PROFILES)
    li = book.limited(Scope(sales_owners=frozenset({"Li"})))
    assert li.limited(Scope(sales_owners=frozenset({"Meier"}))).scope.sales_owners == NOTHING
    assert not li.run(li.limited(Scope(sales_owners=frozenset({"Meier"}))).invoice).num_rows
    both = li.limited(Scope(legal_entities=frozenset({"EU"})))
    assert both.run(both.invoice).column("invoice_id").to_pylist() == ["2"]
    assert both.run(both.buyer).column("name").to_pylist() == ["Alpha"]


def test_one_buyer_and_what_one_may_not_see_of_it():
    book = samples.book(ON, invoice=invoices(), buyer=PROFILES).limited(Scope(legal_entities=frozenset({"EU"}), groups=frozenset({"g"})))
    assert [row["outstanding"] for row in buyer_record(book, "a").figures] == [20]
    assert only_buyer(book, "b").run(only_buyer(book, "b").invoice).num_rows == 0
    with pytest.raises(BuyerUnknownError):
        buyer_record(book, "b")
    with pytest.raises(BuyerUnknownError):
        find(book, "Beta")


def test_rows_in_quarantine_are_for_those_who_see_everything(tmp_path):
    ledger = Ledger.open(tmp_path / "ledger", engine=ENGINE, create=True)
    add(ledger, [{"file_sha256": "f", "file_row": 2, "code": "date_missing"}], "quarantine")
    book = ledger.as_of(ON)
    assert book.run(book.quarantine).num_rows == 1
    limited = book.limited(Scope(groups=frozenset({"g"})))
    assert limited.run(limited.quarantine).num_rows == 0


def test_the_fused_pass_and_kept_answers_respect_it(tmp_path):
    ledger = Ledger.open(tmp_path / "ledger", engine=ENGINE, create=True)
    add(ledger, invoices())
    add(ledger, PROFILES, "buyer")
    book = ledger.as_of(ON)
    for scope, owed in ((EVERYTHING, {"a": 120, "b": 3}), (Scope(sales_owners=frozenset({"Meier"})), {"b": 3}), (Scope(groups=frozenset({"g", "z"})), {"a": 120})):  # fmt: skip
        limited = book.limited(scope)
        for engine in ("fused", "expressions"):
            assert {row["buyer_id"]: row["outstanding"] for row in refresh(limited, engine=engine).to_pylist()} == owed
        assert remembered(limited, "who", lambda limited=limited: str(limited.scope)) == str(scope)
    by_company = book.limited(Scope(legal_entities=frozenset({"CN"})))
    assert {row["buyer_id"]: row["outstanding"] for row in refresh(by_company).to_pylist()} == {"a": 100}
    with pytest.raises(FusedPassError):
        refresh(by_company, engine="fused")
