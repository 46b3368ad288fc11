"""How letters stand on a page: rows, words, who may do what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.http import Http404
from django.shortcuts import get_object_or_404

from duecourse.cover.said import Said
from duecourse.messages import catalogue, say
from duecourse.money import format_money
from duecourse.tables import named
from duecourse.web.accounts.access import may
from duecourse.web.letters.making import why_not
from duecourse.web.letters.models import OPEN, Letter
from duecourse.web.letters.rules import approvals

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.http import HttpRequest

    from duecourse.ledger.book import Book

LOOKS: Final = {
    "draft": "off", "waiting": "warn", "approved": "busy", "queued": "busy", "sending": "busy", "sent": "good", "uncertain": "bad", "failed": "bad", "cancelled": "off",
}  # fmt: skip
HEAVY: Final = ("pdf", "facts")
"""Columns a list does not read."""


def names_of(book: Book, buyer_ids: Iterable[str]) -> dict[str, str]:
    """The buyers among these that may be seen, and what each is called."""
    wanted = sorted(set(buyer_ids))
    if not wanted:
        return {}
    rows = book.run(book.buyer.filter(book.buyer.buyer_id.isin(wanted)).select("buyer_id", "name", "name_local")).to_pylist()
    return {row["buyer_id"]: named(row).get("name") or row["buyer_id"] for row in rows}


def seen(book: Book, letters: Iterable[Letter]) -> list[tuple[Letter, str]]:
    """The letters among these that may be seen: their buyer may, and the company of ours that writes. With the buyer's name."""
    rows = list(letters)
    names = names_of(book, (one.buyer_id for one in rows))
    entities = book.scope.legal_entities
    return [(one, names[one.buyer_id]) for one in rows if one.buyer_id in names and (not entities or one.legal_entity in entities)]


def letter_of(book: Book, pk: int) -> tuple[Letter, str]:
    """A letter that may be seen, and its buyer's name. Raises Http404."""
    found = seen(book, [get_object_or_404(Letter.objects.select_related("made_by", "batch"), pk=pk)])
    if not found:
        raise Http404
    return found[0]


def said(kept: Mapping[str, Any] | None) -> str:
    """A sentence as it was kept, in the language spoken."""
    if not kept or kept["code"] not in catalogue():
        return ""
    args = {name: said(value) if isinstance(value, dict) else value for name, value in kept["args"].items()}
    return Said(kept["code"], args).words()


def amounts(letter: Letter) -> str:
    """What it asks for, in each currency."""
    return " + ".join(format_money(minor, currency) for currency, minor in letter.amounts)


def line(letter: Letter, name: str) -> dict[str, Any]:
    """One letter in a list."""
    return {
        "letter": letter, "name": name, "kind": say(f"letters.kind_{letter.kind}"), "language": say(f"letters.language_{letter.language}"),
        "channel": say(f"letters.channel_{letter.channel}"), "state": say(f"web.letters_state_{letter.state}"), "look": LOOKS[letter.state], "amount": amounts(letter),
        "warning": said(letter.warning) if letter.state in OPEN else "", "fault": fault(letter), "blocked": bool(letter.blocking) and letter.state in OPEN,
    }  # fmt: skip


def fault(letter: Letter) -> str:
    """What went wrong, in words."""
    code = f"web.letters_fault_{letter.fault}"
    return (
        ""
        if not letter.fault or letter.state not in ("failed", "uncertain", "queued")
        else say(code)
        if code in catalogue()
        else letter.fault
    )


def acts(request: HttpRequest, book: Book, letter: Letter) -> dict[str, Any]:
    """What this person may do with it now."""
    person, state = request.user, letter.state
    drafts, sends = may(person, "propose"), may(person, "letters")
    refusal = why_not(person, letter)
    given = letter.approvals.filter(pdf_sha256=letter.pdf_sha256).count() if letter.pdf_sha256 else 0
    found = {
        "redraw": drafts and state in ("draft", "waiting", "failed"), "edit": drafts and state == "draft", "submit": drafts and state == "draft",
        "approve": not refusal, "why_not": say(refusal) if state == "waiting" and refusal else "", "needed": approvals(book.settings)[letter.kind], "given": given,
        "give_back": drafts and state in ("waiting", "approved", "failed"), "cancel": drafts and state in ("draft", "waiting", "approved", "queued", "failed"),
        "mail": sends and state == "approved" and letter.channel == "email", "hand": sends and state == "approved" and letter.channel != "email",
        "again": sends and state in ("uncertain", "failed") and letter.channel == "email" and bool(letter.token), "settle": sends and state == "uncertain",
        "take_out": sends and state == "sending" and letter.batch_id is not None, "prove": sends and state == "sent",
    }  # fmt: skip
    return {
        **found,
        "any": state == "waiting"
        or any(
            found[name]
            for name in ("redraw", "edit", "submit", "give_back", "cancel", "mail", "hand", "again", "settle", "take_out", "prove")
        ),
    }
