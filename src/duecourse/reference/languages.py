"""Languages a letter or a court may ask for, 语言: their names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from duecourse.messages import Language, language
from duecourse.reference.tables import Table, load

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Tongue:
    """One language by its BCP 47 code."""

    code: str
    name_en: str
    name_zh: str

    def name(self, lang: Language | None = None) -> str:
        """Its name in the language spoken."""
        return self.name_zh if (lang or language()) == "zh" else self.name_en


def _tongue(record: Mapping[str, str]) -> Tongue:
    return Tongue(record["code"], record["name_en"], record["name_zh"])


TONGUES: Final[Table[Tongue]] = load("languages", "code", _tongue)
"""Every language by its code."""
