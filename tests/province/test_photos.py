"""The photos of the demonstration: the same seed draws the same ones, and only those used twice are found."""

from __future__ import annotations

import io
import json
from itertools import combinations
from typing import Any

import pytest

from anze.evidence.rules import FileType, MatchKind
from anze.evidence.rules.fingerprints import Print, print_of, same
from anze.evidence.rules.pictures import Picture, read_picture
from anze.exchange.synthetic.photos import AFTER_IS_BEFORE, MOST_HAZARDS, REPORTED, REUSED, SITE_PHOTOS
from anze.exchange.synthetic.scenes import KINDS, Scene, draw, photograph, used_again
from tests.province.conftest import Demo

Looked = tuple[Picture, Print]


def looked_at(content: bytes) -> Looked:
    picture = read_picture(io.BytesIO(content), FileType.JPEG)
    return picture, print_of(picture.grey)


def sameness(new: Looked, kept: Looked) -> MatchKind | None:
    found = same(new[1], new[0].grey, kept[1].whole, kept[1].corners.packed(), kept[0].grey)
    return found.kind if found else None


def test_the_same_seed_draws_the_same_bytes() -> None:
    scene = Scene(7, "H1", "cabinet", is_bad=True)
    assert photograph(draw(scene)[0]) == photograph(draw(scene)[0])
    others = [
        Scene(8, "H1", "cabinet", is_bad=True), Scene(7, "H2", "cabinet", is_bad=True),
        Scene(7, "H1", "cabinet", is_bad=False), Scene(7, "H1", "cabinet", is_bad=True, view=1),
    ]  # fmt: skip
    assert len({photograph(draw(each)[0]) for each in (scene, *others)}) == 5


@pytest.mark.parametrize("kind", KINDS)
def test_one_place_seen_twice_is_not_the_same_picture_and_one_used_again_is(kind: str) -> None:
    image, corners = draw(Scene(7, "H1", kind, is_bad=True))
    assert all(0 <= part <= 1 for corner in corners for part in corner)
    kept = looked_at(photograph(image))
    again = Scene(7, "H1", kind, is_bad=True, view=1), Scene(7, "H1", kind, is_bad=False, view=2)
    honest = [kept, *(looked_at(photograph(draw(each)[0])) for each in again)]
    assert not any(sameness(one, other) for one, other in combinations(honest, 2))
    kinds = {how: sameness(looked_at(photograph(used_again(image, how), quality=70)), kept) for how in REUSED}
    assert kinds.pop("mirrored") is MatchKind.MIRRORED
    assert set(kinds.values()) <= {MatchKind.NEAR, MatchKind.PART}


def truth_of(demo: Demo) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((demo.state / "demo" / "truth.json").read_text(encoding="utf-8"))
    return found


def test_services_and_hazards_have_photos_before_and_after(demo: Demo) -> None:
    roles = dict(demo.select("SELECT role, count(*) FROM evidence_media WHERE kind = 'PHOTO' GROUP BY role"))
    assert roles["HAZARD"] >= 10
    assert roles["RECTIFIED"] >= 3
    assert sum(roles.values()) <= 2 * MOST_HAZARDS + SITE_PHOTOS * (MOST_HAZARDS + REPORTED)
    assert demo.select(
        "SELECT count(*) FROM evidence_media m WHERE subject_kind = 'hazard' "
        "AND NOT EXISTS (SELECT FROM hazards_hazard h WHERE h.id = m.subject AND h.enterprise_id = m.enterprise_id)"
    ) == [(0,)]
    # reports are issued after the photos, so these stand in them
    ((reports, pictured),) = demo.select(
        "SELECT count(*), count(*) FILTER (WHERE content::text LIKE '%%.jpg%%') FROM prevention_report"
    )
    assert 0 < reports == pictured


def test_what_was_used_twice_is_what_is_found(demo: Demo) -> None:
    planted = {
        (each["earlier"]["file"], each["again"]["file"]): each["how"] for each in truth_of(demo)["reused_photos"]
    }
    found = demo.select(
        "SELECT a.file_name, b.file_name, m.kind FROM evidence_match m "
        "JOIN evidence_media a ON a.id = m.first_id JOIN evidence_media b ON b.id = m.second_id"
    )
    assert {(first, second) for first, second, _kind in found} == planted.keys()
    kinds = {planted[first, second]: kind for first, second, kind in found}
    assert kinds["unchanged"] == "EXACT"
    assert kinds["mirrored"] == "MIRRORED"
    assert {*REUSED, AFTER_IS_BEFORE} == kinds.keys()


def test_what_does_not_fit_has_its_hint(demo: Demo) -> None:
    odd = {each["file"] for each in truth_of(demo)["implausible_photos"]}
    assert len(odd) == 2
    hinted = {name for (name,) in demo.select("SELECT file_name FROM evidence_media WHERE grade <> ''")}
    assert odd <= hinted
