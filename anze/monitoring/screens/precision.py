"""How precise each rule is, and what other thresholds would have given: tried on last year before they are saved."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.kernel.actor import Actor
from anze.kernel.alert import AlertRule, load_alerts
from anze.kernel.duty import beijing_day
from anze.kernel.models import Parameter
from anze.kernel.parameters import numbers
from anze.kernel.refusal import Refused
from anze.monitoring.actions import may_set, set_threshold
from anze.monitoring.backtest import can_be_tried, tried
from anze.monitoring.screens.alerts import LIST, is_for_others
from anze.parties.models import Region
from anze.parties.rules import Permission
from anze.screen.columns import labels, region_name
from anze.screen.forms import Form
from anze.screen.pages import is_chinese, percent
from anze.screen.registry import page

RULES = load_alerts()

_COUNTS = """
SELECT code, count(*) FILTER (WHERE state <> 'CLOSED'), count(*) FILTER (WHERE closing = 'GONE' AND taken_at IS NULL),
       count(*) FILTER (WHERE closing = 'GONE' AND taken_at IS NOT NULL), count(*) FILTER (WHERE is_useful),
       count(*) FILTER (WHERE NOT is_useful)
FROM monitoring_alert WHERE opened_at >= %s GROUP BY code
"""


def _figures(rule: AlertRule, counts: tuple[int, ...]) -> dict[str, Any]:
    is_open, gone, mended, useful, noise = counts
    said = mended + useful + noise
    return {
        "rule": rule,
        "level": labels(type(rule.level).choices)[rule.level.value],
        "tone": {"URGENT": "danger", "IMPORTANT": "warning"}.get(rule.level.value, "info"),
        "open": is_open, "gone": gone, "mended": mended, "useful": useful, "noise": noise,
        "precision": percent(Decimal(mended + useful) / said) if said else "–",
        "is_noisy": said >= 10 and 2 * (mended + useful) < said,
        "url": LIST.link(code=rule.code, whose="all"),
    }  # fmt: skip


def _counted(request: HttpRequest) -> dict[str, tuple[int, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, [request.at - timedelta(days=365)])  # type: ignore[attr-defined]
        return {code: tuple(counts) for code, *counts in cursor.fetchall()}


@page(
    "alerts/rules/",
    name="alert-rules",
    title=_("Alert rules"),
    permission=Permission.TUNE_ALERTS,
    in_menu=True,
    order=3,
    icon="adjustments",
)
def rules(request: HttpRequest) -> HttpResponse:
    """Every rule with what became of its alerts in the last year."""
    counted = _counted(request)
    actor: Actor = request.actor  # type: ignore[attr-defined]
    found = [
        _figures(rule, counted.get(code, (0, 0, 0, 0, 0))) for code, rule in RULES.items() if is_for_others(rule, actor)
    ]
    return render(request, "monitoring/alert_rules.html", {"rules": found})


class TrialForm(Form):
    key = forms.ChoiceField(label=_("Threshold"))
    region = forms.ChoiceField(label=_("Region"), required=False)
    value = forms.DecimalField(label=_("Value to try"), min_value=0, max_digits=12, decimal_places=4)


def _trial_form(request: HttpRequest, rule: AlertRule, titles: dict[str, str], given: Any) -> TrialForm:
    form = TrialForm(given)
    form.fields["key"].choices = [(key, titles[key]) for key in dict.fromkeys(rule.thresholds.values())]  # type: ignore[attr-defined]
    scope = request.actor.scope  # type: ignore[attr-defined]
    regions = Region.objects.order_by("code")
    if scope.region_from:
        regions = regions.filter(code__range=(scope.region_from, scope.region_to))
    everywhere = [("", _now("everywhere"))] if scope.reader == "anze_all" else []
    form.fields["region"].choices = [*everywhere, *((each.code, region_name(each.code)) for each in regions)]  # type: ignore[attr-defined]
    return form


@page(
    "alerts/rules/<slug:code>/",
    name="alert-rule",
    title=_("Alert rule"),
    permission=Permission.TUNE_ALERTS,
    methods=("GET", "POST"),
)
def rule_page(request: HttpRequest, code: str) -> HttpResponse:
    """One rule: its text, its numbers by region, and a trial of another number on last year's data."""
    rule = RULES.get(code)
    actor: Actor = request.actor  # type: ignore[attr-defined]
    if rule is None or not is_for_others(rule, actor):
        raise Http404
    today = beijing_day(request.at)  # type: ignore[attr-defined]
    rows = list(Parameter.objects.filter(key__in=rule.thresholds.values()).order_by("key", "region_code"))
    titles = {row.key: row.title_zh if is_chinese() else row.title_en for row in rows}
    units = {row.key: row.get_unit_display() for row in rows}
    asked = request.POST if request.method == "POST" else request.GET if "value" in request.GET else None
    form = _trial_form(request, rule, titles, asked)
    words: dict[str, Any] = {"rule": rule, "form": form, "can_be_tried": can_be_tried(rule), "trial": None}
    status = 200
    if form.is_bound and form.is_valid() and can_be_tried(rule):
        given = form.cleaned_data
        if request.method == "POST":
            try:
                set_threshold(rule, by=actor, at=request.at, **given)  # type: ignore[attr-defined]
            except Refused as refused:
                form.refuse(refused)
            else:
                messages.success(request, _now("The value is in force from today; the alerts follow within minutes."))
                return redirect("alert-rule", code)
        else:
            trial = tried(rule, key=given["key"], region_code=given["region"], value=given["value"], today=today)
            words |= {"trial": trial, "most": max((max(m[1:]) for m in trial.months), default=0) or 1}
            words["may_set"] = may_set(actor, given["key"], given["region"])
    if form.is_bound and form.errors:
        status = 422
    present = numbers(today, rule.thresholds.values())
    words["values"] = [
        {"title": titles[key], "key": key, "unit": units[key], "region": region_name(region) if region else "", "value": f"{value.normalize():f}"}
        for key, by_region in present.items()
        for region, value in sorted(by_region.items())
    ]  # fmt: skip
    counted = _counted(request).get(code, (0, 0, 0, 0, 0))
    words["figures"] = _figures(rule, counted)
    return render(request, "monitoring/alert_rule.html", words, status=status)
