"""The shipped parameters of scorecard version 1."""

from __future__ import annotations

from functools import cache
from importlib import resources

from duecourse.risk.points import POINTS_PER_LOG_ODDS, Factor, Scorecard, Scored, from_json

__all__ = ["POINTS_PER_LOG_ODDS", "Factor", "Scorecard", "Scored", "from_json", "load"]


@cache
def load() -> Scorecard:
    """The shipped scorecard."""
    return from_json(resources.files(__package__).joinpath("model.json").read_text(encoding="utf-8"))
