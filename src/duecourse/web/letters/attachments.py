"""Is this letter about its buyer and nobody else? Asked when it is drawn up, when a person's own version comes in, and again before it goes.  附件核对"""

from __future__ import annotations

import hashlib
import io
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duecourse.actions.letters import LetterFacts
    from duecourse.web.letters.models import Letter

LARGEST: Final = 10 * 2**20
"""Bytes of a PDF a person may hand in."""
PAGES: Final = 60


class UnfitError(Exception):
    """The PDF is none, or not this letter; `code` names the sentence that says why."""

    def __init__(self, code: str, **args: object) -> None:
        self.code, self.args_ = code, args
        super().__init__(code)


def text_of(data: bytes) -> str:
    """All the text of a PDF. Raises UnfitError for what is no PDF, too long, or shut."""
    from pypdf import PdfReader  # noqa: PLC0415 — heavy: only where a PDF is read
    from pypdf.errors import PyPdfError  # noqa: PLC0415

    if len(data) > LARGEST or not data.startswith(b"%PDF-"):
        raise UnfitError("web.letters_not_a_pdf")
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted or len(reader.pages) > PAGES:
            raise UnfitError("web.letters_not_a_pdf")
        return "\n".join(page.extract_text() for page in reader.pages)
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnfitError("web.letters_not_a_pdf") from error


def packed(text: str) -> str:
    """Without what the breaking of lines does."""
    return re.sub(r"\s+", "", text)


def check_edited(text: str, facts: LetterFacts, strangers: Sequence[str] = ()) -> None:
    """Does a person's own version still say which letter it is, to whom, about what; and nothing of others?

    strangers  what of other buyers was found in it
    Raises UnfitError.
    """
    said = packed(text)
    named = [name for name in (facts.recipient.name, facts.recipient.local_name) if name]
    wanted = {"number": [facts.number], "recipient": named, "invoice": [facts.invoices[0].invoice_id]}
    for name, any_of in wanted.items():
        if not any(packed(one) in said for one in any_of):
            raise UnfitError(f"web.letters_edited_no_{name}", value=" / ".join(any_of))
    if strangers:
        raise UnfitError("web.letters_edited_stranger", found=", ".join(strangers[:5]))


def unfit(letter: Letter) -> str:
    """Why this letter may not go, as the name of a fault; "" where it may: its figures, documents and PDF are its buyer's and as they were approved."""
    facts = letter.told
    if facts.strangers() or facts.buyer_id != letter.buyer_id or facts.number != letter.number:
        return "stranger"
    data = bytes(letter.pdf or b"")
    if not data or hashlib.sha256(data).hexdigest() != letter.pdf_sha256:
        return "pdf_changed"
    from duecourse.web.letters.enclosing import strangers  # noqa: PLC0415 — it stands on this

    if strangers(facts):
        return "stranger"
    if facts.kind != letter.kind or (letter.channel == "email" and facts.recipient.email != letter.address):
        return "stranger"
    return ""
