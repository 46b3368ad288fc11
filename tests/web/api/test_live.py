"""The API as other systems meet it: a server of two processes, sixty-four clients at once, the example client, and a machine that tries everything."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from duecourse.desk.opening import open_ledger
from support.serving import Served, children_of, kill

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
CLIENTS = 64

KEY = """
from datetime import timedelta
from django.utils import timezone
from duecourse.web.accounts.models import ApiKey, Person
person, _made = Person.objects.get_or_create(username="api-test", defaults={"role": "admin", "email": "api-test@example.com"})
print(ApiKey.make(person, "live", ["read", "import", "settings"], timezone.now() + timedelta(days=1))[1])
"""


class Live:
    def __init__(self, served: Served, place: Path) -> None:
        self.served, self.place = served, place
        self.key = served.python(KEY).strip().splitlines()[-1]
        self.headers = {"Authorization": f"Bearer {self.key}"}

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=f"{self.served.url}/api/v1", headers=self.headers, timeout=120)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, demo_ledger: Path) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("live")
    shutil.copytree(demo_ledger, folder / "ledger", ignore=shutil.ignore_patterns(".desk", ".answers"))
    served = Served(
        folder / "home", folder / "ledger", "", "--workers", "2", "--threads", "16", "--no-worker", DUECOURSE_API_RATE="1000000"
    )
    yield Live(served, folder / "ledger")
    served.stop()


def invoice(number: str) -> dict[str, str]:
    return {
        "invoice_id": number,
        "buyer_id": "many",
        "issue_date": "2025-03-01",
        "due_date": "2025-04-01",
        "amount": "1.00",
        "currency": "CNY",
    }


def in_ledger(place: Path, prefix: str) -> list[str]:
    ledger = open_ledger(place)
    book = ledger.as_of(__import__("datetime").date(2025, 12, 31))
    rows = book.run(book.invoice.filter(book.invoice.invoice_id.startswith(prefix)).select("invoice_id"))
    return sorted(rows["invoice_id"].to_pylist())


@pytest.mark.parametrize("posts", [1, pytest.param(20, marks=pytest.mark.long)])
def test_sixty_four_writers_at_once_lose_nothing_and_none_starves(live, posts):
    prefix, answers, waits = f"W{uuid.uuid4().hex[:6]}-", [], []

    def write(number: int) -> None:
        with live.client() as client:
            for turn in range(posts):
                began = time.monotonic()
                while True:
                    key = f"{prefix}{number}-{turn}"
                    answer = client.post("/invoices", json=invoice(key), headers={"Idempotency-Key": key})
                    if answer.status_code not in (409, 429, 503):
                        break
                    time.sleep(float(answer.headers.get("Retry-After", 1)))
                waits.append(time.monotonic() - began)
                answers.append((answer.status_code, answer.json().get("added"), key))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(CLIENTS)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - began
    assert {answer[:2] for answer in answers} == {(201, 1)}
    assert in_ledger(live.place, prefix) == sorted(answer[2] for answer in answers)
    assert len(answers) == CLIENTS * posts
    waits.sort()
    print(f"{len(answers) / took:.0f} posts a second, median {waits[len(waits) // 2]:.2f} s, longest {waits[-1]:.2f} s")
    assert waits[-1] < 110, "somebody starves"


@pytest.mark.parametrize("kills", [1, pytest.param(25, marks=pytest.mark.long)])
def test_a_server_killed_while_it_writes_loses_nothing_that_was_answered_and_doubles_nothing(live, kills):
    prefix, told, ends = f"K{uuid.uuid4().hex[:6]}-", set(), threading.Event()

    def write(number: int) -> None:
        turn = 0
        with live.client() as client:
            while not ends.is_set():
                key = f"{prefix}{number}-{turn}"
                try:
                    answer = client.post("/invoices", json=invoice(key), headers={"Idempotency-Key": key})
                except httpx.TransportError:
                    time.sleep(0.1)
                    continue  # the same again, under the same key
                if answer.status_code in (200, 201):
                    assert answer.json()["added"] == 1
                    told.add(key)
                    turn += 1
                else:
                    assert answer.status_code in (409, 503), answer.text
                    time.sleep(0.2)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for number in range(kills):
        time.sleep(1.5 + number % 5 * 0.13)
        servers = [pid for child in children_of(live.served.process.pid) for pid in children_of(child)]
        for pid in servers:
            kill(pid, signal.SIGKILL)
    time.sleep(3)
    ends.set()
    for thread in threads:
        thread.join()
    found = in_ledger(live.place, prefix)
    assert len(found) == len(set(found))
    assert told <= set(found)
    assert told


def test_the_example_client_runs(live):
    environment = {**os.environ, "DUECOURSE_URL": live.served.url, "DUECOURSE_KEY": live.key}
    example = ROOT / "docs" / "examples" / "api_client.py"
    assert len(example.read_text().splitlines()) <= 60
    done = subprocess.run([sys.executable, str(example)], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "'added': 1" in done.stdout
    assert "'overdue': '1250.00'" in done.stdout
    assert "1 invoices" in done.stdout
    again = subprocess.run([sys.executable, str(example)], env=environment, capture_output=True, text=True, check=True)
    assert "'unchanged': 1" in again.stdout
