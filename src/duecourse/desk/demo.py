"""The demo economy: a ledger full of believable data, to try everything on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from duecourse.desk.demo_orders import add_orders
from duecourse.desk.opening import open_ledger
from duecourse.errors import LedgerNotFoundError
from duecourse.samples.economy import write
from duecourse.samples.exports import write_exports
from duecourse.samples.parameters import Economy

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from pathlib import Path

INVOICES: Final = 300_000
"""Three thousand buyers over five years: large enough to be believed, made in seconds."""


def make_demo(
    place: str | os.PathLike[str], *, invoices: int = INVOICES, seed: int | None = None, progress: Callable[[float], None] | None = None
) -> bool:
    """Make the demo ledger at a folder; a ledger that is there already is left as it is. Says whether it made one.

    A run that was cut short left an empty ledger, which is filled.
    """
    try:
        ledger = open_ledger(place)
    except LedgerNotFoundError:
        ledger = open_ledger(place, create=True)
    if any(row.kind in ("import", "post") for row in ledger.journal()):
        return False
    write(ledger, economy(invoices, seed), progress=progress)
    add_orders(ledger)
    ledger.compact()
    return True


def economy(invoices: int, seed: int | None) -> Economy:
    """An economy of this size; without a seed always the same one."""
    return Economy(invoices=invoices) if seed is None else Economy(invoices=invoices, seed=seed)


def write_demo_exports(folder: Path, *, invoices: int = INVOICES, seed: int | None = None) -> list[Path]:
    """The same economy as files an ERP would export, to try importing."""
    files = write_exports(economy(invoices, seed), folder)
    return [files.customers, files.line_items, files.open_items]
