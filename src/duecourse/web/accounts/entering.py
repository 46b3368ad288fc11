"""The two pages somebody sees before they are one of us: the set-up of the first run, and the answer to an invitation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.account.internal.flows.login import record_authentication  # type: ignore[import-untyped]
from allauth.account.views import password_reset  # type: ignore[import-untyped]
from django.contrib.auth import login
from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from duecourse.desk import settings as firm
from duecourse.errors import DuecourseError
from duecourse.web import books
from duecourse.web import environment as env
from duecourse.web.accounts import first_run, inviting
from duecourse.web.accounts.forms import Join, SetUp

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from duecourse.web.accounts.models import Person

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@never_cache
def setup(request: HttpRequest) -> HttpResponse:
    """The first run, until somebody is there."""
    if first_run.settled():
        raise Http404
    given = request.POST.get("token") or request.GET.get("token", "")
    if not first_run.token_fits(given):
        place = env.HOME / first_run.TOKEN
        return render(request, "accounts/setup_token.html", {"place": place, "wrong": bool(given)}, status=403 if given else 200)
    if request.method == "POST" and "company" in request.POST:
        form = SetUp(request.POST)
        if form.is_valid():
            try:
                person = first_run.set_up(request, form.cleaned_data)
            except DuecourseError as error:
                form.add_error(None, error.message())
            else:
                return _come_in(request, person) if person else redirect("account_login")
    else:
        now = firm.current(books.ledger())
        currency = now["base_currency"] if now["base_currency"] != "XXX" else {"zh-hans": "CNY"}.get(request.LANGUAGE_CODE, "EUR")
        form = SetUp(initial={"company": now["company"], "base_currency": currency, "language": request.LANGUAGE_CODE})
    return render(request, "accounts/setup.html", {"form": form, "token": given}, status=422 if form.errors else 200)


@never_cache
def join(request: HttpRequest, token: str) -> HttpResponse:
    """The page an invitation leads to. It works once."""
    invitation = inviting.find(token)
    if invitation is None or invitation.state != "open":
        return render(request, "accounts/join_closed.html", {"state": invitation.state if invitation else "unknown"}, status=410)
    if request.user.is_authenticated:
        return render(request, "accounts/join_closed.html", {"state": "signed_in", "email": invitation.email}, status=409)
    form = Join(request.POST or None, email=invitation.email, initial={"name": invitation.name})
    if request.method == "POST" and form.is_valid():
        person = inviting.accept(request, invitation, form.cleaned_data["name"], form.cleaned_data["password"])
        if person is None:
            return render(request, "accounts/join_closed.html", {"state": "accepted"}, status=410)
        return _come_in(request, person)
    return render(request, "accounts/join.html", {"form": form, "invitation": invitation}, status=422 if form.errors else 200)


def forgotten(request: HttpRequest) -> HttpResponse:
    """A forgotten password: a link by mail; without a mail server an administrator makes one."""
    if not env.EMAIL_URL:
        return render(request, "accounts/forgotten.html")
    return password_reset(request)  # type: ignore[no-any-return]


def _come_in(request: HttpRequest, person: Person) -> HttpResponse:
    record_authentication(request, person, method="password", username=person.username)
    login(request, person, backend=BACKEND)
    return redirect("dashboard")
