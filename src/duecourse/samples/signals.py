"""What is said of the demo's buyers: dated signals, drawn month by month from the hidden distress, whether it ends in failure or passes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.ledger.entries import SIGNAL
from duecourse.samples.columns import Codes, Days, Flags, Ints, choice_column, day_column, digits, pick, text_column
from duecourse.samples.cycle import draws
from duecourse.samples.days import day_number
from duecourse.samples.places import CHINA, CURRENCIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duecourse.samples.buyers import Block

STREAM: Final = 8
"""Random numbers of its own: what is said changes nothing of what is bought and paid."""

PROMISES: Final = 9
"""Random numbers of the promises."""

WATCHED_AFTER: Final = 12
"""Months after its last order, or after its failure, in which a buyer is still spoken of."""


@dataclass(frozen=True)
class Wording:
    """How one kind of signal reads: who says it, and in which words."""

    kind: str
    severity: str
    provider: str
    text: str


WORDINGS: Final = (
    Wording("contact_change", "info", "Sales 销售", "New head of purchasing 采购负责人变更"),
    Wording("contact_change", "info", "Sales 销售", "New finance contact 财务对接人变更"),
    Wording("news", "amber", "Trade press 行业媒体", "Reported to have lost a large customer 媒体称其失去大客户"),
    Wording("news", "amber", "Trade press 行业媒体", "Reported to owe its suppliers 媒体称其拖欠供应商货款"),
    Wording("news", "amber", "Trade press 行业媒体", "Reported to be cutting jobs 媒体称其裁员"),
    Wording("lawsuit", "amber", "Court register 裁判文书", "Sued over unpaid goods 买卖合同纠纷被诉"),
    Wording("lawsuit", "amber", "Court register 裁判文书", "Sued over a contract 合同纠纷被诉"),
    Wording("enforcement", "red", "Enforcement register 执行信息公开", "Named as judgment debtor 被列为被执行人"),
    Wording("terms_request", "amber", "Sales 销售", "Asks for thirty more days 申请延长账期30天"),
    Wording("terms_request", "amber", "Sales 销售", "Asks to pay by acceptance bill 申请改用承兑汇票付款"),
    Wording("bill_dishonoured", "red", "Bank 银行", "Acceptance bill not honoured 商票逾期未兑付"),
    Wording("tax_arrears", "amber", "Tax office 税务机关", "Arrears announced 欠税公告"),
    Wording("asset_freeze", "red", "Court register 裁判文书", "Bank account attached 银行账户被冻结"),
    Wording("supply_stop", "red", "Sales 销售", "Production stands still 停产"),
    Wording("no_answer", "amber", "Collection 催收", "Reminders stay unanswered 催款未获回复"),
    Wording("dishonest_debtor", "red", "Enforcement register 执行信息公开", "Listed as dishonest debtor 列入失信被执行人"),
    Wording("arrears_list", "red", "Bill exchange 上海票据交易所", "On the list of persistently overdue bills 列入商票持续逾期名单"),
    Wording("register_change", "info", "Company register 工商登记", "New legal representative 法定代表人变更"),
    Wording("register_warning", "amber", "Company register 工商登记", "Annual report missing 未按期公示年报"),
    Wording("bank_change", "amber", "Accounts receivable 应收会计", "Pays from another bank account 付款账户变更"),
    Wording("reference", "info", "Supplier reference 同业询证", "Pays another supplier within terms 同业反映付款正常"),
    Wording("reference", "amber", "Supplier reference 同业询证", "Pays another supplier late 同业反映付款拖延"),
    Wording("insolvency", "red", "Insolvency register 破产重整信息", "Insolvency proceedings opened 破产申请受理"),
    Wording("broken_promise", "amber", "Collection 催收", "Did not pay by the day it promised 未按承诺日付款"),
    Wording("insurer_limit_cut", "red", "Demo Credit Insurance 示例信保", "Limit reduced 限额下调"),
    Wording("insurer_limit_cut", "red", "Demo Credit Insurance 示例信保", "Limit withdrawn 限额撤销"),
    Wording("bureau_grade", "info", "Demo Rating 示例评级", "Yearly grade 年度评级"),
    Wording("bureau_grade", "amber", "Demo Rating 示例评级", "Yearly grade 年度评级"),
    Wording("bureau_grade", "red", "Demo Rating 示例评级", "Yearly grade 年度评级"),
)  # fmt: skip
KINDS: Final = tuple(dict.fromkeys(wording.kind for wording in WORDINGS))
_KIND_OF: Final = np.array([KINDS.index(wording.kind) for wording in WORDINGS], dtype=np.int32)

LETTERS: Final = ("AA", "A", "BBB", "BB", "B", "CCC", "C")
_LETTER_OF: Final = np.array([0, 0, 1, 1, 2, 2, 3, 4, 5, 6], dtype=np.int32)  # of grades 1 to 10
_SEVERITY_OF: Final = np.array([0, 0, 0, 0, 0, 0, 1, 1, 2, 2], dtype=np.int32)


def wording(kind: str, nth: int = 0) -> int:
    """Position of a kind's nth wording."""
    return [place for place, words in enumerate(WORDINGS) if words.kind == kind][nth]


@dataclass(frozen=True)
class Said:
    """Signals, a row each, before they are put in order. `nothing` is -1 in letters and 0 in amounts and days."""

    buyer: Codes
    day: Days
    wording: Codes
    amount: Ints
    ended: Days
    value: Codes
    previous: Codes

    @classmethod
    def plain(cls, buyer: Codes, day: Days, wording: Codes | int, amount: Ints | None = None) -> Said:
        """Signals that are only said."""
        count = len(buyer)
        none, no_letter = np.zeros(count, dtype=np.int32), np.full(count, -1, dtype=np.int32)
        amounts = np.zeros(count, dtype=np.int64) if amount is None else amount
        return cls(buyer, day, np.broadcast_to(np.int32(wording), count).copy(), amounts, none, no_letter, no_letter)


@dataclass(frozen=True)
class _Law:
    """How likely a kind of signal is in a month: at rest, and more with distress `lag` months before, beyond `above`."""

    kind: str
    chance: tuple[float, float]
    words: tuple[int, ...] = (0,)
    lag: int = 0
    above: float = 0.0
    shown: bool = False  # goes with the distress shown to us, not with the whole
    ours: bool = False  # is seen in dealing with it: ends with its failure
    covered: bool = False
    chinese: bool = False
    amount: bool = False
    ends: bool = False


def _laws(block: Block) -> tuple[_Law, ...]:
    rates = block.economy.behaviour
    return (
        _Law("contact_change", rates.contact_change, (0, 1), ours=True),
        _Law("news", rates.news, (0, 1, 2), lag=1, covered=True),
        _Law("lawsuit", rates.lawsuit, (0, 1), lag=2, amount=True, ends=True),
        _Law("enforcement", rates.enforcement, lag=2, above=0.5, amount=True, ends=True),
        _Law("terms_request", rates.terms_request, (0, 1), shown=True, ours=True),
        _Law("bill_dishonoured", rates.bill_dishonoured, above=0.5, shown=True, ours=True, chinese=True, amount=True),
        _Law("tax_arrears", rates.tax_arrears, lag=1, chinese=True, amount=True, ends=True),
        _Law("asset_freeze", rates.asset_freeze, lag=1, above=0.5, amount=True, ends=True),
        _Law("supply_stop", rates.supply_stop, lag=1, above=0.5, ours=True),
        _Law("no_answer", rates.no_answer, shown=True, ours=True),
        _Law("dishonest_debtor", rates.dishonest_debtor, lag=2, above=0.5, chinese=True, amount=True),
        _Law("arrears_list", rates.arrears_list, lag=1, above=0.5, chinese=True, amount=True),
        _Law("register_change", rates.register_change, lag=1),
        _Law("register_warning", rates.register_warning, lag=1, ends=True),
        _Law("bank_change", rates.bank_change, shown=True, ours=True),
        _Law("reference", rates.good_reference, (0,), shown=True, ours=True),
        _Law("reference", rates.bad_reference, (1,), shown=True, ours=True),
    )


def signals(block: Block, number: int, more: Sequence[Said] = ()) -> pa.Table:
    """Signals about the buyers of a block, as the ledger's table `signal`, in order of buyer and day, none after the economy's end.

    more  others, drawn with the trade they come from
    """
    rng = draws(block.economy, STREAM, number)
    said = [*_monthly(block, rng), _insolvency(block, rng), _bureau(block, rng), *more]
    return _table(block, said)


def _monthly(block: Block, rng: np.random.Generator) -> list[Said]:
    """What each month brings, by the laws."""
    behaviour, profile, calendar = block.economy.behaviour, block.profile, block.calendar
    count, before = profile.count, behaviour.warm_up_months
    window = np.arange(before, before + block.economy.years * 12)
    failed = np.where(block.latent.default_month >= 0, block.latent.default_month, 2**20)
    last = np.minimum(profile.end_month, failed) + WATCHED_AFTER
    watched = (window >= profile.start_month[:, None] - 1) & (window <= last[:, None])
    rank = np.argsort(np.argsort(block.usual)) / max(count - 1, 1)
    coverage = (1 / (1 + np.exp(-8 * (rank - behaviour.news_coverage_middle)))).astype(np.float32)[:, None]
    whole, shown = block.latent.lived_stress, block.visible.astype(np.float32)
    made: list[Said] = []
    for law in _laws(block):
        rest, more = law.chance
        felt = (shown if law.shown else whole)[:, window - law.lag]
        chance = np.float32(rest) + np.float32(more * behaviour.signal_scale) * np.maximum(felt - np.float32(law.above), 0)
        chance *= coverage if law.covered else 1
        chance *= watched
        if law.chinese:
            chance[profile.country != CHINA] = 0
        buyer, month = (places.astype(np.int32) for places in np.nonzero(rng.random(chance.shape, dtype=np.float32) < chance))
        first = calendar.month_first[window[month]]
        day = (first + rng.random(len(buyer)) * (calendar.month_first[window[month] + 1] - first)).astype(np.int32)
        words = np.array([wording(law.kind, nth) for nth in law.words], dtype=np.int32)
        chosen = words[(rng.random(len(buyer)) * len(words)).astype(np.int32)]
        owed = (block.habit.order_minor[buyer] * np.exp(1.5 + 0.6 * rng.standard_normal(len(buyer)))).astype(np.int64)
        lifted = np.where(rng.random(len(buyer)) < 0.5, day + 60 + (340 * rng.random(len(buyer))).astype(np.int32), 0).astype(np.int32)
        kept = day < block.failure.day[buyer] if law.ours else np.ones(len(buyer), dtype=bool)
        plain = Said.plain(buyer, day, chosen, owed if law.amount else None)
        made.append(_some(Said(buyer, day, chosen, plain.amount, lifted if law.ends else plain.ended, plain.value, plain.previous), kept))
    return made


def _insolvency(block: Block, rng: np.random.Generator) -> Said:
    """Proceedings opened some days after the failure, where that is its form."""
    buyer = np.flatnonzero((block.latent.default_month >= 0) & (block.failure.form == 0)).astype(np.int32)
    day = block.failure.day[buyer] + 2 + (rng.random(len(buyer)) * 12).astype(np.int32)
    return Said.plain(buyer, day.astype(np.int32), wording("insolvency"))


def _bureau(block: Block, rng: np.random.Generator) -> Said:
    """A bureau grades some buyers every June: a month late, and within two notches of the hidden grade."""
    count, calendar = block.profile.count, block.calendar
    rated = np.flatnonzero(rng.random(count) < block.economy.behaviour.rated_share).astype(np.int32)
    bias = pick(rng.random(len(rated)), (0.2, 0.6, 0.2)) - 1
    previous = np.full(len(rated), -1, dtype=np.int32)
    years: list[Said] = []
    until = day_number(block.economy.until)
    for year in range(block.economy.since.year, block.economy.until.year + 1):
        day = day_number(date(year, 6, 15))
        off = bias + pick(rng.random(len(rated)), (0.15, 0.7, 0.15)) - 1
        if not day_number(block.economy.since) <= day <= until:
            continue
        month = int(calendar.month_of[day - calendar.first]) - 1
        grade = np.clip(block.latent.lived_grade[rated, month] + off, 1, 10) - 1
        alive = (block.failure.day[rated] > day) & (block.profile.since[rated] <= day)
        letter = _LETTER_OF[grade]
        words = wording("bureau_grade") + _SEVERITY_OF[grade]
        plain = Said.plain(rated, np.full(len(rated), day, dtype=np.int32), words)
        years.append(_some(Said(rated, plain.day, words, plain.amount, plain.ended, letter, previous), alive))
        previous = np.where(alive, letter, previous).astype(np.int32)
    return _joined(years) if years else _some(Said.plain(rated, rated, rated), np.zeros(len(rated), dtype=bool))


def broken_promises(block: Block, run: slice, buyer: Codes, due: Days, gone: Days, amount: Ints) -> Said:
    """Of some invoices weeks overdue a promise to pay by a day, given lightly and not kept: said the day after.

    gone  the day each invoice is paid, or its buyer fails
    """
    behaviour, rng = block.economy.behaviour, draws(block.economy, PROMISES, block.profile.first, run.start)
    asked = due + 15 + (10 * rng.random(len(due))).astype(np.int32)
    row = np.flatnonzero((asked < gone) & (rng.random(len(due)) < behaviour.promise_share))
    at_rest, more = behaviour.promise_broken
    lightly = at_rest + behaviour.signal_scale * more * block.of_month(block.visible, buyer[row], asked[row])
    row = row[rng.random(len(row)) < lightly]
    day = (asked[row] + 4 + (14 * rng.random(len(row))).astype(np.int32)).astype(np.int32)
    broken = day < gone[row]
    return Said.plain(buyer[row[broken]], day[broken], wording("broken_promise"), amount[row[broken]])


def _some(said: Said, kept: Flags | Ints) -> Said:
    return Said(
        said.buyer[kept], said.day[kept], said.wording[kept], said.amount[kept], said.ended[kept], said.value[kept], said.previous[kept]
    )  # fmt: skip


def _joined(said: Sequence[Said]) -> Said:
    return Said(
        np.concatenate([one.buyer for one in said]), np.concatenate([one.day for one in said]), np.concatenate([one.wording for one in said]),
        np.concatenate([one.amount for one in said]), np.concatenate([one.ended for one in said]),
        np.concatenate([one.value for one in said]), np.concatenate([one.previous for one in said]),
    )  # fmt: skip


def _table(block: Block, said: Sequence[Said]) -> pa.Table:
    """The rows: one of a kind for each buyer and day, within the economy's time and the buyer's time with us."""
    profile, until = block.profile, day_number(block.economy.until)
    rows = _joined(said)
    since = np.maximum(profile.since[rows.buyer], day_number(block.economy.since))
    rows = _some(rows, (rows.day >= since) & (rows.day <= until))
    kind = _KIND_OF[rows.wording]
    key = ((rows.buyer.astype(np.int64) << 24) | (rows.day - block.calendar.first + 1000)) << 8 | kind
    _, first = np.unique(key, return_index=True)
    rows, kind = _some(rows, first), kind[first]
    count = len(first)
    ids = choice_column(rows.buyer, profile.ids)
    demo, dash = (choice_column(np.zeros(count, dtype=np.int32), (text,)) for text in ("demo", "-"))
    day = text_column(digits(rows.day.astype(np.int64), 5))
    named: dict[str, Any] = {
        "signal_id": pc.binary_join_element_wise(demo, ids, choice_column(kind, KINDS), day, dash),
        "buyer_id": ids,
        "kind": choice_column(kind, KINDS),
        "severity": choice_column(rows.wording, [words.severity for words in WORDINGS]),
        "published_on": day_column(rows.day),
        "ended_on": day_column(rows.ended, (rows.ended > 0) & (rows.ended <= until)),
        "value": choice_column(rows.value, LETTERS),
        "previous_value": choice_column(rows.previous, LETTERS),
        "amount_minor": pa.array(rows.amount, mask=rows.amount == 0),
        "currency": choice_column(np.where(rows.amount > 0, profile.currency[rows.buyer], -1).astype(np.int32), CURRENCIES),
        "provider": choice_column(rows.wording, [words.provider for words in WORDINGS]),
        "text": choice_column(rows.wording, [words.text for words in WORDINGS]),
    }
    for field in SIGNAL.facts:
        named.setdefault(field.name, pa.nulls(count, field.type))
    return pa.table(named, schema=SIGNAL.facts)
