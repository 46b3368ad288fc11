"""Open a firm's ledger, ready to work with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duecourse.engines.duckdb import DuckDBEngine
from duecourse.ledger.store import Ledger

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping


def open_ledger(
    url: str | os.PathLike[str],
    *,
    create: bool = False,
    threads: int | None = None,
    memory_limit: str | None = None,
    storage_options: Mapping[str, str] | None = None,
) -> Ledger:
    """The ledger at a folder or object-store URL, on the default engine.  打开台账

    threads       cores to use; None = all there are
    memory_limit  e.g. `4GB`; None = the engine's own (80% of memory)

    Raises LedgerNotFoundError unless `create`.
    """
    engine = DuckDBEngine(threads=threads, memory_limit=memory_limit)
    return Ledger.open(url, engine=engine, create=create, storage_options=storage_options)


def opened_again(ledger: Ledger) -> Ledger:
    """The same ledger on the same engine, opened once more: to write on while others read the first."""
    return Ledger.open(ledger.storage.url, engine=ledger.engine, storage_options=ledger.storage.options)
