"""What every read shares: the book it reads from, the answer's frame, ETags, pages that stay with the version they began at."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from django.http import HttpResponse
from ninja import Schema
from pydantic import Field
from pydantic_core import to_json

from duecourse import __version__
from duecourse.desk.dates import FAR
from duecourse.errors import LedgerVersionUnknownError, OptionMisusedError
from duecourse.messages import language, say
from duecourse.web import books
from duecourse.web.api.problems import Problem
from duecourse.web.books import Viewpoint

if TYPE_CHECKING:
    from django.http import HttpRequest

    from duecourse.ledger.book import Book

EARLIEST: Final = date(1990, 1, 1)
LATEST: Final = date(2199, 12, 31)


class At(Schema):
    """From where a book is looked at."""

    as_of: str | None = Field(
        None, description="As of the close of this day; without it the ledger's own: see /ledger", pattern=r"^\d{4}-\d{2}-\d{2}$",
        json_schema_extra={"format": "date"}, examples=["2026-03-31"],
    )  # fmt: skip
    known_at: str | None = Field(
        None, description="Holding only what was learnt by this moment (ISO 8601, UTC without an offset) or by the end of this day",
        pattern=r"^\d{4}-\d{2}-\d{2}([Tt ][0-9:.,]+([Zz]|[+-]\d{2}:\d{2})?)?$", examples=["2026-04-01T09:30:00Z"],
    )  # fmt: skip


class Paged(At):
    """A page of a list."""

    limit: int = Field(50, ge=1, le=1000, description="Rows of a page")
    cursor: str | None = Field(None, max_length=2000, description="`next` of the page before; the other parameters stay as they were")


class NotModified(Exception):  # noqa: N818 — no fault: the caller has this answer
    """Ends a read with 304."""

    def __init__(self, etag: str) -> None:
        super().__init__(etag)
        self.etag = etag


def book_for(request: HttpRequest, at: At, *, version: int | None = None) -> Book:
    """The book of a read, limited to what the caller may see; raises NotModified where the caller has its answer already.

    version  the ledger's version a list began at; None = the newest
    """
    try:
        viewpoint = Viewpoint.of(at.as_of or "", (at.known_at or "").replace("z", "Z").replace("t", "T"))
    except OptionMisusedError as error:
        raise Problem(422, "invalid", detail=error.message(), more={"reason": error.code}) from None
    if viewpoint.on is not None and not EARLIEST <= viewpoint.on <= LATEST:
        raise Problem(422, "invalid", detail=say("web.api_day_absurd", first=EARLIEST, last=LATEST))
    request.viewpoint = viewpoint  # type: ignore[attr-defined]
    ledger = books.ledger()
    if version is not None and version != ledger.version:
        try:
            ledger = ledger.at(version)
        except LedgerVersionUnknownError:
            raise Problem(422, "cursor_stale") from None
    on = viewpoint.on or books.day_of(books.ledger())
    book = ledger.as_of(on, viewpoint.known_at).limited(request.user.scope)  # type: ignore[union-attr]
    etag = _etag(request, book)
    request.etag = etag  # type: ignore[attr-defined]
    asked = [one.strip().removeprefix("W/") for one in request.headers.get("If-None-Match", "").split(",")]
    if request.method == "GET" and (etag.removeprefix("W/") in asked or asked == ["*"]):
        raise NotModified(etag)
    return book


def whole_book(request: HttpRequest) -> Book:
    """Every fact of whatever day that the caller may see: what a write is held against."""
    return books.ledger().as_of(FAR).limited(request.user.scope)  # type: ignore[union-attr]


def _etag(request: HttpRequest, book: Book) -> str:
    told = [
        __version__,
        request.get_full_path(),
        str(book.on),
        str(book.known_at),
        str(book.scope),
        language(),
        request.headers.get("Accept", ""),
    ]
    return f'W/"{book.version}-{hashlib.sha256(json.dumps(told).encode()).hexdigest()[:20]}"'


def reply(request: HttpRequest, book: Book, **data: Any) -> HttpResponse:
    """The answer of a read."""
    learnt = book.ledger.state.last.recorded_at
    known = learnt if book.known_at is None else book.known_at
    body = {"as_of": book.on, "known_at": known, "ledger_version": book.version, **data}
    return sent(request, body)


def sent(request: HttpRequest, body: Any, status: int = 200) -> HttpResponse:
    """Plain data as JSON: dates ISO, what cannot be said null."""
    response = HttpResponse(to_json(body, inf_nan_mode="null"), status=status, content_type="application/json")
    response["Cache-Control"] = "private, no-cache"
    response["Vary"] = "Authorization, Cookie, Accept-Language"
    etag = getattr(request, "etag", None)
    if etag:
        response["ETag"] = etag
    return response


def place_of(paged: Paged) -> tuple[int, int | None, str | None]:
    """Where a page begins, at which version of the ledger, as of which day. Raises Problem."""
    if not paged.cursor:
        return 0, None, None
    try:
        told = json.loads(base64.urlsafe_b64decode(paged.cursor.encode("ascii") + b"=="))
        offset, version, on = int(told["o"]), int(told["v"]), str(told["d"])
        sane = 0 <= offset < 2**40 and version >= 0 and EARLIEST <= date.fromisoformat(on) <= LATEST
    except (ValueError, KeyError, TypeError, UnicodeEncodeError):
        sane = False
    if not sane:
        raise Problem(422, "cursor_unreadable")
    return offset, version, on


def cursor_after(book: Book, offset: int) -> str:
    """The cursor of a page that begins at `offset`."""
    told = json.dumps({"o": offset, "v": book.version, "d": book.on.isoformat()}, separators=(",", ":"))
    return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")


def page_of(request: HttpRequest, paged: Paged) -> tuple[Book, int]:
    """The book of a list's page and the place it begins. A list stays at the version and day it began at."""
    offset, version, on = place_of(paged)
    if on is not None and not paged.as_of:
        paged.as_of = on
    return book_for(request, paged, version=version), offset


def with_next(book: Book, offset: int, limit: int, rows: list[Any]) -> tuple[list[Any], str | None]:
    """The rows of a page out of one row more than it holds, and the cursor of the next."""
    more = len(rows) > limit
    return rows[:limit], cursor_after(book, offset + limit) if more else None
