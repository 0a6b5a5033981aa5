"""Finding the same picture elsewhere in the province, and a person's decision about what was found."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from anze.evidence.actions.files import small_picture
from anze.evidence.models import Match, Media, Original, Resemblance
from anze.evidence.rules import MATCH_LIFECYCLE, MatchKind, MediaRole, match_grade
from anze.evidence.rules.fingerprints import LEAST_WORDS, NEAR_BITS, Print, is_word, print_of, same
from anze.evidence.rules.pictures import Picture, grey_of
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.rules import Permission

log = logging.getLogger("anze.evidence")

MOST_MATCHES = 20  # pieces of evidence one picture is matched with; more say nothing new
MOST_LOOKED_AT = 8  # kept pictures a new one is laid over


# Both tables at once; of a picture that is there already nothing is written.
_KEEP = """
    WITH made AS (
        INSERT INTO evidence_fingerprint (original_id, whole, quality, corners)
        VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING id
    )
    INSERT INTO evidence_fingerprintkey (key, fingerprint_id) SELECT unnest(%s::int[]), id FROM made
"""


def keep_fingerprint(original: Original, picture: Picture) -> Print:
    """The fingerprint of a picture, kept once for its original."""
    made = print_of(picture.grey)
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [original.pk, made.whole, made.quality, made.corners.packed(), _array(made.keys())])
    return made


@dataclass(frozen=True)
class Found:
    """A picture that was there before, and how sure that is."""

    original_id: UUID
    kind: MatchKind
    distance: int
    likeness: float


_CANDIDATES = """
    WITH shared AS MATERIALIZED (
        SELECT k.fingerprint_id AS id, count(*) AS words
          FROM unnest(%(words)s::int[]) AS word JOIN evidence_fingerprintkey AS k ON k.key = word
         GROUP BY 1 HAVING count(*) >= %(least)s
    ), touched AS MATERIALIZED (
        SELECT DISTINCT k.fingerprint_id AS id
          FROM unnest(%(bands)s::int[]) AS band JOIN evidence_fingerprintkey AS k ON k.key = band
    ), near AS MATERIALIZED (
        SELECT id, least(bit_count(('x' || encode(f.whole, 'hex'))::bit(256) # %(whole)s::bit(256)),
                         bit_count(('x' || encode(f.whole, 'hex'))::bit(256) # %(mirrored)s::bit(256))) AS apart
          FROM touched JOIN evidence_fingerprint AS f USING (id)
    ), promising AS (
        SELECT id, max(words) AS words, min(apart) AS apart
          FROM (SELECT id, words, 256 AS apart FROM shared
                 UNION ALL SELECT id, 0, apart FROM near WHERE apart <= %(near)s) AS each_way
         WHERE id NOT IN (SELECT id FROM evidence_fingerprint WHERE original_id = %(own)s)
         GROUP BY id ORDER BY 2 DESC, 3 LIMIT %(most)s
    )
    SELECT f.original_id, f.whole, f.corners, o.sha256, o.media_type
      FROM promising JOIN evidence_fingerprint AS f USING (id) JOIN evidence_original AS o ON o.id = f.original_id
     ORDER BY promising.words DESC, promising.apart
"""


def candidates(found: Print, own: UUID, most: int = MOST_LOOKED_AT) -> list[tuple[Any, ...]]:
    """The kept pictures that could be the same one: two words shared, or a whole hash that is near. The most
    promising first."""
    keys = found.asked()
    with connection.cursor() as cursor:
        cursor.execute(
            _CANDIDATES,
            {
                "words": _array(key for key in keys if is_word(key)),
                "bands": _array(key for key in keys if not is_word(key)),
                "whole": _bits(found.whole),
                "mirrored": _bits(found.whole_mirrored),
                "own": own,
                "least": LEAST_WORDS,
                "near": NEAR_BITS,
                "most": most,
            },
        )
        return list(cursor.fetchall())


def _array(keys: Iterable[int]) -> str:
    """Hundreds of numbers as the database reads them: the driver would look at each."""
    return f"{{{','.join(map(str, keys))}}}"


def _bits(whole: bytes) -> str:
    return f"{int.from_bytes(whole, 'big'):0256b}"


def same_pictures(found: Print, picture: Picture, own: UUID) -> list[Found]:
    """The kept pictures that are the same one: laid over each other, they agree nearly everywhere."""
    made = []
    for original_id, whole, corners, sha256, media_type in candidates(found, own):
        original = Original(id=original_id, sha256=sha256, media_type=media_type)
        try:
            other = grey_of(small_picture(original))
        except (OSError, Refused):
            # a kept file that is lost is no reason to refuse a new one
            log.warning("the original %s of %s cannot be read", sha256, original_id)
            continue
        verdict = same(found, picture.grey, bytes(whole), bytes(corners), other)
        if verdict is not None:
            made.append(Found(original_id, verdict.kind, verdict.distance, verdict.likeness))
    return made


def match_media(media: Media, found: Print, picture: Picture, at: datetime, *, is_known: bool) -> list[Match]:
    """Note where the picture of a new piece of evidence was before; `is_known`: the very file was there. Runs with
    the whole province in view."""
    ways = {each.original_id: each for each in same_pictures(found, picture, media.original_id)}
    if not ways and not is_known:
        return []
    ways[media.original_id] = Found(media.original_id, MatchKind.EXACT, 0, 1.0)
    made = [
        _match(other, media, way.kind, way.distance, Decimal(str(round(way.likeness, 3))), at)
        for other in _others(media, list(ways))
        for way in [ways[other.original_id]]
    ]
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
    grade = match_grade(
        kind,
        other_party=first.insurer_id != second.insurer_id,
        other_enterprise=first.enterprise_id != second.enterprise_id,
        after_is_before=_is_after(first, second),
    )

    return Match(
        first=first,
        second=second,
        kind=kind,
        distance=distance,
        likeness=likeness,
        grade=grade,
        found_at=at,
        expert_id=first.expert_id if first.expert_id == second.expert_id else None,
        **scope_around(first, second),
    )


def scope_around(first: Any, second: Any) -> dict[str, Any]:
    """The columns of a resemblance that say who is set over both records, and whose each of them is."""

    def common(name: str) -> Any:
        value = getattr(first, name)
        return value if value == getattr(second, name) else None

    return {
        "is_across": first.insurer_id != second.insurer_id,
        "region_code": region_around(first.region_code, second.region_code),
        "sector": common("sector") or "",
        "insurer_id": common("insurer_id"),
        "agency_id": common("agency_id"),
        "first_insurer_id": first.insurer_id,
        "second_insurer_id": second.insurer_id,
        "first_enterprise_id": first.enterprise_id,
        "second_enterprise_id": second.enterprise_id,
    }


def region_around(one: str, other: str) -> str:
    """The smallest region in which both lie: county, city or province."""
    if one == other:
        return one
    return one[:4] + "00" if one[:4] == other[:4] else one[:2] + "0000"


R = TypeVar("R", bound=Resemblance)


def judge(found: R, *, by: Actor, at: datetime, decision: str, reason: str) -> R:
    """A person says what a resemblance means; it can be said anew, and every earlier word stays in the history."""
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
        found, decision, decided_at=at, decided_by=by.account_id, decided_by_name=by.name, reason=reason
    )
    return found


@action(Permission.REVIEW_EVIDENCE, "match.decided")
def decide_match(match: Match, *, by: Actor, at: datetime, decision: str, reason: str) -> Match:
    return judge(match, by=by, at=at, decision=decision, reason=reason)
