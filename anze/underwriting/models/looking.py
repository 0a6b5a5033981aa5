"""What is wrong with cover on a day, one SELECT a kind, all over the lines of `COVER_LINES`.

Each gives: subject, enterprise_id, region_code, sector, insurer_id, obligation_id, policy_id, since_on, measured,
required, note.
"""

from __future__ import annotations

from anze.underwriting.models.cover import COVER_LINES

TABLES = {
    "obligations": ("underwriting_obligation", "enterprise_id"),
    "policies": ("underwriting_policy", "enterprise_id"),
    "endorsements": ("underwriting_endorsement", "enterprise_id"),
    "enterprises": ("parties_enterprise", "id"),
}

# every register entry as it stands on the day, and since when it has stood uninsured or insured as it does
_STANDING = """
runs AS (
    SELECT l.*, sum(insured) OVER line AS before, lead(from_on) OVER line AS to_on FROM lines l
    WINDOW line AS (PARTITION BY id ORDER BY from_on)
), present AS (
    SELECT DISTINCT ON (id) * FROM runs WHERE from_on <= %(today)s ORDER BY id, from_on DESC
), bare AS (
    -- stretches without cover, whatever else changed in them, and when the latest of them after a cover began
    SELECT id, before, min(from_on) AS from_on, max(to_on) AS to_on,
           sum(least(coalesce(to_on, %(today)s + 1), %(today)s + 1) - from_on) AS days,
           max(min(from_on)) FILTER (WHERE before > 0) OVER (PARTITION BY id) AS latest_from_on
    FROM runs WHERE counts AND insured = 0 AND from_on <= %(today)s GROUP BY id, before
), latest AS (
    SELECT DISTINCT ON (c.enterprise_id) c.enterprise_id, c.id AS policy_id, p.insurer_id, p.start_on
    FROM covers c JOIN policies p ON p.id = c.id WHERE c.start_on <= %(today)s
    ORDER BY c.enterprise_id, c.until_on DESC, c.start_on DESC, c.id
)
"""

UNINSURED = """
SELECT 'UNINSURED' AS kind, n.id AS subject, n.enterprise_id, n.region_code, n.sector,
       CASE WHEN p.until_on > %(today)s - 365 THEN l.insurer_id END AS insurer_id, n.id AS obligation_id,
       NULL::uuid AS policy_id, b.from_on AS since_on, n.registered_workers::numeric AS measured,
       NULL::numeric AS required, '' AS note
FROM present n JOIN bare b ON b.id = n.id AND b.before = n.before
LEFT JOIN latest l ON l.enterprise_id = n.enterprise_id LEFT JOIN covers p ON p.id = l.policy_id
WHERE n.counts AND n.insured = 0
"""
PARTIAL_HEADCOUNT = """
SELECT 'PARTIAL_HEADCOUNT', n.id, n.enterprise_id, n.region_code, n.sector, l.insurer_id, n.id, l.policy_id,
       n.from_on, n.workers::numeric, n.registered_workers::numeric, ''
FROM present n LEFT JOIN latest l ON l.enterprise_id = n.enterprise_id WHERE n.counts AND n.partial_headcount = 1
"""
# of several policies the one that is furthest below the least limit
UNDER_LIMIT = """
(SELECT DISTINCT ON (n.id) 'UNDER_LIMIT', n.id, n.enterprise_id, n.region_code, n.sector, p.insurer_id, n.id, c.id,
        n.from_on, c.limit_per_person, c.least_limit, ''
FROM present n
JOIN covers c ON c.enterprise_id = n.enterprise_id AND c.start_on <= %(today)s AND c.until_on > %(today)s
JOIN policies p ON p.id = c.id
WHERE n.counts AND n.under_limit = 1
ORDER BY n.id, c.limit_per_person - c.least_limit, c.id)
"""
GAP = """
SELECT 'GAP', n.id, n.enterprise_id, n.region_code, n.sector, l.insurer_id, n.id, l.policy_id, b.from_on,
       b.days::numeric, 0, ''
FROM present n JOIN bare b ON b.id = n.id AND b.before > 0 AND b.before < n.before
LEFT JOIN latest l ON l.enterprise_id = n.enterprise_id
WHERE n.counts AND n.insured = 1 AND b.days > %(gap_days)s AND b.to_on > %(today)s - %(gap_kept)s::int
    AND b.from_on = b.latest_from_on
"""
# a co-insurer reports his own share of the premium: such policies say nothing about the price
LOW_PRICE = """
SELECT 'LOW_PRICE', p.id, p.enterprise_id, p.region_code, p.sector, p.insurer_id, NULL::uuid, p.id, p.start_on,
       round(r.rate, 6), round(r.benchmark, 6), ''
FROM policies p JOIN enterprises e ON e.id = p.enterprise_id AND NOT e.is_void
CROSS JOIN LATERAL (
    SELECT p.premium_written / (p.insured_workers * p.limit_per_person) * 365 / (p.end_on - p.start_on + 1) AS rate,
           (SELECT b.value FROM rates b WHERE b.sector = p.sector AND p.start_on BETWEEN b.from_on AND b.to_on)
           * (SELECT s.value FROM scales s WHERE s.size = e.size AND p.start_on BETWEEN s.from_on AND s.to_on) / 100
               AS benchmark
    OFFSET 0
) r
WHERE NOT p.is_void AND p.nature = 'SOLE' AND p.start_on <= %(today)s AND p.cover_end_on >= %(today)s
    AND p.insured_workers > 0 AND p.limit_per_person > 0 AND r.rate < r.benchmark * %(low_share)s
"""
SUBSTITUTE = """
SELECT 'SUBSTITUTE', p.id, p.enterprise_id, p.region_code, p.sector, p.insurer_id, NULL::uuid, p.id, p.start_on,
       NULL::numeric, NULL::numeric, p.product_name
FROM policies p WHERE NOT p.is_void AND p.start_on <= %(today)s AND p.cover_end_on >= %(today)s
    AND p.product_name <> '' AND %(words)s::text[] <> '{}' AND p.product_name NOT LIKE ALL (%(words)s)
UNION ALL
SELECT 'SUBSTITUTE', s.id, s.enterprise_id, s.region_code, s.sector, NULL::uuid, n.id, NULL::uuid, s.start_on,
       NULL::numeric, NULL::numeric, left(s.insurer_name || ' ' || s.policy_no, 200)
FROM underwriting_substitute s JOIN present n ON n.enterprise_id = s.enterprise_id AND n.counts AND n.insured = 0
WHERE s.end_on >= %(today)s
"""


def _dated(name: str, column: str, prefix: str) -> str:
    return (
        f"{name} AS MATERIALIZED (SELECT substr(key, {len(prefix) + 1}) AS {column}, value::numeric AS value, "
        "effective_from AS from_on, coalesce(effective_to, 'infinity') AS to_on FROM kernel_parameter "
        f"WHERE left(key, {len(prefix)}) = '{prefix}' AND region_code = '' AND value <> '')"
    )


def looked_at(narrowed: bool) -> str:
    """Everything wrong on %(today)s; with `narrowed` at the enterprises %(of)s alone."""
    sources = ", ".join(
        f"{name} AS MATERIALIZED (SELECT * FROM {table}{f' WHERE {key} = ANY(%(of)s)' if narrowed else ''})"
        for name, (table, key) in TABLES.items()
    )
    rates = ", ".join((_dated("rates", "sector", "benchmark_rate."), _dated("scales", "size", "benchmark_scale.")))
    kinds = " UNION ALL ".join((UNINSURED, PARTIAL_HEADCOUNT, UNDER_LIMIT, GAP, LOW_PRICE, SUBSTITUTE))
    return f"WITH {sources}, {COVER_LINES}, {_STANDING}, {rates} {kinds}"
