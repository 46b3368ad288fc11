"""Where one is in a list of many pages, and the addresses of the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from duecourse.messages import say

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Pager:
    """One page of a list. `more`: there are at least `total` rows, perhaps more."""

    page: int
    per: int
    total: int
    url_of: Callable[[int], str]
    more: bool = False

    @property
    def last_page(self) -> int:
        """The number of the last page."""
        return max(1, -(-self.total // self.per))

    @property
    def says(self) -> str:
        """Which rows these are, of how many."""
        first, last = (self.page - 1) * self.per + 1, min(self.page * self.per, self.total)
        told = "web.buyers_pager_more" if self.more else "web.buyers_pager"
        return say(told, first=f"{first:,}", last=f"{last:,}", total=f"{self.total:,}", page=f"{self.page:,}", pages=f"{self.last_page:,}")

    @property
    def is_whole(self) -> bool:
        """Is there only this page?"""
        return self.last_page == 1 and not self.more

    @property
    def first(self) -> str:
        """The first page, where one is beyond the second."""
        return self.url_of(1) if self.page > 2 else ""

    @property
    def previous(self) -> str:
        """The page before."""
        return self.url_of(self.page - 1) if self.page > 1 else ""

    @property
    def next(self) -> str:
        """The page after."""
        return self.url_of(self.page + 1) if self.page < self.last_page or self.more else ""

    @property
    def last(self) -> str:
        """The last page, where it is known and not the next."""
        return self.url_of(self.last_page) if self.page < self.last_page - 1 and not self.more else ""
