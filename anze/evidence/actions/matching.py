"""Finding the same picture elsewhere in the province, and a person's decision about what was found."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from anze.evidence.models import Fingerprint, Match, Media, Original
from anze.evidence.rules import MATCH_LIFECYCLE, MatchKind, MediaRole, match_grade
from anze.evidence.rules.pictures import Picture
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.rules import Permission

MOST_MATCHES = 20  # pieces of evidence one picture is matched with; more say nothing new


def keep_fingerprint(original: Original, picture: Picture) -> Fingerprint | None:
    return None


def match_media(media: Media, found: Fingerprint | None, at: datetime) -> list[Match]:
    """Note where the picture of a new piece of evidence was before. Runs with the whole province in view."""
    made = []
    for other in _others(media, [media.original_id]):
        made.append(_match(other, media, MatchKind.EXACT, 0, Decimal(1), at))
    Match.objects.bulk_create(made, ignore_conflicts=True)
    return made


def earlier_of(media: Media) -> list[Match]:
    """The matches of a piece of evidence with earlier ones the sender may see: his own."""
    with widened(EVERYTHING):
        found = list(Match.objects.filter(second=media).order_by("found_at")[:MOST_MATCHES])
    own = Media.objects.in_bulk([each.first_id for each in found])
    kept = []
    for each in found:
        if each.first_id in own:
            each.first = own[each.first_id]
            kept.append(each)
    return kept


def seen_matches(media: Media) -> list[Match]:
    """The matches of a piece of evidence in the reader's scope, earlier and later ones."""
    return list(Match.objects.filter(Q(first=media) | Q(second=media)).order_by("-found_at")[:MOST_MATCHES])


def _others(media: Media, originals: Iterable[object]) -> list[Media]:
    """Earlier pieces of evidence with one of these contents that count as another use of the picture.

    The same picture twice within one visit or for one hazard is no second use, unless it stands for the state
    before and after rectification.
    """
    before = (
        Media.objects.filter(original_id__in=list(originals), voided_at=None)
        .exclude(pk=media.pk)
        .order_by("received_at")[: 5 * MOST_MATCHES]
    )
    return [each for each in before if each.subject != media.subject or _is_after(each, media)][:MOST_MATCHES]


def _is_after(first: Media, second: Media) -> bool:
    return {first.role, second.role} == {MediaRole.HAZARD, MediaRole.RECTIFIED} and first.part == second.part


def _match(
    first: Media, second: Media, kind: MatchKind, distance: int | None, likeness: Decimal, at: datetime
) -> Match:
    other_insurer = first.insurer_id != second.insurer_id
    grade = match_grade(
        kind,
        other_party=other_insurer,
        other_enterprise=first.enterprise_id != second.enterprise_id,
        after_is_before=_is_after(first, second),
    )

    def common(name: str) -> Any:
        value = getattr(first, name)
        return value if value == getattr(second, name) else None

    return Match(
        first=first,
        second=second,
        kind=kind,
        distance=distance,
        likeness=likeness,
        grade=grade,
        found_at=at,
        is_across=other_insurer,
        region_code=region_around(first.region_code, second.region_code),
        sector=common("sector") or "",
        insurer_id=common("insurer_id"),
        agency_id=common("agency_id"),
        expert_id=common("expert_id"),
        first_insurer_id=first.insurer_id,
        second_insurer_id=second.insurer_id,
        first_enterprise_id=first.enterprise_id,
        second_enterprise_id=second.enterprise_id,
    )


def region_around(one: str, other: str) -> str:
    """The smallest region in which both lie: county, city or province."""
    if one == other:
        return one
    return one[:4] + "00" if one[:4] == other[:4] else one[:2] + "0000"


@action(Permission.REVIEW_EVIDENCE, "match.decided")
def decide_match(match: Match, *, by: Actor, at: datetime, decision: str, reason: str) -> Match:
    """A person says what a match means; it can be said anew, and every earlier word stays in the history."""
    reason = " ".join(reason.split())[:300]
    if not reason:
        raise Refused(
            "reason_missing",
            _("A decision needs its reason."),
            remedy=_("Write in one sentence what you found."),
            field="reason",
        )
    if decision not in [each.name for each in MATCH_LIFECYCLE.transitions]:
        raise Refused("unknown_decision", _("There is no such decision."), remedy=_("Choose one of the buttons."))
    MATCH_LIFECYCLE.move(
        match, decision, decided_at=at, decided_by=by.account_id, decided_by_name=by.name, reason=reason
    )
    return match
