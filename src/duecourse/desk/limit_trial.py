"""A rule set tried before it is switched on: the last year's orders against the limits it would have given at the time.  规则试算

The limits are those the rules recommend at the beginning of each quarter, from what the ledger knew of that day. Orders are then taken day by
day; one that would carry the buyer above its limit is stopped: it never becomes a debt, and neither do its payments come in. Where the ledger
has no orders, each invoice is taken for one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import ibis

from duecourse.decisions.limit import recommend_limit
from duecourse.decisions.limit_rules import rules_of
from duecourse.desk import answers
from duecourse.desk.limit_inputs import base_factors, known_of_all
from duecourse.desk.limits import hash_of
from duecourse.desk.remembered import remembered
from duecourse.measures.base import in_base, to_base
from duecourse.measures.positions import positions
from duecourse.measures.receivables import outstanding

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from duecourse.decisions.limit_rules import LimitRules
    from duecourse.ledger.book import Book

YEAR: Final = 365
QUARTERS: Final = 4
LOST_DAYS: Final = 90
"""Money so many days overdue counts as lost, as what was written off does."""
FIGURES: Final = (
    "checked", "checked_amount", "stopped", "stopped_amount", "stopped_buyers", "loss_avoided", "loss_remaining", "paid_stopped_amount", "unlimited",
)  # fmt: skip
"""What is counted: amounts in minor units of base currency, each as a list of one."""


@dataclass(frozen=True)
class Trial:
    """What two rule sets would have done. basis: orders | invoices; now, new: {figure: count, or [amount]}."""

    currency: str
    basis: str
    now: Mapping[str, Any]
    new: Mapping[str, Any]


def try_rules(book: Book, rules: LimitRules | None = None) -> Trial:
    """What would these rules have stopped in the last year, what sales were at stake, and what loss avoided, against the rules in force?  规则试算

    rules: None = the rules in force alone, told twice. Amounts in base currency; kept for the book's version and both rule sets.
    """
    current = rules_of(book.settings)
    tried = rules or current
    question = f"limit trial {hash_of(current)} {hash_of(tried)} {answers.beside_version(book.ledger)}"
    found: dict[str, Any] = remembered(book, question, lambda: _tried(book, current, tried))
    return Trial(**found)


def _tried(book: Book, current: LimitRules, tried: LimitRules) -> dict[str, Any]:
    course = _course(book)
    one = _run(course, _limits(book, current))
    other = one if tried is current else _run(course, _limits(book, tried))
    return {"currency": book.base_currency, "basis": course.basis, "now": one, "new": other}


def _quarters(on: date) -> list[date]:
    return [on - timedelta(days=YEAR - YEAR * quarter // QUARTERS) for quarter in range(QUARTERS)]


def _limits(book: Book, rules: LimitRules) -> list[tuple[date, dict[str, int]]]:
    """From which day on which limits held: {buyer: minor units of base currency}."""
    found = []
    for day in _quarters(book.on):
        then = book.whole.ledger.as_of(day, book.known_at) if hasattr(book.ledger, "as_of") else book  # type: ignore[attr-defined]
        then = then.limited(book.scope)
        factors = base_factors(then.whole)
        limits = {}
        for known in known_of_all(then, rules):
            answer = recommend_limit(known.inputs, rules)
            factor = factors.get(answer.currency)
            if answer.amount_minor is not None and factor is not None:
                limits[known.buyer_id] = int(answer.amount_minor * factor + 0.5)
        found.append((day, limits))
    return found


@dataclass(frozen=True)
class _Course:
    """The year as it went: what stood out at its beginning, and what happened then, in order.

    events  (day, rank, buyer, unit, amount): rank 0 a settlement, 1 an order or invoice to be checked, 2 an invoice that belongs to no order
    losses, paid  by unit, amounts
    """

    basis: str
    opening: Mapping[str, int]
    events: list[tuple[date, int, str, str, int]]
    losses: Mapping[str, int]
    paid: Mapping[str, int]


def _course(book: Book) -> _Course:
    start = book.on - timedelta(days=YEAR)
    opening = book.run(in_base(book, outstanding(book, per=("buyer_id", "currency"), at=start), ("outstanding",), by=("buyer_id",)))
    order = book.order.filter(book.order.order_date > start)
    order = order.filter(ibis.coalesce(order.status, ibis.literal("open")) != "cancelled")
    orders = book.run(
        to_base(book, order.select("order_id", "buyer_id", "order_date", "currency", "amount_minor"), ("amount_minor",))
    ).to_pylist()
    known = {row["order_id"] for row in orders}
    basis = "orders" if orders else "invoices"
    events = [(row["order_date"], 1, row["buyer_id"], f"o{row['order_id']}", row["amount_minor"]) for row in orders]
    unit_of: dict[tuple[str, Any], str] = {}
    losses: dict[str, int] = {}
    paid: dict[str, int] = {}
    for row in book.run(_invoices(book, start)).to_pylist():
        key = (row["invoice_id"], row["instalment"])
        ordered = row["order_number"] in known
        unit = f"o{row['order_number']}" if ordered else f"i{row['invoice_id']}/{row['instalment']}"
        unit_of[key] = unit
        if not ordered:
            events.append((row["issue_date"], 2 if orders else 1, row["buyer_id"], unit, row["amount_minor"]))
        losses[unit] = losses.get(unit, 0) + row["lost"]
        paid[unit] = paid.get(unit, 0) + row["paid"]
    for row in book.run(_settlements(book, start)).to_pylist():
        unit = unit_of.get((row["invoice_id"], row["instalment"]), "")
        events.append((row["settle_date"], 0, row["buyer_id"], unit, -row["amount_minor"]))
    events.sort()
    return _Course(basis, {row["buyer_id"]: row["outstanding"] for row in opening.to_pylist()}, events, losses, paid)


def _invoices(book: Book, start: date) -> Any:
    """The year's invoices in base currency: amount, what was paid, and what was lost (written off, or open far beyond its due date)."""
    item = positions(book)
    item = item.filter((item.issue_date > start) & item.buyer_id.notnull())
    off = book.settlement.filter((book.settlement.kind == "write_off") & book.settlement.invoice_id.notnull())
    gone = off.group_by(["invoice_id", "instalment", "currency"]).aggregate(written_off=off.amount_minor.sum().cast("int64"))
    rows = item.left_join(gone, ["invoice_id", "instalment", "currency"])
    late = ibis.coalesce(ibis.literal(book.on, type="date").delta(item.due_date, unit="day") > LOST_DAYS, ibis.literal(value=False))
    zero = ibis.literal(0, type="int64")
    written = ibis.coalesce(gone.written_off, zero)
    still_open = (late & (item.open_minor > 0)).ifelse(item.open_minor, zero)
    settled = item.settled_minor - written
    rows = rows.select(
        item.invoice_id, item.instalment, item.buyer_id, item.order_number, item.issue_date, item.currency, item.amount_minor,
        lost=written + still_open, paid=(settled > 0).ifelse(settled, zero),
    )  # fmt: skip
    return to_base(book, rows, ("amount_minor", "lost", "paid"))


def _settlements(book: Book, start: date) -> Any:
    settled, invoice = book.settlement, book.invoice
    rows = settled.filter(settled.settle_date > start).inner_join(invoice, ["invoice_id", "instalment", "currency"])
    rows = rows.select(
        settled.invoice_id, settled.instalment, invoice.buyer_id, settled.settle_date, settled.currency, settled.amount_minor
    )
    return to_base(book, rows, ("amount_minor",))


def _run(course: _Course, limits: list[tuple[date, dict[str, int]]]) -> dict[str, Any]:
    exposure = dict(course.opening)
    refused: set[str] = set()
    counts = dict.fromkeys(FIGURES, 0)
    buyers: set[str] = set()
    place, held = 0, limits[0][1]
    for day, rank, buyer, unit, amount in course.events:
        while place + 1 < len(limits) and day >= limits[place + 1][0]:
            place += 1
            held = limits[place][1]
        if rank == 1:
            counts["checked"] += 1
            counts["checked_amount"] += amount
            limit = held.get(buyer)
            if limit is None:
                counts["unlimited"] += 1
            elif exposure.get(buyer, 0) + amount > limit:
                refused.add(unit)
                buyers.add(buyer)
                counts["stopped"] += 1
                counts["stopped_amount"] += amount
                continue
        elif unit in refused:
            continue
        exposure[buyer] = max(0, exposure.get(buyer, 0) + amount)
    for unit, lost in course.losses.items():
        counts["loss_avoided" if unit in refused else "loss_remaining"] += lost
    counts["paid_stopped_amount"] = sum(course.paid.get(unit, 0) for unit in refused)
    counts["stopped_buyers"] = len(buyers)
    amounts = ("checked_amount", "stopped_amount", "loss_avoided", "loss_remaining", "paid_stopped_amount")
    return {name: [value] if name in amounts else value for name, value in counts.items()}
