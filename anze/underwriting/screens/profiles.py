"""Insurers' profiles and products, and the premium tried out with the reason of each factor."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from anze.kernel.duty import beijing_day
from anze.kernel.refusal import Refused
from anze.kernel.rules import Sector
from anze.kernel.wording import listed
from anze.parties.models import Enterprise, Organisation
from anze.parties.rules import EnterpriseSize, Permission, RiskTier
from anze.screen.columns import Column, labels
from anze.screen.details import DetailScreen, Section, Way, detail_screen
from anze.screen.filters import Asking, Choice, Filter
from anze.screen.forms import Form, Several, answer_form
from anze.screen.lists import Button, ListScreen, list_screen
from anze.screen.registry import page
from anze.underwriting.actions import (
    levels_of,
    save_product,
    save_profile,
    trial_of,
)
from anze.underwriting.models import InsurerProfile, Product
from anze.underwriting.rules.choosing import (
    FactorKind,
    Grade,
    Level,
    Trial,
    finds_factor,
)


def reason_said(level: Level) -> str:
    """Why a factor stands where it stands, in a sentence."""
    number = int(level.reason) if level.reason.isdigit() else 0
    match (level.kind, level.level):
        case ("RISK", tier):
            return _now("Risk tier %(tier)s.") % {"tier": labels(RiskTier.choices).get(tier, tier)}
        case ("ACCIDENTS", "NONE"):
            return _now("No accident on file in three years.")
        case ("ACCIDENTS", "FATAL"):
            return ngettext(
                "%(count)s accident in three years, with deaths.", "%(count)s accidents in three years, with deaths.",
                number,
            ) % {"count": number}  # fmt: skip
        case ("ACCIDENTS", _other):
            return ngettext(
                "%(count)s accident in three years, without a death.",
                "%(count)s accidents in three years, without a death.",
                number,
            ) % {"count": number}
        case ("HAZARDS", "NONE"):
            return _now("No hazard on file in a year.")
        case ("HAZARDS", "CLOSED"):
            return ngettext(
                "%(count)s hazard in a year, rectified or within its deadline.",
                "%(count)s hazards in a year, rectified or within their deadline.",
                number,
            ) % {"count": number}
        case ("HAZARDS", "MAJOR"):
            return ngettext("%(count)s major hazard overdue.", "%(count)s major hazards overdue.", number) % {
                "count": number
            }
        case ("HAZARDS", _other):
            return ngettext("%(count)s hazard overdue.", "%(count)s hazards overdue.", number) % {"count": number}
    return _now("Standardisation as stated: %(grade)s.") % {
        "grade": labels(Grade.choices).get(level.level, level.level)
    }


@finds_factor(FactorKind.RISK)
def risk(enterprise: Any, at: datetime) -> Level:
    return Level(FactorKind.RISK, enterprise.risk_tier, "")


def told(trial: Trial, levels: Sequence[Level]) -> dict[str, Any]:
    """A trial as its page and the request's show it."""
    kinds = labels(FactorKind.choices)
    return {
        "trial": trial,
        "lines": [
            {"title": capfirst(kinds[level.kind]), "value": f"{factor.value:.2f}", "why": reason_said(level),
             "tone": "danger" if factor.value > 1 else "success" if factor.value < 1 else ""}
            for level, factor in zip(levels, trial.factors, strict=True)
        ],
        "rate_base": f"{trial.rate_base:.4%}", "rate_final": f"{trial.rate_final:.4%}",
        "floating": f"{trial.floating:.3f}",
    }  # fmt: skip


# profiles -------------------------------------------------------------------------------------------------------


def _sectors(asking: Asking, sectors: list[str]) -> str:
    names = labels(Sector.choices)
    return listed(names.get(each, each) for each in sectors)


class InSector(Choice):
    """One or several sectors, of which the row serves one."""

    def narrow(self, rows: Any, value: list[str], asking: Asking) -> Any:
        return rows.filter(**{f"{self.path}__overlap": value})

    def of(self, model: Any) -> Any:
        return tuple(Sector.choices)


SECTORS: Filter = InSector("sector", _("Sector"), main=True, path="sectors", choices=tuple(Sector.choices))
SERVES = Column("serves", title=_("Sectors"), needs=("sectors",), compute=_sectors)

PROFILES = list_screen(
    ListScreen(
        name="insurer-profiles",
        path="underwriting/insurers/",
        title=_("Insurers to choose from"),
        about=_("What insurers promise and offer, in their own words; how they did is counted by the platform."),
        model=InsurerProfile,
        permission=Permission.SEE_MARKET,
        detail="insurer-profile",
        sort="-updated_on",
        columns=(
            Column("insurer"),
            Column("promise"),
            SERVES,
            Column("hotline"),
            Column("updated_on"),
        ),
        filters=(SECTORS,),
        buttons=(
            Button(_("Ask for quotes"), "quote-ask", Permission.CHOOSE_INSURER, "send"),
            Button(_("Try out a premium"), "premium-trial", Permission.SEE_MARKET, "calculator"),
            Button(_("Our profile"), "profile-edit", Permission.MAKE_OFFERS, "edit"),
        ),
        order=60,
        icon="building-bank",
    )
)


def _products(request: HttpRequest, profile: InsurerProfile) -> dict[str, Any]:
    names, today = labels(Sector.choices), beijing_day(request.at)  # type: ignore[attr-defined]
    rows = Product.objects.filter(insurer=profile.insurer_id).order_by("name")
    return {
        "products": [
            {"product": each, "sectors": listed(names.get(code, code) for code in each.sectors),
             "is_over": each.offered_to_on is not None and each.offered_to_on < today}
            for each in rows
        ],
        "own": request.actor.scope.insurer_id == profile.insurer_id,  # type: ignore[attr-defined]
    }  # fmt: skip


def _profile_ways(request: HttpRequest, profile: InsurerProfile) -> list[Way]:
    actor = request.actor  # type: ignore[attr-defined]
    ways = []
    if actor.may(Permission.CHOOSE_INSURER):
        ways.append(Way(_("Ask for quotes"), f"{reverse('quote-ask')}?insurer={profile.insurer_id}", "send", "primary"))
    if actor.may(Permission.MAKE_OFFERS) and actor.scope.insurer_id == profile.insurer_id:
        ways.append(Way(_("Change our profile"), reverse("profile-edit"), "edit"))
    return ways


detail_screen(
    DetailScreen(
        name="insurer-profile",
        path="underwriting/insurers/<uuid:pk>/",
        title=_("Insurer"),
        model=InsurerProfile,
        permission=Permission.SEE_MARKET,
        named=(),
        of_list="insurer-profiles",
        has_history=False,
        template="underwriting/profile.html",
        extra=_products,
        ways=_profile_ways,
        sections=(
            Section(
                _("What it promises"),
                ("about", "promise", SERVES, "hotline", "updated_on"),
            ),
        ),
    )
)  # fmt: skip


class ProfileForm(Form):
    about = forms.CharField(
        label=_("About us"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    promise = forms.CharField(label=_("Service promise"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))
    hotline = forms.CharField(label=_("Hotline"), max_length=30, required=False)
    sectors = Several(label=_("Sectors"))

    def __init__(self, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        self.fields["sectors"].choices = list(labels(Sector.choices).items())  # type: ignore[attr-defined]


class ProductForm(Form):
    name = forms.CharField(label=_("Product"), max_length=120)
    wording_no = forms.CharField(label=_("Wording no."), max_length=60, required=False)
    sectors = Several(label=_("Sectors"))
    least_limit = forms.DecimalField(
        label=_("Limit per person from (yuan)"), min_value=1, max_digits=14, decimal_places=2
    )
    most_limit = forms.DecimalField(
        label=_("Limit per person up to (yuan)"), min_value=1, max_digits=14, decimal_places=2
    )
    visits = forms.IntegerField(label=_("Visits a year"), min_value=0, max_value=366)
    offered_to_on = forms.DateField(
        label=_("Offered until"), widget=forms.DateInput(), required=False,
        help_text=_("Empty as long as it is on offer."),
    )  # fmt: skip
    about = forms.CharField(label=_("What it covers"), max_length=500, required=False,
                            widget=forms.Textarea(attrs={"rows": 3}))  # fmt: skip

    def __init__(self, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        self.fields["sectors"].choices = list(labels(Sector.choices).items())  # type: ignore[attr-defined]


def _own_insurer(request: HttpRequest) -> Organisation:
    return Organisation.objects.get(pk=request.actor.scope.insurer_id)  # type: ignore[attr-defined]


@page("underwriting/profile/", name="profile-edit", title=_("Our profile"), permission=Permission.MAKE_OFFERS,
      methods=("GET", "POST"))  # fmt: skip
def edit_profile(request: HttpRequest) -> HttpResponse:
    insurer = _own_insurer(request)
    known = InsurerProfile.objects.filter(insurer=insurer).first()
    initial = {name: getattr(known, name) for name in ProfileForm.base_fields} if known else {}

    def act(given: dict[str, Any]) -> str:
        made = save_profile(insurer, by=request.actor, at=request.at, **given)  # type: ignore[attr-defined]
        return reverse("insurer-profile", args=[made.pk])

    return answer_form(
        request, ProfileForm(request.POST if request.method == "POST" else None, initial=initial), act,
        title=_("Our profile"), done=_("Publish"), back=reverse("insurer-profiles"),
        back_title=_("Insurers to choose from"), about=_("Everybody who signs in reads it."),
    )  # fmt: skip


@page("underwriting/product/", name="product-edit", title=_("A product of ours"), permission=Permission.MAKE_OFFERS,
      methods=("GET", "POST"))  # fmt: skip
def edit_product(request: HttpRequest) -> HttpResponse:
    insurer = _own_insurer(request)
    known = Product.objects.filter(insurer=insurer, name=request.GET.get("name", "")).first()
    initial = {name: getattr(known, name) for name in ProductForm.base_fields} if known else {"visits": 1}

    def act(given: dict[str, Any]) -> str:
        if given["most_limit"] < given["least_limit"]:
            raise Refused("limits_out_of_order", _("The highest limit lies below the lowest."),
                          remedy=_("Correct one of the two."), field="most_limit")  # fmt: skip
        save_product(insurer, by=request.actor, at=request.at, **given)  # type: ignore[attr-defined]
        profile = InsurerProfile.objects.filter(insurer=insurer).first()
        return reverse("insurer-profile", args=[profile.pk]) if profile else reverse("profile-edit")

    return answer_form(
        request, ProductForm(request.POST if request.method == "POST" else None, initial=initial), act,
        title=_("A product of ours"), done=_("Publish"), back=reverse("insurer-profiles"),
        back_title=_("Insurers to choose from"), about=_("The same name again changes the product."),
    )  # fmt: skip


# trying out a premium -------------------------------------------------------------------------------------------


class TrialForm(Form):
    """What an enterprise has on file is not asked of it again: its offers will be made on that."""

    sector = forms.ChoiceField(label=_("Sector"))
    size = forms.ChoiceField(label=_("Size"))
    tier = forms.ChoiceField(label=_("Risk tier"))
    grade = forms.ChoiceField(label=_("Safety standardisation"))
    workers = forms.IntegerField(label=_("Workers to be insured"), min_value=1, max_value=500_000)
    limit = forms.DecimalField(label=_("Limit per person (yuan)"), min_value=1, max_digits=14, decimal_places=2)
    start_on = forms.DateField(label=_("Cover from"), widget=forms.DateInput())
    end_on = forms.DateField(label=_("Cover until"), widget=forms.DateInput())

    def __init__(self, own: Enterprise | None, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        for name, choices in (("sector", Sector), ("size", EnterpriseSize), ("tier", RiskTier), ("grade", Grade)):
            self.fields[name].choices = list(labels(choices.choices).items())  # type: ignore[attr-defined]
        if own:
            for name in ("sector", "size", "tier"):
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("start_on") and given.get("end_on") and given["end_on"] <= given["start_on"]:
            self.add_error("end_on", _("Cover ends after it begins, and lasts at most %(days)s days.") % {"days": 366})
        return given


def own_enterprise(request: HttpRequest) -> Enterprise | None:
    key = request.actor.scope.enterprise_id  # type: ignore[attr-defined]
    return Enterprise.objects.filter(pk=key).first() if key else None


def year_from(start: date) -> date:
    try:
        return start.replace(year=start.year + 1) - timedelta(days=1)
    except ValueError:
        return start + timedelta(days=365)


@page("underwriting/trial/", name="premium-trial", title=_("Try out a premium"), permission=Permission.SEE_MARKET,
      in_menu=True, order=62, icon="calculator")  # fmt: skip
def try_out(request: HttpRequest) -> HttpResponse:
    """From the sector's rate and the floating factors, each with its reason. No offer: insurers make those."""
    at: datetime = request.at  # type: ignore[attr-defined]
    own, today = own_enterprise(request), beijing_day(at)
    start = today + timedelta(days=1)
    initial = {
        "sector": Sector.SMELT, "size": EnterpriseSize.SMALL, "tier": RiskTier.MEDIUM, "grade": Grade.NONE,
        "limit": 500_000,
        "workers": own.registered_workers if own else 50, "start_on": start, "end_on": year_from(start),
    }  # fmt: skip
    is_asked = "workers" in request.GET
    form = TrialForm(own, request.GET if is_asked else None, initial=initial)
    words: dict[str, Any] = {"form": form, "own": own}
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        levels = levels_of(own, given["grade"], at) if own else _stated(given)
        made = trial_of(
            own.sector if own else given["sector"], own.size if own else given["size"], levels, workers=given["workers"], limit=given["limit"],
            start_on=given["start_on"], end_on=given["end_on"],
        )  # fmt: skip
        words |= told(made, levels)
    return render(request, "underwriting/trial.html", words)


def _stated(given: dict[str, Any]) -> list[Level]:
    return [Level(FactorKind.RISK, given["tier"], ""), Level(FactorKind.STANDARD, given["grade"], "")]
