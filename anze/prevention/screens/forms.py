"""What the forms of this room share: reasons, choices of regions and sectors, one page for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from anze.kernel.actor import Actor
from anze.kernel.refusal import Refused
from anze.kernel.rules import Sector
from anze.parties.models import Region
from anze.parties.screens import REGION_NAMES
from anze.screen.columns import DASH, labels
from anze.screen.filters import Asking
from anze.screen.forms import Form


class ReasonForm(Form):
    reason = forms.CharField(
        label=_("Reason"), max_length=200, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The other side reads it."),
    )  # fmt: skip


def answer_form(
    request: HttpRequest,
    form: Form,
    act: Callable[[dict[str, Any]], Any],
    *,
    title: Any,
    done: Any,
    back: str,
    back_title: Any,
    about: Any = "",
    tone: str = "primary",
    facts: Sequence[tuple[Any, Any]] = (),
    facts_title: Any = "",
) -> HttpResponse:
    """Show a form; when it is filled in, act, and go where the result is shown. A refusal stands at its field."""
    if form.is_bound and form.is_valid():
        try:
            return redirect(act(form.cleaned_data))
        except Refused as refused:
            if refused.status == 403:
                raise
            form.refuse(refused)
    words = {
        "form": form, "title": title, "done": done, "back": back, "back_title": back_title, "about": about,
        "tone": tone, "facts": facts, "facts_title": facts_title,
    }  # fmt: skip
    return render(request, "prevention/form.html", words, status=422 if form.is_bound else 200)


def region_choices(actor: Actor) -> list[tuple[str, str]]:
    """The cities and counties somebody's area holds."""
    codes = Region.objects.filter(valid_to__isnull=True).exclude(kind="PROVINCE").values_list("code", flat=True)
    return [(code, REGION_NAMES.name(code)) for code in sorted(codes) if actor.scope.covers_region(code)]


def sector_choices() -> list[tuple[str, str]]:
    return list(labels(Sector.choices).items())


def region_names(asking: Asking, codes: Sequence[str]) -> str:
    return "、".join(REGION_NAMES.name(code) for code in codes) or DASH


def sector_names(asking: Asking, codes: Sequence[str]) -> str:
    names = labels(Sector.choices)
    return "、".join(names.get(code, code) for code in codes) or DASH
