"""A backtest's report as tables: the same rows on the page and as a file, in the language spoken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from duecourse.desk.backtest_words import interval, kind_words, percent, quartiles, reason_words, rival_name, segment_name, threshold_words
from duecourse.glossary import label
from duecourse.messages import catalogue, say
from duecourse.review.early_warning import FIGURES, OF_SEGMENTS
from duecourse.tables import Column, Money, Section
from duecourse.web.pages.columns import capital

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Report = Mapping[str, Any]

TABLES: Final = ("rivals", "segments", "strata", "trade_off", "leads", "calibration", "misses", "false_alarms")
REASONS: Final = 3
REASONS_IN_FILE: Final = 20
DAYS: Final = frozenset({"lead_median", "lead_lower_quartile", "lead_upper_quartile"})
RATIOS: Final = frozenset({"false_alarms_per_buyer_year", "alerts_per_analyst_day"})
COUNTS: Final = ("defaults", "caught", "caught_90", "alerts", "judged", "right")


def figure_name(figure: str) -> str:
    """What a figure is called."""
    return say(f"web.review_figure_{figure}")


def figure_text(figure: str, value: float | None) -> str:
    """A figure as people read it."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if figure in DAYS else f"{value:,.2f}" if figure in RATIOS else percent(value)


def figure_range(figure: str, low: float | None, high: float | None) -> str:
    """Its interval as people read it; empty where there is none."""
    return "" if low is None or high is None else f"{figure_text(figure, low)}–{figure_text(figure, high)}"


def _kind(figure: str) -> Any:
    return "days" if figure in DAYS else "ratio" if figure in RATIOS else "fraction"


# --- on the page: a line each, intervals beside their figures -------------------------------------------------------------------------------


def rivals(found: Report) -> Section:
    """Who warns, all at the same budget."""
    columns = [
        Column("rival", heading=say("backtest.col_rival")), Column("recall_90", "ratio", say("backtest.col_recall_90")),
        Column("recall", "fraction", say("backtest.col_recall")), Column("precision", "ratio", say("backtest.col_precision")),
        Column("lead", "ratio", say("backtest.col_lead")), Column("lead_share", "ratio", say("backtest.col_lead_share")),
        Column("false_alarms_per_buyer_year", "ratio", say("backtest.col_false")), Column("alerts_per_analyst_day", "ratio", say("backtest.col_per_day")),
        Column("saved_share", "fraction", say("backtest.col_saved")), Column("auc", "ratio", say("backtest.col_auc")),
    ]  # fmt: skip
    rows = []
    for name, one in found["rivals"].items():
        value = {key: figures[0] for key, figures in one["figures"].items()}
        rows.append(
            {
                **value, "rival": rival_name(name), "recall_90": interval(one["figures"]["recall_90"]), "precision": interval(one["figures"]["precision"]),
                "lead": quartiles(value), "lead_share": f"{percent(value['lead_share_90'])} / {percent(value['lead_share_180'])}", "auc": one["auc"],
                "alerts_per_analyst_day": figure_text("alerts_per_analyst_day", value["alerts_per_analyst_day"]),
                "false_alarms_per_buyer_year": figure_text("false_alarms_per_buyer_year", value["false_alarms_per_buyer_year"]),
            }
        )  # fmt: skip
    return Section("rivals", say("backtest.rivals"), columns, rows)


def segments(found: Report) -> Section:
    """The headline's figures, part by part of the buyers, each with its interval."""
    rows = []
    for name, one in sorted(found["rivals"][found["headline"]]["segments"].items(), key=lambda item: -item[1]["defaults"]):
        bounds = one.get("intervals", {})
        shown = {figure: interval([one[figure], *bounds.get(figure, (None, None))]) for figure in ("recall_90", "recall", "precision")}
        rows.append(
            {"segment": segment_name(found["segment"], name), "defaults": round(one["defaults"]), "alerts": round(one["alerts"]), **shown}
        )
    columns = [
        Column("segment", heading=say("backtest.col_segment")), Column("defaults", "count", say("backtest.col_defaults")),
        Column("recall_90", "ratio", say("backtest.col_recall_90")), Column("recall", "ratio", say("web.review_col_recall_95")),
        Column("alerts", "count", say("backtest.col_alerts")), Column("precision", "ratio", say("backtest.col_precision")),
    ]  # fmt: skip
    return Section("segments", say("web.review_segments", segment=say(f"backtest.segment_{found['segment']}")), columns, rows)


def strata(found: Report) -> Section:
    """The headline's figures by what really happened; no rows where nobody knows."""
    rows = [
        {**one, "stratum": stratum_name(name), "defaults": round(one["defaults"]), "caught": round(one["caught"])}
        for name, one in found["rivals"][found["headline"]]["strata"].items()
        if one["defaults"]
    ]
    columns = [
        Column("stratum", heading=say("web.review_col_stratum")), Column("defaults", "count", say("backtest.col_defaults")),
        Column("caught", "count", say("web.review_figure_caught")), Column("recall_90", "fraction", say("web.review_figure_recall_90")),
        Column("recall", "fraction", say("backtest.col_recall")), Column("lead_median", "days", say("web.review_figure_lead_median")),
    ]  # fmt: skip
    return Section("strata", say("web.review_strata"), columns, rows)


def stratum_name(name: str) -> str:
    """What really happened to a buyer."""
    code = f"web.review_stratum_{name}"
    return say(code) if code in catalogue() else name


def trade_off(found: Report) -> Section:
    """What more looking buys, for the headline."""
    names = ("recall_90", "recall", "precision", "lead_median", "false_alarms_per_buyer_year", "alerts_per_analyst_day", "saved_share")
    rows = [
        {
            **{name: figure_text(name, row[name]) for name in names}, "share": f"{row['share']:.2%}",
            "threshold": threshold_words(found, found["headline"], row["threshold"]),
        }
        for row in found["trade_off"][found["headline"]]
    ]  # fmt: skip
    columns = [Column("share", heading=say("backtest.col_share")), Column("threshold", "ratio", say("backtest.col_threshold"))]
    return Section(
        "trade_off", say("web.review_trade_off"), [*columns, *(Column(name, "ratio", figure_name(name)) for name in names)], rows
    )


def calibration(periods: Mapping[str, Any], first: str) -> Section:
    """Were the probabilities right, period by period? first: what the periods are called."""
    rows = [
        {
            "period": name, "rows": one["rows"], "expected": f"{one['expected']:.1f}", "observed": one["observed"],
            "range": f"{one['low']:.1f}–{one['high']:.1f}", "is_right": one["is_right"], **({"learnt": one["learnt"]} if "learnt" in one else {}),
        }
        for name, one in periods.items() if one["rows"]
    ]  # fmt: skip
    kinds: dict[str, Any] = {"rows": "count", "expected": "ratio", "observed": "count", "range": "ratio", "is_right": "state"}
    if any("learnt" in row for row in rows):
        kinds["learnt"] = "count"
    columns = [Column("period", heading=first), *(Column(name, kind, say(f"backtest.col_{name}")) for name, kind in kinds.items())]
    return Section("calibration", say("web.review_calibration"), columns, rows)


def listed(found: Report, name: str, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """The misses or the false alarms, one by one, as the page shows them. names: what buyers are called today."""
    return [
        {
            **row, "name": names.get(row["buyer_id"], row["name"] or row["buyer_id"]), "reasons": reason_words(row["reasons"], REASONS),
            "why": say(f"backtest.why_{row['why']}") if "why" in row else "", "kind": kind_words(row.get("kind")),
            "lead": "–" if row.get("lead", -1) < 0 else row["lead"],
        }
        for row in found[name]
    ]  # fmt: skip


# --- as a file: every figure and bound a column of its own -----------------------------------------------------------------------------------


def file_section(found: Report, table: str) -> Section:
    """A table whole, as a machine or a spreadsheet wants it. Raises KeyError for one there is not."""
    return {
        "rivals": _rivals_file, "segments": _segments_file, "strata": strata, "trade_off": _trade_off_file, "leads": _leads_file,
        "calibration": _calibration_file, "misses": _misses_file, "false_alarms": _alarms_file,
    }[table](found)  # fmt: skip


def _bounded(names: Sequence[str]) -> list[Column]:
    columns = []
    for name in names:
        columns.append(Column(name, _kind(name), figure_name(name)))
        columns += [Column(f"{name}_{side}", _kind(name), say(f"web.review_{side}", figure=figure_name(name))) for side in ("low", "high")]
    return columns


def _rivals_file(found: Report) -> Section:
    rows = []
    for name, one in found["rivals"].items():
        row = {"code": name, "rival": rival_name(name), "auc": one["auc"], **{count: one["counts"][count] for count in COUNTS}}
        for figure in FIGURES:
            row[figure], row[f"{figure}_low"], row[f"{figure}_high"] = one["figures"][figure]
        rows.append(row)
    columns = [Column("code", heading=say("web.review_col_code")), Column("rival", heading=say("backtest.col_rival")), *_bounded(FIGURES)]
    counts = [Column(count, "ratio", figure_name(count)) for count in COUNTS]
    return Section("rivals", say("backtest.rivals"), [*columns, Column("auc", "ratio", say("backtest.col_auc")), *counts], rows)


def _segments_file(found: Report) -> Section:
    rows = []
    for name, one in found["rivals"][found["headline"]]["segments"].items():
        row = {"segment": segment_name(found["segment"], name), **{count: one[count] for count in COUNTS}}
        for figure in OF_SEGMENTS:
            low, high = one.get("intervals", {}).get(figure, (None, None))
            row |= {figure: one.get(figure), f"{figure}_low": low, f"{figure}_high": high}
        rows.append(row)
    shown = [figure for figure in OF_SEGMENTS if figure in FIGURES]
    counts = [Column(count, "ratio", figure_name(count)) for count in COUNTS]
    return Section(
        "segments", segments(found).title, [Column("segment", heading=say("backtest.col_segment")), *counts, *_bounded(shown)], rows
    )


def _trade_off_file(found: Report) -> Section:
    rows = [{"code": name, "rival": rival_name(name), **row} for name, points in found["trade_off"].items() for row in points]
    columns = [
        Column("code", heading=say("web.review_col_code")), Column("rival", heading=say("backtest.col_rival")), Column("share", "fraction", say("backtest.col_share")),
        Column("threshold", "ratio", say("backtest.col_threshold")), Column("alerts", "ratio", say("backtest.col_alerts")),
        *(Column(name, _kind(name), figure_name(name)) for name in FIGURES),
    ]  # fmt: skip
    return Section("trade_off", say("web.review_trade_off"), columns, rows)


def _leads_file(found: Report) -> Section:
    rows = [
        {"code": name, "rival": rival_name(name), "from": month, "count": count}
        for name, counts in found["leads"].items()
        for month, count in enumerate(counts)
    ]
    columns = [
        Column("code", heading=say("web.review_col_code")), Column("rival", heading=say("backtest.col_rival")), Column("from", "count", say("web.review_col_months")),
        Column("count", "count", say("backtest.col_defaults")),
    ]  # fmt: skip
    return Section("leads", say("web.review_leads"), columns, rows)


def _calibration_file(found: Report) -> Section:
    rows = [
        {"code": name, "rival": rival_name(name), "period": period, **one}
        for name, periods in found["calibration"].items()
        for period, one in periods.items()
        if one["rows"]
    ]
    kinds: dict[str, Any] = {
        "rows": "count",
        "expected": "ratio",
        "observed": "count",
        "low": "ratio",
        "high": "ratio",
        "is_right": "state",
    }
    heads = {"low": say("web.review_col_low"), "high": say("web.review_col_high")}
    columns = [
        Column("code", heading=say("web.review_col_code")), Column("rival", heading=say("backtest.col_rival")), Column("period", heading=say("backtest.col_period")),
        *(Column(name, kind, heads.get(name) or say(f"backtest.col_{name}")) for name, kind in kinds.items()),
    ]  # fmt: skip
    return Section("calibration", say("web.review_calibration"), columns, rows)


def _one_by_one(found: Report, name: str, columns: Sequence[Column]) -> Section:
    rows = [
        {
            **row, "exposure": Money(row["exposure"], found["currency"]), "currency": found["currency"], "reasons": reason_words(row["reasons"], REASONS_IN_FILE),
            "why": say(f"backtest.why_{row['why']}") if "why" in row else None, "kind": kind_words(row.get("kind")),
            "lead": None if row.get("lead", -1) < 0 else row["lead"], "others": "; ".join(rival_name(one) for one in row["others"]),
        }
        for row in found[name]
    ]  # fmt: skip
    after = [
        Column("score", "ratio", say("backtest.col_score")), Column("exposure", "money", capital(label("exposure"))), Column("currency"),
        Column("utilisation", "fraction", capital(label("limit_utilisation"))), Column("oldest_days_past_due", "count", say("backtest.col_oldest")),
        *([Column("oldest_days_past_due_after", "count", say("backtest.col_after"))] if name == "false_alarms" else []),
        Column("reasons", heading=say("backtest.col_reasons")), Column("others", heading=say("web.review_col_others")),
    ]  # fmt: skip
    return Section(name, say(f"web.review_{name}"), [*columns, *after], rows)


def _misses_file(found: Report) -> Section:
    columns = [
        Column("happened_on", heading=say("backtest.col_happened")), Column("buyer_id"), Column("name"), Column("kind", heading=say("backtest.col_kind")),
        Column("why", heading=say("backtest.col_why")), Column("lead", "count", say("backtest.col_lead_days")), Column("on", heading=say("backtest.col_on")),
    ]  # fmt: skip
    return _one_by_one(found, "misses", columns)


def _alarms_file(found: Report) -> Section:
    return _one_by_one(found, "false_alarms", [Column("on", heading=say("backtest.col_on")), Column("buyer_id"), Column("name")])
