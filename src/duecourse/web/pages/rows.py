"""The rows of the buyer's and the invoice's tables. Written here and not in templates: a page has hundreds of cells, and is asked for all day.

Everything that comes from a file or a person is escaped where it is put in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from duecourse.glossary import label
from duecourse.messages import say
from duecourse.money import NO_CURRENCY
from duecourse.web.pages.columns import amount, capital
from duecourse.web.pages.templatetags.components import icon
from duecourse.web.pages.templatetags.lists import invoice_state, settlement_kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Row = Mapping[str, Any]


def segment(key: str) -> str:
    """A business key as one segment of an address, as `converters.KeyConverter` writes it."""
    return quote(str(key).replace("~", "~0").replace("/", "~1"), safe="~!$&'()*+,;=:@")


class Rows:
    """Writes rows for one page: its viewpoint is in every link."""

    def __init__(self, viewpoint: Mapping[str, str]) -> None:
        self._day = dict(viewpoint)
        self._tail = escape(f"?{urlencode(self._day)}") if self._day else ""
        self._file, self._next = icon("file"), icon("next")
        self._source = say("web.buyer_fact_open")

    def buyer_url(self, buyer_id: str) -> str:
        """The escaped address of a buyer's page."""
        return f"/buyers/{escape(segment(buyer_id))}/{self._tail}"

    def invoice_url(self, invoice_id: str) -> str:
        """The escaped address of an invoice's page."""
        return f"/invoices/{escape(segment(invoice_id))}/{self._tail}"

    def source(self, buyer_id: str, table: str, key: str, instalment: int | None = None) -> str:
        """The sheet of paper that opens where a fact comes from."""
        words = {**({"instalment": str(instalment)} if instalment is not None else {}), **self._day}
        url = escape(f"/buyers/{segment(buyer_id)}/facts/{table}/{segment(key)}" + (f"?{urlencode(words)}" if words else ""))
        return (
            f'<a class="btn quiet small square" href="{url}" hx-get="{url}" hx-target="#drawer-body" hx-push-url="false" '
            f'title="{self._source}">{self._file}<span class="sr">{self._source}</span></a>'
        )

    def invoices(self, rows: Sequence[Row], buyer_id: str) -> SafeString:
        """A buyer's invoices, each followed by the row that unfolds to its settlements."""
        heads = {
            name: escape(capital(label(name)))
            for name in ("issue_date", "due_date", "days_past_due", "currency", "amount", "open", "status")
        }
        found = []
        for place, row in enumerate(rows, start=1):
            url, currency, late = self.invoice_url(row["invoice_id"]), row["currency"] or NO_CURRENCY, row["days_past_due"]
            part = f' <span class="faint">{say("web.buyer_instalment", number=row["instalment"])}</span>' if row["instalment"] > 1 else ""
            found.append(
                f'<tr data-href="{url}"><td class="fit no-print">{self._unfolds(row, place)}</td>'
                f'<th scope="row" class="lead"><a href="{url}">{escape(row["invoice_id"])}</a>{part}</th>'
                f'<td data-label="{heads["issue_date"]}" class="nowrap">{_day(row["issue_date"])}</td>'
                f'<td data-label="{heads["due_date"]}" class="nowrap">{_day(row["due_date"])}</td>'
                f'<td data-label="{heads["days_past_due"]}" class="num{"" if late and late > 0 else " zero"}">{"–" if late is None else f"{late:,}"}</td>'
                f'<td data-label="{heads["currency"]}">{escape(row["currency"] or "–")}</td>'
                f'<td data-label="{heads["amount"]}" class="num">{amount(row["amount_minor"], currency)}</td>'
                f'<td data-label="{heads["open"]}" class="num{"" if row["open_minor"] else " zero"}">{amount(row["open_minor"], currency)}</td>'
                f'<td data-label="{heads["status"]}">{invoice_state(row)}</td>'
                f'<td class="fit no-print">{self.source(buyer_id, "invoice", row["invoice_id"], row["instalment"])}</td></tr>'
            )
            if row["settlements"]:
                inner = self.settlements(row["settlements"], buyer_id, row["invoice_id"])
                found.append(f'<tr class="more" id="more-{place}" hidden><td colspan="10">{inner}</td></tr>')
        return mark_safe("".join(found))  # noqa: S308 — every value was escaped above

    def _unfolds(self, row: Row, place: int) -> str:
        if not row["settlements"]:
            return ""
        words = escape(say("web.buyer_settlements_of", invoice=row["invoice_id"], count=len(row["settlements"])))
        return (
            f'<button type="button" class="btn quiet unfold" aria-expanded="false" aria-controls="more-{place}" data-unfolds="more-{place}">'
            f'{self._next}<span class="sr">{words}</span></button>'
        )

    def settlements(self, rows: Sequence[Row], buyer_id: str, title: str, *, shows_invoice: bool = False) -> SafeString:
        """A table of settlements; with the invoice each names where they are not beneath one."""
        names = ["settle_date", "kind", "settlement", *(["invoice"] if shows_invoice else []), "amount", "currency", "reference"]
        heads = "".join(f'<th scope="col"{" class=num" if name == "amount" else ""}>{escape(label(name))}</th>' for name in names)
        source = f'<th scope="col" class="fit"><span class="sr">{escape(label("source"))}</span></th>'
        body = "".join(self._settlement(row, buyer_id, shows_invoice=shows_invoice) for row in rows)
        return mark_safe(  # noqa: S308 — every value was escaped
            f'<div class="table-wrap" tabindex="0" role="region" aria-label="{escape(title)}"><table class="grid">'
            f"<thead><tr>{heads}{source}</tr></thead><tbody>{body}</tbody></table></div>"
        )

    def _settlement(self, row: Row, buyer_id: str, *, shows_invoice: bool) -> str:
        inferred = ""
        if row["inferred"]:
            hint = escape(say("web.buyer_inferred_hint", day=_day(row["settle_date_from"])))
            inferred = f' <span class="faint small" title="{hint}">{escape(label("inferred"))}</span>'
        payer = row["payer_id"]
        paid_by = (
            f' <span class="faint small">{escape(say("web.buyer_paid_by", payer=payer))}</span>' if payer and payer != buyer_id else ""
        )
        invoice = f'<td class="clip">{escape(row["invoice_id"] or "–")}</td>' if shows_invoice else ""
        return (
            f'<tr><td class="nowrap">{_day(row["settle_date"])}</td><td>{escape(settlement_kind(row["kind"]))}{inferred}</td>'
            f'<td class="clip">{escape(row["settlement_id"])}</td>{invoice}'
            f'<td class="num">{amount(row["amount_minor"], row["currency"])}</td><td>{escape(row["currency"] or "–")}</td>'
            f'<td class="clip">{escape(row["reference"] or "–")}{paid_by}</td>'
            f'<td class="fit no-print">{self.source(row["buyer_id"] or buyer_id, "settlement", row["settlement_id"])}</td></tr>'
        )


def _day(day: Any) -> str:
    return "–" if day is None else f"{day:%Y-%m-%d}"
