"""The worker's part: what waits in the outbox."""

from __future__ import annotations

from procrastinate.contrib.django import app

from anze.notices.actions import SEND
from anze.notices.sending import send_next


# Deferred whenever something is put into the outbox; each minute for what was put off, or left by a killed worker.
@app.periodic(cron="* * * * *", periodic_id="outbox", queueing_lock="notices net")
@app.task(name=SEND)
def send_waiting(timestamp: int | None = None) -> None:
    while send_next():
        pass
