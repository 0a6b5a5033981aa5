"""A small real app of an insurer: lists visits with photos and hazards page by page over HTTP, and can be made to fail."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from PIL import Image

from tests.cast import XINGHUO

TOKEN = "a token of the app"


def picture(number: int) -> bytes:
    made = io.BytesIO()
    Image.effect_noise((160, 120), 40 + number).save(made, "JPEG")
    return made.getvalue()


def visit(number: int, policy: str = "PA", **words: Any) -> dict[str, Any]:
    """A visit as the app tells it."""
    return {
        "visitCode": f"V{number:04d}",
        "policyNo": policy,
        "taskType": "01",
        "staffType": "own",
        "beginTime": f"2026-10-{number % 28 + 1:02d} 09:00:00",
        "endTime": f"2026-10-{number % 28 + 1:02d} 11:00:00",
        "site": {"address": "示例路1号", "lng": "117.076", "lat": "36.668"},
        "joinCount": 3,
        "dangerCount": 0,
        "noDanger": True,
        "staff": [{"role": "surveyor", "name": "示例查勘员"}],
        "photos": [{"url": f"/photos/{number}.jpg", "fileName": f"{number}.jpg"}],
        **words,
    }


def danger(number: int, **words: Any) -> dict[str, Any]:
    return {
        "dangerId": f"D{number:04d}",
        "companyCode": XINGHUO,
        "origin": "self",
        "level": "1",
        "foundAt": 1790000000000 + number * 60_000,
        "position": "一车间",
        "detail": "配电箱门缺失",
        "suggestion": "补装",
        "limitDate": "2026/12/01",
        "status": "2",
        **words,
    }


@dataclass
class App:
    """What it holds, and how it fails: `answers` are given, first to last, instead of good ones."""

    visits: list[dict[str, Any]] = field(default_factory=list)
    dangers: list[dict[str, Any]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]] | str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    page: int = 2
    base: str = ""

    def visits_page(self, query: dict[str, str]) -> dict[str, Any]:
        start = int(query.get("since") or 0)
        found = self.visits[start : start + self.page]
        following = start + len(found)
        return {"data": {"records": found}, "next_cursor": str(following), "has_more": following < len(self.visits)}

    def dangers_page(self, query: dict[str, str]) -> dict[str, Any]:
        start = int(query["after"])
        found = self.dangers[start : start + self.page]
        return {"code": 0, "result": {"list": found, "last": str(start + len(found))}}


@contextmanager
def serving(app: App) -> Iterator[App]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            app.asked.append(self.path)
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                return self.answer(401, b"{}")
            if app.answers:
                wrong = app.answers.pop(0)
                if wrong == "break off":
                    self.send_response(200)
                    self.send_header("Content-Length", "5000")
                    self.end_headers()
                    self.wfile.write(b'{"data": {"rec')
                    self.close_connection = True
                    return None
                status, headers = wrong  # type: ignore[misc]
                return self.answer(status, b"{}", **headers)
            if parts.path == "/open/v1/visits":
                return self.answer(200, json.dumps(app.visits_page(query)).encode())
            if parts.path == "/api/dangers":
                return self.answer(200, json.dumps(app.dangers_page(query)).encode())
            if parts.path.startswith("/photos/"):
                return self.answer(200, picture(int(parts.path[8:].partition(".")[0])))
            return self.answer(404, b"{}")

        def answer(self, status: int, body: bytes, **headers: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    app.base = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield app
    finally:
        server.shutdown()
        server.server_close()


def wait_until(holds: Callable[[], object], seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)
