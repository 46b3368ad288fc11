"""`duecourse country`: one country and the list, in both languages."""

from __future__ import annotations

import json

from click.testing import CliRunner

from duecourse.cli.commands import build
from duecourse.messages import use_language


def run(*words):
    done = CliRunner().invoke(build(), ["--as-of", "2026-06-01", *words], standalone_mode=False)
    assert done.exception is None, done.exception
    return done.output


def test_one_country_and_the_list():
    use_language("en")
    said = run("country", "AD")
    assert "not known" in said
    assert "not legal advice" in said
    found = json.loads(run("--format", "json", "country", "DE", "--own", "FR"))
    assert found["own_country"] == "FR"
    assert "Germany" in run("country", "--find", "german")
    use_language("zh")
    said = run("country", "GB")
    use_language("en")
    assert "不产生效力" in said
