"""A letter as a mail: a few words that say what it is, and the PDF that was approved, byte by byte."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from duecourse.actions.letters import compose
from duecourse.web import environment as env

if TYPE_CHECKING:
    from duecourse.web.letters.models import Letter


def mail_of(letter: Letter) -> EmailMessage:
    """The mail. Its Message-ID is the letter's token at every try, so that a second copy can be known."""
    facts = letter.told
    document = compose(facts)
    mail = EmailMessage()
    mail["Subject"] = " ".join(f"{document.title[0]} · {facts.number}".split())
    mail["From"] = settings.DEFAULT_FROM_EMAIL
    mail["To"] = letter.address
    if facts.creditor.email:
        mail["Reply-To"] = facts.creditor.email
    mail["Date"] = format_datetime(timezone.now())
    mail["Message-ID"] = f"<{letter.token}@{urlsplit(env.BASE_URL).hostname}>"
    # The text says what the document is and no figure of it: what counts is the document alone.
    lines = [
        "",
        *document.title,
        "",
        *(f"{label[0]}: {value[0]}" for label, value in document.about[:2]),
        "",
        document.firm,
        *document.firm_lines,
    ]
    mail.set_content("\n".join(lines).strip() + "\n")
    mail.add_attachment(bytes(letter.pdf or b""), maintype="application", subtype="pdf", filename=f"{facts.number}.pdf")
    return mail
