"""Pages of the assessment by subject."""

from anze.assessment.screens import (
    campaigns,
    cases,
    contested,
    draws,
    fairness,
    feedback,
    looking_back,
    published,
    reports,
    results,
    schemes,
    supervision,
    trying,
)

__all__ = [
    "campaigns",
    "cases",
    "contested",
    "draws",
    "fairness",
    "feedback",
    "looking_back",
    "published",
    "reports",
    "results",
    "schemes",
    "supervision",
    "trying",
]
