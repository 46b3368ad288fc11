"""Which credit limits hold (信用额度): what is granted, what the insurer covers, what is blocked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ibis

from duecourse.measures.expressions import day

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from duecourse.ledger.book import Book

REPLACES: Final = ("standing", "insurer")
"""Of these kinds one holds at a time for a buyer (or group) and legal entity: the newest. Temporary limits and blocks hold side by side."""

IN_FORCE: Final = (
    "limit_id",
    "kind",
    "buyer_id",
    "group_id",
    "legal_entity",
    "amount_minor",
    "currency",
    "payment_terms_days",
    "valid_from",
    "valid_to",
    "review_on",
)


def limit_states(book: Book) -> ir.Table:
    """Which limits were ever given, and does each still hold?  额度历史

    One row per limit that began by the book's day: its facts and
        state   string   in_force 生效 | replaced 已被新额度取代 | ended 已终止 | run_out 已到期

    A standing or insurer's limit replaces the one before it of the same buyer or group, kind and legal entity, even where it has run
    out itself: what was replaced does not come back by the passing of time.
    """
    rows = book.limit
    standing = rows.kind.isin(REPLACES)
    newest_first = [ibis.desc("valid_from"), ibis.desc("recorded_at"), ibis.desc("limit_id")]
    same = ibis.window(group_by=["kind", "buyer_id", "group_id", "legal_entity"], order_by=newest_first)
    rows = rows.mutate(place=ibis.row_number().over(same))
    run_out = ibis.coalesce(rows.valid_to < day(book.on), ibis.literal(value=False))
    state = ibis.cases(
        (rows.ended_on.notnull(), "ended"),
        (standing & (rows.place > 0), "replaced"),
        (run_out, "run_out"),
        else_="in_force",
    )
    return rows.mutate(state=state).drop("place")


def limits_in_force(book: Book) -> ir.Table:
    """How much may each buyer owe us today, and what stands in its way?  生效额度

    One row per limit in force on the book's day.
        limit_id, kind (standing | temporary | insurer | block)
        buyer_id             string   null for a group's limit
        group_id             string   the group it holds for; null for a buyer's
        legal_entity         string   our company it holds for; null = all of them
        amount_minor         int64    minor units of currency; null for a block
        currency, payment_terms_days
        valid_from, valid_to, review_on   date; valid_to is the last day, null = until it is ended

    At most one standing and one insurer's limit per buyer (or group) and legal entity, the newest. Temporary limits come on top of the
    standing one; any block stops the buyer whatever else holds. A buyer that is absent has no limit: nothing was granted.
    """
    rows = limit_states(book)
    return rows.filter(rows.state == "in_force").select(*IN_FORCE)
