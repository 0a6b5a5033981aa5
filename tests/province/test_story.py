"""Whoever signs in as one of the demonstration's people after the other meets one story."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from anze.exchange.synthetic.drawing import draw
from anze.exchange.synthetic.people import story_of
from tests.province.conftest import AS_OF, Demo

LAST = AS_OF - timedelta(days=1)


@pytest.mark.parametrize(("scale", "seed"), [(0.005, 1), *((0.01, seed) for seed in (1, 2, 3, 7, 2024)), (0.05, 2024)])
def test_those_people_sign_in_as_belong_together(scale: float, seed: int) -> None:
    story = story_of(draw(seed, scale, AS_OF))
    enterprise, policy = story.enterprise, story.policy
    assert (enterprise.county.code, enterprise.county.city) == ("370704", "370700")
    assert {each.insurer.code for each in enterprise.policies} == {"INS01"}
    assert policy.start <= AS_OF - timedelta(days=100), "long enough to be served"
    assert policy.cover_end >= AS_OF + timedelta(days=100), "and long enough to be looked at"
    assert policy.plan_number
    assert story.agency is policy.agency
    assert story.agency.is_active
    assert story.agency.licence_to > AS_OF + timedelta(days=100)
    assert story.expert.agency is story.agency
    assert story.expert.certificate_to > AS_OF + timedelta(days=100)
    visits = [visit for each in enterprise.policies for visit in each.visits]
    assert any(story.expert in visit.team for visit in visits)
    assert any(visit.is_campaign for visit in visits)
    assert any(LAST - timedelta(days=15) <= visit.day for visit in visits), "somebody was there of late"
    inspections = policy.items[0]
    assert inspections.type == "HAZARD"
    assert inspections.end > AS_OF + timedelta(days=100)
    assert sum(visit.item is inspections for visit in visits) < inspections.times, "something is left to be ordered"
    assert policy.losses


@pytest.fixture(scope="module")
def parties(demo: Demo) -> dict[str, dict[str, Any]]:
    """What each login stands for."""
    found = demo.select(
        "SELECT a.username, m.organisation_id, o.region_id, o.parent_id, m.expert_id, m.enterprise_id "
        "FROM parties_account a JOIN parties_membership m ON m.account_id = a.id "
        "LEFT JOIN parties_organisation o ON o.id = m.organisation_id"
    )
    names = ("organisation", "region", "parent", "expert", "enterprise")
    return {name: dict(zip(names, rest, strict=True)) for name, *rest in found}


def test_each_of_them_has_his_part_at_the_enterprise(demo: Demo, parties: dict[str, dict[str, Any]]) -> None:
    """The policy is the insurer's and its branch's, the plan names the agency, the expert is the agency's, goes there
    today, and finds an open hazard; insurer and agency have agreed on prices."""
    enterprise = parties["enterprise"]["enterprise"]
    ((region, insurer, plan),) = demo.select(
        "SELECT p.region_code, p.insurer_id, l.id FROM underwriting_policy p JOIN prevention_plan l ON l.policy_id = p.id "
        "WHERE p.enterprise_id = %s AND p.start_on <= %s AND p.cover_end_on > %s AND NOT p.is_void",
        enterprise, AS_OF, AS_OF,
    )  # fmt: skip
    assert region == parties["county"]["region"]
    assert region[:4] + "00" == parties["city"]["region"] == parties["branch"]["region"]
    assert parties["branch"] == parties["branch-clerk"]
    assert insurer == parties["insurer"]["organisation"] == parties["branch"]["parent"]
    agency, expert = parties["agency"]["organisation"], parties["expert"]["expert"]
    assert demo.select("SELECT DISTINCT agency_id FROM prevention_planitem WHERE plan_id = %s", plan) == [(agency,)]
    assert demo.select("SELECT agency_id FROM parties_expert WHERE id = %s", expert) == [(agency,)]
    assert demo.select("SELECT count(*) FROM parties_standing WHERE organisation_id = %s OR expert_id = %s", agency, expert) == [
        (0,)
    ]  # fmt: skip
    agreed = (
        "SELECT state, sectors FROM prevention_agreement WHERE insurer_id = %s AND agency_id = %s AND until_on > %s"
    )
    assert demo.select(agreed, insurer, agency, AS_OF + timedelta(days=100)) == [("ACCEPTED", [])]
    coming = (
        "SELECT o.planned_on FROM prevention_order o JOIN prevention_orderexpert x ON x.order_id = o.id "
        "WHERE o.enterprise_id = %s AND o.agency_id = %s AND x.expert_id = %s AND o.state = 'ACCEPTED'"
    )
    assert (AS_OF,) in demo.select(coming, enterprise, agency, expert)
    open_ = "SELECT count(*) FROM hazards_hazard WHERE enterprise_id = %s AND agency_id = %s AND state = 'RECTIFYING'"
    assert demo.select(open_, enterprise, agency)[0][0] >= 3
    assert demo.select("SELECT count(*) FROM claims_claim WHERE enterprise_id = %s", enterprise)[0][0] >= 1
    campaign = "SELECT count(*) FROM hazards_campaignenterprise WHERE enterprise_id = %s AND insurer_id = %s"
    assert demo.select(campaign, enterprise, insurer) == [(1,)]
