"""Drafting, changing, submitting, approving, giving out, calling off: each one transaction in which the letter is locked and the trail is written.

A letter that was asked for twice is one letter; a person approves once, and approves the very bytes that go; whoever comes second finds it done.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from duecourse.actions.letters import compose
from duecourse.actions.letters.setting import pdf
from duecourse.desk.letters import Wanted, letter_facts, mark_of, number_of
from duecourse.errors import DuecourseError
from duecourse.web.accounts.access import may
from duecourse.web.accounts.audit import record
from duecourse.web.documents import custody
from duecourse.web.letters.attachments import check_edited, packed, text_of
from duecourse.web.letters.enclosing import document_ids, with_enclosures
from duecourse.web.letters.models import (
    APPROVED,
    BEFORE_IT_GOES,
    CANCELLED,
    DRAFT,
    EMAIL,
    FAILED,
    QUEUED,
    WAITING,
    Approval,
    Letter,
)
from duecourse.web.letters.rules import approvals
from duecourse.web.refusals import NotNowError

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.http import HttpRequest

    from duecourse.actions.letters import LetterFacts
    from duecourse.desk.letters import Drafted
    from duecourse.ledger.book import Book

SHORT: Final = 5
"""Names shorter than this are not looked for in an edited letter: they stand in too many words."""
LETTERS: Final = 20_000
"""So many letters to others, the newest, are looked for."""


def draft(
    request: HttpRequest, book: Book, buyer_id: str, invoices: Collection[tuple[str, int]] | None, wanted: Wanted
) -> tuple[Letter, bool]:
    """Draw a letter up. Says whether it is new: the same case, kind, step, recipient and invoices are one letter.

    Raises what `letter_facts` and `compose` raise.
    """
    drafted = letter_facts(book, buyer_id, invoices, wanted)
    compose(drafted.facts)
    mark = mark_of(drafted.facts)
    held = Letter.objects.filter(mark=mark).exclude(state=CANCELLED).first()
    if held is not None:
        return held, False
    facts = drafted.facts if wanted.number else _numbered(drafted.facts)
    person: Any = request.user
    try:
        with transaction.atomic():
            made = Letter.objects.create(mark=mark, made_by=person, **_columns(replace(drafted, facts=facts), book))
            record(request, "letter.draft", "buyer", buyer_id, letter=made.number, what=made.kind, case=made.case_id)
    except IntegrityError:  # the same, a moment earlier
        return Letter.objects.filter(mark=mark).exclude(state=CANCELLED).get(), False
    return made, True


def _numbered(facts: LetterFacts) -> LetterFacts:
    """A number nobody had: that of a letter called off is not used again."""
    number = number_of(facts)
    while Letter.objects.filter(number=number).exists():
        number = f"{number_of(facts)[:13]}{secrets.token_hex(2).upper()}"
    return replace(facts, number=number)


def _columns(drafted: Drafted, book: Book) -> dict[str, Any]:
    facts = drafted.facts
    to = facts.recipient
    return {
        "number": facts.number, "buyer_id": facts.buyer_id, "legal_entity": drafted.entity, "case_id": facts.case_id, "step": facts.step, "kind": facts.kind, "language": facts.language,
        "channel": facts.channel, "recipient": (to.name or to.local_name)[:300], "address": (to.email if facts.channel == EMAIL else to.address)[:500], "facts": facts.to_json(),
        "amounts": [[one.currency, one.total_minor] for one in facts.totals], "book_on": book.on, "deadline": facts.deadline, "blocking": [one.plain for one in drafted.blocking], "advice": [one.plain for one in drafted.advice],
        "warning": drafted.warning.plain if drafted.warning is not None else None,
    }  # fmt: skip


def _locked(pk: int, *states: str) -> Letter:
    letter: Letter = Letter.objects.select_for_update().get(pk=pk)
    if letter.state not in states:
        raise NotNowError("web.letters_not_now", state=letter.state)
    return letter


def redraw(request: HttpRequest, book: Book, pk: int, wanted: Wanted | None = None) -> Letter:
    """Draw a letter up anew from today's book, before anybody has said yes to it; a person's own version is laid aside. Raises NotNowError."""
    with transaction.atomic():
        letter = _locked(pk, DRAFT, WAITING, FAILED)
        before = letter.told
        wanted = wanted or wanted_of(before)
        drafted = letter_facts(
            book, letter.buyer_id, [(one.invoice_id, one.instalment) for one in before.invoices], replace(wanted, number=letter.number)
        )
        if drafted.facts.kind != letter.kind:
            raise NotNowError("web.letters_not_now", state=letter.state)
        compose(drafted.facts)
        mark = mark_of(drafted.facts)
        if mark != letter.mark and Letter.objects.filter(mark=mark).exclude(state=CANCELLED).exists():
            raise NotNowError("web.letters_there_is_one")
        for name, value in _columns(drafted, book).items():
            setattr(letter, name, value)
        letter.mark, letter.edited, letter.pdf, letter.pdf_sha256, letter.state = mark, False, None, "", DRAFT
        letter.fault = letter.answer = ""
        letter.save()
        record(request, "letter.redraw", "buyer", letter.buyer_id, letter=letter.number)
    return letter


def wanted_of(facts: LetterFacts) -> Wanted:
    """What was chosen of a letter, to choose it again."""
    to = facts.recipient
    return Wanted(
        facts.kind, facts.language, facts.channel, "" if to.name == facts.debtor.name or facts.guarantee is not None else to.name, to.address, to.email,
        facts.guarantee.security_id if facts.guarantee is not None else "", None, facts.documents,
        facts.plan, facts.case_id, facts.step, facts.number,
    )  # fmt: skip


def set_pdf(letter: Letter) -> bytes:
    """The PDF as it would go now: a person's own version; or set from the facts, the pages of its enclosures behind it. Raises UnfitError."""
    if letter.pdf:
        return bytes(letter.pdf)
    facts = letter.told
    return with_enclosures(pdf(compose(facts), facts.dated), facts)


def take_edited(request: HttpRequest, book: Book, pk: int, data: bytes) -> Letter:
    """Take a person's own version of the PDF, if it still is this letter and speaks of nobody else. Raises NotNowError, UnfitError."""
    with transaction.atomic():
        letter = _locked(pk, DRAFT)
        facts = letter.told
        text = text_of(data)
        check_edited(text, facts, strangers_in(book, letter, text))
        letter.pdf, letter.pdf_sha256, letter.edited = data, hashlib.sha256(data).hexdigest(), True
        letter.save()
        record(request, "letter.edit", "buyer", letter.buyer_id, letter=letter.number, sha256=letter.pdf_sha256)
    return letter


def strangers_in(book: Book, letter: Letter, text: str) -> list[str]:
    """What of other buyers stands in a text and not in the letter as drawn up: numbers of letters to them; and "…" for a name, which not everybody may see."""
    said, own = packed(text), packed("\n".join(compose(letter.told).lines()))
    rows = book.whole.run(book.whole.buyer.select("buyer_id", "name", "name_local")).to_pylist()
    names = {packed(name) for row in rows if row["buyer_id"] != letter.buyer_id for name in (row["name"], row["name_local"]) if name}
    numbers = Letter.objects.exclude(buyer_id=letter.buyer_id).order_by("-id").values_list("number", flat=True)[:LETTERS]
    found = [number for number in numbers if number in said]
    return [*found, "…"] if any(len(name) >= SHORT and name in said and name not in own for name in names) else found


def submit(request: HttpRequest, book: Book, pk: int) -> Letter:
    """Freeze a draft as it is and hand it to whoever must say yes; where nobody must, it is approved at once. Raises NotNowError."""
    with transaction.atomic():
        letter = _locked(pk, DRAFT)
        data = set_pdf(letter)
        letter.pdf, letter.pdf_sha256 = data, hashlib.sha256(data).hexdigest()
        needed = approvals(book.settings)[letter.kind]
        letter.state = WAITING if needed else APPROVED
        letter.save()
        if enclosed := [] if letter.edited else document_ids(letter.told):
            custody.add(request.user, "packed", [(number, letter.buyer_id) for number in enclosed], letter=letter.number)
        record(request, "letter.submit", "buyer", letter.buyer_id, letter=letter.number, sha256=letter.pdf_sha256, needed=needed)
    return letter


def why_not(person: Any, letter: Letter) -> str:
    """Why this person cannot approve it: the name of a sentence; "" where they can."""
    if letter.state != WAITING:
        return "web.letters_not_waiting"
    if not may(person, "letters"):
        return "web.letters_no_authority"
    if letter.made_by_id == person.pk:
        return "web.letters_own_letter"
    if letter.approvals.filter(person=person, pdf_sha256=letter.pdf_sha256).exists():
        return "web.letters_approved_already"
    return ""


def approve(request: HttpRequest, book: Book, pk: int, seen: str, note: str = "") -> Letter:
    """Say yes to a letter as it was seen (`seen`: the SHA-256 of its PDF). Raises NotNowError."""
    person: Any = request.user
    with transaction.atomic():
        letter = _locked(pk, WAITING)
        refusal = why_not(person, letter)
        if refusal:
            raise NotNowError(refusal)
        if seen != letter.pdf_sha256:
            raise NotNowError("web.letters_changed_since")
        Approval.objects.create(letter=letter, person=person, pdf_sha256=seen, note=note)
        given = letter.approvals.filter(pdf_sha256=letter.pdf_sha256).count()
        if given >= approvals(book.settings)[letter.kind]:
            letter.state = APPROVED
        letter.save()
        record(request, "letter.approve", "buyer", letter.buyer_id, letter=letter.number, sha256=letter.pdf_sha256)
    return letter


def give_back(request: HttpRequest, pk: int, note: str) -> Letter:
    """Hand a letter back to its writer to be changed, with the reason; approvals of it count no more once it changes. Raises NotNowError."""
    with transaction.atomic():
        letter = _locked(pk, WAITING, APPROVED, FAILED)
        letter.state, letter.note, letter.fault, letter.answer = DRAFT, note[:1000], "", ""
        if not letter.edited:
            letter.pdf, letter.pdf_sha256 = None, ""
        letter.save()
        letter.approvals.all().delete()
        record(request, "letter.give_back", "buyer", letter.buyer_id, letter=letter.number, note=note)
    return letter


def cancel(request: HttpRequest, pk: int, note: str) -> Letter:
    """Call a letter off before it goes. Raises NotNowError: one that is being sent is not called off any more."""
    with transaction.atomic():
        letter = _locked(pk, *BEFORE_IT_GOES)
        letter.state, letter.note = CANCELLED, note[:1000]
        letter.save()
        record(request, "letter.cancel", "buyer", letter.buyer_id, letter=letter.number, note=note)
    return letter


def standing(book: Book, letter: Letter) -> str:
    """Does the letter still say what is owed? The name of a sentence where it does not: a payment came in, an invoice is gone."""
    facts = letter.told
    try:
        now = letter_facts(book, letter.buyer_id, [(one.invoice_id, one.instalment) for one in facts.invoices], wanted_of(facts)).facts
    except DuecourseError:
        return "web.letters_moved"
    before = {(one.invoice_id, one.instalment): one.outstanding_minor for one in facts.invoices}
    after = {(one.invoice_id, one.instalment): one.outstanding_minor for one in now.invoices}
    return "" if before == after else "web.letters_moved"


def give_out(request: HttpRequest, book: Book, pk: int) -> Letter:
    """Have an approved letter go by e-mail. Raises NotNowError where something is missing, or the debt has moved since."""
    with transaction.atomic():
        letter = _locked(pk, APPROVED)
        if letter.channel != EMAIL:
            raise NotNowError("web.letters_not_by_mail")
        hinder = hindrance(book, letter)
        if hinder:
            raise NotNowError(hinder)
        who = request.user.get_username() if request.user.is_authenticated else ""
        queue(letter, book.on, who)
        record(request, "letter.send", "buyer", letter.buyer_id, letter=letter.number, to=letter.address, sha256=letter.pdf_sha256)
    return letter


def queue(letter: Letter, on: Any, who: str) -> None:
    """Into the queue of what goes by e-mail; in the caller's transaction."""
    now = timezone.now()
    letter.state, letter.send_on, letter.queued_at, letter.queued_by, letter.next_at = QUEUED, on, now, who, now
    letter.token = letter.token or f"letter_{secrets.token_hex(12)}"
    letter.failures = 0
    letter.turn += 1
    letter.save()


def hindrance(book: Book, letter: Letter) -> str:
    """What keeps an approved letter from going, as the name of a sentence: something missing, a debt that moved, a letter older than its deadline allows."""
    if letter.blocking:
        return "web.letters_blocked"
    if letter.deadline <= book.on:
        return "web.letters_too_old"
    return standing(book, letter)
