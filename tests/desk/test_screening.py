"""Names on lists are found in both scripts, firms that only look alike are left alone, and a verdict can be made again."""

from __future__ import annotations

import datetime as dt
import json
from time import process_time

import pytest

from duecourse.desk.opening import open_ledger
from duecourse.desk.screening import LOOK, Buyer, Entry, compare, compare_names, entries_of, screen
from duecourse.intake.lists import import_list, read_list
from support.screening_pairs import OTHER, SAME


def entry(*names, country="", numbers=(), number="1"):
    return Entry("list", number, names, country, frozenset(numbers), {})


def test_on_a_labelled_set_with_hard_negatives_nearly_all_are_found_and_few_are_mistaken():
    found = sum(compare_names(one, other).score >= LOOK for one, other in SAME)
    mistaken = sum(compare_names(one, other).score >= LOOK for one, other in OTHER)
    assert found / len(SAME) >= 0.95
    assert found / (found + mistaken) >= 0.93


def test_it_makes_no_difference_which_of_two_is_on_the_list():
    for one, other in (*SAME, *OTHER):
        assert compare_names(one, other).score == pytest.approx(compare_names(other, one).score, abs=0.03)


def test_a_number_in_common_decides_and_one_that_differs_weighs_against():
    ours = Buyer("b", ("Anything Ltd",), "CN", frozenset({"91330200100000016D"}))
    assert compare(ours, entry("Something else", numbers=("91330200100000016D",))).outcome == "likely"
    same = Buyer("b", ("宁波欣原机械设备有限公司",), "CN", frozenset({"91330200100000016D"}))
    name = "宁波欣原机械设备有限公司"
    other = compare(same, entry(name, numbers=("914406001000003588",)))
    assert other.score < compare(same, entry(name)).score
    assert ("number", "no") in {(one["part"], one["agrees"]) for one in other.evidence}


def test_the_evidence_says_which_parts_agree():
    found = compare_names("宁波欣原机械设备有限公司", "佛山欣原建材有限公司")
    assert [(one["part"], one["agrees"]) for one in found.evidence] == [
        ("brand", "yes"),
        ("region", "no"),
        ("trade", "no"),
        ("form", "yes"),
    ]


def test_the_index_finds_what_comparing_with_everybody_finds():
    entries = [entry(other, number=str(place)) for place, (_, other) in enumerate((*SAME, *OTHER))]
    buyers = [Buyer(str(place), (name,), "", frozenset()) for place, (name, _) in enumerate((*SAME, *OTHER))]
    quick = {(hit.buyer.buyer_id, hit.entry.entry_id) for hit in screen(buyers, entries)}
    slow = {(buyer.buyer_id, one.entry_id) for buyer in buyers for one in entries if compare(buyer, one).outcome != "no"}
    assert quick == slow


def test_ten_thousand_buyers_are_screened_in_seconds():
    syllables = ["bar", "kim", "sol", "ter", "nov", "gra", "pel", "zan", "mor", "vid", "lek", "ost"]
    words = [a + b + c for a in syllables for b in syllables for c in syllables]

    def name(number):
        return f"{words[number * 7 % len(words)]} {words[number * 131 % len(words)]} Ltd"

    entries = [entry(name(number), number=str(number)) for number in range(2_000)]
    buyers = [Buyer(str(number), (name(number * 3 + 1),), "", frozenset()) for number in range(10_000)]
    began = process_time()
    hits = list(screen(buyers, entries))
    assert hits
    assert process_time() - began < 30


OFAC = """306,"BANCO DE PRUEBA","-0- ","CUBA","-0- ","-0- ","-0- ","-0- ","-0- ","-0- ","-0- ","a.k.a. 'BNC'; Registration Number 123456789 (Cuba)."
540,"LOPEZ, Maria","individual","SDNTK","-0- ","-0- ","-0- ","-0- ","-0- ","-0- ","-0- ","-0- "
"""
EU = """<export xmlns="http://eu.europa.ec/fpi/fsd/export" generationDate="2026-01-01T00:00:00"><sanctionEntity euReferenceNumber="EU.1.1" logicalId="13">
<regulation programme="ZZZ" entryIntoForceDate="2020-05-06"/><subjectType code="enterprise"/><nameAlias wholeName="Zarkovia Shipping"/><nameAlias wholeName="Заркoвия"/>
<identification number="123 456"/><address countryIso2Code="RU"/></sanctionEntity></export>"""
UN = """<CONSOLIDATED_LIST dateGenerated="2026-01-01"><ENTITIES><ENTITY><DATAID>1</DATAID><FIRST_NAME>ORBITA AVIONICS</FIRST_NAME><REFERENCE_NUMBER>QDe.1</REFERENCE_NUMBER>
<LISTED_ON>2010-01-02</LISTED_ON><ENTITY_ALIAS><ALIAS_NAME>Orbita Avia</ALIAS_NAME></ENTITY_ALIAS></ENTITY></ENTITIES></CONSOLIDATED_LIST>"""
CHINESE = (
    "姓名/名称,身份证号码/组织机构代码,省份,案号,立案时间\n佛山拓凯建材有限公司,914406001000003588,广东,（2026）粤06执1号,2026年02月03日\n"
)
UK = "Report Date: 01-Jan-2026\nUnique ID,Name 6,Name 1,Name 2,Name type,Regime Name\nRUS1,Lopez,Maria,,Primary Name,Zed\nRUS1,Lopes,Maria,,Alias,Zed\n"


@pytest.mark.parametrize(
    ("text", "file", "entries"),
    [
        (OFAC, "sdn.csv", {"306": ("BANCO DE PRUEBA", ["BNC"], "organisation", ["123456789"]), "540": ("LOPEZ, Maria", [], "person", [])}),
        (EU, "eu.xml", {"EU.1.1": ("Zarkovia Shipping", ["Заркoвия"], "organisation", ["123 456"])}),
        (UN, "un.xml", {"QDe.1": ("ORBITA AVIONICS", ["Orbita Avia"], "organisation", [])}),
        (UK, "uk.csv", {"RUS1": ("Maria Lopez", ["Maria Lopes"], None, [])}),
    ],
)  # fmt: skip
def test_the_files_of_publishers_are_read(tmp_path, text, file, entries):
    (tmp_path / file).write_text(text, encoding="utf-8")
    rows = read_list(tmp_path / file, list_name="L", list_date=dt.date(2026, 1, 1)).rows
    assert {
        row["entry_id"]: (row["name"], json.loads(row["other_names"] or "[]"), row["entity_kind"], json.loads(row["numbers"] or "[]"))
        for row in rows
    } == entries


def test_a_new_version_adds_corrects_and_withdraws_and_the_old_one_can_be_asked_for(tmp_path):
    ledger = open_ledger(tmp_path / "ledger", create=True)

    def take(text, day):
        (tmp_path / "list.csv").write_text(text, encoding="utf-8")
        return import_list(ledger, read_list(tmp_path / "list.csv", list_name="失信", list_date=day))

    take(CHINESE, dt.date(2026, 3, 1))
    again = take(CHINESE, dt.date(2026, 4, 1))
    assert not sum(again.added.values()) + sum(again.corrected.values())
    before = ledger.state.last.recorded_at
    take("名称,编号\n别的公司有限公司,7\n", dt.date(2026, 5, 1))
    assert [one.names[0] for one in entries_of(ledger.as_of(dt.date(2026, 6, 1)))] == ["别的公司有限公司"]
    assert [one.names[0] for one in entries_of(ledger.as_of(dt.date(2026, 6, 1), before))] == ["佛山拓凯建材有限公司"]
