"""Standards, hazard library, checklists, materials, trainings."""

from anze.library.models.checklists import Checklist, ChecklistItem, checklist_for, pack
from anze.library.models.standards import Criterion, HazardEntry, Standard, in_force

__all__ = [
    "Checklist",
    "ChecklistItem",
    "Criterion",
    "HazardEntry",
    "Standard",
    "checklist_for",
    "in_force",
    "pack",
]
