"""How likely is each buyer to fail within a year, by its accounts? 信用评级 (财务部分)"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pyarrow as pa

from duecourse.errors import BuyerUngradedError
from duecourse.measures.statements import statement_ratios, statement_scores
from duecourse.money import exponent
from duecourse.risk import scorecard_v1
from duecourse.risk.master_scale import BOUNDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from duecourse.ledger.book import Book

OLD_DAYS: Final = 548
"""Accounts that ended more than 18 months ago no longer earn a good grade."""

DEAD_DAYS: Final = 730
"""Accounts that ended more than two years ago are as good as none."""

BEST_OF_OLD: Final = 5
FEW_FACTORS: Final = 0.6
MILLION: Final = 1_000_000
SCORES: Final = ("altman_z", "altman_z_private", "altman_z_general", "altman_em_score", "zmijewski_x", "piotroski_f")

Confidence = Literal["high", "medium", "low"]


@dataclass(frozen=True)
class Reason:
    """One factor: its value, and the points it adds against the average firm. A factor that is not known adds nothing."""

    factor: str
    family: str
    value: float | None
    points: float


@dataclass(frozen=True)
class Grade:
    """A buyer's grade by its accounts as of the book.

    grade                       1 (best) to 10
    probability_of_default_12m  fraction; low, high: 90 % interval of the fit
    score = base_points + Σ points of `reasons`, largest loss first
    confidence   high; medium: accounts older than 18 months, not audited, or a third of the factors missing; low: two of these
    capped       the grade would be better, were the accounts not old
    scores       Altman, Zmijewski, Piotroski of the same accounts, null where they lack an item
    """

    buyer_id: str
    name: str | None
    period_end: Any
    age_days: int
    grade: int
    probability_of_default_12m: float
    low: float
    high: float
    score: float
    base_points: float
    confidence: Confidence
    capped: bool
    negative_equity: bool
    base_rate: float
    model: str
    reasons: Sequence[Reason]
    scores: Mapping[str, float | None]


def grades(book: Book, *, base_rate: float | None = None) -> list[Grade]:
    """Every buyer with accounts that are not dead, riskiest first.  评级一览

    base_rate: share of firms like these that fail within a year, 0 to 1; default: the scorecard's own.
    """
    ratios = statement_ratios(book)
    ratios = ratios.filter(ratios.newest & (ratios.age_days <= DEAD_DAYS))
    scores = statement_scores(book)
    scores = scores.filter(scores.newest).select("buyer_id", *SCORES)
    names = book.buyer.select("buyer_id", "name", "name_local")
    rows = book.run(
        ratios.left_join(scores, "buyer_id").drop("buyer_id_right").left_join(names, "buyer_id").drop("buyer_id_right").order_by("buyer_id")
    )
    if not rows.num_rows:
        return []
    card = scorecard_v1.load()
    values = _values(book, rows, card)
    rate = card.base_rate if base_rate is None else base_rate
    scored = card.score(values, base_rate=rate)
    facts = rows.select(["buyer_id", "name", "name_local", "period_end", "age_days", "audited", "negative_equity", *SCORES]).to_pylist()
    found = [_grade(number, fact, card, scored, values, rate) for number, fact in enumerate(facts) if scored.grade[number]]
    return sorted(found, key=lambda one: (-one.probability_of_default_12m, one.buyer_id))


def grade(book: Book, buyer_id: str, *, base_rate: float | None = None) -> Grade:
    """One buyer's grade. Raises BuyerUngradedError where no accounts of the last two years are known: never an invented figure."""
    found = next((one for one in grades(book, base_rate=base_rate) if one.buyer_id == buyer_id), None)
    if found is None:
        raise BuyerUngradedError(buyer=buyer_id, on=book.on)
    return found


def _values(book: Book, rows: pa.Table, card: scorecard_v1.Scorecard) -> dict[str, npt.NDArray[np.float64]]:
    values = {factor.name: _column(rows, factor.name) for factor in card.factors if factor.name != "total_assets_usd_log"}
    dollars = _dollars_per_unit(book)
    currencies = [str(code) for code in rows["currency"].to_pylist()]
    per_minor = np.array([dollars.get(code, np.nan) / 10 ** exponent(code) for code in currencies])
    assets = _column(rows, "total_assets") * per_minor / MILLION
    values["total_assets_usd_log"] = np.log(np.where(assets > 0, assets, np.nan))
    return values


def _column(rows: pa.Table, name: str) -> npt.NDArray[np.float64]:
    return np.asarray(rows[name].cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)


def _dollars_per_unit(book: Book) -> dict[str, float]:
    rates = {row["currency"]: row["rate_to_base"] for row in book.run(book.rates()).to_pylist()}
    dollar = rates.get("USD")
    return {"USD": 1.0, **({code: rate / dollar for code, rate in rates.items()} if dollar else {})}


def _grade(
    number: int, fact: Mapping[str, Any], card: scorecard_v1.Scorecard, scored: scorecard_v1.Scored, values: Mapping[str, Any], rate: float
) -> Grade:
    reasons = [
        Reason(
            factor.name, factor.family, None if np.isnan(values[factor.name][number]) else float(values[factor.name][number]),
            float(scored.points[factor.name][number]),
        )
        for factor in card.factors
    ]  # fmt: skip
    old = fact["age_days"] > OLD_DAYS
    given = int(scored.grade[number])
    doubts = old + (fact["audited"] is not True) + (scored.known[number] < FEW_FACTORS * len(card.factors))
    probability = float(scored.probability_of_default_12m[number])
    capped = old and given < BEST_OF_OLD
    return Grade(
        buyer_id=fact["buyer_id"], name=fact["name"] or fact["name_local"], period_end=fact["period_end"], age_days=fact["age_days"],
        grade=BEST_OF_OLD if capped else given,
        probability_of_default_12m=max(probability, BOUNDS[BEST_OF_OLD - 2]) if capped else probability,
        low=float(scored.low[number]), high=float(scored.high[number]),
        score=float(scored.score[number]), base_points=scored.base_points,
        confidence=("high", "medium", "low", "low")[doubts], capped=capped, negative_equity=bool(fact["negative_equity"]), base_rate=rate,
        model=card.version, reasons=sorted(reasons, key=lambda reason: reason.points), scores={name: fact[name] for name in SCORES},
    )  # fmt: skip
