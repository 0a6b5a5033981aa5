"""Pages of what is found wrong with cover: the lists to be worked through, reminders, answers, closing."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from anze.evidence.models import Media
from anze.evidence.rules import MediaRole, Subject, register_subject
from anze.evidence.screens.forms import documents_field, files_taken
from anze.evidence.screens.media import tiles
from anze.kernel.actor import Actor
from anze.kernel.refusal import Refused
from anze.parties.rules import INSURER_ROLES, Permission, Role
from anze.parties.screens import ENTERPRISE, INSURER, insurer_filter
from anze.screen.asked import Asked, count_text
from anze.screen.columns import Column, labels, readers_of
from anze.screen.details import DetailScreen, Section, Tile, Way, detail_screen, tile
from anze.screen.filters import Asking, Case, Cases, Choice, Dates, InRegion, Of
from anze.screen.forms import Form, answer_form
from anze.screen.lists import ListScreen, check_reader, count, list_screen, waiting
from anze.screen.pages import moment
from anze.screen.registry import page
from anze.screen.stories import Story, story
from anze.underwriting.actions import answer_finding, close_finding, remind_findings
from anze.underwriting.actions.findings import MOST, reply_due, still_answering
from anze.underwriting.models import Finding, FindingNote
from anze.underwriting.rules import (
    CLOSINGS,
    FINDING_TONES,
    KIND_TONES,
    WHY,
    Answer,
    Closing,
    FindingKind,
    FindingState,
    NoteKind,
    OtherKind,
    Side,
    measured_text,
)
from anze.underwriting.screens.shared import OF_ENTERPRISE


def _found(
    asking: Asking, kind: str, measured: Decimal | None, required: Decimal | None, since: date, note: str
) -> str:
    return measured_text(kind, measured, required, since, note)


STATE = Column("state", tones=FINDING_TONES)
KIND = Column("kind", tones=KIND_TONES)
FOUND = Column(
    "found", title=_("What was found"), needs=("kind", "measured", "required", "since_on", "note"), compute=_found
)

FINDINGS = list_screen(
    ListScreen(
        name="cover-findings",
        path="underwriting/findings/",
        title=_("Violations and doubts"),
        about=_(
            "Not insured, not for all workers, below the minimum limit; prices far below the benchmark, gaps, and "
            "insurance of another kind. Found by the rule of the coverage figures, and closed when the cause is gone."
        ),
        model=Finding,
        permission=Permission.SEE_UNDERWRITING,
        detail="cover-finding",
        sort="-since_on",
        body="underwriting/findings_body.html",
        columns=(
            Column("enterprise__name", title=_("Enterprise"), hide_for="enterprise_id"),
            KIND,
            FOUND,
            STATE,
            Column("region_code"),
            Column("sector"),
            INSURER,
            Column("since_on"),
            Column("reply_due_at"),
            Column("answer"),
            Column("reminders", optional=True),
            Column("reminded_at", optional=True),
            Column("replied_at", optional=True),
            Column("promised_on", optional=True),
            Column("opened_at", optional=True),
            Column("closed_at", optional=True),
            Column("closing", optional=True),
            Column("policy__policy_no", opens="policy", optional=True),
        ),
        filters=(
            OF_ENTERPRISE,
            InRegion(),
            Choice("kind", main=True),
            Cases(
                "state",
                _("State"),
                main=True,
                default="open",
                cases={
                    "open": Case(_("not closed yet"), lambda a: ~Q(state=FindingState.CLOSED)),
                    "new": Case(_("nobody reminded yet"), lambda a: Q(state=FindingState.OPEN)),
                    "waiting": Case(_("reminded, answer awaited"), lambda a: Q(state=FindingState.REMINDED)),
                    "late": Case(_("answer overdue"), lambda a: Q(state=FindingState.REMINDED, reply_due_at__lte=a.at)),
                    "answered": Case(_("answered, to be looked at"), lambda a: Q(state=FindingState.REPLIED)),
                    "closed": Case(_("closed"), lambda a: Q(state=FindingState.CLOSED)),
                    "all": Case(_("all"), lambda a: Q()),
                },
            ),
            insurer_filter(main=False),
            Choice("sector"),
            Choice("answer"),
            Dates("since_on"),
            Of("policy"),
        ),
        tab_of={"enterprise": "enterprise", "policy": "policy", "insurer": "insurer"},
        order=5,
        icon="alert-triangle",
    )
)


def _ways(request: HttpRequest, finding: Finding) -> list[Way]:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    if finding.state == FindingState.CLOSED:
        return []
    ways = []
    if actor.may(Permission.ANSWER_COVER):
        ways.append(Way(_("Answer"), reverse("cover-finding-answer", args=[finding.pk]), "message", "primary"))
    if actor.may(Permission.KEEP_REGISTER):
        tone = "" if finding.state == FindingState.REPLIED else "primary"
        ways.append(Way(_("Remind"), reverse("cover-finding-remind", args=[finding.pk]), "bell", tone))
        ways.append(Way(_("Close"), reverse("cover-finding-close", args=[finding.pk]), "check"))
    return ways


def _extra(request: HttpRequest, finding: Finding) -> dict[str, Any]:
    kinds, sides, answers = labels(NoteKind.choices), labels(Side.choices), labels(Answer.choices)
    notes = [
        {
            "title": kinds[each.kind], "who": f"{each.said_by} ({sides[each.side]})", "when": moment(each.said_at),
            "answer": answers.get(each.answer, ""), "words": each.words,
            "tone": {"REMINDER": "warning", "REPLY": "info"}.get(each.kind, "success"),
        }
        for each in FindingNote.objects.filter(finding=finding).order_by("-said_at", "-pk")
    ]  # fmt: skip
    files = []
    if request.actor.scope.reader in readers_of(Media):  # type: ignore[attr-defined]
        files = list(Media.objects.filter(subject=finding.pk, voided_at=None).order_by("received_at")[:40])
    return {"notes": notes, "why": WHY[finding.kind], "proofs": tiles([each.pk for each in files])["tiles"]}


FINDING_PAGE = detail_screen(
    DetailScreen(
        name="cover-finding",
        path="underwriting/findings/<uuid:pk>/",
        title=_("Finding about cover"),
        model=Finding,
        permission=Permission.SEE_UNDERWRITING,
        named=("kind", "enterprise__name"),
        state=STATE,
        of_list="cover-findings",
        template="underwriting/finding.html",
        ways=_ways,
        extra=_extra,
        sections=(
            Section(
                _("Finding about cover"),
                (
                    ENTERPRISE,
                    Column("enterprise__uscc"),
                    FOUND,
                    "since_on",
                    "region_code",
                    "sector",
                    Column("insurer", opens="insurer"),
                    Column("policy__policy_no", opens="policy"),
                    Column("obligation__source", title=_("Register entry"), opens="obligation",
                           permission=Permission.SEE_REGISTER),
                ),
            ),
            Section(
                _("What became of it"),
                (
                    "opened_at",
                    "reminders",
                    "reminded_at",
                    "reply_due_at",
                    "replied_at",
                    "answer",
                    "promised_on",
                    "closed_at",
                    "closing",
                ),
                hides_empty=True,
            ),
        ),
    )
)  # fmt: skip


def _subject(key: UUID, by: Actor, at: datetime) -> Subject | None:
    if by.scope.reader not in readers_of(Finding):
        return None
    found = Finding.objects.filter(pk=key).first()
    if found is None:
        return None
    return Subject(
        kind="cover-finding",
        id=found.pk,
        title=str(found),
        url=reverse("cover-finding", args=[found.pk]),
        region_code=found.region_code,
        sector=found.sector,
        insurer_id=found.insurer_id,
        enterprise_id=found.enterprise_id,
        may_add=found.state != FindingState.CLOSED,
        why_not=_("The finding is closed."),
    )


register_subject("cover-finding", _("Finding about cover"), _subject)


def _words(label: Any, help_text: Any = "", required: bool = True) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": 3})
    return forms.CharField(label=label, help_text=help_text, required=required, max_length=1000, widget=widget)


class RemindForm(Form):
    words = _words(
        _("Words"), _("Enterprise and insurer read them. The answer is due in the working days allowed."), False
    )


class CloseForm(Form):
    closing = forms.ChoiceField(label=_("Closed because"))
    words = _words(_("Reasons"))

    def __init__(self, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        names = labels(Closing.choices)
        self.fields["closing"].choices = [(each.value, names[each.value]) for each in CLOSINGS]  # type: ignore[attr-defined]


class AnswerForm(Form):
    answer = forms.ChoiceField(label=_("How does it stand?"))
    on = forms.DateField(
        label=_("Day"), required=False, widget=forms.DateInput(),
        help_text=_("By when it will be put right; or since when it is closed or suspended."),
    )  # fmt: skip
    words = _words(_("Explanation"))
    kind = forms.ChoiceField(label=_("Other insurance: kind"), required=False)
    insurer_name = forms.CharField(label=_("Other insurance: insurer"), max_length=120, required=False)
    policy_no = forms.CharField(label=_("Other insurance: policy no."), max_length=50, required=False)
    start_on = forms.DateField(label=_("Other insurance: from"), required=False, widget=forms.DateInput())
    end_on = forms.DateField(label=_("Other insurance: until"), required=False, widget=forms.DateInput())
    papers = documents_field(_("Proof"), _("Policies, licences, notices: pictures or PDF."))

    OTHER = ("kind", "insurer_name", "policy_no", "start_on", "end_on")

    def __init__(self, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        self.fields["answer"].choices = list(labels(Answer.choices).items())  # type: ignore[attr-defined]
        self.fields["kind"].choices = [("", "–"), *labels(OtherKind.choices).items()]  # type: ignore[attr-defined]

    @property
    def other(self) -> dict[str, Any] | None:
        given = {name: self.cleaned_data[name] for name in self.OTHER}
        return given if all(given.values()) else None


def _row(request: HttpRequest, pk: UUID) -> Finding:
    check_reader(request, Finding)
    found: Finding = FINDING_PAGE.row(request, pk)
    return found


def _facts(finding: Finding) -> list[tuple[Any, Any]]:
    said = measured_text(finding.kind, finding.measured, finding.required, finding.since_on, finding.note)
    return [
        (_("Enterprise"), finding.enterprise.name), (_("Finding"), finding.get_kind_display()),
        (_("What was found"), said), (_("Why"), WHY[finding.kind]),
    ]  # fmt: skip


@page(
    "underwriting/findings/<uuid:pk>/answer/", name="cover-finding-answer", title=_("Answer"),
    permission=Permission.ANSWER_COVER, methods=("GET", "POST"),
)  # fmt: skip
def answer(request: HttpRequest, pk: UUID) -> HttpResponse:
    finding = _row(request, pk)
    actor, at = request.actor, request.at  # type: ignore[attr-defined]
    form = AnswerForm(request.POST or None, request.FILES or None) if request.method == "POST" else AnswerForm()

    def act(given: dict[str, Any]) -> str:
        with transaction.atomic():
            files_taken(request, "papers", "cover-finding", finding.pk, MediaRole.DOCUMENT, actor)
            answer_finding(
                finding, by=actor, at=at, answer=given["answer"], words=given["words"], on=given["on"], other=form.other
            )
        messages.success(request, _now("The answer was sent."))
        return reverse("cover-finding", args=[finding.pk])

    return answer_form(
        request, form, act, title=_("Answer"), done=_("Send the answer"), back=reverse("cover-finding", args=[pk]),
        back_title=str(finding), facts=_facts(finding), facts_title=_("Finding about cover"),
    )  # fmt: skip


@page(
    "underwriting/findings/<uuid:pk>/remind/", name="cover-finding-remind", title=_("Remind"),
    permission=Permission.KEEP_REGISTER, methods=("GET", "POST"),
)  # fmt: skip
def remind(request: HttpRequest, pk: UUID) -> HttpResponse:
    finding = _row(request, pk)

    def act(given: dict[str, Any]) -> str:
        remind_findings(Finding.objects.filter(pk=pk), by=request.actor, at=request.at, words=given["words"])  # type: ignore[attr-defined]
        messages.success(request, _now("The reminder was sent."))
        return reverse("cover-finding", args=[pk])

    return answer_form(
        request, RemindForm(request.POST if request.method == "POST" else None), act, title=_("Remind"),
        done=_("Send the reminder"), back=reverse("cover-finding", args=[pk]), back_title=str(finding),
        facts=_facts(finding), facts_title=_("Finding about cover"),
    )  # fmt: skip


@page(
    "underwriting/findings/<uuid:pk>/close/", name="cover-finding-close", title=_("Close"),
    permission=Permission.KEEP_REGISTER, methods=("GET", "POST"),
)  # fmt: skip
def close(request: HttpRequest, pk: UUID) -> HttpResponse:
    finding = _row(request, pk)

    def act(given: dict[str, Any]) -> str:
        close_finding(finding, by=request.actor, at=request.at, **given)  # type: ignore[attr-defined]
        return reverse("cover-finding", args=[pk])

    return answer_form(
        request, CloseForm(request.POST if request.method == "POST" else None), act, title=_("Close the finding"),
        done=_("Close"), back=reverse("cover-finding", args=[pk]), back_title=str(finding),
        about=_("It does not come up again for the same cause."), facts=_facts(finding), facts_title=_("Finding about cover"),
    )  # fmt: skip


@page(
    "underwriting/findings/remind/", name="cover-findings-remind", title=_("Remind all of these"),
    permission=Permission.KEEP_REGISTER, methods=("GET", "POST"),
)  # fmt: skip
def remind_all(request: HttpRequest) -> HttpResponse:
    """Everything the list shows under its present filters, at once; those closed and those still answering are left out."""
    check_reader(request, Finding)
    asked = Asked(FINDINGS, request)
    at: datetime = request.at  # type: ignore[attr-defined]
    opened = asked.rows().exclude(state=FindingState.CLOSED)
    rows = opened.exclude(still_answering(at))
    form = RemindForm(request.POST if request.method == "POST" else None)
    number = rows.order_by().values("pk")[: MOST + 1].count()
    if form.is_bound and form.is_valid():
        try:
            sent = remind_findings(rows, by=request.actor, at=at, words=form.cleaned_data["words"])  # type: ignore[attr-defined]
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(
                request,
                ngettext("%(count)s reminder was sent.", "%(count)s reminders were sent.", sent)
                % {"count": f"{sent:,}"},
            )
            return redirect(asked.address())
    words = {
        "form": form, "list": asked, "number": number, "is_too_many": number > MOST, "most": MOST, "due": reply_due(at),
        "left_out": opened.filter(still_answering(at)).order_by().values("pk")[: MOST + 1].count(),
    }  # fmt: skip
    return render(request, "underwriting/remind.html", words, status=422 if form.is_bound else 200)


# what waits, what is told elsewhere ---------------------------------------------------------------------------------

AUTHORITIES = frozenset({Role.PROVINCE_REGULATOR, Role.CITY_REGULATOR, Role.COUNTY_REGULATOR, Role.SECTOR_DEPARTMENT})
CONCERNED = frozenset({*INSURER_ROLES, Role.ENTERPRISE})
_TITLES = {
    FindingKind.UNINSURED: _("Must insure, but are not insured"),
    FindingKind.PARTIAL_HEADCOUNT: _("Insured for only part of the workers"),
    FindingKind.UNDER_LIMIT: _("Insured below the minimum limit"),
    FindingKind.LOW_PRICE: _("Prices far below the benchmark"),
    FindingKind.GAP: _("Gaps between expiry and renewal"),
    FindingKind.SUBSTITUTE: _("Insurance of another kind in its place"),
}
for _n, (_kind, _title) in enumerate(_TITLES.items()):
    waiting(
        FINDINGS, f"cover-{_kind.value.lower().replace('_', '-')}", _title, why=WHY[_kind.value],
        tone=KIND_TONES[_kind.value], order=10 + _n, roles=AUTHORITIES, kind=_kind.value,
    )  # fmt: skip
waiting(
    FINDINGS, "cover-answered", _("Answers about cover to be looked at"), order=9, roles=AUTHORITIES, state="answered"
)
waiting(
    FINDINGS, "cover-late", _("Answers about cover overdue"), tone="danger", order=8, roles=AUTHORITIES, state="late"
)
waiting(
    FINDINGS, "cover-to-answer", _("Reminders about cover to be answered"), why=_("Answer before the deadline."),
    tone="danger", order=5, roles=CONCERNED, state="waiting",
)  # fmt: skip
waiting(FINDINGS, "cover-of-ours", _("Doubts about cover"), tone="warning", order=18, roles=CONCERNED)


def _of_enterprise(request: HttpRequest, enterprise: Any) -> tuple[str, str, str]:
    words = {"enterprise": str(enterprise.pk)}
    number = count(FINDINGS, request, **words)
    return count_text(number), "danger" if number else "", FINDINGS.link(**words)


tile(Tile("enterprise", "cover-findings", _("Violations and doubts"), Permission.SEE_UNDERWRITING, _of_enterprise, 25))


def _tell(
    asking: Asking, kind: str, measured: Any, required: Any, since: date, note: str, state: str
) -> tuple[str, str]:
    said = measured_text(kind, measured, required, since, note)
    return f"{labels(FindingKind.choices)[kind]}{_now(': ')}{said}", "" if state == FindingState.CLOSED else KIND_TONES[
        kind
    ]


story(
    Story(
        "cover-finding", _("Violation or doubt"), Permission.SEE_UNDERWRITING, "alert-triangle", Finding, "since_on",
        "note", "cover-finding", ("kind", "measured", "required", "since_on", "note", "state"), _tell, order=15,
    )
)  # fmt: skip
