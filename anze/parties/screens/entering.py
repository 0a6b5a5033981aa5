"""Entering without an account: the conditions beforehand, a form, then a link by which the applicant goes on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.guessing import check_tries, count_wrong_try
from anze.kernel.links import read_link
from anze.kernel.refusal import Refused
from anze.kernel.rules import Sector
from anze.kernel.scope import EVERYTHING, inside
from anze.kernel.wording import listed
from anze.parties.actions.appeals import appeal_until, find_appealed, raise_appeal
from anze.parties.actions.entering import (
    PURPOSE,
    Stated,
    begin_application,
    change_application,
    holder_of,
    link_token,
    remove_document,
    set_first_password,
    submit_application,
    waits_for_password,
    withdraw_application,
)
from anze.parties.models import Appeal, Application, Document, Organisation, Region
from anze.parties.rules import EnterpriseSize, OrganisationKind, QualificationKind, RegionKind
from anze.parties.rules.entering import (
    APPLICATION_TONES,
    CONDITIONS,
    EDITABLE,
    ENTRANTS,
    ApplicationKind,
    ApplicationState,
    DocumentKind,
    missing_papers,
    needed_papers,
    papers_of,
)
from anze.parties.screens import REGION_NAMES
from anze.screen.columns import labels
from anze.screen.forms import Form
from anze.screen.registry import page
from anze.screen.typesetting import qr_uri

KIND = ApplicationKind
# the papers a kind of party can show
PAPERS_OF: dict[str, tuple[QualificationKind, ...]] = {
    KIND.INSURER: (QualificationKind.LIABILITY_LICENCE,),
    KIND.AGENCY: (QualificationKind.SAFETY_EVALUATION,),
    KIND.EXPERT: (
        QualificationKind.SAFETY_ENGINEER,
        QualificationKind.SENIOR_TITLE,
        QualificationKind.SECTOR_EXPERT,
    ),
}
TITLES = {
    KIND.INSURER: _("Register as an insurer"),
    KIND.AGENCY: _("Register as a service agency"),
    KIND.EXPERT: _("Register as an expert"),
    KIND.ENTERPRISE: _("Register as an enterprise"),
}


# forms ----------------------------------------------------------------------------------------------------------


class QualificationFields(Form):
    """A licence or certificate with its days."""

    kind = forms.ChoiceField(label=_("Licence or certificate"))
    number = forms.CharField(label=_("Number of the certificate"), max_length=40)
    issuer = forms.CharField(label=pgettext_lazy("qualification", "Issued by"), max_length=80)
    scope = forms.CharField(label=pgettext_lazy("qualification", "Scope"), max_length=120, required=False)
    valid_from = forms.DateField(label=_("Valid from"), widget=forms.DateInput())
    valid_to = forms.DateField(label=_("Valid until"), widget=forms.DateInput())

    def clean(self) -> dict[str, Any]:
        given = dict(super().clean() or {})
        low, high = given.get("valid_from"), given.get("valid_to")
        if low and high and high < low:
            self.add_error("valid_to", _("It ends before it begins: correct one of the days."))
        return given

    def qualification(self) -> dict[str, str]:
        given = self.cleaned_data
        names = ("kind", "number", "issuer", "scope", "valid_from", "valid_to")
        return {name: value.isoformat() if isinstance(value := given[name], date) else value for name in names}


class RenewalForm(QualificationFields):
    contact_name = forms.CharField(label=_("Contact"), max_length=60)
    contact_phone = forms.CharField(label=_("Phone"), max_length=20, required=False)

    def __init__(self, kinds: Sequence[QualificationKind], *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        self.fields["kind"].choices = _named(kinds)  # type: ignore[attr-defined]


class EntrantForm(QualificationFields):
    """What everybody states; the fields of other kinds of applicants are taken out."""

    field_order = (
        "name", "short_name", "uscc", "region_code", "sector", "size", "registered_workers", "address", "title",
        "agency_code", "kind", "number", "issuer", "scope", "valid_from", "valid_to",
    )  # fmt: skip

    name = forms.CharField(label=_("Name"), max_length=120)
    short_name = forms.CharField(label=_("Short name"), max_length=40, required=False)
    uscc = forms.CharField(
        label=_("Credit code"), max_length=30, help_text=_("18 characters, as on the business licence.")
    )
    region_code = forms.ChoiceField(label=_("Region"))
    sector = forms.ChoiceField(label=_("Sector"))
    size = forms.ChoiceField(label=_("Size"))
    registered_workers = forms.IntegerField(
        label=pgettext_lazy("applicant", "Registered workers"), min_value=1, max_value=500_000,
        help_text=_("All with a work relationship, temporary and dispatched included."),
    )  # fmt: skip
    address = forms.CharField(label=_("Address"), max_length=200, required=False)
    title = forms.CharField(label=_("Professional title"), max_length=60, required=False)
    agency_code = forms.CharField(
        label=_("Code of the agency you work for"), max_length=20, required=False,
        help_text=_("Empty if you work for yourself."),
    )  # fmt: skip
    contact_name = forms.CharField(label=_("Contact"), max_length=60)
    contact_phone = forms.CharField(label=_("Phone"), max_length=20)
    contact_email = forms.EmailField(label=_("E-mail"), required=False)
    username = forms.RegexField(
        r"^[A-Za-z0-9._-]{3,60}$",
        label=_("Wanted user name"),
        help_text=_("3 to 60 letters, digits, dots and dashes. You set the password when you are accepted."),
        error_messages={"invalid": _("Use 3 to 60 letters, digits, dots and dashes.")},
    )

    _own: dict[str, tuple[str, ...]] = {
        KIND.INSURER: ("short_name", "uscc", "qualification"),
        KIND.AGENCY: ("short_name", "uscc", "region_code", "qualification"),
        KIND.EXPERT: ("region_code", "sector", "title", "agency_code", "qualification"),
        KIND.ENTERPRISE: ("uscc", "region_code", "sector", "size", "registered_workers", "address"),
    }
    _paper = ("kind", "number", "issuer", "scope", "valid_from", "valid_to")
    _details = ("short_name", "sector", "size", "registered_workers", "address", "title", "agency_code")

    def __init__(self, entrant: str, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        self.entrant = entrant
        own = self._own[entrant]
        for name in ("short_name", "uscc", "region_code", *self._details):
            if name not in own and name in self.fields:
                del self.fields[name]
        if entrant != KIND.EXPERT:
            self.fields["name"].label = _("Name of the organisation")
        if "qualification" in own:
            self._choose("kind", _named(PAPERS_OF[entrant]))
        else:
            for name in self._paper:
                del self.fields[name]
        if "region_code" in own:
            self._choose("region_code", [("", "–"), *_regions(entrant)])
        if "sector" in own:
            self._choose("sector", [("", "–"), *labels(Sector.choices).items()])
        if "size" in own:
            self._choose("size", [("", "–"), *labels(EnterpriseSize.choices).items()])

    def _choose(self, name: str, choices: list[tuple[str, Any]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def clean_agency_code(self) -> str:
        code = str(self.cleaned_data["agency_code"]).strip().upper()
        if code and not Organisation.objects.filter(code=code, kind=OrganisationKind.AGENCY).exists():
            raise forms.ValidationError(_("No agency has this code. Ask your agency for it, or leave it empty."))
        return code

    def stated(self) -> Stated:
        given = self.cleaned_data
        details = {name: given[name] for name in self._details if name in given}
        if "kind" in self.fields:
            details["qualification"] = self.qualification()
        return Stated(
            name=given["name"], region_code=given.get("region_code") or _province(), uscc=given.get("uscc", ""),
            contact_name=given["contact_name"], contact_phone=given["contact_phone"],
            contact_email=given["contact_email"], username=given["username"].lower(), details=details,
        )  # fmt: skip


class PasswordForm(Form):
    fresh = forms.CharField(
        label=_("Password"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )
    again = forms.CharField(
        label=_("Password again"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )

    def clean(self) -> dict[str, Any]:
        given = dict(super().clean() or {})
        if given.get("fresh") != given.get("again"):
            self.add_error("again", _("The two do not agree. Type the password twice the same way."))
        return given


class AppealForm(Form):
    grounds = forms.CharField(
        label=_("Why is the decision wrong?"), max_length=2000, widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("Facts first, then the rule. Evidence can be added afterwards."),
    )  # fmt: skip


def _named(kinds: Sequence[QualificationKind]) -> list[tuple[str, Any]]:
    return [(each.value, each.label) for each in kinds]


def _province() -> str:
    return Region.objects.filter(kind=RegionKind.PROVINCE).values_list("code", flat=True).order_by("code")[0]


def _regions(entrant: str) -> list[tuple[str, str]]:
    kinds = [RegionKind.CITY] if entrant != KIND.ENTERPRISE else [RegionKind.COUNTY, RegionKind.FUNCTIONAL_ZONE]
    codes = Region.objects.filter(valid_to__isnull=True, kind__in=kinds).order_by("code").values_list("code", flat=True)
    return [(code, REGION_NAMES.name(code)) for code in codes]


# what pages show of an application ------------------------------------------------------------------------------


def stated_facts(application: Application) -> list[tuple[str, str]]:
    """What the applicant stated, in words."""
    details = application.details
    codes = {"sector": labels(Sector.choices), "size": labels(EnterpriseSize.choices)}
    facts = [
        (
            _now("Name")
            if application.expert_id or application.kind == KIND.EXPERT
            else _now("Name of the organisation"),
            application.name,
        ),
        (_now("Credit code"), application.uscc),
        (_now("Region"), REGION_NAMES.name(application.region_code)),
    ]
    fields = EntrantForm.base_fields
    for name in EntrantForm._details:
        if details.get(name) not in (None, ""):
            value = codes.get(name, {}).get(details[name], details[name])
            facts.append((str(fields[name].label), str(value)))
    if paper := details.get("qualification"):
        kinds = labels(QualificationKind.choices)
        facts.append((_now("Licence or certificate"), f"{kinds[paper['kind']]} {paper['number']}"))
        facts.append((str(fields["issuer"].label), paper["issuer"]))
        if paper["scope"]:
            facts.append((str(fields["scope"].label), paper["scope"]))
        facts.append((_now("Valid"), f"{paper['valid_from']} – {paper['valid_to']}"))
    facts += [
        (_now("Contact"), application.contact_name),
        (_now("Phone"), application.contact_phone),
        (_now("E-mail"), application.contact_email),
        (_now("Wanted user name"), application.username),
    ]
    return [(name, value) for name, value in facts if value]


def documents_of(**about: Any) -> list[Document]:
    return list(Document.objects.filter(removed_at=None, **about).order_by("kind", "added_at"))


def conditions_of(kind: str, documents: Sequence[Document] = ()) -> list[dict[str, Any]]:
    """The published conditions, each with its basis, how sure it is, and whether its paper is there."""
    there = {each.kind for each in documents}
    return [
        {
            "title": each.title, "basis": each.basis, "status": each.status.value, "status_word": each.status.label,
            "paper": each.paper.label if each.paper else "", "needed": each.needed,
            "is_there": each.paper is not None and each.paper in there,
        }
        for each in CONDITIONS[kind]
    ]  # fmt: skip


# pages ----------------------------------------------------------------------------------------------------------


@page("apply/", name="apply", title=_("Register"), is_open=True)
def apply(request: HttpRequest) -> HttpResponse:
    """Who can register, and on which conditions: read before anything is filled in."""
    kinds = [
        {"url": reverse("apply-as", args=[kind.lower()]), "title": TITLES[kind], "conditions": conditions_of(kind),
         "papers": listed(each.label for each in needed_papers(kind))}
        for kind in ENTRANTS
    ]  # fmt: skip
    return render(request, "parties/apply.html", {"kinds": kinds})


@page("apply/<str:kind>/", name="apply-as", title=_("Register"), methods=("GET", "POST"), is_open=True)
def apply_as(request: HttpRequest, kind: str) -> HttpResponse:
    entrant = kind.upper()
    if entrant not in ENTRANTS:
        raise Http404
    actor, at = request.actor, request.at  # type: ignore[attr-defined]
    check_tries("apply", actor.address, at)
    if request.method == "POST":
        # every one counts: nobody registers twenty parties in a quarter of an hour, or tries out credit codes
        count_wrong_try("apply", actor.address, at)
    with inside(EVERYTHING):
        form = EntrantForm(entrant, request.POST if request.method == "POST" else None)
        if form.is_bound and form.is_valid():
            stated = form.stated()
            # not begun yet, but whoever begins it acts for it
            draft = Application(contact_name=stated.contact_name, name=stated.name)
            by = holder_of(draft, address=actor.address, language=actor.language)
            try:
                made = begin_application(entrant, by=by, at=at, stated=stated)
            except Refused as refused:
                form.refuse(refused)
            else:
                return redirect("applying", link_token(made, at=at))
    words = {"form": form, "title": TITLES[KIND(entrant)], "conditions": conditions_of(entrant)}
    return render(request, "parties/apply_form.html", words, status=422 if form.is_bound else 200)


def application_by(request: HttpRequest, token: str) -> Application:
    """The application a link opens; called with everything in view."""
    actor, at = request.actor, request.at  # type: ignore[attr-defined]
    key = read_link(PURPOSE, token, at=at)
    found = Application.objects.filter(pk=key).first()
    if found is None:
        raise Refused("link_invalid", _("This link does not open anything."), remedy=_("Ask for a new link."))
    found.holder = holder_of(found, address=actor.address, language=actor.language)  # type: ignore[attr-defined]
    return found


def private(response: HttpResponse) -> HttpResponse:
    """Not kept by a cache: the address is the secret."""
    response["Cache-Control"] = "no-store"
    return response


@page("a/<str:token>/", name="applying", title=_("Your application"), methods=("GET", "POST"), is_open=True)
def applying(request: HttpRequest, token: str) -> HttpResponse:
    """Where an application stands and what comes next; when it is accepted, the password is set here."""
    with inside(EVERYTHING):
        application = application_by(request, token)
        form: PasswordForm | None = None
        if waits_for_password(application):
            form = PasswordForm(request.POST if request.method == "POST" else None)
            if form.is_bound and form.is_valid():
                try:
                    set_first_password(
                        application, by=application.holder, at=request.at,  # type: ignore[attr-defined]
                        password=form.cleaned_data["fresh"].encode(),
                    )  # fmt: skip
                except Refused as refused:
                    form.refuse(refused)
                else:
                    messages.success(request, _now("Your password is set. Sign in with your user name."))
                    return redirect("sign-in")
        words = _shown(request, application, token) | {"form": form}
        status = 422 if form is not None and form.is_bound else 200
        return private(render(request, "parties/applying.html", words, status=status))


def _shown(request: HttpRequest, application: Application, token: str) -> dict[str, Any]:
    documents = documents_of(application=application)
    appeal = Appeal.objects.filter(subject=application.pk).exclude(state="WITHDRAWN").order_by("-raised_at").first()
    decision = find_appealed("application", application.pk, application.holder)  # type: ignore[attr-defined]
    until = appeal_until(decision) if decision else None
    address = request.build_absolute_uri(reverse("applying", args=[token]))
    missing = missing_papers(application.kind, [each.kind for each in documents])
    return {
        "application": application,
        "tone": APPLICATION_TONES.get(application.state, ""),
        "token": token,
        "address": address,
        "code": qr_uri(address),
        "facts": stated_facts(application),
        "documents": documents,
        "conditions": conditions_of(application.kind, documents),
        # what is missing first: the next paper to add is chosen already
        "papers": sorted(
            ((each.value, each.label, each in missing) for each in papers_of(application.kind)),
            key=lambda paper: not paper[2],
        ),
        "missing": missing,
        "is_open": application.state in EDITABLE,
        "may_withdraw": application.state in (*EDITABLE, ApplicationState.SUBMITTED),
        "appeal": appeal,
        "appeal_papers": documents_of(appeal=appeal) if appeal else [],
        "may_appeal": until is not None
        and request.at < until  # type: ignore[attr-defined]
        and (appeal is None or appeal.decided_on != decision.decided_on),  # type: ignore[union-attr]
        "appeal_until": until,
        "EVIDENCE": DocumentKind.EVIDENCE.value,
    }


@page("a/<str:token>/edit/", name="applying-edit", title=_("Correct the application"), methods=("GET", "POST"),
      is_open=True)  # fmt: skip
def applying_edit(request: HttpRequest, token: str) -> HttpResponse:
    with inside(EVERYTHING):
        application = application_by(request, token)
        if application.state not in EDITABLE:
            return redirect("applying", token)
        form = _form_of(application, request.POST if request.method == "POST" else None)
        if form.is_bound and form.is_valid():
            stated = form.stated() if isinstance(form, EntrantForm) else renewal_stated(form, application)
            try:
                change_application(application, by=application.holder, at=request.at, stated=stated)  # type: ignore[attr-defined]
            except Refused as refused:
                form.refuse(refused)
            else:
                return redirect("applying", token)
        words = {
            "form": form, "title": _("Correct the application"), "conditions": conditions_of(application.kind),
            "back": reverse("applying", args=[token]), "reason": application.reason,
        }  # fmt: skip
        return private(render(request, "parties/apply_form.html", words, status=422 if form.is_bound else 200))


def renewal_stated(form: QualificationFields, of: Application) -> Stated:
    given = form.cleaned_data
    return Stated(
        name=of.name, region_code=of.region_code, uscc=of.uscc, contact_name=given["contact_name"],
        contact_phone=given["contact_phone"], details={"qualification": form.qualification()},
    )  # fmt: skip


def _form_of(application: Application, given: Any) -> QualificationFields:
    paper = application.details.get("qualification", {})
    words = {**application.details, **paper}
    for name in ("name", "uscc", "region_code", "contact_name", "contact_phone", "contact_email", "username"):
        words[name] = getattr(application, name)
    if application.kind != KIND.QUALIFICATION:
        return EntrantForm(application.kind, given, initial=words)
    return RenewalForm(holder_kinds(application), given, initial=words)


def holder_kinds(application: Application) -> tuple[QualificationKind, ...]:
    if application.expert_id is not None:
        return PAPERS_OF[KIND.EXPERT]
    return PAPERS_OF.get(application.organisation.kind, ())


@page("a/<str:token>/submit/", name="applying-submit", methods=("POST",), is_open=True)
def applying_submit(request: HttpRequest, token: str) -> HttpResponse:
    with inside(EVERYTHING):
        application = application_by(request, token)
        try:
            submit_application(application, by=application.holder, at=request.at)  # type: ignore[attr-defined]
        except Refused as refused:
            messages.error(request, f"{refused.message} {refused.remedy}")
    return redirect("applying", token)


@page("a/<str:token>/withdraw/", name="applying-withdraw", methods=("POST",), is_open=True)
def applying_withdraw(request: HttpRequest, token: str) -> HttpResponse:
    with inside(EVERYTHING):
        application = application_by(request, token)
        withdraw_application(application, by=application.holder, at=request.at)  # type: ignore[attr-defined]
    return redirect("applying", token)


@page("a/<str:token>/remove/", name="applying-remove", methods=("POST",), is_open=True)
def applying_remove(request: HttpRequest, token: str) -> HttpResponse:
    """Take a paper out again, before it is submitted."""
    wanted = request.POST.get("document", "")
    with inside(EVERYTHING):
        application = application_by(request, token)
        for found in documents_of(application=application):
            if str(found.pk) == wanted:
                remove_document(found, by=application.holder, at=request.at)  # type: ignore[attr-defined]
    return redirect("applying", token)


@page("a/<str:token>/appeal/", name="applying-appeal", title=_("Appeal"), methods=("GET", "POST"), is_open=True)
def applying_appeal(request: HttpRequest, token: str) -> HttpResponse:
    """A refused applicant asks that somebody else looks at it."""
    with inside(EVERYTHING):
        application = application_by(request, token)
        by = application.holder  # type: ignore[attr-defined]
        decision = find_appealed("application", application.pk, by)
        if decision is None:
            return redirect("applying", token)
        form = AppealForm(request.POST if request.method == "POST" else None)
        if form.is_bound and form.is_valid():
            try:
                raise_appeal(
                    decision, by=by, at=request.at, kind="application", grounds=form.cleaned_data["grounds"]  # type: ignore[attr-defined]
                )  # fmt: skip
            except Refused as refused:
                form.refuse(refused)
            else:
                return redirect("applying", token)
        words = {
            "form": form, "application": application, "until": appeal_until(decision),
            "back": reverse("applying", args=[token]),
        }  # fmt: skip
        return private(render(request, "parties/applying_appeal.html", words, status=422 if form.is_bound else 200))
