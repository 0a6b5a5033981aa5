"""How the cover of an enterprise is judged: one rule, for the figures of coverage and for what is found wrong.

An enterprise is judged as a whole: its register entries, all its policies and their endorsements make a line of
segments, each with what held in it. `COVER_LINES` is the body of a WITH clause over four relations (obligations,
policies, endorsements, enterprises), which whoever uses it puts before it: whole tables, those of a few
enterprises, or as they were. `lines` is what comes out: a row for every register entry and day on which anything
changes.
"""

from __future__ import annotations

from anze.kernel.parameters import parameters_of

COVER_LINES = f"""
limits AS MATERIALIZED ({parameters_of("min_limit_per_person")}
), listed AS (
    -- an entry stands from listed_on to the day before until_on; a voided enterprise voids its entries
    SELECT o.id, o.enterprise_id, o.region_code, o.sector, o.listed_on, o.state, o.registered_workers,
           o.is_void OR e.is_void AS is_void,
           least(coalesce(o.delisted_on, 'infinity'), coalesce(e.closed_on, 'infinity')) AS until_on,
           CASE WHEN e.closed_on <= coalesce(o.delisted_on, 'infinity') THEN 'CLOSED_UNIT'
                ELSE 'DELISTED' END AS gone,
           -- the duty rests while the unit does: only those still operating may not put off their renewal
           o.suspended_from_on AS rests_on, coalesce(o.suspended_to_on + 1, 'infinity') AS works_on
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
    UNION SELECT enterprise_id, rests_on FROM register WHERE rests_on >= listed_on
    UNION SELECT enterprise_id, works_on FROM register WHERE rests_on IS NOT NULL AND works_on < 'infinity'
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
    SELECT g.*, c.from_on, c.in_force, c.workers, c.enough_workers, c.enough_policies, r.stands,
           r.stands AND 1 = row_number() OVER (PARTITION BY g.enterprise_id, c.from_on
               ORDER BY r.stands DESC, g.listed_on, g.id) AS counts
    FROM cover_at c JOIN register g ON g.enterprise_id = c.enterprise_id AND g.listed_on <= c.from_on
    CROSS JOIN LATERAL (SELECT c.from_on < g.until_on
        AND NOT coalesce(c.from_on >= g.rests_on AND c.from_on < g.works_on, false) AS stands) r
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
)"""
