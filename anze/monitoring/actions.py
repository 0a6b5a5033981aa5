"""What people do with an alert."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.refusal import Refused
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


def _name(by: Actor) -> str:
    return " · ".join(word for word in (by.organisation_name, by.name) if word)[:120]
