"""Coverage: who must insure, and who is insured, for all workers and enough.

An enterprise is judged as a whole: its register entries,
       all its policies and their endorsements make a line of
segments, and only the changes from one segment to the next are counted (a change of stock), so that a policy
of a year costs two contributions and not twelve.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from anze.monitoring.contributions import parameters_of
from anze.monitoring.models import CoverageCell
from anze.monitoring.rules import Direction, Fact, Family, Indicator, Part, Source, Unit, Words
from anze.parties.models import Enterprise
from anze.underwriting.models import Endorsement, Obligation, Policy

_SOURCES = (
    Source("obligations", Obligation, "enterprise_id"),
    Source("policies", Policy, "enterprise_id"),
    Source("endorsements", Endorsement, "enterprise_id"),
    Source("enterprises", Enterprise, "id"),
)

_SEGMENTS = f"""
limits AS MATERIALIZED ({parameters_of("min_limit_per_person")}
), listed AS (
    -- an entry stands from listed_on to the day before until_on; a voided enterprise voids its entries
    SELECT o.id, o.enterprise_id, o.region_code, o.sector, o.listed_on, o.state, o.registered_workers,
           o.is_void OR e.is_void AS is_void,
           least(coalesce(o.delisted_on, 'infinity'), coalesce(e.closed_on, 'infinity')) AS until_on,
           CASE WHEN e.closed_on <= coalesce(o.delisted_on, 'infinity') THEN 'CLOSED_UNIT'
                ELSE 'DELISTED' END AS gone
    FROM obligations o JOIN enterprises e ON e.id = o.enterprise_id
), register AS (
    SELECT * FROM listed WHERE NOT is_void AND until_on > listed_on
), covers AS (
    -- The minimum limit is that of the policy's first day. A place may only set a higher one than the wider
    -- area around it (应急〔2025〕27号), so of the levels the highest holds; within a level the latest.
    SELECT p.id, p.enterprise_id, p.nature, p.start_on, p.insured_workers, p.limit_per_person,
           least(p.cover_end_on + 1, e.closed_on) AS until_on,
           coalesce((SELECT max(l.value) FROM (
               SELECT (array_agg(value ORDER BY effective_from DESC))[1] AS value FROM limits
               WHERE p.start_on BETWEEN effective_from AND effective_to AND region_code IN
                   ('', left(p.region_code, 2) || '0000', left(p.region_code, 4) || '00', p.region_code)
               GROUP BY region_code) l), 0) AS least_limit
    FROM policies p JOIN enterprises e ON e.id = p.enterprise_id AND NOT e.is_void
    WHERE NOT p.is_void AND p.cover_end_on >= p.start_on
), amendments AS (
    -- an endorsement from before the first day (the policy's start was corrected) holds from the first day;
    -- of two on one day the later issued one holds
    SELECT c.id, greatest(e.effective_on, c.start_on) AS from_on, 1 AS place, e.issued_on, e.id AS event_id,
           CASE WHEN e.kind = 'HEADCOUNT' THEN round(e.after_value::numeric)::int END AS workers,
           CASE WHEN e.kind = 'LIMIT' THEN e.after_value::numeric END AS each
    FROM endorsements e JOIN covers c ON c.id = e.policy_id AND c.enterprise_id = e.enterprise_id
    WHERE NOT e.is_void AND e.kind IN ('HEADCOUNT', 'LIMIT') AND e.effective_on < c.until_on
      AND e.after_value ~ '^[0-9]{{1,9}}(\\.[0-9]+)?$'
), events AS (
    SELECT id, start_on AS from_on, 0 AS place, start_on AS issued_on, id AS event_id,
           insured_workers AS workers, limit_per_person AS each
    FROM covers WHERE id IN (SELECT id FROM amendments)
    UNION ALL SELECT * FROM amendments
), numbered AS (
    SELECT *, count(workers) OVER run AS workers_run, count(each) OVER run AS each_run,
           lead(from_on) OVER (PARTITION BY id ORDER BY from_on, place, issued_on, event_id) AS next_on
    FROM events
    WINDOW run AS (PARTITION BY id ORDER BY from_on, place, issued_on, event_id ROWS UNBOUNDED PRECEDING)
), terms AS (
    -- every stretch of a policy with its headcount and whether its limit is enough; most have but one
    SELECT enterprise_id, nature, start_on AS from_on, until_on AS to_on, insured_workers AS workers,
           limit_per_person >= least_limit AS is_enough
    FROM covers WHERE until_on > start_on AND id NOT IN (SELECT id FROM amendments)
    UNION ALL
    SELECT * FROM (
        SELECT c.enterprise_id, c.nature, n.from_on, coalesce(n.next_on, c.until_on) AS to_on,
               max(n.workers) OVER (PARTITION BY n.id, n.workers_run) AS workers,
               max(n.each) OVER (PARTITION BY n.id, n.each_run) >= c.least_limit AS is_enough
        FROM numbered n JOIN covers c ON c.id = n.id
    ) amended WHERE to_on > from_on
), points AS (
    SELECT enterprise_id, listed_on AS from_on FROM register
    UNION SELECT enterprise_id, until_on FROM register WHERE until_on < 'infinity'
    UNION SELECT enterprise_id, from_on FROM terms
    UNION SELECT enterprise_id, to_on FROM terms
), cover_at AS (
    -- Several policies add their workers up. Co-insured ones are shares of one contract, each reported by its
    -- insurer: their workers count once.
    SELECT p.enterprise_id, p.from_on, count(t.enterprise_id) AS in_force,
           coalesce(sum(t.workers) FILTER (WHERE t.nature = 'SOLE'), 0)
           + coalesce(max(t.workers) FILTER (WHERE t.nature <> 'SOLE'), 0) AS workers,
           coalesce(sum(t.workers) FILTER (WHERE t.nature = 'SOLE' AND t.is_enough), 0)
           + coalesce(max(t.workers) FILTER (WHERE t.nature <> 'SOLE' AND t.is_enough), 0) AS enough_workers,
           count(*) FILTER (WHERE t.is_enough) AS enough_policies
    FROM points p LEFT JOIN terms t
         ON t.enterprise_id = p.enterprise_id AND t.from_on <= p.from_on AND t.to_on > p.from_on
    GROUP BY p.enterprise_id, p.from_on
), standing AS (
    -- An enterprise counts once, under the entry in force that was listed first; when that one ends, under
    -- the next.
    SELECT g.*, c.from_on, c.in_force, c.workers, c.enough_workers, c.enough_policies,
           c.from_on < g.until_on AS stands,
           c.from_on < g.until_on AND 1 = row_number() OVER (PARTITION BY g.enterprise_id, c.from_on
               ORDER BY c.from_on < g.until_on DESC, g.listed_on, g.id) AS counts
    FROM cover_at c JOIN register g ON g.enterprise_id = c.enterprise_id AND g.listed_on <= c.from_on
), judged AS (
    -- Not enough is a limit below the minimum, unless policies with enough cover all workers by themselves.
    SELECT *, counts::int AS obliged, (counts AND state = 'CONFIRMED')::int AS confirmed,
           (counts AND in_force > 0)::int AS insured,
           (counts AND in_force > 0 AND workers < registered_workers)::int AS partial_headcount,
           (counts AND in_force > enough_policies
               AND (enough_policies = 0 OR enough_workers < registered_workers))::int AS under_limit,
           CASE WHEN counts THEN registered_workers ELSE 0 END AS registered,
           CASE WHEN counts THEN least(workers, registered_workers) ELSE 0 END AS covered
    FROM standing
), lines AS (
    SELECT *, insured * (1 - partial_headcount) * (1 - under_limit) AS compliant FROM judged
), stretches AS (
    SELECT *, coalesce(lead(from_on) OVER (PARTITION BY id ORDER BY from_on), {{horizon}}) AS to_on FROM lines
), pieces AS (
    -- a stretch on the register month by month
    SELECT s.*, m.month_on,
           least(s.to_on, (m.month_on + interval '1 month')::date) - greatest(s.from_on, m.month_on) AS days
    FROM stretches s CROSS JOIN LATERAL (
        SELECT g::date AS month_on FROM generate_series(
            date_trunc('month', s.from_on::timestamp), s.to_on::timestamp - interval '1 day',
            interval '1 month') AS g
    ) m
    WHERE s.obliged = 1 AND s.to_on > s.from_on
), at_large AS (
    -- days on which an enterprise is insured without being on the register
    SELECT c.enterprise_id, c.from_on, (c.in_force > 0 AND s.enterprise_id IS NULL)::int AS voluntary
    FROM cover_at c LEFT JOIN standing s ON s.enterprise_id = c.enterprise_id AND s.from_on = c.from_on AND s.counts
), outside AS (
    SELECT e.id, e.id AS enterprise_id, e.region_code, e.sector, a.from_on, a.voluntary
    FROM at_large a JOIN enterprises e ON e.id = a.enterprise_id
    WHERE a.enterprise_id IN (SELECT enterprise_id FROM at_large WHERE voluntary = 1)
)
"""

# looked up where a row is shown; the sums need no names
_NAME = "(SELECT n.name FROM enterprises n WHERE n.id = enterprise_id)"
_LINE = "WINDOW line AS (PARTITION BY id ORDER BY from_on)"


def _change(state: str) -> str:
    """By how much a state differs from that of the segment before."""
    return f"{state} - coalesce(lag({state}) OVER line, 0)"


_ENTRY_MEASURES = {
    "obliged": _change("obliged"),
    "obliged_uncertain": _change("(obliged - confirmed)"),
    "obliged_confirmed": _change("confirmed"),
    "insured": _change("insured"),
    "insured_confirmed": _change("(insured * confirmed)"),
    "compliant": _change("compliant"),
    "partial_headcount": _change("partial_headcount"),
    "under_limit": _change("under_limit"),
    "registered_workers": _change("registered"),
    "covered_workers": _change("covered"),
    "insured_all": _change("insured"),
}
_GONE = "CASE WHEN NOT stands THEN gone WHEN NOT counts THEN 'ALSO_LISTED' END"
_UNINSURED = "CASE WHEN insured = 0 THEN 'UNINSURED' END"
_PARTIAL = "CASE WHEN partial_headcount = 1 THEN 'PARTIAL_HEADCOUNT' END"
_UNDER = "CASE WHEN under_limit = 1 THEN 'UNDER_LIMIT' END"

# entries that never stood: voided, or ended before they began
_NEVER = {
    "source": "obligations",
    "rows": "listed WHERE is_void OR until_on <= listed_on",
    "label": _NAME,
    "on": "listed_on",
    "insurer": "NULL::uuid",
    "left_out": "CASE WHEN is_void THEN 'VOID' ELSE gone END",
    "codes": ("CLOSED_UNIT", "DELISTED"),
}

COVERAGE = Fact(
    "coverage",
    CoverageCell,
    _SOURCES,
    (
        Part(
            source="obligations",
            rows=f"lines {_LINE}",
            label=_NAME,
            on="from_on",
            insurer="NULL::uuid",
            gives=_ENTRY_MEASURES,
            left_out=_GONE,
            codes=("CLOSED_UNIT", "DELISTED"),
            why={
                "insured": _UNINSURED,
                "insured_confirmed": f"CASE WHEN obliged > confirmed THEN 'UNCERTAIN' ELSE {_UNINSURED} END",
                "compliant": f"coalesce({_UNINSURED}, {_PARTIAL}, {_UNDER})",
                "covered_workers": f"coalesce({_UNINSURED}, {_PARTIAL})",
                "partial_headcount": _PARTIAL,
                "under_limit": _UNDER,
                "obliged_uncertain": "CASE WHEN obliged > confirmed THEN 'UNCERTAIN' END",
            },
        ),
        # a month's days count when the month is over: nothing is said about days to come
        Part(
            source="obligations",
            rows="pieces",
            label=_NAME,
            on="(month_on + interval '1 month')::date - 1",
            month="month_on",
            insurer="NULL::uuid",
            gives={"obliged_days": "days", "covered_days": "insured * days"},
            why={"covered_days": _UNINSURED},
        ),
        Part(**_NEVER, gives=dict.fromkeys((*_ENTRY_MEASURES, "obliged_days"), "0")),  # type: ignore[arg-type]
        Part(
            source="enterprises",
            rows=f"outside {_LINE}",
            label=_NAME,
            on="from_on",
            insurer="NULL::uuid",
            gives={
                "voluntary": _change("voluntary"),
                "insured_all": _change("voluntary"),
                "insured": "0",
                "obliged": "0",
            },
            why={
                "insured": "CASE WHEN voluntary = 1 THEN 'VOLUNTARY' END",
                "voluntary": "CASE WHEN voluntary = 1 THEN 'VOLUNTARY' END",
            },
        ),
    ),
    _SEGMENTS,
    stocks=frozenset((*_ENTRY_MEASURES, "voluntary")),
)

_SOURCE = "安全生产法 Art. 51; 应急厅函〔2026〕352号"


def _indicator(
    code: str,
    title: Words,
    about: Words,
    numerator: str,
    denominator: str,
    direction: Direction = Direction.UP,
    *,
    source: str = _SOURCE,
) -> Indicator:
    return Indicator(
        code, title, about, Family.COVERAGE, COVERAGE, numerator, denominator, Unit.RATIO, direction, source
    )


COVERAGE_INDICATORS = (
    _indicator(
        "coverage_rate",
        _("Coverage rate"),
        _("Enterprises on the obligation register with a policy in force, of all on the register that day."),
        "insured",
        "obliged",
    ),
    _indicator(
        "coverage_rate_compliant",
        _("Compliant coverage rate"),
        _("Insured for all registered workers and with the minimum limit, of all on the register."),
        "compliant",
        "obliged",
    ),
    _indicator(
        "headcount_coverage",
        _("Headcount coverage"),
        _("Insured workers, at most the registered ones, of all registered workers on the register."),
        "covered_workers",
        "registered_workers",
    ),
    _indicator(
        "coverage_rate_confirmed",
        _("Coverage rate of confirmed entries"),
        _("As the coverage rate, over confirmed register entries only: the other end of the coverage band."),
        "insured_confirmed",
        "obliged_confirmed",
    ),
    _indicator(
        "partial_headcount_share",
        _("Not all workers insured"),
        _("Insured for fewer than the registered workers, of the insured on the register."),
        "partial_headcount",
        "insured",
        Direction.DOWN,
    ),
    _indicator(
        "under_limit_share",
        _("Under the minimum limit"),
        _("With a limit per person below the minimum of the policy's first day, of the insured on the register."),
        "under_limit",
        "insured",
        Direction.DOWN,
        source="应急〔2025〕27号",
    ),
    _indicator(
        "uncertain_share",
        _("Uncertain register entries"),
        _("Register entries that are disputed or still to be verified: the width of the coverage band."),
        "obliged_uncertain",
        "obliged",
        Direction.DOWN,
    ),
    _indicator(
        "voluntary_share",
        _("Insured outside the register"),
        _("Insured enterprises that are not on the register, of all insured ones; they never enter coverage."),
        "voluntary",
        "insured_all",
        Direction.NONE,
    ),
    _indicator(
        "covered_days_ratio",
        _("Covered days"),
        _(
            "Days with a policy in force, of the days on the register, in the months that are over: "
            "gaps between expiry and renewal count."
        ),
        "covered_days",
        "obliged_days",
    ),
)
