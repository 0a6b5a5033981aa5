"""The sample client against a real server on loopback that verifies with the platform's own code.

Client and platform sign and verify by separate implementations of RFC 9421; here they meet over real HTTP.
"""

import base64
import gzip
import ipaddress
import json
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from anze_client import Client, Refused, Signer, Unreachable, new_pair
from anze_client import client as client_module
from anze_client.__main__ import main
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID
from django.utils.translation import override

from anze.exchange.signatures import (
    ED25519,
    HMAC_SHA256,
    SignatureRefused,
    SignedRequest,
    VerificationKey,
    new_key,
    parse_public_key,
    read_key_id,
    verify,
)

ROWS = [{"policy_no": f"P-{number}", "insured": "青禾机械厂", "premium": "1200.00"} for number in range(3)]


class Platform:
    """The receiving side in small: verifies, keeps batches by idempotency key, answers with receipts.

    `mishaps` are carried out one a request: "die" breaks off in the middle of the answer, "silence" closes
    the connection without one, a number answers with that status, a mapping is a problem to refuse with.
    """

    def __init__(self) -> None:
        self.keys: dict[str, VerificationKey] = {}
        self.secrets: dict[str, str] = {}
        for key_id, algorithm in (("ed", ED25519), ("mac", HMAC_SHA256)):
            made = new_key(algorithm)
            self.keys[key_id] = VerificationKey.read(algorithm, made.stored)
            self.secrets[key_id] = made.shown_once
        self.batches: dict[str, dict[str, Any]] = {}
        self.content: dict[str, list[dict[str, Any]]] = {}
        self.mishaps: list[Any] = []
        self.nonces: list[str] = []
        self.sizes: list[tuple[int, int]] = []
        self.asked: dict[str, int] = {}
        self.asks_before_done = 2
        self.address = ("127.0.0.1", 0)
        self.start()

    def start(self, tls: ssl.SSLContext | None = None) -> None:
        platform = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                platform.handle(self)

            do_POST = do_GET  # noqa: N815 - the name that http.server calls

        self.server = ThreadingHTTPServer(self.address, Handler)
        self.address = ("127.0.0.1", self.server.server_address[1])
        self.scheme = "https" if tls else "http"
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    @property
    def base(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.address[1]}"

    def client(self, key_id: str = "ed", **options: Any) -> Client:
        return Client(self.base, key_id, self.secrets[key_id], **{"timeout": 10, **options})

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        mishap = self.mishaps.pop(0) if self.mishaps else None
        if mishap == "refuse unread":
            handler.close_connection = True
            self.answer(handler, 413, {"code": "batch_too_large", "title": "too large"})
            return
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        request = SignedRequest(handler.command, self.base + handler.path, dict(handler.headers.items()), body)
        try:
            key = self.keys.get(read_key_id(request))
            if key is None:
                self.answer(handler, 401, {"code": "key_unknown", "title": "unknown key"})
                return
            signature = verify(request, key, now=datetime.now(UTC))
        except SignatureRefused as refused:
            with override("en"):
                problem = {"code": refused.code, "title": str(refused.title), "detail": refused.message}
            self.answer(handler, refused.status, problem)
            return
        if signature.nonce in self.nonces:
            self.answer(handler, 401, {"code": "nonce_replayed", "title": "replay"})
            return
        self.nonces.append(signature.nonce)
        if mishap == "silence":
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
        elif isinstance(mishap, int):
            self.answer(handler, mishap, {"title": "busy"}, {"Retry-After": "0"} if mishap < 500 else {})
        elif isinstance(mishap, dict):
            self.answer(handler, mishap["status"], mishap, {"Location": "/api/v1/elsewhere"})
        elif handler.command == "POST":
            self.answer(handler, *self.receive(handler, body), cut=mishap == "die")
        elif handler.path == "/api/v1/feeds":
            fields = [{"name": "employees", "kind": "integer"}, {"name": "is_void", "kind": "boolean"}]
            self.answer(handler, 200, {"feeds": [{"name": "policies", "fields": fields}]})
        else:
            batch_id = handler.path.rsplit("/", 1)[1]
            receipt = next((each for each in self.batches.values() if each["id"] == batch_id), None)
            self.asked[batch_id] = self.asked.get(batch_id, 0) + 1
            if receipt is None:
                self.answer(handler, 404, {"code": "batch_unknown", "title": "no such batch"})
            elif self.asked[batch_id] < self.asks_before_done:
                self.answer(handler, 200, {"id": batch_id, "state": "RECEIVED"})
            else:
                self.answer(handler, 200, receipt)

    def receive(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, dict[str, Any], dict[str, str]]:
        key = handler.headers["Idempotency-Key"]
        assert 1 <= len(key) <= 100
        content = gzip.decompress(body) if handler.headers["Content-Encoding"] == "gzip" else body
        rows = [json.loads(line) for line in content.splitlines()]
        if key not in self.batches:
            self.sizes.append((len(body), len(content)))
            self.content[key] = rows
            outcomes = "".join("R" if row.get("bad") else "A" for row in rows)
            self.batches[key] = {
                "id": f"batch-{len(self.batches) + 1}",
                "feed": handler.path.split("/")[-2],
                "state": "DONE",
                "rows": len(rows),
                "created": outcomes.count("A"),
                "updated": 0,
                "unchanged": 0,
                "rejected": outcomes.count("R"),
                "outcomes": outcomes,
                "findings": [
                    {"row": number, "field": "bad", "code": "bad", "message": "不合规"}
                    for number, letter in enumerate(outcomes, start=1)
                    if letter == "R"
                ],
            }
        receipt = self.batches[key]
        if len(rows) <= 500:
            return 200, receipt, {}
        return (
            202,
            {"id": receipt["id"], "state": "RECEIVED"},
            {"Location": f"/api/v1/batches/{receipt['id']}"},
        )

    @staticmethod
    def answer(
        handler: BaseHTTPRequestHandler,
        status: int,
        content: dict[str, Any],
        headers: dict[str, str] | None = None,
        cut: bool = False,
    ) -> None:
        body = json.dumps(content).encode()
        handler.send_response(status)
        kind = "application/json" if status < 400 else "application/problem+json"
        for name, value in {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            **(headers or {}),
        }.items():
            handler.send_header(name, value)
        handler.end_headers()
        if cut:
            handler.wfile.write(body[: len(body) // 2])
            handler.wfile.flush()
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        handler.wfile.write(body)


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Platform()
    yield server
    server.stop()


# --- the signatures of one are verified by the other ----------------------------------------------------


@pytest.mark.parametrize("key_id", ["ed", "mac"])
@pytest.mark.parametrize("compressed", [True, False])
def test_push_returns_the_receipt(platform: Platform, key_id: str, compressed: bool) -> None:
    receipt = platform.client(key_id).push("policies", ROWS, gzip=compressed)
    assert (receipt.state, receipt.rows, receipt.created, receipt.outcomes) == ("DONE", 3, 3, "AAA")
    assert list(platform.content.values()) == [ROWS]
    assert platform.batches[next(iter(platform.batches))]["feed"] == "policies"
    [(sent, expanded)] = platform.sizes
    assert (sent < expanded) == compressed


def test_a_pem_key_and_an_own_pair_sign_too(platform: Platform, tmp_path: Path) -> None:
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    platform.keys["pem"] = VerificationKey(ED25519, private.public_key().public_bytes_raw())
    platform.secrets["pem"] = pem
    secret, public = new_pair()
    platform.keys["own"] = VerificationKey.read(ED25519, parse_public_key(public))
    platform.secrets["own"] = secret
    for key_id in ("pem", "own"):
        assert platform.client(key_id).push("policies", ROWS).rows == 3


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("https://Anze.Example:443/a", "https://anze.example/a"),
        ("http://anze.example:80", "http://anze.example/"),
        ("http://anze.example:8080/a/b?x=%20&y", "http://anze.example:8080/a/b?x=%20&y"),
    ],
)
def test_addresses_are_signed_as_servers_see_them(platform: Platform, url: str, seen: str) -> None:
    headers = Signer("mac", platform.secrets["mac"]).headers("GET", url, {}, b"")
    verify(SignedRequest("GET", seen, headers), platform.keys["mac"], now=datetime.now(UTC))


def test_dates_and_amounts_arrive_exactly(platform: Platform) -> None:
    moment = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    row = {"on": date(2026, 3, 2), "at": moment, "premium": Decimal("1200.10"), "name": "青禾\n“厂”"}
    platform.client().push("policies", [row, '{"raw": 1.10}', b'{"raw": 2}\r\n'])
    assert list(platform.content.values()) == [
        [
            {"on": "2026-03-02", "at": moment.isoformat(), "premium": "1200.10", "name": "青禾\n“厂”"},
            {"raw": 1.1},
            {"raw": 2},
        ]
    ]


# --- large inputs ---------------------------------------------------------------------------------------


def test_large_batches_are_asked_for_until_done(platform: Platform) -> None:
    rows = [{"n": number} for number in range(501)]
    receipt = platform.client().push("policies", rows)
    assert (receipt.state, receipt.rows, len(receipt.outcomes)) == ("DONE", 501, 501)
    assert platform.asked == {"batch-1": 2}


def test_a_receipt_that_never_comes_is_not_waited_for_for_ever(platform: Platform) -> None:
    platform.asks_before_done = 10**9
    with pytest.raises(Unreachable, match="batch-1 was received"):
        platform.client(wait=0.3).push("policies", [{"n": number} for number in range(501)])


def test_rows_are_cut_into_batches_and_counted_through(platform: Platform) -> None:
    rows = [{"n": number, "bad": number in (1, 5, 6)} for number in range(7)]
    receipt = platform.client().push("policies", rows, chunk=3)
    assert [batch["rows"] for batch in receipt.batches] == [3, 3, 1]
    assert receipt.outcomes == "ARAAARR"
    assert [finding["row"] for finding in receipt.findings] == [2, 6, 7]
    assert [row for content in platform.content.values() for row in content] == rows


@pytest.mark.parametrize("compressed", [True, False])
def test_batches_stay_below_the_limits(platform: Platform, monkeypatch: pytest.MonkeyPatch, compressed: bool) -> None:
    monkeypatch.setattr(client_module, "MAX_SENT", 20_000)
    monkeypatch.setattr(client_module, "MAX_EXPANDED", 60_000)
    noise = random.Random(2)
    rows = [{"n": number, "noise": noise.randbytes(60).hex()} for number in range(1000)]
    receipt = platform.client().push("policies", rows, gzip=compressed)
    assert receipt.rows == 1000
    assert [row for content in platform.content.values() for row in content] == rows
    assert all(sent <= 20_000 and expanded <= 60_000 for sent, expanded in platform.sizes)
    # A fifth of the limit would be a waste of requests.
    assert len(platform.sizes) <= 2 * sum(sent for sent, _ in platform.sizes) / 20_000 + 1
    with pytest.raises(ValueError, match="a single row"):
        platform.client().push("policies", [{"noise": noise.randbytes(30_000).hex()}], gzip=compressed)


# --- when things go wrong -------------------------------------------------------------------------------


@pytest.mark.parametrize("mishap", ["die", "silence", 500, 503, 429])
def test_repeats_with_the_same_key_and_a_new_nonce(platform: Platform, mishap: object) -> None:
    platform.mishaps = [mishap, mishap]
    receipt = platform.client().push("policies", ROWS)
    assert receipt.created == 3
    assert len(platform.batches) == 1
    assert len(set(platform.nonces)) == 3


def test_a_server_that_dies_and_comes_back(platform: Platform) -> None:
    """It took the batch, died while answering, and was away for a while."""
    platform.mishaps = ["die"]

    def away() -> None:
        while not platform.batches:
            time.sleep(0.01)
        platform.stop()
        time.sleep(0.5)
        platform.start()

    outage = threading.Thread(target=away)
    outage.start()
    receipt = platform.client().push("policies", ROWS)
    outage.join()
    assert receipt.outcomes == "AAA"
    assert list(platform.content.values()) == [ROWS]


def test_dying_between_polls_loses_nothing(platform: Platform) -> None:
    platform.mishaps = [None, "die", "silence", 502]
    assert platform.client().push("policies", [{"n": number} for number in range(600)]).rows == 600
    assert len(platform.batches) == 1


def test_gives_up_in_the_end(platform: Platform) -> None:
    platform.mishaps = ["silence"] * 9
    with pytest.raises(Unreachable, match="no answer after 3 attempts"):
        platform.client(attempts=3).push("policies", ROWS)
    assert platform.batches == {}


def test_pushing_again_is_one_batch_unless_told_otherwise(platform: Platform) -> None:
    client = platform.client()
    first, second = client.push("policies", ROWS), client.push("policies", iter(ROWS), gzip=False)
    assert first.ids == second.ids
    assert client.push("claims", ROWS).ids != first.ids
    assert client.push("policies", ROWS, "once more").ids != first.ids
    client.push("policies", ROWS, "in parts", chunk=2)
    assert list(platform.batches)[-3:] == ["once more", "in parts", "in parts.2"]


def test_refusals_are_told_with_what_was_taken_before(platform: Platform) -> None:
    problem = {"status": 422, "code": "feed_unknown", "title": "No such dataset", "remedy": "See the list."}
    platform.mishaps = [None, problem]
    with pytest.raises(Refused, match=r"feed_unknown: No such dataset See the list\.") as caught:
        platform.client().push("policies", ROWS, chunk=2)
    assert caught.value.problem == problem
    assert caught.value.delivered is not None
    assert caught.value.delivered.rows == 2
    assert len(platform.nonces) == 2


def test_a_refusal_before_the_body_is_read_is_understood(platform: Platform) -> None:
    noise = random.Random(1).randbytes(3_000_000).hex()
    for _again in range(5):
        platform.mishaps = ["refuse unread"]
        with pytest.raises(Refused, match="batch_too_large"):
            platform.client(attempts=1).push("policies", [{"noise": noise}])


def test_refused_keys_and_clocks(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    platform.secrets["lost"] = platform.secrets["mac"]
    with pytest.raises(Refused, match="key_unknown"):
        platform.client("lost").feeds()
    platform.secrets["ed"] = new_key(ED25519).shown_once
    with pytest.raises(Refused, match="signature_wrong"):
        platform.client("ed").feeds()
    platform.secrets["ed"] = platform.secrets["mac"]
    with pytest.raises(Refused, match="signature_algorithm_mismatch"):
        platform.client("ed").feeds()
    monkeypatch.setattr("anze_client.signing.time.time", lambda: datetime.now(UTC).timestamp() - 400)
    with pytest.raises(Refused, match=r"clock_skew: .* 400 seconds ago"):
        platform.client("mac").feeds()


def test_a_tampering_proxy_is_noticed(platform: Platform) -> None:
    signer = Signer("mac", platform.secrets["mac"])
    body = b'{"premium": 1}\n'
    headers = signer.headers("POST", f"{platform.base}/x", {"Content-Type": "application/x-ndjson"}, body)
    request = SignedRequest("POST", f"{platform.base}/x", headers, body.replace(b"1", b"2"))
    with pytest.raises(SignatureRefused) as caught:
        verify(request, platform.keys["mac"], now=datetime.now(UTC))
    assert caught.value.code == "digest_wrong"


def test_follows_no_redirect(platform: Platform) -> None:
    platform.mishaps = [{"status": 307, "title": "elsewhere"}]
    with pytest.raises(Refused, match="307: elsewhere"):
        platform.client().feeds()
    assert len(platform.nonces) == 1


@pytest.mark.parametrize("base", ["anze.example", "ftp://anze.example", "file:///etc", "https://", "http://a/?b"])
def test_addresses_that_are_none(base: str, platform: Platform) -> None:
    with pytest.raises(ValueError, match="not an address"):
        Client(base, "mac", platform.secrets["mac"])


@pytest.mark.parametrize("secret", ["", "AAAA", "hmac-sha256:", "hmac-sha256:AAAA", "rsa:" + "A" * 64, "ed25519:é"])
def test_secrets_that_are_none(secret: str) -> None:
    with pytest.raises(ValueError, match="the secret must read"):
        Signer("k", secret)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1, and its key."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "anze test")])
    now = datetime.now(UTC)
    issued = (
        x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(private, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(issued.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return paths


def test_certificates_are_verified(platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chain, private = certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(chain, private)
    platform.stop()
    platform.start(tls)
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        platform.client().push("policies", ROWS)
    monkeypatch.setenv("SSL_CERT_FILE", str(chain))
    assert platform.client().push("policies", ROWS).rows == 3


# --- the command ----------------------------------------------------------------------------------------


@pytest.fixture
def command(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, Any]]:
    """Runs `anze-client` and gives its exit code and what it printed, read as JSON."""
    secret = tmp_path / "secret"
    secret.write_text(platform.secrets["mac"] + "\n")
    monkeypatch.setenv("ANZE_BASE", platform.base)
    monkeypatch.setenv("ANZE_KEY_ID", "mac")
    monkeypatch.setenv("ANZE_SECRET_FILE", str(secret))

    def run(*words: object) -> tuple[int, Any]:
        code = main([str(word) for word in words])
        printed = capsys.readouterr()
        return code, json.loads(printed.out or printed.err)

    return run


CSV = 'policy_no,employees,is_void,note\nP-1, 12 ,否,\nP-2,many,是,"甲,乙"\n'


@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [
        ("a.ndjson", '{"n": 1.10}\n\n{"n": "二"}\n'.encode(), [{"n": 1.1}, {"n": "二"}]),
        ("a.json", '[{"n": 1}, {"n": "二"}]'.encode(), [{"n": 1}, {"n": "二"}]),
        *(
            (
                "a.csv",
                CSV.encode(encoding),
                [
                    {"policy_no": "P-1", "employees": 12, "is_void": False},
                    {"policy_no": "P-2", "employees": "many", "is_void": True, "note": "甲,乙"},
                ],
            )
            for encoding in ("utf-8", "utf-8-sig", "gb18030")
        ),
    ],
)
def test_push_of_each_kind_of_file(
    command: Callable[..., tuple[int, Any]],
    platform: Platform,
    tmp_path: Path,
    name: str,
    content: bytes,
    rows: list[dict[str, Any]],
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    code, receipt = command("push", "--feed", "policies", file)
    assert (code, receipt["state"], receipt["created"]) == (0, "DONE", 2)
    assert list(platform.content.values()) == [rows]
    platform.asks_before_done = 0
    assert command("receipt", receipt["ids"][0]) == (0, receipt)


def test_exit_codes(
    command: Callable[..., tuple[int, Any]],
    platform: Platform,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "rows.ndjson"
    file.write_text('{"bad": true}\n')
    code, receipt = command("push", "--feed", "policies", "--no-gzip", file)
    assert (code, receipt["findings"][0]["message"]) == (1, "不合规")
    code, problem = command("receipt", "none")
    assert (code, problem["code"]) == (2, "batch_unknown")
    assert command("feeds")[0] == 0
    assert main(["push", "--feed", "policies", str(tmp_path / "missing.ndjson")]) == 2
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    monkeypatch.setattr("anze_client.client.time.sleep", lambda seconds: None)
    assert main(["feeds", "--base", f"http://127.0.0.1:{port}"]) == 3


def test_keygen_keeps_the_secret_and_prints_the_public_key(
    platform: Platform, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "new.secret"
    assert main(["keygen", "--secret-file", str(kept)]) == 0
    public = capsys.readouterr().out
    assert kept.stat().st_mode & 0o777 == 0o600
    platform.keys["new"] = VerificationKey.read(ED25519, parse_public_key(public))
    platform.secrets["new"] = kept.read_text()
    assert platform.client("new").feeds()["feeds"]
    assert main(["keygen", "--secret-file", str(kept)]) == 2  # never over an existing secret
    assert base64.b64decode(kept.read_text().strip().partition(":")[2])
