"""The firm's settings: who we are, in what we add up, how we age, which days we work, which rates we use, what imports have taught.  设置"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from duecourse.cover.late_interest.applicable import SIZES
from duecourse.desk.calendars import calendar_countries, own_days, special_days, working_days_in
from duecourse.desk.dates import FAR
from duecourse.desk.importing import CURRENCIES, systems
from duecourse.desk.rates import add_rate, conversions, pairs, rate_history
from duecourse.desk.settings import bucket_labels, change, current, entities, forget_reading, keep, saved_readings, setting_history
from duecourse.errors import DuecourseError
from duecourse.messages import language, say
from duecourse.reference.countries import COUNTRIES
from duecourse.web import books
from duecourse.web import environment as env
from duecourse.web.accounts.access import gate, may
from duecourse.web.accounts.audit import record
from duecourse.web.accounts.models import Person
from duecourse.web.imports.whole import person_of, sees_imports
from duecourse.web.imports.wording import role_label, system_label, typed_amount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest, HttpResponse

TABS: Final = ("settings", "settings_rates", "settings_calendar", "settings_readings", "settings_history")
ENTITIES_SHOWN: Final = 200
RATES_SHOWN: Final = 60


def _frame(request: HttpRequest, here: str) -> dict[str, Any]:
    tabs = [{"url": reverse(name), "label": say(f"web.{name}_tab"), "current": name == here} for name in TABS]
    return {"tabs": tabs, "may_change": may(request.user, "settings"), "title": say(f"web.{here}_tab")}


def _who(request: HttpRequest) -> str:
    return person_of(request).username


def _names(usernames: Sequence[str]) -> dict[str, str]:
    return {one.username: one.name for one in Person.objects.filter(username__in=set(usernames) - {""})}


# --- the firm -------------------------------------------------------------------------------------------------------------------------


@require_safe
@gate("read")
def firm(request: HttpRequest) -> HttpResponse:
    """Company, companies of ours, base currency, ageing buckets, language."""
    return render(request, "imports/settings.html", _firm_words(request))


def _firm_words(request: HttpRequest, typed: dict[str, str] | None = None, faults: dict[str, str] | None = None) -> dict[str, Any]:
    ledger = books.ledger()
    book = books.book_of(request)
    values = {**current(ledger), **(typed or {})}
    named = ledger.as_of(date.max).settings.get("legal_entity_names", {})
    codes = list(dict.fromkeys([*entities(book), *(named if not book.scope.restricts else ())]))[:ENTITIES_SHOWN]
    return {
        **_frame(request, "settings"),
        "values": values,
        "faults": faults or {},
        "entities": [{"code": code, "name": named.get(code, "")} for code in codes],
        "currencies": [(code, one.name()) for code, one in sorted(CURRENCIES.items()) if not one.withdrawn],
        "countries": sorted(((code, one.name()) for code, one in COUNTRIES.items()), key=lambda one: one[1].casefold()),
        "sizes": [(size, say(f"interest.size_{size}")) for size in SIZES],
        "buckets": bucket_labels(values["ageing_buckets"]),
        "time_zone": env.TIME_ZONE,
        "default_day": books.day_of(ledger),
    }


@require_safe
@gate("read")
def buckets(request: HttpRequest) -> HttpResponse:
    """What the buckets would be called: shown while somebody types."""
    return render(request, "imports/_buckets.html", {"buckets": bucket_labels(request.GET.get("ageing_buckets", ""))})


@require_POST
@gate("settings")
def firm_change(request: HttpRequest) -> HttpResponse:
    """Keep what was changed, as a fact of the ledger."""
    ledger = books.ledger()
    before = current(ledger)
    typed = {
        name: request.POST[name].strip()
        for name in ("company", "own_country", "own_size", "base_currency", "ageing_buckets", "language", "default_rates")
        if name in request.POST
    }
    if any(field.startswith("entity-") for field in request.POST):
        named = dict(ledger.as_of(date.max).settings.get("legal_entity_names", {}))
        for field in request.POST:
            text = request.POST[field]
            if field.startswith("entity-"):
                named[field.removeprefix("entity-")] = text.replace(";", ",").replace("；", "，").replace("=", "-").strip()[:200]
        typed["legal_entity_names"] = "; ".join(f"{code}={name}" for code, name in named.items() if name)
    changed = {name: value for name, value in typed.items() if value != before[name]}
    faults: dict[str, str] = {}
    for name, value in changed.items():
        try:
            change(ledger, {name: value}, by=_who(request))
        except DuecourseError as error:
            faults[name] = say("web.settings_buckets_wrong") if name == "ageing_buckets" else error.message()
        else:
            record(request, "settings.change", "setting", name, before=before[name], after=value)
    if faults:
        return render(request, "imports/settings.html", _firm_words(request, typed, faults), status=422)
    if changed:
        messages.success(request, say("web.settings_kept"))
    return HttpResponseRedirect(reverse("settings"))


# --- rates ----------------------------------------------------------------------------------------------------------------------------


@require_safe
@gate("read")
def rates(request: HttpRequest) -> HttpResponse:
    """Which rates there are, which count, how old they are."""
    return render(request, "imports/rates.html", _rate_words(request))


def _rate_words(request: HttpRequest, fault: str = "") -> dict[str, Any]:
    book = books.book_of(request)
    base = book.base_currency
    found = pairs(book)
    used = conversions(book)
    return {
        **_frame(request, "settings_rates"),
        "book": book,
        "base": "" if base == "XXX" else base,
        "pairs": found,
        "used": [one for one in used if one.currency != base],
        "unrated": [one.currency for one in used if one.rate is None and one.currency != "XXX"],
        "old": [one for one in found if one.too_old],
        "currencies": [code for code, one in sorted(CURRENCIES.items()) if not one.withdrawn],
        "fault": fault,
        "typed": request.POST,
        "today": f"{datetime.now(UTC):%Y-%m-%d}",
    }


@require_POST
@gate("settings")
def rate_add(request: HttpRequest) -> HttpResponse:
    """Keep one rate typed in by hand."""
    form = request.POST
    rate = typed_amount(form.get("rate", "").replace(",", ".") if form.get("rate", "").count(",") == 1 else form.get("rate", ""))
    try:
        day = date.fromisoformat(form.get("rate_date", ""))
        if rate is None or rate <= 0:
            raise ValueError  # noqa: TRY301 — worded below, like a day that is none
        add_rate(books.ledger(), base=form.get("base", ""), quote=form.get("quote", ""), on=day, rate=rate, by=_who(request))
    except ValueError:
        return render(request, "imports/rates.html", _rate_words(request, say("web.rates_wrong")), status=422)
    except DuecourseError as error:
        return render(request, "imports/rates.html", _rate_words(request, error.message()), status=422)
    record(request, "rate.add", "rate", f"{form['base']}/{form['quote']} {day}", rate=str(rate))
    messages.success(request, say("web.rates_kept", base=form["base"].upper(), quote=form["quote"].upper(), on=day))
    return HttpResponseRedirect(reverse("settings_rates"))


@require_safe
@gate("read")
def rate_pair(request: HttpRequest, provider: str, base: str, quote: str) -> HttpResponse:
    """All rates of one pair."""
    book = books.book_of(request)
    start = request.GET.get("from", "")
    offset = int(start) if start.isdecimal() else 0
    found = rate_history(book, provider, base, quote, offset=offset, limit=RATES_SHOWN + 1)
    files = {row.batch_id: row for row in books.ledger().journal()}
    rows = [
        {
            **one,
            "file": files[one["source"]].file_name if one["source"] in files else "",
            "by": files[one["source"]].facts.get("by", "") if one["source"] in files else "",
        }
        for one in found[:RATES_SHOWN]
    ]
    words = {
        **_frame(request, "settings_rates"),
        "provider": provider,
        "base": base,
        "quote": quote,
        "rows": rows,
        "says": say("web.findings_shown", first=offset + 1 if rows else 0, last=offset + len(rows)),
        "has_previous": offset > 0,
        "previous": max(0, offset - RATES_SHOWN),
        "next": offset + RATES_SHOWN if len(found) > RATES_SHOWN else None,
        "sees_imports": sees_imports(request),
    }
    return render(request, "imports/rate_pair.html", words)


# --- calendar -------------------------------------------------------------------------------------------------------------------------


@require_safe
@gate("read")
def calendar(request: HttpRequest) -> HttpResponse:
    """Which days are worked where."""
    ledger = books.ledger()
    chosen = current(ledger)["calendar"]
    shown = request.GET.get("country", chosen).upper()
    own = own_days(ledger.as_of(FAR).settings, shown)
    year_said = request.GET.get("year", "")
    year = int(year_said) if year_said.isdecimal() and 1990 <= int(year_said) <= 2100 else datetime.now(UTC).year
    words: dict[str, Any] = {
        **_frame(request, "settings_calendar"),
        "chosen": chosen,
        "shown": shown,
        "year": year,
        "countries": calendar_countries(),
    }
    try:
        words |= {"days": special_days(shown, year, own), "worked": working_days_in(shown, year, own)}
    except DuecourseError as error:
        words["fault"] = error.message()
    words["own"] = sorted((day, worked) for day, worked in own.items() if day.year == year)
    words["provisional"] = any(one.certainty == "provisional" for one in words.get("days", ()))
    words["years"] = range(year - 1, year + 2)
    return render(request, "imports/calendar.html", words)


@require_POST
@gate("settings")
def calendar_change(request: HttpRequest) -> HttpResponse:
    """Count by this country's working days from now on."""
    wanted = request.POST.get("country", "").strip().upper()
    ledger = books.ledger()
    before = current(ledger)["calendar"]
    if wanted != before:
        change(ledger, {"calendar": wanted}, by=_who(request))
        record(request, "settings.change", "setting", "calendar", before=before, after=wanted)
        messages.success(request, say("web.settings_kept"))
    return HttpResponseRedirect(reverse("settings_calendar"))


@require_POST
@gate("settings")
def calendar_day(request: HttpRequest) -> HttpResponse:
    """One day that the firm knows better: worked, free, or as the calendar has it."""
    ledger = books.ledger()
    land, said = request.POST.get("country", "").strip().upper(), request.POST.get("worked", "")
    try:
        day = date.fromisoformat(request.POST.get("day", ""))
    except ValueError:
        day = None
    if day is None or land not in COUNTRIES or said not in ("worked", "free", "forget"):
        messages.error(request, say("web.calendar_day_wrong"))
        return HttpResponseRedirect(f"{reverse('settings_calendar')}?country={land if land in COUNTRIES else ''}")
    before = ledger.as_of(FAR).settings.get("working_days") or {}
    days = {one: dict(kept) for one, kept in before.items()}
    days.setdefault(land, {}).pop(day.isoformat(), None)
    if said != "forget":
        days[land][day.isoformat()] = said == "worked"
    keep(ledger, "working_days", {one: kept for one, kept in days.items() if kept}, by=_who(request))
    record(request, "settings.change", "setting", "working_days", country=land, day=day.isoformat(), worked=said)
    messages.success(request, say("web.settings_kept"))
    return HttpResponseRedirect(f"{reverse('settings_calendar')}?country={land}&year={day.year}")


# --- what imports have taught, and what was changed -----------------------------------------------------------------------------------


@require_safe
@gate("read")
def readings(request: HttpRequest) -> HttpResponse:
    """How files of known forms are read."""
    rows = [
        {
            "reading": one,
            "system": system_label(one.profile.source, systems()),
            "shape": say(f"cli.shape_{one.profile.shape}"),
            "columns": ", ".join(f"{reading.column} → {role_label(role)}" for role, reading in one.profile.mapping.items()),
        }
        for one in saved_readings(books.ledger())
    ]
    return render(request, "imports/readings.html", {**_frame(request, "settings_readings"), "rows": rows})


@require_POST
@gate("settings")
def reading_forget(request: HttpRequest) -> HttpResponse:
    """Read the next file of this form anew."""
    name = request.POST.get("name", "")
    forget_reading(books.ledger(), name, by=_who(request))
    record(request, "settings.forget", "setting", name)
    messages.success(request, say("web.settings_forgotten"))
    return HttpResponseRedirect(reverse("settings_readings"))


@require_safe
@gate("read")
def changes(request: HttpRequest) -> HttpResponse:
    """Who set what, when."""
    found = setting_history(books.ledger())
    people = _names([one.by for one in found])
    rows = [
        {
            "change": one,
            "name": say(f"web.settings_name_{one.name}"),
            "by": people.get(one.by, one.by),
            "value": _value(one.name, one.value),
        }
        for one in found
        if one.name in _KNOWN
    ]
    return render(request, "imports/changes.html", {**_frame(request, "settings_history"), "rows": rows})


_KNOWN: Final = (
    "base_currency",
    "ageing_buckets",
    "company",
    "own_country",
    "own_size",
    "legal_entity_names",
    "calendar",
    "language",
    "default_rates",
    "working_days",
    "insurer_terms",
)


def _value(name: str, value: str | None) -> str:
    if value is None:
        return say("web.settings_unset")
    if name == "ageing_buckets":
        labels = bucket_labels(value)
        return (" · " if language() == "en" else "、").join(labels) if labels else value
    return value or say("web.settings_unset")
