"""Self-reports, rows under review, appeals and confirmed cases: what people add to the figures."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.assessment.actions.appeals import Decision, Objection, appeal, decide, why_not_second
from anze.assessment.actions.cases import Case, case_codes, confirm_case, withdraw_case
from anze.assessment.actions.reviews import Told, Verdict, items_of, review_report, review_row, submit_report
from anze.assessment.definitions import INPUTS
from anze.assessment.models import Appeal, ConductCase, FrozenRow, Outcome, ReviewItem, SelfReport
from anze.assessment.rules import Checklist
from anze.assessment.rules.campaigns import DECISIONS, AppealState, CampaignState, ItemState, ReportState
from anze.assessment.screens.results import row_lines
from anze.assessment.screens.words import input_title
from anze.kernel.refusal import Refused
from anze.parties.models import Organisation
from anze.parties.rules import OrganisationKind, Permission
from anze.parties.screens import ORGANISATION_NAMES
from anze.prevention.screens.forms import ReasonForm, answer_form, region_choices
from anze.screen.columns import Column, Kind
from anze.screen.details import Crumb, DetailScreen, Section, Way, detail_screen
from anze.screen.filters import Asking, Choice, InRegion, Of
from anze.screen.forms import Form, style
from anze.screen.lists import Button, ListScreen, check_reader, list_screen, waiting
from anze.screen.pages import url
from anze.screen.registry import page

SEE, ANSWER = Permission.SEE_ASSESSMENT, Permission.ANSWER_ASSESSMENT
REVIEW, DECIDE, CONFIRM = Permission.REVIEW_ASSESSMENT, Permission.DECIDE_APPEALS, Permission.CONFIRM_CASES
ASSESSED = frozenset({"anze_enterprise", "anze_expert", "anze_sector"})

CAMPAIGN = Column("campaign__title", title=_("Assessment"), opens="assessment")


def _title_of_input(asking: Asking, code: str) -> str:
    return input_title(code)


def _whose(asking: Asking, insurer: UUID | None, agency: UUID | None) -> str:
    return ORGANISATION_NAMES.name(insurer or agency)


INPUT = Column("input", title=_("Input"), needs=("input",), compute=_title_of_input)


# self-reports -------------------------------------------------------------------------------------------------

REPORTS = list_screen(
    ListScreen(
        name="self-reports",
        path="assessment/self-reports/",
        title=_("Self-reports"),
        about=_("What insurers say of their own organisation, and what reviewers confirmed."),
        model=SelfReport,
        permission=SEE,
        detail="self-report",
        sort="-id",
        columns=(
            Column("id", title=_("Assessed"), needs=("insurer_id", "agency_id"), compute=_whose),
            CAMPAIGN,
            Column("state", tones={"DRAFT": "warning", "SUBMITTED": "info", "REVIEWED": "success"}),
            Column("due_at"),
            Column("submitted_at"),
            Column("reviewer_name", optional=True),
        ),
        filters=(Choice("state", main=True), Of("campaign")),
        order=60,
        icon="clipboard-list",
        not_in_menu_of=ASSESSED,
    )
)


def _report_words(request: HttpRequest, report: Any) -> dict[str, Any]:
    items = items_of(report.campaign.scheme.text)
    return {
        "items": [
            {
                "title": item.title,
                "is_met": item.code in report.met,
                "text": report.texts.get(item.code, ""),
                "is_confirmed": item.code in report.confirmed,
                "remark": report.remarks.get(item.code, ""),
            }
            for item in items
        ],
        "is_reviewed": report.state == ReportState.REVIEWED,
        "who": str(report.outcome.organisation),
    }


def _report_ways(request: HttpRequest, report: Any) -> list[Way]:
    actor, open_states = request.actor, (CampaignState.COMPUTED, CampaignState.REVIEW)  # type: ignore[attr-defined]
    ways = []
    if report.campaign.state in open_states:
        if report.state == ReportState.DRAFT and actor.may(ANSWER) and request.at <= report.due_at:  # type: ignore[attr-defined]
            ways.append(
                Way(_("Fill in and hand in"), reverse("self-report-submit", args=[report.pk]), "pencil", "primary")
            )
        if report.state != ReportState.DRAFT and actor.may(REVIEW):
            ways.append(Way(_("Review"), reverse("self-report-review", args=[report.pk]), "check", "primary"))
    return ways


def _result_crumbs(request: HttpRequest, row: Any) -> list[Crumb]:
    found = [Crumb("", row.campaign.title, url("assessment", row.campaign_id))]
    outcome = getattr(row, "outcome", None)
    if outcome is not None:
        found.append(Crumb("", str(outcome.organisation), url("assessment-result", outcome.pk)))
    return found


detail_screen(
    DetailScreen(
        name="self-report",
        path="assessment/self-reports/<uuid:pk>/",
        title=_("Self-report"),
        model=SelfReport,
        permission=SEE,
        named=(),
        state=Column("state", tones={"DRAFT": "warning", "SUBMITTED": "info", "REVIEWED": "success"}),
        of_list="self-reports",
        template="assessment/self_report.html",
        extra=_report_words,
        climb=_result_crumbs,
        ways=_report_ways,
        sections=(
            Section(_("The report"), ("due_at", "submitted_at", "submitted_by", "reviewed_at", "reviewer_name")),
        ),
    )
)


def _found(model: Any, pk: UUID, request: HttpRequest) -> Any:
    check_reader(request, model)
    row = model.objects.filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


class ToldForm(Form):
    """One tick and one line of evidence for each item."""

    def __init__(self, items: Any, *positional: Any, ask: Any = "", **words: Any) -> None:
        super().__init__(*positional, **words)
        for item in items:
            self.fields[f"met_{item.code}"] = forms.BooleanField(label=str(item.title), required=False)
            self.fields[f"text_{item.code}"] = forms.CharField(label=ask, max_length=500, required=False)
        style(self)


@page(
    "assessment/self-reports/<uuid:pk>/submit/",
    name="self-report-submit",
    title=_("Hand in the self-report"),
    permission=ANSWER,
    methods=("GET", "POST"),
)
def self_report_submit(request: HttpRequest, pk: UUID) -> HttpResponse:
    report = _found(SelfReport, pk, request)
    items = items_of(report.campaign.scheme.text)
    initial = {f"met_{code}": True for code in report.met} | {f"text_{c}": t for c, t in report.texts.items()}
    ask = _now("What shows it")
    form = (
        ToldForm(items, request.POST, ask=ask)
        if request.method == "POST"
        else ToldForm(items, ask=ask, initial=initial)
    )

    def act(words: dict[str, Any]) -> str:
        met = tuple(item.code for item in items if words[f"met_{item.code}"])
        texts = {item.code: words[f"text_{item.code}"] for item in items}
        submit_report(report, by=request.actor, at=request.at, told=Told(met, texts))  # type: ignore[attr-defined]
        messages.success(request, _now("The self-report is handed in."))
        return reverse("self-report", args=[pk])

    return answer_form(
        request, form, act, title=_("Hand in the self-report"), done=_("Hand in"),
        back=reverse("self-report", args=[pk]), back_title=_("Self-report"),
        about=_("Tick what is met and say what shows it: document, number, date, persons. A reviewer looks at it."),
    )  # fmt: skip


@page(
    "assessment/self-reports/<uuid:pk>/review/",
    name="self-report-review",
    title=_("Review the self-report"),
    permission=REVIEW,
    methods=("GET", "POST"),
)
def self_report_review(request: HttpRequest, pk: UUID) -> HttpResponse:
    report = _found(SelfReport, pk, request)
    items = [item for item in items_of(report.campaign.scheme.text) if item.code in report.met]
    initial = {f"met_{item.code}": True for item in items}
    ask = _now("Remark")
    form = (
        ToldForm(items, request.POST, ask=ask)
        if request.method == "POST"
        else ToldForm(items, ask=ask, initial=initial)
    )

    def act(words: dict[str, Any]) -> str:
        confirmed = tuple(item.code for item in items if words[f"met_{item.code}"])
        remarks = {item.code: words[f"text_{item.code}"] for item in items}
        review_report(report, by=request.actor, at=request.at, confirmed=confirmed, remarks=remarks)  # type: ignore[attr-defined]
        messages.success(request, _now("The review stands."))
        return reverse("self-report", args=[pk])

    facts = [(str(item.title), report.texts.get(item.code, "")) for item in items]
    return answer_form(
        request, form, act, title=_("Review the self-report"), done=_("Save the review"),
        back=reverse("self-report", args=[pk]), back_title=_("Self-report"), facts=facts,
        facts_title=_("What the insurer says"),
        about=_("Leave the tick where the item is met; take it off and give a remark where it is not."),
    )  # fmt: skip


# rows under review --------------------------------------------------------------------------------------------

ITEM_STATE = Column("state", tones={"WAITING": "warning", "CONFIRMED": "success", "CORRECTED": "info"})

ITEMS = list_screen(
    ListScreen(
        name="review-items",
        path="assessment/review-items/",
        title=_("Rows under review"),
        about=_("Rows drawn from what was frozen, by a public seed; reviewers of city and province look at them."),
        model=ReviewItem,
        permission=SEE,
        detail="review-item",
        sort="-id",
        columns=(
            Column("label"),
            ITEM_STATE,
            INPUT,
            Column("region_code"),
            CAMPAIGN,
            Column("due_at"),
            Column("reviewer_name", optional=True),
            Column("id", title=_("Order of entry"), optional=True),
        ),
        filters=(Choice("state", main=True), InRegion(), Of("campaign")),
        order=61,
        icon="checklist",
        not_in_menu_of=ASSESSED,
    )
)


def _item_words(request: HttpRequest, item: Any) -> dict[str, Any]:
    row = FrozenRow.objects.filter(pk=item.row_id).first()
    known = INPUTS.get(item.input)
    lines = row_lines([row], {}, is_money=bool(known and known.is_money)) if row else []
    may = (
        item.state == ItemState.WAITING and item.campaign.state == CampaignState.REVIEW and request.actor.may(REVIEW)  # type: ignore[attr-defined]
    )
    return {
        "line": lines[0] if lines else None,
        "input_title": input_title(item.input),
        "form": VerdictForm() if may else None,
    }


class VerdictForm(Form):
    verdict = forms.ChoiceField(label=_("What you find"), choices=Verdict.choices, widget=forms.RadioSelect())
    reasons = forms.CharField(
        label=_("Reasons"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Needed when something changes; everybody concerned reads them."),
    )  # fmt: skip


detail_screen(
    DetailScreen(
        name="review-item",
        path="assessment/review-items/<uuid:pk>/",
        title=_("Row under review"),
        model=ReviewItem,
        permission=SEE,
        named=("label",),
        state=ITEM_STATE,
        of_list="review-items",
        template="assessment/review_item.html",
        extra=_item_words,
        climb=lambda request, row: [Crumb("", row.campaign.title, url("assessment", row.campaign_id))],
        sections=(
            Section(
                _("The draw"),
                ("rank", Column("digest", kind=Kind.CODE), "due_at", "reviewer_name", "reviewed_at", "reasons"),
            ),
        ),
    )
)


@page("assessment/review-items/<uuid:pk>/judge/", name="review-item-judge", permission=REVIEW, methods=("POST",))
def review_item_judge(request: HttpRequest, pk: UUID) -> HttpResponse:
    item = _found(ReviewItem, pk, request)
    verdict = request.POST.get("verdict", "")
    if verdict not in Verdict.values:
        raise Refused(
            "verdict_missing", _("Say what you find."), remedy=_("Choose one of the answers."), field="verdict"
        )
    review_row(item, by=request.actor, at=request.at, verdict=verdict, reasons=request.POST.get("reasons", ""))  # type: ignore[attr-defined]
    messages.success(request, _now("The review stands."))
    following = ReviewItem.objects.filter(campaign=item.campaign_id, state=ItemState.WAITING).order_by("rank").first()
    return redirect("review-item", following.pk) if following else redirect("review-items")


# appeals ------------------------------------------------------------------------------------------------------

APPEAL_STATE = Column("state", tones={"OPEN": "warning", "GRANTED": "success", "PARTLY": "info", "DISMISSED": ""})

APPEALS = list_screen(
    ListScreen(
        name="appeals",
        path="assessment/appeals/",
        title=_("Appeals"),
        about=_("Objections to provisional results; decided by somebody who did not review, with reasons."),
        model=Appeal,
        permission=SEE,
        detail="appeal",
        sort="-id",
        columns=(
            Column("number"),
            APPEAL_STATE,
            Column("element"),
            CAMPAIGN,
            Column("submitted_at"),
            Column("due_at"),
            Column("decided_at", optional=True),
            Column("id", title=_("Order of entry"), optional=True),
        ),
        filters=(Choice("state", main=True), Of("campaign")),
        order=62,
        icon="gavel",
        not_in_menu_of=ASSESSED,
    )
)


def _appeal_words(request: HttpRequest, made: Any) -> dict[str, Any]:
    scheme = made.campaign.scheme.text
    element = scheme.element(made.element)
    known = INPUTS.get(element.input)
    rows = list(FrozenRow.objects.filter(pk__in=made.rows[:200]).order_by("pk"))
    return {
        "element_title": element.title,
        "who": str(made.outcome.organisation),
        "lines": row_lines(rows, {}, is_money=bool(known and known.is_money)),
        "is_open": made.state == AppealState.OPEN,
    }


def _appeal_ways(request: HttpRequest, made: Any) -> list[Way]:
    if made.state == AppealState.OPEN and request.actor.may(DECIDE):  # type: ignore[attr-defined]
        return [Way(pgettext_lazy("appeal", "Decide"), reverse("appeal-decide", args=[made.pk]), "gavel", "primary")]
    return []


detail_screen(
    DetailScreen(
        name="appeal",
        path="assessment/appeals/<uuid:pk>/",
        title=_("Appeal"),
        model=Appeal,
        permission=SEE,
        named=("number",),
        state=APPEAL_STATE,
        of_list="appeals",
        template="assessment/appeal.html",
        extra=_appeal_words,
        climb=_result_crumbs,
        ways=_appeal_ways,
        sections=(
            Section(_("The appeal"), ("element", "text", "submitted_at", "submitted_by", "due_at")),
            Section(pgettext_lazy("appeal", "The decision"), ("decided_at", "decided_by", "reasons")),
        ),
    )
)


class AppealForm(Form):
    element = forms.ChoiceField(label=_("Element"))
    records = forms.CharField(
        label=_("Records"), required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Numbers from the page of the rows, one a line; none: the element as a whole."),
    )  # fmt: skip
    text = forms.CharField(
        label=_("What is wrong, and what shows it"), max_length=2000, widget=forms.Textarea(attrs={"rows": 5})
    )


@page(
    "assessment/results/<uuid:pk>/appeal/",
    name="assessment-result-appeal",
    title=_("Appeal"),
    permission=ANSWER,
    methods=("GET", "POST"),
)
def appeal_new(request: HttpRequest, pk: UUID) -> HttpResponse:
    outcome = _found(Outcome, pk, request)
    form = AppealForm(request.POST or None, initial={"element": request.GET.get("element", "")})
    scheme = outcome.campaign.scheme.text
    form.fields["element"].choices = [(e.code, f"{e.code} {e.title}") for e in scheme.elements]  # type: ignore[attr-defined]

    def act(words: dict[str, Any]) -> str:
        objection = Objection(words["element"], words["text"], tuple(words["records"].splitlines()))
        made = appeal(outcome, by=request.actor, at=request.at, objection=objection)  # type: ignore[attr-defined]
        messages.success(request, _now("The appeal is received."))
        return reverse("appeal", args=[made.pk])

    return answer_form(
        request, form, act, title=_("Appeal"), done=_("Send the appeal"), back=reverse("assessment-result", args=[pk]),
        back_title=str(outcome.organisation),
        about=_("Only what you name can move. Somebody who did not review decides, with reasons that are published."),
    )  # fmt: skip


class DecideForm(Form):
    state = forms.ChoiceField(label=_("Decision"), choices=[(each.value, each.label) for each in DECISIONS])
    verdict = forms.ChoiceField(
        label=_("The rows named below"), choices=Verdict.choices, required=False,
        help_text=_("What counts of them after the decision."),
    )  # fmt: skip
    records = forms.CharField(
        label=_("Records the verdict is about"), required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One number a line; none: all the appeal names."),
    )  # fmt: skip
    reasons = forms.CharField(
        label=_("Reasons"), max_length=2000, widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("They are published with the change."),
    )  # fmt: skip


@page(
    "assessment/appeals/<uuid:pk>/decide/",
    name="appeal-decide",
    title=_("Decide on an appeal"),
    permission=DECIDE,
    methods=("GET", "POST"),
)
def appeal_decide(request: HttpRequest, pk: UUID) -> HttpResponse:
    made = _found(Appeal, pk, request)
    element = made.campaign.scheme.text.element(made.element)
    form = DecideForm(request.POST or None)
    is_checklist = isinstance(element.curve, Checklist)
    if is_checklist:
        del form.fields["verdict"], form.fields["records"]
        report = SelfReport.objects.filter(outcome=made.outcome_id).first()
        form.fields["items"] = forms.MultipleChoiceField(
            label=_now("Items that are met"),
            choices=[(item.code, str(item.title)) for item in items_of(made.campaign.scheme.text)],
            initial=report.confirmed if report else [],
            required=False,
            widget=forms.CheckboxSelectMultiple(),
        )

    def act(words: dict[str, Any]) -> str:
        labels = [line.strip() for line in words.get("records", "").splitlines() if line.strip()]
        rows = FrozenRow.objects.filter(campaign=made.campaign_id, input=element.input, insurer_id=made.insurer_id)
        keys = list(rows.filter(label__in=labels).values_list("pk", flat=True)[:1000]) if labels else list(made.rows)
        verdicts = dict.fromkeys(keys, words.get("verdict") or Verdict.AS_IT_IS)
        confirmed = tuple(words["items"]) if is_checklist else None
        decision = Decision(words["state"], words["reasons"], verdicts, confirmed)
        decide(made, by=request.actor, at=request.at, decision=decision)  # type: ignore[attr-defined]
        messages.success(request, _now("The appeal is decided."))
        return reverse("appeal", args=[pk])

    facts = [(_now("Element"), f"{made.element} {element.title}"), (_now("What the appeal says"), made.text)]
    if why := why_not_second(made, request.actor):  # type: ignore[attr-defined]
        facts.append((_now("Attention"), why))
    return answer_form(
        request, form, act, title=_("Decide on an appeal"), done=pgettext_lazy("appeal", "Decide"), back=reverse("appeal", args=[pk]),
        back_title=made.number, facts=facts, facts_title=_("The appeal"),
        about=_("The score is computed anew for what the appeal names and for nothing else."),
    )  # fmt: skip


# confirmed cases ----------------------------------------------------------------------------------------------

CASES = list_screen(
    ListScreen(
        name="conduct-cases",
        path="assessment/cases/",
        title=_("Confirmed cases"),
        about=_(
            "What authorities confirmed: rate conduct, bonus, deduction, veto. The platform itself accuses nobody."
        ),
        model=ConductCase,
        permission=SEE,
        detail="conduct-case",
        sort="-happened_on",
        columns=(
            Column("document_no"),
            Column("code", title=_("Item")),
            Column("organisation"),
            Column("region_code"),
            Column("happened_on"),
            Column("withdrawn_at"),
        ),
        filters=(InRegion(),),
        buttons=(Button(_("Enter a case"), "conduct-case-new", CONFIRM, "plus"),),
        order=63,
        icon="flag",
        not_in_menu_of=ASSESSED,
    )
)


def _case_ways(request: HttpRequest, case: Any) -> list[Way]:
    if case.withdrawn_at is None and request.actor.may(CONFIRM):  # type: ignore[attr-defined]
        return [Way(_("Withdraw"), reverse("conduct-case-withdraw", args=[case.pk]), "rotate")]
    return []


detail_screen(
    DetailScreen(
        name="conduct-case",
        path="assessment/cases/<uuid:pk>/",
        title=_("Confirmed case"),
        model=ConductCase,
        permission=SEE,
        named=("document_no",),
        of_list="conduct-cases",
        ways=_case_ways,
        sections=(
            Section(
                _("The case"), ("organisation", "code", "happened_on", Column("region_code"), "document_no", "text")
            ),
            Section(
                pgettext_lazy("case", "Confirmed"),
                ("confirmed_at", "confirmed_by", "withdrawn_at", "withdrawn_by", "withdrawn_reason"),
            ),
        ),
    )
)


class CaseForm(Form):
    organisation = forms.ChoiceField(label=_("About"))
    code = forms.ChoiceField(label=_("Item of the scheme"))
    region = forms.ChoiceField(label=_("Region"))
    happened_on = forms.DateField(label=_("Day"), widget=forms.DateInput())
    document_no = forms.CharField(label=_("Document no."), max_length=80)
    text = forms.CharField(label=_("What was found"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4}))


@page(
    "assessment/cases/new/",
    name="conduct-case-new",
    title=_("Enter a case"),
    permission=CONFIRM,
    methods=("GET", "POST"),
)
def case_new(request: HttpRequest) -> HttpResponse:
    form = CaseForm(request.POST or None)
    kinds = (OrganisationKind.INSURER, OrganisationKind.AGENCY)
    parties = Organisation.objects.filter(kind__in=kinds, is_active=True).order_by("kind", "code")
    form.fields["organisation"].choices = [(str(each.pk), str(each)) for each in parties]  # type: ignore[attr-defined]
    form.fields["code"].choices = list(case_codes().items())  # type: ignore[attr-defined]
    form.fields["region"].choices = region_choices(request.actor)  # type: ignore[attr-defined]

    def act(words: dict[str, Any]) -> str:
        about = Organisation.objects.get(pk=words["organisation"])
        case = Case(about, words["code"], words["happened_on"], words["document_no"], words["text"], words["region"])
        made = confirm_case(case, by=request.actor, at=request.at)  # type: ignore[attr-defined]
        return reverse("conduct-case", args=[made.pk])

    return answer_form(
        request, form, act, title=_("Enter a case"), done=_("Confirm the case"), back=reverse("conduct-cases"),
        back_title=_("Confirmed cases"),
        about=_("Only what an authority decided, with the number of its document. A veto leads to the last grade."),
    )  # fmt: skip


@page(
    "assessment/cases/<uuid:pk>/withdraw/",
    name="conduct-case-withdraw",
    title=_("Withdraw"),
    permission=CONFIRM,
    methods=("GET", "POST"),
)
def case_withdraw(request: HttpRequest, pk: UUID) -> HttpResponse:
    case = _found(ConductCase, pk, request)

    def act(words: dict[str, Any]) -> str:
        withdraw_case(case, by=request.actor, at=request.at, reason=words["reason"])  # type: ignore[attr-defined]
        return reverse("conduct-case", args=[pk])

    return answer_form(
        request, ReasonForm(request.POST or None), act, title=_("Withdraw"), done=_("Withdraw"),
        back=reverse("conduct-case", args=[pk]), back_title=case.document_no,
    )  # fmt: skip


waiting(
    ITEMS,
    "assessment-items-waiting",
    _("Rows of the assessment to be reviewed"),
    why=_("The provisional result waits for them."),
    order=33,
    permission=REVIEW,
    state="WAITING",
)
waiting(
    REPORTS,
    "assessment-reports-open",
    _("Self-reports to be handed in"),
    why=_("What is not handed in counts as not achieved."),
    tone="warning",
    order=21,
    permission=ANSWER,
    state="DRAFT",
)
waiting(
    REPORTS,
    "assessment-reports-waiting",
    _("Self-reports to be reviewed"),
    why=_("The provisional result waits for them."),
    order=34,
    permission=REVIEW,
    state="SUBMITTED",
)
waiting(
    APPEALS,
    "assessment-appeals-open",
    _("Appeals to be decided"),
    why=_("The final result waits for them."),
    tone="warning",
    order=32,
    permission=DECIDE,
    state="OPEN",
)
