"""Regulators set topics: drafted, issued to everybody, closed with what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from anze.claims.models import Accident
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.refusal import Refused
from anze.parties.models import Organisation
from anze.parties.rules import Permission
from anze.prevention.models import Topic
from anze.prevention.rules import TopicState
from anze.prevention.rules.topics import TOPIC


@action(Permission.SET_TOPICS, "topic.drafted")
def draft_topic(
    authority: Organisation, /, *, by: Actor, at: datetime, accident: Accident | None = None, **values: Any
) -> Topic:
    """A draft, which only its authority sees; perhaps what is to be learned from an accident."""
    check_lesson(accident, values)
    topic = Topic(
        authority=authority,
        accident=accident,
        region_code=by.scope.region_from or authority.region_id,
        sector=by.scope.sector,
        **_checked(by, authority, **values),
    )
    _save(topic, is_new=True)
    return topic


@action(Permission.SET_TOPICS, "topic.changed")
def change_topic(topic: Topic, /, *, by: Actor, at: datetime, **values: Any) -> Topic:
    check_own(topic, by)
    if topic.state != TopicState.DRAFT:
        raise Refused(
            "topic_issued",
            _("An issued topic is not changed any more."),
            remedy=_("Close it and set another one."),
            status=409,
        )
    check_lesson(topic.accident, values)
    for name, value in _checked(by, topic.authority, **values).items():
        setattr(topic, name, value)
    _save(topic)
    return topic


@action(Permission.SET_TOPICS, "topic.issued")
def issue_topic(topic: Topic, *, by: Actor, at: datetime) -> Topic:
    check_own(topic, by)
    TOPIC.move(topic, "issue", issued_at=at)
    return topic


@action(Permission.SET_TOPICS, "topic.closed")
def close_topic(topic: Topic, *, by: Actor, at: datetime, result: str) -> Topic:
    check_own(topic, by)
    TOPIC.move(topic, "close", closed_at=at, result=result)
    return topic


def check_lesson(accident: Accident | None, values: Mapping[str, Any]) -> None:
    """The way from an accident to prevention leads over a topic. Whoever lists tasks, the committee, does not see
    accidents, which hold what happened to people: so the authority that sees it says what is to be looked for, by kind,
    sector and region, and everybody can read that. What would tell where it happened does not go along."""
    if accident is None:
        return
    said = f"{values['title']} {values['goals']}"
    telling = (accident.accident_no, accident.enterprise.name, accident.enterprise.uscc)
    if any(word and word in said for word in telling):
        raise Refused(
            "names_the_accident",
            _("Everybody reads a topic; this one would tell at which enterprise the accident happened."),
            remedy=_("Say what is to be looked for, without the number, the enterprise or people."),
            field="goals",
        )


def check_own(topic: Topic, by: Actor) -> None:
    if topic.authority_id != by.organisation_id:
        raise Refused(
            "not_your_topic",
            _("This topic was set by another authority."),
            remedy=_("Ask the authority that set it."),
            status=403,
        )


def _checked(by: Actor, authority: Organisation, **values: Any) -> dict[str, Any]:
    """The values with the area and sector of the authority filled in, or refused where they reach beyond."""
    starts_on, ends_on = values["starts_on"], values["ends_on"]
    check_days(starts_on, ends_on)
    values["regions"] = list(values["regions"]) or (
        [] if authority.region_id.endswith("0000") else [by.scope.region_from or authority.region_id]
    )
    for code in values["regions"]:
        if not by.scope.covers_region(code):
            raise Refused(
                "region_not_yours",
                _("The region %(region)s is not yours."),
                remedy=_("Choose regions inside your own area."),
                field="regions",
                values={"region": code},
            )
    own = by.scope.sector
    if own:
        if set(values["sectors"]) - {own}:
            raise Refused(
                "sector_not_yours",
                _("A sector department sets topics for its own sector."),
                remedy=_("Choose your own sector, or ask the emergency management authority."),
                field="sectors",
            )
        values["sectors"] = [own]
    return values


def check_days(starts_on: date, ends_on: date) -> None:
    if ends_on < starts_on:
        raise Refused(
            "days_out_of_order",
            _("The last day lies before the first."),
            remedy=_("Correct one of the two days."),
            field="ends_on",
        )


def _save(topic: Topic, *, is_new: bool = False) -> None:
    try:
        with transaction.atomic():
            topic.save(force_insert=is_new)
    except IntegrityError as problem:
        if "code" not in str(problem):
            raise
        raise Refused(
            "number_taken", _("This number is in use already."), remedy=_("Choose another one."), field="code"
        ) from None
