"""The class of an accident by order 493, judged twice: by the rule in Python and by the feed's SQL."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from anze.claims.models import Accident
from anze.claims.rules import (
    ACCIDENT_CLASSES,
    ACCIDENT_MEASURES,
    AccidentClass,
    accident_class,
    accident_threshold,
)
from anze.kernel.models import Parameter, parameter
from tests.cast import XINGHUO, Cast, policy_row

DAY = date(2026, 7, 8)


def thresholds() -> dict[str, Decimal]:
    keys = [accident_threshold(found, measure) for found in ACCIDENT_CLASSES for measure in ACCIDENT_MEASURES]
    return {key: parameter(key, DAY) for key in keys}


@pytest.mark.parametrize(
    ("deaths", "serious", "loss", "expected"),
    [
        (0, 0, "0", AccidentClass.INCIDENT),
        (0, 0, "9999999.99", AccidentClass.INCIDENT),
        (1, 0, "0", AccidentClass.GENERAL),
        (0, 1, "0", AccidentClass.GENERAL),
        (2, 9, "9999999.99", AccidentClass.GENERAL),
        (3, 0, "0", AccidentClass.LARGER),
        (0, 10, "0", AccidentClass.LARGER),
        (0, 0, "10000000.00", AccidentClass.LARGER),
        (9, 49, "49999999.99", AccidentClass.LARGER),
        (10, 0, "0", AccidentClass.MAJOR),
        (0, 50, "0", AccidentClass.MAJOR),
        (0, 0, "50000000.00", AccidentClass.MAJOR),
        (29, 99, "99999999.99", AccidentClass.MAJOR),
        (30, 0, "0", AccidentClass.EXTRA_MAJOR),
        (0, 100, "0", AccidentClass.EXTRA_MAJOR),
        (0, 0, "100000000.00", AccidentClass.EXTRA_MAJOR),
    ],
)
def test_any_one_measure_suffices_and_from_on_includes(
    everything: None, deaths: int, serious: int, loss: str, expected: AccidentClass
) -> None:
    assert accident_class(deaths, serious, Decimal(loss), thresholds=thresholds()) == expected


def deliver(cast: Cast) -> list[Accident]:
    """Accidents at, just below and above every threshold, alone and together."""
    cast.accepted(cast.huaihai, "policies", policy_row("P1", XINGHUO))
    counts = (0, 1, 2, 3, 9, 10, 29, 30, 49, 50, 99, 100)
    losses = ("0", "9999999.99", "10000000.00", "49999999.99", "50000000.00", "99999999.99", "100000000.00")
    measured = [(d, s, loss) for d in counts[:8] for s in counts for loss in losses]
    cast.accepted(
        cast.huaihai,
        "accidents",
        *(
            {
                "accident_no": f"A{i}",
                "insured_uscc": XINGHUO,
                "occurred_at": f"{DAY}T10:00:00+08:00",
                "place": "示例车间",
                "kind": "FIRE",
                "deaths": deaths,
                "serious_injuries": serious,
                "minor_injuries": 0,
                "direct_loss": loss,
                "hits_third_party": False,
            }
            for i, (deaths, serious, loss) in enumerate(measured)
        ),
    )
    rows = list(Accident.objects.all())
    assert len(rows) == len(measured)
    return rows


def test_the_feed_judges_as_the_rule_does(cast: Cast) -> None:
    limits = thresholds()
    rows = deliver(cast)
    for row in rows:
        expected = accident_class(row.deaths, row.serious_injuries, row.direct_loss, thresholds=limits)
        assert row.accident_class == expected, row
    assert {row.accident_class for row in rows} == set(AccidentClass.values)


def test_both_read_the_parameter_in_force_on_the_day(cast: Cast) -> None:
    """A later rule does not touch earlier accidents; one in force on the day does."""
    key = accident_threshold(AccidentClass.LARGER, "deaths")
    old = Parameter.objects.get(key=key)
    words = {"unit": old.unit, "source": "示例", "status": old.status, "title_en": "x", "title_zh": "例"}
    Parameter.objects.filter(pk=old.pk).update(effective_to=date(2026, 6, 30))
    Parameter.objects.create(key=key, value="2", effective_from=date(2026, 7, 1), **words)
    Parameter.objects.filter(key=accident_threshold(AccidentClass.MAJOR, "deaths")).update(
        effective_to=date(2026, 12, 31)
    )
    Parameter.objects.create(
        key=accident_threshold(AccidentClass.MAJOR, "deaths"),
        value="5",
        effective_from=date(2027, 1, 1),
        **words,
    )
    limits = thresholds()
    assert limits[key] == 2
    for row in deliver(cast):
        expected = accident_class(row.deaths, row.serious_injuries, row.direct_loss, thresholds=limits)
        assert row.accident_class == expected, row
