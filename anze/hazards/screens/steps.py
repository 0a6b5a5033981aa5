"""A form for each step of a hazard, at an address of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.evidence.screens import forms as forms_of_evidence
from anze.hazards import actions
from anze.hazards.models import Hazard
from anze.hazards.rules import STEPS, Means, Step
from anze.hazards.screens.photos import take_photos
from anze.kernel.refusal import Refused
from anze.screen.columns import labels
from anze.screen.forms import Form, style
from anze.screen.lists import check_reader
from anze.screen.registry import page

Words = Any  # a text, translated when it is read
ACTIONS: dict[str, Callable[..., Any]] = {
    "notify": actions.notify_enterprise,
    "tell": actions.tell_principal,
    "report": actions.report_to_authority,
    "start": actions.start_rectification,
    "submit": actions.submit_rectification,
    "close": actions.close_hazard,
    "return": actions.return_rectification,
    "ask-extension": actions.ask_extension,
    "grant-extension": actions.grant_extension,
    "refuse-extension": actions.refuse_extension,
    "reopen": actions.reopen_hazard,
    "shut-down": actions.record_shut_down,
    "restart": actions.record_restart,
    "reclassify": actions.reclassify_hazard,
    "assist": actions.record_assistance,
    "supervise": actions.supervise_hazard,
    "lift": actions.lift_supervision,
    "stop": actions.order_stop,
    "resume": actions.consent_to_resume,
}


def _text(label: Words, help_text: Words = "", required: bool = True, length: int = 1000) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": 3}) if length > 200 else forms.TextInput()
    return forms.CharField(label=label, help_text=help_text, required=required, max_length=length, widget=widget)


def _day(label: Words, help_text: Words = "", required: bool = True) -> forms.DateField:
    return forms.DateField(label=label, help_text=help_text, required=required, widget=forms.DateInput())


def _means() -> forms.ChoiceField:
    return forms.ChoiceField(label=_("How"), choices=lambda: list(labels(Means.choices).items()))


_REASON = _("Why")
# step → its fields, under the names of the action's words
FIELDS: dict[str, Callable[[], dict[str, forms.Field]]] = {
    "notify": lambda: {
        "to_whom": _text(_("To whom"), _("Name and post at the enterprise."), length=120),
        "means": _means(),
        "words": _text(_("Words"), required=False),
    },
    "tell": lambda: {
        "to_whom": _text(_("Principal or actual controller"), _("Who was told in person or in writing."), length=120),
        "means": _means(),
        "words": _text(_("Words"), required=False),
    },
    "report": lambda: {
        "to_whom": _text(_("To which authority"), length=120),
        "number": _text(_("Number of the letter"), required=False, length=40),
        "words": _text(_("Words"), required=False),
    },
    "start": lambda: {
        "to_whom": _text(_("Person responsible"), length=120),
        "words": _text(_("Measures"), _("What will be done, and how it is kept safe until then.")),
    },
    "submit": lambda: {
        "words": _text(_("What was done")),
        "cost": forms.DecimalField(
            label=_("Cost (yuan)"), required=False, min_value=0, max_digits=12, decimal_places=2
        ),
    },
    "close": lambda: {"words": _text(_("What was seen"), required=False)},
    "return": lambda: {"words": _text(_("What is still missing"))},
    "ask-extension": lambda: {"until": _day(_("Extended until")), "words": _text(_REASON)},
    "grant-extension": lambda: {
        "until": _day(_("Extended until"), _("Empty: until the day asked for."), required=False),
        "words": _text(_("Words"), required=False),
    },
    "refuse-extension": lambda: {"words": _text(_REASON)},
    "reopen": lambda: {"words": _text(_REASON)},
    "shut-down": lambda: {"words": _text(_("Since when, and how you know"))},
    "restart": lambda: {"words": _text(_("Words"), required=False)},
    "reclassify": lambda: {
        "criterion_code": _text(
            _("Criterion"), _("The criterion of the sector's standard it rests on."), required=False, length=20
        ),
        "words": _text(_REASON),
    },
    "assist": lambda: {
        "to_whom": _text(_("Who helped"), length=120),
        "words": _text(_("How"), required=False),
    },
    "supervise": lambda: {
        "number": _text(_("Listing no."), length=40),
        "until": _day(_("To be rectified by")),
        "words": _text(_("Measures required"), required=False),
    },
    "lift": lambda: {"words": _text(_REASON)},
    "stop": lambda: {"number": _text(_("Number of the order"), length=40), "words": _text(_REASON)},
    "resume": lambda: {
        "words": _text(_("What was verified")),
        "number": _text(_("Number of the consent"), required=False, length=40),
    },
}
WITH_PHOTOS: dict[str, Words] = {
    "submit": _("Photos afterwards"),
    "start": _("Photos of the protection until then"),
    "close": _("Photos of the recheck"),
    "return": _("Photos of what is missing"),
    "reopen": _("Photos"),
}


def photos_field(label: Words, hint: bool = True) -> forms.FileField:
    return forms_of_evidence.photos_field(
        label, _("From the same place as the picture before, so that both show the same scene.") if hint else ""
    )


def _view(step: Step) -> Callable[[HttpRequest, UUID], HttpResponse]:
    def take(request: HttpRequest, pk: UUID) -> HttpResponse:
        check_reader(request, Hazard)
        hazard = Hazard.objects.filter(pk=pk).first()
        if hazard is None:
            raise Http404
        form = form_of(step, request)
        if request.method == "POST" and form.is_valid():
            try:
                words = {name: value for name, value in form.cleaned_data.items() if value not in (None, "")}
                required = {name: "" for name, field in form.fields.items() if field.required}
                with transaction.atomic():
                    given = {**required, **words}
                    if given.pop("photos", None):
                        given["media"] = take_photos(request, hazard, step.name, request.actor)  # type: ignore[attr-defined]
                    ACTIONS[step.name](hazard, by=request.actor, at=request.at, **given)  # type: ignore[attr-defined]
            except Refused as refused:
                form.refuse(refused)
            else:
                messages.success(request, _now("%(step)s: done.") % {"step": step.title})
                return redirect("hazard", hazard.pk)
        status = 422 if form.is_bound and form.errors else 200
        return render(request, "hazards/step.html", {"form": form, "hazard": hazard, "step": step}, status=status)

    take.__module__ = __name__
    return take


def form_of(step: Step, request: HttpRequest) -> Form:
    form = Form(request.POST or None, request.FILES or None) if request.method == "POST" else Form()
    form.fields.update(FIELDS[step.name]())
    if step.name in WITH_PHOTOS:
        form.fields["photos"] = photos_field(WITH_PHOTOS[step.name])
    style(form)
    return form


for _step in STEPS.values():
    page(
        f"hazards/<uuid:pk>/{_step.name}/",
        name=f"hazard-{_step.name}",
        title=_step.title,
        permission=_step.permission,
        methods=("GET", "POST"),
    )(_view(_step))
