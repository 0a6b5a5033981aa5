"""The reference pages say what the program says."""

from __future__ import annotations

import csv
import re

import pytest

from anze.exchange.feeds import FEEDS
from anze.monitoring.definitions import INDICATORS
from anze.parties.rules import Permission, Role
from anze.web.documents import GLOSSARY, PARAMETERS, ROOT, pages

PAGES = pages()


@pytest.mark.parametrize("path", PAGES)
def test_a_generated_page_is_as_the_program_says(path):
    file = ROOT / path
    assert file.exists(), f"{path} is missing: run `anze document`"
    assert file.read_text(encoding="utf-8") == PAGES[path], (
        f"{path} is not as the program says: run `anze document` (and `make test`, if texts were translated)"
    )


def test_the_pages_leave_nothing_out():
    assert all(f"`{code}`" in PAGES["docs/indicators.md"] for code in INDICATORS)
    for feed in FEEDS.values():
        assert f"(`{feed.name}`)" in PAGES["docs/feeds.md"]
        assert all(f"`{field.name}`" in PAGES["docs/feeds.md"] for field in feed.fields)
        assert all(f"`{check.code}`" in PAGES["docs/feeds.md"] for check in feed.all_checks)
    assert PAGES["docs/permissions.md"].count("\n| ") >= len(Role) + len(Permission)
    with PARAMETERS.open(encoding="utf-8", newline="") as file:
        assert all(f"`{row['key']}`" in PAGES["docs/parameters.md"] for row in csv.DictReader(file))


def test_the_pages_are_in_both_languages():
    """A text left in English on both sides would show as a line that says the same twice."""
    twice = re.findall(r"^\| \S+ \S+ \| ([A-Za-z][a-z ,]{12,}) \| \1 \|$", PAGES["docs/indicators.md"], re.MULTILINE)
    assert not twice


def test_tables_have_as_many_cells_as_heads():
    for path, text in PAGES.items():
        for block in re.split(r"\n(?!\|)", text):
            counts = {len(re.findall(r"(?<!\\)\|", line)) for line in block.split("\n") if line.startswith("|")}
            assert len(counts) <= 1, (path, block[:80])


def test_the_glossary_explains_each_term_once():
    with GLOSSARY.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 80
    assert all(row["chinese"] and row["term"] and row["meaning"] for row in rows)
    assert len({row["chinese"] for row in rows}) == len(rows)
