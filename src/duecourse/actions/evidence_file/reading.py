"""What a file is by its bytes, and what an e-mail says of itself. A file's name is believed only where its bytes say nothing.  识别材料"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from dataclasses import dataclass
from email import policy
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime
    from email.message import EmailMessage
    from pathlib import Path

HEAD: Final = 1 << 16
UNKNOWN: Final = "application/octet-stream"

EXECUTABLE_ENDINGS: Final = frozenset(
    (
        "app", "apk", "bat", "cmd", "com", "cpl", "dll", "dmg", "elf", "exe", "gadget", "hta", "inf", "jar", "js", "jse", "lnk", "msc", "msi", "msp", "pif",
        "ps1", "reg", "scf", "scr", "sh", "sys", "vb", "vbe", "vbs", "ws", "wsf", "wsh", "xbap",
    )
)  # fmt: skip
EXECUTABLE_STARTS: Final = (
    b"\x7fELF", b"#!", b"\xca\xfe\xba\xbe", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe", b"L\x00\x00\x00\x01\x14\x02\x00",
)  # fmt: skip

STARTS: Final = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"ID3", "audio/mpeg"),
    (b"#!AMR", "audio/amr"),
    (b"OggS", "audio/ogg"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\x1f\x8b", "application/gzip"),
)
OFFICE: Final = {
    "word/": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ppt/": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "OFD.xml": "application/ofd",
}
OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
OLE_ENDINGS: Final = {
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
    "msg": "application/vnd.ms-outlook",
}
HEADER_LINE: Final = re.compile(rb"^(Received|Return-Path|Message-ID|Delivered-To|From|MIME-Version|Date|Subject|X-[\w-]+|DKIM-Signature):", re.IGNORECASE | re.MULTILINE)  # fmt: skip
SHOWN_AS_PICTURE: Final = frozenset(("image/png", "image/jpeg", "image/gif", "image/webp"))

GUESSES: Final = (
    ("order_acceptance", ("订单确认", "order confirmation", "order acceptance")),
    ("terms", ("通用条款", "一般条款", "terms and conditions", "general terms")),
    ("delivery_note", ("送货单", "发货单", "出库单", "签收单", "delivery note", "packing", "lieferschein")),
    ("bill_of_lading", ("提单", "bill of lading", "运单", "waybill")),
    ("proof_of_delivery", ("签收", "proof of delivery", "pod")),
    ("customs_declaration", ("报关", "customs")),
    ("statement_of_account", ("对账", "statement of account", "reconciliation")),
    ("payment_record", ("回单", "付款", "水单", "payment", "remittance", "bank slip")),
    ("proof_of_service", ("送达", "快递", "ems", "proof of service", "tracking")),
    ("notice", ("催告", "催款", "律师函", "demand", "reminder")),
    ("authority", ("授权", "authorisation", "authorization", "power of attorney")),
    ("resolution", ("决议", "resolution")),
    ("guarantee", ("担保", "保证", "guarantee")),
    ("insurance_decision", ("保险", "限额批复", "insurance", "insurer")),
    ("invoice", ("发票", "invoice", "rechnung", "fapiao")),
    ("order", ("订单", "purchase order", "order")),
    ("contract", ("合同", "协议", "contract", "agreement")),
    ("correspondence", ("邮件", "微信", "函件", "correspondence", "email", "wechat")),
)


def media_type(path: Path, name: str) -> str | None:
    """What kind of file it is; None for a program, which is not kept."""
    ending = name.rpartition(".")[2].casefold()
    with path.open("rb") as file:
        head = file.read(HEAD)
    program = head.startswith(b"MZ") and b"\x00" in head
    if program or ending in EXECUTABLE_ENDINGS or (head.startswith(EXECUTABLE_STARTS) and not head.startswith(b"#!AMR")):
        return None
    if head.startswith(b"PK\x03\x04"):
        return _zipped(path, ending)
    if head.startswith(b"RIFF"):
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}.get(head[8:12], UNKNOWN)
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        return "image/heic" if brand in (b"heic", b"heix", b"mif1") else "audio/mp4" if brand == b"M4A " else "video/mp4"
    if head.startswith(OLE):
        return OLE_ENDINGS.get(ending, "application/x-ole-storage")
    if head.startswith(b"BM") and head[6:10] == bytes(4):
        return "image/bmp"
    known = next((kind for start, kind in STARTS if head.startswith(start)), None)
    return known or _written(head, ending)


def _zipped(path: Path, ending: str) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError):  # `damaged` says so
        return "application/zip"
    if "META-INF/MANIFEST.MF" in names or "AndroidManifest.xml" in names:
        return None
    found = next((kind for start, kind in OFFICE.items() if any(name.startswith(start) for name in names)), None)
    return found or ("application/vnd.oasis.opendocument" if "mimetype" in names and ending in ("odt", "ods", "odp") else "application/zip")


def damaged(path: Path, kind_of_file: str) -> bool:
    """Is it a ZIP, or a document that is one inside, whose table of contents cannot be read: cut off on its way, or spoilt? It is kept as it came, and said to be so."""
    if kind_of_file != "application/zip" and kind_of_file not in OFFICE.values() and not kind_of_file.startswith("application/vnd.oasis."):
        return False
    try:
        with zipfile.ZipFile(path):
            return False
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return True


def _written(head: bytes, ending: str) -> str:
    if not any(head.startswith(mark) for mark in (b"\xff\xfe", b"\xfe\xff")) and (b"\x00" in head or decoded(head) is None):
        return UNKNOWN
    top = head.lstrip(b"\xef\xbb\xbf\r\n ")
    if len(set(HEADER_LINE.findall(top[:8192]))) >= 2 and (ending == "eml" or HEADER_LINE.match(top)):
        return "message/rfc822"
    if top[:512].lower().startswith((b"<!doctype html", b"<html")):
        return "text/html"
    if top.startswith(b"<?xml"):
        return "application/xml"
    return "text/csv" if ending == "csv" else "text/plain"


def decoded(content: bytes) -> str | None:
    """A text's words: UTF-8, UTF-16 with its mark, GB 18030; None where it is no text."""
    encodings = ("utf-16",) if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        for cut in range(4):  # a block may end within a character
            try:
                text = content[: len(content) - cut].decode(encoding)
            except UnicodeDecodeError:
                continue
            strange = sum(1 for sign in text if ord(sign) < 32 and sign not in "\t\r\n\f\x1b")
            return text if strange == 0 else None
    return None


def guess(name: str, kind_of_file: str) -> str:
    """What a document probably is, by its name: a suggestion for the person who files it."""
    said = name.casefold().replace("_", " ").replace("-", " ")
    if kind_of_file in ("message/rfc822", "application/vnd.ms-outlook"):
        return "correspondence"
    for kind, words in GUESSES:
        if any((word in said) if len(word) > 3 or not word.isascii() else re.search(rf"\b{word}\b", said) for word in words):
            return kind
    return "photo" if kind_of_file.startswith("image/") else "other"


@dataclass(frozen=True)
class Attachment:
    """A file that came with an e-mail."""

    name: str
    media_type: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Mail:
    """An e-mail as its file has it. A header that is not there is ""; `received` has the way it took, the last station first."""

    message_id: str
    sent_at: datetime | None
    sender: str
    to: str
    cc: str
    subject: str
    received: tuple[str, ...]
    body: str
    attachments: tuple[Attachment, ...]


def mail(content: bytes) -> Mail:
    """Read an .eml. What is badly written is read as far as it goes."""
    message: EmailMessage = BytesParser(policy=policy.default).parse(io.BytesIO(content))

    def header(name: str) -> str:
        try:
            return " ".join(str(message.get(name, "")).split())
        except (ValueError, IndexError, AttributeError, TypeError, LookupError):
            return ""

    try:
        sent = parsedate_to_datetime(header("Date")) if header("Date") else None
    except (ValueError, TypeError, IndexError):
        sent = None
    attachments = []
    for number, part in enumerate(_attached(message), 1):
        kept = part.get_payload(decode=True)
        inside = kept if isinstance(kept, bytes) else b"".join(one.as_bytes() for one in part.iter_parts())
        name = (part.get_filename() or f"attachment-{number}").replace("\n", " ")
        attachments.append(Attachment(name, part.get_content_type(), len(inside), hashlib.sha256(inside).hexdigest()))
    return Mail(
        header("Message-ID"), sent, header("From"), header("To"), header("Cc"), header("Subject"),
        tuple(" ".join(str(one).split()) for one in message.get_all("Received", [])), _body(message), tuple(attachments),
    )  # fmt: skip


def _attached(message: EmailMessage) -> list[EmailMessage]:
    try:
        return list(message.iter_attachments())
    except (KeyError, AttributeError, ValueError, TypeError):
        return []


def _body(message: EmailMessage) -> str:
    try:
        part = message.get_body(("plain", "html"))
        if part is None:
            return ""
        raw = part.get_payload(decode=True)
        charset = part.get_content_charset() or ""
        content = raw if isinstance(raw, bytes) else b""
        try:
            words = content.decode(charset) if charset else decoded(content)
        except (LookupError, UnicodeDecodeError):
            words = decoded(content)
        words = content.decode("utf-8", "replace") if words is None else words
    except (KeyError, AttributeError, ValueError, TypeError):
        return ""
    if part.get_content_subtype() == "html":
        words = re.sub(r"(?is)<(script|style|head)\b.*?</\1>", "", words)
        words = re.sub(r"(?i)<(br|/p|/div|/tr|/li|/h\d)\b[^>]*>", "\n", words)
        import html  # noqa: PLC0415 — rarely

        words = html.unescape(re.sub(r"(?s)<[^>]+>", "", words))
    return words.replace("\r\n", "\n").replace("\r", "\n")
