"""What others say of a buyer: signals with source and severity, what the register has, and how to add, end or withdraw one.  资信信息页"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from duecourse.desk.evidence import age_in_years, evidence_of, kind_word, register_facts, severity_word, value_word
from duecourse.desk.posting import Post, commit, new_batch_id, tables_of
from duecourse.errors import BuyerUnknownError, DuecourseError
from duecourse.intake.signals import default_severity, signal_of
from duecourse.ledger.entries import SIGNAL, SIGNAL_KINDS, SIGNAL_SEVERITIES
from duecourse.messages import say
from duecourse.money import NO_CURRENCY
from duecourse.reference.currencies import CURRENCIES
from duecourse.tables import named, shown
from duecourse.web import books
from duecourse.web.accounts.access import gate
from duecourse.web.accounts.audit import record
from duecourse.web.books import book_of
from duecourse.web.evidence.entry import USUAL, WAIT_SECONDS
from duecourse.web.evidence.screening import of_buyer
from duecourse.web.evidence.statements import may_enter
from duecourse.web.pages.columns import amount, capital, heading, in_few_digits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponse

    from duecourse.desk.evidence import Evidence, Signal
    from duecourse.findings import Finding

STATES: Final = {"info": "", "amber": "warn", "red": "bad"}
FIELDS: Final = (
    "kind",
    "severity",
    "published_on",
    "occurred_on",
    "ended_on",
    "value",
    "previous_value",
    "amount",
    "currency",
    "provider",
    "reference",
    "text",
)
BY_HAND: Final = tuple(kind for kind in SIGNAL_KINDS if kind != "list_match")
"""A match with a list is confirmed where lists are screened, with the evidence before one."""


@require_safe
@gate("read")
def evidence(request: HttpRequest, buyer_id: str) -> HttpResponse:
    """The page of what is known of a buyer from outside."""
    return _page(request, buyer_id, {}, [])


def _page(request: HttpRequest, buyer_id: str, said: Mapping[str, str], faults: list[str]) -> HttpResponse:
    book = book_of(request)
    found = _seen(request, buyer_id)
    profile = named(found.profile)
    events = [_event(signal) for signal in found.signals]
    words = {
        "book": book,
        "buyer_id": buyer_id,
        "name": profile.get("name") or buyer_id,
        "events": events,
        "open": sorted((one for one in events if one["open"]), key=lambda one: -one["rank"]),
        "counts": [(STATES[severity], severity_word(severity), count) for severity, count in found.counts.items()],
        "numbers": [
            {
                "title": heading(one.name),
                "number": one.number,
                "kind": _VERDICTS[one.verdict],
                "word": say(f"web.evidence_number_{one.verdict}"),
            }
            for one in found.numbers
        ],
        "register": _register(found, book.on),
        "may_enter": may_enter(request),
        **of_buyer(request, buyer_id, found.profile),
        "said": said or {"published_on": str(datetime.now(UTC).date()), "currency": found.profile.get("currency") or ""},
        "faults": faults,
        "kinds": [(kind, kind_word(kind), severity_word(default_severity(kind))) for kind in BY_HAND],
        "severities": [(severity, severity_word(severity)) for severity in SIGNAL_SEVERITIES],
        "usual": USUAL,
        "currencies": [code for code in CURRENCIES if code not in USUAL],
    }
    return render(request, "evidence/evidence.html", words, status=422 if faults else 200)


_VERDICTS: Final = {"good": "good", "check_digit": "bad", "malformed": "bad", "unchecked": "off"}


def _seen(request: HttpRequest, buyer_id: str) -> Evidence:
    try:
        return evidence_of(book_of(request), buyer_id)
    except BuyerUnknownError:
        raise Http404 from None


def _event(signal: Signal) -> dict[str, Any]:
    row = signal.row
    change = f"{row['previous_value']} → {row['value']}" if row["previous_value"] and row["value"] else value_word(row["value"] or "")
    money = f"{amount(row['amount_minor'], row['currency'])} {row['currency']}" if row["amount_minor"] is not None else ""
    link = row["reference"] or ""
    return {
        "id": row["signal_id"], "day": row["published_on"], "occurred": row["occurred_on"], "ended": row["ended_on"], "open": signal.is_open,
        "kind": kind_word(row["kind"]), "state": STATES[signal.severity], "severity": severity_word(signal.severity),
        "rank": SIGNAL_SEVERITIES.index(signal.severity), "change": change, "amount": money, "provider": row["provider"] or "", "text": row["text"] or "",
        "reference": link, "link": link if link.startswith(("https://", "http://")) else "", "file": signal.file_name, "recorded": row["recorded_at"],
        "confidence": "" if row["confidence"] is None else shown(row["confidence"], "fraction"),
    }  # fmt: skip


def _register(found: Evidence, on: date) -> list[tuple[str, str]]:
    told = []
    for (title, value), name in zip(register_facts(found.profile), ("", "", "founded", "capital", "", "", ""), strict=True):
        if value is None or value == "":
            continue
        text = str(value)
        if name == "capital":
            text = in_few_digits(value, found.profile.get("registered_capital_currency") or NO_CURRENCY)["exact"]
        if name == "founded":
            text = say("web.evidence_age", day=shown(value, "date"), years=age_in_years(value, on) or 0)
        told.append((capital(title), text))
    return told


@require_POST
@gate("propose")
def add(request: HttpRequest, buyer_id: str) -> HttpResponse:
    """A signal typed in; the same twice is one."""
    _seen(request, buyer_id)
    said = {name: request.POST.get(name, "").strip() for name in FIELDS}
    findings: list[Finding] = []
    row = signal_of({**{name: value for name, value in said.items() if value}, "buyer_id": buyer_id}, None, findings)
    faults = [_words(one) for one in findings]
    if row is not None and row["kind"] not in BY_HAND:
        faults.append(say("web.evidence_bad_kind"))
    if row is not None and row["published_on"] > datetime.now(UTC).date():
        faults.append(say("web.evidence_bad_future"))
    if not said["provider"]:
        faults.append(say("web.evidence_bad_provider"))
    if row is None or faults or not _write(request, buyer_id, row, "signal.enter"):
        return _page(request, buyer_id, said, faults)
    messages.success(request, say("web.evidence_entered", kind=kind_word(row["kind"])))
    return HttpResponseRedirect(reverse("buyer_evidence", args=[buyer_id]))


def _words(finding: Finding) -> str:
    return say(f"web.evidence_bad_{finding.code.removeprefix('signal_')}", value=finding.value)


def _write(request: HttpRequest, buyer_id: str, row: Mapping[str, Any], act: str, **told: Any) -> bool:
    post = Post(new_batch_id(datetime.now(UTC)), tables_of([("signal", row)]), note="signal by form", facts={"via": "page", **told})
    try:
        commit(books.ledger(), [post], wait_seconds=WAIT_SECONDS)
    except DuecourseError as error:
        messages.error(request, error.message())
        return False
    record(request, act, "buyer", buyer_id, signal=row["signal_id"], batch=post.batch_id, **told)
    return True


def _own(request: HttpRequest, buyer_id: str) -> dict[str, Any]:
    wanted = request.POST.get("signal_id", "")
    found = next((one.row for one in _seen(request, buyer_id).signals if one.row["signal_id"] == wanted), None)
    if found is None:
        raise Http404
    return {name: found[name] for name in SIGNAL.facts.names}


@require_POST
@gate("propose")
def end(request: HttpRequest, buyer_id: str) -> HttpResponse:
    """It no longer holds from a day on: lifted, settled, paid."""
    row = _own(request, buyer_id)
    try:
        day = date.fromisoformat(request.POST.get("ended_on", ""))
    except ValueError:
        day = date.min
    if not row["published_on"] <= day <= datetime.now(UTC).date():
        messages.error(request, say("web.evidence_bad_end"))
    elif _write(request, buyer_id, {**row, "ended_on": day}, "signal.end", day=str(day)):
        messages.success(request, say("web.evidence_ended", kind=kind_word(row["kind"]), day=day))
    return HttpResponseRedirect(reverse("buyer_evidence", args=[buyer_id]))


@require_POST
@gate("propose")
def withdraw(request: HttpRequest, buyer_id: str) -> HttpResponse:
    """It was a mistake: it no longer counts, and books of before keep it."""
    row = _own(request, buyer_id)
    reason = " ".join(request.POST.get("reason", "").split())[:300]
    if not reason:
        messages.error(request, say("web.statements_reason"))
    elif _write(request, buyer_id, {**row, "voided": True}, "signal.withdraw", reason=reason):
        messages.success(request, say("web.evidence_withdrawn", kind=kind_word(row["kind"])))
    return HttpResponseRedirect(reverse("buyer_evidence", args=[buyer_id]))
