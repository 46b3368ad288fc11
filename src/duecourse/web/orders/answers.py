"""What is answered to "may this order ship?": worked out from what was seen, so that a repeated question gets the answer it had."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from duecourse.decisions.hold import Rules, judge
from duecourse.desk.check_order import base_of, cure, room_of, worded
from duecourse.money import decimal_string
from duecourse.web.orders.models import HELD, RESERVED, SIMULATED
from duecourse.web.orders.taking import Asked, takes_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from duecourse.decisions.hold import Reason, Take, Verdict
    from duecourse.web.orders.models import OrderCheck
    from duecourse.web.orders.picture import Drawn
    from duecourse.web.orders.taking import Taken

log = logging.getLogger("duecourse.orders")


@dataclass(frozen=True)
class Answered:
    """One answer with everything it rests on. `check_id` empty where nothing was kept."""

    check_id: str
    asked: Asked
    outcome: str
    state: str
    verdict: Verdict
    takes: Sequence[Take]
    names: Sequence[str]
    rules: Rules
    today: date
    ledger_version: int
    data_as_of: datetime
    book_on: date
    made_at: datetime
    lease_until: datetime | None

    @property
    def age_seconds(self) -> int:
        """How old the ledger's newest facts were."""
        return max(0, int((self.made_at - self.data_as_of).total_seconds()))


def asked_of(row: OrderCheck) -> Asked:
    """The question of a check that was kept."""
    return Asked(row.order_id, row.buyer_id, row.currency, row.amount, row.payer_id, row.legal_entity, row.terms)


def answered(taken: Taken, asked: Asked, drawn: Drawn, *, simulated: bool = False) -> Answered:
    """The answer just given."""
    takes = takes_of(taken.seen)
    verdict = _verdict(takes, asked, drawn.rules, drawn.today, taken.outcome)
    kept = taken.check_id is not None
    return Answered(
        f"{taken.check_id}-{taken.nonce}" if kept else "", asked, taken.outcome,
        "" if not kept else SIMULATED if simulated else RESERVED if taken.lease_until else HELD,
        verdict, takes, [one["name"] for one in taken.seen], drawn.rules, drawn.today, drawn.ledger_version, drawn.data_as_of, drawn.book_on,
        taken.made_at, taken.lease_until,
    )  # fmt: skip


def kept(row: OrderCheck) -> Answered:
    """The answer as it was given when the check was made, whatever became of it since."""
    takes, rules, asked = takes_of(row.seen), Rules.of(row.rules.body), asked_of(row)
    state = SIMULATED if row.state == SIMULATED else RESERVED if row.lease_until else HELD
    return Answered(
        row.public_id, asked, row.outcome, state, _verdict(takes, asked, rules, row.today, row.outcome), takes,
        [one["name"] for one in row.seen], rules, row.today, row.ledger_version, row.data_as_of, row.book_on, row.made_at, row.lease_until,
    )  # fmt: skip


def _verdict(takes: Sequence[Take], asked: Asked, rules: Rules, today: date, outcome: str) -> Verdict:
    verdict = judge(takes, rules, today, asked.terms_days, payer=asked.payer_id not in ("", asked.buyer_id))
    if verdict.outcome != outcome:  # tests hold the two equal; should they ever part, what was done stands
        log.error("an order was answered otherwise than the rule has it", extra={"order": asked.order_id, "answer": outcome})
    return verdict


def plain_answer(one: Answered, base_currency: str) -> dict[str, Any]:
    """The answer as the API tells it, in the language spoken."""
    asked = one.asked
    return {
        "check_id": one.check_id or None,
        "order_id": asked.order_id,
        "buyer_id": asked.buyer_id,
        "payer_id": asked.payer_id or None,
        "legal_entity": asked.legal_entity or None,
        "amount": decimal_string(asked.amount_minor, asked.currency),
        "currency": asked.currency,
        "payment_terms_days": asked.terms_days,
        "outcome": one.outcome,
        "state": one.state or None,
        "simulation": one.state == SIMULATED,
        "reserved_until": one.lease_until,
        "reasons": [_reason(reason) for reason in one.verdict.reasons],
        "accounts": [_account(take, name, one.rules, base_currency) for take, name in zip(one.takes, one.names, strict=True)],
        "base_currency": base_currency,
        "rules": one.rules.version,
        "decided_at": one.made_at,
        "data": {"ledger_version": one.ledger_version, "as_of": one.book_on, "known_at": one.data_as_of, "age_seconds": one.age_seconds},
    }


def _reason(reason: Reason) -> dict[str, Any]:
    currency = str(reason.args.get("currency", ""))
    args = {
        name.removesuffix("_minor"): decimal_string(value, currency) if name.endswith("_minor") else value
        for name, value in reason.args.items()
    }
    return {
        "code": reason.code, "holds": reason.weight == "hold", "account": reason.account, "text": worded(reason), "cure": reason.cure,
        "cure_text": cure(reason), "args": args,
    }  # fmt: skip


def _account(take: Take, name: str, rules: Rules, base_currency: str) -> dict[str, Any]:
    account, currency = take.account, take.account.currency

    def money(minor: int | None) -> str | None:
        return None if minor is None else decimal_string(minor, currency)

    base = base_of(account, take.used_minor)
    return {
        "account": f"{account.kind}:{account.key}" + (f"@{account.entity}" if account.entity else ""),
        "kind": account.kind,
        "name": name or None,
        "currency": currency,
        "limit": money(account.limit_minor),
        "valid_to": account.valid_to,
        "receivables": money(account.receivables_minor),
        "released_not_invoiced": money(account.released_minor),
        "reserved": money(take.reserved_minor),
        "this_order": money(take.amount_minor),
        "used": money(take.used_minor),
        "available_before": money(room_of(take, rules)),
        "used_base": base if base is None else decimal_string(base, base_currency),
    }
