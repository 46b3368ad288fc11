"""How fast is an order checked and its headroom reserved, beside pgbench's simple-update on the same server in the same run?

    .venv/bin/python benchmarks/order_check.py [--seconds 15] [--clients 8] [--accounts 100000] [--http]

A PostgreSQL server of its own is started with its usual durable settings (fsync on, synchronous_commit on). pgbench and our clients are
run in turn, twice, each with the same number of clients; a client here is a process that calls `orders.taking.take` in a loop, as a worker
of the server does. Orders are spread evenly over the buyers, each in a group with a limit of its own, so that each takes two accounts.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

import psycopg

from support.postgres import Postgres

GROUP = 4


class Durable(Postgres):
    """The same server as it would run in a firm."""

    def start(self) -> None:
        options = ["max_connections=120", "shared_buffers=256MB", "max_wal_size=2GB"]
        command = [self.bin / "postgres", "-D", self.folder / "data", "-h", "127.0.0.1", "-p", str(self.port), "-k", self.folder]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *(word for option in options for word in ("-c", option))], stdout=log, stderr=log, cwd="/",
                env={"PATH": os.environ["PATH"], "TZ": "UTC"}, **self.user,
            )  # fmt: skip
        for _ in range(300):
            try:
                self.run("SELECT 1")
            except psycopg.OperationalError:
                time.sleep(0.1)
            else:
                return
        raise RuntimeError((self.folder / "log").read_text()[-500:])


def prepare(accounts: int, *, grouped: bool) -> None:
    """Accounts by SQL: a hundred thousand of them in a second."""
    import datetime as dt

    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from duecourse.web.accounts.models import Person
    from duecourse.web.orders.models import Picture, RuleSet

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    Person.objects.create(username="erp", email="erp@example.com", role="credit_manager")
    rules = RuleSet.objects.create(digest="x", body={})
    now = dt.datetime.now(dt.UTC)
    Picture.objects.create(rules=rules, ledger_version=1, data_as_of=now, book_on=now.date(), live=True, base_currency="CNY")
    insert = """INSERT INTO orders_creditaccount (kind, key, entity, name, currency, scaled, granted, clear, ceiling, note_above, exposure, reserved,
        links, facts, ledger_version) SELECT %s, %s || n, '', 'Buyer ' || n, 'CNY', 1000000000000, true, true, 1000000000000, 800000000000, 0, 0,
        {links}, jsonb_build_object('kind', %s, 'key', %s || n, 'currency', 'CNY', 'scaled', 1000000000000, 'limit_minor', 1000000000000,
        'receivables_minor', 0), 1 FROM generate_series(0, %s) n"""
    links = f"jsonb_build_array(jsonb_build_object('id', n / {GROUP} + 1, 'entity', ''))" if grouped else "'[]'::jsonb"
    with connection.cursor() as cursor:
        cursor.execute(insert.format(links="'[]'::jsonb"), ["group", "G", "group", "G", accounts // GROUP - 1])
        cursor.execute(insert.format(links=links), ["buyer", "B", "buyer", "B", accounts - 1])
    raw = connection.connection
    connection.ensure_connection()
    raw = connection.connection
    raw.autocommit = True
    raw.execute("VACUUM ANALYZE")
    connection.close()


def client(number: int, accounts: int, seconds: float, mark: str, queue: multiprocessing.Queue) -> None:
    """One worker, asking as fast as it is answered."""
    import random

    import django

    django.setup()
    from duecourse.web.orders import picture
    from duecourse.web.orders.taking import Asked, take

    chance, turn, times = random.Random(f"{mark} {number}"), 0, []
    take("ask", Asked("warm", "B0", "CNY", 100), picture.drawn())
    give_up = time.perf_counter() + seconds
    while (began := time.perf_counter()) < give_up:
        asked = Asked(f"{mark}-{number}-{turn}", f"B{chance.randrange(accounts)}", "CNY", 1_000)
        taken = take("reserve", asked, picture.drawn(), person_id=1, key=asked.order_id, digest="x" * 64)
        assert taken.outcome == "release"
        times.append(time.perf_counter() - began)
        turn += 1
    queue.put(times)


def caller(number: int, port: int, token: str, accounts: int, seconds: float, mark: str, queue: multiprocessing.Queue) -> None:
    """One ERP connection over HTTP, kept open."""
    import http.client
    import random

    chance, turn, times = random.Random(f"{mark} {number}"), 0, []
    link = http.client.HTTPConnection("127.0.0.1", port)
    give_up = time.perf_counter() + seconds
    while (began := time.perf_counter()) < give_up:
        body = json.dumps(
            {"order_id": f"{mark}-{number}-{turn}", "buyer_id": f"B{chance.randrange(accounts)}", "amount": "10.00", "currency": "CNY"}
        )
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Idempotency-Key": f"{mark}-{number}-{turn}"}
        link.request("POST", "/api/v1/order-checks", body, headers)
        answer = link.getresponse()
        told = answer.read()
        assert answer.status == 201, told
        times.append(time.perf_counter() - began)
        turn += 1
    queue.put(times)


def crowd(target: object, clients: int, *args: object) -> tuple[float, list[float]]:
    """Run so many clients at once: orders a second, and the time of each."""
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    running = [context.Process(target=target, args=(number, *args, queue)) for number in range(clients)]
    for one in running:
        one.start()
    times = sorted(second for _ in running for second in queue.get())
    for one in running:
        one.join()
        assert one.exitcode == 0
    seconds = next(value for value in args if isinstance(value, float))
    return len(times) / seconds, times


def pgbench(server: Postgres, clients: int, seconds: float, threads: int) -> tuple[float, float]:
    """Transactions a second and mean latency (ms) of the built-in simple-update."""
    command = [server.bin / "pgbench", "-h", "127.0.0.1", "-p", str(server.port), "-U", "duecourse", "-c", str(clients), "-j", str(threads)]
    told = subprocess.run([*command, "-N", "-n", "-T", str(int(seconds)), "bench"], capture_output=True, text=True, check=True).stdout
    rate, latency = re.search(r"tps = ([0-9.]+)", told), re.search(r"latency average = ([0-9.]+)", told)
    assert rate, told
    assert latency, told
    return float(rate[1]), float(latency[1])


def percentiles(times: list[float]) -> str:
    return f"p50 {times[len(times) // 2] * 1000:.2f} ms, p99 {times[int(len(times) * 0.99)] * 1000:.2f} ms, worst {times[-1] * 1000:.1f} ms"


def over_http(arguments: argparse.Namespace, env: dict[str, str], port: int) -> None:
    import django

    django.setup()
    from datetime import timedelta

    from django.db import connection
    from django.utils import timezone

    from duecourse.desk.opening import open_ledger
    from duecourse.web.accounts.models import ApiKey, Person

    open_ledger(env["DUECOURSE_LEDGER"], create=True)
    _key, token = ApiKey.make(Person.objects.get(), "bench", ["check", "read"], timezone.now() + timedelta(days=1))
    connection.close()
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "duecourse.web.wsgi:application",
        "-b",
        f"127.0.0.1:{port}",
        "-k",
        "gthread",
        "-w",
        "2",
        "--threads",
        "4",
    ]
    server = subprocess.Popen([*command, "--keep-alive", "60"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        import socket

        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        crowd(caller, arguments.clients, port, token, arguments.accounts, 10.0, "warm")  # both workers load the app at their first request
        rate, times = crowd(caller, arguments.clients, port, token, arguments.accounts, float(arguments.seconds), "http")
        print(f"over HTTP            {rate:8.0f} orders/s   {percentiles(times)}")
    finally:
        server.terminate()
        server.wait(20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--single", action="store_true", help="buyers without a group: one account an order")
    parser.add_argument("--http", action="store_true", help="over HTTP too")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="duecourse-bench-"))
    server = Durable()
    os.environ |= {
        "DUECOURSE_HOME": str(folder / "home"), "DUECOURSE_LEDGER": str(folder / "ledger"), "DUECOURSE_DATABASE": server.url, "DUECOURSE_API_RATE": "100000000",
        "DUECOURSE_SECRET_KEY": "x", "DJANGO_SETTINGS_MODULE": "duecourse.web.settings", "PYTHONPATH": str(ROOT / "src"), "DUECOURSE_LOG": "json",
    }  # fmt: skip
    try:
        made = multiprocessing.get_context("fork").Process(
            target=prepare, args=(arguments.accounts,), kwargs={"grouped": not arguments.single}
        )
        made.start()
        made.join()
        assert made.exitcode == 0
        server.run("CREATE DATABASE bench")
        subprocess.run(
            [server.bin / "pgbench", "-h", "127.0.0.1", "-p", str(server.port), "-U", "duecourse", "-i", "-q", "-s", "1", "bench"],
            check=True, capture_output=True,
        )  # fmt: skip
        print(
            f"{arguments.clients} clients, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {1 if arguments.single else 2} accounts an order"
        )
        ratios = []
        for turn in (1, 2):
            base, latency = pgbench(server, arguments.clients, arguments.seconds, 2)
            rate, times = crowd(client, arguments.clients, arguments.accounts, float(arguments.seconds), f"t{turn}")
            ratios.append(rate / base)
            print(f"pgbench simple-update{base:8.0f} tx/s       mean {latency:.2f} ms")
            print(f"take and reserve     {rate:8.0f} orders/s   {percentiles(times)}   {rate / base:.2f} x pgbench")
        print(f"mean of the runs     {sum(ratios) / len(ratios):.2f} x pgbench (goal 0.50)")
        if arguments.http:
            from support.postgres import free_port

            over_http(arguments, dict(os.environ), free_port())
    finally:
        server.remove()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
