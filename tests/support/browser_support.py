"""What the browser tests share: a running server, a watched page, and the first-run set-up."""

from __future__ import annotations

import os
import re
import shutil
import socket
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from playwright.sync_api import Page

CHROMIUM = (
    os.environ.get("DUECOURSE_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
PASSWORD = "a passphrase nobody guesses 42"
WAIT_SECONDS = 90


@dataclass
class Server:
    """A running app: its address, and what it printed."""

    url: str
    log: Path
    process: subprocess.Popen[bytes] = field(repr=False)

    @property
    def setup_link(self) -> str:
        """The link to the first-run set-up, as printed: after the first page is answered, as pages come before words."""
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            printed = self.log.read_text(encoding="utf-8", errors="replace")
            if found := re.search(r"https?://\S+/setup/\S+(?=\s)", printed):  # the whole line, not its beginning
                return found.group(0)
            assert self.process.poll() is None and time.monotonic() < deadline, printed
            time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


WATCH = """
window.__csp = [];
document.addEventListener('securitypolicyviolation', event => window.__csp.push(event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sample));
"""


@dataclass
class Watched:
    """A page with everything that went wrong in it."""

    page: Page
    faults: list[str]

    def check(self) -> None:
        """Nothing was written to the console, nothing blocked, nothing thrown."""
        blocked = self.page.evaluate("window.__csp || []")
        assert not self.faults + blocked, f"{self.page.url}: {self.faults + blocked}"


def set_up(page: Page, server: Server, language: str) -> None:
    """Go through the first-run set-up as the firm's administrator, and arrive signed in."""
    page.goto(server.setup_link)
    page.fill("[name=company]", "Ningbo Lighting Co., Ltd.")
    page.fill("[name=name]", "Anna Chen")
    page.fill("[name=email]", "anna@example.com")
    page.fill("[name=password]", PASSWORD)
    page.select_option("select[name=language]", language)
    currency = page.locator("[name=base_currency]")
    if currency.evaluate("node => node.tagName") == "SELECT":
        currency.select_option("CNY")
    else:
        currency.fill("CNY")
    page.click("form.form button[type=submit]")
    page.wait_for_url(lambda url: "/setup/" not in url)
