"""A backup holds everything as it belongs together, also while people work; a restore brings it back or touches nothing."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
import threading

import pytest

from support.background import ASK, STATE, everything_once, files, finish, postgres_of_its_own
from support.importing import invoices, new_ledger
from support.serving import Nursery, kill, surroundings

COUNT = "from duecourse.web.jobs.models import JobRun\nresult = JobRun.objects.count()"
MAKE = "from duecourse.web.jobs.models import JobRun\n[JobRun.objects.create(name='test.note', key=str(n)) for n in range({first}, {last})]\nresult = 1"


KEEP = """
from pathlib import Path
from duecourse.errors import DuecourseError
from duecourse.web.safekeeping import {do} as keep
try:
    result = keep(Path({file!r}), **{options!r})["ledger"]["version"]
except DuecourseError as error:
    result = str(error)
"""


class App:
    """One installation: a ledger, a home, a database."""

    def __init__(self, place, server):
        self.place, self.home, self.ledger, self.server = place, place / "home", place / "ledger", server
        self.home.mkdir(parents=True)
        new_ledger(self.ledger)
        self.nursery = Nursery(self.home, self.ledger, server.url if server else "")
        self.run = self.nursery.run
        (self.home / "uploads").mkdir(exist_ok=True)
        (self.home / "uploads" / "abc").write_bytes(b"bytes of an upload")

    def backup(self, file, **options):
        return self.run(KEEP.format(do="backup", file=str(file), options=options))

    def restore(self, file, **options):
        return self.run(KEEP.format(do="restore", file=str(file), options=options))

    def command(self, *words):
        environment = surroundings(self.home, self.ledger, self.server.url if self.server else "", LANG="en")
        return subprocess.run(
            [sys.executable, "-m", "duecourse", "--ledger", str(self.ledger), *words],
            env=environment, capture_output=True, text=True, check=False, timeout=180,
        )  # fmt: skip


@pytest.fixture
def app(tmp_path):
    made = App(tmp_path / "app", postgres_of_its_own())
    yield made
    made.nursery.end()


def test_everything_comes_back_as_it_was_and_what_was_there_is_moved_aside(app, tmp_path):
    from support.ledgers import add, invoice

    ledger = new_ledger(app.ledger)
    add(ledger, [invoice(n) for n in range(50)])
    app.run(MAKE.format(first=0, last=20))
    file = tmp_path / "backup.tar"
    assert app.backup(file) == 1
    assert file.stat().st_mode & 0o077 == 0
    add(ledger, [invoice(n) for n in range(50, 90)])
    app.run(MAKE.format(first=20, last=33))
    (app.home / "uploads" / "abc").write_bytes(b"changed")

    assert "--force" in app.restore(file), "what is there is not overwritten unasked"
    assert app.run(COUNT) == 33
    assert app.restore(file, force=True) == 1
    assert app.run(COUNT) == 20
    assert len(invoices(new_ledger(app.ledger))) == 50
    assert (app.home / "uploads" / "abc").read_bytes() == b"bytes of an upload"
    assert list(app.place.glob("ledger.before-*"))
    assert list(app.place.glob("home.before-*"))
    app.run(MAKE.format(first=100, last=101))  # numbers go on after those restored
    add(new_ledger(app.ledger), [invoice(n) for n in range(50, 60)])


def test_it_can_be_restored_on_a_new_machine(app, tmp_path):
    app.run(MAKE.format(first=0, last=5))
    file = tmp_path / "backup.tar"
    made = app.command("backup", str(file))
    assert (made.returncode, "version 0" in made.stderr) == (0, True)
    shutil.rmtree(app.ledger)
    shutil.rmtree(app.home)
    if app.server:
        app.server.run("DROP DATABASE duecourse")
        app.server.run("CREATE DATABASE duecourse")
    app.home.mkdir()
    assert app.command("restore", str(file)).returncode == 0
    assert app.run(COUNT) == 5
    assert new_ledger(app.ledger).version == 0


def test_a_damaged_backup_is_refused_and_nothing_is_touched(app, tmp_path):
    app.run(MAKE.format(first=0, last=5))
    whole = tmp_path / "backup.tar"
    app.backup(whole)
    data = bytearray(whole.read_bytes())
    cut, changed, odd = tmp_path / "cut.tar", tmp_path / "changed.tar", tmp_path / "odd.tar"
    cut.write_bytes(data[: len(data) // 2])
    data[data.index(b"bytes of an upload")] ^= 1
    changed.write_bytes(data)
    with tarfile.open(odd, "w") as tar:
        tar.add(whole, "../outside")
    for file, words in ((cut, ""), (changed, "is not what was backed up"), (odd, "no backup holds")):
        assert words in app.restore(file, force=True)
        assert app.run(COUNT) == 5
    assert not list(app.place.glob("*.before-*"))
    assert not list(app.place.glob(".duecourse-*")), "nothing is left lying about"


def test_a_backup_taken_while_imports_run_is_one_moment_of_both(app, tmp_path):
    """What the database says was done is in the ledger; what it says waits can be done again and counts once."""
    paths = files(app.place, 6)
    file = tmp_path / "backup.tar"
    app.run(ASK.format(paths=paths))
    second = Nursery(app.home, app.ledger, app.server.url if app.server else "")
    taking = threading.Thread(target=lambda: second.run(KEEP.format(do="backup", file=str(file), options={})))
    worker = app.nursery.worker()
    taking.start()
    finish(app.nursery)
    taking.join()
    kill(worker, 15)
    second.end()
    with tarfile.open(file) as tar:
        manifest = json.loads(tar.extractfile("manifest.json").read())
    app.restore(file, force=True)
    assert new_ledger(app.ledger).version == manifest["ledger"]["version"]
    brought = {row.file_name for row in new_ledger(app.ledger).journal() if row.kind == "import"}
    for path, state in zip(paths, app.run(STATE), strict=True):
        if state[0] == "done":
            assert path.rpartition("/")[2] in brought
    assert [one[0] for one in finish(app.nursery)] == ["done"] * 6
    everything_once(app.place, paths)


def test_a_served_app_is_not_restored_under_peoples_feet(app, tmp_path):
    import fcntl

    file = tmp_path / "backup.tar"
    app.backup(file)
    with (app.home / ".serving").open("wb") as mark:
        fcntl.flock(mark, fcntl.LOCK_SH)
        assert isinstance(app.restore(file, force=True), str)
    assert app.restore(file, force=True) == 0
