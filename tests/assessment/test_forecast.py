"""The forecast of the year so far equals the official score on the same data."""

from __future__ import annotations

from datetime import date

from anze.assessment.actions.course import Setting, compute, set_up
from anze.assessment.actions.forecasts import forecast, forecast_all
from anze.assessment.actions.freezing import freeze
from anze.assessment.models import Forecast, Outcome, Scheme, Tally
from tests.assessment.conftest import AT, BY


def test_forecast_and_official_score_agree_for_everybody_and_every_city(world):
    forecast_all(at=AT)
    scheme = Scheme.objects.get(code="EXAMPLE-INSURER")
    campaign = set_up(Setting("2026", scheme, date(2026, 1, 1), date(2026, 12, 31)), by=BY, at=AT)
    compute(freeze(campaign, by=BY, at=AT), by=BY, at=AT)
    outcomes = Outcome.objects.filter(campaign=campaign)
    forecasts = {
        (row.organisation_id, row.region_code): row for row in Forecast.objects.filter(insurer_id__isnull=False)
    }
    sums = {(t.insurer_id, t.region_code): t.measures for t in Tally.objects.filter(campaign=campaign)}
    compared = 0
    for outcome in outcomes:
        row = forecasts.get((outcome.organisation_id, outcome.region_code))
        if row is not None:
            assert row.score == outcome.score
            own = sums[outcome.insurer_id, outcome.region_code]
            assert {k: v[:2] for k, v in row.measures.items()} == {k: v[:2] for k, v in own.items()}
            compared += 1
    assert compared >= 4


def test_ones_own_forecast_counted_alone_is_the_one_of_everybody(world):
    forecast_all(at=AT)
    before = {
        row.region_code: (row.score, row.measures) for row in Forecast.objects.filter(insurer_id=world.huaihai.pk)
    }
    forecast("INSURER", at=AT, of=world.huaihai.pk)
    after = {row.region_code: (row.score, row.measures) for row in Forecast.objects.filter(insurer_id=world.huaihai.pk)}
    assert after == before
    assert Forecast.objects.filter(insurer_id=world.bohai.pk).exists()
