"""Pages of complaints: made with or without an account, answered in time, followed by whoever made them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.claims.models import Claim
from anze.kernel.duty import beijing_day
from anze.kernel.links import read_link
from anze.kernel.models import parameter
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.kernel.wording import listed
from anze.parties.models import Enterprise, Organisation
from anze.parties.rules import INSURER_ROLES, Permission, Role
from anze.parties.screens import ENTERPRISE, insurer_filter
from anze.prevention.actions.complaints import (
    COMPLAINT_ACTIONS,
    FOLLOW,
    MAKE,
    Said,
    Told,
    acting_of,
    holder_of,
    link_to_complain,
    link_to_follow,
    make_complaint,
)
from anze.prevention.models import Complaint, ComplaintContact, ComplaintStep, Service
from anze.prevention.rules.complaints import (
    ANSWER,
    MOVES,
    OPEN,
    TURN,
    Acting,
    Complainant,
    ComplaintState,
    ComplaintStepKind,
    ComplaintSubject,
    Move,
    Side,
    moves_open,
)
from anze.screen.columns import DIRECTORIES, Column, labels, readers_of
from anze.screen.details import DetailScreen, Section, Tile, detail_screen, tile
from anze.screen.filters import Asking, Case, Cases, Choice, Dates, InRegion, Search
from anze.screen.forms import Form, style
from anze.screen.lists import Button, ListScreen, check_reader, list_screen, waiting
from anze.screen.pages import moment
from anze.screen.registry import page
from anze.screen.typesetting import qr_uri
from anze.underwriting.models import Policy

STATE = Column(
    "state",
    tones={"RECEIVED": "warning", "ACCEPTED": "info", "VERIFYING": "info", "ANSWERED": "success", "CLOSED": "success"},
)


def _late(asking: Asking) -> Q:
    """Not answered in time, or not settled in time and what was added."""
    return Q(state__in=OPEN) & (
        Q(answered_at__isnull=True, answer_due_at__lte=asking.at) | Q(settle_due_at__lte=asking.at)
    )


def _soon(asking: Asking) -> Q:
    soon = asking.at + timedelta(days=3)
    return Q(state__in=OPEN) & (
        Q(answered_at__isnull=True, answer_due_at__range=(asking.at, soon)) | Q(settle_due_at__range=(asking.at, soon))
    )


def _clock(asking: Asking, state: str, answer_due: Any, answered: Any, settle_due: Any, settled: Any) -> str:
    due, done = (settle_due, settled) if settle_due is not None else (answer_due, answered or settled)
    if done is not None:
        return "KEPT" if done <= due else "MISSED"
    if state not in OPEN:
        return ""
    if due <= asking.at:
        return "LATE"
    return "SOON" if due - asking.at <= timedelta(days=3) else "RUNNING"


CLOCK = Column(
    "clock",
    title=_("Deadline"),
    needs=("state", "answer_due_at", "answered_at", "settle_due_at", "settled_at"),
    compute=_clock,
    choices=(
        ("LATE", _("overdue")), ("SOON", _("due within 3 days")), ("RUNNING", _("in time")),
        ("KEPT", _("answered in time")), ("MISSED", _("answered late")), ("", "–"),
    ),
    tones={"LATE": "danger", "SOON": "warning", "RUNNING": "info", "KEPT": "success", "MISSED": "warning"},
)  # fmt: skip
COMPLAINTS = list_screen(
    ListScreen(
        name="complaints",
        path="prevention/complaints/",
        title=_("Complaints"),
        about=_("Complaints of enterprises and workers: answered, and settled where something must be verified, within the working days of AQ 9010."),
        model=Complaint,
        permission=Permission.SEE_COMPLAINTS,
        detail="complaint",
        sort="-made_at",
        columns=(
            Column("complaint_no"),
            Column("subject"),
            ENTERPRISE,
            Column("concerns"),
            Column("side"),
            STATE,
            CLOCK,
            Column("made_at"),
            Column("answer_due_at", optional=True),
            Column("settle_due_at", optional=True),
            Column("satisfaction"),
            Column("escalations", optional=True),
            Column("made_by_kind", optional=True),
            Column("region_code", optional=True),
            Column("sector", optional=True),
        ),
        filters=(
            Search(own=("complaint_no",), relation="enterprise", related=("name", "uscc"), title=_("Complaint no., enterprise or credit code")),
            InRegion(),
            insurer_filter(),
            Choice("state", main=True),
            Cases(
                "due",
                _("Deadline"),
                main=True,
                cases={
                    "open": Case(_("open"), lambda a: Q(state__in=OPEN)),
                    "late": Case(_("overdue"), _late),
                    "soon": Case(_("due within 3 days"), _soon),
                },
            ),
            Choice("side"),
            Choice("subject"),
            Choice("made_by_kind"),
            Cases("time", _("More time"), cases={"asked": Case(_("to be decided"), lambda a: Q(extension="ASKED"))}),
            Dates("made_at"),
        ),
        buttons=(Button(_("Complain"), "complaint-new", Permission.MAKE_COMPLAINTS, "message"),),
        tab_of={"enterprise": "enterprise", "service": "service", "claim": "claim"},
        order=60,
        icon="message",
    )
)  # fmt: skip


def _story(complaint: Complaint) -> list[dict[str, Any]]:
    kinds, actings, sides = labels(ComplaintStepKind.choices), labels(Acting.choices), labels(Side.choices)
    tones = {"ESCALATED": "danger", "NOT_ACCEPTED": "danger", "ANSWERED": "success", "RATED": "success"}
    told = []
    for step in ComplaintStep.objects.filter(complaint=complaint).order_by("-at", "-id"):
        facts = [_now("to be answered by: %(side)s") % {"side": sides[step.side]}] if step.side else []
        facts += [_now("until %(day)s") % {"day": step.day}] if step.day else []
        told.append(
            {
                "title": kinds[step.kind],
                "when": moment(step.at),
                "who": " · ".join(
                    each for each in (step.by_name, step.organisation_name, actings[step.acting]) if each
                ),
                "words": step.words,
                "facts": listed(facts),
                "tone": tones.get(step.kind, ""),
            }
        )
    return told


def _words(request: HttpRequest, complaint: Any) -> dict[str, Any]:
    if request.GET.get("tab"):
        return {}
    actor = request.actor  # type: ignore[attr-defined]
    offered = [
        {"title": str(move.title), "url": reverse(f"complaint-{move.name}", args=[complaint.pk]), "tone": move.tone,
         "icon": move.icon}
        for move in moves_open(complaint, acting_of(actor))
        if actor.may(move.permission)
    ]  # fmt: skip
    first = offered[0] if offered and offered[0]["tone"] == "primary" else None
    contact = None
    if actor.scope.reader in readers_of(ComplaintContact):
        contact = ComplaintContact.objects.filter(complaint=complaint.pk).first()
    return {
        "story": _story(complaint),
        "turn": TURN[complaint.state],
        "first": first,
        "others": offered[1:] if first else offered,
        "contact": contact,
    }


COMPLAINT_PAGE = detail_screen(
    DetailScreen(
        name="complaint",
        path="prevention/complaints/<uuid:pk>/",
        title=_("Complaint"),
        model=Complaint,
        permission=Permission.SEE_COMPLAINTS,
        named=("complaint_no",),
        state=CLOCK,
        of_list="complaints",
        template="prevention/complaint.html",
        extra=_words,
        sections=(
            Section(
                _("The complaint"),
                ("subject", ENTERPRISE, "made_by_kind", "named_as", "made_at", Column("concerns", opens="insurer"),
                 Column("service__service_no", opens="service"),
                 Column("claim__claim_no", opens="claim", permission=Permission.SEE_CLAIMS)),
            ),
            Section(
                _("Its answer"),
                (STATE, "side", "answer_due_at", "answered_at", "settle_due_at", "extension", "extension_to_on",
                 "settled_at", "escalations", "satisfaction"),
            ),
        ),
    )
)  # fmt: skip


# made ---------------------------------------------------------------------------------------------------------


class ComplaintForm(Form):
    """What everybody may say. Whoever holds a link names the day, and learns from the form neither who insures the
    enterprise nor what was done there."""

    subject = forms.ChoiceField(
        label=_("What it is about"), choices=lambda: list(labels(ComplaintSubject.choices).items())
    )
    day = forms.DateField(
        label=_("Which day it was"), required=False, widget=forms.DateInput(),
        help_text=_("The insurer whose service or cover it was answers. Left out, the authority answers."),
    )  # fmt: skip
    text = forms.CharField(
        label=_("What happened"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("When, where, what. A few words are enough."),
    )  # fmt: skip
    kind = forms.ChoiceField(label=_("You are"), choices=lambda: list(labels(Complainant.choices).items()))
    name = forms.CharField(label=_("Your name"), max_length=60, required=False, help_text=_("May be left out."))
    phone = forms.CharField(label=_("Phone"), max_length=40, required=False, help_text=_("Only the authority sees it."))
    may_be_named = forms.BooleanField(label=_("The other side may know my name"), required=False)


class EnterpriseComplaintForm(ComplaintForm):
    """What an enterprise says for itself: it chooses among its own insurers and services."""

    insurer = forms.ChoiceField(label=_("Which insurer"), required=False)
    service = forms.ChoiceField(label=_("Which service"), required=False)
    field_order = ("subject", "insurer", "service", "text")

    def __init__(self, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        # it names the service itself, and who is signed in speaks for the enterprise
        for name in ("day", "kind"):
            del self.fields[name]


def _own_form(request: HttpRequest, enterprise: Enterprise) -> EnterpriseComplaintForm:
    """The form with the insurers and services of this enterprise, as its own account reads them."""
    form = EnterpriseComplaintForm(request.POST if request.method == "POST" else None)
    policies = Policy.objects.filter(enterprise_id=enterprise.pk, is_void=False).order_by("-start_on")
    insurers = dict.fromkeys(policies.values_list("insurer_id", flat=True)[:30])
    names = DIRECTORIES[Organisation]
    form.fields["insurer"].choices = [("", "–"), *((str(key), names.name(key)) for key in insurers)]  # type: ignore[attr-defined]
    types = dict(Service._meta.get_field("service_type").flatchoices)  # type: ignore[union-attr]
    services = Service.objects.filter(enterprise_id=enterprise.pk, is_void=False).order_by("-performed_on")[:20]
    form.fields["service"].choices = [  # type: ignore[attr-defined]
        ("", "–"),
        *((str(each.pk), f"{each.performed_on} {types[each.service_type]} · {names.name(each.insurer_id)}") for each in services),
    ]  # fmt: skip
    return form


def _key(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _told(given: dict[str, Any], claim: str = "") -> Told:
    insurer, service = _key(given.pop("insurer", "")), _key(given.pop("service", ""))
    return Told(**given, insurer=insurer, service=service, claim=_key(claim))


def _days_to_answer(request: HttpRequest, enterprise: Enterprise) -> int:
    """Working days within which a complaint of today is answered."""
    return int(parameter(ANSWER.parameter, beijing_day(request.at), enterprise.region_code))  # type: ignore[attr-defined]


@page("prevention/complaints/new/", name="complaint-new", title=_("Complain"), permission=Permission.MAKE_COMPLAINTS,
      methods=("GET", "POST"))  # fmt: skip
def complaint_new(request: HttpRequest) -> HttpResponse:
    check_reader(request, Complaint)
    actor, at = request.actor, request.at  # type: ignore[attr-defined]
    enterprise = Enterprise.objects.filter(pk=actor.scope.enterprise_id).first()
    if enterprise is None:
        raise Http404
    form = _own_form(request, enterprise)
    if form.is_bound and form.is_valid():
        try:
            told = _told(dict(form.cleaned_data), request.GET.get("claim", ""))
            made = make_complaint(enterprise, by=actor, at=at, told=told).complaint
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _now("The complaint %(number)s is on its way.") % {"number": made.complaint_no})
            return redirect("complaint", made.pk)
    about = _key(request.GET.get("claim", ""))
    words = {
        "form": form,
        "claim": Claim.objects.filter(pk=about).first() if about else None,
        "days": _days_to_answer(request, enterprise),
    }
    return render(request, "prevention/complaint_new.html", words, status=422 if form.is_bound else 200)


@page("prevention/enterprises/<uuid:pk>/complaint-link/", name="enterprise-complaint-link", title=_("Link for complaints"),
      permission=Permission.INVITE_COMPLAINTS)  # fmt: skip
def complaint_link(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A sheet to hang up: whoever scans it complains without an account."""
    enterprise = Enterprise.objects.filter(pk=pk).first()
    if enterprise is None:
        raise Http404
    address = request.build_absolute_uri(reverse("complain", args=[link_to_complain(enterprise, at=request.at)]))  # type: ignore[attr-defined]
    words = {"enterprise": enterprise, "address": address, "code": qr_uri(address)}
    return render(request, "prevention/complaint_link.html", words)


def _link_tile(request: HttpRequest, enterprise: Any) -> tuple[str, str, str]:
    return _now("print"), "", reverse("enterprise-complaint-link", args=[enterprise.pk])


tile(Tile("enterprise", "complaint-link", _("Code for complaints"), Permission.INVITE_COMPLAINTS, _link_tile, order=96))


@page("t/<str:token>/", name="complain", title=_("Complain"), methods=("GET", "POST"), is_open=True)
def complain(request: HttpRequest, token: str) -> HttpResponse:
    """Opened by whoever holds the link of an enterprise; nobody is asked for an account."""
    at, actor = request.at, request.actor  # type: ignore[attr-defined]
    key = read_link(MAKE, token, at=at)
    with transaction.atomic(), widened(EVERYTHING):
        enterprise = Enterprise.objects.filter(pk=key).first()
        if enterprise is None:
            raise Http404
        form = ComplaintForm(request.POST if request.method == "POST" else None)
        if form.is_bound and form.is_valid():
            told = _told(dict(form.cleaned_data))
            holder = holder_of(enterprise.pk, name=told.name if told.may_be_named else "", address=actor.address)
            try:
                with transaction.atomic(), widened(holder.scope):
                    made = make_complaint(enterprise, by=holder, at=at, told=told).complaint
            except Refused as refused:
                form.refuse(refused)
            else:
                return redirect("complaint-follow", link_to_follow(made, at=at))
        status = 422 if form.is_bound else 200
        words = {"form": form, "enterprise": enterprise, "days": _days_to_answer(request, enterprise)}
        answer = render(request, "prevention/complain.html", words, status=status)
    answer["Cache-Control"] = "no-store"
    return answer


class StarsForm(Form):
    stars = forms.TypedChoiceField(
        label=_("How satisfied are you with the answer?"), coerce=int, required=False, empty_value=None,
        choices=[("", "–"), *[(n, str(n)) for n in range(5, 0, -1)]], help_text=_("From 1, not at all, to 5, fully."),
    )  # fmt: skip
    words = forms.CharField(
        label=_("What is still missing"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Needed if you take it to the authority."),
    )  # fmt: skip


@page("t/f/<str:token>/", name="complaint-follow", title=_("Your complaint"), methods=("GET", "POST"), is_open=True)
def follow(request: HttpRequest, token: str) -> HttpResponse:
    """What became of a complaint, for whoever made it; satisfied, or to the authority."""
    at, actor = request.at, request.actor  # type: ignore[attr-defined]
    key = read_link(FOLLOW, token, at=at)
    with transaction.atomic(), widened(EVERYTHING):
        complaint = Complaint.objects.filter(pk=key).first()
        if complaint is None:
            raise Http404
        form = StarsForm(request.POST if request.method == "POST" else None)
        asked = request.POST.get("move", "")
        if form.is_bound and form.is_valid() and asked in ("rate", "escalate", "withdraw"):
            holder = holder_of(complaint.enterprise_id, name=complaint.named_as, address=actor.address)
            try:
                with transaction.atomic(), widened(holder.scope):
                    COMPLAINT_ACTIONS[asked](complaint, by=holder, at=at, said=Said(**form.cleaned_data))
            except Refused as refused:
                form.refuse(refused)
            else:
                return redirect("complaint-follow", token)
        words = {
            "complaint": complaint,
            "form": form,
            "story": _story(complaint),
            "moves": {move.name for move in moves_open(complaint, Acting.COMPLAINANT)},
            "turn": TURN[complaint.state],
            "due": complaint.settle_due_at or complaint.answer_due_at,
            "is_open": complaint.state in OPEN,
            "side": labels(Side.choices)[complaint.side],
            "address": request.build_absolute_uri(),
        }
        status = 422 if form.is_bound else 200
        answer = render(request, "prevention/complaint_follow.html", words, status=status)
    answer["Cache-Control"] = "no-store"
    return answer


# answered -----------------------------------------------------------------------------------------------------


def _text(label: Any, help_text: Any = "", required: bool = True) -> forms.CharField:
    return forms.CharField(
        label=label, help_text=help_text, required=required, max_length=1000, widget=forms.Textarea(attrs={"rows": 4})
    )


_REASON = _("Why")
FIELDS: dict[str, Callable[[], dict[str, forms.Field]]] = {
    "accept": lambda: {"words": _text(_("Words"), required=False)},
    "not-accept": lambda: {"words": _text(_REASON, _("The complainant reads it."))},
    "answer": lambda: {"words": _text(_("The answer"), _("The complainant reads it and says whether it satisfies."))},
    "verify": lambda: {"words": _text(_("What must be verified"), _("The complainant reads it; the working days to settle it run."))},
    "ask-time": lambda: {
        "day": forms.DateField(label=_("Until"), widget=forms.DateInput()),
        "words": _text(_REASON),
    },
    "grant-time": lambda: {"words": _text(_("Words"), required=False)},
    "refuse-time": lambda: {"words": _text(_REASON)},
    "rate": lambda: {
        "stars": forms.TypedChoiceField(
            label=_("How satisfied are you with the answer?"), coerce=int,
            choices=[(n, str(n)) for n in range(5, 0, -1)], help_text=_("From 1, not at all, to 5, fully."),
        ),
    },
    "escalate": lambda: {"words": _text(_("What is still missing"))},
    "withdraw": lambda: {"words": _text(_("Words"), required=False)},
    "assign": lambda: {
        "side": forms.ChoiceField(label=_("To be answered by"), choices=lambda: list(labels(Side.choices).items())),
        "words": _text(_REASON),
    },
    "take-over": lambda: {"words": _text(_REASON)},
    "close": lambda: {"words": _text(_REASON)},
}  # fmt: skip


def _view(move: Move) -> Callable[[HttpRequest, UUID], HttpResponse]:
    def take(request: HttpRequest, pk: UUID) -> HttpResponse:
        check_reader(request, Complaint)
        complaint = COMPLAINT_PAGE.row(request, pk)
        form = Form(request.POST if request.method == "POST" else None)
        form.fields.update(FIELDS[move.name]())
        if move.name == "ask-time":
            days = int(parameter("complaint_extension_days", beijing_day(request.at), complaint.region_code))  # type: ignore[attr-defined]
            form.fields["day"].help_text = _now("At most %(days)s days more, once.") % {"days": days}
        style(form)
        if form.is_bound and form.is_valid():
            given = {name: value for name, value in form.cleaned_data.items() if value not in (None, "")}
            try:
                COMPLAINT_ACTIONS[move.name](complaint, by=request.actor, at=request.at, said=Said(**given))  # type: ignore[attr-defined]
            except Refused as refused:
                form.refuse(refused)
            else:
                messages.success(request, _now("%(step)s: done.") % {"step": move.title})
                return redirect("complaint", complaint.pk)
        status = 422 if form.is_bound else 200
        words = {"form": form, "complaint": complaint, "move": move}
        return render(request, "prevention/complaint_move.html", words, status=status)

    take.__module__ = __name__
    return take


for _move in MOVES.values():
    page(
        f"prevention/complaints/<uuid:pk>/{_move.name}/",
        name=f"complaint-{_move.name}",
        title=_move.title,
        permission=_move.permission,
        methods=("GET", "POST"),
    )(_view(_move))


# what waits ---------------------------------------------------------------------------------------------------

_AUTHORITIES = frozenset({Role.PROVINCE_REGULATOR, Role.CITY_REGULATOR, Role.COUNTY_REGULATOR, Role.COMMITTEE})
for _roles, _side in ((frozenset(INSURER_ROLES), "INSURER"), (frozenset({Role.AGENCY}), "AGENCY"), (_AUTHORITIES, "AUTHORITY")):  # fmt: skip
    waiting(
        COMPLAINTS,
        f"complaints-{_side.lower()}",
        _("Complaints for you to answer"),
        why=_("The working days for the first answer run (AQ 9010)."),
        tone="warning",
        order=13,
        roles=_roles,
        due="open",
        side=_side,
    )
waiting(
    COMPLAINTS,
    "complaints-late",
    _("Complaints past their deadline"),
    why=_("Not answered, or not settled, in the working days of AQ 9010."),
    tone="danger",
    order=8,
    roles=frozenset({*INSURER_ROLES, Role.AGENCY, *_AUTHORITIES}),
    due="late",
)
waiting(
    COMPLAINTS,
    "complaints-time",
    _("More time for complaints, to be decided"),
    why=_("Whoever verifies asks for more days, with a reason (AQ 9010)."),
    order=20,
    roles=_AUTHORITIES,
    time="asked",
)
waiting(
    COMPLAINTS,
    "complaints-answered",
    _("Answers to your complaints"),
    why=_("Say whether the answer satisfies, or take it to the authority."),
    tone="info",
    order=11,
    roles=frozenset({Role.ENTERPRISE}),
    state=ComplaintState.ANSWERED.value,
)
