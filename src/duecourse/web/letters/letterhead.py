"""What letters say of ourselves, and who must approve them: a page of the settings.  信头与审批"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from duecourse.actions.letters import KINDS
from duecourse.desk.letterhead import ACCOUNT_TEXTS, TEXTS, Letterhead, checked, checked_logo, keep_letterhead, keep_logo, letterhead
from duecourse.desk.settings import entities, keep
from duecourse.errors import DuecourseError
from duecourse.messages import say
from duecourse.reference.countries import COUNTRIES
from duecourse.web import books
from duecourse.web.accounts.access import gate, may
from duecourse.web.accounts.audit import record
from duecourse.web.letters import rules

if TYPE_CHECKING:
    from django.http import HttpRequest

ACCOUNTS: Final = 4
"""Rows for accounts the form shows at least."""
ADDRESSES: Final = ("address", "local_address")


@require_safe
@gate("read")
def letters_letterhead(request: HttpRequest) -> HttpResponse:
    """The letterhead of the firm, or of one of its companies."""
    return render(request, "letters/letterhead.html", _words(request, request.GET.get("entity", "")))


def _words(request: HttpRequest, entity: str, typed: dict[str, Any] | None = None, fault: str = "") -> dict[str, Any]:
    book = books.book_of(request)
    known = entities(book)
    entity = entity if entity in known else ""
    one: Letterhead = letterhead(book, entity)
    values: dict[str, Any] = typed if typed is not None else {name: getattr(one, name) for name in TEXTS}
    accounts = (typed or {}).get("accounts") or [{name: getattr(account, name) for name in ACCOUNT_TEXTS} for account in one.accounts]
    rows = [*accounts, *({} for _ in range(max(1, ACCOUNTS - len(accounts))))]
    needed = rules.approvals(book.settings)
    return {
        "book": book, "entity": entity, "entities": [("", say("web.letters_firm")), *((code, code) for code in known)], "fault": fault, "logo": one.logo, "may_change": may(request.user, "settings"),
        "texts": [{"name": name, "label": say(f"web.letters_head_{name}"), "value": values.get(name, ""), "lines": name in ADDRESSES} for name in TEXTS if name != "country"],
        "country": values.get("country", ""), "countries": sorted(((code, row.name()) for code, row in COUNTRIES.items()), key=lambda pair: pair[1]),
        "accounts": [
            {"number": number, "cells": [{"name": f"{name}-{number}", "label": say(f"web.letters_account_{name}"), "value": row.get(name, "")} for name in ACCOUNT_TEXTS]}
            for number, row in enumerate(rows)
        ],
        "rules": [{"kind": kind, "said": say(f"letters.kind_{kind}"), "count": needed[kind]} for kind in KINDS], "counts": range(rules.MOST + 1),
    }  # fmt: skip


@require_POST
@gate("settings")
def letters_letterhead_keep(request: HttpRequest) -> HttpResponse:
    """Keep it, as a fact of the ledger."""
    form, ledger = request.POST, books.ledger()
    entity = form.get("entity", "")
    typed: dict[str, Any] = {name: form.get(name, "").replace("\r\n", "\n").replace("\x00", "").strip() for name in TEXTS}
    numbers = sorted({int(name.rpartition("-")[2]) for name in form if name.startswith("number-") and name.rpartition("-")[2].isdecimal()})[
        :12
    ]
    typed["accounts"] = [{name: form.get(f"{name}-{number}", "").strip() for name in ACCOUNT_TEXTS} for number in numbers]
    try:
        made = checked(typed)
        file = request.FILES.get("logo")
        logo = checked_logo(file.read(400_000), file.content_type or "") if file is not None else None
    except DuecourseError as error:
        return render(request, "letters/letterhead.html", _words(request, entity, typed, error.message()), status=422)
    if entity and entity not in entities(books.book_of(request)):
        entity = ""
    keep_letterhead(ledger, entity, made, by=_who(request))
    if logo is not None or form.get("no_logo"):
        keep_logo(ledger, entity, logo or "", by=_who(request))
    record(request, "settings.change", "setting", "letterhead", entity=entity, after=made.plain)
    messages.success(request, say("web.settings_kept"))
    return HttpResponseRedirect(f"{reverse('letters_letterhead')}?entity={entity}" if entity else reverse("letters_letterhead"))


@require_POST
@gate("settings")
def letters_rules_keep(request: HttpRequest) -> HttpResponse:
    """Keep how many people must say yes to which kind."""
    form = request.POST
    try:
        own = rules.checked({kind: int(form.get(kind, "")) for kind in KINDS})
    except (ValueError, DuecourseError):
        return render(request, "letters/letterhead.html", _words(request, "", None, say("web.letters_form_wrong", value="–")), status=422)
    keep(books.ledger(), rules.SETTING, own, by=_who(request))
    record(request, "settings.change", "setting", rules.SETTING, after=own)
    messages.success(request, say("web.settings_kept"))
    return HttpResponseRedirect(reverse("letters_letterhead"))


def _who(request: HttpRequest) -> str:
    return str(request.user.get_username())
