"""Groups add up their members, for whoever may see them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from html import unescape

import pytest

from duecourse.money import exponent
from duecourse.tables import Money, shown
from support.pages import number, plain, rows, tables


def money(minor, currency):
    return shown(Money(minor, currency), "money")


def body(answer, status=200):
    assert answer.status_code == status
    return unescape(answer.content.decode())


def grouped(reckoned):
    """{group: {buyer}} of those with an account, and {group: {currency: [outstanding, overdue]}}."""
    members, sums = defaultdict(set), defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for (buyer_id, currency), account in reckoned.accounts.items():
        group = reckoned.profiles[buyer_id]["group_id"] or buyer_id
        members[group].add(buyer_id)
        sums[group][currency][0] += account.outstanding
        sums[group][currency][1] += account.overdue
    return {group: own for group, own in members.items() if len(own) > 1}, sums


@pytest.fixture
def rates(book):
    return {row["currency"]: row["rate_to_base"] for row in book.run(book.rates()).to_pylist()}


def in_base(amounts, rates, base):
    return sum(amount * rates[code] * 10 ** (exponent(base) - exponent(code)) for code, amount in amounts.items())


def test_every_group_is_listed_with_its_exposure_in_base_currency(signed_in, reckoned, book, rates):
    members, sums = grouped(reckoned)
    found = rows(signed_in("viewer").get("/groups/"))
    assert len(found) == min(50, len(members))
    for row in found:
        group = row["group"].split()[-1]
        assert int(row["Members"]) == len(members[group])
        owed = in_base({code: own[0] for code, own in sums[group].items()}, rates, book.base_currency) / 100
        assert number(row["outstanding"]) == pytest.approx(owed, abs=0.05)
    amounts = [number(row["outstanding"]) for row in found]
    assert amounts == sorted(amounts, reverse=True)


def test_the_page_of_a_group_adds_up_its_members_by_currency(signed_in, reckoned):
    members, sums = grouped(reckoned)
    group = max(members, key=lambda one: len(sums[one]) * 100 + len(members[one]))
    answer = signed_in("viewer").get(f"/groups/{group}/")
    page = body(answer)
    by_currency = {row[0]: row for row in tables(answer)[0][1:]}
    for currency, (owed, late) in sums[group].items():
        assert by_currency[currency][1] == money(owed, currency)
        assert by_currency[currency][2] == money(late, currency)
    assert all(f"/buyers/{buyer_id}/" in page for buyer_id in members[group])


def test_the_ageing_of_a_group_adds_up(signed_in, reckoned, book, rates):
    members, sums = grouped(reckoned)
    group = max(members, key=lambda one: sum(own[0] for own in sums[one].values()))
    ages = next(table for table in tables(signed_in("viewer").get(f"/groups/{group}/")) if table[0][0] == "ageing bucket")
    whole = in_base({code: own[0] for code, own in sums[group].items()}, rates, book.base_currency) / 100
    assert sum(number(row[1]) for row in ages[1:]) == pytest.approx(whole, abs=0.2)


def test_the_share_is_of_everything_outstanding(signed_in, reckoned, book, rates):
    members, sums = grouped(reckoned)
    whole = in_base({code: reckoned.total(code) for code in rates if reckoned.total(code)}, rates, book.base_currency)
    group = max(members, key=lambda one: in_base({code: own[0] for code, own in sums[one].items()}, rates, book.base_currency))
    share = in_base({code: own[0] for code, own in sums[group].items()}, rates, book.base_currency) / whole
    assert shown(share, "fraction") in body(signed_in("viewer").get(f"/groups/{group}/"))


def test_another_day_shows_the_group_of_then(signed_in, reckoned, book):
    members, _ = grouped(reckoned)
    group = max(members, key=lambda one: len(members[one]))
    day = book.on - dt.timedelta(250)
    _, then = grouped(plain(book.ledger.as_of(day)))
    answer = signed_in("viewer").get(f"/groups/{group}/", {"as_of": day.isoformat()})
    by_currency = {row[0]: row[1] for row in tables(answer)[0][1:]}
    for currency, own in then[group].items():
        assert by_currency[currency] == money(own[0], currency)


def test_a_sales_person_sees_of_a_group_only_own_members(signed_in, reckoned):
    members, _ = grouped(reckoned)
    group, own = next(
        (group, buyers) for group, buyers in members.items() if len({reckoned.profiles[one]["sales_owner"] for one in buyers}) > 1
    )
    owner = reckoned.profiles[min(own)]["sales_owner"]
    seen = {one for one in own if reckoned.profiles[one]["sales_owner"] == owner}
    page = body(signed_in("sales", sales_owners=[owner]).get(f"/groups/{group}/"))
    assert all((f"/buyers/{one}/" in page) == (one in seen) for one in own)
    strangers = {row["sales_owner"] for row in reckoned.profiles.values()} - {reckoned.profiles[one]["sales_owner"] for one in own}
    owner = min(strangers - {None})
    browser = signed_in("sales", sales_owners=[owner])
    assert browser.get(f"/groups/{group}/").status_code == 404
    assert f"/groups/{group}/" not in body(browser.get("/groups/"))


def test_a_group_is_found_by_part_of_its_name(signed_in, reckoned):
    members, _ = grouped(reckoned)
    group = next(one for one in members if any(reckoned.profiles[buyer]["group_name"] for buyer in members[one]))
    name = next(reckoned.profiles[buyer]["group_name"] for buyer in members[group] if reckoned.profiles[buyer]["group_name"])
    answer = signed_in("viewer").get("/groups/", {"q": name[:6].lower()}, HTTP_HX_REQUEST="true")
    assert group in body(answer)
    assert b"<html" not in answer.content
    assert 'class="empty"' in body(signed_in("viewer").get("/groups/", {"q": "no such group"}))


def test_an_unknown_group_says_what_to_do(signed_in):
    assert "no-such-group" in body(signed_in("viewer").get("/groups/no-such-group/"), 404)
