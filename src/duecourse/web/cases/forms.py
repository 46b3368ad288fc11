"""The forms of a case: each parses what was typed, does one act, and shows the case again."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from duecourse.errors import AmountInexactError, CurrencyUnknownError
from duecourse.messages import say
from duecourse.money import to_minor
from duecourse.web.accounts.access import gate
from duecourse.web.accounts.models import Person
from duecourse.web.books import book_of
from duecourse.web.cases import acting
from duecourse.web.cases.models import Task
from duecourse.web.cases.pages import case_words, seen_case
from duecourse.web.imports.wording import typed_amount
from duecourse.web.refusals import NotNowError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.http import HttpRequest, HttpResponse

    from duecourse.ledger.book import Book

ROWS: Final = 12


def _tried(request: HttpRequest, pk: int, work: Callable[[Book], Any], said: str) -> HttpResponse:
    book = book_of(request)
    seen_case(book, pk)
    try:
        work(book)
    except NotNowError as error:
        args: dict[str, Any] = {name: f"{value}" for name, value in error.args_.items()}
        return render(request, "cases/case.html", case_words(request, book, pk, say(error.code, **args), request.POST), status=409)
    if said:
        messages.success(request, say(said))
    return HttpResponseRedirect(reverse("case", args=[pk]))


def _day(form: Mapping[str, str], name: str) -> date:
    text = form.get(name, "").strip()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotNowError("web.cases_day_missing", value=text[:20]) from None


def _day_or_none(form: Mapping[str, str], name: str) -> date | None:
    return _day(form, name) if form.get(name, "").strip() else None


def _amount(form: Mapping[str, str], name: str, currency: str) -> int | None:
    text = form.get(name, "").strip()
    if not text:
        return None
    found = typed_amount(text)
    try:
        minor = None if found is None else to_minor(found, currency)
    except (AmountInexactError, CurrencyUnknownError):
        minor = None
    if minor is None or minor < 0:
        raise NotNowError("web.cases_amount_unreadable", value=text[:40])
    return minor


def _mark(form: Mapping[str, str]) -> str:
    mark = form.get("mark", "")[:40]
    if not mark.isalnum():
        raise NotNowError("web.cases_form_stale")
    return mark


@require_POST
@gate("note")
def case_open(request: HttpRequest, buyer_id: str) -> HttpResponse:
    """Open a case for a buyer by hand."""
    book = book_of(request)
    form = request.POST
    try:
        opened = acting.open_by_hand(request, book, buyer_id, form.get("note", ""), _mark(form))
    except NotNowError as error:
        messages.error(request, say(error.code))
        return HttpResponseRedirect(reverse("buyer", args=[buyer_id]))
    messages.success(request, say("web.cases_done_open"))
    return HttpResponseRedirect(reverse("case", args=[opened.pk]))


@require_POST
@gate("note")
def case_assign(request: HttpRequest, pk: int) -> HttpResponse:
    """Give it to somebody."""
    wanted = request.POST.get("to", "")
    person = Person.objects.filter(pk=int(wanted), is_active=True).first() if wanted.isdecimal() else None
    return _tried(request, pk, lambda book: acting.assign(request, book, pk, person, _mark(request.POST)), "web.cases_done_assign")


@require_POST
@gate("note")
def case_note(request: HttpRequest, pk: int) -> HttpResponse:
    """Write something down."""
    return _tried(request, pk, lambda book: acting.note(request, book, pk, request.POST.get("note", ""), _mark(request.POST)), "")


@require_POST
@gate("note")
def case_call(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down a call, and the promise that was made in it."""
    form = request.POST

    def work(book: Book) -> None:
        answered = form.get("answered") != "no"
        currency = form.get("currency", "")
        amount = _amount(form, "amount", currency)
        mark = _mark(form)
        promised_on = _day(form, "promised_on") if amount else None
        acting.call(request, book, pk, _day(form, "on"), form.get("who", "").strip()[:200], answered, form.get("note", ""), mark)
        if amount and promised_on is not None:
            acting.promise(request, book, pk, amount, currency, promised_on, form.get("who", ""), mark)

    return _tried(request, pk, work, "web.cases_done_call")


@require_POST
@gate("note")
def case_happened(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down what happened elsewhere."""
    form = request.POST

    def work(book: Book) -> None:
        currency = form.get("currency", "")
        acting.happened(
            request, book, pk, form.get("kind", ""), _day(form, "on"), _mark(form), received_on=_day_or_none(form, "received_on"),
            due_on=_day_or_none(form, "due_on"), party=form.get("who", "").strip()[:200], reference=form.get("reference", "").strip()[:200], amount_minor=_amount(form, "amount", currency) or None,
            currency=currency, proof=form.get("proof", "").strip()[:64], text=form.get("note", ""),
        )  # fmt: skip

    return _tried(request, pk, work, "web.cases_done_happened")


@require_POST
@gate("note")
def case_dispute(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down a dispute."""
    form = request.POST

    def work(book: Book) -> None:
        invoice_id, _, instalment = form.get("invoice", "").rpartition("|")
        row = (
            seen_case(book, pk)[0]
            .invoices.filter(invoice_id=invoice_id, instalment=int(instalment) if instalment.isdecimal() else 0)
            .first()
        )
        if row is None:
            raise NotNowError("web.cases_invoice_missing")
        amount = _amount(form, "amount", row.currency)
        acting.dispute(request, book, pk, row.invoice_id, row.instalment, amount, form.get("note", ""), _mark(form))

    return _tried(request, pk, work, "web.cases_done_dispute")


@require_POST
@gate("note")
def case_plan(request: HttpRequest, pk: int) -> HttpResponse:
    """Agree on a payment plan."""
    form = request.POST

    def work(book: Book) -> None:
        currency = form.get("currency", "")
        rows = [
            (_day(form, f"on_{number}"), _amount(form, f"amount_{number}", currency) or 0)
            for number in range(1, ROWS + 1)
            if form.get(f"on_{number}", "").strip() or form.get(f"amount_{number}", "").strip()
        ]
        grace = form.get("default_days", "").strip()
        acting.agree_plan(request, book, pk, currency, rows, int(grace) if grace.isdecimal() else 7, form.get("security", ""), _mark(form))

    return _tried(request, pk, work, "web.cases_done_plan")


@require_POST
@gate("note")
def case_pause(request: HttpRequest, pk: int) -> HttpResponse:
    """Let it rest."""
    form = request.POST
    return _tried(
        request,
        pk,
        lambda book: acting.pause(request, book, pk, _day(form, "until"), form.get("note", ""), _mark(form)),
        "web.cases_done_pause",
    )


@require_POST
@gate("note")
def case_resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Go on."""
    return _tried(request, pk, lambda book: acting.resume(request, book, pk, _mark(request.POST)), "web.cases_done_resume")


@require_POST
@gate("note")
def case_task(request: HttpRequest, pk: int) -> HttpResponse:
    """A task of one's own."""
    form = request.POST
    return _tried(
        request,
        pk,
        lambda book: acting.add_task(request, book, pk, form.get("said", ""), _day(form, "due_on"), _mark(form)),
        "web.cases_done_task",
    )


@require_POST
@gate("note")
def task_end(request: HttpRequest, pk: int) -> HttpResponse:
    """A task is done, or left out."""
    task = get_object_or_404(Task, pk=pk)
    form = request.POST
    return _tried(
        request, task.case_id, lambda book: acting.end_task(request, book, pk, form.get("state", ""), form.get("note", ""), form.get("proof", "")), "web.cases_done_ended"
    )  # fmt: skip


@require_POST
@gate("note")
def case_close(request: HttpRequest, pk: int) -> HttpResponse:
    """Close it with its result."""
    form = request.POST

    def work(book: Book) -> None:
        one, _name = seen_case(book, pk)
        acting.close(request, book, pk, form.get("result", ""), _amount(form, "recovered", one.currency), form.get("note", ""), _mark(form))

    return _tried(request, pk, work, "web.cases_done_close")
