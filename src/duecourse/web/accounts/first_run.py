"""The first minute: nobody is there yet. Every page leads to the set-up, which makes the first administrator, once.

Whoever can read the server's own folder may set it up: the link holds a token that stands in HOME/setup-token.
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Any, Final

from django.db import DatabaseError
from django.shortcuts import redirect

from duecourse.desk import settings as firm
from duecourse.web import books
from duecourse.web import environment as env
from duecourse.web.accounts import audit, tokens
from duecourse.web.accounts.inviting import free_username
from duecourse.web.accounts.models import Person

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from django.http import HttpRequest, HttpResponse

    Handler = Callable[[HttpRequest], HttpResponse]

TOKEN: Final = "setup-token"  # noqa: S105 — the name of a file
LOGIN: Final = "first-login.txt"
DEMO: Final = "demo"
OPEN: Final = ("/setup/", "/static/", "/choose/", "/csp-report/")
"""What is reached while nobody is there."""

_settled = False


def settled() -> bool:
    """Is anybody there? Asked of the database only until somebody is."""
    global _settled  # noqa: PLW0603 — once true it stays true: people are never deleted
    if not _settled:
        _settled = Person.objects.exists()
    return _settled


def forget() -> None:
    """Ask again: another database was put in its place."""
    global _settled  # noqa: PLW0603
    _settled = False


class FirstRun:
    """Leads every page to the set-up while nobody is there."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not settled() and not request.path.startswith(OPEN):
            return redirect("setup")
        return self.handler(request)


def setup_link() -> str | None:
    """The link to the set-up with its token; None once somebody is there, or while the database has no tables yet."""
    try:
        if Person.objects.exists():
            return None
    except DatabaseError:
        return None
    return f"{env.BASE_URL}/setup/?token={_token()}"


def token_fits(given: str) -> bool:
    """Is this the token of the set-up?"""
    return bool(given) and tokens.same(given, _token())


def set_up(request: HttpRequest, values: Mapping[str, Any]) -> Person | None:
    """Make the first administrator and say whose ledger it is; None if somebody was quicker. Raises what the ledger raises."""
    with audit.alone():
        if Person.objects.exists():
            return None
        email = values["email"]
        person = Person(
            username=free_username(email.partition("@")[0]),
            email=email,
            first_name=values["name"],
            role="admin",
            language=values["language"],
        )
        person.set_password(values["password"])
        person.save()
        audit.record_as(
            request, person, "set_up", "person", person.username, company=values["company"], base_currency=values["base_currency"]
        )
        wanted = {"company": values["company"], "base_currency": values["base_currency"]}
        ledger = books.ledger()
        now = firm.current(ledger)
        if changed := {name: value for name, value in wanted.items() if now.get(name) != value}:
            firm.change(ledger, changed)
    (env.HOME / TOKEN).unlink(missing_ok=True)
    return person


def make_demo_login(home: Path) -> tuple[str, str] | None:
    """A first login for the demo ledger: an administrator `demo`, whose password is kept in HOME/first-login.txt.

    The same one each time; None where people are there already and the password is not (or no longer) that of the file.
    """
    place = home / LOGIN
    kept = place.read_text(encoding="utf-8").split() if place.exists() else []
    with audit.alone():
        person = Person.objects.filter(username=DEMO).first()
        if person is not None:
            return (DEMO, kept[1]) if len(kept) == 2 and person.check_password(kept[1]) else None
        if Person.objects.exists():
            return None
        password = kept[1] if len(kept) == 2 else "-".join(secrets.token_hex(3) for _ in range(4))
        _write(place, f"{DEMO} {password}\n")
        person = Person(username=DEMO, email="demo@localhost", first_name="Demo", role="admin")
        person.set_password(password)
        person.save()
        audit.record(None, "set_up", "person", DEMO)
    (env.HOME / TOKEN).unlink(missing_ok=True)
    return DEMO, password


def _token() -> str:
    place = env.HOME / TOKEN
    if not place.exists():
        _write(place, secrets.token_urlsafe(32))
    return place.read_text(encoding="ascii").strip()


def _write(place: Path, text: str) -> None:
    """A file only its owner reads. The first of several processes wins."""
    place.parent.mkdir(parents=True, exist_ok=True)
    half = place.with_name(f".{place.name}-{os.getpid()}-{secrets.token_hex(4)}")
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    try:
        os.link(half, place)
    except FileExistsError:
        pass
    finally:
        half.unlink()
