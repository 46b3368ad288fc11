"""Limits of a whole ledger: one recommendation, every buyer's use, a review, and a decision made again."""

from __future__ import annotations

import datetime as dt

import ibis
import pyarrow as pa
import pytest

from duecourse.decisions.limit_rules import checked
from duecourse.decisions.record import decision_row, digest_of
from duecourse.desk.limits import Ask, limits_of, recommend, review, utilisation
from duecourse.desk.posting import tables_of
from duecourse.desk.replay import replay
from duecourse.errors import BuyerUnknownError, DecisionUnknownError
from duecourse.ledger.entries import LIMIT
from duecourse.ledger.scope import Scope

ON = dt.date(2026, 10, 31)


@pytest.fixture(scope="module")
def ledger(small_ledger, tmp_path_factory):
    """The small economy with limits of some of its buyers."""
    import shutil

    from duecourse.desk.opening import open_ledger

    place = tmp_path_factory.mktemp("limits") / "ledger"
    shutil.copytree(small_ledger.storage.folder, place, ignore=shutil.ignore_patterns(".answers"))
    own = open_ledger(place, threads=1)
    far = own.as_of(ON)
    busiest = far.run(
        far.invoice.group_by("buyer_id").aggregate(n=far.invoice.count(), currency=far.invoice.currency.max()).order_by("buyer_id")
    ).to_pylist()[:40]
    rows = [
        {"limit_id": f"L{number}", "kind": "standing", "buyer_id": one["buyer_id"], "amount_minor": 10_000_00 * (number + 1), "currency": one["currency"],
         "valid_from": dt.date(2026, 1, 1)}
        for number, one in enumerate(busiest)
    ]  # fmt: skip
    rows.append({"limit_id": "B", "kind": "block", "buyer_id": busiest[3]["buyer_id"], "valid_from": dt.date(2026, 2, 1)})
    # The economy's own limits are moved to a time long before.
    limit, ten_years = far.limit, ibis.interval(days=3_653)
    moved = {name: (limit[name] - ten_years).cast("date") for name in ("valid_from", "valid_to", "review_on")}
    ended = (limit.kind == "block").ifelse(moved["valid_from"], ibis.null("date"))
    before = far.run(limit.select(*LIMIT.facts.names).mutate(**moved, ended_on=ended))
    with own.draft("post") as draft:
        draft.put("limit", before.cast(LIMIT.facts))
        for name, table in tables_of(("limit", row) for row in rows).items():
            draft.put(name, table)
        draft.commit()
    return own


@pytest.fixture
def limited(ledger):
    return ledger.as_of(ON)


def blocked(ledger):
    book = ledger.as_of(ON)
    return book.run(book.limit.filter(book.limit.limit_id == "B"))["buyer_id"][0].as_py()


def standing(ledger, number=0):
    book = ledger.as_of(ON)
    return book.run(book.limit.filter(book.limit.limit_id == f"L{number}"))["buyer_id"][0].as_py()


def test_a_recommendation_rests_on_the_ledgers_own_figures(ledger, limited):
    buyer = standing(ledger)
    advice = recommend(limited, buyer)
    own = limited.run(limited.invoice.filter(limited.invoice.buyer_id == buyer))
    year = [
        row["amount_minor"]
        for row in own.to_pylist()
        if row["currency"] == advice.known.currency and row["issue_date"] > ON - dt.timedelta(days=365)
    ]
    if len({row["currency"] for row in own.to_pylist()}) == 1:
        assert advice.known.annual_sales_minor == sum(year)
    assert advice.known.current_limit_minor == 10_000_00
    assert "statement" in advice.recommended.missing
    assert advice.recommended.amount_minor is not None


def test_a_block_stops_and_what_was_asked_bounds(ledger, limited):
    assert recommend(limited, blocked(ledger)).recommended.binding == "block"
    assert recommend(limited, standing(ledger), Ask(amount_minor=1)).recommended.amount_minor <= 1


def test_nobody_recommends_for_a_buyer_they_may_not_see(ledger, limited):
    hidden = limited.limited(Scope(sales_owners=frozenset({"nobody"})))
    with pytest.raises(BuyerUnknownError):
        recommend(hidden, standing(ledger))


def test_one_buyer_alone_and_all_together_get_the_same_recommendation(ledger, limited):
    every = {one.buyer_id: one for one in review(limited)}
    for number in (0, 1, 2, 3, 20):
        buyer = standing(ledger, number)
        assert every[buyer].recommended_minor == recommend(limited, buyer).recommended.amount_minor, buyer
        assert every[buyer].now_minor == 10_000_00 * (number + 1)


def test_use_of_limits_adds_up_to_the_exposure_of_the_book(limited):
    rows = utilisation(limited).to_pylist()
    for row in rows:
        if row["limit_minor"]:
            assert row["utilisation"] == row["exposure"] / row["limit_minor"]
        assert row["state"] != "over" or row["exposure"] > row["limit_minor"]
    assert sum(row["standing_minor"] is not None for row in rows) == 40
    assert {"over", "unlimited"} <= {row["state"] for row in rows}


def test_a_decision_replays_to_the_byte_and_says_what_differs_when_its_rules_were_changed(ledger, limited):
    buyer = standing(ledger)
    advice = recommend(limited, buyer, Ask(amount_minor=500_000_00))
    made = {
        "decision_id": "D1", "kind": "limit", "basis": advice.basis, "rules": {"limit": advice.rules.values}, "inputs": {"ask": advice.ask.plain},
        "answer": advice.answer, "outcome": "approved", "decided_on": ON, "decided_at": dt.datetime(2026, 10, 31, 9, tzinfo=dt.UTC), "made_by": "anna",
        "buyer_id": buyer,
    }  # fmt: skip
    rows = [
        decision_row(**made),
        decision_row(**{**made, "decision_id": "D2", "rules": {"limit": checked({"experience_factor": 2.0}).values}}),
    ]
    later = {
        "limit_id": "L99",
        "kind": "standing",
        "buyer_id": buyer,
        "amount_minor": 5,
        "currency": advice.known.currency,
        "valid_from": dt.date(2026, 10, 1),
    }
    with ledger.draft("post") as draft:
        for name, table in tables_of([*(("decision", row) for row in rows), ("limit", later)]).items():
            draft.put(name, table)
        draft.commit()
    assert recommend(ledger.as_of(ON), buyer).known.current_limit_minor == 5  # the book has moved on …
    again = replay(ledger, "D1")
    assert again.equal  # … and the decision has not
    assert again.differences == []
    assert digest_of(again.answer) == rows[0]["digest"]
    other = replay(ledger, "D2")
    assert not other.equal
    assert any("experience" in one.path or "caps" in one.path for one in other.differences)
    with pytest.raises(DecisionUnknownError):
        replay(ledger, "nothing")
    assert [row["state"] for row in limits_of(ledger.as_of(ON), buyer)][:2] == ["in_force", "replaced"]


def test_the_table_of_use_is_arrow(limited):
    assert isinstance(utilisation(limited), pa.Table)


def test_stricter_rules_stop_more_and_what_they_stop_and_leave_adds_up(limited):
    from duecourse.desk.limit_trial import try_rules

    strict = checked({"wallet_share": 0.01, "experience_factor": 0.2})
    found = try_rules(limited, strict)
    assert found.basis == "invoices"
    assert found.new["stopped"] > found.now["stopped"]
    assert found.new["checked"] == found.now["checked"] > 500
    assert found.new["loss_avoided"][0] + found.new["loss_remaining"][0] == found.now["loss_avoided"][0] + found.now["loss_remaining"][0]
    assert found.new["stopped_amount"][0] <= found.new["checked_amount"][0]
