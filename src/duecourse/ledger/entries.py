"""The tables of the ledger: which facts there are, their columns, their business keys and the dates at which they happened.

A fact is a row. Its business key says which fact it is, its event dates when it happened, and five further columns where it comes
from and when we learnt it. A later row with the same key corrects the earlier one; a row with `voided` withdraws it. Money is an
integer of minor units beside its ISO 4217 currency. A column may be added to a table later, always nullable, never renamed or
removed: a ledger written years ago must stay readable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXT: Final = pa.string()
DAY: Final = pa.date32()
COUNT: Final = pa.int32()
MINOR: Final = pa.int64()
FLAG: Final = pa.bool_()
INSTANT: Final = pa.timestamp("us", tz="UTC")


def schema_of(required: Mapping[str, pa.DataType], optional: Mapping[str, pa.DataType] | None = None) -> pa.Schema:
    """A schema of columns that are always given, and then of columns that may be null."""
    fields: list[pa.Field[Any]] = [pa.field(name, kind, nullable=False) for name, kind in required.items()]
    fields += [pa.field(name, kind) for name, kind in (optional or {}).items()]
    return pa.schema(fields)


PROVENANCE: Final = pa.schema(
    [
        *schema_of({"recorded_at": INSTANT, "source": TEXT}),  # when we learnt it (UTC), rising from batch to batch; the import batch
        *schema_of({}, {"source_row": pa.int64(), "supersedes": TEXT}),  # line of the file (header = 1); batch of the row this one corrects
        *schema_of({"voided": FLAG}),  # this row withdraws the fact
    ]
)


@dataclass(frozen=True)
class Entry:
    """One table of the ledger.

    key           the columns that say which fact a row is about
    happened      the column holding the date on which it happened; a null date counts as always; None: it has no date of its own
    ends          date columns that tell of a later event: hidden (null) in a book drawn up before it
    clustered_by  compaction sorts by these columns, so that one buyer's rows lie together
    founded       made with the ledger; a table that many ledgers never use is made when its first row comes
    """

    name: str
    facts: pa.Schema
    key: tuple[str, ...]
    happened: str | None
    ends: tuple[str, ...] = ()
    clustered_by: tuple[str, ...] = ("buyer_id",)
    founded: bool = True

    @property
    def schema(self) -> pa.Schema:
        """All columns: the facts, then where each row comes from."""
        return pa.schema([*self.facts, *PROVENANCE])

    @property
    def values(self) -> tuple[str, ...]:
        """The fact columns outside the key: what a correction can change."""
        return tuple(name for name in self.facts.names if name not in self.key)


def _facts(**columns: pa.DataType) -> pa.Schema:
    return schema_of({}, columns)


BUYER: Final = Entry(
    "buyer",
    _facts(
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
    _facts(
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

SETTLEMENT: Final = Entry(
    "settlement",
    _facts(
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
    _facts(
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

STATEMENT_ITEMS: Final = (
    # balance sheet 资产负债表
    "cash", "trade_receivables", "inventories", "current_assets", "total_assets", "short_term_debt", "trade_payables", "current_liabilities",
    "long_term_debt", "total_liabilities", "retained_earnings", "total_equity",
    # income statement 利润表
    "revenue", "cost_of_sales", "gross_profit", "depreciation_amortisation", "operating_profit", "interest_expense", "profit_before_tax",
    "net_income",
    # cash flow statement 现金流量表
    "operating_cash_flow", "investing_cash_flow", "financing_cash_flow",
    # beside the statements
    "market_value", "share_issue",
)  # fmt: skip
"""Standard lines of a buyer's accounts, int64 minor units. Costs, interest and depreciation are positive; cash flows carry their sign."""

STATEMENT: Final = Entry(
    "statement",
    _facts(
        buyer_id=TEXT,
        period_end=DAY,
        period_months=COUNT,  # 12 for a year; 3, 6, 9 for an interim period
        consolidated=FLAG,  # of the group; false = of the legal entity alone
        published_on=DAY,  # when anybody could know it: filed, sent to us, or estimated
        published_on_estimated=FLAG,  # no date was given: four months after the period's end
        audited=FLAG,  # null = not said
        opinion=TEXT,  # unqualified | qualified | adverse | disclaimer | going_concern
        standard=TEXT,  # CAS | IFRS | US_GAAP, as told
        currency=TEXT,
        **dict.fromkeys(STATEMENT_ITEMS, MINOR),  # null = the statement does not give the line
    ),
    key=("buyer_id", "period_end", "period_months", "consolidated"),
    happened="published_on",
)

ORDER_STATUSES: Final = ("open", "released", "invoiced", "cancelled")

ORDER: Final = Entry(
    "order",
    _facts(
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

SIGNAL_KINDS: Final = (
    "bureau_grade",  # a credit bureau's grade or score
    "insurer_grade",
    "rating",  # a rating agency's
    "insurer_limit_cut",  # reduced, withdrawn or refused
    "lawsuit",  # 被诉
    "enforcement",  # 被执行人
    "dishonest_debtor",  # 失信被执行人, 限制高消费
    "insolvency",  # petition, reorganisation, liquidation
    "asset_freeze",  # 股权冻结, attachment
    "tax_arrears",
    "register_warning",  # 经营异常, 严重违法, strike-off notice
    "register_change",  # representative, shareholders, capital, address
    "bill_dishonoured",  # 退票, 商票逾期
    "news",
    "reference",  # another supplier's experience
    "terms_request",  # asks for more time, or to pay by bill
    "broken_promise",
    "contact_change",
    "bank_change",
    "supply_stop",  # production stopped, lay-offs, wages unpaid
    "headcount_fall",  # 参保人数下降: fewer insured employees than a year ago
    "unusual_payer",  # paid by a third party or from an unusual country, as told
    "no_answer",  # a reminder or call unanswered 失联
    "arrears_list",  # 拖欠中小企业账款公示, 商票持续逾期名单
    "capital_reduction",  # 减资公告
    "asset_transfer",  # assets moved away, deals with related parties
    "auditor_change",
    "customer_failure",  # a customer it lives on fails 下游客户倒闭
    "country_risk",  # its country's risk class raised, currency controls, moratorium
    "list_match",  # a name on a sanctions or debtor list, confirmed by a person
)
SIGNAL_SEVERITIES: Final = ("info", "amber", "red")

SIGNAL: Final = Entry(
    "signal",
    _facts(
        signal_id=TEXT,
        buyer_id=TEXT,
        kind=TEXT,  # one of SIGNAL_KINDS
        severity=TEXT,  # one of SIGNAL_SEVERITIES, as told; null = as its kind has it
        published_on=DAY,  # when anybody could know it
        occurred_on=DAY,  # when it happened, where that is another day
        ended_on=DAY,  # lifted, settled, withdrawn; null while it holds
        value=TEXT,  # a grade or score as its provider writes it
        previous_value=TEXT,
        amount_minor=MINOR,
        currency=TEXT,
        provider=TEXT,  # who says so
        reference=TEXT,  # case number, address of the document
        text=TEXT,
        confidence=pa.float64(),  # how sure it is that this is said of this buyer, 0 to 1; null where a person or a register says so
    ),
    key=("signal_id",),
    happened="published_on",
    ends=("ended_on",),
    founded=False,
)

MENTION_STATES: Final = ("waiting", "entered", "dismissed")

MENTION: Final = Entry(
    "mention",
    _facts(
        signal_id=TEXT,  # the signal's own, once it is one
        buyer_id=TEXT,  # who is probably meant
        kind=TEXT,
        severity=TEXT,
        published_on=DAY,
        value=TEXT,  # which class of event
        provider=TEXT,
        reference=TEXT,
        text=TEXT,  # the sentence
        confidence=pa.float64(),
        name=TEXT,  # the words that may be the buyer's name
        status=TEXT,  # one of MENTION_STATES
        reason=TEXT,  # why a person decided so
        made_by=TEXT,
    ),
    key=("signal_id",),
    happened="published_on",
    founded=False,
)
"""What outside feeds say of somebody who may be a buyer, for a person to look at; a signal only once somebody says so."""

LIMIT_KINDS: Final = (
    "standing",  # what the firm grants
    "temporary",  # on top of the standing limit until it ends
    "insurer",  # what the credit insurer covers
    "block",  # no sale on credit, whatever the limit
)

LIMIT: Final = Entry(
    "limit",
    _facts(
        limit_id=TEXT,
        kind=TEXT,  # one of LIMIT_KINDS
        buyer_id=TEXT,  # whose limit it is; null for a group's
        group_id=TEXT,  # the group it holds for; null for a buyer's
        legal_entity=TEXT,  # which of our companies it holds for; null = all
        amount_minor=MINOR,  # >= 0; null for a block
        currency=TEXT,
        payment_terms_days=COUNT,
        valid_from=DAY,
        valid_to=DAY,  # last day; null = until it is ended
        review_on=DAY,
        ended_on=DAY,  # from this day on it no longer holds; null while it does
        decision_id=TEXT,  # the decision that set it; null when it was imported
        text=TEXT,  # reason or condition
    ),
    key=("limit_id",),
    happened="valid_from",
    ends=("ended_on",),
    founded=False,
)

SECURITY_KINDS: Final = ("guarantee", "standby_letter_of_credit", "bank_guarantee", "pledge", "mortgage", "deposit", "retention_of_title")

SECURITY: Final = Entry(
    "security",
    _facts(
        security_id=TEXT,
        buyer_id=TEXT,  # whose debt it secures
        kind=TEXT,  # one of SECURITY_KINDS
        guarantor_id=TEXT,  # account or name of who stands behind it
        amount_minor=MINOR,
        currency=TEXT,
        valid_from=DAY,
        valid_to=DAY,
        released_on=DAY,
        reference=TEXT,
        text=TEXT,
    ),
    key=("security_id",),
    happened="valid_from",
    ends=("released_on",),
    founded=False,
)

CONTRACT: Final = Entry(
    "contract",
    _facts(
        contract_id=TEXT,
        buyer_id=TEXT,
        legal_entity=TEXT,  # which of our companies is the seller; null = all
        number=TEXT,  # as the parties write it
        signed_on=DAY,
        valid_from=DAY,
        valid_to=DAY,
        governing_law=TEXT,  # ISO 3166-1 alpha-2 of the law it is under; null = not said
        subject=TEXT,  # goods | services | works
        late_interest=TEXT,  # the agreed rate as `cover.late_interest` reads it: 18%/y, 0.05%/d, LPR_1Y*1.5 …; null = none agreed
        dispute_resolution=TEXT,  # court | arbitration
        forum=TEXT,  # the court or the arbitral institution
        seat=TEXT,  # seat of arbitration, or place of the court
        instalments=FLAG,  # the price is paid in three or more instalments
        cure_days=COUNT,  # days to pay after a demand before the seller may act
        recovery_costs=FLAG,  # the buyer bears the costs of recovery
        service_address=TEXT,  # where notices are to be sent
        service_email=TEXT,
        text=TEXT,
    ),
    key=("contract_id",),
    happened="valid_from",
    founded=False,
)

CASE_EVENT_KINDS: Final = (
    "opened",
    "closed",
    "paused",
    "resumed",
    "escalated",
    "call",
    "promise",  # 承诺付款: amount and day promised
    "part_payment",
    "acknowledgement",  # 债务确认: written and signed, by the debtor
    "demand",  # a demand that reached the debtor
    "notice_to_guarantor",
    "dispute",
    "plan",  # a payment plan was agreed
    "plan_broken",
    "suit",
    "arbitration",
    "payment_order",
    "preservation",
    "mediation_request",
    "judgment",  # final, or an award
    "enforcement",
    "bankruptcy_claim",
    "insolvency_notice",
    "assignment_notice",
    "placement",  # handed over to an agency or a lawyer
    "report",  # what they report back
    "recovery",
    "write_off",
)

CASE_EVENT: Final = Entry(
    "case_event",
    _facts(
        event_id=TEXT,
        case_id=TEXT,
        buyer_id=TEXT,
        invoice_id=TEXT,  # null = the whole case
        instalment=COUNT,
        party=TEXT,  # whom it was done to or by, where that is not the debtor: a guarantor, an agency
        kind=TEXT,  # one of CASE_EVENT_KINDS
        happened_on=DAY,
        received_on=DAY,  # when it reached the other side, where that matters; null = not known
        promised_on=DAY,  # promise: the day money was promised for
        amount_minor=MINOR,
        currency=TEXT,
        reference=TEXT,  # case number, tracking number
        proof=TEXT,  # SHA-256 of the document that proves it; null = none
        text=TEXT,
        made_by=TEXT,
    ),
    key=("event_id",),
    happened="happened_on",
    founded=False,
)
"""What was done about a debt that was not paid. What a limitation clock may rest on is here, with its proof."""

NOTICE: Final = Entry(
    "notice",
    _facts(
        notice_id=TEXT,
        kind=TEXT,  # reminder | demand_letter | letter_before_action | acknowledgement_of_debt | guarantor_demand | payment_plan …
        case_id=TEXT,
        buyer_id=TEXT,
        recipient=TEXT,  # name of who was written to
        language=TEXT,
        channel=TEXT,  # email | post | handed_over
        address=TEXT,
        dated=DAY,  # the letter's own day
        sent_on=DAY,
        received_on=DAY,  # as proven later
        deadline=DAY,  # until when payment was asked for
        principal_minor=MINOR,
        interest_minor=MINOR,
        total_minor=MINOR,
        currency=TEXT,
        invoices=TEXT,  # JSON: [[invoice_id, instalment], …]
        tracking=TEXT,
        document=TEXT,  # SHA-256 of the PDF that went
        made_by=TEXT,
        approved_by=TEXT,
    ),
    key=("notice_id",),
    happened="sent_on",
    ends=("received_on",),
    founded=False,
)
"""Every letter that went out, as it went out."""

DOCUMENT_KINDS: Final = (
    "contract",
    "terms",  # general terms and conditions 通用条款
    "order",
    "order_acceptance",
    "delivery_note",
    "bill_of_lading",
    "proof_of_delivery",
    "customs_declaration",
    "invoice",
    "statement_of_account",  # 对账单: signed or sealed by the buyer
    "payment_record",
    "correspondence",
    "notice",  # a demand or other letter of ours
    "proof_of_service",  # that it reached the other side
    "authority",  # that who signed was allowed to
    "guarantee",
    "resolution",  # of the guarantor's shareholders or board
    "insurance_decision",
    "photo",
    "other",
)

DOCUMENT: Final = Entry(
    "document",
    _facts(
        document_id=TEXT,  # SHA-256 of its bytes
        buyer_id=TEXT,  # whose file it is in; the same bytes may be in another buyer's, too
        case_id=TEXT,  # the case it was filed for; null = all of the buyer's
        kind=TEXT,  # one of DOCUMENT_KINDS
        dated=DAY,  # the date it bears; null = none
        received_on=DAY,  # when it came into the firm's hands
        language=TEXT,  # ISO 639-1; null = not said
        original=FLAG,  # it is the original (for electronic data: the native file), not a copy; null = not said
        holder=TEXT,  # who holds the paper original
        file_name=TEXT,
        media_type=TEXT,  # as its bytes say
        size_bytes=pa.int64(),
        text=TEXT,
        made_by=TEXT,
    ),
    key=("document_id", "buyer_id"),
    happened="received_on",
    founded=False,
)
"""What is on paper or in a file and may prove something. The bytes lie with the app, under their SHA-256."""

DOCUMENT_TARGETS: Final = ("invoice", "case", "case_event", "notice", "contract", "security", "buyer")

DOCUMENT_LINK: Final = Entry(
    "document_link",
    _facts(
        document_id=TEXT,
        buyer_id=TEXT,
        target=TEXT,  # one of DOCUMENT_TARGETS
        target_id=TEXT,
        purpose=TEXT,  # 证明目的: what it is to prove of it
        linked_on=DAY,
        made_by=TEXT,
    ),
    key=("document_id", "buyer_id", "target", "target_id"),
    happened="linked_on",
    founded=False,
)
"""Which document proves what of which fact."""

ASSET: Final = Entry(
    "asset",
    _facts(
        asset_id=TEXT,
        buyer_id=TEXT,  # the debtor
        kind=TEXT,  # one of risk.severity.assets.REALISED; null = a look-up that found nothing to count
        look_up=TEXT,  # one of risk.severity.assets.LOOK_UPS: what was gone through
        country=TEXT,  # where it is; null = the debtor's own
        amount_minor=MINOR,  # what it is worth
        currency=TEXT,
        realised_share=pa.float64(),  # which share of that it would fetch; null = as its kind does
        prior_rights_minor=MINOR,  # what others take from it first
        seen_on=DAY,  # the day the source speaks of
        gone_on=DAY,  # sold, taken by others, not the debtor's
        provider=TEXT,  # register, court, our own visit …
        reference=TEXT,
        text=TEXT,
        made_by=TEXT,
    ),
    key=("asset_id",),
    happened="seen_on",
    ends=("gone_on",),
    founded=False,
)
"""What a debtor has that could be enforced against, and what was looked up without finding any."""

DECISION_KINDS: Final = ("limit", "order", "grade_adjustment", "list_verdict", "alert", "route")

DECISION: Final = Entry(
    "decision",
    _facts(
        decision_id=TEXT,
        kind=TEXT,  # one of DECISION_KINDS
        buyer_id=TEXT,
        order_id=TEXT,
        decided_on=DAY,
        decided_at=INSTANT,
        book_on=DAY,  # the book it was made on: its day …
        book_known_at=INSTANT,  # … what was known …
        ledger_version=pa.int64(),  # … and the version of the ledger
        rules=TEXT,  # versions of the rules and models that were used, JSON
        inputs=TEXT,  # JSON: what else went in
        outcome=TEXT,
        amount_minor=MINOR,
        currency=TEXT,
        reasons=TEXT,  # JSON: [{code, args}], sentences of the message catalogue
        made_by=TEXT,
        approved_by=TEXT,
        digest=TEXT,  # SHA-256 of the answer: what a replay must give again
        answer=TEXT,  # the answer itself, JSON in canonical form
    ),
    key=("decision_id",),
    happened="decided_on",
    founded=False,
)

OPEN_ITEM: Final = Entry(
    "open_item",
    _facts(
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
    _facts(
        snapshot_date=DAY,
        scope=TEXT,
        complete=FLAG,  # all open items of the scope: what is missing has been settled
        items=pa.int64(),
    ),
    key=("snapshot_date", "scope"),
    happened="snapshot_date",
    clustered_by=("snapshot_date",),
)

LIST_ENTRY: Final = Entry(
    "list_entry",
    _facts(
        list_name=TEXT,  # OFAC SDN, EU, UN, UK, 失信被执行人 … as the person names it
        entry_id=TEXT,  # the list's own number of the entry, else made of its name
        name=TEXT,
        other_names=TEXT,  # JSON: names in other scripts, former names, abbreviations
        entity_kind=TEXT,  # organisation | person | vessel | other, as told
        country=TEXT,
        numbers=TEXT,  # JSON: register, tax and identity numbers
        programme=TEXT,  # legal basis, case number
        text=TEXT,
        listed_on=DAY,  # since when it is on the list; null = always
        list_date=DAY,  # the list's version that showed it first, or in this wording
    ),
    key=("list_name", "entry_id"),
    happened="list_date",
    clustered_by=("list_name",),
    founded=False,
)

EXCHANGE_RATE: Final = Entry(
    "exchange_rate",
    _facts(
        provider=TEXT,  # ECB, or the firm's own name for its table
        base_currency=TEXT,  # one unit of base costs `rate` units of quote
        quote_currency=TEXT,
        rate_date=DAY,
        rate=pa.float64(),
    ),
    key=("provider", "base_currency", "quote_currency", "rate_date"),
    happened="rate_date",
    clustered_by=("rate_date",),
)

SETTING: Final = Entry(
    "setting",
    _facts(
        name=TEXT,  # base_currency, ageing_buckets, import_profile:<fingerprint> ...
        value=TEXT,  # JSON
        effective_from=DAY,
    ),
    key=("name",),
    happened="effective_from",
    clustered_by=("name",),
)

QUARANTINE: Final = Entry(
    "quarantine",
    _facts(
        file_sha256=TEXT,  # the file the row stood in
        file_name=TEXT,
        file_row=pa.int64(),  # line of that file, header = 1
        column=TEXT,  # the file's own column name
        value=TEXT,
        code=TEXT,  # reason: a finding code
        args=TEXT,  # JSON, arguments of the reason's sentence
        row=TEXT,  # JSON: the whole row as it was written, {column: text}
        profile=TEXT,  # JSON: how the file was read, so that the corrected row is read the same way
        fixed_by=TEXT,  # the import that took the corrected row; null while it waits
    ),
    key=("file_sha256", "file_row"),
    happened=None,
    clustered_by=("file_sha256",),
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
