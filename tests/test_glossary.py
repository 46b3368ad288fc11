from __future__ import annotations

import re
from datetime import date

import pytest

from duecourse.glossary import TERMS, UNITS, Term, label, term
from duecourse.ledger.entries import ENTRIES, SETTLEMENT_KINDS
from duecourse.messages import use_language

MEASURED = """
    outstanding overdue overdue_share unapplied_credits net_receivable days_sales_outstanding_simple days_sales_outstanding_countback
    best_possible_dso average_days_delinquent days_beyond_terms weighted_average_days_late_open collection_effectiveness_index roll_rate
    dilution_rate dispute_rate receivables_turnover receivables_days hhi gini effective_number top_share tenure_days purchases peak_balance
    open_balance days_past_due not_due days_1_30 days_31_60 days_61_90 days_91_180 days_181_365 days_over_365 invoice settlement buyer_id name
    currency country group
"""
CJK = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize("entry", TERMS.values(), ids=lambda entry: entry.identifier)
def test_a_term_is_complete_in_both_languages(entry: Term):
    assert re.fullmatch(r"[a-z][a-z0-9_]*", entry.identifier)
    assert entry.unit in UNITS
    assert entry.en
    assert entry.source
    assert not CJK.search(entry.en + entry.definition_en)
    assert CJK.search(entry.zh)
    assert CJK.search(entry.definition_zh)
    assert entry.definition_en[0].isupper() or entry.definition_en[0] in "(1365"
    assert entry.definition_en[-1] in ".?"
    assert entry.definition_zh[-1] in "。？"


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=lambda entry: entry.name)
def test_every_column_of_the_ledger_has_a_term(entry):
    unnamed = [name for name in entry.schema.names if not _known(name)]
    assert unnamed == []


def test_every_kind_of_settlement_but_the_unknown_has_a_term():
    assert [kind for kind in SETTLEMENT_KINDS if kind not in TERMS] == ["unknown"]


@pytest.mark.parametrize(
    "identifier",
    MEASURED.split(),
)
def test_the_terms_of_the_measures_are_there(identifier):
    assert identifier in TERMS


def test_durations_are_days_and_shares_are_fractions():
    for entry in TERMS.values():
        if entry.identifier.endswith(("_rate", "_share", "_percentage")) and entry.identifier not in {"exchange_rate", "hazard_rate"}:
            assert entry.unit == "fraction", entry.identifier
        if entry.identifier.startswith(("dso", "days_sales", "days_beyond")) and entry.identifier != "dso_censored":
            assert entry.unit == "days", entry.identifier


def test_labels_follow_the_language_spoken():
    assert label("days_past_due") == "days past due"
    assert label("days_past_due", "zh") == "逾期天数"
    use_language("zh")
    assert label("overdue_share") == "逾期占比"
    assert term("days_past_due").abbreviation == "DPD"
    assert term("hhi").definition().startswith("各占比平方之和")


def test_names_made_of_a_term_and_a_suffix_are_understood():
    assert label("open_minor") == "open balance"
    assert term("amount_minor").unit == "money"
    assert label("credit_sales_90d", "zh") == "赊销额（近90天）"
    assert label("credit_sales_90d_base") == "credit sales, 90 days, base currency"
    assert "last 365 days" in term("peak_balance_365d").definition("en")


@pytest.mark.parametrize("identifier", ["", "no_such_term", "no_such_term_90d", "_minor"])
def test_an_unknown_term_is_our_own_mistake(identifier):
    with pytest.raises(KeyError):
        term(identifier)


def test_two_terms_do_not_share_a_label_unless_they_mean_the_same():
    for lang in ("en", "zh"):
        meanings: dict[str, set[str]] = {}
        for entry in TERMS.values():
            meanings.setdefault(entry.label(lang), set()).add(entry.definition(lang))
        assert {text for text, definitions in meanings.items() if len(definitions) > 1} == set()


def _known(name: str) -> bool:
    try:
        term(name)
    except KeyError:
        return False
    return True


def test_measures_of_a_real_book_are_named():
    buyer = pytest.importorskip("duecourse.measures.buyer")
    from duecourse.samples import book

    here = book(date(2025, 6, 30), invoice=[{"invoice_id": "1", "buyer_id": "b", "issue_date": date(2025, 5, 1), "due_date": date(2025, 6, 1), "amount_minor": 100}])  # fmt: skip
    assert [name for name in buyer.buyer_measures(here).columns if not _known(name)] == []
