"""How this room says what the import found: the page's own words where the command line's would name its options."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from duecourse.glossary import TERMS, label
from duecourse.messages import catalogue, language, say
from duecourse.money import exponent
from duecourse.tables import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duecourse.errors import DuecourseError
    from duecourse.findings import Finding


def role_label(role: str) -> str:
    """What a role is called."""
    return label(role) if role in TERMS else say(f"web.imports_role_{role}")


def finding_words(finding: Finding) -> str:
    """A finding as a sentence of this page."""
    own = f"web.imports_said_{finding.code}"
    if own not in catalogue():
        return finding.message()
    args: dict[str, Any] = {"column": finding.column, "value": finding.value, "row": finding.row, "source": finding.source, **finding.args}
    if "role" in args:
        args["role"] = role_label(str(args["role"]))
    if "shape" in args:
        args["shape"] = say(f"cli.shape_{args['shape']}")
    if "order" in args:
        args["order"] = say(f"web.imports_order_{args['order']}")
    return say(own, **args)


def error_words(code: str, args: Mapping[str, Any]) -> str:
    """An error of intake as a sentence of this page."""
    own = f"web.imports_error_{code}"
    return say(own if own in catalogue() else f"errors.{code}", **args)


def words_of(error: DuecourseError) -> str:
    """The same of an error at hand."""
    return error_words(error.code, error.args_)


def finding_rows(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Findings for a list: how serious, where, what and what to do."""
    kinds = {"error": "bad", "warning": "warn", "note": "off"}
    return [
        {
            "kind": kinds[one.severity],
            "word": say(f"cli.severity_{one.severity}"),
            "row": one.row,
            "words": finding_words(one),
            "code": one.code,
        }
        for one in findings
    ]


def cell(value: Any) -> str:
    """A value of a line as a person reads it; nothing for nothing."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return amount(value)
    if isinstance(value, bool):
        return shown(value, "state")
    if isinstance(value, date | datetime):
        return f"{value:%Y-%m-%d}"
    return str(value)


def amount(value: Decimal | None, currency: str = "") -> str:
    """An amount with thousands separators, with the decimals of its currency or those it has, two at least."""
    if value is None:
        return "–"
    places = exponent(currency) if currency else 2
    written = max(0, -int(value.normalize().as_tuple().exponent))
    return f"{value:,.{max(places, written)}f}"


def typed_amount(text: str) -> Decimal | None:
    """What a person typed as an amount, in either habit of writing; None when it is none.

    The mark that stands last is the decimal mark, unless three figures follow the only one: 1.234 and 1,234 are whole.
    """
    bare = "".join(text.replace("−", "-").split()).replace("'", "").replace("’", "")
    places = [index for index, sign in enumerate(bare) if sign in ",.，"]
    if places:
        last = places[-1]
        kinds = {bare[index].replace("，", ",") for index in places}
        grouping = len(bare) - last - 1 == 3 and len(kinds) == 1
        whole = "".join(sign for sign in bare[:last] if sign not in ",.，")
        bare = whole + ("" if grouping else ".") + bare[last + 1 :]
    try:
        return Decimal(bare)
    except InvalidOperation:
        return None


def system_label(name: str, systems: Sequence[tuple[str, str, str]]) -> str:
    """What a system is called."""
    found = next((one for one in systems if one[0] == name), None)
    return name if found is None else found[2 if language() == "zh" else 1]


def size_words(size_bytes: int) -> str:
    """How large a file is."""
    if size_bytes < 1 << 20:
        return f"{max(1, round(size_bytes / 1024)):,} KB"
    return f"{size_bytes / (1 << 20):,.1f} MB"
