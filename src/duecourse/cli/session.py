"""What every command shares: which ledger, as of when, in which form the answer goes out."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property
from typing import TYPE_CHECKING, Any

import click

from duecourse.cli.render import Format, write
from duecourse.errors import OptionMisusedError
from duecourse.messages import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from duecourse.ledger.book import Book
    from duecourse.ledger.store import Ledger
    from duecourse.tables import Report


@dataclass
class Session:
    """One run of the command line."""

    place: str
    on: date | None
    known_at: datetime | None
    form: Format
    output: Path | None

    def ledger(self, *, create: bool = False) -> Ledger:
        """The ledger named by `--ledger`."""
        from duecourse.desk.opening import open_ledger

        return open_ledger(self.place, create=create)

    @cached_property
    def book(self) -> Book:
        """The book as of `--as-of` (default: the last day the ledger speaks of), as known at `--known-at`."""
        from duecourse.desk.dates import default_day

        ledger = self.ledger()
        return ledger.as_of(self.on or default_day(ledger), self.known_at)

    def show(self, report: Report) -> None:
        """Write the answer in the form asked for."""
        write(report, self.form, self.output)


def parse_day(text: str, option: str) -> date:
    """An ISO day. Raises OptionMisusedError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise OptionMisusedError(option=option, value=text, hint=say("cli.hint_day")) from None


def parse_moment(text: str, option: str) -> datetime:
    """An ISO day (its close, UTC) or moment (UTC unless it says otherwise). Raises OptionMisusedError."""
    try:
        if len(text) == len("2026-01-31"):
            return datetime.combine(date.fromisoformat(text), time.max, UTC)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise OptionMisusedError(option=option, value=text, hint=say("cli.hint_moment")) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def asked(question: str) -> bool:
    """Ask a yes/no question on the terminal."""
    return click.confirm(question, err=True)


def interactive() -> bool:
    """Is there a person at a terminal?"""
    return sys.stdin.isatty() and sys.stderr.isatty()


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[float, str], Any] | None]:
    """A progress bar on the terminal, nothing when the output goes into a pipe or file."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(title, total=1.0)

        def step(share: float, phase: str) -> None:
            bar.update(task, completed=share, description=f"{title} · {phase}" if phase else title)

        yield step
