"""The last letter before proceedings: the demand again, what is going to be claimed where, and the readiness to settle.  诉前告知函

Source: Practice Direction Pre-Action Conduct and Protocols, paragraphs 6, 8 and 13 to 16; elsewhere it does no harm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from duecourse.actions.letters.demand_letter import body

if TYPE_CHECKING:
    from duecourse.actions.letters.facts import LetterFacts

__all__ = ["body", "consequences"]


def consequences(f: LetterFacts) -> tuple[str, ...]:
    """Of all that may follow, what a court or tribunal does."""
    return tuple(one for one in f.consequences if one in ("preserve", "proceed", "costs"))
