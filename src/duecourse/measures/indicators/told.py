"""What is said of a buyer from outside, counted by kind and window (外部信号类预警指标)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ibis

from duecourse.measures.expressions import ZERO, as_int64, count, ratio, total
from duecourse.measures.grain import PER_BUYER
from duecourse.measures.indicators.common import HALF_YEAR, MONTH, QUARTER, YEAR, in_one_currency, within
from duecourse.measures.positions import is_payment
from duecourse.measures.statements import annual_statements

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from duecourse.ledger.book import Book

TWO_WEEKS: Final = 14
"""Ten working days."""
LONG: Final = 5 * YEAR
LETTERS: Final = (
    ("AAA",), ("AA+",), ("AA",), ("AA-",), ("A+",), ("A",), ("A-",), ("BBB+",), ("BBB",), ("BBB-",), ("BB+",), ("BB",), ("BB-",),
    ("B+",), ("B",), ("B-",), ("CCC+",), ("CCC",), ("CCC-", "CC", "C"), ("D", "SD", "RD"),
)  # fmt: skip
"""Rating letters from the best, a notch each."""
LETTERS_FROM: Final = 99
"""Letters are numbered above the grades 1 to 10: one is never a fall from the other."""
RATINGS: Final = ("rating", "bureau_grade", "insurer_grade")


def signals_counted(book: Book) -> ir.Table:
    """What has been told of a buyer lately?  近期信号统计

    One row per buyer of whom the book holds a signal; counts of signals that were published in the window named, or still hold.
        PAY04                     broken promises, 90 days
        PAY06, PAY06_weak         requests for time or to pay by bill, 182 days; of them red as told
        PAY07                     dishonoured cheques and bills that hold, 365 days
        PAY09_told, PAY09_severe  payments by third parties or from unusual countries as told, 182 days; of them red
        LIM02, LIM02_withdrawn    cuts of the insurer's limit, 182 days; of them withdrawn or refused: an amount of zero, or red without an amount
        CON01, CON01_severe       changes of contact, 90 days; of them red: head of finance or legal representative left
        CON02, CON02_2w           reminders and calls unanswered, 30 and 14 days
        CON03, CON03_severe       changes of bank account or mail domain, 182 days; of them red: look-alike domain
        NEG01                     negative news, 30 days (severity info is neutral)
        NEG01_ratio               float64: those ÷ a month's mean of the 365 days before; null where those had none
        NEG01_severe              red news, 90 days
        NEG02                     new lawsuits, 90 days
        NEG03, NEG03_dishonest    enforcement or worse that holds; of it lists of dishonest debtors, consumption limits, confirmed matches
        NEG04                     new freezes of assets or equity, 90 days
        NEG05, NEG05_severe       register warnings and tax arrears that hold; of them red
        NEG06, NEG06_filed        insolvency, rumours included; of it filed or ordered
        NEG07, NEG07_severe       listings for arrears to small firms or overdue bills, 120 days; of them red
        FIN08_auditor             changes of auditor, 365 days
        MAC01_told, MAC01_severe  warnings on its country, 365 days; of them red
        MAC03, MAC03_severe       failures of its customers, 365 days; of them red: insolvent
        OPS01, OPS01_severe       lay-offs, stops, headcount falls that hold, 182 days; of them red or, told without severity, supply stops
        OPS02, OPS02_capital      changes in the register, 90 days; of them reductions of capital
        OPS03, OPS03_severe       asset transfers and related-party deals, 182 days; of them red

    All int64 but NEG01_ratio. Source: the indicators' list (`duecourse.risk.warning.rules_v1`).
    """
    rows = book.signal
    kind, holds = rows.kind, rows.ended_on.isnull()
    red = ibis.coalesce(rows.severity == "red", ibis.literal(value=False))
    told = rows.severity.notnull()
    cut = kind == "insurer_limit_cut"
    withdrawn = ibis.coalesce(rows.amount_minor == 0, ~told | red)
    bad_news = (kind == "news") & ibis.coalesce(rows.severity != "info", ibis.literal(value=True))

    def lately(days: int, *kinds: str) -> ir.BooleanValue:
        return kind.isin(list(kinds)) & within(rows.published_on, book, days)

    register = lately(LONG, "register_warning", "tax_arrears") & holds
    worse = lately(LONG, "dishonest_debtor", "list_match") & holds
    filed = lately(LONG, "insolvency") & holds & ~ibis.coalesce(rows.severity != "red", ibis.literal(value=False))
    stops = lately(HALF_YEAR, "supply_stop", "headcount_fall") & holds
    counted = {
        "PAY04": lately(QUARTER, "broken_promise"),
        "PAY06": lately(HALF_YEAR, "terms_request"),
        "PAY06_weak": lately(HALF_YEAR, "terms_request") & red,
        "PAY07": lately(YEAR, "bill_dishonoured") & holds,
        "PAY09_told": lately(HALF_YEAR, "unusual_payer"),
        "PAY09_severe": lately(HALF_YEAR, "unusual_payer") & red,
        "LIM02": lately(HALF_YEAR, "insurer_limit_cut"),
        "LIM02_withdrawn": cut & within(rows.published_on, book, HALF_YEAR) & withdrawn,
        "CON01": lately(QUARTER, "contact_change"),
        "CON01_severe": lately(QUARTER, "contact_change") & red,
        "CON02": lately(MONTH, "no_answer"),
        "CON02_2w": lately(TWO_WEEKS, "no_answer"),
        "CON03": lately(HALF_YEAR, "bank_change"),
        "CON03_severe": lately(HALF_YEAR, "bank_change") & red,
        "NEG01": bad_news & within(rows.published_on, book, MONTH),
        "NEG01_year": bad_news & within(rows.published_on, book, YEAR, MONTH),
        "NEG01_severe": bad_news & red & within(rows.published_on, book, QUARTER),
        "NEG02": lately(QUARTER, "lawsuit"),
        "NEG03": lately(2 * YEAR, "enforcement") & holds | worse,
        "NEG03_dishonest": worse,
        "NEG04": lately(QUARTER, "asset_freeze"),
        "NEG05": register,
        "NEG05_severe": register & red,
        "NEG06": lately(LONG, "insolvency") & holds,
        "NEG06_filed": filed,
        "NEG07": lately(120, "arrears_list") & holds,
        "NEG07_severe": lately(120, "arrears_list") & holds & red,
        "FIN08_auditor": lately(YEAR, "auditor_change"),
        "MAC01_told": lately(YEAR, "country_risk") & holds,
        "MAC01_severe": lately(YEAR, "country_risk") & holds & red,
        "MAC03": lately(YEAR, "customer_failure"),
        "MAC03_severe": lately(YEAR, "customer_failure") & red,
        "OPS01": stops,
        "OPS01_severe": stops & (red | (~told & (kind == "supply_stop"))),
        "OPS02": lately(QUARTER, "register_change", "capital_reduction"),
        "OPS02_capital": lately(QUARTER, "capital_reduction"),
        "OPS03": lately(HALF_YEAR, "asset_transfer"),
        "OPS03_severe": lately(HALF_YEAR, "asset_transfer") & red,
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
