"""Typed lines become checked items: who, which document, how much in minor units, when; each line either usable or with the reason why not.

One pass over the file puts every usable column of every line on the bench (table `line`). Whatever needs more than one line, such as
repeated documents, instalments and the sign of payments, is settled afterwards on the few lines concerned.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from duecourse.engines.duckdb import literal
from duecourse.findings import Finding, Severity
from duecourse.intake import lines_sql
from duecourse.intake.workbench import has_rows, texts
from duecourse.ledger.entries import BUYER, INVOICE
from duecourse.money import exponent
from duecourse.reference.currencies import CURRENCIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duecourse.intake import Opened, Profile
    from duecourse.intake.straight import Straight
    from duecourse.intake.workbench import Workbench
    from duecourse.ledger.store import Ledger

DEBIT_KINDS: Final = ("invoice", "debit_note", "interest_note", "opening")
CREDIT_KINDS: Final = {
    "payment": "cash",
    "advance": "cash",
    "credit_note": "credit_note",
    "return": "return",
    "discount": "discount",
    "write_off": "write_off",
    "allocation": "allocation",
    "deduction": "deduction",
    "set_off": "set_off",
    "refund": "cash",
    "exchange_difference": "exchange_difference",
}
"""Kind of a document that reduces a debt -> kind of settlement it is."""

EARLIEST: Final = date(1990, 1, 1)
"""No receivable still kept in a ledger is older; an earlier date is a slip of the pen."""

YEARS_AHEAD: Final = 10
"""No payment term is longer; a date further ahead is a slip of the pen."""

USUAL_CURRENCIES: Final = ("CNY", "USD", "EUR", "GBP", "HKD", "CAD")
"""Compared first, for speed; all have two decimals."""

FAULTS: Final = (
    "",
    "cell_unreadable",  # replaced by the reader's own code
    "buyer_missing",
    "document_id_missing",
    "amount_missing",
    "currency_invalid",
    "amount_inexact",
    "date_implausible",
    "due_date_missing",
    "date_missing",
    "duplicate_key",
    "rate_missing",
    "limit_kind_unknown",
    "limit_negative",
    "limit_ends_early",
    "buyer_unknown",
)
"""Why a line cannot be used, by the number it carries on the bench; 0 is fine."""

FAULT: Final = {name: number for number, name in enumerate(FAULTS)}

TEXT_ROLES: Final = {
    "document_type": "type",
    "clearing_document": "clearing",
    "applied_to": "applied_to",
    "order_number": "order_number",
    "sales_owner": "sales_owner",
    "text": "text",
    "reference": "reference",
    "dispute_reason": "reason",
    "buyer_name": "buyer_name",
    "buyer_name_local": "buyer_name_local",
    "country": "country",
    "city": "city",
    "sector": "sector",
    "registration_number": "registration_number",
    "vat_number": "vat_number",
    "lei": "lei",
    "legal_form": "legal_form",
    "registered_capital": "registered_capital",
    "registry_status": "registry_status",
    "legal_representative": "legal_representative",
    "owner_name": "owner_name",
    "enterprise_size": "enterprise_size",
    "group_id": "group_id",
    "group_name": "group_name",
    "payment_method": "payment_method",
    "status": "status",
}
SAME_ROLES: Final = {
    "legal_entity": "entity",
    "settle_date": "settle",
    "customer_since": "customer_since",
    "founded_on": "founded_on",
    "snapshot_date": "snapshot",
    "disputed": "disputed",
}
PLAIN: Final = {
    **dict.fromkeys(TEXT_ROLES.values(), "VARCHAR"),
    "kind": "VARCHAR",
    "item": "INTEGER",
    "buyer_id": "VARCHAR",
    "orderer_id": "VARCHAR",
    "entity": "VARCHAR",
    "issue": "DATE",
    "posting": "DATE",
    "due": "DATE",
    "settle": "DATE",
    "customer_since": "DATE",
    "founded_on": "DATE",
    "snapshot": "DATE",
    "term_days": "INTEGER",
    "open_minor": "BIGINT",
    "paid_minor": "BIGINT",
    "amount_minor": "BIGINT",
    "disputed": "BOOLEAN",
}
"""Columns of `line` beside row_no, id, ccy, s (signed minor units, > 0 is owed to us) and fault; null where the file has none."""


@dataclass
class Facts:
    """What one look over the lines of a file told, needed to read them."""

    rows: int = 0
    faults: int = 0
    zeros: int = 0
    credits: int = 0
    without_currency: int = 0
    without_issue: int = 0
    without_id: int = 0
    assumed_due: int = 0
    due_before_issue: int = 0
    median_term: int | None = None
    latest: date | None = None
    earliest: date | None = None
    latest_settle: date | None = None
    latest_snapshot: date | None = None
    extract_date: date | None = None
    flipped: tuple[str, ...] = ()
    resolved: bool = False
    repeated: int = 0
    aliases: int = 0
    findings: list[Finding] = field(default_factory=list)


def has_amount(profile: Profile) -> bool:
    """Does the file give the amount of a document, be it as debit and credit columns?"""
    return any(profile.has(role) for role in ("amount", "debit", "credit"))


def present(profile: Profile, role: str) -> bool:
    """Do the lines have this role, be it from another column (terms from their code, a name from the heading above)?"""
    if role == "term_days" and profile.has("term_code"):
        return True
    if role == "disputed" and profile.has("disputed_amount"):
        return True
    return profile.has(role) or profile.grouped_by == role


def gives_open(profile: Profile) -> bool:
    """Does the file say how much of a document is still open, in a column of its own?"""
    if not profile.has("open_amount"):
        return False
    return not profile.has("amount") or profile.mapping["open_amount"].index != profile.mapping["amount"].index


def scale_sql(currency: str, constant: str = "") -> str:
    """SQL: minor units in one unit of the currency, null if there is no such currency; a plain number where it is known beforehand.

    The usual ones are compared first; the rest by one pattern, because a long list for IN is planned as a join.
    """
    if constant:
        return str(10 ** exponent(constant))
    by_exponent: dict[int, list[str]] = {}
    for code in CURRENCIES:
        by_exponent.setdefault(exponent(code), []).append(code)
    usual = " OR ".join(f"{currency} = '{code}'" for code in USUAL_CURRENCIES)
    cases = " ".join(
        f"WHEN regexp_full_match({currency}, '{'|'.join(sorted(codes))}') THEN {10**power}" for power, codes in sorted(by_exponent.items())
    )
    return f"(CASE WHEN {usual} THEN 100 {cases} END)"


@dataclass(frozen=True)
class Source:
    """A file and how it is read. `renumbered`: its lines stand for lines of another file (table `row_map`: row_no -> file_row)."""

    opened: Opened
    profile: Profile
    renumbered: bool = False

    def lines(self, *, raw: bool = False) -> str:
        """SQL: the typed lines of the file, `row_no` being the line a person looks for."""
        sql = lines_sql(self.opened, self.profile, raw=raw)
        if not self.renumbered:
            return sql
        return f"SELECT l.* REPLACE (m.file_row AS row_no) FROM ({sql}) l JOIN row_map m ON m.row_no = l.row_no"


def _columns(profile: Profile) -> dict[str, str]:
    """SQL over the typed lines for every column of `line` that the file gives, but for its money."""

    def has(role: str) -> bool:
        return present(profile, role)

    columns = {column: role for role, column in TEXT_ROLES.items() if has(role)}
    if has("document_type"):
        columns["kind"] = "document_kind"
    if has("line_item"):
        columns["item"] = "nullif(greatest(TRY_CAST(TRY_CAST(line_item AS DOUBLE) AS INTEGER), 0), 0)"
    buyers = [role for role in ("payer_id", "buyer_id", "orderer_id") if has(role)]
    if not buyers and has("buyer_name"):
        buyers = ["buyer_name"]  # a system without customer numbers: the name is the account
    buyer = f"coalesce({', '.join(buyers)})" if buyers else "NULL::VARCHAR"
    columns["buyer_id"] = buyer
    if len(buyers) > 1:
        orderer = f"coalesce({', '.join(reversed(buyers))})"
        columns["orderer_id"] = f"CASE WHEN {orderer} <> {buyer} THEN {orderer} END"
    issues = [role for role in ("issue_date", "posting_date") if has(role)]
    if issues:
        columns["issue"] = f"coalesce({', '.join(issues)})"
        columns["posting"] = f"coalesce({', '.join(reversed(issues))})"
    dues = ["due_date"] if has("due_date") else []
    if has("term_days"):
        columns["term_days"] = "term_days"
        dues += [f"{role} + term_days" for role in ("baseline_date", *issues) if has(role)]
    if dues:
        columns["due"] = f"coalesce({', '.join(dues)})"
    return columns | {column: role for role, column in SAME_ROLES.items() if has(role)}


@dataclass(frozen=True)
class _Money:
    """SQL for the amounts of a line and their currency; `given`: each line may have its own currency."""

    total: str
    opens: str
    currency: str
    given: bool
    minor: dict[str, str]


def _money(profile: Profile, default: str) -> _Money:
    total = "amount" if has_amount(profile) else "NULL::DECIMAL(38,6)"
    currency = "currency" if profile.has("currency") else "NULL::VARCHAR"
    if profile.has("local_amount"):
        local = "local_currency" if profile.has("local_currency") else "NULL::VARCHAR"
        currency = f"CASE WHEN {total} IS NULL AND local_amount IS NOT NULL THEN coalesce({local}, {currency}) ELSE {currency} END"
        total = f"coalesce({total}, local_amount)"
    given = profile.has("currency") or profile.has("local_amount")
    minor = {"s": "total"}
    opens = "NULL::DECIMAL(38,6)"
    if gives_open(profile):
        opens = "open_amount"
        minor["open_minor"] = "opens"
        if not has_amount(profile) and not profile.has("local_amount"):  # nothing was billed as far as we know, only what is left of it
            total = "open_amount"
            minor["s"] = "opens"
    if profile.has("paid_amount"):
        minor["paid_minor"] = "paid_amount"
    return _Money(total, opens, f"coalesce(nullif(upper({currency}), ''), {literal(default)})" if given else literal(default), given, minor)


def _checks(profile: Profile, columns: Mapping[str, str], money: _Money, last_day: date) -> list[tuple[str, str]]:
    """What each line is tested for, in this order: SQL that is true of a bad line, and the reason."""
    credit = f"(coalesce(kind, '') IN {texts(CREDIT_KINDS)} OR total < 0)" if "kind" in columns else "(total < 0)"
    if profile.shape == "payments":
        credit = "true"
    unapplied = " AND applied_to IS NULL" if "applied_to" in columns else ""
    checks = [("bad IS NOT NULL", "cell_unreadable")]
    lists_documents = profile.shape in ("transactions", "open_items", "payments")
    if lists_documents:
        checks.append(("total IS NULL", "amount_missing"))
        if profile.has("document_id"):
            checks.append((f"id IS NULL AND NOT {credit}", "document_id_missing"))
    elif profile.shape == "disputes":
        checks.append(("id IS NULL" + unapplied, "document_id_missing"))
    if lists_documents or profile.shape == "buyers":
        checks.append(("buyer_id IS NULL" + unapplied, "buyer_missing"))
    if money.given:
        checks.append(("factor IS NULL", "currency_invalid"))
    # Float noise below a millionth is none; a null amount is no fault here.
    checks += [
        (f"abs({sql} * factor - round({sql} * factor)) > 0.000001 * factor", "amount_inexact")
        for sql in dict.fromkeys(money.minor.values())
    ]
    dates = [name for name in ("issue", "due", "settle", "snapshot") if name in columns]
    if dates:
        bounds = f"DATE '{EARLIEST}' AND DATE '{last_day}'"
        checks.append((" OR ".join(f"{name} NOT BETWEEN {bounds}" for name in dates), "date_implausible"))
    if profile.shape in ("transactions", "open_items") and ("due" in columns or "issue" in columns):
        # A balance brought forward has no date of its own; it stands before everything else in the file.
        brought = " AND coalesce(kind, '') <> 'opening'" if "kind" in columns else ""
        checks.append((f"{'due' if 'due' in columns else 'issue'} IS NULL AND NOT {credit}{brought}", "due_date_missing"))
    if profile.shape in ("transactions", "payments", "disputes"):
        undated = " AND ".join(f"{name} IS NULL" for name in ("issue", "settle") if name in columns) or "true"
        checks.append((undated if profile.shape == "disputes" else f"{credit} AND {undated}", "date_missing"))
    return checks


def stage_lines(bench: Workbench, source: Source, *, currency: str, today: date) -> None:
    """Read the file once: table `staged` with every column it has, and the view `line` with every column there is."""
    profile = source.profile
    default = currency or profile.currency or "XXX"
    columns = _columns(profile)
    money = _money(profile, default)
    checks = _checks(profile, columns, money, years_after(profile.extract_date or today, YEARS_AHEAD))
    constant = "" if money.given else default
    inner = ", ".join(
        [
            *(f"{sql} AS {name}" for name, sql in columns.items()),
            f"{money.currency} AS ccy",
            f"{money.total} AS total",
            f"{money.opens} AS opens",
        ]
    )
    fault = " ".join(f"WHEN {test} THEN {FAULT[code]}" for test, code in checks)
    kept = ", ".join(columns)
    minors = ", ".join(f"CAST(round({sql} * factor) AS BIGINT) AS {name}" for name, sql in money.minor.items())
    paid = ", paid_amount" if profile.has("paid_amount") else ""
    bench.run(
        f"""CREATE OR REPLACE TEMP TABLE staged AS
        SELECT row_no, id, {kept}, ccy, {minors}, CAST(CASE {fault} ELSE 0 END AS UTINYINT) AS fault
        FROM (SELECT *, {scale_sql("ccy", constant)} AS factor FROM (SELECT row_no, bad, document_id AS id{paid}, {inner} FROM ({source.lines()})))"""
    )
    absent = ", ".join(
        f"NULL::{kind} AS {name}"
        for name, kind in PLAIN.items()
        if name not in columns and name not in money.minor and name != "amount_minor"
    )
    # An open-item list with a single amount tells what is open, not what was billed.
    gives_original = profile.has("local_amount") or (has_amount(profile) and (profile.shape != "open_items" or gives_open(profile)))
    original = "s" if gives_original else "NULL::BIGINT"
    bench.con.execute(
        f"CREATE OR REPLACE TEMP VIEW line AS SELECT *, {original} AS amount_minor{', ' + absent if absent else ''} FROM staged"
    )


def years_after(day: date, years: int) -> date:
    """The same day of a later year, the 28th at the latest."""
    return day.replace(year=day.year + years, day=min(day.day, 28))


def look(bench: Workbench, profile: Profile, *, default_currency: str, today: date, plus: Straight | None = None) -> Facts:
    """Count once over the staged lines what the later steps have to know, and settle on which side of the account each line stands.

    plus  lines of the file that were taken beforehand

    Leaves the view `entry_line`: usable lines with `debit` (does it add to what is owed) and `s` signed accordingly.
    """
    credit_kinds = texts(CREDIT_KINDS)
    seen = bench.row(
        f"""SELECT count(*) AS rows, count(*) FILTER (fault > 0) AS faults, count(*) FILTER (fault = 0 AND s = 0 AND coalesce(open_minor, 0) = 0) AS zeros,
            count(*) FILTER (fault = 0 AND (s < 0 OR kind IN {credit_kinds})) AS credits,
            count(*) FILTER (fault = 0 AND ccy = 'XXX') AS without_currency,
            count(*) FILTER (fault = 0 AND id IS NULL AND s <> 0) AS without_id,
            count(*) FILTER (fault = 0 AND issue IS NULL AND s > 0 AND NOT coalesce(kind IN {credit_kinds}, false)) AS without_issue,
            count(*) FILTER (fault = 0 AND due IS NULL AND s > 0 AND NOT coalesce(kind IN {credit_kinds}, false)) AS assumed_due,
            count(*) FILTER (fault = 0 AND due < issue - 1) AS due_before_issue,
            max(settle) FILTER (fault = 0) AS latest_settle, max(snapshot) FILTER (fault = 0) AS latest_snapshot,
            max(greatest(issue, posting)) FILTER (fault = 0) AS latest, min(issue) FILTER (fault = 0) AS earliest,
            CAST(round(quantile_cont(term_days, 0.5) FILTER (fault = 0)) AS INTEGER) AS median_term
        FROM line"""
    )
    facts = Facts(**seen)
    if plus:
        facts.rows += plus.rows
        facts.without_currency += plus.sums.get("XXX", (0, 0))[0]
        facts.due_before_issue += plus.due_before_issue
        facts.latest = max((day for day in (facts.latest, plus.latest_issue) if day), default=None)
        facts.latest_settle = max((day for day in (facts.latest_settle, plus.latest_settle) if day), default=None)
    facts.extract_date = profile.extract_date or facts.latest_settle or facts.latest_snapshot or facts.latest
    if facts.extract_date is not None and facts.extract_date > today and profile.extract_date is None:
        facts.extract_date = today
    signed = "s"
    if profile.shape == "payments":
        facts.credits = facts.rows - facts.faults
        mostly = bench.value("SELECT sum(sign(s)) FROM line WHERE fault = 0")
        if (mostly or 0) > 0:
            facts.flipped = ("payment",)
            signed = "-s"
    elif facts.credits and profile.has("document_type") and profile.sign != "indicator":
        kinds = bench.rows(
            f"SELECT kind FROM line WHERE fault = 0 AND kind IN {credit_kinds} AND kind <> 'refund' GROUP BY kind HAVING sum(sign(s)) > 0"
        )
        facts.flipped = tuple(sorted(row["kind"] for row in kinds))
        if facts.flipped:
            signed = f"CASE WHEN kind IN {texts(facts.flipped)} THEN -s ELSE s END"
    if profile.shape == "payments":
        debit = "false"
    elif facts.credits:
        debit = f"({signed} > 0 AND NOT coalesce(kind IN {credit_kinds}, false))"
    else:
        debit = "true"
    openly = (
        "open_minor" if signed == "s" else f"CASE WHEN sign(open_minor) = sign(s) AND ({signed}) = -s THEN -open_minor ELSE open_minor END"
    )
    if profile.shape == "open_items" and gives_open(profile):
        # A payment or credit in an ageing report often has nothing billed, only something (negative) open.
        signed = f"(CASE WHEN s = 0 THEN open_minor ELSE {signed} END)"
        debit = f"({signed} > 0 AND NOT coalesce(kind IN {credit_kinds}, false))"
    bench.con.execute(
        f"""CREATE OR REPLACE TEMP VIEW entry_line AS
        SELECT * REPLACE ({signed} AS s, {openly} AS open_minor), {debit} AS debit FROM line
        WHERE fault = 0 AND (s <> 0 OR coalesce(open_minor, 0) <> 0)"""
    )
    _say_what_was_seen(facts, profile, default_currency)
    return facts


def _say_what_was_seen(facts: Facts, profile: Profile, default_currency: str) -> None:
    def note(code: str, severity: Severity, count: int, column: str = "", **args: Any) -> None:
        if count:
            facts.findings.append(Finding(code, severity, column=column, args={"count": count, **args}))

    if not default_currency:
        note("currency_absent", Severity.WARNING, facts.without_currency, profile.column("currency") if profile.has("currency") else "")
    note("amount_zero", Severity.NOTE, facts.zeros)
    if profile.shape in ("transactions", "open_items"):
        if facts.without_issue:
            note("issue_dates_estimated", Severity.NOTE, facts.without_issue, days=facts.median_term or 0)
        note("due_date_assumed", Severity.WARNING, facts.assumed_due)
        note("due_before_issue", Severity.WARNING, facts.due_before_issue)


def resolve_documents(bench: Workbench, facts: Facts, *, every_line: bool, ledger: Ledger, mending: Sequence[str] = ()) -> None:
    """Which document and which instalment of it is each line? Leaves the view `document`: `entry_line` with invoice_id and instalment.

    every_line  also the lines on the credit side (an open-item list numbers them alike)
    mending     the imports that brought the other lines of a file whose corrected lines these are: their numbers are taken

    Lines without a number get one made of their content, and a count where several are alike. A number met more than once is: the same
    line repeated (kept once); instalments, if the due dates or line items differ; documents of several of our companies, told apart by
    the company's code; else a conflict, and the later line is set aside.
    """
    side = "true" if every_line else "debit"
    needs: list[str] = []
    if facts.without_id:
        content = "concat_ws('|', buyer_id, entity, issue, due, s, ccy, type, order_number, reference)"
        bench.run(
            f"""CREATE OR REPLACE TEMP TABLE made_id AS
            SELECT row_no, made || '-' || row_number() OVER (PARTITION BY made ORDER BY row_no) AS id
            FROM (SELECT row_no, substr(md5({content}), 1, 16) AS made FROM entry_line WHERE id IS NULL AND {side})"""
        )
        needs.append("made_id")
    key = "hash(id)"
    uniques = bench.row(f"SELECT count(*) AS n, count(DISTINCT {key}) AS k FROM entry_line WHERE id IS NOT NULL AND {side}")
    several = uniques["n"] != uniques["k"]
    clash = False
    if has_rows(ledger, INVOICE) and bench.value("SELECT count(*) FROM (SELECT 1 FROM entry_line WHERE entity IS NOT NULL LIMIT 1)"):
        bench.run(
            f"""CREATE OR REPLACE TEMP TABLE foreign_id AS
            SELECT DISTINCT l.id, l.entity FROM entry_line l JOIN known_invoice k ON k.invoice_id = l.id
            WHERE {side} AND l.entity IS NOT NULL AND k.legal_entity <> l.entity"""
        )
        clash = bool(bench.value("SELECT count(*) FROM foreign_id"))
    if several:
        _tell_apart(bench, key, side)
        facts.repeated = int(bench.value("SELECT count(*) FROM resolved WHERE verdict = 1") or 0)
        facts.resolved = True
        if facts.repeated:
            first = bench.rows("SELECT row_no FROM resolved WHERE verdict = 1 ORDER BY row_no LIMIT 5")
            rows = ", ".join(str(row["row_no"]) for row in first)
            facts.findings.append(
                Finding("rows_repeated", Severity.NOTE, row=first[0]["row_no"], args={"count": facts.repeated, "rows": rows})
            )
    ids = "l.id"
    joins = ""
    if "made_id" in needs:
        joins += " LEFT JOIN made_id m ON m.row_no = l.row_no"
        ids = "coalesce(m.id, l.id)"
    if clash:
        joins += " LEFT JOIN foreign_id f ON f.id = l.id AND f.entity = l.entity"
        ids = f"CASE WHEN f.id IS NOT NULL THEN f.entity || '/' || f.id ELSE {ids} END"
    instalment = "coalesce(l.item, 1)"
    where = f"WHERE {side}"
    if several:
        joins += " LEFT JOIN resolved r ON r.row_no = l.row_no"
        ids = f"coalesce(r.invoice_id, {ids})"
        instalment = f"coalesce(r.instalment, {instalment})"
        where += " AND coalesce(r.verdict, 0) = 0"
    bench.con.execute(
        f"""CREATE OR REPLACE TEMP VIEW document AS
        SELECT l.*, {ids} AS invoice_id, {instalment} AS instalment FROM entry_line l{joins} {where}"""
    )
    if mending and has_rows(ledger, INVOICE):
        bench.run(
            f"""CREATE OR REPLACE TEMP TABLE taken AS SELECT d.row_no FROM document d JOIN known_invoice k
            ON k.invoice_id = d.invoice_id AND k.instalment = d.instalment AND k.source_row <> d.row_no AND k.source IN {texts(mending)}"""
        )
        bench.run(f"UPDATE staged SET fault = {FAULT['duplicate_key']} WHERE row_no IN (SELECT row_no FROM taken)")


def _tell_apart(bench: Workbench, key: str, side: str) -> None:
    content = "concat_ws('|', buyer_id, orderer_id, entity, issue, due, settle, s, open_minor, paid_minor, ccy, kind, type, item, clearing, applied_to)"
    bench.run(
        f"""CREATE OR REPLACE TEMP TABLE several AS
        SELECT row_no, id, entity, buyer_id, ccy, due, item, {content} AS content
        FROM entry_line WHERE {side} AND {key} IN (SELECT {key} FROM entry_line WHERE {side} AND id IS NOT NULL GROUP BY 1 HAVING count(*) > 1)"""
    )
    bench.run(
        """CREATE OR REPLACE TEMP TABLE resolved AS
        WITH once AS (
            SELECT *, row_number() OVER (PARTITION BY id, content ORDER BY row_no) AS copy,
                min(coalesce(entity, '')) OVER (PARTITION BY id) AS first_entity
            FROM several
        ), mine AS (
            SELECT *, CASE WHEN coalesce(entity, '') <> first_entity THEN entity || '/' || id ELSE id END AS invoice_id FROM once
        ), owner AS (
            SELECT invoice_id, arg_min(coalesce(buyer_id, ''), row_no) AS buyer_id, arg_min(ccy, row_no) AS ccy,
                count(*) = count(DISTINCT item) AS by_item
            FROM mine WHERE copy = 1 GROUP BY invoice_id
        ), ranked AS (
            SELECT m.*, o.by_item, coalesce(m.buyer_id, '') <> o.buyer_id OR m.ccy <> o.ccy AS stranger,
                row_number() OVER (PARTITION BY m.invoice_id, m.copy = 1, m.due ORDER BY m.row_no) AS same_due,
                dense_rank() OVER (PARTITION BY m.invoice_id, m.copy = 1 ORDER BY m.due NULLS LAST) AS rank_by_due
            FROM mine m JOIN owner o USING (invoice_id)
        )
        SELECT row_no, invoice_id, CAST(CASE WHEN by_item THEN item ELSE rank_by_due END AS INTEGER) AS instalment,
            CASE WHEN copy > 1 THEN 1 WHEN stranger OR (NOT by_item AND same_due > 1) THEN 2 ELSE 0 END AS verdict
        FROM ranked"""
    )
    bench.run(f"UPDATE staged SET fault = {FAULT['duplicate_key']} WHERE row_no IN (SELECT row_no FROM resolved WHERE verdict = 2)")


def stage_aliases(bench: Workbench, ledger: Ledger, of: str = "staged") -> int:
    """Buyers of a table that the ledger does not know but knows with (or without) leading zeros: table `buyer_alias`; how many."""
    sources = [f"SELECT buyer_id FROM known_{entry.name}" for entry in (BUYER, INVOICE) if has_rows(ledger, entry)]
    if not sources:
        return 0
    bench.run(
        f"""CREATE OR REPLACE TEMP TABLE buyer_alias AS
        WITH known AS (SELECT DISTINCT buyer_id FROM ({" UNION ALL ".join(sources)}) WHERE buyer_id IS NOT NULL),
        strange AS (SELECT DISTINCT buyer_id FROM {of} WHERE buyer_id IS NOT NULL AND buyer_id NOT IN (SELECT buyer_id FROM known))
        SELECT s.buyer_id AS written, min(k.buyer_id) AS known_id
        FROM strange s JOIN known k ON ltrim(k.buyer_id, '0') = ltrim(s.buyer_id, '0')
        WHERE ltrim(s.buyer_id, '0') <> '' GROUP BY s.buyer_id HAVING count(*) = 1"""
    )
    return int(bench.value("SELECT count(*) FROM buyer_alias") or 0)


def mend_buyer_ids(bench: Workbench, facts: Facts, ledger: Ledger) -> None:
    """A buyer the ledger does not know, but knows with (or without) leading zeros, is that buyer: spreadsheets drop them."""
    facts.aliases = stage_aliases(bench, ledger)
    if facts.aliases:
        bench.run("UPDATE staged SET buyer_id = a.known_id FROM buyer_alias a WHERE staged.buyer_id = a.written")
        example = bench.row("SELECT written, known_id FROM buyer_alias ORDER BY written LIMIT 1")
        facts.findings.append(
            Finding(
                "buyer_leading_zeros", Severity.NOTE, value=example["written"], args={"count": facts.aliases, "known": example["known_id"]}
            )
        )


def possible_duplicates(bench: Workbench, facts: Facts) -> None:
    """Count documents of the same buyer, amount and due date under different numbers: billed twice, perhaps."""
    found = bench.row("SELECT count(*) AS n, count(DISTINCT hash(buyer_id, s, due, ccy)) AS k FROM document WHERE debit")
    if found["n"] > found["k"]:
        facts.findings.append(Finding("possible_duplicates", Severity.NOTE, args={"count": found["n"] - found["k"]}))


def issue_sql(facts: Facts) -> tuple[str, str]:
    """SQL over `document`: the date of issue, and whether it is estimated: due date less the term, yet not after payment or extract."""
    term = f"coalesce(term_days, {facts.median_term or 0})"
    limits = [f"due - CAST({term} AS INTEGER)", "settle"]
    if facts.extract_date:
        limits.append(f"DATE '{facts.extract_date}'")
    brought = f"WHEN kind = 'opening' AND due IS NULL THEN DATE '{facts.earliest}'" if facts.earliest else ""
    return f"CASE WHEN issue IS NOT NULL THEN issue {brought} ELSE least({', '.join(limits)}) END", "issue IS NULL"


def due_sql(facts: Facts) -> str:
    """SQL over `document`: the due date; a document without one is payable at once."""
    return f"coalesce(due, {issue_sql(facts)[0]})"


def column_of(profile: Profile, *roles: str) -> str:
    """The file's own name for the first of these roles it has."""
    return next((str(profile.column(role)) for role in roles if profile.has(role)), "")
