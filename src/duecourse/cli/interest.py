"""`duecourse interest`, `rates`: what a late payer owes besides the price, and the reference rates that hangs on."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import click

from duecourse.cli.session import parse_day
from duecourse.errors import OptionMisusedError
from duecourse.messages import say
from duecourse.tables import Column, Money, Report, Section

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from duecourse.cli.session import Session
    from duecourse.cover.late_interest.applicable import Party
    from duecourse.cover.late_interest.claim import Claim, Reckoned
    from duecourse.desk.interest_calculator import Answer
    from duecourse.desk.late_interest import Owed

SEGMENT: tuple[str, ...] = ("rule", "start", "end", "days", "base_minor", "capitalised", "rate", "reference", "interest")


def add_commands(group: click.Group) -> None:
    """Add the commands of this room."""

    @group.command("interest", help=say("cli.interest_help"))
    @click.argument("buyer", required=False)
    @click.option("--invoice", "invoices", multiple=True, metavar="NUMBER", help=say("cli.interest_invoice"))
    @click.option("--until", default="", metavar="DATE", help=say("cli.interest_until"))
    @click.option("--size", default="", metavar="SIZE", help=say("cli.interest_size"))
    @click.option("--law-order", is_flag=True, help=say("cli.interest_order"))
    @click.option("--amount", default="", metavar="AMOUNT", help=say("cli.interest_amount"))
    @click.option("--currency", default="", metavar="CODE", help=say("cli.interest_currency"))
    @click.option("--due", default="", metavar="DATE", help=say("cli.interest_due"))
    @click.option("--paid", default="", metavar="DATE", help=say("cli.interest_paid"))
    @click.option("--payment", "payments", multiple=True, metavar="DATE=AMOUNT", help=say("cli.interest_payment"))
    @click.option("--regime", default="", metavar="RULE", help=say("cli.interest_regime"))
    @click.option("--agreed", default="", metavar="RATE", help=say("cli.interest_agreed"))
    @click.option("--creditor", default="", metavar="COUNTRY[:SIZE]", help=say("cli.interest_creditor"))
    @click.option("--debtor", default="", metavar="COUNTRY[:SIZE]", help=say("cli.interest_debtor"))
    @click.option("--law", default="", metavar="COUNTRY", help=say("cli.interest_law"))
    @click.option("--signed", default="", metavar="DATE", help=say("cli.interest_signed"))
    @click.option("--demand", default="", metavar="DATE", help=say("cli.interest_event"))
    @click.option("--suit", default="", metavar="DATE", help=say("cli.interest_event"))
    @click.option("--served", default="", metavar="DATE", help=say("cli.interest_event"))
    @click.option("--judgment", default="", metavar="DATE", help=say("cli.interest_event"))
    @click.option("--rules", "rules", is_flag=False, flag_value="*", default=None, metavar="WORDS", help=say("cli.interest_rules"))
    @click.pass_obj
    def interest(session: Session, /, buyer: str | None, **said: Any) -> None:
        if said["rules"] is not None:
            session.show(_rules("" if said["rules"] == "*" else said["rules"]))
        elif said["amount"]:
            session.show(_alone(said))
        elif buyer or said["invoices"]:
            session.show(_of_buyer(session, buyer, said))
        else:
            raise OptionMisusedError(option="BUYER", value="", hint=say("cli.interest_hint_what"))

    @group.command("rates", help=say("cli.rates_help"))
    @click.option("--set", "series", default="", metavar="SERIES", help=say("cli.rates_set"))
    @click.option("--from", "since", default="", metavar="DATE", help=say("cli.rates_from"))
    @click.option("--rate", default="", metavar="PERCENT", help=say("cli.rates_rate"))
    @click.option("--kind", default="", metavar="KIND", help=say("cli.rates_kind"))
    @click.option("--source", default="", metavar="TEXT", help=say("cli.rates_source"))
    @click.option("--drop", is_flag=True, help=say("cli.rates_drop"))
    @click.pass_obj
    def rates(session: Session, series: str, since: str, rate: str, kind: str, source: str, *, drop: bool) -> None:
        from duecourse.desk.interest_calculator import percent
        from duecourse.desk.reference_rates import set_rate, withdraw_rate

        if series:
            if not since or not (rate or drop):
                raise OptionMisusedError(option="--set", value=series, hint=say("cli.rates_hint_needs"))
            day = parse_day(since, "--from")
            if drop:
                withdraw_rate(session.ledger(), series, day)
                click.echo(say("cli.rates_dropped", series=series.upper(), day=day), err=True)
            else:
                point = set_rate(session.ledger(), series, day, _number(rate, "--rate").scaleb(-2), kind=kind, source=source)
                click.echo(say("cli.rates_kept", series=series.upper(), day=day, rate=percent(_fraction(point.rate))), err=True)
        session.show(_rates(session))


def _fraction(value: Decimal) -> Any:
    from fractions import Fraction

    return Fraction(value)


def _number(text: str, option: str) -> Decimal:
    try:
        return Decimal(text.replace(",", "").replace("%", "").strip())
    except InvalidOperation:
        raise OptionMisusedError(option=option, value=text, hint=say("interest.hint_rate")) from None


def _day(said: dict[str, Any], name: str) -> date | None:
    return parse_day(said[name], f"--{name}") if said[name] else None


def _party(text: str, option: str) -> Party:
    from duecourse.cover.late_interest.applicable import SIZES, Party
    from duecourse.reference.countries import country

    code, _, size = text.partition(":")
    if size and size not in SIZES:
        raise OptionMisusedError(option=option, value=text, hint=say("cli.interest_hint_party"))
    return Party(country(code).alpha2 if code else "", size)


def _heads(names: Sequence[str], kinds: dict[str, str]) -> list[Column]:
    return [Column(name, kinds.get(name, "text"), heading=say(f"cli.interest_col_{name}")) for name in names]  # type: ignore[arg-type]


def _segments(rows: list[dict[str, Any]], title: str) -> Section:
    shown = [{**row, "base_minor": Money(row["base_minor"], row["currency"])} for row in rows]
    names = [name for name in SEGMENT if name != "capitalised" or any(row["capitalised"] for row in rows)]
    kinds = {
        "start": "date",
        "end": "date",
        "days": "count",
        "base_minor": "money",
        "interest": "ratio",
        "rate": "ratio",
        "capitalised": "ratio",
    }
    return Section("segments", title, _heads(names, kinds), shown, [say("cli.interest_note_round")])


def _candidates(found: Sequence[Reckoned], currency: str) -> Section:
    rows = [
        {
            "rule": one.candidate.code, "standing": say(f"interest.standing_{one.candidate.standing}"), "confidence": one.candidate.confidence,
            "interest": Money(one.interest_minor, currency) if one.accrual else None,
            "why": one.refused.words() if one.refused else " ".join(each.words() for each in (*one.candidate.reasons, *one.candidate.cautions)),
        }
        for one in found
    ]  # fmt: skip
    heads = _heads(("rule", "standing", "interest", "confidence", "why"), {"interest": "money"})
    return Section("rules", say("cli.interest_candidates"), heads, rows)


def _alone(said: dict[str, Any]) -> Report:
    from duecourse.cover.late_interest.agreed import read_rate
    from duecourse.cover.late_interest.rates import Happened
    from duecourse.desk.interest_calculator import Ask, plain_answer, segment_rows, typed_payments, work_out
    from duecourse.money import format_money, to_minor

    if not said["due"] or not said["paid"]:
        raise OptionMisusedError(option="--amount", value=said["amount"], hint=say("cli.interest_hint_needs"))
    if not said["currency"].strip():
        raise OptionMisusedError(option="--currency", value="", hint=say("cli.interest_hint_currency"))
    currency = said["currency"].strip().upper()
    signed = _day(said, "signed")
    ask = Ask(
        to_minor(_number(said["amount"], "--amount"), currency), currency, parse_day(said["due"], "--due"), parse_day(said["paid"], "--paid"),
        typed_payments(";".join(said["payments"]), currency), said["regime"], _party(said["creditor"], "--creditor"), _party(said["debtor"], "--debtor"),
        said["law"].strip().upper(), read_rate(said["agreed"]) if said["agreed"] else None, signed,
        happened=Happened(_day(said, "demand"), _day(said, "suit"), _day(said, "served"), _day(said, "judgment"), signed),
    )  # fmt: skip
    found = work_out(ask)
    if said["regime"] and found.claim.refused:
        raise _again(found.claim)
    amount = format_money(ask.amount_minor, currency)
    chosen = found.claim.chosen
    if chosen is None or chosen.accrual is None:
        title = say("cli.interest_title_none", amount=amount)
        sections = [_candidates(found.claim.reckoned, currency)]
    else:
        interest = format_money(found.claim.interest_minor, currency)
        title = say("cli.interest_title", interest=interest, amount=amount, days=chosen.accrual.days, rule=chosen.candidate.code)
        claimed = [one for one in (chosen, *found.claim.additional) if one.accrual]
        segments = [(one.candidate.code, segment) for one in claimed if one.accrual for segment in one.accrual.segments]
        sections = [_segments(segment_rows(segments, currency), say("cli.interest_segments"))]
        if len(found.claim.reckoned) > 1:
            sections.append(_candidates(found.claim.reckoned, currency))
    return Report(title, sections, dict(plain_answer(found)), _notes(found))


def _again(found: Claim) -> Exception:
    """The refusal as the error it was."""
    from duecourse import errors

    refused = found.refused
    assert refused is not None
    kinds = {cls.code: cls for cls in errors.DuecourseError.__subclasses__()}
    return kinds[refused.code.removeprefix("errors.")](**refused.args)


def _notes(found: Answer) -> list[str]:
    from duecourse.money import format_money
    from duecourse.reference.interest_regimes import worded
    from duecourse.reference.reference_rates import SHIPPED

    chosen = found.claim.chosen
    notes = [found.why_law.words()] if found.why_law else []
    if chosen and chosen.fixed:
        notes.append(say("cli.interest_note_fixed", amount=format_money(chosen.fixed.amount_minor, chosen.fixed.currency)))
    if chosen and chosen.accrual and chosen.accrual.daily_minor:
        notes.append(say("cli.interest_note_daily", amount=format_money(chosen.accrual.daily_minor, found.ask.currency)))
    if chosen:
        notes += [each.words() for each in chosen.candidate.cautions]
        rule = chosen.candidate.rule
        if rule is not None:
            notes += [worded(note) for note in rule.notes]
            sources = "; ".join(rule.sources)
            notes.append(say("cli.interest_note_source", sources=sources, confidence=chosen.candidate.confidence, as_of=SHIPPED.as_of))
    return [*notes, say("legal.not_advice")]


def _of_buyer(session: Session, buyer: str | None, said: dict[str, Any]) -> Report:
    from duecourse.cover.late_interest.agreed import read_rate
    from duecourse.desk.buyers import find
    from duecourse.desk.interest_calculator import segment_rows
    from duecourse.desk.late_interest import by_law_order, invoices_of, owed

    book = session.book
    wanted = [invoice_named(text) for text in said["invoices"]]
    number = find(book, buyer) if buyer else invoices_of(book, wanted[0][0])
    agreed = read_rate(said["agreed"]) if said["agreed"] else None
    found = owed(book, number, wanted or None, until=_day(said, "until"), debtor_size=said["size"], agreed=agreed)
    rows = [
        {
            "invoice_id": f"{one.invoice_id}/{one.instalment}" if one.instalment > 1 else one.invoice_id, "due_date": one.due_date,
            "days_past_due": one.days_late, "currency": one.currency, "principal": Money(one.principal_minor, one.currency),
            "interest": None if one.interest_minor is None else Money(one.interest_minor, one.currency),
            "compensation": Money(one.compensation_minor, one.compensation_currency or one.currency) if one.compensation_minor else None,
            "daily": Money(one.daily_minor, one.currency), "rule": one.regime,
            "why": one.refused.words() if one.refused else " ".join(each.words() for each in one.basis),
        }
        for one in found.invoices
    ]  # fmt: skip
    kinds = dict.fromkeys(("principal", "interest", "compensation", "daily"), "money")
    heads = [Column("invoice_id"), Column("due_date", "date"), Column("days_past_due", "days"), Column("currency")]
    heads += _heads(("principal", "interest", "compensation", "daily", "rule"), kinds)
    if session.form != "table":
        heads += _heads(("why",), {})
    segments = [
        {**row, "invoice_id": one.invoice_id} for one in found.invoices for row in segment_rows(one.segments, one.currency)
    ]  # fmt: skip
    title = say("cli.interest_buyer_title", buyer=number, day=found.until)
    statement = _segments(segments, say("cli.interest_segments"))
    statement = Section(statement.name, statement.title, [Column("invoice_id"), *statement.columns], statement.rows, statement.notes)
    sections = [statement, Section("invoices", say("cli.interest_invoices"), heads, rows)]
    if session.form == "table":
        sections.reverse()
    if said["law_order"]:
        sections += [_in_order(currency, one) for currency, one in by_law_order(book, found).items()]
    notes = [
        found.why_law.words(),
        *(one.words() for one in found.notes),
        *sorted({one.refused.words() for one in found.invoices if one.refused}),
    ]
    data = {"buyer_id": number, "until": found.until, "law": found.law, "totals": _totals(found), "invoices": rows, "segments": segments}
    return Report(title, sections, data, [*notes, say("legal.not_advice")])


def _in_order(currency: str, one: Any) -> Section:
    rows = [
        {
            "paid_on": part.on,
            "invoice_id": part.debt_id or "",
            "part": say(f"cli.interest_part_{part.part}"),
            "amount": Money(part.amount_minor, currency),
        }
        for part in one.application.applied
    ]
    order = " → ".join(say(f"cli.interest_part_{part}") for part in one.order.order if part != "doubled")
    heads = [*_heads(("paid_on",), {"paid_on": "date"}), Column("invoice_id"), *_heads(("part", "amount"), {"amount": "money"})]
    title = say("cli.interest_order_title", currency=currency, order=f"{order} ({one.order.law})")
    return Section(f"order_{currency}", title, heads, rows)


def _totals(found: Owed) -> dict[str, Any]:
    return {currency: {name: Money(minor, currency) for name, minor in sums.items()} for currency, sums in found.totals().items()}


def invoice_named(text: str) -> tuple[str, int]:
    """`F-1` or `F-1/2`: the invoice and its instalment."""
    number, slash, instalment = text.rpartition("/")
    return (number, int(instalment)) if slash and instalment.isdecimal() and len(instalment) < 4 else (text, 1)


def _rules(words: str) -> Report:
    from duecourse.desk.interest_calculator import rule_rows

    rows = rule_rows(words)
    title = say("cli.interest_rules_title", count=len(rows))
    heads = [Column("code", heading=say("cli.interest_col_rule")), *_heads(("name", "rate", "day_count", "confidence", "sources"), {})]
    return Report("", [Section("rules", title, heads, rows)], {"rules": rows}, [say("legal.not_advice")])


def _rates(session: Session) -> Report:
    from fractions import Fraction

    from duecourse.desk.interest_calculator import percent
    from duecourse.desk.reference_rates import newest

    rows = [
        {
            "series": one.series, "rate": say("cli.rates_none") if one.rate is None else percent(Fraction(one.rate)) + (" *" if one.own else ""),
            "valid_from": one.valid_from, "good_until": one.good_until, "confidence": one.confidence, "source": one.source, "rules": ", ".join(one.rules),
        }
        for one in newest(session.book)
    ]  # fmt: skip
    heads = [Column(name, "date" if name in ("valid_from", "good_until") else "text", heading=say(f"cli.rates_col_{name}")) for name in ("series", "rate", "valid_from", "good_until", "rules", "source")]  # fmt: skip
    return Report("", [Section("rates", say("cli.rates_title"), heads, rows)], {"as_of": session.book.on, "rates": rows})
