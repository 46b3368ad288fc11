"""A month end is reviewed by itself or when asked, once for each state of the ledger; page and PDF say the same in both languages."""

from __future__ import annotations

import html
import io
import re
from datetime import date

import pytest
from django.urls import reverse
from pypdf import PdfReader

from duecourse.messages import use_language
from duecourse.web import books
from duecourse.web.jobs.models import JobRun
from duecourse.web.jobs.queue import claim, enqueue
from duecourse.web.jobs.registry import timetables
from duecourse.web.jobs.running import Job, carry_out
from duecourse.web.review.models import MonthlyReview
from duecourse.web.review.pieces import on_paper, pieces

END = date(2026, 9, 30)
ADDRESS = [END.year, END.month]


@pytest.fixture(autouse=True)
def _english():
    yield
    use_language("en")


def worked():
    while run := claim():
        carry_out(Job(run))


def bare(text):
    return re.sub(r"[\s\u00ad\u200b-]+", "", text)


def said(found):
    texts = []
    for piece in found:
        texts += [piece[name] for name in ("text", "note") if piece.get(name)]
        texts += piece.get("head", ())
        for row in piece.get("rows", piece.get("tiles", ())):
            texts += [str(row[name]) for name in ("label", "value", "under") if row.get(name)] if isinstance(row, dict) else row
    return [part for text in texts for part in text.split("\n\n") if part != "·"]


def judged(reviewed):
    """The same review with verdicts in it: the demo's people have given none."""
    by_month = [{**row, "true": 2, "false": 1} for row in reviewed["by_month"]]
    verdicts = {"counts": {"true": 24, "false": 12, "known": 0}, "right_share": 2 / 3, "days_median": 4.0}
    return {**reviewed, "by_month": by_month, "verdicts": {**verdicts, "by_reason": {"PAY03": {"true": 9, "false": 1, "known": 0}}}}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_page_and_pdf_say_all_of_it(signed_in, month, reviewed, language):
    report = judged(reviewed)
    month(report=report)
    month(date(2026, 8, 31))
    browser = signed_in("credit_manager", language={"en": "en", "zh": "zh-hans"}[language])
    page = browser.get(reverse("review_month", args=ADDRESS))
    paper = browser.get(reverse("review_month_pdf", args=ADDRESS))
    assert (page.status_code, paper.status_code, paper["Content-Type"]) == (200, 200, "application/pdf")
    use_language(language)
    shown = bare(html.unescape(re.sub(r"<[^>]+>", " ", page.content.decode())))
    printed = bare("".join(one.extract_text() for one in PdfReader(io.BytesIO(paper.content)).pages))
    over = [{"month_end": "2026-08-31", "composite": 0.1, "much": 1}, {"month_end": "2026-09-30", "composite": 0.1, "much": 1}]
    for text in said(pieces(report, over)):
        assert bare(text) in shown, text
        assert bare(text) in printed or bare(text[:1].upper() + text[1:]) in printed, text  # a heading on paper begins with a capital
    for chart in ("chart-moved", "chart-over-time", "chart-calibration", "chart-verdicts"):
        assert f'id="{chart}"' in page.content.decode(), chart
    drawn = on_paper(pieces(report, over))
    assert sum(piece["kind"] == "picture" for piece in drawn) == 4
    assert reverse("review_month", args=[2026, 8]) in page.content.decode()
    assert browser.get(reverse("review_month_pdf", args=ADDRESS)).content == paper.content, "the same review is the same file"


def test_a_month_is_drawn_up_when_asked_once_for_each_state_of_the_ledger(signed_in, reviewed):
    browser = signed_in("credit_analyst")
    assert browser.get(reverse("review")).status_code == 200
    for _ in range(2):
        assert browser.post(reverse("review_draw"), {"month_end": "2026-09-15"}).status_code == 302
    assert "hx-get" in browser.get(reverse("review"), headers={"HX-Request": "true"}).content.decode()
    worked()
    one = MonthlyReview.objects.get()
    assert (one.month_end, one.report, one.ledger_version) == (END, reviewed, books.ledger().version)
    assert one.made_by.role == "credit_analyst"
    enqueue("review.month", key="again", day=END.isoformat())
    worked()
    assert MonthlyReview.objects.count() == 1
    page = browser.get(reverse("review")).content.decode()
    assert reverse("review_month", args=ADDRESS) in page and "hx-get" not in page
    assert browser.post(reverse("review_draw"), {"month_end": "2031-01-31"}).status_code == 404
    assert browser.post(reverse("review_draw"), {"month_end": "soon"}).status_code == 404


def test_each_month_it_is_drawn_up_by_itself_and_a_young_ledger_is_no_fault(signed_in, db, monkeypatch):
    assert timetables()["review.month"].rule.day == 3
    from duecourse.desk import dates

    monkeypatch.setattr(dates, "default_day", lambda _ledger: date(2022, 1, 15))
    enqueue("review.month", due_at="2022-01-03T05:00:00Z")
    worked()
    assert JobRun.objects.get().status == "done" and not MonthlyReview.objects.exists()
    enqueue("review.month", day="2021-12-31")
    worked()
    run = JobRun.objects.order_by("-pk").first()
    assert (run.status, run.error_code) == ("failed", "review_too_early")
    assert "cannot be reviewed" in signed_in("viewer").get(reverse("review")).content.decode()


def test_the_newest_state_counts_and_an_older_one_is_told(signed_in, month, reviewed):
    older = {**reviewed, "migration": {**reviewed["migration"], "worse": 0.123}}
    month(ledger_version=0, report=older)
    browser = signed_in("viewer")
    assert "The ledger has changed since" in browser.get(reverse("review_month", args=ADDRESS)).content.decode()
    assert "12.3%" in browser.get(reverse("review")).content.decode()
    month()
    assert "The ledger has changed since" not in browser.get(reverse("review_month", args=ADDRESS)).content.decode()
    assert "12.3%" not in browser.get(reverse("review")).content.decode()


def test_who_may_do_what(signed_in, month):
    month()
    page, paper, draw = reverse("review_month", args=ADDRESS), reverse("review_month_pdf", args=ADDRESS), reverse("review_draw")
    assert [signed_in("viewer").get(url).status_code for url in (reverse("review"), page, paper)] == [200, 200, 403]
    assert signed_in("auditor").get(paper).status_code == 200
    assert [signed_in(role).post(draw, {"month_end": "2026-09-30"}).status_code for role in ("viewer", "auditor", "collector")] == [403] * 3
    limited = signed_in("admin", sales_owners=["nobody"])
    assert [limited.get(url).status_code for url in (reverse("review"), page, paper)] == [403] * 3
    browser = signed_in("viewer")
    for address in ([2020, 1], [2026, 13], [2026, 0]):
        assert browser.get(reverse("review_month", args=address)).status_code == 404


def test_the_api_reads_them(signed_in, month, reviewed):
    month(ledger_version=0)
    month()
    browser = signed_in("viewer")
    (row,) = browser.get("/api/v1/reviews").json()["rows"]
    assert (row["month_end"], row["ledger_version"], row["made_by"]) == ("2026-09-30", books.ledger().version, None)
    assert browser.get("/api/v1/reviews/2026-09-30").json()["report"] == reviewed
    assert browser.get("/api/v1/reviews/2026-08-31").status_code == 404
    assert browser.get("/api/v1/reviews/soon").status_code == 422
    limited = signed_in("viewer", sales_owners=["nobody"])
    assert limited.get("/api/v1/reviews").json() == {"rows": []}
    assert limited.get("/api/v1/reviews/2026-09-30").status_code == 404
