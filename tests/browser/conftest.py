"""The product as a person meets it: `duecourse serve` on a free port of this machine, and Chromium in front of it.

Skipped, loudly, where there is no Chromium (Debian: apt-get install chromium fonts-noto-cjk).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.browser_support import CHROMIUM, WAIT_SECONDS, WATCH, Server, Watched, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], Server]]:
    """serve(ledger folder): the app on it, stopped when the tests end."""
    running: list[subprocess.Popen[bytes]] = []

    def start(ledger: Path) -> Server:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        log = tmp_path_factory.mktemp("serve") / "log"
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("DUECOURSE_", "DJANGO_"))
        } | {"DUECOURSE_LANG": "en", "DUECOURSE_URL": url}  # fmt: skip
        with log.open("wb") as sink:
            process = subprocess.Popen(
                [str(Path(sys.executable).parent / "duecourse"), "--ledger", str(ledger), "serve", "--port", str(port), "--workers", "1"],
                stdout=sink, stderr=subprocess.STDOUT, env=environment, start_new_session=True,
            )  # fmt: skip
        running.append(process)
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                with urllib.request.urlopen(f"{url}/health/live", timeout=2):
                    return Server(url, log, process)
            except OSError:
                assert process.poll() is None, log.read_text(encoding="utf-8", errors="replace")
                assert time.monotonic() < deadline, log.read_text(encoding="utf-8", errors="replace")
                time.sleep(0.1)

    yield start
    for process in running:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests."""
    if CHROMIUM is None:
        pytest.skip("CHROMIUM ABSENT: the pages were not looked at in a browser (apt-get install chromium fonts-noto-cjk)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        yield browser
        browser.close()


@pytest.fixture
def watched(chromium: Browser) -> Iterator[Callable[..., Watched]]:
    """watched(locale="zh-CN"): a fresh browser profile whose page remembers every fault."""
    opened: list[BrowserContext] = []

    def make(**options: object) -> Watched:
        context = chromium.new_context(
            **{"viewport": {"width": 1440, "height": 900}, "locale": "en-GB", "accept_downloads": True, **options}
        )
        context.add_init_script(WATCH)
        context.set_default_timeout(60_000)  # the first look at a ledger works its figures out
        opened.append(context)
        page = context.new_page()
        faults: list[str] = []
        page.on("console", lambda message: faults.append(f"console: {message.text}") if message.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(f"thrown: {error}"))
        page.on(
            "requestfailed",
            lambda request: (
                faults.append(f"failed: {request.url} {request.failure}") if "ERR_ABORTED" not in str(request.failure) else None
            ),
        )
        return Watched(page, faults)

    yield make
    for context in opened:
        context.close()
