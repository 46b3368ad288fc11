"""The columns of the lists: what each holds, what stands above it, which a list shows when nobody chose."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Final

from duecourse.desk.listing import BASE
from duecourse.desk.standing import BUCKETS as BUYER_BUCKETS
from duecourse.desk.standing import MONEY
from duecourse.glossary import TERMS, label
from duecourse.messages import say
from duecourse.money import NO_CURRENCY, grouped
from duecourse.tables import KINDS, Column, shown
from duecourse.web.pages.amounts import short
from duecourse.web.pages.templatetags.components import bucket_bar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duecourse.tables import Kind

AGEING: Final = "ageing"
"""The bar of buckets: one column on the screen, the buckets' columns in a file."""

ALWAYS: Final = ("name", "currency")
"""Who it is, and in which currency the row counts: no row can be read without them."""

BUYER_STANDARD: Final = (
    "country", "sales_owner", "outstanding", "overdue", "overdue_share", AGEING, "oldest_days_past_due", "days_beyond_terms_365d", "dso_countback",
    "credit_sales_365d",
)  # fmt: skip

BUYER_CHOICE: Final[Mapping[str, Sequence[str]]] = {
    "web.buyers_columns_who": (
        "country", "city", "sector", "group_name", "sales_owner", "legal_entity", "registration_number", "payment_terms_days", "customer_since",
        "first_issue_date", "last_payment_date",
    ),
    "web.buyers_columns_owed": (
        "outstanding", "outstanding_base", "overdue", "overdue_base", "overdue_share", AGEING, *BUYER_BUCKETS, "unapplied_credits", "open_invoices",
        "overdue_invoices", "oldest_days_past_due", "weighted_days_late_open", "outstanding_change_30d", "overdue_change_30d", "peak_balance_365d",
    ),
    "web.buyers_columns_habits": (
        "days_beyond_terms_365d", "days_beyond_terms_90d", "days_beyond_terms_trend", "days_beyond_terms_floored_365d", "dso_countback",
        "dso_simple_90d", "best_possible_dso", "average_days_delinquent", "credit_sales_90d", "credit_sales_365d", "invoices_365d", "paid_365d",
        "credits_365d",
    ),
}  # fmt: skip
"""What can be chosen, in groups, in the order in which a list shows it."""

BUYER_ALL: Final = tuple(name for names in BUYER_CHOICE.values() for name in names)

SORTED_BY: Final[Mapping[str, str]] = {AGEING: "oldest_days_past_due", **{name: name.removesuffix("_base") for name in BASE}}
"""The desk's column by which a column of the screen is sorted, where it is another."""

_KINDS: Final[Mapping[str, Kind]] = {"payment_terms_days": "days", "customer_since": "date", "last_settled": "date", "members": "count"}
_ABBREVIATED: Final = {"dso_countback": "DSO", "cei": "CEI"}


def kind_of(name: str) -> Kind:
    """How the values of a column of a list are written."""
    if name in MONEY or name in BASE or name in ("amount_minor", "open_minor", "open_base"):
        return "money"
    return _KINDS.get(name) or KINDS.get(name, "text")


def heading(name: str, base: str = "") -> str:
    """What stands above a column. `base` names the base currency, where the column is in it."""
    if name.endswith("_base"):
        return say("web.buyers_in_base", name=capital(label(name.removesuffix("_base"))), currency=base)
    if name in ("outstanding_change_30d", "overdue_change_30d"):
        return say(f"web.buyers_{name}")
    return capital(_ABBREVIATED.get(name) or label(name))


def capital(words: str) -> str:
    """The words with a capital, as they stand alone."""
    return words[:1].upper() + words[1:]


def hint(name: str) -> str:
    """What a column means, for whoever holds the pointer over its heading."""
    stem = name.removesuffix("_base")
    if stem in TERMS:
        return TERMS[stem].definition()
    return ""


def list_column(name: str, base: str = "") -> Column:
    """A column of a list, with its heading."""
    return Column(name, kind_of(name), heading(name, base))


@dataclass(frozen=True)
class Head:
    """One heading of a list on the screen: the address that sorts by it, and how it is sorted now (ascending, descending or empty)."""

    name: str
    title: str
    hint: str
    is_number: bool
    url: str
    sorted: str


NUMBERS: Final = frozenset({"money", "days", "fraction", "ratio", "count"})


class Cells:
    """Writes the cells of a list's rows as the screen shows them: what stands around the values is put together once for each list.

    Written here and not in a template: a page of a list has six hundred of them.
    """

    def __init__(self, columns: Sequence[Column], base: str = "") -> None:
        self._columns = []
        for column in columns:
            head = f'<td data-label="{escape(column.heading)}" class='
            money = (base if column.name.endswith("_base") else "row") if column.kind == "money" else ""
            self._columns.append((column.name, column.kind, head, column.heading, money))

    def of(self, row: Mapping[str, Any]) -> str:
        """One row's cells. `currency` of the row is that of its amounts."""
        found = []
        for name, kind, head, title, money in self._columns:
            if name == AGEING:
                found.append(f'{head}"fit">{bucket_bar({bucket: row[bucket] for bucket in BUYER_BUCKETS}, title)}</td>')
                continue
            value = row.get(name)
            if money:
                text = "–" if value is None else grouped(value, (row["currency"] if money == "row" else money) or NO_CURRENCY)
                found.append(f'{head}"num">{text}</td>' if value else f'{head}"num zero">{text}</td>')
            elif kind in NUMBERS:
                text = escape(shown(value, kind))
                found.append(f'{head}"num">{text}</td>' if value and value > 0 else f'{head}"num zero">{text}</td>')
            elif kind == "date":
                found.append(f'{head}"fit">{escape(shown(value, kind))}</td>')
            else:
                text = escape(shown(value, kind))
                found.append(f'{head}"clip" title="{text}">{text}</td>')
        return "".join(found)


def amount(minor: int | None, currency: str | None) -> str:
    """An amount in full, without its currency; a dash for an unknown one."""
    return "–" if minor is None else grouped(minor, currency or NO_CURRENCY)


def in_few_digits(minor: int | None, currency: str) -> Mapping[str, str]:
    """An amount as a headline tells it: value, unit, and in full for the pointer."""
    value, unit = short(minor, currency)
    return {"value": value, "unit": unit, "exact": f"{amount(minor, currency)} {currency}"}
