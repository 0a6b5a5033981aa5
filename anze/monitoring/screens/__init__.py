"""Pages of statistics and alerts."""

from anze.monitoring.screens import alerts, effect, figures, known, precision, wall
from anze.monitoring.screens.figures import RECORD_PAGES, five_cards, shown, slice_of, standing

__all__ = [
    "RECORD_PAGES", "alerts", "effect", "figures", "five_cards", "known", "precision", "shown", "slice_of", "standing",
    "wall",
]  # fmt: skip
