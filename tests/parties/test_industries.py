"""The industries of GB/T 4754-2017: all sections and divisions, and the classes the platform names."""

import csv
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

FILE = Path(__file__).parents[2] / "anze" / "parties" / "data" / "industries.csv"


@cache
def by_code() -> dict[str, dict[str, str]]:
    with FILE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["code"] for row in rows}) == len(rows)
    return {row["code"]: row for row in rows}


def test_all_sections_and_divisions_are_there() -> None:
    assert "".join(code for code in by_code() if code.isalpha()) == "ABCDEFGHIJKLMNOPQRST"
    assert [code for code in by_code() if len(code) == 2] == [f"{number:02}" for number in range(1, 98)]


def test_sections_hold_the_divisions_of_the_standard() -> None:
    held = Counter(row["parent"] for row in by_code().values() if len(row["code"]) == 2)
    assert held == {
        "A": 5, "B": 7, "C": 31, "D": 3, "E": 4, "F": 2, "G": 8, "H": 2, "I": 3, "J": 4,
        "K": 1, "L": 2, "M": 3, "N": 4, "O": 3, "P": 1, "Q": 2, "R": 5, "S": 6, "T": 1,
    }  # fmt: skip


def test_classes_lie_in_their_division_and_every_row_is_named_in_both_languages() -> None:
    for code, row in by_code().items():
        assert row["name"], code
        assert row["name_en"], code
        assert len(code) in (1, 2, 4)
        if len(code) == 4:
            assert row["parent"] == code[:2]
        if len(code) > 1:
            assert row["parent"] in by_code()


@pytest.mark.parametrize(
    ("code", "name", "section"),
    [
        ("3216", "铝冶炼", "C"),
        ("3252", "铝压延加工", "C"),
        ("2671", "炸药及火工产品制造", "C"),
        ("2672", "焰火、鞭炮产品制造", "C"),
        ("5265", "机动车燃油零售", "F"),
        ("5435", "危险货物道路运输", "G"),
        ("0421", "海水捕捞", "A"),
    ],
)
def test_classes_that_the_rules_mention(code: str, name: str, section: str) -> None:
    assert by_code()[code]["name"] == name
    assert by_code()[by_code()[code]["parent"]]["parent"] == section
