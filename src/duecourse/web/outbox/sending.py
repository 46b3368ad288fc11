"""Put rows out, and append what waits. 发件箱

    with transaction.atomic():
        ...                               # the decision, in a table of the app
        put_out("decision", {"decision_id": …, "decided_on": date(…), …})

Whoever rolls the transaction back has put nothing out. What was put out is in the ledger within seconds, once, whatever dies in between.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.utils import timezone

from duecourse.web.jobs.queue import enqueue, try_again
from duecourse.web.outbox.models import Outgoing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from duecourse.ledger.store import Ledger

ROWS: Final = 20_000
"""One batch takes at most so many."""

WAIT_SECONDS: Final = 300.0

STALE: Final = timedelta(seconds=30)
"""A job that ended while its rows still wait is taken up anew after so long."""


def put_out(table: str, row: Mapping[str, Any]) -> None:
    """Put out one row for a table of the ledger: its fact columns by name, those left out null; `voided: True` withdraws the fact.

    Belongs in the transaction that makes the decision. Raises ValueError for a column or table the ledger does not have, and for a key
    that is not given.
    """
    put_out_many([(table, row)])


def put_out_many(rows: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
    """The same for several rows."""
    Outgoing.objects.bulk_create([_outgoing(table, row) for table, row in rows], batch_size=1000)


def _outgoing(table: str, row: Mapping[str, Any]) -> Outgoing:
    from duecourse.ledger.entries import ENTRIES  # noqa: PLC0415 — loads Arrow: only where something is put out

    if table not in ENTRIES:
        raise ValueError(f"the ledger has no table {table}")
    entry = ENTRIES[table]
    unknown = row.keys() - {*entry.facts.names, "voided"}
    if unknown:
        raise ValueError(f"{table} has no column {', '.join(sorted(unknown))}")
    if any(row.get(name) is None for name in entry.key):
        raise ValueError(f"{table} wants its key: {', '.join(entry.key)}")
    key = "\x1f".join(str(row[name]) for name in entry.key)
    return Outgoing(table=table, key=key[:300], row={name: _plain(value) for name, value in row.items() if value is not None})


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value


def ask(now: datetime | None = None) -> None:
    """Ask for the job where something waits: once for each row that has waited longest.

    One that ended without it (its workers died too often, it was called off) is done after all: what was decided must come to the ledger.
    """
    first = Outgoing.objects.filter(written_at__isnull=True).values_list("id", flat=True).first()
    if first is None:
        return
    run = enqueue("outbox.append", key=f"from {first}", first=first)
    if run.finished and run.finished_at is not None and run.finished_at < (now or timezone.now()) - STALE:
        try_again(run)


def append_waiting(ledger: Ledger) -> int:
    """Append everything that waits, in the order it was put out. Returns how many rows."""
    from duecourse.desk.posting import Post, commit, new_batch_id, tables_of  # noqa: PLC0415 — heavy: only in a worker

    appended = 0
    while batch_id := _next_batch(new_batch_id(timezone.now())):
        rows = list(Outgoing.objects.filter(batch_id=batch_id, written_at__isnull=True).values_list("table", "row"))
        if rows:  # else another worker has ended it meanwhile
            post = Post(batch_id, tables_of(rows), note="decisions", facts={"via": "desk", "read": len(rows)})
            commit(ledger, [post], wait_seconds=WAIT_SECONDS)
            Outgoing.objects.filter(batch_id=batch_id, written_at__isnull=True).update(written_at=timezone.now())
        appended += len(rows)
    return appended


def _next_batch(fresh_id: str) -> str:
    """The batch somebody named and did not end; else a new one of the rows that wait longest; "" where nothing waits.

    No batch is named while an earlier one is under way: of two rows about one fact the later must come to the ledger later.
    """
    with transaction.atomic():
        waiting = Outgoing.objects.filter(written_at__isnull=True, batch_id="").order_by("id")
        waiting.select_for_update().first()  # one worker at a time; on SQLite the transaction itself sees to it
        begun = Outgoing.objects.filter(written_at__isnull=True).exclude(batch_id="").values_list("batch_id", flat=True).first()
        if begun:
            return str(begun)
        taken = _unlike(waiting.values_list("id", "table", "key")[:ROWS])
        if not taken:
            return ""
        waiting.filter(id__gte=taken[0], id__lte=taken[-1]).update(batch_id=fresh_id)
        return fresh_id


def _unlike(rows: Iterable[tuple[int, str, str]]) -> Sequence[int]:
    taken: list[int] = []
    seen: set[tuple[str, str]] = set()
    for number, table, key in rows:
        if (table, key) in seen:
            break
        seen.add((table, key))
        taken.append(number)
    return taken
