"""The page of commands says what the program says."""

from __future__ import annotations

import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_of_commands_is_up_to_date():
    written = runpy.run_path(str(ROOT / "scripts" / "command_pages.py"))
    assert (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8") == written["page"](), (
        "run: .venv/bin/python scripts/command_pages.py"
    )
