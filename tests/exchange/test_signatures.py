"""Signatures: the RFC's vectors, a second implementation, every refusal, and that no byte can be changed."""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils import translation
from http_message_signatures import ContentDigest, HTTPMessageSigner, MappingKeyResolver, algorithms
from hypothesis import given
from hypothesis import strategies as st

from anze.exchange.signatures import (
    ALGORITHMS,
    ED25519,
    HMAC_SHA256,
    REFUSALS,
    SignatureRefused,
    SignedRequest,
    VerificationKey,
    VerifiedSignature,
    check_digest,
    new_key,
    parse_public_key,
    read_claim,
    read_key_id,
    signature_base,
    verify,
    verify_head,
)

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
BODY = b'{"policy_no": "P-1"}\n{"policy_no": "P-2"}\n'
ADDRESS = "https://anze.example/api/v1/feeds/policies/batches?dry_run=1"
WHOLE = ("@method", "@target-uri")
PARTS = ("@method", "@authority", "@path", "@query")
CONTENT = ("content-digest", "content-type", "content-encoding", "idempotency-key")

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SECRET = bytes(range(64))
KEYS = {
    ED25519: VerificationKey(ED25519, PRIVATE.public_key().public_bytes_raw()),
    HMAC_SHA256: VerificationKey(HMAC_SHA256, SECRET),
}


class AnyDigest(ContentDigest):
    """Lets the signer sign a Content-Digest that it would rightly not send."""

    @classmethod
    def prepare(cls, *_: object, **__: object) -> None:
        pass


class Signer(HTTPMessageSigner):
    content_digest_class = AnyDigest


SIGNERS = {
    name: Signer(
        signature_algorithm=algorithm,
        key_resolver=MappingKeyResolver(public_keys={}, private_keys={"partner-1": private}),
    )
    for name, algorithm, private in (
        (ED25519, algorithms.ED25519, PRIVATE),
        (HMAC_SHA256, algorithms.HMAC_SHA256, SECRET),
    )
}


class Message:
    """A request in the shape the signing library wants; it adds its headers to `headers`."""

    def __init__(self, method: str, url: str, headers: dict[str, str]) -> None:
        self.method, self.url, self.headers = method, url, headers


def digest(body: bytes, name: str = "sha-256") -> str:
    value = hashlib.new(name.replace("-", ""), body).digest()
    return f"{name}=:{base64.b64encode(value).decode()}:"


def signed(
    algorithm: str = ED25519,
    *,
    cover: tuple[str, ...] = WHOLE + CONTENT,
    method: str = "POST",
    url: str = ADDRESS,
    body: bytes = BODY,
    headers: dict[str, str] | None = None,
    without: tuple[str, ...] = (),
    created: datetime = NOW,
    expires: datetime | None = None,
    nonce: str | None = "n-1",
    include_alg: bool = True,
) -> SignedRequest:
    """A request signed by the other implementation; `without` names headers neither sent nor covered."""
    sent = {
        "Host": "anze.example",
        "Content-Type": "application/x-ndjson",
        "Content-Encoding": "gzip",
        "Idempotency-Key": "day-61",
        "Content-Digest": digest(body),
    } | (headers or {})
    message = Message(method, url, {name: sent[name] for name in sent if name.lower() not in without})
    SIGNERS[algorithm].sign(
        message,
        key_id="partner-1",
        created=created,
        expires=expires,
        nonce=nonce,
        label="sig1",
        include_alg=include_alg,
        covered_component_ids=[name for name in cover if name not in without],
    )
    return SignedRequest(method, url, message.headers, body)


def with_header(request: SignedRequest, name: str, value: str) -> SignedRequest:
    return replace(request, headers={**request.headers, name: value})


def reworded(request: SignedRequest, old: str, new: str) -> SignedRequest:
    """The request with a piece of its Signature-Input replaced, which must be there."""
    value = request.headers["Signature-Input"]
    assert old in value
    return with_header(request, "Signature-Input", value.replace(old, new))


def check(request: SignedRequest, algorithm: str = ED25519, now: datetime = NOW) -> VerifiedSignature:
    return verify(request, KEYS[algorithm], now=now)


def refusal(request: SignedRequest, algorithm: str = ED25519, now: datetime = NOW) -> SignatureRefused:
    with pytest.raises(SignatureRefused) as caught:
        check(request, algorithm, now)
    return caught.value


@contextmanager
def refused_as(code: str) -> Iterator[None]:
    with pytest.raises(SignatureRefused) as caught:
        yield
    assert caught.value.code == code


# --- RFC 9421 appendix B --------------------------------------------------------------------------------

RFC_REQUEST = SignedRequest(
    "POST",
    "https://example.com/foo?param=Value&Pet=dog",
    {
        "Host": "example.com",
        "Date": "Tue, 20 Apr 2021 02:07:55 GMT",
        "Content-Type": "application/json",
        "Content-Digest": "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+Ab"
        "wAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
        "Content-Length": "18",
    },
    b'{"hello": "world"}',
)
RFC_SECRET = base64.b64decode(
    "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="
)
RFC_PUBLIC_PEM = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=
-----END PUBLIC KEY-----
"""


def rfc_request(signature_input: str, signature: str) -> SignedRequest:
    headers = {**RFC_REQUEST.headers, "Signature-Input": signature_input, "Signature": signature}
    return replace(RFC_REQUEST, headers=headers)


def test_rfc_9421_b_2_5_hmac() -> None:
    request = rfc_request(
        'sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
        "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:",
    )
    claim = read_claim(request)
    base = signature_base(claim, request)
    assert base == (
        '"date": Tue, 20 Apr 2021 02:07:55 GMT\n'
        '"@authority": example.com\n'
        '"content-type": application/json\n'
        '"@signature-params": ("date" "@authority" "content-type")'
        ';created=1618884473;keyid="test-shared-secret"'
    )
    assert VerificationKey(HMAC_SHA256, RFC_SECRET).fits(claim.signature, base.encode())
    assert not VerificationKey(HMAC_SHA256, RFC_SECRET).fits(claim.signature, base.encode() + b" ")


def test_rfc_9421_b_2_6_ed25519() -> None:
    request = rfc_request(
        'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length")'
        ';created=1618884473;keyid="test-key-ed25519"',
        "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:",
    )
    claim = read_claim(request)
    base = signature_base(claim, request)
    assert base == (
        '"date": Tue, 20 Apr 2021 02:07:55 GMT\n'
        '"@method": POST\n'
        '"@path": /foo\n'
        '"@authority": example.com\n'
        '"content-type": application/json\n'
        '"content-length": 18\n'
        '"@signature-params": ("date" "@method" "@path" "@authority" "content-type" "content-length")'
        ';created=1618884473;keyid="test-key-ed25519"'
    )
    key = VerificationKey.read(ED25519, parse_public_key(RFC_PUBLIC_PEM))
    assert key.fits(claim.signature, base.encode())
    assert not key.fits(claim.signature, base.encode() + b" ")


def test_rfc_9530_digests_of_the_example() -> None:
    check_digest(RFC_REQUEST.headers, [RFC_REQUEST.body])
    check_digest(
        {"content-digest": "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"},
        [b'{"hello": ', b'"world"}'],
    )


@pytest.mark.parametrize(
    ("target_uri", "values"),
    [
        # RFC 9421 sections 2.2.2 to 2.2.7
        ("https://WWW.Example.com:443/path", ["www.example.com", "https", "/path", "?", "/path"]),
        ("http://www.example.com:80", ["www.example.com", "http", "/", "?", "/"]),
        ("http://www.example.com:8000?a=b", ["www.example.com:8000", "http", "/", "?a=b", "/?a=b"]),
        ("https://h/a/b?x=%7E&y=a?b/c", ["h", "https", "/a/b", "?x=%7E&y=a?b/c", "/a/b?x=%7E&y=a?b/c"]),
        ("https://h/a?", ["h", "https", "/a", "?", "/a?"]),
    ],
)
def test_parts_of_the_address(target_uri: str, values: list[str]) -> None:
    names = ["@authority", "@scheme", "@path", "@query", "@request-target"]
    covered = " ".join(f'"{name}"' for name in names)
    request = SignedRequest(
        "GET", target_uri, {"Signature-Input": f's=({covered});created=1;keyid="k"', "Signature": "s=:AA==:"}
    )
    lines = signature_base(read_claim(request), request).split("\n")[:-1]
    assert lines == [f'"{name}": {value}' for name, value in zip(names, values, strict=True)]


# --- accepted -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("cover", [WHOLE + CONTENT, PARTS + CONTENT, ("date", *CONTENT[::-1], *PARTS[::-1])])
@pytest.mark.parametrize("name", ["sha-256", "sha-512"])
def test_what_another_implementation_signs_is_verified(algorithm: str, cover: tuple[str, ...], name: str) -> None:
    request = signed(
        algorithm,
        cover=cover,
        headers={"Content-Digest": digest(BODY, name), "Date": "Mon, 02 Mar 2026 09:30:00 GMT"},
    )
    assert read_key_id(request) == "partner-1"
    assert check(request, algorithm) == VerifiedSignature("partner-1", NOW, "n-1", algorithm)


def test_alg_may_be_left_out() -> None:
    assert check(signed(include_alg=False)).algorithm == ED25519


def test_a_request_without_content_needs_no_digest() -> None:
    request = signed(
        method="GET", cover=WHOLE, body=b"", without=("content-digest", "content-encoding", "idempotency-key")
    )
    assert check(request).nonce == "n-1"


def test_header_names_in_any_case_and_spaces_around_values() -> None:
    request = signed()
    headers = {name.upper(): f"  {value}\t" for name, value in request.headers.items()}
    assert check(replace(request, headers=headers)).key_id == "partner-1"


def test_unsupported_digest_beside_a_good_one_is_ignored() -> None:
    check(signed(headers={"Content-Digest": f"md5=:AAAA:, {digest(BODY)}, {digest(BODY, 'sha-512')}"}))


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_five_minutes_either_way_are_allowed(seconds: int) -> None:
    check(signed(created=NOW + timedelta(seconds=seconds)))


def test_head_is_checked_before_the_body_is_read() -> None:
    request = replace(signed(), body=b"")
    assert verify_head(request, KEYS[ED25519], now=NOW, has_body=True).nonce == "n-1"
    check_digest(request.headers, iter([BODY[:7], BODY[7:]]))
    with refused_as("digest_wrong"):
        check_digest(request.headers, [BODY[:7]])


# --- refused, each by its own code ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Signature", "Signature-Input"])
def test_signature_missing(name: str) -> None:
    request = signed()
    headers = {key: value for key, value in request.headers.items() if key != name}
    with refused_as("signature_missing"):
        read_key_id(replace(request, headers=headers))
    assert refusal(replace(request, headers=headers)).status == 401


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("sig1=", "sig1"),
        ("sig1=", "sig2="),
        ("sig1=(", 'sig1=("@method");created=1;keyid="a", sig1=('),
        ("sig1=(", 'sig0=("@method");created=1;keyid="a", sig1=('),
        ('"@method"', "@method"),
        ('"@method"', '"@METHOD"'),
        ('"@method"', '"@method" "@method"'),
        ('"@method"', '"@method";req'),
        ('"@method"', '"@method" "@status"'),
        ('"@method"', '"@method" "@query-param";name="a"'),
        ('"content-digest"', '"content-digest";key="sha-256"'),
        ('"content-digest"', '"content-digest" "x-not-sent"'),
        (";created=", ";made="),
        (f";created={int(NOW.timestamp())}", ""),
        (f";created={int(NOW.timestamp())}", ";created"),
        (f";created={int(NOW.timestamp())}", ";created=1.5"),
        (f";created={int(NOW.timestamp())}", f";created=1;created={int(NOW.timestamp())}"),
        (';keyid="partner-1"', ""),
        (';keyid="partner-1"', ';keyid=""'),
        (';keyid="partner-1"', ";keyid=partner-1"),
        (';keyid="partner-1"', f';keyid="{"k" * 61}"'),
        (';nonce="n-1"', f';nonce="{"n" * 121}"'),
        (';nonce="n-1"', ";nonce=1"),
        (';nonce="n-1"', ';nonce="n-1";expires="soon"'),
        (';nonce="n-1"', f';nonce="n-1";x="{"y" * 5000}"'),
        (';nonce="n-1"', ';nonce="é"'),
    ],
)
def test_signature_malformed(old: str, new: str) -> None:
    assert refusal(reworded(signed(), old, new)).code == "signature_malformed"


@pytest.mark.parametrize("value", ["", "sig1", "sig1=1", "sig1=(:AA==:)", "sig1=:A:", "sig1=:AA==:" * 200, "=::"])
def test_signature_header_malformed(value: str) -> None:
    assert refusal(with_header(signed(), "Signature", value)).code == "signature_malformed"


@pytest.mark.parametrize("value", ["day\n61", "day\x0061", "日-61"])
def test_covered_header_that_could_forge_a_line(value: str) -> None:
    assert refusal(with_header(signed(), "Idempotency-Key", value)).code == "signature_malformed"


@pytest.mark.parametrize("left_out", [*WHOLE, *CONTENT])
def test_signature_components_missing_names_it(left_out: str) -> None:
    refused = refusal(signed(cover=tuple(name for name in WHOLE + CONTENT if name != left_out)))
    assert refused.code == "signature_components_missing"
    assert refused.values["components"] == left_out


@pytest.mark.parametrize("left_out", PARTS[1:])
def test_parts_of_the_address_are_needed_all_three(left_out: str) -> None:
    refused = refusal(signed(cover=tuple(name for name in PARTS + CONTENT if name != left_out)))
    assert refused.code == "signature_components_missing"
    assert refused.values["components"] == left_out


def test_content_type_is_needed_with_content() -> None:
    refused = refusal(signed(without=("content-type",)))
    assert refused.code == "signature_components_missing"
    assert refused.values["components"] == "content-type"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_signature_wrong_shows_the_servers_base(algorithm: str) -> None:
    request = replace(signed(algorithm), target_uri=ADDRESS.replace("https", "http"))
    refused = refusal(request, algorithm)
    assert refused.code == "signature_wrong"
    assert '"@target-uri": http://anze.example/api' in refused.signature_base


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("signature", [b"", b"\0", b"\0" * 32, b"\0" * 64, b"\xff" * 64, b"\0" * 65])
def test_signature_of_any_length_is_wrong(algorithm: str, signature: bytes) -> None:
    value = f"sig1=:{base64.b64encode(signature).decode()}:"
    assert refusal(with_header(signed(algorithm), "Signature", value), algorithm).code == "signature_wrong"


def test_another_partners_key_is_wrong() -> None:
    other = VerificationKey.read(ED25519, new_key(ED25519).stored)
    with refused_as("signature_wrong"):
        verify(signed(), other, now=NOW)


def test_a_public_key_is_never_taken_for_an_hmac_secret() -> None:
    """The classic attack: sign by HMAC with the public key as the secret."""
    public = KEYS[ED25519].material
    forger = HTTPMessageSigner(
        signature_algorithm=algorithms.HMAC_SHA256,
        key_resolver=MappingKeyResolver(public_keys={}, private_keys={"partner-1": public}),
    )
    for include_alg, code in ((True, "signature_algorithm_mismatch"), (False, "signature_wrong")):
        message = Message("GET", ADDRESS, {})
        forger.sign(
            message,
            key_id="partner-1",
            created=NOW,
            nonce="n",
            include_alg=include_alg,
            covered_component_ids=WHOLE,
        )
        assert refusal(SignedRequest("GET", ADDRESS, message.headers)).code == code


@pytest.mark.parametrize("named", ["hmac-sha256", "rsa-pss-sha512", "none", ""])
def test_signature_algorithm_mismatch(named: str) -> None:
    refused = refusal(reworded(signed(), 'alg="ed25519"', f'alg="{named}"'))
    assert refused.code == "signature_algorithm_mismatch"
    assert refused.values["given"] == named


@pytest.mark.parametrize(("seconds", "word"), [(301, "ahead"), (-301, "ago"), (10**9, "ahead"), (-(10**9), "ago")])
def test_clock_skew_says_how_far_and_which_way(seconds: int, word: str) -> None:
    refused = refusal(signed(created=NOW + timedelta(seconds=seconds)))
    assert refused.code == "clock_skew"
    assert refused.values["seconds"] == abs(seconds)
    with translation.override("en"):
        assert word in refused.message


@pytest.mark.parametrize("created", [0, -1, 999_999_999_999_999, -999_999_999_999_999])
def test_times_beyond_the_calendar_are_skew(created: int) -> None:
    request = reworded(signed(), f"created={int(NOW.timestamp())}", f"created={created}")
    assert refusal(request).code == "clock_skew"


def test_signature_expired() -> None:
    request = signed(expires=NOW + timedelta(seconds=10))
    check(request)
    assert refusal(request, now=NOW + timedelta(seconds=11)).code == "signature_expired"


def test_nonce_missing() -> None:
    assert refusal(signed(nonce=None)).code == "nonce_missing"
    assert refusal(signed(nonce="")).code == "nonce_missing"


def test_digest_missing() -> None:
    assert refusal(signed(without=("content-digest",))).code == "digest_missing"


@pytest.mark.parametrize("value", ["sha-256", "sha-256=1", "sha-256=:!:", "sha-256=::, sha-256=::", ":", "é"])
def test_digest_malformed(value: str) -> None:
    with refused_as("digest_malformed"):
        check_digest({"Content-Digest": value}, [BODY])
    assert refusal(with_header(signed(), "Content-Digest", value)).code == "digest_malformed"


@pytest.mark.parametrize("value", ["md5=:AAAA:", "sha=:AAAA:, crc32c=:AA==:", ""])
def test_digest_algorithm_unsupported(value: str) -> None:
    assert refusal(signed(headers={"Content-Digest": value})).code == "digest_algorithm_unsupported"


@pytest.mark.parametrize(
    "value",
    [digest(b"other"), f"{digest(BODY)}, {digest(b'other', 'sha-512')}", "sha-256=::", "sha-256=:AAAA:"],
)
def test_digest_wrong(value: str) -> None:
    refused = refusal(signed(headers={"Content-Digest": value}))
    assert refused.code == "digest_wrong"
    assert refused.values["size"] == len(BODY)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_refusal_is_told_in_both_languages(language: str) -> None:
    with translation.override(language):
        for code, text in REFUSALS.items():
            refused = SignatureRefused(code)
            assert (refused.title, refused.status) == (text.title, text.status)
            for words in (str(refused.title), refused.remedy):
                assert words
                assert any("\u4e00" <= sign <= "\u9fff" for sign in words) == (language == "zh-hans"), words


# --- nothing can be changed -----------------------------------------------------------------------------

printable = st.characters(min_codepoint=0x21, max_codepoint=0x7E)


@given(st.sampled_from(ALGORITHMS), st.sampled_from([WHOLE, PARTS]), st.data())
def test_one_changed_character_breaks_the_signature(
    algorithm: str, address: tuple[str, ...], data: st.DataObject
) -> None:
    request = signed(algorithm, cover=address + CONTENT)
    part = data.draw(st.sampled_from(["method", "path", "query", *CONTENT, "Signature", "nonce", "created", "keyid"]))
    whole = {
        "method": request.method,
        "path": "/api/v1/feeds/policies/batches",
        "query": "dry_run=1",
        "nonce": ';nonce="n-1"',
        "created": f";created={int(NOW.timestamp())}",
        "keyid": ';keyid="partner-1"',
    }
    names = {name.lower(): name for name in request.headers}
    old = whole.get(part) or request.headers[names[part.lower()]]
    place = data.draw(st.integers(0, len(old) - 1))
    new = old[:place] + data.draw(printable.filter(lambda sign: sign != old[place])) + old[place + 1 :]
    if part == "method":
        changed = replace(request, method=new)
    elif part in {"path", "query"}:
        changed = replace(request, target_uri=request.target_uri.replace(old, new))
    elif part in whole:
        changed = reworded(request, old, new)
    else:
        changed = with_header(request, names[part.lower()], new)
    if part == "Signature" and base64_equal(old, new):
        return  # the last Base64 digit's spare bits do not belong to the signature
    refusal(changed, algorithm)


def base64_equal(old: str, new: str) -> bool:
    try:
        return read_claim(with_header(signed(), "Signature", old)) == read_claim(
            with_header(signed(), "Signature", new)
        )
    except SignatureRefused:
        return False


@given(st.sampled_from(["sha-256", "sha-512"]), st.data())
def test_one_changed_byte_of_the_body_breaks_the_digest(name: str, data: st.DataObject) -> None:
    body = data.draw(st.binary(min_size=1, max_size=200))
    place = data.draw(st.integers(0, len(body) - 1))
    byte = data.draw(st.integers(1, 255)) ^ body[place]
    request = signed(body=body, headers={"Content-Digest": digest(body, name)})
    check(request)
    changed = body[:place] + bytes([byte]) + body[place + 1 :]
    if changed != body:
        assert refusal(replace(request, body=changed)).code == "digest_wrong"
    assert refusal(replace(request, body=body + b"\0")).code == "digest_wrong"
    cut = replace(request, body=body[:-1])
    assert refusal(cut).code == "digest_wrong"


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=80))
def test_no_header_text_makes_it_stumble(signature_input: str, signature: str, content_digest: str) -> None:
    for one in (
        {"Signature-Input": signature_input, "Signature": signature},
        {**signed().headers, "Signature-Input": signature_input},
        {**signed().headers, "Signature": signature},
        {**signed().headers, "Content-Digest": content_digest},
    ):
        assert refusal(replace(signed(), headers=one)).code in REFUSALS


structured = st.text(alphabet='abs1(";=@:,.? \\)-_*%Az/', max_size=60)


@given(structured, structured)
def test_no_structured_header_makes_it_stumble(first: str, second: str) -> None:
    headers = {"Signature-Input": f's=("@method"{first});{second}', "Signature": f"s=:AA==:{first}"}
    assert refusal(replace(signed(), headers=headers)).code in REFUSALS


# --- keys -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_new_keys_differ_and_work(algorithm: str) -> None:
    made = new_key(algorithm)
    assert made != new_key(algorithm)
    named, _colon, secret = made.shown_once.partition(":")
    assert named == algorithm
    private = base64.b64decode(secret)
    key = VerificationKey.read(algorithm, made.stored)
    if algorithm == ED25519:
        assert made.stored not in made.shown_once
        assert key.fits(Ed25519PrivateKey.from_private_bytes(private).sign(b"text"), b"text")
    else:
        assert key.material == private
    assert repr(key.material) not in repr(key)


def test_keys_that_are_none() -> None:
    for algorithm, material in (
        (HMAC_SHA256, b"x" * 31),
        (ED25519, b"x" * 33),
        (ED25519, b""),
        ("none", b"x" * 32),
    ):
        with pytest.raises(ValueError, match=r"no .* key|unknown algorithm"):
            VerificationKey(algorithm, material)
    with pytest.raises(ValueError, match="unknown algorithm"):
        new_key("rsa")


def test_public_key_in_each_form() -> None:
    raw = base64.b64decode("JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=")
    der = "MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs="
    for text in (
        RFC_PUBLIC_PEM,
        f"\n  {RFC_PUBLIC_PEM}\n",
        RFC_PUBLIC_PEM.replace("\n", "\r\n"),
        base64.b64encode(raw).decode(),
        f" {base64.b64encode(raw).decode()}\n",
        der,
    ):
        assert base64.b64decode(parse_public_key(text)) == raw


def private_pem() -> str:
    return PRIVATE.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def public_pem(key: ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey) -> str:
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (private_pem(), "public_key_is_private"),
        (new_key(ED25519).shown_once, "public_key_is_private"),
        (new_key(HMAC_SHA256).shown_once, "public_key_is_private"),
        (public_pem(ec.generate_private_key(ec.SECP256R1())), "public_key_wrong_kind"),
        (public_pem(ed448.Ed448PrivateKey.generate()), "public_key_wrong_kind"),
        ("", "public_key_unreadable"),
        ("AAAA", "public_key_unreadable"),
        ("A" * 5000, "public_key_unreadable"),
        ("公钥", "public_key_unreadable"),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEa0C4+T", "public_key_unreadable"),
        ("-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----", "public_key_unreadable"),
        ("-----BEGIN PUBLIC KEY-----\n公钥\n-----END PUBLIC KEY-----", "public_key_unreadable"),
    ],
    ids=range(12),  # the keys differ from process to process, and so would names made of them
)
def test_public_key_refused(text: str, code: str) -> None:
    with refused_as(code):
        parse_public_key(text)
