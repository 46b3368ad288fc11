"""A small time-stamp authority (RFC 3161) on loopback: it signs what it is asked to, with a certificate of its own."""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Iterator


class Authority:
    """faults: how many questions it answers with 500 before it answers · asked: how many came"""

    def __init__(self) -> None:
        self.faults, self.asked, self.at = 0, 0, dt.datetime(2026, 5, 4, 3, 2, 1, tzinfo=dt.UTC)
        self.root_key, self.key = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
        self.root = self._certificate("Test root", self.root_key, None)
        self.certificate = self._certificate("Test time-stamp authority", self.key, self.root)
        self.url = ""

    def _certificate(self, name: str, key: rsa.RSAPrivateKey, issuer: x509.Certificate | None) -> x509.Certificate:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(issuer.subject if issuer else subject).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(dt.datetime(2020, 1, 1)).not_valid_after(dt.datetime(2050, 1, 1))
            .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.root_key.public_key()), critical=False)
        )  # fmt: skip
        if issuer is not None:
            made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
            made = made.add_extension(x509.KeyUsage(True, False, False, False, False, False, False, False, False), critical=True)
        else:
            made = made.add_extension(x509.KeyUsage(True, False, False, False, False, True, True, False, False), critical=True)
        return made.sign(self.root_key, hashes.SHA256())

    def answer(self, question: bytes) -> bytes:
        asked = tsp.TimeStampReq.load(question)
        told = tsp.TSTInfo(
            {
                "version": "v1", "policy": "1.2.3.4.1", "message_imprint": asked["message_imprint"], "serial_number": 7 + self.asked, "gen_time": self.at,
                "ordering": False, "nonce": asked["nonce"].native,
            }
        )  # fmt: skip
        own = asn1_x509.Certificate.load(self.certificate.public_bytes(serialization.Encoding.DER))
        root = asn1_x509.Certificate.load(self.root.public_bytes(serialization.Encoding.DER))
        digest = hashlib.sha256(told.dump()).digest()
        named = tsp.SigningCertificateV2({"certs": [tsp.ESSCertIDv2({"cert_hash": hashlib.sha256(own.dump()).digest()})]})
        attributes = cms.CMSAttributes(
            [
                cms.CMSAttribute({"type": "content_type", "values": ["tst_info"]}),
                cms.CMSAttribute({"type": "signing_time", "values": [cms.Time({"utc_time": core.UTCTime(self.at)})]}),
                cms.CMSAttribute({"type": "message_digest", "values": [digest]}),
                cms.CMSAttribute({"type": "signing_certificate_v2", "values": [named]}),
            ]
        )
        signature = self.key.sign(attributes.dump(), padding.PKCS1v15(), hashes.SHA256())
        signer = cms.SignerInfo(
            {
                "version": "v1", "sid": cms.SignerIdentifier({"issuer_and_serial_number": cms.IssuerAndSerialNumber({"issuer": own.issuer, "serial_number": own.serial_number})}),
                "digest_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}), "signed_attrs": attributes,
                "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "sha256_rsa"}), "signature": signature,
            }
        )  # fmt: skip
        signed = cms.SignedData(
            {
                "version": "v3", "digest_algorithms": [algos.DigestAlgorithm({"algorithm": "sha256"})],
                "encap_content_info": {"content_type": "tst_info", "content": core.ParsableOctetString(told.dump())}, "certificates": [own, root], "signer_infos": [signer],
            }
        )  # fmt: skip
        token = cms.ContentInfo({"content_type": "signed_data", "content": signed})
        return tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": token}).dump()


@contextmanager
def authority() -> Iterator[Authority]:
    one = Authority()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = self.rfile.read(int(self.headers["Content-Length"]))
            one.asked += 1
            if one.asked <= one.faults:
                self.send_error(500)
                return
            body = one.answer(question)
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    one.url = f"http://127.0.0.1:{server.server_port}/tsr"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield one
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
