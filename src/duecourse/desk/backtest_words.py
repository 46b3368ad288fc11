"""A backtest in words: who warns, what counts as a default, what has to be said beside the figures. Command line and pages share it.  回测措辞"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from duecourse.glossary import TERMS, label
from duecourse.messages import catalogue, say
from duecourse.risk.outcomes.definitions import OF_SIGNALS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def rival_name(name: str) -> str:
    """What a rival is called: its own words, or the rule set's file."""
    code = f"backtest.rival_{name}"
    return say(code) if code in catalogue() else name


def segment_name(segment: str, name: str) -> str:
    """What a part of the buyers is called."""
    code = f"backtest.size_{name}"
    return say(code) if segment == "size" and code in catalogue() else name or "–"


def reason_words(codes: Sequence[str], most: int) -> str:
    """The first reasons of an alert by their names."""
    return "; ".join(label(code.lower()) if code.lower() in TERMS else code for code in codes[:most])


def definition_name(name: str) -> str:
    """What a definition of default is called: its own words, or as the firm named it."""
    code = f"backtest.definition_{name}"
    return say(code) if code in catalogue() else name


def kind_words(kind: str | None) -> str:
    """What made a default."""
    code = f"backtest.kind_{kind}"
    return say(code) if code in catalogue() else "–"


def notes_of(found: Mapping[str, Any]) -> list[str]:
    """What has to be said beside the figures."""
    notes = [definition_note(found)]
    if not found["defaults"]:
        notes.append(say("backtest.note_none"))
    share = found["invisible"] / found["defaults"] if found["defaults"] else 0.0
    notes.append(
        say(
            "backtest.note_counts", count=f"{found['defaults']:,}", left_out=f"{found['defaults_before_or_unwatched']:,}",
            invisible=f"{found['invisible']:,}", share=f"{share:.1%}",
        )
    )  # fmt: skip
    notes.append(say(f"backtest.note_known_{found['known']}"))
    short = sum(said.get("worst_so_far", 0) for said in found["bases"].values())
    if short:
        notes.append(say("backtest.note_short", count=short, months=found["months"]))
    if any("learnt" in row for row in found["calibration"].get(found["headline"], {}).values()):
        notes.append(say("backtest.note_learnt"))
    if "judged" not in found:
        notes.append(say("backtest.note_judged_early", days=found["horizon_days"]))
    if found["guarded"]:
        notes.append(say("backtest.note_guard", days=", ".join(found["guarded"])))
    if not found["has_limits"]:
        notes.append(say("backtest.note_no_limits"))
    return notes


def definition_note(found: Mapping[str, Any]) -> str:
    """The definition of the event as a sentence."""
    told = found["definition"]
    parts = [
        say(f"backtest.part_{_worded(kind, told[kind])}", **_words(told[kind]))
        for kind in ("past_due", "write_off", "insolvency", "enforcement") if told[kind]["used"]
    ]  # fmt: skip
    return say(
        "backtest.note_definition", name=definition_name(told["name"]), version=told["version"], parts=say("backtest.between_parts").join(parts), days=found["horizon_days"],
        hold=found["hold_days"],
    )  # fmt: skip


def _worded(kind: str, part: Mapping[str, Any]) -> str:
    """Backtests kept from before definitions v2 counted a signal until it was ended, however old it was."""
    return f"{kind}_until_ended" if kind in OF_SIGNALS and "lasts_days" not in part else kind


def _words(part: Mapping[str, Any]) -> dict[str, Any]:
    words = {
        "days": part.get("days_past_due"),
        "cure": part["cure_days"],
        "lasts": part.get("lasts_days"),
        "share": percent(part.get("share")),
    }
    return {name: value for name, value in words.items() if value is not None}


def percent(value: float | None) -> str:
    """A share in whole percent."""
    return "–" if value is None else f"{value:.0%}"


def interval(figure: Sequence[float | None]) -> str:
    """A share with its interval."""
    value, low, high = figure
    return percent(value) if low is None or high is None else f"{percent(value)} ({percent(low)}–{percent(high)})"


def threshold_words(found: Mapping[str, Any], name: str, value: float | None) -> str:
    """The threshold of one budget as people read it: a chance where the rival gives one. Backtests kept from before told scores alone."""
    if value is None:
        return "–"
    return f"{value:.1%}" if name in found.get("thresholds_are_chances", ()) else f"{value:,.1f}"


def quartiles(value: Mapping[str, float | None]) -> str:
    """Days: the median, and the quartiles behind it."""
    low, middle, high = (value[name] for name in ("lead_lower_quartile", "lead_median", "lead_upper_quartile"))
    return "–" if low is None or middle is None or high is None else f"{middle:.0f} ({low:.0f}–{high:.0f})"
