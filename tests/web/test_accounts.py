"""Signing in and out, lock-out, second factor, session's end, language, roles, password."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import unquote

import pytest
import time_machine
from django.conf import settings
from django.urls import reverse
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from anze.kernel.models import Event
from anze.parties.models import Account, Membership
from anze.parties.rules import Role
from tests.cast import NOW
from tests.web.conftest import PASSWORD, Browser


@pytest.fixture
def clerk(cast) -> Account:
    account = Account.objects.create_user("clerk", PASSWORD, name="示例经办员")
    Membership.objects.create(account=account, role=Role.INSURER_CLERK, organisation=cast.huaihai)
    return account


def sign_in(browser: Browser, username: str = "clerk", password: str = PASSWORD, **words):
    return browser.post(reverse("sign-in"), {"username": username, "password": password, **words})


def kinds() -> list[str]:
    return list(Event.objects.order_by("id").exclude(kind="batch.received").values_list("kind", flat=True))


def test_signing_in_leads_to_where_one_wanted_to_go_and_is_recorded(clerk):
    browser = Browser()
    wanted = browser.get(reverse("account"))
    assert wanted.status_code == 302
    assert unquote(wanted["Location"]) == f"{reverse('sign-in')}?next={reverse('account')}"
    answer = sign_in(browser, " Clerk ", next=reverse("account"))
    assert (answer.status_code, answer["Location"]) == (302, reverse("account"))
    event = Event.objects.get(kind="sign_in.done")
    assert (event.by, event.by_name, event.role, event.address) == (
        clerk.pk, "示例经办员", Role.INSURER_CLERK, "127.0.0.1",
    )  # fmt: skip
    assert event.insurer_id is not None
    assert browser.get(reverse("account")).status_code == 200
    assert browser.post(reverse("sign-out"))["Location"] == reverse("sign-in")
    assert browser.get(reverse("account")).status_code == 302
    assert kinds() == ["sign_in.done", "sign_out.done"]


def test_one_is_not_sent_to_another_site_after_signing_in(clerk):
    assert sign_in(Browser(), next="https://example.org/trap")["Location"] == reverse("home")


def test_a_wrong_password_is_told_and_recorded_without_the_password(clerk):
    answer = sign_in(Browser(), password="wrong-password-1")
    assert answer.status_code == 422
    event = Event.objects.get(kind="sign_in.failed")
    assert event.details == {"username": "clerk"}
    assert event.insurer_id is not None
    assert sign_in(Browser(), username="nobody").status_code == 422


def test_five_failures_lock_the_account_from_that_address_for_fifteen_minutes(clerk):
    browser = Browser()
    for _attempt in range(settings.AXES_FAILURE_LIMIT - 1):
        assert sign_in(browser, password="wrong-password-1").status_code == 422
    locked = sign_in(browser, password="wrong-password-1")
    assert locked.status_code == 429
    assert "15" in locked.content.decode()
    assert sign_in(browser).status_code == 429
    elsewhere = Browser(REMOTE_ADDR="10.1.2.3")
    assert sign_in(elsewhere).status_code == 302
    with time_machine.travel(NOW + timedelta(days=400)):
        assert sign_in(Browser()).status_code == 302


def test_a_second_factor_is_set_up_asked_for_and_removed(clerk):
    browser = Browser()
    sign_in(browser)
    page = browser.get(reverse("second-factor"))
    assert "data:image/svg+xml" in page.content.decode()
    device = TOTPDevice.objects.get(user=clerk)
    assert not device.confirmed
    assert browser.post(reverse("second-factor"), {"code": "000000", "present": PASSWORD}).status_code == 422
    device.refresh_from_db()
    device.throttle_reset()
    code = f"{TOTP(device.bin_key).token():06d}"
    assert browser.post(reverse("second-factor"), {"code": code, "present": PASSWORD}).status_code == 302
    device.refresh_from_db()
    assert device.confirmed

    fresh = Browser()
    answer = sign_in(fresh, next=reverse("account"))
    assert answer["Location"].startswith(reverse("sign-in-code"))
    assert fresh.get(reverse("account")).status_code == 302, "the password alone opens nothing"
    assert fresh.post(reverse("sign-in-code"), {"code": code}).status_code == 422, "a code works once"
    device.refresh_from_db()
    device.throttle_reset()
    later = TOTP(device.bin_key, drift=1)
    answer = fresh.post(reverse("sign-in-code"), {"code": f"{later.token():06d}", "next": reverse("account")})
    assert (answer.status_code, answer["Location"]) == (302, reverse("account"))
    assert fresh.get(reverse("account")).status_code == 200
    assert kinds() == ["sign_in.done", "second_factor.set_up", "sign_in.wrong_code", "sign_in.done"]


def test_a_screen_left_open_sets_up_and_removes_no_second_factor(clerk):
    """Without the password nothing changes; with it, what else is open ends."""
    browser, elsewhere = Browser(), Browser()
    for each in (browser, elsewhere):
        sign_in(each)
    browser.get(reverse("second-factor"))
    seen = TOTPDevice.objects.get(user=clerk)
    code = f"{TOTP(seen.bin_key).token():06d}"
    for present in ("", "wrong-password-1"):
        assert browser.post(reverse("second-factor"), {"code": code, "present": present}).status_code == 422
    assert not TOTPDevice.objects.filter(confirmed=True).exists()
    browser.get(reverse("second-factor"))
    device = TOTPDevice.objects.get(user=clerk)
    assert device.key != seen.key, "a key that was read and not set up is good for nothing"
    code = f"{TOTP(device.bin_key).token():06d}"
    assert browser.post(reverse("second-factor"), {"code": code, "present": PASSWORD}).status_code == 302
    assert browser.get(reverse("account")).status_code == 200
    assert elsewhere.get(reverse("account"))["Location"].startswith(reverse("sign-in"))
    device.refresh_from_db()
    later = f"{TOTP(device.bin_key, drift=1).token():06d}"
    assert browser.post(reverse("second-factor"), {"code": later}).status_code == 422
    assert TOTPDevice.objects.filter(confirmed=True).exists()
    assert browser.post(reverse("second-factor"), {"code": later, "present": PASSWORD}).status_code == 302
    assert not TOTPDevice.objects.exists()


def test_the_second_step_expires(clerk):
    TOTPDevice.objects.create(user=clerk, name="app", confirmed=True)
    browser = Browser()
    sign_in(browser)
    session = browser.session
    session["pending"] = {**session["pending"], "at": session["pending"]["at"] - 301}
    session.save()
    assert browser.get(reverse("sign-in-code"))["Location"] == reverse("sign-in")


@pytest.mark.parametrize(
    ("started", "seen", "holds"), [(1, 1, True), (3, 2.1, False), (11.9, 0.1, True), (12.1, 0.1, False)]
)
def test_a_session_ends_after_two_idle_hours_or_twelve_in_all(clerk, started, seen, holds):
    browser = Browser()
    sign_in(browser)
    session = browser.session
    session["started"] -= started * 3600
    session["seen"] -= seen * 3600
    session.save()
    assert (browser.get(reverse("account")).status_code == 200) is holds


def test_a_fragment_asked_for_after_the_session_ended_moves_the_whole_page_to_the_sign_in(db):
    answer = Browser().get(
        reverse("home"), headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/account/?a=1"}
    )
    assert answer.status_code == 200
    assert unquote(answer["HX-Redirect"]) == f"{reverse('sign-in')}?next=/account/?a=1"


def test_pages_are_chinese_unless_somebody_chooses_english(clerk):
    browser = Browser(headers={"Accept-Language": "en"})
    assert 'lang="zh-Hans"' in browser.get(reverse("sign-in")).content.decode()
    answer = browser.post(reverse("language"), {"language": "en", "next": reverse("sign-in")})
    assert (answer.status_code, answer["Location"]) == (302, reverse("sign-in"))
    english = browser.get(reverse("sign-in")).content.decode()
    assert 'lang="en"' in english
    assert "Password" in english
    browser.post(reverse("language"), {"language": "tlh"})
    assert browser.cookies["language"].value == "en"


def test_the_language_is_remembered_with_the_account(clerk):
    browser = Browser()
    sign_in(browser)
    browser.post(reverse("language"), {"language": "en"})
    clerk.refresh_from_db()
    assert clerk.language == "en"
    fresh = Browser()
    sign_in(fresh)
    assert fresh.cookies["language"].value == "en"


def test_somebody_with_two_roles_works_in_one_at_a_time(clerk, cast):
    Membership.objects.create(account=clerk, role=Role.CITY_REGULATOR, organisation=cast.qingdao)
    browser = Browser()
    sign_in(browser)
    assert browser.get(reverse("account")).wsgi_request.actor.role == Role.INSURER_CLERK
    city = clerk.memberships.get(role=Role.CITY_REGULATOR)
    browser.post(reverse("role"), {"membership": str(city.pk)})
    actor = browser.get(reverse("account")).wsgi_request.actor
    assert (actor.role, actor.scope.reader, actor.scope.region_from, actor.scope.region_to) == (
        Role.CITY_REGULATOR, "anze_region", "370200", "3702ZZ",
    )  # fmt: skip
    assert kinds()[-1] == "role.switched"


def test_nobody_takes_a_role_that_is_not_his(clerk, cast):
    someone = Account.objects.create_user("regulator", PASSWORD, name="示例监管员")
    foreign = Membership.objects.create(account=someone, role=Role.PROVINCE_REGULATOR, organisation=cast.province)
    browser = Browser()
    sign_in(browser)
    browser.post(reverse("role"), {"membership": str(foreign.pk)})
    assert browser.get(reverse("account")).wsgi_request.actor.role == Role.INSURER_CLERK


def test_an_account_without_a_role_is_told_so(clerk):
    clerk.memberships.update(is_active=False)
    browser = Browser()
    sign_in(browser)
    assert browser.get(reverse("home")).status_code == 403
    assert browser.get(reverse("account")).status_code == 200


def test_a_given_password_must_be_changed_first(clerk):
    Account.objects.update(must_change_password=True)
    browser = Browser()
    sign_in(browser)
    assert browser.get(reverse("home"))["Location"] == reverse("password")
    weak = {"present": PASSWORD, "fresh": "12345678901", "again": "12345678901"}
    assert browser.post(reverse("password"), weak).status_code == 422
    same = {"present": PASSWORD, "fresh": PASSWORD, "again": PASSWORD}
    assert browser.post(reverse("password"), same).status_code == 422
    wrong = {"present": "no", "fresh": "Xin-de-mima-2027", "again": "Xin-de-mima-2027"}
    assert browser.post(reverse("password"), wrong).status_code == 422
    right = {**wrong, "present": PASSWORD}
    assert browser.post(reverse("password"), right).status_code == 302
    assert browser.get(reverse("home")).status_code == 200, "the session goes on"
    assert sign_in(Browser()).status_code == 422
    assert sign_in(Browser(), password="Xin-de-mima-2027").status_code == 302
    assert "password.changed" in kinds()


def test_a_page_that_does_not_exist_is_answered_in_the_same_look(clerk):
    browser = Browser(raise_request_exception=False)
    assert browser.get("/nowhere/").status_code == 404
    sign_in(browser)
    page = browser.get("/nowhere/")
    assert page.status_code == 404
    assert "navbar-vertical" in page.content.decode()
