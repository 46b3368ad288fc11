"""A file somebody hands in: is it fit to be read, how will it be read, take it in."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from duecourse.desk.examining import examine
from duecourse.desk.upkeep import compact_if_cheap
from duecourse.errors import DuecourseError
from duecourse.findings import Finding, Severity
from duecourse.intake import Opened, Profile, open_file, preview_rows, totals, understand
from duecourse.intake.habits import AmountHabit, DateHabit
from duecourse.intake.importer import Completeness, ImportResult, Options, Total, import_file, imported_before, result_of, saved_profile
from duecourse.intake.mending import fix
from duecourse.intake.profile import SURE, UNITS
from duecourse.intake.quarantine import FILE_ID, FILE_ROW
from duecourse.intake.rates import file_hash, is_central_bank_file
from duecourse.intake.recognise import SHAPES
from duecourse.intake.sources import HELPERS, ROLES, sources
from duecourse.reference.currencies import CURRENCIES
from duecourse.reference.exchange_rates import read_rates

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from duecourse.intake.workbench import Progress
    from duecourse.ledger.store import Ledger

__all__ = [
    "CURRENCIES", "HELPERS", "ROLES", "SHAPES", "UNITS", "ImportResult", "Look", "Options", "Total", "look_at", "options_from", "plain_result",
    "result_from", "result_of", "systems", "take_in",
]  # fmt: skip

FIRST_ROWS: Final = 12
EXAMPLES: Final = 3

WORK: Final = "duecourse-import-"
"""How the working folders of an import are called, here and on the workbench."""
_FORMS: Final = (
    ("%Y", "YYYY"),
    ("%y", "YY"),
    ("%m", "MM"),
    ("%d", "DD"),
    ("%B", "Month"),
    ("%b", "Mon"),
    ("%H", "hh"),
    ("%M", "mm"),
    ("%S", "ss"),
)
_ORDERS: Final = {"dmy": "DD/MM/YYYY", "mdy": "MM/DD/YYYY", "ymd": "YYYY-MM-DD"}


@dataclass(frozen=True)
class ColumnLook:
    """One column of the file: some of its cells, what it was taken for (several roles if it serves several), and how sure that is."""

    index: int
    name: str
    examples: Sequence[str]
    roles: Sequence[str]
    confidence: float | None
    habit: str

    @property
    def role(self) -> str:
        """What it stands for in the first place; empty if it is not used."""
        return self.roles[0] if self.roles else ""


@dataclass(frozen=True)
class Sum:
    """What the lines of one currency add up to, as the file writes them; `open_amount` None where the file does not say."""

    currency: str
    lines: int
    amount: Decimal | None
    open_amount: Decimal | None
    unreadable: int
    kinds: Sequence[tuple[str, int, Decimal | None]] = ()


@dataclass(frozen=True)
class Look:
    """How a file will be read, before anything is used.

    kind     `lines`: an export; `rates`: a file of the European Central Bank; `corrected`: lines of the quarantine that come back
    missing  roles the kind of list needs and the file does not give, each as the choices there are; it cannot be taken in then
    known_as the import that has brought this very file, read in this very way
    """

    kind: str
    profile: Profile
    columns: Sequence[ColumnLook] = ()
    first_rows: Sequence[Mapping[str, Any]] = ()
    row_columns: Sequence[str] = ()
    sums: Sequence[Sum] = ()
    findings: Sequence[Finding] = ()
    missing: Sequence[Sequence[str]] = ()
    sheets: Sequence[str] = ()
    rows: int | None = None
    known_as: str = ""
    saved: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sure(self) -> bool:
        """Is nothing about it doubtful enough to be pointed out?"""
        return self.profile.confidence >= SURE and not self.missing


# --- where it lies -------------------------------------------------------------------------------------------------------------------


@contextmanager
def named(place: Path, name: str) -> Iterator[Path]:
    """The file under the name its owner gave it: names carry dates, and findings say them. Errors speak of that name, not of our folders."""
    folder = Path(tempfile.mkdtemp(prefix=WORK))
    path = folder / name
    try:
        path.symlink_to(place.absolute())
        yield path
    except DuecourseError as error:
        for key, value in error.args_.items():
            if isinstance(value, str | Path) and str(value).startswith(str(folder)):
                error.args_[key] = name
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def drop_leftovers(older_than_seconds: float) -> int:
    """Clear away the working folders of imports that were killed; how many. Those of imports under way are younger."""
    dropped = 0
    now = time.time()
    for place in Path(tempfile.gettempdir()).glob(f"{WORK}????????"):
        with contextlib.suppress(OSError):
            if place.is_dir() and now - place.stat().st_mtime > older_than_seconds:
                shutil.rmtree(place, ignore_errors=True)
                dropped += 1
    return dropped


# --- how it will be read --------------------------------------------------------------------------------------------------------------


def look_at(ledger: Ledger, place: Path, name: str, options: Options | None = None) -> Look:
    """How will this file be read?  导入预览

    Nothing is written. A reading kept from an earlier file with the same header is used.
    Raises FileUnreadableError, FileSwellsError, FileCutOffError, OptionInvalidError.
    """
    options = options or Options()
    examine(place, name)
    with named(place, name) as path:
        if is_central_bank_file(path):
            return _look_at_rates(ledger, path)
        with open_file(path, sheet=options.sheet) as opened:
            if {FILE_ROW, FILE_ID} <= set(opened.columns):
                return _look_at_corrected(opened)
            known = saved_profile(opened, ledger)
            understanding = understand(opened, options.overrides(), known=known)
            profile = understanding.profile
            if options.snapshot_date:
                profile = replace(profile, extract_date=options.snapshot_date, extract_date_from="")
            rows = preview_rows(opened, profile, count=FIRST_ROWS)
            sums = _sums(totals(opened, profile))
            return Look(
                "lines",
                profile,
                _columns(opened, profile),
                rows.to_pylist(),
                [column for column in rows.column_names if column not in ("row_no", "bad", "raw")],
                sums,
                understanding.findings,
                understanding.missing,
                opened.sheets,
                sum(one.lines for one in sums),
                imported_before(ledger, opened.sha256, options),
                known is not None,
            )


def _columns(opened: Opened, profile: Profile) -> list[ColumnLook]:
    found = []
    for index, name in enumerate(opened.columns):
        cells = Counter(row[index].strip() for _number, row in opened.sample if index < len(row) and row[index].strip())
        readings = {role: one for role, one in profile.mapping.items() if one.index == index and role not in (profile.grouped_by, "ignore")}
        # Of several roles of one column, that comes first which its heading stands for; the others were lent to it.
        roles = sorted(readings, key=lambda role: (-readings[role].confidence, list(ROLES).index(role) if role in ROLES else 99))
        first = readings[roles[0]] if roles else None
        examples = [text for text, _count in cells.most_common(EXAMPLES)]
        found.append(ColumnLook(index, name, examples, roles, first.confidence if first else None, _habit(first.habit if first else None)))
    return found


def _habit(habit: AmountHabit | DateHabit | None) -> str:
    """How the column is written, as a pattern that needs no words: 1.234,56 or DD/MM/YYYY."""
    if isinstance(habit, AmountHabit):
        return f"1{habit.grouping[:1]}234{habit.decimal}56"
    if habit is None:
        return ""
    if habit.form:
        return functools.reduce(lambda text, pair: text.replace(*pair), _FORMS, habit.form)
    return _ORDERS.get(habit.order, "") if "numeric" in habit.kinds else _ORDERS["ymd"]


def _sums(table: pa.Table) -> list[Sum]:
    by_currency: dict[str, list[dict[str, Any]]] = {}
    for row in table.to_pylist():
        by_currency.setdefault(row["currency"] or "", []).append(row)
    found = []
    for currency, rows in by_currency.items():
        kinds = [(row["document_kind"] or "", row["rows"], row["amount"]) for row in rows]
        found.append(
            Sum(
                currency,
                sum(row["rows"] for row in rows),
                _added(row["amount"] for row in rows),
                _added(row["open_amount"] for row in rows),
                sum(row["bad_rows"] for row in rows),
                kinds if len(kinds) > 1 else (),
            )
        )
    return found


def _added(values: Iterator[Decimal | None]) -> Decimal | None:
    known = [value for value in values if value is not None]
    return sum(known, Decimal()) if known else None


def _look_at_rates(ledger: Ledger, path: Path) -> Look:
    found = read_rates(path)
    days = sorted({rate.rate_date for rate in found.rates})
    newest = [rate for rate in found.rates if days and rate.rate_date == days[-1]]
    rows = [{"rate_date": rate.rate_date, "base_currency": rate.base, "quote_currency": rate.quote, "rate": rate.rate} for rate in newest]
    profile = Profile("", (), {}, source="ecb", source_confidence=1.0, shape="rates", shape_confidence=1.0, confidence=1.0)
    return Look(
        "rates",
        profile,
        first_rows=rows[:FIRST_ROWS],
        row_columns=("rate_date", "base_currency", "quote_currency", "rate"),
        findings=tuple(found.findings)[:20],
        rows=len(found.rates),
        known_as=ledger.has_file(file_hash(path)) or "",
        facts={"first": days[0] if days else None, "last": days[-1] if days else None, "currencies": len({r.quote for r in found.rates})},
    )


def _look_at_corrected(opened: Opened) -> Look:
    profile = Profile("", opened.columns, {}, shape="corrected", confidence=1.0, format=opened.format, encoding=opened.encoding)
    columns = [name for name in opened.columns if not name.startswith("_")]
    rows = [dict(zip(opened.columns, cells, strict=False)) for _number, cells in opened.sample[:FIRST_ROWS]]
    return Look("corrected", profile, first_rows=rows, row_columns=[FILE_ROW, *columns], rows=opened.rows)


def systems() -> Sequence[tuple[str, str, str]]:
    """The systems whose exports are known: name, English and Chinese label."""
    return [(source.name, source.label_en, source.label_zh) for source in sources().values()]


# --- take it in -----------------------------------------------------------------------------------------------------------------------


def take_in(ledger: Ledger, place: Path, name: str, options: Options, progress: Progress | None = None) -> list[ImportResult]:
    """Take a file into the ledger: an export, exchange rates, or corrected lines of the quarantine (a result for each of their files).

    Taken up again with the same `options.mark` after it was cut short, it does what is left to do and gives the same results.
    Raises what reading and importing raise; the ledger is then as it was before.
    """
    examine(place, name)
    with named(place, name) as path:
        results = fix(ledger, path, options, progress) if _is_corrected(path) else [import_file(ledger, path, options, progress)]
    compact_if_cheap(ledger)
    return results


def _is_corrected(path: Path) -> bool:
    if is_central_bank_file(path):
        return False
    with open_file(path) as opened:
        return {FILE_ROW, FILE_ID} <= set(opened.columns)


# --- options as plain data ------------------------------------------------------------------------------------------------------------

_TEXTS: Final = ("currency", "date_order", "decimal", "shape", "sheet", "source", "unit", "base_currency", "provider")


def options_from(said: Mapping[str, Any], *, by: str = "", mark: str = "", grants: bool = True) -> Options:
    """The options of plain data, as the web app keeps them: texts, a map of roles to columns, an ISO date."""
    day = said.get("snapshot_date")
    completeness: Completeness = said.get("completeness", "") or ""
    texts = {name: said[name] for name in _TEXTS if said.get(name)}
    return Options(
        columns=dict(said.get("columns") or {}),
        snapshot_date=date.fromisoformat(day) if day else None,
        completeness=completeness,
        by=by,
        mark=mark,
        grants=grants,
        threads=max(1, len(os.sched_getaffinity(0)) // 2),
        **texts,
    )


def plain_result(result: ImportResult) -> dict[str, Any]:
    """A result as JSON keeps it."""
    return json.loads(json.dumps(asdict(result), default=str))  # type: ignore[no-any-return]


def result_from(plain: Mapping[str, Any]) -> ImportResult:
    """A result out of what `plain_result` made of it."""
    said = dict(plain)
    said["totals"] = tuple(Total(**one) for one in said["totals"])
    said["findings"] = tuple(Finding(**{**one, "severity": Severity(one["severity"])}) for one in said["findings"])
    said["snapshot_date"] = date.fromisoformat(said["snapshot_date"]) if said["snapshot_date"] else None
    return ImportResult(**said)
