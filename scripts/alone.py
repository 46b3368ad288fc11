"""Run a command while nobody else runs one under the same lock: alone.py LOCK COMMAND...

The lock goes with the process that holds it, however that ends.
"""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path


def main(place: str, command: list[str]) -> int:
    with Path(place).open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            sys.stderr.write("Another call is setting up; waiting for it. 另一进程正在安装，请等待其完成。\n")
            fcntl.flock(lock, fcntl.LOCK_EX)
        return subprocess.call(command)  # noqa: S603 — the caller's own command


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
