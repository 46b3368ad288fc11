"""Numbers, dates and money as each language writes them in a letter."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from duecourse.money import NO_CURRENCY, exponent, grouped

if TYPE_CHECKING:
    from datetime import date

MONTHS: Final = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
}
MARKS: Final = {"de": (".", ","), "es": (".", ","), "it": (".", ","), "fr": ("\u00a0", ",")}
"""What parts thousands, and the decimal mark; a comma and a point elsewhere."""
ZH_NAMES: Final = {"CNY": "人民币", "USD": "美元", "EUR": "欧元", "GBP": "英镑", "JPY": "日元", "HKD": "港元"}
SPACED: Final = ("de", "fr", "es")
"""A space stands in front of a percent sign."""


def number(text: str, language: str) -> str:
    """A number written 1,234.50 as the language writes it."""
    thousands, mark = MARKS.get(language, (",", "."))
    return text.translate({ord(","): thousands, ord("."): mark})


def amount(minor: int, currency: str, language: str) -> str:
    """An amount without its currency: 1.234,50 in German, 1,234.50 in English and Chinese."""
    return number(grouped(minor, currency), language)


def money(minor: int, currency: str, language: str) -> str:
    r"""An amount with its currency, as it stands in a sentence.

    >>> money(123450, "CNY", "zh"), money(123450, "EUR", "de"), money(1234, "JPY", "ja")
    ('人民币1,234.50元', '1.234,50\xa0EUR', '1,234円')
    """
    bare = amount(minor, currency, language)
    if currency == NO_CURRENCY:
        return bare
    if language == "zh":
        if currency == "CNY":
            return f"人民币{bare}元"
        return f"{bare}{ZH_NAMES[currency]}" if currency in ZH_NAMES else f"{currency} {bare}"
    if language == "ja":
        return (
            f"{bare}円"
            if currency == "JPY"
            else f"{bare}{ {'USD': '米ドル', 'EUR': 'ユーロ', 'CNY': '人民元', 'GBP': '英ポンド'}.get(currency, ' ' + currency) }"
        )
    return f"{bare}\u00a0{currency}" if language in MARKS else f"{currency}\u00a0{bare}"


def day(on: date, language: str) -> str:
    """A date in a sentence: 5 March 2026, 5. März 2026, 1er mars 2026, 5 de marzo de 2026, 2026年3月5日."""
    if language in ("zh", "ja"):
        return f"{on.year}年{on.month}月{on.day}日"
    month = MONTHS[language].split()[on.month - 1]
    if language == "de":
        return f"{on.day}. {month} {on.year}"
    if language == "es":
        return f"{on.day} de {month} de {on.year}"
    first = {"fr": "1er", "it": "1º"}.get(language, "1")
    return f"{first if on.day == 1 else on.day} {month} {on.year}"


def short_day(on: date, language: str) -> str:
    """A date in a table: as short as cannot be misread."""
    if language == "de":
        return f"{on:%d.%m.%Y}"
    return f"{on:%d/%m/%Y}" if language in ("fr", "es", "it") else on.isoformat()


def rate(fraction: str, language: str) -> str:
    """A yearly rate: "0.0815" -> 8.15%, in German 8,15 %. Always two decimals, more where the rate has them, so that 5.9999 is never 6.00."""
    percent = (Decimal(fraction) * 100).normalize()
    places = max(2, -int(percent.as_tuple().exponent))
    return number(f"{percent:,.{places}f}", language) + ("\u00a0%" if language in SPACED else "%")


_DIGITS: Final = "零壹贰叁肆伍陆柒捌玖"
_UNITS: Final = ("", "拾", "佰", "仟")
_GROUPS: Final = ("", "万", "亿", "万亿")


def in_words(minor: int) -> str:
    """An amount of renminbi in the characters that cannot be altered.  人民币大写

    >>> in_words(100_200_305), in_words(1_000_000_00)
    ('壹佰万贰仟零叁元零伍分', '壹佰万元整')

    Source: 支付结算办法附一 正确填写票据和结算凭证的基本规定.
    """
    yuan, rest = divmod(abs(minor), 10 ** exponent("CNY"))
    jiao, fen = divmod(rest, 10)
    said = f"{_whole(yuan)}元" if yuan else ""
    if not rest:
        return f"{'负' if minor < 0 else ''}{said or '零元'}整"
    tail = f"{_DIGITS[jiao]}角" if jiao else ("零" if said else "")
    tail += f"{_DIGITS[fen]}分" if fen else "整"
    return f"{'负' if minor < 0 else ''}{said}{tail}"


def _whole(value: int) -> str:
    groups = []
    while value:
        value, low = divmod(value, 10_000)
        groups.append(low)
    said, gap = "", False
    for place in range(len(groups) - 1, -1, -1):
        part = groups[place]
        if not part:
            gap = bool(said)
            continue
        if said and (gap or part < 1000):
            said += "零"
        said += _group(part) + _GROUPS[place]
        gap = False
    return said


def _group(part: int) -> str:
    said, gap = "", False
    for place in range(3, -1, -1):
        digit = part // 10**place % 10
        if not digit:
            gap = bool(said)
            continue
        said += ("零" if gap else "") + _DIGITS[digit] + _UNITS[place]
        gap = False
    return said
