"""Background work: the figures follow the data within seconds."""

from __future__ import annotations

from django.utils import timezone
from procrastinate.contrib.django import app

from anze.monitoring.refresh import recompute, refresh


@app.periodic(cron="* * * * * */5")
@app.task(queueing_lock="refresh-figures", lock="figures", pass_context=False)
def refresh_figures(timestamp: int) -> None:
    """Every five seconds, and cheap when nothing changed."""
    refresh(at=timezone.now())


@app.task(queueing_lock="recompute-figures", lock="figures")
def recompute_figures() -> None:
    """After a parameter or a definition changed."""
    recompute(at=timezone.now())
