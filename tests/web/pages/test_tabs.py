"""A buyer's pages are one click apart, and no tab leads to a page that is not there."""

from __future__ import annotations

import contextlib

from django.test import RequestFactory
from django.urls import NoReverseMatch, reverse

from duecourse.web.pages.templatetags.buyer import TABS, buyer_tabs


def tabs_at(name: str) -> list[dict]:
    request = RequestFactory().get("/")
    request.resolver_match = type("Match", (), {"url_name": name})()
    return buyer_tabs({"request": request}, "C/1")


def there() -> dict[str, str]:
    found = {}
    for name in TABS:
        with contextlib.suppress(NoReverseMatch):
            found[name] = reverse(name, args=["C/1"])
    return found


def test_each_tab_leads_to_a_page_that_is_there():
    assert [tab["url"] for tab in tabs_at("buyer")] == list(there().values())


def test_the_tab_of_the_page_shown_is_marked_also_from_a_page_below_it():
    for name, address in there().items():
        assert [tab["url"] for tab in tabs_at(f"{name}_below") if tab["current"]] == [address]
    assert not [tab for tab in tabs_at("dashboard") if tab["current"]]
