"""Pages of campaigns: the list, one campaign with its live figures, and the forms of those who run and attend it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.hazards.actions import campaigns as actions
from anze.hazards.models import (
    Attendance,
    Campaign,
    CampaignEnterprise,
    CampaignGroup,
    CampaignMember,
    CampaignReport,
    figures_of,
    shares_of,
)
from anze.hazards.rules import CampaignState
from anze.hazards.screens.hazards import HAZARDS
from anze.kernel.refusal import Refused
from anze.kernel.rules import Sector
from anze.kernel.wording import listed
from anze.library.screens.checklists import CHECKLIST, checklist_choices
from anze.parties.models import Enterprise, Expert, Region
from anze.parties.rules import Permission
from anze.parties.screens import ENTERPRISE, insurer_filter
from anze.screen.columns import DASH, DIRECTORIES, Column, labels, readers_of, region_name
from anze.screen.details import DetailScreen, Section, detail_screen
from anze.screen.filters import Choice, Flag, InRegion, Search
from anze.screen.forms import Form, Several
from anze.screen.lists import Button, ListScreen, list_screen
from anze.screen.registry import page

STATE = Column("state", tones={"PLANNED": "info", "RUNNING": "warning", "CLOSED": "success"})

SECTORS = Column(
    "sector_names", title=_("sectors"), needs=("sectors",),
    compute=lambda asking, codes: listed(labels(Sector.choices).get(code, code) for code in codes) or DASH,
)  # fmt: skip
REGIONS = Column(
    "region_names", title=_("regions"), needs=("regions",),
    compute=lambda asking, codes: listed(region_name(code) for code in codes) or DASH,
)  # fmt: skip

CAMPAIGNS = list_screen(
    ListScreen(
        name="campaigns",
        path="hazards/campaigns/",
        title=_("Campaigns"),
        about=_("“1+1”: regulators' experts diagnose, insurers' people attend and help to rectify."),
        model=Campaign,
        permission=Permission.SEE_HAZARDS,
        detail="campaign",
        sort="-starts_on",
        columns=(
            Column("title"),
            Column("code"),
            Column("starts_on"),
            Column("ends_on"),
            STATE,
        ),
        filters=(Choice("state", main=True),),
        buttons=(Button(_("New campaign"), "campaign-new", Permission.RUN_CAMPAIGNS),),
        order=30,
    )
)
CAMPAIGN_ENTERPRISES = list_screen(
    ListScreen(
        name="campaign-enterprises",
        path="hazards/campaigns/enterprises/",
        title=_("Enterprises of campaigns"),
        about=_("The list as it was frozen when the campaign started, and what was added by hand."),
        model=CampaignEnterprise,
        permission=Permission.SEE_HAZARDS,
        sort="-id",
        columns=(
            ENTERPRISE,
            Column("insurer", opens="insurer", hide_for="insurer_id"),
            Column("region_code"),
            Column("reason"),
            Column("group__name", title=_("Group")),
            Column("id", title=_("Order of entry"), optional=True),
        ),
        filters=(
            Search(relation="enterprise", related=("name", "uscc"), title=_("Enterprise or credit code")),
            InRegion(),
            insurer_filter(),
            Choice("reason"),
        ),
        tab_of={"campaign": "campaign"},
        in_menu=False,
        order=31,
    )
)
ATTENDANCES = list_screen(
    ListScreen(
        name="campaign-attendance",
        path="hazards/campaigns/attendance/",
        title=_("Attendance"),
        about=_("Which insurer's people were at which enterprise on which day of a campaign."),
        model=Attendance,
        permission=Permission.SEE_HAZARDS,
        sort="-on",
        columns=(
            Column("on"),
            ENTERPRISE,
            Column("insurer", opens="insurer", hide_for="insurer_id"),
            Column("name"),
            Column("helps"),
            Column("group__name", title=_("Group")),
            Column("region_code", optional=True),
        ),
        filters=(
            Search(relation="enterprise", related=("name", "uscc"), title=_("Enterprise or credit code")),
            InRegion(),
            insurer_filter(),
            Flag("helps", _("helped to rectify")),
        ),
        tab_of={"campaign": "campaign"},
        in_menu=False,
        order=32,
    )
)


@dataclass(frozen=True)
class Line:
    """One insurer's part of a campaign, in words."""

    name: str
    person_times: int
    hazards: int
    major: int
    rectified: int
    url: str


def more_of(request: HttpRequest, campaign: Campaign) -> Mapping[str, Any]:
    actor = request.actor  # type: ignore[attr-defined]
    is_running = campaign.state == CampaignState.RUNNING
    runs = actor.may(Permission.RUN_CAMPAIGNS)
    may = {
        "may_start": runs and campaign.state == CampaignState.PLANNED,
        "may_run": runs and is_running,
        "may_group": runs and campaign.state != CampaignState.CLOSED,
        "may_attend": actor.may(Permission.ATTEND_CAMPAIGNS) and is_running,
    }
    if request.GET.get("tab"):
        return may
    sees_reports = actor.scope.reader in readers_of(CampaignReport)
    figures = figures_of(campaign)
    insurers = DIRECTORIES[Campaign._meta.get_field("authority").related_model]  # type: ignore[index]
    lines = [
        Line(
            insurers.name(each.insurer_id), each.person_times, each.hazards, each.major, each.rectified,
            HAZARDS.link(campaign=campaign.code, insurer=each.insurer_id),
        )
        for each in shares_of(campaign)
    ]  # fmt: skip
    members: dict[UUID, list[CampaignMember]] = {}
    for member in CampaignMember.objects.filter(group__campaign=campaign).select_related("expert", "group"):
        members.setdefault(member.group_id, []).append(member)
    return {
        **may,
        "figures": figures,
        "lines": lines,
        "may_issue": runs and campaign.state == CampaignState.CLOSED,
        "may_draft": runs and campaign.state != CampaignState.PLANNED,
        "reports": list(CampaignReport.objects.filter(campaign=campaign).order_by("-issue")) if sees_reports else [],
        "groups": [(group, members.get(group.pk, [])) for group in campaign.groups.order_by("name")],
        "links": {
            "hazards": HAZARDS.link(campaign=campaign.code),
            "major": HAZARDS.link(campaign=campaign.code, **{"class": "MAJOR"}),
            "rectified": HAZARDS.link(campaign=campaign.code, state="CLOSED"),
            "major_rectified": HAZARDS.link(campaign=campaign.code, state="CLOSED", **{"class": "MAJOR"}),
            "attendance": ATTENDANCES.link(campaign=campaign.pk),
            "enterprises": CAMPAIGN_ENTERPRISES.link(campaign=campaign.pk),
        },
    }


detail_screen(
    DetailScreen(
        name="campaign",
        path="hazards/campaigns/<uuid:pk>/",
        title=_("Campaign"),
        model=Campaign,
        permission=Permission.SEE_HAZARDS,
        named=("title",),
        state=STATE,
        of_list="campaigns",
        template="hazards/campaign.html",
        extra=more_of,
        has_history=False,
        sections=(
            Section(
                _("The campaign"),
                (
                    "code", "about", "authority", "starts_on", "ends_on", SECTORS, REGIONS, "industries",
                    CHECKLIST, "closed_on", "result",
                ),
                hides_empty=True,
            ),
        ),
    )
)  # fmt: skip


# forms ----------------------------------------------------------------------------------------------------------


class CampaignForm(Form):
    code = forms.RegexField(r"^[A-Za-z0-9+._-]+$", label=_("Code"), max_length=30,
                            help_text=_("Hazards found in the campaign carry it."))  # fmt: skip
    title = forms.CharField(label=_("Title"), max_length=120)
    about = forms.CharField(
        label=_("Diagnosis and goals"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    starts_on = forms.DateField(label=_("From"), widget=forms.DateInput())
    ends_on = forms.DateField(label=pgettext_lazy("campaign", "Until"), widget=forms.DateInput())
    sectors = Several(label=_("Sectors"), required=False, choices=lambda: list(labels(Sector.choices).items()))
    regions = Several(label=_("Cities"), required=False, help_text=_("None chosen: all."))
    industries = forms.CharField(
        label=_("Industries"), required=False, max_length=100,
        help_text=_("Beginnings of codes of GB/T 4754, divided by blanks; 3216 is the smelting of aluminium."),
    )  # fmt: skip
    checklist_code = forms.ChoiceField(label=_("Checklist"), required=False)

    def __init__(self, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        cities = Region.objects.filter(kind="CITY").order_by("code")
        self.fields["regions"].choices = [(each.code, str(each)) for each in cities]  # type: ignore[attr-defined]
        self.fields["checklist_code"].choices = checklist_choices()  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("starts_on") and given.get("ends_on") and given["ends_on"] < given["starts_on"]:
            self.add_error("ends_on", _("The campaign ends before it begins. Correct one of the two days."))
        given["industries"] = [each[:12] for each in given.get("industries", "").split() if each.isalnum()]
        return given


class GroupForm(Form):
    name = forms.CharField(label=_("Name of the group"), max_length=60)
    leader = forms.CharField(label=_("Expert number of the leader"), max_length=30)
    members = forms.CharField(
        label=_("Expert numbers of the others"), required=False, max_length=400, help_text=_("Divided by blanks.")
    )
    region_code = forms.ChoiceField(label=_("Takes the enterprises of"), required=False)

    def __init__(self, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        cities = Region.objects.filter(kind="CITY").order_by("code")
        self.fields["region_code"].choices = [("", "–"), *((each.code, str(each)) for each in cities)]  # type: ignore[attr-defined]

    def _experts(self, numbers: list[str]) -> list[Expert]:
        found = {each.number: each for each in Expert.objects.filter(number__in=numbers, is_active=True)}
        missing = [number for number in numbers if number not in found]
        if missing:
            raise forms.ValidationError(
                _("No active expert has the number %(number)s. Look it up in the list of experts."),
                params={"number": missing[0]},
            )
        return [found[number] for number in numbers]

    def clean_leader(self) -> Expert:
        return self._experts([self.cleaned_data["leader"].strip()])[0]

    def clean_members(self) -> list[Expert]:
        return self._experts(self.cleaned_data["members"].split())


class AttendForm(Form):
    enterprise = forms.CharField(label=_("Credit code of the enterprise"), max_length=18)
    on = forms.DateField(label=_("Day"), widget=forms.DateInput())
    names = forms.CharField(
        label=_("Who was there"), max_length=600, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Your people, one name a line."),
    )  # fmt: skip
    helps = forms.BooleanField(label=_("They helped to rectify"), required=False)

    def clean_enterprise(self) -> Enterprise:
        found = Enterprise.objects.filter(uscc=self.cleaned_data["enterprise"].strip().upper()).first()
        if found is None:
            raise forms.ValidationError(_("No enterprise of yours has this credit code."))
        return found

    def clean_names(self) -> list[str]:
        names = [each.strip()[:60] for each in self.cleaned_data["names"].splitlines() if each.strip()]
        if not names:
            raise forms.ValidationError(_("Give at least one name."))
        return names


class AddForm(Form):
    enterprise = forms.CharField(label=_("Credit code of the enterprise"), max_length=18)

    clean_enterprise = AttendForm.clean_enterprise


class CloseForm(Form):
    result = forms.CharField(label=_("What came of it"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4}))


def _campaign(pk: UUID) -> Campaign:
    found = Campaign.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _form(request: HttpRequest, form: Form, title: Any, campaign: Campaign | None) -> HttpResponse:
    status = 422 if form.is_bound and form.errors else 200
    return render(
        request, "hazards/campaign_form.html", {"form": form, "title": title, "campaign": campaign}, status=status
    )


@page("hazards/campaigns/new/", name="campaign-new", title=_("New campaign"),
      permission=Permission.RUN_CAMPAIGNS, methods=("GET", "POST"))  # fmt: skip
def new(request: HttpRequest) -> HttpResponse:
    form = CampaignForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        try:
            made = actions.create_campaign(given.pop("code"), by=request.actor, at=request.at, **given)  # type: ignore[attr-defined]
        except Refused as refused:
            form.refuse(refused)
        else:
            return redirect("campaign", made.pk)
    return _form(request, form, _("New campaign"), None)


@page("hazards/campaigns/<uuid:pk>/start/", name="campaign-start", permission=Permission.RUN_CAMPAIGNS,
      methods=("POST",))  # fmt: skip
def start(request: HttpRequest, pk: UUID) -> HttpResponse:
    campaign = actions.start_campaign(_campaign(pk), by=request.actor, at=request.at)  # type: ignore[attr-defined]
    messages.success(request, _now("The campaign has started; its list of enterprises is frozen."))
    return redirect("campaign", campaign.pk)


@page("hazards/campaigns/<uuid:pk>/group/", name="campaign-group", title=_("New expert group"),
      permission=Permission.RUN_CAMPAIGNS, methods=("GET", "POST"))  # fmt: skip
def group(request: HttpRequest, pk: UUID) -> HttpResponse:
    campaign = _campaign(pk)
    form = GroupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        words: dict[str, Any] = {"by": request.actor, "at": request.at}  # type: ignore[attr-defined]
        try:
            made: CampaignGroup = actions.form_group(
                campaign, name=given["name"], leader=given["leader"], members=given["members"], **words
            )
            if given["region_code"]:
                actions.assign_region(campaign, group=made, region_code=given["region_code"], **words)
        except Refused as refused:
            form.refuse(refused)
        else:
            return redirect("campaign", campaign.pk)
    return _form(request, form, _("New expert group"), campaign)


@page("hazards/campaigns/<uuid:pk>/attend/", name="campaign-attend", title=_("Record attendance"),
      permission=Permission.ATTEND_CAMPAIGNS, methods=("GET", "POST"))  # fmt: skip
def attend(request: HttpRequest, pk: UUID) -> HttpResponse:
    campaign = _campaign(pk)
    form = AttendForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.attend_campaign(campaign, by=request.actor, at=request.at, **form.cleaned_data)  # type: ignore[attr-defined]
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _now("The attendance is on file."))
            return redirect("campaign", campaign.pk)
    return _form(request, form, _("Record attendance"), campaign)


@page("hazards/campaigns/<uuid:pk>/enterprise/", name="campaign-enterprise", title=_("Add an enterprise"),
      permission=Permission.RUN_CAMPAIGNS, methods=("GET", "POST"))  # fmt: skip
def add(request: HttpRequest, pk: UUID) -> HttpResponse:
    campaign = _campaign(pk)
    form = AddForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.add_enterprise(campaign, by=request.actor, at=request.at, **form.cleaned_data)  # type: ignore[attr-defined]
        except Refused as refused:
            form.refuse(refused)
        else:
            return redirect("campaign", campaign.pk)
    return _form(request, form, _("Add an enterprise"), campaign)


@page("hazards/campaigns/<uuid:pk>/end/", name="campaign-end", title=_("End the campaign"),
      permission=Permission.RUN_CAMPAIGNS, methods=("GET", "POST"))  # fmt: skip
def end(request: HttpRequest, pk: UUID) -> HttpResponse:
    campaign = _campaign(pk)
    form = CloseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.close_campaign(campaign, by=request.actor, at=request.at, **form.cleaned_data)  # type: ignore[attr-defined]
        except Refused as refused:
            form.refuse(refused)
        else:
            return redirect("campaign", campaign.pk)
    return _form(request, form, _("End the campaign"), campaign)
