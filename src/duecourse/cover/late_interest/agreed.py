"""An agreed rate of late interest, 约定逾期利率, read from the words of a clause, in Chinese or English, or from its short form.

    18%/y   0.05%/d   2%/m   LPR_1Y*1.5   LPR_1Y+0.5%   ECB_MRO_HALF+8%   max(LPR_1Y*1.5, 0.03%/d)   min(0.1%/d, LPR_1Y*4)

The short form is how the ledger keeps a rate (`contract.late_interest`); reading it again gives the same rate.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Literal

from duecourse.errors import RateUnreadableError

if TYPE_CHECKING:
    from collections.abc import Mapping

Per = Literal["y", "m", "d"]
A_YEAR: Final[Mapping[Per, int]] = {"y": 1, "m": 12, "d": 365}

LPR_1Y, LPR_5Y = "CN_LPR_1Y", "CN_LPR_5Y"
_SHORT: Final = {"LPR_1Y": LPR_1Y, "LPR_5Y": LPR_5Y}
_LONG: Final = {long: short for short, long in _SHORT.items()}
MARK_UP_FROM: Final = 20
""""LPR plus 50%" marks the rate up by half; below this many per cent a percentage added is percentage points."""


@dataclass(frozen=True, slots=True)
class AgreedRate:
    """A rate as agreed.

    value        the rate itself, a fraction per `per`; None where it follows a reference
    series       the reference rate, times `multiplier`, plus `margin` a year
    floor, ceiling   another rate it does not go below, or above
    obsolete     the clause names the benchmark lending rate, which is read as LPR since 2019-08-20: a weak wording
    """

    value: Fraction | None = None
    per: Per = "y"
    series: str = ""
    multiplier: Fraction = Fraction(1)
    margin: Fraction = Fraction(0)
    floor: AgreedRate | None = None
    ceiling: AgreedRate | None = None
    obsolete: bool = False

    def yearly(self, references: Mapping[str, Fraction]) -> Fraction:
        """The rate a year with the references at these values: daily times 365, monthly times twelve.

        >>> float(read_rate("每日万分之五").yearly({}))
        0.1825
        """
        found = self.value * A_YEAR[self.per] if self.value is not None else references[self.series] * self.multiplier + self.margin
        if self.floor is not None:
            found = max(found, self.floor.yearly(references))
        return min(found, self.ceiling.yearly(references)) if self.ceiling is not None else found

    @property
    def references(self) -> set[str]:
        """The reference rates it follows."""
        inner = [one.references for one in (self.floor, self.ceiling) if one is not None]
        return {self.series} - {""} | set().union(*inner)

    def __str__(self) -> str:
        """The short form."""
        if self.value is not None:
            own = f"{_percent(self.value)}/{self.per}"
        else:
            own = _LONG.get(self.series, self.series)
            own += f"*{_number(self.multiplier)}" if self.multiplier != 1 else ""
            own += f"{'+' if self.margin > 0 else '-'}{_percent(abs(self.margin))}" if self.margin else ""
        own = f"max({own}, {self.floor})" if self.floor is not None else own
        return f"min({own}, {self.ceiling})" if self.ceiling is not None else own


def _number(value: Fraction) -> str:
    """A decimal where there is one, else the fraction."""
    bottom = value.denominator
    for prime in (2, 5):
        while bottom % prime == 0:
            bottom //= prime
    if bottom != 1:
        return str(value)
    digits = 0
    while (value * 10**digits).denominator != 1:
        digits += 1
    return f"{Decimal(int(value * 10**digits)).scaleb(-digits):f}"


def _percent(value: Fraction) -> str:
    return f"{_number(value * 100)}%"


# --- the short form -------------------------------------------------------------------------------------------------------------------

_NUMBER: Final = r"\d+(?:\.\d+)?(?:/\d+)?"
_PLAIN: Final = re.compile(rf"({_NUMBER})\s*%\s*/\s*([ymd])")
_OF_SERIES: Final = re.compile(rf"([A-Z][A-Z0-9_]{{2,}})(?:\s*\*\s*({_NUMBER}))?(?:\s*([+-])\s*({_NUMBER})\s*%)?")
_BOUND: Final = re.compile(r"(max|min)\((.*)\)", re.DOTALL)


def _short_form(text: str) -> AgreedRate | None:
    text = text.strip()
    bound = _BOUND.fullmatch(text)
    if bound:
        first, second = (_short_form(part) for part in _halves(bound[2]))
        if first is None or second is None:
            return None
        if bound[1] == "max":
            return replace(first, floor=second) if first.floor is None and first.ceiling is None else None
        return replace(first, ceiling=second) if first.ceiling is None else None
    plain = _PLAIN.fullmatch(text)
    if plain:
        return AgreedRate(Fraction(plain[1]) / 100, plain[2])  # type: ignore[arg-type]
    of_series = _OF_SERIES.fullmatch(text)
    if of_series:
        margin = Fraction(of_series[4]) / 100 if of_series[4] else Fraction(0)
        name = _SHORT.get(of_series[1], of_series[1])
        return AgreedRate(None, "y", name, Fraction(of_series[2] or 1), -margin if of_series[3] == "-" else margin)
    return None


def _halves(text: str) -> tuple[str, str]:
    depth = 0
    for place, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if sign == "," and not depth:
            return text[:place], text[place + 1 :]
    return text, ""


# --- words ----------------------------------------------------------------------------------------------------------------------------

_DIGITS: Final = {**{sign: value for value, sign in enumerate("零一二三四五六七八九")}, "两": 2, "〇": 0}
_CAPITALS: Final = str.maketrans("壹贰叁肆伍陆柒捌玖拾佰仟萬贏", "一二三四五六七八九十百千万赢")
_HAN: Final = "零〇一二两三四五六七八九十百点"
_AMOUNT: Final = rf"(?:\d+(?:\.\d+)?|[{_HAN}]+)"
_PARTS: Final = {"百": 100, "千": 1_000, "万": 10_000}
_MARKS: Final = {"%": 100, "‰": 1_000, "‱": 10_000}

_SHARE: Final = re.compile(rf"(百|千|万)分之({_AMOUNT})|({_AMOUNT})\s*(%|‰|‱|percent\b|per cent\b)", re.IGNORECASE)
_DAY: Final = re.compile(r"每\s*(?:逾期|迟延|延迟|延期)?\s*一?\s*[日天]|按日|/\s*[日天]|日(?:利率|息|万分|千分)|一[日天]|[日天]$|^日|(?:per|a|each|every) (?:calendar )?day|daily|/ ?day", re.IGNORECASE)  # fmt: skip
_MONTH: Final = re.compile(
    r"每\s*(?:逾期)?\s*一?\s*个?月|按月|/\s*月|月(?:利率|息|\d)|^月|(?:per|a|each|every) month|monthly|/ ?month|\bp\.?m\b", re.IGNORECASE
)
_YEAR: Final = re.compile(r"每年|按年|/\s*年|年(?:利率|息|化|\d)|^年|per annum|(?:per|a|each|every) year|yearly|annual|/ ?year|\bp\.?a\b", re.IGNORECASE)  # fmt: skip
_FEN: Final = re.compile(rf"(年|月|日)息\s*({_AMOUNT})\s*(分|厘|毫)(?:\s*({_AMOUNT})\s*厘)?")
_FEN_OF: Final = {"年": Fraction(1, 10), "月": Fraction(1, 100), "日": Fraction(1, 1000)}

_LPR: Final = re.compile(r"LPR|loan prime rate|贷款市场报价利率", re.IGNORECASE)
_BENCHMARK: Final = re.compile(
    r"(?:贷款|基准)(?:基准)?利率|银行(?:同期)?(?:同类)?贷款|bank lending rate|benchmark lending rate", re.IGNORECASE
)
_FIVE: Final = re.compile(r"五年|5\s*年|five-year|5-year|5Y", re.IGNORECASE)
_TIMES: Final = re.compile(rf"({_AMOUNT})\s*倍|(\d+(?:\.\d+)?)\s*(?:times|x\b|×)|(?:\bx|×|\*)\s*(\d+(?:\.\d+)?)", re.IGNORECASE)
_OF: Final = re.compile(r"的\s*(1\d\d|[2-9]\d\d)\s*%|(\d{2,3}(?:\.\d+)?)\s*% (?:of )", re.IGNORECASE)
_MARK_UP: Final = re.compile(rf"(?:加计|上浮|加收|另加|加成)\s*(?:百分之({_AMOUNT})|(\d+(?:\.\d+)?)\s*%)")
_POINTS: Final = re.compile(
    r"(加|减|\+|-|plus|minus|above|over|below)\s*(\d+(?:\.\d+)?)\s*(?:个基点|个?bps?\b|basis points)", re.IGNORECASE
)
_POINTS_BEFORE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(?:basis points|bps?\b)\s*(above|over|below)", re.IGNORECASE)
_PLUS: Final = re.compile(r"(?:plus|\+|加)\s*(\d+(?:\.\d+)?)\s*(?:%|个百分点|percentage points|percent)", re.IGNORECASE)
_ABOVE: Final = re.compile(
    r"(\d+(?:\.\d+)?)\s*(?:%|percentage points?|percent|per cent|个百分点)?\s*(?:p\.?a\.? )?(?:above|over|高于)", re.IGNORECASE
)
_OTHERS: Final = (
    (re.compile(r"ECB|European Central Bank|欧洲(?:中央)?央?银?行", re.IGNORECASE), "ECB_MRO"),
    (re.compile(r"Bank of England|Barclays|英格兰银行|英国央行", re.IGNORECASE), "UK_BANK_RATE"),
    (re.compile(r"Basiszins|§ ?247|German base rate|德国基准利率", re.IGNORECASE), "DE_BASISZINS"),
)
_HIGHER: Final = re.compile(r"(?:the )?(?:higher|greater) of (.+?) (?:and|or) (.+)", re.IGNORECASE)
_LOWER: Final = re.compile(r"(?:the )?(?:lower|lesser) of (.+?) (?:and|or) (.+)", re.IGNORECASE)
_EITHER: Final = re.compile(r"(.+?)(?:与|和|及|或)(.+?)(?:两者|二者)?(?:中|之间|孰)?的?(较高|高)者?")
_NOT_BELOW: Final = re.compile(
    r"(.+?)[,，;；]?\s*(?:且|但|并)?\s*(?:不低于|不少于|最低|(?:but )?(?:not less than|no less than|at least))\s*(.+)", re.IGNORECASE
)
_NOT_ABOVE: Final = re.compile(r"(.+?)[,，;；]?\s*(?:且|但|并)?\s*(?:不超过|不高于|最高(?:不超过)?|(?:but )?(?:not exceeding|not more than|up to a maximum of|capped at))\s*(.+)", re.IGNORECASE)  # fmt: skip


def read_rate(text: str) -> AgreedRate:
    """Which rate do these words agree?  利率表述归一

    Raises RateUnreadableError: for words without a rate, and for a percentage that does not say per what (a flat sum is no interest).

    >>> str(read_rate("按逾期金额每日万分之五支付违约金"))
    '0.05%/d'
    >>> str(read_rate("150% of the one-year LPR"))
    'LPR_1Y*1.5'
    """
    found = _short_form(text)
    if found is not None:
        return found
    tidy = re.sub(
        r"(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff\d])",
        "",
        re.sub(r"[【】\[\]〔〕]", "", unicodedata.normalize("NFKC", text).translate(_CAPITALS)),
    )
    tidy = tidy.strip(" .。;；")
    found = _composed(tidy)
    if found is None:
        raise RateUnreadableError(text=text[:80])
    return found


def _composed(text: str) -> AgreedRate | None:
    for pattern, bound in ((_HIGHER, "floor"), (_EITHER, "floor"), (_LOWER, "ceiling"), (_NOT_ABOVE, "ceiling"), (_NOT_BELOW, "floor")):
        match = pattern.search(text)
        if match:
            first, second = _composed(match[1]), _single(match[2])
            if first is not None and second is not None:
                return replace(first, floor=second) if bound == "floor" else replace(first, ceiling=second)
    return _single(text)


def _single(text: str) -> AgreedRate | None:
    fen = _FEN.search(text)
    if fen:
        return _by_fen(fen)
    lpr, old = _LPR.search(text), _BENCHMARK.search(text)
    other = next((name for pattern, name in _OTHERS if pattern.search(text)), None)
    if other is None and re.search(r"\bbase rate\b", text, re.IGNORECASE):
        other = "UK_BANK_RATE"
    if other:
        return _above(other, text)
    if lpr or old:
        return _of_lpr(text, obsolete=lpr is None)
    share = _SHARE.search(text)
    if share is None:
        return None
    amount = _amount(share[2] or share[3])
    mark = share[1] or share[4].lower()
    whole = _PARTS.get(mark) or _MARKS.get(mark, 100)
    per = _per(text, small=whole > 100)
    return None if amount is None or per is None else AgreedRate(amount / whole, per)


def _per(text: str, *, small: bool) -> Per | None:
    """Per what: the unit named; parts of a thousand or ten thousand without a unit are per day, as the trade writes them."""
    found: tuple[tuple[re.Pattern[str], Per], ...] = ((_YEAR, "y"), (_MONTH, "m"), (_DAY, "d"))
    for pattern, per in found:
        if pattern.search(text):
            return per
    return "d" if small else None


def _by_fen(match: re.Match[str]) -> AgreedRate | None:
    """月息2分 is 2 % a month, 年息1分 10 % a year, 月息5厘 0.5 % a month."""
    unit = _FEN_OF[match[1]]
    amount, more = _amount(match[2]), _amount(match[4]) if match[4] else Fraction(0)
    if amount is None or more is None:
        return None
    scale = {"分": Fraction(1), "厘": Fraction(1, 10), "毫": Fraction(1, 100)}[match[3]]
    per: Mapping[str, Per] = {"年": "y", "月": "m", "日": "d"}
    return AgreedRate((amount * scale + more / 10) * unit, per[match[1]])


def _of_lpr(text: str, *, obsolete: bool) -> AgreedRate:
    multiplier, margin = Fraction(1), Fraction(0)
    times, of, mark_up = _TIMES.search(text), _OF.search(text), _MARK_UP.search(text)
    points, before, plus = _POINTS.search(text), _POINTS_BEFORE.search(text), _PLUS.search(text)
    if times:
        multiplier = _amount(times[1] or times[2] or times[3]) or multiplier
    elif of:
        multiplier = Fraction(of[1] or of[2]) / 100
    elif mark_up:
        multiplier = 1 + (_amount(mark_up[1] or mark_up[2]) or Fraction(0)) / 100
    if points:
        margin = Fraction(points[2]) / 10_000 * (-1 if points[1].lower() in ("减", "-", "minus", "below") else 1)
    elif before:
        margin = Fraction(before[1]) / 10_000 * (-1 if before[2].lower() == "below" else 1)
    elif plus and not mark_up:
        added = Fraction(plus[1])
        if added >= MARK_UP_FROM:
            multiplier *= 1 + added / 100
        else:
            margin = added / 100
    return AgreedRate(None, "y", LPR_5Y if _FIVE.search(text) else LPR_1Y, multiplier, margin, obsolete=obsolete)


def _above(series: str, text: str) -> AgreedRate:
    margin = Fraction(0)
    for pattern in (_ABOVE, _PLUS):
        match = pattern.search(text)
        if match:
            margin = Fraction(match[1]) / 100
            break
    times = _TIMES.search(text)
    return AgreedRate(None, "y", series, (_amount(times[1] or times[2] or times[3]) or Fraction(1)) if times else Fraction(1), margin)


def _amount(text: str) -> Fraction | None:
    """12.5, 十二点五, 一百二十."""
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        return Fraction(text)
    whole, _, parts = text.partition("点")
    total = section = 0
    for sign in whole:
        if sign in _DIGITS:
            section = _DIGITS[sign]
        elif sign in "十百":
            total += (section or 1) * (10 if sign == "十" else 100)
            section = 0
        else:
            return None
    found = Fraction(total + section)
    for place, sign in enumerate(parts, start=1):
        if sign not in _DIGITS:
            return None
        found += Fraction(_DIGITS[sign], 10**place)
    return found
