"""How a letter cites the law its interest rests on."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@cache
def _laws() -> dict[str, dict[str, str]]:
    return tomllib.loads(resources.files(__package__).joinpath("laws.toml").read_text(encoding="utf-8"))


def cited(rule: str, sources: Sequence[str] = ()) -> tuple[tuple[str, str], ...]:
    """A rule as (language, citation) pairs, "" for every language not named; of a rule we have no citation for, its first source.

    >>> cited("EU_DE")
    (('', '§ 288 Abs. 2, 5 BGB'),)
    """
    found = _laws().get(rule.partition("/")[0])
    if found is not None:
        return tuple(("" if language == "other" else language, text) for language, text in found.items())
    first = sources[0].partition(" - ")[0].strip() if sources else ""
    return (("", first),) if first else ()
