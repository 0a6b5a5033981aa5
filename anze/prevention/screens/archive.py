"""The archive of one policy year: what is there, what is missing, and all of it as a file."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.kernel.actions import require
from anze.kernel.duty import beijing_day
from anze.parties.models import Enterprise
from anze.parties.rules import Permission
from anze.prevention.actions.archive import contents_of_archive, export_archive
from anze.screen.details import Tile, tile
from anze.screen.lists import check_reader
from anze.screen.registry import page
from anze.underwriting.models import Policy


def _policy(request: HttpRequest, pk: UUID) -> Policy:
    check_reader(request, Policy)
    found = Policy.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


@page("prevention/archive/<uuid:pk>/", name="archive", title=_("Archive"), permission=Permission.SEE_SERVICES)
def archive(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What AQ 9010 asks for, part by part."""
    policy = _policy(request, pk)
    actor, today = request.actor, beijing_day(request.at)  # type: ignore[attr-defined]
    words = {
        "policy": policy,
        "enterprise": Enterprise.objects.filter(pk=policy.enterprise_id).first(),
        "contents": contents_of_archive(policy, actor, today),
        "may_export": actor.may(Permission.EXPORT) or bool(actor.scope.enterprise_id),
    }
    return render(request, "prevention/archive.html", words)


@page("prevention/archive/<uuid:pk>/archive.zip", name="archive-file", permission=Permission.SEE_SERVICES)
def archive_file(request: HttpRequest, pk: UUID) -> HttpResponse:
    """All of it in one file; taking it is on record. An enterprise may take its own."""
    actor, at = request.actor, request.at  # type: ignore[attr-defined]
    if not actor.scope.enterprise_id:
        require(actor, Permission.EXPORT)
    policy = _policy(request, pk)
    file = export_archive(policy, by=actor, at=at, today=beijing_day(at))
    name = f"archive-{policy.policy_no}.zip"
    return cast("HttpResponse", FileResponse(file, as_attachment=True, filename=name, content_type="application/zip"))


def _tile(request: HttpRequest, policy: Policy) -> tuple[str, str, str]:
    return _now("open"), "", reverse("archive", args=[policy.pk])


tile(Tile("policy", "archive", _("Archive"), Permission.SEE_SERVICES, _tile, order=90))
