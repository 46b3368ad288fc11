"""Backtests: asked for here, worked out in the background, kept, read, compared, taken out.  预警回测"""

from __future__ import annotations

import json
import secrets
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST, require_safe

from duecourse.desk.backtest import SEGMENTS
from duecourse.desk.backtest_words import definition_name, definition_note, interval, notes_of, percent, rival_name
from duecourse.errors import DuecourseError
from duecourse.messages import say
from duecourse.review.early_warning import FIGURES
from duecourse.risk.outcomes.definitions import DEFAULT, SETTING, checked, definition
from duecourse.risk.warning import rules_v1
from duecourse.web import books
from duecourse.web.accounts.access import may
from duecourse.web.accounts.audit import record
from duecourse.web.books import book_of
from duecourse.web.imports.whole import person_of, whole_gate
from duecourse.web.jobs.queue import enqueue
from duecourse.web.limits.pages import _names as names_of
from duecourse.web.pages.exports import FORMS, checked_form, file_of
from duecourse.web.review import charts, telling
from duecourse.web.review.background import BACKTEST
from duecourse.web.review.models import GONE, Backtest
from duecourse.web.review.telling import figure_name, figure_range, figure_text
from duecourse.web.watch.runs import took

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.http import HttpRequest

    from duecourse.ledger.book import Book

SHOWN: Final = 25
KEPT_SHOWN: Final = 100
TILES: Final = (
    "recall_90", "lead_median", "precision", "false_alarms_per_buyer_year", "alerts_per_analyst_day", "saved_share",
)  # fmt: skip
LISTED: Final = ("recall_90", "recall", "precision", "lead_median", "false_alarms_per_buyer_year")
LOOKS: Final = {"done": "good", "running": "busy", "waiting": "off", "failed": "bad", "cancelled": "off", GONE: "off"}
BETTER: Final[Mapping[str, str]] = {"false_alarms_per_buyer_year": "down", "alerts_per_analyst_day": "down"}
PAGE: Final = "review/restricted.html"


def state_of(one: Backtest) -> str:
    """Where it stands: done, or what its job says; gone where nothing says anything any more."""
    if one.finished_at is not None:
        return "done"
    job = one.job
    return GONE if job is None or job.status == "done" else str(job.status)


def definitions_of(book: Book) -> list[str]:
    """The definitions of a default that this firm has."""
    return list(checked(book.settings.get(SETTING) or {})["definitions"])


def options_words(options: Mapping[str, Any]) -> str:
    """What was asked, in a line."""
    parts = [
        say("web.review_option_span", since=options.get("since") or "…", until=options.get("until") or "…") if options.get("since") or options.get("until") else "",
        say("web.review_option_share", share=f"{options['share']:.2%}"), definition_name(options["name"]),
        say(f"backtest.segment_{options['segment']}"), say("web.review_option_recorded") if options["recorded"] else "",
        *(say("web.review_option_set", name=name) for name in options.get("sets") or ()),
    ]  # fmt: skip
    return " · ".join(part for part in parts if part)


def line_of(one: Backtest) -> dict[str, Any]:
    """One backtest as a list shows it."""
    state, found = state_of(one), one.summary
    return {
        "one": one, "state": state, "look": LOOKS[state], "state_words": say(f"web.review_state_{state}"), "asked": options_words(one.options),
        "span": f"{found['since']} – {found['until']}" if found else "", "took": took(one.seconds) if one.seconds is not None else "",
        "figures": [(figure_name(name), figure_text(name, found["figures"][name][0]) if found else "–") for name in LISTED],
    }  # fmt: skip


@require_safe
@whole_gate("read", page=PAGE)
def backtests(request: HttpRequest) -> HttpResponse:
    """What was asked so far, and a form to ask anew."""
    return render(request, "review/backtests.html", _list_words(request))


def _list_words(request: HttpRequest, typed: Mapping[str, str] | None = None, fault: str = "") -> dict[str, Any]:
    book = book_of(request)
    found = list(Backtest.objects.select_related("asked_by").defer("report")[:KEPT_SHOWN])
    rows = [line_of(one) for one in found]
    return {
        "book": book, "rows": rows, "busy": any(row["state"] in ("waiting", "running") for row in rows), "fault": fault, "typed": typed or {},
        "may_start": may(request.user, "decide") and not request.viewpoint.query, "mark": secrets.token_hex(16),  # type: ignore[attr-defined]
        "definitions": [(name, definition_name(name)) for name in definitions_of(book)], "segments": [(name, say(f"backtest.segment_{name}")) for name in SEGMENTS],
        "figures": [figure_name(name) for name in LISTED],
    }  # fmt: skip


@require_POST
@whole_gate("decide", page=PAGE)
def start(request: HttpRequest) -> HttpResponse:
    """Ask for a backtest: kept with what was asked, and put among the jobs, once however often the form is sent."""
    form = request.POST
    try:
        options = options_of(form, book_of(request))
    except DuecourseError as error:
        return render(request, "review/backtests.html", _list_words(request, form, error.message()), status=422)
    except ValueError as error:
        return render(request, "review/backtests.html", _list_words(request, form, str(error)), status=422)
    one = begin(request, options, (form.get("mark") or secrets.token_hex(16))[:40])
    messages.success(request, say("web.review_started"))
    return HttpResponseRedirect(reverse("review_backtest", args=[one.pk]))


def begin(request: HttpRequest, options: Mapping[str, Any], mark: str) -> Backtest:
    """The backtest and its job, in one transaction; the one there is already where the mark is known."""
    person = person_of(request)
    try:
        with transaction.atomic():
            one: Backtest = Backtest.objects.create(mark=mark, asked_by=person, options=dict(options))
            one.job_id = enqueue(BACKTEST, key=f"backtest {one.pk}", person=person, number=one.pk).pk
            one.save(update_fields=["job_id"])
            record(request, "backtest.start", "backtest", one.pk, **{name: options[name] for name in ("name", "share", "segment")})
    except IntegrityError:
        return get_object_or_404(Backtest, mark=mark)
    return one


def options_of(form: Mapping[str, str], book: Book) -> dict[str, Any]:
    """What a form asks for. Raises ValueError with the sentence that says what is wrong, RuleInvalidError or WarningRulesInvalidError for what cannot be."""

    def day(name: str) -> str:
        text = form.get(name, "").strip()
        try:
            return date.fromisoformat(text).isoformat() if text else ""
        except ValueError:
            raise ValueError(say("web.review_wrong_day", value=text[:40])) from None

    since, until = day("since"), day("until")
    if since and until and since > until:
        raise ValueError(say("web.review_wrong_span"))
    share = _number(form.get("share", "1"), 0.01, 100, "web.review_wrong_share") / 100
    analysts = _number(form.get("analysts", "1"), 0.1, 1000, "web.review_wrong_analysts")
    name, segment = form.get("name", DEFAULT), form.get("segment", SEGMENTS[0])
    definition(name, book.settings)
    if segment not in SEGMENTS:
        raise ValueError(say("web.review_wrong_segment"))
    return {
        "since": since, "until": until, "share": share, "name": name, "analysts": analysts, "segment": segment, "recorded": form.get("recorded") == "on",
        "sets": _sets(form),
    }  # fmt: skip


def _number(text: str, least: float, most: float, fault: str) -> float:
    try:
        number = float(text.strip().replace(",", "."))
    except ValueError:
        number = float("nan")
    if not least <= number <= most:  # NaN is neither
        raise ValueError(say(fault, value=text[:40]))
    return number


def _sets(form: Mapping[str, str]) -> dict[str, Any]:
    """One further set of thresholds of the plain rules, to be compared."""
    text = form.get("rules", "").strip()
    if not text:
        return {}
    try:
        stated: dict[str, Any] = {**json.loads(text[:100_000])}
    except (ValueError, TypeError):
        raise ValueError(say("web.review_wrong_rules")) from None
    rules_v1.shipped().changed(stated)  # raises WarningRulesInvalidError for what cannot be
    return {" ".join(form.get("rules_name", "").split())[:40] or say("web.review_rules_unnamed"): stated}


# --- one backtest -----------------------------------------------------------------------------------------------------------------------------


@require_safe
@whole_gate("read", page=PAGE)
def backtest(request: HttpRequest, pk: int) -> HttpResponse:
    """Its report; how far it is, where it has none yet."""
    one = get_object_or_404(Backtest.objects.select_related("asked_by"), pk=pk)
    words = {"book": book_of(request), "line": line_of(one), "one": one, "run": one.job, "may_jobs": may(request.user, "jobs")}
    if one.report is None:
        return render(request, "review/backtest_running.html", words)
    return render(request, "review/backtest.html", {**words, **_report_words(request, one)})


@require_safe
@whole_gate("read", page=PAGE)
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is; once it has ended the page is drawn anew."""
    one = get_object_or_404(Backtest.objects.defer("report"), pk=pk)
    answer = render(
        request, "review/_progress.html", {"one": one, "line": line_of(one), "run": one.job, "may_jobs": may(request.user, "jobs")}
    )
    if state_of(one) not in ("waiting", "running"):
        answer["HX-Refresh"] = "true"
    return answer


def _report_words(request: HttpRequest, one: Backtest) -> dict[str, Any]:
    found: dict[str, Any] = one.report or {}
    book = book_of(request)
    headline, lots = found["rivals"][found["headline"]]["figures"], found["rivals"]["random"]["figures"]
    buyers = {row["buyer_id"] for name in ("misses", "false_alarms") for row in found[name][:SHOWN]}
    names = names_of(book, buyers)
    misses, alarms = (telling.listed({**found, name: found[name][:SHOWN]}, name, names) for name in ("misses", "false_alarms"))
    periods = {name: row for name, row in found["calibration"].get(found["headline"], {}).items() if row["rows"]}
    other = _other(request, one)
    days = {name: format_html('<span class="nowrap">{}</span>', found[name]) for name in ("since", "until")}
    return {
        "found": found, "heading": format_html(say("web.review_heading", since="{since}", until="{until}"), **days), "known": set(names), "currency": found["currency"],
        "lede": say(
            "web.review_lede", defaults=f"{found['defaults']:,}", caught=percent(headline["recall_90"][0]), share=f"{found['share']:.2%}",
            right=percent(headline["precision"][0]), lots=percent(lots["recall_90"][0]), lots_right=percent(lots["precision"][0]),
        ) if found["defaults"] else say("backtest.note_none"),
        "tiles": [_tile(name, headline[name], lots[name][0]) for name in TILES],
        "leads": charts.leads(found["leads"][found["headline"]]), "lead_words": _lead_words(headline), "headline": rival_name(found["headline"]),
        "rivals": telling.rivals(found), "segments": telling.segments(found), "strata": telling.strata(found), "trade_off": telling.trade_off(found),
        "curve": charts.trade_off(found), "calibration": telling.calibration(periods, say("backtest.col_period")) if periods else None,
        "calibration_chart": charts.calibration(periods, say("backtest.col_period")) if periods else None,
        "misses": misses, "misses_counted": found["misses_counted"], "alarms": alarms, "alarms_counted": found["false_alarms_counted"], "shown": SHOWN,
        "notes": notes_of(found), "definition": definition_note(found), "guarded": ", ".join(found["guarded"]),
        "short": sum(said.get("worst_so_far", 0) for said in found["bases"].values()),
        "others": [line_of(each) for each in Backtest.objects.exclude(pk=one.pk).exclude(finished_at=None).defer("report")[:KEPT_SHOWN]], "other": other,
        "compared": _compared(one, other) if other else [], "may_export": may(request.user, "export"), "stale": one.ledger_version != book.version,
        "files": [(name, telling.file_section(found, name).title) for name in telling.TABLES if name != "strata" or telling.strata(found).rows],
    }  # fmt: skip


def _tile(name: str, figure: Sequence[float | None], lots: float | None) -> dict[str, str]:
    value, low, high = figure
    under = [
        figure_range(name, low, high),
        say("web.review_lots", value=figure_text(name, lots)) if name != "alerts_per_analyst_day" else "",
    ]
    return {"name": figure_name(name), "value": figure_text(name, value), "under": " · ".join(part for part in under if part)}


def _lead_words(figures: Mapping[str, Sequence[float | None]]) -> str:
    value = {name: figures[name][0] for name in FIGURES}
    if value["lead_median"] is None:
        return say("web.review_lead_none")
    days: dict[str, Any] = {name: figure_text(name, value[name]) for name in ("lead_lower_quartile", "lead_median", "lead_upper_quartile")}
    return say("web.review_lead_words", three=interval(figures["lead_share_90"]), six=interval(figures["lead_share_180"]), **days)


def _other(request: HttpRequest, one: Backtest) -> Backtest | None:
    wanted = request.GET.get("with", "")
    if not wanted.isdecimal() or len(wanted) > 15:
        return None
    return Backtest.objects.exclude(pk=one.pk).exclude(finished_at=None).filter(pk=int(wanted)).first()


def _compared(one: Backtest, other: Backtest) -> list[dict[str, Any]]:
    """The headline's figures of two backtests beside each other, and whether their intervals part."""
    found, before = one.report or {}, other.report or {}
    mine, theirs = (each["rivals"][each["headline"]]["figures"] for each in (found, before))
    rows = []
    for name in FIGURES:
        (now, low, high), (then, low_then, high_then) = mine[name], theirs[name]
        apart = None not in (low, high, low_then, high_then) and (low > high_then or high < low_then)
        rows.append(
            {
                "name": figure_name(name), "then": figure_text(name, then), "then_range": figure_range(name, low_then, high_then), "now": figure_text(name, now),
                "now_range": figure_range(name, low, high), "word": say("web.review_apart" if apart else "web.review_not_apart"), "look": "warn" if apart else "off",
            }
        )  # fmt: skip
    return rows


@require_safe
@whole_gate("export", page=PAGE)
def table_file(request: HttpRequest, pk: int, table: str, form: str) -> Any:
    """One table of the report as a file."""
    one = get_object_or_404(Backtest.objects.exclude(finished_at=None), pk=pk)
    if table not in telling.TABLES or form not in FORMS:
        raise Http404
    section = telling.file_section(one.report or {}, table)
    rows = list(section.rows)
    book = books.ledger().as_of(one.book_on or book_of(request).on)
    return file_of(
        request, book, checked_form(form, len(rows)), f"backtest-{pk}-{table}", section.title, section.columns, iter(rows), len(rows)
    )
