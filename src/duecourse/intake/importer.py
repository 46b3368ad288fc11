"""From an export to the ledger: look at a file before it is used, then take it in whole or not at all."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import pyarrow as pa

from duecourse.collector import at_rest
from duecourse.errors import LimitsNotYoursError
from duecourse.findings import Finding, Severity
from duecourse.intake import Opened, Overrides, Profile, dropped, open_file, preview_rows, totals, understand
from duecourse.intake.assemble import (
    EARLIEST,
    YEARS_AHEAD,
    Facts,
    Source,
    gives_open,
    look,
    mend_buyer_ids,
    possible_duplicates,
    resolve_documents,
    stage_aliases,
    stage_lines,
    years_after,
)  # fmt: skip
from duecourse.intake.limits import hand_over_limits, stage_limits
from duecourse.intake.master import hand_over_buyers, hand_over_disputes, hand_over_rates, says_about_buyers, stage_rates
from duecourse.intake.profile import fingerprint
from duecourse.intake.quarantine import hand_over_refused
from duecourse.intake.rates import file_hash, import_central_bank_file, is_central_bank_file
from duecourse.intake.snapshots import date_of_list, derive, guard_against_shrinking, hand_over_items, stage_items
from duecourse.intake.straight import Straight, form_of, get_ready, processors, rest_source, take_straight
from duecourse.intake.transactions import hand_over_transactions
from duecourse.intake.workbench import MEMORY_LIMIT, Progress, Workbench, has_rows
from duecourse.ledger.entries import BUYER, INVOICE, LIMIT, OPEN_ITEM, QUARANTINE, SETTING, SETTLEMENT, SNAPSHOT

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from duecourse.ledger.journal import JournalRow
    from duecourse.ledger.store import BatchResult, Draft, Ledger

Completeness = Literal["", "partial", "complete"]

PROFILE_SETTING: Final = "import_profile:"
FIX: Final = "fix"
"""The journal's note on corrected lines that came back."""

NOTED: Final = 50_000
"""Files with more lines than this are not searched for possible double billing, which would cost them a second pass."""


@dataclass(frozen=True)
class Options:
    """What the person who imports says about a file; anything left empty is recognised.

    columns       role -> the file's column, where recognition got it wrong
    currency      ISO 4217 code of amounts without one
    snapshot_date of which day an open-item list speaks
    completeness  `partial`: the list leaves items out; `complete`: it has them all, however many are gone since the last
    date_order    dmy, mdy or ymd
    decimal       the decimal mark, `.` or `,`
    shape         transactions, open_items, payments, buyers, disputes, rates or limits
    sheet         name of the worksheet
    source        the system the file comes from, e.g. sap_fbl5n
    unit          元, 千元, 万元, 百万元 or 亿元, in which amounts are written
    base_currency the currency in which the firm adds up
    provider      name of an exchange-rate table's provider

    The last two change nothing of what is read; the journal keeps them.
    by    who imports
    grants  may the person who imports bring credit limits in? They were granted elsewhere and pass no authority
    mark  the caller's own number of this import: taken up again after a crash, an import that had come through is known by it
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    currency: str = ""
    snapshot_date: date | None = None
    completeness: Completeness = ""
    date_order: str = ""
    decimal: str = ""
    shape: str = ""
    sheet: str = ""
    source: str = ""
    unit: str = ""
    base_currency: str = ""
    provider: str = "own"
    by: str = ""
    mark: str = ""
    grants: bool = True
    threads: int | None = None
    memory_limit: str = MEMORY_LIMIT

    def overrides(self) -> Overrides:
        """What the reader of the file needs of them."""
        return Overrides(
            map=dict(self.columns), date_order=self.date_order, decimal=self.decimal, currency=self.currency, shape=self.shape,
            sheet=self.sheet, source=self.source, unit=self.unit,
        )  # fmt: skip

    def key(self) -> str:
        """The same for options that read a file alike."""
        said = {
            name: str(value) if isinstance(value, date) else value
            for name, value in vars(self).items()
            if name not in ("by", "mark", "grants", "threads", "memory_limit") and value
        }
        return json.dumps({**said, "columns": dict(self.columns)}, sort_keys=True, ensure_ascii=False)


@dataclass(frozen=True)
class Total:
    """What a file adds up to in one currency, in minor units: to compare with the export's own totals."""

    currency: str
    documents: int
    documents_minor: int
    credits: int
    credits_minor: int
    open_minor: int | None


@dataclass(frozen=True)
class Preview:
    """How a file will be read, before anything is used: columns with confidence, first rows, totals, findings so far."""

    file_name: str
    profile: Profile
    first_rows: pa.Table
    totals: pa.Table
    findings: tuple[Finding, ...]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImportResult:
    """What an import did. `batch_id` is empty if the very same file had been imported before: nothing was added then."""

    file_name: str
    batch_id: str
    shape: str = ""
    source: str = ""
    version: int = 0
    read: int = 0
    added: Mapping[str, int] = field(default_factory=dict)
    corrected: Mapping[str, int] = field(default_factory=dict)
    unchanged: Mapping[str, int] = field(default_factory=dict)
    quarantined: int = 0
    repeated: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    totals: tuple[Total, ...] = ()
    findings: tuple[Finding, ...] = ()
    snapshot_date: date | None = None
    known_as: str = ""


def preview(path: str | os.PathLike[str], options: Options | None = None, *, ledger: Ledger | None = None, count: int = 10) -> Preview:
    """How will this file be read?  导入预览

    Nothing is written. With a ledger, a saved reading of files with the same header is used.
    Raises FileNotFoundHereError, FileUnreadableError, FileCutOffError, ColumnsUnrecognisedError.
    """
    options = options or Options()
    with open_file(Path(path), sheet=options.sheet) as opened:
        understanding = _understood(opened, options, ledger)
        profile = understanding.profile
        return Preview(
            opened.name, profile, preview_rows(opened, profile, count=count), totals(opened, profile), tuple(understanding.findings)
        )  # fmt: skip


def import_files(
    ledger: Ledger, paths: Sequence[str | os.PathLike[str]], options: Options | None = None, progress: Progress | None = None
) -> list[ImportResult]:
    """Take in several files, one batch each, in the order given. A file that cannot be read stops the rest; those before it stay."""
    return [import_file(ledger, path, options, progress) for path in paths]


def import_file(
    ledger: Ledger, path: str | os.PathLike[str], options: Options | None = None, progress: Progress | None = None
) -> ImportResult:
    """Take a file into the ledger: all its good lines at once, its bad lines into quarantine.  导入

    The same file twice adds nothing. An error, Ctrl-C, or an exception raised by `progress` leaves the ledger as it was.
    progress  called with the share done (0 to 1) and a phase: reading, checking, writing, recording

    Raises FileNotFoundHereError, FileUnreadableError, FileCutOffError, ColumnsUnrecognisedError, SnapshotDateMissingError,
    SnapshotShrankError, OptionInvalidError, and what the ledger raises when it cannot be written.
    """
    with at_rest():
        return _import_file(ledger, path, options or Options(), progress)


def _import_file(ledger: Ledger, path: str | os.PathLike[str], options: Options, progress: Progress | None) -> ImportResult:
    ledger.refresh()
    if is_central_bank_file(Path(path)):
        return _import_central_bank(ledger, Path(path), options)
    get_ready(Path(path))
    with open_file(Path(path), sheet=options.sheet) as opened:
        before = imported_before(ledger, opened.sha256, options)
        if before:
            return _known(ledger, opened.name, before, options)
        understanding = _understood(opened, options, ledger)
        understanding.require(str(path))
        profile: Profile = understanding.profile
        if options.snapshot_date:
            profile = replace(profile, extract_date=options.snapshot_date)
        with Workbench(threads=options.threads, memory_limit=options.memory_limit, progress=progress) as bench:
            opened.attach(bench.con)
            return Import(ledger, bench, Source(opened, profile), options, list(understanding.findings)).run()


def _import_central_bank(ledger: Ledger, path: Path, options: Options) -> ImportResult:
    before = ledger.has_file(file_hash(path))
    if before:
        return _known(ledger, path.name, before, options)
    batch, read, findings = import_central_bank_file(ledger, path, facts={"by": options.by, "mark": options.mark})
    return ImportResult(
        path.name, batch.batch_id, shape="rates", source="ecb", version=batch.version, read=read, added=batch.added,
        corrected=batch.corrected, unchanged=batch.unchanged, findings=tuple(findings),
    )  # fmt: skip


def _known(ledger: Ledger, file_name: str, batch_id: str, options: Options) -> ImportResult:
    """The file is in the ledger: by this very import, which was cut short after it had come through, or by an earlier one."""
    row = next(row for row in ledger.journal() if row.batch_id == batch_id)
    if options.mark and row.facts.get("mark") == options.mark:
        rederive(ledger)
        return result_of(row)
    note = Finding("file_known", Severity.NOTE, file_name, args={"batch": batch_id})
    return ImportResult(file_name, "", findings=(note,), version=ledger.version, known_as=batch_id)


def result_of(row: JournalRow) -> ImportResult:
    """What an import did, as the journal remembers it."""
    facts = row.facts
    counted: dict[str, Any] = {
        kind: {name: counts[kind] for name, counts in row.counts.items()} for kind in ("added", "corrected", "unchanged")
    }
    snapshot = facts.get("snapshot_date")
    return ImportResult(
        row.file_name, row.batch_id, facts.get("shape", ""), facts.get("source", ""), row.version, facts.get("read", 0),
        **counted, quarantined=facts.get("quarantined", 0), repeated=facts.get("repeated", 0), dropped=facts.get("dropped", {}),
        totals=tuple(Total(**one) for one in facts.get("totals", ())),
        findings=tuple(Finding(**{**one, "severity": Severity(one["severity"])}) for one in facts.get("findings", ())),
        snapshot_date=date.fromisoformat(snapshot) if snapshot else None,
    )  # fmt: skip


def _understood(opened: Opened, options: Options, ledger: Ledger | None) -> Any:
    return understand(opened, options.overrides(), known=saved_profile(opened, ledger) if ledger is not None else None)


def saved_profile(opened: Opened, ledger: Ledger) -> Profile | None:
    """How an earlier file with the same header was read, if there was one."""
    if not has_rows(ledger, SETTING):
        return None
    book = ledger.as_of(date.max)
    name = PROFILE_SETTING + fingerprint(opened.columns)
    saved = book.setting.filter(book.setting.name == name).select("value")
    rows = book.run(saved).to_pylist()
    return Profile.from_json(rows[0]["value"]) if rows else None


def imported_before(ledger: Ledger, sha256: str, options: Options) -> str:
    """The import that has brought this very file, read in this very way; empty if none has."""
    batch = ledger.has_file(sha256)
    if batch is None:
        return ""
    withdrawn = ledger.state.withdrawn
    for row in ledger.journal():
        if row.file_sha256 != sha256 or row.batch_id in withdrawn or row.note == FIX:
            continue
        if row.facts.get("options") == options.key():
            return row.batch_id
    return ""


class Import:
    """One file on its way into the ledger."""

    def __init__(
        self,
        ledger: Ledger,
        bench: Workbench,
        source: Source,
        options: Options,
        findings: list[Finding],
        *,
        file: tuple[str, str] | None = None,
    ) -> None:
        self.ledger, self.bench, self.source, self.options = ledger, bench, source, options
        self.profile = source.profile
        self.findings = findings
        self.file_name, self.file_sha256 = file or (source.opened.name, source.opened.sha256)
        self.mending = file is not None
        self.snapshot_date: date | None = None
        self.straight: Straight | None = None
        self.today = datetime.now(UTC).date()

    def run(self) -> ImportResult:
        bench, ledger, profile, options = self.bench, self.ledger, self.profile, self.options
        seen_version = ledger.version
        bench.show(ledger, BUYER, INVOICE, SETTLEMENT, OPEN_ITEM, SNAPSHOT)
        with ledger.draft("import", file_name=self.file_name, file_sha256=self.file_sha256, note=FIX if self.mending else "") as draft:
            bench.phase("reading", 0.0, 0.5)
            self._go_straight(draft)
            facts = self._stage(draft)
            bench.con.execute("CREATE OR REPLACE TEMP TABLE refused AS SELECT row_no, fault FROM staged WHERE fault > 0")
            bounds = (EARLIEST, years_after(profile.extract_date or self.today, YEARS_AHEAD))
            refused = hand_over_refused(
                bench, draft, self.source, facts, file_name=self.file_name, file_sha256=self.file_sha256, bounds=bounds
            )
            if self.mending:
                self._mark_fixed(draft)
            else:
                self._save_settings(draft)
            sums = self._totals() if profile.shape in ("transactions", "open_items", "payments") else ()
            left_out = self._left_out(facts)
            findings = [one if one.source else replace(one, source=self.file_name) for one in (*self.findings, *facts.findings)]
            draft.facts = {
                "options": options.key(), "shape": profile.shape, "source": profile.source, "read": facts.rows, "quarantined": refused,
                "repeated": facts.repeated, "dropped": left_out,
                "extract_date": str(facts.extract_date) if facts.extract_date else "",
                "snapshot_date": str(self.snapshot_date) if self.snapshot_date else "",
                "totals": [asdict(one) for one in sums],
                "findings": [json.loads(json.dumps(asdict(one), default=str)) for one in findings],
                "by": options.by, "mark": options.mark,
            }  # fmt: skip
            bench.phase("recording", 0.9, 1.0)
            result = draft.commit()
        if result.version != seen_version + 1 and has_rows(ledger, SNAPSHOT):
            rederive(ledger)  # somebody else wrote meanwhile: what lies between the lists is to be worked out with both
        with contextlib.suppress(Exception):  # it has come through: who would stop it now is too late
            bench.phase("recording", 1.0, 1.0)
        return ImportResult(
            self.file_name, result.batch_id, profile.shape, profile.source, ledger.version, facts.rows, result.added, result.corrected,
            result.unchanged, refused, facts.repeated, left_out, sums, tuple(findings), self.snapshot_date,
        )  # fmt: skip

    def _stage(self, draft: Draft) -> Facts:
        bench, ledger, profile, options = self.bench, self.ledger, self.profile, self.options
        if profile.shape == "rates":
            facts = stage_rates(bench, self.source, base=options.base_currency, today=self.today)
            bench.phase("writing", 0.6, 0.9)
            hand_over_rates(bench, draft, provider=options.provider)
            return facts
        if profile.shape == "limits":
            if not options.grants:
                raise LimitsNotYoursError(file=self.file_name)
            bench.show(ledger, LIMIT)
            facts = stage_limits(bench, self.source, ledger, currency=options.currency, today=self.today)
            bench.phase("writing", 0.6, 0.9)
            hand_over_limits(bench, draft, ledger)
            return facts
        stage_lines(bench, self.source, currency=options.currency, today=self.today)
        bench.phase("checking", 0.5, 0.6)
        facts = look(bench, profile, default_currency=options.currency, today=self.today, plus=self.straight)
        if self.straight and facts.credits and profile.has("settle_date"):
            # Clearings join credits with invoices of the whole file.
            self.straight.discard()
            self.source = Source(self.straight.opened, profile)
            self.straight = None
            stage_lines(bench, self.source, currency=options.currency, today=self.today)
            facts = look(bench, profile, default_currency=options.currency, today=self.today)
        if profile.shape != "buyers":
            mend_buyer_ids(bench, facts, ledger)
        if profile.shape == "disputes":
            hand_over_disputes(bench, draft, ledger, profile)
        elif profile.shape == "open_items":
            self._stage_list(draft, facts)
        elif profile.shape != "buyers":
            self._stage_documents(draft, facts)
        if says_about_buyers(profile):
            self.findings += hand_over_buyers(bench, draft, ledger, profile)
        return facts

    def _go_straight(self, draft: Draft) -> None:
        """Take the lines of a large plain invoice list that are beyond doubt; what is left over is the file from here on."""
        bench, ledger = self.bench, self.ledger
        if self.mending or has_rows(ledger, OPEN_ITEM) or (self.profile.has("legal_entity") and has_rows(ledger, INVOICE)):
            return
        form = form_of(self.source, currency=self.options.currency, today=self.today)
        if form is None:
            return
        straight = take_straight(self.source, form, draft, threads=self.options.threads or processors(), progress=bench.tell)
        if straight is None:
            return
        bench.con.register("straight_buyer", pa.table({"buyer_id": pa.chunked_array(straight.buyers, pa.string()).unique()}))
        if stage_aliases(bench, ledger, "straight_buyer"):
            straight.discard()
            return
        bench.con.register("straight_rest", straight.rest)
        self.straight = straight
        self.source = rest_source(self.source, "straight_rest")

    def _stage_list(self, draft: Draft, facts: Facts) -> None:
        bench, ledger, profile, options = self.bench, self.ledger, self.profile, self.options
        self.snapshot_date = date_of_list(self.source.opened, profile, facts, options.snapshot_date)
        facts.extract_date = self.snapshot_date or facts.latest_snapshot
        resolve_documents(bench, facts, every_line=True, ledger=ledger, mending=self._file_batches())
        self._note_doubles(facts)
        stage_items(bench, profile, facts, self.snapshot_date, complete=options.completeness != "partial" and not self.mending)
        if not options.completeness and not self.mending:
            guard_against_shrinking(bench, self.source.opened, ledger)
        bench.phase("writing", 0.6, 0.9)
        hand_over_items(bench, draft, with_lists=not self.mending)
        derive(bench, draft, ledger, invoices=True, facts=facts)

    def _stage_documents(self, draft: Draft, facts: Facts) -> None:
        bench, ledger, profile = self.bench, self.ledger, self.profile
        resolve_documents(bench, facts, every_line=False, ledger=ledger, mending=self._file_batches())
        self._note_doubles(facts)
        # A list of documents that also says how much of each is still open is, for that, an open-item list of its extract date.
        partly_open = profile.shape == "transactions" and (gives_open(profile) or profile.has("paid_amount")) and bool(facts.extract_date)
        lists_known = has_rows(ledger, OPEN_ITEM)
        bench.phase("writing", 0.6, 0.9)
        hand_over_transactions(bench, draft, ledger, profile, facts, keep=partly_open or lists_known)
        if partly_open:
            stage_items(bench, profile, facts, facts.extract_date, complete=False)
            self.snapshot_date = facts.extract_date
            hand_over_items(bench, draft, with_lists=not self.mending)
        if self.straight:
            self.straight.adopt(draft)
        if partly_open or lists_known:
            derive(bench, draft, ledger, invoices=False, facts=facts)

    def _note_doubles(self, facts: Facts) -> None:
        if facts.rows <= NOTED:
            possible_duplicates(self.bench, facts)

    def _file_batches(self) -> tuple[str, ...]:
        """When corrected lines come back: the imports that have brought the other lines of the same file."""
        if not self.mending:
            return ()
        return tuple(row.batch_id for row in self.ledger.journal() if row.file_sha256 == self.file_sha256)

    def _left_out(self, facts: Facts) -> dict[str, int]:
        """Rows that are no lines (subtotals, repeated headers, blanks); looked for only where line numbers show that there are any."""
        opened = self.source.opened
        last = self.bench.value("SELECT max(row_no) FROM staged")
        if self.mending or (not self.straight and last is not None and last - opened.header_row == facts.rows):
            return {}
        return dict(dropped(opened, self.profile, self.bench.con))

    def _totals(self) -> tuple[Total, ...]:
        rows = self.bench.rows(
            """SELECT ccy AS currency, count(*) FILTER (debit) AS documents, coalesce(sum(s) FILTER (debit), 0)::BIGINT AS documents_minor,
                count(*) FILTER (NOT debit) AS credits, coalesce(-sum(s) FILTER (NOT debit), 0)::BIGINT AS credits_minor,
                sum(open_minor)::BIGINT AS open_minor
            FROM entry_line GROUP BY ccy ORDER BY ccy"""
        )
        found = {row["currency"]: Total(**row) for row in rows}
        for currency, (count, amount) in (self.straight.sums if self.straight else {}).items():
            rest = found.get(currency, Total(currency, 0, 0, 0, 0, None))
            found[currency] = replace(rest, documents=rest.documents + count, documents_minor=rest.documents_minor + amount)
        return tuple(found[currency] for currency in sorted(found))

    def _save_settings(self, draft: Draft) -> None:
        profile = replace(self.profile, extract_date=None)
        rows = [{"name": PROFILE_SETTING + profile.fingerprint, "value": profile.to_json()}]
        base = self.options.base_currency or self._only_currency()
        if base:
            rows.append({"name": "base_currency", "value": json.dumps(base)})
        draft.put(SETTING.name, pa.Table.from_pylist(rows))

    def _only_currency(self) -> str:
        """The first file's currency, if it has one only, is what the firm adds up in until it says otherwise."""
        if self.profile.shape not in ("transactions", "open_items", "payments"):
            return ""
        if has_rows(self.ledger, SETTING) and "base_currency" in self.ledger.as_of(date.max).settings:
            return ""
        found = {row["ccy"] for row in self.bench.rows("SELECT DISTINCT ccy FROM staged WHERE fault = 0")}
        found |= set(self.straight.sums if self.straight else ())
        if len(found) != 1 or found == {"XXX"}:
            return ""
        (only,) = found
        self.findings.append(Finding("base_currency_taken", Severity.NOTE, value=only))
        return str(only)

    def _mark_fixed(self, draft: Draft) -> None:
        names = ", ".join(f'"{name}"' for name in QUARANTINE.facts.names if name != "fixed_by")
        mended = self.bench.arrow(
            f"""SELECT {names}, '{draft.batch_id}' AS fixed_by, source_row FROM waiting_line
            WHERE file_row IN (SELECT row_no FROM staged) AND file_row NOT IN (SELECT row_no FROM refused)"""
        )
        draft.put(QUARANTINE.name, mended)


def rederive(ledger: Ledger) -> BatchResult | None:
    """Work out anew what was settled between the open-item lists, e.g. after an import was withdrawn; None if nothing changes."""
    ledger.refresh()
    if not has_rows(ledger, SNAPSHOT):
        return None
    with Workbench() as bench, ledger.draft("post", note="rederive") as draft:
        bench.show(ledger, INVOICE, SETTLEMENT, OPEN_ITEM, SNAPSHOT)
        if not derive(bench, draft, ledger, invoices=True):
            return None
        return draft.commit()
