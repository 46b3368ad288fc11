"""Numbers by which a register knows a firm: are they well formed, and does their check digit agree?  证照号码校验

A number that passes may still belong to nobody; one that fails was mistyped or is of another kind.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Verdict = Literal["good", "malformed", "check_digit", "unchecked"]
"""Passed; not of the form; of the form, but its check digit disagrees; of the form, and no check is public."""

USCC_SIGNS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""GB 32100-2015: without I, O, S, V, Z."""

USCC_AUTHORITIES: Final = "123456789ANY"
"""First sign: who registered it. N rural collectives, Y others, A military (GB 32100-2015, amended)."""


def tidy(number: str) -> str:
    """A number without what only helps the eye: spaces, dots, dashes; full-width signs narrowed, letters large."""
    return re.sub(r"[\s.\-/_·]", "", unicodedata.normalize("NFKC", number)).upper()


def uscc(number: str) -> Verdict:
    """Unified social credit code 统一社会信用代码.

    The check sign is 31 less the weighted sum modulo 31, and 0 where that gives 31: many published programs get this case wrong.
    Source: GB 32100-2015.

    >>> uscc("91330200100000016D")
    'good'
    """
    text = tidy(number)
    if len(text) != 18 or text[0] not in USCC_AUTHORITIES or any(sign not in USCC_SIGNS for sign in text[1:]) or not text[2:8].isdigit():
        return "malformed"
    values = [USCC_SIGNS.index(sign) if sign in USCC_SIGNS else 0 for sign in text]
    total = sum(value * pow(3, place, 31) for place, value in enumerate(values[:17]))
    return "good" if values[17] == (31 - total % 31) % 31 else "check_digit"


def registration_15(number: str) -> Verdict:
    """The fifteen-digit business registration number of before 2015 工商注册号. Source: GS 15-2006, ISO 7064 MOD 11,10."""
    text = tidy(number)
    if not re.fullmatch(r"\d{15}", text):
        return "malformed"
    return "good" if _mod_11_10(text) else "check_digit"


def organisation_code(number: str) -> Verdict:
    """The nine-sign organisation code of before 2015 组织机构代码. Source: GB 11714-1997."""
    text = tidy(number)
    if not re.fullmatch(r"[0-9A-Z]{8}[0-9X]", text):
        return "malformed"
    total = sum(int(sign, 36) * weight for sign, weight in zip(text, (3, 7, 9, 10, 5, 8, 4, 2), strict=False))
    return "good" if "0123456789X0"[11 - total % 11] == text[8] else "check_digit"


def lei(number: str) -> Verdict:
    """Legal entity identifier. Source: ISO 17442, check by ISO 7064 MOD 97-10.

    >>> lei("5493001KJTIIGC8Y1R12")
    'good'
    """
    text = tidy(number)
    if not re.fullmatch(r"[0-9A-Z]{18}\d\d", text):
        return "malformed"
    return "good" if _mod_97(text) == 1 else "check_digit"


def chinese(number: str) -> Verdict:
    """A Chinese register's number of any of its three kinds."""
    text = tidy(number)
    if len(text) == 15 and text.isdigit():
        return registration_15(text)
    return organisation_code(text) if len(text) == 9 else uscc(text)


def vat(number: str, country: str = "") -> Verdict:
    """A VAT number of the EU, the United Kingdom or Switzerland, with its country before it or told beside it.

    "unchecked": the form is right, and the check is not published or takes more than the number. A number of another country is
    "unchecked", too. Source: European Commission, VIES: structure of VAT identification numbers; national tax authorities.

    >>> vat("DE136695976")
    'good'
    """
    text = tidy(number)
    prefix = text[:2]
    if text.startswith("CHE"):
        prefix, text = "CH", re.sub(r"(MWST|TVA|IVA|TPV)$", "", text[3:])
    elif prefix in FORMS:
        text = text[2:]
    else:
        prefix = {"GR": "EL"}.get(country, country)
    if prefix not in FORMS:
        return "unchecked"
    if not re.fullmatch(FORMS[prefix], text):
        return "malformed"
    check = CHECKS.get(prefix)
    if check is None:
        return "unchecked"
    passed = check(text)
    return "unchecked" if passed is None else "good" if passed else "check_digit"


FORMS: Final[Mapping[str, str]] = {
    "AT": r"U\d{8}", "BE": r"[01]\d{9}", "BG": r"\d{9,10}", "CH": r"\d{9}", "CY": r"\d{8}[A-Z]", "CZ": r"\d{8,10}", "DE": r"[1-9]\d{8}",
    "DK": r"\d{8}", "EE": r"\d{9}", "EL": r"\d{9}", "ES": r"[0-9A-Z]\d{7}[0-9A-Z]", "FI": r"\d{8}", "FR": r"[0-9A-HJ-NP-Z]{2}\d{9}",
    "GB": r"\d{9}|\d{12}|GD\d{3}|HA\d{3}", "HR": r"\d{11}", "HU": r"\d{8}", "IE": r"\d{7}[A-W][A-I]?|\d[A-Z+*]\d{5}[A-W]", "IT": r"\d{11}",
    "LT": r"\d{9}|\d{12}", "LU": r"\d{8}", "LV": r"\d{11}", "MT": r"\d{8}", "NL": r"\d{9}B\d\d", "PL": r"\d{10}", "PT": r"[1-9]\d{8}",
    "RO": r"[1-9]\d{1,9}", "SE": r"\d{10}01", "SI": r"[1-9]\d{7}", "SK": r"[1-9]\d{9}", "XI": r"\d{9}|\d{12}|GD\d{3}|HA\d{3}",
}  # fmt: skip
"""How a number is written behind its country."""


def _sum(text: str, weights: Sequence[int]) -> int:
    return sum(int(sign) * weight for sign, weight in zip(text, weights, strict=False))


def _mod_11_10(text: str) -> bool:
    product = 10
    for sign in text[:-1]:
        product = ((product + int(sign)) % 10 or 10) * 2 % 11
    return (product + int(text[-1])) % 10 == 1


def _mod_97(text: str) -> int:
    return int("".join(str(int(sign, 36)) for sign in text)) % 97


def _luhn(text: str) -> bool:
    doubled = [int(sign) * (2 if place % 2 else 1) for place, sign in enumerate(reversed(text))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _austria(text: str) -> bool:
    digits = [int(sign) for sign in text[1:]]
    total = sum(digit if place % 2 == 0 else digit * 2 // 10 + digit * 2 % 10 for place, digit in enumerate(digits[:7]))
    return (10 - (total + 4) % 10) % 10 == digits[7]


def _czech(text: str) -> bool | None:
    if len(text) != 8:
        return None  # a person's number
    check = (11 - _sum(text, range(8, 1, -1)) % 11) % 10
    return check == int(text[7])


def _finland(text: str) -> bool:
    rest = _sum(text, (7, 9, 10, 5, 8, 4, 2)) % 11
    return rest != 1 and (11 - rest) % 11 == int(text[7])


def _france(text: str) -> bool | None:
    if text[2:] == "000000000" or not (_luhn(text[2:]) or text[2:].startswith("356000000")):
        return False
    return (12 + 3 * (int(text[2:]) % 97)) % 97 == int(text[:2]) if text[:2].isdigit() else None


def _britain(text: str) -> bool | None:
    if not text.isdigit():
        return None
    total = _sum(text, range(8, 1, -1)) + int(text[7:9])
    return total % 97 == 0 or (total + 55) % 97 == 0


def _ireland(text: str) -> bool | None:
    if not text[:7].isdigit():
        return None  # the old form
    second = ord(text[8]) - ord("A") + 1 if len(text) == 9 else 0
    return "WABCDEFGHIJKLMNOPQRSTUV"[(_sum(text, range(8, 1, -1)) + 9 * second) % 23] == text[7]


def _netherlands(text: str) -> bool:
    return _sum(text[:8], range(9, 1, -1)) % 11 == int(text[8]) or _mod_97("NL" + text) == 1


def _portugal(text: str) -> bool:
    check = 11 - _sum(text, range(9, 1, -1)) % 11
    return (0 if check > 9 else check) == int(text[8])


def _slovenia(text: str) -> bool:
    check = 11 - _sum(text, range(8, 1, -1)) % 11
    return check != 11 and check % 10 == int(text[7])


def _romania(text: str) -> bool:
    padded = text.zfill(10)
    return _sum(padded, (7, 5, 3, 2, 1, 7, 5, 3, 2)) * 10 % 11 % 10 == int(padded[9])


def _swiss(text: str) -> bool:
    return (11 - _sum(text, (5, 4, 3, 2, 7, 6, 5, 4)) % 11) % 11 == int(text[8])


CHECKS: Final[Mapping[str, Callable[[str], bool | None]]] = {
    "AT": _austria,
    "BE": lambda text: 97 - int(text[:8]) % 97 == int(text[8:]),
    "CH": _swiss,
    "CZ": _czech,
    "DE": _mod_11_10,
    "DK": lambda text: _sum(text, (2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0,
    "EE": lambda text: _sum(text, (3, 7, 1, 3, 7, 1, 3, 7, 1)) % 10 == 0,
    "EL": lambda text: _sum(text, (256, 128, 64, 32, 16, 8, 4, 2)) % 11 % 10 == int(text[8]),
    "FI": _finland,
    "FR": _france,
    "GB": _britain,
    "HR": _mod_11_10,
    "HU": lambda text: _sum(text, (9, 7, 3, 1, 9, 7, 3, 1)) % 10 == 0,
    "IE": _ireland,
    "IT": _luhn,
    "LU": lambda text: int(text[:6]) % 89 == int(text[6:]),
    "MT": lambda text: 37 - _sum(text, (3, 4, 6, 7, 8, 9)) % 37 == int(text[6:]),
    "NL": _netherlands,
    "PL": lambda text: _sum(text, (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11 == int(text[9]),
    "PT": _portugal,
    "RO": _romania,
    "SE": lambda text: _luhn(text[:10]),
    "SI": _slovenia,
    "SK": lambda text: int(text) % 11 == 0,
    "XI": _britain,
}
"""Does the check agree? None where this kind of number has none."""
