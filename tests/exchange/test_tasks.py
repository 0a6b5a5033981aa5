"""The worker's jobs: order, failures that block nobody, and what is forgotten in time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from anze.exchange import tasks
from anze.exchange.actions import batches as actions
from anze.exchange.actions import deliver, retry_batch
from anze.exchange.feeds import FEEDS
from anze.exchange.models import Batch, Nonce, RejectedRow
from anze.exchange.rules import BatchState
from anze.kernel.actor import platform
from anze.kernel.refusal import Refused
from anze.kernel.rules import Channel
from anze.parties.rules import Permission
from anze.underwriting.models import Policy
from tests.cast import XINGHUO, YUANFAN, policy_row

BY = platform(frozenset({Permission.ENTER_DATA}))
AT = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)


def delivered(sender: Any, *rows: dict[str, Any], at: datetime = AT, count: int = 10_000) -> Batch:
    """A batch said to be large, so that it waits."""
    import json

    batch, _new = deliver(
        sender,
        by=BY,
        at=at,
        rows=count,
        feed=FEEDS["policies"],
        channel=Channel.API,
        body="\n".join(json.dumps(row) for row in rows).encode(),
        content_type="application/x-ndjson",
        idempotency_key=uuid4().hex,
    )
    return batch


def states(*batches: Batch) -> list[str]:
    return [Batch.objects.get(pk=batch.pk).state for batch in batches]


def jobs() -> int:
    from procrastinate.contrib.django.models import ProcrastinateJob

    return ProcrastinateJob.objects.filter(task_name=actions.WAITING_TASK, status="todo").count()


def test_a_waiting_batch_starts_the_worker_with_its_own_transaction(cast: Any) -> None:
    before = jobs()
    batch = delivered(cast.huaihai, policy_row("T1", XINGHUO))
    assert batch.state == BatchState.RECEIVED
    assert jobs() == before + 1
    tasks.process_waiting_batches()
    assert states(batch) == ["DONE"]
    assert Batch.objects.get(pk=batch.pk).attempts == 1


def test_each_senders_batches_are_published_in_the_order_received(cast: Any) -> None:
    first = delivered(cast.huaihai, policy_row("T1", XINGHUO, insured_workers=1), at=AT)
    second = delivered(cast.huaihai, policy_row("T1", XINGHUO, insured_workers=2), at=AT + timedelta(seconds=1))
    third = delivered(cast.huaihai, policy_row("T1", XINGHUO, insured_workers=3), at=AT + timedelta(seconds=2), count=1)
    assert third.state == BatchState.RECEIVED, "a small one waits for those before it"
    tasks.process_waiting_batches()
    assert states(first, second, third) == ["DONE"] * 3
    policy = Policy.objects.get()
    assert (policy.insured_workers, policy.version) == (3, 3)


def test_a_batch_that_breaks_is_given_up_and_blocks_nobody(cast: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = delivered(cast.huaihai, policy_row("BAD", XINGHUO), at=AT)
    good = delivered(cast.huaihai, policy_row("GOOD", XINGHUO), at=AT + timedelta(seconds=1))
    other = delivered(cast.bohai, policy_row("OTHER", YUANFAN), at=AT + timedelta(seconds=2))
    real = tasks.process_batch

    def breaking(batch: Batch, **words: Any) -> Any:
        if batch.pk == bad.pk:
            raise ZeroDivisionError("something nobody thought of")
        return real(batch, **words)

    monkeypatch.setattr(tasks, "process_batch", breaking)
    tasks.process_waiting_batches()
    assert states(bad, good, other) == ["FAILED", "DONE", "DONE"]
    bad.refresh_from_db()
    assert (bad.attempts, bad.failure) == (3, "ZeroDivisionError: something nobody thought of")

    monkeypatch.setattr(tasks, "process_batch", real)
    with pytest.raises(Refused):
        retry_batch(good, by=BY, at=AT)
    retry_batch(bad, by=BY, at=AT)
    tasks.process_waiting_batches()
    assert states(bad) == ["DONE"]
    assert Policy.objects.filter(policy_no="BAD").exists()


def test_a_batch_tried_again_does_not_write_over_what_was_sent_after_it(
    cast: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivered(cast.huaihai, policy_row("P1", XINGHUO), policy_row("P2", XINGHUO), at=AT - timedelta(hours=1))
    tasks.process_waiting_batches()
    rows = [policy_row(number, XINGHUO, insured_workers=11) for number in ("P1", "P2", "P3")]
    failed = delivered(cast.huaihai, *rows, at=AT)
    real = tasks.process_batch

    def breaking(batch: Batch, **words: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(tasks, "process_batch", breaking)
    tasks.process_waiting_batches()
    monkeypatch.setattr(tasks, "process_batch", real)
    assert states(failed) == ["FAILED"]
    correction = delivered(cast.huaihai, policy_row("P1", XINGHUO, insured_workers=22), at=AT + timedelta(hours=1))
    tasks.process_waiting_batches()
    assert states(correction) == ["DONE"]

    failed.refresh_from_db()
    retry_batch(failed, by=BY, at=AT + timedelta(hours=2))
    tasks.process_waiting_batches()
    failed.refresh_from_db()
    assert (failed.state, failed.created, failed.updated, failed.rejected) == ("DONE", 1, 1, 1)
    assert list(failed.findings.values_list("row", "code")) == [(1, "newer_on_file")]
    assert dict(Policy.objects.values_list("policy_no", "insured_workers")) == {"P1": 22, "P2": 11, "P3": 11}
    assert not RejectedRow.objects.exists()  # it is on file: no clock runs for it


def test_the_databases_trouble_is_not_counted_against_a_batch(cast: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = delivered(cast.huaihai, policy_row("T1", XINGHUO))

    def lost(*_: Any, **__: Any) -> None:
        raise OperationalError("the connection is lost")

    monkeypatch.setattr(tasks, "process_batch", lost)
    for _time in range(5):
        with pytest.raises(OperationalError):
            tasks.process_waiting_batches()
    batch.refresh_from_db()
    assert (batch.state, batch.attempts) == ("RECEIVED", 0)


def test_a_batch_that_kills_the_worker_each_time_is_given_up(cast: Any) -> None:
    batch = delivered(cast.huaihai, policy_row("T1", XINGHUO))
    Batch.objects.filter(pk=batch.pk).update(attempts=actions.MOST_ATTEMPTS)  # as three kills leave it
    tasks.process_waiting_batches()
    batch.refresh_from_db()
    assert batch.state == "FAILED"
    assert batch.failure


def test_a_small_batch_that_breaks_is_left_to_the_worker(cast: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaking(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    real = actions.process_batch
    monkeypatch.setattr(actions, "process_batch", breaking)
    batch = delivered(cast.huaihai, policy_row("T1", XINGHUO), count=1)
    assert (batch.state, batch.attempts) == ("RECEIVED", 1)
    monkeypatch.setattr(actions, "process_batch", real)
    tasks.process_waiting_batches()
    assert states(batch) == ["DONE"]


def test_nonces_are_kept_while_a_signature_could_be_repeated(everything: None) -> None:
    now = timezone.now()
    for minutes in (1, 9, 20):
        Nonce.objects.create(key_id="K", nonce=str(minutes), seen_at=now - timedelta(minutes=minutes))
    tasks.forget_nonces()
    assert set(Nonce.objects.values_list("nonce", flat=True)) == {"1", "9"}


def test_findings_of_a_hopeless_batch_are_kept_in_bounds(cast: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "MANY_FINDINGS", 20)
    batch = cast.send(cast.huaihai, "policies", *({"policy_no": f"H{n}"} for n in range(50)))
    assert batch.rejected == 50
    counts = [batch.findings.filter(row=n).count() for n in range(1, 51)]
    assert counts[0] > 5
    assert set(counts[5:]) == {1}


def test_a_batch_in_another_workers_hand_is_not_noted_again(cast: Any) -> None:
    """Between the noting of an attempt and the work the row is free for a moment; the hand is not."""
    batch = delivered(cast.huaihai, policy_row("T1", XINGHUO))
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s, hashtext(%s))", [tasks.HAND, str(batch.pk)])
        assert not tasks.process_next()
        batch.refresh_from_db()
        assert (batch.state, batch.attempts) == ("RECEIVED", 0)
    finally:
        other.close()
    assert tasks.process_next()
    batch.refresh_from_db()
    assert (batch.state, batch.attempts) == ("DONE", 1)
