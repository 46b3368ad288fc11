"""The truth behind the demo economy, which nobody in it can see, and how much of it a warning could have known at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from duecourse.samples.columns import choice_column, day_column

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    from duecourse.samples.buyers import Block

HABITS: Final = ("prompt", "late", "chronic", "slow")
DEFAULT_KINDS: Final = ("gradual", "cloaked", "sudden")
DEFAULT_FORMS: Final = ("insolvency", "protracted_default")
OUTCOMES: Final = ("failure", "recovery", "cut_short", "running", "no_buyer")

FELT: Final = 0.1
"""Distress from which on there is something to notice: payments two or three days longer, news three times as likely as at rest."""


def truth_tables(block: Block) -> dict[str, pa.Table]:
    """What nobody in the economy can see, of a block of buyers.

    buyer        a row a buyer. payment_habit and habitual_days_past_due, when nothing is wrong; cloaked: hides distress in its payments;
                 default_date (null = none within the economy's years and twelve months more); default_kind: gradual after months of
                 distress seen in payments, cloaked after distress seen elsewhere only, sudden out of the blue; default_form;
                 recovery_rate of what was open; distress_since: the first day of the month in which the distress began of which it
                 failed, null where sudden
    buyer_month  a row a buyer and month from the economy's first to twelve after its last: grade 1 to 10 and stress 0 to 1 at month_end;
                 10 and 1 from the failure on
    episode      a row a time of distress: began and ends (first days of months; it has passed, or failed, in the latter), fatal = would
                 end in failure if nobody did anything, peak of stress within those months, and outcome: failure, recovery, cut_short by a
                 sudden failure, running at the end of the simulated time, no_buyer = failed before it bought from us and is left out
    """
    return {"buyer": _buyers(block), "buyer_month": _months(block), "episode": _episodes(block)}


def _buyers(block: Block) -> pa.Table:
    latent, failure = block.latent, block.failure
    failed = latent.default_month >= 0
    kind = np.where(~failed, -1, np.where(latent.sudden, 2, np.where(failure.cloaked, 1, 0))).astype(np.int32)
    onset = latent.onset_of_failure
    return pa.table(
        {
            "buyer_id": block.profile.ids,
            "payment_habit": choice_column(block.habit.kind, HABITS),
            "habitual_days_past_due": pa.array(block.habit.days),
            "cloaked": pa.array(failure.cloaked),
            "default_date": day_column(np.where(failed, failure.day, 0).astype(np.int32), failed),
            "default_kind": choice_column(kind, DEFAULT_KINDS),
            "default_form": choice_column(np.where(failed, failure.form, -1).astype(np.int32), DEFAULT_FORMS),
            "recovery_rate": pa.array(failure.recovery_rate, mask=~failed),
            "distress_since": day_column(block.calendar.month_first[np.maximum(onset, 0)], onset >= 0),
        }
    )


def _months(block: Block) -> pa.Table:
    behaviour = block.economy.behaviour
    before, months = behaviour.warm_up_months, block.economy.years * 12 + behaviour.ahead_months
    window = slice(before, before + months)
    ends = (block.calendar.month_first[before + 1 : before + months + 1] - 1).astype(np.int32)
    return pa.table(
        {
            "buyer_id": choice_column(np.repeat(np.arange(block.profile.count, dtype=np.int32), months), block.profile.ids),
            "month_end": day_column(np.tile(ends, block.profile.count)),
            "grade": pa.array(block.latent.grade[:, window].ravel()),
            "stress": pa.array(block.latent.stress[:, window].ravel()),
        }
    )


def _episodes(block: Block) -> pa.Table:
    latent, had = block.latent, block.latent.episodes
    horizon = latent.stress.shape[1]
    end, failed = had.onset + had.months, latent.default_month[had.buyer]
    in_it = (failed > had.onset) & (failed <= end)
    cut = in_it & latent.struck[had.buyer]
    outcome = np.select([cut, in_it & had.fatal, end >= horizon, had.fatal], [2, 0, 3, 4], 1).astype(np.int32)
    end = np.where(cut, failed, end)
    shown = np.flatnonzero((end >= block.economy.behaviour.warm_up_months) & (outcome < OUTCOMES.index("no_buyer")))
    shown = shown[np.lexsort((had.onset[shown], had.buyer[shown]))]
    buyer, onset, end = had.buyer[shown], had.onset[shown], end[shown]
    # The greatest stress of each: running maxima over the longest of them, month by month.
    peak = np.zeros(len(shown))
    for month in range(int(had.months.max(initial=0)) + 1):
        at = np.minimum(onset + month, horizon - 1)
        within = (onset + month < end) & (onset + month < horizon)
        peak = np.where(within, np.maximum(peak, latent.lived_stress[buyer, at]), peak)
    ends = block.calendar.month_first[np.minimum(end, len(block.calendar.month_first) - 1)]
    return pa.table(
        {
            "buyer_id": choice_column(buyer, block.profile.ids),
            "began": day_column(block.calendar.month_first[onset]),
            "ends": day_column(ends),
            "fatal": pa.array(had.fatal[shown]),
            "peak": pa.array(peak),
            "outcome": choice_column(outcome[shown], OUTCOMES),
        }
    )


def kinds_of_failures(answers: Path | None) -> dict[str, str]:
    """Of each buyer that fails, how: gradual, cloaked or sudden; empty for a ledger without the truth beside it, as every firm's own is.

    answers  a folder inside the ledger's; the truth stands beside it
    """
    path = None if answers is None else answers.parent / "truth" / "buyer.parquet"
    if path is None or not path.is_file():
        return {}
    rows = pq.read_table(path, columns=["buyer_id", "default_kind"])
    return {row["buyer_id"]: row["default_kind"] for row in rows.to_pylist() if row["default_kind"]}


@dataclass(frozen=True)
class Knowable:
    """Of the defaults of some time, how many could have been seen coming.

    defaults     how many there were
    no_precursor  share with no distress to be noticed at any month's end in the year before: nothing, however good, warns of them
    not_in_payments  share whose distress was there, and hidden in payments: only news, accounts, registers and insurers could tell
    in_time      share with distress to be noticed at a month's end at least `lead_days` before: to catch more with that lead takes
                 luck, or buyers warned of for their bad grade alone
    episodes     times of distress to be noticed that began in that time and are over, by failure or recovery
    fatal        share of those that ended in failure: who warns of every one of them has this precision
    """

    defaults: int
    no_precursor: float
    not_in_payments: float
    in_time: float
    episodes: int
    fatal: float


def precursors(truth: Mapping[str, pa.Table], *, felt: float = FELT) -> pa.Table:
    """When could each default first have been noticed?  每起违约最早何时可见

    truth  the tables `buyer` and `buyer_month` of a whole economy (`chunks(…).truth`, or the Parquet files beside a demo ledger)
    felt   stress, 0 to 1, from which on distress can be noticed

    A row a default, in order of buyer: buyer_id, default_date, default_kind, distress_since, noticed_on = the first month's end at which
    stress was at least `felt` and stayed there until the default, within the year before; null where there is none. lead_days from then
    to the default, likewise.
    """
    with duckdb.connect() as connection:
        connection.register("buyer", truth["buyer"])
        connection.register("buyer_month", truth["buyer_month"])
        found: pa.Table = connection.sql(_PRECURSORS, params={"felt": felt}).to_arrow_table()
    return found


_PRECURSORS: Final = """
WITH before AS (
    SELECT buyer_id, default_date, month_end, stress,
        max(month_end) FILTER (stress < $felt) OVER (PARTITION BY buyer_id) AS last_calm
    FROM buyer JOIN buyer_month USING (buyer_id)
    WHERE month_end < default_date AND month_end >= default_date - 365
), noticed AS (
    SELECT buyer_id, min(month_end) AS noticed_on FROM before WHERE stress >= $felt AND (last_calm IS NULL OR month_end > last_calm) GROUP BY ALL
)
SELECT buyer_id, default_date, default_kind, distress_since, noticed_on, (default_date - noticed_on)::INTEGER AS lead_days
FROM buyer LEFT JOIN noticed USING (buyer_id)
WHERE default_date IS NOT NULL
ORDER BY buyer_id
"""


def knowable(truth: Mapping[str, pa.Table], since: date, until: date, *, lead_days: int = 90, felt: float = FELT) -> Knowable:
    """How much of the defaults could a warning have known at all?  可预见违约占比

    Shares of defaults from `since` to `until`, both included; a share of nothing is nan. Tables as in `precursors`, and `episode`. The months
    known begin with the economy: a `since` less than a year after that counts what began before as unseen.
    """
    with duckdb.connect() as connection:
        connection.register("default_", precursors(truth, felt=felt))
        connection.register("episode", truth["episode"])
        given = {"since": since, "until": until}
        ((defaults, none, hidden, in_time),) = connection.execute(
            """SELECT count(*), count(*) FILTER (noticed_on IS NULL), count(*) FILTER (noticed_on IS NOT NULL AND default_kind = 'cloaked'),
            count(*) FILTER (lead_days >= $lead) FROM default_ WHERE default_date BETWEEN $since AND $until""",
            {**given, "lead": lead_days},
        ).fetchall()
        ((episodes, fatal),) = connection.execute(
            """SELECT count(*), count(*) FILTER (outcome = 'failure') FROM episode
            WHERE outcome IN ('failure', 'recovery') AND peak >= $felt AND began BETWEEN $since AND $until AND ends <= $until""",
            {**given, "felt": felt},
        ).fetchall()
    return Knowable(
        defaults, _share(none, defaults), _share(hidden, defaults), _share(in_time, defaults), episodes, _share(fatal, episodes)
    )  # fmt: skip


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
