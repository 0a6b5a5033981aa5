"""What other thresholds would have given: the causes of a past year, counted by the month in which each began."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db import connection

from anze.kernel.alert import AlertRule
from anze.kernel.parameters import numbers
from anze.monitoring.alerting import filled

YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Trial:
    """Alerts a month, with the numbers in force and with those proposed."""

    months: tuple[tuple[date, int, int], ...]

    @property
    def present(self) -> int:
        return sum(month[1] for month in self.months)

    @property
    def proposed(self) -> int:
        return sum(month[2] for month in self.months)


def can_be_tried(rule: AlertRule) -> bool:
    """Whether the rule can be asked about the past at all: some look at the present day only."""
    texts = (rule.rows, rule.begins, rule.ends, rule.subject, rule.episode)
    return bool(rule.thresholds) and not any("{today}" in text for text in texts)


def tried(rule: AlertRule, *, key: str, region_code: str, value: Decimal, today: date) -> Trial:
    """The last year under both; in the asking reader's scope, so that everybody sees his own region's."""
    present = numbers(today, rule.thresholds.values())
    proposed = {**present, key: {**present[key], region_code: value}}
    before, after = (_by_month(rule, values, today) for values in (present, proposed))
    months = sorted({*before, *after})
    return Trial(tuple((month, before.get(month, 0), after.get(month, 0)) for month in months))


def _by_month(rule: AlertRule, values: Mapping[str, Mapping[str, Decimal]], today: date) -> dict[date, int]:
    since = today - YEAR
    within = f"begins BETWEEN date '{since}' AND date '{today}' AND (ends IS NULL OR ends > begins)"
    text = rule.causes(filled(rule, values), today, where=within)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT date_trunc('month', begins)::date, count(*) FROM ({text}) t GROUP BY 1")
        return dict(cursor.fetchall())
