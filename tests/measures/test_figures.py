"""Figures a credit manager can work out on paper."""

from __future__ import annotations

import datetime as dt

import pytest

from duecourse import samples
from duecourse.errors import BucketsInvalidError, GrainUnknownError, HistoryTooShortError, WindowInvalidError
from duecourse.measures import receivables
from duecourse.measures.base import unrated
from duecourse.measures.buckets import Buckets
from duecourse.measures.buyer import buyer_measures, buyers_in_base
from duecourse.measures.concentration import concentration, shares
from duecourse.measures.dilution import dilution, dilution_by_kind
from duecourse.measures.disputes import disputes, open_disputes
from duecourse.measures.dso import average_balance_dso, average_days_delinquent, best_possible_dso, countback_dso
from duecourse.measures.effectiveness import bad_debts, collection_effectiveness, migration, recovery, roll_rates, turnover
from duecourse.measures.history import disputed_history, history, history_in_base
from duecourse.measures.payment import days_beyond_terms, payment_trend, term_mix
from duecourse.measures.portfolio import kpi, kpi_in_base, worst_buyers
from duecourse.measures.tenure import tenure

ON = dt.date(2026, 3, 31)
_NUMBER = iter(range(10**9))


def day(month, day_of_month, year=2026):
    return dt.date(year, month, day_of_month)


def invoice(amount, issued, due=None, buyer="a", **more):
    return {
        "invoice_id": f"i{next(_NUMBER)}", "buyer_id": buyer, "issue_date": issued, "due_date": due or issued + dt.timedelta(days=30),
        "amount_minor": amount, **more,
    }  # fmt: skip


def paid(of, amount, on, kind="cash", **more):
    of = of or {"buyer_id": "a"}
    names = {name: of[name] for name in ("invoice_id", "buyer_id", "currency", "instalment") if name in of}
    return {**names, "amount_minor": amount, "settle_date": on, "kind": kind, **more}


def one(book, expr, **where):
    rows = [row for row in book.run(expr).to_pylist() if all(row[name] == value for name, value in where.items())]
    assert len(rows) == 1, rows
    return rows[0]


# Balance 250; sales of March 100, February 90, January 120.
SALES = [invoice(120, day(1, 15), day(2, 14)), invoice(90, day(2, 15), day(3, 17)), invoice(100, day(3, 15), day(4, 14))]
PAID = [paid(SALES[0], 60, day(3, 1))]


@pytest.fixture
def quarter():
    return samples.book(ON, invoice=SALES, settlement=PAID)


def test_count_back_uses_the_balance_up_month_after_month(quarter):
    row = one(quarter, countback_dso(quarter))
    assert (row["outstanding"], row["dso_countback"], row["dso_censored"]) == (250, 31 + 28 + 31 * 60 / 120, False)
    assert row["dso_countback"] == 74.5
    assert one(quarter, buyer_measures(quarter))["dso_countback"] == 74.5


def test_count_back_says_so_when_the_sales_looked_at_do_not_reach(quarter):
    row = one(quarter, countback_dso(quarter, months=2))
    assert (row["dso_countback"], row["dso_censored"], row["sales_counted"]) == (59.0, True, 190)


def test_the_simple_dso_parts_into_the_best_possible_and_lateness(quarter):
    row = one(quarter, average_days_delinquent(quarter))
    assert row["dso_simple"] == pytest.approx(250 / 310 * 90)
    assert row["best_possible_dso"] == pytest.approx(100 / 310 * 90) == one(quarter, best_possible_dso(quarter))["best_possible_dso"]
    assert row["average_days_delinquent"] == pytest.approx(150 / 310 * 90)


def test_the_average_balance_variant_has_its_own_name(quarter):
    row = one(quarter, average_balance_dso(quarter, period_days=31))
    assert (row["outstanding_begin"], row["outstanding"], row["credit_sales"]) == (210, 250, 100)
    assert row["dso_average_balance"] == pytest.approx(230 / 100 * 31)


def test_collection_effectiveness_of_the_month(quarter):
    row = one(quarter, collection_effectiveness(quarter))
    assert (row["outstanding_begin"], row["credit_sales"], row["outstanding"], row["not_due"]) == (210, 100, 250, 100)
    assert row["cei"] == pytest.approx((210 + 100 - 250) / (210 + 100 - 100))


def test_turnover_and_its_days_are_reciprocal(quarter):
    row = one(quarter, turnover(quarter, period_days=31))
    assert row["receivables_turnover"] == pytest.approx(100 / 230 * 365 / 31)
    assert row["receivables_days"] == pytest.approx(365 / row["receivables_turnover"])


def test_a_write_off_rolls_on_and_is_not_collected():
    late, lost, good = invoice(100, day(1, 1), day(2, 20)), invoice(50, day(1, 1), day(2, 25)), invoice(70, day(2, 1), day(2, 10))
    book = samples.book(
        ON,
        invoice=[late, lost, good],
        settlement=[paid(lost, 50, day(3, 10), "write_off"), paid(good, 70, day(3, 5)), paid(late, 10, day(3, 6), "credit_note")],
    )
    became = {(r["bucket_from"], r["became"]): r["amount"] for r in book.run(migration(book)).to_pylist()}
    assert became == {
        ("days_1_30", "days_31_60"): 90,
        ("days_1_30", "credited"): 10,
        ("days_1_30", "written_off"): 50,
        ("days_1_30", "paid"): 70,
    }
    row = one(book, roll_rates(book))
    assert (row["begin"], row["rolled"], row["collected"], row["bucket_order"]) == (220, 140, 70, 1)
    assert row["roll_rate"] == pytest.approx(140 / 220)


def test_bad_debts_are_net_of_what_came_in_after_all():
    lost = invoice(100, day(1, 1))
    book = samples.book(
        ON, invoice=[lost, invoice(400, day(2, 1))], settlement=[paid(lost, 100, day(3, 1), "write_off"), paid(lost, 30, day(3, 20))]
    )
    row = one(book, bad_debts(book))
    assert (row["written_off"], row["recovered"], row["bad_debt_ratio"]) == (100, 30, pytest.approx(70 / 500))
    assert one(book, recovery(book))["recovery_rate"] == pytest.approx(0.3)


def test_days_beyond_terms_are_weighted_by_amount_signed_and_floored():
    early, late = invoice(100, day(1, 1), day(2, 1)), invoice(300, day(1, 1), day(2, 1))
    settlement = [
        paid(early, 100, day(1, 22)),
        paid(late, 300, day(2, 21)),
        paid(early, 1, day(3, 1), "credit_note"),
        paid(None, 500, day(3, 1)),
    ]
    book = samples.book(ON, invoice=[early, late], settlement=settlement)
    row = one(book, days_beyond_terms(book))
    assert (row["paid"], row["payments"]) == (400, 2)
    assert row["days_beyond_terms"] == pytest.approx((100 * -10 + 300 * 20) / 400)
    assert row["days_beyond_terms_floored"] == pytest.approx(300 * 20 / 400)
    assert row["within_terms_share"] == pytest.approx(0.25)
    assert row["inferred_share"] == 0


def test_a_buyer_that_begins_to_pay_later_has_a_rising_trend():
    old, new = invoice(100, day(6, 1, 2025), day(7, 1, 2025)), invoice(100, day(2, 1), day(3, 1))
    book = samples.book(
        ON, invoice=[old, new], settlement=[paid(old, 100, day(7, 1, 2025)), paid(new, 100, day(3, 21), inferred=True, kind="unknown")]
    )
    assert one(book, payment_trend(book))["days_beyond_terms_trend"] == pytest.approx(20 - 10)
    assert one(book, days_beyond_terms(book))["inferred_share"] == pytest.approx(0.5)


def test_the_term_mix_takes_the_stated_term_else_the_dates():
    book = samples.book(ON, invoice=[invoice(300, day(1, 1), day(3, 2), payment_terms_days=60), invoice(100, day(1, 1), day(1, 31))])
    assert {r["term_days"]: r["share"] for r in book.run(term_mix(book)).to_pylist()} == {60: 0.75, 30: 0.25}


def test_dilution_counts_credits_applied_or_not_and_no_payment():
    item = invoice(1_000, day(2, 1))
    settlement = [paid(item, 30, day(3, 1), "credit_note"), paid(None, 20, day(3, 1), "return"), paid(item, 500, day(3, 1))]
    book = samples.book(ON, invoice=[item], settlement=settlement)
    assert one(book, dilution(book)) == {"currency": "CNY", "credit_sales": 1_000, "credits": 50, "dilution_rate": 0.05}
    assert {r["kind"]: r["share"] for r in book.run(dilution_by_kind(book)).to_pylist()} == {"credit_note": 0.6, "return": 0.4}


def test_a_dispute_is_open_until_it_is_resolved():
    item = invoice(100, day(1, 1))
    facts = {
        "invoice": [item],
        "settlement": [paid(item, 40, day(2, 1))],
        "dispute": [
            {
                "dispute_id": "1",
                "buyer_id": "a",
                "invoice_id": item["invoice_id"],
                "raised_on": day(3, 1),
                "resolved_on": day(4, 15),
                "outcome": "rejected",
            },
            {
                "dispute_id": "2",
                "buyer_id": "a",
                "invoice_id": item["invoice_id"],
                "raised_on": day(2, 1),
                "resolved_on": day(2, 20),
                "amount_minor": 90,
            },
        ],
    }
    book = samples.book(ON, **facts)
    row = one(book, open_disputes(book))
    assert (row["dispute_id"], row["disputed_minor"], row["age_days"]) == ("1", 60, 30)
    row = one(book, disputes(book))
    assert (row["open_disputes"], row["disputed"], row["disputed_share"], row["raised"], row["dispute_rate"]) == (1, 60, 1.0, 2, 2.0)
    after = samples.book(day(4, 15), **facts)
    assert after.run(open_disputes(after)).num_rows == 0


def test_concentration_looks_through_to_groups():
    facts = {
        "buyer": [{"buyer_id": "a", "group_id": "G"}, {"buyer_id": "b", "group_id": "G"}, {"buyer_id": "c"}],
        "invoice": [invoice(30, day(3, 1), buyer="a"), invoice(30, day(3, 1), buyer="b"), invoice(40, day(3, 1), buyer="c")],
    }
    book = samples.book(ON, **facts)
    groups = one(book, concentration(book))
    assert (groups["names"], groups["top_1"], groups["top_5"]) == (2, 0.6, 1.0)
    assert groups["hhi"] == pytest.approx(0.36 + 0.16)
    assert groups["effective_number"] == pytest.approx(1 / 0.52)
    assert groups["gini"] == pytest.approx(abs(60 - 40) * 2 / (2 * 4 * 50))
    buyers = one(book, concentration(book, by="buyer_id"))
    assert buyers["hhi"] == pytest.approx(0.09 + 0.09 + 0.16)
    assert buyers["gini"] == pytest.approx(4 * 10 / (2 * 9 * 100 / 3))
    ranked = sorted(book.run(shares(book)).to_pylist(), key=lambda r: r["rank"])
    assert [(r["name_id"], r["cumulative_share"]) for r in ranked] == [("G", 0.6), ("c", 1.0)]


def test_equal_names_have_no_inequality():
    book = samples.book(ON, invoice=[invoice(10, day(3, 1), buyer=name) for name in "abcde"])
    row = one(book, concentration(book))
    assert (row["gini"], row["effective_number"]) == (pytest.approx(0), pytest.approx(5))


def test_tenure_counts_from_the_first_of_profile_and_invoice():
    book = samples.book(ON, buyer=[{"buyer_id": "a", "customer_since": day(1, 1, 2020)}], invoice=SALES, settlement=PAID)
    row = one(book, tenure(book))
    assert row["tenure_days"] == (ON - day(1, 1, 2020)).days
    assert (row["purchases"], row["invoices"], row["peak_balance"], row["peak_balance_on"]) == (310, 3, 250, day(3, 15))


# Odd cases


def test_an_overpayment_is_an_unapplied_credit_and_reduces_no_bucket():
    item, other = invoice(100, day(3, 20)), invoice(50, day(3, 20))
    book = samples.book(ON, invoice=[item, other], settlement=[paid(item, 130, day(3, 25))])
    row = one(book, receivables.outstanding(book))
    assert (row["outstanding"], row["unapplied_credits"], row["net"], row["open_invoices"]) == (50, 30, 20, 1)
    assert one(book, receivables.unapplied_credits(book)) == {
        "buyer_id": "a", "currency": "CNY", "unapplied": 0, "overpaid": 30, "unapplied_credits": 30, "unapplied_items": 1
    }  # fmt: skip
    assert {r["open_minor"]: r["is_outstanding"] for r in book.run(receivables.open_items(book)).to_pylist()} == {50: True, -30: False}


def test_a_credit_before_its_invoice_is_unapplied_until_the_invoice_is_issued():
    item = invoice(100, day(3, 10))
    facts = {"invoice": [item], "settlement": [paid(item, 40, day(3, 1), "credit_note")]}
    before, after = samples.book(day(3, 5), **facts), samples.book(day(3, 10), **facts)
    assert one(before, receivables.outstanding(before))["net"] == -40
    assert one(after, receivables.outstanding(after))["outstanding"] == 60
    months = {r["months_back"]: r["outstanding"] for r in after.run(history(after, months=2)).to_pylist()}
    assert months == {0: 60}


def test_a_settlement_in_another_currency_is_not_set_against_the_invoice():
    item = invoice(100, day(3, 10), currency="USD")
    book = samples.book(ON, invoice=[item], settlement=[paid(item, 100, day(3, 20), currency="EUR")])
    rows = {r["currency"]: r["net"] for r in book.run(receivables.outstanding(book)).to_pylist()}
    assert rows == {"USD": 100, "EUR": -100}


def test_each_instalment_is_due_by_itself():
    parts = [invoice(100, day(1, 1), due, instalment=n) | {"invoice_id": "plan"} for n, due in enumerate((day(2, 1), day(4, 1)), start=1)]
    book = samples.book(ON, invoice=parts, settlement=[paid(parts[0], 30, day(2, 1))])
    row = one(book, receivables.outstanding(book))
    assert (row["outstanding"], row["overdue"], row["open_invoices"]) == (170, 70, 2)


def test_an_invoice_without_due_date_is_never_overdue():
    item = invoice(100, day(1, 1, 2025)) | {"due_date": None}
    book = samples.book(ON, invoice=[item], settlement=[paid(item, 10, day(3, 1))])
    assert one(book, receivables.ageing(book), bucket="not_due")["amount"] == 90
    row = one(book, buyer_measures(book))
    assert (row["not_due"], row["overdue"], row["paid_365d"], row["days_beyond_terms_365d"]) == (90, 0, 10, None)
    assert one(book, days_beyond_terms(book))["days_beyond_terms"] is None


def test_an_advance_applied_later_is_counted_once():
    item = invoice(100, day(3, 1))
    settlement = [paid(None, 100, day(2, 1)), paid(None, -100, day(3, 5), "allocation"), paid(item, 100, day(3, 5), "allocation")]
    book = samples.book(ON, invoice=[item], settlement=settlement)
    assert one(book, receivables.outstanding(book))["net"] == 0
    assert one(book, buyer_measures(book))["unapplied_credits"] == 0


def test_a_buyer_with_nothing_but_an_advance_has_a_row():
    book = samples.book(ON, settlement=[paid(None, 70, day(3, 1))])
    row = one(book, buyer_measures(book))
    assert (row["outstanding"], row["unapplied_credits"], row["peak_balance_365d"], row["dso_countback"]) == (0, 70, 0, None)
    assert (row["first_issue_date"], row["last_payment_date"]) == (None, day(3, 1))


# Grains, buckets, base currency


def test_a_grain_takes_the_invoice_s_own_owner_and_else_the_buyer_s():
    facts = {
        "buyer": [{"buyer_id": "a", "sales_owner": "Li", "country": "CN"}],
        "invoice": [invoice(10, day(3, 1), sales_owner="Wang"), invoice(20, day(3, 1)), invoice(40, day(3, 1), buyer="stranger")],
        "settlement": [paid(None, 5, day(3, 2))],
    }
    book = samples.book(ON, **facts)
    rows = {r["sales_owner"]: r["net"] for r in book.run(receivables.outstanding(book, per=("sales_owner",))).to_pylist()}
    assert rows == {"Wang": 10, "Li": 15, None: 40}
    rows = {r["country"]: r["dso_countback"] for r in book.run(countback_dso(book, per=("country",))).to_pylist()}
    assert rows == {"CN": 31, None: 31}
    assert book.run(kpi(book, per=("group_id",))).num_rows == 2


def test_the_firm_sets_its_own_buckets_and_they_read_in_both_languages():
    book = samples.book(ON, setting=[{"name": "ageing_buckets", "value": "[15, 45]"}], invoice=[invoice(10, day(2, 1), day(3, 1))])
    buckets = Buckets.of(book)
    assert buckets.ids == ("not_due", "days_1_15", "days_16_45", "days_over_45")
    assert one(book, receivables.ageing(book, buckets=buckets), bucket="days_16_45")["amount"] == 10
    assert [buckets.label(name, "en") for name in buckets.ids] == ["not due", "1–15 days", "16–45 days", "over 45 days"]
    assert [buckets.label(name, "zh") for name in buckets.ids] == ["未到期", "1–15 天", "16–45 天", "45 天以上"]
    assert Buckets.of(samples.book(ON)) == Buckets()


@pytest.mark.parametrize("limits", [(), (30, 30), (60, 30), (0, 30), (1.5,), (True,)])
def test_buckets_must_rise(limits):
    with pytest.raises(BucketsInvalidError):
        Buckets(limits)


def test_callers_are_told_what_is_wrong(quarter):
    with pytest.raises(GrainUnknownError, match="colour"):
        receivables.outstanding(quarter, per=("colour",))
    with pytest.raises(WindowInvalidError, match="36"):
        countback_dso(quarter, months=37)
    for measure in (turnover, average_balance_dso):
        with pytest.raises(HistoryTooShortError, match="2026-01-15"):
            measure(quarter, period_days=76)
        measure(quarter, period_days=75)


BASE = {
    "setting": [{"name": "base_currency", "value": '"EUR"'}],
    "exchange_rate": [
        {"provider": "x", "base_currency": "EUR", "quote_currency": quote, "rate_date": day(3, 30), "rate": rate}
        for quote, rate in (("CNY", 8.0), ("JPY", 160.0))
    ],
}


def test_the_base_currency_view_minds_the_minor_units():
    """8,000.00 yuan are 1,000.00 euro, 16,000 yen are 100.00 euro, and a currency without a rate is left out and named."""
    items = [invoice(800_000, day(3, 1)), invoice(16_000, day(3, 1), currency="JPY"), invoice(99, day(3, 1), currency="XXX")]
    book = samples.book(ON, buyer=[{"buyer_id": "a", "name": "A"}], invoice=items, **BASE)
    row = one(book, buyers_in_base(book))
    assert (row["name"], row["currency"], row["outstanding"], row["not_due"]) == ("A", "EUR", 110_000, 110_000)
    assert (row["open_invoices"], row["dso_countback"], row["peak_balance_365d"]) == (2, 31, 110_000)
    assert one(book, kpi_in_base(book))["outstanding"] == 110_000
    assert one(book, concentration(book, base=True))["amount"] == 110_000
    assert [r["currency"] for r in book.run(unrated(book, receivables.outstanding(book))).to_pylist()] == ["XXX"]


def test_in_base_the_buckets_add_up():
    items = [invoice(7, day(3, 1) - dt.timedelta(days=30 * n), currency=currency) for n in range(14) for currency in ("CNY", "JPY", "EUR")]
    book = samples.book(ON, invoice=items, **BASE)
    row = one(book, buyers_in_base(book))
    buckets = [row[name] for name in Buckets().ids]
    assert sum(buckets) == row["outstanding"]
    assert sum(buckets[1:]) == row["overdue"]


def test_the_portfolio_says_what_the_single_measures_say(quarter):
    row = one(quarter, kpi(quarter))
    assert (row["outstanding"], row["overdue"], row["net"], row["buyers_with_balance"]) == (250, 150, 250, 1)
    assert (row["dso_countback"], row["dso_censored"]) == (74.5, False)
    assert row["average_days_delinquent"] == pytest.approx(150 / 310 * 90)
    assert row["cei"] == one(quarter, collection_effectiveness(quarter))["cei"]
    assert row["days_beyond_terms"] == one(quarter, days_beyond_terms(quarter))["days_beyond_terms"]


def test_the_worst_buyers_are_those_that_owe_most_that_is_late():
    items = [invoice(n, day(1, 1), buyer=f"b{n}") for n in range(1, 6)] + [invoice(1_000, day(3, 30), buyer="good")]
    book = samples.book(ON, invoice=items)
    rows = sorted(book.run(worst_buyers(book, limit=3)).to_pylist(), key=lambda r: r["rank"])
    assert [(r["rank"], r["buyer_id"]) for r in rows] == [(1, "b5"), (2, "b4"), (3, "b3")]


def test_an_empty_book_has_no_rows():
    book = samples.book(ON)
    for measure in (receivables.outstanding, receivables.ageing, countback_dso, buyer_measures, kpi, history, concentration):
        assert book.run(measure(book)).num_rows == 0


def test_what_was_disputed_at_each_month_end_is_what_the_book_of_that_day_says():
    bill, other = invoice(100, day(1, 10)), invoice(40, day(2, 5), buyer="b")
    facts = {
        "invoice": [bill, other],
        "settlement": [paid(bill, 70, day(3, 5))],
        "dispute": [
            {"dispute_id": "d1", "invoice_id": bill["invoice_id"], "buyer_id": "a", "raised_on": day(1, 20), "amount_minor": 60},
            {"dispute_id": "d2", "invoice_id": other["invoice_id"], "buyer_id": "b", "raised_on": day(2, 10), "resolved_on": day(3, 31)},
        ],
    }
    book = samples.book(ON, **facts)
    found = {row["months_back"]: row["disputed"] for row in book.run(disputed_history(book, months=4)).to_pylist()}
    # March: of the first 30 are left, the second is resolved; February: 60 of the first, all 40 of the second.
    assert found == {0: 30, 1: 100, 2: 60}
    for back, end in enumerate((ON, day(2, 28), day(1, 31))):
        then = samples.book(end, **facts)
        assert one(then, kpi(then))["disputed"] == found[back]


def test_the_history_in_base_currency_has_every_figure_of_one_currency_alone():
    items = [invoice(700_000, day(3, 1) - dt.timedelta(days=30 * n), currency=code) for n in range(9) for code in ("CNY", "JPY")]
    book = samples.book(ON, invoice=items, settlement=[paid(one_, 300_000, day(3, 20)) for one_ in items[4:8]], **BASE)
    latest = one(book, history_in_base(book, months=3), months_back=0)
    now = one(book, kpi_in_base(book))
    for name in ("outstanding", "overdue", "dso_simple", "dso_countback", "best_possible_dso", "average_days_delinquent"):
        assert latest[name] == pytest.approx(now[name]), name
    assert latest["currency"] == book.base_currency
