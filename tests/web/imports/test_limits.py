"""A list of credit limits on the import page: for those who may set limits, and for nobody else."""

from __future__ import annotations

import html
import io

import openpyxl
import pytest
from django.urls import reverse

from duecourse.messages import say
from duecourse.web import books
from support.importing import rows

pytestmark = pytest.mark.django_db(transaction=True)

CUSTOMERS = "客户编号,客户名称,国家\nC1,宁波欣原机械设备有限公司,CN\n"
LIMITS = "额度编号,客户编号,额度类型,信用额度,币种,生效日期\nL1,C1,自有,1000,CNY,2026-01-01\nL2,C9,自有,1000,CNY,2026-01-01\n"


def test_a_manager_previews_them_takes_them_in_and_sees_what_was_set_aside(desk, empty_ledger):
    at = desk()
    at.confirm(at.hand_in(("customers.csv", CUSTOMERS.encode()))[0])
    (upload,) = at.hand_in(("额度.csv", LIMITS.encode()))
    page = at.look(upload)
    assert say("cli.shape_limits") in page
    page = at.confirm(upload)
    assert upload.state == "done", upload.run.error
    assert [(row["limit_id"], row["amount_minor"]) for row in rows(books.ledger(), "limit")] == [("L1", 100_000)]
    assert upload.outcomes[0].quarantined == 1
    assert say("web.quarantine_reason_buyer_unknown") in at.browser.get(reverse("quarantine")).content.decode()


def test_an_analyst_may_import_but_not_limits(desk, empty_ledger):
    at = desk("credit_analyst")
    (upload,) = at.hand_in(("额度.csv", LIMITS.encode()))
    assert say("errors.limits_not_yours", file="额度.csv") in html.unescape(at.look(upload))
    page = at.confirm(upload)
    assert upload.state == "failed"
    assert say("errors.limits_not_yours", file="额度.csv") in html.unescape(page)
    assert books.ledger().version == 0
    assert reverse("import_limits_form", args=["xlsx"]) not in at.browser.get(reverse("imports")).content.decode()
    assert at.browser.get(reverse("import_limits_form", args=["xlsx"])).status_code == 403


def test_the_empty_table_is_one_click_away(desk, empty_ledger):
    at = desk()
    address = reverse("import_limits_form", args=["xlsx"])
    assert address in at.browser.get(reverse("imports")).content.decode()
    sheet = openpyxl.load_workbook(io.BytesIO(at.browser.get(address).content)).active
    assert sheet.max_column == 12
