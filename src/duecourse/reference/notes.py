"""Notes of the country table in the reader's language."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from duecourse.messages import Language, language

if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def _translated() -> Mapping[str, str]:
    return tomllib.loads(resources.files(__package__).joinpath("data", "country_notes.toml").read_text(encoding="utf-8"))


def telling(note: str | None) -> bool:
    """Does a note say more than where the law stands?"""
    return bool(note) and note in _translated()


def spoken(note: str | None, lang: Language | None = None) -> str:
    """A note in the language spoken; one that is a mere citation as it stands; nothing where there is none."""
    if not note:
        return ""
    return _translated().get(note, note) if (lang or language()) == "zh" else note
