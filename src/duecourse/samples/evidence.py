"""What the demo's buyers publish and what is said of them: yearly accounts and dated signals, after the hidden grade and distress."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from duecourse.ledger.entries import SIGNAL, STATEMENT
from duecourse.samples.columns import Codes, Days, Flags, Floats, choice_column, day_column, pick
from duecourse.samples.cycle import draws
from duecourse.samples.days import EPOCH, day_number
from duecourse.samples.places import COUNTRIES, CURRENCIES, MINOR_PER_UNIT

if TYPE_CHECKING:
    from duecourse.samples.buyers import Block

STREAM: Final = 7
"""Random numbers of its own: what is published changes nothing of what is bought and paid."""

WITH_ACCOUNTS: Final = 0.45
"""Share of buyers that give us their accounts; the larger more often."""

YEARS: Final = 4
MORE_WHERE_LARGE: Final = 0.3
ASSETS_TURNED: Final = (1.1, 1.3, 1.5, 1.0, 1.2, 1.1, 1.6, 2.4)
"""Revenue by assets, by sector as in `places.SECTORS`."""

STOCKS: Final = (0.20, 0.18, 0.15, 0.16, 0.24, 0.14, 0.15, 0.22)
"""Inventories by assets."""


def statements(block: Block, number: int) -> pa.Table:
    """Yearly accounts of some buyers, as the ledger's table `statement`: balanced to the unit, worse the worse the hidden grade."""
    rng = draws(block.economy, STREAM, number)
    count = block.profile.count
    rank = np.argsort(np.argsort(block.weight.sum(axis=1))) / max(count - 1, 1)
    gives = rng.random(count) < WITH_ACCOUNTS + MORE_WHERE_LARGE * (rank - 0.5)
    size = np.exp(rng.normal(np.log(1200.0), 0.7, count)) * block.habit.order_minor
    steady = rng.standard_normal((6, count))
    shares, audited = rng.random((4, count)), rng.random(count) < 0.45 + 0.4 * rank
    delay = rng.integers(75, 150, count)
    until = day_number(block.economy.until)
    parts: list[pa.Table] = []
    before = np.ones(count)
    for back in range(YEARS, 0, -1):
        year = block.economy.until.year - back
        end = day_number(date(year, 12, 31))
        noise = rng.standard_normal((5, count))
        if not 0 <= end - block.calendar.first < len(block.calendar.month_of):
            continue  # before the economy began
        month = int(block.calendar.month_of[end - block.calendar.first])
        grade = block.latent.grade[:, month].astype(np.float64)
        stress = block.latent.stress[:, month].astype(np.float64)
        before = before * np.exp(0.05 - 0.012 * (grade - 4) - 0.15 * stress + 0.08 * noise[0])
        published = np.minimum(end + delay, until + 1).astype(np.int32)
        known = gives & (published <= until) & (block.failure.day > published) & (block.profile.since <= end)
        if known.any():
            lines = _lines(block, size * before, grade, stress, steady, noise, shares)
            parts.append(_year(block, known, np.int32(end), published, audited, lines))
    return pa.concat_tables(parts) if parts else STATEMENT.facts.empty_table()


def _lines(
    block: Block, revenue: Floats, grade: Floats, stress: Floats, steady: Floats, noise: Floats, shares: Floats
) -> dict[str, np.ndarray[Any, np.dtype[np.int64]]]:
    """A year's lines in minor units, every one a whole thousand of the currency."""
    thousand = np.asarray(MINOR_PER_UNIT)[block.profile.currency] * 1000

    def money(values: Any) -> np.ndarray[Any, np.dtype[np.int64]]:
        whole: np.ndarray[Any, np.dtype[np.int64]] = (np.rint(values / thousand) * thousand).astype(np.int64)
        return whole

    assets = money(revenue / (np.asarray(ASSETS_TURNED)[block.profile.sector] * np.exp(0.15 * steady[0])) + thousand)
    owed_share = np.clip(0.26 + 0.045 * grade + 0.16 * stress + 0.07 * steady[1] + 0.02 * noise[1], 0.08, 1.35)
    current_share = np.clip(0.60 + 0.06 * steady[2] - 0.05 * stress, 0.35, 0.85)
    liabilities = money(assets * owed_share)
    current_owed = money(liabilities * np.clip(0.72 + 0.08 * steady[3] + 0.1 * stress, 0.45, 0.97))
    current = money(assets * current_share)
    stocks = money(assets * np.asarray(STOCKS)[block.profile.sector] * np.exp(0.1 * noise[2]))
    receivables = money((current - stocks) * np.clip(0.55 + 0.1 * steady[4] + 0.2 * stress, 0.2, 0.9))
    cash = money(np.maximum((current - stocks - receivables) * np.clip(0.75 - 0.4 * stress, 0.1, 0.9), 0))
    short_debt = money(current_owed * np.clip(0.35 + 0.05 * (grade - 4), 0.1, 0.7))
    payables = money((current_owed - short_debt) * 0.8)
    long_debt = money((liabilities - current_owed) * 0.8)
    sales = money(revenue)
    gross_share = np.clip(0.24 - 0.008 * (grade - 4) - 0.05 * stress + 0.03 * steady[5], 0.03, 0.5)
    cost = money(sales * (1 - gross_share))
    margin = np.clip(0.075 - 0.013 * (grade - 4) - 0.12 * stress + 0.012 * noise[3], -0.5, gross_share - 0.02)
    profit = money(sales * margin)
    interest = money((short_debt + long_debt) * (0.035 + 0.015 * shares[0]))
    before_tax = profit - interest
    net = money(before_tax * np.where(before_tax > 0, 0.76, 1.0))
    depreciation = money(assets * (0.02 + 0.02 * shares[1]))
    operating = money(net + depreciation - sales * (0.02 * noise[4] + 0.04 * stress))
    equity = assets - liabilities
    return {
        "cash": cash, "trade_receivables": receivables, "inventories": stocks, "current_assets": current, "total_assets": assets,
        "short_term_debt": short_debt, "trade_payables": payables, "current_liabilities": current_owed, "long_term_debt": long_debt,
        "total_liabilities": liabilities, "retained_earnings": money(np.where(equity > 0, equity * (0.35 + 0.3 * shares[2]), equity * 1.1)),
        "total_equity": equity, "revenue": sales, "cost_of_sales": cost, "gross_profit": sales - cost,
        "depreciation_amortisation": depreciation, "operating_profit": profit, "interest_expense": interest, "profit_before_tax": before_tax,
        "net_income": net, "operating_cash_flow": operating, "investing_cash_flow": money(-assets * 0.03 * (0.5 + shares[3])),
        "financing_cash_flow": money(-0.4 * operating),
    }  # fmt: skip


def _year(block: Block, known: Flags, end: np.int32, published: Days, audited: Flags, lines: dict[str, Any]) -> pa.Table:
    where = np.flatnonzero(known)
    count = len(where)
    chinese = np.asarray([country.code == "CN" for country in COUNTRIES])[block.profile.country[where]]
    columns: dict[str, Any] = {
        "buyer_id": choice_column(where.astype(np.int32), block.profile.ids),
        "period_end": day_column(np.full(count, end, np.int32)),
        "period_months": pa.array(np.full(count, 12, np.int32)),
        "consolidated": pa.array(np.zeros(count, np.bool_)),
        "published_on": day_column(published[where]),
        "published_on_estimated": pa.array(np.zeros(count, np.bool_)),
        "audited": pa.array(audited[where]),
        "opinion": pa.nulls(count, pa.string()),
        "standard": choice_column(np.where(chinese, 0, 1).astype(np.int32), ("CAS", "IFRS")),
        "currency": choice_column(block.profile.currency[where], CURRENCIES),
    }
    for field in STATEMENT.facts:
        if field.name not in columns:
            values = lines.get(field.name)
            columns[field.name] = pa.nulls(count, pa.int64()) if values is None else pa.array(values[where])
    return pa.table(columns, schema=STATEMENT.facts)


@dataclass(frozen=True)
class _News:
    """One kind of signal: what it is, how long before a failure it comes, of which share of the failing, who says so."""

    kind: str
    severity: str
    days_before: tuple[int, int]
    share: float
    provider: str
    text: str
    chinese_only: bool = False


BEFORE_FAILURE: Final = (
    _News("insurer_limit_cut", "red", (40, 160), 0.45, "Demo Credit Insurance", "Limit reduced 限额下调"),
    _News("lawsuit", "amber", (30, 200), 0.55, "Court register 裁判文书", "Sued over unpaid goods 买卖合同纠纷被诉"),
    _News("enforcement", "red", (5, 120), 0.45, "Enforcement register 执行信息公开", "Named as judgment debtor 被列为被执行人", chinese_only=True),
    _News("tax_arrears", "amber", (40, 220), 0.2, "Tax office 税务机关", "Arrears announced 欠税公告", chinese_only=True),
    _News("bill_dishonoured", "red", (10, 90), 0.2, "Bank 银行", "Acceptance bill not honoured 商票逾期未兑付", chinese_only=True),
    _News("terms_request", "amber", (50, 240), 0.4, "Sales 销售", "Asks for thirty more days 申请延长账期30天"),
    _News("insolvency", "red", (-6, -2), 1.0, "Insolvency register 破产重整信息", "Insolvency proceedings opened 破产申请受理"),
)  # fmt: skip
"""What shows before a firm fails; not all of it shows for each, and of sudden failures only the end."""

AT_RANDOM: Final = (
    _News("register_change", "info", (0, 0), 0.06, "Company register 工商登记", "New legal representative 法定代表人变更"),
    _News("lawsuit", "amber", (0, 0), 0.02, "Court register 裁判文书", "Sued over a contract 合同纠纷被诉"),
    _News("contact_change", "info", (0, 0), 0.03, "Sales 销售", "New head of purchasing 采购负责人变更"),
    _News("register_warning", "amber", (0, 0), 0.015, "Company register 工商登记", "Listed for missing its annual report 列入经营异常名录", chinese_only=True),
    _News("reference", "info", (0, 0), 0.04, "Supplier reference 同业询证", "Pays another supplier within terms 同业反映付款正常"),
)  # fmt: skip

AGENCY: Final = "Demo Rating 示例评级"
LETTERS: Final = ("AA", "AA", "A", "A", "BBB", "BBB", "BB", "B", "CCC", "C")
RATED: Final = 0.18


def signals(block: Block, number: int) -> pa.Table:
    """Dated signals about some buyers, as the ledger's table `signal`: before failures, at random, and a bureau's yearly grade."""
    rng = draws(block.economy, STREAM + 1, number)
    count = block.profile.count
    first, until = day_number(block.economy.since), day_number(block.economy.until)
    chinese = np.asarray([country.code == "CN" for country in COUNTRIES])[block.profile.country]
    failing = block.latent.default_month >= 0
    rows: list[dict[str, Any]] = []

    def add(news: _News, buyer: int, day: int, **more: Any) -> None:
        if first <= day <= until and day >= int(block.profile.since[buyer]) and (chinese[buyer] or not news.chinese_only):
            rows.append({"buyer": buyer, "day": day, "kind": news.kind, "severity": news.severity, "provider": news.provider, "text": news.text, **more})  # fmt: skip

    for news in BEFORE_FAILURE:
        drawn, ahead = rng.random(count), rng.integers(news.days_before[0], news.days_before[1], count, endpoint=True)
        seen = failing & (drawn < news.share) & (~block.latent.sudden | (news.kind == "insolvency"))
        if news.kind == "insolvency":
            seen &= block.failure.form == 0
        amounts = block.habit.order_minor * np.exp(rng.normal(1.5, 0.6, count))
        for buyer in np.flatnonzero(seen).tolist():
            owed = int(amounts[buyer]) if news.kind in ("lawsuit", "enforcement", "tax_arrears", "bill_dishonoured") else None
            add(news, buyer, int(block.failure.day[buyer]) - int(ahead[buyer]), amount=owed)
    for news in AT_RANDOM:
        drawn, days = rng.random(count), rng.integers(first, until, count, endpoint=True)
        ended = rng.random(count) < 0.5
        for buyer in np.flatnonzero(drawn < news.share).tolist():
            day = int(days[buyer])
            if day < int(block.failure.day[buyer]):
                over = day + 120 if news.kind in ("lawsuit", "register_warning") and ended[buyer] and day + 120 <= until else None
                add(news, buyer, day, ended=over)
    _rate(block, rng, add)
    rows.sort(key=lambda row: (row["buyer"], row["day"], row["kind"]))
    return _table(block, rows)


def _rate(block: Block, rng: np.random.Generator, add: Any) -> None:
    """A bureau grades some buyers every June, close to the hidden grade but not at it."""
    count = block.profile.count
    rated = np.flatnonzero(rng.random(count) < RATED)
    off = pick(rng.random(count), (0.2, 0.6, 0.2)) - 1
    previous: dict[int, str] = {}
    for year in range(block.economy.since.year, block.economy.until.year + 1):
        day = day_number(date(year, 6, 15))
        place = day - block.calendar.first
        if not 0 <= place < len(block.calendar.month_of):
            continue
        grades: Codes = np.clip(block.latent.grade[:, int(block.calendar.month_of[place])] + off, 1, 10).astype(np.int32)
        for buyer in rated.tolist():
            letter = LETTERS[int(grades[buyer]) - 1]
            severity = "info" if grades[buyer] <= 6 else "amber" if grades[buyer] <= 8 else "red"
            if day < int(block.failure.day[buyer]):
                news = _News("bureau_grade", severity, (0, 0), 1.0, AGENCY, "Yearly grade 年度评级")
                add(news, buyer, day, value=letter, previous=previous.get(buyer))
                previous[buyer] = letter


def _table(block: Block, rows: list[dict[str, Any]]) -> pa.Table:
    ids = block.profile.ids.to_pylist()
    made = []
    seen: set[tuple[int, int, str]] = set()
    for row in rows:
        buyer = row["buyer"]
        amount = row.get("amount")
        if (buyer, row["day"], row["kind"]) in seen:
            continue
        seen.add((buyer, row["day"], row["kind"]))
        made.append(
            {
                "signal_id": f"demo-{ids[buyer]}-{row['kind']}-{row['day']}", "buyer_id": ids[buyer], "kind": row["kind"],
                "severity": row["severity"], "published_on": _day(row["day"]), "ended_on": _day(row.get("ended")), "value": row.get("value"),
                "previous_value": row.get("previous"), "amount_minor": amount,
                "currency": CURRENCIES[block.profile.currency[buyer]] if amount else None, "provider": row["provider"], "text": row["text"],
            }
        )  # fmt: skip
    return pa.Table.from_pylist(made, schema=SIGNAL.facts)


def _day(number: int | None) -> date | None:
    return None if number is None else date.fromordinal(EPOCH.toordinal() + number)
