"""Looking for hazards that came back, set-based; and a person's word on each."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import connection
from django.utils.translation import gettext_lazy as _

from anze.hazards.models import Hazard, Recurrence
from anze.hazards.rules import RecurrenceState
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.models import parameter
from anze.kernel.refusal import Refused
from anze.parties.rules import Permission

# Words are alike by the pairs of neighbouring characters they share (Dice): Chinese has no blanks between words, and
# two characters carry what one word does. The same entry of the library is no guess and is linked at once.
_PROPOSE = """
WITH pairs AS MATERIALIZED (
    SELECT h.id AS hazard_id, e.id AS earlier_id, e.found_on AS earlier_on, e.insurer_id <> h.insurer_id AS other,
           h.region_code, h.sector, h.insurer_id, h.enterprise_id,
           h.entry_code <> '' AND h.entry_code = e.entry_code AS same_entry,
           h.criterion_code <> '' AND h.criterion_code = e.criterion_code AS same_criterion,
           h.location AS place, e.location AS earlier_place,
           hazards_likeness(h.description, e.description) AS likeness
    FROM hazards_hazard h
    JOIN hazards_hazard e ON e.enterprise_id = h.enterprise_id AND e.found_on < h.found_on
         AND e.found_on >= h.found_on - %(days)s AND NOT e.is_void
         AND (e.service_id IS DISTINCT FROM h.service_id OR h.service_id IS NULL)
    WHERE h.found_on BETWEEN %(since)s AND %(until)s AND NOT h.is_void
)
INSERT INTO hazards_recurrence (hazard_id, earlier_id, earlier_on, is_other_insurer, sameness, likeness, state,
    decided_at, region_code, sector, insurer_id, enterprise_id)
SELECT hazard_id, earlier_id, earlier_on, other,
       CASE WHEN same_entry THEN 'ENTRY' WHEN same_criterion THEN 'CRITERION' ELSE 'WORDS' END,
       likeness, CASE WHEN same_entry THEN 'LINKED' ELSE 'PROPOSED' END,
       CASE WHEN same_entry THEN %(at)s END, region_code, sector, insurer_id, enterprise_id
FROM pairs
WHERE same_entry OR same_criterion OR likeness >= %(least)s
   OR (place <> '' AND place = earlier_place AND likeness >= %(least)s - 0.2)
ON CONFLICT (hazard_id, earlier_id) DO NOTHING
"""


def propose_recurrences(since: date, until: date, *, at: datetime) -> int:
    """Compare the hazards found in these days with the earlier ones of their enterprises; returns how many are new.

    Must run with everything in view: whether another insurer found the same is the very question.
    """
    years = int(parameter("hazard_recurrence_years", until))
    with connection.cursor() as cursor:
        cursor.execute(
            _PROPOSE,
            {
                "since": since,
                "until": until,
                "days": timedelta(days=years * 366).days,
                "least": parameter("hazard_recurrence_likeness", until),
                "at": at,
            },
        )
        return int(cursor.rowcount)


@action(Permission.HANDLE_HAZARDS, "hazard.recurrence_decided")
def decide_recurrence(hazard: Hazard, *, by: Actor, at: datetime, recurrence: Recurrence, is_same: bool) -> Recurrence:
    """Somebody says whether it is the same hazard again."""
    found = Recurrence.objects.select_for_update().filter(pk=recurrence.pk, hazard=hazard).first()
    if found is None:
        raise Refused("not_found", _("There is no such hazard."), remedy=_("Go back to the list."), status=404)
    found.state = RecurrenceState.LINKED if is_same else RecurrenceState.REJECTED
    found.decided_at, found.decided_by_name = at, by.name
    found.save(update_fields=["state", "decided_at", "decided_by_name"])
    return found
