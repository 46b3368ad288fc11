from __future__ import annotations

import pytest
from support.ledgers import ENGINE

from duecourse.ledger.store import Ledger


@pytest.fixture
def ledger(tmp_path):
    return Ledger.open(tmp_path / "ledger", engine=ENGINE, create=True)
