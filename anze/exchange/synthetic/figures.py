"""What the province adds up to: the figures published for 2024, times a scale."""

from __future__ import annotations

from dataclasses import dataclass

from anze.library.rules import ALUMINIUM_CAMPAIGN

CAMPAIGN = ALUMINIUM_CAMPAIGN  # and the year: one name in the library and in the data


@dataclass(frozen=True)
class Figures:
    """Counts over the year. Institutions do not scale: a small province has the same insurers.

    Source: 山东省安责险 2024 (35 insurers, 86 agencies of which 54 dispatched, 56,000 insured enterprises,
    79,000 services, 38,000 expert person-times, 15,000 reports, 78 million yuan; aluminium campaign: 10
    insurers, 194 person-times, 1,302 hazards rectified, 120 of them major). What has no source is a choice.
    """

    scale: float
    insurers: int
    agencies: int
    active_agencies: int
    insured: int
    services: int
    expert_visits: int
    reports: int
    expense_cents: int
    campaign_insurers: int
    campaign_visits: int
    campaign_expert_visits: int
    campaign_hazards: int
    campaign_major: int
    campaign_enterprises: int
    claims: int
    accidents: int
    duplicate_invoices: int
    impossible_itineraries: int
    copied_reports: int
    over_cap_policies: int
    low_price_policies: int
    very_late_services: int
    above_agreed: int


def figures(scale: float) -> Figures:
    """The figures at a scale; 1 is the whole province. ValueError outside 0.005 to 50."""
    if not 0.005 <= scale <= 50:
        raise ValueError("the scale must be from 0.005 to 50")

    def scaled(number: int, least: int = 1) -> int:
        return max(least, round(number * scale))

    campaign_expert_visits = scaled(194)
    campaign_visits = (campaign_expert_visits + 1) // 2
    return Figures(
        scale=scale,
        insurers=35,
        agencies=86,
        active_agencies=54,
        insured=scaled(56_300),
        services=scaled(79_000),
        expert_visits=scaled(38_000),
        reports=scaled(15_000),
        expense_cents=scaled(78_000_000_00),
        campaign_insurers=min(10, campaign_visits),
        campaign_visits=campaign_visits,
        campaign_expert_visits=campaign_expert_visits,
        campaign_hazards=scaled(1302),
        campaign_major=scaled(120),
        campaign_enterprises=scaled(110, least=12),
        claims=scaled(3000),
        accidents=scaled(1200),
        duplicate_invoices=scaled(60),
        impossible_itineraries=scaled(40),
        copied_reports=scaled(120, least=2),
        over_cap_policies=scaled(150, least=2),
        low_price_policies=scaled(200, least=2),
        very_late_services=scaled(400, least=4),
        above_agreed=4,
    )
