"""Standards, hazard library, checklists, materials, trainings."""

from anze.library.models.checklists import Checklist, ChecklistItem, checklist_difference, checklist_for, pack
from anze.library.models.standards import Criterion, HazardEntry, Standard, edition_difference, in_force

__all__ = [
    "Checklist",
    "ChecklistItem",
    "Criterion",
    "HazardEntry",
    "Standard",
    "checklist_difference",
    "checklist_for",
    "edition_difference",
    "in_force",
    "pack",
]
