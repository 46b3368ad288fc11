"""The pages of enclosures behind a letter: out of the evidence file of its buyer, and of no other.  附件合并"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

from duecourse.errors import DuecourseError
from duecourse.web.documents import custody, keeping
from duecourse.web.letters.attachments import UnfitError

if TYPE_CHECKING:
    from duecourse.actions.letters import LetterFacts

LARGEST: Final = 15 * 2**20
"""Bytes of a letter with its enclosures: what mail servers take."""


def document_ids(facts: LetterFacts) -> list[str]:
    """The documents of the evidence file whose pages go along, each once."""
    return list(dict.fromkeys(one.document_id for one in facts.documents if one.enclosed and one.document_id))


def strangers(facts: LetterFacts) -> list[str]:
    """Enclosures that are not in the file of the letter's buyer, or were taken out of it."""
    found = []
    for number in document_ids(facts):
        row = keeping.newest(facts.buyer_id, number)
        if row is None or row.withdrawn:
            found.append(number)
    return found


def with_enclosures(letter: bytes, facts: LetterFacts) -> bytes:
    """The letter, and behind it the pages of its enclosures. Raises UnfitError for one that is not this buyer's, is gone, cannot be read, or is too large."""
    wanted = document_ids(facts)
    if not wanted:
        return letter
    from pypdf import PdfReader, PdfWriter  # noqa: PLC0415 — heavy: only where something is enclosed
    from pypdf.errors import PyPdfError  # noqa: PLC0415

    if strangers(facts):
        raise UnfitError("web.letters_enclosure_stranger")
    writer = PdfWriter()
    writer.append(PdfReader(io.BytesIO(letter)))
    size = len(letter)
    for number in wanted:
        try:
            data = custody.files().verified(number).read_bytes()
            size += len(data)
            if size > LARGEST:
                raise UnfitError("web.letters_enclosures_large")
            writer.append(PdfReader(io.BytesIO(data)))
        except DuecourseError as error:
            raise UnfitError("web.letters_enclosure_gone", what=error.message()) from error
        except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise UnfitError("web.letters_enclosure_unreadable", what=number[:12]) from error
    kept = io.BytesIO()
    writer.write(kept)
    return kept.getvalue()
