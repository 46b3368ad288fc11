"""Days run for real but for the labour of figures: steps, lease, alerts and notices are the product's own. The app has to be loaded."""

from __future__ import annotations

import random
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from unittest import mock

import pyarrow as pa

from duecourse.desk import daily_run
from duecourse.desk.alerting import Looked
from duecourse.web.watch import running
from support.watching import book_of, seen

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST = date(2026, 3, 2)
BUYERS = 6


class Days:
    """A ledger of any day: its buyers' scores come from the day alone, so that every run of a day sees the same."""

    version = 1

    def refresh(self) -> None:
        pass

    def as_of(self, on: date, known_at: Any = None) -> Any:
        return book_of(on)


def looked(book: Any, live: Any, fallen: Any = ()) -> Looked:
    """What is seen of everybody on a day."""
    chance = random.Random(book.on.toordinal())
    warned = [
        seen(f"b{number}", chance.choice([5.0, 30.0, 40.0, 70.0]), chance.choice(["PAY03", "LIM01", "NEG01"])) for number in range(BUYERS)
    ]
    return Looked(warned, 1_000, {"red": sum((one.rule_score or 0) > 60 for one in warned)})


class _Figures:
    count = BUYERS
    base = None
    currencies = ()


def graded(book: Any) -> pa.Table:
    """Everybody's grade."""
    chance = random.Random(book.on.toordinal() + 7)
    return pa.table({"buyer_id": [f"b{number}" for number in range(BUYERS)], "grade": [chance.randint(1, 10) for _ in range(BUYERS)]})


@contextmanager
def cheap(newest: date) -> Iterator[None]:
    """Within it, days are run without figures; `newest` is the last that can be."""
    with ExitStack() as stack:
        for place, name, fake in (
            (daily_run, "standing", lambda _book: _Figures), (daily_run, "position", lambda _book, **_more: _Figures), (daily_run, "graded", graded),
            (daily_run, "looked_at_all", looked), (running, "newest_day", lambda _ledger: newest),
        ):  # fmt: skip
            stack.enter_context(mock.patch.object(place, name, fake))
        yield


def run_to(day: int, **more: Any) -> list[Any]:
    """Run every day up to the n-th."""
    newest = FIRST + timedelta(days=day)
    with cheap(newest):
        return running.run_days(Days(), **more)


def state() -> dict[str, Any]:
    """What the days have made, without numbers and moments that differ from run to run."""
    from duecourse.web.notices.models import Notice
    from duecourse.web.watch.models import Alert, AlertEvent, DayRun, WatchHead

    alerts = Alert.objects.order_by("opened_on", "buyer_id")
    number = {one.pk: f"{one.buyer_id} {one.opened_on}" for one in alerts}
    return {
        "alerts": [
            [one.buyer_id, str(one.opened_on), one.severity, one.state, [each["code"] for each in one.reasons], str(one.below_since), one.rank, bool(one.escalated_at)]
            for one in alerts
        ],
        "events": sorted([number[one.alert_id], one.kind, one.key, str(one.on)] for one in AlertEvent.objects.all()),
        "notices": sorted([one.to, one.kind, number.get(int(one.key.split()[1]), "") if one.key.startswith("alert") else ""] for one in Notice.objects.exclude(kind="summary")),
        "days": [[str(one.on), one.state, [step.name for step in one.steps.all()]] for one in DayRun.objects.order_by("on")],
        "last": str(WatchHead.objects.get(pk=1).last_day),
    }  # fmt: skip
