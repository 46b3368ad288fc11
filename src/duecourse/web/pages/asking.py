"""What a list's address asks for: the words of the URL, which hold the whole state of a list, as a query of the desk, and back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from duecourse.desk.invoices import SORTS, STATES, InvoicesQuery
from duecourse.desk.listing import BuyersQuery
from duecourse.desk.standing import COLUMNS, DATES, FIGURES, MONEY
from duecourse.errors import OptionMisusedError
from duecourse.messages import say
from duecourse.money import NO_CURRENCY, exponent
from duecourse.web.pages.columns import ALWAYS, BUYER_ALL, BUYER_STANDARD, SORTED_BY, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.http import QueryDict

PER_PAGE: Final = (25, 50, 100, 200)
USUAL: Final = 50
LONGEST: Final = 200
MOST_VALUES: Final = 200

FILTERS: Final[Mapping[str, str]] = {
    "country": "countries", "sector": "sectors", "owner": "sales_owners", "entity": "legal_entities", "currency": "currencies", "group": "groups",
}  # fmt: skip
"""The word of the URL, and the desk's name, of each filter with a list of values."""

TERMS: Final[Mapping[str, str]] = {
    "country": "country", "sector": "sector", "owner": "sales_owner", "entity": "legal_entity", "currency": "currency", "group": "group",
}  # fmt: skip
"""What the glossary calls each."""

LIMITED: Final = ("outstanding", "overdue", "overdue_share", "oldest_days_past_due", "days_beyond_terms_365d", "credit_sales_365d")
"""Figures with fields of their own for a least and a most; the address takes those of every figure."""

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Asked:
    """One list as an address asks for it.

    words    the address in its shortest form, as pairs, without page and day
    columns  what is shown, without what always is
    limits   {word: as it was typed}, for the fields
    """

    query: Any
    words: Pairs
    columns: Sequence[str] = ()
    page: int = 1
    per: int = USUAL
    limits: Mapping[str, str] = field(default_factory=dict)

    def address(self, **changed: str | None) -> str:
        """The words of the same list, some changed; None takes a word out. A page is only kept where it is named."""
        words = [(name, value) for name, value in self.words if name not in changed]
        return urlencode(words + [(name, value) for name, value in changed.items() if value])

    @property
    def kept(self) -> str:
        """The address of a saved view."""
        return self.address()

    def at(self, page: int) -> Asked:
        """The same list, another page."""
        return replace(self, page=page, query=replace(self.query, offset=(page - 1) * self.per))


def buyers_asked(words: QueryDict, own_columns: Sequence[str], base: Any) -> Asked:
    """The buyers an address asks for.

    own_columns  those the person chose before, for an address that names none
    base         a function giving the base currency, only called where an amount has to be read in it
    Raises OptionMisusedError.
    """
    pairs: Pairs = []
    text = words.get("q", "").strip()[:LONGEST]
    if text:
        pairs.append(("q", text))
    chosen: dict[str, frozenset[str]] = {}
    for word, name in FILTERS.items():
        values = list(dict.fromkeys(words.getlist(word)))[:MOST_VALUES]
        if values:
            chosen[name] = frozenset(values)
            pairs += [(word, value) for value in values]
    overdue_only, bucket = words.get("overdue") == "1", words.get("bucket", "")
    pairs += ([("overdue", "1")] if overdue_only else []) + ([("bucket", bucket)] if bucket else [])
    currency = next(iter(chosen["currencies"])) if len(chosen.get("currencies", ())) == 1 else ""
    limits: dict[str, dict[str, Any]] = {"min": {}, "max": {}}
    typed: dict[str, str] = {}
    for word in words:
        kind, _, figure = word.partition("_")
        value = words[word].strip()
        if kind in limits and figure in FIGURES and value:
            limits[kind][figure] = _limit(word, figure, value, currency, base)
            typed[word] = value
            pairs.append((word, value))
    sort, falls, ordered = _order(words, COLUMNS)
    columns, own = _columns(words, own_columns)
    page, per, paged = _page(words)
    query = BuyersQuery(
        text=text, **chosen, overdue_only=overdue_only, bucket=bucket, at_least=limits["min"], at_most=limits["max"],  # type: ignore[arg-type]
        sort=sort, descending=falls, offset=(page - 1) * per, limit=per,
    ).checked()  # fmt: skip
    return Asked(query, pairs + ordered + own + paged, columns, page, per, typed)


def _order(words: QueryDict, known: Sequence[str]) -> tuple[str | None, bool | None, Pairs]:
    wanted = words.get("sort", "")
    if not wanted:
        return None, None, []
    sort = SORTED_BY.get(wanted, wanted)
    if sort not in known:
        raise OptionMisusedError(option="sort", value=wanted, hint=say("cli.hint_per", known=", ".join(known)))
    falls = {"desc": True, "asc": False}.get(words.get("dir", ""))
    return sort, falls, [("sort", wanted)] + ([] if falls is None else [("dir", "desc" if falls else "asc")])


def _columns(words: QueryDict, own: Sequence[str]) -> tuple[tuple[str, ...], Pairs]:
    wanted = [name for part in words.getlist("columns") for name in part.split(",") if name]
    for name in wanted:
        if name not in BUYER_ALL and name not in ALWAYS:
            raise OptionMisusedError(option="columns", value=name, hint=say("cli.hint_per", known=", ".join(BUYER_ALL)))
    wanted = [name for name in dict.fromkeys(wanted or own or BUYER_STANDARD) if name in BUYER_ALL]
    shown = tuple(wanted)
    return shown, [] if shown == BUYER_STANDARD else [("columns", ",".join(shown))]


def _page(words: QueryDict) -> tuple[int, int, Pairs]:
    page, per = words.get("page", ""), words.get("per", "")
    rows = int(per) if per.isdecimal() and int(per) in PER_PAGE else USUAL
    number = int(page) if page.isdecimal() and 0 < int(page) < 10**7 else 1
    return number, rows, [] if rows == USUAL else [("per", str(rows))]


def _limit(word: str, figure: str, value: str, currency: str, base: Any) -> Any:
    """What was typed as the desk wants it: minor units, days, a fraction, a day."""
    if figure in DATES:
        return day(word, value)
    try:
        number = Decimal(value.replace(",", "").replace("，", "").replace("%", "").replace(" ", ""))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number) > 10**15:
        raise OptionMisusedError(option=word, value=value, hint=say("web.buyers_hint_number"))
    if figure in MONEY:
        return minor(number, currency or base(), word, value)
    return float(number / 100) if kind_of(figure) == "fraction" else float(number)


def minor(number: Decimal, currency: str, word: str, value: str) -> int:
    """An amount somebody typed, in minor units. Without any one currency nobody can say how much was meant."""
    if currency == NO_CURRENCY:
        raise OptionMisusedError(option=word, value=value, hint=say("web.buyers_hint_currency"))
    return int(number.scaleb(exponent(currency)).to_integral_value())


def day(word: str, value: str) -> date:
    """A day of an address. Raises OptionMisusedError."""
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise OptionMisusedError(option=word, value=value, hint=say("cli.hint_day")) from None


INVOICE_DAYS: Final = ("issued_from", "issued_to", "due_from", "due_to")
INVOICE_FILTERS: Final[Mapping[str, str]] = {"currency": "currencies", "entity": "legal_entities"}
INVOICE_SORTS: Final[Mapping[str, str]] = {
    "issue_date": "issue_date",
    "due_date": "due_date",
    "amount_minor": "amount",
    "open_minor": "open",
}
"""The column, and the desk's name of the order by it."""


def invoices_asked(words: QueryDict, base: Any) -> Asked:
    """The invoices an address asks for. Raises OptionMisusedError."""
    pairs: Pairs = []
    found: dict[str, Any] = {}
    for word, name in (("q", "text"), ("buyer", "buyer_id")):
        value = words.get(word, "").strip()[:LONGEST]
        found[name] = value
        pairs += [(word, value)] if value else []
    state = words.get("state", "")
    if state not in STATES:
        raise OptionMisusedError(option="state", value=state, hint=say("cli.hint_per", known=", ".join(filter(None, STATES))))
    pairs += [("state", state)] if state else []
    for word, name in INVOICE_FILTERS.items():
        values = list(dict.fromkeys(words.getlist(word)))[:MOST_VALUES]
        found[name] = frozenset(values)
        pairs += [(word, value) for value in values]
    typed: dict[str, str] = {}
    for word in INVOICE_DAYS:
        value = words.get(word, "").strip()
        if value:
            found[word] = day(word, value)
            pairs.append((word, value))
            typed[word] = value
    currency = next(iter(found["currencies"])) if len(found["currencies"]) == 1 else ""
    for word, name in (("min_amount", "at_least"), ("max_amount", "at_most")):
        value = words.get(word, "").strip()
        if value:
            found[name] = _limit(word, "outstanding", value, currency, base)
            pairs.append((word, value))
            typed[word] = value
    wanted = words.get("sort", "")
    if wanted and INVOICE_SORTS.get(wanted, wanted) not in SORTS:
        raise OptionMisusedError(option="sort", value=wanted, hint=say("cli.hint_per", known=", ".join(INVOICE_SORTS)))
    falls = {"desc": True, "asc": False}.get(words.get("dir", "")) if wanted else None
    pairs += ([("sort", wanted)] if wanted else []) + ([] if falls is None else [("dir", "desc" if falls else "asc")])
    page, per, paged = _page(words)
    query = InvoicesQuery(
        state=state, sort=INVOICE_SORTS.get(wanted, wanted or "issue_date"), descending=falls, offset=(page - 1) * per, limit=per, **found,  # type: ignore[arg-type]
    ).checked()  # fmt: skip
    return Asked(query, pairs + paged, (), page, per, typed)


__all__ = ["FILTERS", "LIMITED", "PER_PAGE", "TERMS", "Asked", "buyers_asked", "invoices_asked"]
