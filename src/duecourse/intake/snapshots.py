"""Open-item lists become invoices, and the settlements that must have happened between one list and the next.

An open-item list says what was still owed at the close of a day. What it owed less than the list before, or no longer shows, was
settled in between: we know the interval, not the day nor the manner, and the settlement says so (`inferred`, kind `unknown`). The
inferred settlements are a pure function of all lists of a scope and of the settlements known otherwise, so lists may come in any order
and in pieces; after each import they are worked out anew and only the differences are written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from duecourse.errors import SnapshotDateMissingError, SnapshotShrankError
from duecourse.findings import Finding, Severity
from duecourse.intake.assemble import CREDIT_KINDS, DEBIT_KINDS, Facts, gives_open
from duecourse.intake.workbench import has_rows, texts
from duecourse.ledger.entries import INVOICE, OPEN_ITEM, SETTLEMENT, SNAPSHOT

if TYPE_CHECKING:
    from datetime import date

    from duecourse.intake import Opened, Profile
    from duecourse.intake.workbench import Workbench
    from duecourse.ledger.store import Draft, Ledger

SHRANK_SHARE: Final = 0.5
SHRANK_ITEMS: Final = 20


def date_of_list(opened: Opened, profile: Profile, facts: Facts, given: date | None) -> date | None:
    """The day an open-item list speaks of: as told, else the date in its name or title, else that of its latest posting.

    None if each line has a date of its own. Raises SnapshotDateMissingError.
    """
    found = given or profile.extract_date
    if found is None and not (profile.has("snapshot_date") and facts.latest_snapshot):
        if facts.latest is None:
            raise SnapshotDateMissingError(file=opened.name)
        found = facts.latest
        facts.findings.append(Finding("snapshot_date_assumed", Severity.WARNING, opened.name, value=str(found)))
    return found


def stage_items(bench: Workbench, profile: Profile, facts: Facts, day: date | None, *, complete: bool) -> None:
    """What this file says is open: tables `new_item` and `new_snapshot`.

    complete  the file lists all open items of its companies; if not, an item it leaves out tells nothing
    """
    when = f"DATE '{day}'" if day else f"coalesce(snapshot, DATE '{facts.latest_snapshot}')"
    settled = "AND settle IS NULL" if profile.shape != "open_items" and profile.has("settle_date") else ""
    if gives_open(profile):
        still_open = "coalesce(open_minor, s)" if profile.shape == "open_items" else "open_minor"
    elif profile.has("paid_amount"):
        still_open = "s - abs(paid_minor)"
    else:
        still_open = "s"
    known = "debit AND " if profile.shape != "open_items" else ""
    bench.run(
        f"""CREATE OR REPLACE TEMP TABLE new_item AS
        SELECT {when} AS snapshot_date, coalesce(entity, '') AS scope, invoice_id, instalment, buyer_id, issue AS issue_date,
            CASE WHEN debit THEN coalesce(due, issue) ELSE due END AS due_date, amount_minor, {still_open} AS open_minor, ccy AS currency,
            type AS document_type, kind, term_days, orderer_id, order_number, sales_owner, text, row_no AS source_row
        FROM document WHERE {known}{still_open} IS NOT NULL {settled}"""
    )
    bench.run(
        f"""CREATE OR REPLACE TEMP TABLE new_snapshot AS
        SELECT snapshot_date, scope, {str(complete).lower()} AS complete, count(*) AS items FROM new_item GROUP BY ALL"""
    )


def guard_against_shrinking(bench: Workbench, opened: Opened, ledger: Ledger) -> None:
    """Raise SnapshotShrankError if the list leaves out more than half of what was open before: it is probably only a part."""
    if not has_rows(ledger, SNAPSHOT):
        return
    worst = bench.row(
        f"""WITH previous AS (
            SELECT n.scope, n.snapshot_date AS on_date, max(k.snapshot_date) AS before_date
            FROM new_snapshot n JOIN known_snapshot k ON k.scope = n.scope AND k.snapshot_date < n.snapshot_date AND k.complete GROUP BY ALL
        ), fate AS (
            SELECT p.scope, p.before_date, p.on_date, count(*) AS before_items, count(*) FILTER (n.invoice_id IS NULL) AS gone
            FROM previous p JOIN known_open_item k ON k.scope = p.scope AND k.snapshot_date = p.before_date AND k.open_minor <> 0
            LEFT JOIN new_item n ON n.scope = k.scope AND n.snapshot_date = p.on_date AND n.invoice_id = k.invoice_id AND n.instalment = k.instalment
            GROUP BY ALL
        )
        SELECT * FROM fate WHERE before_items > {SHRANK_ITEMS} AND gone > {SHRANK_SHARE} * before_items ORDER BY gone DESC LIMIT 1"""
    )
    if worst["gone"]:
        raise SnapshotShrankError(
            file=opened.name, before=worst["before_date"], items=worst["before_items"], gone=worst["gone"], scope=worst["scope"] or "–"
        )


def hand_over_items(bench: Workbench, draft: Draft, *, with_lists: bool) -> None:
    """Stage the lines of the list themselves, and that there was a list."""
    bench.hand_over(draft, OPEN_ITEM, "SELECT * FROM new_item")
    if with_lists:
        bench.hand_over(draft, SNAPSHOT, "SELECT *, NULL::BIGINT AS source_row FROM new_snapshot")


def derive(bench: Workbench, draft: Draft, ledger: Ledger, *, invoices: bool, facts: Facts | None = None) -> bool:
    """Work out the invoices and the inferred settlements of the scopes concerned, and stage what differs from the ledger; did anything?

    invoices  also make invoices of the items (a list of documents has made its own already)

    Tables used, if there: `new_item`, `new_snapshot` (this file), `document`/`credit` (explicit settlements of this file).
    """
    _gather(bench, ledger)
    _observe(bench, ledger)
    staged = 0
    if invoices:
        staged += _hand_over_invoices(bench, draft, ledger, facts)
    return staged + _hand_over_settlements(bench, draft, ledger) > 0


def _gather(bench: Workbench, ledger: Ledger) -> None:
    """All lines of all lists of the scopes concerned: tables `item` and `list_day`."""
    if not bench.exists("new_item"):
        bench.con.execute(
            "CREATE TEMP TABLE new_snapshot AS SELECT NULL::DATE AS snapshot_date, ''::VARCHAR AS scope, false AS complete WHERE false"
        )
        bench.con.execute(
            """CREATE TEMP TABLE new_item AS SELECT *, NULL::VARCHAR AS kind, NULL::INTEGER AS term_days, NULL::VARCHAR AS orderer_id,
            NULL::VARCHAR AS order_number, NULL::VARCHAR AS sales_owner, NULL::VARCHAR AS text FROM known_open_item WHERE false"""
        )
    facts = (
        "snapshot_date, scope, invoice_id, instalment, buyer_id, issue_date, due_date, amount_minor, open_minor, currency, document_type"
    )
    extra = "kind, term_days, orderer_id, order_number, sales_owner, text"
    known_items = known_lists = ""
    if has_rows(ledger, OPEN_ITEM):
        scopes = "scope IN (SELECT scope FROM new_snapshot) AND" if bench.value("SELECT count(*) FROM new_snapshot") else ""
        known_items = f"""UNION ALL BY NAME SELECT {facts}, source_row FROM known_open_item k WHERE {scopes} NOT EXISTS (
            SELECT 1 FROM new_item n WHERE n.snapshot_date = k.snapshot_date AND n.scope = k.scope AND n.invoice_id = k.invoice_id
            AND n.instalment = k.instalment)"""
        known_lists = f"UNION ALL BY NAME SELECT snapshot_date, scope, complete FROM known_snapshot WHERE {scopes} true"
    bench.run(f"CREATE OR REPLACE TEMP TABLE item AS SELECT {facts}, {extra}, source_row FROM new_item {known_items}")
    bench.run(
        f"""CREATE OR REPLACE TEMP TABLE list_day AS SELECT snapshot_date, scope, bool_or(complete) AS complete
        FROM (SELECT snapshot_date, scope, complete FROM new_snapshot {known_lists}) GROUP BY ALL"""
    )


def _explicit(bench: Workbench, ledger: Ledger) -> str:
    """SQL: settlements known otherwise than by inference: what they settle (an item), when, how much."""
    parts: list[str] = []
    names = "settlement_id, invoice_id, instalment, settle_date, amount_minor"
    staged = [name for name in ("explicit_new",) if bench.exists(name)]
    parts += [f"SELECT {names} FROM {name}" for name in staged]
    if has_rows(ledger, SETTLEMENT):
        newer = "AND settlement_id NOT IN (SELECT settlement_id FROM explicit_new)" if staged else ""
        parts.append(f"SELECT {names} FROM known_settlement WHERE NOT coalesce(inferred, false) {newer}")
    return " UNION ALL ".join(parts)


def _observe(bench: Workbench, ledger: Ledger) -> None:
    """Table `step`: for each item and each look at it, what was settled since the look before."""
    bench.run(
        """CREATE OR REPLACE TEMP TABLE look AS
        WITH next_list AS (
            SELECT d.scope, d.snapshot_date, min(c.snapshot_date) AS next_date
            FROM (SELECT DISTINCT scope, snapshot_date FROM item) d
            JOIN list_day c ON c.scope = d.scope AND c.complete AND c.snapshot_date > d.snapshot_date GROUP BY ALL
        ), seen AS (
            SELECT i.*, lead(snapshot_date) OVER w AS seen_again, first_value(open_minor) OVER w AS first_open,
                max(open_minor) OVER all_of_it AS most_open,
                last_value(amount_minor IGNORE NULLS) OVER all_of_it AS original,
                last_value(issue_date IGNORE NULLS) OVER all_of_it AS issued
            FROM item i
            WINDOW w AS (PARTITION BY scope, invoice_id, instalment ORDER BY snapshot_date),
                all_of_it AS (PARTITION BY scope, invoice_id, instalment ORDER BY snapshot_date ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
        )
        SELECT scope, invoice_id, instalment, snapshot_date AS day, open_minor, false AS absent, buyer_id, currency, original, first_open, most_open, issued,
            source_row FROM seen
        UNION ALL
        SELECT s.scope, s.invoice_id, s.instalment, n.next_date, 0, true, s.buyer_id, s.currency, s.original, s.first_open, s.most_open, s.issued, NULL
        FROM seen s JOIN next_list n ON n.scope = s.scope AND n.snapshot_date = s.snapshot_date
        WHERE s.open_minor <> 0 AND (s.seen_again IS NULL OR n.next_date < s.seen_again)"""
    )
    # An item that was a credit when first seen is a payment or credit note waiting to be used, unless the list or the ledger knows it for
    # an invoice: that one is overpaid. All others are debts, whose amount the lists give, or another file has given, or is the most that
    # was ever seen open.
    bench.run(
        """CREATE OR REPLACE TEMP TABLE step AS
        SELECT l.*, first_open < 0 AND coalesce(original, 0) <= 0 AND k.invoice_id IS NULL AS is_credit, lag(day) OVER w AS day_before,
            coalesce(lag(open_minor) OVER w, CASE WHEN original > 0 THEN original WHEN first_open < 0 AND k.invoice_id IS NULL THEN first_open
                ELSE greatest(most_open, coalesce(k.amount_minor, 0)) END) - open_minor AS settled
        FROM look l LEFT JOIN known_invoice k ON k.invoice_id = l.invoice_id AND k.instalment = l.instalment
        WINDOW w AS (PARTITION BY l.scope, l.invoice_id, l.instalment ORDER BY day)"""
    )
    explicit = _explicit(bench, ledger)
    if not explicit:
        return
    bench.run(
        f"""CREATE OR REPLACE TEMP TABLE accounted AS
        SELECT s.scope, s.invoice_id, s.instalment, s.day, sum(e.amount_minor) AS amount
        FROM step s JOIN ({explicit}) e
            ON ((NOT s.is_credit AND e.invoice_id = s.invoice_id AND e.instalment = s.instalment)
                OR (s.is_credit AND e.settlement_id = 'applied:' || s.invoice_id))
            AND e.settle_date <= s.day AND (s.day_before IS NULL OR e.settle_date > s.day_before)
        GROUP BY ALL"""
    )
    bench.run(
        """UPDATE step SET settled = settled - a.amount FROM accounted a
        WHERE a.scope = step.scope AND a.invoice_id = step.invoice_id AND a.instalment = step.instalment AND a.day = step.day"""
    )


def _hand_over_invoices(bench: Workbench, draft: Draft, ledger: Ledger, facts: Facts | None) -> int:
    """Invoices of the items: the newest list that gives a date or an original amount is believed, else the most that was ever seen open."""
    term = facts.median_term if facts and facts.median_term else 0
    bench.run(
        f"""CREATE OR REPLACE TEMP TABLE derived_invoice AS
        WITH newest AS (
            SELECT invoice_id, instalment, scope,
                arg_max(buyer_id, snapshot_date) AS buyer_id, arg_max(issue_date, snapshot_date) AS issued, arg_max(due_date, snapshot_date) AS due,
                arg_max(amount_minor, snapshot_date) AS original, arg_min(open_minor, snapshot_date) AS first_open, max(open_minor) AS most_open,
                arg_max(currency, snapshot_date) AS currency, arg_max(document_type, snapshot_date) AS document_type, max(kind) AS kind,
                max(term_days) AS term_days, max(orderer_id) AS orderer_id, max(order_number) AS order_number, max(sales_owner) AS sales_owner,
                max(text) AS text, min(snapshot_date) AS first_seen, arg_max(source_row, snapshot_date) AS source_row
            FROM item GROUP BY invoice_id, instalment, scope
        )
        SELECT invoice_id, instalment, CASE WHEN kind IN {texts(DEBIT_KINDS)} THEN kind END AS kind, buyer_id, orderer_id,
            nullif(scope, '') AS legal_entity, coalesce(issued, least(due - coalesce(term_days, {term}), first_seen), first_seen) AS issue_date,
            issued IS NULL AS issue_date_estimated, coalesce(due, issued, first_seen) AS due_date,
            due IS NOT NULL AS due_given, first_seen,
            CASE WHEN original > 0 THEN original ELSE most_open END AS amount_minor, original IS NOT NULL AS amount_given,
            currency, term_days AS payment_terms_days, order_number, sales_owner, document_type, text, source_row
        FROM newest WHERE first_open > 0 OR original > 0"""
    )
    plain = "SELECT * EXCLUDE (amount_given, due_given, first_seen) REPLACE (coalesce(kind, 'invoice') AS kind) FROM derived_invoice d"
    if not has_rows(ledger, INVOICE):
        return bench.hand_over(draft, INVOICE, plain)
    # A fuller source than an open-item list may have told us about the invoice: keep what the list does not say.
    kept = dict.fromkeys(("orderer_id", "order_number", "sales_owner", "text", "payment_terms_days", "legal_entity", "document_type"), "")
    kept["kind"] = ", 'invoice'"
    merged = ", ".join(f"coalesce(d.{name}, k.{name}{default}) AS {name}" for name, default in kept.items())
    return bench.hand_over(
        draft,
        INVOICE,
        f"""SELECT d.* EXCLUDE (amount_given, due_given, first_seen) REPLACE ({merged},
            CASE WHEN d.issue_date_estimated THEN least(coalesce(k.issue_date, d.issue_date), d.first_seen) ELSE d.issue_date END AS issue_date,
            d.issue_date_estimated AND coalesce(k.issue_date_estimated, true) AS issue_date_estimated,
            CASE WHEN d.due_given THEN d.due_date ELSE coalesce(k.due_date, d.due_date) END AS due_date,
            CASE WHEN d.amount_given THEN d.amount_minor ELSE greatest(d.amount_minor, coalesce(k.amount_minor, 0)) END AS amount_minor)
        FROM derived_invoice d LEFT JOIN known_invoice k ON k.invoice_id = d.invoice_id AND k.instalment = d.instalment""",
        unless_known="(invoice_id, instalment) NOT IN (SELECT (invoice_id, instalment) FROM new_item)",
    )


def _hand_over_settlements(bench: Workbench, draft: Draft, ledger: Ledger) -> int:
    credit_kind = " ".join(f"WHEN {kind!r} THEN {settlement!r}" for kind, settlement in CREDIT_KINDS.items())
    bench.run(
        """CREATE OR REPLACE TEMP TABLE derived_settlement AS
        SELECT invoice_id || '/' || instalment || '@' || day AS settlement_id, CASE WHEN is_credit THEN 'allocation' ELSE 'unknown' END AS kind,
            buyer_id, CASE WHEN NOT is_credit THEN invoice_id END AS invoice_id, CASE WHEN NOT is_credit THEN instalment END AS instalment,
            nullif(scope, '') AS legal_entity, day AS settle_date,
            CASE WHEN day_before IS NOT NULL THEN day_before + 1 ELSE least(issued, day) END AS settle_date_from,
            true AS inferred, settled AS amount_minor, currency, source_row
        FROM step WHERE settled <> 0"""
    )
    bench.run(
        f"""CREATE OR REPLACE TEMP TABLE derived_credit AS
        SELECT invoice_id || CASE WHEN instalment > 1 THEN '.' || instalment ELSE '' END AS settlement_id,
            CASE max(kind) {credit_kind} END AS kind, arg_max(buyer_id, snapshot_date) AS buyer_id,
            nullif(scope, '') AS legal_entity, coalesce(arg_max(issue_date, snapshot_date), arg_max(due_date, snapshot_date), min(snapshot_date)) AS settle_date,
            false AS inferred, -arg_min(open_minor, snapshot_date) AS amount_minor, arg_max(currency, snapshot_date) AS currency,
            arg_max(document_type, snapshot_date) AS document_type, arg_max(source_row, snapshot_date) AS source_row
        FROM item WHERE (invoice_id, instalment) NOT IN (SELECT (invoice_id, instalment) FROM known_invoice)
        GROUP BY invoice_id, instalment, scope HAVING arg_min(open_minor, snapshot_date) < 0 AND coalesce(max(amount_minor), 0) <= 0"""
    )
    absent = "NULL::VARCHAR AS payer_id, NULL::VARCHAR AS reference, NULL::VARCHAR AS text"
    inferred = f"SELECT *, NULL::VARCHAR AS document_type, {absent} FROM derived_settlement"
    credits_ = f"""SELECT d.* REPLACE (coalesce(d.kind, 'credit_note') AS kind), NULL::VARCHAR AS invoice_id, NULL::INTEGER AS instalment,
        NULL::DATE AS settle_date_from, {absent} FROM derived_credit d"""
    if has_rows(ledger, SETTLEMENT):
        # What another file told about the credit, or an earlier list, is not said again in fewer words.
        credits_ = f"""SELECT d.* REPLACE (coalesce(d.kind, k.kind, 'credit_note') AS kind), NULL::VARCHAR AS invoice_id,
            NULL::INTEGER AS instalment, NULL::DATE AS settle_date_from, {absent}
            FROM derived_credit d LEFT JOIN known_settlement k ON k.settlement_id = d.settlement_id
            WHERE k.settlement_id IS NULL OR EXISTS (SELECT 1 FROM known_open_item o WHERE o.source = k.source AND o.invoice_id = d.settlement_id)"""
    known = has_rows(ledger, SETTLEMENT)
    staged = bench.hand_over(draft, SETTLEMENT, f"{inferred} UNION ALL BY NAME {credits_}", unless_known="true" if known else "")
    if not known:
        return staged
    gone = bench.arrow(
        """SELECT * EXCLUDE (recorded_at, source, supersedes, voided), true AS voided FROM known_settlement k
        WHERE inferred AND contains(settlement_id, '@') AND coalesce(legal_entity, '') IN (SELECT scope FROM list_day)
        AND settlement_id NOT IN (SELECT settlement_id FROM derived_settlement)"""
    )
    if gone.num_rows:
        draft.put(SETTLEMENT.name, gone)
    return staged + int(gone.num_rows)
