"""What a clock is made of: what happened, what each of it does to the period, and the period itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from duecourse.cover.said import Said
from duecourse.reference.countries import country
from duecourse.reference.notes import spoken

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from duecourse.messages import Language

State = Literal["running", "stopped", "met", "ended", "unknown"]
Effect = Literal["restarts", "extends", "conditional", "stops", "meets", "revives", "none"]

COURT_ACTS: Final = ("suit", "arbitration", "payment_order")
"""What brings a claim before somebody who decides it."""

NEEDS_RECEIPT: Final = ("demand", "lawyer_letter", "notice_to_guarantor", "assignment_notice")
"""What counts only once it reached the other side."""

LONG_ALARMS: Final = (180, 90, 30)
SHORT_ALARMS: Final = (10, 3, 0)


class Land(Said):
    """A country's name, in the language its sentence is worded in; kept as its code."""

    __slots__ = ()

    def words(self, lang: Language | None = None) -> str:
        """The name."""
        return country(self.args["code"]).name(lang)


class Note(Said):
    """A note of the country table, in the language its sentence is worded in where it was translated; kept as it stands."""

    __slots__ = ()

    def words(self, lang: Language | None = None) -> str:
        """The note."""
        return spoken(self.args["text"], lang)


def land(code: str) -> Said:
    """A country as an argument of a sentence."""
    return Land("clocks.country", {"code": code})


def act(kind: str) -> Said:
    """A kind of event as an argument of a sentence."""
    return Said(f"clocks.event_{kind}")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was done about a debt.

    kind         one of the ledger's CASE_EVENT_KINDS
    on           the day it was done
    received_on  the day it reached the other side; None: not known
    proof        SHA-256 of a document, or the ledger's own record, that proves it; None: nothing does
    party        whom it was done to, where that is not the debtor
    due_on       a day it names: until when a judgment is to be obeyed, the last day announced for claims, a bill's maturity
    """

    kind: str
    on: date
    received_on: date | None = None
    proof: str | None = None
    party: str | None = None
    amount_minor: int | None = None
    currency: str = ""
    due_on: date | None = None
    reference: str = ""
    text: str = ""

    @property
    def counts_on(self) -> date | None:
        """The day from which it can count; None: it needs to have reached somebody, and nothing says that it did."""
        return self.received_on if self.kind in NEEDS_RECEIPT else self.on


@dataclass(frozen=True, slots=True)
class Weighed:
    """One event and what it does to a clock: `end` is the period's end after it, `why` says in a sentence."""

    event: Event
    effect: Effect
    why: Said
    end: date | None = None

    @property
    def counts(self) -> bool:
        """Does it do anything?"""
        return self.effect != "none"


@dataclass(frozen=True, slots=True)
class Clock:
    """One period that runs, ran out or was kept.

    code          which clock: limitation, guarantee_period, insurer_notice …; its names and sentences stand under it in the catalogue
    starts_on     first day of the period; None: it has not begun
    law           which law says so
    events        all that was weighed, earliest first, also what does nothing, and why
    ends_on       its last day; None: not known
    act_by        the last working day on which to act in time, reckoned from the earlier of `ends_on` and `ends_on_proven`
    ends_on_proven  its last day by what can be proven alone; None where everything that counts can be
    state         running; stopped (proceedings); met (what was to be done was done); ended; unknown
    stops         what would stop or restart it: kinds of events
    confidence    H read in the law, M, L verify before use
    provisional   a day it rests on is of a year whose holidays are not announced yet
    about         what it is about: the invoice's number and instalment, the security, the party
    alarms        so many days before `act_by` it is to be brought up
    """

    code: str
    starts_on: date | None
    law: Said
    events: tuple[Weighed, ...]
    ends_on: date | None
    act_by: date | None
    state: State
    stops: tuple[str, ...]
    confidence: str
    ends_on_proven: date | None = None
    provisional: bool = False
    warnings: tuple[Said, ...] = ()
    country: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)
    alarms: tuple[int, ...] = LONG_ALARMS

    def days_left(self, on: date) -> int | None:
        """Days from a day to `act_by`, negative once it passed; None where no day is known or nothing is to be done any more."""
        if self.act_by is None or self.state in ("met", "stopped"):
            return None
        return (self.act_by - on).days

    def alarm(self, on: date) -> int | None:
        """The tightest of the alarms that a day has reached, -1 once `act_by` passed; None while none is reached.

        It depends on the day alone: what was reached while nobody looked is still reached on the next look.
        """
        left = self.days_left(on)
        if left is None:
            return None
        if left < 0:
            return -1
        return min((days for days in self.alarms if left <= days), default=None)

    def alarm_days(self) -> tuple[tuple[int, date], ...]:
        """The days on which it is to be brought up: (days before, day)."""
        if self.act_by is None:
            return ()
        return tuple((days, self.act_by - timedelta(days=days)) for days in self.alarms)


def in_order(events: Iterable[Event], on: date) -> list[Event]:
    """The events of a debt that had happened by a day, each once, in one order whatever order they came in."""
    known = {event if event.received_on is None or event.received_on <= on else _not_received(event) for event in events if event.on <= on}
    return sorted(
        known, key=lambda one: (one.counts_on or one.on, one.on, one.kind, one.party or "", one.proof or "", one.reference, repr(one))
    )


def _not_received(event: Event) -> Event:
    """The same event as known before it arrived."""
    return replace(event, received_on=None)


def same_party(one: str | None, other: str | None) -> bool:
    """Is the same person meant? Names are compared without case and spaces."""
    return one is not None and other is not None and "".join(one.split()).casefold() == "".join(other.split()).casefold()
