"""Who may default within six months, and why: the rule score and the hazard model side by side, for every active buyer or for one (预警).

Where the ledger's history is too short for a buyer to be held against its own past, nothing learned beats the longest delay so far; the ranking then
falls back to it by itself, gives no probability, and says so (`basis`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.decisions.wording import sentence
from duecourse.desk.alone import answered
from duecourse.desk.indicators import figures_of, indicators, warning_rules
from duecourse.desk.judging import base_rates
from duecourse.desk.signs import signs
from duecourse.desk.warning_learnt import in_force, model_name
from duecourse.desk.watched import active, half_year, in_default, in_default_since, short_history
from duecourse.measures.long_overdue import worst_delays
from duecourse.messages import say
from duecourse.risk import grade_v1
from duecourse.risk.points import INTERVAL_SIGMAS, POINTS_PER_LOG_ODDS, logit, probability_of
from duecourse.risk.warning import hazard_v1
from duecourse.risk.warning.hazard_v1.themes import TOLD
from duecourse.risk.warning.rules_v1 import LEVELS, judge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import numpy.typing as npt

    from duecourse.ledger.book import Book
    from duecourse.messages import Language
    from duecourse.risk.warning.rules_v1 import Judged

    Column = npt.NDArray[np.float64]

compute: Any = pc
THEMES_TOLD: Final = 4
LOGARITHMS: Final = ("course", "purchases", "accounts")
WHOLE_FROM: Final = 10.0
"""Multiples so large are told without decimals."""

COUNTS: Final = (*TOLD, "unpaid")
Basis = Literal["model", "worst_so_far"]

WARNED: Final = pa.schema(
    cast("list[pa.Field[Any]]", [
        pa.field("buyer_id", pa.string()), pa.field("probability_6m", pa.float64()), pa.field("low", pa.float64()), pa.field("high", pa.float64()),
        pa.field("rank", pa.float64()), pa.field("basis", pa.string()), pa.field("themes", pa.list_(pa.string())),
        pa.field("score", pa.float64()), pa.field("composite", pa.float64()), pa.field("known", pa.float64()), pa.field("level", pa.string()),
        pa.field("floored", pa.bool_()), pa.field("reasons", pa.list_(pa.string())),
    ])
)  # fmt: skip
SINCE: Final = pa.field("in_default_since", pa.date32())
CHANCES: Final = ("probability_6m", "low", "high")


@dataclass(frozen=True)
class Theme:
    """What a part of the signs says together.

    points  added to the score by them, against a buyer of whom they are not known; negative speaks against the buyer
    value   of the sign it is told by (`sign`); None where that is not known
    """

    theme: str
    points: float
    sign: str
    value: float | None

    def name(self, lang: Language | None = None) -> str:
        """What people call it."""
        return say(f"warning.theme_name_{self.theme}", lang)

    def sentence(self, lang: Language | None = None) -> str:
        """What it says, in words."""
        if self.value is None:
            return say("warning.theme_unknown", lang, theme=self.name(lang))
        if self.value <= 0 and self.theme in TOLD and self.points < 0:
            return say("warning.theme_earlier", lang, theme=self.name(lang))
        value = float(np.exp(self.value)) if self.theme in LOGARITHMS else self.value
        whole = self.theme in COUNTS or (self.theme in LOGARITHMS and value >= WHOLE_FROM)
        args = {"value_share": value} if self.theme == "limit" else {"value": round(value) if whole else round(value, 1)}
        return sentence({"code": f"warning.theme_{self.theme}", "args": args}, "", lang)


@dataclass(frozen=True)
class ModelWarning:
    """One buyer's warning by the model.

    probability_6m  fraction, with a 90 % interval; None where `basis` is worst_so_far, and of a buyer that is in default already
    base_rate_6m    share of firms like this that default within six months, as stated for a year
    points          Σ points of `themes` (+ calibration_points)
    worst_days_late the longest delay so far
    model, learnt   what the probability was made with: versions, and the parameters learnt from the firm's own defaults (`desk.warning_learnt`)
    in_default_since  None = it is not, by the firm's own definition
    """

    buyer_id: str
    on: date
    basis: Basis
    probability_6m: float | None
    low: float | None
    high: float | None
    base_rate_6m: float
    points: float
    calibration_points: float
    themes: Sequence[Theme]
    worst_days_late: float | None
    model: str
    learnt: Mapping[str, Any]
    in_default_since: date | None


def warned(book: Book) -> pa.Table:
    """How likely is each active buyer to default within six months, and what do the plain rules say of it?  预警概率与规则分

    One row per buyer that owes anything or bought within the last 365 days and may be seen, riskiest first, those already in default after all others
    (columns of WARNED, and SINCE):
        buyer_id
        probability_6m, low, high   fractions; null where the history is too short for the model, and of buyers in default
        rank         what buyers are ordered by: log-odds of the model, or the longest delay so far in days
        basis        model | worst_so_far
        themes       what speaks against it most, heaviest first (`hazard_v1.LEADING`)
        score, composite, known, level, floored, reasons   of the plain rules, as in `desk.indicators.scored`
        in_default_since   date; null = not in default, by the firm's own definition
    """
    rows = _told_apart(book, scored(book, active(book)))
    rows = rows.append_column("last", compute.is_valid(rows[SINCE.name]))
    return rows.sort_by([("last", "ascending"), ("rank", "descending"), ("buyer_id", "ascending")]).drop_columns("last")


def _told_apart(book: Book, rows: pa.Table) -> pa.Table:
    """With since when who is in default, instead of a chance of a default to come."""
    since = in_default(book)
    buyers: list[Any] = rows["buyer_id"].to_pylist()
    days = pa.array([since.get(buyer) for buyer in buyers], SINCE.type)
    for name in CHANCES:
        place = rows.column_names.index(name)
        rows = rows.set_column(place, rows.field(name), compute.if_else(compute.is_valid(days), pa.scalar(None, pa.float64()), rows[name]))
    return rows.append_column(SINCE, days)


def scored(book: Book, buyers: pa.Array[Any]) -> pa.Table:
    """The columns of WARNED for these buyers, active or not, in default or not, in their order."""
    return _scored(book, buyers)[0]


def scored_and_judged(book: Book, buyers: pa.Array[Any]) -> tuple[pa.Table, Judged]:
    """The same with who is in default, and what the plain rules say of each, so that their reasons can be told without asking again."""
    rows, judged = _scored(book, buyers)
    return _told_apart(book, rows), judged


def _scored(book: Book, buyers: pa.Array[Any]) -> tuple[pa.Table, Judged]:
    table = indicators(book, buyers)
    judged = judge(table, warning_rules(book))
    names = list(judged.rules.indicators)
    weights = np.array([one.weight for one in judged.rules.indicators.values()])
    strength = np.nan_to_num(judged.levels) * weights
    order = np.argsort(-strength, axis=1, kind="stable")
    counts = (strength > 0).sum(axis=1)
    basis, probability, low, high, rank, themes = _modelled(book.whole, buyers, table)
    levels: Any = pa.array(judged.level)
    columns: list[Any] = [
        buyers, pa.array(probability, from_pandas=True), pa.array(low, from_pandas=True), pa.array(high, from_pandas=True),
        pa.array(rank, from_pandas=True), pa.repeat(pa.scalar(basis), len(buyers)), themes, pa.array(judged.score, from_pandas=True),
        pa.array(judged.composite, from_pandas=True), pa.array(judged.known), pa.array(list(LEVELS), pa.string()).take(levels),
        pa.array(judged.floored), _listed(order, counts, names),
    ]  # fmt: skip
    return pa.table(columns, schema=WARNED), judged


def _modelled(book: Book, buyers: pa.Array[Any], table: pa.Table) -> tuple[Basis, Column, Column, Column, Column, Any]:
    nothing = np.full(len(buyers), np.nan)
    if short_history(book):
        return "worst_so_far", nothing, nothing, nothing, _worst(book, buyers), pa.array([[]] * len(buyers), pa.list_(pa.string()))
    card, intercept = _card(in_force(book))
    evidence = card.evidence(signs(book, buyers, table), explained=True)
    base, _of = base_rates(book, buyers, grade_v1.parameters().base_rate, named=False)
    log_odds = logit(half_year(base)) + intercept + evidence.log_odds
    away = INTERVAL_SIGMAS * evidence.spread
    probability, low, high = (probability_of(log_odds + shift) for shift in (0.0, -away, away))
    names = list(hazard_v1.LEADING)
    against = np.column_stack([_of_theme(evidence.added, theme) for theme in names])
    order = np.argsort(-against, axis=1, kind="stable")[:, :THEMES_TOLD]
    counts = np.minimum((against > 0).sum(axis=1), THEMES_TOLD)
    return "model", probability, low, high, log_odds, _listed(order, counts, names)


def _worst(book: Book, buyers: pa.Array[Any]) -> Column:
    """The longest delay of each buyer so far in days, NaN where it was never late."""
    rows = answered(book, "worst delays", worst_delays)
    at = compute.index_in(rows["buyer_id"].combine_chunks(), buyers)
    there = compute.is_valid(at).to_numpy(zero_copy_only=False)
    place = compute.fill_null(at, 0).to_numpy(zero_copy_only=False)[there]
    found = np.full(len(buyers), np.nan)
    np.fmax.at(found, place, rows["worst_days_late"].cast(pa.float64()).to_numpy(zero_copy_only=False)[there])
    return found


def _card(fitted: Mapping[str, Any]) -> tuple[Any, float]:
    """The shipped card with its themes weighed, and its level moved, by what the firm's own past says."""
    slopes: Mapping[str, float] = fitted.get("slopes") or {}
    card = hazard_v1.load()
    return (card.part(slopes=slopes) if slopes else card), float(fitted.get("intercept", 0.0))


def _of_theme(added: Mapping[str, Column], theme: str) -> Column:
    found: Column = np.sum([added[name] for name, (of, _) in hazard_v1.SIGNS.items() if of == theme], axis=0)
    return found


def _listed(order: npt.NDArray[np.int64], counts: npt.NDArray[np.int64], names: Sequence[str]) -> Any:
    """The first so many of each row's places as lists of names."""
    wide = np.arange(order.shape[1])[None, :] < counts[:, None]
    offsets: Any = pa.array(np.concatenate(([0], np.cumsum(counts))).astype(np.int32))
    places: Any = pa.array(order[wide].astype(np.int64))
    return pa.ListArray.from_arrays(offsets, pa.array(list(names), pa.string()).take(places))


def warning(book: Book, buyer_id: str) -> ModelWarning:
    """One buyer's probability of default within six months with what makes it, read from its own facts.

    Raises BuyerUnknownError for one that the book does not hold or that may not be seen.
    """
    table, own, _around = figures_of(book, buyer_id)
    since = in_default_since(own, buyer_id)
    buyers: pa.Array[Any] = pa.array([buyer_id], pa.string())
    base = float(half_year(base_rates(book, buyers, grade_v1.parameters().base_rate, named=False)[0])[0])
    worst = float(_worst(own, buyers)[0])
    late = None if np.isnan(worst) else worst
    if short_history(book.whole):
        return ModelWarning(
            buyer_id, book.on, "worst_so_far", None, None, None, base, 0.0, 0.0, (), late, hazard_v1.load().version, {}, since
        )
    fitted = in_force(book)
    card, intercept = _card(fitted)
    found = signs(own, buyers, table)
    evidence = card.evidence(found, explained=True)
    log_odds = float(logit(np.array(base))) + intercept + float(evidence.log_odds[0])
    away = INTERVAL_SIGMAS * float(evidence.spread[0])
    chances = (None if since else float(probability_of(np.array(log_odds + shift))) for shift in (0.0, -away, away))
    probability, low, high = chances
    themes = []
    for theme, sign in hazard_v1.LEADING.items():
        value = float(found[sign][0])
        added = -POINTS_PER_LOG_ODDS * float(_of_theme(evidence.added, theme)[0]) + 0.0
        themes.append(Theme(theme, added, sign, None if np.isnan(value) else value))
    calibration = -POINTS_PER_LOG_ODDS * intercept + 0.0
    return ModelWarning(
        buyer_id, book.on, "model", probability, low, high, base, sum(one.points for one in themes) + calibration, calibration,
        sorted(themes, key=lambda one: one.points), late, model_name(card.version, fitted), fitted, since,
    )  # fmt: skip
