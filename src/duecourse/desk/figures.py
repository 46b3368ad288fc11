"""The figures of the whole portfolio, by whichever way is quicker: the expressions, or one pass over the columns of a large ledger.

The expressions of `duecourse.measures` are the definition; what is worked out here from the columns is held equal to them by test.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.desk.remembered import remembered
from duecourse.desk.standing import standing
from duecourse.desk.upkeep import columns_of
from duecourse.engines.fused.months import Months, months_of
from duecourse.measures.base import in_base, minor_rates, unrated
from duecourse.measures.disputes import open_disputes
from duecourse.measures.history import disputed_history, history, history_in_base
from duecourse.measures.portfolio import kpi, kpi_in_base
from duecourse.measures.receivables import ageing
from duecourse.measures.receivables import outstanding as outstanding_of
from duecourse.money import NO_CURRENCY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duecourse.desk.standing import Standing
    from duecourse.engines.fused.projection import Projection
    from duecourse.ledger.book import Book
    from duecourse.measures.buckets import Buckets

compute: Any = pc

Row = dict[str, Any]
SPLIT: Final = 1 << 24
OF_BUYERS: Final = (
    "overdue", "not_due", "unapplied_credits", "open_invoices", "overdue_invoices", "credit_sales_90d", "credit_sales_365d", "credits_365d",
)  # fmt: skip
"""Sums that are the buyers' added up."""
AMOUNTS: Final = (
    "overdue", "not_due", "unapplied_credits", "credit_sales_90d", "credit_sales_365d", "credits_365d", "disputed", "outstanding_begin",
    "credit_sales_period",
)  # fmt: skip
WEIGHTED: Final = ("weight", "days", "days_floored")
WEIGHED: Final = ("paid", "late_high", "late_low", "floored_high", "floored_low")
"""Flows that only serve a quotient, and are converted without rounding."""


@dataclass(frozen=True)
class Figures:
    """Per currency and in base currency: `kpi` rows (columns of `measures.portfolio.kpi`) and what is outstanding by bucket.

    `base` and its buckets are None without a base currency; `not_converted` are the currencies without a rate, which it leaves out.
    """

    kpi: Sequence[Row]
    buckets: Mapping[str, Mapping[str, int]]
    base: Row | None
    base_buckets: Mapping[str, int] | None
    not_converted: Sequence[str]


def figures(book: Book, *, buckets: Buckets, by_issue: bool = False) -> Figures:
    """How does the portfolio stand?"""
    columns = _columns(book)
    return _walked(book, columns, buckets, by_issue=by_issue) if columns else _asked(book, buckets, by_issue=by_issue)


def months(book: Book, *, count: int, buckets: Buckets) -> tuple[list[Row], list[Row]]:
    """How did it develop? Rows of `measures.history.history` per currency, and the same in base currency at the rates of the book's day.

    Each row also has `disputed`: how much of what was owed was contested at the month end.
    """
    columns = _columns(book)
    converts = book.base_currency != NO_CURRENCY
    if columns:
        own, base = _history(book, _walk(book, columns, count, buckets), buckets)
    else:
        own = book.run(history(book, months=count, buckets=buckets)).to_pylist()
        base = book.run(history_in_base(book, months=count, buckets=buckets)).to_pylist() if converts else []
    contested = book.run(disputed_history(book, months=count)).to_pylist()
    factors = {row["currency"]: row["factor"] for row in book.run(minor_rates(book)).to_pylist()} if contested and base else {}
    for rows in (own, base):
        for row in rows:
            row["disputed"] = 0
    by_month = {(row["currency"], row["months_back"]): row for row in own}
    in_base_ = {row["months_back"]: row for row in base}
    for row in contested:
        key, amount = row["months_back"], row["disputed"]
        if (row["currency"], key) in by_month:
            by_month[row["currency"], key]["disputed"] = amount
        if key in in_base_ and row["currency"] in factors:
            in_base_[key]["disputed"] += _converted(amount, factors[row["currency"]])
    return own, base


def has_columns(book: Book) -> bool:
    """Are there columns that answer for this book?"""
    return _columns(book) is not None


def _columns(book: Book) -> Projection | None:
    """The columns that can answer for this book: not for one as known in the past, nor for one limited to some of our companies."""
    ledger = book.ledger
    if book.scope.legal_entities or (book.known_at is not None and book.known_at < ledger.state.last.recorded_at):
        return None
    return columns_of(ledger)


# By the expressions


def _asked(book: Book, buckets: Buckets, *, by_issue: bool) -> Figures:
    ages = ageing(book, by="issue_date" if by_issue else "due_date", buckets=buckets).select("currency", "bucket", "amount")
    rows = book.run(kpi(book)).to_pylist()
    found = _by_bucket(book.run(ages).to_pylist())
    if book.base_currency == NO_CURRENCY:
        return Figures(rows, found, None, None, [])
    left_out = sorted({str(row["currency"]) for row in book.run(unrated(book, outstanding_of(book)).select("currency")).to_pylist()})
    base = book.run(kpi_in_base(book)).to_pylist()
    in_buckets = _by_bucket(book.run(in_base(book, ages, ("amount",), by=("bucket",))).to_pylist())
    return Figures(rows, found, base[0] if base else None, in_buckets.get(book.base_currency, {}) if base else None, left_out)


def _by_bucket(rows: Sequence[Row]) -> dict[str, dict[str, int]]:
    amounts: dict[str, dict[str, int]] = {}
    for row in rows:
        amounts.setdefault(row["currency"], {})[row["bucket"]] = row["amount"]
    return amounts


# By the columns


def _walk(book: Book, projection: Projection, count: int, buckets: Buckets, *, by_issue: bool = False) -> Months:
    seen = None
    if book.scope.restricts:
        buyer = book.whole.buyer
        allowed = book.scope.buyers_among(book.run(buyer.select("buyer_id", "group_id", "sales_owner")))
        seen = compute.is_in(projection.runs["buyer_id"], allowed).to_numpy(zero_copy_only=False)
    return months_of(projection, book.on, months=count, limits_days=buckets.limits_days, by_issue=by_issue, seen=seen)


def _walked(book: Book, projection: Projection, buckets: Buckets, *, by_issue: bool) -> Figures:
    walked = _walk(book, projection, 1, buckets, by_issue=by_issue)
    by_due = walked if not by_issue else _walk(book, projection, 1, buckets)
    columns = standing(book)
    contested = _disputed(book)
    rows = {}
    for place, currency in enumerate(walked.currencies):
        own = _of_buyers(columns, book, currency)
        if own is None:
            continue
        own |= contested.get(currency, {"open_disputes": 0, "disputed": 0})
        own["outstanding_begin"] = int(by_due.balances[place, 1].sum())
        own["credit_sales_period"] = int(by_due.flows["credit_sales"][place, 0])
        year = [int(value) for value in by_due.year[place]]
        own |= {"weight": year[0], "days": year[1] * SPLIT + year[2], "days_floored": year[3] * SPLIT + year[4]}
        own["outstanding"] = own["overdue"] + own["not_due"]
        own["dso_countback"], own["dso_censored"] = by_due.countback(own["outstanding"], by_due.sales[place].tolist(), 0)
        if any(own[name] for name in (*OF_BUYERS, "open_disputes", "outstanding_begin", "credit_sales_period", "weight")):
            rows[currency] = own
    amounts = {
        currency: dict(zip(buckets.ids, walked.balances[place, 0].tolist(), strict=True))
        for place, currency in enumerate(walked.currencies)
        if walked.balances[place, 0].any()
    }
    finished = [_finished(currency, own) for currency, own in rows.items()]
    if not columns.factors:
        return Figures(finished, amounts, None, None, [])
    base, base_buckets = _in_base(book, columns, by_due, rows, amounts, buckets)
    owing = [row["currency"] for row in finished if row["outstanding"] or row["unapplied_credits"]]
    return Figures(finished, amounts, base, base_buckets, sorted(code for code in owing if code not in columns.factors))


def _in_base(
    book: Book, columns: Standing, walked: Months, rows: Mapping[str, Row], amounts: Mapping[str, Mapping[str, int]], buckets: Buckets
) -> tuple[Row | None, Mapping[str, int] | None]:
    factors = {currency: columns.factors[currency] for currency in rows if currency in columns.factors}
    if not factors:
        return None, None
    sums: Row = dict.fromkeys((*AMOUNTS, *WEIGHTED, "open_invoices", "overdue_invoices", "open_disputes"), 0)
    sales = [0] * len(walked.sales_days)
    in_buckets = dict.fromkeys(buckets.ids, 0)
    for currency, factor in factors.items():
        own = rows[currency]
        for name in AMOUNTS:
            sums[name] += _converted(own[name], factor)
        for name in WEIGHTED:
            sums[name] += own[name] * factor
        for name in ("open_invoices", "overdue_invoices", "open_disputes"):
            sums[name] += own[name]
        sold = walked.sales[walked.currencies.index(currency)].tolist()
        sales = [total_ + _converted(amount, factor) for total_, amount in zip(sales, sold, strict=True)]
        for bucket, amount in amounts.get(currency, {}).items():
            in_buckets[bucket] += _converted(amount, factor)
    sums["outstanding"] = sums["overdue"] + sums["not_due"]
    sums["dso_countback"], sums["dso_censored"] = walked.countback(sums["outstanding"], sales, 0)
    keep = _seen(columns, book) & (columns.column("outstanding") > 0) & ~np.isnan(columns.factor[columns.column("currency")])
    numbers = columns.column("number")[keep]
    sums["buyers_with_balance"] = int(np.count_nonzero(np.diff(numbers))) + 1 if len(numbers) else 0
    return _finished(book.base_currency, sums), in_buckets


def _seen(columns: Standing, book: Book) -> Any:
    seen = columns.seen(book.scope)
    return np.ones(columns.count, np.bool_) if seen is None else seen


def _of_buyers(columns: Standing, book: Book, currency: str) -> Row | None:
    code = columns.code("currency", currency)
    keep = _seen(columns, book) & (columns.column("currency") == code)
    if not keep.any():
        return None
    sums: Row = {name: int(columns.column(name)[keep].sum()) for name in OF_BUYERS}
    sums["buyers_with_balance"] = int((columns.column("outstanding")[keep] > 0).sum())
    return sums


def disputed_now(book: Book) -> list[Row]:
    """Every open dispute of the book with what of it is open (columns of `measures.disputes.open_disputes`), worked out once a version.

    For a book limited to some buyers, those of the whole book are picked over; only companies need a question of their own.
    """
    if not book.scope.restricts or book.scope.legal_entities:
        found: list[Row] = remembered(book, "open disputes", lambda: book.run(open_disputes(book).order_by("dispute_id")).to_pylist())
        return found
    columns = standing(book)
    rows = disputed_now(book.whole)
    places = compute.index_in(pa.array([row["buyer_id"] for row in rows], pa.string()), columns.rows.column("buyer_id")).to_pylist()
    seen = _seen(columns, book)
    return [row for row, place in zip(rows, places, strict=True) if place is not None and seen[place]]


def _disputed(book: Book) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for row in disputed_now(book):
        one = found.setdefault(row["currency"], {"open_disputes": 0, "disputed": 0})
        one["open_disputes"] += 1
        one["disputed"] += min(row["disputed_minor"], row["open_minor"])
    return found


def _finished(currency: str, sums: Row) -> Row:
    """The columns of `kpi` from the sums they are made of."""
    simple = _ratio(sums["outstanding"], sums["credit_sales_90d"], 90.0)
    best = _ratio(sums["not_due"], sums["credit_sales_90d"], 90.0)
    fund = sums["outstanding_begin"] + sums["credit_sales_period"]
    return {
        "currency": currency,
        "outstanding": sums["outstanding"],
        "overdue": sums["overdue"],
        "not_due": sums["not_due"],
        "overdue_share": _ratio(sums["overdue"], sums["outstanding"]),
        "unapplied_credits": sums["unapplied_credits"],
        "net": sums["outstanding"] - sums["unapplied_credits"],
        "open_invoices": sums["open_invoices"],
        "overdue_invoices": sums["overdue_invoices"],
        "buyers_with_balance": sums["buyers_with_balance"],
        "credit_sales_90d": sums["credit_sales_90d"],
        "dso_simple": simple,
        "dso_countback": sums["dso_countback"],
        "dso_censored": sums["dso_censored"],
        "best_possible_dso": best,
        "average_days_delinquent": None if simple is None or best is None else simple - best,
        "cei": _ratio(fund - sums["outstanding"], fund - sums["not_due"]),
        "days_beyond_terms": _ratio(sums["days"], sums["weight"]),
        "days_beyond_terms_floored": _ratio(sums["days_floored"], sums["weight"]),
        "dilution_rate": _ratio(sums["credits_365d"], sums["credit_sales_365d"]),
        "open_disputes": sums["open_disputes"],
        "disputed": sums["disputed"],
    }


def _history(book: Book, walked: Months, buckets: Buckets) -> tuple[list[Row], list[Row]]:
    months_ = walked.balances.shape[1] - 1
    own = []
    for place, currency in enumerate(walked.currencies):
        flows = {name: column[place].tolist() for name, column in walked.flows.items()}
        if walked.balances[place].any() or any(any(column) for column in flows.values()):
            balances = walked.balances[place]
            own += _month_rows(walked, currency, balances, balances[:, 1:].sum(axis=1), flows, walked.sales[place].tolist(), buckets)
    columns = standing(book)
    factors = {code: columns.factors[code] for code in walked.currencies if code in columns.factors}
    if not factors:
        return own, []
    balances = np.zeros(walked.balances.shape[1:], np.int64)
    overdue = np.zeros(months_ + 1, np.int64)
    added: dict[str, Any] = {name: np.zeros(months_ + 1, np.float64 if name in WEIGHED else np.int64) for name in walked.flows}
    sales = np.zeros(len(walked.sales_days), np.int64)
    for code, factor in factors.items():
        place = list(walked.currencies).index(code)
        balances += _all_converted(walked.balances[place], factor)
        overdue += _all_converted(walked.balances[place][:, 1:].sum(axis=1), factor)
        sales += _all_converted(walked.sales[place], factor)
        for name, column in walked.flows.items():
            added[name] += column[place] * factor if added[name].dtype.kind == "f" else _all_converted(column[place], factor)
    flows = {name: column.tolist() for name, column in added.items()}
    return own, _month_rows(walked, book.base_currency, balances, overdue, flows, sales.tolist(), buckets)


def _month_rows(
    walked: Months, currency: str, balances: Any, overdue: Any, flows: Mapping[str, list[Any]], sales: list[int], buckets: Buckets
) -> list[Row]:
    rows = []
    outstanding = (balances[:, 0] + overdue).tolist()
    for back, amounts in enumerate(balances[:-1].tolist()):
        owed, not_due = outstanding[back], amounts[0]
        fund = outstanding[back + 1] + flows["credit_sales"][back]
        countback, censored = walked.countback(owed, sales, back)
        simple, best = (_ratio(amount, flows["sales_90d"][back], 90.0) for amount in (owed, not_due))
        rows.append(
            {
                "month_end": walked.month_end[back], "months_back": back, "currency": currency,
                "outstanding": owed, "overdue": owed - not_due, **dict(zip(buckets.ids, amounts, strict=True)),
                "credit_sales": flows["credit_sales"][back], "cash_received": flows["cash_received"][back], "credits": flows["credits"][back],
                "dso_simple": simple, "dso_countback": countback, "dso_censored": censored, "best_possible_dso": best,
                "average_days_delinquent": None if simple is None or best is None else simple - best,
                "cei": _ratio(fund - owed, fund - not_due), "dilution_rate": _ratio(flows["credits"][back], flows["credit_sales"][back]),
                "days_beyond_terms": _ratio(flows["late_high"][back] * SPLIT + flows["late_low"][back], flows["paid"][back]),
            }
        )  # fmt: skip
    return rows


def _ratio(numerator: float, denominator: float, times: float = 1.0) -> float | None:
    return float(numerator) / float(denominator) * times if denominator else None


def _converted(amount: int, factor: float) -> int:
    return floor(amount * factor + 0.5)


def _all_converted(amounts: Any, factor: float) -> Any:
    return np.floor(amounts * factor + 0.5).astype(np.int64)
