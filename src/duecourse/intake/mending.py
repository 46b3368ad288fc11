"""Corrected lines come back: read as their file was read, added as lines of that file, and struck off the quarantine."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from duecourse.errors import ColumnsUnrecognisedError
from duecourse.intake import Overrides, Profile, open_file, understand
from duecourse.intake.assemble import Source
from duecourse.intake.importer import Import, ImportResult, Options, result_of
from duecourse.intake.quarantine import FILE_ID, FILE_ROW
from duecourse.intake.workbench import Progress, Workbench

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from duecourse.ledger.store import Ledger

FILE: Final = "corrected.csv"


def fix(
    ledger: Ledger, path: str | os.PathLike[str], options: Options | None = None, progress: Progress | None = None
) -> list[ImportResult]:
    """Take corrected lines back into the ledger; one result for each file they came from.  回收修正行

    path  what `export_quarantine` wrote, with cells corrected. Lines that are still wrong stay in quarantine with their new reason;
          lines left out of the file stay as they were.

    Raises ColumnsUnrecognisedError if the columns `_file_row` and `_file_id` are missing, and what reading a file raises.
    """
    options = options or Options()
    ledger.refresh()
    results: list[ImportResult] = []
    with open_file(Path(path)) as opened, Workbench(threads=options.threads, progress=None) as bench:
        opened.attach(bench.con)
        missing = [name for name in (FILE_ROW, FILE_ID) if name not in opened.columns]
        if missing:
            raise ColumnsUnrecognisedError(path=str(path), missing=", ".join(missing), columns=", ".join(opened.columns))
        cells = bench.arrow(f"SELECT * FROM {opened.relation} ORDER BY row_no")
        table = {name: cells.column(f"c{number}").to_pylist() for number, name in enumerate(opened.columns)}
        for file_id in dict.fromkeys(value for value in table[FILE_ID] if value):
            if done := _done_before(ledger, file_id, options):
                results.append(done)
                continue
            lines = [number for number, value in enumerate(table[FILE_ID]) if value == file_id]
            result = _fix_file(
                ledger, file_id, {name: [values[n] for n in lines] for name, values in table.items()}, options, progress, bench.folder
            )
            if result:
                results.append(result)
    return results


def _fix_file(
    ledger: Ledger, file_id: str, table: dict[str, list[str | None]], options: Options, progress: Progress | None, folder: Path
) -> ImportResult | None:
    book = ledger.as_of(date.max)
    quarantine = book.quarantine
    rows = book.run(quarantine.filter((quarantine.file_sha256 == file_id) & quarantine.fixed_by.isnull()).drop("recorded_at", "source"))
    by_row = {row["file_row"]: row for row in rows.to_pylist()}
    numbers = [_number(text) for text in table[FILE_ROW]]
    chosen = [(place, number) for place, number in enumerate(numbers) if number in by_row]
    if not chosen:
        return None
    sample = by_row[chosen[0][1]]
    columns = list(json.loads(sample["row"]))
    written = folder / FILE
    with written.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([table[name][place] or "" if name in table else "" for name in columns] for place, _number in chosen)
    profile = Profile.from_json(sample["profile"])
    with open_file(written) as opened, Workbench(threads=options.threads, memory_limit=options.memory_limit, progress=progress) as bench:
        understanding = understand(opened, Overrides(), known=profile)
        opened.attach(bench.con)
        line_numbers = bench.con.sql(f"SELECT row_no FROM {opened.relation} ORDER BY row_no").to_arrow_table().column(0).to_pylist()
        bench.con.register(
            "row_map", pa.table({"row_no": line_numbers, "file_row": pa.array([number for _place, number in chosen], pa.int64())})
        )
        bench.con.register("waiting_line", rows)
        said = _first_import(ledger, file_id)
        extract = said.get("extract_date")
        read_as = replace(understanding.profile, extract_date=date.fromisoformat(extract) if extract else None)
        currency = json.loads(said.get("options", "{}")).get("currency", "")
        options = replace(options, currency=options.currency or currency)
        source = Source(opened, read_as, renumbered=True)
        return Import(ledger, bench, source, options, [], file=(sample["file_name"], file_id)).run()


def _done_before(ledger: Ledger, file_id: str, options: Options) -> ImportResult | None:
    """What this very mending has done to the lines of a file before it was cut short."""
    rows = [row for row in ledger.journal() if row.file_sha256 == file_id and options.mark and row.facts.get("mark") == options.mark]
    return result_of(rows[-1]) if rows else None


def _number(text: str | None) -> int:
    """The line's number, perhaps written 12.0 by a spreadsheet; -1 when somebody has changed it to something else."""
    try:
        return int(float(text or ""))
    except (ValueError, OverflowError):
        return -1


def _first_import(ledger: Ledger, file_id: str) -> Mapping[str, Any]:
    """What was noted when the file came in first."""
    return next((row.facts for row in ledger.journal() if row.file_sha256 == file_id), {})
