"""The way from facts to grades, as columns: what `desk.grading` says for everybody and for one buyer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.desk.accounts import accounts as accounts_of
from duecourse.desk.alone import answered, holds
from duecourse.ledger.entries import DECISION, SIGNAL
from duecourse.measures.base import minor_rates
from duecourse.risk import behaviour_v1, grade_v1, scorecard_v1
from duecourse.risk.behaviour_v1.signals import FAMILIES, rules, weigh
from duecourse.risk.grade_v1.combining import at_least, moved

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import ibis.expr.types as ir
    import numpy.typing as npt

    from duecourse.desk.accounts import Accounts
    from duecourse.desk.behaviour import Conduct
    from duecourse.ledger.book import Book
    from duecourse.risk.grade_v1 import Combined, Weights
    from duecourse.risk.points import Evidence, Scorecard

    Column = npt.NDArray[np.float64]
    Bits = npt.NDArray[np.int32]

compute: Any = pc
CONFIDENCES: Final = ("high", "medium", "low")
OF_SIGNALS: Final = ("insolvency", "dishonest_debtor", "enforcement", "bill_dishonoured", "list_match")
OVERRIDES: Final = (*OF_SIGNALS, "over_90_days", "written_off", "bad_opinion")
DOUBTS: Final = (
    "no_accounts", "interim_accounts", "accounts_dead", "accounts_unbalanced", "accounts_impossible", "accounts_jumped", "accounts_thin",
    "accounts_old", "accounts_unaudited", "accounts_few_items", "negative_equity", "no_trade", "few_invoices", "no_limit",
)  # fmt: skip
ADJUSTMENT: Final = "grade_adjustment"


@dataclass(frozen=True)
class Adjustment:
    """A person's move of a grade, confirmed by a second one. notches: positive = worse."""

    decision_id: str
    notches: int
    decided_on: date
    until: date
    reason: str
    made_by: str
    approved_by: str


@dataclass(frozen=True)
class Judged:
    """Columns by position, a buyer each; overrides and doubts are bits in the order of OVERRIDES and DOUBTS."""

    grade: npt.NDArray[np.int8]
    probability: Column
    low: Column
    high: Column
    confidence: npt.NDArray[np.int8]
    basis: npt.NDArray[np.int8]
    overrides: Bits
    doubts: Bits
    notches: npt.NDArray[np.int64]
    without_adjustment: npt.NDArray[np.int8]
    without_overrides: npt.NDArray[np.int8]
    base_rate: Column
    base_rate_of: Sequence[str]
    intercept: float
    combined: Combined
    weights: Weights
    accounts: Accounts
    conduct: Conduct
    blocks: Sequence[tuple[str, Scorecard, Evidence, Mapping[str, Column], Column]]
    adjustments: Mapping[int, Adjustment]
    signals: Sequence[dict[str, Any]]
    signal_weights: Column
    overriding: Mapping[str, npt.NDArray[np.bool_]]
    override_grades: Mapping[str, int]
    models: Mapping[str, str]


def judge(book: Book, buyers: pa.Array[Any], conduct: Conduct, *, explained: bool = False, days: Sequence[date] = ()) -> Judged:
    """Grade these buyers.

    explained  also what each factor adds
    days       where each of `buyers` is the same buyer on another day: those days, for what people decided
    """
    size = len(buyers)
    rules_ = grade_v1.parameters().changed(book.settings.get("grade_rules") or {})
    fitted = book.settings.get("grade_calibration") or {}
    intercept = float(fitted.get("intercept", 0.0))
    card, paying, saying = _cards(json.dumps(fitted.get("slopes") or {}, sort_keys=True))
    accounts = accounts_of(book, buyers, card, rules_)
    signals, signal_place, weighed = _signals(book, buyers, told=explained)
    has_trade = conduct.has_trade
    evidence = card.evidence(accounts.values, explained=explained)
    pays = paying.evidence(conduct.values, explained=explained)
    said = saying.evidence(weighed.values, explained=explained)
    base_rate, base_rate_of = base_rates(book, buyers, rules_.base_rate, named=explained)
    weights = grade_v1.weights_of(rules_, accounts.age_days, has_trade)
    combined = grade_v1.combine(
        rules_, base_rate=base_rate, accounts=evidence, conduct=pays, signals=said, age_days=accounts.age_days, has_trade=has_trade,
        invoices=conduct.invoices, intercept=intercept,
    )  # fmt: skip
    notches, adjustments = _adjustments(book, buyers, days, rules_.most_notches)
    probability, adjusted = moved(combined.probability_of_default_12m, combined.grade, notches)
    bits, worst, overriding, grades = _overrides(book, conduct, accounts, signal_place, weighed.overrides, rules_, size)
    final_probability, final = at_least(probability, adjusted, worst)
    used = ~np.isnan(accounts.age_days)
    there = has_trade | (said.known > 0)
    doubts = _doubts(accounts, conduct, evidence, rules_)
    return Judged(
        grade=final, probability=final_probability, low=np.minimum(combined.low, final_probability), high=np.maximum(combined.high, final_probability),
        confidence=_confidence(doubts, used=used, there=there), basis=(used + 2 * there).astype(np.int8), overrides=bits, doubts=doubts,
        notches=notches, without_adjustment=at_least(combined.probability_of_default_12m, combined.grade, worst)[1], without_overrides=adjusted,
        base_rate=base_rate, base_rate_of=base_rate_of, intercept=intercept, combined=combined, weights=weights, accounts=accounts, conduct=conduct,
        blocks=[
            ("accounts", card, evidence, accounts.values, weights.accounts), ("conduct", paying, pays, conduct.values, weights.conduct),
            ("signals", saying, said, weighed.values, np.ones(size)),
        ],
        adjustments=adjustments, signals=signals, signal_weights=weighed.weights, overriding=overriding, override_grades=grades,
        models={"accounts": card.version, "conduct": paying.version, "grade": rules_.version, "calibration": str(fitted.get("version", ""))},
    )  # fmt: skip


@cache
def _cards(slopes: str) -> tuple[Scorecard, Scorecard, Scorecard]:
    said = json.loads(slopes)
    conduct = behaviour_v1.load()
    return scorecard_v1.load().part(slopes=said), conduct.part(without=FAMILIES, slopes=said), conduct.part(families=FAMILIES)


def _place(rows: Any, buyers: pa.Array[Any]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    at = compute.index_in(rows.combine_chunks(), buyers)
    there = compute.is_valid(at).to_numpy(zero_copy_only=False)
    return compute.fill_null(at, 0).to_numpy(zero_copy_only=False).astype(np.int64), there


def _signals(book: Book, buyers: pa.Array[Any], *, told: bool) -> tuple[list[dict[str, Any]], npt.NDArray[np.int64], Any]:
    """The signals that hold (row by row only where they are told), whose they are, and what they weigh."""
    if not holds(book, SIGNAL):
        return [], np.zeros(0, np.int64), weigh(len(buyers), np.zeros(0, np.int64), [], [], np.zeros(0))
    rows = answered(book, "signals that hold", _holding)
    place, there = _place(rows["buyer_id"], buyers)
    rows, place = rows.filter(pa.array(there)), place[there]
    age = (np.datetime64(book.on) - rows["published_on"].to_numpy(zero_copy_only=False).astype("datetime64[D]")).astype(np.float64)
    kinds, severities = rows["kind"].to_pylist(), rows["severity"].to_pylist()
    weighed = weigh(len(buyers), place, [str(kind) for kind in kinds], severities, age)
    listed = [{**row, "place": at} for row, at in zip(rows.to_pylist(), place.tolist(), strict=True)] if told else []
    return listed, place, weighed


def _holding(book: Book) -> ir.Table:
    table = book.signal
    return table.filter(table.ended_on.isnull()).select(
        "buyer_id", "signal_id", "kind", "severity", "published_on", "provider", "text", "reference"
    )


def _decided(book: Book) -> ir.Table:
    table = book.decision
    rows = table.filter((table.kind == ADJUSTMENT) & (table.outcome == "approved"))
    return rows.order_by(["decided_on", "decided_at", "decision_id"])


def _who(book: Book) -> ir.Table:
    return book.buyer.select("buyer_id", "country", "sector")


def base_rates(book: Book, buyers: pa.Array[Any], shipped: float, *, named: bool) -> tuple[Column, Sequence[str]]:
    """The stated base rate of each buyer's country and sector; the closest statement counts: both, sector, country, all."""
    stated: Mapping[str, float] = book.settings.get("default_rates") or {}
    everywhere = float(stated.get("*", shipped))
    rates = np.full(len(buyers), everywhere)
    of = [""] * len(buyers) if named else []
    if not any(key != "*" for key in stated):
        return rates, of
    rows = answered(book, "country and sector", _who)
    place, there = _place(rows["buyer_id"], buyers)
    pair: Any = compute.binary_join_element_wise(
        compute.fill_null(rows["country"], ""), compute.fill_null(rows["sector"], ""), pa.scalar("\x1f")
    ).combine_chunks().dictionary_encode()  # fmt: skip
    found, keys = [], []
    for text in pair.dictionary.to_pylist():
        country, sector = text.split("\x1f")
        key = next((one for one in (f"{country}/{sector}", f"*/{sector}", country) if one.strip("/*") and one in stated), "")
        keys.append(key)
        found.append(float(stated[key]) if key else everywhere)
    codes = pair.indices.to_numpy(zero_copy_only=False)
    rates[place[there]] = np.array(found)[codes[there]]
    if named:
        for at, code in zip(place[there].tolist(), codes[there].tolist(), strict=True):
            of[at] = keys[code]
    return rates, of


def _adjustments(
    book: Book, buyers: pa.Array[Any], days: Sequence[date], most: int
) -> tuple[npt.NDArray[np.int64], Mapping[int, Adjustment]]:
    """What people decided and still holds: of several, the newest. `days`: as in `judge`."""
    rows = answered(book, "adjustments", _decided).to_pylist() if holds(book, DECISION) else []
    notches = np.zeros(len(buyers), np.int64)
    found: dict[int, Adjustment] = {}
    if not rows:
        return notches, found
    numbers = {str(row["buyer_id"]) for row in rows}
    mine: Any = compute.index_in(pa.array(sorted(numbers), pa.string()), buyers)
    place = dict(zip(sorted(numbers), mine.to_pylist(), strict=True))
    for row in rows:
        at = place[str(row["buyer_id"])]
        if at is None:
            continue
        said = json.loads(row["inputs"] or "{}")
        one = Adjustment(
            row["decision_id"], max(-most, min(int(said["notches"]), most)), row["decided_on"], date.fromisoformat(said["until"]),
            str(said.get("reason", "")), row["made_by"] or "", row["approved_by"] or "",
        )  # fmt: skip
        for number, day in enumerate(days) if days else ((at, book.on),):
            if one.decided_on <= day <= one.until:
                notches[number], found[number] = one.notches, one
    return notches, found


def _overrides(
    book: Book, conduct: Conduct, accounts: Accounts, place: npt.NDArray[np.int64], told: Mapping[str, Any], rules_: Any, size: int
) -> tuple[Bits, npt.NDArray[np.int64], Mapping[str, npt.NDArray[np.bool_]], Mapping[str, int]]:
    bits, worst = np.zeros(size, np.int32), np.zeros(size, np.int64)
    least = _least_amount(book, rules_.material_eur_minor) if conduct.amounts_comparable else 0.0

    def material(amount: Column, of: Column) -> npt.NDArray[np.bool_]:
        found: npt.NDArray[np.bool_] = (amount > 0) & (amount >= least) & (amount >= rules_.material_share * np.maximum(of, 0.0))
        return found

    grades = {kind: int(rules()["overrides"][kind]["grade"]) for kind in OF_SIGNALS}
    grades |= {
        "over_90_days": rules_.overdue_override_grade,
        "written_off": rules_.written_off_grade,
        "bad_opinion": rules_.bad_opinion_grade,
    }
    hits = {}
    for kind in OF_SIGNALS:
        mine = told.get(kind, np.zeros(len(place), np.bool_))
        hits[kind] = np.bincount(place[mine], minlength=size) > 0
    hits["over_90_days"] = material(conduct.over_90, conduct.outstanding)
    hits["written_off"] = material(conduct.written_off, conduct.outstanding + conduct.written_off)
    hits["bad_opinion"] = accounts.opinion_bad & ~np.isnan(accounts.age_days)
    for bit, code in enumerate(OVERRIDES):
        bits[hits[code]] |= 1 << bit
        worst = np.where(hits[code], np.maximum(worst, grades[code]), worst)
    return bits, worst, told, grades


def _least_amount(book: Book, eur_minor: int) -> float:
    """The least material amount in minor units of the base currency; 0 where there is no rate to the euro."""
    rates = {row["currency"]: row["factor"] for row in answered(book, "rates", minor_rates).to_pylist()}
    return eur_minor * float(rates.get("EUR", 0.0))


def _doubts(accounts: Accounts, conduct: Conduct, evidence: Evidence, rules_: Any) -> Bits:
    used = ~np.isnan(accounts.age_days)
    there = {
        "no_accounts": ~accounts.there & ~accounts.interim,
        "interim_accounts": accounts.interim,
        "accounts_dead": accounts.dead,
        "accounts_unbalanced": accounts.unbalanced,
        "accounts_impossible": accounts.impossible,
        "accounts_jumped": accounts.jumped,
        "accounts_thin": accounts.thin & ~accounts.dead,
        "accounts_old": used & (np.nan_to_num(accounts.age_days) > rules_.old_days),
        "accounts_unaudited": used & ~accounts.audited,
        "accounts_few_items": used & (evidence.known < rules_.few_factors * evidence.of),
        "negative_equity": used & accounts.negative_equity,
        "no_trade": ~conduct.has_trade,
        "few_invoices": conduct.has_trade & (conduct.invoices < rules_.few_invoices),
        "no_limit": conduct.has_trade & np.isnan(conduct.values["limit_utilisation"]),
    }
    bits = np.zeros(len(used), np.int32)
    for bit, code in enumerate(DOUBTS):
        bits[there[code]] |= 1 << bit
    return bits


def _confidence(doubts: Bits, *, used: npt.NDArray[np.bool_], there: npt.NDArray[np.bool_]) -> npt.NDArray[np.int8]:
    """High without a doubt; low with three, where accounts that are not used count twice, or with nothing to go by."""

    def has(*codes: str) -> npt.NDArray[np.int64]:
        return sum(((doubts >> DOUBTS.index(code)) & 1 for code in codes), np.zeros(len(doubts), np.int64))

    count = 2 * ~used + has("accounts_old", "accounts_unaudited", "accounts_few_items") + has("no_trade", "few_invoices")
    return np.where(~used & ~there, 2, np.where(count == 0, 0, np.where(count <= 2, 1, 2))).astype(np.int8)


def decoded(bits: Bits, names: Sequence[str]) -> Any:
    """Bits as lists of their names."""
    table = ((bits[:, None] >> np.arange(len(names))) & 1).astype(np.bool_)
    offsets: Any = pa.array(np.concatenate(([0], np.cumsum(table.sum(axis=1)))).astype(np.int32))
    places: Any = pa.array(np.nonzero(table)[1])
    return pa.ListArray.from_arrays(offsets, pa.array(list(names), pa.string()).take(places))
