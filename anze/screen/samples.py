"""Pages of samples and of what was drawn, whatever is sampled: forms, words, the published population."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from anze.kernel.drawing import Marks, pass_mark
from anze.kernel.models import DrawnRecord, DrawnSample
from anze.kernel.rules import Criterion, SampleState
from anze.screen.columns import Column, Kind
from anze.screen.details import Section
from anze.screen.forms import Form

SAMPLE_STATE = Column("state", tones={"FIXED": "warning", "DRAWN": "success"})


class DrawForm(Form):
    title = forms.CharField(label=_("Title"), max_length=120)
    period_from = forms.DateField(label=_("Records from"), widget=forms.DateInput())
    period_to = forms.DateField(label=_("Records until"), widget=forms.DateInput())
    size = forms.IntegerField(label=_("How many are drawn"), min_value=1, max_value=5000)


class SeedForm(Form):
    seed = forms.CharField(
        label=_("Seed"), max_length=100,
        help_text=_("Numbers published after the population was fixed, which nobody here can choose."),
    )  # fmt: skip
    source = forms.CharField(label=_("Where the seed comes from"), max_length=200)


def sample_sections(*first: str) -> tuple[Section, ...]:
    """What a sample's page shows, a room's own columns first."""
    return (
        Section(_("The draw"), (*first, "period_from", "period_to", "size", "seed", "seed_source", "drawn_at")),
        Section(
            _("The population"),
            ("population_count", Column("population_sha256", kind=Kind.CODE), "fixed_at", "fixed_by"),
        ),
    )


def sample_words(sample: DrawnSample, *, may_draw: bool, draw: str, population: str) -> dict[str, Any]:
    """What `screen/sample.html` says: `draw` and `population` are the names of these pages."""
    waits = may_draw and sample.state == SampleState.FIXED
    return {
        "drawing": SeedForm() if waits else None,
        "draw": reverse(draw, args=[sample.pk]),
        "population": reverse(population, args=[sample.pk]),
    }


def population_file(sample: DrawnSample) -> HttpResponse:
    """The population as it was fixed: meaningless keys, from which `tools/draw_sample.py` draws again."""
    answer = HttpResponse(sample.population.keys, content_type="text/plain; charset=utf-8")  # type: ignore[attr-defined]
    answer["Content-Disposition"] = f'attachment; filename="population-{sample.pk}.txt"'
    return answer


def sheet_words(
    request: HttpRequest,
    sheet: Sequence[Criterion],
    record: DrawnRecord,
    *,
    mark: str,
    may_mark: bool,
    why_not: str,
    returned: str = "",
) -> dict[str, Any]:
    """What `screen/sheet.html` says: `mark` is the name of the page the marks are sent to, `why_not` why this reader
    is not independent, `returned` what follows from a return."""
    return {
        "lines": [
            {"code": each.code, "title": each.title, "most": each.points, "points": record.marks.get(each.code)}
            for each in sheet
        ],
        "marking": reverse(mark, args=[record.pk]) if may_mark and not why_not else "",
        "why_not": why_not,
        "returned": returned,
        "needed": pass_mark(request.at),  # type: ignore[attr-defined]
    }


def marks_of(request: HttpRequest, sheet: Sequence[Criterion]) -> Marks:
    """What the reviewer sent; what is no number is missing."""
    points = {each.code: request.POST.get(each.code, "") for each in sheet}
    return Marks(
        points={code: int(text) for code, text in points.items() if text.isdecimal() and len(text) < 4},
        passes=request.POST.get("result") == "pass",
        reasons=request.POST.get("reasons", ""),
    )
