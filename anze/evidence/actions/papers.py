"""Papers of applications, standings and appeals: the files lie here, the room of parties notes what they are."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, QuerySet, Sum
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from anze.evidence.actions.files import arrived
from anze.evidence.actions.media import receive_media, subject_of
from anze.evidence.rules import MediaKind, MediaRole, Subject, register_subject
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.kernel.guessing import DAY, count_wrong_try, tries_of
from anze.kernel.models import parameter
from anze.kernel.refusal import Refused
from anze.parties.access import acts_for
from anze.parties.actions.entering import add_document
from anze.parties.models import Appeal, Application, Document, Organisation, Standing
from anze.parties.rules import OrganisationKind, Permission
from anze.parties.rules.entering import EDITABLE, AppealState, ApplicationKind

MOST = 40  # papers of one thing; those taken out count, for their files stay
MOST_MB_A_DAY = 1000  # from one network address, by those who have no account


def _columns(row: Any) -> dict[str, Any]:
    """Whose the papers are: a party sees its own; those of an enterprise its region sees too."""
    organisation = Organisation.objects.filter(pk=row.organisation_id).first() if row.organisation_id else None
    is_insurer = organisation is not None and organisation.kind == OrganisationKind.INSURER
    return {
        "insurer_id": organisation.pk if organisation and is_insurer else None,
        "agency_id": organisation.pk if organisation and not is_insurer else None,
        "expert_id": row.expert_id,
        "enterprise_id": getattr(row, "enterprise_id", None),
        "region_code": row.region_code if getattr(row, "kind", "") == ApplicationKind.ENTERPRISE else "",
    }


def _application(key: UUID, by: Actor, at: datetime) -> Subject | None:
    row = Application.objects.filter(pk=key).first()
    if row is None:
        return None
    return Subject(
        kind="application", id=row.pk, title=f"{row.number} {row.name}", url=reverse("application", args=[row.pk]),
        may_add=acts_for(by, row) and row.state in EDITABLE, why_not=_("The application is not open to you."),
        **_columns(row),
    )  # fmt: skip


def _appeal(key: UUID, by: Actor, at: datetime) -> Subject | None:
    row = Appeal.objects.filter(pk=key).first()
    if row is None:
        return None
    return Subject(
        kind="appeal", id=row.pk, title=f"{row.number} {row.party_name}", url=reverse("entry-appeal", args=[row.pk]),
        may_add=acts_for(by, row) and row.state == AppealState.OPEN, why_not=_("The appeal is not open to you."),
        **_columns(row),
    )  # fmt: skip


def _standing(key: UUID, by: Actor, at: datetime) -> Subject | None:
    row = Standing.objects.filter(pk=key).first()
    if row is None:
        return None
    return Subject(
        kind="standing", id=row.pk, title=str(row), url=reverse("standing", args=[row.pk]),
        may_add=by.may(Permission.DECIDE_STANDINGS), why_not=_("Only who decides on a standing adds papers to it."),
        **_columns(row),
    )  # fmt: skip


register_subject("application", _("Application to enter"), _application)
register_subject("appeal", _("Appeal"), _appeal)
register_subject("standing", _("Suspension or blacklisting"), _standing)


def _check_room(papers: QuerySet[Document], size: int, by: Actor, at: datetime) -> None:
    """Refuse what would fill the disk. Whoever has no account is measured by his network address as well."""
    kept = papers.aggregate(count=Count("id"), size=Sum("size"))
    if kept["count"] >= MOST:
        raise Refused(
            "too_many_papers", _("There are %(most)s papers already, those taken out counted."),
            remedy=_("Put several into one PDF."), values={"most": MOST},
        )  # fmt: skip
    most = int(parameter("evidence_papers_mb", beijing_day(at)))
    if (kept["size"] or 0) + size > most << 20:
        raise Refused(
            "papers_too_large", _("The papers together may have up to %(most)s MB, those taken out counted."),
            remedy=_("Scan them with fewer dots an inch."), values={"most": most},
        )  # fmt: skip
    if by.account_id is None:
        megabytes = (size >> 20) + 1
        if tries_of("papers", by.address, at, DAY) + megabytes > MOST_MB_A_DAY:
            raise Refused(
                "too_much_today", _("Very much was sent from your network today."), remedy=_("Come back tomorrow."),
                status=429,
            )  # fmt: skip
        count_wrong_try("papers", by.address, at, window=DAY, number=megabytes)


def keep_paper(
    about: Any, subject_kind: str, *, by: Actor, at: datetime, kind: str, content: bytes, file_name: str
) -> Document:
    """Keep a file under its thing, and note there what it is."""
    with transaction.atomic():
        _check_room(Document.objects.filter(**{subject_kind: about}), len(content), by, at)
        media = receive_media(
            subject_of(subject_kind, about.pk, by, at), by=by, at=at, content=arrived(content),
            kind=MediaKind.DOCUMENT, role=MediaRole.DOCUMENT, file_name=file_name,
        )  # fmt: skip
        return add_document(
            about, by=by, at=at, kind=kind, media=media.pk, file_name=media.file_name or str(media.pk),
            sha256=media.original.sha256, size=media.original.size,
        )  # fmt: skip
