"""What was imported: the history of the ledger's changes, one import's rows, and how to take one back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from duecourse.errors import BatchUnknownError
from duecourse.intake.importer import FIX, rederive
from duecourse.ledger.book import current_rows
from duecourse.ledger.entries import ENTRIES, INVOICE, OPEN_ITEM, SETTLEMENT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import pyarrow as pa

    from duecourse.intake.workbench import Progress
    from duecourse.ledger.entries import Entry
    from duecourse.ledger.journal import JournalRow
    from duecourse.ledger.store import Ledger

KEPT_ASIDE: Final = ("setting", "quarantine")
"""Tables whose rows are no facts of the trade: left out where the rows of an import are counted."""

SUMMED: Final[Mapping[str, str]] = {INVOICE.name: "amount_minor", SETTLEMENT.name: "amount_minor", OPEN_ITEM.name: "open_minor"}


@dataclass(frozen=True)
class Change:
    """One change of the ledger as people ask for it: who, when, which file, how many rows of which table.

    withdrawn   when it was taken back, by which row of the journal; None while it counts
    """

    row: JournalRow
    withdrawn: JournalRow | None = None

    @property
    def added(self) -> int:
        """Rows that were new."""
        return self._sum("added")

    @property
    def corrected(self) -> int:
        """Rows that said otherwise than before."""
        return self._sum("corrected")

    @property
    def unchanged(self) -> int:
        """Rows that were known already."""
        return self._sum("unchanged")

    @property
    def quarantined(self) -> int:
        """Rows that were refused."""
        return int(self.row.facts.get("quarantined") or 0)

    @property
    def read(self) -> int:
        """Rows read."""
        return int(self.row.facts.get("read") or 0)

    @property
    def by(self) -> str:
        """Who made it, where the journal knows."""
        return str(self.row.facts.get("by") or "")

    @property
    def is_fix(self) -> bool:
        """Are these corrected lines that came back?"""
        return self.row.note == FIX

    @property
    def is_import(self) -> bool:
        """Did it bring a file?"""
        return self.row.kind == "import"

    @property
    def counts(self) -> Sequence[tuple[str, Mapping[str, int]]]:
        """Rows by table, the facts of the trade only, without tables it left alone."""
        return [(name, counts) for name, counts in self.row.counts.items() if name not in KEPT_ASIDE and any(counts.values())]

    def _sum(self, kind: str) -> int:
        return sum(counts.get(kind, 0) for name, counts in self.row.counts.items() if name not in KEPT_ASIDE)


def history(ledger: Ledger, *, imports_only: bool = True) -> list[Change]:
    """Every import, or every change, newest first.  导入历史"""
    undone = {row.withdraws: row for row in ledger.state.in_force if row.kind == "void"}
    rows = [row for row in reversed(ledger.journal()) if row.kind == "import" or not imports_only]
    return [Change(row, undone.get(row.batch_id)) for row in rows]


def change_of(ledger: Ledger, batch_id: str) -> Change:
    """One of them. Raises BatchUnknownError."""
    found = next((change for change in history(ledger, imports_only=False) if batch_id and change.row.batch_id == batch_id), None)
    if found is None:
        raise BatchUnknownError(batch=batch_id)
    return found


# --- taking one back ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Effect:
    """What taking an import back does to one table: rows that no longer count, rows it had corrected that count again.

    money  per currency, what goes and what comes back, in minor units; empty for tables without amounts
    """

    table: str
    goes: int
    returns: int
    money: Sequence[tuple[str, int, int]] = ()


@dataclass(frozen=True)
class Withdrawal:
    """Everything taking an import back would do.

    with_it  corrected lines of the same file that came in later and go with it
    lists    it brought open-item lists: what was settled between the lists is worked out anew
    """

    change: Change
    effects: Sequence[Effect]
    with_it: Sequence[Change]
    lists: bool


def withdrawal(ledger: Ledger, batch_id: str) -> Withdrawal:
    """What would taking this import back do? Nothing is written.  撤回影响

    Raises BatchUnknownError if it is not in force.
    """
    change = change_of(ledger, batch_id)
    if change.withdrawn or change.row.kind not in ("import", "post"):
        raise BatchUnknownError(batch=batch_id)
    with_it = _corrections(ledger, change)
    batches = [change, *with_it]
    gone = {**ledger.state.withdrawn, **{one.row.batch_id: one.row.recorded_at for one in batches}}
    touched = {name for one in batches for name, counts in one.row.counts.items() if counts.get("added") or counts.get("corrected")}
    effects = [_effect(ledger, ENTRIES[name], gone) for name in ENTRIES if name in touched and name not in KEPT_ASIDE]
    return Withdrawal(change, effects, with_it, bool(change.row.counts.get("snapshot")))


def _corrections(ledger: Ledger, change: Change) -> list[Change]:
    """Corrected lines of the import's file; none while another import of the file stays in force."""
    if change.is_fix or not change.is_import or not change.row.file_sha256:
        return []
    same = [one for one in history(ledger) if one.row.file_sha256 == change.row.file_sha256 and not one.withdrawn]
    if any(not one.is_fix and one.row.batch_id != change.row.batch_id for one in same):
        return []
    return [one for one in same if one.is_fix]


def _effect(ledger: Ledger, entry: Entry, gone: Mapping[str, datetime]) -> Effect:
    now, then = (_totals(ledger, entry, withdrawn) for withdrawn in (ledger.state.withdrawn, gone))
    going = _totals(ledger, entry, ledger.state.withdrawn, only=sorted(set(gone) - set(ledger.state.withdrawn)))
    names = sorted({*now, *then, *going})
    figures = {name: (going.get(name, (0, 0)), _returning(name, now, then, going)) for name in names}
    money = [(name, lost[1], back[1]) for name, (lost, back) in figures.items() if name and (lost[0] or back[0])]
    return Effect(
        entry.name,
        sum(lost[0] for lost, _back in figures.values()),
        sum(back[0] for _lost, back in figures.values()),
        money if entry.name in SUMMED else (),
    )


def _returning(name: str, *tables: Mapping[str, tuple[int, int]]) -> tuple[int, int]:
    """What is there afterwards less what stays: rows and amount that count again."""
    (rows_now, sum_now), (rows_then, sum_then), (rows_gone, sum_gone) = (table.get(name, (0, 0)) for table in tables)
    return rows_then - rows_now + rows_gone, sum_then - sum_now + sum_gone


def _totals(
    ledger: Ledger, entry: Entry, withdrawn: Mapping[str, datetime], *, only: Sequence[str] | None = None
) -> dict[str, tuple[int, int]]:
    """Rows that count, and their amounts, by currency ("" in tables without)."""
    data, corrected = ledger.rows_of(entry)
    rows = current_rows(entry, withdrawn, corrected=corrected)
    if only is not None:
        rows = rows.filter(rows.source.isin(only))
    if entry.name in SUMMED:
        grouped = rows.group_by("currency").aggregate(n=rows.count(), total=rows[SUMMED[entry.name]].sum().cast("int64"))
        table: pa.Table = ledger.engine.run(grouped, {entry.name: data})
        return {row["currency"] or "": (row["n"], row["total"] or 0) for row in table.to_pylist()}
    counted: pa.Table = ledger.engine.run(rows.aggregate(n=rows.count()), {entry.name: data})
    return {"": (counted.column("n")[0].as_py(), 0)}


def withdraw(ledger: Ledger, batch_id: str, reason: str, *, by: str = "", progress: Progress | None = None) -> list[str]:
    """Take an import back, and the corrected lines of its file with it; the imports that no longer count.  撤回导入

    What was inferred from its open-item lists is worked out anew. Taken up again after it was cut short, it does what is left to do.
    Raises BatchUnknownError if there is no such import.
    """
    ledger.refresh()
    change = change_of(ledger, batch_id)
    wanted = [one.row.batch_id for one in (*_corrections(ledger, change), change)]
    for number, one in enumerate(wanted):
        if one not in ledger.state.withdrawn:
            ledger.void(one, reason, facts={"by": by})
        if progress:
            progress(0.1 + 0.4 * (number + 1) / len(wanted), "recording")
    if progress:
        progress(0.5, "writing")
    rederive(ledger)
    return wanted
