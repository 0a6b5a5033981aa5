"""Receivers on this machine: a web server and a mail server that remember what they were given."""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Received:
    """Ids of messages in the order they came. The `stall_at`-th is taken and not answered until `go_on`."""

    port: int = 0
    ids: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    stall_at: int = 0
    stalled: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    answers: list[tuple[int, bytes]] = field(default_factory=list)

    def take(self, key: str) -> None:
        self.ids.append(key)
        if len(self.ids) == self.stall_at:
            self.stalled.set()
            self.go_on.wait(60)


@contextmanager
def web_server() -> Iterator[Received]:
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.bodies.append(body)
            received.headers.append({name.lower(): value for name, value in self.headers.items()})
            received.paths.append(self.path)
            received.take(self.headers.get("webhook-id", ""))
            status, said = received.answers.pop(0) if received.answers else (200, b"{}")
            self.send_response(status)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *words: object) -> None:
            pass

        def handle(self) -> None:
            with suppress(OSError):  # the sender was killed
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield received
    finally:
        received.go_on.set()
        server.shutdown()
        server.server_close()


@contextmanager
def mail_server() -> Iterator[Received]:
    """As much of SMTP (RFC 5321) as it takes to receive."""
    received = Received()

    class Handler(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(line.encode() + b"\r\n")

        def handle(self) -> None:
            with suppress(OSError):
                self.speak()

        def speak(self) -> None:
            self.say("220 here")
            while line := self.rfile.readline():
                word = line.strip().upper()[:4]
                if word == b"DATA":
                    self.say("354 go on")
                    lines = []
                    while (part := self.rfile.readline()) not in (b".\r\n", b""):
                        lines.append(part)
                    message = message_from_bytes(b"".join(lines))
                    received.bodies.append(b"".join(lines))
                    received.take(re.sub(r"[<>\s]", "", message["Message-ID"]).partition("@")[0])
                    self.say("250 taken")
                elif word == b"QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 yes")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    server = Server(("127.0.0.1", 0), Handler)
    received.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield received
    finally:
        received.go_on.set()
        server.shutdown()
        server.server_close()
