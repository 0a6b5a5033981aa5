"""A hazard on its way to the verified closing: who may take which step, and what each leaves behind."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anze.exchange.rules import Outcome
from anze.hazards import actions
from anze.hazards.models import Hazard, HazardStep
from anze.hazards.rules import ORDER, STEPS, HazardState, Party, StepKind, steps_open, why_not
from anze.hazards.screens.steps import ACTIONS, FIELDS
from anze.kernel.duty import end_of_day
from anze.kernel.models import Parameter
from anze.kernel.parameters import begin_value
from anze.kernel.refusal import Refused
from anze.kernel.scope import widened
from tests.cast import NOW
from tests.hazards.conftest import hazard_row

DAY = timedelta(days=1)
WORDS: dict[str, Any] = {"words": "示例说明", "to_whom": "示例负责人", "number": "督〔2026〕1号"}


def take(name: str, hazard: Hazard, by: Any, at: Any = NOW, **words: Any) -> HazardStep:
    """Take a step inside the reader's own rows, with words wherever its form asks for them."""
    fields = FIELDS[name]()
    given_words = {key: WORDS[key] for key in fields if key in WORDS}
    if "until" in fields:
        given_words["until"] = date(2026, 12, 30)
    if name == "grant-extension":
        del given_words["until"]
    with widened(by.scope):
        return ACTIONS[name](hazard, by=by, at=at, **{**given_words, **words})


def test_the_way_from_the_finding_to_the_closing_is_told_step_by_step(found, people):
    hazard = found()
    take("notify", hazard, people["insurer"])
    take("start", hazard, people["enterprise"])
    take("submit", hazard, people["enterprise"], cost="1200.50")
    take("return", hazard, people["expert"])
    take("submit", hazard, people["enterprise"], NOW + DAY)
    take("close", hazard, people["agency"], NOW + 2 * DAY)
    hazard.refresh_from_db()
    assert hazard.state == "CLOSED"
    assert (hazard.notified_on, hazard.rectified_on, hazard.closed_on, hazard.verifier) == (
        date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 25), "AGENCY",
    )  # fmt: skip
    assert list(hazard.steps.order_by("at", "id").values_list("kind", "from_state", "to_state", "party")) == [
        ("NOTIFIED", "FOUND", "NOTIFIED", "INSURER"),
        ("STARTED", "NOTIFIED", "RECTIFYING", "ENTERPRISE"),
        ("SUBMITTED", "RECTIFYING", "SUBMITTED", "ENTERPRISE"),
        ("RETURNED", "SUBMITTED", "RECTIFYING", "EXPERT"),
        ("SUBMITTED", "RECTIFYING", "SUBMITTED", "ENTERPRISE"),
        ("CLOSED", "SUBMITTED", "CLOSED", "AGENCY"),
    ]


def test_the_recheck_is_due_within_working_days_of_the_submission(found, people):
    hazard = found()
    take("submit", hazard, people["enterprise"])
    hazard.refresh_from_db()
    # Monday 23 November; five working days later is Monday 30 November
    assert hazard.recheck_due_at == end_of_day(date(2026, 11, 30))


def test_a_regions_own_days_hold_whichever_way_the_hazard_comes(found, people):
    """Two working days in Jinan, five elsewhere: for a step on the platform and for an insurer's row alike."""
    city = people["city"].scope.region_from
    days = Parameter.objects.get(key="hazard_recheck_workdays")
    begin_value(days, value="2", effective_from=date(2026, 1, 1), source="", status="DESIGN", region_code=city)
    stepped = found()
    assert stepped.region_code[:4] == city[:4]
    take("submit", stepped, people["enterprise"])
    stepped.refresh_from_db()
    sent = found(hazard_no="H2", state="SUBMITTED", notified_on="2026-11-16", rectified_on="2026-11-23")
    assert stepped.recheck_due_at == sent.recheck_due_at == end_of_day(date(2026, 11, 25))
    # what has no value of its own there keeps the general one
    assert found(hazard_no="H3").notify_due_at == found(hazard_no="H4").notify_due_at == end_of_day(date(2026, 11, 17))


def test_what_the_insurers_system_reports_as_submitted_has_the_same_deadline(found):
    hazard = found(state="SUBMITTED", notified_on="2026-11-17", rectified_on="2026-11-23")
    assert hazard.recheck_due_at == end_of_day(date(2026, 11, 30))
    assert found(hazard_no="H2").notify_due_at == end_of_day(date(2026, 11, 17))


def test_a_major_hazard_is_to_be_reported_within_the_hours_of_the_parameter(found, people):
    major = found(hazard_class="MAJOR")
    assert major.authority_due_at == end_of_day(date(2026, 11, 17))
    general = found(hazard_no="H2")
    assert general.authority_due_at is None
    take("reclassify", general, people["expert"], criterion_code="AL-3")
    general.refresh_from_db()
    assert general.hazard_class == "MAJOR"
    assert general.authority_due_at == NOW + DAY
    step = general.steps.get()
    assert (step.hazard_class, step.number, step.words) == ("GENERAL", "AL-3", "示例说明")


def test_a_major_hazard_needs_a_plan_before_it_is_submitted(found, people):
    hazard = found(hazard_class="MAJOR")
    with pytest.raises(Refused, match="plan_missing"):
        take("submit", hazard, people["enterprise"])
    with pytest.raises(Refused, match="plan_missing"):
        take("start", hazard, people["enterprise"], to_whom=" ")
    take("start", hazard, people["enterprise"])
    take("submit", hazard, people["enterprise"])


def test_one_extension_with_reason_and_approval_keeps_the_original_deadline(found, people):
    hazard = found()
    take("ask-extension", hazard, people["enterprise"])
    with pytest.raises(Refused, match="extension_pending"):
        take("ask-extension", hazard, people["enterprise"])
    with pytest.raises(Refused, match="extension_beyond_request"):
        take("grant-extension", hazard, people["insurer"], until=date(2026, 12, 31))
    take("grant-extension", hazard, people["insurer"], until=date(2026, 12, 28))
    hazard.refresh_from_db()
    assert (hazard.deadline_on, hazard.extended_to_on, hazard.extension_reason) == (
        date(2026, 12, 16), date(2026, 12, 28), "示例说明",
    )  # fmt: skip
    with pytest.raises(Refused, match="extended_once"):
        take("ask-extension", hazard, people["enterprise"])


def test_a_refused_extension_may_be_asked_for_again(found, people):
    hazard = found()
    take("ask-extension", hazard, people["enterprise"])
    take("refuse-extension", hazard, people["insurer"])
    take("ask-extension", hazard, people["enterprise"])


def test_the_deadline_of_a_major_hazard_is_extended_by_an_authority(found, people):
    hazard = found(hazard_class="MAJOR")
    take("ask-extension", hazard, people["enterprise"])
    with pytest.raises(Refused, match="only_regulator"):
        take("grant-extension", hazard, people["insurer"])
    take("grant-extension", hazard, people["city"])


def test_a_supervised_or_stopped_hazard_is_closed_by_an_authority_only(found, people):
    hazard = found(hazard_class="MAJOR")
    take("supervise", hazard, people["city"])
    take("stop", hazard, people["city"])
    hazard.refresh_from_db()
    assert (hazard.supervised_level, hazard.supervised_no) == ("CITY", "督〔2026〕1号")
    with pytest.raises(Refused, match="under_supervision"):
        take("reclassify", hazard, people["province"])
    take("start", hazard, people["enterprise"])
    take("submit", hazard, people["enterprise"])
    for who in ("insurer", "agency", "expert"):
        with pytest.raises(Refused, match="only_regulator"):
            take("close", hazard, people[who])
    take("close", hazard, people["city"])
    take("resume", hazard, people["city"])
    take("lift", hazard, people["city"])
    hazard.refresh_from_db()
    assert hazard.verifier == "REGULATOR"
    assert hazard.resumed_on is not None
    assert hazard.lifted_on is not None


def test_a_reopened_hazard_keeps_its_deadline_and_says_when_it_had_been_closed(found, people):
    hazard = found()
    take("submit", hazard, people["enterprise"])
    take("close", hazard, people["insurer"])
    take("reopen", hazard, people["city"], NOW + 40 * DAY)
    hazard.refresh_from_db()
    assert (hazard.state, hazard.closed_on, hazard.verifier) == ("RECTIFYING", None, "")
    assert hazard.deadline_on == date(2026, 12, 16)
    assert hazard.steps.get(kind="REOPENED").day == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("name", "who"),
    [
        ("submit", "insurer"), ("start", "expert"), ("ask-extension", "city"),
        ("notify", "enterprise"), ("close", "enterprise"), ("grant-extension", "enterprise"),
        ("supervise", "insurer"), ("stop", "agency"), ("resume", "enterprise"), ("grant-extension", "agency"),
    ],
)  # fmt: skip
def test_a_step_is_refused_to_whom_it_is_not_for(found, people, name, who):
    hazard = found(hazard_class="MAJOR")
    with pytest.raises(Refused) as refused:
        take(name, hazard, people[who])
    assert refused.value.status == 403
    assert not HazardStep.objects.exists()


def test_another_insurer_finds_no_such_hazard(found, people):
    hazard = found()
    with pytest.raises(Refused, match="not_found"):
        take("notify", hazard, people["other_insurer"])
    with widened(people["other_insurer"].scope):
        assert not HazardStep.objects.exists()


def test_the_story_is_read_by_those_who_read_the_hazard_and_changed_by_nobody(found, people):
    hazard = found()
    take("notify", hazard, people["insurer"])
    for who, sees in (("enterprise", 1), ("agency", 1), ("expert", 1), ("city", 1), ("other_insurer", 0)):
        with widened(people[who].scope):
            assert HazardStep.objects.count() == sees, who
    for change in (lambda rows: rows.update(words="anders"), lambda rows: rows.delete()):
        with (
            pytest.raises(DatabaseError, match=r"append-only|permission denied"),
            transaction.atomic(),
            widened(people["province"].scope),
        ):
            change(HazardStep.objects.all())


def test_every_step_has_a_form_and_an_action():
    assert set(STEPS) == set(ACTIONS) == set(FIELDS)


# any sequence of steps ------------------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.data(), is_major=st.booleans(),
    moves=st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.sampled_from(
        ["enterprise", "insurer", "agency", "expert", "city", "province"]
    )), max_size=14),
)  # fmt: skip
def test_any_sequence_of_steps_keeps_the_rules(found, people, data, is_major, moves):
    """Whatever is tried in whatever order, the database's own checks hold, and the story adds up to the state."""
    number = f"R{Hazard.objects.count()}"
    hazard = found(hazard_no=number, hazard_class="MAJOR" if is_major else "GENERAL")
    moment = NOW
    for name, who in moves:
        moment += timedelta(hours=data.draw(st.integers(0, 72)))
        hazard.refresh_from_db()
        party = actions.party_of(people[who])
        expected = why_not(STEPS[name], hazard, party)
        words = {"until": None} if name == "grant-extension" else {}
        refusal = ""
        try:
            take(name, hazard, people[who], moment, **words)
        except Refused as refused:
            refusal = refused.code
        if expected is None:
            assert refusal in ("", "extension_not_later", "extension_beyond_request"), (name, who)
        else:
            # who lacks the permission is not told more
            assert refusal in (expected.code, "not_permitted"), (name, who)
    hazard.refresh_from_db()
    steps = list(hazard.steps.order_by("at", "id"))
    state = "FOUND"
    for step in steps:
        assert step.from_state == state
        state = step.to_state
    assert hazard.state == state
    assert (hazard.closed_on is not None) == (state == "CLOSED")
    assert (hazard.recheck_due_at is not None) == (state == "SUBMITTED")
    if steps:
        assert hazard.acted_at == steps[-1].at
    # somebody can always go on, except with what is over
    if state not in ("CLOSED", "SHUT_DOWN"):
        assert any(list(steps_open(hazard, party)) for party in Party if party is not Party.SYSTEM)


# what the insurer's system sends after a step here --------------------------------------------------------------


def sent_again(cast, **words):
    from tests.cast import XINGHUO

    batch = cast.send(cast.huaihai, "hazards", hazard_row(**{"insured_uscc": XINGHUO, **words}))
    return batch.outcomes, [each.code for each in batch.findings.all()]


def test_the_same_row_again_changes_nothing(cast, found, people):
    hazard = found()
    take("notify", hazard, people["insurer"])
    assert sent_again(cast) == (Outcome.UNCHANGED.value, [])
    hazard.refresh_from_db()
    assert hazard.state == "NOTIFIED"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"description": "改写"}, "behind_platform"),
        ({"state": "NOTIFIED", "notified_on": "2026-11-20"}, "behind_platform"),
        ({"state": "SUBMITTED", "notified_on": "2026-11-23", "rectified_on": "2026-11-22"}, "set_on_platform"),
        ({"state": "SUBMITTED", "notified_on": "2026-11-23", "rectified_on": "2026-11-23", "hazard_class": "MAJOR"},
         "set_on_platform"),
        ({"state": "SUBMITTED", "notified_on": "2026-11-23", "rectified_on": "2026-11-23",
          "deadline_on": "2027-01-30"}, "set_on_platform"),
    ],
)  # fmt: skip
def test_a_correction_never_undoes_a_step_taken_here(cast, found, people, words, code):
    hazard = found()
    take("notify", hazard, people["insurer"])
    take("submit", hazard, people["enterprise"])
    outcome, codes = sent_again(cast, **words)
    assert outcome == "R"
    assert code in codes
    hazard.refresh_from_db()
    assert (hazard.state, hazard.rectified_on) == ("SUBMITTED", date(2026, 11, 23))


def test_a_correction_may_correct_words_and_go_further_and_is_told_as_the_systems_step(cast, found, people):
    hazard = found()
    take("notify", hazard, people["insurer"])
    take("submit", hazard, people["enterprise"])
    outcome, codes = sent_again(
        cast, description="改写后的描述", state="CLOSED", notified_on="2026-11-23", rectified_on="2026-11-23",
        verified_on="2026-11-23", verifier="INSURER", closed_on="2026-11-23",
    )  # fmt: skip
    assert (outcome, codes) == ("U", [])
    hazard.refresh_from_db()
    assert (hazard.state, hazard.description, hazard.recheck_due_at) == ("CLOSED", "改写后的描述", None)
    last = hazard.steps.order_by("-at", "-id").get(kind=StepKind.CORRECTED)
    assert (last.from_state, last.to_state, last.party, last.by_name) == (
        "SUBMITTED", "CLOSED", "SYSTEM", cast.huaihai.name,
    )  # fmt: skip


def test_the_system_cannot_close_what_an_authority_supervises(cast, found, people):
    hazard = found(hazard_class="MAJOR")
    take("supervise", hazard, people["city"])
    closing = {
        "hazard_class": "MAJOR", "state": "CLOSED", "rectified_on": "2026-11-20", "verified_on": "2026-11-20",
        "verifier": "INSURER", "closed_on": "2026-11-20",
    }  # fmt: skip
    assert sent_again(cast, **closing) == ("R", ["under_supervision"])
    assert sent_again(cast, hazard_class="MAJOR", is_void=True, void_reason="误报") == ("R", ["under_supervision"])
    assert hazard.steps.count() == 1


def test_as_long_as_nobody_acts_here_the_systems_own_corrections_leave_no_rows(cast, found):
    hazard = found()
    assert sent_again(cast, state="NOTIFIED", notified_on="2026-11-20")[0] == "U"
    assert sent_again(cast)[0] == "U"
    assert not hazard.steps.exists()


def test_states_are_ordered_as_they_follow_one_another():
    assert set(ORDER) == set(HazardState)
