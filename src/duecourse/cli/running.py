"""`duecourse run-day`: every day that is over and has not been run, in order; the same as the app's nightly job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from duecourse.messages import say
from duecourse.tables import Column, Report, Section

if TYPE_CHECKING:
    from datetime import date

    from duecourse.cli.session import Session


def add_commands(group: click.Group) -> None:
    """Add the commands of this room."""

    @group.command("run-day", help=say("cli.run_day_help"))
    @click.option("--on", "on", default=None, metavar="DATE", help=say("cli.run_day_on"))
    @click.pass_obj
    def run_day(session: Session, on: str | None) -> None:
        from duecourse.cli.serving import _app
        from duecourse.cli.session import parse_day

        wanted = parse_day(on, "--on") if on else None
        _app(session)
        from duecourse.desk.opening import open_ledger
        from duecourse.web.migrating import migrate

        migrate()
        from duecourse.web.watch.running import run_days

        def progress(_share: float, day: date, step: str) -> None:
            click.echo(say(f"web.watch_step_{step}", day=day), err=True)

        done = run_days(open_ledger(session.place), on=wanted, by="duecourse run-day", progress=progress)
        if not done:
            click.echo(say("cli.run_day_nothing"), err=True)
            return
        session.show(_report(done))


def _report(done: list[Any]) -> Report:
    rows = []
    for run in done:
        steps = {one.name: one for one in run.steps.all()}
        drawn, grades = steps["alerts"].found, steps["grades"].found
        rows.append(
            {
                "day": run.on, "seconds": round(sum(one.seconds for one in steps.values()), 1), "watched": steps["warnings"].found["watched"],
                "opened": len(drawn["opened"]), "raised": len(drawn["raised"]), "cleared": len(drawn["cleared"]), "waiting": drawn["waiting"],
                "worse": grades["worse"], "better": grades["better"],
            }
        )  # fmt: skip
    heads = ("seconds", "watched", "opened", "raised", "cleared", "waiting", "worse", "better")
    columns = [
        Column("day", "date", heading=say("web.watch_run_day")), Column("seconds", "days", heading=say("cli.run_day_seconds")),
        *(Column(name, "count", heading=say(f"cli.run_day_{name}")) for name in heads[1:]),
    ]  # fmt: skip
    return Report(say("web.watch_runs_title"), [Section("days", say("web.watch_runs_title"), columns, rows)])
