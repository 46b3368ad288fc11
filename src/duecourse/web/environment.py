"""What the person who runs the app can set, each read from the environment once, with its meaning and default."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

LEDGER: Final = os.environ.get("DUECOURSE_LEDGER", "duecourse-ledger")
"""Folder or object-store URL of the ledger."""

HOME: Final = Path(os.environ.get("DUECOURSE_HOME") or Path(LEDGER) / ".desk").absolute()
"""Where the app keeps what is not a fact: its SQLite database, uploads, secret key. A ledger in an object store needs it set."""

DATABASE_URL: Final = os.environ.get("DUECOURSE_DATABASE", "")
"""`postgresql://user:password@host:port/name`; empty = SQLite in HOME."""

BASE_URL: Final = os.environ.get("DUECOURSE_URL", "http://127.0.0.1:8000").rstrip("/")
"""The address people type. With https, cookies are sent over https only."""

HOSTS: Final = [host for host in os.environ.get("DUECOURSE_HOSTS", "").split(",") if host]
"""Further host names the app answers to; that of BASE_URL, 127.0.0.1, localhost and [::1] always."""

TIME_ZONE: Final = os.environ.get("DUECOURSE_TIME_ZONE", "Asia/Shanghai")
"""In which moments are shown. Stored in UTC."""

DEBUG: Final = os.environ.get("DUECOURSE_DEBUG", "") == "1"
"""For developers: tracebacks in the browser. Never on a network."""

MEMORY_LIMIT: Final = os.environ.get("DUECOURSE_MEMORY", "")
"""What the engine of one process may use, e.g. `4GB`; empty = a quarter of the machine's memory."""

EMAIL_URL: Final = os.environ.get("DUECOURSE_EMAIL", "")
"""`smtp://user:password@host:587` (STARTTLS) or `smtps://…`; empty = no mail is sent, invitations are handed over as links."""

EMAIL_FROM: Final = os.environ.get("DUECOURSE_EMAIL_FROM", "")
"""The sender of those mails; empty = duecourse@ the host of BASE_URL."""

OIDC: Final = os.environ.get("DUECOURSE_OIDC", "")
"""JSON file or text: a list of OpenID Connect providers, each with provider_id, name, client_id, secret, server_url; see docs/guides/people.md."""

LOG: Final = os.environ.get("DUECOURSE_LOG", "")
"""How the server's log is written: `json`, `text`; empty = text on a terminal, JSON elsewhere."""

PROXIES: Final = int(os.environ.get("DUECOURSE_PROXIES") or 0)
"""How many proxies of your own stand in front of the app: so many steps back X-Forwarded-For is believed when an address is asked for."""

SESSION_HOURS: Final = int(os.environ.get("DUECOURSE_SESSION_HOURS") or 12)
"""After how many hours without a request somebody has to sign in again, unless they asked to be remembered."""

SECOND_FACTOR: Final = frozenset(
    role.strip()
    for role in os.environ.get("DUECOURSE_SECOND_FACTOR", "admin,credit_manager" if BASE_URL.startswith("https://") else "").split(",")
    if role.strip()
)
"""Roles that need a second factor to sign in, e.g. `admin,credit_manager`; unset = these two where the app is served over https, none on one's own machine."""

UPLOAD_LIMIT: Final = int(os.environ.get("DUECOURSE_UPLOAD_LIMIT") or 2048) * 2**20
"""The largest upload of an import, given in megabytes."""

DOCUMENT_LIMIT: Final = int(os.environ.get("DUECOURSE_DOCUMENT_LIMIT") or 100) * 2**20
"""The largest document (contract, delivery note, e-mail …) that is taken up, given in megabytes."""

TSA_URL: Final = os.environ.get("DUECOURSE_TSA_URL", "")
"""Address of a time-stamp authority (RFC 3161) that stamps each document's hash, e.g. `https://freetsa.org/tsr`; empty = none is asked."""

TSA_ROOTS: Final = os.environ.get("DUECOURSE_TSA_ROOTS", "")
"""PEM file with the root certificates a time-stamp has to lead to; empty = its signature is checked, who signed is not."""

METRICS_TOKEN: Final = os.environ.get("DUECOURSE_METRICS_TOKEN", "")
"""With it as a bearer token /metrics answers other machines too; empty = only this one."""

API_RATE: Final = int(os.environ.get("DUECOURSE_API_RATE", "3000"))
"""Requests a minute one API key may make; a key that was silent may make so many at once."""

WEBHOOK_NETWORKS: Final = [network for network in os.environ.get("DUECOURSE_WEBHOOK_NETWORKS", "").split(",") if network]
"""Private networks webhooks may be sent to, e.g. `10.0.0.0/8,127.0.0.1/32`; empty = public addresses over https only."""


def secret_key() -> str:
    """The key that signs sessions: DUECOURSE_SECRET_KEY, or one made once in HOME, readable by its owner alone."""
    given = os.environ.get("DUECOURSE_SECRET_KEY")
    if given:
        return given
    place = HOME / "secret-key"
    if not place.exists():
        HOME.mkdir(parents=True, exist_ok=True)
        half = HOME / f".secret-key-{os.getpid()}"
        half.touch(mode=0o600)
        half.write_text(secrets.token_urlsafe(50), encoding="ascii")
        try:
            os.link(half, place)  # the first of several processes wins
        except FileExistsError:
            pass
        finally:
            half.unlink()
    return place.read_text(encoding="ascii").strip()
