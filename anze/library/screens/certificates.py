"""Certificates of trainings: the list, the PDF, revoking, and the page on which anybody can check one."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from anze.kernel.duty import beijing_day
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, inside
from anze.library.actions import revoke_certificate
from anze.library.models import Certificate
from anze.library.rules import masked
from anze.library.screens.materials import form_page
from anze.library.screens.trainings import TRAINING_TITLE
from anze.parties.rules import Permission
from anze.screen.columns import Column
from anze.screen.details import DetailScreen, Section, detail_screen
from anze.screen.filters import Asking, Choice, Dates, InRegion, Search
from anze.screen.forms import Form
from anze.screen.lists import ListScreen, list_screen
from anze.screen.pages import is_chinese
from anze.screen.registry import page
from anze.screen.typesetting import qr_svg, typeset

SEE, KEEP = Permission.SEE_LIBRARY, Permission.KEEP_LIBRARY


def _valid(asking: Asking, revoked_at: Any) -> str:
    return "REVOKED" if revoked_at else "VALID"


VALID = Column(
    "valid",
    title=_("Validity"),
    needs=("revoked_at",),
    compute=_valid,
    choices=(("VALID", pgettext_lazy("certificate", "valid")), ("REVOKED", pgettext_lazy("certificate", "revoked"))),
    tones={"VALID": "success", "REVOKED": "danger"},
)

CERTIFICATES = list_screen(
    ListScreen(
        name="certificates",
        path="library/certificates/",
        title=_("Certificates"),
        about=_("Certificates of trainings, of your own organisation or area. Anybody can check one by its code."),
        model=Certificate,
        permission=SEE,
        detail="certificate",
        sort="-issued_at",
        columns=(
            Column("number"),
            Column("attendee"),
            Column("organisation_name"),
            TRAINING_TITLE,
            Column("score"),
            Column("issued_at"),
            VALID,
            Column("sector", optional=True),
            Column("region_code", optional=True),
        ),
        filters=(
            Search(inside=("number", "attendee", "organisation_name"), title=_("Number, name or organisation")),
            Choice("sector", main=True),
            InRegion(),
            Dates("issued_at"),
        ),
        tab_of={"training": "training"},
        order=80,
        icon="certificate",
    )
)


def _doings(request: HttpRequest, row: Any) -> dict[str, Any]:
    return {"may_keep": request.actor.may(KEEP), "address": _address(request, row)}  # type: ignore[attr-defined]


detail_screen(
    DetailScreen(
        name="certificate",
        path="library/certificates/<uuid:pk>/",
        title=_("Certificate"),
        model=Certificate,
        permission=SEE,
        named=("number",),
        state=VALID,
        of_list="certificates",
        template="library/certificate.html",
        extra=_doings,
        sections=(
            Section(
                _("Certificate"),
                (
                    "attendee",
                    "organisation_name",
                    TRAINING_TITLE,
                    "score",
                    "issued_at",
                    "revoked_at",
                    "revoke_reason",
                    "region_code",
                    "sector",
                ),
            ),
        ),
    )
)


def _address(request: HttpRequest, certificate: Any) -> str:
    return request.build_absolute_uri(reverse("certificate-check", args=[certificate.token]))


@page("library/certificates/<uuid:pk>/file/", name="certificate-file", permission=SEE)
def certificate_file(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The certificate as PDF in the reader's language; the same each time it is asked for."""
    row = Certificate.objects.filter(pk=pk).select_related("training__host").first()
    if row is None:
        raise Http404
    if row.revoked_at:
        raise Refused(
            "revoked",
            _("The certificate is revoked."),
            remedy=_("Its page says why. Ask the host of the training."),
            status=409,
        )
    training, address = row.training, _address(request, row)
    held = beijing_day(training.starts_at)
    points = (
        ngettext("%(points)s point", "%(points)s points", row.score) % {"points": row.score}
        if row.score is not None
        else ""
    )
    data = {
        "language": "zh" if is_chinese() else "en",
        "title": row.number,
        "heading": _now("Certificate of training"),
        "number_line": _now("No. %(number)s") % {"number": row.number},
        "name": row.attendee,
        "organisation": row.organisation_name,
        "sentence": _now("took part in the following training on work safety and met its requirements:"),
        "training": training.title,
        "details": " · ".join(part for part in (held.isoformat(), training.place, points) if part),
        "issuer": str(training.host),
        "issued_line": beijing_day(row.issued_at).isoformat(),
        "note": _now("Whether it is still valid is said by the page that the code leads to."),
        "verify_line": _now("Scan to check"),
    }
    made = typeset("library/certificate.typ", data, files={"code.svg": qr_svg(address)}, at=row.issued_at)
    response = HttpResponse(made, content_type="application/pdf")
    response["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(row.number)}.pdf"
    return response


class RevokeForm(Form):
    reason = forms.CharField(
        label=_("Reason"), max_length=200, help_text=_("Everybody who checks the certificate reads it.")
    )


@page(
    "library/certificates/<uuid:pk>/revoke/",
    name="certificate-revoke",
    title=_("Revoke the certificate"),
    permission=KEEP,
    methods=("GET", "POST"),
)
def certificate_revoke(request: HttpRequest, pk: UUID) -> HttpResponse:
    row = Certificate.objects.filter(pk=pk).first()
    if row is None:
        raise Http404
    form = RevokeForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            revoke_certificate(row, by=request.actor, at=request.at, reason=form.cleaned_data["reason"])  # type: ignore[attr-defined]
        except Refused as refused:
            form.refuse(refused)
        else:
            return redirect("certificate", pk)
    return form_page(
        request, form, _("Revoke the certificate"), _("Revoke for good"), "certificate", pk, about=row.number
    )


@page("check/certificates/<str:token>/", name="certificate-check", title=_("Check a certificate"), is_open=True)
def certificate_check(request: HttpRequest, token: str) -> HttpResponse:
    """For anybody who holds a certificate in his hands: whether it is ours and still valid; nobody's full name."""
    with inside(EVERYTHING):
        row = Certificate.objects.filter(token=token).select_related("training__host").first()
    words = {"row": row, "holder": masked(row.attendee) if row else ""}
    return render(request, "library/certificate_check.html", words, status=200 if row else 404)
