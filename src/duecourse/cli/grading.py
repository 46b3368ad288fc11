"""`duecourse statements`, `grade`: a buyer's accounts, and what they say of its chance to fail."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from duecourse.cli.session import Session, parse_day
from duecourse.errors import OptionMisusedError
from duecourse.messages import say
from duecourse.tables import Column, Money, Report, Section, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duecourse.desk.grading import Grade
    from duecourse.intake.statements import StatementsRead

UNITS: Final = ("1", "1000", "10000", "1000000", "100000000")
TEMPLATE: Final = (
    "buyer_id", "period_end", "period_months", "currency", "unit", "published_on", "audited", "opinion", "consolidated", "standard",
)  # fmt: skip


def add_commands(group: click.Group) -> None:
    """Add the commands of this room."""

    @group.command("statements", help=say("cli.statements_help"))
    @click.argument("files", nargs=-1, type=click.Path(path_type=Path))
    @click.option("--buyer", "buyer_id", default="", metavar="NUMBER", help=say("cli.statements_buyer"))
    @click.option("--currency", default="", metavar="CODE", help=say("cli.statements_currency"))
    @click.option("--unit", type=click.Choice(UNITS), default=None, help=say("cli.statements_unit"))
    @click.option("--months", default=None, type=click.IntRange(1, 24), metavar="N", help=say("cli.statements_months"))
    @click.option("--published", default="", metavar="DATE", help=say("cli.statements_published"))
    @click.option("--audited/--unaudited", default=None, help=say("cli.statements_audited"))
    @click.option("--preview", "only_preview", is_flag=True, help=say("cli.import_preview"))
    @click.option("--template", type=click.Path(path_type=Path), default=None, metavar="FILE", help=say("cli.statements_template"))
    @click.pass_obj
    def statements(session: Session, /, files: Sequence[Path], *, only_preview: bool, template: Path | None, **given: Any) -> int:
        if template is not None:
            _write_template(template)
            click.echo(say("cli.statements_template_written", path=template), err=True)
            return 0
        return _take_statements(session, files, given, only_preview=only_preview)

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


def _take_statements(session: Session, files: Sequence[Path], given: dict[str, Any], *, only_preview: bool) -> int:
    from duecourse.desk.buyers import find
    from duecourse.intake.statements import StatementOptions, import_statements, read_statements

    if not files:
        raise OptionMisusedError(option="FILE", value="", hint=say("cli.statements_needs_file"))
    ledger = session.ledger()
    buyer = find(session.book, given["buyer_id"]) if given["buyer_id"] else ""
    options = StatementOptions(
        buyer_id=buyer, currency=given["currency"].upper(), unit=int(given["unit"]) if given["unit"] else None, period_months=given["months"],
        published_on=parse_day(given["published"], "--published") if given["published"] else None, audited=given["audited"],
    )  # fmt: skip
    reads = [read_statements(path, options, ledger=ledger) for path in files]
    notes = []
    if not only_preview:
        for read in reads:
            done = import_statements(ledger, read)
            notes.append(
                say(
                    "cli.statements_done", file=read.file_name, added=done.added.get("statement", 0), corrected=done.corrected.get("statement", 0),
                    unchanged=done.unchanged.get("statement", 0),
                )
            )  # fmt: skip
    session.show(_read_report(reads, notes))
    return 1 if any(read.findings for read in reads) else 0


def _read_report(reads: Sequence[StatementsRead], notes: list[str]) -> Report:
    from duecourse.cli.importing import finding_columns, finding_rows
    from duecourse.ledger.entries import STATEMENT_ITEMS

    rows = [row for read in reads for row in read.rows]
    about = ("buyer_id", "period_end", "period_months", "currency", "published_on")
    used = [item for item in STATEMENT_ITEMS if any(row[item] is not None for row in rows)]
    lines = [
        {**row, **{item: None if row[item] is None else Money(row[item], row["currency"]) for item in used}} for row in rows
    ]  # fmt: skip
    columns = [
        Column(name, "date" if name in ("period_end", "published_on") else "count" if name == "period_months" else "text") for name in about
    ]
    findings = [row for read in reads for row in finding_rows(read.findings)]
    sections = [Section("statements", say("cli.statements_title"), [*columns, *(Column(item, "money") for item in used)], lines)]
    if findings:
        sections.append(Section("findings", say("cli.check_findings"), finding_columns(), findings))
    return Report("", sections, {"statements": lines, "findings": findings}, notes)


def _one(grade: Grade) -> Report:
    title = say("cli.grade_title", buyer=grade.name or grade.buyer_id, grade=grade.grade, period=grade.period_end)
    facts = [
        ("probability_of_default_12m", f"{grade.probability_of_default_12m:.2%}  ({grade.low:.2%} – {grade.high:.2%})"),
        ("score", f"{grade.score:,.0f}"),
    ]
    rows = [{"figure": Column(name).title, "value": value} for name, value in facts]
    rows += [{"figure": say("cli.grade_confidence"), "value": say(f"cli.confidence_{grade.confidence}")}]
    rows += [{"figure": Column(name).title, "value": shown(value, "ratio")} for name, value in grade.scores.items()]
    heads = [Column("figure", heading=say("cli.col_figure")), Column("value", "count", heading=say("cli.col_value"))]
    reasons = [
        {"factor": Column(one.factor).title, "value": shown(one.value, _kind(one.factor)), "points": f"{one.points:+.1f}"}
        for one in grade.reasons
    ]
    columns = [Column("factor", heading=say("cli.col_factor")), Column("value", "count", heading=say("cli.col_value"))]
    columns.append(Column("points", "count", heading=Column("score_points").title))
    notes = [say("cli.grade_note", base=f"{grade.base_points:,.0f}", rate=f"{grade.base_rate:.2%}", model=grade.model)]
    if grade.capped:
        notes.insert(0, say("cli.grade_capped", days=grade.age_days))
    if grade.negative_equity:
        notes.insert(0, say("cli.grade_negative_equity"))
    data = {
        **{name: getattr(grade, name) for name in (
            "buyer_id", "name", "period_end", "age_days", "grade", "probability_of_default_12m", "low", "high", "score", "base_points", "confidence", "capped",
            "negative_equity", "base_rate", "model",
        )},
        "scores": dict(grade.scores),
        "reasons": [{"factor": one.factor, "family": one.family, "value": one.value, "points": one.points} for one in grade.reasons],
    }  # fmt: skip
    return Report(title, [Section("grade", "", heads, rows), Section("reasons", say("cli.grade_reasons"), columns, reasons)], data, notes)


def _kind(factor: str) -> Any:
    from duecourse.glossary import term

    unit = term(factor).unit
    return unit if unit in ("fraction", "days", "ratio") else "ratio"


def _all(found: Sequence[Grade], on: str) -> Report:
    rows = [
        {
            "buyer_id": one.buyer_id, "name": one.name, "grade": one.grade, "probability_of_default_12m": one.probability_of_default_12m, "score": round(one.score),
            "confidence": say(f"cli.confidence_{one.confidence}"), "period_end": one.period_end,
        }
        for one in found
    ]  # fmt: skip
    columns = [
        Column("buyer_id"), Column("name"), Column("grade", "count"), Column("probability_of_default_12m", "fraction"), Column("score", "count"),
        Column("confidence", heading=say("cli.grade_confidence")), Column("period_end", "date"),
    ]  # fmt: skip
    notes = [] if rows else [say("cli.grade_none", on=on)]
    return Report("", [Section("grades", say("cli.grades_title"), columns, rows)], {"as_of": on, "grades": rows}, notes)


def _write_template(path: Path) -> None:
    from duecourse.ledger.entries import STATEMENT_ITEMS
    from duecourse.tables import write_csv, write_xlsx

    report = Report("", [Section("statements", say("cli.statements_title"), [Column(name) for name in (*TEMPLATE, *STATEMENT_ITEMS)], [])])
    (write_xlsx if path.suffix.lower() == ".xlsx" else write_csv)(report, path)
