"""The review of all limits: what would change and why; accepted by filter, each a decision of its own.  年度复审"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from duecourse.desk.limits import Change, advise, review
from duecourse.messages import language, say
from duecourse.money import to_decimal, to_minor
from duecourse.web.accounts.access import gate, may
from duecourse.web.books import book_of
from duecourse.web.imports.wording import typed_amount
from duecourse.web.limits import deciding
from duecourse.web.limits.deciding import Wanted
from duecourse.web.limits.models import LimitRequest
from duecourse.web.refusals import NotNowError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.http import HttpRequest, HttpResponse

    from duecourse.ledger.book import Book

WAYS: Final = ("new", "up", "down", "stop")
SHOWN: Final = 100
"""So many are shown, and so many accepted at once."""


@dataclass(frozen=True)
class Filter:
    """Which changes: the ways, the grades, the least change in whole units of base currency."""

    way: str = ""
    grade_from: int = 1
    grade_to: int = 10
    least: int = 0

    @classmethod
    def of(cls, words: Mapping[str, str]) -> Filter:
        """From a form."""

        def number(name: str, otherwise: int, most: int) -> int:
            text = words.get(name, "")
            return min(int(text), most) if text.isdecimal() and len(text) < 16 else otherwise

        amount = typed_amount(words.get("least", "") or "0")
        way = words.get("way", "")
        return cls(
            way if way in WAYS else "", number("grade_from", 1, 10), number("grade_to", 10, 10), int(amount) if amount and 0 < amount < 10**13 else 0
        )  # fmt: skip

    @property
    def query(self) -> str:
        """As words of an address."""
        return urlencode({name: value for name, value in vars(self).items() if value})

    def chosen(self, changes: Sequence[Change], base: str) -> list[Change]:
        """The changes it lets through; those without a grade count as the worst."""
        least = to_minor(to_decimal(self.least * 100, "EUR"), base) if self.least else 0
        return [
            one for one in changes
            if one.way in ((self.way,) if self.way else WAYS) and self.grade_from <= (one.grade or 10) <= self.grade_to
            and abs((one.recommended_base or 0) - (one.now_base or 0)) >= least
        ]  # fmt: skip


@require_safe
@gate("read")
def limits_review(request: HttpRequest) -> HttpResponse:
    """What would change, largest first."""
    book = book_of(request)
    asked = Filter.of(request.GET)
    found = asked.chosen(review(book), book.base_currency)
    waiting = set(LimitRequest.objects.filter(status="open").values_list("buyer_id", flat=True))
    rows = [
        {
            "one": one, "name": (one.name_local or one.name if language() == "zh" else one.name or one.name_local) or one.buyer_id,
            "way": say(f"decisions.way_{one.way}"), "reason": say(f"decisions.cap_{one.reason}"), "waiting": one.buyer_id in waiting,
            "look": {"up": "good", "new": "good", "down": "warn"}.get(one.way or "", "bad"),
        }
        for one in found[:SHOWN]
    ]  # fmt: skip
    net = sum((one.recommended_base or 0) - (one.now_base or 0) for one in found)
    words = {
        "book": book, "rows": rows, "count": len(found), "net": net, "more": max(0, len(found) - SHOWN), "filter": asked,
        "ways": [("", say("web.limits_review_all")), *((way, say(f"decisions.way_{way}")) for way in WAYS)], "grades": range(1, 11),
        "may_accept": may(request.user, "decide") and not request.viewpoint.query and rows,  # type: ignore[attr-defined]
        "accepting": min(len(found), SHOWN),
    }  # fmt: skip
    return render(request, "limits/review.html", words)


@require_POST
@gate("decide")
def limits_review_accept(request: HttpRequest) -> HttpResponse:
    """Accept what the filter shows: each becomes a request that this person consents to, as far as their authority goes."""
    book = book_of(request)
    asked = Filter.of(request.POST)
    chosen = asked.chosen(review(book), book.base_currency)[:SHOWN]
    counts: dict[str, Any] = {**accept(request, book, chosen)}
    messages.success(request, say("web.limits_review_accepted", **counts))
    return HttpResponseRedirect(f"{reverse('limits_review')}?{asked.query}")


def accept(request: HttpRequest, book: Book, chosen: Sequence[Change]) -> dict[str, int]:
    """How many are granted, wait for another person, or were left out because somebody asked already."""
    counts = {"granted": 0, "waiting": 0, "skipped": 0}
    busy = set(LimitRequest.objects.filter(status="open").values_list("buyer_id", flat=True))
    advised = advise(book, [one.buyer_id for one in chosen])
    for one in chosen:
        advice, mark = advised.get(one.buyer_id), mark_of(book, one)
        if one.buyer_id in busy or advice is None or LimitRequest.objects.filter(mark=mark).exists():
            counts["skipped"] += 1
            continue
        why = say("web.limits_review_reason", day=book.on, why=say(f"decisions.cap_{one.reason}"))
        wanted = Wanted("standing", one.recommended_minor, one.currency, one.payment_terms_days or None, reason=why, source="review")
        made = deciding.ask(request, book, one.buyer_id, wanted, mark, advice=advice)
        try:
            done: Any = deciding.consent(request, book, made.pk)
        except NotNowError:  # above this person's authority: it waits
            done = made
        counts["granted" if done.status == "granted" else "waiting"] += 1
    return counts


def mark_of(book: Book, one: Change) -> str:
    """The same change accepted twice is one request."""
    told = f"{book.on} {one.buyer_id} {one.currency} {one.now_minor} {one.recommended_minor}"
    return f"r{hashlib.sha256(told.encode()).hexdigest()[:30]}"
