"""The colours of tokens.css for what knows no style sheet: pictures of charts, documents, tests."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final, Literal

TOKENS: Final = Path(__file__).parents[1] / "static" / "duecourse" / "tokens.css"
_PAIR = re.compile(r"--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")


@cache
def colours(theme: Literal["light", "dark"]) -> dict[str, str]:
    """Every colour of a theme: {"ink": "#16191d", …}."""
    place = 2 if theme == "light" else 3
    return {found[1]: found[place] for found in _PAIR.finditer(TOKENS.read_text(encoding="utf-8"))}
