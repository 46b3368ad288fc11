"""The audit trail: complete, in one chain, and nobody can change it unseen."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import os
import random
import subprocess
import sys
import threading
import time
from importlib import import_module
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from duecourse import chain
from duecourse.messages import say
from duecourse.web.accounts import audit, seeing
from duecourse.web.accounts.models import AuditEvent, AuditHead, KeptError
from duecourse.web.jobs.queue import enqueue
from duecourse.web.jobs.registry import timetables
from duecourse.web.jobs.rules import Weekly
from duecourse.web.jobs.worker import drain
from support.migrated import migrated_sqlite

GUARDS = import_module("duecourse.web.accounts.migrations.0002_keep_the_trail")


def write(count: int) -> None:
    for number in range(count):
        audit.record(None, "tested", "thing", f"k{number}", words="逾期 “quoted” \x00", amount=number)


def change(number: int, **values: object) -> None:
    """As somebody would who has the database's password."""
    names = ", ".join(f"{name} = %s" for name in values)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE accounts_auditevent SET {names} WHERE number = %s", [*values.values(), number])


def test_each_row_holds_the_hash_of_the_one_before(db):
    write(5)
    rows = list(AuditEvent.objects.order_by("number"))
    assert [row.number for row in rows] == [1, 2, 3, 4, 5]
    assert rows[0].previous == chain.START
    assert [row.previous for row in rows[1:]] == [row.hash for row in rows[:-1]]
    assert audit.verify() == chain.Verdict(5, rows[-1].hash)


def test_an_empty_trail_is_whole(db):
    assert audit.verify().whole


@pytest.mark.parametrize(
    "values",
    [{"act": "nothing"}, {"detail": "{}"}, {"person_name": "Somebody else"}, {"key": "k9"}, {"address": "10.0.0.1"}, {"at": "2020-01-01 00:00:00+00:00"}, {"previous": "0" * 64}, {"hash": "f" * 64}],
)  # fmt: skip
def test_a_changed_row_is_named(db, values):
    write(6)
    change(4, **values)
    verdict = audit.verify()
    assert (verdict.first_bad, verdict.why) == (4, "changed")


def test_a_changed_row_with_its_hash_worked_out_again_is_named_by_the_next(db):
    write(6)
    row = AuditEvent.objects.get(number=3)
    row.act = "nothing"
    change(3, act="nothing", hash=audit.hash_of(row.previous, 3, row))
    assert audit.verify().first_bad == 4


def test_a_missing_row_and_a_missing_end_are_named(db):
    write(6)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_auditevent WHERE number = 3")
    assert (audit.verify().first_bad, audit.verify().why) == (3, "missing")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_auditevent WHERE number >= 3")
    assert (audit.verify().first_bad, audit.verify().why) == (3, "cut")


def test_it_proves_itself_every_week_and_says_so_where_it_cannot(signed_in):
    assert timetables()["accounts.verify_trail"].rule == Weekly(6, dt.time(4, 0))
    write(4)
    run = enqueue("accounts.verify_trail", key="fine")
    drain()
    run.refresh_from_db()
    assert run.status == "done"
    change(2, act="other")
    run = enqueue("accounts.verify_trail", key="altered")
    drain()
    run.refresh_from_db()
    assert (run.status, run.error_code, run.error_args["number"]) == ("failed", "audit_trail_altered", 2)
    assert AuditEvent.objects.filter(act="verified").count() == 2
    assert say("web.audit_altered", number="2") in signed_in("auditor").get("/audit/").content.decode()


def test_a_row_that_was_put_in_past_the_app_is_named(db):
    write(3)
    row = AuditEvent.objects.get(number=3)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_auditevent (number, at, person_name, act, kind, key, detail, address, previous, hash)"
            " SELECT 4, at, person_name, act, kind, key, detail, address, hash, %s FROM accounts_auditevent WHERE number = 3",
            [audit.hash_of(row.hash, 4, row)],
        )
    assert (audit.verify().first_bad, audit.verify().why) == (4, "changed")


def test_a_trail_emptied_together_with_its_head_is_shown_by_the_noted_hash(signed_in):
    browser = signed_in("auditor")
    write(3)
    noted = AuditEvent.objects.order_by("-number").first().hash
    assert "does not" not in browser.post("/audit/verify/", {"hash": noted}).content.decode()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_auditevent")
    AuditHead.objects.all().delete()
    text = browser.post("/audit/verify/", {"hash": noted}).content.decode()
    assert "No row has the noted hash" in text


def test_our_own_code_cannot_change_it(db):
    write(2)
    row = AuditEvent.objects.first()
    for deed in (row.save, row.delete, AuditEvent.objects.all().delete, lambda: AuditEvent.objects.update(act="x")):
        with pytest.raises(KeptError):
            deed()


def test_the_database_refuses_to_change_it(db):
    with connection.cursor() as cursor:
        for statement in GUARDS.MAKE[connection.vendor]:
            cursor.execute(statement)
    write(2)
    statements = ["UPDATE accounts_auditevent SET act = 'x'", "DELETE FROM accounts_auditevent"]
    if connection.vendor == "postgresql":
        statements.append("TRUNCATE accounts_auditevent")
    for statement in statements:
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert audit.verify().rows == 2


def test_the_row_and_the_deed_are_kept_together_or_not_at_all(person):
    somebody = person("viewer")
    with pytest.raises(RuntimeError), transaction.atomic():
        type(somebody).objects.filter(pk=somebody.pk).update(role="admin")
        audit.record(somebody, "person_changed", "person", somebody.username)
        raise RuntimeError
    somebody.refresh_from_db()
    assert somebody.role == "viewer"
    assert not AuditEvent.objects.filter(act="person_changed").exists()


@pytest.mark.django_db(transaction=True)
def test_many_writers_make_one_chain():
    def add() -> None:
        try:
            write(12)
        finally:
            connection.close()

    threads = [threading.Thread(target=add) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert audit.verify().whole
    assert audit.verify().rows == 72


@pytest.mark.django_db(transaction=True)
def test_what_is_seen_waits_for_nobody_and_is_not_lost(person, rf, monkeypatch):
    monkeypatch.setattr(seeing, "AT_ONCE", False)
    request = rf.get("/buyers/10-0001/?as_of=2026-01-31")
    request.user = person("viewer")
    for number in range(30):
        seeing.seen(request, "seen", "buyer", f"10-{number:04}", "as_of=2026-01-31")
    seeing.seen(request, "seen", "buyer", "10-0003", "as_of=2026-01-31")
    seeing.flush()
    seen = AuditEvent.objects.filter(act="seen").order_by("number")
    assert [row.key for row in seen] == [f"10-{number:04}" for number in range(30)]
    assert json.loads(seen[0].detail) == {"query": "as_of=2026-01-31"}
    assert seen[0].address == "127.0.0.1"
    assert audit.verify().whole


def test_a_page_that_is_seen_is_in_the_trail_and_one_without_figures_is_not(signed_in):
    browser = signed_in("admin")
    browser.get("/people/?as_of=2026-01-31")
    browser.get("/help/")
    browser.get("/profile/")
    assert [(row.kind, row.detail) for row in AuditEvent.objects.filter(act="seen")] == [("people", '{"query": "as_of=2026-01-31"}')]


def test_signing_in_out_and_failing_are_in_the_trail_without_what_was_typed(person):
    somebody = person("viewer", username="bo")
    browser = Client()
    browser.post("/account/login/", {"login": "bo", "password": "wrong password"})
    browser.post("/account/login/", {"login": "my secret password typed too early", "password": "x"})
    browser.post("/account/login/", {"login": "BO@example.com", "password": "correct horse battery staple"})
    browser.post("/account/logout/")
    rows = list(AuditEvent.objects.order_by("number"))
    assert [(row.act, row.key) for row in rows if row.act.startswith("sign")] == [
        ("sign_in_failed", "bo"), ("sign_in_failed", ""), ("signed_in", "bo"), ("signed_out", "bo"),
    ]  # fmt: skip
    assert "too early" not in str([row.detail for row in rows])
    assert {row.person_id for row in rows if row.act == "signed_in"} == {somebody.pk}


def test_an_auditor_finds_pages_and_exports(signed_in, person):
    browser = signed_in("auditor")
    anna = person("credit_manager", username="anna")
    for number in range(130):
        audit.record(anna, "exported" if number % 2 else "imported", "buyers", f"k{number}")
    first = browser.get("/audit/?act=exported")
    assert first.context["rows"][0]["row"].key == "k129"
    assert len(browser.get("/audit/").context["rows"]) == 100
    older = browser.get(browser.get("/audit/").context["next"])
    assert older.context["rows"][0]["row"].number < first.context["rows"][0]["row"].number
    assert {row["row"].key for row in browser.get("/audit/?kind=buyers&key=k7").context["rows"]} == {"k7"}
    assert not browser.get("/audit/?until=2020-01-01").context["rows"]
    assert browser.get("/audit/?since=never").status_code == 400
    lines = b"".join(browser.get(f"/audit/export/?person={anna.pk}").streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(lines)))
    assert len(rows) == 130
    assert {row["person_name"] for row in rows} == {"anna"}


def test_the_exported_file_proves_the_chain_by_itself(signed_in):
    browser = signed_in("auditor")
    write(4)
    rows = list(csv.DictReader(io.StringIO(b"".join(browser.get("/audit/export/").streaming_content).decode("utf-8-sig"))))
    previous = "0" * 64
    for row in rows:
        person = int(row["person_id"]) if row["person_id"] else None
        content = [
            previous,
            int(row["number"]),
            row["at"],
            person,
            row["person_name"],
            row["act"],
            row["kind"],
            row["key"],
            row["detail"],
            row["address"],
        ]
        previous = hashlib.sha256(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()
        assert row["hash"] == previous


def test_a_formula_in_an_exported_name_stays_text(signed_in):
    browser = signed_in("auditor")
    audit.record(None, "tested", "thing", "=HYPERLINK(1)")
    assert ",'=HYPERLINK(1)," in b"".join(browser.get("/audit/export/").streaming_content).decode()


def test_a_deed_that_did_not_note_itself_is_noted_and_one_that_did_is_not_noted_twice(signed_in, person):
    somebody = person("viewer", username="bo")
    browser = signed_in("admin")
    browser.post(f"/people/{somebody.pk}/deactivate/")
    assert [row.act for row in AuditEvent.objects.exclude(act="signed_in")] == ["person_deactivated"]
    browser.post("/jobs/999999/cancel/")
    assert not AuditEvent.objects.filter(act="did").exists(), "refused or not there: nothing was done"


WRITER = """
import sys, django
django.setup()
from django.db import transaction
from duecourse.web.accounts import audit
from duecourse.web.accounts.models import Person, AuditEvent
from duecourse.web.migrating import migrate
if sys.argv[1] == "make":
    migrate()
    Person(username="n", email="n@example.com", first_name="0").save()
elif sys.argv[1] == "write":
    while True:
        with transaction.atomic():
            person = Person.objects.select_for_update().get(username="n")
            person.first_name = str(int(person.first_name) + 1)
            person.save()
            audit.record(person, "counted", "number", person.first_name)
        print(person.first_name, flush=True)
else:
    verdict = audit.verify()
    print(verdict.whole, AuditEvent.objects.filter(act="counted").count(), Person.objects.get(username="n").first_name)
"""


def _kills(tmp_path, count: int) -> None:
    environment = {**os.environ, "DUECOURSE_HOME": str(tmp_path / "home"), "DUECOURSE_LEDGER": str(tmp_path / "ledger")}
    environment.pop("DUECOURSE_DATABASE", None)

    def run(what: str, **more: Any) -> Any:
        return subprocess.Popen([sys.executable, "-c", WRITER, what], env=environment, stdout=subprocess.PIPE, text=True, **more)

    migrated_sqlite(tmp_path / "home" / "desk.sqlite3")
    assert run("make").wait(120) == 0
    draw = random.Random(7)
    answered = 0
    for _ in range(count):
        writer = run("write")
        for _ in range(draw.randint(1, 40)):
            answered = int(writer.stdout.readline())
        time.sleep(draw.random() / 200)
        writer.kill()
        answered = max([answered, *(int(line) for line in writer.stdout.read().split())])
        writer.wait()
    told, _ = run("verify").communicate(timeout=120)
    whole, rows, number = told.split()
    assert whole == "True"
    assert int(rows) == int(number) >= answered, "each deed in the trail, once, and none that was answered is lost"


@pytest.mark.skipif(connection.vendor != "sqlite", reason="on SQLite's file, which the pass on SQLite has done")
def test_a_server_that_is_killed_leaves_a_whole_trail_of_what_was_done(tmp_path):
    _kills(tmp_path, 2)


@pytest.mark.long
def test_a_server_that_is_killed_forty_times_does_too(tmp_path):
    _kills(tmp_path, 40)
