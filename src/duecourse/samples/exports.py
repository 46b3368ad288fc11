"""The economy as an ERP would hand it out: files to try an import on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import duckdb
import pyarrow as pa
import pyarrow.csv as pacsv
import xlsxwriter

from duecourse.samples.economy import EconomyInvalidError, chunks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from duecourse.samples.economy import Economy

MOST_EXPORTED: Final = 2_000_000
"""Invoices an export may have: a worksheet holds a million rows, and about a tenth of the invoices are open at the end."""

OPEN_ITEM_HEADINGS: Final = (
    "公司代码", "客户编号", "客户名称", "凭证编号", "行项目", "凭证类型", "开票日期", "到期日", "币种", "原币金额", "未清金额", "逾期天数", "业务员",
)  # fmt: skip

_AMOUNT: Final = (
    "format('{:,.2f}', abs(minor) / CASE line.currency WHEN 'JPY' THEN 1 ELSE 100 END) || CASE WHEN minor < 0 THEN '-' ELSE '' END"
)
_DATE: Final = "'%m/%d/%Y'"

_LINE_ITEMS: Final = f"""
WITH whole AS (  -- invoices paid by one payment of their whole amount: cleared together with it
    SELECT s.invoice_id, s.instalment, any_value(s.reference) AS reference, any_value(s.settle_date) AS settle_date
    FROM settlement s JOIN invoice i USING (invoice_id, instalment)
    GROUP BY ALL
    HAVING count(*) = 1 AND any_value(s.kind) IN ('cash', 'set_off') AND any_value(s.amount_minor) = any_value(i.amount_minor)
), lots AS (SELECT invoice_id FROM invoice GROUP BY invoice_id HAVING count(*) > 1),
allocated AS (SELECT settlement_id, invoice_id FROM settlement WHERE kind = 'allocation' AND amount_minor > 0),
line AS (
    SELECT i.legal_entity, i.buyer_id, i.invoice_id AS document, i.instalment AS item, i.document_type, i.issue_date AS issued,
        i.issue_date AS posted, i.due_date AS due, i.payment_terms_days AS terms, i.amount_minor AS minor, i.currency,
        w.settle_date AS cleared, w.reference AS clearing, NULL AS invoice_reference, i.order_number, i.sales_owner, i.text
    FROM invoice i LEFT JOIN whole w USING (invoice_id, instalment)
    UNION ALL
    SELECT s.legal_entity, s.buyer_id, s.settlement_id, 1, s.document_type, s.settle_date, s.settle_date, s.settle_date, NULL,
        -s.amount_minor, s.currency, w.settle_date, w.reference,
        CASE WHEN w.invoice_id IS NULL THEN coalesce(s.invoice_id, a.invoice_id) END, NULL, NULL, NULL
    FROM settlement s LEFT JOIN whole w USING (invoice_id, instalment)
        -- Money applied after it came is shown the way the account shows it today: as applied. Its number differs from that of the
        -- posting that applies it in the last digit only.
        LEFT JOIN allocated a ON s.invoice_id IS NULL AND left(a.settlement_id, 11) = left(s.settlement_id, 11)
    WHERE s.kind <> 'allocation'
)
SELECT line.legal_entity AS "Company Code", buyer_id AS "Account", name AS "Name", document AS "Document Number", item AS "Line Item",
    document_type AS "Document Type", strftime(issued, {_DATE}) AS "Document Date", strftime(posted, {_DATE}) AS "Posting Date",
    strftime(due, {_DATE}) AS "Net Due Date", terms AS "Terms (Days)", {_AMOUNT} AS "Amount in Doc. Curr.", line.currency AS "Document Currency",
    strftime(cleared, {_DATE}) AS "Clearing Date", clearing AS "Clearing Document", invoice_reference AS "Invoice Reference",
    order_number AS "Sales Order", line.sales_owner AS "Sales Representative", text AS "Text"
FROM line JOIN buyer USING (buyer_id)
ORDER BY buyer_id, posted, document, item
"""

_OPEN_ITEMS: Final = """
SELECT i.legal_entity, i.buyer_id, coalesce(b.name_local, b.name), i.invoice_id, i.instalment, i.document_type, i.issue_date, i.due_date,
    i.currency, i.amount_minor / scale, (i.amount_minor - coalesce(s.settled, 0)) / scale, greatest($until - i.due_date, 0), i.sales_owner
FROM (SELECT *, CASE currency WHEN 'JPY' THEN 1 ELSE 100 END AS scale FROM invoice) i
    LEFT JOIN (SELECT invoice_id, instalment, sum(amount_minor)::BIGINT AS settled FROM settlement GROUP BY ALL) s USING (invoice_id, instalment)
    JOIN buyer b USING (buyer_id)
WHERE i.amount_minor <> coalesce(s.settled, 0)
ORDER BY i.buyer_id, i.due_date, i.invoice_id, i.instalment
"""

_CUSTOMERS: Final = """
SELECT buyer_id AS "Customer Number", name AS "Customer Name", name_local AS "Local Name", registration_number AS "Registration Number",
    country AS "Country", city AS "City", sector AS "Industry", group_id AS "Group ID", group_name AS "Group Name",
    sales_owner AS "Sales Owner", currency AS "Currency", payment_terms_days AS "Payment Terms Days", customer_since AS "Customer Since"
FROM buyer ORDER BY buyer_id
"""


@dataclass(frozen=True)
class Exports:
    """The files written.

    line_items  CSV as SAP's transaction FBL5N lists all items in English: invoices, and the credits against them with a trailing minus
    open_items  XLSX in Chinese, 应收未清项清单: what was open at the close of the economy's last day
    customers   CSV of the customer master
    """

    line_items: Path
    open_items: Path
    customers: Path


def write_exports(economy: Economy, folder: Path) -> Exports:
    """Write the economy's facts the way an ERP exports them.  导出为 ERP 格式的文件

    The balance of every invoice document on the last day is that of the facts. An advance stands as applied to its invoice, as an account
    shows it today, without the two postings that applied it.

    folder  made if it is not there; files in it with the same names are replaced
    Raises EconomyInvalidError beyond 2,000,000 invoices.
    """
    if economy.invoices > MOST_EXPORTED:
        raise EconomyInvalidError(option="invoices", value=economy.invoices, allowed=f"1,000 … {MOST_EXPORTED:,}")
    folder.mkdir(parents=True, exist_ok=True)
    files = Exports(folder / "FBL5N_line_items.csv", folder / f"应收未清项清单_{economy.until}.xlsx", folder / "customers.csv")
    with duckdb.connect() as connection, _OpenItemList(files.open_items, economy.until) as open_items:
        connection.execute("SET TimeZone = 'UTC'")
        lines: list[pa.Table] = []
        buyers: list[pa.Table] = []
        for chunk in chunks(economy):
            if "buyer" in chunk.facts:  # a buyer comes with or before its first invoice
                buyers.append(chunk.facts["buyer"])
            connection.register("buyer", pa.concat_tables(buyers))
            connection.register("invoice", chunk.facts["invoice"])
            connection.register("settlement", chunk.facts["settlement"])
            lines.append(connection.sql(_LINE_ITEMS).to_arrow_table())
            open_items.add(connection.execute(_OPEN_ITEMS, {"until": economy.until}).fetchall())
        customers = connection.sql(_CUSTOMERS).to_arrow_table()
    _write_csv(files.line_items, lines)
    _write_csv(files.customers, [customers])
    return files


def _write_csv(path: Path, tables: Sequence[pa.Table]) -> None:
    with pacsv.CSVWriter(path, tables[0].schema, write_options=pacsv.WriteOptions(quoting_style="needed")) as writer:
        for table in tables:
            writer.write_table(table.cast(tables[0].schema))


class _OpenItemList:
    """The worksheet: a title with the day, an empty row, headings, items."""

    def __init__(self, path: Path, until: date) -> None:
        self._workbook = xlsxwriter.Workbook(str(path), {"constant_memory": True, "default_date_format": "yyyy-mm-dd"})
        self._sheet = self._workbook.add_worksheet("未清项")
        self._sheet.write_row(0, 0, ["应收账款未清项清单"])
        self._sheet.write_row(1, 0, [f"截止日期：{until.isoformat()}"])
        self._sheet.write_row(3, 0, OPEN_ITEM_HEADINGS)
        self._row = 4

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._workbook.close()

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        for values in rows:
            self._sheet.write_row(self._row, 0, values)
            self._row += 1
