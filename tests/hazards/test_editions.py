"""A finding keeps the edition it was judged by; a new edition tells which open hazards it touches."""

from __future__ import annotations

from datetime import date
from importlib import import_module

import pytest
from django.db import connection
from django.urls import reverse

from anze.hazards.models import Hazard
from anze.library.models import Criterion, HazardEntry, Standard, edition_on
from anze.parties.rules import Role
from tests.hazards.test_steps import take
from tests.web.conftest import browser_of, put_down  # noqa: F401 - fixtures

CHANGES = date(2026, 11, 18)


def new_edition() -> Standard:
    """From 18 November on another edition is in force, with one criterion in other words."""
    old = Standard.objects.get(code="INDUSTRY-2023")
    Standard.objects.filter(pk=old.pk).update(effective_to=date(2026, 11, 17))
    made = Standard.objects.create(
        code="INDUSTRY-2026", family="INDUSTRY", edition="2026", kind=old.kind, number="示例令第1号", issued="2026-10",
        title_zh=old.title_zh, title_en=old.title_en, status=old.status, replaces=old, effective_from=CHANGES,
    )  # fmt: skip
    kept = ("code", "seq", "clause", "sector", "text_zh", "text_en", "status")
    for each in Criterion.objects.filter(standard=old).values(*kept):
        if each["code"] == "NH3-2":
            each |= {"text_zh": "快速冻结装置作业间超过六人", "text_en": "More than six people at the freezer"}
        Criterion.objects.create(standard=made, **each)
    return made


@pytest.mark.parametrize(
    ("day", "edition"),
    [
        (date(2016, 12, 31), ""),
        (date(2020, 1, 1), "INDUSTRY-2017"),
        (date(2023, 5, 14), "INDUSTRY-2017"),
        (date(2023, 5, 15), "INDUSTRY-2023"),
    ],
)
def test_on_each_day_one_edition_holds(found, day, edition):
    assert edition_on("NH3-2", day) == edition


def test_a_hazard_of_a_feed_keeps_the_edition_of_its_day(found):
    first = found(criterion_code="NH3-2")
    assert first.criterion_edition == "INDUSTRY-2023"
    new_edition()
    found(criterion_code="NH3-2", state="NOTIFIED", notified_on="2026-11-19")
    first.refresh_from_db()
    assert (first.state, first.criterion_edition) == ("NOTIFIED", "INDUSTRY-2023")
    later = found(hazard_no="H2", criterion_code="NH3-2", found_on="2026-11-19")
    assert later.criterion_edition == "INDUSTRY-2026"
    # another criterion, or another day, is judged anew
    assert found(criterion_code="AL-3").criterion_edition == "INDUSTRY-2023"
    assert found(criterion_code="AL-3", found_on="2026-11-20").criterion_edition == "INDUSTRY-2026"
    assert found(criterion_code="").criterion_edition == ""
    assert found(criterion_code="NO-SUCH").criterion_edition == ""


def test_a_step_on_the_platform_judges_by_the_edition_of_its_day(found, people):
    hazard = found()
    new_edition()
    take("reclassify", hazard, people["expert"], criterion_code="AL-3")
    hazard.refresh_from_db()
    assert hazard.criterion_edition == "INDUSTRY-2026"


def test_a_new_edition_tells_which_open_hazards_it_touches(found, browser_of):  # noqa: F811 - fixture
    found(hazard_no="YH-1", criterion_code="NH3-2")
    found(hazard_no="YH-2", criterion_code="AL-3")
    new_edition()
    found(hazard_no="YH-3", criterion_code="NH3-2", found_on="2026-11-19")
    province = browser_of(Role.PROVINCE_REGULATOR)
    page = province.get(reverse("hazard-editions")).content.decode()
    assert "criterion=NH3-2&amp;edition=INDUSTRY-2023" in page
    assert "criterion=AL-3&amp;edition=INDUSTRY-2023" not in page
    touched = province.get(reverse("hazards"), {"criterion": "NH3-2", "edition": "INDUSTRY-2023", "due": "open"})
    shown = touched.content.decode()
    assert "YH-1" in shown
    assert "YH-3" not in shown


def test_the_page_of_a_hazard_names_number_edition_and_clause(found, browser_of):  # noqa: F811 - fixture
    hazard = found(criterion_code="NH3-2")
    new_edition()
    kept = Criterion.objects.get(standard__code="INDUSTRY-2023", code="NH3-2")
    page = browser_of(Role.PROVINCE_REGULATOR).get(reverse("hazard", args=[hazard.pk])).content.decode()
    assert "应急管理部令第10号" in page
    assert kept.clause in page
    assert Hazard.objects.get(pk=hazard.pk).criterion_edition == "INDUSTRY-2023"


@pytest.mark.parametrize(
    ("entry", "day", "edition"),
    [
        ("MI-01", "2026-06-30", "COAL-2020"),
        ("MI-01", "2026-07-01", "COAL-2026"),
        ("SM-05", "2026-11-16", "INDUSTRY-2023"),  # by its criterion
        ("SM-08", "2026-11-16", ""),  # rests on no standard on file
        ("NO-SUCH", "2026-11-16", ""),
    ],
)
def test_a_hazard_of_the_library_has_the_edition_its_version_of_the_day_rests_on(found, entry, day, edition):
    kept = found(entry_code=entry, source="SELF_CHECK", service_no="", found_on=day)
    assert kept.criterion_edition == edition


def test_a_library_hazard_keeps_its_edition_until_it_is_corrected(found):
    words = {"entry_code": "MI-01", "source": "SELF_CHECK", "service_no": "", "found_on": "2026-06-30"}
    found(**words)
    HazardEntry.objects.filter(code="MI-01", version=1).update(effective_to=date(2026, 6, 1))
    assert found(**words, state="NOTIFIED", notified_on="2026-07-02").criterion_edition == "COAL-2020"
    assert found(**words | {"found_on": "2026-07-01"}).criterion_edition == "COAL-2026"
    assert found(**words | {"entry_code": "MI-06"}).criterion_edition == "METALMINE-2022"


def test_findings_of_before_get_the_edition_of_their_day(found):
    own = {"source": "SELF_CHECK", "service_no": ""}
    found(hazard_no="H1", criterion_code="NH3-2")
    found(hazard_no="H2", entry_code="MI-01", found_on="2026-06-30", **own)
    found(hazard_no="H3", criterion_code="AL-3", entry_code="MI-01")
    found(hazard_no="H4", entry_code="SM-08")
    found(hazard_no="H5", criterion_code="NO-SUCH")
    found(hazard_no="H6")
    kept = Hazard.objects.values_list("hazard_no", "criterion_edition")
    judged = dict(kept)
    Hazard.objects.exclude(hazard_no="H1").update(criterion_edition="")
    Hazard.objects.filter(hazard_no="H1").update(criterion_edition="AS-IT-WAS")
    step = import_module("anze.hazards.migrations.0010_editions_of_earlier_findings")
    with connection.cursor() as cursor:
        cursor.execute(step.FILL)
        assert cursor.rowcount == 2
    assert dict(kept.all()) == judged | {"H1": "AS-IT-WAS"}
    assert (judged["H2"], judged["H3"]) == ("COAL-2020", "INDUSTRY-2023")


@pytest.mark.parametrize(
    ("words", "is_said"),
    [
        ({"criterion_code": "NO-SUCH"}, True),
        ({"entry_code": "SM-08"}, True),
        ({"hazard_class": "MAJOR"}, True),
        ({}, False),  # a general hazard rests on no standard by itself
        ({"criterion_code": "NH3-2"}, False),
    ],
)
def test_an_edition_nobody_recorded_is_called_so(found, browser_of, words, is_said):  # noqa: F811 - fixture
    page = browser_of(Role.PROVINCE_REGULATOR).get(reverse("hazard", args=[found(**words).pk])).content.decode()
    assert ("未记录版本" in page) is is_said


def test_a_new_edition_counts_the_open_hazards_of_the_library_under_the_earlier(found, browser_of):  # noqa: F811 - fixture
    found(entry_code="MI-01", source="SELF_CHECK", service_no="", found_on="2026-06-30")
    page = browser_of(Role.PROVINCE_REGULATOR).get(reverse("hazard-editions")).content.decode()
    assert "edition=COAL-2020" in page
    assert "edition=INDUSTRY-2017&amp;due=open" not in page
