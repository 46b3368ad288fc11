"""What the server says to whoever runs it: one line an event, as JSON for machines or as text on a terminal.

A line never holds a query string, a body, a header or a secret; who asked is a number.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
import uuid
from contextvars import ContextVar
from datetime import UTC, datetime
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from duecourse.web import environment as env

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    Handler = Callable[[HttpRequest], HttpResponse]

request_id: ContextVar[str] = ContextVar("request_id", default="")

HEADER: Final = "X-Request-ID"
GIVEN: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_USUAL: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_SAID: Final = frozenset(
    ["job", "run", "attempt", "status", "seconds", "part", "route", "method", "ms", "person", "bytes", "reason", "rows", "batch", "count"]
)
"""What else a line may hold. Django hands whole requests to its records; only these get through."""

log = logging.getLogger("duecourse.request")


class Lines(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's time, level, name, text and what is safe of the rest; a traceback without the values in it."""
        return json.dumps(fields(record), ensure_ascii=False, default=str)


class Words(logging.Formatter):
    """A record as a line for people."""

    def format(self, record: logging.LogRecord) -> str:
        """The same as words."""
        told = fields(record)
        rest = " ".join(f"{key}={value}" for key, value in told.items() if key not in ("at", "level", "logger", "event", "trace"))
        line = f"{told['at'][11:19]} {told['level']:7} {told['event']} {rest}".rstrip()
        return "\n".join([line, *told.get("trace", [])])


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """What a line says."""
    told: dict[str, Any] = {
        "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "event": _event(record),
    }
    if request_id.get():
        told["request_id"] = request_id.get()
    told |= {key: value for key, value in vars(record).items() if key in _SAID and key not in _USUAL and value is not None}
    if record.exc_info and record.exc_info[1] is not None:
        error = record.exc_info[1]
        told["error"] = type(error).__name__
        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames[:-3] if "duecourse" in frame.filename]  # and how it ended; the road through libraries is long
        told["trace"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in [*ours, *frames[-3:]]]
    return told


def _event(record: logging.LogRecord) -> str:
    """The record's text. That of Django's own records names the address asked for: of those the words alone."""
    if record.name.startswith(("duecourse", "gunicorn")):
        return record.getMessage()
    words = record.args[0] if record.msg == "%s: %s" and isinstance(record.args, tuple) and record.args else record.msg
    return str(words)


def configuration() -> dict[str, Any]:
    """For Django's LOGGING: DUECOURSE_LOG is `json`, `text`, or empty: text on a terminal, JSON elsewhere."""
    form = env.LOG or ("text" if sys.stderr.isatty() else "json")
    shape = "duecourse.web.logs.Lines" if form == "json" else "duecourse.web.logs.Words"
    quiet = {"level": "ERROR", "propagate": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": shape}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "duecourse": {"level": "INFO", "propagate": True},
            "django": {"handlers": [], "level": "WARNING", "propagate": True},
            "django.request": quiet,  # a 404 has its line already
            "django.security.DisallowedHost": quiet,
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
        },
    }


class RequestLog:
    """One line a request, and its number in the answer: a caller's own (X-Request-ID) or a new one."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(HEADER, "")
        mine = given if GIVEN.fullmatch(given) else uuid.uuid4().hex
        held = request_id.set(mine)
        began = perf_counter()
        try:
            response = self.handler(request)
            response[HEADER] = mine
            self._tell(request, response, perf_counter() - began)
        finally:
            request_id.reset(held)
        return response

    def _tell(self, request: HttpRequest, response: HttpResponse, seconds: float) -> None:
        from duecourse.web.metrics import count_request  # noqa: PLC0415 — prometheus_client reads its environment when it is loaded

        route = route_of(request)
        count_request(route, request.method or "", response.status_code, seconds)
        person = getattr(getattr(request, "user", None), "pk", None)
        level = logging.ERROR if response.status_code >= 500 else logging.INFO
        size = None if response.streaming else len(response.content)
        log.log(
            level,
            "request",
            extra={
                "route": route, "method": request.method, "status": response.status_code, "ms": round(seconds * 1000, 1),
                "person": person, "bytes": size,
            },
        )  # fmt: skip


def route_of(request: HttpRequest) -> str:
    """The name of the page or endpoint, never its address: that holds the numbers of buyers."""
    match = getattr(request, "resolver_match", None)
    if match is None:
        return "static" if request.path.startswith("/static/") else "none"
    return str(match.view_name or match.route or "none")
