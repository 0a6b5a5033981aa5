"""What people do with an alert."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext_lazy as _
from procrastinate.contrib.django import app

from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.alert import AlertRule
from anze.kernel.duty import beijing_day
from anze.kernel.models import Parameter
from anze.kernel.parameters import begin_value
from anze.kernel.refusal import Refused
from anze.kernel.rules import ParameterStatus
from anze.kernel.scope import EVERYTHING, widened
from anze.monitoring.models import Alert
from anze.monitoring.rules.alerts import ALERT, SAID, may_close, party_of
from anze.parties.rules import Permission


def _held(alert: Alert) -> Alert:
    now = Alert.objects.filter(pk=alert.pk).select_for_update().first()
    if now is None:
        raise Refused("not_found", _("There is no such alert."), remedy=_("Go back to the list."), status=404)
    return now


@action(Permission.HANDLE_ALERTS, "alert.taken")
def take_alert(alert: Alert, *, by: Actor, at: datetime) -> Alert:
    """Say that one sees to it, so that nobody else has to."""
    held = _held(alert)
    ALERT.move(held, "take", taken_at=at, taken_by=_name(by))
    return held


@action(Permission.HANDLE_ALERTS, "alert.closed")
def close_alert(
    alert: Alert, *, by: Actor, at: datetime, closing: str, is_useful: bool, reason: str, evidence: str = ""
) -> Alert:
    """Close it by one's word although the cause may last, and say whether the alert was of use."""
    held = _held(alert)
    if not may_close(party_of(by.scope, by.role), held.parties, held.reached):
        raise Refused(
            "not_yours_to_close",
            _("This alert has come up to an authority: only the authority can close it by its word."),
            remedy=_(
                "Mend the cause, and the alert closes by itself; or tell the authority why there is nothing to mend."
            ),
            status=409,
        )
    if closing not in SAID:
        raise Refused(
            "no_such_closing", _("Choose why it is closed."), remedy=_("Choose one of the list."), field="closing"
        )
    if len(reason.strip()) < 4:
        raise Refused(
            "reason_missing",
            _("Say in a few words what you found."),
            remedy=_("Others read it, and rules are judged by it."),
            field="reason",
        )
    sets = {"closing": closing, "is_useful": is_useful, "reason": reason.strip(), "evidence": evidence.strip()}
    ALERT.move(held, "close", closed_at=at, closed_by=_name(by), **sets)
    return held


def may_set(by: Actor, key: str, region_code: str) -> bool:
    """Alerts' own thresholds in one's own region; legal numbers and those for everywhere with the right to change
    parameters."""
    if by.may(Permission.MANAGE_PARAMETERS):
        return True
    return (
        key.startswith("alert.")
        and bool(region_code)
        and by.scope.covers_region(region_code)
        and (by.scope.reader == "anze_region")
    )


@action(Permission.TUNE_ALERTS, "parameter.changed")
def set_threshold(rule: AlertRule, *, by: Actor, at: datetime, key: str, region: str, value: Decimal) -> Parameter:
    """Another number for a rule in a region, from today on. What is open follows with the run it starts."""
    if not may_set(by, key, region):
        raise Refused(
            "not_yours_to_set",
            _("You may set the platform's own thresholds in your region only."),
            remedy=_("Choose your region, or ask the province."),
            field="region",
            status=422,
        )
    general = Parameter.objects.filter(key=key).order_by("region_code", "-effective_from").first()
    if general is None or key not in rule.thresholds.values():
        raise Refused(
            "no_such_threshold", _("The rule has no such threshold."), remedy=_("Choose one of the list."), field="key"
        )
    with widened(EVERYTHING):
        made = begin_value(
            general,
            value=f"{value.normalize():f}",
            effective_from=beijing_day(at),
            source=str(_name(by)),
            status=ParameterStatus.DESIGN,
            region_code=region,
        )
        app.configure_task("monitoring.watch_all").defer()
    return made


def _name(by: Actor) -> str:
    return " · ".join(word for word in (by.organisation_name, by.name) if word)[:120]
