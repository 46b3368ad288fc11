"""Time-stamps asked for over HTTP and kept as they came (RFC 3161, section 3.4)."""

from __future__ import annotations

import secrets
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from django.db import IntegrityError, transaction

from duecourse.actions.evidence_file import stamps
from duecourse.errors import FeedDownError
from duecourse.web import environment as env
from duecourse.web.documents import custody
from duecourse.web.documents.models import Stamped

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from duecourse.actions.evidence_file.stamps import Stamp

SECONDS: Final = 20.0
MOST_BYTES: Final = 1 << 18


def ask(document_id: str) -> tuple[bytes, Stamp]:
    """The authority's answer about a document, held to it. Raises FeedDownError where there is none, StampInvalidError."""
    import httpx  # noqa: PLC0415 — only where an authority is asked

    nonce = secrets.randbits(63) | 1
    try:
        with httpx.stream(
            "POST",
            env.TSA_URL,
            content=stamps.request_of(document_id, nonce),
            timeout=SECONDS,
            headers={"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"},
        ) as response:
            response.raise_for_status()
            answer = b""
            for block in response.iter_bytes():
                answer += block
                if len(answer) > MOST_BYTES:
                    raise FeedDownError(feed=env.TSA_URL, why="answer too long")
    except (httpx.HTTPError, OSError) as error:
        raise FeedDownError(feed=env.TSA_URL, why=f"{type(error).__name__}: {error}"[:200]) from error
    return answer, stamps.read(answer, document_id, nonce=nonce, roots=roots())


def stamp_document(document_id: str) -> bool:
    """Have a document stamped, once; was it not yet? Raises what `ask` raises."""
    if not env.TSA_URL or Stamped.objects.filter(document_id=document_id).exists():
        return False
    answer, found = ask(document_id)
    try:
        with transaction.atomic():
            Stamped.objects.create(
                document_id=document_id, answer=answer, stamped_at=found.at, authority=found.authority[:300], trusted=found.trusted
            )
            custody.add(None, "stamped", [(document_id, "")], at=found.at.isoformat(), authority=found.authority)
    except IntegrityError:  # another worker was a moment earlier
        return False
    return True


def roots() -> tuple[Certificate, ...]:
    """Whom to trust."""
    return read_roots(Path(env.TSA_ROOTS)) if env.TSA_ROOTS else ()


@lru_cache(maxsize=8)
def read_roots(file: Path) -> tuple[Certificate, ...]:
    """The certificates of a PEM file."""
    from cryptography import x509  # noqa: PLC0415 — only where a stamp is looked at

    return tuple(x509.load_pem_x509_certificates(file.read_bytes()))
