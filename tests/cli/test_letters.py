"""`duecourse letters` on a small demo ledger: drafts into a folder, what is due, what would go."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pypdf
import pytest
from click.testing import CliRunner

from duecourse.cli.commands import build
from duecourse.desk.letterhead import checked, keep_letterhead
from duecourse.desk.letters_due import letters_due
from duecourse.desk.opening import open_ledger
from duecourse.messages import use_language
from support.demos import demo_at
from support.serving import surroundings

OWN = {
    "name": "Rensheng Tools",
    "address": "1 Road",
    "country": "CN",
    "registration_number": "9131",
    "accounts": [{"holder": "R", "bank": "B", "number": "1"}],
}


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    place = tmp_path_factory.mktemp("letters") / "ledger"
    demo_at(place, invoices=1_500)
    keep_letterhead(open_ledger(place), "", checked(OWN))
    return place


def run(ledger, *words):
    done = CliRunner().invoke(build(), ["--ledger", str(ledger), *words], standalone_mode=False)
    assert done.exception is None, done.exception
    return done.output


def test_due_letters_are_drawn_up_into_a_folder(ledger, tmp_path):
    use_language("en")
    due = json.loads(run(ledger, "--format", "json", "letters", "due"))["rows"]
    assert due and due == sorted(due, key=lambda row: (row["due_on"], row["buyer_id"]))
    assert len({row["buyer_id"] for row in due}) == len(due)
    buyer = due[0]["buyer_id"]
    for language in ("zh", "de", "zh+en"):
        told = json.loads(
            run(
                ledger,
                "--format",
                "json",
                "letters",
                "draft",
                buyer,
                "--language",
                language,
                "--out",
                str(tmp_path / language),
                "--address",
                "2 Street",
            )
        )
        pdf, docx = (Path(name).read_bytes() for name in told["files"])
        text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)
        assert told["number"] in text and docx.startswith(b"PK") and told["language"] == language
    text = run(ledger, "letters", "draft", buyer)
    assert "What we demand" in text or "付款要求" in text or "Our registration" in text or told["number"] in text
    assert "This is not legal advice" in text and "The recipient's address is not known" in text
    use_language("zh")
    assert "催告函" in run(ledger, "letters", "kinds")
    use_language("en")


def test_a_letter_that_went_is_not_due_any_more(ledger):
    from support.ledgers import add

    opened = open_ledger(ledger)
    from duecourse.desk.dates import default_day

    book = opened.as_of(default_day(opened))
    before = letters_due(book)
    one = before[0]
    kinds = ("reminder", "demand_letter", "letter_before_action", "acknowledgement_of_debt", "guarantor_demand", "payment_plan")
    rows = [{"notice_id": f"N-{kind}", "kind": kind, "buyer_id": one.buyer_id, "sent_on": book.on} for kind in kinds]
    add(opened, rows, "notice", kind="post")
    after = letters_due(open_ledger(ledger).as_of(book.on))
    assert {row.buyer_id for row in before} - {row.buyer_id for row in after} == {one.buyer_id}


def test_an_unknown_buyer_or_invoice_is_said(ledger):
    for words in (("nobody at all",), ("0010000002", "--invoice", "none/1")):
        done = CliRunner().invoke(build(), ["--ledger", str(ledger), "letters", "draft", *words])
        assert done.exit_code or done.exception


def test_a_dry_run_sends_nothing(ledger, tmp_path):
    """In a process of its own: the app is set up once a process."""
    (tmp_path / "home").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "duecourse", "--ledger", str(ledger), "--format", "json", "letters", "send", "--dry-run"], env={**os.environ, **surroundings(tmp_path / "home", ledger)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout) == {"dry_run": True, "rows": []} or json.loads(done.stdout)["rows"] == []
