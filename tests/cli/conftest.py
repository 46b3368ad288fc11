"""A command that names no ledger would take the one of the surroundings, or one in the current folder: here there is neither."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder to stand in, and no ledger named."""
    monkeypatch.delenv("DUECOURSE_LEDGER", raising=False)
    place = tmp_path / "nowhere"
    place.mkdir()
    monkeypatch.chdir(place)
