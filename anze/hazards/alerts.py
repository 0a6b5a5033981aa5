"""Alerts of hazards: what is due, what is overdue, and the duties on the way to the verified closing."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from anze.hazards.rules import ANSWER_EXTENSION, NOTIFY, RECHECK, HazardClass
from anze.kernel.alert import AlertLevel, AlertRule, declare, duty_alert
from anze.kernel.duty import OURS, Party

_LAST = "greatest(h.deadline_on, h.extended_to_on)"
# a unit shut down has nothing to rectify until it works again
_ROWS = "hazards_hazard h WHERE NOT h.is_void AND h.state <> 'SHUT_DOWN'"
_FACTS = {
    "number": "h.hazard_no",
    "what": "left(h.description, 80)",
    "last": _LAST,
    "class": "h.hazard_class",
}
_AGENCY = {"agency_id": "h.agency_id"}
_SOURCE = {"hazards_hazard": "id"}

DUE = declare(
    AlertRule(
        code="HAZARD_DUE",
        title=_("Hazard to be rectified within days"),
        level=AlertLevel.GENERAL,
        parties=(Party.ENTERPRISE, Party.INSURER, Party.AGENCY),
        why=_("%(class)s %(number)s (%(what)s) is to be rectified by %(last)s."),
        remedy=_("Open the hazard"),
        page="hazard",
        rows=_ROWS,
        subject="h.id",
        episode=_LAST,
        begins=f"greatest(h.found_on, {_LAST} - ({{days}})::int)",
        ends=f"least(h.rectified_on, h.closed_on, {_LAST} + 1)",
        due=_LAST,
        open_if="(h.deadline_on >= {today} OR h.extended_to_on >= {today})",
        label="h.hazard_no",
        of="h",
        scope=_AGENCY,
        facts=_FACTS,
        kinds={"class": HazardClass},
        thresholds={"days": "alert.hazard_due_days"},
        sources=_SOURCE,
        shown_as=("hazards-own",),
    )
)


def _overdue(code: str, title: object, hazard_class: str, level: AlertLevel) -> AlertRule:
    return declare(
        AlertRule(
            code=code,
            title=title,  # type: ignore[arg-type]
            level=level,
            parties=(Party.ENTERPRISE, Party.INSURER, Party.AGENCY),
            why=_("%(class)s %(number)s (%(what)s) was to be rectified by %(last)s and is not verified as rectified."),
            remedy=_("Open the hazard"),
            page="hazard",
            rows=f"{_ROWS} AND h.hazard_class = '{hazard_class}'",
            subject="h.id",
            episode=_LAST,
            begins=f"{_LAST} + 1",
            ends="h.closed_on",
            due=_LAST,
            open_if="h.closed_on IS NULL AND h.deadline_on < {today}",
            label="h.hazard_no",
            of="h",
            scope=_AGENCY,
            facts=_FACTS,
            kinds={"class": HazardClass},
            sources=_SOURCE,
            # the working days after which each level has to take it up are those of the hazards themselves
            escalation=f"hazard_escalation_workdays.{hazard_class}",
            basis=_("山东省安全生产条例 Art. 32"),
            shown_as=("hazards-overdue", "hazards-major-overdue", "hazards-own"),
        )
    )


OVERDUE = _overdue("HAZARD_OVERDUE", _("Hazard past its deadline"), "GENERAL", AlertLevel.IMPORTANT)
MAJOR_OVERDUE = _overdue("MAJOR_OVERDUE", _("Major hazard past its deadline"), "MAJOR", AlertLevel.URGENT)

MAJOR_UNREPORTED = declare(
    AlertRule(
        code="MAJOR_UNREPORTED",
        title=_("Major hazard not reported to the authority"),
        level=AlertLevel.URGENT,
        parties=(Party.INSURER, Party.AUTHORITY),
        why=_("Major hazard %(number)s (%(what)s) was found on %(found)s; no report to the authority is on file."),
        remedy=_("Open the hazard and report it"),
        page="hazard",
        rows=f"{_ROWS} AND h.hazard_class = 'MAJOR' AND h.authority_due_at IS NOT NULL",
        subject="h.id",
        begins="(h.authority_due_at AT TIME ZONE 'Asia/Shanghai')::date",
        ends="least((h.reported_at AT TIME ZONE 'Asia/Shanghai')::date, h.closed_on)",
        due="(h.authority_due_at AT TIME ZONE 'Asia/Shanghai')::date",
        open_if="h.reported_at IS NULL AND h.closed_on IS NULL",
        label="h.hazard_no",
        of="h",
        scope=_AGENCY,
        facts={"number": "h.hazard_no", "what": "left(h.description, 80)", "found": "h.found_on"},
        sources=_SOURCE,
        basis=OURS,
        shown_as=("hazards-report",),
    )
)

_DUTY: Any = {
    "table": "hazards_hazard",
    "page": "hazard",
    "label": "x.hazard_no",
    "scope": {"agency_id": "x.agency_id"},
}

NOTIFY_DUE = duty_alert(
    NOTIFY,
    due_at="notify_due_at",
    waits="x.state = 'FOUND' AND NOT x.is_void",
    parties=(Party.INSURER, Party.AGENCY),
    remedy=_("Open the hazard and notify the enterprise"),
    shown_as=("hazards-notice",),
    **_DUTY,
)
RECHECK_DUE = duty_alert(
    RECHECK,
    due_at="recheck_due_at",
    waits="x.state = 'SUBMITTED' AND NOT x.is_void",
    parties=(Party.INSURER, Party.AGENCY),
    remedy=_("Open the hazard and recheck it"),
    shown_as=("hazards-recheck",),
    **_DUTY,
)
EXTENSION_DUE = duty_alert(
    ANSWER_EXTENSION,
    due_at="extension_due_at",
    waits="x.extension = 'ASKED' AND NOT x.is_void",
    parties=(Party.INSURER, Party.AUTHORITY),
    remedy=_("Open the hazard and answer the request"),
    shown_as=("hazards-extension",),
    **_DUTY,
)
