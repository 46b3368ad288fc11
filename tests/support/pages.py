"""Reading pages as a person would, and the ledger with plain arithmetic: what a page shows must be what a reader with pencil and paper finds."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

VOID = {"input", "br", "hr", "img", "meta", "link", "use", "rect", "path"}


class _Tables(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[list[str]]] = []
        self.open: list[list[list[str]]] = []
        self.cell: list[str] | None = None

    def handle_starttag(self, tag, attrs):
        if tag == "table":
            self.open.append([])
            self.tables.append(self.open[-1])
        elif tag == "tr" and self.open:
            self.open[-1].append([])
        elif tag in ("td", "th") and self.open:
            self.cell = []

    def handle_endtag(self, tag):
        if tag == "table" and self.open:
            self.open.pop()
        elif tag in ("td", "th") and self.cell is not None:
            self.open[-1][-1].append(re.sub(r"\s+", " ", "".join(self.cell)).strip())
            self.cell = None

    def handle_data(self, data):
        if self.cell is not None:
            self.cell.append(data)


def tables(answer: Any) -> list[list[list[str]]]:
    """The tables of a page, each a list of rows of cells as text, the heading first."""
    reader = _Tables()
    reader.feed(answer.content.decode())
    return reader.tables


def rows(answer: Any, place: int = 0) -> list[dict[str, str]]:
    """The rows of one table by their headings."""
    found = tables(answer)
    if len(found) <= place:
        return []
    heads, *body = found[place]
    return [dict(zip(heads, row, strict=False)) for row in body]


def number(text: str) -> float | None:
    """1,234.50 as a number; a dash is nothing."""
    return None if text == "–" else float(text.replace(",", ""))


@dataclass
class Account:
    """One buyer in one currency."""

    outstanding: int = 0
    overdue: int = 0
    unapplied: int = 0
    oldest: int | None = None
    invoices: int = 0
    open_invoices: int = 0


@dataclass
class Plain:
    """A book reckoned up row by row in Python: no measure, no engine, no cache."""

    profiles: dict[str, dict[str, Any]]
    invoices: list[dict[str, Any]]
    settlements: list[dict[str, Any]]
    accounts: dict[tuple[str, str], Account] = field(default_factory=lambda: defaultdict(Account))

    def total(self, currency: str, name: str = "outstanding") -> int:
        """One figure of every account in a currency."""
        return sum(getattr(one, name) for (_, code), one in self.accounts.items() if code == currency)


def plain(book: Any) -> Plain:
    """Reckon a book up."""
    invoices, settlements = (book.run(table).to_pylist() for table in (book.invoice, book.settlement))
    found = Plain({row["buyer_id"]: row for row in book.run(book.buyer).to_pylist()}, invoices, settlements)
    known = {(row["invoice_id"], row["instalment"], row["currency"]) for row in invoices}
    taken: dict[Any, int] = defaultdict(int)
    for row in settlements:
        key = (row["invoice_id"], row["instalment"], row["currency"])
        account = found.accounts[row["buyer_id"], row["currency"]]
        if key in known:
            taken[key] += row["amount_minor"]
        else:
            account.unapplied += row["amount_minor"]
    for row in invoices:
        row["open"] = row["amount_minor"] - taken[row["invoice_id"], row["instalment"], row["currency"]]
        row["late"] = (book.on - row["due_date"]).days if row["due_date"] else None
        account = found.accounts[row["buyer_id"], row["currency"]]
        account.invoices += 1
        account.unapplied += max(-row["open"], 0)  # paid too much
        if row["open"] > 0:
            account.outstanding += row["open"]
            account.open_invoices += 1
            if row["late"] is not None and row["late"] > 0:
                account.overdue += row["open"]
                account.oldest = max(account.oldest or 0, row["late"])
    return found
