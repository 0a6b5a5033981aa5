"""Whatever stands from test to test, each begins as if it were alone."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from anze.parties.models import Organisation, Region
from tests.cast import Cast
from tests.stages import stage

PAPER = "stages/paper.txt"


@stage
def with_paper(cast: Cast) -> Cast:
    """The cast with one more organisation and a stored file."""
    Organisation.objects.create(kind="AGENCY", code="AGY09", name="示例机构", region_id="370900")
    storages["evidence"].save(PAPER, ContentFile(b"paper"))
    return cast


@pytest.mark.parametrize("time", [1, 2])
def test_what_a_test_does_to_its_stage_is_taken_back(cast: Cast, time: int) -> None:
    assert Organisation.objects.count() == 9
    assert cast.agency.name == "泰安示例安全技术服务公司"
    cast.agency.name = "另一名称"
    cast.agency.save()
    Organisation.objects.filter(code="COMMITTEE").delete()


@pytest.mark.parametrize("time", [1, 2])
def test_a_stage_above_another_stands_with_its_files(cast: Cast, with_paper: Cast, time: int) -> None:
    assert with_paper is cast
    assert Organisation.objects.count() == 10
    with storages["evidence"].open(PAPER) as file:
        assert file.read() == b"paper"
    storages["evidence"].delete(PAPER)


def test_the_stage_below_stands_without_what_was_above(cast: Cast) -> None:
    assert Organisation.objects.count() == 9
    assert not storages["evidence"].exists(PAPER)


def test_without_a_stage_there_is_the_reference_data_alone(everything: None) -> None:
    assert not Organisation.objects.exists()
    assert Region.objects.exists()
