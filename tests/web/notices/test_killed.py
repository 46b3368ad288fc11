"""Workers killed at random moments, with real mail and chat servers on the other side: nothing lost, nothing told twice.

Each round tells one thing to every recipient, lets a worker loose and kills it (SIGKILL), often at the very moment a message arrives. In the end a worker that is let
live does what is left.
"""

from __future__ import annotations

import json
import math
import random
import re
import time
from collections import Counter

import pytest

from support.background import postgres_of_its_own
from support.loopback import CLOSED, Chat, Mail
from support.serving import Nursery, kill

CHATS = 6
SET_UP = """
from duecourse.web.accounts.models import Person
from duecourse.web.api.webhooks import signing
from duecourse.web.notices.models import Channel
Person.objects.create(username="anna", email="anna@example.com", role="credit_manager", language="en")
hears = {{"alert_escalated": "at_once"}}
for number in range({chats}):
    Channel.objects.create(service="slack", name=f"slack {{number}}", host="x", details=True, kinds=hears, sealed_url=signing.sealed("{url}/" + f"slack{{number}}"))
Channel.objects.create(service="webhook", name="hook", host="x", details=True, kinds=hears, sealed_url=signing.sealed("{url}/hook"), sealed_secret=signing.sealed(signing.new_secret()))
"""
TELL = """
from django.db import transaction
from django.utils import timezone
from duecourse.web.notices.models import Notice, Pace, Sending
from duecourse.web.notices.telling import Audience, News, recipients, tell
with transaction.atomic():
    for key in {keys!r}:
        tell(Audience(recipients(), {{}}), [News("alert_escalated", f"thing {{key}}", "web.notices_test_line", path=f"/alerts/{{key}}/")])
    Notice.objects.filter(state="waiting").update(ready_at=timezone.now())
    Sending.objects.filter(state="waiting").update(next_at=timezone.now())
    Pace.objects.update(next_at=timezone.now())
"""
STATE = """
from django.utils import timezone
from duecourse.web.notices.models import Channel, Notice, Pace, Sending
Notice.objects.filter(state="waiting").update(ready_at=timezone.now())
Sending.objects.filter(state="waiting").update(next_at=timezone.now())
Channel.objects.update(active=True, failing_since=None)
Pace.objects.update(next_at=timezone.now())
result = {
    "sendings": [[row.token, row.to, row.state, row.service, row.message, row.resent] for row in Sending.objects.select_related("channel")],
    "notices": [[row.to, row.key, row.state, row.sending.token if row.sending else ""] for row in Notice.objects.select_related("sending")],
}
"""
AGAIN = """
from duecourse.web.notices.models import Sending
from duecourse.web.notices.sending import again
result = [again(row) for row in Sending.objects.filter(state__in=("uncertain", "given_up"))]
"""


def rounds_of(place, count, seed):
    chance = random.Random(seed)
    chat, mail = Chat(), Mail()
    postgres = postgres_of_its_own()
    (place / "home").mkdir()
    nursery = Nursery(
        place / "home", place / "ledger", postgres.url if postgres else "", DUECOURSE_WEBHOOK_NETWORKS="127.0.0.0/8", DUECOURSE_EMAIL=f"smtp+plain://127.0.0.1:{mail.port}",
    )  # fmt: skip
    try:
        nursery.run(SET_UP.format(chats=CHATS, url=chat.url))
        for number in range(count):
            nursery.run(TELL.format(keys=[number, max(0, number - 1)]))  # the one before is told again: it is told already
            with chat.guard:
                chat.plan.extend(chance.choice([200] * 12 + [503, CLOSED]) for _ in range(3))
            with mail.guard:
                mail.plan.append(chance.choice(["ok"] * 12 + ["later", "closed"]))
            before = len(chat.got) + len(mail.got)
            worker = nursery.worker(threads=3)
            wanted, give_up = before + chance.randint(0, 5), time.monotonic() + 3
            while len(chat.got) + len(mail.got) < wanted and time.monotonic() < give_up:
                time.sleep(0.001)
            time.sleep(chance.choice([0.0, chance.uniform(0.0, 0.02), chance.uniform(0.0, 0.3)]))
            kill(worker)
        state = settled(nursery)
        assert_once(state, chat, mail, count)
        uncertain = [row for row in state["sendings"] if row[2] == "uncertain"]
        with chat.guard, mail.guard:
            chat.plan.clear(), mail.plan.clear()
        nursery.run(AGAIN)
        state = settled(nursery)
        assert {row[2] for row in state["sendings"]} == {"sent"}
        assert_arrived(state, chat, mail)
    finally:
        nursery.end()
        chat.end()
        mail.end()
    return len(state["sendings"]), len(uncertain)


def settled(nursery, seconds=120):
    """Let a worker live until nothing is under way; the rows as they are then. It may take its time as long as it goes on."""
    worker = nursery.worker(threads=3)
    least, give_up = math.inf, time.monotonic() + seconds
    while time.monotonic() < give_up:
        state = nursery.run(STATE)
        under_way = sum(row[2] in ("waiting", "claimed", "sending") for row in state["sendings"])
        under_way += sum(row[2] == "waiting" for row in state["notices"])
        if not under_way:
            break
        if under_way < least:
            least, give_up = under_way, time.monotonic() + seconds
        time.sleep(0.2)
    else:
        raise AssertionError(Counter(row[2] for row in state["sendings"]))
    kill(worker, 15)
    return state


def arrivals(state, chat, mail):
    """How often each message reached its server."""
    found = Counter(one["Message-ID"][1:].split("@")[0] for one in mail.got)
    bodies = {}
    for token, to, _state, _service, message, _resent in state["sendings"]:
        links = tuple(line["url"] for line in message["lines"])
        bodies[to, links] = token
    places = {
        to: number
        for number, to in enumerate(sorted({row[1] for row in state["sendings"] if row[3] == "slack"}, key=lambda to: int(to[1:])))
    }
    for path, _headers, body in chat.got:
        told = json.loads(body)
        if path == "/hook":
            found[told["data"]["id"]] += 1
            continue
        to = next(to for to, number in places.items() if path == f"/slack{number}")
        found[bodies[to, tuple(re.findall(r"<(\S+/alerts/\d+/)\|", told["text"]))]] += 1
    return found


def assert_once(state, chat, mail, count):
    found = arrivals(state, chat, mail)
    for token, _to, fate, service, _message, _resent in state["sendings"]:
        tried = found[token]
        if service == "mail":
            assert tried <= 1, f"{token} was told twice"
        if fate == "sent":
            assert tried >= 1, f"{token} was lost"
    assert all(count == 1 for (path, _body), count in chat.accepted.items() if path != "/hook"), "a chat was told twice"
    for to in {row[0] for row in state["notices"]}:
        keys = [row[1] for row in state["notices"] if row[0] == to]
        assert sorted(keys) == sorted({f"thing {number}" for number in range(count)}), f"{to} does not have each once"
    assert all(row[2] == "gathered" and row[3] for row in state["notices"])


def assert_arrived(state, chat, mail):
    found = arrivals(state, chat, mail)
    assert all(found[row[0]] >= 1 for row in state["sendings"])
    assert all(found[token] <= 1 + resent for token, _to, _fate, service, _message, resent in state["sendings"] if service == "mail")


@pytest.mark.django_db
def test_workers_killed_a_few_times_lose_and_double_nothing(tmp_path):
    rounds_of(tmp_path, 8, 1)


@pytest.mark.long
@pytest.mark.django_db
def test_workers_killed_five_hundred_times_lose_and_double_nothing(tmp_path):
    messages, uncertain = rounds_of(tmp_path, 500, 2)
    assert messages > 1_000
    assert uncertain < messages / 4
    print(f"500 kills, {messages:,} messages, {uncertain} left for a person to look at")
