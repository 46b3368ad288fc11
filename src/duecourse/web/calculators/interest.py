"""The interest calculator: a sum, a due date, a day, and who the parties are; every rule that could apply with its segments.  逾期利息计算器"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeVar

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from duecourse.cover.late_interest.agreed import read_rate
from duecourse.cover.late_interest.applicable import SIZES, Party
from duecourse.cover.late_interest.rates import Happened
from duecourse.desk.interest_calculator import Ask, formula, percent, segment_rows, typed_payments, variant_words, work_out
from duecourse.desk.late_interest import own_party
from duecourse.desk.reference_rates import ENTERED_KINDS, SERIES, newest, rates_of, set_rate, withdraw_rate
from duecourse.errors import DuecourseError
from duecourse.messages import say
from duecourse.money import NO_CURRENCY, decimal_string, format_money, to_minor
from duecourse.reference.countries import COUNTRIES
from duecourse.reference.currencies import CURRENCIES
from duecourse.reference.interest_regimes import AS_OF, REGIMES, worded
from duecourse.tables import Column, Money, Section
from duecourse.web import books
from duecourse.web.accounts.access import gate, may
from duecourse.web.accounts.audit import record
from duecourse.web.books import book_of
from duecourse.web.calculators.beside import tabs
from duecourse.web.imports.wording import typed_amount

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from django.http import HttpRequest, QueryDict

    from duecourse.cover.late_interest.claim import Reckoned
    from duecourse.desk.interest_calculator import Answer
    from duecourse.ledger.book import Book

Read = TypeVar("Read")

EVENTS: Final = ("demand", "suit", "served", "judgment")
SEGMENT: Final = ("rule", "start", "end", "days", "base_minor", "capitalised", "rate", "reference", "interest")
KINDS: Final[Mapping[str, Any]] = {
    "start": "date", "end": "date", "days": "count", "base_minor": "money", "interest": "ratio", "rate": "ratio", "capitalised": "ratio",
}  # fmt: skip
FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass
class Typed:
    """What stands in the form, with what is wrong about it."""

    said: dict[str, str]
    faults: dict[str, str] = field(default_factory=dict)

    def day(self, name: str) -> date | None:
        """A day of the form; None where it is empty or none."""
        text = self.said.get(name, "")
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            self.faults[name] = say("web.interest_day_wrong", text=text)
            return None

    def party(self, name: str) -> Party:
        """A party of the form."""
        code, size = self.said.get(name, "").upper(), self.said.get(f"{name}_size", "")
        return Party(code if code in COUNTRIES else "", size if size in SIZES else "")


@require_safe
@gate("read")
def calculator_interest(request: HttpRequest) -> HttpResponse:
    """The form, and beside it what was found. Nothing is kept. `export=csv` gives the statement of claim as a file."""
    book = book_of(request)
    typed, ask = _typed(request.GET, book)
    found: Answer | None = None
    if ask is not None:
        try:
            found = work_out(ask, rates_of(book))
        except DuecourseError as error:
            typed.faults["regime" if ask.regime else "amount"] = error.message()
    if found is not None and request.GET.get("export") == "csv":
        return _csv(found)
    words: dict[str, Any] = {
        "book": book,
        "typed": typed,
        "found": _answer_words(found) if found else None,
        "export": _export_address(request),
    }
    if request.headers.get("HX-Request") and request.headers.get("HX-Target") == "answer":
        return render(request, "calculators/_interest.html", words)
    words |= {
        "tabs": tabs(request), "countries": sorted(((one.alpha2, one.name()) for one in COUNTRIES.values()), key=lambda pair: pair[1].casefold()),
        "currencies": [code for code, one in sorted(CURRENCIES.items()) if not one.withdrawn],
        "sizes": [(size, say(f"interest.size_{size}")) for size in SIZES], "rules": _rules(), "events": [(one, say(f"web.interest_event_{one}")) for one in EVENTS],
    }  # fmt: skip
    return render(request, "calculators/interest.html", words, status=422 if typed.faults else 200)


def _rules() -> list[tuple[str, list[tuple[str, str]]]]:
    """The rules by country, with their variants: for a select."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for base in REGIMES.values():
        place = COUNTRIES.get(base.jurisdiction)
        group = groups.setdefault(place.name() if place else base.jurisdiction, [])
        for rule in (base, *(base.with_variant(name) for name, _ in base.variants)):
            group.append((rule.code, rule.name() + (f" · {variant_words(rule.variant)}" if rule.variant else "") + f" ({formula(rule)})"))
    return sorted(groups.items(), key=lambda one: one[0].casefold())


def _typed(asked: QueryDict, book: Book) -> tuple[Typed, Ask | None]:
    """The form as it was sent; what it asks, None where nothing was asked or something is wrong."""
    own, _ = own_party(book.settings)
    base = book.base_currency
    said = {
        "currency": "" if base == NO_CURRENCY else base,
        "creditor": own.country,
        "creditor_size": own.size,
        "until": book.on.isoformat(),
    }
    typed = Typed({**said, **{name: str(value).strip() for name, value in asked.items()}})
    said = typed.said
    if not said.get("amount") and not said.get("due"):
        return typed, None
    currency = said["currency"].upper()
    minor = _amount(typed, currency)
    due, until = _needed(typed, "due"), _needed(typed, "until")
    if due and until and until < due:
        typed.faults["until"] = say("web.interest_until_wrong")
    days = {name: typed.day(name) for name in (*EVENTS, "signed")}
    agreed = _read(typed, "agreed", read_rate)
    payments = _read(typed, "payments", lambda text: typed_payments(text, currency)) if "currency" not in typed.faults else None
    if typed.faults or due is None or until is None:
        return typed, None
    law = said.get("law", "").upper()
    happened = Happened(days["demand"], days["suit"], days["served"], days["judgment"], days["signed"])
    return typed, Ask(
        minor, currency, due, until, payments or (), said.get("regime", ""), typed.party("creditor"), typed.party("debtor"), law if law in COUNTRIES else "",
        agreed, days["signed"], said.get("pay_when_paid") == "on", happened, said.get("head_only") != "on",
    )  # fmt: skip


def _needed(typed: Typed, name: str) -> date | None:
    found = typed.day(name)
    if found is None:
        typed.faults.setdefault(name, say("web.interest_day_missing"))
    return found


def _amount(typed: Typed, currency: str) -> int:
    """The amount in minor units; 0 with a fault where it is none."""
    if currency not in CURRENCIES:
        typed.faults["currency"] = (
            say("web.interest_currency_wrong", text=currency[:10]) if currency else say("web.interest_currency_missing")
        )
        return 0
    text = typed.said.get("amount", "")
    amount = typed_amount(text)
    if amount is None or amount <= 0:
        typed.faults["amount"] = say("web.interest_amount_wrong", text=text[:40])
        return 0
    return _read(typed, "amount", lambda _text: to_minor(amount, currency)) or 0


def _read(typed: Typed, name: str, read: Callable[[str], Read]) -> Read | None:
    """A field read by a function that refuses what it cannot read; None where it is empty or refused."""
    text = typed.said.get(name, "")
    try:
        return read(text) if text else None
    except DuecourseError as error:
        typed.faults[name] = error.message()
        return None


def _heads(names: Sequence[str]) -> list[Column]:
    return [Column(name, KINDS.get(name, "text"), heading=say(f"cli.interest_col_{name}")) for name in names]


def _claimed(found: Answer) -> list[Reckoned]:
    return [one for one in (found.claim.chosen, *found.claim.additional) if one is not None and one.accrual is not None]


def _rows(found: Answer) -> list[dict[str, Any]]:
    return segment_rows(
        [(one.candidate.code, each) for one in _claimed(found) for each in (one.accrual.segments if one.accrual else ())],
        found.ask.currency,
    )


def _answer_words(found: Answer) -> dict[str, Any]:
    """The answer in words: figures, the statement, the candidates, what it rests on."""
    currency, chosen = found.ask.currency, found.claim.chosen
    rows = _rows(found)
    several = len({row["rule"] for row in rows}) > 1
    names = [name for name in SEGMENT if (name != "capitalised" or any(row["capitalised"] for row in rows)) and (name != "rule" or several)]
    segments = Section(
        "segments", say("cli.interest_segments"), _heads(names), [{**row, "base_minor": Money(row["base_minor"], currency)} for row in rows]
    )
    daily = sum(one.accrual.daily_minor for one in _claimed(found) if one.accrual)
    open_minor = chosen.accrual.principal_minor if chosen and chosen.accrual else found.owing.unpaid_on(found.ask.until)
    fixed = chosen.fixed if chosen else None
    total = None
    if chosen and (fixed is None or fixed.currency == currency):
        total = format_money(open_minor + found.claim.interest_minor + (fixed.amount_minor if fixed else 0), currency)
    rule = chosen.candidate.rule if chosen else None
    return {
        "chosen": chosen.candidate.code if chosen else "", "interest": format_money(found.claim.interest_minor, currency) if chosen else "",
        "open": format_money(open_minor, currency), "daily": format_money(daily, currency),
        "fixed": format_money(fixed.amount_minor, fixed.currency) if fixed else "", "fixed_why": fixed.why.words() if fixed and fixed.why else "", "total": total,
        "days": chosen.accrual.days if chosen and chosen.accrual else 0, "segments": segments if rows else None,
        "candidates": [_candidate_words(one, currency) for one in found.claim.reckoned], "refused": found.claim.refused.words() if found.claim.refused else "",
        "why_law": found.why_law.words() if found.why_law else "", "cautions": [one.words() for one in chosen.candidate.cautions] if chosen else [],
        "name": rule.name() if rule else say("interest.formula_agreed"), "sources": "; ".join(rule.sources) if rule else "",
        "confidence": chosen.candidate.confidence if chosen else "", "notes": [worded(one) for one in (*rule.caps, *rule.notes)] if rule else [], "as_of": AS_OF,
        "own": any(row["reference"].endswith("*") for row in rows),
    }  # fmt: skip


def _candidate_words(one: Reckoned, currency: str) -> dict[str, Any]:
    candidate = one.candidate
    return {
        "code": candidate.code, "name": candidate.rule.name() if candidate.rule else say("interest.formula_agreed"),
        "standing": say(f"interest.standing_{candidate.standing}"), "kind": {"applies": "good", "additional": "good", "doubtful": "warn"}.get(candidate.standing, "info"),
        "interest": format_money(one.interest_minor, currency) if one.accrual else "", "confidence": candidate.confidence,
        "why": one.refused.words() if one.refused else " ".join(each.words() for each in (*candidate.reasons, *candidate.cautions)),
    }  # fmt: skip


def _export_address(request: HttpRequest) -> str:
    query = request.GET.copy()
    query["export"] = "csv"
    return f"{reverse('calculator_interest')}?{query.urlencode()}"


def _csv(found: Answer) -> HttpResponse:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([say(f"cli.interest_col_{name}") for name in SEGMENT] + ["currency"])
    for row in _rows(found):
        shown = [Money(row["base_minor"], row["currency"]) if name == "base_minor" else row[name] for name in SEGMENT]
        cells = [decimal_string(one.minor, one.currency) if isinstance(one, Money) else str(one) for one in shown]
        writer.writerow([f"'{one}" if one.startswith(FORMULA_SIGNS) else one for one in (*cells, row["currency"])])
    answer = HttpResponse("\ufeff" + stream.getvalue(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="late-interest.csv"'
    return answer


# --- reference rates ----------------------------------------------------------------------------------------------------------------------


@require_safe
@gate("read")
def calculator_rates(request: HttpRequest) -> HttpResponse:
    """Which reference rates are known, how long they are good for, and which rules wait for one."""
    return render(request, "calculators/rates.html", _rate_words(request))


def _rate_words(request: HttpRequest, fault: str = "") -> dict[str, Any]:
    from fractions import Fraction  # noqa: PLC0415 — one line needs it

    book = book_of(request)
    rows = [
        {
            "one": one,
            "rate": percent(Fraction(one.rate)) if one.rate is not None else "",
            "rules": ", ".join(one.rules[:6]) + (" …" if len(one.rules) > 6 else ""),
        }
        for one in newest(book)
    ]
    return {
        "book": book, "tabs": tabs(request), "known": [row for row in rows if row["rate"]], "missing": [row for row in rows if not row["rate"]], "fault": fault,
        "typed": request.POST, "series": list(SERIES), "kinds": [(one, say(f"web.interest_kind_{one}")) for one in ENTERED_KINDS],
        "today": f"{datetime.now(UTC):%Y-%m-%d}", "may_change": may(request.user, "settings") and not request.viewpoint.query,  # type: ignore[attr-defined]
    }  # fmt: skip


@require_POST
@gate("settings")
def calculator_rate_set(request: HttpRequest) -> HttpResponse:
    """Keep one reference rate typed in by hand, or take one back."""
    form = request.POST
    person: Any = request.user
    series, drop = form.get("series", "").strip().upper(), form.get("drop") == "yes"
    try:
        day = date.fromisoformat(form.get("since", ""))
        if drop:
            withdraw_rate(books.ledger(), series, day, by=person.username)
        else:
            rate = typed_amount(form.get("rate", "").replace("%", ""))
            if rate is None:
                raise ValueError  # noqa: TRY301 — worded below, like a day that is none
            set_rate(
                books.ledger(),
                series,
                day,
                Decimal(rate).scaleb(-2),
                kind=form.get("kind", ""),
                source=form.get("source", ""),
                by=person.username,
            )
    except ValueError:
        return render(request, "calculators/rates.html", _rate_words(request, say("web.interest_rate_wrong")), status=422)
    except DuecourseError as error:
        return render(request, "calculators/rates.html", _rate_words(request, error.message()), status=422)
    record(request, "settings.change", "setting", f"reference_rate {series} {day}", rate="" if drop else form.get("rate", ""))
    messages.success(request, say("web.interest_rate_dropped" if drop else "web.interest_rate_kept", series=series, day=day))
    return HttpResponseRedirect(reverse("calculator_rates"))
