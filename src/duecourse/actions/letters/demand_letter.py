"""The formal demand, with its twelve elements.  催告函

(1) parties (2) contract, orders (3) invoices (4) delivery (5) principal, interest, compensation, daily accrual (6) total, account (7) deadline
(8) consequences in order (9) rights reserved, order of payments (10) confirm or dispute (11) signatory, seal, enclosures (12) how it is served.
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
        parts.text(w("greeting")), *parts.parties(f, w), *parts.facts(f, w), *parts.delivery(f, w), *parts.demand(f, w), *parts.bank(f, w),
        *parts.consequences(f, w), *parts.answer(f, w), *parts.reserve(f, w), *parts.signed(f, w), *parts.annex(f, w),
    ]  # fmt: skip
