"""Machine code for the straight way: cut lines, read dates and amounts, number and copy texts. `scanning` makes columns of what it finds.

A line is taken only if it has the right number of fields; its document and buyer are there and bear no blanks at their ends; its dates are
written exactly in the file's form, exist, and are plausible; and its amount is a plain positive number with no more decimals than its
currency has. All else is left to the general way.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from duecourse.intake.assemble import EARLIEST

NEW_LINE: Final = 10
RETURN: Final = 13
BLANK: Final = 32
QUOTE: Final = 34
NO_DATE: Final = -(2**31)
LONGEST: Final = 200
"""A document or buyer number longer than this is looked at more closely."""

Function = TypeVar("Function", bound=Callable[..., Any])
Array = np.ndarray[Any, Any]


def compiled(function: Function, *, inside: bool = False) -> Function:
    """Machine code that runs without the interpreter's lock, kept on disk where a folder for it can be written.

    inside  used by other machine code only, which gets it built in: a call would cost more than what it does
    """
    try:
        machine: Function = numba.njit(function, nogil=True, cache=True, forceinline=inside)
    except RuntimeError:  # neither the package's folder nor a cache folder of the user's can be written: compile in each process
        machine = numba.njit(function, nogil=True, forceinline=inside)
    return machine


built_in = partial(compiled, inside=True)


def _load_word(_context: Any, text: Any, place: Any) -> Any:
    """Eight bytes of a text at once, the first one lowest. The caller sees to it that they all lie inside the text."""
    del place

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        first = builder.gep(builder.bitcast(array.data, ir.IntType(8).as_pointer()), [arguments[1]])
        return builder.load(builder.bitcast(first, ir.IntType(64).as_pointer()), align=1)

    return types.uint64(text, types.int64), generate


def _store_word(_context: Any, text: Any, place: Any, word: Any) -> Any:
    """Write eight bytes at once. The caller sees to it that there is room for them all."""
    del place, word

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        first = builder.gep(builder.bitcast(array.data, ir.IntType(8).as_pointer()), [arguments[1]])
        builder.store(arguments[2], builder.bitcast(first, ir.IntType(64).as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(text, types.int64, types.uint64), generate


def _count_to_mark(_context: Any, marks: Any) -> Any:
    """Which byte of a word, counted from the lowest, is the first that has a mark?"""
    del marks

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.lshr(builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0)), ir.Constant(ir.IntType(64), 3))

    return types.int64(types.uint64), generate


_word: Final[Any] = intrinsic(_load_word)
_put_word: Final[Any] = intrinsic(_store_word)
_first_byte: Final[Any] = intrinsic(_count_to_mark)

ONES: Final = np.uint64(0x0101010101010101)
HIGHS: Final = np.uint64(0x8080808080808080)
ZEROS: Final = np.uint64(0x3030303030303030)
SIXES: Final = np.uint64(0x4646464646464646)
"""Added to a byte above `9`, this sets its highest bit."""
FIRST_YEAR: Final = EARLIEST.year
MIXER: Final = np.uint64(0x9E3779B97F4A7C15)


@built_in
def _marks(word: np.uint64, signs: np.uint64) -> np.uint64:
    """A mark in the first byte of a word that equals the sign (given eight times), and none in those before it."""
    other = word ^ signs
    return (other - ONES) & ~other & HIGHS


@built_in
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


@built_in
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


@built_in
def _letters(text: Array, start: int, count: int) -> np.uint64:
    """Up to eight bytes of a text as one number."""
    if start + 8 <= len(text):
        whole: np.uint64 = _word(text, start)
        return whole if count == 8 else whole & ((np.uint64(1) << np.uint64(8 * count)) - np.uint64(1))
    letters = np.uint64(0)
    for place in range(count):
        letters |= np.uint64(text[start + place]) << np.uint64(8 * place)
    return letters


@built_in
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


@built_in
def _quoted_within(text: Array, start: int, end: int) -> bool:
    """Does a text have a quotation mark?"""
    while start < end:
        if _marks(_letters(text, start, min(8, end - start)), np.uint64(QUOTE) * ONES) != 0:
            return True
        start += 8
    return False


@built_in
def _hash(text: Array, start: int, end: int) -> np.uint64:
    """Of the document number without blanks at its ends and without a decimal `.0`, so that numbers that mean the same hash the same; never 0.

    A quotation mark inside may be written twice: it does not count.
    """
    while start < end and text[start] == BLANK:
        start += 1
    while end > start and text[end - 1] == BLANK:
        end -= 1
    if end - start > 2 and text[end - 1] == 48 and text[end - 2] == 46:
        end -= 2
    if _quoted_within(text, start, end):
        value = MIXER
        for place in range(start, end):
            if text[place] != QUOTE:
                value = (value ^ np.uint64(text[place])) * MIXER
        return value | np.uint64(1)
    return _mixed(text, start, end) | np.uint64(1)


@compiled
def hash_documents(text: Array, delimiter: int, column: int, hashes: Array) -> int:
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


@built_in
def _among(value: np.uint64, table: Array, mask: int) -> bool:
    """Is a hash one of the table's?"""
    slot = value & np.uint64(mask)
    while table[slot] != 0:
        if table[slot] == value:
            return True
        slot = (slot + np.uint64(1)) & np.uint64(mask)
    return False


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


@built_in
def _number(text: Array, start: int, length: int) -> int:
    value = 0
    for place in range(start, start + length):
        digit = text[place] - 48
        if digit < 0 or digit > 9:
            return -1
        value = value * 10 + digit
    return value


@built_in
def day_of(text: Array, start: int, end: int, form: Array, months: Array) -> int:
    """Days since 1970-01-01, or NO_DATE if it is not written exactly in this form, does not exist, or lies outside the table of months."""
    if end - start != form[1]:
        return NO_DATE
    if form[5] >= 0 and (text[start + form[5]] != form[7] or text[start + form[6]] != form[7]):
        return NO_DATE
    figures = _letters(text, start + form[2], 4)
    figures |= (_letters(text, start + form[3], 2) << np.uint64(32)) | (_letters(text, start + form[4], 2) << np.uint64(48))
    if ((figures + SIXES) | (figures - ZEROS)) & HIGHS != 0:
        return NO_DATE  # one of the eight is no figure
    # Each pair of figures becomes one number: century, year of it, month, day.
    figures -= ZEROS
    figures = (figures * np.uint64(10) + (figures >> np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
    year = int(figures & np.uint64(255)) * 100 + int((figures >> np.uint64(16)) & np.uint64(255))
    month = int((figures >> np.uint64(32)) & np.uint64(255))
    day = int(figures >> np.uint64(48))
    if month < 1 or month > 12 or day < 1:
        return NO_DATE
    place = (year - FIRST_YEAR) * 12 + month - 1
    if place < 0 or place + 1 >= len(months):
        return NO_DATE
    found = months[place] + day - 1
    return found if found < months[place + 1] else NO_DATE


@built_in
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


@built_in
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
def read_lines(  # noqa: C901, PLR0912, PLR0915 — machine code: one loop, no calls that would cost
    text: Array, delimiter: int, width: int, texts: Array, dates: Array, amount: int, currency: int, term: int, first_day: int, last_day: int,
    months: Array, exponents: Array, default_code: int, hashes: Array, repeated: Array, mask: int, first_line: int, starts: Array, ends: Array,
    days: Array, minors: Array, codes: Array, terms: Array, numbers: Array, left: Array, currencies: Array, sums: Array, told: Array,
) -> tuple[int, int]:  # fmt: skip
    """Read every line of a block. Taken lines fill the columns from the front, the others are noted in `left`; how many of each.

    codes, currencies, sums  the currency of each line as its place in the list of those met: code, lines, and minor units of each
    told                     how many are due before they were issued, the latest date of issue, and of settlement
    """
    size = len(text)
    place = 0
    line = 0
    met = 0
    places = np.full(len(exponents), -1, dtype=np.int32)
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
        good = clean and at == width - 1 and not _among(hashes[line], repeated, mask)
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
                        day = day_of(text, start, stop, dates[kind], months)
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
            if places[code] < 0:
                places[code] = met
                currencies[met] = code
                met += 1
            codes[taken] = places[code]
            sums[places[code], 0] += 1
            sums[places[code], 1] += minors[taken]
            told[0] += days[1, taken] < days[0, taken] - 1
            told[1] = max(told[1], days[0, taken])
            told[2] = max(told[2], days[2, taken])
            numbers[taken] = first_line + line
            taken += 1
        else:
            left[others, 0] = first_line + line
            left[others, 1] = begin
            left[others, 2] = place
            others += 1
        line += 1
    currencies[met] = -1
    return taken, others


@compiled
def copy_texts(text: Array, starts: Array, ends: Array, which: Array, prefix: Array, suffix: Array, offsets: Array, target: Array) -> int:
    """The texts one behind the other, each between a prefix and a suffix; the size of it all. With an empty target only measured.

    The target has eight bytes to spare: texts are copied eight bytes at a time, and what is too much is written over by the next.
    """
    at = 0
    if len(target) == 0:
        for number in range(len(which)):
            at += ends[which[number]] - starts[which[number]]
        return at + len(which) * (len(prefix) + len(suffix))
    for number in range(len(which)):
        row = which[number]
        start, end = starts[row], ends[row]
        for sign in prefix:
            target[at] = sign
            at += 1
        if end + 8 <= len(text):
            for step in range(0, end - start, 8):
                _put_word(target, at + step, _word(text, start + step))
            at += end - start
        else:
            for place in range(start, end):
                target[at] = text[place]
                at += 1
        for sign in suffix:
            target[at] = sign
            at += 1
        offsets[number + 1] = at
    return at


@compiled
def number_texts(  # noqa: C901, PLR0912, PLR0915 — as above
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


@built_in
def _place_of(key: np.uint64, size: int) -> int:
    """Where a table of this size, a power of two, is searched for a key."""
    mixed = (key ^ (key >> np.uint64(32))) * MIXER
    return int(mixed >> np.uint64(32)) & (size - 1)


@compiled
def count_lines(text: Array) -> int:
    """Lines in a piece of text."""
    lines = 0
    for sign in text:
        lines += sign == NEW_LINE
    return lines
