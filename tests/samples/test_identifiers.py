"""Registration numbers carry valid check digits, by independent validators that are first tried on published numbers."""

from __future__ import annotations

import numpy as np
import pytest

from duecourse.samples import identifiers


def rows(*texts):
    return np.array([[int(character) for character in text] for text in texts], dtype=np.int64)


def some(count=3_000):
    numbers = np.random.default_rng(1).integers(0, 10**8, count)
    return rows(*(f"{number:08d}" for number in numbers))


def total(text, weights):
    return sum(int(character) * weight for character, weight in zip(text, weights, strict=True))


def social_credit_code(text):
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    check = (31 - sum(alphabet.index(c) * 3**place for place, c in enumerate(text[:17])) % 31) % 31
    organisation = (11 - sum(int(c, 36) * w for c, w in zip(text[8:16], (3, 7, 9, 10, 5, 8, 4, 2), strict=True)) % 11) % 11
    return len(text) == 18 and text[17] == alphabet[check] and text[16] == "0123456789X"[organisation]


def test_chinese():
    assert social_credit_code("91110000600037341L")
    found = identifiers.chinese(some(), np.full(3_000, 330_200))
    assert all(map(social_credit_code, found))
    assert {number[16] for number in found} == set("0123456789X")


@pytest.mark.parametrize(
    ("make", "digits", "known"),
    [
        (identifiers.german, "36695970", "DE136695976"),
        (identifiers.french, "30326504", "FR40303265045"),
        (identifiers.italian, "00743110", "IT00743110157"),
        (identifiers.spanish, "58378430", "ESB58378431"),
        (identifiers.british, "98078060", "GB980780684"),
        (identifiers.vietnamese, "10023348", "0100233488"),
        (identifiers.brazilian, "16727230", "16.727.230/0001-97"),
        (identifiers.dutch, "00449544", "NL004495445B01"),
    ],
)
def test_a_published_number_is_made_from_its_body(make, digits, known):
    assert make(rows(digits)) == [known]


def polish(text):
    return total(text[2:11], (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11 == int(text[11])


def japanese(text):
    return 9 - total(text[1:][::-1], (1, 2) * 6) % 9 == int(text[0])


def korean(text):
    digits = text.replace("-", "")
    return (total(digits[:9], (1, 3, 7, 1, 3, 7, 1, 3, 5)) + int(digits[8]) * 5 // 10 + int(digits[9])) % 10 == 0


def australian(text):
    return (total(text, (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)) - 10) % 89 == 0


def indian(text):
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    products = [alphabet.index(c) * (1 if place % 2 == 0 else 2) for place, c in enumerate(text[:14])]
    return text[14] == alphabet[(36 - sum(p // 36 + p % 36 for p in products) % 36) % 36]


@pytest.mark.parametrize(
    ("make", "valid", "known"),
    [
        (identifiers.polish, polish, "PL8567346215"),
        (identifiers.japanese, japanese, "5835678256246"),
        (identifiers.korean, korean, "116-82-00276"),
        (identifiers.australian, australian, "51824753556"),
        (identifiers.indian, indian, "27AAPFU0939F1ZV"),
    ],
)
def test_every_number_passes_its_check(make, valid, known):
    assert valid(known)
    found = make(some())
    assert all(map(valid, found))
    assert {len(number) for number in found} == {len(known)}


def test_all_the_others_keep_their_length():
    for make, length in ((identifiers.dutch, 14), (identifiers.british, 11), (identifiers.american, 10), (identifiers.german, 11)):
        assert {len(number) for number in make(some())} == {length}
