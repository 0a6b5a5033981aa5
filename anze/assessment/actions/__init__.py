"""Everything that is done in the assessment."""

from anze.assessment.actions.schemes import add_scheme, issue_scheme, load_schemes

__all__ = ["add_scheme", "issue_scheme", "load_schemes"]
