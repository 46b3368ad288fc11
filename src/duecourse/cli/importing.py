"""`duecourse import`, `quarantine`: look at a file, take it in, mend what was refused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from duecourse.cli.session import Session, asked, interactive, parse_day, progress_bar
from duecourse.errors import FileNotFoundHereError, OptionMisusedError
from duecourse.messages import say
from duecourse.tables import Column, Money, Report, Section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duecourse.findings import Finding
    from duecourse.intake.importer import ImportResult, Options, Preview
    from duecourse.intake.quarantine import Refused

SURE = 0.8
"""Below this confidence a person at the terminal is asked before a file is used."""


def add_commands(group: click.Group) -> None:
    """Add the commands of this room."""

    @group.command("import", help=say("cli.import_help"))
    @click.argument("files", nargs=-1, type=click.Path(path_type=Path))
    @click.option("--preview", "only_preview", is_flag=True, help=say("cli.import_preview"))
    @click.option("--yes", "-y", is_flag=True, help=say("cli.import_yes"))
    @click.option("--fix", is_flag=True, help=say("cli.import_fix"))
    @click.option("--map", "mapping", multiple=True, metavar="ROLE=COLUMN", help=say("cli.import_map"))
    @click.option("--currency", default="", metavar="CODE", help=say("cli.import_currency"))
    @click.option("--base-currency", default="", metavar="CODE", help=say("cli.import_base_currency"))
    @click.option("--snapshot", default="", metavar="DATE", help=say("cli.import_snapshot"))
    @click.option("--partial", is_flag=True, help=say("cli.import_partial"))
    @click.option("--complete", is_flag=True, help=say("cli.import_complete"))
    @click.option("--date-order", type=click.Choice(["dmy", "mdy", "ymd"]), default=None, help=say("cli.import_date_order"))
    @click.option("--decimal", type=click.Choice([".", ","]), default=None, help=say("cli.import_decimal"))
    @click.option(
        "--shape",
        type=click.Choice(["transactions", "open_items", "payments", "buyers", "disputes", "rates", "limits"]),
        default=None,
        help=say("cli.import_shape"),
    )
    @click.option("--sheet", default="", metavar="NAME", help=say("cli.import_sheet"))
    @click.option("--source", default="", metavar="SYSTEM", help=say("cli.import_source"))
    @click.option("--unit", default="", metavar="UNIT", help=say("cli.import_unit"))
    @click.option("--provider", default="own", metavar="NAME", help=say("cli.import_provider"))
    @click.option("--limits-form", type=click.Path(path_type=Path), default=None, metavar="FILE", help=say("cli.import_limits_form"))
    @click.pass_obj
    def import_(
        session: Session, /, files: Sequence[Path], *, only_preview: bool, yes: bool, fix: bool, limits_form: Path | None, **given: Any
    ) -> int:
        if limits_form is not None:
            from duecourse.forms import write_form

            write_form(limits_form, "limits")
            click.echo(say("cli.form_written", path=limits_form), err=True)
            return 0
        if not files:
            raise OptionMisusedError(option="FILE", value="", hint=say("cli.import_needs_file"))
        options = _options(**given)
        if only_preview:
            session.show(_preview_report([_preview(session, path, options) for path in files]))
            return 0
        if fix:
            return _fix(session, files, options)
        return take_in(session, files, options, ask=not yes)

    @group.command("quarantine", help=say("cli.quarantine_help"))
    @click.option("--batch", default=None, metavar="BATCH", help=say("cli.quarantine_batch"))
    @click.pass_obj
    def quarantine(session: Session, batch: str | None) -> int:
        from duecourse.intake.quarantine import export_quarantine, waiting

        ledger = session.ledger()
        if session.output is not None and session.form in ("table", "csv", "xlsx"):
            count = export_quarantine(ledger, batch, session.output)
            click.echo(say("cli.quarantine_written", count=count, path=session.output), err=True)
            return 1 if count else 0
        rows = waiting(ledger, batch)
        session.show(_refused_report(rows))
        return 1 if rows else 0


def _options(
    *, mapping: Sequence[str], snapshot: str, partial: bool, complete: bool, **given: str | None
) -> Options:  # fmt: skip
    from duecourse.intake.importer import Options

    columns = {}
    for pair in mapping:
        role, equals, column = pair.partition("=")
        if not equals:
            raise OptionMisusedError(option="--map", value=pair, hint=say("cli.hint_map"))
        columns[role.strip()] = column.strip()
    if partial and complete:
        raise OptionMisusedError(option="--partial", value="--complete", hint=say("cli.hint_partial"))
    said: dict[str, Any] = {name: value or "" for name, value in given.items()}
    return Options(
        columns=columns,
        snapshot_date=parse_day(snapshot, "--snapshot") if snapshot else None,
        completeness="partial" if partial else "complete" if complete else "",
        **said,
    )


def take_in(session: Session, files: Sequence[Path], options: Options, *, ask: bool) -> int:
    """Import files one after another, showing how each will be read when a person is there; 1 if rows were refused."""
    from duecourse.desk.upkeep import compact_if_cheap
    from duecourse.intake.importer import import_file

    for path in files:  # a slip of the pen leaves no empty ledger behind
        if not path.exists():
            raise FileNotFoundHereError(path=str(path))
    ledger = session.ledger(create=True)
    results: list[ImportResult] = []
    for path in files:
        if ask and interactive():
            found = _preview(session, path, options)
            _to_stderr(_preview_report([found]))
            if found.profile.confidence < SURE and not asked(say("cli.import_ask", confidence=f"{found.profile.confidence:.0%}")):
                raise click.Abort
        with progress_bar(path.name) as bar:
            step = None if bar is None else (lambda share, phase, bar=bar: bar(share, say(f"progress.{phase}")))
            results.append(import_file(ledger, path, options, progress=step))
    compact_if_cheap(ledger)
    session.show(_results_report(results))
    return 1 if any(result.quarantined for result in results) else 0


def _fix(session: Session, files: Sequence[Path], options: Options) -> int:
    from duecourse.intake.mending import fix

    ledger = session.ledger()
    results = [result for path in files for result in fix(ledger, path, options)]
    session.show(_results_report(results))
    return 1 if any(result.quarantined for result in results) else 0


def _preview(session: Session, path: Path, options: Options) -> Preview:
    from duecourse.errors import LedgerNotFoundError
    from duecourse.intake.importer import preview

    try:
        ledger = session.ledger()
    except LedgerNotFoundError:
        ledger = None
    return preview(path, options, ledger=ledger)


def _to_stderr(report: Report) -> None:
    from contextlib import redirect_stdout
    from sys import stderr

    from duecourse.cli.render import write

    with redirect_stdout(stderr):
        write(report, "table", None)


def finding_rows(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Findings as rows: how serious, where, what and what to do."""
    return [
        {
            "severity": say(f"cli.severity_{finding.severity}"), "code": finding.code, "source": finding.source, "row": finding.row,
            "column": finding.column, "value": finding.value, "message": finding.message(),
        }
        for finding in findings
    ]  # fmt: skip


def finding_columns() -> list[Column]:
    """Headings of `finding_rows`."""
    return [
        Column("severity", heading=say("cli.col_severity")), Column("source", heading=say("cli.col_file")),
        Column("row", "count", heading=say("cli.col_line")), Column("message", heading=say("cli.col_message")),
    ]  # fmt: skip


def _preview_report(previews: Sequence[Preview]) -> Report:
    sections: list[Section] = []
    data = []
    for found in previews:
        profile = found.profile
        readings = [
            {"role": role, "column": reading.column, "confidence": reading.confidence, "habit": str(reading.habit or "")}
            for role, reading in profile.mapping.items()
        ]
        sections.append(
            Section(
                "mapping",
                say("cli.preview_mapping", file=found.file_name, shape=say(f"cli.shape_{profile.shape}"), source=profile.source, confidence=f"{profile.confidence:.0%}"),
                [Column("role", heading=say("cli.col_role")), Column("column", heading=say("cli.col_column")),
                 Column("confidence", "fraction", heading=say("cli.col_confidence")), Column("habit", heading=say("cli.col_habit"))],
                readings,
                notes=[say("cli.preview_unused", columns=", ".join(profile.unused))] if profile.unused else [],
            )
        )  # fmt: skip
        for name, table, title in (("first_rows", found.first_rows, "cli.preview_rows"), ("totals", found.totals, "cli.preview_totals")):
            used = [c for c in table.column_names if table.column(c).null_count < table.num_rows and c not in ("bad", "raw")]
            rows = [{key: _cell(value) for key, value in row.items()} for row in table.select(used).to_pylist()]
            sections.append(Section(name, say(title), [Column(c, heading=c) for c in used], rows))
        if found.findings:
            sections.append(Section("findings", say("cli.findings"), finding_columns(), finding_rows(found.findings)))
        data.append(
            {
                "file": found.file_name, "shape": profile.shape, "source": profile.source, "confidence": profile.confidence, "mapping": readings,
                "unused": list(profile.unused), "first_rows": [{k: _cell(v) for k, v in row.items()} for row in found.first_rows.to_pylist()],
                "totals": [{k: _cell(v) for k, v in row.items()} for row in found.totals.to_pylist()], "findings": finding_rows(found.findings),
            }
        )  # fmt: skip
    return Report("", sections, {"previews": data})


def _cell(value: Any) -> Any:
    from decimal import Decimal

    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _results_report(results: Sequence[ImportResult]) -> Report:
    rows = []
    totals = []
    findings: list[Finding] = []
    for result in results:
        added = {name: count for name, count in result.added.items() if count and name not in ("setting", "quarantine")}
        rows.append(
            {
                "file": result.file_name, "batch": result.batch_id or result.known_as, "read": result.read,
                "added": sum(added.values()), "corrected": sum(n for name, n in result.corrected.items() if name not in ("setting", "quarantine")),
                "unchanged": sum(n for name, n in result.unchanged.items() if name not in ("setting", "quarantine")),
                "quarantined": result.quarantined, "dropped": sum(result.dropped.values()),
            }
        )  # fmt: skip
        totals += [
            {
                "file": result.file_name, "currency": total.currency, "documents": total.documents,
                "amount": Money(total.documents_minor, total.currency), "credits": Money(total.credits_minor, total.currency),
                "open": None if total.open_minor is None else Money(total.open_minor, total.currency),
            }
            for total in result.totals
        ]  # fmt: skip
        findings += result.findings
    text = [Column("file", heading=say("cli.col_file"))]
    counted = [
        Column(name, "count", heading=say(f"cli.col_{name}"))
        for name in ("read", "added", "corrected", "unchanged", "quarantined", "dropped")
    ]
    sections = [Section("imports", say("cli.imported"), [*text, Column("batch", heading=say("cli.col_batch")), *counted], rows)]
    if totals:
        money = [Column(name, "money", heading=say(f"cli.col_{name}")) for name in ("amount", "credits", "open")]
        columns = [*text, Column("currency"), Column("documents", "count", heading=say("cli.col_documents")), *money]
        sections.append(Section("totals", say("cli.import_totals"), columns, totals))
    if findings:
        sections.append(Section("findings", say("cli.findings"), finding_columns(), finding_rows(findings)))
    notes = [say("cli.import_quarantined", count=sum(r.quarantined for r in results))] if any(r.quarantined for r in results) else []
    full = [
        {**row, "added_by_table": dict(result.added), "shape": result.shape, "source": result.source,
         "snapshot_date": result.snapshot_date, "known_before": bool(result.known_as)}
        for row, result in zip(rows, results, strict=True)
    ]  # fmt: skip
    return Report("", sections, {"imports": full, "totals": totals, "findings": finding_rows(findings)}, notes)


def _refused_report(rows: Sequence[Refused]) -> Report:
    shown = [
        {
            "file": row.file_name, "row": row.file_row, "column": row.finding.column, "value": row.finding.value,
            "reason": row.finding.message(), "code": row.finding.code, "cells": dict(row.cells),
        }
        for row in rows
    ]  # fmt: skip
    columns = [
        Column("file", heading=say("cli.col_file")), Column("row", "count", heading=say("cli.col_line")), Column("column", heading=say("cli.col_column")),
        Column("value", heading=say("cli.col_value")), Column("reason", heading=say("cli.col_reason")),
    ]  # fmt: skip
    section = Section("quarantine", say("cli.quarantine_title", count=len(shown)), columns, shown)
    notes = [say("cli.quarantine_next")] if shown else []
    return Report("", [section], {"rows": shown}, notes)
