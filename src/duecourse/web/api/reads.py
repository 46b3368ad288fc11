"""Reads: everything the pages show, typed, each as of a day and as known at a moment."""

# ruff: noqa: TC001, TC002, TC003 — the annotations are read when the program runs

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query
from pydantic import Field

from duecourse import __version__
from duecourse.desk import facts as facts_
from duecourse.desk.buyers import buyer_record
from duecourse.desk.facts import GRAINS
from duecourse.desk.findings import check_of, faults, findings
from duecourse.desk.groups import list_groups
from duecourse.desk.imported import change_of, history
from duecourse.desk.invoices import InvoicesQuery, list_invoices
from duecourse.desk.listing import BuyersQuery, list_buyers
from duecourse.desk.position import position as position_of
from duecourse.desk.refused import count as count_refused
from duecourse.desk.refused import lines as refused_lines
from duecourse.desk.settings import DEFAULTS
from duecourse.desk.standing import BUCKETS, COLUMNS
from duecourse.errors import BatchUnknownError, CheckUnknownError
from duecourse.money import decimal_string
from duecourse.web import books
from duecourse.web.api import shapes
from duecourse.web.api.application import api
from duecourse.web.api.auth import needs
from duecourse.web.api.problems import Problem
from duecourse.web.api.reading import At, Paged, book_for, page_of, reply, sent, with_next

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duecourse.desk.imported import Change
    from duecourse.ledger.book import Book

FIGURES: Final = ["Figures"]
LISTS: Final = ["Lists"]
LEDGER: Final = ["Ledger"]
READ: Final = needs("read")


def _buckets(amounts: Mapping[str, Any], currency: str, ids: Sequence[str]) -> list[dict[str, str]]:
    return [{"bucket": name, "amount": decimal_string(amounts.get(name) or 0, currency)} for name in ids]


class PositionWords(At):
    """How the position is drawn up."""

    by: Literal["due_date", "issue_date"] = Field("due_date", description="Age by due date or by issue date")


@api.get("/position", auth=READ, response=shapes.PositionAnswer, operation_id="getPosition", tags=FIGURES, summary="Where we stand")
def position(request: HttpRequest, words: Query[PositionWords]) -> HttpResponse:
    """Outstanding, overdue, ageing, DSO, CEI and the other key figures, per currency and in base currency."""
    book = book_for(request, words)
    found = position_of(book, by=words.by)

    def one(place: Any) -> dict[str, Any]:
        figures = shapes.shaped(shapes.Kpi, place.figures)
        return {"currency": place.currency, "figures": figures, "buckets": _buckets(place.buckets, place.currency, found.buckets.ids)}

    return reply(
        request, book, base_currency=book.base_currency, currencies=[one(place) for place in found.currencies],
        base=one(found.base) if found.base else None, not_converted=list(found.not_converted),
    )  # fmt: skip


class AgeingWords(PositionWords):
    """The grain of the ageing."""

    per: list[Literal[GRAINS]] = Field([], max_length=3, description="One row per currency and each of these")  # type: ignore[valid-type]


MOST_GROUPS: Final = 10_000


@api.get("/ageing", auth=READ, response=shapes.AgeingAnswer, operation_id="getAgeing", tags=FIGURES, summary="How old is what is owed")
def ageing(request: HttpRequest, words: Query[AgeingWords]) -> HttpResponse:
    """Every bucket of every grain; buckets add up to what is outstanding. At most 10,000 grains."""
    book = book_for(request, words)
    rows = facts_.ageing_rows(book, by=words.by, per=words.per, most=MOST_GROUPS)
    return reply(request, book, rows=_ageing_rows(rows, [name for name in words.per if name != "currency"]))


def _ageing_rows(rows: Sequence[Mapping[str, Any]], per: Sequence[str]) -> list[dict[str, Any]]:
    return [{**shapes.shaped(shapes.AgeingRow, row), "grain": {name: row[name] for name in per}} for row in rows]


class HistoryWords(At):
    """How far back."""

    months: int = Field(12, ge=1, le=120)


@api.get("/history", auth=READ, response=shapes.HistoryAnswer, operation_id="getHistory", tags=FIGURES, summary="How it developed")
def trend(request: HttpRequest, words: Query[HistoryWords]) -> HttpResponse:
    """Month by month: balances and ageing at its close, sales, cash, credits, DSO, CEI."""
    book = book_for(request, words)
    buckets, rows, base = facts_.month_rows(book, words.months)

    def shaped(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        ordered = sorted(found, key=lambda row: (row["month_end"], row["currency"]))
        return [{**shapes.shaped(shapes.Month, row), "buckets": _buckets(row, row["currency"], buckets)} for row in ordered]

    return reply(request, book, base_currency=book.base_currency, months=shaped(rows), base=shaped(base))


class BuyersWords(Paged):
    """Which buyers, in which order."""

    search: str = Field("", max_length=200, description="Part of a name in either script, of the number or registration number")
    country: list[str] = Field([], max_length=50, description="Any of these; an empty value = those without one")
    sector: list[str] = Field([], max_length=50)
    sales_owner: list[str] = Field([], max_length=50)
    legal_entity: list[str] = Field([], max_length=50)
    currency: list[str] = Field([], max_length=50)
    group: list[str] = Field([], max_length=50)
    overdue_only: bool = False
    bucket: Literal[("", *BUCKETS)] = Field("", description="Only with something outstanding in this bucket")  # type: ignore[valid-type]
    sort: Literal[COLUMNS] = Field("overdue", description="Figures largest first, texts from the beginning")  # type: ignore[valid-type]
    descending: bool | None = Field(None, description="The other way round")


@api.get("/buyers", auth=READ, response=shapes.BuyersAnswer, operation_id="listBuyers", tags=LISTS, summary="The buyers with their figures")
def buyers(request: HttpRequest, words: Query[BuyersWords]) -> HttpResponse:
    """One row per buyer and currency, filtered, searched and sorted like the page."""
    book, offset = page_of(request, words)
    found = list_buyers(
        book,
        BuyersQuery(
            text=words.search, countries=frozenset(words.country), sectors=frozenset(words.sector), sales_owners=frozenset(words.sales_owner),
            legal_entities=frozenset(words.legal_entity), currencies=frozenset(words.currency), groups=frozenset(words.group),
            overdue_only=words.overdue_only, bucket=words.bucket, sort=words.sort, descending=words.descending, offset=offset,
            limit=words.limit + 1,
        ),
    )  # fmt: skip
    rows, following = with_next(book, offset, words.limit, list(found.rows))
    return reply(
        request, book, total=found.total, buyers=found.buyers, next=following, base_currency=found.base_currency,
        rows=shapes.all_shaped(shapes.BuyerRow, rows, base=found.base_currency),
    )  # fmt: skip


def _known(book: Book, buyer_id: str) -> None:
    if not facts_.known_buyer(book, buyer_id):
        raise Problem(404, "fact_unknown", kind="buyers", key=buyer_id)


@api.get("/buyers/{key:buyer_id}", auth=READ, response=shapes.BuyerAnswer, operation_id="getBuyer", tags=LISTS, summary="One buyer")
def buyer(request: HttpRequest, buyer_id: str, words: Query[At]) -> HttpResponse:
    """Who it is, its figures per currency, and the ageing of what it owes."""
    book = book_for(request, words)
    record = buyer_record(book, buyer_id)
    figures = []
    for row in record.figures:
        share = row["overdue"] / row["outstanding"] if row["outstanding"] else None
        figures.append(shapes.shaped(shapes.BuyerFigures, {**row, "overdue_share": share}))
    return reply(
        request, book, profile=shapes.profile(record.profile), figures=figures, ageing=_ageing_rows(record.ages, []),
    )  # fmt: skip


class FactsWords(Paged):
    """Which facts."""

    since: date | None = Field(None, description="First day on which they happened")
    until: date | None = Field(None, description="Last day on which they happened")


class BuyersFactsWords(FactsWords):
    """Which facts, of which buyer."""

    buyer_id: str | None = Field(None, max_length=100)


class OpenWords(BuyersFactsWords):
    """Which of them."""

    open_only: bool = Field(False, description="Only those that are open")


class InvoicesWords(Paged):
    """Which invoices, in which order."""

    state: Literal["", "open", "overdue", "paid", "disputed"] = Field("", description="`disputed` = with an open dispute")
    search: str = Field("", max_length=100, description="Part of the invoice number")
    buyer_id: str = Field("", max_length=100)
    currency: list[str] = Field([], max_length=50, description="Any of these")
    legal_entity: list[str] = Field([], max_length=50, description="Any of these")
    issued_from: date | None = None
    issued_to: date | None = None
    due_from: date | None = None
    due_to: date | None = None
    sort: Literal["issue_date", "due_date", "amount", "open"] = Field(
        "issue_date", description="Newest or largest first, due dates the earliest"
    )
    descending: bool | None = Field(None, description="The other way round")


class SettlementsWords(BuyersFactsWords):
    """Which settlements."""

    invoice_id: str | None = Field(None, max_length=100)


def _equal(words: Any) -> dict[str, str]:
    return {name: getattr(words, name) for name in ("buyer_id", "invoice_id") if getattr(words, name, None)}


@api.get(
    "/invoices", auth=READ, response=shapes.InvoicesAnswer, operation_id="listInvoices", tags=LISTS, summary="Invoices with what is open"
)
def invoices(request: HttpRequest, words: Query[InvoicesWords]) -> HttpResponse:
    """One row per invoice and instalment, filtered and sorted like the page."""
    book, offset = page_of(request, words)
    found = list_invoices(
        book,
        InvoicesQuery(
            state=words.state, text=words.search, buyer_id=words.buyer_id, currencies=frozenset(words.currency),
            legal_entities=frozenset(words.legal_entity), issued_from=words.issued_from, issued_to=words.issued_to, due_from=words.due_from,
            due_to=words.due_to, sort=words.sort, descending=words.descending, offset=offset, limit=words.limit + 1,
        ),
    )  # fmt: skip
    rows, following = with_next(
        book, offset, words.limit, [{name.removesuffix("_minor"): value for name, value in row.items()} for row in found.rows]
    )
    return reply(
        request, book, total=None if found.capped else found.total, next=following, base_currency=book.base_currency,
        rows=shapes.all_shaped(shapes.InvoiceRow, rows, base=book.base_currency),
    )  # fmt: skip


@api.get(
    "/invoices/{key:invoice_id}/{int:instalment}",
    auth=READ,
    response=shapes.InvoiceAnswer,
    operation_id="getInvoice",
    tags=LISTS,
    summary="One invoice",
)
def invoice(request: HttpRequest, invoice_id: str, instalment: int, words: Query[At]) -> HttpResponse:
    """What was billed, what is open, what was set against it and what is disputed; each with where it came from."""
    book = book_for(request, words)
    found = facts_.invoice_with_all(book, invoice_id, instalment)
    if found is None:
        raise Problem(404, "fact_unknown", kind="invoices", key=f"{invoice_id} / {instalment}")
    row, settled, contested = found
    return reply(
        request, book, invoice=shapes.shaped(shapes.Invoice, row), settlements=shapes.all_shaped(shapes.Settlement, settled),
        disputes=shapes.all_shaped(shapes.Dispute, contested),
    )  # fmt: skip


def list_facts(request: HttpRequest, words: Any, kind: str, model: Any, **more: Any) -> HttpResponse:
    """A page of facts of one kind."""
    book, offset = page_of(request, words)
    found = facts_.facts(
        book, kind, equal=_equal(words), since=words.since, until=words.until, offset=offset, limit=words.limit + 1, **more
    )  # fmt: skip
    rows, following = with_next(book, offset, words.limit, found)
    return reply(request, book, total=None, next=following, rows=shapes.all_shaped(model, rows))


@api.get(
    "/settlements",
    auth=READ,
    response=shapes.SettlementsAnswer,
    operation_id="listSettlements",
    tags=LISTS,
    summary="Payments, credits and other reductions",
)
def settlements(request: HttpRequest, words: Query[SettlementsWords]) -> HttpResponse:
    """Newest first."""
    return list_facts(request, words, "settlements", shapes.Settlement)


@api.get("/disputes", auth=READ, response=shapes.DisputesAnswer, operation_id="listDisputes", tags=LISTS, summary="Disputes")
def disputes(request: HttpRequest, words: Query[OpenWords]) -> HttpResponse:
    """Newest first; one that was resolved after the day of the book is open."""
    return list_facts(request, words, "disputes", shapes.Dispute, open_only=words.open_only)


@api.get("/orders", auth=READ, response=shapes.OrdersAnswer, operation_id="listOrders", tags=LISTS, summary="Sales orders")
def orders(request: HttpRequest, words: Query[OpenWords]) -> HttpResponse:
    """Newest first, with their status as of the day of the book."""
    return list_facts(request, words, "orders", shapes.Order, open_only=words.open_only)


@api.get("/exchange-rates", auth=READ, response=shapes.RatesAnswer, operation_id="listExchangeRates", tags=LISTS, summary="Exchange rates")
def rates(request: HttpRequest, words: Query[FactsWords]) -> HttpResponse:
    """Newest first."""
    book, offset = page_of(request, words)
    found = facts_.facts(book, "exchange-rates", since=words.since, until=words.until, offset=offset, limit=words.limit + 1)
    rows, following = with_next(book, offset, words.limit, found)
    told = [{**shapes.shaped(shapes.ExchangeRate, row), "rate": f"{Decimal(repr(row['rate'])):f}"} for row in rows]
    return reply(request, book, total=None, next=following, rows=told)


@api.get(
    "/buyers/{key:buyer_id}/invoices",
    auth=READ,
    response=shapes.BuyersInvoicesAnswer,
    operation_id="listInvoicesOfBuyer",
    tags=LISTS,
    summary="One buyer's invoices",
)
def buyers_invoices(request: HttpRequest, buyer_id: str, words: Query[FactsWords], *, open_only: bool = False) -> HttpResponse:
    """Newest first, with what is open on each."""
    book, offset = page_of(request, words)
    _known(book, buyer_id)
    found = facts_.invoice_rows(
        book, buyer_id, since=words.since, until=words.until, open_only=open_only, offset=offset, limit=words.limit + 1
    )  # fmt: skip
    rows, following = with_next(book, offset, words.limit, found)
    return reply(request, book, total=None, next=following, rows=shapes.all_shaped(shapes.Invoice, rows))


def _of_buyer(request: HttpRequest, buyer_id: str, words: FactsWords, kind: str, model: Any) -> HttpResponse:
    book, offset = page_of(request, words)
    _known(book, buyer_id)
    found = facts_.facts(
        book, kind, equal={"buyer_id": buyer_id}, since=words.since, until=words.until, offset=offset, limit=words.limit + 1
    )
    rows, following = with_next(book, offset, words.limit, found)
    return reply(request, book, total=None, next=following, rows=shapes.all_shaped(model, rows))


@api.get(
    "/buyers/{key:buyer_id}/settlements", auth=READ, response=shapes.SettlementsAnswer, operation_id="listSettlementsOfBuyer", tags=LISTS,
    summary="One buyer's payments and credits",
)  # fmt: skip
def buyers_settlements(request: HttpRequest, buyer_id: str, words: Query[FactsWords]) -> HttpResponse:
    """Newest first, whatever they were applied to."""
    return _of_buyer(request, buyer_id, words, "settlements", shapes.Settlement)


@api.get(
    "/buyers/{key:buyer_id}/disputes",
    auth=READ,
    response=shapes.DisputesAnswer,
    operation_id="listDisputesOfBuyer",
    tags=LISTS,
    summary="One buyer's disputes",
)
def buyers_disputes(request: HttpRequest, buyer_id: str, words: Query[FactsWords]) -> HttpResponse:
    """Newest first."""
    return _of_buyer(request, buyer_id, words, "disputes", shapes.Dispute)


@api.get(
    "/buyers/{key:buyer_id}/timeline",
    auth=READ,
    response=shapes.TimelineAnswer,
    operation_id="getTimeline",
    tags=LISTS,
    summary="What happened with one buyer",
)
def timeline(request: HttpRequest, buyer_id: str, words: Query[Paged]) -> HttpResponse:
    """Invoices, settlements, disputes and orders by day, newest first."""
    book, offset = page_of(request, words)
    _known(book, buyer_id)
    rows, following = with_next(book, offset, words.limit, facts_.timeline(book, buyer_id, offset=offset, limit=words.limit + 1))
    return reply(request, book, total=None, next=following, rows=shapes.all_shaped(shapes.Event, rows))


class GroupsWords(Paged):
    """Which groups."""

    search: str = Field("", max_length=200, description="Part of the group's name or number")


@api.get("/groups", auth=READ, response=shapes.GroupsAnswer, operation_id="listGroups", tags=LISTS, summary="Groups of buyers")
def groups(request: HttpRequest, words: Query[GroupsWords]) -> HttpResponse:
    """What each group of two and more buyers owes, most first."""
    book, offset = page_of(request, words)
    found = list_groups(book, text=words.search, offset=offset, limit=words.limit + 1)
    rows, following = with_next(book, offset, words.limit, list(found.rows))
    return reply(request, book, total=found.total, next=following, rows=shapes.all_shaped(shapes.Group, rows))


@api.get("/findings", auth=READ, response=shapes.FindingsAnswer, operation_id="getFindings", tags=LEDGER, summary="What the checks found")
def findings_(request: HttpRequest, words: Query[At]) -> HttpResponse:
    """Does the book hold together? Each check that found something, the gravest first."""
    book = book_for(request, words)
    told = [
        {"code": one.code, "severity": one.severity, "count": one.count, "examples": [example.message() for example in one.examples]}
        for one in findings(book)
    ]
    return reply(request, book, findings=told)


@api.get(
    "/findings/{code}", auth=READ, response=shapes.FaultsAnswer, operation_id="listFaults", tags=LEDGER, summary="The rows one check found"
)
def faults_(request: HttpRequest, code: str, words: Query[Paged]) -> HttpResponse:
    """In the order of their imports."""
    book, offset = page_of(request, words)
    try:
        check_of(code)
    except CheckUnknownError:
        raise Problem(404) from None
    found = [
        {
            "code": one.finding.code, "severity": one.finding.severity, "message": one.finding.message(), "subject": one.subject,
            "buyer_id": one.buyer_id or None, "invoice_id": one.invoice_id or None, "source": one.batch or None, "source_row": one.finding.row,
        }
        for one in faults(book, code, offset=offset, limit=words.limit + 1)
    ]  # fmt: skip
    rows, following = with_next(book, offset, words.limit, found)
    return reply(request, book, total=None, next=following, rows=rows)


class QuarantineWords(Paged):
    """Which lines."""

    file: str = Field("", max_length=64, description="SHA-256 of the file")
    code: str = Field("", max_length=60, description="The reason")
    batch: str = Field("", max_length=60, description="The import that refused them")
    fixed: bool = Field(False, description="Those that were corrected since, instead of those that wait")


@api.get(
    "/quarantine",
    auth=READ,
    response=shapes.QuarantineAnswer,
    operation_id="listQuarantine",
    tags=LEDGER,
    summary="Lines that were refused",
)
def quarantine(request: HttpRequest, words: Query[QuarantineWords]) -> HttpResponse:
    """Lines of imported files that could not be used, as they were written, with the reason. Seen by people without a row scope only."""
    book, offset = page_of(request, words)
    chosen: dict[str, Any] = {"file": words.file, "code": words.code, "batch": words.batch, "fixed": words.fixed}
    rows, following = with_next(book, offset, words.limit, refused_lines(book, **chosen, offset=offset, limit=words.limit + 1))
    told = [
        {
            "file_name": one.file_name, "file_sha256": one.file_sha256, "file_row": one.file_row, "code": one.finding.code,
            "message": one.finding.message(), "column": one.finding.column, "value": one.finding.value, "cells": dict(one.cells),
            "fixed_by": one.fixed_by,
        }
        for one in rows
    ]  # fmt: skip
    return reply(request, book, total=count_refused(book, **chosen), next=following, rows=told)


class ChangesWords(Paged):
    """Which changes."""

    imports_only: bool = Field(False, description="Only imported files")


@api.get("/changes", auth=READ, response=shapes.ChangesAnswer, operation_id="listChanges", tags=LEDGER, summary="The ledger's journal")
def changes(request: HttpRequest, words: Query[ChangesWords]) -> HttpResponse:
    """Every import, post, withdrawal and other change, newest first. Seen by people without a row scope only."""
    book, offset = page_of(request, words)
    ledger: Any = book.ledger
    found = [] if book.scope.restricts else _known_then(book, history(ledger, imports_only=words.imports_only))
    rows = [_change(one) for one in found[offset : offset + words.limit + 1]]
    rows, following = with_next(book, offset, words.limit, rows)
    return reply(request, book, total=len(found), next=following, rows=rows)


@api.get(
    "/changes/{batch_id}",
    auth=READ,
    response=shapes.ChangeAnswer,
    operation_id="getChange",
    tags=LEDGER,
    summary="One change of the ledger",
)
def change(request: HttpRequest, batch_id: str, words: Query[At]) -> HttpResponse:
    """What an import or post did, and whether it was withdrawn."""
    book = book_for(request, words)
    ledger: Any = book.ledger
    try:
        found = _known_then(book, [] if book.scope.restricts else [change_of(ledger, batch_id)])
    except BatchUnknownError:
        found = []
    if not found:
        raise Problem(404)
    return reply(request, book, change=_change(found[0]))


def _known_then(book: Book, found: list[Change]) -> list[Change]:
    return [one for one in found if book.known_at is None or one.row.recorded_at <= book.known_at]


def _change(one: Change) -> dict[str, Any]:
    row = one.row
    return {
        "version": row.version, "batch_id": row.batch_id, "kind": row.kind, "recorded_at": row.recorded_at, "file_name": row.file_name or None,
        "note": row.note or None, "by": one.by or None, "added": one.added, "corrected": one.corrected, "unchanged": one.unchanged,
        "quarantined": one.quarantined, "withdrawn_at": one.withdrawn.recorded_at if one.withdrawn else None,
    }  # fmt: skip


@api.get("/settings", auth=READ, response=shapes.SettingsAnswer, operation_id="getSettings", tags=LEDGER, summary="The firm's settings")
def settings(request: HttpRequest, words: Query[At]) -> HttpResponse:
    """As they held on the day of the book."""
    book = book_for(request, words)
    chosen = {name: book.settings.get(name, default) for name, default in DEFAULTS.items()}
    return reply(
        request, book, company=str(chosen["company"] or ""), base_currency=book.base_currency, ageing_buckets=list(chosen["ageing_buckets"])
    )  # fmt: skip


@api.get("/ledger", auth=READ, response=shapes.LedgerAnswer, operation_id="getLedger", tags=LEDGER, summary="The ledger itself")
def ledger(request: HttpRequest) -> HttpResponse:
    """Is it there, at which version, and which day is meant where none is named?"""
    found = books.ledger()
    recorded_at: datetime = found.state.last.recorded_at
    return sent(
        request,
        {
            "status": "ok", "ledger_version": found.version, "recorded_at": recorded_at, "default_as_of": books.day_of(found),
            "api_version": "1", "product_version": __version__,
        },
    )  # fmt: skip
