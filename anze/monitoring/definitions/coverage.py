"""Coverage: who must insure, and who is insured, for all workers and enough.

How an enterprise is judged stands in `anze.underwriting.models.cover`, shared with the findings about cover. Of its
lines only the changes from one segment to the next are counted (a change of stock), so that a policy of a year
costs two contributions and not twelve.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from anze.monitoring.models import CoverageCell
from anze.monitoring.rules import Direction, Fact, Family, Indicator, Part, Source, Unit, Words
from anze.parties.models import Enterprise
from anze.underwriting.models import Endorsement, Obligation, Policy
from anze.underwriting.models.cover import COVER_LINES

_SOURCES = (
    Source("obligations", Obligation, "enterprise_id"),
    # cover_end_on already holds what endorsements made of the end
    Source("policies", Policy, "enterprise_id", lasts=("start_on", "cover_end_on")),
    Source("endorsements", Endorsement, "enterprise_id", within="policy_id"),
    Source("enterprises", Enterprise, "id"),
)

_SEGMENTS = f"""
{COVER_LINES}, stretches AS (
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


_OPEN = "(obliged - confirmed)"  # 1 while the entry is disputed or still to be verified

# The band: nobody knows yet which of the uncertain entries will stand. Coverage is lowest if those that are insured
# all go and the others all stay, and highest the other way round; whatever is decided, it lies in between.
_ENTRY_MEASURES = {
    "obliged": _change("obliged"),
    "obliged_uncertain": _change(_OPEN),
    "obliged_confirmed": _change("confirmed"),
    "insured": _change("insured"),
    "insured_confirmed": _change("(insured * confirmed)"),
    "insured_uncertain": _change(f"(insured * {_OPEN})"),
    "obliged_lowest": _change(f"(obliged - insured * {_OPEN})"),
    "obliged_highest": _change(f"(confirmed + insured * {_OPEN})"),
    "compliant": _change("compliant"),
    "partial_headcount": _change("partial_headcount"),
    "under_limit": _change("under_limit"),
    "registered_workers": _change("registered"),
    "covered_workers": _change("covered"),
    "insured_all": _change("insured"),
}
_GONE = (
    "CASE WHEN NOT stands AND from_on < until_on THEN 'SUSPENDED' WHEN NOT stands THEN gone "
    "WHEN NOT counts THEN 'ALSO_LISTED' END"
)
_UNINSURED = "CASE WHEN insured = 0 THEN 'UNINSURED' END"
_PARTIAL = "CASE WHEN partial_headcount = 1 THEN 'PARTIAL_HEADCOUNT' END"
_OF_OPEN = "CASE WHEN state = 'DISPUTED' THEN 'DISPUTED' ELSE 'UNCERTAIN' END"
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
                "insured_confirmed": f"CASE WHEN obliged > confirmed THEN {_OF_OPEN} ELSE {_UNINSURED} END",
                "insured_confirmed/obliged_lowest": f"CASE WHEN obliged > confirmed AND insured = 1 THEN {_OF_OPEN} ELSE {_UNINSURED} END",
                "insured/obliged_highest": f"CASE WHEN obliged > confirmed AND insured = 0 THEN {_OF_OPEN} ELSE {_UNINSURED} END",
                "insured_uncertain": f"CASE WHEN obliged > confirmed THEN {_UNINSURED} END",
                "compliant": f"coalesce({_UNINSURED}, {_PARTIAL}, {_UNDER})",
                "covered_workers": f"coalesce({_UNINSURED}, {_PARTIAL})",
                "partial_headcount": _PARTIAL,
                "under_limit": _UNDER,
                "obliged_uncertain": f"CASE WHEN obliged > confirmed THEN {_OF_OPEN} END",
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

_SOURCE = "《安全生产法》第五十一条；应急厅函〔2026〕352号"


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
        _("As the coverage rate, over confirmed register entries only."),
        "insured_confirmed",
        "obliged_confirmed",
    ),
    _indicator(
        "coverage_rate_uncertain",
        _("Coverage rate of uncertain entries"),
        _("As the coverage rate, over register entries that are disputed or still to be verified."),
        "insured_uncertain",
        "obliged_uncertain",
    ),
    _indicator(
        "coverage_rate_lowest",
        _("Coverage rate, lower bound"),
        _("If of the uncertain register entries those that are insured all fell away and the others all stood."),
        "insured_confirmed",
        "obliged_lowest",
    ),
    _indicator(
        "coverage_rate_highest",
        _("Coverage rate, upper bound"),
        _("If of the uncertain register entries those that are insured all stood and the others all fell away."),
        "insured",
        "obliged_highest",
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
        _("Register entries that are disputed or still to be verified, of all: what makes the coverage rate a band."),
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
