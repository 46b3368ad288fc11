"""Somebody's first day with the product: set up, hand in an export, see the position, a buyer, last month, take the list out."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from duecourse.desk.opening import open_ledger
from support.browser_support import PASSWORD, set_up

if TYPE_CHECKING:
    from collections.abc import Callable

    from browser_support import Server, Watched

EXPORT = Path(__file__).parents[1] / "intake" / "fixtures" / "yonyou" / "应收明细账.csv"


@pytest.mark.long
@pytest.mark.parametrize(("locale", "language", "words"), [("en-GB", "en", "Buyers owe us"), ("zh-CN", "zh-hans", "客户共欠款")])
def test_from_an_empty_ledger_to_the_list_of_buyers(
    serve: Callable[[Path], Server], watched: Callable[..., Watched], tmp_path: Path, locale: str, language: str, words: str
) -> None:
    ledger = tmp_path / "ledger"
    open_ledger(ledger, create=True)
    server = serve(ledger)
    browser = watched(locale=locale)
    page = browser.page

    set_up(page, server, language)

    page.goto(f"{server.url}/imports/")
    page.set_input_files("#files", str(EXPORT))
    page.wait_for_url("**/imports/files/*/**")
    confirm = page.locator("form[action*='/confirm/'] button[type=submit], button[formaction*='/confirm/']").first
    confirm.wait_for()
    confirm.click()
    page.wait_for_url("**/imports/**", timeout=60_000)
    page.locator("a[href*='/imports/2']").first.wait_for(timeout=120_000)
    browser.check()

    page.goto(f"{server.url}/")
    assert words in page.inner_text("main")
    page.goto(f"{server.url}/buyers/")
    rows = page.locator("main tbody a[href*='/buyers/']")
    rows.first.wait_for()
    name = rows.first.inner_text()
    rows.first.click()
    page.wait_for_url("**/buyers/*/**")
    assert name in page.inner_text("main")
    page.goto(page.url.split("?")[0] + "?as_of=2025-08-31")
    assert "2025-08-31" in page.inner_text("body")
    page.goto(f"{server.url}/buyers/?as_of=2025-08-31")
    with page.expect_download() as download:
        page.locator("a[href*='export.csv']").first.click()
    table = list(csv.reader(Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()))
    assert len(table) > 1
    browser.check()
    assert PASSWORD not in server.log.read_text(encoding="utf-8", errors="replace")
