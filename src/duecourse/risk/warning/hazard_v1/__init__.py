"""Hazard version 1 (违约概率预警): how likely is a buyer to default within six months, by signs of payment, purchases, signals, accounts and limits.

An additive card of points fitted on simulated economies of many families: a prior, until the firm's own history speaks. Parameters are text
(`model.json`), with their model card in docs/reference/warning-v1.md.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

from duecourse.risk.points import Scorecard, from_json
from duecourse.risk.warning.hazard_v1.distress import of_items
from duecourse.risk.warning.hazard_v1.signs import of_payments
from duecourse.risk.warning.hazard_v1.themes import LEADING, SIGNS

__all__ = ["HORIZON_DAYS", "LEADING", "SIGNS", "load", "of_items", "of_payments"]

HORIZON_DAYS = 183


@cache
def load() -> Scorecard:
    """The shipped card: its factors are the signs, their families the themes."""
    return from_json(resources.files(__package__).joinpath("model.json").read_text(encoding="utf-8"))
