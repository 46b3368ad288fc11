"""A document dragged onto the page of a buyer: kept as it came, once, however often it is dropped."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from support.browser_support import set_up
from support.demos import demo_at

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page

    from support.browser_support import Server, Watched

TEXT = "对账单 statement of account\n截至 2026-09-30 应付 123,456.78 元\n"
DROPPED = """([text, name]) => {
    const carried = new DataTransfer();
    carried.items.add(new File([text], name, {type: "text/plain"}));
    const zone = document.querySelector(".drop");
    for (const kind of ["dragenter", "dragover", "drop"]) {
        zone.dispatchEvent(new DragEvent(kind, {dataTransfer: carried, bubbles: true, cancelable: true}));
    }
}"""


def drop(page: Page, name: str) -> None:
    """Let a file fall on the place for it, and wait until the page says what came of it."""
    with page.expect_response(lambda answer: "/documents/upload/" in answer.url and answer.request.method == "POST"):
        page.evaluate(DROPPED, [TEXT, name])
    page.wait_for_selector("main .notice, [role=status] .notice, .notice")
    page.wait_for_load_state("networkidle")


@pytest.mark.long
@pytest.mark.parametrize(
    ("locale", "language", "kept", "again"), [("en-GB", "en", "1 document", "before"), ("zh-CN", "zh-hans", "1 份", "此前")]
)
def test_a_file_dropped_on_the_page_is_kept_once(
    serve: Callable[[Path], Server], watched: Callable[..., Watched], tmp_path: Path, locale: str, language: str, kept: str, again: str
) -> None:
    ledger = tmp_path / "ledger"
    demo_at(ledger, invoices=1_000)
    server = serve(ledger)
    browser = watched(locale=locale)
    page = browser.page
    set_up(page, server, language)
    page.goto(f"{server.url}/invoices/?state=overdue")
    buyer = page.locator("main tbody a[href*='/buyers/']").first.get_attribute("href")
    assert buyer is not None
    place = f"{server.url}{buyer.split('?')[0]}documents/"
    page.goto(place)
    assert page.locator("#documents tbody tr").count() == 0

    drop(page, "对账单 statement.txt")
    assert kept in page.inner_text("body")
    page.goto(place)
    assert page.locator("#documents tbody tr").count() == 1
    row = page.locator("#documents tbody tr").first
    assert "对账单 statement.txt" in row.inner_text()
    assert hashlib.sha256(TEXT.encode()).hexdigest()[:12] in row.inner_text()  # byte for byte as it was dropped

    drop(page, "the same by another name.txt")
    assert again in page.inner_text("body")
    page.goto(place)
    assert page.locator("#documents tbody tr").count() == 1

    # Beside the place nothing happens: the browser neither opens the file nor leaves the page.
    page.evaluate(DROPPED.replace('".drop"', '"h1"'), [TEXT + "other", "beside.txt"])
    page.wait_for_timeout(300)
    assert page.url == place
    page.reload()
    assert page.locator("#documents tbody tr").count() == 1
    browser.check()
