"""The statement of account with an acknowledgement to be signed, sealed and returned.  对账函及欠款确认书

Signed by the debtor it interrupts limitation where a demand does nothing: 民法典第195条, Limitation Act 1980 sections 29 and 30 (in writing, signed,
made to the creditor), BGB 212.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from duecourse.actions.letters import parts
from duecourse.actions.letters.document import Block

if TYPE_CHECKING:
    from duecourse.actions.letters.facts import LetterFacts
    from duecourse.actions.letters.wording import Words


def body(f: LetterFacts, w: Words) -> list[Block]:
    """The letter, and on a page of its own what comes back."""
    slip = w("slip", us=w.name(f.creditor), you=w.name(f.debtor), day=w.day(f.dated), principal=w.principal(f))
    lines = tuple(((w(f"slip_{name}"),), ("",)) for name in ("pay", "differs", "name", "sign", "date"))
    return [
        parts.text(w("greeting")), *parts.parties(f, w), *parts.facts(f, w), *parts.demand(f, w), *parts.answer(f, w), *parts.reserve(f, w),
        *parts.signed(f, w), *parts.annex(f, w), Block("break"), parts.head(w("slip_head")), parts.invoices(f, w), parts.text(slip), Block("lines", rows=lines),
    ]  # fmt: skip
