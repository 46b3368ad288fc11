"""The master scale (主标尺): what a probability of default is called.

Ten grades, each 2.2 times as risky as the one before it. The wording follows the trade's: 1 exceptional, 5 average, 7 weak, 9 and 10 at
risk of failure.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

MIDPOINTS: Final = (0.0002, 0.0005, 0.0010, 0.0022, 0.0048, 0.0105, 0.023, 0.050, 0.11, 0.25)
"""The typical 12-month probability of default of each grade, from 1 to 10."""

BOUNDS: Final = tuple(float(np.sqrt(low * high)) for low, high in pairwise(MIDPOINTS))
"""Where one grade ends and the next begins: half way in odds of the order of magnitude."""

WORST: Final = len(MIDPOINTS)


def grade_of(probability_of_default_12m: npt.NDArray[np.float64]) -> npt.NDArray[np.int8]:
    """Which grade is this probability?  等级: 1 (best) to 10; 0 where it is missing."""
    found = np.searchsorted(BOUNDS, probability_of_default_12m, side="right") + 1
    return np.where(np.isnan(probability_of_default_12m), 0, found).astype(np.int8)
