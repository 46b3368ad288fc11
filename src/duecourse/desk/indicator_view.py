"""One buyer's early-warning indicators with what they rest on: levels, reasons, and the facts behind each (预警指标明细)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.decisions.wording import sentence
from duecourse.desk.indicators import figures_of, warning_rules
from duecourse.glossary import label
from duecourse.ledger.entries import DILUTION_KINDS, ENTRIES, PAYMENT_KINDS
from duecourse.measures.indicators.common import HALF_YEAR, MONTH, QUARTER, YEAR, month_begins
from duecourse.measures.indicators.payment import PARTS_DAYS, RESIDUE
from duecourse.measures.indicators.told import NEWS, SIGNS
from duecourse.risk.warning.rules_v1 import LEVELS, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from duecourse.desk.surroundings import Surroundings
    from duecourse.ledger.book import Book
    from duecourse.messages import Language
    from duecourse.risk.warning.rules_v1 import Reason

    Row = Mapping[str, Any]

compute: Any = pc

ITEM: Final = ["invoice_id", "instalment", "currency"]
"""What tells one invoice, or one instalment of it, from all others."""

SHOWN: Final = 10
"""So many facts are shown of an indicator; their number is told."""

OF_SIGNALS: Final = {
    **{name.removesuffix("_told").removesuffix("_auditor"): sign for name, sign in SIGNS.items()}, "NEG01": NEWS,
}  # fmt: skip


@dataclass(frozen=True)
class Evidence:
    """A fact an indicator rests on.

    what    signal | invoice | payment | dispute | deduction | limit | order | statement | group | books
    name    its number, or the kind of a signal or limit
    on      the day it happened or became known
    days    days late, where it is about that
    """

    what: str
    name: str
    on: date | None
    days: int | None = None
    amount_minor: int | None = None
    currency: str | None = None
    text: str | None = None


@dataclass(frozen=True)
class Seen:
    """One indicator of one buyer.

    value     the indicator's own figure; None where the facts are lacking
    level     green | amber | red | missing
    reason    why it is amber or red
    since     since when, where that can be said
    evidence  the newest or largest facts; `facts` counts them all
    """

    identifier: str
    family: str
    weight: float
    unit: str
    value: float | None
    level: str
    reason: Reason | None
    since: date | None
    evidence: Sequence[Evidence]
    facts: int

    def name(self, lang: Language | None = None) -> str:
        """What people call it."""
        return label(self.identifier.lower(), lang)

    def sentence(self, lang: Language | None = None) -> str:
        """Why it is amber or red, in words; empty for one that is neither."""
        return sentence(self.reason.plain(), "", lang) if self.reason else ""


@dataclass(frozen=True)
class IndicatorsOfBuyer:
    """All forty of one buyer as of a day, and the rule score made of them (see `rules_v1.Judged`)."""

    buyer_id: str
    on: date
    version: str
    composite: float | None
    score: float | None
    level: str
    floored: bool
    known: float
    indicators: Sequence[Seen]

    @property
    def reasons(self) -> list[Seen]:
        """What is amber or red, heaviest first."""
        return sorted(
            (one for one in self.indicators if one.reason), key=lambda one: (-one.weight * (2 if one.level == "red" else 1), one.identifier)
        )

    @property
    def missing(self) -> list[Seen]:
        """What nothing is known of."""
        return [one for one in self.indicators if one.level == "missing"]

    def data(self) -> dict[str, Any]:
        """As plain data."""
        return {
            **{name: getattr(self, name) for name in ("buyer_id", "on", "version", "composite", "score", "level", "floored", "known")},
            "indicators": [
                {
                    "id": one.identifier, "name": one.name(), "family": one.family, "weight": one.weight, "unit": one.unit, "value": one.value,
                    "level": one.level, "since": one.since, "reason": one.reason.plain() if one.reason else None,
                    "evidence": [asdict(each) for each in one.evidence], "facts": one.facts,
                }
                for one in self.indicators
            ],
        }  # fmt: skip


def indicators_of(book: Book, buyer_id: str) -> IndicatorsOfBuyer:
    """What do the forty indicators say of this buyer, why, and by which facts?  买方预警指标

    Raises BuyerUnknownError for one that the book does not hold or that may not be seen, WarningRulesInvalidError for thresholds that cannot be read.
    """
    table, own, around = figures_of(book, buyer_id)
    rules = warning_rules(book)
    done = judge(table, rules)
    reasons = {one.indicator: one for one in done.reasons(0)}
    values = table.to_pylist()[0]
    facts = _Facts(own, buyer_id, around)
    seen = []
    for number, one in enumerate(rules.indicators.values()):
        level = done.levels[0, number]
        reason = reasons.get(one.identifier)
        evidence = list(facts.of(one.identifier)) if reason else []
        word = "missing" if np.isnan(level) else LEVELS[int(2 * level)]
        seen.append(
            Seen(
                one.identifier, one.family, one.weight, one.unit, values[one.identifier], word, reason, _since(one.identifier, values, evidence, book.on),
                evidence[:SHOWN], len(evidence),
            )
        )  # fmt: skip
    composite, score = (None if np.isnan(value) else float(value) for value in (done.composite[0], done.score[0]))
    return IndicatorsOfBuyer(
        buyer_id, book.on, rules.version, composite, score, LEVELS[done.level[0]] if score is not None else "missing", bool(done.floored[0]),
        float(done.known[0]), seen,
    )  # fmt: skip


def _since(indicator: str, values: Mapping[str, float | None], evidence: Sequence[Evidence], on: date) -> date | None:
    """Since when: the first month of a shift, the day after the oldest item was due, the day the accounts came out, the oldest fact told."""
    if indicator == "PAY01":
        back = values["PAY01_since"]
        return None if back is None else month_begins(on, int(back))
    if indicator in ("PAY02", "PAY03"):
        due = min((one.on for one in evidence if one.on), default=None)
        return due + timedelta(days=1) if due else None
    if indicator.startswith("FIN") and indicator != "FIN10":
        return max((one.on for one in evidence if one.on), default=None)
    return min((one.on for one in evidence if one.on and one.what != "books"), default=None)


class _Facts:
    """A buyer's facts as rows, to look for what an indicator rests on."""

    def __init__(self, own: Book, buyer_id: str, around: Surroundings) -> None:
        self.book, self.buyer_id, self.around = own, buyer_id, around
        self._tables: dict[str, pa.Table | None] = {}

    def table(self, name: str) -> pa.Table | None:
        """The facts of a table, of this buyer alone where the table names buyers; None where there are none."""
        if name not in self._tables:
            found, _corrected = self.book.ledger.rows_of(ENTRIES[name])
            self._tables[name] = found if isinstance(found, pa.Table) else None
        return self._tables[name]

    def items(self, name: str) -> pa.Table | None:
        """Invoices or settlements to be matched: what has no currency has the empty text, as nothing matches what is missing."""
        found = self.table(name)
        if found is None:
            return None
        return found.set_column(found.schema.get_field_index("currency"), "currency", compute.fill_null(found["currency"], ""))

    def rows(self, name: str) -> list[Row]:
        """The same as rows."""
        found = self.table(name)
        return [] if found is None else list(found.to_pylist())

    def mine(self, name: str, day: str = "", days: int = 0) -> list[Row]:
        """Its own rows; with `day`, a column, those of the last `days` days: a buyer of a hundred thousand invoices is not read row by row."""
        found = self.table(name)
        if found is None:
            return []
        keep = compute.equal(found["buyer_id"], self.buyer_id)
        if day:
            keep = compute.and_(keep, compute.greater(found[day], pa.scalar(self.book.on - timedelta(days=days), found[day].type)))
        return list(found.filter(keep).to_pylist())

    def of(self, indicator: str) -> Iterable[Evidence]:
        """The facts behind an indicator."""
        look: Callable[[], Iterable[Evidence]] | None = getattr(self, f"_{indicator.lower()}", None)
        if look:
            yield from look()
        if indicator.startswith("FIN") and indicator != "FIN10":
            yield from self._statements()
        sign = OF_SIGNALS.get(indicator)
        if sign:
            days = YEAR if indicator == "NEG02" else QUARTER if indicator == "NEG01" else sign.days
            yield from self._signals(sign.kinds, days, holds=sign.holds)

    def _signals(self, kinds: Sequence[str], days: int, *, holds: bool = False) -> Iterable[Evidence]:
        told = [row for row in self.mine("signal", "published_on", days) if row["kind"] in kinds]
        for row in sorted(told, key=lambda row: row["published_on"], reverse=True):
            if row["ended_on"] is None or not holds:
                text = row["text"] or row["reference"] or row["value"]
                yield Evidence("signal", row["kind"], row["published_on"], None, row["amount_minor"], row["currency"], text)

    def _statements(self) -> Iterable[Evidence]:
        rows = sorted(self.mine("statement"), key=lambda row: row["period_end"], reverse=True)
        yield from (Evidence("statement", str(row["period_end"]), row["published_on"], text=row["opinion"]) for row in rows[:2])

    def _pay01(self) -> Iterable[Evidence]:
        """The payments of three months that were late, those that weigh most first."""
        items, paid = self.items("invoice"), self.items("settlement")
        if items is None or paid is None:
            return
        items = items.filter(compute.equal(items["buyer_id"], self.buyer_id)).select([*ITEM, "due_date"])
        since = pa.scalar(self.book.on - timedelta(days=YEAR // 4), paid["settle_date"].type)
        paid = paid.filter(
            compute.and_(
                compute.greater(paid["settle_date"], since), compute.is_in(paid["kind"], pa.array(PAYMENT_KINDS, paid["kind"].type))
            )
        )
        late = []
        for row in paid.join(items, ITEM, join_type="inner").to_pylist():
            if row["due_date"] and row["settle_date"] > row["due_date"]:
                days = (row["settle_date"] - row["due_date"]).days
                late.append((row["amount_minor"] * days, days, row))
        for _weight, days, row in sorted(late, key=lambda one: (-one[0], one[2]["settlement_id"])):
            yield Evidence(
                "payment", row["invoice_id"], row["settle_date"], days, row["amount_minor"], row["currency"] or None, row["reference"]
            )

    def _overdue(self, above: float = 0.0) -> Iterable[Evidence]:
        """Overdue items of which more than a share is open, the oldest first."""
        items, paid = self.items("invoice"), self.items("settlement")
        if items is None:
            return
        due_before = compute.less(items["due_date"], pa.scalar(self.book.on, items["due_date"].type))
        items = items.filter(compute.and_(compute.equal(items["buyer_id"], self.buyer_id), due_before)).select(
            [*ITEM, "due_date", "amount_minor"]
        )
        if paid is not None:
            settled = paid.select([*ITEM, "amount_minor"]).group_by(ITEM).aggregate([("amount_minor", "sum")])
            items = items.join(settled, ITEM, join_type="left outer")
            still = compute.subtract(items["amount_minor"], compute.fill_null(items["amount_minor_sum"], 0))
        else:
            still = items["amount_minor"]
        items = items.append_column("open_minor", still)
        found = items.filter(compute.greater(compute.cast(still, pa.float64()), compute.multiply(items["amount_minor"], above)))
        for row in found.sort_by([("due_date", "ascending"), ("invoice_id", "ascending"), ("instalment", "ascending")]).to_pylist():
            days = (self.book.on - row["due_date"]).days
            yield Evidence("invoice", row["invoice_id"], row["due_date"], days, row["open_minor"], row["currency"] or None)

    _pay02 = _overdue

    def _pay03(self) -> Iterable[Evidence]:
        return self._overdue(RESIDUE)

    def _pay05(self) -> Iterable[Evidence]:
        yield from self._payments(row for row in self.mine("settlement", "settle_date", PARTS_DAYS) if row["kind"] in ("cash", "unknown"))

    def _pay08(self) -> Iterable[Evidence]:
        for row in sorted(self.mine("dispute", "raised_on", QUARTER), key=lambda row: row["raised_on"], reverse=True):
            yield Evidence("dispute", row["dispute_id"], row["raised_on"], None, row["amount_minor"], row["currency"], row["reason"])
        cut = [
            row for row in self.mine("settlement", "settle_date", QUARTER) if row["kind"] in DILUTION_KINDS and row["kind"] != "discount"
        ]
        yield from self._payments(cut, "deduction")

    def _pay09(self) -> Iterable[Evidence]:
        rows = [row for row in self.mine("settlement", "settle_date", HALF_YEAR) if row["payer_id"] not in (None, self.buyer_id)]
        yield from self._payments(rows, text="payer_id")

    def _payments(self, rows: Iterable[Row], what: str = "payment", text: str = "reference") -> Iterable[Evidence]:
        for row in sorted(rows, key=lambda row: row["settle_date"], reverse=True):
            name = row["invoice_id"] or row["settlement_id"]
            yield Evidence(what, name, row["settle_date"], None, row["amount_minor"], row["currency"], row[text])

    def _limits(self, kinds: Sequence[str]) -> Iterable[Evidence]:
        for row in sorted(self.mine("limit"), key=lambda row: row["valid_from"], reverse=True):
            if row["kind"] in kinds:
                yield Evidence("limit", row["kind"], row["valid_from"], None, row["amount_minor"], row["currency"], row["text"])

    def _lim01(self) -> Iterable[Evidence]:
        return self._limits(("standing", "temporary", "insurer"))

    def _lim02(self) -> Iterable[Evidence]:
        return self._limits(("insurer",))

    def _ordered(self, days: int) -> Iterable[Evidence]:
        orders = [(row["order_date"], row["order_id"], row) for row in self.mine("order", "order_date", days)]
        bought = orders or [(row["issue_date"], row["invoice_id"], row) for row in self.mine("invoice", "issue_date", days)]
        for when, name, row in sorted(bought, key=lambda one: one[:2], reverse=True):
            yield Evidence("order" if orders else "invoice", name, when, None, row["amount_minor"], row["currency"])

    def _lim03(self) -> Iterable[Evidence]:
        return self._ordered(MONTH)

    def _lim05(self) -> Iterable[Evidence]:
        return self._ordered(QUARTER)

    def _fin10(self) -> Iterable[Evidence]:
        for row in sorted(self.mine("signal", "published_on", YEAR), key=lambda row: row["published_on"], reverse=True):
            if row["kind"] in ("rating", "bureau_grade", "insurer_grade"):
                before = f" ← {row['previous_value']}" if row["previous_value"] else ""
                yield Evidence("signal", row["kind"], row["published_on"], text=f"{row['value']}{before}")

    def _books(self, of: str) -> Iterable[Evidence]:
        profile = next((row for row in self.rows("buyer") if row["buyer_id"] == self.buyer_id), {})
        moved = self.around.moved.get((of, profile.get(of)))
        if moved:
            yield Evidence("books", str(profile[of]), self.book.on, text=f"{moved['late']} / {moved['buyers']}")

    def _mac01(self) -> Iterable[Evidence]:
        return self._books("country")

    def _mac02(self) -> Iterable[Evidence]:
        return self._books("sector")

    def _mac03(self) -> Iterable[Evidence]:
        for row in self.rows("signal"):
            if row["buyer_id"] != self.buyer_id and row["kind"] in ("insolvency", "dishonest_debtor") and row["ended_on"] is None:
                yield Evidence("group", row["buyer_id"], row["published_on"], text=row["text"] or row["kind"])
