"""The dashboard: the figures of the desk, in one sentence and in tiles, for whoever may see them, as of any day, in any currency."""

from __future__ import annotations

import re
from html import unescape

import pytest

from duecourse.desk.opening import open_ledger
from duecourse.desk.position import position
from duecourse.messages import use_language
from duecourse.tables import Money, shown
from duecourse.web import books
from duecourse.web.books import day_of


@pytest.fixture(autouse=True)
def _english():
    yield
    use_language("en")


def body(answer) -> str:
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def money(minor: int, currency: str) -> str:
    return shown(Money(minor, currency), "money")


@pytest.fixture
def now():
    ledger = books.ledger()
    return position(ledger.as_of(day_of(ledger)))


def test_the_figures_are_those_of_the_desk(signed_in, now):
    one = now.base or now.currencies[0]
    page = body(signed_in("viewer").get("/"))
    for name in ("outstanding", "overdue", "unapplied_credits"):
        assert f'title="{money(one.figures[name], one.currency)} {one.currency}"' in page
    for amount in one.buckets.values():
        assert money(amount, one.currency) in page


def test_every_currency_has_its_own_view(signed_in, now):
    browser = signed_in("viewer")
    for one in now.currencies[:3]:
        page = body(browser.get("/", {"currency": one.currency}))
        assert f'title="{money(one.figures["outstanding"], one.currency)} {one.currency}"' in page


def test_an_unknown_currency_shows_what_is_shown_without_one(signed_in):
    browser = signed_in("viewer")
    figures = re.compile(r'class="value" title="([^"]+)"')
    assert figures.findall(body(browser.get("/", {"currency": "<b>"}))) == figures.findall(body(browser.get("/")))


def test_another_day_shows_that_day_s_figures(signed_in):
    ledger = books.ledger()
    day = day_of(ledger).replace(day=1)
    then = position(ledger.as_of(day))
    one = then.base or then.currencies[0]
    page = body(signed_in("viewer").get("/", {"as_of": day.isoformat()}))
    assert f'title="{money(one.figures["outstanding"], one.currency)} {one.currency}"' in page


def test_nothing_owed_yet_says_what_to_do(signed_in):
    page = body(signed_in("viewer").get("/", {"as_of": "1990-01-01"}))
    assert "1990-01-01" in page
    assert 'class="empty"' in page


def test_an_empty_ledger_says_what_to_do(signed_in, tmp_path, monkeypatch):
    from duecourse.web import environment as env

    place = tmp_path / "empty"
    open_ledger(str(place), create=True)
    monkeypatch.setattr(env, "LEDGER", str(place))
    books.forget()
    try:
        page = body(signed_in("credit_manager").get("/"))
    finally:
        books.forget()
    assert 'class="empty"' in page


def test_somebody_with_few_rows_sees_the_figures_of_those_rows(signed_in):
    ledger = books.ledger()
    everything = ledger.as_of(day_of(ledger))
    owner = next(
        row["sales_owner"] for row in everything.run(everything.buyer.select("sales_owner").distinct()).to_pylist() if row["sales_owner"]
    )
    from duecourse.ledger.scope import Scope

    mine = position(everything.limited(Scope(sales_owners=frozenset({owner}))))
    one = mine.base or mine.currencies[0]
    page = body(signed_in("sales", sales_owners=[owner]).get("/"))
    assert f'title="{money(one.figures["outstanding"], one.currency)} {one.currency}"' in page


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_page_is_light(signed_in, language):
    import gzip

    page = signed_in("viewer", language=language).get("/").content
    assert len(gzip.compress(page)) < 30_000


def test_the_print_view_holds_pictures_of_the_charts(signed_in):
    page = body(signed_in("viewer").get("/", {"print": "1"}))
    assert page.count("data:image/svg+xml;base64,") >= 2


def test_what_needs_attention_leads_to_pages_that_open(signed_in):
    browser = signed_in("credit_manager")
    section = browser.get("/").content.decode().split('id="attention"')[1].split("</section>")[0]
    links = [unescape(link) for link in re.findall(r'<a [^>]*href="([^"]+)"', section)]
    assert links
    assert {link: browser.get(link).status_code for link in links} == dict.fromkeys(links, 200)


def test_the_links_of_another_day_stay_on_that_day(signed_in):
    ledger = books.ledger()
    day = day_of(ledger).replace(day=1).isoformat()
    page = signed_in("viewer").get("/", {"as_of": day}).content.decode().split("<main")[1]
    inside = [link for link in re.findall(r'<a [^>]*href="(/[^"#]*)', page) if link != "/"]
    assert inside
    assert [link for link in inside if f"as_of={day}" not in link] == []
