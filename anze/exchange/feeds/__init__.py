"""Every dataset the platform takes, in the order in which they build on one another."""

from __future__ import annotations

from anze.exchange.feed import Feed
from anze.exchange.feeds.claims import ACCIDENTS, CLAIMS
from anze.exchange.feeds.enterprises import ENTERPRISES, OBLIGATIONS
from anze.exchange.feeds.expenses import EXPENSES
from anze.exchange.feeds.hazards import HAZARDS
from anze.exchange.feeds.invoices import INVOICES
from anze.exchange.feeds.policies import ENDORSEMENTS, POLICIES, RECEIPTS
from anze.exchange.feeds.prevention import PLANS, SERVICES

FEEDS: dict[str, Feed] = {
    feed.name: feed
    for feed in (
        ENTERPRISES,
        OBLIGATIONS,
        POLICIES,
        ENDORSEMENTS,
        RECEIPTS,
        PLANS,
        SERVICES,
        HAZARDS,
        INVOICES,
        EXPENSES,
        ACCIDENTS,
        CLAIMS,
    )
}
