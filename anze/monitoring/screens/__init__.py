"""Pages of statistics and alerts."""

from anze.monitoring.screens import alerts, bulletins, effect, figures, known, precision, printing, wall
from anze.monitoring.screens.figures import RECORD_PAGES, five_cards, shown, slice_of, standing

__all__ = [
    "RECORD_PAGES", "alerts", "bulletins", "effect", "figures", "five_cards", "known", "precision", "printing", "shown",
    "slice_of", "standing", "wall",
]  # fmt: skip
