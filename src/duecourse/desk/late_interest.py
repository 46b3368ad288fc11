"""What a buyer owes besides the price, invoice by invoice (逾期利息测算): the rule, every segment, fixed compensation, and what a further day adds.

    found = owed(book, buyer_id)                 # every invoice that is late, and those that were paid late
    owed(book, buyer_id, [("F-1", 1)])           # some

Payments count as the ledger has booked them: to the principal of their invoice. What was paid late keeps its claim to interest. What was written off in
the books is still owed. `by_law_order` sets the same payments against costs, interest and principal as the law has it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from duecourse.calendar import ONE_DAY
from duecourse.cover.late_interest.agreed import AgreedRate, read_rate
from duecourse.cover.late_interest.applicable import Deal, Party, law_of, size_of
from duecourse.cover.late_interest.claim import Claim, Owing, Reckoned, claim, running
from duecourse.cover.late_interest.payments import Cost, Payment, apply_payments
from duecourse.cover.late_interest.rates import Happened
from duecourse.cover.said import Said
from duecourse.desk.reference_rates import rates_of
from duecourse.errors import BuyerUnknownError, FactUnknownError, RateUnreadableError
from duecourse.ledger.entries import CASE_EVENT, CONTRACT
from duecourse.reference.payment_order import PaymentOrder, payment_order

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from duecourse.cover.late_interest.accrual import Running, Segment
    from duecourse.cover.late_interest.payments import Application
    from duecourse.ledger.book import Book
    from duecourse.reference.reference_rates import ReferenceRates

BEARING: Final = ("invoice", "debit_note", "opening")
"""Documents that bear interest; a note of interest does not."""

LOWERS_PRICE: Final = ("credit_note", "return", "discount")
"""What lowers the price itself counts from the start: nobody was late with it."""

NOT_PAID: Final = ("write_off",)
"""What ends in the books and not in law."""

PAID_LATE_YEARS: Final = 3
"""Invoices paid late longer ago than this are left out unless asked for: most claims to interest have lapsed by then."""

EVENTS: Final[Mapping[str, str]] = {
    "demand": "demand",
    "suit": "suit",
    "payment_order": "suit",
    "arbitration": "suit",
    "judgment": "judgment",
}


@dataclass(frozen=True, slots=True)
class OwedInvoice:
    """One instalment of one invoice.

    amount_minor     as billed; settled_minor what has been paid, credited or set off; principal_minor what is open
    interest_minor   interest until the day, all segments together, rounded once; None: it could not be worked out, `refused` says why
    compensation_minor, compensation_currency   the law's fixed sum; None where it gives none
    daily_minor      what each further day adds
    regime           the rule it rests on; segments of it, with the rules that come on top
    basis            reasons: the law and why it applies, cautions
    candidates       every rule that was looked at, with its amount
    """

    invoice_id: str
    instalment: int
    issue_date: date | None
    due_date: date
    currency: str
    amount_minor: int
    settled_minor: int
    principal_minor: int
    interest_minor: int | None
    compensation_minor: int | None
    compensation_currency: str | None
    daily_minor: int
    regime: str
    segments: tuple[tuple[str, Segment], ...]
    basis: tuple[Said, ...]
    refused: Said | None
    claim: Claim
    owing: Owing
    happened: Happened
    days_late: int

    @property
    def candidates(self) -> tuple[Reckoned, ...]:
        """Every rule that was looked at."""
        return self.claim.reckoned


@dataclass(frozen=True, slots=True)
class Owed:
    """What a buyer owes until a day: the invoices by due date, who the parties are, the law, and notes on the whole."""

    buyer_id: str
    until: date
    invoices: tuple[OwedInvoice, ...]
    creditor: Party
    debtor: Party
    law: str
    why_law: Said
    notes: tuple[Said, ...] = ()

    def totals(self) -> dict[str, dict[str, int]]:
        """{currency: {principal, interest, compensation}}: minor units. Compensation stands under its own currency."""
        found: dict[str, dict[str, int]] = {}

        def line(currency: str) -> dict[str, int]:
            return found.setdefault(currency, {"principal": 0, "interest": 0, "compensation": 0})

        for one in self.invoices:
            line(one.currency)["principal"] += one.principal_minor
            line(one.currency)["interest"] += one.interest_minor or 0
            if one.compensation_minor:
                line(one.compensation_currency or one.currency)["compensation"] += one.compensation_minor
        return found


def own_party(settings: Mapping[str, Any]) -> tuple[Party, tuple[Said, ...]]:
    """Who we are: country and size from the settings; without a country, that of the working days."""
    named = str(settings.get("own_country") or "")
    size = str(settings.get("own_size") or "")
    if named:
        return Party(named, size), ()
    assumed = str(settings.get("calendar") or "CN")
    return Party(assumed, size), (Said("interest.own_country_assumed", {"country": assumed}),)


@dataclass(frozen=True)
class _Known:
    """What the book says of one buyer."""

    profile: dict[str, Any]
    invoices: list[dict[str, Any]]
    settlements: dict[tuple[str, int], list[dict[str, Any]]]
    contracts: list[dict[str, Any]]
    events: list[dict[str, Any]]


def _known(book: Book, buyer_id: str) -> _Known:
    facts = book.about(buyer_id)
    profile = facts["buyer"].to_pylist()
    invoices = facts["invoice"].to_pylist()
    if not profile and not invoices:
        raise BuyerUnknownError(buyer=buyer_id)
    settled: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in facts["settlement"].to_pylist():
        if row["invoice_id"] is not None:
            settled.setdefault((row["invoice_id"], row["instalment"] or 1), []).append(row)
    more = book.also_about(buyer_id, CONTRACT, CASE_EVENT)
    return _Known(profile[0] if profile else {}, invoices, settled, more[CONTRACT.name].to_pylist(), more[CASE_EVENT.name].to_pylist())


def contract_for(contracts: Sequence[Mapping[str, Any]], issued: date | None, entity: str | None) -> Mapping[str, Any] | None:
    """Which contract is an invoice under? The newest that had begun and not ended, of the company that issued it where one is named."""
    fitting = [
        one for one in contracts
        if (issued is None or (one["valid_from"] or date.min) <= issued <= (one["valid_to"] or date.max))
        and one["legal_entity"] in (None, "", entity)
    ]  # fmt: skip
    return max(fitting, key=lambda one: (bool(one["legal_entity"]), one["valid_from"] or date.min, one["contract_id"]), default=None)


def owed(
    book: Book, buyer_id: str, invoices: Collection[tuple[str, int]] | None = None, *, until: date | None = None, debtor_size: str = "",
    agreed: AgreedRate | None = None,
) -> Owed:  # fmt: skip
    """What does this buyer owe for being late, invoice by invoice, until a day (the book's)?  逾期利息

    invoices     (invoice, instalment) pairs; None: all that are late, and those paid late in the last three years
    debtor_size  micro, small, medium, large or public, where the buyer's profile does not say
    agreed       a rate that counts instead of the contract's
    Raises BuyerUnknownError, FactUnknownError for an invoice that is not this buyer's.
    """
    until = until or book.on
    known = _known(book, buyer_id)
    rates = rates_of(book)
    creditor, notes = own_party(book.settings)
    profile = known.profile
    debtor = Party(str(profile.get("country") or ""), debtor_size or size_of(profile.get("enterprise_size")))
    wanted = None if invoices is None else {(one, number) for one, number in invoices}
    rows = [row for row in known.invoices if wanted is None or (row["invoice_id"], row["instalment"]) in wanted]
    if wanted is not None and len(rows) < len(wanted):
        missing = min(wanted - {(row["invoice_id"], row["instalment"]) for row in rows})
        raise FactUnknownError(kind="invoice", key=f"{missing[0]}/{missing[1]}")
    found, doubts = [], list(notes)
    for row in sorted(rows, key=lambda one: (one["due_date"] or date.max, one["invoice_id"], one["instalment"])):
        if row["kind"] not in BEARING or row["due_date"] is None or row["due_date"] >= until:
            continue
        made = _invoice(row, known, until, creditor, debtor, rates, agreed)
        if wanted is None and not made.principal_minor and not _lately(made, until):
            continue
        found.append(made)
    notes_of_interest = [row for row in rows if row["kind"] == "interest_note"]
    if notes_of_interest:
        doubts.append(
            Said(
                "interest.note_billed",
                {"count": len(notes_of_interest), "invoices": ", ".join(row["invoice_id"] for row in notes_of_interest[:5])},
            )
        )
    deal, _doubt = _deal(contract_for(known.contracts, until, None), agreed)
    law, why = law_of(creditor, debtor, deal)
    return Owed(buyer_id, until, tuple(found), creditor, debtor, law, why, tuple(doubts))


def invoices_of(book: Book, invoice_id: str) -> str:
    """Whose invoice is this? The buyer's number. Raises FactUnknownError."""
    table = book.invoice
    rows = book.run(table.filter(table.invoice_id == invoice_id).select("buyer_id").distinct()).to_pylist()
    if not rows:
        raise FactUnknownError(kind="invoice", key=invoice_id)
    return str(rows[0]["buyer_id"])


def _lately(one: OwedInvoice, until: date) -> bool:
    """Was it paid late, not too long ago, so that there is something to claim?"""
    last = max((on for on, _minor in one.owing.payments), default=one.due_date)
    return bool(one.segments or one.refused) and one.days_late > 0 and last > until - timedelta(days=365 * PAID_LATE_YEARS)


def _deal(contract: Mapping[str, Any] | None, agreed: AgreedRate | None) -> tuple[Deal, Said | None]:
    """The contract as far as interest goes, and what of it cannot be read."""
    if contract is None:
        return Deal(agreed=agreed), None
    doubt = None
    if agreed is None and contract["late_interest"]:
        try:
            agreed = read_rate(contract["late_interest"])
        except RateUnreadableError as error:
            doubt = Said(
                "interest.contract_unreadable", {"text": error.args_["text"], "contract": contract["number"] or contract["contract_id"]}
            )
    signed = contract["signed_on"] or contract["valid_from"]
    return Deal(contract["governing_law"] or "", agreed, signed, subject=contract["subject"] or ""), doubt


def _happened(events: Sequence[Mapping[str, Any]], row: Mapping[str, Any], deal: Deal) -> Happened:
    """The days a rule's interest may depend on, of this invoice or of its whole case. The first of each counts."""
    first: dict[str, date] = {}
    for event in events:
        if event["kind"] in EVENTS and (event["invoice_id"], event["instalment"] or 1) in (
            (None, 1),
            (row["invoice_id"], row["instalment"]),
        ):
            on = event["received_on"] if event["kind"] == "demand" else event["promised_on"] if event["kind"] == "judgment" else None
            name, day = EVENTS[event["kind"]], on or event["happened_on"]
            first[name] = min(first.get(name, day), day)
            if event["kind"] == "suit" and event["received_on"]:
                first["served"] = min(first.get("served", event["received_on"]), event["received_on"])
    return Happened(first.get("demand"), first.get("suit"), first.get("served"), first.get("judgment"), deal.signed_on)


def owing_of(row: Mapping[str, Any], settlements: Sequence[Mapping[str, Any]], until: date) -> tuple[Owing, tuple[Said, ...]]:
    """The debt of one invoice: what lowers its price taken off, its payments by day. Inferred payments count from their first possible day."""
    principal, doubts = row["amount_minor"], []
    payments = []
    for one in settlements:
        if one["kind"] in NOT_PAID:
            doubts.append(Said("interest.written_off", {"on": one["settle_date"].isoformat()}))
        elif one["settle_date"] > until:
            continue
        elif one["kind"] in LOWERS_PRICE:
            principal -= one["amount_minor"]
        else:
            day = one["settle_date"]
            if one["inferred"] and one["settle_date_from"]:
                day = max(one["settle_date_from"], row["issue_date"] or one["settle_date_from"])
                doubts.append(Said("interest.payment_day_inferred", {"first": day.isoformat(), "last": one["settle_date"].isoformat()}))
            payments.append((day, one["amount_minor"]))
    return Owing(max(principal, 0), row["currency"], row["due_date"], tuple(sorted(payments))), tuple(doubts)


def _invoice(
    row: Mapping[str, Any], known: _Known, until: date, creditor: Party, debtor: Party, rates: ReferenceRates, agreed: AgreedRate | None
) -> OwedInvoice:
    owing, doubts = owing_of(row, known.settlements.get((row["invoice_id"], row["instalment"]), []), until)
    deal, doubt = _deal(contract_for(known.contracts, row["issue_date"], row["legal_entity"]), agreed)
    happened = _happened(known.events, row, deal)
    found = claim(owing, until, creditor, debtor, deal, rates=rates, happened=happened)
    chosen = found.chosen
    open_minor = owing.unpaid_on(until)
    basis = [law_of(creditor, debtor, deal)[1], *doubts, *([doubt] if doubt else [])]
    if chosen:
        basis += [*chosen.candidate.reasons, *chosen.candidate.cautions]
        if chosen.candidate.confidence == "L":
            basis.append(Said("interest.caution_confidence"))
    claimed = [one for one in (chosen, *found.additional) if one is not None and one.accrual is not None]
    segments = tuple((one.candidate.code, segment) for one in claimed for segment in (one.accrual.segments if one.accrual else ()))
    fixed = chosen.fixed if chosen else None
    # A rule that applies and that nobody can work out is not replaced by a smaller figure without a word.
    refused = (found.refused or Said("interest.no_rule", {"country": law_of(creditor, debtor, deal)[0] or "–"})) if chosen is None else None
    if chosen is not None and found.refused is not None:
        basis.append(found.refused)
    last = max((on for on, _minor in owing.payments), default=until) if not open_minor else until
    return OwedInvoice(
        row["invoice_id"], row["instalment"], row["issue_date"], row["due_date"], row["currency"], row["amount_minor"],
        row["amount_minor"] - open_minor, open_minor, None if refused is not None else found.interest_minor,
        fixed.amount_minor if fixed else None, fixed.currency if fixed else None, sum(one.accrual.daily_minor for one in claimed if one.accrual),
        chosen.candidate.code if chosen else "", segments, tuple(basis), refused, found, owing, happened, max(0, (last - row["due_date"]).days),
    )  # fmt: skip


# --- the law's order --------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InOrder:
    """The same payments set against costs, interest and principal by the law: what each paid, and what is left of every invoice."""

    order: PaymentOrder
    application: Application
    left: tuple[tuple[str, int, int], ...]  # invoice/instalment, principal, interest: minor units


def by_law_order(book: Book, found: Owed, *, costs: Mapping[str, Sequence[Cost]] | None = None) -> dict[str, InOrder]:
    """What is left where each payment goes to costs, interest and principal in the law's order, by currency?  清偿抵充

    costs  of recovery the debtor bears, by currency
    The payments booked to these invoices, no others. What is owed changes between principal and interest; what was received does not.
    """
    rates = rates_of(book)
    order = payment_order(found.law)
    result = {}
    for currency in sorted({one.currency for one in found.invoices}):
        debts: dict[str, Running] = {}
        doubled: dict[str, Running] = {}
        payments: list[Payment] = []
        for one in found.invoices:
            if one.currency != currency or one.claim.chosen is None:
                continue
            name = f"{one.invoice_id}/{one.instalment}"
            chosen = one.claim.chosen.candidate
            before = sum(minor for on, minor in one.owing.payments if on <= one.due_date)
            bare = replace(one.owing, principal_minor=max(one.owing.principal_minor - before, 0), payments=())
            debts[name] = running(bare, found.until, chosen.rule, rates=rates, happened=one.happened, candidate=chosen)
            for added in one.claim.additional:
                doubled[name] = running(bare, found.until, added.candidate.rule, rates=rates, happened=one.happened)
            late = received([(on, minor) for on, minor in one.owing.payments if on > one.due_date])
            payments += [Payment(f"{name}#{number}", on, minor, name) for number, (on, minor) in enumerate(late, start=1)]
        application = apply_payments(
            debts, payments, order.order, until=found.until, costs=(costs or {}).get(currency, ()), doubled=doubled
        )
        left = tuple(
            (name, max(debt.principal_minor, 0), debt.unpaid_minor + (doubled[name].unpaid_minor if name in doubled else 0))
            for name, debt in debts.items()
        )
        result[currency] = InOrder(order, application, left)
    return result


def received(payments: Sequence[tuple[date, int]]) -> list[tuple[date, int]]:
    """The payments that stayed: one that was taken back is set against the last ones before it."""
    kept: list[tuple[date, int]] = []
    for on, minor in sorted(payments):
        back = -minor
        while back > 0 and kept:
            day, had = kept.pop()
            if had > back:
                kept.append((day, had - back))
            back -= had
        if minor > 0:
            kept.append((on, minor))
    return kept


def per_day(found: Owed) -> dict[str, int]:
    """What each further day adds, by currency, minor units."""
    sums: dict[str, int] = {}
    for one in found.invoices:
        sums[one.currency] = sums.get(one.currency, 0) + one.daily_minor
    return sums


def first_day_of_delay(one: OwedInvoice) -> date:
    """The day after the due date."""
    return one.due_date + ONE_DAY
