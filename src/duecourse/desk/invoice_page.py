"""One invoice: its instalments with what is open on each, what settled it, what is contested, and whose it is.  发票详情"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.desk.buyer_page import Facts
from duecourse.desk.invoices import InvoicesQuery, invoices, list_invoices
from duecourse.desk.standing import standing
from duecourse.errors import FactUnknownError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duecourse.ledger.book import Book

compute: Any = pc


@dataclass(frozen=True)
class InvoicePage:
    """One invoice of one buyer.

    profile      the buyer's facts; only its number where nothing else is known
    instalments  in order: the facts, open_minor, days_past_due, bucket, disputed, and `settlements`, the earliest first
    disputes     about this invoice, newest first
    """

    invoice_id: str
    buyer_id: str
    profile: Mapping[str, Any]
    instalments: Sequence[Mapping[str, Any]]
    disputes: Sequence[Mapping[str, Any]]


def invoice_page(book: Book, invoice_id: str) -> list[InvoicePage]:
    """The invoice with this number; several where instalments under one number are owed by several buyers.

    Raises FactUnknownError where there is none that may be seen.
    """
    pages = [page for buyer_id in _buyers_of(book, invoice_id) if (page := _of_buyer(book, invoice_id, buyer_id)) is not None]
    if not pages:
        raise FactUnknownError(kind="invoice", key=invoice_id)
    return pages


def alike(book: Book, text: str, *, limit: int = 10) -> Sequence[Mapping[str, Any]]:
    """Invoices whose number holds a text, for whoever asked for one there is not."""
    return list_invoices(book, InvoicesQuery(text=text, limit=limit)).rows if text.strip() else []


def _buyers_of(book: Book, invoice_id: str) -> list[str]:
    """Who owes an invoice of this number, found in the columns of the list: the tables themselves are in the order of buyers."""
    columns = invoices(book)
    size = len(invoice_id.encode())
    rows = np.flatnonzero(columns.holding(invoice_id))
    rows = rows[columns.starts[rows + 1] - columns.starts[rows] == size + 1]
    owing = {int(columns.values["buyer"][row]) for row in rows.tolist() if columns.number(row) == invoice_id}
    everybody = standing(book.whole)
    places = np.searchsorted(everybody.column("number"), sorted(owing))
    return [str(everybody.rows.column("buyer_id")[int(place)].as_py()) for place in places]


def _of_buyer(book: Book, invoice_id: str, buyer_id: str) -> InvoicePage | None:
    facts = Facts(book, buyer_id)
    own = compute.equal(facts.invoice["invoice_id"], pa.scalar(invoice_id)).to_numpy(zero_copy_only=False)
    rows = sorted(facts.rows(np.flatnonzero(own)), key=lambda row: row["instalment"])
    if not rows:
        return None
    contested = facts.dispute.filter(compute.equal(facts.dispute["invoice_id"], pa.scalar(invoice_id)))
    disputes = contested.sort_by([("raised_on", "descending"), ("dispute_id", "ascending")]).to_pylist()
    return InvoicePage(invoice_id, buyer_id, facts.profile or {"buyer_id": buyer_id}, rows, disputes)


def choices(book: Book) -> dict[str, list[str]]:
    """The currencies and the companies of ours that invoices can be filtered by; of the companies only those that may be seen."""
    columns = invoices(book)
    allowed = book.scope.legal_entities
    entities = sorted(one for one in columns.entities if one and (not allowed or one in allowed))
    return {"currency": sorted(filter(None, columns.currencies)), "entity": entities}
