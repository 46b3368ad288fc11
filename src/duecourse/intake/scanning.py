"""Machine code for the straight way: cut lines, read dates and amounts, and build the ledger's columns of what is beyond doubt.

A line is taken only if it has the right number of fields; its document and buyer are there and bear no blanks at their ends; its dates are
written exactly in the file's form, exist, and are plausible; and its amount is a plain positive number with no more decimals than its
currency has. All else is left to the general way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numba
import numpy as np
import pyarrow as pa
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from duecourse.intake.straight import Block, Form, unpack, written
from duecourse.ledger.entries import INVOICE, SETTLEMENT, Entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duecourse.intake.straight import Writers
    from duecourse.ledger.store import Draft

NEW_LINE: Final = 10
RETURN: Final = 13
BLANK: Final = 32
QUOTE: Final = 34
NO_DATE: Final = -(2**31)
LONGEST: Final = 200
"""A document or buyer number longer than this is looked at more closely."""

Function = TypeVar("Function", bound=Callable[..., Any])
Array = np.ndarray[Any, Any]


def compiled(function: Function) -> Function:
    """Machine code that runs without the interpreter's lock, kept on disk where a folder for it can be written."""
    try:
        machine: Function = numba.njit(function, nogil=True, cache=True)
    except RuntimeError:  # neither the package's folder nor a cache folder of the user's can be written: compile in each process
        machine = numba.njit(function, nogil=True)
    return machine


def _load_word(_context: Any, text: Any, place: Any) -> Any:
    """Eight bytes of a text at once, the first one lowest. The caller sees to it that they all lie inside the text."""
    del place

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        first = builder.gep(builder.bitcast(array.data, ir.IntType(8).as_pointer()), [arguments[1]])
        return builder.load(builder.bitcast(first, ir.IntType(64).as_pointer()), align=1)

    return types.uint64(text, types.int64), generate


def _count_to_mark(_context: Any, marks: Any) -> Any:
    """Which byte of a word, counted from the lowest, is the first that has a mark?"""
    del marks

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.lshr(builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0)), ir.Constant(ir.IntType(64), 3))

    return types.int64(types.uint64), generate


_word: Final[Any] = intrinsic(_load_word)
_first_byte: Final[Any] = intrinsic(_count_to_mark)

ONES: Final = np.uint64(0x0101010101010101)
HIGHS: Final = np.uint64(0x8080808080808080)
MIXER: Final = np.uint64(0x9E3779B97F4A7C15)


@compiled
def _marks(word: np.uint64, signs: np.uint64) -> np.uint64:
    """A mark in the first byte of a word that equals the sign (given eight times), and none in those before it."""
    other = word ^ signs
    return (other - ONES) & ~other & HIGHS


@compiled
def _end_of_cell(text: Array, place: int, delimiters: np.uint64) -> int:
    """Where the next delimiter or line end stands."""
    feeds = np.uint64(NEW_LINE) * ONES
    while place + 8 <= len(text):
        word = _word(text, place)
        marks = _marks(word, delimiters) | _marks(word, feeds)
        if marks != 0:
            return place + int(_first_byte(marks))
        place += 8
    delimiter = delimiters & np.uint64(255)
    while text[place] != delimiter and text[place] != NEW_LINE:
        place += 1
    return place


@compiled
def _end_of_line(text: Array, place: int) -> int:
    """Where the line ends."""
    feeds = np.uint64(NEW_LINE) * ONES
    while place + 8 <= len(text):
        marks = _marks(_word(text, place), feeds)
        if marks != 0:
            return place + int(_first_byte(marks))
        place += 8
    while text[place] != NEW_LINE:
        place += 1
    return place


@compiled
def _letters(text: Array, start: int, count: int) -> np.uint64:
    """Up to eight bytes of a text as one number."""
    if start + 8 <= len(text):
        whole: np.uint64 = _word(text, start)
        return whole if count == 8 else whole & ((np.uint64(1) << np.uint64(8 * count)) - np.uint64(1))
    letters = np.uint64(0)
    for place in range(count):
        letters |= np.uint64(text[start + place]) << np.uint64(8 * place)
    return letters


@compiled
def _mixed(text: Array, start: int, end: int) -> np.uint64:
    """A hash of a text."""
    value = MIXER ^ np.uint64(end - start)
    while start < end:
        count = min(8, end - start)
        value = (value ^ _letters(text, start, count)) * MIXER
        value ^= value >> np.uint64(32)
        start += count
    value *= MIXER
    return value ^ (value >> np.uint64(29))


@compiled
def _hash(text: Array, start: int, end: int) -> np.uint64:
    """Of the document number without blanks at its ends and without a decimal `.0`, so that numbers that mean the same hash the same; never 0."""
    while start < end and text[start] == BLANK:
        start += 1
    while end > start and text[end - 1] == BLANK:
        end -= 1
    if end - start > 2 and text[end - 1] == 48 and text[end - 2] == 46:
        end -= 2
    return _mixed(text, start, end) | np.uint64(1)


@compiled
def _identify(text: Array, delimiter: int, column: int, hashes: Array) -> int:
    """The hash of every line's document number, 0 where it has none; how many lines there are."""
    delimiters = np.uint64(delimiter) * ONES
    count = 0
    place = 0
    size = len(text)  # ends with a line end
    while place < size:
        at = 0
        start, end = place, place
        while True:
            if text[place] == QUOTE:
                start = place + 1
                place = _behind_quotes(text, place)
                end = place - 1
                place = _end_of_cell(text, place, delimiters)
            else:
                start = place
                place = _end_of_cell(text, place, delimiters)
                end = place
                if end > start and text[end - 1] == RETURN:
                    end -= 1
            if at == column or text[place] == NEW_LINE:
                break
            at += 1
            place += 1
        hashes[count] = _hash(text, start, end) if at == column and end > start else np.uint64(0)
        count += 1
        place = _end_of_line(text, place) + 1
    return count


@compiled
def _among(hashes: Array, table: Array, mask: int, found: Array) -> None:
    """For each hash, is it one of the table's?"""
    for number in range(len(hashes)):
        value = hashes[number]
        slot = value & np.uint64(mask)
        while table[slot] != 0:
            if table[slot] == value:
                found[number] = 1
                break
            slot = (slot + np.uint64(1)) & np.uint64(mask)


@compiled
def _behind_quotes(text: Array, place: int) -> int:
    """The place behind a cell in quotation marks that begins here (a doubled mark stands for one), or where its line ends."""
    place += 1
    while text[place] != NEW_LINE:
        if text[place] == QUOTE:
            if text[place + 1] != QUOTE:
                return place + 1
            place += 1
        place += 1
    return place


@compiled
def _number(text: Array, start: int, length: int) -> int:
    value = 0
    for place in range(start, start + length):
        digit = text[place] - 48
        if digit < 0 or digit > 9:
            return -1
        value = value * 10 + digit
    return value


@compiled
def _day(text: Array, start: int, end: int, form: Array) -> int:
    """Days since 1970-01-01, or NO_DATE if it is not written exactly in this form or does not exist."""
    if end - start != form[1]:
        return NO_DATE
    if form[5] >= 0 and (text[start + form[5]] != form[7] or text[start + form[6]] != form[7]):
        return NO_DATE
    year = _number(text, start + form[2], 4)
    month = _number(text, start + form[3], 2)
    day = _number(text, start + form[4], 2)
    if year < 1 or month < 1 or month > 12 or day < 1 or day > 31:
        return NO_DATE
    if day > 28:
        leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
        longest = 30 if month in (4, 6, 9, 11) else 31
        if month == 2:
            longest = 29 if leap else 28
        if day > longest:
            return NO_DATE
    # Howard Hinnant's days_from_civil: years from March, so that the leap day comes last.
    if month <= 2:
        year -= 1
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


@compiled
def _minor(text: Array, start: int, end: int, exponent: int) -> int:
    """A plain positive number in minor units; 0 if it is anything else."""
    whole = 0
    place = start
    while place < end and 48 <= text[place] <= 57:
        whole = whole * 10 + (text[place] - 48)
        place += 1
    digits = place - start
    if digits == 0 or digits > 9:
        return 0
    decimals = 0
    if place < end:
        if text[place] != 46 or place + 1 == end:
            return 0
        place += 1
        while place < end and 48 <= text[place] <= 57:
            if decimals < exponent:
                whole = whole * 10 + (text[place] - 48)
                decimals += 1
            elif text[place] != 48:
                return 0
            place += 1
        if place < end:
            return 0
    for _ in range(exponent - decimals):
        whole *= 10
    return whole


@compiled
def _plain(text: Array, start: int, end: int) -> bool:
    """A text without anything at its ends, or in it, that the general way would mend."""
    if end == start:
        return False
    if end - start > LONGEST or text[start] <= BLANK or text[end - 1] <= BLANK or text[start] >= 128 or text[end - 1] >= 128:
        return False
    if end - start > 1 and text[end - 1] == 48 and text[end - 2] == 46:
        return False
    return bool(text[start] != QUOTE)


@compiled
def _scan(  # noqa: C901, PLR0912, PLR0915 — machine code: one loop, no calls that would cost
    text: Array, delimiter: int, width: int, texts: Array, dates: Array, amount: int, currency: int, term: int, first_day: int, last_day: int,
    exponents: Array, default_code: int, repeated: Array, lines: Array, starts: Array, ends: Array, days: Array, minors: Array,
    codes: Array, terms: Array, numbers: Array, left: Array,
) -> tuple[int, int, int]:  # fmt: skip
    """Read every line of a block. Taken lines fill the columns from the front, the others are noted in `left`; how many of each, and of all."""
    size = len(text)
    place = 0
    line = 0
    taken = 0
    others = 0
    field_start = np.zeros(width + 1, dtype=np.int64)
    field_end = np.zeros(width + 1, dtype=np.int64)
    kinds = len(texts)
    delimiters = np.uint64(delimiter) * ONES
    while place < size:
        begin = place
        at = 0
        clean = True
        while True:
            if text[place] == QUOTE:
                start = place + 1
                place = _behind_quotes(text, place)
                stop = place - 1
                for inside in range(start, stop):
                    if text[inside] == QUOTE:
                        clean = False
                if text[place] == RETURN and text[place + 1] == NEW_LINE:
                    place += 1
                if text[place] != delimiter and text[place] != NEW_LINE:
                    clean = False
                    place = _end_of_cell(text, place, delimiters)
            else:
                start = place
                place = _end_of_cell(text, place, delimiters)
                stop = place
                if stop > start and text[place] == NEW_LINE and text[stop - 1] == RETURN:
                    stop -= 1
            if at < width:
                field_start[at] = start
                field_end[at] = stop
            if text[place] == NEW_LINE:
                break
            at += 1
            place += 1
        place += 1
        good = clean and at == width - 1 and repeated[line] == 0
        if good:
            # the document and its buyer must be there, other texts may be empty
            for kind in range(kinds):
                column = texts[kind]
                if column < 0:
                    continue
                start, stop = field_start[column], field_end[column]
                if not _plain(text, start, stop) and (kind < 2 or stop > start):
                    good = False
                    break
                starts[kind, taken] = start
                ends[kind, taken] = stop
        if good:
            code = default_code
            if currency >= 0:
                start = field_start[currency]
                code = -1
                if field_end[currency] - start == 3:
                    a, b, c = text[start] - 65, text[start + 1] - 65, text[start + 2] - 65
                    if 0 <= a < 26 and 0 <= b < 26 and 0 <= c < 26:
                        code = a * 676 + b * 26 + c
            if code < 0 or exponents[code] < 0:
                good = False
            else:
                codes[taken] = code
                minor = _minor(text, field_start[amount], field_end[amount], exponents[code])
                good = minor > 0
                minors[taken] = minor
        if good:
            for kind in range(3):
                column = dates[kind, 0]
                day = NO_DATE
                if column >= 0:
                    start, stop = field_start[column], field_end[column]
                    if kind < 2 or stop > start:
                        day = _day(text, start, stop, dates[kind])
                        if day < first_day or day > last_day:
                            good = False
                            break
                days[kind, taken] = day
        if good and term >= 0:
            start, stop = field_start[term], field_end[term]
            if stop == start:
                terms[taken] = -1
            elif stop - start > 4:
                good = False
            else:
                terms[taken] = _number(text, start, stop - start)
                good = terms[taken] >= 0
        if good:
            numbers[taken] = line
            taken += 1
        else:
            left[others, 0] = line
            left[others, 1] = begin
            left[others, 2] = place
            others += 1
        line += 1
    lines[0] = line
    return taken, others, line


@compiled
def _copy(text: Array, starts: Array, ends: Array, which: Array, prefix: Array, suffix: Array, offsets: Array, target: Array) -> int:
    """The texts one behind the other, each between a prefix and a suffix; the size of it all. With an empty target only measured."""
    at = 0
    measure = len(target) == 0
    for number in range(len(which)):
        row = which[number]
        start, end = starts[row], ends[row]
        if measure:
            at += end - start + len(prefix) + len(suffix)
        else:
            for sign in prefix:
                target[at] = sign
                at += 1
            for place in range(start, end):
                target[at] = text[place]
                at += 1
            for sign in suffix:
                target[at] = sign
                at += 1
            offsets[number + 1] = at
    return at


@compiled
def _dictionary(  # noqa: C901, PLR0912, PLR0915 — as above
    text: Array, starts: Array, ends: Array, count: int, codes: Array
) -> tuple[Array, Array, int]:
    """Number the different texts of a column in `codes` (-1 for an empty one); the texts one behind the other, where each begins, how many.

    Table and texts grow together and stay small, so that few texts are looked up in the processor's cache. A text of up to eight bytes is
    its own key; the key of a longer one is a hash whose lowest byte is 0, which no text begins with.
    """
    size = 1024
    table = np.full(size, -1, dtype=np.int32)
    keys = np.empty(size, dtype=np.uint64)
    words = np.empty(size * 8, dtype=np.uint8)
    offsets = np.zeros(size, dtype=np.int32)
    found = 0
    for row in range(count):
        start, end = starts[row], ends[row]
        length = end - start
        if length == 0:
            codes[row] = -1
            continue
        key = _letters(text, start, length) if length <= 8 else _mixed(text, start, end) << np.uint64(8)
        slot = _place_of(key, size)
        while True:
            known = table[slot]
            if known < 0:
                break
            if keys[slot] == key:
                if length <= 8:
                    break
                first = offsets[known]
                same = offsets[known + 1] - first == length
                step = 0
                while same and step < length:
                    same = text[start + step] == words[first + step]
                    step += 1
                if same:
                    break
            slot = (slot + 1) & (size - 1)
        if known >= 0:
            codes[row] = known
            continue
        table[slot] = found
        keys[slot] = key
        codes[row] = found
        first = offsets[found]
        if first + length > len(words):
            longer = np.empty(2 * len(words) + length, dtype=np.uint8)
            longer[:first] = words[:first]
            words = longer
        for step in range(length):
            words[first + step] = text[start + step]
        found += 1
        offsets[found] = first + length
        if 2 * found + 2 > size:
            wider = np.full(4 * size, -1, dtype=np.int32)
            wider_keys = np.empty(4 * size, dtype=np.uint64)
            for old in range(size):
                if table[old] >= 0:
                    slot = _place_of(keys[old], 4 * size)
                    while wider[slot] >= 0:
                        slot = (slot + 1) & (4 * size - 1)
                    wider[slot] = table[old]
                    wider_keys[slot] = keys[old]
            more = np.zeros(4 * size, dtype=np.int32)
            more[: found + 1] = offsets[: found + 1]
            table, keys, offsets, size = wider, wider_keys, more, 4 * size
    return words[: offsets[found]], offsets[: found + 1], found


@compiled
def _place_of(key: np.uint64, size: int) -> int:
    """Where a table of this size, a power of two, is searched for a key."""
    mixed = (key ^ (key >> np.uint64(32))) * MIXER
    return int(mixed >> np.uint64(32)) & (size - 1)


@compiled
def _count(text: Array) -> int:
    """Lines in a piece of text."""
    lines = 0
    for sign in text:
        lines += sign == NEW_LINE
    return lines


@dataclass(frozen=True)
class Taken:
    """What one block gave."""

    lines: int
    rows: int
    due_before_issue: int
    latest_issue: int
    latest_settle: int | None
    sums: dict[str, tuple[int, int]]
    buyers: Any


def load() -> None:
    """Run each piece of machine code once, on next to nothing, so that it is there when it is needed."""
    text = np.frombuffer(b"a\n", dtype=np.uint8)
    hashes = np.empty(_count(text), dtype=np.uint64)
    _identify(text, 44, 0, hashes)
    flags = np.zeros(1, dtype=np.uint8)
    _among(hashes, hashes, 0, flags)
    places, days = np.zeros((1, 1), dtype=np.int32), np.zeros((3, 1), dtype=np.int32)
    small, large = np.zeros(1, dtype=np.int32), np.zeros(1, dtype=np.int64)
    none, left = np.full((3, 8), -1, dtype=np.int64), np.zeros((1, 3), dtype=np.int64)
    exponents = np.zeros(26**3, dtype=np.int8)
    _scan(
        text, 44, 2, large, none, 0, 0, -1, 0, 0, exponents, 0, flags, np.zeros(1, dtype=np.int64), places, places, days, large, small, small, large, left
    )  # fmt: skip
    _copy(text, small, small, large, flags, flags, np.zeros(2, dtype=np.int32), np.zeros(8, dtype=np.uint8))
    _dictionary(text, small, small, 1, small)


def identify(text: Array, form: Form) -> Array:
    """Hashes of the document numbers of a block, one for each line."""
    hashes = np.empty(int(_count(text)), dtype=np.uint64)
    _identify(text, form.delimiter, int(form.texts[0]), hashes)
    return hashes


def _hash_table(values: Array) -> tuple[Array, int]:
    """A table in which machine code finds whether a value is among these, and the mask of its places."""
    size = 1024
    while size < 4 * len(values):
        size *= 2
    table = np.zeros(size if len(values) else 0, dtype=np.uint64)
    for value in values.tolist():
        slot = value & (size - 1)
        while table[slot]:
            slot = (slot + 1) & (size - 1)
        table[slot] = value
    return table, size - 1


def flag_repeated(hashes: Sequence[Array]) -> list[Array]:
    """For each line of each block: does its document number stand in the file more than once?"""
    together = np.concatenate([np.zeros(0, dtype=np.uint64), *hashes])
    together.sort()
    table, mask = _hash_table(np.unique(together[1:][(together[1:] == together[:-1]) & (together[1:] != 0)]))
    flags = [np.zeros(len(one), dtype=np.uint8) for one in hashes]
    if len(table):
        for one, found in zip(hashes, flags, strict=True):
            _among(one, table, mask, found)
    return flags


def take(block: Block, form: Form, draft: Draft, writers: Writers) -> tuple[Taken, list[tuple[int, bytes]]]:
    """Read a block, write what is beyond doubt, and give back the other lines with their numbers."""
    text = block.bytes
    most = len(block.repeated)
    kinds = len(form.texts)
    lines = np.zeros(1, dtype=np.int64)
    starts, ends = np.zeros((kinds, most), dtype=np.int32), np.zeros((kinds, most), dtype=np.int32)
    days = np.empty((3, most), dtype=np.int32)
    minors, codes = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int32)
    terms, numbers = np.empty(most, dtype=np.int32), np.empty(most, dtype=np.int64)
    left = np.empty((most, 3), dtype=np.int64)
    taken, others, count = _scan(
        text, form.delimiter, form.width, form.texts, form.dates, form.amount, form.currency, form.term, form.first_day, form.last_day,
        form.currency_exponents, form.default_code, block.repeated, lines, starts, ends, days, minors, codes, terms, numbers, left,
    )  # fmt: skip
    view = text.data
    rest = [(block.first_line + int(line), bytes(view[begin:end])) for line, begin, end in left[:others].tolist()]
    issue, due, settle = (days[kind, :taken] for kind in range(3))
    minors, codes = minors[:taken], codes[:taken]
    columns = _Columns(text, starts, ends, taken)
    used, place = np.unique(codes, return_inverse=True)
    names = [unpack(int(code)) for code in used]
    counts = np.bincount(place, minlength=len(used))
    sums = {name: (int(counts[number]), int(minors[place == number].sum())) for number, name in enumerate(names)}
    buyers = columns.coded(1)
    shared = {
        "buyer_id": buyers,
        "legal_entity": columns.coded(2) if form.texts[2] >= 0 else None,
        "currency": pa.DictionaryArray.from_arrays(place.astype(np.int32), pa.array(names, pa.string())),
    }
    invoice = {
        **shared,
        "invoice_id": columns.plain(0, np.arange(taken, dtype=np.int64)),
        "issue_date": pa.array(issue).view(pa.date32()),
        "due_date": pa.array(due).view(pa.date32()),
        "amount_minor": pa.array(minors),
        "order_number": columns.coded(3) if form.texts[3] >= 0 else None,
        "payment_terms_days": pa.array(terms[:taken], mask=terms[:taken] < 0) if form.term >= 0 else None,
        "source_row": pa.array(numbers[:taken] + block.first_line),
    }
    tables = [_table(INVOICE, invoice, taken, {"instalment": 1, "kind": "invoice", "issue_date_estimated": False}, draft, form)]
    settled = np.flatnonzero(settle != NO_DATE)
    if form.settles:
        which: Any = pa.array(settled)
        settlement = {
            **{name: column.take(which) if column is not None else None for name, column in shared.items()},
            "settlement_id": columns.plain(0, settled, "settled:", "/1"),
            "invoice_id": columns.plain(0, settled),
            "settle_date": pa.array(settle[settled]).view(pa.date32()),
            "amount_minor": pa.array(minors[settled]),
            "reference": columns.coded(4).take(which) if form.texts[4] >= 0 else None,
            "source_row": pa.array(numbers[:taken][settled] + block.first_line),
        }
        tables.append(_table(SETTLEMENT, settlement, len(settled), {"instalment": 1, "kind": "cash", "inferred": False}, draft, form))
    writers.write(tables)
    return (
        Taken(
            count, taken, int(np.count_nonzero(due < issue - 1)), int(issue.max()) if taken else 0, int(settle[settled].max()) if len(settled) else None,
            sums, buyers.dictionary,
        ),
        rest,
    )  # fmt: skip


class _Columns:
    """The text columns of a block's taken lines."""

    def __init__(self, text: Array, starts: Array, ends: Array, count: int) -> None:
        self._text, self._starts, self._ends, self._count = text, starts, ends, count

    def plain(self, kind: int, which: Array, prefix: str = "", suffix: str = "") -> Any:
        """A column of texts, each written out."""
        before, after = (np.array(list(part.encode()), dtype=np.uint8) for part in (prefix, suffix))
        offsets = np.zeros(len(which) + 1, dtype=np.int32)
        nothing = np.zeros(0, dtype=np.uint8)
        size = _copy(self._text, self._starts[kind], self._ends[kind], which, before, after, offsets, nothing)
        target = np.empty(size, dtype=np.uint8)
        if size:
            _copy(self._text, self._starts[kind], self._ends[kind], which, before, after, offsets, target)
        return _texts(offsets, target)

    def coded(self, kind: int) -> Any:
        """A column of texts that repeat, as numbers into the list of different ones."""
        codes = np.empty(self._count, dtype=np.int32)
        words, offsets, _found = _dictionary(self._text, self._starts[kind], self._ends[kind], self._count, codes)
        numbers: Any = pa.array(codes, mask=codes < 0)
        return pa.DictionaryArray.from_arrays(numbers, _texts(offsets, words))


def _texts(offsets: Any, signs: Any) -> Any:
    """An Arrow column over texts that lie one behind the other."""
    return pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(signs))


def _table(entry: Entry, columns: dict[str, Any], count: int, constants: dict[str, Any], draft: Draft, form: Form) -> pa.Table:
    """All columns of a table: those given, constants, and null."""
    constants = {**constants, "recorded_at": draft.recorded_at, "source": draft.batch_id, "voided": False}
    schema = written(entry, form)
    arrays: list[Any] = []
    for column in schema:
        given = columns.get(column.name)
        if given is not None:
            arrays.append(given)
        elif column.name not in constants:
            arrays.append(pa.nulls(count, column.type))
        elif pa.types.is_dictionary(column.type):
            arrays.append(pa.DictionaryArray.from_arrays(np.zeros(count, dtype=np.int32), pa.array([constants[column.name]], pa.string())))
        else:
            arrays.append(pa.repeat(pa.scalar(constants[column.name], type=column.type), count))
    return pa.Table.from_arrays(arrays, schema=schema)
