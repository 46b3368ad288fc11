"""The files of a ledger as they stand at one moment, for a backup. Writers wait only while they are linked, not while they are copied."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from duecourse.ledger.entries import ENTRIES
from duecourse.ledger.storage import faults_named, file_list
from duecourse.ledger.store import WAIT_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

    from duecourse.ledger.store import Ledger


def snapshot(ledger: Ledger, folder: Path) -> int:
    """Put the files of a local ledger's newest version into a folder on the same disk; returns the version.

    Finished files are never changed, so a second name for them is a copy. What writers have begun and not committed is left out, and so
    are files that only versions before the last compaction read.
    """
    base = ledger.storage.folder
    with faults_named(ledger.storage.url), ledger.storage.writing(WAIT_SECONDS):
        ledger._settle()  # noqa: SLF001 — a snapshot is taken as a writer: nothing half done is in the tables
        for place in sorted(base.iterdir()):
            if not place.is_dir() or place.name.startswith("."):
                continue
            if place.name in ENTRIES or place.name == "journal":
                table = ledger.storage.newest(place.name)
                if table is None:
                    continue
                files = [place / file["path"] for file in file_list(table)]
                files += [path for path in (place / "_delta_log").rglob("*") if path.is_file()]
            else:
                files = [path for path in place.rglob("*") if path.is_file()]
            for path in files:
                if not any(part.startswith(".") for part in path.relative_to(base).parts):
                    _same(path, folder / path.relative_to(base))
        return ledger.version


def _same(path: Path, twin: Path) -> None:
    twin.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, twin)
    except OSError:  # a disk without links
        shutil.copyfile(path, twin)
