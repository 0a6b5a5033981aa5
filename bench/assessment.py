"""The assessment of a full year: insurers, their city branches and agencies; what-if, and the page of one score.

The time of an assessment is freezing every row, its hash and all scores. Ten times the history is made as for the
figures; only what lies in the period is assessed, so ten times the rows are had by a period ten times as long.
"""

from __future__ import annotations

import time
from datetime import date

from django.utils import timezone

from anze.assessment.actions.course import Setting, compute, set_up
from anze.assessment.actions.freezing import freeze
from anze.assessment.actions.looking_back import known_on
from anze.assessment.actions.results import PROVINCE
from anze.assessment.models import Campaign, Outcome, Scheme
from anze.assessment.rules.moving import thresholds, with_thresholds, with_weights
from anze.assessment.screens.trying import what_if_words
from anze.kernel.actor import platform
from anze.kernel.duty import beijing_day
from anze.kernel.scope import EVERYTHING, inside
from anze.parties.rules import Permission
from bench import stage
from bench.figures import CHANGES, change_thousand, lengthen
from bench.people import regulator_cookie
from bench.report import Report

BY = platform(frozenset(Permission))
TRIES = 20


def assessed(first: date, last: date) -> tuple[float, int, list[Campaign]]:
    """Seconds to freeze and score insurers and agencies, and how many rows were frozen."""
    at = timezone.now()
    made, rows = [], 0
    begun = time.perf_counter()
    for code in ("EXAMPLE-INSURER", "EXAMPLE-AGENCY"):
        with inside(EVERYTHING):
            scheme = Scheme.objects.get(code=code, version=1)
            campaign = set_up(Setting(f"{first.year}", scheme, first, last), by=BY, at=at)
        with inside(EVERYTHING):  # each step a transaction, as the worker does it
            freeze(campaign, by=BY, at=at)
        with inside(EVERYTHING):
            compute(campaign, by=BY, at=at)
        rows += campaign.frozen_rows
        made.append(campaign)
    return time.perf_counter() - begun, rows, made


def tried(campaign: Campaign) -> float:
    """The slowest but one of twenty answers to “what if”, in milliseconds: each with another weight and another threshold."""
    taken = []
    with inside(EVERYTHING):
        scheme = campaign.scheme.text
        anchors = [each for each in thresholds(scheme) if each.kind == "ANCHOR"]
        for turn in range(TRIES):
            begun = time.perf_counter()
            one, element = anchors[turn % len(anchors)], scheme.elements[turn % len(scheme.elements)]
            moved = with_thresholds(scheme, {one.name: one.value * 99 / 100})
            moved = with_weights(moved, {element.code: element.weight + 5})
            what_if_words(campaign, scheme, moved, 0.1, turn)
            taken.append((time.perf_counter() - begun) * 1000)
    return sorted(taken)[int(TRIES * 0.95) - 1]


def looked_back(campaigns: list[Campaign]) -> float:
    """How many times as long the scores of ten parties of each campaign take as known before 3,000 changes, as the
    same by the records of today."""
    known_at = timezone.now()
    for change in CHANGES.values():
        change_thousand(*change, 0)
    now = timezone.now()
    spent = {known_at: 0.0, now: 0.0}
    for campaign in campaigns:
        with inside(EVERYTHING):
            outcomes = list(Outcome.objects.filter(campaign=campaign, region_code=PROVINCE).order_by("pk")[:10])
        for outcome in outcomes:
            for at in spent:
                begun = time.perf_counter()
                with inside(EVERYTHING):
                    assert known_on(outcome, at)
                spent[at] += time.perf_counter() - begun
    return spent[known_at] / spent[now]


def run(report: Report) -> None:
    today = beijing_day(timezone.now())
    last = date(today.year, 12, 30)  # a year of its own: the demonstration has assessed this one
    first = date(today.year - 1, 12, 31)
    seconds, rows, (insurers, agencies) = assessed(first, last)
    with inside(EVERYTHING):
        parties = [Outcome.objects.filter(campaign=each, region_code=PROVINCE).count() for each in (insurers, agencies)]
        branches = Outcome.objects.filter(campaign=insurers).exclude(region_code=PROVINCE).count()
        one = Outcome.objects.filter(campaign=insurers, region_code=PROVINCE).order_by("rank").first()
        assert one is not None
    who = (
        f"{parties[0]} insurers, {branches} city branches, {parties[1]} agencies, {rows:,} rows, scale {stage.SCALE:g}"
    )
    report.add(f"assessment of a year: {who}", f"{seconds:.1f} s", "≤ 30 s", seconds <= 30)
    answer = tried(insurers)
    report.add("what-if with another weight and threshold, p95", f"{answer:.0f} ms", "≤ 200 ms", answer <= 200)
    cookie = regulator_cookie()
    with stage.served(with_worker=False) as base:
        address = f"{base}/assessment/results/{one.pk}/"
        stage.load(address, cookie, connections=2, seconds=2)
        page = stage.load(address, cookie, connections=2)
    report.add("page of one score, p95", f"{page['p95']:.0f} ms", "≤ 500 ms", page["p95"] <= 500)
    times = looked_back([insurers, agencies])
    report.add("scores as known before 3,000 changes, against those of today", f"{times:.2f}×", "≤ 2×", times <= 2)
    lengthen(10)
    stage.analyse()
    longer, many, _campaigns = assessed(today - 10 * (today - first), last)
    growth = longer / seconds
    report.add(
        f"… a period ten times as long: {many / rows:.1f}× the rows",
        f"{longer:.1f} s ({growth:.1f}×)",
        "≤ 12×",
        growth <= 12,
    )
