"""One walk over the columns of all invoices that picks a page of those that fulfil every condition, and stops when it has seen enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duecourse.compiled import compiled

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Flags = npt.NDArray[np.bool_]
    Days = npt.NDArray[np.int32]
    Minor = npt.NDArray[np.int64]


@compiled
def pick(
    candidates: Days,
    listed: bool,
    backwards: bool,
    state: npt.NDArray[np.uint8],
    needed: int,
    buyer: Days,
    seen: Flags,
    only_buyer: int,
    entity: npt.NDArray[np.int8],
    entity_seen: Flags,
    currency: npt.NDArray[np.int8],
    currency_seen: Flags,
    issued: Days,
    issued_from: int,
    issued_to: int,
    due: Days,
    due_from: int,
    due_to: int,
    amount: Minor,
    least: npt.NDArray[np.float64],
    most: npt.NDArray[np.float64],
    hits: Flags,
    skip: int,
    rows: Minor,
    enough: int,
) -> tuple[int, int]:
    """How many rows were put into `rows` (from the `skip`-th match on), and how many match; no more than `enough` are counted.

    candidates       the rows to look at in this order where `listed`, else all in their own order, `backwards` from the last
    needed           a bit that `state` must have; 0 = any
    seen             by buyer; only_buyer: one buyer, -1 = any
    entity_seen, currency_seen   by code, the last for code -1
    least, most      of `amount`, by currency code
    hits             rows that hold the text looked for; empty = any
    """
    count = candidates.size if listed else state.size
    found = 0
    matching = 0
    for step in range(count):
        place = count - 1 - step if backwards else step
        row = candidates[place] if listed else place
        if needed and not state[row] & needed:
            continue
        if only_buyer >= 0 and buyer[row] != only_buyer:
            continue
        if hits.size and not hits[row]:
            continue
        if issued[row] < issued_from or issued[row] > issued_to or due[row] < due_from or due[row] > due_to:
            continue
        code = currency[row]
        if not currency_seen[code] or not entity_seen[entity[row]] or not seen[buyer[row]]:
            continue
        if amount[row] < least[code] or amount[row] > most[code]:
            continue
        if matching >= skip and found < rows.size:
            rows[found] = row
            found += 1
        matching += 1
        if matching >= enough:
            break
    return found, matching
