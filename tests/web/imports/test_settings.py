"""What the firm decides is a fact of the ledger, with who and when; only some may decide."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse

from duecourse.desk.calendars import special_days
from duecourse.desk.rates import pairs
from duecourse.desk.settings import current, saved_readings
from duecourse.web import books

pytestmark = pytest.mark.django_db

PAGES = ("settings", "settings_rates", "settings_calendar", "settings_readings", "settings_history")
CHANGES = ("settings_change", "settings_rate_add", "settings_calendar_change", "settings_reading_forget")


def test_everybody_reads_the_settings_and_only_some_change_them(signed_in, own_ledger):
    viewer = signed_in("viewer")
    for name in PAGES:
        answer = viewer.get(reverse(name))
        assert answer.status_code == 200, name
    for name in CHANGES:
        assert viewer.post(reverse(name), {}).status_code == 403, name
    assert books.ledger().version == own_ledger.version


def test_a_change_is_a_fact_with_who_and_when_and_an_old_figure_stays(signed_in, person, own_ledger):
    who = person("credit_manager", username="anna", first_name="Anna", last_name="Ito")
    anna = signed_in(who)
    before = books.ledger().journal()[-1].recorded_at
    form = {"company": "如期贸易", "base_currency": "EUR", "ageing_buckets": "15,45,90", "language": "zh-hans", "entity-CN01": "如期中国"}
    assert anna.post(reverse("settings_change"), form).status_code == 302
    ledger = books.ledger()
    values = current(ledger)
    assert (values["company"], values["base_currency"], values["ageing_buckets"]) == ("如期贸易", "EUR", "15,45,90")
    assert values["legal_entity_names"] == "CN01=如期中国"
    assert {row.facts.get("by") for row in ledger.journal() if row.note == "settings" and row.recorded_at > before} == {"anna"}
    page = anna.get(reverse("settings_history")).content.decode()
    assert "Anna Ito" in page and "如期贸易" in page
    assert ledger.as_of(dt.date.max, before).settings.get("company", "") != "如期贸易"
    version = ledger.version
    anna.post(reverse("settings_change"), form)
    assert books.ledger().version == version, "what says nothing new writes nothing"


def test_wrong_limits_are_named_and_nothing_is_kept(signed_in, own_ledger):
    anna = signed_in()
    answer = anna.post(reverse("settings_change"), {"ageing_buckets": "90,30"})
    assert answer.status_code == 422
    assert 'value="90,30"' in answer.content.decode()
    assert books.ledger().version == own_ledger.version


def test_the_buckets_are_named_while_one_types(signed_in, own_ledger):
    browser = signed_in("credit_manager", language="zh-hans")
    assert "16–45 天" in browser.get(reverse("settings_buckets"), {"ageing_buckets": "15,45"}).content.decode()
    assert 'class="legend"' not in browser.get(reverse("settings_buckets"), {"ageing_buckets": "x"}).content.decode()


def test_a_rate_by_hand_counts_and_an_old_one_is_pointed_out(signed_in, own_ledger):
    anna = signed_in()
    opened = books.ledger()
    day = books.day_of(opened)
    said = {"base": "usd", "quote": "CNY", "rate": "7,1234", "rate_date": f"{day:%Y-%m-%d}"}
    assert anna.post(reverse("settings_rate_add"), said).status_code == 302
    ledger = books.ledger()
    own = next(one for one in pairs(ledger.as_of(day)) if one.provider == "own")
    assert (own.base, own.quote, own.rate, own.rate_date) == ("USD", "CNY", 7.1234, day)
    page = anna.get(reverse("settings_rates")).content.decode()
    assert "7.1234" in page
    late = anna.get(reverse("settings_rates") + f"?as_of={day + dt.timedelta(days=120):%Y-%m-%d}").content.decode()
    assert "too old" in late and "no rate" in late
    assert "7.1234" in anna.get(reverse("settings_rate_pair", args=["own", "USD", "CNY"])).content.decode()
    for wrong in ({"rate": "0"}, {"rate": "abc"}, {"base": "CNY"}, {"base": "ZZZ"}, {"rate_date": "2025-02-30"}):
        assert anna.post(reverse("settings_rate_add"), said | wrong).status_code == 422, wrong
    assert books.ledger().version == ledger.version


def test_a_reading_that_was_kept_can_be_forgotten(desk, own_ledger):
    at = desk()
    (upload,) = at.hand_in(
        ("a_2025-09-30.csv", "客户编号,发票号,开票日期,到期日,币种,未清金额\nC1,F1,2025-01-01,2025-02-01,CNY,5.00\n".encode())
    )
    at.confirm(upload)
    (kept,) = [one for one in saved_readings(books.ledger()) if one.file_name == upload.name]
    assert kept.name in at.browser.get(reverse("settings_readings")).content.decode()
    at.browser.post(reverse("settings_reading_forget"), {"name": kept.name})
    assert kept.name not in {one.name for one in saved_readings(books.ledger())}


def test_the_spring_festival_stands_in_the_calendar_with_the_days_worked_for_it(signed_in, own_ledger):
    days = special_days("CN", 2026)
    festival = next(one for one in days if one.first == dt.date(2026, 2, 15))
    assert (festival.last, festival.days, festival.worked) == (dt.date(2026, 2, 23), 9, False)
    assert {one.first for one in days if one.worked} >= {dt.date(2026, 2, 14), dt.date(2026, 2, 28)}
    page = (
        signed_in("credit_manager", language="zh-hans")
        .get(reverse("settings_calendar"), {"country": "CN", "year": "2026"})
        .content.decode()
    )
    assert "春节" in page and "2026-02-23" in page
    assert "provisional" in {one.certainty for one in special_days("CN", 2027)}


def test_the_firms_language_is_spoken_to_whoever_chose_none(signed_in, own_ledger):
    anna = signed_in()
    anna.post(reverse("settings_change"), {"language": "zh-hans"})
    books.ledger()
    assert "数据导入" in anna.get(reverse("imports")).content.decode()
    english = signed_in("credit_manager", language="en")
    assert "数据导入" not in english.get(reverse("imports")).content.decode()
