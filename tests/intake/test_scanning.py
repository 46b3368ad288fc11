"""The machine code of the straight way, held against Python that does the same one sign at a time."""

from __future__ import annotations

import datetime as dt
import random
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest

from duecourse.intake import scanning, straight
from duecourse.intake.machine_code import NO_DATE, day_of, number_texts
from duecourse.intake.scanning import _Columns, _months, identify, repeated_of
from duecourse.intake.straight import Rest

LAST_DAY = (dt.date(2036, 5, 4) - straight.ORIGIN).days


def array(text):
    return np.frombuffer(text.encode(), dtype=np.uint8)


def form(column=0, width=2, delimiter=","):
    return SimpleNamespace(delimiter=ord(delimiter), width=width, texts=np.array([column], dtype=np.int64))


@pytest.mark.parametrize(
    ("pattern", "places"),
    [("%Y-%m-%d", (10, 0, 5, 8, 4, 7, "-")), ("%d.%m.%Y", (10, 6, 3, 0, 2, 5, ".")), ("%Y%m%d", (8, 0, 4, 6, -1, -1, "\0"))],
)
def test_every_day_is_read(pattern, places):
    length, year, month, day, one, two, sign = places
    shape = np.array([0, length, year, month, day, one, two, ord(sign)], dtype=np.int64)
    months = _months(LAST_DAY)

    def read(cell):
        return day_of(array(f"{cell}\n"), 0, len(cell.encode()), shape, months)

    for number in range((dt.date(1990, 1, 1) - straight.ORIGIN).days, LAST_DAY + 1):
        assert read((straight.ORIGIN + dt.timedelta(number)).strftime(pattern)) == number
    chance = random.Random(3)
    for _ in range(3000):
        cell = list(dt.date(2024, chance.randrange(1, 13), chance.randrange(1, 29)).strftime(pattern))
        for _ in range(chance.randrange(1, 3)):
            cell[chance.randrange(length)] = chance.choice("0123456789 -./:;?ü/aA")
        text = "".join(cell)
        try:
            wanted = (dt.datetime.strptime(text, pattern).date() - straight.ORIGIN).days if text.isascii() and " " not in text else None
        except ValueError:
            wanted = None
        found = read(text)
        if wanted is None or not months[0] <= wanted < months[-1]:
            assert found == NO_DATE, text
        else:
            assert found == wanted, text


def test_texts_are_numbered_and_copied_as_they_are():
    chance = random.Random(5)
    words = ["".join(chance.choice("aB0ü京-") for _ in range(chance.randrange(1, 14))) for _ in range(3000)]
    cells = [chance.choice(words) if chance.random() > 0.05 else "" for _ in range(9000)]
    text, starts, ends, place = "", [], [], 0
    for cell in cells:
        starts.append(place)
        ends.append(place + len(cell.encode()))
        place = ends[-1] + 1
    text = array("\n".join(cells) + "\n")
    starts, ends = np.array([starts], dtype=np.int32), np.array([ends], dtype=np.int32)
    codes = np.empty(len(cells), dtype=np.int32)
    letters, offsets, found = number_texts(text, starts[0], ends[0], len(cells), codes)
    known = [bytes(letters[offsets[n] : offsets[n + 1]]).decode() for n in range(found)]
    assert len(set(known)) == found == len(set(cells) - {""})
    assert [known[code] if code >= 0 else "" for code in codes] == cells
    columns = _Columns(text, starts, ends, len(cells))
    which = np.array([*sorted(chance.sample(range(len(cells)), 4000)), len(cells) - 1], dtype=np.int64)
    assert columns.plain(0, which, "settled:", "/1").to_pylist() == [f"settled:{cells[n]}/1" for n in which]
    assert columns.coded(0).to_pylist() == [cell or None for cell in cells]


def test_numbers_that_mean_the_same_have_the_same_hash():
    cells = ["A1", " A1 ", '"A1"', "77", "77.0", "123456789", "123456789 ", "12345678", "12345678.0", "", "A2", 'a"b"c', '"a""b""c"']
    for column in (0, 1):
        for end in ("\n", "\r\n"):
            lines = [f"{cell},x" if column == 0 else f'"x,y",{cell}' for cell in cells]
            hashes, ordered = identify(array(end.join(lines) + end), form(column))
            assert sorted(hashes.tolist()) == ordered.tolist()
            alike = [[n for n, one in enumerate(hashes) if one == value] for value in dict.fromkeys(hashes.tolist())]
            assert alike == [[0, 1, 2], [3, 4], [5, 6], [7, 8], [9], [10], [11, 12]]
            assert hashes[9] == 0


def test_lines_without_the_column_have_no_number():
    hashes, _ = identify(array("a,1\nb\n\nc,2,3\nd,1\n"), form(1))
    assert hashes[1] == hashes[2] == 0
    assert hashes[0] == hashes[4] != hashes[3] != 0


@pytest.mark.parametrize("stretch", [1, 7, 1 << 15])
def test_repeats_are_found_over_all_blocks(monkeypatch, stretch):
    monkeypatch.setattr(scanning, "STRETCH_HASHES", stretch)
    chance = np.random.default_rng(1)
    blocks = [chance.integers(0, 2**63, size, dtype=np.uint64) * np.uint64(2) for size in (50, 0, 80, 33)]
    blocks[0][3] = blocks[2][5] = blocks[3][1] = np.uint64(2**64 - 1)
    blocks[0][:2] = 0
    blocks[3][7] = blocks[3][8]
    values, counts = np.unique(np.concatenate(blocks), return_counts=True)
    with ThreadPoolExecutor(2) as pool:
        table, _mask = repeated_of([np.sort(one) for one in blocks], pool)
        none, _mask = repeated_of([], pool)
    assert sorted(table[table != 0].tolist()) == [one for one in values[counts > 1].tolist() if one]
    assert not none.any()


def test_lines_left_over_keep_their_numbers():
    left = [(2, b'a,"b,c"\n'), (5, b"\n"), (9, b"d\r\n"), (11, b'x"y,"z\n'), (12, b"e,f,g\n")]
    for lines in (left, left[:3]):
        rest = Rest(form())
        rest.add(lines)
        rest.add([(20, b"h,i")])
        assert rest.lines == len(lines) + 1
        rows = {row["row_no"]: (row["fields"], row["c0"], row["c1"]) for row in rest.table().to_pylist()}
        wanted = {2: (2, "a", "b,c"), 9: (1, "d", ""), 11: (2, 'x"y', "z"), 12: (3, "e", "f"), 20: (2, "h", "i")}
        assert rows == {number: row for number, row in wanted.items() if number in {n for n, _ in lines} | {20}}
    assert Rest(form()).table().num_rows == 0
