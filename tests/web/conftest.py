"""The web app in tests: a small demo ledger, a database of its own, and three people.

Anna (credit manager) sees everything, Bo (sales) only his own customers, Cai has no right to what is asked. A test that writes facts
takes `own_ledger`; the others share one ledger and never change it.

DUECOURSE_TEST_DATABASE=postgres runs everything on a PostgreSQL server of its own instead of SQLite.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

HOME = Path(tempfile.mkdtemp(prefix="duecourse-web-"))
os.environ["DUECOURSE_HOME"] = str(HOME / "home")
os.environ["DUECOURSE_LEDGER"] = str(HOME / "ledger")
os.environ["DUECOURSE_SECRET_KEY"] = "only for tests, never for a server"
os.environ["DJANGO_SETTINGS_MODULE"] = "duecourse.web.settings"
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright keeps an event loop in the thread of the test
os.environ.pop("DUECOURSE_DATABASE", None)

NO_POSTGRES = ""
if os.environ.get("DUECOURSE_TEST_DATABASE") == "postgres":
    from support.postgres import Postgres, PostgresAbsentError

    try:
        os.environ["DUECOURSE_DATABASE"] = Postgres().url
    except PostgresAbsentError as reason:
        NO_POSTGRES = f"NOT TESTED on PostgreSQL: {reason}"

import django

django.setup()

from django.conf import settings

# Files by their own names: nothing has to be collected for a test that only reads pages.
settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}

# A password in a test is no secret: half a second less for each person.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]

from duecourse.desk.demo import make_demo
from duecourse.web import books
from duecourse.web import environment as env

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.test import Client

    from duecourse.ledger.store import Ledger
    from duecourse.web.accounts.models import Person


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Asked for PostgreSQL where there is none, skip aloud: SQLite under its name would prove nothing."""
    if NO_POSTGRES:
        for item in items:
            if "web" in item.path.parts:
                item.add_marker(pytest.mark.skip(reason=NO_POSTGRES))


PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """The database, without the guards of audit trail and custody log: a test with real transactions is cleared by deleting. Their own tests put them up."""
    from django.db import connection

    names = ("accounts.migrations.0002_keep_the_trail", "documents.migrations.0002_keep_the_log")
    with django_db_blocker.unblock(), connection.schema_editor() as editor:
        for name in names:
            import_module(f"duecourse.web.{name}").release(None, editor)


@pytest.fixture(scope="session")
def demo_ledger() -> Iterator[Path]:
    """The demo economy, 3,000 invoices."""
    place = Path(env.LEDGER)
    make_demo(place, invoices=3_000)
    yield place
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture(autouse=True)
def _demo(demo_ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every page needs a ledger. What people see is written at once: each test has its database to itself."""
    from duecourse.web.accounts import seeing

    monkeypatch.setattr(seeing, "AT_ONCE", True)


@pytest.fixture
def own_ledger(tmp_path: Path, demo_ledger: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """A copy of the demo ledger that the test may write to; the app works on it until the test ends."""
    place = tmp_path / "ledger"
    shutil.copytree(demo_ledger, place, ignore=shutil.ignore_patterns(".desk", ".answers"))
    monkeypatch.setattr(env, "LEDGER", str(place))
    books.forget()
    yield books.ledger()
    books.forget()


@pytest.fixture
def person(db: None) -> Callable[..., Person]:
    """person("sales", sales_owners=["…"]): somebody with that role and those rows."""
    from duecourse.web.accounts.models import Person

    def make(role: str = "credit_manager", username: str = "", **more: object) -> Person:
        username = username or f"{role}-{Person.objects.count()}"
        made = Person(username=username, email=f"{username}@example.com", role=role, **more)
        made.set_password(PASSWORD)
        made.save()
        return made

    return make


@pytest.fixture
def signed_in(person: Callable[..., Person]) -> Callable[..., Client]:
    """signed_in("auditor"): a browser in which somebody of that role is signed in; or signed_in(person)."""
    from django.test import Client

    def make(who: Person | str = "credit_manager", **more: object) -> Client:
        browser = Client()
        browser.force_login(person(who, **more) if isinstance(who, str) else who)
        return browser

    return make
