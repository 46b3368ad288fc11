"""Whatever ends, is away or is full: nothing lost, nothing doubled, nothing stuck, and clear words meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import subprocess
import sys
import time

import pytest

from support.background import ASK, STATE, everything_once, files, finish, postgres_of_its_own
from support.importing import new_ledger
from support.serving import Nursery, Served, alive, children_of, kill, surroundings

about_the_ledger_alone = pytest.mark.skipif(
    os.environ.get("DUECOURSE_TEST_DATABASE") == "postgres", reason="about the ledger alone: done in the pass on SQLite"
)


@pytest.fixture
def place(tmp_path):
    """Folders of an app of the test's own."""
    (tmp_path / "home").mkdir()
    new_ledger(tmp_path / "ledger")
    return tmp_path


@pytest.fixture
def database():
    server = postgres_of_its_own()
    return server.url if server else ""


def kill_workers(place, database, kills, per_kill=1):
    random.seed(20261125)
    paths = files(place, max(4, kills * per_kill // 2))
    nursery = Nursery(place / "home", place / "ledger", database)
    try:
        asked = 0
        for _ in range(kills):
            fresh = paths[asked : asked + per_kill]
            asked += len(fresh)
            nursery.run(ASK.format(paths=fresh))
            worker = nursery.worker()
            time.sleep(random.uniform(0, 0.5))
            kill(worker)
        nursery.run(ASK.format(paths=paths))
        state = finish(nursery, 90 + 6 * kills)
    finally:
        nursery.end()
    assert [one[0] for one in state] == ["done"] * len(paths), state
    everything_once(place, paths)


def test_killed_workers_lose_nothing_and_double_nothing(place, database):
    kill_workers(place, database, kills=6)


@pytest.mark.long
def test_killed_workers_lose_nothing_and_double_nothing_two_hundred_times(place, database):
    kill_workers(place, database, kills=200)


def test_two_workers_share_the_work_and_never_do_one_task_twice(place, database):
    paths = files(place, 6)
    nursery = Nursery(place / "home", place / "ledger", database)
    try:
        nursery.run(ASK.format(paths=paths))
        others = [nursery.worker(), nursery.worker()]
        state = finish(nursery)
        for worker in others:
            kill(worker, 15)
        attempts = nursery.run(
            "from duecourse.web.jobs.models import JobRun\n"
            "result = list(JobRun.objects.filter(name='test.take_in').values_list('attempts', flat=True))"
        )
    finally:
        nursery.end()
    assert [one[:2] for one in state] == [["done", 0]] * 6
    assert attempts == [1] * 6
    everything_once(place, paths)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A server of this module's own, stopped whatever happens. A test that breaks something waits until it is whole again."""
    place = tmp_path_factory.mktemp("served")
    (place / "home").mkdir()
    postgres = postgres_of_its_own(empty=True)
    server = Served(place / "home", place / "ledger", postgres.url if postgres else "")
    server.place, server.postgres = place, postgres
    # Somebody uses it: from now on a ledger that is not there is a fault.
    server.python("from django.contrib.auth import get_user_model; get_user_model().objects.create_user('anna', 'anna@example.com', 'x')")
    yield server
    server.stop()


@pytest.mark.alike
def test_the_server_starts_again_what_was_killed_and_leaves_nothing_behind_when_it_stops(served):
    served.wait_for("/health/ready")
    before = children_of(served.process.pid)
    assert len(before) == 2
    for child in before:
        kill(child)
    give_up = time.monotonic() + 30
    while set(children_of(served.process.pid)) & set(before) or len(children_of(served.process.pid)) < 2:
        assert time.monotonic() < give_up
        time.sleep(0.1)
    served.wait_for("/health/ready")
    everyone = [served.process.pid, *children_of(served.process.pid), *(g for c in children_of(served.process.pid) for g in children_of(c))]
    assert served.stop() == 0
    assert not [pid for pid in everyone if alive(pid)]
    served.start()


def answers(port):
    """Does anybody listen there?"""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.alike
def test_a_server_that_is_killed_takes_its_children_with_it(served):
    served.wait_for("/health/ready")
    give_up, everyone = time.monotonic() + 30, []
    while len(everyone) < 4:  # the first page may be answered before the last of them has begun
        assert time.monotonic() < give_up
        children = children_of(served.process.pid)
        everyone = [*children, *(grandchild for child in children for grandchild in children_of(child))]
    served.stop(9)
    give_up = time.monotonic() + 40
    while [pid for pid in everyone if alive(pid)] or answers(served.port):  # a child may have begun another just before
        assert time.monotonic() < give_up, "some live on"
        time.sleep(0.1)
    served.start()
    served.wait_for("/health/ready")


def test_a_ledger_that_is_gone_is_named_never_begun_anew_and_back_when_it_is_back(served):
    served.wait_for("/health/ready")
    place, aside = served.place, served.place / "aside"
    (place / "ledger").rename(aside)
    try:
        told = json.loads(served.wait_for("/health/ready", 503))
        assert told["ready"] is False
        assert told["parts"]["ledger_writable"] != "ok"
        assert told["parts"]["database"] == "ok"
        assert served.get("/health/live")[0] == 200
        time.sleep(1)
        assert not (place / "ledger" / "journal").exists()
    finally:
        aside.rename(place / "ledger")
    served.wait_for("/health/ready")


def test_a_busy_port_is_refused_with_what_to_do(served):
    second = subprocess.run(
        served.command, env={**served.environment, "LANG": "en"}, capture_output=True, text=True, check=False, timeout=60
    )
    assert second.returncode == 2
    assert f"--port {served.port + 1}" in second.stderr


def test_the_log_has_a_line_a_request_without_what_was_asked(served):
    served.get("/account/login/?next=/buyers/secret-customer/&token=abc")
    served.get("/buyers/another-secret/")
    time.sleep(0.3)
    lines = [json.loads(line) for line in served.log.read_text().splitlines() if line.startswith("{")]
    asked = [line for line in lines if line["event"] == "request" and line["route"] == "account_login"]
    assert asked
    assert {"status", "ms", "request_id", "method"} <= set(asked[-1])
    assert "secret" not in served.log.read_text()
    assert "abc" not in served.log.read_text()


def test_metrics_count_over_all_processes_and_are_for_this_machine_only(served):
    import urllib.error
    import urllib.request

    def counted():
        told = served.get("/metrics")[1]
        assert "duecourse_ledger_version" in told
        lines = [line for line in told.splitlines() if line.startswith("duecourse_request_seconds_count")]
        return sum(float(line.rpartition(" ")[2]) for line in lines if 'route="account_login"' in line)

    before = counted()
    for _ in range(20):
        served.get("/account/login/")
    assert counted() - before == 20
    through = urllib.request.Request(served.url + "/metrics", headers={"X-Forwarded-For": "203.0.113.9"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(through)
    assert refused.value.code == 403
    refused.value.close()


def test_a_database_that_is_away_is_named_and_all_goes_on_when_it_is_back(served):
    """PostgreSQL stopped and started; SQLite's file moved out of reach and back."""
    served.wait_for("/health/ready")
    with database_away(served):
        told = json.loads(served.wait_for("/health/ready", 503))
        assert told["parts"]["database"] != "ok"
        status, page = served.get("/", timeout=60)
        if status != 302:  # without a session nobody needs the database
            assert status == 503
        status, page = served.get_as_somebody("/")
        assert status == 503
        assert "database does not answer" in page
        assert "Traceback" not in page
    served.wait_for("/health/ready")
    assert served.get_as_somebody("/")[0] in (200, 302)


@contextlib.contextmanager
def database_away(served):
    if served.postgres:
        served.postgres.stop()
        try:
            yield
        finally:
            served.postgres.start()
        return
    file = served.place / "home" / "desk.sqlite3"
    for part in served.place.glob("home/desk.sqlite3*"):
        part.rename(part.with_name("away-" + part.name))
    file.mkdir()  # whoever opens it finds no database
    try:
        yield
    finally:
        file.rmdir()
        for part in served.place.glob("home/away-*"):
            part.rename(part.with_name(part.name.removeprefix("away-")))


@about_the_ledger_alone
def test_a_full_disk_and_a_read_only_ledger_are_named_and_recovered_from(tmp_path):
    """A server whose ledger lies on a disk of 24 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)], check=False).returncode:
        pytest.skip("NOT TESTED: a full disk (mounting a small one needs root)")
    nursery = None
    try:
        (tmp_path / "home").mkdir()
        new_ledger(disk / "ledger")
        paths = files(tmp_path, 2)
        nursery = Nursery(tmp_path / "home", disk / "ledger")
        filler = disk / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while file.write(b"0" * 4096):
                pass
        nursery.run(ASK.format(paths=paths[:1]))
        worker = nursery.worker()
        state = until(nursery, lambda state: state and state[0][2] > 0)
        assert state[0][0] == "waiting", "it is tried again"
        assert "full" in state[0][3], state
        assert nursery.run(PARTS)["ledger_writable"], "readiness says so"
        filler.unlink()
        assert until(nursery, lambda state: state[0][0] == "done")

        remounted(disk, "ro")
        nursery.run(ASK.format(paths=paths[1:]))
        state = until(nursery, lambda state: state[1][2] > 0)
        assert state[1][0] == "waiting"
        assert state[1][3], "with a sentence"
        assert nursery.run(PARTS)["ledger_writable"]
        remounted(disk, "rw")
        assert until(nursery, lambda state: state[1][0] == "done")
        kill(worker, 15)
        everything_once(disk, paths)
    finally:
        if nursery is not None:
            nursery.end()
        subprocess.run(["umount", "-l", str(disk)], check=False)


def remounted(disk, how):
    """The disk, from now on only to read or to write again. While a worker is writing, the system refuses: try again."""
    for _ in range(100):
        if not subprocess.run(["mount", "-o", f"remount,bind,{how}", str(disk)], check=False, capture_output=True).returncode:
            return
        time.sleep(0.1)
    pytest.fail(f"the disk could not be made {how}")


PARTS = "from duecourse.web.health import parts\nresult = parts()"


def until(nursery, true, seconds=120):
    """Wait until something is true of the runs; the runs. A waiting one need not sit out its back-off."""
    give_up = time.monotonic() + seconds
    while not true(state := nursery.run(STATE)):
        assert time.monotonic() < give_up, state
        time.sleep(0.2)
    return state


READER = """
import os, sys
from duecourse.desk.opening import open_ledger
from duecourse.ledger.store import Ledger
import datetime as dt
ledger = open_ledger(sys.argv[1], threads=1)
seen = 0
print("ready", flush=True)
while not os.path.exists(sys.argv[2]):
    ledger.refresh()
    book = ledger.as_of(dt.date(2099, 1, 1))
    rows = book.run(book.invoice.select("amount_minor")).num_rows
    assert rows == int(sys.argv[3]), rows
    seen += 1
print(seen, ledger.version, flush=True)
"""


@about_the_ledger_alone
def test_readers_in_other_processes_read_on_while_the_ledger_is_compacted(tmp_path):
    from support.ledgers import add, invoice

    ledger = new_ledger(tmp_path / "ledger")
    for turn in range(6):
        add(ledger, [invoice(turn * 500 + n) for n in range(500)])
    environment = surroundings(tmp_path / "home", tmp_path / "ledger")
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, str(tmp_path / "ledger"), str(tmp_path / "stop"), "3000"],
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        for _ in range(2)
    ]
    for reader in readers:
        assert reader.stdout.readline() == "ready\n"
    for turn in range(3):
        ledger.compact()
        add(ledger, [{**invoice(0), "text": f"turn {turn}"}])
    time.sleep(1)
    (tmp_path / "stop").touch()
    for reader in readers:
        seen, version = map(int, reader.communicate(timeout=60)[0].split())
        assert reader.returncode == 0
        assert seen > 1
        assert version > 6
