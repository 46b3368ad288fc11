"""When the interpreter looks for rubbish in rings. It looks through everything there is, again and again while much is made."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

SELDOM: Final = (50_000, 20, 50)
"""A page or a command makes tens of thousands of objects and nearly no rings."""


def look_seldom() -> None:
    """From now on look when many objects are new, not at every seven hundredth."""
    gc.set_threshold(*SELDOM)


@contextmanager
def at_rest() -> Iterator[None]:
    """Do not look while something is loaded or made that stays, or goes all at once."""
    worked = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if worked:
            gc.enable()
