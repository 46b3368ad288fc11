"""What other rooms know of a case: what is owed with interest, which clocks run, which letters went, which routes there are. A panel each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.http import HttpRequest

    from duecourse.ledger.book import Book
    from duecourse.web.cases.models import Case


def panels(request: HttpRequest, book: Book, case: Case) -> list[dict[str, Any]]:
    """Title, template and what it needs, in the order in which the page shows them."""
    return []
