"""What a file says about buyers, exchange rates and disputes, added to what the ledger knows without blanking any of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa

from duecourse.engines.duckdb import literal
from duecourse.intake.assemble import EARLIEST, FAULT, Facts, Source, present, years_after
from duecourse.intake.registry import check_numbers, lay_out_capital
from duecourse.intake.workbench import has_rows, texts
from duecourse.ledger.entries import BUYER, DISPUTE, EXCHANGE_RATE, INVOICE
from duecourse.reference.countries import COUNTRIES
from duecourse.reference.currencies import CURRENCIES

if TYPE_CHECKING:
    from datetime import date

    from duecourse.findings import Finding
    from duecourse.intake import Profile
    from duecourse.intake.workbench import Workbench
    from duecourse.ledger.store import Draft, Ledger

PROFILE_ROLES: Final = {
    "buyer_name": "name",
    "buyer_name_local": "name_local",
    "registration_number": "registration_number",
    "country": "country",
    "city": "city",
    "sector": "sector",
    "group_id": "group_id",
    "group_name": "group_name",
    "sales_owner": "sales_owner",
    "customer_since": "customer_since",
    "vat_number": "vat_number",
    "lei": "lei",
    "legal_form": "legal_form",
    "founded_on": "founded_on",
    "registry_status": "registry_status",
    "legal_representative": "legal_representative",
    "owner_name": "owner_name",
    "enterprise_size": "enterprise_size",
}
"""What a line may say about its buyer -> column of the buyer's profile."""

MASTER_ROLES: Final = {"legal_entity": "entity", "currency": "ccy", "term_days": "term_days"}
MASTER_COLUMNS: Final = {"legal_entity": "legal_entity", "currency": "currency", "term_days": "payment_terms_days"}


def says_about_buyers(profile: Profile) -> bool:
    """Does the file tell more about a buyer than its number?"""
    return profile.shape == "buyers" or any(present(profile, role) for role in PROFILE_ROLES)


def hand_over_buyers(bench: Workbench, draft: Draft, ledger: Ledger, profile: Profile) -> list[Finding]:
    """Stage the buyers' profiles: of each column the latest value that is not blank, over what the ledger has.

    Gives what is doubtful in them: registers' numbers that fail their check, capital that cannot be read.
    """
    columns = {target: role for role, target in PROFILE_ROLES.items() if present(profile, role)}
    doubts = check_numbers(bench, profile)
    if "vat_number" in columns and "registration_number" not in columns:
        columns["registration_number"] = "vat_number"  # the number by which a firm is looked for
    if profile.shape == "buyers":
        columns |= {MASTER_COLUMNS[role]: source for role, source in MASTER_ROLES.items() if present(profile, role)}
    if "country" in columns:
        lay_out_countries(bench)
        columns["country"] = "country_code"
    lines = "line"
    if "country" in columns:
        lines = "(SELECT line.*, n.code AS country_code FROM line LEFT JOIN country_name n ON n.written = lower(trim(line.country)))"
    if present(profile, "registered_capital"):
        doubts += lay_out_capital(bench, profile)
        columns |= {name: name for name in ("registered_capital_minor", "registered_capital_currency")}
        lines = f"(SELECT l.*, c.minor AS registered_capital_minor, c.code AS registered_capital_currency FROM {lines} l LEFT JOIN capital_said c ON c.written = l.registered_capital)"
    later = "row_no"
    if profile.shape != "buyers" and (profile.has("issue_date") or profile.has("posting_date")):
        later = "(date_diff('day', DATE '1900-01-01', coalesce(issue, DATE '1900-01-01')) * 4294967296 + row_no)"
    picks = ", ".join(f"arg_max({source}, {later}) FILTER ({source} IS NOT NULL) AS {target}" for target, source in columns.items())
    absent = [name for name in BUYER.values if name not in columns]
    new = f"""SELECT buyer_id, {picks}, {", ".join(f"NULL AS {name}" for name in absent)}, max(row_no) AS source_row
        FROM {lines} WHERE fault = 0 AND buyer_id IS NOT NULL GROUP BY buyer_id"""
    if has_rows(ledger, BUYER):
        merged = ", ".join(f"coalesce(n.{name}, k.{name}) AS {name}" if name in columns else f"k.{name}" for name in BUYER.values)
        new = f"SELECT n.buyer_id, {merged}, n.source_row FROM ({new}) n LEFT JOIN known_buyer k ON k.buyer_id = n.buyer_id"
    bench.hand_over(draft, BUYER, new)
    return doubts


def stage_rates(bench: Workbench, source: Source, *, base: str, today: date) -> Facts:
    """Read an exchange-rate table: one unit of the base currency costs `rate` units of the quote currency.

    A table with one currency column quotes the firm's own currency (`base`) for one unit of each.
    """
    has = source.profile.has
    one = "base_currency" if has("base_currency") else "currency"
    quote = (
        "quote_currency" if has("quote_currency") else "currency" if has("base_currency") and has("currency") else literal(base or "XXX")
    )
    when = next((role for role in ("rate_date", "posting_date", "issue_date", "snapshot_date") if has(role)), "NULL::DATE")
    day = literal(str(source.profile.extract_date)) if source.profile.extract_date else "NULL"
    bench.run(
        f"""CREATE OR REPLACE TEMP TABLE staged AS SELECT *,
            CASE WHEN bad IS NOT NULL THEN {FAULT["cell_unreadable"]} WHEN coalesce(rate, 0) <= 0 THEN {FAULT["rate_missing"]}
                WHEN rate_date IS NULL THEN {FAULT["date_missing"]}
                WHEN rate_date NOT BETWEEN DATE '{EARLIEST}' AND DATE '{years_after(today, 1)}' THEN {FAULT["date_implausible"]}
                WHEN base_currency NOT IN {texts(CURRENCIES)} OR quote_currency NOT IN {texts(CURRENCIES)} OR base_currency = quote_currency
                THEN {FAULT["currency_invalid"]} ELSE 0 END AS fault
        FROM (SELECT row_no, bad, coalesce(upper({one}), '') AS base_currency, coalesce(upper({quote}), '') AS quote_currency,
            coalesce({when}, CAST({day} AS DATE)) AS rate_date, CAST(rate AS DOUBLE) AS rate FROM ({source.lines()}))"""
    )
    return Facts(**bench.row("SELECT count(*) AS rows, count(*) FILTER (fault > 0) AS faults FROM staged"))


def hand_over_rates(bench: Workbench, draft: Draft, *, provider: str) -> None:
    """Stage the exchange rates; of several for one day the last counts."""
    bench.hand_over(
        draft,
        EXCHANGE_RATE,
        f"""SELECT {literal(provider)} AS provider, base_currency, quote_currency, rate_date, arg_max(rate, row_no) AS rate,
            max(row_no) AS source_row FROM staged WHERE fault = 0 GROUP BY ALL""",
    )


def lay_out_countries(bench: Workbench) -> None:
    """Table `country_name`: every way to write a country (code or name, lower case) and its ISO 3166 alpha-2 code."""
    written: dict[str, str] = {}
    for country in COUNTRIES.values():
        for text in (country.alpha2, country.alpha3, country.name_en, country.name_zh):
            if text:
                written.setdefault(text.lower(), country.alpha2)
    bench.con.register(
        "country_name", pa.table({"written": pa.array(list(written), pa.string()), "code": pa.array(list(written.values()), pa.string())})
    )


def hand_over_disputes(bench: Workbench, draft: Draft, ledger: Ledger, profile: Profile) -> None:
    """Stage a list of disputes; the buyer is looked up by the invoice where the list does not name it."""
    if profile.has("applied_to"):
        number, invoice = "coalesce(id, 'dispute:' || applied_to || '/' || coalesce(item, 1))", "applied_to"
    else:
        number, invoice = "'dispute:' || id || '/' || coalesce(item, 1)", "id"
    owner, join = "l.buyer_id", ""
    if has_rows(ledger, INVOICE):
        owner = "coalesce(l.buyer_id, k.buyer_id)"
        join = (
            f"LEFT JOIN (SELECT invoice_id, any_value(buyer_id) AS buyer_id FROM known_invoice GROUP BY 1) k ON k.invoice_id = l.{invoice}"
        )
    bench.hand_over(
        draft,
        DISPUTE,
        f"""SELECT {number} AS dispute_id, {owner} AS buyer_id, {invoice} AS invoice_id, coalesce(item, 1) AS instalment,
            coalesce(posting, issue) AS raised_on, settle AS resolved_on, nullif(abs(s), 0) AS amount_minor, ccy AS currency,
            coalesce(reason, text) AS reason, CASE WHEN status IN ('accepted', 'rejected', 'partly') THEN status END AS outcome, row_no AS source_row
        FROM line l {join} WHERE fault = 0
        QUALIFY row_number() OVER (PARTITION BY dispute_id ORDER BY row_no DESC) = 1""",
    )
