"""Papers of applications, standings and appeals, handed in on the page they belong to."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from anze.evidence.actions.papers import keep_paper
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.kernel.models import parameter
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, inside
from anze.parties.models import Appeal, Standing
from anze.parties.rules import Permission
from anze.parties.rules.entering import AppealState, DocumentKind
from anze.parties.screens.entering import application_by
from anze.screen.lists import check_reader
from anze.screen.registry import page


def take_paper(request: HttpRequest, about: Any, subject_kind: str, kind: str, by: Actor) -> None:
    """The file of a form; what is wrong with it is told on the page it came from."""
    at: datetime = request.at  # type: ignore[attr-defined]
    file = request.FILES.get("file")
    if file is None or kind not in DocumentKind.values:
        messages.error(request, _("Choose a file: PDF, or a photo of the paper."))
        return
    try:
        _check_size(file.size or 0, at)
        keep_paper(about, subject_kind, by=by, at=at, kind=kind, content=file.read(), file_name=file.name or "")
    except Refused as refused:
        if refused.status == 403:
            raise
        messages.error(request, f"{refused.message} {refused.remedy}")


def _check_size(size: int, at: datetime) -> None:
    """Before it is read: who is not signed in must not fill the memory."""
    most = int(parameter("evidence_document_mb", beijing_day(at)))
    if size > most << 20:
        raise Refused(
            "file_too_large", _("A paper may have up to %(most)s MB."), remedy=_("Scan it with fewer dots an inch."),
            values={"most": most},
        )  # fmt: skip


@page("a/<str:token>/paper/", name="applying-paper", methods=("POST",), is_open=True)
def applying_paper(request: HttpRequest, token: str) -> HttpResponse:
    """A paper of an applicant: of his application while it is open to him, or of his appeal."""
    with inside(EVERYTHING):
        application = application_by(request, token)
        by: Actor = application.holder  # type: ignore[attr-defined]
        kind = request.POST.get("kind", "")
        if kind == DocumentKind.EVIDENCE:
            appeal = Appeal.objects.filter(subject=application.pk, state=AppealState.OPEN).first()
            if appeal is not None:
                take_paper(request, appeal, "appeal", kind, by)
        else:
            take_paper(request, application, "application", kind, by)
    return redirect("applying", token)


@page(
    "parties/appeals/<uuid:pk>/paper/", name="entry-appeal-paper", permission=Permission.ADD_EVIDENCE, methods=("POST",)
)
def appeal_paper(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _signed_in(request, Appeal, pk, "appeal", "entry-appeal", DocumentKind.EVIDENCE)


@page("parties/standings/<uuid:pk>/paper/", name="standing-paper", permission=Permission.DECIDE_STANDINGS,
      methods=("POST",))  # fmt: skip
def standing_paper(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _signed_in(request, Standing, pk, "standing", "standing", DocumentKind.DECISION)


def _signed_in(
    request: HttpRequest, model: Any, pk: UUID, subject_kind: str, page_name: str, kind: str
) -> HttpResponse:
    check_reader(request, model)
    found = model.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    take_paper(request, found, subject_kind, kind, request.actor)  # type: ignore[attr-defined]
    return redirect(page_name, pk)
