"""Guarantees, 保证: the guarantee period, which nothing stops, and the limitation of the claim against the guarantor, which is a clock of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from duecourse.calendar import ONE_DAY, add_months
from duecourse.cover.deadlines.clock import Clock, Event, State, Weighed, act, in_order, land, same_party
from duecourse.cover.deadlines.days import Overrides, following, preceding, years_after
from duecourse.cover.said import Said

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

MONTHS_BY_LAW: Final = 6
"""The guarantee period where none, or none that is clear, was agreed (民法典 692)."""

YEARS_OF_CLAIM: Final = 3

ASKS: Final = ("notice_to_guarantor", "demand", "lawyer_letter")
SUES: Final = ("suit", "arbitration")

JOINT_WORDS: Final = re.compile(r"连带|joint(ly)? and several|several(ly)? and joint|selbstschuldnerisch|solidaire", re.IGNORECASE)
UNCLEAR_WORDS: Final = re.compile(r"直至.{0,12}(还|付|偿)清|until.{0,30}(paid|repaid|discharged) in full", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Guarantee:
    """One guarantee.

    guarantor      its account or name, as events name it
    joint          joint and several (连带); False: general, liable only once the debtor's assets were tried; what does not say is general (686)
    agreed_until   the last day agreed for the guarantee period; None: none
    unclear        the wording names no day ("until paid in full"): six months, as if none were agreed (担保解释 32)
    law            country whose law it is under; the rules here are China's, other laws have an agreed end only
    independent    a bank's guarantee or a standby letter of credit: its own end and nothing else
    """

    security_id: str
    guarantor: str
    joint: bool
    agreed_until: date | None = None
    unclear: bool = False
    law: str = "CN"
    independent: bool = False

    @property
    def by_law(self) -> bool:
        """Does a law give the period where nothing clear was agreed?"""
        return self.law == "CN" and not self.independent


def worded_as(text: str) -> tuple[bool, bool]:
    """What the words of a guarantee say: is it joint and several, and is its period unclear?

    >>> worded_as("连带责任保证，直至主债务本息还清为止")
    (True, True)
    """
    return bool(JOINT_WORDS.search(text)), bool(UNCLEAR_WORDS.search(text))


def period_end(guarantee: Guarantee, due: date) -> date | None:
    """The last day of the guarantee period of a debt due on a day. It never moves. None: the law has no period and none was agreed."""
    if not guarantee.by_law:
        return guarantee.agreed_until
    agreed = None if guarantee.unclear else guarantee.agreed_until
    return agreed if agreed is not None and agreed > due else add_months(due, MONTHS_BY_LAW)


def _asked(guarantee: Guarantee, due: date, end: date, events: Iterable[Event]) -> tuple[tuple[Weighed, ...], Event | None]:
    """Every event that bears on the guarantee, and the first that kept the period."""
    weighed: list[Weighed] = []
    kept = None
    for event in events:
        asks, about = _asks(guarantee, event), {"kind": act(event.kind), "party": guarantee.guarantor, "country": land(guarantee.law)}
        if asks is None:
            continue
        day = event.counts_on
        if not asks:
            general = event.kind in ASKS and same_party(event.party, guarantee.guarantor)
            why = Said("clocks.why_general_needs_suit" if general else "clocks.why_not_guarantor", about)
        elif day is None:
            why = Said("clocks.why_not_received", about)
        elif day < event.on:
            why = Said("clocks.why_dates", about)
        elif not due < day <= end:
            why = Said("clocks.why_outside_period", {**about, "day": end})
        else:
            weighed.append(Weighed(event, "meets", Said("clocks.why_period_kept", about), end))
            kept = kept or event
            continue
        weighed.append(Weighed(event, "none", why, end))
    return tuple(weighed), kept


def _asks(guarantee: Guarantee, event: Event) -> bool | None:
    """Is this what the law asks for to keep the guarantee? None: it has nothing to do with it."""
    to_guarantor = same_party(event.party, guarantee.guarantor)
    if event.kind in SUES:
        return to_guarantor if guarantee.joint else not to_guarantor
    if event.kind in ASKS and to_guarantor:
        return guarantee.joint
    return False if event.kind in ("demand", "lawyer_letter", "acknowledgement", "part_payment", "promise") else None


def guarantee_period(
    guarantee: Guarantee, due: date, events: Iterable[Event], *, on: date, own_country: str = "CN", overrides: Overrides = ()
) -> Clock | None:
    """By when must the guarantor be asked (joint guarantee) or the debtor sued (general guarantee)?  保证期间

    Six months after the debt fell due unless a clear longer or shorter end was agreed; no event stops, restarts or extends it. None where
    the guarantee's law has no period and none was agreed.
    Source: 民法典 (Civil Code) 692, 693; 担保制度解释 (Security Interpretation) 27, 32.
    """
    end = period_end(guarantee, due)
    if end is None:
        return None
    weighed, kept = _asked(guarantee, due, end, in_order(events, on))
    act_by, provisional = preceding(own_country, end, overrides)
    by_law = guarantee.by_law and (guarantee.agreed_until is None or guarantee.unclear or guarantee.agreed_until <= due)
    law = Said(
        "clocks.law_guarantee_default" if by_law else "clocks.law_guarantee_agreed",
        {
            "months": MONTHS_BY_LAW,
            "way": Said("clocks.way_joint" if guarantee.joint else "clocks.way_general"),
            "party": guarantee.guarantor,
        },
    )
    warnings = [Said("clocks.warn_guarantee_unclear")] if guarantee.unclear and guarantee.by_law else []
    if not guarantee.joint:
        warnings.append(Said("clocks.warn_guarantee_general", {"party": guarantee.guarantor}))
    state: State = "met" if kept else "ended" if on > end else "running"
    if kept is not None and kept.proof is None:
        warnings.append(Said("clocks.warn_kept_unproven"))
    return Clock(
        "guarantee_period", due + ONE_DAY, law, weighed, end, act_by, state, ASKS[:1] if guarantee.joint else SUES, "H" if guarantee.by_law else "M",
        provisional=provisional, warnings=tuple(warnings), country=guarantee.law, alarms=(90, 30, 10),
        about={"security_id": guarantee.security_id, "party": guarantee.guarantor},
    )  # fmt: skip


def guarantee_limitation(
    guarantee: Guarantee, due: date, events: Iterable[Event], *, on: date, own_country: str = "CN", overrides: Overrides = ()
) -> Clock | None:
    """Until when can the guarantor be sued, once the guarantee period was kept?  保证债务诉讼时效

    A clock of its own: it begins when a joint guarantor was asked, or when a general guarantor may no longer point at the debtor (recorded as
    `enforcement`), and only what is done to this guarantor begins it anew: neither the debtor's clock nor another guarantor's does.
    None for a guarantee under another law than China's.
    Source: 民法典 188, 694; 担保制度解释 28, 29.
    """
    if not guarantee.by_law:
        return None
    end = period_end(guarantee, due)
    known = in_order(events, on)
    kept = _asked(guarantee, due, end, known)[1] if end else None
    law = Said("clocks.law_guarantee_limitation", {"years": YEARS_OF_CLAIM, "party": guarantee.guarantor})
    about = {"security_id": guarantee.security_id, "party": guarantee.guarantor}
    if kept is None:
        return None
    if guarantee.joint:
        begun = kept.counts_on
    else:
        begun = next((event.on for event in known if event.kind == "enforcement" and event.on >= kept.on), None)
    if begun is None:
        warning = Said("clocks.warn_general_not_begun", {"party": guarantee.guarantor})
        return Clock(
            "guarantee_limitation",
            None,
            law,
            (),
            None,
            None,
            "unknown",
            ("enforcement",),
            "H",
            warnings=(warning,),
            country="CN",
            about=about,
        )
    last, weighed = _claimed(guarantee, begun, known, overrides)
    sued = any(one.effect == "stops" for one in weighed)
    ends_on, provisional = following("CN", last, overrides)
    act_by, act_provisional = preceding(own_country, last, overrides)
    state: State = "stopped" if sued else "ended" if on > ends_on else "running"
    return Clock(
        "guarantee_limitation", begun if guarantee.joint else begun + ONE_DAY, law, weighed, ends_on, act_by, state,
        (*ASKS[:2], "acknowledgement", "part_payment", *SUES), "H", provisional=provisional or act_provisional, country="CN", about=about,
    )  # fmt: skip


def _claimed(guarantee: Guarantee, begun: date, events: Iterable[Event], overrides: Overrides) -> tuple[date, tuple[Weighed, ...]]:
    """The last day of the claim against the guarantor after all that was done to this guarantor."""
    last, weighed = years_after(begun, YEARS_OF_CLAIM), []
    for event in events:
        if not same_party(event.party, guarantee.guarantor) or event.kind not in (
            *ASKS,
            *SUES,
            "acknowledgement",
            "part_payment",
            "promise",
        ):
            continue
        about = {"kind": act(event.kind), "party": guarantee.guarantor, "country": land("CN"), "years": YEARS_OF_CLAIM}
        day = event.counts_on
        refused = (
            "not_received" if day is None
            else "dates" if day < event.on
            else "before_start" if day < begun
            else "after_end" if day > following("CN", last, overrides)[0]
            else None
        )  # fmt: skip
        if refused or day is None:
            weighed.append(Weighed(event, "none", Said(f"clocks.why_{refused}", about), last))
            continue
        last = max(last, years_after(day, YEARS_OF_CLAIM))
        sues = event.kind in SUES
        weighed.append(
            Weighed(event, "stops" if sues else "restarts", Said("clocks.why_stops" if sues else "clocks.why_restarts", about), last)
        )
    return last, tuple(weighed)
