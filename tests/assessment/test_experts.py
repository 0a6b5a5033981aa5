"""Experts: counted from what they did, scored by the smallest scheme, and read by nobody who has no business with it."""

from __future__ import annotations

import json
import zipfile
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse

from anze.assessment.actions.appeals import Decision, Objection, appeal, decide
from anze.assessment.actions.cases import Case, confirm_case
from anze.assessment.actions.course import Draw, announce, compute, finalise, last_of, open_review, publish
from anze.assessment.actions.forecasts import forecast
from anze.assessment.actions.looking_back import as_of_today, known_on, steps_of
from anze.assessment.actions.packing import export_pack, sign_result
from anze.assessment.actions.reviews import Verdict, review_row
from anze.assessment.definitions import INPUTS, TOLD
from anze.assessment.models import Campaign, Correction, Forecast, FrozenRow, Outcome, ReviewItem, Tally
from anze.hazards.models import Hazard
from anze.kernel.actor import Actor
from anze.kernel.refusal import Refused
from anze.kernel.scope import widened
from anze.parties.access import scope_of
from anze.parties.models import Account, Membership
from anze.parties.rules import ROLES, Role
from anze.prevention.models import Likeness, Order, OrderExpert, QualityCheck, Rating, Service, ServicePerson
from tests.assessment.conftest import AT, BY, begin
from tests.assessment.test_course import LATER, changed, person, saved, verify


def services(world: Any, count: int, hazards: int = 2) -> list[Service]:
    """Further services of the expert at the same enterprise, each like the one the world has."""
    first = Service.objects.get(service_no="S-OWN7")
    who = ServicePerson.objects.get(service=first, expert=world.expert)
    made = []
    for number in range(count):
        first.pk, first.service_no, first.hazards_found = uuid4(), f"S-MORE{number}", hazards
        first.save(force_insert=True)
        who.pk, who.service_id = uuid4(), first.pk
        who.save(force_insert=True)
        made.append(Service.objects.get(pk=first.pk))
    return made


def row(campaign: Campaign, world: Any, code: str, label: str = "S-OWN7") -> FrozenRow:
    return FrozenRow.objects.get(campaign=campaign, expert_id=world.expert.pk, input=code, label=label)


def of(campaign: Campaign, expert: Any, region: str = "370000") -> Outcome:
    return Outcome.objects.get(campaign=campaign, expert=expert, region_code=region)


def test_each_input_is_counted_from_the_experts_own_work(world):
    service = Service.objects.get(service_no="S-OWN7")
    Service.objects.filter(pk=service.pk).update(hazards_found=1)
    ServicePerson.objects.filter(service=service).update(certificate_no="AQ-1", certificate_valid_to=AT.date())
    more = services(world, 11, hazards=3)
    Likeness.objects.filter(second=service).update(state="CONFIRMED")
    Hazard.objects.filter(hazard_no="H-OWN7").update(
        state="RECTIFYING", verified_on=None, closed_on=None, reopened_on=AT.date() - timedelta(days=3)
    )
    day = AT.date() - timedelta(days=9)
    scope = {
        name: getattr(service, name) for name in ("enterprise_id", "insurer_id", "agency_id", "region_code", "sector")
    }
    Rating.objects.filter(service=service).delete()
    for each in more[:5]:
        Rating.objects.create(service=each, stars=4, rated_on=day, quarter="2026Q4", **scope)
    order = Order.objects.filter(insurer=world.huaihai).first()
    assert order is not None
    Order.objects.filter(pk=order.pk).update(state="ACCEPTED", answered_at=AT, sent_at=AT, planned_on=day, due_on=day,
                                             done_at=None)  # fmt: skip
    OrderExpert.objects.filter(order=order).delete()
    OrderExpert.objects.create(order=order, expert=world.expert, planned_on=day, **scope)
    check = QualityCheck.objects.get(service=service)
    QualityCheck.objects.filter(pk=check.pk).update(state="PASSED", mark=88, rounds=2)
    campaign = begin("EXAMPLE-EXPERT")

    inputs = set(FrozenRow.objects.filter(campaign=campaign, expert_id=world.expert.pk).values_list("input", flat=True))
    wanted = {code for code, each in INPUTS.items() if each.subject == "EXPERT"} - set(TOLD)
    assert inputs == wanted

    def counts(code: str, label: str = "S-OWN7") -> tuple[Decimal, Decimal, str]:
        found = row(campaign, world, code, label)
        return found.numerator, found.denominator, found.reason

    mean = Decimal("2.8333")  # twelve of them: one hazard here, three at each of the others
    assert counts("expert_quality") == (88, 100, "")
    assert counts("expert_accepted") == (0, 1, "RETURNED")
    assert counts("expert_findings") == (1, mean, "FEWER_FOUND")
    assert counts("expert_findings", "S-MORE0") == (3, mean, "")
    assert counts("expert_rechecks", "H-OWN7") == (0, 1, "CAME_BACK")
    assert counts("expert_orders", order.order_no) == (0, 1, "NOT_DONE")
    assert counts("expert_satisfaction", "2026Q4") == (20, 5, "")
    assert counts("expert_qualified") == (1, 1, "")
    assert counts("expert_held") == (0, 1, "REPORT_REPEATED")
    assert counts("expert_held", "S-MORE0") == (1, 1, "")
    kept = FrozenRow.objects.filter(campaign=campaign, expert_id=world.expert.pk)
    assert set(kept.values_list("agency_id", flat=True)) == {world.agency.pk}
    assert set(kept.values_list("insurer_id", flat=True)) == {None}


def test_a_few_visits_say_too_little_to_rank_anybody_or_to_compare(world):
    campaign = compute(begin("EXAMPLE-EXPERT"), by=BY, at=AT)
    found = row(campaign, world, "expert_findings")
    assert (found.numerator, found.denominator, found.reason) == (0, 0, "NOTHING_TO_COMPARE")
    outcome = of(campaign, world.expert)
    assert (outcome.why_not, outcome.rank, outcome.agency_id) == ("TOO_FEW", None, world.agency.pk)
    assert outcome.points["H1"][1] == "TOO_FEW"
    services(world, 10)
    Campaign.objects.filter(pk=campaign.pk).delete()
    again = compute(begin("EXAMPLE-EXPERT"), by=BY, at=AT)
    assert of(again, world.expert).why_not != "TOO_FEW"
    assert of(again, world.other_expert).why_not == "TOO_FEW"


@pytest.fixture
def provisional(world):
    """Up to the provisional result of the experts, with a case confirmed about one of them."""
    services(world, 12)
    regulator = person(Role.PROVINCE_REGULATOR, world.province)
    day = AT.date() - timedelta(days=2)
    confirm_case(Case(world.expert, "I2", day, "鲁示例〔2026〕9号", "投诉查实", "370100"), by=regulator, at=AT)
    confirm_case(Case(world.agency, "I1", day, "鲁示例〔2026〕8号", "失信", "370100"), by=regulator, at=AT)
    campaign = compute(begin("EXAMPLE-EXPERT"), by=BY, at=AT)
    open_review(campaign, by=BY, at=AT, draw=Draw("05 12 19", "公开号码", 2))
    reviewer = person(Role.CITY_REGULATOR, world.jinan)
    for item in ReviewItem.objects.filter(campaign=campaign):
        review_row(item, by=reviewer, at=AT, verdict=Verdict.AS_IT_IS)
    return announce(campaign, by=BY, at=AT)


def expert_actor(world: Any, expert: Any) -> Any:
    account = Account.objects.create_user(f"x{expert.number.lower()}", "x", name=expert.name)
    membership = Membership.objects.create(account=account, role=Role.EXPERT, expert=expert)
    return Actor(expert.name, scope_of(membership), frozenset(ROLES[Role.EXPERT].permissions), account_id=account.pk)


def test_a_case_counts_for_the_expert_and_not_for_his_agency(world, provisional):
    cases = FrozenRow.objects.filter(campaign=provisional, input__startswith="case.")
    assert [(each.input, each.expert_id) for each in cases] == [("case.I2", world.expert.pk)]
    assert of(provisional, world.expert).points["I2"] == ["2.500000", "SCORED"]
    agencies = begin("EXAMPLE-AGENCY")
    rows = FrozenRow.objects.filter(campaign=agencies, input__startswith="case.")
    assert [(each.input, each.agency_id) for each in rows] == [("case.I1", world.agency.pk)]


def test_who_belongs_to_the_experts_agency_reviews_nothing_of_his(world, provisional):
    item = ReviewItem.objects.filter(campaign=provisional, expert_id=world.expert.pk).first()
    assert item is not None
    assert item.enterprise_id is None  # the enterprise visited reads nothing of it, nor of its history
    reviewer = person(Role.CITY_REGULATOR, world.jinan)
    Membership.objects.create(account_id=reviewer.account_id, role=Role.AGENCY, organisation=world.agency)
    with pytest.raises(Refused, match="not_independent"):
        review_row(item, by=reviewer, at=AT, verdict=Verdict.AS_IT_IS)


def test_an_expert_appeals_himself_and_only_what_he_names_moves(world, provisional):
    own, other = of(provisional, world.expert), of(provisional, world.other_expert)
    himself = expert_actor(world, world.expert)
    with pytest.raises(Refused, match="not_own"):
        appeal(other, by=himself, at=AT, objection=Objection("T2", "理由"))
    with pytest.raises(Refused, match="not_own"):
        appeal(own, by=person(Role.AGENCY, world.agency), at=AT, objection=Objection("T2", "理由"))
    late = row(provisional, world, "expert_timeliness")
    made = appeal(own, by=himself, at=AT, objection=Objection("T2", "当日已报送", (late.label,)))
    verdict = Verdict.SHORT if late.numerator else Verdict.COUNTS
    second = person(Role.COMMITTEE, world.committee)
    points = {each.pk: each.points for each in Outcome.objects.filter(campaign=provisional)}
    decide(made, by=second, at=AT, decision=Decision("GRANTED", "属实", {late.pk: verdict}))
    for each in Outcome.objects.filter(campaign=provisional):
        moved = {code for code, value in each.points.items() if value != points[each.pk][code]}
        assert moved <= ({"T2"} if each.expert_id == world.expert.pk else set())
    assert Correction.objects.get(campaign=provisional).expert_id == world.expert.pk
    assert steps_of(of(provisional, world.expert))[-1].result.score == of(provisional, world.expert).score
    assert as_of_today(of(provisional, world.expert)).result is not None
    assert known_on(own, AT - timedelta(days=1)) is not None


@pytest.fixture
def signed(world, provisional):
    finalise(provisional, by=BY, at=LATER)
    return sign_result(provisional, by=BY, at=LATER)


def test_a_signed_result_of_experts_is_never_published(world, signed, client):
    with pytest.raises(Refused, match="experts_not_published"):
        publish(signed, by=BY, at=LATER)
    Campaign.objects.filter(pk=signed.pk).update(state="PUBLISHED")
    for name in ("assessment-published", "assessment-data", "assessment-pdf", "assessment-manifest"):
        assert client.get(reverse(name, args=[signed.code])).status_code == 404, name


def test_the_verifier_recomputes_experts_from_a_pack_that_names_no_other(world, signed, tmp_path):
    whole = saved(signed, tmp_path / "whole.zip", "EXP001", "EXP002")
    code, words = verify(whole)
    assert code == 0, words
    own = saved(signed, tmp_path / "own.zip", "EXP001")
    code, words = verify(own)
    assert code == 0, words
    with zipfile.ZipFile(own) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist()).decode()
        assert {each["code"] for each in json.loads(archive.read("results/EXP001.json"))} == {"EXP001"}
    assert "EXP002" not in everything
    assert world.other_expert.name not in everything
    code, words = verify(
        changed(own, "results/EXP001.json", lambda content: content.replace(b'"score": "', b'"score": "1'))
    )
    assert code == 1
    assert "results/EXP001.json: changed" in words


def test_his_page_shows_the_score_to_those_who_may_read_it(world, signed, browser_of):
    score = str(of(signed, world.expert).score)
    assert last_of(world.expert) == of(signed, world.expert)
    for role, sees in ((Role.EXPERT, True), (Role.AGENCY, True), (Role.COMMITTEE, True), (Role.INSURER_MANAGER, False)):
        page = browser_of(role).get(reverse("expert", args=[world.expert.pk]))
        assert page.status_code == 200, role
        assert (score in page.content.decode()) == sees, role


def test_the_forecast_is_his_own_and_of_his_agency(world, browser_of):
    services(world, 12)
    assert forecast("EXPERT", at=AT) >= 2
    assert forecast("AGENCY", at=AT)
    assert set(Forecast.objects.filter(scheme__subject="EXPERT").values_list("expert_id", flat=True)) == {
        world.expert.pk, world.other_expert.pk,
    }  # fmt: skip
    for role in (Role.EXPERT, Role.AGENCY):
        page = browser_of(role).get(reverse("assessment-forecast")).content.decode()
        assert world.expert.name in page, role
        assert world.other_expert.name not in page, role
    page = browser_of(Role.COMMITTEE).get(reverse("assessment-forecast"), {"kind": "EXPERT"}).content.decode()
    assert world.other_expert.name in page


def test_sums_and_rows_of_experts_are_hidden_from_the_insurer_and_the_enterprise(world, signed, browser_of):
    for role in (Role.INSURER_MANAGER, Role.ENTERPRISE, Role.SECTOR_DEPARTMENT):
        with widened(scope_of(browser_of(role).membership)):
            assert not Outcome.objects.exclude(expert_id=None).exists(), role
            if role != Role.SECTOR_DEPARTMENT:  # an authority reads the rows of its sector, as always
                assert not FrozenRow.objects.exclude(expert_id=None).exists(), role
    assert Tally.objects.filter(campaign=signed).exists()
    with export_pack(signed, by=BY, at=LATER, codes=()) as file, zipfile.ZipFile(file) as archive:
        assert not [name for name in archive.namelist() if name.startswith(("results", "party", "rows"))]
