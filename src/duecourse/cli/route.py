"""`duecourse route`: the ways to the money a buyer owes, what each is worth, and the decision kept."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import click

from duecourse.errors import OptionMisusedError
from duecourse.messages import language, say
from duecourse.tables import Column, Money, Report, Section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duecourse.cli.session import Session
    from duecourse.desk.route import RouteChoice
    from duecourse.risk.severity.assets import Asset

ASSET = re.compile(r"(\w+)\s*=\s*([\d.,]+)\s*([A-Za-z]{3})(?:@([A-Za-z]{2}))?(?:-([\d.,]+))?")
KINDS = (
    "bank_account, receivables, real_estate, machinery, vehicles, inventory, goods_with_title, equity_stake, intellectual_property, unpaid_capital, "
    "tax_refund, other"
)


def add_commands(group: click.Group) -> None:
    """Add the commands of this room."""

    @group.command("route", help=say("cli.route_help"))
    @click.argument("buyer")
    @click.option("--invoice", "invoices", multiple=True, metavar="NUMBER", help=say("cli.route_invoice"))
    @click.option("--asset", "assets", multiple=True, metavar="ASSET", help=say("cli.route_asset", kinds=KINDS))
    @click.option("--assume", "assumed", multiple=True, metavar="NAME=VALUE", help=say("cli.route_assume"))
    @click.option("--take", default="", metavar="ROUTE", help=say("cli.route_take"))
    @click.option("--reason", default="", metavar="TEXT", help=say("cli.route_reason"))
    @click.option("--by", "who", default="", metavar="NAME", help=say("cli.route_by"))
    @click.pass_obj
    def route(
        session: Session,
        buyer: str,
        invoices: Sequence[str],
        assets: Sequence[str],
        assumed: Sequence[str],
        take: str,
        reason: str,
        who: str,
    ) -> None:
        from duecourse.cli.interest import invoice_named
        from duecourse.desk.buyers import find
        from duecourse.desk.route import record, routes_for

        book = session.book
        wanted = [invoice_named(text) for text in invoices] or None
        choice = routes_for(
            book, find(book, buyer), wanted, assets=[_asset(text) for text in assets], overrides=dict(_assumed(text) for text in assumed)
        )
        notes = []
        if take:
            if take not in {one.code for one in choice.routes}:
                raise OptionMisusedError(option="--take", value=take, hint=say("cli.route_hint_take", code=choice.chosen.code))
            number = record(session.ledger(), book, choice, take, made_by=who or "cli", decided_at=datetime.now(UTC), reason=reason)
            notes = [say("cli.route_note_taken", decision=number)]
        session.show(_report(choice, notes, on_screen=session.form == "table"))


def _number(text: str, option: str, hint: str) -> Decimal:
    try:
        return Decimal(text.replace(",", "").strip())
    except InvalidOperation:
        raise OptionMisusedError(option=option, value=text, hint=say(hint)) from None


def _asset(text: str) -> Asset:
    from duecourse.money import to_minor
    from duecourse.risk.severity.assets import REALISED, Asset

    found = ASSET.fullmatch(text.strip())
    if found is None or found[1] not in REALISED:
        raise OptionMisusedError(option="--asset", value=text, hint=say("cli.route_hint_asset"))
    currency = found[3].upper()

    def minor(amount: str) -> int:
        return to_minor(_number(amount, "--asset", "cli.route_hint_asset"), currency)

    kind: Any = found[1]
    return Asset(kind, minor(found[2]), currency, country=(found[4] or "").upper(), prior_minor=minor(found[5]) if found[5] else 0)


def _assumed(text: str) -> tuple[str, float]:
    name, equals, value = text.partition("=")
    if not equals:
        raise OptionMisusedError(option="--assume", value=text, hint=say("cli.route_hint_assume"))
    return name.strip(), float(_number(value.replace("%", ""), "--assume", "cli.route_hint_assume")) / (
        100 if value.strip().endswith("%") else 1
    )


def _report(choice: RouteChoice, notes: Sequence[str], *, on_screen: bool) -> Report:
    from duecourse.decisions.route import plain
    from duecourse.desk.route import assumption_name, shown_name
    from duecourse.money import format_money

    facts, currency = choice.facts, choice.facts.currency
    rows = [
        {
            "rank": one.rank, "route": shown_name(one.code), "code": one.code, "standing": say(f"route.standing_{one.standing}"),
            "expected": Money(one.worth.expected_minor, currency), "low": Money(one.worth.low_minor, currency), "high": Money(one.worth.high_minor, currency),
            "break_even": None if one.worth.break_even_minor is None else Money(one.worth.break_even_minor, currency), "probability": one.worth.probability,
            "days": round(one.worth.days), "costs": Money(one.worth.costs_minor, currency), "why": " ".join(said.words() for said in one.reasons),
        }
        for one in choice.routes
    ]  # fmt: skip
    kinds = {
        "rank": "count", "expected": "money", "low": "money", "high": "money", "break_even": "money", "probability": "fraction", "days": "count", "costs": "money",
    }  # fmt: skip
    heads = [
        Column(name, kinds.get(name, "text"), heading=say(f"cli.route_col_{name}"))  # type: ignore[arg-type]
        for name in (
            "route",
            "rank",
            "standing",
            "expected",
            "low",
            "high",
            "break_even",
            "probability",
            "days",
            "costs",
            *(() if on_screen else ("why",)),
        )
    ]
    single = [Column(name, heading=say(f"cli.route_col_{name}")) for name in ("route", "standing", "why")]
    assumed = [
        {
            "name": one.name, "meaning": assumption_name(one.name), "value": f"{one.value:g}", "source": one.source.words(), "confidence": one.confidence or "–",
        }
        for one in choice.assumptions
    ]  # fmt: skip
    names = [Column(name, heading=say(f"cli.route_col_{name}")) for name in ("name", "meaning", "value", "source", "confidence")]
    title = say(
        "cli.route_title", buyer=choice.buyer_id, claim=format_money(facts.claim_minor, currency), advice=shown_name(choice.chosen.code),
        why=choice.found.why.words(),
    )  # fmt: skip
    sections = [
        Section("routes", f"{say('cli.route_routes')} ({currency})", heads, rows, [say("cli.route_note_independent")]),
        Section("ways", say("cli.route_ways"), single, [row for row in rows if "+" not in str(row["code"])]),
        Section("assumptions", say("cli.route_assumptions"), names, assumed),
    ]
    data = {
        **plain(choice.found),
        "buyer_id": choice.buyer_id,
        "facts": facts.plain(),
        "loss": vars_of(choice.loss),
        "net_assets": dict(choice.assessment.net),
    }
    return Report(title, sections, data, [*notes, *_notes(choice), say("legal.not_advice")])


def vars_of(record: Any) -> dict[str, Any]:
    """A small record as plain data."""
    from dataclasses import asdict

    return asdict(record)


def _notes(choice: RouteChoice) -> list[str]:
    from duecourse.money import format_money

    facts, loss = choice.facts, choice.loss
    between = "、" if language() == "zh" else ", "
    net = between.join(format_money(minor, currency) for currency, minor in choice.assessment.net.items()) or "–"
    missing = between.join(say(f"route.look_{name}") for name in choice.assessment.missing) or "–"
    return [
        say("cli.route_note_robust" if choice.found.robust else "cli.route_note_fragile"),
        say(
            "cli.route_note_loss",
            share=f"{loss.share:.1%}",
            amount=format_money(loss.minor, facts.currency),
            recovery=f"{loss.recovery:.1%}",
        ),
        say("cli.route_note_assets", net=net, missing=missing),
        *(one.words() for one in choice.notes),
    ]
