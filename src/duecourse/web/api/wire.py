"""What is sent to the API: each fact as JSON, exactly. The same types check the rows and draw up the schema."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final, Literal, NotRequired

import pyarrow as pa
from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic_core import from_json, to_json
from typing_extensions import TypedDict

from duecourse.desk.posting import FACTS, Fault
from duecourse.ledger.entries import LIMIT_KINDS, ORDER_STATUSES, SETTLEMENT_KINDS, SIGNAL_KINDS, SIGNAL_SEVERITIES, STATEMENT_ITEMS
from duecourse.web.api.problems import Problem

KEY_FORM: Final = r"^[^\x00-\x20\x7f]([^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?$"

Key = Annotated[str, StringConstraints(max_length=100, pattern=KEY_FORM)]
Words = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$"), Field(description="ISO 4217", examples=["CNY"])]
Amount = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{1,13}(\.[0-9]{1,4})?$"),
    Field(description="Above zero, as a decimal string in units of the currency, with no more decimals than it has", examples=["12500.00"]),
]  # fmt: skip
SignedAmount = Annotated[
    str, StringConstraints(pattern=r"^-?[0-9]{1,13}(\.[0-9]{1,4})?$"),
    Field(description="Decimal string; above zero reduces what is owed, below zero takes a reduction back", examples=["12500.00"]),
]  # fmt: skip
Rate = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{1,9}(\.[0-9]{1,12})?$"), Field(description="Decimal string, above zero", examples=["7.1234"])
]
Days = Annotated[int, Field(ge=0, le=3650)]
Instalment = Annotated[int, Field(ge=1, le=9999, description="1 for an invoice payable at once")]
Entity = Annotated[Key | None, Field(description="Which of our companies")]

_STRICT: Final = ConfigDict(extra="forbid", strict=True)


class BuyerIn(TypedDict):
    """A buyer's profile. What is left out is unknown: a post replaces the whole profile."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]

    buyer_id: Annotated[Key, Field(description="Account number as your books write it", examples=["C-10023"])]
    name: NotRequired[Annotated[Words | None, Field(examples=["Nordwind Maschinenbau GmbH"])]]
    name_local: NotRequired[Annotated[Words | None, Field(description="The name in the other script", examples=["北风机械有限公司"])]]
    registration_number: NotRequired[Annotated[Key | None, Field(description="Unified social credit code, VAT or company number")]]
    country: NotRequired[
        Annotated[Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None, Field(description="ISO 3166-1 alpha-2", examples=["DE"])]
    ]
    city: NotRequired[Words | None]
    sector: NotRequired[Words | None]
    group_id: NotRequired[Annotated[Key | None, Field(description="Number of the ultimate parent; absent when it stands alone")]]
    group_name: NotRequired[Words | None]
    sales_owner: NotRequired[Words | None]
    legal_entity: NotRequired[Entity]
    currency: NotRequired[Currency | None]
    payment_terms_days: NotRequired[Days | None]
    customer_since: NotRequired[date | None]
    effective_from: NotRequired[Annotated[date | None, Field(description="From when this profile holds; absent = always")]]
    vat_number: NotRequired[Key | None]
    lei: NotRequired[Annotated[Key | None, Field(description="Legal entity identifier, ISO 17442")]]
    legal_form: NotRequired[Words | None]
    founded_on: NotRequired[date | None]
    registered_capital: NotRequired[Annotated[Amount | None, Field(description="As the register has it; with its currency")]]
    registered_capital_currency: NotRequired[Currency | None]
    registry_status: NotRequired[Annotated[Words | None, Field(description="As the register words it")]]
    legal_representative: NotRequired[Words | None]
    owner_name: NotRequired[Annotated[Words | None, Field(description="Who controls it")]]


class InvoiceIn(TypedDict):
    """An invoice, or one instalment of it."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]

    invoice_id: Annotated[Key, Field(examples=["INV-2026-0042"])]
    instalment: NotRequired[Instalment]
    kind: NotRequired[Literal["invoice", "debit_note", "interest_note", "opening"]]
    buyer_id: Annotated[Key, Field(description="Who owes it", examples=["C-10023"])]
    orderer_id: NotRequired[Annotated[Key | None, Field(description="Who ordered, where that is another account")]]
    legal_entity: NotRequired[Entity]
    issue_date: Annotated[date, Field(examples=["2026-03-01"])]
    due_date: NotRequired[Annotated[date | None, Field(examples=["2026-04-30"])]]
    amount: Amount
    currency: Currency
    payment_terms_days: NotRequired[Days | None]
    order_number: NotRequired[Key | None]
    sales_owner: NotRequired[Words | None]
    document_type: NotRequired[Key | None]
    text: NotRequired[Words | None]


class SettlementIn(TypedDict):
    """A payment, credit note or anything else that reduces what a buyer owes."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]

    settlement_id: Annotated[Key, Field(examples=["RCPT-7001"])]
    kind: NotRequired[Literal[SETTLEMENT_KINDS]]  # type: ignore[valid-type]
    buyer_id: Annotated[Key, Field(description="Whose account it reduces", examples=["C-10023"])]
    payer_id: NotRequired[Annotated[Key | None, Field(description="Who paid, where that is somebody else")]]
    invoice_id: NotRequired[Annotated[Key | None, Field(description="What it is applied to; absent = an advance or unapplied cash")]]
    instalment: NotRequired[Instalment]
    legal_entity: NotRequired[Entity]
    settle_date: Annotated[date, Field(examples=["2026-04-28"])]
    settle_date_from: NotRequired[Annotated[date | None, Field(description="Where only a span is known: its first day")]]
    amount: SignedAmount
    currency: Currency
    document_type: NotRequired[Key | None]
    reference: NotRequired[Words | None]
    text: NotRequired[Words | None]


class DisputeIn(TypedDict):
    """A buyer's objection to an invoice."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]

    dispute_id: Annotated[Key, Field(examples=["D-88"])]
    buyer_id: Annotated[Key, Field(examples=["C-10023"])]
    invoice_id: NotRequired[Annotated[Key | None, Field(examples=["INV-2026-0042"])]]
    instalment: NotRequired[Instalment]
    raised_on: Annotated[date, Field(examples=["2026-04-02"])]
    resolved_on: NotRequired[date | None]
    amount: NotRequired[Annotated[Amount | None, Field(description="The disputed part; absent = the whole open balance")]]
    currency: NotRequired[Currency | None]
    reason: NotRequired[Words | None]
    outcome: NotRequired[Annotated[Literal["accepted", "rejected", "partly"] | None, Field(description="Absent while open")]]


class OrderIn(TypedDict):
    """A sales order: money that is about to be owed."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]

    order_id: Annotated[Key, Field(examples=["SO-5501"])]
    buyer_id: Annotated[Key, Field(examples=["C-10023"])]
    legal_entity: NotRequired[Entity]
    order_date: Annotated[date, Field(examples=["2026-02-20"])]
    requested_ship_date: NotRequired[date | None]
    amount: Amount
    currency: Currency
    status: NotRequired[Annotated[Literal[ORDER_STATUSES], Field(description="Where it stands; open when absent")]]  # type: ignore[valid-type]
    status_date: NotRequired[Annotated[date | None, Field(description="From when that status holds; absent = from the order date")]]
    payment_terms_days: NotRequired[Days | None]
    sales_owner: NotRequired[Words | None]
    text: NotRequired[Words | None]


class ExchangeRateIn(TypedDict):
    """What one unit of a currency cost in another on a day."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]

    provider: NotRequired[Annotated[Key, Field(description="Your own name for the table; `own` when absent")]]
    base_currency: Annotated[Currency, Field(examples=["USD"])]
    quote_currency: Annotated[Currency, Field(examples=["CNY"])]
    rate_date: Annotated[date, Field(examples=["2026-03-31"])]
    rate: Rate


Figure = Annotated[
    str,
    StringConstraints(pattern=r"^-?[0-9]{1,13}(\.[0-9]{1,4})?$"),
    Field(description="Decimal string in units of the currency", examples=["1050000.00"]),
]
Months = Annotated[int, Field(ge=1, le=24, description="12 for a year")]


class SignalIn(TypedDict):
    """A dated piece of news about a buyer: a grade, a lawsuit, an enforcement, an insolvency."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]

    signal_id: Annotated[Key, Field(examples=["SIG-1"])]
    buyer_id: Annotated[Key, Field(examples=["C-10023"])]
    kind: Literal[SIGNAL_KINDS]  # type: ignore[valid-type]
    severity: NotRequired[Annotated[Literal[SIGNAL_SEVERITIES] | None, Field(description="Absent = as its kind has it")]]  # type: ignore[valid-type]
    published_on: Annotated[date, Field(description="When anybody could know it", examples=["2026-03-05"])]
    occurred_on: NotRequired[date | None]
    ended_on: NotRequired[Annotated[date | None, Field(description="Lifted, settled, withdrawn; absent while it holds")]]
    value: NotRequired[Annotated[Words | None, Field(description="A grade or score as its provider writes it")]]
    previous_value: NotRequired[Words | None]
    amount: NotRequired[Amount | None]
    currency: NotRequired[Currency | None]
    provider: NotRequired[Words | None]
    reference: NotRequired[Words | None]
    text: NotRequired[Words | None]
    confidence: NotRequired[
        Annotated[float | None, Field(ge=0, le=1, description="How sure it is that this is said of this buyer; absent = told as certain")]
    ]


class LimitIn(TypedDict):
    """A credit limit that was granted elsewhere: by you, or by your insurer. The newest standing and insurer's limit of a buyer holds."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]

    limit_id: Annotated[Key, Field(examples=["LIM-1"])]
    kind: Annotated[Literal[LIMIT_KINDS], Field(description="standing; temporary, on top of it; insurer; block = no sale on credit")]  # type: ignore[valid-type]
    buyer_id: NotRequired[Annotated[Key | None, Field(description="Whose limit it is; absent for a group's", examples=["C-10023"])]]
    group_id: NotRequired[Annotated[Key | None, Field(description="The group it holds for; absent for a buyer's")]]
    legal_entity: NotRequired[Entity]
    amount: NotRequired[Annotated[Amount | None, Field(description="Zero or above; absent for a block")]]
    currency: NotRequired[Currency | None]
    payment_terms_days: NotRequired[Days | None]
    valid_from: Annotated[date, Field(examples=["2026-01-01"])]
    valid_to: NotRequired[Annotated[date | None, Field(description="Last day; absent = until it is ended")]]
    review_on: NotRequired[date | None]
    ended_on: NotRequired[Annotated[date | None, Field(description="From this day on it no longer holds")]]
    text: NotRequired[Words | None]


_ABOUT = {
    "buyer_id": Annotated[Key, Field(examples=["C-10023"])],
    "period_end": Annotated[date, Field(examples=["2025-12-31"])],
    "period_months": Months,
    "consolidated": NotRequired[Annotated[bool, Field(description="The group's accounts; false = of the legal entity alone")]],
    "published_on": Annotated[date, Field(description="When anybody could know them", examples=["2026-04-20"])],
    "audited": NotRequired[bool | None],
    "opinion": NotRequired[Literal["unqualified", "qualified", "adverse", "disclaimer", "going_concern"] | None],
    "standard": NotRequired[Literal["CAS", "IFRS", "US_GAAP"] | None],
    "currency": Currency,
}
StatementIn: Any = TypedDict("StatementIn", {**_ABOUT, **dict.fromkeys(STATEMENT_ITEMS, NotRequired[Figure | None])})  # type: ignore[misc]
StatementIn.__pydantic_config__ = _STRICT  # type: ignore[attr-defined]
StatementIn.__doc__ = "A buyer's accounts of one period. What is left out is not given by the accounts."


MODELS: Final[dict[str, Any]] = {
    "buyers": BuyerIn, "invoices": InvoiceIn, "settlements": SettlementIn, "disputes": DisputeIn, "orders": OrderIn,
    "exchange-rates": ExchangeRateIn, "signals": SignalIn, "statements": StatementIn, "limits": LimitIn,
}  # fmt: skip

DEFAULTS: Final[dict[str, dict[str, Any]]] = {
    "invoices": {"instalment": 1, "kind": "invoice"}, "settlements": {"kind": "cash"}, "exchange-rates": {"provider": "own"},
    "statements": {"consolidated": False},
}  # fmt: skip

MOST_ROWS: Final = 100_000

_ADAPTERS: Final = {kind: TypeAdapter(list[model]) for kind, model in MODELS.items()}  # type: ignore[valid-type]


def sent_schema(kind: str) -> pa.Schema:
    """The columns of a kind as they are sent: amounts and rates as text."""
    fields = []
    for column in FACTS[kind].facts:
        if column.name in ("inferred", "issue_date_estimated", "published_on_estimated", "decision_id"):
            continue
        if column.name == "amount_minor":
            fields.append(pa.field("amount", pa.string()))
        elif column.name == "registered_capital_minor":
            fields.append(pa.field("registered_capital", pa.string()))
        else:
            fields.append(pa.field(column.name, pa.string() if column.name == "rate" or column.name in STATEMENT_ITEMS else column.type))
    return pa.schema(fields)


def rows_of(body: bytes, media_type: str) -> tuple[bytes, bool]:
    """The body as a JSON array, and whether it was one object alone. Raises Problem."""
    if media_type == "application/x-ndjson":
        lines = [line for line in body.splitlines() if line.strip()]
        return b"[" + b",".join(lines) + b"]", False
    if media_type != "application/json":
        raise Problem(415, accepted="application/json, application/x-ndjson")
    if body.lstrip()[:1] == b"[":
        return body, False
    return b"[" + body + b"]", True


def decoded(kind: str, body: bytes, *, alone: bool, partial: bool) -> tuple[pa.Table, list[int] | None, list[Fault]]:
    """The rows as columns, the places of those that could be read (None = all), and what is wrong with the others.

    Raises Problem 400 for what is no JSON, 413 for too many rows, and 422 where rows are wrong and not `partial`.
    """
    try:
        rows = _ADAPTERS[kind].validate_json(body)
    except ValidationError as error:
        if error.errors(include_url=False, include_input=False, include_context=False)[0]["type"] == "json_invalid":
            raise Problem(400, "json_invalid", detail=str(error.errors()[0]["msg"])) from None
        return _without_bad(kind, body, error, alone=alone, partial=partial)
    _counted(len(rows))
    return _columns(kind, rows), None, []


def _counted(count: int) -> None:
    if count > MOST_ROWS:
        raise Problem(413, "too_many_rows", most=MOST_ROWS, found=count)
    if not count:
        raise Problem(422, "no_rows")


def _without_bad(
    kind: str, body: bytes, error: ValidationError, *, alone: bool, partial: bool
) -> tuple[pa.Table, list[int] | None, list[Fault]]:
    rows = from_json(body)
    _counted(len(rows))
    faults = []
    for one in error.errors(include_url=False):
        place = one["loc"][0]
        assert isinstance(place, int)
        field = "/".join(str(part) for part in one["loc"][1:2])
        faults.append(Fault(place, field, _code_of(one["type"]), _shown(one.get("input")) if field else ""))
    if not partial:
        raise Problem(422, "rows_invalid", errors=described(faults, alone=alone), more={"refused": len({fault.row for fault in faults})})
    bad = {fault.row for fault in faults}
    good = [place for place in range(len(rows)) if place not in bad]
    kept = _ADAPTERS[kind].validate_json(to_json([rows[place] for place in good]))
    return _columns(kind, kept), good, faults


def _columns(kind: str, rows: list[dict[str, Any]]) -> pa.Table:
    default = DEFAULTS.get(kind, {})
    columns = {}
    for column in sent_schema(kind):
        name, absent = column.name, default.get(column.name)
        columns[name] = pa.array([row.get(name, absent) for row in rows], column.type)
    if kind == "orders":  # a status without a day holds from the order on
        columns["status_date"] = pa.array(
            [row.get("status_date") or (row["order_date"] if row.get("status", "open") != "open" else None) for row in rows], pa.date32()
        )
    if kind in ("settlements", "disputes"):  # an instalment belongs to an invoice
        columns["instalment"] = pa.array([row.get("instalment", 1) if row.get("invoice_id") else None for row in rows], pa.int32())
    return pa.table(columns)


_CODES: Final = {
    "missing": "field_missing", "extra_forbidden": "field_unknown", "string_type": "not_text", "int_type": "not_whole", "date_type": "not_a_date",
    "date_from_datetime_parsing": "not_a_date", "date_parsing": "not_a_date", "literal_error": "not_one_of", "string_too_long": "too_long",
    "string_too_short": "empty", "string_pattern_mismatch": "wrong_form", "greater_than_equal": "out_of_range", "less_than_equal": "out_of_range",
    "dict_type": "not_an_object", "list_type": "not_a_list", "bool_type": "wrong_form",
}  # fmt: skip


def _code_of(kind: str) -> str:
    return _CODES.get(kind, "wrong_form")


def _shown(value: Any) -> str:
    return str(value)[:100] if isinstance(value, str | int | float) and not isinstance(value, bool) else to_json(value).decode()[:100]


def described(faults: list[Fault], *, alone: bool) -> list[dict[str, Any]]:
    """Faults as the `errors` of a problem: each with a JSON pointer into what was sent, row, field, code and a sentence."""
    from duecourse.messages import say  # noqa: PLC0415

    told = []
    for fault in faults[:1000]:
        field = fault.field.replace("~", "~0").replace("/", "~1")
        parts = [*([] if alone else [str(fault.row)]), *([field] if field else [])]
        told.append(
            {
                "pointer": "#" + "".join(f"/{part}" for part in parts), "row": fault.row, "field": fault.field, "code": fault.code,
                "detail": say(f"web.api_fault_{fault.code}", field=fault.field or "–", value=fault.value),
            }
        )  # fmt: skip
    return told
