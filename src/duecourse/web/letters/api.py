"""/api/v1: letters to debtors — drawn up, listed, approved. Sending is for people, in the app."""

# ruff: noqa: TC002, TC003 — the annotations are read when the program runs

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Schema
from pydantic import ConfigDict, Field

from duecourse.actions.letters import KINDS
from duecourse.desk.letters import Wanted
from duecourse.errors import BuyerUnknownError, DuecourseError, FactUnknownError
from duecourse.messages import say
from duecourse.money import decimal_string
from duecourse.web.api import shapes
from duecourse.web.api.application import api
from duecourse.web.api.auth import needs
from duecourse.web.api.idempotency import once
from duecourse.web.api.problems import Problem
from duecourse.web.api.reading import At, Paged, book_for, page_of, reply, sent, with_next
from duecourse.web.letters import making
from duecourse.web.letters.attachments import UnfitError
from duecourse.web.letters.models import Letter
from duecourse.web.letters.telling import said, seen
from duecourse.web.refusals import NotNowError

TAGS: Final = ["Letters"]
READ: Final = needs("read")
Kind = Literal["reminder", "demand_letter", "letter_before_action", "acknowledgement_of_debt", "guarantor_demand", "payment_plan"]
Language = Literal["", "zh", "en", "zh+en", "de", "fr", "es", "it", "ja"]
Channel = Literal["email", "post", "handed_over"]
State = Literal["draft", "waiting", "approved", "queued", "sending", "sent", "uncertain", "failed", "cancelled"]
assert set(KINDS) == set(Kind.__args__)  # type: ignore[attr-defined]


class AmountAsked(Schema):
    """What a letter asks for in one currency."""

    currency: str
    amount: Annotated[str, Field(description="Decimal string in units of the currency", examples=["52258.10"])]


class InvoiceNamed(Schema):
    """One instalment of one invoice."""

    model_config = ConfigDict(extra="forbid")

    invoice_id: Annotated[str, Field(min_length=1, max_length=255)]
    instalment: Annotated[int, Field(ge=1, le=10_000)] = 1


class LetterTold(Schema):
    """A letter and what became of it."""

    number: str
    state: State
    buyer_id: str
    case_id: str
    step: str
    kind: Kind
    language: str
    channel: Channel
    recipient: str
    address: str
    dated: date
    deadline: date
    amounts: list[AmountAsked]
    invoices: list[InvoiceNamed]
    missing: Annotated[list[str], Field(description="What keeps it from being sent")]
    warning: Annotated[str, Field(description="Where the law of the claim gives a demand no effect on limitation; else empty")]
    document_sha256: Annotated[str, Field(description="Of the PDF that was submitted; give it back to approve. Empty while it is a draft")]
    approvals: int
    sent_on: date | None
    received_on: date | None
    tracking: str


class LettersAnswer(shapes.Page):
    """A page of letters."""

    rows: list[LetterTold]


class LettersWords(Paged):
    """Which letters."""

    buyer_id: Annotated[str | None, Field(max_length=255)] = None
    case_id: Annotated[str | None, Field(max_length=100)] = None
    state: State | None = None
    kind: Kind | None = None


def _told(one: Letter) -> dict[str, Any]:
    facts = one.told
    return {
        "number": one.number, "state": one.state, "buyer_id": one.buyer_id, "case_id": one.case_id, "step": one.step, "kind": one.kind, "language": one.language, "channel": one.channel,
        "recipient": one.recipient, "address": one.address, "dated": facts.dated, "deadline": one.deadline,
        "amounts": [{"currency": currency, "amount": decimal_string(minor, currency)} for currency, minor in one.amounts],
        "invoices": [{"invoice_id": each.invoice_id, "instalment": each.instalment} for each in facts.invoices], "missing": [said(each) for each in one.blocking],
        "warning": said(one.warning), "document_sha256": one.pdf_sha256, "approvals": one.approvals.filter(pdf_sha256=one.pdf_sha256).count() if one.pdf_sha256 else 0,
        "sent_on": one.sent_on, "received_on": one.received_on, "tracking": one.tracking,
    }  # fmt: skip


@api.get("/letters", auth=READ, response=LettersAnswer, operation_id="listLetters", tags=TAGS, summary="Letters to debtors")
def letters(request: HttpRequest, words: Query[LettersWords]) -> HttpResponse:
    """Newest first."""
    book, offset = page_of(request, words)
    rows = Letter.objects.select_related("made_by").defer("pdf")
    for name in ("buyer_id", "case_id", "state", "kind"):
        if getattr(words, name):
            rows = rows.filter(**{name: getattr(words, name)})
    wanted = offset + words.limit + 1
    found: list[Letter] = []
    for start in range(0, rows.count(), 500):
        found += [one for one, _name in seen(book, rows[start : start + 500])]
        if len(found) >= wanted:
            break
    shown, following = with_next(book, offset, words.limit, found[offset:wanted])
    return reply(request, book, total=None, next=following, rows=[_told(one) for one in shown])


def _one(request: HttpRequest, number: str, at: At | None = None) -> tuple[Any, Letter]:
    book = book_for(request, at or At(as_of=None, known_at=None))
    row = Letter.objects.select_related("made_by").filter(number=number).first()
    if row is None or not seen(book, [row]):
        raise Problem(404, "fact_unknown", kind="letters", key=number)
    return book, row


@api.get("/letters/{str:number}", auth=READ, response=LetterTold, operation_id="getLetter", tags=TAGS, summary="One letter")
def letter(request: HttpRequest, number: str, words: Query[At]) -> HttpResponse:
    """What it is and what became of it."""
    return sent(request, _told(_one(request, number, words)[1]))


class LetterAsked(Schema):
    """A letter to be drawn up. What is left out is as the ledger and the country have it."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind = "demand_letter"
    language: Language = ""
    channel: Channel = "post"
    invoices: Annotated[
        list[InvoiceNamed], Field(max_length=500, default_factory=list, description="Empty: every invoice that is late and open")
    ]
    address: Annotated[str, Field(max_length=500)] = ""
    email: Annotated[str, Field(max_length=254)] = ""
    security_id: Annotated[str, Field(max_length=255, description="Of a letter to a guarantor: the guarantee")] = ""
    deadline: date | None = None
    case_id: Annotated[str, Field(max_length=100)] = ""
    step: Annotated[str, Field(max_length=40, description="Which step of the case; another step is another letter")] = ""
    submit: Annotated[bool, Field(description="Freeze it and hand it to whoever must approve")] = False


@api.post(
    "/buyers/{key:buyer_id}/letters",
    auth=needs("propose"),
    response={201: LetterTold},
    operation_id="drawUpLetter",
    tags=TAGS,
    summary="Draw up a letter",
)
def draw_up(request: HttpRequest, buyer_id: str, body: LetterAsked) -> HttpResponse:
    """Draw a letter up. The same case, kind, step, recipient and invoices are one letter: it is given back as it is. Payment plans are drawn up in the app."""
    book = _today(request)

    def act(_batch: str) -> HttpResponse:
        wanted = Wanted(
            body.kind, body.language, body.channel, address=body.address, email=body.email, security_id=body.security_id, deadline=body.deadline, case_id=body.case_id, step=body.step
        )  # fmt: skip
        try:
            made, _new = making.draft(request, book, buyer_id, [(one.invoice_id, one.instalment) for one in body.invoices] or None, wanted)
            if not seen(book, [made]):
                raise Problem(404, "fact_unknown", kind="buyers", key=buyer_id)
            if body.submit and made.state == "draft":
                made = making.submit(request, book, made.pk)
        except BuyerUnknownError:
            raise Problem(404, "fact_unknown", kind="buyers", key=buyer_id) from None
        except FactUnknownError as error:
            raise Problem(404, "fact_unknown", kind=str(error.args_.get("kind", "")), key=str(error.args_.get("key", ""))) from None
        except DuecourseError as error:
            raise Problem(409, "conflict", detail=error.message()) from None
        except (NotNowError, UnfitError) as error:
            raise Problem(409, "conflict", detail=_why(error)) from None
        return sent(request, _told(made), 201)

    return once(request, act)


def _today(request: HttpRequest) -> Any:
    """The book a person would see now, limited to what they may."""
    return book_for(request, At(as_of=None, known_at=None))


def _why(error: NotNowError | UnfitError) -> str:
    args: dict[str, Any] = {name: say(f"web.letters_state_{value}") if name == "state" else value for name, value in error.args_.items()}
    return say(error.code, None, **args)


class ApprovalGiven(Schema):
    """Yes to a letter as it was read."""

    model_config = ConfigDict(extra="forbid")

    document_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="Of the PDF that was read")]
    note: Annotated[str, Field(max_length=1000)] = ""


@api.post(
    "/letters/{str:number}/approval",
    auth=needs("letters"),
    response={200: LetterTold},
    operation_id="approveLetter",
    tags=TAGS,
    summary="Approve a letter",
)
def approve(request: HttpRequest, number: str, body: ApprovalGiven) -> HttpResponse:
    """Say yes: somebody other than its writer, to exactly the document that waits."""
    _book, row = _one(request, number)

    def act(_batch: str) -> HttpResponse:
        try:
            made = making.approve(request, _book, row.pk, body.document_sha256, body.note)
        except NotNowError as error:
            raise Problem(409, "conflict", detail=_why(error)) from None
        return sent(request, _told(made), 200)

    return once(request, act)
