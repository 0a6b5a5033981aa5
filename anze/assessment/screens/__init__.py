"""Pages of the assessment by subject."""

from anze.assessment.screens import campaigns, contested, published, results, schemes, trying

__all__ = ["campaigns", "contested", "published", "results", "schemes", "trying"]
