"""Clocks of our own duties: the formal demand in three working days, and what the credit insurer's policy asks for."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from duecourse.calendar import ONE_DAY, add_months
from duecourse.cover.deadlines.clock import SHORT_ALARMS, Clock, Weighed, act, in_order, land
from duecourse.cover.deadlines.days import Overrides, preceding, working_days_after
from duecourse.cover.said import Said
from duecourse.errors import OptionMisusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from duecourse.cover.deadlines.clock import Event, State

DEMAND_WITHIN: Final = 3
"""Working days from the due date to a formal demand."""

ANCHORS: Final = ("due_date", "mep_end")


@dataclass(frozen=True, slots=True)
class PolicyTerms:
    """What a credit-insurance policy asks for, in days; None: the policy has no such duty, or nobody entered it.

    mep_days            maximum extension period, from the original due date of the oldest unpaid invoice: then deliveries stop
    notice_days         to notify an overdue invoice, from `notice_from`: due_date or mep_end
    handover_days       to hand the debt over to an agency, from the end of the maximum extension period
    waiting_months      claims waiting period, from the original due date; the claim is filed once it ended
    claim_days          to file the claim, from the end of the waiting period; None: no last day of its own
    """

    policy: str = ""
    mep_days: int | None = None
    notice_days: int | None = None
    notice_from: str = "due_date"
    handover_days: int | None = None
    waiting_months: int | None = None
    claim_days: int | None = None


def policy_terms(setting: Mapping[str, Any] | None) -> PolicyTerms | None:
    """The firm's policy from its setting `insurer_terms`; None where none was entered. Raises OptionMisusedError."""
    if not setting:
        return None
    known = {one.name for one in fields(PolicyTerms)}
    for name, value in setting.items():
        counted = name.endswith(("_days", "_months"))
        if name not in known or (counted and value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0)):
            raise OptionMisusedError(option=f"insurer_terms.{name}", value=value, hint=", ".join(sorted(known)))
    terms = PolicyTerms(**setting)
    if terms.notice_from not in ANCHORS:
        raise OptionMisusedError(option="insurer_terms.notice_from", value=terms.notice_from, hint=", ".join(ANCHORS))
    return terms


def _duty(
    code: str, start: date, end: date, law: Said, events: Iterable[Event], stops: tuple[str, ...], *, on: date, own_country: str, overrides: Overrides,
    confidence: str = "M",
) -> Clock:  # fmt: skip
    """A duty is done on a working day, before a holiday, not after it; done late it counts as missed, and stays to be done."""
    act_by, provisional = preceding(own_country, end, overrides)
    weighed, kept = [], False
    for event in in_order(events, on):
        if event.kind not in stops or event.on < start:
            continue
        timely = event.on <= end
        why = Said("clocks.why_kept" if timely else "clocks.why_late", {"kind": act(event.kind), "country": land(own_country)})
        weighed.append(Weighed(event, "meets" if timely else "none", why, end))
        kept = kept or timely
    state: State = "met" if kept else "ended" if on > end else "running"
    return Clock(
        code,
        start,
        law,
        tuple(weighed),
        end,
        act_by,
        state,
        stops,
        confidence,
        provisional=provisional,
        country=own_country,
        alarms=SHORT_ALARMS,
    )


def demand_letter(due: date, events: Iterable[Event], *, on: date, own_country: str = "CN", overrides: Overrides = ()) -> Clock:
    """By when is the formal demand to be sent?  催告函: three working days of the creditor after the due date, 调休 counted.

    Source: the firm's playbook, step P02.

    >>> from datetime import date
    >>> demand_letter(date(2026, 9, 30), [], on=date(2026, 10, 1)).ends_on  # across the Golden Week, with 10 October worked
    datetime.date(2026, 10, 10)
    """
    end, provisional = working_days_after(own_country, due, DEMAND_WITHIN, overrides)
    law = Said("clocks.law_demand_letter", {"days": DEMAND_WITHIN})
    found = _duty(
        "demand_letter", due + ONE_DAY, end, law, events, ("demand", "lawyer_letter"), on=on, own_country=own_country, overrides=overrides
    )
    return replace(found, provisional=found.provisional or provisional)


def insurer_duties(
    terms: PolicyTerms, due: date, events: Iterable[Event], *, on: date, own_country: str = "CN", overrides: Overrides = ()
) -> tuple[Clock, ...]:
    """What the policy asks for once an insured invoice is not paid: stop deliveries, notify, hand over, claim.  保险人时限

    due  the original due date of the oldest unpaid invoice of the buyer: an extension does not move it
    Source: the policy, as its terms were entered.
    """
    known = list(events)
    mep = None if terms.mep_days is None else due + timedelta(days=terms.mep_days)
    anchor = due if terms.notice_from == "due_date" else mep
    duties: list[tuple[str, date, dict[str, Any], str]] = []
    if mep is not None:
        duties.append(("insurer_stop", mep, {"days": terms.mep_days}, "stop_shipment"))
    if terms.notice_days is not None and anchor is not None:
        said = {"days": terms.notice_days, "anchor": Said(f"clocks.anchor_{terms.notice_from}")}
        duties.append(("insurer_notice", anchor + timedelta(days=terms.notice_days), said, "notice_of_overdue"))
    if terms.handover_days is not None and mep is not None:
        duties.append(("insurer_handover", mep + timedelta(days=terms.handover_days), {"days": terms.handover_days}, "placement"))
    if terms.waiting_months is not None:
        end = add_months(due, terms.waiting_months) + timedelta(days=terms.claim_days or 0)
        duties.append(("insurer_claim", end, {"months": terms.waiting_months, "days": terms.claim_days or 0}, "claim"))
    return tuple(
        _duty(
            code, due + ONE_DAY, end, Said(f"clocks.law_{code}", {**said, "policy": terms.policy}), known, (stop,),
            on=on, own_country=own_country, overrides=overrides,
        )
        for code, end, said, stop in duties
    )  # fmt: skip
