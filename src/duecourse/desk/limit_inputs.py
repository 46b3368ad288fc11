"""What is known of a buyer, or of every buyer, before a limit is recommended: from the ledger, brought to one currency.  额度测算数据"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import floor
from typing import TYPE_CHECKING, Any, Final

from duecourse.decisions.limit import LimitInputs
from duecourse.desk import grading
from duecourse.desk.alone import answered
from duecourse.desk.behaviour import measures_of_one
from duecourse.desk.remembered import remembered
from duecourse.engines.fused import refresh
from duecourse.errors import BuyerUngradedError, BuyerUnknownError
from duecourse.ledger.entries import LIMIT, ORDER, SIGNAL, STATEMENT
from duecourse.ledger.memory import only_buyer
from duecourse.measures.base import in_base, minor_rates
from duecourse.measures.exposure import credit_exposure
from duecourse.measures.limits import limits_in_force, payment_experience
from duecourse.measures.receivables import outstanding
from duecourse.measures.statements import annual_statements
from duecourse.money import NO_CURRENCY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import ibis.expr.types as ir
    import pyarrow as pa

    from duecourse.decisions.limit_rules import LimitRules
    from duecourse.ledger.book import Book

    Rows = dict[str, list[dict[str, Any]]]

STOPS: Final = ("insolvency", "dishonest_debtor", "list_match")
"""Signals that stop a sale on credit while they hold."""
RED: Final = ("enforcement", "insurer_limit_cut", "bill_dishonoured", "asset_freeze", "supply_stop")
"""Signals that bring the next review forward, besides any that was told as red."""
PROFILE: Final = (
    "name",
    "name_local",
    "country",
    "sector",
    "group_id",
    "group_name",
    "sales_owner",
    "legal_entity",
    "currency",
    "payment_terms_days",
)


@dataclass(frozen=True)
class Known:
    """A buyer's profile, what a recommendation reads, its limits in force, and the versions of the models its grade is of."""

    buyer_id: str
    profile: Mapping[str, Any]
    inputs: LimitInputs
    limits: Sequence[Mapping[str, Any]]
    models: Mapping[str, str]


@dataclass(frozen=True)
class _Facts:
    """Rows by buyer, of one buyer or of all."""

    profile: Mapping[str, Mapping[str, Any]]
    measures: Rows
    exposure: Rows
    experience: Rows
    statements: Rows
    limits: Rows
    signals: Rows
    grades: Mapping[str, Mapping[str, Any]]


def known_of(book: Book, buyer_id: str, rules: LimitRules, *, currency: str = "") -> Known:
    """What is known of one buyer. Raises BuyerUnknownError for one that may not be seen.

    Looked at whole: what one of our companies has at stake counts for the others, also where the person asking does not see it.
    """
    if not any(rows.num_rows for rows in book.about(buyer_id).values()):
        raise BuyerUnknownError(buyer=buyer_id)
    whole = book.whole
    own = only_buyer(whole, buyer_id, also=(ORDER, STATEMENT, LIMIT, SIGNAL))
    measures = measures_of_one(whole, own, buyer_id, whole.on)
    facts = _facts(own, rules, {buyer_id: _grade_of(whole, buyer_id)}, measures)
    return _known(whole, buyer_id, facts, base_factors(whole), _groups(whole), currency=currency)


def known_of_all(book: Book, rules: LimitRules, *, wanted: Iterable[str] | None = None) -> list[Known]:
    """What is known of every buyer that may be seen and has a limit, anything at stake or sales in the last year; in the order of their numbers."""
    whole = book.whole
    facts = _facts(whole, rules, _grades(whole), refresh(whole))
    seen = set(book.run(book.buyer.select("buyer_id"))["buyer_id"].to_pylist()) if book.scope.restricts else None
    busy = {buyer for buyer, rows in facts.measures.items() if any(row["credit_sales_365d"] or row["outstanding"] for row in rows)}
    chosen = (
        busy | {buyer for buyer, rows in facts.limits.items() if buyer and rows} | {buyer for buyer, rows in facts.exposure.items() if rows}
    )
    if wanted is not None:
        chosen &= set(wanted)
    factors, groups = base_factors(whole), _groups(whole)
    return [
        _known(whole, buyer, facts, factors, groups)
        for buyer in sorted(buyer for buyer in chosen if buyer and (seen is None or buyer in seen))
    ]


def _facts(book: Book, rules: LimitRules, grades: Mapping[str, Mapping[str, Any]], measures: pa.Table) -> _Facts:
    within, late = int(rules["experience_tolerance_days"]), int(rules["overdue_block_days"])
    told = {
        "profile": answered(book, "limit profile", lambda own: own.buyer.select("buyer_id", *PROFILE)),
        "exposure": answered(book, f"exposure {late}", lambda own: credit_exposure(own, tolerance_days=late)),
        "experience": answered(book, f"experience {within}", lambda own: payment_experience(own, tolerance_days=within)),
        "statement": answered(book, "limit statement", _newest_statement),
        "limit": answered(book, "limits of buyers", _limits_of_buyers),
        "signal": answered(book, "signals that hold", _signals_that_hold),
    }
    rows = {name: _by_buyer(table.to_pylist()) for name, table in told.items()}
    return _Facts(
        {buyer: own[0] for buyer, own in rows["profile"].items()}, _by_buyer(measures.to_pylist()), rows["exposure"], rows["experience"],
        rows["statement"], rows["limit"], rows["signal"], grades,
    )  # fmt: skip


def _newest_statement(book: Book) -> ir.Table:
    statement = annual_statements(book)
    return statement.filter(statement.newest).select(
        "buyer_id", "currency", "period_end", "age_days", "total_equity", "total_assets", "total_liabilities", "current_assets", "current_liabilities",
        "cost_of_sales", "revenue", "gross_profit",
    )  # fmt: skip


def _limits_of_buyers(book: Book) -> ir.Table:
    limit = limits_in_force(book)
    return limit.filter(limit.buyer_id.notnull()).order_by("limit_id")


def _signals_that_hold(book: Book) -> ir.Table:
    signal = book.signal.filter(book.signal.ended_on.isnull())
    return signal.select("buyer_id", "kind", "severity", "published_on").order_by(["published_on", "kind"])


def _by_buyer(rows: Iterable[dict[str, Any]]) -> Rows:
    found: Rows = {}
    for row in rows:
        found.setdefault(row["buyer_id"], []).append(row)
    for own in found.values():
        own.sort(key=lambda row: str(row.get("currency")))
    return found


def _grade_of(book: Book, buyer_id: str) -> Mapping[str, Any]:
    try:
        found = grading.grade(book, buyer_id)
    except (BuyerUngradedError, BuyerUnknownError):
        return {}
    return {name: getattr(found, name) for name in ("grade", "probability_of_default_12m", "confidence", "basis", "models")}


def _grades(book: Book) -> dict[str, Mapping[str, Any]]:
    return {row["buyer_id"]: row for row in grading.graded(book).to_pylist()}


def base_factors(book: Book) -> dict[str, float]:
    """Minor units of base currency for one minor unit of each currency; empty where no base currency is set."""
    if book.base_currency == NO_CURRENCY:
        return {}
    return {row["currency"]: row["factor"] for row in book.run(minor_rates(book)).to_pylist()}


@dataclass(frozen=True)
class _Groups:
    """Groups that have a limit: its amount in base currency, and what each member has at stake; and all that is outstanding."""

    limits: Mapping[str, int]
    stakes: Mapping[str, Mapping[str, int]]
    portfolio: int | None


def _groups(book: Book) -> _Groups:
    portfolio: int | None = None
    if book.base_currency != NO_CURRENCY:
        all_owed = outstanding(book)
        portfolio = remembered(
            book, "outstanding in base", lambda: sum(row["outstanding"] for row in book.run(in_base(book, all_owed, ("outstanding",))).to_pylist())
        )  # fmt: skip
    limit = limits_in_force(book)
    rows = limit.filter(limit.group_id.notnull() & limit.buyer_id.isnull() & limit.kind.isin(["standing", "temporary"]))
    limits: dict[str, int] = {}
    if book.base_currency != NO_CURRENCY:
        converted = in_base(book, rows.select("group_id", "currency", "amount_minor"), ("amount_minor",), by=("group_id",))
        limits = {row["group_id"]: row["amount_minor"] for row in book.run(converted).to_pylist()}
    stakes: dict[str, dict[str, int]] = {}
    if limits:
        stake = credit_exposure(book)
        member = book.buyer.filter(book.buyer.group_id.isin(sorted(limits)) | book.buyer.buyer_id.isin(sorted(limits)))
        own = stake.inner_join(member.select("buyer_id", "group_id"), "buyer_id")
        converted = in_base(book, own.select("buyer_id", "group_id", "currency", "exposure"), ("exposure",), by=("buyer_id", "group_id"))
        for row in book.run(converted).to_pylist():
            stakes.setdefault(row["group_id"] or row["buyer_id"], {})[row["buyer_id"]] = row["exposure"]
    return _Groups(limits, stakes, portfolio)


class _Brought:
    """Amounts brought to one currency; of a currency without a rate nothing is counted, and it is named."""

    def __init__(self, currency: str, base: str, factors: Mapping[str, float]) -> None:
        self.currency, self.base, self.factors = currency, base, factors

    def one(self, minor: int | None, currency: str) -> int | None:
        if minor is None or currency == self.currency:
            return minor
        there, here = self.factors.get(currency), self.factors.get(self.currency)
        return None if there is None or not here else floor(minor * (there / here) + 0.5)

    def of_base(self, minor: int | None) -> int | None:
        return self.one(minor, self.base)

    def total(self, rows: Iterable[Mapping[str, Any]], name: str) -> int:
        return sum(self.one(row[name], row["currency"]) or 0 for row in rows)


def _currency(facts: _Facts, buyer_id: str, base: str, factors: Mapping[str, float]) -> str:
    """In which currency a buyer's limit is: that of its limit, else the one it buys in, else base currency, else the one it buys most in."""
    for row in facts.limits.get(buyer_id, []):
        if row["kind"] == "standing":
            return str(row["currency"])
    bought = [row for row in facts.measures.get(buyer_id, []) if row["currency"] != NO_CURRENCY]
    if len(bought) == 1:
        return str(bought[0]["currency"])
    if factors and bought:
        return base
    if bought:
        return str(max(bought, key=lambda row: (row["credit_sales_365d"], row["currency"]))["currency"])
    return str(facts.profile.get(buyer_id, {}).get("currency") or base)


def _known(book: Book, buyer_id: str, facts: _Facts, factors: Mapping[str, float], groups: _Groups, *, currency: str = "") -> Known:
    base = book.base_currency
    currency = currency or _currency(facts, buyer_id, base, factors)
    to = _Brought(currency, base, factors)
    profile = facts.profile.get(buyer_id, {"buyer_id": buyer_id})
    limits = facts.limits.get(buyer_id, [])
    inputs = LimitInputs(currency=currency, terms_days=profile.get("payment_terms_days"), portfolio_minor=to.of_base(groups.portfolio))
    for part in (_trade(book, facts, buyer_id, to), _accounts(facts, buyer_id, to), _evidence(facts, buyer_id, limits, to)):
        inputs = replace(inputs, **part)
    group = profile.get("group_id") or buyer_id
    if group in groups.limits:
        others = sum(amount for member, amount in groups.stakes.get(group, {}).items() if member != buyer_id)
        inputs = replace(inputs, group_limit_minor=to.of_base(groups.limits[group]), group_others_minor=to.of_base(others) or 0)
    return Known(buyer_id, profile, inputs, limits, dict(facts.grades.get(buyer_id, {}).get("models") or {}))


def _trade(book: Book, facts: _Facts, buyer_id: str, to: _Brought) -> dict[str, Any]:
    rows, stake = facts.measures.get(buyer_id, []), facts.exposure.get(buyer_id, [])
    paid = [(to.one(row["paid_365d"], row["currency"]) or 0, row["days_beyond_terms_floored_365d"]) for row in rows]
    weighed = [(weight, late) for weight, late in paid if weight > 0 and late is not None]
    whole = sum(weight for weight, _late in weighed)
    first = min((row["first_issue_date"] for row in rows if row["first_issue_date"]), default=None)
    oldest = [row["oldest_days_past_due"] for row in stake if row["oldest_days_past_due"] is not None]
    experience = facts.experience.get(buyer_id, [])
    return {
        "annual_sales_minor": to.total(rows, "credit_sales_365d") if rows else None,
        "sales_days": (book.on - first).days + 1 if first else None,
        "mean_delay_days": sum(weight * late for weight, late in weighed) / whole if whole else None,
        "peak_balance_minor": to.total(rows, "peak_balance_365d") if rows else None,
        "open_orders_minor": to.total(stake, "open_orders") + to.total(stake, "released_not_invoiced"),
        "exposure_minor": to.total(stake, "exposure"),
        "outstanding_minor": to.total(stake, "outstanding"),
        "overdue_beyond_minor": to.total(stake, "overdue_beyond"),
        "oldest_days_past_due": max(oldest, default=None),
        "experience_minor": to.total(experience, "paid_within_terms") if experience else None,
    }


def _accounts(facts: _Facts, buyer_id: str, to: _Brought) -> dict[str, Any]:
    rows = facts.statements.get(buyer_id, [])
    if not rows:
        return {}
    row = rows[0]
    equity = row["total_equity"]
    if equity is None and None not in (row["total_assets"], row["total_liabilities"]):
        equity = row["total_assets"] - row["total_liabilities"]
    working = None if None in (row["current_assets"], row["current_liabilities"]) else row["current_assets"] - row["current_liabilities"]
    cost = row["cost_of_sales"]
    if cost is None and None not in (row["revenue"], row["gross_profit"]):
        cost = row["revenue"] - row["gross_profit"]
    return {
        "equity_minor": to.one(equity, row["currency"]), "working_capital_minor": to.one(working, row["currency"]),
        "cost_of_sales_minor": to.one(cost, row["currency"]), "statement_period_end": row["period_end"], "statement_age_days": row["age_days"],
    }  # fmt: skip


def _evidence(facts: _Facts, buyer_id: str, limits: Sequence[Mapping[str, Any]], to: _Brought) -> dict[str, Any]:
    grade = facts.grades.get(buyer_id) or {}
    signals = facts.signals.get(buyer_id, [])
    stops = ["block"] if any(row["kind"] == "block" for row in limits) else []
    stops += [kind for kind in STOPS if any(row["kind"] == kind for row in signals)]
    flags = sorted({row["kind"] for row in signals if row["kind"] in RED or row["severity"] == "red"})

    def of_kind(*kinds: str) -> int | None:
        amounts = [
            to.one(row["amount_minor"], row["currency"]) for row in limits if row["kind"] in kinds and row["amount_minor"] is not None
        ]
        return sum(amount or 0 for amount in amounts) if amounts else None

    return {
        "grade": grade.get("grade"), "probability_of_default_12m": grade.get("probability_of_default_12m"),
        "grade_confidence": grade.get("confidence"), "grade_basis": grade.get("basis") or ("financial" if grade.get("grade") else "none"),
        "insurer_limit_minor": of_kind("insurer"), "current_limit_minor": of_kind("standing"), "stops": tuple(stops), "red_flags": tuple(flags),
    }  # fmt: skip
