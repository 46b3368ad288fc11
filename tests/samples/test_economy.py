"""The demo economy is reproducible, obeys the rules of a ledger, and looks like the receivables of real firms."""

from __future__ import annotations

import datetime as dt
from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from duecourse.ledger.entries import ENTRIES, SETTLEMENT_KINDS
from duecourse.samples.days import LUNAR_NEW_YEARS
from duecourse.samples.economy import Behaviour, Economy, EconomyInvalidError
from support.worlds import database, tables


@cache
def economy_in_sql(invoices, seed):
    """A connection with the economy's tables, amounts in CNY by rough rates."""
    economy = Economy(invoices=invoices, seed=seed)
    connection = database(tables(economy))
    connection.execute(
        """CREATE TABLE rate AS SELECT base_currency AS currency, arg_max(rate, rate_date) * CASE base_currency WHEN 'JPY' THEN 1 ELSE .01 END
        AS cny FROM exchange_rate GROUP BY base_currency UNION ALL SELECT 'CNY', .01"""
    )
    connection.execute("CREATE TABLE ever AS SELECT * FROM settlement UNION ALL SELECT * FROM truth_future_settlement")
    connection.execute(
        """CREATE TABLE open AS SELECT i.*, amount_minor - coalesce(settled, 0) AS open_minor, cny FROM invoice i JOIN rate USING (currency)
        LEFT JOIN (SELECT invoice_id, instalment, sum(amount_minor) AS settled FROM settlement GROUP BY ALL) USING (invoice_id, instalment)"""
    )
    return connection, economy


def one(connection, query):
    return connection.execute(query).fetchall()[0]


def test_the_same_seed_gives_the_same_facts_whatever_the_chunks():
    economy = Economy(invoices=30_000, buyers=5_000, seed=11)
    whole, pieces = tables(economy, invoices_per_chunk=10**9), tables(economy, invoices_per_chunk=1)
    assert whole.keys() == pieces.keys()
    for name, table in whole.items():
        assert table.combine_chunks() == pieces[name].combine_chunks(), name


def test_another_seed_gives_another_economy():
    first, second = (tables(Economy(invoices=1_000, seed=seed)) for seed in (1, 2))
    assert first["invoice"] != second["invoice"]


def test_tables_have_the_schema_of_the_ledger():
    made = tables(Economy(invoices=1_000, seed=1))
    for name in ("buyer", "invoice", "settlement", "dispute", "statement", "signal", "limit", "exchange_rate", "setting"):
        assert made[name].schema == ENTRIES[name].facts
        for column in ENTRIES[name].key:
            assert made[name][column].null_count == 0


def test_rows_come_out_clustered_by_buyer_and_date():
    made = tables(Economy(invoices=50_000, buyers=6_000, seed=3))
    for name, day in (("invoice", "issue_date"), ("settlement", "settle_date")):
        order = list(zip(made[name]["buyer_id"].to_pylist(), made[name][day].to_pylist(), strict=True))
        assert order == sorted(order), name


BROKEN_RULES = {
    "an invoice twice": "SELECT 1 FROM invoice GROUP BY invoice_id, instalment HAVING count(*) > 1",
    "a settlement twice": "SELECT 1 FROM ever GROUP BY settlement_id HAVING count(*) > 1",
    "a buyer twice": "SELECT 1 FROM buyer GROUP BY buyer_id HAVING count(*) > 1",
    "a registration number twice": "SELECT 1 FROM buyer GROUP BY registration_number HAVING count(*) > 1",
    "a dispute twice": "SELECT 1 FROM dispute GROUP BY dispute_id HAVING count(*) > 1",
    "an amount of nothing": "SELECT 1 FROM invoice WHERE amount_minor <= 0 UNION ALL SELECT 1 FROM ever WHERE amount_minor = 0",
    "due before issue": "SELECT 1 FROM invoice WHERE due_date < issue_date",
    "outside the years": "SELECT 1 FROM invoice WHERE issue_date NOT BETWEEN $since AND $until",
    "a fact of the future": """SELECT 1 FROM settlement WHERE settle_date > $until UNION ALL SELECT 1 FROM dispute WHERE raised_on > $until
        OR resolved_on > $until UNION ALL SELECT 1 FROM exchange_rate WHERE rate_date > $until UNION ALL SELECT 1 FROM signal
        WHERE published_on > $until OR ended_on > $until UNION ALL SELECT 1 FROM limit_ WHERE valid_from > $until OR ended_on > $until
        UNION ALL SELECT 1 FROM statement WHERE published_on > $until""",
    "said, granted or published twice": """SELECT 1 FROM signal GROUP BY signal_id HAVING count(*) > 1 UNION ALL SELECT 1 FROM limit_
        GROUP BY limit_id HAVING count(*) > 1 UNION ALL SELECT 1 FROM statement GROUP BY buyer_id, period_end HAVING count(*) > 1""",
    "said or granted before he was a customer": """SELECT 1 FROM signal JOIN buyer USING (buyer_id) WHERE published_on < customer_since
        UNION ALL SELECT 1 FROM limit_ JOIN buyer USING (buyer_id) WHERE valid_from < customer_since""",
    "accounts after the failure": "SELECT 1 FROM statement JOIN truth_buyer USING (buyer_id) WHERE published_on >= default_date",
    "insolvency before the failure": "SELECT 1 FROM signal JOIN truth_buyer USING (buyer_id) WHERE kind = 'insolvency' AND published_on <= default_date",
    "a limit that ends before it begins": "SELECT 1 FROM limit_ WHERE ended_on < valid_from OR valid_to < valid_from OR amount_minor <= 0",
    "a future that has happened": "SELECT 1 FROM truth_future_settlement WHERE settle_date <= $until",
    "an unknown buyer": "SELECT 1 FROM invoice ANTI JOIN buyer USING (buyer_id) UNION ALL SELECT 1 FROM ever ANTI JOIN buyer USING (buyer_id)",
    "an unknown invoice": """SELECT 1 FROM ever s ANTI JOIN invoice i ON s.invoice_id = i.invoice_id AND s.instalment = i.instalment
        AND s.buyer_id = i.buyer_id AND s.currency = i.currency AND s.legal_entity = i.legal_entity WHERE s.invoice_id IS NOT NULL""",
    "settled before it was issued": "SELECT 1 FROM ever JOIN invoice USING (invoice_id, instalment) WHERE settle_date < issue_date",
    "a settlement taken back": "SELECT 1 FROM ever WHERE amount_minor < 0 AND kind <> 'allocation'",
    "an allocation without its other side": """SELECT 1 FROM ever WHERE kind = 'allocation' GROUP BY left(settlement_id, 11), settle_date
        HAVING sum(amount_minor) <> 0 OR count(*) <> 2 OR count(invoice_id) <> 1""",
    "applied before it was received": """SELECT 1 FROM ever a JOIN ever c ON left(a.settlement_id, 11) = left(c.settlement_id, 11)
        WHERE a.kind = 'allocation' AND a.amount_minor < 0 AND c.kind = 'cash' AND c.invoice_id IS NULL AND c.settle_date > a.settle_date""",
    "an advance without an amount left over zero": """SELECT 1 FROM settlement WHERE invoice_id IS NULL GROUP BY left(settlement_id, 11)
        HAVING sum(amount_minor) < 0""",
    "a credit beyond the invoice": """SELECT 1 FROM ever JOIN invoice USING (invoice_id, instalment) WHERE ever.kind IN ('credit_note',
        'return', 'discount', 'deduction', 'write_off') AND ever.amount_minor > invoice.amount_minor""",
    "instalments that differ": """SELECT 1 FROM invoice GROUP BY invoice_id HAVING count(DISTINCT issue_date) > 1
        OR count(DISTINCT due_date) < count(*) OR count(DISTINCT buyer_id) > 1 OR max(instalment) <> count(*)""",
    "sold before he was a customer": "SELECT 1 FROM invoice JOIN buyer USING (buyer_id) WHERE issue_date < customer_since",
    "sold after he failed": "SELECT 1 FROM invoice JOIN truth_buyer USING (buyer_id) WHERE issue_date > default_date",
    "a group without its head": """SELECT 1 FROM buyer b LEFT JOIN buyer p ON p.buyer_id = b.group_id
        WHERE b.group_id IS NOT NULL AND p.group_id IS DISTINCT FROM b.group_id""",
    "a group of one": "SELECT 1 FROM buyer WHERE group_id IS NOT NULL GROUP BY group_id HAVING count(*) = 1 OR count(DISTINCT group_name) > 1",
    "paid or ordered by a stranger": """SELECT 1 FROM (SELECT buyer_id, payer_id AS other FROM ever UNION ALL SELECT buyer_id, orderer_id FROM invoice) x
        JOIN buyer b ON b.buyer_id = x.buyer_id JOIN buyer o ON o.buyer_id = other WHERE b.group_id IS DISTINCT FROM o.group_id""",
    "money on a weekend": "SELECT 1 FROM ever WHERE kind = 'cash' AND dayofweek(settle_date) IN (0, 6)",
    "an outcome without an end": "SELECT 1 FROM dispute WHERE (outcome IS NULL) <> (resolved_on IS NULL) OR resolved_on < raised_on",
    "disputed before it was issued": "SELECT 1 FROM dispute JOIN invoice USING (invoice_id, instalment) WHERE raised_on < issue_date",
}


def broken(connection, economy):
    return [
        rule
        for rule, query in BROKEN_RULES.items()
        if connection.execute(
            query, {name: value for name, value in {"since": economy.since, "until": economy.until}.items() if f"${name}" in query}
        ).fetchone()
    ]


def test_no_rule_of_a_ledger_is_broken():
    assert broken(*economy_in_sql(60_000, 5)) == []


@example(invoices=2_370, buyers=473, years=2, seed=1_000_000, until=dt.date(2024, 5, 5))  # a slot on the edge of the last day
@settings(max_examples=8)
@given(
    invoices=st.integers(1_000, 6_000), buyers=st.integers(20, 1_000), years=st.integers(1, 7), seed=st.integers(0, 2**40),
    until=st.dates(dt.date(2012, 1, 1), dt.date(2038, 12, 31)),
)  # fmt: skip
def test_no_rule_is_broken_in_any_economy(invoices, buyers, years, seed, until):
    economy = Economy(invoices, buyers, years, seed, until)
    made = tables(economy)
    assert made["invoice"].num_rows == invoices
    assert made["buyer"].num_rows == buyers
    with database(made) as connection:
        connection.execute("CREATE TABLE ever AS SELECT * FROM settlement UNION ALL SELECT * FROM truth_future_settlement")
        assert broken(connection, economy) == []


def test_only_the_known_share_is_overpaid():
    connection, economy = economy_in_sql(60_000, 5)
    (overpaid,) = one(connection, "SELECT count(*) FILTER (open_minor < 0) / count(*) FROM open")
    assert 0 < overpaid < 1.6 * economy.behaviour.overpayment_share


def test_there_is_some_of_everything_a_ledger_has():
    connection, _ = economy_in_sql(60_000, 5)
    kinds = {kind for (kind,) in connection.sql("SELECT DISTINCT kind FROM settlement").fetchall()}
    assert kinds == set(SETTLEMENT_KINDS) - {"exchange_difference", "unknown"}
    counts = one(
        connection,
        """SELECT (SELECT count(*) FROM invoice WHERE instalment > 1), (SELECT count(*) FROM invoice WHERE kind = 'debit_note'),
        (SELECT count(*) FROM invoice WHERE orderer_id IS NOT NULL), (SELECT count(*) FROM settlement WHERE payer_id IS NOT NULL),
        (SELECT count(*) FROM dispute WHERE outcome IS NULL), (SELECT count(*) FROM buyer WHERE group_id IS NOT NULL),
        (SELECT count(*) FROM truth_future_settlement), (SELECT count(*) FROM truth_buyer WHERE default_kind = 'sudden'),
        (SELECT sum(amount_minor) FROM settlement WHERE invoice_id IS NULL)""",
    )
    assert all(counts), counts
    places = one(
        connection,
        "SELECT count(DISTINCT country), count(DISTINCT currency), count(DISTINCT legal_entity), count(DISTINCT sector) FROM buyer",
    )
    assert places == (15, 6, 2, 8)


BANDS = {
    # Atradius: about half of the invoices late; D&B: few beyond 90 days; speculative grades fail at 1 to 4 % a year.
    "late": (0.40, 0.60),
    "mean_days_late": (6.0, 16.0),
    "late_over_30": (0.08, 0.14),
    "late_over_90": (0.002, 0.03),
    "defaults_per_year": (0.01, 0.04),
    "dso_less_terms_and_delay": (-25.0, 25.0),
    "top_ten_share": (0.10, 0.45),
}


@cache
def character(invoices, seed):
    """What an economy is like, in the terms of `BANDS`."""
    connection, economy = economy_in_sql(invoices, seed)
    connection.execute(
        """CREATE OR REPLACE TABLE delay AS SELECT coalesce(paid, DATE '2100-01-01') - due_date AS late FROM invoice LEFT JOIN (
        SELECT invoice_id, instalment, max(settle_date) AS paid FROM ever WHERE kind IN ('cash', 'allocation', 'set_off') GROUP BY ALL)
        USING (invoice_id, instalment) WHERE due_date + 91 <= DATE '2026-10-31'"""
    )
    late, mean, over_30, over_90 = one(
        connection,
        "SELECT avg((late > 0)::INT), avg(late) FILTER (late < 1500), avg((late > 30)::INT), avg((late > 90)::INT) FROM delay",
    )
    # Defaults for each year in which a buyer could have failed: of those who joined later only the years since.
    (defaults,) = one(
        connection,
        f"""SELECT sum((default_date <= DATE '2026-10-31')::INT) / sum((least(coalesce(default_date, DATE '2026-10-31'), DATE '2026-10-31')
        - greatest(customer_since, DATE '{economy.since}')) / 365.25) FROM truth_buyer JOIN buyer USING (buyer_id)""",
    )
    outstanding, daily, terms = one(
        connection,
        """SELECT sum(open_minor * cny) FILTER (open_minor > 0), sum(amount_minor * cny) FILTER (issue_date > DATE '2025-10-31') / 365,
        sum(amount_minor * cny * (due_date - issue_date)) / sum(amount_minor * cny) FROM open""",
    )
    (top_ten,) = one(
        connection,
        """SELECT sum(sales) FILTER (place <= 10) / sum(sales) FROM (SELECT sum(amount_minor * cny) AS sales,
        row_number() OVER (ORDER BY sum(amount_minor * cny) DESC) AS place FROM open GROUP BY buyer_id)""",
    )
    return dict(zip(BANDS, (late, mean, over_30, over_90, defaults, outstanding / daily - terms - mean, top_ten), strict=True))


def outside(figures):
    return {name: figure for name, figure in figures.items() if not BANDS[name][0] <= figure <= BANDS[name][1]}


def test_the_demo_behaves_like_the_receivables_of_real_firms():
    assert outside(character(300_000, Economy().seed)) == {}


def test_so_do_economies_on_average():
    """One economy may live through a boom or a slump; four together may not stray from the anchors."""
    found = [character(120_000, seed) for seed in (101, 102, 103, 104)]
    assert outside({name: sum(figures[name] for figures in found) / len(found) for name in BANDS}) == {}


def test_seasonal_buyers_order_in_half_of_the_year():
    """The share of a buyer's orders in its best six months running: about three quarters where it is seasonal, little over a half elsewhere."""

    def best_half(share):
        made = tables(Economy(invoices=30_000, buyers=100, years=5, seed=6, behaviour=Behaviour(seasonal_share=share, order_noise=0.1)))
        connection = database(made)
        months = connection.sql("SELECT buyer_id, month(issue_date), count(*) FROM invoice GROUP BY ALL").fetchall()
        year = {}
        for buyer, month, count in months:
            year.setdefault(buyer, [0] * 12)[month - 1] += count
        found = [
            max(sum((orders * 2)[start : start + 6]) for start in range(12)) / sum(orders) for orders in year.values() if sum(orders) > 100
        ]
        return sum(found) / len(found)

    assert best_half(1.0) > 0.70
    assert best_half(0.0) < 0.62


def test_distress_shows_in_payments_before_default_unless_it_is_cloaked_or_sudden():
    connection, _ = economy_in_sql(120_000, 101)
    late = dict(
        connection.sql(
            """SELECT default_kind, avg(settle_date - due_date) FROM ever s JOIN invoice i USING (invoice_id, instalment, buyer_id) JOIN truth_buyer t
            USING (buyer_id) WHERE s.kind = 'cash' AND due_date BETWEEN default_date - 150 AND default_date - 60 AND settle_date < default_date
            GROUP BY ALL"""
        ).fetchall()
    )
    assert late["gradual"] > late["sudden"] + 5


@pytest.mark.parametrize(
    "options",
    [{"invoices": 999}, {"invoices": 100_000_001}, {"buyers": 3}, {"years": 11}, {"seed": -1}, {"until": dt.date(1999, 1, 1)}],
)
def test_an_impossible_economy_is_refused_with_a_sentence(options):
    with pytest.raises(EconomyInvalidError) as caught:
        Economy(**options)
    option, value = next(iter(options.items()))
    for language in ("en", "zh"):
        assert option in caught.value.message(language)
        assert str(value) in caught.value.message(language)


def test_lunar_new_years():
    """Against the calendar of the `holidays` package."""
    from holidays.calendars import _ChineseLunisolar

    calendar = _ChineseLunisolar()
    assert [calendar.lunar_new_year_date(year)[0] for year in range(2000, 2045)] == list(LUNAR_NEW_YEARS)


def test_what_is_odd_can_be_left_out_altogether():
    shares = (
        "forgotten_share", "part_payment_share", "credit_note_share", "short_payment_share", "overpayment_share", "unapplied_share", "debit_note_share",
        "advance_buyers",
    )  # fmt: skip
    made, usual = (tables(Economy(invoices=2_000, seed=5, behaviour=how)) for how in (Behaviour(**dict.fromkeys(shares, 0.0)), Behaviour()))
    assert made["invoice"].num_rows > 1_500
    assert set(made["invoice"]["kind"].to_pylist()) == {"invoice"} < set(usual["invoice"]["kind"].to_pylist())
    assert made["settlement"]["invoice_id"].null_count == 0 < usual["settlement"]["invoice_id"].null_count
