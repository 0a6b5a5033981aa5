"""Standards, hazard library, checklists, materials, trainings."""

from anze.library.models.checklists import Checklist, ChecklistItem, checklist_difference, checklist_for, pack
from anze.library.models.drafts import Draft
from anze.library.models.materials import Material, MaterialDay, MaterialUse
from anze.library.models.standards import (
    EDITION_OF_ENTRY_ON,
    EDITION_ON,
    Criterion,
    HazardEntry,
    Standard,
    edition_difference,
    edition_on,
    in_force,
)
from anze.library.models.trainings import Certificate, Question, SignUp, Training

__all__ = [
    "EDITION_OF_ENTRY_ON",
    "EDITION_ON",
    "Certificate",
    "Checklist",
    "ChecklistItem",
    "Criterion",
    "Draft",
    "HazardEntry",
    "Material",
    "MaterialDay",
    "MaterialUse",
    "Question",
    "SignUp",
    "Standard",
    "Training",
    "checklist_difference",
    "checklist_for",
    "edition_difference",
    "edition_on",
    "in_force",
    "pack",
]
