"""Papers brought to the archive: contracts with agencies, evaluations. Kept as they are, never deleted."""

from __future__ import annotations

from datetime import date, datetime

from django.utils.translation import gettext_lazy as _

from anze.evidence.actions.files import Arrived
from anze.evidence.actions.media import check_size, check_type, keep_original, numbers_on
from anze.evidence.rules import MediaKind
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.models import Organisation
from anze.parties.rules import OrganisationKind, Permission
from anze.prevention.models import Paper
from anze.prevention.rules.archive import PaperKind
from anze.underwriting.models import Policy


@action(Permission.RUN_SERVICES, "paper.kept")
def keep_paper(
    file: Arrived,
    *,
    by: Actor,
    at: datetime,
    kind: str,
    number: str,
    from_on: date,
    to_on: date,
    file_name: str = "",
    agency: str = "",
    policy_no: str = "",
) -> Paper:
    """Put a paper of the acting insurer on file; `agency` is the agency's code."""
    if not by.scope.insurer_id:
        raise Refused(
            "papers_of_insurers",
            _("These papers are put on file by the insurer."),
            remedy=_("Sign in for the insurer whose contract or evaluation it is."),
            status=403,
        )
    if to_on < from_on:
        raise Refused("days_out_of_order", _("It ends before it begins."), remedy=_("Correct the days."), field="to_on")
    insurer = Organisation.objects.get(pk=by.scope.insurer_id)
    of: dict[str, object] = {"insurer": insurer, "region_code": insurer.region_id}
    if kind == PaperKind.ANNUAL_REPORT:
        policy = Policy.objects.filter(policy_no=policy_no.strip(), insurer=insurer).first()
        if policy is None:
            raise Refused(
                "policy_unknown",
                _("There is no such policy of yours."),
                remedy=_("Check the number."),
                field="policy_no",
            )
        of |= {
            "policy": policy, "enterprise_id": policy.enterprise_id, "region_code": policy.region_code,
            "sector": policy.sector,
        }  # fmt: skip
    else:
        found = Organisation.objects.filter(kind=OrganisationKind.AGENCY, code=agency).first()
        if found is None:
            raise Refused(
                "agency_missing", _("Say which agency it is about."), remedy=_("Choose the agency."), field="agency"
            )
        of["agency"] = found
    check_size(MediaKind.DOCUMENT, file.size, numbers_on(beijing_day(at)))
    file_type = check_type(MediaKind.DOCUMENT, file.head())
    with widened(EVERYTHING):
        original = keep_original(file, file_type, None, at)
        return Paper.objects.create(
            **of,
            kind=kind,
            number=number.strip(),
            from_on=from_on,
            to_on=to_on,
            original=original,
            file_sha256=original.sha256,
            file_name=file_name[-160:],
            kept_at=at,
            kept_by=by.name[:120],
        )


@action(Permission.RUN_SERVICES, "paper.voided")
def void_paper(paper: Paper, *, by: Actor, at: datetime, reason: str) -> Paper:
    """Set a wrong paper aside; it stays readable and no longer counts."""
    if by.scope.insurer_id != paper.insurer_id:
        raise Refused("not_your_paper", _("This paper is another's."), remedy=_("Tell its insurer."), status=403)
    if not reason.strip():
        raise Refused(
            "reason_missing",
            _("A paper is not set aside without a reason."),
            remedy=_("Say what is wrong with it."),
            field="reason",
        )
    with widened(EVERYTHING):
        Paper.objects.filter(pk=paper.pk, voided_at__isnull=True).update(voided_at=at, void_reason=reason.strip()[:200])
        paper.refresh_from_db()
    return paper
