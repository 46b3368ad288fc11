"""Open-item lists, in any order and in pieces, give the truth at the day of each list."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.errors import SnapshotDateMissingError, SnapshotShrankError
from duecourse.intake.importer import Options, import_file, rederive
from support.importing import balances, codes, invoices, new_ledger, rows, write_csv

START = dt.date(2025, 1, 1)
COLUMNS = ["Invoice number", "Customer number", "Invoice date", "Due date", "Open amount", "Currency"]


@pytest.fixture
def ledger(tmp_path):
    return new_ledger(tmp_path / "ledger")


def item(number, open_amount, issued=START, due=None, buyer="1001", **more):
    return {
        "Invoice number": number, "Customer number": buyer, "Invoice date": issued.isoformat(), "Due date": (due or issued + dt.timedelta(30)).isoformat(),
        "Open amount": f"{open_amount / 100:.2f}", "Currency": "EUR", **more,
    }  # fmt: skip


def take(ledger, folder, lines, day, name=None, **options):
    path = write_csv(Path(folder) / (name or f"open items {day}.csv"), lines, None if lines else COLUMNS)
    return import_file(ledger, path, Options(shape="open_items", snapshot_date=day, **options))


def on(month, day=28):
    return dt.date(2025, month, day)


class TestTwoLists:
    def test_what_is_gone_was_settled_in_between(self, ledger, tmp_path):
        take(ledger, tmp_path, [item("A", 10000), item("B", 5000)], on(1))
        take(ledger, tmp_path, [item("B", 2000)], on(2))
        found = {row["invoice_id"]: row for row in rows(ledger, "settlement")}
        assert {number: row["amount_minor"] for number, row in found.items()} == {"A": 10000, "B": 3000}
        assert all(row["inferred"] and row["kind"] == "unknown" for row in found.values())
        assert (found["A"]["settle_date_from"], found["A"]["settle_date"]) == (on(1, 29), on(2))
        assert balances(ledger, on(1))[0] == {("A", 1): 10000, ("B", 1): 5000}
        assert balances(ledger, on(2))[0] == {("A", 1): 0, ("B", 1): 2000}

    def test_the_original_amount_tells_what_was_paid_before_the_first_list(self, ledger, tmp_path):
        take(ledger, tmp_path, [item("A", 4000, Amount="100.00")], on(1))
        assert invoices(ledger)["A", 1]["amount_minor"] == 10000
        (row,) = rows(ledger, "settlement")
        assert (row["settle_date_from"], row["settle_date"], row["amount_minor"]) == (START, on(1), 6000)

    def test_a_list_in_between_narrows_what_was_inferred(self, ledger, tmp_path):
        take(ledger, tmp_path, [item("A", 10000), item("B", 5000)], on(1))
        take(ledger, tmp_path, [item("B", 5000)], on(3))
        before = ledger.state.last.recorded_at
        take(ledger, tmp_path, [item("A", 10000), item("B", 5000)], on(2))
        (row,) = rows(ledger, "settlement")
        assert (row["settle_date_from"], row["settle_date"]) == (on(3, 1), on(3))
        assert balances(ledger, on(2))[0]["A", 1] == 10000
        book = ledger.as_of(on(3), before)
        (known_then,) = book.run(book.settlement).to_pylist()
        assert known_then["settle_date_from"] == on(1, 29)

    def test_a_withdrawn_list_takes_its_inferences_along(self, ledger, tmp_path):
        take(ledger, tmp_path, [item("A", 10000)], on(1))
        result = take(ledger, tmp_path, [item("B", 1000)], on(2))
        assert balances(ledger, on(2))[0]["A", 1] == 0
        ledger.void(result.batch_id, "wrong company")
        rederive(ledger)
        assert balances(ledger, on(2))[0] == {("A", 1): 10000}
        assert rederive(ledger) is None

    def test_a_credit_in_the_list_waits_apart_until_it_is_gone(self, ledger, tmp_path):
        take(ledger, tmp_path, [item("A", 10000), item("G", -3000)], on(1))
        assert balances(ledger, on(1)) == ({("A", 1): 10000}, 3000)
        take(ledger, tmp_path, [item("A", 7000)], on(2))
        assert balances(ledger, on(2)) == ({("A", 1): 7000}, 0)
        assert balances(ledger, on(1)) == ({("A", 1): 10000}, 3000)

    def test_a_payment_known_by_its_date_is_not_inferred_again(self, ledger, tmp_path):
        take(ledger, tmp_path, [item("A", 10000)], on(1))
        payment = {
            "Receipt no": "P",
            "Customer number": "1001",
            "Payment date": "2025-02-10",
            "Amount": "60.00",
            "Currency": "EUR",
            "Applied invoice": "A",
        }
        take(ledger, tmp_path, [item("B", 500, issued=on(2, 1))], on(2))
        import_file(ledger, write_csv(tmp_path / "payments.csv", [payment]), Options(shape="payments"))
        assert balances(ledger, on(2, 10))[0]["A", 1] == 4000
        assert balances(ledger, on(2))[0]["A", 1] == 0

    def test_a_list_does_not_spoil_what_a_fuller_file_said(self, ledger, tmp_path):
        full = {**item("A", 0), "Amount": "100.00", "Sales order": "SO7"}
        del full["Open amount"]
        import_file(ledger, write_csv(tmp_path / "invoices.csv", [full]), Options(shape="transactions"))
        take(ledger, tmp_path, [item("A", 4000)], on(1))
        row = invoices(ledger)["A", 1]
        assert (row["amount_minor"], row["order_number"]) == (10000, "SO7")
        assert balances(ledger, on(1))[0] == {("A", 1): 4000}


class TestWhichDay:
    def test_the_name_of_the_file_tells(self, ledger, tmp_path):
        result = import_file(ledger, write_csv(tmp_path / "open items 2025-01-31.csv", [item("A", 100)]), Options(shape="open_items"))
        assert result.snapshot_date == dt.date(2025, 1, 31)

    def test_else_the_latest_posting_with_a_warning(self, ledger, tmp_path):
        result = import_file(
            ledger, write_csv(tmp_path / "list.csv", [item("A", 100), item("B", 100, issued=on(2))]), Options(shape="open_items")
        )
        assert result.snapshot_date == on(2)
        assert "snapshot_date_assumed" in codes(result)

    def test_else_it_is_refused_and_says_which_option_to_give(self, ledger, tmp_path):
        line = item("A", 100)
        del line["Invoice date"]
        with pytest.raises(SnapshotDateMissingError, match="--snapshot"):
            import_file(ledger, write_csv(tmp_path / "list.csv", [line]), Options(shape="open_items"))
        assert ledger.journal()[-1].kind == "create"


class TestShrinking:
    def test_a_list_with_less_than_half_of_the_last_is_refused_unless_told(self, ledger, tmp_path):
        take(ledger, tmp_path, [item(f"A{n}", 100) for n in range(30)], on(1))
        small = [item(f"A{n}", 100) for n in range(10)]
        with pytest.raises(SnapshotShrankError, match="--partial"):
            take(ledger, tmp_path, small, on(2))
        assert ledger.version == 1
        take(ledger, tmp_path, small, on(2), completeness="partial")
        assert sum(balances(ledger, on(2))[0].values()) == 3000
        take(ledger, tmp_path, small, on(3), completeness="complete")
        assert sum(balances(ledger, on(3))[0].values()) == 1000

    def test_a_short_list_may_empty(self, ledger, tmp_path):
        take(ledger, tmp_path, [item(f"A{n}", 100) for n in range(20)], on(1))
        take(ledger, tmp_path, [item("A0", 100)], on(2))
        assert sum(balances(ledger, on(2))[0].values()) == 100


@st.composite
def histories(draw):
    """Invoices with random payments, seen by lists on some days; the lists arrive in any order."""
    days = sorted(draw(st.sets(st.integers(1, 60), min_size=1, max_size=4)))
    items = {}
    for number in range(draw(st.integers(1, 5))):
        issued = draw(st.integers(0, 50))
        amount = draw(st.integers(1, 500))
        payments = []
        left = amount
        for _ in range(draw(st.integers(0, 3))):
            part = draw(st.integers(1, max(left, 1)))
            part = min(part, left)
            if part:
                payments.append((issued + draw(st.integers(0, 40)), part))
                left -= part
        items[f"I{number}"] = (issued, amount, payments)
    return days, items, draw(st.permutations(days))


def open_on(entry, day):
    issued, amount, payments = entry
    return 0 if issued > day else amount - sum(part for when, part in payments if when <= day)


@settings(max_examples=6)
@given(histories())
def test_lists_in_any_order_give_the_truth_on_their_days(history):
    days, items, order = history
    with tempfile.TemporaryDirectory() as folder:
        ledger = new_ledger(Path(folder) / "ledger")
        for day in order:
            seen = {name: open_on(entry, day) for name, entry in items.items()}
            lines = [
                item(name, left, issued=START + dt.timedelta(items[name][0]), Amount=f"{items[name][1] / 100:.2f}")
                for name, left in seen.items()
                if left
            ]
            # A list always has something in it: one item that stays open.
            lines.append(item("STAYS", 1, Amount="0.01"))
            take(ledger, folder, lines, START + dt.timedelta(day))
        for day in days:
            found = balances(ledger, START + dt.timedelta(day))[0]
            seen_before = {name for name, entry in items.items() if any(open_on(entry, other) for other in days if other <= day)}
            for name, entry in items.items():
                if any(open_on(entry, other) for other in days) and entry[0] <= day:
                    expected = open_on(entry, day) if name in seen_before else None
                    if expected is not None:
                        assert found[name, 1] == expected, (name, day)


@settings(max_examples=3)
@given(histories(), st.integers(0, 5))
def test_a_list_in_two_pieces_is_the_list(history, cut):
    days, items, _order = history
    with tempfile.TemporaryDirectory() as folder:
        whole, parts = new_ledger(Path(folder) / "whole"), new_ledger(Path(folder) / "parts")
        for day in days:
            lines = [
                item(name, open_on(entry, day), issued=START + dt.timedelta(entry[0]))
                for name, entry in items.items()
                if open_on(entry, day)
            ]
            lines.append(item("STAYS", 1))
            take(whole, folder, lines, START + dt.timedelta(day), completeness="complete")
            for name, piece in (("one", lines[:cut]), ("two", lines[cut:])):
                if piece:
                    take(parts, folder, piece, START + dt.timedelta(day), name=f"{name} {day}.csv", completeness="complete")
        for day in range(0, 100, 7):
            assert balances(whole, START + dt.timedelta(day)) == balances(parts, START + dt.timedelta(day))
