"""From notices to messages that have arrived: gathered, taken up, handed over, marked; whatever dies in between.  发送

A worker may be killed at any point. What that leaves is decided here and nowhere else:
  - before the message was handed over (`claimed`): it has not arrived, and is tried again;
  - after (`sending`): it may have. To a receiver that knows it by its token it is sent again; to every other it is `uncertain`, and only a
    person sends it again. So nothing is told twice by us, and nothing is lost without a trace.
"""

from __future__ import annotations

import logging
import random
import secrets
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from duecourse.web import environment as env
from duecourse.web.accounts import audit
from duecourse.web.api.webhooks import guard
from duecourse.web.api.webhooks.signing import SealBrokenError, opened, sign
from duecourse.web.jobs import owner
from duecourse.web.jobs.queue import enqueue
from duecourse.web.notices import mail
from duecourse.web.notices.models import (
    CLAIMED,
    DROPPED,
    FOR_A_PERSON,
    GATHERED,
    GIVEN_UP,
    MAIL,
    SENDING,
    SENT,
    UNCERTAIN,
    UNDER_WAY,
    WAITING,
    Channel,
    Notice,
    Pace,
    Sending,
    preference_of,
)
from duecourse.web.notices.services import SERVICES, Verdict, verdict_of
from duecourse.web.notices.telling import clock_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

log = logging.getLogger("duecourse.notices")

WAITS: Final = (5, 30, 120, 600, 1_800, 7_200, 21_600, 43_200, 86_400, 86_400)
"""Seconds before each further try; after the last, three days on, it is given up and a person is shown it."""
LEASE: Final = timedelta(seconds=120)
"""Longer than every step of one try may take together."""
STALE: Final = timedelta(seconds=30)
"""A job that ended without ending its turn (called off by hand, a database that went away) is asked for anew after so long."""
AT_A_TIME: Final = 200
DISABLE_AFTER: Final = timedelta(days=5)
"""A channel to which nothing has come through for so long is switched off."""


def new_token() -> str:
    """The name of a message."""
    return f"ntc_{secrets.token_hex(12)}"


# --- gathering ------------------------------------------------------------------------------------------------------------------------------


def ask(now: datetime | None = None) -> int:
    """Gather what is ready, take back what a dead worker held, and ask for a job for each message that is due. A worker's keeper looks every few seconds.

    Returns how many jobs were asked for.
    """
    now = now or timezone.now()
    ready = Notice.objects.filter(state=WAITING, ready_at__lte=now).filter(Q(channel=None) | Q(channel__active=True))
    for to, rhythm in ready.order_by().values_list("to", "rhythm").distinct()[:AT_A_TIME]:
        gather(to, rhythm, now)
    take_back(now)
    asked = 0
    due = Sending.objects.filter(state=WAITING, next_at__lte=now).order_by("next_at", "pk")
    for pk, turn in due.values_list("pk", "turn")[:AT_A_TIME]:
        run = enqueue("notices.send", key=f"{pk} {turn}", number=pk)
        asked += not run.finished
        if run.finished and run.finished_at is not None and run.finished_at < now - STALE:
            Sending.objects.filter(pk=pk, state=WAITING, turn=turn).update(turn=F("turn") + 1)
    return asked


def gather(to: str, rhythm: str, now: datetime | None = None) -> Sending | None:
    """Put what is ready for one recipient into one message; None where another worker was first, or they do not want to be disturbed now."""
    now = now or timezone.now()
    waiting = Notice.objects.filter(to=to, rhythm=rhythm, state=WAITING, ready_at__lte=now)
    first = waiting.select_related("person", "channel").first()
    if first is None:
        return None
    channel = first.channel
    if first.person is not None:
        preference = preference_of(first.person)
        later = clock_of(preference).after_quiet(now)
        if later > now:
            waiting.update(ready_at=later)
            return None
        channel = preference.channel
        if (channel is None and not env.EMAIL_URL) or (channel is not None and not channel.active):
            waiting.update(ready_at=now + timedelta(minutes=15))  # until there is a way to reach them
            return None
    with transaction.atomic():
        made = Sending.objects.create(
            to=to, person=first.person, channel=channel, rhythm=rhythm, token=new_token(), next_at=now, made_at=now
        )
        if waiting.update(state=GATHERED, sending=made):
            return made
        transaction.set_rollback(True)  # another worker has gathered it
    return None


def take_back(now: datetime | None = None) -> int:
    """Decide on what a worker held that is gone. Returns how many messages."""
    now = now or timezone.now()
    count = 0
    for row in Sending.objects.filter(state__in=UNDER_WAY).select_related("channel")[:AT_A_TIME]:
        if row.lease_until is not None and row.lease_until > now and not owner.is_dead(row.lease_owner):
            continue
        again = row.state == CLAIMED or (row.service != MAIL and SERVICES[row.service].by_key)
        fate: dict[str, Any] = {"state": WAITING, "next_at": now} if again else {"state": UNCERTAIN, "ended_at": now}
        held = Sending.objects.filter(pk=row.pk, state=row.state, attempts=row.attempts, lease_until=row.lease_until)
        count += held.update(lease_owner="", lease_until=None, fault="worker_lost", turn=F("turn") + 1, **fate)
    return count


# --- one try --------------------------------------------------------------------------------------------------------------------------------


def send(number: int) -> str:
    """Try a message that is due; the state it has now, "" where it was not ours to try."""
    found = Sending.objects.select_related("person", "channel").filter(pk=number, state=WAITING, next_at__lte=timezone.now()).first()
    if found is None:
        return ""
    if not found.message:
        message = _message(found)
        if message is None:
            Sending.objects.filter(pk=number, state=WAITING, turn=found.turn).update(state=DROPPED, ended_at=timezone.now())
            return DROPPED
        # Whoever drew it up first has; a second worker sends what the first wrote.
        Sending.objects.filter(pk=number, state=WAITING, message={}).update(message=message)
        found.refresh_from_db(fields=["message"])
    if found.channel is not None and not found.channel.active:
        return _put_off(found, timedelta(minutes=15))
    if not _take_up(found):
        return ""
    verdict = _tried(found)
    with transaction.atomic():
        return _written(found, verdict)


def _message(found: Sending) -> dict[str, Any] | None:
    from duecourse.web.notices.composing import drawn_up  # noqa: PLC0415 — reads the ledger: only where something is sent

    return drawn_up(found)


def _put_off(found: Sending, wait: timedelta) -> str:
    held = Sending.objects.filter(pk=found.pk, state=WAITING, turn=found.turn)
    held.update(next_at=timezone.now() + wait, turn=F("turn") + 1)
    return WAITING


def _take_up(found: Sending) -> bool:
    """Claim the message, and its place's next free moment with it: both or neither."""
    now = timezone.now()
    name, spacing = (
        ("mail", mail.SPACING_SECONDS) if found.channel is None else (found.channel.to, SERVICES[found.channel.service].spacing_seconds)
    )
    free_at = _free_at(name, now)
    if free_at > now:
        _put_off(found, free_at - now + timedelta(seconds=random.uniform(0.0, spacing)))  # noqa: S311 — spread, not a secret
        return False
    with transaction.atomic():
        moved = Pace.objects.filter(name=name, next_at__lte=now).update(next_at=now + timedelta(seconds=spacing))
        taken = moved and Sending.objects.filter(pk=found.pk, state=WAITING, turn=found.turn).update(
            state=CLAIMED, attempts=F("attempts") + 1, turn=F("turn") + 1, lease_owner=owner.this_process(), lease_until=now + LEASE
        )
        if moved and not taken:
            transaction.set_rollback(True)
    if not moved:  # another message to this place went a moment earlier
        _put_off(found, timedelta(seconds=spacing))
        return False
    found.attempts += 1
    return bool(taken)


def _free_at(name: str, now: datetime) -> Any:
    row = Pace.objects.filter(name=name).first()
    if row is None:
        try:
            with transaction.atomic():
                row = Pace.objects.create(name=name, next_at=now)
        except IntegrityError:
            row = Pace.objects.get(name=name)
    return row.next_at


def _tried(found: Sending) -> Verdict:
    def before() -> bool:
        """From here on it may arrive: written down before it is handed over."""
        held = Sending.objects.filter(pk=found.pk, state=CLAIMED, attempts=found.attempts)
        return bool(held.update(state=SENDING, lease_until=timezone.now() + LEASE))

    if found.channel is None:
        return mail.send(mail.drawn(found.message, found.token, found.person.email), before)
    return post(found.channel, found.message, found.token, before)


def post(channel: Channel, message: Any, token: str, before: Callable[[], bool] | None = None) -> Verdict:
    """Hand a message to a channel's address."""
    service, now = SERVICES[channel.service], time.time()
    try:
        url, secret = opened(channel.sealed_url), opened(channel.sealed_secret) if channel.sealed_secret else ""
        target = guard.target_of(service.address(url, secret, now))
    except SealBrokenError:
        return Verdict("refused", "seal_broken")
    except guard.RefusedError as error:
        return Verdict("later" if error.code == "host_unknown" else "refused", error.code)
    body = service.body(message, token, secret, now)
    headers = {"Content-Type": "application/json; charset=utf-8"}
    if channel.service == "webhook":
        at = int(now)
        headers |= {"webhook-id": token, "webhook-timestamp": str(at), "webhook-signature": sign(secret, token, at, body)}
    return verdict_of(service, guard.post(target, body, headers, before=before))


def _written(found: Sending, verdict: Verdict) -> str:
    now = timezone.now()
    state, next_at = {"sent": SENT, "refused": GIVEN_UP, "unknown": UNCERTAIN}.get(verdict.what, WAITING), None
    if verdict.what == "later":
        if found.failures >= len(WAITS):
            state = GIVEN_UP
        else:
            wait = max(WAITS[found.failures] * random.uniform(0.8, 1.2), verdict.wait_seconds)  # noqa: S311 — spread, not a secret
            next_at = now + timedelta(seconds=wait)
    # A worker that was slow to hear the answer may find the message `uncertain` by now: what it heard is more than what was guessed.
    own = Sending.objects.filter(pk=found.pk, attempts=found.attempts, state__in=(*UNDER_WAY, UNCERTAIN))
    values = {
        "state": state, "fault": verdict.fault, "status": verdict.status, "answer": verdict.answer.replace("\x00", ""), "turn": F("turn") + 1,
        "lease_owner": "", "lease_until": None, "failures": F("failures") + int(verdict.what == "later"),
    }  # fmt: skip
    if not own.update(**values, **({"next_at": next_at} if next_at else {"ended_at": now})):
        return ""
    if verdict.fault == "rate_limited":
        name = "mail" if found.channel is None else found.channel.to
        Pace.objects.filter(name=name, next_at__lt=now + timedelta(seconds=verdict.wait_seconds)).update(
            next_at=now + timedelta(seconds=verdict.wait_seconds)
        )
    elif found.channel is not None:
        _note_health(found.channel, verdict)
    log.info("notice", extra={"status": state, "reason": verdict.fault, "attempt": found.attempts})
    return state


def _note_health(channel: Channel, verdict: Verdict) -> None:
    own, now = Channel.objects.filter(pk=channel.pk), timezone.now()
    if verdict.what == "sent":
        own.filter(failing_since__isnull=False).update(failing_since=None)
        return
    own.filter(failing_since__isnull=True).update(failing_since=now)
    if own.filter(active=True, failing_since__lt=now - DISABLE_AFTER).update(active=False, disabled_at=now):
        audit.record(None, "channel_disabled", "channel", channel.pk, name=channel.name)


# --- by hand --------------------------------------------------------------------------------------------------------------------------------


def again(sending: Sending) -> bool:
    """A person has looked, and has it sent once more: the same message under the same name. Says whether there was anything to send."""
    return bool(
        Sending.objects.filter(pk=sending.pk, state__in=FOR_A_PERSON).update(
            state=WAITING, next_at=timezone.now(), failures=0, turn=F("turn") + 1, resent=F("resent") + 1, ended_at=None, fault=""
        )
    )


def settle(sending: Sending) -> bool:
    """A person has looked, and lets it be: it has arrived, or need not."""
    return bool(Sending.objects.filter(pk=sending.pk, state__in=FOR_A_PERSON).update(state=SENT, ended_at=timezone.now()))
