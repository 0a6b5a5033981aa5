"""Inputs counted from what is on file, frozen with their content, and scored."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

from anze.assessment.actions.course import compute
from anze.assessment.actions.freezing import digest_of, digests_of, lines_of
from anze.assessment.actions.results import rescore
from anze.assessment.definitions import INPUTS, TOLD
from anze.assessment.models import FrozenRow, Outcome, Tally
from anze.hazards.models import Hazard, HazardStep, Recurrence
from anze.prevention.models import Service
from tests.assessment.conftest import AT, BY, begin


def test_every_input_is_counted_for_both_insurers_from_their_own_rows(world):
    campaign = begin()
    assert campaign.as_of == date(2026, 11, 23)
    rows = FrozenRow.objects.filter(campaign=campaign)
    assert campaign.frozen_rows == rows.count() > 0
    for code, each in INPUTS.items():
        if each.subject == "INSURER" and code not in TOLD:
            assert rows.filter(input=code).exists() or code in ("quality_marks", "complaints_on_time", "death_advances",
                "campaign_attendance", "claim_clocks", "high_risk_fully_served", "major_hazards_told",
                "major_hazard_on_time_rate"), code  # fmt: skip
    own = rows.filter(insurer_id=world.huaihai.pk)
    assert {row.label for row in own if row.input == "policy_completeness"} == {"P-OWN7"}
    kept = own.get(input="qualified_services")
    assert kept.content == Service.objects.get(service_no="S-OWN7").content_hash
    assert kept.row_id == Service.objects.get(service_no="S-OWN7").pk


def test_a_line_of_the_pack_is_the_json_array_of_its_row_whatever_a_record_is_called(world):
    campaign = begin()
    row = FrozenRow.objects.filter(campaign=campaign, insurer_id=world.huaihai.pk).first()
    for n, label in enumerate(('"], [1, "', "back\\slash", "two\nlines\tand \x01", "安责〔2026〕1号 </script>", "")):
        row.pk, row.label, row.numerator, row.input = None, label, Decimal("1234567.10"), f'case."{n}\\'
        row.row_id = None if n % 2 else uuid4()
        row.save(force_insert=True)
    [lines] = ["".join(lines for _party, lines in lines_of(campaign, world.huaihai.pk))]
    read = {found[0]: found[1:] for found in map(json.loads, lines.splitlines())}
    kept = FrozenRow.objects.filter(campaign=campaign, insurer_id=world.huaihai.pk)
    assert len(read) == kept.count()
    for row in kept:
        assert read[row.pk] == [
            row.input, row.source, str(row.row_id) if row.row_id else None, row.label, row.region_code,
            f"{row.numerator.normalize():f}", f"{row.denominator.normalize():f}", row.reason, row.content,
        ]  # fmt: skip


def test_agencies_are_counted_by_the_smaller_scheme(world):
    campaign = begin("EXAMPLE-AGENCY")
    assert set(FrozenRow.objects.filter(campaign=campaign).values_list("input", flat=True)) == {
        "agency_accuracy",
        "agency_quality",
        "agency_timeliness",
    }
    compute(campaign, by=BY, at=AT)
    outcome = Outcome.objects.get(campaign=campaign, agency_id=world.agency.pk, level="PROVINCE")
    assert outcome.why_not == "TOO_FEW"


def test_a_finding_is_confirmed_unless_it_came_back_or_another_gave_it_another_class(world):
    hazard = Hazard.objects.get(hazard_no="H-OWN7")
    day = AT.date() - timedelta(days=9)
    Hazard.objects.update(verified_on=None, reopened_on=None, closed_on=None, state="SUBMITTED")
    scope = {name: getattr(hazard, name) for name in ("region_code", "sector", "insurer_id", "enterprise_id")}
    made = {}
    for name in ("CONFIRMED", "REOPENED", "REPEATED", "BY-INSURER", "BY-ITSELF", "BY-ENTERPRISE", "OPEN"):
        hazard.pk, hazard.hazard_no, hazard.agency_id = uuid4(), name, world.agency.pk
        hazard.source = "SELF_CHECK" if name == "BY-ENTERPRISE" else "SERVICE"
        hazard.verified_on = hazard.closed_on = None if name in ("OPEN", "REOPENED") else day
        hazard.reopened_on = day if name == "REOPENED" else None
        hazard.state = "CLOSED" if hazard.closed_on else "RECTIFYING"
        hazard.save(force_insert=True)
        made[name] = Hazard.objects.get(pk=hazard.pk)
    Recurrence.objects.create(hazard=made["OPEN"], earlier=made["REPEATED"], earlier_on=day, is_other_insurer=False,
                              sameness="WORDS", likeness=1, state="LINKED", **scope)  # fmt: skip
    Recurrence.objects.create(hazard=made["OPEN"], earlier=made["CONFIRMED"], earlier_on=day, is_other_insurer=False,
                              sameness="WORDS", likeness=1, state="PROPOSED", **scope)  # fmt: skip
    for name, party in (("BY-INSURER", "INSURER"), ("BY-ITSELF", "AGENCY")):
        HazardStep.objects.create(hazard=made[name], kind="RECLASSIFIED", at=AT, from_state="FOUND", to_state="FOUND",
                                  party=party, by_name="某人", words="类别不符", **scope)  # fmt: skip
    rows = FrozenRow.objects.filter(campaign=begin("EXAMPLE-AGENCY"), input="agency_accuracy")
    assert {row.label: (row.numerator, row.denominator, row.reason) for row in rows} == {
        "CONFIRMED": (1, 1, ""),
        "REOPENED": (0, 1, "CAME_BACK"),
        "REPEATED": (0, 1, "CAME_BACK"),
        "BY-INSURER": (0, 1, "CLASS_CHANGED"),
        "BY-ITSELF": (1, 1, ""),
    }
    assert {row.agency_id for row in rows} == {world.agency.pk}


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
