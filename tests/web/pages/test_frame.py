"""The frame of every page: what it shows to whom, the as-of picker, language and theme, errors, and the words and colours of the templates."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import product
from pathlib import Path

import pytest
from django.test import Client

import duecourse.web
from duecourse.messages import catalogue
from duecourse.web.pages.palette import TOKENS, colours

WEB = Path(duecourse.web.__file__).parent
TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
SAID_ALOUD = {"placeholder", "title", "aria-label", "alt", "aria-description", "label"}
OWN_NAMES = {"Duecourse", "如期", "Ctrl", "K", "Enter", "Esc", "j", "k", "g", "d", "b", "i", "t", "DSO", "CEI"}
"""Names and key caps: the same in every language, as are codes of currencies and abbreviations in capitals."""


class _Words(HTMLParser):
    """Every literal word a person would see or hear."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inside: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag in {"script", "style", "code"}:
            self.inside.append(tag)
        self.found += [value for name, value in attrs if name in SAID_ALOUD and value]

    def handle_endtag(self, tag):
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data):
        if not self.inside:
            self.found.append(data)


def literal_words(text: str) -> list[str]:
    text = re.sub(r"{% block width %}\w*{% endblock %}", "", text)  # a class, not a word
    text = re.sub(r"{% comment %}.*?{% endcomment %}|{#.*?#}|{%.*?%}|{{.*?}}", "", text, flags=re.DOTALL)
    parser = _Words()
    parser.feed(re.sub(r"&\w+;", " ", text))
    return [
        word
        for piece in parser.found
        for word in re.findall(r"[^\W\d_]+", piece)
        if word not in OWN_NAMES and not re.fullmatch("[A-Z]{1,4}", word)
    ]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(WEB / "templates")))
def test_a_template_holds_no_words_of_its_own(path):
    assert literal_words(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(WEB / "templates")))
def test_a_template_says_only_sentences_there_are(path):
    said = re.findall(r'{% say "([^"]+)"', path.read_text(encoding="utf-8"))
    assert [name for name in said if name not in catalogue()] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(WEB / "templates")))
def test_a_template_needs_no_exception_from_the_content_security_policy(path):
    text = re.sub(r"{%.*?%}|{{.*?}}", "", path.read_text(encoding="utf-8"))
    assert not re.search(r"<[^>]+\sstyle=|<style|\son\w+=|javascript:|https?://(?!www\.w3\.org)", text)
    for script in re.findall(r"<script[^>]*>", text):
        assert "src=" in script or "application/json" in script


def test_literal_words_are_found_where_people_see_or_hear_them():
    assert literal_words('<p title="Hello">{% say "x" %}你好 {{ row.name }}<input placeholder="Find"></p><script>let a</script>') == [
        "Hello",
        "你好",
        "Find",
    ]


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


GROUNDS = ("paper", "surface", "sunken", "hover")
TEXT_PAIRS = [
    *product(("ink", "ink-2", "ink-3", "accent", "good", "bad", "warn", "past"), GROUNDS),
    ("on-accent", "accent"), ("on-accent", "accent-2"), ("accent-2", "paper"), ("accent", "accent-soft"),
    *((f"{name}", f"{name}-soft") for name in ("good", "warn", "bad", "past")),
    *(("ink", f"{name}-soft") for name in ("accent", "good", "warn", "bad", "past")),
]  # fmt: skip
SHAPE_PAIRS = [
    *product(("control-line", "focus", "accent", "series-1", "series-2", "series-3", "series-4", "series-5"), ("paper", "surface")),
]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT_PAIRS)
def test_text_can_be_read_in_both_themes(theme, text, ground):
    told = colours(theme)
    assert contrast(told[text], told[ground]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("shape", "ground"), SHAPE_PAIRS)
def test_controls_and_lines_of_charts_can_be_seen_in_both_themes(theme, shape, ground):
    told = colours(theme)
    assert contrast(told[shape], told[ground]) >= 3


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_steps_of_age_differ_in_lightness_alone(theme):
    told = colours(theme)
    steps = [luminance(told[f"age-{step}"]) for step in range(1, 7)]
    assert steps == sorted(steps, reverse=theme == "light")
    assert all(contrast(told[f"age-{step}"], told[f"age-{step + 1}"]) > 1.15 for step in range(1, 6))


def test_browsers_that_know_no_light_dark_get_the_light_values():
    text = TOKENS.read_text(encoding="utf-8")
    fallback = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", text.split("@supports")[1]))
    assert fallback == colours("light")


def test_every_token_in_use_is_declared():
    declared = set(re.findall(r"--([a-z0-9-]+):", "".join(path.read_text(encoding="utf-8") for path in TOKENS.parent.glob("*.css"))))
    used = re.compile(r"var\(--([a-z0-9-]+)")
    for path in [*TOKENS.parent.glob("*.css"), WEB / "pages" / "charts.py"]:
        assert set(used.findall(path.read_text(encoding="utf-8"))) - {"age-"} <= declared, path.name


def test_every_icon_in_use_is_drawn():
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', (TOKENS.parent / "icons.svg").read_text(encoding="utf-8")))
    for path in TEMPLATES:
        assert set(re.findall(r'{% icon "([\w-]+)"', path.read_text(encoding="utf-8"))) <= drawn, path.name


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_component_renders(signed_in, language):
    answer = signed_in("viewer", language=language).get("/components/")
    assert answer.status_code == 200
    assert answer.content.decode().count('class="figure"') >= 8


def test_the_navigation_shows_only_what_one_may_open(signed_in):
    admin, viewer = (signed_in(role).get("/help/").content.decode() for role in ("admin", "viewer"))
    assert '"name":"jobs"' in admin
    assert '"name":"jobs"' not in viewer


def test_the_place_one_is_at_is_marked(signed_in):
    page = signed_in("viewer").get("/").content.decode()
    assert re.search(r'<a href="/" aria-current="page"', page)


def test_links_keep_the_day_one_looks_at(signed_in):
    page = signed_in("viewer").get("/help/?as_of=2026-06-30&known_at=2026-07-05").content.decode()
    assert 'href="/?as_of=2026-06-30&amp;known_at=2026-07-05"' in page


def test_a_page_of_the_past_says_so_and_leads_back(signed_in):
    browser = signed_in("viewer")
    past = browser.get("/help/?as_of=2026-06-30&q=dso").content.decode()
    assert 'class="past-line"' in past
    assert 'href="/help/?q=dso"' in past
    assert 'class="past-line"' not in browser.get("/help/").content.decode()


def test_the_picker_keeps_the_filters_and_forgets_the_page(signed_in):
    page = signed_in("viewer").get("/help/?q=dso&page=3").content.decode()
    assert '<input type="hidden" name="q" value="dso">' in page
    assert 'name="page"' not in page


def test_an_address_is_written_so_that_it_cannot_become_markup(signed_in):
    page = signed_in("viewer").get("/help/", {"q": '"><script>alert(1)</script>'}).content.decode()
    assert "<script>alert" not in page


def test_language_and_theme_are_kept_with_the_person(signed_in, person):
    anna = person("viewer")
    browser = signed_in(anna)
    answer = browser.post("/choose/", {"language": "zh-hans", "next": "/help/"})
    assert answer.status_code == 302
    assert answer.url == "/help/"
    browser.post("/choose/", {"theme": "dark", "next": "/help/"})
    anna.refresh_from_db()
    assert (anna.language, anna.theme) == ("zh-hans", "dark")
    assert '<html lang="zh-Hans" data-theme="dark">' in browser.get("/help/").content.decode()


def test_somebody_not_signed_in_chooses_too(db):
    browser = Client()
    browser.post("/choose/", {"theme": "dark", "language": "zh-hans", "next": "/"})
    assert '<html lang="zh-Hans" data-theme="dark">' in browser.get("/nothing/").content.decode()


def test_a_choice_never_leads_to_another_site(signed_in):
    answer = signed_in("viewer").post("/choose/", {"theme": "dark", "next": "https://elsewhere.example/"})
    assert answer.url == "/"


def test_an_unknown_theme_is_not_kept(signed_in, person):
    anna = person("viewer")
    signed_in(anna).post("/choose/", {"theme": '"><b>', "next": "/"})
    anna.refresh_from_db()
    assert anna.theme == ""


def test_a_missing_page_says_what_to_do(signed_in):
    answer = signed_in("viewer").get("/nothing/")
    assert answer.status_code == 404
    assert catalogue()["web.frame_error_404"]["en"] in answer.content.decode()


def test_a_form_without_its_token_says_what_to_do(person):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(person("viewer"))
    answer = browser.post("/choose/", {"theme": "dark"})
    assert answer.status_code == 403
    assert catalogue()["web.frame_error_csrf_hint"]["en"] in answer.content.decode()


def test_a_fault_of_ours_is_a_page_even_when_the_frame_fails(signed_in, monkeypatch):
    from duecourse.web.pages import dashboard, errors

    def broken(*args, **kwargs):
        raise RuntimeError("the frame is broken")

    browser = signed_in("viewer")
    browser.raise_request_exception = False
    monkeypatch.setattr(dashboard, "book_of", broken)
    monkeypatch.setattr(errors, "render", broken)
    answer = browser.get("/")
    assert answer.status_code == 500
    assert catalogue()["web.frame_error_500"]["en"] in answer.content.decode()
