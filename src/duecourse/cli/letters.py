"""`duecourse letters`: draw letters up into a folder, see which are due, see what would go, have approved ones go."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from duecourse.actions.letters.composing import KINDS, LANGUAGES_OF
from duecourse.messages import say
from duecourse.tables import Column, Report, Section

if TYPE_CHECKING:
    from duecourse.cli.session import Session

SHOWN: int = 200


def add_commands(group: click.Group) -> None:
    """Add the commands of this room."""

    @group.group("letters", help=say("cli.letters_help"))
    def letters() -> None:
        pass

    @letters.command("draft", help=say("cli.letters_draft_help"))
    @click.argument("buyer")
    @click.option("--kind", default="demand_letter", show_default=True, type=click.Choice(KINDS), help=say("cli.letters_kind"))
    @click.option("--language", default="", metavar="LANGUAGE", help=say("cli.letters_language"))
    @click.option("--invoice", "invoices", multiple=True, metavar="NUMBER[/INSTALMENT]", help=say("cli.letters_invoice"))
    @click.option(
        "--channel", default="post", show_default=True, type=click.Choice(["email", "post", "handed_over"]), help=say("cli.letters_channel")
    )
    @click.option("--address", default="", metavar="TEXT", help=say("cli.letters_address"))
    @click.option("--email", default="", metavar="ADDRESS", help=say("cli.letters_email"))
    @click.option("--deadline", default=None, metavar="DATE", help=say("cli.letters_deadline"))
    @click.option("--guarantee", "security", default="", metavar="NUMBER", help=say("cli.letters_guarantee"))
    @click.option(
        "--out", "folder", default=None, type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER", help=say("cli.letters_out")
    )
    @click.pass_obj
    def draft(session: Session, /, buyer: str, invoices: tuple[str, ...], folder: Path | None, deadline: str | None, **chosen: str) -> None:
        session.show(_draft(session, buyer, invoices, folder, deadline, chosen))

    @letters.command("due", help=say("cli.letters_due_help"))
    @click.pass_obj
    def due(session: Session) -> None:
        session.show(_due(session))

    @letters.command("kinds", help=say("cli.letters_kinds_help"))
    @click.pass_obj
    def kinds(session: Session) -> None:
        rows = [{"kind": kind, "said": say(f"letters.kind_{kind}"), "languages": ", ".join(found)} for kind, found in LANGUAGES_OF.items()]
        columns = [Column(name, heading=say(f"cli.letters_{name}_head")) for name in ("kind", "said", "languages")]
        session.show(Report(say("cli.letters_kinds_help"), [Section("kinds", say("cli.letters_kinds_help"), columns, rows)]))

    @letters.command("send", help=say("cli.letters_send_help"))
    @click.option("--dry-run", "dry", is_flag=True, help=say("cli.letters_dry"))
    @click.pass_obj
    def send(session: Session, *, dry: bool) -> None:
        session.show(_send(session, dry=dry))


def _draft(
    session: Session, buyer: str, numbers: tuple[str, ...], folder: Path | None, deadline: str | None, chosen: dict[str, str]
) -> Report:
    from duecourse.actions.letters import compose
    from duecourse.actions.letters.editing import docx
    from duecourse.actions.letters.setting import pdf
    from duecourse.cli.session import parse_day
    from duecourse.desk.buyers import find
    from duecourse.desk.letters import Wanted, letter_facts

    book = session.book
    wanted = Wanted(
        chosen["kind"], chosen["language"], chosen["channel"], address=chosen["address"], email=chosen["email"], security_id=chosen["security"],
        deadline=parse_day(deadline, "--deadline") if deadline else None,
    )  # fmt: skip
    drafted = letter_facts(book, find(book, buyer), [_item(one) for one in numbers] or None, wanted)
    facts = drafted.facts
    letter = compose(facts)
    files = []
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, made in ((f"{facts.number}.pdf", pdf(letter, facts.dated)), (f"{facts.number}.docx", docx(letter, facts.dated))):
            (folder / name).write_bytes(made)
            files.append(str(folder / name))
    blocking, advice = ([one.words() for one in found] for found in (drafted.blocking, drafted.advice))
    warning = drafted.warning.words() if drafted.warning is not None else ""
    rows = [{"line": line} for line in letter.lines()]
    notes = [*files, *([warning] if warning else []), *blocking, *advice, say("legal.not_advice")]
    data = {
        "number": facts.number, "kind": facts.kind, "language": facts.language, "buyer_id": facts.buyer_id, "deadline": facts.deadline.isoformat(), "files": files, "missing": blocking,
        "advice": advice, "warning": warning, "lines": [row["line"] for row in rows],
    }  # fmt: skip
    title = say(
        "cli.letters_drafted",
        number=facts.number,
        kind=say(f"letters.kind_{facts.kind}"),
        language=say(f"letters.language_{facts.language}"),
    )
    return Report(
        title, [] if files else [Section("letter", title, [Column("line", heading=say("cli.letters_text_head"))], rows)], data, notes
    )


def _item(text: str) -> tuple[str, int]:
    number, slash, part = text.rpartition("/")
    return (number, int(part)) if slash and part.isdecimal() and len(part) < 5 else (text, 1)


def _due(session: Session) -> Report:
    from duecourse.desk.letters_due import letters_due

    rows: list[dict[str, Any]] = [
        {
            "buyer_id": one.buyer_id, "name": one.name, "kind": say(f"letters.kind_{one.kind}"), "step": one.step, "due_on": one.due_on, "days": one.days_late, "invoices": one.invoices,
        }
        for one in letters_due(session.book)
    ]  # fmt: skip
    heads = [
        Column("buyer_id", heading=say("cli.letters_buyer_head")), Column("name", heading=say("cli.letters_name_head")), Column("kind", heading=say("cli.letters_said_head")),
        Column("step", heading=say("cli.letters_step_head")), Column("due_on", "date", heading=say("cli.letters_due_head")), Column("days", "days", heading=say("cli.letters_days_head")),
        Column("invoices", "count", heading=say("cli.letters_invoices_head")),
    ]  # fmt: skip
    title = say("cli.letters_due_title", count=len(rows), day=session.book.on)
    return Report(
        title,
        [Section("due", title, heads, rows)] if rows else [],
        {"rows": [{**row, "due_on": row["due_on"].isoformat()} for row in rows]},
        [say("legal.not_advice")],
    )


def _send(session: Session, *, dry: bool) -> Report:
    from duecourse.cli.serving import _app

    _app(session)
    from duecourse.web.migrating import migrate

    migrate()
    from duecourse.web.letters import posting, sending
    from duecourse.web.letters.pages import would_go, would_not
    from duecourse.web.letters.telling import amounts

    assert posting
    book = session.book
    rows: list[dict[str, Any]] = []
    for one in would_go():
        wrong = would_not(book, one)
        state = say(wrong) if wrong else say("web.letters_would_go")
        if not dry and not wrong and one.channel == "email":
            state = _go(one, book, sending)
        rows.append(
            {
                "number": one.number, "buyer_id": one.buyer_id, "kind": say(f"letters.kind_{one.kind}"), "channel": say(f"letters.channel_{one.channel}"),
                "address": one.address.replace("\n", ", "), "amount": amounts(one), "state": state,
            }
        )  # fmt: skip
    heads = [
        Column(name, heading=say(f"cli.letters_{name}_head"))
        for name in ("number", "buyer", "said", "channel", "address", "amount", "state")
    ]
    heads = [Column({"buyer": "buyer_id", "said": "kind"}.get(one.name, one.name), heading=one.heading) for one in heads]
    title = say("cli.letters_dry_title" if dry else "cli.letters_send_title", count=len(rows))
    return Report(title, [Section("letters", title, heads, rows)] if rows else [], {"dry_run": dry, "rows": rows})


def _go(one: Any, book: Any, sending: Any) -> str:
    """Queue an approved letter and try it at once; one in the queue already is tried."""
    from django.db import transaction

    from duecourse.web.letters.making import queue
    from duecourse.web.letters.models import APPROVED, Letter

    with transaction.atomic():
        row = Letter.objects.select_for_update().get(pk=one.pk)
        if row.state == APPROVED:
            queue(row, book.on, "duecourse letters send")
    state = sending.send(one.pk)
    return say(f"web.letters_state_{state}") if state else say("web.letters_state_queued")
