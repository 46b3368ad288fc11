"""People: invited once, limited to their rows, changed and shown out by an administrator, and never without one."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client
from django.utils import timezone

from duecourse.desk.scopes import find_groups, scope_values
from duecourse.web import books
from duecourse.web import environment as env
from duecourse.web.accounts.models import ApiKey, AuditEvent, Invitation, Person

PASSWORD = "correct horse battery staple"
NEW = "another long passphrase 7"


@pytest.fixture
def admin(signed_in, person):
    return signed_in(person("admin", username="root"))


def values() -> dict[str, list[str]]:
    ledger = books.ledger()
    return scope_values(ledger.as_of(books.day_of(ledger)))


def invited(browser: Client, **more: object) -> str:
    answer = browser.post("/people/invite/", {"email": "New.One@example.com", "name": "新同事", "language": "en", "role": "sales", **more})
    assert answer.status_code == 200, answer.content.decode()
    link = re.search(r"/join/[\w-]+/", answer.content.decode())
    assert link
    return link[0]


def test_an_invitation_brings_its_role_and_rows_and_works_once(admin):
    owner = values()["sales_owners"][0]
    link = invited(admin, sales_owners=[owner])
    assert Client().get(link).status_code == 200
    newcomer = Client()
    answer = newcomer.post(link, {"name": "新同事", "password": NEW})
    assert (answer.status_code, answer.url) == (302, "/")
    made = Person.objects.get(email="new.one@example.com")
    assert (made.role, made.scope.sales_owners, made.username, made.name) == ("sales", {owner}, "new.one", "新同事")
    assert newcomer.get("/profile/").status_code == 200
    assert Client().get(link).status_code == 410
    assert Client().post(link, {"name": "x", "password": NEW}).status_code == 410
    assert Person.objects.filter(email="new.one@example.com").count() == 1


def test_an_invitation_ends_is_taken_back_and_replaced(admin):
    link = invited(admin)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert Client().get(link).status_code == 410
    held = Invitation.objects.get()
    renewed = re.search(r"/join/[\w-]+/", admin.post(f"/people/invitations/{held.pk}/renew/").content.decode())[0]
    assert renewed != link
    assert Client().get(link).status_code == 410
    assert Client().get(renewed).status_code == 200
    admin.post(f"/people/invitations/{Invitation.objects.latest('pk').pk}/revoke/")
    assert Client().get(renewed).status_code == 410
    assert not Person.objects.filter(email="new.one@example.com").exists()


def test_the_token_of_an_invitation_is_kept_nowhere(admin):
    token = invited(admin).split("/")[2]
    assert token not in str(list(Invitation.objects.values()))
    assert token not in str(list(AuditEvent.objects.values()))


def test_an_invitation_goes_by_mail_where_there_is_a_mail_server(admin, monkeypatch, settings):
    monkeypatch.setattr(env, "EMAIL_URL", "smtp://mail.example.com")
    link = invited(admin)
    assert mail.outbox[0].to == ["new.one@example.com"]
    assert link in mail.outbox[0].body


def test_a_role_or_rows_that_there_are_not_are_refused(admin):
    for wrong in ({"role": "owner"}, {"sales_owners": ["nobody"]}, {"groups_seen": ["no-such-group"]}):
        answer = admin.post("/people/invite/", {"email": "a@example.com", "language": "en", "role": "sales", **wrong})
        assert answer.status_code == 422
    assert not Invitation.objects.exists()


def test_a_person_gets_a_role_and_rows_and_the_trail_says_who_gave_them(admin, person):
    bo = person("viewer", username="bo")
    ledger = books.ledger()
    group = find_groups(ledger.as_of(books.day_of(ledger)), "", limit=1)[0].group_id
    entity = values()["legal_entities"][0]
    answer = admin.post(
        f"/people/{bo.pk}/", {"name": "Bo", "email": bo.email, "role": "collector", "legal_entities": [entity], "groups_seen": [group]}
    )
    assert answer.status_code == 302
    bo.refresh_from_db()
    assert (bo.role, bo.scope.legal_entities, bo.scope.groups, bo.scope.sales_owners) == ("collector", {entity}, {group}, frozenset())
    row = AuditEvent.objects.get(act="person_changed")
    assert (row.person_name, row.key) == ("root", "bo")
    assert '"role": ["viewer", "collector"]' in row.detail


def test_there_is_always_an_administrator(admin, person):
    root = Person.objects.get(username="root")
    form = {"name": "", "email": root.email, "role": "viewer"}
    assert admin.post(f"/people/{root.pk}/", form).status_code == 422
    admin.post(f"/people/{root.pk}/deactivate/")
    root.refresh_from_db()
    assert (root.role, root.is_active) == ("admin", True)
    person("admin", username="second")
    assert admin.post(f"/people/{root.pk}/", form).status_code == 302
    root.refresh_from_db()
    assert root.role == "viewer"
    assert admin.get("/people/").status_code == 403


def test_who_is_deactivated_is_out_at_once_with_every_key(admin, person):
    bo = person("credit_analyst", username="bo")
    theirs = Client()
    theirs.force_login(bo)
    _, token = ApiKey.make(bo, "erp", ["read"], timezone.now() + timedelta(days=1))
    assert theirs.get("/profile/").status_code == 200
    admin.post(f"/people/{bo.pk}/deactivate/")
    assert theirs.get("/profile/").status_code == 302
    assert ApiKey.authenticate(token) is None
    assert not Client().login(username="bo", password=PASSWORD)
    admin.post(f"/people/{bo.pk}/activate/")
    assert Client().login(username="bo", password=PASSWORD)


def test_an_administrator_makes_a_link_for_a_new_password_which_works_once(admin, person):
    bo = person("viewer", username="bo")
    link = re.search(r"/account/password/reset/key/[\w-]+/", admin.post(f"/people/{bo.pk}/password-link/").content.decode())[0]
    theirs = Client()
    page = theirs.get(link, follow=True)
    assert page.status_code == 200
    answer = theirs.post(page.redirect_chain[-1][0], {"password1": NEW, "password2": NEW})
    assert answer.status_code == 302
    assert Client().login(username="bo", password=NEW)
    assert 'name="password1"' not in Client().get(link, follow=True).content.decode()


def test_lost_second_factors_are_taken_away_and_sessions_ended(admin, person):
    bo = person("viewer", username="bo")
    Authenticator.objects.create(user=bo, type="totp", data={"secret": "x"})
    theirs = Client()
    theirs.force_login(bo)
    theirs.get("/profile/")
    admin.post(f"/people/{bo.pk}/forget-factors/")
    admin.post(f"/people/{bo.pk}/sign-out/")
    assert not Authenticator.objects.filter(user=bo).exists()
    assert theirs.get("/profile/").status_code == 302


def test_people_are_found_by_name_and_role(admin, person):
    person("viewer", username="bo", first_name="林安")
    person("legal", username="cai")
    text = admin.get("/people/?q=林").content.decode()
    assert "林安" in text and "cai@example.com" not in text
    assert "cai@example.com" in admin.get("/people/?role=legal").content.decode()


def test_groups_are_found_by_name_to_choose_from(admin):
    ledger = books.ledger()
    group = find_groups(ledger.as_of(books.day_of(ledger)), "", limit=1)[0]
    assert group.group_id in admin.get("/people/groups/", {"q": group.name[:6].lower()}).content.decode()
    assert "<label" not in admin.get("/people/groups/?q=nothing-like-that").content.decode()


def test_somebody_changes_their_own_name_and_language_and_nothing_else(signed_in, person):
    bo = person("viewer", username="bo")
    browser = signed_in(bo)
    browser.post("/profile/", {"name": "薄先生", "language": "zh-hans", "theme": "dark", "role": "admin", "email": "x@example.com"})
    bo.refresh_from_db()
    assert (bo.name, bo.language, bo.theme, bo.role, bo.email) == ("薄先生", "zh-hans", "dark", "viewer", "bo@example.com")
    assert "个人资料" in browser.get("/profile/").content.decode()


def test_a_key_is_shown_once_and_kept_as_a_hash(person):
    bo = person("credit_analyst", username="bo")
    browser = Client()
    browser.post("/account/login/", {"login": "bo", "password": PASSWORD})
    text = browser.post("/profile/keys/new/", {"name": "ERP", "acts": ["read", "import"], "days": 90}).content.decode()
    token = re.search(r"dck_\w{8}_[\w-]{43}", text)[0]
    assert token not in str(list(ApiKey.objects.values()))
    assert token not in browser.get("/profile/").content.decode()
    found = ApiKey.authenticate(token)
    assert found is not None
    assert found[0] == bo
    assert found[1].may("import") and not found[1].may("export")
    assert ApiKey.objects.get().last_used_at is not None
    browser.post(f"/profile/keys/{found[1].pk}/revoke/")
    assert ApiKey.authenticate(token) is None


def test_a_key_never_does_more_than_its_person(person):
    bo = person("credit_analyst")
    key, token = ApiKey.make(bo, "erp", ["read", "import"], timezone.now() + timedelta(days=1))
    bo.role = "viewer"
    bo.save()
    held = ApiKey.authenticate(token)
    assert held is not None
    assert held[1].may("read") and not held[1].may("import")
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now())
    assert ApiKey.authenticate(token) is None


@pytest.mark.parametrize("token", ["", "dck_", "x" * 300, "dck_aaaaaaaa_" + "b" * 43, "dck_aaaaaaaa_" + "密" * 43, "Bearer x"])
def test_what_is_no_key_opens_nothing(db, token):
    assert ApiKey.authenticate(token) is None


def test_nobody_makes_a_key_that_may_let_people_in_or_may_what_they_may_not(person):
    person("credit_analyst", username="bo")
    browser = Client()
    browser.post("/account/login/", {"login": "bo", "password": PASSWORD})
    for acts in (["people"], ["settings"], ["keys"], []):
        assert browser.post("/profile/keys/new/", {"name": "ERP", "acts": acts, "days": 90}).status_code == 422
    assert browser.post("/profile/keys/new/", {"name": "ERP", "acts": ["read"], "days": 9000}).status_code == 422
    assert not ApiKey.objects.exists()


def test_somebody_elses_key_is_not_there(signed_in, person):
    key, token = ApiKey.make(person("credit_analyst"), "erp", ["read"], timezone.now() + timedelta(days=1))
    assert signed_in("credit_manager").post(f"/profile/keys/{key.pk}/revoke/").status_code == 404
    assert ApiKey.authenticate(token) is not None
