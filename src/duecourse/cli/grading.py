"""`duecourse statements`: a buyer's accounts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from duecourse.cli.session import Session, parse_day
from duecourse.errors import OptionMisusedError
from duecourse.messages import say
from duecourse.tables import Column, Money, Report, Section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duecourse.intake.statements import StatementsRead

UNITS: Final = ("1", "1000", "10000", "1000000", "100000000")


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
            from duecourse.forms import write_form

            write_form(template, "statements")
            click.echo(say("cli.form_written", path=template), err=True)
            return 0
        return _take_statements(session, files, given, only_preview=only_preview)


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
        received_on=datetime.now(UTC).date(),
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
