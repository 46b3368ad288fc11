"""Economies in a database, to ask what is true of them."""

from __future__ import annotations

from functools import cache

import duckdb
import pyarrow as pa

from duecourse.samples.economy import Economy, chunks


def tables(economy, **options):
    """{table of the ledger, or truth_ and table: rows}."""
    collected = {}
    for chunk in chunks(economy, **options):
        for kind, part in (("", chunk.facts), ("truth_", chunk.truth)):
            for name, table in part.items():
                collected.setdefault(kind + name, []).append(table)
    return {name: pa.concat_tables(parts) for name, parts in collected.items()}


def database(made):
    connection = duckdb.connect()
    for name, table in made.items():
        connection.register(f"{name}_" if name == "limit" else name, table)
    return connection


@cache
def economy(**options):
    """An economy, its tables and a connection to them: `limit` is called `limit_` there."""
    one = Economy(**options)
    made = tables(one)
    return one, made, database(made)


def spoken(**options):
    """One with many buyers and few invoices, long enough to count what is said."""
    return economy(**{"invoices": 20_000, "buyers": 6_000, "years": 5, "seed": 8, **options})
