"""Which column stands for what, which system wrote the file, and what kind of list it is: told from headings and content, never from position."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from duecourse.intake.habits import EMPTY, EMPTY_DATES, DateEvidence, date_evidence, looks_like_amount, tidy
from duecourse.intake.header import normalise
from duecourse.intake.sources import HELPERS, ROLES, Kind, Source, sources
from duecourse.reference.currencies import CURRENCIES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

CURRENCY_NAMES: Final = {
    "人民币": "CNY", "人民币元": "CNY", "RMB": "CNY", "CNH": "CNY", "¥": "CNY", "￥": "CNY", "元": "CNY", "美元": "USD", "US$": "USD", "$": "USD",
    "欧元": "EUR", "€": "EUR", "EURO": "EUR", "英镑": "GBP", "£": "GBP", "日元": "JPY", "日圆": "JPY", "港币": "HKD", "港元": "HKD", "HK$": "HKD",
    "澳元": "AUD", "加元": "CAD", "新加坡元": "SGD", "新台币": "TWD", "韩元": "KRW", "瑞士法郎": "CHF", "泰铢": "THB", "卢布": "RUB",
}  # fmt: skip
"""Currencies as people write them."""

FLAGS_TRUE: Final = ("yes", "y", "true", "1", "x", "是", "有", "ja", "oui", "sí", "si", "disputed", "争议", "有争议")
FLAGS_FALSE: Final = ("no", "n", "false", "0", "否", "无", "nein", "non", "")


CREDIT_KINDS: Final = ("credit_note", "payment", "advance", "write_off", "return", "discount", "deduction", "set_off")
"""Kinds of document that reduce what is owed."""
CREDIT_SIGNS: Final = ("h", "c", "cr", "credit", "haben", "贷", "贷方", "-", "2")
"""What a debit/credit column says for credit."""


_WHOLE: Final = re.compile(r"\s*-?\d{1,4}(\.0+)?\s*(天|days?|d|日|Tage)?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class ColumnContent:
    """What a look at a column's cells shows: shares are of the filled cells."""

    filled: int
    share_filled: float
    distinct: int
    date_share: float
    amount_share: float
    currency_share: float
    flag_share: float
    whole_share: float
    serial_share: float
    dates: DateEvidence
    mean_length: float


@cache
def _currency_code(text: str) -> str:
    code = tidy(text).upper()
    return code if code in CURRENCIES else CURRENCY_NAMES.get(tidy(text).upper(), CURRENCY_NAMES.get(tidy(text), ""))


def content_of(cells: Sequence[str]) -> ColumnContent:
    """Look at one column."""
    filled = [cell for cell in cells if cell.strip().lower() not in EMPTY and cell.strip() not in EMPTY_DATES]
    count = len(filled)
    evidence = date_evidence(filled)
    per = max(count, 1)
    serials = evidence.kinds["serial"]
    return ColumnContent(
        count,
        count / max(len(cells), 1),
        len(set(filled)),
        (evidence.dates - serials) / per,
        sum(1 for cell in filled if looks_like_amount(cell)) / per,
        sum(1 for cell in filled if len(cell) < 8 and _currency_code(cell)) / per,
        sum(1 for cell in filled if cell.strip().lower() in FLAGS_TRUE + FLAGS_FALSE) / per,
        sum(1 for cell in filled if _WHOLE.fullmatch(cell)) / per,
        serials / per,
        evidence,
        sum(len(cell.strip()) for cell in filled) / per,
    )


def _fits(kind: Kind, content: ColumnContent) -> float:
    """How well does the content suit a role of this kind, 0 to 1? An empty column suits any."""
    if not content.filled:
        return 0.8
    if kind == "date":
        return max(content.date_share, 0.9 * content.serial_share)
    if kind == "amount":
        return content.amount_share * (
            0.2 if content.date_share > 0.9 and content.dates.kinds["compact"] + content.dates.kinds["serial"] < content.filled else 1.0
        )
    if kind == "currency":
        return content.currency_share
    if kind == "flag":
        return content.flag_share
    if kind == "whole":
        return content.whole_share
    if kind == "id":
        return 0.2 if content.date_share > 0.8 and not content.dates.kinds["compact"] else 1.0
    return 0.5 if content.date_share > 0.8 else 1.0


@dataclass(frozen=True)
class Recognised:
    """One column recognised: its place in the file, its name and how sure we are."""

    role: str
    index: int
    column: str
    confidence: float


def detect_source(columns: Sequence[str]) -> tuple[Source, float]:
    """Which system wrote this header? The generic one when none of the signatures fits."""
    present = frozenset(normalise(column) for column in columns)
    best, best_score, best_share = sources()["generic"], 0.0, 0.0
    for source in sources().values():
        if not source.signature:
            continue
        hits = len(source.signature & present)
        share = hits / len(source.signature)
        aliases = {alias for names in source.roles.values() for alias in names}
        known = len(aliases & present) / max(len(present), 1)
        score = hits + 4 * share + 3 * known
        if hits >= source.signature_least and score > best_score:
            best, best_score, best_share = source, score, min(1.0, 0.4 + 0.1 * hits + 0.4 * known)
    return best, best_share if best_score else 0.3


_UNIT: Final = re.compile(r"[(（\[【]?\s*(?:单位[:：]?)?\s*(万元|亿元|千元|元|rmb|cny|usd|eur|人民币)\s*[)）\]】]?\s*$", re.IGNORECASE)


def heading_key(column: str) -> str:
    """A heading for looking up: without a unit or currency in brackets and without the number of a repeated heading."""
    bare = re.sub(r"\s\(\d+\)$", "", column)
    shorter = re.sub(r"[(（\[【][^)）\]】]*[)）\]】]\s*$", "", bare).strip()
    unitless = _UNIT.sub("", bare).strip()
    return normalise(bare) if not shorter else normalise(unitless if len(unitless) < len(bare) and unitless else shorter)


def score(column: str, role: str, kind: Kind, content: ColumnContent, source: Source) -> float:
    """How well does this column stand for this role, 0 to 1?"""
    exact, bare = normalise(column), heading_key(column)
    generic = sources()["generic"]
    name = 0.0
    for aliases, weight in ((source.roles.get(role, ()), 1.0), (generic.roles.get(role, ()), 0.94)):
        if exact in aliases:
            name = max(name, weight - 0.005 * min(aliases.index(exact), 20))
        elif bare in aliases:
            name = max(name, weight - 0.03 - 0.005 * min(aliases.index(bare), 20))
    if not name:
        if any(exact in other.roles.get(role, ()) for other in sources().values()):
            name = 0.8
        elif not any(exact in names or bare in names for one in (source, generic) for names in one.roles.values()):
            name = _alike(bare, role, source)
    if not name:
        return 0.0
    fit = _fits(kind, content)
    return name * (1.0 if fit > 0.9 else 0.5 + 0.5 * fit if fit > 0.5 else 0.25 * fit)


def _alike(heading: str, role: str, source: Source) -> float:
    """A heading that contains an alias, or is nearly one."""
    best = 0.0
    for alias in (*source.roles.get(role, ()), *sources()["generic"].roles.get(role, ())):
        wide = not alias.isascii()
        if len(alias) >= (2 if wide else 5) and len(heading) >= len(alias) and alias in heading:
            best = max(best, 0.45 + 0.35 * len(alias) / len(heading))
        elif len(alias) >= 5 and abs(len(alias) - len(heading)) <= 3:
            ratio = difflib.SequenceMatcher(None, alias, heading, autojunk=False).ratio()
            if ratio >= 0.87:
                best = max(best, 0.75 * ratio)
    return best


def assign(weights: Sequence[Sequence[float]]) -> list[int]:
    """The matching of rows to columns with the largest sum: for each row its column (Hungarian method, rows ≤ columns).

    Source: H. W. Kuhn, The Hungarian Method for the Assignment Problem, Naval Research Logistics Quarterly 2 (1955).
    """
    if not weights:
        return []
    cost = -np.asarray(weights, dtype=np.float64)
    rows, columns = cost.shape
    row_price, column_price = np.zeros(rows + 1), np.zeros(columns + 1)
    row_of, came_from = np.zeros(columns + 1, dtype=np.int64), np.zeros(columns + 1, dtype=np.int64)
    for row in range(1, rows + 1):
        row_of[0], at = row, 0
        slack, done = np.full(columns + 1, np.inf), np.zeros(columns + 1, dtype=bool)
        while row_of[at]:
            done[at] = True
            reduced = np.concatenate([[np.inf], cost[row_of[at] - 1] - row_price[row_of[at]] - column_price[1:]])
            nearer = ~done & (reduced < slack)
            slack[nearer], came_from[nearer] = reduced[nearer], at
            nearest = int(np.argmin(np.where(done, np.inf, slack)))
            step = slack[nearest]
            row_price[row_of[done]] += step
            column_price[done] -= step
            slack[~done] -= step
            at = nearest
        while at:
            row_of[at] = row_of[came_from[at]]
            at = int(came_from[at])
    column_of = dict(zip(row_of[1:].tolist(), range(columns), strict=True))
    return [column_of[row] for row in range(1, rows + 1)]


def map_columns(columns: Sequence[str], contents: Sequence[ColumnContent], source: Source) -> list[Recognised]:
    """Which column stands for which role? Each column for at most one, each role by at most one; the sum of the scores is largest."""
    roles: dict[str, Kind] = {**ROLES, **HELPERS}
    names = list(roles)
    ignored = {alias for one in (source, sources()["generic"]) for alias in one.roles.get("ignore", ())}
    weights: list[list[float]] = []
    for column, content in zip(columns, contents, strict=True):
        dropped = normalise(column) in ignored and not any(
            normalise(column) in aliases for role, aliases in source.roles.items() if role != "ignore"
        )
        row = [0.0 if dropped or role == "ignore" else score(column, role, kind, content, source) for role, kind in roles.items()]
        weights.append([*row, *([0.0] * len(columns))])  # a column may stay unused
    chosen = assign(weights)
    found = [
        Recognised(names[role], index, columns[index], round(weights[index][role], 2))
        for index, role in enumerate(chosen)
        if 0 <= role < len(names) and weights[index][role] >= 0.3
    ]
    return found + _by_content(columns, contents, found, ignored)


def _by_content(
    columns: Sequence[str], contents: Sequence[ColumnContent], found: Sequence[Recognised], ignored: set[str]
) -> list[Recognised]:
    """What headings leave open, content may suggest: a column of currency codes, of dates, of distinct numbers, of amounts."""
    have = {one.role for one in found}
    used = {one.index for one in found}
    free = [i for i, column in enumerate(columns) if i not in used and normalise(column) not in ignored and contents[i].filled]
    extra: list[Recognised] = []

    def take(
        role: str, confidence: float, unless: set[str], suits: Callable[[ColumnContent], bool], *, most_distinct: bool = False
    ) -> None:
        places = [index for index in free if suits(contents[index])]
        if have & unless or not places:
            return
        index = max(places, key=lambda place: contents[place].distinct) if most_distinct else places[0]
        extra.append(Recognised(role, index, columns[index], confidence))
        have.add(role)
        free.remove(index)

    take("currency", 0.6, {"currency", "base_currency", "quote_currency"}, lambda one: one.currency_share > 0.95)
    if len(have & {"document_id", "amount", "open_amount", "buyer_id", "buyer_name", "debit"}) >= 2 or have & {"rate", "base_currency"}:
        return extra
    headed = set(have)
    take("issue_date", 0.3, {"issue_date", "due_date"}, lambda one: one.date_share > 0.95)
    take("due_date", 0.3, {"due_date"} | ({"issue_date"} & headed), lambda one: one.date_share > 0.95)
    undated = [one for one in contents if one.date_share < 0.5]
    take(
        "amount",
        0.3,
        {"amount", "open_amount", "debit"},
        lambda one: one in undated and one.amount_share > 0.95 and one.distinct > 0.5 * one.filled,
        most_distinct=True,
    )
    take("document_id", 0.3, {"document_id"}, lambda one: one in undated and one.distinct == one.filled and one.share_filled > 0.95)
    take(
        "buyer_id",
        0.3,
        {"buyer_id", "buyer_name"},
        lambda one: one in undated and 1 < one.distinct < 0.8 * one.filled and one.mean_length >= 3,
        most_distinct=True,
    )
    return extra


# --- shape --------------------------------------------------------------------------------------------------------------------------------

SHAPES: Final = ("transactions", "open_items", "payments", "buyers", "disputes", "rates", "limits")
_OPEN_WORDS: Final = re.compile(
    r"open|outstanding|unpaid|aged|age?ing|未清|未收|未核销|账龄|欠款|余额|offene|fällig|impay|pendiente", re.IGNORECASE
)
_OF_A_PROFILE: Final = ("city", "sector", "customer_since", "vat_number", "legal_form", "term_code", "sales_owner", "document_id")
_PAYMENT_WORDS: Final = re.compile(r"payment|receipt|收款|回款|zahlung|règlement|encaissement|cobro", re.IGNORECASE)


def shape_of(
    have: Mapping[str, int], columns: Sequence[str], sample: Sequence[Sequence[str]], titles: str, source: Source
) -> tuple[str, float]:
    """What kind of list is it? One of SHAPES, with confidence; the first rule that holds.

    transactions: what was billed, perhaps with what was paid; open_items: what is still open on one day; payments: rows that settle invoices;
    buyers: master data; disputes; rates: exchange rates; limits: credit limits.
    """
    roles = set(have)

    def any_of(*names: str) -> bool:
        return bool(roles & set(names))

    def none_of(*names: str) -> bool:
        return not roles & set(names)

    def cells(role: str) -> list[str]:
        return [tidy(row[have[role]]) for row in sample if have[role] < len(row)] if role in have else []

    money = any_of("amount", "open_amount", "paid_amount", "debit", "credit", "local_amount")
    pair = {"base_currency", "quote_currency"} <= roles
    rated = (
        "rate" in roles
        and any_of("rate_date", "issue_date", "posting_date", "valid_from")
        and any_of("base_currency", "quote_currency", "currency")
    )
    cleared = sum(1 for cell in cells("open_amount") if re.fullmatch(r"[-+]?0+([.,]0*)?", cell))
    open_heading = "amount" in have and bool(_OPEN_WORDS.search(columns[have["amount"]]))
    open_titles = bool(_OPEN_WORDS.search(titles))
    undue = "due_date" not in roles
    unposted = none_of("debit", "open_amount")
    whose = any_of("buyer_id", "buyer_name", "registration_number", "group_id")
    dated = any_of("limit_kind", "limit_id", "valid_from", "valid_to", "review_on")
    bare = not money and none_of(*_OF_A_PROFILE)  # a buyer, its limit and little else; in a customer list the limit is one word of many
    limited = ("limit_amount" in roles and (dated or bare)) or ("amount" in roles and any_of("limit_kind", "limit_id", "valid_to"))
    billed = any_of("open_amount", "paid_amount", "debit", "credit", "due_date", "settle_date", "applied_to", "order_number", "rate")
    rules = [
        ("limits", 0.9, whose and limited and not billed),
        ("rates", 0.95, rated and (pair or none_of("document_id", "buyer_id"))),
        (
            "buyers",
            0.9,
            not money and any_of("buyer_id", "buyer_name") and none_of("due_date", "settle_date", "document_id", "dispute_reason"),
        ),
        ("disputes", 0.85, any_of("dispute_reason", "disputed_amount") and undue and "open_amount" not in roles),
        (source.shape, 0.9, bool(source.shape)),
        ("payments", 0.9, undue and "applied_to" in roles and unposted),
        ("payments", 0.85, undue and "settle_date" in roles and "issue_date" not in roles and money),
        ("payments", 0.75, undue and "payment_method" in roles and unposted),
        ("transactions", 0.95, "settle_date" in roles or {"debit", "credit"} <= roles),
        ("open_items", 0.9, "snapshot_date" in roles and money),
        ("open_items", 0.85, "open_amount" not in roles and open_heading),
        ("transactions", 0.85, cleared > 0.02 * max(len(sample), 1)),
        ("open_items", 0.9, "open_amount" in roles and (open_titles or "amount" not in roles)),
        ("open_items", 0.8, "open_amount" in roles),
        ("open_items", 0.7, open_titles),
        ("payments", 0.7, undue and bool(_PAYMENT_WORDS.search(titles)) and money),
        ("transactions", 0.85, len(Counter(map(normalise, cells("document_type")))) > 1),
        ("transactions", 0.6, True),
    ]
    return next((shape, confidence) for shape, confidence, holds in rules if holds)


def sign_of(have: Mapping[str, int], sample: Sequence[Sequence[str]], source: Source) -> tuple[str, tuple[str, ...]]:
    """How are amounts signed, and which kinds of document are credits written without a minus?

    as_is: credits are negative; indicator: a debit/credit column tells; by_type: the kinds named are positive although they reduce what is owed.
    """
    amount = have.get("amount", have.get("open_amount"))
    if amount is None:
        return "as_is", ()

    def negative(row: Sequence[str]) -> bool:
        return bool(re.search(r"^\s*[^\d]*[-−(]|-\s*$", row[amount]))

    if "debit_credit" in have:
        marked = [row for row in sample if row[have["debit_credit"]].strip().lower() in CREDIT_SIGNS]
        return ("as_is" if marked and all(negative(row) for row in marked) else "indicator"), ()
    if "document_type" not in have:
        return "as_is", ()
    table = {**sources()["generic"].document_types, **source.document_types}
    signs: dict[str, set[bool]] = {}
    for row in sample:
        kind = table.get(normalise(row[have["document_type"]]), "")
        if kind in CREDIT_KINDS and re.search(r"[1-9]", row[amount]):
            signs.setdefault(kind, set()).add(negative(row))
    positive = tuple(sorted(kind for kind, seen in signs.items() if seen == {False}))
    return ("by_type" if positive else "as_is"), positive
