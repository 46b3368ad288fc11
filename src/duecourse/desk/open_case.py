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

from duecourse.calendar import WorkingDays, add_months
from duecourse.cover.deadlines import limitation as law
from duecourse.cover.deadlines.duties import PolicyTerms, policy_terms
from duecourse.decisions.playbook import Situation
from duecourse.desk.calendars import own_days
from duecourse.desk.clocks import Happened, case_events, letters, own_country
from duecourse.ledger.entries import CASE_EVENT, CONTRACT, DISPUTE, INVOICE, LIMIT, NOTICE, SECURITY, SETTLEMENT, SIGNAL
from duecourse.ledger.memory import only_buyer
from duecourse.measures.base import converted, minor_rates
from duecourse.measures.positions import settlements
from duecourse.measures.receivables import open_items
from duecourse.reference.countries import COUNTRIES
from duecourse.reference.limitation import limitation_law
from duecourse.risk.severity.by_age import waiting_cost

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    import pyarrow as pa

    from duecourse.cover.deadlines.clock import Event
    from duecourse.ledger.book import Book
    from duecourse.ledger.journal import JournalRow

CALENDAR: Final = "calendar"
"""The setting that names the country whose working days count."""

HOME: Final = "CN"

TYPICAL: Final = PolicyTerms(mep_days=60, notice_days=30, notice_from="due_date", handover_days=30, waiting_months=6)
"""The duties of an insured buyer where the firm has not entered its policy: what whole-turnover policies commonly ask for, but the overdue notice,
which they count from the due date or from the end of the extension, as early as any: a notice too early costs nothing, one too late the cover."""

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
    owed: Arrears, opened_on: date, known: Circumstances, *, limitation: tuple[date | None, date | None] = (None, None),
    terms: PolicyTerms = TYPICAL,
) -> Situation:  # fmt: skip
    """What a playbook needs to know of one buyer's case; `limitation`: as `Limitation.ends` has it."""
    holds = {name for name, buyers in known.holds.items() if owed.buyer_id in buyers}
    if "disputed" not in holds:
        holds.add("undisputed")
    holds.discard("disputed")
    anchors = {"due_date": owed.oldest, **known.anchors.get(owed.buyer_id, {})}
    if "insured" in holds:
        anchors |= _insurer(owed.oldest, terms)
    anchors |= {name: day for name, day in zip(("limitation_end", "limitation_over"), limitation, strict=True) if day is not None}
    return Situation(opened_on, anchors, frozenset(holds))


def _insurer(due: date, terms: PolicyTerms) -> dict[str, date]:
    found = {}
    mep_end = due + timedelta(days=terms.mep_days) if terms.mep_days is not None else None
    if mep_end is not None:
        found["policy.mep_end"] = mep_end
    begins = due if terms.notice_from == "due_date" else mep_end
    if terms.notice_days is not None and begins is not None:
        found["policy.overdue_notice"] = begins + timedelta(days=terms.notice_days)
    if terms.waiting_months is not None:
        found["policy.waiting_end"] = add_months(due, terms.waiting_months)
    return found


def terms_of(book: Book) -> PolicyTerms:
    """The duties of the firm's credit-insurance policy. Raises OptionMisusedError."""
    return policy_terms(book.settings.get("insurer_terms")) or TYPICAL


class Limitation:
    """When the claims of many debtors are barred, by the laws that may hold and by what was done.  诉讼时效

    The laws are those its contracts name; where one names none, or there is none, the creditor's and that of the debtor's country. What was done
    about one invoice counts for that alone, and payments not at all: they count in the clocks of one buyer (`desk/clocks`), which end no earlier.
    """

    def __init__(self, book: Book) -> None:
        self.book, self.own = book, own_country(book.settings)
        self.happened: dict[str, list[Happened]] = defaultdict(list)
        for table, read in ((CASE_EVENT, case_events), (NOTICE, letters)):
            for row in book.run(book.table(table)).to_pylist():
                if row["buyer_id"]:
                    self.happened[row["buyer_id"]] += read([row], ())
        self.agreed: dict[str, set[str]] = defaultdict(set)
        contract = book.table(CONTRACT)
        for row in book.run(contract.select("buyer_id", "governing_law").distinct()).to_pylist():
            self.agreed[row["buyer_id"]].add((row["governing_law"] or "").upper())
        self._plain: dict[tuple[str, bool, date], date | None] = {}

    def ends(self, owed: Arrears, country: str) -> tuple[date | None, date | None]:
        """The next day on which one of a debtor's debts is barred by a law that may hold, and the first on which one is by all of them.

        Of the ends that have passed the latest where none is to come. None where no period is known, the second where one of the laws' is not.
        """
        happened, laws = self.happened.get(owed.buyer_id, ()), self._laws(owed.buyer_id, country)
        # Where nothing was done the later debt ends later: those behind the first that is still in time have no say.
        in_time = self.book.on if not happened else date.max
        by_debt = []
        for debt in owed.debts:
            by_debt.append([self._end(code, country != self.own, debt, happened) for code in laws])
            if all(day is None or day >= in_time for day in by_debt[-1]):
                break
        ends = sorted(day for days in by_debt for day in days if day is not None)
        to_come = next((day for day in ends if day >= self.book.on), ends[-1] if ends else None)
        barred = [max(day for day in days if day) for days in by_debt if days and None not in days]
        return to_come, min(barred, default=None)

    def _laws(self, buyer_id: str, country: str) -> tuple[str, ...]:
        agreed = self.agreed.get(buyer_id, {""})
        named = sorted(agreed & COUNTRIES.keys())
        both = (self.own, country) if len(named) < len(agreed) else ()
        return tuple(dict.fromkeys(code for code in (*named, *both) if code in COUNTRIES))

    def _end(self, code: str, abroad: bool, debt: Debt, happened: Sequence[Happened]) -> date | None:
        events = [
            one.event
            for one in happened
            if one.invoice_id is None or (one.invoice_id == debt.invoice_id and one.instalment in (None, debt.instalment))
        ]
        if events:
            return self._reckoned(code, abroad, debt.due_date, events)
        key = (code, abroad, debt.due_date)
        if key not in self._plain:
            self._plain[key] = self._reckoned(*key, ())
        return self._plain[key]

    def _reckoned(self, code: str, abroad: bool, due: date, events: Sequence[Event]) -> date | None:
        return law.limitation(limitation_law(code), law.Debt((due,), None, abroad), events, on=self.book.on, own_country=self.own).ends_on


@lru_cache(maxsize=8)
def _days(country: str) -> WorkingDays:
    return WorkingDays(country)


def working_days(book: Book) -> WorkingDays:
    """The firm's own working days, with the days it knows better."""
    land = str(book.settings.get(CALENDAR) or HOME)
    own = own_days(book.settings, land)
    return WorkingDays(land, overrides=own) if own else _days(land)


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


NEWS_TABLES: Final = (INVOICE, SETTLEMENT, DISPUTE, SECURITY, SIGNAL, CASE_EVENT, NOTICE, CONTRACT)
MOST_AT_ONCE: Final = 200


def spoken_of(book: Book, rows: Sequence[JournalRow]) -> list[str]:
    """Whose debts, payments, letters or cases do these changes speak of? Nobody where it is more than MOST_AT_ONCE: the day's run sees to them."""
    batches = [row.batch_id for row in rows if row.kind in ("import", "post")]
    touched = {name for row in rows for name, counts in row.counts.items() if any(counts.values())}
    found: set[str] = set()
    for entry in NEWS_TABLES:
        if entry.name not in touched or not batches:
            continue
        table = book.whole.table(entry)
        told = table.filter(table.source.isin(batches) & table.buyer_id.notnull()).select("buyer_id").distinct().limit(MOST_AT_ONCE + 1)
        found.update(str(one) for one in book.whole.run_brought(told, batches)["buyer_id"].to_pylist())
        if len(found) > MOST_AT_ONCE:
            return []
    return sorted(found)


def alone(book: Book, buyer_id: str) -> Book:
    """A book of one buyer's facts, for all that is asked of its case: on a large ledger a moment instead of a scan."""
    return only_buyer(book, buyer_id, also=(SECURITY, LIMIT, SIGNAL, CASE_EVENT, NOTICE, CONTRACT))
