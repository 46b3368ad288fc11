"""The HTTP status of an error a caller can mend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from duecourse.errors import BuyerAmbiguousError, BuyerUnknownError, DiskFullError, LedgerBusyError, LedgerNotFoundError, LedgerReadOnlyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from duecourse.errors import DuecourseError

STATUS: Final[Mapping[type[DuecourseError], int]] = {
    BuyerUnknownError: 404,
    BuyerAmbiguousError: 404,
    LedgerNotFoundError: 503,
    LedgerReadOnlyError: 503,
    LedgerBusyError: 503,
    DiskFullError: 507,
}


def status_of(error: DuecourseError) -> int:
    """404 for what is not there, 503 and 507 for what the machine cannot do now, else 400."""
    return next((status for kind, status in STATUS.items() if isinstance(error, kind)), 400)
