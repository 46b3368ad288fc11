"""Cases over the API: read, opened, written down once under a key, closed."""

from __future__ import annotations

import pytest

from duecourse.web import books
from duecourse.web.cases import keeping
from duecourse.web.cases.models import Case, CaseEvent, Promise
from duecourse.web.outbox.models import Outgoing

pytestmark = pytest.mark.django_db


@pytest.fixture
def book():
    ledger = books.ledger()
    return ledger.as_of(books.day_of(ledger))


@pytest.fixture
def anna(signed_in):
    return signed_in("credit_manager")


def post(client, path, body, key="k1"):
    return client.post(f"/api/v1{path}", body, content_type="application/json", headers={"Idempotency-Key": key})


def test_cases_and_tasks_are_read_a_page_at_a_time(anna, book):
    keeping.run(book)
    first = anna.get("/api/v1/cases?limit=5").json()
    assert len(first["rows"]) == 5
    second = anna.get("/api/v1/cases", {"limit": 5, "cursor": first["next"]}).json()
    assert not {row["case_id"] for row in first["rows"]} & {row["case_id"] for row in second["rows"]}
    one = first["rows"][0]
    assert anna.get(f"/api/v1/cases/{one['case_number']}").json()["case_id"] == one["case_id"]
    assert one["invoices"]
    tasks = anna.get(f"/api/v1/tasks?due_by={book.on.replace(year=book.on.year + 1)}&limit=50").json()["rows"]
    costs = [float(row["waiting_cost"]) for row in tasks]
    assert costs == sorted(costs, reverse=True)
    assert anna.get("/api/v1/cases?cursor=bad").status_code == 422


def test_a_case_is_opened_worked_and_closed_once_each(anna, book):
    keeping.run(book)
    held = Case.objects.order_by("-overdue_minor").first()
    again = post(anna, "/cases", {"buyer_id": held.buyer_id})
    assert again.json()["case_number"] == held.pk
    path = f"/cases/{held.pk}"
    for _ in range(2):
        told = post(anna, f"{path}/events", {"kind": "suit", "on": book.on.isoformat(), "reference": "HC 1/26"}, "k2")
        assert told.status_code == 200, told.content
    assert CaseEvent.objects.filter(case=held, kind="suit").count() == 1
    assert Outgoing.objects.filter(table="case_event", row__kind="suit").count() == 1
    promised = post(
        anna, f"{path}/promises", {"amount": "12.50", "currency": held.currency, "promised_on": book.on.isoformat(), "by": "Ms Lin"}, "k3"
    )
    assert promised.status_code == 200
    assert Promise.objects.get().amount_minor == 1250
    assert (
        post(anna, f"{path}/promises", {"amount": "12.505", "currency": "CNY", "promised_on": book.on.isoformat()}, "k4").status_code == 409
    )
    assert post(anna, f"{path}/close", {"result": "mistaken"}, "k5").status_code == 409
    closed = post(anna, f"{path}/close", {"result": "paid", "recovered": "10"}, "k6").json()
    assert (closed["state"], closed["result"], closed["recovered"]) == ("closed", "paid", "10.00")


def test_who_does_not_see_the_buyer_does_not_see_its_case(signed_in, anna, book):
    keeping.run(book)
    owners = book.run(book.buyer.select("sales_owner").distinct().order_by("sales_owner"))["sales_owner"].to_pylist()
    bo = signed_in("sales", sales_owners=[owners[0]])
    every, his = ({row["case_number"] for row in who.get("/api/v1/cases?limit=500").json()["rows"]} for who in (anna, bo))
    assert his < every
    hidden = min(every - his)
    assert bo.get(f"/api/v1/cases/{hidden}").status_code == 404
    assert post(bo, f"/cases/{hidden}/events", {"kind": "suit", "on": book.on.isoformat()}).status_code == 404
    assert post(bo, "/cases", {"buyer_id": Case.objects.get(pk=hidden).buyer_id}).status_code == 404
    assert post(signed_in("viewer"), f"/cases/{hidden}/events", {"kind": "suit", "on": book.on.isoformat()}).status_code == 403
