"""How each service wants a message, what its answers mean, and how often it may be written to.  企业微信 · 钉钉 · 飞书 · Slack · Teams

Sources, read 2026-11: Slack "Sending messages using incoming webhooks", "Rate limits"; Microsoft Learn "Post a workflow when a webhook request is
received in Microsoft Teams"; 企业微信 开发者中心 "群机器人配置说明"; 钉钉 开放平台 "自定义机器人接入"; 飞书 开放平台 "自定义机器人使用指南"; Standard Webhooks.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlencode

from duecourse.messages import say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from duecourse.messages import Language
    from duecourse.web.api.webhooks.guard import Outcome

    Message = Mapping[str, Any]
    """title, lines [{text, url}], more (lines left out), link, link_words, language"""


@dataclass(frozen=True)
class Verdict:
    """What is known of a message after a try.

    sent     it has arrived
    later    it has certainly not, and may the next time
    refused  it has certainly not, and trying on is of no use
    unknown  it may have: the connection was lost after it had been handed over
    """

    what: Literal["sent", "later", "refused", "unknown"]
    fault: str = ""
    wait_seconds: float = 0.0
    status: int | None = None
    answer: str = ""


@dataclass(frozen=True)
class Service:
    """One way to a group's chat.

    body             the request's body for a message: the same bytes for the same message, moment and secret
    address          the URL it goes to, signed where the service signs in the URL
    read             what an answer of 2xx says
    spacing_seconds  between two messages to one place at least
    by_key           a receiver knows a message by its token, so that one sent twice is one: it may be tried again whatever happened
    signs            the service gives a secret that messages can be signed with
    """

    body: Callable[[Message, str, str, float], bytes]
    read: Callable[[str], Verdict]
    spacing_seconds: float
    by_key: bool = False
    signs: bool = False
    address: Callable[[str, str, float], str] = lambda url, _secret, _now: url


def verdict_of(service: Service, outcome: Outcome) -> Verdict:
    """What is known after a request?"""
    found = _verdict(service, outcome)
    told = Verdict(found.what, found.fault, found.wait_seconds, outcome.status, outcome.answer[:300])
    return told if told.what != "unknown" or not service.by_key else Verdict("later", told.fault, 0.0, told.status, told.answer)


def _verdict(service: Service, outcome: Outcome) -> Verdict:
    status = outcome.status
    if status is None:
        return Verdict("unknown" if outcome.handed_over else "later", outcome.fault)
    if status == 429:
        return Verdict("later", "rate_limited", outcome.retry_after_seconds or 60.0)
    if status in (408, 425, 503):
        return Verdict("later", "unavailable", outcome.retry_after_seconds)
    if 300 <= status < 500:
        return Verdict("refused", "redirected" if status < 400 else "refused")
    if status >= 500 or status < 200:
        return Verdict("unknown", "server_fault")
    return service.read(outcome.answer)


def _taken(_answer: str) -> Verdict:
    return Verdict("sent")


def _by_code(*names: str, limited: Mapping[int, float], busy: frozenset[int] = frozenset({-1})) -> Callable[[str], Verdict]:
    """Services that answer 200 to everything and say in the body what they mean.

    limited  the codes that mean "too often", with the seconds to wait
    """

    def read(answer: str) -> Verdict:
        try:
            told = json.loads(answer)
            code = int(next(told[name] for name in names if name in told))
        except (ValueError, TypeError, StopIteration):
            return Verdict("unknown", "answer_strange")
        if code == 0:
            return Verdict("sent")
        if code in limited:
            return Verdict("later", "rate_limited", limited[code])
        return Verdict("later", "unavailable") if code in busy else Verdict("refused", "refused")

    return read


def _teams_read(answer: str) -> Verdict:
    """A workflow answers 202; a connector of old answered 200 and said in words what had gone wrong."""
    if "delivery failed" not in answer:
        return Verdict("sent")
    return Verdict("later", "rate_limited", 60.0) if "429" in answer else Verdict("refused", "refused")


# --- bodies ---------------------------------------------------------------------------------------------------------------------------------


def language_of(message: Message) -> Language:
    """The language it is written in."""
    return "zh" if message["language"] == "zh" else "en"


def left_out(message: Message, count: int) -> str:
    """That so many lines are not shown; empty where none is."""
    return say("web.notices_more", language_of(message), count=count) if count else ""


def fitted(message: Message, most_bytes: int, room: Callable[[Sequence[Mapping[str, str]], str], str]) -> str:
    """The text with as many lines as there is room for."""
    lines = list(message["lines"])
    kept = len(lines)
    while True:
        text = room(lines[:kept], left_out(message, message["more"] + len(lines) - kept))
        if len(text.encode()) <= most_bytes or not kept:
            return text
        kept -= 1


def _plain_text(message: Message, most_bytes: int) -> str:
    def told(lines: Sequence[Mapping[str, str]], more: str) -> str:
        parts = [message["title"], *(f"· {one['text']}" for one in lines), more, f"{message['link_words']}: {message['link']}"]
        return "\n".join(part for part in parts if part)

    return fitted(message, most_bytes, told)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _webhook(message: Message, token: str, _secret: str, _now: float) -> bytes:
    data = {name: message[name] for name in ("title", "lines", "more", "link")}
    return _json({"type": "notice", "timestamp": message["made_at"], "data": {"id": token, **data}})


def _slack(message: Message, _token: str, _secret: str, _now: float) -> bytes:
    def safe(text: str) -> str:  # the three signs Slack reads commands from
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    def link(words: str, url: str) -> str:
        return f"<{url}|{safe(words).replace('|', '¦')}>" if url else safe(words)

    def told(lines: Sequence[Mapping[str, str]], more: str) -> str:
        end = link(message["link_words"], message["link"])
        return "\n".join(
            part for part in (safe(message["title"]), *(f"• {link(one['text'], one['url'])}" for one in lines), more, end) if part
        )

    return _json({"text": fitted(message, 12_000, told), "mrkdwn": False, "unfurl_links": False, "unfurl_media": False})


def _teams(message: Message, _token: str, _secret: str, _now: float) -> bytes:
    """An adaptive card. Lines are runs of rich text: what stands in them is no Markdown."""

    def run(line: Mapping[str, str]) -> dict[str, Any]:
        acts = {"selectAction": {"type": "Action.OpenUrl", "url": line["url"]}} if line["url"] else {}
        return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": line["text"], **acts}]}

    def card(lines: Sequence[Mapping[str, str]], more: str) -> str:
        body: list[dict[str, Any]] = [
            {"type": "TextBlock", "text": message["title"], "weight": "Bolder", "size": "Medium", "wrap": True},
            *map(run, lines),
            *([{"type": "TextBlock", "text": more, "isSubtle": True, "wrap": True}] if more else []),
        ]
        content = {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": body,
            "actions": [{"type": "Action.OpenUrl", "title": message["link_words"], "url": message["link"]}],
        }  # fmt: skip
        told = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": content}
        return _json({"type": "message", "attachments": [told]}).decode()

    return fitted(message, 25_000, card).encode()


def _wecom(message: Message, _token: str, _secret: str, _now: float) -> bytes:
    return _json({"msgtype": "text", "text": {"content": _plain_text(message, 2_000)}})


def _dingtalk(message: Message, _token: str, _secret: str, _now: float) -> bytes:
    return _json({"msgtype": "text", "text": {"content": _plain_text(message, 15_000)}, "at": {"isAtAll": False}})


def _dingtalk_address(url: str, secret: str, now: float) -> str:
    if not secret:
        return url
    at = round(now * 1000)
    signed = base64.b64encode(hmac.new(secret.encode(), f"{at}\n{secret}".encode(), hashlib.sha256).digest()).decode()
    return f"{url}{'&' if '?' in url else '?'}{urlencode({'timestamp': at, 'sign': signed})}"


def _feishu(message: Message, _token: str, secret: str, now: float) -> bytes:
    """Rich text of elements: what stands in one is neither a link nor a call to anybody."""

    def post(lines: Sequence[Mapping[str, str]], more: str) -> str:
        def element(text: str, url: str) -> list[dict[str, str]]:
            return [{"tag": "a", "text": text, "href": url}] if url else [{"tag": "text", "text": text}]

        content = [
            *(element(one["text"], one["url"]) for one in lines), *([element(more, "")] if more else []),
            element(message["link_words"], message["link"]),
        ]  # fmt: skip
        told = {"title": message["title"], "content": content}
        return _json({"msg_type": "post", "content": {"post": {"zh_cn" if language_of(message) == "zh" else "en_us": told}}}).decode()

    told = json.loads(fitted(message, 18_000, post))
    if secret:
        at = str(int(now))
        told |= {"timestamp": at, "sign": base64.b64encode(hmac.new(f"{at}\n{secret}".encode(), b"", hashlib.sha256).digest()).decode()}
    return _json(told)


SERVICES: Final[Mapping[str, Service]] = {
    # Ours: the receiver drops what it has had by `webhook-id`, as Standard Webhooks has it.
    "webhook": Service(_webhook, _taken, 0.0, by_key=True, signs=True),
    # One a second.
    "slack": Service(_slack, _taken, 1.2),
    # Four a second to a connector; a workflow's own limits are wider.
    "teams": Service(_teams, _teams_read, 1.0),
    # Twenty a minute for each robot; 45009, 45033: too often; -1: busy.
    "wecom": Service(_wecom, _by_code("errcode", limited={45009: 60.0, 45033: 60.0}), 3.5),
    # Twenty a minute for each robot, and ten minutes of silence for who sends more.
    "dingtalk": Service(
        _dingtalk, _by_code("errcode", limited={130101: 600.0, 410100: 600.0, 90030: 600.0}), 3.5, signs=True, address=_dingtalk_address
    ),
    # A hundred a minute and five a second for each robot.
    "feishu": Service(_feishu, _by_code("code", "StatusCode", limited={11232: 60.0, 99991400: 60.0}), 0.8, signs=True),
}  # fmt: skip
