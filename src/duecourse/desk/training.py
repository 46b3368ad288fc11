"""What the firm's own past teaches the grades: who was in default when, what the model said before, and how both are brought together.  自有历史校准

A buyer is in default when a material amount is more than 90 days overdue, was written off within a year, or insolvency is known.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.desk.behaviour import conduct
from duecourse.desk.judging import OVERRIDES, judge
from duecourse.errors import DefaultsTooFewError
from duecourse.risk.calibration import Judgement, Updated, judgement, updated
from duecourse.risk.points import logit, probability_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from duecourse.ledger.book import Book
    from duecourse.ledger.store import Ledger

    Column = npt.NDArray[np.float64]

compute: Any = pc
HORIZON_QUARTERS: Final = 4
LEAST_DEFAULTS: Final = 5
FOLDS: Final = 5
SETTING: Final = "grade_calibration"
IN_DEFAULT: Final = sum(1 << OVERRIDES.index(code) for code in ("over_90_days", "written_off", "insolvency"))


@dataclass(frozen=True)
class OwnHistory:
    """What was learnt.

    shipped, own   how well each does on buyers it was not fitted on (the shipped one with the stated base rates)
    days           on which the model was asked, a quarter apart
    on             the last day of which anything was known
    """

    found: Updated
    shipped: Judgement
    own: Judgement
    days: list[date]
    buyers: int
    defaults: int
    on: date

    def setting(self) -> dict[str, Any]:
        """As the ledger keeps it (settings `grade_calibration`, `warning_calibration`)."""
        return {
            "version": f"own-{self.days[-1].isoformat()}", "intercept": round(self.found.intercept, 6),
            "slopes": {name: round(value, 6) for name, value in self.found.slopes.items()}, "defaults": self.defaults, "buyers": self.buyers,
            "from": self.days[0].isoformat(), "until": self.on.isoformat(),
        }  # fmt: skip


def own_history(book: Book, *, years: int = 3) -> OwnHistory:
    """Learn from the last years of the ledger, each buyer asked once a quarter and looked at for a year.

    years  how far back the first question lies before the last one that has had its year, 1 to 8
    Raises DefaultsTooFewError below five defaults: then the shipped model stays as it is.
    """
    quarters = [months_before(book.on, 3 * number) for number in range(4 * years + HORIZON_QUARTERS, -1, -1)]
    plain = replace(book)
    plain.__dict__["settings"] = {name: value for name, value in book.settings.items() if name != SETTING}
    asked = [_asked(plain, day) for day in quarters]
    rows: list[dict[str, Any]] = []
    for number, one in enumerate(asked[:-HORIZON_QUARTERS]):
        ahead = asked[number + 1 : number + 1 + HORIZON_QUARTERS]
        fails = np.zeros(len(one["buyers"]))
        for later in ahead:
            at = compute.index_in(one["buyers"], later["buyers"])
            place = compute.fill_null(at, 0).to_numpy(zero_copy_only=False)
            fails = np.maximum(fails, np.where(compute.is_valid(at).to_numpy(zero_copy_only=False), later["bad"][place], 0.0))
        keep = (one["bad"] == 0) & one["known"]
        rows.append(
            {
                "buyers": one["buyers"].filter(pa.array(keep)).to_numpy(zero_copy_only=False), "offset": one["offset"][keep], "fails": fails[keep],
                "families": {name: values[keep] for name, values in one["families"].items()},
            }
        )  # fmt: skip
    return learnt(rows, overlap=float(HORIZON_QUARTERS), days=quarters[:-HORIZON_QUARTERS], on=book.on)


def learnt(rows: Sequence[Mapping[str, Any]], *, overlap: float, days: list[date], on: date) -> OwnHistory:
    """What rows of past days teach: of each day `buyers`, `offset` (log-odds of the base rate), `families` (log-odds of the shipped model) and `fails`.

    overlap  how many rows count one failure: horizon ÷ distance of the days
    Raises DefaultsTooFewError.
    """
    groups = np.concatenate([part["buyers"] for part in rows]).astype(str)
    offset, fails = (np.concatenate([part[name] for part in rows]) for name in ("offset", "fails"))
    families = {name: np.concatenate([part["families"][name] for part in rows]) for name in rows[0]["families"]}
    defaults = len(np.unique(groups[fails == 1]))
    if defaults < LEAST_DEFAULTS:
        raise DefaultsTooFewError(count=defaults, least=LEAST_DEFAULTS, since=days[0], on=on)
    names, place = np.unique(groups, return_inverse=True)
    fold = np.random.default_rng(0).integers(0, FOLDS, len(names))[place]
    apart = np.zeros(len(fails))
    for number in range(FOLDS):
        fit, left = fold != number, fold == number
        model = updated(offset[fit], {name: values[fit] for name, values in families.items()}, fails[fit], overlap=overlap)
        apart[left] = model.log_odds(offset[left], {name: values[left] for name, values in families.items()})
    as_shipped = Updated(0.0, {}).log_odds(offset, families)
    return OwnHistory(
        updated(offset, families, fails, overlap=overlap), judgement(fails, probability_of(as_shipped), groups),
        judgement(fails, probability_of(apart), groups), days, len(names), defaults, on,
    )  # fmt: skip


def _asked(book: Book, day: date) -> dict[str, Any]:
    """What the shipped model said of everybody on a day, family by family, and who was in default."""
    then = replace(book, on=day)
    then.__dict__["settings"] = book.settings
    profile = then.run(then.buyer.select("buyer_id").order_by("buyer_id"))
    buyers = profile["buyer_id"].combine_chunks()
    done = judge(then, buyers, conduct(then, buyers), explained=True)
    families: dict[str, Column] = {}
    for _block, card, evidence, _values, weight in done.blocks:
        for factor in card.factors:
            families[factor.family] = families.get(factor.family, np.zeros(len(buyers))) + weight * evidence.added[factor.name]
    return {
        "buyers": buyers, "bad": ((done.overrides & IN_DEFAULT) != 0).astype(np.float64), "known": done.basis > 0,
        "offset": logit(done.base_rate), "families": families,
    }  # fmt: skip


def months_before(on: date, months: int) -> date:
    """The end of the month so many before that of `on`; `on` itself for none."""
    number = on.year * 12 + on.month - months  # the first of the month after the one meant
    return date(number // 12, number % 12 + 1, 1) - timedelta(days=1) if months else on


def keep(ledger: Ledger, found: Mapping[str, Any], *, setting: str = SETTING, by: str = "") -> None:
    """Let the grades (or, by its own setting, the warnings) use what was learnt; an empty mapping takes it back.

    It is a fact with its day: what was said earlier stays as it was.
    """
    with ledger.draft("post", note=setting) as draft:
        draft.put("setting", pa.Table.from_pylist([{"name": setting, "value": json.dumps(found, ensure_ascii=False)}]))
        draft.facts = {"by": by} if by else {}
        draft.commit()
