"""Do the scores still fit the firm's buyers? Inputs, grades, probabilities and verdicts of the last year against the year before.  漂移监测"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.desk import answers
from duecourse.desk.grading import graded
from duecourse.desk.indicators import indicators, warning_rules
from duecourse.desk.plain_rules import standing
from duecourse.desk.remembered import remembered
from duecourse.desk.replaying import as_known, buyers_of
from duecourse.measures.expressions import day as day_of
from duecourse.review.drift import migration, shift, verdicts
from duecourse.risk.outcomes import default_events, defaults, definition
from duecourse.risk.warning.rules_v1 import judge

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from duecourse.ledger.book import Book

compute: Any = pc
YEAR: Final = 365
GRADES: Final = 10
COMPOSITE: Final = "composite"


def drift(book: Book, *, days: int = YEAR) -> dict[str, Any]:
    """How far have inputs and grades moved within so many days, and what did people say of the alerts?  漂移监测

    Plain data, kept for this state of the ledger:
        since, on    the two days
        inputs       [{indicator, index, level, missing_then, missing_now, median_then, median_now, buyers_then, buyers_now}], the farthest moved
                     first: the forty indicators and their composite, of the buyers active on each day
        migration    {counts: a row for each grade then, a column for each grade now and behind them in default, gone; better, worse, same: shares}
        verdicts     {counts, right_share, days_median} of the alerts people closed since; by_reason {code: counts}

    days  30 to 3,660
    """
    question = f"drift {days} {answers.beside_version(book.ledger)}"
    found: dict[str, Any] = remembered(book.whole, question, lambda: _drift(book.whole, days))
    return found


def _drift(book: Book, days: int) -> dict[str, Any]:
    then = as_known(book, book.on - timedelta(days=days))
    buyers = buyers_of(book)
    before, now = _inputs(then, buyers), _inputs(book, buyers)
    rows = [{"indicator": name, **_told(before[name], now[name])} for name in now]
    # What cannot be told comes last.
    rows.sort(key=lambda row: (row["index"] is None, -(row["index"] or 0.0), row["indicator"]))
    return {
        "since": then.on.isoformat(), "on": book.on.isoformat(), "inputs": rows, "migration": _migration(then, book, buyers),
        "verdicts": _verdicts(book, then.on),
    }  # fmt: skip


def _told(before: npt.NDArray[np.float64], now: npt.NDArray[np.float64]) -> dict[str, Any]:
    found = shift(before, now)
    figures = {name: None if np.isnan(value) else float(value) for name, value in asdict(found).items()}
    return {**figures, "level": found.level, "buyers_then": len(before), "buyers_now": len(now)}


def _inputs(book: Book, buyers: pa.Array[Any]) -> dict[str, npt.NDArray[np.float64]]:
    """Each indicator of the buyers active on that day."""
    active = buyers.filter(pa.array(standing(book, buyers).active))
    table = indicators(book, active)
    judged = judge(table, warning_rules(book))
    found = {
        name: np.asarray(table[name].cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64) for name in judged.rules.indicators
    }
    return {**found, COMPOSITE: judged.composite}


def _migration(then: Book, now: Book, buyers: pa.Array[Any]) -> dict[str, Any]:
    grades = [_grades(book, buyers) for book in (then, now)]
    rows = defaults(default_events(now, definition(settings=now.settings)))
    since = compute.and_(
        compute.greater(rows["known_on"], pa.scalar(then.on)), compute.less_equal(rows["known_on"], pa.scalar(now.on))
    )  # fmt: skip
    failed = compute.is_in(buyers, rows.filter(since)["buyer_id"].combine_chunks()).to_numpy(zero_copy_only=False)
    gone = ~standing(now, buyers).active
    found = migration(grades[0], np.where(gone, 0, grades[1]), failed=failed, grades=GRADES)
    shares = {
        name: None if np.isnan(value) else value for name, value in (("better", found.better), ("worse", found.worse), ("same", found.same))
    }
    return {"counts": found.counts.tolist(), **shares}


def _grades(book: Book, buyers: pa.Array[Any]) -> npt.NDArray[np.int64]:
    """The grade of each buyer that was active on the book's day, 0 = not active or nothing to grade it by."""
    rows = graded(book)
    at = compute.index_in(buyers, rows["buyer_id"].combine_chunks())
    grade = np.where(np.array(rows["basis"].to_pylist(), object) == "none", 0, rows["grade"].to_numpy(zero_copy_only=False)).astype(
        np.int64
    )
    there = compute.is_valid(at).to_numpy(zero_copy_only=False)
    found = grade[compute.fill_null(at, 0).to_numpy(zero_copy_only=False)] if len(grade) else np.zeros(len(buyers), np.int64)
    result: npt.NDArray[np.int64] = np.where(there & standing(book, buyers).active, found, 0)
    return result


def _verdicts(book: Book, since: date) -> dict[str, Any]:
    decision = book.decision
    rows = book.run(
        decision.filter((decision.kind == "alert") & (decision.decided_on > day_of(since))).select("outcome", "decided_on", "inputs")
    ).to_pylist()
    said = [str(row["outcome"]) for row in rows]
    inputs: list[Mapping[str, Any]] = [json.loads(row["inputs"] or "{}") for row in rows]
    taken = [
        (row["decided_on"] - date.fromisoformat(one["opened_on"])).days
        for row, one in zip(rows, inputs, strict=True)
        if one.get("opened_on")
    ]
    found = verdicts(said, np.array(taken, np.float64))
    reasons = sorted({code for one in inputs for code in one.get("reasons", {})})
    by_reason = {
        code: dict(verdicts([word for word, one in zip(said, inputs, strict=True) if code in one.get("reasons", {})], np.zeros(0)).counts)
        for code in reasons
    }
    return {
        "counts": dict(found.counts), "right_share": None if np.isnan(found.right_share) else found.right_share,
        "days_median": None if np.isnan(found.days_median) else found.days_median, "by_reason": by_reason,
    }  # fmt: skip
