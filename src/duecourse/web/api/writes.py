"""Facts in: single and many at once, and taken back. What is answered is in the ledger."""

from __future__ import annotations

from datetime import date
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Annotated, Any, Final

from django.http import HttpRequest
from ninja import Path, Query
from pydantic import Field
from pydantic_core import from_json, to_json

from duecourse.desk import posting
from duecourse.errors import FactUnknownError
from duecourse.web import books
from duecourse.web.accounts import audit
from duecourse.web.api import wire
from duecourse.web.api.application import api
from duecourse.web.api.auth import needs
from duecourse.web.api.committing import committer
from duecourse.web.api.idempotency import key_of, once
from duecourse.web.api.problems import Problem
from duecourse.web.api.reading import sent, whole_book
from duecourse.web.api.shapes import Written
from duecourse.web.api.webhooks.events import happened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpResponse

    from duecourse.ledger.journal import JournalRow
    from duecourse.web.accounts.access import Act

NAMES: Final = {
    "buyers": ("Buyer", "buyers"), "invoices": ("Invoice", "invoices"), "settlements": ("Settlement", "settlements"),
    "disputes": ("Dispute", "disputes"), "orders": ("Order", "orders"), "exchange-rates": ("ExchangeRate", "exchange rates"),
    "signals": ("Signal", "signals"), "statements": ("Statement", "statements"),
    "limits": ("Limit", "limits"),
}  # fmt: skip
PATHS: Final = {
    "buyers": "/buyers/{key:buyer_id}",
    "invoices": "/invoices/{key:invoice_id}/{int:instalment}",
    "settlements": "/settlements/{key:settlement_id}",
    "disputes": "/disputes/{key:dispute_id}",
    "orders": "/orders/{key:order_id}",
    "signals": "/signals/{key:signal_id}",
    "limits": "/limits/{key:limit_id}",
    "statements": "/statements/{key:buyer_id}/{key:period_end}/{int:period_months}/{key:consolidated}",
    "exchange-rates": "/exchange-rates/{key:provider}/{key:base_currency}/{key:quote_currency}/{key:rate_date}",
}

Reason = Annotated[str, Field(min_length=1, max_length=500, description="Why; the ledger keeps it")]


WANTS: Final[Mapping[str, Act]] = {"limits": "settings"}
"""What bringing a kind in takes, where it is more than the right to import: a limit sent here was granted elsewhere and passes no authority."""


def take(request: HttpRequest, kind: str, body: bytes, *, alone: bool, partial: bool) -> HttpResponse:
    """Look at rows, write the good ones, say what became of all."""

    def work(batch_id: str) -> HttpResponse:
        columns, places, faults = wire.decoded(kind, body, alone=alone, partial=partial)
        prepared = posting.prepare(whole_book(request), kind, columns, places=places)
        faults = sorted([*faults, *prepared.faults], key=lambda fault: (fault.row, fault.field))
        refused = sorted({*(fault.row for fault in faults), *prepared.refused})
        told = wire.described(faults, alone=alone)
        if refused and (not partial or not prepared.rows.num_rows):
            raise Problem(422, "rows_invalid", errors=told, more={"refused": len(refused)})
        facts = {
            "by": _name(request),
            "via": "api",
            "mark": key_of(request),
            "read": prepared.received + len(refused) - len(prepared.refused),
        }
        result = committer.write(
            posting.Post(batch_id, {prepared.entry.name: prepared.rows}, note=f"api: {kind}", facts=facts)
        )  # fmt: skip
        counts = {name: sum(numbers.values()) for name, numbers in (
            ("added", result.added), ("corrected", result.corrected), ("unchanged", result.unchanged))}  # fmt: skip
        body_out = {
            "batch_id": batch_id, "ledger_version": result.version, "received": facts["read"], **counts, "withdrawn": 0,
            "refused": len(refused), "refused_rows": refused, "errors": told,
        }  # fmt: skip
        return sent(request, body_out, 201 if counts["added"] else 200)

    return once(request, work, then=lambda batch_id: _tell(request, kind, batch_id))


def withdraw(request: HttpRequest, kind: str, key: Mapping[str, Any], reason: str) -> HttpResponse:
    """Take a fact back: from now on it does not count; books as known before keep it."""

    def work(batch_id: str) -> HttpResponse:
        entry = posting.FACTS[kind]
        done = _journal_row(batch_id)
        if done is None:  # else it came through before its answer could be kept
            try:
                rows = posting.withdrawing(whole_book(request), kind, key)
            except FactUnknownError:
                raise Problem(404, "fact_unknown", kind=kind, key=" / ".join(map(str, key.values()))) from None
            facts = {"by": _name(request), "via": "api", "mark": key_of(request), "reason": reason}
            version = committer.write(posting.Post(batch_id, {entry.name: rows}, note=f"api: {reason}", facts=facts)).version
        else:
            version = done.version
        body = {
            "batch_id": batch_id, "ledger_version": version, "received": 1, "added": 0, "corrected": 0, "unchanged": 0, "withdrawn": 1,
            "refused": 0, "refused_rows": [], "errors": [],
        }  # fmt: skip
        return sent(request, body)

    return once(request, work, then=lambda batch_id: _tell(request, kind, batch_id))


def _journal_row(batch_id: str) -> JournalRow | None:
    return next((row for row in reversed(books.ledger().state.rows) if row.batch_id == batch_id), None)


def _name(request: HttpRequest) -> str:
    return str(request.user.get_username())


def _tell(request: HttpRequest, kind: str, batch_id: str) -> None:
    """In the transaction that keeps the answer: the trail, and those who want to be told."""
    audit.record(request, "post", kind, batch_id)
    row = _journal_row(batch_id)
    if row is not None:
        happened(row)


def _single(key: Mapping[str, Any], body: bytes) -> bytes:
    """One fact whose key stands in the address, as it would have been posted."""
    try:
        fact = from_json(body)
    except ValueError as error:
        raise Problem(400, "json_invalid", detail=str(error)) from None
    if not isinstance(fact, dict):
        raise Problem(422, "rows_invalid", errors=wire.described([posting.Fault(0, "", "not_an_object")], alone=True))
    twice = [name for name in key if name in fact]
    if twice:
        raise Problem(422, "rows_invalid", errors=wire.described([posting.Fault(0, name, "key_in_address") for name in twice], alone=True))
    return b"[" + to_json({**fact, **key}) + b"]"


def _routes(kind: str) -> None:
    name, words = NAMES[kind]
    one = words.removesuffix("s")
    answers: Any = {200: Written, 201: Written}
    common: dict[str, Any] = {"auth": needs(WANTS.get(kind, "import")), "tags": ["Facts in"]}

    def post(request: HttpRequest, *, partial: bool = False) -> HttpResponse:
        body, alone = wire.rows_of(request.body, request.content_type or "")
        return take(request, kind, body, alone=alone, partial=partial)

    def put(request: HttpRequest, **key: Any) -> HttpResponse:
        if request.content_type != "application/json":
            raise Problem(415, accepted="application/json")
        return take(request, kind, _single(key, request.body), alone=True, partial=False)

    def delete(request: HttpRequest, reason: str, **key: Any) -> HttpResponse:
        return withdraw(request, kind, key, reason)

    words_of: Any = Query
    path: Any = Path
    many = [_word("partial", bool, words_of(False, description="Take the good rows and list the refused; without it all or nothing"))]
    keys = [_word(name, KEYS[name], path(..., description=KEY_WORDS.get(name, ""))) for name in FACT_KEYS[kind]]
    api.post(
        f"/{kind}", response=answers, operation_id=f"post{name}s", summary=f"Send {words}",
        description=f"One object, a JSON array, or newline-delimited JSON: up to {wire.MOST_ROWS:,} rows. A key the ledger knows corrects the earlier fact.",
        **common,
    )(_with(post, many))  # fmt: skip
    api.put(
        PATHS[kind], response=answers, operation_id=f"put{name}", summary=f"Send one {one}, its key in the address",
        description="Adds it, or corrects what the ledger has under this key.", **common,
    )(_with(put, keys))  # fmt: skip
    api.delete(
        PATHS[kind], response={200: Written}, operation_id=f"withdraw{name}", summary=f"Withdraw one {one}",
        description="From now on it does not count. Books drawn up as known before keep it.", **common,
    )(_with(delete, [*keys, _word("reason", Reason, words_of(...))]))  # fmt: skip


KEYS: Final[Mapping[str, Any]] = {
    "instalment": wire.Instalment, "base_currency": wire.Currency, "quote_currency": wire.Currency, "rate_date": date,
    "period_end": date, "period_months": wire.Months, "consolidated": bool,
    **dict.fromkeys(("buyer_id", "invoice_id", "settlement_id", "dispute_id", "order_id", "provider", "signal_id", "limit_id"), wire.Key),
}  # fmt: skip
KEY_WORDS: Final[Mapping[str, str]] = {
    "instalment": "1 for an invoice payable at once",
    "rate_date": "ISO 8601",
    "period_end": "ISO 8601",
    "consolidated": "true for the group's accounts",
}
FACT_KEYS: Final = {kind: posting.FACTS[kind].key for kind in NAMES}


def _word(name: str, kind: Any, default: Any) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=kind)


def _with(view: Any, words: list[Parameter]) -> Any:
    """The view with the signature that ninja is to see: the names of the key differ from kind to kind."""
    view.__signature__ = Signature([Parameter("request", Parameter.POSITIONAL_OR_KEYWORD, annotation=HttpRequest), *words])
    return view


for _kind in NAMES:
    _routes(_kind)
