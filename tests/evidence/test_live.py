"""A real server, killed without warning between pieces and in the middle of one: nothing it acknowledged is lost."""

from __future__ import annotations

import hashlib
import http.client
import json
import random
import re
import signal
import socket
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from tests.evidence.conftest import jpeg
from tests.exchange.live import CLERK, PASSWORD, Copied, Platform

pytestmark = pytest.mark.slow

VISIT = """
import uuid, django; django.setup()
from anze.kernel.scope import EVERYTHING, inside
from anze.parties.models import Enterprise, Organisation
from anze.prevention.models import Visit
with inside(EVERYTHING):
    at = Enterprise.objects.get(name='星火示例铸造有限公司')
    print(Visit.objects.create(
        visit_no='V-1', policy_id=uuid.uuid4(), service_type='HAZARD', form='COMMISSIONED_TSP', planned_on='2026-11-23',
        enterprise_id=at.pk, insurer_id=Organisation.objects.get(code='INS01').pk, region_code=at.region_code, sector=at.sector,
    ).pk)
"""


class Phone:
    """What a service worker does: same session, plain requests."""

    def __init__(self, platform: Platform) -> None:
        self.port, self.cookies = platform.port, {}  # type: ignore[var-annotated]

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any, bytes]:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        sent = {
            "Accept": "application/json",
            "Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items()),
            **headers,
        }
        if token := self.cookies.get("csrftoken"):
            sent["X-CSRFToken"] = token
        line.request(method, path, body, sent)
        answer = line.getresponse()
        for value in answer.headers.get_all("Set-Cookie") or ():
            self.cookies |= {name: each.value for name, each in SimpleCookie(value).items()}
        said = answer.read()
        line.close()
        return answer.status, answer.headers, said

    def sign_in(self) -> None:
        _status, _headers, page = self.ask("GET", "/sign-in/")
        token = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert token
        form = urlencode({"username": CLERK, "password": PASSWORD, "csrfmiddlewaretoken": token[1].decode()}).encode()
        status, _headers, said = self.ask(
            "POST", "/sign-in/", form, **{"Content-Type": "application/x-www-form-urlencoded"}
        )
        assert status == 302, said[-500:]

    def half_a_piece(self, address: str, offset: int, length: int, sent: bytes) -> socket.socket:
        """Begin a piece and stop in the middle of it."""
        line = socket.create_connection(("127.0.0.1", self.port), timeout=300)
        cookies = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        head = (
            f"PATCH {address} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\nCookie: {cookies}\r\n"
            f"X-CSRFToken: {self.cookies['csrftoken']}\r\nUpload-Offset: {offset}\r\nContent-Length: {length}\r\n\r\n"
        )
        line.sendall(head.encode() + sent)
        return line


def test_a_server_killed_in_the_middle_of_an_upload(copied: Copied, tmp_path: Path) -> None:
    with copied(tmp_path) as platform:
        visit = platform.run("-c", VISIT).split()[-1]
        server = platform.start_server(workers=1)
        phone = Phone(platform)
        phone.sign_in()
        content = jpeg(1) + random.Random(1).randbytes(700_000)
        said = {
            "client_id": str(uuid4()), "sha256": hashlib.sha256(content).hexdigest(), "size": len(content),
            "kind": "PHOTO", "role": "SITE", "subject_kind": "visit", "subject": visit,
        }  # fmt: skip
        declared = json.dumps(said).encode()
        status, _headers, answer = phone.ask("POST", "/evidence/uploads/", declared)
        assert status == 201, answer
        address = json.loads(answer)["upload"]
        size = 150_000
        acknowledged = 0
        receipt: dict[str, Any] = {}
        for number in range(100):
            if number in (1, 3):
                line = phone.half_a_piece(address, acknowledged, size, content[acknowledged : acknowledged + 40_000])
                platform.stop(server, signal.SIGKILL)
                line.close()
                server = platform.start_server(workers=1)
                _status, headers, _said = phone.ask("HEAD", address)
                assert int(headers["Upload-Offset"]) >= acknowledged
                acknowledged = int(headers["Upload-Offset"])
            piece = content[acknowledged : acknowledged + size]
            status, headers, answer = phone.ask("PATCH", address, piece, **{"Upload-Offset": str(acknowledged)})
            assert status in (200, 204), answer
            acknowledged = int(headers["Upload-Offset"])
            if status == 200:
                receipt = json.loads(answer)["receipt"]
                break
        platform.stop(server, signal.SIGKILL)
        [(count, mark)] = platform.ask(
            "SELECT count(*), max(o.sha256) FROM evidence_media AS m JOIN evidence_original AS o ON o.id = m.original_id"
        )
        assert (count, mark, receipt["sha256"]) == (1, said["sha256"], said["sha256"])
        [kept] = (tmp_path / "evidence" / "files" / "originals").rglob("*.jpg")
        assert kept.read_bytes() == content
        platform.start_server(workers=1)
        status, _headers, answer = phone.ask("POST", "/evidence/uploads/", declared)
        assert (status, json.loads(answer)["receipt"]["id"]) == (200, receipt["id"])
