"""Orders for the demo economy: what its buyers have on order on its last day, some released, some waiting to be checked.  演示订单"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from duecourse.desk.dates import last_day
from duecourse.ledger.entries import ORDER

if TYPE_CHECKING:
    from duecourse.ledger.store import Ledger

NOTE: Final = "demo orders"
SHARE: Final = 12
"""One of so many buyers has an order under way."""
OPEN: Final = 0.3
"""So many of the orders are not released yet."""


def add_orders(ledger: Ledger) -> int:
    """Give the demo ledger its orders; says how many. Once: a ledger that has orders is left as it is."""
    on = last_day(ledger)
    if on is None or ledger.as_of(on).run(ledger.as_of(on).order.limit(1)).num_rows:
        return 0
    book = ledger.as_of(on)
    invoice = book.invoice
    columns = ["buyer_id", "currency", "legal_entity", "sales_owner"]
    sold = invoice.filter(invoice.issue_date > on - timedelta(days=120)).group_by(columns)
    rows = book.run(sold.aggregate(largest=invoice.amount_minor.max()).order_by(columns)).to_pylist()
    made: list[dict[str, Any]] = []
    seen: set[str] = set()
    for row in rows:
        draw = np.random.default_rng([int.from_bytes(row["buyer_id"].encode()[-8:], "big"), 20_260_401])
        if row["buyer_id"] in seen or draw.integers(0, SHARE):
            continue
        seen.add(row["buyer_id"])
        ordered = on - timedelta(days=int(draw.integers(0, 12)))
        is_open = draw.random() < OPEN
        named = {name: row[name] for name in columns}
        made.append(
            {**named, "order_id": f"SO-{len(made) + 100_001}", "order_date": ordered, "requested_ship_date": on + timedelta(days=int(draw.integers(1, 21))),
             "amount_minor": max(100, int(row["largest"] * float(draw.uniform(0.5, 1.6))) // 100 * 100), "status": "open" if is_open else "released",
             "status_date": ordered, "payment_terms_days": int(draw.choice([30, 45, 60]))}
        )  # fmt: skip
    with ledger.draft("post", note=NOTE) as draft:
        draft.put(ORDER.name, pa.Table.from_pylist(made, schema=ORDER.facts))
        draft.commit()
    return len(made)
