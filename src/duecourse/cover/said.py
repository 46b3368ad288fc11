"""A sentence of the catalogue with its arguments: a reason is kept like this and worded at the edge, in either language."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from duecourse.messages import Language, say
from duecourse.reference.countries import COUNTRIES

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence: its code in the catalogue and its arguments. An argument that is itself a `Said` is worded with it; `country`, an ISO code, by its name."""

    code: str
    args: Mapping[str, Any] = field(default_factory=dict)

    def words(self, lang: Language | None = None) -> str:
        """The sentence in the language spoken."""
        return say(self.code, lang, **{name: _word(name, value, lang) for name, value in self.args.items()})

    @property
    def plain(self) -> dict[str, Any]:
        """As it is kept and sent."""
        return {"code": self.code, "args": {name: _plain(value) for name, value in self.args.items()}}


def _word(name: str, value: Any, lang: Language | None) -> Any:
    if isinstance(value, Said):
        return value.words(lang)
    place = COUNTRIES.get(value) if name == "country" and isinstance(value, str) else None
    return place.name(lang) if place else value


def _plain(value: Any) -> Any:
    if isinstance(value, Said):
        return value.plain
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal | Fraction) else value
