"""From an approved letter to one that has gone, once, whatever dies in between; and what is said of it in the ledger.  发送

A worker may be killed at any point. What that leaves is decided here and nowhere else:
  - before the mail was handed over: it has not gone, and is tried again;
  - after: it may have. It is `uncertain`, and only a person has it sent again (under the same Message-ID) or says that it went.
The ledger's rows leave with the very commit that says a letter has gone: once.
"""

from __future__ import annotations

import json
import logging
import random
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from duecourse.errors import DuecourseError
from duecourse.web import environment as env
from duecourse.web.accounts import audit
from duecourse.web.jobs import owner
from duecourse.web.jobs.queue import enqueue
from duecourse.web.letters.attachments import unfit
from duecourse.web.letters.mailing import mail_of
from duecourse.web.letters.models import EMAIL, FAILED, FOR_A_PERSON, QUEUED, SENDING, SENT, UNCERTAIN, Letter
from duecourse.web.notices import mail
from duecourse.web.notices.services import Verdict
from duecourse.web.outbox.sending import put_out_many

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

log = logging.getLogger("duecourse.letters")

WAITS: Final = (30, 300, 1_800, 7_200, 21_600, 43_200)
"""Seconds before each further try; after the last, a day on, a person is shown it."""
LEASE: Final = timedelta(seconds=180)
"""Longer than every step of one try may take together."""
STALE: Final = timedelta(seconds=30)
"""A job that ended without ending its turn is asked for anew after so long."""
AT_A_TIME: Final = 200

EVENT_OF: Final[Mapping[str, str]] = {
    "demand_letter": "demand",
    "letter_before_action": "demand",
    "guarantor_demand": "notice_to_guarantor",
}
"""What a letter is in a case's history; the others are notices alone."""


def ask(now: datetime | None = None) -> int:
    """Take back what a dead worker held, and ask for a job for each letter that is due. A worker's keeper looks every few seconds."""
    now = now or timezone.now()
    take_back(now)
    asked = 0
    due = Letter.objects.filter(state=QUEUED, next_at__lte=now).order_by("next_at", "pk")
    for pk, turn in due.values_list("pk", "turn")[:AT_A_TIME]:
        run = enqueue("letters.send", key=f"{pk} {turn}", number=pk)
        asked += not run.finished
        if run.finished and run.finished_at is not None and run.finished_at < now - STALE:
            Letter.objects.filter(pk=pk, state=QUEUED, turn=turn).update(turn=F("turn") + 1)
    return asked


def take_back(now: datetime | None = None) -> int:
    """Decide on what a worker held that is gone. Returns how many letters."""
    now = now or timezone.now()
    count = 0
    held = Letter.objects.filter(state=SENDING, channel=EMAIL).only("pk", "lease_until", "lease_owner", "handed", "attempts", "state")
    for row in held[:AT_A_TIME]:
        if row.lease_until is not None and row.lease_until > now and not owner.is_dead(row.lease_owner):
            continue
        fate: dict[str, Any] = {"state": UNCERTAIN} if row.handed else {"state": QUEUED, "next_at": now}
        own = Letter.objects.filter(pk=row.pk, state=SENDING, attempts=row.attempts, handed=row.handed, lease_until=row.lease_until)
        count += own.update(lease_owner="", lease_until=None, fault="worker_lost", turn=F("turn") + 1, **fate)
    return count


def send(pk: int) -> str:
    """Try a letter that is due; the state it has now, "" where it was not ours to try."""
    found = Letter.objects.filter(pk=pk, state=QUEUED, next_at__lte=timezone.now()).first()
    if found is None:
        return ""
    taken = Letter.objects.filter(pk=pk, state=QUEUED, turn=found.turn, attempts=found.attempts).update(
        state=SENDING, handed=False, attempts=F("attempts") + 1, turn=F("turn") + 1, lease_owner=owner.this_process(), lease_until=timezone.now() + LEASE
    )  # fmt: skip
    if not taken:
        return ""
    found.attempts += 1

    def before() -> bool:
        """From here on it may have gone: written down before it is handed over, and only by whoever holds it."""
        own = Letter.objects.filter(pk=pk, state=SENDING, attempts=found.attempts, handed=False)
        return bool(own.update(handed=True, lease_until=timezone.now() + LEASE))

    verdict = _tried(found, before)
    with transaction.atomic():
        return _written(found, verdict)


def _tried(found: Letter, before: Callable[[], bool]) -> Verdict:
    try:
        wrong = unfit(found) or ("" if env.EMAIL_URL else "no_mail")
        made = None if wrong else mail_of(found)
    except (ValueError, LookupError, DuecourseError):  # kept facts that cannot be read, an address that is none
        wrong, made = "unmailable", None
    return Verdict("refused", wrong) if made is None else mail.send(made, before)


def _written(found: Letter, verdict: Verdict) -> str:
    state = {"sent": SENT, "refused": FAILED, "unknown": UNCERTAIN}.get(verdict.what, QUEUED)
    if verdict.what == "later" and found.failures >= len(WAITS):
        state = FAILED
    # A worker that was slow to hear the answer may find the letter `uncertain`, or waiting anew, by now: what it heard is more than what was guessed.
    own = Letter.objects.filter(
        pk=found.pk, attempts=found.attempts, state__in=(SENDING, UNCERTAIN, QUEUED) if state == SENT else (SENDING,)
    )
    values: dict[str, Any] = {
        "state": state, "fault": verdict.fault, "answer": verdict.answer.replace("\x00", "")[:300], "turn": F("turn") + 1, "lease_owner": "", "lease_until": None,
        "failures": F("failures") + int(verdict.what == "later"),
    }  # fmt: skip
    if state == QUEUED:
        wait = WAITS[found.failures] * random.uniform(0.8, 1.2)  # noqa: S311 — spread, not a secret
        values |= {"next_at": timezone.now() + timedelta(seconds=wait), "handed": False}
    if state == SENT:
        values |= {"sent_on": sent_day(found), "sent_at": timezone.now()}
    if not own.update(**values):
        return ""
    if state == SENT:
        found.refresh_from_db()
        put_out_many(rows_of(found))
        audit.record(None, "letter.sent", "buyer", found.buyer_id, letter=found.number, to=found.address, sha256=found.pdf_sha256)
    log.info("letter", extra={"status": state, "reason": verdict.fault, "attempt": found.attempts})
    return state


def sent_day(letter: Letter, now: datetime | None = None) -> date:
    """The day it went: that of the book on which it was given out, and as many days later as really passed until it went."""
    assert letter.send_on is not None
    assert letter.queued_at is not None
    on: date = letter.send_on
    passed = ((now or timezone.now()).astimezone(UTC).date() - letter.queued_at.astimezone(UTC).date()).days
    return on + timedelta(days=max(0, passed))


# --- what the ledger hears ------------------------------------------------------------------------------------------------------------------


def rows_of(letter: Letter) -> list[tuple[str, dict[str, Any]]]:
    """The facts of a letter that went: the notice, and what it is in its case's history."""
    facts = letter.told
    approved = ", ".join(letter.approvals.filter(pdf_sha256=letter.pdf_sha256).values_list("person__username", flat=True))
    totals = [one for one in facts.totals if one.principal_minor]
    sums = (
        {"principal_minor": totals[0].principal_minor, "interest_minor": totals[0].interest_minor, "total_minor": totals[0].total_minor, "currency": totals[0].currency}
        if len(totals) == 1 else {}
    )  # fmt: skip
    notice = {
        "notice_id": letter.number, "kind": letter.kind, "case_id": letter.case_id or None, "buyer_id": letter.buyer_id, "recipient": letter.recipient, "language": letter.language,
        "channel": letter.channel, "address": letter.address, "dated": facts.dated, "sent_on": letter.sent_on, "received_on": letter.received_on, "deadline": facts.deadline, **sums,
        "invoices": json.dumps([[one.invoice_id, one.instalment] for one in facts.invoices], ensure_ascii=False), "tracking": letter.tracking or None, "document": letter.pdf_sha256,
        "made_by": letter.made_by.username, "approved_by": approved or None,
    }  # fmt: skip
    rows: list[tuple[str, dict[str, Any]]] = [("notice", notice)]
    kind = EVENT_OF.get(letter.kind)
    if kind is not None:
        single = facts.invoices[0] if len(facts.invoices) == 1 else None
        event = {
            "event_id": f"{letter.number}-{kind}", "case_id": letter.case_id or None, "buyer_id": letter.buyer_id, "kind": kind, "happened_on": letter.sent_on, "received_on": letter.received_on,
            "party": letter.recipient if kind == "notice_to_guarantor" else None, "invoice_id": single.invoice_id if single else None, "instalment": single.instalment if single else None,
            "amount_minor": sums.get("total_minor"), "currency": sums.get("currency"), "reference": letter.tracking or letter.number, "proof": letter.proof or None,
            "made_by": letter.made_by.username,
        }  # fmt: skip
        rows.append(("case_event", event))
    return rows


# --- by hand --------------------------------------------------------------------------------------------------------------------------------


def again(letter: Letter) -> bool:
    """A person has looked, and has it sent once more: the same mail under the same name. Says whether there was anything to send."""
    own = Letter.objects.filter(pk=letter.pk, state__in=FOR_A_PERSON, channel=EMAIL, attempts=letter.attempts)
    return bool(
        own.update(state=QUEUED, next_at=timezone.now(), failures=0, handed=False, turn=F("turn") + 1, resent=F("resent") + 1, fault="")
    )


def settle(letter: Letter) -> bool:
    """A person has looked: an uncertain letter did go. It is sent from then on, in the ledger too."""
    with transaction.atomic():
        own = Letter.objects.filter(pk=letter.pk, state=UNCERTAIN, attempts=letter.attempts)
        if not own.update(state=SENT, sent_on=sent_day(letter), sent_at=timezone.now(), turn=F("turn") + 1):
            return False
        letter.refresh_from_db()
        put_out_many(rows_of(letter))
        return True


def give_up(letter: Letter) -> bool:
    """A person has looked: an uncertain letter did not go, and is not to go."""
    own = Letter.objects.filter(pk=letter.pk, state=UNCERTAIN, attempts=letter.attempts)
    return bool(own.update(state=FAILED, fault="not_gone", turn=F("turn") + 1))
