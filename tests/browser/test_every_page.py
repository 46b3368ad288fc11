"""Every page, found by following links, in both languages, both themes, on a desk and on a phone: whole, quiet, readable, accessible."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from duecourse.desk.demo import make_demo
from duecourse.messages import catalogue
from support.browser_support import set_up

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from browser_support import Server, Watched

MUST = {
    "buyers",
    "invoices",
    "groups",
    "imports",
    "quarantine",
    "findings",
    "settings",
    "help",
    "components",
    "people",
    "audit",
    "jobs",
    "profile",
}
LEFT_OUT = re.compile(r"/(?:export|download|logout|api/|jobs/\d|account/(?:logout|password)|join/|static/)|\.(?:csv|xlsx|svg|json)")
WIDTHS = (1440, 390)
SERIOUS = ("serious", "critical")
LETTERS = 14
"""Shorter sentences (OK, CSV) read alike in both languages or stand inside others."""


def kind_of(url: str) -> tuple[str, ...]:
    """Pages that are one page with another key count once."""
    parts = [part for part in urlsplit(url).path.split("/") if part]
    return tuple(
        part if re.fullmatch(r"[a-z_-]+", part) and not (number and parts[0] == "help") else "*" for number, part in enumerate(parts)
    )


def other_language(language: str) -> list[str]:
    """Whole sentences of the pages in the language not chosen, which therefore should not be seen."""
    mine, other = ("zh", "en") if language.startswith("zh") else ("en", "zh")
    said = [wording for name, wording in catalogue().items() if name.startswith("web.") and "{" not in wording[other]]
    shown = {wording[mine] for wording in said}
    least = LETTERS if other == "en" else 4
    return [wording[other] for wording in said if len(wording[other]) >= least and wording[other] not in shown]


@pytest.mark.long
@pytest.mark.parametrize(("locale", "language"), [("en-GB", "en"), ("zh-CN", "zh-hans")])
def test_every_page(serve: Callable[[Path], Server], watched: Callable[..., Watched], tmp_path: Path, locale: str, language: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    ledger = tmp_path / "ledger"
    make_demo(ledger, invoices=1_000)
    server = serve(ledger)
    browser = watched(locale=locale)
    page = browser.page
    set_up(page, server, language)
    axe, foreign = Axe(), other_language(language)
    faults: list[str] = []
    waiting, seen = [server.url + "/", server.url + "/components/"], set()
    while waiting:
        url = waiting.pop(0)
        if kind_of(url) in seen:
            continue
        seen.add(kind_of(url))
        browser.faults.clear()
        answer = page.goto(url, wait_until="networkidle")
        assert answer is not None
        if answer.status >= 400:
            faults.append(f"{url}: {answer.status}")
            continue
        hrefs = page.evaluate("[...document.querySelectorAll('a[href]')].map(a => a.href)")
        waiting += [href for href in hrefs if href.startswith(server.url) and not LEFT_OUT.search(href) and kind_of(href) not in seen]
        text = page.inner_text("body")
        faults += [f"{url}: says in the other language: {sentence}" for sentence in foreign if sentence in text][:3]
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                if wide > 0:
                    faults.append(f"{url}: {wide} px too wide at {width} px")
            found = axe.run(page).response["violations"]
            faults += [
                f"{url} ({theme}): {one['id']}: {one['nodes'][0]['html'][:120]}" for one in found if one["impact"] in SERIOUS
            ]  # fmt: skip
        faults += [f"{url}: {fault}" for fault in browser.faults + page.evaluate("window.__csp || []")]
        page.set_viewport_size({"width": 1440, "height": 900})
    assert not faults, "\n".join(faults)
    assert {kind[0] for kind in seen if kind} >= MUST
