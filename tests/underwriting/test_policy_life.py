"""The life of a policy is read off its dates, endorsements and neighbours, whatever was sent about it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from anze.kernel.duty import beijing_day
from anze.kernel.models import Parameter
from anze.kernel.parameters import begin_value
from anze.parties.rules import Role
from anze.underwriting.models import Endorsement, Policy, with_life
from anze.underwriting.rules import PolicyState, gap_days, policy_state
from tests.cast import XINGHUO, policy_row
from tests.web.conftest import browser_of, put_down

__all__ = ["browser_of", "put_down"]

DAYS = st.dates(date(2024, 1, 1), date(2028, 12, 31))


def state_of(number: str, today: str) -> str:
    found = with_life(Policy.objects.filter(policy_no=number)).get()
    return policy_state(
        found.start_on, found.cover_end_on, found.cancelled_on, date.fromisoformat(today),
        soon=30, endorsed_on=found.endorsed_on, renewed_on=found.renewed_on,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("today", "state"),
    [
        ("2026-02-28", "NOT_YET"),
        ("2026-03-01", "IN_FORCE"),
        ("2026-05-31", "IN_FORCE"),
        ("2026-06-01", "ENDORSED"),  # from the day the endorsement takes effect
        ("2027-01-28", "ENDORSED"),
        ("2027-01-29", "EXPIRING"),  # 30 days before the last day
        ("2027-02-28", "EXPIRING"),  # the last day of cover
        ("2027-03-01", "EXPIRED"),
    ],
)
def test_the_stations_of_a_policy(cast, today, state):
    cast.accepted(cast.huaihai, "policies", policy_row("P1", XINGHUO))
    cast.accepted(
        cast.huaihai, "endorsements",
        {"endorsement_no": "E1", "policy_no": "P1", "kind": "HEADCOUNT", "issued_on": "2026-05-20",
         "effective_on": "2026-06-01", "before_value": "100", "after_value": "120", "premium_delta": "10.00"},
    )  # fmt: skip
    assert state_of("P1", today) == state


def test_a_cancelled_policy_stays_cancelled(cast):
    cast.accepted(cast.huaihai, "policies", policy_row("P1", XINGHUO))
    cast.accepted(
        cast.huaihai, "endorsements",
        {"endorsement_no": "E1", "policy_no": "P1", "kind": "CANCEL", "issued_on": "2026-05-20",
         "effective_on": "2026-06-01", "premium_delta": "-10.00"},
    )  # fmt: skip
    assert state_of("P1", "2026-05-31") == "IN_FORCE"
    assert state_of("P1", "2026-06-01") == state_of("P1", "2027-06-01") == "CANCELLED"


@pytest.mark.parametrize(
    ("start_on", "state", "gap"),
    [
        ("2027-03-01", "RENEWED", 0),  # the day after
        ("2027-02-15", "RENEWED", 0),  # overlapping
        ("2027-03-11", "RENEWED", 10),
        ("2028-02-28", "RENEWED", 364),
        ("2028-02-29", "EXPIRED", None),  # more than a year later it is new business
        ("2026-09-01", "EXPIRED", None),  # another one beside it, not after it
    ],
)
def test_the_next_policy_renews_it_whatever_the_flag_says(cast, start_on, state, gap):
    cast.accepted(cast.huaihai, "policies", policy_row("P1", XINGHUO))
    until = date.fromisoformat(start_on).replace(month=8, day=1)
    end = until.replace(year=until.year + (until <= date.fromisoformat(start_on)))
    cast.accepted(
        cast.bohai, "policies", policy_row("P2", XINGHUO, start_on=start_on, end_on=end.isoformat(), is_renewal=False)
    )
    assert state_of("P1", "2027-03-01") == state
    found = with_life(Policy.objects.filter(policy_no="P1")).get()
    if gap is None:
        assert found.renewed_on is None
    else:
        assert found.successor_no == "P2"
        assert gap_days(found.cover_end_on, found.renewed_on) == gap
        assert with_life(Policy.objects.filter(policy_no="P2")).get().predecessor_no == "P1"


def test_another_project_renews_nothing(cast):
    project = {"project_name": "示例综合楼", "permit_no": "1"}
    cast.accepted(cast.huaihai, "policies", policy_row("P1", XINGHUO, **project))
    after = {"start_on": "2027-03-01", "end_on": "2028-02-28"}
    cast.accepted(cast.huaihai, "policies", policy_row("P2", XINGHUO, **after))
    assert state_of("P1", "2027-03-02") == "EXPIRED"
    cast.accepted(cast.huaihai, "policies", policy_row("P3", XINGHUO, **project, **after))
    assert state_of("P1", "2027-03-02") == "RENEWED"


def test_list_and_page_show_the_state_and_filter_by_it(cast, browser_of):
    cast.accepted(
        cast.huaihai, "policies",
        policy_row("P-OLD", XINGHUO, start_on="2025-03-01", end_on="2026-02-27"), policy_row("P-NEW", XINGHUO),
    )  # fmt: skip
    browser = browser_of(Role.INSURER_CLERK)
    for state, there in (("renewed", "P-OLD"), ("in_force", "P-NEW")):
        text = browser.get(reverse("policies"), {"state": state}).content.decode()
        assert there in text
        assert ({"P-OLD", "P-NEW"} - {there}).pop() not in text
    for state in ("expired", "expiring", "endorsed", "cancelled", "renewing", "not_yet"):
        text = browser.get(reverse("policies"), {"state": state}).content.decode()
        assert "P-OLD" not in text, state
        assert "P-NEW" not in text, state
    old, new = Policy.objects.get(policy_no="P-OLD"), Policy.objects.get(policy_no="P-NEW")
    text = browser.get(reverse("policy", args=[old.pk])).content.decode()
    assert reverse("policy", args=[new.pk]) in text


def test_a_competitors_renewal_is_not_told(cast, browser_of):
    """Who lost an enterprise sees that his policy ended, and nothing of the other's."""
    cast.accepted(cast.huaihai, "policies", policy_row("P-OLD", XINGHUO, start_on="2025-03-01", end_on="2026-02-27"))
    cast.accepted(cast.bohai, "policies", policy_row("P-NEW", XINGHUO))
    browser = browser_of(Role.INSURER_CLERK)
    old = Policy.objects.get(policy_no="P-OLD")
    assert "P-NEW" not in browser.get(reverse("policy", args=[old.pk])).content.decode()
    assert "P-OLD" in browser.get(reverse("policies"), {"state": "expired"}).content.decode()
    city = browser_of(Role.CITY_REGULATOR)
    assert "P-NEW" in city.get(reverse("policy", args=[old.pk])).content.decode()


@given(DAYS, DAYS, st.none() | DAYS, DAYS, st.none() | DAYS, st.none() | DAYS)
def test_every_day_has_one_state_and_cover_agrees_with_it(start, end, cancelled, today, endorsed, renewed):
    if cancelled is not None:
        end = min(end, date.fromordinal(cancelled.toordinal() - 1))
    state = policy_state(start, end, cancelled, today, soon=30, endorsed_on=endorsed, renewed_on=renewed)
    covered = start <= today <= end
    in_force = {PolicyState.IN_FORCE, PolicyState.ENDORSED, PolicyState.EXPIRING, PolicyState.RENEWING}
    if covered:
        assert state in in_force
    elif state in in_force:
        pytest.fail("in force without cover")


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize(
    ("kind", "before", "after", "zh", "en"),
    [
        ("HEADCOUNT", "1320", "960", ("1,320 人", "960 人"), ("1,320 workers", "960 workers")),
        ("LIMIT", "600000", "700000.5", ("每人 600,000.00 元", "每人 700,000.50 元"),
         ("600,000.00 yuan a person", "700,000.50 yuan a person")),
        ("PERIOD", "2027-02-28", "2027-03-31", ("2027-02-28", "2027-03-31"), ("2027-02-28", "2027-03-31")),
        ("PREMIUM", "约 1200", "", ("约 1200",), ("约 1200",)),  # nobody checks these: they stand as they were sent
        ("OTHER", "600000", "甲&乙", ("600000", "甲&amp;乙"), ("600000", "甲&amp;乙")),
    ],
)  # fmt: skip
def test_what_an_endorsement_changes_reads_as_the_field_does(cast, browser_of, language, kind, before, after, zh, en):
    cast.accepted(cast.huaihai, "policies", policy_row("P1", XINGHUO))
    cast.accepted(
        cast.huaihai, "endorsements",
        {"endorsement_no": "E1", "policy_no": "P1", "kind": kind, "issued_on": "2026-05-20",
         "effective_on": "2026-06-01", "before_value": before, "after_value": after, "premium_delta": "10.00"},
    )  # fmt: skip
    browser = browser_of(Role.INSURER_MANAGER)
    browser.cookies["language"] = language
    change = Endorsement.objects.get()
    pages = [
        browser.get(reverse("endorsements")),
        browser.get(reverse("endorsement", args=[change.pk])),
        browser.get(reverse("enterprise", args=[change.enterprise_id])),
    ]
    for page in pages:
        text = page.content.decode()
        for said in zh if language == "zh-hans" else en:
            assert said in text, (page.request["PATH_INFO"], said)


def test_a_policy_is_said_to_expire_when_it_is_announced(cast, browser_of):
    """One number for the alert, and for state and filter of the list."""
    today = beijing_day(timezone.now())
    start, end = today - timedelta(days=324), today + timedelta(days=40)
    cast.accepted(cast.huaihai, "policies", policy_row("P1", XINGHUO, start_on=f"{start}", end_on=f"{end}"))
    browser = browser_of(Role.INSURER_CLERK)
    listed = lambda: "P1" in browser.get(f"{reverse('policies')}?state=expiring").content.decode()  # noqa: E731
    assert not listed()
    days = Parameter.objects.get(key="alert.policy_expiring_days")
    begin_value(days, value="45", effective_from=date(2026, 1, 1), source="", status="DESIGN")
    assert listed()
    assert "即将到期" in browser.get(reverse("policy", args=[Policy.objects.get().pk])).content.decode()
