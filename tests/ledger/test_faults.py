"""What happens when the machine, the disk or another process does its worst."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pyarrow as pa
import pytest

from duecourse.errors import DiskFullError, LedgerReadOnlyError
from duecourse.ledger.store import Ledger
from support.ledgers import ENGINE, add, invoice, totals

WRITER = """
import sys
from support.ledgers import ENGINE, add, invoice
from duecourse.ledger.store import Ledger
ledger = Ledger.open(sys.argv[1], engine=ENGINE)
print("ready", flush=True)
for turn in range(100):
    add(ledger, [invoice(turn * 100 + n) for n in range(100)])
    add(ledger, [{"settlement_id": f"s{turn}-{n}", "kind": "cash", "buyer_id": "b", "amount_minor": 1, "currency": "CNY",
                  "settle_date": invoice(1)["issue_date"]} for n in range(100)], entry="settlement")
    if turn % 7 == 6:
        ledger.compact()
"""


def start_writer(ledger_path):
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, [os.path.dirname(os.path.dirname(__file__)), os.environ.get("PYTHONPATH")]))
    }
    return subprocess.Popen([sys.executable, "-c", WRITER, str(ledger_path)], stdout=subprocess.PIPE, env=environment)


def kill_at_random_points(tmp_path, rounds: int) -> None:
    random.seed(20261123)
    path = tmp_path / "ledger"
    Ledger.open(path, engine=ENGINE, create=True)
    for _ in range(rounds):
        process = start_writer(path)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(random.uniform(0, 0.8))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        ledger = Ledger.open(path, engine=ENGINE)
        count, total = totals(ledger)
        # Whole batches only, each exactly once, and the journal agrees with the tables.
        assert count % 100 == 0
        assert total == count * 100
        assert count == sum(row.counts.get("invoice", {}).get("added", 0) for row in ledger.journal())
    add(ledger, [invoice(turn * 100 + n) for turn in range(100) for n in range(100)])
    assert totals(ledger) == (10_000, 1_000_000)


def test_a_killed_writer_leaves_whole_batches(tmp_path):
    kill_at_random_points(tmp_path, rounds=5)


@pytest.mark.long
def test_a_killed_writer_leaves_whole_batches_fifty_times(tmp_path):
    kill_at_random_points(tmp_path, rounds=50)


def _write_range(path, start, batches):
    ledger = Ledger.open(path, engine=type(ENGINE)(threads=1))
    for number in range(batches):
        add(ledger, [invoice(start + number * 10 + n) for n in range(10)])


def test_several_processes_write_at_once_and_all_arrives(ledger, tmp_path):
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_write_range, args=(tmp_path / "ledger", start, 5)) for start in (0, 1000, 2000)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    ledger.refresh()
    assert totals(ledger) == (150, 15_000)
    assert ledger.version == 15
    assert [row.version for row in ledger.journal()] == list(range(16))


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 6 MB."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("NOT TESTED: a full disk (mounting a small one needs root)")
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(place)], check=False, capture_output=True).returncode:
        pytest.skip("NOT TESTED: a full disk (this machine does not let us mount one)")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_is_named_and_nothing_is_damaged(small_disk):
    ledger = Ledger.open(small_disk / "ledger", engine=ENGINE, create=True)
    add(ledger, [invoice(n) for n in range(100)])
    big = [{**invoice(n), "text": os.urandom(300).hex()} for n in range(1000, 21_000)]
    with pytest.raises(DiskFullError, match="Nothing was added"):
        add(ledger, big)
    assert totals(Ledger.open(small_disk / "ledger", engine=ENGINE)) == (100, 10_000)
    add(ledger, [invoice(200)])
    assert totals(ledger) == (101, 10_100)


def test_a_disk_that_fills_up_during_the_commit_leaves_the_ledger_whole(small_disk):
    ledger = Ledger.open(small_disk / "ledger", engine=ENGINE, create=True)
    add(ledger, [invoice(n) for n in range(100)])
    filler = small_disk / "filler"
    with pytest.raises(DiskFullError), ledger.draft() as batch:
        batch.put("invoice", pa.Table.from_pylist([invoice(n) for n in range(500, 600)]))
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while file.write(b"0" * 4096):
                pass
        batch.commit()
    assert totals(Ledger.open(small_disk / "ledger", engine=ENGINE)) == (100, 10_000)
    filler.unlink()
    add(ledger, [invoice(n) for n in range(500, 600)])
    assert totals(ledger) == (200, 20_000)


def test_a_read_only_ledger_opens_and_says_why_it_cannot_be_written(ledger, tmp_path):
    add(ledger, [invoice(1)])
    place = tmp_path / "read-only"
    place.mkdir()
    if os.geteuid() == 0:
        if subprocess.run(
            ["mount", "--bind", "-o", "ro", str(tmp_path / "ledger"), str(place)], check=False, capture_output=True
        ).returncode:
            pytest.skip("NOT TESTED: a read-only ledger (this machine does not let us mount one)")
        # Older kernels ignore `ro` on the first bind.
        subprocess.run(["mount", "-o", "remount,bind,ro", str(place)], check=False, capture_output=True)
    else:
        shutil.copytree(tmp_path / "ledger", place, dirs_exist_ok=True)
        for folder, _, _ in os.walk(place):
            os.chmod(folder, 0o555)
    try:
        reader = Ledger.open(place, engine=ENGINE)
        assert totals(reader) == (1, 100)
        with pytest.raises(LedgerReadOnlyError, match="read-only"):
            add(reader, [invoice(2)])
        assert totals(Ledger.open(place, engine=ENGINE)) == (1, 100)
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", "-l", str(place)], check=True)
        else:
            for folder, _, _ in os.walk(place):
                os.chmod(folder, 0o755)
