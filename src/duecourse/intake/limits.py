"""A list of credit limits into the ledger: the firm's own, the insurer's, temporary ones, blocks.  信用额度导入

A limit is named by its number, or by whose it is, its kind and its first day: the same list again adds nothing, a changed line corrects. A
limit of a buyer nobody knows is set aside: it would hold for nobody and hide a slip of the pen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from duecourse.engines.duckdb import literal
from duecourse.findings import Finding, Severity
from duecourse.intake.assemble import EARLIEST, FAULT, YEARS_AHEAD, Facts, Source, mend_buyer_ids, scale_sql, years_after
from duecourse.intake.header import normalise
from duecourse.intake.workbench import has_rows
from duecourse.ledger.entries import BUYER, INVOICE, LIMIT

if TYPE_CHECKING:
    from datetime import date

    from duecourse.intake import Profile
    from duecourse.intake.workbench import Workbench
    from duecourse.ledger.store import Draft, Ledger

KINDS: Final = {
    "standing": (
        "standing", "own", "own limit", "internal", "internal limit", "regular", "permanent", "standard", "credit limit", "自有", "自有额度", "内部", "内部额度",
        "常规", "常规额度", "固定", "固定额度", "正式", "正式额度", "信用额度", "授信", "授信额度", "eigen", "eigenes Limit", "Eigenlimit", "intern", "internes Limit",
        "Standard", "Regellimit", "Kreditlimit", "dauerhaft",
    ),
    "insurer": (
        "insurer", "insured", "insured limit", "insurer's limit", "insurance", "insurance limit", "credit insurance", "cover", "policy", "保险", "保险额度", "保险限额",
        "信保", "信保额度", "信保限额", "信用保险", "买方限额", "Versicherer", "versichert", "Versicherung", "Versicherungslimit", "Versicherungssumme", "WKV", "WKV-Limit",
        "Warenkreditversicherung", "Deckung",
    ),
    "temporary": (
        "temporary", "temporary limit", "temp", "interim", "seasonal", "临时", "临时额度", "季节性", "短期", "befristet", "befristetes Limit", "temporär", "vorübergehend",
        "Saison", "Zusatzlimit",
    ),
    "block": ("block", "blocked", "stop", "stopped", "hold", "冻结", "停止赊销", "禁止赊销", "止付", "黑名单", "Sperre", "gesperrt", "Liefersperre"),
}  # fmt: skip
"""What people call them."""

FOREVER: Final = 2050
"""A last day in or after this year is how systems write that there is none: 31.12.9999, 2099-12-31."""


def kind_sql(profile: Profile) -> str:
    """SQL over the lines: the kind of a limit; '' for a word nobody knows. Without a word it is what the heading of the amounts says."""
    words = {normalise(word): kind for kind, said in KINDS.items() for word in (kind, *said)}
    table = ", ".join(f"{literal(word)}: {literal(kind)}" for word, kind in words.items())
    plain = "strip_accents(lower(regexp_replace(limit_kind, '[^\\p{L}\\p{N}]', '', 'g')))"
    heading = normalise(profile.column("limit_amount"))
    insured = any(normalise(word) in heading for word in KINDS["insurer"] if len(normalise(word)) > 1)
    usual = "insurer" if insured else "standing"
    return f"CASE WHEN nullif(trim(limit_kind), '') IS NULL THEN '{usual}' ELSE coalesce((MAP {{{table}}})[{plain}], '') END"


def stage_limits(bench: Workbench, source: Source, ledger: Ledger, *, currency: str, today: date) -> Facts:
    """Read the list: table `staged`, a line each, with the reason where it cannot be used.

    currency  of amounts without one: as the person says, else as the file says, else the one the firm adds up in
    """
    profile = source.profile
    default = currency or profile.currency or _base_currency(ledger)
    last_day = years_after(profile.extract_date or today, YEARS_AHEAD)
    first = literal(str(profile.extract_date or today))
    checks = [
        ("bad IS NOT NULL", "cell_unreadable"), ("buyer_id IS NULL AND group_id IS NULL", "buyer_missing"), ("kind = ''", "limit_kind_unknown"),
        ("kind <> 'block' AND amount IS NULL", "amount_missing"), ("amount < 0", "limit_negative"),
        ("amount IS NOT NULL AND factor IS NULL", "currency_invalid"),
        ("abs(amount * factor - round(amount * factor)) > 0.000001 * factor", "amount_inexact"),
        (f"begins NOT BETWEEN DATE '{EARLIEST}' AND DATE '{last_day}' OR ends < DATE '{EARLIEST}'", "date_implausible"),
        ("ends < begins", "limit_ends_early"),
    ]  # fmt: skip
    fault = " ".join(f"WHEN {test} THEN {FAULT[code]}" for test, code in checks)
    ends = f"CASE WHEN valid_to < DATE '{FOREVER}-01-01' THEN valid_to END"
    begins = f"coalesce(valid_from, issue_date, snapshot_date, least(CAST({first} AS DATE), coalesce({ends}, CAST({first} AS DATE))))"
    bench.run(
        f"""CREATE OR REPLACE TEMP TABLE staged AS
        SELECT *, CAST(CASE WHEN kind = 'block' THEN NULL ELSE round(amount * factor) END AS BIGINT) AS amount_minor,
            CAST(CASE {fault} ELSE 0 END AS UTINYINT) AS fault
        FROM (SELECT *, {scale_sql("ccy")} AS factor FROM (
            SELECT row_no, bad, nullif(limit_id, '') AS number, {_who(bench, ledger, profile)} AS buyer_id, nullif(group_id, '') AS group_id,
                nullif(legal_entity, '') AS entity, {kind_sql(profile)} AS kind, limit_amount AS amount,
                coalesce(nullif(upper(currency), ''), {literal(default)}) AS ccy, term_days, {begins} AS begins, {ends} AS ends, review_on,
                nullif(concat_ws(' · ', nullif(reference, ''), nullif(text, '')), '') AS text
            FROM ({source.lines()}) l))"""
    )
    bench.run("UPDATE staged SET group_id = NULL WHERE buyer_id IS NOT NULL")
    facts = Facts(**bench.row("SELECT count(*) AS rows FROM staged"))
    mend_buyer_ids(bench, facts, ledger)
    _only_known(bench, ledger)
    _name(bench, facts, ledger)
    facts.faults = int(bench.value("SELECT count(*) FROM staged WHERE fault > 0") or 0)
    if not (currency or profile.currency):
        assumed = "coalesce(nullif(currency, ''), '') = ''" if profile.has("currency") else "true"
        count = bench.value(f"SELECT count(*) FROM ({source.lines()}) WHERE limit_amount IS NOT NULL AND {assumed}")
        if count and default:
            facts.findings.append(Finding("limit_currency_taken", Severity.WARNING, value=default, args={"count": int(count)}))
    return facts


def _base_currency(ledger: Ledger) -> str:
    from datetime import date as day  # noqa: PLC0415 — only to look at the whole ledger

    found = ledger.as_of(day.max).settings.get("base_currency") if ledger.version else None
    return str(found or "")


def _who(bench: Workbench, ledger: Ledger, profile: Profile) -> str:
    """SQL over the lines: whose limit it is. Without a customer number, the buyer with this registration number, or with this very name."""
    choices = [f"nullif({role}, '')" for role in ("buyer_id", "payer_id") if profile.has(role)]
    if has_rows(ledger, BUYER):
        bench.run(
            """CREATE OR REPLACE TEMP TABLE called AS SELECT written, min(buyer_id) AS buyer_id FROM (
                SELECT 'number ' || upper(regexp_replace(registration_number, '[^0-9A-Za-z]', '', 'g')) AS written, buyer_id FROM known_buyer
                UNION SELECT 'name ' || lower(trim(name)), buyer_id FROM known_buyer
                UNION SELECT 'name ' || lower(trim(name_local)), buyer_id FROM known_buyer
            ) WHERE written IS NOT NULL GROUP BY 1 HAVING count(DISTINCT buyer_id) = 1"""
        )
        for role, written in (
            ("registration_number", "'number ' || upper(regexp_replace(l.registration_number, '[^0-9A-Za-z]', '', 'g'))"),
            ("buyer_name", "'name ' || lower(trim(l.buyer_name))"),
        ):
            if profile.has(role):
                choices.append(f"(SELECT any_value(c.buyer_id) FROM called c WHERE c.written = {written})")
    if profile.has("buyer_name"):
        choices.append("nullif(buyer_name, '')")  # a system without customer numbers: the name is the account
    return f"coalesce({', '.join(choices)})" if choices else "NULL::VARCHAR"


def _only_known(bench: Workbench, ledger: Ledger) -> None:
    """Set aside the limits of buyers and groups the ledger has nothing of; a ledger that knows nobody yet takes them all."""
    tables = [entry for entry in (BUYER, INVOICE) if has_rows(ledger, entry)]
    if not tables:
        return
    known = " UNION ".join(f"SELECT buyer_id FROM known_{entry.name} WHERE buyer_id IS NOT NULL" for entry in tables)
    groups = f" UNION {known}" + (" UNION SELECT group_id FROM known_buyer WHERE group_id IS NOT NULL" if BUYER in tables else "")
    bench.run(
        f"""UPDATE staged SET fault = {FAULT["buyer_unknown"]} WHERE fault = 0 AND (
            (buyer_id IS NOT NULL AND buyer_id NOT IN ({known})) OR (buyer_id IS NULL AND group_id NOT IN ({groups.removeprefix(" UNION ")})))"""
    )


def _name(bench: Workbench, facts: Facts, ledger: Ledger) -> None:
    """Give each limit its number; lines that say the same are taken once, of those that contradict the first one counts."""
    made = "concat_ws(':', kind, coalesce(buyer_id, group_id), entity, begins, CASE WHEN kind = 'temporary' THEN ends END)"
    content = "concat_ws('|', kind, coalesce(buyer_id, ''), coalesce(group_id, ''), coalesce(entity, ''), coalesce(amount_minor, -1), ccy, begins, ends)"
    bench.run(
        f"""CREATE OR REPLACE TEMP TABLE named AS
        SELECT *, row_number() OVER (PARTITION BY limit_id ORDER BY row_no) AS place, first_value(content) OVER (PARTITION BY limit_id ORDER BY row_no) AS first
        FROM (SELECT row_no, coalesce(number, {made}) AS limit_id, {content} AS content, kind, buyer_id, group_id FROM staged WHERE fault = 0)"""
    )
    taken = "place > 1 AND content <> first"
    if has_rows(ledger, LIMIT):  # a number that stands for another buyer's limit would take it from him
        taken += """ OR limit_id IN (SELECT n.limit_id FROM named n JOIN known_limit k ON k.limit_id = n.limit_id
            WHERE coalesce(k.buyer_id, k.group_id) IS DISTINCT FROM coalesce(n.buyer_id, n.group_id) OR k.kind <> n.kind)"""
    bench.run(f"UPDATE staged SET fault = {FAULT['duplicate_key']} WHERE row_no IN (SELECT row_no FROM named WHERE {taken})")
    rows = bench.rows("SELECT row_no FROM named WHERE place > 1 AND content = first ORDER BY row_no")
    facts.repeated = len(rows)
    if rows:
        told = ", ".join(str(row["row_no"]) for row in rows[:5])
        facts.findings.append(Finding("rows_repeated", Severity.NOTE, row=rows[0]["row_no"], args={"count": len(rows), "rows": told}))


def hand_over_limits(bench: Workbench, draft: Draft, ledger: Ledger) -> None:
    """Stage the limits for the ledger. What the list does not say stays as the ledger has it: the day somebody ended a limit, its decision."""
    kept = {
        "payment_terms_days": "s.term_days",
        "review_on": "s.review_on",
        "ended_on": "NULL::DATE",
        "decision_id": "NULL::VARCHAR",
        "text": "s.text",
    }
    known = has_rows(ledger, LIMIT)
    if known:
        kept = {name: f"coalesce({said}, k.{name})" for name, said in kept.items()}
    bench.hand_over(
        draft,
        LIMIT,
        f"""SELECT n.limit_id, s.kind, s.buyer_id, s.group_id, s.entity AS legal_entity, s.amount_minor,
            CASE WHEN s.amount_minor IS NOT NULL THEN s.ccy END AS currency, s.begins AS valid_from, s.ends AS valid_to,
            {", ".join(f"{said} AS {name}" for name, said in kept.items())}, s.row_no AS source_row
        FROM staged s JOIN named n ON n.row_no = s.row_no {"LEFT JOIN known_limit k ON k.limit_id = n.limit_id" if known else ""}
        WHERE s.fault = 0 AND n.place = 1""",
    )
