"""What a letter to a buyer rests on (催款函件): its invoices as of the book, what they owe by now, who we are, who they are, what may be said.

    drafted = letter_facts(book, buyer_id, kind="demand_letter", language="zh")
    drafted.blocking          # what has to be there before it may go
    compose(drafted.facts)    # the letter

A draft is always made; what is missing is said, and what it lacks keeps it from being sent, not from being read.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from duecourse.actions.letters import LANGUAGES_OF
from duecourse.actions.letters.facts import (
    CONSEQUENCES,
    Contract,
    Document,
    Guarantee,
    Invoice,
    LetterFacts,
    Party,
    PlanInstalment,
    Threshold,
)
from duecourse.actions.letters.rules import INSTALMENT_LAW, deadline_days, interrupting, language_for
from duecourse.calendar import WorkingDays
from duecourse.cover.said import Said
from duecourse.decisions.playbook import playbook_of
from duecourse.desk.buyer_page import Facts
from duecourse.desk.late_interest import contract_for, owed
from duecourse.desk.letter_interest import bases_of, invoice_of
from duecourse.desk.letterhead import Letterhead, letterhead
from duecourse.errors import CountryUnknownError, FactUnknownError, LetterUnworkableError
from duecourse.ledger.entries import CONTRACT, DOCUMENT, DOCUMENT_LINK, LIMIT, NOTICE, SECURITY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from duecourse.decisions.playbook import Step
    from duecourse.desk.late_interest import Owed, OwedInvoice
    from duecourse.ledger.book import Book

DEMANDS: Final = ("demand_letter", "letter_before_action", "guarantor_demand")
"""Letters that demand: what is said of limitation matters in them."""
GUARANTEES: Final = ("guarantee", "bank_guarantee", "standby_letter_of_credit")
FIRST_LIGHT: Final = "reminder"
DELIVERY: Final = ("delivery_note", "bill_of_lading", "proof_of_delivery")
"""Documents of the evidence file that prove a delivery."""


@dataclass(frozen=True)
class Wanted:
    """What somebody chose of a letter; empty = as the facts have it.

    security_id    of a letter to a guarantor: the guarantee
    name, address, email   of the recipient, where the ledger does not know them or knows them wrongly
    """

    kind: str = "demand_letter"
    language: str = ""
    channel: str = "post"
    name: str = ""
    address: str = ""
    email: str = ""
    security_id: str = ""
    deadline: date | None = None
    documents: tuple[Document, ...] = ()
    plan: tuple[PlanInstalment, ...] = ()
    case_id: str = ""
    step: str = ""
    number: str = ""


@dataclass(frozen=True)
class Drafted:
    """A letter's facts, and what is to be known of it before it goes.

    blocking  what is missing: it may be drafted and not sent
    advice    what would make it stronger, or should be looked at
    entity    which company of ours writes
    warning   what a demand does not do to limitation by the law of this claim; None where it does, or the letter is no demand
    """

    facts: LetterFacts
    blocking: tuple[Said, ...] = ()
    advice: tuple[Said, ...] = ()
    warning: Said | None = None
    entity: str = ""


@dataclass(frozen=True)
class _Known:
    buyer: Mapping[str, Any]
    contracts: Sequence[Mapping[str, Any]]
    securities: Sequence[Mapping[str, Any]]
    limits: Sequence[Mapping[str, Any]]
    notices: Sequence[Mapping[str, Any]]
    invoices: Sequence[Mapping[str, Any]]
    disputed: frozenset[str]


def letter_facts(book: Book, buyer_id: str, invoices: Collection[tuple[str, int]] | None = None, wanted: Wanted | None = None) -> Drafted:
    """The facts of a letter on this book's day.  函件事实

    invoices  (invoice, instalment) pairs; None: every invoice of the buyer that is late and open; for a reminder where none is late, those that fall due soon
    Raises BuyerUnknownError, FactUnknownError for an invoice that is not this buyer's, LetterUnworkableError where nothing is late, the invoices belong to
    several companies of ours, or the kind or language is none.
    """
    wanted = wanted or Wanted()
    found = owed(book, buyer_id, invoices)
    kept = [one for one in found.invoices if invoices is not None or one.principal_minor > 0]
    ahead = not kept and wanted.kind == FIRST_LIGHT
    if ahead:
        found, kept = _coming(book, buyer_id, invoices)
    if not kept or wanted.kind not in LANGUAGES_OF:
        raise LetterUnworkableError(letter=buyer_id, missing="invoices" if not kept else wanted.kind)
    known = _known(book, buyer_id)
    rows = {(row["invoice_id"], row["instalment"]): row for row in known.invoices}
    chosen = [rows[one.invoice_id, one.instalment] for one in kept]
    entities = sorted({str(row["legal_entity"] or known.buyer.get("legal_entity") or "") for row in chosen})
    if len(entities) > 1:
        raise LetterUnworkableError(letter=buyer_id, missing=f"one company of ours: {', '.join(entities)}")
    own = letterhead(book, entities[0])
    contract_row = _one_contract(known, chosen, entities[0])
    contract = _contract(contract_row)
    guarantee_row = _guarantee_row(known, wanted)
    debtor = _debtor(known, buyer_id, contract_row)
    recipient = _recipient(book, wanted, debtor, guarantee_row, known)
    if guarantee_row is None and not wanted.name:  # where the letter goes is the debtor's own address
        debtor = recipient
    said = tuple(invoice_of(buyer_id, one, rows[one.invoice_id, one.instalment]) for one in kept)
    days = deadline_days(wanted.kind, recipient.country or debtor.country, contract)
    deadline = wanted.deadline or (
        max(one.due_date for one in kept) if ahead else _worked(book.on + timedelta(days=days), recipient.country or debtor.country)
    )
    law, stated = _law(found, contract, own, debtor)
    facts = LetterFacts(
        kind=wanted.kind, language=wanted.language or _language(wanted.kind, recipient.country, own.country), number=wanted.number, buyer_id=buyer_id, dated=book.on,
        until=book.on if ahead else found.until, deadline=deadline, deadline_days=(deadline - book.on).days, creditor=own.party, debtor=debtor, recipient=recipient, invoices=said, contract=contract,
        bases=bases_of(kept), documents=_documents(book, buyer_id, wanted, {row["invoice_id"] for row in chosen}), accounts=_accounts(own, said), call_back=own.call_back, consequences=_consequences(known, contract, book.on), law=law,
        interrupts=interrupting(law) if stated and wanted.kind in DEMANDS else "", threshold=_threshold(known, chosen, contract, law, book.on), guarantee=_guarantee(buyer_id, guarantee_row),
        plan=wanted.plan, previous=_previous(known, kept), signatory=own.signatory, signatory_title=own.signatory_title, channel=wanted.channel, case_id=wanted.case_id,
        step=wanted.step, logo=own.logo,
    )  # fmt: skip
    facts = facts if facts.number else replace(facts, number=number_of(facts))
    if facts.language not in LANGUAGES_OF[facts.kind]:
        raise LetterUnworkableError(letter=facts.number, missing=f"{facts.kind}/{facts.language}")
    return Drafted(facts, *missing(facts, kept, known.disputed), _warning(facts, law), entities[0])


def reminder_ahead(book: Book) -> Step | None:
    """The step of the playbook that reminds before the due date, `-days` days ahead; None where the firm has none."""
    steps = playbook_of(book.settings).steps
    return next((one for one in steps if one.letter == FIRST_LIGHT and one.anchor == "due_date" and one.days < 0), None)


def _coming(book: Book, buyer_id: str, invoices: Collection[tuple[str, int]] | None) -> tuple[Owed, list[OwedInvoice]]:
    """What falls due within the days of the playbook's reminder, or of these invoices what is not due yet: nothing of it is late."""
    step = reminder_ahead(book)
    last = book.on + timedelta(days=-step.days if step else 0)
    rows = book.about(buyer_id)["invoice"].to_pylist()
    wanted = {
        (row["invoice_id"], row["instalment"]): row["due_date"] for row in rows
        if row["due_date"] is not None and row["due_date"] >= book.on and ((row["invoice_id"], row["instalment"]) in invoices if invoices is not None else row["due_date"] <= last)
    }  # fmt: skip
    if not wanted:
        return owed(book, buyer_id, ()), []
    found = owed(book, buyer_id, list(wanted), until=max(wanted.values()) + timedelta(days=1))
    kept = [
        replace(one, days_late=0, interest_minor=None, daily_minor=0, compensation_minor=None)
        for one in found.invoices
        if one.principal_minor > 0
    ]
    return found, kept


def mark_of(facts: LetterFacts) -> str:
    """What makes two letters one: the same case, kind, step, recipient and invoices. The same draft asked for twice is one letter."""
    same = [
        facts.case_id, facts.buyer_id, facts.kind, facts.step, facts.recipient.name or facts.recipient.local_name,
        sorted([one.invoice_id, one.instalment] for one in facts.invoices),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(same, ensure_ascii=False).encode()).hexdigest()


def number_of(facts: LetterFacts) -> str:
    """The letter's own number: its day and eight signs of its mark."""
    return f"L{facts.dated:%Y%m%d}-{mark_of(facts)[:8].upper()}"


# --- what the book holds ----------------------------------------------------------------------------------------------------------------------


def _known(book: Book, buyer_id: str) -> _Known:
    facts = Facts(book, buyer_id)
    more = {name: rows.to_pylist() for name, rows in book.also_about(buyer_id, CONTRACT, SECURITY, LIMIT, NOTICE).items()}
    disputed = frozenset(row["invoice_id"] for row in facts.dispute.to_pylist() if row["resolved_on"] is None and row["invoice_id"])
    invoices = [{**row, "open_minor": int(left)} for row, left in zip(facts.invoice.to_pylist(), facts.open, strict=True)]
    holding = [
        row for row in more[SECURITY.name] if row["released_on"] is None and (row["valid_to"] is None or row["valid_to"] >= book.on)
    ]  # fmt: skip
    return _Known(
        facts.profile, more[CONTRACT.name], sorted(holding, key=lambda row: str(row["security_id"])), more[LIMIT.name],
        more[NOTICE.name], invoices, disputed,
    )  # fmt: skip


def _one_contract(known: _Known, chosen: Iterable[Mapping[str, Any]], entity: str) -> Mapping[str, Any] | None:
    """The contract all these invoices are under; None where there is none, or several."""
    found = [contract_for(known.contracts, row["issue_date"], row["legal_entity"] or entity or None) for row in chosen]
    first = found[0]
    return first if first is not None and all(one is not None and one["contract_id"] == first["contract_id"] for one in found) else None


def _contract(row: Mapping[str, Any] | None) -> Contract | None:
    if row is None:
        return None
    return Contract(
        str(row["number"] or row["contract_id"]), row["signed_on"] or row["valid_from"], row["governing_law"] or "", bool(row["instalments"]), int(row["cure_days"] or 0),
        bool(row["recovery_costs"]), row["dispute_resolution"] == "arbitration", row["forum"] or "",
    )  # fmt: skip


def _debtor(known: _Known, buyer_id: str, contract: Mapping[str, Any] | None) -> Party:
    row = known.buyer
    served = max(
        (one for one in known.notices if one["channel"] == "post" and one["address"]), key=lambda one: one["sent_on"], default=None
    )
    mailed = max(
        (one for one in known.notices if one["channel"] == "email" and one["address"]), key=lambda one: one["sent_on"], default=None
    )
    address = str((contract or {}).get("service_address") or (served or {}).get("address") or "")
    email = str((contract or {}).get("service_email") or (mailed or {}).get("address") or "")
    return Party(
        str(row.get("name") or buyer_id), str(row.get("name_local") or ""), str(row.get("registration_number") or row.get("vat_number") or ""), address, str(row.get("country") or ""),
        email, "", str(row.get("legal_representative") or ""),
    )  # fmt: skip


def _guarantee_row(known: _Known, wanted: Wanted) -> Mapping[str, Any] | None:
    if wanted.kind != "guarantor_demand":
        return None
    fitting = [row for row in known.securities if row["kind"] in GUARANTEES]
    if wanted.security_id:
        fitting = [row for row in fitting if row["security_id"] == wanted.security_id]
    if not fitting:
        raise FactUnknownError(kind="security", key=wanted.security_id or "guarantee")
    return fitting[0]


def _recipient(book: Book, wanted: Wanted, debtor: Party, guarantee: Mapping[str, Any] | None, known: _Known) -> Party:
    """Who is written to: the debtor, or the guarantor as the ledger knows it; what somebody typed goes before it."""
    one = debtor
    if guarantee is not None:
        number = str(guarantee["guarantor_id"] or "")
        profile = book.about(number)["buyer"].to_pylist() if number else []
        row = profile[0] if profile else {}
        one = Party(
            str(row.get("name") or number), str(row.get("name_local") or ""), str(row.get("registration_number") or ""), "", str(row.get("country") or known.buyer.get("country") or ""), "", "",
            str(row.get("legal_representative") or ""),
        )  # fmt: skip
    if wanted.name:
        one = replace(one, name=wanted.name, local_name="")
    return replace(one, address=wanted.address or one.address, email=wanted.email or one.email)


def _guarantee(buyer_id: str, row: Mapping[str, Any] | None) -> Guarantee | None:
    if row is None:
        return None
    return Guarantee(
        buyer_id, str(row["reference"] or row["security_id"]), row["valid_from"], row["currency"] or "", row["amount_minor"] if row["currency"] else None, row["valid_to"],
        "general" not in str(row["text"] or "").lower() and "一般保证" not in str(row["text"] or ""),
        str(row["security_id"]),
    )  # fmt: skip


def _accounts(own: Letterhead, invoices: Iterable[Invoice]) -> Any:
    currencies = {one.currency for one in invoices}
    exact = tuple(one for one in own.accounts if one.currency in currencies)
    covered = {one.currency for one in exact}
    return exact if covered == currencies else (*exact, *(one for one in own.accounts if not one.currency))


def _consequences(known: _Known, contract: Contract | None, on: date) -> tuple[str, ...]:
    """What may follow, by what there is: nobody threatens what cannot be done."""
    kinds = {row["kind"] for row in known.securities}
    insured = any(
        row["kind"] == "insurer" and row["amount_minor"] and row["ended_on"] is None and (row["valid_to"] is None or row["valid_to"] >= on) for row in known.limits
    )  # fmt: skip
    there = {
        "accelerate": contract is not None and contract.instalments, "retake": "retention_of_title" in kinds,
        "guarantor": bool(kinds - {"retention_of_title", "deposit"}), "insurer": insured,
    }  # fmt: skip
    return tuple(name for name in CONSEQUENCES if there.get(name, True))


def _documents(book: Book, buyer_id: str, wanted: Wanted, numbers: Collection[str]) -> tuple[Document, ...]:
    """What somebody named, and what the evidence file holds to prove that these invoices were delivered."""
    told = {name: rows.to_pylist() for name, rows in book.also_about(buyer_id, DOCUMENT, DOCUMENT_LINK).items()}
    kept = {row["document_id"]: row for row in told[DOCUMENT.name] if row["kind"] in DELIVERY}
    found = list(wanted.documents)
    there = {(one.text, one.invoice_id) for one in found}
    for link in sorted(told[DOCUMENT_LINK.name], key=lambda row: (str(row["target_id"]), row["document_id"])):
        row = kept.get(link["document_id"])
        if row is None or link["target"] != "invoice" or link["target_id"] not in numbers:
            continue
        text = str(row["text"] or row["file_name"] or row["document_id"][:12])[:200]
        if (text, link["target_id"]) not in there:
            paged = row["media_type"] == "application/pdf"
            found.append(
                Document(
                    buyer_id,
                    text,
                    link["target_id"],
                    row["dated"],
                    delivery=True,
                    enclosed=paged,
                    document_id=row["document_id"] if paged else "",
                )
            )
            there.add((text, link["target_id"]))
    return tuple(found)


def _threshold(known: _Known, chosen: Iterable[Mapping[str, Any]], contract: Contract | None, law: str, on: date) -> Threshold | None:
    """Of a sale by instalments under the law of China: how much of the whole price is due and unpaid."""
    if contract is None or not contract.instalments or law != INSTALMENT_LAW:
        return None
    numbers = {row["invoice_id"] for row in chosen}
    own = [row for row in known.invoices if row["invoice_id"] in numbers]
    currencies = {row["currency"] for row in own}
    if len(currencies) != 1:
        return None
    due = sum(row["open_minor"] for row in own if row["due_date"] is not None and row["due_date"] < on and row["open_minor"] > 0)
    return Threshold(currencies.pop(), due, sum(row["amount_minor"] for row in own))


def _previous(known: _Known, kept: Iterable[Any]) -> tuple[date, ...]:
    """The days of earlier letters to this buyer about any of these invoices."""
    mine = {(one.invoice_id, one.instalment) for one in kept}
    days = set()
    for row in known.notices:
        about = {(one[0], one[1]) for one in json.loads(row["invoices"] or "[]")}
        if about & mine and row["kind"] in (FIRST_LIGHT, *DEMANDS) and row["dated"] is not None:
            days.add(row["dated"])
    return tuple(sorted(days)[-3:])


def _law(found: Owed, contract: Contract | None, own: Letterhead, debtor: Party) -> tuple[str, bool]:
    """The law of the claim, and whether that is sure: agreed, or both sides in one country."""
    agreed = bool(contract is not None and contract.governing_law)
    ours = own.country or found.creditor.country
    return found.law or "", agreed or bool(ours and ours == debtor.country)


def _language(kind: str, theirs: str, ours: str) -> str:
    """What a letter is written in when nobody said: the reader's language; both where one side is Chinese and the other is not."""
    language = language_for(kind, theirs, LANGUAGES_OF[kind])
    return "zh+en" if language == "zh" and ours and ours != "CN" else language


@lru_cache(maxsize=64)
def _calendar(code: str) -> WorkingDays | None:
    try:
        return WorkingDays(code) if code else None
    except CountryUnknownError:
        return None


def _worked(day: date, code: str) -> date:
    """The first worked day from then on where the recipient is."""
    days = _calendar(code)
    return days.following(day) if days is not None else day


# --- what is missing --------------------------------------------------------------------------------------------------------------------------


def missing(facts: LetterFacts, kept: Iterable[Any] = (), disputed: Collection[str] = ()) -> tuple[tuple[Said, ...], tuple[Said, ...]]:
    """What keeps a letter from going, and what should be looked at. Asked again of an edited draft before it goes."""
    own, to = facts.creditor, facts.recipient
    stops = {
        "own_name": not (own.name or own.local_name), "own_address": not (own.address or own.local_address), "recipient_name": not (to.name or to.local_name),
        "recipient_address": facts.channel == "post" and not to.address, "recipient_email": facts.channel == "email" and not to.email,
        "deadline_past": facts.deadline <= facts.dated,
    }  # fmt: skip
    blocking = [Said(f"letters.missing_{name}") for name, lacks in stops.items() if lacks]
    if facts.kind != "acknowledgement_of_debt":
        covered = {one.currency for one in facts.accounts}
        blocking += [Said("letters.missing_account", {"currency": one.currency}) for one in facts.totals if one.principal_minor and not covered & {one.currency, ""}]  # fmt: skip
    notes = {
        "own_number": not own.registration_number, "their_number": not to.registration_number, "contract": facts.contract is None, "signatory": not facts.signatory,
        "call_back": not facts.call_back, "delivery": facts.kind in DEMANDS and not any(one.delivery for one in facts.documents),
    }  # fmt: skip
    advice = [Said(f"letters.advice_{name}") for name, lacks in notes.items() if lacks]
    if any(one.enclosed and not one.document_id for one in facts.documents):
        advice.append(Said("letters.advice_enclosures"))
    least = deadline_days(facts.kind, to.country or facts.debtor.country, facts.contract)
    if facts.deadline_days < least and facts.deadline > facts.dated:
        advice.append(Said("letters.advice_deadline_short", {"days": facts.deadline_days, "least": least}))
    contested = sorted({one.invoice_id for one in facts.invoices} & set(disputed))
    if contested:
        advice.append(Said("letters.advice_disputed", {"invoices": ", ".join(contested[:5])}))
    refused = [one for one in kept if one.refused is not None]
    if refused and facts.kind != FIRST_LIGHT:
        advice.append(
            Said("letters.advice_interest", {"invoices": ", ".join(one.invoice_id for one in refused[:5]), "why": refused[0].refused})
        )
    return tuple(blocking), tuple(advice)


def _warning(facts: LetterFacts, law: str) -> Said | None:
    """Shown in red where a demand does not stop the clock."""
    if facts.kind not in DEMANDS or facts.interrupts == "restarts":
        return None
    if facts.interrupts == "postpones":
        return Said("letters.postpones_only", {"country": law})
    if not law:
        return Said("letters.law_unknown")
    return Said("letters.law_not_agreed" if interrupting(law) else "letters.no_interruption", {"country": law})
