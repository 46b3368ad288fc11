"""How many examples a property test tries: few in the ordinary run, where each compiles its expressions anew; all in `./test --long`."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import settings

LONG = os.environ.get("DUECOURSE_LONG") == "1" or os.environ.get("HYPOTHESIS_PROFILE") == "thorough"


def examples(few: int, many: int, **more: Any) -> settings:
    """`few`, or in a long run `many`."""
    return settings(max_examples=many if LONG else few, **more)
