"""Clocks without a ledger: a country, a due date and what happened, typed in by a person; and any clock put into words.  时效计算器"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from duecourse.cover.deadlines.clock import NEEDS_RECEIPT, Clock, Event
from duecourse.cover.deadlines.duties import demand_letter
from duecourse.cover.deadlines.guarantees import Guarantee, guarantee_limitation, guarantee_period
from duecourse.cover.deadlines.limitation import BEARS_ON, Debt, limitation
from duecourse.cover.deadlines.proceedings import bills, enforcement, insolvency_claim, preservation
from duecourse.errors import OptionMisusedError
from duecourse.messages import language, say
from duecourse.reference.countries import country
from duecourse.reference.limitation import limitation_law
from duecourse.reference.procedures import enforcement_period, insolvency_window

if TYPE_CHECKING:
    from collections.abc import Sequence


KINDS: Final = (*BEARS_ON, "notice_to_guarantor", "insolvency_notice", "bill_dishonoured")
"""What can be tried out."""

SUBJECTS: Final = ("goods", "services", "works")
NOT_KNOWN: Final = "?"
PROVEN: Final = "told"
ALARMING: Final = (
    "clocks.warn_demand_nothing",
    "clocks.warn_demand_unknown",
    "clocks.warn_demand_other",
    "clocks.warn_years_unknown",
    "clocks.warn_unproven",
)
"""Warnings that are shown in red."""


@dataclass(frozen=True)
class Trial:
    """What a person types in.

    country      of the law the debt is under
    due          its due dates, one for each instalment
    own_country  the creditor's; empty: the same as the law's
    guarantee    None: there is none; joint or general
    guarantee_until  the end agreed for it; None: none
    """

    country: str
    due: tuple[date, ...]
    events: tuple[Event, ...] = ()
    subject: str | None = None
    own_country: str = ""
    debtor_country: str = ""
    guarantee: str | None = None
    guarantee_until: date | None = None


def event_of(text: str) -> Event:
    """`KIND:DAY`, or `KIND:SENT:RECEIVED`; a received day of `?` is not known. Of what has to arrive, a single day is when it arrived.

    Raises OptionMisusedError.

    >>> event_of("demand:2021-05-01:2021-05-04").received_on
    datetime.date(2021, 5, 4)
    """
    kind, *days = (part.strip() for part in text.split(":"))
    hint = say("clocks.hint_event", kinds=", ".join(KINDS))
    if kind not in KINDS or len(days) not in (1, 2):
        raise OptionMisusedError(option="event", value=text, hint=hint)
    try:
        on = date.fromisoformat(days[0])
        received = None if days[-1] == NOT_KNOWN else date.fromisoformat(days[-1])
    except ValueError:
        raise OptionMisusedError(option="event", value=text, hint=hint) from None
    party = say("clocks.guarantor") if kind == "notice_to_guarantor" else None
    return Event(kind, on, received if kind in NEEDS_RECEIPT or len(days) == 2 else on, PROVEN, party)


def tried(trial: Trial, on: date) -> tuple[Clock, ...]:
    """The clocks of what was typed in, as of a day: limitation first, then what the events began.

    Raises CountryUnknownError, OptionMisusedError.
    """
    law = limitation_law(trial.country)
    own = country(trial.own_country or trial.country).alpha2
    debtor = country(trial.debtor_country or trial.country).alpha2
    if not trial.due:
        raise OptionMisusedError(option="due", value="", hint=say("cli.hint_day"))
    if trial.subject is not None and trial.subject not in SUBJECTS:
        raise OptionMisusedError(option="subject", value=trial.subject, hint=", ".join(SUBJECTS))
    keep: dict[str, Any] = {"on": on, "own_country": own}
    debt = Debt(trial.due, trial.subject, international=own != debtor)
    found = [limitation(law, debt, trial.events, **keep)]
    last = max(trial.due)
    if trial.guarantee:
        held = Guarantee("", say("clocks.guarantor"), trial.guarantee == "joint", trial.guarantee_until, law=law.country)
        made = (make(held, last, trial.events, **keep) for make in (guarantee_period, guarantee_limitation))
        named = [replace(one, about={}) for one in made if one is not None]
        found += named
    if law.country == "CN":
        found += [*preservation(trial.events, **keep), *bills(trial.events, **keep)]
    period, window = enforcement_period(law.country), insolvency_window(debtor)
    years, source, sure = (period.years, period.source, period.confidence) if period else (None, "", "L")
    more = (
        enforcement(trial.events, country=law.country, years=years, source=source, confidence=sure, **keep),
        insolvency_claim(trial.events, window, country=debtor, **keep),
    )
    found += [one for one in more if one is not None]
    return (*found, demand_letter(last, trial.events, **keep)) if last < on else tuple(found)


# --- in words -----------------------------------------------------------------------------------------------------------------------------

DUTIES: Final = ("demand_letter", "insurer_stop", "insurer_notice", "insurer_handover", "insurer_claim")


RESTARTED: Final = ("limitation", "guarantee_limitation", "enforcement")
"""Clocks that can begin anew; the others are only kept or missed."""


def state_words(clock: Clock) -> str:
    """How a clock stands. A duty whose day passed was missed; nothing is lost by law."""
    return say("clocks.ended_duty") if clock.code in DUTIES and clock.state == "ended" else say(f"clocks.state_{clock.state}")


def left_words(clock: Clock, on: date) -> str:
    """How long there is to act."""
    left = clock.days_left(on)
    if left is None or clock.state == "ended":
        return ""
    if left == 0:
        return say("clocks.alarm_today")
    return say("clocks.alarm_passed") if left < 0 else say("clocks.alarm_days", days=left)


def look_of(clock: Clock, on: date) -> str:
    """Which colour: bad, warn, good, or plain."""
    if clock.state in ("met", "stopped"):
        return "good"
    if clock.state == "ended":
        return "bad"
    alarm = clock.alarm(on)
    tight = clock.alarms[1] if len(clock.alarms) > 1 else clock.alarms[0]
    return "" if alarm is None else "bad" if alarm <= tight else "warn"


def worded(clock: Clock, on: date) -> dict[str, Any]:
    """A clock as a page or a table shows it: names and sentences in the language spoken, days as days."""
    between = "、" if language() == "zh" else ", "
    about = clock.about
    named = about.get("invoice_id") or about.get("party") or about.get("reference") or ""
    return {
        "code": clock.code, "name": say(f"clocks.clock_{clock.code}"), "about": named, "country": country(clock.country).name() if clock.country else "",
        "starts_on": clock.starts_on, "ends_on": clock.ends_on, "act_by": clock.act_by, "ends_on_proven": clock.ends_on_proven,
        "state": state_words(clock), "look": look_of(clock, on), "left": left_words(clock, on), "days_left": clock.days_left(on),
        "law": clock.law.words(), "stops": between.join(say(f"clocks.event_{kind}") for kind in clock.stops),
        "restarts": clock.code in RESTARTED, "confidence": clock.confidence, "sure": say(f"clocks.confidence_{clock.confidence}"), "provisional": clock.provisional,
        "red": [one.words() for one in clock.warnings if one.code in ALARMING],
        "warnings": [one.words() for one in clock.warnings if one.code not in ALARMING],
        "alarms": clock.alarm_days() if clock.state == "running" else (),
        "events": [
            {
                "kind": say(f"clocks.event_{one.event.kind}"), "on": one.event.on, "received_on": one.event.received_on, "proof": one.event.proof,
                "party": one.event.party, "effect": say(f"clocks.effect_{one.effect}"), "counts": one.counts, "why": _sentence(one.why.words()), "end": one.end,
            }
            for one in clock.events
        ],
    }  # fmt: skip


def _sentence(text: str) -> str:
    """With a capital letter first: a sentence may begin with the name of an event."""
    return text[:1].upper() + text[1:]


def pressing(clocks: Sequence[Clock], on: date) -> Clock | None:
    """The clock that leaves the least time; None where none runs."""
    running = [one for one in clocks if one.days_left(on) is not None and one.state == "running"]
    return min(running, key=lambda one: one.act_by or on, default=None)
