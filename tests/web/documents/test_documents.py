"""Documents on pages: handed in once, described by addition, seen only where the buyer is, downloaded safely, packed."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import os
import random
import subprocess
import sys
import time
import zipfile
from importlib import import_module
from threading import Thread
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from duecourse import chain
from duecourse.actions.evidence_file.checking import check
from duecourse.ledger.entries import CASE_EVENT_KINDS
from duecourse.web import books
from duecourse.web import environment as env
from duecourse.web.accounts.models import AuditEvent
from duecourse.web.cases import keeping as cases
from duecourse.web.cases.models import Case
from duecourse.web.documents import custody, pages
from duecourse.web.documents.models import CustodyRow, Filed, Held, Linked, Package
from duecourse.web.documents.packing import place_of
from duecourse.web.jobs.worker import drain
from duecourse.web.outbox.models import Outgoing
from duecourse.web.outbox.sending import append_waiting
from support.documents import MAIL, pdf, png
from support.examples import examples
from support.migrated import migrated_sqlite

CONTRACT = pdf("购销合同 Sales contract", "second page")


@pytest.fixture(autouse=True)
def _own_home(tmp_path, monkeypatch):
    monkeypatch.setattr(env, "HOME", tmp_path / "home")


@pytest.fixture
def book():
    ledger = books.ledger()
    return ledger.as_of(books.day_of(ledger))


@pytest.fixture
def buyer(book):
    return book.run(book.invoice.select("buyer_id", "invoice_id").order_by("invoice_id").limit(1)).to_pylist()[0]


def hand_in(browser, buyer_id: str, *files: tuple[str, bytes], **said: object):
    handed = [SimpleUploadedFile(name, content) for name, content in files]
    return browser.post(f"/documents/upload/{buyer_id}/", {"files": handed, **said}, follow=True)


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_files_are_taken_up_once_with_what_their_bytes_say(db, signed_in, buyer):
    anna = signed_in("collector")
    page = hand_in(
        anna,
        buyer["buyer_id"],
        ("购销合同.pdf", CONTRACT),
        ("Re payment.eml", MAIL),
        ("dock.png", png(30, 20)),
        invoices=[buyer["invoice_id"]],
        purpose="证明合同关系",
    )
    assert page.status_code == 200
    rows = {row.file_name: row for row in Filed.objects.all()}
    assert {(row.kind, row.media_type) for row in rows.values()} == {
        ("contract", "application/pdf"), ("correspondence", "message/rfc822"), ("photo", "image/png"),
    }  # fmt: skip
    assert rows["Re payment.eml"].dated == dt.date(2025, 3, 3), "an e-mail bears its own date"
    for row in rows.values():
        assert sha(custody.files().place(row.document_id).read_bytes()) == row.document_id
    assert Outgoing.objects.filter(table="document").count() == 3
    assert Linked.objects.filter(target="invoice", target_id=buyer["invoice_id"], purpose="证明合同关系").count() == 3
    assert "购销合同.pdf" in page.content.decode()
    again = hand_in(anna, buyer["buyer_id"], ("other name.pdf", CONTRACT))
    assert again.status_code == 200
    assert Filed.objects.count() == Held.objects.count() == 3, "the same bytes are the same document"
    assert CustodyRow.objects.filter(act="received").count() == 4, "that it was handed in again is told"
    assert not list((custody.files().folder / ".arriving").iterdir())
    assert custody.verify().whole


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("setup.exe", b"MZ\x90\x00" + bytes(50)),
        ("run", b"\x7fELF" + bytes(50)),
        ("a.pdf.bat", b"echo"),
        ("x.pdf", b"MZ\x00\x01"),
        ("m.jar", b"PK"),
        ("empty.pdf", b""),
    ],
)
def test_programs_and_empty_files_are_refused_and_leave_nothing(db, signed_in, buyer, name, content):
    page = hand_in(signed_in("collector"), buyer["buyer_id"], (name, content))
    assert page.status_code == 200
    assert not Filed.objects.exists()
    assert not Held.objects.exists()
    assert list(custody.files().all()) == []
    assert not list((custody.files().folder / ".arriving").iterdir())


def test_a_file_that_is_too_large_leaves_nothing(db, signed_in, buyer, monkeypatch):
    monkeypatch.setattr(env, "DOCUMENT_LIMIT", 1000)
    page = hand_in(signed_in("collector"), buyer["buyer_id"], ("big.txt", b"x" * 5000), ("small.txt", b"seen"))
    assert page.status_code == 200
    assert [row.file_name for row in Filed.objects.all()] == ["small.txt"]
    assert not list((custody.files().folder / ".arriving").iterdir())


def test_only_who_may_files_and_only_for_buyers_that_are_seen(db, signed_in, book, buyer):
    assert hand_in(signed_in("viewer"), buyer["buyer_id"], ("a.txt", b"x")).status_code == 403
    owners = book.run(book.buyer.select("buyer_id", "sales_owner").filter(book.buyer.buyer_id == buyer["buyer_id"])).to_pylist()
    stranger = signed_in("sales", sales_owners=[f"not {owners[0]['sales_owner']}"])
    mine = signed_in("collector")
    hand_in(mine, buyer["buyer_id"], ("terms.txt", b"Net 30 days"))
    digest = Filed.objects.get().document_id
    here = f"/buyers/{buyer['buyer_id']}/documents"
    for address in (f"{here}/", f"{here}/{digest}/", f"{here}/{digest}/file/"):
        assert stranger.get(address).status_code == 404
        assert mine.get(address).status_code == 200
    assert hand_in(stranger, buyer["buyer_id"], ("b.txt", b"y")).status_code == 404
    other = next(
        row for row in book.run(book.buyer.select("buyer_id").order_by("buyer_id")).to_pylist() if row["buyer_id"] != buyer["buyer_id"]
    )
    assert mine.get(f"/buyers/{other['buyer_id']}/documents/{digest}/").status_code == 404, (
        "a document is in the file of its own buyer only"
    )
    assert signed_in("viewer").get(f"{here}/{digest}/file/").status_code == 403
    assert signed_in("viewer").get(f"{here}/").status_code == 200


def test_a_download_is_the_very_bytes_and_nothing_a_browser_runs(db, signed_in, buyer):
    anna = signed_in("collector")
    hand_in(anna, buyer["buyer_id"], ("page.html", b"<html><script>alert(1)</script></html>"))
    digest = Filed.objects.get().document_id
    got = anna.get(f"/buyers/{buyer['buyer_id']}/documents/{digest}/file/")
    assert b"".join(got.streaming_content) == b"<html><script>alert(1)</script></html>"
    assert got["Content-Type"] == "application/octet-stream"
    assert got["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in got["Content-Security-Policy"]
    assert got["Content-Disposition"].startswith("attachment")
    assert CustodyRow.objects.filter(act="downloaded", document_id=digest).count() == 1
    place = custody.files().place(digest)
    place.chmod(0o600)
    place.write_bytes(b"<html><script>alert(2)</script></html>")
    assert anna.get(f"/buyers/{buyer['buyer_id']}/documents/{digest}/file/").status_code == 409, "bytes that changed are not handed out"
    hand_in(anna, buyer["buyer_id"], ("page.html", b"<html><script>alert(1)</script></html>"))
    assert custody.files().digest(digest) == digest, "the same file handed in again mends it"


def test_what_is_said_is_changed_by_adding_and_nothing_is_lost(db, signed_in, buyer):
    anna = signed_in("collector")
    hand_in(anna, buyer["buyer_id"], ("scan 17.pdf", CONTRACT))
    digest = Filed.objects.get().document_id
    here = f"/buyers/{buyer['buyer_id']}/documents/{digest}"
    told = {
        "kind": "contract",
        "dated": "2025-01-02",
        "received_on": "2025-01-03",
        "original": "yes",
        "holder": "Finance, binder 12",
        "language": "zh",
    }
    for _ in range(2):
        assert anna.post(f"{here}/describe/", told).status_code == 302
    assert Filed.objects.count() == 2, "said twice it is said once"
    assert [row.kind for row in Filed.objects.order_by("id")] == ["other", "contract"]
    assert anna.post(f"{here}/describe/", {**told, "dated": "2999-01-01"}).status_code == 409
    assert anna.post(f"{here}/describe/", {**told, "dated": "soon"}).status_code == 409
    assert anna.post(f"{here}/link/", {"invoices": ["no such invoice"]}).status_code == 409
    assert anna.post(f"{here}/link/", {"invoices": [buyer["invoice_id"]], "purpose": "价款"}).status_code == 302
    assert anna.post(f"{here}/unlink/", {"target": "invoice", "target_id": buyer["invoice_id"]}).status_code == 302
    assert anna.post(f"{here}/withdraw/", {"reason": ""}).status_code == 409
    assert anna.post(f"{here}/withdraw/", {"reason": "Belongs to another buyer"}).status_code == 302
    assert anna.get(f"{here}/").status_code == 404
    assert custody.files().digest(digest) == digest, "its bytes stay"
    assert [row.act for row in CustodyRow.objects.filter(document_id=digest).order_by("number")] == [
        "received",
        "described",
        "linked",
        "unlinked",
        "withdrawn",
    ]
    assert list(Outgoing.objects.filter(table="document").order_by("id").values_list("row__voided", flat=True)) == [None, None, True]
    hand_in(anna, buyer["buyer_id"], ("contract.pdf", CONTRACT))
    assert anna.get(f"{here}/").status_code == 200, "handed in again it is there again"
    assert AuditEvent.objects.filter(act="document.withdrawn").count() == 1


def test_the_ledger_has_each_document_once(db, own_ledger, signed_in, buyer):
    anna = signed_in("collector")
    for _ in range(2):
        hand_in(anna, buyer["buyer_id"], ("contract.pdf", CONTRACT), invoices=[buyer["invoice_id"]])
        append_waiting(own_ledger)
    own_ledger.refresh()
    later = own_ledger.as_of(dt.date(2999, 1, 1))
    (row,) = later.run(later.document).to_pylist()
    assert (row["document_id"], row["buyer_id"], row["kind"], row["file_name"]) == (
        sha(CONTRACT),
        buyer["buyer_id"],
        "contract",
        "contract.pdf",
    )
    (link,) = later.run(later.document_link).to_pylist()
    assert (link["target"], link["target_id"]) == ("invoice", buyer["invoice_id"])
    Filed.objects.all().query.clear_ordering(force=True)
    with connection.cursor() as cursor:  # an app database that was lost
        cursor.execute("DELETE FROM documents_filed")
    assert "contract.pdf" in anna.get(f"/buyers/{buyer['buyer_id']}/documents/").content.decode(), "what the ledger has is still shown"


def test_a_case_has_its_own_documents_and_those_of_all_the_buyers(db, signed_in, book):
    cases.run(book)
    case = Case.objects.order_by("-overdue_minor").first()
    anna = signed_in("legal")
    hand_in(anna, case.buyer_id, ("framework contract.txt", b"the contract"))
    hand_in(anna, case.buyer_id, ("demand.txt", b"pay by Friday"), case=str(case.pk), kind="notice")
    page = anna.get(f"/cases/{case.pk}/documents/").content.decode()
    assert "framework contract.txt" in page
    assert "demand.txt" in page
    assert Filed.objects.get(kind="notice").case_id == case.case_id
    assert anna.get("/cases/999999/documents/").status_code == 404


def test_a_spoilt_file_is_kept_and_said_to_be_spoilt(db, signed_in, buyer):
    anna = signed_in("legal")
    page = hand_in(anna, buyer["buyer_id"], ("order.zip", b"PK\x03\x04 cut off on its way"), follow=True).content.decode()
    kept = Filed.objects.get()
    assert "order.zip” cannot be opened" in page and kept.media_type == "application/zip"
    assert "order.zip” cannot be opened" in anna.get(f"/buyers/{buyer['buyer_id']}/documents/{kept.document_id}/").content.decode()


def test_a_document_proves_what_happened_in_a_case(db, own_ledger, signed_in, book):
    cases.run(book)
    append_waiting(own_ledger)
    case = Case.objects.order_by("-overdue_minor").first()
    anna = signed_in("legal")
    hand_in(anna, case.buyer_id, ("note of the call.txt", b"they will pay"), case=str(case.pk))
    here = f"/buyers/{case.buyer_id}/documents/{Filed.objects.get().document_id}"
    event = f"{case.case_id}-opened"
    assert event in anna.get(f"{here}/").content.decode()
    assert anna.post(f"{here}/link/", {"events": ["no such event"]}).status_code == 409
    assert anna.post(f"{here}/link/", {"events": [event], "purpose": "催收已开始"}).status_code == 302
    assert Linked.objects.filter(target="case_event", target_id=event, purpose="催收已开始").count() == 1
    assert anna.post(f"{here}/link/", {"purpose": ""}).status_code == 409
    assert anna.post(f"{here}/link/", {"purpose": "全部债权"}).status_code == 302
    assert Linked.objects.filter(target="buyer", target_id=case.buyer_id).count() == 1


def test_every_kind_of_event_is_worded():
    assert all(pages._event_word(kind) for kind in CASE_EVENT_KINDS)


def test_a_package_is_drawn_up_once_and_anyone_can_verify_it(db, own_ledger, signed_in, book):
    cases.run(book)
    case = Case.objects.order_by("-overdue_minor").first()
    anna = signed_in("credit_manager")
    hand_in(anna, case.buyer_id, ("合同.pdf", CONTRACT), ("mail.eml", MAIL), case=str(case.pk))
    assert anna.post(f"/buyers/{case.buyer_id}/documents/pack/", {"case": case.pk, "languages": "zh-en"}).status_code == 302
    drain()
    made = Package.objects.get()
    assert made.run.status == "done", (made.run.error_code, made.run.error_detail)
    found = check(place_of(made))
    assert (found.faults, found.documents, found.seal) == ((), 2, made.seal)
    assert found.rows == 2, "the log of the two documents goes with them"
    got = anna.get(f"/documents/packages/{made.pk}.zip")
    with zipfile.ZipFile(io.BytesIO(b"".join(got.streaming_content))) as archive:
        assert any(name.startswith("files/001-contract-") for name in archive.namelist())
    assert b"".join(anna.get(f"/documents/packages/{made.pk}.pdf").streaming_content).startswith(b"%PDF")
    assert CustodyRow.objects.filter(act="packed").count() == 2
    assert made.seal in anna.get(f"/cases/{case.pk}/documents/").content.decode()
    assert signed_in("viewer").get(f"/documents/packages/{made.pk}.zip").status_code == 403


# --- the log ----------------------------------------------------------------------------------------------------------------------------------


@settings(examples(12, 120), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_one_altered_byte_of_a_file_or_row_is_found_and_named(db, person, data):
    with transaction.atomic():
        store = custody.files()
        who = person("collector")
        kept = []
        for number in range(3):
            content = f"document {number} {data.draw(st.integers(0, 9))}".encode()
            digest, _fresh = store.keep_bytes(content)
            Held.objects.get_or_create(document_id=digest, defaults={"size_bytes": len(content), "media_type": "text/plain"})
            custody.add(who, "received", [(digest, f"B{number}")], file=f"f{number}.txt")
            kept.append((digest, content))
        assert custody.look().whole
        if data.draw(st.booleans(), label="a file"):
            digest, content = data.draw(st.sampled_from(kept))
            at = data.draw(st.integers(0, len(content) - 1))
            place = store.place(digest)
            place.chmod(0o600)
            place.write_bytes(content[:at] + bytes([content[at] ^ data.draw(st.integers(1, 255))]) + content[at + 1 :])
            found = custody.look()
            assert [(one.document_id, one.why) for one in found.bad] == [(digest, "changed")]
            assert found.log.whole
        else:
            row = data.draw(st.sampled_from(list(CustodyRow.objects.order_by("number"))))
            column = data.draw(st.sampled_from(["person_name", "act", "document_id", "buyer_id", "detail", "before", "previous", "hash"]))
            text = getattr(row, column) or "x"
            at = data.draw(st.integers(0, len(text) - 1))
            changed = text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]
            with connection.cursor() as cursor:
                cursor.execute(f"UPDATE documents_custodyrow SET {column} = %s WHERE number = %s", [changed, row.number])
            found = custody.look()
            assert not found.bad
            assert found.log.first_bad is not None
            assert row.number <= found.log.first_bad <= row.number + 1
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_the_database_itself_keeps_the_rows(person):
    keep = import_module("duecourse.web.documents.migrations.0002_keep_the_log")
    custody.add(person("collector"), "received", [("a" * 64, "B1")])
    with connection.schema_editor() as editor:
        keep.guard(None, editor)
    try:
        for statement in ("UPDATE documents_custodyrow SET act = 'x'", "DELETE FROM documents_custodyrow"):
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
    finally:
        with connection.schema_editor() as editor:
            keep.release(None, editor)
    with pytest.raises(TypeError):
        CustodyRow.objects.all().delete()
    assert custody.verify() == chain.Verdict(1, CustodyRow.objects.get().hash)


def test_the_log_is_shown_verified_and_only_to_who_may_see_it(db, signed_in, buyer):
    anna = signed_in("collector")
    hand_in(anna, buyer["buyer_id"], ("contract.pdf", CONTRACT))
    assert anna.get("/documents/custody/").status_code == 403
    auditor = signed_in("auditor")
    assert "contract.pdf" in auditor.get("/documents/custody/").content.decode()
    assert auditor.post("/documents/custody/verify/").status_code == 302
    drain()
    row = custody.last_verified()
    assert row is not None
    page = auditor.get("/documents/custody/?q=contract").content.decode()
    assert custody.end()[1] in page
    place = custody.files().place(Filed.objects.get().document_id)
    place.unlink()
    auditor.post("/documents/custody/verify/")
    drain()
    assert "missing" in custody.last_verified().detail
    assert "contract.pdf" in auditor.get("/documents/custody/").content.decode()


# --- two at once, and killed in the middle ----------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_people_hand_in_the_same_file_and_it_is_kept_once(signed_in, buyer):
    browsers = [signed_in("collector"), signed_in("legal")]
    answers: list[Any] = []

    def work(browser):
        try:
            answers.append(hand_in(browser, buyer["buyer_id"], ("contract.pdf", CONTRACT)).status_code)
        finally:
            connection.close()

    threads = [Thread(target=work, args=[browser]) for browser in browsers]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert answers == [200, 200]
    assert Held.objects.count() == Filed.objects.count() == Outgoing.objects.filter(table="document").count() == 1
    assert list(custody.files().all()) == [sha(CONTRACT)]
    assert CustodyRow.objects.filter(act="received").count() == 2
    assert custody.look().whole


FILER = """
import hashlib, os, sys, django
django.setup()
import datetime as dt
from duecourse.web.accounts.models import Person
from duecourse.web.documents import custody, keeping
from duecourse.web.documents.models import Filed, Held
from duecourse.web.migrating import migrate
from duecourse.web.outbox.models import Outgoing
if sys.argv[1] == "make":
    migrate()
    Person(username="n", email="n@example.com").save()
elif sys.argv[1] == "write":
    person, store = Person.objects.get(username="n"), custody.files()
    for number in range(int(sys.argv[2]), 10**6):
        content = (b"document %d " % number) * 4000
        half = store.arriving()
        with half.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        digest = hashlib.sha256(content).hexdigest()
        keeping.take_up(person, "B1", half, digest, f"{number}.txt", len(content), keeping.Said(), dt.date(2025, 1, 1))
        print(number, flush=True)
else:
    look, store = custody.look(), custody.files()
    held = set(Held.objects.values_list("document_id", flat=True))
    filed = list(Filed.objects.values_list("document_id", flat=True))
    halves = store.drop_halves(-1, __import__("time").time())
    strays = store.drop_unknown(held, -1, __import__("time").time())
    whole = set(store.all()) == held == set(filed) and len(filed) == len(held) == Outgoing.objects.filter(table="document").count() == look.log.rows
    print(look.whole, whole, len(held), halves <= int(sys.argv[2]), strays <= int(sys.argv[2]))
"""


def _kills(tmp_path, count: int) -> None:
    environment = {**os.environ, "DUECOURSE_HOME": str(tmp_path / "own"), "DUECOURSE_LEDGER": str(tmp_path / "ledger")}
    environment.pop("DUECOURSE_DATABASE", None)

    def run(*what: str) -> Any:
        return subprocess.Popen([sys.executable, "-c", FILER, *what], env=environment, stdout=subprocess.PIPE, text=True)

    migrated_sqlite(tmp_path / "own" / "desk.sqlite3")
    assert run("make").wait(120) == 0
    draw, answered = random.Random(11), 0
    for turn in range(count):
        writer = run("write", str(turn * 10_000))
        for _ in range(draw.randint(1, 25)):
            answered += bool(writer.stdout.readline())
        time.sleep(draw.random() / 100)
        writer.kill()
        answered += len(writer.stdout.read().split())
        writer.wait()
    told, _ = run("look", str(count)).communicate(timeout=120)
    whole, together, held, *few = told.split()
    assert (whole, together, set(few)) == ("True", "True", {"True"})
    assert int(held) >= answered, "nothing that was answered is lost"


def test_an_upload_that_is_killed_leaves_nothing_half(tmp_path):
    _kills(tmp_path, 3)


@pytest.mark.long
def test_an_upload_that_is_killed_forty_times_leaves_nothing_half(tmp_path):
    _kills(tmp_path, 40)
