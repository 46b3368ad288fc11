"""The demo economy: a believable receivables ledger of any size, with the truth behind it kept apart.

A Chinese manufacturer and its European subsidiary sell on open account to buyers in fifteen countries. Each buyer has a size, terms, a
payment habit and a pay-run; behind that, unseen, a grade that moves with the business cycle, and at times distress that ends in
recovery or in default. Invoices, advances, part-payments, credit notes, deductions, disputes, unapplied cash, recoveries and
write-offs follow from it; so do the limits we grant and the insurer's, the accounts buyers publish, and what registers, courts, papers,
bureaus and our own people say of them. The facts go into a ledger; grade, stress and what has not happened yet are the truth, by which an
early warning or a forecast can be judged: `duecourse.samples.truth` says how many defaults could have been foreseen at all, and
`duecourse.samples.families` has economies that behave otherwise, since a warning tuned on one generator knows that generator.

What it reaches, measured on 2026-11-29 (the demo: 300,000 invoices, 3,000 buyers, five years to 2026-10-31; and, with their range, ten
economies of other seeds, 120,000 invoices each, for what is below the line of 6,000 buyers each):

    invoices paid late                      51 %    (50 to 60 %)       Atradius, B2B: about half
    days past due, mean of all invoices     10.7    (10.4 to 14.7)
    more than 30 days late                  10.5 %  (10.9 to 14.5 %)
    more than 90 days late                  1.2 %   (0.8 to 1.5 %)
    defaults a year of those who can        2.2 %   (1.9 to 3.8 %)     between insolvency alone and severe delinquency
    DSO less (credit days + mean delay)     4 days  (-5 to 9)
    ten largest buyers' share of sales      18 %    (20 to 23 %)
    ---
    buyers with accounts                    54 %    (52 to 54 %)
    AUC of three ratios, failure within a   .83     (.81 to .85)
      year of publication
    signals a year of a hundred buyers      82      (74 to 86)
    limit used, median buyer that owes      41 %    (41 to 45 %)
    the same of those who fail, 400 days    41 %    (13 to 21 %)
      before and 60 days before             54 %    (25 to 34 %)
    distress that ends in failure           43 %    (41 to 47 %)
    defaults without any precursor          16 %    (13 to 19 %)
    defaults not seen in payments           10 %    (9 to 13 %)
    defaults with distress to be felt 90    79 %    (78 to 86 %)
      days before or more

A single economy may live through a boom or a slump, so that its figures lie outside what is usual; that is wanted.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import pyarrow as pa
import pyarrow.parquet as pq

from duecourse.samples import buyers, evidence, signals, trade
from duecourse.samples.cycle import cycle, exchange_rates, settings
from duecourse.samples.days import calendar
from duecourse.samples.parameters import DEMO_UNTIL, Behaviour, Economy, EconomyInvalidError
from duecourse.samples.truth import truth_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from duecourse.ledger.store import BatchResult, Ledger

CHUNK_INVOICES: Final = 500_000

__all__ = ["DEMO_UNTIL", "Behaviour", "Chunk", "Economy", "EconomyInvalidError", "chunks", "write"]


@dataclass(frozen=True)
class Chunk:
    """A stretch of the economy, whole buyers, in order.

    facts          {table of the ledger: rows with its fact columns}; within a buyer by date
    truth          {buyer, buyer_month, episode (see `truth.truth_tables`), future_settlement, future_dispute: rows}
    invoices_done  invoices so far, this chunk included
    """

    facts: Mapping[str, pa.Table]
    truth: Mapping[str, pa.Table]
    invoices_done: int


def chunks(economy: Economy, *, invoices_per_chunk: int = CHUNK_INVOICES) -> Iterator[Chunk]:
    """The whole economy as chunks of about `invoices_per_chunk` invoices; joined, they are the same whatever that number is.

    Memory holds one chunk, whatever the size of the economy; a chunk is never smaller than the biggest buyer.

    >>> sum(chunk.facts["invoice"].num_rows for chunk in chunks(Economy(invoices=1_000, seed=7)))
    1000
    """
    behaviour = economy.behaviour
    months = behaviour.warm_up_months + economy.years * 12 + behaviour.ahead_months
    days = calendar(economy, behaviour.warm_up_months, behaviour.ahead_months)
    weather = cycle(economy, months)
    sizes = buyers.sizes(economy)
    facts: dict[str, list[pa.Table]] = {"exchange_rate": [exchange_rates(economy)], "setting": [settings()]}
    truth: dict[str, list[pa.Table]] = {}
    waiting, done = 0, 0
    for number in range(sizes.blocks):
        block = buyers.block(economy, days, weather, sizes, number)
        facts.setdefault("buyer", []).append(block.profile.table())
        facts.setdefault("statement", []).append(evidence.statements(block, number))
        for name, table in truth_tables(block).items():
            truth.setdefault(name, []).append(table)
        cells = trade.counts(block, sizes, number)
        runs = list(trade.parts(cells.sum(axis=1)))
        said: list[signals.Said] = []
        for run in runs:
            rows = trade.trade(block, run, cells[run], done)
            said += rows.said
            if run is runs[-1]:
                facts.setdefault("signal", []).append(signals.signals(block, number, said))
            facts.setdefault("invoice", []).append(rows.invoice)
            facts.setdefault("settlement", []).append(rows.settlement)
            facts.setdefault("dispute", []).append(rows.dispute)
            facts.setdefault("limit", []).append(rows.limit)
            truth.setdefault("future_settlement", []).append(rows.future_settlement)
            truth.setdefault("future_dispute", []).append(rows.future_dispute)
            done += rows.invoice.num_rows
            waiting += rows.invoice.num_rows
            if waiting >= invoices_per_chunk:
                yield _chunk(facts, truth, done)
                facts, truth, waiting = {}, {}, 0
    if facts:
        yield _chunk(facts, truth, done)


def _chunk(facts: Mapping[str, list[pa.Table]], truth: Mapping[str, list[pa.Table]], done: int) -> Chunk:
    return Chunk(
        {name: pa.concat_tables(tables) for name, tables in facts.items()},
        {name: pa.concat_tables(tables) for name, tables in truth.items()},
        done,
    )


def write(ledger: Ledger, economy: Economy, *, progress: Callable[[float], None] | None = None, truth: Path | None = None) -> BatchResult:
    """Put the economy into a ledger, as one batch: all of it or nothing. The same economy a second time adds nothing.

    progress  told the share done, 0 to 1; it may raise to give up, and nothing is left behind
    truth     folder for the truth, as Parquet; by default `truth` beside the tables of a local ledger, nowhere for a remote one

    Reads back as any other import, file name `demo`.
    """
    folder = truth or (Path(ledger.storage.url) / "truth" if ledger.storage.local else None)
    with ledger.draft(file_name="demo", note=_describe(economy)) as draft, _Truth(folder, draft.batch_id) as behind:
        for chunk in chunks(economy):
            for name, table in chunk.facts.items():
                draft.put(name, table)
            behind.add(chunk.truth)
            if progress:
                progress(0.98 * chunk.invoices_done / economy.invoices)
        result = draft.commit()
        behind.keep()
    if progress:
        progress(1.0)
    return result


def _describe(economy: Economy) -> str:
    return (
        f"demo economy: invoices={economy.invoices} buyers={economy.buyer_count} years={economy.years} "
        f"seed={economy.seed} until={economy.until.isoformat()}"
    )


class _Truth:
    """The truth's files, written aside and put in place only when the facts are."""

    def __init__(self, folder: Path | None, batch_id: str) -> None:
        self._folder = folder
        self._aside = None if folder is None else folder.with_name(f".{folder.name}-{batch_id}")
        self._writers: dict[str, pq.ParquetWriter] = {}

    def __enter__(self) -> Self:
        if self._aside:
            self._aside.mkdir(parents=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._close()
        if self._aside:
            shutil.rmtree(self._aside, ignore_errors=True)

    def add(self, tables: Mapping[str, pa.Table]) -> None:
        if not self._aside:
            return
        for name, table in tables.items():
            if name not in self._writers:
                self._writers[name] = pq.ParquetWriter(self._aside / f"{name}.parquet", table.schema, compression="zstd")
            self._writers[name].write_table(table)

    def keep(self) -> None:
        self._close()
        if self._aside and self._folder:
            if self._folder.exists():
                shutil.rmtree(self._folder)
            self._aside.rename(self._folder)

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}
