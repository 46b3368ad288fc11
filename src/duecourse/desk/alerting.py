"""What the alert policy is told: of every buyer once a day, of a few as soon as something about them arrives.  预警输入

`looked_at_all` and `looked_at` give the same of the same buyer. Nothing here opens an alert: that is `decisions.alert.today`, and keeping it the app's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from duecourse.decisions.alert import GRADE_FALL, URGENT_SIGNALS, Warned
from duecourse.decisions.alert_policy import policy_of
from duecourse.desk.alone import answered
from duecourse.desk.grading import grade
from duecourse.desk.indicator_view import indicators_of
from duecourse.desk.indicators import warning_rules
from duecourse.desk.warning import scored_and_judged, warning
from duecourse.desk.warning_learnt import in_force, model_name
from duecourse.desk.watched import active
from duecourse.errors import BuyerUngradedError, BuyerUnknownError
from duecourse.ledger.entries import LIMIT, ORDER
from duecourse.ledger.memory import only_buyer
from duecourse.measures.limits import limit_use
from duecourse.risk.warning import hazard_v1

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import date

    import ibis.expr.types as ir

    from duecourse.decisions.alert_policy import AlertPolicy
    from duecourse.ledger.book import Book
    from duecourse.ledger.journal import JournalRow
    from duecourse.risk.warning.rules_v1 import Reason

compute: Any = pc

IN_DEFAULT: Final = "in_default"
BEST: Final = 1
FALLEN_NOTCHES: Final = 2
"""A grade worse by so much is a fall that cannot wait; one step is an indicator's to tell."""
FLOOR: Final = 8
"""So is any step down to this grade or below it."""

THEME_FAMILIES: Final[Mapping[str, str]] = {
    "purchases": "limit", "limit": "limit", "insurer": "limit", "accounts": "financial", "rating": "financial", "contact": "contact", "news": "news",
    "claim": "legal", "seizure": "legal", "operation": "operations",
}  # fmt: skip
"""The family of indicators a theme of the model belongs to; the others are about payment."""

LEARNT: Final = ("intercept", "slopes", "defaults", "until")
HANDLING_SETTING: Final = "alert_handling"
HANDLING: Final[Mapping[str, int]] = {"escalate_after_days": 3}

OF_BUYERS: Final = ("signal", "limit", "statement", "invoice", "settlement", "dispute", "order", "buyer")
"""Tables whose rows say something about a buyer, those that cannot wait first."""
MOST_AT_ONCE: Final = 200
"""So many buyers are looked at as soon as their facts arrive; of a larger file only those with news that cannot wait, the rest at night."""


@dataclass(frozen=True)
class Looked:
    """What was seen.

    warned    those that may open, keep or close an alert
    watched   buyers looked at that are not in default
    levels    how many are green, amber, red by the plain rules
    model     what the probabilities were made with, to be kept with an alert: version, and what the firm's own defaults moved
    why       the sentences of a buyer's indicators as they are now: [{code, why: {code, args}, level}]
    """

    warned: Sequence[Warned]
    watched: int
    levels: Mapping[str, int] = field(default_factory=dict)
    why: Callable[[str], list[dict[str, Any]]] = lambda _buyer: []
    model: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Fallen:
    """A grade that became worse."""

    buyer_id: str
    before: int
    now: int


def policy(book: Book) -> AlertPolicy:
    """The alert policy in force. Raises RuleInvalidError."""
    return policy_of(book.settings)


def handling(book: Book) -> Mapping[str, int]:
    """How alerts are worked: after how many days one that nobody looked at is escalated. What the firm has not set is as shipped."""
    stated = book.settings.get(HANDLING_SETTING) or {}
    return {name: int(stated.get(name, usual)) for name, usual in HANDLING.items()}


def looked_at_all(book: Book, live: Collection[str], fallen: Iterable[Fallen] = ()) -> Looked:
    """What is there to warn of today, of every active buyer?

    live    buyers with an open alert: told of whatever they are like today
    fallen  buyers whose grade fell since the day before
    """
    buyers = active(book)
    (rows, judged), stake = scored_and_judged(book, buyers), at_stake(book)
    families = {name: one.family for name, one in warning_rules(book).indicators.items()}
    falls = {one.buyer_id for one in fallen}
    closing = policy(book)["closing"]
    kept = compute.is_in(rows["buyer_id"], pa.array(sorted({*live, *falls}), pa.string()))
    for column, bound in (("score", closing["rule_score"]), ("probability_6m", closing["probability_6m"])):
        kept = compute.or_(kept, compute.fill_null(compute.greater_equal(rows[column], bound), False))
    found = [
        _warned(
            row["buyer_id"], row["probability_6m"], row["score"], stake.get(row["buyer_id"], {}),
            {code: families[code] for code in row["reasons"]} or _themes(row["themes"]), row["in_default_since"], fell=row["buyer_id"] in falls,
        )
        for row in rows.filter(kept).select(["buyer_id", "probability_6m", "score", "reasons", "themes", "in_default_since"]).to_pylist()
    ]  # fmt: skip
    since = {one.buyer_id: one.in_default_since for one in found}
    counted = {row["values"]: row["counts"] for row in compute.value_counts(rows["level"]).to_pylist()}
    place = {one.buyer_id: -1 for one in found}
    for number, buyer in enumerate(buyers.to_pylist()):
        if buyer in place:
            place[buyer] = number
    return Looked(
        found,
        rows["in_default_since"].null_count,
        counted,
        lambda buyer: (
            _defaulted(since.get(buyer)) + ([_why(one) for one in judged.reasons(place[buyer])] if place.get(buyer, -1) >= 0 else [])
        ),
        _model(book) if rows.num_rows and rows["basis"][0].as_py() == "model" else {},
    )


def looked_at(book: Book, buyers: Mapping[str, Mapping[str, str]]) -> Looked:
    """The same of a few, at once: {buyer: {code: family} of what is known besides the indicators}. A buyer the book does not hold is left out."""
    found, why, bases = [], {}, set()
    for buyer_id, besides in buyers.items():
        try:
            seen, model = indicators_of(book, buyer_id), warning(book, buyer_id)
        except BuyerUnknownError:
            continue
        against = [one.theme for one in model.themes if one.points < 0]
        reasons = {one.identifier: one.family for one in seen.reasons} or _themes(against)
        stake = at_stake_of(book, buyer_id)
        found.append(_warned(buyer_id, model.probability_6m, seen.score, stake, {**besides, **reasons}, model.in_default_since))
        why[buyer_id] = _defaulted(model.in_default_since) + [_why(one.reason) for one in seen.reasons if one.reason]
        bases.add(model.basis)
    return Looked(
        found,
        sum(one.in_default_since is None for one in found),
        {},
        lambda buyer: why.get(buyer, []),
        _model(book) if "model" in bases else {},
    )


def _defaulted(since: date | None) -> list[dict[str, Any]]:
    """Why, of a buyer in default."""
    if since is None:
        return []
    return [{"code": IN_DEFAULT, "why": {"code": "web.watch_why_in_default", "args": {"since": since.isoformat()}}, "level": "red"}]


def _model(book: Book) -> dict[str, Any]:
    fitted = in_force(book)
    return {"version": model_name(hazard_v1.load().version, fitted), **{name: fitted[name] for name in LEARNT if name in fitted}}


def _why(reason: Reason) -> dict[str, Any]:
    return {"code": reason.indicator, "why": reason.plain(), "level": reason.level}


def _themes(themes: Iterable[str]) -> dict[str, str]:
    """What the model says against a buyer of whom no indicator says anything."""
    return {f"theme_{name}": THEME_FAMILIES.get(name, "payment") for name in themes}


def _warned(
    buyer_id: str, probability: float | None, score: float | None, stake: Mapping[str, Any], reasons: Mapping[str, str], since: date | None, *,
    fell: bool = False,
) -> Warned:  # fmt: skip
    exposure = int(stake.get("exposure") or 0)
    return Warned(
        buyer_id, probability, score, exposure, min(int(stake.get("insurer_minor") or 0), exposure), int(stake.get("oldest_days_past_due") or 0),
        {**({IN_DEFAULT: "payment"} if since else {}), **({GRADE_FALL: "financial"} if fell else {}), **reasons}, since,
    )  # fmt: skip


# --- what is at stake -----------------------------------------------------------------------------------------------------------------------


def at_stake(book: Book) -> dict[str, Mapping[str, Any]]:
    """What each buyer owes or has ordered, in base currency, what of it the insurer covers, and how late its oldest item is."""
    return {row["buyer_id"]: row for row in book.whole.run(_stake(book.whole)).to_pylist()}


def at_stake_of(book: Book, buyer_id: str) -> Mapping[str, Any]:
    """The same of one buyer, from its own facts."""
    own = only_buyer(book.whole, buyer_id, also=(ORDER, LIMIT))
    return next((row for row in answered(own, "stake", _stake).to_pylist() if row["buyer_id"] == buyer_id), {})


def _stake(book: Book) -> ir.Table:
    use = limit_use(book)
    return use.filter((use.exposure != 0) | (use.oldest_days_past_due > 0)).select(
        "buyer_id", "exposure", "insurer_minor", "oldest_days_past_due"
    )  # fmt: skip


# --- what has just come in ------------------------------------------------------------------------------------------------------------------


def news(book: Book, rows: Sequence[JournalRow]) -> dict[str, dict[str, str]]:
    """Whom do these changes of the ledger speak of, and what of it cannot wait?  {buyer: {code: family}}

    Of more than MOST_AT_ONCE buyers only those with a signal that cannot wait or an insurer's limit are told.
    """
    batches = [row.batch_id for row in rows if row.kind in ("import", "post")]
    touched = {name for row in rows for name, counts in row.counts.items() if any(counts.values())} & set(OF_BUYERS)
    urgent: dict[str, dict[str, str]] = {}
    others: set[str] = set()
    if not batches:
        return {}
    whole = book.whole
    if "signal" in touched:
        told = whole.signal.filter(whole.signal.source.isin(batches) & whole.signal.ended_on.isnull())
        for row in whole.run_brought(told.select("buyer_id", "kind", "severity"), batches).to_pylist():
            if row["kind"] in URGENT_SIGNALS and row["severity"] != "info":
                urgent.setdefault(row["buyer_id"], {})[row["kind"]] = "limit" if row["kind"] == "insurer_limit_cut" else "legal"
            else:
                others.add(row["buyer_id"])
    if "limit" in touched:
        cut = whole.limit.filter(whole.limit.source.isin(batches) & (whole.limit.kind == "insurer") & whole.limit.buyer_id.notnull())
        for buyer in _buyers(whole.run_brought(cut.select("buyer_id").distinct(), batches)):
            urgent.setdefault(buyer, {})
    for name in OF_BUYERS[2:]:
        if name in touched and len(urgent) + len(others) <= MOST_AT_ONCE:
            table = getattr(whole, name)
            brought = table.filter(table.source.isin(batches) & table.buyer_id.notnull())
            found = whole.run_brought(brought.select("buyer_id").distinct().limit(MOST_AT_ONCE + 1), batches)
            others.update(_buyers(found))
    if len(urgent) + len(others) > MOST_AT_ONCE:
        return urgent
    return {**{buyer: {} for buyer in sorted(others)}, **urgent}


def _buyers(rows: pa.Table) -> list[str]:
    return [str(one) for one in rows["buyer_id"].to_pylist()]


def fell(book: Book, before: Book, buyer_id: str) -> Fallen | None:
    """Is a buyer's grade worse than on the book before, by a step that cannot wait?"""
    try:
        now = grade(book.whole, buyer_id).grade
        if not falls({buyer_id: BEST}, {buyer_id: now}):  # from no grade could it have fallen so far
            return None
        earlier = grade(before.whole, buyer_id).grade
    except (BuyerUngradedError, BuyerUnknownError):
        return None
    return next(iter(falls({buyer_id: earlier}, {buyer_id: now})), None)


def falls(before: Mapping[str, int], now: Mapping[str, int]) -> list[Fallen]:
    """Whose grade fell by FALLEN_NOTCHES, or to FLOOR or below?"""
    return [
        Fallen(buyer, before[buyer], worse)
        for buyer, worse in sorted(now.items())
        if buyer in before and worse > before[buyer] and (worse - before[buyer] >= FALLEN_NOTCHES or worse >= FLOOR)
    ]
