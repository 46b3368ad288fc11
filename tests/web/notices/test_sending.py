"""What is told arrives, once, or somebody is shown that it may not have: whatever dies, refuses, or says nothing."""

from __future__ import annotations

import json
import threading
from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from duecourse.web import books
from duecourse.web import environment as env
from duecourse.web.accounts.models import AuditEvent, Person
from duecourse.web.api.webhooks import guard, signing
from duecourse.web.jobs.models import CANCELLED, JobRun
from duecourse.web.jobs.queue import cancel
from duecourse.web.jobs.worker import drain
from duecourse.web.notices import mail, sending
from duecourse.web.notices.models import (
    CLAIMED,
    DROPPED,
    GATHERED,
    GIVEN_UP,
    KEPT,
    SENDING,
    SENT,
    UNCERTAIN,
    WAITING,
    Channel,
    Notice,
    Pace,
    Preference,
    Sending,
)
from duecourse.web.notices.services import SERVICES
from duecourse.web.notices.telling import News, audience_of, tell
from support.examples import examples
from support.loopback import CLOSED

DAY = timedelta(days=1)


def book():
    ledger = books.ledger()
    return ledger.as_of(books.day_of(ledger))


def news(number=1, kind="alert_opened", **more):
    return News(kind, f"alert {number} {kind}", "web.notices_test_line", path=f"/alerts/{number}/", **more)


def say(*pieces):
    return tell(audience_of(book(), [one.buyer_id for one in pieces if one.buyer_id]), pieces)


def make_due():
    """As if everything that waits were due now."""
    Notice.objects.filter(state=WAITING).update(ready_at=timezone.now())
    Sending.objects.filter(state=WAITING).update(next_at=timezone.now())
    Pace.objects.update(next_at=timezone.now())


def go(times=1):
    for _ in range(times):
        make_due()
        sending.ask()
        drain()


def bodies(chat):
    return [body for _path, _headers, body in chat.got]


def test_a_notice_goes_through_a_channel_once_and_is_remembered(channel, chat):
    slack = channel("slack", details=True)
    assert say(news(1)) == 1
    say(news(1))
    go(3)
    (told,) = (json.loads(body) for body in bodies(chat))
    assert "1 new alert" in told["text"] and "/alerts/1/" in told["text"]
    row = Sending.objects.get()
    assert (row.state, row.attempts, row.channel) == (SENT, 1, slack)
    say(news(1))
    go()
    assert len(chat.got) == 1


def test_what_happens_together_is_told_together_and_a_group_hears_no_names(channel, chat):
    channel("wecom")
    chat.answer = b'{"errcode":0}'
    buyer = book().run(book().buyer.select("buyer_id", "name", "name_local")).to_pylist()[0]
    say(
        *(
            News("alert_opened", f"a {number}", "web.notices_test_line", buyer_id=buyer["buyer_id"], path=f"/alerts/{number}/")
            for number in range(3)
        )
    )
    go()
    (body,) = bodies(chat)
    text = json.loads(body)["text"]["content"]
    assert "3 new alerts" in text and f"{env.BASE_URL}/alerts/" in text
    for word in (buyer["buyer_id"], buyer["name"], buyer["name_local"], "/alerts/1/"):
        assert not word or word not in text


def test_a_rolled_back_transaction_has_told_nothing(channel, chat):
    channel()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        say(news(1))
        _ = 1 / 0
    go()
    assert not Notice.objects.exists() and not chat.got


def test_a_webhook_is_signed_and_the_same_at_every_try(channel, chat):
    hook = channel("webhook", details=True)
    chat.plan.extend([500, CLOSED, 429])
    say(news(1))
    go(5)
    assert len(chat.got) == 4
    assert len({headers["webhook-id"] for _path, headers, _body in chat.got}) == 1
    assert len(set(bodies(chat))) == 1
    secret = signing.opened(hook.sealed_secret)
    for _path, headers, body in chat.got:
        assert headers["webhook-signature"] == signing.sign(secret, headers["webhook-id"], int(headers["webhook-timestamp"]), body)
    assert Sending.objects.get().state == SENT


def test_what_may_have_arrived_is_not_sent_again_but_by_a_person(channel, chat, signed_in):
    channel("slack")
    chat.plan.append(CLOSED)
    say(news(1))
    go(3)
    row = Sending.objects.get()
    assert (row.state, len(chat.got)) == (UNCERTAIN, 1)
    assert sending.again(row)
    assert not sending.again(row)
    go()
    row.refresh_from_db()
    assert (row.state, row.resent, len(chat.got)) == (SENT, 1, 2)
    assert len(set(bodies(chat))) == 1


def test_a_refusal_is_shown_at_once_and_an_outage_is_waited_for(channel, chat):
    channel("slack")
    chat.plan.append(404)
    say(news(1))
    go(2)
    assert Sending.objects.get().state == GIVEN_UP
    say(news(2))
    chat.plan.extend([503] * (len(sending.WAITS) + 1))
    waits = []
    for _ in range(len(sending.WAITS) + 1):
        go()
        row = Sending.objects.latest("pk")
        if row.state == WAITING:
            waits.append((row.next_at - timezone.now()).total_seconds())
    assert row.state == GIVEN_UP
    assert len(waits) == len(sending.WAITS)
    assert all(first < 2 * second for first, second in pairwise(waits))
    assert sum(waits) > 2 * DAY.total_seconds()
    assert sending.again(row)
    go()
    row.refresh_from_db()
    assert row.state == SENT


def test_a_channel_to_which_nothing_comes_through_for_days_is_switched_off_and_what_waits_is_kept(channel, chat):
    slack = channel("slack")
    chat.plan.append(503)
    say(news(1))
    go()
    Channel.objects.update(failing_since=timezone.now() - 6 * DAY)
    chat.plan.append(503)
    go()
    slack.refresh_from_db()
    assert not slack.active
    assert AuditEvent.objects.filter(act="channel_disabled").exists()
    go(2)
    assert Sending.objects.get().state == WAITING and len(chat.got) == 2
    Channel.objects.update(active=True, failing_since=None)
    go()
    assert Sending.objects.get().state == SENT


def test_the_pace_of_a_service_is_kept(channel, chat):
    channel("dingtalk")
    chat.answer = b'{"errcode":0}'
    for number in range(3):
        say(news(number))
        Notice.objects.filter(state=WAITING).update(ready_at=timezone.now())
        sending.ask()
    drain()
    assert len(chat.got) == 1  # the others wait for their moment
    waiting = sorted(Sending.objects.filter(state=WAITING).values_list("next_at", flat=True))
    assert len(waiting) == 2 and waiting[0] > timezone.now() + timedelta(seconds=2)
    chat.answer = b'{"errcode":130101,"errmsg":"send too fast"}'
    go()
    assert Pace.objects.get(name__startswith="c").next_at > timezone.now() + timedelta(minutes=9)  # ten minutes of silence


def test_no_message_goes_into_the_firms_own_network(channel, chat, monkeypatch):
    channel("slack")
    monkeypatch.setattr(env, "WEBHOOK_NETWORKS", [])
    say(news(1))
    go()
    row = Sending.objects.get()
    assert (row.state, row.fault) == (GIVEN_UP, "address_refused")
    assert not chat.got


def test_a_mail_goes_to_who_wants_it_in_their_language(db, mail_server, person):
    person("credit_manager", username="anna", language="zh-hans")
    person("viewer", username="vera")
    say(news(1, "alert_escalated"))
    go()
    (told,) = mail_server.got
    row = Sending.objects.get()
    assert told["To"] == "anna@example.com" and told["Message-ID"].startswith(f"<{row.token}@")
    assert "1 条预警无人处理" in told["Subject"]
    assert row.state == SENT


def test_a_mail_that_may_have_arrived_keeps_its_name_when_sent_again(db, mail_server, person):
    person("credit_manager")
    mail_server.plan.extend(["later", "closed"])
    say(news(1, "alert_escalated"))
    go(3)
    row = Sending.objects.get()
    assert (row.state, len(mail_server.got)) == (UNCERTAIN, 1)
    sending.again(row)
    go()
    row.refresh_from_db()
    assert row.state == SENT and len({one["Message-ID"] for one in mail_server.got}) == 1 and len(mail_server.got) == 2
    mail_server.plan.append("no")
    say(news(2, "alert_escalated"))
    go()
    assert Sending.objects.latest("pk").state == GIVEN_UP


def test_no_mail_server_is_no_loss(db, person):
    anna = person("credit_manager")
    say(news(1, "alert_escalated"))
    go()
    assert Notice.objects.get(person=anna).state == KEPT
    assert not Sending.objects.exists()


def test_somebody_hears_only_of_buyers_they_see_also_when_that_changed_meanwhile(db, mail_server, person):
    rows = book().run(book().buyer.select("buyer_id", "sales_owner", "name")).to_pylist()
    one = next(row for row in rows if row["sales_owner"])
    theirs = person("credit_manager", username="bo", sales_owners=[one["sales_owner"]])
    person("credit_manager", username="cai", sales_owners=["nobody"])
    say(news(1, "alert_escalated", buyer_id=one["buyer_id"]))
    assert [row.person.username for row in Notice.objects.all()] == ["bo"]
    theirs.sales_owners = ["nobody"]
    theirs.save()
    go()
    assert not mail_server.got
    assert Sending.objects.get().state == DROPPED


def test_what_is_for_one_is_told_to_one(db, mail_server, person, channel):
    channel()
    anna, _bo = person("credit_manager", username="anna"), person("credit_manager", username="bo")
    say(news(1, "alert_assigned", to=frozenset({anna.pk})))
    assert [row.person for row in Notice.objects.all()] == [anna]


def test_somebody_in_their_quiet_hours_hears_when_these_end(db, mail_server, person):
    anna = person("credit_manager")
    now = timezone.localtime(timezone.now(), timezone.get_fixed_timezone(0))
    Preference.objects.create(
        person=anna, time_zone="UTC", quiet_from=(now - timedelta(hours=1)).time(), quiet_to=(now + timedelta(hours=2)).time()
    )
    say(news(1, "alert_escalated"))
    assert Notice.objects.get().ready_at > timezone.now() + timedelta(hours=1)
    Notice.objects.update(ready_at=timezone.now())  # the hours were chosen after the notice was written
    sending.ask()
    assert Notice.objects.get().ready_at > timezone.now() + timedelta(hours=1)
    assert not mail_server.got
    Preference.objects.update(quiet_to=(now - timedelta(minutes=1)).time())
    go()
    assert len(mail_server.got) == 1


def test_a_job_called_off_by_hand_does_not_lose_the_message(channel, chat):
    channel()
    say(news(1))
    make_due()
    sending.ask()
    assert cancel(JobRun.objects.get(name="notices.send"))
    JobRun.objects.filter(status=CANCELLED).update(finished_at=timezone.now() - sending.STALE * 2)
    go(2)
    assert len(chat.got) == 1


def test_somebody_elses_own_chat_is_used_instead_of_mail(channel, chat, mail_server, person):
    anna = person("credit_manager")
    own = channel("slack", person=anna, kinds={})
    Preference.objects.create(person=anna, channel=own)
    say(news(1, "alert_escalated"))
    go()
    assert len(chat.got) == 1 and not mail_server.got
    assert Notice.objects.get().to == f"p{anna.pk}"


class Killed(BaseException):
    """The process ends here."""


DEATHS = st.sampled_from(["none", "claimed", "handing", "delivered", "none", "none"])
FATES = st.sampled_from([200, 200, 200, 429, 503, 500, 404, CLOSED])


@examples(12, 300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    service=st.sampled_from(["slack", "webhook", "mail"]),
    keys=st.lists(st.integers(1, 5), min_size=1, max_size=12),
    deaths=st.lists(DEATHS, max_size=8),
    fates=st.lists(FATES, max_size=8),
)
def test_whenever_a_worker_dies_nothing_is_lost_or_doubled(channel, chat, mail_server, person, service, keys, deaths, fates):
    for model in (Notice, Sending, Channel, Pace, JobRun):
        model.objects.all().delete()
    chat.got.clear(), chat.accepted.clear(), chat.plan.clear(), mail_server.got.clear(), mail_server.plan.clear()
    Person.objects.update(is_active=False)  # those of earlier examples
    if service == "mail":
        person("credit_manager")
        mail_server.plan.extend({200: "ok", CLOSED: "closed", 404: "no"}.get(fate, "later") for fate in fates)
    else:
        channel(service, details=True)
        chat.plan.extend(fates)
    pending = list(deaths)
    whole_post, whole_mail = guard.post, mail.send

    def dying(whole):
        def tried(*args, before=None, **more):
            death = pending.pop(0) if pending else "none"

            def first():
                if death == "claimed":
                    raise Killed
                good = before()
                if death == "handing":
                    raise Killed
                return good

            outcome = whole(*args, before=first, **more)
            if death == "delivered":
                raise Killed
            return outcome

        return tried

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guard, "post", dying(whole_post))
        patch.setattr(mail, "send", lambda drawn, before: dying(lambda letter, *, before: whole_mail(letter, before))(drawn, before=before))
        for key in keys:
            say(news(key, "alert_escalated"))
        for _ in range(14):
            make_due()
            Sending.objects.filter(state__in=(CLAIMED, SENDING)).update(lease_until=timezone.now() - DAY)
            sending.ask()
            for row in Sending.objects.filter(state=WAITING):
                try:
                    sending.send(row.pk)
                except Killed:
                    continue
    states = dict(Sending.objects.values_list("token", "state"))
    assert set(states.values()) <= {SENT, UNCERTAIN, GIVEN_UP}
    if service == "mail":
        arrived = Counter(one["Message-ID"][1:].split("@")[0] for one in mail_server.got)
    else:
        arrived = Counter()
        tokens = {row.token: row for row in Sending.objects.all()}
        for (_path, body), count in chat.accepted.items():
            token = next(name for name, row in tokens.items() if SERVICES[service].body(row.message, name, "", 0.0) == body)
            arrived[token] += count
    for token, state in states.items():
        assert service == "webhook" or arrived[token] <= 1, "told twice"
        if state == SENT:
            assert arrived[token] >= 1, "said to be sent, and lost"
        elif state == GIVEN_UP:
            assert not arrived[token] or service == "webhook", "said not to have arrived, and did"
    # Each thing is in one message, and only one.
    assert sorted(Notice.objects.values_list("key", flat=True)) == sorted({f"alert {key} alert_escalated" for key in keys})
    assert not Notice.objects.exclude(state=GATHERED).exists()


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_each_message_once(channel, chat):
    for number in range(6):
        channel("slack", details=True, name=f"slack {number}")
    for number in range(3):
        say(news(number))
    errors = []

    def work():
        try:
            for _ in range(12):
                make_due()
                sending.ask()
                for pk in Sending.objects.filter(state=WAITING).values_list("pk", flat=True):
                    sending.send(pk)
        except BaseException as error:  # noqa: BLE001 — told to the test
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert set(Sending.objects.values_list("state", flat=True)) == {SENT}
    told = [line for body in bodies(chat) for line in json.loads(body)["text"].splitlines() if "/alerts/" in line and "Open" not in line]
    assert len(told) == 6 * 3
