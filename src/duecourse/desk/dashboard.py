"""What the first page shows, and what needs somebody's attention; and getting it ready before anybody asks.  总览"""

from __future__ import annotations

import contextlib
import json
from collections import OrderedDict
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from duecourse.desk import answers
from duecourse.desk.dates import default_day
from duecourse.desk.figures import months as months_of
from duecourse.desk.findings import findings, is_quick, known_findings
from duecourse.desk.invoices import InvoicesQuery, invoices, list_invoices
from duecourse.desk.listing import BuyersQuery, facets, list_buyers
from duecourse.desk.position import position
from duecourse.desk.remembered import remembered
from duecourse.desk.standing import standing
from duecourse.desk.upkeep import LARGE, lay_at_hand
from duecourse.engines.fused import ensure
from duecourse.measures.buckets import Buckets
from duecourse.messages import language, say
from duecourse.money import to_decimal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from duecourse.desk.position import Position
    from duecourse.desk.standing import Standing
    from duecourse.ledger.book import Book
    from duecourse.ledger.scope import Scope
    from duecourse.ledger.store import Ledger

MONTHS: Final = 25
"""The month of the day, and the twenty-four before it."""
TOP: Final = 10
MOVED: Final = 10
NEWLY_DAYS: Final = 7
HABIT_DAYS: Final = 15.0
"""A buyer who pays so many days later in the last 90 days than over the year has broken its habit."""
CREDIT_SHARE: Final = 0.001
"""Unapplied credits from this share of all that is outstanding on are large."""
RATE_DAYS: Final = 7
FOLLOWED: Final = ("outstanding", "overdue", "dso_countback", "dso_simple", "cei", "days_beyond_terms", "credit_sales", "cash_received", "dilution_rate")  # fmt: skip

Kind = Literal["buyer", "invoice", "check", "quarantine", "rates"]


@dataclass(frozen=True)
class Attention:
    """One thing that needs looking at: a sentence of the catalogue with its arguments, and what it is about.

    kind, about  where a link leads: a buyer's number, an invoice's number (and `buyer_id`), a check's code, the quarantine, the rates
    buyer_local  the name of the argument `buyer` in its own script, where the ledger has both
    """

    message: str
    args: Mapping[str, Any]
    kind: Kind
    about: str
    buyer_id: str = ""
    severity: Literal["error", "warning", "note"] = "warning"
    buyer_local: str = ""

    @property
    def words(self) -> str:
        """The sentence in the language spoken, with the buyer's name in the script of its reader."""
        own = {"buyer": self.buyer_local} if self.buyer_local and language() == "zh" else {}
        return say(self.message, **{**self.args, **own})


@dataclass(frozen=True)
class Concentration:
    """How much hangs on few names, looked through to groups, in base currency or else in the largest currency.

    largest  name_id, name, name_local, amount, share, cumulative_share of the TOP largest
    """

    currency: str
    names: int
    amount: int
    top_1: float | None
    top_5: float | None
    top_10: float | None
    hhi: float | None
    effective_number: float | None
    largest: Sequence[Mapping[str, Any]] = field(default_factory=tuple)


@dataclass(frozen=True)
class Dashboard:
    """Everything the first page shows.

    months       rows of `measures.history.history` by currency, latest first; `months_in_base` the same in base currency
    changes      {figure of FOLLOWED: {now, last_month, last_year}} in base currency, else of the largest currency
    movements    {outstanding, overdue: buyers whose amount moved most in 30 days, ups and downs together}
    """

    position: Position
    months: Sequence[Mapping[str, Any]]
    months_in_base: Sequence[Mapping[str, Any]]
    changes: Mapping[str, Mapping[str, Any]]
    movements: Mapping[str, Sequence[Mapping[str, Any]]]
    concentration: Concentration
    attention: Sequence[Attention]


def dashboard(book: Book) -> Dashboard:
    """Where do we stand, how did we get here, on whom does it hang, and what needs attention?  总览"""
    own, base = history(book)
    where = position(book)
    first = where.currencies[0].currency if where.currencies else ""
    rows = base or [row for row in own if row["currency"] == first]
    return Dashboard(where, own, base, _changes(rows), movements(book), concentration(book), attention(book))


def history(book: Book) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The last MONTHS month ends per currency, and in base currency, the latest first; worked out once a version."""
    buckets = Buckets.of(book)
    own, base = remembered(book, f"months {MONTHS} {buckets.limits_days}", lambda: months_of(book, count=MONTHS, buckets=buckets))
    return own, base


def _changes(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    by_month = {row["months_back"]: row for row in rows}
    return {
        name: {when: by_month.get(back, {}).get(name) for when, back in (("now", 0), ("last_month", 1), ("last_year", 12))}
        for name in FOLLOWED
    }


def movements(book: Book) -> dict[str, list[dict[str, Any]]]:
    """Whose outstanding and whose overdue amount moved most in 30 days?  近三十日变动最大的买方"""
    found: dict[str, list[dict[str, Any]]] = remembered(
        book, "movements", lambda: {name: _moved(book, name) for name in ("outstanding", "overdue")}
    )
    return found


def _moved(book: Book, name: str) -> list[dict[str, Any]]:
    change = f"{name}_change_30d"
    factors = standing(book).factors
    kept = ("buyer_id", "name", "name_local", "currency", name, change)
    rows = {}
    for falls in (True, False):
        for row in list_buyers(book, BuyersQuery(sort=change, descending=falls, limit=MOVED)).rows:
            if row[change]:
                rows[row["buyer_id"], row["currency"]] = {kept_name: row[kept_name] for kept_name in kept}
    for row in rows.values():
        factor = factors.get(row["currency"])
        row["change_base"] = None if factor is None else int(np.floor(row[change] * factor + 0.5))
    return sorted(rows.values(), key=lambda row: -abs(row["change_base"] or row[change]))[:MOVED]


# On whom it hangs


def concentration(book: Book) -> Concentration:
    """How concentrated is what we are owed, looked through to groups?  集中度"""
    return Concentration(**remembered(book, "concentration", lambda: asdict(_concentration(book))))


def _concentration(book: Book) -> Concentration:
    columns = standing(book)
    names, currency = np.zeros(len(columns.groups), np.int64), columns.base_currency
    seen = columns.seen(book.scope)
    own = columns.column("currency")
    factors = columns.factors
    if not factors:
        where = position(book).currencies
        currency = where[0].currency if where else ""
        factors = {currency: 1.0}
    for code, factor in factors.items():
        if code not in columns.words["currency"]:
            continue
        keep = own == columns.code("currency", code)
        keep = keep if seen is None else keep & seen
        sums = np.bincount(columns.column("group")[keep], weights=columns.column("outstanding")[keep], minlength=len(names))
        names += np.floor(sums * factor + 0.5).astype(np.int64)
    owing = np.flatnonzero(names > 0)
    amount = int(names[owing].sum())
    if not amount:
        return Concentration(currency, 0, 0, None, None, None, None, None)
    order = owing[np.argsort(-names[owing], kind="stable")]
    share = names[order] / amount
    hhi = float((share * share).sum())
    through = np.cumsum(share[:TOP])
    largest = [
        {
            "name_id": columns.groups.column("group_id")[int(code)].as_py(), **_names_of(columns, int(code)), "amount": int(names[code]),
            "share": float(share[place]), "cumulative_share": float(through[place]),
        }
        for place, code in enumerate(order[:TOP])
    ]  # fmt: skip
    top_1, top_5, top_10 = (float(share[:count].sum()) for count in (1, 5, 10))
    return Concentration(currency, len(owing), amount, top_1, top_5, top_10, hhi, 1 / hhi, largest)


def _names_of(columns: Standing, group: int) -> dict[str, Any]:
    named = columns.groups.column("group_name")[group].as_py()
    if named:
        return {"name": str(named), "name_local": None}
    member = int(np.argmax(columns.column("group") == group))
    return columns.mappings(np.array([member]), ("name", "name_local"))[0]


# What needs attention


def attention(book: Book) -> list[Attention]:
    """What should somebody look at today?  待关注事项

    Large amounts newly overdue, the oldest, buyers who broke their habit, large unapplied credits, findings of the checks, rows waiting in
    quarantine, rates that are missing or old. Findings of a large ledger only once they have been worked out.
    """
    about_money: list[dict[str, Any]] = remembered(book, "attention", lambda: [asdict(one) for one in _about_money(book)])
    return [*_about_data(book), *(Attention(**one) for one in about_money)]


def _worded(minor: int, currency: str) -> str:
    return f"{to_decimal(minor, currency):,f} {currency}"


def _who(row: Mapping[str, Any]) -> str:
    return str(row["name"] or row["name_local"] or row["buyer_id"])


def _local(row: Mapping[str, Any]) -> str:
    return str(row["name_local"] or "")


def _about_money(book: Book) -> list[Attention]:
    found = []
    days = {"due_from": book.on - timedelta(days=NEWLY_DAYS), "due_to": book.on - timedelta(days=1)}
    for row in list_invoices(book, InvoicesQuery(state="overdue", sort="open", limit=5, **days)).rows:  # type: ignore[arg-type]
        args = {"buyer": _who(row), "amount": _worded(row["open_minor"], row["currency"]), "invoice": row["invoice_id"], "days": f"{row['days_past_due']:,}"}  # fmt: skip
        found.append(Attention("attention.newly_overdue", args, "invoice", row["invoice_id"], row["buyer_id"], buyer_local=_local(row)))
    for row in list_invoices(book, InvoicesQuery(state="overdue", sort="due_date", limit=3)).rows:
        args = {"buyer": _who(row), "amount": _worded(row["open_minor"], row["currency"]), "invoice": row["invoice_id"], "days": f"{row['days_past_due']:,}"}  # fmt: skip
        found.append(Attention("attention.oldest", args, "invoice", row["invoice_id"], row["buyer_id"], buyer_local=_local(row)))
    habit = BuyersQuery(
        at_least={"days_beyond_terms_trend": HABIT_DAYS, "days_beyond_terms_90d": 0.0}, overdue_only=True, sort="outstanding", limit=5
    )
    for row in list_buyers(book, habit).rows:
        args = {
            "buyer": _who(row), "now": f"{row['days_beyond_terms_90d']:.0f}", "usual": f"{row['days_beyond_terms_365d']:.0f}",
            "amount": _worded(row["outstanding"], row["currency"]),
        }  # fmt: skip
        found.append(Attention("attention.habit", args, "buyer", row["buyer_id"], row["buyer_id"], buyer_local=_local(row)))
    page = list_buyers(book, BuyersQuery(sort="unapplied_credits", limit=3))
    whole = {one["currency"]: one["outstanding"] for one in page.totals}
    for row in page.rows:
        if row["unapplied_credits"] > CREDIT_SHARE * whole.get(row["currency"], 0) and row["unapplied_credits"] > 0:
            args = {"buyer": _who(row), "amount": _worded(row["unapplied_credits"], row["currency"])}
            found.append(Attention("attention.unapplied", args, "buyer", row["buyer_id"], row["buyer_id"], "note", _local(row)))
    return found


def _about_data(book: Book) -> list[Attention]:
    found = []
    if not book.scope.restricts:
        waiting = remembered(book, "quarantine waiting", lambda: _waiting(book))
        if waiting:
            found.append(Attention("attention.quarantine", {"count": waiting}, "quarantine", ""))
    where = position(book)
    if where.not_converted:
        listed = ", ".join(where.not_converted)
        found.append(Attention("attention.rates_missing", {"currencies": listed, "base": book.base_currency}, "rates", ""))
    for currency, day in remembered(book, "old rates", lambda: _old_rates(book, [one.currency for one in where.currencies])):
        found.append(Attention("attention.rate_old", {"currency": currency, "day": day}, "rates", currency, severity="note"))
    outcomes = findings(book) if is_quick(book) else known_findings(book)
    for outcome in outcomes or []:
        severity: Any = outcome.severity
        found.append(Attention(f"attention.check_{outcome.code}", {"count": outcome.count}, "check", outcome.code, severity=severity))
    return found


def _waiting(book: Book) -> int:
    rows = book.quarantine
    rows = rows.filter(rows.fixed_by.isnull())
    return int(book.run(rows.aggregate(n=rows.count())).column("n")[0].as_py())


def _old_rates(book: Book, used: Sequence[str]) -> list[tuple[str, str]]:
    if book.base_currency == "XXX":
        return []
    rows = book.run(book.rates()).to_pylist()
    limit = book.on - timedelta(days=RATE_DAYS)
    return sorted((row["currency"], row["rate_date"].isoformat()) for row in rows if row["currency"] in used and row["rate_date"] < limit)


# Ready before anybody asks

MAIN_ORDERS: Final = (
    ("overdue", True), ("outstanding", True), ("name", False), ("buyer_id", False), ("oldest_days_past_due", True), ("credit_sales_365d", True),
    ("days_beyond_terms_365d", True), ("dso_countback", True), ("overdue_change_30d", True), ("overdue_change_30d", False),
    ("outstanding_change_30d", True), ("outstanding_change_30d", False), ("unapplied_credits", True),
)  # fmt: skip


SCOPES: Final = 50
"""Of so many different parts of the book the first page is worked out beforehand as well."""


def warm(
    ledger: Ledger, *, on: date | None = None, scopes: Collection[Scope] = (), progress: Callable[[float], None] | None = None
) -> None:
    """Work out what the pages will ask for, of the day they mean when none is named: after an import, before anybody waits.

    scopes    the parts of the book people are limited to; parts by company, which take longest, are there before the version is served
    progress  told the share done, 0 to 1; it may raise to give up
    Done already, it takes no time. When it is through, `served` gives this version.
    """
    tell = progress or (lambda _share: None)
    if ledger.storage.local:
        ensure(ledger)
        lay_at_hand(ledger)
    tell(0.3)
    book = ledger.as_of(on or default_day(ledger))
    columns = standing(book)
    for name, falls in MAIN_ORDERS:
        columns.order(name, descending=falls)
    facets(book, BuyersQuery())
    list_buyers(book, BuyersQuery(text="-", overdue_only=True))
    tell(0.5)
    listed = invoices(book)
    factor = np.array([columns.factors.get(code, 1e-9 if columns.factors else 1.0) for code in listed.currencies] + [1e-9])
    for name in ("due_date", "amount", "open"):
        listed.order(name, factor)
    list_invoices(book, InvoicesQuery(text="-"))
    tell(0.7)
    dashboard(book)
    parts = sorted((scope for scope in scopes if scope.restricts), key=lambda scope: (not scope.legal_entities, str(scope)))[:SCOPES]
    for scope in parts:
        if scope.legal_entities:
            _warm_part(book.limited(scope))
    tell(0.8)
    place = answers.place(book)
    if place is not None:
        told = {"version": ledger.version, "on": book.on.isoformat(), "made_at": datetime.now(UTC).isoformat()}
        with contextlib.suppress(OSError):
            answers.make_room(place)
            answers.write_whole(answers.ready(place), lambda half: _write(half, json.dumps(told)))
    for scope in parts:
        if not scope.legal_entities:
            _warm_part(book.limited(scope))
    tell(0.9)
    findings(book)  # takes longest, and no page waits for it
    tell(1.0)


def _warm_part(book: Book) -> None:
    dashboard(book)
    list_buyers(book, BuyersQuery())


def _write(path: Any, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def rows_of(ledger: Ledger) -> int:
    """How many rows the ledger took in."""
    return sum(counts.get("added", 0) for row in ledger.journal() for counts in row.counts.values())


@dataclass(frozen=True)
class Served:
    """The version pages are drawn up from.

    ledger    pinned to that version: it stays there, whatever others write
    newest    the newest version there is; `behind`: changes of facts not yet shown
    since     when the served version came to be (UTC)
    """

    ledger: Ledger
    newest: int
    behind: int
    since: datetime

    @property
    def is_newest(self) -> bool:
        """Does it hold all that is known?"""
        return self.behind == 0


_guard = Lock()
_pinned: OrderedDict[tuple[str, int], Ledger] = OrderedDict()


def served(ledger: Ledger) -> Served:
    """The version that pages should show: the newest; of a large ledger, the newest that is ready.

    So pages stay quick while an import is being worked in. Where none is ready, the newest.
    """
    chosen = ledger.version
    home = answers.home(ledger)
    if home is not None and rows_of(ledger) > LARGE:
        chosen = _ready(ledger, home) or chosen
    since = next(row.recorded_at for row in ledger.state.rows if row.version == chosen)
    changes = [row for row in ledger.state.rows if row.version > chosen and row.kind != "compact"]
    return Served(_at(ledger, chosen), ledger.version, len(changes), since)


def _ready(ledger: Ledger, home: Any) -> int | None:
    """The newest version whose facts have been made ready; putting files in order leaves them ready."""
    facts = 0
    ready: int | None = None
    for row in ledger.state.rows:
        if row.kind != "compact":
            facts = row.version
        if answers.ready(home / str(facts)).exists():
            ready = row.version
    return ready


def _at(ledger: Ledger, version: int) -> Ledger:
    key = (ledger.storage.url, version)
    with _guard:
        found = _pinned.get(key)
        if found is None or found.state.last.recorded_at != ledger.at(version).state.last.recorded_at:
            found = _pinned[key] = ledger.at(version)
        _pinned.move_to_end(key)
        while len(_pinned) > 8:
            _pinned.popitem(last=False)
    return found
