"""`duecourse evidence-file`, `verify-evidence`, `verify-documents`: evidence packed, a package verified, every kept file verified."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from duecourse.messages import say
from duecourse.tables import Column, Report, Section

if TYPE_CHECKING:
    from duecourse.cli.session import Session
    from duecourse.desk.evidence_file import Wanted
    from duecourse.ledger.book import Book


def add_commands(group: click.Group) -> None:
    """Add the commands of this room."""

    @group.command("evidence-file", help=say("cli.documents_file_help"))
    @click.argument("case", required=False)
    @click.option("--buyer", default="", metavar="NUMBER", help=say("cli.documents_buyer"))
    @click.option("--out", "out", required=True, type=click.Path(path_type=Path, file_okay=False), help=say("cli.documents_out"))
    @click.option("--language", default="zh", type=click.Choice(["zh", "en", "zh-en"]), help=say("cli.documents_language"))
    @click.pass_obj
    def evidence_file(session: Session, case: str | None, buyer: str, out: Path, language: str) -> None:
        session.show(_packed(session, case or "", buyer, out, language))

    @group.command("verify-evidence", help=say("cli.documents_verify_help"))
    @click.argument("package", type=click.Path(path_type=Path, exists=True))
    @click.option("--roots", type=click.Path(path_type=Path, exists=True, dir_okay=False), default=None, help=say("cli.documents_roots"))
    @click.pass_obj
    def verify_evidence(session: Session, package: Path, roots: Path | None) -> int:
        return _verified(session, package, roots)

    @group.command("verify-documents", help=say("cli.documents_all_help"))
    @click.pass_obj
    def verify_documents(session: Session) -> int:
        return _all(session)


def _packed(session: Session, case: str, buyer: str, out: Path, language: str) -> Report:
    from datetime import UTC, datetime, time

    from duecourse.cli.serving import _app
    from duecourse.messages import language as spoken

    _app(session)
    from duecourse.web.migrating import migrate

    migrate()
    from duecourse.desk.evidence_file import LANGUAGES, completeness_of, report, write_package
    from duecourse.web.documents import custody
    from duecourse.web.documents.reading import file_of

    book = session.book
    wanted = _wanted(book, case, buyer)
    file = file_of(book, wanted, filed_since=session.on is None and session.known_at is None)
    out.mkdir(parents=True, exist_ok=True)
    place = out / f"{file.name}.zip"
    seal = write_package(file, custody.files().of, place, languages=LANGUAGES[language])
    found = completeness_of(book, wanted, file.documents)
    beside = place.with_name(f"{file.name}-report.pdf")
    beside.write_bytes(report(file, found, language=spoken(), made_at=datetime.combine(book.on, time.min, UTC), seal=seal))
    custody.add(None, "packed", [(one.document_id, file.buyer_id) for one in file.documents], seal=seal, case=file.case_id)
    rows = [
        {"route": say(f"documents.route_{one.route}"), "score": one.score, "gravest": say("documents.complete") if not one.gaps else say(f"documents.need_{one.gaps[0].need}")}
        for one in found
        if one.applies
    ]  # fmt: skip
    heads = [
        Column("route", heading=say("documents.report_route")), Column("score", "fraction", heading=say("documents.report_score")),
        Column("gravest", heading=say("documents.report_gravest")),
    ]  # fmt: skip
    title = say("cli.documents_packed", count=len(file.documents), place=place)
    data = {"package": str(place), "report": str(beside), "manifest_sha256": seal, "documents": len(file.documents), "rows": rows}
    return Report(
        title,
        [Section("routes", title, heads, rows)],
        data,
        [say("cli.documents_seal", seal=seal), say("cli.documents_report", place=beside), say("legal.not_advice")],
    )


def _wanted(book: Book, case: str, buyer: str) -> Wanted:
    from duecourse.desk.buyers import find
    from duecourse.desk.evidence_file import Wanted
    from duecourse.errors import FactUnknownError, OptionMisusedError
    from duecourse.web.cases.models import Case
    from duecourse.web.documents.reading import Seen

    if bool(case) == bool(buyer):
        raise OptionMisusedError(option="CASE", value=case, hint=say("cli.documents_one_of"))
    if buyer:
        return Wanted(find(book, buyer))
    number = case.upper().removeprefix("C")
    found = Case.objects.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 12 else None
    if found is None:
        raise FactUnknownError(kind="cases", key=case)
    return Seen(found.buyer_id, "", found).wanted


def _verified(session: Session, package: Path, roots: Path | None) -> int:
    from duecourse.actions.evidence_file.checking import check

    trusted: tuple[Any, ...] = ()
    if roots is not None:
        from cryptography import x509

        trusted = tuple(x509.load_pem_x509_certificates(roots.read_bytes()))
    found = check(package, roots=trusted)
    title = say("cli.documents_whole" if found.whole else "cli.documents_altered", package=package, count=len(found.faults))
    notes = [
        say(
            "cli.documents_counts",
            files=found.files,
            documents=found.documents,
            rows=found.rows,
            stamped=found.stamped,
            trusted=found.trusted,
        )
    ]
    notes.append(say("cli.documents_seal", seal=found.seal))
    rows = [{"fault": one.words()} for one in found.faults]
    data = {
        "whole": found.whole, "files": found.files, "documents": found.documents, "custody_rows": found.rows, "timestamps": found.stamped, "trusted": found.trusted,
        "manifest_sha256": found.seal, "faults": [{"code": one.code, "name": one.name} for one in found.faults],
    }  # fmt: skip
    session.show(
        Report(title, [Section("faults", title, [Column("fault", heading=say("cli.documents_fault"))], rows)] if rows else [], data, notes)
    )
    return 0 if found.whole else 1


def _all(session: Session) -> int:
    from duecourse.cli.serving import _app

    _app(session)
    from duecourse.web.migrating import migrate

    migrate()
    from duecourse.web.documents import custody

    found = custody.look()
    custody.note_verified(None, found)
    faults = [
        {"fault": say("cli.documents_file_bad", file=one.file_name, document=one.document_id, why=say(f"web.custody_why_{one.why}"))}
        for one in found.bad
    ]
    if not found.log.whole:
        faults.append({"fault": say("web.custody_bad_row", number=found.log.first_bad, why=say(f"web.custody_why_{found.log.why}"))})
    title = (
        say("web.custody_whole", files=found.files, rows=found.log.rows) if found.whole else say("cli.documents_all_bad", count=len(faults))
    )
    data = {
        "whole": found.whole, "files": found.files, "custody_rows": found.log.rows, "hash": found.log.hash, "first_bad_row": found.log.first_bad,
        "bad_files": [vars(one) for one in found.bad],
    }  # fmt: skip
    session.show(
        Report(title, [Section("faults", title, [Column("fault", heading=say("cli.documents_fault"))], faults)] if faults else [], data, [say("web.custody_end", number=found.log.rows, hash=found.log.hash)])
    )  # fmt: skip
    return 0 if found.whole else 1
