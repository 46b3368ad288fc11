"""The spread of a book adds up, whatever it is spread over."""

from __future__ import annotations

import datetime as dt

from duecourse import samples
from duecourse.desk.limits import utilisation
from duecourse.desk.portfolio import DIMENSIONS, TOP, spread


def test_every_spread_adds_up_to_the_whole_and_to_the_list_of_buyers(book):
    found = spread(book)
    rows = utilisation(book).to_pylist()
    whole = sum(row["exposure"] for row in rows)
    assert found["totals"]["exposure"] == whole > 0
    assert sum(amount for _count, amount in found["totals"]["states"].values()) == whole
    for name in DIMENSIONS:
        part = found["parts"][name]
        if not part["more"]:
            # each currency's sum is converted once a row, so parts differ by their rounding alone
            assert abs(sum(row["exposure"] for row in part["rows"]) - whole) <= len(rows), name
        assert len(part["rows"]) <= TOP
        assert all(row["above"] == (row["cap"] is not None and row["share"] > row["cap"]) for row in part["rows"])
    assert sum(found["todo"]["counts"].values()) == sum(row["state"] != "within" for row in rows)
    assert sum(map(sum, found["migration"]["matrix"])) == sum(found["migration"][name] for name in ("better", "same", "worse"))
    assert spread(book) == found


def test_without_a_base_currency_nothing_is_added_up():
    assert spread(samples.book(dt.date(2026, 1, 1))) == {"currency": ""}
