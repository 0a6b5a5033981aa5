"""Drafts of new editions. They are rows of their own, so that nothing unpublished stands among what is in force."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.models import PrivateTable
from anze.library.rules import DraftKind, DraftState


class Draft(PrivateTable):
    """A new edition of a standard or version of a checklist being worded by the committee.

    `head` and `rows` are as the forms and the uploaded file give them; they are checked when published.
    """

    keeps_history = True

    kind = models.CharField(_("kind"), max_length=10, choices=DraftKind.choices)
    of_code = models.CharField(_("new edition of"), max_length=40)
    title = models.CharField(_("title"), max_length=160)
    head = models.JSONField(default=dict)
    rows = models.JSONField(default=list)
    state = models.CharField(_("state"), max_length=10, choices=DraftState.choices, default=DraftState.DRAFT)
    made_at = models.DateTimeField(pgettext_lazy("draft", "begun at"))
    made_by_name = models.CharField(pgettext_lazy("draft", "begun by"), max_length=120)
    ended_at = models.DateTimeField(pgettext_lazy("draft", "published or discarded at"), null=True)

    class Meta:
        verbose_name = _("draft")
        verbose_name_plural = _("drafts")

    def __str__(self) -> str:
        return self.title
