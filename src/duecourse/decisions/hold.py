"""May this order ship?  订单放行

An order is held against every account it adds to: the buyer's, the payer's where somebody else pays, their group's, and that of a guarantor.
On each, what is owed, what was released and is not billed, what other orders have reserved and this order itself must stay within the
limit. The answer is one of three outcomes with its reasons, each with what would release it; no reason is ever left out because another
one would do.

`standing_of` says beforehand what an account allows, so that a database can check and reserve in one short step; `judge` gives the whole
answer. A test holds the two to the same outcome.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final, Literal, Self, get_args

from duecourse.money import NO_CURRENCY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Outcome = Literal["release", "release_with_note", "hold"]
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
Weight = Literal["hold", "note", "ignore"]
WEIGHTS: Final[tuple[Weight, ...]] = get_args(Weight)
AccountKind = Literal["buyer", "group", "guarantor"]

REASONS: Final = (
    "no_limit",  # nothing was granted, neither to the buyer nor to its group
    "limit_expired",
    "over_limit",
    "utilisation",  # within the limit, above the share at which the firm wants to be told
    "overdue",  # more than the firm tolerates, for longer than it tolerates
    "blocked",
    "insolvent",
    "insurer_stop",  # the insurer has withdrawn, or covers nothing
    "insurer_over",  # within our limit, above what is insured
    "terms_too_long",
    "disputed",
    "unrated",  # money in a currency without a rate: the exposure cannot be stated
    "no_rate",  # the order's own currency has no rate
)
CURES: Final[Mapping[str, str]] = {
    "no_limit": "grant", "limit_expired": "renew", "over_limit": "pay_or_raise", "overdue": "pay_overdue", "blocked": "lift", "insolvent": "prepay",
    "insurer_stop": "insure", "insurer_over": "insure_more", "terms_too_long": "shorten", "disputed": "settle_dispute", "unrated": "give_rate",
    "no_rate": "give_rate", "utilisation": "none",
}  # fmt: skip
"""What would release an order held for this reason."""

SCALE: Final = 10**12
"""A rate is a whole number: minor units of the base currency for one minor unit of the currency, times this."""


@dataclass(frozen=True)
class Rules:
    """How strict the firm is. Kept in the ledger as the setting `order_rules`; what it leaves out is as here.

    version                 names the rules in every decision made under them
    note_at_percent         share of the limit above which a release carries a note
    overdue_days            how late an invoice may be before it holds orders
    overdue_minor           how much may be later than that, in minor units of the base currency
    no_limit, overdue, insurer_stop, insurer_over, terms, disputed   hold, note or ignore
    lease_hours             how long headroom is kept for an order nobody confirms
    simulation              answer and record, hold back nothing: while an ERP is being connected
    """

    version: str = "1"
    note_at_percent: int = 80
    overdue_days: int = 10
    overdue_minor: int = 0
    no_limit: Weight = "hold"
    overdue: Weight = "hold"
    insurer_stop: Weight = "hold"
    insurer_over: Weight = "note"
    terms: Weight = "hold"
    disputed: Weight = "note"
    lease_hours: int = 72
    simulation: bool = False

    @classmethod
    def of(cls, chosen: Mapping[str, Any] | None) -> Self:
        """Rules as they were set. Raises ValueError that names the field for a value that makes no sense."""
        known = {field.name: field for field in fields(cls)}
        for name, value in (chosen or {}).items():
            if name not in known:
                raise ValueError(name)
            allowed = WEIGHTS if name in WEIGHED else None
            if (allowed and value not in allowed) or type(value) is not type(getattr(DEFAULT_RULES, name)):
                raise ValueError(name)
            if name in RANGES and not RANGES[name][0] <= value <= RANGES[name][1]:
                raise ValueError(name)
        return replace(cls(), **(chosen or {}))

    def told(self) -> dict[str, Any]:
        """All of them, by name."""
        return asdict(self)


WEIGHED: Final = ("no_limit", "overdue", "insurer_stop", "insurer_over", "terms", "disputed")
RANGES: Final = {"note_at_percent": (1, 100), "overdue_days": (0, 365), "overdue_minor": (0, 10**15), "lease_hours": (1, 24 * 90)}
DEFAULT_RULES: Final = Rules()


@dataclass(frozen=True)
class Account:
    """What is known of one buyer, group or guarantor, for all of our companies (`entity` empty) or one. Money in minor units of `currency`.

    limit_minor      standing and temporary limits in force together; None = none was granted
    valid_to         the last day on which they all hold; None = until they are ended
    exposure_minor   receivables_minor + released_minor
    overdue_minor    later than the tolerance; of a buyer only
    insured_minor    the insurer's limit; None = no insurer was asked
    scaled           the rate of `currency`, see SCALE; 0 = it has none
    """

    kind: AccountKind
    key: str
    entity: str = ""
    currency: str = NO_CURRENCY
    scaled: int = 0
    limit_minor: int | None = None
    valid_to: date | None = None
    terms_days: int | None = None
    receivables_minor: int = 0
    released_minor: int = 0
    exposure_minor: int = 0
    overdue_minor: int = 0
    oldest_days: int | None = None
    disputed_minor: int = 0
    insured_minor: int | None = None
    insurer_stopped: bool = False
    blocked: bool = False
    insolvent: bool = False
    unrated: bool = False

    def facts(self) -> dict[str, Any]:
        """Plain values for a record of what was known; what is as usual is left out."""
        told = asdict(self)
        told["valid_to"] = self.valid_to.isoformat() if self.valid_to else None
        usual = {field.name: field.default for field in fields(self)}
        return {name: value for name, value in told.items() if value != usual[name] or type(value) is not type(usual[name])}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """The account of such a record."""
        told = dict(facts)
        if told.get("valid_to"):
            told["valid_to"] = date.fromisoformat(told["valid_to"])
        return cls(**told)


@dataclass(frozen=True)
class Standing:
    """What an account allows, whatever the order: the few numbers a database compares.

    clear        nothing stands in the way of an order that fits
    ceiling      exposure and reservations may come up to here; None = no limit of its own
    note_above   above it a release carries a note; -1 = always
    terms_days   longest payment term that asks for no reason; None = any
    """

    clear: bool
    ceiling: int | None
    note_above: int | None
    terms_days: int | None


@dataclass(frozen=True)
class Take:
    """What an order would take of one account: its amount there (None = its currency has no rate), beside what others have reserved.

    side  whose account, group or guarantor it is; "both" where buyer and payer share it
    """

    account: Account
    amount_minor: int | None
    reserved_minor: int
    side: Literal["buyer", "payer", "both"] = "buyer"

    @property
    def used_minor(self) -> int:
        """Exposure, reservations and this order."""
        return self.account.exposure_minor + self.reserved_minor + (self.amount_minor or 0)


@dataclass(frozen=True)
class Reason:
    """Why, on which account, and what would change it. `args` hold plain values; money is named `…_minor` beside `currency`."""

    code: str
    weight: Weight
    account: str
    cure: str
    args: Mapping[str, Any]


@dataclass(frozen=True)
class Verdict:
    """The answer: an outcome, every reason, and how much of the order would be released without anybody (minor units of its currency)."""

    outcome: Outcome
    reasons: tuple[Reason, ...]


def converted(amount_minor: int, scaled_from: int, scaled_to: int) -> int | None:
    """An amount in another currency, rounded up: headroom is never overstated. None where a rate is missing."""
    if scaled_from == scaled_to and scaled_from > 0:
        return amount_minor
    return -((-amount_minor * scaled_from) // scaled_to) if scaled_from > 0 and scaled_to > 0 else None


def standing_of(account: Account, rules: Rules) -> Standing:
    """What does the account allow, whatever the order?  账户可用状态"""
    found = [reason for reason in _unmoved(account, rules) if reason.weight != "ignore"]
    note_above = None if account.limit_minor is None else account.limit_minor * rules.note_at_percent // 100
    ceiling = account.limit_minor
    if account.insured_minor is not None and not account.insurer_stopped and rules.insurer_over != "ignore":
        if rules.insurer_over == "note":
            note_above = account.insured_minor if note_above is None else min(note_above, account.insured_minor)
        else:
            ceiling = account.insured_minor if ceiling is None else min(ceiling, account.insured_minor)
    if any(reason.weight == "note" for reason in found):
        note_above = -1
    terms = None if rules.terms == "ignore" else account.terms_days
    return Standing(all(reason.weight != "hold" for reason in found), ceiling, note_above, terms)


def judge(takes: Sequence[Take], rules: Rules, today: date, terms_days: int | None = None, *, payer: bool = False) -> Verdict:
    """May the order ship, and why (not)?  订单能否放行

    takes       the accounts it adds to; of a buyer nobody knows there is none
    terms_days  the order's payment term; None = as agreed
    payer       somebody else than the buyer pays; of a payer nobody knows there is no account either
    """
    reasons: list[Reason] = []
    payer = payer or any(take.side != "buyer" for take in takes)
    for side in ("buyer", "payer")[: 1 + payer]:
        mine = [take for take in takes if take.side in (side, "both")]
        if all(take.account.limit_minor is None for take in mine if take.account.kind != "guarantor"):
            named = next((_name(take.account) for take in mine), side)
            reasons.append(_reason("no_limit", rules.no_limit, named))
    for take in takes:
        reasons += _unmoved(take.account, rules)
        reasons += _of_order(take, rules, today, terms_days)
    kept = tuple(sorted((reason for reason in reasons if reason.weight != "ignore"), key=lambda one: one.weight != "hold"))
    if any(reason.weight == "hold" for reason in kept):
        return Verdict("hold", kept)
    return Verdict("release_with_note" if kept else "release", kept)


def headroom(takes: Iterable[Take], rules: Rules) -> int | None:
    """The least room any account has left beside reservations, in minor units of that account; None = no limit anywhere.  剩余可用额度"""
    rooms = []
    for take in takes:
        ceiling = standing_of(take.account, rules).ceiling
        if ceiling is not None:
            rooms.append(max(0, ceiling - take.account.exposure_minor - take.reserved_minor))
    return min(rooms, default=None)


def _unmoved(account: Account, rules: Rules) -> list[Reason]:
    """The reasons that depend on neither the order nor the day."""
    name, currency = _name(account), account.currency
    found = []
    if account.blocked:
        found.append(_reason("blocked", "hold", name))
    if account.insolvent:
        found.append(_reason("insolvent", "hold", name))
    if account.unrated:
        found.append(_reason("unrated", "hold", name))
    late = account.overdue_minor * account.scaled // SCALE if account.scaled else account.overdue_minor
    if account.overdue_minor > 0 and late > rules.overdue_minor:
        args = {
            "amount_minor": account.overdue_minor,
            "currency": currency,
            "days": account.oldest_days or 0,
            "tolerance": rules.overdue_days,
        }
        found.append(_reason("overdue", rules.overdue, name, **args))
    if account.insurer_stopped:
        found.append(_reason("insurer_stop", rules.insurer_stop, name))
    if account.disputed_minor > 0:
        found.append(_reason("disputed", rules.disputed, name, amount_minor=account.disputed_minor, currency=currency))
    return found


def _of_order(take: Take, rules: Rules, today: date, terms_days: int | None) -> list[Reason]:
    """The reasons this very order meets on one account."""
    account, name = take.account, _name(take.account)
    money = {"currency": account.currency}
    found = []
    if account.valid_to is not None and account.valid_to < today:
        found.append(_reason("limit_expired", "hold", name, valid_to=account.valid_to.isoformat()))
    if account.terms_days is not None and terms_days is not None and terms_days > account.terms_days:
        found.append(_reason("terms_too_long", rules.terms, name, days=terms_days, granted=account.terms_days))
    if take.amount_minor is None:
        return [*found, _reason("no_rate", "hold", name)]
    used, limit = take.used_minor, account.limit_minor
    if limit is not None and used > limit:
        room = max(0, limit - account.exposure_minor - take.reserved_minor)
        args = {"used_minor": used, "limit_minor": limit, "over_minor": used - limit, "room_minor": room}
        found.append(_reason("over_limit", "hold", name, **args, **money))
    elif limit is not None and used > limit * rules.note_at_percent // 100:
        percent = used * 100 // limit if limit else 100
        found.append(_reason("utilisation", "note", name, percent=percent, used_minor=used, limit_minor=limit, **money))
    insured = account.insured_minor
    if (
        insured is not None
        and not account.insurer_stopped
        and used > insured
        and (limit is None or used <= limit or rules.insurer_over == "hold")
    ):
        found.append(_reason("insurer_over", rules.insurer_over, name, insured_minor=insured, over_minor=used - insured, **money))
    return found


def _reason(code: str, weight: Weight, account: str, **args: Any) -> Reason:
    return Reason(code, weight, account, CURES[code], args)


def _name(account: Account) -> str:
    """`buyer:C-100`, `group:G7@1000` for one of our companies."""
    return f"{account.kind}:{account.key}" + (f"@{account.entity}" if account.entity else "")
