"""Pages of framework agreements: what is agreed with whom, proposing, answering, ending early."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.duty import beijing_day
from anze.kernel.models import parameter
from anze.kernel.rules import ServiceType
from anze.parties.models import Organisation
from anze.parties.rules import OrganisationKind, Permission, Role
from anze.parties.screens import agency_filter, choices_of, insurer_filter
from anze.prevention.actions.agreements import (
    accept_agreement,
    decline_agreement,
    end_agreement,
    propose_agreement,
    terms_of,
    withdraw_agreement,
)
from anze.prevention.models import Agreement
from anze.prevention.rules.agreements import (
    AGREEMENT_TONES,
    BINDING,
    AgreementState,
    Terms,
    agreement_state,
)
from anze.prevention.screens.forms import (
    ReasonForm,
    answer_form,
    city_choices,
    region_names,
    sector_choices,
    sector_names,
)
from anze.screen.columns import Column, labels
from anze.screen.details import DetailScreen, Section, Way, detail_screen
from anze.screen.filters import Asking, Case, Cases, Dates, Search
from anze.screen.forms import Form, Several
from anze.screen.lists import Button, ListScreen, list_screen, waiting
from anze.screen.registry import page


def _stands(asking: Asking, state: str, start_on: date, until_on: date) -> AgreementState:
    return agreement_state(state, start_on, until_on, beijing_day(asking.at))


def _everywhere(asking: Asking, codes: list[str]) -> str:
    return region_names(asking, codes) if codes else _now("the whole province")


def _every_sector(asking: Asking, codes: list[str]) -> str:
    return sector_names(asking, codes) if codes else _now("all sectors")


STATE = Column("stands", title=_("State"), needs=("state", "start_on", "until_on"), compute=_stands,
               choices=tuple(AgreementState.choices), tones=AGREEMENT_TONES)  # fmt: skip
SECTORS = Column("in_sectors", title=_("Sectors"), needs=("sectors",), compute=_every_sector)
CITIES = Column("in_cities", title=_("Cities"), needs=("regions",), compute=_everywhere)
NUMBER = Column("agreement_no")


def _in_force(asking: Asking) -> Q:
    today = beijing_day(asking.at)
    return Q(state__in=BINDING, start_on__lte=today, until_on__gte=today)


def _runs_out(asking: Asking) -> Q:
    """In force, over soon, and no other of the two houses binds for longer."""
    today = beijing_day(asking.at)
    days = int(parameter("alert.agreement_expiring_days", today))
    after = Agreement.objects.filter(
        insurer=OuterRef("insurer"), agency=OuterRef("agency"), state__in=BINDING, until_on__gt=OuterRef("until_on")
    )
    return _in_force(asking) & Q(until_on__lte=today + timedelta(days=days)) & ~Q(Exists(after))


AGREEMENTS = list_screen(
    ListScreen(
        name="agreements",
        path="prevention/agreements/",
        title=_("Framework agreements"),
        about=_("Prices and terms an insurer settled with an agency. Both sides see them; no competitor does."),
        model=Agreement,
        permission=Permission.SEE_AGREEMENTS,
        detail="agreement",
        sort="-start_on",
        columns=(
            NUMBER,
            Column("insurer", opens="insurer", hide_for="insurer_id"),
            Column("agency", opens="agency", hide_for="agency_id"),
            STATE,
            SECTORS,
            CITIES,
            Column("start_on"),
            Column("until_on"),
            Column("answer_due_at", optional=True),
            Column("answered_at", optional=True),
            Column("reason", optional=True),
        ),
        filters=(
            Search(own=("agreement_no",), title=_("Agreement no.")),
            insurer_filter(),
            agency_filter(),
            Cases(
                "stands",
                _("State"),
                main=True,
                cases={
                    "open": Case(AgreementState.PROPOSED.label, lambda a: Q(state="PROPOSED")),
                    "late": Case(_("answer overdue"), lambda a: Q(state="PROPOSED", answer_due_at__lte=a.at)),
                    "force": Case(pgettext_lazy("agreement", "in force"), _in_force),
                    "soon": Case(_("runs out soon"), _runs_out),
                    "coming": Case(
                        AgreementState.TO_BEGIN.label,
                        lambda a: Q(state="ACCEPTED", start_on__gt=beijing_day(a.at)),
                    ),
                    "over": Case(AgreementState.RUN_OUT.label, lambda a: Q(state="ACCEPTED", until_on__lt=beijing_day(a.at))),
                    "ended": Case(AgreementState.ENDED.label, lambda a: Q(state="ENDED")),
                    "none": Case(
                        _("declined or withdrawn"), lambda a: Q(state__in=("DECLINED", "WITHDRAWN"))
                    ),
                },
            ),
            Dates("start_on"),
            Dates("until_on"),
        ),
        buttons=(Button(_("Propose a framework agreement"), "agreement-new", Permission.PROPOSE_AGREEMENTS),),
        tab_of={"agency": "agency", "insurer": "insurer"},
        order=72,
        icon="writing",
    )
)  # fmt: skip


def _ways(request: HttpRequest, row: Agreement) -> list[Way]:
    actor = request.actor  # type: ignore[attr-defined]
    if not actor.may(Permission.SIGN_AGREEMENTS):
        return []

    def at(name: str) -> str:
        return reverse(name, args=[row.pk])

    is_insurer, is_agency = actor.scope.insurer_id == row.insurer_id, actor.scope.agency_id == row.agency_id
    ways = []
    if row.state == AgreementState.PROPOSED and is_agency:
        ways.append(Way(_("Accept"), at("agreement-accept"), "check", "primary", at_once=True))
        ways.append(Way(_("Decline"), at("agreement-decline"), "x"))
    if row.state == AgreementState.PROPOSED and is_insurer and actor.may(Permission.PROPOSE_AGREEMENTS):
        ways.append(Way(_("Withdraw"), at("agreement-withdraw"), "x"))
    if row.state == AgreementState.ACCEPTED and is_insurer and actor.may(Permission.PROPOSE_AGREEMENTS):
        ways.append(Way(_("Propose the next one"), f"{reverse('agreement-new')}?like={row.pk}", "plus", "primary"))
    today = beijing_day(request.at)  # type: ignore[attr-defined]
    if row.state == AgreementState.ACCEPTED and (is_insurer or is_agency) and row.until_on > today:
        ways.append(Way(_("End early"), at("agreement-end"), "x"))
    return ways


def _prices(request: HttpRequest, row: Agreement) -> dict[str, Any]:
    names = labels(ServiceType.choices)
    return {"prices": [(names[kind], price) for kind, price in row.prices.values_list("service_type", "price")]}


AGREEMENT_PAGE = detail_screen(
    DetailScreen(
        name="agreement",
        path="prevention/agreements/<uuid:pk>/",
        title=_("Framework agreement"),
        model=Agreement,
        permission=Permission.SEE_AGREEMENTS,
        named=("agreement_no",),
        state=STATE,
        of_list="agreements",
        template="prevention/agreement.html",
        ways=_ways,
        extra=_prices,
        sections=(
            Section(
                _("What is agreed"),
                (
                    Column("insurer", opens="insurer"),
                    Column("agency", opens="agency"),
                    "start_on",
                    "end_on",
                    "until_on",
                    SECTORS,
                    CITIES,
                    "words",
                ),
            ),
            Section(
                _("How it came about"),
                (
                    "proposed_at",
                    "proposed_by",
                    "answer_due_at",
                    "answered_at",
                    "answered_by",
                    "ended_at",
                    "ended_by",
                    "reason",
                ),
                hides_empty=True,
            ),
        ),
    )
)


class TermsForm(Form):
    agency = forms.ChoiceField(label=_("Agency"))
    start_on = forms.DateField(label=_("Binding from"), widget=forms.DateInput())
    end_on = forms.DateField(label=_("Binding until"), widget=forms.DateInput())
    sectors = Several(label=_("Sectors"), required=False, help_text=_("None chosen: all of them."))
    regions = Several(label=_("Cities"), required=False, help_text=_("None chosen: all of them."))
    words = forms.CharField(label=_("Further terms"), max_length=1000, required=False,
                            widget=forms.Textarea(attrs={"rows": 3}))  # fmt: skip

    def __init__(self, request: HttpRequest, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        self.fields["agency"].choices = [("", "–"), *choices_of(OrganisationKind.AGENCY)]  # type: ignore[attr-defined]
        self.fields["sectors"].choices = sector_choices()  # type: ignore[attr-defined]
        self.fields["regions"].choices = city_choices(request.actor)  # type: ignore[attr-defined]
        for kind, name in labels(ServiceType.choices).items():
            self.fields[f"price_{kind}"] = forms.DecimalField(
                label=_now("Price a visit (yuan): %(service)s") % {"service": name}, required=False, min_value=Decimal("0.01"),
                max_digits=12, decimal_places=2, help_text=_("Empty: not agreed."),
                widget=forms.NumberInput(attrs={"class": "form-control"}),
            )  # fmt: skip

    def terms(self) -> Terms:
        given = self.cleaned_data
        prices = {kind: given[f"price_{kind}"] for kind in ServiceType.values if given[f"price_{kind}"]}
        return Terms(
            given["start_on"], given["end_on"], prices, tuple(given["sectors"]), tuple(given["regions"]), given["words"]
        )


def _initial(request: HttpRequest, today: date) -> dict[str, Any]:
    """Empty for the agency asked for; or the terms of one that runs out, from the day after."""
    initial: dict[str, Any] = {"agency": request.GET.get("agency", ""), "start_on": today + timedelta(days=1)}
    try:
        like = Agreement.objects.filter(pk=UUID(request.GET.get("like", ""))).first()
    except ValueError:
        like = None
    if like is not None:
        terms = terms_of(like)
        initial = {
            "agency": str(like.agency_id), "start_on": max(terms.end_on, today) + timedelta(days=1),
            "sectors": list(terms.sectors), "regions": list(terms.regions), "words": terms.words,
            **{f"price_{kind}": price for kind, price in terms.prices.items()},
        }  # fmt: skip
    initial["end_on"] = initial["start_on"] + timedelta(days=364)
    return initial


@page("prevention/agreements/new/", name="agreement-new", title=_("Propose a framework agreement"),
      permission=Permission.PROPOSE_AGREEMENTS, methods=("GET", "POST"))  # fmt: skip
def propose(request: HttpRequest) -> HttpResponse:
    actor, at = request.actor, request.at  # type: ignore[attr-defined]
    initial = _initial(request, beijing_day(at))
    form = TermsForm(request, request.POST if request.method == "POST" else None, initial=initial)

    def act(given: dict[str, Any]) -> str:
        agency = Organisation.objects.get(pk=given["agency"], kind=OrganisationKind.AGENCY)
        made = propose_agreement(agency, by=actor, at=at, terms=form.terms())
        return reverse("agreement", args=[made.pk])

    return answer_form(
        request, form, act, title=_("Propose a framework agreement"), done=_("Propose"), back=reverse("agreements"),
        back_title=_("Framework agreements"), about=_("It binds as soon as the agency accepts. Orders then take its prices."),
    )  # fmt: skip


@page("prevention/agreements/<uuid:pk>/accept/", name="agreement-accept", permission=Permission.SIGN_AGREEMENTS,
      methods=("POST",))  # fmt: skip
def accept(request: HttpRequest, pk: UUID) -> HttpResponse:
    accept_agreement(AGREEMENT_PAGE.row(request, pk), by=request.actor, at=request.at)  # type: ignore[attr-defined]
    return redirect("agreement", pk)


def _with_reason(request: HttpRequest, pk: UUID, form: Form, run: Any, title: Any) -> HttpResponse:
    row: Agreement = AGREEMENT_PAGE.row(request, pk)

    def act(given: dict[str, Any]) -> str:
        run(row, by=request.actor, at=request.at, **given)  # type: ignore[attr-defined]
        return reverse("agreement", args=[pk])

    return answer_form(
        request, form, act, title=title, done=title, back=reverse("agreement", args=[pk]), back_title=row.agreement_no,
        tone="danger",
    )  # fmt: skip


def _reason(request: HttpRequest) -> ReasonForm:
    return ReasonForm(request.POST if request.method == "POST" else None)


@page("prevention/agreements/<uuid:pk>/decline/", name="agreement-decline", permission=Permission.SIGN_AGREEMENTS,
      methods=("GET", "POST"))  # fmt: skip
def decline(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _with_reason(request, pk, _reason(request), decline_agreement, _("Decline the agreement"))


@page("prevention/agreements/<uuid:pk>/withdraw/", name="agreement-withdraw", permission=Permission.PROPOSE_AGREEMENTS,
      methods=("GET", "POST"))  # fmt: skip
def withdraw(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _with_reason(request, pk, _reason(request), withdraw_agreement, _("Withdraw the proposal"))


class EndForm(ReasonForm):
    until_on = forms.DateField(label=_("Last day"), widget=forms.DateInput())
    field_order = ("until_on", "reason")


@page("prevention/agreements/<uuid:pk>/end/", name="agreement-end", permission=Permission.SIGN_AGREEMENTS,
      methods=("GET", "POST"))  # fmt: skip
def end(request: HttpRequest, pk: UUID) -> HttpResponse:
    row: Agreement = AGREEMENT_PAGE.row(request, pk)
    today = beijing_day(request.at)  # type: ignore[attr-defined]
    # a month to find another, as far as the agreement goes
    last = max(row.start_on, min(today + timedelta(days=30), row.end_on - timedelta(days=1)))
    form = EndForm(request.POST if request.method == "POST" else None, initial={"until_on": last})
    return _with_reason(request, pk, form, end_agreement, _("End the agreement early"))


# work lists ----------------------------------------------------------------------------------------------------

waiting(AGREEMENTS, "agreements-to-answer", _("Framework agreements to accept or decline"), tone="warning", order=20,
        roles=frozenset({Role.AGENCY}), stands="open")  # fmt: skip
waiting(AGREEMENTS, "agreements-unanswered", _("Framework agreements without an answer in time"), tone="warning",
        order=21, roles=frozenset({Role.INSURER_MANAGER}), stands="late")  # fmt: skip
waiting(AGREEMENTS, "agreements-running-out", _("Framework agreements that run out"), tone="warning", order=22,
        why=_("Afterwards no price is agreed."), roles=frozenset({Role.INSURER_MANAGER, Role.AGENCY}),
        stands="soon")  # fmt: skip
