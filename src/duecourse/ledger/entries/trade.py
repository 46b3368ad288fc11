"""What was sold and what was paid for it: buyers, invoices, settlements, disputes, orders, and the open-item lists that stand in for them."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from duecourse.ledger.entries.table import COUNT, DAY, FLAG, MINOR, TEXT, Entry, facts_of

BUYER: Final = Entry(
    "buyer",
    facts_of(
        buyer_id=TEXT,  # the debtor's account number as the firm writes it
        name=TEXT,
        name_local=TEXT,  # the same name in the other script, where given
        registration_number=TEXT,  # 统一社会信用代码, VAT or company number
        country=TEXT,  # ISO 3166-1 alpha-2
        city=TEXT,
        sector=TEXT,
        group_id=TEXT,  # buyer_id or number of the ultimate parent; null when the buyer stands alone
        group_name=TEXT,
        sales_owner=TEXT,
        legal_entity=TEXT,  # which of our companies sells to it, where only one does
        currency=TEXT,
        payment_terms_days=COUNT,
        customer_since=DAY,
        effective_from=DAY,  # from when this version of the profile holds; null = always
        vat_number=TEXT,
        lei=TEXT,  # ISO 17442
        legal_form=TEXT,
        founded_on=DAY,
        registered_capital_minor=MINOR,
        registered_capital_currency=TEXT,
        registry_status=TEXT,  # as the register words it: 存续, active, in liquidation …
        legal_representative=TEXT,
        owner_name=TEXT,  # who controls it
        enterprise_size=TEXT,  # as told: micro, small, medium, large or public; 微型, 小型, 中型, 大型, 机关事业单位 …
    ),
    key=("buyer_id",),
    happened="effective_from",
)

INVOICE: Final = Entry(
    "invoice",
    facts_of(
        invoice_id=TEXT,
        instalment=COUNT,  # 1 for an invoice payable at once; each instalment has its own due date and amount
        kind=TEXT,  # invoice | debit_note | interest_note | opening
        buyer_id=TEXT,  # who owes it (payer account)
        orderer_id=TEXT,  # who ordered, where that is another account
        legal_entity=TEXT,  # which of our companies issued it
        issue_date=DAY,
        issue_date_estimated=FLAG,  # the export had no issue date: due date less the payment term
        due_date=DAY,
        amount_minor=MINOR,  # > 0, minor units of currency, tax included as billed
        currency=TEXT,  # ISO 4217; XXX where the export gives none
        payment_terms_days=COUNT,
        order_number=TEXT,
        sales_owner=TEXT,
        document_type=TEXT,  # the source system's own code
        text=TEXT,
    ),
    key=("invoice_id", "instalment"),
    happened="issue_date",
)

SETTLEMENT_KINDS: Final = (
    "cash",  # money received
    "allocation",  # an earlier advance, credit or other document applied to an invoice (a pair with the unapplied side, net zero)
    "credit_note",  # 贷项通知单
    "return",
    "discount",  # cash discount or rebate taken
    "deduction",  # short payment, chargeback
    "set_off",  # 抵销
    "write_off",  # 核销
    "exchange_difference",
    "unknown",  # an open-item list shows that it was settled, not how
)

DILUTION_KINDS: Final = ("credit_note", "return", "discount", "deduction")

PAYMENT_KINDS: Final = ("cash", "allocation", "set_off", "unknown")

CASH_KINDS: Final = ("cash", "unknown")
"""Payments in money."""

SETTLEMENT: Final = Entry(
    "settlement",
    facts_of(
        settlement_id=TEXT,
        kind=TEXT,  # one of SETTLEMENT_KINDS
        buyer_id=TEXT,  # whose account it reduces
        payer_id=TEXT,  # who paid, where that is somebody else
        invoice_id=TEXT,  # null = not applied to an invoice: an advance or unapplied cash
        instalment=COUNT,
        legal_entity=TEXT,
        settle_date=DAY,
        settle_date_from=DAY,  # inferred settlements: it happened between this day and settle_date
        inferred=FLAG,
        amount_minor=MINOR,  # > 0 reduces what is owed; < 0 takes a reduction back
        currency=TEXT,
        document_type=TEXT,
        reference=TEXT,
        text=TEXT,
    ),
    key=("settlement_id",),
    happened="settle_date",
)

DISPUTE: Final = Entry(
    "dispute",
    facts_of(
        dispute_id=TEXT,
        buyer_id=TEXT,
        invoice_id=TEXT,
        instalment=COUNT,
        raised_on=DAY,
        resolved_on=DAY,
        amount_minor=MINOR,  # the disputed part; null = the whole open balance
        currency=TEXT,
        reason=TEXT,
        outcome=TEXT,  # accepted | rejected | partly; null while open
    ),
    key=("dispute_id",),
    happened="raised_on",
    ends=("resolved_on", "outcome"),
)

ORDER_STATUSES: Final = ("open", "released", "invoiced", "cancelled")

ORDER: Final = Entry(
    "order",
    facts_of(
        order_id=TEXT,
        buyer_id=TEXT,
        legal_entity=TEXT,
        order_date=DAY,
        requested_ship_date=DAY,
        amount_minor=MINOR,  # > 0, what will be billed, tax included
        currency=TEXT,
        status=TEXT,  # one of ORDER_STATUSES; null reads as open
        status_date=DAY,  # from when that status holds; in a book drawn up before it the order is open
        payment_terms_days=COUNT,
        sales_owner=TEXT,
        text=TEXT,
    ),
    key=("order_id",),
    happened="order_date",
    ends=("status_date", "status"),
)

OPEN_ITEM: Final = Entry(
    "open_item",
    facts_of(
        snapshot_date=DAY,
        scope=TEXT,  # legal entity the list covers; "" = the whole firm
        invoice_id=TEXT,
        instalment=COUNT,
        buyer_id=TEXT,
        issue_date=DAY,
        due_date=DAY,
        amount_minor=MINOR,  # original amount, where the list gives it
        open_minor=MINOR,  # still open at the close of snapshot_date; < 0 is a credit
        currency=TEXT,
        document_type=TEXT,
    ),
    key=("snapshot_date", "scope", "invoice_id", "instalment"),
    happened="snapshot_date",
)

SNAPSHOT: Final = Entry(
    "snapshot",
    facts_of(
        snapshot_date=DAY,
        scope=TEXT,
        complete=FLAG,  # all open items of the scope: what is missing has been settled
        items=pa.int64(),
    ),
    key=("snapshot_date", "scope"),
    happened="snapshot_date",
    clustered_by=("snapshot_date",),
)
