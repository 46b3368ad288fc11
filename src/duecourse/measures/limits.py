"""Which credit limits hold (信用额度): what is granted, what the insurer covers, what is blocked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ibis

from duecourse.measures.base import in_base
from duecourse.measures.exposure import credit_exposure
from duecourse.measures.expressions import ZERO, as_int64, assemble, count, day, days_between, or_zero, ratio, total
from duecourse.measures.grain import PER_BUYER
from duecourse.measures.positions import ITEM, invoices, is_payment, settlements
from duecourse.measures.windows import checked, days_before

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


def payment_experience(book: Book, *, tolerance_days: int = 30, window_days: int = 365) -> ir.Table:
    """How much has each buyer carried and then paid within terms?  按期付款经验

    One row per buyer and currency with an invoice that payments settled in full in the window.
        invoices_paid        int64  such invoices
        invoices_within      int64  of them paid no later than `tolerance_days` after their due date
        paid_within_terms    int64  the highest that those stood at together at the close of a day, minor units; an invoice stands from its
                                    issue to its last payment with what was paid in money: credits, returns and write-offs do not count

    tolerance_days: 0 to 90; window_days: 30 to 3660, of the last payment.
    """
    checked("tolerance_days", tolerance_days, 0, 90)
    checked("window_days", window_days, 30, 3660)
    invoice, settlement = invoices(book), settlements(book)
    named = settlement.filter(settlement.invoice_id.notnull())
    sums = named.group_by(list(ITEM)).aggregate(
        settled=total(named.amount_minor),
        paid=total(named.amount_minor, where=is_payment(named)),
        last_paid=named.settle_date.max(where=is_payment(named)),
    )
    joined = invoice.inner_join(sums, list(ITEM))
    whole = joined.filter(
        (sums.settled >= invoice.amount_minor) & (sums.paid > 0) & (sums.last_paid > day(days_before(book.on, window_days)))
    )
    within = ibis.coalesce(days_between(sums.last_paid, invoice.due_date) <= tolerance_days, ibis.literal(value=False))
    rows = whole.select(*(invoice[name] for name in (*PER_BUYER, "issue_date")), sums.paid, sums.last_paid, is_within=within)
    counted = rows.group_by(list(PER_BUYER)).aggregate(invoices_paid=count(rows.paid > 0), invoices_within=count(rows.is_within))
    good = rows.filter(rows.is_within & (rows.issue_date < rows.last_paid))
    up = good.select(*PER_BUYER, moved_on=good.issue_date, moved=good.paid)
    down = good.select(*PER_BUYER, moved_on=good.last_paid, moved=-good.paid)
    both = up.union(down)
    daily = both.group_by([*PER_BUYER, "moved_on"]).aggregate(moved=total(both.moved))
    running = ibis.window(group_by=list(PER_BUYER), order_by="moved_on", preceding=None, following=0)
    daily = daily.mutate(stand=as_int64(daily.moved.sum().over(running)))
    highest = daily.group_by(list(PER_BUYER)).aggregate(top=daily.stand.max())
    found = counted.left_join(highest, list(PER_BUYER))
    return found.select(
        *(counted[name] for name in (*PER_BUYER, "invoices_paid", "invoices_within")), paid_within_terms=ibis.coalesce(highest.top, ZERO)
    )


def limit_use(book: Book) -> ir.Table:
    """How far is each buyer's limit used, in base currency?  额度使用率

    One row per buyer with a limit in force or anything at stake: amounts are converted, those in a currency without a rate left out.
        standing_minor, temporary_minor, insurer_minor   int64   null where there is none; of several legal entities together
        limit_minor        int64    standing and temporary; null where there is neither
        is_blocked         bool
        had_limit          bool     a standing limit that ran out, and none since
        review_on, valid_to   date  the earliest of its standing limits
        outstanding, overdue, released_not_invoiced, open_orders, exposure, oldest_days_past_due   as in `credit_exposure`
        utilisation        float64  exposure / limit; null without a limit above zero
        headroom_minor     int64    limit less exposure; null without a limit
    """
    state = limit_states(book)
    state = state.filter(state.buyer_id.notnull())
    holds = state.filter(state.state == "in_force")
    one = ibis.literal(1, type="int64")
    parts = []
    for kind in ("standing", "temporary", "insurer"):
        own = holds.filter((holds.kind == kind) & holds.amount_minor.notnull())
        amounts = in_base(
            book, own.select("buyer_id", "currency", own.amount_minor.name(f"{kind}_minor")), (f"{kind}_minor",), by=("buyer_id",)
        )
        parts.append(amounts.drop("currency"))
    standing = holds.filter(holds.kind == "standing")
    parts.append(standing.group_by("buyer_id").aggregate(review_on=standing.review_on.min(), valid_to=standing.valid_to.min()))
    gone = state.filter((state.kind == "standing") & (state.state == "run_out"))
    parts.append(gone.select("buyer_id", lapsed=one).distinct())
    blocks = holds.filter(holds.kind == "block")
    parts.append(blocks.select("buyer_id", blocked=one).distinct())
    amounts = ("outstanding", "overdue", "released_not_invoiced", "open_orders", "exposure")
    stake = credit_exposure(book)
    oldest = stake.group_by("buyer_id").aggregate(oldest_days_past_due=stake.oldest_days_past_due.max())
    parts += [in_base(book, stake, amounts, by=("buyer_id",)).drop("currency"), oldest]
    rows = assemble(("buyer_id",), *parts)
    limit = (rows.standing_minor.notnull() | rows.temporary_minor.notnull()).ifelse(
        or_zero(rows.standing_minor) + or_zero(rows.temporary_minor), ibis.null("int64")
    )
    rows = rows.mutate(limit_minor=limit, **{name: or_zero(rows[name]) for name in amounts})
    return rows.select(
        "buyer_id",
        "standing_minor",
        "temporary_minor",
        "insurer_minor",
        "limit_minor",
        "review_on",
        "valid_to",
        *amounts,
        "oldest_days_past_due",
        currency=ibis.literal(book.base_currency),
        is_blocked=or_zero(rows.blocked) > 0,
        had_limit=(or_zero(rows.lapsed) > 0) & rows.standing_minor.isnull(),
        utilisation=ratio(rows.exposure, rows.limit_minor),
        headroom_minor=rows.limit_minor - rows.exposure,
    )
