"""People and roles: who may open accounts, give roles and passwords, and for whom."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice

from anze.kernel.actor import Actor
from anze.kernel.models import Event
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.access import actor_for
from anze.parties.actions import (
    Post,
    change_person,
    create_person,
    end_role,
    give_role,
    one_time_password,
    remove_second_factor,
    reset_password,
    switch_person,
)
from anze.parties.models import Account, Membership, Organisation, Region
from anze.parties.rules import ROLES, OrganisationKind, Permission, Role
from tests.cast import NOW
from tests.web.conftest import PASSWORD, Browser


@pytest.fixture
def manager(browser_of) -> Browser:
    return browser_of(Role.INSURER_MANAGER)


@pytest.fixture
def administrator(browser_of) -> Browser:
    return browser_of(Role.ADMINISTRATOR)


def new_person(browser: Browser, username: str, role: Role, organisation: Organisation | None = None, **words):
    given = {"username": username, "name": "示例新人", "role": role.value, **words}
    if organisation is not None:
        given["organisation"] = str(organisation.pk)
    return browser.post(reverse("person-new"), given)


def shown_password(browser: Browser, address: str) -> str:
    text = unescape(browser.get(address).content.decode())
    return re.search(r'class="code secret">([a-z0-9-]+)<', text)[1]  # type: ignore[index]


def test_a_new_person_gets_a_password_that_is_shown_once_and_must_be_changed(cast, manager):
    answer = new_person(manager, "Huaihai.Clerk", Role.INSURER_CLERK, cast.huaihai)
    assert answer.status_code == 302
    account = Account.objects.get(username="huaihai.clerk")
    password = shown_password(manager, answer["Location"])
    assert "code secret" not in manager.get(answer["Location"]).content.decode(), "only once"
    assert account.check_password(password)
    assert account.must_change_password
    fresh = Browser()
    signed_in = fresh.post(reverse("sign-in"), {"username": "huaihai.clerk", "password": password})
    assert signed_in.status_code == 302
    assert fresh.get(reverse("home"))["Location"] == reverse("password")
    event = Event.objects.get(kind="person.created")
    assert event.by == manager.membership.account_id
    assert event.insurer_id == cast.huaihai.pk
    assert password not in str(event.details)


def test_a_manager_gives_only_roles_of_his_own_house(cast, manager):
    page = manager.get(reverse("person-new")).content.decode()
    assert str(cast.huaihai.pk) in page
    assert str(cast.bohai.pk) not in page
    assert "PROVINCE_REGULATOR" not in page
    for role, organisation in (
        (Role.PROVINCE_REGULATOR, cast.province),
        (Role.ADMINISTRATOR, None),
        (Role.INSURER_CLERK, cast.bohai),
        (Role.INSURER_CLERK, None),
    ):
        assert new_person(manager, "intruder", role, organisation).status_code == 422, role
    assert not Account.objects.filter(username="intruder").exists()


def test_the_rules_hold_below_the_page_too(cast, manager):
    actor = actor_for(manager.membership)
    words = {"by": actor, "at": NOW, "name": "x"}
    for post in (
        Post(Role.PROVINCE_REGULATOR, cast.province),
        Post(Role.INSURER_MANAGER, cast.bohai),
        Post(Role.INSURER_CLERK),
        Post(Role.AGENCY, cast.agency),
    ):
        with pytest.raises(Refused):
            create_person("intruder", post=post, **words)
    stranger = Account.objects.create_user("stranger", PASSWORD, name="示例外人")
    Membership.objects.create(account=stranger, role=Role.INSURER_CLERK, organisation=cast.bohai)
    with pytest.raises(Refused, match="person_elsewhere"):
        give_role(stranger, by=actor, at=NOW, post=Post(Role.INSURER_CLERK, cast.huaihai))
    with pytest.raises(Refused, match="person_elsewhere"):
        switch_person(stranger, by=actor, at=NOW, is_active=False)
    nobody = Actor(name="x")
    with pytest.raises(Refused, match="not_permitted"):
        switch_person(stranger, by=nobody, at=NOW, is_active=False)


def test_a_manager_sees_his_branches_people_and_nobody_elses(cast, manager):
    branch = Organisation.objects.create(
        kind=OrganisationKind.INSURER_BRANCH,
        code="INS01-1",
        name="淮海示例济南分公司",
        parent=cast.huaihai,
        region_id="370100",
    )
    for name, organisation in (
        ("branch-clerk", branch),
        ("bohai-clerk", cast.bohai),
        ("official", cast.province),
    ):
        account = Account.objects.create_user(name, PASSWORD, name=name)
        role = Role.CITY_REGULATOR if organisation is cast.province else Role.INSURER_CLERK
        Membership.objects.create(account=account, role=role, organisation=organisation)
    text = manager.get(reverse("people")).content.decode()
    assert "branch-clerk" in text
    assert "bohai-clerk" not in text
    assert "official" not in text
    foreign = Account.objects.get(username="bohai-clerk")
    for name in ("person", "person-edit", "person-role"):
        assert manager.get(reverse(name, args=[foreign.pk])).status_code == 404
    for name in ("person-password", "person-active"):
        assert manager.post(reverse(name, args=[foreign.pk])).status_code == 404
    role = Membership.objects.get(account=foreign)
    assert manager.post(reverse("person-role-end", args=[role.pk])).status_code == 404


def test_somebody_who_also_works_elsewhere_is_the_administrators_business(cast, manager, administrator):
    account = Account.objects.create_user("both", PASSWORD, name="示例两任")
    Membership.objects.create(account=account, role=Role.INSURER_CLERK, organisation=cast.huaihai)
    Membership.objects.create(account=account, role=Role.COMMITTEE, organisation=cast.committee)
    assert manager.get(reverse("person", args=[account.pk])).status_code == 200
    assert manager.post(reverse("person-password", args=[account.pk])).status_code == 403
    assert administrator.post(reverse("person-password", args=[account.pk])).status_code == 302


@pytest.fixture
def in_the_city(cast, browser_of) -> Browser:
    """A manager of the insurer's people in Jinan alone."""
    manager = browser_of(Role.INSURER_MANAGER)
    Membership.objects.filter(pk=manager.membership.pk).update(region_id="370100")
    return manager


def test_who_manages_a_city_gives_no_role_beyond_it(cast, in_the_city):
    for region in ("", "370200", "370000"):
        page = new_person(in_the_city, "beyond", Role.INSURER_CLERK, cast.huaihai, region=region)
        assert page.status_code == 422, region
    assert not Account.objects.filter(username="beyond").exists()
    for username, region in (("city-clerk", "370100"), ("county-clerk", "370102")):
        page = new_person(in_the_city, username, Role.INSURER_CLERK, cast.huaihai, region=region)
        assert page.status_code == 302, region
    branch = Organisation.objects.create(
        kind=OrganisationKind.INSURER_BRANCH, code="INS01-2", name="淮海示例青岛分公司", parent=cast.huaihai,
        region_id="370200",
    )  # fmt: skip
    assert new_person(in_the_city, "branch", Role.INSURER_BRANCH_CLERK, branch).status_code == 422


def test_who_manages_a_city_touches_nobody_of_the_head_office(cast, in_the_city):
    head = Account.objects.create_user("head", PASSWORD, name="示例总部")
    role = Membership.objects.create(account=head, role=Role.INSURER_MANAGER, organisation=cast.huaihai)
    by = actor_for(Membership.objects.get(pk=in_the_city.membership.pk))
    assert by.scope.region_from == "370100"
    for act in (
        lambda: reset_password(head, by=by, at=NOW),
        lambda: switch_person(head, by=by, at=NOW, is_active=False),
        lambda: change_person(head, by=by, at=NOW, name="x", email="", phone=""),
        lambda: remove_second_factor(head, by=by, at=NOW),
        lambda: end_role(role, by=by, at=NOW),
        lambda: give_role(head, by=by, at=NOW, post=Post(Role.INSURER_CLERK, cast.huaihai, Region.objects.get(pk="370100"))),
    ):  # fmt: skip
        with pytest.raises(Refused, match="person_beyond_area"):
            act()
    Membership.objects.filter(pk=role.pk).update(region_id="370102")
    assert reset_password(head, by=by, at=NOW).one_time_password


def test_nobody_changes_his_own_roles_and_access(cast, in_the_city, administrator):
    for browser, organisation in ((in_the_city, cast.huaihai), (administrator, None)):
        own = browser.membership
        page = browser.get(reverse("person", args=[own.account_id])).content.decode()
        for name, given in (("person-role", own.account_id), ("person-password", own.account_id),
                            ("person-second-factor", own.account_id), ("person-role-end", own.pk)):  # fmt: skip
            assert reverse(name, args=[given]) not in page, name
        role = {"role": own.role, **({"organisation": str(organisation.pk)} if organisation else {})}
        assert browser.post(reverse("person-role", args=[own.account_id]), role).status_code == 422
        second = Membership.objects.create(account=own.account, role=Role.COMMITTEE, organisation=cast.committee)
        by = actor_for(Membership.objects.get(pk=own.pk))
        for act in (
            lambda: end_role(second, by=by, at=NOW),  # noqa: B023 - called at once
            lambda: reset_password(own.account, by=by, at=NOW),  # noqa: B023
        ):
            with pytest.raises(Refused):
                act()
        assert Membership.objects.get(pk=second.pk).is_active
        assert Membership.objects.filter(account=own.account).count() == 2


def test_a_lost_phone_is_taken_off_the_account_with_a_trace(cast, administrator, browser_of):
    clerk = browser_of(Role.INSURER_CLERK)
    account = clerk.membership.account
    address = reverse("person-second-factor", args=[account.pk])
    person = reverse("person", args=[account.pk])
    assert address not in administrator.get(person).content.decode()
    TOTPDevice.objects.create(user=account, name="app", confirmed=True)
    assert address in administrator.get(person).content.decode()
    assert browser_of(Role.INSURER_MANAGER, other=True).post(address).status_code == 404
    assert administrator.post(address).status_code == 302
    assert not TOTPDevice.objects.exists()
    event = Event.objects.get(kind="person.second_factor_removed")
    assert event.by == administrator.membership.account_id
    signed_in = Browser().post(reverse("sign-in"), {"username": account.username, "password": PASSWORD})
    assert not signed_in["Location"].startswith(reverse("sign-in-code"))


def test_who_is_kept_out_is_out_with_his_next_request(cast, administrator, browser_of):
    clerk = browser_of(Role.INSURER_CLERK)
    assert clerk.get(reverse("home")).status_code == 200
    address = reverse("person-active", args=[clerk.membership.account_id])
    assert administrator.post(address, {"is_active": "no"}).status_code == 302
    assert clerk.get(reverse("home"))["Location"].startswith(reverse("sign-in"))
    again = {"username": "insurer_clerk", "password": PASSWORD}
    assert Browser().post(reverse("sign-in"), again).status_code == 422
    administrator.post(address, {"is_active": "yes"})
    assert Browser().post(reverse("sign-in"), again).status_code == 302


def test_a_new_password_ends_every_session(cast, administrator, browser_of):
    clerk = browser_of(Role.INSURER_CLERK)
    administrator.post(reverse("person-password", args=[clerk.membership.account_id]))
    assert clerk.get(reverse("home"))["Location"].startswith(reverse("sign-in"))


def test_an_ended_role_is_gone_with_the_next_request(cast, administrator, browser_of):
    clerk = browser_of(Role.INSURER_CLERK)
    assert administrator.post(reverse("person-role-end", args=[clerk.membership.pk])).status_code == 302
    assert clerk.get(reverse("home")).status_code == 403


def test_nobody_shuts_himself_out(administrator):
    own = administrator.membership
    assert administrator.post(reverse("person-active", args=[own.account_id]), {"is_active": "no"}).status_code == 409
    assert administrator.post(reverse("person-role-end", args=[own.pk])).status_code == 409
    assert administrator.get(reverse("home")).status_code == 200


@pytest.mark.parametrize(
    ("role", "words", "field"),
    [
        (Role.CITY_REGULATOR, {}, "organisation"),
        (Role.CITY_REGULATOR, {"organisation": "lixia"}, "organisation"),
        (Role.PROVINCE_REGULATOR, {"organisation": "jinan"}, "organisation"),
        (Role.AGENCY, {"organisation": "huaihai"}, "organisation"),
        (Role.EXPERT, {}, "expert"),
        (Role.EXPERT, {"expert": "EXP999"}, "expert"),
        (Role.ENTERPRISE, {}, "enterprise"),
        (Role.ENTERPRISE, {"enterprise": "91370102XN09P37K57"}, "enterprise"),
        (Role.SECTOR_DEPARTMENT, {"organisation": "jinan"}, "sector"),
    ],
)
def test_a_role_without_what_it_belongs_to_is_refused_at_the_field(cast, administrator, role, words, field):
    if "organisation" in words:
        words = {**words, "organisation": getattr(cast, words["organisation"])}
    answer = new_person(administrator, "somebody", role, **words)
    assert answer.status_code == 422
    assert f'id="id_{field}_about"' in answer.content.decode()
    assert re.search(rf'id="id_{field}_about">\s*<div class="invalid-feedback">', answer.content.decode()), field
    assert not Account.objects.filter(username="somebody").exists()


def test_every_role_can_be_given_with_what_it_belongs_to(cast, administrator):
    of = {
        Role.PROVINCE_REGULATOR: {"organisation": cast.province},
        Role.CITY_REGULATOR: {"organisation": cast.jinan},
        Role.COUNTY_REGULATOR: {"organisation": cast.lixia},
        Role.SECTOR_DEPARTMENT: {"organisation": cast.jinan, "sector": "SMELT"},
        Role.COMMITTEE: {"organisation": cast.committee},
        Role.AGENCY: {"organisation": cast.agency},
        Role.EXPERT: {"expert": cast.expert.number},
        Role.ENTERPRISE: {"enterprise": cast.xinghuo.uscc},
        Role.ADMINISTRATOR: {},
    }
    regulator = Organisation.objects.create(
        kind=OrganisationKind.FINANCIAL_REGULATOR, code="NFRA", name="示例金融监管局", region_id="370000"
    )
    of[Role.FINANCIAL_REGULATOR] = {"organisation": regulator}
    for role in Role:
        words = dict(of.get(role, {"organisation": cast.huaihai}))
        answer = new_person(administrator, f"new-{role.value.lower()}", role, **words)
        assert answer.status_code == 302, (
            role,
            re.findall(r"invalid-feedback\">([^<]+)", answer.content.decode()),
        )
        membership = Membership.objects.get(account__username=f"new-{role.value.lower()}")
        assert actor_for(membership).is_known, role
    assert set(ROLES) == set(Role)


def test_a_taken_user_name_is_told_and_nothing_is_half_done(cast, administrator):
    assert new_person(administrator, "twin", Role.INSURER_CLERK, cast.huaihai).status_code == 302
    answer = new_person(administrator, "TWIN", Role.AGENCY, cast.agency)
    assert answer.status_code == 422
    assert Membership.objects.filter(account__username="twin").count() == 1


def test_name_and_contact_are_changed_with_a_trace(cast, administrator, browser_of):
    clerk = browser_of(Role.INSURER_CLERK)
    address = reverse("person-edit", args=[clerk.membership.account_id])
    assert administrator.post(address, {"name": "示例改名", "email": "a@example.org", "phone": ""}).status_code == 302
    assert Account.objects.get(pk=clerk.membership.account_id).name == "示例改名"
    assert Event.objects.get(kind="person.changed").details["name"] == "示例改名"


def test_one_time_passwords_are_long_enough_and_never_alike():
    made = {one_time_password() for _each in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(r"[a-z2-9]{4}(-[a-z2-9]{4}){2}", each) for each in made)


def test_the_readers_of_an_insurer_may_look_at_its_people_and_write_nothing(cast, manager):
    from django.db import ProgrammingError, connection, transaction

    from anze.kernel.scope import enter

    with transaction.atomic(), widened(EVERYTHING):
        assert Account.objects.count() == 1
    enter(actor_for(manager.membership).scope)
    assert Account.objects.count() == 1
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        Account.objects.update(is_active=True)
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
    assert Permission.MANAGE_PEOPLE in ROLES[Role.INSURER_MANAGER].permissions
