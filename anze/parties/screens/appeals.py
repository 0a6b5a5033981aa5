"""Appeals: raised by the party concerned, worked off by those who did not decide before."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.actor import Actor
from anze.kernel.refusal import Refused
from anze.parties.access import acts_for
from anze.parties.actions.appeals import (
    APPEALABLE,
    appeal_until,
    decide_appeal,
    find_appealed,
    raise_appeal,
    why_not_decide_appeal,
    withdraw_appeal,
)
from anze.parties.models import Appeal
from anze.parties.rules import Permission, Role
from anze.parties.rules.entering import APPEAL_TONES, AppealState
from anze.parties.screens.entering import AppealForm, documents_of
from anze.screen.columns import Column
from anze.screen.details import DetailScreen, Section, Way, detail_screen
from anze.screen.filters import Asking, Case, Cases, Choice, Dates, Search
from anze.screen.forms import Form, answer_form
from anze.screen.lists import ListScreen, list_screen, waiting
from anze.screen.pages import deadline
from anze.screen.registry import page

P = Permission
STATE = Column("state", tones=APPEAL_TONES)


def _kind_said(asking: Asking, kind: str) -> str:
    found = APPEALABLE.get(kind)
    return str(found.title) if found else kind


def _late(asking: Asking) -> Q:
    return Q(state=AppealState.OPEN, due_at__lt=asking.at)


APPEALS = list_screen(
    ListScreen(
        name="entry-appeals",
        path="parties/appeals/",
        title=_("Appeals on entering and standing"),
        about=_("Against refused applications, suspensions, the blacklist and exclusions; somebody else decides them."),
        model=Appeal,
        permission=P.SEE_ENTRIES,
        detail="entry-appeal",
        sort="-raised_at",
        columns=(
            Column("number"),
            Column("party_name"),
            Column("subject_kind", title=_("Against"), needs=("subject_kind",), compute=_kind_said),
            Column("title"),
            STATE,
            Column("raised_at"),
            Column("due_at"),
            Column("closed_by_name", optional=True),
        ),
        filters=(
            Search(own=("number",), inside=("party_name",), title=_("Number or party")),
            Choice("state", main=True),
            Cases("late", _("Time"), cases={"yes": Case(_("decision overdue"), _late)}),
            Dates("raised_at"),
        ),
        order=88,
        icon="gavel",
    )
)
waiting(
    APPEALS,
    "entry-appeals-open",
    _("Appeals to decide"),
    why=_("Somebody else than who decided first looks at it again."),
    tone="warning",
    order=60,
    roles=frozenset({Role.PROVINCE_REGULATOR, Role.COMMITTEE}),
    state="OPEN",
)


def _ways(request: HttpRequest, row: Any) -> list[Way]:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    if row.state != AppealState.OPEN:
        return []
    ways = []
    if actor.may(P.DECIDE_APPEALS) and why_not_decide_appeal(row, actor) is None:
        ways.append(
            Way(pgettext_lazy("appeal", "Decide"), reverse("entry-appeal-decide", args=[row.pk]), "gavel", "primary")
        )
    if actor.may(P.APPLY) and acts_for(actor, row):
        ways.append(Way(_("Withdraw"), reverse("entry-appeal-withdraw", args=[row.pk]), "arrow-left", at_once=True))
    return ways


def _shown(request: HttpRequest, row: Any) -> dict[str, Any]:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    may_add = row.state == AppealState.OPEN and acts_for(actor, row)
    return {
        "documents": documents_of(appeal=row),
        "adds_to": reverse("entry-appeal-paper", args=[row.pk]) if may_add else "",
        "why_not": why_not_decide_appeal(row, actor)
        if row.state == AppealState.OPEN and actor.may(P.DECIDE_APPEALS)
        else None,
        "against": _against(request, row),
    }


def _against(request: HttpRequest, row: Appeal) -> str:
    """The page of what is appealed against, where the reader may open it."""
    pages = {"application": P.SEE_ENTRIES, "standing": P.SEE_PARTIES, "seat": P.SEE_PARTIES}
    may = row.subject_kind in pages and request.actor.may(pages[row.subject_kind])  # type: ignore[attr-defined]
    return reverse(row.subject_kind, args=[row.subject]) if may else ""


APPEAL_PAGE = detail_screen(
    DetailScreen(
        name="entry-appeal",
        path="parties/appeals/<uuid:pk>/",
        title=_("Appeal"),
        model=Appeal,
        permission=P.SEE_ENTRIES,
        named=("number",),
        of_list="entry-appeals",
        state=STATE,
        template="parties/with_papers.html",
        extra=_shown,
        ways=_ways,
        sections=(
            Section(
                _("The appeal"),
                (
                    "party_name",
                    Column("subject_kind", title=_("Against"), needs=("subject_kind",), compute=_kind_said),
                    "title",
                    "decided_on",
                    "decided_by_name",
                    "grounds",
                    "raised_by",
                    "raised_at",
                    "due_at",
                ),
            ),
            Section(pgettext_lazy("appeal", "The decision"), ("reasons", "closed_by_name", "closed_at")),
        ),
    )
)


@page("parties/appeals/new/<str:kind>/<uuid:key>/", name="entry-appeal-new", title=_("Appeal"), permission=P.APPLY,
      methods=("GET", "POST"))  # fmt: skip
def new_appeal(request: HttpRequest, kind: str, key: UUID) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    decision = find_appealed(kind, key, actor)
    if decision is None:
        raise Refused(
            "nothing_to_appeal",
            _("There is no such decision against you."),
            remedy=_("Open the decision itself, and appeal from there while its time runs."),
            status=409,
        )
    form = AppealForm(request.POST if request.method == "POST" else None)

    def go(given: dict[str, Any]) -> str:
        made = raise_appeal(decision, by=actor, at=request.at, kind=kind, **given)  # type: ignore[attr-defined]
        return reverse("entry-appeal", args=[made.pk])

    facts = [
        (pgettext_lazy("appeal on entering", "Decision"), decision.title),
        (_("Decided by"), decision.decided_by_name),
        (_("Appeal until"), deadline(appeal_until(decision))),
    ]
    return answer_form(
        request, form, go, title=_("Appeal"), done=_("Raise the appeal"), back=reverse(decision.page, args=[key]),
        back_title=decision.title, facts=facts, facts_title=_("Against"),
    )  # fmt: skip


class DecisionForm(Form):
    is_upheld = forms.TypedChoiceField(
        label=pgettext_lazy("appeal", "The decision"), coerce=lambda value: value == "yes", widget=forms.RadioSelect,
        choices=(("yes", _("Uphold: the first decision is set right at once")),
                 ("no", _("Dismiss: the first decision stands"))),
    )  # fmt: skip
    reasons = forms.CharField(label=_("Reasons"), max_length=2000, widget=forms.Textarea(attrs={"rows": 6}))


@page("parties/appeals/<uuid:pk>/decide/", name="entry-appeal-decide", permission=P.DECIDE_APPEALS,
      methods=("GET", "POST"))  # fmt: skip
def decide(request: HttpRequest, pk: UUID) -> HttpResponse:
    row, back = APPEAL_PAGE.row(request, pk), reverse("entry-appeal", args=[pk])

    def go(given: dict[str, Any]) -> str:
        decide_appeal(row, by=request.actor, at=request.at, **given)  # type: ignore[attr-defined]
        return back

    form = DecisionForm(request.POST if request.method == "POST" else None)
    facts = [(_("Party"), row.party_name), (_("Against"), row.title), (_("Grounds"), row.grounds)]
    return answer_form(
        request, form, go, title=_("Decide the appeal"), done=pgettext_lazy("appeal", "Decide"), back=back, back_title=row.number,
        facts=facts, facts_title=_("The appeal"),
    )  # fmt: skip


@page("parties/appeals/<uuid:pk>/withdraw/", name="entry-appeal-withdraw", permission=P.APPLY, methods=("POST",))
def withdraw(request: HttpRequest, pk: UUID) -> HttpResponse:
    row = APPEAL_PAGE.row(request, pk)
    withdraw_appeal(row, by=request.actor, at=request.at)  # type: ignore[attr-defined]
    return redirect("entry-appeal", pk)
