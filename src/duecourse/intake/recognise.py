"""Which column stands for what, which system wrote the file, and what kind of list it is: told from headings and content, never from position."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from duecourse.intake.habits import EMPTY, EMPTY_DATES, ISO_CURRENCIES, DateEvidence, date_evidence, looks_like_amount, tidy
from duecourse.intake.header import normalise
from duecourse.intake.sources import HELPERS, ROLES, Kind, Source, sources

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
    return code if code in ISO_CURRENCIES else CURRENCY_NAMES.get(tidy(text).upper(), CURRENCY_NAMES.get(tidy(text), ""))


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
        sum(1 for cell in filled if re.fullmatch(r"\s*-?\d{1,4}(\.0+)?\s*(天|days?|d|日|Tage)?\s*", cell, re.IGNORECASE)) / per,
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
    rows, columns = len(weights), len(weights[0]) if weights else 0
    far = float("inf")
    row_price, column_price = [0.0] * (rows + 1), [0.0] * (columns + 1)
    taken = [0] * (columns + 1)
    for row in range(1, rows + 1):
        taken[0] = row
        at = 0
        slack, came_from, done = [far] * (columns + 1), [0] * (columns + 1), [False] * (columns + 1)
        while True:
            done[at] = True
            current, delta, nearest = taken[at], far, 0
            for column in range(1, columns + 1):
                if done[column]:
                    continue
                reduced = -weights[current - 1][column - 1] - row_price[current] - column_price[column]
                if reduced < slack[column]:
                    slack[column], came_from[column] = reduced, at
                if slack[column] < delta:
                    delta, nearest = slack[column], column
            for column in range(columns + 1):
                if done[column]:
                    row_price[taken[column]] += delta
                    column_price[column] -= delta
                else:
                    slack[column] -= delta
            at = nearest
            if not taken[at]:
                break
        while at:
            taken[at] = taken[came_from[at]]
            at = came_from[at]
    result = [-1] * rows
    for column in range(1, columns + 1):
        if taken[column]:
            result[taken[column] - 1] = column - 1
    return result


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

    def take(role: str, index: int, confidence: float) -> None:
        extra.append(Recognised(role, index, columns[index], confidence))
        have.add(role)
        free.remove(index)

    if "currency" not in have and not have & {"base_currency", "quote_currency"}:
        for index in [i for i in free if contents[i].currency_share > 0.95]:
            take("currency", index, 0.6)
            break
    essential = have & {"document_id", "amount", "open_amount", "buyer_id", "buyer_name", "debit"}
    if len(essential) >= 2 or have & {"rate", "base_currency"}:
        return extra
    dates = [i for i in free if contents[i].date_share > 0.95]
    if "issue_date" not in have and "due_date" not in have and dates:
        take("issue_date", dates[0], 0.3)
        if len(dates) > 1:
            take("due_date", dates[1], 0.3)
    if not have & {"amount", "open_amount", "debit"}:
        amounts = [i for i in free if contents[i].amount_share > 0.95 and contents[i].date_share < 0.5]
        spread = [i for i in amounts if contents[i].distinct > 0.5 * contents[i].filled]
        if spread:
            take("amount", max(spread, key=lambda i: contents[i].distinct), 0.3)
    if "document_id" not in have:
        unique = [
            i
            for i in free
            if contents[i].distinct == contents[i].filled and contents[i].share_filled > 0.95 and contents[i].date_share < 0.5
        ]
        if unique:
            take("document_id", unique[0], 0.3)
    if not have & {"buyer_id", "buyer_name"}:
        repeated = [
            i
            for i in free
            if 1 < contents[i].distinct < 0.8 * contents[i].filled and contents[i].date_share < 0.5 and contents[i].mean_length >= 3
        ]
        if repeated:
            take("buyer_id", max(repeated, key=lambda i: contents[i].distinct), 0.3)
    return extra


# --- shape --------------------------------------------------------------------------------------------------------------------------------

SHAPES: Final = ("transactions", "open_items", "payments", "buyers", "disputes", "rates")
_OPEN_WORDS: Final = re.compile(
    r"open|outstanding|unpaid|aged|age?ing|未清|未收|未核销|账龄|欠款|余额|offene|fällig|impay|pendiente", re.IGNORECASE
)
_PAYMENT_WORDS: Final = re.compile(r"payment|receipt|收款|回款|zahlung|règlement|encaissement|cobro", re.IGNORECASE)


def shape_of(
    have: Mapping[str, int], columns: Sequence[str], sample: Sequence[Sequence[str]], titles: str, source: Source
) -> tuple[str, float]:  # noqa: C901, PLR0911
    """What kind of list is it? One of SHAPES, with confidence.

    transactions: what was billed, perhaps with what was paid; open_items: what is still open on one day; payments: rows that settle invoices;
    buyers: master data; disputes; rates: exchange rates.
    """
    money = {"amount", "open_amount", "paid_amount", "debit", "credit", "local_amount"} & set(have)
    if (
        "rate" in have
        and ({"rate_date", "issue_date", "posting_date"} & set(have))
        and {"base_currency", "quote_currency", "currency"} & set(have)
    ):
        if not {"document_id", "buyer_id"} & set(have) or {"base_currency", "quote_currency"} <= set(have):
            return "rates", 0.95
    if (
        not money
        and {"buyer_id", "buyer_name"} & set(have)
        and not {"due_date", "settle_date", "document_id", "dispute_reason"} & set(have)
    ):
        return "buyers", 0.9
    if ("dispute_reason" in have or "disputed_amount" in have) and "due_date" not in have and "open_amount" not in have:
        return "disputes", 0.85
    if source.shape:
        return source.shape, 0.9
    if "due_date" not in have and "applied_to" in have and "debit" not in have and "open_amount" not in have:
        return "payments", 0.9
    if "due_date" not in have and "settle_date" in have and "issue_date" not in have and money:
        return "payments", 0.85
    if "due_date" not in have and "payment_method" in have and "open_amount" not in have and "debit" not in have:
        return "payments", 0.75
    if "settle_date" in have or {"debit", "credit"} <= set(have):
        return "transactions", 0.95
    if "snapshot_date" in have and money:
        return "open_items", 0.9
    if "open_amount" not in have and "amount" in have and _OPEN_WORDS.search(columns[have["amount"]]):
        return "open_items", 0.85
    if "open_amount" in have:
        cells = [tidy(row[have["open_amount"]]) for row in sample if have["open_amount"] < len(row)]
        cleared = sum(1 for cell in cells if re.fullmatch(r"[-+]?0*([.,]0*)?", cell) and cell)
        if cleared > 0.02 * max(len(cells), 1):
            return "transactions", 0.85
        return "open_items", 0.9 if _OPEN_WORDS.search(titles) or "amount" not in have else 0.8
    if _OPEN_WORDS.search(titles):
        return "open_items", 0.7
    if "due_date" not in have and _PAYMENT_WORDS.search(titles) and money:
        return "payments", 0.7
    if "document_type" in have:
        kinds = Counter(normalise(row[have["document_type"]]) for row in sample if have["document_type"] < len(row))
        if len(kinds) > 1:
            return "transactions", 0.85
    return "transactions", 0.6


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
        credits = [row for row in sample if row[have["debit_credit"]].strip().lower() in CREDIT_SIGNS]
        return ("as_is" if credits and all(negative(row) for row in credits) else "indicator"), ()
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
