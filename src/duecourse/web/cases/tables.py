"""Cases and their tasks as tables: what the command line shows and a file holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from duecourse.messages import say
from duecourse.money import NO_CURRENCY
from duecourse.tables import Column, Money
from duecourse.web.cases.wording import Amounts, state_word, task_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from duecourse.ledger.book import Book
    from duecourse.tables import Kind
    from duecourse.web.cases.models import Case, Task

Table = tuple[list[Column], list[dict[str, Any]]]


def _kind(book: Book) -> Kind:
    """Of a firm without a base currency an amount may be several, each in its own: words, no number."""
    return "text" if book.base_currency == NO_CURRENCY else "money"


def _amount(case: Case, minor: int, said: Callable[[Case], str], kind: Kind) -> Money | str:
    return said(case) if kind == "text" else Money(minor, case.currency)


def tasks_table(book: Book, tasks: Iterable[Task], names: Mapping[str, str]) -> Table:
    """What is to be done: one row a task."""
    tasks = list(tasks)
    amounts, kind = Amounts((one.case for one in tasks), book.on), _kind(book)
    rows = [
        {
            "case_id": one.case.case_id, "buyer_id": one.case.buyer_id, "buyer": names.get(one.case.buyer_id, one.case.buyer_id), "step": one.code,
            "text": task_words(book, one, one.case.country), "due_date": one.due_on, "waiting": _amount(one.case, one.case.waiting_minor, amounts.waiting, kind),
            "overdue": _amount(one.case, one.case.overdue_minor, amounts.overdue, kind), "owner": one.case.owner.username if one.case.owner else None,
        }
        for one in tasks
    ]  # fmt: skip
    columns = [
        Column("case_id"), Column("buyer"), Column("step", heading=say("cli.case_step")), Column("text", heading=say("web.cases_to_do")),
        Column("due_date", "date", heading=say("web.cases_due")), Column("waiting", kind, heading=say("web.cases_waiting")),
        Column("overdue", kind, heading=say("web.cases_overdue")), Column("owner", heading=say("web.watch_assignee")),
    ]  # fmt: skip
    return columns, rows


def cases_table(book: Book, cases: Iterable[Case], names: Mapping[str, str]) -> Table:
    """One row a case."""
    cases = list(cases)
    amounts, kind = Amounts(cases, book.on), _kind(book)
    rows = [
        {
            "case_id": one.case_id, "buyer_id": one.buyer_id, "buyer": names.get(one.buyer_id, one.buyer_id), "state": state_word(one),
            "overdue": _amount(one, one.overdue_minor, amounts.overdue, kind), "days": max(0, (book.on - one.oldest_due_on).days),
            "waiting": _amount(one, one.waiting_minor, amounts.waiting, kind), "next": one.next_on, "owner": one.owner.username if one.owner else None,
            "opened": one.opened_on, "closed": one.closed_on,
            "recovered": Money(one.recovered_minor, one.currency) if one.recovered_minor is not None else None,
        }
        for one in cases
    ]  # fmt: skip
    columns = [
        Column("case_id"), Column("buyer"), Column("state", heading=say("web.cases_state")), Column("overdue", kind, heading=say("web.cases_overdue")),
        Column("days", "days", heading=say("web.cases_oldest")), Column("waiting", kind, heading=say("web.cases_waiting")),
        Column("next", "date", heading=say("web.cases_due")), Column("owner", heading=say("web.watch_assignee")),
        Column("opened", "date", heading=say("web.watch_opened")), Column("closed", "date", heading=say("web.cases_closed_on")),
        Column("recovered", "money", heading=say("web.cases_recovered")),
    ]  # fmt: skip
    return columns, rows
