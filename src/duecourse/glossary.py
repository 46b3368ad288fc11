"""Every term of the trade, once: identifier, English, 中文, unit and definition. Column labels, help and documents read it from here."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, get_args

from duecourse.messages import Language, language

if TYPE_CHECKING:
    from collections.abc import Mapping

Unit = Literal["money", "days", "fraction", "count", "date", "text", "ratio"]
UNITS: Final[tuple[Unit, ...]] = get_args(Unit)


@dataclass(frozen=True, slots=True)
class Term:
    """One term.

    identifier     its name in tables, programs and files
    en, zh         what people call it
    abbreviation   DSO, PD ...; empty where there is none in use
    unit           money, days, fraction (0.9 is 90 %), count, date, text or ratio
    definition_en, definition_zh  one sentence that settles what counts
    source         where definition and Chinese rendering come from
    """

    identifier: str
    en: str
    zh: str
    abbreviation: str
    unit: Unit
    definition_en: str
    definition_zh: str
    source: str

    def label(self, lang: Language | None = None) -> str:
        """What people call it, in the language spoken."""
        return self.zh if (lang or language()) == "zh" else self.en

    def definition(self, lang: Language | None = None) -> str:
        """What it means, in the language spoken."""
        return self.definition_zh if (lang or language()) == "zh" else self.definition_en


def _read() -> Mapping[str, Term]:
    entries = tomllib.loads(resources.files("duecourse").joinpath("glossary.toml").read_text(encoding="utf-8"))
    return MappingProxyType({name: Term(**({"identifier": name, "abbreviation": ""} | entry)) for name, entry in entries.items()})


TERMS: Final[Mapping[str, Term]] = _read()
"""Every term by its identifier."""


@cache
def term(identifier: str) -> Term:
    """Which term is this?

    Besides the terms themselves, names made of a term and a suffix are understood: `_minor` (in minor units), `_90d` (over the last
    90 days) and `_base` (in the base currency), in this order from the right. An unknown identifier is our own mistake and raises KeyError.

    >>> term("days_beyond_terms_365d").en
    'days beyond terms, 365 days'
    """
    if identifier in TERMS:
        return TERMS[identifier]
    parts = re.fullmatch(r"(?P<stem>.+)_(?:minor|base|(?P<days>\d+)d)", identifier)
    if parts is None:
        raise KeyError(identifier)
    stem = term(parts["stem"])
    if identifier.endswith("_minor"):
        return replace(stem, identifier=identifier)
    if parts["days"]:
        days = parts["days"]
        return replace(
            stem,
            identifier=identifier,
            en=f"{stem.en}, {days} days",
            zh=f"{stem.zh}（近{days}天）",
            definition_en=f"{stem.definition_en} Over the last {days} days.",
            definition_zh=f"{stem.definition_zh}统计最近 {days} 天。",
        )
    return replace(
        stem,
        identifier=identifier,
        en=f"{stem.en}, base currency",
        zh=f"{stem.zh}（本位币）",
        definition_en=f"{stem.definition_en} Converted to the base currency.",
        definition_zh=f"{stem.definition_zh}折算为本位币。",
    )


def label(identifier: str, lang: Language | None = None) -> str:
    """What people call this term: `label("days_past_due")` is `days past due`, in Chinese `逾期天数`. Raises KeyError when it is unknown."""
    return term(identifier).label(lang)
