"""Inputs counted from what is on file, frozen with their content, and scored."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from anze.assessment.actions.course import compute
from anze.assessment.actions.freezing import digest_of, digests_of
from anze.assessment.actions.results import rescore
from anze.assessment.definitions import INPUTS, NOT_COMPUTED, TOLD
from anze.assessment.models import FrozenRow, Outcome, Tally
from anze.prevention.models import Service
from tests.assessment.conftest import AT, BY, begin


def test_every_input_is_counted_for_both_insurers_from_their_own_rows(world):
    campaign = begin()
    assert campaign.as_of == date(2026, 11, 23)
    rows = FrozenRow.objects.filter(campaign=campaign)
    assert campaign.frozen_rows == rows.count() > 0
    for code, each in INPUTS.items():
        if each.subject == "INSURER" and code not in TOLD and code not in NOT_COMPUTED:
            assert rows.filter(input=code).exists() or code in ("quality_marks", "complaints_on_time", "death_advances",
                "campaign_attendance", "claim_clocks", "high_risk_fully_served", "major_hazards_told",
                "major_hazard_on_time_rate"), code  # fmt: skip
    own = rows.filter(insurer_id=world.huaihai.pk)
    assert {row.label for row in own if row.input == "policy_completeness"} == {"P-OWN7"}
    kept = own.get(input="qualified_services")
    assert kept.content == Service.objects.get(service_no="S-OWN7").content_hash
    assert kept.row_id == Service.objects.get(service_no="S-OWN7").pk


def test_agencies_are_counted_by_the_smaller_scheme(world):
    campaign = begin("EXAMPLE-AGENCY")
    assert set(FrozenRow.objects.filter(campaign=campaign).values_list("input", flat=True)) == {
        "agency_quality",
        "agency_timeliness",
    }
    compute(campaign, by=BY, at=AT)
    outcome = Outcome.objects.get(campaign=campaign, agency_id=world.agency.pk, level="PROVINCE")
    assert outcome.why_not == "TOO_FEW"


def test_later_corrections_of_records_do_not_move_what_was_frozen(world):
    campaign = begin()
    before = digests_of(campaign)
    assert campaign.frozen_sha256 == digest_of(before)
    compute(campaign, by=BY, at=AT)
    scores = dict(Outcome.objects.filter(campaign=campaign).values_list("pk", "score"))
    Service.objects.update(is_void=True)
    assert rescore(campaign) == []
    assert dict(Outcome.objects.filter(campaign=campaign).values_list("pk", "score")) == scores
    assert digests_of(campaign) == before


def test_a_city_is_part_of_the_province(world):
    campaign = compute(begin(), by=BY, at=AT)
    whole = Tally.objects.get(campaign=campaign, insurer_id=world.huaihai.pk, region_code="370000")
    city = Tally.objects.get(campaign=campaign, insurer_id=world.huaihai.pk, region_code="370100")
    for code, (numerator, denominator, *_rows) in city.measures.items():
        if code not in ("organisation_checklist", "rate_cases"):
            assert Decimal(numerator) <= Decimal(whole.measures[code][0]), code
            assert Decimal(denominator) <= Decimal(whole.measures[code][1]), code
    assert city.measures["policy_completeness"] == whole.measures["policy_completeness"]
    assert "data_error_rate" in whole.measures
    assert "data_error_rate" not in city.measures
