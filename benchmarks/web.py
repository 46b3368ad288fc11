"""How long does the app take to draw up its pages, for several people at once, on a large ledger?

    python benchmarks/web.py --folder DIR [--people 8] [--requests 400] [--pause 1.0] [--imports N] [--record]

The real server (gunicorn, `duecourse serve`) runs on the ledger in a folder; so many signed-in people ask it for pages over HTTP on
loopback, from the same two cores. Twice in one run: each person without a pause, the next page asked for as soon as one is there, which
keeps both cores full; then each with a pause before every page, of random length (exponential, --pause seconds on average), which is
still far more than a person reads. `server` is what the answer's Server-Timing header says, `whole` the time until its last byte was there,
`CPU` the processor time of all the server's processes for each answer, which other work on the machine lengthens least. With
--imports the people with pauses ask again while so many lists of 1,000,000 invoices, one after the other, are imported by the command line,
and once more while others are imported at the priority at which the app imports (the ledger keeps them: give it a copy).

Without --folder a ledger of 1,000,000 invoices is made; `--invoices 10000000 --buyers 1000000` makes the large one (about ten minutes).
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import duckdb

from duecourse.desk.dashboard import warm
from duecourse.desk.dates import default_day
from duecourse.desk.opening import open_ledger
from duecourse.desk.standing import standing
from duecourse.samples.economy import Economy, write
from machine import describe, record

if TYPE_CHECKING:
    from collections.abc import Callable

SIGN_IN = """
import json, sys, django
django.setup()
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from duecourse.web.migrating import migrate
from duecourse.web.accounts.models import Person
from duecourse.web.accounts.sessions import SessionStore
migrate()
owners = json.loads(sys.argv[2])
keys = []
for number in range(int(sys.argv[1])):
    person = Person.objects.create_user(username=f"p{number}@bench", email=f"p{number}@bench.example", password=None)
    person.role = "credit_manager" if number % 2 == 0 else "sales"
    person.sales_owners = [] if number % 2 == 0 else owners[number % len(owners):][:2]
    person.save()
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = "duecourse.web.accounts.sessions.People"
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.save()
    keys.append(session.session_key)
print("KEYS" + json.dumps(keys))
"""
APP_NICE = 10
"""As `duecourse.web.serving` runs its worker."""
GOALS = {"dashboard": 300, "buyers": 200, "buyer": 100, "invoices": 200, "groups": 200}


def environment(folder: Path, home: Path, port: int) -> dict[str, str]:
    """What the server and the sign-in are told alike."""
    return {
        **os.environ, "DUECOURSE_LEDGER": str(folder), "DUECOURSE_HOME": str(home), "DUECOURSE_URL": f"http://127.0.0.1:{port}",
        "DUECOURSE_SECRET_KEY": "only for a benchmark on loopback", "DJANGO_SETTINGS_MODULE": "duecourse.web.settings",
    }  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def pages(rng: random.Random, columns, ids: list[str], count: int) -> list[tuple[str, str]]:
    """A working day's mixture of addresses."""
    texts = ("gmbh", "ltd", "上海", "co", "steel", "华", "electronics", "0010", "schm")
    found = []
    for _ in range(count):
        kind = rng.choices(("dashboard", "buyers", "buyer", "invoices", "groups"), (15, 45, 25, 10, 5))[0]
        words = []
        if kind == "buyers":
            if rng.random() < 0.5:
                words.append(("q", rng.choice(texts)))
            filtered = [name for name in ("country", "sector", "currency") if rng.random() < 0.25]
            words += [(name, rng.choice(columns.words[name])) for name in filtered]
            words.append(("sort", rng.choice(("overdue", "outstanding", "name", "oldest_days_past_due"))))
        place = {"dashboard": "/", "buyers": "/buyers/", "buyer": f"/buyers/{quote(rng.choice(ids), safe='')}/", "invoices": "/invoices/", "groups": "/groups/"}[kind]  # fmt: skip
        found.append((kind, place + ("?" + urlencode(words) if words else "")))
    return found


def invoice_list(path: Path, number: int) -> Path:
    """A list of 1,000,000 invoices of 20,000 new buyers, unlike that of any other number."""
    duckdb.sql(
        f"""COPY (SELECT 'L{number}-' || (i % 20000) AS "Customer", 'Neubau ' || (i % 20000) AS "Customer name", 'L{number}-' || i AS "Invoice",
            DATE '2024-01-01' + (i % 600)::INT AS "Issue date", DATE '2024-01-31' + (i % 600)::INT AS "Due date",
            (100 + i % 90000)::DECIMAL(12,2) AS "Amount", 'EUR' AS "Currency" FROM range(1000000) t(i)) TO '{path}' (HEADER)"""
    )
    return path


Answers = dict[str, list[tuple[float, float, int]]]
"""{kind of page: (ms in the server, ms in all, bytes on the wire) of every answer}."""


def ask(port: int, keys: list[str], asked: list[tuple[str, str]], pause: float = 0.0) -> Answers:
    """Every answer that came; `pause`: seconds on average before each page of a person."""

    def person(number: int) -> list[tuple[str, float, float, int, int]]:
        rng, found = random.Random(number), []
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        headers = {"Cookie": f"sessionid={keys[number]}", "Accept-Encoding": "gzip"}
        for kind, address in asked[number :: len(keys)]:
            if pause:
                time.sleep(rng.expovariate(1 / pause))
            for last in (False, True):
                began = time.perf_counter()
                try:
                    connection.request("GET", address, headers=headers)
                    answer = connection.getresponse()
                    size = len(answer.read())
                    break
                except (http.client.HTTPException, ConnectionError):  # the server lets go of a connection that was silent for long
                    connection.close()
                    if last:
                        raise
            whole = 1000 * (time.perf_counter() - began)
            timing = (answer.getheader("server-timing") or "app;dur=nan").split("dur=")[-1].split(",")[0]
            found.append((kind, float(timing), whole, size, answer.status))
        connection.close()
        return found

    answers: Answers = {}
    with ThreadPoolExecutor(len(keys)) as pool:
        for rows in pool.map(person, range(len(keys))):
            for kind, server, whole, size, status in rows:
                answers.setdefault(kind if status == 200 else f"{kind}: {status}", []).append((server, whole, size))
    return answers


def cpu_seconds(group: int) -> float:
    """Processor time of all processes of a session, those that ended and were waited for among them (Linux)."""
    ticks = 0
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = place.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == group:
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def measured(title: str, group: int, work) -> list[str]:
    """A table of what `work` gives, with what the server's processes used for it and how busy the machine was."""
    load, used, began = os.getloadavg()[0], cpu_seconds(group), time.perf_counter()
    answers = work()
    took = time.perf_counter() - began
    count = sum(map(len, answers.values()))
    cpu = 1000 * (cpu_seconds(group) - used) / max(count, 1)
    told = f"{count / took:.1f} answers a second, {cpu:.1f} ms of CPU an answer, load {load:.1f} before and {os.getloadavg()[0]:.1f} after"
    return [f"{title}; {told}:", "", *table(answers)]


def table(answers: Answers) -> list[str]:
    lines = [
        "| page | n | server ms: median | p95 | slowest | whole ms: median | p95 | kB gzipped | goal p95 |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for kind, rows in sorted(answers.items()):
        server, whole = sorted(row[0] for row in rows), sorted(row[1] for row in rows)
        far = max(int(len(rows) * 0.95) - 1, 0)
        size = statistics.median(row[2] for row in rows) / 1000
        lines.append(
            f"| {kind} | {len(rows)} | {statistics.median(server):.0f} | {server[far]:.0f} | {server[-1]:.0f} | {statistics.median(whole):.0f} "
            f"| {whole[far]:.0f} | {size:.1f} | {GOALS.get(kind, '–')} |"
        )
    return [*lines, ""]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="the ledger; made in a temporary folder where none is named")
    parser.add_argument("--invoices", type=int, default=1_000_000)
    parser.add_argument("--buyers", type=int)
    parser.add_argument("--people", type=int, default=8)
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--pause", type=float, default=1.0, help="seconds before a page, on average, in the second round")
    parser.add_argument("--imports", type=int, default=0, help="files of a million invoices to import in the third round")
    parser.add_argument("--record", action="store_true", help="append the figures to results.md")
    options = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="bench-web-"))
    try:
        folder = options.folder or work / "ledger"
        ledger = open_ledger(folder, create=True, memory_limit="6GB")
        if not ledger.version:
            write(ledger, Economy(invoices=options.invoices, buyers=options.buyers))
            ledger.compact()
        began = time.perf_counter()
        warm(ledger)
        made = time.perf_counter() - began
        columns = standing(ledger.as_of(default_day(ledger)))
        _measure(options, work, folder, columns, made)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _measure(options: argparse.Namespace, work: Path, folder: Path, columns, made: float) -> None:
    port = free_port()
    told = environment(folder, work / "home", port)
    (work / "home").mkdir()
    owners = json.dumps(columns.words["sales_owner"], ensure_ascii=False)
    signed = subprocess.run(
        [sys.executable, "-c", SIGN_IN, str(options.people), owners], env=told, capture_output=True, text=True, check=False
    )
    if signed.returncode:
        sys.exit(signed.stderr)
    keys = json.loads(signed.stdout.split("KEYS")[-1])
    command = [
        sys.executable,
        "-m",
        "duecourse",
        "--ledger",
        str(folder),
        "serve",
        "--port",
        str(port),
        "--workers",
        "2",
        "--threads",
        "4",
        "--no-worker",
    ]
    server = subprocess.Popen(command, env=told, start_new_session=True, stdout=(work / "log").open("w"), stderr=subprocess.STDOUT)
    try:
        _wait(port, server, work / "log")
        rng = random.Random(1)
        buyer_ids = columns.rows.column("buyer_id")
        ids = [buyer_ids[place].as_py() for place in rng.sample(range(columns.count), min(2_000, columns.count))]
        ask(port, keys, pages(rng, columns, ids, 20 * options.people))  # loads code, opens the columns
        lines = [
            f"## Pages, {columns.count:,} buyers and currencies, {options.people} people at once",
            "",
            f"{describe('django', 'numpy', 'numba', 'pyarrow', 'duckdb')}; gunicorn, 2 processes of 4 threads; made ready in {made:.0f} s",
            "",
            *measured("Without a pause", server.pid, lambda: ask(port, keys, pages(rng, columns, ids, options.requests))),
            *measured(
                f"A pause of {options.pause:g} s on average before each page",
                server.pid,
                lambda: ask(port, keys, pages(rng, columns, ids, options.requests), options.pause),
            ),
        ]
        rounds = (("by the command line", 0), ("at the priority of the app's own jobs", APP_NICE)) if options.imports else ()
        for number, (how, nice) in enumerate(rounds):
            files = [invoice_list(work / f"list-{one}.csv", one) for one in range(number * options.imports, (number + 1) * options.imports)]
            imports = [[sys.executable, "-m", "duecourse", "--ledger", str(folder), "import", "--yes", str(file)] for file in files]
            lines += measured(
                f"The same while {options.imports} lists of 1,000,000 invoices are imported {how}",
                server.pid,
                lambda imports=imports, nice=nice: _while_importing(
                    imports, nice, told, lambda: ask(port, keys, pages(rng, columns, ids, options.people), options.pause)
                ),
            )
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)
    text = "\n".join(lines)
    print(text)
    if options.record:
        record(text)


def _while_importing(imports: list[list[str]], nice: int, told: dict[str, str], once: Callable[[], Answers]) -> Answers:
    """What people are answered, again and again, until the files are in, one after the other."""
    answers: Answers = {}
    for command in imports:
        running = subprocess.Popen(["nice", "-n", str(nice), *command], env=told, stdout=subprocess.DEVNULL)
        while running.poll() is None:
            for kind, rows in once().items():
                answers.setdefault(kind, []).extend(rows)
        if running.returncode:
            sys.exit(f"an import failed with status {running.returncode}")
    return answers


def _wait(port: int, server: subprocess.Popen, log: Path) -> None:
    for _ in range(600):
        if server.poll() is not None:
            sys.exit(log.read_text(encoding="utf-8"))
        probe = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            probe.request("GET", "/health/live")
            probe.getresponse().read()
        except (OSError, http.client.HTTPException):
            time.sleep(0.2)
        else:
            return
        finally:
            probe.close()
    sys.exit("the server does not answer")


if __name__ == "__main__":
    main()
