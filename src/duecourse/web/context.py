"""What every page's frame needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from duecourse.messages import language
from duecourse.web.accounts.access import ACTS, acts_of
from duecourse.web.pages import navigation
from duecourse.web.pages.appearance import theme_of
from duecourse.web.pages.asof import Picker

if TYPE_CHECKING:
    from django.http import HttpRequest


def frame(request: HttpRequest) -> dict[str, Any]:
    """`lang` and `theme` for the html element, `may.ACT` for what to offer, `viewpoint` and `asof` for the picker, `served` for how new the facts are, the places of the navigation.

    `frame_key` holds all that the frame's kept text depends on, besides the language: nothing of the person but what they may do and their theme.
    """
    person = getattr(request, "user", None)
    viewpoint = getattr(request, "viewpoint", None)
    theme, acts = theme_of(request), acts_of(person) if person is not None else frozenset()
    words = urlencode(viewpoint.query) if viewpoint is not None else ""
    known = {
        "lang": "zh-Hans" if language() == "zh" else "en",
        "theme": theme,
        "may": {act: act in acts for act in ACTS} if person is not None else {},
        "viewpoint": viewpoint,
        "viewpoint_words": words,
        "asof": Picker(request) if viewpoint is not None else None,
        "served": getattr(request, "served", None),
    }
    if person is None or not person.is_authenticated:
        return {**known, "frame_key": (theme,)}
    here = request.resolver_match.url_name if request.resolver_match else None
    return {**known, "frame_key": (theme, acts, here, words), **navigation.context(acts, here, words)}
