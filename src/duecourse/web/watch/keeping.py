"""Alerts in the app's database: drawn up by the policy, worked by people. Each act is one transaction in which it is looked at under a lock, written, and told.

The daily run and the look at what has just come in may both draw up alerts, on several machines, and die at any point. They take turns at one
row; within a turn the policy is asked about what is live at that moment, and running it again changes nothing.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.utils import timezone

from duecourse.decisions.alert import GRADE_FALL, Opened, today
from duecourse.decisions.record import basis_of
from duecourse.desk.alerting import policy
from duecourse.web.notices.telling import News, audience_of, tell
from duecourse.web.watch.models import CLEARED, OPEN, SEVERITIES, Alert, AlertEvent, WatchHead
from duecourse.web.watch.wording import news_args

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from django.db.models import QuerySet

    from duecourse.decisions.alert import LiveAlert, Today, Warned
    from duecourse.decisions.alert_policy import AlertPolicy
    from duecourse.desk.alerting import Fallen, Looked
    from duecourse.ledger.book import Book
    from duecourse.web.notices.telling import Audience

MONTH: Final = timedelta(days=30)
WAITING_TOLD: Final = 5
"""Who stands next in line is looked up as well: somebody may close an alert meanwhile."""

NAMED_MOST: Final = 500
"""So many buyers are named to a database at most."""


@dataclass
class Drawn:
    """What a look made of the alerts: their numbers."""

    opened: list[int] = field(default_factory=list)
    raised: list[int] = field(default_factory=list)
    cleared: list[int] = field(default_factory=list)
    waiting: int = 0

    @property
    def plain(self) -> dict[str, Any]:
        """To be kept."""
        return {"opened": self.opened, "raised": self.raised, "cleared": self.cleared, "waiting": self.waiting}


def live_buyers() -> set[str]:
    """Who has an open alert."""
    return set(Alert.objects.filter(state=OPEN).values_list("buyer_id", flat=True))


def locked_head() -> WatchHead:
    """The row that is locked before alerts are drawn up; within a transaction. On SQLite the transaction itself keeps others out."""
    head, _ = WatchHead.objects.select_for_update().get_or_create(pk=1)
    return head


def draw_up(
    book: Book,
    looked: Looked,
    cause: str,
    *,
    whole: bool,
    fallen: Iterable[Fallen] = (),
) -> Drawn:
    """Open, raise and clear alerts by what was seen.

    cause   names this look: a buyer gets at most one alert out of it
    whole   everybody was looked at; else the alerts of those who were not stay as they are
    """
    rules, falls = policy(book), {one.buyer_id: one for one in fallen}
    likely = _likely(rules, book.on, looked, cause, whole=whole)
    audience = audience_of(book, likely)
    explained = {buyer: looked.why(buyer) for buyer in likely}
    for buyer, fall in falls.items():
        explained.setdefault(buyer, []).append(
            {"code": GRADE_FALL, "why": {"code": "web.watch_why_grade_fall", "args": {"before": fall.before, "now": fall.now}}, "level": "red"}
        )  # fmt: skip
    with transaction.atomic():
        head = locked_head()
        if whole and head.last_day is not None and book.on <= head.last_day:
            return Drawn()  # another run was quicker: the day is over
        return _written(book, rules, looked, cause, whole=whole, audience=audience, explained=explained)


def _concerned(looked: Looked, *, whole: bool) -> QuerySet[Alert]:
    """The open alerts a look has to do with: all, or those of the buyers it looked at, as what is not looked at stays as it is."""
    live = Alert.objects.filter(state=OPEN)
    buyers = {one.buyer_id for one in looked.warned}
    return live if whole or len(buyers) > NAMED_MOST else live.filter(buyer_id__in=buyers)


def _likely(rules: AlertPolicy, on: date, looked: Looked, cause: str, *, whole: bool) -> list[str]:
    """Whose alerts this look will open or raise, as far as can be told before it is its turn: what takes time is worked out for them beforehand."""
    live = {one.buyer_id: one.live for one in _concerned(looked, whole=whole)}
    drawn = today(rules, on, looked.warned, live, opened=_opened(rules, on, cause), watched=looked.watched, whole=whole)
    next_in_line = [one.buyer_id for one in drawn.waiting[:WAITING_TOLD]]
    return [*(one.buyer_id for one in (*drawn.opened, *drawn.raised)), *next_in_line]


def _written(
    book: Book,
    rules: AlertPolicy,
    looked: Looked,
    cause: str,
    *,
    whole: bool,
    audience: Audience,
    explained: Mapping[str, list[dict[str, Any]]],
) -> Drawn:
    on = book.on
    rows = {one.buyer_id: one for one in _concerned(looked, whole=whole).select_for_update()}
    # A buyer with an alert of a later day is being looked at already: an earlier day that is made up for does not touch it.
    later = {buyer for buyer, one in rows.items() if one.opened_on > on}
    warned = [one for one in looked.warned if one.buyer_id not in later]
    drawn = today(
        rules, on, warned, {buyer: one.live for buyer, one in rows.items() if buyer not in later}, opened=_opened(rules, on, cause),
        watched=looked.watched, whole=whole,
    )  # fmt: skip
    seen = {one.buyer_id: one for one in warned}
    done = Drawn(waiting=len(drawn.waiting))
    for alert in drawn.opened:
        made = _open(book, alert, seen[alert.buyer_id], cause, explained.get(alert.buyer_id, ()), looked.model)
        if made is not None:
            done.opened.append(made.pk)
            _tell_opened(audience, made)
    _follow(book, rows, drawn, seen, explained, audience, done)
    return done


def _opened(rules: AlertPolicy, on: date, cause: str) -> Opened:
    """What was opened before. What this very look opened, and a worker did not live to report, counts: it is asked of the same again."""
    lately = Alert.objects.filter(opened_on__gt=on - max(MONTH, timedelta(days=rules["hold_days"])), opened_on__lte=on)
    last: dict[str, tuple[date, str]] = {}
    day = month = 0
    for buyer, opened_on, severity in lately.order_by("opened_on", "pk").values_list("buyer_id", "opened_on", "severity"):
        last[buyer] = (opened_on, severity)
        day += opened_on == on
        month += opened_on > on - MONTH
    last |= dict.fromkeys(Alert.objects.filter(cause=cause).values_list("buyer_id", flat=True), (on, SEVERITIES[0]))
    return Opened(day, month, last)


def _open(
    book: Book, alert: LiveAlert, warned: Warned, cause: str, why: Iterable[Mapping[str, Any]], model: Mapping[str, Any]
) -> Alert | None:
    basis = basis_of(book)
    made = Alert.objects.create(
        buyer_id=alert.buyer_id, severity=alert.severity, reasons=_reasons(book.on, alert.reasons, why), probability=alert.probability_6m,
        rule_score=alert.rule_score, rank=alert.rank, exposure_minor=warned.exposure_minor, covered_minor=warned.covered_minor,
        days_past_due=warned.days_past_due, currency=book.base_currency, cause=cause, policy=alert.policy, opened_on=alert.opened_on,
        raised_on=alert.raised_on, in_default_since=warned.in_default_since, seen_on=book.on, book_on=basis.book_on, book_known_at=basis.known_at, ledger_version=basis.ledger_version,
    )  # fmt: skip
    happened(made, "opened", "opened", book.on, severity=made.severity, reasons=[one["code"] for one in made.reasons], model=dict(model))
    return made


def _reasons(on: date, codes: Mapping[str, str], why: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    told = {one["code"]: one for one in why}
    return [
        {"code": code, "family": family, "on": on.isoformat(), "why": told.get(code, {}).get("why"), "level": told.get(code, {}).get("level", "")}
        for code, family in codes.items()
    ]  # fmt: skip


def _follow(
    book: Book, rows: Mapping[str, Alert], drawn: Today, seen: Mapping[str, Warned], explained: Mapping[str, Sequence[Mapping[str, Any]]],
    audience: Audience, done: Drawn,
) -> None:  # fmt: skip
    """Write down how the alerts that were live went on."""
    raised = {one.buyer_id for one in drawn.raised}
    for buyer, now in drawn.live.items():
        row = rows.get(buyer)
        if row is None or row.opened_on > book.on:
            continue
        warned = seen.get(buyer)
        known = {one["code"] for one in row.reasons}
        new = {code: family for code, family in now.reasons.items() if code not in known}
        graver = now.severity != row.severity
        row.reasons = [*row.reasons, *_reasons(book.on, new, explained.get(buyer, ()))]
        row.severity, row.raised_on, row.below_since = now.severity, now.raised_on, now.below_since
        row.probability, row.rule_score, row.rank = now.probability_6m, now.rule_score, now.rank
        if warned is not None:
            row.exposure_minor, row.covered_minor, row.days_past_due = warned.exposure_minor, warned.covered_minor, warned.days_past_due
            row.in_default_since = warned.in_default_since
            row.seen_on = max(row.seen_on, book.on)
        if graver and row.snoozed_until is not None:  # what grew worse does not rest
            row.snoozed_until = None
            happened(row, "woken", f"woken {row.severity}", book.on, graver=True)
        row.save()
        if buyer in raised:
            key = f"raised {row.severity} {len(row.reasons)}"
            happened(row, "raised", key, book.on, severity=row.severity, graver=graver, reasons=list(new))
            done.raised.append(row.pk)
            tell(audience, [_news(row, "alert_changed", key, "web.watch_told_changed")])
    for alert in drawn.closed:
        row = rows[alert.buyer_id]
        row.state, row.below_since, row.closed_on, row.closed_at = CLEARED, alert.below_since, book.on, timezone.now()
        row.save()
        happened(row, "cleared", "closed", book.on)
        done.cleared.append(row.pk)


def _tell_opened(audience: Audience, alert: Alert) -> None:
    tell(audience, [_news(alert, "alert_opened", "opened", "web.watch_told_opened")])


def _news(alert: Alert, kind: str, key: str, code: str, *, to: frozenset[int] | None = None) -> News:
    weight = 2 if alert.severity == "red" else 1
    return News(kind, f"alert {alert.pk} {key}", code, news_args(alert), alert.buyer_id, f"/alerts/{alert.pk}/", weight, to)


def happened(alert: Alert, kind: str, key: str, on: date, person: Any = None, **detail: Any) -> None:
    """Write down once what happened."""
    AlertEvent.objects.bulk_create(
        [AlertEvent(alert=alert, kind=kind, key=key[:80], on=on, person=person, detail=detail)], ignore_conflicts=True
    )  # fmt: skip


# --- clocks ---------------------------------------------------------------------------------------------------------------------------------


def wake(book: Book) -> list[int]:
    """End the snoozes that end by this day, and tell; the numbers of the alerts."""
    due = list(Alert.objects.filter(state=OPEN, snoozed_until__lte=book.on).values_list("buyer_id", flat=True))
    audience = audience_of(book, due) if due else None
    woken = []
    with transaction.atomic():
        for row in Alert.objects.select_for_update().filter(state=OPEN, snoozed_until__lte=book.on):
            until, row.snoozed_until = row.snoozed_until, None
            row.save(update_fields=["snoozed_until"])
            happened(row, "woken", f"woken {until}", book.on, until=str(until))
            if audience is not None:
                to = frozenset({row.assignee_id}) if row.assignee_id is not None else None
                tell(audience, [_news(row, "alert_woken", f"woken {until}", "web.watch_told_woken", to=to)])
            woken.append(row.pk)
    return woken


def escalate(book: Book, after_days: int) -> list[int]:
    """Tell of alerts nobody has looked at for so many days since they opened or last grew worse; once each. The numbers of the alerts."""
    late = Alert.objects.filter(
        state=OPEN, acknowledged_at=None, escalated_at=None, snoozed_until=None, opened_on__lte=book.on - timedelta(days=after_days)
    )  # fmt: skip
    due = list(late.values_list("buyer_id", flat=True))
    if not due:
        return []
    audience, told = audience_of(book, due), []
    with transaction.atomic():
        for row in late.select_for_update():
            row.escalated_at = timezone.now()
            row.save(update_fields=["escalated_at"])
            happened(row, "escalated", "escalated", book.on, days=(book.on - row.opened_on).days)
            tell(audience, [_news(row, "alert_escalated", "escalated", "web.watch_told_escalated")])
            told.append(row.pk)
    return told


def assigned_news(alert: Alert, key: str, to: int) -> News:
    """That an alert was given to somebody."""
    return _news(alert, "alert_assigned", key, "web.watch_told_assigned", to=frozenset({to}))


def new_decision_id(on: date) -> str:
    """A number for a verdict."""
    return f"A{on:%Y%m%d}-{secrets.token_hex(5)}"
