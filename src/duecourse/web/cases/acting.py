"""What people do in a case: take it, write down calls, promises, plans, disputes and proceedings, let it rest, end tasks, close it.

Each is one transaction in which the case is locked, what happened and the trail are written, and what others may rest on is put out to the
ledger. A form bears a mark: sent twice it is done once. Whoever comes second finds it done.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.utils import timezone

from duecourse.decisions.playbook import playbook_of
from duecourse.desk.open_case import alone, arrears
from duecourse.ledger.entries import CASE_EVENT_KINDS
from duecourse.web.accounts.access import may
from duecourse.web.accounts.audit import record
from duecourse.web.accounts.models import Person
from duecourse.web.cases import keeping
from duecourse.web.cases.models import CLOSED, LIVE, OPEN, PAUSED, RESULTS, Case, CaseEvent, Plan, Promise, Task
from duecourse.web.notices.models import preference_of
from duecourse.web.notices.telling import Audience, person_recipient, seen_by, tell
from duecourse.web.outbox.sending import put_out
from duecourse.web.refusals import NotNowError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest

    from duecourse.ledger.book import Book

    Who = HttpRequest | Person

NOTE: Final = 1000
LONGEST_PAUSE: Final = timedelta(days=365)
LONGEST_PROMISE: Final = timedelta(days=730)
LONGEST_BEFORE: Final = timedelta(days=3660)
LONGEST_AFTER: Final = timedelta(days=3660)
MOST_ROWS: Final = 60

BY_HAND: Final = (
    "acknowledgement", "demand", "lawyer_letter", "notice_to_guarantor", "part_payment", "bill_received", "bill_presented", "bill_dishonoured", "suit",
    "arbitration", "payment_order", "preservation", "mediation_request", "judgment", "enforcement", "bankruptcy_claim", "insolvency_notice",
    "assignment_notice", "placement", "report", "recovery",
)  # fmt: skip
"""What a person may write down as it happened; the rest happens by forms of its own."""

ENDS_TASKS: Final = frozenset({"call", "promise", *BY_HAND})


def person_of(who: Who) -> Person:
    """Who does it: who is signed in, or who is named on the command line."""
    if isinstance(who, Person):
        return who
    person = who.user
    assert isinstance(person, Person)
    return person


def open_by_hand(who: Who, book: Book, buyer_id: str, note: str, mark: str) -> Case:
    """Open a case for a buyer who has something overdue; the open one where there is one. Raises NotNowError."""
    owed = list(arrears(alone(book, buyer_id), [buyer_id]))
    if not owed:
        raise NotNowError("web.cases_nothing_overdue")
    day = keeping.Day(alone(book, buyer_id))
    with transaction.atomic():
        held = Case.objects.filter(buyer_id=buyer_id, state__in=LIVE).first()
        if held is not None:
            return held
        opened = keeping.open_cases(day, owed, f"hand {mark}"[:80], person=person_of(who), note=note.strip()[:NOTE])
        if not opened:
            raise NotNowError("web.cases_ended_today")
        opened[0].owner_id = person_of(who).pk
        opened[0].save(update_fields=["owner"])
        record(who, "case.open", "buyer", buyer_id, case=opened[0].case_id)
    keeping.look_at(book, buyer_id)
    return opened[0]


def _done(pk: int, key: str) -> Case | None:
    found: Case | None = Case.objects.filter(pk=pk, events__key=key).first() if not key.endswith(" ") else None
    return found


def _locked(pk: int, *, closed: bool = False) -> Case:
    case: Case | None = Case.objects.select_for_update().filter(pk=pk).first()
    if case is None:
        raise NotNowError("web.cases_gone")
    if case.state == CLOSED and not closed:
        raise NotNowError("web.cases_is_closed")
    return case


def _happened(case: Case, kind: str, key: str, on: date, person: Any, note: str = "", **detail: Any) -> None:
    CaseEvent.objects.create(case=case, kind=kind, key=key[:80], on=on, person=person, note=note.strip()[:NOTE], detail=detail)


def _fact(case: Case, kind: str, mark: str, on: date, person: Any, **more: Any) -> None:
    """Put out what others may rest on."""
    assert kind in CASE_EVENT_KINDS
    put_out(
        "case_event",
        {
            "event_id": f"{case.case_id}-{kind}-{mark}"[:120], "case_id": case.case_id, "buyer_id": case.buyer_id, "kind": kind, "happened_on": on,
            "made_by": person.username, **{name: value for name, value in more.items() if value not in ("", None)},
        },
    )  # fmt: skip


def _end_tasks(book: Book, case: Case, kind: str, on: date, person: Any) -> None:
    """End the open tasks of the playbook that such an event ends."""
    steps = playbook_of(book.settings, case.country).steps
    codes = [one.code for one in steps if kind in one.done_by]
    case.tasks.filter(state="open", code__in=codes).update(state="done", done_on=on, done_by=person)
    keeping.renew(case)
    case.escalated_on = None


def candidates(book: Book, case: Case) -> list[Person]:
    """Whom the case can be given to: who may work cases and sees the buyer."""
    able = [one for one in Person.objects.filter(is_active=True).order_by("first_name", "username") if may(one, "note")]
    scopes = {str(one.scope): one.scope for one in able if one.scope.restricts}
    sees = {name: case.buyer_id in seen_by(book, scope, [case.buyer_id]) for name, scope in scopes.items()}
    return [one for one in able if sees.get(str(one.scope), True)]


def assign(who: Who, book: Book, pk: int, person: Any, mark: str) -> Case:
    """Give the case to somebody who sees the buyer, or to nobody; who gets it is told. Raises NotNowError."""
    shown = Case.objects.filter(pk=pk).first()
    if shown is None:
        raise NotNowError("web.cases_gone")
    if person is not None and person.pk not in {one.pk for one in candidates(book, shown)}:
        raise NotNowError("web.watch_cannot_have")
    with transaction.atomic():
        if (before := _done(pk, f"assigned {mark}")) is not None:
            return before
        case = _locked(pk)
        case.owner = person
        _happened(case, "assigned", f"assigned {mark}", book.on, person_of(who), to=person.name if person else "")
        record(who, "case.assign", "buyer", case.buyer_id, case=case.case_id, to=person.username if person else "")
        case.save(update_fields=["owner"])
        if person is not None and person.pk != person_of(who).pk:
            audience = Audience([person_recipient(person, preference_of(person))], {str(person.scope): [case.buyer_id]})
            tell(
                audience, [keeping.news_of(case, "case_assigned", f"assigned {mark}", "web.cases_told_assigned", to=frozenset({person.pk}))]
            )
    return case


def note(who: Who, book: Book, pk: int, text: str, mark: str) -> Case:
    """Write something down. Raises NotNowError."""
    if not text.strip():
        raise NotNowError("web.cases_note_missing")
    with transaction.atomic():
        if (before := _done(pk, f"noted {mark}")) is not None:
            return before
        case = _locked(pk, closed=True)
        _happened(case, "noted", f"noted {mark}", book.on, person_of(who), text)
        record(who, "case.note", "buyer", case.buyer_id, case=case.case_id)
    return case


def call(who: Who, book: Book, pk: int, on: date, party: str, answered: bool, text: str, mark: str) -> Case:
    """Write down a call: with whom, and what came of it. An unanswered one is told to the warnings, too. Raises NotNowError."""
    _not_later(book, on)
    with transaction.atomic():
        if (before := _done(pk, f"call {mark}")) is not None:
            return before
        case = _locked(pk)
        _happened(case, "call", f"call {mark}", on, person_of(who), text, who=party, answered=answered)
        _fact(case, "call", mark, on, person_of(who), party=party, text=text)
        if not answered:
            put_out(
                "signal",
                {
                    "signal_id": f"call-{case.case_id}-{mark}"[:120], "buyer_id": case.buyer_id, "kind": "no_answer", "severity": "info", "published_on": on,
                    "provider": "duecourse", "reference": case.case_id,
                },
            )  # fmt: skip
        _end_tasks(book, case, "call", on, person_of(who))
        record(who, "case.call", "buyer", case.buyer_id, case=case.case_id, answered=answered)
        case.save()
    return case


def promise(
    who: Who, book: Book, pk: int, amount_minor: int, currency: str, promised_on: date, by: str, mark: str
) -> Case:  # fmt: skip
    """Write down a promise to pay: how much, by when, by whom. Raises NotNowError."""
    if amount_minor <= 0:
        raise NotNowError("web.cases_amount_missing")
    if not book.on <= promised_on <= book.on + LONGEST_PROMISE:
        raise NotNowError("web.cases_promise_day", first=book.on, last=book.on + LONGEST_PROMISE)
    with transaction.atomic():
        if (before := _done(pk, f"promise {mark}")) is not None:
            return before
        case = _locked(pk)
        made = Promise.objects.create(
            case=case,
            mark=mark[:40],
            amount_minor=amount_minor,
            currency=currency,
            made_on=book.on,
            promised_on=promised_on,
            by=by.strip()[:200],
        )
        _happened(
            case, "promise", f"promise {mark}", book.on, person_of(who), amount_minor=amount_minor, currency=currency, promised_on=promised_on.isoformat(), who=by
        )  # fmt: skip
        _fact(
            case, "promise", mark, book.on, person_of(who), amount_minor=amount_minor, currency=currency, promised_on=promised_on, party=by, text=f"promise {made.pk}"
        )  # fmt: skip
        _end_tasks(book, case, "promise", book.on, person_of(who))
        record(who, "case.promise", "buyer", case.buyer_id, case=case.case_id, promised_on=promised_on.isoformat())
        case.save()
    return case


def agree_plan(
    who: Who, book: Book, pk: int, currency: str, rows: Sequence[tuple[date, int]], default_days: int, security: str, mark: str
) -> Case:  # fmt: skip
    """Agree on a plan: what is to be paid by which days; it takes the place of one that runs. Raises NotNowError."""
    days = [day for day, _amount in rows]
    if not rows or len(rows) > MOST_ROWS or days != sorted(set(days)) or days[0] < book.on or any(amount <= 0 for _day, amount in rows):
        raise NotNowError("web.cases_plan_rows")
    with transaction.atomic():
        if (before := _done(pk, f"plan {mark}")) is not None:
            return before
        case = _locked(pk)
        case.plans.filter(state="running").update(state="ended", judged_on=book.on)
        Plan.objects.create(
            case=case, mark=mark[:40], currency=currency, rows=[{"on": day.isoformat(), "amount_minor": amount} for day, amount in rows], agreed_on=book.on,
            default_days=max(0, min(default_days, 60)), security=security.strip()[:500],
        )  # fmt: skip
        total = sum(amount for _day, amount in rows)
        _happened(
            case,
            "plan",
            f"plan {mark}",
            book.on,
            person_of(who),
            amount_minor=total,
            currency=currency,
            rows=len(rows),
            last=days[-1].isoformat(),
        )
        _fact(case, "plan", mark, book.on, person_of(who), amount_minor=total, currency=currency, promised_on=days[-1], text=security)
        record(who, "case.plan", "buyer", case.buyer_id, case=case.case_id, rows=len(rows))
        case.save()
    return case


def dispute(
    who: Who, book: Book, pk: int, invoice_id: str, instalment: int, amount_minor: int | None, reason: str, mark: str
) -> Case:  # fmt: skip
    """Write down that the debtor disputes an invoice or a part of it; what is not disputed is still owed. Raises NotNowError."""
    if not reason.strip():
        raise NotNowError("web.cases_reason_missing")
    with transaction.atomic():
        if (before := _done(pk, f"dispute {mark}")) is not None:
            return before
        case = _locked(pk)
        row = case.invoices.filter(invoice_id=invoice_id, instalment=instalment, left_on=None).first()
        if row is None:
            raise NotNowError("web.cases_invoice_missing")
        if amount_minor is not None and not 0 < amount_minor <= row.open_minor:
            raise NotNowError("web.cases_dispute_amount")
        detail = {"invoice": invoice_id, "amount_minor": amount_minor or row.open_minor, "currency": row.currency}
        _happened(case, "dispute", f"dispute {mark}", book.on, person_of(who), reason, **detail)
        put_out(
            "dispute",
            {
                "dispute_id": f"{case.case_id}-{mark}"[:120], "buyer_id": case.buyer_id, "invoice_id": invoice_id, "instalment": instalment, "raised_on": book.on,
                "amount_minor": amount_minor, "currency": row.currency, "reason": reason.strip()[:300],
            },
        )  # fmt: skip
        _fact(
            case, "dispute", mark, book.on, person_of(who), invoice_id=invoice_id, instalment=instalment, amount_minor=detail["amount_minor"], currency=row.currency,
            text=reason.strip()[:NOTE],
        )  # fmt: skip
        record(who, "case.dispute", "buyer", case.buyer_id, case=case.case_id, invoice=invoice_id)
        case.save()
    return case


def happened(
    who: Who,
    book: Book,
    pk: int,
    kind: str,
    on: date,
    mark: str,
    *,
    received_on: date | None = None,
    due_on: date | None = None,
    party: str = "",
    reference: str = "",
    amount_minor: int | None = None,
    currency: str = "",
    proof: str = "",
    text: str = "",
) -> Case:
    """Write down what happened elsewhere: a suit, an acknowledgement, a filing; with its proof, where there is one. Raises NotNowError.

    due_on: the day it names, on which a clock may rest: a bill's maturity, the last day for claims, until when a judgment is to be obeyed.
    """
    if kind not in BY_HAND:
        raise NotNowError("web.cases_kind_missing")
    _not_later(book, on)
    if received_on is not None and not on <= received_on <= book.on:
        raise NotNowError("web.cases_received_day")
    if kind == "bill_received" and due_on is None:
        raise NotNowError("web.cases_maturity_missing")
    if due_on is not None and not on - LONGEST_BEFORE <= due_on <= on + LONGEST_AFTER:
        raise NotNowError("web.cases_named_day")
    with transaction.atomic():
        if (before := _done(pk, f"{kind} {mark}")) is not None:
            return before
        case = _locked(pk)
        detail: dict[str, Any] = {
            "received_on": received_on.isoformat() if received_on else "",
            "names": due_on.isoformat() if due_on else "",
            "who": party,
            "reference": reference,
            "proof": proof,
        }
        if amount_minor:
            detail |= {"amount_minor": amount_minor, "currency": currency}
        _happened(case, kind, f"{kind} {mark}", on, person_of(who), text, **{name: value for name, value in detail.items() if value})
        _fact(
            case, kind, mark, on, person_of(who), received_on=received_on, promised_on=due_on, party=party, reference=reference, proof=proof,
            text=text.strip()[:NOTE], amount_minor=amount_minor, currency=currency if amount_minor else "",
        )  # fmt: skip
        _end_tasks(book, case, kind, on, person_of(who))
        record(who, "case.event", "buyer", case.buyer_id, case=case.case_id, what=kind)
        case.save()
    return case


def pause(who: Who, book: Book, pk: int, until: date, reason: str, mark: str) -> Case:
    """Let it rest until a day, with a reason. Clocks of the law go on. Raises NotNowError."""
    if not book.on < until <= book.on + LONGEST_PAUSE:
        raise NotNowError("web.cases_pause_until", first=book.on + timedelta(days=1), last=book.on + LONGEST_PAUSE)
    if not reason.strip():
        raise NotNowError("web.cases_reason_missing")
    with transaction.atomic():
        if (before := _done(pk, f"paused {mark}")) is not None:
            return before
        case = _locked(pk)
        case.state, case.paused_until, case.pause_reason = PAUSED, until, reason.strip()[:300]
        _happened(case, "paused", f"paused {mark}", book.on, person_of(who), reason, until=until.isoformat())
        _fact(case, "paused", mark, book.on, person_of(who), promised_on=until, text=reason.strip()[:NOTE])
        record(who, "case.pause", "buyer", case.buyer_id, case=case.case_id, until=until.isoformat())
        case.save()
    return case


def resume(who: Who, book: Book, pk: int, mark: str) -> Case:
    """Go on with a case that rests. Raises NotNowError."""
    with transaction.atomic():
        case = _locked(pk)
        if case.state == PAUSED:
            case.state, case.paused_until, case.pause_reason = OPEN, None, ""
            _happened(case, "resumed", f"resumed {mark}", book.on, person_of(who))
            _fact(case, "resumed", mark, book.on, person_of(who))
            record(who, "case.resume", "buyer", case.buyer_id, case=case.case_id)
            case.save()
    return case


def end_task(who: Who, book: Book, task_pk: int, state: str, text: str, proof: str = "") -> Case:
    """Say that a task is done, or left out with a reason; one that wants a proof wants a word about it. Ended twice it is ended once. Raises NotNowError."""
    if state not in ("done", "skipped"):
        raise NotNowError("web.cases_kind_missing")
    if state == "skipped" and not text.strip():
        raise NotNowError("web.cases_reason_missing")
    with transaction.atomic():
        shown = Task.objects.filter(pk=task_pk).first()
        if shown is None:
            raise NotNowError("web.cases_gone")
        case = _locked(shown.case_id)
        task = Task.objects.select_for_update().get(pk=task_pk)
        if task.state != "open":
            return case
        task.state, task.done_on, task.done_by, task.note, task.proof = (
            state,
            book.on,
            person_of(who),
            text.strip()[:NOTE],
            proof.strip()[:64],
        )
        task.save()
        # What was called for before is done with it.
        case.tasks.filter(code=task.code, number__lt=task.number, state="open").update(state=state, done_on=book.on, done_by=person_of(who))
        _happened(
            case,
            f"task_{state}",
            f"task {task.pk} {state}",
            book.on,
            person_of(who),
            text,
            task=task.code,
            said=task.said,
            about=task.about,
        )
        keeping.renew(case)
        case.escalated_on = None
        record(who, f"case.task_{state}", "buyer", case.buyer_id, case=case.case_id, task=task.code)
        case.save()
    return case


def add_task(who: Who, book: Book, pk: int, said: str, due_on: date, mark: str) -> Case:
    """Write down a task of one's own. Raises NotNowError."""
    if not said.strip():
        raise NotNowError("web.cases_task_missing")
    if due_on < book.on:
        raise NotNowError("web.cases_task_day")
    with transaction.atomic():
        if (before := _done(pk, f"task {mark}")) is not None:
            return before
        case = _locked(pk)
        Task.objects.create(
            case=case, code=f"own {mark}"[:40], said=said.strip()[:300], phase=case.phase, due_on=due_on, owner=person_of(who)
        )
        _happened(case, "task_added", f"task {mark}", book.on, person_of(who), said=said.strip()[:300], due_on=due_on.isoformat())
        keeping.renew(case)
        record(who, "case.task", "buyer", case.buyer_id, case=case.case_id)
        case.save()
    return case


def close(who: Who, book: Book, pk: int, result: str, recovered_minor: int | None, text: str, mark: str) -> Case:
    """Close it with its result and what was recovered. Writing a debt off is for those who decide. Raises NotNowError."""
    if result not in RESULTS:
        raise NotNowError("web.cases_result_missing")
    if result in ("written_off", "uncollectable", "mistaken") and not text.strip():
        raise NotNowError("web.cases_reason_missing")
    if result in ("written_off", "sold") and not may(person_of(who), "decide"):
        raise NotNowError("web.cases_decides")
    with transaction.atomic():
        if (before := _done(pk, f"closed {mark}")) is not None:
            return before
        case = _locked(pk)
        case.state, case.result, case.closed_on, case.closed_at = CLOSED, result, max(book.on, case.opened_on), timezone.now()
        case.recovered_minor = recovered(case) if recovered_minor is None else recovered_minor
        case.paused_until, case.next_on, case.waiting_minor = None, None, 0
        case.tasks.filter(state="open").update(state="dropped")
        case.plans.filter(state="running").update(state="ended", judged_on=book.on)
        case.promises.filter(state="open").update(state="withdrawn", judged_on=book.on)
        _happened(
            case, "closed", f"closed {mark}", book.on, person_of(who), text, result=result, amount_minor=case.recovered_minor, currency=case.currency
        )  # fmt: skip
        _fact(
            case, "closed", mark, book.on, person_of(who), amount_minor=case.recovered_minor, currency=case.currency, reference=result, text=text.strip()[:NOTE]
        )  # fmt: skip
        record(who, "case.close", "buyer", case.buyer_id, case=case.case_id, result=result)
        case.save()
    return case


def recovered(case: Case) -> int:
    """What has come in of the debt the case was opened for, in base currency, as its figures have it."""
    return max(0, int(case.opened_minor) - int(case.overdue_minor))


def _not_later(book: Book, on: date) -> None:
    if on > book.on:
        raise NotNowError("web.cases_day_to_come", last=book.on)
