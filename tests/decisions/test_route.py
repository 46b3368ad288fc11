"""Routes: the vectors to the unit, what closes a way, what is assumed, and that a choice is made again to the byte."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.decisions.record import canonical
from duecourse.decisions.route import AssetAt, RouteFacts, plain, routes, worth_of
from duecourse.decisions.route.choosing import SEQUENCES
from duecourse.decisions.route.worth import Fee, Step
from duecourse.desk.replay import replay
from duecourse.desk.route import asset_from, recompute, record, routes_for
from duecourse.errors import RuleInvalidError
from duecourse.messages import catalogue
from duecourse.reference import court_fees
from duecourse.reference.enforcement import award_in, judgment_in, legalisation
from duecourse.risk.severity.assets import Asset
from support.examples import examples
from support.importing import new_ledger

DAY = date(2026, 6, 1)
CHINA = RouteFacts(
    DAY, "CNY", 20_000_000, 0, 0, 60, "CN", "CN", limitation="open", acknowledged=True, assets=(AssetAt("CN", 50_000_000),), cny=Decimal(1),
)  # fmt: skip
GERMANY = replace(CHINA, currency="EUR", debtor_country="DE", cny=Decimal("7.8"), eur=Decimal(1), assets=None)


# --- the vectors --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "expected"), [("payment_order", 108_299), ("preservation_suit", 118_419), ("payment_order+preservation_suit", 161_079)]
)
def test_the_vectors_hold_to_the_unit(code, expected):
    """200,000 yuan, cost of capital 6 %: an order for payment, a suit, and the order first."""
    assert round(routes(CHINA).route(code).worth.expected_minor / 100) == expected


def test_of_the_three_the_sequence_is_chosen():
    found = routes(CHINA)
    three = [found.route(code) for code in ("payment_order", "preservation_suit", "payment_order+preservation_suit")]
    assert min(three, key=lambda one: one.rank).code == "payment_order+preservation_suit"


def test_the_fees_of_the_vectors_come_from_the_tables():
    fees = {fee.name: fee.minor for fee in routes(CHINA).route("preservation_suit").steps[0].fees}
    assert fees == {"court": 215_000, "preservation": 152_000, "lawyer": 1_600_000}
    assert routes(CHINA).route("payment_order").steps[0].fees[0].minor == 143_333


def test_the_break_even_amount_is_the_rules():
    step = Step("x", 0.5, 365, 100_000, (Fee("court", 1_000),), share=0.8, contingency=0.25)
    assert worth_of([step], 0.06).break_even_minor == round(1_000 / (0.5 * 0.8 * 0.75 / 1.06))


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 2_000), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1e6)), min_size=1, max_size=3),
    st.integers(0, 10**12),
)
@examples(60, 500)
def test_a_way_never_brings_more_than_is_owed_nor_costs_more_than_its_fees(parts, claim):
    steps = [Step("x", p, days, claim, (Fee("f", fee),), share, contingency) for p, days, share, contingency, fee in parts]
    worth = worth_of(steps, 0.06)
    assert -sum(one.costs_minor for one in steps) - 1 <= worth.expected_minor <= claim + 1
    assert worth.low_minor - 1 <= worth.expected_minor <= worth.high_minor + 1
    assert 0 <= worth.probability <= 1 + 1e-9


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 10**10))
@examples(40, 400)
def test_what_breaks_even_is_worth_nothing(p, share, claim):
    step = Step("x", p, 100, claim, (Fee("f", 5_000),), share)
    even = worth_of([step], 0.06).break_even_minor
    if even is not None and even < 10**15:
        assert abs(worth_of([replace(step, claim_minor=even)], 0.06).expected_minor) <= 1 + p * share


# --- what can be done -------------------------------------------------------------------------------------------------------------------


def standing(facts, overrides=None):
    return {one.code: one.standing for one in routes(facts, overrides).routes}


def reasons(facts, code):
    return {said.code for said in routes(facts).route(code).reasons}


def test_limitation_closes_every_court():
    found = standing(replace(CHINA, limitation="ended", limitation_ends=DAY))
    assert {found[one] for one in ("suit", "preservation_suit", "payment_order", "arbitration")} == {"closed"}
    assert found["negotiate"] == "open"
    assert standing(replace(CHINA, limitation="unknown"))["suit"] == "doubtful"


def test_the_clause_decides_between_court_and_arbitration():
    assert standing(CHINA)["arbitration"] == "closed"
    found = standing(replace(CHINA, clause="arbitration", forum_country="CN"))
    assert (found["arbitration"], found["suit"], found["payment_order"]) == ("open", "closed", "closed")
    assert "route.clause_court" in reasons(replace(CHINA, clause="court"), "arbitration")


def test_a_dispute_ends_an_order_and_no_leads_end_preservation():
    assert standing(replace(CHINA, disputed=True))["payment_order"] == "closed"
    assert standing(replace(CHINA, assets=()))["preservation_suit"] == "closed"
    assert standing(replace(CHINA, assets=None))["preservation_suit"] == "closed"


def test_insolvency_stays_everything_but_the_claim():
    found = routes(replace(CHINA, insolvent=True))
    assert {one.code for one in found.routes if one.standing == "open"} == {"insolvency_claim", "write_off"}
    assert found.chosen.code == "insolvency_claim"


def test_an_insured_loss_goes_to_the_insurer_first_with_consent_for_the_rest():
    found = routes(replace(CHINA, insured_minor=10_000_000))
    assert found.chosen.code == "insurance_claim"
    assert found.route("insurance_claim").steps[0].claim_minor == 10_000_000
    assert "route.insurer_consent" in reasons(replace(CHINA, insured_minor=1), "negotiate")
    assert standing(replace(CHINA, insured_minor=1, insurance_late=True))["insurance_claim"] == "doubtful"
    assert standing(replace(CHINA, insured_minor=0))["insurance_claim"] == "closed"


def test_a_debt_too_small_for_any_route_is_written_off():
    tiny = replace(CHINA, principal_minor=0, interest_minor=0)
    found = routes(tiny)
    assert found.chosen.code == "write_off"
    assert found.why.code == "route.chosen_write_off"


def test_across_the_border_the_court_is_where_its_judgment_reaches():
    assert "route.forum_debtor" in reasons(GERMANY, "suit")
    assert "route.forum_home" in reasons(replace(GERMANY, debtor_country="HK"), "suit")
    assert "route.judgment_refused" in reasons(replace(GERMANY, debtor_country="JP", clause="court", forum_country="CN"), "suit")
    assert standing(replace(GERMANY, debtor_country="JP", clause="court", forum_country="CN"))["suit"] == "closed"
    assert standing(replace(GERMANY, clause="arbitration", forum_country="CN"))["arbitration"] == "open"
    assert "route.documents_check_objection" in reasons(GERMANY, "suit")
    assert standing(GERMANY)["payment_order"] == "open"
    assert standing(replace(GERMANY, debtor_country="US"))["payment_order"] == "closed"
    assert "route.european_order" in reasons(replace(GERMANY, own_country="FR"), "payment_order")


def test_assets_limit_what_a_judgment_brings():
    poor = routes(replace(CHINA, assets=(AssetAt("CN", 5_000_000),)))
    assert poor.route("suit").steps[0].share == 0.25


def test_old_debts_are_worth_less():
    assert routes(replace(CHINA, days_past_due=700)).route("suit").worth.expected_minor < routes(CHINA).route("suit").worth.expected_minor


def test_a_fee_without_an_exchange_rate_makes_a_way_doubtful():
    assert standing(replace(CHINA, currency="USD", cny=None))["suit"] == "doubtful"


# --- assumptions ------------------------------------------------------------------------------------------------------------------------


def test_every_assumption_is_named_and_can_be_set_otherwise():
    found = routes(CHINA)
    for one in found.assumptions:
        again = routes(CHINA, {one.name: one.value})
        kept = next(each for each in again.assumptions if each.name == one.name)
        assert kept.own and kept.value == one.value
        assert {each.code: each.worth for each in again.routes} == {each.code: each.worth for each in found.routes}
    assert routes(CHINA, {"p.suit": 0.9}).route("suit").worth.expected_minor > found.route("suit").worth.expected_minor


@pytest.mark.parametrize(("name", "value"), [("p.suit", 1.2), ("p.suit", -0.1), ("p.wishing", 0.5), ("suit", 0.5)])
def test_what_is_no_assumption_is_refused(name, value):
    with pytest.raises(RuleInvalidError):
        routes(CHINA, {name: value})


def test_everything_said_has_words_in_both_languages():
    for facts in (
        CHINA,
        GERMANY,
        replace(CHINA, insolvent=True, insured_minor=5, disputed=True),
        replace(GERMANY, debtor_country="SA", clause="arbitration"),
        RouteFacts(DAY, "CNY", 100, 0, 0, 10, "", ""),
    ):
        found = routes(facts)
        for said in [found.why, *(one.source for one in found.assumptions), *(said for one in found.routes for said in one.reasons)]:
            assert said.words("en") and said.words("zh")
        for one in found.routes:
            assert all(f"route.kind_{kind}" in catalogue() for kind in one.kinds)
        for one in found.assumptions:
            assert f"route.quantity_{one.name.partition('.')[0]}" in catalogue()


def test_facts_are_kept_and_read_back():
    kept = json.loads(json.dumps(replace(GERMANY, limitation_ends=DAY).plain()))
    assert RouteFacts.from_plain(kept) == replace(GERMANY, limitation_ends=DAY)
    assert canonical(plain(routes(RouteFacts.from_plain(CHINA.plain())))) == canonical(plain(routes(CHINA)))


# --- fees and treaties ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("amount", "fee"), court_fees._FILE["property_case"]["check"])
def test_court_fees_hold_all_check_values(amount, fee):
    assert court_fees.cn_property_case(Decimal(amount)) == fee


@pytest.mark.parametrize(("amount", "fee"), court_fees._FILE["enforcement"]["check"])
def test_enforcement_fees_hold_all_check_values(amount, fee):
    assert court_fees.cn_enforcement(Decimal(amount)) == fee


@pytest.mark.parametrize(("amount", "fee"), court_fees._FILE["preservation"]["check"])
def test_preservation_fees_hold_all_check_values(amount, fee):
    assert court_fees.cn_preservation(Decimal(amount)) == fee


def test_other_fees():
    assert court_fees.cn_payment_order(Decimal(200_000)) == Decimal("1433.33")
    assert court_fees.cietac(Decimal(100_000)) == 20_000
    assert court_fees.cietac(Decimal(2_000_000)) == 10_000 + 40_000 + 35_000
    assert court_fees.cietac(Decimal(10) ** 12) == 10_000 + 15_000_000
    assert court_fees.cn_arbitration(Decimal(1_000)) == (40, 100)
    assert court_fees.cn_bankruptcy_application(Decimal(10) ** 10) == 300_000
    assert [court_fees.gb_issue(Decimal(one)) for one in (300, 9_000, 50_000, 900_000)] == [35, 455, 2_500, 10_000]


@given(st.integers(0, 10**12), st.integers(0, 10**9))
@examples(40, 400)
def test_fees_never_fall_with_the_amount(amount, more):
    for fee in (court_fees.cn_property_case, court_fees.cn_preservation, court_fees.cn_enforcement, court_fees.cietac, court_fees.gb_issue):
        assert fee(Decimal(amount)) <= fee(Decimal(amount + more))


def test_where_judgments_and_awards_go():
    ways = {
        (one, other): judgment_in(one, other, DAY).way
        for one, other in (
            ("CN", "HK"),
            ("CN", "FR"),
            ("DE", "FR"),
            ("DE", "CH"),
            ("CN", "JP"),
            ("CN", "US"),
            ("CN", "TD"),
            ("CN", "CN"),
            ("GB", "DE"),
        )
    }
    assert list(ways.values()) == ["arrangement", "treaty", "eu", "treaty", "refused", "reciprocity", "unknown", "home", "hague_2019"]
    assert judgment_in("GB", "DE", date(2020, 1, 1)).way == "unknown"
    assert award_in("CN", "DE").open and award_in("CN", "HK").way == "arrangement"
    assert legalisation("CN", "CN", DAY) == "none"
    assert legalisation("CN", "FR", date(2023, 1, 1)) == "consular"


# --- of a book, decided and made again ----------------------------------------------------------------------------------------------------


@pytest.fixture
def ledger(tmp_path):
    import pyarrow as pa

    made = new_ledger(tmp_path / "ledger")
    rows = {
        "buyer": [{"buyer_id": "b", "country": "CN", "name": "宁波某公司"}],
        "invoice": [{"invoice_id": "1", "instalment": 1, "kind": "invoice", "buyer_id": "b", "issue_date": date(2026, 2, 1), "due_date": date(2026, 4, 1), "amount_minor": 20_000_000, "currency": "CNY", "issue_date_estimated": False}],
        "contract": [{"contract_id": "c", "buyer_id": "b", "valid_from": date(2026, 1, 1), "late_interest": "0.03%/d", "dispute_resolution": "court"}],
        "setting": [{"name": "own_country", "value": '"CN"'}, {"name": "base_currency", "value": '"CNY"'}],
    }  # fmt: skip
    from duecourse.ledger.entries import ENTRIES

    with made.draft("post", note="test") as draft:
        for name, facts in rows.items():
            draft.put(name, pa.Table.from_pylist(facts, schema=ENTRIES[name].facts))
        draft.commit()
    return made


def test_a_decision_is_made_again_to_the_byte(ledger):
    book = ledger.as_of(DAY)
    assets = [Asset("real_estate", 100_000_000, "CNY", "register", date(2026, 5, 1), prior_minor=30_000_000)]
    choice = routes_for(book, "b", [("1", 1)], assets=assets, overrides={"p.preservation_suit": 0.8})
    assert choice.facts.principal_minor == 20_000_000
    assert choice.facts.interest_minor == 61 * 6_000
    assert choice.assessment.net == {"CNY": 35_000_000}
    assert (choice.facts.limitation, choice.facts.clause) == ("open", "court")
    number = record(
        ledger,
        book,
        choice,
        "preservation_suit",
        made_by="anna",
        decided_at=datetime(2026, 6, 1, 9, tzinfo=UTC),
        reason="a house was found",
    )
    ledger.refresh()
    again = replay(ledger, number)
    assert again.equal, again.differences
    assert again.decision["outcome"] == "preservation_suit"
    assert again.decision["inputs"]["overrides"] == {"p.preservation_suit": 0.8}
    changed = {**again.decision, "inputs": {**again.decision["inputs"], "overrides": {}}}
    assert canonical(recompute(book, changed)) != canonical(again.answer)


def test_assets_are_read_back(ledger):
    choice = routes_for(ledger.as_of(DAY), "b")
    assert choice.facts.assets is None
    assert len(choice.assessment.missing) == len(choice.assessment.lines)
    one = Asset("vehicles", 5, "CNY", "seen", DAY, 0.5, 1, "CN", "van")
    from dataclasses import asdict

    assert asset_from({**asdict(one), "seen_on": DAY.isoformat()}) == one


def test_sequences_name_ways_there_are():
    kinds = {one.code for one in routes(CHINA).routes}
    assert {kind for one in SEQUENCES for kind in one} <= kinds


def test_assets_are_kept_in_the_ledger_with_source_and_day(ledger):
    from duecourse.desk.assets import add, asset_row, assets_of, gone
    from duecourse.errors import FactUnknownError, OptionMisusedError
    from duecourse.risk.severity.assets import COVERS

    def again():
        ledger.refresh()
        return ledger.as_of(DAY)

    house = asset_row(
        "b",
        Asset("real_estate", 100_000_000, "CNY", prior_minor=64_000_000),
        seen_on=date(2026, 5, 1),
        look_up="real_estate",
        source="register",
    )
    number = add(ledger, house, by="anna")
    add(ledger, asset_row("b", None, seen_on=date(2026, 5, 2), look_up="litigation", source="court site"))
    choice = routes_for(again(), "b")
    assert choice.assessment.net == {"CNY": 1_000_000}
    assert {"real_estate", "litigation"} & set(choice.assessment.missing) == set()
    assert choice.found.route("suit").steps[0].share < 0.05
    assert routes_for(ledger.as_of(date(2026, 4, 30)), "b").facts.assets is None
    taken = record(ledger, again(), choice, "suit", made_by="anna", decided_at=datetime(2026, 6, 1, 9, tzinfo=UTC))
    gone(ledger, again(), "b", number, date(2026, 5, 20))
    assert [one.look_up for one in assets_of(again(), "b")] == ["litigation"]
    assert routes_for(again(), "b").facts.assets is None
    assert replay(ledger, taken).equal
    for name in set(COVERS.values()):
        add(ledger, asset_row("b", None, seen_on=date(2026, 5, 25), look_up=name))
    nothing = routes_for(again(), "b")
    assert nothing.facts.assets == ()
    assert nothing.found.route("suit").steps[0].share == 0.0
    with pytest.raises(FactUnknownError):
        gone(ledger, again(), "nobody", number, DAY)
    with pytest.raises(OptionMisusedError):
        asset_row("b", None, seen_on=DAY)


def test_debts_in_several_currencies_are_brought_to_one_or_left_out_aloud():
    from duecourse.samples import book

    rows = [
        {
            "invoice_id": "1",
            "buyer_id": "b",
            "issue_date": date(2026, 1, 1),
            "due_date": date(2026, 2, 1),
            "amount_minor": 10_000_000,
            "currency": "CNY",
        },
        {
            "invoice_id": "2",
            "buyer_id": "b",
            "issue_date": date(2026, 1, 1),
            "due_date": date(2026, 2, 1),
            "amount_minor": 1_000_000,
            "currency": "EUR",
        },
    ]
    rate = [{"provider": "own", "base_currency": "EUR", "quote_currency": "CNY", "rate_date": date(2026, 5, 31), "rate": 8.0}]
    base = [{"name": "base_currency", "value": '"CNY"'}]
    buyer = [{"buyer_id": "b", "country": "CN"}]
    both = routes_for(book(DAY, invoice=rows, buyer=buyer, exchange_rate=rate, setting=base), "b")
    assert (both.facts.currency, both.facts.principal_minor) == ("CNY", 18_000_000)
    alone = routes_for(book(DAY, invoice=rows, buyer=buyer, setting=base), "b")
    assert alone.facts.principal_minor == 10_000_000
    assert "route.note_unpriced" in [said.code for said in alone.notes]
    assert routes_for(book(DAY, invoice=rows[:1], buyer=buyer), "b").facts.currency == "CNY"


def test_interest_on_what_was_paid_long_ago_makes_the_open_debt_no_older():
    from duecourse.samples import book

    def bill(number, due):
        return {
            "invoice_id": number,
            "buyer_id": "b",
            "issue_date": date(2023, 1, 1),
            "due_date": due,
            "amount_minor": 10_000_000,
            "currency": "CNY",
        }

    rows = [bill("1", date(2024, 2, 1)), bill("2", date(2026, 4, 2))]
    late = {"settlement_id": "s", "buyer_id": "b", "invoice_id": "1", "instalment": 1, "settle_date": date(2024, 6, 1), "kind": "cash"}
    paid = [{**late, "amount_minor": 10_000_000, "currency": "CNY", "inferred": False}]
    settings = [{"name": "own_country", "value": '"CN"'}, {"name": "base_currency", "value": '"CNY"'}]
    facts = routes_for(book(DAY, invoice=rows, settlement=paid, buyer=[{"buyer_id": "b", "country": "CN"}], setting=settings), "b").facts
    assert facts.interest_minor > 10_000_000 * 61 * 0.03 / 365  # what was paid four months late claims interest, too
    assert (facts.principal_minor, facts.days_past_due) == (10_000_000, 60)
    both = [{**paid[0], "settlement_id": "t", "invoice_id": "2", "settle_date": date(2026, 5, 1)}, *paid]
    left = routes_for(book(DAY, invoice=rows, settlement=both, buyer=[{"buyer_id": "b", "country": "CN"}], setting=settings), "b").facts
    assert (left.principal_minor, left.days_past_due) == (0, (DAY - date(2024, 2, 1)).days)


def test_what_one_law_bars_and_another_does_not_is_not_known_to_be_in_time():
    from duecourse.samples import book

    row = {
        "invoice_id": "1",
        "buyer_id": "b",
        "issue_date": date(2021, 1, 1),
        "due_date": date(2021, 2, 1),
        "amount_minor": 10_000_000,
        "currency": "EUR",
    }
    settings = [{"name": "own_country", "value": '"CN"'}, {"name": "base_currency", "value": '"EUR"'}]
    facts = {"invoice": [row], "buyer": [{"buyer_id": "b", "country": "IT"}], "setting": settings}
    law = {"contract_id": "c", "buyer_id": "b", "valid_from": date(2020, 1, 1)}
    assert routes_for(book(DAY, **facts), "b").facts.limitation == "unknown"
    assert routes_for(book(DAY, **facts, contract=[{**law, "governing_law": "CN"}]), "b").facts.limitation == "ended"
    assert routes_for(book(DAY, **facts, contract=[{**law, "governing_law": "IT"}]), "b").facts.limitation == "open"
