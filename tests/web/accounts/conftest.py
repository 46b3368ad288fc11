"""First runs and people, each test with a database that holds nobody yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def nobody(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A server that was just installed; its own folder."""
    from duecourse.web import environment as env
    from duecourse.web.accounts import first_run

    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setattr(env, "HOME", home)
    first_run.forget()
    yield home
    first_run.forget()
