"""`duecourse warnings`: who may default within six months, and why; of everybody or of one buyer."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from duecourse.messages import language, say
from duecourse.tables import Column, Report, Section

if TYPE_CHECKING:
    from duecourse.cli.session import Session
    from duecourse.desk.warning import ModelWarning
    from duecourse.ledger.book import Book


def add_commands(group: click.Group) -> None:
    """Add the commands of this room."""

    @group.command("warnings", help=say("cli.warnings_help"))
    @click.argument("buyer", required=False)
    @click.pass_obj
    def warnings(session: Session, buyer: str | None) -> None:
        from duecourse.desk.buyers import find
        from duecourse.desk.warning import warning

        book = session.book
        session.show(_one(warning(book, find(book, buyer))) if buyer else _all(book))


def _one(found: ModelWarning) -> Report:
    rows: list[dict[str, Any]] = [
        {"theme": one.name(), "points": f"{one.points:+.0f}".replace("+0", "0").replace("-0", "0"), "why": one.sentence()} for one in found.themes
    ]  # fmt: skip
    columns = [
        Column("theme", heading=say("cli.warnings_theme")), Column("points", "count", heading=say("cli.warnings_points")),
        Column("why", heading=say("warning.col_why")),
    ]  # fmt: skip
    from duecourse.desk.warning_learnt import told

    if found.in_default_since is not None:
        title = say("cli.warnings_in_default_of", buyer=found.buyer_id, since=found.in_default_since.isoformat())
    elif found.probability_6m is None or found.low is None or found.high is None:
        title = say("cli.warnings_short_of", buyer=found.buyer_id, days=f"{found.worst_days_late or 0:.0f}")
    else:
        title = say(
            "cli.warnings_of", buyer=found.buyer_id, probability=_percent(found.probability_6m), low=_percent(found.low), high=_percent(found.high),
            base=_percent(found.base_rate_6m),
        )  # fmt: skip
    notes = [say("cli.warnings_sum", points=f"{found.points:+.0f}", model=found.model), told(found.learnt)] if rows else []
    return Report(title, [Section("themes", "", columns, rows)], asdict(found), notes)


def _percent(share: float) -> str:
    return f"{share:.2%}" if share < 0.1 else f"{share:.0%}"


def _all(book: Book) -> Report:
    from duecourse.desk.warning import warned
    from duecourse.desk.warning_learnt import in_force, told

    found = warned(book)
    called = {
        row["buyer_id"]: row["name"] or row["name_local"]
        for row in book.run(book.buyer.select("buyer_id", "name", "name_local")).to_pylist()
    }
    between = "、" if language() == "zh" else ", "
    rows = [
        {
            "buyer_id": one["buyer_id"], "name": called.get(one["buyer_id"]), "probability": one["probability_6m"], "low": one["low"], "high": one["high"],
            "since": one["in_default_since"], "score": one["score"], "level": say(f"warning.level_{one['level']}"),
            "why": between.join(say(f"warning.theme_name_{theme}") for theme in one["themes"]),
        }
        for one in found.to_pylist()
    ]  # fmt: skip
    columns = [
        Column("buyer_id"), Column("name"), Column("probability", "fraction", heading=say("cli.warnings_probability")),
        Column("low", "fraction", heading=say("cli.warnings_low")), Column("high", "fraction", heading=say("cli.warnings_high")),
        *([Column("since", "date", heading=say("cli.warnings_since"))] if any(row["since"] for row in rows) else []),
        Column("score", "days", heading=say("warning.col_score")), Column("level", heading=say("warning.col_level")),
        Column("why", heading=say("warning.col_why")),
    ]  # fmt: skip
    short = bool(rows) and found["basis"][0].as_py() == "worst_so_far"
    fitted = {} if short or not rows else in_force(book)
    notes = [say("cli.warnings_short")] if short else [told(fitted)] if rows else [say("warning.none", on=str(book.on))]
    return Report(
        "",
        [Section("warnings", say("cli.warnings_title"), columns, rows)],
        {"as_of": book.on, "learnt": dict(fitted), "warnings": found.to_pylist()},
        notes,
    )
