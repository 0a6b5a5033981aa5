"""Who is signed in, read by queries worked out once: every request of his begins with them."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.backends.db import SessionStore as InDatabase
from django.contrib.sessions.models import Session
from django.utils import timezone

from anze.kernel.compiled import Compiled
from anze.parties.models import Account, Membership

# what an actor is made of; the rest of these rows would be read for nothing with every page
_MEMBERSHIP = (
    *(f"account__{each.name}" for each in Account._meta.concrete_fields),
    *("role", "sector", "region_id", "enterprise_id", "is_active"),
    *("organisation__kind", "organisation__name", "organisation__name_en", "organisation__sector"),
    *("organisation__region_id", "organisation__parent_id", "expert__name"),
)
_session = Compiled(lambda key, now: Session.objects.filter(session_key=key).filter(expire_date__gt=now))
_memberships = Compiled(
    lambda account_id: (
        Membership.objects.filter(account_id=account_id, is_active=True)
        .select_related("account", "organisation", "expert")
        .only(*_MEMBERSHIP)
        .order_by("id")
    )
)
_account = Compiled(lambda key: Account.objects.filter(pk=key))


class SessionStore(InDatabase):
    def _get_session_from_db(self) -> Session | None:
        for found in _session(self.session_key, timezone.now()):
            return found
        self._session_key = None
        return None


class Backend(ModelBackend):
    def get_user(self, user_id: UUID) -> Account | None:
        """The account and its present roles by one query; nearly all have one."""
        memberships = _memberships(user_id)
        account = memberships[0].account if memberships else next(iter(_account(user_id)), None)
        if account is None or not self.user_can_authenticate(account):
            return None
        account.present_memberships = memberships
        return account


def memberships_of(account: Account) -> list[Membership]:
    """The roles somebody has at present."""
    known: list[Membership] | None = getattr(account, "present_memberships", None)
    return _memberships(account.pk) if known is None else known
