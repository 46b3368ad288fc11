"""A server on this machine that plays an outside feed, well or badly, and buyers it may speak of."""

from __future__ import annotations

import contextlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FIXTURES = Path(__file__).resolve().parents[1] / "intake" / "fixtures" / "feeds"
BUYERS = [
    {"buyer_id": "N1", "name": "Norwind Pumps GmbH", "city": "Kiel", "country": "DE", "lei": "5493001KJTIIGC8Y1R12"},
    {"buyer_id": "X1", "name": "Ningbo Xinyuan Machinery Co., Ltd.", "name_local": "宁波欣原机械设备有限公司", "city": "Ningbo", "country": "CN", "registration_number": "91330200100000016D"},
    {"buyer_id": "S1", "name": "Summit Ltd", "city": "Leeds", "country": "GB"},
    {"buyer_id": "U1", "name": "Ubootmann AG", "city": "Basel", "country": "CH", "lei": "529900T8BM49AURSDO55"},
    {"buyer_id": "B1", "name": "Ostsee Flow AG", "country": "DE"},
]  # fmt: skip


class Press:
    """Answers GET. `mode`: ok, down (503), gone (404), slow (a byte now and then), huge, cut (less than promised), zip, round (redirects for ever), away (to `address`)."""

    def __init__(self, content: bytes = b"", mode: str = "ok") -> None:
        self.content, self.mode, self.etag, self.asked, self.address = content, mode, '"one"', [], ""
        press = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                press.asked.append(dict(self.headers))
                with contextlib.suppress(OSError):
                    press.answer(self)

            def log_message(self, *_args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/feed"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, to: BaseHTTPRequestHandler) -> None:
        head = {"ETag": self.etag, "Last-Modified": "Thu, 05 Mar 2026 07:10:00 GMT", "Content-Length": str(len(self.content))}
        status, body = 200, self.content
        if self.mode == "ok" and to.headers.get("If-None-Match") == self.etag:
            status, body = 304, b""
        elif self.mode in ("down", "gone"):
            status, body = (503 if self.mode == "down" else 404), b""
        elif self.mode in ("round", "away"):
            status, body, head = 302, b"", {"Location": self.address or "/feed"}
        elif self.mode == "cut":
            head["Content-Length"] = str(len(body) + 100)
        elif self.mode == "zip":
            head["Content-Encoding"] = "gzip"
        elif self.mode == "huge":
            del head["Content-Length"]
        to.send_response(status)
        for name, value in head.items():
            if name != "Content-Length" or status == 200:
                to.send_header(name, value)
        to.end_headers()
        if self.mode == "slow":
            for sign in body:
                to.wfile.write(bytes([sign]))
                time.sleep(0.05)
            return
        if self.mode == "huge":
            for _ in range(200):
                to.wfile.write(b"x" * 10_000)
            return
        to.wfile.write(body)

    def end(self) -> None:
        self.server.shutdown()
        self.server.server_close()
