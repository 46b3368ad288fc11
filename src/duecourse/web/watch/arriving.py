"""What has just come into the ledger, by API or file, is looked at within the minute: those it speaks of, and nobody else."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from duecourse.decisions.alert import GRADE_FALL
from duecourse.desk.alerting import fell, looked_at, news
from duecourse.desk.dates import default_day
from duecourse.web.cases import keeping as cases
from duecourse.web.watch import keeping
from duecourse.web.watch.models import WatchHead
from duecourse.web.watch.running import head

if TYPE_CHECKING:
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
            before = ledger.as_of(book.on, rows[0].recorded_at - timedelta(microseconds=1))
            fallen = [one for one in (fell(book, before, buyer) for buyer in whom) if one is not None]
            besides = {**whom, **{one.buyer_id: {GRADE_FALL: "financial", **whom[one.buyer_id]} for one in fallen}}
            found = keeping.draw_up(book, looked_at(book, besides), f"news {ledger.version}", whole=False, fallen=fallen)
    WatchHead.objects.filter(pk=1, looked_version=row.looked_version).update(looked_version=ledger.version)
    return {"changes": len(rows), "cases": brought, **found.plain}
