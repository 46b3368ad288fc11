"""Where do we stand, and what needs attention?  总览"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render

from duecourse.desk.position import position
from duecourse.web.accounts.access import gate
from duecourse.web.books import book_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@gate("read")
def dashboard(request: HttpRequest) -> HttpResponse:
    """The page a CFO opens first."""
    book = book_of(request)
    return render(request, "pages/dashboard.html", {"book": book, "position": position(book)})
