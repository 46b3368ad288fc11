"""Outside feeds of the firm: which there are, when each was last asked and with what result, and what waits for a person.  外部信息源

The feeds are a setting of the ledger. What a server wants to hear next time (ETag, Last-Modified) lies beside the ledger: deleting it costs one more
fetch, and nothing is entered twice.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from duecourse.desk import answers
from duecourse.desk.dates import FAR
from duecourse.desk.settings import keep
from duecourse.errors import (
    DuecourseError,
    FeedRefusedError,
    FeedUnknownError,
    FileNotFoundHereError,
    MentionUnknownError,
    OptionMisusedError,
)
from duecourse.intake.feeds import KINDS, Feed, enter, read_feed
from duecourse.intake.feeds.fetching import Fetched, Limits, fetch
from duecourse.ledger.entries import ENTRIES, MENTION, SIGNAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from duecourse.ledger.store import Ledger

SETTING: Final = "feeds"
FILE_MOST: Final = 2 << 30


@dataclass(frozen=True)
class Polled:
    """What came of asking a feed: what was added, by table; what became of its items; `unchanged` where its server had nothing new."""

    feed: Feed
    added: Mapping[str, int]
    counts: Mapping[str, int]
    unchanged: bool = False


def feeds(ledger: Ledger) -> Mapping[str, Feed]:
    """The firm's feeds by name."""
    kept: Mapping[str, Mapping[str, Any]] = ledger.as_of(FAR).settings.get(SETTING) or {}
    return {name: Feed(**one) for name, one in kept.items()}


def feed_named(ledger: Ledger, name: str) -> Feed:
    """One feed. Raises FeedUnknownError."""
    every = feeds(ledger)
    if name not in every:
        raise FeedUnknownError(feed=name, known=", ".join(every) or "–")
    return every[name]


def add(ledger: Ledger, feed: Feed, *, by: str = "") -> None:
    """Add a feed, or change the one of this name. Raises OptionMisusedError."""
    if not feed.name.strip() or len(feed.name) > 100:
        raise OptionMisusedError(option="NAME", value=feed.name, hint="1-100")
    if feed.kind not in KINDS:
        raise OptionMisusedError(option="--kind", value=feed.kind, hint=", ".join(KINDS))
    for option, value in (("--reliability", feed.reliability), ("--least", feed.least)):
        if not 0 < value <= 1:
            raise OptionMisusedError(option=option, value=str(value), hint="0-1")
    _kept(ledger, {**feeds(ledger), feed.name: feed}, by)
    _state_path(ledger, feed.name).unlink(missing_ok=True)


def remove(ledger: Ledger, name: str, *, by: str = "") -> None:
    """No longer ask a feed; what it said stays. Raises FeedUnknownError."""
    feed_named(ledger, name)
    _kept(ledger, {key: one for key, one in feeds(ledger).items() if key != name}, by)
    _state_path(ledger, name).unlink(missing_ok=True)


def pause(ledger: Ledger, name: str, *, paused: bool, by: str = "") -> None:
    """Let a feed rest, or have it asked by itself again. Raises FeedUnknownError."""
    feed = feed_named(ledger, name)
    if feed.paused != paused:
        _kept(ledger, {**feeds(ledger), name: replace(feed, paused=paused)}, by)


def _kept(ledger: Ledger, every: Mapping[str, Feed], by: str) -> None:
    keep(ledger, SETTING, {name: asdict(one) for name, one in every.items()}, by=by)


# Asking


def poll(ledger: Ledger, name: str, *, today: date | None = None, networks: Sequence[str] = (), limits: Limits | None = None) -> Polled:
    """Ask a feed and enter what is new.  轮询

    networks  of one's own that may be asked

    Raises FeedDownError for what may pass, FeedRefusedError, FeedUnreadableError and others for what will not; each is kept as the feed's state.
    """
    feed = feed_named(ledger, name)
    if not feed.address:
        raise FeedRefusedError(feed=name, why="–")
    before = state_of(ledger, name)
    try:
        fetched = _fetched(feed, before, limits or Limits(networks=tuple(networks)))
        done = Polled(feed, {}, {}, unchanged=True) if fetched.unchanged else take(ledger, feed, fetched.content, today=today)
    except DuecourseError as error:
        _keep_state(
            ledger,
            name,
            {**before, "asked_at": _now(), "fault": error.code, "fault_args": {key: str(one) for key, one in error.args_.items()}},
        )
        raise
    told = {"etag": fetched.etag, "modified": fetched.modified, "asked_at": _now(), "answered_at": _now(), "fault": ""}
    _keep_state(ledger, name, told)
    return done


def take(ledger: Ledger, feed: Feed, content: bytes, *, today: date | None = None) -> Polled:
    """Enter what a file of a feed says, however it came."""
    read = read_feed(content, feed, ledger, today=today or datetime.now(UTC).date())
    return Polled(feed, enter(ledger, read), read.counts)


def _fetched(feed: Feed, before: Mapping[str, Any], limits: Limits) -> Fetched:
    if "://" in feed.address:
        return fetch(feed.address, feed.name, etag=before.get("etag", ""), modified=before.get("modified", ""), limits=limits)
    return Fetched(content_of(Path(feed.address), feed.name))


def content_of(path: Path, name: str) -> bytes:
    """A feed's file on this machine. Raises FileNotFoundHereError, FeedRefusedError."""
    if not path.is_file():
        raise FileNotFoundHereError(path=str(path))
    if path.stat().st_size > FILE_MOST:
        raise FeedRefusedError(feed=name, why="size")
    return path.read_bytes()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _state_path(ledger: Ledger, name: str) -> Path:
    home = answers.home(ledger)
    assert home is not None  # a ledger on storage always has one
    return home / "feeds" / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.json"


def state_of(ledger: Ledger, name: str) -> Mapping[str, Any]:
    """When a feed was last asked and answered, and what was wrong; empty where it never was."""
    try:
        found = json.loads(_state_path(ledger, name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _keep_state(ledger: Ledger, name: str, state: Mapping[str, Any]) -> None:
    path = _state_path(ledger, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(state, ensure_ascii=False)

    def write(half: Path) -> None:
        half.write_text(text, encoding="utf-8")

    answers.write_whole(path, write)


# What waits for a person


def waiting(ledger: Ledger) -> Sequence[Mapping[str, Any]]:
    """Reports that may mean a buyer and that nobody has looked at, the surest first.  待核实报道"""
    book = ledger.as_of(FAR)
    table = book.table(MENTION)
    rows: Sequence[Mapping[str, Any]] = book.run(table.filter(table.status == "waiting")).to_pylist()
    return sorted(rows, key=lambda row: (-row["confidence"], row["published_on"], row["signal_id"]))


def decide(ledger: Ledger, number: str, *, is_buyer: bool, reason: str, by: str = "") -> None:
    """It is the buyer, and the report becomes a signal; or it is not, and is never asked again. Raises MentionUnknownError."""
    row = next((one for one in waiting(ledger) if one["signal_id"] == number), None)
    if row is None:
        raise MentionUnknownError(number=number)
    with ledger.draft("post", note="feed verdict") as draft:
        for table, kept in verdict_rows(row, is_buyer=is_buyer, reason=reason, by=by):
            draft.put(table, pa.Table.from_pylist([dict(kept)], schema=ENTRIES[table].facts))
        draft.commit()


def verdict_rows(row: Mapping[str, Any], *, is_buyer: bool, reason: str, by: str) -> list[tuple[str, Mapping[str, Any]]]:
    """What a person's word on a waiting report puts into the ledger: the report decided, and where it is the buyer the signal, sure now."""
    kept = {name: row[name] for name in MENTION.facts.names}
    kept |= {"status": "entered" if is_buyer else "dismissed", "reason": reason or None, "made_by": by or None}
    signal = {name: row.get(name) for name in SIGNAL.facts.names} | {"confidence": None}
    return [("mention", kept), ("signal", signal)] if is_buyer else [("mention", kept)]
