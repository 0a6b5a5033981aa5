"""Coverage: who must insure, and who is insured, for all workers and enough.

An enterprise is judged as a whole: its register entry, all its policies and their endorsements make a line of
segments, and only the changes from one segment to the next are counted (a change of stock), so that a policy
of a year costs two contributions and not twelve.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from anze.monitoring.models import CoverageCell, CoveredDaysCell
from anze.monitoring.rules import Direction, Fact, Family, Indicator, Source, Unit
from anze.parties.models import Enterprise
from anze.underwriting.models import Endorsement, Obligation, Policy

_SOURCES = (
    Source("obligations", Obligation, "enterprise_id"),
    Source("policies", Policy, "enterprise_id"),
    Source("endorsements", Endorsement, "enterprise_id"),
    Source("enterprises", Enterprise, "id"),
)

# The minimum limit is that of the day the policy began; of several in force the highest, since a place may
# only set a higher one.
_SEGMENTS = """
least_limits AS MATERIALIZED (
    SELECT region_code, value::numeric AS least, effective_from, coalesce(effective_to, 'infinity') AS effective_to
    FROM kernel_parameter WHERE key = 'min_limit_per_person' AND value <> ''
), listed AS (
    SELECT o.id, o.enterprise_id, o.region_code, o.sector, o.listed_on, o.state, o.registered_workers, o.is_void,
           e.name, row_number() OVER (PARTITION BY o.enterprise_id ORDER BY o.is_void, o.listed_on, o.id) AS place,
           least(coalesce(o.delisted_on, 'infinity'), coalesce(e.closed_on, 'infinity')) AS until_on,
           CASE WHEN e.closed_on <= coalesce(o.delisted_on, 'infinity') THEN 'CLOSED_UNIT' ELSE 'DELISTED' END AS gone
    FROM obligations o JOIN enterprises e ON e.id = o.enterprise_id
), register AS (
    SELECT * FROM listed WHERE place = 1 AND NOT is_void AND until_on > listed_on
), covers AS (
    SELECT p.id, p.enterprise_id, p.start_on, p.cover_end_on + 1 AS until_on, p.insured_workers, p.limit_per_person,
           coalesce((SELECT max(l.least) FROM least_limits l WHERE p.start_on BETWEEN l.effective_from AND l.effective_to
               AND l.region_code IN ('', left(p.region_code, 2) || '0000', left(p.region_code, 4) || '00',
                                     p.region_code)), 0) AS least
    FROM policies p JOIN register g ON g.enterprise_id = p.enterprise_id
    WHERE NOT p.is_void AND p.cover_end_on >= p.start_on
), events AS (
    SELECT id, start_on AS from_on, 0 AS place, insured_workers AS workers, limit_per_person AS each FROM covers
    UNION ALL
    SELECT c.id, e.effective_on, 1, CASE WHEN e.kind = 'HEADCOUNT' THEN e.after_value::numeric::int END,
           CASE WHEN e.kind = 'LIMIT' THEN e.after_value::numeric END
    FROM endorsements e JOIN covers c ON c.id = e.policy_id
    WHERE NOT e.is_void AND e.kind IN ('HEADCOUNT', 'LIMIT')
      AND e.effective_on >= c.start_on AND e.effective_on < c.until_on
), numbered AS (
    SELECT *, count(workers) OVER run AS workers_run, count(each) OVER run AS each_run,
           lead(from_on) OVER (PARTITION BY id ORDER BY from_on, place) AS next_on
    FROM events WINDOW run AS (PARTITION BY id ORDER BY from_on, place ROWS UNBOUNDED PRECEDING)
), terms AS (
    SELECT c.enterprise_id, n.from_on, coalesce(n.next_on, c.until_on) AS to_on,
           max(n.workers) OVER (PARTITION BY n.id, n.workers_run) AS workers,
           max(n.each) OVER (PARTITION BY n.id, n.each_run) >= c.least AS is_enough
    FROM numbered n JOIN covers c ON c.id = n.id
), points AS (
    SELECT enterprise_id, listed_on AS from_on FROM register
    UNION SELECT enterprise_id, until_on FROM register WHERE until_on < 'infinity'
    UNION SELECT t.enterprise_id, d.day FROM terms t JOIN register g ON g.enterprise_id = t.enterprise_id
          CROSS JOIN LATERAL (VALUES (t.from_on), (t.to_on)) AS d(day)
          WHERE t.to_on > t.from_on AND d.day > g.listed_on AND d.day < g.until_on
), segments AS (
    SELECT p.enterprise_id, p.from_on, g.id, g.name, g.region_code, g.sector, g.gone, g.until_on,
           (p.from_on < g.until_on)::int AS obliged,
           (p.from_on < g.until_on AND g.state <> 'CONFIRMED')::int AS uncertain,
           CASE WHEN p.from_on < g.until_on THEN g.registered_workers ELSE 0 END AS registered,
           count(t.enterprise_id) AS policies_in_force, coalesce(sum(t.workers), 0) AS workers,
           coalesce(bool_and(t.is_enough), false) AS is_enough
    FROM points p JOIN register g ON g.enterprise_id = p.enterprise_id
    LEFT JOIN terms t ON t.enterprise_id = p.enterprise_id AND t.from_on <= p.from_on AND t.to_on > p.from_on
         AND p.from_on < g.until_on
    GROUP BY p.enterprise_id, p.from_on, g.id, g.name, g.region_code, g.sector, g.gone, g.until_on, g.state,
             g.registered_workers
), judged AS (
    SELECT *, (policies_in_force > 0)::int AS insured,
           (policies_in_force > 0 AND is_enough AND workers >= registered)::int AS compliant,
           (policies_in_force > 0 AND workers < registered)::int AS partial_headcount,
           (policies_in_force > 0 AND NOT is_enough)::int AS under_limit,
           least(workers, registered) AS covered
    FROM segments
)
"""

_CHANGES = """
SELECT 'obligations' AS source, id AS row_id, name AS label, enterprise_id,
       date_trunc('month', from_on)::date AS month, from_on AS counts_on, region_code, sector, NULL::uuid AS insurer_id,
       CASE WHEN obliged = 0 THEN gone WHEN insured = 0 THEN 'UNINSURED' WHEN partial_headcount = 1
            THEN 'PARTIAL_HEADCOUNT' WHEN under_limit = 1 THEN 'UNDER_LIMIT' END AS reason,
       obliged - lag(obliged, 1, 0) OVER line AS obliged,
       uncertain - lag(uncertain, 1, 0) OVER line AS obliged_uncertain,
       insured - lag(insured, 1, 0) OVER line AS insured,
       insured * uncertain - lag(insured * uncertain, 1, 0) OVER line AS insured_uncertain,
       compliant - lag(compliant, 1, 0) OVER line AS compliant,
       partial_headcount - lag(partial_headcount, 1, 0) OVER line AS partial_headcount,
       under_limit - lag(under_limit, 1, 0) OVER line AS under_limit,
       registered - lag(registered, 1, 0) OVER line AS registered_workers,
       covered - lag(covered, 1, 0::bigint) OVER line AS covered_workers
FROM judged WINDOW line AS (PARTITION BY enterprise_id ORDER BY from_on)
UNION ALL
SELECT 'obligations', id, name, enterprise_id, date_trunc('month', listed_on)::date, listed_on, region_code, sector,
       NULL::uuid, CASE WHEN is_void THEN 'VOID' WHEN place > 1 THEN 'ALSO_LISTED' ELSE gone END,
       0, 0, 0, 0, 0, 0, 0, 0, 0
FROM listed WHERE is_void OR place > 1 OR until_on <= listed_on
"""

_DAYS = """
SELECT 'obligations' AS source, d.id AS row_id, d.name AS label, d.enterprise_id, m.month,
       greatest(m.month, d.from_on) AS counts_on, d.region_code, d.sector, NULL::uuid AS insurer_id,
       CASE WHEN d.insured = 0 THEN 'UNINSURED' END AS reason,
       d.obliged * days.n AS obliged_days, d.insured * days.n AS covered_days
FROM (SELECT *, coalesce(lead(from_on) OVER (PARTITION BY enterprise_id ORDER BY from_on), {horizon}) AS to_on
      FROM judged) d
CROSS JOIN LATERAL (SELECT g::date AS month FROM generate_series(date_trunc('month', d.from_on),
                    d.to_on - 1, interval '1 month') AS g) m
CROSS JOIN LATERAL (SELECT least(d.to_on, (m.month + interval '1 month')::date) - greatest(d.from_on, m.month) AS n) days
WHERE d.obliged = 1 AND d.to_on > d.from_on
"""

COVERAGE = Fact("coverage", CoverageCell, _SOURCES, _CHANGES, _SEGMENTS, is_stock=True)
COVERED_DAYS = Fact("covered_days", CoveredDaysCell, _SOURCES, _DAYS, _SEGMENTS)
COVERAGE_FACTS = (COVERAGE, COVERED_DAYS)

_SOURCE = "安全生产法 Art. 51; 应急厅函〔2026〕352号"

COVERAGE_INDICATORS = (
    Indicator(
        "coverage_rate",
        _("Coverage rate"),
        _("Enterprises on the obligation register with a policy in force, of all on the register that day."),
        Family.COVERAGE,
        COVERAGE,
        "insured",
        "obliged",
        Unit.RATIO,
        Direction.UP,
        _SOURCE,
    ),
    Indicator(
        "coverage_rate_compliant",
        _("Compliant coverage rate"),
        _("Insured for all registered workers and with the minimum limit, of all on the register."),
        Family.COVERAGE,
        COVERAGE,
        "compliant",
        "obliged",
        Unit.RATIO,
        Direction.UP,
        _SOURCE,
    ),
    Indicator(
        "headcount_coverage",
        _("Headcount coverage"),
        _("Insured workers, at most the registered ones, of all registered workers on the register."),
        Family.COVERAGE,
        COVERAGE,
        "covered_workers",
        "registered_workers",
        Unit.RATIO,
        Direction.UP,
        _SOURCE,
    ),
    Indicator(
        "partial_headcount_share",
        _("Not all workers insured"),
        _("Insured for fewer than the registered workers, of the insured on the register."),
        Family.COVERAGE,
        COVERAGE,
        "partial_headcount",
        "insured",
        Unit.RATIO,
        Direction.DOWN,
        _SOURCE,
    ),
    Indicator(
        "under_limit_share",
        _("Under the minimum limit"),
        _("With a limit per person below the minimum of the policy's first day, of the insured on the register."),
        Family.COVERAGE,
        COVERAGE,
        "under_limit",
        "insured",
        Unit.RATIO,
        Direction.DOWN,
        "应急〔2025〕27号",
    ),
    Indicator(
        "uncertain_share",
        _("Uncertain register entries"),
        _("Register entries that are disputed or still to be verified: the width of the coverage band."),
        Family.COVERAGE,
        COVERAGE,
        "obliged_uncertain",
        "obliged",
        Unit.RATIO,
        Direction.DOWN,
        _SOURCE,
    ),
    Indicator(
        "covered_days_ratio",
        _("Covered days"),
        _("Days with a policy in force, of the days on the register: gaps between expiry and renewal count."),
        Family.COVERAGE,
        COVERED_DAYS,
        "covered_days",
        "obliged_days",
        Unit.RATIO,
        Direction.UP,
        _SOURCE,
    ),
)
