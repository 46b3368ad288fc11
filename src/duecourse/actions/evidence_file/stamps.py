"""Time-stamps of a trusted authority: proof that a document was there, byte for byte, at a moment.  可信时间戳 (RFC 3161)

The request carries the document's SHA-256 alone; the answer is kept as it came. `openssl ts -verify` reads it, too.
Source: RFC 3161 (August 2001) 2.4; RFC 5816.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from duecourse.errors import StampInvalidError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cryptography.x509 import Certificate

SHA256_ALGORITHM: Final = bytes.fromhex("300d06096086480165030402010500")
NONCE_BYTES: Final = 8


@dataclass(frozen=True)
class Stamp:
    """What a time-stamp says.

    at         the moment (UTC) the authority vouches for
    authority  the subject of its certificate
    trusted    its certificate leads to a root that was given; False: the signature holds, who signed was not looked into
    """

    at: datetime
    authority: str
    trusted: bool


def request_of(document_id: str, nonce: int) -> bytes:
    """A TimeStampReq for the document with this SHA-256: version 1, the digest, the nonce, and send your certificate."""
    digest = bytes.fromhex(document_id)
    imprint = _der(0x30, SHA256_ALGORITHM + _der(0x04, digest))
    number = nonce.to_bytes(NONCE_BYTES + 1, "big", signed=False).lstrip(b"\x00") or b"\x00"
    number = b"\x00" + number if number[0] & 0x80 else number
    return _der(0x30, b"\x02\x01\x01" + imprint + _der(0x02, number) + b"\x01\x01\xff")


def _der(tag: int, content: bytes) -> bytes:
    assert len(content) < 128
    return bytes((tag, len(content))) + content


def read(answer: bytes, document_id: str, *, nonce: int | None = None, roots: Sequence[Certificate] = ()) -> Stamp:
    """Hold an authority's answer (DER) to the document it is said to be of.

    roots   whom to trust; none: the certificate in the answer that leads furthest is taken, and the stamp is not `trusted`
    Raises StampInvalidError for an answer that is none, refuses, is of another document or request, or whose signature does not hold.
    """
    from cryptography import x509  # noqa: PLC0415 — heavy: only where a stamp is looked at
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from rfc3161_client import VerifierBuilder, decode_timestamp_response  # noqa: PLC0415
    from rfc3161_client.errors import VerificationError  # noqa: PLC0415

    faults: tuple[type[Exception], ...] = (
        VerificationError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        OverflowError,
        UnsupportedAlgorithm,
    )
    faults += _unreadable()
    try:
        response = decode_timestamp_response(answer)
        if response.status not in (0, 1):
            raise StampInvalidError(document=document_id, detail=", ".join(response.status_string) or f"status {response.status}")
        inside = [x509.load_der_x509_certificate(one) for one in response.signed_data.certificates]
        leaf = _leaf(inside)
        # What is passed is trusted; certificates on the way from the signer to a root are taken from the answer itself.
        builder = VerifierBuilder(roots=list(roots) or [_top(inside, leaf)], nonce=nonce)
        builder.build().verify(response, bytes.fromhex(document_id))
        found = decode_timestamp_response(answer).tst_info
        if found.message_imprint.message != bytes.fromhex(document_id):
            raise StampInvalidError(document=document_id, detail="message imprint")
        return Stamp(found.gen_time, leaf.subject.rfc4514_string(), bool(roots))
    except faults as error:
        raise StampInvalidError(document=document_id, detail=str(error)[:200]) from error


def _unreadable() -> tuple[type[Exception], ...]:
    """What the library raises over a certificate that is badly made."""
    from cryptography import x509  # noqa: PLC0415

    return x509.DuplicateExtension, x509.ExtensionNotFound, x509.UnsupportedGeneralNameType, x509.InvalidVersion


def _leaf(inside: Sequence[Certificate]) -> Certificate:
    from cryptography import x509  # noqa: PLC0415
    from cryptography.x509.oid import ExtendedKeyUsageOID  # noqa: PLC0415

    def stamps(one: Certificate) -> bool:
        try:
            usage = one.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        except x509.ExtensionNotFound:
            return False
        return ExtendedKeyUsageOID.TIME_STAMPING in usage

    return next(one for one in inside if stamps(one)) if any(map(stamps, inside)) else inside[0]


def _top(inside: Sequence[Certificate], leaf: Certificate) -> Certificate:
    """From the certificate that signed up to the last one that is in the answer."""
    found = leaf
    for _step in range(len(inside)):
        above = next((one for one in inside if one.subject == found.issuer and one != found), None)
        if above is None:
            return found
        found = above
    return found
