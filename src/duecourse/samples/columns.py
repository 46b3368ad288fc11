"""Columns by the million: text columns and prefix sums built from whole arrays, without a loop over rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

Ints = npt.NDArray[np.int64]
Days = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int32]
Letters = npt.NDArray[np.uint8]

_FOUR_DIGITS: Final = np.frombuffer("".join(f"{number:04d}" for number in range(10_000)).encode(), dtype="<u4")


def digits(values: Ints, width: int) -> Letters:
    """Numbers as text of a fixed width with leading zeros, a row of letters each."""
    groups = -(-width // 4)
    text = np.empty((len(values), groups), dtype="<u4")
    rest = values
    for group in range(groups - 1, 0, -1):
        higher = rest // 10_000
        text[:, group] = _FOUR_DIGITS[rest - higher * 10_000]
        rest = higher
    text[:, 0] = _FOUR_DIGITS[rest]
    return text.view(np.uint8).reshape(len(values), groups * 4)[:, groups * 4 - width :]


def text_column(letters: Letters, present: Flags | None = None) -> pa.StringArray:
    """Rows of letters as an Arrow text column; null where not present."""
    count, width = letters.shape
    validity: pa.Buffer | None = None
    if present is None:
        offsets = np.arange(count + 1, dtype=np.int32) * np.int32(width)
    else:
        offsets = np.zeros(count + 1, dtype=np.int32)
        np.cumsum(np.where(present, np.int32(width), np.int32(0)), out=offsets[1:])
        validity = pa.py_buffer(np.packbits(present, bitorder="little").data)
        letters = letters[present]
    data = pa.py_buffer(np.ascontiguousarray(letters).data)
    nulls = 0 if present is None else count - int(np.count_nonzero(present))
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets.data), data, validity, nulls)


def choice_column(codes: Codes, choices: pa.StringArray | Sequence[str]) -> pa.StringArray:
    """One of a few texts a row, by its position in `choices`; null where the code is negative."""
    values = choices if isinstance(choices, pa.Array) else pa.array(choices, pa.string())
    absent = codes < 0
    where = pa.array(codes, pa.int32(), mask=absent if absent.any() else None)
    return values.take(where)


def flag_column(*, value: bool, count: int) -> pa.Array[Any]:
    """The same flag in every row."""
    return pa.repeat(pa.scalar(value), count)


def day_column(days: Days, present: Flags | None = None) -> pa.Array[Any]:
    """Days since 1970-01-01 as dates; null where not present."""
    return cast("pa.Array[Any]", pa.array(days, pa.int32(), mask=None if present is None else ~present).view(pa.date32()))


def pick(uniform: Floats, shares: Sequence[float]) -> Codes:
    """Which of several choices a uniform draw falls into, by their shares (they need not add up to 1)."""
    edges = np.cumsum(np.asarray(shares, dtype=np.float64))
    return np.searchsorted(edges[:-1] / edges[-1], uniform, side="right").astype(np.int32)


def delays(rng: np.random.Generator, count: int, law: str, tail: float) -> Floats:
    """Random delays of mean zero and unit variance, by a law of `Behaviour.noise_law`."""
    if law == "student":
        return np.asarray(rng.standard_t(tail, count) * np.sqrt((tail - 2) / tail))
    if law == "pareto":
        return np.asarray((rng.pareto(tail, count) - 1 / (tail - 1)) * (tail - 1) * np.sqrt((tail - 2) / tail))
    delay = np.maximum(rng.random(count), 1e-300)
    np.log(delay, out=delay)
    np.negative(delay, out=delay)
    np.log(delay, out=delay)
    delay *= -0.78  # of unit variance: the standard Gumbel's is 1.28 squared
    delay -= 0.45  # and of mean zero
    return delay


def some_rows(rng: np.random.Generator, count: int, share: float, among: Flags | None) -> Codes:
    """Positions of a random share of the rows, or of the rows flagged."""
    if share == 0:
        return np.empty(0, np.int32)
    if among is not None and share > 0.05:
        candidates = np.flatnonzero(among).astype(np.int32)
        return candidates[rng.random(len(candidates)) < share]
    expected = count * share
    steps = rng.geometric(share, int(expected + 7 * expected**0.5 + 20))  # rare rows: jump from one to the next
    rows = np.cumsum(steps) - 1
    rare = rows[rows < count].astype(np.int32)
    return rare if among is None else rare[among[rare]]
