"""A bucket that speaks as much of the S3 protocol as originals need: whole objects, parts of large ones, and ranges."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4


class Bucket(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    objects: ClassVar[dict[str, bytes]] = {}
    parts: ClassVar[dict[str, dict[int, bytes]]] = {}

    def _asked(self) -> tuple[str, dict[str, list[str]]]:
        address = urlsplit(self.path)
        return unquote(address.path), parse_qs(address.query, keep_blank_values=True)

    def _body(self) -> bytes:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "aws-chunked" not in self.headers.get("Content-Encoding", ""):
            return body
        whole = b""
        while match := re.match(rb"([0-9a-f]+)[^\r]*\r\n", body):  # each piece: its length, then itself
            size = int(match[1], 16)
            whole += body[match.end() : match.end() + size]
            body = body[match.end() + size + 2 :]
            if not size:
                break
        return whole

    def _say(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_HEAD(self) -> None:
        found = self.objects.get(self._asked()[0])
        if found is None:
            self._say(404)
        else:
            self._say(200, ETag='"x"', Content_Length=str(len(found)))

    def do_GET(self) -> None:
        found = self.objects.get(self._asked()[0])
        if found is None:
            return self._say(404, b"<Error><Code>NoSuchKey</Code></Error>")
        if wanted := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            first, last = int(wanted[1]), int(wanted[2] or len(found) - 1)
            piece = found[first : last + 1]
            return self._say(
                206, piece, ETag='"x"', Content_Range=f"bytes {first}-{first + len(piece) - 1}/{len(found)}"
            )
        return self._say(200, found, ETag='"x"')

    def do_PUT(self) -> None:
        name, words = self._asked()
        body = self._body()
        if "uploadId" in words:
            self.parts[words["uploadId"][0]][int(words["partNumber"][0])] = body
        else:
            self.objects[name] = body
        self._say(200, ETag='"x"')

    def do_POST(self) -> None:
        name, words = self._asked()
        self._body()
        if "uploads" in words:
            key = uuid4().hex
            self.parts[key] = {}
            made = f"<InitiateMultipartUploadResult><UploadId>{key}</UploadId></InitiateMultipartUploadResult>"
        else:
            self.objects[name] = b"".join(piece for _n, piece in sorted(self.parts.pop(words["uploadId"][0]).items()))
            made = "<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>"
        self._say(200, made.encode())

    def log_message(self, *words: object) -> None:
        """Quiet."""


@contextmanager
def bucket() -> Iterator[tuple[str, dict[str, bytes]]]:
    """The address of a new bucket store, and what lies in it by /bucket/name."""
    objects: dict[str, bytes] = {}
    kind = type("OwnBucket", (Bucket,), {"objects": objects, "parts": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", objects
    finally:
        server.shutdown()
        server.server_close()
