"""Pages of statistics and alerts."""

from anze.monitoring.screens import alerts, figures, precision
from anze.monitoring.screens.figures import RECORD_PAGES, five_cards, shown, slice_of, standing

__all__ = ["RECORD_PAGES", "alerts", "figures", "five_cards", "precision", "shown", "slice_of", "standing"]
