"""`duecourse clocks`: free-standing, of a buyer, in both languages; what is typed wrongly is said."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from duecourse.cli.commands import build
from duecourse.desk.clock_trial import event_of
from duecourse.errors import CountryUnknownError, OptionMisusedError
from duecourse.messages import use_language
from support.demos import demo_at


def run(*words):
    done = CliRunner().invoke(build(), ["--as-of", "2023-06-01", *words], standalone_mode=False)
    assert done.exception is None, done.exception
    return done.output


def test_a_demand_in_england_is_told_to_do_nothing():
    use_language("en")
    said = run("clocks", "--country", "GB", "--due", "2020-03-31", "--event", "demand:2021-05-01")
    assert "2026-03-31" in said
    assert "A demand does NOTHING to limitation in United Kingdom" in said
    assert "not legal advice" in said
    found = json.loads(run("--format", "json", "clocks", "--country", "GB", "--due", "2020-03-31", "--event", "acknowledgement:2021-05-01"))
    assert found["clocks"][0]["ends_on"] == "2027-05-01"


def test_the_same_in_chinese_with_a_guarantee_and_a_holiday():
    use_language("zh")
    said = run("clocks", "--country", "CN", "--due", "2022-10-03", "--event", "demand:2023-05-01:?", "--guarantee", "joint")
    use_language("en")
    assert "2025-10-09" in said
    assert "保证期间" in said
    assert "到达对方才生效" in said


def test_an_international_sale_of_goods():
    words = ("clocks", "--country", "CN", "--due", "2020-05-31", "--subject", "goods", "--debtor-country", "GB")
    found = json.loads(run("--format", "json", *words))["clocks"]
    assert found[0]["ends_on"] == "2024-05-31"


def test_a_buyer_of_the_demo(tmp_path):
    place = tmp_path / "ledger"
    demo_at(place, invoices=1_000)
    rows = json.loads(
        CliRunner()
        .invoke(build(), ["--ledger", str(place), "--format", "json", "buyers", "--sort", "overdue"], standalone_mode=False)
        .output
    )
    buyer = rows["buyers"][0]["buyer_id"]
    done = CliRunner().invoke(build(), ["--ledger", str(place), "--format", "json", "clocks", buyer], standalone_mode=False)
    assert done.exception is None, done.exception
    found = json.loads(done.output)
    assert any(one["code"] == "limitation" for one in found["clocks"])


@pytest.mark.parametrize("text", ["demand", "demand:yesterday", "present:2021-01-01", "demand:2021-01-01:2021-01-02:2021-01-03", ""])
def test_an_event_typed_wrongly_is_told(text):
    with pytest.raises(OptionMisusedError):
        event_of(text)


def test_what_is_missing_is_told():
    for words, error in (((), OptionMisusedError), (("--country", "ZZ", "--due", "2020-01-01"), CountryUnknownError)):
        done = CliRunner().invoke(build(), ["clocks", *words], standalone_mode=False)
        assert isinstance(done.exception, error)
