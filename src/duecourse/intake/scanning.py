"""The columns of the straight way: what machine code finds beyond doubt in a block of lines becomes rows of the ledger's tables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from duecourse.intake.machine_code import (
    FIRST_YEAR,
    NO_DATE,
    Array,
    copy_texts,
    count_lines,
    hash_documents,
    number_texts,
    read_lines,
)  # fmt: skip
from duecourse.intake.straight import Block, Form, unpack, written
from duecourse.ledger.entries import INVOICE, SETTLEMENT, Entry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import ThreadPoolExecutor

    from duecourse.intake.straight import Writers
    from duecourse.ledger.store import Draft

STRETCH_HASHES: Final = 1 << 15
"""So many hashes are sorted at once to find those that stand in a file twice: they fit into the processor's cache."""


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
    hashes = np.empty(count_lines(text), dtype=np.uint64)
    hash_documents(text, 44, 0, hashes)
    texts, places, days = np.zeros(1, dtype=np.int64), np.zeros((1, 1), dtype=np.int32), np.zeros((3, 1), dtype=np.int32)
    small, large, bytes_ = np.zeros(2, dtype=np.int32), np.zeros(3, dtype=np.int64), np.zeros(8, dtype=np.uint8)
    none, two, exponents = np.full((3, 8), -1, dtype=np.int64), np.zeros((1, 3), dtype=np.int64), np.zeros(26**3, dtype=np.int8)
    read_lines(
        text, 44, 2, texts, none, 0, 0, -1, 0, 0, small, exponents, 0, hashes, np.zeros(1024, dtype=np.uint64), 1023, 1,
        places, places, days, large, small, small, large, two, small, two, large,
    )  # fmt: skip
    copy_texts(text, small, small, texts, bytes_, bytes_, small, bytes_)
    number_texts(text, small, small, 1, small)


def identify(text: Array, form: Form) -> tuple[Array, Array]:
    """Hashes of the document numbers of a block, one for each line; and the same in their order."""
    hashes = np.empty(int(count_lines(text)), dtype=np.uint64)
    hash_documents(text, form.delimiter, int(form.texts[0]), hashes)
    return hashes, np.sort(hashes)


Repeated = tuple[Array, int]
"""A table in which machine code finds whether a hash is among some, and the mask of its places."""


def repeated_of(blocks: Sequence[Array], pool: ThreadPoolExecutor) -> Repeated:
    """The document numbers (their hashes, in order in each block) that stand in the file more than once, 0 left aside.

    Equal ones lie in the same stretch of all possible hashes. The stretches are small enough for the processor's cache.
    """
    stretches = 1 + sum(map(len, blocks)) // STRETCH_HASHES
    bounds = np.array([number * 2**64 // stretches for number in range(1, stretches)], dtype=np.uint64)
    cuts = [[0, *np.searchsorted(one, bounds).tolist(), len(one)] for one in blocks]

    def look(number: int) -> Array:
        parts = [one[cut[number] : cut[number + 1]] for one, cut in zip(blocks, cuts, strict=True)]
        together = np.concatenate([np.zeros(0, dtype=np.uint64), *parts])
        together.sort()
        twice: Array = together[1:][(together[1:] == together[:-1]) & (together[1:] != 0)]
        return twice

    return _hash_table(np.unique(np.concatenate([np.zeros(0, dtype=np.uint64), *pool.map(look, range(stretches))])))


def _hash_table(values: Array) -> Repeated:
    size = 1024
    while size < 4 * len(values):
        size *= 2
    table = np.zeros(size, dtype=np.uint64)
    for value in values.tolist():
        slot = value & (size - 1)
        while table[slot]:
            slot = (slot + 1) & (size - 1)
        table[slot] = value
    return table, size - 1


@cache
def _months(last_day: int) -> Array:
    """The days (since 1970-01-01) on which the months begin that a plausible date may lie in, and the month after them."""
    last = np.datetime64(last_day, "D").astype("datetime64[M]")
    months: Array = np.arange(f"{FIRST_YEAR}-01", last + 2, dtype="datetime64[M]").astype("datetime64[D]").astype(np.int32)
    return months


def take(block: Block, form: Form, repeated: Repeated, draft: Draft, writers: Writers) -> tuple[Taken, list[tuple[int, bytes]]]:
    """Read a block, write what is beyond doubt, and give back the other lines with their numbers."""
    text, room = block.bytes, writers.room
    most, kinds = len(block.hashes), len(form.texts)
    starts, ends = room("starts", np.int32, kinds, most), room("ends", np.int32, kinds, most)
    days, minors, codes = room("days", np.int32, 3, most), room("minors", np.int64, most), room("codes", np.int32, most)
    terms, numbers, left = room("terms", np.int32, most), room("numbers", np.int64, most), room("left", np.int64, most, 3)
    currencies = np.empty(len(form.currency_exponents) + 1, dtype=np.int32)
    sums, told = np.zeros((len(currencies), 2), dtype=np.int64), np.array([0, NO_DATE, NO_DATE], dtype=np.int64)
    taken, others = read_lines(
        text, form.delimiter, form.width, form.texts, form.dates, form.amount, form.currency, form.term, form.first_day, form.last_day,
        _months(form.last_day), form.currency_exponents, form.default_code, block.hashes, *repeated, block.first_line,
        starts, ends, days, minors, codes, terms, numbers, left, currencies, sums, told,
    )  # fmt: skip
    view = text.data
    rest = [(line, bytes(view[begin:end])) for line, begin, end in left[:others].tolist()]
    issue, due, settle = (days[kind, :taken] for kind in range(3))
    minors, numbers, terms = minors[:taken], numbers[:taken], terms[:taken]
    columns = _Columns(text, starts, ends, taken)
    names = [unpack(int(code)) for code in currencies[: int(np.argmin(currencies >= 0))]]
    buyers = columns.coded(1)
    shared = {
        "buyer_id": buyers,
        "legal_entity": columns.coded(2) if form.texts[2] >= 0 else None,
        "currency": pa.DictionaryArray.from_arrays(codes[:taken], pa.array(names, pa.string())),
    }
    invoice = {
        **shared,
        "invoice_id": columns.plain(0, np.arange(taken, dtype=np.int64)),
        "issue_date": pa.array(issue).view(pa.date32()),
        "due_date": pa.array(due).view(pa.date32()),
        "amount_minor": pa.array(minors),
        "order_number": columns.coded(3) if form.texts[3] >= 0 else None,
        "payment_terms_days": pa.array(terms, mask=terms < 0) if form.term >= 0 else None,
        "source_row": pa.array(numbers),
    }
    tables = [_table(INVOICE, invoice, taken, {"instalment": 1, "kind": "invoice", "issue_date_estimated": False}, draft, form)]
    if form.settles:
        settled = np.flatnonzero(settle != NO_DATE)
        which: Any = pa.array(settled)
        settlement = {
            **{name: column.take(which) if column is not None else None for name, column in shared.items()},
            "settlement_id": columns.plain(0, settled, "settled:", "/1"),
            "invoice_id": columns.plain(0, settled),
            "settle_date": pa.array(settle[settled]).view(pa.date32()),
            "amount_minor": pa.array(minors[settled]),
            "reference": columns.coded(4).take(which) if form.texts[4] >= 0 else None,
            "source_row": pa.array(numbers[settled]),
        }
        tables.append(_table(SETTLEMENT, settlement, len(settled), {"instalment": 1, "kind": "cash", "inferred": False}, draft, form))
    writers.write(tables)
    before, latest_issue, latest_settle = told.tolist()
    return (
        Taken(
            most, taken, before, latest_issue, latest_settle if latest_settle != NO_DATE else None,
            {name: (int(sums[place, 0]), int(sums[place, 1])) for place, name in enumerate(names)}, buyers.dictionary,
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
        size = copy_texts(self._text, self._starts[kind], self._ends[kind], which, before, after, offsets, nothing)
        target = np.empty(size + 8, dtype=np.uint8)
        copy_texts(self._text, self._starts[kind], self._ends[kind], which, before, after, offsets, target)
        return _texts(offsets, target[:size])

    def coded(self, kind: int) -> Any:
        """A column of texts that repeat, as numbers into the list of different ones."""
        codes = np.empty(self._count, dtype=np.int32)
        words, offsets, _found = number_texts(self._text, self._starts[kind], self._ends[kind], self._count, codes)
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
