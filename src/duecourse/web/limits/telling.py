"""A recommendation, a request, a limit as their pages tell them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from duecourse.decisions.wording import cap_words, missing_words, need_words, sentence
from duecourse.messages import say
from duecourse.money import format_money
from duecourse.web.limits.deciding import needed_for, why_not

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.http import HttpRequest

    from duecourse.ledger.book import Book
    from duecourse.web.limits.models import LimitRequest

STATE_KINDS: Final = {"in_force": "good", "replaced": "off", "ended": "off", "run_out": "warn"}
STATUS_KINDS: Final = {"open": "warn", "granted": "good", "refused": "bad", "withdrawn": "off"}
USE_KINDS: Final = {"blocked": "bad", "over": "bad", "near": "warn", "lapsed": "warn", "unlimited": "warn", "within": "good"}


@dataclass(frozen=True)
class Line:
    """One bound of a limit: the need, what was asked, or a cap."""

    name: str
    title: str
    amount_minor: int | None
    how: str
    binds: bool
    counts: bool
    share: int


@dataclass(frozen=True)
class Told:
    """A recommendation as a page shows it. `lines`: every bound, with its length as a share (0 to 100) of the largest."""

    currency: str
    amount_minor: int | None
    amount: str
    lines: Sequence[Line]
    reasons: Sequence[str]
    missing: str
    terms_days: int
    review_months: int
    grade: int | None
    probability: float | None
    confidence: str
    exposure_minor: int
    current_minor: int | None
    rules_version: str


def told(answer: Mapping[str, Any]) -> Told:
    """From the plain answer, of today or as a decision kept it."""
    known, found = answer["known"], answer["recommended"]
    currency = found["currency"]
    bounds = [("need", found["need"]["amount_minor"], need_words(found["need"], currency), True)]
    if known["asked_minor"] is not None:
        bounds.append(("asked", known["asked_minor"], "", True))
    bounds += [(cap["name"], cap["amount_minor"], cap_words(cap, currency), cap["active"]) for cap in found["caps"]]
    highest = max((minor for _name, minor, _how, _counts in bounds if minor is not None and minor > 0), default=0)
    lines = [
        Line(
            name, say(f"decisions.cap_{name}"), minor, how, found["binding"] == name and found["amount_minor"] is not None, counts,
            0 if not minor or minor < 0 or not highest else max(1, round(100 * minor / highest)),
        )
        for name, minor, how, counts in bounds
    ]  # fmt: skip
    amount = say("web.limits_none_recommended") if found["amount_minor"] is None else format_money(found["amount_minor"], currency)
    return Told(
        currency, found["amount_minor"], amount, lines, [sentence(one, currency) for one in found["reasons"]],
        missing_words(found["missing"]), found["payment_terms_days"], found["review_months"],
        known["grade"] if known["grade_basis"] != "none" else None, known["probability_of_default_12m"], known["grade_confidence"] or "",
        known["exposure_minor"], known["current_limit_minor"], found["rules_version"],
    )  # fmt: skip


def limit_lines(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Limits as a table shows them."""
    return [
        {
            **row,
            "kind_words": say(f"web.limits_kind_{row['kind']}"),
            "state_words": say(f"web.limits_state_{row['state']}"),
            "look": STATE_KINDS[row["state"]],
        }
        for row in rows
    ]


def request_line(asked: LimitRequest, names: Mapping[str, str]) -> dict[str, Any]:
    """One request as a list shows it."""
    return {
        "asked": asked, "name": names.get(asked.buyer_id, asked.buyer_id), "kind_words": say(f"web.limits_kind_{asked.kind}"),
        "status_words": say(f"web.limits_status_{asked.status}"), "look": STATUS_KINDS[asked.status],
    }  # fmt: skip


@dataclass(frozen=True)
class Standing:
    """Where a request stands: who must still consent, and whether the person who looks can."""

    role: str
    approvers: int
    given: int
    why_not: str
    first: bool


def standing_of(request: HttpRequest, book: Book, asked: LimitRequest) -> Standing:
    """Who must still say yes."""
    needed = needed_for(book, asked)
    person: Any = request.user
    reason = why_not(person, asked, needed)
    given = asked.consents.filter(approves=True).count()
    role = say(f"web.people_role_{needed.role}")
    return Standing(role, needed.approvers, given, say(reason, role=role) if reason else "", first=given == 0)


def told_of(asked: LimitRequest) -> Told:
    """The recommendation a request was put down with."""
    return told(json.loads(asked.answer))
