"""Errors of the API as RFC 9457 problems: always JSON, in the caller's language, with a type that leads to the help page."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import DatabaseError, InterfaceError
from django.http import HttpResponse, UnreadablePostError
from django.utils.translation.trans_real import parse_accept_lang_header
from pydantic_core import to_json

from duecourse.errors import DuecourseError, LedgerBusyError
from duecourse.messages import catalogue, language, say, use_language
from duecourse.web import environment as env
from duecourse.web.faults import status_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.http import HttpRequest

log = logging.getLogger("duecourse.api")

MEDIA_TYPE: Final = "application/problem+json"
PREFIX: Final = "/api/"

CODES: Final[Mapping[int, str]] = {
    400: "bad_request", 401: "unauthenticated", 403: "forbidden", 404: "not_found", 405: "method_not_allowed", 406: "not_acceptable",
    409: "conflict", 411: "length_required", 413: "too_large", 414: "too_large", 415: "unsupported_media_type", 422: "invalid",
    429: "rate_limited", 431: "too_large", 500: "internal", 503: "unavailable", 507: "disk_full",
}  # fmt: skip
"""The problem of a status that says no more."""

RETRY_SECONDS: Final = 2


class Problem(Exception):  # noqa: N818 — the name RFC 9457 gives it
    """Ends a request with a problem. `code` names its sentences `web.api_problem_<code>` (title) and `…_detail`."""

    def __init__(
        self, status: int, code: str = "", *, errors: Sequence[Mapping[str, Any]] = (), headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None, **args: Any,
    ) -> None:  # fmt: skip
        super().__init__(code)
        self.status, self.code, self.args_ = status, code or CODES.get(status, "bad_request"), args
        self.errors, self.headers, self.more = errors, dict(headers or {}), dict(more or {})


def answer(problem: Problem, request: HttpRequest) -> HttpResponse:
    """The problem as a response, in the language spoken."""
    title = say(f"web.api_problem_{problem.code}")
    detail_id = f"web.api_problem_{problem.code}_detail"
    body = {
        "type": f"{env.BASE_URL}/help/api/#{problem.code.replace('_', '-')}",
        "title": title,
        "status": problem.status,
        "detail": say(detail_id, **problem.args_) if detail_id in catalogue() else str(problem.args_.get("detail") or title),
        "instance": request.path,
        "code": problem.code,
        **({"errors": problem.errors} if problem.errors else {}),
        **problem.more,
    }
    response = HttpResponse(to_json(body), status=problem.status, content_type=MEDIA_TYPE)
    for name, value in problem.headers.items():
        response[name] = value
    if problem.status in (429, 503) and "Retry-After" not in response:
        response["Retry-After"] = str(RETRY_SECONDS)
    if problem.status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="duecourse"'
    response["Content-Language"] = "zh-Hans" if language() == "zh" else "en"
    response["Cache-Control"] = "no-store"
    return response


def of_error(error: Exception) -> Problem:
    """The problem behind any exception; one that nobody foresaw is logged and told without its words."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, DuecourseError):
        status = status_of(error)
        status = 422 if status == 400 else status
        code = {404: "not_found", 503: "unavailable", 507: "disk_full"}.get(status, "invalid")
        if isinstance(error, LedgerBusyError):
            code = "busy"
        return Problem(status, code, detail=error.message(), more={"reason": error.code})
    if isinstance(error, RequestDataTooBig):
        return Problem(413)
    if isinstance(error, SuspiciousOperation | UnreadablePostError):
        return Problem(400, detail=say("web.api_problem_bad_request"))
    if isinstance(error, DatabaseError | InterfaceError):
        log.warning("the database does not answer: %s", error)
        return Problem(503, "unavailable", detail=say("web.api_database_busy"))
    log.error("an error of the API nobody foresaw", exc_info=error)
    return Problem(500, "internal")


def speak(request: HttpRequest, chosen: str = "") -> None:
    """Speak the language the request asks for; without a wish, the person's own."""
    for wanted, _weight in parse_accept_lang_header(request.headers.get("Accept-Language", "").lower()):
        if wanted == "*":
            break
        if wanted.startswith(("en", "zh")):
            use_language(wanted[:2])
            return
    use_language("zh" if chosen.startswith("zh") else "en")
