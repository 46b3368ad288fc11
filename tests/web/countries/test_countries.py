"""Country pages: every one opens in both languages, a blank is a blank, and what holds between two countries is right."""

from __future__ import annotations

from datetime import date

import pytest
from django.urls import reverse

from duecourse.desk.country_page import country_page, demand_group, listed, plain
from duecourse.messages import use_language
from duecourse.reference.countries import COUNTRIES
from duecourse.reference.formalities import formalities
from duecourse.reference.languages import TONGUES
from duecourse.reference.notes import spoken
from duecourse.web import books

ON = date(2026, 11, 30)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_country_has_a_page_whose_answers_carry_their_source(lang):
    use_language(lang)
    try:
        assert len(COUNTRIES) == 219
        for code in COUNTRIES:
            page = country_page(code, ON)
            assert 0 < page.known <= page.asked
            for one in (fact for facts in page.sections.values() for fact in facts):
                assert one.name
                known = one.value is not None
                assert bool(one.text) is known, (code, one.code)
                assert (bool(one.source), one.as_of is not None, one.confidence in ("H", "M", "L")) == (known, known, known), (
                    code,
                    one.code,
                )
            assert plain(page)["country"] == code
    finally:
        use_language("en")


def test_every_language_of_a_country_has_a_name_in_both_languages():
    for land in COUNTRIES.values():
        assert all(one in TONGUES for one in land.letter_languages), land.alpha2


def test_notes_are_spoken_in_chinese_where_they_are_more_than_a_citation():
    assert spoken("CISG not ratified; reciprocating-territory judgments only", "zh").startswith("未批准")
    assert spoken("BGB 197", "zh") == "BGB 197"
    assert spoken(None) == ""


@pytest.mark.parametrize(
    ("pair", "on", "topic", "answer"),
    [
        (("CN", "GB"), ON, "documents", "apostille_check"),  # states objected to China: the pair is to be looked up
        (("DE", "FR"), ON, "documents", "apostille"),
        (("CN", "TH"), ON, "documents", "apostille_later"),  # in force on 2027-02-28
        (("DE", "TH"), date(2027, 3, 1), "documents", "apostille"),
        (("CN", "AE"), ON, "documents", "legalisation"),
        (("CN", "HK"), ON, "documents", "arrangement"),
        (("CN", "TW"), ON, "awards", "arrangement"),
        (("CN", "DE"), ON, "awards", "award_convention"),
        (("CN", "TW"), ON, "judgments", "arrangement"),
        (("DE", "FR"), ON, "judgments", "judgment_eu"),
        (("GB", "DE"), date(2024, 1, 1), "judgments", "judgment_later"),
        (("GB", "DE"), ON, "judgments", "judgment_hague"),
        (("CN", "US"), ON, "judgments", "reciprocity"),
        (("CN", "PL"), ON, "judgments", "treaty"),
        (("CN", "JP"), ON, "judgments", "refused"),
        (("CN", "AD"), ON, "judgments", None),  # in no table: not known, not "no"
        (("DE", "FR"), ON, "service", "service_eu"),
        (("CN", "DE"), ON, "sale", "cisg_reserved"),
        (("CN", "GB"), ON, "sale", "cisg_one"),
        (("GB", "IN"), ON, "sale", "cisg_none"),
        (("CN", "DE"), ON, "translation", "needed"),
        (("GB", "US"), ON, "translation", "not_needed"),
    ],
)
def test_what_holds_between_two_countries(pair, on, topic, answer):
    assert {one.topic: one.answer for one in formalities(*pair, on)}[topic] == answer


def test_at_home_there_are_no_formalities():
    assert formalities("CN", "CN", ON) == ()
    assert "formalities" not in country_page("CN", ON).sections


def test_the_list_is_searched_and_filtered():
    assert [one.alpha2 for one in listed("德国")] == ["DE"]
    assert [one.alpha2 for one in listed("deu")] == ["DE"]
    assert {demand_group(one) for one in listed(demand="limited")} == {"limited"}
    assert len(listed(demand="unknown")) + len(listed(demand="yes")) + len(listed(demand="limited")) + len(listed(demand="nothing")) == 219
    assert all(one.eu_member for one in listed(eu="y"))
    assert listed("no such land") == []


def test_the_pages_open_and_say_what_is_not_known(signed_in):
    client = signed_in("collector")
    said = client.get(reverse("countries"), {"q": "Andorra"}).content.decode()
    assert "Andorra" in said
    assert "not known" in said
    said = client.get(reverse("country", args=["AD"])).content.decode()
    assert "not known" in said
    assert "This is not legal advice" in said
    assert client.get(reverse("country", args=["deu"])).headers["Location"] == reverse("country", args=["DE"])
    assert client.get(reverse("country", args=["ZZ"])).status_code == 404
    said = client.get(reverse("country", args=["DE"]), {"own": "FR"}).content.decode()
    assert "Regulation (EU) 1215/2012" in said


def test_the_page_speaks_chinese(signed_in):
    said = signed_in("collector", language="zh-hans").get(reverse("country", args=["GB"])).content.decode()
    assert "不产生效力" in said
    assert "未批准 CISG" in said


def test_the_api_gives_the_same(signed_in):
    client = signed_in("viewer")
    found = client.get("/api/v1/countries", {"q": "Germany"}).json()
    assert [one["country"] for one in found["countries"]] == ["DE"]
    answer = client.get("/api/v1/countries/AD").json()
    facts = {one["code"]: one["value"] for one in answer["sections"]["limitation"]}
    assert facts["limitation_years"] is None
    assert facts["acts"] is None
    assert answer["holidays"]
    assert client.get("/api/v1/countries/ZZ").status_code == 404


def test_a_day_the_firm_knows_better_is_kept_shown_and_taken_out(own_ledger, signed_in):
    def kept():
        return books.ledger().as_of(date(2030, 1, 1)).settings["working_days"]

    browser = signed_in("credit_manager")
    address, page = reverse("settings_calendar_day"), reverse("settings_calendar")
    assert signed_in("collector").post(address, {"country": "CN", "day": "2027-02-14", "worked": "worked"}).status_code == 403
    browser.post(address, {"country": "CN", "day": "2027-02-14", "worked": "worked"})
    assert kept() == {"CN": {"2027-02-14": True}}
    assert "2027-02-14" in browser.get(page, {"country": "CN", "year": "2027"}).content.decode()
    browser.post(address, {"country": "CN", "day": "2027-02-14", "worked": "forget"})
    assert kept() == {}
    browser.post(address, {"country": "CN", "day": "soon", "worked": "worked"})
    assert kept() == {}
