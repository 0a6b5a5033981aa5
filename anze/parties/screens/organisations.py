"""Insurers, agencies, authorities, experts and their qualifications."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from anze.kernel.duty import beijing_day
from anze.parties.models import Expert, Organisation, Qualification
from anze.parties.rules import OrganisationKind, Permission, Role
from anze.parties.screens import due_within, of_kind
from anze.screen.asked import Rows
from anze.screen.columns import Column
from anze.screen.details import DetailScreen, Section, detail_screen
from anze.screen.filters import Asking, Case, Cases, Choice, Dates, Flag, InRegion, Search
from anze.screen.lists import Button, ListScreen, list_screen, waiting
from anze.screen.registry import Hit, search
from anze.screen.registry import Search as SearchAnswer

SOON_DAYS = "alert.qualification_expiring_days"  # a paper is said to expire soon when it is announced
ACTIVE = Column("is_active", title=_("Active"))
KIND = OrganisationKind


def _of(*kinds: OrganisationKind) -> Any:
    def narrowed(rows: Rows, asking: Asking) -> Rows:
        return rows.filter(kind__in=kinds)

    return narrowed


_FACTS = (
    Section(
        _("The organisation"),
        ("name", "name_en", "short_name", "code", "uscc", "kind", "region", "sector", ACTIVE, "entered_on"),
    ),
)
_SEARCH = Search(own=("code", "uscc"), inside=("name", "short_name", "name_en"), title=_("Code or name"))


def _own_insurer(asking: Asking, row: Any) -> bool:
    scope = asking.actor.scope
    return scope.agency_id is None and (scope.insurer_id in (None, row.pk, row.parent_id))


def _own_agency(asking: Asking, row: Any) -> bool:
    return asking.actor.scope.agency_id in (None, row.pk)


INSURERS = list_screen(
    ListScreen(
        name="insurers",
        path="parties/insurers/",
        title=_("Insurers"),
        about=_("Insurers that underwrite work-safety liability in the province."),
        model=Organisation,
        permission=Permission.SEE_PARTIES,
        base=_of(KIND.INSURER),
        detail="insurer",
        sort="code",
        columns=(
            Column("name"),
            Column("code"),
            Column("short_name"),
            Column("region"),
            Column("entered_on"),
            ACTIVE,
            Column("uscc", optional=True),
            Column("name_en", optional=True),
        ),
        filters=(_SEARCH, Flag("is_active", _("Active"), main=True)),
        order=20,
    )
)
INSURER_PAGE = detail_screen(
    DetailScreen(
        name="insurer",
        path="parties/insurers/<uuid:pk>/",
        title=_("Insurer"),
        model=Organisation,
        where=Q(kind__in=(KIND.INSURER, KIND.INSURER_BRANCH)),
        permission=Permission.SEE_PARTIES,
        named=(),
        of_list="insurers",
        sections=_FACTS,
        is_own=_own_insurer,
    )
)
BRANCHES = list_screen(
    ListScreen(
        name="insurer-branches",
        path="parties/insurer-branches/",
        title=_("City branches"),
        model=Organisation,
        permission=Permission.SEE_PARTIES,
        base=_of(KIND.INSURER_BRANCH),
        detail="insurer",
        sort="code",
        columns=(
            Column("name"),
            Column("code"),
            Column("parent", title=_("Insurer"), opens="insurer"),
            Column("region"),
            ACTIVE,
        ),
        filters=(_SEARCH, Choice("parent", _("Insurer"), main=True, options_of=of_kind(KIND.INSURER))),
        tab_of={"insurer": "parent"},
        in_menu=False,
    )
)
AGENCIES = list_screen(
    ListScreen(
        name="agencies",
        path="parties/agencies/",
        title=_("Service agencies"),
        about=_("Technical service agencies that insurers commission."),
        model=Organisation,
        permission=Permission.SEE_PARTIES,
        base=_of(KIND.AGENCY),
        detail="agency",
        sort="code",
        columns=(
            Column("name"),
            Column("code"),
            Column("region"),
            ACTIVE,
            Column("uscc", optional=True),
            Column("entered_on", optional=True),
        ),
        filters=(_SEARCH, InRegion(path="region_id"), Flag("is_active", _("Active"), main=True)),
        order=30,
    )
)
AGENCY_PAGE = detail_screen(
    DetailScreen(
        name="agency",
        path="parties/agencies/<uuid:pk>/",
        title=_("Service agency"),
        model=Organisation,
        where=Q(kind=KIND.AGENCY),
        permission=Permission.SEE_PARTIES,
        named=(),
        of_list="agencies",
        sections=_FACTS,
        is_own=_own_agency,
    )
)
AUTHORITIES = list_screen(
    ListScreen(
        name="authorities",
        path="parties/authorities/",
        title=_("Authorities and committee"),
        about=_("Emergency management authorities, sector departments, the financial regulator and the committee."),
        model=Organisation,
        permission=Permission.SEE_PARTIES,
        base=_of(KIND.EMA, KIND.SECTOR_DEPARTMENT, KIND.FINANCIAL_REGULATOR, KIND.COMMITTEE, KIND.BROKER),
        sort="code",
        columns=(Column("name"), Column("kind"), Column("region"), Column("sector"), Column("code")),
        filters=(_SEARCH, InRegion(path="region_id"), Choice("kind", main=True)),
        order=60,
    )
)
EXPERTS = list_screen(
    ListScreen(
        name="experts",
        path="parties/experts/",
        title=_("Experts"),
        about=_("Safety professionals. Telephone numbers and identity documents are not kept here."),
        model=Expert,
        permission=Permission.SEE_PARTIES,
        detail="expert",
        sort="number",
        columns=(
            Column("name"),
            Column("number"),
            Column("agency", opens="agency"),
            Column("region"),
            Column("sector"),
            Column("title"),
            ACTIVE,
        ),
        filters=(
            Search(own=("number",), inside=("name",), title=_("Number or name")),
            InRegion(path="region_id"),
            Choice("sector", main=True),
            Choice("agency", options_of=of_kind(KIND.AGENCY)),
            Flag("is_active", _("Active")),
        ),
        tab_of={"agency": "agency"},
        order=40,
    )
)
EXPERT_PAGE = detail_screen(
    DetailScreen(
        name="expert",
        path="parties/experts/<uuid:pk>/",
        title=_("Expert"),
        model=Expert,
        permission=Permission.SEE_PARTIES,
        named=("name",),
        of_list="experts",
        sections=(
            Section(
                _("The expert"),
                ("number", Column("agency", opens="agency"), "region", "sector", "title", ACTIVE),
            ),
        ),
    )
)


def _validity(asking: Asking, valid_from: date, valid_to: date) -> str:
    today = beijing_day(asking.at)
    if valid_to < today:
        return "EXPIRED"
    if valid_from > today:
        return "NOT_YET"
    return "EXPIRING" if valid_to <= today + timedelta(days=asking.number(SOON_DAYS)) else "VALID"


def _lapsed(asking: Asking) -> Q:
    """Expired, and its holder has no other of its kind that runs longer."""
    later = Qualification.objects.filter(kind=OuterRef("kind"), valid_to__gt=OuterRef("valid_to")).filter(
        Q(organisation=OuterRef("organisation")) | Q(expert=OuterRef("expert"))
    )
    return Q(~Exists(later), valid_to__lt=beijing_day(asking.at))


def _ours(asking: Asking) -> Q:
    """The reader's own and, of an agency, its experts'; for those who watch over all, all."""
    scope = asking.actor.scope
    if scope.expert_id:
        return Q(expert=scope.expert_id)
    if scope.agency_id:
        return Q(organisation=scope.agency_id) | Q(expert__agency=scope.agency_id)
    return Q(organisation=scope.insurer_id) if scope.insurer_id else Q()


VALIDITY = (
    ("VALID", _("valid")),
    ("EXPIRING", _("expires soon")),
    ("EXPIRED", _("expired")),
    ("NOT_YET", _("not yet valid")),
)
QUALIFICATIONS = list_screen(
    ListScreen(
        name="qualifications",
        path="parties/qualifications/",
        title=_("Qualifications"),
        about=_("Licences and certificates with the days they are valid. A service is judged by the day it was done."),
        model=Qualification,
        permission=Permission.SEE_PARTIES,
        sort="valid_to",
        columns=(
            Column("number"),
            Column("kind"),
            Column("organisation", opens="agency", title=_("Organisation")),
            Column("expert__name", opens="expert", title=_("Expert")),
            Column("valid_from"),
            Column("valid_to"),
            Column(
                "validity",
                title=_("State"),
                needs=("valid_from", "valid_to"),
                compute=_validity,
                choices=VALIDITY,
                tones={"EXPIRED": "danger", "EXPIRING": "warning", "VALID": "success"},
            ),
            Column("issuer", optional=True),
            Column("scope", optional=True),
        ),
        filters=(
            Search(own=("number",), title=_("Number")),
            Choice("kind", main=True),
            Cases(
                "state",
                _("State"),
                main=True,
                cases={
                    "valid": Case(
                        _("valid"),
                        lambda a: Q(valid_from__lte=beijing_day(a.at), valid_to__gte=beijing_day(a.at)),
                    ),
                    "expiring": Case(_("expires soon"), lambda a: due_within("valid_to", a, a.number(SOON_DAYS))),
                    "expired": Case(_("expired"), lambda a: Q(valid_to__lt=beijing_day(a.at))),
                    "lapsed": Case(_("expired and not renewed"), _lapsed),
                },
            ),
            Cases("own", _("Whose"), cases={"yes": Case(_("ours"), _ours)}),
            Dates("valid_to"),
        ),
        sorts=("valid_from",),
        tab_of={"agency": "organisation", "insurer": "organisation", "expert": "expert"},
        buttons=(Button(_("Renew a qualification"), "qualification-renew", Permission.APPLY, "refresh"),),
        order=50,
    )
)
waiting(
    QUALIFICATIONS,
    "qualifications-expiring",
    _("Qualifications expiring"),
    why=_("Services done after the last day do not count."),
    tone="warning",
    order=80,
    roles=frozenset({Role.COMMITTEE, Role.AGENCY, Role.EXPERT, Role.INSURER_MANAGER, Role.PROVINCE_REGULATOR}),
    state="expiring",
    own="yes",
)
waiting(
    QUALIFICATIONS,
    "qualifications-expired",
    _("Qualifications expired"),
    why=_("Their holders cannot be sent until a renewed one is taken up."),
    tone="danger",
    order=78,
    roles=frozenset({Role.COMMITTEE, Role.AGENCY, Role.EXPERT, Role.INSURER_MANAGER}),
    state="lapsed",
    own="yes",
)


def _find_organisations(words: str, limit: int) -> list[Hit]:
    rows = Organisation.objects.filter(Q(name__contains=words) | Q(short_name__contains=words) | Q(code=words.upper()))
    pages = {KIND.INSURER: "insurer", KIND.INSURER_BRANCH: "insurer", KIND.AGENCY: "agency"}
    return [
        Hit(str(each), each.code, reverse(pages[OrganisationKind(each.kind)], args=[each.pk]))
        for each in rows.filter(kind__in=pages)[:limit]
    ]


def _find_experts(words: str, limit: int) -> list[Hit]:
    rows = Expert.objects.filter(Q(name__startswith=words) | Q(number=words.upper()))
    return [
        Hit(name, number, reverse("expert", args=[key]))
        for key, name, number in rows.values_list("id", "name", "number")[:limit]
    ]


search(SearchAnswer("organisations", _("Institutions"), Permission.SEE_PARTIES, _find_organisations, order=60))
search(SearchAnswer("experts", _("Experts"), Permission.SEE_PARTIES, _find_experts, order=70))
