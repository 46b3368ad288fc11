"""An alert in words: what it is called, why it is there, what could be done, and how it is told elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from duecourse.decisions.alert_policy import policy_of
from duecourse.decisions.wording import sentence
from duecourse.desk.evidence import kind_word
from duecourse.glossary import TERMS, label
from duecourse.ledger.entries import SIGNAL_KINDS
from duecourse.messages import catalogue, say
from duecourse.money import NO_CURRENCY, format_money
from duecourse.web.pages.columns import capital

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duecourse.ledger.book import Book
    from duecourse.web.watch.models import Alert

LOOKS: Final = {"red": "bad", "amber": "warn"}
SHORT: Final = 3
"""So many reasons are named in a list; how many more there are is said."""

ACT_PLACES: Final[Mapping[str, str]] = {
    "review_grade": "buyer_grade", "cut_limit": "buyer_limit", "prepay": "buyer_limit", "secure": "buyer_limit", "notify_insurer": "buyer_limit",
    "call": "buyer",
}  # fmt: skip
"""The page where one does what is suggested."""
ACT_PARTS: Final[Mapping[str, str]] = {"call": "#notes"}


def severity_word(severity: str) -> str:
    """How grave it is."""
    return say(f"web.watch_severity_{severity}")


def reason_name(code: str) -> str:
    """What a reason is called: an indicator by the glossary, a signal by its kind."""
    if code.lower() in TERMS:
        return capital(label(code.lower()))
    if f"web.watch_reason_{code}" in catalogue():
        return say(f"web.watch_reason_{code}")
    if code.startswith("theme_") and f"warning.theme_name_{code.removeprefix('theme_')}" in catalogue():
        return say(f"warning.theme_name_{code.removeprefix('theme_')}")
    return capital(kind_word(code)) if code in SIGNAL_KINDS else code


def reason_sentence(reason: Mapping[str, Any], currency: str) -> str:
    """Why, as it was when the reason came; its name where no sentence was kept."""
    return sentence(reason["why"], currency) if reason.get("why") else reason_name(reason["code"])


def reasons_short(reasons: Sequence[Mapping[str, Any]]) -> tuple[list[str], int]:
    """The first few by name, and how many more there are."""
    return [reason_name(one["code"]) for one in reasons[:SHORT]], max(0, len(reasons) - SHORT)


def money(minor: int, currency: str) -> str:
    """An amount with its currency; a dash where the firm has set none."""
    return "–" if currency == NO_CURRENCY else format_money(minor, currency)


def probability(alert: Alert) -> str:
    """The highest probability of default within six months so far as people read it, or that the buyer is in default."""
    if alert.in_default_since is not None:
        return say("web.watch_in_default")
    return "–" if alert.probability is None else f"{alert.probability:.1%}"


def acts(book: Book, alert: Alert) -> list[tuple[str, str, str]]:
    """What the policy suggests: [(words, URL name of the page, part of it)]."""
    names = policy_of(book.settings).acts({one["code"]: one["family"] for one in alert.reasons})
    return [(say(f"web.watch_act_{name}"), ACT_PLACES[name], ACT_PARTS.get(name, "")) for name in names]


def news_args(alert: Alert) -> dict[str, Any]:
    """What a message tells of an alert, worded in the language of its reader when it is drawn up."""
    return {
        "severity": {"code": f"web.watch_severity_{alert.severity}"}, "exposure": {"minor": alert.exposure_minor, "currency": alert.currency},
        "reasons": [_named_later(one["code"]) for one in alert.reasons[:SHORT]], "since": alert.opened_on.isoformat(),
    }  # fmt: skip


def _named_later(code: str) -> dict[str, Any]:
    if code.lower() in TERMS:
        return {"term": code.lower()}
    if code.startswith("theme_"):
        return {"code": f"warning.theme_name_{code.removeprefix('theme_')}"}
    return {"code": f"web.watch_reason_{code}" if f"web.watch_reason_{code}" in catalogue() else f"desk.signal_{code}"}
