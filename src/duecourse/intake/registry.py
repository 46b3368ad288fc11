"""What a file says of buyers from their register: numbers whose check digits disagree, and capital as registers write it.  工商信息"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from duecourse.findings import Finding, Severity
from duecourse.intake.assemble import present
from duecourse.money import exponent
from duecourse.reference.countries import COUNTRIES
from duecourse.reference.identifiers import Verdict, chinese, lei, tidy, vat

if TYPE_CHECKING:
    from duecourse.intake import Profile
    from duecourse.intake.workbench import Workbench

CHINA: Final = frozenset({"cn", "china", "中国", "chn"})
SHOWN: Final = 5
"""So many of one kind of fault are told by their row; the rest are counted."""

UNITS: Final = {"亿": 10**8, "千万": 10**7, "百万": 10**6, "万": 10**4, "million": 10**6, "m": 10**6, "": 1}
CURRENCY_WORDS: Final = {
    "人民币": "CNY", "rmb": "CNY", "美元": "USD", "港元": "HKD", "港币": "HKD", "欧元": "EUR", "日元": "JPY", "円": "JPY", "€": "EUR", "eur": "EUR", "us$": "USD", "usd": "USD",
    "hkd": "HKD", "cny": "CNY", "gbp": "GBP", "£": "GBP", "jpy": "JPY", "元": "CNY",
}  # fmt: skip
MOST_MINOR: Final = 10**17


def check_numbers(bench: Workbench, profile: Profile) -> list[Finding]:
    """Findings for registers' numbers that are not of their form or fail their check. They are taken all the same: a register knows better."""
    roles = [role for role in ("registration_number", "vat_number", "lei") if present(profile, role)]
    if not roles:
        return []
    country = "country" if present(profile, "country") else "NULL::VARCHAR"
    said = ", ".join(roles)
    rows = bench.rows(
        f"""SELECT {said}, {country} AS country, min(row_no) AS row_no FROM line
            WHERE fault = 0 AND coalesce({said}) IS NOT NULL GROUP BY ALL ORDER BY row_no"""
    )
    faults: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for row in rows:
        for role in roles:
            number = row[role]
            verdict = verdict_of(role, number, row["country"] or "") if number else "good"
            if verdict in ("malformed", "check_digit"):
                faults.setdefault((role, verdict), []).append((row["row_no"], number))
    found = []
    for (role, fault), places in faults.items():
        found += [
            Finding(f"number_{fault}", Severity.WARNING, row=row, column=_column(profile, role), value=number)
            for row, number in places[:SHOWN]
        ]
        if len(places) > SHOWN:
            found.append(
                Finding(
                    "numbers_more",
                    Severity.WARNING,
                    column=_column(profile, role),
                    value=f"{len(places) - SHOWN:,}",
                    args={"verdict": fault},
                )
            )
    return found


def verdict_of(role: str, number: str, country: str) -> Verdict:
    """What is to be said of a number in a column; of registers we know no rule of, nothing."""
    if role == "lei":
        return lei(number)
    code = _code(country)
    if role == "vat_number":
        return vat(number, code)
    text = tidy(number)
    if code == "CN" or (not code and len(text) == 18 and re.fullmatch(r"[0-9A-Z]{18}", text) and not text.isdigit()):
        return chinese(number)
    # A column of company numbers may hold those of any register: only what is plainly a VAT number is held to its check.
    return vat(number) if re.match(r"[A-Z]{2}", text) and vat(number) == "check_digit" else "good"


def _code(country: str) -> str:
    folded = country.strip().lower()
    if folded in CHINA:
        return "CN"
    upper = folded.upper()
    return upper if upper in COUNTRIES else ""


def _column(profile: Profile, role: str) -> str:
    reading: Any = profile.mapping.get(role)
    return str(getattr(reading, "column", "") or role)


def capital_in(text: str, heading: str = "") -> tuple[int, str | None] | None:
    """A registered capital in minor units with its currency: `5000万元人民币`, `EUR 25.000`; None where there is no figure.

    heading: the column's own, which may name unit and currency; Chinese registers mean yuan where neither it nor the text does. Elsewhere a figure
    without a currency stays one: in hundredths, as most currencies have them, and with None.

    >>> capital_in("500万元人民币")
    (500000000, 'CNY')
    >>> capital_in("25.000", "Share capital")
    (2500000, None)
    """
    lower = text.strip().lower().replace("，", ",").replace(" ", "")
    match = re.search(r"\d[\d.,]*", lower)
    if not match:
        return None
    figure = match[0].rstrip(".,")
    if re.fullmatch(r"\d{1,3}(\.\d{3})+(,\d+)?", figure):
        figure = figure.replace(".", "").replace(",", ".")
    figure = figure.replace(",", "")
    if figure.count(".") > 1:
        return None

    def says(said: str, word: str) -> bool:
        return re.search(rf"(?<![a-z]){re.escape(word)}(?![a-z])", said) is not None

    unit = next((size for word, size in UNITS.items() if word and says(f"{lower} {heading.lower()}", word)), 1)
    named = (code for said in (lower, heading.lower()) for word, code in CURRENCY_WORDS.items() if says(said, word))
    currency = next(named, "CNY" if "资本" in heading or "资金" in heading else None)
    minor = int((Decimal(figure) * unit).scaleb(exponent(currency) if currency else 2).to_integral_value())
    return (minor, currency) if minor <= MOST_MINOR else None


def lay_out_capital(bench: Workbench, profile: Profile) -> list[Finding]:
    """Table `capital_said`: each way a capital is written in the file, in minor units with its currency."""
    rows = bench.rows(
        "SELECT registered_capital AS written, min(row_no) AS row_no FROM line WHERE registered_capital IS NOT NULL GROUP BY 1 ORDER BY 2"
    )
    heading = _column(profile, "registered_capital")
    read = [(row["written"], row["row_no"], capital_in(row["written"], heading)) for row in rows]
    known = [(written, capital) for written, _, capital in read if capital is not None]
    bench.con.register(
        "capital_said",
        pa.table(
            {
                "written": pa.array([written for written, _ in known], pa.string()),
                "minor": pa.array([capital[0] for _, capital in known], pa.int64()),
                "code": pa.array([capital[1] for _, capital in known], pa.string()),
            }
        ),
    )
    unread = [(row, written) for written, row, capital in read if capital is None]
    bare = [(row, written) for written, row, capital in read if capital is not None and capital[1] is None]
    return [
        Finding(code, Severity.WARNING, row=row, column=heading, value=written)
        for code, rows in (("capital_unreadable", unread), ("capital_without_currency", bare))
        for row, written in rows[:SHOWN]
    ]
