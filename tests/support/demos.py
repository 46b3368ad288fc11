"""The demo economy as a test wants it: each size is made once for the whole run, and every test gets a copy of its own."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from duecourse.desk.demo import make_demo
from support.shared import once

if TYPE_CHECKING:
    from pathlib import Path


def demo_at(place: Path, *, invoices: int) -> None:
    """Put the demo ledger with so many invoices at this path."""
    shutil.copytree(once(f"demo-{invoices}", lambda made: _make(made, invoices)), place)


def _make(place: Path, invoices: int) -> None:
    assert make_demo(place, invoices=invoices)
