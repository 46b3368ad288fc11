"""The document itself, its page for people, and what stands at every other address below /api/."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe
from pydantic_core import to_json

from duecourse.web.accounts.access import gate
from duecourse.web.api.problems import Problem, answer, speak

if TYPE_CHECKING:
    from django.http import HttpRequest


@require_safe
def document(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """The OpenAPI document. It says nothing of the ledger, and so needs no key."""
    from duecourse.web.api.schema import document as drawn_up  # noqa: PLC0415 — draws up every model: only when asked

    response = HttpResponse(to_json(drawn_up()), content_type="application/json")
    response["Cache-Control"] = "no-cache"
    return response


@gate("read")
@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The documentation page, on which everything can be tried with the session of the person looking."""
    from duecourse.web.api.schema import KEY  # noqa: PLC0415

    return render(request, "api/docs.html", {"example_key": KEY["example"]})


def root(request: HttpRequest) -> HttpResponse:
    """People who type /api/ want to read about it."""
    del request
    return redirect("api_docs")


def nothing(request: HttpRequest, rest: str = "") -> HttpResponse:
    """No such address."""
    del rest
    speak(request)
    return answer(Problem(404), request)
