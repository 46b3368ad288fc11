"""Facts of letters that never change: a seller in Shanghai, a buyer in Hamburg, and one in Suzhou."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from duecourse.actions.letters.facts import (
    CONSEQUENCES,
    BankAccount,
    Basis,
    Contract,
    Document,
    Guarantee,
    Invoice,
    LetterFacts,
    Party,
    PlanInstalment,
    Segment,
    Threshold,
)

SELLER = Party(
    "Shanghai Rensheng Precision Tools Co., Ltd.", "上海仁盛精密工具有限公司", "91310115MA1K3RXX7Q", "1288 Jinke Road, Building 6\nPudong, Shanghai 201203, China", "CN",
    "credit@rensheng.example", "+86 21 5555 0142", "周敏",
    "上海市浦东新区金科路 1288 号 6 号楼，邮编 201203",
)  # fmt: skip
HAMBURG = Party(
    "Elbkontor Werkzeughandel GmbH", "", "HRB 118842, Amtsgericht Hamburg", "Große Elbstraße 42\n22767 Hamburg\nGermany", "DE", "buchhaltung@elbkontor.example", "",
    "Dr. Jörg Köhler",
)  # fmt: skip
SUZHOU = Party("Suzhou Hengtai Machinery Co., Ltd.", "苏州恒泰机械有限公司", "91320594MA1T8XXX2P", "江苏省苏州市工业园区星湖街 328 号\n邮编 215123", "CN", "finance@hengtai.example", "", "陈立")  # fmt: skip
GUARANTOR = Party(
    "", "苏州鼎晟控股有限公司", "91320500MA1W2XXX9K", "江苏省苏州市姑苏区人民路 88 号", "CN", "legal@dingsheng.example", "", "顾岩"
)
EURO = BankAccount("Shanghai Rensheng Precision Tools Co., Ltd.", "Bank of Example, Shanghai Branch", "DE02 1203 0000 0000 2020 51", "EUR", "EXMPCNSHXXX", "200 Middle Yincheng Road, Shanghai")  # fmt: skip
YUAN = BankAccount("上海仁盛精密工具有限公司", "示例银行上海金科路支行", "6217 0000 1234 5678 901", "CNY")


def demand(language: str = "en", **more: object) -> LetterFacts:
    """A demand to Hamburg: two invoices, one partly paid; statutory interest with a change of rate; a contract with arbitration."""
    rows = (
        Invoice(
            "C-1", "RS-2026-0117", 1, date(2026, 1, 17), date(2026, 3, 18), "EUR", 48_250_00, 10_000_00, 38_250_00, 104, 1_142_09, 10_49, 40_00, "EUR", "PO-7731", "EU_DE",
            (Segment(date(2026, 3, 19), date(2026, 4, 30), 43, 48_250_00, "0.1027", 583_77), Segment(date(2026, 5, 1), date(2026, 6, 30), 61, 38_250_00, "0.1027", 558_32)),
        ),
        Invoice(
            "C-1", "RS-2026-0203", 1, date(2026, 2, 3), date(2026, 4, 4), "EUR", 12_480_50, 0, 12_480_50, 87, 305_51, 3_42, 40_00, "EUR", "PO-7802", "EU_DE",
            (Segment(date(2026, 4, 5), date(2026, 6, 30), 87, 12_480_50, "0.1027", 305_51),),
        ),
    )  # fmt: skip
    facts = LetterFacts(
        kind="demand_letter", language=language, number="L20260630-7K2M", buyer_id="C-1", dated=date(2026, 6, 30), until=date(2026, 6, 30), deadline=date(2026, 7, 10),
        deadline_days=10, creditor=SELLER, debtor=HAMBURG, recipient=HAMBURG, invoices=rows,
        contract=Contract("EK-2025-09", date(2025, 9, 1), "DE", arbitration=True, forum="Deutsche Institution für Schiedsgerichtsbarkeit (DIS)", recovery_costs=True),
        bases=(Basis("EU_DE", False, (("", "§ 288 Abs. 2 BGB"),), ("0.1027",), "act/365"),),
        documents=(
            Document("C-1", "CMR 40217", "RS-2026-0117", date(2026, 1, 24), delivery=True), Document("C-1", "CMR 40388", "RS-2026-0203", date(2026, 2, 9), delivery=True),
            Document("C-1", "RS-2026-0117, RS-2026-0203"),
        ),
        accounts=(EURO,), call_back="+86 21 5555 0100", consequences=CONSEQUENCES, law="DE", signatory="Zhou Min", signatory_title="CFO", previous=(date(2026, 4, 20),),
        case_id="K-1", step="P02",
    )  # fmt: skip
    return replace(facts, **more)


def domestic(language: str = "zh", kind: str = "demand_letter", **more: object) -> LetterFacts:
    """A demand to Suzhou: instalments of one invoice, a fifth of the price reached, agreed interest, a guarantor."""
    rows = (
        Invoice("C-2", "XS-260105", 1, date(2026, 1, 5), date(2026, 3, 5), "CNY", 300_000_00, 0, 300_000_00, 40, 5_917_81, 147_95, 0, "", "PO-88", "contract",
            (Segment(date(2026, 3, 6), date(2026, 4, 14), 40, 300_000_00, "0.18", 5_917_81),)),
        Invoice("C-2", "XS-260105", 2, date(2026, 1, 5), date(2026, 4, 5), "CNY", 300_000_00, 50_000_00, 250_000_00, 9, 1_109_59, 123_29, 0, "", "PO-88", "contract",
            (Segment(date(2026, 4, 6), date(2026, 4, 14), 9, 250_000_00, "0.18", 1_109_59),)),
    )  # fmt: skip
    recipient = GUARANTOR if kind == "guarantor_demand" else SUZHOU
    facts = LetterFacts(
        kind=kind, language=language, number="L20260414-9QXD", buyer_id="C-2", dated=date(2026, 4, 14), until=date(2026, 4, 14), deadline=date(2026, 4, 24), deadline_days=10,
        creditor=SELLER, debtor=SUZHOU, recipient=recipient, invoices=rows, contract=Contract("HT-2026-003", date(2026, 1, 4), "CN", instalments=True, forum="上海市浦东新区人民法院"),
        bases=(Basis("contract", True, (("zh", "第八条"), ("", "clause 8")), ("0.18",), "act/365"),),
        documents=(Document("C-2", "送货单 SH-1105", "XS-260105", date(2026, 1, 12), delivery=True),), accounts=(YUAN,), call_back="021-5555 0100",
        consequences=CONSEQUENCES, law="CN", interrupts="restarts", threshold=Threshold("CNY", 550_000_00, 1_200_000_00), signatory="周敏", signatory_title="财务总监",
        guarantee=Guarantee("C-2", "保证合同 BZ-2026-01", date(2026, 1, 4), "CNY", 1_000_000_00, date(2026, 9, 5)),
        plan=(PlanInstalment(date(2026, 5, 15), "CNY", 200_000_00), PlanInstalment(date(2026, 6, 15), "CNY", 350_000_00)) if kind == "payment_plan" else (),
        case_id="K-2", step="P02",
    )  # fmt: skip
    return replace(facts, **more)
