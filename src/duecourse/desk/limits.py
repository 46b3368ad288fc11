"""Limits as the desk uses them: one recommendation with all it rests on, every buyer's use of its limit, and what a review would change.  信用额度"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import ibis

from duecourse.decisions.limit import LimitInputs, Recommendation, recommend_limit
from duecourse.decisions.limit_rules import SETTING, LimitRules, checked, rules_of
from duecourse.decisions.record import Basis, basis_of, digest_of, plain
from duecourse.desk import answers
from duecourse.desk.limit_inputs import base_factors, known_of, known_of_all
from duecourse.desk.remembered import remembered
from duecourse.ledger.entries import DECISION
from duecourse.ledger.store import Ledger
from duecourse.measures.limits import limit_states, limit_use

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pyarrow as pa

    from duecourse.desk.limit_inputs import Known
    from duecourse.ledger.book import Book

PROFILE: Final = ("name", "name_local", "country", "sector", "group_id", "group_name", "sales_owner", "legal_entity")
STATES: Final = ("blocked", "over", "near", "lapsed", "unlimited", "within")
"""How a buyer stands to its limit: sales stopped; more at stake than the limit; at 80 % and more; its limit ran out; at stake without one; inside."""


KEPT: Final = 256
"""What was gathered of a buyer is asked for again by the next page of the same person: so many stay at hand."""
_guard = Lock()
_known: OrderedDict[Any, Known] = OrderedDict()


@dataclass(frozen=True)
class Ask:
    """What a request adds to the ledger: nothing is needed. Amounts in minor units of `currency`, the buyer's own where it is empty."""

    currency: str = ""
    amount_minor: int | None = None
    payment_terms_days: int | None = None
    expected_sales_minor: int | None = None

    @property
    def plain(self) -> dict[str, Any]:
        """As a decision keeps it."""
        return {name: value for name, value in vars(self).items() if value not in (None, "")}


@dataclass(frozen=True)
class LimitAdvice:
    """A recommendation and what it rests on.

    answer  what a decision keeps of it and a replay must give again: what was known, and what was recommended
    """

    buyer_id: str
    profile: Mapping[str, Any]
    known: LimitInputs
    recommended: Recommendation
    limits: Sequence[Mapping[str, Any]]
    rules: LimitRules
    basis: Basis
    models: Mapping[str, str]
    ask: Ask = field(default_factory=Ask)

    @property
    def answer(self) -> dict[str, Any]:
        """The answer in plain values."""
        return {"known": plain(self.known), "recommended": plain(self.recommended)}

    @property
    def rules_kept(self) -> dict[str, Any]:
        """What a decision keeps of the rules: the whole set, and the versions of the models."""
        return {"limit": dict(self.rules.values), "models": dict(self.models)}


def limit_rules(book: Book) -> LimitRules:
    """The rule set in force as of the book."""
    return rules_of(book.settings)


def recommend(book: Book, buyer_id: str, ask: Ask | None = None, *, rules: LimitRules | None = None) -> LimitAdvice:
    """How much may this buyer owe us, on which terms, and what says so?  额度建议

    Worked out on the whole book, whoever asks. Raises BuyerUnknownError for a buyer that may not be seen.
    """
    asked = ask or Ask()
    used = rules or limit_rules(book)
    key = (book.ledger.version, _place(book), book.on, book.known_at, str(book.scope), buyer_id, asked.currency, hash_of(used))
    with _guard:
        known = _known.get(key)
    if known is None:
        known = known_of(book, buyer_id, used, currency=asked.currency)
        if isinstance(book.ledger, Ledger):
            with _guard:
                _known[key] = known
                while len(_known) > KEPT:
                    _known.popitem(last=False)
    return _advised(book, known, asked, used)


def advise(book: Book, buyer_ids: Iterable[str]) -> dict[str, LimitAdvice]:
    """The recommendations for several buyers that may be seen, each as `recommend` gives it: without a request, as it suggests itself."""
    used = limit_rules(book)
    return {known.buyer_id: _advised(book, known, Ask(), used) for known in known_of_all(book, used, wanted=buyer_ids)}


def _place(book: Book) -> str:
    return book.ledger.storage.url if isinstance(book.ledger, Ledger) else ""


def _advised(book: Book, known: Known, ask: Ask, rules: LimitRules) -> LimitAdvice:
    inputs = replace(known.inputs, asked_minor=ask.amount_minor, expected_sales_minor=ask.expected_sales_minor)
    if ask.payment_terms_days is not None:
        inputs = replace(inputs, terms_days=ask.payment_terms_days)
    return LimitAdvice(
        known.buyer_id, known.profile, inputs, recommend_limit(inputs, rules), known.limits, rules, basis_of(book), known.models, ask
    )


def recompute(book: Book, decision: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of a limit decision once more: `decision` has `buyer_id`, and `rules` and `inputs` decoded."""
    rules = checked(decision["rules"]["limit"])
    ask = Ask(**decision["inputs"].get("ask", {}))
    return _advised(book, known_of(book, decision["buyer_id"], rules, currency=ask.currency), ask, rules).answer


# --- how limits are used -----------------------------------------------------------------------------------------------------------------


def utilisation(book: Book, *, warning: float | None = None) -> pa.Table:
    """How does each buyer stand to its limit, in base currency?  额度使用情况

    One row per buyer with a limit in force or anything at stake: the columns of `limit_use`, of the profile PROFILE, and
        state   string   one of STATES; `warning`: the share from which a limit counts as nearly used, the rules' own by default
    """
    from_share = float(limit_rules(book)["utilisation_warning"]) if warning is None else warning
    use = limit_use(book)
    joined = use.left_join(book.buyer.select("buyer_id", *PROFILE).view(), "buyer_id").drop("buyer_id_right")
    none, at_stake = joined.limit_minor.isnull(), joined.exposure > 0
    state = ibis.cases(
        (joined.is_blocked & at_stake, "blocked"),
        (none & joined.had_limit, "lapsed"),
        (none & at_stake, "unlimited"),
        (joined.exposure > joined.limit_minor, "over"),
        (ibis.coalesce(joined.utilisation >= from_share, ibis.literal(value=False)), "near"),
        else_="within",
    )
    return book.run(joined.mutate(state=state).order_by("buyer_id"))


def limits_of(book: Book, buyer_id: str) -> list[dict[str, Any]]:
    """Every limit a buyer was ever given, newest first, each with its state.  额度历史"""
    rows = limit_states(book)
    rows = rows.filter(rows.buyer_id == buyer_id).order_by([ibis.desc("valid_from"), ibis.desc("recorded_at"), ibis.desc("limit_id")])
    found: list[dict[str, Any]] = book.run(rows).to_pylist()
    return found


def decisions_of(book: Book, buyer_id: str, kind: str = "limit") -> list[dict[str, Any]]:
    """The decisions of a kind about a buyer, newest first.  决定记录"""
    rows = book.table(DECISION)
    rows = rows.filter((rows.buyer_id == buyer_id) & (rows.kind == kind)).order_by([ibis.desc("decided_at"), "decision_id"])
    found: list[dict[str, Any]] = book.run(rows.select(*DECISION.facts.names)).to_pylist()
    return found


# --- review --------------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """What a review would change of one buyer's limit.

    way     new | up | down | stop | same; None where nothing says how much it needs
    reason  the binding cap or need
    """

    buyer_id: str
    name: str
    name_local: str
    currency: str
    now_minor: int | None
    recommended_minor: int | None
    way: str | None
    reason: str
    grade: int | None
    confidence: str | None
    exposure_minor: int
    now_base: int | None
    recommended_base: int | None
    payment_terms_days: int
    review_months: int
    country: str
    sales_owner: str
    missing: Sequence[str]


def review(book: Book, *, rules: LimitRules | None = None) -> list[Change]:
    """Every buyer graded and measured anew: what would change, and why?  年度复审

    One entry per buyer with a limit, sales or anything at stake, largest change first (in base currency). A limit within its rounding of what
    is recommended stays the same. Kept for the book's version under the rule set's own version.
    """
    used = rules or limit_rules(book)
    question = f"limit review {used.version} {answers.beside_version(book.ledger)} {hash_of(used)}"
    rows: list[dict[str, Any]] = remembered(book, question, lambda: [plain(one) for one in _review(book, used)])
    return [Change(**row) for row in rows]


def hash_of(rules: LimitRules) -> str:
    """A short name for exactly this rule set."""
    return digest_of(dict(rules.values))[:16]


def _review(book: Book, rules: LimitRules) -> list[Change]:
    factors = base_factors(book.whole)
    found = []
    for known in known_of_all(book, rules):
        answer = recommend_limit(known.inputs, rules)
        now, then = known.inputs.current_limit_minor, answer.amount_minor
        factor = factors.get(answer.currency)
        profile = known.profile
        found.append(
            Change(
                known.buyer_id, profile.get("name") or "", profile.get("name_local") or "", answer.currency, now, then, _way(now, then), answer.binding,
                known.inputs.grade, known.inputs.grade_confidence, known.inputs.exposure_minor, _in_base(now, factor), _in_base(then, factor),
                answer.payment_terms_days, answer.review_months, profile.get("country") or "", profile.get("sales_owner") or "", list(answer.missing),
            )
        )  # fmt: skip
    return sorted(found, key=lambda one: (-abs((one.recommended_base or 0) - (one.now_base or 0)), one.buyer_id))


def _in_base(minor: int | None, factor: float | None) -> int | None:
    return None if minor is None or factor is None else int(minor * factor + 0.5)


SAME: Final = 0.1
"""A tenth more or less is no reason to write to anybody."""


def _way(now: int | None, then: int | None) -> str | None:
    if then is None:
        return None
    if now is None:
        return "new" if then > 0 else "same"
    if then == 0 and now > 0:
        return "stop"
    if abs(then - now) <= SAME * now:
        return "same"
    return "up" if then > now else "down"


__all__ = [
    "SETTING", "STATES", "Ask", "Change", "LimitAdvice", "advise", "decisions_of", "limit_rules", "limits_of", "recommend", "recompute",
    "review", "utilisation",
]  # fmt: skip
