"""A letter goes once: whatever the mail server says, whoever tries at the same time, whatever was changed behind its back."""

from __future__ import annotations

import hashlib
import json
import threading
from datetime import timedelta

import pytest
from django.db import close_old_connections, connection
from django.utils import timezone

from duecourse.actions.letters import LetterFacts
from duecourse.ledger.entries import CASE_EVENT, NOTICE
from duecourse.web.jobs import owner
from duecourse.web.jobs.worker import drain
from duecourse.web.letters import making, sending
from duecourse.web.letters.models import QUEUED, SENDING, SENT, UNCERTAIN, Letter
from duecourse.web.outbox.models import Outgoing
from duecourse.web.outbox.sending import append_waiting
from duecourse.web.refusals import NotNowError
from support.loopback import Mail

pytestmark = pytest.mark.django_db


@pytest.fixture
def queued(letter, book, request_of):
    def make(**more):
        made = letter(**more)
        return making.give_out(request_of(letter.people["second"]), book, made.pk)

    return make


def facts_of(ledger, on=None):
    ledger.refresh()
    book = ledger.as_of(on or timezone.now().date() + timedelta(days=3660))
    return {entry.name: book.run(getattr(book, entry.name)).to_pylist() for entry in (NOTICE, CASE_EVENT)}


def test_it_goes_with_the_approved_pdf_and_the_ledger_hears_of_it_once(queued, mail_server, ledger):
    made = queued(case_id="C000007", step="P02")
    assert sending.send(made.pk) == SENT
    assert sending.send(made.pk) == "" and sending.ask() == 0
    (mail,) = mail_server.got
    (pdf,) = list(mail.iter_attachments())
    assert hashlib.sha256(pdf.get_content()).hexdigest() == made.pdf_sha256 and pdf.get_filename() == f"{made.number}.pdf"
    assert mail["To"] == "debtor@example.com" and made.number in mail["Subject"] and mail["Message-ID"] == f"<{made.token}@127.0.0.1>"
    assert append_waiting(ledger) == 2
    told = facts_of(ledger)
    (notice,), (event,) = ([row for row in told[name] if row["buyer_id"] == made.buyer_id] for name in ("notice", "case_event"))
    made.refresh_from_db()
    facts = made.told
    assert (notice["notice_id"], notice["kind"], notice["case_id"], notice["channel"], notice["sent_on"], notice["document"]) == (
        made.number, "demand_letter", "C000007", "email", made.sent_on, made.pdf_sha256,
    )  # fmt: skip
    assert json.loads(notice["invoices"]) == [[one.invoice_id, one.instalment] for one in facts.invoices]
    assert notice["total_minor"] == facts.totals[0].total_minor and notice["approved_by"]
    assert (event["kind"], event["happened_on"], event["received_on"], event["case_id"]) == ("demand", made.sent_on, None, "C000007")
    assert made.sent_on == made.send_on


@pytest.mark.parametrize(("fate", "state"), [("later", QUEUED), ("no", "failed"), ("closed", UNCERTAIN)])
def test_what_the_server_says_decides(fate, state, queued, mail_server):
    mail_server.plan.append(fate)
    made = queued()
    assert sending.send(made.pk) == state
    assert not Outgoing.objects.filter(table="notice").exists()
    made.refresh_from_db()
    assert sending.ask(timezone.now()) == 0  # not due yet, or for a person
    if state == UNCERTAIN:
        assert sending.again(made)
        made.refresh_from_db()
        assert sending.send(made.pk) == SENT
        assert [one["Message-ID"] for one in mail_server.got] == [
            f"<{made.token}@127.0.0.1>"
        ] * 2  # by a person's word, under the same name
        assert Letter.objects.get(pk=made.pk).resent == 1


def test_an_uncertain_letter_is_settled_by_a_person_once(queued, mail_server):
    mail_server.plan.append("closed")
    made = queued()
    sending.send(made.pk)
    made.refresh_from_db()
    assert sending.settle(made) and not sending.settle(made) and not sending.again(made)
    assert Letter.objects.get(pk=made.pk).state == SENT
    assert sorted(Outgoing.objects.values_list("table", flat=True)) == ["case_event", "notice"]
    assert len(mail_server.got) == 1


def test_it_is_not_sent_without_a_mail_server_and_waits_for_a_person(queued):
    made = queued()
    assert sending.send(made.pk) == "failed"
    assert Letter.objects.get(pk=made.pk).fault == "no_mail"


@pytest.mark.parametrize("what", ["pdf", "stranger", "address", "facts", "gone"])
def test_a_letter_that_was_changed_behind_its_approval_does_not_go(what, queued, mail_server):
    made = queued()
    facts = json.loads(made.facts)
    if what == "pdf":
        Letter.objects.filter(pk=made.pk).update(pdf=bytes(made.pdf) + b" ")
    elif what == "gone":
        Letter.objects.filter(pk=made.pk).update(pdf=None)
    elif what == "address":
        Letter.objects.filter(pk=made.pk).update(address="other@example.com")
    elif what == "stranger":
        facts["invoices"][0]["buyer_id"] = "somebody else"
        Letter.objects.filter(pk=made.pk).update(facts=json.dumps(facts))
    else:
        Letter.objects.filter(pk=made.pk).update(facts="{")
    assert sending.send(made.pk) == "failed"
    assert not mail_server.got and not Outgoing.objects.filter(table="notice").exists()


def test_two_drafts_of_one_letter_are_one(letter):
    first, again = letter(state="draft"), letter(state="draft")
    assert first.pk == again.pk and Letter.objects.count() == 1
    assert letter(state="draft", step="2").pk != first.pk


def test_a_letter_goes_neither_unapproved_nor_by_its_writer_s_word(letter, book, request_of, person):
    made = letter(state="submitted")
    writer = letter.people["writer"]
    assert made.state == "waiting"
    with pytest.raises(NotNowError, match="own_letter"):
        making.approve(request_of(writer), book, made.pk, made.pdf_sha256)
    with pytest.raises(NotNowError, match="not_now"):
        making.give_out(request_of(writer), book, made.pk)
    with pytest.raises(NotNowError, match="no_authority"):
        making.approve(request_of(person("sales")), book, made.pk, made.pdf_sha256)
    with pytest.raises(NotNowError, match="changed_since"):
        making.approve(request_of(person("legal")), book, made.pk, "0" * 64)
    assert making.approve(request_of(person("legal")), book, made.pk, made.pdf_sha256).state == "approved"
    assert letter(state="submitted", kind="reminder").state == "approved"  # nobody has to


def test_a_letter_with_something_missing_is_not_given_out(letter, book, request_of):
    made = letter(state="approved", email="")
    assert [one["code"] for one in made.blocking] == ["letters.missing_recipient_email"]
    with pytest.raises(NotNowError, match="blocked"):
        making.give_out(request_of(letter.people["second"]), book, made.pk)


def test_a_debt_that_moved_is_drawn_up_anew_first(letter, ledger, book, request_of):
    from support.ledgers import add

    made = letter()
    one = made.told.invoices[0]
    add(ledger, [{"settlement_id": "late-1", "kind": "cash", "buyer_id": made.buyer_id, "invoice_id": one.invoice_id, "instalment": one.instalment, "settle_date": book.on, "amount_minor": 1, "currency": one.currency}], "settlement")  # fmt: skip
    newer = ledger.as_of(book.on)
    with pytest.raises(NotNowError, match="moved"):
        making.give_out(request_of(letter.people["second"]), newer, made.pk)
    making.give_back(request_of(letter.people["writer"]), made.pk, "paid a little")
    again = making.redraw(request_of(letter.people["writer"]), newer, made.pk)
    assert again.told.invoices[0].outstanding_minor == one.outstanding_minor - 1
    assert again.number == made.number and not again.approvals.exists() and again.state == "draft"


def test_a_worker_that_died_before_the_handing_over_left_it_to_be_tried_again(queued, mail_server):
    made = queued()
    Letter.objects.filter(pk=made.pk).update(
        state=SENDING, attempts=1, lease_owner="dead/1/1", lease_until=timezone.now() - timedelta(seconds=1)
    )
    assert sending.take_back() == 1 and sending.take_back() == 0
    assert Letter.objects.get(pk=made.pk).state == QUEUED
    assert sending.send(made.pk) == SENT and len(mail_server.got) == 1


def test_a_worker_that_died_after_it_left_it_to_a_person(queued, mail_server):
    made = queued()
    Letter.objects.filter(pk=made.pk).update(
        state=SENDING, handed=True, attempts=1, lease_owner="dead/1/1", lease_until=timezone.now() - timedelta(seconds=1)
    )
    assert sending.take_back() == 1
    assert Letter.objects.get(pk=made.pk).state == UNCERTAIN
    assert sending.ask() == 0 and sending.send(made.pk) == "" and not mail_server.got


def test_a_slow_worker_hands_nothing_over_once_it_was_taken_from_it(queued, mail_server, monkeypatch):
    """The lease runs out between claim and handing over: another sends it, the first finds that it may not."""
    made = queued()
    real = sending.mail.send
    seen = []

    def slow(mail, before):
        monkeypatch.setattr(sending.mail, "send", real)
        Letter.objects.filter(pk=made.pk).update(lease_until=timezone.now() - timedelta(seconds=1), lease_owner="")
        assert sending.take_back() == 1
        assert sending.send(made.pk) == SENT
        seen.append(before())
        return real(mail, before)

    monkeypatch.setattr(sending.mail, "send", slow)
    assert sending.send(made.pk) == ""
    assert seen == [False] and len(mail_server.got) == 1
    assert Outgoing.objects.filter(table="notice").count() == 1


def test_what_a_slow_worker_heard_is_more_than_what_was_guessed(queued, mail_server, monkeypatch):
    made = queued()
    real = sending.mail.send

    def slow(mail, before):
        verdict = real(mail, before)
        Letter.objects.filter(pk=made.pk).update(lease_until=timezone.now() - timedelta(seconds=1), lease_owner="")
        assert sending.take_back() == 1 and Letter.objects.get(pk=made.pk).state == UNCERTAIN
        return verdict

    monkeypatch.setattr(sending.mail, "send", slow)
    assert sending.send(made.pk) == SENT
    assert len(mail_server.got) == 1 and Outgoing.objects.filter(table="notice").count() == 1


def test_the_day_it_went_counts_the_days_that_passed(queued):
    made = queued()
    assert made.queued_at is not None
    assert sending.sent_day(made, made.queued_at) == made.send_on
    assert sending.sent_day(made, made.queued_at + timedelta(days=2)) == made.send_on + timedelta(days=2)


def test_the_worker_s_keeper_asks_for_it_and_a_job_sends_it(queued, mail_server):
    made = queued()
    assert sending.ask() == 1 and sending.ask() == 1  # the same job
    drain()
    assert Letter.objects.get(pk=made.pk).state == SENT and len(mail_server.got) == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_each_letter_once(queued, mail_server, late):
    made = [queued(number=number) for number in range(min(6, len(late)))]
    errors = []

    def work():
        try:
            for one in made:
                for _ in range(40):
                    try:
                        sending.send(one.pk)
                        break
                    except Exception as error:  # SQLite may be busy: the job would be tried again
                        if "locked" not in str(error):
                            raise
        except Exception as error:  # noqa: BLE001 — told by the test
            errors.append(error)
        finally:
            close_old_connections()
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors
    assert {one.state for one in Letter.objects.all()} == {SENT}
    tokens = [mail["Message-ID"] for mail in mail_server.got]
    assert len(tokens) == len(set(tokens)) == len(made)
    assert Outgoing.objects.filter(table="notice").count() == len(made)


def test_the_owner_of_a_lease_is_this_process(queued, mail_server, monkeypatch):
    made = queued()
    held = []
    real = sending.mail.send
    monkeypatch.setattr(
        sending.mail, "send", lambda mail, before: held.append(Letter.objects.get(pk=made.pk).lease_owner) or real(mail, before)
    )
    sending.send(made.pk)
    assert held == [owner.this_process()]
    assert LetterFacts.from_json(Letter.objects.get(pk=made.pk).facts).number == made.number


assert Mail  # the server of the fixture
