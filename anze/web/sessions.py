"""Who is signed in, read by queries worked out once: every request of his begins with them."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.backends.db import SessionStore as InDatabase
from django.contrib.sessions.models import Session
from django.utils import timezone

from anze.kernel.compiled import Compiled
from anze.parties.models import Account

_session = Compiled(lambda key, now: Session.objects.filter(session_key=key).filter(expire_date__gt=now))
_account = Compiled(lambda key: Account.objects.filter(pk=key))


class SessionStore(InDatabase):
    def _get_session_from_db(self) -> Session | None:
        for found in _session(self.session_key, timezone.now()):
            return found
        self._session_key = None
        return None


class Backend(ModelBackend):
    def get_user(self, user_id: UUID) -> Account | None:
        for account in _account(user_id):
            if self.user_can_authenticate(account):
                return account
        return None
