"""What is owed for being late, as a letter says it: per invoice with every stretch of days, and the rules it rests on."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from duecourse.actions.letters.facts import Basis, Invoice, Segment
from duecourse.actions.letters.laws import cited
from duecourse.money import to_decimal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from duecourse.cover.late_interest.claim import Reckoned
    from duecourse.desk.late_interest import OwedInvoice

DAY_COUNT = "actual/365"


def invoice_of(buyer_id: str, one: OwedInvoice, row: Mapping[str, Any]) -> Invoice:
    """One instalment as a letter has it."""
    return Invoice(
        buyer_id, one.invoice_id, one.instalment, one.issue_date, one.due_date, one.currency, one.amount_minor, one.settled_minor, one.principal_minor,
        one.days_late, one.interest_minor or 0, one.daily_minor, one.compensation_minor or 0, one.compensation_currency or "", str(row["order_number"] or ""),
        one.regime if one.interest_minor else "", _segments(one),
    )  # fmt: skip


def _segments(one: OwedInvoice) -> tuple[Segment, ...]:
    """Each stretch rounded so that together they are the interest claimed, to the cent."""
    if not one.interest_minor:
        return ()
    exact, told, found = Fraction(0), 0, []
    for number, (code, part) in enumerate(one.segments, 1):
        exact += part.interest
        so_far = one.interest_minor if number == len(one.segments) else round(exact)
        found.append(
            Segment(
                part.start,
                part.end,
                part.days,
                part.base_minor,
                _text(part.quote.yearly),
                so_far - told,
                "" if code == one.regime else code,
            )
        )
        told = so_far
    return tuple(found)


def _text(rate: Fraction) -> str:
    """A yearly rate as decimal text, to a millionth of a percent."""
    return f"{to_decimal(round(rate * 10**8), 'XXX').scaleb(-6).normalize():f}"


def bases_of(invoices: Iterable[OwedInvoice]) -> tuple[Basis, ...]:
    """The rules these invoices' interest rests on, each once, with the rates that were in force."""
    rates: dict[str, list[str]] = {}
    rules: dict[str, Reckoned] = {}
    for one in invoices:
        if not one.interest_minor:
            continue
        known = {found.candidate.code: found for found in one.candidates}
        for code, part in one.segments:
            rates.setdefault(code, []).append(_text(part.quote.yearly))
            rules[code] = known[code]
    return tuple(_basis(code, rules[code], rates[code]) for code in rules)


def _basis(code: str, found: Reckoned, rates: Sequence[str]) -> Basis:
    rule, agreed = found.candidate.rule, found.candidate.agreed is not None
    count = DAY_COUNT if agreed or rule is None else rule.day_count
    return Basis(code, agreed, () if agreed else cited(code, rule.sources if rule else ()), tuple(dict.fromkeys(rates)), count)
