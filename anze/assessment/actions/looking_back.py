"""The time machine: a result step by step as it came about, and as the records behind it are corrected by now.

The frozen rows stay, every correction of them keeps what stood before, and self-reports keep their history. So a score
is reckoned again for any moment by the very scoring that made it; nothing is kept for the purpose.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils.dateparse import parse_datetime

from anze.assessment.actions.forecasts import sums_now
from anze.assessment.actions.freezing import period_of, statements
from anze.assessment.actions.results import Sums, results_of, sums_of, told
from anze.assessment.definitions import COLUMNS, PARTY, Period, tables_read
from anze.assessment.models import Appeal, Correction, FrozenRow, Outcome, SelfReport
from anze.assessment.rules import Result, SchemeText, SubjectKind
from anze.assessment.rules.campaigns import AppealState, Level, ReportState
from anze.kernel.planning import planned_by_hashing
from anze.kernel.scope import EVERYTHING, widened
from anze.monitoring.known import tables_known

MOST_SHOWN = 200  # rows that make the difference, the largest first


class Cause(StrEnum):
    """What happened at a step. Those of the course move nothing by themselves."""

    COMPUTED = "COMPUTED"
    REPORTED = "REPORTED"
    REPORT_REVIEWED = "REPORT_REVIEWED"
    ROW_REVIEWED = "ROW_REVIEWED"
    PROVISIONAL = "PROVISIONAL"
    APPEAL = "APPEAL"
    FINAL = "FINAL"
    PUBLISHED = "PUBLISHED"


@dataclass(frozen=True)
class Moved:
    """An element whose points a step moved."""

    element: str
    before: Decimal
    after: Decimal


@dataclass(frozen=True)
class Step:
    at: datetime
    cause: Cause
    result: Result
    moved: tuple[Moved, ...] = ()
    change: Decimal = Decimal(0)  # of the score
    label: str = ""  # the record corrected, or the number of the appeal
    reasons: str = ""
    row: int | None = None
    appeal: UUID | None = None
    decision: str = ""


def moved_between(scheme: SchemeText, before: Result, after: Result) -> tuple[Moved, ...]:
    return tuple(
        Moved(element.code, before.of(element.code).points, after.of(element.code).points)
        for element in scheme.elements
        if before.of(element.code).points != after.of(element.code).points
    )


def steps_of(outcome: Outcome) -> list[Step]:
    """Every step from the computing on, each with the result after it. The last one is the result as it stands.

    Before the provisional result is announced nobody is scored anew: what reviewers found until then is shown when
    they found it, though it became the result with the announcement.
    """
    campaign = outcome.campaign
    if campaign.computed_at is None:
        return []
    scheme, party = campaign.scheme.text, outcome.party
    key = (party, outcome.region_code)
    with transaction.atomic(), widened(EVERYTHING):
        sums = sums_of(campaign, party, is_corrected=False).get(key, Sums())
        changes = sorted(_changes(outcome), key=lambda each: (each.at, each.place))
    report = SelfReport(state=ReportState.DRAFT)
    found: list[Step] = []
    for change in changes:
        for correction in change.corrections:
            _apply(sums, correction)
        report = change.report or report
        now = _scored(scheme, key, sums, party, report)
        before = found[-1].result if found else now
        found.append(
            Step(
                change.at, change.cause, now, moved_between(scheme, before, now), now.score - before.score,
                change.label, change.reasons, change.row, change.appeal, change.decision,
            )
        )  # fmt: skip
    return found


def standing_on(steps: Iterable[Step], at: datetime) -> Step | None:
    """The last step up to a moment."""
    return next((step for step in reversed(list(steps)) if step.at <= at), None)


def known_on(outcome: Outcome, at: datetime) -> Result | None:
    """What it would have come to at a moment before the data were frozen, by the records as they were known then.

    Tables that keep no history give the rows that were there, as they are by now; the page names them.
    """
    campaign, party = outcome.campaign, outcome.party
    period = period_of(campaign, at)
    if period.as_of < period.first:
        return None
    key = (party, outcome.region_code)
    with (
        transaction.atomic(),
        widened(EVERYTHING),
        connection.cursor() as cursor,
        planned_by_hashing(cursor),
    ):
        words = set(re.findall(r"\w+", " ".join(statements(campaign.subject, period, party))))
        of = (PARTY[SubjectKind(campaign.subject)], party)
        known = tables_known(cursor, tables_read(campaign.subject), at, words, of)
        sums = sums_now(campaign.subject, period, party, known=known, at=at).get(key, Sums())
    return _scored(campaign.scheme.text, key, sums, party, SelfReport(state=ReportState.DRAFT))


def _scored(scheme: SchemeText, key: tuple[UUID, str], sums: Sums, party: UUID, report: SelfReport) -> Result:
    whole = {key: deepcopy(sums)}
    told(scheme, whole, {party: report})
    return results_of(scheme, whole)[key]


@dataclass(frozen=True)
class _Change:
    at: datetime
    place: int  # of what happens at the same moment
    cause: Cause
    corrections: tuple[Correction, ...] = ()
    report: SelfReport | None = None
    label: str = ""
    reasons: str = ""
    row: int | None = None
    appeal: UUID | None = None
    decision: str = ""


def _changes(outcome: Outcome) -> Iterator[_Change]:
    campaign = outcome.campaign
    party = {PARTY[SubjectKind(campaign.subject)]: outcome.party}
    for cause, at, place in (
        (Cause.COMPUTED, campaign.computed_at, 0),
        (Cause.PROVISIONAL, campaign.provisional_at, 4),
        (Cause.FINAL, campaign.final_at, 6),
        (Cause.PUBLISHED, campaign.published_at, 7),
    ):
        if at is not None:
            yield _Change(at, place, cause)
    appeals = {each.pk: each for each in Appeal.objects.filter(campaign=campaign, **party)}
    corrections = Correction.objects.filter(campaign=campaign, **party)
    if outcome.level == Level.CITY:
        corrections = corrections.filter(region_code__startswith=outcome.region_code[:4])
    by_appeal: dict[UUID, list[Correction]] = {}
    reviewed: list[Correction] = []
    for each in corrections.order_by("id"):
        (by_appeal.setdefault(each.appeal_id, []) if each.appeal_id else reviewed).append(each)
    labels = dict(FrozenRow.objects.filter(pk__in=[each.row_id for each in reviewed]).values_list("pk", "label"))
    for each in reviewed:
        yield _Change(
            each.at, 3, Cause.ROW_REVIEWED, (each,), label=labels[each.row_id], reasons=each.reasons, row=each.row_id
        )
    reports = list(_reports(outcome))
    for made in appeals.values():
        moved = tuple(by_appeal.pop(made.pk, ()))
        if made.state == AppealState.OPEN or made.decided_at is None:
            continue
        anew = None
        if campaign.scheme.text.is_checklist(made.element):
            anew = next((each for each in reversed(reports) if each.reviewed_at == made.decided_at), None)
            reports = [each for each in reports if each is not anew]
        if moved or anew or outcome.level == Level.PROVINCE:
            yield _Change(
                made.decided_at, 5, Cause.APPEAL, moved, anew, made.number, made.reasons, None, made.pk,
                made.get_state_display(),
            )  # fmt: skip
    for report in reports:
        if report.state == ReportState.REVIEWED and report.reviewed_at is not None:
            yield _Change(report.reviewed_at, 2, Cause.REPORT_REVIEWED, report=report)
        elif report.submitted_at is not None:
            yield _Change(report.submitted_at, 1, Cause.REPORTED, report=report)


def _reports(outcome: Outcome) -> Iterator[SelfReport]:
    """The self-report as it stood after each step of its own."""
    province = {"campaign": outcome.campaign, **outcome.who, "level": Level.PROVINCE}
    present = SelfReport.objects.filter(outcome__in=Outcome.objects.filter(**province)).first()
    if present is None:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT before FROM kernel_change WHERE row_id = %s ORDER BY id", [present.pk])
        images = [json.loads(row[0]) if isinstance(row[0], str) else row[0] for row in cursor.fetchall()]
    versions = [
        SelfReport(
            state=image["state"],
            met=image["met"],
            confirmed=image["confirmed"],
            submitted_at=parse_datetime(image["submitted_at"] or ""),
            reviewed_at=parse_datetime(image["reviewed_at"] or ""),
        )
        for image in images
    ]
    last: tuple[Any, ...] = ()
    for version in (*versions, present):
        said = (version.state, version.met, version.confirmed)
        if version.state != ReportState.DRAFT and said != last:
            last = said
            yield version


def _apply(sums: Sums, correction: Correction) -> None:
    numerator = correction.numerator - correction.numerator_before
    denominator = correction.denominator - correction.denominator_before
    if correction.input.startswith("case."):
        code = correction.input.removeprefix("case.")
        sums.cases[code] = sums.cases.get(code, 0) + int(numerator)
        return
    kept = sums.measures.setdefault(correction.input, ["0", "0", 0, 0])
    kept[0], kept[1] = str(Decimal(kept[0]) + numerator), str(Decimal(kept[1]) + denominator)


# as the records are corrected by now ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Changed:
    """A row that counts otherwise by now than in the result."""

    input: str
    source: str
    row_id: UUID | None
    label: str
    enterprise_id: UUID | None
    region_code: str
    was: tuple[Decimal, Decimal] | None  # None: it was not there when the data were frozen
    now: tuple[Decimal, Decimal] | None  # None: it counts no longer
    reason_was: str
    reason_now: str


@dataclass(frozen=True)
class Today:
    before: Result  # as the assessment has it
    result: Result
    moved: tuple[Moved, ...]
    changed: tuple[Changed, ...]
    changed_count: int


_KEY = ("input", "source", "row_id", "label", "enterprise_id", "region_code", "sector")
_COMPARED = """
    CREATE TEMP TABLE then_and_now ON COMMIT DROP AS
    SELECT {both}, w.num AS num_was, w.den AS den_was, w.reason AS reason_was,
           CASE WHEN (n.num, n.den) = (w.frozen_num, w.frozen_den) THEN w.num ELSE n.num END AS num_now,
           CASE WHEN (n.num, n.den) = (w.frozen_num, w.frozen_den) THEN w.den ELSE n.den END AS den_now,
           n.reason AS reason_now
    FROM (
        SELECT {keys}, sum(f.numerator) AS frozen_num, sum(f.denominator) AS frozen_den, min(f.reason) AS reason,
               sum(coalesce(c.numerator, f.numerator)) AS num, sum(coalesce(c.denominator, f.denominator)) AS den
        FROM {frozen} f LEFT JOIN (
            SELECT DISTINCT ON (row_id) row_id AS of_row, numerator, denominator FROM {corrections}
            WHERE campaign_id = %(campaign)s ORDER BY row_id, id DESC) c ON c.of_row = f.id
        WHERE f.campaign_id = %(campaign)s AND f.{party} = %(party)s AND f.region_code LIKE %(region)s
        GROUP BY {keys}
    ) w FULL JOIN (
        SELECT {keys}, sum(numerator) AS num, sum(denominator) AS den, min(reason) AS reason FROM rows_now
        WHERE {party} = %(party)s AND region_code LIKE %(region)s GROUP BY {keys}
    ) n ON {same}
"""


def as_of_today(outcome: Outcome) -> Today:
    """The result if its rows were taken from the records as they are now, counted up to the same day.

    What reviewers and appeals found about a row holds as long as its record still says what it said then.
    """
    campaign = outcome.campaign
    scheme, party = campaign.scheme.text, outcome.party
    assert campaign.as_of is not None
    column = PARTY[SubjectKind(campaign.subject)]
    region = "%" if outcome.level == Level.PROVINCE else f"{outcome.region_code[:4]}%"
    period = Period(campaign.period_from, campaign.period_to, campaign.as_of)
    names = ", ".join(COLUMNS)
    given = ", ".join({"label": "left(label, 120)", "numerator": "numerator::numeric(20, 4)",
                       "denominator": "denominator::numeric(20, 4)"}.get(name, name) for name in COLUMNS)  # fmt: skip
    with transaction.atomic(), widened(EVERYTHING), connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMP TABLE rows_now ON COMMIT DROP AS SELECT {names} FROM {FrozenRow._meta.db_table} LIMIT 0"
        )
        for text in statements(campaign.subject, period, party):
            cursor.execute(f"INSERT INTO rows_now ({names}) SELECT {given} FROM ({text}) t ({names})")
        cursor.execute("ANALYZE rows_now")
        cursor.execute(
            _COMPARED.format(
                both=", ".join(f"coalesce(w.{name}, n.{name}) AS {name}" for name in _KEY),
                keys=", ".join(_KEY),
                frozen=FrozenRow._meta.db_table,
                corrections=Correction._meta.db_table,
                party=column,
                same=" AND ".join(f"coalesce(w.{name}::text, '') = coalesce(n.{name}::text, '')" for name in _KEY),
            ),
            {"campaign": campaign.pk, "party": party, "region": region},
        )
        sums = _sums_now(cursor)
        cursor.execute("SELECT count(*) FROM then_and_now WHERE (num_was, den_was) IS DISTINCT FROM (num_now, den_now)")
        count = cursor.fetchone()[0]
        cursor.execute(
            "SELECT input, source, row_id, label, enterprise_id, region_code, num_was, den_was, num_now, den_now, "
            "coalesce(reason_was, ''), coalesce(reason_now, '') FROM then_and_now "
            "WHERE (num_was, den_was) IS DISTINCT FROM (num_now, den_now) ORDER BY "
            "abs(coalesce(num_now, 0) - coalesce(num_was, 0)) + abs(coalesce(den_now, 0) - coalesce(den_was, 0)) DESC, "
            f"input, label LIMIT {MOST_SHOWN}"
        )
        changed = tuple(_changed(row) for row in cursor.fetchall())
        report = SelfReport.objects.filter(campaign=campaign, **{column: party}).first()
        cursor.execute("DROP TABLE rows_now, then_and_now")
    key = (party, outcome.region_code)
    now = _scored(scheme, key, sums, party, report or SelfReport(state=ReportState.DRAFT))
    before = steps_of(outcome)[-1].result
    return Today(before, now, moved_between(scheme, before, now), changed, count)


def _sums_now(cursor: Any) -> Sums:
    cursor.execute(
        "SELECT input, sum(num_now), sum(den_now), count(*) FILTER (WHERE num_now <> 0 OR den_now <> 0), "
        "count(*) FILTER (WHERE num_now = 0 AND den_now = 0) FROM then_and_now WHERE num_now IS NOT NULL GROUP BY input"
    )
    sums = Sums()
    for code, numerator, denominator, counted, left_out in cursor.fetchall():
        if code.startswith("case."):
            sums.cases[code.removeprefix("case.")] = int(numerator)
        else:
            sums.measures[code] = [str(numerator), str(denominator), counted, left_out]
    return sums


def _changed(row: tuple[Any, ...]) -> Changed:
    code, source, row_id, label, enterprise, region, num_was, den_was, num_now, den_now, reason_was, reason_now = row
    return Changed(
        code, source, row_id, label, enterprise, region,
        None if num_was is None else (num_was, den_was), None if num_now is None else (num_now, den_now),
        reason_was, reason_now,
    )  # fmt: skip
