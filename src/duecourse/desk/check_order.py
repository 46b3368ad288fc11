"""May this order ship? One order held against the book, worded for people; and a decision about an order made again.  订单放行检查"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from duecourse.decisions.hold import SCALE, Account, Reason, Rules, Take, converted, judge, standing_of
from duecourse.desk.credit_accounts import accounts, covered, rates_of, rules_of
from duecourse.messages import say
from duecourse.money import format_money

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duecourse.decisions.hold import Verdict
    from duecourse.desk.credit_accounts import Known, Place
    from duecourse.ledger.book import Book
    from duecourse.messages import Language

MESSAGES: Final = "decisions.hold_"


@dataclass(frozen=True)
class Order:
    """An order as it is asked about. Money in minor units; `payer_id` empty = the buyer itself; `legal_entity` empty = not said."""

    buyer_id: str
    amount_minor: int
    currency: str
    order_id: str = ""
    payer_id: str = ""
    legal_entity: str = ""
    terms_days: int | None = None


@dataclass(frozen=True)
class Answer:
    """The verdict on an order, with the accounts it was held against and their names."""

    order: Order
    verdict: Verdict
    takes: Sequence[Take]
    names: Mapping[str, str]
    rules: Rules
    on: date


def check_order(book: Book, order: Order, *, rules: Rules | None = None) -> Answer:
    """May this order ship, by what the ledger knows?  订单能否放行

    Reservations of orders the ledger does not have yet are the app's to know and count 0 here. Raises RuleInvalidError.
    """
    rules = rules or rules_of(book)
    rates = rates_of(book)
    sides = {"buyer": order.buyer_id, "payer": order.payer_id if order.payer_id not in ("", order.buyer_id) else ""}
    known: dict[Place, Known] = {one.place: one for one in accounts(book, rules, buyers=[who for who in sides.values() if who])}
    counted = 0
    if order.order_id:
        for one in covered(book, orders=[order.order_id]):
            if (one.buyer_id, one.currency) == (order.buyer_id, order.currency):
                counted = order.amount_minor if one.closed else min(order.amount_minor, one.covered_minor)
    rest = order.amount_minor - counted
    touched: dict[Place, tuple[str, int | None]] = {}
    for side, who in sides.items():
        own = known.get(("buyer", who, "")) if who else None
        if own is None:
            continue
        links = [(link.place, link.room_minor) for link in own.links if link.place[2] in ("", order.legal_entity)]
        for place, room in [(own.place, None), *links]:
            touched[place] = (side, room) if place not in touched else ("both", None)
    takes = [_take(known[place].account, order, rest, rates, side, room) for place, (side, room) in touched.items()]
    verdict = judge(takes, rules, book.on, order.terms_days, payer=bool(sides["payer"]))
    names = {f"{kind}:{key}": known[kind, key, entity].name for kind, key, entity in touched}
    return Answer(order, verdict, takes, names, rules, book.on)


def _take(account: Account, order: Order, rest: int, rates: Mapping[str, int], side: Any, room: int | None) -> Take:
    amount = rest if account.currency == order.currency else converted(rest, rates.get(order.currency, 0), account.scaled)
    return Take(account, amount if amount is None or room is None else min(amount, room), 0, side)


# --- in words --------------------------------------------------------------------------------------------------------------------------


def who(account: str, lang: Language | None = None) -> str:
    """`group:G7@1000` as people say it."""
    name, _, entity = account.partition("@")
    kind, _, key = name.partition(":")
    said = say(f"{MESSAGES}kind_{kind}", lang, key=key).strip()
    return say(f"{MESSAGES}kind_entity", lang, account=said, entity=entity) if entity else said


def worded(reason: Reason, lang: Language | None = None) -> str:
    """A reason as a sentence."""
    text = say(f"{MESSAGES}{reason.code}", lang, who=who(reason.account, lang), **_spoken(reason, lang))
    return text[:1].upper() + text[1:]


def cure(reason: Reason, lang: Language | None = None) -> str:
    """What would release the order, as a sentence."""
    return say(f"{MESSAGES}cure_{reason.cure}", lang, **_spoken(reason, lang))


def outcome_words(outcome: str, lang: Language | None = None) -> str:
    """The outcome as people say it."""
    return say(f"{MESSAGES}outcome_{outcome}", lang)


def _spoken(reason: Reason, lang: Language | None) -> dict[str, Any]:
    currency = str(reason.args.get("currency", ""))
    return {name: format_money(value, currency, lang) if name.endswith("_minor") else value for name, value in reason.args.items()}


def base_of(account: Account, amount_minor: int) -> int | None:
    """An amount of the account in the base currency; None where it has no rate."""
    return amount_minor * account.scaled // SCALE if account.scaled else None


def room_of(take: Take, rules: Rules) -> int | None:
    """What the account has left beside its exposure and reservations; None = it has no limit of its own."""
    ceiling = standing_of(take.account, rules).ceiling
    return None if ceiling is None else max(0, ceiling - take.account.exposure_minor - take.reserved_minor)


# --- kept and made again ---------------------------------------------------------------------------------------------------------------


def answer_of(verdict: Verdict) -> dict[str, Any]:
    """The verdict as plain values: what a record keeps and a replay must give again."""
    reasons = [
        {"code": f"{MESSAGES}{one.code}", "weight": one.weight, "account": one.account, "cure": one.cure, "args": dict(one.args)}
        for one in verdict.reasons
    ]
    return {"outcome": verdict.outcome, "reasons": reasons}


def recompute(book: Book, decision: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG001 — all that was known of the accounts is in it
    """Judge an order again by the rules, the accounts and the reservations that were recorded with the decision."""
    inputs = decision["inputs"]
    takes = [Take(Account.from_facts(one["facts"]), one["amount"], one["reserved"], one["side"]) for one in inputs["accounts"]]
    order = inputs["order"]
    payer = order.get("payer_id", "") not in ("", order["buyer_id"])
    return answer_of(
        judge(takes, Rules.of(decision["rules"]["order"]), date.fromisoformat(inputs["today"]), order.get("terms_days"), payer=payer)
    )
