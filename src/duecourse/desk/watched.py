"""Which buyers are watched, and since when a ledger can tell of them (预警对象)."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.decisions.record import digest_of
from duecourse.desk import answers
from duecourse.desk.alone import answered
from duecourse.desk.behaviour import columns_ready
from duecourse.desk.remembered import remembered
from duecourse.desk.surroundings import measures_of_all
from duecourse.engines.fused.long_overdue import bounds, bounds_of_rows
from duecourse.measures.expressions import day as day_of
from duecourse.measures.indicators.surroundings import standing_of
from duecourse.measures.positions import ITEM
from duecourse.measures.windows import days_before
from duecourse.risk.outcomes import definition, lasting

if TYPE_CHECKING:
    from pathlib import Path

    import ibis.expr.types as ir
    import numpy.typing as npt

    from duecourse.ledger.book import Book

    Column = npt.NDArray[np.float64]

compute: Any = pc
SHORT_HISTORY_DAYS: Final = 540
"""Below a year and a half of payments alone the model is not used: seventeen months of a real ledger were not enough to beat the longest delay so far."""

SHORTER_DAYS: Final = 365
TOLD_OF: Final = 0.2
"""Where accounts or signals tell of so many of the buyers that trade, a year is enough: the model does not live by their payments alone then."""

TRADES_DAYS: Final = 365


def active(book: Book) -> pa.Array[Any]:
    """The buyers that owe anything or bought within the last 365 days and may be seen, in the order of their numbers."""
    buyers = answered(book.whole, "standing of", standing_of, measured=measures_of_all(book.whole))["buyer_id"].combine_chunks()
    if book.scope.restricts:
        buyers = buyers.filter(compute.is_in(buyers, book.run(book.buyer.select("buyer_id"))["buyer_id"].combine_chunks()))
    return buyers


def in_default(book: Book) -> dict[str, date]:
    """Which active buyers are in default by the firm's own definition, and since when?  已违约买方

    {buyer: the day its default happened}. A warning of a default to come says nothing of them: backtests do not count them, and alerts leave them to collection.
    """
    wording = definition(settings=book.settings)
    whole = book.whole

    def answer() -> dict[str, str]:
        columns = columns_ready(whole)
        age = wording["past_due"]["days_past_due"]
        known = None if columns is None else lambda days: bounds(columns, whole.on, days_past_due=age, within_days=days)
        return _since(lasting(whole, wording, active(whole), partial(answered, whole), bounds=known))

    told = remembered(whole, f"in default {digest_of(wording.told())}", answer)
    return {name: date.fromisoformat(day) for name, day in told.items()}


def in_default_since(own: Book, buyer_id: str) -> date | None:
    """The same of one buyer, from a book of its own facts."""
    wording = definition(settings=own.settings)
    age = wording["past_due"]["days_past_due"]
    billed, settled = answered(own, "billed", _billed), answered(own, "settled", _settled)

    def known(days: int) -> pa.Table:
        return bounds_of_rows(billed, settled, own.on, days_past_due=age, within_days=days)

    day = _since(lasting(own, wording, pa.array([buyer_id], pa.string()), partial(answered, own), bounds=known)).get(buyer_id)
    return None if day is None else date.fromisoformat(day)


def _billed(book: Book) -> ir.Table:
    invoice = book.invoice
    return invoice.filter(invoice.buyer_id.notnull()).select("buyer_id", *ITEM, "issue_date", "due_date", "amount_minor")


def _settled(book: Book) -> ir.Table:
    settlement = book.settlement
    return settlement.filter(settlement.invoice_id.notnull()).select(*ITEM, "settle_date", "amount_minor")


def _since(rows: pa.Table) -> dict[str, str]:
    return {row["buyer_id"]: row["happened_on"].isoformat() for row in rows.select(["buyer_id", "happened_on"]).to_pylist()}


def half_year(rate: Column) -> Column:
    """The share that defaults within six months, of a rate a year."""
    return np.asarray(1.0 - np.sqrt(1.0 - rate), np.float64)


def short_history(book: Book) -> bool:
    """Has the ledger too little of a past for the model to be used?"""
    return bool(remembered(book, "short history", lambda: _is_short(book)))


_long: dict[tuple[Path, Any], tuple[int, date]] = {}
"""{ledger: the version and the day on which its history was long enough}: neither time nor invoices that are added make it shorter."""


def _is_short(book: Book) -> bool:
    name = answers.identity(book.ledger) if book.known_at is None and not book.scope.restricts else None
    version, day = _long.get(name, (-1, book.on)) if name is not None else (-1, book.on)
    if day <= book.on and answers.added_since(book.ledger, version, "invoice") is not None:
        return False
    # One invoice of that time will do: to look for the first of all takes a moment on ten million.
    if not answered(book, "invoice of long ago", _long_ago).num_rows:
        return not answered(book, "invoice of a year ago", _a_year_ago).num_rows or not _others_tell(book)
    if name is not None:
        _long[name] = (book.ledger.version, book.on)
    return False


def _others_tell(book: Book) -> bool:
    """Is more than payments known of the buyers that trade?"""
    counts = [answered(book, name, make)["buyers"][0].as_py() for name, make in (("told of", _told_of), ("trading", _trading))]
    return bool(counts[0] >= TOLD_OF * max(counts[1], 1))


def _long_ago(book: Book) -> ir.Table:
    return _issued_before(book, SHORT_HISTORY_DAYS)


def _a_year_ago(book: Book) -> ir.Table:
    return _issued_before(book, SHORTER_DAYS)


def _issued_before(book: Book, days: int) -> ir.Table:
    return book.invoice.filter(book.invoice.issue_date <= day_of(book.on - timedelta(days=days))).select("invoice_id").limit(1)


def _trading(book: Book) -> ir.Table:
    return trading(book).aggregate(buyers=ibis._.count())


def _told_of(book: Book) -> ir.Table:
    told = book.signal.select("buyer_id").union(book.statement.select("buyer_id")).distinct()
    return trading(book).semi_join(told, "buyer_id").aggregate(buyers=ibis._.count())


def trading(book: Book) -> ir.Table:
    """The buyers that bought within the last 365 days: one row each, `buyer_id`."""
    since = day_of(days_before(book.on, TRADES_DAYS))
    return book.invoice.filter((book.invoice.issue_date > since) & book.invoice.buyer_id.notnull()).select("buyer_id").distinct()
