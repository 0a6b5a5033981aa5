"""People and their roles: opening accounts, one-time passwords, giving and ending roles."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_totp.models import TOTPDevice

from anze.kernel.actor import Actor
from anze.kernel.refusal import Refused
from anze.kernel.rules import Sector
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.actions import (
    Post,
    change_person,
    create_person,
    end_role,
    give_role,
    remove_second_factor,
    reset_password,
    switch_person,
)
from anze.parties.models import Account, Enterprise, Expert, Membership, Organisation, Region
from anze.parties.rules import ORGANISATION_OF, OrganisationKind, Permission, Role, grantable
from anze.screen.columns import Column, labels
from anze.screen.details import DetailScreen, Section, detail_screen
from anze.screen.filters import Case, Cases, Choice, Flag, Search
from anze.screen.forms import Form, answer_page
from anze.screen.lists import Button, ListScreen, list_screen
from anze.screen.pages import url
from anze.screen.registry import PAGES, page

PEOPLE = list_screen(
    ListScreen(
        name="people",
        path="parties/people/",
        title=_("People and roles"),
        about=_("Who may sign in, in which role and for which organisation. A person with two roles has two rows."),
        model=Membership,
        permission=Permission.MANAGE_PEOPLE,
        sort="-id",
        columns=(
            Column("account__name", title=_("Person"), opens="person"),
            Column("account__username", title=_("User name")),
            Column("role"),
            Column("organisation", title=_("Organisation")),
            Column("region", title=_("Region")),
            Column("sector", optional=True),
            Column("expert__name", title=_("Expert"), optional=True),
            Column("enterprise__name", title=_("Enterprise"), optional=True),
            Column("is_active", title=_("Role active")),
            Column("account__is_active", title=_("May sign in")),
            Column("account__last_login", title=_("Last sign-in")),
            Column("id", title=_("Order of entry"), optional=True),
        ),
        filters=(
            Search(relation="account", related=("name", "username"), title=_("Name or user name")),
            Choice("role", main=True),
            Flag("is_active", _("Role active"), main=True),
            Cases(
                "sign_in",
                _("May sign in"),
                cases={
                    "yes": Case(_("yes"), lambda a: Q(account__is_active=True)),
                    "no": Case(_("no"), lambda a: Q(account__is_active=False)),
                },
            ),
        ),
        buttons=(Button(_("New person"), "person-new", Permission.MANAGE_PEOPLE, "user-plus"),),
        order=90,
    )
)


def _roles(request: HttpRequest, account: Any) -> dict[str, Any]:
    with widened(EVERYTHING):
        has_device = TOTPDevice.objects.filter(user=account, confirmed=True).exists()
    return {
        "has_device": has_device,
        "roles": Membership.objects.filter(account=account)
        .select_related("organisation", "region", "expert")
        .order_by("-is_active", "id"),
        "is_self": account.pk == request.actor.account_id,  # type: ignore[attr-defined]
    }


detail_screen(
    DetailScreen(
        name="person",
        path="parties/people/<uuid:pk>/",
        title=_("Person"),
        model=Account,
        permission=Permission.MANAGE_PEOPLE,
        named=("name",),
        of_list="people",
        template="parties/person.html",
        extra=_roles,
        has_history=False,
        sections=(
            Section(
                _("The account"),
                (
                    "username",
                    "email",
                    "phone",
                    "language",
                    Column("is_active", title=_("May sign in")),
                    "must_change_password",
                    "created_at",
                    Column("last_login", title=_("Last sign-in")),
                ),
            ),
        ),
    )
)


# forms --------------------------------------------------------------------------------------------------------


class RoleForm(Form):
    """A role and what it belongs to; which of the fields count depends on the role."""

    role = forms.ChoiceField(label=_("Role"))
    organisation = forms.ChoiceField(label=_("Organisation"), required=False)
    sector = forms.ChoiceField(label=_("Sector"), required=False, help_text=_("Only for a sector department."))
    region = forms.ChoiceField(
        label=_("Only a part of its area"),
        required=False,
        help_text=_("For an insurer's people in one city. Empty: the organisation's whole area."),
    )
    expert = forms.CharField(
        label=_("Expert number"), required=False, max_length=30, help_text=_("Only for the role of expert.")
    )
    enterprise = forms.CharField(
        label=_("Credit code of the enterprise"),
        required=False,
        max_length=18,
        help_text=_("Only for the role of enterprise."),
    )

    def __init__(self, by: Actor, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        roles = labels(Role.choices)
        self._set("role", [("", "–"), *((role.value, roles[role.value]) for role in grantable(by.role))])
        self._set("organisation", [("", "–"), *_organisations(by)])
        self._set("sector", [("", "–"), *labels(Sector.choices).items()])
        regions = Region.objects.filter(kind__in=("CITY", "COUNTY", "FUNCTIONAL_ZONE")).order_by("code")
        self._set("region", [("", "–"), *((r.code, f"{r.code} {r}") for r in regions)])
        if by.scope.insurer_id:
            for name in ("sector", "expert", "enterprise"):
                del self.fields[name]

    def _set(self, name: str, choices: list[tuple[str, Any]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def clean_expert(self) -> Expert | None:
        number = self.cleaned_data["expert"].strip()
        found = Expert.objects.filter(number=number).first() if number else None
        if number and found is None:
            raise forms.ValidationError(_("No expert has this number. Look it up in the list of experts."))
        return found

    def clean_enterprise(self) -> Enterprise | None:
        code = self.cleaned_data["enterprise"].strip().upper()
        if not code:
            return None
        with widened(EVERYTHING):
            found = Enterprise.objects.filter(uscc=code).first()
        if found is None:
            raise forms.ValidationError(_("No enterprise has this credit code. Copy it from the business licence."))
        return found

    def post(self) -> Post:
        given = self.cleaned_data
        organisation = given.get("organisation")
        region = given.get("region")
        return Post(
            role=Role(given["role"]),
            organisation=Organisation.objects.select_related("parent").get(pk=organisation) if organisation else None,
            region=Region.objects.get(pk=region) if region else None,
            sector=given.get("sector") or "",
            expert=given.get("expert"),
            enterprise=given.get("enterprise"),
        )


def _organisations(by: Actor) -> list[tuple[str, list[tuple[str, str]]]]:
    """The organisations somebody may choose, by kind."""
    kinds = {kind for role in grantable(by.role) for kind in ORGANISATION_OF.get(role, ())}
    rows = Organisation.objects.filter(kind__in=kinds).order_by("kind", "code")
    if by.scope.insurer_id:
        rows = rows.filter(Q(pk=by.scope.insurer_id) | Q(parent=by.scope.insurer_id))
    groups: dict[str, list[tuple[str, str]]] = {}
    for each in rows:
        groups.setdefault(each.kind, []).append((str(each.pk), str(each)))
    return [(str(OrganisationKind(kind).label), options) for kind, options in groups.items()]


class PersonForm(RoleForm):
    field_order = ("username", "name", "email", "phone", "role", "organisation")

    username = forms.RegexField(
        r"^[A-Za-z0-9._-]{3,60}$",
        label=_("User name"),
        help_text=_("3 to 60 letters, digits, dots and dashes; capitals do not matter."),
        error_messages={"invalid": _("Use 3 to 60 letters, digits, dots and dashes.")},
    )
    name = forms.CharField(label=_("Name"), max_length=60)
    email = forms.EmailField(label=_("E-mail"), required=False)
    phone = forms.CharField(label=_("Phone"), max_length=20, required=False)


class NameForm(Form):
    name = forms.CharField(label=_("Name"), max_length=60)
    email = forms.EmailField(label=_("E-mail"), required=False)
    phone = forms.CharField(label=_("Phone"), max_length=20, required=False)


# pages --------------------------------------------------------------------------------------------------------

MANAGE = Permission.MANAGE_PEOPLE


def _person(pk: UUID) -> Account:
    found = Account.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _form_page(request: HttpRequest, form: Form, title: Any, done: Any, back: str, *words: Any) -> HttpResponse:
    return answer_page(request, form, title=title, done=done, back=url(back, *words), back_title=PAGES[back].title)


@page(
    "parties/people/new/",
    name="person-new",
    title=_("New person"),
    permission=MANAGE,
    methods=("GET", "POST"),
)
def new_person(request: HttpRequest) -> HttpResponse:
    actor, at = request.actor, request.at  # type: ignore[attr-defined]
    form = PersonForm(actor, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        try:
            account = create_person(
                given["username"].lower(), by=actor, at=at, name=given["name"], email=given["email"],
                phone=given["phone"], post=form.post(),
            )  # fmt: skip
        except Refused as refused:
            form.refuse(refused)
        else:
            _show_once(request, account)
            return redirect("person", account.pk)
    return _form_page(request, form, _("New person"), _("Open the account"), "people")


@page(
    "parties/people/<uuid:pk>/edit/",
    name="person-edit",
    title=_("Person"),
    permission=MANAGE,
    methods=("GET", "POST"),
)
def edit_person(request: HttpRequest, pk: UUID) -> HttpResponse:
    account = _person(pk)
    initial = {"name": account.name, "email": account.email, "phone": account.phone}
    form = NameForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        try:
            change_person(account, by=request.actor, at=request.at, **form.cleaned_data)  # type: ignore[attr-defined]
        except Refused as refused:
            form.refuse(refused)
        else:
            return redirect("person", account.pk)
    return _form_page(request, form, _("Name and contact"), _("Save"), "person", pk)


@page(
    "parties/people/<uuid:pk>/role/",
    name="person-role",
    title=_("Another role"),
    permission=MANAGE,
    methods=("GET", "POST"),
)
def new_role(request: HttpRequest, pk: UUID) -> HttpResponse:
    account, actor = _person(pk), request.actor  # type: ignore[attr-defined]
    form = RoleForm(actor, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            give_role(account, by=actor, at=request.at, post=form.post())  # type: ignore[attr-defined]
        except Refused as refused:
            form.refuse(refused)
        else:
            return redirect("person", account.pk)
    return _form_page(request, form, _("Another role"), _("Give the role"), "person", pk)


@page("parties/people/<uuid:pk>/password/", name="person-password", permission=MANAGE, methods=("POST",))
def new_password(request: HttpRequest, pk: UUID) -> HttpResponse:
    account = reset_password(_person(pk), by=request.actor, at=request.at)  # type: ignore[attr-defined]
    _show_once(request, account)
    return redirect("person", account.pk)


@page("parties/people/<uuid:pk>/second-factor/", name="person-second-factor", permission=MANAGE, methods=("POST",))
def no_second_factor(request: HttpRequest, pk: UUID) -> HttpResponse:
    account = remove_second_factor(_person(pk), by=request.actor, at=request.at)  # type: ignore[attr-defined]
    said = _now("%(name)s signs in with the password alone until a second factor is set up again.")
    messages.success(request, said % {"name": account.name})
    return redirect("person", account.pk)


@page("parties/people/<uuid:pk>/active/", name="person-active", permission=MANAGE, methods=("POST",))
def person_active(request: HttpRequest, pk: UUID) -> HttpResponse:
    is_active = request.POST.get("is_active") == "yes"
    account = switch_person(_person(pk), by=request.actor, at=request.at, is_active=is_active)  # type: ignore[attr-defined]
    said = _now("%(name)s may sign in again.") if is_active else _now("%(name)s can no longer sign in.")
    messages.success(request, said % {"name": account.name})
    return redirect("person", account.pk)


@page("parties/roles/<uuid:pk>/end/", name="person-role-end", permission=MANAGE, methods=("POST",))
def role_end(request: HttpRequest, pk: UUID) -> HttpResponse:
    membership = Membership.objects.filter(pk=pk).select_related("account").first()
    if membership is None:
        raise Http404
    end_role(membership, by=request.actor, at=request.at)  # type: ignore[attr-defined]
    return redirect("person", membership.account_id)


def _show_once(request: HttpRequest, account: Account) -> None:
    """The password goes to the manager's next page in his own cookie; it is stored nowhere on the server."""
    password: str = account.one_time_password  # type: ignore[attr-defined]
    messages.success(request, password, extra_tags="one-time-password")
