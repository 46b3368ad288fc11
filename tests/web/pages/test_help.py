"""Help: every page in both languages, found from the page it speaks of, searched, never a way to inject markup."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client
from django.urls import get_resolver

import duecourse.web
from duecourse.glossary import TERMS
from duecourse.messages import use_language
from duecourse.web.pages.help import HelpPage, help_pages

FOLDER = Path(duecourse.web.__file__).parent / "help"
SLUGS = sorted({path.stem for path in FOLDER.glob("*/*.md")})
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(autouse=True)
def _english():
    yield
    use_language("en")


@pytest.mark.parametrize("slug", SLUGS)
def test_a_help_page_stands_in_both_languages(slug):
    english, chinese = help_pages("en")[slug], help_pages("zh")[slug]
    assert (english.order, english.pages) == (chinese.order, chinese.pages)
    assert english.text.count("\n## ") == chinese.text.count("\n## ")
    assert CHINESE.search(chinese.title + chinese.text)
    assert not CHINESE.search(english.title)
    assert not english.text.startswith("# ")  # the title is the heading


def test_a_page_has_one_help():
    for language in ("en", "zh"):
        named = [name for page in help_pages(language).values() for name in page.pages]
        assert len(named) == len(set(named))


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_help_page_opens(signed_in, slug, language):
    answer = signed_in("viewer", language=language).get(f"/help/{slug}/")
    assert answer.status_code == 200


def test_the_question_mark_leads_to_the_help_of_the_page(signed_in):
    assert 'href="/help/dashboard/"' in signed_in("viewer").get("/").content.decode()


def test_help_names_only_pages_there_are():
    known = {name for name in get_resolver().reverse_dict if isinstance(name, str)}
    for page in help_pages("en").values():
        assert page.pages <= known, page.slug


def test_the_glossary_holds_every_term(signed_in):
    page = signed_in("viewer").get("/help/glossary/").content.decode()
    assert all(f'<tr id="{name}">' in page for name in TERMS)


@pytest.mark.parametrize(
    ("language", "words", "found"), [("en", "count-back", "measures"), ("zh-hans", "倒推法", "measures"), ("en", "KEYBOARD", "keyboard")]
)
def test_help_is_found_by_its_words(signed_in, language, words, found):
    page = signed_in("viewer", language=language).get("/help/", {"q": words}).content.decode()
    assert f'href="/help/{found}/"' in page


def test_a_search_without_hits_says_so(signed_in):
    page = signed_in("viewer").get("/help/", {"q": "zzqx<b>"}).content.decode()
    assert "zzqx&lt;b&gt;" in page
    assert "/help/measures/" not in page.split("<main")[1]


def test_an_unknown_help_page_is_not_found(signed_in):
    assert signed_in("viewer").get("/help/nothing/").status_code == 404


def test_html_in_a_help_file_is_shown_not_run():
    assert "<script" not in HelpPage("x", "x", 1, frozenset(), "<script>alert(1)</script>").html


def test_nobody_reads_help_without_signing_in(db):
    assert Client().get("/help/").status_code == 302
