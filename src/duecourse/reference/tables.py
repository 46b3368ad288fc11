"""A table of facts about the world: its rows by key, where they come from, and of which day they speak."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib import resources
from typing import Generic, TypeVar

Row = TypeVar("Row")


@dataclass(frozen=True, eq=False, slots=True)
class Table(Mapping[str, Row], Generic[Row]):
    """Rows by key, read like a dictionary.

    name    what the table holds
    source  who published it, and what its blanks and marks mean
    as_of   the day of which it speaks; what changed later is not in it
    rows    key -> row, in the order of the file
    """

    name: str
    source: str
    as_of: date
    rows: Mapping[str, Row]

    def __getitem__(self, key: str) -> Row:
        return self.rows[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def load(name: str, key: str, make: Callable[[Mapping[str, str]], Row]) -> Table[Row]:
    """Read `data/NAME.csv`: lines `# source:` and `# as_of:` first, then a header and one line a row."""
    lines = resources.files(__package__).joinpath("data", f"{name}.csv").read_text(encoding="utf-8").splitlines()
    head = dict(line.removeprefix("# ").split(": ", 1) for line in lines if line.startswith("# "))
    records = csv.DictReader(line for line in lines if not line.startswith("# "))
    return Table(name, head["source"], date.fromisoformat(head["as_of"]), {record[key]: make(record) for record in records})
