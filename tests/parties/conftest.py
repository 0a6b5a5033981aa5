"""People in their roles, as their sessions have them, for tests that call actions."""

from __future__ import annotations

from typing import Any

import pytest

from anze.kernel.actor import Actor
from anze.kernel.refusal import Refused
from anze.parties.access import actor_for
from anze.parties.models import Account, Membership
from anze.parties.rules import Role
from tests.cast import Cast
from tests.web.conftest import PASSWORD, browser_of, put_down  # noqa: F401 - fixtures


def person(role: Role, name: str = "", **post: Any) -> Actor:
    account = Account.objects.create_user(f"{role.lower()}{name}", PASSWORD, name=f"示例{role.label}{name}")
    return actor_for(Membership.objects.create(account=account, role=role, **post))


def refusal(code: str) -> Any:
    return pytest.raises(Refused, match=f"^{code}:")


@pytest.fixture
def province(cast: Cast) -> Actor:
    return person(Role.PROVINCE_REGULATOR, organisation=cast.province)


@pytest.fixture
def committee(cast: Cast) -> Actor:
    return person(Role.COMMITTEE, organisation=cast.committee)
