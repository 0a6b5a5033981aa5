"""Pages of the data exchange; the signed interface registers beside them."""

from __future__ import annotations

from anze.exchange import interface as interface
