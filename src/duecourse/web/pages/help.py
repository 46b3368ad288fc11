"""Help in the app: one Markdown file a feature and language, found from the page it speaks of, searched, rendered here.  帮助

A file is `web/help/LANGUAGE/SLUG.md`. It begins with its front matter:

    ---
    title: The dashboard
    order: 10
    pages: dashboard
    ---

title  its heading and its line in the list
order  where it stands in the list, smallest first
pages  URL names whose "?" leads here, separated by commas or spaces; may be empty
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from django.http import Http404
from django.shortcuts import render
from django.urls import reverse
from markdown_it import MarkdownIt

from duecourse.glossary import TERMS
from duecourse.messages import Language, language, say
from duecourse.web.accounts.access import gate

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

GLOSSARY = "glossary"


@dataclass(frozen=True)
class HelpPage:
    """One file: its front matter, its Markdown, and that as HTML."""

    slug: str
    title: str
    order: int
    pages: frozenset[str]
    text: str

    @property
    def html(self) -> str:
        """The text as HTML; raw HTML in a file is shown as text. A third heading that is a code word can be led to by it (`#rate-limited`)."""
        rendered: str = MarkdownIt("commonmark", {"html": False, "typographer": False}).enable("table").render(self.text)
        return re.sub(r"<h3>([a-z][a-z-]*)</h3>", r'<h3 id="\1">\1</h3>', rendered)

    @property
    def first_line(self) -> str:
        """The opening sentence, for the list."""
        return next((line for line in self.text.splitlines() if line and not line.startswith("#")), "")


@cache
def help_pages(lang: Language) -> dict[str, HelpPage]:
    """Every help page of a language by its slug, in order."""
    folder = resources.files("duecourse.web").joinpath("help", lang)
    found = [
        _read(entry.name.removesuffix(".md"), entry.read_text(encoding="utf-8")) for entry in folder.iterdir() if entry.name.endswith(".md")
    ]
    return {page.slug: page for page in sorted(found, key=lambda page: (page.order, page.slug))}


def _read(slug: str, text: str) -> HelpPage:
    _, head, body = text.split("---\n", 2)
    words = dict(line.split(":", 1) for line in head.splitlines() if ":" in line)
    pages = frozenset(words.get("pages", "").replace(",", " ").split())
    return HelpPage(slug, words["title"].strip(), int(words.get("order", "100")), pages, body.strip())


def help_address(here: str | None) -> str:
    """Where the "?" of a page (its URL name) leads: the help that names it, else the list."""
    for page in help_pages(language()).values():
        if here in page.pages:
            return reverse("help_page", args=[page.slug])
    return reverse("help")


@gate("read")
def index(request: HttpRequest) -> HttpResponse:
    """Every help page, and those that hold the words looked for."""
    words = request.GET.get("q", "").strip()
    found = [page for page in help_pages(language()).values() if not words or words.casefold() in f"{page.title}\n{page.text}".casefold()]
    terms = [term for term in TERMS.values() if words and _matches(term, words.casefold())]
    return render(request, "pages/help.html", {"pages": found, "words": words, "terms": terms[:50]})


def _matches(term: object, words: str) -> bool:
    return any(
        words in str(getattr(term, name)).casefold()
        for name in ("identifier", "en", "zh", "abbreviation", "definition_en", "definition_zh")
    )


@gate("read")
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """One help page; `glossary` is made from the glossary."""
    pages = help_pages(language())
    if slug not in pages:
        raise Http404
    words = {"page": pages[slug], "pages": list(pages.values()), "terms": _glossary() if slug == GLOSSARY else []}
    return render(request, "pages/help_page.html", words)


def _glossary() -> list[dict[str, object]]:
    terms = [
        {"term": term, "label": term.label(), "definition": term.definition(), "unit": say(f"web.help_unit_{term.unit}")}
        for term in TERMS.values()
    ]
    return sorted(terms, key=lambda one: str(one["label"]).casefold())
