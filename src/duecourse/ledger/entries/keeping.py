"""What the ledger needs to be read: exchange rates, settings, and rows that could not be used."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from duecourse.ledger.entries.table import DAY, TEXT, Entry, facts_of

EXCHANGE_RATE: Final = Entry(
    "exchange_rate",
    facts_of(
        provider=TEXT,  # ECB, or the firm's own name for its table
        base_currency=TEXT,  # one unit of base costs `rate` units of quote
        quote_currency=TEXT,
        rate_date=DAY,
        rate=pa.float64(),
    ),
    key=("provider", "base_currency", "quote_currency", "rate_date"),
    happened="rate_date",
    clustered_by=("rate_date",),
)

SETTING: Final = Entry(
    "setting",
    facts_of(
        name=TEXT,  # base_currency, ageing_buckets, import_profile:<fingerprint> ...
        value=TEXT,  # JSON
        effective_from=DAY,
    ),
    key=("name",),
    happened="effective_from",
    clustered_by=("name",),
)

QUARANTINE: Final = Entry(
    "quarantine",
    facts_of(
        file_sha256=TEXT,  # the file the row stood in
        file_name=TEXT,
        file_row=pa.int64(),  # line of that file, header = 1
        column=TEXT,  # the file's own column name
        value=TEXT,
        code=TEXT,  # reason: a finding code
        args=TEXT,  # JSON, arguments of the reason's sentence
        row=TEXT,  # JSON: the whole row as it was written, {column: text}
        profile=TEXT,  # JSON: how the file was read, so that the corrected row is read the same way
        fixed_by=TEXT,  # the import that took the corrected row; null while it waits
    ),
    key=("file_sha256", "file_row"),
    happened=None,
    clustered_by=("file_sha256",),
)
