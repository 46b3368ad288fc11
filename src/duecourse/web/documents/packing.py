"""Packages drawn up in the background and kept for a month: the ZIP for outside, the report on completeness beside it, for inside."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

from duecourse.desk.evidence_file import LANGUAGES, Wanted, completeness_of, report, write_package
from duecourse.errors import FeedDownError, StampInvalidError
from duecourse.messages import language as spoken
from duecourse.web import environment as env
from duecourse.web.accounts.audit import record
from duecourse.web.documents import custody
from duecourse.web.documents.letters import file_letters
from duecourse.web.documents.models import Package
from duecourse.web.documents.reading import file_of
from duecourse.web.documents.stamping import ask

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from duecourse.ledger.book import Book


def place_of(package: Package) -> Path:
    """Where the ZIP lies."""
    there = env.HOME / "made" / "evidence"
    there.mkdir(parents=True, exist_ok=True)
    return there / f"{package.token}.zip"


def stamp_of(seal: str) -> bytes:
    """A time-stamp of a whole package."""
    return ask(seal)[0]


def draw_up(pk: int, step: Callable[[float], Any]) -> dict[str, Any]:
    """Write a package that was asked for; what came of it. Asked for again it is there."""
    from duecourse.web.jobs.background import own_ledger  # noqa: PLC0415 — heavy: only in a worker

    asked = Package.objects.select_related("by").get(pk=pk)
    if asked.seal and place_of(asked).is_file():  # the worker died between the work and the word of it
        return {"documents": asked.documents, "seal": asked.seal}
    ledger = own_ledger()
    from duecourse.web.books import day_of  # noqa: PLC0415

    book = ledger.as_of(day_of(ledger)).limited(asked.by.scope)
    return write(asked, book, step)


def write(asked: Package, book: Book, step: Callable[[float], Any]) -> dict[str, Any]:
    """The same of a book at hand."""
    file_letters(asked.buyer_id)
    wanted = Wanted(asked.buyer_id, asked.case_id, tuple(asked.invoices))
    file = file_of(book, wanted)
    languages = LANGUAGES[asked.languages]
    place = place_of(asked)
    store, stamp, faulty = custody.files(), stamp_of if env.TSA_URL else None, ""
    try:
        seal = write_package(file, store.of, place, languages=languages, stamp=stamp, step=step)
    except (FeedDownError, StampInvalidError) as error:  # the package does not wait for an authority that is down
        faulty = type(error).__name__
        seal = write_package(file, store.of, place, languages=languages, step=step)
    found = completeness_of(book, wanted, file.documents)
    made_at = datetime.combine(book.on, time.min, UTC)
    place.with_suffix(".pdf").write_bytes(report(file, found, language=spoken(), made_at=made_at, seal=seal))
    Package.objects.filter(pk=asked.pk).update(
        name=f"{file.name}.zip", seal=seal, size_bytes=place.stat().st_size, documents=len(file.documents)
    )
    custody.add(asked.by, "packed", [(one.document_id, asked.buyer_id) for one in file.documents], seal=seal, case=asked.case_id)
    record(asked.by, "document.packed", "buyer", asked.buyer_id, case=asked.case_id, seal=seal, documents=len(file.documents))
    return {"documents": len(file.documents), "seal": seal, **({"unstamped": faulty} if faulty else {})}
