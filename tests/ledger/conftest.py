from __future__ import annotations

import pytest

from duecourse.ledger.store import Ledger
from support.ledgers import ENGINE


@pytest.fixture
def ledger(tmp_path):
    return Ledger.open(tmp_path / "ledger", engine=ENGINE, create=True)
