"""Who has not paid, and what is to be done about it by when (开立案件): the arrears of every buyer, and the situation of each as a playbook asks for it.

for owed in arrears(book):                     # buyer by buyer
    plan(playbook_of(book.settings, owed.country), situation(owed, opened_on, seen), days)
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import ibis

from duecourse.calendar import WorkingDays
from duecourse.decisions.playbook import Situation
from duecourse.ledger.entries import CASE_EVENT
from duecourse.measures.base import converted, minor_rates
from duecourse.measures.positions import settlements
from duecourse.measures.receivables import open_items
from duecourse.risk.severity.by_age import waiting_cost

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    import pyarrow as pa

    from duecourse.ledger.book import Book

CALENDAR: Final = "calendar"
"""The setting that names the country whose working days count."""

HOME: Final = "CN"

INSURER: Final = {"maximum_extension_days": 60, "overdue_notice_days": 90, "waiting_days": 180}
"""Days after the due date, where the firm's policy says nothing else. Typical of whole-turnover policies: extension of 60 days, overdue notice 30
days after it, claim after a waiting period of 4 to 6 months."""

INSURER_SETTING: Final = "insurer_periods"

ANCHORED: Final[Mapping[str, str]] = {"insolvency_notice": "insolvency", "preservation": "preservation", "judgment": "judgment"}
"""Events that a step of the playbook counts from."""


@dataclass(frozen=True, slots=True)
class Debt:
    """One invoice instalment that is late. open_minor in its own currency, open_base in the base currency (null without a rate)."""

    invoice_id: str
    instalment: int
    due_date: date
    currency: str
    open_minor: int
    open_base: int | None


@dataclass(frozen=True, slots=True)
class Arrears:
    """All that one buyer owes and has not paid in time, the oldest first."""

    buyer_id: str
    country: str
    debts: tuple[Debt, ...]

    @property
    def oldest(self) -> date:
        """The due date that has passed the longest."""
        return self.debts[0].due_date

    @property
    def overdue_base(self) -> int:
        """What is late, in minor units of the base currency; what has no rate counts nothing."""
        return sum(one.open_base or 0 for one in self.debts)

    def waiting(self, on: date) -> int:
        """What one more day of waiting costs, in minor units of the base currency, debt by debt."""
        return round(sum(waiting_cost(one.open_base or 0, (on - one.due_date).days, self.country) for one in self.debts))


def arrears(book: Book, buyers: Collection[str] | None = None) -> Iterator[Arrears]:
    """Who owes what since when?  逾期明细

    One item per buyer with at least one overdue invoice, by buyer; held one batch at a time, so that memory does not grow with their number.
    """
    item = open_items(book)
    late = item.filter(item.is_overdue)
    if buyers is not None:
        late = late.filter(late.buyer_id.isin(sorted(buyers)))
    who, rates = book.buyer, minor_rates(book)
    late = late.left_join(rates, "currency").left_join(who.select("buyer_id", "country"), "buyer_id")
    rows = late.select(
        "buyer_id", "invoice_id", "instalment", "due_date", "currency", "open_minor", "country",
        open_base=ibis.ifelse(late.factor.isnull(), None, converted(late.open_minor, ibis.coalesce(late.factor, 0.0))),
    ).order_by("buyer_id", "due_date", "invoice_id", "instalment")  # fmt: skip
    name, country = "", ""
    debts: list[Debt] = []
    for batch in book.stream(rows):
        for row in batch.to_pylist():
            if row["buyer_id"] != name:
                if debts:
                    yield Arrears(name, country, tuple(debts))
                name, country, debts = row["buyer_id"], row["country"] or "", []
            debts.append(Debt(row["invoice_id"], row["instalment"], row["due_date"], row["currency"], row["open_minor"], row["open_base"]))
    if debts:
        yield Arrears(name, country, tuple(debts))


@dataclass(frozen=True)
class Circumstances:
    """What else is known of buyers, as a playbook asks for it, for all at once.

    holds    {condition: buyers}
    anchors  {buyer: {anchor: day}}: the first of its kind
    done     {case number: {kind of event: [days]}}
    """

    holds: Mapping[str, frozenset[str]]
    anchors: Mapping[str, Mapping[str, date]]
    done: Mapping[str, Mapping[str, Sequence[date]]] = field(default_factory=dict)


def circumstances(book: Book) -> Circumstances:
    """Guarantees, insurance, disputes, insolvency, proceedings: who has them as of the book?"""
    guaranteed = _names(
        book, book.security.filter(book.security.kind.isin(("guarantee", "bank_guarantee")) & book.security.released_on.isnull())
    )
    limit = book.limit
    covered = limit.filter(
        (limit.kind == "insurer")
        & (limit.amount_minor > 0)
        & limit.ended_on.isnull()
        & (limit.valid_to.isnull() | (limit.valid_to >= book.on))
    )
    disputed = _names(book, book.dispute.filter(book.dispute.resolved_on.isnull()))
    anchors: dict[str, dict[str, date]] = defaultdict(dict)
    done: dict[str, dict[str, list[date]]] = defaultdict(lambda: defaultdict(list))
    told = book.signal.filter((book.signal.kind == "insolvency") & (book.signal.severity == "red") & book.signal.ended_on.isnull())
    for row in book.run(told.group_by("buyer_id").aggregate(on=told.published_on.min())).to_pylist():
        anchors[row["buyer_id"]]["insolvency"] = row["on"]
    event = book.table(CASE_EVENT)
    for row in book.run(event.select("buyer_id", "case_id", "kind", "happened_on")).to_pylist():
        if row["case_id"]:
            done[row["case_id"]][row["kind"]].append(row["happened_on"])
        anchor = ANCHORED.get(row["kind"])
        if anchor is not None and row["buyer_id"] is not None:
            mine = anchors[row["buyer_id"]]
            mine[anchor] = min(mine.get(anchor, row["happened_on"]), row["happened_on"])
    holds = {"guarantee": guaranteed, "insured": _names(book, covered), "disputed": disputed}
    holds |= {name: frozenset(buyer for buyer, days in anchors.items() if name in days) for name in ANCHORED.values()}
    return Circumstances(holds, anchors, done)


def _names(book: Book, rows: Any) -> frozenset[str]:
    table = book.run(rows.filter(rows.buyer_id.notnull()).select("buyer_id").distinct())
    return frozenset(str(one) for one in table["buyer_id"].to_pylist())


def situation(
    owed: Arrears, opened_on: date, known: Circumstances, *, limitation_end: date | None = None, insurer: Mapping[str, int] = INSURER
) -> Situation:
    """What a playbook needs to know of one buyer's case."""
    holds = {name for name, buyers in known.holds.items() if owed.buyer_id in buyers}
    if "disputed" not in holds:
        holds.add("undisputed")
    holds.discard("disputed")
    anchors = {"due_date": owed.oldest, **known.anchors.get(owed.buyer_id, {})}
    if "insured" in holds:
        anchors["policy.mep_end"] = owed.oldest + timedelta(days=insurer["maximum_extension_days"])
        anchors["policy.overdue_notice"] = owed.oldest + timedelta(days=insurer["overdue_notice_days"])
        anchors["policy.waiting_end"] = owed.oldest + timedelta(days=insurer["waiting_days"])
    if limitation_end is not None:
        anchors["limitation_end"] = limitation_end
    return Situation(opened_on, anchors, frozenset(holds))


def insurer_periods(book: Book) -> Mapping[str, int]:
    """The days of the firm's credit-insurance policy, after the due date."""
    own = book.settings.get(INSURER_SETTING) or {}
    return {name: int(own.get(name, days)) for name, days in INSURER.items()}


@lru_cache(maxsize=8)
def _days(country: str) -> WorkingDays:
    return WorkingDays(country)


def working_days(book: Book) -> WorkingDays:
    """The firm's own working days."""
    return _days(str(book.settings.get(CALENDAR) or HOME))


def received(book: Book, buyer_id: str, since: date, until: date, currency: str) -> int:
    """How much money came in from a buyer in these days, in this currency, minor units?  期间到账

    Cash and what was set against it; credit notes and write-offs are no payment.
    """
    return received_by(book, [(buyer_id, since, until, currency)])[0]


def received_by(book: Book, spans: Sequence[tuple[str, date, date, str]]) -> list[int]:
    """The same of many: (buyer, first day, last day, currency) each."""
    if not spans:
        return []
    row = settlements(book)
    first = min(span[1] for span in spans)
    wanted = row.filter(
        row.kind.isin(("cash", "unknown")) & (row.settle_date >= first) & row.buyer_id.isin(sorted({span[0] for span in spans}))
    )
    paid: dict[tuple[str, str], list[tuple[date, int]]] = defaultdict(list)
    table: pa.Table = book.run(wanted.select("buyer_id", "currency", "settle_date", "amount_minor"))
    for one in table.to_pylist():
        paid[(one["buyer_id"], one["currency"])].append((one["settle_date"], one["amount_minor"]))
    return [
        sum(amount for day, amount in paid.get((buyer, currency), ()) if since <= day <= until) for buyer, since, until, currency in spans
    ]
