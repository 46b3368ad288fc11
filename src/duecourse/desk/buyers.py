"""The buyers: all of them with their figures, and one with everything the ledger holds on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.desk.listing import BuyersQuery, list_buyers
from duecourse.desk.standing import is_made
from duecourse.engines.fused import refresh
from duecourse.errors import BuyerAmbiguousError, BuyerUnknownError, OptionMisusedError
from duecourse.ledger.memory import only_buyer
from duecourse.measures.buckets import Buckets
from duecourse.measures.buyer import buyer_measures
from duecourse.measures.disputes import open_disputes
from duecourse.measures.receivables import ageing, open_items
from duecourse.messages import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import ibis.expr.types as ir

    from duecourse.ledger.book import Book

SORTS: Final = (
    "overdue", "outstanding", "name", "buyer_id", "oldest_days_past_due", "days_beyond_terms_365d", "dso_countback", "credit_sales_365d",
    "days_beyond_terms_trend", "peak_balance_365d",
)  # fmt: skip
PROFILE: Final = ("name", "name_local", "country", "group_id", "group_name", "sector", "sales_owner", "registration_number")
SEARCHED: Final = ("buyer_id", "name", "name_local", "registration_number")
CANDIDATES: Final = 5


def buyers(book: Book, *, search: str = "", sort: str = "overdue", limit: int | None = None) -> pa.Table:
    """Every buyer with its figures.  买方一览

    One row per buyer and currency: the columns of `buyer_measures` and the buyer's profile.

    search  part of a name in either script, of the number, or of the registration number; upper and lower case alike
    sort    one of SORTS; figures largest first, texts from the beginning
    limit   at most so many rows; None = all
    Raises OptionMisusedError.
    """
    if sort not in SORTS:
        raise OptionMisusedError(option="--sort", value=sort, hint=say("cli.hint_per", known=", ".join(SORTS)))
    profile = book.run(book.buyer.select("buyer_id", *PROFILE))
    rows = refresh(book).join(profile, "buyer_id", join_type="left outer")
    if search:
        rows = rows.filter(_holding(rows, search))
    texts = pa.types.is_string(rows.schema.field(sort).type)
    # Where each key's missing values go is newer than the library's own types.
    keys: Any = [
        (sort, "ascending" if texts else "descending", "at_end"),
        ("buyer_id", "ascending", "at_end"),
        ("currency", "ascending", "at_end"),
    ]
    order = pc.sort_indices(rows, keys)
    return rows.take(order[:limit] if limit is not None else order)


def _holding(rows: pa.Table, search: str) -> Any:
    hits: Any = pa.scalar(value=False)
    for name in SEARCHED:
        found: Any = pc.match_substring(rows[name], search.strip(), ignore_case=True)
        hits = cast("Any", pc.or_(hits, pc.coalesce(found, pa.scalar(value=False))))
    return hits


def _matching(rows: ir.Table, search: str) -> ir.BooleanValue:
    wanted = search.strip().lower()
    empty = ibis.literal("")
    hits = [ibis.coalesce(rows[name].lower(), empty).contains(wanted) for name in SEARCHED]
    return hits[0] | hits[1] | hits[2] | hits[3]


def find(book: Book, text: str) -> str:
    """The buyer's number for what a person typed: the number itself, with or without leading zeros, or part of one name.

    Raises BuyerUnknownError, BuyerAmbiguousError.
    """
    wanted = text.strip()
    if any(rows.num_rows for rows in book.about(wanted).values()):
        return wanted
    listed = _listed(book, wanted) if is_made(book) else None
    if listed:
        return listed
    account = book.invoice.select("buyer_id").union(book.settlement.select("buyer_id")).union(book.buyer.select("buyer_id"))
    bare = wanted.lstrip("0")
    if bare.isdigit():
        ending = account.filter(account.buyer_id.endswith(bare)).distinct()
        found = [str(row["buyer_id"]) for row in book.run(ending).to_pylist()]
        found = [number for number in found if number.lstrip("0") == bare]
        if len(found) == 1:
            return found[0]
    profile = book.buyer
    rows = profile.filter(_matching(profile, wanted)).select("buyer_id", "name", "name_local").order_by("buyer_id")
    count = book.run(rows.aggregate(n=rows.count())).column("n")[0].as_py() if wanted else 0
    if not count:
        raise BuyerUnknownError(buyer=text)
    matches = book.run(rows.limit(CANDIDATES)).to_pylist()
    if count > 1:
        examples = ", ".join(f"{row['buyer_id']} {row['name'] or row['name_local'] or ''}".strip() for row in matches)
        raise BuyerAmbiguousError(buyer=text, count=count, examples=examples)
    return str(matches[0]["buyer_id"])


def _listed(book: Book, wanted: str) -> str | None:
    """The same from the columns of the list, where they lie ready; None where nobody in it fits. Raises BuyerAmbiguousError."""
    bare = wanted.lstrip("0")
    if bare.isdigit():
        alike = list_buyers(book, BuyersQuery(text=bare, sort="buyer_id", limit=CANDIDATES * 10)).rows
        found = {str(row["buyer_id"]) for row in alike if str(row["buyer_id"]).lstrip("0") == bare}
        if len(found) == 1:
            return found.pop()
    page = list_buyers(book, BuyersQuery(text=wanted, sort="buyer_id", limit=CANDIDATES * 4))
    names = {str(row["buyer_id"]): str(row["name"] or row["name_local"] or "") for row in page.rows}
    if page.buyers > 1:
        examples = ", ".join(f"{number} {name}".strip() for number, name in list(names.items())[:CANDIDATES])
        raise BuyerAmbiguousError(buyer=wanted, count=page.buyers, examples=examples)
    return next(iter(names), None) if wanted else None


@dataclass(frozen=True)
class BuyerRecord:
    """One buyer. `figures` has a row per currency (columns of `buyer_measures`), `ages` a row per currency and bucket.

    `items` are its invoices, newest first, each with what is open; `settlements` every payment and credit, newest first.
    """

    buyer_id: str
    profile: Mapping[str, Any]
    figures: Sequence[Mapping[str, Any]]
    ages: Sequence[Mapping[str, Any]]
    items: Sequence[Mapping[str, Any]]
    settlements: Sequence[Mapping[str, Any]]
    disputes: Sequence[Mapping[str, Any]]


def buyer_record(book: Book, buyer_id: str) -> BuyerRecord:
    """Everything the book holds on one buyer.  买方档案

    Its facts are taken out of the ledger first; the measures then run over them alone.
    """
    own = only_buyer(book, buyer_id)
    buckets = Buckets.of(own)
    profile = own.run(own.buyer).to_pylist()
    figures = own.run(buyer_measures(own).order_by("currency")).to_pylist()
    if not profile and not figures:
        raise BuyerUnknownError(buyer=buyer_id)
    ages = own.run(ageing(own, buckets=buckets, per=("buyer_id", "currency")).order_by(["currency", "bucket_order"])).to_pylist()
    still_open = {(row["invoice_id"], row["instalment"]): row for row in own.run(open_items(own, buckets=buckets)).to_pylist()}
    invoice = own.invoice
    items = []
    for row in own.run(invoice.order_by([invoice.issue_date.desc(), "invoice_id", "instalment"])).to_pylist():
        balance = still_open.get((row["invoice_id"], row["instalment"]), {})
        items.append(
            {
                **row,
                "open_minor": balance.get("open_minor", 0),
                "days_past_due": balance.get("days_past_due"),
                "bucket": balance.get("bucket"),
            }
        )
    settlement = own.settlement
    settlements = own.run(settlement.order_by([settlement.settle_date.desc(), "settlement_id"])).to_pylist()
    return BuyerRecord(
        buyer_id,
        profile[0] if profile else {"buyer_id": buyer_id},
        figures,
        ages,
        items,
        settlements,
        own.run(open_disputes(own)).to_pylist(),
    )
