from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from anze.assessment.actions.course import Setting, set_up
from anze.assessment.actions.freezing import freeze
from anze.assessment.models import Campaign, Scheme
from anze.kernel.actor import platform
from anze.parties.rules import Permission
from tests.cast import Cast
from tests.web.conftest import browser_of, put_down, two_sides

__all__ = ["browser_of", "put_down", "two_sides"]

AT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
BY = platform(frozenset(Permission))


def begin(code: str = "EXAMPLE-INSURER", at: datetime = AT) -> Campaign:
    scheme = Scheme.objects.get(code=code)
    campaign = set_up(Setting("2026年度", scheme, date(2026, 1, 1), date(2026, 12, 31)), by=BY, at=at)
    return freeze(campaign, by=BY, at=at)


@pytest.fixture
def world(two_sides: Cast) -> Cast:
    return two_sides
