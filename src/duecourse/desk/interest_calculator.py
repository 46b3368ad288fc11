"""Late interest for whoever asks, without a ledger behind it (利息计算器): an amount, a due date, a day; under one rule, or under all that could apply."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from duecourse.cover.late_interest.applicable import Candidate, Deal, Party, law_of
from duecourse.cover.late_interest.claim import Claim, Owing, Reckoned, claim, reckon
from duecourse.cover.late_interest.rates import Happened
from duecourse.errors import DuecourseError, OptionMisusedError
from duecourse.messages import say
from duecourse.money import decimal_string, exponent, to_minor
from duecourse.reference.countries import COUNTRIES
from duecourse.reference.interest_regimes import REGIMES, Regime, regime, worded
from duecourse.reference.reference_rates import SHIPPED, ReferenceRates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duecourse.cover.late_interest.accrual import Segment
    from duecourse.cover.late_interest.agreed import AgreedRate
    from duecourse.cover.said import Said

FINER: Final = 4
"""Decimals beyond the currency's that a segment's interest is shown with: it is rounded only in the sum."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked.

    regime   a rule's code, with a variant if one is meant; empty: every rule that could apply to the parties, the best one chosen
    payments (day, minor units) booked to the principal
    agreed   the rate of the contract
    """

    amount_minor: int
    currency: str
    due: date
    until: date
    payments: tuple[tuple[date, int], ...] = ()
    regime: str = ""
    creditor: Party = field(default_factory=Party)
    debtor: Party = field(default_factory=Party)
    law: str = ""
    agreed: AgreedRate | None = None
    signed_on: date | None = None
    pay_when_paid: bool = False
    happened: Happened = field(default_factory=Happened)
    count_payment_day: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """The claim, the debt it is for, and why this law."""

    ask: Ask
    owing: Owing
    claim: Claim
    why_law: Said | None


def work_out(ask: Ask, rates: ReferenceRates = SHIPPED) -> Answer:
    """What is owed for being late?

    Raises InterestRegimeUnknownError; OptionMisusedError for an amount below zero or days in the wrong order; with a rule named also why it cannot be
    worked out (ReferenceRateMissingError and its like).
    """
    if ask.amount_minor <= 0:
        raise OptionMisusedError(option="--amount", value=str(ask.amount_minor), hint=say("cli.interest_hint_amount"))
    if ask.until < ask.due:
        raise OptionMisusedError(option="--paid", value=ask.until.isoformat(), hint=say("cli.interest_hint_until", due=ask.due))
    owing = Owing(ask.amount_minor, ask.currency, ask.due, tuple(sorted(ask.payments)))
    deal = Deal(ask.law, ask.agreed, ask.signed_on, ask.pay_when_paid)
    if not ask.regime:
        found = claim(
            owing, ask.until, ask.creditor, ask.debtor, deal, rates=rates, happened=ask.happened, count_payment_day=ask.count_payment_day
        )
        return Answer(ask, owing, found, law_of(ask.creditor, ask.debtor, deal)[1])
    rule = regime(ask.regime)
    agreed = ask.agreed if rule.kind == "agreed" else None
    one = Candidate(rule.code, "applies", (), rule, agreed)
    made = reckon(owing, ask.until, one, rates=rates, happened=ask.happened, count_payment_day=ask.count_payment_day)
    return Answer(ask, owing, Claim((made,), made if made.accrual else None, (), made.refused), None)


def refusal(found: Reckoned | Claim, lang: Any = None) -> str:
    """Why nothing could be worked out, as a sentence; empty where it could."""
    return found.refused.words(lang) if found.refused else ""


def segment_rows(segments: Sequence[tuple[str, Segment]], currency: str) -> list[dict[str, Any]]:
    """The segments as rows of a statement of claim: rule, from, to, days, base, rate a year, reference, interest with four more decimals.  分段计息表"""
    return [
        {
            "rule": code, "start": one.start, "end": one.end, "days": one.days, "base_minor": one.base_minor, "currency": currency,
            "capitalised": exact(one.capitalised, currency) if one.capitalised else "", "rate": percent(one.quote.rate, one.quote.per),
            "reference": reference(one), "interest": exact(one.interest, currency), "capped": one.capped,
        }
        for code, one in segments
    ]  # fmt: skip


def exact(minor: Fraction, currency: str) -> str:
    """An exact amount of interest with four decimals more than the currency has."""
    digits = exponent(currency) + FINER
    scaled = minor * 10**FINER
    whole = (scaled * 2 + 1).__floor__() // 2
    return f"{Decimal(whole).scaleb(-digits):,f}"


def percent(rate: Fraction, per: str = "year") -> str:
    """18.25%, or 0.05%/d for a daily rate."""
    shown = f"{float(rate * 100):.6f}".rstrip("0").rstrip(".")
    return f"{shown}%" + ("/d" if per == "day" else "")


def reference(one: Segment) -> str:
    """The reference rate a segment rests on: series, value, day."""
    quote = one.quote
    if quote.reference is None:
        return ""
    return f"{quote.series} {percent(quote.reference)} ({quote.reference_date})" + (" *" if quote.own else "")


def formula(rule: Regime) -> str:
    """The rule's rate in a line: DE_BASISZINS + 9%, CN_LPR_1Y × 1.5, 5%, 0.05%/d."""
    if rule.kind in ("none", "agreed"):
        return say(f"interest.formula_{rule.kind}")
    if rule.kind == "daily":
        return percent(Fraction(rule.rate or 0), "day")
    if rule.series:
        times = f" × {rule.multiplier.normalize():f}" if rule.multiplier != 1 else ""
        return f"{rule.series}{times}" + (f" + {percent(Fraction(rule.margin))}" if rule.margin else "")
    return percent(Fraction(rule.rate or 0))


def rule_rows(words: str = "") -> list[dict[str, Any]]:
    """Every rule and variant: code, name, rate, fixing, day count, fixed sum, sources, confidence.  逾期利息规则一览"""
    found = []
    for base in REGIMES.values():
        for rule in (base, *(base.with_variant(name) for name, _ in base.variants)):
            row = {
                "code": rule.code, "name": rule.name() + (f" · {variant_words(rule.variant)}" if rule.variant else ""), "country": rule.jurisdiction,
                "rate": formula(rule), "day_count": rule.day_count, "compounding": rule.compounding, "sources": "; ".join(rule.sources),
                "confidence": rule.confidence, "notes": " ".join(worded(note) for note in (*rule.caps, *rule.notes)),
            }  # fmt: skip
            place = COUNTRIES.get(rule.jurisdiction)
            places = f"{place.name_en} {place.name_zh}" if place else ""
            if words.casefold() in f"{row['code']} {row['name']} {row['sources']} {places}".casefold():
                found.append(row)
    return found


def variant_words(name: str) -> str:
    """What a variant is called."""
    return say(f"interest.variant_{name.lower().replace('.', '_')}") if name else ""


def typed_payments(text: str, currency: str) -> tuple[tuple[date, int], ...]:
    """`2025-05-01=30000; 2025-06-01=10000` as payments. Raises OptionMisusedError."""
    found = []
    for part in text.replace("；", ";").replace("\n", ";").split(";"):
        if not part.strip():
            continue
        day, _equals, amount = part.replace("＝", "=").replace("：", "=").partition("=")
        try:
            found.append((date.fromisoformat(day.strip()), to_minor(Decimal(amount.replace(",", "").strip()), currency)))
        except (ValueError, ArithmeticError, DuecourseError):
            raise OptionMisusedError(option="--payment", value=part.strip(), hint="2025-05-01=30000") from None
    return tuple(found)


def plain_answer(found: Answer) -> Mapping[str, Any]:
    """The answer as plain data for a machine."""
    currency = found.ask.currency

    def line(one: Reckoned) -> dict[str, Any]:
        return {
            "rule": one.candidate.code, "standing": one.candidate.standing, "confidence": one.candidate.confidence,
            "reasons": [each.plain for each in one.candidate.reasons], "interest": decimal_string(one.interest_minor, currency) if one.accrual else None,
            "refused": one.refused.plain if one.refused else None,
        }  # fmt: skip

    chosen = found.claim.chosen
    segments = [
        (one.candidate.code, segment)
        for one in (chosen, *found.claim.additional)
        if one and one.accrual
        for segment in one.accrual.segments
    ]
    return {
        "amount": decimal_string(found.ask.amount_minor, currency), "currency": currency, "due": found.ask.due, "until": found.ask.until,
        "rule": chosen.candidate.code if chosen else None, "interest": decimal_string(found.claim.interest_minor, currency) if chosen else None,
        "compensation": decimal_string(chosen.fixed.amount_minor, chosen.fixed.currency) if chosen and chosen.fixed else None,
        "compensation_currency": chosen.fixed.currency if chosen and chosen.fixed else None,
        "daily": decimal_string(chosen.accrual.daily_minor, currency) if chosen and chosen.accrual else None,
        "segments": segment_rows(segments, currency), "rules": [line(one) for one in found.claim.reckoned],
    }  # fmt: skip
