"""Of which version of the ledger the accounts are a picture, and by which rules orders are judged: asked of the database once a second."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from duecourse.decisions.hold import Rules
from duecourse.web import environment as env

if TYPE_CHECKING:
    from duecourse.web.orders.models import Picture

LOOK_SECONDS: Final = 1.0

_guard = threading.Lock()
_seen: tuple[float, Drawn] | None = None


class AccountsNotReadyError(Exception):
    """No job has drawn the credit accounts yet: there is nothing to hold an order against."""


@dataclass(frozen=True)
class Drawn:
    """The picture, as every check needs it."""

    rules: Rules
    rules_id: int
    ledger_version: int
    data_as_of: datetime
    book_on: date
    live: bool
    base_currency: str

    @property
    def today(self) -> date:
        """The day limits must hold on: today, or the last day of a ledger that speaks of the past."""
        return datetime.now(ZoneInfo(env.TIME_ZONE)).date() if self.live else self.book_on


def drawn() -> Drawn:
    """The newest picture. Raises AccountsNotReadyError."""
    global _seen  # noqa: PLW0603 — one for the process
    with _guard:
        held = _seen
    now = time.monotonic()
    if held is not None and now - held[0] < LOOK_SECONDS:
        return held[1]
    from duecourse.web.orders.models import Picture as Row  # noqa: PLC0415 — models need the apps loaded

    row = Row.objects.select_related("rules").order_by("-id").first()
    if row is None:
        raise AccountsNotReadyError
    found = of(row)
    with _guard:
        _seen = (now, found)
    return found


def of(row: Picture) -> Drawn:
    """The row as plain values."""
    return Drawn(
        rules=Rules.of(row.rules.body),
        rules_id=row.rules_id,
        ledger_version=row.ledger_version,
        data_as_of=row.data_as_of.astimezone(UTC),
        book_on=row.book_on,
        live=row.live,
        base_currency=row.base_currency,
    )


def forget() -> None:
    """Ask the database anew next time."""
    global _seen  # noqa: PLW0603
    with _guard:
        _seen = None
