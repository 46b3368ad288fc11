"""The API's OpenAPI 3.1 document: what ninja draws up, with bodies, problems and headers it does not know of, and set right where it errs."""

from __future__ import annotations

import json
from functools import cache
from importlib import import_module
from typing import Any, Final

from pydantic import TypeAdapter

from duecourse import __version__
from duecourse.web.api import wire, writes
from duecourse.web.api.application import api
from duecourse.web.api.problems import MEDIA_TYPE

REF: Final = "#/components/schemas/{model}"
PROBLEMS: Final = {
    400: "The request cannot be read", 401: "No key, or one that does not hold", 403: "The key or its person may not do this",
    404: "There is nothing here, or not for this person", 405: "Not with this method", 409: "The first request with this key is under way",
    413: "Too much at once", 415: "Not in this form", 422: "Something in it is wrong: `errors` says what", 429: "Too many requests",
    500: "A fault of ours", 503: "The ledger or database is busy or away: try again", 507: "The disk is full",
}  # fmt: skip
LIMIT: Final = {"RateLimit": {"description": "What is left: IETF draft", "schema": {"type": "string"}}}
READ_HEADERS: Final = {**LIMIT, "ETag": {"description": "For If-None-Match", "schema": {"type": "string"}}}
WRITE_HEADERS: Final = {**LIMIT, "Idempotency-Replayed": {"description": "`true` on an answer told again", "schema": {"type": "string"}}}
READS: Final = (400, 401, 403, 404, 405, 422, 429, 500, 503)
WRITES: Final = (400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503, 507)
KEY: Final = {
    "name": "Idempotency-Key", "in": "header", "required": True,
    "description": "Any text of your own for this write, e.g. a UUID. The same key again gives the same answer, for 30 days.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!#-~]{1,255}$"},
    "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
}  # fmt: skip


@cache
def document() -> dict[str, Any]:
    """The whole document, as plain JSON data."""
    import_module("duecourse.web.urls")  # brings every endpoint: once it has been described, no more are taken
    found: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(path_prefix="api/v1/"), default=str))
    found["info"] |= {"version": f"1.0 ({__version__})", "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}}
    found["servers"] = [{"url": "/", "description": "This server"}]
    found["tags"] = [
        {"name": "Figures", "description": "What the dashboard shows"},
        {"name": "Lists", "description": "Buyers, groups and the facts about them"},
        {"name": "Grades", "description": "How likely each buyer is to fail within a year, and why"},
        {"name": "Ledger", "description": "Where the facts come from and whether they hold together"},
        {"name": "Facts in", "description": "Send, correct and withdraw facts"},
    ]
    schemas = found["components"]["schemas"]
    for kind, model in wire.MODELS.items():
        _add(schemas, writes.NAMES[kind][0], model, writes.FACT_KEYS[kind])
    problem = TypeAdapter(_problem_model()).json_schema(ref_template=REF)
    schemas |= problem.pop("$defs", {})
    schemas["Problem"] = problem
    for path, operations in found["paths"].items():
        for method, operation in operations.items():
            _complete(path, method, operation)
    for scheme in found["components"].get("securitySchemes", {}).values():
        if scheme.get("type") == "http":
            scheme.pop("name", None)
            scheme.pop("in", None)
            scheme.pop("header", None)
    return _tidied(found)  # type: ignore[no-any-return]


def _problem_model() -> Any:
    from duecourse.web.api.shapes import ProblemAnswer  # noqa: PLC0415

    return ProblemAnswer


def _add(schemas: dict[str, Any], name: str, model: Any, key: tuple[str, ...]) -> None:
    """The fact as it is posted, and the same without its key, as it is put."""
    whole = TypeAdapter(model).json_schema(ref_template=REF)
    schemas |= whole.pop("$defs", {})
    whole["title"] = f"{name}In"
    schemas[f"{name}In"] = whole
    rest = json.loads(json.dumps(whole))
    rest["title"] = f"{name}Body"
    rest["description"] = "The fact without its key, which stands in the address."
    rest["properties"] = {field: told for field, told in rest["properties"].items() if field not in key}
    rest["required"] = [field for field in rest.get("required", []) if field not in key]
    if not rest["required"]:
        del rest["required"]
    schemas[f"{name}Body"] = rest


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    writing = method != "get"
    for status in WRITES if writing else READS:
        responses[str(status)] = {
            "description": PROBLEMS[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": REF.format(model="Problem")}}},
        }
    if not writing:
        responses["304"] = {"description": "The answer you have (If-None-Match) still holds"}
    for status in {"200", "201"} & responses.keys():
        responses[status] |= {
            "description": "In the ledger" if writing else "The answer",
            "headers": WRITE_HEADERS if writing else READ_HEADERS,
        }
    if writing:
        operation.setdefault("parameters", []).append(dict(KEY))
    kind = path.removeprefix("/api/v1/").partition("/")[0]
    if method in ("post", "put") and kind in writes.NAMES:
        operation["requestBody"] = _body(writes.NAMES[kind][0], one=method == "put")
    for parameter in operation.get("parameters", []):
        schema = _put_right(parameter)
        if parameter["in"] == "path" and schema.get("type") == "string" and "pattern" not in schema and "format" not in schema:
            schema |= {"minLength": 1, "maxLength": 100}


def _put_right(parameter: dict[str, Any]) -> dict[str, Any]:
    """A parameter as OpenAPI wants it; its schema. A word of an address cannot be null, and `examples` is another thing there."""
    schema: dict[str, Any] = parameter["schema"]
    schema.pop("title", None)
    for choice in schema.pop("anyOf", []):
        if choice.get("type") != "null":
            schema |= choice
    examples = parameter.pop("examples", None) or schema.get("examples")
    schema.pop("examples", None)
    if examples and parameter["required"] and "example" not in parameter:  # else the page would fill in what nobody asked for
        parameter["example"] = examples[0]
    if not parameter.get("description"):
        parameter.pop("description", None)
    schema.pop("description", None)
    return schema


def _body(name: str, *, one: bool) -> dict[str, Any]:
    fact = {"$ref": REF.format(model=f"{name}{'Body' if one else 'In'}")}
    if one:
        return {"required": True, "content": {"application/json": {"schema": fact}}}
    many = {"type": "array", "minItems": 1, "maxItems": wire.MOST_ROWS, "items": fact}
    return {
        "required": True,
        "content": {
            "application/json": {"schema": {"oneOf": [fact, many]}},
            "application/x-ndjson": {"schema": many | {"description": "One object a line"}},
        },
    }


def _tidied(node: Any) -> Any:
    """Without what JSON Schema does not know: ninja leaves `example`s of its own and nulls as defaults of what may be left out."""
    if isinstance(node, dict):
        kept = {name: _tidied(value) for name, value in node.items() if not (name == "default" and value is None)}
        if isinstance(kept.get("pattern"), str):
            kept["pattern"] = kept["pattern"].replace("\\x", "\\x")
        return kept
    if isinstance(node, list):
        return [_tidied(value) for value in node]
    return node
