"""Behaviour version 1 (行为评分): how likely is a buyer to fail within a year, by how it pays us and by what is said of it.

The payment factors are fitted on simulated economies, the others set by judgement: a prior, until the firm's own history speaks. Parameters
are text (`model.json`, `signals.json`), with their model card in docs/reference/behaviour-v1.md.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

from duecourse.risk.points import Scorecard, from_json

__all__ = ["load"]


@cache
def load() -> Scorecard:
    """The shipped scorecard."""
    return from_json(resources.files(__package__).joinpath("model.json").read_text(encoding="utf-8"))
