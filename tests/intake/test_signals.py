"""Signals come in by the words people use; what is not known is told and left out."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

import duecourse
from duecourse.desk.opening import open_ledger
from duecourse.errors import SignalsUnreadableError
from duecourse.intake.signals import default_severity, import_signals, kind_of, read_signals
from duecourse.ledger.entries import SIGNAL_KINDS, SIGNAL_SEVERITIES
from support.ledgers import add

CHINESE = """客户名称,信号类型,风险等级,公告日期,执行标的,执行法院,案号
宁波欣原机械设备有限公司,失信被执行人,高风险,2026-03-05,"1,200,000",宁波市中级人民法院,（2026）浙02执12号
宁波欣原机械设备有限公司,诉讼,,2026-02-01,,,
查无此公司,诉讼,,2026-02-01,,,
宁波欣原机械设备有限公司,好消息,,2026-02-01,,,
宁波欣原机械设备有限公司,欠税,吓人,昨天,,,
宁波欣原机械设备有限公司,欠税,吓人,2026-02-02,,,
"""
ENGLISH = """Buyer,Kind,Severity,Date,Ended,Value,Previous value,Amount,Currency,Source
C1,Lawsuit,Medium,2026-01-15,2026-04-01,,,10000,EUR,Court
C1,Bureau grade,,2026-06-15,,BB,BBB,,,Agency
"""


@pytest.fixture
def ledger(tmp_path):
    made = open_ledger(tmp_path / "ledger", create=True)
    add(made, [{"buyer_id": "C1", "name": "Ningbo Xinyuan", "name_local": "宁波欣原机械设备有限公司"}], "buyer")
    return made


def written(folder, text, encoding="utf-8"):
    path = folder / "signals.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_a_chinese_file(tmp_path, ledger, encoding):
    read = read_signals(written(tmp_path, CHINESE, encoding), ledger)
    kinds = [(row["kind"], row["severity"], row["published_on"]) for row in read.rows]
    assert kinds == [
        ("dishonest_debtor", "red", dt.date(2026, 3, 5)),
        ("lawsuit", None, dt.date(2026, 2, 1)),
        ("tax_arrears", None, dt.date(2026, 2, 2)),
    ]
    assert (read.rows[0]["amount_minor"], read.rows[0]["currency"], read.rows[0]["reference"]) == (120_000_000, "CNY", "（2026）浙02执12号")
    assert [(one.code, one.row) for one in read.findings] == [
        ("signal_buyer_unknown", 4), ("signal_kind_unknown", 5), ("signal_without_day", 6), ("signal_severity_unknown", 7),
    ]  # fmt: skip


def test_an_english_file_enters_once(tmp_path, ledger):
    for _ in range(2):
        done = import_signals(ledger, read_signals(written(tmp_path, ENGLISH), ledger))
    assert done.unchanged == {"signal": 2}
    book = ledger.as_of(dt.date(2026, 3, 1))
    (row,) = book.run(book.signal).to_pylist()
    assert (row["kind"], row["severity"], row["amount_minor"], row["ended_on"]) == ("lawsuit", "amber", 1_000_000, None), "it ends later"


def test_an_amount_without_a_currency_is_not_guessed(tmp_path, ledger):
    read = read_signals(written(tmp_path, "Buyer,Kind,Date,Amount\nC1,Lawsuit,2026-01-15,10000\n"), ledger)
    assert (read.rows[0]["kind"], read.rows[0]["amount_minor"], read.rows[0]["currency"]) == ("lawsuit", None, None)
    assert [(one.code, one.row, one.value) for one in read.findings] == [("signal_amount_unreadable", 2, "10000")]


def test_another_file_says_so(tmp_path, ledger):
    with pytest.raises(SignalsUnreadableError):
        read_signals(written(tmp_path, "a,b\n1,2\n"), ledger)


def test_each_kind_has_words_and_a_severity_and_the_grade_takes_the_same():
    assert {kind_of(kind.replace("_", " ")) for kind in SIGNAL_KINDS} == set(SIGNAL_KINDS)
    assert {default_severity(kind) for kind in SIGNAL_KINDS} <= set(SIGNAL_SEVERITIES)
    shipped = Path(duecourse.__file__).parent / "risk" / "behaviour_v1" / "signals.json"
    used = json.loads(shipped.read_text(encoding="utf-8"))["kinds"]
    assert {kind: one["severity"] for kind, one in used.items()} == {kind: default_severity(kind) for kind in used}
