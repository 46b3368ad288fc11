"""The company's own sign-in: an OpenID Connect provider that really answers, on this machine."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from duecourse.errors import OptionMisusedError
from duecourse.web.accounts import sign_in
from duecourse.web.accounts.models import AuditEvent, Invitation, Person
from duecourse.web.accounts.tokens import digest


class Provider:
    """An identity provider that vouches for whoever `person` says."""

    def __init__(self) -> None:
        self.person: dict[str, Any] = {}
        self.verifiers: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self, told: dict[str, Any]) -> None:
                content = json.dumps(told).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(content)

            def do_GET(self) -> None:
                if "openid-configuration" in self.path:
                    names = {
                        "authorization_endpoint": "authorize",
                        "token_endpoint": "token",
                        "userinfo_endpoint": "userinfo",
                        "jwks_uri": "keys",
                    }
                    self._answer({"issuer": outer.url, **{key: f"{outer.url}/{value}" for key, value in names.items()}})
                else:
                    self._answer(outer.person)

            def do_POST(self) -> None:
                sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                outer.verifiers += sent.get("code_verifier", [])
                claims = {"iss": outer.url, "aud": "duecourse", "exp": time.time() + 60, "iat": time.time(), **outer.person}
                self._answer({"access_token": "t", "token_type": "Bearer", "id_token": jwt.encode(claims, "k" * 32, "HS256")})

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def provider(settings, person):
    person("admin", username="root")
    made = Provider()
    configure(settings, made)
    yield made
    made.server.shutdown()
    made.server.server_close()


def configure(settings: Any, provider: Provider, **more: Any) -> None:
    one = {"provider_id": "firm", "name": "Firm", "client_id": "duecourse", "secret": "s", "server_url": provider.url, **more}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": sign_in.providers(json.dumps([one]))}}


def come_in(provider: Provider, browser: Client | None = None, **who: Any) -> Client:
    provider.person = {"sub": who.get("email", "x"), "email_verified": True, **who}
    browser = browser or Client()
    start = browser.get("/account/oidc/firm/login/")
    assert start.status_code == 302
    asked = parse_qs(urlsplit(start.url).query)
    assert asked["code_challenge_method"] == ["S256"]
    browser.last = browser.get("/account/oidc/firm/login/callback/", {"code": "c", "state": asked["state"][0]})  # type: ignore[attr-defined]
    return browser


def is_in(browser: Client) -> bool:
    return browser.get("/profile/").status_code == 200


def invite(email: str, role: str = "legal") -> Invitation:
    from datetime import timedelta

    from django.utils import timezone

    root = Person.objects.get(username="root")
    return Invitation.objects.create(
        email=email,
        role=role,
        sales_owners=["Somebody"],
        token_hash=digest(email),
        invited_by=root,
        expires_at=timezone.now() + timedelta(days=1),
    )


def test_the_sign_in_page_offers_the_provider(provider):
    assert "Sign in with Firm" in Client().get("/account/login/").content.decode()


def test_somebody_known_by_a_verified_address_comes_in_and_keeps_their_password(provider, person):
    bo = person("viewer", username="bo")
    browser = come_in(provider, email="BO@example.com")
    assert is_in(browser)
    assert provider.verifiers, "PKCE"
    bo.refresh_from_db()
    assert bo.has_usable_password()
    assert is_in(come_in(provider, email="bo@example.com")), "and again"
    assert Person.objects.count() == 2


def test_an_address_nobody_vouches_for_opens_nothing(provider, person, settings):
    person("viewer", username="bo")
    assert not is_in(come_in(provider, email="bo@example.com", email_verified=False))
    configure(settings, provider, emails_are_verified=True)
    assert is_in(come_in(provider, email="bo@example.com", email_verified=False))


def test_a_stranger_is_not_let_in_and_no_person_is_made(provider):
    browser = come_in(provider, email="stranger@example.com")
    assert not is_in(browser)
    assert "not been invited" in browser.last.content.decode()
    assert Person.objects.count() == 1


def test_somebody_invited_comes_in_with_the_role_and_rows_of_the_invitation(provider):
    held = invite("new@example.com")
    assert is_in(come_in(provider, email="new@example.com", name="New One"))
    made = Person.objects.get(email="new@example.com")
    assert (made.role, made.sales_owners, made.has_usable_password()) == ("legal", ["Somebody"], False)
    held.refresh_from_db()
    assert held.state == "accepted"
    assert AuditEvent.objects.filter(act="joined", key=made.username).exists()


def test_where_it_is_configured_people_of_the_firm_come_in_with_a_role_and_others_do_not(provider, settings):
    configure(settings, provider, create="viewer", domains=["example.com"])
    assert is_in(come_in(provider, email="any@example.com"))
    assert Person.objects.get(email="any@example.com").role == "viewer"
    assert not is_in(come_in(provider, email="any@elsewhere.com"))


def test_somebody_deactivated_stays_out(provider, person):
    person("viewer", username="bo", is_active=False)
    assert not is_in(come_in(provider, email="bo@example.com"))


def test_nobody_connects_a_strange_account_to_their_own(provider, signed_in):
    browser = signed_in("viewer")
    provider.person = {"sub": "evil", "email": "evil@example.com", "email_verified": True}
    start = browser.get("/account/oidc/firm/login/?process=connect")
    state = parse_qs(urlsplit(start.url).query)["state"][0]
    assert browser.get("/account/oidc/firm/login/callback/", {"code": "c", "state": state}).status_code == 401
    assert not SocialAccount.objects.exists()


def test_a_made_up_state_opens_nothing(provider, person):
    person("viewer", username="bo")
    provider.person = {"sub": "b", "email": "bo@example.com", "email_verified": True}
    browser = Client()
    browser.get("/account/oidc/firm/login/callback/", {"code": "c", "state": "guess"})
    assert not is_in(browser)


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "/no/such/file",
        '[{"provider_id": "x"}]',
        '[{"provider_id":"x","name":"x","client_id":"x","secret":"top secret","server_url":"x","create":"admin"}]',
    ],
)
def test_a_configuration_that_is_wrong_is_said_without_its_secrets(text):
    with pytest.raises(OptionMisusedError) as caught:
        sign_in.providers(text)
    assert "top secret" not in caught.value.message()


def test_a_secret_may_stand_in_a_file(tmp_path):
    (tmp_path / "secret").write_text("hush\n")
    one = {"provider_id": "x", "name": "X", "client_id": "c", "secret": f"file:{tmp_path}/secret", "server_url": "https://id.example"}
    assert sign_in.providers(json.dumps(one))[0]["secret"] == "hush"


def test_mail_servers_are_read_from_an_address():
    assert sign_in.mail("smtp://me:p%40ss@mail.example") == {
        "EMAIL_HOST": "mail.example", "EMAIL_PORT": 587, "EMAIL_HOST_USER": "me", "EMAIL_HOST_PASSWORD": "p@ss",
        "EMAIL_USE_TLS": True, "EMAIL_USE_SSL": False,
    }  # fmt: skip
    assert sign_in.mail("smtps://mail.example")["EMAIL_PORT"] == 465
    assert sign_in.mail("") == {}
