"""Currencies of ISO 4217, 货币: code, number, minor units and names, the withdrawn ones included because old invoices bear them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from duecourse.errors import CurrencyUnknownError
from duecourse.messages import Language, language
from duecourse.reference.tables import Table, load

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Currency:
    """One currency.

    code       three letters, e.g. CNY
    number     three digits as text, e.g. 156
    exponent   decimals of its minor unit: 2 for CNY, 0 for JPY, 3 for KWD
    withdrawn  year and month in which the code was dropped, "2023-01"; None while it is in use
    """

    code: str
    number: str
    exponent: int
    name_en: str
    name_zh: str
    withdrawn: str | None

    def name(self, lang: Language | None = None) -> str:
        """Its name in the language spoken."""
        return self.name_zh if (lang or language()) == "zh" else self.name_en


def _currency(record: Mapping[str, str]) -> Currency:
    return Currency(
        code=record["code"],
        number=record["number"],
        exponent=int(record["exponent"]),
        name_en=record["name_en"],
        name_zh=record["name_zh"],
        withdrawn=record["withdrawn"] or None,
    )


CURRENCIES: Final[Table[Currency]] = load("currencies", "code", _currency)
"""Every currency by its code."""


def currency(code: str) -> Currency:
    """Which currency has this code? Small letters are understood.

    Raises CurrencyUnknownError.

    >>> currency("KWD").exponent
    3
    """
    found = CURRENCIES.get(code.strip().upper())
    if found is None:
        raise CurrencyUnknownError(code=code)
    return found
