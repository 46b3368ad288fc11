"""One buyer, everything on one page, quick for the largest ledger: its facts are read once and added up without planning a query.  买方档案"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.calendar import months_back
from duecourse.desk.standing import COLUMNS, EPOCH, place_of, standing
from duecourse.errors import BuyerUnknownError
from duecourse.ledger.book import named_table, withdrawn_by
from duecourse.ledger.entries import DILUTION_KINDS, ENTRIES, PAYMENT_KINDS
from duecourse.measures.buckets import Buckets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import numpy.typing as npt

    from duecourse.ledger.book import Book
    from duecourse.ledger.entries import Entry

compute: Any = pc

MONTHS: Final = 24
MEMBERS: Final = 100
EVENTS: Final = 200
NO_DAY: Final = int(np.iinfo(np.int32).min)
BASE: Final = ("outstanding_base", "overdue_base")
Row = dict[str, Any]


@dataclass(frozen=True)
class BuyerPage:
    """One buyer.

    profile     its facts; only the number where nothing else is known
    figures     a row per currency: columns of `listing`, and outstanding_base, overdue_base
    ages        {currency: {bucket: amount}} by the firm's buckets
    months      a row per currency and month, latest first: month_end, months_back, credit_sales, paid, days_late (of the payments, weighted
                by amount), on_time_share (of the amount paid), credits
    dilution    {currency: {kind: amount}} of the last 365 days
    invoices    newest first, from `offset` on, at most `limit`: the facts, open_minor, days_past_due, bucket, disputed and `settlements`
    total       invoices in all, of the state asked for
    unapplied   settlements that no invoice of this buyer takes up, newest first
    disputes    all of them, newest first
    group       the others of its group with what they owe, most first, one row per buyer and currency; `group_id`, `group_name` beside it
    sources     {batch: file name} of every fact shown
    """

    buyer_id: str
    profile: Row
    figures: Sequence[Row]
    ages: Mapping[str, Mapping[str, int]]
    months: Sequence[Row]
    dilution: Mapping[str, Mapping[str, int]]
    invoices: Sequence[Row]
    total: int
    offset: int
    limit: int
    unapplied: Sequence[Row]
    disputes: Sequence[Row]
    group_id: str
    group_name: str | None
    group: Sequence[Row]
    sources: Mapping[str, str]


def buyer_page(book: Book, buyer_id: str, *, offset: int = 0, limit: int = 100, state: str = "") -> BuyerPage:
    """Everything the book holds on one buyer, `limit` of its invoices from the `offset`-th newest on.  买方档案

    state: of the invoices only the `open` or the `overdue` ones; "" = all.
    Raises BuyerUnknownError, also for a buyer that may not be seen.
    """
    facts = Facts(book, buyer_id)
    columns = standing(book)
    places = _places(columns.rows.column("buyer_id"), buyer_id)
    if not facts.profile and not facts.invoice.num_rows and not facts.settlement.num_rows:
        raise BuyerUnknownError(buyer=buyer_id)
    group_id, group_name, group = _group(book, columns, facts.profile, buyer_id)
    shown, total = facts.invoices(offset, limit, state)
    unapplied = _newest(facts.settlement.filter(pa.array(facts.applied < 0)), "settle_date", "settlement_id")
    contested = _newest(facts.dispute, "raised_on", "dispute_id")
    return BuyerPage(
        buyer_id,
        facts.profile or {"buyer_id": buyer_id},
        columns.mappings(places, (*COLUMNS, *BASE)),
        facts.ages(),
        facts.months(),
        facts.dilution(),
        shown,
        total,
        offset,
        limit,
        unapplied,
        contested,
        group_id,
        group_name,
        group,
        _files(book, [facts.profile, *shown, *unapplied, *contested]),
    )


def _places(buyer_ids: Any, buyer_id: str) -> npt.NDArray[np.int64]:
    """The rows of one buyer, out of sorted numbers."""
    first = place_of(buyer_ids, buyer_id)
    if first < 0:
        return np.zeros(0, np.int64)
    last = first
    while last < len(buyer_ids) and buyer_ids[last].as_py() == buyer_id:
        last += 1
    return np.arange(first, last)


def _newest(rows: pa.Table, day: str, key: str) -> list[Row]:
    found: list[Row] = rows.sort_by([(day, "descending"), (key, "ascending")]).to_pylist()
    return found


def _files(book: Book, rows: Sequence[Row]) -> dict[str, str]:
    names = {row.batch_id: row.file_name or row.note for row in book.ledger.state.rows}
    used = {row["source"] for row in rows if row and row.get("source")}
    for row in rows:
        used |= {one["source"] for one in row.get("settlements", ())} if row else set()
    return {batch: names.get(batch, "") for batch in sorted(used)}


class Facts:
    """One buyer's rows, and which invoice each settlement is applied to."""

    def __init__(self, book: Book, buyer_id: str) -> None:
        self._book = book
        about = book.about(buyer_id)
        profile = about["buyer"].to_pylist()
        self.profile: Row = profile[0] if profile else {}
        self.invoice = about["invoice"].combine_chunks()
        self.settlement = about["settlement"].combine_chunks()
        self.dispute = about["dispute"].combine_chunks()
        self.amount = _whole(self.invoice, "amount_minor")
        self.due = _days(self.invoice, "due_date")
        self.issued = _days(self.invoice, "issue_date")
        self.paid = _whole(self.settlement, "amount_minor")
        self.settled = _days(self.settlement, "settle_date")
        keys, named = (_keys(rows) for rows in (self.invoice, self.settlement))
        self.applied: npt.NDArray[np.int64] = (
            compute.fill_null(compute.index_in(named, keys), -1).to_numpy(zero_copy_only=False).astype(np.int64)
        )
        taken = np.zeros(len(self.amount), np.int64)
        np.add.at(taken, self.applied[self.applied >= 0], self.paid[self.applied >= 0])
        self.open = self.amount - taken
        self.today = (book.on - EPOCH).days
        self.buckets = Buckets.of(book)

    def ages(self) -> dict[str, dict[str, int]]:
        """What is outstanding by currency and bucket."""
        limits = np.array(self.buckets.limits_days)
        bucket = self._bucket(limits)
        currencies = np.array(self.invoice["currency"].to_pylist(), object)
        found = {}
        for currency in sorted(set(currencies.tolist())):
            own = (currencies == currency) & (self.open > 0)
            if own.any():
                found[currency] = {name: int(self.open[own & (bucket == place)].sum()) for place, name in enumerate(self.buckets.ids)}
        return found

    def _bucket(self, limits: npt.NDArray[Any]) -> npt.NDArray[Any]:
        late = np.where(self.due == NO_DAY, 0, self.today - self.due)
        return np.where(late <= 0, 0, 1 + np.searchsorted(limits, late, side="left"))

    def months(self) -> list[Row]:
        """Month by month: what was sold, what was paid and how late, what was credited."""
        calendar = months_back(self._book.on, MONTHS)
        ends = np.array([(end - EPOCH).days for _start, end in calendar][::-1])
        start = (calendar[-1][0] - EPOCH).days
        kinds = np.array(self.settlement["kind"].to_pylist(), object)
        own: dict[str, list[Any]] = {"sold": self.invoice["currency"].to_pylist(), "settled": self.settlement["currency"].to_pylist()}
        sold_in, settled_in = (_month_of(days, start, ends) for days in (self.issued, self.settled))
        due = np.where(self.applied >= 0, self.due[self.applied] if len(self.due) else NO_DAY, NO_DAY)
        pays = np.isin(kinds, PAYMENT_KINDS) & (self.applied >= 0) & (due != NO_DAY)
        late = np.where(pays, self.settled - due, 0)
        dilutes = np.isin(kinds, DILUTION_KINDS)
        rows = []
        for currency in sorted({*own["sold"], *own["settled"]} - {None}):
            sold, settled = (np.array([code == currency for code in own[name]], np.bool_) for name in ("sold", "settled"))
            for back, (_first, end) in enumerate(calendar):
                here = settled & (settled_in == back)
                paid = here & pays
                weight = int(self.paid[paid].sum())
                rows.append(
                    {
                        "currency": currency, "month_end": end, "months_back": back,
                        "credit_sales": int(self.amount[sold & (sold_in == back)].sum()), "paid": weight,
                        "days_late": float((self.paid[paid] * late[paid]).sum() / weight) if weight else None,
                        "on_time_share": float(self.paid[paid & (late <= 0)].sum() / weight) if weight else None,
                        "credits": int(self.paid[here & dilutes].sum()),
                    }
                )  # fmt: skip
        return rows

    def dilution(self) -> dict[str, dict[str, int]]:
        """Reductions other than money of the last 365 days, by currency and kind."""
        found: dict[str, dict[str, int]] = {}
        kinds: list[Any] = self.settlement["kind"].to_pylist()
        currencies: list[Any] = self.settlement["currency"].to_pylist()
        for row in np.flatnonzero(self.settled > self.today - 365).tolist():
            if kinds[row] in DILUTION_KINDS:
                one = found.setdefault(currencies[row], {})
                one[kinds[row]] = one.get(kinds[row], 0) + int(self.paid[row])
        return found

    def invoices(self, offset: int, limit: int, state: str) -> tuple[list[Row], int]:
        """The newest of a state from `offset` on, each with its settlements; and how many there are."""
        order = self.invoice.select(["issue_date", "invoice_id", "instalment"])
        keys: Any = [("issue_date", "descending", "at_end"), ("invoice_id", "ascending", "at_end"), ("instalment", "ascending", "at_end")]
        places = compute.sort_indices(order, keys).to_numpy()
        if state:
            late = (self.due != NO_DAY) & (self.due < self.today)
            places = places[((self.open > 0) & (late if state == "overdue" else True))[places]]
        return self.rows(places[offset : offset + limit]), len(places)

    def rows(self, places: npt.NDArray[np.int64]) -> list[Row]:
        """Invoices by their places, each with what is open on it and its settlements."""
        rows: list[Row] = self.invoice.take(places).to_pylist()
        bucket = self._bucket(np.array(self.buckets.limits_days))
        contested = {(row["invoice_id"], row["instalment"]) for row in self.dispute.to_pylist() if row["resolved_on"] is None}
        shown: npt.NDArray[np.int64] = np.flatnonzero(np.isin(self.applied, places)).astype(np.int64)
        payments = dict(zip(shown.tolist(), self.settlement.take(shown).to_pylist(), strict=True))
        by_invoice: dict[int, list[Row]] = {}
        for place, payment in payments.items():
            by_invoice.setdefault(int(self.applied[place]), []).append(payment)
        for place, row in zip(places.tolist(), rows, strict=True):
            row["open_minor"] = int(self.open[place])
            row["days_past_due"] = int(self.today - self.due[place]) if self.open[place] > 0 and self.due[place] != NO_DAY else None
            row["bucket"] = self.buckets.ids[bucket[place]] if self.open[place] > 0 else None
            row["disputed"] = (row["invoice_id"], row["instalment"]) in contested
            row["settlements"] = sorted(by_invoice.get(place, []), key=lambda one: (one["settle_date"], one["settlement_id"]))
        return rows


def _whole(rows: pa.Table, name: str) -> npt.NDArray[np.int64]:
    found: npt.NDArray[np.int64] = compute.fill_null(rows[name].combine_chunks(), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    return found


def _days(rows: pa.Table, name: str) -> npt.NDArray[np.int64]:
    days = compute.fill_null(rows[name].combine_chunks().cast(pa.int32()), NO_DAY)
    found: npt.NDArray[np.int64] = days.to_numpy(zero_copy_only=False).astype(np.int64)
    return found


def _keys(rows: pa.Table) -> Any:
    parts = [rows["invoice_id"], rows["instalment"].cast(pa.string()), rows["currency"]]
    return compute.binary_join_element_wise(*(part.combine_chunks() for part in parts), "\n")


def _month_of(days: npt.NDArray[np.int64], start: int, ends: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """How many months back each day lies; -1 before the first month."""
    back = len(ends) - 1 - np.searchsorted(ends, days, side="left")
    return np.where(days < start, -1, back)


def _group(book: Book, columns: Any, profile: Row, buyer_id: str) -> tuple[str, str | None, list[Row]]:
    group_id = profile.get("group_id") or buyer_id
    code = place_of(columns.groups.column("group_id"), group_id)
    if code < 0:
        return group_id, profile.get("group_name"), []
    members = columns.column("group") == code
    seen = columns.seen(book.scope)
    places = np.flatnonzero(members if seen is None else members & seen)
    rows = columns.mappings(places, ("buyer_id", "name", "name_local", "currency", "outstanding", "overdue", "oldest_days_past_due", *BASE))
    rows.sort(key=lambda row: (-(row["outstanding_base"] or row["outstanding"]), row["buyer_id"]))
    alone = {row["buyer_id"] for row in rows} <= {buyer_id}
    return group_id, profile.get("group_name"), [] if alone else rows[:MEMBERS]


# What happened, and where each fact comes from


def events(book: Book, buyer_id: str, *, offset: int = 0, limit: int = EVENTS) -> list[Row]:
    """All that happened with a buyer, the latest first.  时间线

    One row per invoice issued, settlement, dispute raised, dispute resolved, and version of its profile:
        day          when it happened; of a profile from when it holds, or when it was learnt
        event        invoice, a kind of settlement, dispute_raised, dispute_resolved, profile
        key, invoice_id, amount_minor, currency, recorded_at (when we learnt it, UTC), source, source_row
        changed      of a profile: {column: [before, after]}
    """
    about = book.about(buyer_id)
    own = ("amount_minor", "currency", "recorded_at", "source", "source_row", "invoice_id")
    most = offset + limit
    issued = _latest(about["invoice"].select(["issue_date", *own]), "issue_date", "invoice_id", most)
    settled = _latest(about["settlement"].select(["settle_date", "kind", "settlement_id", *own]), "settle_date", "settlement_id", most)
    found: list[tuple[Any, ...]] = [
        *((row["issue_date"], "invoice", row["invoice_id"], row["invoice_id"], row) for row in issued),
        *((row["settle_date"], row["kind"], row["settlement_id"], row["invoice_id"], row) for row in settled),
    ]
    for row in about["dispute"].to_pylist():
        found.append((row["raised_on"], "dispute_raised", row["dispute_id"], row["invoice_id"], row))
        if row["resolved_on"]:
            found.append((row["resolved_on"], "dispute_resolved", row["dispute_id"], row["invoice_id"], row))
    shown = [
        {
            "day": day, "event": event, "key": key, "invoice_id": invoice, "changed": {},
            **{name: row[name] for name in ("amount_minor", "currency", "recorded_at", "source", "source_row")},
        }
        for day, event, key, invoice, row in found
    ]  # fmt: skip
    if about["buyer"].num_rows:
        shown += _profile_events(book, buyer_id)
    shown.sort(key=lambda one: (one["day"], one["recorded_at"], str(one["key"])), reverse=True)
    return shown[offset : offset + limit]


def _latest(rows: pa.Table, day: str, key: str, most: int) -> list[Row]:
    order: Any = [(day, "descending"), ("recorded_at", "descending"), (key, "descending")]
    found: list[Row] = rows.sort_by(order).slice(0, most).to_pylist()
    return found


def _profile_events(book: Book, buyer_id: str) -> list[Row]:
    found: list[Row] = []
    before: Row = {}
    for row in sorted(fact_history(book, "buyer", {"buyer_id": buyer_id}, buyer_id=buyer_id), key=lambda one: one["recorded_at"]):
        values = row["values"]
        changed = {name: [before.get(name), value] for name, value in values.items() if before and before.get(name) != value}
        before = values
        found.append(
            {
                "day": values.get("effective_from") or row["recorded_at"].date(), "event": "profile", "key": buyer_id, "invoice_id": None,
                "changed": changed, "amount_minor": None, "currency": None, "recorded_at": row["recorded_at"], "source": row["source"],
                "source_row": row["source_row"],
            }
        )  # fmt: skip
    return found


def fact_history(book: Book, table: str, key: Mapping[str, Any], *, buyer_id: str | None = None) -> list[Row]:
    """Every wording of one fact that the ledger ever took in, the newest first, and where each came from.  数据来源与更正记录

    One row per wording known to the book:
        values       the fact's columns as they were written
        file_name, source (batch), source_row, recorded_at, supersedes (batch of the wording it corrects), voided
        withdrawn    its whole batch was withdrawn
        current      it is what the book holds now

    key: the columns of the entry's key. buyer_id: whose fact it is; finds it at once in a large ledger.
    Nothing of a fact the book may not show.
    """
    entry = ENTRIES[table]
    ledger = book.ledger
    if buyer_id is not None and "buyer_id" in entry.facts.names:
        rows, _corrected = ledger.rows_about(entry, buyer_id)
        keep: Any = None
        for name, value in key.items():
            same = compute.equal(rows[name], pa.scalar(value, rows[name].type))
            keep = same if keep is None else compute.and_(keep, same)
        rows = rows.filter(keep)
    else:
        source = named_table(entry)
        for name, value in key.items():
            source = source.filter(source[name] == value)
        rows = ledger.engine.run(source, {entry.name: ledger.rows_of(entry)[0]})
    if book.scope.restricts and not _shown(book, entry.name, key, buyer_id):
        return []
    cut = book.known_at
    found = [row for row in rows.to_pylist() if cut is None or row["recorded_at"] <= cut]
    gone = set(withdrawn_by(ledger.state.withdrawn, cut))
    corrected = {row["supersedes"] for row in found if row["supersedes"] and row["source"] not in gone}
    names = {row.batch_id: row.file_name or row.note for row in ledger.state.rows}
    told = [
        {
            "values": _as_of(entry, row, book.on), "source": row["source"], "file_name": names.get(row["source"], ""),
            "source_row": row["source_row"], "recorded_at": row["recorded_at"], "supersedes": row["supersedes"], "voided": row["voided"],
            "withdrawn": row["source"] in gone, "current": row["source"] not in gone and row["source"] not in corrected and not row["voided"],
        }
        for row in found
        if not entry.happened or row[entry.happened] is None or row[entry.happened] <= book.on
    ]  # fmt: skip
    return sorted(told, key=lambda row: row["recorded_at"], reverse=True)


def _as_of(entry: Entry, row: Row, on: date) -> Row:
    """The fact's columns, what ended it left out where that came later."""
    values = {name: row[name] for name in entry.facts.names}
    if entry.ends and values[entry.ends[0]] is not None and values[entry.ends[0]] > on:
        values |= dict.fromkeys(entry.ends)
    return values


def _shown(book: Book, table: str, key: Mapping[str, Any], buyer_id: str | None) -> bool:
    rows: Any = getattr(book, table)
    if buyer_id is not None and table in ("buyer", "invoice", "settlement", "dispute"):
        own = book.about(buyer_id)[table].to_pylist()
        return any(all(row[name] == value for name, value in key.items()) for row in own)
    for name, value in key.items():
        rows = rows.filter(rows[name] == ibis.literal(value))
    return bool(book.run(rows.limit(1)).num_rows)


def group_members(book: Book, group_id: str) -> list[Row]:
    """The members of a group with what each owes, one row per buyer and currency, largest first. Raises BuyerUnknownError."""
    columns = standing(book)
    _id, _name, rows = _group(book, columns, {"group_id": group_id}, "")
    if not rows:
        raise BuyerUnknownError(buyer=group_id)
    return rows
