"""Where do we stand? 应收账款总览: outstanding, overdue, ageing and the figures a CFO asks for, per currency and in base currency."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from duecourse.desk.figures import figures as drawn_up
from duecourse.desk.figures import has_columns
from duecourse.desk.remembered import remembered
from duecourse.measures.base import in_base, unrated
from duecourse.measures.buckets import Buckets
from duecourse.measures.portfolio import worst_buyers
from duecourse.measures.receivables import ageing, outstanding
from duecourse.money import NO_CURRENCY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duecourse.ledger.book import Book

Figures = Literal["kpi", "balance"]
Basis = Literal["due_date", "issue_date"]

PARTS: Final = ("overdue", "not_due", "unapplied_credits")
BALANCE_IN_BASE: Final = ("currency", "outstanding", *PARTS, "net")
BALANCE: Final = (*BALANCE_IN_BASE, "open_invoices", "overdue_invoices", "overdue_share")
"""Columns of `measures.receivables.outstanding`."""


@dataclass(frozen=True)
class CurrencyPosition:
    """One currency: `figures` by measure name (money int64 minor units), and what is outstanding in each ageing bucket."""

    currency: str
    figures: Mapping[str, Any]
    buckets: Mapping[str, int]


@dataclass(frozen=True)
class Position:
    """The whole book: a position per currency (largest outstanding first), one in base currency where the rates allow it.

    not_converted  currencies without a rate, which `base` therefore leaves out
    """

    buckets: Buckets
    currencies: Sequence[CurrencyPosition]
    base: CurrencyPosition | None
    not_converted: Sequence[str]


def position(book: Book, *, figures: Figures = "kpi", by: Basis = "due_date") -> Position:
    """What is owed to us, how late, and how well do we collect?  应收账款总览

    figures  `balance`: outstanding, overdue, credits and counts; `kpi`: also DSO, CEI, days beyond terms, dilution, disputes
    by       age by due date or by issue date
    """
    buckets = Buckets.of(book)
    found = remembered(book, f"position {figures} {by} {buckets.limits_days}", lambda: _position(book, figures, by, buckets))
    base = found["base"]
    return Position(
        buckets,
        [CurrencyPosition(**one) for one in found["currencies"]],
        CurrencyPosition(**base) if base else None,
        found["not_converted"],
    )


def _position(book: Book, figures: Figures, by: Basis, buckets: Buckets) -> dict[str, Any]:
    # The columns give all figures at once, in a tenth of the time in which the expressions give some.
    if figures == "kpi" or has_columns(book):
        drawn = drawn_up(book, buckets=buckets, by_issue=by == "issue_date")
        rows, amounts, left_out = list(drawn.kpi), drawn.buckets, list(drawn.not_converted)
        whole, in_buckets = drawn.base, drawn.base_buckets
        if figures == "balance":
            rows = [{name: row[name] for name in BALANCE} for row in rows]
            whole = {name: whole[name] for name in BALANCE_IN_BASE} if whole else None
    else:
        rows, amounts, whole, in_buckets, left_out = _balance(book, by, buckets)
    empty = dict.fromkeys(buckets.ids, 0)
    found = [CurrencyPosition(row["currency"], row, {**empty, **amounts.get(row["currency"], {})}) for row in rows]
    found.sort(key=lambda one: (-(one.figures["outstanding"] or 0), one.currency))
    base = CurrencyPosition(book.base_currency, whole, {**empty, **(in_buckets or {})}) if whole else None
    return {"currencies": [asdict(one) for one in found], "base": asdict(base) if base else None, "not_converted": left_out}


def _balance(book: Book, by: Basis, buckets: Buckets) -> tuple[Any, ...]:
    ages = ageing(book, by=by, buckets=buckets).select("currency", "bucket", "amount")
    rows = book.run(outstanding(book)).to_pylist()
    amounts = _amounts(book.run(ages).to_pylist())
    if book.base_currency == NO_CURRENCY:
        return rows, amounts, None, None, []
    left_out = sorted({str(row["currency"]) for row in book.run(unrated(book, outstanding(book)).select("currency")).to_pylist()})
    whole = book.run(in_base(book, outstanding(book), PARTS)).to_pylist()
    for row in whole:  # parts are converted, and add up to what is made of them
        row["outstanding"] = row["overdue"] + row["not_due"]
        row["net"] = row["outstanding"] - row["unapplied_credits"]
    in_buckets = _amounts(book.run(in_base(book, ages, ("amount",), by=("bucket",))).to_pylist())
    return rows, amounts, whole[0] if whole else None, in_buckets.get(book.base_currency, {}), left_out


def _amounts(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    amounts: dict[str, dict[str, int]] = {}
    for row in rows:
        amounts.setdefault(row["currency"], {})[row["bucket"]] = row["amount"]
    return amounts


def worst(book: Book, *, limit: int = 10) -> list[dict[str, Any]]:
    """Who owes us most that is overdue?  逾期最多的买方

    One row per buyer, in base currency where one is set and has rates for what is owed, else per currency.
    """
    found: list[dict[str, Any]] = remembered(book, f"worst {limit}", lambda: _worst(book, limit))
    return found


def _worst(book: Book, limit: int) -> list[dict[str, Any]]:
    base = book.base_currency != NO_CURRENCY and not book.run(unrated(book, outstanding(book)).select("currency")).num_rows
    ranked = worst_buyers(book, limit=limit, base=base)
    names = book.buyer.select("buyer_id", "name_local")
    rows = book.run(ranked.left_join(names, "buyer_id").drop("buyer_id_right")).to_pylist()
    return sorted(rows, key=lambda row: (row["currency"], row["rank"]) if not base else ("", row["rank"]))
