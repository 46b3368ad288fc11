"""The monthly review in words: pieces for the page and for the PDF alike (see `actions.paper`), in the language spoken.

{"kind": "chart", "chart": Chart, "id"}     drawn in the page; a picture on paper
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from duecourse.desk.drift import COMPOSITE
from duecourse.glossary import label
from duecourse.messages import say
from duecourse.tables import shown
from duecourse.web.pages.columns import capital
from duecourse.web.review import charts
from duecourse.web.watch.wording import reason_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from duecourse.web.pages.charts import Chart

    Piece = dict[str, Any]
    Report = Mapping[str, Any]

DRAWN: Final = 12
REASONS: Final = 12
MOVED: Final = ("much", "some")


def pieces(found: Report, over_time: Sequence[Mapping[str, Any]]) -> list[Piece]:
    """The whole review. over_time: month_end, composite, much of the months kept so far, oldest first."""
    return [*_first(found), *_inputs(found, over_time), *_calibration(found), *_verdicts(found), *_migration(found)]


def input_name(code: str) -> str:
    """What an input is called."""
    return capital(say("drift.composite")) if code == COMPOSITE else f"{code} {capital(label(code.lower()))}"


def composite_of(found: Report) -> float | None:
    """The stability index of the rule score."""
    value: float | None = next((row["index"] for row in found["inputs"] if row["indicator"] == COMPOSITE), None)
    return value


def count_of(found: Report, level: str) -> int:
    """How many inputs have moved so far."""
    return sum(row["level"] == level for row in found["inputs"])


def lines(found: Report) -> list[str]:
    """What a reader has to know, a sentence each."""
    moved, verdicts, much = found["migration"], found["verdicts"], count_of(found, "much")
    told = [say("web.review_told_inputs", count=len(found["inputs"]), much=much, some=count_of(found, "some"))]
    wrong = [name for name, one in found["calibration"].items() if one["rows"] and not one["is_right"]]
    if found["calibration"]:
        low = [name for name in wrong if found["calibration"][name]["expected"] < found["calibration"][name]["low"]]
        told.append(
            say("web.review_told_right", count=len(found["calibration"]))
            if not wrong
            else say("web.review_told_wrong", wrong=len(wrong), count=len(found["calibration"]), low=len(low), high=len(wrong) - len(low))
        )
    else:
        told.append(say("web.review_told_no_model"))
    if verdicts["right_share"] is None:
        told.append(say("drift.note_no_verdicts"))
    else:
        told.append(say("drift.note_verdicts", share=f"{verdicts['right_share']:.0%}", days=f"{verdicts['days_median'] or 0:.0f}"))
    if moved["same"] is not None:
        shares: dict[str, Any] = {name: f"{moved[name]:.0%}" for name in ("same", "worse", "better")}
        told.append(say("drift.note_grades", **shares))
    return told


def _first(found: Report) -> Iterator[Piece]:
    composite, moved, verdicts = composite_of(found), found["migration"], found["verdicts"]
    defaulted = sum(row[-2] for row in moved["counts"])
    yield {"kind": "tiles", "tiles": [
        {"label": say("web.review_composite_index"), "value": _ratio(composite), "under": say("web.review_bounds")},
        {"label": say("web.review_much_moved"), "value": f"{count_of(found, 'much')}", "under": say("web.review_of_inputs", count=len(found["inputs"]))},
        {"label": say("web.review_right_alerts"), "value": _share(verdicts["right_share"]), "under": say("web.review_closed", count=sum(verdicts["counts"].values()))},
        {"label": say("web.review_fell"), "value": _share(moved["worse"]), "under": say("web.review_defaulted", count=defaulted)},
    ]}  # fmt: skip
    yield {"kind": "text", "text": "\n\n".join(lines(found))}


def _inputs(found: Report, over_time: Sequence[Mapping[str, Any]]) -> Iterator[Piece]:
    known = [row for row in found["inputs"] if row["index"] is not None]
    yield {"kind": "heading", "text": say("web.review_inputs")}
    yield {"kind": "text", "text": say("drift.note_index")}
    if known:
        yield _drawn(charts.moved([{"name": input_name(row["indicator"]), "index": row["index"]} for row in known[:DRAWN]]), "chart-moved")
    if len(over_time) > 1:
        yield {"kind": "text", "text": say("web.review_over_time")}
        yield _drawn(charts.index_over_time(over_time), "chart-over-time")
    rows = [row for row in found["inputs"] if row["level"] in MOVED]
    if rows:
        yield {
            "kind": "table",
            "head": [say(f"drift.col_{name}") for name in ("indicator", "index", "level", "median_then", "median_now", "missing_then", "missing_now")],
            "align": ["left", "right", "tight", "right", "right", "right", "right"],
            "rows": [
                [
                    input_name(row["indicator"]), _ratio(row["index"]), say(f"drift.level_{row['level']}"), _number(row["median_then"]), _number(row["median_now"]),
                    _share(row["missing_then"]), _share(row["missing_now"]),
                ]
                for row in rows
            ],
        }  # fmt: skip
    else:
        yield {"kind": "text", "text": say("web.review_nothing_moved")}


def _calibration(found: Report) -> Iterator[Piece]:
    periods = {name: one for name, one in found["calibration"].items() if one["rows"]}
    yield {"kind": "heading", "text": say("web.review_calibration")}
    if not periods:
        yield {"kind": "text", "text": say("web.review_told_no_model")}
        return
    first = say("web.review_asked_on")
    yield {"kind": "text", "text": say("web.review_calibration_how")}
    yield _drawn(charts.calibration(periods, first), "chart-calibration")
    yield {
        "kind": "table",
        "head": [first, *(say(f"backtest.col_{name}") for name in ("rows", "expected", "observed", "range", "is_right"))],
        "align": ["left", "right", "right", "right", "right", "left"],
        "rows": [
            [
                name, f"{one['rows']:,}", f"{one['expected']:.1f}", f"{one['observed']:,}", f"{one['low']:.1f}–{one['high']:.1f}",
                say("cli.yes") if one["is_right"] else say("cli.no"),
            ]
            for name, one in periods.items()
        ],
    }  # fmt: skip


def _verdicts(found: Report) -> Iterator[Piece]:
    verdicts = found["verdicts"]
    yield {"kind": "heading", "text": say("web.review_verdicts")}
    if not sum(verdicts["counts"].values()):
        yield {"kind": "text", "text": say("drift.note_no_verdicts")}
        return
    yield _drawn(charts.verdicts(found["by_month"]), "chart-verdicts")
    names = ("true", "known", "false")
    reasons = sorted(verdicts["by_reason"].items(), key=lambda item: (-sum(item[1].values()), item[0]))
    rows = [[say("web.review_all_alerts"), *(f"{verdicts['counts'][name]:,}" for name in names), _share(verdicts["right_share"])]]
    rows += [[reason_name(code), *(f"{counts[name]:,}" for name in names), _share(_right(counts))] for code, counts in reasons[:REASONS]]
    yield {
        "kind": "table",
        "head": [say("web.review_reason"), *(capital(say(f"drift.verdict_{name}")) for name in names), say("web.review_right_alerts")],
        "align": ["left", "right", "right", "right", "right"],
        "rows": rows,
        "note": say("web.review_right_note"),
    }


def _right(counts: Mapping[str, int]) -> float | None:
    new = counts["true"] + counts["false"]
    return counts["true"] / new if new else None


def _migration(found: Report) -> Iterator[Piece]:
    counts = found["migration"]["counts"]
    yield {"kind": "heading", "text": say("drift.migration")}
    yield {"kind": "text", "text": say("web.review_migration_how", since=found["since"], on=found["on"])}
    grades = [str(number) for number in range(1, len(counts) + 1)]
    yield {
        "kind": "table",
        "matrix": matrix(counts),
        "head": [say("drift.col_grade_then"), *grades, say("drift.col_default"), say("drift.col_gone")],
        "align": ["left", *("right" for _ in range(len(grades) + 2))],
        "rows": [[str(number), *(str(count) if count else "·" for count in row)] for number, row in enumerate(counts, start=1) if any(row)],
    }


def matrix(counts: Sequence[Sequence[int]]) -> list[dict[str, Any]]:
    """The rows of the matrix with how full each cell is, 0 to 4 of its row."""
    return [
        {
            "grade": number, "total": sum(row),
            "cells": [{"count": count, "heat": min(4, -(-4 * count // sum(row))) if count else 0, "same": place == number} for place, count in enumerate(row, start=1)],
        }
        for number, row in enumerate(counts, start=1) if any(row)
    ]  # fmt: skip


def on_paper(found: Sequence[Piece]) -> list[Piece]:
    """The same pieces for a document: charts as pictures."""
    return [
        {"kind": "picture", "svg": charts_svg(piece["chart"])} if piece["kind"] == "chart" else {name: part for name, part in piece.items() if name != "matrix"}
        for piece in found
        if piece["kind"] != "chart" or not piece["chart"].is_empty
    ]  # fmt: skip


def charts_svg(chart: Chart) -> str:
    """A chart as a picture."""
    from duecourse.web.pages.charts import svg  # noqa: PLC0415 — starts a JavaScript engine: only where something is printed

    return svg(chart, width=640)


def _drawn(chart: Chart, name: str) -> Piece:
    return {"kind": "chart", "chart": chart, "id": name}


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.4g}"


def _share(value: float | None) -> str:
    return shown(value, "fraction")
