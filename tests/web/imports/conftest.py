"""Files handed in as a browser hands them in, and a ledger that begins empty."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from duecourse.desk.opening import open_ledger
from duecourse.web import books
from duecourse.web import environment as env
from duecourse.web.imports.models import Upload
from duecourse.web.jobs.worker import drain

FIXTURES = Path(__file__).parents[2] / "intake" / "fixtures"


@pytest.fixture
def empty_ledger(tmp_path, monkeypatch):
    """The app works on an empty ledger until the test ends."""
    place = tmp_path / "empty"
    open_ledger(place, create=True)
    monkeypatch.setattr(env, "LEDGER", str(place))
    books.forget()
    yield books.ledger()
    books.forget()


@pytest.fixture
def uploads_folder(tmp_path, monkeypatch):
    """Uploads of the test lie here."""
    home = tmp_path / "home"
    monkeypatch.setattr(env, "HOME", home)
    return home / "uploads"


class Desk:
    """What a person does on the pages of this room."""

    def __init__(self, browser):
        self.browser = browser

    def hand_in(self, *files):
        """Hand in paths, or (name, bytes); the uploads, oldest first."""
        before = set(Upload.objects.values_list("pk", flat=True))
        given = [(one.name, one.read_bytes()) if isinstance(one, Path) else one for one in files]
        answer = self.browser.post(
            reverse("import_upload"), {"files": [SimpleUploadedFile(name, content) for name, content in given]}, follow=True
        )
        assert answer.status_code == 200
        self.page = answer.content.decode()
        return list(Upload.objects.exclude(pk__in=before).order_by("pk"))

    def look(self, upload, **said):
        """The preview, after these fields of its form were changed (a select by its column's name: role_of={column: role})."""
        address = reverse("import_preview", args=[upload.pk])
        page = self.browser.get(address).content.decode()
        if said:
            page = self.browser.post(address, self.form(page, **said)).content.decode()
        upload.refresh_from_db()
        return page

    def form(self, page, role_of=None, **said):
        """The form of a preview as the browser would send it."""
        fields = {"form": "1", "turn": re.search(r'name="turn" value="(\d+)"', page)[1]}
        for number, was in re.findall(r'name="was-(\d+)" value="([^"]*)"', page):
            column = re.search(rf'name="column-{number}" value="([^"]*)"', page)[1]
            fields |= {f"was-{number}": was, f"column-{number}": column, f"role-{number}": (role_of or {}).get(column, was)}
        return fields | said

    def confirm(self, upload, **said):
        """Press the button, let the worker work; the page that shows what came of it."""
        upload.refresh_from_db()
        self.browser.post(reverse("import_confirm", args=[upload.pk]), {"turn": upload.turn, **said})
        drain()
        upload.refresh_from_db()
        return self.browser.get(reverse("import_file", args=[upload.pk])).content.decode()


@pytest.fixture
def desk(signed_in, uploads_folder):
    """desk("credit_manager"): somebody of that role at these pages."""
    return lambda who="credit_manager", **more: Desk(signed_in(who, **more))
