"""Evidence of invented visits: a kind of subject of the tests' own, photos with EXIF, a folder for the files."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from PIL import Image

from anze.evidence.actions import arrived, receive_media
from anze.evidence.models import Media
from anze.evidence.rules import SUBJECTS, Subject, SubjectKind
from anze.kernel.actor import Actor, platform
from anze.parties.rules import Permission
from tests.cast import NOW, Cast
from tests.web.conftest import browser_of, put_down  # noqa: F401 - fixtures

SENDER = platform(frozenset({Permission.ADD_EVIDENCE, Permission.SEE_EVIDENCE, Permission.REVIEW_EVIDENCE}))


@dataclass
class Visits:
    """What a room above knows: visits by id, and what becomes of them."""

    known: dict[UUID, Subject] = field(default_factory=dict)

    def find(self, subject_id: UUID, by: Actor, at: datetime) -> Subject | None:
        found = self.known.get(subject_id)
        if found is None:
            return None
        scope = by.scope
        if scope.reader == "anze_expert" and scope.expert_id != found.expert_id:
            return None
        if scope.reader == "anze_insurer" and scope.insurer_id != found.insurer_id:
            return None
        return found

    def add(self, **words: Any) -> Subject:
        made = Subject(**{"kind": "check", "id": uuid4(), "title": "V-1", "may_add": True, **words})
        self.known[made.id] = made
        return made

    def close(self, subject: Subject) -> None:
        self.known[subject.id] = replace(subject, may_add=False)


@pytest.fixture
def visits(monkeypatch: pytest.MonkeyPatch) -> Visits:
    made = Visits()
    monkeypatch.setitem(SUBJECTS, "check", SubjectKind("check", "走访", made.find))
    return made


@pytest.fixture
def at_xinghuo(cast: Cast, visits: Visits) -> Subject:
    """A visit of Huaihai at Xinghuo by the cast's expert."""
    return visits.add(**huaihai_of(cast))


@pytest.fixture
def at_yuanfan(cast: Cast, visits: Visits) -> Subject:
    return visits.add(
        region_code="370202",
        sector="FISHERY",
        insurer_id=cast.bohai.pk,
        agency_id=cast.other_agency.pk,
        enterprise_id=cast.yuanfan.pk,
        expert_id=cast.other_expert.pk,
    )


def huaihai_of(cast: Cast) -> dict[str, Any]:
    return {
        "region_code": "370102",
        "sector": "SMELT",
        "insurer_id": cast.huaihai.pk,
        "agency_id": cast.agency.pk,
        "enterprise_id": cast.xinghuo.pk,
        "expert_id": cast.expert.pk,
    }


def picture(seed: int = 1, size: tuple[int, int] = (640, 480)) -> Image.Image:
    """A picture of its own for every number: blocks of grey and colour with sharp corners."""
    random = np.random.default_rng(seed)
    blocks = random.integers(0, 256, (size[1] // 40 + 1, size[0] // 40 + 1, 3), dtype=np.uint8)
    return Image.fromarray(np.kron(blocks, np.ones((40, 40, 1), dtype=np.uint8))[: size[1], : size[0]])


def jpeg(
    seed: int = 1, *, exif: Image.Exif | None = None, size: tuple[int, int] = (640, 480), quality: int = 90
) -> bytes:
    made = io.BytesIO()
    picture(seed, size).save(made, "JPEG", quality=quality, **({"exif": exif} if exif is not None else {}))
    return made.getvalue()


@pytest.fixture
def take() -> Callable[..., Media]:
    def send(
        subject: Subject, content: bytes | None = None, *, at: datetime = NOW, by: Actor = SENDER, **words: Any
    ) -> Media:
        return receive_media(subject, by=by, at=at, content=arrived(content or jpeg()), **words)

    return send
