"""Every write of the library."""

from anze.library.actions.drafts import begin_draft, change_draft, discard_draft, problems_of, publish_draft
from anze.library.actions.loading import load_library
from anze.library.actions.materials import count_use, open_material_file, publish_material, withdraw_material
from anze.library.actions.trainings import (
    announce_training,
    attend,
    attendance_code,
    change_training,
    move_training,
    read_code,
    revoke_certificate,
    set_questions,
    sign_up,
    take_test,
    withdraw_sign_up,
)

__all__ = [
    "announce_training",
    "attend",
    "attendance_code",
    "begin_draft",
    "change_draft",
    "change_training",
    "count_use",
    "discard_draft",
    "load_library",
    "move_training",
    "open_material_file",
    "problems_of",
    "publish_draft",
    "publish_material",
    "read_code",
    "revoke_certificate",
    "set_questions",
    "sign_up",
    "take_test",
    "withdraw_material",
    "withdraw_sign_up",
]
