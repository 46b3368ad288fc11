"""A reason or a cap as a sentence, in the language spoken: figures are worded by their names' last part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from duecourse.messages import catalogue, language, say
from duecourse.money import format_money

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duecourse.messages import Language

PERCENT: Final = ("_share", "_rate")


def worded_value(name: str, value: Any, currency: str, lang: Language | None = None) -> str:
    """One argument as people read it: `*_minor` with its currency, `*_share` and `*_rate` as a percentage; a dash for what is not known."""
    if value is None:
        return "–"
    if name.endswith("_minor"):
        return format_money(int(value), currency, lang)
    if name.endswith(PERCENT):
        share = value * 100
        return f"{share:.2f}%" if 0 < share < 1 else f"{share:.1f}%".replace(".0%", "%")
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return str(value)


def sentence(reason: Mapping[str, Any], currency: str, lang: Language | None = None) -> str:
    """A stored reason, {code, args}, as a sentence; one whose code this release does not know as its code."""
    if reason["code"] not in catalogue():
        return str(reason["code"])
    args = {name: worded_value(name, value, reason.get("currency") or currency, lang) for name, value in reason.get("args", {}).items()}
    return say(reason["code"], lang, **args)


def missing_words(missing: Sequence[str], lang: Language | None = None) -> str:
    """What is not known, as a list."""
    between = "、" if (lang or language()) == "zh" else ", "
    return between.join(say(f"decisions.missing_{name}", lang) for name in missing)


def cap_words(cap: Mapping[str, Any], currency: str, lang: Language | None = None) -> str:
    """How the amount of a cap (as its plain mapping) comes about; where it has none, what is missing for it."""
    name, figures = cap["name"], cap["figures"]
    if cap["amount_minor"] is None and cap["missing"]:
        return say("decisions.how_missing", lang, missing=missing_words(cap["missing"], lang))
    if name == "block":
        stops = (", " if (lang or language()) == "en" else "、").join(say(f"decisions.stop_{stop}", lang) for stop in figures["stops"])
        return stops or say("decisions.how_block_none", lang)
    none = (
        cap["amount_minor"] is None or (name == "grade" and figures.get("grade") is None) or (name == "insurer" and "factor" not in figures)
    )
    code = f"decisions.how_{name}_none" if none and f"decisions.how_{name}_none" in catalogue() else f"decisions.how_{name}"
    return say(code, lang, **{key: worded_value(key, value, currency, lang) for key, value in figures.items()})


def need_words(need: Mapping[str, Any], currency: str, lang: Language | None = None) -> str:
    """How the need comes about."""
    if need["amount_minor"] is None:
        return say("decisions.how_missing", lang, missing=missing_words(need["missing"], lang))
    return say("decisions.how_need", lang, **{key: worded_value(key, value, currency, lang) for key, value in need["figures"].items()})
