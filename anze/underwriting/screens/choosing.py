"""Choosing an insurer: requests for quotes, and the offers beside each other."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.kernel.models import parameter
from anze.kernel.rules import ServiceType
from anze.kernel.wording import listed
from anze.parties.rules import INSURER_ROLES, OrganisationKind, Permission, Role
from anze.parties.screens import ENTERPRISE, INSURER, KINDS, choices_of, insurer_filter
from anze.screen.columns import Column, Kind, labels
from anze.screen.details import DetailScreen, Section, Way, detail_screen
from anze.screen.filters import Asking, Case, Cases, Choice, Dates, InRegion, Of
from anze.screen.forms import Form, Several, answer_form
from anze.screen.lists import Button, ListScreen, list_screen, waiting
from anze.screen.registry import page
from anze.underwriting.actions import (
    ask_quotes,
    decline_request,
    insurers_to_ask,
    make_offer,
    trial_of_request,
    withdraw_offer,
    withdraw_request,
)
from anze.underwriting.models import Invitation, Offer, Policy, Product, QuoteRequest
from anze.underwriting.rules.choosing import (
    NEGOTIATED,
    OFFER_TONES,
    QUOTE_TONES,
    FactorKind,
    Grade,
    Level,
    OfferState,
    QuoteState,
    offer_state,
)
from anze.underwriting.screens.profiles import own_enterprise, told, year_from

# requests -------------------------------------------------------------------------------------------------------


def _unanswered(asking: Asking) -> Q:
    """Requests an insurer has neither offered on nor declined."""
    own = asking.actor.scope.insurer_id
    offered = Offer.objects.filter(request=OuterRef("pk"), insurer_id=own)
    declined = Invitation.objects.filter(request=OuterRef("pk"), insurer_id=own, declined_at__isnull=False)
    return Q(state=QuoteState.OPEN) & ~Q(Exists(offered)) & ~Q(Exists(declined))


def _offered(asking: Asking) -> Q:
    return Q(state=QuoteState.OPEN) & Q(
        Exists(Offer.objects.filter(request=OuterRef("pk"), state="SENT", valid_to_on__gte=beijing_day(asking.at)))
    )


REQUEST_STATE = Column("state", tones=QUOTE_TONES)
REQUESTS = list_screen(
    ListScreen(
        name="quote-requests",
        path="underwriting/quotes/",
        title=_("Requests for quotes"),
        about=_("Enterprises ask insurers of their choice. Nobody sees a competitor's offer, nor who else was asked."),
        model=QuoteRequest,
        permission=Permission.SEE_UNDERWRITING,
        detail="quote-request",
        sort="-asked_at",
        columns=(
            Column("request_no"),
            ENTERPRISE,
            Column("region_code"),
            Column("sector"),
            Column("workers"),
            Column("limit_per_person"),
            Column("start_on"),
            Column("trial_premium"),
            Column("answer_due_at"),
            REQUEST_STATE,
            Column("asked_at", optional=True),
            Column("end_on", optional=True),
        ),
        filters=(
            InRegion(),
            Choice("state", main=True),
            Choice("sector"),
            Cases(
                "waits",
                _("Waits for"),
                main=True,
                cases={
                    "offer": Case(_("our answer"), _unanswered),
                    "choice": Case(_("the enterprise's choice"), _offered),
                },
            ),
            Dates("asked_at"),
        ),
        buttons=(Button(_("Ask for quotes"), "quote-ask", Permission.CHOOSE_INSURER, "send"),),
        tab_of={"enterprise": "enterprise"},
        order=64,
        icon="message",
    )
)


def _request_ways(request: HttpRequest, row: QuoteRequest) -> list[Way]:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    if row.state != QuoteState.OPEN:
        return []
    ways = []
    if actor.may(Permission.MAKE_OFFERS) and actor.scope.insurer_id:
        ways.append(Way(_("Make an offer"), reverse("quote-request-offer", args=[row.pk]), "writing", "primary"))
        if Invitation.objects.filter(request=row, insurer_id=actor.scope.insurer_id, declined_at=None).exists():
            ways.append(Way(_("Decline the request"), reverse("quote-request-decline", args=[row.pk]), "x"))
    if actor.may(Permission.CHOOSE_INSURER):
        ways.append(Way(_("Withdraw the request"), reverse("quote-request-withdraw", args=[row.pk]), "x", at_once=True))
    return ways


def _beside(request: HttpRequest, row: QuoteRequest) -> dict[str, Any]:
    """The offers the reader may see, beside each other, the cheapest first; and how the premium was tried out."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    today, kinds = beijing_day(request.at), labels(ServiceType.choices)  # type: ignore[attr-defined]
    states = labels(OfferState.choices)
    offers = []
    for each in Offer.objects.filter(request=row).exclude(state=OfferState.WITHDRAWN).order_by("premium", "pk"):
        state = offer_state(each.state, each.valid_to_on, today)
        offers.append(
            {"row": each, "insurer": KINDS[OrganisationKind.INSURER].name(each.insurer_id), "state": states[state],
             "tone": OFFER_TONES[state],
             "share": f"{each.premium / row.trial_premium:.0%}" if row.trial_premium else "–",
             "expense": f"{each.agreed_expense_ratio:.0%}",
             "services": listed(kinds.get(code, code) for code in each.service_types),
             "can_accept": state == OfferState.SENT and row.state == QuoteState.OPEN
                           and actor.may(Permission.CHOOSE_INSURER)}
        )  # fmt: skip
    asked = [
        {"insurer": KINDS[OrganisationKind.INSURER].name(each.insurer_id), "reason": each.reason,
         "declined_at": each.declined_at}
        for each in Invitation.objects.filter(request=row).order_by("pk")
    ]  # fmt: skip
    levels = [Level(**each) for each in row.levels]
    return {
        "offers": offers, "asked": asked, "is_insurer": actor.scope.insurer_id is not None,
        **told(trial_of_request(row), levels),
    }  # fmt: skip


REQUEST_PAGE = detail_screen(
    DetailScreen(
        name="quote-request",
        path="underwriting/quotes/<uuid:pk>/",
        title=_("Request for quotes"),
        model=QuoteRequest,
        permission=Permission.SEE_UNDERWRITING,
        named=("request_no",),
        state=REQUEST_STATE,
        of_list="quote-requests",
        template="underwriting/quote_request.html",
        ways=_request_ways,
        extra=_beside,
        sections=(
            Section(
                _("What is asked for"),
                (
                    ENTERPRISE,
                    "sector",
                    "region_code",
                    "workers",
                    "registered_workers",
                    "limit_per_person",
                    "limit_per_accident",
                    "aggregate_limit",
                    "start_on",
                    "end_on",
                    "wishes",
                    "asked_at",
                    "answer_due_at",
                ),
            ),
        ),
    )
)


class AskForm(Form):
    workers = forms.IntegerField(label=_("Workers to be insured"), min_value=1, max_value=500_000,
                                 help_text=_("All with a work relationship, temporary and dispatched included."))  # fmt: skip
    limit_per_person = forms.DecimalField(
        label=_("Limit per person (yuan)"), min_value=1, max_digits=14, decimal_places=2
    )
    limit_per_accident = forms.DecimalField(
        label=_("Limit per accident (yuan)"), min_value=1, max_digits=16, decimal_places=2
    )
    aggregate_limit = forms.DecimalField(
        label=_("Aggregate limit (yuan)"), min_value=1, max_digits=16, decimal_places=2
    )
    start_on = forms.DateField(label=_("Cover from"), widget=forms.DateInput())
    end_on = forms.DateField(label=_("Cover until"), widget=forms.DateInput())
    grade = forms.ChoiceField(label=_("Safety standardisation"))
    wishes = forms.CharField(
        label=_("Wishes"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    insurers = Several(label=_("Insurers"), required=False)

    def __init__(self, on: date, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        self.fields["grade"].choices = list(labels(Grade.choices).items())  # type: ignore[attr-defined]
        open_to = set(insurers_to_ask(on).values_list("pk", flat=True))
        choices = [each for each in choices_of(OrganisationKind.INSURER) if each[0] in open_to]
        self.fields["insurers"].choices = choices  # type: ignore[attr-defined]


@page("underwriting/quotes/ask/", name="quote-ask", title=_("Ask for quotes"), permission=Permission.CHOOSE_INSURER,
      methods=("GET", "POST"))  # fmt: skip
def ask(request: HttpRequest) -> HttpResponse:
    actor, at = request.actor, request.at  # type: ignore[attr-defined]
    own = own_enterprise(request)
    if own is None:
        return redirect("insurer-profiles")
    today = beijing_day(at)
    last = (
        Policy.objects.filter(enterprise=own, is_void=False, cover_end_on__gte=today).order_by("-cover_end_on").first()
    )
    start = (last.cover_end_on if last else today) + timedelta(days=1)
    least = parameter("min_limit_per_person", start, own.region_code)
    limit = max(least, last.limit_per_person if last else Decimal(500_000)).quantize(Decimal(1))
    initial = {
        "workers": own.registered_workers, "limit_per_person": limit, "limit_per_accident": limit * 10,
        "aggregate_limit": limit * 20, "start_on": start, "end_on": year_from(start), "grade": Grade.NONE,
        "insurers": request.GET.getlist("insurer") or ([str(last.insurer_id)] if last else []),
    }  # fmt: skip
    form = AskForm(today, request.POST if request.method == "POST" else None, initial=initial)

    def act(given: dict[str, Any]) -> str:
        chosen = list(insurers_to_ask(today).filter(pk__in=given.pop("insurers")))
        made = ask_quotes(own, by=actor, at=at, insurers=chosen, **given)
        messages.success(
            request,
            ngettext(
                "The request was sent to %(count)s insurer.", "The request was sent to %(count)s insurers.", len(chosen)
            )
            % {"count": len(chosen)},
        )
        return reverse("quote-request", args=[made.pk])

    return answer_form(
        request, form, act, title=_("Ask for quotes"), done=_("Send the request"), back=reverse("quote-requests"),
        back_title=_("Requests for quotes"),
        about=_("Each insurer sees your request and record in accidents and hazards, and nothing of the others."),
    )  # fmt: skip


@page("underwriting/quotes/<uuid:pk>/withdraw/", name="quote-request-withdraw",
      permission=Permission.CHOOSE_INSURER, methods=("POST",))  # fmt: skip
def withdraw(request: HttpRequest, pk: UUID) -> HttpResponse:
    withdraw_request(REQUEST_PAGE.row(request, pk), by=request.actor, at=request.at)  # type: ignore[attr-defined]
    return redirect("quote-request", pk)


class OfferForm(Form):
    product_name = forms.CharField(label=_("Product"), max_length=120)
    wording_no = forms.CharField(label=_("Wording no."), max_length=60, required=False)
    premium = forms.DecimalField(label=_("Premium (yuan)"), min_value=Decimal("0.01"), max_digits=14, decimal_places=2)
    agreed_expense_ratio = forms.DecimalField(label=_("Prevention expense ratio"), min_value=0, max_value=1, max_digits=5,
                                              decimal_places=4, help_text=_("Share of the premium received; 0.15 is 15 %."))  # fmt: skip
    service_types = Several(label=_("Agreed services"))
    visits = forms.IntegerField(label=_("Visits a year"), min_value=1, max_value=366)
    words = forms.CharField(label=_("What else is promised"), max_length=500, required=False,
                            widget=forms.Textarea(attrs={"rows": 3}))  # fmt: skip
    valid_to_on = forms.DateField(label=_("Holds until"), widget=forms.DateInput())

    def __init__(self, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        self.fields["service_types"].choices = list(labels(ServiceType.choices).items())  # type: ignore[attr-defined]


@page("underwriting/quotes/<uuid:pk>/offer/", name="quote-request-offer", title=_("Make an offer"),
      permission=Permission.MAKE_OFFERS, methods=("GET", "POST"))  # fmt: skip
def offer(request: HttpRequest, pk: UUID) -> HttpResponse:
    row: QuoteRequest = REQUEST_PAGE.row(request, pk)
    actor, at = request.actor, request.at  # type: ignore[attr-defined]
    today = beijing_day(at)
    before = Offer.objects.filter(request=row, insurer_id=actor.scope.insurer_id).order_by("-sent_at").first()
    product = (
        Product.objects.filter(insurer_id=actor.scope.insurer_id, sectors__contains=[row.sector])
        .exclude(offered_to_on__lt=today)
        .first()
    )
    initial = {
        "product_name": product.name if product else "安全生产责任保险", "wording_no": product.wording_no if product else "",
        "premium": trial_of_request(row).premium, "agreed_expense_ratio": Decimal("0.15"),
        "service_types": [ServiceType.HAZARD.value, ServiceType.TRAIN.value], "visits": product.visits if product else 1,
        "valid_to_on": today + timedelta(days=int(parameter("offer_valid_days", today))),
    }  # fmt: skip
    if before is not None:
        initial |= {name: getattr(before, name) for name in OfferForm.base_fields}

    def act(given: dict[str, Any]) -> str:
        make_offer(row, by=actor, at=at, **given)
        messages.success(request, _now("The offer was sent."))
        return reverse("quote-request", args=[pk])

    facts = [
        (_("Enterprise"), row.enterprise.name), (_("Workers to be insured"), f"{row.workers:,}"),
        (_("Limit per person (yuan)"), f"{row.limit_per_person:,.2f}"),
        (_("Limit per accident (yuan)"), f"{row.limit_per_accident:,.2f}"),
        (_("Aggregate limit (yuan)"), f"{row.aggregate_limit:,.2f}"),
        (_("Period of cover"), f"{row.start_on} – {row.end_on}"),
        (_("Premium as tried out (yuan)"), f"{row.trial_premium:,.2f}"), (_("Wishes"), row.wishes or "–"),
    ]  # fmt: skip
    return answer_form(
        request, OfferForm(request.POST if request.method == "POST" else None, initial=initial), act,
        title=_("Make an offer"), done=_("Send the offer"), back=reverse("quote-request", args=[pk]),
        back_title=row.request_no, about=_("On exactly what was asked for. Another offer takes the place of this one."),
        facts=facts, facts_title=_("What is asked for"),
    )  # fmt: skip


class DeclineForm(Form):
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}),
                             help_text=_("The enterprise reads it."))  # fmt: skip


@page("underwriting/quotes/<uuid:pk>/decline/", name="quote-request-decline", title=_("Decline the request"),
      permission=Permission.MAKE_OFFERS, methods=("GET", "POST"))  # fmt: skip
def decline(request: HttpRequest, pk: UUID) -> HttpResponse:
    row: QuoteRequest = REQUEST_PAGE.row(request, pk)

    def act(given: dict[str, Any]) -> str:
        decline_request(row, by=request.actor, at=request.at, **given)  # type: ignore[attr-defined]
        return reverse("quote-request", args=[pk])

    return answer_form(
        request, DeclineForm(request.POST if request.method == "POST" else None), act, title=_("Decline the request"),
        done=_("Decline the request"), back=reverse("quote-request", args=[pk]), back_title=row.request_no, tone="danger",
    )  # fmt: skip


# offers ---------------------------------------------------------------------------------------------------------


def _offer_state(asking: Asking, state: str, valid_to_on: date) -> OfferState:
    return offer_state(state, valid_to_on, beijing_day(asking.at))


OFFER_STATE = Column("standing", title=_("State"), needs=("state", "valid_to_on"), compute=_offer_state,
                     choices=tuple(OfferState.choices), tones=OFFER_TONES)  # fmt: skip
OFFERS = list_screen(
    ListScreen(
        name="offers",
        path="underwriting/offers/",
        title=_("Offers"),
        about=_("Seen by the enterprise, the insurer that made it and the authorities; by no other insurer."),
        model=Offer,
        permission=Permission.SEE_PREMIUMS,
        detail="offer",
        sort="-sent_at",
        columns=(
            Column("offer_no"),
            Column("request__request_no", title=_("Request"), opens="quote-request"),
            ENTERPRISE,
            INSURER,
            Column("premium"),
            Column("rate_final", kind=Kind.RATIO, places=4, optional=True),
            Column("limit_per_person"),
            Column("visits"),
            Column("valid_to_on"),
            OFFER_STATE,
            Column("sent_at"),
            Column("region_code", optional=True),
        ),
        filters=(
            InRegion(),
            insurer_filter(main=False),
            Cases(
                "state",
                _("State"),
                main=True,
                cases={
                    "open": Case(_("stands"), lambda a: Q(state="SENT", valid_to_on__gte=beijing_day(a.at))),
                    "lapsed": Case(
                        OfferState.LAPSED.label, lambda a: Q(state="SENT", valid_to_on__lt=beijing_day(a.at))
                    ),
                    "accepted": Case(OfferState.ACCEPTED.label, lambda a: Q(state="ACCEPTED")),
                    "not_taken": Case(OfferState.NOT_TAKEN.label, lambda a: Q(state="NOT_TAKEN")),
                },
            ),
            Dates("sent_at"),
            Of("policy"),
        ),
        tab_of={"policy": "policy"},
        order=66,
        icon="writing",
    )
)


def _factors(asking: Asking, factors: list[dict[str, Any]]) -> str:
    with translation.override("zh-hans"):
        known = {str(each): each for each in (*(kind.label for kind in FactorKind), NEGOTIATED)}
    return _now("; ").join(f"{known.get(each['name'], each['name'])} {each['value']}" for each in factors)


def _services(asking: Asking, codes: list[str]) -> str:
    names = labels(ServiceType.choices)
    return listed(names.get(code, code) for code in codes)


def _offer_ways(request: HttpRequest, row: Offer) -> list[Way]:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    state = offer_state(row.state, row.valid_to_on, beijing_day(request.at))  # type: ignore[attr-defined]
    ways = []
    if state == OfferState.SENT and actor.may(Permission.CHOOSE_INSURER):
        ways.append(
            Way(_("Accept the offer"), reverse("offer-accept", args=[row.pk]), "check", "primary", at_once=True)
        )
    if row.state == OfferState.SENT and actor.may(Permission.MAKE_OFFERS) and actor.scope.insurer_id == row.insurer_id:
        ways.append(Way(_("Withdraw the offer"), reverse("offer-withdraw", args=[row.pk]), "x", at_once=True))
    return ways


OFFER_PAGE = detail_screen(
    DetailScreen(
        name="offer",
        path="underwriting/offers/<uuid:pk>/",
        title=_("Offer"),
        model=Offer,
        permission=Permission.SEE_PREMIUMS,
        named=("offer_no",),
        state=OFFER_STATE,
        of_list="offers",
        ways=_offer_ways,
        sections=(
            Section(
                _("The offer"),
                (
                    ENTERPRISE,
                    Column("insurer", opens="insurer"),
                    Column("request__request_no", title=_("Request"), opens="quote-request"),
                    "product_name",
                    "wording_no",
                    Column("request__workers", title=_("Workers to be insured")),
                    Column("request__start_on", title=_("Cover from")),
                    Column("request__end_on", title=_("Cover until")),
                    "limit_per_person",
                    "limit_per_accident",
                    "aggregate_limit",
                    "sent_at",
                    "valid_to_on",
                    "answered_at",
                    Column("policy__policy_no", opens="policy"),
                ),
            ),
            Section(
                _("Premium and service"),
                (
                    "premium",
                    Column("rate_base", kind=Kind.RATIO, places=4),
                    Column("factors", title=_("Rate factors"), needs=("rate_factors",), compute=_factors),
                    Column("rate_final", kind=Kind.RATIO, places=4),
                    Column("agreed_expense_ratio", kind=Kind.RATIO),
                    Column("services", title=_("Agreed services"), needs=("service_types",), compute=_services),
                    "visits",
                    "words",
                ),
            ),
        ),
    )
)


@page("underwriting/offers/<uuid:pk>/withdraw/", name="offer-withdraw", permission=Permission.MAKE_OFFERS,
      methods=("POST",))  # fmt: skip
def withdraw_own(request: HttpRequest, pk: UUID) -> HttpResponse:
    row: Offer = OFFER_PAGE.row(request, pk)
    withdraw_offer(row, by=request.actor, at=request.at)  # type: ignore[attr-defined]
    return redirect("offer", pk)


waiting(REQUESTS, "quotes-to-answer", _("Requests for quotes to be answered"), why=_("Answer before the deadline."),
        tone="warning", order=15, roles=frozenset(INSURER_ROLES), waits="offer")  # fmt: skip
waiting(REQUESTS, "offers-to-choose", _("Offers to choose from"), tone="info", order=6,
        roles=frozenset({Role.ENTERPRISE}), waits="choice")  # fmt: skip
