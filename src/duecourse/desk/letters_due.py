"""Which letters should have gone by now (到期应发函件): every buyer's playbook, less what was written already."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from duecourse.decisions.playbook import Playbook, plan, playbook_of
from duecourse.desk.letters import reminder_ahead
from duecourse.desk.open_case import arrears, circumstances, situation, terms_of, working_days
from duecourse.measures.receivables import open_items

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from duecourse.ledger.book import Book


@dataclass(frozen=True)
class Due:
    """One letter a buyer should have had: the step of the playbook, the last day on which it is in time, how late the oldest debt is, on how many invoices."""

    buyer_id: str
    name: str
    kind: str
    step: str
    due_on: date
    days_late: int
    invoices: int


def letters_due(book: Book) -> list[Due]:
    """Letters whose day has come and that nobody wrote, the most urgent first.  应发未发函件

    One row per buyer: of several that are due, the last step's; a letter of that kind since the debt fell due counts as written.
    """
    known, days = circumstances(book), working_days(book)
    written = _written(book)
    rows = book.run(book.buyer.select("buyer_id", "name", "name_local")).to_pylist()
    names = {row["buyer_id"]: str(row["name"] or row["name_local"] or row["buyer_id"]) for row in rows}
    playbooks: dict[str, Playbook] = {}
    found = []
    for owed in arrears(book):
        if owed.country not in playbooks:
            playbooks[owed.country] = playbook_of(book.settings, owed.country)
        # As if the case had been open since the debt fell due: what is late is late, whoever looks first.
        steps = plan(playbooks[owed.country], situation(owed, owed.oldest, known, terms=terms_of(book)), days)
        ready = [
            one for one in steps
            if one.step.letter and one.due_on <= book.on and written.get((owed.buyer_id, one.step.letter), owed.oldest) <= owed.oldest
        ]  # fmt: skip
        if ready:
            last = ready[-1]
            late = (book.on - owed.oldest).days
            found.append(
                Due(
                    owed.buyer_id,
                    names.get(owed.buyer_id, owed.buyer_id),
                    last.step.letter,
                    last.step.code,
                    last.due_on,
                    late,
                    len(owed.debts),
                )
            )
    found += _coming(book, names, written, {one.buyer_id for one in found})
    return sorted(found, key=lambda one: (one.due_on, one.buyer_id))


def _coming(book: Book, names: Mapping[str, str], written: Mapping[tuple[str, str], date], late: Collection[str]) -> list[Due]:
    """Reminders of what falls due soon, to those of whom nothing else is due: once for what was open then."""
    step = reminder_ahead(book)
    if step is None:
        return []
    item = open_items(book)
    soon = item.filter(item.is_outstanding & (item.due_date >= book.on) & (item.due_date <= book.on + timedelta(days=-step.days)))
    rows = book.run(soon.group_by("buyer_id").aggregate(first=soon.due_date.min(), count=soon.count())).to_pylist()
    return [
        Due(row["buyer_id"], names.get(row["buyer_id"], row["buyer_id"]), "reminder", step.code, row["first"], (book.on - row["first"]).days, row["count"])
        for row in rows
        if row["buyer_id"] not in late and written.get((row["buyer_id"], "reminder"), date.min) < row["first"] + timedelta(days=step.days)
    ]  # fmt: skip


def _written(book: Book) -> Mapping[tuple[str, str], date]:
    """The last day a letter of each kind went to each buyer."""
    rows = book.run(book.notice.group_by("buyer_id", "kind").aggregate(on=book.notice.sent_on.max())).to_pylist()
    return {(row["buyer_id"], row["kind"]): row["on"] for row in rows}
