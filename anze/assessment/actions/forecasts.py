"""Where somebody would stand if the year ended today: the same rows and the same scoring, nothing frozen."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q

from anze.assessment.actions.freezing import statements, year_of
from anze.assessment.actions.results import BY_CITY, Key, Sums, assessed, collected, columns_of, told
from anze.assessment.definitions import COLUMNS, PARTY, Period
from anze.assessment.models import Forecast, Scheme, SelfReport
from anze.assessment.rules import SchemeState, SubjectKind, score
from anze.assessment.rules.campaigns import ReportState
from anze.kernel.duty import beijing_day
from anze.kernel.planning import planned_by_hashing
from anze.kernel.scope import PROVINCE


def scheme_in_force(subject: str, at: datetime) -> Scheme | None:
    """The scheme of today: the latest issued version valid on this day."""
    today = beijing_day(at)
    return (
        Scheme.objects.filter(
            Q(valid_to__isnull=True) | Q(valid_to__gte=today),
            subject=subject,
            state=SchemeState.ISSUED,
            valid_from__lte=today,
        )
        .order_by("is_example", "-version")
        .first()
    )


def sums_now(subject: str, period: Period, of: UUID | None = None, **known: Any) -> dict[Key, Sums]:
    """What would be frozen now, added up without being written down; with `known` and `at` (see `statements`) what
    would have been frozen then."""
    party = PARTY[SubjectKind(subject)]
    names = ", ".join(COLUMNS)
    found: dict[Key, Sums] = {}
    with connection.cursor() as cursor, nullcontext() if of else planned_by_hashing(cursor):
        for text in statements(subject, period, of, **known):
            rows = (
                f"SELECT {party}, left(region_code, 4) || '00' AS city, input, numerator::numeric(20, 4) AS numerator, "
                f"denominator::numeric(20, 4) AS denominator FROM ({text}) t ({names}) WHERE {party} IS NOT NULL"
            )
            cursor.execute(BY_CITY.format(party=party, rows=rows))
            for key, sums in collected(cursor.fetchall()).items():
                kept = found.setdefault(key, Sums())
                kept.measures |= sums.measures
                kept.cases |= sums.cases
    return found


def present_period(at: datetime) -> Period:
    """This year up to yesterday."""
    as_of = beijing_day(at) - timedelta(days=1)
    first, last = year_of(as_of)
    return Period(first, last, as_of)


def _last_reports(subject: str) -> dict[UUID, SelfReport]:
    """Everybody's last self-report that was reviewed: it stands until there is another."""
    found: dict[UUID, SelfReport] = {}
    rows = SelfReport.objects.filter(campaign__subject=subject, state=ReportState.REVIEWED)
    for report in rows.order_by("campaign__period_to"):
        found[report.party] = report
    return found


def forecast(
    subject: str, *, at: datetime, of: UUID | None = None, reports: Mapping[UUID, SelfReport] | None = None
) -> int:
    """Count and keep where one, or everybody of a kind, would stand. The scope must be everything."""
    scheme = scheme_in_force(subject, at)
    if scheme is None:
        return 0
    text, period = scheme.text, present_period(at)
    sums = sums_now(subject, period, of)
    told(text, sums, _last_reports(subject) if reports is None else reports)
    parties = assessed(subject)
    made = [
        Forecast(
            scheme=scheme,
            region_code=key[1],
            period_from=period.first,
            as_of=period.as_of,
            made_at=at,
            measures=found.measures,
            cases=found.cases,
            score=score(text, found.as_measures(), found.cases).score,
            **columns_of(parties[key[0]]),
        )
        for key, found in sums.items()
        if key[0] in parties and (key[1] == PROVINCE or not key[1].endswith("0000"))
    ]
    old = Forecast.objects.filter(scheme__subject=subject)
    (old.filter(**{PARTY[SubjectKind(subject)]: of}) if of else old).delete()
    Forecast.objects.bulk_create(made, batch_size=500)
    return len(made)


def forecast_all(*, at: datetime) -> int:
    return sum(forecast(subject, at=at) for subject in SubjectKind.values)
