"""What becomes of rows that are sent: created, updated, unchanged or rejected, with the reason."""

from __future__ import annotations

from datetime import date

from django.db import connection

from anze.kernel.models import Parameter
from anze.kernel.parameters import begin_value
from anze.kernel.scope import Scope, enter, leave, region_range
from anze.parties.models import Enterprise
from anze.underwriting.models import Policy
from tests.cast import XINGHUO, YUANFAN, policy_row


def test_a_policy_is_created_then_unchanged_then_corrected(cast):
    first = cast.accepted(cast.huaihai, "policies", policy_row("P1", XINGHUO))
    again = cast.accepted(cast.huaihai, "policies", policy_row("P1", XINGHUO))
    corrected = cast.accepted(cast.huaihai, "policies", policy_row("P1", XINGHUO, insured_workers=90))
    assert (first.outcomes, again.outcomes, corrected.outcomes) == ("A", "S", "U")
    policy = Policy.objects.get(policy_no="P1")
    assert (policy.version, policy.insured_workers, policy.batch_id) == (2, 90, corrected.pk)
    assert policy.region_code == "370102"
    with connection.cursor() as cursor:
        cursor.execute("SELECT before->>'insured_workers' FROM kernel_change WHERE row_id = %s", [policy.pk])
        assert [row[0] for row in cursor.fetchall()] == ["100"]


def test_one_bad_row_does_not_block_its_batch(cast):
    batch = cast.send(
        cast.huaihai,
        "policies",
        policy_row("P1", XINGHUO),
        policy_row("P2", XINGHUO, end_on="2026-02-01"),
        policy_row("P3", YUANFAN),
    )
    assert batch.outcomes == "ARA"
    assert [f.code for f in batch.findings.all()] == ["ends_before_start"]


def test_a_row_is_checked_by_the_number_of_its_own_region_on_its_own_day(cast):
    """XINGHUO lies in Jinan, which caps at 10 % from March on and asks for nine visits a year; YUANFAN does not."""
    here, there = (Enterprise.objects.get(uscc=each) for each in (XINGHUO, YUANFAN))
    assert here.region_code[:4] != there.region_code[:4]
    of = {"source": "", "status": "DESIGN", "region_code": here.region_code[:4] + "00"}
    cap = Parameter.objects.get(key="expense_cap_ratio")
    begin_value(cap, value="0.10", effective_from=date(2026, 3, 1), **of)
    visits = Parameter.objects.get(key=f"frequency.{here.risk_tier}.{here.size}")
    begin_value(visits, value="9", effective_from=date(2026, 1, 1), **of)
    rows = [
        policy_row("P1", XINGHUO, start_on="2026-03-01", issued_on="2026-02-20", agreed_expense_ratio="0.12"),
        policy_row("P2", XINGHUO, start_on="2026-02-28", issued_on="2026-02-20", agreed_expense_ratio="0.12"),
        policy_row("P3", YUANFAN, start_on="2026-03-01", issued_on="2026-02-20", agreed_expense_ratio="0.12"),
    ]
    batch = cast.send(cast.huaihai, "policies", *rows)
    assert batch.outcomes == "RAA"
    assert [f.code for f in batch.findings.all()] == ["expense_ratio_over_cap"]
    usual = dict(Policy.objects.values_list("policy_no", "usual_visits"))
    assert usual["P2"] == 9
    assert usual["P3"] < 9


def test_an_insurer_sees_only_its_own_policies(cast):
    cast.accepted(cast.huaihai, "policies", policy_row("P1", XINGHUO))
    cast.accepted(cast.bohai, "policies", policy_row("P1", YUANFAN))
    low, high = region_range("370000")
    enter(Scope(reader="anze_insurer", insurer_id=cast.huaihai.pk, region_from=low, region_to=high))
    assert [p.insurer_id for p in Policy.objects.all()] == [cast.huaihai.pk]
    enter(Scope(reader="anze_region", region_from="370200", region_to="3702ZZ"))
    assert [p.insurer_id for p in Policy.objects.all()] == [cast.bohai.pk]
    enter(Scope(reader="anze_enterprise", enterprise_id=cast.xinghuo.pk))
    assert [p.enterprise_id for p in Policy.objects.all()] == [cast.xinghuo.pk]
    leave()


def test_before_a_scope_is_entered_nothing_can_be_read(cast):
    leave()
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege('underwriting_policy', 'SELECT')")
        assert cursor.fetchone()[0] is False
