"""What an order is held against: every buyer, group and guarantor with what is owed, released, late, granted and insured.  信用账户"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import ibis
import pyarrow as pa

from duecourse.decisions.hold import SCALE, Account, AccountKind, Rules, converted
from duecourse.errors import RuleInvalidError
from duecourse.measures.disputes import open_disputes
from duecourse.measures.exposure import credit_exposure
from duecourse.measures.expressions import day, total
from duecourse.measures.limits import limit_states
from duecourse.money import exponent

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import date

    import ibis.expr.types as ir

    from duecourse.ledger.book import Book
    from duecourse.ledger.store import Ledger

SETTING: Final = "order_rules"
GUARANTEES: Final = ("guarantee", "standby_letter_of_credit", "bank_guarantee")
COVERED_DAYS: Final = 90
"""An order billed longer ago than this is not looked for when it is asked about again."""

Place = tuple[AccountKind, str, str]
"""Kind, key, and which of our companies ("" = all of them)."""


@dataclass(frozen=True)
class Link:
    """Another account an order of this buyer adds to; to a guarantor's at most `room_minor` (None = all of the order)."""

    place: Place
    room_minor: int | None = None


@dataclass(frozen=True)
class Known:
    """An account as the ledger has it; a buyer's for all of our companies also names the others its orders add to."""

    account: Account
    name: str = ""
    links: tuple[Link, ...] = ()

    @property
    def place(self) -> Place:
        """Its key among the accounts."""
        return self.account.kind, self.account.key, self.account.entity


@dataclass(frozen=True)
class Covered:
    """How much of an order the exposure of its buyer contains already: released in the ledger, or billed."""

    order_id: str
    buyer_id: str
    currency: str
    covered_minor: int
    closed: bool


@dataclass
class _Facts:
    """What the book says."""

    rates: Mapping[str, int]
    base: str
    rules: Rules
    exposure: dict[str, list[Mapping[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    limits: dict[tuple[str, str], dict[str, list[Mapping[str, Any]]]] = field(default_factory=lambda: defaultdict(dict))
    group_of: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    disputed: dict[str, list[Mapping[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    insolvent: set[str] = field(default_factory=set)
    cut: dict[str, date] = field(default_factory=dict)
    backed: dict[str, dict[str, int]] = field(default_factory=dict)  # guarantor: {buyer: minor units of the base currency}


def rules_of(book: Book) -> Rules:
    """The rules for orders as of this book. Raises RuleInvalidError that names what makes no sense."""
    chosen = book.settings.get(SETTING)
    try:
        return Rules.of(chosen)
    except (ValueError, TypeError, AttributeError) as error:
        raise RuleInvalidError(rule=f"{SETTING}: {error}", value=str(chosen)) from None


def change_rules(ledger: Ledger, rules: Rules, *, by: str = "") -> None:
    """Judge orders by these rules from now on; what was decided keeps those it was decided by.  修改放行规则"""
    row = {"name": SETTING, "value": json.dumps(rules.told(), ensure_ascii=False)}
    with ledger.draft("post", note="settings") as draft:
        draft.put("setting", pa.Table.from_pylist([row]))
        draft.facts = {"by": by} if by else {}
        draft.commit()


def rates_of(book: Book) -> dict[str, int]:
    """The rate of each currency as a whole number (see decisions.hold.SCALE); a currency without one is absent."""
    own = exponent(book.base_currency)
    found = {}
    for row in book.run(book.rates()).to_pylist():
        exact = Fraction(Decimal(repr(row["rate_to_base"]))) * Fraction(10) ** (own - exponent(row["currency"])) * SCALE
        found[row["currency"]] = max(1, round(exact))
    return found


def accounts(book: Book, rules: Rules, *, buyers: Collection[str] | None = None) -> Iterator[Known]:
    """Every account an order could be held against, groups and guarantors first.  信用账户一览

    A buyer is there if it has a limit, owes something, has orders under way, or something stands against it; a group or a guarantor if it
    has a limit or a block.

    buyers: only what orders of these buyers add to; None = all
    """
    facts = _facts(book, rules, None if buyers is None else _around(book, buyers))
    for kind, key in sorted(facts.limits):
        if kind == "group":
            for entity in sorted(facts.limits[kind, key]):
                yield Known(_account(facts, "group", key, entity, facts.members.get(key, [])), facts.names.get(f"group:{key}", ""))
    guarantors = {key: _guarantor(facts, key) for key in sorted(facts.backed) if "" in facts.limits.get(("buyer", key), {})}
    backers: dict[str, list[str]] = defaultdict(list)
    for key, guarantor in guarantors.items():
        yield Known(guarantor, facts.names.get(key, ""))
        for buyer in facts.backed[key]:
            backers[buyer].append(key)
    known = {*facts.exposure, *(key for kind, key in facts.limits if kind == "buyer"), *facts.disputed, *facts.insolvent, *facts.cut}
    for buyer in sorted(known):
        name = facts.names.get(buyer, "")
        whole = _account(facts, "buyer", buyer, "", [buyer])
        links = []
        for entity in sorted(filter(None, facts.limits.get(("buyer", buyer), {}))):
            yield Known(_account(facts, "buyer", buyer, entity, [buyer]), name)
            links.append(Link(("buyer", buyer, entity)))
        group = facts.group_of.get(buyer, buyer)
        links += [Link(("group", group, entity)) for entity in sorted(facts.limits.get(("group", group), {}))]
        links += [Link(("guarantor", key, ""), _room(facts, guarantors[key], key, buyer)) for key in backers[buyer]]
        yield Known(whole, name, tuple(links))


def covered(book: Book, *, orders: Collection[str] | None = None) -> list[Covered]:
    """Which orders does the exposure contain already, and to what amount?  已计入敞口的订单

    An order released in the ledger is contained whole; of one that is not, what was billed. `closed`: cancelled, or billed to its end.

    orders: only these; None = those released, cancelled or billed in the last 90 days
    """
    order, invoice = book.order, book.invoice.filter(book.invoice.order_number.notnull())
    since = day(book.on - timedelta(days=COVERED_DAYS))
    if orders is not None:
        named = sorted(orders)
        order, invoice = order.filter(order.order_id.isin(named)), invoice.filter(invoice.order_number.isin(named))
    else:
        recent = ibis.coalesce(order.status_date, order.order_date) >= since
        order = order.filter((order.status == "released") | (order.status.isin(["invoiced", "cancelled"]) & recent))
        invoice = invoice.filter(invoice.issue_date >= since)
    columns = ["order_number", "account_id", "currency", "amount_minor"]
    owing = invoice.mutate(account_id=invoice.buyer_id).select(columns)
    other = invoice.filter(invoice.orderer_id.notnull() & (invoice.orderer_id != invoice.buyer_id))
    billed = owing.union(other.mutate(account_id=other.orderer_id).select(columns))
    billed = billed.group_by(columns[:3]).aggregate(covered_minor=total(billed.amount_minor))
    found: dict[tuple[str, str, str], Covered] = {}
    for row in book.run(billed).to_pylist():
        place = (row["order_number"], row["account_id"], row["currency"])
        found[place] = Covered(*place, covered_minor=row["covered_minor"], closed=False)
    for row in book.run(order.select("order_id", "buyer_id", "currency", "amount_minor", "status")).to_pylist():
        place = (row["order_id"], row["buyer_id"], row["currency"])
        before = found[place].covered_minor if place in found else 0
        if row["status"] in ("released", "invoiced", "cancelled"):
            closed = row["status"] != "released"
            found[place] = Covered(*place, covered_minor=before if closed else max(before, row["amount_minor"]), closed=closed)
    return list(found.values())


# --- reading the book ------------------------------------------------------------------------------------------------------------------


def _around(book: Book, buyers: Collection[str]) -> set[str]:
    """These buyers, their groups, who stands behind them, and whoever else those stand behind."""
    wanted = set(buyers)
    buyer, security = book.buyer, book.security
    groups = book.run(buyer.filter(buyer.buyer_id.isin(sorted(wanted))).select("group_id"))["group_id"].to_pylist()
    in_groups = buyer.filter(buyer.group_id.isin(sorted(filter(None, groups))) | buyer.buyer_id.isin(sorted(filter(None, groups))))
    wanted |= _texts(book.run(in_groups.select("buyer_id")))
    behind = book.run(security.filter(security.buyer_id.isin(sorted(buyers)) & security.guarantor_id.notnull()).select("guarantor_id"))
    guarantors = sorted(_texts(behind))
    theirs = _texts(book.run(security.filter(security.guarantor_id.isin(guarantors)).select("buyer_id")))
    return wanted | set(guarantors) | theirs


def _texts(rows: pa.Table) -> set[str]:
    return {str(one) for one in rows.column(0).to_pylist() if one}


def _facts(book: Book, rules: Rules, only: set[str] | None) -> _Facts:
    facts = _Facts(rates_of(book), book.base_currency, rules)

    def of(rows: ir.Table, *columns: str) -> list[dict[str, Any]]:
        if only is not None:
            rows = rows.filter(rows.buyer_id.isin(sorted(only)))
        return book.run(rows.select(*columns)).to_pylist()

    sums = ("outstanding", "released_not_invoiced", "exposure", "overdue_beyond", "oldest_days_past_due")
    exposure = credit_exposure(book, per=["buyer_id", "legal_entity"], tolerance_days=rules.overdue_days)
    for row in of(exposure, "buyer_id", "legal_entity", "currency", *sums):
        facts.exposure[row["buyer_id"]].append(row)
    for row in of(book.buyer, "buyer_id", "name", "name_local", "group_id", "group_name"):
        buyer = row["buyer_id"]
        group = row["group_id"] or buyer
        facts.group_of[buyer] = group
        facts.members[group].append(buyer)
        facts.names[buyer] = row["name"] or row["name_local"] or ""
        facts.names.setdefault(f"group:{group}", row["group_name"] or "")
    states = limit_states(book)
    states = states.filter((states.state == "in_force") | ((states.state == "run_out") & (states.kind == "standing")))
    for row in book.run(states).to_pylist():
        if row["buyer_id"] or row["group_id"]:
            place = ("buyer", row["buyer_id"]) if row["buyer_id"] else ("group", row["group_id"])
            if only is None or place[0] == "group" or place[1] in only:
                facts.limits[place].setdefault(row["legal_entity"] or "", []).append(row)
    for row in of(open_disputes(book), "buyer_id", "currency", "legal_entity", "disputed_minor", "open_minor"):
        facts.disputed[row["buyer_id"]].append(row)
    signal = book.signal
    told = ("buyer_id", "kind", "severity", "published_on", "ended_on", "amount_minor")
    for row in of(signal.filter(signal.kind.isin(["insolvency", "insurer_limit_cut"]) & signal.ended_on.isnull()), *told):
        _signal(facts, row)
    _guarantees(book, facts)
    return facts


def _signal(facts: _Facts, row: Mapping[str, Any]) -> None:
    buyer = row["buyer_id"]
    if row["kind"] == "insolvency" and row["severity"] in (None, "red"):
        facts.insolvent.add(buyer)
    elif row["kind"] == "insurer_limit_cut" and not row["amount_minor"]:
        facts.cut[buyer] = max(row["published_on"], facts.cut.get(buyer, row["published_on"]))


def _guarantees(book: Book, facts: _Facts) -> None:
    security = book.security
    held = security.filter(security.kind.isin(GUARANTEES) & security.guarantor_id.notnull() & security.released_on.isnull())
    held = held.filter(ibis.coalesce(held.valid_to >= day(book.on), ibis.literal(value=True)))
    for row in book.run(held.select("buyer_id", "guarantor_id", "amount_minor", "currency")).to_pylist():
        amount = converted(row["amount_minor"] or 0, facts.rates.get(row["currency"], 0), SCALE) or 0
        mine = facts.backed.setdefault(row["guarantor_id"], {})
        mine[row["buyer_id"]] = mine.get(row["buyer_id"], 0) + amount


# --- one account -----------------------------------------------------------------------------------------------------------------------


def _account(facts: _Facts, kind: AccountKind, key: str, entity: str, buyers: list[str]) -> Account:
    limits = facts.limits.get((kind, key), {}).get(entity, [])
    currency = next((row["currency"] for row in limits if row["kind"] == "standing"), None) or facts.base
    scaled = facts.rates.get(currency, 0)
    sums = dict.fromkeys(("outstanding", "released_not_invoiced", "exposure", "overdue_beyond"), 0)
    oldest, unrated = None, False
    for row in (row for buyer in buyers for row in facts.exposure.get(buyer, ()) if not entity or row["legal_entity"] == entity):
        for name in ("outstanding", "released_not_invoiced", "overdue_beyond"):
            amount = converted(row[name], facts.rates.get(row["currency"], int(row["currency"] == currency)), scaled or 1)
            unrated |= amount is None and row[name] != 0
            sums[name] += amount or 0
        days = row["oldest_days_past_due"]
        oldest = days if oldest is None else max(oldest, days or 0)
    granted = [row for row in limits if row["kind"] in ("standing", "temporary")]
    amounts = [_in(facts, row, currency, scaled) for row in granted]
    ends = [row["valid_to"] for row in granted if row["valid_to"] is not None]
    terms = [row["payment_terms_days"] for row in granted if row["payment_terms_days"] is not None]
    insured = [row for row in limits if row["kind"] == "insurer"]
    own = kind == "buyer"
    cut = facts.cut.get(key) if own else None
    stopped = any(row["amount_minor"] == 0 for row in insured) or (
        cut is not None and not any(row["amount_minor"] and row["valid_from"] > cut for row in insured)
    )
    disputed = 0
    if own:
        for row in facts.disputed.get(key, ()):
            if not entity or row["legal_entity"] == entity:
                disputed += converted(min(row["disputed_minor"], row["open_minor"]), facts.rates.get(row["currency"], 0), scaled) or 0
    return Account(
        kind=kind,
        key=key,
        entity=entity,
        currency=currency,
        scaled=scaled,
        limit_minor=sum(amounts) if any(row["kind"] == "standing" for row in granted) or amounts else None,
        valid_to=min(ends, default=None),
        terms_days=max(terms, default=None),
        receivables_minor=sums["outstanding"],
        released_minor=sums["released_not_invoiced"],
        exposure_minor=sums["outstanding"] + sums["released_not_invoiced"],
        overdue_minor=sums["overdue_beyond"] if own else 0,
        oldest_days=oldest if own else None,
        disputed_minor=disputed,
        insured_minor=sum(_in(facts, row, currency, scaled) for row in insured) if insured else None,
        insurer_stopped=own and stopped,
        blocked=any(row["kind"] == "block" for row in limits),
        insolvent=own and key in facts.insolvent,
        unrated=unrated,
    )


def _guarantor(facts: _Facts, key: str) -> Account:
    """What the guarantor owes itself, and of the buyers it stands behind what it would have to pay for them today."""
    own = _account(facts, "buyer", key, "", [key])
    backed = sum(_called(facts, own, key, buyer) for buyer in facts.backed[key])
    return Account(
        kind="guarantor", key=key, currency=own.currency, scaled=own.scaled, limit_minor=own.limit_minor, valid_to=own.valid_to,
        receivables_minor=own.receivables_minor + backed, released_minor=own.released_minor, exposure_minor=own.exposure_minor + backed,
        unrated=own.unrated,
    )  # fmt: skip


def _called(facts: _Facts, guarantor: Account, key: str, buyer: str) -> int:
    """How much of the guarantee a failure of the buyer today would call, in the guarantor's currency."""
    most = converted(facts.backed[key][buyer], SCALE, guarantor.scaled) or 0
    return min(most, _owed(facts, guarantor, buyer))


def _owed(facts: _Facts, guarantor: Account, buyer: str) -> int:
    return sum(
        converted(row["exposure"], facts.rates.get(row["currency"], 0), guarantor.scaled) or 0 for row in facts.exposure.get(buyer, ())
    )


def _room(facts: _Facts, guarantor: Account, key: str, buyer: str) -> int:
    """How much more of the guarantee the buyer's next orders would call."""
    most = converted(facts.backed[key][buyer], SCALE, guarantor.scaled) or 0
    return max(0, most - _owed(facts, guarantor, buyer))


def _in(facts: _Facts, row: Mapping[str, Any], currency: str, scaled: int) -> int:
    """A limit's amount in the account's currency, rounded down: a limit is never overstated."""
    amount = int(row["amount_minor"] or 0)
    if row["currency"] == currency:
        return amount
    rate = facts.rates.get(row["currency"], 0)
    return amount * rate // scaled if rate and scaled else 0
