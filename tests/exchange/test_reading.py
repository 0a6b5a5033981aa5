# ruff: noqa: RUF001 - wide digits and look-alike characters are exactly what is tested here
"""What people type in a cell: understood, or refused with the rule and the remedy, never guessed."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from anze.exchange.reading import (
    UNCALCULATED,
    CodeList,
    read_bool,
    read_code,
    read_codes,
    read_date,
    read_decimal,
    read_integer,
    read_moment,
    read_text,
    read_uscc,
)
from anze.exchange.refusals import Unreadable
from anze.kernel.identifiers import make_uscc


@pytest.fixture(autouse=True)
def _in_english() -> Any:
    with translation.override("en"):
        yield


def refusal(reader: Any, value: object, **how: Any) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        reader(value, **how)
    assert caught.value.message
    assert caught.value.remedy
    assert "%(" not in caught.value.message + caught.value.remedy
    return caught.value


READERS = [read_text, read_decimal, read_integer, read_date, read_moment, read_bool, read_uscc]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("empty", [None, "", "  ", "\u00a0", "\u3000 \t", "\u200b\ufeff", "\r\n"])
def test_an_empty_cell_is_none(reader: Any, empty: str | None) -> None:
    assert reader(empty) is None
    assert read_code(empty, {"A": ["甲"]}) is None
    assert read_codes(empty, {"A": ["甲"]}) is None


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("error", ["#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "########"])
def test_excel_errors_are_never_taken_for_values(reader: Any, error: str) -> None:
    found = refusal(reader, error)
    assert found.code == "excel_error"
    assert error in found.message


@pytest.mark.parametrize("reader", READERS)
def test_a_formula_without_a_result_is_not_an_empty_cell(reader: Any) -> None:
    assert refusal(reader, UNCALCULATED).code == "formula_not_calculated"


# Text


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("  济南某某铸造有限公司 ", "济南某某铸造有限公司"),
        ("ＡＢＣ１２３", "ABC123"),
        ("一，二（三）。", "一，二（三）。"),
        ("a\u00a0\u00a0b\u3000c", "a b c"),
        ("零\u200b宽\ufeff", "零宽"),
        ("first\r\nsecond  line\r", "first\nsecond line"),
        ("bell\x07", "bell"),
        ("=1+1", "=1+1"),
        (12345.0, "12345"),
        (13800000000, "13800000000"),
        (4.2, "4.2"),
        (True, "TRUE"),
    ],
)
def test_running_text(typed: object, text: str) -> None:
    assert read_text(typed) == text


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("ＰＺＡＡ　２０２４（１）", "PZAA2024(1)"),
        ("PZ—2024–01", "PZ-2024-01"),
        ("000123", "000123"),
        ("1E5", "1E5"),
        (202400000001.0, "202400000001"),
        (123456789012345, "123456789012345"),
    ],
)
def test_identifiers_lose_blanks_and_width_and_nothing_else(typed: object, text: str) -> None:
    assert read_text(typed, identifier=True) == text


@pytest.mark.parametrize("value", [1.2345e17, 370102199001010017, 1e15, "1.2345E+17", 0.5, float("nan"), float("inf")])
def test_an_identifier_that_lost_digits_is_refused(value: object) -> None:
    assert refusal(read_text, value, identifier=True).code == "number_in_text"


@pytest.mark.parametrize("value", [date(2024, 3, 5), datetime(2024, 3, 5, 8), time(8), timedelta(hours=30)])  # noqa: DTZ001
@pytest.mark.parametrize("identifier", [True, False])
def test_a_date_that_excel_made_of_a_text_is_refused(value: object, identifier: bool) -> None:
    assert refusal(read_text, value, identifier=identifier).code == "date_in_text"


# Credit codes

VALID = "91110000600037341L"


@pytest.mark.parametrize(
    "typed", [VALID, VALID.lower(), "9111 0000 6000 3734 1L", "９１１１００００６０００３７３４１Ｌ"]
)
def test_credit_codes_are_cleaned(typed: str) -> None:
    assert read_uscc(typed) == VALID


@pytest.mark.parametrize(
    ("typed", "code", "says"),
    [
        ("9111000060003734", "uscc_length", "has 16"),
        ("9111000060003734IL", "uscc_lookalike", VALID),
        ("91110000600O37341L", "uscc_lookalike", VALID),
        ("9111000060003734!L", "uscc_alphabet", "I, O, S, V, Z"),
        ("91110000600037342L", "uscc_check", "would be"),
        (911100006000373410.0, "number_in_text", "15 digits"),
    ],
)
def test_credit_codes_that_are_none(typed: object, code: str, says: str) -> None:
    found = refusal(read_uscc, typed)
    assert found.code == code
    assert says in found.message + found.remedy


@given(st.integers(0, 10**6), st.sampled_from([" ", "\u00a0", "\u200b", "\u3000", "\t"]), st.integers(0, 18))
def test_a_credit_code_survives_any_blank_anywhere(number: int, blank: str, place: int) -> None:
    code = make_uscc("370102", number)
    assert read_uscc(code[:place] + blank + code[place:].lower()) == code


# Numbers


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("1234.5", "1234.50"),
        ("1,234.50", "1234.50"),
        ("１，２３４．５０", "1234.50"),
        ("1,234,567", "1234567.00"),
        ("1 234.50", "1234.50"),
        ("1\u00a0234", "1234.00"),
        ("¥1,234.5", "1234.50"),
        ("￥ 1234", "1234.00"),
        ("RMB 88", "88.00"),
        ("人民币100", "100.00"),
        ("1234元", "1234.00"),
        ("5 元整", "5.00"),
        (".5", "0.50"),
        ("1.", "1.00"),
        ("+5", "5.00"),
        ("-12.30", "-12.30"),
        ("－12.30", "-12.30"),
        ("−12.3", "-12.30"),
        ("- 5", "-5.00"),
        ("¥-5", "-5.00"),
        ("-¥5", "-5.00"),
        ("-0", "0.00"),
        (0, "0.00"),
        (1234.5, "1234.50"),
        (0.1 + 0.2, "0.30"),
        (123456789012.34, "123456789012.34"),
        (Decimal("7.10"), "7.10"),
    ],
)
def test_amounts(typed: object, number: str) -> None:
    assert read_decimal(typed) == number


@pytest.mark.parametrize(
    ("typed", "code", "suggestion"),
    [
        ("12.5万元", "other_unit", "125000"),
        ("12.5 万", "other_unit", "125000"),
        ("1,234万元", "other_unit", "12340000"),
        ("¥0.5亿", "other_unit", "50000000"),
        ("3千元", "other_unit", "3000"),
        ("0.00001万", "other_unit", "0.1"),
        ("(1,234.50)", "parentheses", "-1,234.50"),
        ("（5）", "parentheses", "-5"),
        ("1.2345", "too_many_decimals", "1.23"),
        (1851.855, "too_many_decimals", "1851.86"),
        ("15%", "percent", "percent sign"),
        ("1,23", "separators", "1234.50"),
        ("1.234,50", "separators", "1234.50"),
        ("12,3456", "separators", "1234.50"),
        ("1 2 3", "separators", "1234.50"),
        ("1.23457E+11", "scientific", "all digits"),
        ("1E5", "scientific", "all digits"),
        ("约100", "not_a_number", "digits"),
        ("100-200", "not_a_number", "digits"),
        ("-", "not_a_number", "empty"),
        (".", "not_a_number", "digits"),
        ("--5", "not_a_number", "digits"),
        ("$5", "not_a_number", "digits"),
        ("①", "not_a_number", "digits"),
        ("5²", "not_a_number", "digits"),
        ("\u0663", "not_a_number", "digits"),
        ("三万", "not_a_number", "digits"),
        ("=1+1", "not_a_number", "digits"),
        ("9" * 16, "not_a_number", "digits"),
        ("9" * 10000, "not_a_number", "digits"),
        (1e20, "not_a_number", "digits"),
        (float("nan"), "not_a_number", "digits"),
        (float("-inf"), "not_a_number", "digits"),
        (True, "not_a_number", "digits"),
        (date(2024, 3, 5), "not_a_number", "digits"),
    ],
)
def test_amounts_that_are_refused_rather_than_guessed(typed: object, code: str, suggestion: str) -> None:
    found = refusal(read_decimal, typed)
    assert found.code == code
    assert suggestion in found.remedy


@given(st.decimals(-(10**12), 10**12, places=2, allow_nan=False))
def test_every_amount_written_in_any_way_comes_back_unchanged(amount: Decimal) -> None:
    expected = f"{amount or abs(amount):.2f}"
    for typed in (f"{amount:f}", f"{amount:,}", f"¥{amount:,}元", f"{amount:,}".translate(WIDE), amount):
        assert read_decimal(typed) == expected
    assert read_decimal(float(amount)) == expected


WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


def outcome(reader: Any, value: object) -> object:
    try:
        return reader(value)
    except Unreadable as refused:
        return refused


@given(st.one_of(st.text(max_size=30), st.floats(), st.integers(), st.booleans(), st.datetimes(), st.times()))
def test_whatever_is_typed_is_read_or_refused_and_never_crashes(value: object) -> None:
    for reader in (
        *READERS,
        partial(read_text, identifier=True),
        partial(read_decimal, places=4, ratio=True),
    ):
        found = outcome(reader, value)
        assert found is None or isinstance(found, str | int | bool | Unreadable)
        if isinstance(found, Unreadable):
            assert found.message


@pytest.mark.parametrize(
    ("typed", "ratio"),
    [
        ("15%", "0.1500"),
        ("１５％", "0.1500"),
        ("15.5 %", "0.1550"),
        (0.15, "0.1500"),
        ("0.21", "0.2100"),
        ("100%", "1.0000"),
        (1, "1.0000"),
    ],
)
def test_ratios_may_be_percentages(typed: object, ratio: str) -> None:
    assert read_decimal(typed, 4, ratio=True) == ratio


@pytest.mark.parametrize(("typed", "says"), [(15, "0.15 or 15%"), ("21", "0.21 or 21%"), ("1500%", "0.15 or 15%")])
def test_a_ratio_above_one_is_refused(typed: object, says: str) -> None:
    found = refusal(read_decimal, typed, places=4, ratio=True)
    assert found.code == "ratio_over_one"
    assert says in found.remedy


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        (3.0, 3),
        ("12", 12),
        ("１２", 12),
        ("1,000", 1000),
        ("3.0", 3),
        ("5人", 5),
        ("5 人次", 5),
        ("2次", 2),
        (-2, -2),
    ],
)
def test_whole_numbers(typed: object, number: int) -> None:
    found = read_integer(typed)
    assert found == number
    assert type(found) is int


@pytest.mark.parametrize(
    ("typed", "code"),
    [(3.5, "not_whole"), ("3.5", "not_whole"), ("3万人", "other_unit"), ("五", "not_a_number")],
)
def test_numbers_that_are_not_whole(typed: object, code: str) -> None:
    assert refusal(read_integer, typed).code == code


# Days and moments


@pytest.mark.parametrize(
    "typed",
    [
        "2024-03-05",
        "2024-3-5",
        "2024/3/5",
        "2024.3.5",
        "20240305",
        "2024年3月5日",
        "2024 年 03 月 05 日",
        "2024年3月5号",
        "２０２４－０３－０５",
        "2024 / 3 / 5",
        "2024/3/5 星期二",
        "2024-03-05（周二）",
        "2024-03-05 00:00:00",
        "2024-03-05 23:59",
        "2024年3月5日8时30分",
        "2024-03-04T16:30:00Z",
        "2024-03-05T23:00:00+08:00",
        "45356",
        45356,
        45356.0,
        45356.9,
        20240305,
        20240305.0,
        date(2024, 3, 5),
        datetime(2024, 3, 5, 8, 30),  # noqa: DTZ001
        datetime(2024, 3, 4, 16, 30, tzinfo=UTC),
    ],
)
def test_days(typed: object) -> None:
    assert read_date(typed) == "2024-03-05"


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("2024-02-30", "no_such_day"),
        ("2023年2月29日", "no_such_day"),
        ("20241301", "no_such_day"),
        (20240230, "no_such_day"),
        ("24/3/5", "ambiguous_date"),
        ("3/5/2024", "ambiguous_date"),
        ("05.03.2024", "ambiguous_date"),
        ("24年3月5日", "ambiguous_date"),
        ("2024-03", "not_a_date"),
        ("2024年3月", "not_a_date"),
        ("2024-3/5", "not_a_date"),
        ("2024年3-5", "not_a_date"),
        ("二〇二四年三月五日", "not_a_date"),
        ("202403051", "not_a_date"),
        ("长期", "not_a_date"),
        ("-", "not_a_date"),
        (123, "not_a_date"),
        (32873, "not_a_date"),
        (73416, "not_a_date"),
        (float("nan"), "not_a_date"),
        (True, "not_a_date"),
        (time(8, 30), "not_a_date"),
        ("1989-12-31", "year_out_of_range"),
        ("9999-12-31", "year_out_of_range"),
        (date(1900, 1, 1), "year_out_of_range"),
        ("2024-03-05 25:00", "not_a_time"),
        ("2024-03-05 to 2024-03-06", "not_a_time"),
    ],
)
def test_days_that_are_refused_rather_than_guessed(typed: object, code: str) -> None:
    assert refusal(read_date, typed).code == code


def test_serial_numbers_reach_from_1990_to_2100() -> None:
    assert read_date(32874) == "1990-01-01"
    assert read_date(73415) == "2100-12-31"


@given(st.dates(date(1990, 1, 1), date(2100, 12, 31)))
def test_every_day_comes_back_from_every_notation(day: date) -> None:
    serial = (day - date(1899, 12, 30)).days
    notations: list[object] = [
        day,
        serial,
        float(serial),
        str(serial),
        day.isoformat(),
        day.strftime("%Y%m%d"),
    ]
    year, month, number = day.year, day.month, day.day
    notations += [f"{year}/{month}/{number}", f"{year}年{month}月{number}日", f"{year}.{month}.{number}"]
    assert {read_date(notation) for notation in notations} == {day.isoformat()}


@pytest.mark.parametrize(
    "typed",
    [
        "2024-03-05 08:30",
        "2024-03-05 08:30:00",
        "2024/3/5 8:30",
        "2024年3月5日8时30分",
        "2024年3月5日 8点30分",
        "2024年3月5日上午8:30",
        "20240305 08:30",
        "2024-03-05 08:30 AM",
        "2024-03-05T08:30:00+08:00",
        "2024-03-05T08:30:00.123+0800",
        "2024-03-05T00:30:00Z",
        "2024-03-05　０８：３０",
        45356.354166666664,
        datetime(2024, 3, 5, 8, 30),  # noqa: DTZ001
        datetime(2024, 3, 5, 8, 29, 59, 999999),  # noqa: DTZ001
        datetime(2024, 3, 5, 0, 30, tzinfo=UTC),
    ],
)
def test_moments(typed: object) -> None:
    assert read_moment(typed) == "2024-03-05T08:30:00+08:00"


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("2024-03-05", "2024-03-05T00:00:00+08:00"),
        (date(2024, 3, 5), "2024-03-05T00:00:00+08:00"),
        (45356, "2024-03-05T00:00:00+08:00"),
        ("2024年3月5日零时", "2024-03-05T00:00:00+08:00"),
        ("2024-03-05 24:00", "2024-03-06T00:00:00+08:00"),
        ("2024年12月31日24时止", "2025-01-01T00:00:00+08:00"),
        ("2024-03-05 下午3:05", "2024-03-05T15:05:00+08:00"),
        ("2024-03-05 晚上8:30", "2024-03-05T20:30:00+08:00"),
        ("2024-03-05 中午12点", "2024-03-05T12:00:00+08:00"),
        ("2024-03-05 中午1点", "2024-03-05T13:00:00+08:00"),
        ("2024-03-05 凌晨12:30", "2024-03-05T00:30:00+08:00"),
        ("2024-03-05 12:00 PM", "2024-03-05T12:00:00+08:00"),
        ("2024-03-05 12:00 AM", "2024-03-05T00:00:00+08:00"),
        (45356.999999999, "2024-03-06T00:00:00+08:00"),
    ],
)
def test_moments_at_the_edges_of_the_day(typed: object, moment: str) -> None:
    assert read_moment(typed) == moment


def test_moments_in_another_zone() -> None:
    two_hours_east = timezone(timedelta(hours=2))
    assert read_moment("2024-03-05 08:30", two_hours_east) == "2024-03-05T08:30:00+02:00"
    assert read_moment("2024-03-05T08:30:00+08:00", two_hours_east) == "2024-03-05T02:30:00+02:00"


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("2024-03-05 8", "not_a_time"),
        ("2024-03-05 24:01", "not_a_time"),
        ("2024-03-05 08:60", "not_a_time"),
        ("2024-03-05 08:30+99:00", "not_a_time"),
        ("2024-03-05 晚上8点左右", "not_a_time"),
        ("2024-03-05 晚上12:00", "not_a_time"),
        ("2024-03-05 晚上1点", "not_a_time"),
        ("08:30", "not_a_date"),
        (0.354, "not_a_date"),
        (timedelta(hours=30), "not_a_date"),
    ],
)
def test_moments_that_are_refused(typed: object, code: str) -> None:
    assert refusal(read_moment, typed).code == code


@given(st.datetimes(datetime(1992, 1, 1), datetime(2100, 12, 31)))  # noqa: DTZ001
def test_every_moment_comes_back_from_every_notation(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    expected = moment.isoformat() + "+08:00"
    serial = (moment - datetime(1899, 12, 30)) / timedelta(days=1)  # noqa: DTZ001
    for typed in (moment, serial, str(moment), expected, f"{moment:%Y年%m月%d日 %H时%M分%S秒}"):
        assert read_moment(typed) == expected


# Yes and no, codes


@pytest.mark.parametrize("typed", ["是", "有", "Y", "yes", " Ｙ ", "TRUE", "1", 1, 1.0, True, "√", "对"])
def test_yes(typed: object) -> None:
    assert read_bool(typed) is True


@pytest.mark.parametrize("typed", ["否", "无", "没有", "N", "no", "false", "0", 0, 0.0, False, "×"])
def test_no(typed: object) -> None:
    assert read_bool(typed) is False


@pytest.mark.parametrize("typed", ["maybe", "2", 2, "-", "是否", date(2024, 3, 5)])
def test_neither_yes_nor_no(typed: object) -> None:
    assert refusal(read_bool, typed).code in {"not_yes_or_no", "date_in_text"}


RISK = {"HIGH": ["高", "High", "高风险"], "MEDIUM": ["中", "Medium"], "LOW": ["低", "Low (remote allowed)"]}
NUMBERED = {"0": ["独家承保"], "1": ["共保"]}


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("HIGH", "HIGH"), ("high", "HIGH"), (" Ｈigh ", "HIGH"), ("高", "HIGH"), ("高 风险", "HIGH"),
        ("中", "MEDIUM"), ("low（remote allowed）", "LOW"),
    ],
)  # fmt: skip
def test_codes_are_found_by_code_or_label_in_either_language(typed: str, code: str) -> None:
    assert read_code(typed, RISK) == code
    assert read_code(typed, CodeList(RISK)) == code


def test_a_numeric_code_may_be_a_number() -> None:
    assert read_code(1.0, NUMBERED) == "1"
    assert read_code("0", NUMBERED) == "0"


def test_an_unknown_code_is_answered_with_the_choices_and_the_nearest() -> None:
    found = refusal(read_code, "hihg", codes=RISK)
    assert found.code == "unknown_code_near"
    assert "“高”" in found.remedy
    assert "高, 中, 低" in found.remedy
    assert "Did you mean" not in refusal(read_code, "xyzzy", codes=RISK).remedy
    many = {f"C{n}": [f"label {n}"] for n in range(50)}
    assert refusal(read_code, "?", codes=many).remedy.endswith("label 11 …")


def test_several_codes_in_one_cell() -> None:
    assert read_codes("高、low(remote allowed)；高,\nMEDIUM", RISK) == ["HIGH", "LOW", "MEDIUM"]
    assert read_codes("高", RISK) == ["HIGH"]
    assert read_codes(["高", "LOW", "", "高"], RISK) == ["HIGH", "LOW"]
    assert read_codes("、", RISK) is None
    assert refusal(read_codes, "高、贵", codes=RISK).values["shown"] == "贵"


def test_a_label_that_stands_for_two_codes_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="stands for two codes"):
        CodeList({"A": ["高"], "B": [" 高 "]})


# Languages


def test_refusals_speak_chinese_to_chinese_readers() -> None:
    with translation.override("zh-hans"), pytest.raises(Unreadable) as caught:
        read_decimal("12.5万元")
    with translation.override("zh-hans"):
        assert caught.value.message == "12.5万元的单位是万元，而本列不是。"
        assert caught.value.remedy == "如果确是这个意思，请填写 125000。"
