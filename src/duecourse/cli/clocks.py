"""`duecourse clocks`: every clock of a buyer's unpaid debts; or, without a ledger, of a due date and what happened."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from duecourse.cli.session import parse_day
from duecourse.errors import OptionMisusedError
from duecourse.messages import say
from duecourse.tables import Column, Report, Section

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from duecourse.cli.session import Session
    from duecourse.cover.deadlines.clock import Clock


def add_commands(group: click.Group) -> None:
    """Add the commands of this room."""

    @group.command("clocks", help=say("cli.clocks_help"))
    @click.argument("buyer", required=False)
    @click.option("--invoice", "invoices", multiple=True, metavar="NUMBER", help=say("cli.clocks_invoice"))
    @click.option("--country", default="", metavar="CODE", help=say("cli.clocks_country"))
    @click.option("--due", "dues", multiple=True, metavar="DATE", help=say("cli.clocks_due"))
    @click.option("--event", "events", multiple=True, metavar="KIND:DATE", help=say("cli.clocks_event"))
    @click.option("--subject", default=None, type=click.Choice(["goods", "services", "works"]), help=say("cli.clocks_subject"))
    @click.option("--own-country", default="", metavar="CODE", help=say("cli.clocks_own"))
    @click.option("--debtor-country", default="", metavar="CODE", help=say("cli.clocks_debtor"))
    @click.option("--guarantee", default=None, type=click.Choice(["joint", "general"]), help=say("cli.clocks_guarantee"))
    @click.pass_obj
    def clocks(
        session: Session, /, buyer: str | None, invoices: tuple[str, ...], country: str, dues: tuple[str, ...], **asked: Any
    ) -> None:
        if buyer:
            session.show(_of_buyer(session, buyer, invoices, asked["events"]))
        elif country and dues:
            session.show(_alone(session, country, dues, asked))
        else:
            raise OptionMisusedError(option="BUYER", value="", hint=say("cli.clocks_hint"))


def _of_buyer(session: Session, buyer: str, invoices: Sequence[str], events: Sequence[str]) -> Report:
    from duecourse.desk.buyers import find
    from duecourse.desk.clock_trial import event_of
    from duecourse.desk.clocks import clocks_of

    book = session.book
    number = find(book, buyer)
    found = clocks_of(book, number, invoices or None, events=[event_of(one) for one in events])
    return _report(say("cli.clocks_title", buyer=number, on=str(book.on)), found, book.on, {"buyer_id": number})


def _alone(session: Session, country: str, dues: Sequence[str], asked: dict[str, Any]) -> Report:
    from duecourse.desk.clock_trial import Trial, event_of, tried

    on = session.on or datetime.now(UTC).date()
    trial = Trial(
        country, tuple(parse_day(one, "--due") for one in dues), tuple(event_of(one) for one in asked["events"]), asked["subject"], asked["own_country"],
        asked["debtor_country"], asked["guarantee"],
    )  # fmt: skip
    return _report(say("cli.clocks_alone", country=country.upper(), on=str(on)), tried(trial, on), on, {"country": country.upper()})


def _report(title: str, clocks: Sequence[Clock], on: date, data: dict[str, Any]) -> Report:
    from duecourse.desk.clock_trial import worded
    from duecourse.desk.clocks import plain

    words = [worded(one, on) for one in clocks]
    rows = [{**one, "why": one["law"], "state": f"{one['state']} {one['left']}".strip()} for one in words]
    heads = [
        Column("name", heading=say("cli.clocks_name")), Column("about", heading=say("cli.clocks_about")), Column("starts_on", "date", heading=say("cli.clocks_start")),
        Column("ends_on", "date", heading=say("cli.clocks_end")), Column("act_by", "date", heading=say("cli.clocks_act_by")),
        Column("state", heading=say("cli.clocks_state")), Column("confidence", heading=say("cli.clocks_sure")), Column("why", heading=say("cli.clocks_law")),
    ]  # fmt: skip
    happened = [{**event, "name": one["name"], "about": one["about"]} for one in words for event in one["events"]]
    event_heads = [
        Column("name", heading=say("cli.clocks_name")), Column("about", heading=say("cli.clocks_about")), Column("on", "date", heading=say("cli.clocks_on")),
        Column("effect", heading=say("cli.clocks_effect")), Column("end", "date", heading=say("cli.clocks_end")), Column("why", heading=say("cli.clocks_why")),
    ]  # fmt: skip
    notes = list(dict.fromkeys(f"! {text}" for one in words for text in one["red"]))
    notes += list(dict.fromkeys(text for one in words for text in one["warnings"]))
    sections = [Section("clocks", "", heads, rows)]
    if happened:
        sections.append(Section("events", say("cli.clocks_events"), event_heads, happened))
    if not clocks:
        notes.append(say("cli.clocks_none"))
    return Report(title, sections, {**data, "as_of": on, "clocks": [plain(one, on) for one in clocks]}, [*notes, say("legal.not_advice")])
