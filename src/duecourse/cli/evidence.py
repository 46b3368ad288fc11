"""`duecourse signals`: what registers, bureaus, insurers and the press say of buyers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from duecourse.errors import OptionMisusedError
from duecourse.messages import say
from duecourse.tables import Column, Money, Report, Section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duecourse.cli.session import Session

COLUMNS = ("buyer_id", "kind", "severity", "published_on", "value", "amount", "provider", "reference")


def add_commands(group: click.Group) -> None:
    """Add the commands of this room."""

    @group.command("signals", help=say("cli.signals_help"))
    @click.argument("files", nargs=-1, type=click.Path(path_type=Path))
    @click.option("--preview", "only_preview", is_flag=True, help=say("cli.import_preview"))
    @click.option("--template", type=click.Path(path_type=Path), default=None, metavar="FILE", help=say("cli.form_help"))
    @click.pass_obj
    def signals(session: Session, /, files: Sequence[Path], *, only_preview: bool, template: Path | None) -> int:
        if template is not None:
            from duecourse.forms import write_form

            write_form(template, "signals")
            click.echo(say("cli.form_written", path=template), err=True)
            return 0
        if not files:
            raise OptionMisusedError(option="FILE", value="", hint=say("cli.signals_needs_file"))
        return _take_signals(session, files, only_preview=only_preview)


def _take_signals(session: Session, files: Sequence[Path], *, only_preview: bool) -> int:
    from duecourse.cli.importing import finding_columns, finding_rows
    from duecourse.desk.evidence import kind_word, severity_word
    from duecourse.intake.signals import default_severity, import_signals, read_signals

    ledger = session.ledger()
    reads = [read_signals(path, ledger) for path in files]
    notes = []
    for read in () if only_preview else reads:
        done = import_signals(ledger, read)
        notes.append(
            say(
                "cli.signals_done", file=read.file_name, added=done.added.get("signal", 0), corrected=done.corrected.get("signal", 0),
                unchanged=done.unchanged.get("signal", 0), refused=sum(one.severity == "error" for one in read.findings),
            )
        )  # fmt: skip
    rows = [
        {
            **row, "kind": kind_word(row["kind"]), "severity": severity_word(row["severity"] or default_severity(row["kind"])),
            "amount": None if row["amount_minor"] is None else Money(row["amount_minor"], row["currency"]),
        }
        for read in reads for row in read.rows
    ]  # fmt: skip
    kinds = {"published_on": "date", "amount": "money"}
    columns = [Column(name, kinds.get(name, "text")) for name in COLUMNS]  # type: ignore[arg-type]
    findings = [row for read in reads for row in finding_rows(read.findings)]
    sections = [Section("signals", say("cli.signals_title"), columns, rows)]
    if findings:
        sections.append(Section("findings", say("cli.check_findings"), finding_columns(), findings))
    session.show(Report("", sections, {"signals": rows, "findings": findings}, notes))
    return 1 if findings else 0
