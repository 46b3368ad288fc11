"""What a default is stands in writing, and what is told of a day never changes with what happens after it."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse import samples
from duecourse.errors import RuleInvalidError
from duecourse.measures.long_overdue import EPOCH, long_overdue_course
from duecourse.risk.outcomes import begun_on, checked, default_events, defaults, definition
from support.examples import examples
from support.random_ledgers import DATES, ledgers
from support.replay import Replay

ON = dt.date(2026, 3, 31)
DAY = dt.timedelta(days=1)


def invoice(number, amount, due, buyer="a", **more):
    return {"invoice_id": f"i{number}", "buyer_id": buyer, "issue_date": due - 30 * DAY, "due_date": due, "amount_minor": amount, **more}


def paid(number, amount, on, kind="cash", **more):
    return {"invoice_id": f"i{number}", "settle_date": on, "amount_minor": amount, "kind": kind, **more}


def signal(kind, published, buyer="a", **more):
    return {"signal_id": f"{kind}{published}", "buyer_id": buyer, "kind": kind, "published_on": published, **more}


def told(on=ON, name="default", settings=None, **facts):
    rows = default_events(samples.book(on, **facts), definition(name, settings)).to_pylist()
    return [(row["kind"], row["happened_on"], row["known_on"], row["amount_minor"], row["cured_on"]) for row in rows]


def test_a_material_amount_more_than_ninety_days_late_is_a_default_until_three_months_after_it_was_paid():
    due = dt.date(2025, 6, 30)
    facts = {"invoice": [invoice(1, 1_000_000, due)], "settlement": [paid(1, 1_000_000, dt.date(2025, 10, 20))]}
    happened = dt.date(2025, 9, 29)
    assert (happened - due).days == 91
    assert told(happened - DAY, **facts) == []
    assert told(happened, **facts) == [("past_due", happened, happened, 1_000_000, None)]
    cured = dt.date(2026, 1, 18)
    assert told(cured - DAY, **facts) == [("past_due", happened, happened, 1_000_000, None)]
    assert told(cured, **facts) == [("past_due", happened, happened, 1_000_000, cured)]


def test_small_amounts_are_none_neither_absolutely_nor_beside_what_is_owed():
    due = dt.date(2025, 6, 30)
    assert told(invoice=[invoice(1, 399_999, due)]) == []
    assert len(told(invoice=[invoice(1, 400_000, due)])) == 1
    large = invoice(2, 8_000_001, dt.date(2026, 5, 1))
    assert told(invoice=[invoice(1, 400_000, due), large]) == [("past_due", dt.date(2025, 9, 29), dt.date(2025, 9, 29), 400_000, None)], (
        "nothing else was owed when it grew old; it has been in default since"
    )
    early = {**large, "issue_date": dt.date(2025, 9, 1)}
    assert told(dt.date(2025, 12, 31), invoice=[invoice(1, 400_000, due), early]) == []
    assert len(told(invoice=[invoice(1, 50_000, due, currency="EUR")])) == 1
    assert len(told(invoice=[invoice(1, 1, due, currency="BRL")])) == 1, "of a currency without an amount the share alone counts"


def test_what_is_disputed_is_owed_but_not_overdue():
    due = dt.date(2025, 6, 30)
    dispute = {"dispute_id": "d", "buyer_id": "a", "invoice_id": "i1", "raised_on": dt.date(2025, 8, 1)}
    assert told(invoice=[invoice(1, 1_000_000, due)], dispute=[dispute]) == []
    over = {**dispute, "resolved_on": dt.date(2025, 11, 3), "outcome": "rejected"}
    assert told(invoice=[invoice(1, 1_000_000, due)], dispute=[over])[0][:2] == ("past_due", dt.date(2025, 11, 3))
    in_part = {**dispute, "amount_minor": 500_000}
    assert told(invoice=[invoice(1, 1_000_000, due)], dispute=[in_part])[0][3] == 500_000


def test_a_default_that_comes_back_within_the_cure_is_the_same_one():
    first, second = invoice(1, 1_000_000, dt.date(2025, 1, 1)), invoice(2, 1_000_000, dt.date(2025, 3, 20))
    settled = [paid(1, 1_000_000, dt.date(2025, 4, 15)), paid(2, 1_000_000, dt.date(2025, 7, 1))]
    assert len(told(invoice=[first, second], settlement=settled)) == 1
    later = invoice(2, 1_000_000, dt.date(2025, 6, 1))
    settled[1] = paid(2, 1_000_000, dt.date(2025, 10, 1))
    assert [row[1] for row in told(invoice=[first, later], settlement=settled)] == [dt.date(2025, 4, 2), dt.date(2025, 8, 31)]


def test_write_offs_and_signals_count_as_they_are_known():
    due = dt.date(2025, 11, 30)
    off = paid(1, 600_000, dt.date(2026, 1, 15), kind="write_off")
    assert told(invoice=[invoice(1, 1_000_000, due)], settlement=[off])[0] == (
        "write_off",
        off["settle_date"],
        off["settle_date"],
        600_000,
        None,
    )
    news = signal("insolvency", dt.date(2025, 9, 10), occurred_on=dt.date(2025, 9, 1), severity="red")
    assert told(dt.date(2025, 9, 9), signal=[news]) == []
    assert told(signal=[news]) == [("insolvency", dt.date(2025, 9, 1), dt.date(2025, 9, 10), None, None)]
    lifted = {**news, "ended_on": dt.date(2025, 12, 1)}
    assert told(signal=[lifted])[0][4] == dt.date(2026, 3, 1)
    again = signal("insolvency", dt.date(2025, 10, 1), severity="red")
    assert len(told(signal=[news, again])) == 1
    assert told(signal=[{**news, "severity": "amber"}]) == []
    assert told(signal=[signal("dishonest_debtor", dt.date(2025, 5, 5))])[0][0] == "enforcement"
    assert told(signal=[signal("lawsuit", dt.date(2025, 5, 5), severity="red")]) == []


def test_a_listing_nobody_ended_does_not_keep_a_buyer_in_default_for_ever():
    listed = dt.date(2023, 1, 10)
    over = listed + (731 + 90) * DAY
    facts = {"signal": [signal("dishonest_debtor", listed), signal("insolvency", listed, "b")]}
    assert [row[4] for row in told(over - DAY, **facts)] == [None, None]
    assert [row[4] for row in told(over, **facts)] == [over, None]
    end = listed + (1826 + 90) * DAY
    assert [row[4] for row in told(end - DAY, **facts)] == [over, None] and [row[4] for row in told(end, **facts)] == [over, end]
    renewed = {"signal": [*facts["signal"], signal("dishonest_debtor", listed + 700 * DAY)]}
    assert [row[4] for row in told(over + 700 * DAY, **renewed)] == [over + 700 * DAY, None]
    late = {"signal": [{**facts["signal"][0], "ended_on": over + DAY}]}
    assert [row[4] for row in told(over + DAY, **late)] == [over], "said to be lifted later, it was told as over before"
    own = {"default_definitions": {"definitions": {"default": {"enforcement": {"lasts_days": 100, "cure_days": 0}}}}}
    assert [row[4] for row in told(settings=own, signal=facts["signal"][:1])] == [listed + 100 * DAY]


def test_a_buyer_is_in_default_once_whatever_made_it_so():
    facts = {
        "invoice": [invoice(1, 1_000_000, dt.date(2025, 6, 30)), invoice(2, 1_000_000, dt.date(2025, 6, 30), "b")],
        "settlement": [paid(2, 1_000_000, dt.date(2025, 10, 1))],
        "signal": [signal("insolvency", dt.date(2025, 9, 1), severity="red")],
    }
    rows = defaults(default_events(samples.book(ON, **facts), definition())).to_pylist()
    assert [(row["buyer_id"], row["kind"], row["happened_on"], row["cured_on"]) for row in rows] == [
        ("a", "insolvency", dt.date(2025, 9, 1), None), ("b", "past_due", dt.date(2025, 9, 29), dt.date(2025, 12, 30)),
    ]  # fmt: skip


def test_what_grew_old_began_when_it_fell_due_and_all_else_when_it_happened():
    facts = {
        "invoice": [invoice(1, 1_000_000, dt.date(2025, 6, 30), "b")], "signal": [signal("insolvency", dt.date(2025, 9, 1), severity="red")],
    }  # fmt: skip
    for name, days in (
        ("default", {"a": dt.date(2025, 9, 1), "b": dt.date(2025, 6, 30)}),
        ("severe_delinquency", {"b": dt.date(2025, 6, 30)}),
    ):
        wording = definition(name)
        rows = defaults(default_events(samples.book(ON, **facts), wording))
        assert dict(zip(rows["buyer_id"].to_pylist(), begun_on(rows, wording).to_pylist(), strict=True)) == days
    assert definition("default", {"default_definitions": {"definitions": {"default": {"past_due": {"used": False}}}}}).told_after_days == 0


def test_severe_delinquency_begins_on_the_thirtieth_day_and_ends_with_the_payment():
    facts = {"invoice": [invoice(1, 1, dt.date(2025, 6, 30))], "settlement": [paid(1, 1, dt.date(2025, 8, 9))]}
    assert told(name="severe_delinquency", **facts) == [("past_due", dt.date(2025, 7, 30), dt.date(2025, 7, 30), 1, dt.date(2025, 8, 9))]
    facts["settlement"] = [paid(1, 1, dt.date(2025, 7, 29))]
    assert told(name="severe_delinquency", **facts) == []


def test_a_payment_taken_back_makes_the_debt_as_old_as_it_is():
    """A bill that bounced, money an insolvency administrator wants back: the invoice was paid when it grew old, and is open again."""
    due = dt.date(2025, 3, 31)
    facts = {"invoice": [invoice(1, 900_000, due)], "settlement": [paid(1, 900_000, due)]}
    assert told(**facts) == []
    back = due + 120 * DAY
    facts["settlement"].append(paid(1, -900_000, back))
    assert told(**facts) == [("past_due", back, back, 900_000, None)]


def test_the_firm_may_word_it_otherwise():
    own = {"version": "house-2", "least_amounts": {"CNY": 2_000_000}, "definitions": {"strict": {"past_due": {"days_past_due": 61}}}}
    book = samples.book(ON, setting=[{"name": "default_definitions", "value": json.dumps(own)}])
    found = definition("strict", book.settings)
    assert (found.version, found["past_due"]["days_past_due"], found["past_due"]["cure_days"]) == ("house-2", 61, 90)
    due = dt.date(2025, 6, 30)
    assert told(name="strict", settings=book.settings, invoice=[invoice(1, 1_999_999, due)]) == []
    assert told(name="strict", settings=book.settings, invoice=[invoice(1, 2_000_000, due)])[0][1] == due + 61 * DAY


@pytest.mark.parametrize(
    "own",
    [
        {"definition": {}}, {"definitions": {"default": {"past_due": {"days": 3}}}}, {"definitions": {"default": {"past_due": {"share": 2}}}},
        {"definitions": {"default": {"insolvency": {"kinds": ["rumour"]}}}}, {"definitions": {"default": {"enforcement": {"lasts_days": 0}}}}, {"least_amounts": {"CNY": -1}}, {"definitions": {"default": 3}},
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(own):
    with pytest.raises(RuleInvalidError):
        checked(own)
    with pytest.raises(RuleInvalidError):
        definition("unheard_of")


DAYS = st.sampled_from([dt.date(2024, 6, 30), dt.date(2025, 3, 31), dt.date(2025, 12, 31)])
"""Few, so that each is compiled once."""

DISPUTES = st.lists(
    st.tuples(st.integers(0, 24), DATES, st.one_of(st.none(), st.integers(0, 200)), st.one_of(st.none(), st.integers(1, 500))), max_size=4
)


def with_disputes(facts, drawn):
    invoices, settlements = facts
    rows = [
        {
            "dispute_id": f"d{number}", "buyer_id": "a", "invoice_id": f"i{of}", "raised_on": raised, "amount_minor": amount,
            "resolved_on": None if days is None else raised + days * DAY,
        }
        for number, (of, raised, days, amount) in enumerate(drawn)
    ]  # fmt: skip
    return {"invoice": invoices, "settlement": settlements, "dispute": rows}


@given(ledgers(most_invoices=10), DAYS, DISPUTES, st.booleans())
@examples(5, 150, deadline=None)
def test_the_course_is_what_the_facts_of_each_day_say(facts, on, disputes, leave_out):
    given_ = with_disputes(facts, disputes)
    book = samples.book(on, **given_)
    rows = book.run(long_overdue_course(book, days_past_due=40, leave_out_disputed=leave_out)).to_pylist()
    course = defaultdict(list)
    for row in rows:
        course[row["buyer_id"], row["currency"]].append(row)
    replay = Replay(*facts, on)
    for key, days in course.items():
        assert len({row["moved_on"] for row in days}) == len(days)
        for row in days:
            day = EPOCH + row["moved_on"] * DAY
            then = replay.at(day)
            old = 0
            for one, balance in then.rows(*key):
                against = sum(
                    one["amount_minor"] if dispute["amount_minor"] is None else dispute["amount_minor"]
                    for dispute in given_["dispute"]
                    if (dispute["invoice_id"], 1) == (one["invoice_id"], one["instalment"])
                    and dispute["raised_on"] <= day
                    and not (dispute["resolved_on"] and dispute["resolved_on"] <= day)
                )
                if (day - one["due_date"]).days >= 40:
                    old += max(max(balance, 0) - (against if leave_out else 0), 0)
            assert (row["outstanding"], row["long_overdue"]) == (then.outstanding(*key), old), (key, day)
    for key in replay.keys() - course.keys():
        for back in range(0, 900, 9):
            then = replay.at(on - back * DAY)
            assert not any(balance > 0 and (then.on - one["due_date"]).days >= 40 for one, balance in then.rows(*key))


@given(ledgers(most_invoices=12), DAYS, DISPUTES, st.sampled_from(["default", "severe_delinquency"]))
@examples(4, 200, deadline=None)
def test_what_is_told_of_a_day_never_changes_with_later_facts(facts, on, disputes, name):
    given_ = with_disputes(facts, disputes)
    given_["signal"] = [
        signal("insolvency", on + shift * DAY, buyer, occurred_on=on + (shift - 5) * DAY, ended_on=on + (shift + 20) * DAY)
        for shift, buyer in ((-60, "a"), (-3, "a"), (2, "a"), (-1, "b"))
    ]
    given_["signal"] += [
        signal("dishonest_debtor", on - shift * DAY, "c", ended_on=on + end * DAY) for shift, end in ((900, 10), (780, -30), (40, 5))
    ]
    wording = definition(name, {"default_definitions": {"least_amounts": {"CNY": 1, "USD": 1}}})
    then = default_events(samples.book(on, **given_), wording)
    now = default_events(samples.book(dt.date(2026, 12, 31), **given_), wording)
    for make in (lambda events: events, defaults):
        known = [
            {**row, "cured_on": row["cured_on"] if row["cured_on"] and row["cured_on"] <= on else None}
            for row in make(now).to_pylist()
            if row["known_on"] <= on
        ]
        assert make(then).to_pylist() == known
