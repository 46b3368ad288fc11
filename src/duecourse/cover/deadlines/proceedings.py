"""Clocks of proceedings: bills, preservation and freezes, enforcement of a judgment, claims in the debtor's insolvency."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from duecourse.calendar import ONE_DAY, add_months
from duecourse.cover.deadlines.clock import COURT_ACTS, SHORT_ALARMS, Clock, Event, Weighed, act, in_order, land
from duecourse.cover.deadlines.days import Overrides, following, preceding, years_after
from duecourse.cover.said import Said

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from duecourse.cover.deadlines.clock import State
    from duecourse.reference.procedures import InsolvencyWindow

DAYS_TO_SUE: Final = 30
"""From a preservation carried out before suit to suit or arbitration (民诉法 104)."""

DAYS_TO_RENEW: Final = 7
"""So long before it ends a freeze is to be renewed (保全规定 18)."""

FREEZE_YEARS: Final = {"deposit": 1, "movable": 2, "real_estate": 3}
"""How long a freeze holds, by what was frozen (民诉法解释 485): deposits; movables; land, buildings and other rights."""

FROZEN_WORDS: Final = (
    ("deposit", re.compile(r"存款|账户|资金|deposit|account|balance", re.IGNORECASE)),
    (
        "real_estate",
        re.compile(r"不动产|房|土地|股权|知识产权|其他财产权|real estate|land|building|shares|equity|patent|trade ?mark", re.IGNORECASE),
    ),
    ("movable", re.compile(r"动产|车|设备|存货|船|movable|vehicle|machine|equipment|stock|inventory|goods", re.IGNORECASE)),
)

BILL_PRESENT_DAYS: Final = 10
"""From a bill's maturity, to present it to the acceptor (票据法 53); later the recourse against those before us is lost."""

BILL_RECOURSE_MONTHS: Final = 6
BILL_ACCEPTOR_YEARS: Final = 2
BILL_ACTS: Final = ("bill_presented", "bill_dishonoured")
MONEY: Final = ("part_payment", "recovery")
BILL_ALARMS: Final = (90, 30, 10)
ENFORCEMENT_YEARS_CN: Final = 2


def frozen_kind(text: str) -> str | None:
    """What was frozen, as its description says; None: it does not.

    >>> frozen_kind("冻结银行存款 500,000 元")
    'deposit'
    """
    return next((kind for kind, words in FROZEN_WORDS if words.search(text)), None)


def _first(events: Sequence[Event], kinds: Iterable[str], since: date, until: date | None = None) -> Event | None:
    wanted = frozenset(kinds)
    return next((one for one in events if one.kind in wanted and one.on >= since and (until is None or one.on <= until)), None)


def _kept(
    code: str, start: Event, law: Said, end: date, events: Sequence[Event], stops: tuple[str, ...], *, on: date, own_country: str,
    overrides: Overrides, confidence: str, moves: bool, alarms: tuple[int, ...], warnings: tuple[Said, ...] = (), country: str = "CN",
) -> Clock:  # fmt: skip
    """A clock that begins with one event and is kept by the first event of some kinds before it ends."""
    ends_on, provisional = following(country, end, overrides) if moves else (end, False)
    act_by, act_provisional = preceding(own_country, end, overrides)
    about = {"country": land(country)}
    weighed = [Weighed(start, "none", Said("clocks.why_begins", {"kind": act(start.kind)}), end)]
    kept = None
    for event in events:
        if event.kind not in stops or event.on < start.on or event is start:
            continue
        timely = event.on <= ends_on
        why = Said("clocks.why_kept" if timely else "clocks.why_after_end", {**about, "kind": act(event.kind)})
        weighed.append(Weighed(event, "meets" if timely else "none", why, ends_on))
        kept = kept or (event if timely else None)
    state: State = "met" if kept else "ended" if on > ends_on else "running"
    return Clock(
        code, start.on + ONE_DAY, law, tuple(weighed), ends_on, act_by, state, stops, confidence, provisional=provisional or act_provisional,
        warnings=warnings, country=country, alarms=alarms, about={"reference": start.reference} if start.reference else {},
    )  # fmt: skip


def preservation(events: Iterable[Event], *, on: date, own_country: str = "CN", overrides: Overrides = ()) -> tuple[Clock, ...]:
    """What runs once assets are frozen in China: thirty days to sue where no suit was pending, and the term of each freeze.  财产保全

    A freeze whose object is not described is reckoned by the shortest term. A later preservation with the same reference renews it.
    Source: 民诉法 (Civil Procedure Law 2023) 104; 民诉法解释 485; 保全规定 18.
    """
    known = in_order(events, on)
    sued = _first(known, COURT_ACTS, date.min)
    clocks = []
    for number, event in enumerate(one for one in known if one.kind == "preservation"):
        if number == 0 and (sued is None or sued.on > event.on):
            clocks.append(
                _kept(
                    "presuit_preservation", event, Said("clocks.law_presuit", {"days": DAYS_TO_SUE}), event.on + timedelta(days=DAYS_TO_SUE), known,
                    ("suit", "arbitration"), on=on, own_country=own_country, overrides=overrides, confidence="H", moves=True, alarms=SHORT_ALARMS,
                )
            )  # fmt: skip
        clocks.append(_freeze(event, known, on=on, own_country=own_country, overrides=overrides))
    return tuple(clocks)


def _freeze(event: Event, known: Sequence[Event], *, on: date, own_country: str, overrides: Overrides) -> Clock:
    kind = frozen_kind(event.text)
    years = FREEZE_YEARS.get(kind or "", min(FREEZE_YEARS.values()))
    end = years_after(event.on, years)
    act_by, provisional = preceding(own_country, end - timedelta(days=DAYS_TO_RENEW), overrides)
    law = Said("clocks.law_freeze", {"years": years, "days": DAYS_TO_RENEW, "frozen": Said(f"clocks.frozen_{kind or 'unknown'}")})
    renewal = next(
        (one for one in known if one.kind == "preservation" and event.on < one.on <= end and one.reference == event.reference), None
    )
    weighed = [Weighed(event, "none", Said("clocks.why_begins", {"kind": act(event.kind)}), end)]
    if renewal is not None:
        weighed.append(Weighed(renewal, "meets", Said("clocks.why_renewed", {"kind": act(renewal.kind)}), end))
    state: State = "met" if renewal else "ended" if on > end else "running"
    warnings = () if kind else (Said("clocks.warn_frozen_unknown"),)
    return Clock(
        "freeze", event.on, law, tuple(weighed), end, act_by, state, ("preservation",), "H", provisional=provisional, warnings=warnings, country="CN",
        alarms=(30, 10, 0), about={"reference": event.reference} if event.reference else {},
    )  # fmt: skip


def enforcement(
    events: Iterable[Event], *, on: date, country: str, years: int | None, source: str, confidence: str, own_country: str = "CN", overrides: Overrides = ()
) -> Clock | None:  # fmt: skip
    """Until when can enforcement of the judgment or award be applied for?  申请执行期限

    From the last day it gives the debtor to pay, else from the day it became final. In China it is interrupted like limitation: a demand that
    reached the debtor, part payment, a promise. None without a judgment; its end is not known where the country's period is not.
    Source: 民诉法 250; the procedures table for other countries.
    """
    known = in_order(events, on)
    judgment = next((one for one in reversed(known) if one.kind == "judgment"), None)
    if judgment is None:
        return None
    begins = judgment.due_on or judgment.on
    law = Said(
        "clocks.law_enforcement" if years else "clocks.law_enforcement_unknown",
        {"years": years, "country": land(country), "source": source},
    )
    stops: tuple[str, ...] = ("enforcement", *(("demand", "part_payment", "promise", "acknowledgement") if country == "CN" else ()))
    if years is None:
        warning = Said("clocks.warn_enforcement_unknown", {"country": land(country)})
        return Clock("enforcement", begins + ONE_DAY, law, (), None, None, "unknown", stops, "L", warnings=(warning,), country=country)
    end, applied = years_after(begins, years), None
    weighed = [Weighed(judgment, "none", Said("clocks.why_begins", {"kind": act(judgment.kind)}), end)]
    for event in known:
        day = event.counts_on
        if event.kind not in stops or event.on <= judgment.on or event.party is not None:
            continue
        about = {"kind": act(event.kind), "country": land(country), "years": years}
        if day is None:
            weighed.append(Weighed(event, "none", Said("clocks.why_not_received", about), end))
        elif day < event.on:
            weighed.append(Weighed(event, "none", Said("clocks.why_dates", about), end))
        elif day > (following(country, end, overrides)[0] if country == "CN" else end):
            weighed.append(Weighed(event, "none", Said("clocks.why_after_end", about), end))
        elif event.kind == "enforcement":
            applied = event
            weighed.append(Weighed(event, "meets", Said("clocks.why_kept", about), end))
        else:
            end = max(end, years_after(day, years))
            weighed.append(Weighed(event, "restarts", Said("clocks.why_restarts", about), end))
    ends_on, provisional = following(country, end, overrides) if country == "CN" else (end, False)
    act_by, act_provisional = preceding(own_country, end, overrides)
    state: State = "met" if applied else "ended" if on > ends_on else "running"
    return Clock(
        "enforcement", begins + ONE_DAY, law, tuple(weighed), ends_on, act_by, state, stops, confidence, provisional=provisional or act_provisional,
        country=country, about={"reference": judgment.reference} if judgment.reference else {},
    )  # fmt: skip


def insolvency_claim(
    events: Iterable[Event], window: InsolvencyWindow | None, *, on: date, country: str, own_country: str = "CN", overrides: Overrides = ()
) -> Clock | None:
    """By when must the claim be lodged in the debtor's insolvency?  债权申报期限

    The last day that was announced where the notice carries one (`due_on`); else the country's shortest window from the notice, which is for
    the alarm only. None without a notice of insolvency.
    Source: the procedures table, for China 破产法 45, 48, 56.
    """
    known = in_order(events, on)
    notice = next((one for one in reversed(known) if one.kind == "insolvency_notice"), None)
    if notice is None:
        return None
    announced = next((one.due_on for one in reversed(known) if one.kind == "insolvency_notice" and one.due_on), None)
    foreign = own_country != country
    by_table = window.ends(notice.on, abroad=foreign) if window is not None else None
    end = announced or by_table
    warnings = (
        () if announced else (Said("clocks.warn_not_announced" if by_table else "clocks.warn_window_unknown", {"country": land(country)}),)
    )
    law = Said(
        "clocks.law_insolvency_announced" if announced else "clocks.law_insolvency",
        {"country": land(country), "source": window.source if window else ""},
    )
    confidence = "H" if announced else window.confidence if window is not None else "L"
    if end is None:
        lodged = _first(known, ("bankruptcy_claim",), notice.on)
        weighed = (
            (Weighed(lodged, "meets", Said("clocks.why_kept", {"kind": act("bankruptcy_claim"), "country": land(country)})),)
            if lodged
            else ()
        )
        return Clock(
            "insolvency_claim", notice.on, law, weighed, None, None, "met" if lodged else "unknown", ("bankruptcy_claim",), confidence, warnings=warnings,
            country=country, alarms=SHORT_ALARMS,
        )  # fmt: skip
    return _kept(
        "insolvency_claim", notice, law, end, known, ("bankruptcy_claim",), on=on, own_country=own_country, overrides=overrides, confidence=confidence,
        moves=False, alarms=SHORT_ALARMS, warnings=warnings, country=country,
    )  # fmt: skip


def bills(events: Iterable[Event], *, on: date, own_country: str = "CN", overrides: Overrides = ()) -> tuple[Clock, ...]:
    """What runs for a bill under Chinese law: ten days to present it, six months of recourse, two years against the acceptor.  票据时效

    A bill that was received (`bill_received`, its maturity in `due_on`, its number in `reference`) is to be presented within ten days of its
    maturity, and its acceptor can be claimed from for two years. A refusal (`bill_dishonoured`) begins the recourse. The maturity of a refused
    bill is its own, else that of the received bill with its number, else the day of the refusal, which is no later than the truth only for a
    bill presented when due. Money meets a bill's clocks if it names the bill. Source: 票据法 (Negotiable Instruments Law) 17, 53.
    """
    known = in_order(events, on)
    maturities = {one.reference: one.due_on for one in known if one.kind == "bill_received" and one.due_on is not None}
    clocks: list[Clock] = []
    keep: dict[str, Any] = {"on": on, "own_country": own_country, "overrides": overrides, "confidence": "H"}

    def add(code: str, bill: Event, end: date, stops: tuple[str, ...], *, moves: bool, alarms: tuple[int, ...]) -> None:
        law = Said(f"clocks.law_{code}", {"days": BILL_PRESENT_DAYS, "months": BILL_RECOURSE_MONTHS, "years": BILL_ACCEPTOR_YEARS})
        concerned = [
            one for one in known
            if one is bill or one.reference == bill.reference or (one.kind not in MONEY and (one.kind not in BILL_ACTS or not one.reference))
        ]  # fmt: skip
        clocks.append(
            _kept(code, bill, law, end, concerned, (*stops, *(MONEY if bill.reference else ())), moves=moves, alarms=alarms, **keep)
        )

    refused = [one for one in known if one.kind == "bill_dishonoured"]
    for bill in (one for one in known if one.kind == "bill_received" and one.due_on is not None):
        assert bill.due_on is not None
        begun = replace(bill, kind="bill_matured", on=bill.due_on)
        end = bill.due_on + timedelta(days=BILL_PRESENT_DAYS)
        add("bill_presentment", begun, end, ("bill_presented", "bill_dishonoured"), moves=True, alarms=SHORT_ALARMS)
        if not any(one.reference == bill.reference for one in refused):
            add(
                "bill_acceptor",
                begun,
                years_after(bill.due_on, BILL_ACCEPTOR_YEARS),
                ("suit", "arbitration"),
                moves=False,
                alarms=BILL_ALARMS,
            )
    for bill in refused:
        add("bill_recourse", bill, add_months(bill.on, BILL_RECOURSE_MONTHS), ("suit", "arbitration"), moves=False, alarms=BILL_ALARMS)
        matured = bill.due_on or maturities.get(bill.reference) or bill.on
        add(
            "bill_acceptor",
            bill,
            years_after(min(matured, bill.on), BILL_ACCEPTOR_YEARS),
            ("suit", "arbitration"),
            moves=False,
            alarms=BILL_ALARMS,
        )
    return tuple(clocks)
