"""A write is done once however often it is sent: its key, its digest, its batch and its answer are kept for thirty days.

First it is claimed: a row with the name of the batch to be, in a transaction of its own, before anything is written. Then it is
written: the ledger's journal holds that name or it does not, and a second run under it adds nothing and tells the same result. Then it
is finished: the answer goes into the row, in the transaction that also tells the webhooks.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.utils import timezone

from duecourse.desk.posting import new_batch_id
from duecourse.web.api.models import IdempotencyKey
from duecourse.web.api.problems import Problem
from duecourse.web.jobs import owner

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

KEPT_DAYS: Final = 30
LEASE_SECONDS: Final = 300
"""After so long a request that is still not answered may be taken up by another; at once if its process is dead."""

FORM: Final = re.compile(r'"?([\x21\x23-\x7e]{1,255})"?')


def once(request: HttpRequest, work: Callable[[str], HttpResponse], then: Callable[[str], None] | None = None) -> HttpResponse:
    """Do a write under its `Idempotency-Key`.

    work  called with the batch's name; its answer is kept, a Problem it raises is not
    then  called with it in the transaction that keeps the answer
    Raises Problem: 400 without a key, 422 for a key that was used for something else, 409 while the first is under way.
    """
    key = key_of(request)
    row, answered = _claimed(request, key)
    if answered is not None:
        return answered
    try:
        response = work(row.batch_id)
        with transaction.atomic():
            IdempotencyKey.objects.filter(pk=row.pk).update(
                answer_status=response.status_code, answer_type=response["Content-Type"], answer_body=response.content.decode()
            )
            if then is not None:
                then(row.batch_id)
    except Problem as problem:
        # Refused before anything was written: the key is free for the request put right.
        row.delete() if problem.status < 500 else _release(row)
        raise
    except BaseException:
        _release(row)
        raise
    return response


def key_of(request: HttpRequest) -> str:
    """The key of the request, with or without the quotes of a structured header."""
    found = FORM.fullmatch(request.headers.get("Idempotency-Key", "").strip())
    if found is None:
        raise Problem(400, "idempotency_key_missing")
    return found[1]


def digest_of(request: HttpRequest) -> str:
    """What was asked: method, address, words of the query and body."""
    told = json.dumps([request.method, request.path, sorted(request.GET.items()), request.content_type])
    return hashlib.sha256(told.encode() + b"\0" + request.body).hexdigest()


def _claimed(request: HttpRequest, key: str) -> tuple[IdempotencyKey, HttpResponse | None]:
    digest = digest_of(request)
    now = timezone.now()
    lease: dict[str, Any] = {"lease_owner": owner.this_process(), "lease_until": now + timedelta(seconds=LEASE_SECONDS)}
    for _try in range(3):
        try:
            with transaction.atomic():
                row = IdempotencyKey.objects.create(person_id=request.user.pk, key=key, digest=digest, batch_id=new_batch_id(now), **lease)
        except IntegrityError:
            found = IdempotencyKey.objects.filter(person_id=request.user.pk, key=key).first()
            if found is None:
                continue  # released between the two
            row = found
        else:
            return row, None
        if row.digest != digest:
            raise Problem(422, "idempotency_key_reused")
        if row.answer_status is not None:
            return row, _replayed(row)
        held = IdempotencyKey.objects.filter(
            pk=row.pk, answer_status__isnull=True, lease_owner=row.lease_owner, lease_until=row.lease_until
        )
        if (row.lease_until > now and not owner.is_dead(row.lease_owner)) or not held.update(**lease):
            raise Problem(409, "idempotency_in_flight", headers={"Retry-After": "1"})
        return row, None
    raise Problem(409, "idempotency_in_flight", headers={"Retry-After": "1"})


def _replayed(row: IdempotencyKey) -> HttpResponse:
    response = HttpResponse(row.answer_body, status=row.answer_status, content_type=row.answer_type)
    response["Idempotency-Replayed"] = "true"
    return response


def _release(row: IdempotencyKey) -> None:
    """Nothing was answered. Should the ledger have been written all the same, the name of the batch stays with the key."""
    IdempotencyKey.objects.filter(pk=row.pk, answer_status__isnull=True).update(lease_until=timezone.now() - timedelta(seconds=1))


def clean() -> int:
    """Forget keys older than KEPT_DAYS; how many."""
    deleted, _ = IdempotencyKey.objects.filter(created_at__lt=timezone.now() - timedelta(days=KEPT_DAYS)).delete()
    return int(deleted)
