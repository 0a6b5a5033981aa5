"""Applications as reviewers and signed-in parties see them; renewing a qualification."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.actor import Actor
from anze.kernel.refusal import Refused
from anze.parties.access import acts_for
from anze.parties.actions.entering import (
    Stated,
    accept_application,
    advise_application,
    begin_renewal,
    link_token,
    refuse_application,
    renew_link,
    return_application,
    suggested_code,
    waits_for_password,
    why_not_review,
)
from anze.parties.models import Application, Enterprise, Expert, Organisation, Qualification
from anze.parties.rules import OrganisationKind, Permission, RiskTier, Role
from anze.parties.rules.entering import (
    ADVISED,
    APPLICATION_TONES,
    EDITABLE,
    ApplicationKind,
    ApplicationState,
    RefusalCode,
)
from anze.parties.screens.entering import (
    PAPERS_OF,
    RenewalForm,
    conditions_of,
    documents_of,
    stated_facts,
)
from anze.screen.columns import Column, labels
from anze.screen.details import DetailScreen, Section, Way, detail_screen
from anze.screen.filters import Asking, Case, Cases, Choice, Dates, InRegion, Search
from anze.screen.forms import Form, answer_form
from anze.screen.lists import ListScreen, list_screen, waiting
from anze.screen.registry import page
from anze.screen.typesetting import qr_uri

P = Permission
STATE = Column("state", tones=APPLICATION_TONES)
REVIEWING = frozenset({Role.PROVINCE_REGULATOR, Role.CITY_REGULATOR, Role.COMMITTEE})
ENTERING = frozenset({Role.INSURER_MANAGER, Role.AGENCY, Role.EXPERT})


def _begun(rows: Any, asking: Asking) -> Any:
    """Reviewers read what was submitted; a draft is the applicant's own affair."""
    if asking.actor.may(P.REVIEW_ENTRIES):
        return rows.exclude(state__in=(ApplicationState.DRAFT, ApplicationState.WITHDRAWN), submitted_at=None)
    return rows


def _late(asking: Asking) -> Q:
    return Q(state=ApplicationState.SUBMITTED, due_at__lt=asking.at)


APPLICATIONS = list_screen(
    ListScreen(
        name="applications",
        path="parties/applications/",
        title=_("Applications to enter"),
        about=_("Insurers, agencies, experts and enterprises that register, and qualifications that were renewed."),
        model=Application,
        permission=P.SEE_ENTRIES,
        base=_begun,
        detail="application",
        sort="-begun_at",
        columns=(
            Column("number"),
            Column("name"),
            Column("kind"),
            STATE,
            Column("region_code"),
            Column("submitted_at"),
            Column("due_at"),
            Column("decided_by_name", optional=True),
            Column("rounds", optional=True),
            Column("uscc", optional=True),
            Column("begun_at", optional=True),
        ),
        filters=(
            Search(own=("number", "uscc"), inside=("name",), title=_("Number, credit code or name")),
            Choice("kind", main=True),
            Choice("state", main=True),
            InRegion(),
            Cases("late", _("Time"), cases={"yes": Case(_("decision overdue"), _late)}),
            Dates("submitted_at"),
        ),
        order=70,
        icon="login",
    )
)
waiting(
    APPLICATIONS,
    "applications-to-review",
    _("Applications to decide"),
    why=_("Whoever meets the published conditions enters; the time for deciding runs."),
    tone="info",
    order=70,
    roles=REVIEWING,
    state="SUBMITTED",
)
waiting(
    APPLICATIONS,
    "applications-late",
    _("Applications not decided in time"),
    why=_("The applicant waits longer than was published."),
    tone="danger",
    order=20,
    roles=REVIEWING,
    late="yes",
)
waiting(
    APPLICATIONS,
    "applications-returned",
    _("Applications returned to you"),
    why=_("They go on when they are corrected and submitted again."),
    tone="warning",
    order=40,
    roles=ENTERING,
    state="RETURNED",
)


def _ways(request: HttpRequest, row: Any) -> list[Way]:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    ways: list[Way] = []
    if row.state in (*EDITABLE, ApplicationState.REFUSED) and acts_for(actor, row) and actor.may(P.APPLY):
        ways.append(Way(_("Go on with it"), reverse("application-continue", args=[row.pk]), "pencil", "primary", True))
    if not actor.may(P.REVIEW_ENTRIES):
        return ways
    may = why_not_review(row, actor) is None
    if row.state == ApplicationState.SUBMITTED and may:
        ways += [
            Way(
                pgettext_lazy("application", "Accept"), reverse("application-accept", args=[row.pk]), "check", "primary"
            ),
            Way(
                pgettext_lazy("application", "Return for correction"),
                reverse("application-return", args=[row.pk]),
                "arrow-left",
            ),
            Way(_("Refuse"), reverse("application-refuse", args=[row.pk]), "x", "outline-danger"),
        ]
    if row.state == ApplicationState.SUBMITTED and actor.role == Role.COMMITTEE and row.kind in ADVISED:
        ways.append(Way(_("Give advice"), reverse("application-advise", args=[row.pk]), "message"))
    if may and (row.state in (*EDITABLE, ApplicationState.REFUSED) or waits_for_password(row)):
        ways.append(Way(_("New link for the applicant"), reverse("application-link", args=[row.pk]), "link"))
    return ways


def _became(row: Any) -> tuple[str, str] | None:
    """The organisation that an accepted application made, and its page."""
    if row.state != ApplicationState.ACCEPTED or row.organisation_id is None:
        return None
    page_of = "agency" if row.organisation.kind == OrganisationKind.AGENCY else "insurer"
    return f"{row.organisation} ({row.organisation.code})", reverse(page_of, args=[row.organisation_id])


def _shown(request: HttpRequest, row: Any) -> dict[str, Any]:
    documents = documents_of(application=row)
    actor: Actor = request.actor  # type: ignore[attr-defined]
    there = Enterprise.objects.filter(uscc=row.uscc).first() if row.kind == ApplicationKind.ENTERPRISE else None
    return {
        "facts_stated": stated_facts(row),
        "documents": documents,
        "conditions": conditions_of(row.kind, documents),
        "became": _became(row),
        "on_file": there if actor.may(P.SEE_ENTERPRISES) else None,
        "why_not": why_not_review(row, actor)
        if actor.may(P.REVIEW_ENTRIES) and row.state == ApplicationState.SUBMITTED
        else None,
    }


APPLICATION_PAGE = detail_screen(
    DetailScreen(
        name="application",
        path="parties/applications/<uuid:pk>/",
        title=_("Application"),
        model=Application,
        permission=P.SEE_ENTRIES,
        named=("name",),
        of_list="applications",
        state=STATE,
        template="parties/application.html",
        extra=_shown,
        ways=_ways,
        sections=(
            Section(
                _("Where it stands"),
                (
                    "number",
                    "kind",
                    "begun_at",
                    "submitted_at",
                    "rounds",
                    "due_at",
                    "advice",
                    "advised_by",
                    "refusal",
                    "reason",
                    "decided_at",
                    "decided_by_name",
                    Column("organisation", title=_("Organisation")),
                    Column("expert__name", title=_("Expert"), opens="expert"),
                    Column("enterprise__name", title=_("Enterprise"), opens="enterprise"),
                ),
                hides_empty=True,
            ),
        ),
    )
)


# deciding -------------------------------------------------------------------------------------------------------


class ReasonForm(Form):
    reason = forms.CharField(
        label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("The applicant reads it: say what is to be corrected, and how."),
    )  # fmt: skip


class RefuseForm(ReasonForm):
    field_order = ("refusal", "reason")

    refusal = forms.ChoiceField(label=_("Which condition is not met"))

    def __init__(self, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        self.fields["refusal"].choices = list(labels(RefusalCode.choices).items())  # type: ignore[attr-defined]


class AdviceForm(Form):
    advice = forms.CharField(
        label=pgettext_lazy("application", "Advice"), max_length=500, widget=forms.Textarea(attrs={"rows": 4})
    )


class AcceptForm(Form):
    code = forms.CharField(label=_("Code on the platform"), max_length=20, help_text=_("It cannot be changed later."))
    risk_tier = forms.ChoiceField(label=_("Risk tier"))

    def __init__(self, application: Application, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        is_new = application.kind == ApplicationKind.ENTERPRISE
        if application.kind in (ApplicationKind.ENTERPRISE, ApplicationKind.QUALIFICATION):
            del self.fields["code"]
        if is_new and not Enterprise.objects.filter(uscc=application.uscc).exists():
            self.fields["risk_tier"].choices = list(labels(RiskTier.choices).items())  # type: ignore[attr-defined]
            self.fields["risk_tier"].initial = RiskTier.MEDIUM
        else:
            del self.fields["risk_tier"]


def _row(request: HttpRequest, pk: UUID) -> Application:
    found: Application = APPLICATION_PAGE.row(request, pk)
    return found


def _answer(
    request: HttpRequest, row: Application, form: Form, act: Any, title: Any, done: Any, **words: Any
) -> HttpResponse:
    back = reverse("application", args=[row.pk])

    def go(given: dict[str, Any]) -> str:
        act(row, by=request.actor, at=request.at, **given)  # type: ignore[attr-defined]
        return back

    return answer_form(
        request, form, go, title=title, done=done, back=back, back_title=row.name, facts=stated_facts(row),
        facts_title=_("What the applicant states"), **words,
    )  # fmt: skip


@page("parties/applications/<uuid:pk>/accept/", name="application-accept", permission=P.REVIEW_ENTRIES,
      methods=("GET", "POST"))  # fmt: skip
def accept(request: HttpRequest, pk: UUID) -> HttpResponse:
    row = _row(request, pk)
    form = AcceptForm(row, request.POST if request.method == "POST" else None,
                      initial={"code": suggested_code(row.kind)})  # fmt: skip
    about = (
        _("The qualification is taken up with its days.")
        if row.kind == ApplicationKind.QUALIFICATION
        else _("The applicant is let in: its record, its qualification and its first account are made at once, and "
               "its link lets it set the password.")
    )  # fmt: skip
    done = pgettext_lazy("application", "Accept")
    return _answer(request, row, form, accept_application, _("Accept the application"), done, about=about)


@page("parties/applications/<uuid:pk>/return/", name="application-return", permission=P.REVIEW_ENTRIES,
      methods=("GET", "POST"))  # fmt: skip
def give_back(request: HttpRequest, pk: UUID) -> HttpResponse:
    row, form = _row(request, pk), ReasonForm(request.POST if request.method == "POST" else None)
    title = pgettext_lazy("application", "Return for correction")
    return _answer(request, row, form, return_application, title, _("Return"))


@page("parties/applications/<uuid:pk>/refuse/", name="application-refuse", permission=P.REVIEW_ENTRIES,
      methods=("GET", "POST"))  # fmt: skip
def refuse(request: HttpRequest, pk: UUID) -> HttpResponse:
    row, form = _row(request, pk), RefuseForm(request.POST if request.method == "POST" else None)
    about = _("What can be corrected is returned instead. The applicant can appeal; somebody else then decides.")
    return _answer(
        request, row, form, refuse_application, _("Refuse the application"), _("Refuse"), about=about, tone="danger"
    )


@page("parties/applications/<uuid:pk>/advise/", name="application-advise", permission=P.REVIEW_ENTRIES,
      methods=("GET", "POST"))  # fmt: skip
def advise(request: HttpRequest, pk: UUID) -> HttpResponse:
    row, form = _row(request, pk), AdviceForm(request.POST if request.method == "POST" else None)
    about = _("The province reads it beside the application, and decides.")
    return _answer(request, row, form, advise_application, _("Give advice"), _("Save"), about=about)


@page("parties/applications/<uuid:pk>/link/", name="application-link", title=_("New link for the applicant"),
      permission=P.REVIEW_ENTRIES, methods=("GET", "POST"))  # fmt: skip
def new_link(request: HttpRequest, pk: UUID) -> HttpResponse:
    """For an applicant who lost his: it is shown this once, to be handed over to the contact by telephone or paper."""
    row = _row(request, pk)
    words: dict[str, Any] = {"row": row, "address": ""}
    if request.method == "POST":
        token = renew_link(row, by=request.actor, at=request.at)  # type: ignore[attr-defined]
        words["address"] = request.build_absolute_uri(reverse("applying", args=[token]))
        words["code"] = qr_uri(words["address"])
    response = render(request, "parties/application_link.html", words)
    response["Cache-Control"] = "no-store"
    return response


@page("parties/applications/<uuid:pk>/continue/", name="application-continue", permission=P.APPLY, methods=("POST",))
def go_on(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A signed-in party goes on with its application where newcomers do."""
    row = _row(request, pk)
    if not acts_for(request.actor, row):  # type: ignore[attr-defined]
        raise Refused("not_your_party", _("Only the applicant changes his application."), status=403)
    return redirect("applying", link_token(row, at=request.at))  # type: ignore[attr-defined]


# renewing -------------------------------------------------------------------------------------------------------


def holder_of_actor(actor: Actor) -> Organisation | Expert:
    """The party somebody renews qualifications and joins the committee for."""
    scope = actor.scope
    if scope.expert_id is not None:
        return Expert.objects.get(pk=scope.expert_id)
    key = scope.insurer_id or scope.agency_id
    if key is None:
        raise Refused(
            "no_party", _("This is for insurers, agencies and experts."), remedy=_("Go back to the start page."),
            status=409,
        )  # fmt: skip
    return Organisation.objects.get(pk=key)


@page("parties/qualifications/renew/", name="qualification-renew", title=_("Renew a qualification"),
      permission=P.APPLY, methods=("GET", "POST"))  # fmt: skip
def renew(request: HttpRequest) -> HttpResponse:
    """The holder states the renewed certificate; its paper follows on the next page."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    at = request.at  # type: ignore[attr-defined]
    holder = holder_of_actor(actor)
    if isinstance(holder, Expert):
        held, kinds, uscc = Qualification.objects.filter(expert=holder), PAPERS_OF[ApplicationKind.EXPERT], ""
    else:
        held, kinds = Qualification.objects.filter(organisation=holder), PAPERS_OF.get(holder.kind, ())
        uscc = holder.uscc
    last = held.order_by("-valid_to").first()
    initial = {"kind": last.kind, "number": last.number, "issuer": last.issuer, "scope": last.scope} if last else {}
    form = RenewalForm(kinds, request.POST if request.method == "POST" else None,
                       initial={**initial, "contact_name": actor.name})  # fmt: skip

    def go(given: dict[str, Any]) -> str:
        stated = Stated(
            name=str(holder.name), region_code=holder.region_id, uscc=uscc,
            contact_name=given["contact_name"], contact_phone=given["contact_phone"],
            details={"qualification": form.qualification()},
        )  # fmt: skip
        made = begin_renewal(holder, by=actor, at=at, stated=stated)
        return reverse("applying", args=[link_token(made, at=at)])

    facts = [(str(each), f"{each.valid_from} – {each.valid_to}") for each in held.order_by("-valid_to")[:8]]
    return answer_form(
        request, form, go, title=_("Renew a qualification"), done=_("Go on to the papers"),
        back=reverse("qualifications"), back_title=_("Qualifications"), facts=facts, facts_title=_("On file"),
        about=_("It counts from the day the reviewers take it up; orders for later days wait for that."),
    )  # fmt: skip
