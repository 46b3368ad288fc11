"""Five months of the demo replayed once, and one of its month ends reviewed once, for all tests of the room."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.utils import timezone

from duecourse.desk.backtest import backtest
from duecourse.desk.monthly_review import monthly_review
from duecourse.web import books

OPTIONS = {
    "since": "2025-05-31", "until": "2025-09-30", "share": 0.05, "name": "severe_delinquency", "analysts": 1.0, "segment": "size", "recorded": False, "sets": {},
}  # fmt: skip
END = date(2026, 9, 30)


@pytest.fixture(scope="session")
def report(demo_ledger: Any) -> dict[str, Any]:
    ledger = books.ledger()
    days = [date.fromisoformat(str(OPTIONS[name])) for name in ("since", "until")]
    return backtest(ledger.as_of(books.day_of(ledger)), since=days[0], until=days[1], share=0.05, name="severe_delinquency")


@pytest.fixture(scope="session")
def reviewed(demo_ledger: Any) -> dict[str, Any]:
    return monthly_review(books.ledger().as_of(END))


@pytest.fixture
def kept(report: dict[str, Any], person: Any) -> Any:
    """kept(): a backtest with its report."""
    from duecourse.web.review.models import Backtest

    def make(**more: Any) -> Any:
        number = Backtest.objects.count()
        values = {
            "mark": f"kept {number}", "asked_by": person("credit_manager"), "options": OPTIONS, "report": report, "seconds": 12.0, "finished_at": timezone.now(),
            "book_on": books.day_of(books.ledger()), "book_known_at": timezone.now(), "ledger_version": books.ledger().version,
        }  # fmt: skip
        values |= more
        summary = Backtest.summed_up(values["report"]) if values["report"] else {}
        return Backtest.objects.create(summary=summary, **values)

    return make


@pytest.fixture
def month(reviewed: dict[str, Any], db: None) -> Any:
    """month(): a kept review of the month end."""
    from duecourse.web.review.models import MonthlyReview

    def make(end: date = END, **more: Any) -> Any:
        values = {"ledger_version": books.ledger().version, "book_known_at": timezone.now(), "report": reviewed}
        return MonthlyReview.objects.create(month_end=end, **{**values, **more})

    return make
