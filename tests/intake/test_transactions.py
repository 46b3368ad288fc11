"""Lists of documents become invoices and settlements, right as of every date."""

from __future__ import annotations

import datetime as dt

import pytest

from duecourse.intake.importer import Options, import_file
from support.importing import balances, codes, invoices, new_ledger, rows, settlements, write_csv


@pytest.fixture
def ledger(tmp_path):
    return new_ledger(tmp_path / "ledger")


def take(ledger, tmp_path, lines, name="list.csv", columns=None, **options):
    return import_file(ledger, write_csv(tmp_path / name, lines, columns), Options(**options))


def invoice(number, **more):
    return {
        "Invoice number": number, "Customer number": "1001", "Invoice date": "2025-01-10", "Due date": "2025-02-09", "Amount": "100.00",
        "Currency": "EUR", **more,
    }  # fmt: skip


def sap(number, kind, amount, posted, *, due="", cleared="", clearing="", refers="", buyer="1001", item="1", company="1000"):
    return {
        "BUKRS": company, "KUNNR": buyer, "BELNR": number, "BUZEI": item, "BLART": kind, "BLDAT": posted, "BUDAT": posted, "NETDT": due or posted,
        "WRBTR": amount, "WAERS": "EUR", "AUGDT": cleared, "AUGBL": clearing, "REBZG": refers,
    }  # fmt: skip


class TestInvoiceLists:
    def test_an_invoice_with_a_settlement_date_was_paid_in_cash_that_day(self, ledger, tmp_path):
        take(ledger, tmp_path, [invoice("A1", **{"Payment date": "2025-02-20"}), invoice("A2", **{"Payment date": ""})])
        paid = settlements(ledger)
        assert [(row["kind"], row["invoice_id"], row["settle_date"], row["amount_minor"]) for row in paid.values()] == [
            ("cash", "A1", dt.date(2025, 2, 20), 10000)
        ]
        assert balances(ledger, dt.date(2025, 2, 19))[0] == {("A1", 1): 10000, ("A2", 1): 10000}
        assert balances(ledger, dt.date(2025, 2, 20))[0] == {("A1", 1): 0, ("A2", 1): 10000}

    def test_minor_units_follow_the_currency(self, ledger, tmp_path):
        take(
            ledger,
            tmp_path,
            [invoice("J", Currency="JPY", Amount="1200"), invoice("K", Currency="KWD", Amount="1.234"), invoice("E", Amount="1.2")],
        )
        assert {key[0]: row["amount_minor"] for key, row in invoices(ledger).items()} == {"J": 1200, "K": 1234, "E": 120}

    def test_lines_of_one_number_with_different_due_dates_are_instalments(self, ledger, tmp_path):
        take(ledger, tmp_path, [invoice("A", **{"Due date": "2025-04-09"}), invoice("A"), invoice("B")])
        assert {key: row["due_date"] for key, row in invoices(ledger).items()} == {
            ("A", 1): dt.date(2025, 2, 9), ("A", 2): dt.date(2025, 4, 9), ("B", 1): dt.date(2025, 2, 9),
        }  # fmt: skip

    def test_identical_lines_are_taken_once_and_said(self, ledger, tmp_path):
        result = take(ledger, tmp_path, [invoice("A"), invoice("B"), invoice("A")])
        assert len(invoices(ledger)) == 2
        assert result.repeated == 1
        assert "rows_repeated" in codes(result)

    def test_a_number_used_twice_for_different_things_is_set_aside(self, ledger, tmp_path):
        result = take(ledger, tmp_path, [invoice("A"), invoice("B"), invoice("A", Amount="70.00")])
        assert invoices(ledger)["A", 1]["amount_minor"] == 10000
        assert [(row["file_row"], row["code"], row["value"]) for row in rows(ledger, "quarantine")] == [(4, "duplicate_key", "A")]
        assert result.quarantined == 1

    def test_lines_without_numbers_keep_their_repetitions_and_come_in_once(self, ledger, tmp_path):
        lines = [{k: v for k, v in invoice("").items() if k != "Invoice number"} for _ in range(3)]
        take(ledger, tmp_path, [*lines, {**lines[0], "Amount": "55.00"}])
        again = take(ledger, tmp_path, [{**lines[0], "Amount": "55.00"}, *lines], name="other order.csv")
        assert len(invoices(ledger)) == 4
        assert again.added["invoice"] == 0

    def test_the_same_number_in_two_of_our_companies_is_two_documents(self, ledger, tmp_path):
        lines = [invoice("A", **{"Company code": company}) for company in ("1000", "2000")]
        take(ledger, tmp_path, lines)
        take(ledger, tmp_path, [lines[1]], name="again.csv")
        assert {(row["invoice_id"], row["legal_entity"]) for row in rows(ledger, "invoice")} == {("A", "1000"), ("2000/A", "2000")}

    def test_without_an_issue_date_it_is_the_due_date_less_the_term_but_never_after_payment(self, ledger, tmp_path):
        base = {"Customer number": "1", "Amount": "10.00", "Currency": "EUR", "usual_term": "30"}
        lines = [
            {"Invoice number": "A", **base, "Due date": "2025-03-31", "Payment date": ""},
            {"Invoice number": "B", **base, "Due date": "2025-03-31", "Payment date": "2025-02-01"},
            {"Invoice number": "C", **base, "Due date": "2025-09-30", "Payment date": ""},
        ]
        result = take(ledger, tmp_path, lines, name="invoices_as_of_2025-04-30.csv")
        found = {key[0]: (row["issue_date"], row["issue_date_estimated"]) for key, row in invoices(ledger).items()}
        assert found == {"A": (dt.date(2025, 3, 1), True), "B": (dt.date(2025, 2, 1), True), "C": (dt.date(2025, 4, 30), True)}
        assert "issue_dates_estimated" in codes(result)

    def test_the_payer_owes_and_the_orderer_is_remembered(self, ledger, tmp_path):
        take(ledger, tmp_path, [{**invoice("A"), "Payer": "9000", "Sold-to": "1001"}], columns=None)
        row = invoices(ledger)["A", 1]
        assert (row["buyer_id"], row["orderer_id"]) == ("9000", "1001")

    def test_leading_zeros_that_a_spreadsheet_dropped_are_found_again(self, ledger, tmp_path):
        take(ledger, tmp_path, [invoice("A", **{"Customer number": "0000001001"})])
        result = take(ledger, tmp_path, [invoice("B", **{"Customer number": "1001"})], name="second.csv")
        assert {row["buyer_id"] for row in rows(ledger, "invoice")} == {"0000001001"}
        assert "buyer_leading_zeros" in codes(result)

    def test_a_negative_invoice_is_a_credit_note(self, ledger, tmp_path):
        take(ledger, tmp_path, [invoice("A"), invoice("G", Amount="-30.00")])
        assert list(invoices(ledger)) == [("A", 1)]
        assert [(row["kind"], row["invoice_id"], row["amount_minor"]) for row in rows(ledger, "settlement")] == [
            ("credit_note", None, 3000)
        ]

    def test_a_missing_currency_is_kept_apart_and_said(self, ledger, tmp_path):
        result = take(ledger, tmp_path, [invoice("A"), invoice("B", Currency="")])
        assert invoices(ledger)["B", 1]["currency"] == "XXX"
        assert "currency_absent" in codes(result)
        take(ledger, tmp_path, [invoice("A"), invoice("B", Currency="")], currency="EUR")
        assert invoices(ledger)["B", 1]["currency"] == "EUR"

    def test_disputed_invoices_become_disputes(self, ledger, tmp_path):
        take(
            ledger,
            tmp_path,
            [invoice("A", Disputed="Yes", **{"Payment date": "2025-03-01"}), invoice("B", Disputed="No", **{"Payment date": ""})],
        )
        (row,) = rows(ledger, "dispute")
        assert (row["invoice_id"], row["raised_on"], row["resolved_on"]) == ("A", dt.date(2025, 1, 10), dt.date(2025, 3, 1))


class TestClearings:
    def test_a_payment_waits_unapplied_until_the_clearing_and_the_sum_never_moves_by_it(self, ledger, tmp_path):
        take(
            ledger, tmp_path,
            [
                sap("1800001", "RV", "1000.00", "2025-01-10", due="2025-02-09", cleared="2025-02-20", clearing="1400001"),
                sap("1400001", "DZ", "-1000.00", "2025-02-12", cleared="2025-02-20", clearing="1400001"),
                sap("1800002", "RV", "500.00", "2025-01-10", due="2025-02-09"),
            ],
        )  # fmt: skip
        for day, open_, unapplied in (("2025-02-11", 100000, 0), ("2025-02-12", 100000, 100000), ("2025-02-20", 0, 0)):
            found, free = balances(ledger, dt.date.fromisoformat(day))
            assert (found["1800001", 1], free) == (open_, unapplied), day
        kinds = {row["settlement_id"]: row["kind"] for row in rows(ledger, "settlement")}
        assert sorted(kinds.values()) == ["allocation", "allocation", "cash"]

    def test_a_cleared_invoice_whose_payment_is_not_listed_was_paid_in_cash(self, ledger, tmp_path):
        take(
            ledger, tmp_path,
            [
                sap("1800001", "RV", "1000.00", "2025-01-10", cleared="2025-02-20", clearing="1400001"),
                sap("1600001", "DG", "-40.00", "2025-01-15"),
            ],
        )  # fmt: skip
        found = {row["kind"]: row["amount_minor"] for row in rows(ledger, "settlement")}
        assert found == {"cash": 100000, "credit_note": 4000}

    def test_a_partial_payment_goes_to_its_invoice_and_the_clearing_settles_the_rest(self, ledger, tmp_path):
        take(
            ledger, tmp_path,
            [
                sap("1800001", "RV", "1000.00", "2025-01-10", cleared="2025-03-20", clearing="1400002"),
                sap("1400001", "DZ", "-300.00", "2025-02-12", cleared="2025-03-20", clearing="1400002", refers="1800001"),
                sap("1400002", "DZ", "-700.00", "2025-03-20", cleared="2025-03-20", clearing="1400002"),
            ],
        )  # fmt: skip
        assert balances(ledger, dt.date(2025, 2, 12)) == ({("1800001", 1): 70000}, 0)
        assert balances(ledger, dt.date(2025, 3, 20)) == ({("1800001", 1): 0}, 0)

    def test_a_residual_item_reopens_the_invoice_it_comes_from(self, ledger, tmp_path):
        take(
            ledger, tmp_path,
            [
                sap("1800001", "RV", "1000.00", "2025-01-10", cleared="2025-02-20", clearing="1400001"),
                sap("1400001", "DZ", "-1000.00", "2025-02-20", cleared="2025-02-20", clearing="1400001"),
                sap("1400001", "DZ", "100.00", "2025-02-20", refers="1800001", item="2"),
                sap("1600009", "DZ", "-20.00", "2025-02-21"),
            ],
        )  # fmt: skip
        assert balances(ledger, dt.date(2025, 2, 20)) == ({("1800001", 1): 10000}, 0)

    def test_open_sums_equal_the_lines_that_were_open_on_every_day(self, ledger, tmp_path):
        """What is open in the accounting system on a day: lines posted by then and not cleared by then."""
        lines = [
            sap("1", "RV", "100.00", "2025-01-01", cleared="2025-02-01", clearing="C1"),
            sap("2", "RV", "50.00", "2025-01-05", cleared="2025-02-01", clearing="C1"),
            sap("C1", "DZ", "-120.00", "2025-01-28", cleared="2025-02-01", clearing="C1"),
            sap("3", "DG", "-30.00", "2025-01-20", cleared="2025-02-01", clearing="C1"),
            sap("4", "RV", "80.00", "2025-01-22", buyer="1002", cleared="2025-03-01", clearing="C2"),
            sap("5", "DZ", "-10.00", "2025-01-25", buyer="1002"),
            sap("6", "RV", "60.00", "2025-02-22", buyer="1002"),
        ]
        take(ledger, tmp_path, lines)
        for offset in range(0, 70, 3):
            day = dt.date(2025, 1, 1) + dt.timedelta(offset)
            text = day.isoformat()
            truth = sum(
                round(float(line["WRBTR"]) * 100)
                for line in lines
                if line["BUDAT"] <= text and not (line["AUGDT"] and line["AUGDT"] <= text)
            )
            found, unapplied = balances(ledger, day)
            assert sum(found.values()) - unapplied == truth, day


class TestPayments:
    def test_payments_that_name_their_invoice_reduce_it_and_the_rest_waits(self, ledger, tmp_path):
        take(ledger, tmp_path, [invoice("A"), invoice("B")])
        payments = [
            {
                "Receipt no": "P1",
                "Customer number": "1001",
                "Payment date": "2025-02-10",
                "Amount": "60.00",
                "Currency": "EUR",
                "Applied invoice": "A",
            },
            {
                "Receipt no": "P1",
                "Customer number": "1001",
                "Payment date": "2025-02-10",
                "Amount": "40.00",
                "Currency": "EUR",
                "Applied invoice": "B",
            },
            {
                "Receipt no": "P2",
                "Customer number": "1001",
                "Payment date": "2025-02-12",
                "Amount": "25.00",
                "Currency": "EUR",
                "Applied invoice": "",
            },
        ]
        take(ledger, tmp_path, payments, name="payments.csv", shape="payments")
        assert balances(ledger, dt.date(2025, 2, 28)) == ({("A", 1): 4000, ("B", 1): 6000}, 2500)

    def test_a_payment_of_an_invoice_in_instalments_pays_the_earliest_first(self, ledger, tmp_path):
        take(ledger, tmp_path, [invoice("A", **{"Due date": f"2025-0{month}-09"}) for month in (2, 3, 4)])
        one = {
            "Receipt no": "P1",
            "Customer number": "1001",
            "Payment date": "2025-02-10",
            "Amount": "150.00",
            "Currency": "EUR",
            "Applied invoice": "A",
        }
        take(ledger, tmp_path, [one], name="p1.csv", shape="payments")
        assert balances(ledger, dt.date(2025, 2, 28))[0] == {("A", 1): 0, ("A", 2): 5000, ("A", 3): 10000}
        take(ledger, tmp_path, [{**one, "Receipt no": "P2", "Payment date": "2025-03-10"}], name="p2.csv", shape="payments")
        assert balances(ledger, dt.date(2025, 3, 28))[0] == {("A", 1): 0, ("A", 2): 0, ("A", 3): 0}

    def test_an_overpayment_stays_with_the_invoice(self, ledger, tmp_path):
        take(ledger, tmp_path, [invoice("A")])
        one = {
            "Receipt no": "P1",
            "Customer number": "1001",
            "Payment date": "2025-02-10",
            "Amount": "130.00",
            "Currency": "EUR",
            "Applied invoice": "A",
        }
        take(ledger, tmp_path, [one], name="p1.csv", shape="payments")
        assert balances(ledger, dt.date(2025, 2, 28))[0] == {("A", 1): -3000}


class TestPartlyPaid:
    def test_what_a_list_says_is_paid_without_a_date_happened_before_the_list(self, ledger, tmp_path):
        lines = [
            invoice("A", **{"Amount paid": "30.00", "Balance due": "70.00"}),
            invoice("B", **{"Amount paid": "0.00", "Balance due": "100.00"}),
        ]
        take(ledger, tmp_path, lines, name="invoices 2025-03-31.csv", shape="transactions")
        (row,) = rows(ledger, "settlement")
        assert (row["invoice_id"], row["amount_minor"], row["inferred"], row["kind"]) == ("A", 3000, True, "unknown")
        assert (row["settle_date_from"], row["settle_date"]) == (dt.date(2025, 1, 10), dt.date(2025, 3, 31))
        lines[0] |= {"Amount paid": "100.00", "Balance due": "0.00"}
        take(ledger, tmp_path, lines, name="invoices 2025-04-30.csv", shape="transactions")
        assert balances(ledger, dt.date(2025, 3, 31))[0]["A", 1] == 7000
        assert balances(ledger, dt.date(2025, 4, 30))[0]["A", 1] == 0


class TestMasterData:
    def test_a_later_file_never_blanks_what_an_earlier_one_said(self, ledger, tmp_path):
        take(
            ledger, tmp_path,
            [{"Customer number": "1001", "Customer name": "Anna Works", "Country": "DE", "City": "Ulm", "Payment terms days": "30"}],
            name="customers.csv", shape="buyers",
        )  # fmt: skip
        take(ledger, tmp_path, [invoice("A", **{"Customer name": "Anna Works GmbH"})])
        (row,) = rows(ledger, "buyer")
        assert (row["name"], row["city"], row["payment_terms_days"]) == ("Anna Works GmbH", "Ulm", 30)

    def test_exchange_rates_come_in(self, ledger, tmp_path):
        lines = [{"Rate date": "2025-01-31", "From currency": "EUR", "To currency": "CNY", "Exchange rate": "7.5123"}]
        take(ledger, tmp_path, lines, name="rates.csv", shape="rates")
        (row,) = rows(ledger, "exchange_rate")
        assert (row["base_currency"], row["quote_currency"], row["rate_date"], row["rate"]) == ("EUR", "CNY", dt.date(2025, 1, 31), 7.5123)

    def test_the_only_currency_becomes_the_base_currency(self, ledger, tmp_path):
        take(ledger, tmp_path, [invoice("A")])
        assert ledger.as_of(dt.date(2025, 1, 1)).base_currency == "EUR"
