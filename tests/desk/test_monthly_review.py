"""The monthly review: what has moved, and whether the probabilities of past half-years were right, each buyer counted once in each."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from duecourse.desk.drift import drift
from duecourse.desk.monthly_review import _by_month, last_month_end, monthly_review
from duecourse.errors import ReviewTooEarlyError
from duecourse.risk.outcomes import default_events, defaults, definition
from duecourse.samples import book as sample

ON = dt.date(2026, 9, 30)


@pytest.mark.parametrize(("day", "end"), [("2026-10-15", "2026-09-30"), ("2026-10-31", "2026-10-31"), ("2026-01-01", "2025-12-31")])
def test_the_last_month_that_is_over(day, end):
    assert last_month_end(dt.date.fromisoformat(day)) == dt.date.fromisoformat(end)


def test_it_holds_the_drift_and_the_calibration_of_half_years(small_ledger):
    book = small_ledger.as_of(ON)
    shares = []
    found = monthly_review(book, progress=shares.append)
    assert found == json.loads(json.dumps(found)) and shares == sorted(shares) and shares[-1] == 1
    moved = drift(book)
    assert {name: found[name] for name in moved} == moved
    assert set(found["calibration"]) <= {"2024-09-30", "2025-03-31", "2025-09-30", "2026-03-31"}
    assert "2026-03-31" in found["calibration"]
    rows = defaults(default_events(book, definition())).to_pylist()
    for name, one in found["calibration"].items():
        day = dt.date.fromisoformat(name)
        after = {row["buyer_id"] for row in rows if day < row["happened_on"] <= day + dt.timedelta(days=182)}
        before = {row["buyer_id"] for row in rows if row["known_on"] <= day and (row["cured_on"] is None or row["cured_on"] > day)}
        assert one["observed"] <= len(after - before) and 0 < one["expected"] < one["rows"] <= 200
        assert one["low"] <= one["observed"] <= one["high"] + 1
    assert [row["month"] for row in found["by_month"]][::11] == ["2025-10", "2026-09"]


def test_verdicts_are_counted_in_the_month_in_which_they_were_given():
    given = [("2025-10-01", "true"), ("2026-09-30", "false"), ("2026-09-02", "false"), ("2025-09-30", "known")]
    rows = [
        {
            "decision_id": f"A{number}", "kind": "alert", "outcome": said, "decided_on": dt.date.fromisoformat(on),
            "decided_at": dt.datetime.fromisoformat(f"{on}T08:00:00+00:00"), "inputs": "{}",
        }
        for number, (on, said) in enumerate(given)
    ]  # fmt: skip
    months = _by_month(sample(ON, decision=rows))
    assert len(months) == 12
    assert months[0] == {"month": "2025-10", "true": 1, "false": 0, "known": 0}
    assert months[-1] == {"month": "2026-09", "true": 0, "false": 2, "known": 0}


def test_a_month_without_a_year_behind_it_is_refused(small_ledger):
    with pytest.raises(ReviewTooEarlyError, match="2024-01-31"):
        monthly_review(small_ledger.as_of(dt.date(2024, 1, 31)))
