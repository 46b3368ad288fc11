"""A register's files of firms, as the legal entity identifier's are: what its record of a buyer says that is worth a signal.  登记机关文件

JSON as the identifier's API and its whole files give it, an entity a line, or CSV. Source: GLEIF, LEI-CDF 3.1 (EntityStatus,
RegistrationStatus, LegalEntityEventType) and the headings of its golden copy.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from duecourse.errors import FeedUnreadableError
from duecourse.intake.feeds.news import day_of
from duecourse.reference.identifiers import tidy
from duecourse.reference.names import parts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

PATHS: Final = {
    "lei": ("LEI", "lei"),
    "name": ("Entity.LegalName", "entity.legalName"),
    "status": ("Entity.EntityStatus", "entity.status"),
    "registration": ("Registration.RegistrationStatus", "registration.status"),
    "updated": ("Registration.LastUpdateDate", "registration.lastUpdateDate"),
    "expired": ("Entity.EntityExpirationDate", "entity.expiration.date"),
    "why": ("Entity.EntityExpirationReason", "entity.expiration.reason"),
    "number": ("Entity.RegistrationAuthority.RegistrationAuthorityEntityID", "entity.registeredAs"),
}
"""Where each thing stands: in CSV and the whole files, and in the API."""

EVENTS: Final = {
    "BANKRUPTCY": ("insolvency", "red"), "INSOLVENCY": ("insolvency", "red"), "LIQUIDATION": ("insolvency", "red"),
    "VOLUNTARY_ARRANGEMENT": ("insolvency", "red"), "DISSOLUTION": ("register_warning", "red"),
}  # fmt: skip
STATES: Final = {
    "INACTIVE": ("register_warning", "red"), "RETIRED": ("register_warning", "amber"), "MERGED": ("register_change", "info"),
    "LAPSED": ("register_change", "info"), "ANNULLED": ("register_warning", "amber"),
}  # fmt: skip
"""What a state of the record or the firm is worth: LAPSED means only that the fee of the identifier was not paid."""

CLOSED: Final = {
    "LIQUIDATION": ("insolvency", "red"),
    "DISSOLVED": ("register_warning", "red"),
    "CORPORATE_ACTION": ("register_change", "info"),
}
"""Why a firm is inactive, where the record says it; a merger is no failure."""


@dataclass(frozen=True)
class Record:
    """A firm as a register has it. `events`: (type, day) of what happened to it and was not withdrawn."""

    lei: str
    number: str
    name: str
    status: str
    registration: str
    why: str
    updated: date | None
    expired: date | None
    events: Sequence[tuple[str, date | None]] = ()


@dataclass(frozen=True)
class Remark:
    """What a record says of a firm that is worth a signal. `value` is the register's own word."""

    kind: str
    severity: str
    value: str
    on: date
    previous: str = ""


def read_register(content: bytes, name: str) -> Iterator[Record]:
    """The records of a register's file. Raises FeedUnreadableError."""
    head = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    found = list(_json(content, name) if head in (b"{", b"[") else _csv(content))
    records = [_record(one) for one in found]
    if found and not any(one.lei or one.number for one in records):
        raise FeedUnreadableError(feed=name, why="LEI")
    if not found and head not in (b"{", b"["):
        raise FeedUnreadableError(feed=name, why="LEI")
    return (one for one in records if one.lei or one.number)


def _json(content: bytes, name: str) -> Iterator[Any]:
    text = content.decode("utf-8-sig", "replace")
    try:
        whole = json.loads(text)
        many: Iterable[Any] = whole if isinstance(whole, list) else whole.get("records") or whole.get("data") or [whole]
    except RecursionError:
        raise FeedUnreadableError(feed=name, why="LEI") from None
    except ValueError:
        many = _lines(text, name)
    for one in many if isinstance(many, list) else [many]:
        if isinstance(one, dict):
            yield one.get("attributes", one)


def _lines(text: str, name: str) -> list[Any]:
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        raise FeedUnreadableError(feed=name, why="LEI") from None


def _csv(content: bytes) -> Iterator[dict[str, str]]:
    reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig", "replace")))
    if reader.fieldnames and "LEI" in reader.fieldnames:
        for row in reader:
            yield {key: value for key, value in row.items() if isinstance(key, str) and isinstance(value, str)}


def _at(one: Any, path: str) -> Any:
    """What stands at a path; whole files write a value as {"$": value}, the API a name as {"name": value}."""
    if isinstance(one, dict) and path in one:
        found = one[path]
    else:
        found = one
        for step in path.split("."):
            found = found.get(step) if isinstance(found, dict) else None
    if isinstance(found, dict):
        found = found.get("$", found.get("name"))
    return found


def _record(one: Mapping[str, Any]) -> Record:
    said = {
        key: next((str(value).strip() for path in paths if isinstance(value := _at(one, path), str | int)), "")
        for key, paths in PATHS.items()
    }
    return Record(
        tidy(said["lei"]), tidy(said["number"]), said["name"], said["status"].upper(), said["registration"].upper(), said["why"].upper(),
        day_of(said["updated"]), day_of(said["expired"]), tuple(_events(one)),
    )  # fmt: skip


def _events(one: Mapping[str, Any]) -> Iterator[tuple[str, date | None]]:
    entity = one.get("entity") or one.get("Entity")
    if isinstance(entity, dict):
        groups = entity.get("eventGroups") or []
        inside = (
            [event for group in groups if isinstance(group, dict) for event in group.get("events") or []]
            if isinstance(groups, list)
            else []
        )
        whole = _nested(entity, "LegalEntityEvents", "LegalEntityEvent")
        for event in [*inside, *(whole if isinstance(whole, list) else [whole])]:
            if isinstance(event, dict):
                kind = str(_at(event, "LegalEntityEventType") or event.get("type") or "").upper()
                if str(event.get("@event_status") or event.get("status") or "").upper() != "WITHDRAWN_CANCELLED":
                    day = (
                        _at(event, "LegalEntityEventEffectiveDate")
                        or event.get("effectiveDate")
                        or _at(event, "LegalEntityEventRecordedDate")
                    )
                    yield kind, day_of(str(day or ""))
    place = 1
    while kind := str(one.get(f"Entity.LegalEntityEvents.LegalEntityEvent.{place}.LegalEntityEventType") or ""):
        day = one.get(f"Entity.LegalEntityEvents.LegalEntityEvent.{place}.LegalEntityEventEffectiveDate")
        yield kind.upper(), day_of(str(day or ""))
        place += 1


def _nested(one: Any, *steps: str) -> Any:
    for step in steps:
        one = one.get(step) if isinstance(one, dict) else None
    return one


def remarks(record: Record, names: Sequence[str]) -> list[Remark]:
    """What is worth a signal in a record of a firm that we know under these names; nothing where no day is told.

    One remark on its state, the graver of the firm's and the record's; one for each failure among its events; one where its name is another.
    """
    day = record.updated or record.expired
    if day is None:
        return []
    said = []
    if record.status == "INACTIVE":
        kind, severity = CLOSED.get(record.why, STATES["INACTIVE"])
        said.append(Remark(kind, severity, f"INACTIVE {record.why}".strip(), day))
    elif record.registration in STATES:
        said.append(Remark(*STATES[record.registration], record.registration, day))
    said += [Remark(*EVENTS[kind], kind, on or day) for kind, on in record.events if kind in EVENTS]
    if record.name and names and renamed(record.name, names):
        said.append(Remark("register_change", "info", record.name, day, names[0]))
    return said


def renamed(name: str, names: Sequence[str]) -> bool:
    """Is a register's name of a firm another than those we know, in a script in which we know one? Legal forms and spelling are no difference."""
    own = [parts for other in names if (parts := parts_of(other)).script == parts_of(name).script]
    return bool(own) and parts_of(name).brand not in {parts.brand for parts in own}
