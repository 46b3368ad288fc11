"""The OpenAPI document is valid, says everything there is, and holds against whatever a machine can think of."""

from __future__ import annotations

import json
import re

import pytest
import schemathesis
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from duecourse.web import books
from duecourse.web.accounts.access import MAY
from duecourse.web.api.application import api
from duecourse.web.api.schema import document
from duecourse.web.orders.drawing import draw

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance, response_headers_conformance,
    unsupported_method,
]  # fmt: skip


@schemathesis.serializer("application/x-ndjson")
def ndjson(context, value):
    rows = value if isinstance(value, list) else [value]
    return b"\n".join(json.dumps(row).encode() for row in rows)


def test_it_is_valid_openapi_3_1():
    assert document()["openapi"].startswith("3.1")
    assert list(OpenAPIV31SpecValidator(document()).iter_errors()) == []
    for schema in document()["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_everything_in_it_is_said_in_words():
    for path, operations in document()["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
            assert operation["description"], (method, path)
            assert operation["tags"]
            assert operation["security"] == [{"ApiKey": []}, {"Session": []}]
            assert {"401", "403", "422", "429", "500"} <= operation["responses"].keys()
            if method != "get":
                assert "Idempotency-Key" in {one["name"] for one in operation["parameters"]}


def test_no_amount_is_a_float():
    money = re.compile(
        r"^(amount|open|outstanding.*|overdue|not_due|days_\d.*|credit_sales.*|paid_365d|peak_.*|credits.*|net|disputed|rate|unapplied_credits)$"
    )
    for name, schema in document()["components"]["schemas"].items():
        for field, told in schema.get("properties", {}).items():
            if money.fullmatch(field):
                kinds = {told.get("type"), *(choice.get("type") for choice in told.get("anyOf", ()))} - {None}
                assert not kinds & {"number", "integer"}, (name, field)


def test_the_document_needs_no_key_and_its_page_shows_it(signed_in):
    browser = signed_in("viewer")
    assert Client().get("/api/v1/openapi.json").json() == document()
    page = browser.get("/api/docs/")
    assert page.status_code == 200
    assert b"cdn" not in page.content.lower()
    assert Client().get("/api/docs/").status_code == 302


def test_every_endpoint_asks_for_an_act_there_is():
    acts = set().union(*MAY.values())
    for router in api._get_bound_routers():
        for path, view in router.path_operations.items():
            for operation in view.operations:
                assert [type(way).__name__ for way in operation.auth_callbacks] == ["ApiKey", "Session"], path
                assert {way.act for way in operation.auth_callbacks} <= acts


@pytest.fixture
def tried(own_ledger, caller):
    """The WSGI application itself; its database stays open between requests, as the test holds it in a transaction."""
    client = caller("admin")
    for one in (signals.request_started, signals.request_finished):
        one.disconnect(close_old_connections)
    yield (
        schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application()),
        {"Authorization": f"Bearer {client.token}", "Accept-Encoding": "identity"},
    )
    for one in (signals.request_started, signals.request_finished):
        one.connect(close_old_connections)


def attempts(schema, operation, headers, examples):
    """Calls one endpoint with what fits the document, and with what does not."""
    method, _, path = operation.partition(" ")
    endpoint = schema[path][method.lower()]
    quick = settings(
        max_examples=examples, deadline=None, phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck), database=None,
        derandomize=examples < 10,
    )  # fmt: skip

    @given(case=endpoint.as_strategy(generation_mode=GenerationMode.POSITIVE))
    @quick
    def good(case):
        case.call_and_validate(headers=headers, checks=CHECKS)

    @given(case=endpoint.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    @quick
    def bad(case):
        case.call_and_validate(headers=headers, checks=[*CHECKS, negative_data_rejection])

    good()
    bad()


@pytest.mark.parametrize("examples", [2, pytest.param(60, marks=pytest.mark.long)])
def test_whatever_is_sent_is_answered_as_the_document_says(tried, examples):
    draw(books.ledger())  # orders are answered from accounts a worker draws
    schema, headers = tried
    wrong = []
    for operation in sorted(f"{method.upper()} {path}" for path, operations in document()["paths"].items() for method in operations):
        try:
            attempts(schema, operation, headers, examples)
        except BaseExceptionGroup as group:  # all of them are wanted, not the first
            wrong += [f"{operation}: {error}" for error in group.exceptions]
    assert not wrong, "\n\n".join(wrong)
