"""What the architecture page says is there is there, and what is there the page says."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "duecourse"
TREE = re.search(r"```text\nsrc/duecourse/\n(.*?)```", (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"), re.DOTALL)


def test_every_place_of_the_page_exists_and_every_place_is_on_the_page():
    assert TREE
    told = {name.rstrip("/") for name in re.findall(r"\b([a-z_]+(?:\.py|/))", TREE.group(1))}
    real = {path.name for path in SOURCE.rglob("*") if path.suffix == ".py" or path.is_dir()}
    assert told <= real
    rooms = {path.name for path in SOURCE.iterdir() if not path.name.startswith("__") and (path.is_dir() or path.suffix == ".py")}
    assert rooms <= told | {"glossary.toml"}


def test_every_document_linked_from_the_first_pages_exists():
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name} links {link}"
