"""`duecourse drift`: do the scores still fit the firm's buyers?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from duecourse.glossary import label
from duecourse.messages import say
from duecourse.tables import Column, Report, Section

if TYPE_CHECKING:
    from collections.abc import Mapping

    from duecourse.cli.session import Session

COMPOSITE: Final = "composite"


def add_commands(group: click.Group) -> None:
    """Add the commands of this room."""

    @group.command("drift", help=say("cli.drift_help"))
    @click.option("--days", default=365, type=click.IntRange(30, 3660), show_default=True, metavar="N", help=say("cli.drift_days"))
    @click.option("--all", "everything", is_flag=True, help=say("cli.drift_all"))
    @click.pass_obj
    def drift(session: Session, days: int, *, everything: bool) -> None:
        from duecourse.desk.drift import drift as moved

        session.show(_report(moved(session.book, days=days), everything=everything))


def _report(found: Mapping[str, Any], *, everything: bool) -> Report:
    rows = [row for row in found["inputs"] if everything or row["level"] in ("some", "much")]
    shown = [
        {
            **row, "indicator": say("drift.composite") if row["indicator"] == COMPOSITE else f"{row['indicator']} {label(row['indicator'].lower())}",
            "level": say(f"drift.level_{row['level']}"),
        }
        for row in rows
    ]  # fmt: skip
    kinds: dict[str, Any] = {
        "indicator": "text", "index": "ratio", "level": "text", "median_then": "ratio", "median_now": "ratio", "missing_then": "fraction",
        "missing_now": "fraction",
    }  # fmt: skip
    columns = [Column(name, kind, heading=say(f"drift.col_{name}")) for name, kind in kinds.items()]
    sections = [Section("inputs", say("drift.inputs", shown=len(rows), count=len(found["inputs"])), columns, shown), _migration(found)]
    verdicts = found["verdicts"]
    if any(verdicts["counts"].values()):
        counted = [{"verdict": say(f"drift.verdict_{name}"), "count": count} for name, count in verdicts["counts"].items()]
        heads = [Column("verdict", heading=say("drift.col_verdict")), Column("count", "count", heading=say("drift.col_count"))]
        sections.append(Section("verdicts", say("drift.verdicts"), heads, counted))
    return Report(say("drift.title", since=found["since"], on=found["on"]), sections, found, _notes(found))


def _migration(found: Mapping[str, Any]) -> Section:
    counts = found["migration"]["counts"]
    names = [*(str(number) for number in range(1, len(counts) + 1)), "default", "gone"]
    rows = [{"grade_then": number, **dict(zip(names, row, strict=True))} for number, row in enumerate(counts, start=1) if any(row)]
    columns = [Column("grade_then", "count", heading=say("drift.col_grade_then"))]
    columns += [Column(name, "count", heading=name if name.isdecimal() else say(f"drift.col_{name}")) for name in names]
    return Section("migration", say("drift.migration"), columns, rows)


def _notes(found: Mapping[str, Any]) -> list[str]:
    notes = [say("drift.note_index")]
    moved, verdicts = found["migration"], found["verdicts"]
    if moved["same"] is not None:
        same, worse, better = (f"{moved[name]:.0%}" for name in ("same", "worse", "better"))
        notes.append(say("drift.note_grades", same=same, worse=worse, better=better))
    if verdicts["right_share"] is None:
        notes.append(say("drift.note_no_verdicts"))
    else:
        notes.append(say("drift.note_verdicts", share=f"{verdicts['right_share']:.0%}", days=f"{verdicts['days_median'] or 0:.0f}"))
    return notes
