"""The straight way in: a large plain list of invoices is read in one fused pass, and only its doubtful lines take the long way.

Most lines of a large export are written like all the others. For those, machine code (`machine_code`) cuts the line, reads its dates and its
amount, and hands them on as finished columns. It takes a line only if there is no doubt about it whatsoever; every other line (another
way of writing, an empty cell, a number met twice, anything wrong) goes the general way, with its true line number, and is judged there.
So there is one set of rules, and what a line becomes does not depend on the size of its file; a test holds the two ways equal.
"""

from __future__ import annotations

import csv
import io
import math
import os
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from duecourse.intake.assemble import EARLIEST, YEARS_AHEAD, Source, years_after
from duecourse.intake.delimited import text_schema
from duecourse.intake.habits import AmountHabit, DateHabit
from duecourse.ledger.entries import INVOICE, SETTLEMENT, Entry
from duecourse.money import exponent
from duecourse.reference.currencies import CURRENCIES

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from duecourse.intake import Opened, Profile
    from duecourse.ledger.store import Draft

MINIMUM_BYTES: Final = 32 << 20
"""Below this the general way takes a second or two, and loading the machine code would not pay."""

BLOCK_BYTES: Final = 32 << 20
DOUBTFUL_SHARE: Final = 0.05
DOUBTFUL_LINES: Final = 20_000
"""If more lines than this are doubtful, the file is not written the way it seemed: the general way reads it all."""

NOT_TEXT: Final = (b"PK", b"\x1f\x8b", b"PAR1", b"\xd0\xcf")
"""How files begin that are no plain text: workbooks and archives, compressed ones, Parquet."""

TEXT_ROLES: Final = ("document_id", "buyer_id", "legal_entity", "order_number", "clearing_document")
DATE_ROLES: Final = ("issue", "due_date", "settle_date")
UNDERSTOOD: Final = frozenset(
    {*TEXT_ROLES, "issue_date", "posting_date", "due_date", "settle_date", "amount", "currency", "term_days", "reference"}
)
"""A file with any other column takes the general way."""

NEW_LINE: Final = 10
WRITTEN_ROWS: Final = 64 << 10
Piece = TypeVar("Piece")

ORIGIN: Final = date(1970, 1, 1)


@dataclass(frozen=True)
class Form:
    """How the cells are written that the fused pass takes: column numbers (-1: none), and for each date where its parts stand.

    dates  one row for each of issue, due and settlement date: column, length, place of year, month and day, places and sign of separators
    """

    delimiter: int
    width: int
    texts: np.ndarray[Any, Any]
    dates: np.ndarray[Any, Any]
    amount: int
    currency: int
    term: int
    first_day: int
    last_day: int
    currency_exponents: np.ndarray[Any, Any]
    default_code: int
    first_line: int

    @property
    def settles(self) -> bool:
        """Does the file tell when an invoice was paid?"""
        return bool(self.dates[2][0] >= 0)


@dataclass
class Straight:
    """What the fused pass took, and the lines it left."""

    opened: Opened
    rows: int = 0
    due_before_issue: int = 0
    latest_issue: date | None = None
    latest_settle: date | None = None
    sums: dict[str, tuple[int, int]] = field(default_factory=dict)
    buyers: list[pa.Array[Any]] = field(default_factory=list)
    invoice_files: list[Path] = field(default_factory=list)
    settlement_files: list[Path] = field(default_factory=list)
    rest: pa.Table | None = None

    def discard(self) -> None:
        """Take the files away again: the general way will read everything."""
        for path in (*self.invoice_files, *self.settlement_files):
            path.unlink(missing_ok=True)

    def adopt(self, draft: Draft) -> None:
        """Stage what was taken."""
        draft.adopt(INVOICE.name, *self.invoice_files)
        draft.adopt(SETTLEMENT.name, *self.settlement_files)


def get_ready(path: Path) -> None:
    """Load the machine code in a thread of its own, while the file is looked at, if it may be one for the straight way."""
    if not path.is_file() or path.stat().st_size < MINIMUM_BYTES:
        return
    with path.open("rb") as stream:
        if not stream.read(4).startswith(NOT_TEXT):
            threading.Thread(target=_load, name="duecourse-machine-code").start()


def _load() -> None:
    with suppress(Exception):  # whoever needs it will meet the same error, and tell it
        from duecourse.intake import scanning  # noqa: PLC0415 — machine code is loaded only for large files

        scanning.load()


def form_of(source: Source, *, currency: str, today: date) -> Form | None:
    """Is this a file for the straight way, and how is it written? None sends it the general way."""
    opened, profile = source.opened, source.profile
    if not opened.in_place or source.renumbered or opened.size_bytes < MINIMUM_BYTES or not opened.header_row:
        return None
    if profile.shape != "transactions" or profile.unit_factor != 1 or profile.grouped_by or not set(profile.mapping) <= UNDERSTOOD:
        return None
    if not all(profile.has(role) for role in ("document_id", "buyer_id", "due_date", "amount")):
        return None
    issue = "issue_date" if profile.has("issue_date") else "posting_date"
    if not profile.has(issue) or (profile.has("issue_date") and profile.has("posting_date")):
        return None
    amount = profile.mapping["amount"].habit
    if not isinstance(amount, AmountHabit) or not amount.plain or amount.decimal != ".":
        return None
    dates = [_date_form(profile, role) for role in (issue, "due_date", "settle_date")]
    if any(one is None for one in dates):
        return None
    default = currency or profile.currency or "XXX"
    last = years_after(profile.extract_date or today, YEARS_AHEAD)
    exponents = np.full(26**3, -1, dtype=np.int8)
    for code in CURRENCIES:
        exponents[pack(code)] = exponent(code)
    return Form(
        ord(opened.delimiter), opened.width, np.array([_place(profile, role) for role in TEXT_ROLES], dtype=np.int64),
        np.array(dates, dtype=np.int64), _place(profile, "amount"), _place(profile, "currency"), _place(profile, "term_days"),
        (EARLIEST - ORIGIN).days, (last - ORIGIN).days, exponents, pack(default), opened.header_row + 1,
    )  # fmt: skip


def pack(code: str) -> int:
    """A currency code as a number."""
    return (ord(code[0]) - 65) * 676 + (ord(code[1]) - 65) * 26 + ord(code[2]) - 65


def unpack(number: int) -> str:
    """The currency code of a number."""
    return chr(65 + number // 676) + chr(65 + number // 26 % 26) + chr(65 + number % 26)


def _place(profile: Profile, role: str) -> int:
    return profile.mapping[role].index if profile.has(role) else -1


def _date_form(profile: Profile, role: str) -> tuple[int, ...] | None:
    """Column, length, places of year, month, day, and of the two separators with their sign; column -1 if the file lacks the role."""
    if not profile.has(role):
        return (-1, 0, 0, 0, 0, 0, 0, 0)
    habit = profile.mapping[role].habit
    if not isinstance(habit, DateHabit):
        return None
    if not habit.form and (not habit.kinds or habit.kinds[0] != "iso"):
        return None
    form = habit.form if habit.form and not (habit.kinds and habit.kinds[0] == "iso") else "%Y-%m-%d"
    parts: dict[str, int] = {}
    separators: list[tuple[int, str]] = []
    at = place = 0
    while place < len(form):
        if form[place] == "%" and form[place + 1 : place + 2] in ("Y", "m", "d"):
            parts[form[place + 1]] = at
            at += 4 if form[place + 1] == "Y" else 2
            place += 2
        elif form[place] in "-/.":
            separators.append((at, form[place]))
            at, place = at + 1, place + 1
        else:
            return None
    if set(parts) != {"Y", "m", "d"} or len(separators) not in (0, 2) or len({sign for _, sign in separators}) > 1:
        return None
    (one, sign), (two, _) = separators or [(-1, "\0"), (-1, "\0")]
    return (profile.mapping[role].index, at, parts["Y"], parts["m"], parts["d"], one, two, ord(sign))


def take_straight(
    source: Source,
    form: Form,
    draft: Draft,
    *,
    threads: int,
    memory_rows: int = 120_000_000,
    progress: Callable[[float], None] | None = None,
) -> Straight | None:
    """Read the file, write what is beyond doubt as finished files of the ledger's tables, and collect the other lines.

    None if too many lines are doubtful, or the file has more lines than their numbers can be held in memory for.
    """
    from duecourse.intake import scanning  # noqa: PLC0415 — machine code is loaded only for large files

    path = source.opened.path
    tell = progress or (lambda _share: None)
    pieces = _pieces(path, form.first_line)
    found: list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = []
    lines = 0
    with closing(_in_threads(lambda one: scanning.identify(one, form), iter(pieces), threads)) as results:
        for _piece, hashes in results:
            found.append(hashes)
            lines += len(hashes[0])
            tell(0.3 * len(found) / len(pieces))
            if lines > memory_rows:
                return None
    with ThreadPoolExecutor(threads) as pool:
        repeated = scanning.repeated_of([ordered for _, ordered in found], pool)
    blocks: list[Block] = []
    line = form.first_line
    for piece, (hashes, _) in zip(pieces, found, strict=True):
        blocks.append(Block(piece, line, hashes))
        line += len(hashes)
    found.clear()
    result = Straight(source.opened)
    rest = Rest(form)
    seen = done = 0
    doubtful = False
    crew = _Crew(draft, form)
    try:
        # The threads must have stopped before their files are closed, however this ends.
        with closing(_in_threads(lambda block: scanning.take(block, form, repeated, draft, crew.mine()), iter(blocks), threads)) as results:
            for _block, (taken, left) in results:
                _add(result, taken)
                rest.add(left)
                seen += taken.lines
                done += 1
                tell(0.3 + 0.7 * done / len(blocks))
                doubtful = rest.lines > max(DOUBTFUL_SHARE * seen, DOUBTFUL_LINES)
                if doubtful:
                    break
    finally:
        crew.close()
    if doubtful:
        crew.discard()
        return None
    for one in crew.writers.values():
        result.invoice_files.append(one.paths[0])
        result.settlement_files += one.paths[1:]
    result.rest = rest.table()
    return result


class _Crew:
    """The files the threads write, each thread its own."""

    def __init__(self, draft: Draft, form: Form) -> None:
        self.writers: dict[int, Writers] = {}
        self._draft, self._form = draft, form
        self._lock = threading.Lock()

    def mine(self) -> Writers:
        """The files of the thread that asks."""
        with self._lock:
            me = threading.get_ident()
            if me not in self.writers:
                self.writers[me] = Writers(self._draft, len(self.writers), self._form)
            return self.writers[me]

    def close(self) -> None:
        """Finish the files."""
        for one in self.writers.values():
            one.close()

    def discard(self) -> None:
        """Take them away."""
        for one in self.writers.values():
            for path in one.paths:
                path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Block:
    """Some whole lines of the file, the number of the first, and the hash of each one's document number."""

    bytes: np.ndarray[Any, Any]
    first_line: int
    hashes: np.ndarray[Any, Any]


def _pieces(path: Path, first_line: int) -> list[np.ndarray[Any, Any]]:
    """The file from a line on in pieces that end with a line, where it lies: read when they are touched."""
    whole = np.memmap(path, dtype=np.uint8, mode="r")
    with path.open("rb") as stream:
        for _ in range(first_line - 1):
            stream.readline()
        begin = stream.tell()
        pieces: list[np.ndarray[Any, Any]] = []
        while begin < len(whole):
            stream.seek(min(begin + BLOCK_BYTES, len(whole)) - 1)
            stream.readline()
            end = stream.tell()
            piece = np.asarray(whole[begin:end])
            if piece[-1] != NEW_LINE:
                piece = np.append(piece, np.uint8(NEW_LINE))
                piece.flags.writeable = False
            pieces.append(piece)
            begin = end
    return pieces


def _in_threads(work: Callable[[Piece], Any], blocks: Iterator[Piece], threads: int) -> Generator[tuple[Piece, Any], None, None]:
    """Work on blocks in several threads; results in order, a block or two ahead at most. An error ends it all."""
    waiting: deque[tuple[Piece, Future[Any]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for block in blocks:
                waiting.append((block, pool.submit(work, block)))
                if len(waiting) > threads:
                    first, future = waiting.popleft()
                    yield first, future.result()
            while waiting:
                first, future = waiting.popleft()
                yield first, future.result()
        finally:
            for _block, future in waiting:
                future.cancel()


def _add(result: Straight, taken: Any) -> None:
    result.rows += taken.rows
    result.due_before_issue += taken.due_before_issue
    if taken.rows:
        issue = ORIGIN + timedelta(days=int(taken.latest_issue))
        result.latest_issue = max(result.latest_issue or issue, issue)
    if taken.latest_settle is not None:
        settle = ORIGIN + timedelta(days=int(taken.latest_settle))
        result.latest_settle = max(result.latest_settle or settle, settle)
    for code, (count, amount) in taken.sums.items():
        before = result.sums.get(code, (0, 0))
        result.sums[code] = (before[0] + count, before[1] + amount)
    result.buyers.append(taken.buyers)


class Rest:
    """The doubtful lines as rows of text, in the shape in which the general way reads a file."""

    def __init__(self, form: Form) -> None:
        self._delimiter = chr(form.delimiter)
        self._width = form.width
        self._parts: list[pa.Table] = []
        self.lines = 0

    def add(self, left: list[tuple[int, bytes]]) -> None:
        """Some more lines, each with its number."""
        self.lines += len(left)
        # All lines at once: one by one they would hold up the threads that read on.
        text = b"".join([line.rstrip(b"\r\n") + b"\n" for _, line in left]).decode("utf-8", "replace")
        records = list(csv.reader(io.StringIO(text, newline="\n"), delimiter=self._delimiter))
        if len(records) != len(left):  # a quotation mark that is never closed made one record of several lines
            records = [next(csv.reader([one], delimiter=self._delimiter), []) for one in text.split("\n")[:-1]]
        kept = [(number, cells) for (number, _), cells in zip(left, records, strict=True) if any(map(str.strip, cells))]
        padded = [cells + [""] * (self._width - len(cells)) for _, cells in kept]
        columns = [[cells[place] for cells in padded] for place in range(self._width)]
        arrays: list[Any] = [
            pa.array([number for number, _ in kept], pa.int64()),
            pa.array([len(cells) for _, cells in kept], pa.int32()),
            *(pa.array(one, pa.string()) for one in columns),
        ]
        self._parts.append(pa.Table.from_arrays(arrays, schema=text_schema(self._width)))

    def table(self) -> pa.Table:
        """All of them."""
        return pa.concat_tables([text_schema(self._width).empty_table(), *self._parts])


def rest_source(source: Source, relation: str) -> Source:
    """The same file as far as the general way is concerned, but for the lines already taken."""
    return replace(source, opened=replace(source.opened, relation=relation, in_place=False, _stream=None, folder=None))


class Writers:
    """The files one thread writes: invoices, and settlements if the file tells of any."""

    def __init__(self, draft: Draft, number: int, form: Form) -> None:
        entries = (INVOICE, SETTLEMENT) if form.settles else (INVOICE,)
        self.paths = [draft.folder(entry.name) / f"part-{draft.batch_id}-straight-{number:02d}.parquet" for entry in entries]
        self._writers = [_writer(written(entry, form), path) for entry, path in zip(entries, self.paths, strict=True)]
        self._rooms: dict[str, np.ndarray[Any, Any]] = {}

    def room(self, name: str, kind: type[np.generic], *shape: int) -> np.ndarray[Any, Any]:
        """A place to work in, kept from block to block: to get new memory from the system costs more than to fill it.

        What was in it before is still there, and what is in it now must be done with when the next block is begun.
        """
        size = math.prod(shape)
        have = self._rooms.get(name)
        if have is None or len(have) < size:
            have = self._rooms[name] = np.empty(size + size // 8, dtype=kind)
        return have[:size].reshape(shape)

    def write(self, tables: list[pa.Table]) -> None:
        """Append a block's rows."""
        for writer, table in zip(self._writers, tables, strict=True):
            if table.num_rows:
                writer.write_table(table, row_group_size=table.num_rows)

    def close(self) -> None:
        """Finish the files."""
        for writer in self._writers:
            writer.close()


UNIQUE: Final = ("invoice_id", "settlement_id")
REPEATED: Final = ("kind", "buyer_id", "currency", "source")
ALWAYS: Final = frozenset(
    (*UNIQUE, *REPEATED, "instalment", "issue_date", "issue_date_estimated", "due_date", "settle_date", "inferred", "amount_minor",
     "recorded_at", "source_row", "voided")
)  # fmt: skip
"""Columns in which a line that was taken has something: that none is null need not be written down for each."""


def written(entry: Entry, form: Form) -> pa.Schema:
    """The types in which a table's columns are written: texts by dictionary, unless each is met once or there are none."""
    given = {role for role, place in zip(TEXT_ROLES, form.texts.tolist(), strict=True) if place >= 0}
    given |= {"reference"} if "clearing_document" in given else set()
    coded = {*REPEATED, *given} - set(UNIQUE)
    text = pa.dictionary(pa.int32(), pa.string())
    return pa.schema([pa.field(one.name, text if one.name in coded else one.type, nullable=one.name not in ALWAYS) for one in entry.schema])


def _writer(schema: pa.Schema, path: Path) -> pq.ParquetWriter:
    """Dates and amounts go as differences, which costs less than looking each up; what is small by then is not compressed on top of it.

    The least and greatest text of a file in the order of an export help nobody, and cost as much as writing them.
    """
    encoded: Any = [one.name for one in schema if pa.types.is_dictionary(one.type)]
    counted = [one.name for one in schema if one.name not in (*UNIQUE, *encoded)]
    stepped = [one.name for one in schema if pa.types.is_date(one.type) or one.name in ("amount_minor", "payment_terms_days", "source_row")]
    packed: Any = {one.name: "none" if one.name in (*encoded, *stepped) else "zstd" for one in schema}
    levels = {name: 1 for name, kind in packed.items() if kind == "zstd"}
    return pq.ParquetWriter(
        path, schema, compression=packed, compression_level=levels, use_dictionary=encoded, write_statistics=counted, store_schema=False,
        column_encoding=dict.fromkeys(stepped, "DELTA_BINARY_PACKED"), write_batch_size=WRITTEN_ROWS,
    )  # fmt: skip


def processors() -> int:
    """How many threads may run at once."""
    return len(os.sched_getaffinity(0))
