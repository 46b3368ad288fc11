"""What people choose about their notices, and who may set up what a group hears."""

from __future__ import annotations

from datetime import time

import pytest
from django.urls import reverse
from django.utils import timezone

from duecourse.web.accounts.models import AuditEvent
from duecourse.web.api.webhooks import signing
from duecourse.web.notices.kinds import KINDS, OF_ONE
from duecourse.web.notices.models import GIVEN_UP, SENT, UNCERTAIN, WAITING, Channel, Notice, Preference, Sending
from duecourse.web.notices.telling import person_recipient

CHOICE = {
    "way": "mail", "digest_at": "07:30", "digest_weekday": "2", "time_zone": "Europe/Berlin", "quiet_from": "22:00", "quiet_to": "06:00",
    **{f"kind_{kind}": "weekly" for kind in KINDS},
}  # fmt: skip


@pytest.fixture
def chatter(chat):
    return {"service": "slack", "name": "Credit team", "url": f"{chat.url}/hook", "secret": "", "language": "en"} | {
        f"kind_{kind}": "weekly" if kind == "summary" else "at_once" for kind in KINDS if kind not in OF_ONE
    }


def test_somebody_chooses_what_they_hear_and_when(signed_in, person):
    anna = person("credit_analyst", username="anna")
    browser = signed_in(anna)
    assert browser.get(reverse("notices")).status_code == 200
    Notice.objects.create(to=f"p{anna.pk}", person=anna, key="k", kind="alert_opened", rhythm="daily", code="web.notices_test_line")
    assert browser.post(reverse("notices"), CHOICE).status_code == 302
    chosen = Preference.objects.get()
    assert (chosen.quiet_from, chosen.digest_weekday, chosen.time_zone) == (time(22), 2, "Europe/Berlin")
    assert person_recipient(anna, chosen).rhythm("alert_opened") == "weekly"
    assert Notice.objects.get().ready_at > timezone.now()  # what waits follows the new hours
    assert AuditEvent.objects.filter(act="notices_chosen").exists()
    page = browser.get(reverse("notices")).content.decode()
    assert "This message only tries the way" in page


@pytest.mark.alike
@pytest.mark.parametrize(
    "wrong", [{"time_zone": "Mars/Olympus"}, {"quiet_to": ""}, {"digest_at": "late"}, {"way": "77"}, {"kind_summary": "at_once"}]
)
def test_a_choice_that_is_none_is_refused_and_nothing_is_kept(signed_in, wrong):
    assert signed_in("sales").post(reverse("notices"), CHOICE | wrong).status_code == 422
    assert not Preference.objects.exists()


def test_what_is_usual_depends_on_the_role(person):
    hears = {
        role: {kind for kind in KINDS if person_recipient(person(role)).rhythm(kind) != "never"}
        for role in ("credit_manager", "sales", "auditor")
    }
    assert hears["credit_manager"] == set(KINDS)
    assert hears["sales"] == hears["auditor"] == OF_ONE


def test_a_group_is_set_up_tried_switched_and_removed_and_the_trail_says_so(signed_in, chatter, chat):
    browser = signed_in("credit_manager")
    assert browser.get(reverse("notice_channel_new")).status_code == 200
    assert browser.post(reverse("notice_channel_new"), chatter).status_code == 302
    made = Channel.objects.get()
    assert chat.url not in made.sealed_url and signing.opened(made.sealed_url) == f"{chat.url}/hook"
    assert not made.details
    for name in ("notice_channel", "notice_channel_edit"):
        page = browser.get(reverse(name, args=[made.pk]))
        assert page.status_code == 200 and "/hook" not in page.content.decode()
    assert browser.post(reverse("notice_channel_test", args=[made.pk])).status_code == 302
    assert len(chat.got) == 1
    browser.post(reverse("notice_channel_edit", args=[made.pk]), chatter | {"url": "", "details": "on", "name": "Renamed"})
    made.refresh_from_db()
    assert (made.name, made.details, signing.opened(made.sealed_url)) == ("Renamed", True, f"{chat.url}/hook")
    browser.post(reverse("notice_channel_switch", args=[made.pk]))
    assert not Channel.objects.get().active
    assert browser.get(reverse("notice_channels")).status_code == 200
    browser.post(reverse("notice_channel_remove", args=[made.pk]))
    assert not Channel.objects.exists()
    assert {"channel_added", "channel_tested", "channel_changed", "channel_switched", "channel_removed"} <= set(
        AuditEvent.objects.values_list("act", flat=True)
    )


def test_a_webhook_shows_its_secret_once(signed_in, chatter):
    page = signed_in("credit_manager").post(reverse("notice_channel_new"), chatter | {"service": "webhook"}).content.decode()
    assert signing.opened(Channel.objects.get().sealed_secret) in page


def test_an_address_in_the_firms_network_is_refused(signed_in, chatter, monkeypatch):
    from duecourse.web import environment as env

    monkeypatch.setattr(env, "WEBHOOK_NETWORKS", [])
    assert signed_in("credit_manager").post(reverse("notice_channel_new"), chatter).status_code == 422


def test_who_sees_a_part_of_the_book_sets_up_no_group_and_who_may_take_nothing_out_no_chat_of_their_own(signed_in):
    limited = signed_in("credit_manager", sales_owners=["Bo"])
    assert limited.get(reverse("notice_channels")).status_code == 403
    assert limited.get(reverse("notices")).status_code == 200
    assert signed_in("viewer").get(reverse("notices_chat_new")).status_code == 403


def test_somebodys_own_chat_takes_their_messages_until_it_is_removed(signed_in, person, chatter):
    sales = person("sales")
    browser = signed_in(sales)
    assert browser.post(reverse("notices_chat_new"), {name: chatter[name] for name in ("service", "name", "url")}).status_code == 302
    own = Channel.objects.get()
    assert own.person == sales and own.details
    browser.post(reverse("notices"), CHOICE | {"way": str(own.pk)})
    assert Preference.objects.get().channel == own
    Sending.objects.create(to=f"p{sales.pk}", person=sales, channel=own, token="ntc_1")
    assert signed_in("sales").post(reverse("notices_chat_remove", args=[own.pk])).status_code == 404
    browser.post(reverse("notices_chat_remove", args=[own.pk]))
    assert Preference.objects.get().channel is None
    assert Sending.objects.get().channel is None  # goes by mail now


def test_a_message_in_doubt_is_settled_by_whom_it_was_for_or_who_looks_after_the_channels(signed_in, person):
    sales, manager = person("sales"), signed_in("credit_manager")
    first = Sending.objects.create(
        to=f"p{sales.pk}", person=sales, token="ntc_1", state=UNCERTAIN, fault="worker_lost", message={"title": "1 new alert"}
    )
    second = Sending.objects.create(to=f"p{sales.pk}", person=sales, token="ntc_2", state=GIVEN_UP, fault="refused", status=550)
    page = manager.get(reverse("notice_channels")).content.decode()
    assert "ntc_1" in page and "ntc_2" in page
    assert signed_in("collector").post(reverse("notices_again", args=[first.pk])).status_code == 404
    assert signed_in("collector").post(reverse("notice_message_again", args=[first.pk])).status_code == 403
    signed_in(sales).post(reverse("notices_again", args=[first.pk]))
    manager.post(reverse("notice_message_settle", args=[second.pk]))
    assert dict(Sending.objects.values_list("token", "state")) == {"ntc_1": WAITING, "ntc_2": SENT}
    assert AuditEvent.objects.filter(act="notice_resent", key="ntc_1").exists()


def test_every_fault_a_message_can_have_has_its_words():
    import ast
    from pathlib import Path

    from duecourse.messages import catalogue
    from duecourse.web.api.webhooks import guard
    from duecourse.web.notices import mail, sending, services

    faults = {"worker_lost"}
    for module in (guard, mail, sending, services):
        for node in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Verdict", "RefusedError"):
                words = [
                    one.value
                    for one in ast.walk(ast.Module([ast.Expr(arg) for arg in node.args], []))
                    if isinstance(one, ast.Constant) and isinstance(one.value, str)
                ]
                faults |= set(words) - {"sent", "later", "refused", "unknown", ""}
    faults |= {"timeout", "tls", "unreachable", "stopped", "refused"}
    assert faults <= {name.removeprefix("web.notices_fault_") for name in catalogue() if name.startswith("web.notices_fault_")}
