"""Who warns, and is held against the others (预警方法): the plain rules as shipped or worded otherwise, and the warning of the product."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from duecourse.desk.indicators import indicators, warning_rules
from duecourse.desk.replaying import Rival, buyers_of
from duecourse.desk.signs import signs
from duecourse.desk.warning import scored
from duecourse.desk.warning_learnt import as_it_was
from duecourse.desk.watched import active
from duecourse.risk.warning import rules_v1

if TYPE_CHECKING:
    from collections.abc import Mapping

    from duecourse.ledger.book import Book

REASONS: Final = 4
"""So many reasons of an alert are told, the heaviest first."""

RULES: Final = "rules"
WARNING: Final = "warning"
"""The rival whose score is the product's own ranking: by the probability of default within six months."""


@dataclass(frozen=True)
class PlainRules:
    """The rule score, by the thresholds in force and by others, all from one look at the indicators.

    Columns: buyer_id; `rules` and its reasons `rules_reasons` (indicator codes); `rules:NAME` for each further set.

    sets  (name, what it states otherwise as JSON text)
    """

    sets: tuple[tuple[str, str], ...] = ()

    def __call__(self, book: Book) -> pa.Table:
        buyers = buyers_of(book)
        table = indicators(book, buyers)
        in_force = warning_rules(book)
        judged = rules_v1.judge(table, in_force)
        columns: dict[str, Any] = {"buyer_id": buyers, RULES: _score(judged), f"{RULES}_reasons": reasons_of(judged)}
        for name, text in self.sets:
            columns[f"{RULES}:{name}"] = _score(rules_v1.judge(table, in_force.changed(json.loads(text))))
        return pa.table(columns)


def features(book: Book) -> pa.Table:
    """All that the rule score and the warning are made of, a row a buyer: the indicators with their further figures, and the model's signs."""
    buyers = buyers_of(book)
    table = indicators(book, buyers)
    for name, values in signs(book, buyers, table).items():
        table = table.append_column(f"sign {name}", pa.array(values, from_pandas=True))
    return table


def plain_rules(sets: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, Rival]:
    """The rule score as a rival, and each further rule set beside it. sets: {name: thresholds stated otherwise}."""
    scorer = PlainRules(tuple((name, json.dumps(stated, sort_keys=True)) for name, stated in (sets or {}).items()))
    found = {RULES: Rival(scorer, RULES, f"{RULES}_reasons")}
    return found | {f"{RULES}:{name}": Rival(scorer, f"{RULES}:{name}") for name, _text in scorer.sets}


def warned_then(book: Book) -> pa.Table:
    """The warnings of a past day as they would have been: with what the firm's own past had taught by then, worked out from that alone.

    Of those in default too: who was is told once for all days, by the course.
    """
    then = as_it_was(book)
    return scored(then, active(then))


def rivals(sets: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, Rival]:
    """All that warn besides the rules of thumb: the rule score, the warning of the product, and rule sets stated otherwise."""
    found = {RULES: Rival(warned_then, basis=""), WARNING: Rival(warned_then, "rank", probability="probability_6m")}
    return found | ({name: rival for name, rival in plain_rules(sets).items() if name != RULES} if sets else {})


def _score(judged: rules_v1.Judged) -> pa.Array[Any]:
    """Nothing to warn of where no indicator is even amber."""
    return pa.array(np.where(np.nan_to_num(judged.score) > 0, judged.score, np.nan), from_pandas=True)


def reasons_of(judged: rules_v1.Judged) -> pa.Array[Any]:
    """The codes of the indicators that speak against each buyer, the heaviest first, at most REASONS."""
    names = list(judged.rules.indicators)
    weight = np.array([one.weight for one in judged.rules.indicators.values()])
    heavy = np.nan_to_num(judged.levels) * weight
    order = np.argsort(-heavy, axis=1, kind="stable")[:, :REASONS]
    counts = np.minimum((heavy > 0).sum(axis=1), REASONS)
    told = np.arange(order.shape[1])[None, :] < counts[:, None]
    codes = pa.DictionaryArray.from_arrays(pa.array(order[told].astype(np.int32)), pa.array(names)).dictionary_decode()
    ends = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())
    found: pa.Array[Any] = pa.ListArray.from_arrays(ends, codes)
    return found
