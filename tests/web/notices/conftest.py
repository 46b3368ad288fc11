"""Channels to servers of this machine."""

from __future__ import annotations

import pytest

from duecourse.web import environment as env
from duecourse.web.api.webhooks import signing
from duecourse.web.notices.kinds import KINDS
from duecourse.web.notices.models import Channel
from support.loopback import Chat, Mail


@pytest.fixture
def chat(monkeypatch):
    monkeypatch.setattr(env, "WEBHOOK_NETWORKS", ["127.0.0.0/8"])
    made = Chat()
    yield made
    made.end()


@pytest.fixture
def mail_server(monkeypatch, settings):
    made = Mail()
    monkeypatch.setattr(env, "EMAIL_URL", f"smtp+plain://127.0.0.1:{made.port}")
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = "127.0.0.1", made.port, False, False
    settings.EMAIL_HOST_USER, settings.EMAIL_TIMEOUT, settings.DEFAULT_FROM_EMAIL = "", 5, "duecourse@example.com"
    yield made
    made.end()


@pytest.fixture
def channel(db, chat):
    """channel("slack"): a group's channel that hears of everything at once."""

    def make(service="slack", **more):
        values = {"name": service, "language": "en", "kinds": dict.fromkeys(KINDS, "at_once") | {"summary": "daily"}, "host": "127.0.0.1"}
        secret = signing.new_secret() if service == "webhook" else more.pop("secret", "")
        return Channel.objects.create(
            service=service, sealed_url=signing.sealed(f"{chat.url}/{service}"), sealed_secret=signing.sealed(secret) if secret else "", **values | more
        )  # fmt: skip

    return make
