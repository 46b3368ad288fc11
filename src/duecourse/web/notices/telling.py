"""Write down what is to be told, in the transaction of what happened: one notice for each recipient who wants to hear of it and may.

audience = audience_of(book, ["B17"])                  # before the transaction: it reads the ledger
with transaction.atomic():
    ...
    tell(audience, [News("alert_opened", "alert 7 opened", "web.notices_alert_opened", {…}, buyer_id="B17", path="/alerts/7/")])
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from duecourse.web import environment as env
from duecourse.web.accounts.access import may
from duecourse.web.accounts.models import Person
from duecourse.web.notices.clocks import Clock
from duecourse.web.notices.kinds import DIGESTS, OF_ONE, OFFERED, RHYTHMS, usual
from duecourse.web.notices.models import KEPT, WAITING, Channel, Notice, Preference

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from duecourse.ledger.book import Book
    from duecourse.ledger.scope import Scope
    from duecourse.web.notices.kinds import Rhythm


@dataclass(frozen=True)
class News:
    """One thing that happened.

    key     names it: whoever tells it again tells nothing
    code    a sentence of the catalogue, worded for each reader with `args` and the buyer's name as `buyer`
    weight  what weighs more stands first in a message
    to      told to these people alone (their numbers); None = to whoever wants to hear of it
    """

    kind: str
    key: str
    code: str
    args: Mapping[str, Any] = field(default_factory=dict)
    buyer_id: str = ""
    path: str = ""
    weight: int = 0
    to: frozenset[int] | None = None


@dataclass(frozen=True)
class Recipient:
    """Somebody, or a channel, with what they want to hear and when."""

    to: str
    person: Any
    channel: Any
    kinds: Mapping[str, Rhythm]
    clock: Clock
    scope: Scope
    reached: bool

    def rhythm(self, kind: str) -> Rhythm:
        """How soon they want to hear of such a thing."""
        chosen = self.kinds.get(kind, "never")
        return chosen if chosen in OFFERED[kind] else "never"


@dataclass(frozen=True)
class Audience:
    """Everybody there is, and who of them may see which buyer."""

    recipients: Sequence[Recipient]
    seen: Mapping[str, Collection[str]]

    def may_hear(self, one: Recipient, news: News) -> bool:
        """Is it theirs to hear?"""
        if news.to is not None and (one.person is None or one.person.pk not in news.to):
            return False
        if news.kind in OF_ONE and news.to is None:
            return False
        return not news.buyer_id or not one.scope.restricts or news.buyer_id in self.seen.get(str(one.scope), ())


def clock_of(preference: Preference) -> Clock:
    """By whose clock somebody is told."""
    return Clock(
        preference.time_zone or env.TIME_ZONE, preference.digest_at, preference.digest_weekday, preference.quiet_from, preference.quiet_to
    )  # fmt: skip


FIRM: Clock = Clock(env.TIME_ZONE)
"""A channel's clock: no quiet hours, digests at eight, on Mondays."""


def recipients() -> list[Recipient]:
    """Every active person who may read, and every active channel of a group."""
    chosen = {one.person_id: one for one in Preference.objects.select_related("channel")}
    found = [person_recipient(one, chosen.get(one.pk)) for one in Person.objects.filter(is_active=True).order_by("pk") if may(one, "read")]
    return [*found, *(channel_recipient(one) for one in Channel.objects.filter(active=True, person=None))]


def person_recipient(person: Person, preference: Any = None) -> Recipient:
    """Somebody as a recipient."""
    preference = preference or Preference(person=person)
    own = preference.channel
    reached = own.active if own is not None else bool(env.EMAIL_URL and person.email)
    kinds = {**usual(person.role), **preference.kinds}
    return Recipient(f"p{person.pk}", person, None, kinds, clock_of(preference), person.scope, reached)


def channel_recipient(channel: Channel) -> Recipient:
    """A group's channel as a recipient."""
    return Recipient(channel.to, None, channel, channel.kinds, FIRM, channel.scope, reached=True)


def audience_of(book: Book, buyer_ids: Collection[str]) -> Audience:
    """Who is there, and who may see which of these buyers. Reads the ledger once for each way of seeing a part of it."""
    everybody = recipients()
    scopes = {str(one.scope): one.scope for one in everybody if one.scope.restricts}
    wanted = sorted(set(buyer_ids))
    return Audience(everybody, {name: seen_by(book, scope, wanted) for name, scope in scopes.items()} if wanted else {})


def seen_by(book: Book, scope: Scope, buyer_ids: Sequence[str]) -> frozenset[str]:
    """Those of these buyers that may be seen."""
    own = book.whole.limited(scope)
    rows = book.run(own.buyer.filter(own.buyer.buyer_id.isin(list(buyer_ids))).select("buyer_id"))
    return frozenset(str(one) for one in rows["buyer_id"].to_pylist())


def tell(audience: Audience, news: Iterable[News], now: datetime | None = None) -> int:
    """Write a notice for everybody who wants to hear of each and may. Returns how many were looked for; those there already stay as they are.

    Belongs in the transaction of what happened.
    """
    now = now or timezone.now()
    made = (_notice(one, each, now) for each in news for one in audience.recipients if audience.may_hear(one, each))
    rows = [one for one in made if one is not None]
    Notice.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)
    return len(rows)


def _notice(one: Recipient, news: News, now: datetime) -> Notice | None:
    rhythm = one.rhythm(news.kind)
    if rhythm == "never":
        return None
    return Notice(
        to=one.to, person=one.person, channel=one.channel, key=news.key[:200], kind=news.kind, rhythm=rhythm, code=news.code, args=dict(news.args),
        buyer_id=news.buyer_id, path=news.path, weight=news.weight, made_at=now, ready_at=one.clock.ready(rhythm, now),
        state=WAITING if one.reached else KEPT,
    )  # fmt: skip


def tell_at_digests(everybody: Iterable[Recipient], kind: str, now: datetime | None = None) -> int:
    """Have something drawn up for each recipient's next digest of the rhythm they chose for it, once for each digest. Returns how many were new or there."""
    now = now or timezone.now()
    rows = []
    for one in everybody:
        rhythm = one.rhythm(kind)
        if rhythm in DIGESTS:
            ready = one.clock.ready(rhythm, now)
            key = f"{kind} {rhythm} {ready:%Y-%m-%d}"
            rows.append(
                Notice(
                    to=one.to, person=one.person, channel=one.channel, key=key, kind=kind, rhythm=rhythm, code=f"web.notices_kind_{kind}", path="/alerts/",
                    made_at=now, ready_at=ready, state=WAITING if one.reached else KEPT,
                )
            )  # fmt: skip
    Notice.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)
    return len(rows)


def plan_anew(person: Person) -> None:
    """After somebody chose other hours or another way: what waits for them is told by those."""
    one = person_recipient(person, Preference.objects.select_related("channel").filter(person=person).first())
    waiting = Notice.objects.filter(to=one.to, state=WAITING)
    for rhythm in RHYTHMS:
        if rhythm != "never":
            waiting.filter(rhythm=rhythm).update(ready_at=one.clock.ready(rhythm, timezone.now()))
