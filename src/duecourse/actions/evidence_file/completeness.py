"""Is the evidence enough for this route, and what is missing how badly? A pure function of the documents' facts.  证据完整度

The needs and how grave it is to lack one are those of practice before Chinese courts, which fit others with small differences: a buyer who
denies delivery, or that whoever signed was allowed to, wins where neither is proven.
Sources: 民事诉讼证据若干规定 (法释〔2019〕19号) 11, 14-17, 93-94; 买卖合同解释 (法释〔2020〕17号) 1, 5; 民事诉讼法 (2023) 225 (payment order).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duecourse.actions.evidence_file.facts import Document

Gravity = Literal["high", "medium", "low"]
WEIGHT: Final[dict[str, int]] = {"high": 5, "medium": 2, "low": 1}

ROUTES: Final = ("negotiate", "payment_order", "suit", "arbitration", "insolvency_claim", "insurance_claim")

KINDS: Final[dict[str, tuple[str, ...]]] = {
    "contract": ("contract",),
    "terms": ("terms",),
    "order": ("order", "order_acceptance"),
    "delivery": ("delivery_note", "bill_of_lading", "proof_of_delivery"),
    "customs": ("customs_declaration",),
    "invoice": ("invoice",),
    "statement": ("statement_of_account",),
    "payments": ("payment_record",),
    "correspondence": ("correspondence",),
    "demand": ("notice",),
    "service": ("proof_of_service",),
    "authority": ("authority",),
    "guarantee": ("guarantee",),
    "resolution": ("resolution",),
    "insurance": ("insurance_decision",),
}
"""Which documents meet which need; one of them is enough."""

BY_INVOICE: Final = frozenset({"order", "delivery", "invoice"})
"""To be proven for each invoice. A document that names no invoice stands for all of them."""

ORIGINALS: Final = ("contract", "delivery_note", "proof_of_delivery", "statement_of_account", "guarantee")
"""Of these a court wants to see the original."""

_h, _m, _l = "high", "medium", "low"
NEEDS: Final[dict[str, tuple[str, str, str, str, str, str]]] = {
    # need         negotiate, payment order, suit, arbitration, insolvency, insurance; "" = not asked for
    "contract": (_m, _h, _h, _h, _h, _h),
    "terms": (_l, _l, _l, _l, _l, _l),
    "order": (_l, _m, _m, _m, _m, _m),
    "delivery": (_m, _h, _h, _h, _h, _h),
    "customs": ("", _l, _m, _m, _l, _m),
    "invoice": (_h, _h, _h, _h, _h, _h),
    "statement": (_m, _h, _m, _m, _m, _m),
    "payments": (_l, _m, _m, _m, _m, _m),
    "correspondence": (_l, _l, _m, _m, _l, _m),
    "demand": (_m, _m, _m, _m, _l, _h),
    "service": (_l, _m, _m, _m, _l, _m),
    "authority": (_l, _h, _h, _h, _m, _m),
    "guarantee": (_m, _h, _h, _h, _h, _h),
    "resolution": (_l, _m, _h, _h, _m, _m),
    "insurance": ("", "", "", "", "", _h),
    "originals": ("", _m, _h, _m, _m, _l),
}


@dataclass(frozen=True)
class Situation:
    """What of the case decides which documents are needed.

    cross_border  buyer and seller are in different countries · guaranteed  somebody stands behind the debt
    insured       an insurer covers the buyer · arbitration  the contract has an arbitration clause; None = no contract is known
    country       of the court: what the debtor's is, or the law that was agreed; "" = not known
    """

    invoices: tuple[str, ...] = ()
    cross_border: bool = False
    guaranteed: bool = False
    insured: bool = False
    arbitration: bool | None = None
    country: str = ""


@dataclass(frozen=True)
class Gap:
    """Something a route needs and the file does not have, or not for all invoices.

    share     how much of it is there, 0 to below 1
    invoices  those it is missing for, where it is needed for each
    """

    need: str
    gravity: Gravity
    share: float = 0.0
    invoices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Completeness:
    """How complete the evidence is for one route.

    score    share of what is needed that is there, weighed by how grave it is to lack it: 0 to 1
    applies  False: the route is not open by what is known (no arbitration clause, no cover)
    present  the needs that are met · gaps  the others, the gravest first
    notes    what else to see to: foreign_language, foreign_official
    """

    route: str
    score: float
    applies: bool
    present: tuple[str, ...]
    gaps: tuple[Gap, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def risk(self) -> Gravity | None:
        """How grave the gravest gap is; None = nothing is missing."""
        return self.gaps[0].gravity if self.gaps else None


def completeness(route: str, documents: Sequence[Document], situation: Situation) -> Completeness:
    """Is the evidence enough for this route? `route` is one of ROUTES."""
    column = ROUTES.index(route)
    left_out = {
        name
        for name, asked in (
            ("customs", situation.cross_border),
            ("guarantee", situation.guaranteed),
            ("resolution", situation.guaranteed),
            ("insurance", situation.insured),
        )
        if not asked
    }
    got = total = 0.0
    present: list[str] = []
    gaps: list[Gap] = []
    for need, by_route in NEEDS.items():
        gravity = by_route[column]
        if not gravity or need in left_out:
            continue
        found = _originals(documents) if need == "originals" else _covered(need, documents, situation)
        if found is None:
            continue
        share, without = found
        total += WEIGHT[gravity]
        got += WEIGHT[gravity] * share
        if share >= 1:
            present.append(need)
        else:
            gaps.append(Gap(need, gravity, share, without))  # type: ignore[arg-type]
    gaps.sort(key=lambda one: (-WEIGHT[one.gravity], one.share, list(NEEDS).index(one.need)))
    applies = situation.arbitration is True if route == "arbitration" else situation.insured if route == "insurance_claim" else True
    return Completeness(route, got / total if total else 0.0, applies, tuple(present), tuple(gaps), _notes(route, documents, situation))


def all_routes(documents: Sequence[Document], situation: Situation) -> tuple[Completeness, ...]:
    """One answer for each route."""
    return tuple(completeness(route, documents, situation) for route in ROUTES)


def _covered(need: str, documents: Sequence[Document], situation: Situation) -> tuple[float, tuple[str, ...]]:
    fitting = [one for one in documents if one.kind in KINDS[need]]
    if need not in BY_INVOICE or not situation.invoices:
        return (1.0 if fitting else 0.0), ()
    if any(not one.about("invoice") for one in fitting):
        return 1.0, ()
    named = {invoice for one in fitting for invoice in one.about("invoice")}
    without = tuple(invoice for invoice in situation.invoices if invoice not in named)
    return 1 - len(without) / len(situation.invoices), without


def _originals(documents: Sequence[Document]) -> tuple[float, tuple[str, ...]] | None:
    """Which share of the documents that want it is held in original; None where there are no such documents: that they are missing is said elsewhere."""
    wanted = [one for one in documents if one.kind in ORIGINALS]
    return (sum(one.original is True for one in wanted) / len(wanted), ()) if wanted else None


def _notes(route: str, documents: Sequence[Document], situation: Situation) -> tuple[str, ...]:
    """What a Chinese court asks of foreign documents (证据规定 16-17)."""
    if situation.country != "CN" or route not in ("suit", "payment_order", "insolvency_claim"):
        return ()
    notes = []
    if any(one.language not in ("", "zh") for one in documents):
        notes.append("foreign_language")
    if situation.cross_border and any(one.kind in ("authority", "resolution") for one in documents):
        notes.append("foreign_official")
    return tuple(notes)
