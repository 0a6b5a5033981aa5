"""Alerts over the platform's own figures, and over the calendar everything is counted by."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from anze.kernel.alert import AlertLevel, AlertRule, declare
from anze.kernel.duty import Party

# each insurer's own cell of the province, the months of the year so far added up
_YEAR = "date_trunc('year', {today}::timestamp)::date"

PAYOUT_HIGH = declare(
    AlertRule(
        code="PAYOUT_HIGH",
        title=_("Claims above the premium"),
        level=AlertLevel.GENERAL,
        parties=(Party.FINANCIAL,),
        why=_("%(name)s: %(incurred)s yuan of claims on %(premium)s yuan of premium this year, %(percent)s %%."),
        remedy=_("Open the insurer"),
        page="insurer",
        permission="SEE_PREMIUMS",
        rows="(SELECT insurer_id, region_code, sum(incurred) AS incurred, sum(premium) AS premium "
        f"FROM monitoring_moneycell WHERE month >= {_YEAR} AND region_code LIKE '__0000' AND sector = '' "
        "AND insurer_id IS NOT NULL GROUP BY insurer_id, region_code) m "
        "JOIN parties_organisation o ON o.id = m.insurer_id WHERE m.premium > 0 AND m.incurred > m.premium * ({high})",
        subject="m.insurer_id",
        episode=_YEAR,
        begins=_YEAR,
        ends=f"({_YEAR} + interval '1 year')::date",
        label="o.name",
        scope={"insurer_id": "m.insurer_id", "region_code": "m.region_code"},
        facts={
            "name": "o.name",
            "incurred": "m.incurred",
            "premium": "m.premium",
            "percent": "round(100 * m.incurred / m.premium, 1)",
        },
        thresholds={"high": "alert.payout_high_ratio"},
    )
)

PAYOUT_ZERO = declare(
    AlertRule(
        code="PAYOUT_ZERO",
        title=_("Years of premium and never a claim paid"),
        level=AlertLevel.GENERAL,
        parties=(Party.FINANCIAL,),
        why=_("%(name)s: %(premium)s yuan of premium since %(since)s, and no claim incurred."),
        remedy=_("Open the insurer"),
        page="insurer",
        permission="SEE_PREMIUMS",
        rows="(SELECT insurer_id, region_code, min(month) AS first_on, sum(premium) AS premium FROM monitoring_moneycell "
        "WHERE region_code LIKE '__0000' AND sector = '' AND insurer_id IS NOT NULL GROUP BY insurer_id, region_code) m "
        "JOIN parties_organisation o ON o.id = m.insurer_id WHERE m.premium > 0 AND NOT EXISTS "
        "(SELECT FROM monitoring_moneycell c WHERE c.insurer_id = m.insurer_id AND c.region_code = m.region_code "
        "AND c.sector = '' AND c.incurred <> 0 AND c.month >= {today} - make_interval(years => ({years})::int))",
        subject="m.insurer_id",
        begins="(m.first_on + make_interval(years => ({years})::int))::date",
        label="o.name",
        scope={"insurer_id": "m.insurer_id", "region_code": "m.region_code"},
        facts={"name": "o.name", "premium": "m.premium", "since": "m.first_on"},
        thresholds={"years": "alert.payout_zero_years"},
    )
)

REPORTING_LATE = declare(
    AlertRule(
        code="REPORTING_LATE",
        title=_("Many records reported late"),
        level=AlertLevel.GENERAL,
        parties=(Party.INSURER, Party.COMMITTEE),
        why=_("%(name)s reported %(late)s of %(all)s records of %(month)s late (%(percent)s %% in time)."),
        remedy=_("Open the insurer and its reporting clock"),
        page="insurer",
        rows="(SELECT insurer_id, region_code, month, sum(reported) AS reported, sum(on_time) AS on_time "
        "FROM monitoring_timelinesscell WHERE region_code LIKE '__0000' AND sector = '' AND insurer_id IS NOT NULL "
        "GROUP BY insurer_id, region_code, month) m JOIN parties_organisation o ON o.id = m.insurer_id "
        "WHERE m.reported >= ({least}) AND m.on_time < m.reported * ({low})",
        subject="m.insurer_id",
        episode="m.month",
        begins="(m.month + interval '1 month')::date",
        ends="(m.month + interval '3 months')::date",
        open_if="m.month >= {today} - 130",
        label="o.name",
        scope={"insurer_id": "m.insurer_id", "region_code": "m.region_code"},
        facts={
            "name": "o.name",
            "late": "m.reported - m.on_time",
            "all": "m.reported",
            "month": "to_char(m.month, 'YYYY-MM')",
            "percent": "round(100.0 * m.on_time / m.reported, 1)",
        },
        thresholds={"least": "alert.reporting_least_records", "low": "alert.reporting_low_ratio"},
    )
)

CALENDAR_MISSING = declare(
    AlertRule(
        code="CALENDAR_MISSING",
        title=_("Holiday notice of the next year missing"),
        level=AlertLevel.IMPORTANT,
        parties=(Party.PLATFORM,),
        why=_(
            "The working days of %(year)s are not published on the platform: deadlines past the year are "
            "provisional. Install the release that brings its holiday notice."
        ),
        remedy=_("Open the calendar"),
        page="calendar",
        rows="(SELECT min(id::text)::uuid AS id FROM parties_organisation WHERE kind = 'PLATFORM' OR kind = 'EMA') o "
        "CROSS JOIN (SELECT (date_trunc('year', {today}::timestamp) + interval '1 year')::date AS next_on) y "
        "WHERE o.id IS NOT NULL AND NOT EXISTS (SELECT FROM kernel_calendarday d "
        "WHERE d.day = y.next_on AND d.status = 'CONFIRMED')",
        subject="o.id",
        episode="y.next_on",
        begins="y.next_on - ({days})::int",
        ends="y.next_on",
        due="y.next_on - 1",
        label="to_char(y.next_on, 'YYYY')",
        facts={"year": "to_char(y.next_on, 'YYYY')"},
        thresholds={"days": "alert.calendar_missing_days"},
    )
)
