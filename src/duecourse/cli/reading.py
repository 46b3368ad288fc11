"""`duecourse kpi`, `ageing`, `buyers`, `buyer`, `trend`, `export`: the questions people ask of the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from duecourse.messages import language, say
from duecourse.tables import KINDS, Column, Money, Report, Section, columns_of, is_money, named, with_money

if TYPE_CHECKING:
    from duecourse.cli.session import Session
    from duecourse.desk.buyers import BuyerRecord
    from duecourse.desk.position import CurrencyPosition, Position
    from duecourse.ledger.book import Book

KPI_FIGURES: Final = (
    "outstanding", "overdue", "overdue_share", "unapplied_credits", "net", "dso_simple", "dso_countback", "best_possible_dso",
    "average_days_delinquent", "cei", "days_beyond_terms", "dilution_rate", "disputed", "open_invoices", "overdue_invoices", "buyers_with_balance",
)  # fmt: skip
WORST: Final = (
    "rank",
    "buyer_id",
    "name",
    "currency",
    "overdue",
    "outstanding",
    "overdue_share",
    "oldest_days_past_due",
    "days_beyond_terms_365d",
)
BUYERS: Final = (
    "buyer_id", "name", "currency", "outstanding", "overdue", "oldest_days_past_due", "days_beyond_terms_365d",
    "dso_countback", "credit_sales_365d",
)  # fmt: skip


def add_commands(group: click.Group) -> None:
    """Add the commands of this room."""

    @group.command("kpi", help=say("cli.kpi_help"))
    @click.option("--worst", "worst_count", default=10, show_default=True, metavar="N", help=say("cli.kpi_worst"))
    @click.pass_obj
    def kpi(session: Session, worst_count: int) -> None:
        session.show(kpi_report(session.book, worst_count))

    @group.command("ageing", help=say("cli.ageing_help"))
    @click.option("--by", type=click.Choice(["due_date", "issue_date"]), default="due_date", show_default=True, help=say("cli.ageing_by"))
    @click.option("--per", default="", metavar="GRAIN", help=say("cli.ageing_per"))
    @click.pass_obj
    def ageing(session: Session, by: Any, per: str) -> None:
        from duecourse.desk.position import position

        if per and per != "currency":
            session.show(_ageing_per(session.book, by, per))
            return
        found = position(session.book, figures="balance", by=by)
        session.show(
            Report(
                _headline(session.book),
                [_ageing_section(found, transposed=session.form == "table")],
                _position_data(session.book, found),
                _notes(found),
            )
        )

    @group.command("buyers", help=say("cli.buyers_help"))
    @click.option("--search", default="", metavar="TEXT", help=say("cli.buyers_search"))
    @click.option("--sort", default="overdue", show_default=True, metavar="COLUMN", help=say("cli.buyers_sort"))
    @click.option("--limit", default=None, type=click.IntRange(1), metavar="N", help=say("cli.buyers_limit"))
    @click.pass_obj
    def buyers(session: Session, search: str, sort: str, limit: int | None) -> None:
        from duecourse.desk.buyers import buyers as all_buyers

        shown = limit if limit is not None else (40 if session.form == "table" else None)
        table = all_buyers(session.book, search=search, sort=sort, limit=shown)
        rows = [named(with_money(row)) if session.form == "table" else with_money(row) for row in table.to_pylist()]
        names = BUYERS if session.form == "table" else table.column_names
        notes = [say("cli.buyers_more", count=shown)] if limit is None and shown is not None and len(rows) == shown else []
        data = {"as_of": session.book.on, "buyers": rows}
        session.show(Report(_headline(session.book), [Section("buyers", say("cli.buyers_title"), columns_of(names), rows)], data, notes))

    @group.command("buyer", help=say("cli.buyer_help"))
    @click.argument("buyer")
    @click.pass_obj
    def buyer(session: Session, buyer: str) -> None:
        from duecourse.desk.buyers import buyer_record, find

        session.show(_buyer_report(session.book, buyer_record(session.book, find(session.book, buyer)), everything=session.form != "table"))

    @group.command("trend", help=say("cli.trend_help"))
    @click.option("--months", default=13, show_default=True, type=click.IntRange(1, 120), metavar="N", help=say("cli.trend_months"))
    @click.pass_obj
    def trend(session: Session, months: int) -> None:
        from duecourse.measures.history import history

        book = session.book
        table = history(book, months=months)
        rows = [with_money(row) for row in book.run(table.order_by(["currency", table.months_back])).to_pylist()]
        names = (
            "month_end",
            "currency",
            "outstanding",
            "overdue",
            "credit_sales",
            "cash_received",
            "dso_simple",
            "dso_countback",
            "cei",
            "dilution_rate",
        )
        shown = names if session.form == "table" else tuple(table.columns)
        section = Section("trend", say("cli.trend_title"), columns_of(shown), rows)
        session.show(Report(_headline(book), [section], {"as_of": book.on, "months": rows}))

    @group.command("export", help=say("cli.export_help"))
    @click.argument("what", type=click.Choice(["open-items", "invoices", "settlements", "buyers", "disputes"]), default="open-items")
    @click.pass_obj
    def export(session: Session, what: str) -> None:
        from duecourse.desk.export import export_rows

        book = session.book
        names, rows = export_rows(book, what)
        title = say(f"cli.export_{what.replace('-', '_')}")
        if session.form == "csv":  # a stream, however many rows
            session.show(Report("", [Section(what, title, columns_of(names), map(with_money, rows))]))
        else:
            made = [with_money(row) for row in rows]
            session.show(Report("", [Section(what, title, columns_of(names), made)], {"as_of": book.on, what: made}))


def _headline(book: Book) -> str:
    known = say("cli.headline_known", moment=f"{book.known_at:%Y-%m-%d %H:%M}") if book.known_at else ""
    return say("cli.headline", company=book.settings.get("company") or say("cli.headline_firm"), on=book.on, known=known)


def _notes(found: Position) -> list[str]:
    notes = []
    if found.base is None:
        notes.append(say("cli.note_no_base"))
    if found.not_converted:
        notes.append(say("cli.note_not_converted", currencies=", ".join(found.not_converted)))
    return notes


def _figures(one: CurrencyPosition) -> dict[str, Any]:
    return with_money({**one.figures, "currency": one.currency})


def _position_data(book: Book, found: Position) -> dict[str, Any]:
    def one(position: CurrencyPosition) -> dict[str, Any]:
        figures = {name: value for name, value in _figures(position).items() if name != "currency"}
        return {**figures, "buckets": {name: Money(amount, position.currency) for name, amount in position.buckets.items()}}

    return {
        "as_of": book.on,
        "known_at": book.known_at,
        "ledger_version": book.version,
        "base_currency": None if book.base_currency == "XXX" else book.base_currency,
        "currencies": {position.currency: one(position) for position in found.currencies},
        "base": one(found.base) if found.base else None,
        "not_converted": list(found.not_converted),
    }


def _positions(found: Position) -> list[tuple[str, CurrencyPosition]]:
    """Each column of figures and its heading; in base currency first, where that is more than one currency's figures again."""
    columns = [(one.currency, one) for one in found.currencies]
    alone = len(columns) == 1 and found.base is not None and columns[0][0] == found.base.currency
    if found.base is not None and not alone:
        columns.insert(0, (say("cli.in_base", currency=found.base.currency), found.base))
    return columns


def _ageing_section(found: Position, *, transposed: bool = True) -> Section:
    """What is outstanding by age. To read: ages down, currencies across; as rows for a machine: a line per currency."""
    columns = _positions(found)
    tail = ("outstanding", "overdue", "unapplied_credits", "net")
    values = {
        heading: {
            **{name: Money(amount, one.currency) for name, amount in one.buckets.items()},
            **{name: value for name, value in _figures(one).items() if name in tail},
        }
        for heading, one in columns
    }
    titles = {**{name: found.buckets.label(name, language()) for name in found.buckets.ids}, **{c.name: c.title for c in columns_of(tail)}}
    if transposed:
        rows = [{"age": titles[name], **{heading: values[heading].get(name) for heading in values}} for name in (*found.buckets.ids, *tail)]
        heads = [Column("age", heading=say("cli.col_age")), *(Column(heading, "money", heading=heading) for heading in values)]
        return Section("ageing", say("cli.ageing_title"), heads, rows)
    lines = [{"currency": heading, **values[heading]} for heading in values]
    heads = [Column("currency"), *(Column(name, "money", heading=title) for name, title in titles.items())]
    return Section("ageing", say("cli.ageing_title"), heads, lines)


def kpi_report(book: Book, worst_count: int = 10) -> Report:
    """The portfolio's state: figures, ageing, worst buyers."""
    from duecourse.desk.position import position, worst

    found = position(book)
    columns = _positions(found)
    figures = {heading: _figures(one) for heading, one in columns}
    rows = [{"figure": name, **{heading: _shown(name, values.get(name)) for heading, values in figures.items()}} for name in KPI_FIGURES]
    titles = {
        column.name: say("cli.in_days", figure=column.title) if column.kind == "days" else column.title
        for column in columns_of(KPI_FIGURES)
    }
    rows = [{**row, "figure": titles[row["figure"]]} for row in rows]
    heads = [Column("figure", heading=say("cli.col_figure")), *(Column(heading, "count", heading=heading) for heading, _one in columns)]
    worst_rows = [named(with_money(row)) for row in worst(book, limit=worst_count)]
    sections = [
        Section("kpi", say("cli.kpi_title"), heads, rows),
        _ageing_section(found),
        Section("worst", say("cli.worst_title"), columns_of(WORST), worst_rows),
    ]
    data = {**_position_data(book, found), "worst_buyers": worst_rows}
    return Report(_headline(book), sections, data, _notes(found))


def _shown(name: str, value: Any) -> Any:
    from duecourse.tables import shown

    return shown(value, KINDS.get(name, "money" if is_money(name) else "text"))


def _ageing_per(book: Book, by: Any, per: str) -> Report:
    from duecourse.measures.buckets import Buckets
    from duecourse.measures.receivables import ageing

    buckets = Buckets.of(book)
    grain = tuple(part.strip() for part in per.split(",") if part.strip())
    table = ageing(book, by=by, buckets=buckets, per=grain)
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    keys = [*dict.fromkeys((*grain, "currency"))]
    for row in book.run(table).to_pylist():
        key = tuple(row[name] for name in keys)
        line = rows.setdefault(key, {**{name: row[name] for name in keys}, "outstanding": Money(0, row["currency"])})
        line[row["bucket"]] = Money(row["amount"], row["currency"])
        line["outstanding"] = Money(line["outstanding"].minor + row["amount"], row["currency"])
    ordered = sorted(rows.values(), key=lambda line: (line["currency"], -line["outstanding"].minor, str(line[keys[0]])))
    ages = [Column(name, "money", heading=buckets.label(name, language())) for name in buckets.ids]
    columns = [*(Column(name) for name in keys), *columns_of(["outstanding"]), *ages]
    return Report(
        _headline(book),
        [Section("ageing", say("cli.ageing_title"), columns, ordered)],
        {"as_of": book.on, "per": list(grain), "rows": ordered},
    )


def _buyer_report(book: Book, record: BuyerRecord, *, everything: bool) -> Report:
    profile = {
        name: value
        for name, value in record.profile.items()
        if value not in (None, "") and name not in ("recorded_at", "source", "source_row")
    }
    name = profile.get("name") or profile.get("name_local") or record.buyer_id
    figures = [with_money(row) for row in record.figures]
    wanted = (
        "currency", "outstanding", "overdue", "oldest_days_past_due", "unapplied_credits", "credit_sales_365d", "dso_countback",
        "days_beyond_terms_365d", "days_beyond_terms_90d", "peak_balance_365d", "last_payment_date",
    )  # fmt: skip
    items = [with_money(row) for row in record.items]
    still_open = [row for row in items if row["open_minor"].minor]
    settlements = [with_money(row) for row in record.settlements]
    worded = [{**row, "kind": say(f"cli.settlement_{row['kind']}")} for row in settlements]
    latest = 15
    open_columns = columns_of(
        ("invoice_id", "instalment", "issue_date", "due_date", "days_past_due", "currency", "amount_minor", "open_minor")
    )
    paid_columns = columns_of(("settlement_id", "kind", "settle_date", "invoice_id", "currency", "amount_minor"))
    sections = [
        Section("profile", f"{record.buyer_id} · {name}", [Column("field", heading=say("cli.col_name")), Column("value", heading=say("cli.col_value"))],
                [{"field": Column(key).title, "value": str(value)} for key, value in profile.items()]),
        Section("figures", say("cli.kpi_title"), columns_of(wanted), figures),
        Section("open_items", say("cli.export_open_items"), open_columns, still_open[: None if everything else latest],
                [say("cli.more_rows", count=len(still_open) - latest)] if not everything and len(still_open) > latest else []),
        Section("settlements", say("cli.export_settlements"), paid_columns, worded[: None if everything else latest],
                [say("cli.more_rows", count=len(settlements) - latest)] if not everything and len(settlements) > latest else []),
    ]  # fmt: skip
    data = {
        "as_of": book.on, "buyer_id": record.buyer_id, "profile": profile, "figures": figures, "invoices": items, "settlements": settlements,
        "disputes": [with_money(row) for row in record.disputes],
    }  # fmt: skip
    return Report(_headline(book), sections, data)
