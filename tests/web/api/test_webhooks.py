"""Webhooks: what happened is told once to who asked, signed, tried again, given up at last; and never into the firm's own network."""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib.util
import json
import socket
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from django.utils import timezone

from duecourse.web import books
from duecourse.web.accounts.models import AuditEvent
from duecourse.web.api.background import clean
from duecourse.web.api.models import DELIVERED, GIVEN_UP, WAITING, LedgerMark, WebhookDelivery, WebhookEndpoint, WebhookEvent
from duecourse.web.api.webhooks import delivering, events, guard, signing
from duecourse.web.jobs.models import JobRun
from duecourse.web.jobs.worker import drain

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "api_client.py"


class Receiver:
    """A real server that keeps what it is sent."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(receiver.status)
                if receiver.status in (301, 302):
                    self.send_header("Location", "http://127.0.0.1:1/")
                self.end_headers()
                self.wfile.write(b"thanks")

            def log_message(self, *_args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?x=1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver(monkeypatch):
    monkeypatch.setattr("duecourse.web.environment.WEBHOOK_NETWORKS", ["127.0.0.0/8"])
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def endpoint(db, receiver):
    secret = signing.new_secret()
    made = WebhookEndpoint.objects.create(url=receiver.url, events=list(events.EVENTS), sealed=signing.sealed(secret))
    made.secret = secret
    return made


def test_a_signature_is_that_of_the_standard():
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    expected = base64.b64encode(hmac.new(key, b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330." + body, hashlib.sha256).digest()).decode()
    assert signing.sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == f"v1,{expected}"
    assert expected == "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="  # the specification's own example


def test_facts_that_came_in_are_told_once_and_the_receiver_can_check_it(own_ledger, caller, invoices, endpoint, receiver):
    client = caller()
    assert client.post("/invoices", invoices(2), key="k").status_code == 201
    assert client.post("/invoices", invoices(2), key="k").status_code == 201
    drain()
    ((headers, body),) = receiver.got
    told = json.loads(body)
    assert told["type"] == "facts.committed"
    assert told["data"]["counts"] == {"invoice": {"added": 2, "corrected": 0, "unchanged": 0}}
    spec = importlib.util.spec_from_file_location("api_client", EXAMPLE)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    assert example.is_ours(endpoint.secret, headers, body)
    assert not example.is_ours(signing.new_secret(), headers, body)
    assert not example.is_ours(endpoint.secret, headers, body + b" ")
    delivery = WebhookDelivery.objects.get()
    assert (delivery.status, delivery.attempts) == (DELIVERED, 1)
    assert delivery.tries.get().answer == "thanks"


def test_what_nobody_told_is_found_in_the_journal_and_told_once(own_ledger, endpoint, receiver):
    events.catch_up(books.ledger().journal())  # from here on somebody listens
    with own_ledger.draft("import", file_name="ar.csv", file_sha256="f" * 64) as draft:
        import pyarrow as pa

        draft.put("buyer", pa.table({"buyer_id": ["new"]}))
        draft.facts = {"read": 3, "quarantined": 2, "by": "anna"}
        draft.commit()
    for _time in range(3):
        events.catch_up(books.ledger().journal())
    assert sorted(WebhookEvent.objects.values_list("name", flat=True)) == ["facts.committed", "import.finished", "quarantine.added"]
    batch = books.ledger().journal()[-1].batch_id
    own_ledger.void(batch, "wrong file")
    events.catch_up(books.ledger().journal())
    assert WebhookEvent.objects.filter(name="facts.withdrawn").count() == 1
    drain()
    assert sorted(json.loads(body)["type"] for _headers, body in receiver.got) == [
        "facts.committed", "facts.withdrawn", "import.finished", "quarantine.added",
    ]  # fmt: skip


def test_an_endpoint_that_fails_is_tried_again_later_and_later_and_given_up(endpoint, receiver):
    receiver.status = 500
    delivery = events.ping(endpoint)
    waits = []
    for number in range(len(delivering.WAITS) + 1):
        before = timezone.now()
        status = delivering.deliver(delivery.pk)
        delivery.refresh_from_db()
        assert delivery.attempts == number + 1
        if status == WAITING:
            waits.append((delivery.next_at - before).total_seconds())
            assert JobRun.objects.filter(key=f"delivery-{delivery.pk}-{number + 1}").exists()
    assert delivery.status == GIVEN_UP
    assert len(receiver.got) == len(delivering.WAITS) + 1
    assert len({headers["webhook-id"] for headers, _body in receiver.got}) == 1
    assert len({body for _headers, body in receiver.got}) == 1
    assert waits == sorted(waits)
    assert delivering.deliver(delivery.pk) == ""
    receiver.status = 200
    fresh = delivering.again(delivery)
    assert delivering.deliver(fresh.pk) == DELIVERED


def test_an_endpoint_that_only_fails_is_switched_off_after_five_days(endpoint, receiver):
    receiver.status = 503
    delivering.deliver(events.ping(endpoint).pk)
    endpoint.refresh_from_db()
    assert endpoint.active
    assert endpoint.failing_since
    WebhookEndpoint.objects.update(failing_since=timezone.now() - timedelta(days=6))
    delivering.deliver(events.ping(endpoint).pk)
    endpoint.refresh_from_db()
    assert not endpoint.active
    assert endpoint.disabled_at
    assert AuditEvent.objects.filter(act="webhook_disabled").exists()
    assert events.tell(events.FACTS, "x", {}) is None


def test_a_redirect_is_not_followed(endpoint, receiver):
    receiver.status = 302
    delivery = events.ping(endpoint)
    assert delivering.deliver(delivery.pk) == WAITING
    assert delivery.tries.get().status == 302


def test_a_replaced_secret_signs_beside_the_new_one_for_a_day(endpoint, receiver):
    new = signing.rotate(endpoint)
    delivering.deliver(events.ping(endpoint).pk)
    headers, body = receiver.got[-1]
    at = int(headers["webhook-timestamp"])
    both = {signing.sign(secret, headers["webhook-id"], at, body) for secret in (new, endpoint.secret)}
    assert set(headers["webhook-signature"].split()) == both
    WebhookEndpoint.objects.update(before_until=timezone.now() - timedelta(seconds=1))
    endpoint.refresh_from_db()
    delivering.deliver(events.ping(endpoint).pk)
    assert len(receiver.got[-1][0]["webhook-signature"].split()) == 1


def test_a_secret_is_not_kept_in_the_clear(endpoint):
    assert endpoint.secret.removeprefix("whsec_") not in endpoint.sealed


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "https://127.0.0.1/", "https://localhost/", "https://10.1.2.3/", "https://192.168.0.1:8443/", "https://169.254.169.254/latest",
        "https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://[fd00::1]/", "https://0.0.0.0/", "https://100.64.0.1/", "ftp://example.com/", "https://",
        "https://user:word@1.1.1.1/", "https://1.1.1.1:99999/", "https://2130706433/", "https://0x7f000001/", "https://224.0.0.1/", "javascript:alert(1)",
        "https://[64:ff9b::10.0.0.1]/",
    ],
)  # fmt: skip
def test_an_address_of_the_own_network_is_refused(url):
    with pytest.raises(guard.RefusedError):
        guard.target_of(url)


def test_a_public_address_over_https_is_good_and_held_to(monkeypatch):
    answers = [
        [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443))],
        [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443))],
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: answers.pop(0))
    target = guard.target_of("https://hooks.example.com/x?y=1")
    assert (target.address, target.host, target.path) == ("93.184.215.14", "hooks.example.com", "/x?y=1")
    seen = []
    monkeypatch.setattr(socket, "create_connection", lambda place, *_a: seen.append(place) or (_ for _ in ()).throw(OSError()))
    assert guard.post(target, b"{}", {}).fault == "unreachable"
    assert seen == [("93.184.215.14", 443)]  # what the name means by now does not matter


def test_one_address_of_many_in_the_own_network_is_enough_to_refuse(monkeypatch):
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in ("93.184.215.14", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: both)
    with pytest.raises(guard.RefusedError, match="address_refused"):
        guard.target_of("https://hooks.example.com/")


def test_the_pages_add_try_show_change_and_remove_an_address(signed_in, receiver):
    browser = signed_in("credit_manager")
    assert browser.get("/webhooks/").status_code == 200
    refused = browser.post("/webhooks/new/", {"url": "https://10.0.0.1/", "events": ["facts.committed"]})
    assert refused.status_code == 422
    made = browser.post("/webhooks/new/", {"url": receiver.url, "note": "ERP", "events": ["facts.committed", "import.failed"]})
    secret = made.content.decode().partition('value="whsec_')[2].partition('"')[0]
    assert secret
    endpoint = WebhookEndpoint.objects.get()
    page = f"/webhooks/{endpoint.pk}/"
    assert secret not in browser.get(page).content.decode()
    assert browser.post(f"{page}ping/").status_code == 302
    shown = browser.get(page).content.decode()
    assert "delivered" in shown
    assert "thanks" in shown
    delivery = WebhookDelivery.objects.get()
    browser.post(f"/webhooks/deliveries/{delivery.pk}/again/")
    assert len(receiver.got) == 2
    assert receiver.got[0][0]["webhook-id"] == receiver.got[1][0]["webhook-id"]
    assert b"whsec_" in browser.post(f"{page}rotate/").content
    browser.post(f"{page}switch/")
    assert not WebhookEndpoint.objects.get().active
    browser.post(f"{page}edit/", {"url": receiver.url, "note": "", "events": ["finding.new"]})
    assert WebhookEndpoint.objects.get().events == ["finding.new"]
    assert browser.post(f"{page}remove/").status_code == 302
    assert not WebhookEndpoint.objects.exists()
    assert {"webhook_added", "webhook_secret_replaced", "webhook_switched", "webhook_changed", "webhook_removed"} <= set(
        AuditEvent.objects.values_list("act", flat=True)
    )


def test_only_people_of_the_settings_see_them(signed_in, endpoint):
    for role in ("viewer", "sales", "auditor", "collector"):
        browser = signed_in(role)
        for path in ("", "new/", f"{endpoint.pk}/", f"{endpoint.pk}/edit/"):
            assert browser.get(f"/webhooks/{path}").status_code == 403
        for path in ("ping/", "rotate/", "switch/", "remove/"):
            assert browser.post(f"/webhooks/{endpoint.pk}/{path}").status_code == 403
    assert WebhookEndpoint.objects.filter(active=True).exists()


def test_old_messages_are_cleared_away(endpoint):
    events.ping(endpoint)
    WebhookEvent.objects.update(created_at=timezone.now() - timedelta(days=91))
    assert clean(None)["messages"] >= 1
    assert not WebhookDelivery.objects.exists()


def test_new_findings_and_failed_imports_are_told(own_ledger, caller, invoices, endpoint):
    from duecourse.web.api.webhooks import watching

    ledger = books.ledger()
    watching.tell_new_findings(ledger)
    assert LedgerMark.objects.get(name="findings").version == ledger.version
    caller().post(
        "/settlements",
        {"settlement_id": "S", "buyer_id": "b", "invoice_id": "nowhere", "settle_date": "2025-03-01", "amount": "1", "currency": "CNY"},
    )
    assert watching.tell_new_findings(books.ledger()) >= 1
    assert WebhookEvent.objects.filter(name="finding.new").first().data["code"] == "settlement_without_invoice"
    assert watching.tell_new_findings(books.ledger()) == 0
    JobRun.objects.create(
        name="imports.take_in",
        status="failed",
        finished_at=timezone.now(),
        error_code="file_cut_off",
        error_args={"path": "x", "detail": "y"},
    )
    assert (watching.tell_failed_imports(), watching.tell_failed_imports()) == (1, 0)
