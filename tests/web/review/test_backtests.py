"""A backtest is asked for once, worked out in the background, kept, read in both languages, compared and taken out; only by whom it concerns."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.urls import reverse
from django.utils import timezone

from duecourse.messages import use_language
from duecourse.review.early_warning import FIGURES
from duecourse.web import books
from duecourse.web.accounts.models import AuditEvent
from duecourse.web.jobs.models import JobRun
from duecourse.web.jobs.queue import claim, enqueue
from duecourse.web.jobs.running import Job, carry_out
from duecourse.web.review import telling
from duecourse.web.review.backtests import state_of
from duecourse.web.review.models import Backtest

OPTIONS = {
    "since": "2025-05-31", "until": "2025-09-30", "share": 0.05, "name": "severe_delinquency", "analysts": 1.0, "segment": "size", "recorded": False, "sets": {},
}  # fmt: skip
FORM = {
    "mark": "m1",
    "since": "2025-05-31",
    "until": "2025-09-30",
    "share": "5",
    "name": "severe_delinquency",
    "analysts": "1",
    "segment": "size",
}


@pytest.fixture(autouse=True)
def _english():
    yield
    use_language("en")


def worked():
    while run := claim():
        carry_out(Job(run))


def text(answer):
    return answer.content.decode()


def test_a_backtest_goes_from_the_form_to_its_report(signed_in, report):
    browser = signed_in("credit_analyst")
    answers = [browser.post(reverse("review_backtest_start"), FORM) for _ in range(2)]
    one = Backtest.objects.get()
    assert [answer.url for answer in answers] == [reverse("review_backtest", args=[one.pk])] * 2, "the same form twice is one backtest"
    assert {name: one.options[name] for name in OPTIONS} == OPTIONS
    assert state_of(one) == "waiting"
    assert AuditEvent.objects.filter(act="backtest.start").count() == 1
    page = text(browser.get(answers[0].url))
    assert f'hx-get="{reverse("review_backtest_progress", args=[one.pk])}"' in page
    worked()
    one.refresh_from_db()
    assert one.report == report, "what the desk says"
    assert (state_of(one), one.ledger_version, one.book_on) == ("done", books.ledger().version, books.day_of(books.ledger()))
    assert JobRun.objects.get(pk=one.job_id).result["months"] == 5
    fragment = browser.get(reverse("review_backtest_progress", args=[one.pk]))
    assert fragment["HX-Refresh"] == "true" and "hx-get" not in text(fragment)
    enqueue("review.backtest", number=one.pk)
    worked()
    assert JobRun.objects.order_by("-pk").first().result == {}, "one that has its report is left as it is"


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            (
                "Would we have been warned?",
                "Guard against leaks",
                "drawing lots (control)",
                "How long before",
                "Were the probabilities right?",
            ),
        ),
        (
            "zh-hans",
            ("预警是否及时", "泄漏检查", "5 个月中有 1 个月历史过短", "随机抽取（对照）", "提前多久", "概率是否准确", " · 严重逾期 · "),
        ),
    ],
)
def test_the_report_says_all_of_it_in_both_languages(signed_in, kept, report, language, words):
    report = {
        **report,
        "leads": {**report["leads"], "warning": [1, 2, 0, 1, 0, 0, 3, 0, 0, 0, 0, 0]},
        "bases": {"warning": {"worst_so_far": 1, "model": 1}},
    }
    one, other = kept(report=report), kept(options={**OPTIONS, "share": 0.02})
    browser = signed_in("auditor", language=language)
    page = text(browser.get(reverse("review_backtest", args=[one.pk]), {"with": other.pk}))
    for said in (*words, "chart-leads", "chart-curve", 'id="segments"', 'id="strata"', 'id="misses"', 'id="false-alarms"'):
        assert said in page, said
    for row in (*report["misses"][:25], *report["false_alarms"][:25]):
        assert reverse("buyer", args=[row["buyer_id"]]) in page
    use_language("zh" if language != "en" else "en")
    for name in FIGURES:
        assert telling.figure_name(name) in page, "compared with the other"
    listed = text(browser.get(reverse("review_backtests")))
    assert reverse("review_backtest", args=[one.pk]) in listed and reverse("review_backtest", args=[other.pk]) in listed
    assert 'name="mark"' not in listed, "an auditor starts nothing"


def test_what_is_wrong_is_said_and_nothing_is_asked(signed_in):
    browser = signed_in("credit_manager")
    for wrong, said in (
        ({"since": "2025-13-01"}, "2025-13-01 is no day"), ({"since": "2025-10-31"}, "after the last"), ({"share": "0"}, "no share of buyers"),
        ({"share": "nan"}, "no share of buyers"), ({"analysts": "many"}, "no number of people"), ({"segment": "shoe size"}, "size, country or sector"),
        ({"name": "bad luck"}, "bad luck"), ({"rules": "[1]"}, "no JSON object"), ({"rules": '{"indicators": {"NONE99": {"weight": 1}}}'}, "NONE99"),
    ):  # fmt: skip
        answer = browser.post(reverse("review_backtest_start"), {**FORM, **wrong})
        assert answer.status_code == 422 and said in text(answer), wrong
        assert 'value="2025-09-30"' in text(answer), "what was typed stays"
    assert not Backtest.objects.exists() and not JobRun.objects.exists()
    sets = {"rules": '{"indicators": {"PAY03": {"weight": 8}}}', "rules_name": "strict"}
    assert browser.post(reverse("review_backtest_start"), {**FORM, **sets}).status_code == 302
    assert Backtest.objects.get().options["sets"] == {"strict": {"indicators": {"PAY03": {"weight": 8}}}}


def test_who_may_do_what(signed_in, kept):
    one = kept()
    page, list_, start = reverse("review_backtest", args=[one.pk]), reverse("review_backtests"), reverse("review_backtest_start")
    file = reverse("review_backtest_file", args=[one.pk, "rivals", "csv"])
    assert [signed_in("viewer").get(url).status_code for url in (page, list_, file)] == [200, 200, 403]
    assert [signed_in(role).post(start, FORM).status_code for role in ("viewer", "sales", "auditor")] == [403] * 3
    limited = signed_in("credit_manager", username="limited", sales_owners=["nobody"])
    for url in (page, list_, file, reverse("review_backtest_progress", args=[one.pk])):
        answer = limited.get(url)
        assert answer.status_code == 403 and "counts every buyer" in text(answer)
    assert limited.post(start, FORM).status_code == 403


def test_every_table_is_taken_out_whole(signed_in, kept, report):
    one, browser = kept(), signed_in("credit_manager")
    counts = {
        "rivals": len(report["rivals"]), "segments": len(report["rivals"]["warning"]["segments"]), "misses": len(report["misses"]),
        "false_alarms": len(report["false_alarms"]), "trade_off": sum(len(points) for points in report["trade_off"].values()),
        "leads": sum(len(months) for months in report["leads"].values()),
        "calibration": sum(bool(row["rows"]) for periods in report["calibration"].values() for row in periods.values()),
        "strata": sum(bool(row["defaults"]) for row in report["rivals"]["warning"]["strata"].values()),
    }  # fmt: skip
    assert set(counts) == set(telling.TABLES)
    for table, count in counts.items():
        answer = browser.get(reverse("review_backtest_file", args=[one.pk, table, "csv"]))
        rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
        assert len(rows) == count + 1, table
        assert len({len(row) for row in rows}) == 1 and len(set(rows[0])) == len(rows[0]), table
    answer = browser.get(reverse("review_backtest_file", args=[one.pk, "rivals", "csv"]))
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    warning = next(row for row in rows if row["code"] == "warning")
    value, low, high = report["rivals"]["warning"]["figures"]["precision"]
    told = [warning[name] for name in ("Right alerts", "Right alerts, lower bound (95 %)", "Right alerts, upper bound (95 %)")]
    assert told == ["" if one is None else str(one) for one in (value, low, high)]
    assert AuditEvent.objects.filter(act__endswith=".export").count() == len(counts) + 1
    assert browser.get(reverse("review_backtest_file", args=[one.pk, "misses", "xlsx"])).status_code == 200
    assert browser.get(reverse("review_backtest_file", args=[one.pk, "nothing", "csv"])).status_code == 404
    assert browser.get(reverse("review_backtest_file", args=[one.pk, "misses", "exe"])).status_code == 404


def test_one_that_ended_otherwise_says_how(signed_in, kept, db):
    browser = signed_in("credit_manager")
    failed = kept(report=None, finished_at=None, options={**OPTIONS, "since": "2019-01-31", "until": "2018-01-31"})
    failed.job_id = enqueue("review.backtest", number=failed.pk).pk
    failed.save()
    worked()
    assert state_of(failed) == "failed"
    assert "Nothing can be replayed" in text(browser.get(reverse("review_backtest", args=[failed.pk])))
    JobRun.objects.all().delete()
    assert state_of(failed) == "gone"
    assert "ended without a report" in text(browser.get(reverse("review_backtest", args=[failed.pk])))
    assert browser.get(reverse("review_backtest_progress", args=[failed.pk]))["HX-Refresh"] == "true"


def test_the_api_reads_them(signed_in, kept, report):
    one, waiting = kept(), kept(report=None, finished_at=None)
    browser = signed_in("viewer")
    rows = browser.get("/api/v1/backtests").json()["rows"]
    assert [(row["backtest_id"], row["state"]) for row in rows] == [(waiting.pk, "gone"), (one.pk, "done")]
    assert "report" not in rows[0] and rows[1]["options"] == OPTIONS
    whole = browser.get(f"/api/v1/backtests/{one.pk}").json()
    assert whole["report"] == json.loads(json.dumps(report))
    assert browser.get("/api/v1/backtests?limit=1").json()["rows"] == rows[:1]
    assert browser.get("/api/v1/backtests/999").status_code == 404
    limited = signed_in("viewer", sales_owners=["nobody"])
    assert limited.get("/api/v1/backtests").json() == {"rows": []}
    assert limited.get(f"/api/v1/backtests/{one.pk}").status_code == 404


def test_a_ledger_that_has_changed_since_is_told(signed_in, kept):
    browser = signed_in("viewer")
    assert "The ledger has changed since" not in text(browser.get(reverse("review_backtest", args=[kept().pk])))
    old = kept(ledger_version=0, finished_at=timezone.now())
    assert "The ledger has changed since" in text(browser.get(reverse("review_backtest", args=[old.pk])))
