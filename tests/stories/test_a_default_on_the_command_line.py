"""From the day a debt fell due to its recovery on the command line, across a golden week and a day on which nothing ran."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

DRIVER = """
import io, json, sys, contextlib
from duecourse import cli
from datetime import date
import pyarrow as pa
from duecourse.ledger.entries import ENTRIES
from duecourse.desk.opening import open_ledger

def put(table, rows):
    ledger = open_ledger(PLACE, create=True)
    entry = ENTRIES[table]
    rows = [{name: row.get(name) for name in entry.facts.names} for row in rows]
    with ledger.draft("post", note="story") as draft:
        draft.put(table, pa.Table.from_pylist(rows, schema=entry.facts))
        draft.commit()

def run(*words, fails=False):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.main(["--ledger", PLACE, "--format", "json", *words])
    assert (code != 0) == fails, (words, code, out.getvalue(), err.getvalue())
    return json.loads(out.getvalue()) if out.getvalue().strip() and not fails else err.getvalue() + out.getvalue()
"""

STORY = """
DUE = date(2026, 9, 25)   # Friday, the first day of the mid-autumn holiday
put("setting", [{"name": "base_currency", "value": '"CNY"'}, {"name": "own_country", "value": '"CN"'}])
put("buyer", [{"buyer_id": "B1", "name": "Qingdao Haiyu Machinery Co., Ltd.", "name_local": "青岛海宇机械有限公司", "country": "CN"}])
put("invoice", [{"invoice_id": "1001", "instalment": 1, "kind": "invoice", "buyer_id": "B1", "issue_date": date(2026, 8, 26), "due_date": DUE, "amount_minor": 10_000_000, "currency": "CNY"},
    {"invoice_id": "2001", "instalment": 1, "kind": "invoice", "buyer_id": "B2", "issue_date": date(2026, 10, 17), "due_date": date(2026, 12, 21), "amount_minor": 100, "currency": "CNY"}])
run("migrate")
import django
from duecourse.web.accounts.models import Person
Person.objects.create(username="lin", email="lin@example.com", role="credit_manager")

# P00: a week before the due date a reminder is due, and nothing else.
assert [(row["buyer_id"], row["step"]) for row in run("--as-of", "2026-09-18", "letters", "due")["rows"]] == [("B1", "P00")]
run("run-day", "--on", "2026-09-25")
assert run("--as-of", "2026-09-25", "cases")["cases"] == []
run("run-day", "--on", "2026-09-26")
(case,) = run("--as-of", "2026-09-26", "cases")["cases"]
shown = run("--as-of", "2026-09-26", "case", "show", case["case_id"])
due = {task["step"]: task["due_date"] for task in shown["tasks"]}
assert due["P02"] == "2026-09-30", due     # three working days: 28, 29, 30 September
assert due["P04"] == "2026-10-09", due     # five: the golden week is not worked, and Saturday 10 October is
assert due["P05"] == "2026-10-12", due

run("--as-of", "2026-09-30", "case", "event", case["case_id"], "demand", "--on", "2026-09-29", "--received", "2026-09-30", "--reference", "EMS 100", "--proof", "a" * 64)
run("--as-of", "2026-09-30", "case", "call", case["case_id"], "--with", "Ms Lin", "--promise", "40,000", "--for", "2026-10-05")
# Nothing ran from 27 September: the days are made up for in order, the machine was down on the 9th as well.
run("run-day", "--on", "2026-10-08")
shown = run("--as-of", "2026-10-08", "case", "show", case["case_id"])
assert not any("promise of" in event["text"] for event in shown["events"]), shown["events"]  # kept on the first working day, the 8th
put("settlement", [{"settlement_id": "S1", "kind": "cash", "buyer_id": "B1", "invoice_id": "1001", "instalment": 1, "settle_date": date(2026, 10, 8), "amount_minor": 4_000_000, "currency": "CNY"}])
run("run-day", "--on", "2026-10-10")
shown = run("--as-of", "2026-10-10", "case", "show", case["case_id"])
assert any("was kept" in event["text"] for event in shown["events"]), shown["events"]
assert {task["step"]: task["state"] for task in shown["tasks"]}["P02"] == "done"

run("--as-of", "2026-10-10", "case", "event", case["case_id"], "acknowledgement", "--on", "2026-10-10", "--amount", "60000", "--note", "sealed statement")
run("--as-of", "2026-10-10", "case", "plan", case["case_id"], "2026-10-12=30000", "2026-10-15=30000", "--grace", "1", "--security", "guarantee of the owner")
assert "days rise" in run("--as-of", "2026-10-10", "case", "plan", case["case_id"], "2000-01-01=1", fails=True)
run("run-day", "--on", "2026-10-13")
shown = run("--as-of", "2026-10-13", "case", "show", case["case_id"])
assert not any("plan was broken" in event["text"] for event in shown["events"])
run("run-day", "--on", "2026-10-14")
shown = run("--as-of", "2026-10-14", "case", "show", case["case_id"])
assert any("plan was broken" in event["text"] for event in shown["events"]), shown["events"]
run("--as-of", "2026-10-14", "case", "event", case["case_id"], "suit", "--on", "2026-10-14", "--reference", "(2026) 鲁 0202 民初 1 号")
clocks = run("--as-of", "2026-10-14", "clocks", "B1")
put("settlement", [{"settlement_id": "S2", "kind": "cash", "buyer_id": "B1", "invoice_id": "1001", "instalment": 1, "settle_date": date(2026, 10, 16), "amount_minor": 6_000_000, "currency": "CNY"}])
run("run-day", "--on", "2026-10-16")
shown = run("--as-of", "2026-10-16", "case", "show", case["case_id"])
open_ = [task["step"] for task in shown["tasks"] if task["state"] == "to do"]
assert open_ == ["paid"], open_           # the principal is paid; the interest is still ours to claim
owed = run("--as-of", "2026-10-16", "interest", "B1")
run("--as-of", "2026-10-16", "case", "done", case["case_id"], "paid", "--note", "interest waived by agreement")
shown = run("--as-of", "2026-10-16", "case", "close", case["case_id"], "paid")
assert (shown["state"], shown["result"]) == ("closed", "paid")
(closed,) = run("--as-of", "2026-10-16", "cases", "--state", "closed")["cases"]
assert "100000.00" in json.dumps(closed["recovered"]), closed

# What was done is in the ledger, once each, and the day's run may be asked again.
ledger = open_ledger(PLACE)
book = ledger.as_of(date(2026, 10, 16))
from duecourse.ledger.entries import CASE_EVENT
kinds = sorted(book.run(book.table(CASE_EVENT))["kind"].to_pylist())
assert kinds == sorted(["opened", "demand", "call", "promise", "acknowledgement", "plan", "plan_broken", "suit", "closed"]), kinds
print("TOLD " + json.dumps({"clocks": clocks, "owed": owed}, ensure_ascii=False))
"""


@pytest.mark.long
def test_a_default_from_its_due_date_to_recovery(tmp_path):
    place = str(tmp_path / "ledger")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DUECOURSE_", "DJANGO_"))}
    environment |= {
        "DUECOURSE_HOME": str(tmp_path / "home"),
        "DUECOURSE_LANG": "en",
        "DUECOURSE_SECRET_KEY": "only for this test, never for a server",
    }
    told = subprocess.run(
        [sys.executable, "-c", f"PLACE = {place!r}\n{DRIVER}\n{STORY}"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert told.returncode == 0, told.stderr[-3000:] + told.stdout[-1000:]
    said = json.loads(next(line for line in told.stdout.splitlines() if line.startswith("TOLD ")).removeprefix("TOLD "))
    text = json.dumps(said["clocks"])
    assert "stopped" in text
