"""`duecourse indicators`: which early signs are there, of everybody or of one buyer?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from duecourse.messages import language, say
from duecourse.tables import Column, Money, Report, Section, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from duecourse.cli.session import Session
    from duecourse.desk.indicator_view import Evidence, IndicatorsOfBuyer, Seen
    from duecourse.ledger.book import Book


def add_commands(group: click.Group) -> None:
    """Add the commands of this room."""

    @group.command("indicators", help=say("cli.indicators_help"))
    @click.argument("buyer", required=False)
    @click.pass_obj
    def indicators(session: Session, buyer: str | None) -> None:
        from duecourse.desk.buyers import find
        from duecourse.desk.indicator_view import indicators_of

        book = session.book
        session.show(_one(indicators_of(book, find(book, buyer))) if buyer else _all(book))


def _one(found: IndicatorsOfBuyer) -> Report:
    score = "–" if found.score is None else f"{found.score:.0f}"
    title = say("warning.title", buyer=found.buyer_id, score=score, level=say(f"warning.level_{found.level}"))
    rows = [_row(one) for one in [*found.reasons, *(one for one in found.indicators if one.level == "green")]]
    heads = [
        Column("indicator", heading=say("warning.col_indicator")), Column("level", heading=say("warning.col_level")),
        Column("value", "count", heading=say("cli.col_value")), Column("since", "date", heading=say("warning.col_since")),
        Column("weight", "count", heading=say("warning.col_weight")), Column("why", heading=say("warning.col_why")),
    ]  # fmt: skip
    facts = [_fact(one, each) for one in found.reasons for each in one.evidence]
    columns = [
        Column("indicator", heading=say("warning.col_indicator")), Column("what", heading=say("warning.col_what")), Column("name", heading=say("warning.col_name")),
        Column("on", "date", heading=say("warning.col_on")), Column("days", "days", heading=say("warning.col_days_late")), Column("amount", "money", heading=say("warning.col_amount")),
        Column("currency"), Column("text", heading=say("warning.col_text")),
    ]  # fmt: skip
    sections = [
        Section("indicators", say("warning.all_title"), heads, rows),
        Section("evidence", say("warning.evidence_title"), columns, facts),
    ]
    return Report(title, sections, found.data(), _notes(found))


def _row(one: Seen) -> Mapping[str, Any]:
    unit: Any = one.unit if one.unit in ("fraction", "days", "ratio") else "count"
    value = None if one.value is None else int(one.value) if unit == "count" else one.value
    return {
        "indicator": f"{one.identifier} {one.name()}", "level": say(f"warning.level_{one.level}"), "value": shown(value, unit), "since": one.since,
        "weight": int(one.weight) if one.weight == int(one.weight) else one.weight, "why": one.sentence(),
    }  # fmt: skip


def _fact(one: Seen, each: Evidence) -> Mapping[str, Any]:
    named = f"desk.signal_{each.name}" if each.what == "signal" else ""
    amount = None if each.amount_minor is None or not each.currency else Money(each.amount_minor, each.currency)
    return {
        "indicator": one.identifier, "what": say(f"warning.ev_{each.what}"), "name": say(named) if named else each.name, "on": each.on, "days": each.days,
        "amount": amount, "currency": each.currency, "text": each.text,
    }  # fmt: skip


def _notes(found: IndicatorsOfBuyer) -> list[str]:
    from duecourse.decisions.wording import worded_value
    from duecourse.risk.warning.rules_v1 import shipped

    notes = [say("warning.known", share_share=worded_value("known_share", found.known, ""))]
    if found.floored and found.composite is not None:
        notes.append(say("warning.floored", composite=f"{found.composite:.0f}"))
    if found.missing:
        between = "、" if language() == "zh" else ", "
        notes.append(say("warning.lacking", names=between.join(f"{one.identifier} {one.name()}" for one in found.missing)))
    if any(one.identifier in ("MAC01", "MAC02") for one in found.reasons):
        notes.append(say("warning.own_books"))
    if found.version != shipped().version:
        notes.append(say("warning.thresholds_changed", version=found.version))
    return notes


def _all(book: Book) -> Report:
    from duecourse.desk.indicators import scored

    found = scored(book)
    names = book.run(book.buyer.select("buyer_id", "name", "name_local"))
    called = {row["buyer_id"]: row["name"] or row["name_local"] for row in names.to_pylist()}
    rows = [
        {
            **{name: one[name] for name in ("buyer_id", "composite", "known", "score")},
            "name": called.get(one["buyer_id"]), "level": say(f"warning.level_{one['level']}"), "reasons": " ".join(one["reasons"]),
        }
        for one in found.to_pylist()
    ]  # fmt: skip
    columns = [
        Column("buyer_id"), Column("name"), Column("score", "days", heading=say("warning.col_score")), Column("level", heading=say("warning.col_level")),
        Column("composite", "days", heading=say("warning.col_composite")), Column("known", "fraction", heading=say("warning.col_known")),
        Column("reasons", heading=say("warning.col_why")),
    ]  # fmt: skip
    notes = [] if rows else [say("warning.none", on=str(book.on))]
    return Report(
        "", [Section("indicators", say("warning.all_title"), columns, rows)], {"as_of": book.on, "indicators": found.to_pylist()}, notes
    )
