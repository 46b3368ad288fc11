"""Agencies and law firms as the desk uses them: what each recovered of what it was given, and the facts of a pack.  追账机构与律所"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from duecourse.actions.agency_placement import Claim, Placing
from duecourse.cover.deadlines.guarantees import worded_as
from duecourse.desk.clocks import clocks_of, contract_of, facts_of
from duecourse.desk.late_interest import owed
from duecourse.desk.letterhead import letterhead
from duecourse.desk.limit_inputs import base_factors
from duecourse.errors import DuecourseError, FactUnknownError
from duecourse.ledger.entries import BUYER, CASE_EVENT, CONTRACT, DISPUTE, INVOICE, NOTICE, SECURITY, SETTLEMENT
from duecourse.messages import Language, say
from duecourse.reference.countries import COUNTRIES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date

    from duecourse.ledger.book import Book

TOLD: Final = ("placement", "report", "recovery")
MOST_HISTORY: Final = 60


@dataclass(frozen=True)
class Results:
    """What one agency did with what it was given, by the ledger's events. Amounts in the base currency; None where a rate is missing.

    placed, cases     amounts handed over, and how many times
    recovered         what it reported as recovered
    share             recovered of placed, a fraction; None: nothing was placed
    days              from the hand-over to the money, weighted by it; None: no money came
    last_heard        the latest report or recovery
    unconverted       currencies without a rate: left out of the amounts
    """

    placed: int | None
    cases: int
    recovered: int | None
    share: float | None
    days: float | None
    last_heard: date | None
    unconverted: tuple[str, ...] = ()


def key_of(party: str) -> str:
    """An agency as events name it: case and spaces do not matter."""
    return "".join(party.split()).casefold()


def results(book: Book, same: Mapping[str, str] | None = None) -> dict[str, Results]:
    """The results of every agency that events speak of, by `key_of` its name, of the buyers that may be seen.  追收成效

    same  `key_of` another name -> `key_of` the name it counts under: an agency that was renamed
    A recovery belongs to the placement of the same reference; where none is named, to the agency's latest placement with the same buyer before it.
    """
    table = book.table(CASE_EVENT)
    rows = book.run(
        table.filter(table.kind.isin(TOLD) & table.party.notnull())
        .select("event_id", "buyer_id", "party", "kind", "happened_on", "amount_minor", "currency", "reference")
        .order_by(["happened_on", "event_id"])
    ).to_pylist()
    factors, base = base_factors(book.whole), book.base_currency
    by_party: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        key = key_of(row["party"])
        by_party.setdefault((same or {}).get(key, key), []).append(row)
    return {party: _result(events, factors, base) for party, events in by_party.items()}


def _result(events: Sequence[Mapping[str, Any]], factors: Mapping[str, float], base: str) -> Results:
    missing: set[str] = set()

    def in_base(row: Mapping[str, Any]) -> int:
        minor, currency = row["amount_minor"] or 0, row["currency"] or ""
        factor = 1.0 if currency == base else factors.get(currency)
        if factor is None and minor:
            missing.add(currency)
        return int(minor * (factor or 0) + 0.5)

    placements = [row for row in events if row["kind"] == "placement"]
    money = [row for row in events if row["kind"] == "recovery"]
    placed, recovered = sum(map(in_base, placements)), sum(map(in_base, money))
    waited = weight = 0
    for row in money:
        began = _placement_of(row, placements)
        if began is not None:
            waited += (row["happened_on"] - began["happened_on"]).days * in_base(row)
            weight += in_base(row)
    heard = [row["happened_on"] for row in events if row["kind"] != "placement"]
    return Results(
        placed, len(placements), recovered, recovered / placed if placed else None, waited / weight if weight else None, max(heard, default=None),
        tuple(sorted(missing)),
    )  # fmt: skip


def _placement_of(row: Mapping[str, Any], placements: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    named = [one for one in placements if row["reference"] and one["reference"] == row["reference"]]
    earlier = [one for one in placements if one["buyer_id"] == row["buyer_id"] and one["happened_on"] <= row["happened_on"]]
    return next(iter(named), earlier[-1] if earlier else None)


def placeable(book: Book, buyer_id: str) -> list[dict[str, Any]]:
    """The invoices of a buyer that are late and not paid: what can be handed over, the oldest first. Nothing of a buyer that may not be seen."""
    about = book.about(buyer_id)
    settled: dict[tuple[str, int], int] = {}
    for row in about[SETTLEMENT.name].to_pylist():
        if row["invoice_id"] is not None:
            item = (row["invoice_id"], row["instalment"] or 1)
            settled[item] = settled.get(item, 0) + row["amount_minor"]
    found = []
    for row in about[INVOICE.name].to_pylist():
        left = row["amount_minor"] - settled.get((row["invoice_id"], row["instalment"]), 0)
        if row["due_date"] is not None and row["due_date"] < book.on and left > 0:
            found.append({**row, "open_minor": left, "days_late": (book.on - row["due_date"]).days})
    return sorted(found, key=lambda row: (row["due_date"], row["invoice_id"], row["instalment"]))


@dataclass(frozen=True)
class Agreed:
    """What a placement was made under, in the words of whoever made it."""

    number: str
    case_id: str
    agency: str
    fee: str
    authority: str
    contact: str


def placing(book: Book, buyer_id: str, items: Collection[tuple[str, int]], agreed: Agreed, lang: Language) -> Placing:
    """The facts of a pack about one buyer's invoices, as of the book: of one currency.

    Raises FactUnknownError where the buyer or one of the invoices is not there or not late, ValueError for several currencies.
    """
    rows = {(row["invoice_id"], row["instalment"]): row for row in placeable(book, buyer_id)}
    absent = sorted(set(items) - set(rows))
    if absent or not items:
        raise FactUnknownError(kind="invoice", key=" / ".join(str(part) for part in absent[0]) if absent else "–")
    chosen = [rows[item] for item in rows if item in set(items)]
    if len({row["currency"] for row in chosen}) > 1:
        raise ValueError("a placement is of one currency")
    about = {**book.about(buyer_id), **book.also_about(buyer_id, CONTRACT, CASE_EVENT, NOTICE, SECURITY)}
    profile = about[BUYER.name].to_pylist()[0]
    entity = next((row["legal_entity"] for row in chosen if row["legal_entity"]), "")
    own = letterhead(book, entity)
    contract = contract_of(facts_of(book, buyer_id).contracts, chosen[0])
    numbers = {row["invoice_id"] for row in chosen}
    return Placing(
        agreed.number, agreed.case_id, book.on, agreed.agency, own.name or own.local_name or say("agencies.pack_we", lang),
        _name(profile, lang) or buyer_id, buyer_id, profile["registration_number"] or profile["vat_number"] or "", profile["country"] or "",
        [
            (say("agencies.pack_name", lang), " ".join(filter(None, (own.name, own.local_name)))), (say("agencies.pack_address", lang), own.address or own.local_address),
            (say("agencies.pack_registration", lang), own.registration_number), (say("agencies.pack_email", lang), own.email), (say("agencies.pack_phone", lang), own.phone),
        ],
        [
            (say("agencies.pack_name", lang), "\n".join(dict.fromkeys(filter(None, (profile["name"], profile["name_local"]))))),
            (say("agencies.pack_number", lang), buyer_id), (say("agencies.pack_registration", lang), profile["registration_number"] or profile["vat_number"] or ""),
            (say("agencies.pack_country", lang), COUNTRIES[profile["country"]].name(lang) if profile["country"] in COUNTRIES else profile["country"] or ""),
            (say("agencies.pack_city", lang), profile["city"] or ""), (say("agencies.pack_representative", lang), profile["legal_representative"] or ""),
        ],
        _contract(contract, lang), _claims(book, buyer_id, chosen), _history(about, numbers, lang), _notes(about, numbers, lang),
        [text for text in (agreed.fee, agreed.authority) if text], agreed.contact,
    )  # fmt: skip


def _name(profile: Mapping[str, Any], lang: Language) -> str:
    local, plain = profile["name_local"] or "", profile["name"] or ""
    return (local or plain) if lang == "zh" else (plain or local)


def _contract(row: Mapping[str, Any] | None, lang: Language) -> list[tuple[str, str]]:
    if row is None:
        return []
    law = row["governing_law"]
    return [
        (say("agencies.pack_contract_number", lang), row["number"] or row["contract_id"]),
        (say("agencies.pack_signed", lang), str(row["signed_on"] or "")),
        (say("agencies.pack_law", lang), COUNTRIES[law].name(lang) if law in COUNTRIES else law or ""),
        (say("agencies.pack_forum", lang), " · ".join(filter(None, (row["forum"], row["seat"])))),
        (say("agencies.pack_agreed_interest", lang), row["late_interest"] or ""),
    ]


def _claims(book: Book, buyer_id: str, chosen: Sequence[Mapping[str, Any]]) -> list[Claim]:
    items = [(row["invoice_id"], row["instalment"]) for row in chosen]
    try:
        interest = {(one.invoice_id, one.instalment): one.interest_minor for one in owed(book, buyer_id, items).invoices}
    except DuecourseError:
        interest = {}  # a rate is missing: the pack says that it is not known
    ends: dict[Any, date] = {}
    for clock in clocks_of(book, buyer_id, items):
        if clock.code == "limitation" and clock.ends_on is not None:
            item = (clock.about["invoice_id"], clock.about["instalment"])
            ends[item] = min(clock.ends_on, ends.get(item, clock.ends_on))
    return [
        Claim(
            row["invoice_id"], row["instalment"], row["issue_date"], row["due_date"], row["currency"], row["amount_minor"],
            row["amount_minor"] - row["open_minor"], row["open_minor"], interest.get(item), ends.get(item),
        )
        for item, row in zip(items, chosen, strict=True)
    ]  # fmt: skip


def _history(about: Mapping[str, Any], numbers: Collection[str], lang: Language) -> list[tuple[date, str]]:
    """What was done so far: letters and events of these invoices or of the whole case; what our own people noted among themselves stays with us."""
    said = [
        (row["happened_on"], say(f"clocks.event_{row['kind']}", lang))
        for row in about[CASE_EVENT.name].to_pylist()
        if row["kind"] not in WITHIN and (row["invoice_id"] is None or row["invoice_id"] in numbers)
    ]
    for row in about[NOTICE.name].to_pylist():
        listed = {str(number) for number, _instalment in json.loads(row["invoices"] or "[]")}
        if row["sent_on"] is not None and (not listed or listed & set(numbers)):
            args = {name: row[name] or "–" for name in ("recipient", "channel", "tracking")}
            said.append((row["sent_on"], say("agencies.pack_letter", lang, **args)))
    return sorted(dict.fromkeys(said))[-MOST_HISTORY:]


WITHIN: Final = ("opened", "closed", "paused", "resumed", "escalated", "report", "placement", "recovery")
"""What concerns ourselves, or another agency."""


def _notes(about: Mapping[str, Any], numbers: Collection[str], lang: Language) -> list[str]:
    found = []
    for row in about[SECURITY.name].to_pylist():
        if row["released_on"] is None:
            joint = worded_as(row["text"] or "")[0]
            way = say("clocks.way_joint" if joint else "clocks.way_general", lang) if row["kind"] == "guarantee" else ""
            found.append(
                say(
                    "agencies.pack_security",
                    lang,
                    kind=say(f"agencies.security_{row['kind']}", lang),
                    who=row["guarantor_id"] or "–",
                    way=way,
                ).strip()
            )
    disputes = [row for row in about[DISPUTE.name].to_pylist() if row["resolved_on"] is None and row["invoice_id"] in numbers]
    found += [say("agencies.pack_dispute", lang, invoice=row["invoice_id"], reason=row["reason"] or "–") for row in disputes]
    return found or [say("agencies.pack_no_notes", lang)]


__all__ = ["Agreed", "Results", "key_of", "placeable", "placing", "results"]
