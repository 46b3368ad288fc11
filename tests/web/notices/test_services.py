"""Each service gets what its documentation asks for, and its answers are understood."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.web.api.webhooks.guard import Outcome
from duecourse.web.notices.mail import drawn
from duecourse.web.notices.models import SERVICES as NAMES
from duecourse.web.notices.services import SERVICES, verdict_of
from support.examples import examples

pytestmark = pytest.mark.alike

HOSTILE = '<!channel> <at user_id="all"></at> [x](http://evil) *b* | & <http://evil|click>'


def message(lines=("A",), **more):
    return {
        "title": "Duecourse 如期: 1 new alert", "lines": [{"text": text, "url": "https://d.example/alerts/7/"} for text in lines], "more": 0,
        "link": "https://d.example/alerts/", "link_words": "Open the alerts", "settings": "https://d.example/notices/", "language": "en",
        "made_at": "2026-03-02T08:00:00+00:00", **more,
    }  # fmt: skip


def body(name, lines=("A",), secret="", now=1_700_000_000.0, **more):
    return json.loads(SERVICES[name].body(message(lines, **more), "ntc_1", secret, now))


def test_there_is_a_way_for_each_service_that_can_be_chosen():
    assert set(SERVICES) == set(NAMES)
    assert [name for name, one in SERVICES.items() if one.by_key] == ["webhook"]


def test_no_name_can_call_a_whole_group_or_plant_a_link():
    slack = body("slack", [HOSTILE])["text"]
    assert "<!channel>" not in slack and "&lt;!channel&gt;" in slack
    assert slack.count("<http") == 2  # ours
    post = body("feishu", [HOSTILE])["content"]["post"]["en_us"]
    assert post["content"][0] == [{"tag": "a", "text": HOSTILE, "href": "https://d.example/alerts/7/"}]  # an element's text is text
    card = body("teams", [HOSTILE])["attachments"][0]["content"]
    assert card["body"][1]["type"] == "RichTextBlock"  # no Markdown in runs of text
    assert card["body"][1]["inlines"][0]["text"] == HOSTILE
    for name in ("wecom", "dingtalk"):
        told = body(name, [HOSTILE])
        assert told["msgtype"] == "text" and "mentioned_list" not in told["text"]
    assert body("dingtalk")["at"] == {"isAtAll": False}


def test_dingtalk_and_feishu_are_signed_as_they_say():
    secret, now = "SECabc", 1_700_000_000.123
    url = SERVICES["dingtalk"].address("https://oapi.dingtalk.com/robot/send?access_token=t", secret, now)
    words = parse_qs(urlsplit(url).query)
    expected = base64.b64encode(hmac.new(secret.encode(), b"1700000000123\nSECabc", hashlib.sha256).digest()).decode()
    assert words == {"access_token": ["t"], "timestamp": ["1700000000123"], "sign": [expected]}
    told = body("feishu", secret=secret, now=now)
    expected = base64.b64encode(hmac.new(b"1700000000\nSECabc", b"", hashlib.sha256).digest()).decode()
    assert (told["timestamp"], told["sign"]) == ("1700000000", expected)


@examples(60, 1_000)
@given(lines=st.lists(st.text(min_size=1, max_size=400), max_size=60), name=st.sampled_from(NAMES), language=st.sampled_from(["en", "zh"]))
def test_a_message_is_never_longer_than_its_service_takes_and_says_how_much_it_left_out(lines, name, language):
    most = {"wecom": 2_048, "slack": 40_000, "teams": 28_000, "feishu": 20_000, "dingtalk": 20_000, "webhook": 10**9}[name]
    told = SERVICES[name].body(message(lines, language=language), "ntc_1", "s", 1.0)
    sent = json.loads(told)
    limited = sent["text"]["content"].encode() if name == "wecom" else told
    assert len(limited) <= most or name == "slack"
    if name == "slack":
        assert len(sent["text"]) <= most
    if name == "wecom":
        shown = (
            sum(line.startswith("· ") for line in sent["text"]["content"].splitlines())
            if all(len(x.splitlines()) == 1 for x in lines)
            else None
        )
        if shown is not None and shown < len(lines):
            assert str(len(lines) - shown) in sent["text"]["content"]


@pytest.mark.parametrize(
    ("name", "status", "answer", "what"),
    [
        ("slack", 200, "ok", "sent"), ("slack", 429, "", "later"), ("slack", 404, "no_service", "refused"), ("slack", 500, "", "unknown"),
        ("slack", 302, "", "refused"), ("slack", 503, "", "later"),
        ("webhook", 204, "", "sent"), ("webhook", 500, "", "later"), ("webhook", 410, "", "refused"),
        ("teams", 202, "", "sent"), ("teams", 200, "1", "sent"),
        ("teams", 200, "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId x", "later"),
        ("teams", 200, "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 403", "refused"),
        ("wecom", 200, '{"errcode":0,"errmsg":"ok"}', "sent"), ("wecom", 200, '{"errcode":45009,"errmsg":"api freq out of limit"}', "later"),
        ("wecom", 200, '{"errcode":93000,"errmsg":"invalid webhook url"}', "refused"), ("wecom", 200, '{"errcode":-1,"errmsg":"busy"}', "later"),
        ("wecom", 200, "<html>", "unknown"),
        ("dingtalk", 200, '{"errcode":0}', "sent"), ("dingtalk", 200, '{"errcode":130101,"errmsg":"send too fast"}', "later"),
        ("dingtalk", 200, '{"errcode":310000,"errmsg":"keywords not in content"}', "refused"),
        ("feishu", 200, '{"code":0,"msg":"success","data":{}}', "sent"), ("feishu", 200, '{"StatusCode":0,"StatusMessage":"success"}', "sent"),
        ("feishu", 200, '{"code":11232,"msg":"frequency limited"}', "later"), ("feishu", 200, '{"code":19021,"msg":"sign match fail"}', "refused"),
    ],
)  # fmt: skip
def test_what_an_answer_means(name, status, answer, what):
    assert verdict_of(SERVICES[name], Outcome(status, 1, answer, handed_over=True)).what == what


def test_what_is_known_when_no_answer_came():
    lost, never = Outcome(None, 1, fault="timeout", handed_over=True), Outcome(None, 1, fault="unreachable")
    assert verdict_of(SERVICES["slack"], lost).what == "unknown"
    assert verdict_of(SERVICES["webhook"], lost).what == "later"  # its receiver knows a message again
    assert {verdict_of(one, never).what for one in SERVICES.values()} == {"later"}
    assert verdict_of(SERVICES["slack"], Outcome(429, 1, handed_over=True, retry_after_seconds=17.0)).wait_seconds == 17.0
    assert verdict_of(SERVICES["dingtalk"], Outcome(200, 1, '{"errcode":130101}', handed_over=True)).wait_seconds == 600.0


def test_a_mail_reads_alike_in_both_its_forms_and_keeps_its_name(settings):
    settings.DEFAULT_FROM_EMAIL = "Duecourse <duecourse@example.com>"
    mail = drawn(message([HOSTILE, "宁波某公司"]), "ntc_1", "anna@example.com")
    assert mail["Message-ID"].startswith("<ntc_1@")
    plain, rich = (part.get_content() for part in mail.iter_parts())
    assert HOSTILE in plain and "宁波某公司" in plain and "https://d.example/alerts/7/" in plain
    assert "<!channel>" not in rich and "&lt;!channel&gt;" in rich and "宁波某公司" in rich
    assert "https://d.example/notices/" in plain
    with pytest.raises(ValueError, match=r"newline|linefeed"):
        drawn(message(title="a\nBcc: b@example.com"), "ntc_1", "anna@example.com")
