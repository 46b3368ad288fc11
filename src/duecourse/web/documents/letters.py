"""Letters that went and the proofs of their service, as documents of the debtor's file: nobody has to hand in what the app has itself."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Exists, OuterRef

from duecourse.web.documents import custody, keeping
from duecourse.web.documents.keeping import Said
from duecourse.web.documents.models import Filed
from duecourse.web.imports.receiving import clean_name
from duecourse.web.letters.models import SENT, Letter, LetterFile

if TYPE_CHECKING:
    from datetime import date

AT_A_TIME: Final = 500


def file_letters(buyer_id: str = "") -> int:
    """File each letter that went, and each proof that one was received, once; how many were new.

    buyer_id  only this buyer's. One that was taken out of a file by somebody stays out.
    """
    new = 0
    sent = Letter.objects.filter(state=SENT, pdf__isnull=False).select_related("made_by")
    proofs = LetterFile.objects.filter(letter__state=SENT).select_related("letter", "letter__made_by", "added_by")
    if buyer_id:
        sent, proofs = sent.filter(buyer_id=buyer_id), proofs.filter(letter__buyer_id=buyer_id)
    filed = Filed.objects.filter(document_id=OuterRef("pdf_sha256"), buyer_id=OuterRef("buyer_id"))
    for letter in sent.filter(~Exists(filed)).order_by("pk")[:AT_A_TIME]:
        assert letter.sent_on is not None
        said = Said(
            "notice", min(letter.told.dated, letter.sent_on), letter.sent_on, letter.language.partition("+")[0], original=True, case_id=letter.case_id,
            invoices=tuple(dict.fromkeys(one.invoice_id for one in letter.told.invoices)),
        )  # fmt: skip
        new += _filed(letter.made_by, letter.buyer_id, bytes(letter.pdf or b""), f"{letter.number}.pdf", said, letter.sent_on)
    shown = Filed.objects.filter(document_id=OuterRef("sha256"), buyer_id=OuterRef("letter__buyer_id"))
    for proof in proofs.filter(~Exists(shown)).order_by("pk")[:AT_A_TIME]:
        of = proof.letter
        on = of.received_on or of.sent_on
        assert on is not None
        said = Said(
            "proof_of_service", on, on, case_id=of.case_id, text=of.number, invoices=tuple(dict.fromkeys(one.invoice_id for one in of.told.invoices))
        )  # fmt: skip
        new += _filed(proof.added_by, of.buyer_id, bytes(proof.data), proof.name, said, on)
    return new


def _filed(person: Any, buyer_id: str, content: bytes, name: str, said: Said, on: date) -> bool:
    half = custody.files().arriving()
    with half.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    _row, fresh = keeping.take_up(person, buyer_id, half, hashlib.sha256(content).hexdigest(), clean_name(name), len(content), said, on)
    return fresh
