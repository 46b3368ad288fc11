"""A buyer's accounts side by side: lines, ratios, scores, what they were before a correction, and how others of its kind stand.  财务报表"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import pyarrow as pa

from duecourse.desk import answers
from duecourse.desk.buyer_page import fact_history
from duecourse.desk.remembered import remembered
from duecourse.errors import BuyerUnknownError
from duecourse.ledger.book import Book
from duecourse.ledger.entries import STATEMENT, STATEMENT_ITEMS
from duecourse.ledger.journal import JournalRow, State
from duecourse.ledger.memory import LEARNT, MemoryLedger
from duecourse.measures.statement_guards import RATIOS, SCORES, Reason, is_financial, why_not, zone
from duecourse.measures.statements import YEAR_MONTHS, annual_statements, statement_ratios, statement_scores

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

FEWEST_PEERS: Final = 5
"""Fewer others say nothing, and could be told apart."""

PEER_DAYS: Final = 730
"""Accounts of peers that ended longer ago are left out."""

FEW: Final = 2_000
"""Of so many peers one more or less can move a quartile."""

RATIO_NAMES: Final = tuple(name for names in RATIOS.values() for name in names)
ABOUT: Final = tuple(name for name in STATEMENT.facts.names if name not in STATEMENT_ITEMS)


@dataclass(frozen=True)
class Restated:
    """An earlier wording of the same accounts: when it was learnt, and each line that is another now: {line: (then, now)}."""

    recorded_at: datetime
    published_on: date
    file_name: str
    changed: Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True)
class Period:
    """The accounts of one period as the book knows them.

    about     period_end, period_months, consolidated, published_on, audited, opinion, standard, currency …
    lines     the standard lines, minor units; null where the accounts do not give one
    before    earlier wordings, the newest first
    counts    ratios and scores are worked out from it: a year, and not one the group's accounts stand in for
    """

    about: Mapping[str, Any]
    lines: Mapping[str, int | None]
    file_name: str
    batch: str
    source_row: int | None
    recorded_at: datetime
    before: Sequence[Restated]
    counts: bool

    @property
    def key(self) -> tuple[date, int, bool]:
        """Which of the buyer's accounts they are."""
        return self.about["period_end"], self.about["period_months"], bool(self.about["consolidated"])

    @property
    def is_year(self) -> bool:
        """Do they cover a year?"""
        return bool(YEAR_MONTHS[0] <= self.about["period_months"] <= YEAR_MONTHS[1])


@dataclass(frozen=True)
class Figure:
    """A ratio or score over the periods, in their order: its values, why one is not there, what a score says of it."""

    name: str
    values: Sequence[float | None]
    reasons: Sequence[Reason | None]
    zones: Sequence[str]


@dataclass(frozen=True)
class Statements:
    """The accounts of a buyer, the newest first.  财务报表对比"""

    buyer_id: str
    profile: Mapping[str, Any]
    periods: Sequence[Period]
    ratios: Mapping[str, Sequence[Figure]]
    scores: Sequence[Figure]
    is_financial: bool
    age_days: int | None


@dataclass(frozen=True)
class Peers:
    """How others of the sector and country stand: quartiles of each ratio's newest value, and of how many."""

    sector: str
    country: str
    buyers: int
    quartiles: Mapping[str, tuple[float, float, float, int]] = field(default_factory=dict)


def statements_of(book: Book, buyer_id: str) -> Statements:
    """What do the buyer's accounts say, period by period?  财务报表

    Raises BuyerUnknownError for a buyer of which the book holds nothing, or that may not be seen.
    """
    about = book.about(buyer_id)
    if not any(rows.num_rows for rows in about.values()):
        raise BuyerUnknownError(buyer=buyer_id)
    profile = (about["buyer"].to_pylist() or [{"buyer_id": buyer_id}])[0]
    periods = _periods(book, buyer_id)
    years = {period.key: number for number, period in enumerate(periods) if period.counts}
    lines, ratios, scores = _worked_out(book, periods)
    return Statements(
        buyer_id, profile, periods,
        {family: [_figure(name, periods, years, lines, ratios) for name in names] for family, names in RATIOS.items()},
        [_figure(name, periods, years, lines, scores) for name in SCORES],
        is_financial(profile.get("sector")),
        next(((book.on - period.about["period_end"]).days for period in periods if period.counts), None),
    )  # fmt: skip


def _periods(book: Book, buyer_id: str) -> list[Period]:
    wordings: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in fact_history(book, "statement", {"buyer_id": buyer_id}, buyer_id=buyer_id):
        if not row["withdrawn"]:
            wordings[tuple(row["values"][name] for name in STATEMENT.key)].append(row)
    found = []
    for rows in wordings.values():
        replaced = {row["supersedes"] for row in rows if row["supersedes"]}
        standing = [row for row in rows if row["source"] not in replaced and not row["voided"]]
        if standing:
            found.append((standing[0], [row for row in rows if row is not standing[0] and not row["voided"]]))
    found.sort(key=lambda one: (one[0]["values"]["period_end"], bool(one[0]["values"]["consolidated"]), one[0]["values"]["period_months"]), reverse=True)  # fmt: skip
    periods: list[Period] = []
    taken: set[date] = set()
    for row, earlier in found:
        values = row["values"]
        year = YEAR_MONTHS[0] <= values["period_months"] <= YEAR_MONTHS[1]
        counts = year and values["period_end"] not in taken
        if counts:
            taken.add(values["period_end"])
        periods.append(
            Period(
                {name: values[name] for name in ABOUT}, {name: values[name] for name in STATEMENT_ITEMS}, row["file_name"], row["source"],
                row["source_row"], row["recorded_at"], [_restated(one, values) for one in earlier], counts,
            )
        )  # fmt: skip
    return periods


def _restated(earlier: Mapping[str, Any], now: Mapping[str, Any]) -> Restated:
    then = earlier["values"]
    changed = {name: (then[name], now[name]) for name in STATEMENT.values if then[name] != now[name]}
    return Restated(earlier["recorded_at"], then["published_on"], earlier["file_name"], changed)


@lru_cache(maxsize=16)
def _expressions(on: date) -> tuple[Any, Any, Any]:
    """The year's lines, ratios and scores of a book with one buyer's accounts: drawn up once a day, as drawing them up takes longer than the answer."""
    empty = Book(MemoryLedger({}, cast("Any", None), State((JournalRow(0, "", "create", LEARNT),))), on)
    return annual_statements(empty), statement_ratios(empty), statement_scores(empty)


def _worked_out(book: Book, periods: Sequence[Period]) -> Sequence[dict[Any, Any]]:
    """The year's lines, ratios and scores by (period_end, consolidated), worked out by the measures that grade a whole book."""
    if not any(period.counts for period in periods):
        return {}, {}, {}
    rows = [
        {**period.about, **period.lines, "recorded_at": period.recorded_at, "source": period.batch, "voided": False} for period in periods
    ]
    tables = {"statement": pa.Table.from_pylist(rows, schema=STATEMENT.schema)}
    answers = (book.ledger.engine.run(expression, tables).to_pylist() for expression in _expressions(book.on))
    return [{(row["period_end"], row["consolidated"]): row for row in answer} for answer in answers]


def _figure(
    name: str, periods: Sequence[Period], years: Mapping[Any, int], lines: Mapping[Any, Any], worked_out: Mapping[Any, Any]
) -> Figure:  # fmt: skip
    values: list[float | None] = []
    reasons: list[Reason | None] = []
    for period in periods:
        place = period.key[0], period.key[2]
        if period.key in years and place in worked_out:
            values.append(worked_out[place][name])
            reasons.append(why_not(name, lines[place]))
        else:
            values.append(None)
            reasons.append(None)
    return Figure(name, values, reasons, [zone(name, value) if name in SCORES else "" for value in values])


def peers_of(book: Book, found: Statements) -> Peers | None:
    """How do other buyers of the same sector and country stand?  同业对比

    Of each ratio the lower quartile, median and upper quartile of their newest yearly accounts of the last two years, and of how many
    buyers; only ratios that at least FEWEST_PEERS of them have. None where the buyer's sector or country is not known.
    """
    sector, country = found.profile.get("sector"), found.profile.get("country")
    if not sector or not country:
        return None
    kind = remembered(book, f"peers 1 {answers.beside_version(book.ledger)} {sector}\n{country}", lambda: _kind(book, sector, country))
    place = next((number for number, period in enumerate(found.periods) if period.counts), None)
    if place is not None and (book.on - found.periods[place].about["period_end"]).days > PEER_DAYS:
        place = None
    own = {figure.name: figure.values[place] for figures in found.ratios.values() for figure in figures} if place is not None else {}
    quartiles = {}
    for name in RATIO_NAMES:
        values = list(kind["values"][name]) if name in kind["values"] else None
        if values is None:
            if name in kind["quartiles"]:
                quartiles[name] = tuple(kind["quartiles"][name])
            continue
        if own.get(name) is not None:
            values.remove(min(values, key=lambda value: abs(value - own[name])))
        if len(values) >= FEWEST_PEERS:
            quartiles[name] = _quartiles(values)
    return Peers(sector, country, kind["buyers"] - (place is not None), quartiles)


def _kind(book: Book, sector: str, country: str) -> dict[str, Any]:
    """The ratios of all buyers of a sector and country: each value while they are few, so that a buyer can be left out; else the quartiles."""
    table = book.buyer
    alike = table.filter((table.sector == sector) & (table.country == country)).select("buyer_id")
    ratios = statement_ratios(book)
    ratios = ratios.filter(ratios.newest & (ratios.age_days <= PEER_DAYS)).select("buyer_id", *RATIO_NAMES)
    rows = book.run(ratios.semi_join(alike.view(), "buyer_id"))
    known: dict[str, Any] = {name: rows[name].cast(pa.float64()).drop_null().to_pylist() for name in RATIO_NAMES}
    if rows.num_rows <= FEW:
        return {"buyers": rows.num_rows, "values": {name: values for name, values in known.items() if values}, "quartiles": {}}
    return {"buyers": rows.num_rows, "values": {}, "quartiles": {name: _quartiles(values) for name, values in known.items() if values}}


def _quartiles(values: Sequence[float]) -> tuple[float, float, float, int]:
    low, middle, high = np.quantile(np.asarray(values), [0.25, 0.5, 0.75])
    return float(low), float(middle), float(high), len(values)
