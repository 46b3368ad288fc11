"""`duecourse train`: what one's own outcomes say of the grades."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from duecourse.messages import say
from duecourse.tables import Column, Report, Section

if TYPE_CHECKING:
    from collections.abc import Mapping

    from duecourse.cli.session import Session
    from duecourse.risk.calibration import Judgement


def add_commands(group: click.Group) -> None:
    """Add the commands of this room."""

    @group.command("train", help=say("cli.train_help"))
    @click.option("--years", default=3, type=click.IntRange(1, 8), show_default=True, metavar="N", help=say("cli.train_years"))
    @click.option("--keep", is_flag=True, help=say("cli.train_keep"))
    @click.option("--warning", is_flag=True, help=say("cli.train_warning"))
    @click.option(
        "--file",
        "path",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        default=None,
        metavar="FILE",
        help=say("cli.train_file"),
    )
    @click.option("--outcome", default="class", show_default=True, metavar="COLUMN", help=say("cli.train_outcome"))
    @click.option("--group", "firm", default="", metavar="COLUMN", help=say("cli.train_group"))
    @click.option("--leave-out", "leave_out", multiple=True, metavar="COLUMN", help=say("cli.train_leave_out"))
    @click.pass_obj
    def train(
        session: Session, years: int, *, keep: bool, warning: bool, path: Path | None, outcome: str, firm: str, leave_out: tuple[str, ...]
    ) -> None:  # fmt: skip
        if path is not None:
            session.show(_of_file(path, outcome, firm, leave_out))
            return
        session.show(_of_ledger(session, years, keep=keep, warning=warning))


def _of_file(path: Path, outcome: str, firm: str, leave_out: tuple[str, ...]) -> Report:
    from duecourse.desk.ratio_file import train_on_file

    found = train_on_file(path, outcome, group=firm, leave_out=leave_out)
    note = say("cli.train_note_file", rows=found.rows, failures=found.failures, columns=len(found.columns))
    return _report(found.models, [note], {"columns": list(found.columns), "left_out": list(found.left_out)})


def _of_ledger(session: Session, years: int, *, keep: bool, warning: bool) -> Report:
    from duecourse.desk.training import SETTING, own_history
    from duecourse.desk.training import keep as keep_it
    from duecourse.desk.warning_history import own_warning_history
    from duecourse.desk.warning_learnt import SETTING as WARNINGS

    book = session.book
    found = (own_warning_history if warning else own_history)(book, years=years)
    slopes = ", ".join(f"{name} {value:.2f}" for name, value in found.found.slopes.items())
    notes = [
        say(
            "cli.train_note_own", buyers=found.buyers, defaults=found.defaults, since=found.days[0], on=book.on,
            intercept=f"{found.found.intercept:+.2f}", slopes=slopes,
        ),
    ]  # fmt: skip
    if keep:
        keep_it(session.ledger(), found.setting(), setting=WARNINGS if warning else SETTING)
    notes.append(say("cli.train_note_kept" if keep else "cli.train_note_keep"))
    return _report({"shipped": found.shipped, "own": found.own}, notes, found.setting())


def _report(models: Mapping[str, Judgement], notes: list[str], data: dict[str, Any]) -> Report:
    names = ("auc", "ks", "brier", "log_loss")
    rows: list[dict[str, Any]] = []
    for title, one in models.items():
        row: dict[str, Any] = {"model": say(f"cli.train_{title}")}
        for name in names:
            value, low, high = getattr(one, name)
            row[name] = f"{value:.4f} ({low:.4f}–{high:.4f})"
        rows.append({**row, "expected_to_observed": f"{one.expected_to_observed:.2f}"})
    columns = [
        Column("model", heading=say("cli.train_model")), *(Column(name, heading=name.replace("_", " ").upper() if name in ("auc", "ks") else name.replace("_", " ")) for name in names),
        Column("expected_to_observed", heading="E/O"),
    ]  # fmt: skip
    figures = {
        title: {name: getattr(one, name) for name in (*names, "expected_to_observed", "rows", "failures")} for title, one in models.items()
    }
    return Report("", [Section("models", say("cli.train_title"), columns, rows)], {**data, "models": figures}, notes)
