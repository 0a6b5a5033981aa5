"""The life of an alert: open, in hand, closed; whose turn it is; who may close it by his word."""

from __future__ import annotations

from django.db.models import Q, TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.duty import Party
from anze.kernel.lifecycle import Lifecycle, Transition
from anze.kernel.scope import Scope
from anze.parties.rules import Permission, Role


class AlertState(TextChoices):
    OPEN = "OPEN", pgettext_lazy("alert", "open")
    HANDLING = "HANDLING", _("in hand")
    CLOSED = "CLOSED", pgettext_lazy("alert", "closed")


class Closing(TextChoices):
    """Why an alert is closed. Only the platform says that the cause is gone."""

    GONE = "GONE", _("the cause is gone")
    MENDED = "MENDED", _("dealt with, outside of the platform")
    EXAMINED = "EXAMINED", _("looked at, with a good reason")
    WRONG_DATA = "WRONG_DATA", _("the data were wrong")
    NO_MATTER = "NO_MATTER", _("of no importance here")


# what a person may say
SAID = tuple(each for each in Closing if each is not Closing.GONE)


class Reached(TextChoices):
    """The level of authority an alert has come up to; none while it is with those concerned alone."""

    COUNTY = "COUNTY", pgettext_lazy("alert", "county")
    CITY = "CITY", pgettext_lazy("alert", "city")
    PROVINCE = "PROVINCE", pgettext_lazy("alert", "province")


ALERT = Lifecycle(
    AlertState.OPEN,
    (
        Transition("take", ("OPEN",), "HANDLING", _("Take in hand"), Permission.HANDLE_ALERTS),
        Transition("close", ("OPEN", "HANDLING"), "CLOSED", pgettext_lazy("alert", "Close"), Permission.HANDLE_ALERTS),
    ),
)

_PARTY_OF = {
    "anze_insurer": Party.INSURER,
    "anze_agency": Party.AGENCY,
    "anze_expert": Party.EXPERT,
    "anze_enterprise": Party.ENTERPRISE,
}
_PARTY_OF_ROLE = {
    Role.COMMITTEE: Party.COMMITTEE,
    Role.FINANCIAL_REGULATOR: Party.FINANCIAL,
    Role.ADMINISTRATOR: Party.PLATFORM,
}


def party_of(scope: Scope, role: str) -> Party:
    """In what capacity somebody meets an alert; whoever sees whole regions is an authority."""
    return _PARTY_OF.get(scope.reader) or _PARTY_OF_ROLE.get(role, Party.AUTHORITY)  # type: ignore[call-overload]


def reached_of(scope: Scope) -> Reached:
    """The level of an authority."""
    if scope.reader == "anze_all" or scope.region_from.endswith("0000"):
        return Reached.PROVINCE
    return Reached.CITY if scope.region_from.endswith("00") else Reached.COUNTY


def mine(scope: Scope, role: str) -> Q:
    """The alerts that wait for somebody. An authority takes up what has come to its level and no further."""
    party = party_of(scope, role)
    if party is Party.AUTHORITY:
        return Q(reached=reached_of(scope))
    return Q(parties__contains=[party.value])


def may_close(party: Party, parties: list[str], reached: str) -> bool:
    """Whether somebody's word closes an alert whose cause lasts: those concerned may not close what has come to an
    authority, nor anybody what does not concern him."""
    if party is Party.AUTHORITY:
        return True
    return party.value in parties and (not reached or party in (Party.COMMITTEE, Party.FINANCIAL, Party.PLATFORM))
