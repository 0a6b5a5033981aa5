"""Pages of the assessment by subject."""

from anze.assessment.screens import campaigns, results, schemes

__all__ = ["campaigns", "results", "schemes"]
