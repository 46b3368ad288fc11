"""Groups of buyers, looked through to their members: who owes how much in all.  集团"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.html import format_html
from django.views.decorators.http import require_safe

from duecourse.desk.group_page import group_page
from duecourse.desk.groups import list_groups
from duecourse.errors import BuyerUnknownError
from duecourse.glossary import label
from duecourse.messages import catalogue, language, say
from duecourse.tables import named
from duecourse.web.accounts.access import gate
from duecourse.web.addresses import path_of
from duecourse.web.books import book_of
from duecourse.web.pages.columns import capital, in_few_digits
from duecourse.web.pages.pager import Pager
from duecourse.web.pages.rows import rows_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponse

    from duecourse.desk.group_page import GroupPage

PER_PAGE: Final = 50
MEMBERS: Final = 100


def _page(request: HttpRequest) -> int:
    number = request.GET.get("page", "")
    return int(number) if number.isdecimal() and 0 < int(number) < 10**6 else 1


def _url(request: HttpRequest, path: str, **words: str) -> str:
    query = urlencode({**{name: value for name, value in words.items() if value}, **request.viewpoint.query})  # type: ignore[attr-defined]
    return f"{path}?{query}" if query else path


@require_safe
@gate("read")
def groups(request: HttpRequest) -> HttpResponse:
    """The list; asked for by a part of itself, that part alone."""
    book = book_of(request)
    text, page = request.GET.get("q", "").strip()[:200], _page(request)
    found = list_groups(book, text=text, offset=(page - 1) * PER_PAGE, limit=PER_PAGE)
    if not found.rows and found.total:
        page = -(-found.total // PER_PAGE)
        found = list_groups(book, text=text, offset=(page - 1) * PER_PAGE, limit=PER_PAGE)

    def url_of(number: int) -> str:
        return _url(request, path_of("groups"), q=text, page=str(number) if number > 1 else "")

    words = {
        "book": book, "found": found, "text": text, "pager": Pager(page, PER_PAGE, found.total, url_of), "clear_url": _url(request, path_of("groups")),
        "body": rows_for(request.viewpoint.query).groups(found.rows),  # type: ignore[attr-defined]
        "form": {"day": request.viewpoint.query.items()},  # type: ignore[attr-defined]
    }  # fmt: skip
    answer = render(request, "pages/_groups.html" if request.htmx else "pages/groups.html", words)  # type: ignore[attr-defined]
    if request.htmx:  # type: ignore[attr-defined]
        answer["HX-Push-Url"] = url_of(page)
    patch_vary_headers(answer, ["HX-Request"])
    return answer


@require_safe
@gate("read")
def group(request: HttpRequest, group_id: str) -> HttpResponse:
    """The page of one group."""
    book, page = book_of(request), _page(request)
    try:
        one = group_page(book, group_id, offset=(page - 1) * MEMBERS, limit=MEMBERS)
    except BuyerUnknownError:
        return render(request, "pages/group_unknown.html", {"book": book, "wanted": group_id}, status=404)
    path = path_of("group", group_id)

    def url_of(number: int) -> str:
        return _url(request, path, page=str(number) if number > 1 else "")

    words = {
        "book": book, "one": one, "group_id": group_id, "name": one.name or group_id, "members": [named(row) for row in one.members.rows],
        "pager": Pager(page, MEMBERS, one.members.total, url_of), "lede": _lede(one), **_ages(one),
    }  # fmt: skip
    return render(request, "pages/group.html", words)


def _lede(one: GroupPage) -> str:
    """Where the group stands, in one sentence: in base currency, else in the currency most is owed in."""
    whole = one.members.base or one.members.totals[0]
    kind = "nothing" if whole["outstanding"] <= 0 else "current" if whole["overdue"] <= 0 else "late"
    told = {name: in_few_digits(whole[name], whole["currency"]) for name in ("outstanding", "overdue")}
    words = {
        name: format_html('<b title="{}">{} {}</b>', amount["exact"], amount["value"], amount["unit"]) for name, amount in told.items()
    }
    return format_html(
        catalogue()[f"web.groups_lede_{kind}"][language()], members=format_html("<b>{}</b>", f"{one.members.buyers:,}"), **words
    )


def _ages(one: GroupPage) -> dict[str, Any]:
    currency = one.members.base_currency if one.base_ages is not None else one.members.totals[0]["currency"]
    ages: Mapping[str, int] = one.base_ages if one.base_ages is not None else one.ages.get(currency, {})
    whole = sum(ages.values())
    buckets = [{"label": capital(label(name)), "amount": minor, "share": minor / whole if whole else None} for name, minor in ages.items()]
    return {"ages": ages, "ages_currency": currency, "buckets": buckets, "ages_title": say("web.groups_by_age", currency=currency)}
