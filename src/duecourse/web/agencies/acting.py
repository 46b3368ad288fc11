"""What people do with agencies: keep the directory, hand a debt over, take down what is reported, end a placement.

Each is one transaction in which what happened, the trail and the ledger's event are written together. A form bears a mark and a line of a
file a key made of what it says: sent or read twice it is done once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.utils import timezone

from duecourse.desk.agencies import key_of, placeable
from duecourse.money import format_money
from duecourse.web.accounts.audit import record
from duecourse.web.agencies.models import REPORTS, Agency, AgencyReport, Placement
from duecourse.web.cases import acting as cases
from duecourse.web.cases.acting import person_of
from duecourse.web.cases.models import live_case_of
from duecourse.web.outbox.sending import put_out
from duecourse.web.refusals import NotNowError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date

    from django.http import HttpRequest

    from duecourse.ledger.book import Book

KEY: Final = 40
NOTE: Final = 1000


def keep(who: HttpRequest, agency: Agency | None, said: Mapping[str, Any]) -> Agency:
    """Write down an agency, or what has changed about it. Raises NotNowError where another has the name."""
    with transaction.atomic():
        held = Agency() if agency is None else Agency.objects.select_for_update().get(pk=agency.pk)
        name = str(said["name"]).strip()
        taken = {key_of(one): other.pk for other in Agency.objects.all() for one in (other.name, *other.former)}
        if taken.get(key_of(name), held.pk) != held.pk:
            raise NotNowError("web.agencies_name_taken", name=name)
        if held.pk and held.name != name and held.name not in held.former:
            held.former = [*held.former, held.name]
        for field, value in said.items():
            setattr(held, field, value)
        held.name = name
        held.changed_at = timezone.now()
        if not held.pk:
            held.made_by = person_of(who)
        held.save()
        record(who, "agency.keep", "agency", held.pk, name=held.name)
    return held


def place(
    who: HttpRequest, book: Book, agency: Agency, buyer_id: str, items: Collection[tuple[str, int]], fee: str, authority: str, mark: str
) -> Placement:  # fmt: skip
    """Hand some invoices of a buyer over. The buyer may be seen. Raises NotNowError."""
    with transaction.atomic():
        before = Placement.objects.filter(mark=mark[:KEY]).first()
        if before is not None:
            return before
        # One placement at a time, whoever it is with: two could otherwise hand the same debt to two agencies.
        list(Agency.objects.select_for_update().order_by("pk"))
        if not agency.active:
            raise NotNowError("web.agencies_inactive", name=agency.name)
        rows = [row for row in placeable(book, buyer_id) if (row["invoice_id"], row["instalment"]) in set(items)]
        if not rows or len(rows) < len(set(items)):
            raise NotNowError("web.agencies_choose")
        if len({row["currency"] for row in rows}) > 1:
            raise NotNowError("web.agencies_one_currency")
        out = _out(buyer_id)
        again = sorted({row["invoice_id"] for row in rows if (row["invoice_id"], row["instalment"]) in out})
        if again:
            raise NotNowError("web.agencies_already_out", invoice=again[0], number=out[again[0], _instalment(rows, again[0], out)])
        case = live_case_of(buyer_id)
        claims = [
            {"invoice_id": row["invoice_id"], "instalment": row["instalment"], "due_date": row["due_date"].isoformat(), "open_minor": row["open_minor"]} for row in rows
        ]  # fmt: skip
        made = Placement.objects.create(
            mark=mark[:KEY], agency=agency, buyer_id=buyer_id, case_id=case.case_id if case else "", placed_on=book.on, currency=rows[0]["currency"],
            principal_minor=sum(row["open_minor"] for row in rows), claims=claims, fee=fee.strip()[:500], authority=authority.strip()[:NOTE], made_by=person_of(who),
        )  # fmt: skip
        _tell(
            who,
            book,
            made,
            "placement",
            "placed",
            book.on,
            made.principal_minor,
            made.currency,
            ", ".join(row["invoice_id"] for row in rows)[:NOTE],
        )
        record(
            who,
            "agency.place",
            "buyer",
            buyer_id,
            agency=agency.name,
            placement=made.number,
            amount=format_money(made.principal_minor, made.currency),
        )
    return made


def _out(buyer_id: str) -> dict[tuple[str, int], str]:
    """What of a buyer is with an agency: item -> number of the placement. One debt is never with two."""
    return {item: one.number for one in Placement.objects.filter(buyer_id=buyer_id, closed_on=None) for item in one.items}


def _instalment(rows: Collection[Mapping[str, Any]], invoice_id: str, out: Mapping[tuple[str, int], str]) -> int:
    return next(int(row["instalment"]) for row in rows if row["invoice_id"] == invoice_id and (invoice_id, row["instalment"]) in out)


def take_down(
    who: HttpRequest, book: Book, placement: Placement, kind: str, on: date, key: str, *, amount_minor: int | None = None, fee_minor: int | None = None,
    reference: str = "", text: str = "",
) -> tuple[AgencyReport, bool]:  # fmt: skip
    """Write down what an agency reports; the row, and whether it is new. Amounts in the placement's currency. Raises NotNowError."""
    if kind not in REPORTS:
        raise NotNowError("web.agencies_kind")
    if not placement.placed_on <= on <= book.on:
        raise NotNowError("web.agencies_day", first=placement.placed_on, last=book.on)
    if kind == "recovery" and (amount_minor is None or amount_minor <= 0):
        raise NotNowError("web.agencies_amount")
    if fee_minor is not None and (fee_minor < 0 or fee_minor > (amount_minor or 0)):
        raise NotNowError("web.agencies_fee_wrong")
    with transaction.atomic():
        held = Placement.objects.select_for_update().get(pk=placement.pk)
        before = held.reports.filter(key=key[:KEY]).first()
        if before is not None:
            return before, False
        made = AgencyReport.objects.create(
            placement=held, key=key[:KEY], kind=kind, on=on, amount_minor=amount_minor, currency=held.currency if amount_minor is not None else "",
            fee_minor=fee_minor, reference=reference.strip()[:120], text=text.strip()[:NOTE], made_by=person_of(who),
        )  # fmt: skip
        said = " · ".join(filter(None, (reference.strip(), text.strip())))
        _tell(who, book, held, kind, key[:KEY], on, amount_minor, held.currency if amount_minor is not None else "", said)
        record(who, "agency.report", "buyer", held.buyer_id, agency=held.agency.name, placement=held.number, what=kind)
    return made, True


def end(who: HttpRequest, book: Book, placement: Placement, reason: str) -> Placement:
    """Take it back: nothing more is expected of the agency. Raises NotNowError."""
    if not reason.strip():
        raise NotNowError("web.agencies_reason")
    with transaction.atomic():
        held: Placement = Placement.objects.select_for_update().get(pk=placement.pk)
        if held.closed_on is None:
            held.closed_on, held.close_reason = book.on, reason.strip()[:500]
            held.save(update_fields=["closed_on", "close_reason"])
            _tell(who, book, held, "report", "ended", book.on, None, "", held.close_reason)
            record(who, "agency.end", "buyer", held.buyer_id, agency=held.agency.name, placement=held.number)
    return held


def _tell(
    who: HttpRequest, book: Book, placement: Placement, kind: str, key: str, on: date, amount_minor: int | None, currency: str, text: str
) -> None:  # fmt: skip
    """One event for the ledger: through the buyer's open case where there is one, so that it stands in its history and ends its tasks."""
    mark, case = f"{placement.number}-{key}", live_case_of(placement.buyer_id)
    if case is not None:
        cases.happened(
            who, book, case.pk, kind, on, mark, party=placement.agency.name, reference=placement.number, amount_minor=amount_minor, currency=currency, text=text
        )  # fmt: skip
        return
    row = {
        "event_id": f"{mark}-{kind}", "case_id": placement.case_id or None, "buyer_id": placement.buyer_id, "party": placement.agency.name, "kind": kind,
        "happened_on": on, "amount_minor": amount_minor, "currency": currency or None, "reference": placement.number, "text": text[:NOTE] or None,
        "made_by": person_of(who).username,
    }  # fmt: skip
    put_out("case_event", row)
