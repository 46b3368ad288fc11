"""What is known of a buyer beyond its account with us, and what we decided on it: statements, signals, mentions, lists, limits, decisions."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from duecourse.ledger.entries.table import COUNT, DAY, FLAG, INSTANT, MINOR, TEXT, Entry, facts_of

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
    facts_of(
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
    facts_of(
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
    facts_of(
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

LIST_ENTRY: Final = Entry(
    "list_entry",
    facts_of(
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

LIMIT_KINDS: Final = (
    "standing",  # what the firm grants
    "temporary",  # on top of the standing limit until it ends
    "insurer",  # what the credit insurer covers
    "block",  # no sale on credit, whatever the limit
)

LIMIT: Final = Entry(
    "limit",
    facts_of(
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

DECISION_KINDS: Final = ("limit", "order", "grade_adjustment", "list_verdict", "alert", "route")

DECISION: Final = Entry(
    "decision",
    facts_of(
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
