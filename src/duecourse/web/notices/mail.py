"""One message by mail, step by step: what is certain of it is known at each."""

from __future__ import annotations

import html
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from duecourse.messages import say
from duecourse.web import environment as env
from duecourse.web.notices.services import Verdict, language_of, left_out

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SPACING_SECONDS: Final = 0.25
"""Between two mails of this installation."""


def drawn(message: Mapping[str, Any], token: str, to: str) -> EmailMessage:
    """The mail: plain text, and the same as HTML. Its Message-ID is the message's token at every try, so that a second copy can be known."""
    lang = language_of(message)
    more, foot = left_out(message, message["more"]), say("web.notices_mail_foot", lang, link=message["settings"])
    mail = EmailMessage()
    mail["Subject"] = message["title"]
    mail["From"] = settings.DEFAULT_FROM_EMAIL
    mail["To"] = to
    mail["Date"] = format_datetime(timezone.now())
    mail["Message-ID"] = f"<{token}@{urlsplit(env.BASE_URL).hostname}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    parts = [message["title"], "", *(f"- {one['text']}\n  {one['url']}".rstrip() for one in message["lines"]), more, "", f"{message['link_words']}: {message['link']}", "", foot]  # fmt: skip
    mail.set_content("\n".join(parts) + "\n")
    lines = "".join(f'<li style="margin:0 0 8px">{_link(one["text"], one["url"])}</li>' for one in message["lines"])
    safe = html.escape
    mail.add_alternative(
        f'<!doctype html><html lang="{"zh-Hans" if lang == "zh" else "en"}"><body style="font:15px/1.5 system-ui,sans-serif;max-width:40em">'
        f'<h1 style="font-size:18px">{safe(message["title"])}</h1><ul style="padding-left:18px">{lines}</ul>'
        f"{f'<p>{safe(more)}</p>' if more else ''}<p>{_link(message['link_words'], message['link'])}</p>"
        f'<p style="font-size:12px;color:#667">{safe(foot)}</p></body></html>\n',
        subtype="html",
    )
    return mail


def _link(words: str, url: str) -> str:
    return f'<a href="{html.escape(url)}">{html.escape(words)}</a>' if url else html.escape(words)


def send(mail: EmailMessage, before: Callable[[], bool]) -> Verdict:
    """Hand a mail to the firm's server; never raises.

    before  called when everything up to the handing over has gone well; where it says no, nothing is handed over
    """
    connection: smtplib.SMTP | None = None
    handed_over = False
    try:
        connection = _connected()
        refusal = _addressed(connection, mail)
        if refusal is not None:
            return refusal
        if not before():
            return Verdict("later", "stopped")
        handed_over = True
        code, answer = connection.data(mail.as_bytes(policy=mail.policy.clone(linesep="\r\n")))
    except smtplib.SMTPDataError as error:  # said no before it had the text
        return _refusal(error.smtp_code, error.smtp_error)
    except smtplib.SMTPAuthenticationError:
        return Verdict("later", "mail_login")
    except (smtplib.SMTPException, OSError, UnicodeError) as error:
        fault = "tls" if isinstance(error, ssl.SSLError) else "timeout" if isinstance(error, TimeoutError) else "unreachable"
        return Verdict("unknown" if handed_over else "later", fault)
    finally:
        if connection is not None:
            connection.close()
    return Verdict("sent", status=code) if code == 250 else _refusal(code, answer)


def _connected() -> smtplib.SMTP:
    kind = smtplib.SMTP_SSL if settings.EMAIL_USE_SSL else smtplib.SMTP
    own = (
        urlsplit(env.BASE_URL).hostname or "localhost"
    )  # else it is looked up anew for each mail, which takes seconds where nobody knows it
    connection = kind(settings.EMAIL_HOST, settings.EMAIL_PORT, local_hostname=own, timeout=settings.EMAIL_TIMEOUT)
    try:
        if settings.EMAIL_USE_TLS:
            connection.starttls(context=ssl.create_default_context())
        connection.ehlo_or_helo_if_needed()
        if settings.EMAIL_HOST_USER:
            connection.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
    except BaseException:
        connection.close()
        raise
    return connection


def _addressed(connection: smtplib.SMTP, mail: EmailMessage) -> Verdict | None:
    for code, answer in (connection.mail(_bare(mail["From"])), connection.rcpt(_bare(mail["To"]))):
        if code not in (250, 251):
            return _refusal(code, answer)
    return None


def _bare(header: Any) -> str:
    return str(header.addresses[0].addr_spec)


def _refusal(code: int, answer: bytes | str) -> Verdict:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
    return Verdict("refused" if code >= 500 else "later", "refused" if code >= 500 else "unavailable", 0.0, code, text[:300])
