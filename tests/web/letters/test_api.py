"""Letters over the API: drawn up, listed and approved, by the same rules as on the pages."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from duecourse.web.accounts.access import ACTS
from duecourse.web.accounts.models import ApiKey
from duecourse.web.letters.models import Letter

pytestmark = pytest.mark.django_db
ROOT = "/api/v1"


@pytest.fixture
def call(person):
    def of(role, **more):
        _key, token = ApiKey.make(person(role, **more), "test", list(ACTS), timezone.now() + timedelta(days=1))
        browser = Client()

        def request(method, path, body=None, key="k1"):
            words = {"HTTP_AUTHORIZATION": f"Bearer {token}", "HTTP_IDEMPOTENCY_KEY": key}
            if body is None:
                return getattr(browser, method)(ROOT + path, **words)
            return getattr(browser, method)(ROOT + path, json.dumps(body), content_type="application/json", **words)

        return request

    return of


def test_a_letter_is_drawn_up_once_listed_and_approved_by_another(call, late, ledger):
    buyer = min(late)
    items = [{"invoice_id": number, "instalment": part} for number, part in late[buyer]]
    writer, second, sales = call("collector"), call("credit_manager"), call("sales")
    body = {
        "kind": "demand_letter",
        "language": "en",
        "channel": "email",
        "email": "a@example.com",
        "invoices": items,
        "case_id": "C000001",
        "submit": True,
    }
    made = writer("post", f"/buyers/{buyer}/letters", body)
    assert made.status_code == 201, made.content
    told = made.json()
    assert (told["state"], told["case_id"], told["missing"], told["approvals"]) == ("waiting", "C000001", [], 0) and len(
        told["document_sha256"]
    ) == 64
    assert writer("post", f"/buyers/{buyer}/letters", body).json() == told  # the same key
    assert writer("post", f"/buyers/{buyer}/letters", body, key="k2").json()["number"] == told["number"]  # another key, the same letter
    assert Letter.objects.count() == 1
    assert [one["number"] for one in second("get", "/letters?case_id=C000001&state=waiting").json()["rows"]] == [told["number"]]
    assert second("get", "/letters?kind=reminder").json()["rows"] == []
    path = f"/letters/{told['number']}/approval"
    assert writer("post", path, {"document_sha256": told["document_sha256"]}, key="k3").status_code == 409  # its writer
    assert second("post", path, {"document_sha256": "0" * 64}, key="k4").status_code == 409  # another version
    assert sales("post", path, {"document_sha256": told["document_sha256"]}, key="k5").status_code == 403
    given = second("post", path, {"document_sha256": told["document_sha256"]}, key="k6")
    assert given.status_code == 200 and given.json()["state"] == "approved" and given.json()["approvals"] == 1
    assert second("get", f"/letters/{told['number']}").json()["state"] == "approved"


def test_what_cannot_be_is_said_and_what_may_not_be_seen_is_not_there(call, late, letter, ledger):
    buyer = min(late)
    writer = call("collector")
    assert writer("post", "/buyers/nobody/letters", {}).status_code == 404
    assert writer("post", f"/buyers/{buyer}/letters", {"invoices": [{"invoice_id": "none"}]}, key="k2").status_code == 404
    assert writer("post", f"/buyers/{buyer}/letters", {"kind": "reminder", "language": "ja"}, key="k3").status_code == 409
    assert writer("post", f"/buyers/{buyer}/letters", {"kind": "sermon"}, key="k4").status_code == 422
    assert call("viewer")("post", f"/buyers/{buyer}/letters", {}, key="k5").status_code == 403
    made = letter()
    outside = call("sales", username="outside", sales_owners=["nobody at all"])
    assert outside("get", f"/letters/{made.number}").status_code == 404 and outside("get", "/letters").json()["rows"] == []
    assert outside("post", f"/buyers/{buyer}/letters", {}, key="k6").status_code == 404
