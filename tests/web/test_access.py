"""Every page × every role × own and foreign row, generated from the registry: a new page cannot be forgotten.

What is expected follows from three things said elsewhere: the page's permission, the role's permissions, and which
rows the role's reach covers. Whatever a page answers, a word of the foreign side must never stand in it.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import models
from django.urls import reverse

from anze.assessment.models import Campaign as Assessment
from anze.assessment.models import Forecast, FrozenRow, Outcome, Tally
from anze.evidence.models import Upload
from anze.exchange.models import Batch, PartnerKey
from anze.kernel.database import policies_of
from anze.kernel.models import Event
from anze.kernel.scope import Scope, widened
from anze.library.models import Draft
from anze.monitoring.definitions import INDICATORS
from anze.monitoring.models import Bulletin
from anze.notices.models import Hook
from anze.parties.access import scope_of
from anze.parties.models import Account, Enterprise, Membership, Organisation
from anze.parties.rules import ROLES, Reach, Role
from anze.prevention.models import Pack, PlanItem
from anze.screen.details import DETAILS
from anze.screen.lists import LISTS
from anze.screen.registry import PAGES, Page, load_screens
from anze.underwriting.models import Policy
from tests.stages import stage
from tests.web.conftest import PASSWORD, Browser
from tests.web.world import FOREIGN_MARK, OWN_MARK, experts_assessed

load_screens()

# reaches that must never see the other side; the others see the whole province
LIMITED = {Reach.REGION, Reach.SECTOR, Reach.INSURER, Reach.AGENCY, Reach.EXPERT, Reach.ENTERPRISE}


# pages whose address holds something else than the id of a row: words that make it a real address
SAMPLES: dict[str, tuple[str, ...]] = {
    "indicator": (next(iter(INDICATORS)),),
    "indicator-rows": (next(iter(INDICATORS)),),
    "indicator-then": (next(iter(INDICATORS)),),
    "alert-rule": ("QUALIFICATION_EXPIRING",),  # one that all who tune rules may read
    "dictionary-of": ("policies",),
    "template": ("policies",),
    "upload": ("policies",),
    "entry": ("policies",),
    "entry-line": ("plans",),
    "workshop": ("no-such-link",),
    "plan-by-link": ("no-such-link",),
    "complain": ("no-such-link",),
    "complaint-follow": ("no-such-link",),
    "attend": ("no-code",),
    "certificate-check": ("no-token",),
    "gate": ("AZ1.PERSON.x.y.z", "no-order"),
    "confirmation": ("no-such-token",),
    "verify-report": ("BG20261123-ABCDEF",),
    "verify-campaign": ("ZX20261123-ABCDEF",),
    "assessment-published": ("INSURER-202601-202612",),
    "assessment-data": ("INSURER-202601-202612",),
    "assessment-manifest": ("INSURER-202601-202612",),
    "assessment-pdf": ("INSURER-202601-202612",),
    "assessment-draw": ("INSURER-202601-202612", "INS01"),
    "apply-as": ("agency",),
    **dict.fromkeys(
        (
            "applying",
            "applying-edit",
            "applying-submit",
            "applying-withdraw",
            "applying-remove",
            "applying-appeal",
            "applying-paper",
        ),
        ("no-such-link",),
    ),
    "entry-appeal-new": ("standing", "00000000-0000-0000-0000-000000000001"),
}
# pages about one row that are not declared as a detail page of their own, by the beginning of their name. Their
# rooms have finer rules on who may do what with a row, and tests of them; here they must keep the sides apart.
MODELS: dict[str, type[models.Model]] = {
    "person-role-end": Membership,
    "batch": Batch,
    "partner": Organisation,
    "key": PartnerKey,
    "plan-item": PlanItem,
    "archive": Policy,
    "pack-file": Pack,
    "premium-use": Policy,
    "uploads-piece": Upload,
    "draft": Draft,
    "hooks": Hook,
    "bulletin": Bulletin,
}


def takes_row(page: Page) -> bool:
    return "<uuid:pk>" in page.path


def is_plain(page: Page) -> bool:
    return "<" not in page.path


@stage
def world(two_sides):
    experts_assessed(two_sides)
    return two_sides


def rows_of(page: Page, role: Role) -> tuple[Any, Any]:
    """A row of the own and one of the foreign side for a page about one row."""
    known = sorted({*DETAILS, *MODELS}, key=len, reverse=True)
    kind = next((k for k in known if page.name == k or page.name.startswith(f"{k}-")), None)
    assert kind, f"say in MODELS of this test what kind of row the page {page.name} is about"
    if kind in DETAILS:
        found = DETAILS[kind].model._default_manager.filter(DETAILS[kind].where)
    else:
        found = MODELS[kind]._default_manager.all()
    own, foreign = [], []
    for row in found.order_by("pk"):
        if getattr(row, "is_void", False):  # a copy made for another row's sake, which not all see who see that one
            continue
        side = sides(row)
        if kind == "partner":
            side = {"INS01": OWN_MARK, "INS02": FOREIGN_MARK}.get(row.code, "")
        if OWN_MARK in side:
            own.append(row)
        elif FOREIGN_MARK in side:
            foreign.append(row)
    return _of_party(own, role), _of_party(foreign, role)


def _of_party(rows: list[Any], role: Role) -> Any:
    """Of what each party of a side has one of, that of the role's kind of party (see `world.entering`); of events, one
    that names the role's party."""
    column = {Reach.INSURER: "insurer_id", Reach.AGENCY: "agency_id"}.get(ROLES[role].reach, "")
    rows = sorted(rows, key=lambda row: isinstance(row, Event) and bool(column) and getattr(row, column) is None)
    kind = {Reach.INSURER: "-0", Reach.AGENCY: "-1", Reach.EXPERT: "-2"}.get(ROLES[role].reach, "-3")
    return next((row for row in rows if str(row).endswith(kind)), rows[0] if rows else None)


def sides(row: models.Model) -> str:
    """Which side a row belongs to, told from its own words and the enterprise it is about."""
    values = [str(getattr(row, f.attname)) for f in row._meta.local_concrete_fields]
    partner = row.sender if isinstance(row, Batch) else row.partner if isinstance(row, PartnerKey) else None
    if partner is not None:
        values.append({"INS01": OWN_MARK, "INS02": FOREIGN_MARK}.get(partner.code, ""))
    enterprise = getattr(row, "enterprise_id", None)
    if enterprise:
        values.append(Enterprise.objects.get(pk=enterprise).name)
    if isinstance(row, Membership):
        values.append(row.account.name)
    return " ".join(values)


def may_open(page: Page, role: Role) -> bool:
    return page.permission is None or page.permission in ROLES[role].permissions


def can_reach(page: Page, scope: Scope) -> bool:
    """Whether the page's table is there at all for the scope; lists and details refuse the others."""
    name = page.name.removesuffix("-export")
    model = LISTS[name].model if name in LISTS else DETAILS[page.name].model if page.name in DETAILS else None
    return model is None or policies_of(model).get(scope.reader, "false") != "false"


def said(response) -> str:
    """Everything an answer holds as text; a workbook is unpacked first."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            body = b" ".join(archive.read(name) for name in archive.namelist() if name.endswith(".xml"))
    return body.decode("utf-8", "replace")


ICONS = set(re.findall(r'<symbol id="([^"]+)"', (Path(__file__).parents[2] / "frontend/src/icons.svg").read_text()))


def unknown_icons(text: str) -> set[str]:
    """Icons a page shows that the set does not have: the reader would see a hole."""
    return set(re.findall(r'icons\.svg[^"#]*#([^"]+)"', text)) - ICONS


def pages() -> Iterator[Page]:
    for page in PAGES.values():
        if not page.is_interface:
            yield page


def ask(browser: Browser, page: Page, *words: Any):
    address = reverse(page.name, args=words)
    return browser.get(address) if "GET" in page.methods else browser.post(address, {})


@pytest.mark.parametrize("role", list(Role))
def test_plain_pages_open_by_permission_and_never_show_the_other_side(world, browser_of, role):
    browser = browser_of(role)
    scope = scope_of(browser.membership)
    limited = ROLES[role].reach in LIMITED
    for page in pages():
        if takes_row(page) or page.name == "sign-out":
            continue
        assert is_plain(page) or page.name in SAMPLES, f"give an address of the page {page.name} in SAMPLES"
        response = ask(browser, page, *SAMPLES.get(page.name, ()))
        text = said(response)
        where = f"{role} {page.name}: {response.status_code}"
        if page.is_open or page.is_personal:
            assert response.status_code in (200, 302, 404, 422), where
        elif (
            not may_open(page, role)
            or not can_reach(page, scope)
            or (page.name.endswith("-export") and "EXPORT" not in ROLES[role].permissions)
        ):
            assert response.status_code == 403, where
        else:
            fine = (200, 302, 409, 422) if page.room != "exchange" else (200, 302, 400, 403, 404)
            assert response.status_code in fine, where
        if limited:
            assert FOREIGN_MARK not in text, where
            assert "77,777.77" not in text, where
        assert unknown_icons(text) == set(), where


@pytest.mark.parametrize("role", list(Role))
def test_pages_of_a_row_open_for_those_whose_scope_holds_it(world, browser_of, role):
    browser = browser_of(role)
    _people(world)
    scope = scope_of(browser.membership)
    limited = ROLES[role].reach in LIMITED
    for page in pages():
        if not takes_row(page):
            continue
        own, foreign = rows_of(page, role)
        for row, is_foreign in ((own, False), (foreign, True)):
            if row is None:
                continue
            response = ask(browser, page, row.pk)
            text = said(response)
            where = f"{role} {page.name} {'foreign' if is_foreign else 'own'}: {response.status_code}"
            if not may_open(page, role) or not can_reach(page, scope):
                assert response.status_code == 403, where
            elif page.name not in DETAILS and not page.name.startswith(("person", "parameter")):
                assert response.status_code in (200, 302, 403, 404, 409, 422), where
            elif is_foreign and limited:
                assert response.status_code == 404, where
            else:
                assert response.status_code in (200, 302, 409, 422), where
            if limited:
                assert FOREIGN_MARK not in text, where
            assert unknown_icons(text) == set(), where


def _people(cast: Any) -> None:
    """Somebody who works for Huaihai, and somebody who works for Bohai."""
    for mark, organisation in ((OWN_MARK, cast.huaihai), (FOREIGN_MARK, cast.bohai)):
        account = Account.objects.create_user(f"clerk-{mark}", PASSWORD, name=f"示例人员{mark}")
        Membership.objects.create(account=account, role=Role.INSURER_CLERK, organisation=organisation)


@pytest.mark.parametrize("role", [r for r in Role if ROLES[r].reach in LIMITED])
def test_every_tab_and_filter_of_a_limited_role_stays_inside_its_scope(world, browser_of, role):
    browser = browser_of(role)
    for detail in DETAILS.values():
        own, _foreign = rows_of(PAGES[detail.name], role)
        if own is None or not may_open(PAGES[detail.name], role):
            continue
        page = browser.get(reverse(detail.name, args=[own.pk]))
        if page.status_code != 200:
            continue
        for tab in set(re.findall(r"\?tab=([a-z-]+)", page.content.decode())):
            answer = browser.get(reverse(detail.name, args=[own.pk]), {"tab": tab})
            assert answer.status_code == 200, f"{role} {detail.name} {tab}"
            assert FOREIGN_MARK not in answer.content.decode(), f"{role} {detail.name} {tab}"
    for screen in LISTS.values():
        has_box = any(each.name == "q" for each in screen.filters)
        if has_box and browser.get(screen.url).status_code == 200:
            answer = browser.get(screen.url, {"q": FOREIGN_MARK, "region": "370202", "insurer": str(world.bohai.pk)})
            shown = answer.content.decode().replace(f'value="{FOREIGN_MARK}"', "").replace(f"{FOREIGN_MARK} ", "")
            assert OWN_MARK not in shown, f"{role} {screen.name}"
            assert "P-" + FOREIGN_MARK not in shown, f"{role} {screen.name}"


@pytest.mark.parametrize("path", ["search", "home"])
@pytest.mark.parametrize("role", [r for r in Role if ROLES[r].reach in LIMITED])
def test_the_search_box_finds_nothing_of_the_other_side(world, browser_of, role, path):
    browser = browser_of(role)
    for words in (f"P-{FOREIGN_MARK}", f"S-{FOREIGN_MARK}", f"H-{FOREIGN_MARK}", "远帆"):
        answer = browser.get(reverse("search"), {"q": words})
        assert answer.status_code == 200
        assert "list-group-item-action" not in answer.content.decode(), f"{role} {words}"


def test_without_signing_in_every_page_leads_to_the_sign_in(db):
    browser = Browser()
    for page in pages():
        if page.is_open:
            continue
        response = ask(browser, page, *([uuid4()] if takes_row(page) else SAMPLES.get(page.name, ())))
        assert response.status_code == 302, page.name
        assert response["Location"].startswith(reverse("sign-in")), page.name


def test_a_city_sees_its_city_and_a_sector_its_sector(world, browser_of):
    for role, other in ((Role.CITY_REGULATOR, True), (Role.SECTOR_DEPARTMENT, True), (Role.ENTERPRISE, True)):
        browser = browser_of(role, other)
        text = browser.get(reverse("hazards")).content.decode()
        if role is not Role.SECTOR_DEPARTMENT:  # Jinan's department of fishery has nothing at all
            assert f"H-{FOREIGN_MARK}" in text, role
        assert f"H-{OWN_MARK}" not in text, role


def test_a_branch_sees_the_insurers_rows_of_its_own_city_only(world, browser_of):
    at_home = browser_of(Role.INSURER_BRANCH_MANAGER)
    assert f"P-{OWN_MARK}" in at_home.get(reverse("policies")).content.decode()
    Membership.objects.filter(pk=at_home.membership.pk).update(region_id="370200")
    assert f"P-{OWN_MARK}" not in at_home.get(reverse("policies")).content.decode()


# whose rows of an expert's result open to whom: his own, his agency's, those of the city; the others see none at all
READS_AN_EXPERT = {
    Role.EXPERT: ("370000", "370100"),
    Role.AGENCY: ("370000", "370100"),
    Role.CITY_REGULATOR: ("370100",),
}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("state", ["PROVISIONAL", "PUBLISHED"])
def test_what_an_expert_reached_opens_to_himself_his_agency_and_authorities(world, browser_of, role, state):
    """Not even the state of what is public for all others opens it."""
    Assessment.objects.update(state=state, signature="x")
    browser = browser_of(role)
    page_of = [
        page for page in PAGES.values() if page.name.startswith("assessment-result") and page.methods == ("GET",)
    ]
    assert {page.name for page in page_of} >= {"assessment-result", "assessment-result-rows", "assessment-result-then"}
    outcomes = list(Outcome.objects.all())
    assert {outcome.expert for outcome in outcomes} == {world.expert, world.other_expert}
    scope = scope_of(browser.membership)
    tables = [model for model in (Outcome, Tally, FrozenRow, Forecast) if scope.reader in policies_of(model)]
    with widened(scope):
        seen = {
            model: set(model.objects.exclude(expert_id=None).values_list("expert_id", "region_code"))
            for model in tables
        }
    limited = ROLES[role].reach in LIMITED
    if limited:
        own = {(world.expert.pk, region) for region in READS_AN_EXPERT.get(role, ())}
        assert seen.get(Outcome, set()) == seen.get(Tally, set()) == own
        assert {expert for expert, _region in seen.get(FrozenRow, set())} <= {expert for expert, _region in own}
        assert seen.get(Forecast, set()) == {each for each in own if each[1] == "370000"}
    for outcome in outcomes:
        is_own = outcome.expert == world.expert and outcome.region_code in READS_AN_EXPERT.get(role, ())
        for page in page_of:
            answer = browser.get(reverse(page.name, args=[outcome.pk]))
            where = f"{role} {page.name} {outcome.expert} {outcome.region_code}: {answer.status_code}"
            if not may_open(page, role):
                assert answer.status_code == 403, where
            elif limited and not is_own:
                assert answer.status_code == 404, where
            else:
                assert answer.status_code == 200, where
    listed = said(browser.get(reverse("assessment", args=[outcomes[0].campaign_id])))
    assert not limited or "93.75" not in listed
    for name in ("assessment-published", "assessment-data", "assessment-manifest", "assessment-pdf"):
        assert Browser().get(reverse(name, args=["EXPERT-202501-202512"])).status_code == 404, name
    draw = reverse("assessment-draw", args=["EXPERT-202501-202512", world.expert.number])
    assert Browser().get(draw).status_code == 404


def test_reading_a_row_out_of_scope_looks_like_reading_none(world, browser_of):
    browser = browser_of(Role.INSURER_CLERK)
    _own, foreign = rows_of(PAGES["policy"], Role.INSURER_CLERK)
    there = browser.get(reverse("policy", args=[foreign.pk]))
    nowhere = browser.get(reverse("policy", args=[UUID(int=7)]))
    assert there.status_code == nowhere.status_code == 404
    assert re.sub(r"\S*csrf\S*|[0-9a-f-]{36}|value=\S+|content=\S+", "", there.content.decode()) == re.sub(
        r"\S*csrf\S*|[0-9a-f-]{36}|value=\S+|content=\S+", "", nowhere.content.decode()
    )


def test_every_write_of_a_page_is_refused_without_the_forms_token(world, browser_of):
    browser = browser_of(Role.ADMINISTRATOR)
    strict = Browser(enforce_csrf_checks=True)
    strict.cookies = browser.cookies
    for page in pages():
        if "POST" in page.methods and is_plain(page):
            answer = strict.post(reverse(page.name), {})
            assert answer.status_code == 403, page.name
    assert not Event.objects.filter(kind__in=("person.created", "parameter.changed")).exists()


def test_rows_of_both_sides_are_there_for_every_page_about_a_row(world):
    """A page whose rows the world lacks would be tried with nothing and pass."""
    _people(world)
    alike = {"sample", "campaign"}  # public: there is one for both sides
    # who sees a draft, an upload, a paper, a complaint or an insurer's yearly plan is no question of sides alone
    own_tests = ("topic", "task", "annual-plan", "uploads", "pack-file", "paper", "standing-paper", "complaint")
    lacking = set()
    for page in pages():
        if takes_row(page) and page.room in ("prevention", "hazards", "evidence"):
            if page.name.startswith(own_tests):
                continue
            own, foreign = rows_of(page, Role.ADMINISTRATOR)
            kind = page.name if page.name in DETAILS else next((k for k in alike if page.name.startswith(k)), "")
            if own is None or (foreign is None and kind not in alike):
                lacking.add(page.name)
    assert not lacking, sorted(lacking)
