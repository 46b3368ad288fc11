"""A debt that was not paid, from the worklist to its end, as a person works it in the browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from support.browser_support import set_up
from support.demos import demo_at

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.browser_support import Server, Watched


@pytest.mark.long
@pytest.mark.parametrize(
    ("locale", "language", "call", "closed"),
    [("en-GB", "en", "called Ms Lin", "Settled for a part"), ("zh-CN", "zh-hans", "致电 Ms Lin", "和解收回部分")],
)
def test_from_the_worklist_to_the_end_of_a_case(
    serve: Callable[[Path], Server], watched: Callable[..., Watched], tmp_path: Path, locale: str, language: str, call: str, closed: str
) -> None:
    ledger = tmp_path / "ledger"
    demo_at(ledger, invoices=3_000)
    server = serve(ledger)
    browser = watched(locale=locale)
    page = browser.page
    set_up(page, server, language)

    # A case is opened by hand from the page of a buyer who owes; the night's run would have done so too.
    page.goto(f"{server.url}/invoices/?state=overdue")
    page.locator("main tbody a[href*='/buyers/']").first.click()
    page.wait_for_url("**/buyers/*/**")
    opening = page.locator("form[action$='/case/'] button")
    if opening.count():
        opening.first.click()
    else:
        page.locator("p.live-alert a[href*='/cases/']").first.click()
    page.wait_for_url(re.compile(r".*/cases/\d+/.*"))
    case = page.url.split("?")[0]
    assert page.locator("#tasks li").count() > 3
    assert page.locator("#owed").count() == 1
    assert page.locator("#clocks").count() == 1

    page.locator("details.act summary").first.click()
    page.fill("#call-who", "Ms Lin")
    page.fill("#call-note", "will pay on Friday")
    page.locator("form[action$='/call/'] button").click()
    page.wait_for_url(f"{case}**")
    assert call in page.inner_text("#history")
    browser.check()

    page.goto(f"{server.url}/today/")
    browser.check()
    page.goto(f"{server.url}/cases/")
    assert page.locator(".board .card").count() >= 1
    browser.check()

    page.goto(case)
    page.locator("details.act summary").last.click()
    page.select_option("#result", "settled")
    page.fill("#recovered", "100")
    page.locator("form[action$='/close/'] button").click()
    page.wait_for_url(f"{case}**")
    assert closed in page.inner_text("main")
    assert page.locator("details.act").count() == 0
    browser.check()
