"""An alert of a buyer of the demo ledger."""

from __future__ import annotations

from typing import Any

import pytest

from duecourse.desk.alerting import Looked
from duecourse.web import books
from duecourse.web.watch import keeping
from support.watching import seen


@pytest.fixture
def book() -> Any:
    """The demo's book of the day the app shows."""
    ledger = books.ledger()
    return ledger.as_of(books.day_of(ledger))


@pytest.fixture
def busiest(book: Any) -> str:
    """The buyer with most invoices."""
    rows = book.run(book.invoice.group_by("buyer_id").aggregate(n=book.invoice.count()).order_by(["n", "buyer_id"])).to_pylist()
    return str(rows[-1]["buyer_id"])


@pytest.fixture
def alert(db: None, book: Any, busiest: str) -> Any:
    """alert(): an open alert, as the day's run would open it."""
    from duecourse.web.watch.models import Alert

    def make(buyer_id: str = "", score: float = 70.0, **more: Any) -> Alert:
        buyer = buyer_id or busiest
        keeping.draw_up(book, Looked([seen(buyer, score, "PAY03", "LIM01", **more)], 1_000), f"test {buyer}", whole=False)
        return Alert.objects.get(buyer_id=buyer)

    return make
