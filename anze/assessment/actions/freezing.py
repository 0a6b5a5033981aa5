"""Fixing the data of a period: every row that counts, or was left out, is written down once with its content's hash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import connection, models

from anze.assessment.definitions import COLUMNS, PARTY, Period, contents, row_statements
from anze.assessment.models import Campaign, FrozenRow
from anze.assessment.rules import SubjectKind
from anze.assessment.rules.campaigns import CAMPAIGN
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.kernel.planning import planned_by_hashing
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.rules import Permission

# the line of a row as it is hashed and as it stands in the evidence pack
LINE = (
    "json_build_array(id, input, source, row_id, label, region_code, trim_scale(numerator)::text, "
    "trim_scale(denominator)::text, reason, content)::text"
)
CASE_ROWS = """
    SELECT 'case.' || c.code, 'cases', c.id, c.document_no, NULL::uuid, c.region_code, '', c.insurer_id, c.agency_id,
           1::numeric, 0::numeric, '', c.expert_id
    FROM assessment_conductcase c
    WHERE {holds} AND c.happened_on BETWEEN DATE '{first}' AND DATE '{last}'
      AND c.{party} IS NOT NULL AND (c.expert_id IS NOT NULL) = ('{party}' = 'expert_id')
"""


def period_of(campaign: Campaign, at: datetime) -> Period:
    """The period, counted up to its end, or up to yesterday while it is not over: today's data still come in."""
    yesterday = beijing_day(at) - timedelta(days=1)
    return Period(campaign.period_from, campaign.period_to, min(campaign.period_to, yesterday))


def statements(
    subject: str,
    period: Period,
    of: UUID | None = None,
    known: Callable[[type[models.Model]], str] | None = None,
    at: datetime | None = None,
) -> list[str]:
    """The rows of every input and of the confirmed cases; with `known` as they were known, the cases up to `at`."""
    party, holds = PARTY[SubjectKind(subject)], "c.withdrawn_at IS NULL"
    if at is not None:
        moment = f"TIMESTAMPTZ '{at.isoformat()}'"
        holds = f"c.confirmed_at <= {moment} AND (c.withdrawn_at IS NULL OR c.withdrawn_at > {moment})"
    cases = CASE_ROWS.format(first=period.first, last=period.last, party=party, holds=holds)
    if of is not None:
        cases += f" AND c.{party} = '{of}'"
    return [*row_statements(subject, period, of, known), cases]


@action(Permission.RUN_ASSESSMENT, "assessment.frozen")
def freeze(campaign: Campaign, *, by: Actor, at: datetime) -> Campaign:
    """Write down what counts. Later corrections of records do not move the assessment."""
    period = period_of(campaign, at)
    with widened(EVERYTHING):
        with connection.cursor() as cursor, planned_by_hashing(cursor):
            for text in statements(campaign.subject, period):
                cursor.execute(
                    f"INSERT INTO {FrozenRow._meta.db_table} (campaign_id, {', '.join(COLUMNS)}, content) "
                    f"SELECT '{campaign.pk}', {_with_content(text)}"
                )
        digests = digests_of(campaign)
        CAMPAIGN.move(
            campaign,
            "freeze",
            as_of=period.as_of,
            frozen_at=at,
            frozen_by=by.name[:120],
            frozen_rows=FrozenRow.objects.filter(campaign=campaign).count(),
            frozen_sha256=digest_of(digests),
        )
    return campaign


def _with_content(text: str) -> str:
    """The rows with the hash of the record's content as it stands."""
    names = ", ".join(COLUMNS)
    joins, shown = [], []
    for place, (name, table) in enumerate(contents().items()):
        if f"'{name}'" in text:
            alias = f"k{place}"
            joins.append(f"LEFT JOIN {table} {alias} ON r.source = '{name}' AND {alias}.id = r.row_id")
            shown.append(f"{alias}.content_hash")
    content = f"coalesce({', '.join(shown)}, '')" if shown else "''"
    listed = ", ".join(f"r.{name}" if name != "label" else "left(r.label, 120)" for name in COLUMNS)
    return f"{listed}, {content} FROM ({text}) r ({names}) {' '.join(joins)}"


def digests_of(campaign: Campaign) -> dict[str, str]:
    """Party → SHA-256 of all its lines, in the order of the evidence pack."""
    party = PARTY[SubjectKind(campaign.subject)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT o.code, encode(sha256(convert_to(string_agg({LINE} || E'\\n', '' ORDER BY f.input, f.id), "
            f"'UTF8')), 'hex') FROM {FrozenRow._meta.db_table} f "
            f"JOIN (SELECT id AS party, code FROM parties_organisation "
            f"UNION ALL SELECT id, number FROM parties_expert) o ON o.party = f.{party} "
            "WHERE campaign_id = %s GROUP BY o.code",
            [campaign.pk],
        )
        return dict(sorted(cursor.fetchall()))


def digest_of(digests: dict[str, str]) -> str:
    return hashlib.sha256("".join(f"{code} {digest}\n" for code, digest in digests.items()).encode()).hexdigest()


def year_of(day: date) -> tuple[date, date]:
    return date(day.year, 1, 1), date(day.year, 12, 31)
