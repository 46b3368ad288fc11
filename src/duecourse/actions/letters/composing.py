"""Facts and words -> the letter as a document, in one language or in two.  成文"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from duecourse.actions.letters import (
    acknowledgement_of_debt,
    demand_letter,
    guarantor_demand,
    letter_before_action,
    parts,
    payment_plan,
    reminder,
)
from duecourse.actions.letters.document import Letter, both
from duecourse.actions.letters.parts import flat
from duecourse.actions.letters.wording import Words
from duecourse.errors import LetterMixedError, LetterUnworkableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from duecourse.actions.letters.facts import LetterFacts

_ROOMS: Final[Mapping[str, Any]] = {
    "reminder": reminder, "demand_letter": demand_letter, "letter_before_action": letter_before_action, "acknowledgement_of_debt": acknowledgement_of_debt,
    "guarantor_demand": guarantor_demand, "payment_plan": payment_plan,
}  # fmt: skip
KINDS: Final = tuple(_ROOMS)
BILINGUAL: Final = "zh+en"
_EVERY: Final = ("zh", "en", BILINGUAL)
LANGUAGES_OF: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(KINDS, _EVERY), "demand_letter": (*_EVERY, "de", "fr", "es", "it", "ja"),
}  # fmt: skip
"""Which languages a kind is worded in."""


def compose(facts: LetterFacts) -> Letter:
    """The letter these facts make, in the language they name: `zh`, `en`, …, or `zh+en` with both, Chinese first.

    Raises LetterMixedError where anything in the facts belongs to another buyer; LetterUnworkableError for a kind, a language, or a kind in a language
    that is none, and for a letter without invoices, a guarantor's without a guarantee, a plan without instalments.
    """
    strangers = facts.strangers()
    if strangers:
        raise LetterMixedError(letter=facts.number, buyer=facts.buyer_id, found=", ".join(strangers[:5]))
    if facts.language not in LANGUAGES_OF.get(facts.kind, ()):
        raise LetterUnworkableError(letter=facts.number, missing=f"{facts.kind}/{facts.language}")
    lacking = {
        "invoices": facts.invoices,
        "guarantee": facts.kind != "guarantor_demand" or facts.guarantee,
        "plan": facts.kind != "payment_plan" or facts.plan,
    }
    if not all(lacking.values()):
        raise LetterUnworkableError(letter=facts.number, missing=", ".join(name for name, there in lacking.items() if not there))
    return both(tuple(_in(facts, language) for language in facts.language.split("+")))


def _in(facts: LetterFacts, language: str) -> Letter:
    w, room = Words(language, facts.kind), _ROOMS[facts.kind]
    if hasattr(room, "consequences"):
        facts = replace(facts, consequences=room.consequences(facts))
    title = w("ahead_title") if parts.is_ahead(facts) else w("title", subject=w.subject(facts))
    to = [name for name in dict.fromkeys((w.name(facts.recipient), facts.recipient.name, facts.recipient.local_name)) if name]
    own = facts.creditor
    firm = w.name(own)
    lines = [
        *(name for name in (own.name, own.local_name) if name != firm),
        *w.address(own).splitlines(),
        " · ".join(one for one in (own.registration_number, own.phone, own.email) if one),
    ]
    return Letter(
        facts.kind, (language,), facts.number, (title,), firm, tuple(line for line in lines if line.strip()),
        (*to[:1], *facts.recipient.address.splitlines()), _about(facts, w, title), tuple(room.body(facts, w)), (w("not_advice"),), (w("page_of", page="{page}", pages="{pages}"),),
        facts.logo,
    )  # fmt: skip


def _about(facts: LetterFacts, w: Words, title: str) -> tuple[tuple[tuple[str], tuple[str]], ...]:
    """Date, number, and (12) how it is served."""
    where = {"email": facts.recipient.email, "post": flat(facts.recipient.address)}.get(facts.channel, "")
    name = f"service_{facts.channel}" if where or facts.channel == "handed_over" else "service_post_bare"
    served = w(name, address=where, title=f"{title}，{w.principal(facts)}")
    return (
        ((w("label_date"),), (w.day(facts.dated),)), ((w("label_number"),), (facts.number,)), ((w("label_service"),), (served,)),
    )  # fmt: skip
