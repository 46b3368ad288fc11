"""From facts to grades with reasons: accounts, conduct and signals together, alone, or none of them."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from hypothesis import Phase, given
from hypothesis import strategies as st

from duecourse import samples
from duecourse.cli import main
from duecourse.desk.grading import GRADED, grade, graded, grades
from duecourse.desk.opening import open_ledger
from duecourse.errors import BuyerUnknownError
from duecourse.ledger.entries import STATEMENT_ITEMS
from duecourse.ledger.scope import Scope
from support.demos import demo_at
from support.examples import LONG, examples

HEAD = (
    "buyer,period end,months,currency,unit,audited,published,cash,trade receivables,inventories,current assets,total assets,current liabilities,long-term debt,"
    "total liabilities,retained earnings,total equity,revenue,cost of sales,operating profit,interest expense,net income,depreciation and amortisation\n"
)
GOOD = "{b},{d},12,USD,1000000,yes,{p},200,200,150,600,1200,250,100,350,500,850,1500,900,220,5,160,60\n"
BAD = "{b},{d},12,USD,1000000,yes,{p},2,60,70,140,300,230,160,390,-180,-90,200,195,-35,25,-70,10\n"
ON = dt.date(2026, 10, 31)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp("grading") / "ledger"
    demo_at(place, invoices=1_000)
    ledger = open_ledger(place)
    book = ledger.as_of(ON)
    found = {row["buyer_id"]: row for row in graded(book).to_pylist()}
    fine = [one for one, row in sorted(found.items()) if not row["overrides"] and row["basis"] == "behaviour"]
    good, none, *_, bad = sorted(fine, key=lambda one: found[one]["probability_of_default_12m"])
    accounts = place.parent / "accounts.csv"
    accounts.write_text(
        HEAD + GOOD.format(b=good, d="2025-12-31", p="2026-04-01") + BAD.format(b=bad, d="2025-12-31", p="2026-04-01"), encoding="utf-8"
    )
    assert main(["--ledger", str(place), "statements", str(accounts)]) == 1, "negative equity is a finding"
    return place, good, bad, none


def test_the_good_and_the_bad_are_told_apart(place):
    ledger, good, bad, _none = place
    book = open_ledger(ledger).as_of(ON)
    worse, better = grade(book, bad), grade(book, good)
    assert worse.grade >= 7
    assert better.grade <= 4
    assert worse.negative_equity
    for one in (worse, better):
        assert one.basis == "both"
        assert one.base_points + sum(reason.points for reason in one.reasons) == pytest.approx(one.score)
        assert one.low < one.probability_of_default_12m < one.high


def test_everybody_at_once_and_one_alone_are_the_same(place):
    ledger, *_ = place
    book = open_ledger(ledger).as_of(ON)
    whole = graded(book)
    assert whole.schema == GRADED
    assert whole["buyer_id"].to_pylist() == sorted(row["buyer_id"] for row in book.run(book.buyer.select("buyer_id")).to_pylist())
    for row in whole.to_pylist():
        one = grade(book, row["buyer_id"])
        assert (one.grade, one.basis, one.confidence, one.model_grade) == (
            row["grade"],
            row["basis"],
            row["confidence"],
            row["model_grade"],
        )
        assert one.probability_of_default_12m == pytest.approx(row["probability_of_default_12m"])
        assert (one.low, one.high, one.score) == pytest.approx((row["low"], row["high"], row["score"]))
        assert [override.code for override in one.overrides] == sorted(row["overrides"], key=[o.code for o in one.overrides].index)
        assert list(one.doubts) == row["doubts"]


def test_the_history_is_the_grade_as_it_would_have_been(place):
    ledger, good, bad, none = place
    opened = open_ledger(ledger)
    for buyer in (good, bad, none):
        with_history = grade(opened.as_of(ON), buyer, months=8 if LONG else 2)
        assert with_history.grade == grade(opened.as_of(ON), buyer).grade
        assert with_history.history[-1].grade == with_history.grade
        for point in with_history.history:
            then = grade(opened.as_of(point.on), buyer)
            assert (then.grade, then.basis) == (point.grade, point.basis), point
            assert then.probability_of_default_12m == pytest.approx(point.probability_of_default_12m)


def test_without_accounts_a_buyer_is_graded_by_how_it_pays(place):
    ledger, good, _bad, none = place
    opened = open_ledger(ledger)
    by_conduct = grade(opened.as_of(ON), none)
    assert by_conduct.basis == "behaviour"
    assert "no_accounts" in by_conduct.doubts
    assert by_conduct.grade >= 4
    assert by_conduct.confidence != "high"
    assert grade(opened.as_of(dt.date(2026, 3, 31)), good).basis == "behaviour"  # not yet published
    with pytest.raises(BuyerUnknownError):
        grade(opened.as_of(ON), "nobody")


def test_old_accounts_count_less_cap_the_grade_and_die(place):
    ledger, good, *_ = place
    opened = open_ledger(ledger)
    fresh, old, dead = (grade(opened.as_of(day), good) for day in (ON, dt.date(2027, 9, 30), dt.date(2028, 6, 30)))
    assert fresh.weights["accounts"] > old.weights["accounts"] > dead.weights["accounts"] == 0
    assert old.grade >= 4
    assert "accounts_old" in old.doubts
    assert "accounts_dead" in dead.doubts
    assert dead.basis in ("none", "behaviour")
    assert old.confidence != "high"


def test_grades_of_other_peoples_buyers_stay_hidden(place):
    ledger, good, bad, _none = place
    book = open_ledger(ledger).as_of(ON)
    groups = {
        row["buyer_id"]: row["group_id"] or row["buyer_id"] for row in book.run(book.buyer.select("buyer_id", "group_id")).to_pylist()
    }
    assert groups[good] != groups[bad]
    limited = book.limited(Scope(groups=frozenset({groups[good]})))
    assert good in {one["buyer_id"] for one in grades(limited)}
    assert bad not in {one["buyer_id"] for one in grades(limited)}
    with pytest.raises(BuyerUnknownError):
        grade(limited, bad)


@pytest.mark.parametrize(("lang", "words"), [("en", "Why: points"), ("zh", "加减分")])
def test_the_command_gives_the_reasons(place, lang, words, capsys):
    ledger, good, *_ = place
    assert main(["--ledger", str(ledger), "--lang", lang, "--as-of", "2026-10-31", "grade", good]) == 0
    assert words in capsys.readouterr().out
    assert main(["--ledger", str(ledger), "--format", "json", "--as-of", "2026-10-31", "grade", good]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["base_points"] + sum(reason["points"] for reason in said["reasons"]) == pytest.approx(said["score"])
    assert main(["--ledger", str(ledger), "--lang", lang, "--as-of", "2026-10-31", "grade"]) == 0
    assert good in capsys.readouterr().out


# --- hard facts, in ledgers small enough to check by hand ---


def invoice(number, issued, due, amount, buyer="b"):
    return {"invoice_id": number, "buyer_id": buyer, "issue_date": issued, "due_date": due, "amount_minor": amount, "currency": "CNY"}


def paid(number, day, amount, **more):
    return {"buyer_id": "b", "invoice_id": number, "settle_date": day, "amount_minor": amount, **more}


DAY = dt.date(2026, 6, 30)
PROMPT = [invoice(f"i{m}", dt.date(2026, m, 1), dt.date(2026, m, 28), 10_000_000) for m in range(1, 6)]
PAID = [paid(f"i{m}", dt.date(2026, m, 28), 10_000_000) for m in range(1, 6)]
BUYER = [{"buyer_id": "b", "name": "B", "country": "CN", "sector": "construction", "customer_since": dt.date(2015, 1, 1)}]


def signal(kind, published, **more):
    return {"signal_id": f"{kind}-{published}", "buyer_id": "b", "kind": kind, "published_on": published, **more}


@pytest.mark.parametrize(
    ("kind", "worst"), [("insolvency", 10), ("dishonest_debtor", 9), ("enforcement", 9), ("bill_dishonoured", 9), ("list_match", 9)]
)
def test_a_hard_fact_holds_the_grade_down_from_its_day_until_it_ends(kind, worst):
    known, lifted = dt.date(2026, 4, 2), dt.date(2026, 6, 20)
    facts = {"buyer": BUYER, "invoice": PROMPT, "settlement": PAID}
    ledger = samples.memory_ledger({**facts, "signal": [signal(kind, known, severity="red", text="(2026)浙01破12号", ended_on=lifted)]})
    before, during, after = (grade(ledger.as_of(day), "b") for day in (dt.date(2026, 4, 1), dt.date(2026, 5, 1), DAY))
    assert before.grade < worst
    assert not before.overrides
    assert during.grade == worst
    assert during.grade_without_overrides < worst, "it says what the grade would be otherwise"
    assert (during.overrides[0].code, during.overrides[0].since, during.overrides[0].grade) == (kind, known, worst)
    assert after.grade < worst


def test_more_than_ninety_days_overdue_on_a_material_amount():
    late = [*PROMPT, invoice("late", dt.date(2026, 2, 1), dt.date(2026, 3, 1), 5_000_000)]
    facts = {"buyer": BUYER, "invoice": late, "settlement": PAID}
    not_yet, reached = (grade(samples.memory_ledger(facts).as_of(day), "b") for day in (dt.date(2026, 5, 30), dt.date(2026, 5, 31)))
    assert not not_yet.overrides
    assert [one.code for one in reached.overrides] == ["over_90_days"]
    assert reached.overrides[0].since == dt.date(2026, 5, 31)
    assert reached.grade >= 9
    disputed = {
        **facts,
        "dispute": [
            {"dispute_id": "d", "buyer_id": "b", "invoice_id": "late", "raised_on": dt.date(2026, 3, 5), "amount_minor": 5_000_000}
        ],
    }
    assert not grade(samples.memory_ledger(disputed).as_of(DAY), "b").overrides
    small = {
        **facts,
        "invoice": [
            *PROMPT,
            invoice("late", dt.date(2026, 2, 1), dt.date(2026, 3, 1), 5_000),
            invoice("new", dt.date(2026, 6, 20), dt.date(2026, 7, 20), 10_000_000),
        ],
    }
    assert not grade(samples.memory_ledger(small).as_of(DAY), "b").overrides


def test_a_write_off_does_not_make_a_buyer_good_again():
    late = [*PROMPT, invoice("late", dt.date(2025, 10, 1), dt.date(2025, 11, 1), 5_000_000)]
    gone = [*PAID, paid("late", dt.date(2026, 5, 1), 5_000_000, kind="write_off")]
    one = grade(samples.book(DAY, buyer=BUYER, invoice=late, settlement=gone), "b")
    assert [override.code for override in one.overrides] == ["written_off"]


def test_base_rates_are_stated_for_country_and_sector():
    facts = {"buyer": BUYER, "invoice": PROMPT, "settlement": PAID}

    def rated(**rates):
        return grade(samples.memory_ledger({**facts, "setting": [{"name": "default_rates", "value": json.dumps(rates)}]}).as_of(DAY), "b")

    assert (rated().base_rate, rated().base_rate_of) == (0.01, "")
    assert rated(**{"*": 0.02}).base_rate == 0.02
    assert (rated(CN=0.03).base_rate, rated(CN=0.03).base_rate_of) == (0.03, "CN")
    assert rated(**{"CN": 0.03, "*/construction": 0.04}).base_rate == 0.04
    assert rated(**{"CN": 0.03, "*/construction": 0.04, "CN/construction": 0.05}).base_rate == 0.05
    assert rated(DE=0.2).base_rate == 0.01
    low, high = rated(CN=0.01), rated(CN=0.03)
    assert [one.points for one in low.reasons] == [one.points for one in high.reasons], "the base rate moves the odds and nothing else"
    assert high.probability_of_default_12m > low.probability_of_default_12m


def test_base_rates_are_typed_as_people_write_them(place):
    from duecourse.desk.settings import change, current
    from duecourse.errors import OptionMisusedError

    ledger = open_ledger(place[0])
    change(ledger, {"default_rates": "*=0.8%; cn = 1.2 %；CN/construction=0.03; */retail=2%"})
    stated = ledger.as_of(ON).settings["default_rates"]
    assert stated == {"*": 0.008, "CN": 0.012, "CN/construction": 0.03, "*/retail": 0.02}
    assert current(ledger)["default_rates"] == "*=0.8%; CN=1.2%; CN/construction=3%; */retail=2%"
    for wrong in ("CN", "CN=x", "CN=0", "CN=70%", "=1%"):
        with pytest.raises(OptionMisusedError):
            change(ledger, {"default_rates": wrong})
    change(ledger, {"default_rates": ""})


def adjustment(notches, decided, until, **more):
    said = json.dumps({"notches": notches, "until": until.isoformat(), "reason": "Parent supports it"})
    return {
        "decision_id": f"a{decided}", "kind": "grade_adjustment", "buyer_id": "b", "decided_on": decided, "inputs": said, "outcome": "approved",
        "made_by": "anna", "approved_by": "bo", **more,
    }  # fmt: skip


def test_a_persons_adjustment_holds_from_its_day_to_its_end():
    facts = {"buyer": BUYER, "invoice": PROMPT, "settlement": PAID, "decision": [adjustment(2, dt.date(2026, 4, 10), dt.date(2026, 6, 29))]}
    ledger = samples.memory_ledger(facts)
    before, during, after = (grade(ledger.as_of(day), "b") for day in (dt.date(2026, 4, 9), dt.date(2026, 6, 29), DAY))
    assert before.adjustment is None
    assert after.adjustment is None
    assert during.adjustment.made_by == "anna"
    assert during.grade == min(during.grade_without_adjustment + 2, 10)
    history = grade(ledger.as_of(DAY), "b", months=3).history
    assert [point.grade for point in history] == [grade(ledger.as_of(point.on), "b").grade for point in history]


def test_an_adjustment_never_lifts_a_hard_fact():
    better = adjustment(-3, dt.date(2026, 4, 10), dt.date(2026, 12, 31))
    facts = {
        "buyer": BUYER,
        "invoice": PROMPT,
        "settlement": PAID,
        "decision": [better],
        "signal": [signal("insolvency", dt.date(2026, 5, 1))],
    }
    assert grade(samples.memory_ledger(facts).as_of(DAY), "b").grade == 10


# --- accounts as they should not be ---

SOUND = {
    "cash": 20, "trade_receivables": 200, "inventories": 150, "current_assets": 600, "total_assets": 1200, "current_liabilities": 250, "long_term_debt": 100,
    "total_liabilities": 350, "retained_earnings": 500, "total_equity": 850, "revenue": 1500, "cost_of_sales": 900, "operating_profit": 220, "net_income": 160,
    "depreciation_amortisation": 60, "interest_expense": 5,
}  # fmt: skip
UNIT = 100_000_000


def statement(year=2025, months=12, **changed):
    items = {name: None if value is None else round(value * UNIT) for name, value in {**SOUND, **changed}.items()}
    return {
        "buyer_id": "b", "period_end": dt.date(year, 12, 31), "period_months": months, "consolidated": False, "published_on": dt.date(year + 1, 4, 1),
        "audited": True, "currency": "CNY", **items,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "doubt"),
    [
        ([statement(total_equity=500)], "accounts_unbalanced"),
        ([statement(current_assets=2000)], "accounts_impossible"),
        ([statement(total_assets=-5)], "accounts_impossible"),
        ([statement(2024), statement(**{name: value / 10_000 for name, value in SOUND.items()})], "accounts_jumped"),
        ([statement(months=3)], "interim_accounts"),
        ([statement(**dict.fromkeys([name for name in SOUND if name not in ("total_assets", "cash")]))], "accounts_thin"),
    ],
)
def test_bad_accounts_are_not_used_and_it_is_said_why(rows, doubt):
    one = grade(samples.book(DAY, buyer=BUYER, statement=rows), "b")
    assert doubt in one.doubts
    assert one.basis == "none"
    assert one.grade >= 6
    assert one.confidence == "low"


AMOUNT = st.one_of(st.none(), st.integers(-(10**6), 10**6), st.just(0), st.integers(-(10**15), 10**15))


@examples(4, 30, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    st.dictionaries(st.sampled_from(STATEMENT_ITEMS), AMOUNT),
    st.dictionaries(st.sampled_from(STATEMENT_ITEMS), AMOUNT),
    st.sampled_from([3, 6, 9, 12]),
)
def test_whatever_stands_in_accounts_a_grade_is_honest(items, before, months):
    rows = [
        {**statement(2024), **dict.fromkeys(STATEMENT_ITEMS), **before},
        {**statement(months=months), **dict.fromkeys(STATEMENT_ITEMS), **items},
    ]
    book = samples.book(DAY, buyer=BUYER, statement=rows)
    one = grade(book, "b")
    assert 1 <= one.grade <= 10
    assert 0 < one.low <= one.probability_of_default_12m <= one.high < 1
    assert one.base_points + sum(reason.points for reason in one.reasons) == pytest.approx(one.score)
    known = sum(reason.value is not None for reason in one.reasons if reason.block == "accounts")
    if one.basis == "none":
        assert known == 0
        assert one.grade >= 6
    else:
        assert known >= 5
        if known < 14:
            assert "accounts_few_items" in one.doubts
    assert grades(book)[0]["grade"] == one.grade
