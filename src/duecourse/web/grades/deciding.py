"""Proposing, approving, refusing, ending: each one transaction in which the proposal is locked, and what was decided is put out with it."""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from duecourse.risk.grade_v1 import parameters
from duecourse.web.accounts.access import may
from duecourse.web.accounts.audit import record
from duecourse.web.grades.models import APPROVED, OPEN, REFUSED, WITHDRAWN, GradeAdjustment
from duecourse.web.outbox.sending import put_out
from duecourse.web.refusals import NotNowError

if TYPE_CHECKING:
    from datetime import date

    from django.http import HttpRequest

    from duecourse.desk.grading import Grade
    from duecourse.ledger.book import Book

LONGEST_DAYS: Final = 366
"""Nobody's judgement holds longer than a year without being renewed."""
LEAST_REASON: Final = 10


def most_notches(book: Book) -> int:
    """How far a person may move a grade, by the firm's rules."""
    return parameters().changed(book.settings.get("grade_rules") or {}).most_notches


def propose(request: HttpRequest, book: Book, one: Grade, *, notches: int, reason: str, until: date) -> Any:
    """Ask for a move. Raises NotNowError."""
    most = most_notches(book)
    if not notches or abs(notches) > most:
        raise NotNowError("notches", most=most)
    if len(reason) < LEAST_REASON:
        raise NotNowError("reason")
    if not book.on <= until <= book.on + timedelta(days=LONGEST_DAYS):
        raise NotNowError("until", first=book.on, last=book.on + timedelta(days=LONGEST_DAYS))
    try:
        with transaction.atomic():
            made = GradeAdjustment.objects.create(
                buyer_id=one.buyer_id, decision_id=f"grade-{secrets.token_hex(8)}", notches=notches, reason=reason, until=until,
                proposed_by=request.user, book_on=book.on, ledger_version=book.version, grade=one.grade, probability=one.probability_of_default_12m,
            )  # fmt: skip
            record(request, "grade.propose", "buyer", one.buyer_id, adjustment=made.pk, notches=notches, until=until.isoformat())
    except IntegrityError:
        raise NotNowError("open") from None
    return made


def decide(request: HttpRequest, book: Book, pk: int, *, approve: bool) -> Any:
    """Approve or refuse a proposal: somebody who may decide, and never who proposed it. Raises NotNowError."""
    person: Any = request.user
    with transaction.atomic():
        asked = _locked(pk)
        if asked.state != OPEN:
            raise NotNowError("decided")
        if asked.proposed_by_id == person.pk:
            raise NotNowError("own")
        if not may(person, "decide"):
            raise NotNowError("may_not")
        if approve and asked.until < book.on:
            raise NotNowError("expired")
        asked.state = APPROVED if approve else REFUSED
        asked.decided_by, asked.decided_at, asked.decided_on = person, timezone.now(), book.on
        asked.save(update_fields=["state", "decided_by", "decided_at", "decided_on"])
        if approve:
            put_out("decision", _row(asked))
        record(request, "grade.approve" if approve else "grade.refuse", "buyer", asked.buyer_id, adjustment=asked.pk)
    return asked


def end(request: HttpRequest, book: Book, pk: int) -> Any:
    """Take a proposal back, by who made it; or end an adjustment that holds, by anybody who may decide. Raises NotNowError."""
    person: Any = request.user
    with transaction.atomic():
        asked = _locked(pk)
        if asked.state == OPEN:
            if asked.proposed_by_id != person.pk:
                raise NotNowError("not_yours")
            asked.state = WITHDRAWN
            asked.save(update_fields=["state"])
        elif asked.state == APPROVED and asked.ended_on is None:
            if not may(person, "decide"):
                raise NotNowError("may_not")
            asked.ended_on, asked.ended_by = max(book.on, asked.decided_on), person
            asked.until = min(asked.until, asked.ended_on - timedelta(days=1))
            asked.save(update_fields=["ended_on", "ended_by", "until"])
            put_out("decision", _row(asked))
        else:
            raise NotNowError("decided")
        record(request, "grade.end", "buyer", asked.buyer_id, adjustment=asked.pk)
    return asked


def _locked(pk: int) -> Any:
    found = GradeAdjustment.objects.select_for_update().filter(pk=pk).first()
    if found is None:
        raise NotNowError("decided")
    return found


def _row(asked: Any) -> dict[str, Any]:
    said = {"notches": asked.notches, "until": asked.until.isoformat(), "reason": asked.reason}
    return {
        "decision_id": asked.decision_id, "kind": "grade_adjustment", "buyer_id": asked.buyer_id, "decided_on": asked.decided_on,
        "decided_at": asked.decided_at, "book_on": asked.book_on, "ledger_version": asked.ledger_version,
        "rules": json.dumps({"grade": parameters().version}), "inputs": json.dumps(said, ensure_ascii=False, sort_keys=True),
        "outcome": "approved", "made_by": asked.proposed_by.username, "approved_by": asked.decided_by.username,
    }  # fmt: skip
