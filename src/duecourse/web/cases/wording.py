"""A case in words: its state, tasks, what happened, how its money reads."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Final

from duecourse.decisions.playbook import playbook_of
from duecourse.messages import catalogue, say
from duecourse.money import NO_CURRENCY, format_money
from duecourse.risk.severity.by_age import waiting_cost
from duecourse.web.cases.models import CLOCK, CLOSED, PAUSED, CaseInvoice

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from duecourse.ledger.book import Book
    from duecourse.web.cases.models import Case, CaseEvent, Plan, Promise, Task

LOOKS: Final = {"open": "busy", "paused": "off", "closed": "good"}
TASK_LOOKS: Final = {"done": "good", "skipped": "off", "dropped": "off", "open": "busy"}
PROMISE_LOOKS: Final = {"open": "busy", "kept": "good", "partly": "warn", "broken": "bad", "withdrawn": "off"}
PLAN_LOOKS: Final = {"running": "busy", "kept": "good", "broken": "bad", "ended": "off"}
PLACES: Final[Mapping[str, str]] = {
    "evidence": "documents", "assets": "route", "route": "route", "placement": "placement", "order_for_payment": "route", "sue": "route", "barred": "route",
}  # fmt: skip
"""Where one does what a step asks for."""
GRAVE: Final = frozenset({"escalated", "promise_broken", "promise_partly", "plan_broken", "insolvency_notice", "dispute"})
GLAD: Final = frozenset({"paid", "promise_kept", "plan_kept", "recovery", "part_payment", "acknowledgement"})


def money(minor: int | None, currency: str) -> str:
    """An amount with its currency; a dash where there is none."""
    return "–" if minor is None or currency == NO_CURRENCY else format_money(minor, currency)


class Amounts:
    """What cases owe and what a day of waiting costs, as pages say it: in the base currency; of a firm that has set none, in the invoices' own currencies."""

    def __init__(self, cases: Iterable[Case], on: date) -> None:
        self._owed: dict[int, Counter[str]] = defaultdict(Counter)
        self._waiting: dict[int, Counter[str]] = defaultdict(Counter)
        countries = {one.pk: one.country for one in cases if one.currency == NO_CURRENCY}
        if countries:
            rows = CaseInvoice.objects.filter(case__currency=NO_CURRENCY, left_on=None)
            for pk, currency, minor, due in rows.values_list("case_id", "currency", "open_minor", "due_on"):
                if pk in countries:
                    self._owed[pk][currency] += minor
                    self._waiting[pk][currency] += round(waiting_cost(minor, (on - due).days, countries[pk]))

    def overdue(self, *cases: Case) -> str:
        """What these owe together."""
        return self._said(self._owed, {one.pk: one.overdue_minor for one in cases}, cases)

    def waiting(self, *cases: Case) -> str:
        """What one more day of waiting for these costs."""
        return self._said(self._waiting, {one.pk: one.waiting_minor for one in cases}, cases)

    @staticmethod
    def figure(said: str) -> dict[str, str]:
        """Such a sum as a figure of a page: one amount large, of several how many currencies they are, and they below."""
        several = said.count(" + ")
        return {"value": say("web.cases_currencies", count=several + 1), "under": said} if several else {"value": said, "under": ""}

    @staticmethod
    def _said(own: Mapping[int, Counter[str]], base: Mapping[int, int], cases: Sequence[Case]) -> str:
        total: Counter[str] = Counter()
        for one in cases:
            if one.currency != NO_CURRENCY:
                total[one.currency] += base[one.pk]
            elif one.pk in own:
                total.update(own[one.pk])
        return " + ".join(format_money(minor, currency) for currency, minor in sorted(total.items())) or "–"


def state_word(case: Case) -> str:
    """How it stands: its result once it is closed."""
    if case.state == CLOSED:
        return say(f"web.cases_result_{case.result}")
    if case.state == PAUSED:
        return say("web.cases_rests", day=case.paused_until)
    return say(f"playbook.phase_{case.phase}")


def task_words(book: Book, task: Task, country: str) -> str:
    """What is to be done."""
    if task.said:
        return str(task.said)
    if task.code == "paid":
        return say("web.cases_task_paid")
    if task.code.startswith(CLOCK):
        return _right(task.code, task.about)
    step = playbook_of(book.settings, country).step(task.code)
    return step.sentence() if step is not None else task.code


def _right(code: str, about: Mapping[str, Any]) -> str:
    """A right that ends: which, of whom or what, and on which day."""
    of = " · ".join(str(about[name]) for name in ("party", "reference") if about.get(name))
    what = say(f"clocks.clock_{code.removeprefix(CLOCK).partition('.')[0]}")
    ends = about.get("ends_on")
    return say("web.cases_task_right", what=what, of=f" · {of}" if of else "", day=ends) if ends else what


def task_line(book: Book, task: Task, country: str, on: date) -> dict[str, Any]:
    """One task as pages show it."""
    left = (task.due_on - on).days
    step = playbook_of(book.settings, country).step(task.code)
    late = task.state == "open" and left < 0
    return {
        "task": task, "words": task_words(book, task, country), "late": late, "look": "bad" if late else "warn" if task.state == "open" and left <= 1 else TASK_LOOKS[task.state],
        "when": say("web.cases_late_by", count=-left) if late else say("web.cases_today") if left == 0 else say("web.cases_in_days", count=left),
        "code": "" if task.said or task.code == "paid" or task.code.startswith(CLOCK) else task.code, "letter": step.letter if step else "", "proof": bool(step and step.proof),
        "source": step.rests_on() if step else "", "place": PLACES.get(step.does, "") if step else "",
    }  # fmt: skip


def event_line(event: CaseEvent) -> dict[str, Any]:
    """One thing that happened, as a timeline shows it."""
    detail: Mapping[str, Any] = event.detail
    amount = detail.get("amount_minor")
    currency = detail.get("currency") or event.case.currency
    parts = {
        "who": event.person.name if event.person else say("web.jobs_by_app"), "party": detail.get("who") or detail.get("to") or "–",
        "amount": money(amount, currency) if amount is not None else "", "day": detail.get("promised_on") or detail.get("until") or detail.get("due_on") or detail.get("last") or "",
        "invoice": detail.get("invoice", ""), "received": money(detail.get("received_minor"), currency), "count": detail.get("rows", 0),
        "result": say(f"web.cases_result_{detail['result']}") if detail.get("result") else "", "task": _task_said(detail),
    }  # fmt: skip
    code = f"web.cases_event_{event.kind}"
    if event.kind == "call" and not detail.get("answered", True):
        code = "web.cases_event_call_unanswered"
    words = say(code, **parts) if code in catalogue() else say("web.cases_event_other", kind=kind_word(event.kind), **parts)
    more = [
        say("web.cases_received_on", day=detail["received_on"]) if detail.get("received_on") else "",
        say("web.cases_names_day", day=detail["names"]) if detail.get("names") else "",
        say("web.cases_reference_is", text=detail["reference"]) if detail.get("reference") else "",
        say("web.cases_proof_is", text=detail["proof"][:12]) if detail.get("proof") else "",
    ]
    note = " · ".join(part for part in (*more, event.note) if part)
    return {
        "day": event.on,
        "words": words,
        "note": note,
        "kind": "bad" if event.kind in GRAVE else "good" if event.kind in GLAD else "",
        "url": "",
    }


def _task_said(detail: Mapping[str, Any]) -> str:
    code = str(detail.get("task", ""))
    if code.startswith(CLOCK):
        return _right(code, detail.get("about") or {})
    step = playbook_of({}).step(code)
    return str(detail.get("said") or "") or (step.sentence() if step else say("web.cases_task_paid") if code == "paid" else code)


def kind_word(kind: str) -> str:
    """What happened, in a word or two."""
    return say(f"web.cases_kind_{kind}")


def promise_line(promise: Promise) -> dict[str, Any]:
    """A promise as pages show it."""
    return {
        "promise": promise, "look": PROMISE_LOOKS[promise.state], "state": say(f"web.cases_promise_{promise.state}"), "amount": money(promise.amount_minor, promise.currency),
        "received": money(promise.received_minor, promise.currency) if promise.judged_on else "",
    }  # fmt: skip


def plan_line(plan: Plan) -> dict[str, Any]:
    """A plan as pages show it."""
    return {
        "plan": plan, "look": PLAN_LOOKS[plan.state], "state": say(f"web.cases_plan_{plan.state}"), "received": money(plan.received_minor, plan.currency),
        "rows": [{"on": row["on"], "amount": money(row["amount_minor"], plan.currency)} for row in plan.rows],
        "total": money(sum(row["amount_minor"] for row in plan.rows), plan.currency),
    }  # fmt: skip


def case_line(case: Case, names: Mapping[str, str], on: date, amounts: Amounts | None = None) -> dict[str, Any]:
    """One case as a list shows it; `amounts` of all the list's cases, asked for once."""
    amounts = amounts or Amounts([case], on)
    overdue, waiting = amounts.overdue(case), amounts.waiting(case)
    return {
        "case": case, "name": names.get(case.buyer_id, case.buyer_id), "look": LOOKS[case.state], "state": state_word(case), "overdue": overdue, "overdue_figure": Amounts.figure(overdue), "waiting_figure": Amounts.figure(waiting),
        "waiting": waiting, "days": max(0, (on - case.oldest_due_on).days), "owner": case.owner.name if case.owner else "",
        "late": case.next_on is not None and case.next_on < on, "recovered": money(case.recovered_minor, case.currency),
    }  # fmt: skip
