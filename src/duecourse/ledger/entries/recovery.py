"""What a debt can be recovered with: security, contracts, what happened in cases, letters, documents and what they prove, assets."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from duecourse.ledger.entries.table import COUNT, DAY, FLAG, MINOR, TEXT, Entry, facts_of

SECURITY_KINDS: Final = ("guarantee", "standby_letter_of_credit", "bank_guarantee", "pledge", "mortgage", "deposit", "retention_of_title")

SECURITY: Final = Entry(
    "security",
    facts_of(
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
    facts_of(
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
    "lawyer_letter",  # 律师函
    "bill_received",  # 收到承兑汇票: promised_on is its maturity, reference its number
    "bill_presented",  # 提示付款
    "bill_dishonoured",  # 拒付
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
    facts_of(
        event_id=TEXT,
        case_id=TEXT,
        buyer_id=TEXT,
        invoice_id=TEXT,  # null = the whole case
        instalment=COUNT,
        party=TEXT,  # whom it was done to or by, where that is not the debtor: a guarantor, an agency
        kind=TEXT,  # one of CASE_EVENT_KINDS
        happened_on=DAY,
        received_on=DAY,  # when it reached the other side, where that matters; null = not known
        promised_on=DAY,  # the day it names: money promised for, a bill's maturity, last day for claims, until when a judgment is to be obeyed
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
    facts_of(
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
    facts_of(
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
    facts_of(
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
    facts_of(
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
