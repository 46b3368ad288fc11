"""A firm that writes letters: its letterhead in a ledger of its own, a buyer who is late, and a mail server of this machine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from duecourse.desk.letterhead import checked, keep_letterhead
from duecourse.desk.letters import Wanted
from duecourse.web import books
from duecourse.web import environment as env
from duecourse.web.letters import making
from support.loopback import Mail

OWN = {
    "name": "Rensheng Tools Co., Ltd.", "local_name": "仁盛工具有限公司", "registration_number": "91310115MA1K3RXX7Q", "address": "1 Road\nShanghai", "country": "CN", "signatory": "Zhou", "call_back": "021",
    "accounts": [{"holder": "Rensheng", "bank": "Bank", "number": "1"}],
}  # fmt: skip
WANTED = Wanted("demand_letter", "en", "email", email="debtor@example.com", address="2 Street")


@pytest.fixture
def mail_server(monkeypatch, settings):
    made = Mail()
    monkeypatch.setattr(env, "EMAIL_URL", f"smtp+plain://127.0.0.1:{made.port}")
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = "127.0.0.1", made.port, False, False
    settings.EMAIL_HOST_USER, settings.EMAIL_TIMEOUT, settings.DEFAULT_FROM_EMAIL = "", 5, "duecourse@example.com"
    yield made
    made.end()


@pytest.fixture
def ledger(own_ledger):
    """The demo's, with our letterhead in it."""
    keep_letterhead(own_ledger, "", checked(OWN))
    books.forget()
    return books.ledger()


@pytest.fixture
def book(ledger):
    return ledger.as_of(books.day_of(ledger))


@pytest.fixture
def late(book):
    """Buyers of one company of ours who are late, with (invoice, instalment) pairs."""
    from duecourse.measures.receivables import open_items

    item = open_items(book)
    rows = book.run(
        item.filter(item.is_overdue).select("buyer_id", "invoice_id", "instalment", "currency").order_by("buyer_id", "invoice_id")
    ).to_pylist()
    found: dict[str, list[tuple[str, int]]] = {}
    for row in rows:
        found.setdefault(row["buyer_id"], []).append((row["invoice_id"], row["instalment"]))
    return {buyer: items[:2] for buyer, items in found.items()}


@pytest.fixture
def request_of(rf):
    """request_of(person): as it comes to an act."""

    def make(person):
        request = rf.post("/")
        request.user = person
        return request

    return make


@pytest.fixture
def letter(book, late, person, request_of):
    """letter(): drafted for a buyer who is late; letter(state="approved") and submitted and approved by a second person."""
    people = {}

    def make(state="approved", *, number=0, buyer="", **more):
        writer = people.setdefault("writer", person("collector"))
        second = people.setdefault("second", person("credit_manager"))
        buyer = buyer or sorted(late)[number]
        made, _new = making.draft(request_of(writer), book, buyer, late[buyer], replace(WANTED, **more))
        if state != "draft":
            made = making.submit(request_of(writer), book, made.pk)
        if state == "approved" and made.state == "waiting":
            made = making.approve(request_of(second), book, made.pk, made.pdf_sha256)
        return made

    make.people = people
    return make
