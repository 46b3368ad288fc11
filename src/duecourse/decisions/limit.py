"""How much may a buyer owe us, on which terms, for how long? Need against every cap, each with its figures.  信用额度建议

A pure function of figures and rules. All amounts are int64 minor units of one currency. A cap whose figures are not known is shown with
what is missing and does not bind; a recommendation never exceeds a cap that does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Context, Decimal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from duecourse.decisions.limit_rules import LimitRules

YEAR_DAYS: Final = 365
_EXACT: Final = Context(prec=60)
REASONS_STOP: Final = ("block", "overdue", "insolvency", "dishonest_debtor", "list_match")


@dataclass(frozen=True)
class LimitInputs:
    """What is known of a buyer. None = not known; amounts in minor units of `currency`.

    annual_sales_minor   what it bought in the last 365 days, tax included; sales_days: so many of them have any history
    expected_sales_minor what the request expects of the next year: used where there is no history of our own
    mean_delay_days      amount-weighted, early counts as 0; peak_balance_minor: the highest balance of the year
    equity_minor, working_capital_minor, cost_of_sales_minor   of the newest accounts; statement_age_days since their period's end
    experience_minor     the highest balance of the year made up of invoices that were then paid within terms
    probability_of_default_12m   a fraction; grade_basis: both | financial | behaviour | none
    insurer_limit_minor  what the insurer covers today; 0 = withdrawn
    group_limit_minor, group_others_minor   the group's limit and what its other members have at stake
    portfolio_minor      all that is outstanding with everybody
    stops                why nothing may be sold on credit: some of REASONS_STOP
    """

    currency: str
    annual_sales_minor: int | None = None
    sales_days: int | None = None
    expected_sales_minor: int | None = None
    terms_days: int | None = None
    mean_delay_days: float | None = None
    peak_balance_minor: int | None = None
    open_orders_minor: int = 0
    equity_minor: int | None = None
    working_capital_minor: int | None = None
    cost_of_sales_minor: int | None = None
    statement_period_end: date | None = None
    statement_age_days: int | None = None
    experience_minor: int | None = None
    grade: int | None = None
    probability_of_default_12m: float | None = None
    grade_confidence: str | None = None
    grade_basis: str | None = None
    insurer_limit_minor: int | None = None
    group_limit_minor: int | None = None
    group_others_minor: int = 0
    portfolio_minor: int | None = None
    exposure_minor: int = 0
    outstanding_minor: int = 0
    overdue_beyond_minor: int = 0
    oldest_days_past_due: int | None = None
    current_limit_minor: int | None = None
    asked_minor: int | None = None
    stops: Sequence[str] = ()
    red_flags: Sequence[str] = ()


@dataclass(frozen=True)
class Cap:
    """One limit to the limit.

    amount_minor  None where its figures are not known, which `missing` then names
    active        the rules use it and its amount is known: the recommendation does not exceed it
    figures       what it was worked out from: *_minor money, *_share and *_rate fractions, *_days days
    """

    name: str
    amount_minor: int | None
    active: bool
    figures: Mapping[str, Any] = field(default_factory=dict)
    missing: Sequence[str] = ()


@dataclass(frozen=True)
class Need:
    """What the buyer needs to buy as it does: annual sales × (terms + delay + lag) ÷ 365 × peak + open orders. None: nothing says."""

    amount_minor: int | None
    figures: Mapping[str, Any]
    missing: Sequence[str] = ()


@dataclass(frozen=True)
class Recommendation:
    """The answer.

    amount_minor   None where nothing says how much the buyer needs
    binding        the cap that decides, or `need` or `asked`
    caps           every cap, in the order of the rules, binding or not
    review_months  when to look again; valid_days: how much longer it holds at most
    """

    currency: str
    amount_minor: int | None
    binding: str
    need: Need
    caps: Sequence[Cap]
    payment_terms_days: int
    review_months: int
    grace_days: int
    missing: Sequence[str]
    reasons: Sequence[Mapping[str, Any]]
    rules_version: str


def recommend_limit(known: LimitInputs, rules: LimitRules) -> Recommendation:
    """How much may this buyer owe us, and why not more?  额度测算

    The smallest of the need, what was asked for and every active cap, rounded down to `rounding_digits` digits.
    """
    of_grade = rules.of_grade(_grade(known))
    usual = known.terms_days if known.terms_days is not None else rules["need"]["terms_default_days"]
    terms = min(usual, of_grade["terms_max_days"])
    need = needed(known, rules, terms)
    caps = [_cap(name, known, rules, need, terms) for name in rules["caps"]]
    bounds = [(need.amount_minor, "need"), (known.asked_minor, "asked")]
    if need.amount_minor is None and known.asked_minor is None:
        amount, binding = (0, "block") if known.stops else (None, "need")
    else:
        bounds += [(cap.amount_minor, cap.name) for cap in caps if cap.active]
        lowest, binding = min(((value, name) for value, name in bounds if value is not None), key=lambda one: one[0])
        amount = rounded_down(max(0, lowest), rules["rounding_digits"])
    missing = tuple(dict.fromkeys([*need.missing, *(name for cap in caps for name in cap.missing if rules["caps"][cap.name])]))
    months = int(of_grade["review_months"])
    if known.red_flags or known.grade_confidence == "low":
        months = min(months, 6)
    return Recommendation(
        known.currency, amount, binding, need, caps, 0 if amount == 0 else terms, months, int(rules["grace_days"]), missing,
        _reasons(known, amount, binding, usual, terms, months), rules.version,
    )  # fmt: skip


def needed(known: LimitInputs, rules: LimitRules, terms_days: int) -> Need:
    """How large a limit would cover the buyer's purchases at their highest?  额度需求"""
    words = rules["need"]
    sales, basis = _sales(known, words["history_min_days"])
    if sales is None:
        return Need(None, {}, ("annual_sales",))
    delay = min(max(known.mean_delay_days or 0.0, 0.0), float(words["delay_max_days"]))
    days = terms_days + delay + words["billing_lag_days"]
    ordinary = part(sales, days, over=YEAR_DAYS)
    highest, peak = part(ordinary, words["peak_default"]), float(words["peak_default"])
    if known.peak_balance_minor is not None and basis == "ledger" and ordinary > 0:
        highest = min(max(known.peak_balance_minor, part(ordinary, words["peak_min"])), part(ordinary, words["peak_max"]))
        peak = highest / ordinary
    figures = {
        "annual_sales_minor": sales, "basis": basis, "terms_days": terms_days, "delay_days": delay, "lag_days": words["billing_lag_days"], "peak": peak,
        "open_orders_minor": known.open_orders_minor,
    }  # fmt: skip
    missing = () if known.mean_delay_days is not None else ("payment_record",)
    return Need(highest + known.open_orders_minor, figures, missing)


def _sales(known: LimitInputs, at_least_days: int) -> tuple[int | None, str]:
    """A year's sales: of the ledger, scaled up from a shorter history, else as the request expects them."""
    if known.annual_sales_minor and known.sales_days and known.sales_days >= at_least_days:
        if known.sales_days >= YEAR_DAYS:
            return known.annual_sales_minor, "ledger"
        return part(known.annual_sales_minor, YEAR_DAYS, over=known.sales_days), "ledger_scaled"
    if known.expected_sales_minor is not None:
        return known.expected_sales_minor, "request"
    return (known.annual_sales_minor, "ledger_short") if known.annual_sales_minor else (None, "")


def part(amount_minor: int, *factors: float, over: float = 1) -> int:
    """An amount times fractions, divided by `over`: as if by hand, rounded down once.

    >>> part(100, 0.29)
    29
    """
    product = Decimal(amount_minor)
    for factor in factors:
        product = _EXACT.multiply(product, Decimal(repr(factor)))
    return int(_EXACT.divide(product, Decimal(repr(over))).to_integral_value(ROUND_FLOOR))


def rounded_down(minor: int, digits: int) -> int:
    """The amount with so many leading digits, the rest zero: 1,287,400 → 1,200,000 with two. Never more than it was.

    >>> rounded_down(128_740_000, 2)
    120000000
    """
    if digits <= 0 or minor <= 0:
        return minor
    step: int = 10 ** max(0, len(str(minor)) - digits)
    return minor // step * step


def _grade(known: LimitInputs) -> int | None:
    """The grade to go by: none where it rests on nothing."""
    return None if known.grade_basis == "none" else known.grade


def _cap(name: str, known: LimitInputs, rules: LimitRules, need: Need, terms_days: int) -> Cap:
    used = bool(rules["caps"][name])
    amount, figures, missing = _CAPS[name](known, rules, need, terms_days)
    return Cap(name, amount, used and amount is not None, figures, missing)


_Found = tuple[int | None, dict[str, Any], tuple[str, ...]]


def _too_old(known: LimitInputs, rules: LimitRules) -> bool:
    return known.statement_age_days is not None and known.statement_age_days > rules["statement_max_age_days"]


def _share_of(
    amount: int | None, share: float, figures: dict[str, Any], known: LimitInputs, rules: LimitRules, *, days: int = YEAR_DAYS
) -> _Found:
    """A share of an item of the accounts, nothing of a negative one; none where the accounts are too old."""
    if amount is None:
        return None, {}, ("statement",)
    figures["period_end"] = known.statement_period_end
    if _too_old(known, rules):
        return None, figures, ("recent_statement",)
    return max(0, part(amount, share, days, over=YEAR_DAYS)), figures, ()


def _net_worth(known: LimitInputs, rules: LimitRules, _need: Need, _terms: int) -> _Found:
    share = float(rules.of_grade(_grade(known))["net_worth_share"])
    return _share_of(known.equity_minor, share, {"equity_minor": known.equity_minor, "net_worth_share": share}, known, rules)


def _working_capital(known: LimitInputs, rules: LimitRules, _need: Need, _terms: int) -> _Found:
    share = float(rules["working_capital_share"])
    figures = {"working_capital_minor": known.working_capital_minor, "working_capital_share": share}
    return _share_of(known.working_capital_minor, share, figures, known, rules)


def _supplier_share(known: LimitInputs, rules: LimitRules, _need: Need, terms: int) -> _Found:
    share = float(rules["wallet_share"])
    figures = {"cost_of_sales_minor": known.cost_of_sales_minor, "terms_days": terms, "wallet_share": share}
    return _share_of(known.cost_of_sales_minor, share, figures, known, rules, days=terms)


def _experience(known: LimitInputs, rules: LimitRules, _need: Need, _terms: int) -> _Found:
    if known.experience_minor is None:
        return None, {}, ("payment_record",)
    factor = float(rules["experience_factor"])
    figures = {"experience_minor": known.experience_minor, "factor": factor, "tolerance_days": rules["experience_tolerance_days"]}
    return part(known.experience_minor, factor), figures, ()


def _by_grade(known: LimitInputs, rules: LimitRules, need: Need, _terms: int) -> _Found:
    grade = _grade(known)
    base = need.amount_minor if need.amount_minor is not None else known.asked_minor
    share = float(rules.of_grade(grade)["need_share"])
    missing = () if grade is not None else ("grade",)
    if base is None:
        return (0, {"grade": grade, "need_share": share}, missing) if share == 0 else (None, {"grade": grade, "need_share": share}, missing)
    return part(base, share), {"grade": grade, "need_share": share, "need_minor": base}, missing


def _insurer(known: LimitInputs, rules: LimitRules, _need: Need, _terms: int) -> _Found:
    mandatory, factor = bool(rules["insurer_mandatory"]), float(rules["insurer_factor"])
    if known.insurer_limit_minor is None:
        return (0, {"mandatory": True}, ("insurer_limit",)) if mandatory else (None, {"mandatory": False}, ())
    return (
        part(known.insurer_limit_minor, factor),
        {"insurer_minor": known.insurer_limit_minor, "factor": factor, "mandatory": mandatory},
        (),
    )


def _group(known: LimitInputs, _rules: LimitRules, _need: Need, _terms: int) -> _Found:
    if known.group_limit_minor is None:
        return None, {}, ()
    figures = {"group_limit_minor": known.group_limit_minor, "others_minor": known.group_others_minor}
    return max(0, known.group_limit_minor - known.group_others_minor), figures, ()


def _single_name(known: LimitInputs, rules: LimitRules, _need: Need, _terms: int) -> _Found:
    if not known.portfolio_minor:
        return None, {}, ()
    share = float(rules["single_name_share"])
    return part(known.portfolio_minor, share), {"portfolio_minor": known.portfolio_minor, "single_name_share": share}, ()


def _profit(known: LimitInputs, rules: LimitRules, need: Need, _terms: int) -> _Found:
    """The limit at which a year's expected loss and cost of funds eat a year's expected profit."""
    margin, probability = rules["margin"], known.probability_of_default_12m
    sales: Any = need.figures.get("annual_sales_minor")
    missing = [name for name, value in (("margin", margin), ("grade", probability), ("annual_sales", sales)) if value is None]
    if missing:
        return None, {}, tuple(missing)
    cost = probability * rules["loss_given_default"] + rules["funding_rate"]
    figures = {
        "annual_sales_minor": sales, "margin_rate": margin, "default_rate": probability, "loss_rate": rules["loss_given_default"],
        "funding_rate": rules["funding_rate"],
    }  # fmt: skip
    return (part(sales, margin, over=cost), figures, ()) if cost > 0 else (None, figures, ())


def _block(known: LimitInputs, rules: LimitRules, _need: Need, _terms: int) -> _Found:
    stops = list(known.stops)
    late = (known.oldest_days_past_due or 0) > rules["overdue_block_days"]
    if late and known.overdue_beyond_minor > rules["overdue_block_share"] * known.outstanding_minor:
        stops.append("overdue")
    figures = {"stops": stops, "oldest_days": known.oldest_days_past_due, "overdue_minor": known.overdue_beyond_minor}
    return (0, figures, ()) if stops else (None, {"stops": []}, ())


_CAPS: Final = {
    "net_worth": _net_worth, "working_capital": _working_capital, "supplier_share": _supplier_share, "experience": _experience, "grade": _by_grade,
    "insurer": _insurer, "group": _group, "single_name": _single_name, "profit": _profit, "block": _block,
}  # fmt: skip


def _reasons(known: LimitInputs, amount: int | None, binding: str, usual: int, terms: int, months: int) -> tuple[Mapping[str, Any], ...]:
    """Why so, as sentences of the catalogue."""
    found: list[dict[str, Any]] = []
    if amount is None:
        found.append({"code": "decisions.limit_no_need", "args": {}})
    else:
        found.append({"code": f"decisions.limit_bound_{binding}", "args": {"amount_minor": amount}})
        if known.current_limit_minor is not None and amount != known.current_limit_minor:
            way = "up" if amount > known.current_limit_minor else "down"
            found.append({"code": f"decisions.limit_goes_{way}", "args": {"now_minor": known.current_limit_minor, "amount_minor": amount}})
        if amount < known.exposure_minor:
            found.append({"code": "decisions.limit_below_exposure", "args": {"exposure_minor": known.exposure_minor}})
    if terms < usual:
        found.append({"code": "decisions.limit_terms_shorter", "args": {"usual_days": usual, "terms_days": terms}})
    if known.grade_basis == "none" or known.grade is None:
        found.append({"code": "decisions.limit_ungraded", "args": {}})
    if months < 12:
        found.append({"code": "decisions.limit_review_soon", "args": {"months": months}})
    return tuple(found)
