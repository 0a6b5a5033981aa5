"""Pages on which enterprises say how a service was, and those on which their word is dealt with."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Count, Q, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.kernel.guessing import check_tries, count_wrong_try
from anze.kernel.models import parameter
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, inside, widened
from anze.parties.models import Enterprise, Organisation
from anze.parties.rules import Permission
from anze.parties.screens import AGENCY, ENTERPRISE, INSURER, agency_filter, insurer_filter
from anze.prevention.actions.confirmations import (
    Call,
    Said,
    answer_dispute,
    answer_service,
    close_dispute,
    holder_of,
    link_of,
    make_link,
    record_call,
)
from anze.prevention.actions.reports import seen_of
from anze.prevention.models import Confirmation, ConfirmationLink, Dispute, FollowUp, Rating, Service, ServicePerson
from anze.prevention.rules.confirmations import (
    Answer,
    DisputeFinding,
    DisputeState,
    quarter_of,
    shown_mean,
)
from anze.screen.columns import Column
from anze.screen.details import DetailScreen, Section, Tile, detail_screen, tile
from anze.screen.filters import Asking, Case, Cases, Choice, Dates, Flag, InRegion
from anze.screen.forms import Form, answer_page
from anze.screen.lists import Button, ListScreen, check_reader, list_screen, waiting
from anze.screen.registry import page
from anze.screen.typesetting import qr_uri

SERVICE = Column("service__service_no", opens="service")


def service_seen(request: HttpRequest, pk: UUID) -> Service:
    check_reader(request, Service)
    found = Service.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def told_of(service: Service) -> dict[str, Any]:
    """What a page for laymen says of a service."""
    findings, pictures = seen_of(service)
    return {
        "service": service,
        "enterprise": Enterprise.objects.filter(pk=service.enterprise_id).first(),
        "insurer": Organisation.objects.filter(pk=service.insurer_id).first(),
        "agency": Organisation.objects.filter(pk=service.agency_id).first() if service.agency_id else None,
        "persons": list(ServicePerson.objects.filter(service=service).order_by("seq").values_list("name", flat=True)),
        "findings": findings,
        "pictures": pictures,
    }


class SaidForm(Form):
    answer = forms.ChoiceField(label=_("Did this happen?"), choices=Answer.choices, widget=forms.RadioSelect)
    text = forms.CharField(
        label=_("What is wrong?"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )
    stars = forms.TypedChoiceField(
        label=_("How useful was it?"), required=False, coerce=int, empty_value=None,
        choices=[(n, "★" * n) for n in range(5, 0, -1)], widget=forms.RadioSelect,
    )  # fmt: skip
    comment = forms.CharField(
        label=_("Anything to add, in private?"), required=False, max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip
    name = forms.CharField(label=_("Your name"), max_length=60)

    def said(self) -> Said:
        words = dict(self.cleaned_data)
        return Said(**{**words, "answer": Answer(words["answer"])})


# by link, without signing in --------------------------------------------------------------------------------


@page("c/<str:token>/", name="confirmation", title=_("Confirm a service"), methods=("GET", "POST"), is_open=True)
def confirmation(request: HttpRequest, token: str) -> HttpResponse:
    """The page a link or a code leads to: what was done, and whether it is so. Works once, for one service."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    at = request.at  # type: ignore[attr-defined]
    check_tries("confirmation", actor.address, at)
    with inside(EVERYTHING):
        link = link_of(token, at)
        if link is not None:
            return _private(_by_link(request, link, token))
    count_wrong_try("confirmation", actor.address, at)
    return _private(render(request, "prevention/confirmation_over.html", {}, status=404))


def _by_link(request: HttpRequest, link: ConfirmationLink, token: str) -> HttpResponse:
    at = request.at  # type: ignore[attr-defined]
    said = Confirmation.objects.filter(service=link.service).order_by("-said_at").first()
    if link.used_at is not None:
        return render(request, "prevention/confirmation_done.html", {**told_of(link.service), "said": said})
    form = SaidForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        address = request.actor.address  # type: ignore[attr-defined]
        holder = holder_of(link, form.cleaned_data["name"], address)
        try:
            answer_service(link.service, by=holder, at=at, said=form.said(), link=link)
        except Refused as refused:
            form.refuse(refused)
        else:
            return redirect("confirmation", token)
    words = {**told_of(link.service), "form": form, "until": link.expires_at}
    return render(request, "prevention/confirmation.html", words, status=422 if form.is_bound else 200)


def _private(response: HttpResponse) -> HttpResponse:
    """Not kept by a cache: the address is the secret. Other sites are not told it either, as everywhere here."""
    response["Cache-Control"] = "no-store"
    return response


# signed in --------------------------------------------------------------------------------------------------


@page(
    "prevention/services/<uuid:pk>/confirm/",
    name="service-confirm",
    title=_("Confirm a service"),
    permission=Permission.CONFIRM_SERVICES,
    methods=("GET", "POST"),
)
def service_confirm(request: HttpRequest, pk: UUID) -> HttpResponse:
    service = service_seen(request, pk)
    actor: Actor = request.actor  # type: ignore[attr-defined]
    form = SaidForm(request.POST if request.method == "POST" else None, initial={"name": actor.name})
    if form.is_bound and form.is_valid():
        try:
            answer_service(service, by=actor, at=request.at, said=form.said())  # type: ignore[attr-defined]
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _now("Thank you. Your answer stands with the service."))
            return redirect("service", pk)
    words = {**told_of(service), "form": form}
    return render(request, "prevention/service_confirm.html", words, status=422 if form.is_bound else 200)


@page(
    "prevention/services/<uuid:pk>/link/",
    name="service-link",
    title=_("Have a service confirmed"),
    permission=Permission.ISSUE_REPORTS,
    methods=("GET", "POST"),
)
def service_link(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Make a link for the enterprise; it stands on the answer and nowhere else."""
    service = service_seen(request, pk)
    words: dict[str, Any] = told_of(service)
    words["last"] = ConfirmationLink.objects.filter(service=service).order_by("-made_at").first()
    if request.method == "POST":
        link, token = make_link(service, by=request.actor, at=request.at)  # type: ignore[attr-defined]
        address = request.build_absolute_uri(reverse("confirmation", args=[token]))
        words |= {"link": link, "address": address, "code": qr_uri(address)}
    return _private(render(request, "prevention/service_link.html", words))


class CallForm(Form):
    called_on = forms.DateField(label=_("Called on"), widget=forms.DateInput())
    is_reached = forms.BooleanField(label=_("Somebody was reached"), required=False)
    spoke_with = forms.CharField(label=_("Spoke with"), max_length=60, required=False)
    score = forms.TypedChoiceField(
        label=_("Satisfaction"), required=False, coerce=int, empty_value=None,
        choices=[("", "–"), *[(n, str(n)) for n in range(5, 0, -1)]],
        help_text=_("From 1, not at all, to 5, fully."),
    )  # fmt: skip
    opinion = forms.CharField(
        label=_("What was said"), max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


@page(
    "prevention/services/<uuid:pk>/call/",
    name="service-call",
    title=_("Record a follow-up call"),
    permission=Permission.ISSUE_REPORTS,
    methods=("GET", "POST"),
)
def service_call(request: HttpRequest, pk: UUID) -> HttpResponse:
    service = service_seen(request, pk)
    at = request.at  # type: ignore[attr-defined]
    form = CallForm(
        request.POST if request.method == "POST" else None,
        initial={"called_on": beijing_day(at), "is_reached": True},
    )
    if form.is_bound and form.is_valid():
        try:
            record_call(service, by=request.actor, at=at, call=Call(**form.cleaned_data))  # type: ignore[attr-defined]
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _now("The call is recorded."))
            return redirect("service", pk)
    return answer_page(
        request,
        form,
        title=_now("Record a follow-up call"),
        about=_now("After a service the insurer asks the enterprise how it was (AQ 9010)."),
        done=_now("Record the call"),
        back=reverse("service", args=[pk]),
        back_title=service.service_no,
    )


CONFIRMATIONS = list_screen(
    ListScreen(
        name="confirmations",
        path="prevention/confirmations/",
        title=_("Words of the enterprises"),
        about=_("What enterprises themselves answered about services, by link or signed in."),
        model=Confirmation,
        permission=Permission.SEE_SERVICES,
        sort="-said_on",
        columns=(
            Column("answer", tones={"YES": "success", "NOBODY": "danger", "WRONG": "warning"}),
            SERVICE,
            ENTERPRISE,
            INSURER,
            AGENCY,
            Column("by_name"),
            Column("way"),
            Column("said_at"),
            Column("said_on", optional=True),
            Column("is_same_network"),
        ),
        filters=(
            InRegion(),
            insurer_filter(),
            Choice("answer", main=True),
            Choice("way"),
            agency_filter(),
            Dates("said_on"),
            Flag("is_same_network"),
        ),
        tab_of={"service": "service"},
        order=60,
    )
)
CALLS = list_screen(
    ListScreen(
        name="calls",
        path="prevention/calls/",
        title=_("Follow-up calls"),
        about=_("Calls after a service: who called, who was reached, what was said."),
        model=FollowUp,
        permission=Permission.SEE_SERVICES,
        sort="-id",
        columns=(
            Column("called_on"),
            SERVICE,
            ENTERPRISE,
            INSURER,
            Column("called_by"),
            Column("is_reached"),
            Column("spoke_with"),
            Column("score"),
            Column("opinion"),
            Column("id", title=_("Order of entry"), optional=True),
        ),
        filters=(InRegion(), insurer_filter(), Flag("is_reached"), Dates("called_on")),
        tab_of={"service": "service"},
        in_menu=False,
    )
)


# disputes ---------------------------------------------------------------------------------------------------

_TONES = {"OPEN": "danger", "ANSWERED": "warning", "CLOSED": "success"}


def _overdue(asking: Asking) -> Q:
    return Q(state=DisputeState.OPEN, answer_due_at__lt=asking.at)


DISPUTES = list_screen(
    ListScreen(
        name="disputes",
        path="prevention/disputes/",
        title=_("Disputed services"),
        about=_("Services of which the enterprise says that nobody came or that something is wrong."),
        model=Dispute,
        permission=Permission.SEE_SERVICES,
        detail="dispute",
        sort="-raised_on",
        columns=(
            Column("kind", opens="dispute", tones={"NOBODY": "danger", "WRONG": "warning"}),
            Column("state", tones=_TONES),
            SERVICE,
            ENTERPRISE,
            INSURER,
            AGENCY,
            Column("raised_on"),
            Column("answer_due_at"),
            Column("finding"),
            Column("region_code", optional=True),
            Column("sector", optional=True),
        ),
        filters=(
            InRegion(),
            insurer_filter(),
            Choice("state", main=True),
            Choice("kind"),
            Choice("finding"),
            agency_filter(),
            Cases("late", _("Answer"), cases={"yes": Case(_("overdue"), _overdue)}),
            Dates("raised_on"),
        ),
        tab_of={"service": "service", "enterprise": "enterprise"},
        order=70,
    )
)


def _dispute_forms(request: HttpRequest, dispute: Any) -> dict[str, Any]:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    is_open = dispute.state != DisputeState.CLOSED
    return {
        "answering": AnswerForm()
        if dispute.state == DisputeState.OPEN and actor.may(Permission.ISSUE_REPORTS) and actor.scope.insurer_id
        else None,
        "closing": ClosingForm() if is_open and actor.may(Permission.SETTLE_DISPUTES) else None,
    }


detail_screen(
    DetailScreen(
        name="dispute",
        path="prevention/disputes/<uuid:pk>/",
        title=_("Disputed service"),
        model=Dispute,
        permission=Permission.SEE_SERVICES,
        named=("kind",),
        state=Column("state", tones=_TONES),
        of_list="disputes",
        template="prevention/dispute.html",
        extra=_dispute_forms,
        sections=(
            Section(
                _("What the enterprise says"),
                (ENTERPRISE, SERVICE, "kind", "text", "raised_by", "raised_at", "answer_due_at"),
            ),
            Section(
                _("Answer and finding"),
                (
                    Column("insurer", opens="insurer"),
                    Column("agency", opens="agency"),
                    "answer",
                    "answered_by",
                    "answered_at",
                    "finding",
                    "reason",
                    "closed_by",
                    "closed_at",
                ),
            ),
        ),
    )
)


class AnswerForm(Form):
    answer = forms.CharField(
        label=_("How it was"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("What your records show, and what will be corrected."),
    )  # fmt: skip


class ClosingForm(Form):
    finding = forms.ChoiceField(label=pgettext_lazy("dispute", "What was found"), choices=DisputeFinding.choices)
    reason = forms.CharField(
        label=_("What it rests on"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("A service that did not take place is returned and counts nowhere."),
    )  # fmt: skip


def _dispute(request: HttpRequest, pk: UUID) -> Dispute:
    check_reader(request, Dispute)
    found = Dispute.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


@page(
    "prevention/disputes/<uuid:pk>/answer/", name="dispute-answer", permission=Permission.ISSUE_REPORTS, methods=("POST",)
)  # fmt: skip
def dispute_answer(request: HttpRequest, pk: UUID) -> HttpResponse:
    answer_dispute(_dispute(request, pk), by=request.actor, at=request.at, answer=request.POST.get("answer", ""))  # type: ignore[attr-defined]
    messages.success(request, _now("Your answer stands with the dispute."))
    return redirect("dispute", pk)


@page(
    "prevention/disputes/<uuid:pk>/close/", name="dispute-close", permission=Permission.SETTLE_DISPUTES, methods=("POST",)
)  # fmt: skip
def dispute_close(request: HttpRequest, pk: UUID) -> HttpResponse:
    close_dispute(
        _dispute(request, pk),
        by=request.actor,  # type: ignore[attr-defined]
        at=request.at,  # type: ignore[attr-defined]
        finding=request.POST.get("finding", ""),
        reason=request.POST.get("reason", ""),
    )
    messages.success(request, _now("The dispute is closed."))
    return redirect("dispute", pk)


waiting(
    DISPUTES,
    "disputes-to-answer",
    _("Disputed services to be answered"),
    why=_(
        "The enterprise says nobody came, or something is wrong. Say how it was, within the time AQ 9010 gives to an answer."
    ),
    tone="danger",
    order=20,
    permission=Permission.ISSUE_REPORTS,
    state="OPEN",
)
waiting(
    DISPUTES,
    "disputes-to-close",
    _("Disputed services the insurer has answered"),
    why=_("Say what was found, so that the service counts or does not."),
    tone="warning",
    order=21,
    permission=Permission.SETTLE_DISPUTES,
    state="ANSWERED",
)


# ratings ----------------------------------------------------------------------------------------------------

RATINGS = list_screen(
    ListScreen(
        name="ratings",
        path="prevention/ratings/",
        title=_("Ratings"),
        about=_("Single ratings and comments of enterprises. Those who are rated never read them one by one."),
        model=Rating,
        permission=Permission.SEE_RATINGS,
        sort="-rated_on",
        columns=(
            Column("stars"),
            Column("comment"),
            SERVICE,
            ENTERPRISE,
            INSURER,
            AGENCY,
            Column("rated_on"),
            Column("region_code", optional=True),
            Column("sector", optional=True),
        ),
        filters=(InRegion(), insurer_filter(), agency_filter(), Dates("rated_on")),
        order=80,
    )
)


def rating_means(key: str, party: UUID, at: Any) -> list[dict[str, Any]]:
    """Means of one insurer's or agency's ratings by quarters that are over, as it may itself read them.

    Always all of its ratings of a whole quarter, whoever asks: two answers never differ by a single rating.
    """
    today = beijing_day(at)
    at_least = int(parameter("rating_min_count", today))
    with widened(EVERYTHING):
        found = list(
            Rating.objects.filter(**{key: party}, quarter__lt=quarter_of(today))
            .values("quarter")
            .annotate(count=Count("id"), total=Sum("stars"))
            .order_by("-quarter")[:12]
        )
    made = []
    for row in found:
        mean = shown_mean(row["count"], row["total"], at_least)
        made.append({"quarter": row["quarter"], "mean": mean, "count": row["count"] if mean is not None else None})
    return made


def _public_mean(request: HttpRequest, profile: Any) -> tuple[str, str, str]:
    """The latest quarter with ratings enough, for whoever chooses an insurer: the same number the insurer reads."""
    for row in rating_means("insurer_id", profile.insurer_id, request.at):  # type: ignore[attr-defined]
        if row["mean"] is not None:
            return _now("%(mean)s of 5 (%(quarter)s)") % {"mean": row["mean"], "quarter": row["quarter"]}, "", ""
    return _now("too few ratings"), "", ""


tile(Tile("insurer-profile", "satisfaction", _("What enterprises say"), Permission.SEE_MARKET, _public_mean, 20))


@page(
    "prevention/satisfaction/",
    name="satisfaction",
    title=_("What enterprises say of you"),
    permission=Permission.ISSUE_REPORTS,
    in_menu=True,
    order=80,
    not_in_menu_of=frozenset({"anze_all", "anze_region", "anze_sector", "anze_expert", "anze_enterprise"}),
)
def satisfaction(request: HttpRequest) -> HttpResponse:
    scope = request.actor.scope  # type: ignore[attr-defined]
    own = ("insurer_id", scope.insurer_id) if scope.insurer_id else ("agency_id", scope.agency_id)
    at_least = int(parameter("rating_min_count", beijing_day(request.at)))  # type: ignore[attr-defined]
    means = rating_means(own[0], own[1], request.at) if own[1] else []  # type: ignore[attr-defined]
    words = {"means": means, "at_least": at_least, "now": timezone.localtime(request.at)}  # type: ignore[attr-defined]
    return render(request, "prevention/satisfaction.html", words)


SERVICE_BUTTONS = (
    Button(_("Confirm or dispute"), "service-confirm", Permission.CONFIRM_SERVICES, "check"),
    Button(_("Have it confirmed"), "service-link", Permission.ISSUE_REPORTS, "qrcode"),
    Button(_("Record a call"), "service-call", Permission.ISSUE_REPORTS, "phone"),
)
