"""`duecourse check-order`: may one order ship, by what the ledger knows?"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import click

from duecourse.errors import OptionMisusedError
from duecourse.messages import say
from duecourse.tables import Column, Money, Report, Section

if TYPE_CHECKING:
    from duecourse.cli.session import Session


def add_commands(group: click.Group) -> None:
    """Add the commands of this room."""

    @group.command("check-order", help=say("cli.order_help"))
    @click.argument("buyer")
    @click.argument("amount")
    @click.argument("currency")
    @click.option("--order", "order_id", default="", metavar="NUMBER", help=say("cli.order_number"))
    @click.option("--payer", "payer_id", default="", metavar="NUMBER", help=say("cli.order_payer"))
    @click.option("--entity", "legal_entity", default="", metavar="CODE", help=say("cli.order_entity"))
    @click.option("--terms", "terms_days", default=None, type=click.IntRange(0, 3650), metavar="DAYS", help=say("cli.order_terms"))
    @click.pass_obj
    def check_order(session: Session, /, buyer: str, amount: str, currency: str, **given: Any) -> int:
        report, holds = _report(session, buyer, amount, currency.upper(), given)
        session.show(report)
        return 1 if holds else 0


def _report(session: Session, buyer: str, amount: str, currency: str, given: dict[str, Any]) -> tuple[Report, bool]:
    from duecourse.desk.buyers import find
    from duecourse.desk.check_order import Order, answer_of, check_order, cure, outcome_words, room_of, who, worded
    from duecourse.money import to_minor

    try:
        minor = to_minor(Decimal(amount.replace(",", "")), currency)
    except InvalidOperation:
        minor = 0
    if minor <= 0:
        raise OptionMisusedError(option="AMOUNT", value=amount, hint=say("cli.order_hint_amount"))
    payer = given.pop("payer_id")
    order = Order(find(session.book, buyer), minor, currency, payer_id=find(session.book, payer) if payer else "", **given)
    found = check_order(session.book, order)
    reasons = [{"account": who(one.account), "reason": worded(one), "cure": cure(one)} for one in found.verdict.reasons]
    rows = []
    for take in found.takes:
        account, code = take.account, take.account.currency
        room = room_of(take, found.rules)
        name = f"{account.kind}:{account.key}" + (f"@{account.entity}" if account.entity else "")
        rows.append(
            {
                "account": who(name), "currency": code, "credit_limit": None if account.limit_minor is None else Money(account.limit_minor, code),
                "outstanding": Money(account.receivables_minor, code), "released_not_invoiced": Money(account.released_minor, code),
                "order": None if take.amount_minor is None else Money(take.amount_minor, code), "available": None if room is None else Money(room, code),
            }
        )  # fmt: skip
    title = say("cli.order_title", outcome=outcome_words(found.verdict.outcome), buyer=order.buyer_id, amount=f"{amount} {currency}")
    first = Column("account", heading=say("cli.order_account"))
    sections = [
        Section("reasons", say("cli.order_reasons"), [first, Column("reason", heading=say("cli.order_reason")), Column("cure", heading=say("cli.order_cure"))], reasons),
        Section(
            "accounts", say("cli.order_accounts"),
            [first, Column("currency"), Column("credit_limit", "money"), Column("outstanding", "money"), Column("released_not_invoiced", "money"),
             Column("order", "money", say("cli.order_this")), Column("available", "money", say("cli.order_available"))],
            rows,
        ),
    ]  # fmt: skip
    data = {"as_of": found.on, "buyer_id": order.buyer_id, "rules": found.rules.version, **answer_of(found.verdict), "accounts": rows}
    return Report(
        title, [one for one in sections if one.rows], data, [say("cli.order_note", day=found.on)]
    ), found.verdict.outcome == "hold"
