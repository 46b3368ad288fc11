"""What the firm's own past teaches the warnings: who defaulted within six months of what the model said (预警模型自有历史校准)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.desk.indicators import indicators
from duecourse.desk.judging import base_rates
from duecourse.desk.signs import signs
from duecourse.desk.training import learnt, months_before
from duecourse.desk.watched import active, half_year, short_history
from duecourse.risk import grade_v1
from duecourse.risk.outcomes import default_events, defaults, definition, spells
from duecourse.risk.points import logit
from duecourse.risk.warning import hazard_v1

if TYPE_CHECKING:
    from duecourse.desk.training import OwnHistory
    from duecourse.ledger.book import Book

compute: Any = pc
STEP_MONTHS: Final = 3
OVERLAP: Final = 2.0
"""Two days a quarter apart count a default within six months twice."""

EPOCH: Final = date(1970, 1, 1)


def own_warning_history(book: Book, *, years: int = 3) -> OwnHistory:
    """Learn from the last years of the ledger, each active buyer asked once a quarter and looked at for six months.

    years  how far back the first question lies before the last one that has had its six months, 1 to 8
    Days on which the history was too short for the model are left out.
    Raises DefaultsTooFewError below five defaults: then the shipped model stays as it is.
    """
    whole = book.whole
    wording = definition("default", whole.settings)
    rows = defaults(default_events(whole, wording))
    events = spells(rows, wording)
    known = whole.on - timedelta(days=hazard_v1.HORIZON_DAYS + wording.told_after_days)
    who = rows["buyer_id"].combine_chunks()
    days = [months_before(whole.on, STEP_MONTHS * number) for number in range(STEP_MONTHS * years + 5, 1, -1)]
    asked = [(day, replace(whole, on=day)) for day in days if day <= known]
    told = [_asked(then, who, events, (day - EPOCH).days) for day, then in asked if not short_history(then)]
    return learnt(told or [_nothing()], overlap=OVERLAP, days=[day for day, _ in asked], on=whole.on)


def _nothing() -> dict[str, Any]:
    return {"buyers": np.array([], str), "offset": np.zeros(0), "fails": np.zeros(0), "families": {}}


def _asked(then: Book, who: pa.Array[Any], events: dict[str, Any], day: int) -> dict[str, Any]:
    """What the shipped model said of the active buyers no default of which had begun on a day, theme by theme, and of whom one then began."""
    buyers = active(then)
    at = compute.index_in(who, buyers)
    there = compute.is_valid(at).to_numpy(zero_copy_only=False)
    place = compute.fill_null(at, 0).to_numpy(zero_copy_only=False)
    ill, soon = np.zeros(len(buyers), np.bool_), np.zeros(len(buyers), np.bool_)
    ill[place[there & (events["begun_on"] <= day) & (events["cured_on"] > day)]] = True
    soon[place[there & (events["begun_on"] > day) & (events["begun_on"] <= day + hazard_v1.HORIZON_DAYS)]] = True
    evidence = hazard_v1.load().evidence(signs(then, buyers, indicators(then, buyers)), explained=True)
    base, _of = base_rates(then, buyers, grade_v1.parameters().base_rate, named=False)
    keep = ~ill
    themes = {
        theme: sum((evidence.added[name][keep] for name, (of, _) in hazard_v1.SIGNS.items() if of == theme), np.zeros(int(keep.sum())))
        for theme in hazard_v1.LEADING
    }
    return {
        "buyers": buyers.filter(pa.array(keep)).to_numpy(zero_copy_only=False), "offset": logit(half_year(base))[keep], "fails": soon[keep].astype(np.float64),
        "families": themes,
    }  # fmt: skip
