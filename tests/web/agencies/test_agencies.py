"""Agencies: kept by whom, handed a debt once, heard of once however often it is sent or read; the pack holds one debtor and nobody else."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from datetime import timedelta
from random import Random
from threading import Thread

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from duecourse.desk.agencies import placeable
from duecourse.messages import use_language
from duecourse.web import books
from duecourse.web.agencies.models import Agency, AgencyReport, Placement
from duecourse.web.agencies.reading import UnreadableError, rows_of
from duecourse.web.outbox.models import Outgoing
from duecourse.web.outbox.sending import append_waiting


def book():
    opened = books.ledger()
    return opened.as_of(books.day_of(opened))


def late_buyer(position: int = 0) -> str:
    table = book()
    overdue = table.run(table.invoice.filter(table.invoice.due_date < table.on).select("buyer_id").distinct().order_by("buyer_id"))
    found = []
    for buyer in overdue["buyer_id"].to_pylist():
        if placeable(table, buyer):
            found.append(buyer)
        if len(found) > position:
            return str(found[position])
    raise AssertionError


@pytest.fixture
def agency(person):
    return Agency.objects.create(
        name="Elbe Inkasso",
        countries=["DE", "AT"],
        fee_bands=[[0, 0.15], [180, 0.25]],
        fixed_minor=50000,
        fixed_currency="EUR",
        made_by=person("admin"),
    )


def hand_over(browser, agency, buyer, *, rows=None, mark="m1", **more):
    rows = rows if rows is not None else placeable(book(), buyer)
    currency = rows[0]["currency"]
    items = [f"{row['instalment']} {row['invoice_id']}" for row in rows if row["currency"] == currency]
    return browser.post(reverse("placement_new"), {"buyer": buyer, "agency": agency.pk, "item": items, "mark": mark, **more})


@pytest.fixture
def placed(signed_in, agency):
    browser, buyer = signed_in("collector"), late_buyer()
    assert hand_over(browser, agency, buyer).status_code == 302
    return browser, Placement.objects.get()


def test_only_who_sets_the_rules_keeps_the_directory_and_what_is_wrong_is_said(signed_in):
    assert signed_in("collector").get(reverse("agency_new")).status_code == 403
    browser = signed_in("credit_manager")
    said = {"name": "Elbe Inkasso", "kind": "agency", "countries": ["DE", "XX"], "bands": "0: 15%\n180: 25%", "fixed": "500", "fixed_currency": "EUR", "active": "1"}  # fmt: skip
    wrong = browser.post(
        reverse("agency_new"), {**said, "name": "", "bands": "lots", "email": "nobody", "website": "elbe", "fixed_currency": "?"}
    )
    assert wrong.status_code == 422
    text = wrong.content.decode()
    for sentence in ("Give its name", "“lots” is no band", "no e-mail address", "no web address", "Give an amount and its currency"):
        assert sentence in text
    assert browser.post(reverse("agency_new"), said).status_code == 302
    made = Agency.objects.get()
    assert (made.countries, made.fee_bands, made.fixed_minor) == (["DE"], [[0, 0.15], [180, 0.25]], 50000)
    assert (made.share_at(10), made.share_at(200)) == (0.15, 0.25)
    assert browser.post(reverse("agency_new"), {**said, "name": "elbe  inkasso"}).status_code == 422
    assert browser.post(reverse("agency_edit", args=[made.pk]), {**said, "name": "Elbe Recovery"}).status_code == 302
    made.refresh_from_db()
    assert made.former == ["Elbe Inkasso"]
    assert "before: Elbe Inkasso" in browser.get(reverse("agency", args=[made.pk])).content.decode()


def test_a_debt_is_handed_over_once_and_never_to_two(placed, agency, signed_in):
    browser, placement = placed
    assert hand_over(browser, agency, placement.buyer_id).headers["Location"] == reverse("placement", args=[placement.pk])
    assert Placement.objects.count() == 1
    again = hand_over(browser, agency, placement.buyer_id, mark="m2")
    assert again.status_code == 409
    assert f"is with an agency already: {placement.number}" in again.content.decode()
    assert placement.principal_minor == sum(one["open_minor"] for one in placement.claims)
    events = [row for row in Outgoing.objects.filter(table="case_event") if row.row["kind"] == "placement"]
    assert [(row.row["party"], row.row["reference"], row.row["amount_minor"]) for row in events] == [
        ("Elbe Inkasso", placement.number, placement.principal_minor)
    ]


def test_what_is_wrong_about_a_placement_is_said(signed_in, agency):
    browser, buyer = signed_in("collector"), late_buyer()
    assert (
        "Choose at least one debt"
        in browser.post(reverse("placement_new"), {"buyer": buyer, "agency": agency.pk, "mark": "x"}).content.decode()
    )
    assert "Choose whom" in hand_over(browser, type("nobody", (), {"pk": ""})(), buyer).content.decode()
    agency.active = False
    agency.save()
    assert "is not used any more" in hand_over(browser, agency, buyer).content.decode()
    assert browser.get(reverse("placement_new"), {"buyer": "nobody"}).status_code == 404
    assert signed_in("viewer").get(reverse("placement_new"), {"buyer": buyer}).status_code == 403
    assert Placement.objects.count() == 0


def report(browser, placement, **said):
    said = {"kind": "recovery", "on": placement.placed_on.isoformat(), "amount": "10", "fee": "1.5", "mark": "r1", **said}
    return browser.post(reverse("placement_report", args=[placement.pk]), said)


def test_a_report_is_taken_down_once(placed):
    browser, placement = placed
    assert report(browser, placement).status_code == 302
    assert report(browser, placement).status_code == 302
    row = AgencyReport.objects.get()
    assert (row.kind, row.currency) == ("recovery", placement.currency)
    assert len([one for one in Outgoing.objects.filter(table="case_event") if one.row["kind"] == "recovery"]) == 1
    for wrong, sentence in (
        ({"amount": ""}, "Give the amount"), ({"amount": "many"}, "is no amount"), ({"on": "soon"}, "is no day"), ({"fee": "99"}, "more than the money"),
        ({"on": (placement.placed_on - timedelta(days=1)).isoformat()}, "The day lies between"), ({"kind": "song"}, "report or money"),
    ):  # fmt: skip
        answer = report(browser, placement, mark="other", **wrong)
        assert answer.status_code == 409
        assert sentence in answer.content.decode()
    assert AgencyReport.objects.count() == 1


def file_of(*lines: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("report.csv", "\n".join(lines).encode())


def test_a_file_is_taken_down_once_and_its_faults_are_named(placed, agency):
    browser, placement = placed
    day = placement.placed_on.isoformat()
    lines = [
        "Placement,Date,Kind,Amount,Currency,Fee,Reference,Text",
        f"{placement.number},{day},recovery,10,{placement.currency},1,A1,first",
        f"{placement.number},{day},recovery,10,{placement.currency},1,A1,first",  # said twice: two payments
        f"{placement.number},{day},report,,,,A1,debtor called",
        f"P999999,{day},report,,,,,",
        f"{placement.number},{day},recovery,ten,,,,",
        f"{placement.number},{day},recovery,10,XTS,,,",
    ]
    address = reverse("agency_upload", args=[agency.pk])
    said = browser.post(address, {"file": file_of(*lines)}).content.decode()
    assert "3 lines taken down, 0 known before, 3 refused" in said
    assert "Line 5: P999999 is no placement with this agency" in said
    assert "3 known before" in browser.post(address, {"file": file_of(*lines)}).content.decode()
    assert AgencyReport.objects.count() == 3
    assert browser.post(address, {"file": file_of("a,b", "1,2")}).status_code == 422
    assert browser.post(address, {}).status_code == 422


def test_whatever_is_read_again_in_whatever_pieces_a_line_is_taken_down_once(placed, agency):
    browser, placement = placed
    day, chance = placement.placed_on.isoformat(), Random(7)
    head = "placement,date,kind,amount,reference"
    lines = [f"{placement.number},{day},{'recovery' if number % 2 else 'report'},{number or ''},R{number}" for number in range(8)]
    read: set[str] = set()
    for _ in range(12):
        piece = chance.sample(lines, chance.randrange(1, len(lines)))
        browser.post(reverse("agency_upload", args=[agency.pk]), {"file": file_of(head, *piece)})
        read |= set(piece)
    assert AgencyReport.objects.count() == len(read)
    told = [row.key for row in Outgoing.objects.filter(table="case_event") if row.row["kind"] in ("report", "recovery")]
    assert len(told) == len(set(told)) == len(read)
    money = sum(row.amount_minor for row in AgencyReport.objects.filter(kind="recovery"))
    assert money == sum(int(line.split(",")[3]) * 100 for line in read if ",recovery," in line)


@pytest.mark.django_db(transaction=True)
def test_two_at_the_same_moment_hand_a_debt_over_once(signed_in, agency, person):
    other = Agency.objects.create(name="Oder Inkasso", made_by=person("admin"))
    browsers, buyer = [(signed_in("collector"), agency), (signed_in("legal"), other)], late_buyer()
    rows, answers = placeable(book(), buyer), []

    def run(browser, whom, mark):
        from django.db import connection

        answers.append(hand_over(browser, whom, buyer, rows=rows, mark=mark).status_code)
        connection.close()

    threads = [Thread(target=run, args=(browser, whom, f"m{number}")) for number, (browser, whom) in enumerate(browsers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [302, 409]
    assert Placement.objects.count() == 1
    assert len([row for row in Outgoing.objects.filter(table="case_event") if row.row["kind"] == "placement"]) == 1


def test_a_chinese_file_is_read_too():
    text = "委托编号;日期;类型;回款金额;说明\nP000001;2026/03/31;回款;1,000.50;首付\n"
    assert rows_of(text.encode("gb18030")) == rows_of(text.encode()) == [
        (2, {"placement": "P000001", "on": "2026/03/31", "kind": "回款", "amount": "1,000.50", "currency": "", "fee": "", "reference": "", "text": "首付"})
    ]  # fmt: skip
    with pytest.raises(UnreadableError):
        rows_of(b"x" * 3_000_000)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_pack_holds_this_debtor_and_nobody_else_and_checks_itself(placed, lang):
    browser, placement = placed
    answer = browser.get(reverse("placement_pack", args=[placement.pk, "zip"]), {"lang": lang})
    assert answer.status_code == 200
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert {"summary.pdf", "claims.csv", "SHA256SUMS"} <= set(archive.namelist())
    for line in archive.read("SHA256SUMS").decode().splitlines():
        digest, name = line.split("  ", 1)
        assert hashlib.sha256(archive.read(name)).hexdigest() == digest
    rows = list(csv.DictReader(io.StringIO(archive.read("claims.csv").decode("utf-8-sig"))))
    assert {row["debtor_number"] for row in rows} == {placement.buyer_id}
    assert {row["invoice"] for row in rows} == {one["invoice_id"] for one in placement.claims}
    assert archive.read("summary.pdf").startswith(b"%PDF")
    assert browser.get(reverse("placement_pack", args=[placement.pk, "zip"]), {"lang": lang}).content == answer.content
    assert browser.get(reverse("placement_pack", args=[placement.pk, "exe"])).status_code == 404


def test_who_may_not_see_the_buyer_sees_neither_placement_nor_pack(placed, signed_in):
    _browser, placement = placed
    other = signed_in("sales", sales_owners=["nobody at all"])
    assert other.get(reverse("placement", args=[placement.pk])).status_code == 404
    assert other.get(reverse("placement_pack", args=[placement.pk, "zip"])).status_code == 404
    assert placement.number not in other.get(reverse("agency", args=[placement.agency_id])).content.decode()
    assert signed_in("viewer").get(reverse("placement_pack", args=[placement.pk, "zip"])).status_code == 403


def test_results_come_from_the_ledger_and_follow_a_new_name(own_ledger, placed, agency):
    browser, placement = placed
    amount = f"{placement.principal_minor // 4 / 100:.2f}"
    report(browser, placement, amount=amount, fee="0")
    append_waiting(own_ledger)
    agency.former, agency.name = [agency.name], "Elbe Recovery"
    agency.save()
    said = browser.get(reverse("agency", args=[agency.pk])).content.decode()
    assert "25%" in said
    assert "in 1 placement" in said
    listed = browser.get(reverse("agencies"), {"country": "DE"}).content.decode()
    assert "Elbe Recovery" in listed
    assert "25% from 180 days late" in listed


def test_an_ended_placement_lets_the_debt_go(placed, agency):
    browser, placement = placed
    assert browser.post(reverse("placement_end", args=[placement.pk]), {"reason": " "}).status_code == 409
    assert browser.post(reverse("placement_end", args=[placement.pk]), {"reason": "no answer"}).status_code == 302
    assert hand_over(browser, agency, placement.buyer_id, mark="m3").status_code == 302
    assert Placement.objects.count() == 2


def test_the_pages_speak_chinese(placed, signed_in):
    _browser, placement = placed
    browser = signed_in("collector", language="zh-hans")
    assert "追账机构与律所" in browser.get(reverse("agencies")).content.decode()
    assert "材料包" in browser.get(reverse("placement", args=[placement.pk])).content.decode()
    use_language("en")
