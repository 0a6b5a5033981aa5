"""How a deadline reads: nobody may take the end of a day for the morning of the next."""

from __future__ import annotations

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from anze.kernel.duty import BEIJING, deadline_text, end_of_day
from anze.prevention.models import Agreement
from anze.screen.columns import Column, Kind, file_value, plan, text_of


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_the_end_of_a_day_is_named_by_that_day(day: date):
    assert deadline_text(end_of_day(day)) == deadline_text(end_of_day(day).astimezone(UTC)) == f"{day} 24:00"


@given(st.datetimes(timezones=st.just(BEIJING)).filter(lambda each: each.hour or each.minute))
def test_any_other_moment_reads_as_it_is(moment: datetime):
    assert deadline_text(moment) == f"{moment:%Y-%m-%d %H:%M}"


def test_deadlines_are_shown_so_in_lists_and_in_files_and_other_moments_are_not():
    due, asked = plan(Agreement, Column("answer_due_at")), plan(Agreement, Column("proposed_at"))
    assert (due.kind, asked.kind) == (Kind.DEADLINE, Kind.MOMENT)
    midnight = end_of_day(date(2026, 11, 30))
    assert text_of(due)(midnight) == file_value(due)(midnight) == "2026-11-30 24:00"
    assert text_of(asked)(midnight) == "2026-12-01 00:00"
    assert text_of(due)(None) == "–"
    assert file_value(due)(None) == ""
