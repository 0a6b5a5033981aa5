"""Confirmed cases: entered by an authority with the document they rest on, withdrawn with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext_lazy as _

from anze.assessment.actions.results import Assessed, columns_of
from anze.assessment.models import ConductCase, Scheme
from anze.assessment.rules import SchemeState, SubjectKind
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.models import Expert
from anze.parties.rules import OrganisationKind, Permission


@dataclass(frozen=True)
class Case:
    """What was found: about whom, which item of the scheme, which day, which document."""

    about: Assessed
    code: str
    happened_on: date
    document_no: str
    text: str
    region_code: str

    def __str__(self) -> str:
        return f"{self.about} {self.code} {self.document_no}"


def subject_of(about: Assessed) -> SubjectKind:
    """Which schemes assess somebody."""
    if isinstance(about, Expert):
        return SubjectKind.EXPERT
    return SubjectKind.AGENCY if about.kind == OrganisationKind.AGENCY else SubjectKind.INSURER


def case_codes(subject: str) -> dict[str, str]:
    """Every item of the schemes in use for a kind of assessed that is confirmed case by case; the latest words."""
    found: dict[str, str] = {}
    for scheme in Scheme.objects.filter(state=SchemeState.ISSUED, subject=subject).order_by("version"):
        found |= {code: f"{code} {title}" for code, title in scheme.text.case_codes.items()}
    return found


@action(Permission.CONFIRM_CASES, "case.confirmed")
def confirm_case(case: Case, *, by: Actor, at: datetime) -> ConductCase:
    """Enter a case an authority confirmed. Only people do this; the platform accuses nobody."""
    if case.code not in case_codes(subject_of(case.about)):
        raise Refused(
            "no_such_item", _("No scheme for them has this item."), remedy=_("Choose one of the list."), field="code"
        )
    if case.happened_on > beijing_day(at):
        raise Refused(
            "day_in_future", _("This day has not come."), remedy=_("Give the day it happened."), field="happened_on"
        )
    if not case.document_no.strip() or not case.text.strip():
        raise Refused(
            "document_missing",
            _("A case rests on a document and says what was found."),
            remedy=_("Give the number of the decision and its finding in short."),
            field="text" if case.document_no.strip() else "document_no",
        )
    if not by.scope.covers_region(case.region_code):
        raise Refused(
            "not_in_scope", _("This region is not yours."), remedy=_("Choose a region of yours."), field="region"
        )
    with widened(EVERYTHING):
        return ConductCase.objects.create(
            **columns_of(case.about),
            region_code=case.region_code,
            code=case.code,
            happened_on=case.happened_on,
            document_no=case.document_no.strip()[:80],
            text=case.text.strip()[:1000],
            confirmed_at=at,
            confirmed_by=by.name[:120],
        )


@action(Permission.CONFIRM_CASES, "case.withdrawn")
def withdraw_case(case: ConductCase, *, by: Actor, at: datetime, reason: str) -> ConductCase:
    """Take a case back; it stays on file with the reason. What was frozen before keeps it, unless appealed against."""
    if not reason.strip():
        raise Refused(
            "reason_missing", _("A case is not withdrawn without a reason."), remedy=_("Say why."), field="reason"
        )
    with widened(EVERYTHING):
        changed = ConductCase.objects.filter(pk=case.pk, withdrawn_at__isnull=True).update(
            withdrawn_at=at, withdrawn_by=by.name[:120], withdrawn_reason=reason.strip()[:500]
        )
        if not changed:
            raise Refused(
                "withdrawn_already",
                _("This case is withdrawn already."),
                remedy=_("Reload the page: somebody may have moved it meanwhile."),
                status=409,
            )
        case.refresh_from_db()
    return case
