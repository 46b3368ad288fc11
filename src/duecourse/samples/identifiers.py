"""Registration numbers with valid check digits: they look right to every validator and belong to nobody we know of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from duecourse.samples.columns import Ints, Letters

_USCC_ALPHABET: Final = np.frombuffer(b"0123456789ABCDEFGHJKLMNPQRTUWXY", dtype=np.uint8)
_BASE36: Final = np.frombuffer(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", dtype=np.uint8)


def _ascii(digits: Ints) -> Letters:
    return (digits + ord("0")).astype(np.uint8)


def _text(letters: Letters) -> list[str]:
    return [bytes(row).decode("ascii") for row in letters]


def _weighted(digits: Ints, weights: Sequence[int]) -> Ints:
    return digits @ np.asarray(weights, dtype=np.int64)


def _luhn(digits: Ints, *, double_first: bool) -> Ints:
    """The Luhn check digit of rows of digits; `double_first`: the first digit is one of those doubled."""
    doubled = digits.copy()
    start = 0 if double_first else 1
    doubled[:, start::2] = doubled[:, start::2] * 2
    doubled = np.where(doubled > 9, doubled - 9, doubled)
    return np.asarray((10 - doubled.sum(axis=1) % 10) % 10)


def _mod_11_checked(digits: Ints, remainder: Callable[[Ints], Ints]) -> tuple[Ints, Ints]:
    """Digits and check digit, the last digit moved on where the check would need two digits."""
    check = remainder(digits)
    while np.any(bad := check > 9):
        digits = digits.copy()
        digits[bad, -1] = (digits[bad, -1] + 1) % 10
        check = remainder(digits)
    return digits, check


def chinese(digits: Ints, regions: Ints) -> list[str]:
    """Unified social credit codes 统一社会信用代码. Source: GB 32100-2015; organisation code within it: GB 11714-1997.

    digits   eight digits a row, the body of the organisation code
    regions  six-digit administrative division a row
    """
    organisation = 11 - _weighted(digits, (3, 7, 9, 10, 5, 8, 4, 2)) % 11
    organisation = np.where(organisation == 11, 0, organisation)  # 10 is written X
    values = np.empty((len(digits), 17), dtype=np.int64)
    values[:, 0], values[:, 1] = 9, 1
    for place in range(6):
        values[:, 2 + place] = regions // 10 ** (5 - place) % 10
    values[:, 8:16] = digits
    values[:, 16] = np.where(organisation == 10, int(np.flatnonzero(ord("X") == _USCC_ALPHABET)[0]), organisation)
    check = (31 - _weighted(values, [pow(3, place, 31) for place in range(17)]) % 31) % 31
    return _text(_USCC_ALPHABET[np.column_stack([values, check])])


def german(digits: Ints) -> list[str]:
    """VAT numbers of Germany. Source: ISO 7064 MOD 11,10."""
    body = np.column_stack([digits[:, 7] % 9 + 1, digits[:, :7]])
    product = np.full(len(body), 10, dtype=np.int64)
    for place in range(8):
        total = (body[:, place] + product) % 10
        product = 2 * np.where(total == 0, 10, total) % 11
    check = (11 - product) % 10
    return [f"DE{number}" for number in _text(_ascii(np.column_stack([body, check])))]


def french(digits: Ints) -> list[str]:
    """VAT numbers of France: key and SIREN. Source: Code général des impôts, art. 286 ter; SIREN by Luhn."""
    siren = np.column_stack([digits[:, :8], _luhn(digits[:, :8], double_first=False)])
    key = (12 + 3 * (_weighted(siren, [10**place for place in range(8, -1, -1)]) % 97)) % 97
    return [f"FR{k:02d}{number}" for k, number in zip(key.tolist(), _text(_ascii(siren)), strict=True)]


def italian(digits: Ints) -> list[str]:
    """VAT numbers of Italy, eleven digits by Luhn; the province digits are those of Milan."""
    body = np.column_stack([digits[:, :7], np.zeros(len(digits), np.int64), np.ones(len(digits), np.int64), np.full(len(digits), 5)])
    return [f"IT{number}" for number in _text(_ascii(np.column_stack([body, _luhn(body, double_first=False)])))]


def dutch(digits: Ints) -> list[str]:
    """VAT numbers of the Netherlands: nine digits by the eleven test, then B and two digits."""
    body, check = _mod_11_checked(digits[:, :8], lambda d: _weighted(d, (9, 8, 7, 6, 5, 4, 3, 2)) % 11)
    return [f"NL{number}B01" for number in _text(_ascii(np.column_stack([body, check])))]


def spanish(digits: Ints) -> list[str]:
    """Tax numbers of Spanish companies: letter, seven digits, control digit. Source: Real Decreto 1065/2007."""
    check = _luhn(digits[:, :7], double_first=True)
    return [f"ESB{number}" for number in _text(_ascii(np.column_stack([digits[:, :7], check])))]


def polish(digits: Ints) -> list[str]:
    """NIP of Poland: ten digits, weighted modulo 11."""
    body = np.column_stack([np.full(len(digits), 5), digits])
    body, check = _mod_11_checked(body, lambda d: _weighted(d, (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11)
    return [f"PL{number}" for number in _text(_ascii(np.column_stack([body, check])))]


def british(digits: Ints) -> list[str]:
    """VAT numbers of the United Kingdom: seven digits and two check digits modulo 97."""
    check = 97 - _weighted(digits[:, :7], (8, 7, 6, 5, 4, 3, 2)) % 97
    return [f"GB{number}{c:02d}" for number, c in zip(_text(_ascii(digits[:, :7])), check.tolist(), strict=True)]


def japanese(digits: Ints) -> list[str]:
    """Corporate numbers 法人番号: check digit, then twelve digits. Source: National Tax Agency of Japan."""
    body = np.column_stack([digits[:, :4], digits])  # twelve digits
    weights = [1 if place % 2 == 0 else 2 for place in range(12)][::-1]
    check = 9 - _weighted(body, weights) % 9
    return _text(_ascii(np.column_stack([check, body])))


def korean(digits: Ints) -> list[str]:
    """Business registration numbers of Korea: ten digits. Source: National Tax Service of Korea."""
    body = np.column_stack([digits[:, :3], np.full(len(digits), 8), np.ones(len(digits), np.int64), digits[:, 3:7]])
    total = _weighted(body, (1, 3, 7, 1, 3, 7, 1, 3, 5)) + body[:, 8] * 5 // 10
    numbers = _text(_ascii(np.column_stack([body, (10 - total % 10) % 10])))
    return [f"{number[:3]}-{number[3:5]}-{number[5:]}" for number in numbers]


def vietnamese(digits: Ints) -> list[str]:
    """Tax codes of Viet Nam: ten digits, weighted modulo 11."""
    body = np.column_stack([np.zeros(len(digits), np.int64), digits])
    body, check = _mod_11_checked(body, lambda d: 10 - _weighted(d, (31, 29, 23, 19, 17, 13, 7, 5, 3)) % 11)
    return _text(_ascii(np.column_stack([body, check])))


def indian(digits: Ints) -> list[str]:
    """GSTIN of India: state, PAN, entity, Z, check letter. Source: Goods and Services Tax Network, modulo 36."""
    count = len(digits)
    letters = 10 + digits[:, [0, 1, 2, 2, 3]] * 2
    letters[:, 3] = 12  # C: a company
    values = np.column_stack(
        [np.full(count, 2), np.full(count, 7), letters, digits[:, 4:8], 10 + digits[:, 7], np.ones(count, np.int64), np.full(count, 35)]
    )
    product = values * np.asarray([1 if place % 2 == 0 else 2 for place in range(14)])
    check = (36 - (product // 36 + product % 36).sum(axis=1) % 36) % 36
    return _text(_BASE36[np.column_stack([values, check])])


def australian(digits: Ints) -> list[str]:
    """ABN of Australia: two check digits, nine digits. Source: Australian Business Register, modulo 89."""
    body = np.column_stack([digits[:, :1], digits])
    check = 99 - _weighted(body, (3, 5, 7, 9, 11, 13, 15, 17, 19)) % 89
    return [f"{c}{number}" for c, number in zip(check.tolist(), _text(_ascii(body)), strict=True)]


def brazilian(digits: Ints) -> list[str]:
    """CNPJ of Brazil: eight digits, branch 0001, two check digits modulo 11. Source: Receita Federal."""
    body = np.column_stack([digits, np.zeros((len(digits), 3), np.int64), np.ones(len(digits), np.int64)])
    for weights in ((5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2), (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)):
        rest = _weighted(body, weights) % 11
        body = np.column_stack([body, np.where(rest < 2, 0, 11 - rest)])
    return [f"{n[:2]}.{n[2:5]}.{n[5:8]}/{n[8:12]}-{n[12:]}" for n in _text(_ascii(body))]


def american(digits: Ints) -> list[str]:
    """EIN of the United States: nine digits, no check digit."""
    return [f"{n[:2]}-{n[2:]}" for n in _text(_ascii(np.column_stack([np.full(len(digits), 4), digits])))]
