"""The pages of letters, as people use them: from a buyer who is late to a receipt in the ledger."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, timedelta

import pypdf
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from duecourse.actions.letters.setting import pdf
from duecourse.actions.paper import pdf as paper
from duecourse.ledger.entries import CASE_EVENT, NOTICE
from duecourse.measures.receivables import open_items
from duecourse.web import books
from duecourse.web.letters import attachments, making, posting
from duecourse.web.letters.attachments import UnfitError, check_edited, unfit
from duecourse.web.letters.forms import TypedError, wanted_from
from duecourse.web.letters.making import strangers_in
from duecourse.web.letters.models import Letter, PrintBatch
from duecourse.web.outbox.sending import append_waiting
from support.examples import examples
from support.letters import demand

pytestmark = pytest.mark.django_db


def facts_of(ledger, number):
    ledger.refresh()
    book = ledger.as_of(date(9000, 1, 1))
    found = {entry.name: book.run(getattr(book, entry.name)).to_pylist() for entry in (NOTICE, CASE_EVENT)}
    (notice,) = [row for row in found["notice"] if row["notice_id"] == number]
    return notice, [row for row in found["case_event"] if row["event_id"].startswith(number)]


def form_for(buyer, items, **more):
    return {"invoice": [f"{number}|{part}" for number, part in items], "kind": "demand_letter", "language": "en", "channel": "email", "email": "debtor@example.com", "address": "2 Street\nTown", **more}  # fmt: skip


def test_what_falls_due_soon_is_reminded_of_and_nothing_else(signed_in, person, book, late):
    item = open_items(book)
    soon = item.filter(item.is_outstanding & (item.due_date >= book.on) & (item.due_date <= book.on + timedelta(days=7)))
    rows = book.run(soon.select("buyer_id", "invoice_id", "instalment").order_by("buyer_id", "invoice_id")).to_pylist()
    buyer = next(row["buyer_id"] for row in rows if row["buyer_id"] in late)
    ahead = [(row["invoice_id"], row["instalment"]) for row in rows if row["buyer_id"] == buyer][:1]
    writer, address = signed_in(person("collector")), reverse("buyer_letter", args=[buyer])
    page = writer.get(address).content.decode()
    assert f'value="{ahead[0][0]}|{ahead[0][1]}" aria-label="{ahead[0][0]}">' in page  # offered, not chosen: others are late
    refused = writer.post(address, form_for(buyer, ahead))
    assert refused.status_code == 422 and f"{ahead[0][0]} is not due yet" in refused.content.decode()
    mixed = writer.post(address, form_for(buyer, [*late[buyer], *ahead], kind="reminder"))
    assert mixed.status_code == 422 and "in a letter of its own" in mixed.content.decode() and not Letter.objects.exists()
    made = writer.post(address, form_for(buyer, ahead, kind="reminder"))
    letter = Letter.objects.get()
    assert made.url == reverse("letter", args=[letter.pk]) and (letter.kind, letter.step) == ("reminder", "P00")
    (told,) = letter.told.invoices
    assert (told.invoice_id, told.days_late, told.interest_minor or 0) == (ahead[0][0], 0, 0)
    alone = next((row["buyer_id"] for row in rows if row["buyer_id"] not in late), None)
    if alone is not None:
        page = writer.get(reverse("buyer_letter", args=[alone])).content.decode()
        assert re.search(r'name="invoice" value="[^"]+" aria-label="[^"]+" checked', page) and '<option value="reminder" selected>' in page


@pytest.mark.alike
def test_a_plan_of_invoices_in_several_currencies_is_not_read_in_one_of_them():
    with pytest.raises(TypedError) as refused:
        wanted_from({"kind": "payment_plan", "plan": "2026-08-31 500"}, "")
    assert refused.value.code == "web.letters_plan_currency"


def test_from_a_late_buyer_to_an_approved_letter_that_goes(signed_in, person, late, ledger, mail_server):
    buyer = min(late)
    writer, second = signed_in(person("collector")), signed_in(person("legal"))
    page = writer.get(reverse("buyer_letter", args=[buyer]))
    assert page.status_code == 200 and late[buyer][0][0] in page.content.decode()
    made = writer.post(
        reverse("buyer_letter", args=[buyer]), form_for(buyer, late[buyer], delivery=f"CMR 1 | {late[buyer][0][0]} | 2026-01-02")
    )
    letter = Letter.objects.get()
    assert made.url == reverse("letter", args=[letter.pk])
    page = writer.get(made.url).content.decode()
    assert "page-1.png" in page and "This is not legal advice" in page and letter.told.documents[0].delivery
    again = writer.post(reverse("buyer_letter", args=[buyer]), form_for(buyer, late[buyer]))
    assert again.url == made.url and Letter.objects.count() == 1
    other = writer.post(reverse("buyer_letter", args=[buyer]), form_for(buyer, late[buyer], another="on"))
    assert other.url != made.url and Letter.objects.count() == 2
    picture = writer.get(reverse("letter_picture", args=[letter.pk, 1]))
    assert picture.content.startswith(b"\x89PNG") and writer.get(reverse("letter_picture", args=[letter.pk, 99])).status_code == 404
    assert writer.get(reverse("letter_docx", args=[letter.pk])).content.startswith(b"PK")
    assert writer.post(reverse("letter_submit", args=[letter.pk])).status_code == 302
    seen = writer.get(reverse("letter_pdf", args=[letter.pk])).content
    letter.refresh_from_db()
    assert seen == bytes(letter.pdf)
    assert letter.number in second.get(reverse("letters")).content.decode()  # the tab "for me"
    assert writer.post(reverse("letter_approve", args=[letter.pk]), {"seen": letter.pdf_sha256}).status_code == 409
    assert second.post(reverse("letter_approve", args=[letter.pk]), {"seen": letter.pdf_sha256, "note": "fine"}).status_code == 302
    dry = second.get(reverse("letters_dry")).content.decode()
    assert letter.number in dry and "1 of 1 would go now" in dry and not mail_server.got
    assert second.post(reverse("letter_send", args=[letter.pk])).status_code == 302
    assert second.post(reverse("letter_send", args=[letter.pk])).status_code == 409
    from duecourse.web.letters import sending

    assert sending.send(letter.pk) == "sent" and len(mail_server.got) == 1
    assert second.post(reverse("letter_cancel", args=[letter.pk])).status_code == 409
    book_day = books.day_of(ledger)
    proof = SimpleUploadedFile("receipt.pdf", b"%PDF-1.4 signed", "application/pdf")
    gone = second.post(reverse("letter_received", args=[letter.pk]), {"on": book_day.isoformat(), "file": proof})
    assert gone.status_code == 302
    append_waiting(ledger)
    notice, (event,) = facts_of(ledger, letter.number)
    letter.refresh_from_db()
    assert notice["received_on"] == event["received_on"] == book_day and event["proof"] == letter.proof
    file = letter.files.get()
    assert second.get(reverse("letter_proof", args=[letter.pk, file.pk])).content == b"%PDF-1.4 signed"
    assert "debtor@example.com" in second.get(reverse("letter", args=[letter.pk])).content.decode()


def test_a_batch_is_printed_addressed_posted_and_tracked(signed_in, person, letter, ledger, late):
    made = [letter(number=number, channel="post", address=f"{number} Lane\nTown {number}") for number in range(3)]
    sender = signed_in(person("collector"))
    page = sender.post(reverse("letters_print"), {"letter": [made[0].pk, made[1].pk]})
    batch = PrintBatch.objects.get()
    assert page.url == reverse("letters_batch", args=[batch.pk])
    assert sender.post(reverse("letters_print"), {"letter": [made[0].pk]}).url == reverse("letters")  # nobody prints it twice
    assert PrintBatch.objects.count() == 1
    whole = sender.get(reverse("letters_batch_pdf", args=[batch.pk])).content
    pages = pypdf.PdfReader(io.BytesIO(whole)).pages
    assert len(pages) == sum(len(pypdf.PdfReader(io.BytesIO(bytes(one.pdf))).pages) for one in made[:2])
    text = "\n".join(page.extract_text() for page in pages)
    assert made[0].number in text and made[1].number in text and made[2].number not in text
    rows = list(csv.DictReader(io.StringIO(sender.get(reverse("letters_batch_csv", args=[batch.pk])).content.decode("utf-8-sig"))))
    assert [row["number"] for row in rows] == [made[0].number, made[1].number] and rows[0]["address"] == "0 Lane, Town 0"
    beside = pypdf.PdfReader(io.BytesIO(sender.get(reverse("letters_batch_addresses", args=[batch.pk])).content)).pages[0].extract_text()
    assert "0 Lane" in beside and made[1].number in beside.replace("\u200b", "")
    assert sender.post(reverse("letter_take_out", args=[made[1].pk])).status_code == 302
    day = books.day_of(ledger)
    assert sender.post(reverse("letters_batch_posted", args=[batch.pk]), {"on": (day + timedelta(days=1)).isoformat()}).status_code == 422
    for _ in range(2):
        sender.post(reverse("letters_batch_posted", args=[batch.pk]), {"on": day.isoformat(), f"tracking-{made[0].pk}": "EMS 1"})
    append_waiting(ledger)
    notice, (event,) = facts_of(ledger, made[0].number)
    assert (notice["tracking"], notice["sent_on"], notice["channel"], event["reference"]) == ("EMS 1", day, "post", "EMS 1")
    states = [Letter.objects.get(pk=one.pk).state for one in made]
    assert states == ["sent", "approved", "approved"]
    assert sender.post(reverse("letter_track", args=[made[0].pk]), {"tracking": "EMS 2"}).status_code == 302
    append_waiting(ledger)
    assert facts_of(ledger, made[0].number)[0]["tracking"] == "EMS 2"
    assert (
        sender.get(reverse("letters_batches")).status_code == 200
        and "EMS" in sender.get(reverse("letters_batch", args=[batch.pk])).content.decode()
    )
    assert sender.post(reverse("letter_handed", args=[made[2].pk]), {"on": day.isoformat()}).status_code == 302
    assert Letter.objects.get(pk=made[2].pk).state == "sent"


def test_a_proof_is_a_document_and_a_receipt_not_before_the_letter(signed_in, person, letter, ledger):
    made = letter(channel="post")
    sender, day = signed_in(person("collector")), books.day_of(ledger)
    url = reverse("letter_received", args=[made.pk])
    assert sender.post(url, {"on": day.isoformat()}).status_code == 409  # it has not gone
    sender.post(reverse("letter_handed", args=[made.pk]), {"on": day.isoformat()})
    for on, file in (
        ("", None),
        (day - timedelta(days=1), None),
        (day + timedelta(days=1), None),
        (day, ("a.exe", b"MZ", "application/pdf")),
        (day, ("a.svg", b"<svg", "image/svg+xml")),
    ):
        form = {"on": str(on)} | ({"file": SimpleUploadedFile(*file)} if file else {})
        assert sender.post(url, form).status_code == 409
    assert not Letter.objects.get(pk=made.pk).received_on


def test_an_edited_version_must_still_be_this_letter_and_nobody_else_s(signed_in, person, letter, late, ledger):
    mine, other = letter("draft", number=0), letter("draft", number=1)
    writer = signed_in(person("collector"))

    def hand_in(data):
        return writer.post(reverse("letter_edited", args=[mine.pk]), {"file": SimpleUploadedFile("own.pdf", data, "application/pdf")})

    facts = mine.told
    base = [facts.number, facts.recipient.name or facts.recipient.local_name, facts.invoices[0].invoice_id]

    def version(*lines):
        from django.utils import timezone

        return paper([{"kind": "text", "text": "\n\n".join(lines)}], title="Demand", language="en", made_at=timezone.now())

    book = ledger.as_of(books.day_of(ledger))
    stranger = next(
        row
        for row in book.run(book.buyer).to_pylist()
        if row["buyer_id"] not in (mine.buyer_id, other.buyer_id) and len((row["name"] or "").replace(" ", "")) >= 8
    )
    for bad in (
        b"no pdf",
        b"%PDF-broken",
        version(*base[1:]),
        version(base[0], base[2]),
        version(*base[:2]),
        version(*base, other.number),
        version(*base, stranger["name"]),
    ):
        assert hand_in(bad).status_code == 409
        assert not Letter.objects.get(pk=mine.pk).edited
    good = version(*base, "Please pay.")
    assert hand_in(good).status_code == 302
    row = Letter.objects.get(pk=mine.pk)
    assert row.edited and bytes(row.pdf) == good
    assert writer.get(reverse("letter_pdf", args=[mine.pk])).content == good
    assert "own version goes" in writer.get(reverse("letter", args=[mine.pk])).content.decode()
    assert hand_in(pdf(making.compose(facts), facts.dated)).status_code == 302  # as it was drawn up


@pytest.mark.alike
def test_only_those_who_may_see_the_buyer_see_the_letter(signed_in, person, letter, book):
    made = letter()
    owner = next(row["sales_owner"] for row in book.run(book.buyer).to_pylist() if row["buyer_id"] == made.buyer_id)
    inside, outside = signed_in("sales", sales_owners=[owner]), signed_in("sales", sales_owners=["nobody at all"])
    entity = signed_in("collector", legal_entities=["no company of ours"])
    for name in ("letter", "letter_pdf", "letter_docx"):
        assert inside.get(reverse(name, args=[made.pk])).status_code == 200
        assert outside.get(reverse(name, args=[made.pk])).status_code == entity.get(reverse(name, args=[made.pk])).status_code == 404
    assert made.number not in outside.get(reverse("letters") + "?tab=all").content.decode()
    assert made.number in inside.get(reverse("letters") + "?tab=all").content.decode()
    assert inside.post(reverse("letter_send", args=[made.pk])).status_code == 403
    assert signed_in("viewer").get(reverse("buyer_letter", args=[made.buyer_id])).status_code == 403
    assert outside.get(reverse("buyer_letter", args=[made.buyer_id])).status_code == 404


def test_the_queue_filters_and_shows_in_red_where_limitation_runs_on(signed_in, person, letter, late):
    made = letter("draft")
    Letter.objects.filter(pk=made.pk).update(warning={"code": "letters.no_interruption", "args": {"country": "DE"}})
    reader = signed_in("viewer")
    page = reader.get(reverse("letters") + "?tab=open").content.decode()
    assert made.number in page and "the clock runs on" in page
    assert "Under the law of Germany a demand does nothing to limitation" in reader.get(reverse("letter", args=[made.pk])).content.decode()
    for words, there in (("kind=demand_letter", True), ("kind=reminder", False), ("channel=email", True), ("channel=post", False), (f"q={made.number[-4:].lower()}", True), ("q=zzzz", False), ("case=C9", False)):  # fmt: skip
        assert (made.number in reader.get(f"{reverse('letters')}?tab=open&{words}").content.decode()) is there, words


@pytest.mark.alike
@pytest.mark.parametrize(
    "wrong",
    [{"invoice": []}, {"invoice": ["x"]}, {"kind": "sermon"}, {"language": "nl"}, {"email": "no address"}, {"deadline": "soon"}, {"delivery": "x | | then"}, {"kind": "payment_plan", "plan": "2026-01-01 x"}, {"kind": "payment_plan"},
     {"kind": "reminder", "language": "ja"}, {"invoice": ["other|1"]}, {"kind": "guarantor_demand"}],
)  # fmt: skip
def test_a_form_that_cannot_be_read_is_said_to_be_so(wrong, signed_in, late):
    buyer = min(late)
    page = signed_in("collector").post(reverse("buyer_letter", args=[buyer]), form_for(buyer, late[buyer]) | wrong)
    assert page.status_code == 422 and not Letter.objects.exists()


def test_a_payment_plan_and_a_redraw(signed_in, late, book):
    buyer = min(late)
    browser = signed_in("collector")
    form = form_for(buyer, late[buyer], kind="payment_plan", language="zh+en", plan="2027-01-31 100.00\n2027-02-28 200.00")
    assert browser.post(reverse("buyer_letter", args=[buyer]), form).status_code == 302
    made = Letter.objects.get()
    assert made.told.plan[0].amount_minor in (100, 10_000)
    assert (
        browser.post(reverse("letter_redraw", args=[made.pk]), {"channel": "post", "address": "5 New Road", "language": "zh"}).status_code
        == 302
    )
    again = Letter.objects.get()
    assert (again.channel, again.address, again.language, again.number) == ("post", "5 New Road", "zh", made.number) and len(
        again.told.plan
    ) == 2


def test_the_letterhead_and_the_rules_are_kept_by_those_who_may(signed_in, own_ledger):
    manager = signed_in("credit_manager")
    url = reverse("letters_letterhead")
    form = {
        "name": "The Firm Ltd",
        "address": "1 Road\r\nTown",
        "country": "GB",
        "holder-0": "The Firm",
        "bank-0": "Bank",
        "number-0": "1",
        "currency-0": "gbp",
    }
    assert manager.get(url).status_code == 200
    logo = SimpleUploadedFile(
        "logo.svg", b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><rect width="9" height="9"/></svg>', "image/svg+xml"
    )
    assert manager.post(reverse("letters_letterhead_keep"), form | {"logo": logo}).status_code == 302
    page = manager.get(url).content.decode()
    assert "The Firm Ltd" in page and "data:image/svg+xml;base64" in page and "GBP" in page
    for wrong in ({"country": "QQ"}, {"currency-0": "QQQ"}, {"bank-0": ""}, {"logo": SimpleUploadedFile("x.gif", b"GIF89a", "image/gif")}):
        assert manager.post(reverse("letters_letterhead_keep"), form | wrong).status_code == 422
    counts = dict.fromkeys(making.approvals({}), "2")
    assert manager.post(reverse("letters_rules_keep"), counts).status_code == 302
    assert manager.post(reverse("letters_rules_keep"), counts | {"reminder": "3"}).status_code == 422
    own_ledger.refresh()
    assert set(making.approvals(own_ledger.as_of(date.max).settings).values()) == {2}
    reader = signed_in("collector")
    assert reader.post(reverse("letters_letterhead_keep"), form).status_code == 403 and reader.get(url).status_code == 200


@pytest.mark.alike
def test_both_languages(signed_in, person, letter):
    made = letter()
    for language, words in (("zh-hans", "催款函件"), ("en", "Letters")):
        browser = signed_in(person("collector", language=language))
        for name, args in (("letters", []), ("letters_dry", []), ("letters_batches", []), ("letters_letterhead", [])):
            assert words in browser.get(reverse(name, args=args)).content.decode()
        assert made.number in browser.get(reverse("letter", args=[made.pk])).content.decode()


@pytest.mark.alike
@given(
    st.lists(st.tuples(st.sampled_from(["C-1", "C-1", "C-2"]), st.sampled_from(["C-1", "C-1", "C-3"])), min_size=1, max_size=4),
    st.booleans(),
)
@examples(20, 200)
def test_nothing_of_another_buyer_passes_the_check_before_a_letter_goes(owners, tamper):
    """Property: a letter is fit exactly when every figure and document in it is its buyer's and its PDF is the approved one."""
    import hashlib
    from dataclasses import replace

    from duecourse.actions.letters.facts import Document

    base = demand()
    invoices = tuple(
        replace(base.invoices[0], buyer_id=one, invoice_id=f"R{number}", segments=()) for number, (one, _two) in enumerate(owners)
    )
    documents = tuple(Document(two, "Note", f"R{number}") for number, (_one, two) in enumerate(owners))
    facts = replace(base, invoices=invoices, documents=documents, channel="email")
    data = b"%PDF-approved"
    row = Letter(
        buyer_id="C-1", number=facts.number, kind=facts.kind, channel="email", address=facts.recipient.email, facts=facts.to_json(), pdf=data + b"!" * tamper,
        pdf_sha256=hashlib.sha256(data).hexdigest(),
    )  # fmt: skip
    assert (unfit(row) == "") == (all(one == two == "C-1" for one, two in owners) and not tamper)


@pytest.mark.alike
def test_the_check_of_an_edited_text_names_what_it_lacks():
    facts = demand()
    good = f"{facts.number} {facts.recipient.name} {facts.invoices[0].invoice_id}"
    check_edited(good, facts)
    for lacking, code in (
        (facts.number, "no_number"),
        (facts.recipient.name, "no_recipient"),
        (facts.invoices[0].invoice_id, "no_invoice"),
    ):
        with pytest.raises(UnfitError, match=code):
            check_edited(good.replace(lacking, "–"), facts)
    with pytest.raises(UnfitError, match="stranger"):
        check_edited(good, facts, ["L-other"])
    assert strangers_in and attachments and posting and re
