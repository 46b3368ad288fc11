"""What a letter rests on.  函件所依据的事实

Frozen, and plain enough to be kept as JSON: a letter that was approved is set again from exactly what was approved. Money is minor units with its
currency, rates are fractions a year written as decimal text, days are dates. Whatever belongs to a buyer says whose it is, so that a letter can be
refused that would tell one customer about another.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date
from functools import cache
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints


@dataclass(frozen=True)
class Party:
    """A firm as its register has it.

    name, local_name  its registered name, and the same in its own script where that is another
    address           as it is written on an envelope, lines parted by line ends: the address for service the contract names, where it names one
    local_address     the same in its own script
    country           ISO 3166-1 alpha-2, "" = not known
    """

    name: str
    local_name: str = ""
    registration_number: str = ""
    address: str = ""
    country: str = ""
    email: str = ""
    phone: str = ""
    representative: str = ""
    local_address: str = ""


@dataclass(frozen=True)
class BankAccount:
    """Where the money goes. `currency` "" = any."""

    holder: str
    bank: str
    number: str
    currency: str = ""
    bic: str = ""
    bank_address: str = ""


@dataclass(frozen=True)
class Contract:
    """The contract a debt arose from, as far as it matters in a letter. governing_law: alpha-2, "" = the contract does not say."""

    number: str
    signed_on: date | None = None
    governing_law: str = ""
    instalments: bool = False
    cure_days: int = 0
    recovery_costs: bool = False
    arbitration: bool = False
    forum: str = ""


@dataclass(frozen=True)
class Segment:
    """A stretch of days over which neither principal nor rate changes, `start` and `end` included; `basis` where it is another than the invoice's."""

    start: date
    end: date
    days: int
    principal_minor: int
    rate: str
    interest_minor: int
    basis: str = ""


@dataclass(frozen=True)
class Invoice:
    """One instalment of one invoice on the day of the letter.

    basis  identifies one of the letter's bases of interest; "" = no interest is claimed on it
    """

    buyer_id: str
    invoice_id: str
    instalment: int
    issue_date: date | None
    due_date: date
    currency: str
    amount_minor: int
    paid_minor: int
    outstanding_minor: int
    days_late: int
    interest_minor: int = 0
    daily_minor: int = 0
    compensation_minor: int = 0
    compensation_currency: str = ""
    order_number: str = ""
    basis: str = ""
    segments: tuple[Segment, ...] = ()


@dataclass(frozen=True)
class Basis:
    """What interest is claimed on.

    contract    agreed in the contract; else by law
    cite        the clause or law as it is cited, per language ("zh", "en", "" = any other)
    rates       the yearly rates that were in force, the latest last, fractions as decimal text
    day_count   actual/365, actual/360, 30E/360 …
    """

    name: str
    contract: bool
    cite: tuple[tuple[str, str], ...]
    rates: tuple[str, ...]
    day_count: str


@dataclass(frozen=True)
class Document:
    """A document that goes with the letter or that it names: a delivery note, a copy of an invoice. `invoice_id` "" = about the contract as a whole.

    document_id  its SHA-256 in the evidence file, from where its pages are added to the letter; "" = it goes along by hand
    """

    buyer_id: str
    text: str
    invoice_id: str = ""
    on: date | None = None
    delivery: bool = False
    enclosed: bool = True
    document_id: str = ""


@dataclass(frozen=True)
class Threshold:
    """Of a sale by instalments: what is due and unpaid, of the whole price. 分期付款买卖"""

    currency: str
    due_minor: int
    price_minor: int

    @property
    def reached(self) -> bool:
        """Is a fifth of the price due and unpaid?  民法典第634条"""
        return 5 * self.due_minor >= self.price_minor > 0


@dataclass(frozen=True)
class Guarantee:
    """Who stands behind the debt, and by what."""

    buyer_id: str
    reference: str
    given_on: date | None = None
    currency: str = ""
    amount_minor: int | None = None
    valid_to: date | None = None
    joint: bool = True
    security_id: str = ""


@dataclass(frozen=True)
class PlanInstalment:
    """One instalment of a payment plan."""

    due_date: date
    currency: str
    amount_minor: int


@dataclass(frozen=True)
class Total:
    """What is owed in one currency; `interest_minor` up to the letter's day, `daily_minor` for every day after it."""

    currency: str
    principal_minor: int
    interest_minor: int
    compensation_minor: int
    daily_minor: int

    @property
    def total_minor(self) -> int:
        """Everything."""
        return self.principal_minor + self.interest_minor + self.compensation_minor


CONSEQUENCES: Final = (
    "suspend",  # further deliveries stop
    "accelerate",  # instalments not yet due fall due
    "retake",  # goods under retention of title are taken back
    "guarantor",
    "insurer",
    "preserve",  # assets are frozen
    "proceed",  # arbitration or suit
    "costs",
)
"""What follows where nothing is paid, in the order in which it is said."""

CHANNELS: Final = ("email", "post", "handed_over")


@dataclass(frozen=True)
class LetterFacts:
    """Everything one letter says.

    recipient     who is written to: the debtor, or a guarantor
    number        the letter's own number; the answer names it
    dated, until  the letter's day, and the day up to which interest is worked out
    deadline      until when the money is to be there
    interrupts    "restarts" or "postpones" where a demand does that to limitation by the law the claim is under; "" = it does not, or nobody knows
    previous      days of earlier letters about the same debt
    call_back     the number to call before paying to another account
    """

    kind: str
    language: str
    number: str
    buyer_id: str
    dated: date
    until: date
    deadline: date
    deadline_days: int
    creditor: Party
    debtor: Party
    recipient: Party
    invoices: tuple[Invoice, ...]
    contract: Contract | None = None
    bases: tuple[Basis, ...] = ()
    documents: tuple[Document, ...] = ()
    accounts: tuple[BankAccount, ...] = ()
    call_back: str = ""
    consequences: tuple[str, ...] = ()
    law: str = ""
    interrupts: str = ""
    threshold: Threshold | None = None
    guarantee: Guarantee | None = None
    plan: tuple[PlanInstalment, ...] = ()
    previous: tuple[date, ...] = ()
    signatory: str = ""
    signatory_title: str = ""
    channel: str = "post"
    case_id: str = ""
    step: str = ""
    logo: str = field(default="", repr=False)

    @property
    def totals(self) -> tuple[Total, ...]:
        """What is owed, a row per currency, in the order of their codes."""
        sums: dict[str, list[int]] = {}
        for one in self.invoices:
            own = sums.setdefault(one.currency, [0, 0, 0, 0])
            own[0] += one.outstanding_minor
            own[1] += one.interest_minor
            own[3] += one.daily_minor
            if one.compensation_minor:
                sums.setdefault(one.compensation_currency or one.currency, [0, 0, 0, 0])[2] += one.compensation_minor
        return tuple(Total(currency, *values) for currency, values in sorted(sums.items()))

    def strangers(self) -> tuple[str, ...]:
        """Whatever in this letter belongs to another buyer, named; empty where nothing does. A letter with a stranger in it never goes."""
        owned: list[tuple[str, str]] = [(one.buyer_id, one.invoice_id) for one in self.invoices]
        owned += [(one.buyer_id, one.text) for one in self.documents]
        if self.guarantee is not None:
            owned.append((self.guarantee.buyer_id, self.guarantee.reference))
        own = {one.invoice_id for one in self.invoices}
        found = [what for buyer_id, what in owned if buyer_id != self.buyer_id]
        found += [one.text for one in self.documents if one.invoice_id and one.invoice_id not in own]
        return tuple(found)

    def to_json(self) -> str:
        """As text that `from_json` reads back."""
        return json.dumps(_plain(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> LetterFacts:
        """The facts `to_json` wrote."""
        found = _made(cls, json.loads(text))
        assert isinstance(found, cls)
        return found


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _made(kind: Any, value: Any) -> Any:
    """A plain value as the type a field has."""
    if get_origin(kind) in (UnionType, Union):
        return None if value is None else _made(next(one for one in get_args(kind) if one is not type(None)), value)
    if get_origin(kind) is tuple:
        inner = get_args(kind)
        if inner[-1] is Ellipsis:
            return tuple(_made(inner[0], one) for one in value)
        return tuple(_made(of, one) for of, one in zip(inner, value, strict=True))
    if kind is date:
        return date.fromisoformat(value)
    if is_dataclass(kind):
        hints = _hints(kind)  # type: ignore[arg-type]
        return kind(**{name: _made(hints[name], one) for name, one in value.items() if name in hints})  # type: ignore[operator]
    return value
