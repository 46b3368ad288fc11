"""The calculators beside each other, as tabs of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.urls import reverse

from duecourse.messages import say

if TYPE_CHECKING:
    from django.http import HttpRequest

CALCULATORS: Final[tuple[tuple[str, str], ...]] = (
    ("calculator_limitation", "web.clocks_title"),
    ("calculator_interest", "web.interest_title"),
    ("calculator_rates", "web.interest_rates_title"),
)
"""URL name and title of each, in the order of the tabs."""


def tabs(request: HttpRequest) -> list[dict[str, Any]]:
    """The tabs of a calculator's page, its own marked."""
    here = request.resolver_match.url_name if request.resolver_match else None
    return [{"url": reverse(name), "label": say(title), "current": name == here} for name, title in CALCULATORS]
