"""The payment plan to be signed by both: the debt acknowledged, instalments, what one missed leads to, security kept.  分期付款协议

A settlement only with acknowledgement, security and a clause on default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from duecourse.actions.letters import parts
from duecourse.actions.letters.document import Block

if TYPE_CHECKING:
    from duecourse.actions.letters.facts import LetterFacts
    from duecourse.actions.letters.wording import Words


def body(f: LetterFacts, w: Words) -> list[Block]:
    """The agreement, with room for both to sign."""
    rows = [
        [str(number), w.short(one.due_date), one.currency, w.amount(one.amount_minor, one.currency)] for number, one in enumerate(f.plan, 1)
    ]
    foot = [
        [w("col_total"), "", currency, w.amount(sum(one.amount_minor for one in f.plan if one.currency == currency), currency)]
        for currency in sorted({one.currency for one in f.plan})
    ]
    heads = [w("plan_number"), w("plan_due"), w("col_currency"), w("plan_amount")]
    runs = [parts.text(w("plan_interest"))] if any(one.daily_minor for one in f.totals) else []
    sign = tuple(
        ((w(name, us=w.name(f.creditor), you=w.name(f.debtor)),), (w("seal"),), ("",), ("",)) for name in ("sign_creditor", "sign_debtor")
    )
    return [
        *parts.parties(f, w), *parts.facts(f, w), *parts.demand(f, w), parts.head(w("plan_head")), parts.text(w("plan")), parts.table(heads, [*rows, *foot], (3,), len(foot)),
        *runs, *parts.bank(f, w), parts.head(w("default_head")), parts.text(w("default")), parts.text(w("security")), *parts.reserve(f, w), Block("sign", rows=sign),
        *parts.annex(f, w),
    ]  # fmt: skip
