"""A letter to a debtor, from the letterhead to what would go, as a person writes it in the browser; every page of the room whole, readable, accessible."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from support.browser_support import set_up
from support.demos import demo_at
from support.visiting import faults_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.browser_support import Server, Watched


@pytest.mark.long
@pytest.mark.parametrize(("locale", "language"), [("en-GB", "en"), ("zh-CN", "zh-hans")])
def test_from_the_letterhead_to_what_would_go(
    serve: Callable[[Path], Server], watched: Callable[..., Watched], tmp_path: Path, locale: str, language: str
) -> None:
    ledger = tmp_path / "ledger"
    demo_at(ledger, invoices=1_500)
    server = serve(ledger)
    browser = watched(locale=locale)
    page = browser.page
    set_up(page, server, language)

    page.goto(f"{server.url}/letters/letterhead/")
    for name, value in (
        ("name", "Rensheng Tools Co., Ltd."),
        ("local_name", "仁盛工具有限公司"),
        ("address", "1 Road\nShanghai"),
        ("holder-0", "Rensheng"),
        ("bank-0", "Bank"),
        ("number-0", "1"),
    ):
        page.fill(f"[name='{name}']", value)
    page.locator("form[action$='/keep/'] button[type=submit]").first.click()
    page.wait_for_load_state("networkidle")
    assert page.input_value("[name='name']") == "Rensheng Tools Co., Ltd."

    page.goto(f"{server.url}/invoices/?state=overdue")
    buyer = page.locator("main tbody a[href*='/buyers/']").first.get_attribute("href")
    assert buyer is not None
    new = f"{server.url}{buyer.split('?')[0]}letter/"
    faults = faults_of(browser, new, language, themes=("light",))
    page.select_option("#kind", "demand_letter")
    page.select_option("#language", "zh+en")
    page.fill("#address", "2 Street\nTown")
    page.locator("main form button[type=submit]").click()
    page.wait_for_url(re.compile(r".*/letters/\d+/.*"))
    letter = page.url.split("?")[0]
    page.wait_for_load_state("networkidle")
    shown = page.evaluate(
        "[...document.querySelectorAll('img.sheet')].filter(one => !one.loading || one.getBoundingClientRect().top < innerHeight).map(one => one.naturalWidth)"
    )
    assert shown and all(width > 400 for width in shown)
    page.locator("form[action$='/submit/'] button").click()
    page.wait_for_load_state("networkidle")
    assert page.locator("form[action$='/approve/']").count() == 0  # never by its writer
    for url in (
        letter,
        f"{server.url}/letters/?tab=open",
        f"{server.url}/letters/dry-run/",
        f"{server.url}/letters/batches/",
        f"{server.url}/letters/letterhead/",
    ):
        faults += faults_of(browser, url, language)
    assert not faults, "\n".join(faults)
