"""Forms: a label above, help below, an error that names the remedy, and the classes of the page's look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.forms.utils import pretty_name
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from anze.kernel.refusal import Refused


class Boxes(forms.CheckboxSelectMultiple):
    """Several of many: boxes to tick in a frame that scrolls, parts of a group folded under it, and a field that
    narrows them down where there are many. No key has to be held, and a finger can do it."""

    many = 12  # more than so many are narrowed down by typing

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        drawn = self.get_context(name, value, attrs)["widget"]
        groups = [(title, options) for title, options, _place in drawn["optgroups"]]
        count = sum(len(options) for _title, options in groups)
        words = {
            "id": drawn["attrs"].get("id", name),
            "groups": groups,
            "chosen": sum(option["selected"] for _title, options in groups for option in options),
            "has_filter": count > self.many,
        }
        return mark_safe(render_to_string("screen/boxes.html", words))  # noqa: S308 - a page's own fragment


class Several(forms.MultipleChoiceField):
    """The one way of choosing several things of a list in a form."""

    widget = Boxes


class Form(forms.Form):
    """Every form of the platform derives from this one, or from `ModelForm` through `Styled`."""

    required_css_class = "required"

    def __init__(self, *positional: Any, **words: Any) -> None:
        words.setdefault("label_suffix", "")
        super().__init__(*positional, **words)
        style(self)

    def refuse(self, refused: Refused) -> None:
        """Show a refusal of an action at the field it is about."""
        where = refused.field if refused.field in self.fields else None
        self.add_error(where, " ".join(word for word in (refused.message, refused.remedy) if word))


def answer_form(request: HttpRequest, form: Form, act: Callable[[dict[str, Any]], Any], **words: Any) -> HttpResponse:
    """Show a form with the words of `answer_page`; when it is filled in, act, and go where the result is shown. A
    refusal stands at its field."""
    if form.is_bound and form.is_valid():
        try:
            return redirect(act(form.cleaned_data))
        except Refused as refused:
            if refused.status == 403:
                raise
            form.refuse(refused)
    return answer_page(request, form, **words)


def answer_page(
    request: HttpRequest,
    form: Form,
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
    """The page of a form that has a page of its own; `back` is where it came from, `facts` stand beside it."""
    words = {
        "form": form, "title": title, "done": done, "back": back, "back_title": back_title, "about": about,
        "tone": tone, "facts": facts, "facts_title": facts_title,
    }  # fmt: skip
    return render(request, "screen/answer.html", words, status=422 if form.is_bound else 200)


def style(form: forms.BaseForm) -> None:
    """Give each widget its class and connect it with its help and errors for those who listen to the page."""
    for name, field in form.fields.items():
        widget = field.widget
        if isinstance(widget, forms.CheckboxInput):
            kind = "form-check-input"
        elif isinstance(widget, forms.CheckboxSelectMultiple | forms.RadioSelect | forms.HiddenInput):
            kind = ""
        elif isinstance(widget, forms.Select):
            kind = "form-select"
        else:
            kind = "form-control"
        if isinstance(widget, forms.DateInput):
            widget.input_type = "date"
            widget.format = "%Y-%m-%d"
        # fields in error carry aria-invalid, which the style sheet shows; asking for errors here would check
        # the form before its maker has filled in the choices
        widget.attrs["class"] = " ".join(each for each in (widget.attrs.get("class", ""), kind) if each)
        if not isinstance(widget, forms.HiddenInput):
            described = str(form.auto_id) % name if form.auto_id else name
            widget.attrs.setdefault("aria-describedby", f"{described}_about")
        # Django's own sentences are fine; this one alone says neither which field nor what to do
        if "required" in field.error_messages:
            field.error_messages["required"] = _("“%(field)s” is needed: fill it in.") % {
                "field": field.label or pretty_name(name)
            }
