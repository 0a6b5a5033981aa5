"""Determination standards and their criteria: complete, linked, honest about what is unverified."""

import csv
import re
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from anze.library.rules import condition_problem

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
    codes = [(row["standard"], row["code"]) for row in rows("criteria")]
    assert len(set(codes)) == len(codes)
    for row in rows("criteria"):
        standard = standards()[row["standard"]]
        assert row["sector"] in SECTORS
        assert not row["effective_from"] or row["effective_from"] >= (standard["effective_from"] or standard["issued"])
        assert row["text_zh"], row["code"]
        assert row["text_en"], row["code"]


def test_the_criteria_of_each_list_are_all_there() -> None:
    codes = {row["code"] for row in rows("criteria") if row["standard"] != "INDUSTRY-2017"}
    expected = {f"AL-{n}" for n in range(1, 8)} | {f"DUST-{n}" for n in range(1, 11)}
    expected |= {f"HC-{n}" for n in range(1, 21)} | {"NH3-1", "NH3-2", "CS-1", "CS-2"}
    assert codes == expected | {"GM-3.1", "GM-3.2", "GM-3.3", "GM-14"}


def test_texts_that_were_not_seen_are_marked() -> None:
    unverified = {row["code"] for row in rows("criteria") if row["status"] == "UNVERIFIED"}
    unverified -= {row["code"] for row in rows("criteria") if row["standard"] == "INDUSTRY-2017"} - {
        row["code"] for row in rows("criteria") if row["standard"] != "INDUSTRY-2017" and row["status"] == "UNVERIFIED"
    }
    assert unverified == ({f"DUST-{n}" for n in range(6, 11)} | {f"HC-{n}" for n in range(6, 21)} | {"CS-1", "CS-2"})


def test_every_row_of_the_library_is_worded_in_both_languages_and_rests_on_something() -> None:
    texts = {"hazards": ("place", "wording", "advice"), "checklist_items": ("section", "text")}
    for name, columns in texts.items():
        for row in rows(name):
            assert row["criterion"] or row["standard"] or (row["basis_zh"] and row["basis_en"]), row
            assert bool(row["basis_zh"]) == bool(row["basis_en"]), row
            for column in columns:
                assert re.search(r"[\u4e00-\u9fff]", row[f"{column}_zh"]), row
                assert re.search(r"[A-Za-z]{2}", row[f"{column}_en"]), row
                assert not re.search(r"[\u4e00-\u9fff]", row[f"{column}_en"]), row


def test_each_key_sector_has_a_dozen_hazards_and_a_checklist() -> None:
    for sector in SECTORS:
        codes = {row["code"] for row in rows("hazards") if row["sector"] == sector}
        assert len(codes) >= 12, sector
        assert any(row["sector"] == sector and not row["campaign"] for row in rows("checklists")), sector
    campaign = [row for row in rows("checklists") if row["campaign"]]
    assert [row["code"] for row in campaign] == ["CL-ALUMINIUM"]
    asked = {row["criterion"] for row in rows("checklist_items") if row["checklist"] == "CL-ALUMINIUM/1"}
    assert {f"INDUSTRY-2023/AL-{n}" for n in range(1, 8)} <= asked


def test_what_was_not_seen_is_marked_wherever_it_is_used() -> None:
    status = {f"{row['standard']}/{row['code']}": row["status"] for row in rows("criteria")}
    for row in rows("hazards"):
        assert row["status"] == (status[row["criterion"]] if row["criterion"] else "UNVERIFIED"), row["code"]


def test_items_of_a_checklist_are_numbered_and_their_conditions_point_back_to_a_question() -> None:
    by_list: dict[str, list[dict[str, str]]] = {}
    for row in rows("checklist_items"):
        by_list.setdefault(row["checklist"], []).append(row)
    assert set(by_list) == {f"{row['code']}/{row['version']}" for row in rows("checklists")}
    for name, items in by_list.items():
        assert [int(row["seq"]) for row in items] == list(range(1, len(items) + 1)), name
        assert 10 <= len(items) <= 24, name
        kinds = {int(row["seq"]): row["answer"] for row in items}
        for row in items:
            on = int(row["shown_if"]) if row["shown_if"] else None
            assert condition_problem(int(row["seq"]), on, row["shown_if_answer"], kinds) == "", (name, row["seq"])


def test_a_version_ends_the_day_before_the_next_begins() -> None:
    for name in ("hazards", "checklists"):
        versions: dict[str, list[dict[str, str]]] = {}
        for row in rows(name):
            versions.setdefault(row["code"], []).append(row)
        for same in versions.values():
            for old, new in pairwise(sorted(same, key=lambda row: int(row["version"]))):
                ended, began = date.fromisoformat(old["effective_to"]), date.fromisoformat(new["effective_from"])
                assert (began - ended).days == 1, new
            assert not max(same, key=lambda row: int(row["version"]))["effective_to"]
