"""Accounts and roles of people."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_totp.models import TOTPDevice

from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.access import insurer_of, scope_of
from anze.parties.models import Account, Enterprise, Expert, Membership, Organisation, Region
from anze.parties.rules import ORGANISATION_OF, REGION_LEVEL, Permission, Role, grantable

# without letters and digits that are taken for one another when read aloud or from paper
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def one_time_password() -> str:
    """Twelve random characters in three groups, about 59 bits; it must be changed at the first sign-in."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _each in range(4)) for _group in range(3))


@dataclass(frozen=True)
class Post:
    """A role and what it belongs to."""

    role: Role
    organisation: Organisation | None = None
    region: Region | None = None
    sector: str = ""
    expert: Expert | None = None
    enterprise: Enterprise | None = None

    def __str__(self) -> str:
        of = self.organisation or self.expert or self.enterprise
        return f"{self.role} {of}" if of else str(self.role)


@action(Permission.MANAGE_PEOPLE, "person.created")
def create_person(
    username: str, *, by: Actor, at: datetime, name: str, post: Post, email: str = "", phone: str = ""
) -> Account:
    """Open an account with its first role. `account.one_time_password` is known this once and kept nowhere."""
    check_post(post, by)
    password = one_time_password()
    with widened(EVERYTHING):
        try:
            with transaction.atomic():
                account = Account.objects.create_user(
                    username, password, name=name, email=email, phone=phone, must_change_password=True
                )
        except IntegrityError:
            raise Refused(
                "username_taken",
                _("Somebody has this user name already."),
                remedy=_("Choose another one, for example with the organisation's short name in front."),
                field="username",
            ) from None
        give_post(account, post)
    account.one_time_password = password  # type: ignore[attr-defined]
    return account


@action(Permission.MANAGE_PEOPLE, "person.changed")
def change_person(account: Account, *, by: Actor, at: datetime, name: str, email: str, phone: str) -> Account:
    check_person(account, by)
    with widened(EVERYTHING):
        account.name, account.email, account.phone = name, email, phone
        account.save(update_fields=["name", "email", "phone"])
    return account


@action(Permission.MANAGE_PEOPLE, "person.password_reset")
def reset_password(account: Account, *, by: Actor, at: datetime) -> Account:
    """Give a new one-time password; every session of the account ends."""
    check_person(account, by)
    _check_not_own(account, by)
    password = one_time_password()
    with widened(EVERYTHING):
        account.set_password(password)
        account.must_change_password = True
        account.save(update_fields=["password", "must_change_password"])
    account.one_time_password = password  # type: ignore[attr-defined]
    return account


@action(Permission.MANAGE_PEOPLE, "person.second_factor_removed")
def remove_second_factor(account: Account, *, by: Actor, at: datetime) -> Account:
    """For somebody who lost his phone: his password opens the account again until he sets up another one."""
    check_person(account, by)
    _check_not_own(account, by)
    with widened(EVERYTHING):
        TOTPDevice.objects.filter(user=account).delete()
    return account


@action(Permission.MANAGE_PEOPLE, "person.switched")
def switch_person(account: Account, *, by: Actor, at: datetime, is_active: bool) -> Account:
    """Let somebody in, or keep him out from his next request on. What he did stays under his name."""
    check_person(account, by)
    _check_not_own(account, by)
    with widened(EVERYTHING):
        account.is_active = is_active
        account.save(update_fields=["is_active"])
    return account


@action(Permission.MANAGE_PEOPLE, "person.role_given")
def give_role(account: Account, *, by: Actor, at: datetime, post: Post) -> Account:
    check_person(account, by)
    _check_not_own(account, by)
    check_post(post, by)
    with widened(EVERYTHING):
        give_post(account, post)
    return account


@action(Permission.MANAGE_PEOPLE, "person.role_ended")
def end_role(membership: Membership, *, by: Actor, at: datetime) -> Membership:
    """Take a role away from the next request on; the row stays for the record."""
    check_person(membership.account, by)
    _check_not_own(membership.account, by)
    with widened(EVERYTHING):
        membership.is_active = False
        membership.save(update_fields=["is_active"])
    return membership


def give_post(account: Account, post: Post) -> None:
    words = {
        "role": post.role,
        "organisation": post.organisation,
        "region": post.region,
        "expert": post.expert,
        "enterprise": post.enterprise,
    }
    membership, is_new = Membership.objects.get_or_create(account=account, **words, defaults={"sector": post.sector})
    if not is_new:
        membership.is_active, membership.sector = True, post.sector
        membership.save(update_fields=["is_active", "sector"])


def check_post(post: Post, by: Actor) -> None:
    """Refuse a role without what it belongs to, or one that the giver may not give."""
    if post.role not in grantable(by.role):
        raise Refused(
            "role_not_yours",
            _("You may not give this role."),
            remedy=_("Give one of the roles of your own organisation."),
            field="role",
            status=403,
        )
    kinds = ORGANISATION_OF.get(post.role)
    if kinds and (post.organisation is None or post.organisation.kind not in kinds):
        raise Refused(
            "wrong_organisation",
            _("This role does not belong to an organisation of that kind."),
            remedy=_("Choose an organisation that fits the role."),
            field="organisation",
        )
    level = REGION_LEVEL.get(post.role)
    if level and post.organisation is not None and not post.organisation.region_id.endswith(level):
        raise Refused(
            "wrong_level",
            _("The authority is not of the level of this role."),
            remedy=_("Choose the province's or the city's own authority, or the county role."),
            field="organisation",
        )
    if post.role == Role.EXPERT and post.expert is None:
        raise Refused(
            "expert_missing", _("The role needs an expert."), remedy=_("Give the expert number."), field="expert"
        )
    if post.role == Role.ENTERPRISE and post.enterprise is None:
        raise Refused(
            "enterprise_missing",
            _("The role needs an enterprise."),
            remedy=_("Give the enterprise's credit code."),
            field="enterprise",
        )
    if post.role == Role.SECTOR_DEPARTMENT and not (post.sector or (post.organisation and post.organisation.sector)):
        raise Refused("sector_missing", _("The role needs a sector."), remedy=_("Choose the sector."), field="sector")
    if by.scope.insurer_id and (post.organisation is None or insurer_of(post.organisation).pk != by.scope.insurer_id):
        raise Refused(
            "not_your_organisation",
            _("You manage only the people of your own organisation."),
            remedy=_("Choose your organisation or one of its branches."),
            field="organisation",
            status=403,
        )
    if not _reaches(by, Membership(role=post.role, organisation=post.organisation, region=post.region)):
        raise Refused(
            "area_not_yours",
            _("The role reaches beyond the area you manage."),
            remedy=_("Choose your area or a part of it, or ask your head office."),
            field="region",
            status=403,
        )


def _reaches(by: Actor, role: Membership) -> bool:
    """Whether somebody who manages an insurer's people reaches all that a role of theirs reaches."""
    if not by.scope.insurer_id:
        return True
    scope = scope_of(role)
    return by.scope.covers_region(scope.region_from) and by.scope.covers_region(scope.region_to)


def _check_not_own(account: Account, by: Actor) -> None:
    """Nobody gives himself more, or shuts himself out: his rights and his password are for somebody else to change."""
    if account.pk == by.account_id:
        raise Refused(
            "own_account",
            _("You cannot change the roles and the access of your own account here."),
            remedy=_("Ask another administrator. Your own password is changed under “My account”."),
            status=409,
        )


def check_person(account: Account, by: Actor) -> None:
    """Refuse to touch somebody who does not work for the manager's organisation alone, and in his area."""
    if not by.scope.insurer_id:
        return
    with widened(EVERYTHING):
        roles = list(Membership.objects.filter(account=account).select_related("organisation", "organisation__parent"))
    for each in roles:
        if each.organisation is None or insurer_of(each.organisation).pk != by.scope.insurer_id:
            raise Refused(
                "person_elsewhere",
                _("This person also works for another organisation, or no longer for yours."),
                remedy=_("Ask the platform's administrator."),
                status=403,
            )
        if not _reaches(by, each):
            raise Refused(
                "person_beyond_area",
                _("This person also works beyond the area you manage."),
                remedy=_("Ask your head office."),
                status=403,
            )
