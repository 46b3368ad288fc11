"""Accounts in XBRL instances and in iXBRL pages: facts with their periods, units and dimensions, as the standard lines of the ledger.

No taxonomy is loaded: the elements that matter are named in `xbrl_tags.toml`, and what a report defines itself is left alone. Of each period
the facts of the whole firm count; facts of a segment, a class of shares or another dimension do not.

Source: XBRL 2.1 §4.6 (items, decimals and precision), §4.7 (contexts), §4.8 (units); Dimensions 1.0 §2; Inline XBRL 1.1 §10 (nonFraction:
format, scale, sign), Transformation Rules Registry 1-5; Handling Duplicate Facts in XBRL and Inline XBRL 1.0.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from duecourse.findings import Finding, Severity
from duecourse.intake.statements.labels import folded, lines
from duecourse.intake.statements.layout import FLOWS, Account
from duecourse.intake.statements.xml_safely import Node, parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

INSTANCE: Final = "http://www.xbrl.org/2003/instance"
INLINE: Final = frozenset({"http://www.xbrl.org/2013/inlineXBRL", "http://www.xbrl.org/2008/inlineXBRL"})
CONSOLIDATION: Final = "ConsolidatedAndSeparateFinancialStatementsAxis"
MONTH_DAYS: Final = 30.4375
SLACK_DAYS: Final = 8
"""A year of 52 or 53 weeks, a month of 28 or 31 days."""
MOST_MONTHS: Final = 24
CHINESE: Final = re.compile(r"mof\.gov\.cn|csrc|sse\.com|szse|/cas\b", re.IGNORECASE)


@dataclass(frozen=True)
class Context:
    """When and of what a fact speaks: `start` is None for an instant; `separate` for the legal entity alone; `whole` for no further dimension."""

    end: date
    start: date | None
    separate: bool
    whole: bool

    @property
    def months(self) -> int | None:
        """How many months it lasts; None for an instant, and for a span that is no whole number of them."""
        if self.start is None:
            return None
        days = (self.end - self.start).days + 1
        months = round(days / MONTH_DAYS)
        return months if 1 <= months <= MOST_MONTHS and abs(days - months * MONTH_DAYS) <= SLACK_DAYS else None


@dataclass(frozen=True)
class Fact:
    """A number of a report: its line, value in units of the currency, and half its last digit (0 = exact)."""

    item: str
    rank: int
    part: str
    value: Decimal
    margin: Decimal
    currency: str
    context: Context
    element: str
    standard: str


def read_xbrl(content: bytes, source: str) -> tuple[list[Account], list[Finding]]:
    """Every period of a report, the newest first, and what was doubtful. Raises FileUnreadableError."""
    root = parse(content, source)
    inline = [node for node in root.all() if node.name[0] in INLINE]
    findings: list[Finding] = []
    contexts, units, found = _contexts(root), _units(root), []
    for node in inline or root.children:
        if inline and node.name[1] != "nonFraction":
            continue
        fact = _fact(node, contexts, units, findings, source, inline=bool(inline))
        if fact is not None:
            found.append(fact)
    told = {fact.standard for fact in found}  # the Chinese taxonomy takes most of its elements from that of IFRS
    standard = "CAS" if "CAS" in told else "US_GAAP" if "US_GAAP" in told else "IFRS"
    return _accounts(found, standard, findings, source), findings


# Contexts and units


def _contexts(root: Node) -> dict[str, Context]:
    found = {}
    for node in root.all():
        if node.name == (INSTANCE, "context"):
            made = _context(node)
            if made is not None:
                found[node.attributes.get("id", "")] = made
    return found


def _context(node: Node) -> Context | None:
    period = next((child for child in node.children if child.name == (INSTANCE, "period")), None)
    said = {child.name[1]: child.text.strip() for child in period.children} if period else {}
    start = _day(said.get("startDate", ""), end=False)
    end = _day(said.get("endDate") or said.get("instant", ""), end=True)
    if end is None or ("endDate" in said and start is None):
        return None
    separate, whole = False, True
    for one in node.all():
        if one.name[1] == "typedMember":
            whole = False
        elif one.name[1] == "explicitMember":
            axis, member = one.named(one.attributes.get("dimension", ""))[1], one.named(one.text)[1]
            if axis == CONSOLIDATION and member in ("SeparateMember", "ConsolidatedMember"):
                separate = member == "SeparateMember"
            else:
                whole = False
    # What stands in a segment or scenario without being a dimension narrows the context, too.
    for one in node.all():
        if one.name[1] in ("segment", "scenario") and any(child.name[1] not in ("explicitMember", "typedMember") for child in one.children):
            whole = False
    return Context(end, start, separate, whole)


def _day(text: str, *, end: bool) -> date | None:
    """A day of a context. With a time: midnight at the end of a period belongs to the day before (XBRL 2.1 §4.7.2)."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?)?", text)
    if not match:
        return None
    try:
        day = date.fromisoformat(match[1])
    except ValueError:
        return None
    return day - timedelta(days=1) if end and match[2] == "00:00:00" else day


def _units(root: Node) -> dict[str, str]:
    """The units that are a currency alone; per share, shares and ratios are left out."""
    found = {}
    for node in root.all():
        if node.name == (INSTANCE, "unit"):
            measures = [child for child in node.children if child.name == (INSTANCE, "measure")]
            if len(measures) == 1 and len(node.children) == 1:
                space, local = measures[0].named(measures[0].text)
                if space.endswith("iso4217") and re.fullmatch(r"[A-Z]{3}", local):
                    found[node.attributes.get("id", "")] = local
    return found


# Facts


@cache
def _tags() -> Mapping[str, Mapping[str, tuple[str, int, str]]]:
    """Taxonomy -> element -> (line, how good it is, part)."""
    said = tomllib.loads(resources.files(__package__).joinpath("xbrl_tags.toml").read_text(encoding="utf-8"))
    found: dict[str, dict[str, tuple[str, int, str]]] = {}
    for taxonomy, items in said.items():
        known = found.setdefault(taxonomy, {})
        for item, elements in items.pop("parts", {}).items():
            known |= {element: (item, 99, element) for element in elements}
        for item, elements in items.items():
            known |= {element: (item, rank, "") for rank, element in enumerate(elements)}
    return found


def line_of(space: str, local: str) -> tuple[str, int, str] | None:
    """Which line an element stands for: (line, rank among its elements, part); None for all that are not wanted."""
    if "us-gaap" in space:
        return _tags()["us-gaap"].get(local)
    if "ifrs" in space:
        return _tags()["ifrs-full"].get(local)
    if CHINESE.search(space):
        line = lines().get(folded(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", local)))
        return (line[0], 50, line[1]) if line else _tags()["ifrs-full"].get(local)
    return None


def _fact(
    node: Node, contexts: Mapping[str, Context], units: Mapping[str, str], findings: list[Finding], source: str, *, inline: bool
) -> Fact | None:
    space, local = node.named(node.attributes.get("name", "")) if inline else node.name
    line = line_of(space, local)
    context, currency = contexts.get(node.attributes.get("contextRef", "")), units.get(node.attributes.get("unitRef", ""))
    if line is None or context is None or currency is None or not context.whole:
        return None
    if any(key.endswith(":nil") and value in ("true", "1") for key, value in node.attributes.items()):
        return None
    if (context.start is not None) != (line[0] in FLOWS):
        return None  # a balance is of an instant, a flow of a span: what says otherwise is another thing under this name
    try:
        value = _inline_value(node) if inline else Decimal(node.text.strip())
    except (InvalidOperation, KeyError):
        value = None
    if value is None or not value.is_finite():
        findings.append(Finding("xbrl_value_unreadable", Severity.WARNING, source, value=node.text.strip()[:60], args={"element": local}))
        return None
    return Fact(line[0], line[1], line[2], value, _margin(node, value), currency, context, local, _standard(space))


def _standard(space: str) -> str:
    return "US_GAAP" if "us-gaap" in space else "IFRS" if "ifrs" in space else "CAS"


def _margin(node: Node, value: Decimal) -> Decimal:
    """Half a unit of the last digit that is meant, from `decimals` or `precision`."""
    decimals, precision = node.attributes.get("decimals", ""), node.attributes.get("precision", "")
    if re.fullmatch(r"-?\d{1,3}", decimals):
        return Decimal(5).scaleb(-int(decimals) - 1)
    if re.fullmatch(r"[1-9]\d{0,2}", precision) and value:
        return Decimal(5).scaleb(value.adjusted() - int(precision))
    return Decimal(0)


def _inline_value(node: Node) -> Decimal | None:
    text = node.text.strip()
    format_ = node.attributes.get("format", "").rpartition(":")[2].lower().replace("-", "")
    plain = _transformed(format_, text)
    if plain is None:
        return None
    value = Decimal(plain).scaleb(int(node.attributes.get("scale", "0")))
    return -value if node.attributes.get("sign") == "-" else value


_SPACES: Final = re.compile(r"[\s\u00a0\u2009\u202f]")


def _transformed(format_: str, text: str) -> str | None:
    """Text as its format says it is to be read, as a plain decimal; None for a format or text that cannot be.

    >>> _transformed("numcommadecimal", "1.234,5")
    '1234.5'
    """
    if format_ in ("zerodash", "fixedzero", "numdash"):
        return "0"
    if format_ in ("numdotdecimal", "numcommadot", "numspacedot", "numdotdecimalapos", "numdotdecimalin", ""):
        plain = re.sub(r"[,'’]", "", text) if format_ else text
    elif format_ in ("numcommadecimal", "numdotcomma", "numspacecomma", "numcommadecimalapos"):
        plain = re.sub(r"[.'’]", "", text).replace(",", ".")
    elif format_ == "numcomma":
        plain = text.replace(",", ".")
    elif format_.startswith("numunitdecimal"):
        found = re.findall(r"[\d.,]+", _SPACES.sub("", text))
        plain = ".".join(re.sub(r"[.,]", "", part) for part in found[:2])
    else:
        return None
    plain = _SPACES.sub("", plain)
    return plain if re.fullmatch(r"\d+(\.\d+)?|\.\d+" if format_ else r"[+-]?(\d+(\.\d*)?|\.\d+)", plain) else None


# Periods


def _accounts(facts: Sequence[Fact], standard: str, findings: list[Finding], source: str) -> list[Account]:
    currencies = Counter(fact.currency for fact in facts)
    if not currencies:
        return []
    currency = currencies.most_common(1)[0][0]  # others are translations for convenience
    kept = [fact for fact in facts if fact.currency == currency]
    ends = {(fact.context.end, fact.context.separate) for fact in kept}
    with_flows = {(fact.context.end, fact.context.separate) for fact in kept if fact.context.start is not None}
    found = []
    for end, separate in sorted(with_flows or ends, reverse=True):
        here = [fact for fact in kept if (fact.context.end, fact.context.separate) == (end, separate)]
        months = max((fact.context.months or 0 for fact in here), default=0)
        one = Account(period_end=end, period_months=months or None, currency=currency, standard=standard, consolidated=not separate, unit=1)
        _fill(one, [fact for fact in here if fact.context.start is None or fact.context.months == months], findings, source)
        if one.values.keys() & {"total_assets", "revenue", "net_income"}:
            found.append(one)
    return found


def _fill(one: Account, facts: Sequence[Fact], findings: list[Finding], source: str) -> None:
    told: dict[str, dict[tuple[int, str], list[Fact]]] = defaultdict(lambda: defaultdict(list))
    for fact in facts:
        told[fact.item][fact.rank, fact.part].append(fact)
    for item, ways in told.items():
        parts: dict[str, Decimal] = {}
        for (_rank, part), same in sorted(ways.items(), key=lambda way: way[0]):
            value = _agreed(same)
            if value is None:
                values = " / ".join(f"{fact.value:,f}" for fact in same[:4])
                args: dict[str, Any] = {"element": same[0].element, "period": str(one.period_end)}
                findings.append(Finding("xbrl_facts_conflict", Severity.ERROR, source, value=values, args=args))
            elif part:
                parts[part] = value
            else:
                one.values[item] = float(value)
                break
        if item not in one.values and parts:
            one.values[item] = float(sum(parts.values()))


def _agreed(facts: Sequence[Fact]) -> Decimal | None:
    """The most precise of facts that say the same within their precision; None where they do not."""
    best = min(facts, key=lambda fact: fact.margin)
    if all(abs(fact.value - best.value) <= fact.margin + best.margin for fact in facts):
        return best.value
    return None
