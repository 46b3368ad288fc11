"""The single ways to the money: what each costs, how long it takes, how often it works, and what stands against it.  单项路径"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final

from duecourse.cover.said import Said
from duecourse.decisions.route.worth import Fee, Step
from duecourse.errors import CountryUnknownError
from duecourse.money import to_decimal, to_minor
from duecourse.reference import court_fees
from duecourse.reference.countries import COUNTRIES
from duecourse.reference.enforcement import DOING_BUSINESS, NAMED, Enforceable, award_in, judgment_in, legalisation
from duecourse.reference.procedures import procedures_of
from duecourse.risk.severity.by_age import recovery

if TYPE_CHECKING:
    from collections.abc import Callable

    from duecourse.decisions.route.assumptions import Assumptions
    from duecourse.decisions.route.facts import RouteFacts

KINDS: Final = (
    "negotiate",
    "agency",
    "payment_order",
    "preservation_suit",
    "suit",
    "arbitration",
    "insolvency_claim",
    "insurance_claim",
    "sell",
    "write_off",
)
UNSECURED_SHARE: Final = 0.25
"""Of what secured creditors get in an insolvency, what is left for the others: a prior."""

FRESH_DAYS: Final = 90

AMERICAN_RULE: Final = ("US",)
"""Where each side bears its own costs."""

EUROPEAN_ORDER_WITHOUT: Final = ("DK",)


@dataclass
class Way:
    """A single way: its step, whether it can be gone (open, doubtful, closed), and why."""

    step: Step
    standing: str = "open"
    reasons: list[Said] = field(default_factory=list)

    def closed(self, code: str, **args: object) -> None:
        """It cannot be gone."""
        self.standing = "closed"
        self.reasons.append(Said(f"route.{code}", args))

    def doubtful(self, code: str, **args: object) -> None:
        """It may be gone, if."""
        if self.standing == "open":
            self.standing = "doubtful"
        self.reasons.append(Said(f"route.{code}", args))

    def note(self, code: str, **args: object) -> None:
        """Something to know."""
        self.reasons.append(Said(f"route.{code}", args))


def _in(facts: RouteFacts, rate: Decimal | None, table: Callable[[Decimal], Decimal]) -> float | None:
    """A fee from a table in another currency, in minor units of the claim's; None without an exchange rate."""
    if rate is None:
        return None
    fee = table(to_decimal(facts.claim_minor, facts.currency) * rate) / rate
    return float(to_minor(fee, facts.currency, rounding=ROUND_HALF_UP))


def _barred(way: Way, facts: RouteFacts) -> None:
    """What closes every way that asks a court or tribunal."""
    if facts.limitation == "ended":
        way.closed("limitation_ended", ends=facts.limitation_ends or "–")
    elif facts.limitation == "unknown":
        way.doubtful("limitation_unknown")
    if facts.insolvent:
        way.closed("insolvent")


def _consent(way: Way, facts: RouteFacts) -> None:
    if facts.insured_minor is not None:
        way.note("insurer_consent")


def negotiate(facts: RouteFacts, assume: Assumptions) -> Way:
    """A plan with instalments, acknowledged and secured."""
    by_age = recovery(facts.days_past_due, facts.debtor_country)
    p = assume("p.negotiate", round(0.6 * by_age, 4), "share", "negotiate", days=facts.days_past_due)
    days = assume("days.negotiate", 120, "days", "ours")
    lost = assume("lost_days.negotiate", 30, "days", "ours")
    share = assume("share.negotiate", 0.95, "share", "ours")
    way = Way(Step("negotiate", p, days, facts.claim_minor, share=share, lost_days=lost))
    if facts.insolvent:
        way.closed("insolvent_pays_nobody")
    way.note("plan_needs")
    _consent(way, facts)
    return way


def agency(facts: RouteFacts, assume: Assumptions) -> Way:
    """A collection agency, paid by what it brings."""
    p = assume("p.agency", round(recovery(facts.days_past_due, facts.debtor_country), 4), "share", "by_age", "M", days=facts.days_past_due)
    days = assume("days.agency", 120, "days", "ours")
    lost = assume("lost_days.agency", 90, "days", "ours")
    usual = min(0.30, 0.10 + 0.20 * min(facts.days_past_due, 365) / 365 + (0.0 if facts.domestic else 0.05))
    fee = assume("contingency.agency", round(usual, 4), "share", "contingency", "M")
    way = Way(Step("agency", p, days, facts.claim_minor, contingency=fee, lost_days=lost))
    if facts.insolvent:
        way.closed("insolvent")
    _consent(way, facts)
    return way


def payment_order(facts: RouteFacts, assume: Assumptions) -> Way:
    """An order for payment in the debtor's country, or the European one."""
    land = facts.debtor_country
    p = _odds(facts, assume, "payment_order", 0.55)
    days = assume("days.payment_order", 60, "days", "days_prior")
    share = _collected(facts, assume, "payment_order")
    fee: float | None
    if land == "CN":
        fee = _in(facts, facts.cny, court_fees.cn_payment_order)
    else:
        fee = facts.claim_minor * assume("fee_share.payment_order", 0.01, "share", "ours")
    way = Way(Step("payment_order", p, days, facts.claim_minor, (Fee("court", fee or 0.0, refunded=True),), share))
    _barred(way, facts)
    if fee is None:
        way.doubtful("no_rate", currency="CNY")
    if facts.disputed:
        way.closed("order_disputed")
    if facts.clause == "arbitration":
        way.closed("clause_arbitration")
    own, theirs = COUNTRIES.get(facts.own_country), COUNTRIES.get(land)
    european = own and theirs and own.eu_member and theirs.eu_member and own != theirs and land not in EUROPEAN_ORDER_WITHOUT
    try:
        known = [one for one in procedures_of(land) if one.code == "payment_order" and one.country == land] if land else []
    except CountryUnknownError:
        known = []
    if european:
        way.note("european_order")
    elif known:
        way.note("national_order", source=known[0].source)
    else:
        way.closed("no_order", country=land or "–")
    if not facts.acknowledged and way.standing != "closed":
        way.note("order_unacknowledged")
    return way


def _collected(facts: RouteFacts, assume: Assumptions, kind: str) -> float:
    """The part of a judgment that can be collected: what the assets would fetch, or all of it where nobody has looked."""
    net = facts.net_assets_minor
    if net is None:
        return assume(f"share.{kind}", 1.0, "share", "assets_unknown")
    return assume(f"share.{kind}", round(min(1.0, net / facts.claim_minor), 4) if facts.claim_minor else 0.0, "share", "assets", "M")


def _odds(facts: RouteFacts, assume: Assumptions, kind: str, prior: float) -> float:
    """How often does it work? The prior for a proven claim up to ninety days late.

    Half of it falls with what is still collected at the debt's age: a title is as good as before, the debtor is not.
    """
    fading = min(1.0, recovery(facts.days_past_due) / recovery(FRESH_DAYS))
    return assume(f"p.{kind}", round(prior * (0.5 + 0.5 * fading), 4), "share", "court_prior", prior=f"{prior:g}", days=facts.days_past_due)


def forum_of(facts: RouteFacts) -> tuple[str, Said]:
    """In which country to sue, and why: where the clause says, else at home where its judgment reaches the assets, else at the debtor's."""
    if facts.clause == "court" and facts.forum_country:
        return facts.forum_country, Said("route.forum_clause", {"country": facts.forum_country})
    home = facts.own_country
    if home and facts.places and all(judgment_in(home, place, facts.on).open for place in facts.places):
        return home, Said("route.forum_home", {"country": home})
    land = facts.debtor_country or home
    return land, Said("route.forum_debtor", {"country": land or "–"})


def _named(law: str) -> Said | str:
    return Said(f"countries.law_{NAMED[law]}") if law in NAMED else law or "–"


def _reaches(way: Way, facts: RouteFacts, ask: Callable[[str], Enforceable], closed: str, doubtful: str) -> None:
    """Can the title be enforced where the assets are? Closed only where it can nowhere."""
    found = {place: ask(place) for place in facts.places}
    if found and all(one.open is False for one in found.values()):
        way.closed(closed, country=next(iter(found)))
        return
    for place, one in found.items():
        if one.open is None:
            way.doubtful(doubtful, country=place, law=_named(one.law))
        elif one.way != "home":
            way.note("enforced_by", country=place, law=_named(one.law))


def suit(facts: RouteFacts, assume: Assumptions, *, preserve: bool) -> Way:
    """A suit, with the debtor's property preserved first where some is known."""
    kind = "preservation_suit" if preserve else "suit"
    forum, why = forum_of(facts)
    summary = forum == "CN" and facts.domestic
    experience = DOING_BUSINESS.get(forum)
    p = _odds(facts, assume, kind, 0.70 if preserve or facts.assets is None else 0.60)
    if summary:
        days = assume(f"days.{kind}", 200, "days", "days_prior")
    elif experience and experience.contract_days:
        days = assume(f"days.{kind}", experience.contract_days, "days", "doing_business", experience.confidence, country=forum)
    else:
        days = assume(f"days.{kind}", 500, "days", "ours")
    way = Way(Step(kind, p, days, facts.claim_minor))
    fees = _court_fees(facts, assume, way, forum, kind, summary=summary, preserve=preserve)
    adverse = 0.0 if forum in ("CN", *AMERICAN_RULE) else 0.05
    lost = assume(f"adverse_share.{kind}", adverse, "share", "ours")
    share = _collected(facts, assume, kind)
    way.step = Step(kind, p, days, facts.claim_minor, fees, share, adverse_minor=lost * facts.claim_minor)
    _barred(way, facts)
    way.reasons.append(why)
    if facts.clause == "arbitration":
        way.closed("clause_arbitration")
    if preserve and not (facts.assets and facts.net_assets_minor):
        way.closed("no_asset_leads")
    _reaches(way, facts, lambda place: judgment_in(forum, place, facts.on), "judgment_refused", "judgment_unknown")
    need = legalisation(facts.own_country, forum, facts.on) if facts.own_country and forum else "none"
    if need != "none":
        way.note(f"documents_{need}", country=forum)
    return way


def _court_fees(
    facts: RouteFacts, assume: Assumptions, way: Way, forum: str, kind: str, *, summary: bool, preserve: bool
) -> tuple[Fee, ...]:
    """What the court and the lawyer cost."""
    refunded = forum not in AMERICAN_RULE
    lawyer = assume(f"lawyer_share.{kind}", 0.08, "share", "lawyer")
    fees = [Fee("lawyer", lawyer * facts.claim_minor, refunded=facts.recovery_costs)]
    if forum == "CN":
        court = _in(facts, facts.cny, lambda amount: court_fees.cn_property_case(amount, halved=summary))
        keep = _in(facts, facts.cny, court_fees.cn_preservation) if preserve else 0.0
        if court is None:
            way.doubtful("no_rate", currency="CNY")
        fees += [Fee("court", court or 0.0, refunded), *([Fee("preservation", keep or 0.0, refunded)] if preserve else [])]
        return tuple(fees)
    if forum == "GB":
        court = _in(facts, facts.gbp, court_fees.gb_issue)
        if court is None:
            way.doubtful("no_rate", currency="GBP")
        return (*fees, Fee("court", court or 0.0, refunded))
    experience = DOING_BUSINESS.get(forum)
    if experience and experience.contract_cost is not None:
        whole = assume(
            f"cost_share.{kind}", round(experience.contract_cost, 4), "share", "doing_business", experience.confidence, country=forum
        )
    else:
        whole = assume(f"cost_share.{kind}", 0.20, "share", "ours")
    # What a lawyer takes is in it; the rest is the court's.
    return (fees[0], Fee("court", max(0.0, whole - lawyer) * facts.claim_minor, refunded))


def arbitration(facts: RouteFacts, assume: Assumptions) -> Way:
    """Arbitration under the contract's clause."""
    seat = facts.forum_country or facts.own_country
    p = _odds(facts, assume, "arbitration", 0.70)
    days = assume("days.arbitration", 180 if facts.domestic else 270, "days", "ours")
    lawyer = assume("lawyer_share.arbitration", 0.08, "share", "lawyer")
    way = Way(Step("arbitration", p, days, facts.claim_minor))
    fee: float | None
    if seat == "CN":
        fee = _in(facts, facts.cny, (lambda amount: court_fees.cn_arbitration(amount)[1]) if facts.domestic else court_fees.cietac)
        way.note("fee_commission" if facts.domestic else "fee_cietac")
    else:
        fee = facts.claim_minor * assume("fee_share.arbitration", 0.05, "share", "ours")
    fees = (Fee("lawyer", lawyer * facts.claim_minor, refunded=facts.recovery_costs), Fee("arbitration", fee or 0.0, refunded=True))
    way.step = Step("arbitration", p, days, facts.claim_minor, fees, _collected(facts, assume, "arbitration"))
    _barred(way, facts)
    if fee is None:
        way.doubtful("no_rate", currency="CNY")
    if facts.clause == "court":
        way.closed("clause_court")
    elif facts.clause != "arbitration":
        way.closed("no_clause")
    if facts.clause == "arbitration" and not facts.forum_country:
        way.doubtful("seat_unknown", country=seat or "–")
    _reaches(way, facts, lambda place: award_in(seat, place), "award_refused", "award_unknown")
    return way


def insolvency_claim(facts: RouteFacts, assume: Assumptions) -> Way:
    """A claim lodged in the debtor's insolvency."""
    known = DOING_BUSINESS.get(facts.debtor_country)
    p = assume("p.insolvency_claim", 0.9, "share", "ours")
    if known and known.secured_recovery is not None and known.insolvency_years is not None:
        share = assume(
            "share.insolvency_claim",
            round(known.secured_recovery * UNSECURED_SHARE, 4),
            "share",
            "insolvency",
            known.confidence,
            country=facts.debtor_country,
        )
        days = assume(
            "days.insolvency_claim",
            round(known.insolvency_years * 365),
            "days",
            "doing_business",
            known.confidence,
            country=facts.debtor_country,
        )
    else:
        share = assume("share.insolvency_claim", 0.10, "share", "ours")
        days = assume("days.insolvency_claim", 730, "days", "ours")
    lawyer = assume("lawyer_share.insolvency_claim", 0.01, "share", "ours")
    way = Way(Step("insolvency_claim", p, days, facts.claim_minor, (Fee("lawyer", lawyer * facts.claim_minor),), share))
    if not facts.insolvent:
        way.closed("not_insolvent")
    else:
        way.note("claim_window")
    return way


def insurance_claim(facts: RouteFacts, assume: Assumptions) -> Way:
    """The credit insurer's indemnity: principal, within its limit."""
    covered = min(facts.insured_minor or 0, facts.principal_minor)
    p = assume("p.insurance_claim", 0.85, "share", "ours")
    days = assume("days.insurance_claim", 210, "days", "waiting")
    share = assume("share.insurance_claim", facts.insured_share, "share", "insured")
    way = Way(Step("insurance_claim", p, days, covered, share=share))
    if facts.insured_minor is None:
        way.closed("not_insured")
    elif facts.insured_minor <= 0:
        way.closed("insurer_stop")
    else:
        way.note("insurance_principal")
        if facts.disputed:
            way.doubtful("insurance_disputed")
        if facts.insurance_late:
            way.doubtful("insurance_late")
    return way


def sell(facts: RouteFacts, assume: Assumptions) -> Way:
    """The debt sold or assigned without recourse."""
    price = assume(
        "price.sell", round(0.5 * recovery(facts.days_past_due, facts.debtor_country), 4), "share", "price", days=facts.days_past_due
    )
    days = assume("days.sell", 30, "days", "ours")
    way = Way(Step("sell", 1.0, days, facts.principal_minor, share=price))
    if facts.disputed:
        way.doubtful("sell_disputed")
    if facts.insolvent:
        way.doubtful("sell_insolvent")
    _consent(way, facts)
    return way


def write_off(facts: RouteFacts) -> Way:
    """Nothing more is done. The claim remains in law."""
    way = Way(Step("write_off", 0.0, 0.0, facts.claim_minor))
    way.note("write_off_tax")
    return way


def ways(facts: RouteFacts, assume: Assumptions) -> dict[str, Way]:
    """Every single way by its kind."""
    return {
        "negotiate": negotiate(facts, assume), "agency": agency(facts, assume), "payment_order": payment_order(facts, assume),
        "preservation_suit": suit(facts, assume, preserve=True), "suit": suit(facts, assume, preserve=False), "arbitration": arbitration(facts, assume),
        "insolvency_claim": insolvency_claim(facts, assume), "insurance_claim": insurance_claim(facts, assume), "sell": sell(facts, assume),
        "write_off": write_off(facts),
    }  # fmt: skip
