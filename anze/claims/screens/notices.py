"""Notices of losses: the enterprise tells from its phone, the insurer finds it in its work list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.claims.actions import Loss, send_notice, withdraw_notice
from anze.claims.models import LossNotice
from anze.claims.rules import AccidentType, NoticeState
from anze.evidence.models import Media
from anze.evidence.rules import MediaKind, MediaRole, Subject, register_subject
from anze.evidence.screens.forms import files_taken, photos_field
from anze.evidence.screens.media import tiles
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.kernel.models import parameter
from anze.kernel.refusal import Refused
from anze.parties.rules import INSURER_ROLES, Permission, Role
from anze.parties.screens import ENTERPRISE, INSURER, insurer_filter
from anze.screen.columns import Column, labels, readers_of
from anze.screen.details import DetailScreen, Section, Way, detail_screen
from anze.screen.filters import Choice, Dates, InRegion, Search
from anze.screen.forms import Form
from anze.screen.lists import Button, ListScreen, check_reader, list_screen, waiting
from anze.screen.registry import page
from anze.underwriting.models import Policy

STATE = Column("state", tones={"SENT": "warning", "REGISTERED": "success"})
# the years of 保险法 Art. 26 run from the day the insured knew of the loss, which may be after the cover's end
KNOWN_LATER = timedelta(days=366)

NOTICES = list_screen(
    ListScreen(
        name="loss-notices",
        path="claims/notices/",
        title=_("Loss notices"),
        about=_("What enterprises told their insurers of losses on the platform; each becomes a claim by registration."),
        model=LossNotice,
        permission=Permission.SEE_CLAIMS,
        detail="loss-notice",
        sort="-sent_at",
        columns=(
            Column("notice_no"),
            ENTERPRISE,
            INSURER,
            Column("occurred_at"),
            Column("kind"),
            Column("deaths"),
            Column("serious_injuries"),
            STATE,
            Column("sent_at"),
            Column("claim__claim_no", opens="claim", optional=True),
            Column("region_code", optional=True),
        ),
        filters=(
            Search(own=("notice_no",), relation="enterprise", related=("name", "uscc"), title=_("Notice no., enterprise or credit code")),
            InRegion(),
            insurer_filter(),
            Choice("state", main=True),
            Choice("kind"),
            Dates("sent_at"),
        ),
        buttons=(Button(_("Report a loss"), "loss-new", Permission.REPORT_LOSSES, "plus"),),
        tab_of={"enterprise": "enterprise", "claim": "claim"},
        order=5,
    )
)  # fmt: skip


def _ways(request: HttpRequest, notice: Any) -> list[Way]:
    actor = request.actor  # type: ignore[attr-defined]
    ways = []
    if notice.state == NoticeState.SENT and actor.may(Permission.HANDLE_CLAIMS):
        ways.append(Way(_("Register the claim"), reverse("loss-notice-register", args=[notice.pk]), "plus", "primary"))
    if notice.state != NoticeState.WITHDRAWN and (
        actor.may(Permission.REPORT_LOSSES) or actor.may(Permission.HANDLE_CLAIMS)
    ):
        ways.append(Way(_("Add photos"), reverse("loss-notice-photos", args=[notice.pk]), "camera"))
    if notice.state == NoticeState.SENT and actor.may(Permission.REPORT_LOSSES):
        ways.append(Way(_("Withdraw"), reverse("loss-notice-withdraw", args=[notice.pk]), "x"))
    return ways


def _evidence_of(key: UUID, by: Actor, at: datetime) -> Subject | None:
    """Photos of a loss: the enterprise's with its notice, the insurer's from the survey."""
    if by.scope.reader not in readers_of(LossNotice):
        return None
    notice = LossNotice.objects.filter(pk=key).first()
    if notice is None:
        return None
    return Subject(
        kind="loss-notice",
        id=notice.pk,
        title=f"{notice.notice_no} {notice.place}"[:120],
        url=reverse("loss-notice", args=[notice.pk]),
        region_code=notice.region_code,
        sector=notice.sector,
        insurer_id=notice.insurer_id,
        enterprise_id=notice.enterprise_id,
        may_add=notice.state != NoticeState.WITHDRAWN
        and (by.may(Permission.REPORT_LOSSES) or by.may(Permission.HANDLE_CLAIMS)),
        why_not=_("The notice is withdrawn, or not yours."),
    )


register_subject("loss-notice", _("Loss notice"), _evidence_of)


def photos_shown(request: HttpRequest, notices: Sequence[UUID]) -> Mapping[str, Any]:
    """The photos that came with some notices, for those who see evidence at all."""
    actor = request.actor  # type: ignore[attr-defined]
    if not notices or not actor.may(Permission.SEE_EVIDENCE) or actor.scope.reader not in readers_of(Media):
        return {"photos": []}
    files = Media.objects.filter(subject__in=notices, voided_at=None).order_by("received_at")
    return {"photos": tiles(list(files.values_list("pk", flat=True)[:40]))["tiles"]}


NOTICE_PAGE = detail_screen(
    DetailScreen(
        name="loss-notice",
        path="claims/notices/<uuid:pk>/",
        title=_("Loss notice"),
        model=LossNotice,
        permission=Permission.SEE_CLAIMS,
        named=("notice_no",),
        state=STATE,
        of_list="loss-notices",
        ways=_ways,
        template="claims/notice.html",
        extra=lambda request, notice: photos_shown(request, [notice.pk]),
        sections=(
            Section(
                _("What happened"),
                ("occurred_at", "place", "kind", "description", "deaths", "serious_injuries", "minor_injuries",
                 "hits_third_party", "claimed"),
            ),
            Section(
                _("The notice"),
                (ENTERPRISE, Column("insurer", opens="insurer"), Column("policy__policy_no", opens="policy"), "sent_at",
                 "sent_by", "contact", "phone", "learned_at", "reported_at", "answered_at", "reason",
                 Column("claim__claim_no", opens="claim")),
            ),
        ),
    )
)  # fmt: skip
waiting(
    NOTICES,
    "loss-notices-sent",
    _("Losses to register"),
    why=_("An enterprise has told you of a loss; the clocks of the insurance law run from its notice."),
    tone="danger",
    order=7,
    roles=frozenset(INSURER_ROLES),
    state="SENT",
)
waiting(
    NOTICES,
    "loss-notices-own",
    _("Losses you reported, not registered yet"),
    why=_("The insurer registers the claim and asks for what is missing, once."),
    order=12,
    roles=frozenset({Role.ENTERPRISE}),
    state="SENT",
)


def _moment(label: Any, help_text: Any = "", required: bool = True) -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label,
        help_text=help_text,
        required=required,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )


def _number(label: Any, help_text: Any = "") -> forms.IntegerField:
    return forms.IntegerField(label=label, help_text=help_text, min_value=0, max_value=10_000, initial=0)


class LossForm(Form):
    policy = forms.ChoiceField(label=_("Policy"))
    occurred_at = _moment(_("When it happened"))
    kind = forms.ChoiceField(
        label=_("What kind of accident"), choices=lambda: list(labels(AccidentType.choices).items())
    )
    place = forms.CharField(label=_("Where"), max_length=200)
    description = forms.CharField(label=_("What happened"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))
    deaths = _number(_("Deaths"))
    serious_injuries = _number(_("Serious injuries"), _("Acute industrial poisoning included."))
    minor_injuries = _number(_("Minor injuries"))
    hits_third_party = forms.BooleanField(label=_("Others than your workers are affected"), required=False)
    claimed = forms.DecimalField(
        label=_("Loss as far as you know (yuan)"), min_value=0, max_digits=14, decimal_places=2, initial=0,
        help_text=_("A first estimate is enough."),
    )  # fmt: skip
    learned_at = _moment(
        _("When the head of the unit learned of it"),
        _("The hour for the report to the authority runs from here (国务院令第493号 Art. 9)."),
        required=False,
    )
    reported_at = _moment(_("Reported to the authority at"), required=False)
    photos = photos_field(_("Photos of the place"), _("As far as it is safe. They can be taken later too."))
    contact = forms.CharField(label=_("Who can be asked"), max_length=60)
    phone = forms.CharField(label=_("Phone"), max_length=20, required=False)


def _policies(request: HttpRequest) -> list[Policy]:
    """The enterprise's own policies a loss may be under, the latest first."""
    today = beijing_day(request.at)  # type: ignore[attr-defined]
    since = today - int(parameter("claim_limitation_years", today)) * timedelta(days=366) - KNOWN_LATER
    return list(Policy.objects.filter(is_void=False, cover_end_on__gte=since).order_by("-start_on")[:30])


@page("claims/notices/new/", name="loss-new", title=_("Report a loss"), permission=Permission.REPORT_LOSSES,
      methods=("GET", "POST"))  # fmt: skip
def loss_new(request: HttpRequest) -> HttpResponse:
    check_reader(request, LossNotice)
    policies = {str(policy.pk): policy for policy in _policies(request)}
    form = LossForm(*((request.POST, request.FILES) if request.method == "POST" else ()))
    form.fields["policy"].choices = [  # type: ignore[attr-defined]
        (key, f"{policy.policy_no} · {policy.start_on} – {policy.cover_end_on}") for key, policy in policies.items()
    ]
    if form.is_bound and form.is_valid():
        given = dict(form.cleaned_data)
        policy = policies[given.pop("policy")]
        del given["photos"]
        actor = request.actor  # type: ignore[attr-defined]
        try:
            # a photo that cannot be read keeps the notice back, so that its sender learns of it
            with transaction.atomic():
                made = send_notice(policy, by=actor, at=request.at, loss=Loss(**given))  # type: ignore[attr-defined]
                files_taken(request, "photos", "loss-notice", made.pk, MediaRole.SITE, actor, MediaKind.PHOTO)
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _now("The insurer has your notice %(number)s.") % {"number": made.notice_no})
            return redirect("loss-notice", made.pk)
    words = {"form": form, "policies": policies}
    return render(request, "claims/loss.html", words, status=422 if form.is_bound else 200)


class PhotosForm(Form):
    photos = photos_field(_("Photos of the place"))


@page("claims/notices/<uuid:pk>/photos/", name="loss-notice-photos", title=_("Add photos"),
      permission=Permission.ADD_EVIDENCE, methods=("GET", "POST"))  # fmt: skip
def add_photos(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Photos taken after the notice was sent."""
    notice = found_notice(request, pk)
    form = PhotosForm(*((request.POST, request.FILES) if request.method == "POST" else ()))
    if form.is_bound and form.is_valid():
        try:
            with transaction.atomic():
                actor = request.actor  # type: ignore[attr-defined]
                files_taken(request, "photos", "loss-notice", notice.pk, MediaRole.SITE, actor, MediaKind.PHOTO)
        except Refused as refused:
            form.refuse(refused)
        else:
            return redirect("loss-notice", notice.pk)
    words = {"form": form, "title": _now("Add photos"), "notice": notice, "save": _now("Keep the photos")}
    return render(request, "claims/notice_form.html", words, status=422 if form.is_bound else 200)


class WithdrawForm(Form):
    reason = forms.CharField(label=_("Why"), max_length=200)


def found_notice(request: HttpRequest, pk: UUID) -> LossNotice:
    check_reader(request, LossNotice)
    notice = LossNotice.objects.filter(pk=pk).first()
    if notice is None:
        raise Http404
    return notice


@page("claims/notices/<uuid:pk>/withdraw/", name="loss-notice-withdraw", title=_("Withdraw the notice"),
      permission=Permission.REPORT_LOSSES, methods=("GET", "POST"))  # fmt: skip
def withdraw(request: HttpRequest, pk: UUID) -> HttpResponse:
    notice = found_notice(request, pk)
    form = WithdrawForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            withdraw_notice(notice, by=request.actor, at=request.at, **form.cleaned_data)  # type: ignore[attr-defined]
        except Refused as refused:
            form.refuse(refused)
        else:
            return redirect("loss-notice", notice.pk)
    words = {"form": form, "title": _now("Withdraw the notice"), "notice": notice, "save": _now("Withdraw")}
    return render(request, "claims/notice_form.html", words, status=422 if form.is_bound else 200)
