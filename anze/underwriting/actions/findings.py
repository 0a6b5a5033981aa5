"""Finding what is wrong with cover, reminding, answering and closing."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Case, F, Q, QuerySet, When
from django.utils.translation import gettext_lazy as _

from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day, load_calendar
from anze.kernel.models import parameter, parameter_text
from anze.kernel.planning import planned_by_hashing
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.rules import Permission
from anze.underwriting.actions.register import dispute_entry, side_of
from anze.underwriting.models import Finding, FindingNote, Obligation, Substitute
from anze.underwriting.models.looking import looked_at
from anze.underwriting.rules import (
    CLOSINGS,
    DISPUTES,
    FINDING,
    REPLY_FINDING,
    WITH_DAY,
    Answer,
    Closing,
    FindingState,
    NoteKind,
)

MOST = 5000  # reminded at once


@dataclass(frozen=True)
class Looked:
    """What came of looking: findings new, changed and gone."""

    opened: int
    changed: int
    closed: int


_VALUES = "insurer_id, obligation_id, policy_id, since_on, measured, required, note"
_PLACE = "enterprise_id, region_code, sector"
# one subject may be wrong in one way only once: of two gaps the later stands
_KEEP = "CREATE TEMP TABLE wrong ON COMMIT DROP AS SELECT DISTINCT ON (kind, subject) * FROM ({}) w ORDER BY kind, subject, since_on DESC"
_CHANGE = f"""
UPDATE underwriting_finding f SET ({_VALUES}, {_PLACE}) = (SELECT {
    ", ".join(f"w.{name.strip()}" for name in f"{_VALUES}, {_PLACE}".split(","))
})
FROM wrong w WHERE f.kind = w.kind AND f.subject = w.subject AND f.state <> 'CLOSED'
AND (f.insurer_id, f.policy_id, f.since_on, f.measured, f.required, f.note, f.enterprise_id, f.region_code, f.sector)
    IS DISTINCT FROM (w.insurer_id, w.policy_id, w.since_on, w.measured, w.required, w.note, w.enterprise_id,
                      w.region_code, w.sector)
"""
# what a person closed for a reason stays closed while its cause is the same one
_OPEN = f"""
INSERT INTO underwriting_finding (kind, subject, state, opened_at, {_VALUES}, {_PLACE})
SELECT w.kind, w.subject, 'OPEN', %(at)s, {", ".join(f"w.{name.strip()}" for name in f"{_VALUES}, {_PLACE}".split(","))}
FROM wrong w WHERE NOT EXISTS (
    SELECT FROM underwriting_finding f WHERE f.kind = w.kind AND f.subject = w.subject
    AND (f.state <> 'CLOSED' OR (f.closing <> 'GONE' AND f.since_on = w.since_on)))
ON CONFLICT DO NOTHING
"""
_CLOSE = """
UPDATE underwriting_finding f SET state = 'CLOSED', closing = 'GONE', closed_at = %(at)s
WHERE f.state <> 'CLOSED'{narrowed}
AND NOT EXISTS (SELECT FROM wrong w WHERE w.kind = f.kind AND w.subject = f.subject)
"""


def look_for_findings(*, at: datetime, enterprises: Collection[UUID] | None = None) -> Looked:
    """Compare what is wrong today with what is on file: open, change and close findings, all by set.

    Over the whole province, or at a few enterprises whose data have just changed.
    """
    today = beijing_day(at)
    words: dict[str, Any] = {
        "at": at,
        "today": today,
        "of": list(enterprises or ()),
        "gap_days": parameter("cover_gap_days", today),
        "gap_kept": int(parameter("cover_gap_kept_days", today)),
        "low_share": parameter("low_price_share", today),
        "words": [f"%{word}%" for word in parameter_text("cover_product_words", today, default="").split()],
    }
    is_narrowed = enterprises is not None
    narrowed = " AND f.enterprise_id = ANY(%(of)s)" if is_narrowed else ""
    with widened(EVERYTHING), connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS wrong")
        with nullcontext() if is_narrowed else planned_by_hashing(cursor):
            cursor.execute(_KEEP.format(looked_at(is_narrowed)), words)
        if not is_narrowed:
            cursor.execute("ANALYZE wrong")
        cursor.execute(_CLOSE.replace("{narrowed}", narrowed), words)
        closed = cursor.rowcount
        cursor.execute(_CHANGE, words)
        changed = cursor.rowcount
        cursor.execute(_OPEN, words)
        opened = cursor.rowcount
        cursor.execute("DROP TABLE wrong")
    return Looked(opened, changed, closed)


# handling -------------------------------------------------------------------------------------------------------


def _note(finding: Finding, kind: NoteKind, by: Actor, at: datetime, words: str, answer: str = "") -> FindingNote:
    return FindingNote(
        finding=finding,
        kind=kind,
        side=side_of(by),
        said_by=(by.organisation_name or by.name)[:120],
        said_at=at,
        answer=answer,
        words=words[:1000],
        enterprise_id=finding.enterprise_id,
        insurer_id=finding.insurer_id,
        region_code=finding.region_code,
        sector=finding.sector,
    )


def still_answering(at: datetime) -> Q:
    """Whom nobody reminds again: what was answered waits for the authority, and till its deadline one has time."""
    return Q(state=FindingState.REPLIED) | Q(state=FindingState.REMINDED, reply_due_at__gt=at)


def reply_due(at: datetime) -> datetime:
    return REPLY_FINDING.due_at(beijing_day(at), calendar=load_calendar())


@action(Permission.KEEP_REGISTER, "cover_finding.reminded")
def remind_findings(findings: QuerySet[Finding], *, by: Actor, at: datetime, words: str = "") -> int:
    """Remind enterprise and insurer of everything open among these, at most so many at once. The answer has its
    deadline from today; one that runs is not put off by asking again. By two statements, whatever the number."""
    rows = list(findings.exclude(state=FindingState.CLOSED).order_by("pk")[: MOST + 1])
    if len(rows) > MOST:
        raise Refused(
            "too_many_at_once",
            _("More than %(most)s findings at once."),
            remedy=_("Narrow the list, by county or by kind."),
            values={"most": MOST},
        )
    if not rows:
        raise Refused(
            "nothing_open", _("Nothing among these is open."), remedy=_("Choose findings that are still open.")
        )
    runs = Case(When(state=FindingState.REMINDED, reply_due_at__gt=at, then=F("reply_due_at")), default=reply_due(at))
    Finding.objects.filter(pk__in=[each.pk for each in rows]).exclude(state=FindingState.CLOSED).update(
        state=FindingState.REMINDED, reminded_at=at, reply_due_at=runs, reminders=F("reminders") + 1
    )
    FindingNote.objects.bulk_create([_note(each, NoteKind.REMINDER, by, at, words) for each in rows], batch_size=1000)
    return len(rows)


@action(Permission.ANSWER_COVER, "cover_finding.answered")
def answer_finding(
    finding: Finding,
    *,
    by: Actor,
    at: datetime,
    answer: str,
    words: str,
    on: date | None = None,
    other: dict[str, Any] | None = None,
) -> Finding:
    """Enterprise or insurer says how it stands. What disputes the register becomes a dispute; insurance of
    another kind is noted, and looked at as such."""
    if answer in WITH_DAY and on is None:
        raise Refused("day_missing", _("This answer needs a day."), remedy=_("Give the day."), field="on")
    if answer == Answer.OTHER_POLICY and not other:
        raise Refused(
            "policy_missing",
            _("Which insurance is it?"),
            remedy=_("Give its kind, number, insurer and period."),
            field="policy_no",
        )
    FINDING.move(finding, "reply", replied_at=at, answer=answer, promised_on=on if answer == Answer.WILL_DO else None)
    FindingNote.objects.bulk_create([_note(finding, NoteKind.REPLY, by, at, words, answer)])
    with widened(EVERYTHING):
        obligation = Obligation.objects.filter(pk=finding.obligation_id).first() if finding.obligation_id else None
        ground = DISPUTES.get(Answer(answer))
        if ground and obligation and not obligation.disputes.filter(ground=ground, state="OPEN").exists():
            dispute_entry(obligation, by=by, at=at, ground=ground, words=words, from_on=on)
        if other and answer == Answer.OTHER_POLICY:
            Substitute.objects.update_or_create(
                enterprise_id=finding.enterprise_id,
                policy_no=other["policy_no"],
                defaults={
                    **other,
                    "told_by": (by.organisation_name or by.name)[:120],
                    "told_at": at,
                    "region_code": finding.region_code,
                    "sector": finding.sector,
                },
            )
    look_for_findings(at=at, enterprises=[finding.enterprise_id])
    return finding


@action(Permission.KEEP_REGISTER, "cover_finding.closed")
def close_finding(finding: Finding, *, by: Actor, at: datetime, closing: str, words: str) -> Finding:
    """The authority is done with it though the cause is there: it does not come up again for the same cause."""
    if closing not in CLOSINGS:
        raise Refused(
            "not_for_people",
            _("That the cause is gone is seen by the platform itself."),
            remedy=_("Choose another reason, or wait for the data."),
            field="closing",
        )
    FINDING.move(finding, "close", closed_at=at, closing=Closing(closing).value)
    FindingNote.objects.bulk_create([_note(finding, NoteKind.CLOSING, by, at, words)])
    return finding


__all__ = ["Looked", "answer_finding", "close_finding", "look_for_findings", "remind_findings"]
