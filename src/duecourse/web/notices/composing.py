"""One message out of the notices of one recipient, in their language, with no more than they may know on the day it is drawn up."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, cast

from duecourse.desk.dates import default_day
from duecourse.glossary import label
from duecourse.messages import catalogue, say
from duecourse.money import NO_CURRENCY, format_money
from duecourse.web import books
from duecourse.web import environment as env
from duecourse.web.accounts.access import may
from duecourse.web.notices.models import Notice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from duecourse.ledger.scope import Scope
    from duecourse.messages import Language
    from duecourse.web.notices.models import Sending

DRAWERS: Final[dict[str, Callable[[Scope, Language, bool], list[dict[str, str]]]]] = {}
"""Kinds of notice whose lines are drawn when the message is: {kind: lines of a scope, in a language, with or without buyers}. Nothing to say: no lines."""

LINES: Final = 30
"""So many lines a message has at most."""
LONGEST: Final = 400
"""A line is cut here: names are given from outside."""
NOT_PRINTED: Final = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
"""Ends of lines, and signs that turn the direction of what follows."""


def language_of(text: str) -> Language:
    """`zh-hans` as the catalogue has it; empty = the firm's, else English."""
    return "zh" if (text or books.default_language() or "en").startswith("zh") else "en"


def worded(value: Any, lang: Language) -> Any:
    """An argument as it stands in a sentence.

    {code, args} is a sentence itself, {term} a term of the glossary, {minor, currency} an amount; a list is one after the other.
    """
    if isinstance(value, dict) and "code" in value:
        if value["code"] not in catalogue():  # of a release that is gone
            return ""
        return say(value["code"], lang, **{name: worded(one, lang) for name, one in value.get("args", {}).items()})
    if isinstance(value, dict) and "term" in value:
        return label(value["term"], lang)
    if isinstance(value, dict) and "minor" in value:
        return "–" if value["currency"] == NO_CURRENCY else format_money(value["minor"], value["currency"], lang)
    if isinstance(value, list):
        return say("web.notices_and", lang).join(str(worded(one, lang)) for one in value)
    return value


def line(notice: Notice, name: str, lang: Language) -> str:
    """A notice as one line of text."""
    told = worded({"code": notice.code, "args": {**notice.args, "buyer": name}}, lang)
    return NOT_PRINTED.sub(" ", str(told)).strip()[:LONGEST]


def names_of(scope: Scope, buyer_ids: Sequence[str], lang: Language) -> dict[str, str]:
    """What buyers are called in a language; one that may not be seen is absent."""
    if not buyer_ids:
        return {}
    ledger = books.ledger()
    book = ledger.as_of(default_day(ledger)).limited(scope)
    rows = book.run(book.buyer.filter(book.buyer.buyer_id.isin(sorted(set(buyer_ids)))).select("buyer_id", "name", "name_local"))
    return {row["buyer_id"]: name_in(row, lang) for row in rows.to_pylist()}


def name_in(row: Mapping[str, Any], lang: Language) -> str:
    """A buyer's name in the script of its reader, where the ledger has both."""
    own, local = row.get("name"), row.get("name_local")
    return str((local or own if lang == "zh" else own or local) or row["buyer_id"])


def drawn_up(sending: Sending) -> dict[str, Any] | None:
    """The message of these notices; None where nobody is left to tell it to, or there is nothing they may know.

    A group without leave to hear of buyers gets how many things of each kind happened, and where to look.
    """
    person, channel = sending.person, sending.channel
    if person is not None and not may(person, "read"):
        return None
    group = channel if channel is not None and channel.person_id is None else None
    scope = group.scope if group is not None else cast("Any", person).scope
    lang = language_of(group.language if group is not None else cast("Any", person).language)
    notices = list(Notice.objects.filter(sending=sending))
    names = names_of(scope, [one.buyer_id for one in notices if one.buyer_id], lang)
    notices = [one for one in notices if not one.buyer_id or one.buyer_id in names]
    counts = Counter(one.kind for one in notices if one.kind not in DRAWERS)
    told = [say(f"web.notices_count_{kind}", lang, count=count) for kind, count in sorted(counts.items())]
    details = group is None or group.details
    lines = [drawn for kind in sorted({one.kind for one in notices} & DRAWERS.keys()) for drawn in DRAWERS[kind](scope, lang, details)]
    if details:
        own = sorted((one for one in notices if one.kind not in DRAWERS), key=lambda one: (-one.weight, one.pk))
        lines += [{"text": line(one, names.get(one.buyer_id, ""), lang), "url": env.BASE_URL + one.path if one.path else ""} for one in own]
    elif len(told) > 1 or lines or sending.rhythm != "at_once":
        lines += [{"text": text, "url": ""} for text in told]
    if not told and not lines:
        return None
    return {
        "title": _title(sending.rhythm, told, lang), "lines": lines[:LINES], "more": max(0, len(lines) - LINES),
        "link": f"{env.BASE_URL}/alerts/", "link_words": say("web.notices_open", lang), "settings": f"{env.BASE_URL}/notices/", "language": lang,
        "made_at": sending.made_at.isoformat(),
    }  # fmt: skip


def _title(rhythm: str, told: Sequence[str], lang: Language) -> str:
    """Holds no name: it stands on locked screens, and in lists others look at."""
    if rhythm != "at_once":
        return say(f"web.notices_title_{rhythm}", lang)
    return say("web.notices_title", lang, what=told[0] if len(told) == 1 else say("web.notices_title_several", lang, count=len(told)))


def test_message(lang: Language, made_at: str) -> dict[str, Any]:
    """A message that says nothing, to try a channel."""
    return {
        "title": say("web.notices_title", lang, what=say("web.notices_test", lang)), "lines": [{"text": say("web.notices_test_line", lang), "url": ""}],
        "more": 0, "link": f"{env.BASE_URL}/alerts/", "link_words": say("web.notices_open", lang), "settings": f"{env.BASE_URL}/notices/",
        "language": lang, "made_at": made_at,
    }  # fmt: skip
