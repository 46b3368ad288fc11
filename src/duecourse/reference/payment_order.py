"""What a payment that does not cover everything goes to first, 清偿抵充顺序: costs, interest, principal, by each law."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from duecourse.reference.tables import Table, load

if TYPE_CHECKING:
    from collections.abc import Mapping

PARTS: Final = ("costs", "interest", "principal", "doubled")
"""doubled: interest doubled after a judgment (加倍部分债务利息)."""


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """The order of one law. `country` is `*` for the principle that stands in where no rule is known."""

    country: str
    order: tuple[str, ...]
    law: str
    confidence: str


def _order(record: Mapping[str, str]) -> PaymentOrder:
    named = tuple(record["order"].split(";"))
    # What a law does not name comes where the general principle has it: costs first, what is doubled last.
    full = (*(part for part in PARTS[:1] if part not in named), *named, *(part for part in PARTS[1:] if part not in named))
    return PaymentOrder(record["country"], full, record["law"], record["confidence"])


ORDERS: Final[Table[PaymentOrder]] = load("payment_order", "country", _order)


def payment_order(country: str | None) -> PaymentOrder:
    """The order under the law of a country; the general principle where none is known.

    >>> payment_order("CN").order
    ('costs', 'interest', 'principal', 'doubled')
    """
    return ORDERS.get(country or "") or ORDERS["*"]
