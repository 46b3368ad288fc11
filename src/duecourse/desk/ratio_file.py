"""A file of ratios and outcomes of the user's own: are its columns honest, and how well can failures be told from it?  自有样本训练"""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from duecourse.errors import LeakingColumnsError, OutcomeColumnError, TrainingPartsMissingError
from duecourse.risk.calibration import Judgement, Leak, judgement, leaks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    Column = npt.NDArray[np.float64]

FOLDS: Final = 10
YES: Final = frozenset({"1", "1.0", "yes", "true", "y", "是", "default", "bad"})
GONE: Final = frozenset({"", "?", "na", "nan", "null", "none", "-"})


@dataclass(frozen=True)
class Trained:
    """Ten-fold, firms kept together: each model's judgement on firms it was not fitted on."""

    rows: int
    failures: int
    columns: Sequence[str]
    left_out: Sequence[str]
    models: Mapping[str, Judgement]


def train_on_file(path: Path, outcome: str, *, group: str = "", leave_out: Collection[str] = ()) -> Trained:
    """Train on a CSV file (also .gz): `outcome` is 1 where the firm failed; `group` names the firm, whose rows stay together.

    Columns that are no numbers are left out. Raises LeakingColumnsError where a column gives the outcome away and is not in `leave_out`.
    """
    rows = _read(path)
    if not rows or outcome not in rows[0]:
        raise OutcomeColumnError(column=outcome, known=", ".join(list(rows[0])[:20]) if rows else "")
    fails = np.array([str(row[outcome]).strip().lower() in YES for row in rows], np.float64)
    if not 0 < fails.sum() < len(fails):
        raise OutcomeColumnError(column=outcome, known=", ".join(sorted({str(row[outcome]) for row in rows})[:5]))
    names = [name for name in rows[0] if name not in (outcome, group) and name not in leave_out]
    values = {name: [None if str(row[name] or "").strip().lower() in GONE else row[name] for row in rows] for name in names}
    found = leaks(values, fails)
    if found:
        raise LeakingColumnsError(columns=", ".join(one.column for one in found), reasons="; ".join(map(_why, found)), path=path)
    kinds = _sklearn()
    table = {name: _numbers(column) for name, column in values.items()}
    used = [name for name, column in table.items() if column is not None and np.isfinite(column).any()]
    design = np.column_stack([np.asarray(table[name]) for name in used])
    groups = np.array([row[group] for row in rows], object).astype(str) if group else np.arange(len(rows)).astype(str)
    models: dict[str, Judgement] = {}
    for title, fit in kinds.items():
        models[title] = judgement(fails, _apart(design, fails, groups, fit), groups)
    return Trained(len(rows), int(fails.sum()), used, [name for name in names if name not in used], models)


def _why(leak: Leak) -> str:
    return f"{leak.column}: {leak.why}" + (f" {leak.figure:.2f}" if leak.figure is not None else "")


def _read(path: Path) -> list[dict[str, str]]:
    opener: Callable[..., Any] = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def _numbers(values: Sequence[Any]) -> Column | None:
    try:
        found = np.array([np.nan if value is None else float(value) for value in values], np.float64)
    except ValueError:
        return None
    return np.where(np.isfinite(found), found, np.nan)


def _apart(design: Column, fails: Column, groups: npt.NDArray[Any], fit: Callable[[Column, Column], Callable[[Column], Column]]) -> Column:
    names, place = np.unique(groups, return_inverse=True)
    # Firms that fail are dealt out evenly.
    bad = np.bincount(place, fails) > 0
    fold = np.empty(len(names), np.int64)
    draw = np.random.default_rng(0)
    for part in (bad, ~bad):
        fold[part] = draw.permutation(int(part.sum())) % FOLDS
    found = np.zeros(len(fails))
    for number in range(FOLDS):
        left = fold[place] == number
        found[left] = fit(design[~left], fails[~left])(design[left])
    return found


def _sklearn() -> Mapping[str, Callable[[Column, Column], Callable[[Column], Column]]]:
    try:
        # Only who trains needs it; it has no types.
        boosting: Any = import_module("sklearn.ensemble").HistGradientBoostingClassifier
        regression: Any = import_module("sklearn.linear_model").LogisticRegression
    except ImportError:
        raise TrainingPartsMissingError from None

    def logistic(design: Column, fails: Column) -> Callable[[Column], Column]:
        middle = np.nanmedian(design, axis=0)
        low, high = np.nanquantile(design, 0.01, axis=0), np.nanquantile(design, 0.99, axis=0)

        def ready(values: Column) -> Column:
            clipped = np.clip(np.where(np.isnan(values), middle, values), low, high)
            return np.column_stack([(clipped - middle) / np.maximum(high - low, 1e-9), np.isnan(values)])

        model = regression(max_iter=2_000).fit(ready(design), fails)
        return lambda other: np.asarray(model.predict_proba(ready(other))[:, 1])

    def boosted(design: Column, fails: Column, *, monotone: bool) -> Callable[[Column], Column]:
        directions = _directions(design, fails) if monotone else None
        model = boosting(
            learning_rate=0.06, max_iter=350, max_leaf_nodes=12, min_samples_leaf=20, l2_regularization=1.0, early_stopping=False, random_state=0,
            monotonic_cst=directions,
        ).fit(design, fails)  # fmt: skip
        return lambda other: np.asarray(model.predict_proba(other)[:, 1])

    return {
        "logistic": logistic,
        "monotone_boosted": lambda design, fails: boosted(design, fails, monotone=True),
        "boosted": lambda design, fails: boosted(design, fails, monotone=False),
    }


def _directions(design: Column, fails: Column) -> list[int]:
    """The way a column points by itself, where it points clearly."""
    from duecourse.risk.calibration import auc  # noqa: PLC0415 — small

    found = []
    for column in design.T:
        known = ~np.isnan(column)
        figure = auc(fails[known], column[known]) if 0 < fails[known].sum() < known.sum() else 0.5
        found.append(1 if figure > 0.6 else -1 if figure < 0.4 else 0)
    return found
