"""Limits for the demo economy: what a firm that has sold to these buyers for years would have granted.  演示额度

Made from what the ledger says of each buyer and its number, without chance: the same economy always has the same limits.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from duecourse.decisions.limit import rounded_down
from duecourse.desk.dates import last_day
from duecourse.engines.fused import refresh
from duecourse.ledger.entries import LIMIT

if TYPE_CHECKING:
    from duecourse.ledger.store import Ledger

STANDING: Final = 88
"""So many of a hundred buyers have a limit of their own."""
INSURED: Final = 35
EXPIRED: Final = 5
TEMPORARY: Final = 4
BLOCKED_SHARE: Final = 0.5
"""Who owes so much of its balance for more than ninety days was stopped."""
OLD: Final = ("days_91_180", "days_181_365", "days_over_365")
NOTE: Final = "demo limits"


def add_limits(ledger: Ledger) -> int:
    """Give the demo ledger its limits; says how many. Once: a ledger that has limits is left as it is."""
    on = last_day(ledger)
    if on is None or ledger.state.last.tables.get(LIMIT.name) is not None:
        return 0
    rows = refresh(ledger.as_of(on)).sort_by([("buyer_id", "ascending"), ("credit_sales_365d", "descending")]).to_pylist()
    made: list[dict[str, Any]] = []
    seen: set[str] = set()
    for row in rows:
        buyer = row["buyer_id"]
        if buyer in seen or row["peak_balance_365d"] <= 0:
            continue
        seen.add(buyer)
        draw = _draw(buyer)
        made += _of_buyer(row, draw, on)
    with ledger.draft("post", note=NOTE) as draft:
        draft.put(LIMIT.name, pa.Table.from_pylist(made, schema=LIMIT.facts))
        draft.commit()
    return len(made)


def _draw(buyer_id: str) -> np.random.Generator:
    """Numbers of its own for each buyer, always the same."""
    return np.random.default_rng([int.from_bytes(buyer_id.encode()[-8:], "big"), 20_260_101])


def _of_buyer(row: dict[str, Any], draw: np.random.Generator, on: Any) -> list[dict[str, Any]]:
    chance, size, month = draw.integers(0, 100, 4), float(draw.lognormal(0.22, 0.3)), int(draw.integers(0, 11))
    amount = rounded_down(int(row["peak_balance_365d"] * size), 2)
    given = on - timedelta(days=30 * month + int(draw.integers(0, 30)))
    base = {"buyer_id": row["buyer_id"], "currency": row["currency"], "payment_terms_days": None}
    made: list[dict[str, Any]] = []
    if chance[0] < STANDING:
        expired = chance[1] < EXPIRED
        begun = given - timedelta(days=400) if expired else given
        review = begun + timedelta(days=365)
        made.append(
            {**base, "limit_id": f"DL-{row['buyer_id']}", "kind": "standing", "amount_minor": amount, "valid_from": begun, "review_on": review,
             "valid_to": review + timedelta(days=30)}
        )  # fmt: skip
    if chance[2] < INSURED:
        cover = rounded_down(int(amount * float(draw.uniform(0.4, 1.1))), 2)
        made.append({**base, "limit_id": f"DI-{row['buyer_id']}", "kind": "insurer", "amount_minor": cover, "valid_from": given})
    if chance[3] < TEMPORARY:
        end = on + timedelta(days=int(draw.integers(5, 60)))
        extra = rounded_down(max(amount // 4, 1), 2)
        made.append(
            {**base, "limit_id": f"DT-{row['buyer_id']}", "kind": "temporary", "amount_minor": extra, "valid_from": on - timedelta(days=10), "valid_to": end}
        )  # fmt: skip
    if sum(row[name] for name in OLD) > BLOCKED_SHARE * row["outstanding"] > 0:
        made.append(
            {**base, "currency": None, "limit_id": f"DB-{row['buyer_id']}", "kind": "block", "amount_minor": None, "valid_from": on - timedelta(days=20)}
        )  # fmt: skip
    return made
