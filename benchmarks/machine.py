"""What a figure was measured on: machine, versions, date, and how busy it was."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).parent / "results.md"


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0))


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def describe(*packages: str) -> str:
    """One line: date, processor, cores, memory, system, Python and package versions, load."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {_processor()}, {cores()} cores, {memory:.0f} GB, {platform.system()}, "
        f"Python {platform.python_version()}, {versions}, load {os.getloadavg()[0]:.1f}"
    )


def record(section: str) -> None:
    """Append a section to results.md."""
    head = (
        ""
        if RESULTS.exists()
        else "# Results\n\nMedians; both sides of each ratio ran alternately in the same run. What is measured: `README.md`.\n"
    )
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(head + "\n" + section.rstrip() + "\n")
