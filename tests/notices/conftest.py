"""The signed-in people of tests/web."""

from tests.web.conftest import browser_of, put_down

__all__ = ["browser_of", "put_down"]
