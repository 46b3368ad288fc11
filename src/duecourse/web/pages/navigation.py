"""The places of the app: what stands in the navigation and the command palette, for whom, and where one is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from django.urls import reverse

from duecourse.messages import language, say
from duecourse.web.pages.help import help_address

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from duecourse.web.accounts.access import Act


@dataclass(frozen=True)
class Place:
    """One entry: its URL name, sentence, icon, what one must be allowed to do, and the further pages that belong to it."""

    name: str
    says: str
    icon: str
    act: Act = "read"
    also: frozenset[str] = frozenset()


PLACES: Final[Mapping[str, tuple[Place, ...]]] = {
    "web.frame_nav_book": (
        Place("dashboard", "web.frame_nav_dashboard", "dashboard"),
        Place("alerts", "web.watch_title", "bell", also=frozenset({"alert"})),
        Place("buyers", "web.frame_nav_buyers", "buyers", also=frozenset({"buyer"})),
        Place("invoices", "web.frame_nav_invoices", "invoices", also=frozenset({"invoice"})),
        Place("groups", "web.frame_nav_groups", "groups", also=frozenset({"group"})),
        Place("limits", "web.limits_title", "limits", also=frozenset({"limit", "decision"})),
        Place("orders", "web.orders_title", "file", also=frozenset({"order_check"})),
        Place("portfolio", "web.portfolio_title", "portfolio"),
        Place("review", "web.review_title", "past"),
    ),
    "web.frame_nav_recovery": (
        Place("today", "web.cases_today_title", "check"),
        Place("cases", "web.cases_title", "columns", also=frozenset({"case", "case_documents"})),
        Place("letters", "web.letters_title", "file", also=frozenset({"letter", "buyer_letter"})),
        Place("agencies", "web.agencies_title", "people", also=frozenset({"agency", "placement", "placement_new"})),
        Place("countries", "web.countries_title", "globe", also=frozenset({"country"})),
        Place("calculator_limitation", "web.clocks_tabs", "calendar", also=frozenset({"calculator_interest", "calculator_rates"})),
    ),
    "web.frame_nav_data": (
        Place("imports", "web.frame_nav_imports", "imports", "import", frozenset({"import_", "import_file", "import_void", "quarantine"})),
        Place("findings", "web.frame_nav_findings", "findings", also=frozenset({"finding"})),
        Place("screening", "web.screening_title", "search"),
        Place("feeds", "web.feeds_title", "link"),
    ),
    "web.frame_nav_firm": (
        Place("settings", "web.frame_nav_settings", "settings"),
        Place("people", "web.frame_nav_people", "people", "people"),
        Place("jobs", "web.frame_nav_jobs", "jobs", "jobs"),
        Place("runs", "web.watch_runs_title", "calendar", "jobs"),
        Place("webhooks", "web.api_hooks_title", "api", "settings", frozenset({"webhook", "webhook_new", "webhook_edit"})),
        Place("notice_channels", "web.notices_channels_title", "bell", "settings", frozenset({"notice_channel"})),
        Place("audit", "web.frame_nav_audit", "audit", "audit", frozenset({"custody"})),
    ),
}
"""Groups of places, each under its heading."""

FIRST: Final = ("dashboard", "buyers", "invoices", "groups")
"""What a phone shows in the bar at the bottom; the rest is in its menu."""


@dataclass(frozen=True)
class Entry:
    """A place as one page shows it."""

    name: str
    label: str
    icon: str
    url: str
    current: bool


def places(acts: frozenset[Act], here: str | None, words: str) -> list[tuple[str, list[Entry]]]:
    """Heading and entries for somebody who may do these acts, the one they are at (`here`, its URL name) marked; `words` keep as-of and known-at."""
    shown = []
    for heading, group in PLACES.items():
        entries = []
        for place in group:
            if place.act not in acts:
                continue
            address = reverse(place.name)
            current = here is not None and (here in {place.name, *place.also} or here.startswith(f"{place.name}_"))
            entries.append(Entry(place.name, say(place.says), place.icon, f"{address}?{words}" if words else address, current))
        if entries:
            shown.append((say(heading), entries))
    return shown


def first(shown: list[tuple[str, list[Entry]]]) -> list[Entry]:
    """The entries of the phone's bar."""
    return [entry for _, group in shown for entry in group if entry.name in FIRST]


@dataclass(frozen=True)
class Link:
    """An entry of the person's own menu."""

    label: str
    icon: str
    url: str


OWN: Final = (
    ("profile", "web.frame_nav_profile", "person"),
    ("notices", "web.notices_own_title", "bell"),
    ("mfa_index", "web.frame_nav_security", "lock"),
    ("api_docs", "web.frame_nav_api", "api"),
)


def context(acts: frozenset[Act], here: str | None, words: str) -> dict[str, Any]:
    """What the frame shows of the places: `places` (navigation), `bar` (phone), `person_links`, and for the palette `palette_places`, `find_url`."""
    return _context(language(), acts, here, words)


@lru_cache(512)
def _context(_spoken: str, acts: frozenset[Act], here: str | None, words: str) -> dict[str, Any]:
    shown = places(acts, here, words)
    own = [Link(say(says), icon, reverse(name)) for name, says, icon in OWN]
    help_url = help_address(here) + (f"?{words}" if words else "")
    palette = [
        {"name": entry.name, "label": entry.label, "icon": entry.icon, "url": entry.url, "group": heading}
        for heading, group in shown
        for entry in group
    ]
    palette += [{"name": "", "label": link.label, "icon": link.icon, "url": link.url, "group": ""} for link in own]
    palette.append({"name": "help", "label": say("web.frame_help"), "icon": "help", "url": help_url, "group": ""})
    return {
        "places": shown,
        "bar": first(shown),
        "person_links": own,
        "palette_places": palette,
        "find_url": reverse("find_buyers"),
        "help_url": help_url,
    }
