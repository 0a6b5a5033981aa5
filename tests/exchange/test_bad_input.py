"""Bodies no program should have sent: refused or understood, never an unhandled error, never half a batch."""

from __future__ import annotations

import codecs
import json
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from anze.exchange.actions import process_batch, receive_batch
from anze.exchange.feeds import FEEDS
from anze.exchange.models import Batch
from anze.kernel.actor import platform
from anze.kernel.refusal import Refused
from anze.kernel.rules import Channel
from anze.parties.rules import Permission
from anze.underwriting.models import Policy, PremiumReceipt
from tests.cast import NOW, XINGHUO, Cast, policy_row

JSON = "application/json"
NDJSON = "application/x-ndjson"
ROW = policy_row("P1", XINGHUO)
GOOD = json.dumps(ROW, ensure_ascii=False).encode()
DEEP = 100_000


def deliver(cast: Cast, body: bytes, content_type: str = NDJSON, feed: str = "policies") -> Batch:
    batch, _is_new = receive_batch(
        cast.huaihai,
        by=platform(frozenset({Permission.ENTER_DATA})),
        at=NOW,
        feed=FEEDS[feed],
        channel=Channel.API,
        body=body,
        content_type=content_type,
        idempotency_key=uuid4().hex,
    )
    process_batch(batch)
    return batch


def codes(batch: Batch) -> list[str]:
    return [finding.code for finding in batch.findings.order_by("row", "id")]


def refused(cast: Cast, body: bytes, content_type: str = NDJSON) -> str:
    """The code of the refusal; the transaction goes on, and a good batch after it is published."""
    with pytest.raises(Refused) as caught:
        deliver(cast, body, content_type)
    assert caught.value.status == 400
    assert str(caught.value.message)
    assert str(caught.value.remedy)
    nothing_is_left()
    assert deliver(cast, GOOD).outcomes == "A"
    Policy.objects.all().delete()
    return str(caught.value.code)


def nothing_is_left() -> None:
    """Neither a row nor one of the tables a batch works in."""
    assert Policy.objects.count() == 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relpersistence = 't' AND relkind = 'r'")
        assert cursor.fetchone() == (0,)


def rejected(cast: Cast, body: bytes, content_type: str = NDJSON) -> list[str]:
    batch = deliver(cast, body, content_type)
    assert set(batch.outcomes) <= {"R"}
    nothing_is_left()
    return codes(batch)


# whole bodies ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"[",
        b"[{]",
        b"null",
        b"5",
        b'"text"',
        GOOD,
        b"[" + GOOD,
        b"[" + GOOD + b",]",
        b"[" + GOOD + b"] trailing",
        b"[" + GOOD + b"\n" + GOOD + b"]",
        b"[" * DEEP,
        b"[" * DEEP + b"]" * DEEP,
        b'[{"a":' * DEEP + b"1" + b"}]" * DEEP,
        b"[NaN]",
        b"[{'policy_no': 'P1'}]",
        b"\xff",
        "[{'a': '保单'}]".encode("gbk"),
    ],
    ids=lambda body: repr(body[:24]),
)
def test_bodies_that_are_no_json_array(cast: Cast, body: bytes) -> None:
    assert refused(cast, body, JSON) == "broken_json"


@pytest.mark.parametrize("content_type", [JSON, NDJSON])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_wide_encodings_are_refused_as_such(cast: Cast, content_type: str, encoding: str) -> None:
    body = json.dumps([ROW], ensure_ascii=False) if content_type == JSON else GOOD.decode()
    assert refused(cast, body.encode(encoding), content_type) == "wrong_encoding"


@pytest.mark.parametrize("body", [b"", b"\n", b" \r\n\t\n", codecs.BOM_UTF8, codecs.BOM_UTF8 + b"\n"])
def test_no_row_at_all_is_an_empty_batch(cast: Cast, body: bytes) -> None:
    batch = deliver(cast, body)
    assert (batch.rows, batch.outcomes, codes(batch)) == (0, "", [])
    assert deliver(cast, b"[]", JSON).rows == 0


@pytest.mark.parametrize("content_type", [JSON, NDJSON])
def test_a_byte_order_mark_is_understood(cast: Cast, content_type: str) -> None:
    body = b"[" + GOOD + b"]" if content_type == JSON else GOOD
    assert deliver(cast, codecs.BOM_UTF8 + body, content_type).outcomes == "A"


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n", b" \n", b""])
def test_every_line_end_is_understood(cast: Cast, end: bytes) -> None:
    body = GOOD + (end or b"\n") + GOOD.replace(b'"P1"', b'"P2"') + end
    assert deliver(cast, body).outcomes == "AA"


# single rows ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"{", "broken_json"),
        (b"}", "broken_json"),
        (b"{]", "broken_json"),
        (GOOD[:-1], "broken_json"),
        (GOOD + b",", "broken_json"),
        (GOOD + GOOD, "broken_json"),
        (GOOD.replace(b'"', b"'"), "broken_json"),
        (GOOD.replace(b"100,", b"NaN,"), "broken_json"),
        (GOOD.replace(b"100,", b"Infinity,"), "broken_json"),
        (GOOD.replace(b"100,", b"0x64,"), "broken_json"),
        (GOOD.replace(b"100,", b"0100,"), "broken_json"),
        (b"[" * DEEP, "broken_json"),
        (b"[" * DEEP + b"]" * DEEP, "broken_json"),
        (b'{"policy_no":' * DEEP, "broken_json"),
        (b'{"policy_no":' * DEEP + b"1" + b"}" * DEEP, "broken_json"),
        (b"null", "not_an_object"),
        (b"[]", "not_an_object"),
        (b"5", "not_an_object"),
        (b'"' + b"x" * 100 + b'"', "not_an_object"),
        (GOOD.decode().encode("gbk"), "wrong_encoding"),
        (GOOD.replace(b'"P1"', b'"P\xff1"'), "wrong_encoding"),
        (GOOD.replace(b'"P1"', b'"P\xed\xa0\x801"'), "wrong_encoding"),
        (GOOD.replace(b'"P1"', b'"P\xc0\x801"'), "wrong_encoding"),
    ],
    ids=lambda value: repr(value[:24]),
)
def test_rows_that_cannot_be_read(cast: Cast, raw: bytes, code: str) -> None:
    assert rejected(cast, raw) == [code]
    # and the rows beside them are none the worse for it
    batch = deliver(cast, GOOD + b"\n" + raw + b"\n" + GOOD.replace(b'"P1"', b'"P2"'))
    assert (batch.outcomes, codes(batch)) == ("ARA", [code])


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"holder_name": "a\x00b"}, "forbidden_character"),
        ({"policy_no": "P\x001"}, "forbidden_character"),
        ({"project_name": "\x00"}, "forbidden_character"),
        ({"coinsurers": [{"insurer_code": "\x00", "share": "1", "is_lead": True}]}, "forbidden_character"),
        ({"agreed_service_types": ["\x00"]}, "not_in_code_list"),
        ({"start_on": "2024-02-30"}, "bad_value"),
        ({"start_on": "0000-01-01"}, "bad_value"),
        ({"start_on": "10000-01-01"}, "bad_value"),
        ({"start_on": "-2026-01-01"}, "bad_value"),
        ({"start_on": "2026-01-01T00:00:00Z"}, "bad_value"),
        ({"entered_at": "2026-01-01T25:00:00Z"}, "bad_value"),
        ({"entered_at": "2026-01-01T00:00:00+25:00"}, "bad_value"),
        ({"premium_written": "1e999"}, "too_large"),
        ({"premium_written": "1e999999999"}, "too_large"),
        ({"premium_written": "NaN"}, "too_large"),
        ({"premium_written": "sNaN"}, "too_large"),
        ({"premium_written": "Infinity"}, "too_large"),
        ({"premium_written": "9" * 100_000}, "too_large"),
        ({"premium_written": 10**400}, "too_large"),
        ({"premium_written": "0." + "1" * 100_000}, "too_precise"),
        ({"premium_written": "五万"}, "bad_value"),
        ({"premium_written": "50,000.00"}, "bad_value"),
        ({"insured_workers": 10**4000}, "too_large"),
        ({"insured_workers": -(10**30)}, "too_large"),
        ({"insured_workers": 1e308}, "wrong_type"),
        ({"holder_name": "x" * 1_000_000}, "too_long"),
        ({"remark": {"a": [{}] * 1000}}, "unknown_field"),
        ({"": ""}, "unknown_field"),
        ({"x" * 100_000: 1}, "unknown_field"),
        ({"\x00": 1}, "unknown_field"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_values_that_cannot_be_taken(cast: Cast, words: dict[str, Any], code: str) -> None:
    body = json.dumps({**ROW, **words}, ensure_ascii=False).encode()
    escaped = json.dumps({**ROW, **words}).encode()
    assert rejected(cast, body if b"\x00" not in body else escaped) == [code]
    assert rejected(cast, escaped) == [code]


def test_wide_digits_are_understood(cast: Cast) -> None:
    wide = "５００００．００".replace("．", ".")  # noqa: RUF001 - as a Chinese keyboard types them
    assert deliver(cast, GOOD.replace(b"50000.00", wide.encode())).outcomes == "A"
    assert str(Policy.objects.get().premium_written) == "50000.00"


def test_numbers_written_as_json_numbers_keep_every_digit(cast: Cast) -> None:
    """Money may come as a number too; not one digit is lost, whichever way the row is read."""
    body = GOOD.replace(b'"50000.00"', b"50000.0000000000000000001")
    assert rejected(cast, body) == ["too_precise"]
    # a null makes the row be read field by field
    body = GOOD[:-1].replace(b'"50000.00"', b"12345678901.23") + b', "branch_code": null}'
    assert deliver(cast, body).outcomes == "A"
    assert str(Policy.objects.get().premium_written) == "12345678901.23"
    Policy.objects.all().delete()
    assert rejected(cast, body.replace(b"12345678901.23", b"12345678901.2300000000000000001")) == ["too_precise"]
    for number in (b"1e999", b"-1e999", b"1e-999"):
        codes_found = rejected(cast, GOOD.replace(b'"50000.00"', number))
        assert codes_found in (["too_large"], ["too_precise"], ["broken_json"]), number


@pytest.mark.parametrize("pair", ["\\ud800", "\\udfff", "\\ud800\\ud800", "\\udc00\\ud800"])
def test_half_a_surrogate_pair(cast: Cast, pair: str) -> None:
    raw = GOOD.replace("示例投保人".encode(), f"示例{pair}".encode())
    assert pair.encode() in raw
    assert rejected(cast, raw) == ["broken_json"]
    whole = GOOD.replace("示例投保人".encode(), b"\\ud840\\udc0b\\u540d")
    assert deliver(cast, whole).outcomes == "A"
    assert Policy.objects.get().holder_name == "𠀋名"


def test_the_last_of_a_fields_two_values_counts(cast: Cast) -> None:
    """As RFC 8259 leaves open and nearly every reader does; both ways of reading agree."""
    raw = GOOD[:-1] + b', "insured_workers": 7}'
    assert deliver(cast, raw).outcomes == "A"
    assert deliver(cast, raw[:-1] + b', "branch_code": null, "branch_code": null}').outcomes == "S"
    assert Policy.objects.get().insured_workers == 7


def test_texts_are_kept_as_they_came(cast: Cast) -> None:
    """Nothing in a text is a command to anybody: not to SQL, to COPY, a spreadsheet or a format string."""
    texts = [
        "'; DROP TABLE underwriting_policy; --",
        "\\N",
        "\\.",
        "a\tb\nc\\nd",
        "%s %(x)s {sender} {t} {today} {value}",
        "=HYPERLINK(1)",
        "𠀋🏭",
        "{}",
        "NULL",
    ]
    cast.accepted(
        cast.huaihai,
        "policies",
        *(policy_row(f"P{i}", XINGHUO, holder_name=text) for i, text in enumerate(texts)),
    )
    assert list(Policy.objects.order_by("policy_no").values_list("holder_name", flat=True)) == texts
    batch = cast.send(
        cast.huaihai, "policies", *(policy_row(f"Q{i}", XINGHUO, nature=text) for i, text in enumerate(texts))
    )
    assert codes(batch) == ["not_in_code_list"] * len(texts)
    batch = cast.send(
        cast.huaihai, "receipts", {**FEEDS["receipts"].example_rows()[0], "policy_no": "'; DROP TABLE x; --"}
    )
    assert codes(batch) == ["unknown_policy"]
    assert PremiumReceipt.objects.count() == 0


# anything at all ------------------------------------------------------------------------------------------

_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["P1", XINGHUO, "2026-03-01", "50000.00", "SOLE", "1e400", "-0", "2026-02-30"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(FEEDS)), st.data())
def test_no_row_makes_it_stumble(cast: Cast, name: str, data: st.DataObject) -> None:
    """Any change of a good row is accepted or rejected with findings that can be told."""
    feed = FEEDS[name]
    row: dict[str, Any] = dict(feed.example_rows()[data.draw(st.integers(0, 1))])
    for _change in range(data.draw(st.integers(1, 3))):
        row[data.draw(st.sampled_from([each.name for each in feed.fields]))] = data.draw(_values)
    sender = cast.huaihai if feed.of_insurer else cast.province
    batch = cast.send(sender, name, row)
    assert (batch.outcomes == "R") == bool(codes(batch))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(b"\x00")
@example(b"\xef\xbb")
@example(b"[[\xff]]")
def test_no_bytes_make_it_stumble(cast: Cast, body: bytes) -> None:
    for content_type in (JSON, NDJSON):
        outcomes, code = "", ""
        try:
            outcomes = deliver(cast, body, content_type).outcomes
        except Refused as problem:
            code = problem.code
        assert set(outcomes) <= {"R"}
        assert code in ("", "broken_json", "wrong_encoding")
        nothing_is_left()
