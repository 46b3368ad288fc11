"""The pack a collection agency or a law firm gets with a case: a summary as PDF, the claims as CSV, the documents there are.  委托追收材料包"""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from duecourse.actions.paper import pdf
from duecourse.messages import Language, say
from duecourse.money import decimal_string, grouped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CLAIM_COLUMNS: Final = (
    "placement", "case", "creditor", "debtor", "debtor_number", "debtor_registration", "debtor_country", "invoice", "instalment", "issue_date", "due_date",
    "days_late", "currency", "amount", "paid", "open", "interest", "limitation_ends",
)  # fmt: skip
"""Columns of claims.csv, in English for whoever reads it in."""

ZIP_DAY: Final = (1980, 1, 1, 0, 0, 0)
"""One day for every file of the archive: the same pack is the same bytes."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One instalment of one invoice as it is handed over. Amounts in minor units of `currency`.

    interest_minor  by the day of the placement; None: it was not worked out
    limitation_ends the earliest last day; None: not known
    """

    invoice_id: str
    instalment: int
    issue_date: date | None
    due_date: date
    currency: str
    amount_minor: int
    paid_minor: int
    open_minor: int
    interest_minor: int | None
    limitation_ends: date | None


@dataclass(frozen=True, slots=True)
class Paper:
    """A document that goes along: what it is called in the archive, and its bytes."""

    name: str
    kind: str
    dated: date | None
    content: bytes


@dataclass(frozen=True, slots=True)
class Placing:
    """Everything a pack tells: of this debtor and of nobody else.

    creditor, debtor  label and value, in the language of the pack
    contract          the same; empty: none is known
    claims            at least one; of one currency
    history           day and sentence, earliest first
    notes             what whoever collects has to know: guarantees, disputes, limitation
    terms             what was agreed: fee, authority
    """

    number: str
    case_id: str
    on: date
    agency: str
    creditor_name: str
    debtor_name: str
    buyer_id: str
    registration: str
    country: str
    creditor: Sequence[tuple[str, str]]
    debtor: Sequence[tuple[str, str]]
    contract: Sequence[tuple[str, str]]
    claims: Sequence[Claim]
    history: Sequence[tuple[date, str]]
    notes: Sequence[str]
    terms: Sequence[str]
    contact: str

    @property
    def currency(self) -> str:
        """Of all the claims."""
        return self.claims[0].currency


def claims_csv(facts: Placing) -> bytes:
    """The claims as CSV, a line a claim, amounts as decimal strings; with a byte-order mark, so that a spreadsheet reads it as it is."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(CLAIM_COLUMNS)
    for one in facts.claims:
        amounts = [decimal_string(minor, one.currency) for minor in (one.amount_minor, one.paid_minor, one.open_minor)]
        interest = "" if one.interest_minor is None else decimal_string(one.interest_minor, one.currency)
        cells = [
            facts.number, facts.case_id, facts.creditor_name, facts.debtor_name, facts.buyer_id, facts.registration, facts.country, one.invoice_id,
            one.instalment, one.issue_date or "", one.due_date, (facts.on - one.due_date).days, one.currency, *amounts, interest, one.limitation_ends or "",
        ]  # fmt: skip
        writer.writerow([_harmless(cell) for cell in cells])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _harmless(cell: Any) -> Any:
    """A text that a spreadsheet would take for a formula is set in quotes of its own."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def pieces(facts: Placing, lang: Language) -> list[Mapping[str, Any]]:
    """The summary as pieces of a document."""

    def title(code: str) -> dict[str, str]:
        return {"kind": "heading", "text": say(f"agencies.pack_{code}", lang)}

    total = sum(one.open_minor for one in facts.claims)
    interest = [one.interest_minor for one in facts.claims if one.interest_minor is not None]
    known, unknown = sum(interest), len(facts.claims) - len(interest)
    first = min((one.limitation_ends for one in facts.claims if one.limitation_ends), default=None)
    blank = say("agencies.pack_not_known", lang)
    found: list[Mapping[str, Any]] = [
        {
            "kind": "tiles",
            "tiles": [
                {"label": say("agencies.pack_open", lang), "value": f"{facts.currency} {grouped(total, facts.currency)}", "under": say("agencies.pack_count", lang, count=len(facts.claims))},
                {"label": say("agencies.pack_interest", lang), "value": f"{facts.currency} {grouped(known, facts.currency)}" if interest else blank, "under": str(facts.on) if not unknown else say("agencies.pack_interest_part", lang, day=facts.on, count=unknown)},
                {"label": say("agencies.pack_oldest", lang), "value": str(min(one.due_date for one in facts.claims)), "under": ""},
                {"label": say("agencies.pack_limitation", lang), "value": str(first) if first else blank, "under": ""},
            ],
        },
        title("debtor"), {"kind": "pairs", "rows": _rows(facts.debtor)},
        title("creditor"), {"kind": "pairs", "rows": _rows(facts.creditor)},
    ]  # fmt: skip
    if facts.contract:
        found += [title("contract"), {"kind": "pairs", "rows": _rows(facts.contract)}]
    heads = ("invoice", "issued", "due", "late", "amount", "paid", "left", "interest_short", "limit")
    # What is set to the right takes the room it needs, the rest is shared: dates must not break.
    found += [
        title("claims"),
        {
            "kind": "table", "head": [say(f"agencies.pack_col_{head}", lang) for head in heads],
            "align": ["left", *(["right"] * 8)],
            "rows": [_claim_row(facts, one, blank) for one in facts.claims], "note": say("agencies.pack_currency", lang, currency=facts.currency),
        },
    ]  # fmt: skip
    if facts.history:
        head = [say("agencies.pack_col_day", lang), say("agencies.pack_col_what", lang)]
        rows = [[str(day), said] for day, said in facts.history]
        found += [title("history"), {"kind": "table", "head": head, "align": ["right", "left"], "rows": rows, "note": ""}]
    if facts.notes:
        found += [title("notes"), {"kind": "text", "text": "\n\n".join(facts.notes)}]
    found += [title("terms"), {"kind": "text", "text": "\n\n".join([*facts.terms, facts.contact])}]
    return [*found, {"kind": "notice", "text": say("legal.not_advice", lang), "tone": "plain"}]


def _rows(pairs: Sequence[tuple[str, str]]) -> list[list[str]]:
    return [list(pair) for pair in pairs if pair[1]]


def _claim_row(facts: Placing, one: Claim, blank: str) -> list[str]:
    def plain(minor: int | None) -> str:
        return blank if minor is None else grouped(minor, one.currency)

    number = f"{one.invoice_id} / {one.instalment}" if one.instalment > 1 else one.invoice_id
    return [
        number, str(one.issue_date or "–"), str(one.due_date), str((facts.on - one.due_date).days), plain(one.amount_minor), plain(one.paid_minor),
        plain(one.open_minor), plain(one.interest_minor), str(one.limitation_ends or blank),
    ]  # fmt: skip


def summary_pdf(facts: Placing, lang: Language) -> bytes:
    """The summary, to read and print. Raises DocumentUnprintableError."""
    moment = datetime(facts.on.year, facts.on.month, facts.on.day, tzinfo=UTC)
    return pdf(
        pieces(facts, lang), title=say("agencies.pack_title", lang, debtor=facts.debtor_name), language=lang, made_at=moment, firm=facts.creditor_name,
        subtitle=say("agencies.pack_to", lang, agency=facts.agency), head=f"{facts.on} · {facts.number}", foot=facts.number,
    )  # fmt: skip


def pack(facts: Placing, papers: Sequence[Paper], lang: Language) -> bytes:
    """The whole pack as ZIP: summary.pdf, claims.csv, documents/…, and SHA256SUMS that `sha256sum -c` checks. The same facts give the same bytes.

    Two documents of one name are told apart by a number. Raises DocumentUnprintableError.
    """
    files: dict[str, bytes] = {"summary.pdf": summary_pdf(facts, lang), "claims.csv": claims_csv(facts)}
    for one in papers:
        files[_free(f"documents/{_safe(one.name)}", files)] = one.content
    files["SHA256SUMS"] = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items()).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, ZIP_DAY)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, content)
    return out.getvalue()


def _safe(name: str) -> str:
    """A name that can lie in any folder: no path, no control characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(one if one.isprintable() and one not in '<>:"|?*' else "_" for one in last).strip(". ")
    return kept[:120] or "document"


def _free(name: str, taken: Mapping[str, bytes]) -> str:
    stem, dot, end = name.rpartition(".")
    number, free = 2, name
    while free in taken:
        free = f"{stem} ({number}){dot}{end}" if dot else f"{name} ({number})"
        number += 1
    return free
