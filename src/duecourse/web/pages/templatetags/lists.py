"""How the lists word what has a word of its own."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from django import template
from django.utils.safestring import SafeString

from duecourse.glossary import label
from duecourse.ledger.entries import SETTLEMENT_KINDS
from duecourse.messages import language, say
from duecourse.web.pages.writing import esc

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duecourse.web.pages.rows import Rows

register = template.Library()


@register.filter
def settlement_kind(kind: str | None) -> str:
    """A kind of settlement as people say it: {{ row.kind|settlement_kind }}."""
    if not kind or kind == "unknown":
        return say("web.buyer_kind_unknown")
    if kind not in SETTLEMENT_KINDS:
        return kind
    words = label(kind)
    return words[:1].upper() + words[1:]


STATES: Final = {"paid": "good", "overdue": "bad", "open": ""}


@register.simple_tag
def invoice_state(row: Mapping[str, Any]) -> SafeString:
    """{% invoice_state row %}: paid, open or overdue in a shape and a word, and whether it is disputed."""
    late = (row.get("days_past_due") or 0) > 0
    state = "paid" if row["open_minor"] <= 0 else "overdue" if late else "open"
    return _state(language(), state, bool(row["disputed"]))


@lru_cache(16)
def _state(_spoken: str, state: str, disputed: bool) -> SafeString:
    told = f'<span class="state {STATES[state]}">{esc(say(f"web.invoices_state_{state}"))}</span>'
    return SafeString(told + (f' <span class="state warn">{esc(say("web.invoices_state_disputed"))}</span>' if disputed else ""))


@register.simple_tag(takes_context=True)
def invoice_rows(context: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], buyer_id: str) -> SafeString:
    """{% invoice_rows invoices buyer_id %}: the body of the table of a buyer's invoices."""
    return _rows(context).invoices(rows, buyer_id)


@register.simple_tag(takes_context=True)
def settlement_rows(
    context: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], buyer_id: str, title: str, shows_invoice: bool = False
) -> SafeString:
    """{% settlement_rows settlements buyer_id title True %}: a table of settlements."""
    return _rows(context).settlements(rows, buyer_id, title, shows_invoice=bool(shows_invoice))


@register.simple_tag(takes_context=True)
def source(context: Mapping[str, Any], buyer_id: str, table: str, key: str, instalment: int | None = None) -> SafeString:
    """{% source buyer_id "dispute" one.dispute_id %}: the button that opens where a fact comes from."""
    return SafeString(_rows(context).source(buyer_id, table, key, instalment or None))


def _rows(context: Mapping[str, Any]) -> Rows:
    from duecourse.web.pages.rows import rows_for  # noqa: PLC0415 — rows use the words of this module

    viewpoint = context.get("viewpoint")
    return rows_for(viewpoint.query if viewpoint else {})
