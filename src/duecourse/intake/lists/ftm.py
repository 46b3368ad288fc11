"""Lists in the FollowTheMoney form, an entity a line, as OpenSanctions and others give out (实体名单). One brings one's own file and licence.

Source: followthemoney.tech, schemata Thing, LegalEntity, Company, Person, Vessel, Sanction.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

KINDS: Final = {
    "Person": "person", "Company": "organisation", "Organization": "organisation", "LegalEntity": "organisation", "PublicBody": "organisation",
    "Vessel": "vessel", "Airplane": "aircraft",
}  # fmt: skip
OTHER_NAMES: Final = ("name", "alias", "previousName", "abbreviation")
NUMBERS: Final = (
    "registrationNumber",
    "leiCode",
    "taxNumber",
    "vatCode",
    "idNumber",
    "innCode",
    "ogrnCode",
    "uscCode",
    "uniqueEntityId",
    "imoNumber",
)
COUNTRIES: Final = ("jurisdiction", "country", "mainCountry", "nationality", "flag")
BLOCK: Final = 1 << 16


def looks_like_ftm(head: bytes) -> bool:
    """Does a file that begins like this hold entities, one a line?"""
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and b'"schema"' in head and b'"properties"' in head


def entities(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Each entity that is on the list, as lists are read: name, other names, numbers, programme.

    Who only surrounds somebody listed (`target` false) is left out, and so are aliases their source calls weak. A line that is no JSON is
    passed over. Sanctions stand inside the entity (`nested`) or on lines of their own.
    """
    found: list[tuple[str, Mapping[str, Any]]] = []
    sanctions: dict[str, list[Mapping[str, Any]]] = {}
    for line in lines:
        try:
            one = json.loads(line)
        except ValueError:
            continue
        if not isinstance(one, dict) or not isinstance(one.get("properties"), dict):
            continue
        if one.get("schema") == "Sanction":
            for entity in _all(one["properties"], "entity"):
                sanctions.setdefault(entity, []).append(one["properties"])
        elif one.get("schema") in KINDS and one.get("target", True):
            found.append((str(one.get("id") or ""), one))
    for number, one in found:
        yield _entry(number, one, sanctions.get(number, ()))


def _all(said: Mapping[str, Any], *names: str) -> list[str]:
    values = [value for name in names for value in (said.get(name) or ()) if isinstance(value, str)]
    return list(dict.fromkeys(value.strip() for value in values if value.strip()))


def _entry(number: str, one: Mapping[str, Any], apart: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    said = one["properties"]
    nested = [
        part["properties"] for part in said.get("sanctions") or () if isinstance(part, dict) and isinstance(part.get("properties"), dict)
    ]
    rules = [*nested, *apart]
    names = _all(said, *OTHER_NAMES)
    caption = str(one.get("caption") or "")
    name = caption if caption and caption in names else (names[0] if names else caption)
    since = sorted(day for rule in rules for day in _all(rule, "listingDate", "startDate"))
    programme = list(dict.fromkeys(text for rule in rules for text in _all(rule, "program", "programId", "authority")))
    return {
        "entry_id": number, "name": name, "other_names": [other for other in names if other != name], "entity_kind": KINDS[one["schema"]],
        "country": next((text for text in _all(said, *COUNTRIES) if text), ""), "numbers": _all(said, *NUMBERS),
        "programme": "; ".join(programme or _all(said, "program", "topics") or [str(text) for text in one.get("datasets") or ()]),
        "listed_on": since[0][:10] if since and len(since[0]) >= 10 else "", "text": " ".join(_all(said, "notes", "summary")),
    }  # fmt: skip
