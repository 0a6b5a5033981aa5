"""The inputs experts are assessed by: a smaller scheme than the agencies', over the services each took part in.

An expert's rows carry the agency he belongs to when they are taken, which reads them with him.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from anze.assessment.definitions.kinds import OfRows
from anze.evidence.models import Match, Media
from anze.hazards.models import Hazard, Recurrence
from anze.kernel.parameters import parameters_of
from anze.monitoring.contributions import in_force
from anze.parties.models import Expert
from anze.prevention.models import (
    Dispute,
    Likeness,
    Order,
    OrderExpert,
    QualityCheck,
    Rating,
    Service,
    ServicePerson,
    Visit,
)

# each expert once at each service of the period
_WORK = """
    SELECT s.id, s.service_no, s.enterprise_id, s.region_code, s.sector, s.service_type, s.received_at, s.report_due_at,
           s.hazards_found, n.expert_id, e.agency_id,
           bool_or(n.certificate_no <> '' AND n.certificate_valid_to >= s.performed_on) AS is_qualified
    FROM persons n JOIN services s ON s.id = n.service_id JOIN experts e ON e.id = n.expert_id
    WHERE NOT s.is_void AND s.performed_on BETWEEN {first} AND least({last}, {as_of})
    GROUP BY s.id, s.service_no, s.enterprise_id, s.region_code, s.sector, s.service_type, s.received_at,
             s.report_due_at, s.hazards_found, n.expert_id, e.agency_id
"""
_ALIKE = """
    SELECT service_type, sector, round(avg(hazards_found), 4) AS mean,
           count(*) >= 10 AND sum(hazards_found) > 0 AS is_enough
    FROM services WHERE NOT is_void AND performed_on BETWEEN {first} AND least({last}, {as_of})
    GROUP BY service_type, sector
"""
_AT_WORK: dict[str, Any] = {"persons": ServicePerson, "services": Service, "experts": Expert}


def _of_work(
    code: str, title: Any, counts: str, more: str = "", ctes: dict[str, str] | None = None, **tables: Any
) -> OfRows:
    """One row a service and expert: `counts` gives numerator, denominator and reason from w, and from what `more`
    joins to it."""
    select = f"""
        SELECT 'services', w.id, w.service_no, w.enterprise_id, w.region_code, w.sector, NULL::uuid, w.agency_id,
               {counts}, w.expert_id
        FROM work w {more}
    """
    return OfRows(code, title, select, {**_AT_WORK, **tables}, {"work": _WORK, **(ctes or {})}, of_expert=True)


EXPERT_ROWS: tuple[OfRows, ...] = (
    _of_work(
        "expert_quality",
        _("Marks of the quality checks"),
        "coalesce(k.mark, 0)::numeric, CASE WHEN k.mark IS NULL THEN 0 ELSE 100 END::numeric, "
        "CASE WHEN k.mark IS NULL THEN 'NOT_MARKED' ELSE '' END",
        "JOIN (SELECT service_id, max(mark) AS mark FROM checks GROUP BY service_id) k ON k.service_id = w.id",
        checks=QualityCheck,
    ),
    # what was returned and corrected counts with its mark above, and as returned here
    _of_work(
        "expert_accepted",
        _("Reports passed at the first check"),
        "(NOT k.is_returned)::int::numeric, 1::numeric, CASE WHEN k.is_returned THEN 'RETURNED' ELSE '' END",
        "JOIN (SELECT service_id, bool_or(state <> 'PASSED' OR rounds > 1) AS is_returned FROM checks "
        "WHERE rounds > 0 GROUP BY service_id) k ON k.service_id = w.id",
        checks=QualityCheck,
    ),
    # beside what visits of the same kind found in the same sector; a mean over fewer than ten of them says nothing
    _of_work(
        "expert_findings",
        _("Hazards found, against comparable visits"),
        "c.found, c.expected, CASE WHEN c.expected = 0 THEN 'NOTHING_TO_COMPARE' "
        "WHEN c.found < c.expected THEN 'FEWER_FOUND' ELSE '' END",
        """JOIN alike t ON t.service_type = w.service_type AND t.sector = w.sector
           CROSS JOIN LATERAL (SELECT CASE WHEN t.is_enough THEN w.hazards_found ELSE 0 END::numeric AS found,
                                      CASE WHEN t.is_enough THEN t.mean ELSE 0 END AS expected) c""",
        {"alike": _ALIKE},
    ),
    # of the hazards found at his visits, those said to be rectified in the period
    OfRows(
        "expert_rechecks",
        _("Hazards that stayed rectified after the recheck"),
        """
        SELECT 'hazards', h.id, h.hazard_no, h.enterprise_id, h.region_code, h.sector, NULL::uuid, w.agency_id,
               (NOT b.is_back)::int::numeric, 1::numeric, CASE WHEN b.is_back THEN 'CAME_BACK' ELSE '' END, w.expert_id
        FROM (SELECT DISTINCT n.service_id, n.expert_id, e.agency_id FROM persons n
              JOIN experts e ON e.id = n.expert_id) w
        JOIN hazards h ON h.service_id = w.service_id
        CROSS JOIN LATERAL (SELECT h.reopened_on IS NOT NULL OR EXISTS (
            SELECT 1 FROM recurrences r WHERE r.earlier_id = h.id AND r.state = 'LINKED') AS is_back) b
        WHERE NOT h.is_void AND coalesce(h.verified_on, h.reopened_on) BETWEEN {first} AND least({last}, {as_of})
        """,
        {"persons": ServicePerson, "experts": Expert, "hazards": Hazard, "recurrences": Recurrence},
        of_expert=True,
    ),
    # an order counts when its day has come, or when it was done before
    OfRows(
        "expert_orders",
        _("Orders done by their day"),
        """
        SELECT 'orders', o.id, o.order_no, o.enterprise_id, o.region_code, o.sector, NULL::uuid, e.agency_id,
               d.is_done::int::numeric, 1::numeric, CASE WHEN d.is_done THEN '' ELSE 'NOT_DONE' END, x.expert_id
        FROM sent x JOIN orders o ON o.id = x.order_id JOIN experts e ON e.id = x.expert_id
        CROSS JOIN LATERAL (SELECT coalesce(timezone('Asia/Shanghai', o.done_at)::date <= o.due_on, false) AS is_done) d
        WHERE o.state IN ('ACCEPTED', 'IN_SERVICE', 'DONE') AND o.due_on BETWEEN {first} AND {last}
          AND (o.due_on <= {as_of} OR d.is_done)
        """,
        {"sent": OrderExpert, "orders": Order, "experts": Expert},
        of_expert=True,
    ),
    _of_work(
        "expert_timeliness",
        _("Service records in time"),
        "(w.received_at <= w.report_due_at)::int::numeric, 1::numeric, "
        "CASE WHEN w.received_at <= w.report_due_at THEN '' ELSE 'LATE' END",
    ),
    # as with agencies: one row a quarter, and only where there are enough ratings of him
    OfRows(
        "expert_satisfaction",
        _("Ratings of the enterprises"),
        f"""
        SELECT 'ratings', NULL::uuid, r.quarter, NULL::uuid, '370000', '', NULL::uuid, e.agency_id,
               sum(r.stars)::numeric, count(*)::numeric, '', e.id
        FROM ratings r JOIN (SELECT DISTINCT service_id, expert_id FROM persons) n ON n.service_id = r.service_id
        JOIN experts e ON e.id = n.expert_id
        WHERE r.rated_on BETWEEN {{first}} AND least({{last}}, {{as_of}})
        GROUP BY r.quarter, e.id, e.agency_id
        HAVING count(*) >= coalesce({in_force("least", "max(r.rated_on)", "'370000'")}, 5)
        """,
        {"ratings": Rating, "persons": ServicePerson, "experts": Expert},
        {"least": parameters_of("rating_min_count")},
        of_expert=True,
    ),
    _of_work(
        "expert_qualified",
        _("Services with a certificate valid that day"),
        "w.is_qualified::int::numeric, 1::numeric, CASE WHEN w.is_qualified THEN '' ELSE 'NOT_QUALIFIED' END",
    ),
    # a hint alone accuses nobody: it counts when a person confirmed it, or a dispute found that nobody came
    _of_work(
        "expert_held",
        _("Records no confirmed hint speaks against"),
        "(f.reason IS NULL)::int::numeric, 1::numeric, coalesce(f.reason, '')",
        """LEFT JOIN (SELECT service_id, min(reason) AS reason FROM (
               SELECT second_id AS service_id, 'REPORT_REPEATED' AS reason FROM likenesses WHERE state = 'CONFIRMED'
               UNION ALL SELECT service_id, 'NOT_HAPPENED' FROM disputes WHERE finding = 'NOT_HAPPENED'
               UNION ALL SELECT coalesce(v.service_id, d.subject), 'PICTURE_REPEATED' FROM matches m
                         JOIN media d ON d.id = m.second_id LEFT JOIN visits v ON v.id = d.subject
                         WHERE m.state = 'CONFIRMED') a GROUP BY service_id) f ON f.service_id = w.id""",
        likenesses=Likeness,
        disputes=Dispute,
        matches=Match,
        media=Media,
        visits=Visit,
    ),
)
