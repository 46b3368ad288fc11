"""What each buyer's newest accounts say, as columns: the factors of the accounts' block, and what makes them doubtful.  报表特征与疑点"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.desk.alone import answered, holds
from duecourse.ledger.book import Book
from duecourse.ledger.entries import STATEMENT
from duecourse.measures.expressions import days_between
from duecourse.measures.statement_doubts import statement_doubts
from duecourse.measures.statements import YEAR_MONTHS, statement_ratios, statement_scores
from duecourse.money import exponent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import ibis.expr.types as ir
    import numpy.typing as npt

    from duecourse.risk.grade_v1 import Parameters
    from duecourse.risk.points import Scorecard

    Column = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

compute: Any = pc
MILLION: Final = 1_000_000
SIZE: Final = "total_assets_usd_log"
SCORES: Final = ("altman_z", "altman_z_private", "altman_z_general", "altman_em_score", "zmijewski_x", "piotroski_f")
BAD_OPINIONS: Final = ("adverse", "disclaimer", "going_concern")


@dataclass(frozen=True)
class Accounts:
    """Columns by position, a buyer each; for a buyer whose accounts are not used, the factors are NaN.

    values       {factor: figure, NaN where not known}
    age_days     from the period's end; NaN where no accounts are used
    period_end   days since 1970-01-01, NaN likewise; also of accounts that are there and not used
    there        accounts of a year are there, used or not
    audited, negative_equity, opinion_bad   of them
    unbalanced, impossible, jumped, thin, dead   why they are not used
    interim      no accounts of a year, but of a shorter period
    """

    values: Mapping[str, Column]
    age_days: Column
    period_end: Column
    there: Flags
    audited: Flags
    negative_equity: Flags
    opinion_bad: Flags
    unbalanced: Flags
    impossible: Flags
    jumped: Flags
    thin: Flags
    dead: Flags
    interim: Flags


def accounts(book: Book, buyers: pa.Array[Any], card: Scorecard, rules: Parameters) -> Accounts:
    """The newest accounts of these buyers as of the book, in their order."""
    size = len(buyers)
    names = [factor.name for factor in card.factors if factor.name != SIZE]
    if not holds(book, STATEMENT):
        return _none(size, [*names, SIZE])
    rows = answered(book, "newest ratios", _newest_ratios)
    at = compute.index_in(rows["buyer_id"].combine_chunks(), buyers)
    mine = compute.is_valid(at)
    rows, place = rows.filter(mine), at.filter(mine).to_numpy(zero_copy_only=False).astype(np.int64)

    def spread(values: Column) -> Column:
        found = np.full(size, np.nan)
        found[place] = values
        return found

    def flags(values: Any) -> Flags:
        found = np.zeros(size, np.bool_)
        found[place] = compute.fill_null(values, pa.scalar(value=False)).to_numpy(zero_copy_only=False)
        return found

    values = {name: spread(_column(rows, name)) for name in names}
    values[SIZE] = spread(_size(book, rows))
    age = spread(_column(rows, "age_days"))
    there = ~np.isnan(age)
    doubts = _doubts(book, buyers)
    known = sum((~np.isnan(column) for column in values.values()), np.zeros(size, np.int64))
    thin = there & (known < rules.least_factors)
    dead = there & (np.nan_to_num(age) > rules.dead_days)
    unused = doubts["unbalanced"] | doubts["impossible"] | doubts["jumped"] | thin | dead | ~there
    for column in values.values():
        column[unused] = np.nan
    opinion = flags(compute.is_in(rows["opinion"], pa.array(BAD_OPINIONS, pa.string())))
    return Accounts(
        values, np.where(unused, np.nan, age), spread(_days(rows)), there, flags(rows["audited"]), flags(rows["negative_equity"]), opinion,
        doubts["unbalanced"], doubts["impossible"], doubts["jumped"], thin, dead, _interim(book, buyers) & ~there,
    )  # fmt: skip


def _newest_ratios(book: Book) -> ir.Table:
    ratios = statement_ratios(book)
    return ratios.filter(ratios.newest)


def _none(size: int, names: Sequence[str]) -> Accounts:
    nothing, no = np.full(size, np.nan), np.zeros(size, np.bool_)
    return Accounts(dict.fromkeys(names, nothing), nothing, nothing, no, no, no, no, no, no, no, no, no, no)


def scores(book: Book) -> Mapping[str, float | None]:
    """The published scores of the newest accounts, in a book of one buyer."""
    found = answered(book, "newest scores", _newest_scores).to_pylist() if holds(book, STATEMENT) else []
    return found[0] if found else dict.fromkeys(SCORES)


def _newest_scores(book: Book) -> ir.Table:
    rows = statement_scores(book)
    return rows.filter(rows.newest).select(*SCORES)


def _column(rows: pa.Table, name: str) -> Column:
    return np.asarray(rows[name].cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)


def _days(rows: pa.Table) -> Column:
    return np.asarray(rows["period_end"].cast(pa.int32()).cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)


def _size(book: Book, rows: pa.Table) -> Column:
    dollars = _dollars_per_unit(book)
    coded = rows["currency"].combine_chunks().dictionary_encode()
    words = [str(word) for word in coded.dictionary.to_pylist()]
    per_minor = np.array([dollars.get(word, np.nan) / 10 ** exponent(word) / MILLION for word in words] or [np.nan])
    codes = np.asarray(compute.fill_null(coded.indices, 0).to_numpy(zero_copy_only=False))
    million = _column(rows, "total_assets") * per_minor[codes] if len(codes) else np.zeros(0)
    return np.log(np.where(million > 0, million, np.nan))


def _dollars_per_unit(book: Book) -> dict[str, float]:
    rates = {row["currency"]: row["rate_to_base"] for row in answered(book, "rates to base", Book.rates).to_pylist()}
    dollar = rates.get("USD")
    return {"USD": 1.0, **({code: rate / dollar for code, rate in rates.items()} if dollar else {})}


def _doubts(book: Book, buyers: pa.Array[Any]) -> dict[str, Flags]:
    names: Sequence[str] = ("unbalanced", "impossible", "jumped")
    found = answered(book, "doubtful accounts", _doubtful)
    at = compute.index_in(found["buyer_id"].combine_chunks(), buyers)
    there = compute.is_valid(at).to_numpy(zero_copy_only=False)
    place = compute.fill_null(at, 0).to_numpy(zero_copy_only=False).astype(np.int64)[there]
    flags = {name: np.zeros(len(buyers), np.bool_) for name in names}
    for name in names:
        flags[name][place] = found[name].to_numpy(zero_copy_only=False)[there]
    return flags


def _doubtful(book: Book) -> ir.Table:
    rows = statement_doubts(book)
    return rows.filter(rows.newest & (rows.unbalanced | rows.impossible | rows.jumped))


def _of_part_years(book: Book) -> ir.Table:
    rows = book.statement
    age = days_between(ibis.literal(book.on, type="date"), rows.period_end)
    return rows.filter((rows.period_months < YEAR_MONTHS[0]) & (age <= 2 * 365)).select("buyer_id").distinct()


def _interim(book: Book, buyers: pa.Array[Any]) -> Flags:
    """Who has accounts of a shorter period than a year, not older than two years."""
    found = answered(book, "part years", _of_part_years)
    return np.asarray(compute.is_in(buyers, found["buyer_id"].combine_chunks()).to_numpy(zero_copy_only=False))
