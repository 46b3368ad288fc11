"""What the checks found, the rows behind it, and for whom."""

from __future__ import annotations

import csv
import io

import pytest
from django.urls import reverse

from duecourse.desk import findings as desk_findings
from duecourse.ledger.checks import check
from duecourse.web import books
from duecourse.web.jobs.worker import drain

pytestmark = pytest.mark.django_db

CONTENT = (
    "客户编号,客户名称,发票号,开票日期,到期日,币种,金额\n"
    "C1,甲,A1,2025-03-01,2025-04-01,CNY,100.00\n"
    "C1,甲,A2,2025-03-01,2025-04-01,CNY,100.00\n"
    "C2,乙,B1,2025-05-01,2025-04-01,EUR,1234.50\n"
    "C2,乙,B2,2025-05-01,2025-06-01,EUR,-20.00\n"
)


def whole(opened):
    return opened.as_of(books.day_of(opened))


@pytest.mark.alike
def test_the_page_counts_what_the_checks_count(desk, own_ledger):
    at = desk()
    (upload,) = at.hand_in(("明细.csv", CONTENT.encode()))
    at.confirm(upload, shape="transactions")
    assert upload.state == "done", upload.run.error
    book = whole(books.ledger())
    wanted = {one.code: one.count for one in check(book)}
    assert wanted["invoice_due_before_issue"] == 1
    first = at.browser.get(reverse("findings")).content.decode()
    assert 'hx-trigger="load"' in first, "the page does not wait for the checks"
    listed = at.browser.get(reverse("findings_list")).content.decode()
    for code, count in wanted.items():
        assert reverse("finding", args=[code]) in listed
        assert f">{count:,}<" in listed
    again = at.browser.get(reverse("findings")).content.decode()
    assert 'hx-trigger="load"' not in again, "and the second time it has them at once"
    page = at.browser.get(reverse("finding", args=["invoice_due_before_issue"])).content.decode()
    assert "B1" in page and "C2" in page and reverse("import_", args=[upload.outcomes[0].batch_id]) in page
    rows = list(
        csv.reader(io.StringIO(b"".join(at.browser.get(reverse("finding_export", args=["possible_duplicate"]))).decode("utf-8-sig")))
    )
    assert len(rows) - 1 == wanted["possible_duplicate"]
    assert at.browser.get(reverse("finding", args=["no_such_check"])).status_code == 404


def test_a_large_ledger_is_checked_by_a_job_once(signed_in, own_ledger, monkeypatch):
    monkeypatch.setattr(desk_findings, "QUICK_ROWS", 10)
    browser = signed_in()
    pages = [browser.get(reverse("findings")).content.decode() for _ in range(3)]
    assert "every 2s" in pages[0]
    assert drain() == 1
    assert "every 2s" not in browser.get(reverse("findings_list")).content.decode()


@pytest.mark.alike
def test_whoever_sees_a_part_sees_the_findings_of_that_part(signed_in, own_ledger):
    book = whole(own_ledger)
    owner = next(row["sales_owner"] for row in book.run(book.buyer.select("sales_owner")).to_pylist() if row["sales_owner"])
    bo = signed_in("sales", sales_owners=[owner])
    own = {row["buyer_id"] for row in book.run(book.buyer.filter(book.buyer.sales_owner == owner)).to_pylist()}
    page = bo.get(reverse("findings_list")).content.decode()
    assert page
    from duecourse.ledger.scope import Scope

    limited = book.limited(Scope(sales_owners=frozenset({owner})))
    for one in check(limited):
        for fault in desk_findings.faults(limited, one.code, limit=500):
            assert not fault.buyer_id or fault.buyer_id in own
        assert f">{one.count:,}<" in page
        rows = bo.get(reverse("finding", args=[one.code])).content.decode()
        assert "/imports/" not in rows, "the import of a row is for those who see all of it"
