"""The contract of every feed, generated from its declaration; and a row for every check it makes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, models
from django.utils import translation

from anze.exchange.feed import Feed, Field, Kind
from anze.exchange.feeds import FEEDS
from anze.exchange.receipts import receipt_of
from anze.exchange.rules import FINDINGS
from anze.kernel.identifiers import make_uscc
from tests.cast import Cast
from tests.exchange.broken_rows import BROKEN
from tests.exchange.examples import (
    example,
    findings_of,
    found,
    found_each,
    inner_fields,
    send_examples,
    sender_of,
    with_line,
    with_own_keys,
)

every_feed = pytest.mark.parametrize("feed", FEEDS.values(), ids=str)


# the declaration ------------------------------------------------------------------------------------------


@every_feed
def test_every_field_fits_its_column(feed: Feed) -> None:
    tables = [(feed.model, feed.fields)] + [(lines.model, feed.get(lines.field).of) for lines in feed.lines]
    for model, fields in tables:
        for each in fields:
            if not each.stored_as or each.kind is Kind.ROWS:
                continue
            column = model._meta.get_field(each.stored_as)
            assert isinstance(column, models.Field)
            where = f"{model.__name__}.{each.stored_as}"
            if each.is_nullable and each.name not in ("entered_at", "is_void"):
                assert column.null, f"{where} must take nothing at all"
            if each.kind in (Kind.TEXT, Kind.CODE) and column.max_length:
                longest = max(map(len, each.codes.values)) if each.codes else each.max_length
                assert longest <= column.max_length, where
            if each.kind is Kind.DECIMAL:
                assert isinstance(column, models.DecimalField)
                assert each.places == column.decimal_places, where
                assert each.digits <= column.max_digits, where
            if each.kind is Kind.INTEGER:
                assert (each.maximum or 2_000_000_000) <= _largest(column), where


def _largest(column: models.Field[Any, Any]) -> int:
    return 32_767 if isinstance(column, models.PositiveSmallIntegerField) else 2_147_483_647


@every_feed
def test_every_code_has_words_of_its_own_in_both_languages(feed: Feed) -> None:
    codes = {check.code: check for check in feed.all_checks}
    assert not codes.keys() & FINDINGS.keys()
    for check in feed.all_checks:
        same = codes[check.code]
        assert (str(check.message), str(check.remedy)) == (str(same.message), str(same.remedy))
        inside = {inner.name for _outer, inner in inner_fields(feed)}
        assert check.field in {each.name for each in feed.fields} | inside
    for reference in feed.references:
        for code in filter(None, (reference.missing, reference.foreign)):
            assert code in FINDINGS


# what a record on file with steps taken on the platform refuses: no single row breaks it; see tests/hazards
AFTER_A_STEP = {
    ("hazards", "state", "behind_platform"),
    ("hazards", "state", "set_on_platform"),
    ("hazards", "state", "under_supervision"),
    ("hazards", "state", "step_without_day"),
    ("hazards", "insured_uscc", "moved_with_story"),
    # see tests/claims/test_steps.py
    ("claims", "state", "behind_platform"),
    ("claims", "policy_no", "moved_with_story"),
    # see tests/exchange/test_moving.py
    ("policies", "insured_uscc", "moved_with_story"),
    ("plans", "policy_no", "moved_with_story"),
    ("services", "policy_no", "moved_with_story"),
    ("expenses", "policy_no", "moved_with_story"),
    # what the sender's own standing refuses; see tests/parties/test_standing.py
    ("policies", "issued_on", "insurer_not_in_good_standing"),
}


def test_every_check_has_a_broken_row() -> None:
    tried = {(feed, field.rsplit(".", 1)[-1], code) for feed, _number, _words, (field, code) in BROKEN}
    declared = {(feed.name, check.field, check.code) for feed in FEEDS.values() for check in feed.all_checks}
    assert declared - tried == AFTER_A_STEP
    assert {(feed, code) for feed, _field, code in tried - declared} == {("endorsements", "bad_after_value")}


# rows that are good ---------------------------------------------------------------------------------------


@every_feed
def test_the_examples_are_accepted_and_nothing_happens_twice(cast: Cast, feed: Feed) -> None:
    send_examples(cast, before=feed.name)
    sender = sender_of(cast, feed)
    first = cast.accepted(sender, feed.name, *feed.example_rows())
    before = _history()
    again = cast.accepted(sender, feed.name, *reversed(feed.example_rows()))
    assert (first.outcomes, again.outcomes) == ("AA", "SS")
    assert _history() == before
    row = feed.model.objects.get(pk=_newest(feed))
    assert (row.version, row.is_void) == (1, False)


def _history() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM kernel_change")
        return int(cursor.fetchone()[0])


def _newest(feed: Feed) -> Any:
    return feed.model.objects.order_by("-id").values_list("pk", flat=True).first()


def _ids(feed: Feed) -> set[Any]:
    return set(feed.model.objects.values_list("pk", flat=True))


@every_feed
def test_void_and_back(cast: Cast, feed: Feed) -> None:
    """Voiding is a correction like any other; the record stays on file and can be taken up again."""
    send_examples(cast, before=feed.name)
    sender = sender_of(cast, feed)
    others = _ids(feed)
    cast.accepted(sender, feed.name, example(feed))
    [key] = _ids(feed) - others
    voided = cast.accepted(sender, feed.name, example(feed, is_void=True, void_reason="录入错误"))
    row = feed.model.objects.get(pk=key)
    assert (voided.outcomes, row.is_void, row.void_reason, row.version) == ("U", True, "录入错误", 2)
    assert row.batch_id == voided.pk
    back = cast.accepted(sender, feed.name, example(feed))
    row.refresh_from_db()
    assert (back.outcomes, row.is_void, row.void_reason, row.version) == ("U", False, "", 3)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (before->>'version')::int, (before->>'is_void')::boolean FROM kernel_change "
            "WHERE row_id = %s AND operation = 'UPDATE' AND before->>'version' IS NOT NULL ORDER BY id",
            [key],
        )
        assert list(dict.fromkeys(cursor.fetchall())) == [(1, False), (2, True)]


@every_feed
def test_each_optional_field_may_be_left_out_or_be_null(cast: Cast, feed: Feed) -> None:
    """What is left out or null is never a wrong type; a check may still want it."""
    send_examples(cast, before=feed.name)
    checks = {check.code for check in feed.all_checks} | {"bad_after_value"}
    rows = [
        row
        for number in (0, 1)
        for each in feed.fields
        if not each.required
        for left_out in [example(feed, number, **{each.name: None})]
        for row in (left_out, {**left_out, each.name: None})
    ]
    if feed.name == "obligations":
        results = [found(cast, feed, row) for row in rows]
    else:
        rows = with_own_keys(feed, rows)
        results = found_each(cast, feed, rows)
    for row, without, with_null in zip(rows[::2], results[::2], results[1::2], strict=True):
        assert without == with_null, row
        assert {code for _field, code in without} <= checks, row


@every_feed
def test_texts_may_be_as_long_as_declared_and_no_longer(cast: Cast, feed: Feed) -> None:
    send_examples(cast, before=feed.name)
    referring = {reference.field for reference in feed.references}
    for each in feed.fields:
        if each.kind is not Kind.TEXT or each.name in (*referring, "reversal_of", "after_value", "plan_no"):
            continue
        longest = "数" * each.max_length
        assert found(cast, feed, example(feed, **{each.name: longest})) == []
        assert found(cast, feed, example(feed, **{each.name: longest + "数"})) == [(each.name, "too_long")]


# rows that are not ----------------------------------------------------------------------------------------


@every_feed
def test_every_required_field_is_missed(cast: Cast, feed: Feed) -> None:
    cases: list[tuple[dict[str, Any], str, str]] = []
    for each in feed.fields:
        if not each.required:
            continue
        cases.append((example(feed, **{each.name: None}), each.name, "missing_field"))
        for nothing in (None, ""):
            code = "wrong_type" if each.kind is Kind.BOOL else "missing_field"
            cases.append(({**example(feed), each.name: nothing}, each.name, code))
        if each.kind is Kind.ROWS:
            cases.append((example(feed, **{each.name: []}), each.name, "too_few_lines"))
            many = example(feed)[each.name] * 200
            cases.append((example(feed, **{each.name: many}), each.name, "too_many_lines"))
    for outer, inner in inner_fields(feed):
        if inner.required:
            where = f"{outer.name}.1.{inner.name}"
            cases.append((with_line(feed, outer, **{inner.name: None}), where, "missing_field"))
    assert found_each(cast, feed, [row for row, _where, _code in cases]) == [
        [(where, code)] for _row, where, code in cases
    ]


WRONG: dict[Kind, list[tuple[Any, str]]] = {
    Kind.TEXT: [
        (5, "wrong_type"),
        (5.5, "wrong_type"),
        (True, "wrong_type"),
        ([], "wrong_type"),
        ({}, "wrong_type"),
    ],
    Kind.USCC: [
        (5, "wrong_type"),
        ("9137", "bad_value"),
        ("91370102xn09p37k57", "bad_value"),
        ([], "wrong_type"),
    ],
    Kind.CODE: [(5, "wrong_type"), ("NO_SUCH_CODE", "not_in_code_list"), ("other", "not_in_code_list")],
    Kind.CODES: [("HAZARD", "wrong_type"), ([5], "wrong_type"), (["NO_SUCH_CODE"], "not_in_code_list")],
    Kind.INTEGER: [
        ("5", "wrong_type"),
        (1.5, "wrong_type"),
        (True, "wrong_type"),
        (-1, "too_large"),
        (10**10, "too_large"),
        (10**30, "too_large"),
    ],
    Kind.DECIMAL: [
        (True, "wrong_type"),
        ("五万", "bad_value"),
        ("1,000.00", "bad_value"),
        ([], "wrong_type"),
    ],
    Kind.DATE: [
        (20260305, "wrong_type"),
        ("2026-02-30", "bad_value"),
        ("2026/3/5", "bad_value"),
        ("2026年3月5日", "bad_value"),
        ("0000-01-01", "bad_value"),
        (46086, "wrong_type"),
    ],
    Kind.MOMENT: [
        (1772676000, "wrong_type"),
        ("2026-03-05", "bad_value"),
        ("2026-03-05T10:00:00", "bad_value"),
        ("2026-02-30T10:00:00+08:00", "bad_value"),
        ("0000-01-01T00:00:00Z", "bad_value"),
    ],
    Kind.BOOL: [("true", "wrong_type"), ("是", "wrong_type"), (1, "wrong_type"), (0, "wrong_type")],
    Kind.ROWS: [("x", "wrong_type"), (5, "wrong_type"), ({}, "wrong_type"), ([5], "not_an_object")],
    Kind.LIST: [("x", "wrong_type"), (5, "wrong_type"), ({}, "wrong_type"), ([5], "not_an_object")],
}


@every_feed
def test_every_wrong_type_is_told(cast: Cast, feed: Feed) -> None:
    cases: list[tuple[dict[str, Any], str, str]] = []
    for each in feed.fields:
        for value, code in WRONG[each.kind]:
            where = f"{each.name}.1" if code == "not_an_object" else each.name
            cases.append(({**example(feed), each.name: value}, where, code))
    for outer, inner in inner_fields(feed):
        for value, code in WRONG[inner.kind]:
            where = f"{outer.name}.1.{inner.name}"
            cases.append((with_line(feed, outer, **{inner.name: value}), where, code))
    for (row, where, code), findings in zip(
        cases, found_each(cast, feed, [row for row, _where, _code in cases]), strict=True
    ):
        assert findings == [(where, code)], row


@every_feed
def test_unknown_fields_are_refused_not_ignored(cast: Cast, feed: Feed) -> None:
    assert found(cast, feed, example(feed, remark="x")) == [("remark", "unknown_field")]
    assert found(cast, feed, example(feed, id="x")) == [("id", "unknown_field")]
    assert found(cast, feed, [example(feed)]) == [("", "not_an_object")]
    for outer in {outer.name: outer for outer, _inner in inner_fields(feed)}.values():
        where = f"{outer.name}.1.remark"
        assert found(cast, feed, with_line(feed, outer, remark="x")) == [(where, "unknown_field")]


@every_feed
def test_everything_wrong_with_a_row_is_told_at_once(cast: Cast, feed: Feed) -> None:
    required = [each.name for each in feed.fields if each.required]
    assert found(cast, feed, {"remark": 1}) == [
        ("remark", "unknown_field"),
        *((name, "missing_field") for name in required),
    ]


@every_feed
def test_numbers_out_of_range_or_too_precise(cast: Cast, feed: Feed) -> None:
    send_examples(cast, before=feed.name)
    fields = [(each, None) for each in feed.fields] + [(inner, outer) for outer, inner in inner_fields(feed)]
    cases: list[tuple[dict[str, Any], str, str]] = []
    for each, outer in fields:
        if each.kind is not Kind.DECIMAL:
            continue
        where = f"{outer.name}.1.{each.name}" if outer else each.name
        for value, code in _bad_numbers(each):
            words = {each.name: value}
            row = with_line(feed, outer, **words) if outer else example(feed, **words)
            cases.append((row, where, code))
    rows = with_own_keys(feed, [row for row, _where, _code in cases])
    for (_row, where, code), row, findings in zip(cases, rows, found_each(cast, feed, rows), strict=True):
        assert (where, code) in findings, str(row)[:2000]


def _bad_numbers(each: Field) -> list[tuple[str, str]]:
    beyond = 10 ** (each.digits - each.places)
    high = Decimal(each.maximum) if each.maximum is not None else Decimal(beyond) - Decimal("0.01")
    low = Decimal(each.minimum) if each.minimum is not None else -high
    step = Decimal(10) ** -each.places
    huge = [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e30",
        "-1e30",
        "1e999",
        "1e999999999",
        "9" * 20_000,
    ]
    return [
        (str(high + 1), "too_large"),
        (str(low - step), "too_large"),
        (str(max(low, Decimal(0)) + step / 10), "too_precise"),
        *((text, "too_large") for text in huge),
        (f"{max(low, Decimal(0))}.{'0' * 20_000}1", "too_precise"),
        *([("1e-999999999", "too_precise")] if low <= 0 else []),
    ]


@every_feed
def test_days_beyond_all_sense(cast: Cast, feed: Feed) -> None:
    send_examples(cast, before=feed.name)
    cases: list[tuple[dict[str, Any], str, str]] = []
    for each in feed.fields:
        if each.kind not in (Kind.DATE, Kind.MOMENT):
            continue
        for day in ("0001-01-01", "1899-12-30", "2200-01-02", "9999-12-31"):
            for hour in ("00:00:00+14:00", "23:59:59-12:00") if each.kind is Kind.MOMENT else ("",):
                value = f"{day}T{hour}" if hour else day
                code = "date_out_of_calendar" if each.name == feed.event else "date_out_of_range"
                cases.append((example(feed, **{each.name: value}), each.name, code))
    for row, where, code in cases:
        if feed.name == "obligations":
            assert (where, code) in found(cast, feed, row)
    if feed.name != "obligations":
        rows = with_own_keys(feed, [row for row, _where, _code in cases])
        for (_row, where, code), row, findings in zip(cases, rows, found_each(cast, feed, rows), strict=True):
            assert (where, code) in findings, row
    tomorrow = "2026-11-24" if feed.get(feed.event).kind is Kind.DATE else "2026-11-24T00:00:00+08:00"
    assert found(cast, feed, example(feed, **{feed.event: tomorrow})) == [(feed.event, "event_in_future")]


@every_feed
def test_what_a_row_refers_to_must_exist_and_be_the_senders(cast: Cast, feed: Feed) -> None:
    send_examples(cast, before=feed.name)
    for reference in feed.references:
        kind = feed.get(reference.field).kind
        nowhere: Any = 99 if kind is Kind.INTEGER else "NOWHERE"[: feed.get(reference.field).max_length]
        if kind is Kind.USCC:
            nowhere = make_uscc("370102", 7)
        row = example(feed, **{reference.field: nowhere})
        assert (reference.field, reference.missing) in found(cast, feed, row), reference.field
        if reference.foreign:
            batch = cast.send(cast.bohai, feed.name, example(feed))
            assert (reference.field, reference.foreign) in findings_of(batch)
    for lines in feed.lines:
        for reference in lines.references:
            row = with_line(feed, feed.get(lines.field), **{reference.field: "NOWHERE"})
            where = f"{lines.field}.1.{reference.field}"
            assert found(cast, feed, row) == [(where, reference.missing)]


@every_feed
def test_the_same_record_twice_in_one_batch(cast: Cast, feed: Feed) -> None:
    send_examples(cast, before=feed.name)
    batch = cast.send(sender_of(cast, feed), feed.name, example(feed), example(feed, is_void=True))
    assert batch.outcomes == "AR"
    assert findings_of(batch) == [(feed.key_fields[0], "duplicate_in_batch")]


@pytest.mark.parametrize("feed", [each for each in FEEDS.values() if each.of_insurer], ids=str)
def test_numbers_have_no_blanks(cast: Cast, feed: Feed) -> None:
    send_examples(cast, before=feed.name)
    [name] = feed.key_fields
    for text in ("A 1", " A1", "A1 ", "A\t1", "A1\n", "A\u00a01", "\u3000", "A\x071", "A\u200b1", "\ufeffA1"):
        assert (name, "blank_in_number") in found(cast, feed, example(feed, **{name: text})), repr(text)


@every_feed
def test_broken_rows_are_found_out(cast: Cast, feed: Feed) -> None:
    """Each check alone finds its row, says why and what to do, and leaves no trace of the row."""
    send_examples(cast, through=feed.name)
    before = list(feed.model.objects.order_by("pk").values())
    for _name, number, words, expected in [row for row in BROKEN if row[0] == feed.name]:
        batch = cast.send(sender_of(cast, feed), feed.name, example(feed, number, **words))
        assert findings_of(batch) == [expected], words
        for language in ("en", "zh-hans"):
            with translation.override(language):
                [told] = receipt_of(batch)["findings"]
                assert told["message"], expected
                assert told["remedy"], expected
                assert language == "en" or _is_chinese(told["message"]), expected
                assert language == "en" or _is_chinese(told["remedy"]), expected
                assert "%(" not in told["message"] + told["remedy"]
    assert list(feed.model.objects.order_by("pk").values()) == before


@every_feed
def test_the_dictionary_is_told_in_chinese(feed: Feed) -> None:
    with translation.override("zh-hans"):
        assert _is_chinese(str(feed.title))
        assert _is_chinese(str(feed.about))
        for each in (*feed.fields, *(inner for _outer, inner in inner_fields(feed))):
            assert _is_chinese(str(each.title)), each.name
            if each.note:
                assert _is_chinese(str(each.note)), each.name
            for code in each.codes or ():
                assert _is_chinese(str(code.label)) or "AQ 9010" in str(code.label), code


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= sign <= "\u9fff" for sign in text)


# lines under a row ----------------------------------------------------------------------------------------

LINED = [(feed.name, lines.field) for feed in FEEDS.values() for lines in feed.lines]


@pytest.mark.parametrize(("name", "field"), LINED)
def test_lines_are_corrected_with_their_record(cast: Cast, name: str, field: str) -> None:
    """More lines, fewer, changed: those last sent are on file, the old ones in the history."""
    feed = FEEDS[name]
    [lines] = [each for each in feed.lines if each.field == field]
    send_examples(cast, before=name)
    sender = sender_of(cast, feed)
    first = feed.example_rows()[0][field][0]
    changed_field = next(
        inner
        for inner in feed.get(field).of
        if inner.kind in (Kind.TEXT, Kind.INTEGER, Kind.DECIMAL) and inner.stored_as
    )
    changed = {**first, changed_field.name: 7 if changed_field.kind is Kind.INTEGER else "7"}

    def on_file() -> list[tuple[int, str]]:
        rows = lines.model.objects.filter(insurer=sender).order_by("seq")
        return [(row.seq, str(getattr(row, changed_field.stored_as))) for row in rows]

    def shown(line: dict[str, Any]) -> str:
        value = line[changed_field.name]
        return f"{Decimal(value):.{changed_field.places}f}" if changed_field.kind is Kind.DECIMAL else str(value)

    for sent in ([first], [first, changed, first], [first, changed], [changed, changed], [changed]):
        cast.accepted(sender, name, example(feed, **{field: sent}))
        assert on_file() == [(seq, shown(line)) for seq, line in enumerate(sent, 1)]
    kept = set(lines.model.objects.values_list("pk", flat=True))
    assert cast.accepted(sender, name, example(feed, **{field: [changed]})).outcomes == "S"
    assert set(lines.model.objects.values_list("pk", flat=True)) == kept
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT operation, count(*) FROM kernel_change WHERE table_name = %s GROUP BY 1 ORDER BY 1",
            [lines.model._meta.db_table],
        )
        # line 3, then line 2 went; line 1 was changed once
        assert cursor.fetchall() == [("DELETE", 2), ("UPDATE", 1)]
