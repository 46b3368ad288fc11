"""From a file dropped on the page to the ledger and back: what a person sees and what is then in the books."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.urls import reverse

from duecourse.web import books
from duecourse.web.imports.models import Upload
from duecourse.web.jobs.worker import drain
from support.importing import balances, rows

from .conftest import FIXTURES

pytestmark = pytest.mark.django_db(transaction=True)

LATE = dt.date(2026, 1, 1)
EXPORTS = [
    ("sap_fbl5n/einzelposten.txt", {}, 120850000),
    ("quickbooks/Transaction_List_by_Customer.csv", {"currency": "USD"}, 6500),
    ("yonyou/应收明细账.csv", {}, 11147000),
    ("kingdee/应收单列表.xlsx", {}, 80495600),
]
LIST = "客户编号,客户名称,发票号,开票日期,到期日,币种,金额,未清金额\n"


def lines(count, first=1):
    return "".join(
        f"C{n % 7:03d},客户{n % 7},F{n:05d},2025-0{n % 8 + 1}-10,2025-0{n % 8 + 2}-10,CNY,{n}00.00,{n}00.00\n"
        for n in range(first, first + count)
    )


@pytest.mark.alike
@pytest.mark.parametrize(("file", "said", "net"), EXPORTS, ids=[one[0] for one in EXPORTS])
def test_an_export_is_previewed_confirmed_and_balances_to_the_cent(desk, empty_ledger, file, said, net):
    at = desk()
    (upload,) = at.hand_in(FIXTURES / file)
    assert books.ledger().version == 0, "nothing before it is confirmed"
    page = at.look(upload, **said)
    assert 'name="role-0"' in page
    page = at.confirm(upload)
    assert upload.state == "done"
    ledger = books.ledger()
    open_, unapplied = balances(ledger, LATE)
    assert sum(open_.values()) - unapplied == net
    row = ledger.journal()[-1] if ledger.journal()[-1].kind == "import" else ledger.journal()[1]
    assert row.facts["by"] == upload.by.username
    (result,) = upload.outcomes
    assert result.added.get("invoice", 0) == len(rows(ledger, "invoice"))

    (again,) = at.hand_in(FIXTURES / file)
    page = at.look(again, **said)
    assert reverse("import_", args=[row.batch_id]) in page, "a known file says so before"
    version = books.ledger().version
    at.confirm(again)
    assert again.outcomes[0].known_as == row.batch_id
    assert books.ledger().version == version, "and adds nothing"


def test_a_column_read_wrongly_is_put_right_on_the_page(desk, empty_ledger):
    at = desk()
    content = "Kd,Beleg,Datum,Fällig,Whg,Brutto,Netto\n" + "".join(
        f"K{n},R{n},1.{n}.2025,20.{n}.2025,EUR,119{n},00\n".replace(",00", f",100{n}") for n in range(1, 9)
    )
    (upload,) = at.hand_in(("rechnungen.csv", content.encode()))
    page = at.look(upload, role_of={"Kd": "buyer_id", "Beleg": "document_id", "Brutto": "", "Netto": "amount"}, shape="transactions")
    page = at.look(upload, role_of={"Netto": "amount", "Kd": "buyer_id", "Beleg": "document_id"}, shape="transactions")
    assert upload.options["columns"]["amount"] == "Netto"
    at.confirm(upload, **at.form(page, shape="transactions"))
    assert upload.state == "done", upload.run.error
    assert sum(row["amount_minor"] for row in rows(books.ledger(), "invoice")) == sum(100 * int(f"100{n}") for n in range(1, 9))


def test_the_difference_to_the_exports_own_total_is_shown(desk, empty_ledger):
    at = desk()
    (upload,) = at.hand_in(("未清项_2025-09-30.csv", (LIST + lines(20)).encode()))
    page = at.look(upload, **{"expected-CNY": "21,000.00"})
    assert "21,000.00" in page and 'class="state good"' in page.split('id="totals"')[1]
    page = at.look(upload, **{"expected-CNY": "21000,50"})
    assert "-0.50" in page


def test_several_files_wait_for_a_look_each(desk, empty_ledger):
    at = desk()
    made = at.hand_in(("a.csv", (LIST + lines(3)).encode()), ("b.csv", (LIST + lines(4)).encode()))
    assert [one.name for one in made] == ["a.csv", "b.csv"]
    assert "b.csv" in at.page
    assert books.ledger().version == 0


def test_an_import_is_taken_back_and_what_it_had_corrected_counts_again(desk, empty_ledger):
    at = desk()
    (first,) = at.hand_in(("a_2025-09-30.csv", (LIST + lines(10)).encode()))
    at.confirm(first, completeness_only="partial")
    changed = (LIST + lines(10)).replace(",500.00,500.00", ",555.00,555.00")
    (second,) = at.hand_in(("b_2025-09-30.csv", changed.encode()))
    at.confirm(second, completeness_only="partial")
    batch = second.outcomes[0].batch_id
    assert sum(row["amount_minor"] for row in rows(books.ledger(), "invoice")) == 555500
    page = at.browser.get(reverse("import_void", args=[batch])).content.decode()
    assert "55.00" in page or "555.00" in page
    assert at.browser.post(reverse("import_undo", args=[batch]), {"reason": " "}).status_code == 422
    at.browser.post(reverse("import_undo", args=[batch]), {"reason": "wrong list"})
    drain()
    ledger = books.ledger()
    assert sum(row["amount_minor"] for row in rows(ledger, "invoice")) == 550000
    void = next(row for row in ledger.journal() if row.kind == "void")
    assert (void.note, void.facts["by"], void.withdraws) == ("wrong list", second.by.username, batch)
    page = at.browser.get(reverse("import_", args=[batch])).content.decode()
    assert "wrong list" in page
    at.confirm(second, again="1")
    assert sum(row["amount_minor"] for row in rows(books.ledger(), "invoice")) == 555500, "and can be imported again"
    assert at.browser.get(reverse("imports")).status_code == 200


def test_a_line_is_mended_in_its_place(desk, empty_ledger):
    at = desk()
    content = LIST + lines(6).replace("2025-04-10", "somewhen", 1).replace(",500.00,", ",fünf,")
    (upload,) = at.hand_in(("未清项_2025-09-30.csv", content.encode()))
    at.confirm(upload)
    assert upload.outcomes[0].quarantined == 2
    address = reverse("quarantine")
    page = at.browser.get(address).content.decode()
    fields = dict(re.findall(r'name="(cell-[^"]+)" value="([^"]*)"', page))
    assert "somewhen" in fields.values() and "fünf" in fields.values()
    said = {name: "500.00" if text == "fünf" else text for name, text in fields.items()}
    at.browser.post(reverse("quarantine_fix"), said)
    drain()
    mended = Upload.objects.latest("pk")
    assert mended.state == "done", mended.run.error
    ledger = books.ledger()
    assert {row["invoice_id"] for row in rows(ledger, "invoice")} >= {"F00005"}
    page = at.browser.get(address).content.decode()
    assert "somewhen" in page and "fünf" not in page
    page = at.browser.get(address + "?fixed=1").content.decode()
    assert reverse("import_", args=[mended.outcomes[0].batch_id]) in page
    # The rest by a file that comes back from a spreadsheet.
    file = at.browser.get(reverse("quarantine_export") + "?form=csv").content
    (back,) = at.hand_in(("mended.csv", file.replace(b"somewhen", b"2025-04-10")))
    assert "_file_row" in at.look(back)
    at.confirm(back)
    assert "somewhen" not in at.browser.get(address).content.decode()
    assert sum(row["amount_minor"] for row in rows(books.ledger(), "invoice")) == 210000
    # Taking the file back takes its mended lines with it.
    at.browser.post(reverse("import_undo", args=[upload.outcomes[0].batch_id]), {"reason": "all wrong"})
    drain()
    assert rows(books.ledger(), "invoice") == []


def test_a_list_that_shrank_is_asked_about(desk, empty_ledger):
    at = desk()
    (first,) = at.hand_in(("未清项_2025-08-31.csv", (LIST + lines(60)).encode()))
    at.confirm(first)
    (second,) = at.hand_in(("未清项_2025-09-30.csv", (LIST + lines(10)).encode()))
    page = at.confirm(second)
    assert second.state == "failed" and 'value="complete"' in page
    at.confirm(second, completeness_only="complete")
    assert second.state == "done"


def test_a_double_click_imports_once(desk, empty_ledger):
    at = desk()
    (upload,) = at.hand_in(("a_2025-09-30.csv", (LIST + lines(5)).encode()))
    for _ in range(3):
        at.browser.post(reverse("import_confirm", args=[upload.pk]), {"turn": 0})
    assert drain() == 1
    assert len([row for row in books.ledger().journal() if row.kind == "import"]) == 1
