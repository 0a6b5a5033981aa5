"""Who may send what: the organisation a person reports for, and the datasets it reports."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from anze.exchange.actions.keys import PARTNER_KINDS
from anze.exchange.feed import Feed
from anze.exchange.feeds import FEEDS
from anze.kernel.actor import Actor
from anze.kernel.refusal import Refused
from anze.parties.models import Organisation
from anze.parties.rules import OrganisationKind, Permission


def sender_of(actor: Actor) -> Organisation | None:
    """The insurer or authority somebody enters data for; a branch reports for its insurer."""
    if not actor.may(Permission.ENTER_DATA):
        return None
    key = actor.scope.insurer_id or actor.organisation_id
    return Organisation.objects.filter(pk=key, is_active=True, kind__in=PARTNER_KINDS).first() if key else None


def feeds_of(sender: Organisation | None) -> list[Feed]:
    """The datasets an organisation reports, in the order in which they build on one another."""
    if sender is None:
        return []
    is_insurer = sender.kind == OrganisationKind.INSURER
    return [feed for feed in FEEDS.values() if feed.of_insurer == is_insurer]


def sending(actor: Actor, feed: Feed) -> Organisation:
    """The organisation for which the actor sends this dataset; refused where it is not his to send."""
    sender = sender_of(actor)
    if sender is None or feed not in feeds_of(sender):
        raise Refused(
            "not_your_feed",
            _("This dataset is not reported by your organisation."),
            remedy=_("Choose one of your own datasets."),
            status=403,
        )
    return sender
