"""How the book is spread: limits and what is at stake by group, country, sector, grade, salesperson and company; who needs attention.  风险分布"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from duecourse.desk import answers
from duecourse.desk.grading import graded
from duecourse.desk.limits import hash_of, limit_rules, utilisation
from duecourse.desk.remembered import remembered
from duecourse.measures.base import in_base
from duecourse.measures.exposure import credit_exposure
from duecourse.money import NO_CURRENCY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duecourse.ledger.book import Book

compute: Any = pc
"""Its types know too few of its functions' arguments."""

DIMENSIONS: Final = ("group", "country", "sector", "grade", "sales_owner", "legal_entity")
STATES: Final = ("blocked", "over", "near", "lapsed", "unlimited")
"""What somebody has to see to, the most urgent first."""
TOP: Final = 15
LISTED: Final = 200
WEAK_FROM: Final = 7
GRADES: Final = 10
YEAR: Final = 365
SUMS: Final = ("exposure", "limit_minor", "overdue")


def spread(book: Book) -> Mapping[str, Any]:
    """How is what is at stake spread, against which caps, and who needs attention?  风险分布

    Amounts are minor units of base currency.
        currency    ""  where no base currency is set: then nothing else is there
        totals      exposure, overdue, limit_minor, insurer_minor, buyers, states {state: [buyers, exposure]}
        parts       {dimension of DIMENSIONS: [{key, name, exposure, limit_minor, overdue, buyers, share, cap, above}]}, largest first, TOP at most;
                    key null = not told; `more`: how many others
        weak        share of grades 7 to 10 in the exposure, and its cap
        todo        the LISTED largest by exposure of each state of STATES, and `counts`
        migration   matrix[then - 1][today - 1] of buyers graded on both days; better, same, worse
    Kept for a state of the ledger, its limits and the rule set.
    """
    if book.base_currency == NO_CURRENCY:
        return {"currency": ""}
    rules = limit_rules(book)
    question = f"spread {hash_of(rules)} {answers.beside_version(book.ledger)}"
    found: dict[str, Any] = remembered(book, question, lambda: _spread(book))
    return found


def _spread(book: Book) -> dict[str, Any]:
    rules = limit_rules(book)
    caps = rules["portfolio"]
    use = utilisation(book)
    grades = graded(book)
    use = use.append_column("grade", _grades_of(use["buyer_id"], grades))
    use = use.append_column("group", compute.coalesce(use["group_id"], use["buyer_id"]))
    whole = int(compute.sum(use["exposure"]).as_py() or 0)
    parts = {name: _part(use, name, whole, caps.get(f"{name}_share")) for name in DIMENSIONS if name != "legal_entity"}
    parts["legal_entity"] = _entities(book, use, whole, caps.get("legal_entity_share"))
    weak = (
        compute.sum(use["exposure"].filter(compute.fill_null(compute.greater_equal(use["grade"], WEAK_FROM), fill_value=False))).as_py()
        or 0
    )
    return {
        "currency": book.base_currency,
        "totals": {
            "exposure": whole, **{name: int(compute.sum(use[name]).as_py() or 0) for name in ("overdue", "limit_minor", "insurer_minor")},
            "buyers": use.num_rows, "states": _states(use),
        },
        "parts": parts,
        "weak": {"share": weak / whole if whole else 0.0, "cap": caps["weak_grades_share"]},
        "warning": rules["utilisation_warning"],
        "todo": _todo(use),
        "migration": _migration(book, grades),
    }  # fmt: skip


def _grades_of(buyer_ids: Any, grades: pa.Table) -> Any:
    rated = compute.not_equal(grades["basis"], "none")
    found = compute.if_else(rated, grades["grade"].cast(pa.int32()), pa.scalar(None, pa.int32())).combine_chunks()
    return found.take(compute.index_in(buyer_ids.combine_chunks(), grades["buyer_id"].combine_chunks()))


def _part(use: pa.Table, name: str, whole: int, cap: float | None) -> dict[str, Any]:
    labels = use["group_name"] if name == "group" else use[name].cast(pa.string())
    single = compute.coalesce(use["name"], use["name_local"])
    shown = compute.coalesce(labels, single) if name == "group" else labels
    rows = pa.table({"key": use[name].cast(pa.string()), "name": shown, **{one: use[one] for one in SUMS}})
    sums: Any = rows.group_by("key").aggregate([*((one, "sum") for one in SUMS), ("exposure", "count"), ("name", "max")])
    return _ranked(
        [
            {"key": row["key"], "name": row["name_max"], **{one: row[f"{one}_sum"] or 0 for one in SUMS}, "buyers": row["exposure_count"]}
            for row in sums.sort_by([("exposure_sum", "descending"), ("key", "ascending")]).to_pylist()
        ],
        whole, cap, everything=name == "grade",
    )  # fmt: skip


def _ranked(rows: list[dict[str, Any]], whole: int, cap: float | None, *, everything: bool = False) -> dict[str, Any]:
    for row in rows:
        row["share"] = row["exposure"] / whole if whole else 0.0
        row["cap"], row["above"] = cap, cap is not None and row["share"] > cap
    if everything:
        rows.sort(key=lambda row: (row["key"] is None, int(row["key"] or 0)))
        return {"rows": rows, "more": 0, "cap": cap}
    return {"rows": rows[:TOP], "more": max(0, len(rows) - TOP), "cap": cap}


def _entities(book: Book, use: pa.Table, whole: int, cap: float | None) -> dict[str, Any]:
    """By which of our companies the claim is, not by who usually sells to the buyer; limits by the buyer's own company."""
    stake = credit_exposure(book, per=("legal_entity", "currency"))
    found = book.run(in_base(book, stake, ("exposure", "overdue"), by=("legal_entity",))).to_pylist()
    own: Any = use.group_by("legal_entity").aggregate([("limit_minor", "sum"), ("exposure", "count")])
    limits = {row["legal_entity"]: row for row in own.to_pylist()}
    rows = [
        {
            "key": row["legal_entity"], "name": row["legal_entity"], "exposure": row["exposure"], "overdue": row["overdue"],
            "limit_minor": limits.get(row["legal_entity"], {}).get("limit_minor_sum") or 0,
            "buyers": limits.get(row["legal_entity"], {}).get("exposure_count") or 0,
        }
        for row in sorted(found, key=lambda row: (-row["exposure"], str(row["legal_entity"])))
    ]  # fmt: skip
    return _ranked(rows, whole, cap)


def _states(use: pa.Table) -> dict[str, list[int]]:
    sums: Any = use.group_by("state").aggregate([("exposure", "count"), ("exposure", "sum")])
    return {row["state"]: [row["exposure_count"], row["exposure_sum"]] for row in sums.to_pylist()}


def _todo(use: pa.Table) -> dict[str, Any]:
    columns = (
        "buyer_id", "name", "name_local", "state", "limit_minor", "exposure", "overdue", "utilisation", "headroom_minor", "grade", "sales_owner",
        "oldest_days_past_due",
    )  # fmt: skip
    found: list[dict[str, Any]] = []
    counts = {}
    for state in STATES:
        rows = use.filter(compute.equal(use["state"], state)).select(columns)
        counts[state] = rows.num_rows
        found += rows.sort_by([("exposure", "descending"), ("buyer_id", "ascending")]).slice(0, LISTED).to_pylist()
    return {"rows": found, "counts": counts}


def _migration(book: Book, today: pa.Table) -> dict[str, Any] | None:
    """Grades of both days, buyers who rest on something on both."""
    ledger: Any = book.whole.ledger
    if not hasattr(ledger, "as_of"):
        return None
    before = graded(ledger.as_of(book.on - timedelta(days=YEAR), book.known_at).limited(book.scope))
    place = compute.index_in(today["buyer_id"].combine_chunks(), before["buyer_id"].combine_chunks())
    then, now = before["grade"].combine_chunks().take(place), today["grade"].combine_chunks()
    rated = compute.and_(
        compute.not_equal(today["basis"], "none"), compute.fill_null(compute.not_equal(before["basis"].combine_chunks().take(place), "none"), fill_value=False)
    )  # fmt: skip
    both = pa.table({"then": then, "now": now}).filter(rated)
    sums: Any = both.group_by(["then", "now"]).aggregate([("now", "count")])
    matrix = [[0] * GRADES for _ in range(GRADES)]
    for row in sums.to_pylist():
        matrix[row["then"] - 1][row["now"] - 1] = row["now_count"]
    pairs: Sequence[tuple[int, int, int]] = [(a, b, matrix[a][b]) for a in range(GRADES) for b in range(GRADES)]
    return {
        "matrix": matrix, "better": sum(n for a, b, n in pairs if b < a), "same": sum(n for a, b, n in pairs if a == b),
        "worse": sum(n for a, b, n in pairs if b > a), "on": (book.on - timedelta(days=YEAR)).isoformat(),
    }  # fmt: skip
