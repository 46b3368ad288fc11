"""`duecourse screen`: does a buyer stand on a list of sanctioned or dishonest persons, and what did people say of it?"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from duecourse.cli.session import parse_day
from duecourse.errors import OptionMisusedError
from duecourse.messages import say
from duecourse.tables import Column, Report, Section

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duecourse.cli.session import Session
    from duecourse.desk.screening import Hit, Verdict
    from duecourse.ledger.book import Book


def add_commands(group: click.Group) -> None:
    """Add the commands of this room."""

    @group.command("screen", help=say("cli.screen_help"))
    @click.argument("buyer", required=False)
    @click.option("--list", "path", type=click.Path(path_type=Path), default=None, metavar="FILE", help=say("cli.screen_list"))
    @click.option("--name", default="", metavar="NAME", help=say("cli.screen_name"))
    @click.option("--date", "day", default="", metavar="DATE", help=say("cli.screen_date"))
    @click.option("--verdicts", is_flag=True, help=say("cli.screen_verdicts"))
    @click.pass_obj
    def screen(session: Session, buyer: str | None, *, path: Path | None, name: str, day: str, verdicts: bool) -> int:
        notes = [_take_in(session, path, name, day)] if path is not None else []
        book = _book(session)
        number = _number(book, buyer) if buyer else ""
        if verdicts:
            session.show(_said(book, number, notes))
            return 0
        return _found(session, book, number, notes)


def _take_in(session: Session, path: Path, name: str, day: str) -> str:
    from duecourse.intake.lists import import_list, read_list

    if not name.strip():
        raise OptionMisusedError(option="--name", value="", hint=say("cli.screen_needs_name"))
    on = parse_day(day, "--date") if day else datetime.now(UTC).date()
    read = read_list(path, list_name=name.strip(), list_date=on)
    done = import_list(session.ledger(create=True), read)
    added, corrected = (counts.get("list_entry", 0) for counts in (done.added, done.corrected))
    return say("cli.screen_list_in", list=read.list_name, entries=len(read.rows), added=added, corrected=corrected)


def _book(session: Session) -> Book:
    """Lists are kept by the day on which they came out, not by the last day of the receivables: without --as-of, all that is known."""
    from duecourse.desk.dates import FAR

    return session.ledger().as_of(session.on or FAR, session.known_at)


def _number(book: Book, buyer: str) -> str:
    from duecourse.desk.buyers import find

    return find(book, buyer)


def _names(book: Book, buyers: Sequence[str]) -> Mapping[str, str]:
    table = book.buyer
    rows = book.run(table.filter(table.buyer_id.isin(list(buyers) or [""])).select("buyer_id", "name", "name_local")).to_pylist()
    return {row["buyer_id"]: row["name"] or row["name_local"] or "" for row in rows}


def _found(session: Session, book: Book, number: str, notes: list[str]) -> int:
    from duecourse.desk.screening import undecided

    hits = undecided(book, number)
    rows = [_row(hit) for hit in hits]
    columns = [
        Column("buyer_id"), Column("name"), Column("outcome"), Column("score", "fraction", heading=say("cli.screen_alike")),
        Column("list_name"), Column("entry_id"), Column("entry", heading=say("cli.screen_called")),
        Column("evidence", heading=say("cli.screen_agrees")),
    ]  # fmt: skip
    lists = {row["list_name"]: row["entries"] for row in book.run(_lists(book)).to_pylist()}
    against = ", ".join(f"{name} ({count:,})" for name, count in sorted(lists.items()))
    notes = [*notes, say("cli.screen_against", lists=against) if lists else say("cli.screen_no_list")]
    shown = [{**row, "outcome": say(f"web.screening_{row['outcome']}")} for row in rows] if session.form == "table" else rows
    section = Section("hits", say("cli.screen_title", count=len(rows)), columns, shown)
    session.show(Report("", [section], {"lists": lists, "hits": rows}, notes))
    return 1 if hits else 0


def _lists(book: Book) -> Any:
    table = book.list_entry
    return table.group_by("list_name").aggregate(entries=table.count())


def _row(hit: Hit) -> dict[str, Any]:
    compared = hit.compared
    parts = []
    for one in compared.evidence:
        word, ours, theirs = say(f"web.screening_part_{one['part']}"), one["of"] or "–", one["with"] or "–"
        parts.append(f"{word}: {ours}" if ours == theirs else f"{word}: {ours} / {theirs}")
    return {
        "buyer_id": hit.buyer.buyer_id, "name": compared.name or (hit.buyer.names[0] if hit.buyer.names else ""), "outcome": compared.outcome,
        "score": compared.score, "list_name": hit.entry.list_name, "entry_id": hit.entry.entry_id, "entry": compared.with_name or hit.entry.names[0],
        "evidence": "; ".join(parts),
    }  # fmt: skip


def _said(book: Book, number: str, notes: list[str]) -> Report:
    from duecourse.desk.screening import verdicts_of

    found = verdicts_of(book, number)
    names = _names(book, [one.buyer_id for one in found])
    rows = [_verdict(one, names) for one in found]
    columns = [
        Column("decided_on", "date"), Column("buyer_id"), Column("name"), Column("verdict", heading=say("cli.screen_verdict")),
        Column("list_name"), Column("entry_id"), Column("score", "fraction", heading=say("cli.screen_alike")),
        Column("reason"), Column("made_by"), Column("decision_id"),
    ]  # fmt: skip
    return Report("", [Section("verdicts", say("cli.screen_verdicts_title", count=len(rows)), columns, rows)], {"verdicts": rows}, notes)


def _verdict(one: Verdict, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "decided_on": one.decided_on, "buyer_id": one.buyer_id, "name": names.get(one.buyer_id, ""),
        "verdict": say("web.screening_match" if one.is_match else "web.screening_no_match"), "match": one.is_match, "list_name": one.list_name,
        "entry_id": one.entry_id, "score": one.score, "reason": one.reason, "made_by": one.made_by, "decision_id": one.decision_id,
    }  # fmt: skip
