"""`duecourse limit`, `replay`: how much a buyer may owe and why, how limits are used, and a decision made again."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from duecourse.errors import FileUnreadableError, OptionMisusedError
from duecourse.messages import say
from duecourse.tables import Column, Money, Report, Section, columns_of, with_money

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duecourse.cli.session import Session
    from duecourse.decisions.limit_rules import LimitRules
    from duecourse.desk.limits import Change, LimitAdvice

SHOWN: int = 40


def add_commands(group: click.Group) -> None:
    """Add the commands of this room."""

    @group.command("limit", help=say("cli.limit_help"))
    @click.argument("buyer", required=False)
    @click.option("--amount", default="", metavar="AMOUNT", help=say("cli.limit_amount"))
    @click.option("--expected-sales", "sales", default="", metavar="AMOUNT", help=say("cli.limit_sales"))
    @click.option("--terms", default=None, type=click.IntRange(0, 365), metavar="DAYS", help=say("cli.limit_terms"))
    @click.option("--review", "reviewing", is_flag=True, help=say("cli.limit_review"))
    @click.option("--rules", "rules_file", default=None, type=click.Path(path_type=Path), metavar="FILE", help=say("cli.limit_rules"))
    @click.option("--try", "trying", is_flag=True, help=say("cli.limit_try"))
    @click.pass_obj
    def limit(
        session: Session, buyer: str | None, amount: str, sales: str, terms: int | None, *, reviewing: bool, rules_file: Path | None, trying: bool
    ) -> None:  # fmt: skip
        rules = _rules(rules_file) if rules_file else None
        if buyer:
            session.show(_advice(session, buyer, (amount, sales, terms), rules))
        elif trying:
            session.show(_trial(session, rules))
        elif reviewing:
            session.show(_review(session, rules))
        else:
            session.show(_use(session))

    @group.command("replay", help=say("cli.replay_help"))
    @click.argument("decision")
    @click.pass_obj
    def replay(session: Session, decision: str) -> int:
        from duecourse.desk.replay import replay as made_again

        found = made_again(session.ledger(), decision)
        rows = [vars(one) for one in found.differences]
        said = (
            say("cli.replay_equal", decision=decision, digest=found.digest)
            if found.equal
            else say("cli.replay_differs", decision=decision, count=len(rows), then=found.decision["digest"], now=found.digest)
        )
        heads = [Column(name, heading=say(f"cli.replay_{name}")) for name in ("path", "then", "now")]
        notes = [say("cli.replay_gone")] if found.version_gone else []
        data = {
            "decision_id": decision, "equal": found.equal, "digest": found.decision["digest"], "digest_now": found.digest, "differences": rows,
            "answer": found.answer,
        }  # fmt: skip
        session.show(Report(said, [Section("differences", said, heads, rows)] if rows else [], data, notes))
        return 0 if found.equal else 1


def _rules(path: Path) -> LimitRules:
    from duecourse.decisions.limit_rules import checked

    try:
        return checked(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, AttributeError) as error:
        raise FileUnreadableError(path=path, reason=str(error)) from None


def _minor(text: str, option: str, currency: str) -> int | None:
    from duecourse.money import to_minor

    if not text:
        return None
    try:
        amount = Decimal(text.replace(",", ""))
    except InvalidOperation:
        raise OptionMisusedError(option=option, value=text, hint="1250000.00") from None
    return to_minor(amount, currency)


def _advice(session: Session, buyer: str, asked: tuple[str, str, int | None], rules: LimitRules | None) -> Report:
    from duecourse.desk.buyers import find
    from duecourse.desk.limits import Ask, recommend

    book = session.book
    number = find(book, buyer)
    amount, sales, terms = asked
    advice = recommend(book, number, rules=rules)
    currency = advice.known.currency
    if any(value not in ("", None) for value in asked):
        ask = Ask(currency, _minor(amount, "--amount", currency), terms, _minor(sales, "--expected-sales", currency))
        advice = recommend(book, number, ask, rules=rules)
    return _advice_report(advice)


def _advice_report(advice: LimitAdvice) -> Report:
    from duecourse.decisions.wording import cap_words, missing_words, need_words, sentence
    from duecourse.money import format_money

    answer, currency = advice.answer, advice.known.currency
    found = answer["recommended"]
    told = say("cli.limit_none") if found["amount_minor"] is None else format_money(found["amount_minor"], currency)
    title = say("cli.limit_title", buyer=advice.profile.get("name") or advice.buyer_id, amount=told)

    def line(name: str, minor: int | None, how: str) -> dict[str, Any]:
        return {
            "cap": say(f"decisions.cap_{name}"), "amount": None if minor is None else Money(minor, currency),
            "binds": say("cli.limit_binds") if found["binding"] == name else "", "how": how,
        }  # fmt: skip

    rows = [line("need", found["need"]["amount_minor"], need_words(found["need"], currency))]
    rows += [line(cap["name"], cap["amount_minor"], cap_words(cap, currency)) for cap in found["caps"]]
    heads = [
        Column("cap", heading=say("cli.limit_cap")), Column("amount", "money", heading=currency), Column("binds", heading=say("cli.limit_binds")),
        Column("how", heading=say("cli.limit_how")),
    ]  # fmt: skip
    notes = [sentence(one, currency) for one in found["reasons"]]
    if found["missing"]:
        notes.append(say("cli.limit_missing", missing=missing_words(found["missing"])))
    notes.append(
        say("cli.limit_terms_note", days=found["payment_terms_days"], months=found["review_months"], version=found["rules_version"])
    )
    data = {"buyer_id": advice.buyer_id, "basis": vars(advice.basis), "ask": advice.ask.plain, **answer}
    return Report(title, [Section("caps", say("cli.limit_caps"), heads, rows)], data, notes)


USE: tuple[str, ...] = ("buyer_id", "name", "limit_minor", "exposure", "overdue", "utilisation", "state")


def _use(session: Session) -> Report:
    from duecourse.desk.limits import utilisation

    book = session.book
    rows = utilisation(book).sort_by([("exposure", "descending"), ("buyer_id", "ascending")]).to_pylist()
    table = session.form == "table"
    lines = [
        {**with_money(row), "limit_minor": _money(row, "limit_minor"), "headroom_minor": _money(row, "headroom_minor")} for row in rows
    ]
    if table:
        lines = [{**row, "state": say(f"decisions.use_{row['state']}")} for row in lines]
    heads = [
        Column("buyer_id"), Column("name"), Column("limit_minor", "money", heading=columns_of(["credit_limit"])[0].title), Column("exposure", "money"),
        Column("overdue", "money"), Column("utilisation", "fraction", heading=columns_of(["limit_utilisation"])[0].title),
        Column("state", heading=say("decisions.use_state")),
    ]  # fmt: skip
    notes = [say("cli.more_rows", count=len(lines) - SHOWN)] if table and len(lines) > SHOWN else []
    section = Section("limits", say("cli.limit_use_title", currency=book.base_currency), heads, lines[:SHOWN] if table else lines)
    return Report("", [section], {"as_of": book.on, "limits": lines}, notes)


def _money(row: dict[str, Any], name: str) -> Money | None:
    return None if row[name] is None else Money(row[name], row["currency"])


def _review(session: Session, rules: LimitRules | None) -> Report:
    from duecourse.desk.limits import review

    changes = [one for one in review(session.book, rules=rules) if one.way != "same"]
    lines = [_change_line(one, table=session.form == "table") for one in changes]
    return Report(
        "", [Section("review", say("cli.limit_review_title"), _review_heads(), lines)], {"as_of": session.book.on, "changes": lines}
    )  # fmt: skip


def _review_heads() -> Sequence[Column]:
    return [
        Column("buyer_id"), Column("name"), Column("currency"), Column("now", "money", heading=say("decisions.review_now")),
        Column("recommended", "money", heading=say("decisions.review_recommended")), Column("way", heading=say("decisions.review_way")),
        Column("reason", heading=say("decisions.review_reason")), Column("grade", "count"),
    ]  # fmt: skip


def _change_line(one: Change, *, table: bool) -> dict[str, Any]:
    def money(minor: int | None) -> Money | None:
        return None if minor is None else Money(minor, one.currency)

    way = one.way or "unknown"
    return {
        "buyer_id": one.buyer_id, "name": one.name or one.name_local, "currency": one.currency, "now": money(one.now_minor),
        "recommended": money(one.recommended_minor), "way": say(f"decisions.way_{way}") if table else way,
        "reason": say(f"decisions.cap_{one.reason}") if table else one.reason, "grade": one.grade,
    }  # fmt: skip


def _trial(session: Session, rules: LimitRules | None) -> Report:
    from duecourse.desk.limit_trial import FIGURES, try_rules

    book = session.book
    found = try_rules(book, rules)
    rows = [
        {
            "figure": say(f"decisions.trial_{name}"),
            "now": _figure(found.now[name], found.currency),
            "new": _figure(found.new[name], found.currency),
        }
        for name in FIGURES
    ]
    heads = [
        Column("figure", heading=say("cli.col_figure")), Column("now", "count", heading=say("decisions.trial_now")),
        Column("new", "count", heading=say("decisions.trial_new")),
    ]  # fmt: skip
    data = {"as_of": book.on, "currency": found.currency, "basis": found.basis, "now": dict(found.now), "new": dict(found.new)}
    notes = [say(f"decisions.trial_basis_{found.basis}"), say("decisions.trial_note")]
    return Report("", [Section("trial", say("cli.limit_trial_title"), heads, rows)], data, notes)


def _figure(value: Any, currency: str) -> Any:
    from duecourse.tables import shown

    return shown(Money(value[0], currency), "money") if isinstance(value, list | tuple) else shown(value, "count")
