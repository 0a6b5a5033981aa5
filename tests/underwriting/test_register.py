"""The obligation register: duplicates by credit code, disputes with their decision, units that rest, what stood before."""

from __future__ import annotations

from datetime import date

import pytest
from django.urls import reverse

from anze.kernel.refusal import Refused
from anze.parties.rules import Role
from anze.underwriting.actions import (
    confirm_entries,
    dispute_entry,
    duplicates_of,
    grant_dispute,
    merge_entries,
    refuse_dispute,
    resume_entry,
    suspend_entry,
)
from anze.underwriting.models import Obligation, ObligationSource
from tests.cast import NOW, XINGHUO, YUANFAN
from tests.monitoring.deliveries import obligation
from tests.underwriting.test_findings import CITY, found, holder
from tests.web.conftest import browser_of, put_down

__all__ = ["browser_of", "put_down"]


@pytest.fixture
def twice(cast) -> tuple[Obligation, Obligation]:
    """One unit on the lists of two departments, and another unit."""
    cast.accepted(
        cast.province, "obligations", obligation(), obligation(sector="TRANSPORT", source="运输名录"),
        obligation(YUANFAN, "FISHERY"),
    )  # fmt: skip
    return tuple(Obligation.objects.get(enterprise=cast.xinghuo, sector=each) for each in ("SMELT", "TRANSPORT"))


def test_duplicates_of_one_credit_code_become_one_entry_with_all_sources(cast, twice):
    stands, other = twice
    assert list(duplicates_of(stands)) == [other]
    assert found() == [("UNINSURED", XINGHUO), ("UNINSURED", YUANFAN)]  # of a unit that is listed twice, once
    merge_entries(other, by=CITY, at=NOW, into=stands)
    other.refresh_from_db()
    assert (other.merged_into, other.merged_on, other.delisted_on) == (stands, NOW.date(), NOW.date())
    assert XINGHUO in other.delisting_reason
    sources = ObligationSource.objects.filter(obligation=stands).values_list("source", flat=True)
    assert sorted(sources) == sorted(["名录", "运输名录"])
    assert ObligationSource.objects.get(from_entry=other).obligation == stands
    assert not duplicates_of(stands).exists()
    assert found() == [("UNINSURED", XINGHUO), ("UNINSURED", YUANFAN)]


def test_what_is_off_the_register_is_merged_neither_way(cast, twice):
    stands, other = twice
    merge_entries(other, by=CITY, at=NOW, into=stands)
    for entry, into, code in (
        (other, stands, "entry_off_register"),  # its sources are there already
        (stands, other, "merged_already"),
        (stands, stands, "merged_already"),
    ):
        with pytest.raises(Refused, match=rf"^{code}:"):
            merge_entries(entry, by=CITY, at=NOW, into=into)
    assert ObligationSource.objects.filter(obligation=stands).count() == 2


def test_the_next_delivery_does_not_undo_a_merger(cast, twice):
    stands, other = twice
    merge_entries(other, by=CITY, at=NOW, into=stands)
    cast.accepted(cast.province, "obligations", obligation(sector="TRANSPORT", source="运输名录", registered_workers=7))
    other.refresh_from_db()
    assert (other.merged_into, other.delisted_on) == (stands, NOW.date())


@pytest.mark.parametrize(
    ("ground", "words", "field", "expected"),
    [
        (
            "SUSPENDED",
            {"from_on": date(2026, 10, 1), "to_on": date(2026, 12, 31)},
            "suspended_from_on",
            date(2026, 10, 1),
        ),
        ("WORKERS", {"workers": 40}, "registered_workers", 40),
        ("CLOSED", {"from_on": date(2026, 9, 1)}, "delisted_on", date(2026, 9, 1)),
        ("NOT_OBLIGED", {}, "delisted_on", NOW.date()),
    ],
)
def test_a_dispute_granted_makes_the_entry_right_and_one_refused_leaves_it(cast, twice, ground, words, field, expected):
    entry, _other = twice
    before = getattr(entry, field)
    for decide in (refuse_dispute, grant_dispute):
        dispute = dispute_entry(entry, by=holder(cast), at=NOW, ground=ground, words="见附件", **words)
        entry.refresh_from_db()
        assert (entry.state, entry.dispute_note, dispute.side) == ("DISPUTED", "见附件", "ENTERPRISE")
        assert confirm_entries(Obligation.objects.filter(pk=entry.pk), by=CITY, at=NOW) == 0
        with pytest.raises(Refused, match=r"^disputed_already:"):
            dispute_entry(entry, by=holder(cast), at=NOW, ground=ground, words="再次", **words)
        decide(dispute, by=CITY, at=NOW, decision="经核查")
        entry.refresh_from_db()
        assert (entry.state, entry.dispute_note) == ("CONFIRMED", "")
        assert getattr(entry, field) == (before if decide is refuse_dispute else expected)
        dispute.refresh_from_db()
        assert (dispute.decision, dispute.decided_at) == ("经核查", NOW)


def test_a_closing_needs_its_day(cast, twice):
    with pytest.raises(Refused, match=r"^day_missing:") as told:
        dispute_entry(twice[0], by=holder(cast), at=NOW, ground="CLOSED", words="已注销")
    assert told.value.field == "from_on"


def test_the_duty_rests_while_a_unit_does_not_operate(cast, twice):
    entry, other = twice
    merge_entries(other, by=CITY, at=NOW, into=entry)
    suspend_entry(entry, by=CITY, at=NOW, from_on=date(2026, 11, 1), to_on=None, words="停产")
    assert found() == [("UNINSURED", YUANFAN)]
    resume_entry(entry, by=CITY, at=NOW, on=date(2026, 11, 20))
    assert entry.suspended_to_on == date(2026, 11, 19)
    assert found() == [("UNINSURED", XINGHUO), ("UNINSURED", YUANFAN)]
    with pytest.raises(Refused, match=r"^not_suspended:"):
        resume_entry(entry, by=CITY, at=NOW, on=date(2026, 11, 22))


def test_the_page_shows_sources_and_what_stood_before(cast, twice, browser_of):
    entry, other = twice
    merge_entries(other, by=CITY, at=NOW, into=entry)
    dispute = dispute_entry(entry, by=holder(cast), at=NOW, ground="WORKERS", words="人数有误", workers=40)
    grant_dispute(dispute, by=CITY, at=NOW, decision="以社保名册为准")
    browser = browser_of(Role.PROVINCE_REGULATOR)
    page = reverse("obligation", args=[entry.pk])
    assert "运输名录" in browser.get(page, {"tab": "obligation-sources"}).content.decode()
    assert "以社保名册为准" in browser.get(reverse("register-dispute", args=[dispute.pk])).content.decode()
    history = browser.get(page, {"tab": "history"}).content.decode()
    assert ">100<" in history
    assert ">40<" in history
