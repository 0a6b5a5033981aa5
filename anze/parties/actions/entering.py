"""Applications: begun, submitted, returned, accepted or refused; what an acceptance makes."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day, end_of_day, load_calendar
from anze.kernel.identifiers import clean_uscc, uscc_problem
from anze.kernel.links import make_link
from anze.kernel.models import parameter
from anze.kernel.refusal import Refused
from anze.kernel.rules import Channel
from anze.kernel.scope import EVERYTHING, widened
from anze.kernel.wording import listed
from anze.parties.access import acts_for
from anze.parties.actions.people import Post, give_post
from anze.parties.models import (
    Account,
    Application,
    Document,
    Enterprise,
    Expert,
    Membership,
    Organisation,
    Qualification,
)
from anze.parties.rules import OrganisationKind, Permission, RiskTier, Role
from anze.parties.rules.entering import (
    ADVISED,
    APPLICATION,
    EDITABLE,
    REVIEW_APPLICATION,
    REVIEWERS,
    ApplicationKind,
    ApplicationState,
    missing_papers,
)

PURPOSE = "application"
KIND = ApplicationKind
_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"


def business_number(prefix: str, at: datetime) -> str:
    """A number that tells the day and nothing about how many there are."""
    return f"{prefix}{beijing_day(at):%Y%m%d}-{''.join(secrets.choice(_LETTERS) for _each in range(6))}"


@dataclass(frozen=True)
class Stated:
    """What an applicant says about himself. `details` is what only his kind is asked for; a qualification in it
    is a mapping of kind, number, issuer, scope, valid_from and valid_to (days as ISO text)."""

    name: str
    region_code: str
    contact_name: str
    uscc: str = ""
    contact_phone: str = ""
    contact_email: str = ""
    username: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.name} {self.uscc}".strip()

    @property
    def qualification(self) -> Mapping[str, str] | None:
        return self.details.get("qualification")

    def columns(self) -> dict[str, Any]:
        return {
            "name": self.name.strip()[:120], "uscc": clean_uscc(self.uscc), "region_code": self.region_code,
            "contact_name": self.contact_name.strip()[:60], "contact_phone": self.contact_phone.strip()[:20],
            "contact_email": self.contact_email, "username": self.username.strip().lower(),
            "details": dict(self.details),
        }  # fmt: skip


# the link -------------------------------------------------------------------------------------------------------


def holder_of(application: Application, *, address: str = "", language: str = "zh-hans") -> Actor:
    """Who holds the link of an application acts for the applicant, in this one matter."""
    return Actor(
        name=application.contact_name,
        permissions=frozenset({Permission.APPLY.value, Permission.ADD_EVIDENCE.value}),
        role="LINK",
        organisation_name=application.name,
        address=address,
        language=language,
        extra={"application": application.pk},
    )


def link_token(application: Application, *, at: datetime) -> str:
    days = int(parameter("application_link_days", beijing_day(at)))
    return make_link(PURPOSE, application.pk, until=at + timedelta(days=days))


@action(Permission.REVIEW_ENTRIES, "application.link_renewed")
def renew_link(application: Application, *, by: Actor, at: datetime) -> str:
    """Another link for an applicant who lost his; who reviews hands it over, so he must know whom he gives it."""
    check_reviewer(application, by)
    return link_token(application, at=at)


# the applicant --------------------------------------------------------------------------------------------------


@action(Permission.APPLY, "application.begun")
def begin_application(kind: str, *, by: Actor, at: datetime, stated: Stated) -> Application:
    """Somebody states who he is. His papers follow, then he submits."""
    if kind == KIND.QUALIFICATION:
        raise Refused("not_an_entrant", _("A qualification is renewed by its holder."), status=409)
    with widened(EVERYTHING):
        _check_stated(kind, stated)
        return Application.objects.create(
            number=business_number("RZ", at), kind=kind, state=ApplicationState.DRAFT, begun_at=at, **stated.columns()
        )


@action(Permission.APPLY, "application.renewal_begun")
def begin_renewal(holder: Organisation | Expert, *, by: Actor, at: datetime, stated: Stated) -> Application:
    """The holder of a qualification asks that its renewed one be taken up, by the same way as a newcomer."""
    with widened(EVERYTHING):
        application = Application(
            number=business_number("RZ", at), kind=KIND.QUALIFICATION, state=ApplicationState.DRAFT, begun_at=at,
            organisation=holder if isinstance(holder, Organisation) else None,
            expert=holder if isinstance(holder, Expert) else None, **stated.columns(),
        )  # fmt: skip
        if not acts_for(by, application):
            raise _not_yours()
        _check_stated(KIND.QUALIFICATION, stated, application)
        application.save(force_insert=True)
    return application


@action(Permission.APPLY, "application.changed")
def change_application(application: Application, *, by: Actor, at: datetime, stated: Stated) -> Application:
    _check_open_to(application, by)
    with widened(EVERYTHING):
        _check_stated(application.kind, stated, application)
        for name, value in stated.columns().items():
            setattr(application, name, value)
        application.save(update_fields=list(stated.columns()))
    return application


@action(Permission.APPLY, "application.submitted")
def submit_application(application: Application, *, by: Actor, at: datetime) -> Application:
    """To those who review it; from now on the clock runs."""
    _check_open_to(application, by)
    with widened(EVERYTHING):
        there = Document.objects.filter(application=application, removed_at=None).values_list("kind", flat=True)
        if missing := missing_papers(application.kind, there):
            raise Refused(
                "papers_missing",
                _("These documents are missing: %(papers)s."),
                remedy=_("Add each of them, then submit."),
                field="documents",
                values={"papers": listed(each.label for each in missing)},
            )
        _check_stated(application.kind, _stated(application), application)
        due = REVIEW_APPLICATION.due_at(beijing_day(at), calendar=load_calendar(), region_code=application.region_code)
        APPLICATION.move(application, "submit", submitted_at=at, due_at=due, rounds=application.rounds + 1)
    return application


@action(Permission.APPLY, "application.withdrawn")
def withdraw_application(application: Application, *, by: Actor, at: datetime) -> Application:
    if not acts_for(by, application):
        raise _not_yours()
    with widened(EVERYTHING):
        APPLICATION.move(application, "withdraw")
    return application


@action(Permission.APPLY, "application.password_set")
def set_first_password(application: Application, *, by: Actor, at: datetime, password: bytes) -> Account:
    """The one who was accepted chooses the password of his account; once, by the link only he has."""
    with widened(EVERYTHING):
        account = _account_of(application, lock=True)
        if account is None or not acts_for(by, application) or account.has_usable_password():
            raise Refused(
                "password_set_before",
                _("The password of this account has been set."),
                remedy=_("Sign in. Who forgot it asks his administrator for a new one."),
                status=409,
            )
        try:
            validate_password(password.decode(), account)
        except ValidationError as problem:
            raise Refused("weak_password", " ".join(problem.messages), field="fresh") from None
        account.set_password(password.decode())
        account.save(update_fields=["password"])
    return account


def waits_for_password(application: Application) -> bool:
    with widened(EVERYTHING):  # reviewers may not read accounts
        account = _account_of(application)
    return account is not None and not account.has_usable_password()


def _account_of(application: Application, *, lock: bool = False) -> Account | None:
    if application.account_id is None:
        return None
    rows = Account.objects.select_for_update() if lock else Account.objects.all()
    return rows.filter(pk=application.account_id).first()


def _stated(application: Application) -> Stated:
    names = ("name", "region_code", "contact_name", "uscc", "contact_phone", "contact_email", "username", "details")
    return Stated(**{name: getattr(application, name) for name in names})


def _not_yours() -> Refused:
    return Refused(
        "not_your_party", _("This is another party's matter."), remedy=_("Sign in as the one concerned."), status=403
    )


def _check_open_to(application: Application, by: Actor) -> None:
    if not acts_for(by, application):
        raise _not_yours()
    if application.state not in EDITABLE:
        raise Refused(
            "application_closed",
            _("The application is %(state)s and cannot be changed."),
            remedy=_("Wait for the decision; if something is to be corrected, it is returned to you."),
            status=409,
            values={"state": application.get_state_display()},
        )


def _check_stated(kind: str, stated: Stated, application: Application | None = None) -> None:
    """What can be told at once: a wrong credit code, a party that is there already, a name somebody has."""
    others = Application.objects.exclude(pk=application.pk) if application else Application.objects.all()
    if kind != KIND.EXPERT and kind != KIND.QUALIFICATION:
        uscc = clean_uscc(stated.uscc)
        if uscc_problem(uscc):
            raise Refused(
                "bad_uscc", _("This is not a unified social credit code."),
                remedy=_("Copy the 18 characters from the business licence."), field="uscc",
            )  # fmt: skip
        _check_not_there(kind, uscc)
        if others.filter(kind=kind, uscc=uscc, state__in=("SUBMITTED", "RETURNED")).exists():
            raise Refused(
                "application_open",
                _("An application with this credit code is under way."),
                remedy=_("Open it by its link. Who lost the link asks the reviewing authority for another one."),
                field="uscc",
            )
    if stated.qualification:
        _check_qualification(stated.qualification, application)
    # a name taken while the application was under review is no matter of the reviewer's
    if kind != KIND.QUALIFICATION and (application is None or application.state in EDITABLE):
        _check_username(stated.username)


def _check_not_there(kind: str, uscc: str) -> None:
    if kind == KIND.ENTERPRISE:
        found: Any = Membership.objects.filter(enterprise__uscc=uscc, is_active=True).first()
        there = found.enterprise if found else None
    else:
        there = Organisation.objects.filter(uscc=uscc, kind=kind).first()
    if there is not None:
        raise Refused(
            "entered_already",
            _("This credit code is on the platform already: %(name)s."),
            remedy=_("Do not register again: ask its manager, or the operator of the platform, for an account."),
            field="uscc",
            values={"name": str(there)},
        )


def _check_qualification(paper: Mapping[str, str], application: Application | None) -> None:
    if paper["valid_to"] < paper["valid_from"]:
        raise Refused(
            "ends_before_start", _("The certificate ends before it begins."), remedy=_("Correct one of the days."),
            field="valid_to",
        )  # fmt: skip
    held = Qualification.objects.filter(kind=paper["kind"], number=paper["number"])
    if application and application.kind == KIND.QUALIFICATION:
        others = held.exclude(organisation=application.organisation_id, expert=application.expert_id)
        again = held.filter(valid_to__gte=paper["valid_to"])
    else:
        others, again = held, held.none()
    if others.exists():
        raise Refused(
            "qualification_of_another",
            _("Somebody else has a certificate with this number on the platform."),
            remedy=_("Check the number. If it is yours, ask the holder's organisation for an account instead."),
            field="number",
        )
    if again.exists():
        raise Refused(
            "qualification_on_file",
            _("This certificate is on file with these days already."),
            remedy=_("State the days of the renewed one."),
            field="valid_to",
        )


def _check_username(username: str) -> None:
    name = username.strip().lower()
    if not re.fullmatch(r"[a-z0-9._-]{3,60}", name):
        raise Refused(
            "bad_username", _("This cannot be a user name."),
            remedy=_("Use 3 to 60 letters, digits, dots and dashes."), field="username",
        )  # fmt: skip
    if Account.objects.filter(username=name).exists():
        raise Refused(
            "username_taken", _("Somebody has this user name already."),
            remedy=_("Choose another one, for example with the organisation's short name in front."), field="username",
        )  # fmt: skip


# the reviewer ---------------------------------------------------------------------------------------------------


def why_not_review(application: Application, by: Actor) -> Any:
    """Why somebody may not decide an application, as a sentence; None if he may. Nobody reviews his own."""
    if by.role not in REVIEWERS[application.kind]:
        names = listed(Role(each).label for each in sorted(REVIEWERS[application.kind]))
        return _("Applications of this kind are decided by: %(roles)s.") % {"roles": names}
    if application.kind == KIND.ENTERPRISE and not by.scope.covers_region(application.region_code):
        return _("The enterprise lies in another region.")
    if by.account_id is None:
        return None
    with widened(EVERYTHING):
        account = Account.objects.filter(pk=by.account_id).first()
        if account is not None and (
            (account.phone and account.phone == application.contact_phone)
            or (account.email and account.email.lower() == application.contact_email.lower())
        ):
            return _("You are the contact of this applicant.")
        roles = Membership.objects.filter(account_id=by.account_id).select_related("organisation", "enterprise")
        for role in roles:
            of = role.organisation or role.enterprise
            if (of is not None and application.uscc and of.uscc == application.uscc) or (
                application.organisation_id is not None and role.organisation_id == application.organisation_id
            ):
                return _("You work for this applicant.")
            if application.expert_id is not None and role.expert_id == application.expert_id:
                return _("This is your own application.")
    return None


def check_reviewer(application: Application, by: Actor) -> None:
    if why := why_not_review(application, by):
        raise Refused("not_reviewer", why, remedy=_("Leave it to those who may."), status=403)


@action(Permission.REVIEW_ENTRIES, "application.advised")
def advise_application(application: Application, *, by: Actor, at: datetime, advice: str) -> Application:
    """The committee says what it thinks of an insurer or agency; the province decides."""
    if by.role != Role.COMMITTEE or application.kind not in ADVISED:
        raise Refused("not_adviser", _("The committee advises on insurers and agencies."), status=403)
    if application.state != ApplicationState.SUBMITTED:
        raise Refused("application_closed", _("The application is not under review."), status=409)
    _check_reason(advice, "advice")
    with widened(EVERYTHING):
        application.advice, application.advised_by = advice.strip()[:500], by.name[:120]
        application.save(update_fields=["advice", "advised_by"])
    return application


def _decided(by: Actor, at: datetime) -> dict[str, Any]:
    return {
        "decided_at": at, "decided_by": by.account_id, "decided_by_name": (by.organisation_name or by.name)[:120],
        "decided_role": by.role,
    }  # fmt: skip


def _check_reason(reason: str, field_name: str = "reason") -> None:
    if not reason.strip():
        raise Refused(
            "reason_missing", _("Say why."), remedy=_("The applicant reads it, so say what is to be done."),
            field=field_name,
        )  # fmt: skip


@action(Permission.REVIEW_ENTRIES, "application.returned")
def return_application(application: Application, *, by: Actor, at: datetime, reason: str) -> Application:
    """Back to the applicant, with what is to be corrected."""
    check_reviewer(application, by)
    _check_reason(reason)
    with widened(EVERYTHING):
        APPLICATION.move(application, "return", reason=reason.strip()[:500], **_decided(by, at))
    return application


@action(Permission.REVIEW_ENTRIES, "application.refused")
def refuse_application(application: Application, *, by: Actor, at: datetime, refusal: str, reason: str) -> Application:
    check_reviewer(application, by)
    _check_reason(reason)
    with widened(EVERYTHING):
        APPLICATION.move(application, "refuse", refusal=refusal, reason=reason.strip()[:500], **_decided(by, at))
    return application


@action(Permission.REVIEW_ENTRIES, "application.accepted")
def accept_application(
    application: Application, *, by: Actor, at: datetime, code: str = "", risk_tier: str = ""
) -> Application:
    """Let the applicant in: its row, its qualification, its first account. All of it, or nothing."""
    check_reviewer(application, by)
    with widened(EVERYTHING):
        application = Application.objects.select_for_update().get(pk=application.pk)
        if application.state != ApplicationState.SUBMITTED:
            raise Refused(
                "wrong_state", _("The application is not under review."),
                remedy=_("Reload the page: somebody may have decided it meanwhile."), status=409,
            )  # fmt: skip
        _check_stated(application.kind, _stated(application), application)
        made: dict[str, Any] = {}
        if application.kind != KIND.QUALIFICATION:
            post = _make_party(application, at, code.strip().upper(), risk_tier)
            made = {"organisation": post.organisation, "expert": post.expert, "enterprise": post.enterprise}
            account = _open_account(application)
            give_post(account, post)
            made |= {"account_id": account.pk, "username": account.username}
        paper = application.details.get("qualification")
        if paper:
            # the same paper with a later last day is the same row; a new first day makes another one
            Qualification.objects.update_or_create(
                kind=paper["kind"],
                number=paper["number"],
                valid_from=paper["valid_from"],
                defaults={
                    "organisation": made.get("organisation") or application.organisation,
                    "expert": made.get("expert") or application.expert,
                    **paper,
                },
            )
        APPLICATION.move(application, "accept", reason="", **made, **_decided(by, at))
    return application


ROLE_OF = {
    KIND.INSURER: Role.INSURER_MANAGER,
    KIND.AGENCY: Role.AGENCY,
    KIND.EXPERT: Role.EXPERT,
    KIND.ENTERPRISE: Role.ENTERPRISE,
}
_PREFIX = {KIND.INSURER: "INS", KIND.AGENCY: "AGY", KIND.EXPERT: "EXP"}


def suggested_code(kind: str) -> str:
    """The next code after those in use, for the reviewer to take or to change."""
    prefix = _PREFIX.get(ApplicationKind(kind), "")
    if not prefix:
        return ""
    if kind == KIND.EXPERT:
        used = list(Expert.objects.filter(number__startswith=prefix).values_list("number", flat=True))
    else:
        used = list(Organisation.objects.filter(code__startswith=prefix).values_list("code", flat=True))
    numbers = [text.removeprefix(prefix) for text in used]
    digits = [text for text in numbers if text.isdigit()]
    return f"{prefix}{max(map(int, digits), default=0) + 1:0{max(map(len, digits), default=2)}d}"


def _make_party(application: Application, at: datetime, code: str, risk_tier: str) -> Post:
    kind, details = ApplicationKind(application.kind), application.details
    role = ROLE_OF[kind]
    if kind == KIND.ENTERPRISE:
        return Post(role, enterprise=_enterprise_of(application, at, risk_tier))
    if not re.fullmatch(r"[A-Z0-9-]{3,20}", code):
        raise Refused(
            "bad_code", _("A code has 3 to 20 capital letters and digits."), remedy=_("Take the one suggested."),
            field="code",
        )  # fmt: skip
    is_expert = kind == KIND.EXPERT
    taken = Expert.objects.filter(number=code) if is_expert else Organisation.objects.filter(code=code)
    if taken.exists():
        raise Refused(
            "code_taken", _("This code is in use."), remedy=_("Take the one suggested."), field="code"
        )  # fmt: skip
    if is_expert:
        agency = Organisation.objects.filter(code=details.get("agency_code", ""), kind=OrganisationKind.AGENCY).first()
        expert = Expert.objects.create(
            name=application.name[:60], number=code, agency=agency, region_id=application.region_code,
            sector=details["sector"], title=details.get("title", ""),
        )  # fmt: skip
        return Post(role, expert=expert)
    organisation = Organisation.objects.create(
        kind=kind.value, code=code, uscc=application.uscc, name=application.name,
        short_name=details.get("short_name", ""), region_id=application.region_code, entered_on=beijing_day(at),
    )  # fmt: skip
    return Post(role, organisation=organisation)


def _enterprise_of(application: Application, at: datetime, risk_tier: str) -> Enterprise:
    """The enterprise as it is on file, for most are; else a new file, which the authorities' data go on to fill."""
    there = Enterprise.objects.filter(uscc=application.uscc).first()
    if there is not None:
        return there
    details, day = application.details, beijing_day(at)
    return Enterprise.objects.create(
        uscc=application.uscc, name=application.name, region_code=application.region_code, sector=details["sector"],
        industry_code=details.get("industry_code", ""), size=details["size"],
        risk_tier=risk_tier or RiskTier.MEDIUM, registered_workers=int(details["registered_workers"]),
        address=details.get("address", ""), contact_name=application.contact_name,
        contact_phone=application.contact_phone, batch_id=application.pk, channel=Channel.WEB, event_on=day,
        received_at=at, report_due_at=end_of_day(day), content_hash="",
    )  # fmt: skip


def _open_account(application: Application) -> Account:
    """Without a password: the applicant sets it by his link. A name taken meanwhile gets a number behind it."""
    name, n = application.username, 1
    while Account.objects.filter(username=name).exists():
        n += 1
        name = f"{application.username[:56]}-{n}"
    return Account.objects.create_user(
        name, None, name=application.contact_name, email=application.contact_email, phone=application.contact_phone
    )


# documents ------------------------------------------------------------------------------------------------------


@action(Permission.ADD_EVIDENCE, "document.added")
def add_document(
    about: Any, *, by: Actor, at: datetime, kind: str, media: UUID, file_name: str, sha256: str, size: int
) -> Document:
    """Note a paper whose file the room of evidence has just kept; that room has checked who may."""
    with widened(EVERYTHING):
        return Document.objects.create(
            **{type(about).__name__.lower(): about}, kind=kind, media=media, file_name=file_name[:160], sha256=sha256,
            size=size, added_at=at, added_by=by.name[:120],
        )  # fmt: skip


@action(Permission.APPLY, "document.removed")
def remove_document(document: Document, *, by: Actor, at: datetime) -> Document:
    """Take a paper out of an application that is open to its applicant; the file stays where it is kept."""
    with widened(EVERYTHING):
        application = document.application
        if application is None:
            raise _not_yours()
        _check_open_to(application, by)
        document.removed_at = at
        document.save(update_fields=["removed_at"])
    return document
