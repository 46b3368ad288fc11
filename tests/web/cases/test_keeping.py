"""Cases follow the ledger: opened once, tasks by the playbook, promises and plans judged, whatever days are left out or run again."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.desk.case_clocks import periods
from duecourse.samples import book as sample_book
from duecourse.web.cases import keeping
from duecourse.web.cases.models import CLOSED, Case, CaseEvent, CaseInvoice, Plan, Promise, Task
from duecourse.web.cases.tables import cases_table
from duecourse.web.cases.wording import Amounts, task_words
from duecourse.web.outbox.models import Outgoing
from support.examples import examples

pytestmark = pytest.mark.django_db
DUE = date(2026, 9, 25)
"""Mid-autumn: three days off; the National Day holiday follows, with the Saturday 10 October worked in exchange."""


def invoice(number, buyer="b", due=DUE, amount=100_000_00, **more):
    return {
        "invoice_id": number,
        "instalment": 1,
        "buyer_id": buyer,
        "issue_date": due - timedelta(days=30),
        "due_date": due,
        "amount_minor": amount,
        "currency": "CNY",
        "kind": "invoice",
        **more,
    }


def paid(number, on, amount, invoice_id="1", buyer="b", kind="cash"):
    return {
        "settlement_id": number,
        "kind": kind,
        "buyer_id": buyer,
        "invoice_id": invoice_id,
        "instalment": 1,
        "settle_date": on,
        "amount_minor": amount,
        "currency": "CNY",
    }


BUYERS = [{"buyer_id": name, "name": f"Buyer {name}", "country": "CN"} for name in ("a", "b", "c")]


def on(day, **tables):
    return sample_book(day, buyer=BUYERS, setting=[{"name": "base_currency", "value": '"CNY"'}], **tables)


def state():
    return {
        "cases": sorted(Case.objects.values_list("buyer_id", "state", "opened_on", "overdue_minor", "oldest_due_on", "next_on")),
        "invoices": sorted(CaseInvoice.objects.values_list("invoice_id", "joined_on", "left_on", "open_minor"), key=str),
        "tasks": sorted(Task.objects.values_list("case__buyer_id", "code", "number", "due_on", "state")),
        "events": sorted(CaseEvent.objects.values_list("case__buyer_id", "kind", "key")),
        "out": sorted(Outgoing.objects.values_list("table", "key")),
    }


def test_a_case_is_opened_the_day_after_the_debt_fell_due_and_its_letter_is_due_before_the_holiday():
    book = {"invoice": [invoice("1")]}
    assert keeping.run(on(DUE, **book))["opened"] == 0
    found = keeping.run(on(DUE + timedelta(days=1), **book))
    assert (found["opened"], found["open"]) == (1, 1)
    case = Case.objects.get()
    assert (case.buyer_id, case.overdue_minor, case.oldest_due_on, case.currency) == ("b", 100_000_00, DUE, "CNY")
    assert case.waiting_minor > 0
    due = {task.code: task.due_on for task in case.tasks.all() if task.number == 1}
    # 28, 29 and 30 September are the three working days; the call, five working days, waits until after the holiday.
    assert due["P02"] == date(2026, 9, 30)
    assert due["P04"] == date(2026, 10, 9)
    assert due["P15"] == date(2026, 12, 24)
    assert not {"P00", "P06", "P10", "P19"} & due.keys()
    assert [event.kind for event in case.events.all()] == ["opened"]
    assert [row["table"] for row in Outgoing.objects.values("table")] == ["case_event"]


def test_small_debts_open_no_case():
    assert keeping.run(on(DUE + timedelta(days=9), invoice=[invoice("1", amount=499_99)]))["opened"] == 0
    assert keeping.run(on(DUE + timedelta(days=9), invoice=[invoice("1", amount=500_00)]))["opened"] == 1


def test_a_debt_in_a_currency_without_a_rate_is_not_overlooked():
    found = keeping.run(on(DUE + timedelta(days=9), invoice=[invoice("1", amount=1_00, currency="USD")]))
    assert found["opened"] == 1
    assert [(row.currency, row.open_minor) for row in CaseInvoice.objects.all()] == [("USD", 1_00)]


def test_a_debt_found_late_is_demanded_first_while_periods_of_the_law_go_on():
    opened = DUE + timedelta(days=100)
    keeping.run(
        on(opened, invoice=[invoice("1")], security=[{"security_id": "s", "buyer_id": "b", "kind": "guarantee", "valid_from": DUE}])
    )
    due = {task.code: task.due_on for task in Task.objects.filter(number=1)}
    assert opened < due["P02"] <= opened + timedelta(days=6)
    assert due["P15"] < opened  # what the odds of recovery say is not put off
    assert due["P16"] <= DUE + timedelta(days=150)


def test_what_is_paid_leaves_and_the_case_stays_for_the_interest():
    first, later = DUE + timedelta(days=2), DUE + timedelta(days=5)
    both = [invoice("1"), invoice("2", due=DUE + timedelta(days=1))]
    keeping.run(on(first, invoice=both))
    keeping.run(on(later, invoice=both, settlement=[paid("p", later, 100_000_00)]))
    assert {row.invoice_id: row.left_on for row in CaseInvoice.objects.all()} == {"1": later, "2": None}
    end = later + timedelta(days=1)
    found = keeping.run(on(end, invoice=both, settlement=[paid("p", later, 100_000_00), paid("q", end, 100_000_00, "2")]))
    case = Case.objects.get()
    assert (found["paid"], case.state, case.overdue_minor) == (1, "open", 0)
    assert list(case.tasks.filter(state="open").values_list("code", flat=True)) == ["paid"]
    again = keeping.run(
        on(end + timedelta(days=1), invoice=both, settlement=[paid("p", later, 100_000_00), paid("q", end, 100_000_00, "2")])
    )
    assert again["paid"] == 0
    # A bounced payment: the debt is back, and so is its work.
    back = on(end + timedelta(days=2), invoice=both, settlement=[paid("p", later, 100_000_00)])
    keeping.run(back)
    assert Case.objects.get().overdue_minor == 100_000_00
    assert Case.objects.get().tasks.filter(state="open", code="P02").exists()


@pytest.mark.parametrize(("came", "state"), [(50_000_00, "kept"), (49_999_99, "partly"), (0, "broken")])
def test_a_promise_is_judged_by_the_money_that_came(came, state):
    day = DUE + timedelta(days=1)
    book = {"invoice": [invoice("1")]}
    keeping.run(on(day, **book))
    promise = Promise.objects.create(
        case=Case.objects.get(), mark="m", amount_minor=50_000_00, currency="CNY", made_on=day, promised_on=date(2026, 10, 3)
    )
    book["settlement"] = (
        [
            paid("p", date(2026, 10, 8), came),
            paid("early", day - timedelta(days=3), 1_000_00),
            paid("c", day, 9_000_000, kind="credit_note"),
        ]
        if came
        else []
    )
    keeping.run(on(date(2026, 10, 8), **book))
    promise.refresh_from_db()
    assert promise.state == "open"  # the holiday ends on the 7th: the next working day is the 8th
    keeping.run(on(date(2026, 10, 9), **book))
    promise.refresh_from_db()
    assert (promise.state, promise.received_minor) == (state, came)
    told = Outgoing.objects.filter(table="signal")
    assert told.count() == (state != "kept")
    keeping.run(on(date(2026, 10, 10), **book))
    assert Outgoing.objects.filter(table="signal").count() == (state != "kept")


def test_a_plan_is_broken_by_the_day_of_grace_that_is_missed_and_kept_by_the_whole():
    day = DUE + timedelta(days=1)
    book = {"invoice": [invoice("1")]}
    keeping.run(on(day, **book))
    rows = [{"on": (day + timedelta(days=10 * number)).isoformat(), "amount_minor": 20_000_00} for number in (1, 2)]
    plan = Plan.objects.create(case=Case.objects.get(), mark="m", currency="CNY", rows=rows, agreed_on=day, default_days=7)
    keeping.run(on(day + timedelta(days=17), **book))
    plan.refresh_from_db()
    assert plan.state == "running"
    half = [paid("p", day + timedelta(days=17), 20_000_00)]
    keeping.run(on(day + timedelta(days=18), settlement=half, **book))
    plan.refresh_from_db()
    assert (plan.state, plan.received_minor) == ("running", 20_000_00)
    keeping.run(on(day + timedelta(days=28), settlement=half, **book))
    plan.refresh_from_db()
    assert plan.state == "broken"
    assert Outgoing.objects.filter(key__contains="plan").count() == 1


def test_a_case_rests_until_its_day_and_late_work_is_escalated_once():
    day = DUE + timedelta(days=1)
    book = {"invoice": [invoice("1")]}
    keeping.run(on(day, **book))
    Case.objects.update(state="paused", paused_until=day + timedelta(days=20))
    assert keeping.run(on(day + timedelta(days=19), **book))["escalated"] == 0
    assert keeping.run(on(day + timedelta(days=20), **book))["resumed"] == 1
    assert Case.objects.get().state == "open"
    assert CaseEvent.objects.filter(kind="escalated").count() == 1
    keeping.run(on(day + timedelta(days=21), **book))
    assert CaseEvent.objects.filter(kind="escalated").count() == 1


def test_what_was_done_ends_its_task_and_what_happened_starts_others():
    day = DUE + timedelta(days=1)
    keeping.run(on(day, invoice=[invoice("1")]))
    case = Case.objects.get()
    done = [
        {"event_id": "e", "case_id": case.case_id, "buyer_id": "b", "kind": "demand", "happened_on": day + timedelta(days=1)},
        {"event_id": "f", "case_id": case.case_id, "buyer_id": "b", "kind": "preservation", "happened_on": day + timedelta(days=2)},
    ]
    keeping.run(on(day + timedelta(days=3), invoice=[invoice("1")], case_event=done))
    tasks = {task.code: task for task in Task.objects.all()}
    assert (tasks["P02"].state, tasks["P02"].done_on) == ("done", day + timedelta(days=1))
    # Thirty days after preservation, by the law moved to a working day that follows.
    assert tasks["P14"].due_on == date(2026, 10, 28)
    assert tasks["P04"].state == "open"


def test_who_was_closed_today_is_not_opened_again_today():
    day = DUE + timedelta(days=1)
    book = {"invoice": [invoice("1")]}
    keeping.run(on(day, **book))
    Case.objects.update(state=CLOSED, closed_on=day + timedelta(days=1), result="mistaken")
    assert keeping.run(on(day + timedelta(days=1), **book))["opened"] == 0
    assert keeping.run(on(day + timedelta(days=2), **book))["opened"] == 1


WORLD = {
    "invoice": [
        invoice("1"),
        invoice("2", due=DUE + timedelta(days=3)),
        invoice("3", "a", DUE - timedelta(days=40)),
        invoice("4", "c", DUE + timedelta(days=8)),
    ],
    "settlement": [paid("p", DUE + timedelta(days=6), 100_000_00), paid("q", DUE + timedelta(days=12), 40_000_00, "3", "a")],
}
LAST = DUE + timedelta(days=15)


@given(days=st.lists(st.integers(0, 15), max_size=6))
@examples(8, 60, deadline=None)
def test_days_left_out_or_run_twice_or_out_of_order_leave_the_same(days):
    """What there is on the last day does not depend on which days ran before, but for the days on which things were found."""

    def ends(order):
        for model in (Outgoing, Task, CaseInvoice, Promise, Plan):
            model.objects.all().delete()
        CaseEvent.objects.all()._raw_delete("default")
        Case.objects.all().delete()
        for number in order:
            keeping.run(on(DUE + timedelta(days=number), **WORLD))
        twice = keeping.run(on(LAST, **WORLD))
        once = state()
        again = keeping.run(on(LAST, **WORLD))
        assert state() == once
        assert {name: again[name] for name in ("opened", "paid", "tasks", "broken")} == {"opened": 0, "paid": 0, "tasks": 0, "broken": 0}
        assert twice["open"] == 3
        return [(row[0], row[1], row[3], row[4]) for row in once["cases"]], sorted({row[1] for row in once["out"]})

    whole, _keys = ends([])
    assert ends(days)[0] == whole


def test_one_buyer_alone_is_looked_at_as_among_all():
    day = DUE + timedelta(days=12)
    more = {
        "security": [{"security_id": "s", "buyer_id": "b", "kind": "guarantee", "valid_from": DUE}],
        "limit": [{"limit_id": "l", "kind": "insurer", "buyer_id": "a", "amount_minor": 1, "currency": "CNY", "valid_from": DUE}],
        "signal": [{"signal_id": "i", "buyer_id": "c", "kind": "insolvency", "severity": "red", "published_on": DUE}],
    }
    book = on(day, **WORLD, **more)
    keeping.run(book)
    whole = state()
    Case.objects.update(planned="")
    for case in Case.objects.all():
        keeping.look_at(book, case.buyer_id)
    assert state() == whole
    assert {"P06", "P10", "P19"} <= set(Task.objects.values_list("code", flat=True))


def test_without_a_base_currency_amounts_stand_in_their_own_and_one_that_is_set_later_holds():
    rows = {
        "buyer": [{"buyer_id": "b", "country": "DE"}],
        "invoice": [invoice("1", currency="EUR", amount=1_000_00), invoice("2", currency="USD", amount=500_00), invoice("3", currency="USD", amount=250_00)],
    }  # fmt: skip
    on = DUE + timedelta(days=40)
    keeping.run(sample_book(on, **rows))
    case = Case.objects.get()
    amounts = Amounts([case], on)
    assert (case.currency, amounts.overdue(case)) == ("XXX", "EUR 1,000.00 + USD 750.00")
    waiting = amounts.waiting(case)
    assert re.fullmatch(r"EUR \d+\.\d\d \+ USD \d+\.\d\d", waiting) and not waiting.startswith("EUR 0.00")
    assert Amounts.figure(amounts.overdue(case)) == {"value": "2 currencies", "under": "EUR 1,000.00 + USD 750.00"}
    columns, (row,) = cases_table(sample_book(on, **rows), [case], {})
    assert row["overdue"] == "EUR 1,000.00 + USD 750.00" and next(one for one in columns if one.name == "overdue").kind == "text"

    rates = [{"provider": "p", "base_currency": code, "quote_currency": "CNY", "rate_date": on, "rate": rate} for code, rate in (("EUR", 8.0), ("USD", 7.0))]  # fmt: skip
    keeping.run(sample_book(on, **rows, exchange_rate=rates, setting=[{"name": "base_currency", "value": '"CNY"'}]))
    case.refresh_from_db()
    assert (case.currency, case.overdue_minor) == ("CNY", 1_000_00 * 8 + 750_00 * 7)
    assert case.opened_minor == case.overdue_minor  # nothing has come in
    assert Amounts([case], on).overdue(case) == "CNY 13,250.00"


def guarantee(number="g", **more):
    return {
        "security_id": number,
        "buyer_id": "b",
        "kind": "guarantee",
        "guarantor_id": "Parent",
        "text": "连带责任保证",
        "valid_from": DUE - timedelta(days=60),
        **more,
    }


def rights():
    return {task.code.split(".")[1]: task for task in Task.objects.filter(code__startswith="clock.")}


def test_a_right_that_ends_on_a_day_of_its_own_is_a_task_until_it_is_kept():
    day = DUE + timedelta(days=1)
    facts = {
        "invoice": [invoice("1"), invoice("2", due=DUE - timedelta(days=1))],
        "security": [guarantee(valid_to=DUE + timedelta(days=60))],
        "contract": [{"contract_id": "c", "buyer_id": "b", "valid_from": DUE - timedelta(days=90), "governing_law": "CN"}],
        "case_event": [
            {"event_id": "x", "buyer_id": "b", "kind": "bill_received", "happened_on": day, "promised_on": day + timedelta(days=40), "reference": "B1"}
        ],
    }  # fmt: skip
    keeping.run(on(day, **facts))
    found = rights()
    assert set(found) == {"guarantee_period", "bill_presentment", "bill_acceptor"}
    assert found["guarantee_period"].about == {"party": "Parent", "ends_on": (DUE + timedelta(days=60)).isoformat()}
    assert found["guarantee_period"].due_on <= DUE + timedelta(days=60)
    assert found["bill_presentment"].due_on <= day + timedelta(days=50)
    before = {code: (task.pk, task.due_on) for code, task in found.items()}
    keeping.run(on(day + timedelta(days=3), **facts))
    assert {code: (task.pk, task.due_on) for code, task in rights().items()} == before

    asked = {
        "event_id": "e", "buyer_id": "b", "kind": "notice_to_guarantor", "party": "Parent", "happened_on": day + timedelta(days=4),
        "received_on": day + timedelta(days=4), "proof": "sha",
    }  # fmt: skip
    told = {**facts, "case_event": [*facts["case_event"], asked]}
    keeping.run(on(day + timedelta(days=5), **told))
    found = rights()
    assert found["guarantee_period"].state == "done"
    # To have asked begins the limitation against the guarantor.
    assert found["guarantee_limitation"].state == "open"
    assert found["guarantee_limitation"].due_on.year == day.year + 3
    line = task_words(on(day), found["bill_presentment"], "CN")
    assert "B1" in line
    assert (day + timedelta(days=50)).isoformat()[:7] in line


def test_a_right_that_was_lost_before_the_case_was_opened_asks_for_nothing_and_one_lost_after_stays():
    old = {"invoice": [invoice("1", due=date(2025, 1, 10))], "security": [guarantee(valid_to=date(2025, 3, 1))]}
    keeping.run(on(date(2026, 9, 1), **old))
    assert "guarantee_period" not in rights()
    lost = {"invoice": [invoice("2", "c")], "security": [{**guarantee("h"), "buyer_id": "c", "valid_to": DUE + timedelta(days=20)}]}
    keeping.run(on(DUE + timedelta(days=1), **lost))
    keeping.run(on(DUE + timedelta(days=40), **lost))
    task = rights()["guarantee_period"]
    assert (task.case.buyer_id, task.state) == ("c", "open")
    assert task.due_on < DUE + timedelta(days=40)


def test_the_periods_of_one_are_worked_out_anew_only_when_its_facts_changed(monkeypatch):
    looked = []

    def counted(book, buyer_id):
        looked.append(buyer_id)
        return periods(book, buyer_id)

    monkeypatch.setattr(keeping, "periods", counted)
    facts = {"invoice": [invoice("1"), invoice("9", "a")], "security": [guarantee()]}
    day = DUE + timedelta(days=1)
    for number in range(3):
        keeping.run(on(day + timedelta(days=number), **facts))
    assert looked == ["b"]
    keeping.run(on(day + timedelta(days=4), **{**facts, "security": [guarantee(), guarantee("k", guarantor_id="Aunt")]}))
    assert looked == ["b", "b"]
    assert Task.objects.filter(code__startswith="clock.guarantee_period").count() == 2
