"""Drafts of new editions: the committee's own workshop. Rows are edited here or in a file (see exchange)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.kernel.duty import beijing_day
from anze.kernel.refusal import Refused
from anze.kernel.rules import Sector
from anze.library.actions import begin_draft, change_draft, discard_draft, problems_of, publish_draft
from anze.library.models import Checklist, Draft, Standard
from anze.library.rules import DRAFT_COLUMNS, Answer, AnswerKind, DraftKind, DraftState, TextStatus
from anze.library.screens.materials import form_page
from anze.parties.rules import Permission
from anze.screen.columns import Column, Kind
from anze.screen.filters import Choice, Search
from anze.screen.forms import Form, style
from anze.screen.lists import ListScreen, list_screen, waiting
from anze.screen.registry import page

KEEP = Permission.KEEP_LIBRARY

DRAFTS = list_screen(
    ListScreen(
        name="drafts",
        path="library/drafts/",
        title=_("Drafts"),
        about=_("New editions being worded. Nobody else sees them until they are published; begin one on the page of a standard or checklist."),
        model=Draft,
        permission=KEEP,
        detail="draft",
        sort="-id",
        columns=(
            Column("title"),
            Column("kind"),
            Column("of_code", kind=Kind.CODE),
            Column("state", tones={"DRAFT": "info", "PUBLISHED": "success", "DISCARDED": ""}),
            Column("made_at"),
            Column("made_by_name"),
            Column("ended_at", optional=True),
            Column("id", title=_("Order of entry"), optional=True),
        ),
        filters=(Search(inside=("title", "of_code"), title=_("Title or code")), Choice("state", main=True), Choice("kind")),
        exported=False,
        order=90,
        icon="pencil",
    )
)  # fmt: skip


def draft_of(pk: UUID) -> Draft:
    found = Draft.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _begin(request: HttpRequest, model: Any, pk: UUID) -> HttpResponse:
    source = model.objects.filter(pk=pk).first()
    if source is None:
        raise Http404
    draft = begin_draft(source, by=request.actor, at=request.at)  # type: ignore[attr-defined]
    return redirect("draft", draft.pk)


@page("library/standards/<uuid:pk>/draft/", name="standard-draft", permission=KEEP, methods=("POST",))
def standard_draft(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _begin(request, Standard, pk)


@page("library/checklists/<uuid:pk>/draft/", name="checklist-draft", permission=KEEP, methods=("POST",))
def checklist_draft(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _begin(request, Checklist, pk)


@page("library/drafts/<uuid:pk>/", name="draft", title=_("Draft"), permission=KEEP)
def draft_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The draft with everything that still keeps it from being published."""
    draft = draft_of(pk)
    is_open = draft.state == DraftState.DRAFT
    columns = DRAFT_COLUMNS[draft.kind]
    found = problems_of(draft, beijing_day(request.at)) if is_open else []  # type: ignore[attr-defined]
    names = dict(columns) | {name: field.label for name, field in _head_form(draft).base_fields.items()}
    words = {
        "draft": draft,
        "is_open": is_open,
        "columns": columns,
        "rows": [(n, [row.get(name, "") for name, _title in columns]) for n, row in enumerate(draft.rows, 1)],
        "head": [
            (field.label, draft.head.get(name, "") or "–") for name, field in _head_form(draft).base_fields.items()
        ],
        "problems": [(each, names.get(each.field, each.field)) for each in found],
    }
    return render(request, "library/draft.html", words)


class StandardHead(Form):
    number = forms.CharField(label=_("Number"), max_length=60)
    edition = forms.RegexField(
        r"^[0-9A-Z.-]{1,20}$", label=_("Edition"), help_text=_("Such as the year; the code ends with it.")
    )
    issued = forms.RegexField(
        r"^\d{4}(-\d\d(-\d\d)?)?$", label=_("Issued"), help_text=_("Year, month or day, such as 2026-12-01.")
    )
    title_zh = forms.CharField(label=_("Title (Chinese)"), max_length=160)
    title_en = forms.CharField(label=_("Title (English)"), max_length=200)
    source = forms.CharField(label=_("Source"), max_length=300, required=False)
    effective_from = forms.DateField(label=_("In force from"), widget=forms.DateInput())


class ChecklistHead(Form):
    title_zh = forms.CharField(label=_("Title (Chinese)"), max_length=120)
    title_en = forms.CharField(label=_("Title (English)"), max_length=160)
    standard = forms.CharField(label=_("Code of the standard it is made for"), max_length=40, required=False)
    effective_from = forms.DateField(label=_("In force from"), widget=forms.DateInput())


def _head_form(draft: Draft) -> Any:
    return StandardHead if draft.kind == DraftKind.STANDARD else ChecklistHead


@page(
    "library/drafts/<uuid:pk>/head/",
    name="draft-head",
    title=_("Title and dates"),
    permission=KEEP,
    methods=("GET", "POST"),
)
def draft_head(request: HttpRequest, pk: UUID) -> HttpResponse:
    draft = draft_of(pk)
    form = _head_form(draft)(request.POST if request.method == "POST" else None, initial=draft.head)
    if form.is_bound and form.is_valid():
        try:
            change_draft(draft, by=request.actor, at=request.at, head=form.cleaned_data)  # type: ignore[attr-defined]
        except Refused as refused:
            form.refuse(refused)
        else:
            return redirect("draft", pk)
    return form_page(request, form, _("Title and dates"), _("Save"), "draft", pk)


_CHOICES: dict[str, Any] = {
    "sector": Sector.choices,
    "status": TextStatus.choices,
    "answer": AnswerKind.choices,
    "needs_photo": [("1", _("yes"))],
    "shown_if_answer": Answer.choices,
}


class RowForm(Form):
    """One row of a draft. Nothing is required here: the draft's page says what is still missing."""

    def __init__(self, kind: str, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        for name, title in DRAFT_COLUMNS[kind]:
            if name in _CHOICES:
                choices = [("", "–"), *_CHOICES[name]]
                self.fields[name] = forms.ChoiceField(label=title, choices=choices, required=False)
            else:
                widget = forms.Textarea(attrs={"rows": 2}) if name.startswith("text_") else None
                self.fields[name] = forms.CharField(label=title, required=False, widget=widget)
        style(self)


@page(
    "library/drafts/<uuid:pk>/row/",
    name="draft-row",
    title=_("Row of the draft"),
    permission=KEEP,
    methods=("GET", "POST"),
)
def draft_row(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One row: changed, taken out, or — past the last — added."""
    draft = draft_of(pk)
    asked = request.GET.get("n", "")
    n = int(asked) if asked.isdecimal() and 1 <= int(asked) <= len(draft.rows) else len(draft.rows) + 1
    is_new = n > len(draft.rows)
    form = RowForm(
        draft.kind, request.POST if request.method == "POST" else None, initial={} if is_new else draft.rows[n - 1]
    )
    if form.is_bound and form.is_valid():
        taken_out = bool(request.POST.get("take_out"))
        put_in = [] if taken_out else [form.cleaned_data]
        rows = [*draft.rows[: n - 1], *put_in, *draft.rows[n:]]
        change_draft(draft, by=request.actor, at=request.at, rows=rows)  # type: ignore[attr-defined]
        return redirect("draft", pk)
    words = {"form": form, "draft": draft, "n": n, "is_new": is_new}
    return render(request, "library/draft_row.html", words)


@page("library/drafts/<uuid:pk>/publish/", name="draft-publish", permission=KEEP, methods=("POST",))
def draft_publish(request: HttpRequest, pk: UUID) -> HttpResponse:
    made = publish_draft(draft_of(pk), by=request.actor, at=request.at)  # type: ignore[attr-defined]
    messages.success(request, _now("Published. In force from %(day)s.") % {"day": made.effective_from})
    return redirect("standard" if isinstance(made, Standard) else "checklist", made.pk)


@page("library/drafts/<uuid:pk>/discard/", name="draft-discard", permission=KEEP, methods=("POST",))
def draft_discard(request: HttpRequest, pk: UUID) -> HttpResponse:
    discard_draft(draft_of(pk), by=request.actor, at=request.at)  # type: ignore[attr-defined]
    return redirect("drafts")


waiting(
    DRAFTS,
    "drafts-open",
    _("Drafts not yet published"),
    why=_("Nobody else sees them."),
    order=64,
    state="DRAFT",
)
