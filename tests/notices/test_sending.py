"""Signatures, robots, private networks, quiet hours, retries, and one message for one cause."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.core import mail
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import override as in_language
from hypothesis import given
from hypothesis import strategies as st

from anze.kernel.duty import BEIJING
from anze.kernel.models import Event
from anze.kernel.outside import NotAllowed, checked_address
from anze.kernel.refusal import Refused
from anze.notices.actions import Told, add_hook, keep_wishes, new_secret, tell_hooks, tell_people
from anze.notices.models import Hook, Notice, Preference
from anze.notices.rules import WAITS, after_quiet, check_hook
from anze.notices.sending import send_next, signature
from anze.parties.models import Account
from anze.parties.rules import Role
from tests.cast import NOW
from tests.hazards.conftest import actor
from tests.notices.servers import web_server


def words() -> tuple[str, str]:
    """As a rule says it to whoever reads."""
    if get_language() == "en":
        return "Major hazard overdue", "Please handle it"
    return "重大事故隐患逾期未整改", "请尽快处置"


TOLD = Told("alert:1", "URGENT", words, "/alerts/1/", {"type": "alert.raised"})


def test_a_message_is_signed_as_standard_webhooks_says() -> None:
    # the example published with the specification
    secret, message = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek"
    signed = signature(secret, message, 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "192.168.0.9", "169.254.169.254", "::1", "localhost"])
def test_no_door_of_a_private_network_is_knocked_at(host: str, settings: Any) -> None:
    settings.PRIVATE_NETWORKS = []
    with pytest.raises(NotAllowed):
        checked_address(host, 80)


def test_a_private_network_is_reached_where_it_is_allowed(settings: Any) -> None:
    settings.PRIVATE_NETWORKS = ["127.0.0.0/8"]
    assert checked_address("127.0.0.1", 80).ip == "127.0.0.1"
    with pytest.raises(NotAllowed):
        checked_address("10.0.0.1", 80)


@pytest.mark.parametrize(
    "url",
    ["ftp://a.example/x", "https:///x", "https://user@a.example/", "javascript:1", "https://a.example:99999/x",
     "https://a.example:0/", "https://a..example/", "https://[::1/", "https://a b.example/", "https://a.example/x#y"],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(Refused) as refused:
        check_hook("WECOM", url, "")
    assert (refused.value.code, refused.value.field) == ("hook_url", "url")
    assert refused.value.remedy


@pytest.mark.parametrize("secret", ["钥匙", "whsec_not base64!", "whsec_c2hvcnQ=", "SEC123"])
def test_a_secret_nothing_can_be_signed_with_is_refused(secret: str) -> None:
    with pytest.raises(Refused) as refused:
        check_hook("STANDARD", "https://a.example/", secret)
    assert (refused.value.code, refused.value.field) == ("hook_secret", "secret")
    check_hook("DINGTALK", "https://a.example/", secret)
    check_hook("STANDARD", "https://a.example/", new_secret())


times = st.times()
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda each: each.replace(tzinfo=UTC))  # noqa: DTZ001


@given(moments, times, times)
def test_quiet_hours_put_off_to_their_end_and_never_for_longer_than_a_day(at: datetime, low: time, high: time) -> None:
    later = after_quiet(at, low, high)
    assert at <= later < at + timedelta(days=1)
    assert after_quiet(later, low, high) == later
    if later != at:
        assert later.astimezone(BEIJING).time() == high


def test_quiet_hours_over_midnight() -> None:
    night = datetime(2026, 11, 23, 23, 30, tzinfo=BEIJING)
    assert after_quiet(night, time(22), time(7)) == datetime(2026, 11, 24, 7, tzinfo=BEIJING)
    assert after_quiet(night, None, None) == night


@pytest.fixture
def hooked(cast, settings):
    """Huaihai's own system on this machine: the hook, and what it received."""
    settings.PRIVATE_NETWORKS = ["127.0.0.0/8"]
    manager = actor(Role.INSURER_MANAGER, cast.huaihai)
    manager = type(manager)(**{**manager.__dict__, "organisation_id": cast.huaihai.pk})
    with web_server() as received:

        def add(kind: str, **words: Any) -> Hook:
            address = words.pop("url", f"http://127.0.0.1:{received.port}/robot?key=1").encode()
            given = {"least": "GENERAL", **words}
            hook, _secret = add_hook(cast.huaihai, by=manager, at=NOW, kind=kind, address=address, **given)
            return hook

        yield add, received


def send(at: datetime = NOW) -> bool:
    return send_next(now=lambda: at)


def test_of_a_robot_s_address_which_holds_its_key_the_log_names_the_host_only(hooked) -> None:
    add, _received = hooked
    hook = add("DINGTALK", url="https://robot.example/send?access_token=abc123", secret=b"SEC123")
    event = Event.objects.get(kind="hook.added")
    assert (event.row_id, event.label, event.details["kind"]) == (hook.pk, "robot.example", "DINGTALK")
    assert "abc123" not in str(vars(event))
    assert "SEC123" not in str(vars(event))


def test_one_cause_is_told_once_however_often_it_is_put_in(hooked) -> None:
    add, received = hooked
    hook = add("STANDARD")
    for _time in range(3):
        tell_hooks([(hook, TOLD)], at=NOW)
    assert send()
    assert not send()
    [body] = received.bodies
    assert json.loads(body)["type"] == "alert.raised"
    assert received.headers[0]["webhook-id"] == str(Notice.objects.get().pk)


def test_a_robot_gets_its_own_format_and_its_refusal_is_understood(hooked) -> None:
    add, received = hooked
    received.answers = [(200, b'{"errcode": 45009, "errmsg": "too often"}'), (200, b'{"errcode": 0}')]
    hook = add("WECOM")
    tell_hooks([(hook, TOLD)], at=NOW)
    assert send()
    notice = Notice.objects.get()
    assert (notice.state, notice.attempts, "45009" in notice.failure) == ("WAITING", 1, True)
    assert not send(NOW + WAITS[0] - timedelta(seconds=1))
    assert send(NOW + WAITS[0])
    notice.refresh_from_db()
    assert notice.state == "SENT"
    assert json.loads(received.bodies[1])["markdown"]["content"].startswith("### 重大事故隐患")


def test_dingtalk_s_signature_stands_in_the_address(hooked) -> None:
    add, received = hooked
    hook = add("DINGTALK", secret=b"SEC123")
    tell_hooks([(hook, TOLD)], at=NOW)
    assert send()
    assert "&timestamp=" in received.paths[0]
    assert "&sign=" in received.paths[0]


def test_what_is_never_taken_is_given_up_and_stays_to_be_seen(hooked) -> None:
    add, received = hooked
    received.answers = [(500, b"")] * 10
    tell_hooks([(add("STANDARD"), TOLD)], at=NOW)
    at = NOW
    for wait in WAITS:
        assert send(at)
        at += wait
    assert send(at)
    notice = Notice.objects.get()
    assert (notice.state, notice.attempts) == ("FAILED", len(WAITS) + 1)
    assert not send(at + timedelta(days=30))


@pytest.mark.parametrize("broken", [{"url": "http://127.0.0.1:99999/in"}, {"sealed": "", "url": "http://x.example/"}])
def test_a_hook_that_cannot_be_asked_at_all_keeps_nobody_waiting(hooked, broken: dict[str, str]) -> None:
    add, received = hooked
    bad, good = add("STANDARD", url="http://127.0.0.1/first"), add("WECOM")
    Hook.objects.filter(pk=bad.pk).update(**broken)  # as one may have been kept under earlier rules
    tell_hooks([(bad, TOLD)], at=NOW - timedelta(hours=1))
    tell_hooks([(good, TOLD)], at=NOW)
    assert send()
    assert send()
    assert len(received.bodies) == 1
    at = NOW
    for wait in WAITS:
        at += wait
        assert send(at)
    notice = Notice.objects.get(hook=bad)
    assert (notice.state, notice.attempts) == ("FAILED", len(WAITS) + 1)
    assert notice.failure
    assert not send(at + timedelta(days=30))


def test_an_address_in_any_script_is_asked_as_http_writes_it(hooked) -> None:
    add, received = hooked
    tell_hooks([(add("WECOM", url=f"http://127.0.0.1:{received.port}/群/in?名=安 全%20"), TOLD)], at=NOW)
    assert send()
    assert received.paths == ["/%E7%BE%A4/in?%E5%90%8D=%E5%AE%89%20%E5%85%A8%20"]


def test_a_line_break_in_a_name_does_not_break_the_heading_of_a_mail(cast, settings) -> None:
    settings.EMAIL_IS_SET = True
    account = Account.objects.create(username="li", name="示例李", email="li@example.org")
    wish = Preference.objects.create(account=account, by_email=True)
    told = Told("alert:2", "URGENT", lambda: ("示例\r\nBcc: x@example.org\n厂", "逾期\n两行"), "/alerts/2/")
    tell_people([(account, wish, told)], at=NOW)
    assert send()
    [message] = mail.outbox
    assert message.subject == "示例 Bcc: x@example.org 厂"
    assert "逾期\n两行" in message.body


def test_a_person_s_wishes_decide_ways_and_hours(cast, settings, tmp_path) -> None:
    settings.SMS_PROVIDER, settings.STATE = "anze.notices.sending.FileProvider", tmp_path
    account = Account.objects.create(username="li", name="示例李", phone="13800000000")
    person = actor(Role.INSURER_CLERK, cast.huaihai)
    person = type(person)(**{**person.__dict__, "account_id": account.pk})
    wishes = {"least": "URGENT", "by_email": True, "by_sms": True, "digest_at": None}
    keep_wishes(account, by=person, at=NOW, quiet_from=time(9), quiet_to=time(12), **wishes)
    tell_people([(account, Preference.objects.get(), TOLD)], at=NOW)
    # no address is on file; Monday 10:00 in Beijing is quiet until noon
    assert dict(Notice.objects.values_list("way", "state")) == {"IN_APP": "SENT", "SMS": "WAITING"}
    assert not send()
    assert send(NOW + timedelta(hours=2))
    assert "重大事故隐患" in (tmp_path / "sms.jsonl").read_text()
    with pytest.raises(Refused):
        keep_wishes(account, by=person, at=NOW, quiet_from=time(9), quiet_to=None, **wishes)


def test_what_stands_on_the_platform_is_read_in_the_reader_s_language(cast, browser_of) -> None:
    browser = browser_of(Role.INSURER_MANAGER)
    with in_language("en"):
        tell_people([(browser.membership.account, None, TOLD)], at=NOW)
    for language, said, other in (("zh-hans", *texts()), ("en", *reversed(texts()))):
        browser.cookies["language"] = language
        page = browser.get(reverse("notices")).content.decode()
        assert all(each in page for each in said)
        assert not any(each in page for each in other)


def texts() -> list[tuple[str, str]]:
    found = []
    for language in ("zh-hans", "en"):
        with in_language(language):
            found.append(words())
    return found


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_mail_goes_out_in_the_language_its_reader_has_by_then(cast, settings, language: str) -> None:
    settings.EMAIL_IS_SET = True
    account = Account.objects.create(username="li", name="示例李", email="li@example.org")
    wish = Preference.objects.create(account=account, by_email=True, quiet_from=time(9), quiet_to=time(12))
    tell_people([(account, wish, TOLD)], at=NOW)
    Account.objects.update(language=language)  # chosen while the message waits
    assert send(NOW + timedelta(hours=2))
    [message] = mail.outbox
    with in_language(language):
        title, text = words()
    assert message.subject == title
    assert text in message.body


def test_a_robot_speaks_the_language_of_its_group(hooked) -> None:
    add, received = hooked
    tell_hooks([(add("WECOM", language="en"), TOLD)], at=NOW)
    assert send()
    assert "Major hazard overdue" in json.loads(received.bodies[0])["markdown"]["content"]


def test_the_language_of_a_group_is_chosen_with_its_address_and_one_s_own_is_told(cast, browser_of) -> None:
    browser = browser_of(Role.INSURER_MANAGER)
    given = {"kind": "WECOM", "url": "https://qyapi.example.org/robot?key=1", "least": "URGENT", "language": "en"}
    assert browser.post(reverse("hooks"), given).status_code == 302
    assert Hook.objects.get().language == "en"
    browser.post(reverse("language"), {"language": "en", "next": "/"})
    page = browser.get(reverse("notices-wishes")).content.decode()
    assert "the language you read the platform in: English" in page
