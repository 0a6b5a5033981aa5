"""What becomes of rows that are sent: created, updated, unchanged or rejected, with the reason."""

from __future__ import annotations

from django.db import connection

from anze.kernel.scope import Scope, enter, leave, region_range
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
