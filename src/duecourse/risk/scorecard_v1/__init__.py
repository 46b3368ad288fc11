"""Scorecard version 1 (评分卡): how likely is a buyer to fail within a year, by its accounts.

A version that has decided something stays as it is; the parameters are text (`model.json`), with their model card.
"""

from duecourse.risk.scorecard_v1.scoring import Scorecard, Scored, load

__all__ = ["Scorecard", "Scored", "load"]
