"""Links without an account open one thing, for one purpose, until their end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anze.kernel.links import make_link, read_link
from anze.kernel.refusal import Refused

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
END = NOW + timedelta(days=30)


def test_a_link_opens_its_row_until_its_end():
    row = uuid4()
    token = make_link("hazard", row, until=END)
    assert read_link("hazard", token, at=NOW) == row
    assert read_link("hazard", token, at=END - timedelta(seconds=1)) == row
    with pytest.raises(Refused, match="link_expired"):
        read_link("hazard", token, at=END)


def test_a_link_of_one_page_opens_no_other():
    token = make_link("hazard", uuid4(), until=END)
    with pytest.raises(Refused, match="link_invalid"):
        read_link("service", token, at=NOW)


@given(place=st.integers(0, 47), letter=st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0-_=."))
def test_a_changed_link_opens_nothing(place, letter):
    row = uuid4()
    token = make_link("hazard", row, until=END)
    changed = token[:place] + letter + token[place + 1 :]
    if changed == token:
        return
    with pytest.raises(Refused, match="link_invalid"):
        read_link("hazard", changed, at=NOW)


@given(st.text(max_size=80))
def test_anything_else_opens_nothing(text):
    with pytest.raises(Refused, match="link_invalid"):
        read_link("hazard", text, at=NOW)
