"""One buyer's early-warning indicators with what they rest on: levels, reasons, and the facts behind each (预警指标明细)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

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
        self._rows: dict[str, list[Row]] = {}

    def rows(self, name: str) -> list[Row]:
        """The rows of a table, of this buyer alone where the table names buyers."""
        if name not in self._rows:
            found, _corrected = self.book.ledger.rows_of(ENTRIES[name])
            self._rows[name] = list(found.to_pylist()) if isinstance(found, pa.Table) else []
        return self._rows[name]

    def mine(self, name: str) -> list[Row]:
        """Its own rows."""
        return [row for row in self.rows(name) if row["buyer_id"] == self.buyer_id]

    def lately(self, when: date | None, days: int) -> bool:
        """Does a day lie in the last `days` days?"""
        return when is not None and when > self.book.on - timedelta(days=days)

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
        told = [row for row in self.mine("signal") if row["kind"] in kinds and self.lately(row["published_on"], days)]
        for row in sorted(told, key=lambda row: row["published_on"], reverse=True):
            if row["ended_on"] is None or not holds:
                text = row["text"] or row["reference"] or row["value"]
                yield Evidence("signal", row["kind"], row["published_on"], None, row["amount_minor"], row["currency"], text)

    def _statements(self) -> Iterable[Evidence]:
        rows = sorted(self.mine("statement"), key=lambda row: row["period_end"], reverse=True)
        yield from (Evidence("statement", str(row["period_end"]), row["published_on"], text=row["opinion"]) for row in rows[:2])

    def _paid(self) -> dict[tuple[str, int], list[Row]]:
        found: dict[tuple[str, int], list[Row]] = {}
        for row in self.rows("settlement"):
            if row["invoice_id"] is not None:
                found.setdefault((row["invoice_id"], row["instalment"]), []).append(row)
        return found

    def _pay01(self) -> Iterable[Evidence]:
        """The payments of three months that were late, those that weigh most first."""
        due = {(row["invoice_id"], row["instalment"], row["currency"]): row["due_date"] for row in self.mine("invoice")}
        late = []
        for row in self.rows("settlement"):
            owed = due.get((row["invoice_id"], row["instalment"], row["currency"]))
            if owed and row["kind"] in PAYMENT_KINDS and self.lately(row["settle_date"], YEAR // 4) and row["settle_date"] > owed:
                late.append((row["amount_minor"] * (row["settle_date"] - owed).days, (row["settle_date"] - owed).days, row))
        for _weight, days, row in sorted(late, key=lambda one: -one[0]):
            yield Evidence("payment", row["invoice_id"], row["settle_date"], days, row["amount_minor"], row["currency"], row["reference"])

    def _overdue(self, above: float = 0.0) -> Iterable[Evidence]:
        """Overdue items of which more than a share is open, the oldest first."""
        paid = self._paid()
        found = []
        for row in self.mine("invoice"):
            settled = sum(
                one["amount_minor"] for one in paid.get((row["invoice_id"], row["instalment"]), ()) if one["currency"] == row["currency"]
            )
            still_open = row["amount_minor"] - settled
            if row["due_date"] and row["due_date"] < self.book.on and still_open > row["amount_minor"] * above:
                found.append((row["due_date"], row["invoice_id"], still_open, row["currency"]))
        for due, number, amount, currency in sorted(found, key=lambda one: one[:2]):
            yield Evidence("invoice", number, due, (self.book.on - due).days, amount, currency)

    _pay02 = _overdue

    def _pay03(self) -> Iterable[Evidence]:
        return self._overdue(RESIDUE)

    def _pay05(self) -> Iterable[Evidence]:
        rows = [
            row for row in self.mine("settlement") if row["kind"] in ("cash", "unknown") and self.lately(row["settle_date"], PARTS_DAYS)
        ]
        yield from self._payments(rows)

    def _pay08(self) -> Iterable[Evidence]:
        for row in sorted(self.mine("dispute"), key=lambda row: row["raised_on"], reverse=True):
            if self.lately(row["raised_on"], QUARTER):
                yield Evidence("dispute", row["dispute_id"], row["raised_on"], None, row["amount_minor"], row["currency"], row["reason"])
        cut = [
            row
            for row in self.mine("settlement")
            if row["kind"] in DILUTION_KINDS and row["kind"] != "discount" and self.lately(row["settle_date"], QUARTER)
        ]
        yield from self._payments(cut, "deduction")

    def _pay09(self) -> Iterable[Evidence]:
        rows = [
            row
            for row in self.mine("settlement")
            if row["payer_id"] not in (None, self.buyer_id) and self.lately(row["settle_date"], HALF_YEAR)
        ]
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
        orders = [(row["order_date"], row["order_id"], row) for row in self.mine("order") if self.lately(row["order_date"], days)]
        bought = orders or [
            (row["issue_date"], row["invoice_id"], row) for row in self.mine("invoice") if self.lately(row["issue_date"], days)
        ]
        for when, name, row in sorted(bought, key=lambda one: one[:2], reverse=True):
            yield Evidence("order" if orders else "invoice", name, when, None, row["amount_minor"], row["currency"])

    def _lim03(self) -> Iterable[Evidence]:
        return self._ordered(MONTH)

    def _lim05(self) -> Iterable[Evidence]:
        return self._ordered(QUARTER)

    def _fin10(self) -> Iterable[Evidence]:
        for row in sorted(self.mine("signal"), key=lambda row: row["published_on"], reverse=True):
            if row["kind"] in ("rating", "bureau_grade", "insurer_grade") and self.lately(row["published_on"], YEAR):
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
