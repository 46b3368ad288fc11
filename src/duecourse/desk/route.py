"""Which way to the money is worth its cost, for one buyer's debts as the book has them; decided, recorded, and made again.  追收路径决策

found = routes_for(book, buyer_id, [("F-1", 1)], assets=[...], overrides={"p.suit": 0.8})
row = decision(book, found, "preservation_suit", ...)                                      # for the table `decision`, kind route
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from duecourse.cover.said import Said
from duecourse.decisions.record import basis_of, decision_row
from duecourse.decisions.route import VERSION, AssetAt, Assumption, Route, RouteFacts, Routes, plain, routes
from duecourse.desk.assets import assets_of, looked_of
from duecourse.desk.clocks import clocks_of
from duecourse.desk.late_interest import contract_for, owed, own_party
from duecourse.errors import RateMissingError
from duecourse.ledger.entries import CASE_EVENT, CONTRACT, DECISION, DISPUTE, LIMIT, SECURITY, SIGNAL
from duecourse.ledger.rates import rates_to_base
from duecourse.messages import say
from duecourse.money import NO_CURRENCY, convert
from duecourse.reference.countries import COUNTRIES
from duecourse.risk.severity.assets import COVERS, REALISED, Assessment, Asset, assess
from duecourse.risk.severity.loss import Loss, loss_given_default

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from duecourse.cover.deadlines.clock import Clock
    from duecourse.desk.late_interest import Owed
    from duecourse.ledger.book import Book
    from duecourse.ledger.store import Ledger

Item = tuple[str, int]
LIMITATION: Final = "limitation"
POLICY_DAYS: Final = ("insurer_notice", "insurer_claim")
ACKNOWLEDGES: Final = ("acknowledgement", "plan")
PRIVATE_SECURITY: Final = {"guarantee": 0.4, "standby_letter_of_credit": 0.95, "bank_guarantee": 0.95, "pledge": 0.6, "mortgage": 0.6, "deposit": 1.0, "retention_of_title": 0.3}  # fmt: skip
"""Which share of its amount a security fetches. Assumptions of ours."""


@dataclass(frozen=True, slots=True)
class RouteChoice:
    """The routes of one buyer's debts, the facts they rest on, the assets as assessed, what would be lost, and notes on what is not known.

    routes  every route, the best first: code, steps, standing, reasons, worth, rank
    """

    buyer_id: str
    invoices: tuple[Item, ...]
    found: Routes
    assets: tuple[Asset, ...]
    assessment: Assessment
    loss: Loss
    overrides: Mapping[str, float]
    looked: Mapping[str, tuple[date, str]]
    notes: tuple[Said, ...]

    @property
    def facts(self) -> RouteFacts:
        """What the choice rests on."""
        return self.found.facts

    @property
    def routes(self) -> tuple[Route, ...]:
        """Ranked."""
        return self.found.routes

    @property
    def chosen(self) -> Route:
        """The one to take."""
        return self.found.chosen

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """Every number that was assumed."""
        return self.found.assumptions


def routes_for(
    book: Book, buyer_id: str, invoices: Collection[Item] | None = None, *, assets: Iterable[Asset] = (), overrides: Mapping[str, float] | None = None,
    looked: Mapping[str, tuple[date, str]] | None = None, with_kept: bool = True,
) -> RouteChoice:  # fmt: skip
    """Which ways to the money are there for these debts, which can be gone, and which is worth most?

    invoices   (invoice, instalment) pairs; None: all that are late and open
    assets     of the debtor, besides those the ledger keeps (with_kept=False: instead of them)
    looked     look-ups done, {name: (day, source)}, besides those the ledger keeps. Without an asset the whole is assumed to be collected, until every
               look-up for one was done in vain
    overrides  assumptions set otherwise, by name
    Raises BuyerUnknownError, FactUnknownError, RuleInvalidError.
    """
    kept = assets_of(book, buyer_id) if with_kept else []
    known = (*assets, *(one.asset for one in kept if one.asset is not None))
    looked = {**looked_of(kept), **(looked or {})}
    assessment = assess(known, looked, on=book.on)
    found = owed(book, buyer_id, invoices)
    items = tuple((one.invoice_id, one.instalment) for one in found.invoices if one.principal_minor or (one.interest_minor or 0))
    nothing_there = not set(COVERS.values()) & set(assessment.missing)
    facts, notes = _facts(book, found, items, known if known or nothing_there else None)
    overrides = dict(sorted((overrides or {}).items()))
    chosen = routes(facts, overrides)
    loss = loss_given_default(
        facts.claim_minor, facts.days_past_due, facts.debtor_country, secured_minor=facts.secured_minor,
        insured_share=_insured_share(facts), payable=0.85 if facts.insured_minor else 1.0,
    )  # fmt: skip
    return RouteChoice(buyer_id, items, chosen, known, assessment, loss, overrides, looked, notes)


def _insured_share(facts: RouteFacts) -> float:
    if not facts.insured_minor or not facts.claim_minor:
        return 0.0
    return facts.insured_share * min(facts.insured_minor, facts.principal_minor) / facts.claim_minor


class _Exchange:
    """Amounts brought to one currency by the book's rates."""

    def __init__(self, book: Book, target: str) -> None:
        self.book, self.target = book, target
        self.to_base = {row["currency"]: Decimal(repr(row["rate_to_base"])) for row in rates_to_base(book).to_pylist()}

    def rate(self, source: str, target: str) -> Decimal | None:
        """Units of target for one of source; None without a rate."""
        if source == target:
            return Decimal(1)
        first, second = self.to_base.get(source), self.to_base.get(target)
        return first / second if first and second else None

    def __call__(self, minor: int, source: str) -> int:
        rate = self.rate(source, self.target)
        if rate is None:
            raise RateMissingError(source=source, target=self.target, on=self.book.on, max_age_days=14, provider="–")
        return convert(minor, source, self.target, rate) if source != self.target else minor


def _facts(book: Book, found: Owed, items: Sequence[Item], assets: Sequence[Asset] | None) -> tuple[RouteFacts, tuple[Said, ...]]:
    """What the ledger says that a choice of route rests on, and what it does not say."""
    buyer_id, on = found.buyer_id, book.on
    more = {name: table.to_pylist() for name, table in book.also_about(buyer_id, CONTRACT, CASE_EVENT, SECURITY, SIGNAL, LIMIT).items()}
    disputes = book.about(buyer_id)[DISPUTE.name].to_pylist()
    chosen = [one for one in found.invoices if (one.invoice_id, one.instalment) in set(items)]
    currency = _currency([one.currency for one in chosen], book.base_currency)
    money = _Exchange(book, currency)
    unpriced = [one.invoice_id for one in chosen if money.rate(one.currency, currency) is None]
    chosen = [one for one in chosen if money.rate(one.currency, currency) is not None]
    # Interest on what was paid long ago makes the debt that is open no older.
    oldest = min((one.due_date for one in chosen if one.principal_minor), default=None) or min((one.due_date for one in chosen), default=on)
    contract = contract_for(more[CONTRACT.name], min((one.issue_date or on for one in chosen), default=on), None)
    clocks = clocks_of(book, buyer_id, items) if items else ()
    state, ends = _limitation(clocks)
    insured, notes = _insured(more[LIMIT.name], money, on)
    events = {one["kind"] for one in more[CASE_EVENT.name]}
    insolvent = bool(events & {"insolvency_notice", "bankruptcy_claim"}) or any(
        one["kind"] == "insolvency" and one["ended_on"] is None for one in more[SIGNAL.name]
    )
    unknown = [one.invoice_id for one in chosen if one.interest_minor is None]
    if unknown:
        notes = [*notes, Said("route.note_interest_unknown", {"invoices": ", ".join(unknown[:5])})]
    if unpriced:
        notes = [*notes, Said("route.note_unpriced", {"invoices": ", ".join(unpriced[:5]), "currency": currency})]
    own, _ = own_party(book.settings)
    forum = _forum_country(contract)
    facts = RouteFacts(
        on, currency, sum(money(one.principal_minor, one.currency) for one in chosen), sum(money(one.interest_minor or 0, one.currency) for one in chosen),
        sum(money(one.compensation_minor or 0, one.compensation_currency or one.currency) for one in chosen if _priced(money, one.compensation_currency)),
        (on - oldest).days, own.country, found.debtor.country, str((contract or {}).get("dispute_resolution") or ""), forum,
        str((contract or {}).get("governing_law") or ""), state, ends,
        disputed=any(one["resolved_on"] is None and (one["invoice_id"], one["instalment"]) in set(items) for one in disputes),
        acknowledged=bool(events & set(ACKNOWLEDGES)), insolvent=insolvent, insured_minor=insured,
        insurance_late=any(one.code in POLICY_DAYS and one.state == "ended" for one in clocks),
        secured_minor=_secured(more[SECURITY.name], money, on), recovery_costs=bool((contract or {}).get("recovery_costs")),
        assets=None if assets is None else _by_place(assets, money, found.debtor.country), cny=_rounded(money.rate(currency, "CNY")),
        gbp=_rounded(money.rate(currency, "GBP")), eur=_rounded(money.rate(currency, "EUR")),
    )  # fmt: skip
    return facts, tuple(notes)


def _currency(used: Sequence[str], base: str) -> str:
    """In which currency is the claim? That of its invoices where they have one, else the base currency; without one the most frequent."""
    if len(set(used)) == 1:
        return used[0]
    if base != NO_CURRENCY:
        return base
    return max(sorted(set(used)), key=used.count, default=NO_CURRENCY)


def _rounded(rate: Decimal | None) -> Decimal | None:
    """As it is kept: to twelve digits, so that a replay reckons with the same."""
    return None if rate is None else Decimal(f"{rate:.12g}")


def _priced(money: _Exchange, currency: str | None) -> bool:
    return currency is None or money.rate(currency, money.target) is not None


def _limitation(all_clocks: Iterable[Clock]) -> tuple[str, date | None]:
    """Is the claim still within time? The first end of the debts' limitation that runs or has run.

    What is barred by one of the laws that may hold and not by another is not known.
    """
    clocks = [one for one in all_clocks if one.code == LIMITATION]
    ends = min((one.ends_on for one in clocks if one.ends_on), default=None)
    states: dict[tuple[Any, Any], set[bool]] = {}
    for one in clocks:
        states.setdefault((one.about.get("invoice_id"), one.about.get("instalment")), set()).add(one.state == "ended")
    if not clocks or any(one.state == "unknown" for one in clocks) or any(len(found) > 1 for found in states.values()):
        return "unknown", ends
    return "ended" if all(one.state == "ended" for one in clocks) else "open", ends


def _insured(limits: Sequence[Mapping[str, Any]], money: _Exchange, on: date) -> tuple[int | None, list[Said]]:
    """What an insurer's limit covers; None where there is none."""
    held = [
        one for one in limits
        if one["kind"] == "insurer" and one["ended_on"] is None and (one["valid_to"] is None or one["valid_to"] >= on) and one["currency"]
    ]  # fmt: skip
    if not held:
        return None, []
    unpriced = [one for one in held if money.rate(one["currency"], money.target) is None]
    total = sum(money(one["amount_minor"] or 0, one["currency"]) for one in held if one not in unpriced)
    return total, [Said("route.note_limit_unpriced", {"currency": one["currency"]}) for one in unpriced]


def _secured(securities: Sequence[Mapping[str, Any]], money: _Exchange, on: date) -> int:
    """The net value of what secures the debts and has not run out."""
    total = 0
    for one in securities:
        open_still = one["released_on"] is None and (one["valid_to"] is None or one["valid_to"] >= on)
        if open_still and one["amount_minor"] and money.rate(one["currency"], money.target) is not None:
            total += round(money(one["amount_minor"], one["currency"]) * PRIVATE_SECURITY.get(one["kind"], 0.0))
    return total


def _by_place(assets: Sequence[Asset], money: _Exchange, home: str) -> tuple[AssetAt, ...]:
    sums: dict[str, int] = {}
    for one in assets:
        place = one.country or home
        sums[place] = sums.get(place, 0) + money(one.net_minor, one.currency)
    return tuple(AssetAt(place, minor) for place, minor in sorted(sums.items()))


def _forum_country(contract: Mapping[str, Any] | None) -> str:
    """The country of the court or seat that the contract names, where it can be told from it."""
    if contract is None:
        return ""
    for text in (contract["seat"], contract["forum"]):
        told = (text or "").strip()
        if told.upper() in COUNTRIES:
            return told.upper()
        low = told.casefold()
        for code, names in PLACES.items():
            if any(name in low for name in names):
                return code
        for code, one in COUNTRIES.items():
            if low and (one.name_en.casefold() in low or one.name_zh in told):
                return code
    return ""


PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "HK": ("hong kong", "香港", "hkiac"), "CN": ("cietac", "贸仲", "中国国际经济贸易仲裁", "beijing", "shanghai", "shenzhen", "北京", "上海", "深圳", "人民法院", "scia", "shiac"),
    "SG": ("singapore", "siac", "新加坡"), "GB": ("london", "lcia", "england", "伦敦"), "FR": ("paris", "巴黎"), "CH": ("geneva", "zurich", "日内瓦", "苏黎世"),
    "SE": ("stockholm", "斯德哥尔摩"), "AE": ("dubai", "迪拜"), "US": ("new york", "纽约"),
}  # fmt: skip
"""Cities and institutions whose names tell the country."""


# --- decided, and made again ------------------------------------------------------------------------------------------------------------


def decision(
    book: Book, choice: RouteChoice, taken: str, *, decision_id: str, made_by: str, decided_at: datetime, reasons: Sequence[Mapping[str, Any]] = (),
    case_id: str | None = None, approved_by: Iterable[str] = (),
) -> dict[str, Any]:  # fmt: skip
    """The row of the table `decision` for a route that was taken, with every assumption it rests on; ready to be put out.

    taken  the route's code, which may be another than the one advised. Raises LookupError for one there is not.
    """
    route = choice.found.route(taken)
    inputs = {
        "case_id": case_id, "invoices": [list(one) for one in choice.invoices], "overrides": dict(choice.overrides),
        "assets": [_kept(one) for one in choice.assets],
        "looked": {name: [day.isoformat(), source] for name, (day, source) in choice.looked.items()}, "facts": choice.facts.plain(),
    }  # fmt: skip
    return decision_row(
        decision_id=decision_id, kind="route", basis=basis_of(book), rules={"route": VERSION}, inputs=inputs, answer=plain(choice.found), outcome=taken,
        decided_on=book.on, decided_at=decided_at, made_by=made_by, buyer_id=choice.buyer_id, amount_minor=route.worth.expected_minor,
        currency=choice.facts.currency, reasons=reasons, approved_by=approved_by,
    )  # fmt: skip


def _kept(one: Asset) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(one).items()}


def asset_from(kept: Mapping[str, Any]) -> Asset:
    """An asset as a decision or a page keeps it."""
    seen = kept.get("seen_on")
    return Asset(
        kept["kind"], int(kept["value_minor"]), kept["currency"], kept.get("source", ""), date.fromisoformat(seen) if seen else None, kept.get("realised"),
        int(kept.get("prior_minor", 0)), kept.get("country", ""), kept.get("text", ""),
    )  # fmt: skip


def recompute(book: Book, decision: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer of a kept decision, worked out again from the book it stood on and its inputs."""
    inputs = decision["inputs"]
    assets = [asset_from(one) for one in inputs["assets"]]
    looked = {name: (date.fromisoformat(day), source) for name, (day, source) in inputs["looked"].items()}
    invoices = [(one, number) for one, number in inputs["invoices"]]
    made = routes_for(book, decision["buyer_id"], invoices, assets=assets, overrides=inputs["overrides"], looked=looked, with_kept=False)
    return plain(made.found)


def kinds_of_assets() -> list[tuple[str, float]]:
    """Every kind of asset and the share of its value it fetches by default."""
    return list(REALISED.items())


def record(
    ledger: Ledger,
    book: Book,
    choice: RouteChoice,
    taken: str,
    *,
    made_by: str,
    decided_at: datetime,
    reason: str = "",
    case_id: str | None = None,
) -> str:
    """Keep a route that was taken, as a decision in the ledger; its number."""
    decision_id = f"route-{secrets.token_hex(8)}"
    said = [{"code": "route.reason_given", "args": {"text": reason}}] if reason else []
    row = decision(book, choice, taken, decision_id=decision_id, made_by=made_by, decided_at=decided_at, reasons=said, case_id=case_id)
    with ledger.draft("post", note="route") as draft:
        draft.put("decision", pa.Table.from_pylist([row], schema=DECISION.facts))
        draft.facts = {"by": made_by}
        draft.commit()
    return decision_id


def shown_name(code: str) -> str:
    """A route's steps in words: order for payment, then preserve assets and sue."""
    return say("route.then").join(say(f"route.kind_{kind}") for kind in code.split("+"))


def assumption_name(name: str) -> str:
    """An assumption in words: probability, order for payment."""
    quantity, dot, kind = name.partition(".")
    return say(f"route.quantity_{quantity}") + (f" · {say(f'route.kind_{kind}')}" if dot else "")
