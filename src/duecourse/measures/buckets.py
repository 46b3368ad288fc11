"""Ageing buckets (账龄区间): where the limits lie and what the buckets are called."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import ibis

from duecourse.errors import BucketsInvalidError
from duecourse.messages import Language, say

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from duecourse.ledger.book import Book

NOT_DUE: Final = "not_due"
SETTING: Final = "ageing_buckets"


@dataclass(frozen=True)
class Buckets:
    """Ageing buckets by their upper limits in days: `Buckets((30, 60, 90))` is not due, 1–30, 31–60, 61–90, over 90.

    Counted from the due date (逾期天数) or, where an ageing is by issue date, from the issue date. An item of age 0 or less is not due.
    Raises BucketsInvalidError unless the limits are whole days above 0 in rising order.
    """

    limits_days: tuple[int, ...] = (30, 60, 90, 180, 365)

    def __post_init__(self) -> None:
        limits = self.limits_days
        whole = all(isinstance(limit, int) and not isinstance(limit, bool) and limit > 0 for limit in limits)
        if not limits or not whole or any(low >= high for low, high in itertools.pairwise(limits)):
            raise BucketsInvalidError(value=list(limits))

    @classmethod
    def of(cls, book: Book) -> Buckets:
        """The firm's own buckets as of the book (setting `ageing_buckets`, a JSON list of days), else the usual ones."""
        own = book.settings.get(SETTING)
        if own is None:
            return cls()
        if not isinstance(own, list):
            raise BucketsInvalidError(value=own)
        return cls(tuple(own))

    @property
    def ids(self) -> tuple[str, ...]:
        """Stable names, youngest first: not_due, days_1_30 … days_over_365."""
        lows = (1, *(limit + 1 for limit in self.limits_days))
        between = (f"days_{low}_{high}" for low, high in zip(lows, self.limits_days, strict=False))
        return (NOT_DUE, *between, f"days_over_{self.limits_days[-1]}")

    def label(self, bucket: str, lang: Language | None = None) -> str:
        """A bucket's name for people: `1–30 days`, `1–30 天`."""
        if bucket == NOT_DUE:
            return say("measures.bucket_not_due", lang)
        low, high = bucket.removeprefix("days_").split("_")
        if low == "over":
            return say("measures.bucket_over", lang, days=high)
        return say("measures.bucket_between", lang, low=low, high=high)

    def of_age(self, age_days: ir.IntegerValue) -> ir.StringValue:
        """The bucket of an age in days; without an age (no due date) an item is not due."""
        first, *rest = zip(self.limits_days, self.ids[1:], strict=False)
        steps = [(age_days <= limit, name) for limit, name in (first, *rest)]
        return ibis.cases((age_days.isnull() | (age_days <= 0), NOT_DUE), *steps, else_=self.ids[-1])

    def order(self, bucket: ir.StringValue) -> ir.IntegerValue:
        """The place of a bucket, 0 = not due."""
        places = [(bucket == name, ibis.literal(place, type="int64")) for place, name in enumerate(self.ids)]
        return ibis.cases(*places)
