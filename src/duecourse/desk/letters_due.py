"""Which letters should have gone by now (到期应发函件): every buyer's playbook, less what was written already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from duecourse.decisions.playbook import Playbook, plan, playbook_of
from duecourse.desk.open_case import arrears, circumstances, situation, terms_of, working_days

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

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
    return sorted(found, key=lambda one: (one.due_on, one.buyer_id))


def _written(book: Book) -> Mapping[tuple[str, str], date]:
    """The last day a letter of each kind went to each buyer."""
    rows = book.run(book.notice.group_by("buyer_id", "kind").aggregate(on=book.notice.sent_on.max())).to_pylist()
    return {(row["buyer_id"], row["kind"]): row["on"] for row in rows}
