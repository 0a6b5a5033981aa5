"""Pages for keeping the register right: disputes and their decision, confirming, suspension, merging."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from anze.evidence.models import Media
from anze.evidence.rules import MediaRole, Subject, register_subject
from anze.evidence.screens.forms import documents_field, files_taken
from anze.evidence.screens.media import tiles
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.parties.rules import Permission, Role
from anze.parties.screens import ENTERPRISE
from anze.screen.asked import Asked
from anze.screen.columns import Column, labels, readers_of
from anze.screen.details import DETAILS, DetailScreen, Section, Way, detail_screen
from anze.screen.filters import Case, Cases, Choice, Dates, InRegion
from anze.screen.forms import Form, answer_form, answer_page
from anze.screen.lists import ListScreen, check_reader, list_screen, waiting
from anze.screen.registry import page
from anze.underwriting.actions import (
    confirm_entries,
    dispute_entry,
    grant_dispute,
    look_for_findings,
    merge_entries,
    refuse_dispute,
    resume_entry,
    suspend_entry,
)
from anze.underwriting.models import Obligation, RegisterDispute
from anze.underwriting.rules import DISPUTE_TONES, DisputeState, Ground
from anze.underwriting.screens.register import OBLIGATIONS
from anze.underwriting.screens.shared import OF_ENTERPRISE

STATE = Column("state", tones=DISPUTE_TONES)

DISPUTES = list_screen(
    ListScreen(
        name="register-disputes",
        path="underwriting/disputes/",
        title=_("Disputes about the register"),
        about=_("What enterprises and insurers say against entries, and how it was decided. Until then an entry is uncertain."),
        model=RegisterDispute,
        permission=Permission.SEE_REGISTER,
        detail="register-dispute",
        sort="-raised_at",
        columns=(
            Column("enterprise__name", title=_("Enterprise")),
            Column("ground"),
            Column("words"),
            Column("region_code"),
            Column("sector"),
            Column("side"),
            Column("raised_at"),
            Column("due_at"),
            STATE,
            Column("from_on", optional=True),
            Column("to_on", optional=True),
            Column("decided_at", optional=True),
            Column("decided_by", optional=True),
            Column("decision", optional=True),
        ),
        filters=(
            OF_ENTERPRISE,
            InRegion(),
            Choice("ground", main=True),
            Cases(
                "state",
                _("State"),
                main=True,
                cases={
                    "open": Case(DisputeState.OPEN.label, lambda a: Q(state=DisputeState.OPEN)),
                    "late": Case(_("decision overdue"), lambda a: Q(state=DisputeState.OPEN, due_at__lte=a.at)),
                    "granted": Case(DisputeState.GRANTED.label, lambda a: Q(state=DisputeState.GRANTED)),
                    "refused": Case(DisputeState.REFUSED.label, lambda a: Q(state=DisputeState.REFUSED)),
                },
            ),
            Choice("sector"),
            Choice("side"),
            Dates("raised_at"),
        ),
        tab_of={"obligation": "obligation", "enterprise": "enterprise"},
        order=12,
        icon="message",
    )
)  # fmt: skip


def _ways(request: HttpRequest, dispute: RegisterDispute) -> list[Way]:
    if dispute.state != DisputeState.OPEN or not request.actor.may(Permission.KEEP_REGISTER):  # type: ignore[attr-defined]
        return []
    return [Way(_("Decide the dispute"), reverse("register-dispute-decide", args=[dispute.pk]), "check", "primary")]


def _extra(request: HttpRequest, dispute: RegisterDispute) -> dict[str, Any]:
    files = []
    if request.actor.scope.reader in readers_of(Media):  # type: ignore[attr-defined]
        files = list(Media.objects.filter(subject=dispute.pk, voided_at=None).order_by("received_at")[:40])
    return {"proofs": tiles([each.pk for each in files])["tiles"]}


DISPUTE_PAGE = detail_screen(
    DetailScreen(
        name="register-dispute",
        path="underwriting/disputes/<uuid:pk>/",
        title=_("Dispute about the register"),
        model=RegisterDispute,
        permission=Permission.SEE_REGISTER,
        named=("ground", "enterprise__name"),
        state=STATE,
        of_list="register-disputes",
        template="underwriting/dispute.html",
        ways=_ways,
        extra=_extra,
        sections=(
            Section(
                _("What is said"),
                (
                    ENTERPRISE,
                    Column("enterprise__uscc"),
                    Column("obligation__source", title=_("Register entry"), opens="obligation"),
                    "ground",
                    "words",
                    "from_on",
                    "to_on",
                    "workers",
                    "side",
                    "raised_by",
                    "raised_at",
                ),
            ),
            Section(_("How it was decided"), ("due_at", "decided_at", "decided_by", "decision")),
        ),
    )
)


def _subject(key: UUID, by: Actor, at: datetime) -> Subject | None:
    if by.scope.reader not in readers_of(RegisterDispute):
        return None
    found = RegisterDispute.objects.filter(pk=key).first()
    if found is None:
        return None
    return Subject(
        kind="register-dispute",
        id=found.pk,
        title=str(found),
        url=reverse("register-dispute", args=[found.pk]),
        region_code=found.region_code,
        sector=found.sector,
        enterprise_id=found.enterprise_id,
        may_add=found.state == DisputeState.OPEN,
        why_not=_("The dispute is decided."),
    )


register_subject("register-dispute", _("Dispute about the register"), _subject)


def _entry(request: HttpRequest, pk: UUID) -> Obligation:
    check_reader(request, Obligation)
    found: Obligation = DETAILS["obligation"].row(request, pk)
    return found


def _words(label: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=1000, widget=forms.Textarea(attrs={"rows": 4}))


def _day(label: Any, help_text: Any = "") -> forms.DateField:
    return forms.DateField(label=label, required=False, widget=forms.DateInput(), help_text=help_text)


class DisputeForm(Form):
    ground = forms.ChoiceField(label=_("The enterprise"))
    from_on = _day(_("Since"), _("For closed and suspended units."))
    to_on = _day(_("Until"), _("For suspended units, if known."))
    workers = forms.IntegerField(label=_("Workers"), required=False, min_value=1, max_value=500_000,
                                 help_text=_("All with a work relationship, temporary and dispatched included."))  # fmt: skip
    words = _words(_("Explanation"))
    papers = documents_field(_("Proof"), _("Licences, notices, lists: pictures or PDF."))

    def __init__(self, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        self.fields["ground"].choices = list(labels(Ground.choices).items())  # type: ignore[attr-defined]


class DecisionForm(Form):
    way = forms.ChoiceField(
        label=_("How it is decided"), widget=forms.RadioSelect,
        choices=[("grant", _("Grant: the entry is changed accordingly")), ("refuse", _("The entry stands"))],
    )  # fmt: skip
    decision = _words(_("Reasons"))


class SuspensionForm(Form):
    way = forms.ChoiceField(
        label=_("The unit"), widget=forms.RadioSelect,
        choices=[("suspend", _("has suspended its operation")), ("resume", _("operates again"))],
    )  # fmt: skip
    from_on = forms.DateField(label=_("From"), widget=forms.DateInput())
    to_on = _day(_("Until"), _("Empty: until further notice."))
    words = _words(_("How is it known?"))


def _facts(entry: Obligation) -> list[tuple[Any, Any]]:
    return [
        (_("Enterprise"), entry.enterprise.name), (_("Sector"), entry.get_sector_display()),
        (_("Source"), entry.source), (_("On the register from"), entry.listed_on),
        (_("Registered workers"), f"{entry.registered_workers:,}"),
    ]  # fmt: skip


@page(
    "underwriting/obligations/<uuid:pk>/dispute/", name="obligation-dispute", title=_("Dispute the entry"),
    permission=Permission.ANSWER_COVER, methods=("GET", "POST"),
)  # fmt: skip
def dispute(request: HttpRequest, pk: UUID) -> HttpResponse:
    entry = _entry(request, pk)
    actor, at = request.actor, request.at  # type: ignore[attr-defined]
    form = DisputeForm(request.POST or None, request.FILES or None) if request.method == "POST" else DisputeForm()

    def act(given: dict[str, Any]) -> str:
        given.pop("papers")
        with transaction.atomic():
            made = dispute_entry(entry, by=actor, at=at, **given)
            files_taken(request, "papers", "register-dispute", made.pk, MediaRole.DOCUMENT, actor)
        messages.success(request, _now("The dispute was sent; the authority decides."))
        return reverse("register-dispute", args=[made.pk])

    return answer_form(
        request, form, act, title=_("Dispute the entry"), done=_("Send"), back=reverse("obligation", args=[pk]),
        back_title=str(entry), facts=_facts(entry), facts_title=_("Register entry"),
    )  # fmt: skip


@page(
    "underwriting/disputes/<uuid:pk>/decide/", name="register-dispute-decide", title=_("Decide the dispute"),
    permission=Permission.KEEP_REGISTER, methods=("GET", "POST"),
)  # fmt: skip
def decide(request: HttpRequest, pk: UUID) -> HttpResponse:
    found: RegisterDispute = DISPUTE_PAGE.row(request, pk)
    actor, at = request.actor, request.at  # type: ignore[attr-defined]

    def act(given: dict[str, Any]) -> str:
        take = grant_dispute if given["way"] == "grant" else refuse_dispute
        take(found, by=actor, at=at, decision=given["decision"])
        look_for_findings(at=at, enterprises=[found.enterprise_id])
        return reverse("register-dispute", args=[pk])

    facts = [
        (_("Enterprise"), found.enterprise.name), (_("Ground of the dispute"), found.get_ground_display()),
        (_("Explanation"), found.words), (_("Since"), found.from_on or "–"), (_("Until"), found.to_on or "–"),
        (_("Workers as stated"), found.workers or "–"), (_("Raised by"), found.raised_by),
    ]  # fmt: skip
    return answer_form(
        request, DecisionForm(request.POST if request.method == "POST" else None), act, title=_("Decide the dispute"),
        done=_("Decide the dispute"), back=reverse("register-dispute", args=[pk]), back_title=str(found), facts=facts,
        facts_title=_("What is said"),
    )  # fmt: skip


@page(
    "underwriting/obligations/<uuid:pk>/confirm/", name="obligation-confirm", permission=Permission.KEEP_REGISTER,
    methods=("POST",),
)  # fmt: skip
def confirm(request: HttpRequest, pk: UUID) -> HttpResponse:
    entry = _entry(request, pk)
    confirm_entries(Obligation.objects.filter(pk=entry.pk), by=request.actor, at=request.at)  # type: ignore[attr-defined]
    return redirect("obligation", pk)


class ConfirmForm(Form):
    sure = forms.BooleanField(label=_("I have looked at them."))


@page(
    "underwriting/obligations/confirm/", name="obligations-confirm", title=_("Confirm all of these"),
    permission=Permission.KEEP_REGISTER, methods=("GET", "POST"),
)  # fmt: skip
def confirm_all(request: HttpRequest) -> HttpResponse:
    """The entries to be verified that the list shows under its present filters."""
    check_reader(request, Obligation)
    asked = Asked(OBLIGATIONS, request)
    rows = asked.rows().filter(state="UNCERTAIN", is_void=False)
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        done = confirm_entries(rows, by=request.actor, at=request.at)  # type: ignore[attr-defined]
        messages.success(
            request,
            ngettext("%(count)s entry is confirmed.", "%(count)s entries are confirmed.", done)
            % {"count": f"{done:,}"},
        )
        return redirect(asked.address())
    number = rows.order_by().count()
    return answer_page(
        request,
        form,
        title=_("Confirm all of these"),
        done=_("Confirm"),
        back=asked.address(),
        back_title=OBLIGATIONS.title,
        about=ngettext(
            "%(number)s entry is to be verified among those of the list. Entries in dispute are decided one by one.",
            "%(number)s entries are to be verified among those of the list. Entries in dispute are decided one by one.",
            number,
        )
        % {"number": f"{number:,}"},
        facts=[(mark.title, mark.said) for mark in asked.marks],
        facts_title=_("Filters"),
    )


@page(
    "underwriting/obligations/<uuid:pk>/suspend/", name="obligation-suspend", title=_("Suspended or working again"),
    permission=Permission.KEEP_REGISTER, methods=("GET", "POST"),
)  # fmt: skip
def suspend(request: HttpRequest, pk: UUID) -> HttpResponse:
    entry = _entry(request, pk)
    actor, at = request.actor, request.at  # type: ignore[attr-defined]
    initial = {"way": "resume" if entry.suspended_from_on else "suspend", "from_on": beijing_day(at)}
    form = SuspensionForm(request.POST if request.method == "POST" else None, initial=initial)

    def act(given: dict[str, Any]) -> str:
        if given["way"] == "suspend":
            suspend_entry(entry, by=actor, at=at, from_on=given["from_on"], to_on=given["to_on"], words=given["words"])
        else:
            resume_entry(entry, by=actor, at=at, on=given["from_on"])
        look_for_findings(at=at, enterprises=[entry.enterprise_id])
        return reverse("obligation", args=[pk])

    return answer_form(
        request, form, act, title=_("Suspended or working again"), done=_("Save"),
        back=reverse("obligation", args=[pk]), back_title=str(entry), facts=_facts(entry), facts_title=_("Register entry"),
        about=_("The duty to insure rests while the unit does not operate."),
    )  # fmt: skip


@page(
    "underwriting/obligations/<uuid:pk>/merge/", name="obligation-merge", permission=Permission.KEEP_REGISTER,
    methods=("POST",),
)  # fmt: skip
def merge(request: HttpRequest, pk: UUID) -> HttpResponse:
    """This entry goes, the one named stays."""
    entry = _entry(request, pk)
    try:
        into = _entry(request, UUID(request.POST.get("into", "")))
    except ValueError:
        raise Http404 from None
    merge_entries(entry, by=request.actor, at=request.at, into=into)  # type: ignore[attr-defined]
    look_for_findings(at=request.at, enterprises=[entry.enterprise_id, into.enterprise_id])  # type: ignore[attr-defined]
    messages.success(request, _now("Merged; the sources stand under the entry that stays."))
    return redirect("obligation", into.pk)


_AUTHORITIES = frozenset({Role.PROVINCE_REGULATOR, Role.CITY_REGULATOR, Role.COUNTY_REGULATOR})
waiting(DISPUTES, "disputes-open", _("Disputes about the register to be decided"), tone="warning", order=28,
        roles=_AUTHORITIES, state="open")  # fmt: skip
