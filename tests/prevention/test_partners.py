"""Insurers look for agencies and experts by sector, region and qualification."""

from __future__ import annotations

from datetime import date

from django.urls import reverse

from anze.parties.models import Qualification
from anze.parties.rules import Role
from anze.prevention.actions.dispatch import partners_for
from tests.cast import NOW
from tests.web.conftest import browser_of, put_down

__all__ = ["browser_of", "put_down"]


def names(kind: str, **words) -> list[str]:
    asked = {"sector": "SMELT", "region_code": "", "qualification": "", "on": NOW.date(), **words}
    return sorted(each.name for each in partners_for(kind, **asked))


def test_by_region_sector_and_paper(cast):
    assert names("agency") == sorted([str(cast.agency), str(cast.other_agency)])
    assert names("agency", region_code="370900") == [str(cast.agency)]
    assert names("expert") == [cast.expert.name]
    assert names("expert", sector="MINE") == [cast.other_expert.name]
    assert names("expert", qualification="SAFETY_ENGINEER") == []
    Qualification.objects.create(
        kind="SAFETY_ENGINEER",
        expert=cast.expert,
        number="ZC1",
        valid_from=date(2026, 1, 1),
        valid_to=date(2026, 11, 22),
    )
    assert names("expert", qualification="SAFETY_ENGINEER") == []  # over since yesterday
    Qualification.objects.update(valid_to=date(2026, 11, 23))
    assert names("expert", qualification="SAFETY_ENGINEER") == [cast.expert.name]


def test_the_page_is_for_those_who_commission(cast, browser_of):
    page = reverse("service-partners")
    asked = {"kind": "agency", "sector": "SMELT"}
    assert str(cast.agency) in browser_of(Role.INSURER_CLERK).get(page, asked).content.decode()
    assert browser_of(Role.AGENCY).get(page).status_code == 403
