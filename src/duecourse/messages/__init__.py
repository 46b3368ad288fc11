"""Every sentence the product says, once, in both languages.

A sentence has an identifier (`area.name`), an English and a Chinese wording with the same `{arguments}`; the wordings live in the
TOML files beside this module, `AREA.toml` or `AREA-PART.toml`. Findings, errors, reasons and the command line carry identifiers and arguments and
are worded only at the edge, so that a stored reason reads in either language later.
"""

from __future__ import annotations

import tomllib
from contextvars import ContextVar
from functools import cache
from importlib import resources
from string import Formatter
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

_language: ContextVar[Language] = ContextVar("language", default="en")


def use_language(language: str) -> None:
    """Speak this language from here on (in this thread or task): `en`, or `zh` for 简体中文."""
    if language not in LANGUAGES:
        raise ValueError(f"language is {language!r}; it is one of {', '.join(LANGUAGES)}")
    _language.set(language)


def language() -> Language:
    """Which language is being spoken?"""
    return _language.get()


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """All sentences: identifier -> {en, zh}."""
    sentences: dict[str, dict[str, str]] = {}
    for entry in resources.files(__package__).iterdir():
        if not entry.name.endswith(".toml"):
            continue
        area = entry.name.removesuffix(".toml").split("-")[0]
        for name, wording in tomllib.loads(entry.read_text(encoding="utf-8")).items():
            sentences[f"{area}.{name}"] = wording
    return sentences


def arguments(text: str) -> set[str]:
    """The names of the `{arguments}` a wording uses."""
    return {field.split(".")[0].split("[")[0] for _, field, _, _ in Formatter().parse(text) if field}


def say(identifier: str, lang: Language | None = None, **args: object) -> str:
    """Word one sentence: `say("errors.no_ledger", path=...)`. An unknown identifier is our own mistake and raises KeyError."""
    return wording(identifier, lang or language(), args).format(**args)


COUNTED = ("count", "days")
"""What a sentence may count; where it is one, the sentence in English is `en_one`, if it has that."""


def wording(identifier: str, lang: Language, args: Mapping[str, object]) -> str:
    """A sentence with its arguments still open: the one for a single thing where a single thing is spoken of."""
    worded = catalogue()[identifier]
    one = worded.get(f"{lang}_one")
    if one is not None and next((str(args[name]) for name in COUNTED if name in args), "") in {"1", "<b>1</b>"}:
        return one
    return worded[lang]
