"""The signed interface over real HTTP: every way to be refused, receipts, repeats, races and bombs."""

from __future__ import annotations

import base64
import gzip
import hashlib
import http.client
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.cast import XINGHUO, YUANFAN, policy_row
from tests.exchange.live import Platform, children

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
    connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=300)
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


# refusals -------------------------------------------------------------------------------------------------


def crafted(
    live: Platform,
    *,
    covered: tuple[str, ...] = ("@method", "@target-uri", "content-type", "content-digest", "idempotency-key"),
    parameters: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
    body: bytes = b"{}",
    by: str = "huaihai",
) -> Answer:
    """A request signed by hand, so that it can be signed wrongly."""
    path = "/api/v1/feeds/policies/batches"
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    given = {
        "Content-Type": "application/x-ndjson",
        "Content-Digest": f"sha-256=:{digest}:",
        "Idempotency-Key": uuid4().hex,
        **(headers or {}),
    }
    given = {name: value for name, value in given.items() if value}
    known = {name.lower(): value for name, value in given.items()}
    words: dict[str, Any] = {"created": int(time.time()), "keyid": live.keys[by]["key_id"], "nonce": uuid4().hex}
    words = {name: value for name, value in (words | (parameters or {})).items() if value is not None}
    known |= {"@method": "POST", "@target-uri": live.base + path}
    rest = "".join(
        f";{name}={value}" if isinstance(value, int) else f';{name}="{value}"' for name, value in words.items()
    )
    listed = " ".join(f'"{name}"' for name in covered)
    base = [f'"{name}": {known[name]}' for name in covered] + [f'"@signature-params": ({listed}){rest}']
    signature = base64.b64encode(live.signer(by)._sign("\n".join(base).encode())).decode()
    given |= {"Signature-Input": f"sig1=({listed}){rest}", "Signature": f"sig1=:{signature}:"}
    connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=300)
    try:
        connection.request("POST", path, body, given)
        return Answer(connection.getresponse())
    finally:
        connection.close()


def refused(answer: Answer, code: str, status: int) -> None:
    """Problem details with everything a person and a machine need."""
    assert (answer.code, answer.status) == (code, status), answer.json
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "instance", "code", "remedy"} <= set(answer.json)
    assert answer.json["status"] == status
    assert "%(" not in str(answer.json)


def test_a_request_signed_by_hand_is_accepted(live: Platform) -> None:
    assert crafted(live, body=ndjson(policy_row(number(), XINGHUO))).status == 200


def test_wrong_signatures_each_have_their_code(live: Platform) -> None:
    now = int(time.time())
    refused(send(live, change=lambda h, _b: h.pop("Signature") and None), "signature_missing", 401)
    refused(send(live, change=lambda h, _b: h.update(Signature="sig1=hello")), "signature_malformed", 400)
    refused(crafted(live, covered=("@method", "@target-uri")), "signature_components_missing", 401)
    refused(crafted(live, covered=("@method", "content-type", "content-digest", "idempotency-key")),
            "signature_components_missing", 401)  # fmt: skip
    refused(crafted(live, parameters={"alg": "hmac-sha256"}), "signature_algorithm_mismatch", 401)
    refused(crafted(live, parameters={"expires": now - 10}), "signature_expired", 401)
    refused(crafted(live, parameters={"nonce": None}), "nonce_missing", 401)
    for seconds in (-310, 310):
        refused(crafted(live, parameters={"created": now + seconds}), "clock_skew", 401)
    assert crafted(live, parameters={"created": now - 290}, body=ndjson(policy_row(number(), XINGHUO))).status == 200


def test_a_changed_request_is_refused_and_shows_what_was_signed(live: Platform) -> None:
    answer = send(live, change=lambda headers, _body: headers.update({"Idempotency-Key": "other"}))
    refused(answer, "signature_wrong", 401)
    assert '"idempotency-key": other' in answer.json["signature_base"]
    assert answer.headers["WWW-Authenticate"].startswith("Signature")


def test_another_partners_key_does_not_fit(live: Platform) -> None:
    refused(crafted(live, by="bohai", parameters={"keyid": live.keys["huaihai"]["key_id"]}), "signature_wrong", 401)


def test_digests(live: Platform) -> None:
    row = ndjson(policy_row(number(), XINGHUO))
    refused(send(live, body=row, change=lambda _h, body: body.replace(b"500000.00", b"900000.00")), "digest_wrong", 400)
    refused(crafted(live, covered=("@method", "@target-uri", "content-type", "idempotency-key"),
                    headers={"Content-Digest": ""}), "digest_missing", 400)  # fmt: skip
    refused(crafted(live, headers={"Content-Digest": "sha-256=xyz"}), "digest_malformed", 400)
    refused(crafted(live, headers={"Content-Digest": "md5=:AAAA:"}), "digest_algorithm_unsupported", 400)


def test_keys_that_do_not_open(live: Platform) -> None:
    refused(crafted(live, parameters={"keyid": "nobody-1"}), "unknown_key", 401)
    refused(send(live, by="revoked"), "revoked_key", 401)
    refused(send(live, by="expired"), "expired_key", 401)


def test_a_secret_sealed_under_another_platform_key_cannot_be_used(live: Platform) -> None:
    key_id = live.keys["retired"]["key_id"]
    other = live.keys["huaihai_mac"]["key_id"]
    with live.database() as database:
        database.execute(
            "UPDATE exchange_partnerkey SET material = (SELECT material FROM exchange_partnerkey WHERE key_id = %s) "
            "WHERE key_id = %s",
            [other, key_id],
        )
    refused(send(live, by="retired"), "unusable_key", 401)


def test_an_inactive_partner_is_refused(live: Platform) -> None:
    change = "UPDATE parties_organisation SET is_active = %s WHERE code = 'EMA370100'"
    with live.database() as database:
        database.execute(change, [False])
        refused(send(live, by="jinan"), "inactive_partner", 403)
        database.execute(change, [True])
    assert send(live, "GET", "/api/v1/feeds", by="jinan").status == 200


def test_a_hmac_key_works_and_its_secret_is_not_in_the_database(live: Platform) -> None:
    assert send(live, body=ndjson(policy_row(number(), XINGHUO)), by="huaihai_mac").status == 200
    secret = live.keys["huaihai_mac"]["secret"].partition(":")[2]
    [(material,)] = live.ask(
        "SELECT material FROM exchange_partnerkey WHERE key_id = %s", live.keys["huaihai_mac"]["key_id"]
    )
    assert secret not in material


def test_a_signed_request_works_once(live: Platform) -> None:
    body = ndjson(policy_row(number(), XINGHUO))
    headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": uuid4().hex}
    path = "/api/v1/feeds/policies/batches"
    signed = live.signer().headers("POST", live.base + path, headers, body)

    def post(_n: int) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=300)
        try:
            connection.request("POST", path, body, signed)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(post, range(6)))
    assert sorted(answer.status for answer in answers) == [200, *[401] * 5]
    for answer in answers:
        if answer.status != 200:
            refused(answer, "replayed", 401)


def test_sizes_are_refused_before_anything_is_read(live: Platform) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=300)
    connection.putrequest("POST", "/api/v1/feeds/policies/batches")
    connection.putheader("Content-Length", str(5 * 1024 * 1024 + 1))
    connection.endheaders()
    answer = Answer(connection.getresponse())  # not a byte of the body was sent
    connection.close()
    refused(answer, "too_large", 413)
    # a sender that does not wait for the answer still gets it
    refused(send(live, body=b"x" * (6 * 1024 * 1024)), "too_large", 413)
    connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=300)
    connection.request(
        "POST", "/api/v1/feeds/policies/batches", iter([b"{}"]), {"Transfer-Encoding": "chunked"}, encode_chunked=True
    )
    refused(Answer(connection.getresponse()), "length_required", 411)
    connection.close()


def working_seconds(live: Platform) -> float:
    """How long the server's processes have been at work so far, however busy the machine is otherwise."""
    ticks = 0
    for pid in children(live.processes[0].pid):
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(words[11]) + int(words[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def test_a_bomb_goes_no_further_than_the_limit(live: Platform) -> None:
    bomb = gzip.compress(b"\n" * 100_000_000) * 40
    assert len(bomb) < 5_000_000
    before = working_seconds(live)
    answer = send(live, body=bomb, headers={"Content-Encoding": "gzip"})
    refused(answer, "too_large", 413)
    assert working_seconds(live) - before < 5  # of the processor; all of it would take far longer
    many = gzip.compress(b"", mtime=0) * 200_000  # empty members: cheap to send, dear to open
    refused(send(live, body=many, headers={"Content-Encoding": "gzip"}), "broken_gzip", 400)
    row = ndjson(policy_row(number(), XINGHUO)) + b"\n"
    parts = b"".join(gzip.compress(row.replace(b"500000.00", f"{500000 + n}.00".encode())) for n in range(3))
    assert send(live, body=parts, headers={"Content-Encoding": "gzip"}).json["outcomes"] == "ARR"


def test_content_that_cannot_be_taken(live: Platform) -> None:
    row = ndjson(policy_row(number(), XINGHUO))

    def with_headers(code: str, status: int, body: bytes = row, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        refused(send(live, body=body, headers=named), code, status)

    with_headers("unsupported_encoding", 415, Content_Encoding="br")
    with_headers("unsupported_type", 415, Content_Type="text/csv")
    with_headers("unsupported_type", 415, Content_Type="application/json; charset=gbk")
    with_headers("broken_gzip", 400, Content_Encoding="gzip")
    with_headers("broken_gzip", 400, gzip.compress(row)[:-9], Content_Encoding="gzip")
    with_headers("wrong_encoding", 400, row.decode().encode("utf-16"))
    with_headers("wrong_encoding", 400, row.decode().encode("utf-16-le"))
    with_headers("broken_json", 400, row, Content_Type="application/json")
    with_headers("broken_json", 400, b"[{]", Content_Type="application/json")
    with_headers("empty", 400, b"\n \n")
    with_headers("empty", 400, b"[]", Content_Type="application/json")
    with_headers("idempotency_key_missing", 400, Idempotency_Key="")
    with_headers("idempotency_key_malformed", 400, Idempotency_Key="k" * 101)
    refused(send(live), "empty", 400)


def test_content_that_ends_too_early_is_refused(live: Platform) -> None:
    body = ndjson(policy_row(number(), XINGHUO))
    path = "/api/v1/feeds/policies/batches"
    headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": uuid4().hex}
    signed = live.signer().headers("POST", live.base + path, headers, body)
    connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=300)
    connection.putrequest("POST", path)
    for name, value in (signed | {"Content-Length": str(len(body))}).items():
        connection.putheader(name, value)
    connection.endheaders(body[:-5])
    import socket

    connection.sock.shutdown(socket.SHUT_WR)
    refused(Answer(connection.getresponse()), "incomplete", 400)
    connection.close()


def test_datasets_and_addresses_that_are_not_there(live: Platform) -> None:
    row = ndjson(policy_row(number(), XINGHUO))
    refused(send(live, path="/api/v1/feeds/nothing/batches", body=row), "unknown_feed", 404)
    refused(send(live, path="/api/v1/feeds/enterprises/batches", body=row), "not_your_feed", 403)
    refused(send(live, body=row, by="province"), "not_your_feed", 403)
    refused(send(live, path="/api/v1/feeds/policies/batches?dry_run=yes", body=row), "bad_query", 400)
    answer = send(live, "GET", "/api/v1/feeds/policies/batches")
    refused(answer, "method_not_allowed", 405)
    assert answer.headers["Allow"] == "POST"
    refused(send(live, "GET", f"/api/v1/batches/{uuid4()}"), "unknown_batch", 404)
    refused(send(live, "GET", "/api/v1/batches/what"), "unknown_batch", 404)


def test_a_receipt_is_for_its_sender_alone(live: Platform) -> None:
    sent = send(live, body=ndjson(policy_row(number(), XINGHUO)))
    refused(send(live, "GET", sent.headers["Location"], by="bohai"), "unknown_batch", 404)
    refused(send(live, "GET", f"{sent.headers['Location']}/findings", by="bohai"), "unknown_batch", 404)
    assert send(live, "GET", sent.headers["Location"], by="huaihai_mac").status == 200


def test_refusals_speak_the_language_asked_for(live: Platform) -> None:
    chinese = send(live, path="/api/v1/feeds/nothing/batches", headers={"Accept-Language": "zh-CN,zh;q=0.9"})
    english = send(live, path="/api/v1/feeds/nothing/batches", headers={"Accept-Language": "en"})
    assert english.json["title"] == "There is no dataset of this name"
    assert chinese.json["title"] == "没有这个名称的数据集"
    assert chinese.code == english.code


# rows -----------------------------------------------------------------------------------------------------


def finding_codes(answer: Answer) -> list[tuple[int, str, str]]:
    assert answer.status == 200, answer.json
    for finding in answer.json["findings"]:
        assert finding["message"]
        assert finding["remedy"]
        assert "%(" not in finding["message"] + finding["remedy"]
    return [(finding["row"], finding["field"], finding["code"]) for finding in answer.json["findings"]]


def test_each_bad_row_has_its_finding_and_stops_no_other(live: Platform) -> None:
    foreign = number()
    assert send(live, body=ndjson(policy_row(foreign, YUANFAN)), by="bohai").json["created"] == 1
    double = number()
    answer = send(
        live,
        body=ndjson(
            policy_row(number(), XINGHUO),
            policy_row(number(), XINGHUO, colour="red"),
            policy_row(number(), XINGHUO, insured_workers="many"),
            policy_row(double, XINGHUO),
            policy_row(double, XINGHUO),
            policy_row(number(), "91370102MA00000000"),
        )
        + b'\n{"policy_no": \n'
        + '{"policy_no": "示例"}'.encode("gbk"),
    )
    assert answer.json["outcomes"] == "ARRARRRR"
    assert finding_codes(answer) == [
        (2, "colour", "unknown_field"),
        (3, "insured_workers", "wrong_type"),
        (5, "policy_no", "duplicate_in_batch"),
        (6, "insured_uscc", "unknown_enterprise"),
        (7, "", "broken_json"),
        (8, "", "wrong_encoding"),
    ]
    receipt = {
        "policy_no": foreign,
        "receipt_no": number(),
        "instalment": 1,
        "amount": "100.00",
        "received_on": "2026-03-02",
    }
    answer = send(live, path="/api/v1/feeds/receipts/batches", body=ndjson(receipt))
    assert finding_codes(answer) == [(1, "policy_no", "policy_of_another_insurer")]


def test_a_byte_order_mark_and_gzip_and_an_array_are_understood(live: Platform) -> None:
    row = policy_row(number(), XINGHUO)
    assert send(live, body=b"\xef\xbb\xbf" + ndjson(row)).json["created"] == 1
    packed = gzip.compress(ndjson(row))
    assert send(live, body=packed, headers={"Content-Encoding": "gzip"}).json["unchanged"] == 1
    array = json.dumps([row]).encode()
    assert send(live, body=array, headers={"Content-Type": "application/json; charset=UTF-8"}).json["unchanged"] == 1


def test_a_dry_run_says_what_would_become_of_each_row_and_keeps_nothing(live: Platform) -> None:
    good, bad = policy_row(number(), XINGHUO), policy_row(number(), XINGHUO, end_on="2026-02-01")
    path = "/api/v1/feeds/policies/batches?dry_run=1"
    answer = send(live, path=path, body=ndjson(good, bad), headers={"Idempotency-Key": ""})
    assert (answer.status, answer.json["dry_run"], answer.json["id"], answer.json["outcomes"]) == (
        200,
        True,
        None,
        "AR",
    )
    assert finding_codes(answer) == [(2, "end_on", "ends_before_start")]
    assert live.ask("SELECT count(*) FROM underwriting_policy WHERE policy_no = %s", good["policy_no"]) == [(0,)]
    many = b"{}\n" * 5001
    refused(send(live, path=path, body=many), "too_large_for_dry_run", 413)


# repeats --------------------------------------------------------------------------------------------------


def test_a_repeat_is_answered_with_the_stored_receipt(live: Platform) -> None:
    body, key = ndjson(policy_row(number(), XINGHUO)), {"Idempotency-Key": uuid4().hex}
    first = send(live, body=body, headers=key)
    again = send(live, body=body, headers=key)
    packed = send(live, body=gzip.compress(body), headers={**key, "Content-Encoding": "gzip"})
    assert again.json == packed.json == first.json
    assert first.headers.get("Idempotent-Replayed") is None
    assert again.headers["Idempotent-Replayed"] == packed.headers["Idempotent-Replayed"] == "true"
    refused(send(live, body=body + b"\n{}", headers=key), "idempotency_key_reused", 409)


@pytest.mark.parametrize("rows", [1, 600])
def test_one_key_in_many_hands_at_once_is_one_batch(live: Platform, rows: int) -> None:
    prefix = number()
    body = ndjson(*(policy_row(f"{prefix}{n}", XINGHUO) for n in range(rows)))
    key = {"Idempotency-Key": uuid4().hex}
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _n: send(live, body=body, headers=key), range(6)))
    assert {answer.status for answer in answers} <= ({200} if rows == 1 else {200, 202})
    assert len({answer.json["id"] for answer in answers}) == 1
    assert sum(answer.headers.get("Idempotent-Replayed") is None for answer in answers) == 1
    finished(live, answers[0])
    counted = live.ask("SELECT count(*), sum(version) FROM underwriting_policy WHERE policy_no LIKE %s", f"{prefix}%")
    assert counted == [(rows, rows)]


def finished(live: Platform, answer: Answer, by: str = "huaihai", seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    receipt = answer.json
    while receipt["state"] == "RECEIVED" and time.monotonic() < deadline:
        time.sleep(0.2)
        receipt = send(live, "GET", answer.headers["Location"], by=by).json
    return receipt


def test_a_large_batch_is_taken_and_its_receipt_fetched(live: Platform) -> None:
    prefix = number()
    rows = [policy_row(f"{prefix}{n}", XINGHUO, end_on="2026-01-01" if n % 2 else "2027-02-28") for n in range(2400)]
    answer = send(live, body=gzip.compress(ndjson(*rows)), headers={"Content-Encoding": "gzip"})
    assert (answer.status, answer.json["state"], answer.json["rows"]) == (202, "RECEIVED", 2400)
    receipt = finished(live, answer)
    assert (receipt["state"], receipt["created"], receipt["rejected"]) == ("DONE", 1200, 1200)
    assert receipt["findings_total"] == 1200
    assert len(receipt["findings"]) == 1000
    rest = send(live, "GET", receipt["links"]["more_findings"])
    assert len(rest.json["findings"]) == 200
    assert rest.json["next"] is None
    rows_found = [finding["row"] for finding in receipt["findings"] + rest.json["findings"]]
    assert rows_found == [n + 1 for n in range(2400) if n % 2]


def test_a_small_batch_does_not_overtake_a_large_one(live: Platform) -> None:
    prefix = number()
    old = ndjson(*(policy_row(f"{prefix}{n}", XINGHUO, insured_workers=10) for n in range(4000)))
    first = send(live, body=gzip.compress(old), headers={"Content-Encoding": "gzip"}, by="bohai")
    second = send(live, body=ndjson(policy_row(f"{prefix}0", XINGHUO, insured_workers=20)), by="bohai")
    assert first.status == 202
    assert finished(live, first, "bohai")["created"] == 4000
    assert finished(live, second, "bohai")["updated"] == 1
    [(workers,)] = live.ask("SELECT insured_workers FROM underwriting_policy WHERE policy_no = %s", f"{prefix}0")
    assert workers == 20


# the sample client ----------------------------------------------------------------------------------------


def test_the_sample_client_sends_and_reads_receipts(live: Platform) -> None:
    client = live.client("huaihai")
    names = [feed["name"] for feed in client.feeds()["feeds"]]
    assert "policies" in names
    assert "enterprises" not in names
    prefix = number()
    rows = [policy_row(f"{prefix}{n}", XINGHUO) for n in range(700)]
    receipt = client.push("policies", rows, chunk=600)
    assert (receipt.rows, receipt.created, receipt.outcomes) == (700, 700, "A" * 700)
    again = client.push("policies", rows, chunk=600)
    assert again.ids == receipt.ids


def test_using_a_key_leaves_a_trace_and_nonces_are_kept(live: Platform) -> None:
    answer = send(live, body=ndjson(policy_row(number(), XINGHUO)))
    key_id = live.keys["huaihai"]["key_id"]
    [(used,)] = live.ask("SELECT last_used_at FROM exchange_partnerkey WHERE key_id = %s", key_id)
    assert used is not None
    assert live.ask("SELECT count(*) FROM exchange_nonce WHERE key_id = %s", key_id)[0][0] > 0
    [(kind, name, role, address)] = live.ask(
        "SELECT kind, by_name, role, address FROM kernel_event WHERE row_id = %s", answer.json["id"]
    )
    assert (kind, name, role, address) == ("batch.received", key_id, "INTERFACE", "127.0.0.1")
