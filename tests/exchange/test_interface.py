"""The signed interface over real HTTP: every way to be refused, receipts, repeats, races and bombs."""

from __future__ import annotations

import base64
import gzip
import hashlib
import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from tests.cast import XINGHUO, YUANFAN, policy_row
from tests.exchange.live import Platform

pytestmark = pytest.mark.slow


def number() -> str:
    return f"P{uuid4().hex[:16]}"


def ndjson(*rows: dict[str, Any]) -> bytes:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


class Answer:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.raw = response.read()
        self.json = json.loads(self.raw)

    @property
    def code(self) -> str:
        return str(self.json.get("code", ""))


def send(
    live: Platform,
    method: str = "POST",
    path: str = "/api/v1/feeds/policies/batches",
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    *,
    by: str = "huaihai",
    change: Any = None,
) -> Answer:
    """One request, signed as it should be; `change` may spoil headers and body afterwards."""
    headers = dict(headers or {})
    if method == "POST":
        headers.setdefault("Content-Type", "application/x-ndjson")
        headers.setdefault("Idempotency-Key", uuid4().hex)
    headers = {name: value for name, value in headers.items() if value}
    signed = live.signer(by).headers(method, live.base + path, headers, body)
    if change:
        changed = change(signed, body)
        body = body if changed is None else changed
    connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=60)
    try:
        connection.request(method, path, body or None, signed)
        return Answer(connection.getresponse())
    finally:
        connection.close()


def test_a_small_batch_is_answered_with_its_receipt(live: Platform) -> None:
    numbers = [number() for _each in range(3)]
    answer = send(live, body=ndjson(*(policy_row(each, XINGHUO) for each in numbers)))
    assert answer.status == 200, answer.json
    receipt = answer.json
    assert (receipt["state"], receipt["rows"], receipt["created"], receipt["outcomes"]) == ("DONE", 3, 3, "AAA")
    assert answer.headers["Location"] == f"/api/v1/batches/{receipt['id']}"
    found = live.ask("SELECT policy_no FROM underwriting_policy WHERE batch_id = %s ORDER BY 1", receipt["id"])
    assert [row[0] for row in found] == sorted(numbers)
    again = send(live, "GET", answer.headers["Location"])
    assert again.status == 200
    assert again.json == receipt
