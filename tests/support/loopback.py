"""A chat and a mail server on this machine, real sockets, that keep what they accept and misbehave on demand."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections import Counter, deque
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from email.message import EmailMessage

CLOSED = 0
"""Instead of a status: the request is read and kept, and the connection closed without an answer."""


class Chat:
    """Keeps what it is sent: (path, headers, body). `plan` holds statuses to answer with, first come first served; after them 200."""

    def __init__(self, answer: bytes = b"ok") -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.accepted: Counter[tuple[str, bytes]] = Counter()
        self.plan: deque[int] = deque()
        self.answer = answer
        self.retry_after = ""
        self.guard = threading.Lock()
        chat = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                size = int(self.headers["Content-Length"])
                body = self.rfile.read(size)
                if len(body) < size:  # who sent it died over it: no server takes half a message
                    self.close_connection = True
                    return
                with chat.guard:
                    chat.got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                    status = chat.plan.popleft() if chat.plan else 200
                    if status in (200, CLOSED):
                        chat.accepted[self.path, body] += 1
                if status == CLOSED:
                    self.close_connection = True
                    return
                with contextlib.suppress(OSError):  # who asked may be dead by now
                    self.send_response(status)
                    if chat.retry_after:
                        self.send_header("Retry-After", chat.retry_after)
                    self.send_header("Content-Length", str(len(chat.answer)))
                    self.end_headers()
                    self.wfile.write(chat.answer)

            def log_message(self, *_args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def end(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Mail:
    """An SMTP server without TLS. `plan` holds what becomes of the next mails: "ok", "later" (451), "no" (550), "closed" (kept, no answer)."""

    def __init__(self) -> None:
        self.got: list[EmailMessage] = []
        self.plan: deque[str] = deque()
        self.guard = threading.Lock()
        mail = self

        class Handler(socketserver.StreamRequestHandler):
            def say(self, line: str) -> None:
                self.wfile.write(f"{line}\r\n".encode())

            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    self.talk()

            def talk(self) -> None:
                self.say("220 loopback")
                while line := self.rfile.readline():
                    word = line.split()[0].upper() if line.split() else b""
                    if word == b"DATA":
                        self.say("354 go on")
                        text = b""
                        while (piece := self.rfile.readline()) and piece != b".\r\n":
                            text += piece[1:] if piece.startswith(b".") else piece
                        if not piece:  # cut off before the end: it was never sent
                            return
                        with mail.guard:
                            fate = mail.plan.popleft() if mail.plan else "ok"
                            if fate in ("ok", "closed"):
                                mail.got.append(message_from_bytes(text, policy=policy.default))
                        if fate == "closed":
                            return
                        self.say({"ok": "250 taken", "later": "451 come again", "no": "550 not here"}[fate])
                    elif word == b"QUIT":
                        self.say("221 bye")
                        return
                    else:
                        self.say("250 loopback")

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def end(self) -> None:
        self.server.shutdown()
        self.server.server_close()
