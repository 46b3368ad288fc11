"""The rows of the lists and of the buyer's and the invoice's tables. Written here and not in templates: a page has hundreds of cells, and is asked for all day.

Everything that comes from a file or a person is escaped where it is put in.
"""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from django.utils.safestring import SafeString

from duecourse.desk.standing import MONEY, TOTALS
from duecourse.glossary import label
from duecourse.messages import language, say
from duecourse.money import NO_CURRENCY
from duecourse.tables import named, shown
from duecourse.web.pages.columns import amount, capital, heading
from duecourse.web.pages.templatetags.lists import invoice_state, settlement_kind
from duecourse.web.pages.writing import esc, sprite

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duecourse.web.pages.columns import Cells

    Row = Mapping[str, Any]


_PLAIN: Final = re.compile(r"[A-Za-z0-9_.-]+").fullmatch
"""Keys that stand in an address as they are: nearly all."""


def segment(key: str) -> str:
    """A business key as one segment of an address, as `converters.KeyConverter` writes it."""
    text = str(key)
    if _PLAIN(text):
        return text
    return quote(text.replace("~", "~0").replace("/", "~1"), safe="~!$&'()*+,;=:@")


class Rows:
    """Writes rows for one page: its viewpoint is in every link."""

    def __init__(self, viewpoint: Mapping[str, str]) -> None:
        self._day = dict(viewpoint)
        self._tail = esc(f"?{urlencode(self._day)}") if self._day else ""
        self._file, self._next = sprite("file"), sprite("next")
        self._source = say("web.buyer_fact_open")

    def buyer_url(self, buyer_id: str) -> str:
        """The escaped address of a buyer's page."""
        return f"/buyers/{esc(segment(buyer_id))}/{self._tail}"

    def invoice_url(self, invoice_id: str) -> str:
        """The escaped address of an invoice's page."""
        return f"/invoices/{esc(segment(invoice_id))}/{self._tail}"

    def group_url(self, group_id: str) -> str:
        """The escaped address of a group's page."""
        return f"/groups/{esc(segment(group_id))}/{self._tail}"

    def buyers(self, rows: Sequence[Row], cells: Cells) -> SafeString:
        """The list of buyers: who it is, in which currency the row counts, and the cells of the columns chosen."""
        currency, found = esc(heading("currency")), []
        for row in map(named, rows):
            buyer_id, url = row["buyer_id"], self.buyer_url(row["buyer_id"])
            name = esc(row["name"] or buyer_id)
            other = f' <span class="faint small">{esc(buyer_id)}</span>' if row["name"] and row["name"] != buyer_id else ""
            found.append(
                f'<tr data-href="{url}"><th scope="row" class="lead who"><a href="{url}" title="{name}">{name}</a>{other}</th>'
                f'<td data-label="{currency}" class="fit">{esc(row["currency"])}</td>{cells.of(row)}</tr>\n'
            )
        return SafeString("".join(found))

    def totals(self, rows: Sequence[Row], base: Row | None) -> SafeString:
        """What a list of buyers comes to, currency by currency; where there are several, also in base currency."""
        titles = {name: esc(say("web.buyers_rows") if name == "rows" else label(name)) for name in ("rows", *TOTALS)}
        found = [f"<tr>{self._total(row, esc(row['currency']), titles)}</tr>\n" for row in rows]
        if base and len(rows) > 1:
            found.append(f'<tr class="total">{self._total(base, esc(say("web.buyers_all_in", currency=base["currency"])), titles)}</tr>')
        return SafeString("".join(found))

    def _total(self, row: Row, words: str, titles: Mapping[str, str]) -> str:
        cells = "".join(
            f'<td class="num" data-label="{title}">{amount(row[name], row["currency"]) if name in MONEY else shown(row[name], "count")}</td>'
            for name, title in titles.items()
        )
        return f'<th scope="row" class="lead">{words}</th>{cells}'

    def invoice_list(self, rows: Sequence[Row], cells: Cells) -> SafeString:
        """The list of invoices: which, whose, the cells, and how it stands."""
        buyer, state, found = esc(heading("buyer")), esc(say("web.invoices_state")), []
        for row in map(named, rows):
            url, name = self.invoice_url(row["invoice_id"]), esc(row["name"] or row["buyer_id"])
            part = ""
            if row["instalment"] > 1:
                part = f' <span class="faint small">{esc(say("web.buyer_instalment", number=row["instalment"]))}</span>'
            row["currency"] = row["currency"] or NO_CURRENCY
            found.append(
                f'<tr data-href="{url}"><th scope="row" class="lead"><a href="{url}">{esc(row["invoice_id"])}</a>{part}</th>'
                f'<td class="clip" data-label="{buyer}" title="{name} {esc(row["buyer_id"])}"><a href="{self.buyer_url(row["buyer_id"])}">{name}</a></td>'
                f'{cells.of(row)}<td data-label="{state}">{invoice_state(row)}</td></tr>\n'
            )
        return SafeString("".join(found))

    def groups(self, rows: Sequence[Row]) -> SafeString:
        """The list of groups: who owes how much in all."""
        amounts = {name: esc(label(name)) for name in ("outstanding", "overdue", "unapplied_credits")}
        currency, members, share = esc(label("currency")), esc(say("web.groups_members")), esc(say("web.groups_share"))
        found = []
        for row in rows:
            url, name = self.group_url(row["group_id"]), esc(row["name"] or row["group_id"])
            other = f' <span class="faint small">{esc(row["group_id"])}</span>' if row["name"] else ""
            figures = "".join(
                f'<td class="num{"" if row[column] else " zero"}" data-label="{title}">{amount(row[column], row["currency"])}</td>'
                for column, title in amounts.items()
            )
            found.append(
                f'<tr data-href="{url}"><th scope="row" class="lead who"><a href="{url}">{name}</a>{other}</th>'
                f'<td class="num" data-label="{members}">{shown(row["buyers"], "count")}</td><td data-label="{currency}">{esc(row["currency"])}</td>'
                f'{figures}<td class="num" data-label="{share}">{shown(row["share"], "fraction")}</td></tr>\n'
            )
        return SafeString("".join(found))

    def source(self, buyer_id: str, table: str, key: str, instalment: int | None = None) -> str:
        """The sheet of paper that opens where a fact comes from."""
        part = "" if instalment is None else f"{'&amp;' if self._tail else '?'}instalment={instalment}"
        url = f"/buyers/{esc(segment(buyer_id))}/facts/{table}/{esc(segment(key))}{self._tail}{part}"
        return (
            f'<a class="btn quiet small square" href="{url}" hx-get="{url}" hx-target="#drawer-body" hx-push-url="false" '
            f'title="{self._source}">{self._file}<span class="sr">{self._source}</span></a>'
        )

    def invoices(self, rows: Sequence[Row], buyer_id: str) -> SafeString:
        """A buyer's invoices, each followed by the row that unfolds to its settlements."""
        heads = {
            name: esc(capital(label(name))) for name in ("issue_date", "due_date", "days_past_due", "currency", "amount", "open", "status")
        }
        found = []
        for place, row in enumerate(rows, start=1):
            url, currency, late = self.invoice_url(row["invoice_id"]), row["currency"] or NO_CURRENCY, row["days_past_due"]
            part = f' <span class="faint">{say("web.buyer_instalment", number=row["instalment"])}</span>' if row["instalment"] > 1 else ""
            found.append(
                f'<tr data-href="{url}"><td class="fit no-print">{self._unfolds(row, place)}</td>'
                f'<th scope="row" class="lead"><a href="{url}">{esc(row["invoice_id"])}</a>{part}</th>'
                f'<td data-label="{heads["issue_date"]}" class="nowrap">{_day(row["issue_date"])}</td>'
                f'<td data-label="{heads["due_date"]}" class="nowrap">{_day(row["due_date"])}</td>'
                f'<td data-label="{heads["days_past_due"]}" class="num{"" if late and late > 0 else " zero"}">{"–" if late is None else f"{late:,}"}</td>'
                f'<td data-label="{heads["currency"]}">{esc(row["currency"] or "–")}</td>'
                f'<td data-label="{heads["amount"]}" class="num">{amount(row["amount_minor"], currency)}</td>'
                f'<td data-label="{heads["open"]}" class="num{"" if row["open_minor"] else " zero"}">{amount(row["open_minor"], currency)}</td>'
                f'<td data-label="{heads["status"]}">{invoice_state(row)}</td>'
                f'<td class="fit no-print">{self.source(buyer_id, "invoice", row["invoice_id"], row["instalment"])}</td></tr>'
            )
            if row["settlements"]:
                inner = self.settlements(row["settlements"], buyer_id, row["invoice_id"])
                found.append(f'<tr class="more" id="more-{place}" hidden><td colspan="10">{inner}</td></tr>')
        return SafeString("".join(found))

    def _unfolds(self, row: Row, place: int) -> str:
        if not row["settlements"]:
            return ""
        words = esc(say("web.buyer_settlements_of", invoice=row["invoice_id"], count=len(row["settlements"])))
        return (
            f'<button type="button" class="btn quiet unfold" aria-expanded="false" aria-controls="more-{place}" data-unfolds="more-{place}">'
            f'{self._next}<span class="sr">{words}</span></button>'
        )

    def settlements(self, rows: Sequence[Row], buyer_id: str, title: str, *, shows_invoice: bool = False) -> SafeString:
        """A table of settlements; with the invoice each names where they are not beneath one."""
        body = "".join(self._settlement(row, buyer_id, shows_invoice=shows_invoice) for row in rows)
        return SafeString(
            f'<div class="table-wrap" tabindex="0" role="region" aria-label="{esc(title)}"><table class="grid restack">'
            f"<thead><tr>{self._settlement_heads[shows_invoice]}</tr></thead><tbody>{body}</tbody></table></div>"
        )

    @cached_property
    def _settlement_heads(self) -> tuple[str, str]:
        """Without the invoice's column, and with it."""

        def heads(*names: str) -> str:
            columns = "".join(f'<th scope="col"{" class=num" if name == "amount" else ""}>{self._titles[name]}</th>' for name in names)
            return f'{columns}<th scope="col" class="fit"><span class="sr">{esc(label("source"))}</span></th>'

        before, after = ("settle_date", "kind", "settlement"), ("amount", "currency", "reference")
        return heads(*before, *after), heads(*before, "invoice", *after)

    @cached_property
    def _titles(self) -> dict[str, str]:
        names = ("settle_date", "kind", "settlement", "invoice", "amount", "currency", "reference")
        return {name: esc(capital(label(name))) for name in names}

    def _settlement(self, row: Row, buyer_id: str, *, shows_invoice: bool) -> str:
        inferred = ""
        if row["inferred"]:
            hint = esc(say("web.buyer_inferred_hint", day=_day(row["settle_date_from"])))
            inferred = f' <span class="faint small" title="{hint}">{esc(label("inferred"))}</span>'
        payer = row["payer_id"]
        paid_by = f' <span class="faint small">{esc(say("web.buyer_paid_by", payer=payer))}</span>' if payer and payer != buyer_id else ""
        titles = self._titles
        invoice = f'<td data-label="{titles["invoice"]}" class="clip">{esc(row["invoice_id"] or "–")}</td>' if shows_invoice else ""
        return (
            f'<tr><td data-label="{titles["settle_date"]}" class="nowrap">{_day(row["settle_date"])}</td>'
            f'<td data-label="{titles["kind"]}">{esc(settlement_kind(row["kind"]))}{inferred}</td>'
            f'<td data-label="{titles["settlement"]}" class="clip">{esc(row["settlement_id"])}</td>{invoice}'
            f'<td data-label="{titles["amount"]}" class="num">{amount(row["amount_minor"], row["currency"])}</td>'
            f'<td data-label="{titles["currency"]}">{esc(row["currency"] or "–")}</td>'
            f'<td data-label="{titles["reference"]}" class="clip">{esc(row["reference"] or "–")}{paid_by}</td>'
            f'<td class="fit no-print">{self.source(row["buyer_id"] or buyer_id, "settlement", row["settlement_id"])}</td></tr>'
        )


def rows_for(viewpoint: Mapping[str, str]) -> Rows:
    """The writer for a viewpoint, in the language spoken."""
    return _rows_for(language(), tuple(viewpoint.items()))


@lru_cache(64)
def _rows_for(_spoken: str, viewpoint: tuple[tuple[str, str], ...]) -> Rows:
    return Rows(dict(viewpoint))  # its words are in every row


def _day(day: Any) -> str:
    return "–" if day is None else str(day)[:10]
