"""Background work: the figures follow the data within seconds."""

from __future__ import annotations

from django.utils import timezone
from procrastinate.contrib.django import app

from anze.monitoring.alerting import run
from anze.monitoring.bulletin import publish_due
from anze.monitoring.effect import take_stock
from anze.monitoring.refresh import refresh
from anze.monitoring.telling import summarise


@app.periodic(cron="* * * * * */5")
@app.task(queueing_lock="refresh-figures", lock="figures", pass_context=False)
def refresh_figures(timestamp: int) -> None:
    """Every five seconds, and cheap when nothing changed."""
    refresh(at=timezone.now())


@app.periodic(cron="* * * * *", periodic_id="alerts")
@app.task(name="monitoring.watch_changes", queueing_lock="watch changes", lock="alerts")
def watch_changes(timestamp: int) -> None:
    """Every minute: what has changed, and the small tables."""
    run(at=timezone.now())


# the lock is the clock's alone: whoever changes a threshold while one waits is not refused for it
@app.periodic(cron="7 0 * * *", periodic_id="alerts of the day", queueing_lock="watch all")
@app.task(name="monitoring.watch_all", lock="alerts")
def watch_all(timestamp: int | None = None) -> None:
    """After midnight deadlines have come nearer everywhere; also after a threshold was changed."""
    run(at=timezone.now(), full=True)


@app.periodic(cron="*/5 * * * *", periodic_id="summaries")
@app.task(name="monitoring.summarise", queueing_lock="summaries", lock="summaries")
def tell_summaries(timestamp: int) -> None:
    """The summary of the day, for those whose hour has come."""
    summarise(at=timezone.now())


@app.periodic(cron="27 2 * * *", periodic_id="effect")
@app.task(name="monitoring.compare_served", queueing_lock="effect")
def compare_served(timestamp: int | None = None) -> None:
    """Every night: what the comparison of served and other enterprises says by now."""
    take_stock(at=timezone.now())


@app.periodic(cron="13 6 * * *", periodic_id="bulletins")
@app.task(name="monitoring.publish_bulletins", queueing_lock="bulletins", lock="bulletins")
def publish_bulletins(timestamp: int | None = None) -> None:
    """Every morning, and without effect until the working day of the month on which bulletins are published."""
    publish_due(at=timezone.now())
