"""What the pages of this room share."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from anze.parties.rules import Permission
from anze.screen.details import Section
from anze.screen.filters import Search

PREMIUM = Permission.SEE_PREMIUMS
OF_ENTERPRISE = Search(relation="enterprise", related=("name", "uscc"), title=_("Enterprise: name or credit code"))
ORIGIN_SECTION = Section(
    _("Where the data come from"),
    ("event_on", "entered_at", "received_at", "report_due_at", "channel", "version"),
)
