"""Late-payment interest by law, 法定逾期利息: seventy regimes with their formula, day count, fixed compensation, source and confidence."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from importlib import resources
from typing import TYPE_CHECKING, Any, Final, Literal

from duecourse.errors import InterestRegimeUnknownError
from duecourse.messages import Language, language

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FormulaKind = Literal["plus", "times", "fixed", "daily", "published", "agreed", "none"]
Fixing = Literal["floating", "half_year", "half_year_before", "default", "default_half_year", "second_month", "end"]
Compounding = Literal["none", "yearly", "monthly", "continuous"]


@dataclass(frozen=True, slots=True)
class Compensation:
    """A fixed sum the law gives with the interest: `amount` of `currency` for a debt from `at_least` to below `below`.

    The limits are in `limits_currency`. `share` instead of an amount: that part of the unpaid debt. `year`: known for that year alone.
    """

    currency: str = ""
    amount: Decimal | None = None
    at_least: Decimal | None = None
    below: Decimal | None = None
    limits_currency: str = ""
    share: Decimal | None = None
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Regime:
    """One rule of law on late interest.

    kind         plus: reference + margin; times: reference × multiplier; fixed: a yearly rate; daily: a rate per day; published: the series is the
                 rate; agreed: the law gives a claim but no rate; none: no interest can be claimed
    series       the reference rate; `series_of` another for a currency; `before`: (last day, series) that stood before it
    steps        fixed rates by the day from which they hold; they follow the day of default, or with `steps_float` the calendar
    fixing       which day's reference counts: floating; half_year: its first day; half_year_before: the day before that; default: the first day of
                 delay; default_half_year: the first day of the half-year of that; second_month: changes take effect from the second month after;
                 end: the day to which interest is reckoned
    day_count    a day count of `calendar`, or months (a twelfth each), effective 365 / 360 (the day's root of a yearly effective rate)
    cap          principal: all interest together stays below the debt; outstanding: unpaid interest stays below the unpaid debt (in duplum)
    starts       due: the day after the due date; demand, suit, judgment: the day after that
    after_service  the yearly rate from the day after the writ was served
    variants     the rule's other forms, by name: what differs
    applies_to, accrues_from, contract_freedom, max_payment_term, caps, notes   what the file says beside the figures, {en, zh}
    """

    id: str
    jurisdiction: str
    name_en: str
    name_zh: str
    basis: str
    kind: FormulaKind
    confidence: str
    sources: tuple[str, ...]
    series: str = ""
    series_of: tuple[tuple[str, str], ...] = ()
    before: tuple[date, str] | None = None
    margin: Decimal = Decimal(0)
    multiplier: Decimal = Decimal(1)
    rate: Decimal | None = None
    steps: tuple[tuple[date, Decimal], ...] = ()
    steps_float: bool = False
    known_until: date | None = None
    round_up_to: Decimal | None = None
    fixing: Fixing = "floating"
    day_count: str = "actual/365"
    compounding: Compounding = "none"
    cap: str = ""
    starts: str = "due"
    after_service: Decimal | None = None
    compensation: tuple[Compensation, ...] = ()
    agreed_floor: str = ""
    agreed_cap: Decimal | None = None
    agreed_void: bool = False
    overrides_contract: bool = False
    variant: str = ""
    variants: tuple[tuple[str, Any], ...] = ()
    applies_to: Mapping[str, str] | None = None
    accrues_from: Mapping[str, str] | None = None
    contract_freedom: Mapping[str, str] | None = None
    max_payment_term: Mapping[str, str] | None = None
    caps: tuple[Mapping[str, str], ...] = ()
    notes: tuple[Mapping[str, str], ...] = ()

    @property
    def code(self) -> str:
        """Its identifier, with the variant if it is one: `EU_IT/agri_food`."""
        return f"{self.id}/{self.variant}" if self.variant else self.id

    def name(self, lang: Language | None = None) -> str:
        """What it is called, in the language spoken."""
        return self.name_zh if (lang or language()) == "zh" else self.name_en

    def series_for(self, currency: str) -> str:
        """The reference rate for a debt in this currency."""
        return dict(self.series_of).get(currency, self.series)

    def with_variant(self, name: str) -> Regime:
        """One of its other forms. Raises InterestRegimeUnknownError."""
        changes = dict(self.variants).get(name)
        if changes is None:
            raise InterestRegimeUnknownError(
                regime=f"{self.id}/{name}", known=", ".join(f"{self.id}/{one}" for one, _ in self.variants) or self.id
            )
        return replace(self, variant=name, **_typed(changes))


def worded(text: Mapping[str, str] | None, lang: Language | None = None) -> str:
    """A text of the file in the language spoken; in English where it has not been translated."""
    return (text.get(lang or language()) or text["en"]) if text else ""


def _decimal(text: str | None) -> Decimal | None:
    return Decimal(text) if text else None


def _compensation(band: Mapping[str, Any]) -> Compensation:
    return Compensation(
        band.get("currency", ""), _decimal(band.get("amount")), _decimal(band.get("from")), _decimal(band.get("below")),
        band.get("thresholds_in") or band.get("currency", ""), _decimal(band.get("share")), band.get("year"),
    )  # fmt: skip


def _typed(terms: Mapping[str, Any]) -> dict[str, Any]:
    """The terms as the file writes them, as fields of a regime."""
    made: dict[str, Any] = {}
    for name, value in terms.items():
        if name in ("margin", "multiplier", "rate", "round_up_to", "after_service", "agreed_cap"):
            made[name] = _decimal(value)
        elif name == "steps":
            made[name] = tuple((date.fromisoformat(day), Decimal(rate)) for day, rate in value)
        elif name == "known_until":
            made[name] = date.fromisoformat(value)
        elif name == "before":
            made[name] = (date.fromisoformat(value["until"]), value["series"])
        elif name == "compensation":
            made[name] = tuple(_compensation(band) for band in value)
        elif name in ("series_of", "variants"):
            made[name] = tuple(value.items())
        else:
            made[name] = value
    return made


def _regime(record: Mapping[str, Any]) -> Regime:
    words: dict[str, Any] = {name: record[name] or None for name in ("applies_to", "accrues_from", "contract_freedom", "max_payment_term")}
    return Regime(
        id=record["id"], jurisdiction=record["jurisdiction"], name_en=record["name_en"], name_zh=record["name_zh"], basis=record["basis"],
        confidence=record["confidence"], sources=tuple(record["sources"]), caps=tuple(record["caps"]), notes=tuple(record["notes"]),
        **words, **_typed(record["terms"]),
    )  # fmt: skip


def _load() -> tuple[dict[str, Regime], str, date]:
    content = json.loads(resources.files(__package__).joinpath("data", "late_interest_regimes.json").read_text(encoding="utf-8"))
    about = content["_doc"]
    return {one["id"]: _regime(one) for one in content["regimes"]}, about["source"], date.fromisoformat(about["as_of"])


REGIMES, SOURCE, AS_OF = _load()
"""Every regime by its identifier; where the file comes from; of which day it speaks."""

REGIMES_OF: Final[Mapping[str, Sequence[Regime]]] = {
    place: [one for one in REGIMES.values() if one.jurisdiction == place] for place in {one.jurisdiction for one in REGIMES.values()}
}
"""The regimes of a jurisdiction: a country code, EU or * (treaty)."""


def regime(code: str) -> Regime:
    """Which regime is this? `CN_SALES_LPR`, or with a variant `CN_SALES_LPR/floating`. Raises InterestRegimeUnknownError.

    >>> regime("eu_de").margin
    Decimal('0.09')
    """
    wanted, _, variant = code.strip().partition("/")
    found = REGIMES.get(wanted.upper())
    if found is None:
        near = [name for name in REGIMES if name.startswith(wanted.upper()[:2])] or list(REGIMES)
        raise InterestRegimeUnknownError(regime=code, known=", ".join(near))
    return found.with_variant(variant) if variant else found
