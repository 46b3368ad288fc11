"""Exchange-rate files of the European Central Bank: wide tables and XML, which are no lists of lines like any other."""

from __future__ import annotations

import csv
import hashlib
import re
import zipfile
from typing import TYPE_CHECKING, Any, Final

from duecourse.reference.currencies import CURRENCIES
from duecourse.reference.exchange_rates import as_entries, read_rates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from duecourse.findings import Finding
    from duecourse.ledger.store import BatchResult, Ledger

HEAD_BYTES: Final = 4096
FEWEST: Final = 2
"""Currencies a header must name before a table counts as one of exchange rates."""


def is_central_bank_file(path: Path) -> bool:
    """Is this a file of the European Central Bank's reference rates: a column for each currency, or their XML, zipped or not?"""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        if head.startswith(b"PK"):
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
                if len(names) != 1:
                    return False
                with archive.open(names[0]) as file:
                    head = file.read(HEAD_BYTES)
    except (OSError, zipfile.BadZipFile):
        return False
    text = head.decode("utf-8-sig", errors="replace")
    if "eurofxref" in text and text.lstrip().startswith("<"):
        return True
    if "\0" in text:  # some other kind of file
        return False
    first = next(csv.reader(text.splitlines()), [])
    codes = [cell.strip() for cell in first[1:] if cell.strip()]
    named = [code for code in codes if re.fullmatch(r"[A-Z]{3}", code) and code in CURRENCIES]
    return bool(first) and first[0].strip() == "Date" and len(named) >= FEWEST and len(named) == len(codes)


def import_central_bank_file(
    ledger: Ledger, path: Path, facts: Mapping[str, Any] | None = None
) -> tuple[BatchResult, int, Sequence[Finding]]:
    """Take the rates of such a file into the ledger: what was added, how many rates it had, and its faults.

    facts  what the journal is to keep besides
    Raises FileCutOffError, FileUnreadableError.
    """
    found = read_rates(path)
    with ledger.draft("import", file_name=path.name, file_sha256=file_hash(path)) as draft:
        draft.put("exchange_rate", as_entries(found.rates))
        draft.facts = {"shape": "rates", "source": "ecb", "read": len(found.rates), "quarantined": 0, **(facts or {})}
        return draft.commit(), len(found.rates), found.findings


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
