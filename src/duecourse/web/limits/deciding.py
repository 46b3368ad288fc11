"""Asking, consenting, refusing: each one transaction in which the request is locked, the trail is written and what was decided is put out.

Two people at once, a form sent twice, a worker that dies: the row is locked before it is looked at, a person consents once, and limit and
decision leave with the very commit that makes them. Whoever comes second finds the request decided.
"""

from __future__ import annotations

import json
import secrets
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from duecourse.decisions.authority import Needed, authority_of, outranks
from duecourse.decisions.record import Basis, canonical, decision_row
from duecourse.desk.limits import Ask, limits_of, recommend
from duecourse.ledger.entries import LIMIT
from duecourse.money import NO_CURRENCY, to_decimal
from duecourse.web.accounts.access import may
from duecourse.web.accounts.audit import record
from duecourse.web.limits.models import Consent, LimitRequest
from duecourse.web.outbox.sending import put_out
from duecourse.web.refusals import NotNowError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest

    from duecourse.desk.limits import LimitAdvice
    from duecourse.ledger.book import Book
    from duecourse.web.accounts.models import Person

ALONE: Final = ("block", "end")
"""What lowers a risk takes effect by one person who may decide, also the one who asked: a stop cannot wait."""


@dataclass(frozen=True)
class Wanted:
    """What a form or a call of the API asks for."""

    kind: str
    amount_minor: int | None = None
    currency: str = ""
    payment_terms_days: int | None = None
    expected_sales_minor: int | None = None
    valid_to: date | None = None
    legal_entity: str = ""
    target_limit_id: str = ""
    reason: str = ""
    source: str = "request"


def new_mark() -> str:
    """A mark for a form: the same form sent twice is one request."""
    return secrets.token_hex(12)


def ask(
    request: HttpRequest, book: Book, buyer_id: str, wanted: Wanted, mark: str, *, advice: LimitAdvice | None = None
) -> LimitRequest:  # fmt: skip
    """Put a request down with today's recommendation. The same mark gives the request there is.

    advice: the recommendation, where it is worked out already.
    Raises BuyerUnknownError, NotNowError.
    """
    found = LimitRequest.objects.filter(mark=mark).first()
    if found is not None:
        return found
    advice = advice or recommend(book, buyer_id, _ask_of(wanted))
    if wanted.kind in ("standing", "temporary") and wanted.amount_minor is None:
        raise NotNowError("web.limits_amount_missing")
    if wanted.kind == "temporary" and (wanted.valid_to is None or wanted.valid_to < book.on):
        raise NotNowError("web.limits_end_missing")
    if wanted.kind in ("lift", "end"):
        _in_force(book, buyer_id, wanted)
    person: Any = request.user
    values = {
        "buyer_id": buyer_id, "kind": wanted.kind, "source": wanted.source, "legal_entity": wanted.legal_entity, "currency": advice.known.currency,
        "amount_minor": wanted.amount_minor, "payment_terms_days": wanted.payment_terms_days, "expected_sales_minor": wanted.expected_sales_minor,
        "valid_to": wanted.valid_to, "target_limit_id": wanted.target_limit_id, "reason": wanted.reason, "requested_by": person, **_kept(advice),
    }  # fmt: skip
    try:
        with transaction.atomic():
            made = LimitRequest.objects.create(mark=mark, **values)
            record(
                request,
                "limit.ask",
                "buyer",
                buyer_id,
                request=made.pk,
                what=wanted.kind,
                amount_minor=wanted.amount_minor,
                currency=made.currency,
            )
    except IntegrityError:  # the same form, a moment earlier
        return LimitRequest.objects.get(mark=mark)
    if wanted.kind in ALONE and may(person, "decide"):
        consent(request, book, made.pk)
        made.refresh_from_db()
    return made


def _ask_of(wanted: Wanted) -> Ask:
    amount = wanted.amount_minor if wanted.kind == "standing" else None
    return Ask(wanted.currency, amount, wanted.payment_terms_days, wanted.expected_sales_minor)


def _kept(advice: LimitAdvice) -> dict[str, Any]:
    return {
        "grade": advice.known.grade if advice.known.grade_basis != "none" else None, "recommended_minor": advice.recommended.amount_minor,
        "answer": canonical(advice.answer), "rules": canonical(advice.rules_kept), "ask": advice.ask.plain, "book_on": advice.basis.book_on,
        "book_known_at": advice.basis.known_at, "ledger_version": advice.basis.ledger_version,
    }  # fmt: skip


def _in_force(book: Book, buyer_id: str, wanted: Wanted | LimitRequest) -> Mapping[str, Any]:
    kinds = ("block",) if wanted.kind == "lift" else ("standing", "temporary", "insurer")
    for row in limits_of(book, buyer_id):
        if row["limit_id"] == wanted.target_limit_id and row["state"] == "in_force" and row["kind"] in kinds:
            return row
    raise NotNowError("web.limits_target_gone")


def needed_for(book: Book, asked: LimitRequest, amount_minor: int | None = None) -> Needed:
    """Who must consent: by what the buyer might owe us in the end, in base currency, and its grade.

    For a temporary limit the standing one counts along. An amount that cannot be converted needs the most the matrix knows.
    """
    amount = amount_minor if amount_minor is not None else asked.granted_minor if asked.granted_minor is not None else asked.amount_minor
    matrix = authority_of(book.settings)
    if asked.kind in ALONE:
        return Needed("credit_analyst", 1)
    if asked.kind == "lift":
        now = json.loads(asked.answer)["known"]["current_limit_minor"]
        return matrix.needed(_in_base(book, now or 0, asked.currency), asked.grade)
    standing = json.loads(asked.answer)["known"]["current_limit_minor"] or 0
    whole = (amount or 0) + (standing if asked.kind == "temporary" else 0)
    return matrix.needed(_in_base(book, whole, asked.currency), asked.grade)


def _in_base(book: Book, minor: int, currency: str) -> float | None:
    """Whole units of base currency; None where there is no rate."""
    if currency == book.base_currency:
        return float(to_decimal(minor, currency))
    rates = {row["currency"]: row["rate_to_base"] for row in book.run(book.rates()).to_pylist()}
    return float(to_decimal(minor, currency)) * rates[currency] if currency in rates and book.base_currency != NO_CURRENCY else None


def why_not(person: Person, asked: LimitRequest, needed: Needed) -> str:
    """Why this person cannot consent: the name of a sentence; "" where they can."""
    if asked.status != "open":
        return "web.limits_not_open"
    if not may(person, "decide") or not outranks(person.role, needed.role):
        return "web.limits_no_authority"
    if asked.requested_by_id == person.pk and asked.source == "request" and asked.kind not in ALONE:
        return "web.limits_own_request"
    if asked.consents.filter(person=person).exists():
        return "web.limits_consented"
    return ""


def consent(
    request: HttpRequest, book: Book, pk: int, *, amount_minor: int | None = None, terms_days: int | None = None, valid_to: date | None = None,
    note: str = "", seen_minor: int | None = None,
) -> LimitRequest:  # fmt: skip
    """Say yes. The first to say so names the amount; those after them say yes to that. With the last one needed, the limit is granted.

    seen_minor: the amount the person was shown, where somebody had named it already. Raises NotNowError.
    """
    person: Any = request.user
    with transaction.atomic():
        asked = LimitRequest.objects.select_for_update().get(pk=pk)
        first = not asked.consents.filter(approves=True).exists()
        if first:
            asked.granted_minor = (
                None if asked.kind in ("block", "lift", "end") else amount_minor if amount_minor is not None else asked.amount_minor
            )
            asked.granted_terms_days = terms_days if terms_days is not None else asked.payment_terms_days
            asked.granted_valid_to = valid_to or asked.valid_to
        elif seen_minor is not None and seen_minor != asked.granted_minor:
            raise NotNowError("web.limits_amount_moved")
        needed = needed_for(book, asked)
        refusal = why_not(person, asked, needed)
        if refusal:
            raise NotNowError(refusal, role=needed.role)
        Consent.objects.create(request=asked, person=person, approves=True, amount_minor=asked.granted_minor, note=note)
        given = [one.person for one in asked.consents.filter(approves=True).select_related("person")]
        record(
            request, "limit.consent", "buyer", asked.buyer_id, request=asked.pk, amount_minor=asked.granted_minor, currency=asked.currency
        )
        if sum(outranks(one.role, needed.role) for one in given) >= needed.approvers:
            _grant(request, book, asked, [one.username for one in given])
        asked.save()
    return asked


def refuse(request: HttpRequest, book: Book, pk: int, note: str) -> LimitRequest:
    """Say no: one who could have said yes is enough. Raises NotNowError."""
    person: Any = request.user
    with transaction.atomic():
        asked = LimitRequest.objects.select_for_update().get(pk=pk)
        refusal = why_not(person, asked, Needed("credit_analyst", 1))
        if refusal:
            raise NotNowError(refusal, role="credit_analyst")
        Consent.objects.create(request=asked, person=person, approves=False, note=note)
        asked.status = "refused"
        _decide(book, asked, "refused", [person.username], asked.granted_minor)
        record(request, "limit.refuse", "buyer", asked.buyer_id, request=asked.pk, note=note)
        asked.save()
    return asked


def withdraw(request: HttpRequest, pk: int) -> LimitRequest:
    """Take one's own request back while it is open. Raises NotNowError."""
    with transaction.atomic():
        asked = LimitRequest.objects.select_for_update().get(pk=pk)
        if asked.status != "open" or asked.requested_by_id != request.user.pk:
            raise NotNowError("web.limits_not_open")
        asked.status = "withdrawn"
        record(request, "limit.withdraw", "buyer", asked.buyer_id, request=asked.pk)
        asked.save()
    return asked


def measure_anew(request: HttpRequest, book: Book, pk: int) -> LimitRequest:
    """Put today's recommendation in the place of that of the day of the request, as long as nobody has consented. Raises NotNowError."""
    with transaction.atomic():
        asked = LimitRequest.objects.select_for_update().get(pk=pk)
        if asked.status != "open" or asked.consents.exists():
            raise NotNowError("web.limits_not_open")
        for name, value in _kept(recommend(book, asked.buyer_id, Ask(**asked.ask))).items():
            setattr(asked, name, value)
        record(request, "limit.measure", "buyer", asked.buyer_id, request=asked.pk)
        asked.save()
    return asked


def _grant(request: HttpRequest, book: Book, asked: LimitRequest, by: list[str]) -> None:
    """What was consented to becomes a fact: limit and decision are put out in this transaction."""
    asked.status = "granted"
    on = book.on
    if asked.kind in ("lift", "end"):
        target = _in_force(book, asked.buyer_id, asked)
        put_out("limit", {**{name: target[name] for name in LIMIT.facts.names}, "ended_on": on})
        asked.limit_id = asked.target_limit_id
    else:
        asked.limit_id = f"L{on:%Y%m%d}-{asked.mark[:10]}"
        recommended = json.loads(asked.answer)["recommended"]
        if asked.kind == "standing":
            asked.review_on = months_on(on, recommended["review_months"])
            asked.granted_valid_to = asked.granted_valid_to or asked.review_on + timedelta(days=recommended["grace_days"])
    _decide(book, asked, "granted", by, asked.granted_minor)
    if asked.kind not in ("lift", "end"):
        put_out("limit", limit_row(asked, on))
    record(
        request,
        "limit.grant",
        "buyer",
        asked.buyer_id,
        request=asked.pk,
        limit=asked.limit_id,
        amount_minor=asked.granted_minor,
        currency=asked.currency,
    )


def limit_row(asked: LimitRequest, on: date) -> dict[str, Any]:
    """The fact that a granted request becomes."""
    return {
        "limit_id": asked.limit_id, "kind": asked.kind, "buyer_id": asked.buyer_id, "legal_entity": asked.legal_entity or None,
        "amount_minor": asked.granted_minor, "currency": asked.currency if asked.granted_minor is not None else None,
        "payment_terms_days": asked.granted_terms_days, "valid_from": on, "valid_to": asked.granted_valid_to, "review_on": asked.review_on,
        "decision_id": asked.decision_id, "text": asked.reason,
    }  # fmt: skip


def _decide(book: Book, asked: LimitRequest, outcome: str, by: list[str], amount_minor: int | None) -> None:
    now = timezone.now()
    asked.decided_on, asked.decided_at = book.on, now
    asked.decision_id = f"D{book.on:%Y%m%d}-{asked.mark[:10]}"
    answer = json.loads(asked.answer)
    reasons = [*answer["recommended"]["reasons"], {"code": f"web.limits_reason_{asked.kind}", "args": {"reason": asked.reason}}]
    put_out(
        "decision",
        decision_row(
            decision_id=asked.decision_id, kind="limit", basis=Basis(asked.book_on, asked.book_known_at, asked.ledger_version),
            rules=json.loads(asked.rules), inputs={"ask": asked.ask, "kind": asked.kind, "request": asked.pk, "legal_entity": asked.legal_entity},
            answer=answer, outcome=f"{asked.kind}.{outcome}", decided_on=book.on, decided_at=now, made_by=asked.requested_by.username,
            buyer_id=asked.buyer_id, amount_minor=amount_minor, currency=asked.currency, reasons=reasons, approved_by=by,
        ),
    )  # fmt: skip


def months_on(day: date, months: int) -> date:
    """The same day so many months later, the month's last where it has no such day."""
    year, month = divmod(day.month - 1 + months, 12)
    return date(day.year + year, month + 1, min(day.day, monthrange(day.year + year, month + 1)[1]))
