"""Which HTTP status and which words an error gets: of the caller, and of the machine under us."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from duecourse.errors import (
    BatchUnknownError,
    BuyerAmbiguousError,
    BuyerUnknownError,
    DiskFullError,
    LedgerBusyError,
    LedgerNotFoundError,
    LedgerReadOnlyError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from duecourse.errors import DuecourseError

STATUS: Final[Mapping[type[DuecourseError], int]] = {
    BatchUnknownError: 404,
    BuyerUnknownError: 404,
    BuyerAmbiguousError: 404,
    LedgerNotFoundError: 503,
    LedgerReadOnlyError: 503,
    LedgerBusyError: 503,
    DiskFullError: 507,
}


def of_the_machine(error: BaseException | None) -> tuple[int, str] | None:
    """What the machine cannot do now — database away, disk full, disk read-only — as status and message name; None for every other error."""
    from django.db import InterfaceError, OperationalError  # noqa: PLC0415 — the command line needs none of it

    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, OperationalError | InterfaceError | OSError):
            text = str(error).lower()
            if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or "disk is full" in text or "no space left" in text:
                return 507, "full"
            if getattr(error, "errno", None) == errno.EROFS or "readonly database" in text or "read-only" in text:
                return 503, "read_only"
            if not isinstance(error, OSError):
                return 503, "database"
        error = error.__cause__ or error.__context__
    return None


def status_of(error: DuecourseError) -> int:
    """404 for what is not there, 503 and 507 for what the machine cannot do now, else 400."""
    return next((status for kind, status in STATUS.items() if isinstance(error, kind)), 400)
