"""Credit codes, region codes and certificate numbers: known ones, and laws that hold for all of them."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from anze.kernel.identifiers import (
    ALPHABET,
    SYNTHETIC_NUMBERS,
    OrganisationKind,
    Problem,
    clean_uscc,
    is_synthetic_uscc,
    make_uscc,
    organisation_check_character,
    region_code_problem,
    uscc_check_character,
    uscc_problem,
)

PUBLISHED = "91110000600037341L"  # the example of the standard's own commentaries

regions = st.sampled_from(["370000", "370102", "370281", "371700", "3701Z1"])
numbers = st.integers(0, SYNTHETIC_NUMBERS - 1)
codes = st.builds(make_uscc, regions, numbers, st.sampled_from(OrganisationKind))


def test_a_published_code_is_valid() -> None:
    assert uscc_problem(PUBLISHED) is None
    assert not is_synthetic_uscc(PUBLISHED)
    assert organisation_check_character(PUBLISHED[8:16]) == PUBLISHED[16]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", Problem.LENGTH),
        (PUBLISHED[:-1], Problem.LENGTH),
        (PUBLISHED + "0", Problem.LENGTH),
        (PUBLISHED[:-1] + "M", Problem.CHECK),
        (PUBLISHED.lower(), Problem.ALPHABET),
        ("91110000O00037341L", Problem.ALPHABET),
        ("9111A000600037341L", Problem.ALPHABET),
        ("91110000600037341\u0663", Problem.ALPHABET),
        (PUBLISHED[:-1] + "\n", Problem.ALPHABET),
    ],
)
def test_what_is_wrong_is_named(text: str, problem: Problem) -> None:
    assert uscc_problem(text) is problem


def test_letters_are_allowed_for_the_registering_authority() -> None:
    first17 = "N23701006" + "0003734" + "1"
    assert uscc_problem(first17 + uscc_check_character(first17)) is None


@pytest.mark.parametrize(
    "typed",
    [
        " 91110000600037341l ",
        "9111 0000 6000 3734 1L",
        "\u200b91110000600037341L\ufeff",
        "\uff19\uff11\uff11\uff11\uff10\uff10\uff10\uff10\uff16\uff10\uff10\uff10\uff13\uff17\uff13\uff14\uff11\uff2c",
        "91110000\u00a0600037341L\r\n",
    ],
)
def test_typed_codes_are_cleaned(typed: str) -> None:
    assert clean_uscc(typed) == PUBLISHED


@given(codes)
def test_made_codes_are_valid_marked_and_stay_as_they_are_when_cleaned(code: str) -> None:
    assert uscc_problem(code) is None
    assert is_synthetic_uscc(code)
    assert clean_uscc(code) == code
    assert organisation_check_character(code[8:16]) == code[16]


@given(regions, numbers, numbers)
def test_different_numbers_give_different_codes(region: str, one: int, other: int) -> None:
    assume(one != other)
    assert make_uscc(region, one) != make_uscc(region, other)


@given(codes, st.integers(0, 17), st.sampled_from(ALPHABET))
def test_any_single_wrong_character_is_noticed(code: str, place: int, character: str) -> None:
    assume(code[place] != character)
    assert uscc_problem(code[:place] + character + code[place + 1 :]) is not None


@given(codes, st.integers(0, 16))
def test_any_swap_of_neighbours_is_noticed(code: str, place: int) -> None:
    assume(code[place] != code[place + 1])
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert uscc_problem(swapped) is not None


def test_impossible_numbers_regions_and_kinds_are_refused() -> None:
    for number in (-1, SYNTHETIC_NUMBERS):
        with pytest.raises(ValueError, match="number must be"):
            make_uscc("370102", number)
    with pytest.raises(ValueError, match="not a region code"):
        make_uscc("3701", 1)
    with pytest.raises(ValueError, match="is not a valid OrganisationKind"):
        make_uscc("370102", 1, "ZZ")


@pytest.mark.parametrize("code", ["370000", "370102", "3701Z1", "3716ZZ"])
def test_region_codes(code: str) -> None:
    assert region_code_problem(code) is None


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("37010", Problem.LENGTH),
        ("3701020", Problem.LENGTH),
        ("37010Z", Problem.ALPHABET),
        ("3701A1", Problem.ALPHABET),
        ("3701z1", Problem.ALPHABET),
        ("070102", Problem.ALPHABET),
        ("37010\u0662", Problem.ALPHABET),
    ],
)
def test_bad_region_codes(code: str, problem: Problem) -> None:
    assert region_code_problem(code) is problem
