"""Where every buyer stands as of a day, as columns kept beside the ledger and mapped by every process: what the list of buyers reads.

A row is a buyer in a currency, in the order of buyer_id and currency: the figures of `buyer_measures`, the buyer's profile, what was
outstanding and overdue thirty days ago. Texts with few values are codes into a dictionary; missing figures are NaN or `MISSING`. Beside
them lie the searchable names in small letters, and the orders in which the rows were asked for. All of it is derived and can be deleted.

Whoever may see only some buyers or groups reads the same columns through a mask; a book limited to some of our companies has other
figures, and so columns of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from math import floor
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.desk import answers
from duecourse.desk.upkeep import columns_of
from duecourse.engines.fused import MEASURES, refresh
from duecourse.engines.fused.scan import chosen, searchable
from duecourse.ledger.scope import Scope
from duecourse.measures.base import minor_rates

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from duecourse.ledger.book import Book

    Column = npt.NDArray[Any]

compute: Any = pc
"""Its types know too few of its functions' arguments."""

FORMAT: Final = 2
MISSING: Final = np.iinfo(np.int32).min
"""Stands for null in whole numbers and dates (days since 1970-01-01)."""
EPOCH: Final = date(1970, 1, 1)

MONTH_DAYS: Final = 30
BUCKETS: Final = ("not_due", "days_1_30", "days_31_60", "days_61_90", "days_91_180", "days_181_365", "days_over_365")
TOTALS: Final = ("outstanding", "overdue", "unapplied_credits", "credit_sales_365d", "open_invoices", "overdue_invoices")
"""What is added up under a list: these lie row by row too, so that the rows of a filter are added up in one walk."""
MONEY: Final = (
    "outstanding", "overdue", *BUCKETS, "unapplied_credits", "credit_sales_90d", "credit_sales_365d", "paid_365d", "peak_balance_365d",
    "credits_365d", "outstanding_change_30d", "overdue_change_30d",
)  # fmt: skip
"""Minor units of the row's currency, int64."""
CODED: Final = ("currency", "country", "sector", "sales_owner", "legal_entity")
"""Texts with few values."""
TEXTS: Final = ("buyer_id", "name", "name_local", "registration_number", "city", "group_id", "group_name")
PROFILE: Final = (
    "name", "name_local", "registration_number", "country", "city", "sector", "group_id", "group_name", "sales_owner", "legal_entity",
    "payment_terms_days", "customer_since",
)  # fmt: skip
SEARCHED: Final = ("buyer_id", "name", "name_local", "registration_number")
NULLABLE: Final = ("oldest_days_past_due", "first_issue_date", "last_payment_date", "payment_terms_days", "customer_since", "dso_censored")
DATES: Final = ("first_issue_date", "last_payment_date", "customer_since")
COLUMNS: Final = (
    "buyer_id", "currency", *PROFILE, *MEASURES.names[2:], "overdue_share", "outstanding_change_30d", "overdue_change_30d",
)  # fmt: skip
"""What a row holds, in the order of an export."""
FIGURES: Final = tuple(name for name in COLUMNS if name not in (*TEXTS, *CODED))
"""Columns that hold a number, a date or a flag."""


KEPT: Final = {"keep": 32, "text": 24, "seen": 16, "groups": 16, "facets": 128, "summary": 512}
"""How many answers of a kind stay in a process: the first three are a flag a row each, a megabyte of a million buyers."""
KEPT_ELSE: Final = 64


@dataclass(eq=False)
class Standing:
    """The columns of one book.

    rows       one Arrow record batch: texts as they are, codes, figures
    words      for each of CODED its values, in order
    groups     `group_id`, `group_name`: the group behind each code of the column `group`
    amounts    TOTALS, int64, a row a row
    blob, starts, frequency   the searchable texts
    factors    {currency: minor units of base currency for one minor unit}; empty where no base currency is set
    """

    rows: pa.RecordBatch
    words: Mapping[str, Sequence[str]]
    groups: pa.RecordBatch
    amounts: npt.NDArray[np.int64]
    blob: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int64]
    frequency: npt.NDArray[np.int64]
    factors: Mapping[str, float]
    base_currency: str
    on: date
    folder: Path | None = None
    memory: dict[str, OrderedDict[Any, Any]] = field(default_factory=dict)
    guard: Any = field(default_factory=Lock)

    @cached_property
    def count(self) -> int:
        """How many rows."""
        return int(self.rows.num_rows)

    def column(self, name: str) -> Column:
        """A coded or numeric column, read-only."""
        found = self._columns.get(name)
        if found is None:
            found = self.rows.column(name).to_numpy(zero_copy_only=True)
            self._columns[name] = found
        return found

    @cached_property
    def _columns(self) -> dict[str, Column]:
        return {}

    @cached_property
    def factor(self) -> npt.NDArray[np.float64]:
        """By currency code: minor units of base currency for one minor unit; NaN where there is no rate."""
        return np.array([self.factors.get(code, np.nan) for code in self.words["currency"]] or [np.nan], np.float64)

    def code(self, name: str, value: str) -> int:
        """The code of a value; -1 for the empty text (missing), -2 for one that does not occur."""
        if not value:
            return -1
        return self.words[name].index(value) if value in self.words[name] else -2

    def kept(self, key: tuple[Any, ...], work: Callable[[], Any]) -> Any:
        """What was worked out before, else worked out now; of each kind (the key's first word) the most recently used stay in this process."""
        kind: str = key[0]
        with self.guard:
            room = self.memory.setdefault(kind, OrderedDict())
            if key in room:
                room.move_to_end(key)
                return room[key]
        found = work()
        with self.guard:
            room[key] = found
            while len(room) > KEPT.get(kind, KEPT_ELSE):
                room.popitem(last=False)
        return found

    def seen(self, scope: Scope) -> Column | None:
        """Which rows a scope shows, its companies aside; None = all."""
        if not (scope.groups or scope.sales_owners):
            return None

        def work() -> Column:
            keep = np.ones(self.count, np.bool_)
            if scope.sales_owners:
                allowed = np.array([word in scope.sales_owners for word in self.words["sales_owner"]] + [False], np.bool_)
                keep &= coded_as(self.column("sales_owner"), allowed)
            if scope.groups:
                among = compute.is_in(self.groups.column("group_id"), pa.array(sorted(scope.groups), pa.string()))
                keep &= coded_as(self.column("group"), np.append(among.to_numpy(zero_copy_only=False), [False]))
            return keep

        found: Column = self.kept(("seen", scope), work)
        return found

    # Orders

    def order(self, name: str, *, descending: bool) -> npt.NDArray[np.int32]:
        """The rows sorted by a column, missing values last, equal ones by buyer_id and currency. Kept beside the columns.

        Money of several currencies is compared in base currency; what has no rate comes after what has one.
        """
        key = ("order", name, descending)
        found: npt.NDArray[np.int32] = self.kept(key, lambda: self._order(name, descending=descending))
        return found

    def _order(self, name: str, *, descending: bool) -> npt.NDArray[np.int32]:
        path = None if self.folder is None else self.folder / f"order-{name}-{'falling' if descending else 'rising'}.npy"
        if path is not None:
            with contextlib.suppress(OSError, ValueError):
                mapped: npt.NDArray[np.int32] = np.load(path, mmap_mode="r").view(np.ndarray)
                return mapped
        order = self._sorted(name, descending=descending)
        if path is not None:
            with contextlib.suppress(OSError):
                answers.write_whole(path, lambda half: _save(half, order))
        return order

    def _sorted(self, name: str, *, descending: bool) -> npt.NDArray[np.int32]:
        keys: list[Column] = []
        if name in TEXTS:
            rank = self._rank(name)
            keys = [np.where(rank < 0, 0, -rank if descending else rank), rank < 0]
        elif name in MONEY and self.factors:
            factor = self.factor[self.column("currency")]
            rated = ~np.isnan(factor)
            values = self.column(name) * np.where(rated, factor, 1.0)
            keys = [-values if descending else values, ~rated]
        else:
            values = self.column(name)
            gone = _missing(name, values)
            values = np.where(gone, 0, values).astype(np.float64 if values.dtype.kind == "f" else np.int64)
            keys = [-values if descending else values, gone]
        if not keys[-1].any():
            return np.argsort(keys[0], kind="stable").astype(np.int32)
        return np.lexsort(keys).astype(np.int32)

    def _rank(self, name: str) -> Column:
        """The place of each row's text among all texts in small letters; -1 for a missing one."""
        if name == "buyer_id":
            return self.column("number")
        texts: Any = compute.utf8_lower(self.rows.column(name))
        coded = texts.dictionary_encode()
        by_text = compute.sort_indices(coded.dictionary).to_numpy()
        place = np.empty(len(by_text) + 1, np.int64)
        place[by_text] = np.arange(len(by_text))
        place[-1] = -1
        codes = compute.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)
        ranked: Column = place[codes]
        return ranked

    # Rows as people read them

    def mappings(self, rows: npt.NDArray[Any], columns: Sequence[str] = COLUMNS) -> list[dict[str, Any]]:
        """The same as `taken`, a mapping a row: quicker for a page of them."""
        lists = [self._values(name, rows) for name in columns]
        return [dict(zip(columns, row, strict=True)) for row in zip(*lists, strict=True)]

    def _values(self, name: str, rows: npt.NDArray[Any]) -> list[Any]:
        if name in TEXTS:
            texts = self.rows.column(name)
            return [texts[place].as_py() for place in rows.tolist()]
        if name in CODED:
            words = [*self.words[name], None]
            return [words[code] for code in self.column(name)[rows].tolist()]
        if name.endswith("_base"):
            factors = self.factor[self.column("currency")[rows]].tolist()
            amounts = self.column(name.removesuffix("_base"))[rows].tolist()
            return [None if f != f else floor(a * f + 0.5) for a, f in zip(amounts, factors, strict=True)]  # noqa: PLR0124 — not a number
        values = self.column(name)[rows]
        gone = _missing(name, values)
        found: list[Any] = values.tolist()
        if name in DATES:
            found = [EPOCH + timedelta(days=one) if one != MISSING else None for one in found]
        elif name == "dso_censored":
            found = [one == 1 for one in found]
        if gone.any():
            found = [None if none else one for one, none in zip(found, gone.tolist(), strict=True)]
        return found

    def taken(self, rows: npt.NDArray[Any], columns: Sequence[str] = COLUMNS) -> pa.Table:
        """Rows by their places, with their texts and nulls: `columns` of COLUMNS, and `outstanding_base`, `overdue_base` …"""
        at = pa.array(rows)
        out: dict[str, Any] = {}
        for name in columns:
            if name in TEXTS:
                out[name] = self.rows.column(name).take(at)
            elif name in CODED:
                codes = self.column(name)[rows]
                out[name] = pa.array(list(self.words[name]), pa.string()).take(pa.array(codes, mask=codes < 0))
            elif name.endswith("_base"):
                factor = self.factor[self.column("currency")[rows]]
                known = ~np.isnan(factor)
                amount = np.floor(self.column(name.removesuffix("_base"))[rows] * np.where(known, factor, 0.0) + 0.5)
                out[name] = pa.array(amount.astype(np.int64), mask=~known)
            else:
                values = self.column(name)[rows]
                gone = _missing(name, values)
                if name in DATES:
                    out[name] = pa.array(values, mask=gone).cast(pa.date32())
                elif name == "dso_censored":
                    out[name] = pa.array(values == 1, mask=gone)
                else:
                    out[name] = pa.array(values, mask=gone)
        return pa.table(out)


def place_before(texts: Any, text: str) -> int:
    """The first place in sorted texts at which one stands that does not come before a text; their count where there is none."""
    low, high = 0, len(texts)
    while low < high:
        middle = (low + high) // 2
        if texts[middle].as_py() < text:
            low = middle + 1
        else:
            high = middle
    return low


def place_of(texts: Any, text: str) -> int:
    """The first place at which a text stands in sorted texts; -1 where it stands nowhere."""
    place = place_before(texts, text)
    return place if place < len(texts) and texts[place].as_py() == text else -1


def coded_as(codes: Column, allowed: Column) -> Column:
    """Which rows have an allowed code; the last of `allowed` stands for code -1."""
    keep = np.empty(len(codes), np.bool_)
    chosen(codes, allowed, keep)
    return keep


def _missing(name: str, values: Column) -> Column:
    if values.dtype.kind == "f":
        return np.isnan(values)
    if name in CODED:
        return values < 0
    return values == MISSING if name in NULLABLE else np.zeros(len(values), np.bool_)


def _save(path: Path, values: Column) -> None:
    with path.open("wb") as file:
        np.save(file, values)


# Finding and making one

LEAST_RECENT: Final = 4
_guard = Lock()
_opened: OrderedDict[Any, Standing] = OrderedDict()


def standing(book: Book) -> Standing:
    """The columns of a book, mapped where they are kept already, else made.  买方现状

    The mask of what the book's scope shows is for the caller: `standing(book).seen(book.scope)`.
    """
    own = replace(
        book, scope=Scope(book.scope.legal_entities, book.scope.sales_owners, book.scope.groups) if book.scope.legal_entities else Scope()
    )
    at = answers.place(own)
    if at is None:
        return make(own)
    target = at / f"standing-{answers.key(own, f'standing {FORMAT}')}"
    with _guard:
        found = _opened.get(target)
        if found is not None and (found.folder is None or found.folder.exists()):
            _opened.move_to_end(target)
            return found
    with _made_once(target):
        found = _mapped(target)
        if found is None:
            found = make(own)
            with contextlib.suppress(OSError):
                answers.keep_folder(target, found_writer(found))
                found = _mapped(target) or found
    with _guard:
        _opened[target] = found
        while len(_opened) > LEAST_RECENT:
            _opened.popitem(last=False)
    return found


def is_made(book: Book) -> bool:
    """Are the columns of a book kept already, so that asking for them takes no time?"""
    own = replace(book, scope=book.scope if book.scope.legal_entities else Scope())
    at = answers.place(own)
    return at is not None and (at / f"standing-{answers.key(own, f'standing {FORMAT}')}" / "meta.json").exists()


_making: dict[Path, Lock] = {}


def _made_once(target: Path) -> Lock:
    """One thread of this process makes the columns; the others wait for them."""
    with _guard:
        return _making.setdefault(target, Lock())


def _mapped(folder: Path) -> Standing | None:
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        os.utime(folder / "meta.json")
    except (OSError, ValueError):
        try:
            meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def batch(name: str) -> pa.RecordBatch:
        with pa.memory_map(str(folder / name)) as file:
            return pa.ipc.open_file(file).get_batch(0)

    try:
        return Standing(
            batch("rows.arrow"), meta["words"], batch("groups.arrow"), np.load(folder / "amounts.npy", mmap_mode="r").view(np.ndarray),
            np.load(folder / "blob.npy", mmap_mode="r").view(np.ndarray), np.load(folder / "starts.npy", mmap_mode="r").view(np.ndarray),
            np.array(meta["frequency"], np.int64), meta["factors"], meta["base_currency"], date.fromisoformat(meta["on"]), folder,
        )  # fmt: skip
    except (OSError, ValueError, pa.ArrowInvalid):
        return None


def found_writer(made: Standing) -> Callable[[Path], None]:
    """How the columns are written into a folder, the meta data last."""

    def fill(folder: Path) -> None:
        for name, batch in (("rows.arrow", made.rows), ("groups.arrow", made.groups)):
            with pa.OSFile(str(folder / name), "wb") as file, pa.ipc.new_file(file, batch.schema) as writer:
                writer.write_batch(batch)
        _save(folder / "amounts.npy", made.amounts)
        _save(folder / "blob.npy", made.blob)
        _save(folder / "starts.npy", made.starts)
        meta = {
            "words": made.words, "factors": made.factors, "base_currency": made.base_currency, "on": made.on.isoformat(),
            "frequency": made.frequency.tolist(),
        }  # fmt: skip
        (folder / "meta.json").write_text(json.dumps(meta, ensure_ascii=False), encoding="utf-8")

    return fill


def make(book: Book) -> Standing:
    """Work the columns out: twice the refresh (now, and thirty days ago) and the profiles."""
    columns_of(book.ledger)  # both are quick where the columns of the facts lie ready
    figures = refresh(book).sort_by([("buyer_id", "ascending"), ("currency", "ascending")])
    figures = figures.filter(compute.is_valid(figures["buyer_id"])).combine_chunks()
    before = refresh(replace(book, on=book.on - timedelta(days=MONTH_DAYS))).select(["buyer_id", "currency", "outstanding", "overdue"])
    buyer_ids: Any = figures["buyer_id"].combine_chunks()
    number = _numbered(buyer_ids)
    profile = book.run(book.buyer.select("buyer_id", *PROFILE))
    at: Any = compute.index_in(buyer_ids, profile["buyer_id"])
    arrays: dict[str, Any] = {"buyer_id": buyer_ids, "number": pa.array(number)}
    words: dict[str, list[str]] = {}
    own: dict[str, Any] = {name: profile[name].combine_chunks().take(at) for name in PROFILE}
    own["currency"] = figures["currency"].combine_chunks()
    for name in TEXTS[1:]:
        arrays[name] = own[name]
    for name in CODED:
        codes, words[name] = _coded(own[name])
        arrays[name] = pa.array(codes)
    group = compute.coalesce(own["group_id"], buyer_ids)
    group_codes, group_ids = _coded(group)
    arrays["group"] = pa.array(group_codes)
    named = np.full(len(group_ids), -1, np.int64)
    has_name = compute.is_valid(own["group_name"]).to_numpy(zero_copy_only=False)
    named[group_codes[has_name]] = np.flatnonzero(has_name)
    group_names = own["group_name"].take(pa.array(named, mask=named < 0))
    for name in ("payment_terms_days", "customer_since"):
        arrays[name] = _filled(own[name])
    for name in MEASURES.names[2:]:
        arrays[name] = _filled(figures[name].combine_chunks())
    owed, overdue = (figures[name].to_numpy() for name in ("outstanding", "overdue"))
    with np.errstate(divide="ignore", invalid="ignore"):
        arrays["overdue_share"] = pa.array(np.where(owed != 0, overdue / owed, np.nan))
    then = _aligned(figures, before)
    arrays["outstanding_change_30d"] = pa.array(owed - then["outstanding"])
    arrays["overdue_change_30d"] = pa.array(overdue - then["overdue"])
    blob, starts = _searchable_texts([buyer_ids, *(own[name] for name in SEARCHED[1:])])
    factors = {} if book.base_currency == "XXX" else {row["currency"]: row["factor"] for row in book.run(minor_rates(book)).to_pylist()}
    amounts = np.column_stack([figures[name].to_numpy() for name in TOTALS]).astype(np.int64)
    return Standing(
        pa.record_batch(arrays), words, pa.record_batch({"group_id": pa.array(group_ids, pa.string()), "group_name": group_names}),
        np.ascontiguousarray(amounts), searchable(blob), starts, np.bincount(blob, minlength=256), factors, book.base_currency, book.on,
    )  # fmt: skip


def _numbered(buyer_ids: pa.Array[Any]) -> npt.NDArray[np.int32]:
    """Buyers counted in the order of the rows."""
    if not len(buyer_ids):
        return np.zeros(0, np.int32)
    same: Any = compute.equal(buyer_ids.slice(1), buyer_ids.slice(0, len(buyer_ids) - 1))
    first = np.concatenate(([True], ~same.to_numpy(zero_copy_only=False)))
    return (np.cumsum(first) - 1).astype(np.int32)


def _coded(texts: Any) -> tuple[npt.NDArray[np.int32], list[str]]:
    """Codes in the order of the texts, -1 for a missing or an empty one."""
    coded = texts.dictionary_encode()
    found = coded.dictionary.to_pylist()
    order = sorted((text, place) for place, text in enumerate(found) if text)
    code = np.full(len(found) + 1, -1, np.int32)
    for new, (_text, place) in enumerate(order):
        code[place] = new
    return code[compute.fill_null(coded.indices, len(found)).to_numpy(zero_copy_only=False)], [text for text, _place in order]


def _filled(values: Any) -> Any:
    """Without nulls: fractions NaN, whole numbers and dates MISSING, flags as small numbers."""
    if pa.types.is_floating(values.type):
        return compute.fill_null(values, np.nan)
    if pa.types.is_boolean(values.type):
        return compute.fill_null(values.cast(pa.int8()).cast(pa.int32()), int(MISSING))
    if pa.types.is_date(values.type):
        values = values.cast(pa.int32())
    return compute.fill_null(values, int(MISSING)) if values.null_count else values


def _aligned(now: pa.Table, then: pa.Table) -> dict[str, Column]:
    """The amounts of an earlier day in the order of today's rows; who was not there yet had none."""
    keys = [compute.binary_join_element_wise(table["buyer_id"], table["currency"], "\n") for table in (now, then)]
    at: Any = compute.index_in(keys[0].combine_chunks(), keys[1].combine_chunks())
    return {
        name: compute.fill_null(then[name].combine_chunks().take(at), 0).to_numpy(zero_copy_only=False)
        for name in ("outstanding", "overdue")
    }


def _searchable_texts(texts: Sequence[Any]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    small = [compute.utf8_lower(compute.fill_null(column, "")).cast(pa.large_string()) for column in texts]
    joined: Any = compute.binary_join_element_wise(*small, pa.scalar("", pa.large_string()), pa.scalar("\n", pa.large_string()))
    if not len(joined):
        return np.zeros(0, np.uint8), np.zeros(1, np.int64)
    _valid, offsets, data = joined.buffers()
    starts = np.frombuffer(offsets, np.int64)[joined.offset : joined.offset + len(joined) + 1]
    return np.frombuffer(data, np.uint8)[starts[0] : starts[-1]], starts - starts[0]


def as_number(name: str, value: Any) -> float:
    """A limit for a column as the column holds it: a date as its day."""
    if isinstance(value, date):
        return float((value - EPOCH).days)
    if isinstance(value, str) and name in DATES:
        return float((date.fromisoformat(value) - EPOCH).days)
    return float(value)


__all__ = ["BUCKETS", "CODED", "COLUMNS", "FIGURES", "MONEY", "Self", "Standing", "is_made", "make", "standing"]
