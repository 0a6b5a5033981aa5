"""Every fact and every indicator of the platform, declared once."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from anze.monitoring.definitions.coverage import COVERAGE, COVERAGE_INDICATORS
from anze.monitoring.definitions.expense import EXPENSE_INDICATORS
from anze.monitoring.definitions.money import MONEY
from anze.monitoring.definitions.payout import PAYOUT_INDICATORS
from anze.monitoring.definitions.service import COMPLETION, HAZARDS, SERVICE_INDICATORS
from anze.monitoring.definitions.timeliness import TIMELINESS, TIMELINESS_INDICATORS
from anze.monitoring.rules import Fact, Family, Indicator

FACTS: dict[str, Fact] = {fact.name: fact for fact in (COVERAGE, MONEY, COMPLETION, HAZARDS, TIMELINESS)}

INDICATORS: dict[str, Indicator] = {
    indicator.code: indicator
    for indicator in (
        *COVERAGE_INDICATORS,
        *PAYOUT_INDICATORS,
        *SERVICE_INDICATORS,
        *EXPENSE_INDICATORS,
        *TIMELINESS_INDICATORS,
    )
}

# family → (parameter that names the headline variant, its value → indicator)
HEADLINES: dict[Family, tuple[str, dict[str, str]]] = {
    Family.COVERAGE: (
        "coverage_headline",
        {code: code for code in ("coverage_rate", "coverage_rate_compliant", "headcount_coverage")},
    ),
    Family.PAYOUT: (
        "claim_payout_headline",
        {
            "simple_incurred": "claim_payout_incurred",
            "simple_paid": "claim_payout_paid",
            "matured": "claim_payout_matured",
        },
    ),
    Family.COMPLETION: (
        "service_completion_headline",
        {code: code for code in ("service_completion_rate", "served_enterprise_rate", "fully_served_rate")},
    ),
    Family.RECTIFICATION: (
        "hazard_rectification_headline",
        {"due_basis": "hazard_rectification_rate", "all_basis": "hazard_rectification_all"},
    ),
    Family.EXPENSE: (
        "expense_payment_headline",
        {
            "time_basis": "expense_payment_rate",
            "year_basis": "expense_payment_year_end",
        },
    ),
}

# named by the rules, but not computed: what, and what is missing for it
NOT_COMPUTED: tuple[tuple[Promise, Promise], ...] = (
    (
        _("Project coverage (construction)"),
        _(
            "Policies carry the project and its permit, but nobody sends the permitted projects under construction, "
            "so there is no denominator. Construction enterprises are counted in the coverage rate."
        ),
    ),
    (
        _("Vessel and vehicle coverage"),
        _("Neither policies nor registers name single vessels or vehicles."),
    ),
    (
        _("Expense promised by an insurer's approved annual budget"),
        _(
            "An annual plan names one target for the insurer, not a share for each policy; where the contract gives no ratio, the platform's default ratio is taken."
        ),
    ),
    (
        _("Shares of premium and promise to the day"),
        _("They are counted month by month, each on its first day of cover; at the end of a month they are exact."),
    ),
)
