"""The time machine of a score: every step reckoned again, and what the records say by now."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from anze.assessment.actions.course import Draw, announce, compute, open_review
from anze.assessment.actions.looking_back import Cause, as_of_today, known_on, standing_on, steps_of
from anze.assessment.actions.reviews import Verdict, review_row
from anze.assessment.models import Appeal, Campaign, Correction, Outcome, ReviewItem
from anze.expenses.models import Expense
from anze.parties.rules import Role
from anze.prevention.models import Service
from tests.assessment.conftest import AT, BY, begin
from tests.assessment.test_course import LATER, computed, person, published, result  # noqa: F401 - fixtures


def test_steps_lead_from_the_computed_to_the_published_result_to_the_last_digit(world, published):  # noqa: F811
    outcomes = list(Outcome.objects.filter(campaign=published))
    assert len(outcomes) > 2
    for outcome in outcomes:
        steps = steps_of(outcome)
        assert steps[0].cause == Cause.COMPUTED
        assert steps[0].result.score == outcome.computed_score
        announced = next(step for step in steps if step.cause == Cause.PROVISIONAL)
        assert announced.result.score == outcome.provisional_score
        last = steps[-1].result
        assert (last.score, last.grade) == (outcome.score, outcome.grade)
        assert {each.code: [str(each.points), str(each.standing)] for each in last.elements} == outcome.points
        assert sum(step.change for step in steps) == outcome.score - outcome.computed_score


def test_a_step_says_what_moved_and_by_which_decision(world, published):  # noqa: F811
    made = Appeal.objects.get()
    steps = steps_of(result(published, world.huaihai))
    reviewed = next(step for step in steps if step.cause == Cause.REPORT_REVIEWED)
    decided = next(step for step in steps if step.cause == Cause.APPEAL)
    assert (decided.label, decided.reasons, decided.appeal) == (made.number, "补充材料属实", made.pk)
    moved = [(each.element, each.before, each.after) for each in decided.moved]
    assert moved == [("B1", Decimal("0.75"), Decimal("1.5"))]
    assert reviewed.result.of("B1").points == Decimal("0.75")
    assert decided.change == decided.result.score - reviewed.result.score
    assert [step.cause for step in steps_of(result(published, world.bohai)) if step.change] == []


def test_a_row_corrected_by_its_reviewer_is_a_step_of_its_own(world, computed):  # noqa: F811
    campaign = open_review(computed, by=BY, at=AT + timedelta(days=1), draw=Draw("1 2 3", "公开号码", 50))
    reviewer, day = person(Role.CITY_REGULATOR, world.jinan), AT + timedelta(days=2)
    for item in ReviewItem.objects.filter(campaign=campaign):
        is_it = item.input == "expense_vouchers" and item.insurer_id == world.huaihai.pk
        verdict = Verdict.SHORT if is_it else Verdict.AS_IT_IS
        review_row(item, by=reviewer, at=day, verdict=verdict, reasons="凭证与服务不符" if is_it else "")
    announce(campaign, by=BY, at=AT + timedelta(days=3))
    outcome = result(campaign, world.huaihai)
    steps = steps_of(outcome)
    corrected = next(step for step in steps if step.cause == Cause.ROW_REVIEWED)
    assert corrected.row == Correction.objects.get().row_id
    assert corrected.reasons == "凭证与服务不符"
    assert [each.element for each in corrected.moved] == ["E3"]
    assert standing_on(steps, AT - timedelta(hours=1)) is None
    assert standing_on(steps, AT + timedelta(days=1)).result.score == outcome.computed_score
    assert standing_on(steps, day).result.score == outcome.score != outcome.computed_score
    # what was found holds while the record says what it said, and goes with it
    assert as_of_today(outcome).result.score == outcome.score
    Expense.objects.filter(insurer_id=world.huaihai.pk).update(is_void=True)
    assert as_of_today(outcome).result.of("E3").standing != "SCORED"


def test_records_as_they_were_frozen_make_the_same_result_today(world):
    campaign = compute(begin(), by=BY, at=AT)
    for outcome in Outcome.objects.filter(campaign=campaign):
        found = as_of_today(outcome)
        assert (found.changed_count, found.moved) == (0, ())
        assert (found.result.score, found.result.grade) == (outcome.score, outcome.grade)


def test_a_record_corrected_since_is_named_with_what_it_moves(world):
    campaign = compute(begin(), by=BY, at=AT)
    Service.objects.filter(service_no="S-OWN7").update(is_void=True)
    found = as_of_today(result(campaign, world.huaihai))
    row = next(each for each in found.changed if each.input == "qualified_services")
    assert (row.label, row.was[1], row.now) == ("S-OWN7", Decimal(1), None)
    assert as_of_today(result(campaign, world.bohai)).changed_count == 0


def test_before_the_freezing_it_stands_by_what_was_known_then(world):
    """A record voided later counts as it stood; of a day before the period there is nothing to say."""
    campaign = compute(begin(), by=BY, at=AT)
    outcome = result(campaign, world.huaihai)
    Service.objects.filter(service_no="S-OWN7").update(is_void=True)
    known = known_on(outcome, AT)
    frozen = steps_of(outcome)[0].result
    for code in ("A1", "A2", "B2", "C1", "D1", "E1"):
        assert known.of(code) == frozen.of(code), code
    assert as_of_today(outcome).result.of("B2") != frozen.of("B2")
    assert known_on(outcome, AT - timedelta(days=400)) is None


@pytest.mark.parametrize("role", [Role.PROVINCE_REGULATOR, Role.INSURER_MANAGER, Role.COMMITTEE])
def test_steps_are_for_the_assessed_and_authorities_and_years_for_all(world, published, browser_of, role):  # noqa: F811
    browser = browser_of(role)
    own, foreign = result(published, world.huaihai), result(published, world.bohai)
    page = browser.get(reverse("assessment-result-then", args=[own.pk])).content.decode()
    assert Appeal.objects.get().number in page
    assert (
        reverse("assessment-result-then", args=[own.pk])
        in browser.get(reverse("assessment-result", args=[own.pk])).content.decode()
    )
    early = browser.get(reverse("assessment-result-then", args=[own.pk]), {"known": "2026-11-23"}).content.decode()
    assert "按当时已知记录" in early
    assert "以下数据不留历史" in early
    assert "以下数据不留历史" not in page
    other = browser.get(reverse("assessment-result-then", args=[foreign.pk])).content.decode()
    assert ("逐步变化" in other) == (role != Role.INSURER_MANAGER)
    assert published.title in other
    # what the records say by now is asked for when the page stands: a part of it, or a page of its own
    address = reverse("assessment-result-today", args=[own.pk])
    assert f'hx-get="{address}"' in page
    part, whole = browser.get(address, headers={"HX-Request": "true"}), browser.get(address)
    assert part.content.decode().strip() in whole.content.decode()
    assert str(own.score) in part.content.decode()
    hidden = browser.get(reverse("assessment-result-today", args=[foreign.pk])).status_code
    assert hidden == (404 if role == Role.INSURER_MANAGER else 200)


def test_the_time_machine_asks_the_records_of_the_year_once_and_only_when_asked(
    world,
    computed,  # noqa: F811
    browser_of,
    django_assert_max_num_queries,
):
    browser = browser_of(Role.PROVINCE_REGULATOR)
    outcome = result(computed, world.huaihai)
    with django_assert_max_num_queries(60) as asked:
        browser.get(reverse("assessment-result-then", args=[outcome.pk]))
    assert not [each for each in asked if "rows_now" in each["sql"]]
    with django_assert_max_num_queries(90) as asked:
        browser.get(reverse("assessment-result-today", args=[outcome.pk]))
    assert len([each for each in asked if "TABLE then_and_now ON" in each["sql"]]) == 1


def test_nobody_looks_back_at_what_he_may_not_see(world, computed, browser_of):  # noqa: F811
    foreign = result(computed, world.bohai)
    address = reverse("assessment-result-then", args=[foreign.pk])
    assert browser_of(Role.INSURER_MANAGER).get(address).status_code == 404
    assert Campaign.objects.get().computed_at < LATER
