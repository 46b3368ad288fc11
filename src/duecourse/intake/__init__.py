"""接入: any export becomes typed lines, and lines become entries of the ledger.

    with open_file(path) as opened:                    # what the file is, where its table begins; refused when it was cut off
        understanding = understand(opened)             # which column stands for what, in which habit; what should be looked at
        profile = understanding.require(str(path))     # everything decided, as text with profile.to_json()
        opened.attach(connection)
        connection.sql(lines_sql(opened, profile))     # one row per line: row_no, every role typed, document_kind, bad

A role is what a column stands for (`sources.ROLES`); a line has every role, NULL where the file has no such column. `row_no` is the
line a person sees in the file (header = 1 in a plain CSV), or the row of the spreadsheet. `bad` holds the cells that could not be read.
"""

from __future__ import annotations

from duecourse.intake.files import Opened, open_file
from duecourse.intake.lines import LINE_COLUMNS, dropped, lines_sql, preview_rows, totals
from duecourse.intake.profile import ColumnReading, Overrides, Profile, Understanding, understand

__all__ = [
    "LINE_COLUMNS",
    "ColumnReading",
    "Opened",
    "Overrides",
    "Profile",
    "Understanding",
    "dropped",
    "lines_sql",
    "open_file",
    "preview_rows",
    "totals",
    "understand",
]
