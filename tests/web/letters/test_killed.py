"""Workers killed at random moments, with a real mail server on the other side: no letter goes twice by itself, none is lost, the ledger hears of each once.

Each round gives some letters out (and asks for the same ones again), lets two workers loose and kills them (SIGKILL), often at the very moment a mail arrives. In the end a
worker that is let live does what is left; what may have gone is a person's to decide, and then goes under the same name.
"""

from __future__ import annotations

import random
import time
from collections import Counter

import pytest

from support.background import postgres_of_its_own
from support.importing import new_ledger
from support.loopback import Mail
from support.serving import Nursery, kill

SET_UP = """
from duecourse.web.accounts.models import Person
Person.objects.create(username="anna", email="anna@example.com", role="collector", language="en")
"""
GIVE_OUT = """
import hashlib
from dataclasses import replace
from datetime import date
from django.db import IntegrityError, transaction
from duecourse.web.accounts.models import Person
from duecourse.web.letters.making import queue
from duecourse.web.letters.models import APPROVED, Letter
from duecourse.web.letters.sending import ask
from support.letters import demand
anna = Person.objects.get()
base = demand("en")
for key in {keys!r}:
    facts = replace(base, number=f"L-{{key}}", channel="email", recipient=replace(base.recipient, email=f"debtor{{key}}@example.com"))
    data = b"%PDF-1.4 letter " + str(key).encode()
    try:
        with transaction.atomic():
            one = Letter.objects.create(
                mark=f"mark {{key}}", number=facts.number, buyer_id=facts.buyer_id, kind=facts.kind, language="en", channel="email", recipient=facts.recipient.name, address=facts.recipient.email,
                facts=facts.to_json(), book_on=date(2026, 6, 30), deadline=facts.deadline, state=APPROVED, made_by=anna, pdf=data, pdf_sha256=hashlib.sha256(data).hexdigest(),
            )
            queue(one, date(2026, 6, 30), "anna")
    except IntegrityError:
        pass
ask()
"""
STATE = """
from django.utils import timezone
from duecourse.web.jobs.models import JobRun
from duecourse.web.letters.models import Letter
from duecourse.web.outbox.models import Outgoing
Letter.objects.filter(state="queued").update(next_at=timezone.now())
result = {
    "letters": [[row.number, row.state, row.token, row.pdf_sha256, row.resent] for row in Letter.objects.all()],
    "jobs": [[row.name, row.status, row.losses, row.failures, row.error_detail[-200:]] for row in JobRun.objects.exclude(status="done")],
    "outbox": [[row.table, row.key, row.written_at is not None] for row in Outgoing.objects.all()],
}
"""
AGAIN = """
from duecourse.web.letters.models import Letter
from duecourse.web.letters.sending import again
result = [again(row) for row in Letter.objects.filter(state__in=("uncertain", "failed"))]
"""


def rounds_of(place, count, seed):
    chance = random.Random(seed)
    mail = Mail()
    postgres = postgres_of_its_own()
    (place / "home").mkdir()
    ledger = new_ledger(place / "ledger")
    nursery = Nursery(
        place / "home", place / "ledger", postgres.url if postgres else "", DUECOURSE_EMAIL=f"smtp+plain://127.0.0.1:{mail.port}", NURSERY_LOADS="duecourse.web.letters.sending support.letters",
    )  # fmt: skip
    try:
        nursery.run(SET_UP)
        for number in range(count):
            nursery.run(
                GIVE_OUT.format(keys=[2 * number, 2 * number + 1, max(0, 2 * number - 1)])
            )  # the one before is asked for again: it is one letter
            with mail.guard:
                mail.plan.extend(chance.choice(["ok"] * 12 + ["later", "closed", "no"]) for _ in range(2))
            before = len(mail.got)
            workers = [nursery.worker(threads=2), nursery.worker(threads=2)]
            wanted, give_up = before + chance.randint(0, 2), time.monotonic() + 3
            while len(mail.got) < wanted and time.monotonic() < give_up:
                time.sleep(0.001)
            time.sleep(chance.choice([0.0, chance.uniform(0.0, 0.02), chance.uniform(0.0, 0.2)]))
            for worker in workers:
                kill(worker)
        state = settled(nursery)
        arrived = Counter(one["Message-ID"] for one in mail.got)
        assert all(times == 1 for times in arrived.values()), "a letter went twice by itself"
        for number, fate, token, _digest, _resent in state["letters"]:
            if fate == "sent":
                assert arrived[f"<{token}@127.0.0.1>"] == 1, f"{number} was lost"
            assert fate in ("sent", "uncertain", "failed"), number
        people = sum(row[1] != "sent" for row in state["letters"])
        with mail.guard:
            mail.plan.clear()
        nursery.run(AGAIN)
        state = settled(nursery, outbox=True)
        assert {row[1] for row in state["letters"]} == {"sent"}
        arrived = Counter(one["Message-ID"] for one in mail.got)
        for _number, _fate, token, _digest, resent in state["letters"]:
            assert 1 <= arrived[f"<{token}@127.0.0.1>"] <= 1 + resent
        assert sorted(row[0] for row in state["letters"]) == sorted(f"L-{key}" for key in range(2 * count))
        ledger.refresh()
        from datetime import date

        book = ledger.as_of(date(9000, 1, 1))
        notices = book.run(book.notice).to_pylist()
        assert Counter(row["notice_id"] for row in notices) == {f"L-{key}": 1 for key in range(2 * count)}
        assert Counter(row[1] for row in state["outbox"] if row[0] == "notice") == {f"L-{key}": 1 for key in range(2 * count)}
        sent = {row[0]: row[3] for row in state["letters"]}
        assert all(row["document"] == sent[row["notice_id"]] for row in notices)
        events = book.run(book.case_event).to_pylist()
        assert Counter(row["event_id"] for row in events) == {f"L-{key}-demand": 1 for key in range(2 * count)}
    finally:
        nursery.end()
        mail.end()
    return len(state["letters"]), people


def settled(nursery, *, outbox=False, seconds=300):
    """Let a worker live until nothing is under way; the rows as they are then."""
    worker = nursery.worker(threads=3)
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        state = nursery.run(STATE)
        busy = {row[1] for row in state["letters"]} & {"queued", "sending"} or (outbox and not all(row[2] for row in state["outbox"]))
        if not busy:
            break
        time.sleep(0.2)
    else:
        raise AssertionError((Counter(row[1] for row in state["letters"]), Counter(row[2] for row in state["outbox"]), state["jobs"][:5]))
    kill(worker, 15)
    return state


@pytest.mark.django_db
def test_workers_killed_a_few_times_lose_and_double_no_letter(tmp_path):
    rounds_of(tmp_path, 6, 1)


@pytest.mark.long
@pytest.mark.django_db
def test_workers_killed_five_hundred_times_lose_and_double_no_letter(tmp_path):
    letters, people = rounds_of(tmp_path, 250, 2)  # two workers a round
    assert letters == 500
    assert 0 < people < letters  # killed at the very moment a mail arrives: a person decides
    print(f"500 kills, {letters} letters, {people} left for a person to look at")
