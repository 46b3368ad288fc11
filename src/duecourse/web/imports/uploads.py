"""The life of an upload: kept, confirmed once, called off, thrown away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F

from duecourse.web.accounts.audit import record
from duecourse.web.imports.models import Upload
from duecourse.web.imports.receiving import place_of
from duecourse.web.imports.whole import person_of
from duecourse.web.jobs import queue

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from django.http import HttpRequest

    from duecourse.web.imports.receiving import Received


def keep(request: HttpRequest, received: Received) -> Upload:
    """A file that has arrived becomes an upload."""
    received.keep()
    with transaction.atomic():
        row = Upload.objects.create(sha256=received.sha256, name=received.name, size_bytes=received.size_bytes, by=person_of(request))
        record(request, "import.upload", "upload", row.pk, file=row.name, sha256=row.sha256, bytes=row.size_bytes)
    return row


def confirm(request: HttpRequest, row: Upload, turn: int, changes: Mapping[str, Any] | None = None) -> bool:
    """Have it taken in, once, however often the button is pressed: `turn` is the one the page was drawn at. Says whether this was the press."""
    with transaction.atomic():
        moved = Upload.objects.filter(pk=row.pk, turn=turn).update(turn=F("turn") + 1, results=None, **(changes or {}))
        if not moved:
            return False
        run = queue.enqueue("imports.take_in", key=f"{row.token}-{turn + 1}", person=person_of(request), upload=row.pk, turn=turn + 1)
        Upload.objects.filter(pk=row.pk).update(run=run)
        row.refresh_from_db()
        record(request, "import.confirm", "upload", row.pk, file=row.name, sha256=row.sha256, options=row.options)
    return True


def discard(row: Upload) -> None:
    """Throw an upload away; its bytes too, unless another upload has the same."""
    with transaction.atomic():
        sha256 = row.sha256
        row.delete()
        shared = Upload.objects.filter(sha256=sha256).exists()
    if not shared:
        place_of(sha256).unlink(missing_ok=True)
