"""Files that are not what they seem, and people who may not: a clear sentence, nothing kept, nothing outside the folder."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import zipfile

import pytest
from django.urls import reverse
from django.utils import timezone

from duecourse.desk import examining
from duecourse.web import books
from duecourse.web import environment as env
from duecourse.web.imports.models import Upload
from duecourse.web.imports.receiving import clean_name, place_of
from duecourse.web.imports.wording import typed_amount
from duecourse.web.jobs import queue
from duecourse.web.jobs.worker import drain

pytestmark = pytest.mark.django_db(transaction=True)


def zipped(members, lie=0):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    content = made.getvalue()
    if lie:  # the central directory says that the member is small
        real = len(next(iter(members.values()))).to_bytes(4, "little")
        content = content.replace(real, lie.to_bytes(4, "little"))
    return content


BOMB = b"0" * (24 << 20)


@pytest.fixture(scope="module")
def bombs():
    return {
        "xlsx": zipped({"xl/worksheets/sheet1.xml": BOMB, "xl/workbook.xml": b"<workbook/>"}),
        "liar": zipped({"xl/worksheets/sheet1.xml": BOMB, "xl/workbook.xml": b"<workbook/>"}, lie=1000),
        "gz": gzip.compress(BOMB),
        "two": gzip.compress(b"a,b\n1,2\n") + gzip.compress(BOMB),
    }


@pytest.mark.alike
@pytest.mark.parametrize("kind", ["xlsx", "liar", "gz", "two"])
def test_a_bomb_is_not_opened(desk, empty_ledger, bombs, kind, monkeypatch):
    monkeypatch.setattr(examining, "UNPACKED_FREE", 8 << 20)  # as with a bomb of many times the size, only quicker
    (upload,) = (at := desk()).hand_in((f"liste.{kind}", bombs[kind]))
    page = at.look(upload)
    assert "packed so tightly" in page or "ends in the middle" in page
    page = at.confirm(upload)
    assert upload.state == "failed"
    assert books.ledger().version == 0


@pytest.mark.alike
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "cannot be read (empty)"),
        (b"<!DOCTYPE html><html><body><table><tr><td>Open items</td></tr></table></body></html>", "cannot be read"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "cannot be read"),
        (bytes(range(1, 9)) * 4000, "cannot be read"),
        (zipped({"a.csv": b"a,b\n1,2\n", "b.csv": b"a,b\n1,2\n"}), "cannot be read"),
        (zipped({"xl/workbook.xml": b"<workbook/>"})[:-30], "ends in the middle"),
    ],
    ids=["0 bytes", "HTML", "PDF", "binary", "two files in a zip", "cut off"],
)
def test_what_is_no_export_is_told_what_is_wrong_with_it(desk, empty_ledger, content, says):
    (upload,) = (at := desk()).hand_in(("未清项.xlsx", content))
    page = at.look(upload)
    assert says in page
    assert "未清项.xlsx" in page
    assert "/tmp/" not in page, "our own folders are nobody's business"


@pytest.mark.alike
@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../../etc/passwd", "passwd"),
        ("..\\..\\windows\\system32\\a.csv", "a.csv"),
        ("a\x00b\r\n.csv", "ab.csv"),
        ("....", "file"),
        (".htaccess", "htaccess"),
        ("/", "file"),
        ("未清项 2025-09-30.csv", "未清项 2025-09-30.csv"),
        ("x" * 500 + ".csv", "x" * 116 + ".csv"),
    ],
)
def test_a_name_leads_nowhere(name, clean):
    assert clean_name(name) == clean


@pytest.mark.alike
def test_a_name_that_leads_elsewhere_stays_in_the_folder(desk, empty_ledger, uploads_folder):
    (upload,) = desk().hand_in(("../../evil.csv", b"a,b\n1,2\n"))
    assert upload.name == "evil.csv"
    assert [one.name for one in uploads_folder.iterdir()] == [upload.sha256]


@pytest.mark.alike
def test_a_file_above_the_limit_is_refused_and_not_kept(desk, empty_ledger, uploads_folder, monkeypatch):
    monkeypatch.setattr(env, "UPLOAD_LIMIT", 2 << 20)
    at = desk()
    assert at.hand_in(("gross.csv", b"1" * (3 << 20))) == []
    assert "gross.csv" in at.page and "2 MB" in at.page
    assert list(uploads_folder.iterdir()) == []


@pytest.mark.alike
def test_no_upload_without_the_token_of_the_form(person, empty_ledger, uploads_folder):
    from django.test import Client

    browser = Client(enforce_csrf_checks=True)
    browser.force_login(person())
    answer = browser.post(reverse("import_upload"), {"files": io.BytesIO(b"a,b\n1,2\n")})
    assert answer.status_code == 403
    assert not Upload.objects.exists()


def test_people_whose_view_is_restricted_or_who_may_not_import_stay_outside(desk, empty_ledger):
    (upload,) = (anna := desk()).hand_in(("a.csv", b"a,b\n1,2\n"))
    restricted = desk("credit_manager", sales_owners=["Bo"]).browser
    for who in (restricted, desk("sales").browser):
        for name, args in (("imports", []), ("import_file", [upload.pk]), ("import_preview", [upload.pk]), ("import_download", [upload.pk]),
                           ("import_progress", [upload.pk]), ("quarantine", []), ("quarantine_export", [])):  # fmt: skip
            assert who.get(reverse(name, args=args)).status_code == 403, name
        for name in ("import_confirm", "import_cancel", "import_discard", "import_change"):
            assert who.post(reverse(name, args=[upload.pk])).status_code == 403, name
        assert who.post(reverse("import_upload"), {"files": io.BytesIO(b"x")}).status_code == 403
    assert "limited to some companies" in restricted.get(reverse("imports")).content.decode()
    assert Upload.objects.count() == 1
    assert anna.browser.get(reverse("import_download", args=[upload.pk])).getvalue() == b"a,b\n1,2\n"


def test_a_file_nobody_confirmed_is_cleared_away_after_a_week(desk, empty_ledger, uploads_folder):
    at = desk()
    old, same, young = at.hand_in(("a.csv", b"a,b\n1,2\n"), ("b.csv", b"a,b\n1,2\n"), ("c.csv", b"a,b\n3,4\n"))
    (uploads_folder / ".part-0123456789abcdef").write_bytes(b"half")
    Upload.objects.filter(pk=old.pk).update(at=timezone.now() - dt.timedelta(days=8))
    queue.enqueue("imports.clear")
    drain()
    assert set(Upload.objects.values_list("pk", flat=True)) == {same.pk, young.pk}
    assert place_of(old.sha256).exists(), "another upload has the same bytes"
    Upload.objects.filter(pk=same.pk).update(at=timezone.now() - dt.timedelta(days=8))
    queue.enqueue("imports.clear")
    drain()
    assert not place_of(old.sha256).exists()
    assert place_of(young.sha256).exists()


@pytest.mark.alike
@pytest.mark.parametrize(
    ("text", "value"),
    [("1,234.56", "1234.56"), ("1.234,56", "1234.56"), ("1 234,5", "1234.5"), ("1,234", "1234"), ("1.234.567", "1234567"), ("-12.30", "-12.30"), ("12,3", "12.3"), ("0", "0")],
)  # fmt: skip
def test_an_amount_is_understood_in_either_habit(text, value):
    assert str(typed_amount(text)) == value


@pytest.mark.alike
@pytest.mark.parametrize("text", ["", "abc", "--1", "1e", "NaN?"])
def test_what_is_no_amount_is_none(text):
    assert typed_amount(text) is None
