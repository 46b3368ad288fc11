"""The friendly reminder: what is open, until when it is expected, and whom to tell if something is not right.  付款提醒函"""

from __future__ import annotations

from typing import TYPE_CHECKING

from duecourse.actions.letters import parts

if TYPE_CHECKING:
    from duecourse.actions.letters.document import Block
    from duecourse.actions.letters.facts import LetterFacts
    from duecourse.actions.letters.wording import Words


def body(f: LetterFacts, w: Words) -> list[Block]:
    """The letter between greeting and end. No interest is worked out, no consequence named: that is for the demand."""
    asked = w("ahead_demand" if parts.is_ahead(f) else "demand", deadline=w.day(f.deadline), principal=w.principal(f))
    return [
        parts.text(w("greeting")), *parts.facts(f, w), parts.head(w("demand_head")), parts.text(asked), *parts.bank(f, w),
        *parts.answer(f, w), *parts.reserve(f, w), *parts.signed(f, w),
    ]  # fmt: skip
