"""Insurers look for agencies and experts by sector, region and qualification."""

from __future__ import annotations

from datetime import date, timedelta

from django.urls import reverse

from anze.parties.models import Qualification
from anze.parties.rules import Role
from anze.prevention.actions.dispatch import partners_for
from anze.prevention.models import Order, Service
from anze.prevention.rules.orders import points
from tests.cast import NOW
from tests.expenses.conftest import ledger
from tests.web.conftest import browser_of, put_down

__all__ = ["browser_of", "ledger", "put_down"]


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


def test_load_and_quality_are_told_and_weigh(cast, ledger):
    """Orders of the next thirty days, and the means of what enterprises said; fewer than five say nothing."""

    def ours():
        asked = {"sector": "SMELT", "region_code": "", "qualification": "", "on": NOW.date()}
        return next(each for each in partners_for("agency", **asked) if each.key == cast.agency.pk)

    for n in range(5):
        hours = {"started_at": f"2026-10-1{n}T09:00:00+08:00", "ended_at": f"2026-10-1{n}T11:00:00+08:00"}
        told = {"confirmation": "ONLINE", "confirmed_on": "2026-10-20", "confirmed_by": "示例厂长",
                "followed_up_on": "2026-10-21", "satisfaction": 4 + n % 2}  # fmt: skip
        assert ours().rating is None
        ledger.service(cast.huaihai, "PA", f"S{n}", **hours, **told)
    assert (ours().done, ours().rating) == (5, 4.4)
    before = points(ours())
    service = Service.objects.get(service_no="S0")
    words = {
        "policy": service.policy, "enterprise": service.enterprise, "insurer": cast.huaihai, "agency": cast.agency,
        "service_type": "HAZARD", "form": "COMMISSIONED_TSP", "price": 0, "state": "SENT", "sent_at": NOW,
        "region_code": service.region_code, "sector": service.sector,
    }  # fmt: skip
    for n, days in enumerate((0, 30, 31)):
        day = NOW.date() + timedelta(days=days)
        Order.objects.create(order_no=f"D{n}", planned_on=day, due_on=day, **words)
    assert ours().load == 2
    Service.objects.filter(pk=service.pk).update(is_returned=True)
    assert ours().returned == 1
    assert points(ours()) < before
