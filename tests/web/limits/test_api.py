"""Limits over the API: what a firm has comes in, what is recommended goes out, a request is one request however often it is sent."""

from __future__ import annotations

import json

import pytest

from duecourse.web import books
from duecourse.web.limits.models import LimitRequest

ROOT = "/api/v1"


@pytest.fixture
def buyer(own_ledger):
    book = own_ledger.as_of(books.day_of(own_ledger))
    rows = book.run(book.invoice.group_by("buyer_id").aggregate(n=book.invoice.count()).order_by(["n", "buyer_id"])).to_pylist()
    return rows[-1]["buyer_id"]


@pytest.fixture
def call(person):
    """call("credit_manager")(method, path, body, key=…): one request with a key of that role's."""
    from datetime import timedelta

    from django.test import Client
    from django.utils import timezone

    from duecourse.web.accounts.access import ACTS
    from duecourse.web.accounts.models import ApiKey

    def of(role):
        _key, token = ApiKey.make(person(role), "test", list(ACTS), timezone.now() + timedelta(days=1))
        browser = Client()

        def request(method, path, body=None, key="k1"):
            more = {"HTTP_AUTHORIZATION": f"Bearer {token}", "HTTP_IDEMPOTENCY_KEY": key}
            if body is None:
                return getattr(browser, method)(ROOT + path, **more)
            return getattr(browser, method)(ROOT + path, json.dumps(body), content_type="application/json", **more)

        return request

    return of


def test_the_limits_a_firm_has_come_in_and_are_read_back(call, own_ledger, buyer):
    manager = call("credit_manager")
    rows = [
        {"limit_id": "X1", "kind": "standing", "buyer_id": buyer, "amount": "5000.00", "currency": "CNY", "valid_from": "2026-01-01"},
        {"limit_id": "X2", "kind": "insurer", "buyer_id": buyer, "amount": "0", "currency": "CNY", "valid_from": "2026-01-01"},
        {"limit_id": "X3", "kind": "block", "buyer_id": buyer, "valid_from": "2026-01-01"},
    ]
    assert manager("post", "/limits", rows).status_code == 201
    own_ledger.refresh()
    found = manager("get", f"/limits?buyer_id={buyer}").json()["rows"]
    assert {"X1", "X2", "X3"} <= {row["limit_id"] for row in found}
    assert next(row["amount"] for row in found if row["limit_id"] == "X1") == "5000.00"
    answer = manager("get", f"/buyers/{buyer}/limit").json()
    assert (answer["binding"], answer["amount"]) == ("insurer", "0.00") or answer["binding"] == "block"
    assert call("credit_analyst")("post", "/limits", rows, key="k2").status_code == 403
    for wrong in (
        {**rows[0], "amount": None},
        {**rows[0], "buyer_id": None},
        {**rows[0], "valid_to": "2025-01-01"},
        {**rows[0], "kind": "whim"},
    ):
        assert manager("post", "/limits", [wrong], key="k3").status_code == 422, wrong


def test_a_request_is_one_however_often_it_is_sent(call, own_ledger, buyer):
    sales = call("sales")
    path = f"/buyers/{buyer}/limit-requests"
    first = sales("post", path, {"amount": "100.00", "reason": "more"})
    assert first.status_code == 201, first.content
    again = sales("post", path, {"amount": "100.00", "reason": "more"})
    assert again.json() == first.json()
    assert LimitRequest.objects.count() == 1
    assert sales("post", path, {"amount": "200.00", "reason": "more"}).status_code == 422
    assert sales("get", f"/limit-requests/{first.json()['request_id']}").json()["status"] == "open"
    assert call("viewer")("post", path, {"amount": "1", "reason": "x"}).status_code == 403
    assert sales("post", "/buyers/nobody/limit-requests", {"amount": "1", "reason": "x"}, key="k9").status_code == 404


def test_use_is_paged_and_a_decision_nobody_made_is_unknown(call, own_ledger):
    reader = call("viewer")
    page = reader("get", "/limit-use?limit=5").json()
    assert len(page["rows"]) == 5
    assert page["next"]
    assert {"buyer_id", "state", "limit", "exposure", "headroom"} <= set(page["rows"][0])
    assert reader("get", "/decisions/none/replay").status_code == 404
