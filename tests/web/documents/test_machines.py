"""Documents over the API, time-stamps from an authority that may be down, and evidence on the command line."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import zipfile
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from duecourse.cli import main
from duecourse.web import books
from duecourse.web import environment as env
from duecourse.web.cases import keeping as cases
from duecourse.web.cases.models import Case
from duecourse.web.documents import custody, stamping
from duecourse.web.documents.models import CustodyRow, Filed, Stamped
from duecourse.web.jobs.models import JobRun
from duecourse.web.jobs.worker import drain
from support.authority import authority
from support.documents import MAIL, pdf

CONTRACT = pdf("购销合同 Sales contract")


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


def send(browser, buyer_id, name, content, **said):
    return browser.post(
        f"/api/v1/buyers/{buyer_id}/documents",
        {"file": SimpleUploadedFile(name, content), **said},
        headers={"Idempotency-Key": f"key-{len(content)}"},
    )


def test_a_program_files_lists_and_fetches_documents(db, signed_in, buyer):
    anna, number = signed_in("collector"), buyer["buyer_id"]
    made = send(
        anna, number, "contract.pdf", CONTRACT, dated="2025-01-02", original="true", purpose="证明合同关系", invoice_id=buyer["invoice_id"]
    )
    assert made.status_code == 201, made.content
    told = made.json()
    assert (told["kind"], told["document_id"], told["dated"], told["original"]) == (
        "contract",
        hashlib.sha256(CONTRACT).hexdigest(),
        "2025-01-02",
        True,
    )
    assert told["proves"] == [{"target": "invoice", "target_id": buyer["invoice_id"], "purpose": "证明合同关系"}]
    assert send(anna, number, "contract.pdf", CONTRACT).status_code == 200, "the same bytes are the same document"
    assert send(anna, number, "mail.eml", MAIL).json()["kind"] == "correspondence"
    first = anna.get(f"/api/v1/buyers/{number}/documents?limit=1").json()
    assert (first["total"], [row["file_name"] for row in first["rows"]]) == (2, ["contract.pdf"])
    second = anna.get(f"/api/v1/buyers/{number}/documents?limit=1&cursor={first['next']}").json()
    assert [row["file_name"] for row in second["rows"]] == ["mail.eml"]
    got = anna.get(f"/api/v1/buyers/{number}/documents/{told['document_id']}/file")
    assert b"".join(got.streaming_content) == CONTRACT
    place = custody.files().place(told["document_id"])
    place.chmod(0o600)
    place.write_bytes(CONTRACT[:-1])
    assert anna.get(f"/api/v1/buyers/{number}/documents/{told['document_id']}/file").json()["code"] == "document_altered"


def test_what_cannot_be_filed_is_said_and_leaves_nothing(db, signed_in, buyer):
    anna, number = signed_in("collector"), buyer["buyer_id"]
    assert send(anna, number, "run.exe", b"MZ\x00").status_code == 422
    assert send(anna, number, "a.txt", b"x", dated="2999-01-01").status_code == 422
    assert send(anna, number, "a.txt", b"x", invoice_id="none such").status_code == 422
    assert send(anna, number, "a.txt", b"x", kind="novel").status_code == 422
    assert send(anna, number, "a.txt", b"x", case_id="C999999").status_code == 404
    assert send(anna, "no such buyer", "a.txt", b"x").status_code == 404
    assert send(signed_in("viewer"), number, "a.txt", b"x").status_code == 403
    assert anna.post(f"/api/v1/buyers/{number}/documents", {"file": SimpleUploadedFile("a.txt", b"x")}).status_code == 400, (
        "a write wants its key"
    )
    assert not Filed.objects.exists()
    assert not list((custody.files().folder / ".arriving").glob("*"))


def test_completeness_is_told_by_route(db, signed_in, book):
    cases.run(book)
    case = Case.objects.order_by("-overdue_minor").first()
    anna = signed_in("legal")
    told = anna.get(f"/api/v1/buyers/{case.buyer_id}/evidence-completeness", {"case_id": case.case_id}).json()
    suit = next(row for row in told["routes"] if row["route"] == "suit")
    assert suit["score"] == 0
    send(anna, case.buyer_id, "contract.pdf", CONTRACT, case_id=case.case_id, original="true")
    again = anna.get(f"/api/v1/buyers/{case.buyer_id}/evidence-completeness", {"case_id": case.case_id}).json()
    better = next(row for row in again["routes"] if row["route"] == "suit")
    assert better["score"] > 0
    assert {row["need"] for row in suit["missing"]} - {row["need"] for row in better["missing"]} == {"contract"}
    assert case.case_id in anna.get(f"/cases/{case.pk}/").content.decode()
    assert f"/cases/{case.pk}/documents/" in anna.get(f"/cases/{case.pk}/").content.decode()


# --- time-stamps ------------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def tsa(tmp_path, monkeypatch):
    with authority() as one:
        roots = tmp_path / "roots.pem"
        roots.write_bytes(one.root.public_bytes(serialization.Encoding.PEM))
        monkeypatch.setattr(env, "TSA_URL", one.url)
        monkeypatch.setattr(env, "TSA_ROOTS", str(roots))
        stamping.read_roots.cache_clear()
        yield one


def test_a_document_is_stamped_once_by_a_job_and_an_authority_that_is_down_is_asked_again(db, signed_in, buyer, tsa):
    tsa.faults = 2
    anna = signed_in("collector")
    assert send(anna, buyer["buyer_id"], "contract.pdf", CONTRACT).status_code == 201, "filing does not wait for the authority"
    assert not Stamped.objects.exists()
    for _ in range(4):
        drain()
        JobRun.objects.filter(name="documents.stamp", status="waiting").update(run_after=timezone.now())
    stamp = Stamped.objects.get()
    assert (stamp.stamped_at, stamp.authority, stamp.trusted) == (tsa.at, "CN=Test time-stamp authority", True)
    assert tsa.asked == 3
    assert stamping.stamp_document(stamp.document_id) is False
    assert tsa.asked == 3, "what is stamped is not stamped again"
    assert CustodyRow.objects.filter(act="stamped").count() == 1
    assert custody.verify().whole
    told = anna.get(f"/api/v1/buyers/{buyer['buyer_id']}/documents").json()["rows"][0]
    assert dt.datetime.fromisoformat(told["timestamped_at"]) == tsa.at


def test_an_answer_of_somebody_else_is_not_kept(db, signed_in, buyer, tsa, monkeypatch, tmp_path):
    with authority() as other:
        monkeypatch.setattr(env, "TSA_URL", other.url)
        send(signed_in("collector"), buyer["buyer_id"], "contract.pdf", CONTRACT)
        drain()
    assert not Stamped.objects.exists()
    assert JobRun.objects.get(name="documents.stamp").error_code == "stamp_invalid"


# --- command line -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_evidence_is_packed_and_verified_on_the_command_line(tmp_path, own_ledger, signed_in, capsys, monkeypatch):
    monkeypatch.setattr("duecourse.cli.serving._app", lambda _session: None)  # this process has loaded the app, on a home of its own
    monkeypatch.setattr("duecourse.web.migrating.migrate", lambda: None)

    def run(*words: str, expect: int = 0) -> Any:
        capsys.readouterr()
        assert main(["--ledger", env.LEDGER, "--format", "json", *words]) == expect, capsys.readouterr()
        told = capsys.readouterr().out
        return json.loads(told) if told.startswith("{") else None

    cases.run(own_ledger.as_of(books.day_of(own_ledger)))
    case = Case.objects.order_by("-overdue_minor").first()
    anna = signed_in("collector")
    for name, content in (("contract.txt", b"the contract"), ("delivery note.txt", b"received in good order")):
        assert send(anna, case.buyer_id, name, content, case_id=case.case_id).status_code == 201
    told = run("evidence-file", case.case_id, "--out", str(tmp_path / "out"), "--language", "zh-en")
    assert told["documents"] == 2
    with zipfile.ZipFile(told["package"]) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        assert (manifest["buyer_id"], len(manifest["custody"]["rows"])) == (case.buyer_id, 2)
    run("evidence-file", "--out", str(tmp_path / "out"), expect=2)
    run("evidence-file", "C999999", "--out", str(tmp_path / "out"), expect=2)
    assert run("evidence-file", "--buyer", case.buyer_id, "--out", str(tmp_path / "out"))["documents"] == 2
    found = run("verify-evidence", told["package"])
    assert (found["whole"], found["documents"], found["manifest_sha256"]) == (True, 2, told["manifest_sha256"])
    assert run("verify-documents")["whole"] is True
    kept = next((env.HOME / "documents").glob("??/*"))
    kept.chmod(0o600)
    kept.write_bytes(b"another")
    assert [one["document_id"] for one in run("verify-documents", expect=1)["bad_files"]] == [kept.name]
    run("evidence-file", case.case_id, "--out", str(tmp_path / "none"), expect=2)
    assert not list((tmp_path / "none").glob("*")), "nothing half is left"


def test_an_altered_package_is_named_without_a_ledger(tmp_path, capsys):
    from duecourse.actions.evidence_file.package import package
    from support.documents import evidence

    file, contents = evidence({"a.txt": ("other", "text/plain", b"words")})
    for digest, content in contents.items():
        (tmp_path / digest).write_bytes(content)
    out = io.BytesIO()
    package(file, lambda one: tmp_path / one.document_id, out, languages=("en",))
    with zipfile.ZipFile(out) as archive:
        archive.extractall(tmp_path / "unpacked")
    (tmp_path / "unpacked" / "files" / "001-other-a.txt").write_bytes(b"wordz")
    assert main(["--lang", "en", "verify-evidence", str(tmp_path / "unpacked")]) == 1
    assert "files/001-other-a.txt: not as it was written" in capsys.readouterr().out
    assert main(["verify-evidence", str(tmp_path)]) == 2
