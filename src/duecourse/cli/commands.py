"""The program and all its commands, worded in the language spoken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from duecourse import __version__
from duecourse.cli import (
    backtesting,
    cases,
    clocks,
    countries,
    documents,
    drifting,
    evidence,
    feeds,
    grades,
    grading,
    importing,
    interest,
    keeping,
    letters,
    limits,
    orders,
    reader_gone,
    reading,
    route,
    running,
    screening,
    serving,
    starting,
    training,
    warning,
    warnings,
)
from duecourse.cli.session import Session, parse_day, parse_moment
from duecourse.messages import say

DEFAULT_LEDGER = "duecourse-ledger"


class _Program(click.Group):
    """The command group. Click by itself would end with 1 where the reader is gone, and let nobody else see it."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            return reader_gone()


def build() -> click.Group:
    """The command group. Built anew for each run, because its help is written in the language of the run."""

    @click.group(
        cls=_Program, help=say("cli.program_help"), context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 110}
    )
    @click.option(
        "--ledger",
        "place",
        default=DEFAULT_LEDGER,
        envvar="DUECOURSE_LEDGER",
        show_default=True,
        metavar="DIR",
        help=say("cli.option_ledger"),
    )
    @click.option("--as-of", "as_of", default=None, metavar="DATE", help=say("cli.option_as_of"))
    @click.option("--known-at", default=None, metavar="TIME", help=say("cli.option_known_at"))
    @click.option("--lang", type=click.Choice(["en", "zh"]), default=None, expose_value=False, help=say("cli.option_lang"))
    @click.option(
        "--format",
        "form",
        type=click.Choice(["table", "json", "csv", "xlsx"]),
        default="table",
        show_default=True,
        help=say("cli.option_format"),
    )
    @click.option("--output", "-o", type=click.Path(path_type=Path), default=None, metavar="FILE", help=say("cli.option_output"))
    @click.version_option(__version__, prog_name="duecourse", help=say("cli.option_version"))
    @click.pass_context
    def program(context: click.Context, place: str, as_of: str | None, known_at: str | None, form: Any, output: Path | None) -> None:
        context.obj = Session(
            place=place,
            on=parse_day(as_of, "--as-of") if as_of else None,
            known_at=parse_moment(known_at, "--known-at") if known_at else None,
            form=form,
            output=output,
        )

    for room in (
        importing,
        reading,
        grading,
        evidence,
        screening,
        feeds,
        grades,
        letters,
        limits,
        orders,
        interest,
        route,
        keeping,
        starting,
        serving,
        running,
        training,
        backtesting,
        drifting,
        warning,
        warnings,
        clocks,
        countries,
        cases,
        documents,
    ):
        room.add_commands(program)
    return program
