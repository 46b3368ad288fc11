"""Cases follow the ledger: opened by the rule, their invoices and tasks kept, promises and plans judged, late tasks escalated.

Everything here says once what it found, however often and on whichever day it is asked: what opens a case, an invoice that joins, a step, a
promise that was broken each have a key of their own. A day that was left out changes nothing about the next.
"""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

from django.db import connection, transaction

from duecourse.decisions.playbook import Planned, Playbook, Situation, plan, playbook_of
from duecourse.desk.case_clocks import Period, marks, periods
from duecourse.desk.open_case import (
    Arrears,
    Circumstances,
    Limitation,
    alone,
    arrears,
    circumstances,
    received_by,
    situation,
    spoken_of,
    terms_of,
    working_days,
)
from duecourse.ledger.memory import MemoryLedger
from duecourse.money import exponent
from duecourse.web.cases.models import CLOCK, LIVE, OPEN, PAUSED, Case, CaseEvent, CaseInvoice, Plan, Promise, Task
from duecourse.web.notices.telling import News, audience_of, tell
from duecourse.web.outbox.sending import put_out_many

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from duecourse.calendar import WorkingDays
    from duecourse.ledger.book import Book
    from duecourse.ledger.journal import JournalRow

T = TypeVar("T")

CHUNK: Final = 1000
"""So many buyers are looked at in one transaction."""

TOLD: Final = 50
"""Of so many late cases people are told in one day; all of them stand under their tab."""
RULE: Final = "rule"
FIGURES: Final = """UPDATE cases_case SET seen_on = %s, opened_minor = CASE WHEN currency = %s THEN opened_minor ELSE %s END, currency = %s,
    overdue_minor = %s, oldest_due_on = %s, waiting_minor = %s WHERE id = %s"""
"""A base currency that was set or changed since holds for the open cases, too; what came in before is not reckoned anew."""
PLANNED: Final = """UPDATE cases_case SET planned = %s, playbook = %s, phase = %s, next_on = %s WHERE id = %s"""
"""Written one statement for many rows: a hundred thousand cases a night."""
SETTLED_TASK: Final = "paid"
"""Of a debtor who has paid what was due: claim or waive the interest, then close."""


class Day:
    """What a day's look needs, worked out once."""

    def __init__(self, book: Book) -> None:
        self.book, self.on = book, book.on
        self.known: Circumstances = circumstances(book)
        self.days: WorkingDays = working_days(book)
        self.terms, self.limitation = terms_of(book), Limitation(book)
        self._playbooks: dict[str, Playbook] = {}
        self._marks = marks(book)
        self._periods: dict[str, list[Period]] = {}
        self.least = int(self.playbook("").opening.least_amount * 10 ** exponent(book.base_currency))

    def playbook(self, country: str) -> Playbook:
        """The playbook for debtors of a country."""
        if country not in self._playbooks:
            self._playbooks[country] = playbook_of(self.book.settings, country)
        return self._playbooks[country]

    def has_periods(self, buyer_id: str) -> bool:
        """May rights against this buyer end on days of their own?"""
        return buyer_id in self._marks

    def periods(self, buyer_id: str) -> list[Period]:
        """Those rights. It takes a moment for each buyer."""
        if buyer_id not in self._periods:
            own = self.book if isinstance(self.book.ledger, MemoryLedger) else alone(self.book, buyer_id)
            self._periods[buyer_id] = periods(own, buyer_id)
        return self._periods[buyer_id]

    def planned(self, case: Case, owed: Arrears) -> tuple[Situation, str]:
        """What the plan of a case rests on, and a mark that changes with it."""
        book, done = self.playbook(case.country), self.known.done.get(case.case_id, {})
        now = situation(owed, case.opened_on, self.known, limitation=self.limitation.ends(owed, case.country), terms=self.terms)
        of_periods = f"{self._marks[case.buyer_id]} {owed.debts!r}" if self.has_periods(case.buyer_id) else ""
        return now, _mark(book, now, done, of_periods)

    def opens(self, owed: Arrears) -> bool:
        """Is this enough, and late enough, to open a case by itself? What has no rate to the base currency cannot be called too little."""
        rule = self.playbook(owed.country).opening
        enough = owed.overdue_base >= self.least or any(one.open_base is None for one in owed.debts)
        return (self.on - owed.oldest).days >= rule.days_late and enough


def run(book: Book, tell: Callable[[float], None] = lambda _share: None) -> dict[str, int]:
    """Bring every case to the close of a day; how many were opened, came to their end, and so on.  案件每日运行"""
    day = Day(book)
    found = {"opened": 0, "paid": 0, "resumed": 0, "tasks": 0, "broken": 0, "escalated": 0, "open": 0}
    seen: set[int] = set()
    for chunk in _chunks(arrears(book)):
        _look_ahead(day, chunk)
        with transaction.atomic():
            _follow(day, chunk, found, seen)
    _settled(day, found, seen)
    tell(0.8)
    _judge_promises(day, found)
    _judge_plans(day, found)
    _resume(day, found)
    _escalate(day, found)
    found["open"] = Case.objects.filter(state__in=LIVE).count()
    return found


def read(book: Book, buyer_id: str) -> tuple[Day, list[Arrears]]:
    """What a look at the case of one buyer needs of the book; the second is empty where it owes nothing late."""
    own = alone(book, buyer_id)
    return Day(own), list(arrears(own, [buyer_id]))


def look_at(book: Book, buyer_id: str) -> Case | None:
    """Bring the case of one buyer to the book, opening none by itself."""
    (day, owed), found = read(book, buyer_id), {"opened": 0, "paid": 0, "resumed": 0, "tasks": 0, "broken": 0}
    with transaction.atomic():
        case = Case.objects.select_for_update().filter(buyer_id=buyer_id, state__in=LIVE).first()
        if case is not None and owed:
            _bring(day, [(case, owed[0])], found)
        elif case is not None:
            _leave(day, [case], found)
    return case


def _chunks(items: Iterable[T]) -> Iterator[tuple[T, ...]]:
    rest = iter(items)
    while chunk := tuple(islice(rest, CHUNK)):
        yield chunk


def look_at_news(book: Book, rows: Sequence[JournalRow]) -> int:
    """Bring the open cases of those whom changes of the ledger speak of to the book; how many."""
    if not Case.objects.filter(state__in=LIVE).exists():
        return 0
    buyers = spoken_of(book, rows)
    live = list(Case.objects.filter(state__in=LIVE, buyer_id__in=buyers).values_list("buyer_id", flat=True)) if buyers else []
    for buyer in live:
        look_at(book, buyer)
    return len(live)


# --- who owes ---------------------------------------------------------------------------------------------------------------------------------


def _look_ahead(day: Day, chunk: Sequence[Arrears]) -> None:
    """Work out the periods of those of whom something changed before the transaction begins, which others wait for."""
    of = {one.buyer_id: one for one in chunk if day.has_periods(one.buyer_id)}
    live = {case.buyer_id: case for case in Case.objects.filter(buyer_id__in=of, state__in=LIVE)} if of else {}
    for buyer, owed in of.items():
        case = live.get(buyer)
        if day.opens(owed) if case is None else day.planned(case, owed)[1] != case.planned:
            day.periods(buyer)


def _follow(day: Day, chunk: Sequence[Arrears], found: dict[str, int], seen: set[int]) -> None:
    owed = {one.buyer_id: one for one in chunk}
    live = {one.buyer_id: one for one in Case.objects.select_for_update().filter(buyer_id__in=owed, state__in=LIVE)}
    new = [one for buyer, one in owed.items() if buyer not in live and day.opens(one)]
    if new:
        opened = open_cases(day, new, f"{RULE} {day.on}")
        found["opened"] += len(opened)
        live |= {one.buyer_id: one for one in opened}
    seen.update(one.pk for one in live.values())
    # An earlier day that is made up for does not touch what a later one has seen.
    _bring(day, [(case, owed[buyer]) for buyer, case in live.items() if case.seen_on <= day.on], found)


def open_cases(day: Day, new: Sequence[Arrears], cause: str, *, person: Any = None, note: str = "") -> list[Case]:
    """Open a case for each, unless the buyer has one; those that were opened. Belongs in a transaction."""
    buyers = [one.buyer_id for one in new]
    # What ended on this day or after was ended knowing of it.
    ended = (
        set(Case.objects.filter(buyer_id__in=buyers, closed_on__gte=day.on).values_list("buyer_id", flat=True)) if person is None else set()
    )
    rows = [
        Case(
            buyer_id=one.buyer_id, cause=cause, country=one.country[:2], currency=day.book.base_currency, overdue_minor=one.overdue_base,
            opened_minor=one.overdue_base, oldest_due_on=one.oldest, waiting_minor=one.waiting(day.on), opened_on=day.on, seen_on=day.on,
        )
        for one in new
        if one.buyer_id not in ended
    ]  # fmt: skip
    before = set(Case.objects.filter(buyer_id__in=buyers, cause=cause).values_list("buyer_id", flat=True))
    Case.objects.bulk_create(rows, ignore_conflicts=True)
    opened = [one for one in Case.objects.filter(buyer_id__in=buyers, cause=cause, state__in=LIVE) if one.buyer_id not in before]
    who = person.username if person is not None else ""
    CaseEvent.objects.bulk_create(
        [CaseEvent(case=one, kind="opened", key="opened", on=day.on, person=person, note=note, detail={"overdue_minor": one.overdue_minor}) for one in opened],
        ignore_conflicts=True,
    )  # fmt: skip
    put_out_many(
        (
            "case_event",
            {
                "event_id": f"{one.case_id}-opened", "case_id": one.case_id, "buyer_id": one.buyer_id, "kind": "opened", "happened_on": day.on,
                "amount_minor": one.overdue_minor, "currency": one.currency, "text": note or None, "made_by": who or None,
            },
        )
        for one in opened
    )  # fmt: skip
    return opened


def _bring(day: Day, pairs: Sequence[tuple[Case, Arrears]], found: dict[str, int]) -> None:
    """Bring cases to what is owed: figures, invoices, tasks."""
    with connection.cursor() as cursor:
        base = day.book.base_currency
        cursor.executemany(
            FIGURES, [(day.on, base, owed.overdue_base, base, owed.overdue_base, owed.oldest, owed.waiting(day.on), case.pk) for case, owed in pairs]
        )  # fmt: skip
    _invoices(day, pairs)
    changed: list[tuple[Case, Situation, str, Playbook]] = []
    for case, owed in pairs:
        now, mark = day.planned(case, owed)
        if mark != case.planned:
            changed.append((case, now, mark, day.playbook(case.country)))
    _plan(day, changed, found)


def _invoices(day: Day, pairs: Sequence[tuple[Case, Arrears]]) -> None:
    held: dict[int, dict[tuple[str, int], CaseInvoice]] = {}
    for row in CaseInvoice.objects.filter(case__in=[case.pk for case, _owed in pairs]):
        held.setdefault(row.case_id, {})[(row.invoice_id, row.instalment)] = row
    new, changed = [], []
    for case, owed in pairs:
        mine = held.get(case.pk, {})
        now = {(one.invoice_id, one.instalment): one for one in owed.debts}
        for key, debt in now.items():
            known = mine.get(key)
            if known is None:
                new.append(
                    CaseInvoice(
                        case=case, invoice_id=debt.invoice_id, instalment=debt.instalment, due_on=debt.due_date, currency=debt.currency,
                        joined_on=day.on, joined_minor=debt.open_minor, open_minor=debt.open_minor,
                    )
                )  # fmt: skip
            elif known.open_minor != debt.open_minor or known.left_on is not None:
                known.open_minor, known.left_on = debt.open_minor, None
                changed.append(known)
        changed += [_left(row, day.on) for key, row in mine.items() if key not in now and row.left_on is None]
    CaseInvoice.objects.bulk_create(new, ignore_conflicts=True)
    CaseInvoice.objects.bulk_update(changed, ["open_minor", "left_on"], batch_size=500)


def _left(row: CaseInvoice, on: date) -> CaseInvoice:
    row.open_minor, row.left_on = 0, on
    return row


def _mark(book: Playbook, now: Situation, done: Mapping[str, Sequence[date]], of_periods: str) -> str:
    said = f"{book.version} {book.values!r} {now.opened_on} {sorted(now.anchors.items())} {sorted(now.holds)} {sorted((kind, sorted(days)) for kind, days in done.items())}"
    said += of_periods
    return hashlib.sha256(said.encode()).hexdigest()


def _plan(day: Day, changed: Sequence[tuple[Case, Situation, str, Playbook]], found: dict[str, int]) -> None:
    """Make the tasks the playbook calls for; move those that are open; drop what is not called for any more; end what was done."""
    if not changed:
        return
    held: dict[int, dict[tuple[str, int], Task]] = {}
    for task in Task.objects.filter(case__in=[one[0].pk for one in changed]):
        held.setdefault(task.case_id, {})[(task.code, task.number)] = task
    new: list[Task] = []
    moved: list[Task] = []
    for case, now, mark, book in changed:
        mine = held.get(case.pk, {})
        own = day.periods(case.buyer_id) if day.has_periods(case.buyer_id) else []
        made, touched = _tasks(_wanted(case, plan(book, now, day.days), own, mine, day.known.done.get(case.case_id, {}), day.on), mine)
        new += made
        moved += touched
        _next(case, [*mine.values(), *made])
        case.planned, case.playbook = mark, book.version
    Task.objects.bulk_create(new, ignore_conflicts=True, batch_size=500)
    Task.objects.bulk_update(moved, ["state", "due_on", "done_on"], batch_size=500)
    with connection.cursor() as cursor:
        cursor.executemany(PLANNED, [(case.planned, case.playbook, case.phase, case.next_on, case.pk) for case, *_rest in changed])
    found["tasks"] += len(new)


Wanted = dict[tuple[str, int], tuple[Task, date | None]]
"""What a case asks for: {(code, number): (the task as it should be, the day on which it was done)}."""


def _wanted(
    case: Case, planned: Sequence[Planned], own: Sequence[Period], mine: Mapping[tuple[str, int], Task], done: Mapping[str, Sequence[date]], on: date
) -> Wanted:  # fmt: skip
    """The steps of the playbook, and the rights that end.

    A right that ended before the case was opened asks for nothing, like a step that came before it; one that was kept ends its task.
    """
    wanted: Wanted = {}
    for one in planned:
        task = Task(case=case, code=one.step.code, number=one.number, phase=one.step.phase, due_on=one.due_on)
        wanted[task.code, task.number] = (task, _done_on(done, one.step.done_by, case.opened_on))
    for period in own:
        about = {**period.about, "ends_on": period.ends_on.isoformat()}
        task = Task(case=case, code=f"{CLOCK}{period.key}", phase="legal", due_on=period.act_by, about=about)
        if period.ends_on >= case.opened_on and (not period.met or (task.code, 1) in mine):
            wanted[task.code, 1] = (task, on if period.met else None)
    return wanted


def _tasks(wanted: Wanted, mine: Mapping[tuple[str, int], Task]) -> tuple[list[Task], list[Task]]:
    """The tasks that are new, and those of `mine` that changed."""
    new, moved = [], []
    for key, (task, done_on) in wanted.items():
        held = mine.get(key)
        now = held or task
        before = (now.state, now.due_on)
        if now.state in ("open", "dropped"):
            now.state, now.due_on = "open", task.due_on
            if done_on is not None:
                now.state, now.done_on = "done", done_on
        if held is None:
            new.append(now)
        elif before != (now.state, now.due_on):
            moved.append(now)
    for key, task in mine.items():
        if key not in wanted and task.state == "open" and not task.said and task.code != SETTLED_TASK:
            task.state = "dropped"
            moved.append(task)
    return new, moved


def _done_on(done: Mapping[str, Sequence[date]], kinds: Iterable[str], since: date) -> date | None:
    days = [each for kind in kinds for each in done.get(kind, ()) if each >= since - timedelta(days=30)]
    return min(days, default=None)


def _next(case: Case, tasks: Iterable[Task]) -> None:
    first = min((task for task in tasks if task.state == "open"), key=lambda task: task.due_on, default=None)
    if first is None:
        case.next_on = None
    else:
        case.phase, case.next_on = first.phase, first.due_on


def renew(case: Case) -> None:
    """Write down what is next in a case after a task was ended or added."""
    _next(case, case.tasks.all())


# --- who has paid -----------------------------------------------------------------------------------------------------------------------------


def _settled(day: Day, found: dict[str, int], seen: set[int]) -> None:
    """Of the cases of buyers who owe nothing that is late any more."""
    gone = [pk for pk in Case.objects.filter(state__in=LIVE, seen_on__lte=day.on).values_list("pk", flat=True) if pk not in seen]
    for chunk in _chunks(gone):
        with transaction.atomic():
            _leave(day, list(Case.objects.select_for_update().filter(pk__in=chunk, state__in=LIVE)), found)


def _leave(day: Day, cases: Sequence[Case], found: dict[str, int]) -> None:
    """Everything that was late is settled. The case stays open for the interest: paying the principal does not end that claim."""
    CaseInvoice.objects.filter(case__in=cases, left_on=None).update(left_on=day.on, open_minor=0)
    had = set(Task.objects.filter(case__in=cases, code=SETTLED_TASK, state="open").values_list("case_id", flat=True))
    fresh = [case for case in cases if case.pk not in had]
    for case in fresh:
        case.tasks.filter(state="open", said="").update(state="dropped")
        number = case.tasks.filter(code=SETTLED_TASK).count() + 1
        Task.objects.bulk_create(
            [Task(case=case, code=SETTLED_TASK, number=number, phase="early", due_on=day.days.add_working_days(day.on, 5))], ignore_conflicts=True
        )  # fmt: skip
        CaseEvent.objects.bulk_create([CaseEvent(case=case, kind="paid", key=f"paid {number}", on=day.on)], ignore_conflicts=True)
        case.overdue_minor = case.waiting_minor = 0
        case.seen_on, case.planned = day.on, ""
        renew(case)
        found["paid"] += 1
    Case.objects.bulk_update(fresh, ["overdue_minor", "waiting_minor", "seen_on", "planned", "phase", "next_on"], batch_size=500)
    Case.objects.filter(pk__in=had).update(seen_on=day.on, overdue_minor=0, waiting_minor=0)


# --- promises and plans -----------------------------------------------------------------------------------------------------------------------


def _judge_promises(day: Day, found: dict[str, int]) -> None:
    """Whether money promised came in time. A promise for a day nobody works is kept on the next."""
    due = list(Promise.objects.filter(state="open", promised_on__lt=day.on).select_related("case"))
    ripe = [one for one in due if day.days.following(one.promised_on) < day.on]
    spans = [(one.case.buyer_id, one.made_on, day.days.following(one.promised_on), one.currency) for one in ripe]
    for chunk in _chunks(zip(ripe, received_by(day.book, spans), strict=True)):
        with transaction.atomic():
            for promise, paid in chunk:
                _judge(day, promise, paid, found)


def _judge(day: Day, promise: Promise, paid: int, found: dict[str, int]) -> None:
    state = "kept" if paid >= promise.amount_minor else "partly" if paid > 0 else "broken"
    if not Promise.objects.filter(pk=promise.pk, state="open").update(state=state, received_minor=paid, judged_on=day.on):
        return
    case = promise.case
    detail = {
        "amount_minor": promise.amount_minor,
        "currency": promise.currency,
        "promised_on": promise.promised_on.isoformat(),
        "received_minor": paid,
    }
    CaseEvent.objects.bulk_create(
        [CaseEvent(case=case, kind=f"promise_{state}", key=f"promise {promise.pk} judged", on=day.on, detail=detail)], ignore_conflicts=True
    )  # fmt: skip
    if state != "kept":
        found["broken"] += 1
        put_out_many(
            [
                (
                    "signal",
                    {
                        "signal_id": f"promise-{case.case_id}-{promise.pk}", "buyer_id": case.buyer_id, "kind": "broken_promise", "severity": "amber",
                        "published_on": day.on, "occurred_on": promise.promised_on, "amount_minor": promise.amount_minor - paid, "currency": promise.currency,
                        "provider": "duecourse", "reference": case.case_id,
                    },
                )
            ]
        )  # fmt: skip


def _judge_plans(day: Day, found: dict[str, int]) -> None:
    """Whether a plan is kept: by each of its days so much in all; the whole of it ends it, a missed day with the days of grace breaks it."""
    running = list(Plan.objects.filter(state="running").select_related("case"))
    paid = received_by(day.book, [(one.case.buyer_id, one.agreed_on, day.on, one.currency) for one in running])
    for plan_, received in zip(running, paid, strict=True):
        due = sum(row["amount_minor"] for row in plan_.rows if date.fromisoformat(row["on"]) + timedelta(days=plan_.default_days) < day.on)
        whole = sum(row["amount_minor"] for row in plan_.rows)
        state = "kept" if received >= whole else "broken" if received < due else "running"
        if state == "running" and received == plan_.received_minor:
            continue
        with transaction.atomic():
            if not Plan.objects.filter(pk=plan_.pk, state="running").update(state=state, received_minor=received, judged_on=day.on):
                continue
            if state == "running":
                continue
            case = plan_.case
            CaseEvent.objects.bulk_create(
                [CaseEvent(case=case, kind=f"plan_{state}", key=f"plan {plan_.pk} judged", on=day.on, detail={"received_minor": received, "due_minor": due, "currency": plan_.currency})],
                ignore_conflicts=True,
            )  # fmt: skip
            if state == "broken":
                found["broken"] += 1
                put_out_many(
                    [
                        (
                            "case_event",
                            {
                                "event_id": f"{case.case_id}-plan-{plan_.pk}-broken", "case_id": case.case_id, "buyer_id": case.buyer_id, "kind": "plan_broken",
                                "happened_on": day.on, "amount_minor": due - received, "currency": plan_.currency,
                            },
                        )
                    ]
                )  # fmt: skip


def _resume(day: Day, found: dict[str, int]) -> None:
    """End the pauses that end by this day."""
    with transaction.atomic():
        for case in Case.objects.select_for_update().filter(state=PAUSED, paused_until__lte=day.on):
            until, case.paused_until, case.state = case.paused_until, None, OPEN
            case.save(update_fields=["paused_until", "state"])
            CaseEvent.objects.bulk_create(
                [CaseEvent(case=case, kind="resumed", key=f"resumed {until}", on=day.on, detail={"until": str(until)})], ignore_conflicts=True
            )  # fmt: skip
            found["resumed"] += 1


def _escalate(day: Day, found: dict[str, int]) -> None:
    """Of cases whose next task is late by more than the playbook allows: once for each such day. Told of those where waiting costs most."""
    after = day.playbook("").opening.escalate_after_days
    late = Case.objects.filter(state=OPEN, next_on__lt=day.on - timedelta(days=after), escalated_on=None).order_by("-waiting_minor", "pk")
    left = TOLD
    while rows := list(late[:CHUNK]):
        told, left = rows[:left], max(0, left - len(rows))
        audience = audience_of(day.book, [one.buyer_id for one in told])
        with transaction.atomic():
            CaseEvent.objects.bulk_create(
                [CaseEvent(case=one, kind="escalated", key=f"escalated {one.next_on}", on=day.on, detail={"due_on": str(one.next_on)}) for one in rows],
                ignore_conflicts=True,
            )  # fmt: skip
            Case.objects.filter(pk__in=[one.pk for one in rows]).update(escalated_on=day.on)
            tell(audience, [news_of(one, "case_escalated", f"escalated {one.next_on}", "web.cases_told_escalated") for one in told])
        found["escalated"] += len(rows)


def news_of(case: Case, kind: str, key: str, code: str, *, to: frozenset[int] | None = None) -> News:
    """What people are told of a case."""
    args = {
        "case": case.case_id, "overdue": {"minor": case.overdue_minor, "currency": case.currency}, "next": case.next_on.isoformat() if case.next_on else "–"
    }  # fmt: skip
    return News(kind, f"case {case.pk} {key}", code, args, case.buyer_id, f"/cases/{case.pk}/", 1, to)
