"""A content becomes evidence once, stays as it came, and carries the scope of what it belongs to."""

from __future__ import annotations

import hashlib
from uuid import uuid4

import pytest

from anze.evidence.actions import arrived, open_original, preview_file, receive_media, thumbnail_file
from anze.evidence.actions.files import original_name, store
from anze.evidence.models import Media, Original
from anze.kernel.models import Event
from anze.kernel.refusal import Refused
from anze.kernel.scope import Scope, inside, leave
from tests.cast import NOW
from tests.evidence.conftest import SENDER, jpeg


def test_the_original_is_kept_byte_by_byte(at_xinghuo, take):
    content = jpeg(3)
    media = take(at_xinghuo, content, file_name="IMG_1.jpg")
    assert media.original.sha256 == hashlib.sha256(content).hexdigest()
    with open_original(media) as file:
        assert file.read() == content
    assert (media.original.width, media.original.height, media.original.media_type) == (640, 480, "image/jpeg")
    assert Event.objects.get(kind="media.received").row_id == media.pk


def test_one_content_is_kept_once_and_evidence_of_it_many_times(at_xinghuo, at_yuanfan, take):
    first, second = take(at_xinghuo, jpeg(4)), take(at_yuanfan, jpeg(4))
    assert first.original_id == second.original_id
    assert first.pk != second.pk
    assert Original.objects.count() == 1


def test_the_same_number_again_changes_nothing(at_xinghuo, take):
    number = uuid4()
    first = take(at_xinghuo, client_id=number)
    assert take(at_xinghuo, client_id=number, file_name="other.jpg").pk == first.pk
    with pytest.raises(Refused, match="client_id_taken"):
        take(at_xinghuo, jpeg(9), client_id=number)
    assert Media.objects.count() == 1


def test_it_carries_the_scope_of_its_subject_and_is_seen_by_it(cast, at_xinghuo, take):
    media = take(at_xinghuo)
    leave()
    scopes = {
        True: [
            Scope(reader="anze_insurer", insurer_id=cast.huaihai.pk, region_from="370000", region_to="37ZZZZ"),
            Scope(reader="anze_agency", agency_id=cast.agency.pk),
            Scope(reader="anze_expert", expert_id=cast.expert.pk),
            Scope(reader="anze_enterprise", enterprise_id=cast.xinghuo.pk),
            Scope(reader="anze_region", region_from="370100", region_to="3701ZZ"),
            Scope(reader="anze_sector", region_from="370000", region_to="37ZZZZ", sector="SMELT"),
        ],
        False: [
            Scope(reader="anze_insurer", insurer_id=cast.bohai.pk, region_from="370000", region_to="37ZZZZ"),
            Scope(reader="anze_agency", agency_id=cast.other_agency.pk),
            Scope(reader="anze_expert", expert_id=cast.other_expert.pk),
            Scope(reader="anze_enterprise", enterprise_id=cast.yuanfan.pk),
            Scope(reader="anze_region", region_from="370200", region_to="3702ZZ"),
            Scope(reader="anze_sector", region_from="370000", region_to="37ZZZZ", sector="FISHERY"),
        ],
    }
    for sees, readers in scopes.items():
        for scope in readers:
            with inside(scope):
                assert Media.objects.filter(pk=media.pk).exists() is sees, scope
                assert Original.objects.exists() is sees, scope
            leave()


def test_small_and_large_pictures_are_made_beside_the_original(at_xinghuo, take):
    media = take(at_xinghuo, jpeg(5, size=(2400, 1200)))
    for made, width in ((thumbnail_file(media), 400), (preview_file(media), 1600)):
        from tests.evidence.test_pictures import opened

        assert opened(made).size == (width, width // 2)
    store().delete(original_name(media.original).replace("originals", "derived"))
    assert preview_file(media)[:2] == b"\xff\xd8"


def test_a_closed_subject_takes_nothing(at_xinghuo, visits, take):
    visits.close(at_xinghuo)
    with pytest.raises(Refused, match="subject_closed"):
        take(visits.known[at_xinghuo.id])
    assert not Media.objects.exists()


def test_without_the_permission_nothing_is_taken(at_xinghuo):
    from anze.kernel.actor import platform

    with pytest.raises(Refused, match="not_permitted"):
        receive_media(at_xinghuo, by=platform(), at=NOW, content=arrived(jpeg()))
    assert SENDER.may("ADD_EVIDENCE")


def test_a_position_that_is_none_is_left_out(at_xinghuo, take):
    assert take(at_xinghuo, jpeg(6), lon=117.1, lat=36.7, accuracy_m=12).accuracy_m == 12
    for lon, lat in ((0, 0), (200, 10), (117.0, None)):
        assert take(at_xinghuo, jpeg(7), lon=lon, lat=lat).lon is None
