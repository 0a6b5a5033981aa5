"""Pages of the data exchange, opened and used as their readers do, under the conditions of production."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from anze.exchange.actions import issue_key
from anze.exchange.conformance import CASES, certificate_of
from anze.exchange.feed import Kind
from anze.exchange.feeds import FEEDS
from anze.exchange.models import Batch, PartnerKey
from anze.exchange.uploads import XLSX, read_upload
from anze.kernel.actor import platform
from anze.kernel.models import Event
from anze.parties.models import Enterprise
from anze.parties.rules import ROLES, Permission, Role
from anze.prevention.models import ServicePerson
from anze.screen.lists import LISTS
from anze.screen.registry import PAGES, load_screens
from anze.underwriting.models import Policy
from tests.cast import XINGHUO, YUANFAN, policy_row
from tests.exchange.test_uploads import policies, typed
from tests.stages import stage
from tests.web.conftest import browser_of, put_down  # noqa: F401 - fixtures

load_screens()

INSURER_ROLES = (
    Role.INSURER_MANAGER, Role.INSURER_CLERK, Role.INSURER_BRANCH_MANAGER, Role.INSURER_BRANCH_CLERK,
)  # fmt: skip
OURS = [page for page in PAGES.values() if page.room == "exchange" and not page.is_interface]
NOW = timezone.now()


@stage
def filled(cast: Any) -> Any:
    """Both insurers have sent a policy and a rejected one, and have a key."""
    by = platform(frozenset({Permission.MANAGE_KEYS, Permission.RUN_PLATFORM}))
    for name, insurer, uscc in (("OWN", cast.huaihai, XINGHUO), ("FOREIGN", cast.bohai, YUANFAN)):
        cast.send(
            insurer,
            "policies",
            policy_row(f"{name}-1", uscc, premium_written="77777.77"),
            policy_row(f"{name}-2", uscc, end_on="2026-01-01"),
            at=NOW - timedelta(days=1),
        )
        issue_key(insurer, by=by, at=NOW)
    return cast


def words_of(page: Any, cast: Any, side: Any) -> tuple[Any, ...]:
    """What stands in a page's address: a dataset, or a row of the given side."""
    if "<str:name>" in page.path:
        return ("policies" if side.kind == "INSURER" else "enterprises",)
    if "<uuid:pk>" not in page.path:
        return ()
    if page.name.startswith("batch"):
        return (Batch.objects.filter(sender=side).latest("received_at").pk,)
    if page.name.startswith("key"):
        return (PartnerKey.objects.filter(partner=side).latest("issued_at").pk,)
    return (side.pk,)


def said(response: Any) -> str:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    if file := getattr(response, "file_to_stream", None):
        file.close()  # the file alone: closing the response would end the test's connection
    return str(content.decode("utf-8", "replace"))


@pytest.mark.parametrize("role", list(Role))
def test_pages_open_by_permission_and_never_show_the_other_insurer(filled: Any, browser_of: Any, role: Role) -> None:  # noqa: F811
    browser = browser_of(role)
    is_insurer = role in INSURER_ROLES
    for page in OURS:
        if page.is_open or page.methods == ("POST",) or page.name == "entry-line":
            continue
        for side in (filled.huaihai, filled.bohai):
            response = browser.get(reverse(page.name, args=words_of(page, filled, side)))
            where = f"{role} {page.name} {side}: {response.status_code}"
            text = said(response)
            may = page.permission is None or page.permission in ROLES[role].permissions
            assert response.status_code in ((200, 302, 403, 404) if may else (403,)), where
            if is_insurer:
                assert "FOREIGN" not in text, where
                if side == filled.bohai and "<uuid:pk>" in page.path:
                    assert response.status_code == 404, where
            if "77777.77" in text or "77,777.77" in text:
                assert Permission.SEE_PREMIUMS in ROLES[role].permissions, where


@pytest.mark.parametrize("role", [role for role in Role if role not in INSURER_ROLES])
def test_nobody_else_can_act_for_an_insurer(filled: Any, browser_of: Any, role: Role) -> None:  # noqa: F811
    browser = browser_of(role)
    for page in OURS:
        if page.methods != ("POST",):
            continue
        response = browser.post(
            reverse(page.name, args=words_of(page, filled, filled.huaihai)), {"algorithm": "ed25519"}
        )
        if role is Role.ADMINISTRATOR and "key" in page.name:
            assert response.status_code in (200, 302, 409), page.name
        else:
            assert response.status_code in (403, 404), (role, page.name)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_page_opens_in_both_languages(filled: Any, browser_of: Any, language: str) -> None:  # noqa: F811
    for role in (Role.INSURER_MANAGER, Role.PROVINCE_REGULATOR):
        browser = browser_of(role)
        browser.cookies["language"] = language
        sender = filled.huaihai if role is Role.INSURER_MANAGER else filled.province
        for page in OURS:
            # pages about rows of other rooms are opened by tests of their own
            of_others = "<uuid:pk>" in page.path and not page.name.startswith(("batch", "key", "partner"))
            no_page = ("entry-line", "batch-rejected", "batch-original", "own-finding-take")
            if page.methods == ("POST",) or of_others or page.name in no_page:
                continue
            for feed in [f.name for f in FEEDS.values()] if "<str:name>" in page.path else [""]:
                if (
                    feed
                    and page.permission == Permission.ENTER_DATA
                    and FEEDS[feed].of_insurer != (sender == filled.huaihai)
                ):
                    continue
                args = (feed,) if feed else words_of(page, filled, filled.huaihai)
                screen = LISTS.get(page.name.removesuffix("-export"))
                if screen and ("anze_insurer" if role is Role.INSURER_MANAGER else "anze_all") not in screen.readers:
                    continue
                response = browser.get(reverse(page.name, args=args))
                if response.status_code == 403:
                    continue  # finer rules than the permission; who may is held by the walk over all pages
                assert response.status_code in (200, 302), (page.name, feed, response.status_code)
                text = said(response)
                if "text/html" in response["Content-Type"]:
                    assert "%(" not in text, page.name
                    assert f'lang="{"zh" if language == "zh-hans" else "en"}' in text or response.status_code == 302


# uploads --------------------------------------------------------------------------------------------------


def post_file(browser: Any, data: bytes, feed: str = "policies", name: str = "保单.xlsx") -> Any:
    return browser.post(reverse("upload", args=[feed]), {"file": SimpleUploadedFile(name, data)}, follow=True)


def test_an_upload_from_the_file_to_the_rejected_rows_and_back(cast: Any, browser_of: Any) -> None:  # noqa: F811
    nature = str(FEEDS["policies"].get("nature").codes["SOLE"].label)
    browser = browser_of(Role.INSURER_CLERK)
    data = policies(typed("W1", nature=nature), typed("W2", nature=nature, end_on="2026-01-01"))
    response = post_file(browser, data)
    batch = Batch.objects.get(channel="EXCEL")
    assert response.redirect_chain == [(reverse("batch", args=[batch.pk]), 302)]
    text = response.content.decode()
    assert "ends_before_start" in text
    assert reverse("batch-confirm", args=[batch.pk]) in text
    assert not Policy.objects.exists()

    back = browser.get(reverse("batch-rejected", args=[batch.pk]))
    assert back["Content-Type"] == XLSX
    assert Event.objects.filter(kind="batch.rejected_downloaded", row_id=batch.pk).exists()
    read = read_upload(FEEDS["policies"], back.content, range(100))
    assert not read.problems
    assert [content["policy_no"] for content in read.contents.values()] == ["W2"]

    response = browser.post(reverse("batch-confirm", args=[batch.pk]), follow=True)
    assert [policy.policy_no for policy in Policy.objects.all()] == ["W1"]
    assert "ends_before_start" in response.content.decode()
    again = post_file(browser, data)
    assert "再次" in again.content.decode() or "changes nothing" in again.content.decode()
    assert Policy.objects.get().version == 1
    assert Batch.objects.filter(channel="EXCEL").count() == 1


def test_a_file_that_cannot_be_read_says_why(cast: Any, browser_of: Any) -> None:  # noqa: F811
    browser = browser_of(Role.INSURER_CLERK)
    response = post_file(browser, b"PK\x03\x04 not a workbook")
    assert response.status_code == 422
    assert 'role="alert"' in response.content.decode()
    response = browser.post(reverse("upload", args=["policies"]), {})
    assert response.status_code == 422
    assert not Batch.objects.filter(channel="EXCEL").exists()


def test_a_branch_reports_for_its_insurer_and_only_on_its_city(cast: Any, browser_of: Any) -> None:  # noqa: F811
    nature = str(FEEDS["policies"].get("nature").codes["SOLE"].label)
    browser = browser_of(Role.INSURER_BRANCH_CLERK)
    post_file(browser, policies(typed("B1", nature=nature), {**typed("B2", nature=nature), "insured_uscc": YUANFAN}))
    batch = Batch.objects.get(channel="EXCEL")
    assert (batch.sender, batch.region_code, batch.outcomes) == (cast.huaihai, "370100", "AR")
    assert [finding.code for finding in batch.findings.all()] == ["region_not_yours"]


def test_nobody_takes_a_record_away_from_where_it_is_on_file(cast: Any, browser_of: Any) -> None:  # noqa: F811
    """Whoever knows the number of another area's record must not move it into his own, nor void it."""
    nature = str(FEEDS["policies"].get("nature").codes["SOLE"].label)
    cast.accepted(cast.huaihai, "policies", policy_row("Q1", YUANFAN))
    post_file(browser_of(Role.INSURER_BRANCH_CLERK), policies(typed("Q1", nature=nature)))
    batch = Batch.objects.get(channel="EXCEL")
    assert (batch.outcomes, [finding.code for finding in batch.findings.all()]) == ("R", ["record_elsewhere"])
    assert Policy.objects.get(policy_no="Q1").region_code == "370202"

    row = {
        name: str(value)
        for name, value in FEEDS["enterprises"].example_rows()[0].items()
        if not isinstance(value, bool)
    } | {"uscc": YUANFAN, "region_code": "370102", "is_high_risk": "1", "key": uuid4().hex}
    said = browser_of(Role.COUNTY_REGULATOR).post(reverse("entry", args=["enterprises"]), row).content.decode()
    assert "现登记在您的管辖或经营范围之外" in said
    assert Enterprise.objects.get(uscc=YUANFAN).region_code == "370202"


# the form -------------------------------------------------------------------------------------------------


def form_of(policy_no: str, **words: str) -> dict[str, Any]:
    row = {name: ("0" if value is False else str(value)) for name, value in policy_row(policy_no, XINGHUO).items()}
    return {**row, "key": uuid4().hex, "agreed_service_types": ["HAZARD", "TRAIN"], **words}


def test_a_record_is_entered_and_corrected(cast: Any, browser_of: Any) -> None:  # noqa: F811
    browser = browser_of(Role.INSURER_CLERK)
    address = reverse("entry", args=["policies"])
    sent = form_of("F1", limit_per_person="500,000", start_on="2026年3月1日")
    response = browser.post(address, sent)
    policy = Policy.objects.get(policy_no="F1")
    assert response.status_code == 302
    assert response["Location"] == reverse("policy", args=[policy.pk])
    assert (policy.channel, policy.version, policy.agreed_service_types) == ("WEB", 1, ["HAZARD", "TRAIN"])
    assert browser.post(address, sent).status_code == 302
    assert Batch.objects.filter(channel="WEB").count() == 1, "sent twice by a double click, received once"

    page = browser.get(f"{address}?of={policy.pk}").content.decode()
    assert re.search(r'name="policy_no" value="F1"[^>]*readonly', page)
    assert XINGHUO in page
    response = browser.post(f"{address}?of={policy.pk}", form_of("F1", insured_workers="90"))
    assert response.status_code == 302
    policy.refresh_from_db()
    assert (policy.version, policy.insured_workers, policy.limit_per_person) == (2, 90, 500_000)
    tab = browser.get(reverse("policy", args=[policy.pk])).content.decode()
    assert f"{address}?of={policy.pk}" in tab


def test_an_unchanged_record_saved_again_is_no_new_version(cast: Any, browser_of: Any) -> None:  # noqa: F811
    """What the form shows of a record is what was sent, for every dataset and every kind of field."""
    cast.accepted(cast.huaihai, "policies", policy_row("Z1", XINGHUO))
    browser = browser_of(Role.INSURER_CLERK)
    policy = Policy.objects.get(policy_no="Z1")
    address = f"{reverse('entry', args=['policies'])}?of={policy.pk}"
    page = browser.get(address).content.decode()
    response = browser.post(address, form_values(page), follow=True)
    assert response.status_code == 200
    policy.refresh_from_db()
    assert policy.version == 1


def form_values(page: str) -> dict[str, Any]:
    """What a browser would send for the main form of a page as it stands."""
    from html.parser import HTMLParser

    found: dict[str, list[str]] = {}

    class Reader(HTMLParser):
        select = ""
        area = ""

        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            given = dict(attributes)
            name = given.get("name") or ""
            if tag == "input" and name and name != "q":
                if given.get("type") != "checkbox" or "checked" in given:
                    found.setdefault(name, []).append(given.get("value") or "")
            elif tag == "select":
                self.select = name
            elif tag == "option" and self.select and "selected" in given:
                found.setdefault(self.select, []).append(given.get("value") or "")
            elif tag == "textarea":
                self.area = name
                found.setdefault(name, [""])

        def handle_data(self, data: str) -> None:
            if self.area:
                found[self.area] = [found[self.area][0] + data]

        def handle_endtag(self, tag: str) -> None:
            if tag == "select":
                self.select = ""
            if tag == "textarea":
                self.area = ""

    Reader().feed(page)
    return dict(found)


def test_refusals_stand_at_their_field_and_nothing_typed_is_lost(cast: Any, browser_of: Any) -> None:  # noqa: F811
    browser = browser_of(Role.INSURER_CLERK)
    address = reverse("entry", args=["policies"])
    response = browser.post(address, form_of("F2", premium_written="5万元", start_on="明天", holder_name=""))
    page = response.content.decode()
    assert response.status_code == 422
    for kept in ("5万元", "明天", "F2", XINGHUO):
        assert f'value="{kept}"' in page
    for name in ("premium_written", "start_on", "holder_name"):
        block = page[page.index(f'id="f-{name}-about"') :][:900]
        assert "invalid-feedback" in block, name
    response = browser.post(address, form_of("F2", end_on="2026-01-01"))
    page = response.content.decode()
    assert response.status_code == 422
    block = page[page.index('id="f-end_on-about"') :][:400]
    assert "invalid-feedback" in block
    assert not Policy.objects.exists()
    assert not Batch.objects.filter(channel="WEB").exists(), "what was refused leaves no half-written batch"


def test_lines_can_be_added_and_left_empty(cast: Any, browser_of: Any) -> None:  # noqa: F811
    cast.accepted(cast.huaihai, "policies", policy_row("S1", XINGHUO))
    browser = browser_of(Role.INSURER_CLERK)
    address = reverse("entry", args=["services"])
    page = browser.get(address).content.decode()
    assert "entry/line/?field=persons&amp;number=" in page or "entry/line/?field=persons&number=" in page
    line = browser.get(
        reverse("entry-line", args=["services"]), {"field": "persons", "number": 3}, headers={"HX-Request": "true"}
    )
    assert 'name="persons-3-kind"' in line.content.decode()
    row = {**FEEDS["services"].example_rows()[0], "policy_no": "S1", "service_no": "V1"}
    for name in ("persons", "plan_no", "plan_item_seq"):
        row.pop(name, None)
    sent = {
        name: {True: "1", False: "0"}.get(value, value) if isinstance(value, bool) else value
        for name, value in row.items()
    }
    sent |= {
        "persons-0-kind": "EXPERT", "persons-0-name": "示例专家甲", "persons-0-expert_number": "EXP001",
        "persons-1-kind": "", "persons-1-name": "", "persons-1-expert_number": "",
        "persons-4-kind": "EXPERT", "persons-4-name": "示例专家丁", "persons-4-expert_number": "EXP404",
    }  # fmt: skip
    response = browser.post(address, sent)
    assert response.status_code == 422
    page = response.content.decode()
    block = page[page.index('id="f-persons-4-expert_number-about"') :][:400]
    assert "invalid-feedback" in block
    sent["persons-4-expert_number"] = ""
    sent["persons-4-kind"] = "INSURER_STAFF"
    response = browser.post(address, sent)
    assert response.status_code == 302, re.findall(r'invalid-feedback d-block">([^<]*)', response.content.decode())
    assert list(ServicePerson.objects.order_by("seq").values_list("name", flat=True)) == ["示例专家甲", "示例专家丁"]
    from anze.prevention.models import Service

    service = Service.objects.get(service_no="V1")
    page = browser.get(f"{address}?of={service.pk}").content.decode()
    assert 'name="persons-1-name" value="示例专家丁"' in page
    response = browser.post(f"{address}?of={service.pk}", form_values(page), follow=True)
    assert response.status_code == 200
    service.refresh_from_db()
    assert service.version == 1


# keys -----------------------------------------------------------------------------------------------------


def test_a_key_is_shown_once_replaced_and_revoked(cast: Any, browser_of: Any) -> None:  # noqa: F811
    browser = browser_of(Role.INSURER_MANAGER)
    response = browser.post(reverse("partner-key-issue", args=[cast.huaihai.pk]), {"algorithm": "hmac-sha256"})
    secret = re.search(r"hmac-sha256:[A-Za-z0-9+/=]+", response.content.decode())
    assert secret
    assert response["Cache-Control"] == "no-store"
    key = PartnerKey.objects.get()
    assert secret[0].partition(":")[2] not in key.material
    assert secret[0] not in browser.get(reverse("partner", args=[cast.huaihai.pk])).content.decode()
    events = Event.objects.filter(kind__startswith="key.")
    assert [(event.kind, event.label) for event in events] == [("key.issued", key.key_id)]
    assert secret[0].partition(":")[2] not in str(events.values("details"))

    browser.post(reverse("key-rotate", args=[key.pk]))
    key.refresh_from_db()
    assert timedelta(days=6) < key.expires_at - timezone.now() < timedelta(days=8)
    fresh = PartnerKey.objects.exclude(pk=key.pk).get()
    assert (fresh.algorithm, fresh.expires_at) == ("hmac-sha256", None)
    assert browser.post(reverse("key-revoke", args=[fresh.pk])).status_code == 302
    fresh.refresh_from_db()
    assert fresh.revoked_at is not None
    assert browser.post(reverse("key-revoke", args=[fresh.pk])).status_code == 409


def test_an_own_public_key_is_taken_and_a_private_one_refused(cast: Any, browser_of: Any) -> None:  # noqa: F811
    from anze_client import new_pair

    secret, public = new_pair()
    browser = browser_of(Role.INSURER_MANAGER)
    address = reverse("partner-key-issue", args=[cast.huaihai.pk])
    response = browser.post(address, {"algorithm": "ed25519", "public_key": public})
    assert response.status_code == 200
    assert PartnerKey.objects.get().material == public
    response = browser.post(address, {"algorithm": "ed25519", "public_key": secret})
    assert response.status_code == 422
    assert PartnerKey.objects.count() == 1


def test_the_page_of_a_partner_tells_what_the_kit_found_and_shows_the_certificate(cast: Any, browser_of: Any) -> None:  # noqa: F811
    by = platform(frozenset({Permission.MANAGE_KEYS, Permission.RUN_PLATFORM}))
    key, _secret = issue_key(cast.huaihai, by=by, at=timezone.now(), is_sandbox=True)
    address = reverse("partner", args=[cast.huaihai.pk])
    insurer, province = browser_of(Role.INSURER_MANAGER), browser_of(Role.PROVINCE_REGULATOR)
    assert "符合性测试" not in insurer.get(address).content.decode()  # nothing was tried yet
    passed = dict.fromkeys(CASES, True)
    PartnerKey.objects.update(conformance={"passed": {**passed, "money": False}})
    for browser in (insurer, province):
        page = browser.get(address).content.decode()
        assert key.key_id in page
        assert f"已通过 {len(CASES) - 1} / {len(CASES)} 个用例" in page
        assert page.count("未通过<") == 1
    certificate = certificate_of(cast.huaihai, timezone.now())
    PartnerKey.objects.update(conformance={"passed": passed, "certificate": certificate})
    for browser in (insurer, province):
        page = browser.get(address).content.decode()
        assert certificate["signed"] in page
        assert reverse("signing-keys") in page
        assert "未通过<" not in page


# the monitor ----------------------------------------------------------------------------------------------


def test_the_monitor_counts_what_was_sent(filled: Any, browser_of: Any) -> None:  # noqa: F811
    page = browser_of(Role.INSURER_MANAGER).get(reverse("partner", args=[filled.huaihai.pk])).content.decode()
    assert "ends_before_start" in page
    assert reverse("clock-policies") in page
    late = browser_of(Role.PROVINCE_REGULATOR).get(
        reverse("clock-policies"), {"reported": "late", "insurer": filled.huaihai.pk}
    )
    assert "OWN-1" in late.content.decode()
    assert "FOREIGN-1" not in late.content.decode()


def test_lists_of_the_clock_hold_every_dataset(filled: Any) -> None:
    for feed in FEEDS.values():
        assert f"clock-{feed.name}" in LISTS
        assert feed.get(feed.event).kind in (Kind.DATE, Kind.MOMENT)


def test_what_waits_is_counted_for_ones_own_organisation_only(filled: Any, browser_of: Any) -> None:  # noqa: F811
    """The province sees every insurer's rejected records in the list, but they are not its work."""
    for role, sender, lines in (
        (Role.INSURER_CLERK, filled.huaihai, ["OWN-2"]),
        (Role.PROVINCE_REGULATOR, filled.province, []),
    ):
        browser = browser_of(role)
        home = browser.get(reverse("home")).content.decode()
        assert f"sender={sender.pk}" in home
        page = browser.get(reverse("rejected-records"), {"sender": sender.pk}).content.decode()
        assert [word for word in ("OWN-2", "FOREIGN-2") if word in page] == lines
    everything = browser_of(Role.COMMITTEE).get(reverse("rejected-records")).content.decode()
    assert "OWN-2" in everything
    assert "FOREIGN-2" in everything
