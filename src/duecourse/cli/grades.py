"""`duecourse grade`: how likely is a buyer to fail within a year, and why?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from duecourse.messages import say
from duecourse.tables import Column, Report, Section, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duecourse.cli.session import Session
    from duecourse.desk.grading import Grade


def add_commands(group: click.Group) -> None:
    """Add the commands of this room."""

    @group.command("grade", help=say("cli.grade_help"))
    @click.argument("buyer", required=False)
    @click.option("--base-rate", default=None, type=click.FloatRange(0.0001, 0.5), metavar="SHARE", help=say("cli.grade_base_rate"))
    @click.pass_obj
    def grade(session: Session, buyer: str | None, base_rate: float | None) -> None:
        from duecourse.desk.buyers import find
        from duecourse.desk.grading import grade as one_grade
        from duecourse.desk.grading import grades

        book = session.book
        if buyer:
            session.show(_one(one_grade(book, find(book, buyer), base_rate=base_rate)))
        else:
            session.show(_all(grades(book, base_rate=base_rate), str(book.on)))


def _one(grade: Grade) -> Report:
    title = say("grading.title", buyer=grade.name or grade.buyer_id, grade=grade.grade)
    facts = [
        ("probability_of_default_12m", f"{grade.probability_of_default_12m:.2%}  ({grade.low:.2%} – {grade.high:.2%})"),
        ("score", f"{grade.score:,.0f}"),
        ("confidence", say(f"grading.confidence_{grade.confidence}")),
        ("grade_basis", say(f"grading.basis_{grade.basis}")),
    ]
    facts += [(name, shown(value, "ratio")) for name, value in grade.scores.items() if value is not None]
    rows = [{"figure": Column(name).title, "value": value} for name, value in facts]
    heads = [Column("figure", heading=say("cli.col_figure")), Column("value", "count", heading=say("cli.col_value"))]
    reasons = [
        {"block": say(f"grading.block_{one.block}"), "factor": Column(one.factor).title, "value": shown(one.value, _kind(one.factor)), "points": f"{one.points:+.1f}"}
        for one in grade.reasons if one.value is not None
    ]  # fmt: skip
    columns = [
        Column("block", heading=Column("grade_basis").title), Column("factor", heading=say("cli.col_factor")),
        Column("value", "count", heading=say("cli.col_value")), Column("points", "count", heading=Column("score_points").title),
    ]  # fmt: skip
    sections = [Section("grade", "", heads, rows), Section("reasons", say("grading.reasons"), columns, reasons)]
    return Report(title, sections, grade.data(), [*_remarks(grade), _note(grade)])


def _remarks(grade: Grade) -> list[str]:
    """What a reader must know beside the points."""
    found = [
        say("grading.override_line", what=say(f"grading.override_{one.code}"), since=say("grading.since", day=one.since) if one.since else "", grade=one.grade)
        for one in grade.overrides
    ]  # fmt: skip
    if grade.overrides and grade.grade_without_overrides != grade.grade:
        found.append(say("grading.overridden", grade=grade.grade_without_overrides))
    if grade.adjustment:
        one = grade.adjustment
        found.append(
            say("grading.adjusted", made_by=one.made_by, approved_by=one.approved_by, until=one.until, reason=one.reason, grade=grade.grade_without_adjustment)
        )  # fmt: skip
    if grade.capped:
        found.append(say("grading.capped", model=grade.model_grade, grade=max(grade.model_grade, grade.grade_without_adjustment)))
    return [*found, *(say(f"grading.doubt_{code}") for code in grade.doubts)]


def _note(grade: Grade) -> str:
    own = say("grading.calibration", points=f"{grade.calibration_points:+.0f}") if grade.calibration_points else ""
    of = say("grading.of_named", name=grade.base_rate_of) if grade.base_rate_of else say("grading.of_everywhere")
    return say(
        "grading.note", base=f"{grade.base_points:,.0f}", rate=f"{grade.base_rate:.2%}", of=of, calibration=own,
        accounts=f"{grade.weights['accounts']:.0%}", conduct=f"{grade.weights['conduct']:.0%}",
    )  # fmt: skip


def _kind(factor: str) -> Any:
    from duecourse.glossary import term

    unit = term(factor).unit
    return unit if unit in ("fraction", "days", "ratio") else "ratio"


def _all(found: Sequence[Mapping[str, Any]], on: str) -> Report:
    rows = [
        {
            **{name: one[name] for name in ("buyer_id", "name", "grade", "probability_of_default_12m", "low", "high", "grade_without_overrides", "period_end")},
            "score": round(one["score"]), "confidence": say(f"grading.confidence_{one['confidence']}"), "basis": say(f"grading.basis_{one['basis']}"),
            "overrides": "; ".join(say(f"grading.override_{code}") for code in one["overrides"]),
        }
        for one in found
    ]  # fmt: skip
    columns = [
        Column("buyer_id"), Column("name"), Column("grade", "count"), Column("probability_of_default_12m", "fraction"), Column("score", "count"),
        Column("confidence"), Column("basis", heading=Column("grade_basis").title), Column("overrides", heading=say("grading.overrides")),
        Column("period_end", "date"),
    ]  # fmt: skip
    notes = [] if rows else [say("grading.grade_none", on=on)]
    return Report("", [Section("grades", say("grading.grades_title"), columns, rows)], {"as_of": on, "grades": list(found)}, notes)
