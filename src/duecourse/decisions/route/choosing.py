"""All ways and sequences of them beside each other, ranked, with the one to take.  路径选择"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from duecourse.cover.said import Said
from duecourse.decisions.route.assumptions import Assumption, Assumptions
from duecourse.decisions.route.ways import Way, ways
from duecourse.decisions.route.worth import Step, Worth, worth_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from duecourse.decisions.route.facts import RouteFacts

VERSION: Final = "route_v1"

SEQUENCES: Final = (
    ("negotiate", "suit"),
    ("negotiate", "preservation_suit"),
    ("negotiate", "arbitration"),
    ("agency", "suit"),
    ("agency", "preservation_suit"),
    ("agency", "arbitration"),
    ("payment_order", "suit"),
    ("payment_order", "preservation_suit"),
    ("negotiate", "payment_order", "suit"),
    ("negotiate", "payment_order", "preservation_suit"),
    ("agency", "payment_order", "suit"),
)
"""What is tried first, and what follows where it fails."""

ORDER: Final = {"open": 0, "doubtful": 1, "closed": 2}


@dataclass(frozen=True, slots=True)
class Route:
    """One way or sequence.

    code      its steps joined by +
    standing  open; doubtful: something it needs is not known; closed: it cannot be gone. The worst of its steps
    rank      1 is the best of the open ones, then the doubtful; closed ones have none
    """

    code: str
    steps: tuple[Step, ...]
    standing: str
    reasons: tuple[Said, ...]
    worth: Worth
    rank: int | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """Its steps by kind."""
        return tuple(step.kind for step in self.steps)


@dataclass(frozen=True, slots=True)
class Routes:
    """Every single way and every sequence that can be gone, the best first; the one to take, why, and whether it is still the best with its own odds a fifth lower."""

    facts: RouteFacts
    routes: tuple[Route, ...]
    chosen: Route
    why: Said
    robust: bool
    assumptions: tuple[Assumption, ...]

    def route(self, code: str) -> Route:
        """One of them. Raises LookupError."""
        return next(one for one in self.routes if one.code == code)


def routes(facts: RouteFacts, overrides: Mapping[str, float] | None = None) -> Routes:
    """Which ways are there, which can be gone, and which is worth most?  追收路径比较

    Ranked by expected value among the open, then the doubtful; equal values by days. Where no open way is worth more than nothing, the debt is
    written off in the books (and remains in law).

    overrides  {name of an assumption: value}
    Raises RuleInvalidError for an override that names nothing or cannot be.
    """
    assume = Assumptions(overrides or {})
    capital = assume("cost_of_capital", 0.06, "share", "capital")
    single = ways(facts, assume)
    assume.check()
    sequences = [(kind,) for kind in single] + [one for one in SEQUENCES if all(kind in single for kind in one)]
    made = [_route([single[kind] for kind in kinds], capital) for kinds in sequences]
    made = [one for one in made if len(one.steps) == 1 or one.standing != "closed"]
    made.sort(key=lambda one: (ORDER[one.standing], -one.worth.expected_minor, one.worth.days, len(one.steps)))
    ranked, place = [], 0
    for one in made:
        place += one.standing != "closed"
        ranked.append(Route(one.code, one.steps, one.standing, one.reasons, one.worth, place if one.standing != "closed" else None))
    best, why = _best(ranked)
    rivals = [one.worth.expected_minor for one in ranked if one.standing == "open" and one.code != best.code]
    robust = best.worth.low_minor >= max(rivals, default=0)
    return Routes(facts, tuple(ranked), best, why, robust, tuple(assume.used.values()))


def _route(parts: list[Way], capital: float) -> Route:
    steps = tuple(part.step for part in parts)
    standing = max((part.standing for part in parts), key=lambda one: ORDER[one])
    reasons: dict[tuple[str, str], Said] = {}
    for part in parts:
        for said in part.reasons:
            reasons.setdefault((said.code, str(sorted(said.args.items()))), said)
    return Route("+".join(step.kind for step in steps), steps, standing, tuple(reasons.values()), worth_of(steps, capital))


def _best(ranked: list[Route]) -> tuple[Route, Said]:
    can = [one for one in ranked if one.standing == "open"]
    best = can[0]
    # An insured loss goes to the insurer first: the duty to limit it remains, and nothing is settled without consent.
    insured = next((one for one in can if one.code == "insurance_claim" and one.worth.expected_minor > 0), None)
    if insured is not None:
        return insured, Said("route.chosen_insured")
    if best.code == "write_off" or best.worth.expected_minor <= 0:
        return next(one for one in can if one.code == "write_off"), Said("route.chosen_write_off")
    return best, Said("route.chosen_best")


def plain(found: Routes) -> dict[str, Any]:
    """The answer as a decision keeps it: plain values, the same for the same facts."""
    return {
        "version": VERSION, "chosen": found.chosen.code, "why": found.why.plain, "robust": found.robust, "currency": found.facts.currency,
        "claim_minor": found.facts.claim_minor,
        "routes": [
            {
                "code": one.code, "standing": one.standing, "rank": one.rank, "reasons": [said.plain for said in one.reasons],
                "expected_minor": one.worth.expected_minor, "low_minor": one.worth.low_minor, "high_minor": one.worth.high_minor,
                "break_even_minor": one.worth.break_even_minor, "probability": one.worth.probability, "days": one.worth.days, "costs_minor": one.worth.costs_minor,
            }
            for one in found.routes
        ],
        "assumptions": {one.name: {"value": one.value, "unit": one.unit, "own": one.own, "confidence": one.confidence} for one in found.assumptions},
    }  # fmt: skip
