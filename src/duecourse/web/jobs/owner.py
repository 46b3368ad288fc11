"""Who holds a lease, so that others on the same machine can see at once that the holder is dead."""

from __future__ import annotations

import os
import secrets
from functools import cache
from pathlib import Path


def _place() -> str:
    """Names the set of processes whose ids mean the same: this boot of this kernel, this process namespace."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}:{os.readlink('/proc/self/ns/pid')}"  # noqa: PTH115 — the link leads nowhere
    except OSError:
        return secrets.token_hex(8)  # no such knowledge here: leases run out by time alone


def _born(pid: int) -> str | None:
    """When a process began, in clock ticks since boot; None when there is no such process, or it is dead but not yet buried."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in ("Z", "X") else fields[19]


@cache
def _of_process(pid: int) -> str:
    return f"{_place()}/{pid}/{_born(pid) or '0'}"


def this_process() -> str:
    """The name this process holds leases under."""
    return _of_process(os.getpid())


def is_dead(owner: str) -> bool:
    """Is it certain that this holder is gone? Only about processes we can see."""
    place, _, rest = owner.rpartition("/")[0].rpartition("/")
    born = owner.rpartition("/")[2]
    if not born or born == "0" or place != this_process().rpartition("/")[0].rpartition("/")[0]:
        return False
    return _born(int(rest)) != born
