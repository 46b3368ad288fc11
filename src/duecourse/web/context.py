"""What every page's frame needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from duecourse.messages import language
from duecourse.web.accounts.access import ACTS, may

if TYPE_CHECKING:
    from django.http import HttpRequest


def frame(request: HttpRequest) -> dict[str, Any]:
    """`lang` for the html element, `may.ACT` for what to offer, `viewpoint` for the picker."""
    person = getattr(request, "user", None)
    return {
        "lang": "zh-Hans" if language() == "zh" else "en",
        "may": {act: may(person, act) for act in ACTS} if person is not None else {},
        "viewpoint": getattr(request, "viewpoint", None),
    }
