"""States of a service order."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class OrderState(TextChoices):
    DRAFT = "DRAFT", pgettext_lazy("order", "draft")
    SENT = "SENT", pgettext_lazy("order", "sent")
    ACCEPTED = "ACCEPTED", pgettext_lazy("order", "accepted")
    DECLINED = "DECLINED", pgettext_lazy("order", "declined")
    IN_SERVICE = "IN_SERVICE", _("in service")
    DONE = "DONE", pgettext_lazy("order", "done")
    CANCELLED = "CANCELLED", pgettext_lazy("order", "cancelled")
