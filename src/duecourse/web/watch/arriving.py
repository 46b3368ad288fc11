"""What has just come into the ledger, by API or file, is looked at within the minute: those it speaks of, and nobody else."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from duecourse.decisions.alert import GRADE_FALL
from duecourse.desk.alerting import fell, looked_at, news
from duecourse.desk.dates import default_day
from duecourse.desk.open_case import spoken_of
from duecourse.web.cases import keeping as cases
from duecourse.web.cases.models import LIVE, Case
from duecourse.web.watch import keeping
from duecourse.web.watch.models import Alert, WatchHead
from duecourse.web.watch.running import head

if TYPE_CHECKING:
    from datetime import date

    from duecourse.ledger.book import Book
    from duecourse.ledger.journal import JournalRow
    from duecourse.ledger.store import Ledger


def look_at_news(ledger: Ledger) -> dict[str, Any]:
    """Look at the changes since the last look. The mark moves on when the alerts are written; whoever dies before looks again, and nothing doubles.

    A ledger that is looked at for the first time is left to the day's run: what it holds is no news.
    """
    row = head()
    rows = [one for one in ledger.journal() if one.version > row.looked_version] if 0 <= row.looked_version <= ledger.version else []
    found, brought = keeping.Drawn(), 0
    if rows:
        book = ledger.as_of(default_day(ledger))
        brought = cases.look_at_news(book, rows)
        whom = news(book, rows)
        if whom:
            before = _before(ledger, book.on, rows[0])
            fallen = [one for one in (fell(book, before, buyer) for buyer in whom) if one is not None]
            besides = {**whom, **{one.buyer_id: {GRADE_FALL: "financial", **whom[one.buyer_id]} for one in fallen}}
            found = keeping.draw_up(book, looked_at(book, besides), f"news {ledger.version}", whole=False, fallen=fallen)
    WatchHead.objects.filter(pk=1, looked_version=row.looked_version).update(looked_version=ledger.version)
    return {"changes": len(rows), "cases": brought, **found.plain}


def _before(ledger: Ledger, on: date, change: JournalRow) -> Book:
    """The day as it was known just before a change."""
    return ledger.as_of(on, change.recorded_at - timedelta(microseconds=1))


def rehearse(ledger: Ledger) -> str:
    """Ask of one buyer what a look asks, and write nothing; of which, empty where there is none.

    What is asked is drawn up once a process and a day, and the model read: without this, the first to be looked at waits seconds for it.
    """
    book = ledger.as_of(default_day(ledger))
    buyer = _somebody(book)
    if buyer:
        last = ledger.journal()[-1]
        spoken_of(book, [last])
        news(book, [last])
        cases.read(book, buyer)
        fell(book, _before(ledger, book.on, last), buyer)
        looked_at(book, {buyer: {}})
    return buyer


def _somebody(book: Book) -> str:
    """One of whom there is much to ask: with a case, or an alert; else any."""
    for rows in (Case.objects.filter(state__in=LIVE), Alert.objects.all()):
        found = rows.order_by("-pk").values_list("buyer_id", flat=True).first()
        if found is not None:
            return str(found)
    invoice = book.invoice
    names = book.run(invoice.filter(invoice.buyer_id.notnull()).select("buyer_id").limit(1))["buyer_id"].to_pylist()
    return str(names[0]) if names else ""
