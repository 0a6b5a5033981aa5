"""Push rows and fetch receipts. Standard library only."""

from __future__ import annotations

import contextlib
import gzip as gz
import hashlib
import http.client
import json
import random
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from .signing import Signer

MAX_SENT = 5_000_000  # bytes of a batch on the way, compressed
MAX_EXPANDED = 50_000_000  # bytes of a batch unpacked


class Refused(Exception):
    """The server said no, with problem details (RFC 9457): `code`, `title`, `detail`, `remedy`, `status`.

    `delivered` is the receipt of the batches that had been taken before this one.
    """

    def __init__(self, problem: Mapping[str, Any]) -> None:
        self.problem = dict(problem)
        self.code = str(problem.get("code", ""))
        self.status = int(problem.get("status", 0))
        self.delivered: Receipt | None = None
        words = [str(problem[name]) for name in ("title", "detail", "remedy") if problem.get(name)]
        super().__init__(f"{self.code or self.status}: " + " ".join(words))


class Unreachable(ConnectionError):
    """No usable answer after all attempts. Sending the same rows again is safe."""


class Receipt:
    """What became of the rows, over one or several batches, rows counted through."""

    def __init__(self, batches: list[dict[str, Any]]) -> None:
        self.batches = batches

    def _sum(self, name: str) -> int:
        return sum(batch.get(name) or 0 for batch in self.batches)

    @property
    def ids(self) -> list[str]:
        return [batch["id"] for batch in self.batches]

    @property
    def state(self) -> str:
        """FAILED if any batch failed, RECEIVED if any is not processed yet, else DONE."""
        states = {batch["state"] for batch in self.batches}
        return next((state for state in ("FAILED", "RECEIVED") if state in states), "DONE")

    rows = property(lambda self: self._sum("rows"))
    created = property(lambda self: self._sum("created"))
    updated = property(lambda self: self._sum("updated"))
    unchanged = property(lambda self: self._sum("unchanged"))
    rejected = property(lambda self: self._sum("rejected"))

    @property
    def outcomes(self) -> str:
        """A letter a row: A created, U updated, S unchanged, R rejected."""
        return "".join(batch.get("outcomes") or "" for batch in self.batches)

    @property
    def findings(self) -> list[dict[str, Any]]:
        """`row`, `field`, `code`, `message`; rows counted over all batches."""
        found, before = [], 0
        for batch in self.batches:
            found += [{**each, "row": each["row"] + before} for each in batch.get("findings") or ()]
            before += batch.get("rows") or 0
        return found


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A signed request is for one address; following elsewhere would carry the data to who knows whom."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


class _Stubborn:
    """A connection that still reads the answer when the server stops reading: it may have said why."""

    def send(self, data: Any) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            super().send(data)  # type: ignore[misc]


class _Http(_Stubborn, http.client.HTTPConnection):
    pass


class _Https(_Stubborn, http.client.HTTPSConnection):
    pass


class _HttpHandler(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Http, req)


class _HttpsHandler(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Https, req, context=self._context)  # type: ignore[attr-defined]


class Client:
    """`base` is the platform's address, for example https://anze.example; `secret` as `Signer` takes it.

    A request is tried `attempts` times on network failures and 5xx answers, with growing pauses; `wait` is
    how many seconds to wait for a receipt that is not ready at once.
    """

    def __init__(
        self,
        base: str,
        key_id: str,
        secret: str,
        *,
        timeout: float = 60,
        attempts: int = 9,
        wait: float = 600,
    ) -> None:
        parts = urlsplit(base)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"not an address to send to: {base!r}")
        self.base = base.rstrip("/")
        self.timeout, self.attempts, self.wait = timeout, attempts, wait
        self._signer = Signer(key_id, secret)
        self._opener = urllib.request.build_opener(_NoRedirect, _HttpHandler, _HttpsHandler)

    def feeds(self) -> Any:
        """The datasets this key may send."""
        return self._ask("GET", f"{self.base}/api/v1/feeds")[0]

    def ask(self, method: str, path: str, words: Mapping[str, Any] | None = None) -> Any:
        """Any other address of the interface, with a small JSON object."""
        body = b"" if words is None else json.dumps(words).encode()
        return self._ask(method, self.base + path, body, {"Content-Type": "application/json"} if body else {})[0]

    def receipt(self, batch_id: str) -> Receipt:
        return Receipt([self._ask("GET", f"{self.base}/api/v1/batches/{quote(batch_id, safe='')}")[0]])

    def push(
        self,
        feed: str,
        rows: Iterable[Mapping[str, Any] | str | bytes],
        idempotency_key: str | None = None,
        gzip: bool = True,
        chunk: int = 20_000,
    ) -> Receipt:
        """Send rows and wait for what became of each; a `str` or `bytes` row is a line of JSON sent as it is.

        Rows are cut into batches of at most `chunk` rows that the server will take. The default key is the
        hash of feed and content: repeating a push is then harmless, and a batch once processed is not
        processed again. Give a key of your own to send the same content a second time on purpose.
        """
        done: list[dict[str, Any]] = []
        url = f"{self.base}/api/v1/feeds/{quote(feed, safe='')}/batches"
        headers = {"Content-Type": "application/x-ndjson"} | ({"Content-Encoding": "gzip"} if gzip else {})
        for number, (body, content) in enumerate(_batches(rows, gzip, chunk), start=1):
            if idempotency_key is None:
                key = hashlib.sha256(feed.encode() + b"\n" + content).hexdigest()
            else:
                key = idempotency_key if number == 1 else f"{idempotency_key}.{number}"
            try:
                answer, place = self._ask("POST", url, body, {**headers, "Idempotency-Key": key})
                done.append(self._finished(answer, place))
            except Refused as refused:
                refused.delivered = Receipt(done)
                raise
        return Receipt(done)

    def _finished(self, receipt: dict[str, Any], location: str) -> dict[str, Any]:
        """The receipt once the batch is processed; asks again with growing pauses."""
        pause, end = 0.2, time.monotonic() + self.wait
        batch_id = receipt.get("id") or location.rsplit("/", 1)[-1]
        while receipt.get("state") not in ("DONE", "FAILED"):
            if time.monotonic() > end:
                raise Unreachable(f"batch {batch_id} was received but is not processed yet; ask for it later")
            time.sleep(pause)
            pause = min(pause * 1.5, 5)
            receipt = self.receipt(batch_id).batches[0]
        return receipt

    def _ask(
        self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[Any, str]:
        """The answer's JSON and its Location. Every attempt is signed afresh: same content, new nonce."""
        problem: object = None
        pause = 0.0
        for attempt in range(self.attempts):
            time.sleep(pause * random.uniform(0.75, 1.25))  # noqa: S311 - spreads load, keeps no secret
            pause = min(0.25 * 2**attempt, 30)
            request = urllib.request.Request(  # noqa: S310 - the scheme is checked in __init__
                url, body or None, self._signer.headers(method, url, headers or {}, body), method=method
            )
            request.add_unredirected_header("Accept", "application/json")
            try:
                with self._opener.open(request, timeout=self.timeout) as answer:
                    return json.loads(answer.read()), answer.headers.get("Location", "")
            except urllib.error.HTTPError as error:
                refused = Refused(_problem(error))
                after = error.headers.get("Retry-After", "")
                if error.code < 500 and (not after or attempt == self.attempts - 1):
                    raise refused from None
                problem = refused
                pause = max(pause, min(int(after), 60)) if after.isdigit() else pause
            except (OSError, http.client.HTTPException, ValueError) as error:
                if isinstance(getattr(error, "reason", error), ssl.SSLCertVerificationError):
                    raise
                problem = error
        raise Unreachable(f"{url}: no answer after {self.attempts} attempts; the last said: {problem}")


def _problem(error: urllib.error.HTTPError) -> dict[str, Any]:
    """The problem details of an answer, or the bare status when something else answered."""
    try:
        with error:
            details = json.loads(error.read())
    except (OSError, http.client.HTTPException, ValueError):
        details = None
    if not isinstance(details, dict):
        details = {"title": f"{error.code} {error.reason}"}
    return {**details, "status": error.code}


def _batches(rows: Iterable[Mapping[str, Any] | str | bytes], gzip: bool, chunk: int) -> Iterator[tuple[bytes, bytes]]:
    """Rows cut to sizes the server takes: the body to send, and its content unpacked."""
    lines: list[bytes] = []
    size, limit = 0, MAX_EXPANDED if gzip else MAX_SENT
    for row in rows:
        line = _line(row)
        if lines and (len(lines) >= chunk or size + len(line) > limit):
            yield from _packed(lines, gzip)
            lines, size = [], 0
        lines.append(line)
        size += len(line)
    if lines:
        yield from _packed(lines, gzip)


def _packed(lines: list[bytes], gzip: bool) -> Iterator[tuple[bytes, bytes]]:
    """One batch, or two halves of it when it does not pack small enough."""
    content = b"".join(lines)
    # Without a time stamp the same rows make the same bytes. The highest level would take ten times as long.
    body = gz.compress(content, compresslevel=6, mtime=0) if gzip else content
    if len(body) <= MAX_SENT and len(content) <= MAX_EXPANDED:
        yield body, content
    elif len(lines) == 1:
        raise ValueError(f"a single row of {len(content)} bytes is more than a batch may hold")
    else:
        middle = len(lines) // 2
        yield from _packed(lines[:middle], gzip)
        yield from _packed(lines[middle:], gzip)


def _line(row: Mapping[str, Any] | str | bytes) -> bytes:
    if isinstance(row, Mapping):
        row = json.dumps(row, ensure_ascii=False, separators=(",", ":"), default=_text)
    return (row.encode() if isinstance(row, str) else row).strip() + b"\n"


def _text(value: Any) -> str:
    """Dates and amounts (Decimal) as text, which the server reads exactly."""
    return str(value.isoformat() if hasattr(value, "isoformat") else value)
