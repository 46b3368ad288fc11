"""`duecourse check`, `history`, `void`, `compact`, `rewind`, `settings`: looking after the ledger itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from duecourse.messages import say
from duecourse.tables import Column, Report, Section

if TYPE_CHECKING:
    from duecourse.cli.session import Session


def add_commands(group: click.Group) -> None:
    """Add the commands of this room."""

    @group.command("check", help=say("cli.check_help"))
    @click.option("--examples", default=5, show_default=True, metavar="N", help=say("cli.check_examples"))
    @click.pass_obj
    def check(session: Session, examples: int) -> int:
        from duecourse.cli.importing import finding_columns, finding_rows
        from duecourse.ledger.checks import check as check_book

        book = session.book
        outcomes = check_book(book, examples=examples)
        rows = [row for outcome in outcomes for row in finding_rows(outcome.findings)]
        counts = [{"code": o.code, "severity": say(f"cli.severity_{o.severity}"), "count": o.count} for o in outcomes]
        columns = [
            Column("severity", heading=say("cli.col_severity")),
            Column("code", heading=say("cli.col_code")),
            Column("count", "count", heading=say("cli.col_count")),
        ]
        sections = [
            Section("findings", say("cli.check_findings"), finding_columns(), rows),
            Section("counts", say("cli.check_counts"), columns, counts),
        ]
        notes = [] if outcomes else [say("cli.check_fine", on=book.on)]
        session.show(Report("", sections if outcomes else [], {"as_of": book.on, "counts": counts, "findings": rows}, notes))
        return 1 if outcomes else 0

    @group.command("history", help=say("cli.history_help"))
    @click.pass_obj
    def history(session: Session) -> None:
        ledger = session.ledger()
        withdrawn = ledger.state.withdrawn
        rows = [
            {
                "version": row.version, "recorded_at": row.recorded_at, "kind": say(f"cli.kind_{row.kind}"),
                "batch": row.batch_id, "file": row.file_name, "added": sum(c.get("added", 0) for c in row.counts.values()),
                "corrected": sum(c.get("corrected", 0) for c in row.counts.values()), "quarantined": row.facts.get("quarantined"),
                "note": say("cli.history_withdrawn") if row.batch_id in withdrawn else row.note,
            }
            for row in ledger.journal()
        ]  # fmt: skip
        texts = ("kind", "batch", "file", "note")
        columns = [
            Column(name, "moment" if name == "recorded_at" else "text" if name in texts else "count", heading=say(f"cli.col_{name}"))
            for name in ("version", "recorded_at", "kind", "batch", "file", "added", "corrected", "quarantined", "note")
        ]
        session.show(Report("", [Section("history", say("cli.history_title"), columns, rows)], {"history": rows}))

    @group.command("void", help=say("cli.void_help"))
    @click.argument("batch")
    @click.option("--reason", required=True, help=say("cli.void_reason"))
    @click.pass_obj
    def void(session: Session, batch: str, reason: str) -> None:
        from duecourse.intake.importer import rederive

        ledger = session.ledger()
        result = ledger.void(batch, reason)
        rederive(ledger)  # what was inferred from an open-item list goes with it
        click.echo(say("cli.void_done", batch=batch, version=result.version), err=True)

    @group.command("compact", help=say("cli.compact_help"))
    @click.pass_obj
    def compact(session: Session) -> None:
        from duecourse.desk.upkeep import put_in_order

        ledger = session.ledger()
        put_in_order(ledger)
        click.echo(say("cli.compact_done", version=ledger.version), err=True)

    @group.command("rewind", help=say("cli.rewind_help"))
    @click.argument("version", type=int)
    @click.option("--reason", required=True, help=say("cli.void_reason"))
    @click.pass_obj
    def rewind(session: Session, version: int, reason: str) -> None:
        ledger = session.ledger()
        ledger.restore(version, reason)
        click.echo(say("cli.rewind_done", version=version, now=ledger.version), err=True)

    @group.command("settings", help=say("cli.settings_help"))
    @click.argument("pairs", nargs=-1, metavar="[NAME=VALUE]...")
    @click.pass_obj
    def settings(session: Session, pairs: tuple[str, ...]) -> None:
        from duecourse.desk.settings import change, current

        ledger = session.ledger(create=bool(pairs))
        if pairs:
            change(ledger, dict(_pair(pair) for pair in pairs))
        values = current(ledger)
        rows: list[dict[str, Any]] = [
            {"name": name, "value": value, "meaning": say(f"cli.setting_{name}")} for name, value in values.items()
        ]
        columns = [Column(name, heading=say(f"cli.col_{name}")) for name in ("name", "value", "meaning")]
        session.show(Report("", [Section("settings", say("cli.settings_title"), columns, rows)], {"settings": values}))


def _pair(text: str) -> tuple[str, str]:
    from duecourse.errors import OptionMisusedError

    name, equals, value = text.partition("=")
    if not equals:
        raise OptionMisusedError(option="settings", value=text, hint=say("cli.hint_setting"))
    return name.strip(), value.strip()
