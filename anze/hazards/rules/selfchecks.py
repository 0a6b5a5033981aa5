"""What becomes of a finding of an enterprise's own self-check."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.lifecycle import Lifecycle, Transition
from anze.parties.rules import Permission


class FindingState(TextChoices):
    OPEN = "OPEN", pgettext_lazy("own finding", "to be rectified")
    DONE = "DONE", pgettext_lazy("own finding", "rectified by the enterprise")
    TAKEN = "TAKEN", pgettext_lazy("own finding", "followed up by the insurer")


_S = FindingState
OWN_FINDING = Lifecycle(
    _S.OPEN,
    (
        Transition("done", (_S.OPEN,), _S.DONE, _("Rectified"), Permission.RECTIFY_HAZARDS),
        Transition("take", (_S.OPEN, _S.DONE), _S.TAKEN, _("Follow up as a hazard"), Permission.ENTER_DATA),
    ),
)
