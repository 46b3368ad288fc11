"""The same ledger on an object store: a local S3 server, on loopback, for the length of the test."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
import time
import uuid

import boto3
import pytest

from duecourse.errors import LedgerBusyError
from duecourse.ledger.store import Ledger
from support.ledgers import ENGINE, add, invoice, totals


@pytest.fixture(scope="module")
def server():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # A process of its own: some calls of the Delta library hold this one's interpreter lock while they wait for an answer.
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    for _ in range(300):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            break
        time.sleep(0.1)
    yield f"http://127.0.0.1:{port}"
    process.kill()
    process.wait()


@pytest.fixture
def place(server, monkeypatch):
    bucket = f"ledger-{uuid.uuid4().hex[:8]}"
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    boto3.client("s3", endpoint_url=server, region_name="us-east-1", **keys).create_bucket(Bucket=bucket)
    options = {
        "AWS_ENDPOINT_URL": server,
        "AWS_ALLOW_HTTP": "true",
        "timeout": "20s",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    return f"s3://{bucket}/firm", options


def test_it_keeps_a_ledger(place):
    url, options = place
    ledger = Ledger.open(url, engine=ENGINE, create=True, storage_options=options)
    add(ledger, [invoice(n) for n in range(20)])
    known = ledger.journal()[-1].recorded_at
    result = add(ledger, [invoice(0, 1), invoice(1), invoice(50)])
    assert (result.added["invoice"], result.corrected["invoice"], result.unchanged["invoice"]) == (1, 1, 1)
    assert totals(ledger) == (21, 2001)
    ledger.compact()
    again = Ledger.open(url, engine=ENGINE, storage_options=options)
    assert totals(again) == (21, 2001)
    assert totals(again, known_at=known) == (20, 2000)
    again.restore(1)
    assert totals(again) == (20, 2000)


def test_two_writers_at_once_both_arrive(place):
    url, options = place
    Ledger.open(url, engine=ENGINE, create=True, storage_options=options)
    errors: list[Exception] = []

    def write(start: int) -> None:
        try:
            ledger = Ledger.open(url, engine=ENGINE, storage_options=options)
            for turn in range(3):
                add(ledger, [invoice(start + turn)])
        except Exception as error:  # noqa: BLE001 — shown below
            errors.append(error)

    threads = [threading.Thread(target=write, args=(start,)) for start in (0, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert totals(Ledger.open(url, engine=ENGINE, storage_options=options)) == (6, 600)


def test_a_lease_whose_holder_died_runs_out(place, monkeypatch):
    url, options = place
    ledger = Ledger.open(url, engine=ENGINE, create=True, storage_options=options)
    monkeypatch.setattr("duecourse.ledger.storage.LEASE_SECONDS", 2)
    dead = ledger.storage.writing(5)
    dead.__enter__()  # and never comes back
    with pytest.raises(LedgerBusyError), ledger.storage.writing(0.3):
        pass
    add(ledger, [invoice(1)])
    assert totals(ledger) == (1, 100)
