"""The credit file as a page and as PDF.  信用档案"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from duecourse.desk.credit_file import credit_file
from duecourse.errors import BuyerUnknownError
from duecourse.messages import language, say
from duecourse.web.accounts.access import gate, may
from duecourse.web.books import book_of
from duecourse.web.credit_file.pieces import pieces, title_of

if TYPE_CHECKING:
    from django.http import HttpRequest

    from duecourse.desk.credit_file import CreditFile


def _file_of(request: HttpRequest, buyer_id: str) -> CreditFile:
    try:
        return credit_file(book_of(request), buyer_id)
    except BuyerUnknownError:
        raise Http404 from None


@require_safe
@gate("read")
def buyer_file(request: HttpRequest, buyer_id: str) -> HttpResponse:
    """The page."""
    file = _file_of(request, buyer_id)
    words: dict[str, Any] = {
        "book": file.book,
        "buyer_id": buyer_id,
        "name": title_of(file),
        "panels": _panels(pieces(file)),
        "may_export": may(request.user, "export"),
    }
    return render(request, "credit_file/file.html", words)


def _panels(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The pieces by heading: what comes before the first has none."""
    panels: list[dict[str, Any]] = [{"title": "", "pieces": []}]
    for piece in found:
        if piece["kind"] == "heading":
            panels.append({"title": piece["text"], "pieces": []})
        else:
            panels[-1]["pieces"].append(_for_page(piece))
    return [panel for panel in panels if panel["pieces"]]


def _for_page(piece: dict[str, Any]) -> dict[str, Any]:
    """A piece as the template wants it: cells that know whether they are figures, bars that know where they begin."""
    if piece["kind"] == "table":
        sides = [side == "right" for side in piece["align"]]
        rows = [list(zip(row, sides, piece["head"], strict=True)) for row in piece["rows"]]
        return {**piece, "head": list(zip(piece["head"], sides, strict=True)), "rows": rows}
    if piece["kind"] == "bars":
        bars = [{**row, "width": abs(round(100 * row["share"])), "from": min(0, round(100 * row["share"]))} for row in piece["rows"]]
        return {**piece, "rows": bars}
    return piece


@require_safe
@gate("export")
def buyer_file_pdf(request: HttpRequest, buyer_id: str) -> HttpResponse:
    """The same as PDF, with room for signatures. The same book gives the same file."""
    from duecourse.actions.paper import pdf  # noqa: PLC0415 — loads fonts: only where something is printed

    file = _file_of(request, buyer_id)
    book = file.book
    known = book.known_at or book.ledger.state.last.recorded_at
    signed = {"kind": "signatures", "lines": [say(f"web.file_signed_{who}") for who in ("analyst", "manager", "cfo")]}
    document = pdf(
        [*pieces(file), signed],
        title=f"{say('web.file_title')} · {title_of(file)}",
        subtitle=say("web.file_as_of", number=buyer_id, day=book.on, known=f"{known:%Y-%m-%d %H:%M}", version=book.version),
        language=language(),
        made_at=datetime.combine(book.on, time(0), UTC),
        firm=str(book.settings.get("company", "")),
        head=say("web.file_head", number=buyer_id, day=book.on),
        foot=say("web.file_foot"),
        page_of=say("web.file_page_of", page="{page}", pages="{pages}"),
    )
    name = re.sub(r"[^\w.-]+", "_", f"{buyer_id}-{book.on}")
    answer = HttpResponse(document, content_type="application/pdf")
    answer["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=f"{name}.pdf") or "attachment"
    return answer
