"""`./run` and `./test` at once in one checkout: one sets up, the other waits."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ALONE = ROOT / "scripts" / "alone.py"
STEP = """
import sys, time, pathlib
log, go = map(pathlib.Path, sys.argv[1:])
log.open("a").write("in ")
while not go.exists():
    time.sleep(0.02)
log.open("a").write("out ")
"""


def begin(lock, *command):
    return subprocess.Popen([sys.executable, str(ALONE), str(lock), sys.executable, "-c", *command], stderr=subprocess.PIPE, text=True)


def wait_for(condition):
    give_up = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def test_two_that_set_up_at_once_do_so_one_after_the_other(tmp_path):
    log, go, lock = (tmp_path / name for name in ("log", "go", "lock"))
    first = begin(lock, STEP, str(log), str(go))
    wait_for(log.exists)
    second = begin(lock, STEP, str(log), str(go))
    assert "waiting" in second.stderr.readline()
    go.touch()
    for one in (first, second):
        one.communicate(timeout=60)
        assert one.returncode == 0
    assert log.read_text() == "in out in out "


def test_the_lock_goes_with_whoever_held_it_and_the_outcome_is_the_command_s(tmp_path):
    log, lock = tmp_path / "log", tmp_path / "lock"
    holder = begin(lock, "import sys, pathlib, time; pathlib.Path(sys.argv[1]).touch(); time.sleep(1)", str(log))
    wait_for(log.exists)
    holder.kill()
    holder.communicate()
    after = begin(lock, "raise SystemExit(7)")
    after.communicate(timeout=60)
    assert after.returncode == 7


def test_what_is_set_up_already_is_left_alone(tmp_path):
    """A checkout whose stamp says that it holds what is wanted: neither a lock nor an installer is asked for."""
    for name in ("uv.lock", "pyproject.toml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "duecourse").write_text("#!/bin/sh\n")
    (tmp_path / ".venv" / "bin" / "duecourse").chmod(0o755)
    ask = 'here=$1; . "$2/scripts/set-up.sh"; group=$3; if is_set_up; then echo yes; else echo "no: $wanted"; fi'

    def asked(group):
        return subprocess.run(["sh", "-euc", ask, "-", str(tmp_path), str(ROOT), group], capture_output=True, text=True, check=True).stdout

    wanted = asked("dev").removeprefix("no: ")
    assert wanted.rstrip().endswith(" dev")
    (tmp_path / ".venv" / ".set-up").write_text(wanted)
    assert asked("dev") == "yes\n"
    assert asked("") == "yes\n"  # what is set up for development also serves the product
    (tmp_path / "uv.lock").write_text("changed")
    assert asked("dev").startswith("no: ")
