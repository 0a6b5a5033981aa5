"""Parts of a file, as players and resumed downloads ask for them."""

from __future__ import annotations

import io

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from anze.screen.ranges import asked_part, file_answer

CONTENT = bytes(range(256)) * 5


def ask(content: bytes = CONTENT, **headers: str):
    request = RequestFactory().get("/", headers={name.replace("_", "-"): value for name, value in headers.items()})
    opened: list[io.BytesIO] = []

    def opens() -> io.BytesIO:
        opened.append(io.BytesIO(content))
        return opened[-1]

    answer = file_answer(request, opens, size=len(content), content_type="video/mp4", mark="abc")
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert all(each.closed for each in opened)
    return answer, body


@given(st.integers(0, 1400), st.integers(0, 1400))
def test_the_part_is_that_of_the_file(first, last):
    answer, body = ask(Range=f"bytes={first}-{last}")
    if last < first:
        assert (answer.status_code, body) == (200, CONTENT)
    elif first >= len(CONTENT):
        assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{len(CONTENT)}")
    else:
        assert answer.status_code == 206
        assert body == CONTENT[first : last + 1]
        assert answer["Content-Length"] == str(len(body))
        assert answer["Content-Range"] == f"bytes {first}-{first + len(body) - 1}/{len(CONTENT)}"


@given(st.integers(1, 2000))
def test_the_end_and_the_rest_of_a_file_can_be_asked_for(length):
    assert ask(Range=f"bytes=-{length}")[1] == CONTENT[-length:]
    if length < len(CONTENT):
        assert ask(Range=f"bytes={length}-")[1] == CONTENT[length:]


@given(st.text(max_size=30), st.integers(0, 50))
def test_whatever_stands_in_the_header_the_part_lies_in_the_file(header, size):
    for said in (header, f"bytes={header}"):
        part = asked_part(said, size)
        if part is not None:
            first, length = part
            assert first >= 0
            assert length == 0 or first + length <= size


@pytest.mark.parametrize("header", ["", "bytes=", "bytes=-", "lines=1-2", "bytes=0-1,4-5", "bytes=5-2", "bytes=a-b"])
def test_what_is_not_understood_gives_the_whole_file(header):
    answer, body = ask(Range=header)
    assert (answer.status_code, body) == (200, CONTENT)
    assert answer["Accept-Ranges"] == "bytes"


def test_the_last_no_bytes_and_a_part_of_nothing_cannot_be_given():
    assert ask(Range="bytes=-0")[0].status_code == 416
    assert ask(b"", Range="bytes=0-")[0].status_code == 416


def test_a_part_is_given_only_beside_the_same_content():
    assert ask(Range="bytes=0-1", If_Range='"abc"')[0].status_code == 206
    for other in ('"another"', 'W/"abc"', "Thu, 26 Nov 2026 10:00:00 GMT"):
        answer, body = ask(Range="bytes=0-1", If_Range=other)
        assert (answer.status_code, body) == (200, CONTENT)


def test_who_has_the_content_is_told_so():
    answer, body = ask(If_None_Match='"abc"')
    assert (answer.status_code, body) == (304, b"")
