"""A form for each step of a claim, and the registration of a loss notice: both publish through the feeds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.claims.actions.notices import claim_number
from anze.claims.models import Claim
from anze.claims.rules import STEPS, RejectCode, Step
from anze.claims.screens.notices import found_notice
from anze.exchange.actions.claims import CLAIM_ACTIONS, Given, limit_words, register_notice
from anze.kernel.refusal import Refused
from anze.parties.rules import Permission
from anze.screen.columns import labels
from anze.screen.forms import Form, style
from anze.screen.lists import check_reader
from anze.screen.pages import money
from anze.screen.registry import page

Words = Any  # a text, translated when it is read


def _text(label: Words, help_text: Words = "", required: bool = True, length: int = 1000) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": 3}) if length > 200 else forms.TextInput()
    return forms.CharField(label=label, help_text=help_text, required=required, max_length=length, widget=widget)


def _amount(label: Words) -> forms.DecimalField:
    return forms.DecimalField(label=label, min_value=0, max_digits=14, decimal_places=2)


_REASON = _("Why")
# step → its fields, under the names of `Given`; a step without an entry has only words, which may be left out
FIELDS: dict[str, Callable[[], dict[str, forms.Field]]] = {
    "survey": lambda: {
        "to_whom": _text(_("Who surveyed"), length=120),
        "words": _text(_("What was seen"), _("Place, cause, extent of the loss.")),
    },
    "ask": lambda: {
        "words": _text(
            _("All that is missing"),
            _("One notice names everything (保险法 Art. 22): there is no second one."),
            length=500,
        ),
        "to_whom": _text(_("To whom"), length=120),
    },
    "hand-in": lambda: {"words": _text(_("What you hand in"), _("Name the papers; the originals go to the insurer."))},
    "documents": lambda: {"words": _text(_("Which documents"), required=False)},
    "assess": lambda: {
        "amount": _amount(_("Amount assessed (yuan)")),
        "words": _text(_("How it was calculated"), _("The enterprise reads it.")),
    },
    "object": lambda: {"words": _text(_REASON, _("The insurer assesses again and reads this."))},
    "agree": lambda: {
        "amount": _amount(_("Amount agreed (yuan)")),
        "number": _text(_("Number of the agreement"), required=False, length=40),
    },
    "advance": lambda: {
        "amount": _amount(_("Advance (yuan)")),
        "day": forms.DateField(label=_("Paid on"), required=False, widget=forms.DateInput(), help_text=_("Empty: today.")),
        "words": _text(_("What for"), _("The part that is certain already (保险法 Art. 25).")),
    },
    "pay": lambda: {
        "amount": _amount(_("Payment (yuan)")),
        "day": forms.DateField(label=_("Paid on"), required=False, widget=forms.DateInput(), help_text=_("Empty: today.")),
        "to_whom": _text(_("To whom"), _("The enterprise, or the injured directly (保险法 Art. 65)."), length=120),
        "number": _text(_("Number of the voucher"), required=False, length=40),
    },
    "reject": lambda: {
        "code": forms.ChoiceField(label=_("Ground of the rejection"), choices=lambda: list(labels(RejectCode.choices).items())),
        "words": _text(_("Reasons"), _("They stand in the refusal letter, whose days run from now (保险法 Art. 24)."), length=200),
    },
    "letter": lambda: {
        "number": _text(_("Number of the letter"), length=40),
        "to_whom": _text(_("To whom"), length=120),
    },
    "cancel": lambda: {"words": _text(_REASON)},
    "close-zero": lambda: {"words": _text(_REASON)},
}  # fmt: skip


def form_of(step: Step, claim: Claim, data: Any = None) -> Form:
    form = Form(data)
    form.fields.update(FIELDS[step.name]() if step.name in FIELDS else {"words": _text(_("Words"), required=False)})
    # the version the form was made from: who decides must have seen what he decides about
    form.fields["version"] = forms.IntegerField(widget=forms.HiddenInput, initial=claim.version, required=False)
    style(form)
    return form


def _view(step: Step) -> Callable[[HttpRequest, UUID], HttpResponse]:
    def take(request: HttpRequest, pk: UUID) -> HttpResponse:
        check_reader(request, Claim)
        claim = Claim.objects.filter(pk=pk).first()
        if claim is None:
            raise Http404
        form = form_of(step, claim, request.POST if request.method == "POST" else None)
        if form.is_bound and form.is_valid():
            words = {name: value for name, value in form.cleaned_data.items() if value not in (None, "")}
            try:
                CLAIM_ACTIONS[step.name](claim, by=request.actor, at=request.at, given=Given(**words))  # type: ignore[attr-defined]
            except Refused as refused:
                form.refuse(refused)
            else:
                messages.success(request, _now("%(step)s: done.") % {"step": step.title})
                return redirect("claim", claim.pk)
        limits = limit_words(claim)
        facts = [
            (_now("Amount claimed"), money(limits.claimed)),
            (_now("Amount assessed"), money(limits.assessed)),
            (_now("Amount agreed on"), money(limits.agreed)),
            (_now("Advances and settlements"), money(limits.paid)),
            (_now("Still possible"), money(limits.left)),
        ]
        status = 422 if form.is_bound and form.errors else 200
        words = {"form": form, "claim": claim, "step": step, "facts": facts}
        return render(request, "exchange/claim_step.html", words, status=status)

    take.__module__ = __name__
    return take


for _step in STEPS.values():
    page(
        f"claims/<uuid:pk>/{_step.name}/",
        name=f"claim-{_step.name}",
        title=_step.title,
        permission=_step.permission,
        methods=("GET", "POST"),
        room="claims",
    )(_view(_step))


class RegisterForm(Form):
    claim_no = forms.CharField(
        label=_("Claim no."), max_length=50, help_text=_("Proposed; write your own number over it.")
    )
    has_accident = forms.BooleanField(
        label=_("Record the accident too"), required=False, initial=True,
        help_text=_("Not if its record came in already from your system."),
    )  # fmt: skip


@page("claims/notices/<uuid:pk>/register/", name="loss-notice-register", title=_("Register the claim"),
      permission=Permission.HANDLE_CLAIMS, methods=("GET", "POST"), room="claims")  # fmt: skip
def register(request: HttpRequest, pk: UUID) -> HttpResponse:
    notice = found_notice(request, pk)
    data = request.POST if request.method == "POST" else None
    form = RegisterForm(data, initial={"claim_no": claim_number(notice), "has_accident": True})
    if form.is_bound and form.is_valid():
        try:
            claim = register_notice(notice, by=request.actor, at=request.at, **form.cleaned_data)  # type: ignore[attr-defined]
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _now("The claim is registered."))
            return redirect("claim", claim.pk)
    words = {
        "form": form, "title": _now("Register the claim"), "notice": notice, "save": _now("Register the claim"),
    }  # fmt: skip
    return render(request, "claims/notice_form.html", words, status=422 if form.is_bound else 200)
