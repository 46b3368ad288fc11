"""Lists of sanctioned or dishonest persons as their publishers give them out (名单导入): OFAC, EU, UN, UK, FollowTheMoney, any table with headings.

No list is shipped. A new version of a list is entered whole: what it no longer holds is withdrawn, and books of before keep it.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from duecourse.errors import FileNotFoundHereError, ListUnreadableError
from duecourse.intake.lists.ftm import BLOCK, entities, looks_like_ftm
from duecourse.intake.rates import file_hash
from duecourse.intake.statements import read_rows
from duecourse.intake.statements.labels import day_in, folded
from duecourse.intake.statements.xml_safely import Node, looks_like_xml, parse
from duecourse.ledger.entries import LIST_ENTRY
from duecourse.reference.countries import COUNTRIES

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from duecourse.ledger.store import BatchResult, Ledger

HEADINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "entry_id": ("id", "entry id", "unique id", "group id", "list number", "reference number", "ent_num", "编号", "序号"),
    "name": ("name", "full name", "entity name", "company", "company name", "whole name", "名称", "企业名称", "公司名称", "姓名", "姓名/名称", "被执行人姓名/名称", "失信被执行人名称"),
    "other_names": ("aliases", "alias", "other names", "aka", "a.k.a.", "name non-latin script", "曾用名", "别名", "英文名称"),
    "entity_kind": ("type", "kind", "entity type", "individual, entity, ship", "group type", "类型", "主体类型"),
    "country": ("country", "nationality", "address country", "国家", "国家/地区", "国籍"),
    "numbers": ("registration number", "company number", "identity number", "business registration number (s)", "统一社会信用代码", "组织机构代码", "身份证号码/组织机构代码", "证件号码"),
    "programme": ("programme", "program", "regime", "regime name", "legal basis", "案号", "执行依据文号", "名单类型"),
    "listed_on": ("listed on", "date designated", "date listed", "date of listing", "发布时间", "立案时间", "列入日期", "发布日期"),
    "text": ("remarks", "other information", "comments", "备注", "失信被执行人行为具体情形"),
}  # fmt: skip
NAME_PARTS: Final = ("name 1", "name 2", "name 3", "name 4", "name 5", "name 6")
"""The columns in which the United Kingdom's list keeps the parts of a name, the last one first in order of weight."""

OFAC_COLUMNS: Final = 12
EMPTY: Final = frozenset({"", "-0-"})
KINDS: Final = {
    "individual": "person", "person": "person", "p": "person", "自然人": "person", "entity": "organisation", "enterprise": "organisation", "e": "organisation",
    "organisation": "organisation", "法人": "organisation", "企业": "organisation", "vessel": "vessel", "ship": "vessel", "aircraft": "other",
}  # fmt: skip


@dataclass(frozen=True)
class ListRead:
    """A list as it will be entered: rows of the ledger's `list_entry` table."""

    file_name: str
    sha256: str
    list_name: str
    list_date: date
    rows: Sequence[Mapping[str, Any]]


def read_list(path: str | os.PathLike[str], *, list_name: str, list_date: date) -> ListRead:
    """What entries does this list hold? Nothing is written. Raises FileNotFoundHereError, ListUnreadableError, FileUnreadableError."""
    path = Path(path)
    if not path.exists():
        raise FileNotFoundHereError(path=str(path))
    if looks_like_xml(path.open("rb").read(200)):
        found = list(_of_xml(parse(path.read_bytes(), path.name)))
    elif looks_like_ftm(path.open("rb").read(BLOCK)):
        with path.open(encoding="utf-8", errors="replace") as lines:
            found = list(entities(lines))
    else:
        sheets = [sheet.rows for sheet in read_rows(path)]
        found = [entry for rows in sheets for entry in (_ofac(rows) if _is_ofac(rows) else _table(rows))]
    merged: dict[str, dict[str, Any]] = {}
    for entry in found:
        if not entry["name"]:
            continue
        key = entry["entry_id"] or hashlib.sha256(f"{entry['name']}\n{sorted(entry['numbers'])}".encode()).hexdigest()[:20]
        known = merged.setdefault(key, {**entry, "entry_id": key, "other": []})
        known["other"] += [name for name in (entry["name"], *entry["other_names"]) if name != known["name"] and name not in known["other"]]
        known["numbers"] = list(dict.fromkeys([*known["numbers"], *entry["numbers"]]))
    if not merged:
        raise ListUnreadableError(path=str(path))
    rows = [
        {
            "list_name": list_name, "entry_id": one["entry_id"], "name": one["name"][:500], "other_names": _json(one["other"]),
            "entity_kind": KINDS.get(one["entity_kind"].strip().lower(), "other") if one["entity_kind"] else None, "country": _country(one["country"]),
            "numbers": _json(one["numbers"]), "programme": one["programme"][:300] or None, "text": one["text"][:1000] or None,
            "listed_on": day_in(one["listed_on"]) if one["listed_on"] else None, "list_date": list_date,
        }
        for one in merged.values()
    ]  # fmt: skip
    return ListRead(path.name, file_hash(path), list_name, list_date, rows)


def import_list(ledger: Ledger, read: ListRead) -> BatchResult:
    """Enter a version of a list: entries that say what they said keep their date, others are added or corrected, those gone are withdrawn."""
    book = ledger.as_of(read.list_date.max)
    table = book.list_entry
    known = {row["entry_id"]: row for row in book.run(table.filter(table.list_name == read.list_name)).to_pylist()}
    names = [name for name in LIST_ENTRY.facts.names if name != "list_date"]
    rows = []
    for row in read.rows:
        before = known.pop(row["entry_id"], None)
        if before is None or any(before[name] != row[name] for name in names):
            rows.append({**row, "voided": False})
    rows += [{**{name: row[name] for name in LIST_ENTRY.facts.names}, "voided": True} for row in known.values()]
    schema = pa.schema([*(pa.field(field.name, field.type) for field in LIST_ENTRY.facts), pa.field("voided", pa.bool_())])
    with ledger.draft("import", file_name=read.file_name, file_sha256=read.sha256, note=f"list {read.list_name} {read.list_date}") as draft:
        draft.put("list_entry", pa.Table.from_pylist(rows, schema=schema))
        return draft.commit()


def _json(values: Sequence[str]) -> str | None:
    return json.dumps(list(values), ensure_ascii=False) if values else None


def _country(text: str) -> str | None:
    folded_ = text.strip().lower()
    if not folded_:
        return None
    return next(
        (one.alpha2 for one in COUNTRIES.values() if folded_ in (one.alpha2.lower(), one.alpha3.lower(), one.name_en.lower(), one.name_zh)),
        None,
    )


def _blank(**said: Any) -> dict[str, Any]:
    return {
        "entry_id": "",
        "name": "",
        "other_names": [],
        "entity_kind": "",
        "country": "",
        "numbers": [],
        "programme": "",
        "listed_on": "",
        "text": "",
        **said,
    }


def _split(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"[;；|\n]+", text) if part.strip()]


def _is_ofac(rows: Sequence[Sequence[str]]) -> bool:
    """The simple CSV of the Specially Designated Nationals: no headings, twelve columns, `-0-` for nothing."""
    head = [row for row in rows[:20] if any(cell.strip() for cell in row)]
    return (
        bool(head)
        and all(len(row) == OFAC_COLUMNS and row[0].strip().isdigit() for row in head)
        and any("-0-" in cell for row in head for cell in row)
    )


def _ofac(rows: Sequence[Sequence[str]]) -> Iterator[dict[str, Any]]:
    for row in rows:
        cells = ["" if cell.strip() in EMPTY else cell.strip() for cell in row]
        if len(cells) < OFAC_COLUMNS or not cells[0].isdigit():
            continue
        other = re.findall(r"[afn]\.k\.a\. '([^']+)'", cells[11])
        numbers = re.findall(
            r"(?:Registration (?:ID|Number)|Tax ID No\.|Unified Social Credit Code[^0-9A-Z]*|Legal Entity Number)\s*([0-9A-Z-]{6,25})",
            cells[11],
        )
        yield _blank(
            entry_id=cells[0],
            name=cells[1],
            other_names=other,
            entity_kind=cells[2] or "entity",
            programme=cells[3],
            text=cells[11],
            numbers=numbers,
        )


def _table(rows: Sequence[Sequence[str]]) -> Iterator[dict[str, Any]]:
    known = {folded(name): column for column, names in HEADINGS.items() for name in (column.replace("_", " "), *names)}
    parts = {folded(name): name for name in NAME_PARTS}
    heads = [[known.get(folded(cell)) or parts.get(folded(cell), "") for cell in row] for row in rows[:20]]
    place = next((number for number, head in enumerate(heads) if "name" in head or sum(column in NAME_PARTS for column in head) > 2), None)
    if place is None:
        return
    columns = heads[place]
    for row in rows[place + 1 :]:
        said: dict[str, Any] = _blank()
        pieces: dict[str, str] = {}
        for column, cell in zip(columns, row, strict=False):
            text = cell.strip()
            if not column or not text:
                continue
            if column in NAME_PARTS:
                pieces[column] = text
            elif column in ("other_names", "numbers"):
                said[column] += _split(text)
            elif not said[column]:
                said[column] = text
        if pieces:
            whole = " ".join(pieces[part] for part in NAME_PARTS if part in pieces)
            said["name"] = said["name"] or whole
        yield said


def _of_xml(root: Node) -> Iterator[dict[str, Any]]:
    if root.name[1] == "CONSOLIDATED_LIST":  # United Nations Security Council
        for node in root.all():
            if node.name[1] in ("INDIVIDUAL", "ENTITY"):
                yield _united_nations(node)
    elif any(child.name[1] == "sanctionEntity" for child in root.children):  # European Union, consolidated financial sanctions list
        for node in root.children:
            if node.name[1] == "sanctionEntity":
                yield _european(node)


def _text(node: Node, local: str) -> str:
    found = next((child for child in node.children if child.name[1] == local), None)
    return " ".join(found.text.split()) if found else ""


def _united_nations(node: Node) -> dict[str, Any]:
    name = " ".join(filter(None, (_text(node, f"{place}_NAME") for place in ("FIRST", "SECOND", "THIRD", "FOURTH"))))
    other = [_text(child, "ALIAS_NAME") for child in node.children if child.name[1].endswith("_ALIAS")]
    country = next((_text(child, "COUNTRY") for child in node.children if child.name[1].endswith("_ADDRESS")), "")
    return _blank(
        entry_id=_text(node, "REFERENCE_NUMBER") or _text(node, "DATAID"), name=name, other_names=[one for one in (*other, _text(node, "NAME_ORIGINAL_SCRIPT")) if one],
        entity_kind=node.name[1].lower(), country=country, programme=_text(node, "UN_LIST_TYPE"), listed_on=_text(node, "LISTED_ON"), text=_text(node, "COMMENTS1"),
    )  # fmt: skip


def _european(node: Node) -> dict[str, Any]:
    names = [child.attributes.get("wholeName", "") for child in node.children if child.name[1] == "nameAlias"]
    names = [name for name in names if name]
    kind = next((child.attributes.get("code", "") for child in node.children if child.name[1] == "subjectType"), "")
    numbers = [child.attributes.get("number", "") for child in node.children if child.name[1] == "identification"]
    rule = next((child for child in node.children if child.name[1] == "regulation"), None)
    country = next(
        (child.attributes.get("countryIso2Code", "") for child in node.children if child.name[1] in ("address", "citizenship")), ""
    )
    return _blank(
        entry_id=node.attributes.get("euReferenceNumber") or node.attributes.get("logicalId", ""), name=names[0] if names else "", other_names=names[1:], entity_kind=kind,
        country=country, numbers=[number for number in numbers if number], programme=rule.attributes.get("programme", "") if rule else "",
        listed_on=rule.attributes.get("entryIntoForceDate", "") if rule else "",
    )  # fmt: skip
