"""Outside feeds (外部信息源): news, registers, lists, tables of signals; what they say of our buyers becomes dated signals, each with its source.

    feed = Feed("trade press", "news", "https://…/rss")
    read = read_feed(fetched.content, feed, ledger, today=…)     # nothing is written
    enter(ledger, read)                                          # the same again adds nothing

A report that names a buyer surely enough is a signal; one that may mean it waits as a `mention` for a person; the rest is left alone. The product
works without any of it.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import ibis
import pyarrow as pa

from duecourse.intake.feeds.events import events_in
from duecourse.intake.feeds.naming import Known, Names
from duecourse.intake.feeds.news import read_news
from duecourse.intake.feeds.registers import read_register, remarks
from duecourse.intake.lists import ListRead, import_list, read_list
from duecourse.intake.signals import default_severity, import_signals, read_signals
from duecourse.ledger.book import named_table
from duecourse.ledger.entries import BUYER, MENTION, SIGNAL, SIGNAL_SEVERITIES
from duecourse.reference.identifiers import tidy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from duecourse.intake.signals import SignalsRead
    from duecourse.ledger.store import Ledger

Kind = Literal["news", "register", "list", "signals"]
KINDS: Final = ("news", "register", "list", "signals")

RELIABILITY: Final = 0.95
LEAST: Final = 0.7
LOOKED_AT: Final = 0.25
"""From LEAST on a report is a signal, from LOOKED_AT on a person looks at it."""

STORY_DAYS: Final = 14
"""Reports of one class of event about one buyer so many days apart are one story, told by its first; a graver one is a new one."""

TEXT_MOST: Final = 2_000
AHEAD: Final = timedelta(days=1)


@dataclass(frozen=True)
class Feed:
    """An outside feed.

    kind         news (RSS, Atom), register (LEI records), list (as `duecourse screen --list` reads it), signals (a table of signals)
    address      https address that is polled, or a path; empty where its files are handed in
    reliability  how far its source is trusted, 0 to 1: goes into the confidence of what it says
    least        from which confidence on a report is a signal without anybody looking
    paused       not asked by itself; asked by hand it still answers
    """

    name: str
    kind: Kind
    address: str = ""
    reliability: float = RELIABILITY
    least: float = LEAST
    paused: bool = False


@dataclass(frozen=True)
class FeedRead:
    """What a feed's file holds, ready to be entered: rows of `signal` and of `mention`, or a list, or a table of signals; and counts by outcome.

    counts  items, undated, unnamed (no buyer is named), harmless (nothing bad is said), known, same_story, doubtful (too unsure to show)
    """

    feed: Feed
    sha256: str
    signals: Sequence[Mapping[str, Any]] = ()
    mentions: Sequence[Mapping[str, Any]] = ()
    table: SignalsRead | None = None
    listed: ListRead | None = None
    counts: Mapping[str, int] = field(default_factory=dict)


def read_feed(content: bytes, feed: Feed, ledger: Ledger, *, today: date) -> FeedRead:
    """What does this file say of our buyers? Nothing is written.

    today  the day the file was fetched: what claims to be of a later day is left out, and a list is of this day

    Raises FeedUnreadableError, and what reading a list or a table of signals raises.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    if feed.kind in ("list", "signals"):
        suffix = (
            ".csv"
            if not content.lstrip(b"\xef\xbb\xbf \r\n").startswith((b"{", b"<", b"PK"))
            else ".xlsx"
            if content.startswith(b"PK")
            else ""
        )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{feed.kind}{suffix}"
            path.write_bytes(content)
            if feed.kind == "list":
                listed = read_list(path, list_name=feed.name, list_date=today)
                return FeedRead(feed, sha256, listed=listed, counts={"items": len(listed.rows)})
            table = read_signals(path, ledger)
            return FeedRead(feed, sha256, table=table, counts={"items": len(table.rows)})
    found = _news(content, feed, ledger, today) if feed.kind == "news" else _register(content, feed, ledger, today)
    return FeedRead(feed, sha256, found.signals, found.mentions, counts=found.counts)


def enter(ledger: Ledger, read: FeedRead) -> Mapping[str, int]:
    """Enter what was read. The same again adds nothing. Returns how many were added or changed, by table."""
    if read.listed is not None:
        done = import_list(ledger, read.listed)
    elif read.table is not None:
        done = import_signals(ledger, read.table)
    elif not read.signals and not read.mentions:
        return {}
    else:
        with ledger.draft("import", file_name=read.feed.name, file_sha256=read.sha256, note="feed") as draft:
            if read.signals:
                draft.put("signal", pa.Table.from_pylist([dict(row) for row in read.signals], schema=SIGNAL.facts))
            if read.mentions:
                draft.put("mention", pa.Table.from_pylist([dict(row) for row in read.mentions], schema=MENTION.facts))
            done = draft.commit()
    return dict(Counter(done.added) + Counter(done.corrected))


def known_buyers(ledger: Ledger) -> Iterator[Known]:
    """Every buyer as a report may name it, under the names it had before, too."""
    book = ledger.as_of(date.max)
    every = named_table(BUYER).select("buyer_id", "name", "name_local")
    had: dict[str, list[str]] = {}
    for row in ledger.engine.run(every, {BUYER.name: ledger.rows_of(BUYER)[0]}).to_pylist():
        had.setdefault(row["buyer_id"], []).extend(name for name in (row["name"], row["name_local"]) if name)
    columns = ("buyer_id", "name", "name_local", "city", "group_name", "registration_number", "lei")
    for row in book.run(book.buyer.select(*columns)).to_pylist():
        names = [name for name in (row["name"], row["name_local"]) if name]
        former = [name for name in dict.fromkeys(had.get(row["buyer_id"], ())) if name not in names]
        numbers = [tidy(row[name]) for name in ("registration_number", "lei") if row[name]]
        yield Known(row["buyer_id"], names, former, row["city"] or "", row["group_name"] or "", numbers)


@dataclass
class _Past:
    """What the ledger holds already: numbers of signals and mentions, and the stories told of each buyer: (words for it, severity, day)."""

    ids: set[str]
    stories: dict[str, list[tuple[frozenset[str], str, date]]]
    asked: dict[str, list[tuple[frozenset[str], str, date]]]
    open: dict[tuple[str, str], Mapping[str, Any]]

    @classmethod
    def of(cls, ledger: Ledger, feed: Feed, since: date) -> _Past:
        """All that this feed said, and what others said from a day on."""
        book = ledger.as_of(date.max)
        made = cls(set(), {}, {}, {})
        signals, mentions = book.signal, book.table(MENTION)
        own = signals.provider == ibis.literal(feed.name)
        for row in book.run(signals.filter(own | (signals.published_on >= ibis.literal(since)))).to_pylist():
            made.add(row)
            if row["provider"] == feed.name:
                made.open[row["buyer_id"], row["value"] or ""] = row
        for row in book.run(
            mentions.filter((mentions.provider == ibis.literal(feed.name)) | (mentions.published_on >= ibis.literal(since)))
        ).to_pylist():
            made.add(row, asked=True)
        return made

    def add(self, row: Mapping[str, Any], *, asked: bool = False) -> None:
        self.ids.add(row["signal_id"])
        if row["published_on"] is not None:
            kept = self.asked if asked else self.stories
            severity = row["severity"] or default_severity(row["kind"])
            kept.setdefault(row["buyer_id"], []).append((_words(row), severity, row["published_on"]))

    def told(self, row: Mapping[str, Any], *, asked: bool) -> bool:
        """Has this story been told already, as gravely?"""
        grave = SIGNAL_SEVERITIES.index(row["severity"])
        known = [*self.stories.get(row["buyer_id"], ()), *(self.asked.get(row["buyer_id"], ()) if asked else ())]
        return any(
            words & _words(row) and abs((row["published_on"] - day).days) <= STORY_DAYS and SIGNAL_SEVERITIES.index(severity) >= grave
            for words, severity, day in known
        )


def _words(row: Mapping[str, Any]) -> frozenset[str]:
    """What a story goes by: its class where it has one, and the kind of signal where that is not only `news`."""
    return frozenset(word for word in (row["value"], row["kind"]) if word and word != "news")


@dataclass
class _Found:
    signals: list[dict[str, Any]] = field(default_factory=list)
    mentions: list[dict[str, Any]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def feed_signal_id(feed: str, item: str, *told: str) -> str:
    """The number of what one item of a feed says of one buyer: the same item again has the same."""
    return "feed-" + hashlib.sha256("\n".join((feed, item, *told)).encode()).hexdigest()[:24]


def _row(feed: Feed, signal_id: str, **said: Any) -> dict[str, Any]:
    return {**dict.fromkeys(SIGNAL.facts.names), "signal_id": signal_id, "provider": feed.name, **said}


def _news(content: bytes, feed: Feed, ledger: Ledger, today: date) -> _Found:
    """Reports of a news feed, the oldest first, so that a story is told by its first report whatever the order of the file."""
    found = _Found()
    items = read_news(content, feed.name)
    found.counts["items"] = len(items)
    dated = [one for one in items if one.published_on is not None and one.published_on <= today + AHEAD]
    found.counts["undated"] = len(items) - len(dated)
    if not dated:
        return found
    past = _Past.of(ledger, feed, min(one.published_on for one in dated if one.published_on) - timedelta(days=STORY_DAYS))
    names = Names.of(known_buyers(ledger))
    for item in sorted(dated, key=lambda one: (one.published_on, one.item_id)):
        text = f"{item.title}\n{item.text}"
        named = names.find(text)
        if not named:
            found.counts["unnamed"] += 1
        for one in named:
            events = events_in(text, one.spans)
            if not events:
                found.counts["harmless"] += 1
            for event in events:
                confidence = round(one.confidence * event.confidence * feed.reliability, 4)
                row = _row(
                    feed, feed_signal_id(feed.name, item.item_id, one.buyer_id, event.name), buyer_id=one.buyer_id, kind=event.kind,
                    severity=event.severity, published_on=item.published_on, value=event.name, reference=item.link[:TEXT_MOST] or None,
                    text=event.sentence[:TEXT_MOST], confidence=confidence,
                )  # fmt: skip
                _sorted_in(found, past, row, one.words, feed.least)
    return found


def _sorted_in(found: _Found, past: _Past, row: dict[str, Any], words: str, least: float) -> None:
    """A signal, something to look at, or neither."""
    sure = row["confidence"] >= least
    if row["signal_id"] in past.ids:
        found.counts["known"] += 1
    elif row["confidence"] < LOOKED_AT:
        found.counts["doubtful"] += 1
    elif past.told(row, asked=not sure):
        found.counts["same_story"] += 1
    elif sure:
        past.add(row)
        found.signals.append(row)
    else:
        past.add(row, asked=True)
        kept = {name: row.get(name) for name in MENTION.facts.names}
        found.mentions.append({**kept, "name": words, "status": "waiting"})


def _register(content: bytes, feed: Feed, ledger: Ledger, today: date) -> _Found:
    """What a register's records say of buyers known by their number. What it said before and no longer says has ended."""
    found, past = _Found(), _Past.of(ledger, feed, date.max)
    by_number: dict[str, list[Known]] = {}
    for one in known_buyers(ledger):
        for number in one.numbers:
            by_number.setdefault(number, []).append(one)
    for record in read_register(content, feed.name):
        found.counts["items"] += 1
        buyers = by_number.get(record.lei) or by_number.get(record.number) or []
        found.counts["unnamed"] += not buyers
        day = record.updated or record.expired
        if buyers and (day is None or day > today + AHEAD):
            found.counts["undated"] += 1
            continue
        for buyer in buyers:
            said = [one for one in remarks(record, buyer.names) if one.on <= today + AHEAD]
            found.counts["harmless"] += not said
            for remark in said:
                before = past.open.get((buyer.buyer_id, remark.value))
                if before is not None and before["ended_on"] is None:
                    found.counts["known"] += 1
                    continue
                number = feed_signal_id(feed.name, record.lei or record.number, buyer.buyer_id, remark.value, str(remark.on))
                row = _row(
                    feed, number, buyer_id=buyer.buyer_id, kind=remark.kind, severity=remark.severity, published_on=remark.on, value=remark.value,
                    previous_value=remark.previous or None, reference=record.lei or record.number, text=record.name or None,
                    confidence=round(feed.reliability, 4),
                )  # fmt: skip
                past.open[buyer.buyer_id, remark.value] = row
                if number in past.ids:
                    found.counts["known"] += 1
                else:
                    past.add(row)
                    found.signals.append(row)
            found.signals += _ended(past, buyer.buyer_id, {remark.value for remark in said}, day)
    return found


def _ended(past: _Past, buyer_id: str, still: Iterable[str], day: date | None) -> Iterator[dict[str, Any]]:
    """Signals of this feed about a buyer that its record no longer bears out, with their end: its newest version says so."""
    for (buyer, value), row in past.open.items():
        ends = buyer == buyer_id and value not in still and row["ended_on"] is None
        if ends and day is not None and row["published_on"] <= day:
            yield {**{name: row[name] for name in SIGNAL.facts.names}, "ended_on": day}


__all__ = ["KINDS", "LEAST", "LOOKED_AT", "RELIABILITY", "Feed", "FeedRead", "enter", "feed_signal_id", "known_buyers", "read_feed"]
