"""A letter that went is a document of the debtor's file, and so is the proof that it was received."""

from __future__ import annotations

from hashlib import sha256

import pytest

from duecourse.web import environment as env
from duecourse.web.documents import custody
from duecourse.web.documents.letters import file_letters
from duecourse.web.documents.models import Filed, Linked
from duecourse.web.letters.models import Letter, LetterFile

RECEIPT = b"\x89PNG\r\n\x1a\n" + b"signed for"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_home(tmp_path, monkeypatch):
    monkeypatch.setattr(env, "HOME", tmp_path / "home")


def test_it_is_filed_once_with_its_proof_and_stays_out_once_taken_out(letter, book, request_of, person):
    made = letter()
    assert file_letters() == 0, "it has not gone"
    Letter.objects.filter(pk=made.pk).update(state="sent", sent_on=book.on, received_on=book.on)
    LetterFile.objects.create(
        letter=made, name="receipt.png", media_type="image/png", sha256=sha256(RECEIPT).hexdigest(), data=RECEIPT, added_by=made.made_by
    )
    assert file_letters("another buyer") == 0
    assert file_letters() == 2
    assert file_letters() == 0
    row = Filed.objects.get(kind="notice")
    assert (row.document_id, row.buyer_id, row.original, row.case_id) == (made.pdf_sha256, made.buyer_id, True, made.case_id)
    assert custody.files().place(made.pdf_sha256).read_bytes() == bytes(Letter.objects.get(pk=made.pk).pdf)
    assert Filed.objects.get(kind="proof_of_service").text == made.number
    assert set(Linked.objects.filter(document_id=row.document_id).values_list("target_id", flat=True)) == {
        one.invoice_id for one in made.told.invoices
    }
    from duecourse.web.documents import keeping

    keeping.withdraw(request_of(person("legal")), made.buyer_id, made.pdf_sha256, "A draft went by mistake")
    assert file_letters() == 0
    assert custody.look().whole
