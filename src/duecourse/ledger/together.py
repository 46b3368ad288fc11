"""Several small batches as one commit: a commit costs as much for one row as for ten thousand, and only one writer can be at it.

Each batch keeps its own journal row, its own name in `source` and its own counts, and can be withdrawn alone; the rows of all of them
become visible at one moment.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from duecourse.ledger.book import current_rows, named_table
from duecourse.ledger.engine import ParquetFiles
from duecourse.ledger.entries import ENTRIES, Entry
from duecourse.ledger.journal import JournalRow
from duecourse.ledger.storage import faults_named
from duecourse.ledger.store import WAIT_SECONDS, BatchResult, meeting, verdicts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import ibis.expr.types as ir

    from duecourse.ledger.engine import Rows
    from duecourse.ledger.store import Ledger

LARGE: Final = 5_000
"""From so many rows on a batch is committed alone: looking for facts it shares with others would cost more than is won."""

MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True)
class Post:
    """A batch ready to be written.

    batch_id  its name, chosen by the caller: a name the journal knows already is not written again
    rows      by table, any of its fact columns, `source_row`, and `voided` for rows that withdraw a fact; no key twice
    facts     what the journal is to keep about it
    """

    batch_id: str
    rows: Mapping[str, pa.Table]
    note: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many rows, of all tables."""
        return sum(table.num_rows for table in self.rows.values())


def commit_together(ledger: Ledger, posts: Sequence[Post], *, wait_seconds: float = WAIT_SECONDS) -> list[BatchResult]:
    """Make batches part of the ledger, in this order, in as few commits as there can be. 合并提交

    Batches that speak of the same fact follow one another, so that the later corrects the earlier. A batch whose name is in the journal
    was written before: its result is told again. On an error the batches of the commit that failed, and those after it, are not in the
    ledger.
    """
    found: dict[str, BatchResult] = {}
    with ledger.storage.writing(wait_seconds):
        ledger._settle()  # noqa: SLF001 — this is a writing half of the ledger, as a draft is
        for group in _groups(posts):
            known = {row.batch_id: row for row in ledger.state.rows if row.kind == "post"}
            found |= {post.batch_id: result_of(known[post.batch_id]) for post in group if post.batch_id in known}
            fresh = [post for post in group if post.batch_id not in known]
            if fresh:
                found |= {result.batch_id: result for result in _commit(ledger, fresh)}
    return [found[post.batch_id] for post in posts]


def result_of(row: JournalRow) -> BatchResult:
    """What a batch did, as the journal remembers it."""
    added, corrected, unchanged = (
        {name: counts[kind] for name, counts in row.counts.items()} for kind in ("added", "corrected", "unchanged")
    )
    return BatchResult(row.batch_id, row.version, added, corrected, unchanged)


def _groups(posts: Sequence[Post]) -> Iterator[list[Post]]:
    """The batches in order, split where one speaks of a fact that an earlier one of its group speaks of."""
    group: list[Post] = []
    names: set[str] = set()
    keys: set[tuple[Any, ...]] = set()
    for post in posts:
        large = post.count > LARGE
        own = set() if large else _keys(post)
        if group and (large or post.batch_id in names or not own.isdisjoint(keys)):
            yield group
            group, names, keys = [], set(), set()
        group.append(post)
        names.add(post.batch_id)
        keys |= own
        if large:
            yield group
            group, names, keys = [], set(), set()
    if group:
        yield group


def _keys(post: Post) -> set[tuple[Any, ...]]:
    found: set[tuple[Any, ...]] = set()
    for name, table in post.rows.items():
        columns = [table[column].to_pylist() for column in ENTRIES[name].key]
        found.update((name, *key) for key in zip(*columns, strict=True))
    return found


def _commit(ledger: Ledger, posts: Sequence[Post]) -> list[BatchResult]:
    first = max(datetime.now(UTC), ledger.state.last.recorded_at + MICROSECOND)
    moments = {post.batch_id: first + number * MICROSECOND for number, post in enumerate(posts)}
    tables = dict(ledger.state.last.tables)
    counted: dict[str, dict[str, Counter[str]]] = {post.batch_id: {} for post in posts}
    for entry in ENTRIES.values():
        parts = [_stamped(entry, post, moments[post.batch_id]) for post in posts if post.rows.get(entry.name) is not None]
        if not parts:
            continue
        judged = _judged(ledger, entry, pa.concat_tables(parts))
        for row in judged.group_by(["source", "verdict"]).aggregate([([], "count_all")]).to_pylist():
            counted[row["source"]].setdefault(entry.name, Counter())[row["verdict"]] += row["count_all"]
        kept = judged.filter(pc.not_equal(judged["verdict"], pa.scalar("known"))).drop_columns(["verdict"])
        if kept.num_rows:
            tables[entry.name] = _append(ledger, entry, kept, posts[0].batch_id)
    last = ledger.version + len(posts)
    rows = []
    for number, post in enumerate(posts, start=1):
        counts = {
            name: {"added": found["new"], "corrected": found["correction"], "unchanged": found["known"]}
            for name, found in sorted(counted[post.batch_id].items())
        }
        version = ledger.version + number
        facts = {**post.facts, **({"together_until": last} if version != last else {})}
        rows.append(
            JournalRow(version, post.batch_id, "post", moments[post.batch_id], note=post.note, counts=counts, facts=facts, tables=tables)
        )
    ledger._write_rows(rows)  # noqa: SLF001
    return [result_of(row) for row in rows]


def _stamped(entry: Entry, post: Post, moment: datetime) -> pa.Table:
    """A batch's rows with every column of their table."""
    rows = post.rows[entry.name]
    unknown = set(rows.schema.names) - set(entry.schema.names)
    if unknown:
        raise ValueError(f"{entry.name} has no column {', '.join(sorted(unknown))}")
    constants = {"recorded_at": moment, "source": post.batch_id, "supersedes": None, "voided": False}
    columns: list[Any] = []
    for column in entry.schema:
        if column.name in rows.schema.names and column.name not in ("recorded_at", "source", "supersedes"):
            values = rows[column.name].cast(column.type)
            if column.name in entry.key and values.null_count:
                raise ValueError(f"{entry.name}.{column.name} is part of the key and is null in {values.null_count} rows")
            columns.append(values)
        else:
            columns.append(pa.repeat(pa.scalar(constants.get(column.name), type=column.type), rows.num_rows))
    return pa.table(columns, schema=entry.schema)


def _judged(ledger: Ledger, entry: Entry, incoming: pa.Table) -> pa.Table:
    """The rows with what each is against the ledger, in `verdict`: new, a correction, or known already."""
    rows, corrected = ledger.rows_of(entry)
    empty = rows.num_rows == 0 if isinstance(rows, pa.Table) else isinstance(rows, ParquetFiles) and not rows.paths
    staged: dict[str, Rows] = {entry.name: rows, "incoming": incoming}
    known, judged = _questions(entry, tuple(sorted(ledger.state.withdrawn.items())), corrected=corrected)
    withdrawing = pc.any(incoming["voided"]).as_py()
    if not withdrawing and (empty or not ledger.engine.run(known, staged)["n"][0].as_py()):
        return incoming.append_column("verdict", pa.repeat(pa.scalar("new"), incoming.num_rows))
    return ledger.engine.run(judged, staged)


@lru_cache(maxsize=64)
def _questions(entry: Entry, withdrawn: tuple[tuple[str, datetime], ...], *, corrected: bool) -> tuple[ir.Table, ir.Table]:
    """How many incoming rows speak of known facts, and what each is against them: drawn up once, asked at every commit."""
    existing = current_rows(entry, dict(withdrawn), corrected=corrected, keep_voided=True)
    incoming = named_table(entry, "incoming")
    return meeting(entry, incoming, existing), verdicts(entry, incoming, existing)


def _append(ledger: Ledger, entry: Entry, rows: pa.Table, stem: str) -> int:
    storage = ledger.storage
    version = ledger.state.last.tables.get(entry.name)
    if version is None or storage.moved_on(entry.name, version):
        table = storage.newest(entry.name) or storage.create(entry.name, entry.schema)
    else:
        table = ledger.opened(entry.name, version)
    if storage.local:
        path = storage.folder / entry.name / f"part-{stem}-together.parquet"
        with faults_named(storage.url):
            pq.write_table(rows, path, compression="zstd", compression_level=1)
        storage.adopt(entry.name, table, entry.schema, [path])
    else:
        storage.append_arrow(table, rows)
    return ledger.keep_opened(entry.name, table)
