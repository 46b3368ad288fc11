"""The straight way in: a large plain list of invoices is read in one fused pass, and only its doubtful lines take the long way.

Most lines of a large export are written like all the others. For those, machine code (`scanning`) cuts the line, reads its dates and its
amount, and hands them on as finished columns. It takes a line only if there is no doubt about it whatsoever; every other line (another
way of writing, an empty cell, a number met twice, anything wrong) goes the general way, with its true line number, and is judged there.
So there is one set of rules, and what a line becomes does not depend on the size of its file; a test holds the two ways equal.
"""

from __future__ import annotations

import csv
import os
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
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

TEXT_ROLES: Final = ("document_id", "buyer_id", "legal_entity", "order_number", "clearing_document")
DATE_ROLES: Final = ("issue", "due_date", "settle_date")
UNDERSTOOD: Final = frozenset(
    {*TEXT_ROLES, "issue_date", "posting_date", "due_date", "settle_date", "amount", "currency", "term_days", "reference"}
)
"""A file with any other column takes the general way."""

NEW_LINE: Final = 10
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


@dataclass
class Straight:
    """What the fused pass took, and the lines it left."""

    opened: Opened
    rows: int = 0
    due_before_issue: int = 0
    latest_issue: date | None = None
    latest_settle: date | None = None
    sums: dict[str, tuple[int, int]] = field(default_factory=dict)
    buyers: set[bytes] = field(default_factory=set)
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
    found: list[np.ndarray[Any, Any]] = []
    blocks: list[Block] = []
    line = form.first_line
    with closing(_in_threads(lambda one: scanning.identify(one, form), iter(pieces), threads)) as results:
        for piece, (hashes, lines) in results:
            found.append(hashes)
            blocks.append(Block(piece, line, lines))
            line += lines
            tell(0.3 * len(blocks) / len(pieces))
            if line > memory_rows:
                return None
    repeated = scanning.hash_table(_repeated(found))
    found.clear()
    result = Straight(source.opened)
    rest: list[tuple[int, bytes]] = []
    seen = done = 0
    doubtful = False
    crew = _Crew(draft, settles=bool(form.dates[2][0] >= 0))
    try:
        # The threads must have stopped before their files are closed, however this ends.
        with closing(_in_threads(lambda block: scanning.take(block, form, repeated, draft, crew.mine()), iter(blocks), threads)) as results:
            for _block, (taken, left) in results:
                _add(result, taken)
                rest += left
                seen += taken.lines
                done += 1
                tell(0.3 + 0.7 * done / len(blocks))
                doubtful = len(rest) > max(DOUBTFUL_SHARE * seen, DOUBTFUL_LINES)
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
    result.rest = rest_table(rest, form)
    return result


class _Crew:
    """The files the threads write, each thread its own."""

    def __init__(self, draft: Draft, *, settles: bool) -> None:
        self.writers: dict[int, Writers] = {}
        self._draft, self._settles = draft, settles
        self._lock = threading.Lock()

    def mine(self) -> Writers:
        """The files of the thread that asks."""
        with self._lock:
            me = threading.get_ident()
            if me not in self.writers:
                self.writers[me] = Writers(self._draft, len(self.writers), settles=self._settles)
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
    """Some whole lines of the file, the number of the first, and how many they are."""

    bytes: np.ndarray[Any, Any]
    first_line: int
    lines: int


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


def _repeated(hashes: list[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    """The document numbers (their hashes) that stand in the file more than once."""
    together = np.concatenate(hashes) if hashes else np.zeros(0, dtype=np.uint64)
    together.sort()
    return np.unique(together[1:][together[1:] == together[:-1]])


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
    result.buyers |= taken.buyers


def rest_table(rest: list[tuple[int, bytes]], form: Form) -> pa.Table:
    """The doubtful lines as rows of text, in the shape in which the general way reads a file."""
    delimiter = chr(form.delimiter)
    numbers: list[int] = []
    records: list[list[str]] = []
    for number, line in sorted(rest):
        cells = next(csv.reader([line.decode("utf-8", "replace").rstrip("\r\n")], delimiter=delimiter), [])
        if any(cell.strip() for cell in cells):
            numbers.append(number)
            records.append(cells)
    schema = text_schema(form.width)
    columns = [[cells[place] if place < len(cells) else "" for cells in records] for place in range(form.width)]
    arrays: list[Any] = [
        pa.array(numbers, pa.int64()),
        pa.array([len(cells) for cells in records], pa.int32()),
        *(pa.array(one, pa.string()) for one in columns),
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def rest_source(source: Source, relation: str) -> Source:
    """The same file as far as the general way is concerned, but for the lines already taken."""
    return replace(source, opened=replace(source.opened, relation=relation, in_place=False, _stream=None, folder=None))


class Writers:
    """The files one thread writes: invoices, and settlements if the file tells of any."""

    def __init__(self, draft: Draft, number: int, *, settles: bool) -> None:
        entries = (INVOICE, SETTLEMENT) if settles else (INVOICE,)
        self.paths = [draft.folder(entry.name) / f"part-{draft.batch_id}-straight-{number:02d}.parquet" for entry in entries]
        self._writers = [_writer(entry, path) for entry, path in zip(entries, self.paths, strict=True)]

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


def _writer(entry: Entry, path: Path) -> pq.ParquetWriter:
    """Texts that repeat go by dictionary; document numbers do not repeat, line numbers only rise."""
    schema = pa.schema([pa.field(one.name, dictionary_of(one)) for one in entry.schema])
    encoded: Any = [one.name for one in schema if pa.types.is_dictionary(one.type) or pa.types.is_date(one.type)]
    # The least and greatest number of a file in the order of an export help nobody, and cost as much as writing them.
    counted = [one.name for one in entry.schema if one.name not in (*UNIQUE, "buyer_id")]
    return pq.ParquetWriter(
        path, schema, compression="zstd", compression_level=1, use_dictionary=encoded, write_statistics=counted, store_schema=False,
        column_encoding={"source_row": "DELTA_BINARY_PACKED"},
    )  # fmt: skip


def dictionary_of(column: pa.Field[Any]) -> pa.DataType:
    """The type in which a column is written: texts by dictionary unless each is met once."""
    if pa.types.is_string(column.type) and column.name not in UNIQUE:
        return pa.dictionary(pa.int32(), pa.string())
    kind: pa.DataType = column.type
    return kind


def processors() -> int:
    """How many threads may run at once."""
    return len(os.sched_getaffinity(0))
