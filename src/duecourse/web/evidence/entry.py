"""Accounts typed in by hand: checked while one types, entered once, corrected by entering them again.  录入财务报表"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from duecourse.desk.posting import Post, commit, new_batch_id, tables_of
from duecourse.errors import DuecourseError
from duecourse.findings import Severity
from duecourse.intake.statements import Account, StatementOptions, StatementsRead, import_statements, typed_statements
from duecourse.intake.statements.labels import number
from duecourse.ledger.entries import STATEMENT_ITEMS
from duecourse.messages import say
from duecourse.money import exponent
from duecourse.reference.currencies import CURRENCIES
from duecourse.tables import named
from duecourse.web import books
from duecourse.web.accounts.access import gate
from duecourse.web.accounts.audit import record
from duecourse.web.books import book_of
from duecourse.web.evidence import wording
from duecourse.web.evidence.statements import may_enter, opinion_words, seen_statements

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponse

    from duecourse.desk.statements import Period, Statements

UNITS: Final = (1, 1_000, 10_000, 1_000_000, 100_000_000)
USUAL: Final = ("CNY", "USD", "EUR", "GBP", "JPY", "HKD")
OPINIONS: Final = ("unqualified", "qualified", "adverse", "disclaimer", "going_concern")
STANDARDS: Final = ("CAS", "IFRS", "US_GAAP")
FIRST_YEAR: Final = 1990
MONTHS: Final = 24
WAIT_SECONDS: Final = 20.0


@dataclass
class Typed:
    """A form of accounts as it was filled in, and what of it cannot be right: field -> sentence."""

    said: Mapping[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    account: Account = field(default_factory=Account)
    options: StatementOptions = field(default_factory=StatementOptions)

    @classmethod
    def of(cls, said: Mapping[str, str], today: date) -> Typed:
        """Read a form; nothing that was typed is lost, whatever it is."""
        typed = cls({name: value.strip() for name, value in said.items()})
        end = typed.day("period_end", needed=True)
        published = typed.day("published_on", needed=False)
        if end and end > today:
            typed.errors["period_end"] = say("web.statements_bad_future")
        if end and published and published < end:
            typed.errors["published_on"] = say("web.statements_bad_published")
        months = typed.said.get("period_months", "")
        if not months.isdecimal() or not 1 <= int(months) <= MONTHS:
            typed.errors["period_months"] = say("web.statements_bad_months")
        currency = typed.said.get("currency", "").upper()
        if currency not in CURRENCIES:
            typed.errors["currency"] = say("web.statements_bad_currency")
        unit = typed.said.get("unit", "1")
        typed.account = Account(
            period_end=end,
            standard=typed.said.get("standard", "") if typed.said.get("standard") in STANDARDS else "",
            opinion=typed.said.get("opinion", "") if typed.said.get("opinion") in OPINIONS else "",
        )
        for item in STATEMENT_ITEMS:
            text = typed.said.get(f"line-{item}", "")
            if text:
                value = number(text)
                if value is None:
                    typed.errors[f"line-{item}"] = say("web.statements_bad_number", value=text)
                else:
                    typed.account.values[item] = value
        if not typed.account.values and not typed.errors:
            typed.errors["line-total_assets"] = say("web.statements_bad_empty")
        typed.options = StatementOptions(
            currency=currency,
            unit=int(unit) if unit.isdecimal() and int(unit) in UNITS else 1,
            period_months=int(months) if months.isdecimal() else None,
            published_on=published,
            received_on=today,
            audited={"yes": True, "no": False}.get(typed.said.get("audited", "")),
            consolidated=typed.said.get("consolidated") == "yes",
        )
        return typed

    def day(self, name: str, *, needed: bool) -> date | None:
        """A day of the form."""
        text = self.said.get(name, "")
        try:
            found = date.fromisoformat(text) if text else None
        except ValueError:
            found = None
            self.errors[name] = say("web.statements_bad_day", value=text)
        if found and found.year < FIRST_YEAR:
            self.errors[name] = say("web.statements_bad_day", value=text)
        if needed and not text:
            self.errors[name] = say("web.statements_bad_missing")
        return found

    def read(self, buyer_id: str) -> StatementsRead | None:
        """As they would be entered, with what was found; None while something cannot be read at all."""
        needed = {"period_end", "period_months", "currency"}
        if needed & self.errors.keys():
            return None
        options = StatementOptions(**{**self.options.__dict__, "buyer_id": buyer_id})
        return typed_statements([self.account], options, ledger=books.ledger())


@gate("propose")
@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: HttpRequest, buyer_id: str) -> HttpResponse:
    """The form: empty, or with the accounts one wants to correct; sent in, they are entered or the form comes back as it was filled in."""
    found = _seen(request, buyer_id)
    today = datetime.now(UTC).date()
    if request.method != "POST":
        return _form(request, found, Typed(_prefilled(request, found, today)))
    typed = Typed.of(request.POST.dict(), today)
    read = typed.read(buyer_id) if not typed.errors else None
    if read is None or not read.rows:
        return _form(request, found, typed, read)
    if any(one.severity == Severity.ERROR for one in read.findings) and request.POST.get("sure") != "yes":
        return _form(request, found, typed, read, ask=True)
    try:
        done = import_statements(books.ledger(), read, note="statement form")
    except DuecourseError as error:
        messages.error(request, error.message())
        return _form(request, found, typed, read)
    record(request, "statement.enter", "buyer", buyer_id, batch=done.batch_id, period=str(read.rows[0]["period_end"]))
    changed = sum(done.added.values()) + sum(done.corrected.values())
    messages.success(request, say("web.statements_entered" if changed else "web.statements_unchanged", day=read.rows[0]["period_end"]))
    return HttpResponseRedirect(reverse("buyer_statements", args=[buyer_id]))


@require_POST
@gate("propose")
def check(request: HttpRequest, buyer_id: str) -> HttpResponse:
    """What is wrong or doubtful so far: asked for while one types."""
    _seen(request, buyer_id)
    typed = Typed.of(request.POST.dict(), datetime.now(UTC).date())
    return render(request, "evidence/_check.html", _check_words(typed, typed.read(buyer_id)))


@require_POST
@gate("propose")
def withdraw(request: HttpRequest, buyer_id: str) -> HttpResponse:
    """Accounts that were entered for the wrong period or buyer no longer count; books of before keep them."""
    found = _seen(request, buyer_id)
    period = _asked_for(request.POST, found)
    reason = " ".join(request.POST.get("reason", "").split())[:300]
    if period is None:
        raise Http404
    if not reason:
        messages.error(request, say("web.statements_reason"))
    else:
        row = {**period.about, **period.lines, "voided": True}
        post = Post(new_batch_id(datetime.now(UTC)), tables_of([("statement", row)]), note="statement withdrawn", facts={"reason": reason})
        try:
            commit(books.ledger(), [post], wait_seconds=WAIT_SECONDS)
        except DuecourseError as error:
            messages.error(request, error.message())
        else:
            record(
                request, "statement.withdraw", "buyer", buyer_id, batch=post.batch_id, period=str(period.about["period_end"]), reason=reason
            )
            messages.success(request, say("web.statements_withdrawn", day=period.about["period_end"]))
    return HttpResponseRedirect(reverse("buyer_statements", args=[buyer_id]))


def _seen(request: HttpRequest, buyer_id: str) -> Statements:
    """The buyer's accounts as known now; 404 for a buyer that may not be seen."""
    return seen_statements(book_of(request), buyer_id)


def _asked_for(said: Mapping[str, str], found: Statements) -> Period | None:
    wanted = said.get("period", ""), said.get("months", ""), said.get("consolidated", "")
    return next((one for one in found.periods if (str(one.key[0]), str(one.key[1]), str(int(one.key[2]))) == wanted), None)


def _key_of(request: HttpRequest, found: Statements) -> tuple[str, int, int] | None:
    """The accounts the form was opened on, for the button that withdraws them."""
    period = _asked_for(request.GET, found)
    return (period.key[0].isoformat(), period.key[1], int(period.key[2])) if period else None


def _prefilled(request: HttpRequest, found: Statements, today: date) -> dict[str, str]:
    """The accounts to correct, or of new ones what the buyer's last had in common with them."""
    period = _asked_for(request.GET, found)
    last = period or (found.periods[0] if found.periods else None)
    about = last.about if last else {}
    said = {
        "period_months": str(about.get("period_months") or 12),
        "currency": about.get("currency") or found.profile.get("currency") or ("CNY" if found.profile.get("country") == "CN" else ""),
        "standard": about.get("standard") or ("CAS" if found.profile.get("country") == "CN" else ""),
        "consolidated": "yes" if about.get("consolidated") else "",
        "unit": "1" if period or found.profile.get("country") != "CN" else "10000",
        "published_on": str(today),
    }
    if period is None:
        return said
    audited = about["audited"]
    said |= {
        "period_end": str(about["period_end"]), "published_on": str(about["published_on"]), "opinion": about["opinion"] or "",
        "audited": "" if audited is None else "yes" if audited else "no",
    }  # fmt: skip
    digits = exponent(about["currency"])
    return said | {f"line-{item}": f"{value / 10**digits:.{digits}f}" for item, value in period.lines.items() if value is not None}


def _form(
    request: HttpRequest, found: Statements, typed: Typed, read: StatementsRead | None = None, *, ask: bool = False
) -> HttpResponse:  # fmt: skip
    said = typed.said
    profile = named(found.profile)
    sheets = [
        (
            say(f"web.statements_sheet_{sheet}"),
            [
                {
                    "name": f"line-{item}", "title": wording.line(item), "value": said.get(f"line-{item}", ""),
                    "error": typed.errors.get(f"line-{item}", ""), "is_total": item in wording.TOTALS,
                }
                for item in items
            ],
        )
        for sheet, items in wording.SHEETS.items()
    ]  # fmt: skip
    words = {
        "buyer_id": found.buyer_id,
        "name": profile.get("name") or found.buyer_id,
        "said": said,
        "errors": typed.errors,
        "sheets": sheets,
        "units": [(str(unit), say(f"web.statements_unit_{unit}")) for unit in UNITS],
        "usual": USUAL,
        "currencies": [code for code in CURRENCIES if code not in USUAL],
        "opinions": [(opinion, opinion_words(opinion)) for opinion in OPINIONS],
        "standards": [(one, one.replace("_", " ")) for one in STANDARDS],
        "may_enter": may_enter(request),
        "ask": ask,
        "correcting": _key_of(request, found),
        **_check_words(typed, read),
    }
    return render(request, "evidence/enter.html", words, status=422 if request.method == "POST" else 200)


def _check_words(typed: Typed, read: StatementsRead | None) -> dict[str, Any]:
    """Does the balance sheet balance, and what else is to be said."""
    values = typed.account.values
    assets, owed, equity = (values.get(name) for name in ("total_assets", "total_liabilities", "total_equity"))
    balance = None
    if assets is not None and owed is not None and equity is not None:
        gap = assets - owed - equity
        balance = {"sides": (f"{assets:,.2f}", f"{owed + equity:,.2f}"), "gap": f"{gap:+,.2f}", "even": abs(gap) < 0.005}
    return {
        "balance": balance,
        "filled": len(values),
        "faults": [] if not typed.account.values and not typed.errors else sorted(set(typed.errors.values())),
        "found": wording.finding_rows(read.findings) if read else [],
    }
