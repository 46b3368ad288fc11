"""Periods that end a right if nothing is done: tasks of a case beside the steps of its playbook (案件期限).

A playbook counts from a few days every case has. A guarantee with an end of its own, a bill, a freeze, a window for claims that was announced
end on days that only this debtor's facts tell.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from duecourse.desk.clocks import INDEPENDENT, SIGNALS, clocks, facts_of
from duecourse.ledger.entries import CASE_EVENT, CONTRACT, NOTICE, SECURITY, SIGNAL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from duecourse.ledger.book import Book

CODES: Final = (
    "guarantee_period", "guarantee_limitation", "bill_presentment", "bill_recourse", "bill_acceptor", "freeze", "insolvency_claim",
)  # fmt: skip
"""The clocks that become tasks. Limitation, the insurer, preservation before suit and enforcement are steps of the playbook."""

BEGIN: Final = ("bill_received", "bill_dishonoured", "preservation", "insolvency_notice")
REST_ON: Final = (SECURITY, CASE_EVENT, NOTICE, CONTRACT, SIGNAL)
"""What such a clock rests on, besides the debts themselves."""


@dataclass(frozen=True, slots=True)
class Period:
    """One right that ends.

    key     names it among the periods of its buyer: clock, whom or what it concerns, last day
    act_by  the last working day on which to act in time
    met     it was kept
    about   {party, reference}, as far as it has them
    """

    code: str
    key: str
    act_by: date
    ends_on: date
    met: bool
    about: Mapping[str, str]


def marks(book: Book) -> dict[str, str]:
    """Whose debts may have such periods, and a mark that changes with the facts they rest on, but for the debts themselves: {buyer: mark}."""
    signal = book.table(SIGNAL)
    signal = signal.filter(signal.kind.isin(tuple(SIGNALS)) & signal.ended_on.isnull())
    event, security = book.table(CASE_EVENT), book.table(SECURITY)
    concerned = (
        signal,
        event.filter(event.kind.isin(BEGIN)),
        security.filter(security.kind.isin(("guarantee", *INDEPENDENT)) & security.released_on.isnull()),
    )
    who: set[str] = set()
    for table in concerned:
        found = book.run(table.filter(table.buyer_id.notnull()).select("buyer_id").distinct())
        who.update(str(one) for one in found["buyer_id"].to_pylist())
    if not who:
        return {}
    said: dict[str, list[str]] = defaultdict(list)
    for entry in REST_ON:
        table = book.table(entry)
        rows = table.group_by("buyer_id").aggregate(n=table.count(), last=table.recorded_at.max())
        for row in book.run(rows).to_pylist():
            if row["buyer_id"] in who:
                said[row["buyer_id"]].append(f"{entry.name} {row['n']} {row['last']}")
    return {buyer: " ".join(said[buyer]) for buyer in who}


def periods(book: Book, buyer_id: str) -> list[Period]:
    """Every such period of a buyer's late debts whose last day is known, each once, in order of the days to act by."""
    found: dict[str, Period] = {}
    for clock in clocks(facts_of(book, buyer_id), with_limitation=False):
        if clock.code not in CODES or clock.ends_on is None or clock.act_by is None or clock.state in ("unknown", "stopped"):
            continue
        about = {name: str(clock.about[name]) for name in ("party", "reference") if clock.about.get(name)}
        key = f"{clock.code}.{_short(sorted(about.items()), str(clock.about.get('security_id', '')), clock.ends_on.isoformat())}"
        found.setdefault(key, Period(clock.code, key, clock.act_by, clock.ends_on, clock.state == "met", about))
    return sorted(found.values(), key=lambda one: (one.act_by, one.key))


def _short(*parts: Any) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:8]
