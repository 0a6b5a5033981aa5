"""The parameters shipped with the platform: readable, unambiguous, honest about their source."""

import csv
import re
from collections import defaultdict
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from anze.kernel.identifiers import region_code_problem

FILE = Path(__file__).parents[2] / "anze" / "kernel" / "data" / "parameters.csv"
LONGEST = {"key": 80, "value": 80, "unit": 30, "source": 300, "title_en": 200, "title_zh": 200, "note": 400}


@cache
def rows() -> list[dict[str, str]]:
    with FILE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def value_on(key: str, day: str) -> str:
    """The value in force everywhere on a day."""
    found = [row["value"] for row in rows() if row["key"] == key and not row["region_code"]
             and row["effective_from"] <= day <= (row["effective_to"] or "9999")]  # fmt: skip
    assert len(found) == 1, (key, day, found)
    return found[0]


def test_every_row_fits_the_table_and_has_both_titles() -> None:
    assert len(rows()) > 50
    for row in rows():
        assert None not in row
        assert all(len(row[column]) <= most for column, most in LONGEST.items()), row["key"]
        assert all(row[column] for column in ("key", "title_en", "title_zh", "unit")), row["key"]
        assert not row["region_code"] or region_code_problem(row["region_code"]) is None


def test_numbers_are_numbers_and_ratios_are_ratios() -> None:
    units = {"yuan", "ratio", "workdays", "days", "hours", "years", "times", "persons", "code", "km"}
    units |= {
        "megabytes",
        "megapixels",
        "files",
        "minutes",
        "metres",
        "ratings",
        "points",
        "seconds",
        "records",
        "km per hour",
    }
    units |= {"percent", "enterprises", "number"}
    assert {row["unit"] for row in rows()} == units
    for row in rows():
        if row["unit"] == "code" or not row["value"]:
            continue
        number = Decimal(row["value"])
        assert number >= 0
        if row["unit"] == "ratio":
            assert number <= 1, row["key"]
        elif row["unit"] not in ("yuan", "number"):
            assert number == int(number), row["key"]


def test_no_two_rows_of_a_key_are_in_force_on_one_day() -> None:
    periods: dict[tuple[str, str], list[tuple[date, date]]] = defaultdict(list)
    for row in rows():
        start = date.fromisoformat(row["effective_from"])
        end = date.fromisoformat(row["effective_to"]) if row["effective_to"] else date.max
        assert start <= end
        periods[row["key"], row["region_code"]].append((start, end))
    for key, spans in periods.items():
        spans.sort()
        assert all(earlier[1] < later[0] for earlier, later in pairwise(spans)), key


def test_confirmed_means_a_source_and_an_empty_value_is_never_confirmed() -> None:
    assert {row["status"] for row in rows()} == {"CONFIRMED", "UNVERIFIED", "DESIGN"}
    for row in rows():
        if row["status"] == "CONFIRMED":
            assert row["value"], row["key"]
            assert row["source"], row["key"]
        else:
            assert not row["source"], row["key"]


@pytest.mark.parametrize(
    ("key", "day", "value"),
    [
        ("min_limit_per_person", "2025-03-28", "300000"),
        ("min_limit_per_person", "2025-03-29", "400000"),
        ("expense_cap_ratio", "2024-10-22", "0.21"),
        ("manual_entry_workdays", "2026-01-01", "5"),
        ("interface_entry_days", "2026-01-01", "0"),
        ("plan_grace_days", "2026-01-01", "30"),
        ("default_agreed_expense_ratio", "2026-01-01", "0.15"),
        ("claim_assessment_days", "2026-01-01", "30"),
        ("claim_payment_days", "2026-01-01", "10"),
        ("claim_refusal_days", "2026-01-01", "3"),
        ("claim_advance_days", "2026-01-01", "60"),
        ("major_hazard_report_hours", "2026-01-01", "24"),
        ("accident_report_hours", "2026-01-01", "1"),
        ("claim_payout_headline", "2026-01-01", "simple_incurred"),
        ("coverage_target.MINE", "2026-12-31", "1.00"),
        ("accident_class.MAJOR.direct_loss", "2026-01-01", "50000000"),
    ],
)
def test_numbers_the_rules_name(key: str, day: str, value: str) -> None:
    assert value_on(key, day) == value


def test_service_frequency_never_falls_with_risk_or_size() -> None:
    tiers, sizes = ("LOW", "MEDIUM", "HIGH"), ("MICRO", "SMALL", "MEDIUM", "LARGE")
    table = [[int(value_on(f"frequency.{tier}.{size}", "2026-01-01")) for size in sizes] for tier in tiers]
    assert table == [[1, 1, 1, 2], [1, 1, 2, 3], [1, 2, 3, 4]]


def test_nothing_is_invented_for_shandong() -> None:
    provincial = {row["key"]: row for row in rows() if row["region_code"] == "370000"}
    assert set(provincial) == {"min_limit_per_person", "expense_floor_ratio"}
    assert all(row["value"] == "" and row["status"] == "UNVERIFIED" for row in provincial.values())


def test_every_parameter_is_read_somewhere() -> None:
    """A number nobody reads can be changed on its page, and nothing follows. A family is read by its beginning."""
    said = "\n".join(
        file.read_text(encoding="utf-8") for file in FILE.parents[2].rglob("*.py") if "migrations" not in file.parts
    )
    families = set(re.findall(r"""["']([a-z][\w.]*[._])(?:["']|\{)""", said))
    families |= {f"{name}." for name in re.findall(r"""["']([\w.]+)["']""", said)}
    families -= {"alert."}  # no family: each alert names its own
    unread = [row["key"] for row in rows() if not re.search(rf"""["']{re.escape(row["key"])}["']""", said)
              and not any(row["key"].startswith(family) for family in families)]  # fmt: skip
    assert unread == []
