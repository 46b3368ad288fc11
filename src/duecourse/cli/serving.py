"""`duecourse serve`, `worker`, `migrate`, `backup`, `restore`: the app as whoever runs it sees it."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from duecourse.messages import language, say

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from duecourse.cli.session import Session

PORT = 8000
PORTS_TRIED = 20


def add_commands(group: click.Group) -> None:
    """Add the commands of this room."""

    @group.command("serve", help=say("cli.serve_help"))
    @click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help=say("cli.serve_host"))
    @click.option("--port", default=PORT, show_default=True, type=click.IntRange(0, 65_535), metavar="N", help=say("cli.serve_port"))
    @click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64), metavar="N", help=say("cli.serve_workers"))
    @click.option("--threads", default=4, show_default=True, type=click.IntRange(1, 64), metavar="N", help=say("cli.serve_threads"))
    @click.option("--no-worker", is_flag=True, help=say("cli.serve_no_worker"))
    @click.pass_obj
    def serve(session: Session, host: str, port: int, workers: int, threads: int, no_worker: bool) -> int:
        return open_app(session.place, host=host, ports=[port], workers=workers, threads=threads, worker=not no_worker)

    @group.command("worker", help=say("cli.worker_help"))
    @click.option("--threads", default=2, show_default=True, type=click.IntRange(1, 64), metavar="N", help=say("cli.worker_threads"))
    @click.option("--once", is_flag=True, help=say("cli.worker_once"))
    @click.pass_obj
    def worker(session: Session, threads: int, once: bool) -> None:
        _app(session)
        from duecourse.web.jobs.worker import drain, work
        from duecourse.web.migrating import migrate

        migrate()
        if once:
            click.echo(say("cli.worker_done", count=drain()), err=True)
        else:
            work(threads=threads)

    @group.command("migrate", help=say("cli.migrate_help"))
    @click.pass_obj
    def migrate_(session: Session) -> None:
        _app(session)
        from duecourse.web.migrating import migrate, where

        click.echo(say("cli.migrate_done" if migrate() else "cli.migrate_nothing", place=where()), err=True)

    @group.command("backup", help=say("cli.backup_help"))
    @click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
    @click.option("--force", is_flag=True, help=say("cli.backup_force"))
    @click.pass_obj
    def backup_(session: Session, file: Path, force: bool) -> None:
        _app(session)
        from duecourse.web.safekeeping import backup

        made = backup(file, replace=force)
        told = say("cli.backup_done", file=file, version=made["ledger"]["version"], megabytes=f"{made['bytes'] / 1e6:,.1f}")
        click.echo(told if "url" not in made["ledger"] else told + "\n" + say("cli.backup_elsewhere", url=made["ledger"]["url"]), err=True)

    @group.command("restore", help=say("cli.restore_help"))
    @click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
    @click.option("--force", is_flag=True, help=say("cli.restore_force"))
    @click.pass_obj
    def restore_(session: Session, file: Path, force: bool) -> None:
        _app(session)
        from duecourse.web.safekeeping import restore

        made = restore(file, force=force)
        click.echo(say("cli.restore_done", made_at=made["made_at"], version=made["ledger"]["version"]), err=True)


def _app(session: Session) -> None:
    """Load the app for a command that serves nothing."""
    import django

    from duecourse.web.serving import settle_place

    settle_place(session.place)
    django.setup()


def open_app(
    place: str,
    *,
    host: str = "127.0.0.1",
    ports: list[int] | None = None,
    workers: int = 2,
    threads: int = 4,
    worker: bool = True,
    before: Callable[[], int] | None = None,
    words: Callable[[], None] | None = None,
    demo: bool = False,
) -> int:
    """Serve the app on the first of these ports that is free, and say where it is and how to get in. Returns when it was told to stop.

    before  what has to be done first; unless it ends well, nothing is served and its exit code is returned
    words   what else to say once it is served
    demo    make a first login instead of leading to the set-up
    Both run in processes of their own, because what they open (engine, ledger) must not be open in the one that forks.
    """
    from duecourse.cli import FINDINGS, FINE, outcome_of
    from duecourse.web.serving import Serving, address_of, ensure_ledger, serve, settle
    from duecourse.web.supervising import apart, begun

    listener = _listening(host, ports or list(range(PORT, PORT + PORTS_TRIED)))
    address = address_of(listener)
    settle(place, address)
    filled = begun(lambda: outcome_of(before)) if before is not None else None  # meanwhile the app is loaded
    try:
        _get_ready()
    except BaseException:
        if filled is not None:
            filled()  # what was begun is not left behind
        raise
    if filled is not None and (outcome := filled()) not in (FINE, FINDINGS):
        return outcome

    def people() -> int:
        from django.contrib.auth import get_user_model

        from duecourse.web import environment as env
        from duecourse.web.accounts.first_run import make_demo_login

        if demo and not get_user_model().objects.exists():
            make_demo_login(env.HOME)
        return ensure_ledger()

    if outcome := apart(lambda: outcome_of(people)):
        return outcome
    spoken = language()

    def say_where() -> None:
        from duecourse.messages import use_language

        use_language(spoken)
        os.nice(10)  # the first page comes before the words about it
        told = greeting(address, demo=demo)
        click.echo(told)
        if words is not None:
            click.echo()
            words()
            click.echo(told)  # the figures have pushed it off the screen

    serve(Serving(host=host, port=listener.getsockname()[1], workers=workers, threads=threads, worker=worker), listener, ready=say_where)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(FINE)  # nothing is open any more, and taking the loaded program apart would take another second


def _listening(host: str, ports: list[int]) -> socket.socket:
    from duecourse.errors import AddressInUseError
    from duecourse.web.serving import listen

    for port in ports[:-1]:
        with contextlib.suppress(AddressInUseError):
            return listen(host, port)
    return listen(host, ports[-1])


def _get_ready() -> None:
    """Load the app, bring its database up to this release and make its static files."""
    from duecourse.web.serving import load

    load()
    from django.db import connections

    from duecourse.web import assets
    from duecourse.web.migrating import migrate

    migrate()
    assets.ready()
    connections.close_all()


def greeting(address: str, *, demo: bool) -> str:
    """Where the app is, and how the first person gets in."""
    from duecourse.web import environment as env
    from duecourse.web.accounts.first_run import make_demo_login, setup_link

    told = [say("cli.serve_ready", address=address)]
    login = make_demo_login(env.HOME) if demo else None
    if login is not None:
        told.append(say("cli.serve_login", name=login[0], password=login[1]))
    elif link := setup_link():
        told.append(say("cli.serve_set_up", link=link))
    return "\n".join(told)
