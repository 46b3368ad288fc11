"""Printed batches: chosen, printed, addressed, posted.  打印邮寄批次"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from duecourse.messages import say
from duecourse.web.accounts.access import gate, may
from duecourse.web.accounts.audit import record
from duecourse.web.books import book_of
from duecourse.web.letters import posting
from duecourse.web.letters.models import Letter, PrintBatch
from duecourse.web.letters.pages import _file
from duecourse.web.letters.telling import line, seen
from duecourse.web.refusals import NotNowError

if TYPE_CHECKING:
    from django.http import HttpRequest

    from duecourse.ledger.book import Book


@require_safe
@gate("read")
def letters_batches(request: HttpRequest) -> HttpResponse:
    """The newest batches, with how many of each went."""
    book = book_of(request)
    rows = []
    for one in posting.batches():
        own = seen(book, one.letters.all())
        if own:
            rows.append({"batch": one, "count": len(own), "gone": sum(each.state == "sent" for each, _name in own)})
    return render(request, "letters/batches.html", {"book": book, "rows": rows})


@require_POST
@gate("letters")
def letters_print(request: HttpRequest) -> HttpResponse:
    """Take the chosen letters into a batch."""
    book = book_of(request)
    wanted = [int(one) for one in request.POST.getlist("letter") if one.isdecimal() and len(one) < 19]
    allowed = [one.pk for one, _name in seen(book, Letter.objects.filter(pk__in=wanted[: posting.MOST]))]
    batch, left = posting.print_batch(request, book, allowed)
    for row, wrong in left:
        messages.error(request, f"{row.number}: {say(wrong)}")
    if batch is None:
        if not left:
            messages.error(request, say("web.letters_none_chosen"))
        return HttpResponseRedirect(reverse("letters"))
    return HttpResponseRedirect(reverse("letters_batch", args=[batch.pk]))


def _batch(book: Book, pk: int) -> tuple[PrintBatch, list[tuple[Letter, str]]]:
    """A batch and its letters; only for somebody who may see every one of them, for they are printed together."""
    found = get_object_or_404(PrintBatch.objects.select_related("made_by"), pk=pk)
    every = list(found.letters.select_related("made_by").order_by("pk"))
    own = seen(book, every)
    if len(own) != len(every) or not own:
        raise Http404
    return found, own


@require_safe
@gate("read")
def letters_batch(request: HttpRequest, pk: int) -> HttpResponse:
    """One batch."""
    return render(request, "letters/batch.html", _words(request, pk))


def _words(request: HttpRequest, pk: int, fault: str = "") -> dict[str, Any]:
    book = book_of(request)
    found, own = _batch(book, pk)
    rows = [line(*one) for one in own]
    return {
        "book": book,
        "batch": found,
        "rows": rows,
        "fault": fault,
        "open": any(one["letter"].state == "sending" for one in rows),
        "may_send": may(request.user, "letters"),
    }


@require_safe
@gate("export")
def letters_batch_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """All its letters as one PDF, to print."""
    _found, own = _batch(book_of(request), pk)
    record(request, "exported", "letters.batch", pk)
    return _file(posting.merged(one for one, _name in own), f"letters-{pk}.pdf", "application/pdf")


@require_safe
@gate("export")
def letters_batch_csv(request: HttpRequest, pk: int) -> HttpResponse:
    """Its addresses."""
    _found, own = _batch(book_of(request), pk)
    record(request, "exported", "letters.addresses", pk)
    return _file(posting.address_sheet(one for one, _name in own), f"addresses-{pk}.csv", "text/csv; charset=utf-8")


@require_safe
@gate("export")
def letters_batch_addresses(request: HttpRequest, pk: int) -> HttpResponse:
    """The same as PDF."""
    book = book_of(request)
    found, own = _batch(book, pk)
    record(request, "exported", "letters.addresses", pk)
    made = posting.address_pages((one for one, _name in own), found, str(book.settings.get("company") or ""))
    return _file(made, f"addresses-{pk}.pdf", "application/pdf")


@require_POST
@gate("letters")
def letters_batch_posted(request: HttpRequest, pk: int) -> HttpResponse:
    """It was posted, with tracking numbers where there are any."""
    book = book_of(request)
    found, own = _batch(book, pk)
    try:
        on = date.fromisoformat(request.POST.get("on", ""))
        tracking = {one.pk: request.POST.get(f"tracking-{one.pk}", "").replace("\x00", "") for one, _name in own}
        count = posting.posted(request, book, found, on, tracking)
    except (ValueError, NotNowError):
        return render(request, "letters/batch.html", _words(request, pk, say("web.letters_day_to_come")), status=422)
    messages.success(request, say("web.letters_posted", count=count))
    return HttpResponseRedirect(reverse("letters_batch", args=[pk]))
