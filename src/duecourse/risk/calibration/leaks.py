"""Does a column give the outcome away? What is only known once a firm has failed must not be learnt from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from duecourse.risk.calibration.judging import auc

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

TOO_GOOD: Final = 0.97
"""No honest single figure of accounts or of an application tells failing firms apart this well."""

TOO_GOOD_GAPS: Final = 0.80
"""Whether a value is there at all may say something, but not this much: it was filled in afterwards."""

LATER: Final = re.compile(
    r"fail|default|bankrupt|insolv|charge?_?-?off|chg_?off|write_?-?off|written_?off|later|next_?(year|period)|future|outcome|"
    r"mis_?status|loan_?status|recover|closed_?on|days_?past_?due_?final|违约|破产|核销|逾期结果|结清",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Leak:
    """A column and why it is suspected: name | value | gaps | text; `figure`: the AUC it has alone."""

    column: str
    why: str
    figure: float | None = None


def leaks(columns: Mapping[str, Sequence[Any]], fails: npt.NDArray[np.float64]) -> list[Leak]:
    """The columns that seem to give the outcome away: by their name, or because alone they tell it too well.

    columns: values as numbers or texts, None where missing.
    """
    found = []
    for name, values in columns.items():
        if LATER.search(name):
            found.append(Leak(name, "name"))
            continue
        gone = np.array([value is None or value == "" for value in values], np.float64)
        gaps = _either_way(fails, gone) if 0 < gone.sum() < len(gone) else 0.5
        if gaps >= TOO_GOOD_GAPS:
            found.append(Leak(name, "gaps", gaps))
            continue
        numbers = _numbers(values)
        if numbers is None:
            rate = _text_rates(values, fails)
            if rate >= TOO_GOOD:
                found.append(Leak(name, "text", rate))
            continue
        known = ~np.isnan(numbers)
        if known.sum() and 0 < fails[known].sum() < known.sum() and (figure := _either_way(fails[known], numbers[known])) >= TOO_GOOD:
            found.append(Leak(name, "value", figure))
    return found


def _either_way(fails: npt.NDArray[np.float64], risk: npt.NDArray[np.float64]) -> float:
    figure = auc(fails, risk)
    return max(figure, 1.0 - figure)


def _numbers(values: Sequence[Any]) -> npt.NDArray[np.float64] | None:
    try:
        return np.array([np.nan if value is None or value == "" else float(value) for value in values], np.float64)
    except (TypeError, ValueError):
        return None


def _text_rates(values: Sequence[Any], fails: npt.NDArray[np.float64]) -> float:
    """AUC of a text with few values, by how often each fails; 0.5 for names and numbers of their own."""
    words, place = np.unique([str(value or "") for value in values], return_inverse=True)
    if len(words) > max(20, len(values) // 50):
        return 0.5
    rate = np.bincount(place, fails) / np.bincount(place)
    return auc(fails, rate[place])
