"""Enclosures: the pages of the buyer's own evidence go along with its letter, and nobody else's ever do."""

from __future__ import annotations

import hashlib
import io
import json

import pypdf
import pytest
from django.utils import timezone

from duecourse.actions.paper import pdf as paper
from duecourse.web import books
from duecourse.web import environment as env
from duecourse.web.documents import custody, keeping
from duecourse.web.documents.keeping import Said
from duecourse.web.documents.models import CustodyRow
from duecourse.web.letters import making, sending
from duecourse.web.letters.attachments import UnfitError, unfit
from duecourse.web.letters.models import Letter
from duecourse.web.outbox.sending import append_waiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def file_in(person, ledger, book, tmp_path, monkeypatch):
    """file_in(buyer, [invoices], words): a proof of delivery in a buyer's file, known to the ledger; its SHA-256."""
    monkeypatch.setattr(env, "HOME", tmp_path / "home")
    keeper = person("collector")

    def make(buyer, invoices, words):
        content = paper([{"kind": "text", "text": words}], title=words, language="en", made_at=timezone.now())
        half = custody.files().arriving()
        half.write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        keeping.take_up(
            keeper, buyer, half, digest, f"{words}.pdf", len(content), Said("proof_of_delivery", invoices=tuple(invoices)), book.on
        )
        append_waiting(ledger)
        books.forget()
        return digest

    make.keeper = keeper
    return make


def text_of(data):
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(bytes(data))).pages)


@pytest.fixture
def wrote(letter, late, request_of):
    letter("draft", number=2)  # the people are there

    def make(buyer):
        ledger = books.ledger()
        now = ledger.as_of(books.day_of(ledger))
        wanted = making.Wanted("demand_letter", "en", "email", email="debtor@example.com", address="2 Street")
        made, _new = making.draft(request_of(letter.people["writer"]), now, buyer, late[buyer], wanted)
        return made, now

    return make


def test_the_pages_of_the_evidence_go_along_and_custody_says_so(file_in, wrote, letter, late, request_of, mail_server):
    buyer = min(late)
    digest = file_in(buyer, [late[buyer][0][0]], "Consignment note 40217")
    made, book = wrote(buyer)
    assert [one.document_id for one in made.told.documents] == [digest]
    sent = making.submit(request_of(letter.people["writer"]), book, made.pk)
    assert "Consignment note 40217" in text_of(sent.pdf) and sent.number in text_of(sent.pdf)
    row = CustodyRow.objects.filter(document_id=digest).last()
    assert row.act == "packed" and json.loads(row.detail)["letter"] == sent.number
    making.approve(request_of(letter.people["second"]), book, sent.pk, sent.pdf_sha256)
    making.give_out(request_of(letter.people["second"]), book, sent.pk)
    assert sending.send(sent.pk) == "sent"
    (mail,) = mail_server.got
    (part,) = mail.iter_attachments()
    assert "Consignment note 40217" in text_of(part.get_content())


def test_another_buyer_s_evidence_never_goes_along(file_in, wrote, letter, late, request_of):
    mine, theirs = sorted(late)[:2]
    digest = file_in(theirs, [late[theirs][0][0]], "Their consignment note")
    made, book = wrote(mine)
    assert not made.told.documents
    facts = json.loads(made.facts)
    facts["documents"] = [
        {"buyer_id": mine, "text": "note", "invoice_id": "", "on": None, "delivery": True, "enclosed": True, "document_id": digest}
    ]  # as if it were ours
    Letter.objects.filter(pk=made.pk).update(facts=json.dumps(facts))
    with pytest.raises(UnfitError, match="enclosure_stranger"):
        making.submit(request_of(letter.people["writer"]), book, made.pk)
    made.refresh_from_db()
    assert made.state == "draft" and not CustodyRow.objects.filter(document_id=digest, act="packed").exists()
    data = b"%PDF-1.4"
    made.pdf, made.pdf_sha256, made.channel, made.address = data, hashlib.sha256(data).hexdigest(), "email", made.told.recipient.email
    assert unfit(made) == "stranger"


def test_what_was_taken_out_of_the_file_or_altered_on_the_disk_does_not_go(file_in, wrote, letter, late, request_of, mail_server):
    buyer = min(late)
    digest = file_in(buyer, [late[buyer][0][0]], "Consignment note 1")
    made, book = wrote(buyer)
    place = custody.files().place(digest)
    place.chmod(0o640)
    whole = place.read_bytes()
    place.write_bytes(whole + b" ")
    with pytest.raises(UnfitError, match="enclosure_gone"):
        making.submit(request_of(letter.people["writer"]), book, made.pk)
    place.write_bytes(whole)
    sent = making.submit(request_of(letter.people["writer"]), book, made.pk)
    making.approve(request_of(letter.people["second"]), book, sent.pk, sent.pdf_sha256)
    making.give_out(request_of(letter.people["second"]), book, sent.pk)
    keeping.withdraw(file_in.keeper, buyer, digest, "filed by mistake")
    assert sending.send(sent.pk) == "failed" and not mail_server.got
    assert Letter.objects.get(pk=sent.pk).fault == "stranger"
