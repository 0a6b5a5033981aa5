"""The time machine: what was known then is what was counted then, and each difference is a row."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from anze.kernel.duty import beijing_day
from anze.kernel.scope import EVERYTHING, Scope
from anze.monitoring.contributions import whole_table
from anze.monitoring.definitions import INDICATORS
from anze.monitoring.figures import figures
from anze.monitoring.known import judged_by, tables_read, then_and_now
from anze.monitoring.refresh import recompute
from tests.cast import YUANFAN, Cast
from tests.monitoring.counting import cut_of
from tests.monitoring.deliveries import obligation, policy
from tests.monitoring.test_histories import History

WHOLE = {"months": "2025-01 2026-12"}


def live_on(cast: Cast, history: History, deliveries: int) -> None:
    """Deliveries of the moment they come in, corrections among them."""
    for _ in range(deliveries):
        feed, make = history.draw.choice(
            [
                ("endorsements", history.endorsement), ("receipts", history.receipt), ("plans", history.plan),
                ("services", history.service), ("hazards", history.hazard), ("expenses", history.expense),
                ("claims", history.claim), ("obligations", history.obligation),
                ("policies", lambda: history.policy(history.draw.choice(history.policies))),
            ]
        )  # fmt: skip
        sender = cast.province if feed == "obligations" else cast.huaihai
        row = make()
        batch = cast.send(sender, feed, row, at=timezone.now())
        if batch.created and "policy_no" in row:
            number = next(value for key, value in row.items() if key.endswith("_no"))
            history.known.setdefault(number, row["policy_no"])


def counted() -> dict[str, tuple[Decimal, Decimal]]:
    found = figures(INDICATORS.values(), cut_of(**WHOLE))[""]
    return {code: (figure.numerator, figure.denominator) for code, figure in found.items()}


@pytest.mark.parametrize("seed", [11, 12])
def test_what_was_known_is_what_was_counted_then(cast, seed):
    history = History(seed)
    cast.accepted(cast.huaihai, "policies", *map(history.policy, history.policies), at=timezone.now())
    live_on(cast, history, 30)
    now = timezone.now()
    recompute(at=now)
    then = counted()
    live_on(cast, history, 30)
    recompute(at=now)
    corrected = counted()
    assert then != corrected
    changes = 0
    for code, indicator in INDICATORS.items():
        found = then_and_now(indicator, cut_of(**WHOLE), day=beijing_day(now), known_at=now, scope=EVERYTHING)
        assert (found.known.numerator, found.known.denominator) == then[code], code
        assert (found.corrected.numerator, found.corrected.denominator) == corrected[code], code
        for part in (0, 1):
            moved = sum((each.now or (0, 0))[part] - (each.was or (0, 0))[part] for each in found.changed)
            assert then[code][part] + moved == corrected[code][part], code
        assert found.changed_count == len(found.changed)
        changes += found.changed_count
    assert changes > 20


def test_the_rows_that_differ_are_shown_to_those_who_may_see_them(cast):
    cast.accepted(cast.province, "obligations", obligation(), obligation(YUANFAN, "FISHERY"), at=timezone.now())
    cast.accepted(cast.huaihai, "policies", policy("P1"), at=timezone.now())
    moment = timezone.now()
    cast.accepted(cast.bohai, "policies", policy("B1", YUANFAN), at=timezone.now())
    cast.accepted(cast.huaihai, "policies", {**policy("P1"), "is_void": True, "void_reason": "重复"}, at=timezone.now())
    look = lambda scope=EVERYTHING: then_and_now(  # noqa: E731
        INDICATORS["coverage_rate"], cut_of(), day=beijing_day(moment), known_at=moment, scope=scope
    )
    found = look()
    assert (found.known.numerator, found.known.denominator) == (1, 2)
    assert (found.corrected.numerator, found.corrected.denominator) == (1, 2)
    assert found.changed_count == 2, "one came, one went"
    assert {each.region_code for each in look(Scope("anze_region", "370200", "3702ZZ")).changed} == {"370202"}
    assert look(Scope("anze_expert")).changed == ()
    before = then_and_now(
        INDICATORS["coverage_rate"], cut_of(), day=beijing_day(moment), known_at=moment - timedelta(days=30),
        scope=EVERYTHING,
    )  # fmt: skip
    assert (before.known.numerator, before.known.denominator) == (0, 0), "nobody knew anything yet"


def test_only_what_an_indicator_reads_is_put_back(cast):
    """Claims are judged with their policies; what expenses and services are judged by is named beside, and never run."""
    with connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN (FORMAT JSON) " + judged_by(INDICATORS["claim_settlement_rate"], date(2026, 11, 20), whole_table)
        )
        read = tables_read(cursor.fetchone()[0][0]["Plan"])
    assert {"claims_claim", "claims_payment", "underwriting_policy"} <= read
    assert not read & {"prevention_service", "expenses_expense", "underwriting_premiumreceipt"}
