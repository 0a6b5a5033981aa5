"""Parameters with dates, the working-day calendar, the audit log."""

from __future__ import annotations

from datetime import date

import pytest
from django.urls import reverse
from django.utils.html import escape
from django.utils.text import capfirst
from django.utils.translation import override

from anze.kernel.actor import platform
from anze.kernel.alert import load_alerts
from anze.kernel.duty import beijing_day, load_duties
from anze.kernel.models import CalendarDay, Event, Parameter, parameter, parameter_text
from anze.kernel.parameters import change_parameter
from anze.kernel.refusal import Refused
from anze.parties.rules import Permission, Role
from anze.prevention.models import Topic
from tests.cast import NOW
from tests.web.conftest import Browser

KEY = "min_limit_per_person"


@pytest.fixture
def administrator(browser_of) -> Browser:
    browser = browser_of(Role.ADMINISTRATOR)
    browser.cookies["language"] = "en"
    return browser


def present() -> Parameter:
    return Parameter.objects.get(key=KEY, region_code="", effective_from=date(2025, 3, 29))


def change(row: Parameter, **words):
    given = {
        "value": "500000",
        "effective_from": date(2027, 1, 1),
        "source": "示例通知",
        "status": "UNVERIFIED",
        **words,
    }
    return change_parameter(row, by=platform(frozenset({Permission.MANAGE_PARAMETERS})), at=NOW, **given)


def test_a_new_value_begins_on_its_day_and_the_past_keeps_its_own(everything):
    made = change(present())
    assert parameter(KEY, date(2026, 12, 31)) == 400_000
    assert parameter(KEY, date(2027, 1, 1)) == 500_000
    assert present().effective_to == date(2026, 12, 31)
    between = change(made, value="450000", effective_from=date(2026, 6, 1))
    assert between.effective_to == date(2026, 12, 31)
    assert parameter(KEY, date(2026, 5, 31)) == 400_000
    assert parameter(KEY, date(2026, 6, 1)) == 450_000
    assert parameter(KEY, date(2027, 1, 1)) == 500_000


@pytest.mark.parametrize(
    ("words", "code", "field"),
    [
        ({"effective_from": date(2025, 3, 29)}, "parameter_same_day", "effective_from"),
        ({"effective_from": date(2001, 1, 1)}, "parameter_before_first", "effective_from"),
        ({"value": "forty"}, "parameter_not_a_number", "value"),
        ({"value": "NaN"}, "parameter_not_a_number", "value"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused_at_its_field(everything, words, code, field):
    with pytest.raises(Refused) as refused:
        change(present(), **words)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert refused.value.remedy


def test_a_ratio_stays_a_ratio(everything):
    row = Parameter.objects.filter(unit="ratio").exclude(value="").first()
    with pytest.raises(Refused, match="parameter_not_a_ratio"):
        change(row, value="21")


def test_a_parameter_is_changed_from_its_page_with_a_trace(cast, administrator):
    row = present()
    page = administrator.get(reverse("parameter", args=[row.pk])).content.decode()
    assert reverse("parameter-change", args=[row.pk]) in page
    given = {
        "value": "500000",
        "effective_from": "2027-01-01",
        "source": "示例通知",
        "status": "CONFIRMED",
        "note": "",
    }
    answer = administrator.post(reverse("parameter-change", args=[row.pk]), given)
    assert answer.status_code == 302
    assert parameter_text(KEY, date(2027, 1, 1)) == "500000"
    event = Event.objects.get(kind="parameter.changed")
    assert event.details["value"] == "500000"
    refused = administrator.post(reverse("parameter-change", args=[row.pk]), {**given, "value": "a lot"})
    assert refused.status_code == 422
    assert "must be a number" in refused.content.decode()


def test_a_city_gets_a_value_of_its_own_from_the_page(cast, administrator):
    row = present()
    form = administrator.get(reverse("parameter-change", args=[row.pk])).content.decode()
    assert '<option value="370100">' in form
    given = {"region_code": "370100", "value": "600000", "effective_from": "2026-12-01", "source": "示例市通知",
             "status": "CONFIRMED", "note": ""}  # fmt: skip
    assert administrator.post(reverse("parameter-change", args=[row.pk]), given).status_code == 302
    assert parameter_text(KEY, date(2027, 1, 1), "370102") == "600000"
    assert parameter_text(KEY, date(2027, 1, 1), "370200") == row.value
    assert parameter_text(KEY, date(2026, 11, 30), "370102") == row.value
    nowhere = administrator.post(reverse("parameter-change", args=[row.pk]), {**given, "region_code": "440100"})
    assert nowhere.status_code == 422


def test_who_may_only_look_finds_no_way_to_change(cast, browser_of):
    city = browser_of(Role.CITY_REGULATOR)
    row = present()
    page = city.get(reverse("parameter", args=[row.pk]))
    assert page.status_code == 200
    assert reverse("parameter-change", args=[row.pk]) not in page.content.decode()
    assert city.post(reverse("parameter-change", args=[row.pk]), {"value": "1"}).status_code == 403


def test_the_calendar_shows_holidays_and_make_up_days_and_warns_of_what_is_not_published(cast, administrator):
    text = administrator.get(reverse("calendar"), {"year": "2026"}).content.decode()
    assert (
        text.count('class="day-makeup') - 1
        == CalendarDay.objects.filter(day__year=2026, is_workday=True, day__week_day__in=(1, 7)).count()
    )
    assert "not published yet" not in text
    assert "not published yet" in administrator.get(reverse("calendar"), {"year": "2027"}).content.decode()
    shown = administrator.get(reverse("calendar"), {"year": "2030"}).content.decode()
    assert "not published yet" in shown  # counted by the weekdays until the notice is there
    assert "261 working days in the year" in shown
    assert "There is no calendar" in administrator.get(reverse("calendar"), {"year": "1999"}).content.decode()
    assert administrator.get(reverse("calendar"), {"year": "²"}).status_code == 200


def test_the_audit_log_can_be_searched_and_opened(cast, administrator):
    event = Event.objects.filter(kind="batch.received").first()
    assert event is not None
    listed = administrator.get(reverse("audit"), {"kind": "batch.received"}).content.decode()
    assert reverse("event", args=[event.pk]) in listed
    assert "delivered data" in listed
    assert (
        reverse("event", args=[event.pk])
        not in administrator.get(reverse("audit"), {"kind": "export.made"}).content.decode()
    )


def test_an_event_cannot_be_changed_or_deleted_even_by_the_platform(everything):
    from django.db import ProgrammingError, transaction

    Event.objects.bulk_create([Event(at=NOW, kind="test")])
    for change_it in (lambda: Event.objects.update(kind="x"), lambda: Event.objects.all().delete()):
        with pytest.raises(ProgrammingError), transaction.atomic():
            change_it()


def test_the_page_of_duties_names_each_with_whom_it_binds_and_the_number_of_today(cast, browser_of):
    declared = load_duties()
    readers = {role: browser_of(role) for role in (Role.COMMITTEE, Role.AGENCY)}
    html = {role: reader.get(reverse("duties")).content.decode() for role, reader in readers.items()}
    with override("zh-hans"):
        for duty in declared:
            for party in duty.whose:
                section = html[Role.COMMITTEE].split(f'id="{party.lower()}"')[1].split("</section>")[0]
                assert escape(capfirst(str(duty.title))) in section
    row = Parameter.objects.get(key="order_answer_workdays", region_code="", effective_to=None)
    assert "委托发出次日起 3 个工作日内" in html[Role.AGENCY]
    assert reverse("parameter", args=[row.pk]) in html[Role.COMMITTEE]
    assert reverse("parameter", args=[row.pk]) not in html[Role.AGENCY], "whose page he may not open"
    change_parameter(
        row, by=platform(frozenset({Permission.MANAGE_PARAMETERS})), at=NOW,
        value="7", effective_from=beijing_day(NOW), source="示例通知", status="CONFIRMED", note="",
    )  # fmt: skip
    assert "委托发出次日起 7 个工作日内" in readers[Role.COMMITTEE].get(reverse("duties")).content.decode()


def test_whoever_is_bound_by_a_duty_is_told_of_its_alert():
    watched = {rule.duty.code: rule for rule in load_alerts().values() if rule.duty}
    assert watched
    for duty in load_duties():
        if duty.code in watched:
            assert set(duty.whose) <= set(watched[duty.code].parties), duty.code


def test_a_county_sees_what_is_not_only_its_own(cast, browser_of):
    """Its lists are narrowed to its region where the database does so, and nowhere else."""
    Topic.objects.create(
        code="TM-9", title="全省题目", goals="示例目标", starts_on="2026-01-01", ends_on="2026-12-31", state="ISSUED",
        issued_at=NOW, authority=cast.province, region_code="370000",
    )  # fmt: skip
    county = browser_of(Role.COUNTY_REGULATOR)
    assert "全省题目" in county.get(reverse("topics")).content.decode()
    with override("zh-hans"):
        assert present().title_zh in county.get(reverse("parameters"), {"q": KEY}).content.decode()
