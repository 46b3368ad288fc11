"""Time-stamps hold for their document, their request and who signed, and for nothing else."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess

import pytest
from asn1crypto import tsp
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from duecourse.actions.evidence_file import stamps
from duecourse.errors import StampInvalidError
from support.authority import Authority
from support.examples import examples

DOCUMENT = "ab" * 32
AUTHORITY, OTHER = Authority(), Authority()
NONCE = 0x7FFF_0000_0000_0001
ANSWER = AUTHORITY.answer(stamps.request_of(DOCUMENT, NONCE))


@examples(20, 300)
@given(digest=st.binary(min_size=32, max_size=32), nonce=st.integers(1, 2**64 - 1))
def test_a_request_says_the_digest_and_the_nonce(digest, nonce):
    asked = tsp.TimeStampReq.load(stamps.request_of(digest.hex(), nonce), strict=True).native
    assert asked["message_imprint"]["hashed_message"] == digest
    assert asked["message_imprint"]["hash_algorithm"]["algorithm"] == "sha256"
    assert asked["nonce"] == nonce
    assert asked["cert_req"] is True


def test_a_stamp_says_when_and_by_whom():
    found = stamps.read(ANSWER, DOCUMENT, nonce=NONCE, roots=(AUTHORITY.root,))
    assert found == stamps.Stamp(dt.datetime(2026, 5, 4, 3, 2, 1, tzinfo=dt.UTC), "CN=Test time-stamp authority", trusted=True)
    assert stamps.read(ANSWER, DOCUMENT).trusted is False, "without a root to trust the signature holds, no more"


@pytest.mark.parametrize(
    ("answer", "document", "more"),
    [
        (ANSWER, "cd" * 32, {}),
        (ANSWER, DOCUMENT, {"nonce": 5}),
        (ANSWER, DOCUMENT, {"roots": (OTHER.root,)}),
        (b"", DOCUMENT, {}),
        (b"<html>Service unavailable</html>", DOCUMENT, {}),
        (bytes.fromhex("30053003020102"), DOCUMENT, {}),
    ],
    ids=["of another document", "to another request", "of somebody else", "empty", "a page", "a refusal"],
)
def test_what_does_not_hold_is_refused(answer, document, more):
    with pytest.raises(StampInvalidError):
        stamps.read(answer, document, **more)


@examples(60, 1500)
@given(at=st.integers(0, len(ANSWER) - 1), flip=st.integers(1, 255))
def test_an_altered_stamp_never_says_another_moment_document_or_signer(at, flip):
    changed = ANSWER[:at] + bytes([ANSWER[at] ^ flip]) + ANSWER[at + 1 :]
    try:
        found = stamps.read(changed, DOCUMENT, roots=(AUTHORITY.root,))
    except StampInvalidError:
        return
    # What was changed is in a certificate that the signature does not rest on.
    assert found == stamps.read(ANSWER, DOCUMENT, roots=(AUTHORITY.root,))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="NOT TESTED against openssl: it is not installed")
def test_openssl_says_so_too(tmp_path):
    (tmp_path / "a.tsr").write_bytes(ANSWER)
    (tmp_path / "root.pem").write_bytes(AUTHORITY.root.public_bytes(serialization.Encoding.PEM))
    told = subprocess.run(
        ["openssl", "ts", "-verify", "-digest", DOCUMENT, "-in", "a.tsr", "-CAfile", "root.pem"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Verification: OK" in told.stdout + told.stderr
