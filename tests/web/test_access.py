"""One row filter for everything: every address of the app, found by itself, called by three people and by nobody.

Anna may see every row, Bo owns some, Cai owns others; of what Bo asks for nothing may hold a buyer of Cai's, and the other way round. A role that
may not do what an address does gets 403, nobody gets to the sign-in.

A new address joins by itself. It needs a line here only if
  - its path has a business key (an argument that ends in _id) of a new name: ARGUMENTS;
  - it is open on purpose: OPEN.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from duecourse.web import books
from duecourse.web.accounts.access import ACTS, MAY, may
from duecourse.web.orders.drawing import draw

if TYPE_CHECKING:
    from collections.abc import Iterator

OPEN = {
    "setup", "join", "choose", "csp_report", "account_login", "account_logout", "account_inactive", "account_reset_password",
    "account_reset_password_done", "account_reset_password_from_key", "account_reset_password_from_key_done", "openid_connect_login",
    "openid_connect_callback", "socialaccount_login_cancelled", "socialaccount_login_error", "mfa_authenticate", "mfa_login_webauthn",
}  # fmt: skip
"""Addresses somebody reaches before they have signed in; none shows a row of the ledger."""

OWN = ("account_", "mfa_", "usersessions_")
"""Pages about oneself alone: any role, after signing in."""


@dataclass(frozen=True)
class Side:
    """What one sales owner has: a buyer, one of its invoices, and everything that must not be seen by the other."""

    owner: str
    buyer_id: str
    invoice_id: str
    settlement_id: str
    group_id: str
    batch_id: str
    words: tuple[str, ...]


@cache
def sides() -> tuple[Side, Side]:
    """Two sales owners of the demo ledger, and what belongs to each alone."""
    ledger = books.ledger()
    book = ledger.as_of(books.day_of(ledger))
    buyers = book.run(book.buyer).to_pylist()
    invoices = book.run(book.invoice.select("invoice_id", "buyer_id")).to_pylist()
    paid = {row["buyer_id"]: row["settlement_id"] for row in book.run(book.settlement.select("settlement_id", "buyer_id")).to_pylist()}
    batch = next(row.batch_id for row in ledger.journal() if row.kind in {"import", "post"})
    by_owner: dict[str, list[dict[str, Any]]] = {}
    for one in buyers:
        by_owner.setdefault(one["sales_owner"] or "", []).append(one)
    billed = {row["buyer_id"] for row in invoices}
    owners = sorted((owner for owner in by_owner if owner), key=lambda owner: -len(by_owner[owner]))[:2]
    made = []
    for owner in owners:
        others = [one for one in buyers if one["sales_owner"] != owner]
        known = " ".join(f"{one['name']} {one['name_local']} {one['group_name']} {one['group_id']}" for one in others)
        words = [
            word for one in by_owner[owner] for word in (one["name"], one["name_local"]) if word and len(word) > 3 and word not in known
        ]
        first = next(one for one in by_owner[owner] if one["buyer_id"] in billed and one["name"] in words)
        invoice = next(row for row in invoices if row["buyer_id"] == first["buyer_id"])
        group = first["group_id"] or first["buyer_id"]
        made.append(Side(owner, first["buyer_id"], invoice["invoice_id"], paid.get(first["buyer_id"], "none"), group, batch, tuple(words)))
    return made[0], made[1]


ARGUMENTS: dict[str, Any] = {
    "buyer_id": lambda side: side.buyer_id,
    "invoice_id": lambda side: side.invoice_id,
    "group_id": lambda side: side.group_id,
    "settlement_id": lambda side: side.settlement_id,
    "batch_id": lambda side: side.batch_id,
    "dispute_id": lambda _: "none",
    "order_id": lambda _: "none",
    "signal_id": lambda _: "none",
    "decision_id": lambda _: "none",
    "limit_id": lambda _: "none",
    "asset_id": lambda _: "none",
    "document_id": lambda _: "none",
    "check_id": lambda _: "none",
    "provider_id": lambda _: "none",
    "instalment": lambda _: 1,
    "form": lambda _: "csv",
    "slug": lambda _: "dashboard",
    "base": lambda _: "EUR",
    "quote": lambda _: "USD",
    "rate_date": lambda _: "2026-01-02",
}
"""What stands in a path, by the name of the argument. Every argument that ends in _id is named here; any other may be anything."""

NOTHING = 999_999


@dataclass(frozen=True)
class Address:
    """One address of the app."""

    route: str
    name: str
    act: str | None
    names: tuple[str, ...]

    def path(self, side: Side) -> str:
        """With the arguments of one side."""
        filled = self.route
        for name in self.names:
            value = str(ARGUMENTS.get(name, lambda _: NOTHING)(side)).replace("~", "~0").replace("/", "~1")
            filled = re.sub(rf"<(?:\w+:)?{name}>|\(\?P<{name}>(?:[^()]|\([^()]*\))*\)", lambda _, value=value: value, filled)
        return "/" + re.sub(r"[\^$?]|\\Z", "", filled)

    @property
    def is_api(self) -> bool:
        """Of the JSON API?"""
        return self.route.startswith("api/")


def walked(patterns: Any, before: str = "") -> Iterator[Address]:
    """Every address under these patterns."""
    for one in patterns:
        route = before + str(one.pattern).lstrip("^")
        if isinstance(one, URLResolver):
            yield from walked(one.url_patterns, route)
        else:
            assert isinstance(one, URLPattern)
            names = tuple(re.findall(r"<(?:\w+:)?(\w+)>", route))
            yield Address(route, one.name or "", getattr(one.callback, "act", None), names)


def addresses() -> list[Address]:
    """All of them, each once: the methods of an endpoint share one."""
    return list({one.route: one for one in walked(get_resolver().url_patterns)}.values())


def body(answer: Any) -> str:
    """What somebody could read in an answer, a workbook unpacked."""
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            return "\n".join(book.read(name).decode("utf-8", "replace") for name in book.namelist())
    return content.decode("utf-8", "replace")


def refused(answer: Any) -> bool:
    """Sent to the sign-in, or told no."""
    if answer.status_code == 302:
        return "/account/login/" in answer.url or "/account/reauthenticate/" in answer.url or answer.url == "/api/docs/"
    return answer.status_code in {401, 403, 404, 405}


@pytest.fixture
def anna(signed_in):
    return signed_in("admin")


@pytest.fixture
def bo(signed_in, demo_ledger):
    return signed_in("credit_manager", username="bo", sales_owners=[sides()[0].owner])


@pytest.fixture
def cai(signed_in, demo_ledger):
    return signed_in("credit_manager", username="cai", sales_owners=[sides()[1].owner])


def test_each_address_says_who_may_use_it(db):
    loose = [
        one.route for one in addresses()
        if one.act is None and one.name not in OPEN and not one.name.startswith(OWN) and not one.is_api
    ]  # fmt: skip
    assert not loose, f"without a gate, and not listed as open on purpose: {loose}"


def test_each_business_key_of_a_path_is_known_here(db):
    unknown = {name for one in addresses() for name in one.names if name.endswith("_id")} - set(ARGUMENTS)
    assert not unknown, f"say in ARGUMENTS what stands for: {unknown}"


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_nobody_gets_past_the_sign_in(person, method):
    person()
    through = []
    for one in addresses():
        if one.name in OPEN or (method in {"put", "delete"} and not one.is_api):
            continue
        answer = getattr(Client(), method)(one.path(sides()[0]))
        if not refused(answer) and not (one.is_api and _is_description(one)):
            through.append((one.route, answer.status_code))
    assert not through


def _is_description(one: Address) -> bool:
    """The description of the API itself holds no row."""
    return one.name in {"openapi-json", "openapi-view", "api-root", "api_docs", "api_document"}


def test_pages_that_are_open_show_no_row(person):
    person()
    mine, theirs = sides()
    for one in addresses():
        if one.name in OPEN:
            text = body(Client().get(one.path(mine)))
            assert not [word for word in (*mine.words, *theirs.words) if word in text], one.route


def test_a_role_that_may_not_is_told_no(signed_in):
    through = []
    browsers = {role: signed_in(role) for role in MAY}
    for one in addresses():
        if one.act is None:
            continue
        path = one.path(sides()[0])
        able = sorted((role for role in MAY if one.act in MAY[role]), key=lambda role: len(MAY[role]))
        unable = sorted(set(MAY) - set(able), key=lambda role: -len(MAY[role]))
        if browsers[able[0]].get(path).status_code in {401, 403}:
            through.append((path, able[0], "locked out"))
        for role in unable[:1]:
            through += [
                (path, role, method) for method in ("get", "post") if getattr(browsers[role], method)(path).status_code not in {403, 405}
            ]
    assert not through


def test_an_act_is_not_a_matter_of_the_page(signed_in, person):
    for act in ACTS:
        assert {role for role in MAY if may(person(role), act)} == {role for role in MAY if act in MAY[role]}
    assert not may(person("admin", is_active=False), "read")


def test_nobody_sees_a_row_of_somebody_else_anywhere(anna, bo, cai):
    draw(books.ledger())  # orders are answered from accounts a worker draws
    mine, theirs = sides()
    leaks: list[tuple[str, str, str]] = []
    seen: dict[str, set[str]] = {"anna": set(), "bo": set(), "cai": set()}
    for one in addresses():
        if one.name in OPEN or one.name == "account_logout":
            continue
        has_key = any(name.endswith("_id") for name in one.names)
        for who, browser, side, other in (("bo", bo, mine, theirs), ("cai", cai, theirs, mine), ("anna", anna, mine, None)):
            for asked in (mine, theirs) if has_key and other else (side,):
                if other is None and not has_key:
                    continue  # the whole ledger says nothing about the filter
                answer = browser.get(one.path(asked))
                text = body(answer)
                assert answer.status_code < 500, (one.route, who, text[:500])
                if other is not None:
                    leaks += [(one.route, who, word) for word in other.words if word in text]
                    if asked is other and answer.status_code == 200 and asked.buyer_id in _words(text):
                        leaks.append((one.route, who, asked.buyer_id))
                if any(word in text for word in side.words):
                    seen[who].add(one.name)
    assert not leaks
    # The test would prove nothing if nobody saw anything.
    assert {"buyers", "buyer"} <= seen["bo"] & seen["cai"], seen
    assert "buyer" in seen["anna"]


def _words(text: str) -> set[str]:
    return set(re.findall(r"[\w./-]+", text))
