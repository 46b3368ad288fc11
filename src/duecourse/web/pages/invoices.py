"""The list of invoices, and the page of one: instalments, what settled them, what is contested, where it comes from.  发票"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.html import format_html
from django.views.decorators.http import require_safe

from duecourse.desk.invoice_page import alike, choices, invoice_page
from duecourse.desk.invoices import STATES, InvoicesQuery, export_invoices, list_invoices
from duecourse.errors import DuecourseError, FactUnknownError
from duecourse.glossary import label
from duecourse.messages import language, say, wording
from duecourse.tables import Column, Money, named
from duecourse.web.accounts.access import gate
from duecourse.web.addresses import path_of
from duecourse.web.books import book_of
from duecourse.web.pages import views
from duecourse.web.pages.asking import INVOICE_DAYS, INVOICE_SORTS, PER_PAGE, invoices_asked
from duecourse.web.pages.columns import NUMBERS, Cells, Head, amount, capital, heading, in_few_digits, list_column
from duecourse.web.pages.exports import WORKBOOK_ROWS, checked_form, file_of
from duecourse.web.pages.pager import Pager
from duecourse.web.pages.rows import rows_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django.http import HttpRequest, HttpResponse

    from duecourse.desk.invoice_page import InvoicePage
    from duecourse.desk.invoices import InvoicesPage
    from duecourse.ledger.book import Book
    from duecourse.web.pages.asking import Asked

COLUMNS: Final = ("legal_entity", "issue_date", "due_date", "days_past_due", "currency", "amount_minor", "open_minor")
"""Between the buyer and the state."""

FILE: Final = (
    "invoice_id", "instalment", "buyer_id", "name", "legal_entity", "issue_date", "due_date", "days_past_due", "currency", "amount_minor", "open_minor",
    "state", "disputed", "last_settled",
)  # fmt: skip
FACTS: Final = ("kind", "order_number", "legal_entity", "sales_owner", "payment_terms_days", "document_type", "text")


@dataclass(frozen=True)
class Chip:
    """A filter that is on: what it says, the address without it, and the field of the form it stands for."""

    words: str
    url: str
    name: str
    value: str


def _read(request: HttpRequest, book: Book) -> Asked:
    return invoices_asked(request.GET, lambda: book.base_currency)


@require_safe
@gate("read")
def invoices(request: HttpRequest) -> HttpResponse:
    """The list; asked for by a part of itself, that part alone."""
    liked = views.liking(request, "invoices")
    if set(request.GET) <= {"as_of", "known_at"} and liked.default and not request.htmx:  # type: ignore[attr-defined]
        return HttpResponseRedirect(views.address(request, "invoices", liked.default.query, liked.default))
    book = book_of(request)
    words: dict[str, Any] = {"book": book, "liked": liked, "fault": "", "room": "invoices"}
    status, asked = 200, None
    try:
        asked = _read(request, book)
        page = list_invoices(book, asked.query)
        if not page.rows and page.total:  # an old address: the list has become shorter
            asked = asked.at(-(-page.total // asked.per))
            page = list_invoices(book, asked.query)
        words |= _words(request, asked, page)
    except DuecourseError as error:
        words["fault"], status = error.message(), 422
    if request.htmx:  # type: ignore[attr-defined]
        answer = render(request, "pages/_invoices.html", words, status=status)
        if asked is not None:
            answer["HX-Push-Url"] = _url(request, asked.address(page=str(asked.page) if asked.page > 1 else None))
    else:
        words |= {"form": _form(request, book, asked)}
        answer = render(request, "pages/invoices.html", words, status=status)
    patch_vary_headers(answer, ["HX-Request"])
    return answer


def _url(request: HttpRequest, words: str) -> str:
    view = request.GET.get("view", "")
    more = {**request.viewpoint.query, **({"view": view} if view.isdecimal() else {})}  # type: ignore[attr-defined]
    query = "&".join(filter(None, (words, urlencode(more))))
    return f"{path_of('invoices')}?{query}" if query else path_of("invoices")


def _words(request: HttpRequest, asked: Asked, page: InvoicesPage) -> dict[str, Any]:
    columns = [list_column(name) for name in COLUMNS]
    heads = [
        list_column("invoice_id"),
        Column("buyer", heading=heading("buyer")),
        *columns,
        Column("state", heading=say("web.invoices_state")),
    ]

    def url_of(number: int) -> str:
        return _url(request, asked.address(page=str(number) if number > 1 else None))

    return {
        "heads": [_head(request, asked, column) for column in heads],
        "body": rows_for(request.viewpoint.query).invoice_list(page.rows, Cells(columns)),  # type: ignore[attr-defined]
        "page": page,
        "chips": _chips(request, asked),
        "pager": Pager(asked.page, asked.per, page.total, url_of, more=page.capped),
        "kept": [(name, value) for name, value in asked.words if name in ("sort", "dir", "per")],
        "query": asked.kept,
        "exports": {form: f"{path_of('invoices_export', form)}?{asked.address(**request.viewpoint.query)}" for form in ("csv", "xlsx")},  # type: ignore[attr-defined]
        "clear_url": _url(request, ""),
        "per_urls": [(number, _url(request, asked.address(per=None if number == 50 else str(number)))) for number in PER_PAGE],
    }  # fmt: skip


def _head(request: HttpRequest, asked: Asked, column: Column) -> Head:
    by = INVOICE_SORTS.get(column.name)
    query: InvoicesQuery = asked.query
    is_sorted = by == query.sort
    url = _url(request, asked.address(sort=column.name, dir=("asc" if query.falls else "desc") if is_sorted else None)) if by else ""
    return Head(
        column.name, column.heading, "", column.kind in NUMBERS, url, ("descending" if query.falls else "ascending") if is_sorted else ""
    )


def _chips(request: HttpRequest, asked: Asked) -> list[Chip]:
    found = []
    for name, value in asked.words:
        if name in ("sort", "dir", "per"):
            continue
        others = [(other, told) for other, told in asked.words if (other, told) != (name, value)]
        if name == "q":
            words = say("web.buyers_chip_text", text=value)
        elif name == "buyer":
            words = say("web.invoices_chip_buyer", value=value)
        elif name == "state":
            words = say(f"web.invoices_state_{value}")
        elif name in ("currency", "entity"):
            words = say(
                "web.buyers_chip_is",
                name=capital(label({"entity": "legal_entity"}.get(name, name))),
                value=value or say("web.buyers_without"),
            )
        else:
            words = say("web.invoices_chip_is", name=say(f"web.invoices_{name}"), value=value)
        found.append(Chip(words, _url(request, urlencode(others)), name, value))
    return found


def _form(request: HttpRequest, book: Book, asked: Asked | None) -> dict[str, Any]:
    query = asked.query if asked else InvoicesQuery()
    offered = choices(book)
    limits = asked.limits if asked else {}
    chosen = {"currency": query.currencies, "entity": query.legal_entities}
    return {
        "query": query,
        "states": [(state, say(f"web.invoices_state_{state or 'all'}")) for state in STATES],
        "menus": [
            {
                "word": word, "title": capital(label({"entity": "legal_entity"}.get(word, word))), "count": len(chosen[word]),
                "values": [(value, value in chosen[word]) for value in values],
            }
            for word, values in offered.items()
            if len(values) > 1
        ],
        "days": [(name, say(f"web.invoices_{name}"), limits.get(name, "")) for name in INVOICE_DAYS],
        "amounts": [(name, say(f"web.invoices_{name}"), limits.get(name, "")) for name in ("min_amount", "max_amount")],
        "limited": len(limits),
        "day": request.viewpoint.query.items(),  # type: ignore[attr-defined]
    }  # fmt: skip


@require_safe
@gate("export")
def export(request: HttpRequest, form: str) -> HttpResponse:
    """What the list shows, all its pages, as a file."""
    book = book_of(request)
    asked = _read(request, book)
    page = list_invoices(book, InvoicesQuery(**{**vars(asked.query), "offset": 0, "limit": 0}))
    checked_form(form, page.total)
    columns = [Column("state", "text", say("web.invoices_state")) if name == "state" else list_column(name) for name in FILE]
    rows = _told(row for batch in export_invoices(book, asked.query) for row in batch)
    if form == "xlsx":
        rows = _at_most(rows)
    return file_of(request, book, form, "invoices", say("web.invoices_title"), columns, rows, page.total, more=page.capped)  # type: ignore[return-value]


def _told(rows: Iterator[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    words = {state: say(f"web.invoices_state_{state}") for state in ("open", "overdue", "paid")}
    for row in rows:
        currency = row["currency"] or "XXX"
        yield {
            **named(row),
            "amount_minor": Money(row["amount_minor"], currency),
            "open_minor": Money(row["open_minor"], currency),
            "state": words[row["state"]],
        }


def _at_most(rows: Iterator[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The rows of a workbook: one that would become too long is given up for the reason it has."""
    for number, row in enumerate(rows, start=1):
        if number > WORKBOOK_ROWS:
            checked_form("xlsx", number)
        yield row


# One invoice


@require_safe
@gate("read")
def invoice(request: HttpRequest, invoice_id: str) -> HttpResponse:
    """The page of one invoice; one that is unknown offers those with numbers like it."""
    book = book_of(request)
    try:
        found = invoice_page(book, invoice_id)
    except FactUnknownError:
        rows = [named(row) for row in alike(book, invoice_id[:200])]
        return render(request, "pages/invoice_unknown.html", {"book": book, "wanted": invoice_id, "rows": rows}, status=404)
    words = {"book": book, "invoice_id": invoice_id, "pages": [_one(page) for page in found]}
    return render(request, "pages/invoice.html", words)


def _one(page: InvoicePage) -> dict[str, Any]:
    first = page.instalments[0]
    currency = first["currency"] or "XXX"
    same = [row for row in page.instalments if (row["currency"] or "XXX") == currency]
    billed, still = (sum(row[name] for row in same) for name in ("amount_minor", "open_minor"))
    late = max((row["days_past_due"] or 0 for row in same if row["open_minor"] > 0), default=0)
    overdue = sum(row["open_minor"] for row in same if row["open_minor"] > 0 and (row["days_past_due"] or 0) > 0)
    kind = "paid" if still <= 0 else "open" if late <= 0 else "overdue" if overdue >= still else "partly"
    told = {name: in_few_digits(minor, currency) for name, minor in (("amount", billed), ("open", still), ("overdue", overdue))}
    words = {name: format_html('<b title="{}">{} {}</b>', one["exact"], one["value"], one["unit"]) for name, one in told.items()}
    profile = named(page.profile)
    facts = [(heading(name), _fact(name, first[name])) for name in FACTS if first[name] not in (None, "")]
    return {
        "page": page,
        "buyer_name": profile.get("name") or page.buyer_id,
        "lede": format_html(wording(f"web.invoices_lede_{kind}", language(), {"days": late}), days=late, **words),
        "facts": facts,
        "estimated": bool(first["issue_date_estimated"]),
        "currency": currency,
        "totals": {"amount": amount(billed, currency), "open": amount(still, currency)} if len(same) > 1 and len(same) == len(page.instalments) else None,
        "settlements": sum(len(row["settlements"]) for row in page.instalments),
    }  # fmt: skip


def _fact(name: str, value: Any) -> str:
    return say("web.buyer_days", count=value) if name == "payment_terms_days" else str(value)
