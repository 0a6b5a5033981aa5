"""Schemes: what counts how much, version by version, as a page and as a file."""

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

from anze.assessment.actions.schemes import add_scheme, issue_scheme
from anze.assessment.models import Scheme
from anze.assessment.rules import SchemeState, differences, scheme_file
from anze.assessment.screens.words import input_title, scheme_table, supervision_text
from anze.library.screens import in_language
from anze.parties.rules import Permission
from anze.prevention.screens.forms import answer_form
from anze.screen.columns import Column, Kind
from anze.screen.details import DetailScreen, Section, Way, detail_screen
from anze.screen.filters import Choice, Search
from anze.screen.forms import Form
from anze.screen.lists import Button, ListScreen, list_screen, waiting
from anze.screen.registry import page

SEE, RUN = Permission.SEE_ASSESSMENT, Permission.RUN_ASSESSMENT

TITLE = Column("title", title=pgettext_lazy("scheme", "Scheme"), needs=("title_zh", "title_en"), compute=in_language)
STATE = Column("state", tones={"ISSUED": "success", "DRAFT": "warning"})

SCHEMES = list_screen(
    ListScreen(
        name="schemes",
        path="assessment/schemes/",
        title=_("Schemes"),
        about=_("What is assessed, with which weight, by which rule. A version that was issued is never changed."),
        model=Scheme,
        permission=SEE,
        detail="scheme",
        sort="-made_at",
        columns=(
            TITLE,
            Column("version"),
            Column("subject"),
            STATE,
            Column("is_example"),
            Column("valid_from"),
            Column("valid_to"),
            Column("issued_at", optional=True),
            Column("code", kind=Kind.CODE, optional=True),
            Column("made_at", optional=True),
        ),
        filters=(
            Search(inside=("code", "title_zh", "title_en"), title=_("Title or code")),
            Choice("subject", main=True),
            Choice("state"),
        ),
        buttons=(Button(_("Load a scheme"), "scheme-new", RUN, "upload"),),
        order=40,
        icon="list-check",
    )
)


waiting(
    SCHEMES,
    "schemes-offered",
    _("Versions of schemes that are not issued"),
    why=_("Look at what changed against the version before, then issue it or leave it."),
    order=60,
    permission=RUN,
    state="DRAFT",
)


def _content(request: HttpRequest, scheme: Any) -> dict[str, Any]:
    """The tables of the scheme, and what changed against another version of the reader's choice."""
    others = list(Scheme.objects.filter(code=scheme.code).exclude(pk=scheme.pk).order_by("-version"))
    chosen = request.GET.get("against", "")
    against = next((each for each in others if str(each.pk) == chosen), others[0] if others else None)
    text = scheme.text
    return {
        "text": text,
        "dimensions": scheme_table(text),
        "tie_breaks": [text.titled(code) for code in text.tie_breaks],
        "small_scored": [text.titled(code) for code in text.small_sample.scored],
        "others": others,
        "against": against,
        "differences": differences(against.text, text) if against else [],
        "input_title": input_title,
        "supervision_text": supervision_text,
    }


def _ways(request: HttpRequest, scheme: Any) -> list[Way]:
    ways = [Way(_("Save as a file"), reverse("scheme-file", args=[scheme.pk]), "download")]
    if scheme.state == SchemeState.DRAFT and request.actor.may(RUN):  # type: ignore[attr-defined]
        ways.append(Way(_("Issue"), reverse("scheme-issue", args=[scheme.pk]), "check", "primary", at_once=True))
    return ways


detail_screen(
    DetailScreen(
        name="scheme",
        path="assessment/schemes/<uuid:pk>/",
        title=pgettext_lazy("scheme", "Scheme"),
        model=Scheme,
        permission=SEE,
        named=(),
        state=STATE,
        of_list="schemes",
        template="assessment/scheme.html",
        extra=_content,
        ways=_ways,
        sections=(
            Section(
                _("This version"),
                (
                    "version", "subject", Column("region_code"), "valid_from", "valid_to", "is_example",
                    "issued_at", "issued_by",
                    Column("code", kind=Kind.CODE), Column("sha256", kind=Kind.CODE),
                ),
            ),
        ),
    )
)  # fmt: skip


def scheme_or_404(pk: UUID) -> Scheme:
    found = Scheme.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


@page("assessment/schemes/<uuid:pk>/file/", name="scheme-file", permission=SEE)
def scheme_download(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The scheme as a file that can be changed and loaded again as a new version."""
    scheme = scheme_or_404(pk)
    answer = HttpResponse(scheme_file(scheme.content), content_type="application/json; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{scheme.code}-v{scheme.version}.json"'
    return answer


class SchemeForm(Form):
    file = forms.FileField(
        label=_("File of the scheme"),
        help_text=_("Save an existing scheme as a file, change it, give it a higher version, and load it here."),
    )


@page("assessment/schemes/new/", name="scheme-new", title=_("Load a scheme"), permission=RUN, methods=("GET", "POST"))
def scheme_new(request: HttpRequest) -> HttpResponse:
    form = SchemeForm(request.POST, request.FILES) if request.method == "POST" else SchemeForm()

    def act(words: dict[str, Any]) -> str:
        made = add_scheme(words["file"].read(1_000_000), by=request.actor, at=request.at)  # type: ignore[attr-defined]
        messages.success(request, _now("The scheme is loaded as a draft. Look at what changed, then issue it."))
        return reverse("scheme", args=[made.pk])

    return answer_form(
        request, form, act, title=_("Load a scheme"), done=_("Check and load"), back=reverse("schemes"),
        back_title=_("Schemes"),
        about=_("Every weight, curve and input is checked; nothing is used before it is issued."),
    )  # fmt: skip


@page("assessment/schemes/<uuid:pk>/issue/", name="scheme-issue", permission=RUN, methods=("POST",))
def scheme_issue(request: HttpRequest, pk: UUID) -> HttpResponse:
    issue_scheme(scheme_or_404(pk), by=request.actor, at=request.at)  # type: ignore[attr-defined]
    messages.success(request, _now("The version is issued."))
    return redirect("scheme", pk)
