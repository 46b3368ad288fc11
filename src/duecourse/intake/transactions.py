"""A list of documents becomes invoices and settlements, so that what is owed comes out right as of every date.

An invoice keeps its whole amount for ever; whatever reduces it is a settlement with its own date. A payment or credit that names no
invoice is an unapplied credit from its posting date. Where a clearing brings invoices and earlier credits together (the accounting
system's clearing document), the invoices receive an `allocation` and the credits give theirs back on that day, so that the sum does
not move. A cleared invoice whose payment is not in the file was paid in cash on the clearing date.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from duecourse.intake.assemble import CREDIT_KINDS, DEBIT_KINDS, Facts, due_sql, gives_open, issue_sql, present
from duecourse.intake.workbench import has_rows, texts
from duecourse.ledger.entries import DISPUTE, INVOICE, SETTLEMENT

if TYPE_CHECKING:
    from duecourse.intake import Profile
    from duecourse.intake.workbench import Workbench
    from duecourse.ledger.store import Draft, Ledger

NO_SETTLEMENT: Final = "NULL::VARCHAR AS payer_id, NULL::DATE AS settle_date_from, false AS inferred"


def invoices(facts: Facts) -> str:
    """SQL: the invoices of the file, one row per document and instalment."""
    issue, estimated = issue_sql(facts)
    return f"""SELECT invoice_id, instalment, CASE WHEN kind IN {texts(DEBIT_KINDS)} THEN kind ELSE 'invoice' END AS kind,
        buyer_id, orderer_id, entity AS legal_entity, {issue} AS issue_date, {estimated} AS issue_date_estimated, {due_sql(facts)} AS due_date,
        s AS amount_minor, ccy AS currency, term_days AS payment_terms_days, order_number, sales_owner, type AS document_type, text,
        row_no AS source_row
        FROM document WHERE debit"""


def cleared_invoices(profile: Profile) -> str:
    """SQL: invoices with a settlement date in a file without payments of its own: paid in cash on that date."""
    paid = "s"
    if gives_open(profile):
        paid = "s - coalesce(open_minor, 0)"
    elif profile.has("paid_amount"):
        paid = "coalesce(paid_minor, s)"
    return f"""SELECT 'settled:' || invoice_id || '/' || instalment AS settlement_id, 'cash' AS kind, buyer_id, invoice_id, instalment,
        entity AS legal_entity, settle AS settle_date, {paid} AS amount_minor, ccy AS currency, NULL::VARCHAR AS document_type,
        clearing AS reference, NULL::VARCHAR AS text, row_no AS source_row, {NO_SETTLEMENT}
        FROM document WHERE debit AND settle IS NOT NULL AND {paid} <> 0"""


def stage_credits(bench: Workbench, profile: Profile, ledger: Ledger) -> None:
    """Payments, credit notes and the like: table `credit`, one row per reduction (`r` > 0) and the invoice instalment it goes to, if any."""
    known_kind = " ".join(f"WHEN {kind!r} THEN {settlement!r}" for kind, settlement in CREDIT_KINDS.items())
    other = "'cash'" if profile.shape == "payments" else "CASE WHEN kind = 'other' THEN 'unknown' ELSE 'credit_note' END"
    when = "coalesce(settle, posting, issue)" if profile.shape == "payments" else "coalesce(posting, issue, settle)"
    clears = "NULL::DATE" if profile.shape == "payments" else "settle"
    content = "concat_ws('|', buyer_id, entity, posting, settle, s, ccy, kind, type, reference, text)"
    alike = f"concat_ws('|', {content}, clearing, item, open_minor)"
    bench.run(
        f"""CREATE OR REPLACE TEMP TABLE credit_line AS
        WITH named AS (
            SELECT *, CASE kind {known_kind} ELSE {other} END AS settlement_kind, {when} AS day, {clears} AS cleared,
                coalesce(id, substr(md5({content}), 1, 16)) AS named, {alike} AS alike
            FROM entry_line WHERE NOT debit
        ), counted AS (
            SELECT *, row_number() OVER (PARTITION BY named, applied_to, alike ORDER BY row_no) AS copy,
                dense_rank() OVER (PARTITION BY named, coalesce(entity, ''), applied_to ORDER BY coalesce(item, 0), alike) AS part,
                min(coalesce(entity, '')) OVER (PARTITION BY named) AS first_entity
            FROM named
        )
        SELECT * EXCLUDE (part, copy, first_entity), copy,
            CASE WHEN coalesce(entity, '') <> first_entity THEN entity || '/' ELSE '' END || named
                || CASE WHEN applied_to IS NOT NULL THEN '>' || applied_to ELSE '' END
                || CASE WHEN part > 1 THEN '.' || part ELSE '' END
                || CASE WHEN id IS NULL AND copy > 1 THEN '#' || copy ELSE '' END AS sid
        FROM counted WHERE id IS NULL OR copy = 1"""
    )
    targets = ["SELECT invoice_id, instalment, buyer_id, s AS amount_minor, due, ccy FROM document WHERE debit"]
    if has_rows(ledger, INVOICE):
        targets.append(
            """SELECT invoice_id, instalment, buyer_id, amount_minor, due_date AS due, currency AS ccy FROM known_invoice
            WHERE (invoice_id, instalment) NOT IN (SELECT (invoice_id, instalment) FROM document WHERE debit)"""
        )
    bench.run(
        f"""CREATE OR REPLACE TEMP TABLE target AS
        SELECT *, count(*) OVER (PARTITION BY invoice_id) AS instalments,
            sum(amount_minor) OVER (PARTITION BY invoice_id ORDER BY due, instalment) AS until,
            row_number() OVER (PARTITION BY invoice_id ORDER BY due DESC, instalment DESC) = 1 AS last
        FROM ({" UNION ALL ".join(targets)}) WHERE invoice_id IN (SELECT applied_to FROM credit_line)"""
    )
    earlier = "SELECT NULL::VARCHAR AS invoice_id, 0 AS applied WHERE false"
    if has_rows(ledger, SETTLEMENT):
        earlier = """SELECT invoice_id, sum(amount_minor) AS applied FROM known_settlement
            WHERE invoice_id IN (SELECT invoice_id FROM target WHERE instalments > 1)
            AND split_part(settlement_id, '@', 1) NOT IN (SELECT sid FROM credit_line) GROUP BY invoice_id"""
    bench.run(
        f"""CREATE OR REPLACE TEMP TABLE credit AS
        WITH single AS (
            SELECT l.*, coalesce(t.buyer_id, l.buyer_id) AS owner, l.applied_to AS to_invoice,
                CASE WHEN l.applied_to IS NOT NULL THEN coalesce(t.instalment, 1) END AS to_instalment, -l.s AS r
            FROM credit_line l
            LEFT JOIN (SELECT * FROM target WHERE instalments = 1 OR last) t ON t.invoice_id = l.applied_to
            WHERE l.applied_to IS NULL OR l.s > 0 OR coalesce(t.instalments, 1) = 1
        ), stretch AS (
            SELECT l.*, coalesce(e.applied, 0) + sum(-l.s) OVER (PARTITION BY l.applied_to ORDER BY l.day, l.row_no) AS until
            FROM credit_line l LEFT JOIN ({earlier}) e ON e.invoice_id = l.applied_to
            WHERE l.s < 0 AND l.applied_to IN (SELECT invoice_id FROM target WHERE instalments > 1)
        ), spread AS (
            SELECT s.* EXCLUDE (until), t.buyer_id AS owner, s.applied_to AS to_invoice, t.instalment AS to_instalment,
                CASE WHEN t.last THEN s.until ELSE least(s.until, t.until) END - greatest(s.until + s.s, t.until - t.amount_minor) AS r
            FROM stretch s JOIN target t ON t.invoice_id = s.applied_to
                AND s.until > t.until - t.amount_minor AND (s.until + s.s < t.until OR t.last)
        )
        SELECT * FROM single UNION ALL BY NAME
        SELECT * REPLACE (sid || '@' || to_instalment AS sid) FROM spread WHERE r > 0"""
    )


def credit_settlements() -> str:
    """SQL: the reductions themselves, on the day they were posted."""
    return """SELECT sid AS settlement_id, settlement_kind AS kind, coalesce(owner, buyer_id) AS buyer_id,
        to_invoice AS invoice_id, to_instalment::INTEGER AS instalment, entity AS legal_entity, day AS settle_date, r::BIGINT AS amount_minor,
        ccy AS currency, type AS document_type, coalesce(reference, clearing) AS reference, text, row_no AS source_row,
        CASE WHEN buyer_id <> owner THEN buyer_id END AS payer_id, NULL::DATE AS settle_date_from, false AS inferred
        FROM credit"""


def stage_clearings(bench: Workbench, profile: Profile) -> None:
    """What the clearings of the file do: table `clearing_step`, rows of settlements that bring each cleared item to zero."""
    group = "concat_ws('|', coalesce(entity, ''), coalesce(clearing, coalesce(buyer_id, '') || '|' || {day}))"
    paid = "s"
    if gives_open(profile):
        paid = "s - coalesce(open_minor, 0)"
    bench.run(
        f"""CREATE OR REPLACE TEMP TABLE clearing_step AS
        WITH brought AS (
            SELECT DISTINCT {group.format(day="cleared")} AS g FROM credit WHERE cleared IS NOT NULL AND to_invoice IS NULL AND r > 0
        ), applied AS (
            SELECT d.row_no, sum(c.r) AS r FROM document d
            JOIN credit c ON c.to_invoice = d.invoice_id AND c.to_instalment = d.instalment AND c.r > 0 AND c.day <= d.settle
                -- In a file that clears credits too, one that is not cleared stands open beside the cleared invoice it names.
                AND (c.cleared IS NOT NULL OR NOT EXISTS (SELECT 1 FROM credit WHERE cleared IS NOT NULL))
            WHERE d.debit AND d.settle IS NOT NULL GROUP BY d.row_no
        ), debit_side AS (
            SELECT 'settled:' || d.invoice_id || '/' || d.instalment AS settlement_id,
                CASE WHEN b.g IS NULL THEN 'cash' ELSE 'allocation' END AS kind, d.buyer_id, d.invoice_id, d.instalment, d.entity AS legal_entity,
                d.settle AS settle_date, {paid} - coalesce(a.r, 0) AS amount_minor, d.ccy AS currency, d.clearing AS reference, d.row_no AS source_row
            FROM (SELECT *, {group.format(day="settle")} AS g FROM document WHERE debit AND settle IS NOT NULL) d
            LEFT JOIN applied a ON a.row_no = d.row_no LEFT JOIN brought b ON b.g = d.g
        ), credit_side AS (
            SELECT 'applied:' || sid AS settlement_id, 'allocation' AS kind, coalesce(owner, buyer_id) AS buyer_id, to_invoice AS invoice_id,
                to_instalment AS instalment, entity AS legal_entity, cleared AS settle_date, -r AS amount_minor, ccy AS currency,
                clearing AS reference, row_no AS source_row
            FROM credit WHERE cleared IS NOT NULL AND (to_invoice IS NULL OR r < 0)
        )
        SELECT * FROM debit_side WHERE amount_minor <> 0 UNION ALL BY NAME SELECT * FROM credit_side WHERE amount_minor <> 0"""
    )


def clearing_settlements() -> str:
    """SQL: the steps of the clearings as settlements."""
    return f"""SELECT settlement_id, kind, buyer_id, invoice_id, instalment::INTEGER AS instalment, legal_entity, settle_date,
        amount_minor::BIGINT AS amount_minor, currency, NULL::VARCHAR AS document_type, reference, NULL::VARCHAR AS text, source_row,
        {NO_SETTLEMENT} FROM clearing_step"""


def flagged_disputes(facts: Facts) -> str:
    """SQL: invoices the file marks as disputed; raised with the invoice, for want of a better date, and over once it is settled."""
    issue, _estimated = issue_sql(facts)
    return f"""SELECT 'dispute:' || invoice_id || '/' || instalment AS dispute_id, buyer_id, invoice_id, instalment, {issue} AS raised_on,
        settle AS resolved_on, NULL::BIGINT AS amount_minor, ccy AS currency, reason, NULL::VARCHAR AS outcome, row_no AS source_row
        FROM document WHERE debit AND disputed"""


def hand_over_transactions(bench: Workbench, draft: Draft, ledger: Ledger, profile: Profile, facts: Facts, *, keep: bool) -> None:
    """Stage the invoices, settlements and disputes of a list of documents or payments.

    keep  leave the settlements on the bench too (table `explicit_new`), for open-item lists to be measured against
    """
    if profile.shape != "payments":
        bench.hand_over(draft, INVOICE, invoices(facts))
    parts: list[str] = []
    if facts.credits:
        stage_credits(bench, profile, ledger)
        parts.append(credit_settlements())
        if profile.has("settle_date") and profile.shape != "payments":
            stage_clearings(bench, profile)
            parts.append(clearing_settlements())
    elif profile.has("settle_date"):
        parts.append(cleared_invoices(profile))
    if parts:
        settlements = " UNION ALL BY NAME ".join(parts)
        if keep:
            bench.run(f"CREATE OR REPLACE TEMP TABLE explicit_new AS {settlements}")
            settlements = "SELECT * FROM explicit_new"
        bench.hand_over(draft, SETTLEMENT, settlements)
    if present(profile, "disputed") and profile.shape != "payments":
        bench.hand_over(draft, DISPUTE, flagged_disputes(facts))
