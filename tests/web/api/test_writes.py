"""Facts in: what is answered is in the ledger, exactly; what is wrong is refused by row and field; nothing is done twice."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from duecourse.desk.posting import far
from duecourse.web import books
from duecourse.web.accounts.models import AuditEvent
from duecourse.web.api import idempotency, writes
from duecourse.web.api.committing import committer
from duecourse.web.api.models import IdempotencyKey

BUYER = {"buyer_id": "api/1~2", "name": "Nordwind GmbH", "name_local": "北风", "country": "DE", "payment_terms_days": 30}
SETTLEMENT = {
    "settlement_id": "R1",
    "kind": "cash",
    "buyer_id": "api-buyer",
    "invoice_id": "API-0",
    "settle_date": "2025-03-20",
    "amount": "40.25",
    "currency": "CNY",
}
DISPUTE = {
    "dispute_id": "D1",
    "buyer_id": "api-buyer",
    "invoice_id": "API-0",
    "raised_on": "2025-03-05",
    "amount": "10",
    "currency": "CNY",
    "reason": "damaged",
}
ORDER = {"order_id": "O1", "buyer_id": "api-buyer", "order_date": "2025-02-01", "amount": "5000", "currency": "JPY", "status": "released"}
RATE = {"base_currency": "USD", "quote_currency": "CNY", "rate_date": "2025-03-31", "rate": "7.2345"}


def rows_of(entry: str, **equal: str) -> list[dict]:
    book = far(books.ledger())
    table = getattr(book, entry)
    for name, value in equal.items():
        table = table.filter(table[name] == value)
    return book.run(table).to_pylist()


def test_every_kind_of_fact_comes_in_and_is_read_back_exactly(own_ledger, caller, invoices):
    client = caller()
    for path, body in (
        ("/buyers", BUYER), ("/invoices", invoices(2)), ("/settlements", [SETTLEMENT]), ("/disputes", DISPUTE), ("/orders", [ORDER]), ("/exchange-rates", RATE),
    ):  # fmt: skip
        answer = client.post(path, body)
        assert answer.status_code == 201, answer.content
        assert answer.json()["added"] == (len(body) if isinstance(body, list) else 1)
    assert [row["amount_minor"] for row in rows_of("invoice", buyer_id="api-buyer")] == [10050, 10150]
    assert rows_of("order", order_id="O1")[0]["amount_minor"] == 5000  # yen have no decimals
    assert client.get("/orders", {"buyer_id": "api-buyer"}).json()["rows"][0]["amount"] == "5000"
    assert [
        row["rate"]
        for row in client.get("/exchange-rates", {"since": "2025-03-31", "until": "2025-03-31"}).json()["rows"]
        if row["provider"] == "own"
    ] == ["7.2345"]
    row = client.get("/invoices", {"search": "API-0"}).json()["rows"][0]
    assert (row["amount"], row["open"], row["disputed"]) == ("100.50", "60.25", True)
    one = client.get("/invoices/API-0/1").json()
    assert (one["invoice"]["open"], one["settlements"][0]["amount"], one["disputes"][0]["reason"]) == ("60.25", "40.25", "damaged")
    assert client.get(f"/changes/{one['invoice']['source']}").json()["change"]["kind"] == "post"
    assert client.get("/invoices/API-0/2").status_code == 404
    assert client.get("/buyers/api~11~02").json()["profile"]["name_local"] == "北风"
    whats = [row["what"] for row in client.get("/buyers/api-buyer/timeline").json()["rows"]]
    assert whats == ["settlement", "dispute_raised", "invoice", "invoice", "order"]


def test_what_the_register_says_comes_in_with_the_buyer_and_is_read_back(own_ledger, caller):
    client = caller()
    registered = {
        **BUYER, "vat_number": "DE136695976", "lei": "5493001KJTIIGC8Y1R12", "legal_form": "GmbH", "founded_on": "2001-02-03",
        "registered_capital": "25000.00", "registered_capital_currency": "EUR", "registry_status": "active", "legal_representative": "Eva Braun",
        "owner_name": "Nordwind SE",
    }  # fmt: skip
    assert client.post("/buyers", registered).json()["added"] == 1
    row = rows_of("buyer", buyer_id=BUYER["buyer_id"])[0]
    assert (row["registered_capital_minor"], row["registered_capital_currency"]) == (2_500_000, "EUR")
    told = client.get("/buyers/api~11~02").json()["profile"]
    assert {name: told[name] for name in registered} == registered
    assert client.post("/buyers", registered).json()["unchanged"] == 1, "sent as it is read"
    for wrong, field, code in (
        ({"registered_capital_currency": None}, "registered_capital_currency", "currency_missing"),
        ({"registered_capital_currency": "QQQ"}, "registered_capital_currency", "currency_unknown"),
        ({"registered_capital": "1.005"}, "registered_capital", "amount_inexact"),
        ({"registered_capital": 7}, "registered_capital", "not_text"),
    ):
        answer = client.post("/buyers", {**registered, **wrong})
        assert answer.status_code == 422
        assert [(one["field"], one["code"]) for one in answer.json()["errors"]] == [(field, code)]


def test_one_fact_is_put_corrected_and_withdrawn_under_its_key(own_ledger, caller):
    client = caller()
    body = {"buyer_id": "b", "issue_date": "2025-03-01", "amount": "1.00", "currency": "CNY"}
    assert client.send("PUT", "/invoices/X~11/1", body).status_code == 201
    again = client.send("PUT", "/invoices/X~11/1", {**body, "amount": "2.00"})
    assert (again.status_code, again.json()["corrected"]) == (200, 1)
    assert rows_of("invoice", invoice_id="X/1")[0]["amount_minor"] == 200
    gone = client.send("DELETE", "/invoices/X~11/1?reason=typed%20twice")
    assert (gone.status_code, gone.json()["withdrawn"]) == (200, 1)
    assert rows_of("invoice", invoice_id="X/1") == []
    assert client.send("DELETE", "/invoices/X~11/1?reason=again").status_code == 404
    assert client.send("DELETE", "/invoices/X~11/1").status_code == 422  # without a reason
    assert client.send("PUT", "/invoices/X~11/1", {**body, "invoice_id": "other"}).json()["errors"][0]["code"] == "key_in_address"
    assert AuditEvent.objects.filter(act="post", kind="invoices").count() == 3


WRONG = [
    ({"amount": "1.005"}, "amount", "amount_inexact"), ({"amount": 5}, "amount", "not_text"), ({"amount": "0"}, "amount", "amount_not_positive"),
    ({"amount": "1e3"}, "amount", "wrong_form"), ({"amount": "NaN"}, "amount", "wrong_form"), ({"currency": "ZZZ"}, "currency", "currency_unknown"),
    ({"currency": "cny"}, "currency", "wrong_form"), ({"issue_date": "2026-02-30"}, "issue_date", "not_a_date"),
    ({"issue_date": 5}, "issue_date", "not_a_date"), ({"due_date": "3025-01-01"}, "due_date", "date_implausible"),
    ({"invoice_id": ""}, "invoice_id", "wrong_form"), ({"invoice_id": "API-0"}, "invoice_id", "duplicate_key"), ({"colour": "red"}, "colour", "field_unknown"),
    ({"instalment": 0}, "instalment", "out_of_range"), ({"kind": "gift"}, "kind", "not_one_of"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "field", "code"), WRONG)
def test_a_wrong_row_is_refused_by_row_and_field_and_nothing_is_written(own_ledger, caller, invoices, wrong, field, code):
    version = books.ledger().version
    rows = invoices(3)
    rows[1] |= wrong
    answer = caller().post("/invoices", rows)
    assert answer.status_code == 422
    told = answer.json()
    assert [(one["pointer"], one["row"], one["field"], one["code"]) for one in told["errors"]] == [(f"#/1/{field}", 1, field, code)]
    assert told["errors"][0]["detail"]
    assert books.ledger().version == version


def test_the_good_rows_alone_where_that_is_asked_for(own_ledger, caller, invoices):
    rows = [
        *invoices(3),
        "nonsense",
        *({**row, **wrong} for (wrong, _f, _c), row in zip(WRONG, invoices(len(WRONG), prefix="W-"), strict=True)),
    ]
    answer = caller().post("/invoices?partial=true", rows)
    told = answer.json()
    assert (answer.status_code, told["added"], told["received"], told["refused"]) == (201, 3, len(rows), len(WRONG) + 1)
    assert told["refused_rows"] == list(range(3, len(rows)))
    assert [one["row"] for one in told["errors"]] == list(range(3, len(rows)))
    assert sorted(row["invoice_id"] for row in rows_of("invoice", buyer_id="api-buyer")) == ["API-0", "API-1", "API-2"]
    lines = [row["source_row"] for row in rows_of("invoice", buyer_id="api-buyer")]
    assert sorted(lines) == [1, 2, 3]


def test_lines_of_json_do_as_well(own_ledger, caller, invoices):
    lines = "\n".join(json.dumps(row) for row in invoices(4)) + "\n\n"
    assert caller().post("/invoices", lines, content_type="application/x-ndjson").json()["added"] == 4


@pytest.mark.parametrize("body", ["", "{", "nonsense", "[]", '"text"', "[[]]", "null", '{"buyer_id": "\\ud800"}', b"\xff\xfe"])
def test_what_is_no_row_is_a_problem(caller, body):
    answer = caller().post("/buyers", body)
    assert answer.status_code in (400, 415, 422)
    assert answer["Content-Type"] == "application/problem+json"


def test_a_hundred_thousand_and_one_rows_are_too_many(caller):
    body = b"[" + b",".join([b"{}"] * 100_001) + b"]"
    answer = caller().post("/buyers", body)
    assert answer.status_code in (413, 422)
    good = json.dumps([{"buyer_id": str(number)} for number in range(100_001)])
    answer = caller().post("/buyers", good)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_many_rows")


def test_a_key_with_rows_of_its_own_writes_none_of_others(own_ledger, caller, invoices):
    everybody = caller()
    rows = everybody.get("/buyers", {"limit": 1000}).json()["rows"]
    mine = next(row for row in rows if row["sales_owner"])
    other = next(row for row in rows if row["sales_owner"] not in (None, mine["sales_owner"]))
    bo = caller("credit_analyst", sales_owners=[mine["sales_owner"]])
    assert bo.post("/invoices", invoices(1, buyer_id=mine["buyer_id"])).status_code == 201
    for path, body in (
        ("/invoices", invoices(1, prefix="Z", buyer_id=other["buyer_id"])), ("/invoices", invoices(1, prefix="Z")),
        ("/settlements", {**SETTLEMENT, "buyer_id": other["buyer_id"]}),
        ("/buyers", {"buyer_id": other["buyer_id"], "sales_owner": mine["sales_owner"]}),
        ("/buyers", {"buyer_id": "new", "sales_owner": other["sales_owner"]}),
        ("/exchange-rates", RATE),
    ):  # fmt: skip
        answer = bo.post(path, body)
        assert answer.status_code == 422, (path, body)
        assert {one["code"] for one in answer.json()["errors"]} == {"outside_scope"}
    hidden = everybody.get(f"/buyers/{other['buyer_id']}/invoices", {"limit": 1}).json()["rows"][0]
    taken = invoices(1, buyer_id=mine["buyer_id"], invoice_id=hidden["invoice_id"], instalment=hidden["instalment"])
    assert bo.post("/invoices", taken).json()["errors"][0]["code"] == "outside_scope"
    assert bo.send("DELETE", f"/invoices/{hidden['invoice_id']}/{hidden['instalment']}?reason=x").status_code == 404


# Once


def test_the_same_key_gives_the_same_answer_and_adds_nothing(own_ledger, caller, invoices):
    client, key = caller(), str(uuid.uuid4())
    first = client.post("/invoices", invoices(3), key=key)
    version = books.ledger().version
    again = client.post("/invoices", invoices(3), key=f'"{key}"')
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert books.ledger().version == version
    other = client.post("/invoices", invoices(2), key=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert caller("credit_analyst").post("/invoices", invoices(3), key=key).status_code == 200  # somebody else's key is another key


def test_a_write_needs_a_key(caller, invoices):
    for key in ("", "ü", "x" * 256):
        answer = caller().send("POST", "/invoices", invoices(1), key=key)
        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")


def test_a_refused_write_leaves_its_key_free(own_ledger, caller, invoices):
    client = caller()
    assert client.post("/invoices", invoices(1, amount="x"), key="k").status_code == 422
    assert client.post("/invoices", invoices(1), key="k").status_code == 201


def test_while_the_first_is_under_way_the_second_is_sent_away(own_ledger, caller, invoices, monkeypatch):
    client = caller()
    seen = []
    whole = committer.write

    def write(post):
        monkeypatch.setattr(committer, "write", whole)
        seen.append(client.post("/invoices", invoices(1), key="k"))
        return whole(post)

    monkeypatch.setattr(committer, "write", write)
    assert client.post("/invoices", invoices(1), key="k").status_code == 201
    assert (seen[0].status_code, seen[0].json()["code"]) == (409, "idempotency_in_flight")
    assert seen[0]["Retry-After"] == "1"


def test_a_crash_between_the_ledger_and_the_answer_doubles_nothing(own_ledger, caller, invoices, monkeypatch):
    client = caller()
    whole = writes._tell

    def gone(*_args):
        monkeypatch.setattr(writes, "_tell", whole)
        raise RuntimeError("the machine is gone")

    monkeypatch.setattr(writes, "_tell", gone)
    first = client.post("/invoices", invoices(3), key="k")
    assert first.status_code == 500
    assert IdempotencyKey.objects.get(key="k").answer_status is None
    version = books.ledger().version
    again = client.post("/invoices", invoices(3), key="k")
    assert (again.status_code, again.json()["added"], again.json()["unchanged"]) == (201, 3, 0)
    assert books.ledger().version == version
    assert client.post("/invoices", invoices(3), key="k").content == again.content
    assert len(rows_of("invoice", buyer_id="api-buyer")) == 3


def test_keys_are_forgotten_after_thirty_days(own_ledger, caller, invoices):
    caller().post("/invoices", invoices(1), key="old")
    caller().post("/invoices", invoices(1, prefix="B"), key="new")
    IdempotencyKey.objects.filter(key="old").update(created_at=timezone.now() - timedelta(days=31))
    assert idempotency.clean() == 1
    assert IdempotencyKey.objects.get().key == "new"


STEPS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.booleans()), min_size=1, max_size=8)


@given(steps=STEPS)
@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
def test_however_often_writes_are_sent_each_counts_once(own_ledger, caller, invoices, steps):
    """A key is one write: sent again it answers as before, and the ledger is that of each key's first sending."""
    client, mark = caller(), uuid.uuid4().hex
    expected, answers = {}, {}
    for key, amount, corrected in steps:
        name = f"{mark}-{key}-{amount}"
        answer = client.post("/invoices", invoices(1, prefix=f"{mark}-{key}-", amount=f"{amount + 1}.00"), key=name)
        assert answer.status_code in (200, 201)
        if name in answers:
            assert answer.content == answers[name]
        else:
            answers[name] = answer.content
            expected[f"{mark}-{key}-0"] = (amount + 1) * 100
        del corrected
    found = {
        row["invoice_id"]: row["amount_minor"] for row in rows_of("invoice", buyer_id="api-buyer") if row["invoice_id"].startswith(mark)
    }
    assert found == expected
