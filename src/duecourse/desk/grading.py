"""How likely is each buyer to fail within a year, and why? 信用评级

`graded` answers for everybody at once, `grade` for one buyer with every reason. Both go the same way: accounts, conduct and signals as columns,
combined, capped where accounts are missing or old, moved by what people decided, overridden by hard facts.
"""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.desk import accounts as of_accounts
from duecourse.desk import answers
from duecourse.desk.alone import alone, answered, through_time
from duecourse.desk.behaviour import conduct, conduct_of_one
from duecourse.desk.judging import CONFIDENCES, DOUBTS, OVERRIDES, Adjustment, Judged, decoded, judge
from duecourse.errors import BuyerUnknownError
from duecourse.ledger.scope import Scope
from duecourse.risk.points import POINTS_PER_LOG_ODDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import ibis.expr.types as ir
    import numpy.typing as npt

    from duecourse.ledger.book import Book

compute: Any = pc
FORMAT: Final = 1
EPOCH: Final = date(1970, 1, 1)
Confidence = Literal["high", "medium", "low"]
Basis = Literal["both", "financial", "behaviour", "none"]

GRADED: Final = pa.schema(
    cast("list[pa.Field[Any]]", [
        pa.field("buyer_id", pa.string()), pa.field("grade", pa.int8()), pa.field("probability_of_default_12m", pa.float64()),
        pa.field("low", pa.float64()), pa.field("high", pa.float64()), pa.field("confidence", pa.string()), pa.field("basis", pa.string()),
        pa.field("overrides", pa.list_(pa.string())), pa.field("doubts", pa.list_(pa.string())), pa.field("score", pa.float64()),
        pa.field("model_grade", pa.int8()), pa.field("grade_without_overrides", pa.int8()), pa.field("notches", pa.int8()),
        pa.field("base_rate", pa.float64()), pa.field("period_end", pa.date32()),
    ])
)  # fmt: skip


@dataclass(frozen=True)
class Reason:
    """One factor: its value, and the points it adds against a buyer of whom it is not known. What is not known adds nothing.

    block  accounts | conduct | signals; points count as the block's weight has it
    """

    factor: str
    family: str
    block: str
    value: float | None
    points: float


@dataclass(frozen=True)
class Override:
    """A hard fact that holds the grade down, whatever the points say.

    since     the day it is known or reached; grade: no better than this
    amount    minor units of `currency`, for what is overdue or written off
    """

    code: str
    grade: int
    since: date | None
    amount_minor: int | None = None
    currency: str | None = None
    text: str | None = None


@dataclass(frozen=True)
class Told:
    """A signal that holds, and what it counts for today (0 to 1; 0 = only noted)."""

    kind: str
    severity: str | None
    published_on: date
    weight: float
    provider: str | None
    text: str | None
    reference: str | None


@dataclass(frozen=True)
class Point:
    """The grade as of an earlier day, by what is known today of that day."""

    on: date
    grade: int
    grade_without_overrides: int
    probability_of_default_12m: float
    basis: Basis


@dataclass(frozen=True)
class Grade:
    """A buyer's grade as of the book, with everything that makes it.

    grade                       1 (best) to 10
    probability_of_default_12m  fraction; low, high: 90 % interval of the fit and of what is not known
    score = base_points + Σ points of `reasons` (+ calibration_points): the probability before caps, adjustments and overrides
    base_rate       share of firms like this that fail within a year, as stated; base_rate_of: "", country, "*/sector" or "country/sector"
    model_grade     by the score alone; capped: it would be better, were there fresh accounts
    grade_without_adjustment, grade_without_overrides   what it would be otherwise
    weights         {block: by how much its log-odds count}
    doubts          what is missing or doubtful, codes of DOUBTS
    scores          Altman, Zmijewski, Piotroski of the newest accounts, null where they lack an item
    """

    buyer_id: str
    name: str | None
    on: date
    grade: int
    probability_of_default_12m: float
    low: float
    high: float
    confidence: Confidence
    basis: Basis
    score: float
    base_points: float
    calibration_points: float
    base_rate: float
    base_rate_of: str
    model_grade: int
    capped: bool
    grade_without_adjustment: int
    grade_without_overrides: int
    adjustment: Adjustment | None
    overrides: Sequence[Override]
    reasons: Sequence[Reason]
    weights: Mapping[str, float]
    doubts: Sequence[str]
    period_end: date | None
    age_days: int | None
    negative_equity: bool
    invoices_365d: int
    signals: Sequence[Told]
    scores: Mapping[str, float | None]
    models: Mapping[str, str]
    history: Sequence[Point] = ()

    def data(self) -> dict[str, Any]:
        """The same as plain data: for a file, the API, or to be compared byte for byte."""
        return asdict(self)


KEPT: Final = 6
"""Grades of so many days and states stay beside one state of the facts: today's, a year ago's, those a trial of rules asks for."""


def graded(book: Book) -> pa.Table:
    """Every buyer's grade, in the order of their numbers.  评级一览

    One row per buyer of whom the book holds anything (columns of GRADED):
        buyer_id       string
        grade          int8, 1 (best) to 10
        probability_of_default_12m, low, high   float64, fractions; a 90 % interval
        confidence     high | medium | low
        basis          both | financial | behaviour | none: what it rests on; none: the base rate alone
        overrides      list of codes: hard facts that hold the grade down
        doubts         list of codes: what is missing or doubtful
        score          points before caps; model_grade: the grade by them alone; grade_without_overrides
        notches        by how much people moved it (positive: worse)
        base_rate, period_end (of the newest accounts)

    Worked out once for a state of the ledger and kept beside it.
    """
    own = replace(book, scope=Scope(book.scope.legal_entities) if book.scope.legal_entities else Scope())
    found = _kept(own)
    return _seen(book, found) if book.scope.groups or book.scope.sales_owners else found


def _kept(book: Book) -> pa.Table:
    at = answers.place(book)
    if at is None:
        return _graded(book)
    path = at / f"grades-{answers.key(book, f'grades {FORMAT} {answers.beside_version(book.ledger)}')}.arrow"
    with contextlib.suppress(OSError, pa.ArrowInvalid), pa.memory_map(str(path)) as file:
        return pa.ipc.open_file(file).read_all()
    found = _graded(book)
    with contextlib.suppress(OSError):
        answers.make_room(at)
        for old in sorted(at.glob("grades-*.arrow"), key=lambda one: one.stat().st_mtime)[: -KEPT + 1]:
            old.unlink(missing_ok=True)
        answers.write_whole(path, lambda half: _written(half, found))
    return found


def _written(path: Any, rows: pa.Table) -> None:
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, rows.schema) as writer:
        writer.write_table(rows)


def _seen(book: Book, rows: pa.Table) -> pa.Table:
    mine = book.run(book.buyer.select("buyer_id"))["buyer_id"].combine_chunks()
    return rows.filter(compute.is_in(rows["buyer_id"], mine))


def _graded(book: Book) -> pa.Table:
    buyers = everybody(book)
    done = judge(book, buyers, conduct(book, buyers))
    confidence: Any = pa.array(done.confidence)
    basis: Any = pa.array(done.basis)
    return pa.table(
        [
            buyers, pa.array(done.grade), pa.array(done.probability), pa.array(done.low), pa.array(done.high),
            pa.array(list(CONFIDENCES), pa.string()).take(confidence), pa.array(list(BASES), pa.string()).take(basis),
            decoded(done.overrides, OVERRIDES), decoded(done.doubts, DOUBTS), pa.array(done.combined.score),
            pa.array(done.combined.model_grade), pa.array(done.without_overrides), pa.array(done.notches.astype(np.int8)), pa.array(done.base_rate),
            _day_column(done.accounts.period_end),
        ],
        schema=GRADED,
    )  # fmt: skip


BASES: Final[Sequence[Basis]] = ("none", "financial", "behaviour", "both")


def _day_column(days: npt.NDArray[np.float64]) -> pa.Array[Any]:
    gone = np.isnan(days)
    return pa.array(np.where(gone, 0, days).astype(np.int32), mask=gone).cast(pa.date32())


def everybody(book: Book) -> pa.Array[Any]:
    """The numbers of all buyers the book holds anything of, in order."""
    tables = (book.buyer, book.invoice, book.settlement, book.statement, book.signal)
    parts = [book.run(table.select("buyer_id").filter(table.buyer_id.notnull()).distinct())["buyer_id"] for table in tables]
    chunks = [chunk for part in parts for chunk in part.chunks]
    whole: Any = compute.unique(pa.chunked_array(chunks, pa.string()))
    found: pa.Array[Any] = whole.take(compute.sort_indices(whole))
    return found


def grades(book: Book, *, base_rate: float | None = None) -> list[dict[str, Any]]:
    """Every buyer's grade, riskiest first, with its name.  评级一览

    base_rate: share of firms that fail within a year, 0 to 1, instead of the stated ones.
    """
    rows = graded(book) if base_rate is None else _graded(stating(book, base_rate))
    names = book.run(book.buyer.select("buyer_id", "name", "name_local"))
    at = compute.index_in(rows["buyer_id"].combine_chunks(), names["buyer_id"].combine_chunks())
    called = compute.coalesce(*(names[name].combine_chunks().take(at) for name in ("name", "name_local")))
    told = rows.append_column("name", called).sort_by([("probability_of_default_12m", "descending"), ("buyer_id", "ascending")])
    return told.to_pylist()


def stating(book: Book, base_rate: float) -> Book:
    """The same book, all firms failing at this rate."""
    settings = {**book.settings, "default_rates": {"*": base_rate}}
    changed = replace(book)
    changed.__dict__["settings"] = settings
    return changed


def grade(book: Book, buyer_id: str, *, base_rate: float | None = None, months: int = 0) -> Grade:
    """One buyer's grade with every reason.

    months  how many month-ends before the book's day `history` goes back
    Raises BuyerUnknownError where the book holds nothing of this buyer.
    """
    if base_rate is not None:
        book = stating(book, base_rate)
    own = alone(book, buyer_id)
    if own is None:
        raise BuyerUnknownError(buyer=buyer_id)
    days = _month_ends_before(book.on, months)
    if not days:
        buyers: pa.Array[Any] = pa.array([buyer_id], pa.string())
        done = judge(own, buyers, conduct_of_one(book, own, buyer_id), explained=True)
    else:
        spread, buyers = through_time(own, buyer_id, [book.on, *days])
        done = judge(spread, buyers, conduct(spread, buyers), explained=True, days=[book.on, *days])
    history = [
        Point(
            day, int(done.grade[number]), int(done.without_overrides[number]), float(done.probability[number]), BASES[int(done.basis[number])]
        )
        for number, day in enumerate([book.on, *days])
        if months
    ]  # fmt: skip
    return _told(own, buyer_id, done, sorted(history, key=lambda one: one.on))


def _month_ends_before(on: date, months: int) -> list[date]:
    found, day = [], on.replace(day=1)
    for _ in range(months):
        day -= timedelta(days=1)
        found.append(day)
        day = day.replace(day=1)
    return found


def _told(own: Book, buyer_id: str, done: Judged, history: Sequence[Point]) -> Grade:
    profile = (answered(own, "names", _names).to_pylist() or [{"name": None, "name_local": None}])[0]
    age, end = done.accounts.age_days[0], done.accounts.period_end[0]
    return Grade(
        buyer_id=buyer_id, name=profile["name"] or profile["name_local"], on=own.on, grade=int(done.grade[0]),
        probability_of_default_12m=float(done.probability[0]), low=float(done.low[0]), high=float(done.high[0]),
        confidence=CONFIDENCES[int(done.confidence[0])], basis=BASES[int(done.basis[0])], score=float(done.combined.score[0]),
        base_points=float(done.combined.base_points[0]), calibration_points=float(-POINTS_PER_LOG_ODDS * done.intercept) + 0.0,
        base_rate=float(done.base_rate[0]), base_rate_of=done.base_rate_of[0], model_grade=int(done.combined.model_grade[0]),
        capped=bool(done.combined.capped[0]), grade_without_adjustment=int(done.without_adjustment[0]),
        grade_without_overrides=int(done.without_overrides[0]), adjustment=done.adjustments.get(0),
        overrides=_overrides(own, done), reasons=_reasons(done),
        weights={"accounts": float(done.weights.accounts[0]), "conduct": float(done.weights.conduct[0]), "signals": 1.0},
        doubts=[name for bit, name in enumerate(DOUBTS) if int(done.doubts[0]) >> bit & 1],
        period_end=None if np.isnan(end) else EPOCH + timedelta(days=int(end)), age_days=None if np.isnan(age) else int(age),
        negative_equity=bool(done.accounts.negative_equity[0]), invoices_365d=int(done.conduct.invoices[0]), signals=_signals(done),
        scores=of_accounts.scores(own), models=done.models, history=history,
    )  # fmt: skip


def _names(book: Book) -> ir.Table:
    return book.buyer.select("name", "name_local")


def _reasons(done: Judged) -> list[Reason]:
    found = []
    for block, card, evidence, values, weight in done.blocks:
        for factor in card.factors:
            value = values[factor.name][0]
            found.append(
                Reason(
                    factor.name, factor.family, block, None if np.isnan(value) else float(value),
                    float(-POINTS_PER_LOG_ODDS * weight[0] * evidence.added[factor.name][0]) + 0.0,
                )
            )  # fmt: skip
    return sorted(found, key=lambda one: (one.points, one.value is None))


def _overrides(own: Book, done: Judged) -> list[Override]:
    base = own.base_currency
    currency = base if done.conduct.amounts_comparable else None
    found = []
    for bit, code in enumerate(OVERRIDES):
        if not int(done.overrides[0]) >> bit & 1:
            continue
        worst = done.override_grades[code]
        if code == "over_90_days":
            since = own.on - timedelta(days=max(int(done.conduct.oldest[0]) - 91, 0))
            found.append(Override(code, worst, since, round(done.conduct.over_90[0]), currency))
        elif code == "written_off":
            found.append(Override(code, worst, None, round(done.conduct.written_off[0]), currency))
        elif code == "bad_opinion":
            end = done.accounts.period_end[0]
            found.append(Override(code, worst, None if np.isnan(end) else EPOCH + timedelta(days=int(end))))
        else:
            told = [one for one, mine in zip(done.signals, done.overriding.get(code, ()), strict=False) if mine and one["place"] == 0]
            first = min(told, key=lambda one: one["published_on"])
            found.append(Override(code, worst, first["published_on"], text=first["text"] or first["reference"]))
    return sorted(found, key=lambda one: -one.grade)


def _signals(done: Judged) -> list[Told]:
    return [
        Told(
            one["kind"],
            one["severity"],
            one["published_on"],
            float(done.signal_weights[number]),
            one["provider"],
            one["text"],
            one["reference"],
        )
        for number, one in enumerate(done.signals)
        if one["place"] == 0
    ]
