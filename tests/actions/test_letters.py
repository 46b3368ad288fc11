"""Letters: the twelve elements, the wording of every language as it comes out of the PDF, and nobody else's figures in one."""

from __future__ import annotations

import io
import os
import re
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.actions.letters import KINDS, LANGUAGES_OF, LetterFacts, compose
from duecourse.actions.letters.editing import docx
from duecourse.actions.letters.facts import CONSEQUENCES, Contract, Document, Guarantee, Threshold
from duecourse.actions.letters.figures import amount, day, in_words, money, rate
from duecourse.actions.letters.rules import deadline_days, interrupting, languages_for
from duecourse.actions.letters.setting import pdf, pictures
from duecourse.actions.letters.wording import Words, wordings
from duecourse.errors import LetterMixedError, LetterUnworkableError
from duecourse.messages import arguments
from support.examples import examples
from support.letters import demand, domestic

GOLDEN = Path(__file__).parent / "golden"
EVERY = [(kind, language) for kind in KINDS for language in LANGUAGES_OF[kind]]
IMPOSSIBLE = re.compile(r"[{}【】]|\bNone\b|\bTODO\b|XXXX")


def facts_for(kind, language):
    return domestic(language, kind) if language in ("zh", "zh+en") or kind != "demand_letter" else demand(language)


def pages_of(data):
    return pypdf.PdfReader(io.BytesIO(data)).pages


def text_of(data):
    return "\n".join(page.extract_text() for page in pages_of(data))


def packed(text):
    """Without what the breaking of lines does."""
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_the_text_of_each_letter_is_as_it_was_read_and_found_good(kind, language):
    facts = facts_for(kind, language)
    letter = compose(facts)
    made = pdf(letter, facts.dated)
    found = "\n".join(line.rstrip() for line in text_of(made).splitlines()) + "\n"
    golden = GOLDEN / f"{kind}.{language}.txt"
    if os.environ.get("DUECOURSE_WRITE_GOLDEN"):
        golden.write_text(found, encoding="utf-8")
    assert found == golden.read_text(encoding="utf-8")
    assert not IMPOSSIBLE.search(found)
    assert pdf(letter, facts.dated) == made, "the same letter is the same file"
    for line in letter.lines():  # nothing of the letter is lost on its way to the page
        for word in line.replace("{page}", " ").replace("{pages}", " ").split(" | "):
            for part in word.split(" / "):
                assert packed(part.partition(": ")[2] or part) in packed(found), part


@pytest.mark.parametrize(("kind", "language"), [("demand_letter", "zh+en"), ("demand_letter", "ja"), ("demand_letter", "de")])
def test_its_fonts_are_in_the_file(kind, language):
    facts = facts_for(kind, language)
    names = set()
    for page in pages_of(pdf(compose(facts), facts.dated)):
        for font in page["/Resources"]["/Font"].values():
            inner = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
            assert any(key in inner for key in ("/FontFile2", "/FontFile3"))
            names.add(str(inner["/FontName"]))
    assert any("NotoSerif" in name for name in names)
    assert any("NotoSerifJP" in name for name in names) == (language == "ja")


@pytest.mark.parametrize(
    ("kind", "language"), [one for one in EVERY if one[0] in ("demand_letter", "letter_before_action", "guarantor_demand")]
)
def test_a_demand_has_its_twelve_elements(kind, language):
    facts = domestic(language, kind)
    said = packed("\n".join(compose(facts).lines()))
    for part in language.split("+"):
        w = Words(part, kind)
        wanted = {
            "1 names": w.name(facts.creditor), "1 debtor": w.name(facts.debtor), "1 number": facts.debtor.registration_number, "1 address": facts.debtor.address.splitlines()[0],
            "2 contract": facts.contract.number, "2 day": w.day(facts.contract.signed_on), "2 order": "PO-88",
            "3 invoice": "XS-260105", "3 due": w.short(date(2026, 4, 5)), "3 amount": w.amount(300_000_00, "CNY"), "3 paid": w.amount(50_000_00, "CNY"), "3 open": w.amount(250_000_00, "CNY"),
            "4 delivery": "SH-1105", "5 principal": w.money(550_000_00, "CNY"), "5 interest": w.money(7_027_40, "CNY"), "5 rate": w.rate("0.18"), "5 day count": "act/365",
            "5 daily": w.money(271_24, "CNY"), "5 until": w.day(facts.until), "6 total": w.money(557_027_40, "CNY"), "6 account": facts.accounts[0].number, "6 call back": facts.call_back,
            "7 deadline": w.day(facts.deadline), "9 waiver": w("reserve"), "9 order": w("order_cn") if w.has("order_cn") else w("order_law"), "9 threshold": w.rate("0.4583"), "10 answer": w("answer", deadline=w.day(facts.deadline)),
            "11 signatory": facts.signatory, "11 seal": w("seal"), "11 enclosure": w("enclosure_interest"), "12 service": w("label_service"), "not advice": w("not_advice"),
        }  # fmt: skip
        missing = {name for name, text in wanted.items() if packed(text) not in said}
        assert not missing
        follows = [
            said.find(packed(w(f"c_{name}"))) for name in ("suspend", "accelerate", "retake", "guarantor", "insurer", "preserve", "costs")
        ]
        if kind == "demand_letter":  # 8, in order
            assert -1 not in follows and follows == sorted(follows)
        else:
            assert follows[-1] > follows[-2] > 0
        assert (w("restarts") and packed(w("restarts")) in said) == (kind != "" and facts.interrupts == "restarts")


def test_where_a_demand_does_nothing_to_limitation_the_letter_says_nothing_of_it():
    for language in LANGUAGES_OF["demand_letter"]:
        said = "\n".join(compose(demand(language)).lines())
        for part in language.split("+"):
            w = Words(part, "demand_letter")
            assert w("restarts") not in said and w("postpones") not in said
    assert (interrupting("DE"), interrupting("GB"), interrupting(""), interrupting("QQ")) == ("", "", "", "")
    assert (interrupting("CN"), interrupting("IT"), interrupting("JP")) == ("restarts", "restarts", "postpones")


def test_an_article_is_cited_only_where_its_law_holds():
    assert "第五百六十一条" in "\n".join(compose(domestic("zh")).lines())
    assert "民法典" not in "\n".join(compose(domestic("zh", law="DE", threshold=None)).lines())


def test_days_to_pay_by_country_and_contract():
    assert deadline_days("demand_letter", "GB") == deadline_days("letter_before_action", "GB") == 14
    assert 7 <= deadline_days("demand_letter", "CN") <= 10
    assert deadline_days("demand_letter", "CN", Contract("C", cure_days=30)) == 30
    assert deadline_days("demand_letter", "GB", Contract("C", cure_days=5)) == 14
    assert deadline_days("reminder", "DE", Contract("C", cure_days=30)) == 7
    assert (
        languages_for("IT") == ("it", "en") and languages_for("CN") == ("zh", "en") and languages_for("NL") == ("en",) == languages_for("")
    )


@pytest.mark.parametrize(("due", "reached"), [(240_000_00, True), (239_999_99, False)])
def test_a_fifth_of_the_price_is_named_and_told_from_less(due, reached):
    facts = domestic("zh+en", threshold=Threshold("CNY", due, 1_200_000_00))
    said = "\n".join(compose(facts).lines())
    assert facts.threshold.reached is reached
    assert ("已达到《民法典》第六百三十四条规定的五分之一" in said) is reached
    assert ("20.00%" in said) is reached and ("19.99%" in said) is not reached


def test_a_stranger_in_a_letter_stops_it():
    facts = demand()
    assert not facts.strangers()
    other = replace(facts.invoices[1], buyer_id="C-9")
    mixed = [
        replace(facts, invoices=(facts.invoices[0], other)), replace(facts, documents=(Document("C-9", "CMR 1"),)), replace(facts, documents=(Document("C-1", "CMR 1", "RS-1"),)),
        domestic(kind="guarantor_demand", guarantee=Guarantee("C-9", "BZ-1")), replace(facts, buyer_id="C-9"),
    ]  # fmt: skip
    for one in mixed:
        with pytest.raises(LetterMixedError):
            compose(one)


@pytest.mark.parametrize(
    "wrong",
    [
        {"language": "ja", "kind": "reminder"},
        {"language": "nl"},
        {"kind": "sermon"},
        {"invoices": (), "documents": ()},
        {"kind": "payment_plan"},
        {"kind": "guarantor_demand"},
    ],
)
def test_what_cannot_be_drawn_up_is_said(wrong):
    with pytest.raises(LetterUnworkableError):
        compose(replace(demand(), **wrong))


@given(
    st.lists(st.tuples(st.sampled_from(["C-1", "C-1", "C-1", "C-2"]), st.sampled_from(["EUR", "JPY", "CNY"]), st.integers(1, 10**12), st.integers(0, 10**8)), min_size=1, max_size=5),
    st.sampled_from(LANGUAGES_OF["demand_letter"]), st.booleans(),
)  # fmt: skip
@examples(30, 300)
def test_totals_add_up_and_only_the_buyer_s_own_come_through(rows, language, with_contract):
    base = demand(language)
    invoices = tuple(
        replace(base.invoices[0], buyer_id=buyer, invoice_id=f"R-{number}", currency=currency, outstanding_minor=minor, interest_minor=interest, compensation_currency="EUR", segments=())
        for number, (buyer, currency, minor, interest) in enumerate(rows)
    )  # fmt: skip
    facts = replace(base, invoices=invoices, documents=(), contract=base.contract if with_contract else None)
    assert LetterFacts.from_json(facts.to_json()) == facts
    assert sum(one.total_minor for one in facts.totals) == sum(row[2] + row[3] + 40_00 for row in rows)
    if any(row[0] != "C-1" for row in rows):
        with pytest.raises(LetterMixedError):
            compose(facts)
        return
    said = "\n".join(compose(facts).lines())
    assert not IMPOSSIBLE.search(said.replace("{page}", "").replace("{pages}", ""))
    for part in language.split("+"):
        for one in facts.totals:
            if one.principal_minor or one.compensation_minor:
                assert money(one.total_minor, one.currency, part) in said


def test_figures_are_written_as_each_language_writes_them():
    assert [money(1_234_567_89, "EUR", one).replace("\u00a0", " ") for one in ("en", "de", "fr", "es", "it", "zh", "ja")] == [
        "EUR 1,234,567.89", "1.234.567,89 EUR", "1 234 567,89 EUR", "1.234.567,89 EUR", "1.234.567,89 EUR", "1,234,567.89欧元", "1,234,567.89ユーロ",
    ]  # fmt: skip
    assert amount(1234, "JPY", "de") == "1.234" and money(5, "KWD", "en") == "KWD\u00a00.005"
    assert [day(date(2026, 3, 1), one) for one in ("en", "de", "fr", "es", "it", "zh", "ja")] == [
        "1 March 2026", "1. März 2026", "1er mars 2026", "1 de marzo de 2026", "1º marzo 2026", "2026年3月1日", "2026年3月1日",
    ]  # fmt: skip
    assert [rate("0.1027", one) for one in ("en", "de", "it")] == ["10.27%", "10,27\u00a0%", "10,27%"]
    assert rate("0.059999", "en") == "5.9999%" and rate("0.18", "zh") == "18.00%"


@pytest.mark.parametrize(
    ("minor", "said"),
    [
        (0, "零元整"), (5, "伍分"), (50, "伍角整"), (105, "壹元零伍分"), (1_409_50, "壹仟肆佰零玖元伍角整"), (6_007_14, "陆仟零柒元壹角肆分"), (1_680_32, "壹仟陆佰捌拾元叁角贰分"),
        (107_000_53, "壹拾万柒仟元伍角叁分"), (16_409_02, "壹万陆仟肆佰零玖元零贰分"), (325_04, "叁佰贰拾伍元零肆分"), (1_000_000_00, "壹佰万元整"), (10_000_001_00, "壹仟万零壹元整"),
        (100_000_000_00, "壹亿元整"), (557_027_40, "伍拾伍万柒仟零贰拾柒元肆角整"), (-100, "负壹元整"),
    ],
)  # fmt: skip
def test_renminbi_in_characters_that_cannot_be_altered(minor, said):
    """Among them the examples of the rules on filling in bills, 支付结算办法附一."""
    assert in_words(minor) == said


@pytest.mark.parametrize("language", ["de", "fr", "es", "it", "ja", "zh"])
def test_every_language_has_the_wordings_of_english_with_the_same_arguments(language):
    english, own = wordings("en"), wordings(language)
    for section in own:
        for name, text in english[section].items():
            if language != "zh" and section != "common":
                continue
            assert section == "common" or name in own[section] or name in own["common"], (section, name)
            there = own[section].get(name)
            if there is None:
                continue
            extra = {"title"} if name.startswith("service_") else set()
            assert arguments(there) - extra <= arguments(text) | {"deadline", "days"}, (section, name)
            assert arguments(text) - {"day"} <= arguments(there) | {"deadline"} or name == "per_day", (section, name)
    assert set(english["common"]) <= set(own["common"])


def test_the_edited_copy_says_the_same_and_is_a_word_document():
    from docx import Document as Open

    for kind, language in (("demand_letter", "zh+en"), ("acknowledgement_of_debt", "en"), ("payment_plan", "zh")):
        facts = facts_for(kind, language)
        letter = compose(facts)
        made = docx(letter, facts.dated)
        opened = Open(io.BytesIO(made))
        said = [one.text for one in opened.paragraphs] + [cell.text for table in opened.tables for row in table.rows for cell in row.cells]
        whole = packed("\n".join(said))
        for block in letter.blocks:
            assert all(packed(text) in whole for text in block.texts)
            assert all(packed(text) in whole for row in block.rows for cell in row for text in cell)
        assert not IMPOSSIBLE.search("\n".join(said))
        assert not [name for name in zipfile.ZipFile(io.BytesIO(made)).namelist() if "vba" in name.lower()]


def test_pages_are_pictures_to_look_at():
    facts = demand("de")
    shown = pictures(compose(facts), facts.dated, dots_per_inch=40)
    assert len(shown) == len(pages_of(pdf(compose(facts), facts.dated))) == 3
    assert all(one.startswith(b"\x89PNG") for one in shown)


def test_a_very_long_number_stays_on_the_page_and_can_be_copied():
    long = "INV2026000012345678900000ABCDEFGHIJKLMNOP0001"
    facts = replace(demand(), documents=(), invoices=(replace(demand().invoices[0], invoice_id=long),))
    said = text_of(pdf(compose(facts), facts.dated))
    assert long in packed(said) and "\u200b" not in said


def test_what_is_not_known_is_left_out_and_leaves_no_gap():
    bare = replace(
        demand(), contract=None, accounts=(), documents=(), bases=(), call_back="", signatory="", signatory_title="", previous=(), consequences=CONSEQUENCES[:1],
        invoices=tuple(replace(one, interest_minor=0, daily_minor=0, compensation_minor=0, basis="", segments=(), order_number="") for one in demand().invoices),
    )  # fmt: skip
    said = text_of(pdf(compose(bare), bare.dated))
    assert not IMPOSSIBLE.search(said)
    assert "We reserve the right to claim interest" in said and "Payment is to be made to this account" not in said


def test_several_at_a_time_are_each_set():
    """Pages of one letter are asked for at the same moment, in threads."""
    from concurrent.futures import ThreadPoolExecutor

    facts = [demand(language) for language in ("en", "de", "fr", "es")] * 3
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda one: pdf(compose(one), one.dated), facts))
    assert made[:4] == made[4:8] == made[8:] and len({*made}) == 4
