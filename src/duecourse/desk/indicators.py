"""The forty early-warning indicators of every buyer, or of one with its evidence (预警指标).

`indicators` answers for everybody from a few passes over the book; `indicators_of` for one buyer from its own facts, with what the whole book says of
its country, sector and group. Both are the same expressions of `duecourse.measures.indicators`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.desk.alone import FURTHER, answered, holds
from duecourse.desk.behaviour import columns_ready
from duecourse.desk.surroundings import Surroundings, keep, measures_of_all, surroundings, surroundings_of, with_group
from duecourse.engines.fused.paying import paying
from duecourse.errors import BuyerUnknownError
from duecourse.ledger.entries import INVOICE, LIMIT, ORDER, SETTLEMENT, SIGNAL, STATEMENT
from duecourse.measures.base import minor_rates
from duecourse.measures.indicators.accounts import accounts
from duecourse.measures.indicators.payment import contested, oldest_unpaid, other_payers, part_payments, payment_cycle, payments_by_month
from duecourse.measures.indicators.surroundings import contagion, standing_of
from duecourse.measures.indicators.told import NEWS, SIGNS, claims, downgrades, recorded, signals_counted
from duecourse.measures.indicators.trade import insurer_cover, ordering, standing, utilisation
from duecourse.risk.warning.rules_v1 import LEVELS, judge, shipped

if TYPE_CHECKING:
    from collections.abc import Mapping

    import ibis.expr.types as ir
    import numpy.typing as npt

    from duecourse.engines.fused import Projection
    from duecourse.ledger.book import Book
    from duecourse.risk.warning.rules_v1 import Rules

    Column = npt.NDArray[np.float64]

compute: Any = pc
SETTING: Final = "warning_rules"

KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    **{name: sign.kinds for name, sign in SIGNS.items()},
    "PAY08": ("contested",), "PAY09": ("payer",), "NEG01": NEWS.kinds,
}  # fmt: skip
"""What a book must record for the absence of a sign to say that there is none."""

OF_THE_SAME: Final[Mapping[str, tuple[str, ...]]] = {
    "PAY06": ("PAY06_weak",), "PAY08": ("PAY08_share",), "PAY09_told": ("PAY09_severe",), "LIM02": ("LIM02_withdrawn",), "CON01": ("CON01_severe",),
    "CON02": ("CON02_2w",), "CON03": ("CON03_severe",), "NEG01": ("NEG01_ratio", "NEG01_severe"), "NEG03": ("NEG03_dishonest",),
    "NEG05": ("NEG05_severe",), "NEG06": ("NEG06_filed",), "NEG07": ("NEG07_severe",), "MAC01": ("MAC01_severe",), "MAC03_told": ("MAC03_severe",),
    "OPS01": ("OPS01_severe",), "OPS02": ("OPS02_capital",), "OPS03": ("OPS03_severe",),
}  # fmt: skip
"""Further columns that hang on the same kinds."""

LACKING: Final = ("PAY08", "PAY08_share", "NEG01_ratio")
"""Where these are missing although their kinds are recorded, something of their own is lacking: they are not zero."""

EXPLAINING: Final = ("PAY01_season", "PAY01_since", "LIM02_lost", "MAC03_group")
"""Columns that no threshold looks at, and a person does."""

LEAST_CUT: Final = 0.02
"""Less than this is a rounding of the insurer's, no cut."""


def warning_rules(book: Book) -> Rules:
    """The thresholds in force: the shipped ones with what the firm states instead. Raises WarningRulesInvalidError."""
    return shipped().changed(book.settings.get(SETTING))


def indicators(book: Book, buyers: pa.Array[Any]) -> pa.Table:
    """What do the forty indicators say of these buyers as of the book?  预警指标

    One row per buyer, in their order: buyer_id, then a float64 column per indicator (`PAY01` … `OPS03`), then the further figures their thresholds look
    at (`PAY01_rise` …). Null where the facts it takes are lacking. Looked at whole: what one person may not see counts for the country, the sector and
    the share of all receivables.
    """
    whole = book.whole
    measured = measures_of_all(whole)
    owed = answered(whole, "standing", standing, measured=measured)
    trading = answered(whole, "standing of", standing_of, measured=measured)
    around = surroundings_of(whole, measured, owed, trading)
    keep(whole, around)
    found = Found(buyers)
    _take_own(found, whole, measured, owed, columns_ready(whole))
    found.take(answered(whole, "contagion", contagion, standing=trading))
    return _finished(found, around, answered(whole, "profiles", _profiles))


def scored(book: Book) -> pa.Table:
    """What does the rule score say of every active buyer that may be seen?  规则预警分

    One row per buyer that owes anything or bought within the last 365 days, riskiest first: buyer_id; score, composite (0 to 100), known (share of all
    weight), float64; level (green | amber | red); floored (one red of the highest weight); reasons: codes of its indicators, heaviest first.
    """
    trading = answered(book.whole, "standing of", standing_of, measured=measures_of_all(book.whole))["buyer_id"].combine_chunks()
    if book.scope.restricts:
        seen = book.run(book.buyer.select("buyer_id"))["buyer_id"].combine_chunks()
        trading = trading.filter(compute.is_in(trading, seen))
    done = judge(indicators(book, trading), warning_rules(book))
    names, levels = list(done.rules.indicators), [LEVELS[place] for place in done.level.tolist()]
    weights = np.array([one.weight for one in done.rules.indicators.values()])
    order = np.argsort(-np.nan_to_num(done.levels) * weights, axis=1, kind="stable")
    counts = (np.nan_to_num(done.levels) > 0).sum(axis=1)
    reasons = [[names[at] for at in row[:count]] for row, count in zip(order.tolist(), counts.tolist(), strict=True)]
    columns_ = {
        "buyer_id": trading, "score": pa.array(done.score, from_pandas=True), "composite": pa.array(done.composite, from_pandas=True),
        "known": pa.array(done.known), "level": pa.array(levels, pa.string()), "floored": pa.array(done.floored),
        "reasons": pa.array(reasons, pa.list_(pa.string())),
    }  # fmt: skip
    return pa.table(columns_).sort_by([("score", "descending"), ("buyer_id", "ascending")])


def figures_of(book: Book, buyer_id: str) -> tuple[pa.Table, Book, Surroundings]:
    """The same of one buyer: a table of one row, the book of its own facts it was read from, and what the whole book says around it.

    Raises BuyerUnknownError for one that the book does not hold or that may not be seen. A payment booked to another account than its invoice's stands
    with that account, and is missing here where the columns of the ledger do not lie ready.
    """
    if not any(rows.num_rows for rows in (*book.about(buyer_id).values(), *book.also_about(buyer_id, ORDER, *FURTHER).values())):
        raise BuyerUnknownError(buyer=buyer_id)
    whole = book.whole
    own, measured = with_group(whole, buyer_id)
    around = surroundings(whole).knowing(answered(own, "recorded", recorded))
    found = Found(pa.array([buyer_id], pa.string()))
    mine = measured.filter(compute.equal(measured["buyer_id"], buyer_id))
    _take_own(found, own, mine, answered(own, "standing", standing, measured=mine), columns_ready(whole), buyer_id)
    trading = answered(own, "standing of", standing_of, measured=measured)
    found.take(answered(own, "contagion", contagion, standing=trading))
    return _finished(found, around, answered(own, "profiles", _profiles)), own, around


def _profiles(book: Book) -> ir.Table:
    return book.buyer.select("buyer_id", "country", "sector")


class Found:
    """Figures by column, a buyer each, NaN where not known."""

    def __init__(self, buyers: pa.Array[Any]) -> None:
        self.buyers, self.size = buyers, len(buyers)
        self.values: dict[str, Column] = {}

    def place(self, rows: pa.Table) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Which buyer each row of some is about, and which rows those are."""
        at = compute.index_in(rows["buyer_id"].combine_chunks(), self.buyers)
        there = compute.is_valid(at).to_numpy(zero_copy_only=False)
        return compute.fill_null(at, 0).to_numpy(zero_copy_only=False).astype(np.int64)[there], there

    def take(self, rows: pa.Table) -> None:
        """Spread a table of one row a buyer over the buyers."""
        place, there = self.place(rows)
        for name in rows.column_names:
            if name != "buyer_id":
                column = np.full(self.size, np.nan)
                column[place] = np.asarray(rows[name].cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)[there]
                self.values[name] = column

    def get(self, name: str) -> Column:
        """A column; nothing known where nobody gave it."""
        found = self.values.get(name)
        return np.full(self.size, np.nan) if found is None else found


def _take_own(found: Found, book: Book, measured: pa.Table, owed: pa.Table, ready: Projection | None, buyer_id: str | None = None) -> None:
    """What the buyers' own facts say; how they pay from the columns of a large ledger, where those lie ready."""
    if ready is not None:
        factors = {row["currency"]: row["factor"] for row in answered(book, "rates", minor_rates).to_pylist()}
        found.take(paying(ready, book.on, factors, buyer_id=buyer_id))
    else:
        months = answered(book, "payments by month", payments_by_month)
        found.take(answered(book, "payment cycle", payment_cycle, months=months))
        found.take(answered(book, "part payments", part_payments))
        found.take(answered(book, "oldest unpaid", oldest_unpaid))
    found.take(answered(book, "contested", contested, measured=measured))
    for name, make, entry in (
        ("other payers", other_payers, SETTLEMENT),
        ("insurer cover", insurer_cover, LIMIT), ("ordering", ordering, INVOICE), ("signals counted", signals_counted, SIGNAL),
        ("claims", claims, SIGNAL), ("downgrades", downgrades, SIGNAL), ("accounts", accounts, STATEMENT),
    ):  # fmt: skip
        if holds(book, entry):
            found.take(answered(book, name, make))
    found.take(owed)
    trades = ~np.isnan(found.get("PAY02"))
    found.values["PAY03"] = np.where(trades, np.nan_to_num(found.get("PAY03")), np.nan)
    base = found.get("PAY03_base")
    found.values["PAY03_share"] = np.where(
        base > 0, np.nan_to_num(found.get("PAY03_owed")) / np.where(base > 0, base, 1.0), np.where(trades, 0.0, np.nan)
    )
    if holds(book, LIMIT):
        found.take(answered(book, "utilisation", utilisation, owed=owed.select(["buyer_id", "LIM04_owed"])))


def _finished(found: Found, around: Surroundings, profiles: pa.Table) -> pa.Table:
    values = found.values
    values["LIM04"] = found.get("LIM04_owed") / around.owed if around.owed else np.full(found.size, np.nan)
    country, countries = _coded(found, profiles, "country")
    sector, sectors = _coded(found, profiles, "sector")
    for name, codes, words, of, figure in (
        ("MAC01_change", country, countries, "country", "change"), ("MAC01_surprise", country, countries, "country", "surprise"),
        ("MAC02", sector, sectors, "sector", "change"), ("MAC02_surprise", sector, sectors, "sector", "surprise"),
    ):  # fmt: skip
        values[name] = np.array([float(around.moved.get((of, word), {}).get(figure, np.nan)) for word in words])[codes]
    for column, kinds in KINDS.items():
        recorded_of = np.array([any(around.records(kind, word) for kind in kinds) for word in countries])[country]
        for name in (column, *OF_THE_SAME.get(column, ())):
            value = found.get(name)
            values[name] = np.where(recorded_of, value if name in LACKING else np.nan_to_num(value), np.nan)
    lost = found.get("LIM02_lost")
    values["PAY09"] = _added(found.get("PAY09"), found.get("PAY09_told"))
    values["LIM02"] = _added(found.get("LIM02"), np.where(np.isnan(lost), np.nan, lost >= LEAST_CUT))
    values["LIM02_withdrawn"] = _added(found.get("LIM02_withdrawn"), np.where(np.isnan(lost), np.nan, lost >= 1.0))
    values["MAC03"] = _added(found.get("MAC03_told"), found.get("MAC03_group"))
    return pa.table([found.buyers, *(pa.array(found.get(name), from_pandas=True) for name in columns())], names=["buyer_id", *columns()])


@cache
def columns() -> tuple[str, ...]:
    """The figures of a buyer: the forty indicators, then what their thresholds also look at, then what explains them."""
    rules = shipped()
    further = {one.column for rule in rules.indicators.values() for part in (rule.amber, rule.red) for every in part for one in every}
    return (*rules.indicators, *sorted({*further, *EXPLAINING} - set(rules.indicators)))


def _coded(found: Found, profiles: pa.Table, of: str) -> tuple[npt.NDArray[np.int64], list[str | None]]:
    """Each buyer's country or sector as a position among those there are; the last is none."""
    place, there = found.place(profiles)
    coded = profiles[of].combine_chunks().dictionary_encode()
    words = [*coded.dictionary.to_pylist(), None]
    codes = np.full(found.size, len(words) - 1)
    codes[place] = compute.fill_null(coded.indices, len(words) - 1).to_numpy(zero_copy_only=False)[there]
    return codes, words


def _added(one: Column, other: Column) -> Column:
    """What comes from two sources: told, and shown by the books."""
    return np.where(np.isnan(one) & np.isnan(other), np.nan, np.nan_to_num(one) + np.nan_to_num(other))
