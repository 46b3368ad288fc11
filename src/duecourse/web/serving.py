"""Serve the app: gunicorn for the pages, a worker for the jobs, each a supervised child of this process."""

from __future__ import annotations

import errno
import gc
import os
import shutil
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from duecourse.collector import at_rest, look_seldom
from duecourse.errors import AddressInUseError, OptionMisusedError
from duecourse.messages import say
from duecourse.web.supervising import Child, Supervisor, end_with_parent

if TYPE_CHECKING:
    from collections.abc import Callable


MEMORY: Final = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else Path(tempfile.gettempdir())  # noqa: S108 — names of our own in it
FIGURES: Final = MEMORY / f"duecourse-metrics-{os.getuid()}"


@dataclass(frozen=True)
class Serving:
    """How to serve: where to listen, and with how many processes and threads."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 2
    threads: int = 4
    worker: bool = True


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises AddressInUseError, OptionMisusedError."""
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except OSError as error:
        raise OptionMisusedError(option="--host", value=host, hint=say("cli.serve_hint_host")) from error
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(1024)
    except OSError as error:
        listener.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise AddressInUseError(host=host, port=port, free=port + 1 if port < 65_535 else 8000) from error
        raise OptionMisusedError(option="--host", value=host, hint=say("cli.serve_hint_host")) from error
    return listener


def address_of(listener: socket.socket) -> str:
    """What to type into a browser to reach a listening socket on this machine."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104 — compared, not bound
    return f"http://{host}:{port}"


def settle_place(place: str) -> None:
    """Say in the environment which ledger this is about; before Django's settings are read, which take it from there."""
    elsewhere = "://" in place
    if elsewhere and not os.environ.get("DUECOURSE_HOME"):
        raise OptionMisusedError(option="--ledger", value=place, hint=say("cli.serve_hint_home"))
    os.environ["DUECOURSE_LEDGER"] = place if elsewhere else str(Path(place).absolute())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "duecourse.web.settings")


def settle(place: str, address: str) -> None:
    """The same for serving: also where the app is to be reached, and where its processes count."""
    settle_place(place)
    os.environ.setdefault("DUECOURSE_URL", address)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = _room_for_figures()


def _room_for_figures() -> str:
    """A folder in memory where the processes of this server count; those of servers that were killed are removed."""
    for old in FIGURES.parent.glob(f"{FIGURES.name}-*"):
        pid = old.name.rpartition("-")[2]
        if not pid.isdigit() or not Path(f"/proc/{pid}").exists():
            shutil.rmtree(old, ignore_errors=True)
    place = FIGURES.with_name(f"{FIGURES.name}-{os.getpid()}")
    place.mkdir(mode=0o700, exist_ok=True)
    return str(place)


def ensure_ledger() -> int:
    """Make the ledger where there is none and nobody has used the app yet; 0, as an exit code.

    An app that has people and no ledger has lost it — a disk that is not mounted, a wrong path: it must not begin an empty one.
    Raises LedgerNotFoundError.
    """
    from django.contrib.auth import get_user_model  # noqa: PLC0415

    from duecourse.desk.opening import open_ledger  # noqa: PLC0415
    from duecourse.web import environment as env  # noqa: PLC0415

    open_ledger(env.LEDGER, create=not get_user_model().objects.exists())
    return 0


def load() -> None:
    """Load the app: Django, every room, every address; nothing is opened yet."""
    with at_rest():  # nothing that is loaded goes away again: looking for it costs a fifth of the time
        _load()


def _load() -> None:
    import django  # noqa: PLC0415 — reads the settings, which `settle` had to prepare
    from django.conf import settings  # noqa: PLC0415
    from django.urls import get_resolver  # noqa: PLC0415
    from django.utils.module_loading import import_string  # noqa: PLC0415

    django.setup()
    _ = get_resolver().url_patterns
    for middleware in settings.MIDDLEWARE:
        import_string(middleware)


def serve(options: Serving, listener: socket.socket, *, ready: Callable[[], None] | None = None) -> None:
    """Serve on a listening socket until SIGTERM or SIGINT. The app is loaded and its database migrated.

    ready  called when the children run, in a process of its own: what it opens does not touch the server
    """
    from django.db import connections  # noqa: PLC0415

    from duecourse.web.safekeeping import in_use  # noqa: PLC0415

    connections.close_all()
    mark = in_use()
    children = [Child("web", lambda: _gunicorn(options, listener))]
    if options.worker:
        children.append(Child("worker", _worker))
    if ready is not None:
        children.append(Child("words", ready, once=True))
    try:
        Supervisor(children).run()
    finally:
        listener.close()
        mark.close()
        shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


def _worker() -> None:
    from duecourse.web.jobs.worker import work  # noqa: PLC0415 — after the fork

    os.nice(10)  # people who wait for a page come first
    work()


def _gunicorn(options: Serving, listener: socket.socket) -> None:
    from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]  # noqa: PLC0415 — after the fork
    from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]  # noqa: PLC0415

    class Application(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            for name, value in _gunicorn_settings(options, listener).items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            from duecourse.web.wsgi import application  # noqa: PLC0415 — in each worker

            return application

    Arbiter(Application()).run()


def _gunicorn_settings(options: Serving, listener: socket.socket) -> dict[str, Any]:
    master = os.getpid()
    return {
        "bind": f"fd://{listener.fileno()}",
        "workers": options.workers,
        "worker_class": "gthread",
        "threads": options.threads,
        "timeout": 300,
        "graceful_timeout": 25,
        "keepalive": 5,
        "max_requests": 50_000,  # memory that creeps is given back, workers not all at once
        "max_requests_jitter": 5_000,
        "worker_tmp_dir": str(MEMORY),
        "control_socket_disable": True,
        "accesslog": None,
        "errorlog": "-",
        "loglevel": "warning",
        "post_fork": lambda _server, _worker: end_with_parent(master),
        "post_worker_init": _settle_collector,
        "worker_exit": _write_what_was_seen,
        "child_exit": _forget_figures,
    }


def _settle_collector(_worker: Any) -> None:
    """Look for garbage in rings seldom: a page makes tens of thousands of objects and nearly none; what is loaded never goes away."""
    gc.collect()
    gc.freeze()
    look_seldom()


def _write_what_was_seen(_server: Any, _worker: Any) -> None:
    from duecourse.web.accounts import seeing  # noqa: PLC0415 — in the worker, where the app is loaded

    seeing.flush()


def _forget_figures(_server: Any, worker: Any) -> None:
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
