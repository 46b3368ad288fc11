"""The API as one object: how errors leave it, and that no parameter is passed over in silence."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from django.http import Http404, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from duecourse.messages import say
from duecourse.web.api.problems import Problem, answer, of_error, speak
from duecourse.web.api.reading import NotModified

if TYPE_CHECKING:
    from django.http import HttpRequest

DESCRIPTION: Final = """The ledger of what is owed to you: every figure the pages show, and the way in for the facts of another system.

* Amounts are decimal strings in units of their currency, rates decimal strings, fractions and days numbers, dates ISO 8601.
* Every read takes `as_of` and `known_at` and says which book it was drawn from.
* Every write takes an `Idempotency-Key`; what is answered is in the ledger, and the same key gives the same answer for 30 days.
* Business keys in addresses write `/` as `~1` and `~` as `~0`.
* Errors are RFC 9457 problems."""

api: Final = NinjaAPI(title="Duecourse", version="1", description=DESCRIPTION, urls_namespace="api_v1", docs_url=None, openapi_url=None)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    errors = []
    for one in error.errors:
        name = str(one["loc"][-1])
        errors.append({"parameter": name, "detail": say("web.api_parameter_wrong", name=name, reason=one["msg"])})
    return answer(Problem(422, "parameters_invalid", errors=errors), request)


@api.exception_handler(AuthenticationError)
def _unknown(request: HttpRequest, error: AuthenticationError) -> HttpResponse:  # noqa: ARG001
    speak(request)
    return answer(Problem(401), request)


@api.exception_handler(HttpError)
def _refused(request: HttpRequest, error: HttpError) -> HttpResponse:
    return answer(Problem(error.status_code), request)


@api.exception_handler(Http404)
def _missing(request: HttpRequest, error: Http404) -> HttpResponse:  # noqa: ARG001
    return answer(Problem(404), request)


@api.exception_handler(NotModified)
def _not_modified(request: HttpRequest, error: NotModified) -> HttpResponse:  # noqa: ARG001
    response = HttpResponse(status=304)
    response["ETag"] = error.etag
    return response


@api.exception_handler(Exception)
def _failed(request: HttpRequest, error: Exception) -> HttpResponse:
    return answer(of_error(error), request)


@cache
def parameters() -> dict[tuple[str, str], frozenset[str]]:
    """The words each endpoint takes in its query: by method and address."""
    from duecourse.web.api.schema import document  # noqa: PLC0415 — the schema is drawn up from this module

    return {
        (method.upper(), path): frozenset(one["name"] for one in operation.get("parameters", ()) if one["in"] == "query")
        for path, operations in document()["paths"].items()
        for method, operation in operations.items()
    }


def check_words(request: HttpRequest) -> None:
    """A word of the query nobody looks at is a slip of the pen. Raises Problem."""
    match: Any = request.resolver_match
    path = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", match.route)
    known = parameters().get((request.method or "", path), frozenset())
    strange = sorted(set(request.GET) - known)
    if strange:
        raise Problem(
            422, "parameters_invalid",
            errors=[{"parameter": name, "detail": say("web.api_parameter_unknown", name=name, known=", ".join(sorted(known)) or "–")} for name in strange],
        )  # fmt: skip
    for name in known:
        if len(request.GET.getlist(name)) > 1 and name not in REPEATED:
            raise Problem(422, "parameters_invalid", errors=[{"parameter": name, "detail": say("web.api_parameter_twice", name=name)}])


REPEATED: Final = frozenset(
    {"country", "sector", "sales_owner", "legal_entity", "currency", "group", "per", "grade", "invoice", "assume", "event", "due_date"}
)
"""Words that may be given several times."""
