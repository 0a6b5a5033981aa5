"""Visits on site and their likeness. Every other write of prevention services is imported from the file of its name."""

from anze.prevention.actions.likeness import look_for_likeness
from anze.prevention.actions.visits import (
    Answered,
    Sent,
    contents_of,
    keep_problems,
    missing_of,
    open_visit,
    pick_version,
    places_of,
    put_on_file,
    return_visit,
    submit_visit,
    take_changes,
    told,
    visit_of_order,
)

__all__ = [
    "Answered",
    "Sent",
    "contents_of",
    "keep_problems",
    "look_for_likeness",
    "missing_of",
    "open_visit",
    "pick_version",
    "places_of",
    "put_on_file",
    "return_visit",
    "submit_visit",
    "take_changes",
    "told",
    "visit_of_order",
]
