"""Where a fact comes from: its file, row and import, every wording it ever had, and what each changed.  数据来源"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.http import Http404
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from duecourse.desk.buyer_page import fact_history
from duecourse.glossary import TERMS
from duecourse.messages import say
from duecourse.tables import Money, shown
from duecourse.web.accounts.access import gate, may
from duecourse.web.books import book_of
from duecourse.web.pages.columns import heading, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse

KEYS: Final = {"buyer": "buyer_id", "invoice": "invoice_id", "settlement": "settlement_id", "dispute": "dispute_id"}
"""The tables whose facts are shown, and the column that names one."""

UNSAID: Final = frozenset({"buyer_id"})


@dataclass(frozen=True)
class Wording:
    """One wording of the fact: where it stood, what it said, and what of that differs from the wording before it.

    state   current, corrected, voided or withdrawn
    values  (heading, value, value before it or None where that is the same or there was none)
    """

    file_name: str
    row: int | None
    recorded_at: datetime
    batch: str
    batch_url: str
    state: str
    state_kind: str
    values: list[tuple[str, str, str | None]]
    changed: int


@require_safe
@gate("read")
def fact(request: HttpRequest, buyer_id: str, table: str, key: str) -> HttpResponse:
    """The drawer beside a page; opened by itself, a page of its own."""
    if table not in KEYS:
        raise Http404
    wanted: dict[str, Any] = {KEYS[table]: key}
    instalment = request.GET.get("instalment", "")
    if table == "invoice":
        wanted["instalment"] = int(instalment) if instalment.isdecimal() and int(instalment) < 2**31 else 1
    book = book_of(request)
    rows = fact_history(book, table, wanted, buyer_id=buyer_id)
    if not rows:
        raise Http404
    sees_imports = may(request.user, "import") and not book.scope.restricts
    wordings = []
    for place, row in enumerate(rows):
        before = rows[place + 1]["values"] if place + 1 < len(rows) else None
        wordings.append(_wording(request, row, before, sees_imports=sees_imports))
    words = {
        "book": book, "buyer_id": buyer_id, "table": table, "key": key, "wordings": wordings, "title": say(f"web.buyer_fact_{table}", key=key),
    }  # fmt: skip
    answer = render(request, "pages/_fact.html" if request.htmx else "pages/fact.html", words)  # type: ignore[attr-defined]
    patch_vary_headers(answer, ["HX-Request"])
    return answer


def _wording(request: HttpRequest, row: Mapping[str, Any], before: Mapping[str, Any] | None, *, sees_imports: bool) -> Wording:
    values, changed = [], 0
    for name, value in row["values"].items():
        earlier = None
        if before is not None and before.get(name) != value:
            earlier, changed = _said(name, before.get(name), before), changed + 1
        if (value is not None and value != "") or earlier is not None:
            values.append((_title(name), _said(name, value, row["values"]), earlier))
    state = "voided" if row["voided"] else "withdrawn" if row["withdrawn"] else "current" if row["current"] else "corrected"
    kind = {"current": "good", "voided": "bad", "withdrawn": "bad"}.get(state, "off")
    # What other people's rows a file holds is not for somebody who sees only some of them.
    restricts = request.user.scope.restricts  # type: ignore[union-attr]
    return Wording(
        row["file_name"], row["source_row"] if not restricts else None, row["recorded_at"], row["source"],
        _batch_url(request, row["source"]) if sees_imports else "", say(f"web.buyer_fact_{state}"), kind, values, changed,
    )  # fmt: skip


def _batch_url(request: HttpRequest, batch: str) -> str:
    try:
        address = reverse("import_", args=[batch])
    except NoReverseMatch:
        return ""
    day = urlencode(request.viewpoint.query)  # type: ignore[attr-defined]
    return f"{address}?{day}" if day else address


def _title(name: str) -> str:
    stem = name.removesuffix("_minor")
    return heading(stem) if stem in TERMS else name


def _said(name: str, value: Any, row: Mapping[str, Any]) -> str:
    if value is None or value == "":
        return "–"
    if name == "amount_minor":
        currency = row.get("currency") or "XXX"
        return f"{shown(Money(value, currency), 'money')} {currency}"
    if isinstance(value, bool):
        return say("cli.yes") if value else say("cli.no")
    return shown(value, "text" if isinstance(value, str) else kind_of(name))
