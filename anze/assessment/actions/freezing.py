"""Fixing the data of a period: every row that counts, or was left out, is written down once with its content's hash."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, models

from anze.assessment.definitions import COLUMNS, PARTY, Period, contents, row_statements
from anze.assessment.models import Campaign, FrozenRow
from anze.assessment.rules import SubjectKind
from anze.assessment.rules.campaigns import CAMPAIGN
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.beside import found_beside
from anze.kernel.duty import beijing_day
from anze.kernel.planning import planned_by_hashing
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.models import Expert, Organisation
from anze.parties.rules import Permission

_PIECE = 10_000  # rows at most in one value

# The line of a row as it is hashed and as it stands in the evidence pack: a JSON array. What can only be a number or
# one of our own words needs no escaping, and json_build_array, which escapes all, takes longer.
LINE = (
    "'[' || id || ', ' || to_json(input) || ', \"' || source || '\", ' || coalesce('\"' || row_id || '\"', 'null')"
    " || ', ' || to_json(label) || ', \"' || region_code || '\", \"' || trim_scale(numerator) || '\", \"'"
    " || trim_scale(denominator) || '\", \"' || reason || '\", \"' || content || '\"]'"
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
        columns, rows = ", ".join((*COLUMNS, "content")), 0
        # in the order they are read again, hashed, shown: what belongs together lies together
        party = PARTY[SubjectKind(campaign.subject)]
        with connection.cursor() as cursor, planned_by_hashing(cursor):
            for found in found_beside(cursor, map(_with_content, statements(campaign.subject, period))):
                cursor.execute(
                    f"INSERT INTO {FrozenRow._meta.db_table} (campaign_id, {columns}) "
                    f"SELECT '{campaign.pk}', {columns} FROM {found} ORDER BY {party}, input"
                )
                rows += cursor.rowcount
        digests = digests_of(campaign)
        CAMPAIGN.move(
            campaign,
            "freeze",
            as_of=period.as_of,
            frozen_at=at,
            frozen_by=by.name[:120],
            frozen_rows=rows,
            frozen_sha256=digest_of(digests),
        )
    return campaign


def _with_content(text: str) -> str:
    """The rows with the hash of the record's content as it stands."""
    names = ", ".join(COLUMNS)
    kept = " UNION ALL ".join(
        f"SELECT '{name}' AS source, id, content_hash FROM {table}"
        for name, table in contents().items()
        if f"'{name}'" in text
    )
    content = "coalesce(k.content_hash, '')" if kept else "''"
    joined = f"LEFT JOIN ({kept}) k ON k.source = r.source AND k.id = r.row_id" if kept else ""
    listed = ", ".join(f"r.{name}" if name != "label" else "left(r.label, 120) AS label" for name in COLUMNS)
    return f"SELECT {listed}, {content} AS content FROM ({text}) r ({names}) {joined}"


def lines_of(campaign: Campaign, party: UUID | None = None) -> Iterator[tuple[UUID, str]]:
    """Whose they are, and some frozen rows' lines with their ends, in the order of the evidence pack.

    Put together by the database, which spares the way of each, but piece by piece: a large insurer's year is more
    than one value of the database may hold."""
    column = PARTY[SubjectKind(campaign.subject)]
    whose = f"{column} = '{party}'" if party else f"{column} IS NOT NULL"
    with connection.chunked_cursor() as cursor:
        # by the index in its order, as they lie, rather than all read and then sorted
        with connection.cursor() as plain, planned_by_hashing(plain):
            cursor.execute(
                f"SELECT {column}, string_agg({LINE} || E'\\n', '' ORDER BY id) FROM {FrozenRow._meta.db_table} "
                f"WHERE campaign_id = %s AND {whose} GROUP BY {column}, input, id / {_PIECE} "
                f"ORDER BY {column}, input, id / {_PIECE}",
                [campaign.pk],
            )
        while found := cursor.fetchmany(10):
            yield from found


def digests_of(campaign: Campaign) -> dict[str, str]:
    """Party → SHA-256 of all its lines, hashed while the database puts together those that follow."""
    whole: dict[UUID, Any] = defaultdict(hashlib.sha256)
    with ThreadPoolExecutor(1) as thread:
        for party, lines in lines_of(campaign):
            thread.submit(whole[party].update, lines.encode())
    codes = dict(Organisation.objects.filter(pk__in=whole).values_list("pk", "code"))
    codes |= dict(Expert.objects.filter(pk__in=whole).values_list("pk", "number"))
    return dict(sorted((codes[party], digest.hexdigest()) for party, digest in whole.items()))


def digest_of(digests: dict[str, str]) -> str:
    return hashlib.sha256("".join(f"{code} {digest}\n" for code, digest in digests.items()).encode()).hexdigest()


def year_of(day: date) -> tuple[date, date]:
    return date(day.year, 1, 1), date(day.year, 12, 31)
