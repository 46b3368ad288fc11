"""Documents to file in tests: a PDF, an e-mail, a picture, made here."""

from __future__ import annotations

import datetime as dt
import hashlib
import struct
import zlib

from duecourse.actions import paper
from duecourse.actions.evidence_file.facts import Custody, Document, EvidenceFile, Link, in_order
from duecourse.chain import START, linked


def pdf(*pages: str) -> bytes:
    pieces: list[dict[str, str]] = []
    for number, words in enumerate(pages):
        pieces += [{"kind": "break"}] if number else []
        pieces.append({"kind": "text", "text": words})
    return paper.pdf(pieces, title=pages[0][:20], language="zh", made_at=dt.datetime(2025, 1, 1, tzinfo=dt.UTC))


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = b"".join(b"\x00" + bytes((row // 8) % 256 for _ in range(3 * width)) for row in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


MAIL = (
    "Received: from mx.buyer.example by mail.seller.example; Mon, 03 Mar 2025 10:00:03 +0800\r\n"
    "Received: from desk by mx.buyer.example; Mon, 03 Mar 2025 10:00:01 +0800\r\n"
    "From: 张三 <zhang@buyer.example>\r\nTo: li@seller.example\r\nDate: Mon, 03 Mar 2025 10:00:00 +0800\r\n"
    "Message-ID: <17@buyer.example>\r\nSubject: 付款计划 payment\r\nMIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=X\r\n\r\n"
    "--X\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n我们下周付款。We pay next week.\r\n"
    "--X\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=plan.txt\r\n\r\n1 April: all\r\n--X--\r\n"
).encode()


def evidence(files: dict[str, tuple[str, str, bytes]], **more: object) -> tuple[EvidenceFile, dict[str, bytes]]:
    """{name: (kind, media type, bytes)} as the facts of an evidence file with a custody log, and the bytes by SHA-256."""
    documents, contents = [], {}
    for name, (kind, media_type, content) in files.items():
        digest = hashlib.sha256(content).hexdigest()
        contents[digest] = content
        links = (Link("invoice", "INV-1", "证明货物已交付"),) if kind == "delivery_note" else ()
        documents.append(
            Document(digest, kind, name, media_type, len(content), dt.date(2025, 3, 1), original=kind == "contract", links=links)
        )
    rows, ends, previous = [], {}, START
    for number, one in enumerate(documents * 2, 1):
        at = dt.datetime(2025, 3, 2, 8, number, tzinfo=dt.UTC)
        said = (
            1,
            "Li",
            "received" if number <= len(documents) else "packed",
            one.document_id,
            "B1",
            "{}",
            ends.get(one.document_id, START),
        )
        row_hash = linked(previous, number, at, *said)
        rows.append(Custody(number, at, *said, previous, row_hash))
        ends[one.document_id] = previous = row_hash
    values = {
        "case_id": "C000001",
        "buyer_id": "B1",
        "buyer_name": "海川贸易 Haichuan",
        "firm": "如期机械",
        "made_on": dt.date(2025, 6, 1),
        "invoices": ("INV-1", "INV-2"),
    }
    file = EvidenceFile(**{**values, **more}, documents=in_order(documents), custody=tuple(rows), head=(len(rows), previous))
    return file, contents
