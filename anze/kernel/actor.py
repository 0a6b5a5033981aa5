"""Who is acting: a person in one of his roles, a partner's system, or the platform itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from uuid import UUID

from anze.kernel.scope import EVERYTHING, NOTHING, Scope


@dataclass(frozen=True)
class Actor:
    """Whoever acts in a request or a job: what he may do (`permissions`) and what he sees (`scope`)."""

    name: str
    scope: Scope = NOTHING
    permissions: frozenset[str] = frozenset()
    role: str = ""
    account_id: UUID | None = None
    organisation_id: UUID | None = None
    organisation_name: str = ""
    address: str = ""
    language: str = "zh-hans"
    extra: dict[str, object] = field(default_factory=dict, compare=False)

    def may(self, permission: str) -> bool:
        return permission in self.permissions

    @property
    def kind(self) -> Actor:
        """Everybody who sees and may do the same, for the same organisation: this actor without his person."""
        return replace(self, name="", account_id=None, address="", extra={})

    @property
    def is_known(self) -> bool:
        """Whether somebody has signed in and has a role; everybody else sees no scoped row."""
        return bool(self.scope.reader)


ANYBODY = Actor(name="")


def platform(permissions: frozenset[str] = frozenset()) -> Actor:
    """The platform acting by itself: nightly jobs, publishing of accepted rows, set-up."""
    return Actor(name="Anze", scope=EVERYTHING, permissions=permissions, role="PLATFORM")
