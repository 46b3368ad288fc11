"""Walks over columns of millions of rows for a page that is waiting: find a text, add up by code. Compiled, without the interpreter's lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from duecourse.compiled import compiled

if TYPE_CHECKING:
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]
    Flags = npt.NDArray[np.bool_]

WORD: Final = 8
ONES: Final = np.uint64(0x0101010101010101)
HIGHS: Final = np.uint64(0x8080808080808080)
PLACES: Final = np.uint64(0x0001020304050607)
"""A word less ONES, without the word's own bits, has a HIGHS bit where a byte of the word is zero (and at times just above one). One such
bit, moved to the bottom of its byte, times PLACES has the number of its byte on top."""


@compiled
def _find(  # noqa: C901 — one walk
    words: npt.NDArray[np.uint64], blob: Bytes, starts: npt.NDArray[np.int64], needle: Bytes, anchor: int, apart: int, hits: Flags
) -> None:
    """Mark the rows that hold the needle: eight places at a time are looked at for two of its bytes, and only where both stand for the rest."""
    last = blob.size - needle.size
    first, second = ONES * np.uint64(needle[anchor]), ONES * np.uint64(needle[anchor + apart])
    ahead, shift = apart // WORD, np.uint64(apart % WORD * WORD)
    rest = np.uint64(64) - shift
    row = 0
    free = 0  # before this place nothing is looked for: its row is marked already
    for number in range(words.size - ahead - 1):
        one = words[number] ^ first
        met = (one - ONES) & ~one & HIGHS
        if met == 0:
            continue
        other = words[number + ahead] >> shift
        if shift:
            other |= words[number + ahead + 1] << rest
        other ^= second
        met &= (other - ONES) & ~other & HIGHS
        if met == 0:
            continue
        base = number * WORD - anchor
        while met:
            lowest = met & (~met + np.uint64(1))
            met ^= lowest
            at = base + np.int64(((lowest >> np.uint64(7)) * PLACES) >> np.uint64(56))
            if not free <= at <= last:
                continue
            same = True
            for place in range(needle.size):
                if blob[at + place] != needle[place]:
                    same = False
                    break
            if same:
                while starts[row + 1] <= at:
                    row += 1
                hits[row] = True
                free = starts[row + 1]


def searchable(texts: Bytes) -> Bytes:
    """The texts with room behind them, as `find` takes them."""
    padding = -len(texts) % WORD + WORD * 32
    return np.concatenate([texts, np.zeros(padding, np.uint8)])


LONGEST: Final = 200
"""Bytes of a text to be found; what is longer is cut."""


def find(blob: Bytes, starts: npt.NDArray[np.int64], text: bytes, frequency: npt.NDArray[np.int64]) -> Flags:
    """Which rows hold a text? One flag a row.

    blob       the rows' texts one behind the other, made `searchable`; each row ends with a byte that no text to be found contains
    starts     where each row begins, and the end of the last: one more than rows
    frequency  how often each of the 256 bytes stands in the blob: the search looks for the rarest two of the text
    """
    hits = np.zeros(len(starts) - 1, np.bool_)
    needle = np.frombuffer(text[:LONGEST], np.uint8)
    if not len(needle):
        hits[:] = True
        return hits
    rarest = np.argsort(frequency[needle], kind="stable")[:2]
    _find(blob.view(np.uint64), blob, starts, needle, int(rarest.min()), int(rarest.max() - rarest.min()), hits)
    return hits


@compiled
def chosen(codes: npt.NDArray[Any], allowed: Flags, keep: Flags) -> None:
    """Keep the rows whose code is allowed; the last of `allowed` stands for code -1."""
    for row in range(codes.size):
        code = codes[row]
        keep[row] = allowed[code if code >= 0 else allowed.size - 1]


@compiled
def add_up(keep: Flags, codes: npt.NDArray[Any], values: npt.NDArray[np.int64], sums: npt.NDArray[np.int64]) -> None:
    """Add the kept rows of `values` to the row of `sums` of their code, and in its last column count them. Exact int64.

    The last row of `sums` is that of code -1.
    """
    width = values.shape[1]
    for row in range(keep.size):
        if keep[row]:
            code = codes[row] if codes[row] >= 0 else sums.shape[0] - 1
            for place in range(width):
                sums[code, place] += values[row, place]
            sums[code, width] += 1


@compiled
def count_up(keep: Flags, codes: npt.NDArray[Any], counts: npt.NDArray[np.int64]) -> None:
    """Count the kept rows by code; those with code -1 in the last place."""
    for row in range(keep.size):
        if keep[row]:
            counts[codes[row]] += 1


@compiled
def walk(keep: Flags, order: npt.NDArray[np.int32], skip: int, rows: npt.NDArray[np.int64]) -> int:
    """The kept rows in an order, from the `skip`-th on, into `rows` as many as it holds; returns how many were found."""
    found = 0
    seen = 0
    for place in range(order.size):
        if keep[order[place]]:
            if seen >= skip:
                if found == rows.size:
                    break
                rows[found] = order[place]
                found += 1
            seen += 1
    return found
