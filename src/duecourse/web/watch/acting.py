"""What people do with an alert: take it, give it, let it rest until a day, note something, close it with a verdict.

Each is one transaction in which the alert is locked, the event and the trail are written, and what was found out is put out to the ledger.
Whoever comes second finds it done.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.utils import timezone

from duecourse.decisions.record import Basis, decision_row
from duecourse.web.accounts.access import may
from duecourse.web.accounts.audit import record
from duecourse.web.accounts.models import Person
from duecourse.web.notices.models import preference_of
from duecourse.web.notices.telling import Audience, person_recipient, seen_by, tell
from duecourse.web.outbox.sending import put_out
from duecourse.web.refusals import NotNowError
from duecourse.web.watch.keeping import assigned_news, happened, new_decision_id
from duecourse.web.watch.models import CLOSED, OPEN, VERDICTS, Alert

if TYPE_CHECKING:
    from django.http import HttpRequest

    from duecourse.ledger.book import Book

LONGEST_SNOOZE: Final = timedelta(days=90)
NOTE: Final = 1000


def _key(alert: Alert, kind: str, mark: str) -> str:
    """What names this deed: the caller's mark, so that the same deed sent again is one; else its number among its like."""
    return f"{kind} {mark or alert.events.filter(kind=kind).count() + 1}"


def _done(pk: int, kind: str, mark: str) -> Alert | None:
    """The alert, where a deed of this mark was done to it before."""
    found: Alert | None = Alert.objects.filter(pk=pk, events__key=f"{kind} {mark}").first() if mark else None
    return found


def acknowledge(request: HttpRequest, book: Book, pk: int) -> Alert:
    """Say that one looks at it: it is not escalated any more. Done twice it is done once. Raises NotNowError."""
    with transaction.atomic():
        alert = _locked(pk)
        if alert.acknowledged_at is None:
            _acknowledged(request, book, alert)
            record(request, "alert.acknowledge", "buyer", alert.buyer_id, alert=pk)
            alert.save()
    return alert


def _acknowledged(request: HttpRequest, book: Book, alert: Alert) -> None:
    if alert.acknowledged_at is None:
        alert.acknowledged_at = timezone.now()
        happened(alert, "acknowledged", "acknowledged", book.on, request.user)


def candidates(book: Book, alert: Alert) -> list[Person]:
    """Whom the alert can be given to: who may act on alerts and sees the buyer."""
    able = [one for one in Person.objects.filter(is_active=True).order_by("first_name", "username") if may(one, "note")]
    scopes = {str(one.scope): one.scope for one in able if one.scope.restricts}
    sees = {name: alert.buyer_id in seen_by(book, scope, [alert.buyer_id]) for name, scope in scopes.items()}
    return [one for one in able if sees.get(str(one.scope), True)]


def assign(request: HttpRequest, book: Book, pk: int, person_id: int | None, mark: str = "") -> Alert:
    """Give it to somebody who may see the buyer, or to nobody. Who gets it is told, once for each time. Raises NotNowError."""
    shown = Alert.objects.filter(pk=pk).first()
    if shown is None:
        raise NotNowError("web.watch_gone")
    able = {one.pk: one for one in candidates(book, shown)}
    if person_id is not None and person_id not in able:
        raise NotNowError("web.watch_cannot_have")
    with transaction.atomic():
        before = _done(pk, "assigned", mark)
        if before is not None:
            return before
        alert = _locked(pk)
        if alert.assignee_id == person_id:
            return alert
        alert.assignee_id = person_id
        to = able.get(person_id) if person_id is not None else None
        key = _key(alert, "assigned", mark)
        happened(alert, "assigned", key, book.on, request.user, to=to.username if to else "", name=to.name if to else "")
        if to is not None and to.pk == request.user.pk:
            _acknowledged(request, book, alert)
        record(request, "alert.assign", "buyer", alert.buyer_id, alert=pk, to=to.username if to else "")
        alert.save()
        if to is not None and to.pk != request.user.pk:
            tell(Audience([person_recipient(to, preference_of(to))], {str(to.scope): [alert.buyer_id]}), [assigned_news(alert, key, to.pk)])
    return alert


def snooze(request: HttpRequest, book: Book, pk: int, until: date, note: str, mark: str = "") -> Alert:
    """Let it rest until a day, at most a quarter; growing worse ends it before. Raises NotNowError."""
    if not book.on < until <= book.on + LONGEST_SNOOZE:
        raise NotNowError("web.watch_snooze_until", first=book.on + timedelta(days=1), last=book.on + LONGEST_SNOOZE)
    with transaction.atomic():
        before = _done(pk, "snoozed", mark)
        if before is not None:
            return before
        alert = _locked(pk)
        alert.snoozed_until = until
        _acknowledged(request, book, alert)
        happened(alert, "snoozed", _key(alert, "snoozed", mark), book.on, request.user, until=until.isoformat(), note=note[:NOTE])
        record(request, "alert.snooze", "buyer", alert.buyer_id, alert=pk, until=until.isoformat())
        alert.save()
    return alert


def wake_up(request: HttpRequest, book: Book, pk: int) -> Alert:
    """End its rest by hand. Raises NotNowError."""
    with transaction.atomic():
        alert = _locked(pk)
        if alert.snoozed_until is not None:
            happened(alert, "woken", _key(alert, "woken", ""), book.on, request.user)
            record(request, "alert.wake", "buyer", alert.buyer_id, alert=pk)
            alert.snoozed_until = None
            alert.save()
    return alert


def note(request: HttpRequest, book: Book, pk: int, text: str, mark: str = "") -> Alert:
    """Write down what was found out on the way. Raises NotNowError."""
    if not text.strip():
        raise NotNowError("web.watch_note_missing")
    with transaction.atomic():
        before = _done(pk, "noted", mark)
        if before is not None:
            return before
        alert = _locked(pk)
        _acknowledged(request, book, alert)
        happened(alert, "noted", _key(alert, "noted", mark), book.on, request.user, note=text.strip()[:NOTE])
        record(request, "alert.note", "buyer", alert.buyer_id, alert=pk)
        alert.save()
    return alert


def close(request: HttpRequest, book: Book, pk: int, verdict: str, text: str, mark: str = "") -> Alert:
    """Close it: it was right, wrong, or right and known. The verdict is a decision and goes to the ledger with this transaction.

    Raises NotNowError: a warning that was wrong wants a word about why, for that is what the next one is made better by.
    """
    if verdict not in VERDICTS:
        raise NotNowError("web.watch_verdict_missing")
    if verdict == "false" and not text.strip():
        raise NotNowError("web.watch_note_missing")
    person: Any = request.user
    with transaction.atomic():
        before = _done(pk, "closed", mark)
        if before is not None:
            return before
        alert = _locked(pk)
        _acknowledged(request, book, alert)
        now = timezone.now()
        alert.state, alert.verdict, alert.closed_at, alert.closed_on = CLOSED, verdict, now, max(book.on, alert.opened_on)
        alert.snoozed_until, alert.decision_id = None, new_decision_id(book.on)
        happened(alert, "closed", f"closed {mark}".strip(), book.on, person, verdict=verdict, note=text.strip()[:NOTE])
        put_out("decision", verdict_row(alert, person.username, text.strip()[:NOTE]))
        record(request, "alert.close", "buyer", alert.buyer_id, alert=pk, verdict=verdict, decision=alert.decision_id)
        alert.save()
    return alert


def verdict_row(alert: Alert, made_by: str, text: str) -> dict[str, Any]:
    """The decision a closed alert becomes: what it was opened on, what spoke for it, and what a person found."""
    said = {
        "alert": alert.pk, "opened_on": alert.opened_on, "severity": alert.severity, "reasons": {one["code"]: one["family"] for one in alert.reasons},
        "probability_6m": alert.probability, "rule_score": alert.rule_score, "exposure_minor": alert.exposure_minor, "verdict": alert.verdict, "note": text,
        "model": next((one.detail.get("model", {}) for one in alert.events.all() if one.kind == "opened"), {}),
    }  # fmt: skip
    return decision_row(
        decision_id=alert.decision_id, kind="alert", basis=Basis(alert.book_on, alert.book_known_at, alert.ledger_version),
        rules={"alert_policy": alert.policy}, inputs=said, answer=said, outcome=alert.verdict, decided_on=alert.closed_on, decided_at=alert.closed_at,
        made_by=made_by, buyer_id=alert.buyer_id, amount_minor=alert.exposure_minor, currency=alert.currency,
        reasons=[{"code": f"web.watch_verdict_{alert.verdict}", "args": {}}, *([{"code": "web.watch_reason_note", "args": {"note": text}}] if text else [])],
    )  # fmt: skip


def _locked(pk: int) -> Alert:
    alert: Alert | None = Alert.objects.select_for_update().filter(pk=pk).first()
    if alert is None:
        raise NotNowError("web.watch_gone")
    if alert.state != OPEN:
        raise NotNowError("web.watch_closed")
    return alert
