"""The tables of the ledger: which facts there are, their columns, their business keys and the dates at which they happened.

A fact is a row. Its business key says which fact it is, its event dates when it happened, and five further columns where it comes
from and when we learnt it. A later row with the same key corrects the earlier one; a row with `voided` withdraws it. Money is an
integer of minor units beside its ISO 4217 currency. A column may be added to a table later, always nullable, never renamed or
removed: a ledger written years ago must stay readable.
"""

from __future__ import annotations

from typing import Final

from duecourse.ledger.entries.keeping import EXCHANGE_RATE, QUARANTINE, SETTING
from duecourse.ledger.entries.recovery import (
    ASSET,
    CASE_EVENT,
    CASE_EVENT_KINDS,
    CONTRACT,
    DOCUMENT,
    DOCUMENT_KINDS,
    DOCUMENT_LINK,
    DOCUMENT_TARGETS,
    NOTICE,
    SECURITY,
    SECURITY_KINDS,
)
from duecourse.ledger.entries.standing import (
    DECISION,
    DECISION_KINDS,
    LIMIT,
    LIMIT_KINDS,
    LIST_ENTRY,
    MENTION,
    MENTION_STATES,
    SIGNAL,
    SIGNAL_KINDS,
    SIGNAL_SEVERITIES,
    STATEMENT,
    STATEMENT_ITEMS,
)
from duecourse.ledger.entries.table import COUNT, DAY, FLAG, INSTANT, MINOR, PROVENANCE, TEXT, Entry, schema_of
from duecourse.ledger.entries.trade import (
    BUYER,
    CASH_KINDS,
    DILUTION_KINDS,
    DISPUTE,
    INVOICE,
    OPEN_ITEM,
    ORDER,
    ORDER_STATUSES,
    PAYMENT_KINDS,
    SETTLEMENT,
    SETTLEMENT_KINDS,
    SNAPSHOT,
)

ENTRIES: Final = {
    entry.name: entry
    for entry in (
        BUYER,
        INVOICE,
        SETTLEMENT,
        DISPUTE,
        ORDER,
        STATEMENT,
        SIGNAL,
        MENTION,
        LIMIT,
        SECURITY,
        CONTRACT,
        CASE_EVENT,
        NOTICE,
        ASSET,
        DOCUMENT,
        DOCUMENT_LINK,
        DECISION,
        LIST_ENTRY,
        OPEN_ITEM,
        SNAPSHOT,
        EXCHANGE_RATE,
        SETTING,
        QUARANTINE,
    )
}
"""Every table by name. A later stage adds its own here when it is built."""

__all__ = [
    "ASSET",
    "BUYER",
    "CASE_EVENT",
    "CASE_EVENT_KINDS",
    "CASH_KINDS",
    "CONTRACT",
    "COUNT",
    "DAY",
    "DECISION",
    "DECISION_KINDS",
    "DILUTION_KINDS",
    "DISPUTE",
    "DOCUMENT",
    "DOCUMENT_KINDS",
    "DOCUMENT_LINK",
    "DOCUMENT_TARGETS",
    "ENTRIES",
    "EXCHANGE_RATE",
    "FLAG",
    "INSTANT",
    "INVOICE",
    "LIMIT",
    "LIMIT_KINDS",
    "LIST_ENTRY",
    "MENTION",
    "MENTION_STATES",
    "MINOR",
    "NOTICE",
    "OPEN_ITEM",
    "ORDER",
    "ORDER_STATUSES",
    "PAYMENT_KINDS",
    "PROVENANCE",
    "QUARANTINE",
    "SECURITY",
    "SECURITY_KINDS",
    "SETTING",
    "SETTLEMENT",
    "SETTLEMENT_KINDS",
    "SIGNAL",
    "SIGNAL_KINDS",
    "SIGNAL_SEVERITIES",
    "SNAPSHOT",
    "STATEMENT",
    "STATEMENT_ITEMS",
    "TEXT",
    "Entry",
    "schema_of",
]
