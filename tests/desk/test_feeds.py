"""Outside feeds asked again and again; what is not sure waits, and a person's word on it holds."""

from __future__ import annotations

import datetime as dt

import pytest

from duecourse.desk import feeds as desk
from duecourse.desk.opening import open_ledger
from duecourse.errors import (
    FeedDownError,
    FeedRefusedError,
    FeedUnknownError,
    FeedUnreadableError,
    FileNotFoundHereError,
    MentionUnknownError,
    OptionMisusedError,
)
from duecourse.intake.feeds import Feed
from support.feeding import BUYERS, FIXTURES, Press
from support.ledgers import add

TODAY = dt.date(2026, 3, 31)
HERE = ("127.0.0.0/8",)


@pytest.fixture
def ledger(tmp_path):
    made = open_ledger(tmp_path / "ledger", create=True)
    add(made, BUYERS, "buyer")
    return made


@pytest.fixture
def press():
    made = Press((FIXTURES / "news.rss").read_bytes())
    yield made
    made.end()


def signals(ledger):
    book = ledger.as_of(dt.date.max)
    return book.run(book.signal).to_pylist()


def test_feeds_are_kept_changed_and_removed(ledger):
    desk.add(ledger, Feed("press", "news", "https://press.example/"))
    desk.add(ledger, Feed("press", "news", "https://press.example/", least=0.8))
    assert desk.feeds(ledger) == {"press": Feed("press", "news", "https://press.example/", least=0.8)}
    desk.pause(ledger, "press", paused=True)
    assert desk.feeds(ledger)["press"].paused and desk.feeds(ledger)["press"].least == 0.8
    version = ledger.version
    desk.pause(ledger, "press", paused=True)
    assert ledger.version == version, "nothing changes"
    desk.pause(ledger, "press", paused=False)
    desk.remove(ledger, "press")
    assert desk.feeds(ledger) == {}
    with pytest.raises(FeedUnknownError):
        desk.poll(ledger, "press")
    for wrong in (Feed("", "news"), Feed("x", "gossip"), Feed("x", "news", least=2), Feed("x", "news", reliability=0)):
        with pytest.raises(OptionMisusedError):
            desk.add(ledger, wrong)


def test_a_feed_is_asked_only_for_what_is_new(ledger, press):
    desk.add(ledger, Feed("press", "news", press.url))
    first = desk.poll(ledger, "press", today=TODAY, networks=HERE)
    assert first.added == {"signal": 2, "mention": 1}
    assert desk.poll(ledger, "press", today=TODAY, networks=HERE).unchanged
    press.etag = '"other"'
    assert desk.poll(ledger, "press", today=TODAY, networks=HERE).added == {}
    assert len(signals(ledger)) == 2
    with pytest.raises(FeedRefusedError):
        desk.poll(ledger, "press", today=TODAY)  # loopback is nobody's feed unless it is allowed


def test_one_that_is_down_says_so_and_is_well_again(ledger, press):
    desk.add(ledger, Feed("press", "news", press.url))
    press.mode = "down"
    with pytest.raises(FeedDownError):
        desk.poll(ledger, "press", today=TODAY, networks=HERE)
    state = desk.state_of(ledger, "press")
    assert (state["fault"], state["fault_args"]["why"]) == ("feed_down", "HTTP 503")
    press.mode, press.content = "ok", b"<html/>"
    with pytest.raises(FeedUnreadableError):
        desk.poll(ledger, "press", today=TODAY, networks=HERE)
    assert not signals(ledger)
    press.content = (FIXTURES / "news.rss").read_bytes()
    desk.poll(ledger, "press", today=TODAY, networks=HERE)
    assert desk.state_of(ledger, "press")["fault"] == ""
    assert len(signals(ledger)) == 2, "what could not be read was not taken for read"


def test_a_feed_from_a_file(ledger, tmp_path):
    desk.add(ledger, Feed("GLEIF", "register", str(FIXTURES / "lei.json")))
    assert desk.poll(ledger, "GLEIF", today=TODAY).added == {"signal": 3}
    desk.add(ledger, Feed("gone", "register", str(tmp_path / "none.json")))
    with pytest.raises(FileNotFoundHereError):
        desk.poll(ledger, "gone")
    desk.add(ledger, Feed("handed in", "news"))
    with pytest.raises(FeedRefusedError):
        desk.poll(ledger, "handed in")


@pytest.mark.parametrize("is_buyer", [True, False])
def test_a_verdict_holds(ledger, press, is_buyer):
    feed = Feed("press", "news")
    desk.take(ledger, feed, press.content, today=TODAY)
    (one,) = desk.waiting(ledger)
    desk.decide(ledger, one["signal_id"], is_buyer=is_buyer, reason="asked them", by="Mia")
    assert list(desk.waiting(ledger)) == []
    made = [row for row in signals(ledger) if row["signal_id"] == one["signal_id"]]
    assert len(made) == is_buyer
    if is_buyer:
        assert (made[0]["buyer_id"], made[0]["kind"], made[0]["confidence"], made[0]["text"]) == (
            "S1",
            "supply_stop",
            None,
            "Summit lays off half its staff",
        )
    with pytest.raises(MentionUnknownError):
        desk.decide(ledger, one["signal_id"], is_buyer=is_buyer, reason="again")
    assert desk.take(ledger, feed, press.content, today=TODAY).added == {}
    assert list(desk.waiting(ledger)) == []
