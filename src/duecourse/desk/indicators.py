"""The forty early-warning indicators of every buyer, or of one with its evidence (预警指标).

`indicators` answers for everybody from a few passes over the book; `indicators_of` for one buyer from its own facts, with what the whole book says of
its country, sector and group. Both are the same expressions of `duecourse.measures.indicators`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.desk.alone import answered, holds
from duecourse.engines.fused import refresh
from duecourse.ledger.entries import LIMIT, SIGNAL, STATEMENT
from duecourse.ledger.memory import MemoryLedger
from duecourse.measures.buyer import buyer_measures
from duecourse.measures.indicators.accounts import accounts
from duecourse.measures.indicators.common import YEAR
from duecourse.measures.indicators.payment import contested, other_payers, part_payments, payment_cycle, payments_by_month
from duecourse.measures.indicators.surroundings import contagion, moves, standing_of
from duecourse.measures.indicators.told import claims, downgrades, recorded, signals_counted
from duecourse.measures.indicators.trade import insurer_cover, ordering, standing, utilisation
from duecourse.risk.warning.rules_v1 import shipped

if TYPE_CHECKING:
    from collections.abc import Mapping

    import ibis.expr.types as ir
    import numpy.typing as npt

    from duecourse.ledger.book import Book
    from duecourse.risk.warning.rules_v1 import Rules

    Column = npt.NDArray[np.float64]

compute: Any = pc
SETTING: Final = "warning_rules"

KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "PAY04": ("broken_promise",), "PAY06": ("terms_request",), "PAY07": ("bill_dishonoured",), "PAY09": ("unusual_payer", "payer"),
    "LIM02": ("insurer_limit_cut",), "CON01": ("contact_change",), "CON02": ("no_answer",), "CON03": ("bank_change",), "NEG01": ("news",),
    "NEG02": ("lawsuit",), "NEG03": ("enforcement", "dishonest_debtor", "list_match"), "NEG04": ("asset_freeze",),
    "NEG05": ("register_warning", "tax_arrears"), "NEG06": ("insolvency",), "NEG07": ("arrears_list",), "FIN08_auditor": ("auditor_change",),
    "MAC01": ("country_risk",), "MAC03": ("customer_failure",), "OPS01": ("supply_stop", "headcount_fall"),
    "OPS02": ("register_change", "capital_reduction"), "OPS03": ("asset_transfer",), "PAY08": ("contested",),
}  # fmt: skip
"""What a book must record for the absence of a sign to say that there is none."""

REGISTERS: Final = frozenset(
    ["lawsuit", "enforcement", "dishonest_debtor", "insolvency", "asset_freeze", "register_warning", "tax_arrears", "arrears_list", "register_change", "capital_reduction"]
)  # fmt: skip
"""Told by courts and registers: recorded for a country, not everywhere."""


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
    measured, before = (_measured(replace(whole, on=on)) for on in (whole.on, whole.on - timedelta(days=YEAR)))
    standing_now = answered(whole, "standing of", standing_of, measured=measured)
    standing_then = answered(replace(whole, on=whole.on - timedelta(days=YEAR)), "standing of", standing_of, measured=before)
    around = _Surroundings(
        answered(whole, "recorded", recorded), answered(whole, "moves", moves, now=standing_now, then=standing_then),
        answered(whole, "profiles", _profiles),
    )  # fmt: skip
    owed = answered(whole, "standing", standing, measured=measured)
    found = _own(whole, buyers, owed)
    found.take(answered(whole, "contagion", contagion, standing=standing_now))
    found.values["LIM04"] = _share(whole, measured, found.values.pop("LIM04_owed"), owed)
    return _finished(found, around)


def _measured(book: Book) -> pa.Table:
    return answered(book, "measures", buyer_measures) if isinstance(book.ledger, MemoryLedger) else refresh(book)


def _profiles(book: Book) -> ir.Table:
    return book.buyer.select("buyer_id", "country", "sector")


class _Found:
    """Figures by column, a buyer each, NaN where not known."""

    def __init__(self, buyers: pa.Array[Any]) -> None:
        self.buyers, self.size = buyers, len(buyers)
        self.values: dict[str, Column] = {}

    def place(self, rows: pa.Table) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
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
        found = self.values.get(name)
        return np.full(self.size, np.nan) if found is None else found


def _own(book: Book, buyers: pa.Array[Any], owed: pa.Table) -> _Found:
    """What a buyer's own facts say."""
    found = _Found(buyers)
    months = answered(book, "payments by month", payments_by_month)
    found.take(answered(book, "payment cycle", payment_cycle, months=months))
    for name, make, entry in (
        ("part payments", part_payments, None), ("contested", contested, None), ("other payers", other_payers, None),
        ("insurer cover", insurer_cover, LIMIT), ("ordering", ordering, None), ("signals counted", signals_counted, SIGNAL),
        ("claims", claims, SIGNAL), ("downgrades", downgrades, SIGNAL), ("accounts", accounts, STATEMENT),
    ):  # fmt: skip
        if entry is None or holds(book, entry):
            found.take(answered(book, name, make))
    found.take(owed)
    if holds(book, LIMIT):
        found.take(answered(book, "utilisation", utilisation, owed=owed.select(["buyer_id", "LIM04_owed"])))
    return found


class _Surroundings:
    """What the whole book says around its buyers."""

    def __init__(self, kinds: pa.Table, moved: pa.Table, profiles: pa.Table) -> None:
        self.anywhere = set(kinds["kind"].to_pylist())
        self.by_country = set(zip(kinds["kind"].to_pylist(), kinds["country"].to_pylist(), strict=True))
        self.moved = {(row["of"], row["name"]): row for row in moved.to_pylist()}
        self.profiles = profiles

    def knows(self, kind: str, country: str | None) -> bool:
        """Would the book have told this kind of sign of a buyer of this country?"""
        return (kind, country) in self.by_country if kind in REGISTERS else kind in self.anywhere


def _finished(found: _Found, around: _Surroundings) -> pa.Table:
    place, there = found.place(around.profiles)
    values = found.values
    codes = {}
    for of in ("country", "sector"):
        coded = around.profiles[of].combine_chunks().dictionary_encode()
        words = [*coded.dictionary.to_pylist(), None]
        code = np.full(found.size, len(words) - 1)
        code[place] = compute.fill_null(coded.indices, len(words) - 1).to_numpy(zero_copy_only=False)[there]
        codes[of] = (code, words)
        moved = [around.moved.get((of, word), {}) for word in words]
        for name, key in (("change", "change"), ("surprise", "surprise")):
            column = {"country": f"MAC01_{name}", "sector": "MAC02" if name == "change" else "MAC02_surprise"}[of]
            values[column] = np.array([float(row.get(key, np.nan)) for row in moved])[code]
    country, words = codes["country"]
    recorded_of = {
        kind: np.array([around.knows(kind, word) for word in words])[country] for kinds in KINDS.values() for kind in kinds
    }  # fmt: skip
    for indicator, kinds in KINDS.items():
        known = np.any([recorded_of[kind] for kind in kinds], axis=0)
        for name in _columns_of(indicator):
            values[name] = np.where(known, np.nan_to_num(found.get(name)) if name not in RATIOS else found.get(name), np.nan)
    _together(found)
    rules = shipped()
    wanted = [*rules.indicators, *sorted(set(_further(rules)) - set(rules.indicators))]
    return pa.table([found.buyers, *(pa.array(found.get(name), from_pandas=True) for name in wanted)], names=["buyer_id", *wanted])


RATIOS: Final = ("PAY08", "PAY08_share", "NEG01_ratio", "NEG02_equity")
"""Figures that lack something of their own where they are missing."""

COUNTED: Final[Mapping[str, tuple[str, ...]]] = {
    "PAY06": ("PAY06", "PAY06_weak"), "PAY09": ("PAY09", "PAY09_told", "PAY09_severe"), "LIM02": ("LIM02", "LIM02_withdrawn"),
    "CON01": ("CON01", "CON01_severe"), "CON02": ("CON02", "CON02_2w"), "CON03": ("CON03", "CON03_severe"),
    "NEG01": ("NEG01", "NEG01_ratio", "NEG01_severe"), "NEG03": ("NEG03", "NEG03_dishonest"), "NEG05": ("NEG05", "NEG05_severe"),
    "NEG06": ("NEG06", "NEG06_filed"), "NEG07": ("NEG07", "NEG07_severe"), "MAC01": ("MAC01_told", "MAC01_severe"),
    "MAC03": ("MAC03", "MAC03_severe"), "OPS01": ("OPS01", "OPS01_severe"), "OPS02": ("OPS02", "OPS02_capital"),
    "OPS03": ("OPS03", "OPS03_severe"), "PAY08": ("PAY08", "PAY08_share"),
}  # fmt: skip
"""Columns that hang on an indicator's kinds, where there is more than its own."""


def _columns_of(indicator: str) -> tuple[str, ...]:
    return COUNTED.get(indicator, (indicator,))


def _further(rules: Rules) -> list[str]:
    """All further columns: those the shipped rules look at, and those that explain them."""
    return [
        *(one.column for rule in rules.indicators.values() for part in (rule.amber, rule.red) for every in part for one in every),
        "PAY01_season",
        "PAY01_since",
        "LIM02_lost",
        "MAC03_group",
    ]


def _together(found: _Found) -> None:
    """Join what comes from two sources: what is told and what the books show."""

    def both(one: Column, other: Column) -> Column:
        return np.where(np.isnan(one) & np.isnan(other), np.nan, np.nan_to_num(one) + np.nan_to_num(other))

    values, lost = found.values, found.get("LIM02_lost")
    values["PAY09"] = both(found.get("PAY09"), found.get("PAY09_told"))
    values["LIM02"] = both(found.get("LIM02"), np.where(np.isnan(lost), np.nan, lost >= LEAST_CUT))
    values["LIM02_withdrawn"] = both(found.get("LIM02_withdrawn"), np.where(np.isnan(lost), np.nan, lost >= 1.0))
    values["MAC01"] = found.get("MAC01_told")
    values["MAC03"] = both(found.get("MAC03"), found.get("MAC03_group"))


LEAST_CUT: Final = 0.02
"""Less than this is a rounding of the insurer's, no cut."""


def _share(book: Book, measured: pa.Table, own: Column, owed: pa.Table) -> Column:
    """Of all that is owed; not known where some of it is in a currency that does not convert, unless all is in one."""
    rated = set(book.run(book.rates().select("currency"))["currency"].to_pylist())
    used = set(compute.unique(measured["currency"]).to_pylist())
    total = float(np.nansum(owed["LIM04_owed"].to_numpy(zero_copy_only=False)))
    if total <= 0 or (len(used) > 1 and not used <= rated):
        return np.where(np.isnan(own), np.nan, np.nan if total > 0 else 0.0)
    return own / total
