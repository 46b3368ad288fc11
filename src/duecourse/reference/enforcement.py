"""Where a judgment or an award can be enforced, 判决与裁决的域外执行; and how long and dear courts were in 2019."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from importlib import resources
from typing import TYPE_CHECKING, Final, Literal

from duecourse.reference.countries import COUNTRIES, Membership
from duecourse.reference.tables import Table, load

if TYPE_CHECKING:
    from collections.abc import Mapping

Way = Literal["home", "eu", "hague_2019", "treaty", "arrangement", "reciprocity", "refused", "none", "unknown"]
GOOD_WAYS: Final = ("home", "eu", "hague_2019", "treaty", "arrangement")

AWARDS_BETWEEN: Final[Mapping[frozenset[str], str]] = {
    frozenset({"CN", "HK"}): "关于内地与香港特别行政区相互执行仲裁裁决的安排 (1999, 2020)",
    frozenset({"CN", "MO"}): "关于内地与澳门特别行政区相互认可和执行仲裁裁决的安排 (2007)",
    frozenset({"CN", "TW"}): "关于认可和执行台湾地区仲裁裁决的规定 (法释〔2015〕14号)",
}
"""Between these places awards go by an arrangement, not by the New York Convention."""


@dataclass(frozen=True, slots=True)
class Enforceable:
    """How a judgment or award of one country is enforced in another: the way, the law, and how sure that is."""

    way: Way
    law: str
    confidence: str

    @property
    def open(self) -> bool | None:
        """Is there a way? None: not known, or only by single cases."""
        if self.way in GOOD_WAYS:
            return True
        return False if self.way in ("refused", "none") else None


@dataclass(frozen=True, slots=True)
class DoingBusiness:
    """What Doing Business 2020 says of a country; None is unknown. A dated prior: the programme ended after irregularities.

    contract_days, contract_cost        to enforce a contract: days, and the share of the claim it costs
    insolvency_years, insolvency_cost   years, and the share of the estate
    secured_recovery                    the share a secured creditor gets
    """

    country: str
    contract_days: int | None
    contract_cost: float | None
    insolvency_years: float | None
    insolvency_cost: float | None
    secured_recovery: float | None
    confidence: str


def _doing_business(record: Mapping[str, str]) -> DoingBusiness:
    def share(name: str) -> float | None:
        return float(record[name]) / 100 if record[name] else None

    return DoingBusiness(
        record["iso2"], int(record["contract_enforcement_days"]) if record["contract_enforcement_days"] else None,
        share("contract_enforcement_cost_pct_of_claim"), float(record["insolvency_years"]) if record["insolvency_years"] else None,
        share("insolvency_cost_pct_of_estate"), share("insolvency_recovery_cents_per_usd"), record["confidence"],
    )  # fmt: skip


DOING_BUSINESS: Final[Table[DoingBusiness]] = load("enforcement_db2020", "iso2", _doing_business)


def _treaties() -> tuple[dict[frozenset[str], Enforceable], date]:
    lines = resources.files(__package__).joinpath("data", "judgment_treaties.csv").read_text(encoding="utf-8").splitlines()
    head = dict(line.removeprefix("# ").split(": ", 1) for line in lines if line.startswith("# "))
    found: dict[frozenset[str], Enforceable] = {}
    for record in csv.DictReader(line for line in lines if not line.startswith("# ")):
        found[frozenset({record["first"], record["second"]})] = Enforceable(record["kind"], record["law"], record["confidence"])  # type: ignore[arg-type]
    return found, date.fromisoformat(head["as_of"])


TREATIES, TREATIES_AS_OF = _treaties()

HAGUE: Final = "Hague Judgments Convention 2019"
BRUSSELS: Final = "Regulation (EU) 1215/2012"
NEW_YORK: Final = "New York Convention 1958"
NAMED: Final = {HAGUE: "hague", BRUSSELS: "brussels", NEW_YORK: "new_york"}
"""Laws that have a name in either language: `countries.law_<name>`."""


def judgment_in(forum: str, place: str, on: date) -> Enforceable:
    """Can a court's judgment of `forum` be enforced in `place` on a day?  判决能否执行

    >>> judgment_in("CN", "HK", date(2026, 1, 1)).way
    'arrangement'
    """
    if forum == place:
        return Enforceable("home", "", "H")
    first, second = COUNTRIES.get(forum), COUNTRIES.get(place)
    if first is None or second is None:
        return Enforceable("unknown", "", "L")
    # Denmark takes part in Brussels I bis by an agreement of its own.
    if first.eu_member and second.eu_member:
        return Enforceable("eu", BRUSSELS, "H")
    known = TREATIES.get(frozenset({forum, place}))
    if known is None and (first.eu_member or second.eu_member):
        other = place if first.eu_member else forum
        known = TREATIES.get(frozenset({"EU", other}))
    if known is not None and known.way in GOOD_WAYS:
        return known
    bound = [one.judgments_convention_from is not None and one.judgments_convention_from <= on for one in (first, second)]
    if all(bound):
        return Enforceable("hague_2019", HAGUE, "M")
    return known or Enforceable("unknown", "", "L")


def award_in(seat: str, place: str) -> Enforceable:
    """Can an arbitral award of a seat be enforced in `place`?  裁决能否执行"""
    if seat == place:
        return Enforceable("home", "", "H")
    arrangement = AWARDS_BETWEEN.get(frozenset({seat, place}))
    if arrangement:
        return Enforceable("arrangement", arrangement, "H")
    first, second = COUNTRIES.get(seat), COUNTRIES.get(place)
    if first is None or second is None:
        return Enforceable("unknown", "", "L")
    members = (Membership.PARTY, Membership.EXTENDED)
    if first.new_york_convention in members and second.new_york_convention in members:
        return Enforceable("treaty", NEW_YORK, "H")
    if Membership.NO in (first.new_york_convention, second.new_york_convention):
        return Enforceable("none", NEW_YORK, "M")
    return Enforceable("unknown", NEW_YORK, "L")


def legalisation(issued_in: str, used_in: str, on: date) -> str:
    """What a public document of one country needs to be used in another: none, apostille, check_objection, consular, unknown.  认证要求"""
    if issued_in == used_in:
        return "none"
    first, second = COUNTRIES.get(issued_in), COUNTRIES.get(used_in)
    if first is None or second is None:
        return "unknown"
    states = []
    for one in (first, second):
        in_force = one.apostille_from is None or one.apostille_from <= on
        states.append(None if one.apostille is None else one.apostille in (Membership.PARTY, Membership.EXTENDED) and in_force)
    if None in states:
        return "unknown"
    if not all(states):
        return "consular"
    return "check_objection" if first.apostille_objection or second.apostille_objection else "apostille"
