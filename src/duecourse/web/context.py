"""What every page's frame needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from duecourse.messages import language
from duecourse.web.accounts.access import ACTS, may
from duecourse.web.pages import navigation
from duecourse.web.pages.appearance import theme_of
from duecourse.web.pages.asof import Picker

if TYPE_CHECKING:
    from django.http import HttpRequest


def frame(request: HttpRequest) -> dict[str, Any]:
    """`lang` and `theme` for the html element, `may.ACT` for what to offer, `viewpoint` and `asof` for the picker, `served` for how new the facts are, the places of the navigation."""
    person = getattr(request, "user", None)
    viewpoint = getattr(request, "viewpoint", None)
    return {
        "lang": "zh-Hans" if language() == "zh" else "en",
        "theme": theme_of(request),
        "may": {act: may(person, act) for act in ACTS} if person is not None else {},
        "viewpoint": viewpoint,
        "asof": Picker(request) if viewpoint is not None else None,
        "served": getattr(request, "served", None),
        **navigation.context(request),
    }
