"""Every dataset the platform takes, in the order in which they build on one another."""

from __future__ import annotations

from anze.exchange.feed import Feed
from anze.exchange.feeds.enterprises import ENTERPRISES, OBLIGATIONS
from anze.exchange.feeds.policies import POLICIES

FEEDS: dict[str, Feed] = {feed.name: feed for feed in (ENTERPRISES, OBLIGATIONS, POLICIES)}
