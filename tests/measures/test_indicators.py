"""The figures behind the forty indicators, against sums done by hand."""

from __future__ import annotations

import datetime as dt
import statistics

import pytest

from duecourse import samples
from duecourse.measures.indicators.accounts import accounts
from duecourse.measures.indicators.common import month_begins
from duecourse.measures.indicators.payment import contested, oldest_unpaid, other_payers, part_payments, payment_cycle, payments_by_month
from duecourse.measures.indicators.surroundings import contagion, moves
from duecourse.measures.indicators.told import SIGNS, claims, downgrades, rated, recorded, signals_counted
from duecourse.measures.indicators.trade import insurer_cover, ordering, standing, utilisation

ON = dt.date(2026, 3, 31)
EURO = [{"name": "base_currency", "value": '"EUR"'}]
RATES = [{"provider": "own", "base_currency": "EUR", "quote_currency": "CNY", "rate_date": dt.date(2026, 3, 30), "rate": 8.0}]


def ago(days):
    return ON - dt.timedelta(days=days)


def found(measure, **facts):
    book = samples.book(ON, **{"setting": EURO, "exchange_rate": RATES, **facts})
    return {row["buyer_id"]: row for row in book.run(measure(book)).to_pylist()}


def paid(buyer, months_late, *, terms=30, currency="EUR", amount=1_000):
    """One invoice paid in the middle of each month back, so many days late: {month back: days}."""
    invoices, settlements = [], []
    for back, late in months_late.items():
        when = month_begins(ON, back) + dt.timedelta(days=14)
        number = f"{buyer}-{back}"
        due = when - dt.timedelta(days=late)
        invoices.append(
            {
                "invoice_id": number,
                "buyer_id": buyer,
                "issue_date": due - dt.timedelta(days=terms),
                "due_date": due,
                "amount_minor": amount,
                "currency": currency,
            }
        )
        settlements.append(
            {
                "settlement_id": number,
                "buyer_id": buyer,
                "invoice_id": number,
                "settle_date": when,
                "amount_minor": amount,
                "currency": currency,
            }
        )
    return invoices, settlements


def joined(*parts):
    return {"invoice": [row for one, _ in parts for row in one], "settlement": [row for _, two in parts for row in two]}


def test_a_month_is_the_twelfth_part_of_a_year_counted_back():
    days = [(back, month_begins(ON, back)) for back in range(36)]
    rows = [
        {"settlement_id": str(n), "buyer_id": "a", "invoice_id": "i", "settle_date": day, "amount_minor": 1}
        for n, (_back, day) in enumerate(days)
    ]
    book = samples.book(
        ON,
        invoice=[
            {"invoice_id": "i", "buyer_id": "a", "issue_date": dt.date(2020, 1, 1), "due_date": dt.date(2020, 1, 1), "amount_minor": 99}
        ],
        settlement=rows,
    )
    counted = {row["month_back"]: row["paid"] for row in book.run(payments_by_month(book)).to_pylist()}
    assert counted == dict.fromkeys(range(36), 1)
    assert month_begins(ON, 11) == ago(364)


def test_paying_later_than_last_year_and_in_the_same_season():
    steady = paid("steady", dict.fromkeys(range(36), 40))
    later = paid("later", {back: 25 if back < 3 else 5 for back in range(15)})
    seasonal = paid("seasonal", {back: 25 if back % 12 < 3 else 5 for back in range(36)})
    new = paid("new", dict.fromkeys(range(3), 60))
    silent = paid("silent", dict.fromkeys(range(3, 12), 5))
    rows = found(payment_cycle, **joined(steady, later, seasonal, new, silent))
    assert rows["steady"]["PAY01"] == rows["steady"]["PAY01_rise"] == 0
    assert rows["steady"]["PAY01_shift"] == 0
    assert rows["steady"]["PAY01_since"] is None
    assert rows["later"]["PAY01"] == pytest.approx(25 - (3 * 25 + 9 * 5) / 12)
    assert rows["later"]["PAY01_season"] == pytest.approx(20)
    assert rows["later"]["PAY01_relative"] == pytest.approx(55 / 40 - 1)
    assert rows["later"]["PAY01_shift"] is None, "three earlier months do not say what is usual"
    assert rows["seasonal"]["PAY01"] == pytest.approx(15)
    assert rows["seasonal"]["PAY01_rise"] == 0, "the same last year"
    for name in ("new", "silent"):
        assert rows[name]["PAY01"] is rows[name]["PAY01_rise"] is None


def test_the_shift_adds_up_and_names_its_month():
    before = [4, 8] * 12
    late = dict(enumerate([20, 18, 2, 7, 6, 6, 6, 6, 6, 6, 6, 6, *before]))
    spread = statistics.stdev(before)
    assert spread < 3, "three days is the least"
    rows = found(payment_cycle, **joined(paid("a", late)))
    usual, height, began = 6.0, 0.0, None
    seasonal = {back: (late[back + 12] + late[back + 24]) / 2 for back in range(12)}
    for back in range(11, -1, -1):
        step = (late[back] - usual - (seasonal[back] - usual) / 2) / 3 - 0.5
        began = (back if began is None else began) if height + step > 0 else None
        height = max(0.0, height + step)
    assert rows["a"]["PAY01_shift"] == pytest.approx(height)
    assert rows["a"]["PAY01_since"] == began == 1


def test_amounts_of_two_currencies_count_at_their_worth():
    euro = paid("a", {0: 10, 5: 10}, amount=1_000)
    yuan = paid("a", {1: 40, 6: 40}, currency="CNY", amount=8_000)
    unrated = paid("a", {2: 300, 7: 300}, currency="USD")
    row = found(payment_cycle, **joined(euro, yuan, unrated))["a"]
    assert row["PAY01"] == 0, "10 and 40 days, worth the same, then and now; dollars have no rate"
    alone = found(payment_cycle, **joined(paid("a", {0: 30, 5: 10}, currency="USD")))["a"]
    assert alone["PAY01"] == pytest.approx(10), "a buyer of no rated currency keeps its own"


def test_partial_and_round_payments():
    facts = {
        "invoice": [{"invoice_id": name, "buyer_id": "a", "issue_date": ago(90), "due_date": ago(60), "amount_minor": 100_000} for name in ("whole", "twice", "open", "charged")],
        "settlement": [
            {"buyer_id": "a", "invoice_id": "whole", "settle_date": ago(5), "amount_minor": 100_000},
            {"buyer_id": "a", "invoice_id": "twice", "settle_date": ago(9), "amount_minor": 40_000},
            {"buyer_id": "a", "invoice_id": "twice", "settle_date": ago(5), "amount_minor": 60_000},
            {"buyer_id": "a", "invoice_id": "open", "settle_date": ago(5), "amount_minor": 50_000},
            {"buyer_id": "a", "invoice_id": "charged", "settle_date": ago(5), "amount_minor": 99_000},
            {"buyer_id": "a", "settle_date": ago(5), "amount_minor": 500_000},
            {"buyer_id": "a", "settle_date": ago(5), "amount_minor": 500_001},
            {"buyer_id": "a", "settle_date": ago(60), "amount_minor": 500_000},
            {"buyer_id": "yen", "settle_date": ago(5), "amount_minor": 5_000, "currency": "JPY"},
            {"buyer_id": "dinar", "settle_date": ago(5), "amount_minor": 500_000, "currency": "KWD"},
        ],
    }  # fmt: skip
    rows = found(part_payments, **facts)
    assert {name: row["PAY05"] for name, row in rows.items()} == {"a": 3, "yen": 1, "dinar": 0}


def test_disputes_and_deductions_against_their_usual_share():
    def invoice(buyer, number, days, amount):
        return {
            "invoice_id": f"{buyer}{number}",
            "buyer_id": buyer,
            "issue_date": ago(days),
            "due_date": ago(days),
            "amount_minor": amount,
            "currency": "EUR",
        }

    facts = {
        "invoice": [invoice(b, n, d, 1_000) for b in ("rising", "calm", "quiet") for n, d in enumerate((10, 100, 200, 300))] + [invoice("gone", 1, 400, 1_000)],
        "dispute": [
            {"dispute_id": "1", "buyer_id": "rising", "invoice_id": "rising0", "raised_on": ago(3), "amount_minor": 100, "currency": "EUR"},
            {"dispute_id": "2", "buyer_id": "quiet", "invoice_id": "quiet3", "raised_on": ago(364)},
        ],
        "settlement": [
            {"buyer_id": "rising", "kind": "deduction", "settle_date": ago(2), "amount_minor": 50, "currency": "EUR"},
            {"buyer_id": "rising", "kind": "discount", "settle_date": ago(2), "amount_minor": 500, "currency": "EUR"},
            {"buyer_id": "rising", "kind": "return", "settle_date": ago(200), "amount_minor": 50, "currency": "EUR"},
        ],
    }  # fmt: skip
    rows = found(contested, **facts)
    assert set(rows) == {"rising", "calm", "quiet"}
    assert rows["rising"]["PAY08_share"] == pytest.approx(0.15)
    assert rows["rising"]["PAY08"] == pytest.approx(0.15 / 0.05)
    assert rows["calm"]["PAY08"] == rows["calm"]["PAY08_share"] == 0
    assert rows["quiet"]["PAY08"] == 0


def test_somebody_else_pays():
    buyer = [{"buyer_id": name, "group_id": group} for name, group in (("a", "g"), ("sister", "g"), ("stranger", None))]
    rows = found(other_payers, buyer=buyer, settlement=[
        {"buyer_id": "a", "payer_id": payer, "settle_date": ago(days), "amount_minor": amount}
        for payer, days, amount in (("sister", 5, 1), ("stranger", 5, 1), ("stranger", 3, 1), ("stranger", 2, -1), ("old friend", 5, 1), ("old friend", 200, 1), ("a", 5, 1), (None, 5, 1))
    ])  # fmt: skip
    assert rows["a"]["PAY09"] == 2


def test_what_is_owed_and_how_late():
    def item(buyer, number, days, amount, **more):
        return {
            "invoice_id": f"{buyer}{number}",
            "buyer_id": buyer,
            "issue_date": ago(days + 30),
            "due_date": ago(days),
            "amount_minor": amount,
            "currency": "EUR",
            **more,
        }

    facts = {
        "invoice": [item("a", 1, 40, 100), item("a", 2, -10, 300), item("b", 1, -10, 1_600, currency="CNY"), item("c", 1, 30, 500), item("d", 1, 500, 1), item("e", 1, 900, 5),
                    item("short", 1, 200, 1_000), item("short", 2, 20, 1_000), item("short", 3, 0, 50)],
        "settlement": [{"buyer_id": buyer, "invoice_id": f"{buyer}{number}", "settle_date": ago(days), "amount_minor": amount, "currency": "EUR"}
                       for buyer, number, days, amount in (("c", 1, 30, 500), ("e", 1, 800, 5), ("short", 1, 180, 900), ("short", 2, 10, 899))],
    }  # fmt: skip
    rows = found(standing, **facts)
    assert set(rows) == {"a", "b", "c", "d", "short"}, "e has neither sales nor payments of a year, and owes nothing"
    assert (rows["a"]["PAY02"], rows["a"]["PAY03_base"]) == (0.25, 400)
    assert (rows["b"]["PAY02"], rows["b"]["LIM04_owed"]) == (0, 200)
    assert (rows["c"]["PAY02"], rows["c"]["PAY03_base"]) == (0, pytest.approx(500 / 12))
    waiting = found(oldest_unpaid, **facts)
    assert {name: (row["PAY03"], row["PAY03_owed"]) for name, row in waiting.items()} == {"a": (40, 100), "d": (500, 1), "short": (20, 101)}


def limit(buyer, kind, amount, days, **more):
    return {
        "limit_id": f"{buyer}{kind}{days}",
        "buyer_id": buyer,
        "kind": kind,
        "amount_minor": amount,
        "currency": "EUR",
        "valid_from": ago(days),
        **more,
    }


def test_limits_and_what_uses_them():
    owed = [
        {"invoice_id": b, "buyer_id": b, "issue_date": ago(9), "due_date": ago(-20), "amount_minor": 600, "currency": "EUR"}
        for b in ("own", "insured", "none", "zero")
    ]
    rows = found(
        utilisation,
        invoice=owed,
        order=[{"order_id": "o", "buyer_id": "own", "order_date": ago(3), "amount_minor": 300, "currency": "EUR"}],
        limit=[
            limit("own", "standing", 800, 50), limit("own", "temporary", 200, 50), limit("own", "insurer", 100, 50), limit("insured", "insurer", 800, 50),
            limit("zero", "standing", 0, 50), limit("idle", "standing", 100, 50), limit("none", "block", None, 50),
        ],
    )  # fmt: skip
    assert {name: row["LIM01"] for name, row in rows.items()} == {"own": 0.9, "insured": 0.75, "zero": 10, "idle": 0}


def test_the_insurers_limit_falls():
    rows = found(insurer_cover, limit=[
        limit("cut", "insurer", 1_000, 300), limit("cut", "insurer", 600, 20), limit("ended", "insurer", 500, 300, ended_on=ago(10)), limit("up", "insurer", 500, 300),
        limit("up", "insurer", 900, 20), limit("ran out", "insurer", 500, 300, valid_to=ago(30)), limit("new", "insurer", 500, 20),
    ])  # fmt: skip
    assert {name: row["LIM02_lost"] for name, row in rows.items()} == {"cut": 0.4, "ended": 1, "up": 0, "ran out": 1, "new": 0}


def test_orders_surge_and_drop():
    def bought(buyer, *days, amount=100):
        return [
            {
                "invoice_id": f"{buyer}{day}",
                "buyer_id": buyer,
                "issue_date": ago(day),
                "due_date": ago(day),
                "amount_minor": amount,
                "currency": "EUR",
            }
            for day in days
        ]

    regular = [5 + 15 * n for n in range(30)]
    invoices = (
        bought("surge", *regular)
        + bought("surge", 6, 7, amount=150)
        + bought("drop", *(day for day in regular if day > 90))
        + bought("young", *range(5, 150, 10))
    )
    orders = [
        {"order_id": f"o{day}", "buyer_id": "surge with orders", "order_date": ago(day), "amount_minor": 100, "currency": "EUR"}
        for day in regular
    ]
    orders += [
        {
            "order_id": "x",
            "buyer_id": "surge with orders",
            "order_date": ago(2),
            "amount_minor": 9_999,
            "currency": "EUR",
            "status": "cancelled",
            "status_date": ago(1),
        }
    ]
    rows = found(ordering, invoice=invoices + bought("surge with orders", 1, amount=5_000), order=orders)
    usual = 24 * 100 * 30 / 365
    assert rows["surge"]["LIM03"] == pytest.approx(500 / usual)
    assert rows["surge"]["LIM03_season"] == 2.5
    assert rows["surge"]["LIM05"] == 0.5
    assert rows["drop"]["LIM05"] == -1
    assert rows["drop"]["LIM03"] == 0
    assert rows["young"]["LIM03"] is rows["young"]["LIM05"] is None
    assert rows["surge with orders"]["LIM03"] == pytest.approx(200 / usual), (
        "of a buyer with orders its orders count, without the cancelled"
    )


SEVERE = {
    "PAY09_severe": ("unusual_payer", {"severity": "red"}), "PAY06_weak": ("terms_request", {"severity": "red"}),
    "LIM02_withdrawn": ("insurer_limit_cut", {"amount_minor": 0, "severity": "amber"}), "CON01_severe": ("contact_change", {"severity": "red"}),
    "CON03_severe": ("bank_change", {"severity": "red"}), "NEG01_severe": ("news", {"severity": "red"}), "NEG03_dishonest": ("list_match", {}),
    "NEG05_severe": ("register_warning", {"severity": "red"}), "NEG06_filed": ("insolvency", {}), "NEG07_severe": ("arrears_list", {"severity": "red"}),
    "MAC01_severe": ("country_risk", {"severity": "red"}), "MAC03_severe": ("customer_failure", {"severity": "red"}),
    "OPS01_severe": ("supply_stop", {}), "OPS02_capital": ("capital_reduction", {}), "OPS03_severe": ("asset_transfer", {"severity": "red"}),
}  # fmt: skip
MILD = {
    "PAY06_weak": ("terms_request", {}), "LIM02_withdrawn": ("insurer_limit_cut", {"amount_minor": 5, "severity": "red"}), "NEG03_dishonest": ("enforcement", {"severity": "red"}),
    "NEG06_filed": ("insolvency", {"severity": "amber"}), "OPS01_severe": ("headcount_fall", {}), "OPS02_capital": ("register_change", {"severity": "red"}),
    "NEG01": ("news", {"severity": "info"}),
}  # fmt: skip


def test_signals_are_counted_in_their_windows():
    told = []

    def tell(buyer, kind, days, **more):
        told.append({"signal_id": str(len(told)), "buyer_id": buyer, "kind": kind, "published_on": ago(days), **more})

    for name, sign in SIGNS.items():
        for kind in sign.kinds:
            tell(name, kind, sign.days - 1)
            tell(name, kind, sign.days)  # a day too old
            tell(name, kind, 0, ended_on=ago(0))  # lifted
    for name, (kind, more) in SEVERE.items():
        tell(name, kind, 1, **more)
    for name, (kind, more) in MILD.items():
        tell(f"not {name}", kind, 1, **more)
    (
        tell("news", "news", 29),
        tell("news", "news", 0, severity="amber"),
        tell("news", "news", 30),
        tell("news", "news", 394),
        tell("news", "news", 395),
    )
    tell("answers", "no_answer", 13), tell("answers", "no_answer", 14), tell("answers", "no_answer", 30)
    rows = found(signals_counted, signal=told)
    for name, sign in SIGNS.items():
        assert rows[name][name] == len(sign.kinds) * (1 if sign.holds else 2), name
    for name in SEVERE:
        assert rows[name][name] == 1, name
    for name in MILD:
        assert rows[f"not {name}"][name] == 0, name
    assert rows["news"]["NEG01"] == 2
    assert rows["news"]["NEG01_ratio"] == pytest.approx(2 / (2 * 30 / 365))
    assert rows["answers"]["NEG01_ratio"] is None
    assert (rows["answers"]["CON02"], rows["answers"]["CON02_2w"]) == (2, 1)


def test_claims_against_equity():
    sued = [{"signal_id": str(n), "buyer_id": b, "kind": "lawsuit", "published_on": ago(d), "amount_minor": m, "currency": "CNY", **more} for n, (b, d, m, more) in enumerate([
        ("a", 10, 800, {}), ("a", 300, 800, {}), ("a", 20, 800, {"ended_on": ago(1)}), ("a", 400, 800, {}), ("poor", 10, 800, {}), ("unknown", 10, 800, {})])]  # fmt: skip
    year = {
        "period_end": dt.date(2024, 12, 31),
        "period_months": 12,
        "consolidated": False,
        "published_on": dt.date(2025, 4, 30),
        "currency": "EUR",
    }
    rows = found(
        claims, signal=sued, statement=[{"buyer_id": "a", "total_equity": 2_000, **year}, {"buyer_id": "poor", "total_equity": -5, **year}]
    )
    assert {name: row["NEG02_equity"] for name, row in rows.items()} == {"a": pytest.approx(0.1)}


def test_ratings_fall_by_notches():
    told = []
    for buyer, *grades in (
        ("letters", ("AA-", "A", 10)), ("better", ("BB", "BBB-", 10)), ("numbers", ("4", "7", 10)), ("worded", ("good", "fair", 10, "amber")), ("worse worded", ("fair", "poor", 10, "red")),
        ("same words", ("fair", "fair", 10, "red")), ("mixed", ("7", "BB", 10)), ("old", ("A", "B", 366)), ("in turn", (None, "A+", 500), (None, "A-", 200), (None, "A", 20)),
        ("first", (None, "C", 10)),
    ):  # fmt: skip
        for was, now, days, *severity in grades:
            told.append({"signal_id": str(len(told)), "buyer_id": buyer, "kind": "rating", "provider": "p", "published_on": ago(days), "value": now, "previous_value": was, "severity": severity[0] if severity else "info"})  # fmt: skip
    rows = found(downgrades, signal=told)
    expected = {
        "letters": 2,
        "better": 0,
        "numbers": 3,
        "worded": 1,
        "worse worded": 2,
        "same words": 0,
        "mixed": 0,
        "in turn": 2,
        "first": 0,
    }
    assert {name: row["FIN10"] for name, row in rows.items()} == expected


def test_outside_grades_are_told_on_one_scale_by_the_worst_of_each_providers_latest():
    said = [
        ("letters", "p", "A", 10), ("number", "p", "7", 10), ("latest", "p", "CCC", 300), ("latest", "p", "AAA", 20), ("two", "p", "2", 30), ("two", "q", "BB", 200),
        ("stale", "p", "C", 540), ("worded", "p", "poor", 5), ("worded since", "p", "4", 90), ("worded since", "p", "fine", 5),
    ]  # fmt: skip
    told = [
        {"signal_id": str(n), "buyer_id": b, "kind": "bureau_grade", "provider": p, "published_on": ago(d), "value": v, "severity": "info"}
        for n, (b, p, v, d) in enumerate(said)
    ]
    rows = found(rated, signal=told)
    assert {name: row["rating_level"] for name, row in rows.items()} == {"letters": 3.5, "number": 7.0, "latest": 1.0, "two": 6.5}


ITEMS = {
    "current_assets": 80, "total_assets": 200, "current_liabilities": 50, "total_liabilities": 100, "retained_earnings": 40, "total_equity": 100, "revenue": 300,
    "cost_of_sales": 200, "operating_profit": 30, "interest_expense": 5, "net_income": 15, "trade_payables": 20, "cash": 10, "short_term_debt": 30, "long_term_debt": 10,
    "operating_cash_flow": -20,
}  # fmt: skip


def year(buyer, end, **more):
    return {
        "buyer_id": buyer,
        "period_end": dt.date(end, 12, 31),
        "period_months": 12,
        "consolidated": False,
        "published_on": dt.date(end + 1, 4, 10),
        "currency": "EUR",
        **ITEMS,
        **more,
    }


def test_accounts_against_the_years_before():
    rows = found(accounts, statement=[
        year("a", 2022, trade_payables=10), year("a", 2023, trade_payables=15, operating_cash_flow=30, retained_earnings=200), year("a", 2024, revenue=240),
        year("burns", 2023), year("burns", 2024, opinion="qualified"), year("late", 2023, opinion="going_concern"), year("dead", 2021),
        year("thin", 2024, operating_cash_flow=None, short_term_debt=None, long_term_debt=None, cash=None, interest_expense=0),
    ])  # fmt: skip
    a = rows["a"]
    z = 6.56 * 30 / 200 + 3.26 * 40 / 200 + 6.72 * 30 / 200 + 1.05
    assert a["FIN01"] == pytest.approx(z)
    assert a["FIN01_fall"] == pytest.approx(3.26 * 160 / 200)
    assert (a["FIN02"], a["FIN04"], a["FIN05"], a["FIN09"]) == (1.6, 6, 0.5, 3)
    assert a["FIN06"] == pytest.approx(-0.2)
    assert a["FIN07"] == pytest.approx((20 - (10 + 15) / 2) / 200 * 365)
    assert (a["FIN03"], a["FIN03_debt"]) == (1, 0.25)
    assert (rows["burns"]["FIN03"], rows["burns"]["FIN03_debt"]) == (2, -1)
    assert (rows["burns"]["FIN08_qualified"], rows["burns"]["FIN08_doubt"]) == (1, 0)
    assert a["FIN08"] == 0, "the accounts of 2025 have until June"
    took = (dt.date(2024, 4, 10) - dt.date(2023, 12, 31)).days
    assert rows["late"]["FIN08"] == (ON - dt.date(2023, 12, 31)).days - 366 - took - 60
    assert rows["late"]["FIN08_doubt"] == 1
    assert "dead" not in rows
    assert all(rows["thin"][name] is None for name in ("FIN03", "FIN03_debt", "FIN04", "FIN09", "FIN06", "FIN07", "FIN01_fall"))


def test_more_of_a_country_fall_behind_than_a_year_ago():
    profiles, invoices, settlements = [], [], []

    def owes(buyer, issued, due, paid, country, sector):
        profiles.append({"buyer_id": buyer, "country": country, "sector": sector})
        invoices.append(
            {
                "invoice_id": buyer,
                "buyer_id": buyer,
                "issue_date": ago(issued),
                "due_date": ago(due),
                "amount_minor": 100,
                "currency": "EUR",
            }
        )
        if paid:
            settlements.append({"buyer_id": buyer, "invoice_id": buyer, "settle_date": ago(paid), "amount_minor": 100, "currency": "EUR"})

    for number in range(20):
        owes(f"then {number}", 500, 365 + 61 if number < 4 else 365 + 60, 30, "DE", "steel")
        owes(f"now {number}", 100, 61 if number < 10 else 60, 0, "DE", "steel")
        owes(f"few {number}", 100, 61, 0, "FR" if number < 19 else "IT", None)
    book = samples.book(ON, setting=EURO, buyer=profiles, invoice=invoices, settlement=settlements)
    rows = {(row["of"], row["name"]): row for row in book.run(moves(book)).to_pylist()}
    assert set(rows) == {("country", "DE"), ("sector", "steel")}, "nineteen buyers are too few"
    for row in rows.values():
        assert (row["buyers"], row["late"]) == (20, 10)
        assert row["change"] == pytest.approx(10 / 4 - 1)
        pooled = 14 / 40
        assert row["surprise"] == pytest.approx((0.5 - 0.2) / (pooled * (1 - pooled) * 2 / 20) ** 0.5)


def test_trouble_in_the_group_reaches_its_other_members():
    profiles = [
        {"buyer_id": name, "group_id": group} for name, group in (("a", "g"), ("b", "g"), ("c", "g"), ("alone", None), ("single", "h"))
    ]
    invoices = [{"invoice_id": name, "buyer_id": name, "issue_date": ago(200), "due_date": ago(days), "amount_minor": 100, "currency": "EUR"} for name, days in (("a", -5), ("b", 91), ("single", 95))]  # fmt: skip
    told = [{"signal_id": str(n), "buyer_id": name, "kind": kind, "published_on": ago(5), **more} for n, (name, kind, more) in enumerate([("c", "insolvency", {}), ("a", "insolvency", {"severity": "amber"}), ("a", "dishonest_debtor", {"ended_on": ago(1)})])]  # fmt: skip
    rows = found(contagion, buyer=profiles, invoice=invoices, signal=told)
    assert {name: (row["MAC03_group"], row["MAC03_group_failed"]) for name, row in rows.items()} == {"a": (2, 1), "b": (1, 1), "c": (1, 0)}


def test_what_a_book_records_at_all():
    book = samples.book(
        ON,
        buyer=[{"buyer_id": "a", "country": "CN"}, {"buyer_id": "b", "country": None}],
        signal=[{"signal_id": "1", "buyer_id": "a", "kind": "lawsuit", "published_on": ago(900)}, {"signal_id": "2", "buyer_id": "a", "kind": "news", "published_on": ago(-1)}],
        dispute=[{"dispute_id": "d", "buyer_id": "b", "invoice_id": "i", "raised_on": ago(9)}],
        settlement=[{"buyer_id": "a", "payer_id": "a", "settle_date": ago(4), "amount_minor": 1}],
    )  # fmt: skip
    assert {tuple(row.values()) for row in book.run(recorded(book)).to_pylist()} == {
        ("lawsuit", "CN"),
        ("contested", None),
        ("payer", "CN"),
    }
