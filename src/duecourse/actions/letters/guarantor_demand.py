"""The claim on one guarantor; each is written to separately, for what interrupts against one does not against another.  保证责任催告函

The period of a guarantee never stops or starts anew: 民法典第692条. Source also: 担保制度解释第29条, 民法典第693条.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from duecourse.actions.letters import parts

if TYPE_CHECKING:
    from duecourse.actions.letters.document import Block
    from duecourse.actions.letters.facts import LetterFacts
    from duecourse.actions.letters.wording import Words


def body(f: LetterFacts, w: Words) -> list[Block]:
    """The letter between greeting and end."""
    return [
        parts.text(w("greeting")), *parts.parties(f, w), *parts.facts(f, w), *_guarantee(f, w), *parts.delivery(f, w), *parts.demand(f, w), *parts.bank(f, w),
        *parts.consequences(f, w), *parts.answer(f, w), *parts.reserve(f, w), *parts.signed(f, w), *parts.annex(f, w),
    ]  # fmt: skip


def _guarantee(f: LetterFacts, w: Words) -> list[Block]:
    given = f.guarantee
    if given is None:
        return []
    rows = [
        (w("guarantee"), w("guarantee_given", reference=given.reference, day=w.day(given.given_on)) if given.given_on is not None else given.reference),
        (w("guarantee_kind"), w("guarantee_joint" if given.joint else "guarantee_general")),
    ]  # fmt: skip
    if given.amount_minor is not None:
        rows.append((w("row_limit"), w.whole(given.amount_minor, given.currency)))
    if given.valid_to is not None:
        rows.append((w("guarantee_until"), w.day(given.valid_to)))
    return [parts.pairs(rows)]


def consequences(f: LetterFacts) -> tuple[str, ...]:
    """What may follow against a guarantor."""
    return tuple(one for one in f.consequences if one in ("preserve", "proceed", "costs"))
