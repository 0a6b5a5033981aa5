"""Pages of the data exchange; the signed interface registers beside them."""

from anze.exchange import interface, trials
from anze.exchange.screens import (
    batches,
    claims,
    clocks,
    connectors,
    datasets,
    drafts,
    entry,
    partners,
    quotes,
    selfchecks,
    spending,
    uploading,
    visits,
)

__all__ = [
    "batches",
    "claims",
    "clocks",
    "connectors",
    "datasets",
    "drafts",
    "entry",
    "interface",
    "partners",
    "quotes",
    "selfchecks",
    "spending",
    "trials",
    "uploading",
    "visits",
]
