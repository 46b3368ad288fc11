from __future__ import annotations

import datetime as dt

import pytest

from duecourse.desk.opening import open_ledger
from duecourse.samples.economy import Economy, write


@pytest.fixture(scope="session")
def small_ledger(tmp_path_factory):
    """A small economy in a folder: 4,000 invoices of 200 buyers in several currencies."""
    ledger = open_ledger(tmp_path_factory.mktemp("desk") / "ledger", create=True, threads=1)
    write(ledger, Economy(invoices=4_000, buyers=200, years=3, seed=3))
    return ledger


@pytest.fixture
def book(small_ledger):
    return small_ledger.as_of(dt.date(2026, 10, 31))
