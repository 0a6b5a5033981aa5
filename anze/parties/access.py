"""From a person's role in an organisation to what he may do and which rows exist for him."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from anze.kernel.actor import Actor
from anze.kernel.scope import EVERYTHING, NOTHING, Scope, region_range, widened
from anze.parties.models import Expert, Membership, Organisation
from anze.parties.rules import ROLES, OrganisationKind, Permission, Reach, Role


def actor_for(membership: Membership, address: str = "", *, language: str = "zh-hans") -> Actor:
    """The actor somebody is while he works in one of his roles.

    Reads `account`, `organisation`, `region` and `expert` of the membership: load them with it. A role whose
    organisation, region, expert or enterprise is missing reaches nothing, rather than too much.
    """
    rule = ROLES[Role(membership.role)]
    organisation = membership.organisation
    name = str(organisation) if organisation else ""
    if membership.expert_id:
        name = name or str(membership.expert)
    return Actor(
        name=membership.account.name,
        scope=scope_of(membership),
        permissions=frozenset(permission.value for permission in rule.permissions),
        role=membership.role,
        account_id=membership.account_id,
        organisation_id=membership.organisation_id,
        organisation_name=name,
        address=address,
        language=language,
        extra={"membership": membership.pk},
    )


def holder_of_link(
    enterprise_id: UUID, name: str, *permissions: Permission, address: str = "", language: str = "zh-hans"
) -> Actor:
    """Whoever holds a link acts for the enterprise, by the name he gives, and may do what the link is for only.

    `address` and `language` are those of who opened the page: nobody signed in, but somebody somewhere."""
    return Actor(
        name=name,
        scope=Scope(reader="anze_enterprise", enterprise_id=enterprise_id),
        permissions=frozenset(permission.value for permission in permissions),
        role=Role.ENTERPRISE.value,
        address=address,
        language=language,
    )


def scope_of(membership: Membership) -> Scope:
    """The rows that come with a role. An insurer's branch sees the insurer's rows in its own region."""
    reach = ROLES[Role(membership.role)].reach
    organisation = membership.organisation
    if reach is Reach.ALL:
        return Scope(reader="anze_all")
    if reach is Reach.EXPERT:
        return Scope(reader="anze_expert", expert_id=membership.expert_id) if membership.expert_id else NOTHING
    if reach is Reach.ENTERPRISE:
        if not membership.enterprise_id:
            return NOTHING
        return Scope(reader="anze_enterprise", enterprise_id=membership.enterprise_id)
    if organisation is None:
        return NOTHING
    if reach is Reach.AGENCY:
        return Scope(reader="anze_agency", agency_id=organisation.pk)
    low, high = region_range(membership.region_id or organisation.region_id)
    if reach is Reach.INSURER:
        return Scope(reader="anze_insurer", region_from=low, region_to=high, insurer_id=insurer_id_of(organisation))
    if reach is Reach.SECTOR:
        sector = membership.sector or organisation.sector
        return Scope(reader="anze_sector", region_from=low, region_to=high, sector=sector) if sector else NOTHING
    return Scope(reader="anze_region", region_from=low, region_to=high)


def insurer_id_of(organisation: Organisation) -> UUID:
    """The insurer's id: a city branch has its parent's."""
    if organisation.kind == OrganisationKind.INSURER_BRANCH and organisation.parent_id:
        return organisation.parent_id
    return organisation.pk


def insurer_of(organisation: Organisation) -> Organisation:
    """The insurer itself: a city branch belongs to its parent."""
    if organisation.kind == OrganisationKind.INSURER_BRANCH and organisation.parent is not None:
        return organisation.parent
    return organisation


def acts_for(by: Actor, row: Any) -> bool:
    """Whether somebody acts for the party a row is about; who holds the link of an application, for that one."""
    if by.extra.get("application") is not None:
        return bool(by.extra["application"] in (row.pk, getattr(row, "subject", None)))
    scope = by.scope
    own = {key for key in (scope.insurer_id, scope.agency_id) if key is not None}
    return (
        getattr(row, "organisation_id", None) in own
        or (scope.expert_id is not None and getattr(row, "expert_id", None) == scope.expert_id)
        or (scope.enterprise_id is not None and getattr(row, "enterprise_id", None) == scope.enterprise_id)
    )


def why_not_independent(record: Any, by: Actor, took_part: Callable[[Expert], bool] = lambda expert: False) -> str:
    """Why somebody may not judge a record: it is his own organisation's, or his own. Empty if he may.

    All roles of the account count, not only the one he works in now. A record is anything with the columns of a
    scope: a claim or a service drawn, a row of an assessment. `took_part` says whether an expert was in it.
    """
    if by.account_id is None:
        return ""
    agency_id = getattr(record, "agency_id", None)
    theirs = {record.insurer_id, agency_id} - {None}
    with widened(EVERYTHING):
        roles = Membership.objects.filter(account_id=by.account_id, is_active=True).select_related(
            "organisation", "expert"
        )
        for role in roles:
            if role.organisation and insurer_id_of(role.organisation) in theirs:
                return str(_("You belong to an organisation this record is about."))
            if role.enterprise_id and role.enterprise_id == record.enterprise_id:
                return str(_("You belong to the enterprise this record is about."))
            if role.expert and (
                (role.expert.agency_id and role.expert.agency_id == agency_id)
                or role.expert.pk == getattr(record, "expert_id", None)
                or took_part(role.expert)
            ):
                return str(_("You or your agency took part in this."))
    return ""
