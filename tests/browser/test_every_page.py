"""Every page, found by following links, in both languages, both themes, on a desk and on a phone: whole, quiet, readable, accessible."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.browser_support import set_up
from support.demos import demo_at
from support.visiting import faults_of, kind_of, links

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


@pytest.mark.long
@pytest.mark.parametrize(("locale", "language"), [("en-GB", "en"), ("zh-CN", "zh-hans")])
def test_every_page(serve: Callable[[Path], Server], watched: Callable[..., Watched], tmp_path: Path, locale: str, language: str) -> None:
    ledger = tmp_path / "ledger"
    demo_at(ledger, invoices=1_000)
    server = serve(ledger)
    browser = watched(locale=locale)
    set_up(browser.page, server, language)
    faults: list[str] = []
    waiting, seen = [server.url + "/", server.url + "/components/"], set()
    while waiting:
        url = waiting.pop(0)
        if kind_of(url) not in seen:
            seen.add(kind_of(url))
            faults += faults_of(browser, url, language)
            waiting += [href for href in links(browser) if kind_of(href) not in seen]
    assert not faults, "\n".join(faults)
    assert {kind[0] for kind in seen if kind} >= MUST


def test_the_pages_of_every_day(serve: Callable[[Path], Server], watched: Callable[..., Watched], tmp_path: Path) -> None:
    """The short version: what is opened most, in Chinese, in the dark and in the light, on a desk and on a phone."""
    ledger = tmp_path / "ledger"
    demo_at(ledger, invoices=1_000)
    server = serve(ledger)
    browser = watched(locale="zh-CN")
    set_up(browser.page, server, "zh-hans")
    faults: list[str] = []
    for place, theme in (("/", "light"), ("/buyers/", "dark"), ("/imports/", "light"), ("/settings/", "dark")):
        faults += faults_of(browser, server.url + place, "zh", themes=(theme,))
        if place == "/buyers/":
            buyer = next(href for href in links(browser) if kind_of(href) == ("buyers", "*"))
            faults += faults_of(browser, buyer, "zh", themes=("light",))
    assert not faults, "\n".join(faults)
