"""The pages of cases: who sees what, every form does its act once, both languages."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from duecourse.desk.open_case import arrears
from duecourse.web import books
from duecourse.web.cases import keeping
from duecourse.web.cases.models import Case, CaseEvent, Promise
from duecourse.web.outbox.models import Outgoing

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna(signed_in):
    return signed_in("credit_manager")


@pytest.fixture
def bo(signed_in, book):
    """Somebody of sales who sees only the customers of one salesperson."""
    owners = book.run(book.buyer.select("sales_owner").distinct().order_by("sales_owner"))["sales_owner"].to_pylist()
    return signed_in("sales", sales_owners=[owners[0]])


@pytest.fixture
def book():
    ledger = books.ledger()
    return ledger.as_of(books.day_of(ledger))


@pytest.fixture
def case(book):
    """The largest of the demo's cases."""
    keeping.run(book)
    return Case.objects.order_by("-overdue_minor").first()


def post(client, case, name, **fields):
    return client.post(f"/cases/{case.pk}/{name}/", {"mark": fields.pop("mark", "m1"), **fields})


def test_the_demo_has_cases_and_every_page_shows_them(anna, case):
    for address in (
        "/today/",
        "/cases/",
        "/cases/?view=list",
        "/cases/?tab=late",
        "/cases/?tab=closed",
        f"/cases/{case.pk}/",
        "/cases/rules/",
        "/cases/rules/?country=GB",
    ):
        for language in ("en", "zh"):
            anna.cookies["django_language"] = language
            page = anna.get(address)
            assert page.status_code == 200, address
            text = page.content.decode()
            assert "web.cases" not in text, address
            assert not re.search(r"\{[a-z_]+\}", re.sub(r"<(script|style).*?</\1>", "", text, flags=re.DOTALL)), address
    assert case.case_id in anna.get(f"/cases/{case.pk}/").content.decode()


@pytest.mark.alike
def test_only_those_who_see_the_buyer_see_its_case(bo, case):
    shown = [one for one in Case.objects.all() if bo.get(f"/cases/{one.pk}/").status_code == 200]
    hidden = [one for one in Case.objects.all() if bo.get(f"/cases/{one.pk}/").status_code == 404]
    assert shown and hidden
    text = bo.get("/cases/?view=list").content.decode() + bo.get("/today/").content.decode()
    assert not any(f'/cases/{one.pk}/"' in text for one in hidden)
    assert post(bo, hidden[0], "note", note="x").status_code == 404


def test_a_call_with_a_promise_is_written_down_once(anna, book, case):
    day = book.on.isoformat()
    fields = {
        "on": day,
        "who": "Ms Lin",
        "answered": "yes",
        "note": "will pay",
        "amount": "1,000.50",
        "currency": "CNY",
        "promised_on": (book.on + timedelta(days=5)).isoformat(),
    }
    for _ in range(2):
        assert post(anna, case, "call", **fields).status_code == 302
    promise = Promise.objects.get()
    assert (promise.amount_minor, promise.by, promise.made_on) == (1_000_50, "Ms Lin", book.on)
    assert CaseEvent.objects.filter(case=case, kind__in=("call", "promise")).count() == 2
    rows = Outgoing.objects.filter(table="case_event", row__case_id=case.case_id).values_list("row__kind", flat=True)
    assert sorted(rows) == ["call", "opened", "promise"]
    assert case.tasks.get(code="P04").state == "done"


@pytest.mark.alike
@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("call", {"on": "2999-01-01"}),
        ("call", {"on": "tomorrow"}),
        ("happened", {"kind": "opened", "on": "2020-01-01"}),
        ("happened", {"kind": "suit", "on": "2020-01-02", "received_on": "2020-01-01"}),
        ("happened", {"kind": "bill_received", "on": "2020-01-02"}),
        ("happened", {"kind": "insolvency_notice", "on": "2020-01-02", "due_on": "2202-01-02"}),
        ("pause", {"until": "2000-01-01", "note": "x"}),
        ("close", {"result": "written_off"}),
        ("close", {"result": "gone"}),
        ("plan", {"currency": "CNY", "on_1": "2000-01-01", "amount_1": "5"}),
        ("note", {"note": " "}),
        ("note", {"note": "x", "mark": "<b>"}),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence_and_nothing_is_written(anna, case, name, fields):
    before = CaseEvent.objects.count()
    answer = post(anna, case, name, **fields)
    assert answer.status_code == 409
    assert 'class="notice bad"' in answer.content.decode() or "bad" in answer.content.decode()
    assert CaseEvent.objects.count() == before


def test_the_day_that_something_names_is_kept_and_shown(anna, book, case):
    named = (book.on + timedelta(days=90)).isoformat()
    assert post(anna, case, "happened", kind="insolvency_notice", on=book.on.isoformat(), due_on=named, mark="m1").status_code == 302
    assert Outgoing.objects.get(table="case_event", row__kind="insolvency_notice").row["promised_on"] == named
    assert named in anna.get(f"/cases/{case.pk}/").content.decode()


def test_a_case_is_worked_from_a_dispute_to_its_end(anna, book, case):
    row = case.invoices.filter(left_on=None).first()
    assert (
        post(anna, case, "dispute", invoice=f"{row.invoice_id}|{row.instalment}", amount="1", note="two pallets broken").status_code == 302
    )
    assert Outgoing.objects.get(table="dispute").row["invoice_id"] == row.invoice_id
    later = (book.on + timedelta(days=20)).isoformat()
    assert post(anna, case, "plan", currency=row.currency, on_1=later, amount_1="100", security="a pledge", mark="m2").status_code == 302
    assert post(anna, case, "happened", kind="suit", on=book.on.isoformat(), reference="(2026) 1 号", mark="m3").status_code == 302
    assert case.tasks.get(code="P15").state == "done"
    assert post(anna, case, "task", said="Ask the port", due_on=later, mark="m4").status_code == 302
    assert post(anna, case, "pause", until=later, note="talks", mark="m5").status_code == 302
    assert post(anna, case, "resume", mark="m6").status_code == 302
    task = case.tasks.filter(state="open").first()
    assert anna.post(f"/cases/tasks/{task.pk}/end/", {"state": "done", "note": "ok"}).status_code == 302
    assert post(anna, case, "close", result="settled", recovered="12.00", mark="m7").status_code == 302
    case.refresh_from_db()
    assert (case.state, case.result, case.recovered_minor) == ("closed", "settled", 12_00)
    assert not case.tasks.filter(state="open").exists()
    assert post(anna, case, "call", on=book.on.isoformat(), mark="m8").status_code == 409
    kinds = sorted(Outgoing.objects.filter(table="case_event", row__case_id=case.case_id).values_list("row__kind", flat=True))
    assert kinds == ["closed", "dispute", "opened", "paused", "plan", "resumed", "suit"]
    page = anna.get(f"/cases/{case.pk}/").content.decode()
    assert "two pallets broken" in page


def test_a_case_is_opened_by_hand_from_the_buyers_page_once(anna, book):
    owed = next(iter(arrears(book)))
    assert b"csrfmiddlewaretoken" in anna.get(f"/buyers/{owed.buyer_id}/").content
    for _ in range(2):
        assert anna.post(f"/buyers/{owed.buyer_id}/case/", {"mark": "abc"}).status_code == 302
    case = Case.objects.get(buyer_id=owed.buyer_id)
    assert case.invoices.count() == len(owed.debts)
    assert case.tasks.filter(code="P02").exists()
    assert case.case_id in anna.get(f"/buyers/{owed.buyer_id}/").content.decode()


def test_the_playbook_is_changed_by_those_who_may_and_cases_follow(own_ledger, anna, bo):
    ledger = books.ledger()
    book = ledger.as_of(books.day_of(ledger))
    keeping.run(book)
    page = anna.get("/cases/rules/").content.decode()
    fields = dict(re.findall(r'name="(P\d\d\.days)" value="(-?\d+)"', page))
    fields |= {f"{code}.on": "on" for code in {name[:3] for name in fields}} | {
        name.replace(".days", ".unit"): "calendar" for name in fields
    }
    fields |= {"days_late": "1", "least_amount": "500.00", "escalate_after_days": "3", "version": "ours"}
    (
        fields["P04.days"],
        fields["new_en"],
        fields["new_zh"],
        fields["new_days"],
        fields["new_unit"],
        fields["new_phase"],
        fields["new_letter"],
    ) = "9", "Visit", "上门拜访", "12", "calendar", "demand", ""
    del fields["P07.on"]
    assert bo.post("/cases/rules/keep/", fields).status_code == 403
    assert anna.post("/cases/rules/keep/", {**fields, "P04.days": "soon"}).status_code == 422
    assert anna.post("/cases/rules/keep/", fields).status_code == 302
    ledger.refresh()
    again = keeping.run(ledger.as_of(book.on))
    assert again["opened"] == 0
    case = Case.objects.order_by("-overdue_minor").first()
    codes = set(case.tasks.filter(state="open").values_list("code", flat=True))
    assert "X01" in codes
    assert "P07" not in codes


def test_a_case_is_given_to_somebody_who_sees_it_and_they_are_told_once(anna, person, case, book):
    from duecourse.web.notices.models import Notice

    lin = person("collector", "lin")
    blind = person("sales", "wu", sales_owners=["nobody at all"])
    assert post(anna, case, "assign", to=str(blind.pk)).status_code == 409
    for _ in range(2):
        assert post(anna, case, "assign", to=str(lin.pk), mark="m2").status_code == 302
    case.refresh_from_db()
    assert case.owner == lin
    assert Notice.objects.filter(kind="case_assigned", person=lin).count() == 1
    assert "lin" in anna.get(f"/cases/{case.pk}/").content.decode()


def test_lists_are_taken_out_as_they_are_seen(anna, bo, signed_in, case):
    for address in ("/cases/export.csv", "/today/export.csv"):
        every = b"".join(anna.get(address).streaming_content).decode("utf-8-sig").splitlines()
        his = b"".join(bo.get(address).streaming_content).decode("utf-8-sig").splitlines()
        assert 1 < len(his) < len(every)
    one = b"".join(anna.get(f"/cases/export.csv?q={case.case_id}").streaming_content).decode("utf-8-sig").splitlines()
    assert len(one) == 2
    assert case.case_id in one[1]
    assert anna.get("/cases/export.xlsx").status_code == 200
    assert signed_in("viewer").get("/cases/export.csv").status_code == 403


@pytest.mark.alike
def test_a_firm_without_a_base_currency_is_told_what_to_set(anna, signed_in, case, monkeypatch):
    Case.objects.update(currency="XXX", overdue_minor=0, waiting_minor=0)
    monkeypatch.setattr("duecourse.ledger.book.Book.base_currency", "XXX")
    for address in ("/today/", "/cases/", "/cases/?view=list", f"/cases/{case.pk}/"):
        page = anna.get(address).content.decode()
        assert case.invoices.first().currency in page
        assert ("No base currency is set" in page) == (address != f"/cases/{case.pk}/")
    assert 'href="/settings/">Set the base currency' in signed_in("admin").get("/today/").content.decode()
    assert "Set the base currency" not in signed_in("viewer").get("/today/").content.decode()
