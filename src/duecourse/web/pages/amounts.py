"""Large amounts in few digits, as each language counts: thousand and million, 万 and 亿. The exact amount always stands beside, on hover or in a table."""

from __future__ import annotations

from typing import Final, NamedTuple

from duecourse.messages import Language, language, say
from duecourse.money import exponent

STEPS: Final[dict[Language, tuple[tuple[int, str], ...]]] = {
    "en": ((10**9, "billion"), (10**6, "million"), (10**3, "thousand"), (1, "one")),
    "zh": ((10**8, "yi"), (10**4, "wan"), (1, "one")),
}
"""Powers of ten, largest first, and the sentence that names the unit."""
AT_LEAST: Final = 1
"""An amount is told in a unit of which it has at least this many."""


class Unit(NamedTuple):
    """A unit for amounts of a currency: how many major units it is, and its name with the currency (`M EUR`, `万元`)."""

    size: int
    name: str


def unit_for(largest_minor: float, currency: str) -> Unit:
    """The unit in which an amount of this size, and a chart up to it, is read best."""
    largest = abs(largest_minor) / 10 ** exponent(currency)
    steps = STEPS[language()]
    size, step = next(((size, step) for size, step in steps if largest >= size * AT_LEAST), steps[-1])
    return Unit(size, say(f"web.frame_unit_{step}", currency=currency_word(currency)).strip())


def currency_word(currency: str) -> str:
    """The currency as it is written behind an amount: 元 for CNY in Chinese, else its code; nothing where there is none."""
    if currency == "XXX":
        return ""
    if language() == "en":
        return currency
    return "元" if currency == "CNY" else f" {currency}"  # 万元, but 万 EUR


def major(minor: float, currency: str) -> float:
    """Minor units as a number of major ones, for drawing; never for reckoning."""
    return float(minor / 10 ** exponent(currency))


def short(minor: int | None, currency: str) -> tuple[str, str]:
    """Three or four digits of an amount and its unit: ("12.84", "M EUR"); an unknown amount is a dash."""
    if minor is None:
        return "–", ""
    unit = unit_for(minor, currency)
    value = major(minor, currency) / unit.size
    digits = 2 if abs(value) < 100 and unit.size > 1 else 1 if abs(value) < 1000 and unit.size > 1 else 0
    return f"{value:,.{digits}f}", unit.name
