"""The virus scanner, spoken to as clamd speaks (INSTREAM): pieces with their length before them, then an empty one."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Iterator

import pytest

from anze.evidence.actions import arrived
from anze.evidence.actions.files import scan
from anze.evidence.models import Media
from anze.kernel.refusal import Refused
from tests.evidence.conftest import jpeg

MARK = b"a signature of the test's own"


class Clamd(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        assert self.rfile.read(10) == b"zINSTREAM\0"
        content = b""
        while length := struct.unpack(">I", self.rfile.read(4))[0]:
            content += self.rfile.read(length)
        self.wfile.write(b"stream: Test.Mark FOUND\0" if MARK in content else b"stream: OK\0")


@pytest.fixture
def scanner(settings) -> Iterator[None]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Clamd) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings.EVIDENCE_CLAMD = f"127.0.0.1:{server.server_address[1]}"
        yield
        server.shutdown()


def test_a_clean_file_passes_and_one_that_was_found_is_refused_by_name(scanner, at_xinghuo, take):
    take(at_xinghuo, jpeg(1))
    with pytest.raises(Refused, match="virus_found") as refused:
        take(at_xinghuo, jpeg(2) + MARK)
    assert "Test.Mark" in refused.value.message
    assert Media.objects.count() == 1


def test_a_large_file_is_scanned_to_its_end(scanner):
    scan(arrived(b"x" * 3_000_000))
    with pytest.raises(Refused, match="virus_found"):
        scan(arrived(b"x" * 3_000_000 + MARK))


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nonsense"])
def test_while_a_required_scanner_is_away_nothing_passes(settings, address):
    settings.EVIDENCE_CLAMD = address
    with pytest.raises(Refused, match="scanner_away") as refused:
        scan(arrived(b"x"))
    assert refused.value.status == 503


def test_without_a_scanner_nothing_is_asked(settings):
    settings.EVIDENCE_CLAMD = ""
    scan(arrived(MARK))
