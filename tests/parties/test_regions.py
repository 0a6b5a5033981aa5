"""The list of Shandong's regions: complete, consistent, and with the names people actually use."""

import csv
import re
from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from anze.kernel.identifiers import region_code_problem
from anze.kernel.scope import region_range

FILE = Path(__file__).parents[2] / "anze" / "parties" / "data" / "regions.csv"

COUNTY_LEVEL_UNITS = {
    "370100": 12, "370200": 10, "370300": 8, "370400": 6, "370500": 5, "370600": 11, "370700": 12,
    "370800": 11, "370900": 6, "371000": 4, "371100": 4, "371300": 12, "371400": 11, "371500": 8,
    "371600": 7, "371700": 9,
}  # fmt: skip


@cache
def rows() -> list[dict[str, str]]:
    with FILE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def by_code() -> dict[str, dict[str, str]]:
    return {row["code"]: row for row in rows()}


def current(kind: str) -> list[dict[str, str]]:
    return [row for row in rows() if row["kind"] == kind and not row["valid_to"]]


def test_one_province_sixteen_cities_and_136_county_level_units() -> None:
    assert [row["code"] for row in current("PROVINCE")] == ["370000"]
    assert len(current("CITY")) == 16
    assert Counter(row["parent_code"] for row in current("COUNTY")) == COUNTY_LEVEL_UNITS
    assert sum(COUNTY_LEVEL_UNITS.values()) == 136


def test_codes_are_unique_sorted_and_well_formed() -> None:
    codes = [row["code"] for row in rows()]
    assert codes == sorted(set(codes))
    assert [code for code in codes if region_code_problem(code)] == []


def test_every_region_lies_in_the_range_of_its_parent() -> None:
    kind_above = {"CITY": "PROVINCE", "COUNTY": "CITY", "FUNCTIONAL_ZONE": "CITY"}
    for row in rows():
        if row["kind"] == "PROVINCE":
            assert row["parent_code"] == ""
            continue
        parent = by_code()[row["parent_code"]]
        assert parent["kind"] == kind_above[row["kind"]]
        low, high = region_range(parent["code"])
        assert low < row["code"] <= high


def test_a_region_holds_its_own_and_no_neighbour() -> None:
    low, high = region_range("370100")
    assert all(low <= code <= high for code in ("370100", "370102", "370199", "3701Z1", "3701ZZ"))
    assert not any(low <= code <= high for code in ("370000", "370200", "3702Z1", "371000"))
    assert region_range("370000") == ("370000", "37ZZZZ")
    assert region_range("370102") == ("370102", "370102")
    assert region_range("3701Z1") == ("3701Z1", "3701Z1")


def test_names_are_unique_within_their_city_in_both_languages() -> None:
    for column in ("name", "name_en", "pinyin"):
        seen = Counter((row["parent_code"], row[column]) for row in rows())
        assert [key for key, times in seen.items() if times > 1] == []
        assert all(row[column] for row in rows())


def test_functional_zones_have_letters_that_no_national_code_has() -> None:
    zones = current("FUNCTIONAL_ZONE")
    assert zones
    assert all(re.fullmatch(r"37\d\dZ[0-9A-Z]", row["code"]) for row in zones)
    assert by_code()["3701Z1"]["parent_code"] == "370100"


def test_laiwu_has_been_part_of_jinan_since_2019() -> None:
    assert by_code()["371200"]["valid_to"] == "2019-01-08"
    for code, name in (("370116", "莱芜区"), ("370117", "钢城区")):
        row = by_code()[code]
        assert (row["name"], row["parent_code"], row["valid_from"]) == (name, "370100", "2019-01-09")


@pytest.mark.parametrize(
    ("code", "name", "name_en", "typed"),
    [
        ("370102", "历下区", "Lixia District", "lixia"),
        ("370113", "长清区", "Changqing District", "changqing"),
        ("370124", "平阴县", "Pingyin County", "pingyin"),
        ("370405", "台儿庄区", "Tai'erzhuang District", "taierzhuang"),
        ("370612", "牟平区", "Muping District", "muping"),
        ("370724", "临朐县", "Linqu County", "linqu"),
        ("370900", "泰安市", "Tai'an", "taian"),
        ("371122", "莒县", "Juxian County", "juxian"),
        ("371322", "郯城县", "Tancheng County", "tancheng"),
        ("371481", "乐陵市", "Laoling City", "laoling"),
        ("371503", "茌平区", "Chiping District", "chiping"),
        ("371522", "莘县", "Shenxian County", "shenxian"),
        ("371524", "东阿县", "Dong'e County", "donge"),
        ("371722", "单县", "Shanxian County", "shanxian"),
        ("371726", "鄄城县", "Juancheng County", "juancheng"),
    ],
)
def test_names_that_machines_read_wrong(code: str, name: str, name_en: str, typed: str) -> None:
    row = by_code()[code]
    assert (row["name"], row["name_en"]) == (name, name_en)
    initials, *full = row["pinyin"].split()
    assert any(word.startswith(typed) for word in full)
    assert len(initials) == len(name)


def test_periods_and_places_are_sane() -> None:
    for row in rows():
        for column in ("valid_from", "valid_to"):
            if row[column]:
                date.fromisoformat(row[column])
        assert 114.7 < float(row["lon"]) < 122.8, row
        assert 34.3 < float(row["lat"]) < 38.5, row
