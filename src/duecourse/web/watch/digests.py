"""What a digest says of the alerts as a whole: how many are open, of what weight, with whom; and what came of those that were closed."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.utils import timezone

from duecourse.desk.dates import default_day
from duecourse.messages import say
from duecourse.money import NO_CURRENCY, format_money
from duecourse.web import books
from duecourse.web import environment as env
from duecourse.web.notices.composing import names_of
from duecourse.web.notices.telling import recipients, seen_by, tell_at_digests
from duecourse.web.watch.models import CLEARED, CLOSED, OPEN, Alert

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from duecourse.ledger.scope import Scope
    from duecourse.messages import Language

WEEK: Final = timedelta(days=7)
WORST: Final = 5


def plan(now: datetime | None = None) -> int:
    """Have a summary drawn for each recipient's next digest; once for each digest, however often the day is run."""
    return tell_at_digests(recipients(), "summary", now)


def summary(scope: Scope, lang: Language, details: bool) -> list[dict[str, str]]:
    """The lines of a digest about what is open now. Nothing open and nothing closed this week: no lines."""
    since = timezone.localdate() - WEEK
    open_ = _seen(scope, Alert.objects.filter(state=OPEN).order_by("-rank", "pk"))
    ended = _seen(scope, Alert.objects.filter(state__in=(CLOSED, CLEARED), closed_on__gte=since))
    if not open_ and not ended:
        return []
    grave = Counter(one.severity for one in open_)
    numbers = {
        "count": len(open_), "red": grave["red"], "amber": grave["amber"], "free": sum(one.assignee_id is None for one in open_),
        "resting": sum(one.snoozed_until is not None for one in open_),
    }  # fmt: skip
    lines = [say("web.watch_summary_open", lang, **numbers)]
    stake: Counter[str] = Counter()
    for one in open_:
        stake[one.currency] += one.exposure_minor
    amounts = [format_money(minor, currency, lang) for currency, minor in sorted(stake.items()) if currency != NO_CURRENCY]
    if details and amounts:
        lines.append(say("web.watch_summary_stake", lang, amount=" + ".join(amounts)))
    if ended:
        said = Counter(one.verdict or "cleared" for one in ended)
        lines.append(
            say(
                "web.watch_summary_ended",
                lang,
                count=len(ended),
                true=said["true"],
                false=said["false"],
                known=said["known"],
                cleared=said["cleared"],
            )
        )
    told = [{"text": text, "url": f"{env.BASE_URL}/alerts/"} for text in lines]
    if details:
        worst = open_[:WORST]
        names = names_of(scope, [one.buyer_id for one in worst], lang)
        told += [
            {
                "text": say(
                    "web.watch_summary_one", lang, severity=say(f"web.watch_severity_{one.severity}", lang), buyer=names.get(one.buyer_id, one.buyer_id),
                    exposure=format_money(one.exposure_minor, one.currency, lang) if one.currency != NO_CURRENCY else "–", since=one.opened_on,
                ),
                "url": f"{env.BASE_URL}/alerts/{one.pk}/",
            }
            for one in worst if one.buyer_id in names
        ]  # fmt: skip
    return told


def _seen(scope: Scope, rows: Iterable[Alert]) -> list[Alert]:
    found = list(rows)
    if not scope.restricts or not found:
        return found
    ledger = books.ledger()
    seen = seen_by(ledger.as_of(default_day(ledger)), scope, sorted({one.buyer_id for one in found}))
    return [one for one in found if one.buyer_id in seen]
