"""A small world to check orders in: buyers with limits, a group, a limit in dollars, a guarantor."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from duecourse import samples
from duecourse.web.orders import picture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TODAY = dt.datetime.now(dt.UTC).date()
LONG_AGO = TODAY - dt.timedelta(days=60)


def limit(number: str, amount: int, **more: Any) -> dict[str, Any]:
    return {"limit_id": number, "kind": "standing", "amount_minor": amount, "currency": "CNY", "valid_from": LONG_AGO, **more}


def invoice(number: str, buyer: str, amount: int, **more: Any) -> dict[str, Any]:
    due = TODAY + dt.timedelta(days=20)
    return {
        "invoice_id": number,
        "buyer_id": buyer,
        "issue_date": TODAY,
        "due_date": due,
        "amount_minor": amount,
        "currency": "CNY",
        **more,
    }


def order(number: str, buyer: str, amount: int, status: str = "released", **more: Any) -> dict[str, Any]:
    return {
        "order_id": number, "buyer_id": buyer, "amount_minor": amount, "currency": "CNY", "status": status, "status_date": TODAY,
        "order_date": TODAY, **more,
    }  # fmt: skip


def world(**more: list[dict[str, Any]]) -> Any:
    """A ledger: A and B in group G, C alone with dollars, D with nothing granted, E guaranteed by C for 300.00."""
    facts: dict[str, list[dict[str, Any]]] = {
        "setting": [{"name": "base_currency", "value": '"CNY"'}, {"name": "order_rules", "value": '{"version": "test", "note_at_percent": 100}'}],
        "exchange_rate": [{"provider": "ECB", "base_currency": "USD", "quote_currency": "CNY", "rate_date": TODAY, "rate": 7.0}],
        "buyer": [
            {"buyer_id": "A", "name": "Alpha", "group_id": "G", "group_name": "Gamma"},
            {"buyer_id": "B", "name": "Beta", "group_id": "G"},
            {"buyer_id": "C", "name": "Ceta", "currency": "USD"},
            {"buyer_id": "D", "name": "Delta"},
            {"buyer_id": "E", "name": "Epsilon"},
        ],
        "limit": [
            limit("L1", 1_000, buyer_id="A"),
            limit("L2", 1_000, buyer_id="B"),
            limit("L3", 1_500, group_id="G"),
            limit("L4", 200, buyer_id="C", currency="USD"),
            limit("L5", 5_000, buyer_id="E"),
        ],
        "security": [
            {"security_id": "S1", "buyer_id": "E", "kind": "guarantee", "guarantor_id": "C", "amount_minor": 300, "currency": "CNY", "valid_from": LONG_AGO}
        ],
    }  # fmt: skip
    return samples.memory_ledger({name: [*facts.get(name, []), *more.get(name, [])] for name in {*facts, *more}})


@pytest.fixture(autouse=True)
def _fresh_picture() -> Iterator[None]:
    picture.forget()
    yield
    picture.forget()


@pytest.fixture
def drawn(db: None) -> Callable[..., Any]:
    """drawn(order=[…]): draw the accounts of the world with these facts more; returns the picture."""
    from duecourse.web.orders.drawing import draw

    def make(**more: list[dict[str, Any]]) -> Any:
        draw(world(**more))
        return picture.drawn()

    return make
