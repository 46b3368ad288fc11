"""`duecourse feeds`: outside feeds of news, registers, lists and signals: add, ask, and look at what is not sure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from duecourse.errors import DuecourseError, OptionMisusedError
from duecourse.messages import say
from duecourse.tables import Column, Report, Section

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duecourse.cli.session import Session
    from duecourse.desk.feeds import Polled
    from duecourse.ledger.store import Ledger

ACTIONS: Final = ("list", "add", "pause", "resume", "remove", "run", "review", "confirm", "dismiss")
KINDS: Final = ("news", "register", "list", "signals")
COUNTS: Final = ("items", "unnamed", "harmless", "known", "same_story", "doubtful", "undated")


def add_commands(group: click.Group) -> None:
    """Add the commands of this room."""

    @group.command("feeds", help=say("cli.feeds_help"))
    @click.argument("action", type=click.Choice(ACTIONS), default="list")
    @click.argument("name", default="")
    @click.option("--kind", type=click.Choice(KINDS), default="news", show_default=True, help=say("cli.feeds_kind"))
    @click.option("--address", default="", metavar="URL|PATH", help=say("cli.feeds_address"))
    @click.option("--reliability", type=float, default=0.95, show_default=True, help=say("cli.feeds_reliability"))
    @click.option("--least", type=float, default=0.7, show_default=True, help=say("cli.feeds_least"))
    @click.option("--file", "path", type=click.Path(path_type=Path), default=None, metavar="FILE", help=say("cli.feeds_file"))
    @click.option("--reason", default="", metavar="TEXT", help=say("cli.feeds_reason"))
    @click.pass_obj
    def feeds(session: Session, /, action: str, name: str, *, path: Path | None, reason: str, **asked: Any) -> int:
        if action in ("add", "pause", "resume", "remove", "confirm", "dismiss") and not name:
            raise OptionMisusedError(option="NAME", value="", hint=say("cli.feeds_needs_name"))
        if action == "add":
            return _added(session, name, asked)
        if action == "run":
            return _run(session, name, path)
        ledger = session.ledger()
        if action == "list":
            return _listed(session, ledger, [])
        if action == "review":
            return _waiting(session, ledger)
        from duecourse.desk import feeds as desk

        if action in ("pause", "resume"):
            desk.pause(ledger, name, paused=action == "pause")
            return _listed(session, ledger, [say("cli.feeds_paused" if action == "pause" else "cli.feeds_resumed", feed=name)])
        if action == "remove":
            desk.remove(ledger, name)
            return _listed(session, ledger, [say("cli.feeds_removed", feed=name)])
        if not reason.strip():
            raise OptionMisusedError(option="--reason", value="", hint=say("cli.feeds_needs_reason"))
        desk.decide(ledger, name, is_buyer=action == "confirm", reason=reason.strip(), by="duecourse feeds")
        click.echo(say("cli.feeds_confirmed" if action == "confirm" else "cli.feeds_dismissed", number=name), err=True)
        return 0


def _added(session: Session, name: str, asked: Mapping[str, Any]) -> int:
    from duecourse.desk.feeds import add
    from duecourse.intake.feeds import Feed

    ledger = session.ledger(create=True)
    add(ledger, Feed(name, **asked))
    return _listed(session, ledger, [say("cli.feeds_added", feed=name)])


def _listed(session: Session, ledger: Ledger, notes: Sequence[str]) -> int:
    from duecourse.desk.feeds import feeds, state_of

    rows = []
    for feed in feeds(ledger).values():
        state = state_of(ledger, feed.name)
        fault = state.get("fault", "")
        rows.append(
            {
                "feed": feed.name, "kind": feed.kind, "address": feed.address, "reliability": feed.reliability, "least": feed.least, "paused": feed.paused,
                "answered": state.get("answered_at", ""), "fault": say(f"errors.{fault}", **state.get("fault_args", {})) if fault else "",
            }
        )  # fmt: skip
    kinds = {"reliability": "ratio", "least": "ratio", "paused": "state"}
    columns = [Column(key, kinds.get(key, "text"), heading=say(f"cli.feeds_col_{key}")) for key in (  # type: ignore[arg-type]
        "feed", "kind", "address", "reliability", "least", "paused", "answered", "fault")]  # fmt: skip
    session.show(Report("", [Section("feeds", say("cli.feeds_title", count=len(rows)), columns, rows)], {"feeds": rows}, notes))
    return 0


def _run(session: Session, name: str, path: Path | None) -> int:
    """Ask one feed or all; one that fails keeps none of the others from being asked."""
    from duecourse.desk import feeds as desk
    from duecourse.web.environment import WEBHOOK_NETWORKS

    ledger = session.ledger()
    if path is not None:
        if not name:
            raise OptionMisusedError(option="NAME", value="", hint=say("cli.feeds_needs_name"))
        feed = desk.feed_named(ledger, name)
        return _told(session, [desk.take(ledger, feed, desk.content_of(path, name))], {})
    wanted = [name] if name else [one.name for one in desk.feeds(ledger).values() if one.address and not one.paused]
    done, faults = [], {}
    for one in wanted:
        try:
            done.append(desk.poll(ledger, one, networks=WEBHOOK_NETWORKS))
        except DuecourseError as error:
            if name:
                raise
            faults[one] = error.message()
    return _told(session, done, faults)


def _told(session: Session, done: Sequence[Polled], faults: Mapping[str, str]) -> int:
    rows: list[dict[str, Any]] = [
        {
            "feed": one.feed.name, "result": say("cli.feeds_unchanged" if one.unchanged else "cli.feeds_read"),
            "signals": one.added.get("signal", 0), "mentions": one.added.get("mention", 0), "entries": one.added.get("list_entry", 0),
            **{key: one.counts.get(key, 0) for key in COUNTS},
        }
        for one in done
    ]  # fmt: skip
    rows += [{"feed": name, "result": fault} for name, fault in faults.items()]
    counted = ("signals", "mentions", "entries", *COUNTS)
    columns = [Column("feed", heading=say("cli.feeds_col_feed")), Column("result", heading=say("cli.feeds_col_result"))]
    columns += [Column(key, "count", heading=say(f"cli.feeds_col_{key}")) for key in counted]
    notes = [say("cli.feeds_look")] if any(row.get("mentions") for row in rows) else []
    session.show(Report("", [Section("feeds", say("cli.feeds_run_title"), columns, rows)], {"feeds": rows}, notes))
    return 1 if faults else 0


def _waiting(session: Session, ledger: Ledger) -> int:
    from duecourse.desk.evidence import kind_word, severity_word, value_word
    from duecourse.desk.feeds import waiting

    found = waiting(ledger)
    rows = [
        {
            "number": row["signal_id"], "buyer_id": row["buyer_id"], "called": row["name"], "kind": kind_word(row["kind"]),
            "severity": severity_word(row["severity"]), "published_on": row["published_on"], "confidence": row["confidence"],
            "value": value_word(row["value"] or ""), "text": row["text"], "provider": row["provider"], "reference": row["reference"],
        }
        for row in found
    ]  # fmt: skip
    kinds = {"published_on": "date", "confidence": "fraction"}
    own = {"number": "cli.feeds_col_number", "value": "cli.feeds_col_value", "called": "cli.feeds_col_called"}
    names = ("number", "buyer_id", "called", "kind", "value", "severity", "published_on", "confidence", "text", "provider", "reference")
    columns = [Column(key, kinds.get(key, "text"), heading=say(own[key]) if key in own else "") for key in names]  # type: ignore[arg-type]
    notes = [say("cli.feeds_decide")] if rows else []
    session.show(Report("", [Section("mentions", say("cli.feeds_waiting", count=len(rows)), columns, rows)], {"mentions": rows}, notes))
    return 1 if rows else 0
