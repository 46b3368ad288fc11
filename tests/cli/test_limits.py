"""`duecourse limit` and `replay` on a small demo ledger: every form of the command says something, in both languages."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from duecourse.cli.commands import build
from duecourse.messages import use_language
from support.demos import demo_at


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    place = tmp_path_factory.mktemp("limit") / "ledger"
    demo_at(place, invoices=1_500)
    return place


def run(ledger, *words, code=0):
    done = CliRunner().invoke(build(), ["--ledger", str(ledger), *words], standalone_mode=False)
    assert done.exception is None, done.exception
    assert (done.return_value or 0) == code
    return done.output


def test_every_form_of_the_command_answers(ledger, tmp_path):
    use_language("en")
    used = json.loads(run(ledger, "--format", "json", "limit"))["limits"]
    buyer = next(row["buyer_id"] for row in used if row["limit_minor"])
    advice = json.loads(run(ledger, "--format", "json", "limit", buyer, "--amount", "100"))
    assert advice["known"]["asked_minor"] == 10_000
    text = run(ledger, "limit", buyer)
    assert "Net worth" in text
    assert "Rules 1" in text
    rules = tmp_path / "rules.json"
    rules.write_text('{"version": "mine", "margin": 0.1}', encoding="utf-8")
    assert "Rules mine" in run(ledger, "limit", buyer, "--rules", str(rules))
    assert json.loads(run(ledger, "--format", "json", "limit", "--review"))["changes"]
    use_language("zh")
    assert "净资产" in run(ledger, "limit", buyer)
    use_language("en")
