"""The app as processes of its own: a nursery that forks workers to be killed, and a server on a free port."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from support.postgres import free_port

NURSERY = """
import json, os, sys
import django
django.setup()
from pathlib import Path
from duecourse.web.jobs.registry import job, kinds
from duecourse.web.migrating import migrate
from django.db import connections

@job("test.take_in", title="web.jobs_title", retries=5, lease_seconds=60)
def take_in(job, *, path):
    from duecourse.desk.importing import Options, take_in as import_
    from duecourse.web import books
    def progress(share, phase):
        job.progress(share)
        return True
    results = import_(books.ledger(), Path(path), Path(path).name, Options(), progress)
    return {"read": sum(result.read for result in results)}

import duecourse.desk.importing, duecourse.web.books, duecourse.web.jobs.worker
kinds()
migrate()
connections.close_all()
for name in os.environ.get("NURSERY_LOADS", "").split():  # what its snippets need, loaded once
    __import__(name)
print("ready", flush=True)
for line in sys.stdin:
    order = json.loads(line)
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            if order["do"] == "work":
                from duecourse.web.jobs.worker import WorkerProcess
                import signal
                worker = WorkerProcess(threads=order.get("threads", 2), poll_seconds=0.02, keep_seconds=0.1)
                signal.signal(signal.SIGTERM, worker.stop)
                worker.run()
            else:
                given = {}
                exec(order["code"], given)
                os.write(write, json.dumps(given.get("result")).encode())
        except BaseException:
            import traceback
            traceback.print_exc()
        finally:
            os._exit(0)
    os.close(write)
    print(pid, flush=True)
    if order["do"] != "work":
        with os.fdopen(read, "rb") as answer:
            said = answer.read()
        os.waitpid(pid, 0)
        print(said.decode() or "null", flush=True)
    else:
        os.close(read)
"""


def surroundings(home: Path, ledger: Path, database: str = "", **more: str) -> dict[str, str]:
    """The environment of a process of the app."""
    tests = str(Path(__file__).parents[1])
    kept = {key: value for key, value in os.environ.items() if not key.startswith("DUECOURSE_")}
    return {
        **kept, "DUECOURSE_HOME": str(home), "DUECOURSE_LEDGER": str(ledger), "DUECOURSE_DATABASE": database, "PYTHONPATH": tests,
        "DUECOURSE_SECRET_KEY": "only for tests, never for a server", "DJANGO_SETTINGS_MODULE": "duecourse.web.settings", **more,
    }  # fmt: skip


class Nursery:
    """A process that has loaded the app and opened nothing: forks workers within milliseconds, and runs snippets."""

    def __init__(self, home: Path, ledger: Path, database: str = "", **more: str) -> None:
        if not database and not (home / "desk.sqlite3").exists():
            from support.migrated import migrated_sqlite

            migrated_sqlite(home / "desk.sqlite3")
        self.process = subprocess.Popen(
            [sys.executable, "-c", NURSERY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=(home.parent / "nursery.log").open("ab"),
            env=surroundings(home, ledger, database, **more), text=True,
        )  # fmt: skip
        assert self.process.stdout.readline() == "ready\n", (home.parent / "nursery.log").read_text()

    def _order(self, **order: object) -> int:
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def worker(self, threads: int = 2) -> int:
        """A worker; its process id."""
        return self._order(do="work", threads=threads)

    def run(self, code: str) -> object:
        """What a snippet leaves as `result`."""
        self._order(do="run", code=code)
        return json.loads(self.process.stdout.readline())

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def children_of(pid: int) -> list[int]:
    """Processes whose parent this is."""
    found = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = place.read_text(errors="replace").rpartition(")")[2].split()
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(int(place.parent.name))
    return sorted(found)


def alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] != "Z"
    return False


class Served:
    """`duecourse serve` on a free port."""

    def __init__(self, home: Path, ledger: Path, database: str = "", *options: str, **more: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = home.parent / f"served-{self.port}.log"
        self.environment = surroundings(home, ledger, database, **more)
        self.command = [sys.executable, "-m", "duecourse", "--ledger", str(ledger), "serve", "--port", str(self.port), *options]
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, env=self.environment)
        self.wait_for("/health/live")

    def get_as_somebody(self, path: str, timeout: float = 60) -> tuple[int, str]:
        """The same with a session, which has to be looked up."""
        return self.get(path, timeout, {"Cookie": "sessionid=0123456789abcdef0123456789abcdef"})

    def get(self, path: str, timeout: float = 10, headers: dict[str, str] | None = None) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url + path, headers=headers or {}), timeout=timeout) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def wait_for(self, path: str, status: int = 200, seconds: float = 180) -> str:
        give_up = time.monotonic() + seconds
        seen: object = None
        while time.monotonic() < give_up:
            try:
                seen = self.get(path)
                if seen[0] == status:
                    return seen[1]
            except OSError as error:
                seen = error
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise AssertionError(f"{path} did not answer {status} but {seen}:\n{self.log.read_text()[-3000:]}")

    def python(self, code: str) -> str:
        """Run a snippet on the same app."""
        setup = "import django\ndjango.setup()\n"
        done = subprocess.run([sys.executable, "-c", setup + code], env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(60)
