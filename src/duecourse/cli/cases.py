"""`duecourse today`, `cases`, `case`: debts that were not paid, what is to be done, and what happened. The same acts as on the pages."""

from __future__ import annotations

import secrets
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import click

from duecourse.cli.session import parse_day
from duecourse.errors import OptionMisusedError
from duecourse.messages import say
from duecourse.tables import Column, Money, Report, Section
from duecourse.web.refusals import NotNowError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from duecourse.cli.session import Session
    from duecourse.ledger.book import Book

    Option = Callable[[Callable[..., None]], Callable[..., None]]

SHOWN = 200


def add_commands(group: click.Group) -> None:
    """Add the commands of this room."""

    @group.command("today", help=say("cli.today_help"))
    @click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), metavar="N", help=say("cli.today_limit"))
    @click.pass_obj
    def today(session: Session, limit: int) -> None:
        session.show(_today(_opened(session), limit))

    @group.command("cases", help=say("cli.cases_help"))
    @click.option("--state", default="live", type=click.Choice(["live", "late", "closed"]), show_default=True, help=say("cli.cases_state"))
    @click.pass_obj
    def cases(session: Session, state: str) -> None:
        session.show(_cases(_opened(session), state))

    @group.group("case", help=say("cli.case_help"))
    def case() -> None:
        """One case."""

    for add in (_add_talks, _add_events, _add_ends):
        add(case)


def _options() -> tuple[Option, Option]:
    """Who does it, and a note."""
    return (
        click.option("--as", "who", default="", metavar="USER", help=say("cli.case_as")),
        click.option("--note", default="", metavar="TEXT", help=say("cli.case_note")),
    )


def _add_talks(case: click.Group) -> None:
    as_, note = _options()

    @case.command("show", help=say("cli.case_show_help"))
    @click.argument("number")
    @click.pass_obj
    def show(session: Session, number: str) -> None:
        session.show(_case(_opened(session), _number(number)))

    @case.command("open", help=say("cli.case_open_help"))
    @click.argument("buyer")
    @as_
    @note
    @click.pass_obj
    def open_(session: Session, buyer: str, who: str, note: str) -> None:
        def work(acting: Any, person: Any, book: Book, mark: str) -> Any:
            return acting.open_by_hand(person, book, buyer, note, mark)

        _act(session, who, work)

    @case.command("call", help=say("cli.case_call_help"))
    @click.argument("number")
    @click.option("--with", "party", default="", metavar="NAME", help=say("cli.case_with"))
    @click.option("--unanswered", is_flag=True, help=say("cli.case_unanswered"))
    @click.option("--promise", default="", metavar="AMOUNT", help=say("cli.case_promise"))
    @click.option("--currency", default="", metavar="CODE", help=say("cli.case_currency"))
    @click.option("--for", "promised", default="", metavar="DATE", help=say("cli.case_promised"))
    @as_
    @note
    @click.pass_obj
    def call(
        session: Session, number: str, party: str, promise: str, currency: str, promised: str, who: str, note: str, *, unanswered: bool
    ) -> None:
        def work(acting: Any, person: Any, book: Book, mark: str) -> Any:
            pk = _number(number)
            code = (currency or _currency(pk)) if promise else ""
            amount = _minor(promise, code)
            day = parse_day(promised, "--for") if promise else None
            done = acting.call(person, book, pk, book.on, party, not unanswered, note, mark)
            if amount and day is not None:
                done = acting.promise(person, book, pk, amount, code, day, party, mark)
            return done

        _act(session, who, work)


def _add_events(case: click.Group) -> None:
    as_, note = _options()

    @case.command("event", help=say("cli.case_event_help"))
    @click.argument("number")
    @click.argument("kind")
    @click.option("--on", "on", default="", metavar="DATE", help=say("cli.case_on"))
    @click.option("--received", default="", metavar="DATE", help=say("cli.case_received"))
    @click.option("--names", default="", metavar="DATE", help=say("cli.case_names"))
    @click.option("--party", default="", metavar="NAME", help=say("cli.case_party"))
    @click.option("--reference", default="", metavar="TEXT", help=say("cli.case_reference"))
    @click.option("--amount", default="", metavar="AMOUNT", help=say("cli.case_amount"))
    @click.option("--currency", default="", metavar="CODE", help=say("cli.case_currency"))
    @click.option("--proof", default="", metavar="SHA256", help=say("cli.case_proof"))
    @as_
    @note
    @click.pass_obj
    def event(
        session: Session, number: str, kind: str, on: str, received: str, names: str, party: str, reference: str, amount: str, currency: str, proof: str, who: str,
        note: str,
    ) -> None:  # fmt: skip
        def work(acting: Any, person: Any, book: Book, mark: str) -> Any:
            if kind not in acting.BY_HAND:
                raise OptionMisusedError(option="KIND", value=kind, hint=", ".join(acting.BY_HAND))
            pk = _number(number)
            code = (currency or _currency(pk)) if amount else ""
            return acting.happened(
                person, book, pk, kind, _day(on, "--on", book), mark, received_on=parse_day(received, "--received") if received else None,
                due_on=parse_day(names, "--names") if names else None, party=party, reference=reference, amount_minor=_minor(amount, code), currency=code, proof=proof, text=note,
            )  # fmt: skip

        _act(session, who, work)

    @case.command("plan", help=say("cli.case_plan_help"))
    @click.argument("number")
    @click.argument("rows", nargs=-1, required=True, metavar="DATE=AMOUNT…")
    @click.option("--currency", default="", metavar="CODE", help=say("cli.case_currency"))
    @click.option("--grace", default=7, show_default=True, type=click.IntRange(0, 60), metavar="DAYS", help=say("cli.case_grace"))
    @click.option("--security", default="", metavar="TEXT", help=say("cli.case_security"))
    @as_
    @click.pass_obj
    def plan(session: Session, number: str, rows: tuple[str, ...], currency: str, grace: int, security: str, who: str) -> None:
        def work(acting: Any, person: Any, book: Book, mark: str) -> Any:
            pk = _number(number)
            code = currency or _currency(pk)
            parts = [one.partition("=") for one in rows]
            agreed = [(parse_day(day, "DATE"), _minor(amount, code) or 0) for day, _sign, amount in parts]
            return acting.agree_plan(person, book, pk, code, agreed, grace, security, mark)

        _act(session, who, work)


def _add_ends(case: click.Group) -> None:
    as_, note = _options()

    @case.command("done", help=say("cli.case_done_help"))
    @click.argument("number")
    @click.argument("step")
    @click.option("--skip", is_flag=True, help=say("cli.case_skip"))
    @click.option("--proof", default="", metavar="SHA256", help=say("cli.case_proof"))
    @as_
    @note
    @click.pass_obj
    def done(session: Session, number: str, step: str, proof: str, who: str, note: str, *, skip: bool) -> None:
        def work(acting: Any, person: Any, book: Book, _mark: str) -> Any:
            from duecourse.web.cases.models import Task

            open_ = Task.objects.filter(case_id=_number(number), code=step, state="open").order_by("-number").first()
            if open_ is None:
                raise acting.NotNowError("web.cases_gone")
            return acting.end_task(person, book, open_.pk, "skipped" if skip else "done", note, proof)

        _act(session, who, work)

    @case.command("close", help=say("cli.case_close_help"))
    @click.argument("number")
    @click.argument("result")
    @click.option("--recovered", default="", metavar="AMOUNT", help=say("cli.case_recovered"))
    @as_
    @note
    @click.pass_obj
    def close(session: Session, number: str, result: str, recovered: str, who: str, note: str) -> None:
        def work(acting: Any, person: Any, book: Book, mark: str) -> Any:
            pk = _number(number)
            return acting.close(person, book, pk, result, _minor(recovered, _found(pk).currency), note, mark)

        _act(session, who, work)


# --- the app underneath ---------------------------------------------------------------------------------------------------------------------


def _opened(session: Session) -> Book:
    """The book, and the app's database brought up to date."""
    from duecourse.cli.serving import _app

    _app(session)
    from duecourse.web.migrating import migrate

    migrate()
    return session.book


def _act(session: Session, who: str, work: Callable[[Any, Any, Book, str], Any]) -> None:
    """Do something as somebody, and append what it put out to the ledger at once."""
    book = _opened(session)
    from duecourse.web.cases import acting
    from duecourse.web.outbox.sending import append_waiting

    try:
        case = work(acting, _person(who), book, secrets.token_hex(8))
    except NotNowError as error:
        args: dict[str, Any] = {name: f"{value}" for name, value in error.args_.items()}
        raise click.ClickException(say(error.code, **args)) from None
    append_waiting(session.ledger())
    session.show(_case(session.ledger().as_of(book.on), case.pk))


def _person(username: str) -> Any:
    """Who acts: the one named, or the only one who may."""
    from duecourse.web.accounts.access import may
    from duecourse.web.accounts.models import Person

    able = [one for one in Person.objects.filter(is_active=True).order_by("username") if may(one, "note")]
    found = [one for one in able if username in ("", one.username)]
    if len(found) != 1:
        raise OptionMisusedError(option="--as", value=username, hint=", ".join(one.username for one in able) or "–")
    return found[0]


def _number(text: str) -> int:
    bare = text.strip().upper().removeprefix("C")
    if not bare.isdecimal():
        raise OptionMisusedError(option="NUMBER", value=text, hint="C000001")
    return int(bare)


def _found(pk: int) -> Any:
    from duecourse.web.cases.models import Case

    case = Case.objects.filter(pk=pk).first()
    if case is None:
        raise NotNowError("web.cases_gone")
    return case


def _currency(pk: int) -> str:
    """The one currency of what is owed in a case. Where there are several it has to be said which."""
    from duecourse.web.cases.models import CaseInvoice

    case = _found(pk)
    owed = sorted(set(CaseInvoice.objects.filter(case=case).values_list("currency", flat=True)))
    if len(owed) > 1:
        raise OptionMisusedError(option="--currency", value="", hint=", ".join(owed))
    return str(owed[0] if owed else case.currency)


def _minor(text: str, currency: str) -> int | None:
    from duecourse.money import to_minor

    if not text:
        return None
    try:
        return to_minor(Decimal(text.replace(",", "")), currency)
    except InvalidOperation:
        raise OptionMisusedError(option="AMOUNT", value=text, hint="1234.50") from None


def _day(text: str, option: str, book: Book) -> date:
    return parse_day(text, option) if text else book.on


# --- reports --------------------------------------------------------------------------------------------------------------------------------


def _names(book: Book, buyers: set[str]) -> dict[str, str]:
    from duecourse.tables import named

    rows = book.run(book.buyer.filter(book.buyer.buyer_id.isin(sorted(buyers))).select("buyer_id", "name", "name_local")).to_pylist()
    return {row["buyer_id"]: named(row).get("name") or row["buyer_id"] for row in rows}


def _today(book: Book, limit: int) -> Report:
    from duecourse.web.cases.models import Task
    from duecourse.web.cases.tables import tasks_table

    due = Task.objects.filter(state="open", case__state="open", due_on__lte=book.on).select_related("case", "case__owner")
    tasks = list(due.order_by("-case__waiting_minor", "due_on", "pk")[:limit])
    columns, rows = tasks_table(book, tasks, _names(book, {one.case.buyer_id for one in tasks}))
    data = {"as_of": book.on, "tasks": rows}
    return Report(
        say("web.cases_today_title"), [Section("tasks", say("web.cases_to_do"), columns, rows)], data, [say("web.cases_waiting_note")]
    )


def _cases(book: Book, state: str) -> Report:
    from duecourse.web.cases.models import CLOSED, LIVE, Case
    from duecourse.web.cases.tables import cases_table

    found = (
        Case.objects.filter(state=CLOSED).order_by("-closed_on")
        if state == "closed"
        else Case.objects.filter(state__in=LIVE).order_by("-waiting_minor")
    )
    if state == "late":
        found = found.filter(next_on__lt=book.on)
    shown = list(found.select_related("owner")[:SHOWN])
    columns, rows = cases_table(book, shown, _names(book, {one.buyer_id for one in shown}))
    return Report(say("web.cases_title"), [Section("cases", say("web.cases_title"), columns, rows)], {"as_of": book.on, "cases": rows})


def _case(book: Book, pk: int) -> Report:
    from duecourse.web.cases.models import Case
    from duecourse.web.cases.wording import event_line, state_word, task_words

    one = Case.objects.select_related("owner").filter(pk=pk).first()
    if one is None:
        raise click.ClickException(say("web.cases_gone"))
    name = _names(book, {one.buyer_id}).get(one.buyer_id, one.buyer_id)
    tasks = [
        {
            "step": task.code,
            "text": task_words(book, task, one.country),
            "due_date": task.due_on,
            "state": say(f"cli.case_task_{task.state}"),
            "done_on": task.done_on,
        }
        for task in one.tasks.exclude(state="dropped")
    ]
    invoices = [
        {
            "invoice_id": row.invoice_id,
            "due_date": row.due_on,
            "joined": Money(row.joined_minor, row.currency),
            "open": Money(row.open_minor, row.currency),
        }
        for row in one.invoices.all()
    ]
    events = [
        {"day": line["day"], "text": line["words"], "note": line["note"]}
        for line in map(event_line, one.events.select_related("case", "person"))
    ]
    sections = [
        Section(
            "tasks", say("web.cases_to_do"),
            [
                Column("step", "text", heading=say("cli.case_step")), Column("text", "text", heading=say("web.cases_to_do")),
                Column("due_date", "date", heading=say("web.cases_due")), Column("state", "text", heading=say("web.cases_state")),
                Column("done_on", "date", heading=say("web.cases_done")),
            ],
            tasks,
        ),
        Section(
            "invoices", say("web.buyer_invoices"),
            [
                Column("invoice_id", "text"), Column("due_date", "date"), Column("joined", "money", heading=say("web.cases_at_joining")),
                Column("open", "money", heading=say("web.cases_still_open")),
            ],
            invoices,
        ),
        Section(
            "events", say("web.watch_history"),
            [Column("day", "date", heading=say("web.cases_on")), Column("text", "text", heading=say("web.cases_what")), Column("note", "text", heading=say("web.watch_note"))],
            events,
        ),
    ]  # fmt: skip
    title = f"{one.case_id} · {name} · {state_word(one)}"
    data = {
        "case_id": one.case_id, "buyer_id": one.buyer_id, "name": name, "state": one.state, "result": one.result or None, "tasks": tasks, "invoices": invoices,
        "events": events,
    }  # fmt: skip
    return Report(title, sections, data, [say("legal.not_advice")])
