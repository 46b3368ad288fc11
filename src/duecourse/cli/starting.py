"""`duecourse demo` and `start`: a ledger full of data, and the app opened on it."""

from __future__ import annotations

from pathlib import Path

import click

from duecourse.cli.session import Session, progress_bar
from duecourse.messages import say

DEMO_LEDGER = "demo-ledger"
OWN_LEDGER = "my-ledger"


def add_commands(group: click.Group) -> None:
    """Add the commands of this room."""

    @group.command("demo", help=say("cli.demo_help"))
    @click.option(
        "--invoices",
        default=300_000,
        show_default=True,
        type=click.IntRange(1_000, 100_000_000),
        metavar="N",
        help=say("cli.demo_invoices"),
    )
    @click.option("--seed", default=None, type=click.IntRange(0), metavar="N", help=say("cli.demo_seed"))
    @click.option("--exports", type=click.Path(path_type=Path, file_okay=False), default=None, metavar="DIR", help=say("cli.demo_exports"))
    @click.pass_obj
    def demo(session: Session, invoices: int, seed: int | None, exports: Path | None) -> None:
        from duecourse.desk.demo import make_demo, write_demo_exports

        if exports is not None:
            for path in write_demo_exports(exports, invoices=invoices, seed=seed):
                click.echo(str(path))
            return
        with progress_bar(say("cli.demo_making")) as bar:
            made = make_demo(session.place, invoices=invoices, seed=seed, progress=None if bar is None else (lambda share: bar(share, "")))
        click.echo(say("cli.demo_made" if made else "cli.demo_there", place=session.place), err=True)

    @group.command("start", help=say("cli.start_help"))
    @click.argument("files", nargs=-1, type=click.Path(path_type=Path))
    @click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help=say("cli.serve_host"))
    @click.option("--port", default=None, type=click.IntRange(0, 65_535), metavar="N", help=say("cli.start_port"))
    @click.option("--no-serve", is_flag=True, help=say("cli.start_no_serve"))
    @click.pass_obj
    def start(session: Session, files: tuple[Path, ...], host: str, port: int | None, no_serve: bool) -> int:
        from duecourse.cli.serving import open_app

        session.place = OWN_LEDGER if files else DEMO_LEDGER

        def fill() -> int:
            if files:
                from duecourse.cli.importing import take_in
                from duecourse.intake.importer import Options

                return take_in(session, list(files), Options(), ask=True)
            from duecourse.desk.demo import make_demo

            with progress_bar(say("cli.demo_making")) as bar:
                make_demo(session.place, progress=None if bar is None else (lambda share: bar(share, "")))
            return 0

        # Who wants a file or a form for machines wants the figures alone.
        if no_serve or session.form != "table" or session.output is not None:
            outcome = fill()
            _show_state(session)
            if session.form == "table" and session.output is None:
                click.echo()
                click.echo(say("cli.start_next", place=session.place, buyer=_example(session)))
            return outcome
        ports = None if port is None else [port]
        return open_app(session.place, host=host, ports=ports, before=fill, words=lambda: _show_state(session), demo=not files)


def _show_state(session: Session) -> None:
    from duecourse.cli.reading import kpi_report

    session.show(kpi_report(session.book))


def _example(session: Session) -> str:
    from duecourse.desk.position import worst

    rows = worst(session.book, limit=1)
    return str(rows[0]["buyer_id"]) if rows else "ID"
