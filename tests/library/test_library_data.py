"""Determination standards and their criteria: complete, linked, honest about what is unverified."""

import csv
import re
from datetime import date
from functools import cache
from pathlib import Path

import pytest

DATA = Path(__file__).parents[2] / "anze" / "library" / "data"
SECTORS = {"MINE", "HAZCHEM", "FIREWORK", "TRANSPORT", "CONSTR", "CIVEXP", "SMELT", "FISHERY", "OTHER"}


@cache
def rows(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def standards() -> dict[str, dict[str, str]]:
    found = {row["code"]: row for row in rows("standards")}
    assert len(found) == len(rows("standards"))
    return found


def test_every_standard_is_named_dated_and_of_a_known_kind() -> None:
    for row in rows("standards"):
        assert row["kind"] in {"DETERMINATION", "RELATED", "SERVICE"}
        assert row["sector"] in SECTORS | {""}
        assert row["status"] in {"CONFIRMED", "UNVERIFIED"}
        assert all(row[column] for column in ("number", "title_zh", "title_en"))
        assert re.fullmatch(r"\d{4}(-\d\d(-\d\d)?)?", row["issued"])
        for column in ("effective_from", "effective_to"):
            if row[column]:
                date.fromisoformat(row[column])


@pytest.mark.parametrize("code", ["COAL-2026", "INDUSTRY-2023"])
def test_a_standard_begins_the_day_after_the_one_it_replaces_ends(code: str) -> None:
    new = standards()[code]
    old = standards()[new["replaces"]]
    assert (date.fromisoformat(new["effective_from"]) - date.fromisoformat(old["effective_to"])).days == 1


def test_every_sector_that_must_insure_has_a_standard_of_its_own() -> None:
    covered = {row["sector"] for row in rows("standards") if row["kind"] == "DETERMINATION"}
    assert covered == SECTORS - {"SMELT"}  # smelting is judged by the standard of industry and trade


def test_every_criterion_belongs_to_a_standard_in_force_when_it_begins() -> None:
    codes = [row["code"] for row in rows("criteria")]
    assert len(set(codes)) == len(codes)
    for row in rows("criteria"):
        standard = standards()[row["standard"]]
        assert row["standard_number"] == standard["number"]
        assert standard["issued"].startswith(row["edition"])
        assert row["sector"] in SECTORS
        assert row["effective_from"] >= (standard["effective_from"] or standard["issued"])
        assert row["text_zh"], row["code"]
        assert row["text_en"], row["code"]


def test_the_criteria_of_each_list_are_all_there() -> None:
    codes = {row["code"] for row in rows("criteria")}
    expected = {f"AL-{n}" for n in range(1, 8)} | {f"DUST-{n}" for n in range(1, 11)}
    expected |= {f"HC-{n}" for n in range(1, 21)} | {"NH3-1", "NH3-2", "CS-1", "CS-2"}
    assert codes == expected | {"GM-3.1", "GM-3.2", "GM-3.3", "GM-14"}


def test_texts_that_were_not_seen_are_marked() -> None:
    unverified = {row["code"] for row in rows("criteria") if row["status"] == "UNVERIFIED"}
    assert unverified == ({f"DUST-{n}" for n in range(6, 11)} | {f"HC-{n}" for n in range(6, 21)} | {"CS-1", "CS-2"})
