"""Is the server alive, is it ready, how is it doing: for load balancers and monitoring, before any other part of the app.

These answer as a middleware, so that a probe needs no session, no host name of ours and no working database.
"""

from __future__ import annotations

import hmac
import os
import shutil
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.http import HttpResponse, JsonResponse
from django.utils import timezone

from duecourse.web import environment as env

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    Handler = Callable[[HttpRequest], HttpResponse]

FREE_BYTES: Final = 256 * 2**20
"""Less room than this and the next import may not fit."""

WORKER_SECONDS: Final = 60
"""A worker that was silent for longer counts as gone."""

HERE: Final = ("127.", "::1", "::ffff:127.")


class Operations:
    """/health/live, /health/ready and /metrics."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/health/live":
            return HttpResponse("ok\n", content_type="text/plain")
        if request.path == "/health/ready":
            return ready(request)
        if request.path == "/metrics":
            if not _trusted(request):
                return HttpResponse(
                    "only from this machine, or with the token of DUECOURSE_METRICS_TOKEN\n", status=403, content_type="text/plain"
                )
            from duecourse.web.metrics import figures  # noqa: PLC0415 — prometheus_client reads its environment when it is loaded

            return _closed(figures())
        return self.handler(request)


def ready(request: HttpRequest) -> HttpResponse:
    """200 when every part works, else 503; says which part does not, and to those who may know, why."""
    found = parts()
    fine = all(reason is None for reason in found.values())
    told = {name: "ok" if reason is None else (reason if _trusted(request) else "failing") for name, reason in found.items()}
    return _closed(JsonResponse({"ready": fine, "parts": told}, status=200 if fine else 503))


def parts() -> dict[str, str | None]:
    """Each part of the server: None when it works, else why not."""
    database = None if database_answers() else "does not answer"
    return {
        "database": database,
        "worker": "not known: the database does not answer" if database else _worker(),
        "ledger_readable": _readable(),
        "ledger_writable": _writable(),
        "disk_space": _room(),
    }


def database_answers() -> bool:
    """Does the database answer a question?"""
    try:
        close_old_connections()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return bool(cursor.fetchone() == (1,))
    except (DatabaseError, InterfaceError):
        connection.close()
        return False


def _worker() -> str | None:
    from duecourse.web.jobs.models import Worker  # noqa: PLC0415 — models need the apps loaded

    try:
        alive = Worker.objects.filter(seen_at__gte=timezone.now() - timedelta(seconds=WORKER_SECONDS)).exists()
    except (DatabaseError, InterfaceError):
        return "not known: the database does not answer"
    return None if alive else f"no worker has been seen for {WORKER_SECONDS} seconds"


def _readable() -> str | None:
    from duecourse.web import books  # noqa: PLC0415

    try:
        books.ledger()
    except Exception as error:  # noqa: BLE001 — whatever it is, the ledger cannot be read
        return type(error).__name__
    return None


def _writable() -> str | None:
    if "://" in env.LEDGER:
        return None  # an object store says no only when it is written to
    probe = os.path.join(env.LEDGER, f".probe-{os.getpid()}-{time.monotonic_ns()}")  # noqa: PTH118 — one call a second, kept plain
    try:
        with open(probe, "wb") as file:  # noqa: PTH123
            file.write(b"0")
        os.unlink(probe)  # noqa: PTH108
    except OSError as error:
        return error.strerror
    return None


def _room() -> str | None:
    try:
        places = [str(env.HOME), *([] if "://" in env.LEDGER else [env.LEDGER])]
        free = min(shutil.disk_usage(place).free for place in places)
    except OSError as error:
        return error.strerror
    return None if free >= FREE_BYTES else f"{free // 2**20} MB left"


def _trusted(request: HttpRequest) -> bool:
    """From this machine and not through a proxy on it, or with the token."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if env.METRICS_TOKEN and scheme == "Bearer" and hmac.compare_digest(token.strip().encode(), env.METRICS_TOKEN.encode()):
        return True
    through = any(name in request.headers for name in ("X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "X-Real-IP"))
    return not through and request.META.get("REMOTE_ADDR", "").startswith(HERE)


def _closed(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response
