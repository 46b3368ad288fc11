"""The ledger itself: findings, refused lines, changes, settings, what a write did, and what is wrong with a request."""

# ruff: noqa: TC003 — the annotations are read when the program runs

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from ninja import Schema
from pydantic import Field

from duecourse.web.api.shapes.base import Answer, Page


class FindingCount(Schema):
    """What one check found."""

    code: Annotated[str, Field(examples=["invoice_overpaid"])]
    severity: Annotated[str, Field(description="error, warning or note")]
    count: int
    examples: list[str]


class FindingsAnswer(Answer):
    """What the checks found."""

    findings: list[FindingCount]


class Fault(Schema):
    """One row a check found."""

    code: str
    severity: str
    message: str
    subject: str
    buyer_id: str | None
    invoice_id: str | None
    source: str | None
    source_row: int | None


class FaultsAnswer(Page):
    """A page of the rows one check found."""

    rows: list[Fault]


class Refused(Schema):
    """A line of an imported file that could not be used."""

    file_name: str
    file_sha256: str
    file_row: int
    code: str
    message: str
    column: str
    value: str
    cells: Annotated[dict[str, str], Field(description="The line as it was written")]
    fixed_by: str | None


class QuarantineAnswer(Page):
    """A page of refused lines."""

    rows: list[Refused]


class Change(Schema):
    """One change of the ledger."""

    version: int
    batch_id: str
    kind: Annotated[str, Field(description="create, import, post, void, compact or restore")]
    recorded_at: datetime
    file_name: str | None
    note: str | None
    by: str | None
    added: int
    corrected: int
    unchanged: int
    quarantined: int
    withdrawn_at: datetime | None


class ChangesAnswer(Page):
    """A page of the ledger's changes, newest first."""

    rows: list[Change]


class ChangeAnswer(Answer):
    """One change."""

    change: Change


class SettingsAnswer(Answer):
    """The firm's settings."""

    company: str
    base_currency: str
    ageing_buckets: Annotated[list[int], Field(description="Upper limits of the ageing buckets, days past due")]


class LedgerAnswer(Schema):
    """The ledger itself: is it there, at which version, since when."""

    status: Annotated[str, Field(examples=["ok"])]
    ledger_version: int
    recorded_at: Annotated[datetime, Field(description="When it changed last")]
    default_as_of: Annotated[date, Field(description="The day meant where `as_of` is not given")]
    api_version: str
    product_version: str


class RowFault(Schema):
    """Why a row was refused."""

    pointer: Annotated[str, Field(description="JSON pointer into what was sent", examples=["#/3/amount"])]
    row: Annotated[int, Field(description="Counts from 0")]
    field: str
    code: Annotated[str, Field(examples=["amount_inexact"])]
    detail: str


class Written(Schema):
    """What a write did. It is in the ledger when this is answered."""

    batch_id: Annotated[str, Field(description="The post in the ledger: `source` of its facts, and what /changes calls it")]
    ledger_version: int
    received: int
    added: Annotated[int, Field(description="Facts the ledger did not have")]
    corrected: Annotated[int, Field(description="Facts that said otherwise before")]
    unchanged: Annotated[int, Field(description="Facts it had just so")]
    withdrawn: int
    refused: int
    refused_rows: Annotated[list[int], Field(description="Places of all refused rows, from 0")]
    errors: Annotated[list[RowFault], Field(description="Why, for the first thousand")]


class ProblemAnswer(Schema):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    errors: list[RowFault | ParameterFault] | None = None


class ParameterFault(Schema):
    """What is wrong with a parameter."""

    parameter: str
    detail: str


ProblemAnswer.model_rebuild()
