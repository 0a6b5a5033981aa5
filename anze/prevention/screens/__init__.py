"""Pages of prevention services."""

from anze.prevention.screens.records import SERVICES

__all__ = ["SERVICES"]
