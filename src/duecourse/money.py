"""Money, 金额: whole minor units with a currency inside, decimals at the edges, and no rounding that nobody asked for."""

from __future__ import annotations

import csv
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from functools import cache
from importlib import resources
from typing import Final

from duecourse.errors import AmountInexactError, CurrencyUnknownError
from duecourse.messages import Language, language

NO_CURRENCY: Final = "XXX"
"""ISO 4217 "no currency": the export gave none. Counts in hundredths."""

# Wide enough for any int64 amount times any rate: only the final step may round.
_EXACT: Final = Context(prec=200, traps=[InvalidOperation])


@cache
def _currencies() -> dict[str, tuple[int, str]]:
    # Read as a file: money is the ground that `reference` stands on and may not import it.
    lines = resources.files("duecourse").joinpath("reference", "data", "currencies.csv").read_text(encoding="utf-8").splitlines()
    return {
        row["code"]: (int(row["exponent"]), row["name_zh"]) for row in csv.DictReader(line for line in lines if not line.startswith("# "))
    }


def exponent(currency: str) -> int:
    """How many decimals has the minor unit of this currency?  小数位数

    2 for most, 0 for JPY, 3 for KWD, 4 for CLF; XXX (no currency) counts as 2. `currency` is an ISO 4217 code in capitals.

    Raises CurrencyUnknownError. Source: ISO 4217.

    >>> exponent("KWD")
    3
    """
    try:
        return _currencies()[currency][0]
    except KeyError:
        raise CurrencyUnknownError(code=currency) from None


def to_minor(amount: Decimal, currency: str, *, rounding: str | None = None) -> int:
    """How many minor units is this amount?

    rounding: a rounding mode of `decimal` (ROUND_HALF_EVEN ...) for amounts finer than the currency; None refuses them.
    Raises AmountInexactError when the amount does not fit and no rounding is given, or is not a number; CurrencyUnknownError.

    >>> to_minor(Decimal("1234.5"), "CNY")
    123450
    """
    digits = exponent(currency)
    if not amount.is_finite():
        raise AmountInexactError(amount=amount, currency=currency, decimals=digits)
    scaled = amount.scaleb(digits, _EXACT)
    whole = scaled.to_integral_value(rounding or ROUND_HALF_EVEN, _EXACT)
    if rounding is None and whole != scaled:
        raise AmountInexactError(amount=amount, currency=currency, decimals=digits)
    return int(whole)


def to_decimal(minor: int, currency: str) -> Decimal:
    """The amount in units of its currency, with all decimals of the currency: 123450 minor units of CNY are Decimal("1234.50").

    Raises CurrencyUnknownError.
    """
    return Decimal(minor).scaleb(-exponent(currency), _EXACT)


def grouped(minor: int, currency: str) -> str:
    """The amount as people read it, without its currency: thousands separated, all decimals of the currency.

    A page has hundreds of them: whole numbers are taken apart, no decimal is made. Raises CurrencyUnknownError.

    >>> grouped(-123450, "CNY")
    '-1,234.50'
    """
    digits = exponent(currency)
    if type(minor) is not int:  # a sum may come as a decimal
        return f"{to_decimal(minor, currency):,f}"
    if not digits:
        return f"{minor:,}"
    whole, part = divmod(abs(minor), 10**digits)
    return f"{'-' if minor < 0 else ''}{whole:,}.{part:0{digits}d}"


def decimal_string(minor: int, currency: str) -> str:
    """The amount as machines read it: a point, no separators, all decimals of the currency.

    Raises CurrencyUnknownError.

    >>> decimal_string(-5, "USD")
    '-0.05'
    """
    return f"{to_decimal(minor, currency):f}"


def format_money(minor: int, currency: str, lang: Language | None = None) -> str:
    """The amount as people read it, with its currency: `CNY 1,234.50`, in Chinese `1,234.50 人民币元`; the bare number for XXX.

    Raises CurrencyUnknownError.

    >>> format_money(123450, "USD")
    'USD 1,234.50'
    """
    number = grouped(minor, currency)
    if currency == NO_CURRENCY:
        return number
    if (lang or language()) == "zh":
        return f"{number} {_currencies()[currency][1]}"
    return f"{currency} {number}"


def convert(minor: int, source: str, target: str, rate: Decimal) -> int:
    """What is this amount in another currency?  折算

    minor   amount in minor units of `source`
    rate    units of `target` for one unit of `source`, > 0
    Returns minor units of `target`, rounded once, half to even, so that many small conversions do not drift.

    Raises CurrencyUnknownError; ValueError for a rate that is not above zero.

    >>> convert(10_000, "USD", "JPY", Decimal("155.305"))
    15530
    """
    if not rate.is_finite() or rate <= 0:
        raise ValueError(f"an exchange rate is above zero; {source}/{target} is {rate}")
    product = _EXACT.multiply(Decimal(minor).scaleb(exponent(target) - exponent(source), _EXACT), rate)
    return int(product.to_integral_value(ROUND_HALF_EVEN, _EXACT))
