"""The clocks of one buyer's debts: what the ledger knows of invoices, contracts, letters, securities and cases, read as events and periods.  期限"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from duecourse.cover.deadlines.clock import Event
from duecourse.cover.deadlines.days import Overrides, overrides_of
from duecourse.cover.deadlines.duties import demand_letter, insurer_duties, policy_terms
from duecourse.cover.deadlines.guarantees import Guarantee, guarantee_limitation, guarantee_period, worded_as
from duecourse.cover.deadlines.limitation import Debt, limitation
from duecourse.cover.deadlines.proceedings import bills, enforcement, insolvency_claim, preservation
from duecourse.cover.said import Said
from duecourse.ledger.entries import BUYER, CASE_EVENT, CONTRACT, INVOICE, LIMIT, NOTICE, SECURITY, SETTLEMENT, SIGNAL
from duecourse.reference.countries import COUNTRIES
from duecourse.reference.limitation import limitation_law
from duecourse.reference.procedures import enforcement_period, insolvency_window

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from duecourse.cover.deadlines.clock import Clock
    from duecourse.cover.deadlines.duties import PolicyTerms
    from duecourse.ledger.book import Book

Item = tuple[str, int]

LETTERS: Final[Mapping[str, str]] = {
    "demand_letter": "demand",
    "letter_before_action": "demand",
    "lawyer_letter": "lawyer_letter",
    "guarantor_demand": "notice_to_guarantor",
    "notice_of_overdue": "notice_of_overdue",
    "claim": "claim",
}
"""Which letter is which event. A friendly reminder is none."""

SIGNALS: Final[Mapping[str, str]] = {"insolvency": "insolvency_notice", "bill_dishonoured": "bill_dishonoured"}

INDEPENDENT: Final = ("standby_letter_of_credit", "bank_guarantee")

OWN_COUNTRY: Final = "CN"
"""Whose working days count where the firm set none."""

PENDING: Final[Mapping[str, int]] = {"running": 0, "unknown": 1, "stopped": 2, "ended": 3, "met": 4}
"""In which order clocks are shown."""


@dataclass(frozen=True)
class Happened:
    """An event and what it concerns: one invoice, or with None all of them."""

    event: Event
    invoice_id: str | None = None
    instalment: int | None = None


@dataclass(frozen=True)
class DebtFacts:
    """What clocks of one buyer rest on, as plain rows of the ledger's tables.

    own_country  the creditor's: its law where none was agreed, and half of the question whether a sale is international
    calendar     the country whose working days are ours; empty: the same
    overrides    working days the firm knows better
    terms        of the credit-insurance policy; None: none was entered
    """

    buyer_id: str
    on: date
    profile: Mapping[str, Any]
    invoices: Sequence[Mapping[str, Any]]
    settled: Mapping[Item, int]
    contracts: Sequence[Mapping[str, Any]]
    securities: Sequence[Mapping[str, Any]]
    happened: Sequence[Happened]
    insured: bool = False
    own_country: str = OWN_COUNTRY
    overrides: Overrides = ()
    terms: PolicyTerms | None = None
    names: frozenset[str] = field(default_factory=frozenset)
    calendar: str = ""

    @property
    def worked_in(self) -> str:
        """The country whose working days are ours."""
        return self.calendar or self.own_country

    @property
    def international(self) -> bool:
        """Is the debtor of another country than the creditor?"""
        land = self.profile.get("country")
        return bool(land) and land != self.own_country


def clocks_of(
    book: Book, buyer_id: str, invoices: Iterable[Item | str] | None = None, *, events: Iterable[Event] = ()
) -> tuple[Clock, ...]:
    """Every clock that runs, stopped or ran out for a buyer's debts, the most pressing first.  期限一览

    invoices  (number, instalment) or numbers; None: every invoice that is due and not paid
    events    more than the ledger holds, of all those invoices: what a calculation tries out
    """
    return clocks(facts_of(book, buyer_id), invoices, events=events)


def facts_of(book: Book, buyer_id: str) -> DebtFacts:
    """What the book holds of one buyer that clocks rest on. Nothing of a buyer that may not be seen."""
    about = book.about(buyer_id)
    also = book.also_about(buyer_id, CONTRACT, CASE_EVENT, NOTICE, SECURITY, SIGNAL, LIMIT)
    rows = {name: table.to_pylist() for name, table in {**about, **also}.items()}
    profile = rows[BUYER.name][0] if rows[BUYER.name] else {}
    guarantors = [one for one in rows[SECURITY.name] if one["kind"] == "guarantee" and one["released_on"] is None]
    happened = [
        *case_events(rows[CASE_EVENT.name], guarantors),
        *letters(rows[NOTICE.name], guarantors),
        *_payments(rows[SETTLEMENT.name], buyer_id),
        *_signals(rows[SIGNAL.name]),
        *_blocks(rows[LIMIT.name]),
    ]
    return DebtFacts(
        buyer_id, book.on, profile, rows[INVOICE.name], _settled(rows[SETTLEMENT.name]), rows[CONTRACT.name],
        [one for one in rows[SECURITY.name] if one["released_on"] is None], happened,
        insured=any(one["kind"] == "insurer" for one in rows[LIMIT.name]), own_country=own_country(book.settings), calendar=str(book.settings.get("calendar") or ""),
        overrides=overrides_of(book.settings.get("working_days")), terms=policy_terms(book.settings.get("insurer_terms")),
        names=frozenset(filter(None, (buyer_id, profile.get("name"), profile.get("name_local")))),
    )  # fmt: skip


def own_country(settings: Mapping[str, Any]) -> str:
    """The creditor's country by the firm's settings: where it is, else whose working days it keeps."""
    return str(settings.get("own_country") or settings.get("calendar") or OWN_COUNTRY)


def clocks(
    facts: DebtFacts, invoices: Iterable[Item | str] | None = None, *, events: Iterable[Event] = (), with_limitation: bool = True
) -> tuple[Clock, ...]:
    """The clocks that follow from some facts: a function of them and of their day alone. Limitation is one or two for each invoice."""
    happened = [*facts.happened, *(Happened(event) for event in events)]
    chosen = _chosen(facts, invoices)
    everything = [one.event for one in happened]
    found = [clock for row in chosen for clock in _limitation(facts, row, happened)] if with_limitation else []
    found += _guarantees(facts, chosen, happened)
    if chosen:
        dues = sorted({row["due_date"] for row in chosen})
        found += [
            demand_letter(due, _concerning(happened, chosen, due), on=facts.on, own_country=facts.worked_in, overrides=facts.overrides)
            for due in dues
            if due < facts.on
        ]
        if facts.terms is not None and facts.insured and dues[0] < facts.on:
            found += insurer_duties(facts.terms, dues[0], everything, on=facts.on, own_country=facts.worked_in, overrides=facts.overrides)
        found += _proceedings(facts, chosen, everything)
    return tuple(sorted(found, key=lambda one: (PENDING[one.state], one.act_by or facts.on, one.code, str(sorted(one.about.items())))))


# --- reading ------------------------------------------------------------------------------------------------------------------------------


def case_events(rows: Iterable[Mapping[str, Any]], guarantors: Sequence[Mapping[str, Any]]) -> list[Happened]:
    """Rows of `case_event` as events; `guarantors` are the buyer's securities that are guarantees."""
    return [
        Happened(
            Event(
                row["kind"], row["happened_on"], row["received_on"], row["proof"], _party(row["kind"], row["party"], guarantors), row["amount_minor"],
                row["currency"] or "", row["promised_on"], row["reference"] or "", row["text"] or "",
            ),
            row["invoice_id"], row["instalment"],
        )
        for row in rows
    ]  # fmt: skip


def _party(kind: str, party: str | None, guarantors: Sequence[Mapping[str, Any]]) -> str | None:
    """A demand on a guarantor that names nobody went to the only one there is."""
    alone = {one["guarantor_id"] for one in guarantors}
    return next(iter(alone)) if kind == "notice_to_guarantor" and not party and len(alone) == 1 else party or None


def letters(rows: Iterable[Mapping[str, Any]], guarantors: Sequence[Mapping[str, Any]]) -> list[Happened]:
    """Rows of `notice` as events."""
    found = []
    for row in rows:
        kind = LETTERS.get(row["kind"])
        if kind is None or row["sent_on"] is None:
            continue
        party = _party(kind, row["recipient"], guarantors) if kind == "notice_to_guarantor" else None
        event = Event(
            kind,
            row["sent_on"],
            row["received_on"],
            row["document"],
            party,
            row["total_minor"],
            row["currency"] or "",
            reference=row["tracking"] or "",
        )
        listed = json.loads(row["invoices"]) if row["invoices"] else []
        found += [Happened(event, str(number), int(instalment)) for number, instalment in listed] or [Happened(event)]
    return found


def _payments(rows: Iterable[Mapping[str, Any]], buyer_id: str) -> list[Happened]:
    """Money the debtor paid on an invoice, as far as it was not taken back: each is a part payment, proven by the ledger."""
    kept: list[Mapping[str, Any]] = []
    for row in sorted(rows, key=lambda one: (one["settle_date"], one["amount_minor"] < 0, one["settlement_id"])):
        if row["kind"] != "cash" or row["invoice_id"] is None or row["inferred"]:
            continue
        if row["amount_minor"] > 0:
            kept.append(row)
            continue
        same = [one for one in kept if (one["invoice_id"], one["instalment"]) == (row["invoice_id"], row["instalment"])]
        back = next((one for one in reversed(same) if one["amount_minor"] == -row["amount_minor"]), None)
        kept = [one for one in kept if one is not back] if back else [one for one in kept if one not in same]
    return [
        Happened(
            Event(
                "part_payment", row["settle_date"], row["settle_date"], f"settlement {row['settlement_id']}",
                row["payer_id"] if row["payer_id"] not in (None, "", buyer_id) else None, row["amount_minor"], row["currency"], reference=row["reference"] or "",
            ),
            row["invoice_id"], row["instalment"],
        )
        for row in kept
    ]  # fmt: skip


def _signals(rows: Iterable[Mapping[str, Any]]) -> list[Happened]:
    return [
        Happened(Event(SIGNALS[row["kind"]], row["occurred_on"] or row["published_on"], None, None, reference=row["reference"] or ""))
        for row in rows
        if row["kind"] in SIGNALS and row["ended_on"] is None
    ]


def _blocks(rows: Iterable[Mapping[str, Any]]) -> list[Happened]:
    return [Happened(Event("stop_shipment", row["valid_from"], None, f"limit {row['limit_id']}")) for row in rows if row["kind"] == "block"]


def _settled(rows: Iterable[Mapping[str, Any]]) -> dict[Item, int]:
    found: dict[Item, int] = {}
    for row in rows:
        if row["invoice_id"] is not None:
            key = (row["invoice_id"], row["instalment"] or 1)
            found[key] = found.get(key, 0) + row["amount_minor"]
    return found


# --- drawing up ---------------------------------------------------------------------------------------------------------------------------


def _chosen(facts: DebtFacts, invoices: Iterable[Item | str] | None) -> list[Mapping[str, Any]]:
    """The invoices asked for; else those that are due and not paid. What has no due date has no clock."""
    dated = [row for row in facts.invoices if row["due_date"] is not None]
    if invoices is None:
        return [
            row
            for row in dated
            if row["due_date"] < facts.on and row["amount_minor"] > facts.settled.get((row["invoice_id"], row["instalment"]), 0)
        ]
    wanted = set(invoices)
    return [row for row in dated if row["invoice_id"] in wanted or (row["invoice_id"], row["instalment"]) in wanted]


def contract_of(contracts: Sequence[Mapping[str, Any]], invoice: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The contract an invoice was issued under: in force on its day, with the company that issued it; the newest of several. None: not known."""
    day = invoice["issue_date"] or invoice["due_date"]
    fitting = [
        one
        for one in contracts
        if one["valid_from"] <= day
        and (one["valid_to"] is None or one["valid_to"] >= day)
        and (not one["legal_entity"] or not invoice["legal_entity"] or one["legal_entity"] == invoice["legal_entity"])
    ]
    return max(fitting, key=lambda one: (one["valid_from"], one["contract_id"]), default=None)


def laws_of(facts: DebtFacts, contract: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The law agreed; where none is known, the creditor's and the debtor's."""
    agreed = contract["governing_law"] if contract else None
    laws = [agreed] if agreed else [facts.own_country, facts.profile.get("country")]
    return tuple(dict.fromkeys(law.upper() for law in laws if law and law.upper() in COUNTRIES))


def _concerning(happened: Iterable[Happened], rows: Sequence[Mapping[str, Any]], due: date) -> list[Event]:
    """What concerns the invoices due on a day."""
    items = {(row["invoice_id"], row["instalment"]) for row in rows if row["due_date"] == due}
    numbers = {number for number, _ in items}
    return [
        one.event
        for one in happened
        if one.invoice_id is None or (one.invoice_id, one.instalment) in items or (one.instalment is None and one.invoice_id in numbers)
    ]


def _of_invoice(happened: Iterable[Happened], number: str, instalment: int | None) -> list[Event]:
    return [
        one.event
        for one in happened
        if one.invoice_id is None or (one.invoice_id == number and (instalment is None or one.instalment in (None, instalment)))
    ]


def _limitation(facts: DebtFacts, row: Mapping[str, Any], happened: Sequence[Happened]) -> list[Clock]:
    contract = contract_of(facts.contracts, row)
    laws = laws_of(facts, contract)
    number, instalment = row["invoice_id"], row["instalment"]
    all_of_it = sorted({one["due_date"] for one in facts.invoices if one["invoice_id"] == number and one["due_date"] is not None})
    found = []
    for code in laws:
        law = limitation_law(code)
        together = law.last_instalment
        debt = Debt(
            tuple(all_of_it) if together else (row["due_date"],), contract["subject"] if contract else None, facts.international,
            contract is not None and contract["signed_on"] is not None, facts.names,
        )  # fmt: skip
        clock = limitation(
            law, debt, _of_invoice(happened, number, None if together else instalment), on=facts.on, own_country=facts.worked_in,
            overrides=facts.overrides,
        )  # fmt: skip
        if len(laws) > 1:
            clock = replace(clock, warnings=(*clock.warnings, Said("clocks.warn_law_unknown")))
        found.append(replace(clock, about={"invoice_id": number, "instalment": instalment}))
    return found


def _guarantees(facts: DebtFacts, chosen: Sequence[Mapping[str, Any]], happened: Sequence[Happened]) -> list[Clock]:
    found: list[Clock] = []
    for row in facts.securities:
        independent = row["kind"] in INDEPENDENT
        if row["kind"] != "guarantee" and not independent:
            continue
        joint, unclear = worded_as(row["text"] or "")
        for due in sorted({one["due_date"] for one in chosen}):
            first = next(one for one in chosen if one["due_date"] == due)
            contract = contract_of(facts.contracts, first)
            law = (contract["governing_law"] if contract else None) or facts.own_country
            guarantee = Guarantee(
                row["security_id"],
                row["guarantor_id"] or row["security_id"],
                joint or independent,
                row["valid_to"],
                unclear,
                law,
                independent,
            )
            events = _concerning(happened, chosen, due)
            for make in (guarantee_period, guarantee_limitation):
                clock = make(guarantee, due, events, on=facts.on, own_country=facts.worked_in, overrides=facts.overrides)
                if clock is not None:
                    found.append(replace(clock, about={**clock.about, "due_date": due.isoformat()}))
    return found


def _proceedings(facts: DebtFacts, chosen: Sequence[Mapping[str, Any]], events: Sequence[Event]) -> list[Clock]:
    laws = laws_of(facts, contract_of(facts.contracts, chosen[0]))
    own = str(facts.profile.get("country") or "").upper()
    land = own if own in COUNTRIES else facts.own_country
    keep: dict[str, Any] = {"on": facts.on, "own_country": facts.own_country, "overrides": facts.overrides}
    found = [*preservation(events, **keep), *bills(events, **keep)] if "CN" in laws or land == "CN" else []
    period = enforcement_period(land)
    years, source, sure = (period.years, period.source, period.confidence) if period else (None, "", "L")
    enforced = enforcement(events, country=land, years=years, source=source, confidence=sure, **keep)
    lodged = insolvency_claim(events, insolvency_window(land), country=land, **keep)
    return [*found, *(one for one in (enforced, lodged) if one is not None)]


def plain(clock: Clock, on: date) -> dict[str, Any]:
    """A clock in plain values, for JSON: sentences as code and arguments."""

    def day(value: date | None) -> str | None:
        return value.isoformat() if value else None

    return {
        "code": clock.code, "state": clock.state, "starts_on": day(clock.starts_on), "ends_on": day(clock.ends_on), "act_by": day(clock.act_by),
        "ends_on_proven": day(clock.ends_on_proven), "days_left": clock.days_left(on), "alarm": clock.alarm(on),
        "alarms": [{"days": days, "on": when.isoformat()} for days, when in clock.alarm_days()], "country": clock.country,
        "law": clock.law.plain, "stops": list(clock.stops), "confidence": clock.confidence, "provisional": clock.provisional,
        "warnings": [one.plain for one in clock.warnings], "about": dict(clock.about),
        "events": [
            {
                "kind": one.event.kind, "on": one.event.on.isoformat(), "received_on": day(one.event.received_on), "proof": one.event.proof,
                "party": one.event.party, "effect": one.effect, "why": one.why.plain, "end": day(one.end),
            }
            for one in clock.events
        ],
    }  # fmt: skip
