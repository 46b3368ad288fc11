"""How the writer of a column writes dates and amounts, told from the column itself; each habit is one SQL expression from text to value.

An expression gives NULL for text it cannot read; `is_filled` tells such text from an empty cell. Nothing is decided row by row: a column
has one habit, so that 01/02/2025 is never read in two ways within a file.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

from duecourse.reference.currencies import CURRENCIES

EMPTY: Final = ("", "-", "--", "—", "/", "null", "none", "n/a", "na", "#n/a", "nan", "nat", "nil", "无", "\\n")
EMPTY_DATES: Final = ("0", "00000000", "00.00.0000", "0000-00-00", "00/00/0000", "0000/00/00", "0000-00-00 00:00:00")
_ZERO_DATE: Final = r"|0|0{8}|00[./-]00[./-]0000|0000[./-]00[./-]00(?:[ T]00:00:00)?"
MONEY: Final = "DECIMAL(38,6)"
NARROW_MONEY: Final = "DECIMAL(18,6)"

_WIDE: Final = "０１２３４５６７８９．，－＋（）￥／：　−–"
_NARROW: Final = "0123456789.,-+()¥/: --"
_SPACES: Final = "\u00a0\u202f\u2007\u2009"
_SYMBOLS: Final = r"[¥$€£₹₩฿₽]|US\$|HK\$|C\$|A\$|RMB|CNY|USD|EUR|GBP|JPY|HKD|CHF|人民币|美元|欧元"
_ANY_SYMBOL: Final = rf"{_SYMBOLS}|{'|'.join(CURRENCIES)}"


def quoted(text: str) -> str:
    """A text literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def is_filled(cell: str, *, date: bool = False) -> str:
    """SQL: does the cell hold anything? Dashes, NULL, N/A and (for dates) all zeros count as nothing."""
    nothing = r"-{0,2}|—|/|null|none|n/?a|#n/a|nan|nat|nil|无|\\n"
    pattern = rf"(?i)\s*(?:{nothing}{_ZERO_DATE if date else ''})\s*"
    return f"(NOT regexp_full_match({cell}, {quoted(pattern)}))"


def text_sql(cell: str) -> str:
    """SQL: the text without blanks around it, NULL when empty."""
    # a text without blanks at its ends is passed on uncopied, which is seven times as fast as trimming it
    return f"CASE WHEN {cell} = '' OR prefix({cell}, ' ') OR suffix({cell}, ' ') THEN nullif(trim({cell}), '') ELSE {cell} END"


def identifier_sql(cell: str) -> str:
    """SQL: an identifier as text; leading zeros stay, the ".0" of a number that passed through a float goes."""
    bare = f"nullif(regexp_replace(trim({cell}), '^([0-9]+)\\.0$', '\\1'), '')"
    return f"CASE WHEN {cell} = '' OR prefix({cell}, ' ') OR suffix({cell}, ' ') OR suffix({cell}, '.0') THEN {bare} ELSE {cell} END"


def name_sql(cell: str) -> str:
    """SQL: a short text; dashes and N/A count as nothing."""
    return f"CASE WHEN {is_filled(cell)} THEN trim({cell}) END"


# --- amounts ------------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AmountHabit:
    """How amounts are written.

    decimal   "." or ","
    grouping  the thousands separators seen: any of , . ' and space; empty = none
    plain     nothing but digits, a point and a leading sign: the fast way
    """

    decimal: str = "."
    grouping: str = ""
    plain: bool = True

    def sql(self, cell: str, money: str = MONEY) -> str:
        """SQL: the amount as `money`, a decimal type with six decimals; NULL when it cannot be read.

        Read besides the figures: signs before or behind, parentheses, CR / DR and 贷 / 借 (credit is negative), currency signs, 全角 digits,
        and 万元 or 亿元 behind the figure.
        """
        careful = f"CASE WHEN {is_filled(cell)} THEN {self._careful(cell, money)} END"
        if self.plain and self.decimal == ".":
            return f"coalesce(TRY_CAST({cell} AS {NARROW_MONEY})::{money}, {careful})"
        allowed = re.escape(self._allowed)
        figure = rf"(?:[0-9]+|[0-9]{{1,3}}(?:[{allowed}][0-9]{{3}})+)(?:{re.escape(self.decimal)}[0-9]*)?"
        front = f"CASE WHEN regexp_full_match({cell}, {quoted(rf'-?{figure}')}) THEN {self._figures(cell, money)}"
        behind = f"WHEN regexp_full_match({cell}, {quoted(rf'{figure}-')}) THEN -{self._figures(f'left({cell}, -1)', money)}"
        return f"{front} {behind} ELSE {careful} END"

    @property
    def _allowed(self) -> str:
        """Signs that may group thousands."""
        return "".join(sign for sign in ",. '’" if sign != self.decimal)

    def _figures(self, text: str, money: str) -> str:
        """SQL: text of figures only, with this habit's separators, as a number."""
        for sign in self._allowed if self.grouping or self.decimal == "," else ",":
            text = f"replace({text}, {quoted(sign)}, '')"
        if self.decimal == ",":
            text = f"replace({text}, ',', '.')"
        return f"TRY_CAST({text} AS {money})"

    def _careful(self, cell: str, money: str) -> str:
        decimal = re.escape(self.decimal)
        allowed = self._allowed
        grouped = rf"[0-9]{{1,3}}(?:[{re.escape(allowed)}][0-9]{{2,3}})*(?:[{re.escape(allowed)}][0-9]{{3}})"
        figure = rf"(?:{grouped}|[0-9]+)(?:{decimal}[0-9]*)?(?:E[+-]?[0-9]+)?|{decimal}[0-9]+"
        pattern = rf"^(\(|-|\+)?\s*(?:{_SYMBOLS}|[A-Z]{{3}}\s)?\s*(-|\+|\()?\s*({figure})\s*(万元|亿元|万|亿|元)?(?:\s*(?:{_SYMBOLS})|\s+[A-Z]{{3}})?\s*(-|\+|\))?\s*(DR|CR|D|C|S|H|借|贷)?\.?$"
        clean = f"upper(trim(translate(translate({cell}, {quoted(_SPACES)}, '    '), {quoted(_WIDE)}, {quoted(_NARROW)})))"
        parts = f"regexp_extract({clean}, {quoted(pattern)}, ['before', 'inner', 'figure', 'unit', 'behind', 'side'])"
        figures = "p.figure"
        for sign in allowed:
            figures = f"replace({figures}, {quoted(sign)}, '')"
        if self.decimal == ",":
            figures = f"replace({figures}, ',', '.')"
        unit = "CASE p.unit WHEN '万元' THEN 10000 WHEN '万' THEN 10000 WHEN '亿元' THEN 100000000 WHEN '亿' THEN 100000000 ELSE 1 END"
        minus = (
            "(CASE WHEN p.before = '-' OR p.inner = '-' OR p.behind = '-' OR ('(' IN (p.before, p.inner) AND p.behind = ')') THEN -1 ELSE 1 END"
            " * CASE WHEN p.side IN ('CR', 'C', 'H', '贷') THEN -1 ELSE 1 END)"
        )
        torn = "(('(' IN (p.before, p.inner)) <> (p.behind = ')'))"
        value = (
            f"CASE WHEN p.figure <> '' AND NOT {torn} THEN TRY_CAST(TRY_CAST({figures} AS DECIMAL(28,6)) * {unit} * {minus} AS {money}) END"
        )
        return f"list_transform([{parts}], lambda p: {value})[1]"


_FIGURES: Final = re.compile(r"\d[\d.,'’ ]*\d|\d")


def tidy(cell: str) -> str:
    """A cell without width and kinds of blanks: for looking, not for reading."""
    if cell.isascii():
        return cell.strip()
    return unicodedata.normalize("NFKC", cell).replace("−", "-").replace("–", "-").strip()


def _decimal_vote(figures: str) -> tuple[str, int]:
    """Which sign separates the decimals in these figures, and how strongly they say so (3, 2; 0 when they do not)."""
    points, commas = figures.count("."), figures.count(",")
    last = max(figures.rfind("."), figures.rfind(","))
    if points and commas:
        return figures[last], 3
    if points > 1 or commas > 1:
        return ("," if points else "."), 3
    if points or commas:
        behind = len(figures) - last - 1
        return figures[last], 2 if behind != 3 or last > 3 or figures.startswith("0") else 0
    return "", 0


def amount_habit(cells: Iterable[str], default_decimal: str = "") -> tuple[AmountHabit, float]:
    """How does this column write amounts, and how sure is that?

    A separator that stands twice in one figure groups thousands; the last of two kinds is the decimal sign; a separator before other than three
    figures is the decimal sign. Where nothing decides (1.234 only) the default, else the point, with low confidence.
    """
    votes: Counter[str] = Counter()
    separators: set[str] = set()
    plain = True
    undecided = False
    for cell in cells:
        text = tidy(cell)
        if text.lower() in EMPTY:
            continue
        plain = plain and bool(re.fullmatch(r"[+-]?\d+(\.\d*)?(E[+-]?\d+)?", cell.strip(), re.IGNORECASE))
        if match := _FIGURES.search(text):
            separators |= {"'" if sign == "’" else sign for sign in match.group() if sign in ".,'’ "}
            decimal, weight = _decimal_vote(match.group())
            votes[decimal] += weight
            undecided = undecided or bool(decimal and not weight)
    total = sum(votes.values())
    decimal = votes.most_common(1)[0][0] if total else default_decimal or "."
    sure = votes[decimal] / total if total else 1.0 if not undecided else 0.6 if default_decimal else 0.5
    return AmountHabit(decimal, "".join(sorted(separators - {decimal})), plain and decimal == "."), sure


_LETTERS: Final = re.compile("[A-Z$]")
_SYMBOL: Final = re.compile(rf"{_ANY_SYMBOL}|万元|亿元|万|亿|元")
_AMOUNT: Final = re.compile(r"[(+-]?\s*[\d][\d.,'’ ]*(?:E[+-]?\d+)?\s*[)+-]?\s*(DR|CR|D|C|借|贷)?")
_FRACTION: Final = re.compile(r"[+-]?\.\d+")


def looks_like_amount(cell: str) -> bool:
    """Is it an amount in any habit?"""
    if cell.isascii() and cell.isdecimal():
        return True
    text = tidy(cell).upper()
    if not text.isascii() or _LETTERS.search(text):
        text = _SYMBOL.sub("", text).strip()
    return bool(_AMOUNT.fullmatch(text) or _FRACTION.fullmatch(text))


# --- dates --------------------------------------------------------------------------------------------------------------------------------

_KINDS: Final = {
    "iso": re.compile(r"^(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ].*)?$"),
    "ymd": re.compile(r"^(\d{4})(?:[.]|年)\s?(\d{1,2})(?:[.]|月)\s?(\d{1,2})日?(?:\s.*)?$"),
    "compact": re.compile(r"^((?:19|20)\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?:\.0+)?$"),
    "numeric": re.compile(r"^(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?:[T ,].*)?$"),
    "day_month_name": re.compile(r"^(\d{1,2})[\s.-]+([^\W\d_]{3,12})\.?[\s.,-]+(\d{4}|\d{2})(?:\s.*)?$"),
    "month_name_day": re.compile(r"^([^\W\d_]{3,12})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4}|\d{2})(?:\s.*)?$", re.IGNORECASE),
    "serial": re.compile(r"^[1-7]\d{4}(?:\.\d+)?$"),
}
_MONTHS: Final = {
    1: "jan january januar janvier ene enero gen gennaio jän jänner",
    2: "feb february februar février févr fev fevrier febrero febbraio",
    3: "mar march märz mrz mär maerz mars marzo",
    4: "apr april avr avril abr abril aprile",
    5: "may mai mayo mag maggio",
    6: "jun june juni juin junio giu giugno",
    7: "jul july juli juil juillet julio lug luglio",
    8: "aug august août aout ago agosto",
    9: "sep sept september septembre septiembre set settembre",
    10: "oct october okt oktober octobre octubre ott ottobre",
    11: "nov november novembre noviembre",
    12: "dec december dez dezember déc décembre decembre dic diciembre dicembre",
}
MONTH_NUMBER: Final = {name: number for number, names in _MONTHS.items() for name in names.split()}


@dataclass(frozen=True)
class DateHabit:
    """How dates are written: the kinds seen in the column, for 01/02/2025 which figure is the day (dmy or mdy), and the commonest form.

    form  of most cells, as a strptime format: the fast way; empty = ISO, or none
    wide  some cells are written in 全角 figures
    """

    kinds: tuple[str, ...] = ("iso",)
    order: str = ""
    form: str = ""
    wide: bool = False

    def sql(self, cell: str) -> str:
        """SQL: the date; NULL when it cannot be read."""
        kinds = self.kinds or ("iso",)
        others = tuple(kind for kind in ("iso", "ymd", "compact", "numeric") if kind not in kinds)
        clean = f"trim(translate({cell}, {quoted(_WIDE)}, {quoted(_NARROW)}))"
        careful = self._careful(clean if self.wide else f"trim({cell})", kinds + others)
        if kinds[0] == "iso":
            fast = f"TRY_CAST({cell} AS DATE)"
        elif self.form:
            fast = f"try_strptime({cell}, {quoted(self.form)})::DATE"
        else:
            return f"CASE WHEN {cell} <> '' THEN {careful} END"
        # CASE, not coalesce, for what nearly every row takes: the optimizer computes for all rows what the branches of a coalesce share
        return f"CASE WHEN {fast} >= DATE '1900-01-01' THEN {fast} WHEN {cell} <> '' THEN {careful} END"

    def _careful(self, text: str, kinds: Sequence[str]) -> str:
        """SQL: one pattern after the other, each with the ISO date it makes."""
        ways: list[str] = []
        for kind in kinds:
            if kind == "numeric" and not self.order:
                continue
            for pattern, iso in _patterns(kind, self.order):
                made = f"regexp_replace({text}, {quoted(pattern)}, {quoted(iso)})"
                if "#" in iso:
                    made = f"replace({made}, '#', {_MONTH_SQL.format(text=text)})"
                ways.append(f"WHEN regexp_matches({text}, {quoted(pattern)}) THEN TRY_CAST({made} AS DATE)")
            if kind == "serial":
                number = f"CAST(floor(TRY_CAST({text} AS DOUBLE)) AS INTEGER)"
                ways.append(f"WHEN regexp_matches({text}, '^[1-7][0-9]{{4}}(?:\\.[0-9]+)?$') THEN DATE '1899-12-30' + {number}")
        return f"CASE {' '.join(ways)} END"


_TIME: Final = r"(?:[T ,].*)?$"
_MONTH_SQL: Final = (
    f"([{', '.join(str(number) for number in MONTH_NUMBER.values())}])"
    f"[list_position([{', '.join(quoted(name) for name in MONTH_NUMBER)}], lower(regexp_extract({{text}}, '[^0-9 ,.-]+')))]::VARCHAR"
)


def _patterns(kind: str, order: str) -> list[tuple[str, str]]:
    """Patterns of one kind of date and the ISO date each makes of its parts; # stands for the number of the month's name."""
    if kind == "iso":
        return [(rf"^([0-9]{{4}})[-/]([0-9]{{1,2}})[-/]([0-9]{{1,2}}){_TIME}", r"\1-\2-\3")]
    if kind == "ymd":
        return [(rf"^([0-9]{{4}})[.年] ?([0-9]{{1,2}})[.月] ?([0-9]{{1,2}})日?{_TIME}", r"\1-\2-\3")]
    if kind == "compact":
        return [(r"^((?:19|20)[0-9]{2})([0-9]{2})([0-9]{2})(?:\.0+)?$", r"\1-\2-\3")]
    day_month = {
        "numeric": (r"([0-9]{1,2})[./-]([0-9]{1,2})[./-]", r"\1-\2" if order == "mdy" else r"\2-\1"),
        "day_month_name": (r"([0-9]{1,2})[\s.-]+(\p{L}{3,12})\.?[\s.,-]+", r"#-\1"),
        "month_name_day": (r"(\p{L}{3,12})\.?\s+([0-9]{1,2})(?:st|nd|rd|th)?,?\s+", r"#-\2"),
    }
    if kind not in day_month:
        return []
    front, rest = day_month[kind]
    return [
        (rf"^{front}([0-9]{{4}}){_TIME}", rf"\3-{rest}"),
        (rf"^{front}([0-6][0-9]){_TIME}", rf"20\3-{rest}"),
        (rf"^{front}([7-9][0-9]){_TIME}", rf"19\3-{rest}"),
    ]


def date_kind(cell: str) -> str:
    """Which kind of date is it? Empty when it is none."""
    text = tidy(cell)
    if text.isascii() and text.isalnum() and not text.isdecimal():
        return ""  # a date has something between its parts, or is all figures
    for kind, pattern in _KINDS.items():
        match = pattern.match(text)
        if not match:
            continue
        if kind in {"day_month_name", "month_name_day"}:
            name = match[2] if kind == "day_month_name" else match[1]
            if name.lower() not in MONTH_NUMBER:
                continue
        return kind
    return ""


@dataclass(frozen=True)
class DateEvidence:
    """What the cells of one column say: how many of each kind, and for 01/02/2025 how often each reading is ruled out."""

    kinds: Counter[str]
    only_dmy: int
    only_mdy: int
    either: int
    points: int
    filled: int
    forms: Counter[str]
    wide: bool

    @property
    def order(self) -> str:
        """Day first (dmy) or month first (mdy) when the column decides by itself, else empty."""
        if self.only_dmy > 4 * self.only_mdy:
            return "dmy"
        if self.only_mdy > 4 * self.only_dmy:
            return "mdy"
        if self.points and not self.only_mdy:
            return "dmy"  # 28.09.2025: nobody writes the month first between points
        return ""

    @property
    def dates(self) -> int:
        """How many cells are dates."""
        return sum(self.kinds.values())


def date_evidence(cells: Iterable[str]) -> DateEvidence:
    """Look at the cells of a column as dates."""
    kinds: Counter[str] = Counter()
    forms: Counter[str] = Counter()
    only_dmy = only_mdy = either = points = filled = 0
    wide = False
    for cell in cells:
        text = tidy(cell)
        if text.lower() in EMPTY or text in EMPTY_DATES:
            continue
        filled += 1
        wide = wide or (not cell.isascii() and any(sign in _WIDE for sign in cell))
        kind = date_kind(text)
        if not kind:
            continue
        kinds[kind] += 1
        forms[_form(kind, cell)] += 1
        if kind == "numeric":
            match = _KINDS["numeric"].match(text)
            assert match is not None
            first, second = int(match[1]), int(match[3])
            points += match[2] == "."
            only_dmy += first > 12 >= second
            only_mdy += second > 12 >= first
            either += first <= 12 and second <= 12
    return DateEvidence(kinds, only_dmy, only_mdy, either, points, filled, forms, wide)


def date_habit(evidence: DateEvidence, order: str) -> DateHabit:
    """The habit of a column, with the order of day and month that was settled for the file."""
    seen = [kind for kind, count in evidence.kinds.most_common() if count >= 1]
    form = evidence.forms.most_common(1)[0][0] if evidence.forms else ""
    if "numeric" in seen and order == "mdy":
        form = re.sub(r"^%d(.)%m\1", r"%m\1%d\1", form)
    return DateHabit(tuple(seen) or ("iso",), order if "numeric" in seen else "", form, evidence.wide)


def _form(kind: str, cell: str) -> str:
    """The strptime format of a cell that is nothing but a date; empty when there is none that is fast and safe."""
    if kind == "compact" and len(cell) == 8:
        return "%Y%m%d"
    if kind == "ymd" and (match := re.fullmatch(r"\d{4}([.年])\d{1,2}([.月])\d{1,2}(日?)", cell)):
        return f"%Y{match[1]}%m{match[2]}%d{match[3]}"
    if kind == "numeric" and (match := re.fullmatch(r"\d{1,2}([./-])\d{1,2}[./-](\d{4}|\d{2})", cell)):
        return f"%d{match[1]}%m{match[1]}%{'Y' if len(match[2]) == 4 else 'y'}"
    return ""


def settle_order(evidence: Sequence[DateEvidence], override: str, locale: str) -> tuple[str, float, bool]:
    """Day first or month first, for the columns that do not decide by themselves: order, confidence, and whether it is only a default.

    An override rules; then the other columns of the file; then the habit of the source system; then day first.
    """
    if override in {"dmy", "mdy"}:
        return override, 1.0, False
    found = Counter(one.order for one in evidence if one.order)
    if found:
        order, count = found.most_common(1)[0]
        return order, 1.0 if len(found) == 1 else count / sum(found.values()), False
    if not any(one.kinds["numeric"] for one in evidence):
        return "", 1.0, False
    if locale in {"dmy", "mdy"}:
        return locale, 0.7, True
    return "dmy", 0.5, True


def excel_serial(day: dt.date) -> int:
    """The number a spreadsheet keeps for a day."""
    return (day - dt.date(1899, 12, 30)).days


def habit_json(habit: AmountHabit | DateHabit | None) -> dict[str, Any]:
    """The habit as plain values."""
    if isinstance(habit, AmountHabit):
        return {"amount": {"decimal": habit.decimal, "grouping": habit.grouping, "plain": habit.plain}}
    if isinstance(habit, DateHabit):
        return {"date": {"kinds": list(habit.kinds), "order": habit.order, "form": habit.form, "wide": habit.wide}}
    return {}


def habit_from_json(values: dict[str, Any]) -> AmountHabit | DateHabit | None:
    """The habit again."""
    if "amount" in values:
        return AmountHabit(**values["amount"])
    if "date" in values:
        return DateHabit(
            tuple(values["date"]["kinds"]), values["date"]["order"], values["date"].get("form", ""), values["date"].get("wide", False)
        )
    return None
