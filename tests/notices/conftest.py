"""A platform of its own to be killed, and the signed-in people of tests/web."""

from tests.exchange.conftest import seeded
from tests.web.conftest import browser_of, put_down

__all__ = ["browser_of", "put_down", "seeded"]
