"""The audit trail as an auditor reads it: found, paged, taken out, and proven.  操作记录"""

from __future__ import annotations

import csv
import json
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.http import StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from duecourse.errors import OptionMisusedError
from duecourse.messages import catalogue, say
from duecourse.web.accounts import audit, seeing
from duecourse.web.accounts.access import gate
from duecourse.web.accounts.models import AuditEvent, Person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest, HttpResponse

PAGE: Final = 100
FILTERS: Final = ("person", "act", "kind", "key", "since", "until")
COLUMNS: Final = ("number", "at", "person_id", "person_name", "act", "kind", "key", "detail", "address", "previous", "hash")


@gate("audit")
def trail(request: HttpRequest) -> HttpResponse:
    """The newest first, a hundred a page."""
    seeing.flush()
    chosen = {name: request.GET.get(name, "").strip() for name in FILTERS}
    rows = _found(chosen)
    before = request.GET.get("before", "")
    if before.isdigit():
        rows = rows.filter(number__lt=int(before))
    shown = list(rows[: PAGE + 1])
    more = shown[PAGE - 1].number if len(shown) > PAGE else None
    return render(
        request,
        "accounts/trail.html",
        {
            "rows": [_worded(row) for row in shown[:PAGE]],
            "chosen": chosen,
            "filtered": any(chosen.values()),
            "people": Person.objects.order_by("first_name", "username"),
            "acts": [(act, act_words(act)) for act in AuditEvent.objects.order_by("act").values_list("act", flat=True).distinct()],
            "next": _address("audit", {**chosen, "before": more}) if more else "",
            "first": _address("audit", chosen) if before else "",
            "export": _address("audit_export", chosen),
            "head": AuditEvent.objects.order_by("-number").first(),
            "altered": _altered(),
        },
    )


def _altered() -> int | None:
    """The first row that was not as it was written when the trail was last read whole."""
    last = AuditEvent.objects.filter(act="verified", kind="audit").order_by("-number").first()
    return None if last is None else json.loads(last.detail).get("first_bad")


@gate("audit")
def export(request: HttpRequest) -> HttpResponse:
    """What the filters find as CSV, the oldest first, with the hashes: the chain can be checked without us."""
    seeing.flush()
    chosen = {name: request.GET.get(name, "").strip() for name in FILTERS}
    rows = _found(chosen).order_by("number")
    audit.record(request, "exported", "audit", "", **{name: value for name, value in chosen.items() if value})
    response = StreamingHttpResponse(_lines(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="audit-{timezone.localdate():%Y-%m-%d}.csv"'
    return response  # type: ignore[return-value]


@gate("audit")
@require_POST
def verify(request: HttpRequest) -> HttpResponse:
    """Read the whole trail and say whether it is as it was written; with the number and hash of a row noted down earlier, also whether that one is."""
    seeing.flush()
    verdict = audit.verify()
    noted = request.POST.get("hash", "").strip().lower()
    found = AuditEvent.objects.filter(hash=noted).first() if noted else None
    audit.record(request, "verified", "audit", "", whole=verdict.whole, rows=verdict.rows, first_bad=verdict.first_bad)
    return render(request, "accounts/_verdict.html" if request.headers.get("HX-Request") else "accounts/verdict.html", {
        "verdict": verdict, "noted": noted, "found": found,
        "words": say("web.audit_whole", rows=f"{verdict.rows:,}") if verdict.whole else say(f"web.audit_{verdict.why}", number=f"{verdict.first_bad:,}"),
    })  # fmt: skip


def act_words(act: str) -> str:
    """An act as people call it; one that has no sentence yet as it is."""
    return say(f"web.audit_act_{act}") if f"web.audit_act_{act}" in catalogue() else act.replace("_", " ")


def _kind_words(kind: str) -> str:
    return say(f"web.audit_kind_{kind}") if f"web.audit_kind_{kind}" in catalogue() else kind.replace("_", " ")


def _found(chosen: dict[str, str]) -> Any:
    rows = AuditEvent.objects.order_by("-number")
    if chosen["person"].isdigit():
        rows = rows.filter(person_id=int(chosen["person"]))
    for name in ("act", "kind", "key"):
        if chosen[name]:
            rows = rows.filter(**{name: chosen[name]})
    if since := _day(chosen["since"], "since"):
        rows = rows.filter(at__gte=_midnight(since))
    if until := _day(chosen["until"], "until"):
        rows = rows.filter(at__lt=_midnight(until + timedelta(days=1)))
    return rows


def _day(text: str, name: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise OptionMisusedError(option=name, value=text, hint=say("cli.hint_day")) from None


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _worded(row: AuditEvent) -> dict[str, Any]:
    told = json.loads(row.detail)
    detail = " · ".join(f"{name}: {_short(value)}" for name, value in told.items()) if isinstance(told, dict) else ""
    return {"row": row, "at": timezone.localtime(row.at), "act": act_words(row.act), "kind": _kind_words(row.kind), "detail": detail}


def _short(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _address(name: str, words: dict[str, Any]) -> str:
    kept = {key: value for key, value in words.items() if value}
    return reverse(name) + (f"?{urlencode(kept)}" if kept else "")


class _Echo:
    def write(self, text: str) -> str:
        return text


def _lines(rows: Any) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow(COLUMNS)  # Excel reads UTF-8 by its mark
    for row in rows.iterator(chunk_size=2000):
        values = [row.number, row.at.isoformat(timespec="microseconds"), *(getattr(row, name) for name in COLUMNS[2:])]
        yield writer.writerow([_plain(value) for value in values])


def _plain(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula gets a mark before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
