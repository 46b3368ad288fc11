"""The monthly review: one page a month end, kept, with charts; and the same as PDF.  月度复盘"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.db.models import Max
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST, require_safe

from duecourse.calendar import add_months, month_end
from duecourse.desk.monthly_review import last_month_end
from duecourse.messages import language, say
from duecourse.web import books
from duecourse.web.accounts.access import may
from duecourse.web.accounts.audit import record
from duecourse.web.books import book_of
from duecourse.web.credit_file.views import _panels
from duecourse.web.imports.whole import person_of, whole_gate
from duecourse.web.jobs.models import FAILED, UNFINISHED, JobRun
from duecourse.web.jobs.queue import enqueue
from duecourse.web.review.background import MONTH
from duecourse.web.review.backtests import PAGE
from duecourse.web.review.models import Backtest, MonthlyReview
from duecourse.web.review.pieces import composite_of, count_of, on_paper, pieces

if TYPE_CHECKING:
    from django.http import HttpRequest

OFFERED: Final = 24
"""So many month ends back a review can be asked for."""
OVER_TIME: Final = 24


def newest() -> list[MonthlyReview]:
    """The newest review of each month end, latest month first."""
    latest = MonthlyReview.objects.order_by().values("month_end").annotate(newest=Max("id")).values_list("newest", flat=True)
    return list(MonthlyReview.objects.filter(pk__in=list(latest)).select_related("made_by").order_by("-month_end"))


def over_time(kept: list[MonthlyReview], until: date) -> list[dict[str, Any]]:
    """How far the inputs had moved at each month end kept up to this one, oldest first."""
    shown = [one for one in kept if one.month_end <= until][:OVER_TIME]
    return [
        {"month_end": one.month_end.isoformat(), "composite": composite_of(one.report), "much": count_of(one.report, "much")}
        for one in reversed(shown)
    ]


@require_safe
@whole_gate("read", page=PAGE)
def review(request: HttpRequest) -> HttpResponse:
    """The months kept, the newest in short; what is being drawn up; the backtests beside them."""
    kept, ledger = newest(), books.ledger()
    on = last_month_end(books.day_of(ledger))
    running = JobRun.objects.filter(name=MONTH, status__in=UNFINISHED, schedule="").order_by("run_after").first()
    failed = JobRun.objects.filter(name=MONTH, schedule="").order_by("-id").first()
    rows = [
        {
            "one": one, "composite": composite_of(one.report), "much": count_of(one.report, "much"), "some": count_of(one.report, "some"),
            "wrong": sum(not each["is_right"] for each in one.report["calibration"].values()), "periods": len(one.report["calibration"]),
            "right": one.report["verdicts"]["right_share"], "worse": one.report["migration"]["worse"], "stale": one.ledger_version != ledger.version,
        }
        for one in kept
    ]  # fmt: skip
    words = {
        "book": book_of(request), "rows": rows, "running": running, "failed": failed if failed and failed.status == FAILED else None,
        "may_draw": may(request.user, "decide") and not request.viewpoint.query,  # type: ignore[attr-defined]
        "months": [month_end(add_months(on, -number)) for number in range(OFFERED)], "may_jobs": may(request.user, "jobs"),
        "backtests": Backtest.objects.exclude(finished_at=None).count(),
    }  # fmt: skip
    return render(request, "review/_review.html" if request.headers.get("HX-Request") else "review/review.html", words)


@require_POST
@whole_gate("decide", page=PAGE)
def draw(request: HttpRequest) -> HttpResponse:
    """Have a month end drawn up from what the ledger says now."""
    ledger = books.ledger()
    try:
        end = month_end(date.fromisoformat(request.POST.get("month_end", "")))
    except ValueError:
        raise Http404 from None
    if end > last_month_end(books.day_of(ledger)):
        raise Http404
    key = f"{end} {ledger.version} {timezone.now():%Y-%m-%d %H:%M}"
    enqueue(MONTH, key=key, person=person_of(request), day=end.isoformat())
    record(request, "review.draw", "review", end)
    messages.success(request, say("web.review_drawing", day=end))
    return HttpResponseRedirect(reverse("review"))


def _found(year: int, month: int) -> tuple[MonthlyReview, list[MonthlyReview]]:
    if not 1900 <= year <= 9999 or not 1 <= month <= 12:
        raise Http404
    kept = newest()
    end = date(year, month, monthrange(year, month)[1])
    one = next((each for each in kept if each.month_end == end), None)
    if one is None:
        raise Http404
    return one, kept


@require_safe
@whole_gate("read", page=PAGE)
def review_month(request: HttpRequest, year: int, month: int) -> HttpResponse:
    """One month end."""
    one, kept = _found(year, month)
    place = kept.index(one)
    panels = _panels(pieces(one.report, over_time(kept, one.month_end)))
    words = {
        "book": book_of(request), "one": one, "panels": panels, "may_export": may(request.user, "export"), "before": kept[place + 1] if place + 1 < len(kept) else None,
        "after": kept[place - 1] if place else None, "stale": one.ledger_version != books.ledger().version,
    }  # fmt: skip
    return render(request, "review/month.html", words)


@require_safe
@whole_gate("export", page=PAGE)
def review_month_pdf(request: HttpRequest, year: int, month: int) -> HttpResponse:
    """The same as PDF. The same review gives the same file."""
    from duecourse.actions.paper import pdf  # noqa: PLC0415 — loads fonts: only where something is printed

    one, kept = _found(year, month)
    book = book_of(request)
    document = pdf(
        on_paper(pieces(one.report, over_time(kept, one.month_end))),
        title=say("web.review_pdf_title", month=f"{one.month_end:%Y-%m}"),
        subtitle=say("web.review_pdf_sub", since=one.report["since"], on=one.report["on"], version=one.ledger_version),
        language=language(), made_at=datetime.combine(one.month_end, time(0), UTC), firm=str(book.settings.get("company", "")),
        head=say("web.review_pdf_head", day=one.month_end), foot=say("web.file_foot"), page_of=say("web.file_page_of", page="{page}", pages="{pages}"),
    )  # fmt: skip
    record(request, "exported", "review", one.month_end, version=one.ledger_version)
    answer = HttpResponse(document, content_type="application/pdf")
    answer["Content-Disposition"] = (
        content_disposition_header(as_attachment=True, filename=f"review-{one.month_end:%Y-%m}.pdf") or "attachment"
    )
    return answer
