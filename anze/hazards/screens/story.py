"""The story of one hazard: the steps taken here, and the days the insurer's system reported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _now

from anze.hazards.actions import major_extension_by, party_of
from anze.hazards.models import Hazard, HazardStep, level_reached
from anze.hazards.rules import (
    OPEN,
    TURN,
    HazardClass,
    HazardSource,
    HazardState,
    Level,
    Means,
    Party,
    Step,
    StepKind,
    steps_open,
)
from anze.hazards.screens.photos import shown
from anze.hazards.screens.recurrence import earlier_of
from anze.kernel.duty import beijing_day
from anze.screen.columns import labels
from anze.screen.pages import moment, money

_TONES = {
    "CLOSED": "success",
    "RETURNED": "warning",
    "REOPENED": "warning",
    "EXTENSION_REFUSED": "warning",
    "STOPPED": "danger",
    "SUPERVISED": "danger",
}


@dataclass(frozen=True)
class Told:
    """One line of the story."""

    on: date
    when: str
    title: str
    who: str
    words: str
    facts: tuple[tuple[str, str], ...]
    tone: str = ""
    media: tuple[UUID, ...] = ()


def story_of(hazard: Hazard) -> list[Told]:
    """Newest first. What the insurer's system reported has a day and no name; a step taken here has both."""
    steps = list(HazardStep.objects.filter(hazard=hazard).order_by("-at", "-id"))
    told = [_told(step) for step in steps]
    kinds = {step.kind for step in steps}
    reported = _now("reported by the insurer")
    words = labels(StepKind.choices)
    given: list[tuple[date | None, str, str]] = [
        (hazard.notified_on, StepKind.NOTIFIED, ""),
        (beijing_day(hazard.reported_at) if hazard.reported_at else None, StepKind.REPORTED, ""),
        (
            hazard.found_on if hazard.extended_to_on else None,
            StepKind.EXTENSION_GRANTED,
            f"{hazard.deadline_on} → {hazard.extended_to_on} {hazard.extension_reason}",
        ),
        (hazard.rectified_on, StepKind.SUBMITTED, ""),
        (hazard.closed_on, StepKind.CLOSED, hazard.get_verifier_display()),
    ]
    for on, kind, text in reversed(given):
        if on is not None and kind not in kinds:
            when = "" if kind == StepKind.EXTENSION_GRANTED else str(on)
            told.append(Told(on, when, words[kind], reported, text, (), _TONES.get(kind, "")))
    source = labels(HazardSource.choices)[hazard.source]
    told.append(Told(hazard.found_on, str(hazard.found_on), _now("found"), source, hazard.description, ()))
    # steps of one day keep their order; of what came in by day alone, the later stage stands above
    return sorted(told, key=lambda each: each.on, reverse=True)


def _told(step: HazardStep) -> Told:
    who = " · ".join(part for part in (step.by_name, step.organisation_name, labels(Party.choices)[step.party]) if part)
    facts = []
    if step.to_whom:
        named = {
            StepKind.STARTED: _now("person responsible"),
            StepKind.ASSISTED: _now("who helped"),
        }
        facts.append((named.get(StepKind(step.kind), _now("to whom")), step.to_whom))
    if step.means:
        facts.append((_now("how"), labels(Means.choices)[step.means]))
    if step.level:
        facts.append((_now("level"), labels(Level.choices)[step.level]))
    if step.number:
        said = _now("criterion") if step.kind == StepKind.RECLASSIFIED else _now("number")
        facts.append((said, step.number))
    if step.hazard_class:
        facts.append((_now("class before"), labels(HazardClass.choices)[step.hazard_class]))
    if step.day:
        named = {
            StepKind.REOPENED: _now("had been closed on"),
            StepKind.SUPERVISED: _now("to be rectified by"),
        }
        facts.append((named.get(StepKind(step.kind), _now("until")), str(step.day)))
    if step.cost is not None:
        facts.append((_now("cost (yuan)"), money(step.cost)))
    if step.party == Party.SYSTEM and step.from_state != step.to_state:
        states = labels(HazardState.choices)
        facts.append((_now("state"), f"{states[step.from_state]} → {states[step.to_state]}"))
    return Told(
        beijing_day(step.at),
        moment(step.at),
        labels(StepKind.choices)[step.kind],
        who,
        step.words,
        tuple(facts),
        _TONES.get(step.kind, ""),
        tuple(step.media),
    )


@dataclass(frozen=True)
class Offered:
    """A button: what can be done now and where its form is."""

    title: str
    url: str
    tone: str
    icon: str


def open_steps(request: HttpRequest, hazard: Hazard) -> list[Step]:
    actor = request.actor  # type: ignore[attr-defined]
    approver = Party.REGULATOR
    if hazard.extension == "ASKED" and hazard.hazard_class == HazardClass.MAJOR:
        approver = major_extension_by(beijing_day(request.at), hazard.region_code)  # type: ignore[attr-defined]
    return [
        step for step in steps_open(hazard, party_of(actor), major_extension_by=approver) if actor.may(step.permission)
    ]


def page_words(request: HttpRequest, hazard: Hazard) -> Mapping[str, Any]:
    """What the page of a hazard shows beside its facts: the story, whose turn it is, what can be done."""
    offered = [
        Offered(str(step.title), reverse(f"hazard-{step.name}", args=[hazard.pk]), step.tone, step.icon)
        for step in open_steps(request, hazard)
    ]
    today = beijing_day(request.at)  # type: ignore[attr-defined]
    last = hazard.extended_to_on or hazard.deadline_on
    is_late = hazard.state in OPEN and last < today
    level = level_reached(hazard.hazard_class, last, today) if is_late else None
    return {
        **shown(request, hazard),
        "earlier": earlier_of(request, hazard),
        "level": labels(Level.choices)[level] if level else "",
        "story": story_of(hazard) if not request.GET.get("tab") else [],
        "state_open": hazard.state in OPEN and not hazard.is_void,
        "turn": TURN[hazard.state],
        "first": offered[0] if offered and offered[0].tone == "primary" else None,
        "others": offered[1:] if offered and offered[0].tone == "primary" else offered,
    }
