"""Limitation, 诉讼时效: until when a court helps the creditor, and what begins the period anew, stops it or does nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Final

from duecourse.calendar import ONE_DAY, add_months
from duecourse.cover.deadlines.clock import COURT_ACTS, Clock, Effect, Event, Note, State, Weighed, act, in_order, land, same_party
from duecourse.cover.deadlines.days import Overrides, following, preceding, years_after
from duecourse.cover.said import Said
from duecourse.reference.limitation import ACTS
from duecourse.reference.notes import telling

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from duecourse.reference.limitation import LimitationLaw

DEMANDS: Final = ("demand", "lawyer_letter")
BEARS_ON: Final = (*ACTS, *DEMANDS, "plan", "judgment")
"""The kinds of events that are weighed; the others have nothing to do with limitation."""

MONTHS_TO_SUE: Final = 6
"""A demand that holds only if suit follows does so for these months (JP 150, KR 174, TW 130, RO 2540; AR 2541)."""

PROCEEDINGS: Final = (*COURT_ACTS, "bankruptcy_claim", "enforcement")


@dataclass(frozen=True, slots=True)
class Debt:
    """A debt whose limitation is asked for.

    due_dates       of all its instalments; one for a debt payable at once
    subject         goods, services or works; None: not known
    international   creditor and debtor are of different countries
    written         a written contract is recorded
    debtor          its number and its names: an event whose party is one of these was done to the debtor
    joint_debtors   who owes it beside the debtor
    """

    due_dates: tuple[date, ...]
    subject: str | None = None
    international: bool = False
    written: bool = False
    debtor: frozenset[str] = frozenset()
    joint_debtors: frozenset[str] = frozenset()


@dataclass
class _Walk:
    """The period as it stands after the events so far."""

    law: LimitationLaw
    debt: Debt
    years: int
    due: date
    end: date
    overrides: Overrides
    postponed: date | None = None  # by a demand that needs suit to follow
    last_demand: date | None = None
    demands: int = 0
    interruptions: int = 0
    proceedings: bool = False
    decided: bool = False
    weighed: list[Weighed] = field(default_factory=list)

    def last_day(self, end: date) -> date:
        """Until when an act still counts: an end on a holiday may move."""
        return following(self.law.country, end, self.overrides)[0] if self.law.last_day_moves else end

    def restarted(self, on: date) -> date:
        """The end of a period begun anew: no earlier than before, no later than the law's outer bound."""
        fresh = years_after(on, self.years)
        if self.law.year_end == "end":
            fresh = date(fresh.year, 12, 31)
        if self.law.long_stop_years:
            fresh = min(fresh, years_after(self.due, self.law.long_stop_years))
        return max(self.end, fresh)

    def take(self, event: Event) -> None:
        """Weigh one event and move on."""
        effect, why = self._weigh(event)
        end = self.end if self.postponed is None else max(self.end, self.postponed)
        self.weighed.append(Weighed(event, effect, why, end))

    def _weigh(self, event: Event) -> tuple[Effect, Said]:
        about = {"kind": act(event.kind), "country": land(self.law.country)}
        refused = self._refused(event, about)
        day = event.counts_on
        if refused is not None or day is None:
            return "none", refused or Said("clocks.why_not_received", about)
        if event.kind == "judgment":
            self.decided = True
            return "meets", Said("clocks.why_judgment", about)
        if day > self.last_day(self.end) and not self._in_postponement(event, day):
            return self._after_end(event, day, about)
        if event.kind in DEMANDS:
            return self._demand(event, day, about)
        return self._act(event, day, about)

    def _refused(self, event: Event, about: Mapping[str, Said]) -> Said | None:
        """Why an event cannot count under any law; None: it can."""
        day = event.counts_on
        if not self._concerns(event.party):
            joint = any(same_party(event.party, one) for one in self.debt.joint_debtors)
            return Said("clocks.why_joint_debtor" if joint else "clocks.why_other_party", {**about, "party": event.party})
        if day is None:
            return Said("clocks.why_not_received", about)
        if day < event.on:
            return Said("clocks.why_dates", about)
        return Said("clocks.why_before_start", about) if day <= self.due else None

    def _act(self, event: Event, day: date, about: Mapping[str, Said]) -> tuple[Effect, Said]:
        """What the law makes of an act that is no demand."""
        effect = self.law.effects["promise" if event.kind == "plan" else event.kind]
        if effect in ("no", "pause"):
            return "none", Said("clocks.why_nothing" if effect == "no" else "clocks.why_pause", about)
        if effect == "proven" and event.proof is None:
            return "none", Said("clocks.why_needs_proof", about)
        if event.kind not in PROCEEDINGS:
            return self._restarts(day, about)
        self.proceedings = True
        if effect == "restart":
            self._restart(day)
        return "stops", Said("clocks.why_stops", about)

    def _restarts(self, day: date, about: Mapping[str, Said]) -> tuple[Effect, Said]:
        if self.law.once and self.interruptions:
            return "none", Said("clocks.why_once", about)
        before = self.end
        self._restart(day)
        if self.end == before:
            return "none", Said("clocks.why_no_later", about)
        return "restarts", Said("clocks.why_restarts", {**about, "years": self.years})

    def _restart(self, day: date) -> None:
        if self.law.once and self.interruptions:
            return
        self.interruptions += 1
        self.end = self.restarted(day)

    def _demand(self, event: Event, day: date, about: Mapping[str, Said]) -> tuple[Effect, Said]:
        """What the law makes of a demand that reached the debtor in time."""
        rule = self.law.demand
        if rule in ("6m", "6m_once"):
            return self._demand_then_suit(day, about)
        if rule not in ("y", "y_once", "suspends_6m_once", "lawyer_letter_1y"):
            return "none", Said("clocks.why_demand_unknown" if rule in (None, "other") else "clocks.why_demand_nothing", about)
        if rule == "lawyer_letter_1y" and event.kind != "lawyer_letter":
            return "none", Said("clocks.why_demand_lawyer", about)
        if rule != "y" and self.demands:
            return "none", Said("clocks.why_demand_once", about)
        self.demands += 1
        if rule in ("y", "y_once"):
            return self._restarts(day, about)
        before = self.end
        self.end = add_months(before, MONTHS_TO_SUE) if rule == "suspends_6m_once" else max(before, years_after(day, 1))
        if self.end == before:
            return "none", Said("clocks.why_no_later", about)
        return "extends", Said("clocks.why_demand_suspends" if rule == "suspends_6m_once" else "clocks.why_demand_1y", about)

    def _demand_then_suit(self, day: date, about: Mapping[str, Said]) -> tuple[Effect, Said]:
        last = self.last_demand
        if self.law.demand == "6m_once" and last is not None and day <= add_months(last, MONTHS_TO_SUE):
            return "none", Said("clocks.why_demand_again", about)
        self.last_demand = day
        until = add_months(day, MONTHS_TO_SUE)
        self.postponed = max(until, self.postponed or until)
        return "conditional", Said("clocks.why_demand_6m", {**about, "until": until})

    def _after_end(self, event: Event, day: date, about: Mapping[str, Said]) -> tuple[Effect, Said]:
        if self.proceedings or self.decided:
            return "none", Said("clocks.why_proceedings", about)
        if event.kind in self.law.revived_by:
            self.end = self.restarted(day)
            if day <= self.end:
                return "revives", Said("clocks.why_revives", about)
        return "none", Said("clocks.why_after_end", about)

    def _in_postponement(self, event: Event, day: date) -> bool:
        return event.kind in PROCEEDINGS and self.postponed is not None and day <= self.postponed

    def _concerns(self, party: str | None) -> bool:
        """Was it done to the debtor, or to somebody through whom it acts on the debtor?"""
        if party is None or any(same_party(party, one) for one in self.debt.debtor):
            return True
        return self.law.joint_debtors and any(same_party(party, one) for one in self.debt.joint_debtors)


def limitation(
    law: LimitationLaw, debt: Debt, events: Iterable[Event], *, on: date, own_country: str = "CN", overrides: Overrides = ()
) -> Clock:
    """Until when can this debt be claimed in court under a country's law?  诉讼时效

    The period begins on the day after the debt fell due (the last instalment where the law says so), and its last day is the same day
    so many years later; the end of the year where the law counts so. An event counts by the day it was done or, for a demand, reached the
    debtor; what came after `on` is left out. Once proceedings are pending the clock is stopped, after a judgment it is met.

    own_country   the creditor's, whose working days `act_by` keeps to; it is never on a holiday and never after the end
    Source: domain law named in `law.source`; 民法典 188-199 for China.

    >>> from datetime import date
    >>> from duecourse.reference.limitation import limitation_law
    >>> limitation(limitation_law("GB"), Debt((date(2020, 3, 31),)), [], on=date(2025, 1, 1), own_country="GB").ends_on
    datetime.date(2026, 3, 31)
    """
    due = max(debt.due_dates) if law.last_instalment else min(debt.due_dates)
    years = law.period(debt.subject, international=debt.international, written=debt.written)
    warnings = _warnings(law)
    said = Said(
        "clocks.law_limitation" if years else "clocks.law_limitation_unknown",
        {"country": land(law.country), "years": years, "source": law.source},
    )
    known = [event for event in in_order(events, on) if event.kind in BEARS_ON]
    stops = stops_of(law)
    if years is None:
        unknown = tuple(Weighed(event, "none", Said("clocks.why_years_unknown", {"country": land(law.country)})) for event in known)
        warnings = (Said("clocks.warn_years_unknown", {"country": land(law.country)}), *warnings)
        return Clock("limitation", due + ONE_DAY, said, unknown, None, None, "unknown", stops, "L", warnings=warnings, country=law.country)
    walk = _walked(law, debt, known, years, due, overrides)
    proven = _walked(law, debt, [event for event in known if event.proof is not None], years, due, overrides)
    raw, raw_proven = _end(walk), _end(proven)
    ends_on, provisional = following(law.country, raw, overrides) if law.last_day_moves else (raw, False)
    acting = raw if raw_proven < on <= ends_on else min(raw, raw_proven)
    act_by, act_provisional = preceding(own_country, acting, overrides)
    state: State = "met" if walk.decided else "stopped" if walk.proceedings else "ended" if on > ends_on else "running"
    if state == "stopped":
        warnings = (*warnings, Said("clocks.warn_proceedings"))
    if raw_proven < raw and state == "running":
        warnings = (Said("clocks.warn_unproven", {"day": raw_proven}), *warnings)
    uncertain = provisional or act_provisional
    return Clock(
        "limitation", due + ONE_DAY, said, tuple(walk.weighed), ends_on, act_by, state, stops, law.confidence,
        ends_on_proven=raw_proven if raw_proven < raw else None, provisional=uncertain,
        warnings=(*warnings, Said("clocks.warn_provisional")) if uncertain else warnings, country=law.country,
    )  # fmt: skip


def _walked(law: LimitationLaw, debt: Debt, events: Iterable[Event], years: int, due: date, overrides: Overrides) -> _Walk:
    start = date(due.year, 12, 31) if law.year_end == "start" else due
    end = years_after(start, years)
    if law.year_end == "end" and years > 1:
        end = date(end.year, 12, 31)
    walk = _Walk(law, debt, years, due, end, overrides)
    for event in events:
        walk.take(event)
    return walk


def _end(walk: _Walk) -> date:
    return walk.end if walk.postponed is None else max(walk.end, walk.postponed)


def stops_of(law: LimitationLaw) -> tuple[str, ...]:
    """Which kinds of events begin a country's period anew or stop it, most at hand first."""
    demand = {"lawyer_letter_1y": ("lawyer_letter",), "n": (), "other": (), None: ()}.get(law.demand, ("demand",))
    return (*demand, *(act for act in ACTS if law.effects[act] in ("restart", "proven", "stop")))


def _warnings(law: LimitationLaw) -> tuple[Said, ...]:
    demand = {"n": "nothing", None: "unknown"}.get(law.demand, law.demand)
    found = [] if law.demand == "y" else [Said(f"clocks.warn_demand_{demand}", {"country": land(law.country)})]
    told = law.subject_years or law.international_goods_years or law.year_end or law.shortest_years or law.unwritten_years
    if telling(law.note) and not told:  # else the period counted has taken it in
        found.append(Said("clocks.warn_note", {"country": land(law.country), "note": Note("clocks.country", {"text": law.note})}))
    if not law.own:
        found.append(Said("clocks.warn_general_rule", {"country": land(law.country)}))
    return tuple(found)
