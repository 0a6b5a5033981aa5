"""Somebody signed in, without the sign-in page: the cookies of a provincial regulator."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.utils import timezone
from django.utils.crypto import get_random_string

from anze.kernel.scope import EVERYTHING, inside
from anze.parties.models import Account, Membership, Organisation
from anze.parties.rules import Role
from anze.web.sessions import SessionStore


def regulator_cookie() -> dict[str, str]:
    with inside(EVERYTHING):
        account = Account.objects.filter(username="bench").first() or Account.objects.create_user(
            "bench", "Bench-2026-only", name="示例"
        )
        authority = Organisation.objects.filter(kind="EMA", region_id="370000").first()
        Membership.objects.get_or_create(
            account=account, role=Role.PROVINCE_REGULATOR, organisation=authority, region_id="370000"
        )
    session = SessionStore()
    session[SESSION_KEY] = str(account.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    session[HASH_SESSION_KEY] = account.get_session_auth_hash()
    session["started"] = session["seen"] = timezone.now().timestamp()
    session.create()
    # with the cookie against forged requests, which a browser has from the sign-in page
    cookies = {settings.SESSION_COOKIE_NAME: session.session_key, settings.CSRF_COOKIE_NAME: get_random_string(32)}
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()), "Accept-Language": "zh-CN"}
