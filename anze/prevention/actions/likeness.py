"""Finding reports that say the same soon after they arrive, set-based; and what a person decides about them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import connection
from django.db.models import Q

from anze.evidence.actions.matching import judge, scope_around
from anze.evidence.rules import MatchState
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.kernel.models import parameter
from anze.kernel.planning import planned_by_hashing
from anze.parties.rules import Permission
from anze.prevention.models import Likeness, ReportText, Service
from anze.prevention.rules.likeness import COMMON, LEAST_OWN, digest, likeness, likeness_grade, sketch

MOST = 5  # other reports named for one; more say nothing new
AT_ONCE = 500  # texts in memory

# texts that are new, or of another version of their service than the one that was looked at
_CHANGED = """
SELECT s.id, s.version, s.report_text, t.digest
  FROM prevention_service s LEFT JOIN prevention_reporttext t ON t.service_id = s.id
 WHERE s.report_text <> '' AND NOT s.is_void AND (t.id IS NULL OR t.service_version <> s.version)
"""

# All passages of the reports of the last years, once: those that stand in very many belong to a template and say
# nothing; of the others a report must share half. The same letters throughout are found even where a text has been
# copied so often that it looks like a template itself.
_PAIRS = """
WITH fresh AS MATERIALIZED (
    SELECT service_id, digest, keys FROM prevention_reporttext WHERE NOT is_compared
), pool AS MATERIALIZED (
    SELECT t.service_id, key FROM prevention_reporttext t JOIN prevention_service s ON s.id = t.service_id, unnest(t.keys) key
     WHERE NOT s.is_void AND s.performed_on >= %(since)s AND key IN (SELECT unnest(keys) FROM fresh)
), own AS MATERIALIZED (
    SELECT key FROM pool GROUP BY key HAVING count(*) <= %(common)s
), asked AS MATERIALIZED (
    SELECT f.service_id, key, count(*) OVER (PARTITION BY f.service_id) AS words
      FROM fresh f, unnest(f.keys) key WHERE key IN (SELECT key FROM own)
), shared AS (
    SELECT a.service_id AS one, p.service_id AS other, count(*) AS words
      FROM asked a JOIN pool p ON p.key = a.key AND p.service_id <> a.service_id
     WHERE a.words >= %(least)s
     GROUP BY a.service_id, p.service_id, a.words HAVING count(*) * 2 >= a.words
), same AS (
    SELECT f.service_id AS one, o.service_id AS other, 1000 AS words
      FROM fresh f JOIN LATERAL (
          SELECT t.service_id FROM prevention_reporttext t JOIN prevention_service s ON s.id = t.service_id
           WHERE t.digest = f.digest AND t.service_id <> f.service_id AND NOT s.is_void AND s.performed_on >= %(since)s
           ORDER BY s.performed_on, s.id LIMIT %(most)s) o ON true
     WHERE f.digest <> ''
), ranked AS (
    SELECT one, other, row_number() OVER (PARTITION BY one ORDER BY max(words) DESC, other) AS place
      FROM (SELECT * FROM same UNION ALL SELECT * FROM shared) each_way GROUP BY one, other
)
SELECT one, other FROM ranked WHERE place <= %(most)s
"""


def look_for_likeness(*, at: datetime) -> int:
    """Compare the reports that came or changed since the last time with those of the last years; how many pairs are new.

    Must run with everything in view: whether another insurer's report says the same is the very question.
    """
    _note_texts()
    fresh = ReportText.objects.filter(is_compared=False)
    if not fresh.exists():  # nearly always: no report of the last years is opened for nothing
        return 0
    today = beijing_day(at)
    years = int(parameter("report_likeness_years", today))
    words: dict[str, date | int] = {
        "since": today - timedelta(days=366 * years),
        "common": COMMON,
        "least": LEAST_OWN,
        "most": MOST,
    }
    with connection.cursor() as cursor, planned_by_hashing(cursor):
        cursor.execute(_PAIRS, words)
        pairs = {(min(pair), max(pair)) for pair in cursor.fetchall()}
    least = float(parameter("report_likeness_least", today))
    before = Likeness.objects.count()
    ordered = sorted(pairs)
    for start in range(0, len(ordered), AT_ONCE):
        Likeness.objects.bulk_create(_alike(ordered[start : start + AT_ONCE], least, at), ignore_conflicts=True)
    fresh.update(is_compared=True)
    return Likeness.objects.count() - before


def _note_texts() -> None:
    """The hashes of new texts. Where one was changed, what was found about it and not yet judged is looked for anew."""
    with connection.cursor() as cursor:
        cursor.execute(_CHANGED)
        while rows := cursor.fetchmany(AT_ONCE):
            made, changed = [], []
            for service_id, version, text, known in rows:
                found = digest(text)
                # known and the same: another field of the service was changed
                is_same = known is not None and known == found != ""
                made.append(
                    ReportText(
                        service_id=service_id,
                        service_version=version,
                        digest=found,
                        keys=sketch(text),
                        is_compared=is_same,
                    )
                )
                if known is not None and not is_same:
                    changed.append(service_id)
            Likeness.objects.filter(Q(first__in=changed) | Q(second__in=changed), state=MatchState.OPEN).delete()
            ReportText.objects.bulk_create(
                made,
                update_conflicts=True,
                unique_fields=["service"],
                update_fields=["service_version", "digest", "keys", "is_compared"],
            )


def _alike(pairs: Iterable[tuple[UUID, UUID]], least: float, at: datetime) -> list[Likeness]:
    pairs = list(pairs)
    found = Service.objects.defer("opinion").in_bulk({each for pair in pairs for each in pair})
    made = []
    for one, other in pairs:
        first, second = sorted(
            (found[one], found[other]), key=lambda each: (each.performed_on, each.received_at, each.pk)
        )
        how = likeness(first.report_text, second.report_text)
        if how >= least:
            made.append(_pair(first, second, Decimal(str(round(how, 3))), at))
    return made


def _pair(first: Service, second: Service, how: Decimal, at: datetime) -> Likeness:
    return Likeness(
        first=first,
        second=second,
        likeness=how,
        grade=likeness_grade(
            other_party=first.insurer_id != second.insurer_id,
            other_enterprise=first.enterprise_id != second.enterprise_id,
        ),
        found_at=at,
        **scope_around(first, second),
    )


@action(Permission.REVIEW_EVIDENCE, "likeness.decided")
def decide_likeness(found: Likeness, *, by: Actor, at: datetime, decision: str, reason: str) -> Likeness:
    return judge(found, by=by, at=at, decision=decision, reason=reason)
