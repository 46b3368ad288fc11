"""The forms of a letter: each parses what was typed, does one act, and shows the letter again."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from duecourse.actions.letters import KINDS, LANGUAGES_OF
from duecourse.actions.letters.facts import CHANNELS, Document, PlanInstalment
from duecourse.desk.buyer_page import Facts
from duecourse.desk.letters import GUARANTEES, Wanted, letter_facts, reminder_ahead
from duecourse.errors import AmountInexactError, BuyerUnknownError, CurrencyUnknownError, DuecourseError
from duecourse.ledger.entries import SECURITY
from duecourse.messages import say
from duecourse.money import NO_CURRENCY, format_money, to_minor
from duecourse.web.accounts.access import gate
from duecourse.web.accounts.audit import record
from duecourse.web.books import book_of
from duecourse.web.imports.wording import typed_amount
from duecourse.web.letters import making, posting, sending
from duecourse.web.letters.attachments import LARGEST, UnfitError
from duecourse.web.letters.pages import languages, letter_words
from duecourse.web.letters.telling import letter_of, names_of
from duecourse.web.refusals import NotNowError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.http import HttpRequest

    from duecourse.ledger.book import Book
    from duecourse.web.letters.models import Letter

MOST: Final = 500
"""Invoices a form offers."""


class TypedError(ValueError):
    """What was typed cannot be read; `code` names the sentence that says so."""

    def __init__(self, code: str, **args: object) -> None:
        self.code, self.args_ = code, args
        super().__init__(code)


# --- a new letter ---------------------------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@gate("propose")
def buyer_letter(request: HttpRequest, buyer_id: str) -> HttpResponse:
    """Choose what a letter to this buyer is, see what it would lack, and draw it up."""
    book = book_of(request)
    if request.method != "POST":
        return render(request, "letters/new.html", _new_words(book, buyer_id, request.GET))
    form = request.POST
    try:
        items = _items(form.getlist("invoice"))
        wanted = wanted_from(form, _currency(book, buyer_id, items), buyer_id)
        made, new = making.draft(request, book, buyer_id, items, _fitting(book, buyer_id, items, wanted))
    except BuyerUnknownError as error:
        raise Http404 from error
    except (TypedError, DuecourseError) as error:
        fault = say(error.code, None, **error.args_) if isinstance(error, TypedError) else error.message()
        return render(request, "letters/new.html", _new_words(book, buyer_id, form, fault), status=422)
    messages.success(request, say("web.letters_drafted" if new else "web.letters_there_is_one"))
    return HttpResponseRedirect(reverse("letter", args=[made.pk]))


def _new_words(book: Book, buyer_id: str, form: Any, fault: str = "") -> dict[str, Any]:
    names = names_of(book, [buyer_id])
    facts = Facts(book, buyer_id)
    if buyer_id not in names and not facts.invoice.num_rows:
        raise Http404
    rows = _offered(book, facts, set(form.getlist("invoice")))
    late = any(one["days"] > 0 for one in rows)
    kind = form.get("kind") if form.get("kind") in KINDS else "demand_letter" if late else "reminder"
    guesses: dict[str, Any] = {}
    with suppress(DuecourseError):  # what cannot be guessed is left to be typed
        to = letter_facts(book, buyer_id, None, Wanted("reminder")).facts.recipient
        guesses = {"address": to.address, "email": to.email}
    securities = [
        row
        for row in book.also_about(buyer_id, SECURITY)[SECURITY.name].to_pylist()
        if row["kind"] in GUARANTEES and row["released_on"] is None
    ]
    return {
        "book": book, "buyer_id": buyer_id, "name": names.get(buyer_id, buyer_id), "invoices": rows[:MOST], "late": late, "soon": any(one["days"] <= 0 for one in rows), "kinds": languages(), "kind": kind, "form": form, "fault": fault,
        "guesses": guesses, "channels": [(one, say(f"letters.channel_{one}")) for one in CHANNELS], "securities": securities, "all_languages": [(one, say(f"letters.language_{one}")) for one in LANGUAGES_OF["demand_letter"]],
    }  # fmt: skip


def _offered(book: Book, facts: Facts, chosen: set[str]) -> list[dict[str, Any]]:
    """What a letter can be about: what is late, and what falls due within the days of the reminder before the due date. The latter is chosen where nothing is late."""
    step = reminder_ahead(book)
    last = book.on + timedelta(days=-step.days if step else -1)
    rows = []
    for row, left in zip(facts.invoice.to_pylist(), facts.open, strict=True):
        if left > 0 and row["due_date"] is not None and row["due_date"] <= last:
            days = (book.on - row["due_date"]).days
            when = f"{days:,}" if days > 0 else say("web.letters_due_today") if not days else say("web.letters_due_in", count=-days)
            rows.append(
                {
                    "key": f"{row['invoice_id']}|{row['instalment']}",
                    "row": row,
                    "open": format_money(int(left), row["currency"]),
                    "days": days,
                    "when": when,
                }
            )
    rows.sort(key=lambda one: (one["row"]["due_date"], one["key"]))
    late = any(one["days"] > 0 for one in rows)
    for one in rows:
        one["chosen"] = one["key"] in chosen if chosen else (one["days"] > 0) == late
    return rows


def _fitting(book: Book, buyer_id: str, items: list[tuple[str, int]], wanted: Wanted) -> Wanted:
    """The same, where the invoices chosen are all late, or all to come and only reminded of; then it is the playbook's step of that. Raises TypedError."""
    due = {(row["invoice_id"], row["instalment"]): row["due_date"] for row in book.about(buyer_id)["invoice"].to_pylist()}
    ahead = [item for item in items if item in due and due[item] is not None and due[item] >= book.on]
    if not ahead:
        return wanted
    if wanted.kind != "reminder":
        raise TypedError("web.letters_not_due_yet", invoice=ahead[0][0])
    if len(ahead) < len(items):
        raise TypedError("web.letters_late_and_not", invoice=ahead[0][0])
    step = reminder_ahead(book)
    return replace(wanted, step=wanted.step or (step.code if step else ""))


def _items(keys: list[str]) -> list[tuple[str, int]]:
    found = []
    for key in keys[:MOST]:
        number, bar, part = key.rpartition("|")
        if not bar or not part.isdecimal() or not number:
            raise TypedError("web.letters_form_wrong", value=key[:40])
        found.append((number, int(part)))
    if not found:
        raise TypedError("web.letters_no_invoice")
    return found


def _currency(book: Book, buyer_id: str, items: list[tuple[str, int]]) -> str:
    """The one currency of the invoices chosen; "" where they have several, or none that is known: then no amount can be typed."""
    numbers = {one for one, _part in items}
    found = {row["currency"] for row in book.about(buyer_id)["invoice"].to_pylist() if row["invoice_id"] in numbers}
    return found.pop() if len(found) == 1 and NO_CURRENCY not in found and None not in found else ""


def wanted_from(form: Mapping[str, str], currency: str, buyer_id: str = "") -> Wanted:
    """What the form asks for. Raises TypedError."""

    def text(name: str, most: int = 500) -> str:
        return "\n".join(line.strip() for line in form.get(name, "").replace("\x00", "").strip()[:most].splitlines() if line.strip())

    kind, channel, email = text("kind") or "demand_letter", text("channel") or "post", text("email", 254)
    if kind not in KINDS or channel not in CHANNELS:
        raise TypedError("web.letters_form_wrong", value=f"{kind} {channel}"[:40])
    if email:
        try:
            validate_email(email)
        except ValidationError:
            raise TypedError("web.letters_email_wrong", value=email[:80]) from None
    step = text("step", 40)
    if form.get("another") and not step.endswith("+"):
        step = f"{step}+"
    return Wanted(
        kind, text("language", 8), channel, text("name", 300).replace("\n", " "), text("address"), email, text("security", 255), _day(form, "deadline"),
        _documents(form, buyer_id), _plan(form, currency) if kind == "payment_plan" else (), text("case", 100), step,
    )  # fmt: skip


def _day(form: Mapping[str, str], name: str) -> date | None:
    value = form.get(name, "").strip()
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        raise TypedError("web.letters_form_wrong", value=value[:20]) from None


def _documents(form: Mapping[str, str], buyer_id: str) -> tuple[Document, ...]:
    """A line each: what it is | invoice | day. Those in `delivery` prove delivery, those in `enclosures` go along."""
    found = []
    for name in ("delivery", "enclosures"):
        for row in form.get(name, "").replace("｜", "|").splitlines()[:100]:
            parts = [part.strip() for part in row.split("|")]
            if not parts[0]:
                continue
            try:
                on = date.fromisoformat(parts[2]) if len(parts) > 2 and parts[2] else None
            except ValueError:
                raise TypedError("web.letters_form_wrong", value=row[:60]) from None
            found.append(Document(buyer_id, parts[0][:200], parts[1] if len(parts) > 1 else "", on, delivery=name == "delivery"))
    return tuple(found)


def _plan(form: Mapping[str, str], currency: str) -> tuple[PlanInstalment, ...]:
    """A line each: day and amount."""
    found = []
    for row in form.get("plan", "").splitlines()[:60]:
        day, _space, amount = row.strip().partition(" ")
        if not day:
            continue
        if not currency:
            raise TypedError("web.letters_plan_currency")
        try:
            minor = to_minor(typed_amount(amount.strip()) or Decimal(0), currency)
            due = date.fromisoformat(day)
        except (ValueError, AmountInexactError, CurrencyUnknownError):
            raise TypedError("web.letters_form_wrong", value=row[:60]) from None
        if minor <= 0:
            raise TypedError("web.letters_form_wrong", value=row[:60])
        found.append(PlanInstalment(due, currency, minor))
    return tuple(found)


# --- acts on one letter ---------------------------------------------------------------------------------------------------------------------


def _tried(request: HttpRequest, pk: int, work: Callable[[Book, Letter], Any], done: str) -> HttpResponse:
    book = book_of(request)
    row, _name = letter_of(book, pk)
    try:
        work(book, row)
    except (NotNowError, UnfitError, TypedError) as error:
        args: dict[str, Any] = {
            name: say(f"web.letters_state_{value}") if name == "state" else value for name, value in error.args_.items()
        }
        return render(request, "letters/letter.html", letter_words(request, book, pk, say(error.code, **args)), status=409)
    except DuecourseError as error:
        return render(request, "letters/letter.html", letter_words(request, book, pk, error.message()), status=409)
    if done:
        messages.success(request, say(done))
    return HttpResponseRedirect(reverse("letter", args=[pk]))


def _note(request: HttpRequest) -> str:
    return request.POST.get("note", "").replace("\x00", "").strip()[:1000]


@require_POST
@gate("propose")
def letter_redraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Draw it up anew; with another recipient's address, language or way, where they were typed."""

    def work(book: Book, row: Letter) -> None:
        before = making.wanted_of(row.told)
        form = {name: request.POST.get(name, "") for name in ("language", "channel", "address", "email", "deadline")}
        typed = wanted_from(
            {
                "kind": row.kind,
                "channel": form["channel"] or before.channel,
                **{name: value for name, value in form.items() if name != "channel"},
            },
            "",
        )
        making.redraw(request, book, pk, _over(before, typed))

    return _tried(request, pk, work, "web.letters_redrawn")


def _over(before: Wanted, typed: Wanted) -> Wanted:
    return replace(
        before, language=typed.language or before.language, channel=typed.channel, address=typed.address or before.address, email=typed.email or before.email, deadline=typed.deadline
    )  # fmt: skip


@require_POST
@gate("propose")
def letter_edited(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand in one's own version as PDF."""

    def work(book: Book, _row: Letter) -> None:
        file = request.FILES.get("file")
        if file is None or file.size is None or file.size > LARGEST:
            raise UnfitError("web.letters_not_a_pdf")
        making.take_edited(request, book, pk, file.read())

    return _tried(request, pk, work, "web.letters_edited_done")


@require_POST
@gate("propose")
def letter_submit(request: HttpRequest, pk: int) -> HttpResponse:
    """Freeze it and hand it to whoever must say yes."""
    return _tried(request, pk, lambda book, _row: making.submit(request, book, pk), "web.letters_submitted")


@require_POST
@gate("letters")
def letter_approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Say yes to it as it was seen."""
    return _tried(
        request,
        pk,
        lambda book, _row: making.approve(request, book, pk, request.POST.get("seen", ""), _note(request)),
        "web.letters_approved",
    )


@require_POST
@gate("propose")
def letter_give_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand it back to be changed."""
    return _tried(request, pk, lambda _book, _row: making.give_back(request, pk, _note(request)), "web.letters_given_back")


@require_POST
@gate("propose")
def letter_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Call it off."""
    return _tried(request, pk, lambda _book, _row: making.cancel(request, pk, _note(request)), "web.letters_cancelled")


@require_POST
@gate("letters")
def letter_send(request: HttpRequest, pk: int) -> HttpResponse:
    """Have it go by e-mail."""
    return _tried(request, pk, lambda book, _row: making.give_out(request, book, pk), "web.letters_queued")


@require_POST
@gate("letters")
def letter_handed(request: HttpRequest, pk: int) -> HttpResponse:
    """It was handed over, or posted by itself."""
    return _tried(
        request, pk, lambda book, _row: posting.handed_over(request, book, pk, _day(request.POST, "on") or book.on), "web.letters_gone"
    )


@require_POST
@gate("letters")
def letter_look(request: HttpRequest, pk: int) -> HttpResponse:
    """A person has looked at one whose end is not known, or that failed: again, it went, or it did not."""
    what = request.POST.get("what", "")
    ways: dict[str, Callable[[Letter], bool]] = {"again": sending.again, "settle": sending.settle, "give_up": sending.give_up}

    def work(book: Book, row: Letter) -> None:
        hinder = making.hindrance(book, row) if what == "again" else ""
        if what not in ways or hinder or not ways[what](row):
            raise NotNowError(hinder or "web.letters_not_now", state=row.state)
        record(request, f"letter.{what}", "buyer", row.buyer_id, letter=row.number)

    return _tried(request, pk, work, f"web.letters_looked_{what}" if what in ways else "")


@require_POST
@gate("letters")
def letter_take_out(request: HttpRequest, pk: int) -> HttpResponse:
    """It was printed and not posted."""
    return _tried(request, pk, lambda _book, _row: posting.take_out(request, pk), "web.letters_taken_out")


@require_POST
@gate("letters")
def letter_track(request: HttpRequest, pk: int) -> HttpResponse:
    """Its tracking number."""
    return _tried(
        request,
        pk,
        lambda _book, _row: posting.track(request, pk, request.POST.get("tracking", "").replace("\x00", "")),
        "web.letters_kept",
    )


@require_POST
@gate("letters")
def letter_received(request: HttpRequest, pk: int) -> HttpResponse:
    """It was received, with what proves it."""

    def work(book: Book, _row: Letter) -> None:
        file = request.FILES.get("file")
        if file is not None and (file.size or 0) > posting.LARGEST:
            raise NotNowError("web.letters_no_proof")
        on = _day(request.POST, "on")
        if on is None:
            raise TypedError("web.letters_form_wrong", value="–")
        posting.received(request, book, pk, on, (file.name or "proof", file.content_type or "", file.read()) if file is not None else None)

    return _tried(request, pk, work, "web.letters_received_done")
