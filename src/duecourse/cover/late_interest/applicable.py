"""Which rules on late interest apply to this seller, this buyer and this contract, and why: every candidate, also those that do not.  适用规则"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Literal

from duecourse.cover.late_interest.agreed import LPR_1Y, AgreedRate
from duecourse.cover.said import Said
from duecourse.errors import ReferenceRateMissingError, ReferenceRateOldError
from duecourse.reference.countries import COUNTRIES, Membership
from duecourse.reference.interest_regimes import REGIMES, REGIMES_OF, Regime

if TYPE_CHECKING:
    from datetime import date

    from duecourse.cover.late_interest.rates import Happened
    from duecourse.reference.reference_rates import ReferenceRates

Size = Literal["micro", "small", "medium", "large", "public"]
SIZES: Final[tuple[Size, ...]] = ("micro", "small", "medium", "large", "public")
SMALL: Final = ("micro", "small", "medium")
MICRO_OR_SMALL: Final = ("micro", "small")

Standing = Literal["applies", "additional", "supports", "alternative", "doubtful", "no"]
"""applies: can be claimed; additional: on top of another; supports: gives the claim, no rate; alternative: if the first fails or a court elsewhere
decides; doubtful: a fact it needs is not known; no: does not apply."""

AGREED: Final = "AGREED"
EU: Final = "EU"
LPR_MULTIPLE: Final = 4
"""Above four times LPR courts look at an agreed rate as excessive (an orientation taken from private lending)."""


@dataclass(frozen=True, slots=True)
class Party:
    """A seller or buyer: ISO country, and its size: micro, small, medium, large, or public for a public body; empty = not known."""

    country: str = ""
    size: str = ""


@dataclass(frozen=True, slots=True)
class Deal:
    """The contract as far as interest goes: governing law (ISO country; empty = not said), agreed rate, the day it was signed, what was paid when paid."""

    law: str = ""
    agreed: AgreedRate | None = None
    signed_on: date | None = None
    pay_when_paid: bool = False
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One rule and where it stands. `agreed` is set where the rate is the contract's."""

    code: str
    standing: Standing
    reasons: tuple[Said, ...]
    rule: Regime | None
    agreed: AgreedRate | None = None
    cautions: tuple[Said, ...] = ()

    @property
    def confidence(self) -> str:
        """H, M or L: the file's; an agreed rate is as sure as the contract."""
        return self.rule.confidence if self.rule and self.agreed is None else "H"


def _why(name: str, **args: object) -> tuple[Said, ...]:
    return (Said(f"interest.why_{name}", args),)


_WORDS: Final = (
    ("public", ("public", "机关", "事业单位", "政府", "öffentlich", "publique", "público")),
    ("micro", ("micro", "微")),
    ("small", ("small", "小", "klein", "petite", "pequeñ")),
    ("medium", ("medium", "mittel", "中型", "moyenne", "median")),
    ("large", ("large", "big", "大", "groß", "gross", "grande")),
)


def size_of(text: str | None) -> str:
    """Which size do these words mean? Empty where they say none.

    >>> size_of("大型企业"), size_of("小型")
    ('large', 'small')
    """
    told = (text or "").strip().casefold()
    return next((size for size, words in _WORDS if any(word in told for word in words)), "")


def law_of(creditor: Party, debtor: Party, deal: Deal) -> tuple[str, Said]:
    """Under which law is the claim, and why? The law the contract names; else that of the seller, who performs what marks the contract.

    Source: Rome I Regulation art. 4(1)(a); 涉外民事关系法律适用法 第41条.
    """
    if deal.law:
        return deal.law, Said("interest.law_agreed", {"country": deal.law})
    if creditor.country:
        return creditor.country, Said("interest.law_of_seller", {"country": creditor.country})
    if debtor.country:
        return debtor.country, Said("interest.law_of_buyer", {"country": debtor.country})
    return "", Said("interest.law_unknown", {})


def candidates(
    creditor: Party, debtor: Party, deal: Deal, *, rates: ReferenceRates, happened: Happened, due: date
) -> tuple[Candidate, ...]:
    """Every rule that could be meant, with where it stands and why; those that can be claimed first."""
    law, _ = law_of(creditor, debtor, deal)
    found = _under(law, creditor, debtor, deal, rates=rates, happened=happened, due=due) if law else []
    if debtor.country and debtor.country != law:
        abroad = [
            one for one in _under(debtor.country, creditor, debtor, Deal(subject=deal.subject), rates=rates, happened=happened, due=due)
            if one.standing in ("applies", "doubtful") and one.rule and one.rule.kind != "agreed"
        ]  # fmt: skip
        found += [Candidate(one.code, "alternative", _why("court_abroad", country=debtor.country), one.rule) for one in abroad]
    if creditor.country and debtor.country and creditor.country != debtor.country and deal.subject != "services":
        cisg = [getattr(COUNTRIES.get(one), "cisg", None) for one in (creditor.country, debtor.country)]
        if all(one == Membership.PARTY for one in cisg):
            found.append(Candidate("CISG_78", "supports", _why("cisg"), REGIMES["CISG_78"]))
    order = {name: number for number, name in enumerate(("applies", "additional", "supports", "alternative", "doubtful", "no"))}
    return tuple(sorted(found, key=lambda one: order[one.standing]))


def _under(
    law: str, creditor: Party, debtor: Party, deal: Deal, *, rates: ReferenceRates, happened: Happened, due: date
) -> list[Candidate]:
    if law == "CN":
        return _china(creditor, debtor, deal, rates=rates, happened=happened, due=due)
    rules = list(REGIMES_OF.get(law, ()))
    found: list[Candidate] = []
    agreed = deal.agreed
    if agreed is not None:
        found.append(_agreed_abroad(law, rules, agreed))
    held = agreed is not None and found[0].standing == "applies"
    found += [_statutory(rule, creditor, debtor, happened, agreed_holds=held, agreed_given=agreed is not None) for rule in rules]
    country = COUNTRIES.get(law)
    if country is not None and country.eu_member:
        found.append(Candidate("EU_2011_7", "no", _why("eu_national"), REGIMES["EU_2011_7"]))
    return [one for one in found if not (one.rule and one.rule.kind == "agreed" and one.agreed is None and agreed is not None)]


def _agreed_abroad(law: str, rules: list[Regime], agreed: AgreedRate) -> Candidate:
    """The contract's rate under a law other than China's."""
    rule = next((one for one in rules if one.kind == "agreed"), None)
    if any(one.agreed_void for one in rules):
        return Candidate(AGREED, "no", _why("void_by_law", country=law), rule, agreed)
    if any(one.overrides_contract for one in rules):
        return Candidate(AGREED, "alternative", _why("law_overrides"), rule, agreed)
    if law == "CA" and agreed.value is not None and agreed.per != "y":
        return Candidate(AGREED, "doubtful", _why("canada_yearly"), rule, agreed)
    cap = next((one.agreed_cap for one in rules if one.agreed_cap is not None), None)
    if cap is not None and agreed.value is not None and agreed.yearly({}) > Fraction(cap):
        return Candidate(AGREED, "applies", _why("agreed_capped", percent=f"{cap * 100:f}"), rule, _capped(agreed, Fraction(cap)))
    return Candidate(rule.id if rule else AGREED, "applies", _why("agreed"), rule, agreed)


def _capped(agreed: AgreedRate, cap: Fraction) -> AgreedRate:
    return replace(agreed, ceiling=AgreedRate(cap))


def _statutory(rule: Regime, creditor: Party, debtor: Party, happened: Happened, *, agreed_holds: bool, agreed_given: bool) -> Candidate:
    """A rule of a law other than China's."""
    if rule.kind == "none":
        return Candidate(rule.id, "applies", _why("no_interest"), rule)
    if rule.kind == "agreed":
        return Candidate(rule.id, "no", _why("no_rate_by_law"), rule)
    if rule.id == "UK_LPCDA" and "GB" not in (creditor.country, debtor.country):
        return Candidate(rule.id, "no", _why("uk_connection"), rule)
    if rule.id == "IN_MSMED":
        if creditor.country != "IN" or (creditor.size and creditor.size not in MICRO_OR_SMALL):
            return Candidate(rule.id, "no", _why("india_supplier"), rule)
        if not creditor.size:
            return Candidate(rule.id, "doubtful", _why("own_size_unknown"), rule)
    if rule.starts != "due" and getattr(happened, rule.starts) is None:
        return Candidate(rule.id, "doubtful", _why("not_begun", event=Said(f"interest.event_{rule.starts}")), rule)
    if agreed_holds and not rule.overrides_contract:
        return Candidate(rule.id, "alternative", _why("after_agreed"), rule)
    return Candidate(rule.id, "applies", _why("instead_of_agreed" if agreed_given else "none_agreed"), rule)


def _china(creditor: Party, debtor: Party, deal: Deal, *, rates: ReferenceRates, happened: Happened, due: date) -> list[Candidate]:
    """The five rules of Chinese law."""
    agreed = deal.agreed
    sme, why_sme = _sme(creditor, debtor)
    low = agreed is not None and sme == "yes" and _below_floor(agreed, deal.signed_on or due, rates)
    found = []
    if agreed is None:
        found.append(Candidate("CN_AGREED", "no", _why("nothing_agreed"), REGIMES["CN_AGREED"]))
    elif low:
        found.append(Candidate("CN_AGREED", "no", _why("below_sme_floor"), REGIMES["CN_AGREED"], agreed))
    else:
        found.append(Candidate("CN_AGREED", "applies", _why("agreed"), REGIMES["CN_AGREED"], agreed, _cautions(agreed, due, rates)))
    free = agreed is None or low
    standing: Standing = {"yes": "applies" if free else "no", "unknown": "doubtful" if free else "no", "no": "no"}[sme]
    found.append(Candidate("CN_SME_REG", standing, why_sme if free else _why("sme_agreed"), REGIMES["CN_SME_REG"]))
    found.append(
        Candidate("CN_SALES_LPR", "applies", _why("none_agreed"), REGIMES["CN_SALES_LPR"]) if free
        else Candidate("CN_SALES_LPR", "alternative", _why("after_agreed"), REGIMES["CN_SALES_LPR"])
    )  # fmt: skip
    void = deal.pay_when_paid and sme == "yes"
    found.append(
        Candidate(
            "CN_PAYWHENPAID_VOID",
            "applies" if void and free else "no",
            _why("back_to_back" if void else "no_back_to_back"),
            REGIMES["CN_PAYWHENPAID_VOID"],
        )
    )
    judged = happened.judgment is not None
    found.append(
        Candidate("CN_JUDGMENT", "additional" if judged else "no", _why("judgment" if judged else "no_judgment"), REGIMES["CN_JUDGMENT"])
    )
    return found


def _sme(creditor: Party, debtor: Party) -> tuple[str, tuple[Said, ...]]:
    """Does a small or medium firm wait for a large one or a public body, both in China?  保障中小企业款项支付条例 第2条"""
    if creditor.country != "CN" or (debtor.country and debtor.country != "CN"):
        return "no", _why("sme_abroad")
    if creditor.size and creditor.size not in SMALL:
        return "no", _why("sme_not_small")
    if debtor.size and debtor.size not in ("large", "public"):
        return "no", _why("sme_not_large")
    if not creditor.size:
        return "unknown", _why("own_size_unknown")
    if not debtor.size or not debtor.country:
        return "unknown", _why("debtor_size_unknown")
    return "yes", _why("sme")


def _below_floor(agreed: AgreedRate, on: date, rates: ReferenceRates) -> bool:
    """Is the agreed rate below the one-year LPR of the day of the contract? Unknown counts as no."""
    try:
        known = {name: Fraction(rates[name].at(on).rate) for name in {*agreed.references, LPR_1Y}}
    except (ReferenceRateMissingError, ReferenceRateOldError):
        return False
    return agreed.yearly(known) < known[LPR_1Y]


def _cautions(agreed: AgreedRate, on: date, rates: ReferenceRates) -> tuple[Said, ...]:
    """What a court may say of the agreed rate."""
    found = [Said("interest.caution_obsolete")] if agreed.obsolete else []
    try:
        known = {name: Fraction(rates[name].at(on).rate) for name in {*agreed.references, LPR_1Y}}
    except (ReferenceRateMissingError, ReferenceRateOldError):
        return tuple(found)
    yearly, lpr = agreed.yearly(known), known[LPR_1Y]
    if yearly > LPR_MULTIPLE * lpr:
        found.append(
            Said("interest.caution_high", {"percent": f"{float(yearly) * 100:.2f}", "limit": f"{float(LPR_MULTIPLE * lpr) * 100:.2f}"})
        )
    elif yearly < Fraction(3, 2) * lpr:
        found.append(
            Said("interest.caution_low", {"percent": f"{float(yearly) * 100:.2f}", "limit": f"{float(Fraction(3, 2) * lpr) * 100:.2f}"})
        )
    return tuple(found)
