"""`duecourse backtest`: would this ledger have been warned in time?"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from duecourse.cli.session import Session, parse_day, progress_bar
from duecourse.desk.backtest_words import (
    interval,
    kind_words,
    notes_of,
    percent,
    quartiles,
    reason_words,
    rival_name,
    segment_name,
    threshold_words,
)
from duecourse.errors import OptionMisusedError
from duecourse.glossary import label
from duecourse.messages import say
from duecourse.tables import Column, Money, Report, Section

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

REASONS: Final = 3
SEGMENTS: Final = ("size", "country", "sector")


def add_commands(group: click.Group) -> None:
    """Add the commands of this room."""

    @group.command("backtest", help=say("cli.backtest_help"))
    @click.option("--from", "since", default="", metavar="DATE", help=say("cli.backtest_from"))
    @click.option("--to", "until", default="", metavar="DATE", help=say("cli.backtest_to"))
    @click.option(
        "--budget", default=0.01, type=click.FloatRange(0.0001, 1.0), show_default=True, metavar="SHARE", help=say("cli.backtest_budget")
    )
    @click.option("--definition", "name", default="default", show_default=True, metavar="NAME", help=say("cli.backtest_definition"))
    @click.option(
        "--analysts", default=1.0, type=click.FloatRange(0.1, 1000.0), show_default=True, metavar="N", help=say("cli.backtest_analysts")
    )
    @click.option("--by", "segment", default="size", type=click.Choice(SEGMENTS), show_default=True, help=say("cli.backtest_by"))
    @click.option(
        "--rules",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        multiple=True,
        metavar="FILE",
        help=say("cli.backtest_rules"),
    )
    @click.option("--recorded", is_flag=True, help=say("cli.backtest_recorded"))
    @click.option(
        "--list", "listed", default=10, type=click.IntRange(0, 200), show_default=True, metavar="N", help=say("cli.backtest_list")
    )
    @click.pass_obj
    def backtest(
        session: Session, since: str, until: str, budget: float, name: str, analysts: float, segment: str, rules: Sequence[Path],
        *, recorded: bool, listed: int,
    ) -> None:  # fmt: skip
        from duecourse.desk.backtest import backtest as replayed

        sets = {path.stem: _thresholds(path) for path in rules}
        first, last = (parse_day(text, option) if text else None for text, option in ((since, "--from"), (until, "--to")))
        with progress_bar(say("cli.backtest_working")) as bar:
            found = replayed(
                session.book, since=first, until=last, share=budget, name=name, analysts=analysts, segment=segment, sets=sets, recorded=recorded,
                processes=len(os.sched_getaffinity(0)), progress=None if bar is None else (lambda share: bar(share, "")),
            )  # fmt: skip
        session.show(_report(found, listed))


def _thresholds(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise OptionMisusedError(option="--rules", value=str(path), hint=say("cli.backtest_rules_unreadable"))
    return found


def _report(found: Mapping[str, Any], listed: int) -> Report:
    rival = rival_name(found["headline"])
    title = say("backtest.title", since=found["since"], until=found["until"], share=f"{found['share']:.2%}", buyers=f"{found['buyers']:,}")
    sections = [
        Section("rivals", say("backtest.rivals"), _rival_columns("rival"), _rivals(found)),
        Section(
            "segments", say("backtest.segments", rival=rival, segment=say(f"backtest.segment_{found['segment']}")), _segment_columns(),
            _segments(found),
        ),
        Section("trade_off", say("backtest.trade_off", rival=rival), _trade_off_columns(), _trade_off(found)),
    ]  # fmt: skip
    rows = _calibration(found)
    if rows:
        sections.append(Section("calibration", say("backtest.calibration", rival=rival), _calibration_columns(), rows))
    for name, columns in (("misses", _miss_columns(found["currency"])), ("false_alarms", _alarm_columns(found["currency"]))):
        rows = [_listed(found, row) for row in found[name][:listed]]
        if rows:
            heading = say(f"backtest.{name}", rival=rival, shown=len(rows), count=f"{found[f'{name}_counted']:,}")
            sections.append(Section(name, heading, columns, rows))
    return Report(title, sections, found, notes_of(found))


def _rival_columns(of: str) -> list[Column]:
    return [
        Column(of, heading=say(f"backtest.col_{of}")), Column("recall_90", heading=say("backtest.col_recall_90")),
        Column("recall", "fraction", heading=say("backtest.col_recall")), Column("precision", heading=say("backtest.col_precision")),
        Column("lead", heading=say("backtest.col_lead")), Column("lead_share", heading=say("backtest.col_lead_share")),
        Column("false_alarms_per_buyer_year", "ratio", heading=say("backtest.col_false")),
        Column("alerts_per_analyst_day", "ratio", heading=say("backtest.col_per_day")),
        Column("saved_share", "fraction", heading=say("backtest.col_saved")), Column("auc", "ratio", heading=say("backtest.col_auc")),
    ]  # fmt: skip


def _rivals(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for name, one in found["rivals"].items():
        value = {key: figures[0] for key, figures in one["figures"].items()}
        rows.append(
            {
                **value, "rival": rival_name(name), "recall_90": interval(one["figures"]["recall_90"]), "precision": interval(one["figures"]["precision"]),
                "lead": quartiles(value), "lead_share": f"{percent(value['lead_share_90'])} / {percent(value['lead_share_180'])}", "auc": one["auc"],
            }
        )  # fmt: skip
    return rows


def _segment_columns() -> list[Column]:
    return [
        Column("segment", heading=say("backtest.col_segment")), Column("defaults", "count", heading=say("backtest.col_defaults")),
        Column("recall_90", "fraction", heading=say("backtest.col_recall_90")), Column("recall", "fraction", heading=say("backtest.col_recall")),
        Column("alerts", "count", heading=say("backtest.col_alerts")), Column("precision", "fraction", heading=say("backtest.col_precision")),
    ]  # fmt: skip


def _segments(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for name, one in found["rivals"][found["headline"]]["segments"].items():
        rows.append(
            {**one, "segment": segment_name(found["segment"], name), "defaults": round(one["defaults"]), "alerts": round(one["alerts"])}
        )
    return sorted(rows, key=lambda row: -row["defaults"])


def _trade_off(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    name = found["headline"]
    return [
        {**row, "share": f"{row['share']:.2%}", "threshold": threshold_words(found, name, row["threshold"])}
        for row in found["trade_off"][name]
    ]


def _trade_off_columns() -> list[Column]:
    kinds: dict[str, Any] = {
        "share": "fraction", "threshold": "ratio", "recall_90": "fraction", "recall": "fraction", "precision": "fraction", "lead_median": "days",
        "false_alarms_per_buyer_year": "ratio", "alerts_per_analyst_day": "ratio", "saved_share": "fraction",
    }  # fmt: skip
    heads = {
        "lead_median": "lead_days",
        "false_alarms_per_buyer_year": "false",
        "alerts_per_analyst_day": "per_day",
        "saved_share": "saved",
    }
    return [Column(name, kind, heading=say(f"backtest.col_{heads.get(name, name)}")) for name, kind in kinds.items()]


def _calibration(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "period": period, "rows": one["rows"], "expected": f"{one['expected']:.1f}", "observed": one["observed"],
            "range": f"{one['low']:.0f}–{one['high']:.0f}", "is_right": one["is_right"], "learnt": one.get("learnt"),
        }
        for period, one in found["calibration"].get(found["headline"], {}).items() if one["rows"]
    ]  # fmt: skip


def _calibration_columns() -> list[Column]:
    kinds: dict[str, Any] = {
        "period": "text",
        "rows": "count",
        "expected": "text",
        "observed": "count",
        "range": "text",
        "is_right": "state",
        "learnt": "count",
    }
    return [Column(name, kind, heading=say(f"backtest.col_{name}")) for name, kind in kinds.items()]


def _miss_columns(currency: str) -> list[Column]:
    return [
        Column("happened_on", heading=say("backtest.col_happened")), Column("buyer_id"), Column("name"),
        Column("kind", heading=say("backtest.col_kind")), Column("why", heading=say("backtest.col_why")),
        Column("lead", "count", heading=say("backtest.col_lead_days")), Column("score", "ratio", heading=say("backtest.col_score")),
        Column("exposure", "money", heading=f"{label('exposure')}, {currency}"), Column("oldest_days_past_due", "count", heading=say("backtest.col_oldest")),
        Column("reasons", heading=say("backtest.col_reasons")),
    ]  # fmt: skip


def _alarm_columns(currency: str) -> list[Column]:
    return [
        Column("on", heading=say("backtest.col_on")), Column("buyer_id"), Column("name"), Column("score", "ratio", heading=say("backtest.col_score")),
        Column("exposure", "money", heading=f"{label('exposure')}, {currency}"), Column("oldest_days_past_due", "count", heading=say("backtest.col_oldest")),
        Column("oldest_days_past_due_after", "count", heading=say("backtest.col_after")), Column("reasons", heading=say("backtest.col_reasons")),
    ]  # fmt: skip


def _listed(found: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    shown = {**row, "reasons": reason_words(row["reasons"], REASONS), "exposure": Money(row["exposure"], found["currency"])}
    if "why" in row:
        shown["why"] = say(f"backtest.why_{row['why']}")
        shown["kind"] = kind_words(row["kind"])
        shown["lead"] = row["lead"] if row["lead"] >= 0 else None
    return shown
