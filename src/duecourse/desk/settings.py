"""The firm's settings: kept in the ledger like any fact, so that an old figure can be drawn up as it was drawn up then."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import ibis
import pyarrow as pa

from duecourse.calendar import WorkingDays
from duecourse.cover.deadlines.duties import policy_terms
from duecourse.cover.late_interest.applicable import SIZES
from duecourse.desk.dates import FAR
from duecourse.errors import OptionMisusedError, SettingUnknownError
from duecourse.intake.importer import PROFILE_SETTING
from duecourse.intake.profile import Profile
from duecourse.ledger.book import named_table
from duecourse.ledger.entries import SETTING
from duecourse.measures.buckets import Buckets
from duecourse.messages import say
from duecourse.money import exponent
from duecourse.reference.countries import COUNTRIES, country

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from duecourse.ledger.book import Book
    from duecourse.ledger.store import Ledger

NOTE: Final = "settings"
DEFAULTS: Final[Mapping[str, Any]] = {
    "base_currency": "XXX",
    "ageing_buckets": [30, 60, 90, 180, 365],
    "company": "",
    "own_country": "",
    "own_size": "",
    "legal_entity_names": {},
    "calendar": "CN",
    "language": "",
    "default_rates": {},
    "working_days": {},
    "insurer_terms": {},
}
HIGHEST_RATE: Final = 0.5
LANGUAGES: Final = ("", "en", "zh-hans")


def current(ledger: Ledger) -> dict[str, str]:
    """Every setting and its value as text, the defaults where nothing was set.  设置"""
    chosen = ledger.as_of(FAR).settings
    return {name: _text(chosen.get(name, default)) for name, default in DEFAULTS.items()}


def change(ledger: Ledger, values: Mapping[str, str], *, by: str = "") -> None:
    """Set some settings; `by` says who, for the journal.

    Raises SettingUnknownError, CurrencyUnknownError, CountryUnknownError, OptionMisusedError.
    """
    decoded = {name: _decoded(name, value) for name, value in values.items()}
    rows = [{"name": name, "value": json.dumps(value, ensure_ascii=False)} for name, value in decoded.items()]
    _put(ledger, rows, by)


def keep(ledger: Ledger, name: str, value: Any, *, by: str = "") -> None:
    """Set one setting that has a room of its own, its value already looked at there: a rule set, a matrix of authority."""
    _put(ledger, [{"name": name, "value": json.dumps(value, ensure_ascii=False)}], by)


def _put(ledger: Ledger, rows: list[dict[str, Any]], by: str) -> None:
    with ledger.draft("post", note=NOTE) as draft:
        draft.put("setting", pa.Table.from_pylist(rows))
        draft.facts = {"by": by} if by else {}
        draft.commit()


def _decoded(name: str, value: str) -> Any:
    if name not in DEFAULTS:
        raise SettingUnknownError(name=name, known=", ".join(DEFAULTS))
    value = value.strip()
    readers: dict[str, Callable[[str], Any]] = {
        "base_currency": _currency, "ageing_buckets": _buckets, "legal_entity_names": _names, "default_rates": _rates,
        "calendar": lambda text: WorkingDays(text).country, "own_country": lambda text: country(text).alpha2 if text else "",
        "working_days": _days, "insurer_terms": _terms,
    }  # fmt: skip
    if name in readers:
        return readers[name](value)
    choices = {"own_size": ("", *SIZES), "language": LANGUAGES}.get(name)
    if choices and value not in choices:
        raise OptionMisusedError(option=name, value=value, hint=say("cli.hint_per", known=", ".join(filter(None, choices))))
    return value


def _currency(value: str) -> str:
    exponent(value.upper())
    return value.upper()


def _buckets(value: str) -> list[int]:
    try:
        days = [int(part) for part in value.replace("，", ",").split(",")]
    except ValueError:
        days = []
    if not days or days != sorted(set(days)) or days[0] < 1:
        raise OptionMisusedError(option="ageing_buckets", value=value, hint=say("cli.hint_buckets"))
    return days


def bucket_labels(text: str) -> list[str] | None:
    """What buckets with these limits (`30,60,90`) are called, in the language spoken; None if they are no limits."""
    try:
        found = Buckets(tuple(_buckets(text)))
    except OptionMisusedError:
        return None
    return [found.label(name) for name in found.ids]


def _rates(value: str) -> dict[str, float]:
    """`*=1%; CN=1.2%; CN/construction=3%; */retail=2%`: the share of firms that fail within a year."""
    found: dict[str, float] = {}
    for part in value.replace("；", ";").replace("\n", ";").replace("％", "%").split(";"):
        key, equals, text = (one.strip() for one in part.partition("="))
        if not part.strip():
            continue
        try:
            rate = float(text.removesuffix("%")) / (100.0 if text.endswith("%") else 1.0)
        except ValueError:
            rate = 0.0
        if not (equals and key and 0.0 < rate <= HIGHEST_RATE):
            raise OptionMisusedError(option="default_rates", value=part.strip(), hint=say("grading.hint_rates"))
        country, slash, sector = key.partition("/")
        found[f"{country.strip().upper()}/{sector.strip()}" if slash else country.upper()] = round(rate, 8)
    return found


def _names(value: str) -> dict[str, str]:
    """`1000=Acme GmbH; 2000=Acme Ltd`, or one on each line."""
    pairs = [part.partition("=") for part in value.replace("；", ";").replace("\n", ";").split(";") if part.strip()]
    if any(not equals or not code.strip() for code, equals, _name in pairs):
        raise OptionMisusedError(option="legal_entity_names", value=value, hint=say("cli.hint_entities"))
    return {code.strip(): name.strip() for code, _equals, name in pairs if name.strip()}


def _days(value: str) -> dict[str, dict[str, bool]]:
    """`CN 2027-02-14 worked; CN 2027-02-15 free`: days that the firm knows better than its calendar."""
    found: dict[str, dict[str, bool]] = {}
    for part in filter(None, (one.strip() for one in value.replace("；", ";").replace("\n", ";").split(";"))):
        words = part.split()
        try:
            land, day, kind = words[0].upper(), date.fromisoformat(words[1]), words[2].lower()
            known = len(words) == 3 and kind in WORKED and land in COUNTRIES
        except (IndexError, ValueError):
            known = False
        if not known:
            raise OptionMisusedError(option="working_days", value=part, hint="CN 2027-02-14 worked; CN 2027-02-15 free")
        found.setdefault(land, {})[day.isoformat()] = WORKED[kind]
    return found


WORKED: Final = {"worked": True, "free": False}


def _terms(value: str) -> dict[str, Any]:
    """`policy=P-1; mep_days=60; notice_days=30; notice_from=mep_end`: what a credit-insurance policy asks for."""
    found: dict[str, Any] = {}
    for part in filter(None, (one.strip() for one in value.replace("；", ";").replace("\n", ";").split(";"))):
        name, _equals, text = (one.strip() for one in part.partition("="))
        found[name] = int(text) if text.isdecimal() else text
    policy_terms(found)
    if "policy" in found:
        found["policy"] = str(found["policy"])
    return found


def _text(value: Any) -> str:
    if isinstance(value, dict) and any(isinstance(one, dict) for one in value.values()):
        return "; ".join(
            f"{land} {day} {'worked' if worked else 'free'}" for land, days in value.items() for day, worked in sorted(days.items())
        )
    if isinstance(value, dict):
        return "; ".join(f"{code}={_shown(name)}" for code, name in value.items())
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _shown(value: Any) -> str:
    return f"{value * 100:.6g}%" if isinstance(value, float) else str(value)


# --- who changed what, and what imports have taught ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SettingChange:
    """One setting as it was set once: when, by whom, through which import if by one. `value` None: it was forgotten."""

    name: str
    value: str | None
    recorded_at: datetime
    by: str
    file_name: str
    batch: str
    undone: bool


def setting_history(ledger: Ledger, *, limit: int = 200) -> list[SettingChange]:
    """Every change of a setting, newest first; the readings kept by imports are left out.  设置变更记录"""
    data, _corrected = ledger.rows_of(SETTING)
    table = named_table(SETTING)
    wanted = table.filter(~table.name.startswith(PROFILE_SETTING)).order_by([table.recorded_at.desc(), "name"]).limit(limit)
    journal = {row.batch_id: row for row in ledger.journal()}
    found = []
    for row in ledger.engine.run(wanted, {SETTING.name: data}).to_pylist():
        batch = journal.get(row["source"])
        value = None if row["voided"] else _text(json.loads(row["value"]))
        by = str(batch.facts.get("by") or "") if batch else ""
        undone = row["source"] in ledger.state.withdrawn
        found.append(SettingChange(row["name"], value, row["recorded_at"], by, batch.file_name if batch else "", row["source"], undone))
    return found


@dataclass(frozen=True)
class SavedReading:
    """How files with one header are read: learnt from an import, used for the next file of the form."""

    name: str
    profile: Profile
    recorded_at: datetime
    file_name: str
    batch: str


def saved_readings(ledger: Ledger) -> list[SavedReading]:
    """The readings kept, newest first.  已记住的导入方案"""
    book = ledger.as_of(FAR)
    table = book.setting
    rows = book.run(table.filter(table.name.startswith(PROFILE_SETTING)).order_by(table.recorded_at.desc())).to_pylist()
    files = {row.batch_id: row.file_name for row in ledger.journal()}
    return [
        SavedReading(row["name"], Profile.from_json(row["value"]), row["recorded_at"], files.get(row["source"], ""), row["source"])
        for row in rows
    ]


def forget_reading(ledger: Ledger, name: str, *, by: str = "") -> None:
    """Read the next file of this form anew. Raises SettingUnknownError."""
    known = [one.name for one in saved_readings(ledger)]
    if name not in known:
        raise SettingUnknownError(name=name, known=", ".join(known))
    _put(ledger, [{"name": name, "value": "null", "voided": True}], by)


def entities(book: Book) -> list[str]:
    """Which of our companies does the book speak of?  我方公司"""
    tables = (book.invoice, book.settlement, book.buyer)
    named = ibis.union(*(table.select("legal_entity") for table in tables), distinct=True)
    rows = book.run(named.filter(named.legal_entity.notnull() & (named.legal_entity != "")).order_by("legal_entity"))
    return [str(code) for code in rows.column("legal_entity").to_pylist()]
