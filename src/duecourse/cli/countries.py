"""`duecourse country`: what is known of collecting a debt in a country, and what is not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from duecourse.messages import say
from duecourse.tables import Column, Report, Section

if TYPE_CHECKING:
    from duecourse.cli.session import Session


def add_commands(group: click.Group) -> None:
    """Add the commands of this room."""

    @group.command("country", help=say("cli.country_help"))
    @click.argument("code", required=False)
    @click.option("--own", default="CN", show_default=True, metavar="CODE", help=say("cli.country_own"))
    @click.option("--find", "words", default="", metavar="TEXT", help=say("cli.country_find"))
    @click.pass_obj
    def country(session: Session, code: str | None, own: str, words: str) -> None:
        session.show(_one(session, code, own) if code else _list(words))


def _one(session: Session, code: str, own: str) -> Report:
    from duecourse.desk.country_page import country_page, plain

    on = session.on or datetime.now(UTC).date()
    page = country_page(code, on, own=own)
    blank = say("web.countries_blank")
    heads = [
        Column("name", heading=say("web.countries_what")), Column("text", heading=say("web.countries_answer")), Column("source", heading=say("web.countries_source")),
        Column("as_of", "date", heading=say("web.countries_as_of")), Column("confidence", heading=say("web.countries_sure")),
    ]  # fmt: skip
    sections = []
    for name, facts in page.sections.items():
        rows = [
            {
                "name": one.name, "text": blank if one.value is None else f"{one.text} ({one.note})" if one.note else one.text, "source": one.source,
                "as_of": one.as_of, "confidence": one.confidence,
            }
            for one in facts
        ]  # fmt: skip
        sections.append(Section(name, say(f"countries.section_{name}"), heads, rows))
    days = [
        {
            "first": one.first, "last": one.last, "name": say("web.countries_day_worked") if one.worked else one.name,
            "certainty": "" if one.certainty == "official" else say("web.clocks_provisional"),
        }
        for year in page.days.values() for one in year
    ]  # fmt: skip
    if days:
        names = [Column("first", "date", heading=say("cli.country_first")), Column("last", "date", heading=say("cli.country_last"))]
        names += [Column("name", heading=say("web.countries_what")), Column("certainty", heading=say("web.countries_sure"))]
        sections.append(Section("holidays", say("web.countries_holidays"), names, days))
    title = f"{page.country.name()} · {say('web.countries_known', known=page.known, asked=page.asked)}"
    return Report(title, sections, plain(page), [say("web.countries_confidence"), say("legal.not_advice")])


def _list(words: str) -> Report:
    from duecourse.desk.country_page import demand_group, listed, tongues

    rows = [
        {
            "country": one.alpha2, "name": one.name(), "languages": tongues(one), "years": one.limitation_years,
            "demand": say(f"countries.group_{demand_group(one)}"), "complexity": one.collection_complexity, "oecd": one.oecd_risk,
        }
        for one in listed(words)
    ]  # fmt: skip
    heads = [
        Column("country", heading="ISO"), Column("name", heading=say("web.countries_country")), Column("languages", heading=say("countries.fact_letter_languages")),
        Column("years", "count", heading=say("web.countries_years")), Column("demand", heading=say("countries.fact_demand_interrupts")),
        Column("complexity", "count", heading=say("countries.fact_complexity")), Column("oecd", heading="OECD"),
    ]  # fmt: skip
    return Report("", [Section("countries", say("web.countries_title"), heads, rows)], {"countries": rows}, [say("web.countries_legend")])
