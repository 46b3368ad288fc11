"""What is said of a buyer from outside, counted by kind and window (外部信号类预警指标)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import ibis

from duecourse.measures.expressions import ZERO, as_int64, count, ratio, total
from duecourse.measures.grain import PER_BUYER
from duecourse.measures.indicators.common import HALF_YEAR, MONTH, QUARTER, YEAR, in_one_currency, within
from duecourse.measures.positions import is_payment
from duecourse.measures.statements import annual_statements

if TYPE_CHECKING:
    from collections.abc import Mapping

    import ibis.expr.types as ir

    from duecourse.ledger.book import Book

TWO_WEEKS: Final = 14
"""Ten working days."""
LONG: Final = 5 * YEAR
HOLDS: Final = 540
"""Days for which a yearly grade is looked at: those of a year and a late next one."""

LETTERS: Final = (
    ("AAA",), ("AA+",), ("AA",), ("AA-",), ("A+",), ("A",), ("A-",), ("BBB+",), ("BBB",), ("BBB-",), ("BB+",), ("BB",), ("BB-",),
    ("B+",), ("B",), ("B-",), ("CCC+",), ("CCC",), ("CCC-", "CC", "C"), ("D", "SD", "RD"),
)  # fmt: skip
"""Rating letters from the best, a notch each."""
LETTERS_FROM: Final = 99
"""Letters are numbered above the grades 1 to 10: one is never a fall from the other."""
RATINGS: Final = ("rating", "bureau_grade", "insurer_grade")
REGISTERS: Final = frozenset(
    ["lawsuit", "enforcement", "dishonest_debtor", "insolvency", "asset_freeze", "register_warning", "tax_arrears", "arrears_list",
     "register_change", "capital_reduction"]
)  # fmt: skip
"""Kinds told by courts and registers of a country: recorded for that country, not everywhere."""


@dataclass(frozen=True)
class Sign:
    """Signals that one figure counts: of these kinds, published in the last `days` days; `holds`: not lifted since."""

    kinds: tuple[str, ...]
    days: int
    holds: bool = False


SIGNS: Final[Mapping[str, Sign]] = {
    "PAY04": Sign(("broken_promise",), QUARTER),
    "PAY06": Sign(("terms_request",), HALF_YEAR),
    "PAY07": Sign(("bill_dishonoured",), YEAR, holds=True),
    "PAY09_told": Sign(("unusual_payer",), HALF_YEAR),
    "LIM02": Sign(("insurer_limit_cut",), HALF_YEAR),
    "CON01": Sign(("contact_change",), QUARTER),
    "CON02": Sign(("no_answer",), MONTH),
    "CON03": Sign(("bank_change",), HALF_YEAR),
    "NEG02": Sign(("lawsuit",), QUARTER),
    "NEG03": Sign(("enforcement", "dishonest_debtor", "list_match"), LONG, holds=True),
    "NEG04": Sign(("asset_freeze",), QUARTER),
    "NEG05": Sign(("register_warning", "tax_arrears"), LONG, holds=True),
    "NEG06": Sign(("insolvency",), LONG, holds=True),
    "NEG07": Sign(("arrears_list",), 120, holds=True),
    "FIN08_auditor": Sign(("auditor_change",), YEAR),
    "MAC01": Sign(("country_risk",), YEAR, holds=True),
    "MAC03_told": Sign(("customer_failure",), YEAR),
    "OPS01": Sign(("supply_stop", "headcount_fall"), HALF_YEAR, holds=True),
    "OPS02": Sign(("register_change", "capital_reduction"), QUARTER),
    "OPS03": Sign(("asset_transfer",), HALF_YEAR),
}
NEWS: Final = Sign(("news",), MONTH)


def signals_counted(book: Book) -> ir.Table:
    """What has been told of a buyer lately?  近期信号统计

    One row per buyer of whom the book holds a signal. Counts (int64) of the signals of SIGNS, and of them:
        PAY06_weak       red as told: to pay by a bill of a weak acceptor
        PAY09_severe, CON01_severe, CON03_severe, NEG05_severe, NEG07_severe, MAC01_severe, MAC03_severe, OPS03_severe   red as told: from a
                         sanctioned country, head of finance or legal representative left, look-alike domain, serious violation, …
        LIM02_withdrawn  withdrawn or refused: an amount of zero, or none and not told as amber
        CON02_2w         of 14 days
        NEG03_dishonest  lists of dishonest debtors, consumption limits, confirmed matches
        NEG06_filed      filed or ordered: not told as amber or info, which is a rumour
        OPS01_severe     red as told, or a supply stop told without severity
        OPS02_capital    reductions of capital
    and of news that was not told as info
        NEG01            30 days
        NEG01_severe     red, 90 days
        NEG01_ratio      float64: those of 30 days ÷ a month's mean of the 365 days before; null where those had none
    Source: the indicators' list (`duecourse.risk.warning.rules_v1`).
    """
    rows = book.signal
    kind = rows.kind
    no = ibis.literal(value=False)
    red = ibis.coalesce(rows.severity == "red", no)
    amber, told = ibis.coalesce(rows.severity == "amber", no), rows.severity.notnull()
    said = {}
    for name, sign in SIGNS.items():
        inside = kind.isin(list(sign.kinds)) & within(rows.published_on, book, sign.days)
        said[name] = inside & rows.ended_on.isnull() if sign.holds else inside
    news = (kind == "news") & ibis.coalesce(rows.severity != "info", ~no)
    severe = ("PAY09_told", "CON01", "CON03", "NEG05", "NEG07", "MAC01", "MAC03_told", "OPS03")
    counted = said | {f"{name.removesuffix('_told')}_severe": said[name] & red for name in severe}
    counted |= {
        "PAY06_weak": said["PAY06"] & red,
        "LIM02_withdrawn": said["LIM02"] & ibis.coalesce(rows.amount_minor == 0, ~amber),
        "CON02_2w": said["CON02"] & within(rows.published_on, book, TWO_WEEKS),
        "NEG03_dishonest": said["NEG03"] & (kind != "enforcement"),
        "NEG06_filed": said["NEG06"] & (red | ~told),
        "OPS01_severe": said["OPS01"] & (red | (~told & (kind == "supply_stop"))),
        "OPS02_capital": said["OPS02"] & (kind == "capital_reduction"),
        "NEG01": news & within(rows.published_on, book, NEWS.days),
        "NEG01_year": news & within(rows.published_on, book, YEAR, NEWS.days),
        "NEG01_severe": news & red & within(rows.published_on, book, QUARTER),
    }
    found = rows.group_by("buyer_id").aggregate(**{name: count(which) for name, which in counted.items()})
    usual = found.NEG01_year.cast("float64") * (float(MONTH) / YEAR)
    return found.mutate(NEG01_ratio=ratio(found.NEG01, usual)).drop("NEG01_year")


def claims(book: Book) -> ir.Table:
    """How much is a buyer sued for, against its own means?  涉诉金额

    One row per buyer with an unsettled lawsuit of the last 365 days that names an amount and accounts that show equity above zero.
        NEG02_equity  fraction  amounts claimed ÷ equity of the newest accounts
    """
    rows = book.signal
    rows = rows.filter(
        (rows.kind == "lawsuit") & rows.ended_on.isnull() & rows.amount_minor.notnull() & within(rows.published_on, book, YEAR)
    )
    sued = rows.select(*PER_BUYER, claimed=rows.amount_minor, equity=ZERO)
    accounts = annual_statements(book)
    own = ibis.coalesce(accounts.total_equity, accounts.total_assets - accounts.total_liabilities)
    means = accounts.filter(accounts.newest & (own > 0)).select(*PER_BUYER, claimed=ZERO, equity=own)
    both = sued.union(means)
    sums = both.group_by(list(PER_BUYER)).aggregate(claimed=total(both.claimed), equity=total(both.equity))
    one = in_one_currency(book, sums, ("claimed", "equity"))
    return one.filter((one.claimed > 0) & (one.equity > 0)).select("buyer_id", NEG02_equity=ratio(one.claimed, one.equity))


def downgrades(book: Book) -> ir.Table:
    """By how much has anybody lowered a buyer's rating?  评级下调

    One row per buyer with a rating, bureau or insurer grade of the last 365 days.
        FIN10  int64  notches of the deepest fall from one grade of a provider to its next, in that time; ratings in letters count AAA, AA+, AA … a
                      notch each, grades 1 to 10 a notch each (1 best); for any other wording a changed grade told as amber counts one, as red two

    The grade before is the one the signal names, else the same provider's signal before it.
    """
    rows = book.signal
    rows = rows.filter(rows.kind.isin(list(RATINGS)) & rows.value.notnull())
    order = ibis.window(group_by=["buyer_id", "kind", "provider"], order_by=["published_on", "signal_id"])
    rows = rows.mutate(was=ibis.coalesce(rows.previous_value, rows.value.lag(1).over(order)))
    rows = rows.filter(within(rows.published_on, book, YEAR))
    now, was = _notch(rows.value), _notch(rows.was)
    steps = ((now > LETTERS_FROM) == (was > LETTERS_FROM)).ifelse(now - was, ibis.null("int64"))
    changed = ibis.coalesce(rows.value != rows.was, ibis.literal(value=False))
    worded = ibis.cases((~changed, ZERO), (rows.severity == "red", ZERO + 2), (rows.severity == "amber", ZERO + 1), else_=ZERO)
    fall = ibis.coalesce(steps, worded)
    rows = rows.select("buyer_id", fall=(fall > 0).ifelse(fall, ZERO))
    return rows.group_by("buyer_id").aggregate(FIN10=as_int64(rows.fall.max()))


def rated(book: Book) -> ir.Table:
    """How good is a buyer by the latest grades others have given it?  最新外部评级

    One row per buyer with a rating, bureau or insurer grade of the last 540 days in letters or of 1 to 10.
        rating_level  float64  1 (best) to 10: the worst of each provider's latest; letters half a grade each, from AAA = 1
    """
    rows = book.signal
    rows = rows.filter(rows.kind.isin(list(RATINGS)) & rows.value.notnull() & within(rows.published_on, book, HOLDS))
    order = ibis.window(group_by=["buyer_id", "kind", "provider"], order_by=["published_on", "signal_id"])
    rows = rows.mutate(after=rows.signal_id.lead(1).over(order))
    notch = _notch(rows.value).cast("float64")
    level = (notch > float(LETTERS_FROM)).ifelse((notch - float(LETTERS_FROM + 1)) * 0.5 + 1.0, notch)
    latest = rows.select("buyer_id", "after", level=level).filter(lambda row: row.after.isnull() & row.level.notnull())
    return latest.group_by("buyer_id").aggregate(rating_level=latest.level.max())


def _notch(grade: ir.StringValue) -> ir.IntegerValue:
    said = grade.strip().upper()
    letters = [(said.isin(list(words)), LETTERS_FROM + 1 + place) for place, words in enumerate(LETTERS)]
    numbers = [(said == str(number), number) for number in range(1, 11)]
    return ibis.cases(*letters, *numbers, else_=ibis.null("int64")).cast("int64")


def recorded(book: Book) -> ir.Table:
    """What does this book record at all, so that its absence for one buyer means that there is none?  信息来源覆盖

    One row per kind and country of whose buyers the book holds one.
        kind     string  a kind of signal; `contested`: disputes, deductions, returns or credit notes; `payer`: payments that name who paid
        country  string  of the buyer; null where its profile has none
    """
    signal, dispute, settlement = book.signal, book.dispute, book.settlement
    buyer = book.buyer.select("buyer_id", "country").view()
    told = signal.select("buyer_id", "kind").distinct()
    contested = dispute.select("buyer_id", kind=ibis.literal("contested"))
    cut = settlement.filter(settlement.kind.isin(["deduction", "return", "credit_note"])).select("buyer_id", kind=ibis.literal("contested"))
    paid = settlement.filter(is_payment(settlement) & settlement.payer_id.notnull()).select("buyer_id", kind=ibis.literal("payer"))
    rows = told.union(contested.union(cut).union(paid).distinct())
    return rows.left_join(buyer, "buyer_id").select(rows.kind, buyer.country).distinct()
