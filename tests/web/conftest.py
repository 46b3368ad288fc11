"""The web app in tests: a small demo ledger, a database of its own, and three people.

Anna (credit manager) sees everything, Bo (sales) only his own customers, Cai has no right to what is asked. A test that writes facts
takes `own_ledger`; the others share one ledger and never change it.

DUECOURSE_TEST_DATABASE=postgres runs everything on a PostgreSQL server of its own instead of SQLite.
"""

from __future__ import annotations

import os
import shutil
import signal
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
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # told to stop, it stops the server, too

    from support.postgres import Postgres, PostgresAbsentError

    try:
        os.environ["DUECOURSE_DATABASE"] = Postgres().url
    except PostgresAbsentError as reason:
        NO_POSTGRES = f"NOT TESTED on PostgreSQL: {reason}"

import django

django.setup()

from django.conf import settings
from django.test import TransactionTestCase

# Files by their own names: nothing has to be collected for a test that only reads pages.
settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}

# A test's database dies with it: nothing has to reach the disk. (Processes that are killed keep the settings of production.)
if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    settings.DATABASES["default"]["OPTIONS"]["init_command"] += " PRAGMA synchronous=OFF;"

# A password in a test is no secret: half a second less for each person.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]

from duecourse.web import books
from duecourse.web import environment as env
from support.demos import demo_at
from support.migrated import migrated_sqlite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.test import Client

    from duecourse.ledger.store import Ledger
    from duecourse.web.accounts.models import Person


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Each worker has a home of its own. Inheriting that of the process that starts it, pytest-django would load the app there, and all would share it."""
    for name in ("DJANGO_SETTINGS_MODULE", "DUECOURSE_HOME", "DUECOURSE_LEDGER", "DUECOURSE_DATABASE"):
        os.environ.pop(name, None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Asked for PostgreSQL where there is none, skip aloud: SQLite under its name would prove nothing."""
    if NO_POSTGRES:
        for item in items:
            if "web" in item.path.parts:
                item.add_marker(pytest.mark.skip(reason=NO_POSTGRES))


PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_modify_db_settings: None, django_db_blocker: Any) -> Iterator[None]:
    """A copy of the database that was migrated once for all workers, without the guards of audit trail and custody log: a test with real
    transactions is cleared by deleting. Their own tests put them up."""
    from django.db import connection, connections

    names = ("accounts.migrations.0002_keep_the_trail", "documents.migrations.0002_keep_the_log")
    with django_db_blocker.unblock():
        name = connection.creation._get_test_db_name()
        if connection.vendor == "sqlite":
            migrated_sqlite(Path(name))
        else:
            with connection._nodb_cursor() as cursor:
                cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{connection.settings_dict["NAME"]}"')
        connection.close()
        settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name
        with connection.schema_editor() as editor:
            for one in names:
                import_module(f"duecourse.web.{one}").release(None, editor)
    yield
    with django_db_blocker.unblock():
        connections.close_all()


def empty_what_was_filled(self: TransactionTestCase) -> None:
    """After a test with real transactions: as `flush`, but only where there are rows, and what Django itself put there stays.

    Emptying a hundred empty tables and writing down again which kinds of things and permissions there are took most of such tests' time.
    """
    from django.db import connection, transaction

    quote = connection.ops.quote_name
    tables = [name for name in connection.introspection.django_table_names(only_existing=True, include_views=False) if name not in KEPT]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {quote(name)})" for name in tables))
        filled = [row[0] for row in cursor.fetchall()]
    if not filled:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")  # keys are not followed: everything goes
        for name in filled:
            cursor.execute(f"DELETE FROM {quote(name)}")


KEPT = {"django_content_type", "auth_permission", "django_site"}
"""Written down when tables are made."""

TransactionTestCase._fixture_teardown = empty_what_was_filled  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def demo_ledger() -> Iterator[Path]:
    """The demo economy, 3,000 invoices."""
    place = Path(env.LEDGER)
    demo_at(place, invoices=3_000)
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
