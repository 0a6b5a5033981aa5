"""The inputs service agencies are assessed by: the smaller scheme."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from anze.assessment.definitions.kinds import OfRows
from anze.hazards.models import Hazard, HazardStep, Recurrence
from anze.kernel.parameters import parameters_of
from anze.monitoring.contributions import in_force
from anze.prevention.models import QualityCheck, Rating, Service

AGENCY_ROWS: tuple[OfRows, ...] = (
    OfRows(
        "agency_quality",
        _("Marks of the quality checks"),
        """
        SELECT 'services' AS source, s.id AS row_id, s.service_no AS label, s.enterprise_id, s.region_code, s.sector,
               NULL::uuid AS insurer_id, s.agency_id, coalesce(max(k.mark), 0)::numeric AS numerator,
               CASE WHEN max(k.mark) IS NULL THEN 0 ELSE 100 END::numeric AS denominator,
               CASE WHEN max(k.mark) IS NULL THEN 'NOT_MARKED' ELSE '' END AS reason
        FROM checks k JOIN services s ON s.id = k.service_id
        WHERE NOT s.is_void AND s.agency_id IS NOT NULL AND s.performed_on BETWEEN {first} AND least({last}, {as_of})
        GROUP BY s.id, s.service_no, s.enterprise_id, s.region_code, s.sector, s.agency_id
        """,
        {"checks": QualityCheck, "services": Service},
    ),
    # a finding is confirmed when the recheck stands, and neither insurer nor authority gave the hazard another class
    OfRows(
        "agency_accuracy",
        _("Hazards confirmed by the recheck"),
        """
        SELECT 'hazards', h.id, h.hazard_no, h.enterprise_id, h.region_code, h.sector, NULL::uuid, h.agency_id,
               (b.reason = '')::int::numeric, 1::numeric, b.reason
        FROM hazards h CROSS JOIN LATERAL (SELECT CASE
            WHEN h.reopened_on IS NOT NULL
              OR h.id IN (SELECT earlier_id FROM recurrences WHERE state = 'LINKED') THEN 'CAME_BACK'
            WHEN h.id IN (SELECT hazard_id FROM steps WHERE kind = 'RECLASSIFIED'
                          AND party IN ('INSURER', 'REGULATOR')) THEN 'CLASS_CHANGED'
            ELSE '' END AS reason) b
        WHERE NOT h.is_void AND h.agency_id IS NOT NULL AND h.source = 'SERVICE'
          AND coalesce(h.verified_on, h.reopened_on) BETWEEN {first} AND least({last}, {as_of})
        """,
        {"hazards": Hazard, "recurrences": Recurrence, "steps": HazardStep},
    ),
    OfRows(
        "agency_timeliness",
        _("Service records in time"),
        """
        SELECT 'services', s.id, s.service_no, s.enterprise_id, s.region_code, s.sector, NULL::uuid, s.agency_id,
               (s.received_at <= s.report_due_at)::int::numeric, 1::numeric,
               CASE WHEN s.received_at <= s.report_due_at THEN '' ELSE 'LATE' END
        FROM services s
        WHERE NOT s.is_void AND s.agency_id IS NOT NULL AND s.performed_on BETWEEN {first} AND least({last}, {as_of})
        """,
        {"services": Service},
    ),
    # single ratings stay private: one row a quarter, and only where there are enough of them
    OfRows(
        "agency_satisfaction",
        _("Ratings of the enterprises"),
        f"""
        SELECT 'ratings', NULL::uuid, r.quarter, NULL::uuid, '370000', '', NULL::uuid, r.agency_id,
               sum(r.stars)::numeric, count(*)::numeric, ''
        FROM ratings r WHERE r.agency_id IS NOT NULL AND r.rated_on BETWEEN {{first}} AND least({{last}}, {{as_of}})
        GROUP BY r.quarter, r.agency_id
        HAVING count(*) >= coalesce({in_force("least", "max(r.rated_on)", "'370000'")}, 5)
        """,
        {"ratings": Rating},
        {"least": parameters_of("rating_min_count")},
    ),
)
